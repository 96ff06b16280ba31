//! `envsec run`: this process becomes the command, with the values in its environment.

use super::Ctx;
use crate::child::{self, Precedence};
use crate::error::Result;
use crate::project::{Outside as _, Selection};
use crate::vars::Vars;
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

    #[command(flatten)]
    selection: Selection,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let vars = args.selection.of(&ctx.project.open()?)?.vars;
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
