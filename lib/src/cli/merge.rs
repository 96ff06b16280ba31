//! `envsec merge`: git's merge driver.

use super::Ctx;
use crate::crypto;
use crate::error::{Error, Failure, Result, Status, shown};
use crate::fs;
use crate::git;
use crate::project::{self, Found, RevisionText};
use crate::sealed::{HeaderConflict, MAX_FILE, Merge, Unlocked};
use crate::vars::VarName;
use std::path::{Path, PathBuf};

/// Merge three revisions, as git's merge driver
///
/// The result is written into OURS.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec merge base.enc .env.enc theirs.enc

git calls it once it knows of it:
  git config merge.envsec.driver 'envsec merge %O %A %B %P'
  echo '.env*.enc merge=envsec' >> .gitattributes

What only one side changed is taken, what both changed differently is a
conflict (status 6): git's markers stand around those names. Keep one of the
two lines, remove the markers, then: envsec seal
What cannot be merged at all, for want of a password or key say, is left with
git's markers as without a driver.")]
pub(super) struct Args {
    /// What both sides come from; an empty file if both added it
    base: PathBuf,

    /// The revision that is checked out; becomes the result
    ours: PathBuf,

    /// The revision that comes in
    theirs: PathBuf,

    /// The real name of the file
    path: Option<PathBuf>,
}

/// What is left for a person.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", shown(.path), in_words(.names, .header))]
struct Conflict {
    path: PathBuf,
    names: Vec<VarName>,
    header: Vec<HeaderConflict>,
}

fn in_words(names: &[VarName], header: &[HeaderConflict]) -> String {
    let names = names.iter().map(|name| format!("{name}: changed differently on both sides"));
    names.chain(header.iter().map(ToString::to_string)).collect::<Vec<_>>().join("; ")
}

impl Failure for Conflict {
    fn status(&self) -> Status {
        Status::Conflict
    }

    fn hint(&self) -> Option<String> {
        let of_slots =
            if self.header.is_empty() { "" } else { "; envsec slot add adds again the slot that was left out" };
        Some(format!(
            "keep one of the two lines, remove the markers, then: envsec seal -f {}{of_slots}",
            shown(&self.path)
        ))
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let path = args.path.as_deref().unwrap_or(&args.ours);
    let ours = ctx.project.find_at(args.ours.clone())?;
    merge(args, &ours, path, ctx).or_else(|error| match error {
        Outcome::Conflict(conflict) => Err(conflict.into()),
        // The result is there already, or somebody else's file: nothing for git to merge.
        Outcome::Failed(error) if !is_untouched(&ours, ctx) => Err(error),
        Outcome::Failed(error) => {
            leave_to_git(args, &ours, ctx)?;
            ctx.ui.complain(&format!(
                "{}: not merged by envsec; the two versions stand in it between git's markers",
                shown(path)
            ));
            Err(error)
        }
    })
}

fn is_untouched(ours: &Found, ctx: &Ctx<'_>) -> bool {
    ctx.project.find_at(ours.path.clone()).is_ok_and(|now| now.bytes == ours.bytes)
}

/// Why there is no whole result.
enum Outcome {
    Conflict(Conflict),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Outcome {
    fn from(error: E) -> Self {
        Outcome::Failed(error.into())
    }
}

fn merge(args: &Args, ours: &Found, path: &Path, ctx: &Ctx<'_>) -> std::result::Result<(), Outcome> {
    let (base, ours_and_theirs) = open(args, ours, path, ctx)?;
    let [a, b] = ours_and_theirs.as_slice() else { return Ok(()) };
    let has_base = || fs::read_public(&args.base, MAX_FILE).map_or(true, |bytes| git::is_in_history(path, &bytes));
    let merge = Merge::new(base.as_ref(), a, b, has_base).map_err(project::unmerged(path))?;
    let [one, two, three] = merge.outlines();
    let outline = git::merge_lines([&one, &two, &three])?;
    let merged = merge.run(&outline, &mut crypto::system_rng()).map_err(project::unmerged(path))?;
    if merged.is_conflict() {
        ctx.project.replace(ours, merge.with_markers(&merged))?;
        let (names, header) = (merged.names, merged.header);
        return Err(Outcome::Conflict(Conflict { path: path.into(), names, header }));
    }
    let bytes = merged.file.seal().map_err(project::at(path))?;
    Ok(ctx.project.replace(ours, bytes)?)
}

/// The revisions, verified.
fn open(args: &Args, ours: &Found, path: &Path, ctx: &Ctx<'_>) -> Result<(Option<Unlocked>, Vec<Unlocked>)> {
    let revision = |name: &str, bytes, is_pinned| RevisionText { name: name.into(), bytes, is_pinned };
    let theirs = ctx.project.find_at(args.theirs.clone())?.bytes;
    let base = ctx.project.find_at(args.base.clone())?.bytes;
    let mut revisions = vec![revision("ours", ours.bytes.clone(), true), revision("theirs", theirs, true)];
    if !base.is_empty() {
        revisions.push(revision("base", base, false));
    }
    let opened = ctx.project.open_revisions(path, None, &revisions.iter().collect::<Vec<_>>())?.into_iter();
    let mut opened = opened.collect::<Result<Vec<_>>>()?;
    let base = if revisions.len() == 3 { opened.pop() } else { None };
    Ok((base, opened))
}

/// Writes what git would have made of the file, and always with markers: nobody shall commit it by accident.
fn leave_to_git(args: &Args, ours: &Found, ctx: &Ctx<'_>) -> Result<()> {
    let files = [args.base.as_path(), &args.ours, &args.theirs];
    let text = match git::merge_as_text(files, 4 * MAX_FILE) {
        Ok((text, true)) => text,
        _ => whole_in_markers(&ours.bytes, &fs::read_public(&args.theirs, MAX_FILE)?),
    };
    ctx.project.replace(ours, text)
}

fn whole_in_markers(ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    let end: &[u8] = if ours.windows(2).any(|two| two == b"\r\n") { b"\r\n" } else { b"\n" };
    let ended = |text: &[u8]| if text.ends_with(b"\n") || text.is_empty() { Vec::new() } else { end.to_vec() };
    let parts: [&[u8]; 10] =
        [b"<<<<<<< ours", end, ours, &ended(ours), b"=======", end, theirs, &ended(theirs), b">>>>>>> theirs", end];
    parts.concat()
}
