//! git: what is in its revisions, and what it is told of sealed files. Always the program itself, never its files.

mod ignore;
mod merge;

pub use ignore::{IgnoreRules, ignore_plaintext};
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
            GitError::NotRun(_) => Status::Other,
            GitError::NoRevision(_) | GitError::NotInRevision { .. } => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, GitError::File(_)).then(|| "--no-git leaves git's files alone".into())
    }
}

/// git in a folder. What a hook or a driver has in its environment counts: it speaks of the repository at work.
pub fn command(folder: &Path) -> Command {
    let mut git = child::helper("git");
    git.current_dir(folder).stderr(Stdio::null());
    git
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

fn not_run(error: impl std::fmt::Display) -> GitError {
    GitError::NotRun(error.to_string())
}
