//! `envsec seal`: a file that was edited or merged by hand gets a seal again.

use super::Ctx;
use super::ui::NotConfirmed;
use crate::child;
use crate::crypto;
use crate::error::{Failure, Result, Status, shown};
use crate::fs;
use crate::git::{self, GitError};
use crate::project::{self, Found, RevisionText};
use crate::sealed::{Change, Known, MAX_FILE, Merge, Resealed, SealedError, Storage, Unlocked, Unsealed, Utc};
use crate::validation;
use crate::vars::{Glob, VarName};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Seal a file again that was edited or merged by hand
///
/// Shows every name that differs from git's HEAD, and asks. New lines in plaintext are encrypted.
#[derive(clap::Args)]
#[command(after_help = "\
Slots and all other header lines come from the last verified revision, never
from the edited file: HEAD, in a merge both sides, or --base FILE. Values are
not shown.

Examples:
  envsec seal                       shows what changed and asks
  envsec seal --accept              in a script, or once it was looked at
  envsec seal --plain 'PORT,LOG_*'  new names that match stay readable")]
pub(super) struct Args {
    /// A copy of the file to compare with, instead of what git has
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,

    /// Take the changes without being asked
    #[arg(long)]
    accept: bool,

    /// Leave new lines of the names that match unencrypted
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    plain: Vec<Glob>,
}

/// Nobody was there to say yes.
#[derive(Debug, thiserror::Error)]
#[error("there is no terminal to ask at whether these changes are right; nothing was written")]
struct NotAsked;

impl Failure for NotAsked {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("--accept takes them".into())
    }
}

/// There is nothing to compare with.
#[derive(Debug, thiserror::Error)]
#[error("no verified revision to compare with: {0}")]
struct NoRevision(GitError);

impl Failure for NoRevision {
    fn status(&self) -> Status {
        self.0.status()
    }

    fn hint(&self) -> Option<String> {
        Some("name a copy that is known to be good: --base FILE".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let found = ctx.project.find()?;
    let path = found.path.as_path();
    let text = Unsealed::parse(&found.bytes).map_err(project::at(path))?;
    let against = revisions(args, &found)?;
    let (known, current) = open(&against, &found, ctx)?;
    if let Some(current) = current {
        return say_right(path, &current, &known, &against.name, ctx);
    }
    let resealed = reseal(text, &known, against.has_base(path), args, path)?;
    child::check_names(resealed.values.iter().map(|(name, _, _)| name))?;
    show(&resealed, path, &against.name, args, ctx);
    if !args.accept {
        match ctx.ui.ask_yes("Seal it so?", false)? {
            Some(true) => {}
            Some(false) => return Err(NotConfirmed.into()),
            None => return Err(NotAsked.into()),
        }
    }
    let file = judged(resealed, path, ctx)?;
    ctx.project.replace(&found, file.seal().map_err(project::at(path))?)
}

/// What the text is compared with: the last revision of this branch, then, in a merge, what comes in and what both come
/// from.
struct Against {
    revisions: Vec<RevisionText>,
    /// As the user knows it.
    name: String,
}

impl Against {
    /// Whether this branch comes from the base: that of a cherry-pick is on the other one.
    fn has_base(&self, path: &Path) -> bool {
        self.revisions.get(2).is_none_or(|base| git::is_in_history(path, &base.bytes))
    }
}

fn revisions(args: &Args, found: &Found) -> Result<Against> {
    let revision = |name: &str, bytes| RevisionText { name: name.into(), bytes, is_pinned: name != "base" };
    if let Some(base) = &args.base {
        let name = shown(base);
        let bytes = fs::read_public(base, MAX_FILE)?;
        return Ok(Against { revisions: vec![revision(&name, bytes)], name });
    }
    let file = fs::resolve(&found.path)?; // git has the file, not a link to it
    if let Some(versions) = git::versions(&file, MAX_FILE).map_err(NoRevision)? {
        let base = versions.base.map(|bytes| revision("base", bytes));
        let sides = [revision("ours", versions.ours), revision("theirs", versions.theirs)];
        return Ok(Against { revisions: sides.into_iter().chain(base).collect(), name: "ours and theirs".into() });
    }
    let head = git::in_revision("HEAD", &file, MAX_FILE).map_err(NoRevision)?;
    Ok(Against { revisions: vec![revision("HEAD", head)], name: "HEAD".into() })
}

/// The revisions, opened; and the text itself, if its seal is right.
fn open(against: &Against, found: &Found, ctx: &Ctx<'_>) -> Result<(Vec<Unlocked>, Option<Unlocked>)> {
    let text = RevisionText { name: "now".into(), bytes: found.bytes.clone(), is_pinned: true };
    let all: Vec<&RevisionText> = against.revisions.iter().chain([&text]).collect();
    let mut opened = ctx.project.open_revisions(&found.path, project::label(ctx.flags)?, &all)?;
    let current = opened.pop().and_then(Result::ok);
    Ok((opened.into_iter().collect::<Result<_>>()?, current))
}

fn say_right(path: &Path, current: &Unlocked, known: &[Unlocked], name: &str, ctx: &Ctx<'_>) -> Result<()> {
    let (rev, last) = (current.locked().rev(), known.iter().map(|file| file.locked().rev()).max().unwrap_or_default());
    if rev < last {
        ctx.ui.say(&format!(
            "warning: {}: its seal is right, but it is revision {rev}, and {name} has {last}: an older file is in its place",
            shown(path)
        ));
    } else {
        ctx.ui.say(&format!("{}: its seal is right; nothing to do", shown(path)));
    }
    Ok(())
}

fn reseal(text: Unsealed, known: &[Unlocked], has_base: bool, args: &Args, path: &Path) -> Result<Resealed> {
    let rng = &mut crypto::system_rng();
    let plain = |name: &VarName| args.plain.iter().any(|glob| glob.matches(name));
    let sealed = project::at(path);
    match known {
        [head] => text
            .reseal(Known { head, theirs: None, basis: head, conflicts: &[] }, plain, Utc::now(), rng)
            .map_err(sealed),
        [ours, theirs, base @ ..] => {
            let merge = Merge::new(base.first(), ours, theirs, || has_base).map_err(project::unmerged(path))?;
            // Only its header counts, and what both sides together make of a name; the lines are those of the text.
            let [_, outline, _] = merge.outlines();
            let merged = merge.run(&outline, rng).map_err(project::unmerged(path))?;
            let known = Known { head: ours, theirs: Some(theirs), basis: &merged.file, conflicts: &merged.names };
            text.reseal(known, plain, Utc::now(), rng).map_err(sealed)
        }
        [] => Err(sealed(SealedError::NotSealed)),
    }
}

/// Name by name, and never a value.
fn show(resealed: &Resealed, path: &Path, name: &str, args: &Args, ctx: &Ctx<'_>) {
    let say = |line: &str| if args.accept { ctx.ui.say(line) } else { ctx.ui.complain(line) };
    say(&format!("{} against {name}:", shown(path)));
    if resealed.changes.is_empty() && resealed.header.is_empty() {
        say("  no name differs");
    }
    let mut changes: Vec<&(VarName, Change)> = resealed.changes.iter().collect();
    changes.sort_by_key(|(_, change)| *change);
    let stored: BTreeMap<&VarName, Storage> = resealed.values.iter().map(|(name, of, _)| (name, *of)).collect();
    for (name, change) in changes {
        let kind = match (change, stored.get(name)) {
            (Change::Added | Change::Changed, Some(Storage::Secret)) => ", encrypted",
            (Change::Added | Change::Changed, Some(Storage::Plain)) => ", plain",
            _ => "",
        };
        say(&format!("  {name}: {change}{kind}"));
    }
    resealed.header.iter().for_each(|line| say(&format!("  header, {line}")));
}

/// Warns of values that are not as declared, and notes the age of those that are to be rotated.
fn judged(resealed: Resealed, path: &Path, ctx: &Ctx<'_>) -> Result<Unlocked> {
    let Resealed { mut file, values, .. } = resealed;
    let checked = values.iter().map(|(name, storage, value)| (name, value, *storage));
    let aging = ctx.ui.judge(validation::check_values(&ctx.project, path, checked), false)?;
    aging.iter().for_each(|name| file.note_age(name, Utc::now()));
    Ok(file)
}
