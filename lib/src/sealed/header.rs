//! The header of a sealed file: grammar, parsing and printing side by side, no cryptography.
//!
//! The header is the lines from line 1 to the seal. Every line is kept as the exact text after `#envsec:`, because that
//! text is what the seal covers; what is parsed out of it lies beside.

use super::error::SealedError;
use super::forms::{Fields, b64u, checked, fixed, is_fields, parse_number, parse_token};
use super::utc::Utc;
use crate::vars::VarName;
use std::collections::BTreeSet;
use std::fmt;

/// What every header line starts with.
pub(super) const PREFIX: &str = "#envsec:";

/// Bytes of a wrapped data key: 32 bytes and the AES-GCM tag.
pub(super) const WRAP: usize = 48;

const SUITE: &str = "A256GCM-HS256";
const MAX_LINES: usize = 4096;
const MAX_SLOTS: usize = 64;
const MAX_SCRYPT_SLOTS: usize = 8;

/// The work factors (base-2 logarithm of scrypt's N) that a reader accepts at all; over [`super::slot::READ_MAX`] only on demand.
const WORK_FACTORS: std::ops::RangeInclusive<u8> = 14..=22;

/// A name of an environment: `[a-z0-9._-]`, 1 to 64 characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label(Box<str>);

/// A name of a slot: `[a-z0-9-]`, 1 to 32 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SlotId(Box<str>);

impl Label {
    /// `None` when the text is no label.
    pub fn parse(text: &str) -> Option<Self> {
        checked(text, 64, "._-").map(Label)
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SlotId {
    /// One of envsec's own ids, which is well-formed.
    pub(super) fn fixed(id: &'static str) -> Self {
        SlotId(id.into())
    }

    /// `None` when the text is no slot id.
    pub fn parse(text: &str) -> Option<Self> {
        checked(text, 32, "-").map(SlotId)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The 16 random bytes that name a file for its whole life.
pub type FileId = [u8; 16];

/// The 32 bytes that commit to the data key.
pub type KeyId = [u8; 32];

/// The magic line.
#[derive(Clone)]
pub(super) struct Magic {
    /// `file=`
    pub file: FileId,
    /// `key=`
    pub key: KeyId,
    /// `label=`
    pub label: Option<Label>,
}

impl Magic {
    fn parse(text: &str) -> Result<Self, SealedError> {
        let malformed = || SealedError::malformed(1, "the first line is not a well-formed #envsec:1 line");
        let (version, fields) = text.split_once(' ').ok_or_else(malformed)?;
        if version != "1" {
            return Err(if parse_number(version).is_some() {
                SealedError::Newer(format!("format {version}"))
            } else {
                malformed()
            });
        }
        let mut fields = Fields::new(fields);
        let suite = fields.take("suite").ok_or_else(malformed)?;
        if suite != SUITE {
            let printable = suite.len() <= 64 && suite.bytes().all(|b| b.is_ascii_graphic());
            return Err(if printable { SealedError::Newer(format!("suite {suite}")) } else { malformed() });
        }
        let file = fields.take("file").and_then(fixed).ok_or_else(malformed)?;
        let key = fields.take("key").and_then(fixed).ok_or_else(malformed)?;
        let label = match fields.take("label") {
            Some(label) => Some(Label::parse(label).ok_or_else(malformed)?),
            None => None,
        };
        fields.is_empty().then_some(Magic { file, key, label }).ok_or_else(malformed)
    }
}

/// The text after `#envsec:`.
impl fmt::Display for Magic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 suite={SUITE} file={} key={}", b64u(&self.file), b64u(&self.key))?;
        self.label.as_ref().map_or(Ok(()), |label| write!(f, " label={}", label.as_str()))
    }
}

/// A slot: one credential's way to the data key.
#[derive(Clone)]
pub struct Slot {
    /// Unique in the file.
    pub id: SlotId,
    /// How the credential becomes the slot secret.
    pub kind: SlotKind,
    /// The exact text between `slot ` and ` wrap=`: bound into the wrap.
    pub desc: String,
    /// The wrapped data key.
    pub wrap: [u8; WRAP],
}

/// The type of a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlotKind {
    /// A password through scrypt.
    Scrypt {
        /// Base-2 logarithm of scrypt's N.
        ln: u8,
        /// Random salt.
        salt: [u8; 32],
    },
    /// 32 random key bytes; the salt makes every wrap different.
    Raw,
    /// A type that a later envsec knows: kept, sealed and skipped.
    Unknown(String),
}

impl Slot {
    /// The description of a new scrypt slot.
    pub fn scrypt_desc(id: &SlotId, ln: u8, salt: &[u8; 32]) -> String {
        format!("id={} type=scrypt ln={ln} salt={}", id.as_str(), b64u(salt))
    }

    /// The description of a new raw slot.
    pub fn raw_desc(id: &SlotId, salt: &[u8; 32]) -> String {
        format!("id={} type=raw salt={}", id.as_str(), b64u(salt))
    }

    /// Parses the text after `slot `; `None` when it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let (desc, wrap) = text.rsplit_once(" wrap=")?;
        let mut fields = Fields::new(desc);
        let id = SlotId::parse(fields.take("id")?)?;
        let kind = match fields.take("type")? {
            "scrypt" => {
                let ln = u8::try_from(parse_number(fields.take("ln")?)?).ok().filter(|ln| WORK_FACTORS.contains(ln))?;
                SlotKind::Scrypt { ln, salt: fixed(fields.take("salt")?)? }
            }
            "raw" => {
                fixed::<32>(fields.take("salt")?)?;
                SlotKind::Raw
            }
            unknown => {
                checked(unknown, usize::MAX, "-")?;
                fields.skip_unknown()?;
                SlotKind::Unknown(unknown.to_owned())
            }
        };
        fields.is_empty().then_some(Slot { id, kind, desc: desc.to_owned(), wrap: fixed(wrap)? })
    }
}

/// A rotation line: when a value was last rotated, and values that are on their way in or out.
#[derive(Clone)]
pub(super) struct Rotation {
    /// The entry it belongs to.
    pub name: VarName,
    /// When the value was last changed.
    pub at: Utc,
    /// The old value's token, and until when it is handed out.
    pub previous: Option<(Vec<u8>, Utc)>,
    /// The next value's token, and since when it waits.
    pub pending: Option<(Vec<u8>, Utc)>,
}

impl Rotation {
    /// Parses the text after `rotation `; `None` when it is malformed.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = Fields::new(text);
        let name = VarName::try_from(fields.take("name")?).ok()?;
        let at = Utc::parse(fields.take("at")?)?;
        let mut token_and_time = |token, time| match fields.take(token) {
            Some(token) => Some(Some((parse_token(token)?, Utc::parse(fields.take(time)?)?))),
            None => Some(None),
        };
        let previous = token_and_time("previous", "until")?;
        let pending = token_and_time("pending", "since")?;
        fields.is_empty().then_some(Rotation { name, at, previous, pending })
    }
}

/// The text after `#envsec:`.
impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rotation name={} at={}", self.name, self.at)?;
        if let Some((token, until)) = &self.previous {
            write!(f, " previous={} until={until}", b64u(token))?;
        }
        if let Some((token, since)) = &self.pending {
            write!(f, " pending={} since={since}", b64u(token))?;
        }
        Ok(())
    }
}

/// A header line between magic and seal.
#[derive(Clone)]
pub(super) struct Line {
    /// The exact text after `#envsec:`, which the seal covers.
    pub text: String,
    /// What it says.
    pub kind: LineKind,
}

/// The kinds of header lines.
#[derive(Clone)]
pub(super) enum LineKind {
    /// `slot`
    Slot(Slot),
    /// `rotation`
    Rotation(Rotation),
    /// A kind that a later envsec knows: kept, sealed and skipped.
    Unknown,
}

impl Line {
    /// The line of a slot.
    pub(super) fn slot(slot: Slot) -> Self {
        Line { text: format!("slot {} wrap={}", slot.desc, b64u(&slot.wrap)), kind: LineKind::Slot(slot) }
    }

    /// The line of a rotation.
    pub(super) fn rotation(rotation: Rotation) -> Self {
        Line { text: rotation.to_string(), kind: LineKind::Rotation(rotation) }
    }

    fn parse(text: &str, number: usize) -> Result<Self, SealedError> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        if !(1..=32).contains(&kind.len()) || !kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            return Err(SealedError::malformed(number, "not a header line"));
        }
        if !is_fields(rest) {
            return Err(SealedError::malformed(number, format!("a malformed {kind} line")));
        }
        let parsed = match kind {
            "slot" => Slot::parse(rest).map(LineKind::Slot),
            "rotation" => Rotation::parse(rest).map(LineKind::Rotation),
            _ => Some(LineKind::Unknown),
        };
        let kind = parsed.ok_or_else(|| SealedError::malformed(number, format!("a malformed {kind} line")))?;
        Ok(Line { text: text.to_owned(), kind })
    }
}

/// The seal line.
#[derive(Clone, Copy)]
pub(super) struct Seal {
    /// Grows with every write.
    pub rev: u64,
    /// HMAC over everything but comments and line ends.
    pub mac: [u8; 32],
}

impl Seal {
    /// What the seal line starts with, after `#envsec:`.
    const START: &str = "seal ";

    fn parse(text: &str) -> Option<Self> {
        let mut fields = Fields::new(text.strip_prefix(Self::START)?);
        let rev = parse_number(fields.take("rev")?).filter(|rev| *rev > 0)?;
        let mac = fixed(fields.take("mac")?)?;
        fields.is_empty().then_some(Seal { rev, mac })
    }
}

/// The text after `#envsec:`.
impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}rev={} mac={}", Self::START, self.rev, b64u(&self.mac))
    }
}

/// Everything above the entries.
#[derive(Clone)]
pub(super) struct Header {
    /// Line 1.
    pub magic: Magic,
    /// The lines between magic and seal.
    pub lines: Vec<Line>,
    /// The last header line.
    pub seal: Seal,
}

impl Header {
    /// Parses the header from lines without their ends; returns it and how many lines it has.
    ///
    /// # Errors
    /// Anything that breaks the grammar or its limits, by line number.
    pub(super) fn parse<'t>(mut lines: impl Iterator<Item = &'t str>) -> Result<(Self, usize), SealedError> {
        let first = lines.next().and_then(|line| line.strip_prefix(PREFIX)).ok_or(SealedError::NotSealed)?;
        let magic = Magic::parse(first)?;
        let mut header = Vec::new();
        for (number, line) in (2..).zip(lines) {
            let text = line.strip_prefix(PREFIX).ok_or_else(|| missing_seal(number))?;
            if text.starts_with(Seal::START) {
                let seal = Seal::parse(text).ok_or_else(|| SealedError::malformed(number, "a malformed seal line"))?;
                check_limits(&header)?;
                return Ok((Header { magic, lines: header, seal }, number));
            }
            if header.len() == MAX_LINES {
                return Err(SealedError::TooMany { limit: MAX_LINES, what: "header lines" });
            }
            header.push(Line::parse(text, number)?);
        }
        Err(missing_seal(header.len() + 2))
    }

    /// All slots, in the file's order.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.lines.iter().filter_map(|line| if let LineKind::Slot(slot) = &line.kind { Some(slot) } else { None })
    }

    /// All rotation lines with their index among the header lines.
    pub(super) fn rotations(&self) -> impl Iterator<Item = (usize, &Rotation)> {
        self.lines.iter().enumerate().filter_map(|(at, line)| match &line.kind {
            LineKind::Rotation(rotation) => Some((at, rotation)),
            LineKind::Slot(_) | LineKind::Unknown => None,
        })
    }

    /// The rotation line of a name, with its index among the header lines.
    pub(super) fn rotation_of(&self, name: &VarName) -> Option<(usize, &Rotation)> {
        self.rotations().find(|(_, rotation)| rotation.name == *name)
    }

    /// Prints all header lines, each ended by `line_end`.
    pub(super) fn print(&self, line_end: &str) -> String {
        let lines = self.lines.iter().map(|line| line.text.as_str());
        let (magic, seal) = (self.magic.to_string(), self.seal.to_string());
        let all = std::iter::once(magic.as_str()).chain(lines).chain([seal.as_str()]);
        all.flat_map(|text| [PREFIX, text, line_end]).collect()
    }
}

fn missing_seal(line: usize) -> SealedError {
    SealedError::malformed(line, "the seal line is missing")
}

/// Counts and uniqueness, over the whole header and before any key derivation.
fn check_limits(lines: &[Line]) -> Result<(), SealedError> {
    let (mut ids, mut names, mut scrypt) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (number, line) in (2..).zip(lines) {
        match &line.kind {
            LineKind::Slot(slot) => {
                if !ids.insert(&slot.id) {
                    return Err(SealedError::malformed(number, format!("slot {} is there twice", slot.id.as_str())));
                }
                scrypt += usize::from(matches!(slot.kind, SlotKind::Scrypt { .. }));
            }
            LineKind::Rotation(rotation) if !names.insert(&rotation.name) => {
                return Err(SealedError::malformed(number, format!("{} has two rotation lines", rotation.name)));
            }
            LineKind::Rotation(_) | LineKind::Unknown => {}
        }
    }
    if ids.len() > MAX_SLOTS {
        return Err(SealedError::TooMany { limit: MAX_SLOTS, what: "slots" });
    }
    if scrypt > MAX_SCRYPT_SLOTS {
        return Err(SealedError::TooMany { limit: MAX_SCRYPT_SLOTS, what: "scrypt slots" });
    }
    if ids.is_empty() { Err(SealedError::Text("the file has no slot, so nobody could open it")) } else { Ok(()) }
}
