//! Changing files: a new file beside the old one, synced and renamed over it.
//!
//! The new file has mode 0600 and is made with O_EXCL; after a crash at any point the old or the new file is there, whole.

use super::{BESIDE, FsError, folder_of, io_error, lock_folder_of, may_be_there, resolve};
use crate::secret::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How to change a file that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replace {
    /// By a rename, which a crash cannot interrupt.
    Atomically,
    /// By writing over it, where a rename cannot work.
    InPlace,
}

/// The new content of a file, ready to take its place.
pub struct Replacement {
    path: PathBuf,
    new: New,
}

enum New {
    /// On the disk beside the old one.
    File(NamedTempFile),
    /// To be written over it.
    Bytes(Vec<u8>),
}

/// Writes what is to replace the content of an existing file (no symbolic link: see [`resolve`](super::resolve)) beside
/// it; its mode and, where permitted, its owner stay.
///
/// # Errors
/// [`FsError::CannotRename`], [`FsError::Io`]; the file is as it was, and nothing is left beside it.
pub fn prepare_replacement(path: &Path, bytes: Vec<u8>, how: Replace) -> Result<Replacement, FsError> {
    let path_buf = path.to_path_buf();
    if how == Replace::InPlace {
        open_to_overwrite(path)?;
        return Ok(Replacement { path: path_buf, new: New::Bytes(bytes) });
    }
    // Told now: of several files, none is to be replaced if one cannot be.
    if is_mount_point(path) {
        return Err(FsError::CannotRename { path: path_buf, source: io::ErrorKind::ResourceBusy.into() });
    }
    sweep(path);
    let old = path.metadata().map_err(io_error(path, "read its mode"))?;
    let new = write_beside(path, &bytes, REPLACEMENT, Readers::Owner)?;
    take_over(&new, &old).map_err(io_error(path, "keep its mode"))?;
    new.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    Ok(Replacement { path: path_buf, new: New::File(new) })
}

impl Replacement {
    /// Puts it in place. A power cut may still bring the old one back, until [`FolderLock::sync`](super::FolderLock::sync).
    ///
    /// # Errors
    /// [`FsError::CannotRename`], [`FsError::Io`]; the file is as it was, but for [`Replace::InPlace`].
    pub fn commit(self) -> Result<(), FsError> {
        let Replacement { path, new } = self;
        match new {
            New::Bytes(bytes) => overwrite(&path, &bytes),
            New::File(new) => new.persist(&path).map(drop).map_err(|failed| match failed.error.kind() {
                ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => {
                    FsError::CannotRename { path: path.clone(), source: failed.error }
                }
                _ => io_error(&path, "replace it")(failed.error),
            }),
        }
    }
}

/// Whether something is mounted on the path itself, over which the system renames nothing. Not known is no.
#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::TYPE)
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &Path) -> bool {
    false
}

/// Puts a file with these bytes and mode 0600 at a path, whether there is a regular file or nothing, in one step. A
/// symbolic link is followed; what is neither, a pipe or a device, is refused.
///
/// # Errors
/// [`FsError::NotFound`] for a folder or the end of a link that is not there, [`FsError::Locked`], [`FsError::Io`]; what
/// was there stays, and nothing is left beside it. [`FsError::NotDurable`] once it is in place.
pub fn replace_privately(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let target = if may_be_there(path) { resolve(path)? } else { path.to_owned() };
    if target.metadata().is_ok_and(|meta| !meta.is_file()) {
        let source = io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(io_error(path, "write it")(source));
    }
    let lock = lock_folder_of(&target)?;
    sweep(&target);
    let new = write_beside(&target, bytes, REPLACEMENT, Readers::Owner)?;
    new.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    new.persist(&target).map_err(|failed| io_error(path, "replace it")(failed.error))?;
    lock.sync()
}

/// A new file, written and synced, that has not got its name yet; dropped, it leaves nothing behind. It is locked until
/// then, so that nobody takes it for what a killed process left.
pub struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
}

/// Who may read a new file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Its owner: mode 0600.
    Owner,
    /// Whoever the umask lets: nothing in it is secret.
    ByUmask,
    /// As [`Readers::ByUmask`], and they may execute it.
    ProgramByUmask,
}

/// Writes what is to become a new file beside its place.
///
/// # Errors
/// [`FsError::Locked`], [`FsError::Io`]; nothing is left behind.
pub fn prepare(path: &Path, bytes: &[u8], readers: Readers) -> Result<NewFile, FsError> {
    let lock = lock_folder_of(path)?;
    sweep(path);
    let file = write_beside(path, bytes, NEW, readers)?;
    file.as_file().lock().map_err(io_error(path, "lock the new file"))?;
    drop(lock);
    file.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    Ok(NewFile { path: path.into(), file })
}

impl NewFile {
    /// Gives it its name.
    ///
    /// # Errors
    /// [`FsError::Exists`] when there is something of that name by now, [`FsError::Io`]; [`FsError::NotDurable`] once it
    /// has it.
    pub fn commit(self) -> Result<(), FsError> {
        let NewFile { path, file } = self;
        file.persist_noclobber(&path).map_err(|failed| match failed.error.kind() {
            ErrorKind::AlreadyExists => FsError::Exists(path.clone()),
            _ => io_error(&path, "create it")(failed.error),
        })?;
        let folder = folder_of(&path);
        let synced = File::open(folder).and_then(|handle| sync_folder(&handle));
        synced.map_err(|source| FsError::NotDurable { folder: folder.into(), source })
    }
}

/// A private folder for files that a program has to be given by name; removed when dropped. Not for secrets: it may be on
/// a disk.
pub struct Scratch(tempfile::TempDir);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Once more by its own drop, if the system refuses it for the moment.
        let _ = std::fs::remove_dir_all(self.0.path());
    }
}

impl Scratch {
    /// A new one, among the system's temporary files.
    ///
    /// # Errors
    /// [`FsError::Io`].
    pub fn new() -> Result<Self, FsError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("envsec-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let folder = std::env::temp_dir();
        Ok(Scratch(builder.tempdir_in(&folder).map_err(|error| io_error(&folder, BESIDE)(error.kind().into()))?))
    }

    /// Writes a file into it.
    ///
    /// # Errors
    /// [`FsError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, FsError> {
        let path = self.0.path().join(name);
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
        written.map_err(io_error(&path, "write a temporary file"))?;
        Ok(path)
    }
}

/// Removes what a writer left that was killed. The caller holds the folder's lock, so nobody is writing such a file now.
fn sweep(path: &Path) {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let is_left = |name: &str, suffix| {
        let Some((of, random)) = name.strip_suffix(suffix).and_then(|name| name.rsplit_once('.')) else { return false };
        let is_random = random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_random && (of == file || of.starts_with(OF_GIT) && file.starts_with(OF_GIT))
    };
    let Ok(entries) = folder_of(path).read_dir() else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else { continue };
        // A new file gets its name without the folder's lock, but it has one of its own.
        let is_dead = || File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if is_left(name, REPLACEMENT) || is_left(name, NEW) && is_dead() {
            // If it stays, the next writer tries again.
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// How the name of a file ends that is to replace another one, and of one that is to be new.
const REPLACEMENT: &str = ".tmp";
const NEW: &str = ".new";

/// How the names begin of the files that git has merged. They are other ones each time, so each sweeps for all.
const OF_GIT: &str = ".merge_file_";

/// A new file in the folder of `path`, made with O_EXCL, with the bytes in it; removed again when dropped.
fn write_beside(path: &Path, bytes: &[u8], suffix: &str, readers: Readers) -> Result<NamedTempFile, FsError> {
    let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(suffix);
    #[cfg(unix)]
    if readers != Readers::Owner {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if readers == Readers::ByUmask { 0o666 } else { 0o777 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let made = builder.tempfile_in(folder);
    // tempfile's own message names a file that the user never heard of.
    let mut new = made.map_err(|error| io_error(folder, BESIDE)(error.kind().into()))?;
    new.write_all(bytes).map_err(io_error(path, "write the new file"))?;
    Ok(new)
}

#[cfg(unix)]
fn take_over(new: &NamedTempFile, old: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let fresh = new.as_file().metadata()?;
    if (fresh.uid(), fresh.gid()) != (old.uid(), old.gid()) {
        // Only root may give files away. For everybody else the file becomes the writer's, as with any editor, but it
        // stays with its group if the writer is a member.
        use std::os::unix::fs::fchown;
        let _ = fchown(new.as_file(), Some(old.uid()), Some(old.gid()))
            .or_else(|_| fchown(new.as_file(), None, Some(old.gid())));
    }
    new.as_file().set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn take_over(_: &NamedTempFile, _: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Writes over a file. The space is had before the first byte is changed, and what was there is put back if writing fails.
fn overwrite(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let failed = |source| io_error(path, "write it in place")(source);
    let mut file = open_to_overwrite(path)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old).map_err(failed)?;
    let written = reserve(&file, bytes.len()).and_then(|()| write_all_of(&mut file, bytes));
    written.map_err(|source| match write_all_of(&mut file, &old) {
        Ok(()) => failed(source),
        Err(_) => FsError::Damaged { path: path.into(), source },
    })
}

fn open_to_overwrite(path: &Path) -> Result<File, FsError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(io_error(path, "open it for writing"))
}

fn write_all_of(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, bytes as u64) {
        // Where the file system cannot, writing shows whether there is room.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        done => Ok(done?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: usize) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &File) -> io::Result<()> {
    Ok(()) // a folder cannot be opened for that
}

/// Appends to a regular file, which is made if it is not there. A link is not followed: in somebody else's repository it
/// could lead anywhere.
///
/// # Errors
/// [`FsError::Io`].
pub fn append(path: &Path, text: &str) -> Result<(), FsError> {
    if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
        let source = io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(io_error(path, "add lines to it")(source));
    }
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(io_error(path, "add lines to it"))
}

/// Appends to a file that is there, on a line of its own: after a last line without an end, one is added.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::Io`].
pub fn append_to_existing(path: &Path, bytes: &Secret) -> Result<(), FsError> {
    let failed = |source| io_error(path, "add lines to it")(source);
    let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
    let mut last = [b'\n'];
    if file.metadata().map_err(failed)?.len() > 0 {
        file.seek(io::SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(failed)?;
    }
    let mut whole = Secret::with_capacity(bytes.len() + 1);
    whole.extend(if last == *b"\n" { b"" } else { b"\n" });
    whole.extend(bytes.expose());
    file.write_all(whole.expose()).map_err(failed)
}
