//! Opening revisions of a sealed file that need not be the one in its place: of git, of a copy.

use super::credentials::{Credentials, Sources};
use super::{Project, at, session, settings, try_named_slot};
use crate::error::Result;
use crate::keyring;
use crate::sealed::{Limits, Locked, Opening, Revision, SealedError};
use crate::secret::Key;
use std::path::Path;

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
    known: Vec<Key>,
}

impl Project<'_> {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn revisions(&self, reach: Reach) -> Result<Revisions<'_>> {
        let credentials = Credentials::new(Sources::new(self.flags)?, self.outside);
        Ok(Revisions { credentials, limits: settings::limits(self.flags)?, reach, known: Vec::new() })
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
        match try_named_slot(name, locked, &self.limits, &mut self.credentials)? {
            Ok(opening) => Ok(Some(opening)),
            Err(SealedError::WrongCredential | SealedError::NoFittingSlot(_)) if self.reach == Reach::Named => Ok(None),
            Err(error) => Err(at(name)(error)),
        }
    }
}
