//! `envsec get`: one value, byte-exact.

use super::Ctx;
use crate::error::{Failure, Result, Status};
use crate::project::at;
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
}

/// A name that no file has.
#[derive(Debug, thiserror::Error)]
#[error("{0}: no such name in the sealed file")]
struct NoSuchName(VarName);

impl Failure for NoSuchName {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("envsec list shows the names".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let value = find(args, ctx)?.ok_or_else(|| NoSuchName(args.name.clone()))?;
    ctx.ui.data(value.expose().as_bytes())?;
    if ctx.ui.stdout_is_terminal() { ctx.ui.data(b"\n") } else { Ok(()) }
}

/// The value in the last file that has the name.
fn find(args: &Args, ctx: &Ctx<'_>) -> Result<Option<Value>> {
    let mut found = None;
    for opened in ctx.project.open()? {
        found = opened.unlocked.get(&args.name).map_err(at(opened.path()))?.or(found);
    }
    Ok(found)
}
