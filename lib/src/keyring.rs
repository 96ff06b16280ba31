//! Unlocked sessions: a data key kept for a while by the kernel, in the user's keyring (keyrings(7), Linux), never on disk.
//!
//! A key is named by the file and its data key, so that a file with a new data key finds nothing. Every process of the
//! same user can read it until it expires; so can root.

use crate::error::{Failure, Status};
use crate::secret::Key;

/// Which data key: the file's id and the key's id, both public.
#[derive(Clone, Copy)]
pub struct Session<'s> {
    /// The id of the file.
    pub file: &'s [u8; 16],
    /// The id of its data key.
    pub key: &'s [u8; 32],
}

/// A data key that was kept.
pub struct Kept {
    /// The data key.
    pub key: Key,
    /// When the kernel forgets it, in seconds since 1970.
    pub until: u64,
}

/// Why the kernel keeps nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// It may not, which is how most containers are.
    #[error("the kernel's keyring cannot be used here: {0}")]
    Refused(&'static str),
    /// Another system than Linux.
    #[error("unlocking is there on Linux only so far")]
    NotHere,
}

impl Failure for KeyringError {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some("commands ask for the password, or take it from the settings: ENVSEC_PASSWORD, --password-file".into())
    }
}

#[cfg(target_os = "linux")]
pub use linux::{check, find, forget, forget_all, keep};

#[cfg(target_os = "linux")]
mod linux {
    use crate::keyring::{Kept, KeyringError, Session};
    use crate::secret::{Key, Secret};
    use linux_keyutils::{KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

    /// What the name of every kept key begins with.
    const PREFIX: &str = "envsec:1:";

    /// The data key, and the time at which it expires, since the kernel does not tell that.
    const PAYLOAD: usize = 32 + 8;

    /// More than the keys that root can have by default (`/proc/sys/kernel/keys/root_maxkeys`), and others far fewer. The
    /// kernel reports how many there are and not how many fitted, so that fewer would not do.
    const MAX_KEYS: usize = 1 << 20;

    impl Session<'_> {
        fn description(&self) -> String {
            format!("{}{}", of_file(self.file), hex(self.key))
        }
    }

    /// What the names of all kept keys of a file begin with.
    fn of_file(file: &[u8; 16]) -> String {
        format!("{PREFIX}{}:", hex(file))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Keeps a data key for so many seconds from `now`, in place of one of the same name. The user's other sessions may
    /// read it: not only who added it.
    ///
    /// # Errors
    /// [`KeyringError::Refused`]; what was kept before stays then.
    pub fn keep(session: Session<'_>, key: &Key, seconds: u64, now: u64) -> Result<(), KeyringError> {
        let mut payload = Secret::with_capacity(PAYLOAD);
        payload.extend(key.expose());
        payload.extend(&now.saturating_add(seconds).to_be_bytes());
        let ring = ring().map_err(refused)?;
        // In a keyring that ends with this process first: killed here, a key without its time would stay for ever.
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(refused)?;
        let kept = own.add_key(&session.description(), payload.expose()).map_err(refused)?;
        let readable = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::VIEW | Permission::READ | Permission::SEARCH)
            .build();
        let timeout = usize::try_from(seconds).unwrap_or(usize::MAX);
        let limited = kept.set_timeout(timeout).and_then(|()| kept.set_perms(readable));
        let moved = limited.and_then(|()| ring.link_key(kept));
        let _ = own.unlink_key(kept); // it would go with this process anyway
        moved.map_err(refused)
    }

    /// Whether the kernel would keep anything.
    ///
    /// # Errors
    /// [`KeyringError::Refused`].
    pub fn check() -> Result<(), KeyringError> {
        ring().map(drop).map_err(refused)
    }

    /// The data key that was kept; `None` when there is none, or no keyring at all.
    pub fn find(session: Session<'_>) -> Option<Kept> {
        let found = ring().ok()?.search(&session.description()).ok()?;
        let mut payload = Secret::from(vec![0; PAYLOAD]);
        if found.read(&mut payload.expose_mut()).ok()? != PAYLOAD {
            return None;
        }
        let (key, until) = payload.expose().split_first_chunk::<32>()?;
        Some(Kept {
            key: Key::filled(|bytes| bytes.copy_from_slice(key)),
            until: u64::from_be_bytes(until.try_into().ok()?),
        })
    }

    /// Forgets all data keys of a file, also those that it had before; returns how many there were.
    ///
    /// # Errors
    /// [`KeyringError::Refused`].
    pub fn forget(file: &[u8; 16]) -> Result<usize, KeyringError> {
        forget_named(&of_file(file))
    }

    /// Forgets all data keys that envsec keeps for this user; returns how many there were.
    ///
    /// # Errors
    /// [`KeyringError::Refused`].
    pub fn forget_all() -> Result<usize, KeyringError> {
        forget_named(PREFIX)
    }

    fn forget_named(start: &str) -> Result<usize, KeyringError> {
        let ring = ring().map_err(refused)?;
        let links = ring.get_links(MAX_KEYS).map_err(refused)?;
        let mut forgotten = 0;
        for key in links.iter().filter_map(|link| link.as_key()) {
            let is_it = key.metadata().is_ok_and(|metadata| metadata.get_description().starts_with(start));
            if is_it {
                ring.unlink_key(key).map_err(refused)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    fn ring() -> Result<KeyRing, KeyError> {
        KeyRing::from_special_id(KeyRingIdentifier::User, true)
    }

    fn refused(error: KeyError) -> KeyringError {
        KeyringError::Refused(match error {
            KeyError::AccessDenied | KeyError::PermissionDenied => "not permitted (a container?)",
            KeyError::QuotaExceeded => "it is full: envsec lock --all makes room, if it was envsec",
            KeyError::KeyExpired | KeyError::KeyRevoked => "it has expired or was revoked",
            KeyError::OperationNotSupported | KeyError::Unknown(_) => "the kernel has none",
            _ => "it failed",
        })
    }
}

/// Not there yet on this system.
///
/// # Errors
/// [`KeyringError::NotHere`].
#[cfg(not(target_os = "linux"))]
pub fn keep(_: Session<'_>, _: &Key, _: u64, _: u64) -> Result<(), KeyringError> {
    Err(KeyringError::NotHere)
}

/// Not there yet on this system.
///
/// # Errors
/// [`KeyringError::NotHere`].
#[cfg(not(target_os = "linux"))]
pub fn check() -> Result<(), KeyringError> {
    Err(KeyringError::NotHere)
}

/// Nothing is kept on this system.
#[cfg(not(target_os = "linux"))]
pub fn find(_: Session<'_>) -> Option<Kept> {
    None
}

/// Not there yet on this system.
///
/// # Errors
/// [`KeyringError::NotHere`].
#[cfg(not(target_os = "linux"))]
pub fn forget(_: &[u8; 16]) -> Result<usize, KeyringError> {
    Err(KeyringError::NotHere)
}

/// Not there yet on this system.
///
/// # Errors
/// [`KeyringError::NotHere`].
#[cfg(not(target_os = "linux"))]
pub fn forget_all() -> Result<usize, KeyringError> {
    Err(KeyringError::NotHere)
}
