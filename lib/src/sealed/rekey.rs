//! Who opens a file: its slots, and giving it a new data key.

use super::body::{Content, Entry, Replacement, Storage};
use super::credential::Credential;
use super::error::SealedError;
use super::header::{Line, LineKind, Rotation, Slot, SlotId, SlotKind};
use super::keys::{Keys, Purpose};
use super::locked::Locked;
use super::slot::{self, Limits, NewSlot};
use super::unlocked::{Opening, Unlocked};
use crate::crypto;
use crate::secret::Key;
use crate::vars::VarName;
use rand::CryptoRng;

/// A slot, as everybody can read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotInfo {
    /// Its id.
    pub id: SlotId,
    /// What opens it.
    pub kind: SlotType,
}

/// What opens a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlotType {
    /// A password, through scrypt with this work factor.
    Password {
        /// Base-2 logarithm of scrypt's N.
        work_factor: u8,
    },
    /// A raw key.
    RawKey,
    /// Something that a later envsec knows.
    Unknown(String),
}

/// Which credential opens a slot: its place among those that were given.
pub type Match = (SlotId, usize);

/// A new data key, wrapped for every slot that the file will have.
pub struct NextKey {
    keys: Keys,
    slots: Vec<Slot>,
    /// The slot lines of the file that it was made for.
    before: Vec<String>,
}

impl Locked {
    /// The slots, in the file's order. Nothing is vouched for.
    pub fn slots(&self) -> Vec<SlotInfo> {
        let info = |slot: &Slot| SlotInfo { id: slot.id.clone(), kind: SlotType::of(&slot.kind) };
        self.header.slots().map(info).collect()
    }

    /// Tries every credential on every slot that it could open. The seal is not verified yet.
    ///
    /// # Errors
    /// As [`Locked::open_slot`].
    pub fn open_slots(
        &self,
        credentials: &[Credential],
        limits: &Limits,
    ) -> Result<(Opening, Vec<Match>), SealedError> {
        let (keys, matches) = slot::open_all(&self.header, credentials, limits)?;
        let first = matches.first().map(|(id, _)| id.clone());
        Ok((Opening::new(keys, first), matches))
    }

    /// Opens the file with its data key itself, which an unlocked session keeps; `None` if it is another one.
    pub fn open_with(&self, data_key: Key) -> Option<Opening> {
        let keys = Keys::new(*self.file_id(), data_key);
        crypto::equal(&keys.key_id(), self.key_id()).then(|| Opening::new(keys, None))
    }

    fn slot_lines(&self) -> Vec<String> {
        let is_slot = |line: &&Line| matches!(line.kind, LineKind::Slot(_));
        self.header.lines.iter().filter(is_slot).map(|line| line.text.clone()).collect()
    }
}

impl SlotType {
    pub(super) fn of(kind: &SlotKind) -> Self {
        match kind {
            SlotKind::Scrypt { ln, .. } => SlotType::Password { work_factor: *ln },
            SlotKind::Raw => SlotType::RawKey,
            SlotKind::Unknown(name) => SlotType::Unknown(name.clone()),
        }
    }

    /// Whether this envsec can open such a slot.
    pub fn is_known(&self) -> bool {
        !matches!(self, SlotType::Unknown(_))
    }

    /// As the format calls it.
    pub fn name(&self) -> &str {
        match self {
            SlotType::Password { .. } => "scrypt",
            SlotType::RawKey => "raw",
            SlotType::Unknown(name) => name,
        }
    }
}

impl NextKey {
    /// Makes a data key and wraps it for each of these slots, which costs one scrypt call for each password.
    ///
    /// # Errors
    /// As [`NewSlot::make`].
    pub fn new(file: &Locked, slots: &[NewSlot], rng: &mut dyn CryptoRng) -> Result<Self, SealedError> {
        let keys = Keys::new(*file.file_id(), crypto::random_key(rng));
        let slots = slots.iter().map(|slot| slot.make(&keys, *file.file_id(), rng)).collect::<Result<_, _>>()?;
        Ok(NextKey { keys, slots, before: file.slot_lines() })
    }
}

impl Unlocked {
    /// The data key, for an unlocked session to keep.
    pub fn data_key(&self) -> &Key {
        self.keys.data_key()
    }

    /// Adds a slot for one more credential, below the others.
    ///
    /// # Errors
    /// [`SealedError::SlotExists`]; as [`NewSlot::make`].
    pub fn add_slot(&mut self, slot: &NewSlot, rng: &mut dyn CryptoRng) -> Result<(), SealedError> {
        if self.locked().slots().iter().any(|known| known.id == slot.id) {
            return Err(SealedError::SlotExists(slot.id.clone()));
        }
        let made = slot.make(&self.keys, *self.file.file_id(), rng)?;
        let is_slot = |line: &Line| matches!(line.kind, LineKind::Slot(_));
        let place = self.file.header.lines.iter().rposition(is_slot).map_or(0, |last| last + 1);
        self.file.header.lines.insert(place, Line::slot(made));
        self.changed = true;
        Ok(())
    }

    /// Wraps the same data key anew for a slot that is there, with a fresh salt.
    ///
    /// # Errors
    /// [`SealedError::NoSuchSlot`]; as [`NewSlot::make`].
    pub fn replace_slot(&mut self, slot: &NewSlot, rng: &mut dyn CryptoRng) -> Result<(), SealedError> {
        let place = self.place_of(&slot.id)?;
        self.file.header.lines[place] = Line::slot(slot.make(&self.keys, *self.file.file_id(), rng)?);
        self.changed = true;
        Ok(())
    }

    /// Removes a slot and keeps the data key: whoever could open it keeps what was in the file so far, and the data key.
    ///
    /// # Errors
    /// [`SealedError::NoSuchSlot`], [`SealedError::LastSlot`].
    pub fn remove_slot(&mut self, id: &SlotId) -> Result<(), SealedError> {
        let place = self.place_of(id)?;
        let known = self.locked().slots().into_iter().filter(|slot| slot.kind.is_known() && slot.id != *id).count();
        if known == 0 {
            return Err(SealedError::LastSlot);
        }
        self.file.header.lines.remove(place);
        self.changed = true;
        Ok(())
    }

    fn place_of(&self, id: &SlotId) -> Result<usize, SealedError> {
        let is_it = |line: &Line| matches!(&line.kind, LineKind::Slot(slot) if slot.id == *id);
        let missing = || SealedError::no_such_slot(id, &self.file.header);
        self.file.header.lines.iter().position(is_it).ok_or_else(missing)
    }

    /// Gives the file a new data key: every token is made anew, and the slots are those of `next`. Header lines of a kind
    /// that is not known stop it, unless the kind is among `dropped`: they might hold the old key.
    ///
    /// # Errors
    /// [`SealedError::SlotsChanged`] when the slots are not those that `next` was made for, [`SealedError::UnknownLines`],
    /// [`SealedError::Value`] for a token that does not decrypt, [`SealedError::LastSlot`].
    pub fn rekey(&mut self, next: NextKey, dropped: &[String], rng: &mut dyn CryptoRng) -> Result<(), SealedError> {
        let NextKey { keys, slots, before } = next;
        if self.file.slot_lines() != before {
            return Err(SealedError::SlotsChanged);
        }
        if slots.is_empty() {
            return Err(SealedError::LastSlot);
        }
        let lines = self.lines_under(&keys, slots, dropped, rng)?;
        self.rekey_values(&keys, rng)?;
        self.file.header.magic.key = keys.key_id();
        self.file.header.lines = lines;
        self.keys = keys;
        self.changed = true;
        Ok(())
    }

    /// The header lines under another data key: a slot stays in its place.
    fn lines_under(
        &self,
        keys: &Keys,
        mut slots: Vec<Slot>,
        dropped: &[String],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Line>, SealedError> {
        let mut lines = Vec::new();
        let mut unknown = Vec::new();
        for line in &self.file.header.lines {
            match &line.kind {
                LineKind::Slot(slot) => {
                    let place = slots.iter().position(|new| new.id == slot.id);
                    lines.extend(place.map(|place| Line::slot(slots.remove(place))));
                }
                LineKind::Rotation(rotation) => lines.push(Line::rotation(self.rotation_under(keys, rotation, rng)?)),
                LineKind::Unknown => {
                    let kind = line.text.split(' ').next().unwrap_or_default();
                    if !dropped.iter().any(|dropped| dropped == kind) && !unknown.iter().any(|known| known == kind) {
                        unknown.push(kind.to_owned());
                    }
                }
            }
        }
        if !unknown.is_empty() {
            return Err(SealedError::UnknownLines(unknown));
        }
        Ok(lines)
    }

    /// A rotation line with its tokens made anew.
    pub(super) fn rotation_under(
        &self,
        keys: &Keys,
        rotation: &Rotation,
        rng: &mut dyn CryptoRng,
    ) -> Result<Rotation, SealedError> {
        let mut next = rotation.clone();
        let tokens = [(Purpose::Previous, &mut next.previous), (Purpose::Pending, &mut next.pending)];
        for (purpose, token) in tokens {
            if let Some((token, _)) = token {
                *token = self.token_under(keys, purpose, &rotation.name, token, rng)?;
            }
        }
        Ok(next)
    }

    fn rekey_values(&mut self, keys: &Keys, rng: &mut dyn CryptoRng) -> Result<(), SealedError> {
        let is_secret = |entry: &&Entry| entry.storage() == Storage::Secret;
        let names: Vec<VarName> =
            self.file.body.entries().iter().filter(is_secret).map(|entry| entry.name.clone()).collect();
        for name in names {
            let Some(Content::Token(token)) = self.file.body.find(&name).map(|entry| &entry.content) else { continue };
            let token = self.token_under(keys, Purpose::Value, &name, token, rng)?;
            self.file.body.put(&name, Replacement::Token(token));
        }
        Ok(())
    }

    /// A token of the same value under another data key.
    pub(super) fn token_under(
        &self,
        keys: &Keys,
        purpose: Purpose,
        name: &VarName,
        token: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealedError> {
        let value = self.keys.decrypt(purpose, name, token)?;
        keys.encrypt_and_check(purpose, name, &value, rng)
    }
}
