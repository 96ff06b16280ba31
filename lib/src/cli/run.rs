//! `envsec run`: this process becomes the command, with the values in its environment.

use super::Ctx;
use crate::child::{self, Precedence};
use crate::error::Result;
use crate::project::{self, Declaration, Opened, Outside as _, Selected};
use crate::sealed::{Label, Utc};
use crate::validation::{self, Advice, Files, Invalid};
use crate::vars::Vars;
use std::ffi::OsString;

/// Start a command with the values in its environment
///
/// Everything is opened, verified and checked against env.schema.json first; if anything is wrong, nothing is started. On
/// Unix envsec replaces itself by the command: signals, exit status and terminal are the command's own.
#[derive(clap::Args, Default, Debug)]
#[command(after_help = "\
A variable that the process has already, and is not empty, wins over the file;
--override turns that round. While a rotation hands out the old value of NAME,
the command gets it as NAME_PREVIOUS.

Examples:
  envsec run -- npm start
  envsec run -e production -- ./deploy
  envsec run --only 'DB_*' -- psql
  envsec run -f .env.enc -f .env.local.enc -- cargo run     later files win
  envsec run -- env | less                                  what the command gets")]
pub(super) struct Args {
    /// Start it although the values are not as declared; defaults are set all the same
    #[arg(long, conflicts_with = "strict")]
    no_validate: bool,

    /// Not NAME_PREVIOUS, where a rotation still hands out the old value
    #[arg(long)]
    no_previous: bool,

    #[command(flatten)]
    merging: validation::Flags,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Args {
    /// A command without any flag.
    pub(super) fn plain(command: Vec<OsString>) -> Self {
        Args { command, ..Args::default() }
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let declaration = ctx.project.declaration(&ctx.project.paths()?)?;
    let files = ctx.project.open()?;
    let mut selected = args.merging.select(&files, declaration.as_ref())?;
    if let Some(declaration) = &declaration {
        validate(args, ctx, declaration, &files, &mut selected)?;
    }
    if !args.no_previous {
        args.merging.selection.add_previous(&files, Utc::now(), &mut selected)?;
    }
    let vars = selected.vars;
    if ctx.ui.is_verbose() {
        explain(&vars, args, ctx);
    }
    let environment = child::environment(std::env::vars_os(), vars, args.merging.precedence())?;
    let Some((command, arguments)) = args.command.split_first() else { return Ok(()) };
    Err(child::replace_process(command, arguments, environment).into())
}

/// Checks all that the command would get, and adds the defaults.
fn validate(
    args: &Args,
    ctx: &Ctx<'_>,
    declaration: &Declaration,
    files: &[Opened],
    selected: &mut Selected,
) -> Result<()> {
    let label = project::label_of(files).map(Label::as_str);
    let verdict = args.merging.check(declaration, &Files::Opened(selected), label)?;
    // Silence is success: `validate` says what is merely dubious.
    for warning in &verdict.warnings {
        ctx.ui.explain(&format!("warning: {warning}"));
    }
    if !verdict.problems.is_empty() && !args.no_validate {
        return Err(Invalid {
            declaration: declaration.path.clone(),
            problems: verdict.problems,
            advice: Advice::Status,
        }
        .into());
    }
    selected.add_defaults(verdict.defaults);
    Ok(())
}

/// Says whose value the command gets where both the process and the file have one.
fn explain(vars: &Vars, args: &Args, ctx: &Ctx<'_>) {
    let what = match args.merging.precedence() {
        Precedence::File => "the file's value",
        Precedence::Process => "the process's value (--override takes the file's)",
    };
    for (name, _) in vars.iter() {
        if std::env::var_os(name.as_str()).is_some_and(|value| !value.is_empty()) {
            ctx.ui.explain(&format!("{name}: {what}"));
        }
    }
}
