//! Files: bounded reads, a lock on a folder, and replacing a file atomically and privately. Knows no format.
//!
//! A write goes to a new file in the same folder (mode 0600, O_EXCL), is fsynced, renamed over the old file, and the
//! folder is fsynced: after a crash at any point the old or the new file is there, whole.

use crate::error::{Failure, Status};
use crate::secret::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long to wait for another process that writes in the same folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A file operation that failed: the path, the purpose and the system's reason.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// There is nothing at the path.
    #[error("{}: no such file", .0.display())]
    NotFound(PathBuf),
    /// There is something at the path where nothing may be.
    #[error("{}: already there", .0.display())]
    Exists(PathBuf),
    /// More bytes than the reader takes.
    #[error("{}: larger than {limit} bytes", .path.display())]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The bound of this read, in bytes.
        limit: usize,
    },
    /// Another process kept the folder locked.
    #[error("{}: another process is writing in this folder and does not finish", .0.display())]
    Locked(PathBuf),
    /// The file cannot be replaced by a rename, a bind-mounted single file for instance.
    #[error("{}: the file cannot be replaced atomically: {source}", .path.display())]
    CannotRename {
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Anything else that the system refused.
    #[error("{}: cannot {purpose}: {source}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was tried.
        purpose: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl Failure for FsError {
    fn status(&self) -> Status {
        match self {
            FsError::NotFound(_) => Status::Usage,
            FsError::Locked(_) => Status::Conflict,
            _ => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            FsError::CannotRename { .. } => {
                "--in-place rewrites the file itself; a crash during that write can damage it, so keep a copy"
            }
            FsError::Locked(_) => "find it with: fuser FOLDER",
            FsError::Exists(_) => "envsec set changes it; -f FILE names another",
            FsError::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "nothing was changed; make room and run it again",
                ErrorKind::ReadOnlyFilesystem => "nothing was changed; the file system is mounted read-only",
                ErrorKind::PermissionDenied => "check the owner and mode of the file and of its folder: ls -ld",
                _ => return None,
            },
            _ => return None,
        };
        Some(hint.into())
    }
}

fn io_error(path: &Path, purpose: &'static str) -> impl FnOnce(io::Error) -> FsError {
    move |source| match source.kind() {
        ErrorKind::NotFound => FsError::NotFound(path.into()),
        _ => FsError::Io { path: path.into(), purpose, source },
    }
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::TooLarge`], [`FsError::Io`].
pub fn read(path: &Path, limit: usize) -> Result<Secret, FsError> {
    let file = File::open(path).map_err(io_error(path, "read it"))?;
    let size = file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(usize::MAX));
    read_all(file, path, limit, size)
}

/// Reads a file whose content is no secret.
///
/// # Errors
/// As [`read`].
pub fn read_public(path: &Path, limit: usize) -> Result<Vec<u8>, FsError> {
    read(path, limit).map(|bytes| bytes.expose().to_vec())
}

/// Reads standard input to its end, at most `limit` bytes.
///
/// # Errors
/// As [`read_stream`].
pub fn read_stdin(limit: usize) -> Result<Secret, FsError> {
    read_stream(io::stdin(), "standard input", limit)
}

/// The current folder; empty when it is gone.
pub fn current_folder() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// Reads a stream to its end, at most `limit` bytes; `name` is what messages call it.
///
/// # Errors
/// [`FsError::TooLarge`], [`FsError::Io`].
pub fn read_stream(stream: impl Read, name: &str, limit: usize) -> Result<Secret, FsError> {
    read_all(stream, Path::new(name), limit, 0)
}

fn read_all(mut from: impl Read, path: &Path, limit: usize, expected: usize) -> Result<Secret, FsError> {
    let mut bytes = Secret::with_capacity(expected.min(limit) + 1);
    let mut chunk = zeroize::Zeroizing::new([0; 16 * 1024]);
    loop {
        match from.read(chunk.as_mut()) {
            Ok(0) => return Ok(bytes),
            Ok(count) if bytes.len() + count > limit => return Err(FsError::TooLarge { path: path.into(), limit }),
            Ok(count) => bytes.extend(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error(path, "read it")(error)),
        }
    }
}

/// Whether there is something at a path, a dangling link too, or it cannot be told because a folder may not be searched.
pub fn may_be_there(path: &Path) -> bool {
    !matches!(path.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// Where a path really leads: symbolic links followed, so that a replace changes the file and not the link.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::Io`].
pub fn resolve(path: &Path) -> Result<PathBuf, FsError> {
    path.canonicalize().map_err(io_error(path, "find it"))
}

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// An exclusive lock on a folder, released when dropped. It is on the folder itself: nothing is left behind.
pub struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

/// Waits for the exclusive lock on the folder of `path`.
///
/// # Errors
/// [`FsError::Locked`] after 30 seconds, [`FsError::Io`].
pub fn lock_folder_of(path: &Path) -> Result<FolderLock, FsError> {
    let folder = folder_of(path);
    let handle = File::open(folder).map_err(io_error(folder, "open the folder"))?;
    let give_up = Instant::now() + LOCK_PATIENCE;
    loop {
        match handle.try_lock() {
            Ok(()) => return Ok(FolderLock(handle)),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(FsError::Locked(folder.into())),
            Err(std::fs::TryLockError::Error(source)) => return Err(io_error(folder, "lock the folder")(source)),
        }
    }
}

/// How to change a file that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replace {
    /// By a rename, which a crash cannot interrupt.
    Atomically,
    /// By writing over it, where a rename cannot work.
    InPlace,
}

/// Replaces the content of an existing file (no symbolic link: see [`resolve`]); its mode and, where permitted, its owner stay.
///
/// # Errors
/// [`FsError::CannotRename`], [`FsError::Io`]; the file is as it was, but for [`Replace::InPlace`].
pub fn replace(path: &Path, bytes: &[u8], how: Replace) -> Result<(), FsError> {
    if how == Replace::InPlace {
        return overwrite(path, bytes);
    }
    let old = path.metadata().map_err(io_error(path, "read its mode"))?;
    let new = write_beside(path, bytes)?;
    take_over(&new, &old).map_err(io_error(path, "keep its mode"))?;
    new.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    new.persist(path).map_err(|failed| match failed.error.kind() {
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices => {
            FsError::CannotRename { path: path.into(), source: failed.error }
        }
        _ => io_error(path, "replace it")(failed.error),
    })?;
    sync_folder(path)
}

/// Writes a file that must not be there yet, mode 0600.
///
/// # Errors
/// [`FsError::Exists`], [`FsError::Io`]; nothing is left behind.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let new = write_beside(path, bytes)?;
    new.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    new.persist_noclobber(path).map_err(|failed| match failed.error.kind() {
        ErrorKind::AlreadyExists => FsError::Exists(path.into()),
        _ => io_error(path, "create it")(failed.error),
    })?;
    sync_folder(path)
}

/// A new file in the folder of `path`, 0600 and O_EXCL, with the bytes in it; removed again when dropped.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, FsError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = folder_of(path);
    let made = tempfile::Builder::new().prefix(&format!("{name}.")).suffix(".tmp").tempfile_in(folder);
    // tempfile's own message names a file that the user never heard of.
    let mut new = made.map_err(|error| io_error(folder, "create a file in the folder")(error.kind().into()))?;
    new.write_all(bytes).map_err(io_error(path, "write the new file"))?;
    Ok(new)
}

#[cfg(unix)]
fn take_over(new: &NamedTempFile, old: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let fresh = new.as_file().metadata()?;
    if (fresh.uid(), fresh.gid()) != (old.uid(), old.gid()) {
        // Only root may give files away; for everybody else the file becomes the writer's, as with any editor.
        let _ = std::os::unix::fs::fchown(new.as_file(), Some(old.uid()), Some(old.gid()));
    }
    new.as_file().set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn take_over(_: &NamedTempFile, _: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn overwrite(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let write = |file: &mut File| {
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    };
    let mut file = OpenOptions::new().write(true).open(path).map_err(io_error(path, "open it for writing"))?;
    write(&mut file).map_err(io_error(path, "write it in place"))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), FsError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|handle| handle.sync_all()).map_err(io_error(folder, "write the folder to disk"))
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), FsError> {
    Ok(()) // a folder cannot be opened for that
}

/// Whether others than the owner may read a file.
pub fn others_can_read(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o044 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Reads an inherited file descriptor to its end and closes it, so that no child gets it.
///
/// # Errors
/// A descriptor that is not open or is an output; [`FsError::TooLarge`], [`FsError::Io`].
#[cfg(unix)]
#[allow(unsafe_code, reason = "a number from the command line can become an owned descriptor in no other way")]
pub fn read_descriptor(number: u16, limit: usize) -> Result<Secret, FsError> {
    use std::os::fd::FromRawFd as _;
    let path = PathBuf::from(format!("/dev/fd/{number}"));
    if number == 0 {
        return read_stdin(limit);
    }
    if number < 3 || path.symlink_metadata().is_err() {
        let source = io::Error::new(ErrorKind::InvalidInput, "the descriptor is not open for reading");
        return Err(FsError::Io { path, purpose: "read it", source });
    }
    // SAFETY: the descriptor is open (checked above), and it is the starter's: this process opened none that it keeps
    // while it reads credentials, so nobody else here owns it.
    let file = unsafe { File::from_raw_fd(i32::from(number)) };
    read_all(file, &path, limit, 0)
}

/// Descriptors with numbers are a thing of Unix.
#[cfg(not(unix))]
pub fn read_descriptor(number: u16, _: usize) -> Result<Secret, FsError> {
    let source = io::Error::new(ErrorKind::Unsupported, "not there yet on this platform");
    Err(FsError::Io { path: PathBuf::from(number.to_string()), purpose: "read the descriptor", source })
}

/// Appends to a file, which is made if it is not there.
///
/// # Errors
/// [`FsError::Io`].
pub fn append(path: &Path, text: &str) -> Result<(), FsError> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(io_error(path, "add lines to it"))
}
