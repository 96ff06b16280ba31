//! Files: bounded reads, a lock on a folder, and replacing a file atomically and privately. Knows no format.
//!
//! A write goes to a new file in the same folder (mode 0600, O_EXCL), is fsynced, renamed over the old file, and the
//! folder is fsynced: after a crash at any point the old or the new file is there, whole.

use crate::error::{Failure, Status, shown};
use crate::secret::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long to wait for another process that writes in the same folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// What a write does first: a new file beside the old one.
const BESIDE: &str = "create a file in the folder";

/// A file operation that failed: the path, the purpose and the system's reason.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// There is nothing at the path.
    #[error("{}: no such file", shown(.0))]
    NotFound(PathBuf),
    /// There is something at the path where nothing may be.
    #[error("{}: already there", shown(.0))]
    Exists(PathBuf),
    /// More bytes than the reader takes.
    #[error("{}: larger than {limit} bytes", shown(.path))]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The bound of this read, in bytes.
        limit: usize,
    },
    /// Another process kept the folder locked.
    #[error("{}: another process is writing in this folder and does not finish", shown(.0))]
    Locked(PathBuf),
    /// The file cannot be replaced by a rename, a bind-mounted single file for instance.
    #[error("{}: the file cannot be replaced atomically: {source}", shown(.path))]
    CannotRename {
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A write in place that failed, after which what was there could not be put back.
    #[error("{}: writing it in place failed and left it damaged: {source}", shown(.path))]
    Damaged {
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Anything else that the system refused.
    #[error("{}: cannot {purpose}: {source}", shown(.path))]
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
            FsError::Damaged { .. } => "bring a good version back: git checkout FILE, or a copy",
            FsError::Locked(_) => "find it with: fuser FOLDER",
            FsError::Exists(_) => "envsec set changes it; -f FILE names another",
            FsError::Io { source, purpose, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "nothing was changed; make room and run it again",
                ErrorKind::ReadOnlyFilesystem => "nothing was changed; the file system is mounted read-only",
                ErrorKind::PermissionDenied if *purpose == BESIDE => {
                    "check the owner and mode of the folder: ls -ld; where only the file may be written: --in-place"
                }
                ErrorKind::PermissionDenied => "check the owner and mode of the file and of its folder: ls -ld",
                _ => return None,
            },
            _ => return None,
        };
        Some(hint.into())
    }
}

impl FsError {
    /// The same error about the path that the user knows the file by.
    #[must_use]
    pub fn about(mut self, known: &Path) -> Self {
        if let FsError::NotFound(path) | FsError::TooLarge { path, .. } | FsError::Io { path, .. } = &mut self {
            *path = known.into();
        }
        self
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
    if is_stdin(path) {
        return read_stdin(limit);
    }
    let file = File::open(path).map_err(io_error(path, "read it"))?;
    let size = file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(usize::MAX));
    read_all(file, path, limit, size)
}

/// Reads a file whose content is no secret.
///
/// # Errors
/// As [`read`].
pub fn read_public(path: &Path, limit: usize) -> Result<Vec<u8>, FsError> {
    let file = File::open(path).map_err(io_error(path, "read it"))?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(io_error(path, "read it"))?;
    if bytes.len() > limit { Err(FsError::TooLarge { path: path.into(), limit }) } else { Ok(bytes) }
}

/// Reads standard input to its end, at most `limit` bytes.
///
/// # Errors
/// As [`read_stream`].
pub fn read_stdin(limit: usize) -> Result<Secret, FsError> {
    // A second reader would find nothing, and an empty value is a value.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        let source = io::Error::new(ErrorKind::InvalidInput, "it was read already, for a credential or a value");
        return Err(FsError::Io { path: "standard input".into(), purpose: "read it", source });
    }
    read_stream(io::stdin(), "standard input", limit)
}

/// Whether a path is another name for standard input.
fn is_stdin(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name))
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
    sweep(path);
    let old = path.metadata().map_err(io_error(path, "read its mode"))?;
    let new = write_beside(path, bytes, REPLACEMENT)?;
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

/// A new file, written and synced, that has not got its name yet; dropped, it leaves nothing behind.
pub struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
}

/// Writes what is to become a new file, mode 0600, beside its place.
///
/// # Errors
/// [`FsError::Io`]; nothing is left behind.
pub fn prepare(path: &Path, bytes: &[u8]) -> Result<NewFile, FsError> {
    let file = write_beside(path, bytes, NEW)?;
    file.as_file().sync_all().map_err(io_error(path, "write the new file to disk"))?;
    Ok(NewFile { path: path.into(), file })
}

impl NewFile {
    /// Gives it its name.
    ///
    /// # Errors
    /// [`FsError::Exists`] when there is something of that name by now, [`FsError::Io`].
    pub fn commit(self) -> Result<(), FsError> {
        let NewFile { path, file } = self;
        file.persist_noclobber(&path).map_err(|failed| match failed.error.kind() {
            ErrorKind::AlreadyExists => FsError::Exists(path.clone()),
            _ => io_error(&path, "create it")(failed.error),
        })?;
        sync_folder(&path)
    }
}

/// Removes what a writer left that was killed. The caller holds the folder's lock, so nobody is writing such a file now.
fn sweep(path: &Path) {
    let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let is_ours = |name: &str| {
        let random = name.strip_prefix(&prefix).and_then(|name| name.strip_suffix(REPLACEMENT));
        random.is_some_and(|random| random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let Ok(entries) = folder_of(path).read_dir() else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_ours)) {
        // It holds ciphertext only; if it stays, the next writer tries again.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// How the name of a file ends that is to replace another one, and of one that is to be new.
const REPLACEMENT: &str = ".tmp";
const NEW: &str = ".new";

/// A new file in the folder of `path`, 0600 and O_EXCL, with the bytes in it; removed again when dropped.
fn write_beside(path: &Path, bytes: &[u8], suffix: &str) -> Result<NamedTempFile, FsError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = folder_of(path);
    let made = tempfile::Builder::new().prefix(&format!("{name}.")).suffix(suffix).tempfile_in(folder);
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
    let mut file =
        OpenOptions::new().read(true).write(true).open(path).map_err(io_error(path, "open it for writing"))?;
    let mut old = Vec::new();
    file.read_to_end(&mut old).map_err(failed)?;
    let written = reserve(&file, bytes.len()).and_then(|()| write_all_of(&mut file, bytes));
    written.map_err(|source| match write_all_of(&mut file, &old) {
        Ok(()) => failed(source),
        Err(_) => FsError::Damaged { path: path.into(), source },
    })
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
fn sync_folder(path: &Path) -> Result<(), FsError> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(io_error(folder, "be sure that the new file survives a power cut"))
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
