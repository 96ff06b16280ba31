//! Slots: from a credential to the data key and back.

use super::credential::{Credential, Password, RawKey};
use super::error::SealedError;
use super::header::{FileId, Header, KeyId, Slot, SlotId, SlotKind, WRAP};
use super::keys::Keys;
use crate::crypto::{self, NONCE};
use crate::secret::{Key, Secret};
use rand::CryptoRng;

/// The work factor that a writer uses unless it is told otherwise.
pub const WORK_FACTOR: u8 = 17;

/// The work factors that a writer may be told to use.
pub const WRITE_WORK_FACTORS: std::ops::RangeInclusive<u8> = 15..=20;

/// The highest work factor read without `--max-work-factor`; it bounds the sum of 2^ln as well (see [`Limits`]).
pub const READ_MAX: u8 = 20;

/// The highest work factor that `--max-work-factor` can allow.
pub const READ_LIMIT: u8 = 22;

/// What a reader lets a file cost, and which slots it tries.
#[derive(Clone)]
pub struct Limits {
    /// The highest work factor of a slot that is tried: [`READ_MAX`] to [`READ_LIMIT`].
    pub max_work_factor: u8,
    /// Try this slot only.
    pub slot: Option<SlotId>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_work_factor: READ_MAX, slot: None }
    }
}

impl Limits {
    /// The largest sum of 2^ln over the slots tried: 2^21, or 2^22 when more was allowed.
    fn budget(&self) -> u64 {
        if self.max_work_factor > READ_MAX { 1 << 22 } else { 1 << 21 }
    }

    /// Whether a slot is to be tried.
    fn takes(&self, slot: &Slot) -> bool {
        self.slot.as_ref().is_none_or(|id| slot.id == *id)
    }

    /// Checks what the password slots would cost before any of them is tried.
    fn check<'s>(&self, slots: impl Iterator<Item = &'s Slot>) -> Result<(), SealedError> {
        let factors: Vec<u8> = slots.filter_map(work_factor).collect();
        if let Some(ln) = factors.iter().find(|&&ln| ln > self.max_work_factor) {
            return Err(SealedError::WorkFactor(format!(
                "a slot has ln={ln}, at most {} is tried",
                self.max_work_factor
            )));
        }
        let sum: u64 = factors.iter().map(|&ln| 1 << ln).sum();
        if sum > self.budget() {
            return Err(SealedError::WorkFactor(format!(
                "their N add up to {sum}, at most {} is tried",
                self.budget()
            )));
        }
        Ok(())
    }
}

/// Whether a password could open one of the slots to try.
pub(super) fn takes_password(header: &Header, limits: &Limits) -> bool {
    header.slots().any(|slot| limits.takes(slot) && work_factor(slot).is_some())
}

fn work_factor(slot: &Slot) -> Option<u8> {
    if let SlotKind::Scrypt { ln, .. } = slot.kind { Some(ln) } else { None }
}

/// The slots of a header in words: `team (scrypt), ci (raw)`.
pub(super) fn describe(header: &Header) -> String {
    let word = |slot: &Slot| {
        let kind = match &slot.kind {
            SlotKind::Scrypt { .. } => "scrypt",
            SlotKind::Raw => "raw",
            SlotKind::Unknown(kind) => kind,
        };
        format!("{} ({kind})", slot.id.as_str())
    };
    header.slots().map(word).collect::<Vec<_>>().join(", ")
}

/// Opens the first slot that a credential fits, and says which: raw keys first, since they cost nothing. scrypt is called at most once
/// for each pair of slot and password.
///
/// # Errors
/// [`SealedError::WrongCredential`] whatever the reason no slot opened; before any key derivation
/// [`SealedError::NoSuchSlot`], [`SealedError::NoFittingSlot`] and [`SealedError::WorkFactor`].
pub(super) fn open(
    header: &Header,
    credentials: &[Credential],
    limits: &Limits,
) -> Result<(Keys, SlotId), SealedError> {
    let mut pairs = pairs(header, credentials, limits)?;
    limits.check(pairs.iter().map(|(slot, _)| *slot))?;
    pairs.sort_by_key(|(slot, _)| slot.kind != SlotKind::Raw);
    for (slot, place) in pairs {
        let secret = slot_secret(slot, header.magic.file, &credentials[place])?;
        if let Some(keys) = unwrap(slot, &header.magic.key, header.magic.file, &secret) {
            return Ok((keys, slot.id.clone()));
        }
    }
    Err(SealedError::WrongCredential)
}

/// Opens every slot that a credential fits, and says which one; as [`open`] otherwise. Each slot counts once: where every
/// slot has a password of its own, all of them have to be tried on all.
///
/// # Errors
/// As [`open`].
pub(super) fn open_all(
    header: &Header,
    credentials: &[Credential],
    limits: &Limits,
) -> Result<(Keys, Vec<(SlotId, usize)>), SealedError> {
    let (mut keys, mut opened) = (None, Vec::new());
    let pairs = pairs(header, credentials, limits)?;
    let mut tried: Vec<&Slot> = pairs.iter().map(|(slot, _)| *slot).collect();
    tried.dedup_by_key(|slot| &slot.id);
    limits.check(tried.into_iter())?;
    for (slot, place) in pairs {
        if opened.iter().any(|(id, _)| *id == slot.id) {
            continue;
        }
        let secret = slot_secret(slot, header.magic.file, &credentials[place])?;
        if let Some(found) = unwrap(slot, &header.magic.key, header.magic.file, &secret) {
            opened.push((slot.id.clone(), place));
            keys = Some(found);
        }
    }
    keys.map(|keys| (keys, opened)).ok_or(SealedError::WrongCredential)
}

/// Every slot to try with the place of every credential that could open it, slot by slot.
fn pairs<'h>(
    header: &'h Header,
    credentials: &[Credential],
    limits: &Limits,
) -> Result<Vec<(&'h Slot, usize)>, SealedError> {
    if let Some(id) = &limits.slot
        && header.slots().all(|slot| slot.id != *id)
    {
        return Err(SealedError::no_such_slot(id, header));
    }
    let wanted: Vec<&Slot> = header.slots().filter(|slot| limits.takes(slot)).collect();
    let fitting = |slot| (0..credentials.len()).filter(move |place| fits(slot, &credentials[*place]));
    let pairs: Vec<(&Slot, usize)> =
        wanted.into_iter().flat_map(|slot| fitting(slot).map(move |place| (slot, place))).collect();
    if pairs.is_empty() {
        return Err(SealedError::NoFittingSlot(describe(header)));
    }
    Ok(pairs)
}

fn fits(slot: &Slot, credential: &Credential) -> bool {
    matches!(
        (&slot.kind, credential),
        (SlotKind::Scrypt { .. }, Credential::Password(_)) | (SlotKind::Raw, Credential::RawKey(_))
    )
}

/// S: what a slot's wrapping key is derived from.
pub(super) fn slot_secret(slot: &Slot, file: FileId, credential: &Credential) -> Result<Key, SealedError> {
    match (&slot.kind, credential) {
        (SlotKind::Scrypt { ln, salt }, Credential::Password(password)) => {
            let salt = [b"envsec/1 scrypt\0".as_slice(), &file, salt].concat();
            Ok(crypto::scrypt(password.expose().as_bytes(), &salt, *ln)?)
        }
        (SlotKind::Raw, Credential::RawKey(key)) => Ok(key.expose().duplicate()),
        _ => Err(SealedError::WrongCredential),
    }
}

/// WK and WN: the key and nonce of a wrap. The salt in `desc` is fresh for every wrap, so the nonce never repeats.
pub(super) fn wrapping_key(key_id: &KeyId, secret: &Key, desc: &str) -> (Key, [u8; NONCE]) {
    let prk = crypto::hkdf_extract(key_id, secret.expose());
    let mut okm = zeroize::Zeroizing::new([0; 32 + NONCE]);
    crypto::hkdf_expand(&prk, &[b"envsec/1 wrap\0", desc.as_bytes()], okm.as_mut());
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&okm[32..]);
    (Key::filled(|key| key.copy_from_slice(&okm[..32])), nonce)
}

fn associated_data(desc: &str) -> Vec<u8> {
    [b"envsec/1 wrap\0", desc.as_bytes()].concat()
}

/// The data key of `keys`, wrapped under a slot secret and bound to the key id.
pub(super) fn wrap(key_id: &KeyId, keys: &Keys, secret: &Key, desc: &str) -> [u8; WRAP] {
    let (key, nonce) = wrapping_key(key_id, secret, desc);
    let mut buffer = Secret::from(&keys.data_key().expose()[..]);
    let tag = crypto::aes256gcm_seal(&key, &nonce, &associated_data(desc), buffer.expose_mut());
    let mut wrapped = [0; WRAP];
    wrapped[..32].copy_from_slice(buffer.expose());
    wrapped[32..].copy_from_slice(&tag);
    wrapped
}

/// The keys of the file, if the wrap opens and the data key is the one that `key=` commits to.
fn unwrap(slot: &Slot, key_id: &KeyId, file: FileId, secret: &Key) -> Option<Keys> {
    let (key, nonce) = wrapping_key(key_id, secret, &slot.desc);
    let opened = crypto::aes256gcm_open(&key, &nonce, &associated_data(&slot.desc), &slot.wrap).ok()?;
    let keys = Keys::new(file, Key::filled(|bytes| bytes.copy_from_slice(opened.expose())));
    crypto::equal(&keys.key_id(), key_id).then_some(keys)
}

/// A slot to be made, with the credential it will open with.
pub struct NewSlot {
    /// Its id.
    pub id: SlotId,
    /// What opens it.
    pub credential: Credential,
    /// scrypt's work factor, if it is a password: [`WRITE_WORK_FACTORS`], lower in test files only.
    pub work_factor: u8,
}

impl NewSlot {
    /// The slot `password`, for a password.
    pub fn password(password: Password, work_factor: u8) -> Self {
        NewSlot { id: SlotId::fixed("password"), credential: Credential::Password(password), work_factor }
    }

    /// The slot `key`, for a raw key.
    pub fn raw_key(key: RawKey) -> Self {
        NewSlot { id: SlotId::fixed("key"), credential: Credential::RawKey(key), work_factor: WORK_FACTOR }
    }

    /// Wraps the data key for this slot, with a fresh salt, and unwraps it again with the same slot secret.
    ///
    /// # Errors
    /// Memory that scrypt cannot have; [`SealedError::SelfCheck`] when the wrap does not open.
    pub fn make(&self, keys: &Keys, file: FileId, rng: &mut dyn CryptoRng) -> Result<Slot, SealedError> {
        let salt = crypto::random_bytes(rng);
        let (kind, desc) = match self.credential {
            Credential::Password(_) => {
                (SlotKind::Scrypt { ln: self.work_factor, salt }, Slot::scrypt_desc(&self.id, self.work_factor, &salt))
            }
            Credential::RawKey(_) => (SlotKind::Raw, Slot::raw_desc(&self.id, &salt)),
        };
        let mut slot = Slot { id: self.id.clone(), kind, desc, wrap: [0; WRAP] };
        let secret = slot_secret(&slot, file, &self.credential)?;
        slot.wrap = wrap(&keys.key_id(), keys, &secret, &slot.desc);
        let opened = unwrap(&slot, &keys.key_id(), file, &secret);
        opened.map(|_| slot).ok_or_else(|| SealedError::SelfCheck("a new slot does not open".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_allowed_up_to_its_bounds() {
        let slot = |ln: &u8| Slot {
            id: SlotId::fixed("s"),
            kind: SlotKind::Scrypt { ln: *ln, salt: [0; 32] },
            desc: String::new(),
            wrap: [0; WRAP],
        };
        for (max_work_factor, factors, expected) in [
            (20, &[20, 20][..], true),
            (20, &[20, 20, 14], false),
            (20, &[21], false),
            (21, &[21, 21], true),
            (21, &[22], false),
            (22, &[22], true),
            (22, &[20, 20, 20, 20], true),
            (22, &[22, 14], false),
            (22, &[21, 21, 14], false),
        ] {
            let slots: Vec<Slot> = factors.iter().map(slot).collect();
            let checked = Limits { max_work_factor, slot: None }.check(slots.iter());
            assert_eq!(checked.is_ok(), expected, "{max_work_factor}: {factors:?}");
        }
    }
}
