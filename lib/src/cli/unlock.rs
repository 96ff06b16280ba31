//! `envsec unlock`: the kernel keeps the data key for a while.

use super::Ctx;
use crate::duration::{Duration, NoDuration};
use crate::error::{Result, shown};
use crate::keyring;
use crate::project;
use crate::sealed::Utc;

/// Keep the file unlocked for a while
///
/// Commands of this user then need no password for it. The data key lies in the kernel's memory, never on disk, and the
/// kernel forgets it when the time is up; the password is kept nowhere. Linux only.
#[derive(clap::Args)]
#[command(after_help = "\
Until then every process of the same user, and root, can read the data key:
what is unlocked is as open as your session.

Examples:
  envsec unlock                   for 15 minutes
  envsec unlock --ttl 8h -e production
  envsec lock")]
pub(super) struct Args {
    /// For how long: a number and s, m, h or d; at most 30d
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = ttl)]
    ttl: Duration,
}

/// More is no session; and the kernel counts seconds in 32 bits, of which 0 means for ever.
const LONGEST: u64 = 30 * 86_400;

fn ttl(text: &str) -> std::result::Result<Duration, String> {
    let ttl: Duration = text.parse().map_err(|error: NoDuration| error.to_string())?;
    if ttl.seconds() > LONGEST { Err("at most 30d".to_owned()) } else { Ok(ttl) }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let now = u64::try_from(Utc::now().unix()).unwrap_or(0);
    for opened in ctx.project.open_anew()? {
        let file = &opened.unlocked;
        keyring::keep(project::session(file.locked()), file.data_key(), args.ttl.seconds(), now)?;
        ctx.ui.note(&format!("{}: unlocked for {}", shown(opened.path()), args.ttl));
    }
    Ok(())
}
