//! What a sealed file and its repository are to be like: every check, with what to do.
//!
//! Nothing here asks for a credential, changes anything, or repeats a value or the text of a comment.

mod content;
mod repository;

use crate::error::{Error, Failure, Result, shown};
use crate::fs;
use crate::keyring;
use crate::project::{Project, Reach};
use crate::sealed::{Locked, Revision, Utc};
use std::path::{Path, PathBuf};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// As it should be, or it does not apply.
    Ok,
    /// To be mended.
    Warning,
    /// A secret is out, or something does not work.
    Error,
}

/// What one check found.
pub struct Check {
    /// Which check: for scripts.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What, for people; never a value.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Check {
    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Check { check, level: Level::Ok, message: message.into(), fix: None }
    }

    fn warning(check: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { check, level: Level::Warning, message: message.into(), fix: Some(fix.into()) }
    }

    fn error(check: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { check, level: Level::Error, message: message.into(), fix: Some(fix.into()) }
    }

    /// A failure that something else met.
    fn failed(check: &'static str, error: &Error) -> Self {
        Check { check, level: Level::Error, message: error.to_string(), fix: error.hint() }
    }

    /// What to do, where the failure does not say.
    fn or_fix(self, fix: &str) -> Self {
        Check { fix: self.fix.or_else(|| Some(fix.to_owned())), ..self }
    }

    /// A failure of a module of its own.
    fn failure(check: &'static str, level: Level, error: &dyn Failure) -> Self {
        Check { check, level, message: error.to_string(), fix: error.hint() }
    }
}

/// Everything that is checked, in the order of a page.
pub fn examine(project: &Project<'_>, now: Utc) -> Vec<Check> {
    let mut checks = Vec::new();
    let files = match files(project) {
        Ok(files) => files,
        Err(error) => {
            checks.push(Check::failed("file", &error));
            Vec::new()
        }
    };
    let mut revisions = project.revisions(Reach::Named);
    for (path, locked) in files {
        match locked {
            Err(error) => checks.push(Check::failed("file", &error)),
            Ok(locked) => {
                checks.extend(content::checks(project, &path, &locked, now));
                checks.push(match &mut revisions {
                    Ok(revisions) => opens(&path, revisions.open(&path, locked), project.names_credentials()),
                    Err(error) => Check::failed("opens", error),
                });
            }
        }
    }
    checks.extend(credential_files(project));
    checks.push(match keyring::check() {
        Ok(()) => Check::ok("keyring", "envsec unlock can keep a file open: the kernel's keyring is there"),
        Err(error) => Check::ok("keyring", format!("envsec unlock cannot be used: {error}")),
    });
    checks.extend(repository::checks(&paths(project)));
    checks
}

/// Where the sealed files are, or would be.
fn paths(project: &Project<'_>) -> Vec<PathBuf> {
    project.paths().unwrap_or_default()
}

type Read = (PathBuf, Result<Locked>);

fn files(project: &Project<'_>) -> Result<Vec<Read>> {
    let paths = project.paths()?.into_iter();
    Ok(paths.map(|path| (path.clone(), project.read_one(&path))).collect())
}

/// Whether it opens, by what is at hand.
fn opens(path: &Path, opened: Result<Revision>, is_named: Result<bool>) -> Check {
    let file = shown(path);
    match opened {
        Ok(Revision::Verified(_)) => Check::ok("opens", format!("{file} opens, and its seal holds")),
        Ok(Revision::Unverified(_)) if is_named.is_ok_and(|named| named) => {
            let message = format!("{file}: no slot opens with the password or key that the settings name");
            Check::error("opens", message, "check the password or key, and that it belongs to this file")
        }
        Ok(Revision::Unverified(_)) => {
            Check::ok("opens", format!("{file}: its seal is not checked: no credential at hand opens it"))
        }
        Err(error) => Check::failed("opens", &error),
    }
}

/// Files of credentials that the settings name.
fn credential_files(project: &Project<'_>) -> Vec<Check> {
    let files = project.credential_files().unwrap_or_default();
    let open = files.iter().filter(|file| fs::others_can_read(file));
    open.map(|file| {
        let file = shown(file);
        Check::warning(
            "permissions",
            format!("{file}: other users can read this credential"),
            format!("chmod 600 {file}"),
        )
    })
    .collect()
}

/// The folder of the first sealed file, or the current one.
pub fn folder(project: &Project<'_>) -> PathBuf {
    let file = paths(project).into_iter().next();
    file.and_then(|file| fs::resolve(fs::folder_of(&file)).ok()).unwrap_or_else(fs::current_folder)
}
