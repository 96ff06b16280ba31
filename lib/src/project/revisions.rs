//! Revisions of one file that are not, or not only, on the disk: those that meet in a merge, or that git has.

use super::credentials::Credentials;
use super::settings::{self, label_of_name};
use super::{Project, ProjectError, Sources, at, check_label, check_pin, open_slot, read_file};
use crate::crypto;
use crate::error::{Error, Result};
use crate::fs;
use crate::sealed::{Label, Locked, MergeError, SealedError, Unlocked};
use std::path::{Path, PathBuf};

/// A revision of a file.
pub struct Revision {
    /// What messages call it: `ours`, `HEAD`.
    pub name: String,
    /// Its text.
    pub bytes: Vec<u8>,
    /// Whether the pin speaks of it: not of one that is only compared with.
    pub is_pinned: bool,
}

/// The text of a file at a path, to be replaced if it is still the same.
pub struct Found {
    /// Where it lies, as the settings named it.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Project<'_> {
    /// Opens revisions of the file at `path`, in this order. One with a data key that is known by then costs no credential
    /// and no scrypt. The label has to be `asked`, and the one that the path's name asks for.
    ///
    /// # Errors
    /// Settings that make no sense; of each revision as [`Project::open`]. Messages name the path and the revision.
    pub fn open_revisions(
        &self,
        path: &Path,
        asked: Option<Label>,
        revisions: &[&Revision],
    ) -> Result<Vec<Result<Unlocked>>> {
        let mut credentials = Credentials::new(Sources::new(self.flags)?, self.outside);
        let mut opened: Vec<Result<Unlocked>> = Vec::new();
        for revision in revisions {
            let next = self.open_revision(path, asked.clone(), revision, &opened, &mut credentials);
            opened.push(next);
        }
        Ok(opened)
    }

    fn open_revision(
        &self,
        path: &Path,
        asked: Option<Label>,
        revision: &Revision,
        opened: &[Result<Unlocked>],
        credentials: &mut Credentials<'_>,
    ) -> Result<Unlocked> {
        let shown = PathBuf::from(format!("{} ({})", path.display(), revision.name));
        let locked = Locked::parse(&revision.bytes).map_err(at(&shown))?;
        check_label(&shown, [asked, label_of_name(path)?], &locked)?;
        if let Some(pins) = settings::pins()?.filter(|_| revision.is_pinned) {
            check_pin(&shown, &locked, &pins)?;
        }
        let known = opened.iter().flatten().find_map(|other| locked.open_with(other.data_key().duplicate()));
        let opening = match known {
            Some(opening) => opening,
            None => open_slot(path, &locked, &settings::limits(self.flags)?, credentials)?,
        };
        locked.verify(opening).map_err(at(&shown))
    }

    /// The text of the one file that a verb changes, whatever it is.
    ///
    /// # Errors
    /// Not there, not readable; [`ProjectError::SeveralFiles`].
    pub fn find(&self) -> Result<Found> {
        let mut paths = self.paths()?;
        match (paths.pop(), paths.is_empty()) {
            (Some(path), true) => self.find_at(path),
            _ => Err(ProjectError::SeveralFiles.into()),
        }
    }

    /// The text of the file at a path.
    ///
    /// # Errors
    /// Not there, not readable.
    pub fn find_at(&self, path: PathBuf) -> Result<Found> {
        let bytes = read_file(&path, &fs::resolve(&path)?)?;
        Ok(Found { path, bytes })
    }

    /// Puts other bytes in the place of a text that was found, unless it is another one by now.
    ///
    /// # Errors
    /// [`SealedError::ChangedMeanwhile`]; a file that cannot be written. It is as it was then.
    pub fn replace(&self, found: &Found, bytes: Vec<u8>) -> Result<()> {
        let target = fs::resolve(&found.path)?;
        let _lock = fs::lock_folder_of(&target)?;
        let now = read_file(&found.path, &target)?;
        if !crypto::equal(&crypto::sha256(&[&now]), &crypto::sha256(&[&found.bytes])) {
            return Err(at(&found.path)(SealedError::ChangedMeanwhile));
        }
        Ok(fs::prepare_replacement(&target, bytes, self.how())?.commit()?)
    }
}

/// Puts the path before the error of revisions that cannot be merged.
pub fn unmerged(path: &Path) -> impl Fn(MergeError) -> Error {
    move |source| ProjectError::Unmerged { path: path.into(), source }.into()
}
