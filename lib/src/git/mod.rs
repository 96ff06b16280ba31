//! git: what is in its revisions, and what it is told of sealed files. Always the program itself, never its files.

mod hook;
mod ignore;
mod index;
mod install;
mod merge;

pub use hook::{CALL, Hook, hook, install_hook};
pub use ignore::{IgnoreRules, ignore_plaintext, wrongly_treated};
pub use index::{AddedFile, Blob, MAX_COMMITS, added_files, content, indexed, is_ignored, is_tracked, staged};
pub use install::{
    AttributeLines, Attributes, Drivers, add_attributes, add_drivers, attributes, driver_value, drivers,
};
pub use merge::{Versions, is_in_history, merge_as_text, merge_lines, versions};

use crate::child;
use crate::error::{Failure, Status, one_line, shown};
use crate::fs::{self, FsError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git did not do.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// A file of git's that cannot be written.
    #[error(transparent)]
    File(#[from] FsError),
    /// git itself is not there.
    #[error("git cannot be run: {0}")]
    NotRun(String),
    /// git said no; in its own words.
    #[error("git: {0}")]
    Refused(String),
    /// A question that git did not answer.
    #[error("git {0} failed here: is this a git repository?")]
    Failed(&'static str),
    /// Not a revision of this repository, or no repository.
    #[error("{}: no such revision in a git repository here", one_line(.0))]
    NoRevision(String),
    /// A revision without the file.
    #[error("{}: is not in {}", shown(.file), one_line(.revision))]
    NotInRevision {
        /// The revision.
        revision: String,
        /// The file.
        file: PathBuf,
    },
}

impl Failure for GitError {
    fn status(&self) -> Status {
        match self {
            GitError::File(error) => error.status(),
            GitError::NotRun(_) | GitError::Refused(_) | GitError::Failed(_) => Status::Other,
            GitError::NoRevision(_) | GitError::NotInRevision { .. } => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            GitError::File(_) | GitError::Refused(_) => Some("envsec init --no-git leaves git's files alone".into()),
            GitError::NoRevision(_) => Some("commit first, or compare with a copy: envsec diff OLD_FILE".into()),
            GitError::NotRun(_) | GitError::Failed(_) | GitError::NotInRevision { .. } => None,
        }
    }
}

/// git in a folder. What a hook or a driver has in its environment counts: it speaks of the repository at work.
fn command(folder: &Path) -> Command {
    let mut git = child::helper("git");
    git.current_dir(folder).stderr(Stdio::null());
    git
}

/// git, asked about a folder and nothing else. A hook has these variables set, for another work tree perhaps.
fn question(folder: &Path) -> Command {
    let mut git = child::helper("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git.current_dir(folder);
    git
}

/// Whether drivers and hook, which name envsec without a path, find one.
pub fn finds_envsec() -> bool {
    let mut envsec = child::helper("envsec");
    envsec.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    envsec.status().is_ok_and(|status| status.success())
}

/// What git complained about, without its `fatal: `.
fn first_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().next().unwrap_or("it gave no reason");
    one_line(line.trim_start_matches("fatal: ").trim_start_matches("error: "))
}

/// The bytes of a file as a revision has it.
///
/// # Errors
/// [`GitError::NoRevision`], [`GitError::NotInRevision`]; more than `limit` bytes.
pub fn in_revision(revision: &str, file: &Path, limit: usize) -> Result<Vec<u8>, GitError> {
    let folder = fs::folder_of(file);
    let commit = format!("{revision}^{{commit}}");
    let known = command(folder).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).output();
    if !known.map_err(not_run)?.status.success() {
        return Err(GitError::NoRevision(revision.to_owned()));
    }
    merge::blob(&format!("{revision}:"), file, limit)
}

/// What git prints, at most `limit` bytes, and its exit status, if it ended with one. The content of a repository is public to
/// whoever has it.
fn answer(git: &mut Command, limit: usize) -> Result<(Vec<u8>, Option<i32>), GitError> {
    let mut running = git.stdout(Stdio::piped()).spawn().map_err(not_run)?;
    let bytes = running.stdout.take().map(|out| fs::read_stream_public(out, "git", limit)).transpose();
    let status = running.wait().map_err(not_run)?;
    Ok((bytes?.unwrap_or_default(), status.code()))
}

fn not_run(error: impl std::fmt::Display) -> GitError {
    GitError::NotRun(error.to_string())
}
