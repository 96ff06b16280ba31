//! What git is told once: to show sealed files by their names and to merge them entry by entry.
//!
//! `.gitattributes`, which is committed, says which files; the repository's configuration, which is each clone's own, says
//! how. Nothing that somebody has set otherwise is overwritten.

use super::ignore::{add_lines, git_file, holds};
use super::{GitError, first_line, not_run, question};
use std::path::{Path, PathBuf};

/// `text eol=lf`: the same bytes in every clone, whatever `core.autocrlf` says, so that no merge sees other line ends only.
const ATTRIBUTES: &str = "\n# sealed env files: git shows which values changed, and merges entry by entry (envsec)\n.env*.enc text eol=lf diff=envsec merge=envsec\n";

/// The attributes that count, and the files whose attributes are looked at.
const DRIVERS: [&str; 2] = ["diff", "merge"];
const SEALED: [&str; 2] = [".env.enc", ".env.production.enc"];

/// The configuration behind `diff=envsec` and `merge=envsec`. By name, not by path: what PATH finds is what is updated.
const CONFIGURATION: [(&str, &str); 3] = [
    ("diff.envsec.textconv", "envsec diff --textconv"),
    ("merge.envsec.name", "sealed env files, entry by entry"),
    ("merge.envsec.driver", "envsec merge %O %A %B %P"),
];

/// What git uses for sealed files in a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Attributes {
    /// envsec, for diff and merge.
    Right,
    /// Nothing of its own.
    Missing,
    /// Something else, which is left alone: `merge=ours`.
    Others(Vec<String>),
    /// git did not answer.
    Unknown,
}

/// What was done about `.gitattributes`, verified with `git check-attr`.
#[derive(Debug, PartialEq, Eq)]
pub enum AttributeLines {
    /// Nothing; this is how it was.
    Kept(Attributes),
    /// Lines were added to this file, and this is how it is now.
    Added(PathBuf, Attributes),
}

/// The configuration of the drivers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drivers {
    /// Keys that are not set, or were not before they were added.
    pub missing: Vec<&'static str>,
    /// Keys that somebody set otherwise.
    pub others: Vec<&'static str>,
}

/// What git uses for sealed files in this folder.
pub fn attributes(folder: &Path) -> Attributes {
    let mut git = question(folder);
    let output = git.args(["check-attr", "-z"]).args(DRIVERS).arg("--").args(SEALED).output();
    let Some(text) = output.ok().filter(|output| output.status.success()).map(|output| output.stdout) else {
        return Attributes::Unknown;
    };
    // PATH, ATTRIBUTE, VALUE, each ended by a NUL.
    let text = String::from_utf8_lossy(&text).into_owned();
    let fields: Vec<&str> = text.split('\0').collect();
    let answers = || fields.chunks_exact(3).filter(|answer| answer[2] != "envsec");
    let others = answers().filter(|answer| answer[2] != "unspecified");
    let others: Vec<String> = others.map(|answer| format!("{} {}={}", answer[0], answer[1], answer[2])).collect();
    match (answers().next(), others.is_empty()) {
        (None, _) => Attributes::Right,
        (Some(_), true) => Attributes::Missing,
        (Some(_), false) => Attributes::Others(others),
    }
}

/// Tells git to use the drivers for sealed files in `folder`: in the `.gitattributes` of that folder if there is one, else
/// in that of the repository's root.
///
/// # Errors
/// A `.gitattributes` that cannot be written.
pub fn add_attributes(root: &Path, folder: &Path) -> Result<AttributeLines, GitError> {
    let before = attributes(folder);
    let file = git_file(root, folder, ".gitattributes");
    if matches!(before, Attributes::Right | Attributes::Others(_)) || holds(&file, ATTRIBUTES) {
        return Ok(AttributeLines::Kept(before));
    }
    add_lines(&file, ATTRIBUTES)?;
    Ok(AttributeLines::Added(file, attributes(folder)))
}

/// Which of the drivers' keys are set.
///
/// # Errors
/// [`GitError::NotRun`].
pub fn drivers(folder: &Path) -> Result<Drivers, GitError> {
    let mut found = Drivers::default();
    for (key, value) in CONFIGURATION {
        let output = question(folder).args(["config", "--get", key]).output().map_err(not_run)?;
        match String::from_utf8_lossy(&output.stdout).trim_end_matches('\n') {
            "" => found.missing.push(key),
            set if set == value => {}
            _ => found.others.push(key),
        }
    }
    Ok(found)
}

/// Sets the keys that are not set, in the repository's own configuration. With the name alone a driver does nothing, so
/// that a failure in between is none.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Refused`].
pub fn add_drivers(folder: &Path) -> Result<Drivers, GitError> {
    let found = drivers(folder)?;
    for (key, value) in CONFIGURATION.iter().filter(|(key, _)| found.missing.contains(key)) {
        let output = question(folder).args(["config", "--local", key, value]).output().map_err(not_run)?;
        if !output.status.success() {
            return Err(GitError::Refused(first_line(&output.stderr)));
        }
    }
    Ok(found)
}

/// What a key of the drivers would be.
pub fn driver_value(key: &str) -> &'static str {
    CONFIGURATION.iter().find(|(known, _)| *known == key).map_or("", |(_, value)| value)
}
