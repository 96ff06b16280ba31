//! Revisions of a sealed file that need not be the one in its place: of git, of a copy, of a merge.

use super::credentials::Credentials;
use super::settings::{self, label_of_name};
use super::{Project, ProjectError, at, check_label, check_pin, read_file, session, try_named_slot};
use crate::crypto;
use crate::error::{Error, Result};
use crate::fs;
use crate::keyring;
use crate::sealed::{Label, Limits, Locked, MergeError, Opening, Revision, SealedError, Unlocked};
use crate::secret::Key;
use std::path::{Path, PathBuf};

/// How far to go to open a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// As if it were the file: a terminal may be asked, and what does not open is a failure.
    Ask,
    /// By what is named or unlocked; nobody is asked, and what does not open stays unverified.
    Named,
    /// As often as git likes: by a raw key that is named or by an unlocked session. No scrypt, no command.
    Cheap,
}

/// Opens several revisions, each data key once.
pub struct Revisions<'p> {
    credentials: Credentials<'p>,
    limits: Limits,
    reach: Reach,
    /// The file whose revisions they are, as a prompt calls it; else each by its own name.
    file: Option<PathBuf>,
    known: Vec<Key>,
}

/// A revision that is not opened yet.
pub struct RevisionText {
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
    /// Nothing is read yet.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn revisions(&self, reach: Reach) -> Result<Revisions<'_>> {
        let credentials = self.credentials()?;
        Ok(Revisions { credentials, limits: settings::limits(self.flags)?, reach, file: None, known: Vec::new() })
    }

    /// Opens revisions of the file at `path`, in this order. One with a data key that is known by then costs no credential
    /// and no scrypt. The label has to be `asked`, and the one that the path's name asks for.
    ///
    /// # Errors
    /// Settings that make no sense; of each revision as [`Project::open`]. Messages name the path and the revision.
    pub fn open_revisions(
        &self,
        path: &Path,
        asked: Option<Label>,
        revisions: &[&RevisionText],
    ) -> Result<Vec<Result<Unlocked>>> {
        let mut opening = Revisions { file: Some(path.into()), ..self.revisions(Reach::Ask)? };
        Ok(revisions.iter().map(|revision| open_revision(path, asked.clone(), revision, &mut opening)).collect())
    }

    /// The text of the one file that a verb changes, whatever it is.
    ///
    /// # Errors
    /// Not there, not readable; [`ProjectError::SeveralFiles`].
    pub fn find(&self) -> Result<Found> {
        self.find_at(self.one_path()?)
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
        let lock = fs::lock_folder_of(&target)?;
        let now = read_file(&found.path, &target)?;
        if !crypto::equal(&crypto::sha256(&[&now]), &crypto::sha256(&[&found.bytes])) {
            return Err(at(&found.path)(SealedError::ChangedMeanwhile));
        }
        fs::prepare_replacement(&target, bytes, self.how())?.commit()?;
        Ok(lock.sync()?)
    }
}

impl Revisions<'_> {
    /// Opens a revision and verifies its seal; `name` is what messages call it.
    ///
    /// # Errors
    /// A credential that cannot be read; a seal that does not match; with [`Reach::Ask`] what does not open.
    pub fn open(&mut self, name: &Path, locked: Locked) -> Result<Revision> {
        let known = self.known.iter().find_map(|key| locked.open_with(key.duplicate()));
        let opening = match known {
            Some(opening) => Some(opening),
            None => self.opening(name, &locked)?,
        };
        let Some(opening) = opening else { return Ok(Revision::Unverified(Box::new(locked))) };
        let unlocked = locked.verify(opening).map_err(at(name))?;
        self.known.push(unlocked.data_key().duplicate());
        Ok(Revision::Verified(Box::new(unlocked)))
    }

    /// [`Revisions::open`], where only a verified one will do.
    ///
    /// # Errors
    /// As there; [`SealedError::WrongCredential`] for one that would stay unverified.
    fn open_verified(&mut self, name: &Path, locked: Locked) -> Result<Unlocked> {
        match self.open(name, locked)? {
            Revision::Verified(unlocked) => Ok(*unlocked),
            Revision::Unverified(_) => Err(at(name)(SealedError::WrongCredential)),
        }
    }

    fn opening(&mut self, name: &Path, locked: &Locked) -> Result<Option<Opening>> {
        let by_session = || keyring::find(session(locked)).and_then(|kept| locked.open_with(kept.key));
        if self.reach == Reach::Cheap {
            let by_key = locked.open_slot(self.credentials.raw_keys()?, &self.limits).ok();
            return Ok(by_key.or_else(by_session));
        }
        if self.credentials.may_use_session()
            && let Some(opening) = by_session()
        {
            return Ok(Some(opening));
        }
        if self.reach == Reach::Named && !self.credentials.are_named() {
            return Ok(None);
        }
        let asked = self.file.as_deref().unwrap_or(name);
        match try_named_slot(asked, locked, &self.limits, &mut self.credentials)? {
            Ok(opening) => Ok(Some(opening)),
            Err(SealedError::WrongCredential | SealedError::NoFittingSlot(_)) if self.reach == Reach::Named => Ok(None),
            Err(error) => Err(at(asked)(error)),
        }
    }
}

fn open_revision(
    path: &Path,
    asked: Option<Label>,
    revision: &RevisionText,
    opening: &mut Revisions<'_>,
) -> Result<Unlocked> {
    let shown = PathBuf::from(format!("{} ({})", path.display(), revision.name));
    let locked = Locked::parse(&revision.bytes).map_err(at(&shown))?;
    check_label(&shown, [asked, label_of_name(path)?], &locked)?;
    if let Some(pins) = settings::pins()?.filter(|_| revision.is_pinned) {
        check_pin(&shown, &locked, &pins)?;
    }
    opening.open_verified(&shown, locked)
}

/// Puts the path before the error of revisions that cannot be merged.
pub fn unmerged(path: &Path) -> impl Fn(MergeError) -> Error {
    move |source| ProjectError::Unmerged { path: path.into(), source }.into()
}
