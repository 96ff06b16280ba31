//! `envsec doctor`: whether everything is as it should be, and what to do.

use super::Ctx;
use super::ui::{Found, escape, from_here, json_array};
use crate::doctor::{self, Check, Level};
use crate::error::Result;
use crate::git::{self, AttributeLines, Hook, IgnoreRules};
use crate::project;
use crate::sealed::Utc;
use std::path::Path;

/// Check the sealed file, its repository and this machine
///
/// A line for each check: ok, warning or error, and what to do. Nobody is asked for a credential; with one at hand the seal is
/// verified too. Ends with status 8 when there is a warning or an error.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec doctor
  envsec doctor --fix        what init sets up, for a clone that lacks it, and the hook
  envsec doctor --json | jq -r '.[] | select(.level == \"error\").message'")]
pub(super) struct Args {
    /// First do what is safe: .gitattributes, git's configuration of this clone, ignore rules, a hook where there is none
    #[arg(long)]
    fix: bool,

    /// A JSON array of {check, level, message, fix}
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<Found> {
    if args.fix {
        fix(ctx)?;
    }
    let checks = doctor::examine(&ctx.project, Utc::now());
    ctx.ui.data(if args.json { json(&checks) } else { page(&checks) }.as_bytes())?;
    Ok(if checks.iter().all(|check| check.level == Level::Ok) { Found::Nothing } else { Found::Something })
}

/// Each step is whole and says what it did; the page below shows what is left.
fn fix(ctx: &Ctx<'_>) -> Result<()> {
    let folder = doctor::folder(&ctx.project);
    let Some(root) = project::repository_root(&folder) else { return Ok(()) };
    let drivers = git::add_drivers(&folder)?;
    if !drivers.missing.is_empty() {
        ctx.ui.say(&format!("fixed: set {} in this clone's git configuration", drivers.missing.join(", ")));
    }
    let added = |file: &Path| format!("fixed: added lines to {}", from_here(file));
    if let AttributeLines::Added(file, _) = git::add_attributes(root, &folder)? {
        ctx.ui.say(&added(&file));
    }
    match git::ignore_plaintext(root, &folder)? {
        IgnoreRules::Right => {}
        IgnoreRules::Added(file) | IgnoreRules::Unverified(file) => ctx.ui.say(&added(&file)),
        IgnoreRules::StillWrong(..) => {} // the page says so
    }
    if let Hook::Missing(file) = git::hook(&folder)? {
        git::install_hook(&file)?;
        ctx.ui.say(&format!("fixed: wrote {}", from_here(&file)));
    }
    Ok(())
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn page(checks: &[Check]) -> String {
    let fix = |check: &Check| check.fix.as_ref().map_or(String::new(), |fix| format!("{:9}{fix}\n", ""));
    checks.iter().map(|check| format!("{:9}{}\n{}", word(check.level), escape(&check.message), fix(check))).collect()
}

fn json(checks: &[Check]) -> String {
    let check = |of: &Check| serde_json::json!({ "check": of.check, "level": word(of.level), "message": of.message, "fix": of.fix });
    json_array(checks.iter().map(check))
}
