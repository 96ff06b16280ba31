//! `envsec lock`: the kernel forgets what was unlocked.

use super::Ctx;
use crate::error::{Result, shown};
use crate::keyring;

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
    let files = ctx.project.read_locked();
    if files.is_err() {
        ctx.ui.say("nothing was locked; envsec lock --all locks every file, whatever is wrong with one");
    }
    for (path, locked) in &files? {
        let forgotten = keyring::forget(locked.file_id())?;
        let state = if forgotten > 0 { "locked" } else { "was not unlocked" };
        ctx.ui.note(&format!("{}: {state}", shown(path)));
    }
    Ok(())
}
