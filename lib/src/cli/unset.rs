//! `envsec unset`: names go away.

use super::Ctx;
use crate::error::{Failure, Result, Status};
use crate::vars::VarName;

/// Remove names with their values
///
/// All or none: a name that is not there is an error.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec unset OLD_API_KEY
  envsec unset SMTP_USER SMTP_PASSWORD")]
pub(super) struct Args {
    /// The variables' names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<VarName>,
}

/// Names that are not there.
#[derive(Debug, thiserror::Error)]
#[error("no such name in the sealed file: {}", .0.iter().map(VarName::as_str).collect::<Vec<_>>().join(", "))]
struct NoSuchNames(Vec<VarName>);

impl Failure for NoSuchNames {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was removed; envsec list shows the names".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let opened = ctx.project.open_to_change()?;
    ctx.project.change(opened, |file| {
        let missing: Vec<VarName> = args.names.iter().filter(|name| !file.contains(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(NoSuchNames(missing).into());
        }
        file.unset(&args.names);
        Ok(())
    })
}
