//! What git knows of a merge: the versions that meet in it, and the merge of lines.

use super::{GitError, answer, command, not_run};
use crate::fs::{self, Scratch};
use std::path::{Path, PathBuf};

/// The versions of a file that meet in a merge, a rebase, a cherry-pick or a stash.
pub struct Versions {
    /// What both come from; none where both added the file.
    pub base: Option<Vec<u8>>,
    /// What is checked out.
    pub ours: Vec<u8>,
    /// What comes in.
    pub theirs: Vec<u8>,
}

/// Merges lines; where both sides changed the same place, ours stand above theirs.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::File`].
pub fn merge_lines([base, ours, theirs]: [&str; 3]) -> Result<String, GitError> {
    let folder = Scratch::new()?;
    let file = |name, text: &str| folder.write(name, text.as_bytes());
    let paths = [file("base", base)?, file("ours", ours)?, file("theirs", theirs)?];
    let (text, _) =
        merge_file(&["--union"], [&paths[0], &paths[1], &paths[2]], base.len() + ours.len() + theirs.len())?;
    String::from_utf8(text).map_err(not_run)
}

/// Merges files as git does without a driver; returns the text, and whether it has conflict markers.
///
/// # Errors
/// As [`merge_lines`].
pub fn merge_as_text(files: [&Path; 3], limit: usize) -> Result<(Vec<u8>, bool), GitError> {
    merge_file(&[], files, limit)
}

fn merge_file(how: &[&str], [base, ours, theirs]: [&Path; 3], limit: usize) -> Result<(Vec<u8>, bool), GitError> {
    let mut git = command(Path::new("."));
    git.args(["merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs"]).args(how).arg("--");
    // The status is the number of conflicts, up to 127.
    match answer(git.args([ours, base, theirs]), limit)? {
        (text, Some(conflicts @ 0..=127)) => Ok((text, conflicts > 0)),
        _ => Err(not_run("git merge-file failed")),
    }
}

/// The versions of a file that is being merged: what git's index has of them, or, once the file was added to it again, what
/// the commits have. `None` when nothing is being merged.
///
/// # Errors
/// More than `limit` bytes; git that cannot be run.
pub fn versions(file: &Path, limit: usize) -> Result<Option<Versions>, GitError> {
    let stage = |number: u8| found(blob(&format!(":{number}:"), file, limit));
    if let (Some(ours), Some(theirs)) = (stage(2)?, stage(3)?) {
        return Ok(Some(Versions { base: stage(1)?, ours, theirs }));
    }
    let folder = fs::folder_of(file);
    for incoming in ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"] {
        let Some(theirs) = found(super::in_revision(incoming, file, limit))? else { continue };
        let Some(ours) = found(super::in_revision("HEAD", file, limit))? else { continue };
        let base = match incoming {
            "MERGE_HEAD" => output(folder, &["merge-base", "HEAD", incoming])?,
            _ => Some(format!("{incoming}^")),
        };
        let base = base.map(|base| found(super::in_revision(&base, file, limit))).transpose()?.flatten();
        return Ok(Some(Versions { base, ours, theirs }));
    }
    Ok(None)
}

/// Whether the history of `HEAD` has a file with exactly these bytes. Where git cannot tell, it has.
pub fn is_in_history(file: &Path, bytes: &[u8]) -> bool {
    let found = || -> Result<bool, GitError> {
        let scratch = Scratch::new()?;
        let copy = scratch.write("file", bytes)?;
        let folder = fs::folder_of(file);
        let hashed =
            command(folder).args(["hash-object", "--no-filters", "--"]).arg(&copy).output().map_err(not_run)?;
        let find = format!("--find-object={}", String::from_utf8_lossy(&hashed.stdout).trim());
        let log = command(folder).args(["log", "-1", "-m", "--format=%H", &find, "HEAD"]).output().map_err(not_run)?;
        Ok(!log.status.success() || !log.stdout.is_empty())
    };
    found().unwrap_or(true)
}

/// A version that is not there is none.
fn found(bytes: Result<Vec<u8>, GitError>) -> Result<Option<Vec<u8>>, GitError> {
    match bytes {
        Ok(bytes) => Ok(Some(bytes)),
        Err(GitError::NoRevision(_) | GitError::NotInRevision { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn output(folder: &Path, args: &[&str]) -> Result<Option<String>, GitError> {
    let output = command(folder).args(args).output().map_err(not_run)?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Some(text).filter(|text| output.status.success() && !text.is_empty()))
}

/// The bytes of a file in a tree or a stage of the index, which `start` names.
pub(super) fn blob(start: &str, file: &Path, limit: usize) -> Result<Vec<u8>, GitError> {
    // ./ is the folder that git is in.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut git = command(fs::folder_of(file));
    match answer(git.args(["cat-file", "blob", &format!("{start}./{name}")]), limit)? {
        (bytes, Some(0)) => Ok(bytes),
        _ => {
            Err(GitError::NotInRevision { revision: start.trim_end_matches(':').to_owned(), file: PathBuf::from(file) })
        }
    }
}
