//! The lock on a folder: one writer at a time, in the order in which they came.

use super::write::sync_folder;
use super::{FsError, folder_of, io_error};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long to wait for another process that writes in the same folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// An exclusive lock on a folder, released when dropped. It is on the folder itself: nothing is left behind.
pub struct FolderLock {
    folder: PathBuf,
    handle: Arc<File>,
}

impl FolderLock {
    /// Waits until the names in the folder are on the disk.
    ///
    /// # Errors
    /// [`FsError::NotDurable`].
    pub fn sync(&self) -> Result<(), FsError> {
        let lost = |source| FsError::NotDurable { folder: self.folder.clone(), source };
        sync_folder(&self.handle).map_err(lost)
    }
}

/// Waits for the exclusive lock on the folder of `path`. Whoever waits longer has it sooner.
///
/// # Errors
/// [`FsError::Locked`] after 30 seconds, [`FsError::Io`].
pub fn lock_folder_of(path: &Path) -> Result<FolderLock, FsError> {
    let folder = folder_of(path);
    let handle = Arc::new(File::open(folder).map_err(io_error(folder, "open the folder"))?);
    let locked = match handle.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::Error(source)) => Err(source),
        Err(TryLockError::WouldBlock) => wait_for_lock(&handle).ok_or_else(|| FsError::Locked(folder.into()))?,
    };
    locked.map_err(io_error(folder, "lock the folder"))?;
    Ok(FolderLock { folder: folder.into(), handle })
}

/// The system wakes those who wait in their order, but waits for ever: so a thread waits for it. Trying again and again
/// would leave it to chance who of many gets the lock, and some would never. `None` when it took too long: then the lock
/// goes with the thread, once that has it.
fn wait_for_lock(handle: &Arc<File>) -> Option<io::Result<()>> {
    let (has_ended, waiting) = (Arc::new(AtomicBool::new(false)), std::thread::current());
    let (their_handle, their_end) = (Arc::clone(handle), Arc::clone(&has_ended));
    let wait = move || {
        let done = loop {
            match their_handle.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => break done,
            }
        };
        their_end.store(true, Ordering::Release);
        waiting.unpark();
        done
    };
    let thread = match std::thread::Builder::new().spawn(wait) {
        Ok(thread) => thread,
        Err(error) => return Some(Err(error)),
    };
    let give_up = Instant::now() + LOCK_PATIENCE;
    while !has_ended.load(Ordering::Acquire) {
        let left = give_up.checked_duration_since(Instant::now())?;
        std::thread::park_timeout(left);
    }
    thread.join().ok()
}
