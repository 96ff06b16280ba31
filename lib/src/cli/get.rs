//! `envsec get`: one value, byte-exact.

use super::Ctx;
use crate::error::{Failure, Result, Status};
use crate::project::at;
use crate::sealed::Utc;
use crate::vars::{Value, VarName};

/// Print one value
///
/// Its exact bytes; a newline after them only to a terminal.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec get DATABASE_URL
  psql \"$(envsec get DATABASE_URL)\"
  envsec get TLS_KEY > key.pem          a multi-line value, byte for byte
  envsec get -e production API_KEY")]
pub(super) struct Args {
    /// The variable's name
    name: VarName,

    /// The old value, while a rotation hands it out
    #[arg(long)]
    previous: bool,
}

/// There is nothing to print.
#[derive(Debug, thiserror::Error)]
enum GetError {
    /// A name that no file has.
    #[error("{0}: no such name in the sealed file")]
    NoSuchName(VarName),
    /// A name without an old value.
    #[error("{0}: no old value of it is handed out")]
    NoPrevious(VarName),
}

impl Failure for GetError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            GetError::NoSuchName(_) => "envsec list shows the names".into(),
            GetError::NoPrevious(name) => format!("envsec rotate {name} --grace TIME hands one out beside the new one"),
        })
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let value = find(args, ctx)?;
    ctx.ui.data(value.expose().as_bytes())?;
    if ctx.ui.stdout_is_terminal() { ctx.ui.data(b"\n") } else { Ok(()) }
}

/// The value in the last file that has the name.
fn find(args: &Args, ctx: &Ctx<'_>) -> Result<Value> {
    let (name, now) = (&args.name, Utc::now());
    let mut found = Err(GetError::NoSuchName(name.clone()));
    for opened in ctx.project.open()? {
        let file = &opened.unlocked;
        let value = if args.previous { file.previous_of(name, now) } else { file.get(name) };
        match value.map_err(at(opened.path()))? {
            Some(value) => found = Ok(value),
            None if file.contains(name) => found = Err(GetError::NoPrevious(name.clone())),
            None => {}
        }
    }
    Ok(found?)
}
