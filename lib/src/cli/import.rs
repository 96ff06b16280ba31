//! `envsec import`: plaintext comes in.

use super::Ctx;
use crate::crypto;
use crate::error::{Result, shown};
use crate::import::{self, Existing, Policy};
use crate::sealed::Utc;
use crate::validation;
use std::path::PathBuf;

/// Bring a plaintext file in
///
/// A dotenv file brings its comments and order along. If anything is wrong with the file, nothing is imported.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec import .env
  envsec import .env --plain 'PORT,LOG_*'
  envsec import .env.local --replace
  heroku config --shell | envsec import -
  heroku config --json | envsec import - --format json
  env -0 | envsec import - --format env0
  envsec import .env --dialect node     where npm dotenv's reading is what ran so far")]
pub(super) struct Args {
    /// The file, - for standard input
    #[arg(value_name = "FILE|-")]
    source: PathBuf,

    /// Names that are there already get the new value
    #[arg(long, conflicts_with = "keep")]
    replace: bool,

    /// Names that are there already keep their value
    #[arg(long)]
    keep: bool,

    /// Refuse values that are not as declared, instead of warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    reading: import::Flags,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let source = args.reading.open(&args.source)?;
    let mut incoming = args.reading.parse(&source, |files, name| ctx.project.blob_passwords(files, name))?;
    let notes = std::mem::take(&mut incoming.notes);
    let existing = match (args.replace, args.keep) {
        (true, _) => Existing::Replace,
        (_, true) => Existing::Keep,
        _ => Existing::Refuse,
    };
    let mut policy = Policy { existing, plain: args.reading.plain.clone(), ..Policy::default() };
    let opened = ctx.project.open_to_change()?;
    let values = import::to_be_written(&opened.unlocked, &incoming, &policy)?;
    policy.aging = ctx.ui.judge(validation::check_values(&ctx.project, opened.path(), values), args.strict)?;
    let sealed = shown(opened.path());
    let rng = &mut crypto::system_rng();
    let summary = ctx.project.change(opened, |file| import::into_file(file, incoming, &policy, Utc::now(), rng))?;
    ctx.ui.imported(&sealed, &source, &notes, summary);
    Ok(())
}
