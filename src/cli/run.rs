//! `envsec run`: this process becomes the command, with the values in its environment.

use super::Ctx;
use crate::child::{self, Precedence};
use crate::error::{Failure, Result, Status};
use crate::project::{Outside as _, at};
use crate::vars::{Glob, Vars};
use std::ffi::OsString;

/// Start a command with the values in its environment
///
/// Everything is opened and verified first; if anything is wrong, nothing is started. On Unix envsec replaces itself by
/// the command: signals, exit status and terminal are the command's own.
#[derive(clap::Args)]
#[command(after_help = "\
A variable that the process has already, and is not empty, wins over the file; --override turns that round.

Examples:
  envsec run -- npm start
  envsec run -e production -- ./deploy
  envsec run --only 'DB_*' -- psql
  envsec run -f .env.enc -f .env.local.enc -- cargo run     later files win
  envsec run -- env | less                                  what the command gets")]
pub(super) struct Args {
    /// The file's values win over what the process has
    #[arg(long = "override")]
    override_process: bool,

    /// Hand over only the names that match
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    only: Vec<Glob>,

    /// Hand over all but the names that match
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    except: Vec<Glob>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// `--only` with a pattern that fits no name: mostly a typing error, and the command would lack what it needs.
#[derive(Debug, thiserror::Error)]
#[error("--only {0}: no name in the sealed file matches")]
struct NothingMatches(String);

impl Failure for NothingMatches {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("envsec list shows the names; * stands for any text".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let vars = collect(args, ctx)?;
    if ctx.ui.is_verbose() {
        explain(&vars, args, ctx);
    }
    let precedence = if args.override_process { Precedence::File } else { Precedence::Process };
    let environment = child::environment(std::env::vars_os(), vars, precedence)?;
    let Some((command, arguments)) = args.command.split_first() else { return Ok(()) };
    Err(child::replace_process(command, arguments, environment).into())
}

/// Says whose value the command gets where both the process and the file have one.
fn explain(vars: &Vars, args: &Args, ctx: &Ctx<'_>) {
    let what =
        if args.override_process { "the file's value" } else { "the process's value (--override takes the file's)" };
    for (name, _) in vars.iter() {
        if std::env::var_os(name.as_str()).is_some_and(|value| !value.is_empty()) {
            ctx.ui.explain(&format!("{name}: {what}"));
        }
    }
}

/// The values of all files that are asked for; later files win.
fn collect(args: &Args, ctx: &Ctx<'_>) -> Result<Vars> {
    let mut vars = Vars::default();
    let mut unmatched: Vec<&Glob> = args.only.iter().collect();
    for opened in ctx.project.open()? {
        for (name, value) in opened.unlocked.vars().map_err(at(opened.path()))? {
            unmatched.retain(|glob| !glob.matches(&name));
            let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(&name));
            if (args.only.is_empty() || any(&args.only)) && !any(&args.except) {
                vars.insert(name, value);
            }
        }
    }
    match unmatched.first() {
        Some(glob) => Err(NothingMatches(glob.to_string()).into()),
        None => Ok(vars),
    }
}
