//! Reading a sealed file without a key: strict, bounded, whole.

use super::body::{Body, Content, Storage};
use super::error::SealedError;
use super::forms::b64u;
use super::header::{FileId, Header, KeyId, Label};
use super::keys::{Keys, lp};
use crate::crypto::Mac;
use crate::dotenv::MAX_LINES;
use crate::secret::SecretText;

/// The largest file, in bytes.
pub const MAX_FILE: usize = 16 << 20;

const MAX_LINE: usize = 1 << 20;

/// A well-formed sealed file: names and header are known, values are not, and nothing is verified yet.
pub struct Locked {
    pub(super) header: Header,
    pub(super) body: Body,
}

impl Locked {
    /// Parses the bytes of a file.
    ///
    /// # Errors
    /// The first thing that breaks the grammar or a limit, by line.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealedError> {
        let text = check_bytes(bytes)?;
        let line_end = check_lines(text)?;
        let (header, count) = Header::parse(text.lines())?;
        let start = text.split_inclusive('\n').take(count).map(str::len).sum();
        let locked = Locked { header, body: Body::parse(&bytes[start..], line_end, count)? };
        locked.check_rotations()?;
        Ok(locked)
    }

    /// The names in the file's order, and how each is stored.
    pub fn names(&self) -> impl Iterator<Item = (&str, Storage)> {
        self.body.entries().iter().map(|entry| (entry.name.as_str(), entry.storage()))
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

    /// What ENVSEC_PIN holds to accept this file from this revision on: `FILE:KEY:REV`.
    pub fn pin(&self) -> String {
        format!("{}:{}:{}", b64u(self.file_id()), b64u(self.key_id()), self.rev())
    }

    /// The text of comments, those after plain values too, each with its line. Public, and not sealed.
    pub fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        let above = self.header.lines.len() + 2;
        self.body.comments().map(move |(line, text)| (above + line, text))
    }

    /// The plain values, which everybody can read.
    pub fn plain_values(&self) -> impl Iterator<Item = (&str, SecretText)> {
        let plain = self.body.entries().iter().filter(|entry| entry.storage() == Storage::Plain);
        plain.map(|entry| (entry.name.as_str(), self.body.plain_value(entry)))
    }

    /// The seal's MAC over everything but comments, blank lines and line ends.
    pub(super) fn mac(&self, keys: &Keys) -> [u8; 32] {
        let mut mac = SealMac(Mac::new(keys.seal_key().expose()));
        mac.0.update(b"envsec/1 seal\0");
        mac.item(b"M", &[self.header.magic.to_string().as_bytes()]);
        mac.count(self.header.lines.len());
        self.header.lines.iter().for_each(|line| mac.item(b"H", &[line.text.as_bytes()]));
        mac.item(b"R", &[&self.header.seal.rev.to_be_bytes()]);
        mac.count(self.body.entries().len());
        for entry in self.body.entries() {
            let name = entry.name.as_str().as_bytes();
            let (kind, content) = match &entry.content {
                Content::Token(token) => (b"E", token.as_slice()),
                Content::Plain => (b"P", self.body.text(entry).as_bytes()),
            };
            mac.item(kind, &[&lp(name).0, name, &lp(content).0, content]);
        }
        mac.0.finish()
    }

    /// A rotation line belongs to an encrypted entry of its name.
    fn check_rotations(&self) -> Result<(), SealedError> {
        for (at, rotation) in self.header.rotations() {
            let entry = self.body.find(&rotation.name);
            if entry.is_none_or(|entry| entry.storage() != Storage::Secret) {
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

pub(super) fn check_bytes(bytes: &[u8]) -> Result<&str, SealedError> {
    if bytes.len() > MAX_FILE {
        return Err(SealedError::TooMany { limit: MAX_FILE, what: "bytes" });
    }
    let line_ends = |end: usize| bytes[..end].iter().filter(|&&byte| byte == b'\n').count();
    let text = std::str::from_utf8(bytes)
        .map_err(|error| SealedError::malformed(line_ends(error.valid_up_to()) + 1, "not UTF-8 text"))?;
    if line_ends(bytes.len()) > MAX_LINES {
        return Err(SealedError::TooMany { limit: MAX_LINES, what: "lines" });
    }
    if text.starts_with('\u{feff}') {
        return Err(SealedError::malformed(1, "a byte order mark"));
    }
    Ok(text)
}

/// Every line ends in LF, or every line ends in CRLF; the last one may lack its end. Returns which.
pub(super) fn check_lines(text: &str) -> Result<&'static str, SealedError> {
    let crlf = text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n"));
    let has_cr = text.contains('\r');
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let body = match line.strip_suffix('\n') {
            Some(body) if crlf => body.strip_suffix('\r'),
            Some(body) => Some(body),
            None => Some(line),
        };
        let Some(body) = body.filter(|body| !has_cr || !body.contains('\r')) else {
            return Err(SealedError::malformed(number, "line ends are mixed: LF throughout or CRLF throughout"));
        };
        if body.len() > MAX_LINE {
            return Err(SealedError::TooMany { limit: MAX_LINE, what: "bytes in a line" });
        }
        if is_conflict_marker(body) {
            return Err(SealedError::Conflict { line: number });
        }
    }
    Ok(if crlf { "\r\n" } else { "\n" })
}

/// What git writes between the sides of a merge conflict. No line of a sealed file can look like that.
fn is_conflict_marker(line: &str) -> bool {
    line == "=======" || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
}
