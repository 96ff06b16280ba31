//! A private folder for a plaintext that a person edits: in memory where there is such a place, wiped when it goes.

use super::{FsError, io_error, is_ours, read};
use crate::secret::Secret;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// How its name begins while somebody uses it; and when it was kept on purpose.
const IN_USE: &str = "envsec-edit-";
const KEPT: &str = "envsec-kept-";

const MAKE: &str = "make a private folder in it";

/// A folder that only its owner may enter, removed with all that is in it when dropped. It is locked while it is in use,
/// and the system lets go of the lock when the process dies: so the next one sees what a killed one left.
pub struct PrivateFolder {
    path: PathBuf,
    /// Whether it lies in memory, not on a disk.
    pub in_memory: bool,
    /// Held for its lock; `None` once the folder was kept.
    lock: Option<File>,
}

impl PrivateFolder {
    /// Makes one, and removes what killed processes of this user left.
    ///
    /// # Errors
    /// [`FsError::Io`].
    pub fn create() -> Result<Self, FsError> {
        let places = places();
        places.iter().for_each(|(place, _)| sweep(place));
        let mut refused = None;
        for (place, in_memory) in places {
            match create_in(&place, in_memory) {
                Ok(folder) => return Ok(folder),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or(FsError::NotFound(std::env::temp_dir())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a new file into it, readable by its owner only.
    ///
    /// # Errors
    /// [`FsError::Io`].
    pub fn write(&self, name: &str, bytes: &Secret) -> Result<PathBuf, FsError> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let written = options.open(&path).and_then(|mut file| file.write_all(bytes.expose()));
        written.map_err(io_error(&path, "write the text to be edited"))?;
        Ok(path)
    }

    /// Reads one of its files. A link is not followed: the text is looked for here and nowhere else.
    ///
    /// # Errors
    /// [`FsError::NotFound`] when the editor removed it, [`FsError::TooLarge`], [`FsError::Io`].
    pub fn read(&self, name: &str, limit: usize) -> Result<Secret, FsError> {
        let path = self.path.join(name);
        if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
            let source = io::Error::new(ErrorKind::InvalidInput, "not a regular file any more");
            return Err(io_error(&path, "read the edited text")(source));
        }
        read(&path, limit)
    }

    /// Leaves it where it is, under a name that nobody sweeps; returns that.
    ///
    /// # Errors
    /// [`FsError::Io`]; it is wiped then.
    pub fn keep(mut self) -> Result<PathBuf, FsError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().replace(IN_USE, KEPT);
        let kept = self.path.with_file_name(name);
        fs::rename(&self.path, &kept).map_err(io_error(&kept, "keep the edited text"))?;
        self.lock = None;
        Ok(kept)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if self.lock.is_some() {
            wipe(&self.path);
        }
    }
}

/// Where it may lie, best first, and whether that is in memory.
pub(super) fn places() -> Vec<(PathBuf, bool)> {
    let of_session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| is_private(path));
    let in_memory = of_session.into_iter().chain([PathBuf::from("/dev/shm")]).filter(|path| is_in_memory(path));
    let temporary = std::env::temp_dir();
    let on_disk = (temporary.clone(), is_in_memory(&temporary));
    in_memory.map(|path| (path, true)).chain([on_disk]).collect()
}

fn create_in(place: &Path, in_memory: bool) -> Result<PrivateFolder, FsError> {
    let failed = |error: io::Error| io_error(place, MAKE)(error.kind().into());
    let mut builder = tempfile::Builder::new();
    builder.prefix(IN_USE).rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    // Somebody who sweeps may take one that is not locked yet for a dead one.
    const ATTEMPTS: usize = 16;
    for _ in 0..ATTEMPTS {
        let path = builder.tempdir_in(place).map_err(failed)?.keep();
        let lock = File::open(&path).ok().filter(|folder| !is_locked(folder));
        match lock.filter(|_| path.is_dir()) {
            Some(lock) => return Ok(PrivateFolder { path, in_memory, lock: Some(lock) }),
            None => drop(fs::remove_dir(&path)),
        }
    }
    Err(io_error(place, MAKE)(ErrorKind::ResourceBusy.into()))
}

/// Whether another process holds it. Where the file system has no locks, nobody sweeps either.
fn is_locked(folder: &File) -> bool {
    matches!(folder.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// Wipes and removes what this user's processes left that were killed.
fn sweep(place: &Path) {
    let Ok(entries) = place.read_dir() else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(IN_USE)) {
        let path = entry.path();
        let ours = path.symlink_metadata().is_ok_and(|meta| meta.is_dir() && is_ours(&meta));
        // Locked until it is gone, so that nobody who has just made it takes it for theirs.
        let dead = File::open(&path).ok().filter(|folder| ours && folder.try_lock().is_ok());
        if dead.is_some() {
            wipe(&path);
        }
    }
}

/// Overwrites every file in a folder, and removes it. What cannot be is left: nobody could do more about it.
fn wipe(folder: &Path) {
    overwrite_all(folder);
    // Once more: what the system refused for want of a descriptor, say, it may do the next time.
    let _ = fs::remove_dir_all(folder).or_else(|_| fs::remove_dir_all(folder));
}

fn overwrite_all(folder: &Path) {
    let Ok(entries) = folder.read_dir() else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => overwrite_all(&path),
            Ok(meta) if meta.is_file() => drop(overwrite(&path, meta.len())),
            _ => {} // a link leads to what is not ours
        }
    }
}

/// Zeros in place of what a file holds: where the disk writes over the same blocks, the text is gone.
fn overwrite(path: &Path, length: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()
}

/// Whether nobody else may enter a folder of ours.
fn is_private(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = |meta: &fs::Metadata| meta.is_dir() && is_ours(meta) && meta.permissions().mode() & 0o077 == 0;
        folder.is_absolute() && folder.metadata().is_ok_and(|meta| private(&meta))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

/// Whether a folder lies in memory: statfs(2).
#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::statfs(folder).is_ok_and(|stat| matches!(stat.f_type as u64 & 0xffff_ffff, TMPFS | RAMFS))
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}
