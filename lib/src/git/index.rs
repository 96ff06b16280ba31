//! What is in git's index, what a commit would change, and what was ever added. Paths are bytes, from the root.

use super::{GitError, answer, command};
use crate::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The longest list that is taken from git, in bytes.
const MAX_LIST: usize = 256 << 20;

/// How many commits are looked through, the latest first.
pub const MAX_COMMITS: usize = 20_000;

/// A regular file in the index.
pub struct Blob {
    /// From the root, with `/`.
    pub path: Vec<u8>,
    /// What git calls its content.
    pub id: String,
}

/// A file that a commit added.
pub struct AddedFile {
    /// From the root, with `/`.
    pub path: Vec<u8>,
    /// The short name of the commit.
    pub commit: String,
}

/// Regular files whose staged content is another one than in HEAD: what a commit would bring in.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Failed`].
pub fn staged(folder: &Path) -> Result<Vec<Blob>, GitError> {
    let mut git = command(folder);
    let what = ["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--no-ext-diff"];
    let list = list(git.args(what).args(["--ignore-submodules=all", "--diff-filter=ACMT"]), "diff")?;
    // `:OLDMODE NEWMODE OLDID NEWID STATUS`, PATH, each ended by a NUL.
    let mut fields = list.split(|byte| *byte == 0);
    let mut blobs = Vec::new();
    while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
        let head = String::from_utf8_lossy(head);
        let words: Vec<&str> = head.split(' ').collect();
        if let [_, mode, _, id, _] = words[..]
            && mode.starts_with("100")
        {
            blobs.push(Blob { path: path.to_vec(), id: id.to_owned() });
        }
    }
    Ok(blobs)
}

/// All regular files in the index, of the whole repository.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Failed`].
pub fn indexed(folder: &Path) -> Result<Vec<Blob>, GitError> {
    let list = list(command(folder).args(["ls-files", "--stage", "-z", "--full-name", "--", ":/"]), "ls-files")?;
    // `MODE ID STAGE\tPATH`, ended by a NUL.
    let blob = |entry: &[u8]| {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let head = String::from_utf8_lossy(&entry[..tab]);
        let (mode, id) = head.strip_suffix(" 0")?.split_once(' ')?;
        mode.starts_with("100").then(|| Blob { path: entry[tab + 1..].to_vec(), id: id.to_owned() })
    };
    Ok(list.split(|byte| *byte == 0).filter_map(blob).collect())
}

/// The content of a file in the index.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Failed`]; more than `limit` bytes.
pub fn content(folder: &Path, blob: &Blob, limit: usize) -> Result<Vec<u8>, GitError> {
    run(command(folder).args(["cat-file", "blob", &blob.id]), "cat-file", limit)
}

/// Files that any of the last [`MAX_COMMITS`] commits of all branches added, where `wanted` takes the path.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Failed`].
pub fn added_files(folder: &Path, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<AddedFile>, GitError> {
    let mut git = command(folder);
    let commits = format!("--max-count={MAX_COMMITS}");
    let what =
        ["log", "--all", "--name-only", "-z", "--no-renames", "--no-relative", "--diff-filter=A", "--format=%x01%h"];
    let list = list(git.args(what).arg(commits), "log")?;
    // A commit, then the files that it added; its first file has a line break before it.
    let (mut commit, mut files) = (String::new(), Vec::new());
    for field in list.split(|byte| *byte == 0) {
        if let Some(id) = field.strip_prefix(b"\x01") {
            commit = String::from_utf8_lossy(id).into_owned();
            continue;
        }
        let path = field.strip_prefix(b"\n").unwrap_or(field);
        if wanted(path) {
            files.push(AddedFile { path: path.to_vec(), commit: commit.clone() });
        }
    }
    Ok(files)
}

/// Whether git tracks a file.
pub fn is_tracked(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    let mut git = command(fs::folder_of(file));
    git.args(["--literal-pathspecs", "ls-files", "--error-unmatch", "--"]).arg(name).stdout(Stdio::null());
    git.status().is_ok_and(|status| status.success())
}

/// Whether an ignore rule keeps a file out.
pub fn is_ignored(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    let mut git = command(fs::folder_of(file));
    git.args(["check-ignore", "--quiet", "--no-index", "--"]).arg(name);
    git.status().is_ok_and(|status| status.success())
}

fn list(git: &mut Command, verb: &'static str) -> Result<Vec<u8>, GitError> {
    run(git, verb, MAX_LIST)
}

fn run(git: &mut Command, verb: &'static str, limit: usize) -> Result<Vec<u8>, GitError> {
    match answer(git, limit)? {
        (bytes, Some(0)) => Ok(bytes),
        _ => Err(GitError::Failed(verb)),
    }
}
