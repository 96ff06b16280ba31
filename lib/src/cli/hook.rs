//! `envsec hook`: what git runs before a commit.

use super::Ctx;
use super::ui::Found;
use crate::error::{Failure, Result, Status, shown};
use crate::fs;
use crate::git::{self, CALL, Hook};
use crate::guard;
use std::path::PathBuf;

/// Refuse commits of plaintext env files
///
/// A hook looks at what is staged: plaintext env files, sealed files that are malformed or hold conflict markers, and values
/// stored plain that env.schema.json calls secret. It needs no key.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec hook install                   this clone's .git/hooks/pre-commit
  envsec hook install --print husky     or what a manager of hooks has to run
  envsec hook pre-commit                the check itself; git commit --no-verify skips it")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Write the pre-commit hook, where there is none
    Install {
        /// Only print what pre-commit, husky or lefthook is to be told
        #[arg(long, value_name = "MANAGER")]
        print: Option<Manager>,
    },
    /// Check what is staged; ends with status 8 when it must not be committed
    PreCommit,
}

/// What manages hooks.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Manager {
    PreCommit,
    Husky,
    Lefthook,
}

impl Manager {
    /// What it is to be told.
    fn lines(self) -> &'static str {
        match self {
            Manager::PreCommit => {
                "\
# .pre-commit-config.yaml
repos:
  - repo: local
    hooks:
      - id: envsec
        name: no plaintext env files (envsec)
        entry: envsec hook pre-commit
        language: system
        always_run: true
        pass_filenames: false
"
            }
            Manager::Husky => "# .husky/pre-commit\nenvsec hook pre-commit\n",
            Manager::Lefthook => {
                "\
# lefthook.yml
pre-commit:
  commands:
    envsec:
      run: envsec hook pre-commit
"
            }
        }
    }
}

/// There is a hook already, or no place for one.
#[derive(Debug, thiserror::Error)]
enum CannotInstall {
    /// Somebody's own.
    #[error("{}: there is another hook, which is left as it is", shown(.0))]
    Others(PathBuf),
    /// One that git does not run.
    #[error("{}: is not executable, so git does not run it", shown(.0))]
    NotExecutable(PathBuf),
    /// A folder of hooks for all repositories.
    #[error("{}: core.hooksPath leads out of this repository: a hook there is every repository's", shown(.0))]
    Shared(PathBuf),
}

impl Failure for CannotInstall {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            CannotInstall::Others(_) => {
                format!("add this line to it, or tell its manager (--print pre-commit|husky|lefthook): {CALL}")
            }
            CannotInstall::NotExecutable(file) => format!("chmod +x {}", shown(file)),
            CannotInstall::Shared(_) => format!("if that is meant, write it yourself: {CALL}"),
        })
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<Found> {
    match args.action {
        Action::Install { print: Some(manager) } => ctx.ui.data(manager.lines().as_bytes())?,
        Action::Install { print: None } => install(ctx)?,
        Action::PreCommit => return check(ctx),
    }
    Ok(Found::Nothing)
}

fn install(ctx: &Ctx<'_>) -> Result<()> {
    let here = fs::resolve(&fs::current_folder())?;
    match git::hook(&here)? {
        Hook::Calls(_) => Ok(()),
        Hook::Missing(file) => {
            git::install_hook(&file)?;
            ctx.ui.say(&format!(
                "{}: git commit now refuses plaintext env files",
                shown(file.strip_prefix(&here).unwrap_or(&file))
            ));
            Ok(())
        }
        Hook::NotExecutable(file) => Err(CannotInstall::NotExecutable(file).into()),
        Hook::Others(file) => Err(CannotInstall::Others(file).into()),
        Hook::Shared(file) => Err(CannotInstall::Shared(file).into()),
    }
}

fn check(ctx: &Ctx<'_>) -> Result<Found> {
    let problems = guard::staged(&fs::current_folder())?;
    for problem in &problems {
        ctx.ui.complain(&format!("error: {}: {}", problem.file, problem.what));
        ctx.ui.complain(&format!("hint: {}", problem.fix));
    }
    if problems.is_empty() {
        return Ok(Found::Nothing);
    }
    ctx.ui.complain("nothing was committed; if it is meant: git commit --no-verify");
    Ok(Found::Something)
}
