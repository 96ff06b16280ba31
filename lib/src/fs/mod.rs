//! Files: bounded reads, a lock on a folder, and replacing a file atomically and privately. Knows no format.

mod lock;
mod private;
mod turn;
mod write;

pub use lock::{FolderLock, lock_folder_of};
pub use private::PrivateFolder;
pub use turn::{Turn, wait_for_turn};
pub use write::{
    NewFile, Readers, Replace, Replacement, Scratch, append, append_to_existing, prepare, prepare_replacement,
    replace_privately,
};

use crate::error::{Failure, Status, shown};
use crate::secret::Secret;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// A file that has its new content or name, which the system would not promise to keep.
    #[error("{}: what was written in this folder is in place, but may not survive a power cut: {source}", shown(.folder))]
    NotDurable {
        /// The folder.
        folder: PathBuf,
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
            FsError::NotDurable { .. } => "see what is wrong with the disk: dmesg; then: sync",
            FsError::Exists(_) => "envsec set changes it; -f FILE names another",
            FsError::Io { source, purpose, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room and run it again",
                ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only",
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
    let size = size_of(&file);
    read_all(file, path, limit, size)
}

/// How much is to be expected, so that one buffer and one read do. It may be more or less by the time of reading.
fn size_of(file: &File) -> usize {
    file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(usize::MAX))
}

/// Reads a file whose content is no secret.
///
/// # Errors
/// As [`read`].
pub fn read_public(path: &Path, limit: usize) -> Result<Vec<u8>, FsError> {
    let file = File::open(path).map_err(io_error(path, "read it"))?;
    let size = size_of(&file);
    read_all_public(file, path, limit, size)
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

/// Reads a stream whose content is no secret to its end.
///
/// # Errors
/// As [`read_stream`].
pub fn read_stream_public(stream: impl Read, name: &str, limit: usize) -> Result<Vec<u8>, FsError> {
    read_all_public(stream, Path::new(name), limit, 0)
}

fn read_all_public(from: impl Read, path: &Path, limit: usize, expected: usize) -> Result<Vec<u8>, FsError> {
    let mut bytes = Vec::with_capacity(expected.min(limit) + 1);
    from.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(io_error(path, "read it"))?;
    if bytes.len() > limit { Err(FsError::TooLarge { path: path.into(), limit }) } else { Ok(bytes) }
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

/// Makes a folder, and those above it, where they are not there.
///
/// # Errors
/// [`FsError::Io`].
pub fn make_folder(path: &Path) -> Result<(), FsError> {
    std::fs::create_dir_all(path).map_err(io_error(path, "make the folder"))
}

/// Whether the system would execute a file.
pub fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        path.is_file()
    }
}

/// Whether a regular file begins with these bytes. One that cannot be read does not; a pipe would block.
pub fn begins_with(path: &Path, bytes: &[u8]) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == bytes
}

/// Whether a file belongs to this user.
#[cfg(unix)]
fn is_ours(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    meta.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_ours(_: &std::fs::Metadata) -> bool {
    true
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

/// Keeps an inherited file descriptor from every child, whether it is read or not.
#[cfg(unix)]
#[allow(unsafe_code, reason = "a number from the command line can become a descriptor in no other way")]
pub fn keep_from_children(number: u16) {
    use std::os::fd::BorrowedFd;
    if number < 3 || Path::new(&format!("/dev/fd/{number}")).symlink_metadata().is_err() {
        return;
    }
    // SAFETY: the descriptor is open (checked above), and nothing of this process closes it meanwhile.
    let descriptor = unsafe { BorrowedFd::borrow_raw(i32::from(number)) };
    // If it fails, the child has what it would have without envsec.
    let _ = rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC);
}

/// Descriptors with numbers are a thing of Unix.
#[cfg(not(unix))]
pub fn keep_from_children(_: u16) {}

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
