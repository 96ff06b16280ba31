//! `envsec lock`: the kernel forgets what was unlocked.

use super::Ctx;
use crate::error::Result;
use crate::keyring;
use crate::project;

/// Forget what was unlocked
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec lock                     the file of this folder
  envsec lock --all               every file that this user has unlocked")]
pub(super) struct Args {
    /// Every file that was unlocked, wherever it lies
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    if args.all {
        let forgotten = keyring::forget_all()?;
        ctx.ui.note(&format!("{forgotten} locked"));
        return Ok(());
    }
    for (path, locked) in &ctx.project.read_locked()? {
        let was_unlocked = keyring::forget(project::session(locked))?;
        let state = if was_unlocked { "locked" } else { "was not unlocked" };
        ctx.ui.note(&format!("{}: {state}", path.display()));
    }
    Ok(())
}
