//! Changing sealed files: under the lock of their folders, on what is in them by then, all of them or none.

use super::{Opened, Project, ProjectError, at, read_file};
use crate::crypto;
use crate::error::Result;
use crate::fs::{self, FolderLock, Replace, Replacement};
use crate::sealed::{Credential, Match, SealedError, Unlocked};
use crate::secret::Key;
use std::path::{Path, PathBuf};

/// Opened files, and which of the given credentials opens which of their slots.
pub struct WithSlots {
    /// Each file with the matches of its slots.
    pub files: Vec<(Opened, Vec<Match>)>,
    /// All credentials that were given.
    pub credentials: Vec<Credential>,
    /// Where each of them comes from.
    pub sources: Vec<String>,
}

/// A file that is changed in several steps: its data key, so that no step asks for a credential or calls scrypt again.
pub struct Held {
    path: PathBuf,
    data_key: Key,
    rev: u64,
}

impl Opened {
    /// Keeps what opens this file again.
    pub fn hold(&self) -> Held {
        Held {
            path: self.path.clone(),
            data_key: self.unlocked.data_key().duplicate(),
            rev: self.unlocked.locked().rev(),
        }
    }
}

impl Project<'_> {
    /// Opens a file again, as it is by now.
    ///
    /// # Errors
    /// As [`Project::open`]; [`SealedError::Rekeyed`], [`SealedError::RolledBack`].
    pub fn reopen(&self, held: &Held) -> Result<Opened> {
        let path = held.path.clone();
        let (locked, digest) = self.read(&path)?;
        if locked.rev() < held.rev {
            return Err(at(&path)(SealedError::RolledBack));
        }
        let opening = locked.open_with(held.data_key.duplicate()).ok_or(SealedError::Rekeyed).map_err(at(&path))?;
        let unlocked = locked.verify(opening).map_err(at(&path))?;
        Ok(Opened { path, digest, unlocked })
    }

    /// Opens files for a change of their slots: every credential is tried on every slot that it could open.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn open_with_slots(&self, paths: Vec<PathBuf>) -> Result<WithSlots> {
        let (credentials, sources) = self.credentials()?.all(paths.first().map_or(Path::new(""), PathBuf::as_path))?;
        let limits = super::settings::limits(self.flags)?;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let (locked, digest) = self.read(&path)?;
            let (opening, matches) = locked.open_slots(&credentials, &limits).map_err(at(&path))?;
            let unlocked = locked.verify(opening).map_err(at(&path))?;
            files.push((Opened { path, digest, unlocked }, matches));
        }
        Ok(WithSlots { files, credentials, sources })
    }

    /// Applies a change to an opened file and saves it: under the folder's lock, on what is in the file by then, and only
    /// if the change changed anything.
    ///
    /// # Errors
    /// What the change refuses; a file that is somebody else's by now, or cannot be written. The file is as it was then.
    pub fn change<T>(&self, opened: Opened, edit: impl FnOnce(&mut Unlocked) -> Result<T>) -> Result<T> {
        let (mut edit, mut done) = (Some(edit), None);
        self.change_all(
            vec![opened],
            |_, file| {
                if let Some(edit) = edit.take() {
                    done = Some(edit(file)?);
                }
                Ok(())
            },
            || Ok(()),
        )?;
        // One file, one edit.
        done.ok_or_else(|| ProjectError::SeveralFiles.into())
    }

    /// Applies a change to every one of several files. All new files are on the disk before the first one is replaced;
    /// `before` is the last that can stop it: what has to be out before the files need it.
    ///
    /// # Errors
    /// As [`Project::change`], and then no file is changed. Only if the system fails in the midst of replacing are some
    /// files new and some old, each of them whole ([`ProjectError::Halfway`]); [`FsError::NotDurable`](fs::FsError) once all
    /// are in place.
    pub fn change_all(
        &self,
        opened: Vec<Opened>,
        mut edit: impl FnMut(usize, &mut Unlocked) -> Result<()>,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let targets =
            opened.iter().map(|opened| fs::resolve(&opened.path)).collect::<std::result::Result<Vec<_>, _>>()?;
        if let Some(twice) =
            targets.iter().enumerate().find_map(|(at, path)| targets[..at].contains(path).then_some(path))
        {
            return Err(ProjectError::Twice(twice.clone()).into());
        }
        let locks = lock_folders(&targets)?;
        let mut replacements = Vec::new();
        for (number, (opened, target)) in opened.into_iter().zip(&targets).enumerate() {
            let path = opened.path.clone();
            let mut unlocked = self.reread(opened, target)?;
            edit(number, &mut unlocked)?;
            if unlocked.is_changed() {
                let bytes = unlocked.seal().map_err(at(&path))?;
                replacements.push((path, fs::prepare_replacement(target, bytes, self.how())?));
            }
        }
        before()?;
        if replacements.is_empty() {
            return Ok(());
        }
        let committed = commit(replacements);
        // What was replaced before a failure shall last as well.
        let synced = locks.iter().try_for_each(FolderLock::sync);
        committed?;
        Ok(synced?)
    }

    pub(super) fn how(&self) -> Replace {
        if self.flags.in_place { Replace::InPlace } else { Replace::Atomically }
    }

    /// What is in the file now that its folder is locked.
    fn reread(&self, opened: Opened, target: &Path) -> Result<Unlocked> {
        let Opened { path, digest, unlocked } = opened;
        let bytes = read_file(&path, target)?;
        if crypto::sha256(&[&bytes]) == digest {
            self.check(&path, target, unlocked.locked())?; // a link may lead elsewhere by now
            return Ok(unlocked);
        }
        unlocked.reopen(self.parse(&bytes, &path, target)?).map_err(at(&path))
    }
}

/// Puts new files in the place of the old ones, one after the other.
fn commit(replacements: Vec<(PathBuf, Replacement)>) -> Result<()> {
    let mut done = Vec::new();
    for (path, replacement) in replacements {
        match replacement.commit() {
            Ok(()) => done.push(path),
            Err(source) if done.is_empty() => return Err(source.into()),
            Err(source) => return Err(ProjectError::Halfway { done, source }.into()),
        }
    }
    Ok(())
}

/// Locks every folder of these files once, in an order that all writers share.
fn lock_folders(targets: &[PathBuf]) -> Result<Vec<FolderLock>> {
    let mut folders: Vec<(&Path, &PathBuf)> = targets.iter().map(|target| (fs::folder_of(target), target)).collect();
    folders.sort();
    folders.dedup_by_key(|(folder, _)| *folder);
    Ok(folders.into_iter().map(|(_, target)| fs::lock_folder_of(target)).collect::<std::result::Result<_, _>>()?)
}
