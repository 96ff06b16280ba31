//! `envsec rotate`: a new data key.

use super::{Ctx, rekey};
use crate::error::Result;
use crate::slots::{self, Also};

/// Give the file a new data key
///
/// Every value is encrypted anew, and every slot is wrapped anew with a fresh salt at today's work factor. That needs the
/// password or key of every slot: give the flags of credentials as often as needed. Several files (-f, repeated) change
/// together or not at all.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec rotate --password-file ~/team.pass --key-file ci.key
  envsec rotate --password-file ~/team.pass --renew ci > ci.key     a new key for the slot ci
  envsec rotate --password-file ~/team.pass --drop-slot laptop      laptop opens it no more
  envsec rotate -f .env.enc -f .env.production.enc                  both, or neither")]
pub(super) struct Args {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    slots: slots::Flags,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    rekey::rekey(ctx, &args.slots, &Also::Nothing, args.yes)
}
