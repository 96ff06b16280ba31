//! Reading a sealed file without a key: strict, bounded, whole.

use super::error::SealedError;
use super::forms::parse_token;
use super::header::{FileId, Header, KeyId, Label, PREFIX, SlotKind};
use super::keys::{Keys, lp};
use crate::crypto::Mac;
use crate::dotenv::{Dialect, Document, Duplicates, EntryRef, Kind};
use crate::vars::{MAX_VALUE, VarName};
use std::collections::HashMap;

/// The largest file, in bytes.
pub const MAX_FILE: usize = 16 << 20;

const MAX_LINE: usize = 1 << 20;
const MAX_ENTRIES: usize = 65_536;
const TOKEN_PREFIX: &str = "enc:";

/// How an entry's value is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// Encrypted.
    Secret,
    /// Readable by everybody, but sealed.
    Plain,
}

/// A well-formed sealed file: names and header are known, values are not, and nothing is verified yet.
pub struct Locked {
    pub(super) header: Header,
    pub(super) body: Document,
    /// Where in `body` each entry stands.
    pub(super) places: HashMap<VarName, usize>,
}

/// What stands after the `=` of an entry.
pub(super) enum Content<'t> {
    /// The bytes of a token.
    Token(Vec<u8>),
    /// The exact text of a plain value, quotes and inline comment included.
    Plain(&'t str),
}

impl<'t> Content<'t> {
    /// `None` for a text that starts as a token and is none: there is no way to mean that as plain text unquoted.
    pub(super) fn of(entry: &EntryRef<'t>) -> Option<Self> {
        let text = entry.after_equals();
        match text.strip_prefix(TOKEN_PREFIX) {
            Some(token) => parse_token(token).map(Content::Token),
            None => Some(Content::Plain(text)),
        }
    }
}

impl Locked {
    /// Parses the bytes of a file.
    ///
    /// # Errors
    /// The first thing that breaks the grammar or a limit, by line.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealedError> {
        let text = check_text(bytes)?;
        check_line_ends(text)?;
        let (header, count) = Header::parse(text.lines())?;
        let start = text.split_inclusive('\n').take(count).map(str::len).sum();
        let body = Document::parse(&bytes[start..], Dialect::Own, Duplicates::Refuse)
            .map_err(|errors| first(errors, count))?;
        if body.bom() {
            return Err(SealedError::malformed(count + 1, "a byte order mark"));
        }
        let places = index(&body, count)?;
        let body = body.with_line_end(if text.contains("\r\n") { "\r\n" } else { "\n" });
        let locked = Locked { header, body, places };
        locked.check_rotations()?;
        Ok(locked)
    }

    /// The names in the file's order, and how each is stored.
    pub fn names(&self) -> impl Iterator<Item = (&str, Storage)> {
        self.entries().map(|entry| (entry.name(), storage(&entry)))
    }

    /// The label of the file, if it has one.
    pub fn label(&self) -> Option<&Label> {
        self.header.magic.label.as_ref()
    }

    /// The id that the file keeps for life.
    pub fn file_id(&self) -> &FileId {
        &self.header.magic.file
    }

    /// The id of the data key.
    pub fn key_id(&self) -> &KeyId {
        &self.header.magic.key
    }

    /// The revision, which grows with every write.
    pub fn rev(&self) -> u64 {
        self.header.seal.rev
    }

    /// Whether a password can open the file at all.
    pub fn takes_password(&self) -> bool {
        self.header.slots().any(|slot| matches!(slot.kind, SlotKind::Scrypt { .. }))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.body.entries().map(|(_, entry)| entry)
    }

    /// The seal's MAC over everything but comments, blank lines and line ends.
    pub(super) fn mac(&self, keys: &Keys) -> [u8; 32] {
        let mut mac = SealMac(Mac::new(keys.seal_key().expose()));
        mac.0.update(b"envsec/1 seal\0");
        mac.item(b"M", &[self.header.magic.to_string().as_bytes()]);
        mac.count(self.header.lines.len());
        self.header.lines.iter().for_each(|line| mac.item(b"H", &[line.text.as_bytes()]));
        mac.item(b"R", &[&self.header.seal.rev.to_be_bytes()]);
        mac.count(self.places.len());
        for entry in self.entries() {
            let name = entry.name().as_bytes();
            match Content::of(&entry) {
                Some(Content::Token(token)) => mac.item(b"E", &[&lp(name).0, name, &lp(&token).0, &token]),
                Some(Content::Plain(text)) => {
                    mac.item(b"P", &[&lp(name).0, name, &lp(text.as_bytes()).0, text.as_bytes()])
                }
                None => {} // `index` refused such an entry
            }
        }
        mac.0.finish()
    }

    /// A rotation line belongs to an encrypted entry of its name.
    fn check_rotations(&self) -> Result<(), SealedError> {
        for (at, rotation) in self.header.rotations() {
            let encrypted = self.places.get(&rotation.name).and_then(|&place| self.body.nodes()[place].entry());
            if encrypted.is_none_or(|entry| storage(&entry) != Storage::Secret) {
                let what = format!("the rotation line of {} has no encrypted entry", rotation.name);
                return Err(SealedError::malformed(at + 2, what));
            }
        }
        Ok(())
    }
}

/// The message of the seal, fed to its MAC piece by piece.
struct SealMac(Mac);

impl SealMac {
    /// `item(t, x)` of the format: a type byte, the length of the parts together, the parts.
    fn item(&mut self, kind: &[u8; 1], parts: &[&[u8]]) {
        self.0.update(kind);
        self.count(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| self.0.update(part));
    }

    fn count(&mut self, count: usize) {
        self.0.update(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }
}

pub(super) fn storage(entry: &EntryRef<'_>) -> Storage {
    if entry.after_equals().starts_with(TOKEN_PREFIX) { Storage::Secret } else { Storage::Plain }
}

/// The checks that concern the text as a whole, in the order that gives the most useful message.
fn check_text(bytes: &[u8]) -> Result<&str, SealedError> {
    if bytes.len() > MAX_FILE {
        return Err(SealedError::TooMany { limit: MAX_FILE, what: "bytes" });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
        SealedError::malformed(line, "not UTF-8 text")
    })?;
    for (number, line) in (1..).zip(text.lines()) {
        if line.len() > MAX_LINE {
            return Err(SealedError::TooMany { limit: MAX_LINE, what: "bytes in a line" });
        }
        if is_conflict_marker(line) {
            return Err(SealedError::Conflict { line: number });
        }
    }
    if text.starts_with('\u{feff}') {
        return Err(SealedError::malformed(1, "a byte order mark"));
    }
    Ok(text)
}

/// What git writes between the sides of a merge conflict. No line of a sealed file can look like that.
fn is_conflict_marker(line: &str) -> bool {
    line == "=======" || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
}

/// Every line ends in LF, or every line ends in CRLF; the last one may lack its end.
fn check_line_ends(text: &str) -> Result<(), SealedError> {
    let crlf = text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n"));
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let body = match line.strip_suffix('\n') {
            Some(body) if crlf => body.strip_suffix('\r'),
            Some(body) => Some(body),
            None => Some(line),
        };
        if body.is_none_or(|body| body.contains('\r')) {
            return Err(SealedError::malformed(number, "line ends are mixed: LF throughout or CRLF throughout"));
        }
    }
    Ok(())
}

/// Checks every line below the header against the grammar of a sealed file, which is narrower than dotenv's.
fn index(body: &Document, header_lines: usize) -> Result<HashMap<VarName, usize>, SealedError> {
    let mut places = HashMap::new();
    for (at, node) in body.nodes().iter().enumerate() {
        let line = header_lines + node.line() as usize;
        match node.kind() {
            Kind::Blank => {}
            Kind::Comment if node.text().starts_with(PREFIX) => {
                return Err(SealedError::malformed(line, "a header line below the seal"));
            }
            Kind::Comment if node.text().starts_with('#') => {}
            Kind::Comment => {
                return Err(SealedError::malformed(line, "a comment that does not start in the first column"));
            }
            Kind::Entry(_) => {
                let entry = node.entry().ok_or_else(|| SealedError::malformed(line, "not an entry"))?;
                places.insert(check_entry(&entry, line)?, at);
            }
        }
    }
    if places.len() > MAX_ENTRIES {
        return Err(SealedError::TooMany { limit: MAX_ENTRIES, what: "entries" });
    }
    Ok(places)
}

fn check_entry(entry: &EntryRef<'_>, line: usize) -> Result<VarName, SealedError> {
    let name = VarName::try_from(entry.name()).map_err(|_| SealedError::malformed(line, "not a variable's name"))?;
    let malformed = |what: &str| SealedError::malformed(line, format!("{name}: {what}"));
    if !entry.is_bare_form() || entry.spans_lines() {
        return Err(malformed("an entry of a sealed file is NAME=value on one line, without blanks around ="));
    }
    match Content::of(entry) {
        None => Err(malformed("a malformed encrypted value")),
        Some(Content::Plain(text)) if text.len() > MAX_VALUE && entry.value().len() > MAX_VALUE => {
            Err(malformed("the value is too long"))
        }
        Some(_) => Ok(name),
    }
}

/// A sealed file's error is its first one; its line counts from the top of the file.
fn first(errors: Vec<crate::dotenv::SyntaxError>, header_lines: usize) -> SealedError {
    match errors.into_iter().next() {
        Some(error) => SealedError::Syntax(error.below(u32::try_from(header_lines).unwrap_or(u32::MAX))),
        None => SealedError::Text("the entries cannot be parsed"),
    }
}
