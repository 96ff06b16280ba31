//! An opened sealed file: its values, changes to it, and the bytes of its next revision.

use super::body::{Body, Content, Entry, Line, Replacement, Storage};
use super::credential::Credential;
use super::error::{SealedError, Unfinished};
use super::header::{Header, Label, Line as HeaderLine, LineKind, Magic, Rotation, Seal, SlotId};
use super::keys::{Keys, Purpose};
use super::locked::Locked;
use super::slot::{self, Limits, NewSlot};
use super::utc::Utc;
use crate::crypto;
use crate::dotenv::{Place, quote};
use crate::secret::Secret;
use crate::vars::{Value, VarName, Vars};
use rand::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// A sealed file whose slot was opened and whose seal was verified.
pub struct Unlocked {
    pub(super) file: Locked,
    pub(super) keys: Keys,
    /// The slot that opened it; none opened a new file, or one that an unlocked session opened.
    slot: Option<SlotId>,
    /// Whether anything is different from what was read.
    pub(super) changed: bool,
    /// What was set since, to be found again in the new bytes before they are given out.
    written: BTreeMap<VarName, Value>,
}

/// The keys of a file, from a slot that opened.
pub struct Opening {
    keys: Keys,
    slot: Option<SlotId>,
}

impl Opening {
    pub(super) fn new(keys: Keys, slot: Option<SlotId>) -> Self {
        Opening { keys, slot }
    }
}

impl Locked {
    /// Opens the first slot that a credential fits. The seal is not verified yet.
    ///
    /// # Errors
    /// [`SealedError::WrongCredential`] whatever the reason no slot opened; before any key derivation
    /// [`SealedError::NoSuchSlot`], [`SealedError::NoFittingSlot`] and [`SealedError::WorkFactor`].
    pub fn open_slot(&self, credentials: &[Credential], limits: &Limits) -> Result<Opening, SealedError> {
        let (keys, slot) = slot::open(&self.header, credentials, limits)?;
        Ok(Opening { keys, slot: Some(slot) })
    }

    /// Whether a password could open a slot that is to be tried.
    pub fn takes_password(&self, limits: &Limits) -> bool {
        slot::takes_password(&self.header, limits)
    }

    /// Verifies the seal. Nothing is decrypted before that.
    ///
    /// # Errors
    /// [`SealedError::Rekeyed`] when the keys are another file's or an older data key's; [`SealedError::Seal`] when
    /// anything was changed without a key.
    pub fn verify(self, opening: Opening) -> Result<Unlocked, SealedError> {
        let Opening { keys, slot } = opening;
        if !crypto::equal(&keys.key_id(), &self.header.magic.key) {
            return Err(SealedError::Rekeyed);
        }
        if !crypto::equal(&self.mac(&keys), &self.header.seal.mac) {
            return Err(SealedError::Seal);
        }
        Ok(Unlocked { file: self, keys, slot, changed: false, written: BTreeMap::new() })
    }

    /// [`Locked::open_slot`] and [`Locked::verify`].
    ///
    /// # Errors
    /// As both.
    pub fn unlock(self, credentials: &[Credential], limits: &Limits) -> Result<Unlocked, SealedError> {
        let opening = self.open_slot(credentials, limits)?;
        self.verify(opening)
    }
}

impl Unlocked {
    /// A new file without entries: new file id, new data key, revision 0, so that the first [`Unlocked::seal`] makes 1.
    ///
    /// # Errors
    /// As [`NewSlot::make`].
    pub fn create(label: Option<Label>, slots: &[NewSlot], rng: &mut dyn CryptoRng) -> Result<Self, SealedError> {
        let file = crypto::random_bytes(rng);
        let keys = Keys::new(file, crypto::random_key(rng));
        let magic = Magic { file, key: keys.key_id(), label };
        let slots: Result<Vec<_>, _> = slots.iter().map(|slot| slot.make(&keys, file, rng)).collect();
        let lines = slots?.into_iter().map(HeaderLine::slot).collect();
        let header = Header { magic, lines, seal: Seal { rev: 0, mac: [0; 32] } };
        let mut body = Body::empty("\n");
        body.push_line(Line::Blank);
        Ok(Unlocked { file: Locked { header, body }, keys, slot: None, changed: true, written: BTreeMap::new() })
    }

    /// What is known without a key.
    pub fn locked(&self) -> &Locked {
        &self.file
    }

    /// The slot that the file was opened with; `None` for a file that was just made, or that an unlocked session opened.
    pub fn opened_by(&self) -> Option<&SlotId> {
        self.slot.as_ref()
    }

    /// All values, in the file's order.
    ///
    /// # Errors
    /// [`SealedError::Value`] for the first one that does not decrypt.
    pub fn vars(&self) -> Result<Vars, SealedError> {
        let mut vars = Vars::default();
        for entry in self.entries() {
            let (name, _, value) = entry?;
            vars.insert(name.clone(), value);
        }
        Ok(vars)
    }

    /// All names with their storage and value, in the file's order; [`SealedError::Value`] for one that does not decrypt.
    pub fn entries(&self) -> impl Iterator<Item = Result<(&VarName, Storage, Value), SealedError>> {
        self.file.body.entries().iter().map(|entry| Ok((&entry.name, entry.storage(), self.value_of(entry)?)))
    }

    /// The value of a name, `None` when there is no such entry.
    ///
    /// # Errors
    /// [`SealedError::Value`] when it does not decrypt.
    pub fn get(&self, name: &VarName) -> Result<Option<Value>, SealedError> {
        self.file.body.find(name).map(|entry| self.value_of(entry)).transpose()
    }

    /// The old values of rotations that are still handed out at `now`, by the names of their entries.
    ///
    /// # Errors
    /// [`SealedError::Value`] for the first one that does not decrypt.
    pub fn previous(&self, now: Utc) -> Result<Vars, SealedError> {
        let mut vars = Vars::default();
        for (_, rotation) in self.file.header.rotations() {
            let value = self.handed_out(rotation, now)?;
            value.into_iter().for_each(|value| vars.insert(rotation.name.clone(), value));
        }
        Ok(vars)
    }

    /// Whether anything was changed since the file was opened.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether a name is there.
    pub fn contains(&self, name: &VarName) -> bool {
        self.file.body.find(name).is_some()
    }

    /// How a name is stored, if it is there.
    pub fn storage(&self, name: &VarName) -> Option<Storage> {
        self.file.body.find(name).map(Entry::storage)
    }

    /// Gives a name a value; returns whether anything changed. `storage` is how to store it; without, an entry stays as it
    /// is and a new one is secret. `now` goes to the rotation line, if the name has one.
    ///
    /// # Errors
    /// [`SealedError::Rotating`] for a name with a pending value, or made plain with a previous one.
    pub fn set(
        &mut self,
        name: &VarName,
        value: &Value,
        storage: Option<Storage>,
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<bool, SealedError> {
        let current = self.storage(name);
        let storage = storage.or(current).unwrap_or(Storage::Secret);
        if current == Some(storage) && self.holds(name, value) {
            return Ok(false);
        }
        self.note_change(name, storage, now)?;
        self.put_value(name, value, storage, rng);
        Ok(true)
    }

    pub(super) fn put_value(&mut self, name: &VarName, value: &Value, storage: Storage, rng: &mut dyn CryptoRng) {
        let content = self.encode(name, value, storage, rng);
        self.file.body.put(name, content);
    }

    /// Adds a new entry as the last line. For entries that come with their own order and comments.
    pub fn append(&mut self, name: &VarName, value: &Value, storage: Storage, rng: &mut dyn CryptoRng) {
        let content = self.encode(name, value, storage, rng);
        self.file.body.push(name, content);
    }

    /// Adds a comment or a blank line at the end.
    pub fn append_line(&mut self, line: Line<'_>) {
        self.changed = true;
        self.file.body.push_line(line);
    }

    /// Removes entries and their rotation lines; names that are not there are passed over.
    pub fn unset(&mut self, names: &[VarName]) {
        let names: BTreeSet<&VarName> = names.iter().filter(|name| self.contains(name)).collect();
        self.changed |= !names.is_empty();
        self.file.body.remove(&names);
        self.file.header.lines.retain(|line| match &line.kind {
            LineKind::Rotation(rotation) => !names.contains(&rotation.name),
            LineKind::Slot(_) | LineKind::Unknown => true,
        });
        self.written.retain(|name, _| !names.contains(name));
    }

    /// The bytes of the next revision, read back as a reader would: parsed, the seal verified, and every value that was
    /// set compared with what it reads as. What was parsed before is let go of first: of a large file, two take too much
    /// memory.
    ///
    /// # Errors
    /// [`SealedError::WouldExceed`] when the file would pass a limit; [`SealedError::SelfCheck`] when it does not read back.
    pub fn seal(mut self) -> Result<Vec<u8>, SealedError> {
        let exceeded = SealedError::WouldExceed { limit: usize::MAX, what: "revisions" };
        self.file.header.seal.rev = self.file.header.seal.rev.checked_add(1).ok_or(exceeded)?;
        self.file.header.seal.mac = self.file.mac(&self.keys);
        let bytes = self.print();
        drop(self.file);
        check(&bytes, &self.keys, &self.written)?;
        Ok(bytes)
    }

    /// The same keys for a file that was read again, which is verified with them.
    ///
    /// # Errors
    /// [`SealedError::Rekeyed`] when it is another file or has another data key; [`SealedError::RolledBack`];
    /// [`SealedError::Seal`].
    pub fn reopen(self, again: Locked) -> Result<Self, SealedError> {
        if again.file_id() != self.file.file_id() {
            return Err(SealedError::Rekeyed);
        }
        if again.rev() < self.file.rev() {
            return Err(SealedError::RolledBack);
        }
        again.verify(Opening { keys: self.keys, slot: self.slot })
    }

    /// Another text under the data key of this file, to be sealed.
    pub(super) fn with_text(&self, header: Header, body: Body) -> Self {
        let keys = Keys::new(header.magic.file, self.keys.data_key().duplicate());
        Unlocked { file: Locked { header, body }, keys, slot: None, changed: true, written: BTreeMap::new() }
    }

    #[cfg(test)]
    pub(super) fn parts(&mut self) -> (&mut Header, &Keys) {
        (&mut self.file.header, &self.keys)
    }

    /// The same keys with another text, verified or not.
    #[cfg(test)]
    pub(super) fn with_file(self, file: Locked) -> Self {
        Unlocked { file, written: BTreeMap::new(), ..self }
    }

    fn print(&self) -> Vec<u8> {
        let header = self.file.header.print(self.file.body.line_end());
        let mut out = Secret::with_capacity(header.len() + self.file.body.len());
        out.extend(header.as_bytes());
        self.file.body.write_to(&mut out);
        out.expose().to_vec() // ciphertext, and values that are public
    }

    fn value_of(&self, entry: &Entry) -> Result<Value, SealedError> {
        value_of(&self.file, &self.keys, entry)
    }

    /// Whether the entry has this value. One that does not decrypt has not.
    pub(super) fn holds(&self, name: &VarName, value: &Value) -> bool {
        let current = self.get(name).ok().flatten();
        current.is_some_and(|current| crypto::equal(current.expose().as_bytes(), value.expose().as_bytes()))
    }

    pub(super) fn note_written(&mut self, name: &VarName, value: &Value) {
        self.written.insert(name.clone(), value.duplicate());
    }

    /// What to write after the `=`; notes the value for the check before the file is given out.
    fn encode(&mut self, name: &VarName, value: &Value, storage: Storage, rng: &mut dyn CryptoRng) -> Replacement {
        self.changed = true;
        self.note_written(name, value);
        match storage {
            Storage::Secret => Replacement::Token(self.keys.encrypt(Purpose::Value, name, value, rng)),
            Storage::Plain => Replacement::Plain(quote(value.expose(), Place::SealedLine).1),
        }
    }

    /// What a change of the value does to the name's rotation line.
    pub(super) fn note_change(&mut self, name: &VarName, storage: Storage, now: Utc) -> Result<(), SealedError> {
        let Some((at, rotation)) = self.file.header.rotation_of(name) else { return Ok(()) };
        let rotating = |state| SealedError::Rotating { name: name.clone(), state };
        if rotation.pending.is_some() {
            return Err(rotating(Unfinished::Pending));
        }
        match storage {
            Storage::Secret => {
                let moved = Rotation { at: now, ..rotation.clone() };
                self.file.header.lines[at] = HeaderLine::rotation(moved);
            }
            Storage::Plain if rotation.previous.is_some() => return Err(rotating(Unfinished::Grace)),
            Storage::Plain => drop(self.file.header.lines.remove(at)),
        }
        Ok(())
    }
}

/// Reads what is about to be written: the seal, and the values that were set.
pub(super) fn check(bytes: &[u8], keys: &Keys, written: &BTreeMap<VarName, Value>) -> Result<(), SealedError> {
    let failed = |what: String| Err(SealedError::SelfCheck(what));
    let read = match Locked::parse(bytes) {
        Ok(read) => read,
        Err(SealedError::TooMany { limit, what }) => return Err(SealedError::WouldExceed { limit, what }),
        Err(error) => return failed(error.to_string()),
    };
    if !crypto::equal(&read.mac(keys), &read.header.seal.mac) {
        return failed("its seal does not match".into());
    }
    for (name, value) in written {
        let same = |read: Value| crypto::equal(read.expose().as_bytes(), value.expose().as_bytes());
        let found = read.body.find(name).map(|entry| value_of(&read, keys, entry)).transpose()?;
        if !found.is_some_and(same) {
            return failed(format!("{name} has another value"));
        }
    }
    Ok(())
}

fn value_of(file: &Locked, keys: &Keys, entry: &Entry) -> Result<Value, SealedError> {
    let wrong = |what| SealedError::Value { name: entry.name.clone(), what };
    match &entry.content {
        Content::Token(token) => keys.decrypt(Purpose::Value, &entry.name, token),
        Content::Plain => Value::try_from(file.body.plain_value(entry)).map_err(|_| wrong("is too long")),
    }
}
