//! A three-way merge of opened files, entry by entry. All sides were verified before; the tokens of the data key that the
//! result has stay as they are, byte for byte.

mod header;

use super::body::{Body, Content, Entry};
use super::error::SealedError;
use super::forms::b64u;
use super::header::{Header, SlotId};
use super::keys::Purpose;
use super::layout::{self, Piece};
use super::unlocked::Unlocked;
use crate::crypto;
use crate::error::{Failure, Status};
use crate::secret::{Secret, SecretText};
use crate::vars::VarName;
use header::Block;
use rand::CryptoRng;
use std::collections::BTreeMap;

/// Whose revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Side {
    /// The one that is checked out.
    #[error("ours")]
    Ours,
    /// The one that comes in.
    #[error("theirs")]
    Theirs,
}

/// Why revisions cannot be merged at all.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Another file id, or another label.
    #[error("{0} is not the same sealed file: it was made by an init of its own, or has another label")]
    OtherFile(Side),
    /// A side that is older than what it should come from.
    #[error("{side} is revision {rev}, older than the revision {base} that it should come from")]
    Older {
        /// Which side.
        side: Side,
        /// Its revision.
        rev: u64,
        /// That of the base.
        base: u64,
    },
    /// Two new data keys.
    #[error("both sides gave the file a new data key")]
    TwoKeys,
    /// What makes a file unreadable or unwritable.
    #[error(transparent)]
    Sealed(#[from] SealedError),
}

impl Failure for MergeError {
    fn status(&self) -> Status {
        match self {
            MergeError::OtherFile(_) | MergeError::Older { .. } => Status::NotAuthentic,
            MergeError::TwoKeys => Status::Conflict,
            MergeError::Sealed(error) => error.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        const TAKE_ONE: &str = "take one side whole (git checkout --ours FILE, or --theirs)";
        match self {
            MergeError::OtherFile(_) => Some(format!("{TAKE_ONE}, then set in it what the other one has")),
            MergeError::Older { .. } => {
                Some("an old revision was put in its place, as git revert does: git log -p FILE shows it; git checkout --ours FILE keeps yours".into())
            }
            MergeError::TwoKeys => {
                Some(format!("{TAKE_ONE}, set in it what the other one changed, and remove the slots that the other one removed"))
            }
            MergeError::Sealed(error) => error.hint(),
        }
    }
}

/// Three revisions of a file.
pub struct Merge<'u> {
    base: Option<&'u Unlocked>,
    /// The side whose data key, and so whose magic line and slots, the result has.
    main: &'u Unlocked,
    other: &'u Unlocked,
    main_side: Side,
}

/// What became of them.
pub struct Merged {
    /// All that could be merged, and the main side's version of the rest; not sealed yet.
    pub file: Unlocked,
    /// Names that are different on both sides.
    pub names: Vec<VarName>,
    /// Header lines that cannot be merged, in words.
    pub header: Vec<HeaderConflict>,
    blocks: Vec<Block>,
    pieces: Vec<Piece>,
    texts: BTreeMap<VarName, Text>,
}

/// A header line that one side has and the result cannot have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderConflict {
    /// A slot that both sides have, but not the same.
    #[error("slot {}: different on both sides", .0.as_str())]
    Slot(SlotId),
    /// A slot for a data key that the other side replaced.
    #[error("slot {}: {side} wrapped the old data key for it, and the other side made a new one", .id.as_str())]
    OldKey {
        /// Which slot.
        id: SlotId,
        /// Who added or changed it.
        side: Side,
    },
    /// A line that this envsec does not know, for a data key that the other side replaced.
    #[error("a header line of the kind {0}, which may hold the old data key")]
    Unknown(String),
}

/// What stands after the `=` of a merged entry.
enum Text {
    One(SecretText),
    /// On the main side, and on the other one.
    Two(Option<SecretText>, Option<SecretText>),
}

/// Which side changed something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pick {
    /// Neither, or both in the same way.
    Same,
    Main,
    Other,
    Conflict,
}

/// Compares what the three have of something.
fn pick<T: Copy>(sides: [T; 3], same: impl Fn(T, T) -> Result<bool, SealedError>) -> Result<Pick, SealedError> {
    let [base, main, other] = sides;
    Ok(match (same(base, main)?, same(base, other)?) {
        (true, true) => Pick::Same,
        (false, true) => Pick::Main,
        (true, false) => Pick::Other,
        (false, false) if same(main, other)? => Pick::Same,
        (false, false) => Pick::Conflict,
    })
}

/// An entry and the file that it is in.
#[derive(Clone, Copy)]
struct Held<'u> {
    file: &'u Unlocked,
    entry: &'u Entry,
}

impl<'u> Held<'u> {
    fn find(file: &'u Unlocked, name: &VarName) -> Option<Self> {
        file.file.body.find(name).map(|entry| Held { file, entry })
    }

    /// The text after the `=`.
    fn text(self) -> SecretText {
        SecretText::from(self.file.file.body.text(self.entry))
    }
}

/// Whether two files have the same of a name: stored in the same way, the same value; of a plain one the same text.
pub(super) fn is_same(a: &Unlocked, b: &Unlocked, name: &VarName) -> Result<bool, SealedError> {
    same_entry(Held::find(a, name), Held::find(b, name))
}

fn same_entry(a: Option<Held<'_>>, b: Option<Held<'_>>) -> Result<bool, SealedError> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(a.is_none() && b.is_none()) };
    match (&a.entry.content, &b.entry.content) {
        (Content::Token(one), Content::Token(two)) => {
            same_token(Purpose::Value, &a.entry.name, (a.file, one), (b.file, two))
        }
        (Content::Plain, Content::Plain) => Ok(a.file.file.body.text(a.entry) == b.file.file.body.text(b.entry)),
        _ => Ok(false),
    }
}

/// A token with the file that it is in.
type Token<'u> = (&'u Unlocked, &'u Vec<u8>);

fn same_token(purpose: Purpose, name: &VarName, (a, one): Token<'_>, (b, two): Token<'_>) -> Result<bool, SealedError> {
    if one == two && has_key_of(a, b) {
        return Ok(true);
    }
    let (one, two) = (a.keys.decrypt(purpose, name, one)?, b.keys.decrypt(purpose, name, two)?);
    Ok(crypto::equal(one.expose().as_bytes(), two.expose().as_bytes()))
}

pub(super) fn has_key_of(a: &Unlocked, b: &Unlocked) -> bool {
    a.file.key_id() == b.file.key_id()
}

impl<'u> Merge<'u> {
    /// Without a base both sides added the file. `has_base` says whether ours comes from the base at all: a cherry-pick's
    /// base is on the other branch, and may be newer without anything being wrong.
    ///
    /// # Errors
    /// [`MergeError::OtherFile`], [`MergeError::Older`], [`MergeError::TwoKeys`].
    pub fn new(
        base: Option<&'u Unlocked>,
        ours: &'u Unlocked,
        theirs: &'u Unlocked,
        has_base: impl Fn() -> bool,
    ) -> Result<Self, MergeError> {
        let reference = base.unwrap_or(ours);
        for (side, file) in [(Side::Ours, ours), (Side::Theirs, theirs)] {
            let (file, reference) = (&file.file, &reference.file);
            if file.file_id() != reference.file_id() || file.label() != reference.label() {
                return Err(MergeError::OtherFile(side));
            }
            let is_older = base.is_some() && file.rev() < reference.rev();
            if is_older && (side == Side::Theirs || has_base()) {
                return Err(MergeError::Older { side, rev: file.rev(), base: reference.rev() });
            }
        }
        let same = has_key_of(ours, theirs);
        match base {
            _ if same => Ok(Merge { base, main: ours, other: theirs, main_side: Side::Ours }),
            Some(old) if has_key_of(old, theirs) => {
                Ok(Merge { base, main: ours, other: theirs, main_side: Side::Ours })
            }
            Some(old) if has_key_of(old, ours) => {
                Ok(Merge { base, main: theirs, other: ours, main_side: Side::Theirs })
            }
            _ => Err(MergeError::TwoKeys),
        }
    }

    /// The lines of base, ours and theirs without any value, to be merged as text.
    pub fn outlines(&self) -> [String; 3] {
        let (ours, theirs) = self.by_side(self.main, self.other);
        let outline = |file: &Unlocked| file.file.body.outline();
        [self.base.map_or_else(String::new, outline), outline(ours), outline(theirs)]
    }

    /// Merges entries and header, and puts them into the merged outline.
    ///
    /// # Errors
    /// [`SealedError::Value`] for what does not decrypt; [`SealedError::LastSlot`] when the sides together removed every
    /// slot; an outline with lines that no file may have.
    pub fn run(&self, outline: &str, rng: &mut dyn CryptoRng) -> Result<Merged, MergeError> {
        let mut texts = BTreeMap::new();
        let (mut picks, mut order, mut conflicts) = (BTreeMap::new(), Vec::new(), Vec::new());
        for name in self.names() {
            let picked = self.pick_entry(&name)?;
            let (text, is_conflict) = self.text_of(&name, picked, rng)?;
            if is_conflict {
                conflicts.push(name.clone());
            }
            if let Some(text) = text {
                texts.insert(name.clone(), text);
                order.push(name.clone());
            }
            picks.insert(name, picked);
        }
        let sorted = self.main.file.body.is_sorted() && self.other.file.body.is_sorted();
        let pieces = layout::arrange(outline, &order, sorted)?;
        let body = self.body(&pieces, &texts)?;
        let lines = self.header_lines(&body, &picks, rng)?;
        let mut header = Header { lines: lines.lines, ..self.main.file.header.clone() };
        let revs = [self.base, Some(self.main), Some(self.other)].into_iter().flatten().map(|file| file.file.rev());
        header.seal.rev = revs.max().unwrap_or_default();
        let file = self.main.with_text(header, body);
        Ok(Merged { file, names: conflicts, header: lines.conflicts, blocks: lines.blocks, pieces, texts })
    }

    /// Every name, in the order of ours and then of theirs.
    fn names(&self) -> Vec<VarName> {
        let (ours, theirs) = self.by_side(self.main, self.other);
        let of = |file: &'u Unlocked| file.file.body.entries().iter().map(|entry| entry.name.clone());
        let added = of(theirs).filter(|name| ours.file.body.find(name).is_none());
        let gone = self.base.into_iter().flat_map(of);
        let gone = gone.filter(|name| self.main.file.body.find(name).or(self.other.file.body.find(name)).is_none());
        of(ours).chain(added).chain(gone).collect()
    }

    fn held(&self, name: &VarName) -> [Option<Held<'u>>; 3] {
        [self.base.and_then(|base| Held::find(base, name)), Held::find(self.main, name), Held::find(self.other, name)]
    }

    fn pick_entry(&self, name: &VarName) -> Result<Pick, SealedError> {
        let value = pick(self.held(name), same_entry)?;
        self.with_rotation(name, value)
    }

    /// What stands after the `=`, if the name is there at all, and whether that is a conflict.
    fn text_of(
        &self,
        name: &VarName,
        picked: Pick,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Option<Text>, bool), SealedError> {
        let [_, main, other] = self.held(name);
        let main_text = main.map(Held::text);
        Ok(match picked {
            Pick::Same | Pick::Main => (main_text.map(Text::One), false),
            Pick::Other => (other.map(|other| self.carried(other, rng)).transpose()?.map(Text::One), false),
            Pick::Conflict => (Some(Text::Two(main_text, other.map(Held::text))), true),
        })
    }

    /// The text of the other side's entry under the data key of the result.
    fn carried(&self, other: Held<'_>, rng: &mut dyn CryptoRng) -> Result<SecretText, SealedError> {
        match &other.entry.content {
            Content::Token(token) if !has_key_of(self.main, self.other) => {
                let name = &other.entry.name;
                let token = other.file.token_under(&self.main.keys, Purpose::Value, name, token, rng)?;
                Ok(SecretText::from(format!("enc:{}", b64u(&token))))
            }
            _ => Ok(other.text()),
        }
    }

    fn line_end(&self) -> &'static str {
        self.by_side(self.main, self.other).0.file.body.line_end()
    }

    /// `main` and `other` as ours and theirs.
    fn by_side<T>(&self, main: T, other: T) -> (T, T) {
        match self.main_side {
            Side::Ours => (main, other),
            Side::Theirs => (other, main),
        }
    }

    fn other_side(&self) -> Side {
        self.by_side(Side::Theirs, Side::Ours).0
    }

    /// The body of the result; of a conflict it has what the main side has.
    fn body(&self, pieces: &[Piece], texts: &BTreeMap<VarName, Text>) -> Result<Body, SealedError> {
        let end = self.line_end();
        let mut out = Writer(Secret::with_capacity(self.room()));
        for piece in pieces {
            match piece {
                Piece::Other(text) => out.line(&[text, end]),
                Piece::Entry(name) => match texts.get(name) {
                    Some(Text::One(text) | Text::Two(Some(text), _)) => out.entry(name, text, end),
                    Some(Text::Two(None, _)) | None => {}
                },
            }
        }
        Body::parse(out.0.expose(), end, 0)
    }

    fn room(&self) -> usize {
        self.main.file.body.len() + self.other.file.body.len() + 1024
    }

    /// The file with git's conflict markers around what is different on both sides. Nothing in it is plaintext that a side
    /// does not have in plaintext, and its seal does not match.
    pub fn with_markers(&self, merged: &Merged) -> Vec<u8> {
        let end = self.line_end();
        let (ours, _) = self.by_side(self.main, self.other);
        let mut out = Writer(Secret::with_capacity(self.room() * 2));
        let header = &merged.file.file.header;
        out.line(&["#envsec:", &header.magic.to_string(), end]);
        for line in header.lines.iter().filter(|line| !merged.blocks.iter().any(|block| block.is_of(line))) {
            out.line(&["#envsec:", &line.text, end]);
        }
        for block in &merged.blocks {
            let (one, two) = self.by_side(&block.main, &block.other);
            out.conflict(one.as_ref(), two.as_ref(), end, |out, text| out.line(&["#envsec:", text, end]));
        }
        out.line(&["#envsec:", &ours.file.header.seal.to_string(), end]);
        for piece in &merged.pieces {
            match piece {
                Piece::Other(text) => out.line(&[text, end]),
                Piece::Entry(name) => match merged.texts.get(name) {
                    Some(Text::One(text)) => out.entry(name, text, end),
                    Some(Text::Two(main, other)) => {
                        let (one, two) = self.by_side(main, other);
                        out.conflict(one.as_ref(), two.as_ref(), end, |out, text| out.entry(name, text, end));
                    }
                    None => {}
                },
            }
        }
        out.0.expose().to_vec() // ciphertext, and values that are public
    }
}

impl Merged {
    /// Whether something is left for a person to decide.
    pub fn is_conflict(&self) -> bool {
        !(self.names.is_empty() && self.header.is_empty())
    }
}

/// The text of a file. Plain values are in it.
struct Writer(Secret);

impl Writer {
    fn line(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.0.extend(part.as_bytes()));
    }

    fn entry(&mut self, name: &VarName, text: &SecretText, end: &str) {
        self.line(&[name.as_str(), "=", text.expose(), end]);
    }

    fn conflict<T>(&mut self, ours: Option<T>, theirs: Option<T>, end: &str, write: impl Fn(&mut Self, T)) {
        self.line(&["<<<<<<< ours", end]);
        ours.into_iter().for_each(|ours| write(self, ours));
        self.line(&["=======", end]);
        theirs.into_iter().for_each(|theirs| write(self, theirs));
        self.line(&[">>>>>>> theirs", end]);
    }
}

#[cfg(test)]
mod tests;
