//! An opened sealed file: its values, changes to it, and the bytes of its next revision.

use super::credential::Credential;
use super::error::SealedError;
use super::forms::b64u;
use super::header::{Header, Label, Line as HeaderLine, Magic, Rotation, Seal, SlotId};
use super::keys::{Keys, Purpose};
use super::locked::{Content, Locked, Storage, storage};
use super::slot::{self, Limits, NewSlot};
use super::utc::Utc;
use crate::crypto;
use crate::dotenv::{Document, Kind, Place, quote};
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarName, Vars};
use rand::CryptoRng;
use std::collections::HashMap;

/// A sealed file whose slot was opened and whose seal was verified.
pub struct Unlocked {
    file: Locked,
    keys: Keys,
    /// The slot that opened it; a new file was opened by none.
    slot: Option<SlotId>,
    changed: bool,
}

/// A line that is not an entry.
pub enum Line<'t> {
    /// A comment with its `#`, without a line end.
    Comment(&'t str),
    /// An empty line.
    Blank,
}

impl Locked {
    /// Opens a slot and verifies the seal. Nothing is decrypted before both succeeded.
    ///
    /// # Errors
    /// As `slot::open`; [`SealedError::Seal`] when anything was changed without a key.
    pub fn unlock(self, credentials: &[Credential], limits: &Limits) -> Result<Unlocked, SealedError> {
        let (keys, slot) = slot::open(&self.header, credentials, limits)?;
        self.unlock_with(keys, Some(slot))
    }

    /// Verifies the seal with keys that are known already.
    fn unlock_with(self, keys: Keys, slot: Option<SlotId>) -> Result<Unlocked, SealedError> {
        if !crypto::equal(&keys.key_id(), &self.header.magic.key) {
            return Err(SealedError::Rekeyed);
        }
        if !crypto::equal(&self.mac(&keys), &self.header.seal.mac) {
            return Err(SealedError::Seal);
        }
        Ok(Unlocked { file: self, keys, slot, changed: false })
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
        let mut body = Document::empty("\n");
        body.insert_blank(0);
        Ok(Unlocked { file: Locked { header, body, places: HashMap::new() }, keys, slot: None, changed: true })
    }

    /// What is known without a key.
    pub fn locked(&self) -> &Locked {
        &self.file
    }

    /// The slot that the file was opened with; `None` for a file that was just made.
    pub fn opened_by(&self) -> Option<&SlotId> {
        self.slot.as_ref()
    }

    /// All values, in the file's order.
    ///
    /// # Errors
    /// [`SealedError::Value`] for the first one that does not decrypt.
    pub fn vars(&self) -> Result<Vars, SealedError> {
        let mut vars = Vars::default();
        for name in self.file.entries().map(|entry| VarName::try_from(entry.name())).filter_map(Result::ok) {
            if let Some(value) = self.get(&name)? {
                vars.insert(name, value);
            }
        }
        Ok(vars)
    }

    /// The value of a name, `None` when there is no such entry.
    ///
    /// # Errors
    /// [`SealedError::Value`] when it does not decrypt.
    pub fn get(&self, name: &VarName) -> Result<Option<Value>, SealedError> {
        let Some(entry) = self.place(name).and_then(|at| self.file.body.nodes()[at].entry()) else { return Ok(None) };
        let wrong = |what| SealedError::Value { name: name.clone(), what };
        match Content::of(&entry).ok_or_else(|| wrong("is malformed"))? {
            Content::Token(token) => self.keys.decrypt(Purpose::Value, name, &token).map(Some),
            Content::Plain(_) => Value::try_from(entry.value()).map(Some).map_err(|_| wrong("is too long")),
        }
    }

    /// Whether anything was changed since the file was opened.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether a name is there.
    pub fn contains(&self, name: &VarName) -> bool {
        self.place(name).is_some()
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
        let current = self.storage_of(name);
        let storage = storage.or(current).unwrap_or(Storage::Secret);
        if current == Some(storage) && self.holds(name, value) {
            return Ok(false);
        }
        self.note_change(name, storage, now)?;
        self.changed = true;
        let raw = self.encode(name, value, storage, rng);
        match self.place(name) {
            Some(at) => self.replace(at, &raw, storage),
            None => self.insert(self.place_for(name), name, &raw),
        }
        Ok(true)
    }

    /// Adds a new entry as the last line. For entries that come with their own order and comments.
    pub fn append(&mut self, name: &VarName, value: &Value, storage: Storage, rng: &mut dyn CryptoRng) {
        self.changed = true;
        let raw = self.encode(name, value, storage, rng);
        self.insert(self.file.body.nodes().len(), name, &raw);
    }

    /// Adds a comment or a blank line at the end.
    pub fn append_line(&mut self, line: Line<'_>) {
        self.changed = true;
        let end = self.file.body.nodes().len();
        match line {
            Line::Comment(text) => self.file.body.insert_comment(end, text),
            Line::Blank => self.file.body.insert_blank(end),
        }
    }

    /// Removes an entry and its rotation line; returns whether it was there.
    pub fn unset(&mut self, name: &VarName) -> bool {
        let Some(at) = self.place(name) else { return false };
        self.changed = true;
        self.file.body.remove(at);
        self.file.header.lines.retain(|line| !is_rotation_of(line, name));
        self.reindex();
        true
    }

    /// The bytes of the next revision, read back and verified as a reader would.
    ///
    /// # Errors
    /// [`SealedError::TooMany`] when the file would pass a limit; [`SealedError::SelfCheck`] when it does not read back.
    pub fn seal(&mut self) -> Result<Vec<u8>, SealedError> {
        let seal = &mut self.file.header.seal;
        seal.rev = seal.rev.checked_add(1).ok_or(SealedError::TooMany { limit: usize::MAX, what: "revisions" })?;
        self.file.header.seal.mac = self.file.mac(&self.keys);
        let bytes = self.print();
        match Locked::parse(&bytes) {
            Err(limit @ SealedError::TooMany { .. }) => Err(limit),
            Err(error) => Err(SealedError::SelfCheck(error.to_string())),
            Ok(read) if crypto::equal(&read.mac(&self.keys), &read.header.seal.mac) => Ok(bytes),
            Ok(_) => Err(SealedError::SelfCheck("its seal does not match".into())),
        }
    }

    /// The same keys for a file that was read again, which is verified with them.
    ///
    /// # Errors
    /// [`SealedError::Rekeyed`] when it is another file or has another data key; [`SealedError::Seal`].
    pub fn reopen(self, again: Locked) -> Result<Self, SealedError> {
        if again.file_id() != self.file.file_id() {
            return Err(SealedError::Rekeyed);
        }
        again.unlock_with(self.keys, self.slot)
    }

    #[cfg(test)]
    pub(super) fn parts(&mut self) -> (&mut Header, &Keys) {
        (&mut self.file.header, &self.keys)
    }

    /// The same keys with another text, verified or not.
    #[cfg(test)]
    pub(super) fn with_file(self, file: Locked) -> Self {
        Unlocked { file, ..self }
    }

    fn print(&self) -> Vec<u8> {
        let mut out = Secret::default();
        out.extend(self.file.header.print(self.file.body.line_end()).as_bytes());
        self.file.body.write_to(&mut out);
        out.expose().to_vec() // ciphertext, and values that are public
    }

    fn place(&self, name: &VarName) -> Option<usize> {
        self.file.places.get(name).copied()
    }

    fn storage_of(&self, name: &VarName) -> Option<Storage> {
        self.place(name).and_then(|at| self.file.body.nodes()[at].entry()).map(|entry| storage(&entry))
    }

    /// Whether the entry has this value. One that does not decrypt has not.
    fn holds(&self, name: &VarName, value: &Value) -> bool {
        let current = self.get(name).ok().flatten();
        current.is_some_and(|current| crypto::equal(current.expose().as_bytes(), value.expose().as_bytes()))
    }

    /// The text after `=`.
    fn encode(&self, name: &VarName, value: &Value, storage: Storage, rng: &mut dyn CryptoRng) -> SecretText {
        match storage {
            Storage::Secret => {
                let token = self.keys.encrypt(Purpose::Value, name, value, rng);
                SecretText::from(format!("enc:{}", b64u(&token)))
            }
            Storage::Plain => quote(value.expose(), Place::SealedLine).1,
        }
    }

    /// What a change of the value does to the name's rotation line.
    fn note_change(&mut self, name: &VarName, storage: Storage, now: Utc) -> Result<(), SealedError> {
        let Some((at, rotation)) = self.file.header.rotation_of(name) else { return Ok(()) };
        let rotating = |state| SealedError::Rotating { name: name.clone(), state };
        if rotation.pending.is_some() {
            return Err(rotating(" (a pending value)"));
        }
        match storage {
            Storage::Secret => {
                let moved = Rotation { at: now, ..rotation.clone() };
                self.file.header.lines[at] = HeaderLine::rotation(moved);
            }
            Storage::Plain if rotation.previous.is_some() => return Err(rotating(" (a previous value)")),
            Storage::Plain => drop(self.file.header.lines.remove(at)),
        }
        Ok(())
    }

    fn replace(&mut self, at: usize, raw: &SecretText, storage: Storage) {
        // A token fills its line, so a comment after it moves to a line of its own.
        let comment = if storage == Storage::Secret { self.file.body.cut_after_value(at) } else { None };
        self.file.body.replace_value(at, raw);
        if let Some(comment) = comment {
            self.file.body.insert_comment(at, comment.expose());
            self.reindex();
        }
    }

    fn insert(&mut self, at: usize, name: &VarName, raw: &SecretText) {
        let last = at == self.file.body.nodes().len();
        self.file.body.insert_entry(at, name, raw);
        if last {
            self.file.places.insert(name.clone(), at);
        } else {
            self.reindex();
        }
    }

    /// Where a new name goes: before the first greater one if the entries are sorted, above the comment that belongs to
    /// it; else to the end. So two branches rarely add their names at the same line.
    fn place_for(&self, name: &VarName) -> usize {
        let nodes = self.file.body.nodes();
        let end = nodes.len();
        if !self.file.entries().is_sorted_by(|a, b| a.name() < b.name()) {
            return end;
        }
        let greater = nodes.iter().position(|node| node.entry().is_some_and(|entry| entry.name() > name.as_str()));
        greater.map_or(end, |at| {
            let comments = nodes[..at].iter().rev().take_while(|node| matches!(node.kind(), Kind::Comment)).count();
            at - comments
        })
    }

    fn reindex(&mut self) {
        let named = self.file.body.entries().map(|(at, entry)| (VarName::try_from(entry.name()), at));
        self.file.places = named.filter_map(|(name, at)| Some((name.ok()?, at))).collect();
    }
}

fn is_rotation_of(line: &HeaderLine, name: &VarName) -> bool {
    matches!(&line.kind, super::header::LineKind::Rotation(rotation) if rotation.name == *name)
}
