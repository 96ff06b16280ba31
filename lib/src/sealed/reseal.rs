//! The one reader of a file with a bad seal. It takes nothing but lines below the header from it, compares them with
//! revisions that were verified, and gives out what changed, by name, together with a file that can only be sealed.

use super::body::{Body, Content, Entry, Replacement, Storage};
use super::diff::longest_rising;
use super::error::SealedError;
use super::header::{Line, LineKind, PREFIX, Rotation, SlotId};
use super::keys::Purpose;
use super::locked::{check_bytes, check_lines};
use super::merge::{has_key_of, is_same};
use super::unlocked::Unlocked;
use super::utc::Utc;
use crate::vars::{Value, VarName};
use rand::CryptoRng;
use std::collections::BTreeSet;

/// The text of a file whose seal nobody asked about. No value comes out of it.
pub struct Unsealed {
    header: Vec<String>,
    body: Body,
}

/// What a file is compared with. All of them were verified.
#[derive(Clone, Copy)]
pub struct Known<'u> {
    /// The last revision of this branch, which changes are told against.
    pub head: &'u Unlocked,
    /// The one that comes in, during a merge.
    pub theirs: Option<&'u Unlocked>,
    /// Where magic, slots and all other header lines come from: the merge of the two, else `head`.
    pub basis: &'u Unlocked,
    /// The names of which the basis has one side's version, because both changed them.
    pub conflicts: &'u [VarName],
}

/// How a name differs from the last verified revision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Change {
    /// Not there before.
    #[error("added")]
    Added,
    /// Not there any more.
    #[error("removed")]
    Removed,
    /// Another value.
    #[error("changed")]
    Changed,
    /// The value of the revision that comes in.
    #[error("from the other side")]
    Taken,
    /// Not the value of the revision that comes in, although that one changed it.
    #[error("not as the other side changed it")]
    NotTaken,
    /// A value that was sealed once, but in none of the compared revisions.
    #[error("an old value is back")]
    RolledBack,
    /// Encrypted before, readable now.
    #[error("made plain")]
    MadePlain,
    /// Readable before, encrypted now.
    #[error("made secret")]
    MadeSecret,
    /// In another place.
    #[error("moved")]
    Moved,
}

/// A file that could be sealed, and what that would mean.
pub struct Resealed {
    /// To be sealed once somebody said yes.
    pub file: Unlocked,
    /// Every change.
    pub changes: Vec<(VarName, Change)>,
    /// The names that get a new value, how each is stored and what it is, to be held against the declaration.
    pub values: Vec<(VarName, Storage, Value)>,
    /// Header lines of the text that are not taken, and of the basis that it did not have, in words.
    pub header: Vec<String>,
}

/// Where the content of an entry comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Head,
    Theirs,
    Basis,
    /// A token of the same data key, or new text.
    Elsewhere,
}

impl Unsealed {
    /// Parses the text. Whatever its header says, only lines are kept of it.
    ///
    /// # Errors
    /// Conflict markers, and anything below the header that no sealed file may have.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealedError> {
        let text = check_bytes(bytes)?;
        let line_end = check_lines(text)?;
        let header: Vec<String> = text.lines().map_while(|line| line.strip_prefix(PREFIX)).map(str::to_owned).collect();
        let start = text.split_inclusive('\n').take(header.len()).map(str::len).sum();
        Ok(Unsealed { body: Body::parse(&bytes[start..], line_end, header.len())?, header })
    }

    /// Compares the text with what is known, and makes the file that it would be. New lines in plaintext are encrypted
    /// unless the name is plain already, or `plain` says so.
    ///
    /// # Errors
    /// [`SealedError::Value`] for a token that opens in none of the compared revisions; [`SealedError::Rotating`] for a
    /// value that was changed while its next one waits.
    pub fn reseal(
        self,
        known: Known<'_>,
        plain: impl Fn(&VarName) -> bool,
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<Resealed, SealedError> {
        let header = known.basis.file.header.clone();
        let not_taken = header_changes(&self.header, known);
        let names: Vec<VarName> = self.body.entries().iter().map(|entry| entry.name.clone()).collect();
        let moved = moved(known.head, &names);
        let mut work = Work { known, file: known.basis.with_text(header, self.body), changes: Vec::new(), now };
        let mut values = Vec::new();
        let mut origins = Vec::new();
        for name in &names {
            let origin = work.entry(name, &plain, &mut values, rng)?;
            origins.push((name.clone(), origin));
            if moved.contains(name) {
                work.changes.push((name.clone(), Change::Moved));
            }
        }
        work.note_removed(&names);
        work.header(&origins, rng)?;
        let revs = [Some(known.head), known.theirs, Some(known.basis)].into_iter().flatten();
        work.file.file.header.seal.rev = revs.map(|file| file.file.rev()).max().unwrap_or_default();
        Ok(Resealed { file: work.file, changes: work.changes, values, header: not_taken })
    }
}

struct Work<'u> {
    known: Known<'u>,
    /// Header of the basis, body of the text.
    file: Unlocked,
    changes: Vec<(VarName, Change)>,
    now: Utc,
}

/// What stands after the `=` in the text.
enum Found {
    Token(Vec<u8>),
    Plain,
}

impl<'u> Work<'u> {
    /// Checks or encrypts one entry, and notes what it means.
    fn entry(
        &mut self,
        name: &VarName,
        plain: &impl Fn(&VarName) -> bool,
        values: &mut Vec<(VarName, Storage, Value)>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Origin, SealedError> {
        let Some(entry) = self.file.file.body.find(name) else { return Ok(Origin::Elsewhere) };
        let found = match &entry.content {
            Content::Token(token) => Found::Token(token.clone()),
            Content::Plain => Found::Plain,
        };
        if let Some((origin, source)) = self.source(name, entry) {
            if let Found::Token(token) = &found
                && !has_key_of(source, self.known.basis)
            {
                let token = source.token_under(&self.file.keys, Purpose::Value, name, token, rng)?;
                self.file.file.body.put(name, Replacement::Token(token));
            }
            self.note(name, origin)?;
            return Ok(origin);
        }
        match found {
            Found::Token(token) => {
                let opened = self.file.keys.decrypt(Purpose::Value, name, &token);
                let what = "opens in none of the compared revisions: it was altered, or is another name's or file's";
                opened.map_err(|_| SealedError::Value { name: name.clone(), what })?;
                self.changes.push((name.clone(), Change::RolledBack));
                if self.storage_before(name) == Some(Storage::Plain) {
                    self.changes.push((name.clone(), Change::MadeSecret));
                }
                Ok(Origin::Elsewhere)
            }
            Found::Plain => self.typed(name, plain(name), values, rng),
        }
    }

    /// A value that was typed into the file.
    fn typed(
        &mut self,
        name: &VarName,
        plain: bool,
        values: &mut Vec<(VarName, Storage, Value)>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Origin, SealedError> {
        let before = self.storage_before(name);
        let storage = if plain { Storage::Plain } else { before.unwrap_or(Storage::Secret) };
        let Some(value) = self.file.get(name)? else { return Ok(Origin::Elsewhere) };
        let is_as_before = self.known.head.holds(name, &value);
        if storage == Storage::Secret {
            match self.kept_token(name).filter(|_| is_as_before) {
                Some(token) => self.file.file.body.put(name, Replacement::Token(token)),
                None => self.file.put_value(name, &value, storage, rng),
            }
            if is_as_before && before == Some(Storage::Secret) {
                self.note(name, Origin::Head)?;
                return Ok(Origin::Head);
            }
        }
        let change = match before {
            None => Change::Added,
            Some(Storage::Secret) if storage == Storage::Plain => Change::MadePlain,
            Some(_) => Change::Changed,
        };
        self.changes.push((name.clone(), change));
        values.push((name.clone(), storage, value));
        Ok(Origin::Elsewhere)
    }

    /// The token of the last revision, if it opens under the data key of the result.
    fn kept_token(&self, name: &VarName) -> Option<Vec<u8>> {
        let head = self.known.head;
        match &head.file.body.find(name)?.content {
            Content::Token(token) if has_key_of(head, self.known.basis) => Some(token.clone()),
            _ => None,
        }
    }

    /// How the name was stored: here, or on the other side.
    fn storage_before(&self, name: &VarName) -> Option<Storage> {
        self.known.head.storage(name).or_else(|| self.known.theirs?.storage(name))
    }

    /// The revision that has exactly this content.
    fn source(&self, name: &VarName, entry: &Entry) -> Option<(Origin, &'u Unlocked)> {
        let Known { head, theirs, basis, .. } = self.known;
        let sides = [(Origin::Head, Some(head)), (Origin::Theirs, theirs), (Origin::Basis, Some(basis))];
        let has_it = |file: &Unlocked| {
            file.file.body.find(name).is_some_and(|known| match (&known.content, &entry.content) {
                (Content::Token(one), Content::Token(two)) => one == two,
                (Content::Plain, Content::Plain) => file.file.body.text(known) == self.file.file.body.text(entry),
                _ => false,
            })
        };
        sides.into_iter().find_map(|(origin, file)| Some((origin, file.filter(|file| has_it(file))?)))
    }

    /// What it means that an entry is as in one of the compared revisions.
    fn note(&mut self, name: &VarName, origin: Origin) -> Result<(), SealedError> {
        let Known { head, theirs, basis, conflicts } = self.known;
        let mut note = |change| self.changes.push((name.clone(), change));
        match origin {
            Origin::Elsewhere => {}
            Origin::Head => {
                if theirs.is_some() && (conflicts.contains(name) || !is_same(head, basis, name)?) {
                    note(Change::NotTaken);
                }
            }
            Origin::Theirs | Origin::Basis => {
                let source = theirs.unwrap_or(basis);
                if !is_same(head, source, name)? {
                    note(Change::Taken);
                    match (head.storage(name), source.storage(name)) {
                        (Some(Storage::Secret), Some(Storage::Plain)) => note(Change::MadePlain),
                        (Some(Storage::Plain), Some(Storage::Secret)) => note(Change::MadeSecret),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Names of the last revision, and those that the other side added, that the text does not have.
    fn note_removed(&mut self, names: &[VarName]) {
        let present: BTreeSet<&VarName> = names.iter().collect();
        let mut gone: Vec<VarName> = Vec::new();
        for file in [self.known.head, self.known.basis] {
            let missing =
                file.file.body.entries().iter().map(|entry| &entry.name).filter(|name| !present.contains(name));
            gone.extend(missing.cloned());
        }
        gone.sort();
        gone.dedup();
        self.changes.extend(gone.into_iter().map(|name| (name, Change::Removed)));
    }

    /// The header lines of the basis, and the rotation line that goes with each value.
    fn header(&mut self, origins: &[(VarName, Origin)], rng: &mut dyn CryptoRng) -> Result<(), SealedError> {
        let Known { head, theirs, basis, .. } = self.known;
        let is_rotation = |line: &&Line| matches!(line.kind, LineKind::Rotation(_));
        let kept = basis.file.header.lines.iter().filter(|line| !is_rotation(line));
        let mut lines: Vec<Line> = kept.cloned().collect();
        for (name, origin) in origins {
            if self.file.storage(name) != Some(Storage::Secret) {
                self.refuse_lost_rotation(name)?;
                continue;
            }
            let as_in_basis = is_same(&self.file, basis, name)?;
            let source = match origin {
                _ if as_in_basis => basis,
                Origin::Head => head,
                Origin::Theirs => theirs.unwrap_or(basis),
                Origin::Basis | Origin::Elsewhere => basis,
            };
            let Some((_, rotation)) = source.file.header.rotation_of(name) else { continue };
            let rotation = match origin {
                Origin::Elsewhere if !as_in_basis => self.changed_now(rotation)?,
                _ if has_key_of(source, basis) => rotation.clone(),
                _ => source.rotation_under(&self.file.keys, rotation, rng)?,
            };
            lines.push(Line::rotation(rotation));
        }
        self.file.file.header.lines = lines;
        Ok(())
    }

    /// As `set` has it: a value that changed while the next one waits would be lost at its service.
    fn changed_now(&self, rotation: &Rotation) -> Result<Rotation, SealedError> {
        match rotation.pending {
            Some(_) => Err(SealedError::pending(&rotation.name)),
            None => Ok(Rotation { at: self.now, ..rotation.clone() }),
        }
    }

    /// A name that is plain now has no rotation line; one in progress must not be lost.
    fn refuse_lost_rotation(&self, name: &VarName) -> Result<(), SealedError> {
        let pending = self.known.basis.file.header.rotation_of(name).is_some_and(|(_, of)| of.pending.is_some());
        if pending { Err(SealedError::pending(name)) } else { Ok(()) }
    }
}

/// The header lines that differ, in words; none is taken from the text.
fn header_changes(lines: &[String], known: Known<'_>) -> Vec<String> {
    let Known { head, theirs, basis, .. } = known;
    let files = || [Some(head), theirs, Some(basis)].into_iter().flatten();
    let of = |file: &Unlocked| -> Vec<String> {
        let header = &file.file.header;
        [header.magic.to_string()].into_iter().chain(header.lines.iter().map(|line| line.text.clone())).collect()
    };
    let all: BTreeSet<String> = files().flat_map(of).collect();
    let is_seal = |line: &str| line.starts_with("seal ");
    let foreign = lines.iter().filter(|line| !is_seal(line) && !all.contains(*line));
    let mut words: Vec<String> = foreign.map(|line| format!("not taken: {}", line_in_words(line))).collect();
    if theirs.is_none() {
        let missing = of(basis).into_iter().filter(|line| !lines.contains(line));
        for line in missing.map(|line| line_in_words(&line)) {
            if !words.contains(&format!("not taken: {line}")) {
                words.push(format!("stays: {line}"));
            }
        }
    }
    words
}

/// `slot ci`: the kind and the first field's value, where they are what they should be. Anybody can have written the line,
/// and anything.
fn line_in_words(line: &str) -> String {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let field = rest.split(' ').next().and_then(|field| field.split_once('=')).map_or("", |(_, value)| value);
    match kind {
        "1" => "the first line".to_owned(),
        "slot" => SlotId::parse(field).map_or("a malformed slot line".into(), |id| format!("slot {}", id.as_str())),
        "rotation" => {
            VarName::try_from(field).map_or("a malformed rotation line".into(), |name| format!("rotation {name}"))
        }
        _ if rest.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => {
            "a malformed line".to_owned()
        }
        _ => format!("a line of the kind {kind}"),
    }
}

/// The names that stand in another order than before: all but a longest row of those that kept theirs.
fn moved(head: &Unlocked, names: &[VarName]) -> BTreeSet<VarName> {
    let place = |name: &VarName| head.file.body.place(name);
    let staying: BTreeSet<usize> =
        longest_rising(&names.iter().filter_map(place).collect::<Vec<_>>()).into_iter().collect();
    let has_moved = |name: &&VarName| place(name).is_some_and(|place| !staying.contains(&place));
    names.iter().filter(has_moved).cloned().collect()
}

#[cfg(test)]
mod tests;
