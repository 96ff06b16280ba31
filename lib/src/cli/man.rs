//! `envsec man`: the manual pages, from the one definition of the command line.

use super::{Cli, Ctx};
use crate::error::{Failure, Result, Status};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

/// The day of the pages' last real change. It cannot be left out: the fields after it would move up.
const DATE: &str = "2026-11-22";

const SOURCE: &str = concat!("envsec ", env!("CARGO_PKG_VERSION"));

/// Print a manual page
///
/// That of envsec, or that of one of its verbs, as roff source.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec man | man -l -
  envsec man run | man -l -
  envsec man run > ~/.local/share/man/man1/envsec-run.1")]
pub(super) struct Args {
    /// The verb whose page it is
    verb: Option<String>,
}

/// There is no page of that name.
#[derive(Debug, thiserror::Error)]
#[error("no such verb, so there is no page")]
struct NoSuchVerb;

impl Failure for NoSuchVerb {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("envsec --help lists the verbs".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let mut command = Cli::command();
    // Gives the verbs their full names, and the flags that all of them have.
    command.build();
    let command = match &args.verb {
        Some(verb) => command.find_subcommand(verb).ok_or(NoSuchVerb)?.clone(),
        None => command,
    };
    ctx.ui.data(page(command).as_bytes())
}

fn page(command: Command) -> String {
    let title = command.get_display_name().unwrap_or("envsec").to_owned();
    let mut roff = Vec::new();
    // A vector takes everything.
    let _ = Man::new(command).title(title).date(DATE).source(SOURCE).manual("envsec").render(&mut roff);
    // The examples keep their lines.
    String::from_utf8_lossy(&roff).replacen("\n.SH EXTRA\n", "\n.SH EXAMPLES\n.nf\n", 1)
}
