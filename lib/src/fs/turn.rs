//! Turns: one process after the other, where what a process starts goes on when it is killed itself.

use super::FsError;
use super::private::places;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// A turn. It ends when this process, and every child that was given its descriptor, has ended or let go of it.
pub struct Turn {
    file: File,
    path: PathBuf,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path); // whoever waits sees that it is gone, and makes a new one
    }
}

/// Waits for a turn of this name among the processes of this user on this host, and says so once if it has to wait. `None`
/// where no turns can be taken.
///
/// # Errors
/// [`FsError::Locked`] when it has not come for so long.
#[cfg(unix)]
pub fn wait_for_turn(name: &str, patience: Duration, waiting: impl FnOnce()) -> Result<Option<Turn>, FsError> {
    let Some((folder, _)) = places().into_iter().next() else { return Ok(None) };
    let path = folder.join(format!("envsec-turn-{name}"));
    let give_up = std::time::Instant::now() + patience;
    let mut waiting = Some(waiting);
    loop {
        // A folder that others share may hold a file of theirs by that name: then there are no turns.
        let Some(file) = unix::open(&path) else { return Ok(None) };
        match file.try_lock() {
            // The one that had the turn before may have removed the file meanwhile.
            Ok(()) if unix::is_at(&file, &path) => return Ok(Some(Turn { file, path })),
            Ok(()) => continue,
            Err(std::fs::TryLockError::Error(_)) => return Ok(None),
            Err(std::fs::TryLockError::WouldBlock) if std::time::Instant::now() >= give_up => {
                return Err(FsError::Locked(path));
            }
            Err(std::fs::TryLockError::WouldBlock) => {}
        }
        if let Some(waiting) = waiting.take() {
            waiting();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Turns are a thing of Unix so far.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn wait_for_turn(_: &str, _: Duration, _: impl FnOnce()) -> Result<Option<Turn>, FsError> {
    Ok(None)
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Turn {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.file.as_raw_fd()
    }
}

#[cfg(unix)]
mod unix {
    use crate::fs::is_ours;
    use rustix::fs::OFlags;
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    use std::path::Path;

    /// Above the descriptors that a child has a use for.
    const HIGH: i32 = 10;

    pub(super) fn open(path: &Path) -> Option<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = options.open(path).ok().filter(|file| file.metadata().is_ok_and(|meta| is_ours(&meta)))?;
        rustix::io::fcntl_dupfd_cloexec(&file, HIGH).ok().map(File::from)
    }

    pub(super) fn is_at(file: &File, path: &Path) -> bool {
        let (Ok(held), Ok(there)) = (file.metadata(), path.symlink_metadata()) else { return false };
        (held.dev(), held.ino()) == (there.dev(), there.ino())
    }
}
