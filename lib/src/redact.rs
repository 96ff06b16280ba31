//! Known values in a stream of bytes: replaced by their names, as they are and as programs like to print them.
//!
//! This hides accidents, not intentions: whoever has a value can always spell it in a way that nobody expects.

use crate::vars::Value;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use std::collections::HashMap;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Shorter values occur in every text by chance.
const SHORTEST: usize = 4;

/// Shorter lines of a value, and shorter encodings.
const SHORTEST_PART: usize = 8;

type Bytes = Zeroizing<Vec<u8>>;

struct Pattern {
    bytes: Bytes,
    instead: Rc<str>,
    /// Whether it may be broken into lines: base64 is at 76 characters or 64, hexadecimal at 60.
    breaks: bool,
}

/// How a pattern and the beginning of a text go together.
#[derive(PartialEq, Eq)]
enum Fit {
    /// The text begins with it, in so many bytes.
    Whole(usize),
    /// The text is the beginning of it.
    Begun,
    Not,
}

impl Pattern {
    fn fit(&self, text: &[u8]) -> Fit {
        if !self.breaks {
            return match text.len() < self.bytes.len() {
                true if self.bytes.starts_with(text) => Fit::Begun,
                false if text.starts_with(&self.bytes) => Fit::Whole(self.bytes.len()),
                _ => Fit::Not,
            };
        }
        let (mut at, mut matched, mut broken) = (0, 0, 0);
        while matched < self.bytes.len() {
            let same = common(&self.bytes[matched..], &text[at..]);
            (at, matched) = (at + same, matched + same);
            match text.get(at) {
                _ if matched == self.bytes.len() => {}
                None => return Fit::Begun,
                // One break in a place: any number of empty lines is no encoding, and would have to be held back.
                Some(b'\r' | b'\n') if matched > broken => {
                    broken = matched;
                    at += if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
                }
                Some(_) => return Fit::Not,
            }
        }
        Fit::Whole(at)
    }
}

/// How many bytes two texts have in common at their beginnings: compared in blocks, as a byte at a time took minutes for a
/// long value of few different characters.
fn common(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let length = one.len().min(other.len());
    let (one, other) = (&one[..length], &other[..length]);
    let blocks = one.chunks(BLOCK).zip(other.chunks(BLOCK));
    let from = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let from = from.min(length);
    from + one[from..].iter().zip(&other[from..]).take_while(|(one, other)| one == other).count()
}

/// Values that are not to be seen.
pub struct Known {
    /// In the order of their bytes, none twice.
    patterns: Vec<Pattern>,
    /// The first of them that begins with these bytes.
    starts: HashMap<[u8; SHORTEST], usize>,
    /// The first bytes alone: most of a text can be no beginning.
    first: [bool; 256],
}

impl Known {
    /// Each of these values is to become `[NAME]`, also in base64, hexadecimal, as part of a URL, of a JSON text or of a
    /// shell's trace, and each longer line of a value of several lines. Values of fewer than four bytes are left alone.
    pub fn new<'v>(values: impl Iterator<Item = (&'v str, &'v Value)>) -> Self {
        let mut patterns = Vec::new();
        // A shell takes the newline at the end away.
        values.for_each(|(name, value)| add(&mut patterns, name, value.expose().trim_ascii()));
        patterns.sort_by(|a, b| (a.bytes.as_slice(), !a.breaks).cmp(&(b.bytes.as_slice(), !b.breaks)));
        patterns.dedup_by(|a, b| a.bytes == b.bytes);
        let (mut starts, mut first) = (HashMap::new(), [false; 256]);
        for (place, pattern) in patterns.iter().enumerate() {
            if let Some(start) = pattern.bytes.first_chunk() {
                starts.entry(*start).or_insert(place);
                first[usize::from(start[0])] = true;
            }
        }
        Known { patterns, starts, first }
    }

    /// For a new stream.
    pub fn redactor(&self) -> Redactor<'_> {
        Redactor { known: self, held: Bytes::default() }
    }

    /// Whether the rest is the beginning of a value, of which more may come.
    fn may_begin(&self, rest: &[u8]) -> bool {
        let is_begun = |pattern: &Pattern| pattern.fit(rest) == Fit::Begun;
        match rest.first_chunk() {
            Some(start) => self.of(start).any(is_begun),
            None => self.patterns.iter().any(is_begun),
        }
    }

    fn longest_at(&self, rest: &[u8]) -> Option<(&Pattern, usize)> {
        let fitting = self.of(rest.first_chunk()?).filter_map(|pattern| match pattern.fit(rest) {
            Fit::Whole(length) => Some((pattern, length)),
            Fit::Begun | Fit::Not => None,
        });
        fitting.max_by_key(|(_, length)| *length)
    }

    fn of(&self, start: &[u8; SHORTEST]) -> impl Iterator<Item = &Pattern> {
        let first = self.starts.get(start).copied().unwrap_or(self.patterns.len());
        self.patterns[first..].iter().take_while(move |pattern| pattern.bytes.starts_with(start))
    }
}

fn add(patterns: &mut Vec<Pattern>, name: &str, text: &str) {
    let (value, instead): (&[u8], Rc<str>) = (text.as_bytes(), format!("[{name}]").into());
    let mut add = |bytes: Bytes, shortest: usize, breaks: bool| {
        if bytes.len() >= shortest {
            patterns.push(Pattern { bytes, instead: Rc::clone(&instead), breaks });
        }
    };
    add(Zeroizing::new(value.to_vec()), SHORTEST, false);
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.for_each(|line| add(Zeroizing::new(line.to_vec()), SHORTEST_PART, false));
    let urls = [LOWER, UPPER].into_iter().flat_map(|digits| URLS.map(|url| percent(value, url, digits)));
    let json = [json(text, |_| false), json(text, |c| !c.is_ascii()), json(text, |c| "<>&".contains(c))];
    let trace = [&b"'\\''"[..], b"'\"'\"'"].map(|quote| quoted(value, quote));
    urls.chain(json).chain(trace).for_each(|bytes| add(bytes, SHORTEST_PART, false));
    let base64 = [STANDARD, URL_SAFE].iter().flat_map(|alphabet| base64_inside(value, alphabet)).collect::<Vec<_>>();
    let encoded = [hex(value, LOWER), hex(value, UPPER)].into_iter().chain(base64);
    encoded.for_each(|bytes| add(bytes, SHORTEST_PART, true));
}

/// Replaces known values in what is pushed through it. It holds back no more than the longest value, encoded and
/// broken into lines.
pub struct Redactor<'k> {
    known: &'k Known,
    held: Bytes,
}

impl Redactor<'_> {
    /// Takes the next bytes of the stream and returns those of which it is known that no value begins among them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut whole = Zeroizing::new(Vec::with_capacity(self.held.len() + bytes.len()));
        whole.extend_from_slice(&self.held);
        whole.extend_from_slice(bytes);
        self.held = whole;
        self.take(false)
    }

    /// The rest, once the stream has ended.
    pub fn finish(mut self) -> Vec<u8> {
        self.take(true)
    }

    fn take(&mut self, ended: bool) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        while at < self.held.len() {
            let rest = &self.held[at..];
            let plain = rest.iter().position(|byte| self.known.first[usize::from(*byte)]).unwrap_or(rest.len());
            if plain > 0 {
                out.extend_from_slice(&rest[..plain]);
                at += plain;
                continue;
            }
            if !ended && self.known.may_begin(rest) {
                break;
            }
            match self.known.longest_at(rest) {
                Some((pattern, length)) => {
                    out.extend_from_slice(pattern.instead.as_bytes());
                    at += length;
                }
                None => {
                    out.push(rest[0]);
                    at += 1;
                }
            }
        }
        self.held = Zeroizing::new(self.held[at..].to_vec());
        out
    }
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn hex(value: &[u8], digits: &[u8; 16]) -> Bytes {
    Zeroizing::new(value.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]).collect())
}

/// What stays as it is in a URL beside letters and digits, and what a space becomes: RFC 3986, 2.3; Python's `quote`;
/// JavaScript's `encodeURIComponent`; a form.
const URLS: [(&[u8], Option<u8>); 4] = [(b"-._~", None), (b"-._~/", None), (b"-._~!*'()", None), (b"-._~", Some(b'+'))];

/// RFC 3986, 2.1.
fn percent(value: &[u8], (stays, space): (&[u8], Option<u8>), digits: &[u8; 16]) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value {
        match (byte, space) {
            (b' ', Some(space)) => out.push(space),
            _ if byte.is_ascii_alphanumeric() || stays.contains(byte) => out.push(*byte),
            _ => {
                out.push(b'%');
                out.extend_from_slice(&hex(&[*byte], digits));
            }
        }
    }
    out
}

/// RFC 8259, section 7, with the short escapes that writers prefer, and others for what a writer `escapes` beyond need.
fn json(value: &str, escapes: impl Fn(char) -> bool) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 6));
    for character in value.chars() {
        let short = match character {
            '"' | '\\' => Some(character),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            _ => None,
        };
        match short {
            Some(short) => out.extend_from_slice(&[b'\\', short as u8]),
            None if character < ' ' || escapes(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(b"\\u");
                    out.extend_from_slice(&hex(&unit.to_be_bytes(), LOWER));
                }
            }
            None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// As `set -x` prints it: `it'\''s` in bash, `it'"'"'s` in dash.
fn quoted(value: &[u8], quote: &[u8]) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * quote.len()));
    for byte in value {
        match byte {
            b'\'' => out.extend_from_slice(quote),
            _ => out.push(*byte),
        }
    }
    out
}

/// RFC 4648: the characters that the value alone decides, wherever it begins in what is encoded.
fn base64_inside(value: &[u8], alphabet: &base64::alphabet::Alphabet) -> [Bytes; 3] {
    let engine = GeneralPurpose::new(alphabet, NO_PAD);
    [0, 1, 2].map(|before: usize| {
        let shifted = Zeroizing::new([&[0, 0][..before], value].concat());
        let encoded = Zeroizing::new(engine.encode(&*shifted).into_bytes());
        let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        Zeroizing::new(encoded.get(first..last).unwrap_or_default().to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretText;
    use base64::engine::general_purpose;

    fn values(texts: &[&str]) -> Vec<(String, Value)> {
        let value = |text: &&str| Value::try_from(SecretText::from(*text)).ok();
        let named = texts.iter().enumerate().map(|(number, text)| (format!("V{number}"), value(text)));
        named.map(|(name, value)| (name, value.unwrap())).collect()
    }

    /// What comes out of the text, pushed in pieces of this size.
    fn through(texts: &[&str], text: &[u8], size: usize) -> String {
        let values = values(texts);
        let known = Known::new(values.iter().map(|(name, value)| (name.as_str(), value)));
        let mut redactor = known.redactor();
        let mut out: Vec<u8> = text.chunks(size).flat_map(|piece| redactor.push(piece)).collect();
        out.extend(redactor.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_become_their_names_however_the_stream_is_cut() {
        let secrets = ["hunter2", "hunter2000", "ab", "line one is long\nline two is long"];
        let text = "a hunter2 b hunter2000 c hunter200 d ab line two is long\nhunter";
        for size in 1..=text.len() {
            let out = through(&secrets, text.as_bytes(), size);
            assert_eq!(out, "a [V0] b [V1] c [V0]00 d ab [V3]\nhunter", "{size}");
        }
    }

    #[test]
    fn what_can_be_no_value_goes_on_at_once() {
        let values = values(&["a very long value that nobody has printed yet"]);
        let known = Known::new(values.iter().map(|(name, value)| (name.as_str(), value)));
        let mut redactor = known.redactor();
        assert_eq!(redactor.push(b"done: a v"), b"done: ");
        assert_eq!(redactor.push(b"ery good"), b"a very good");
    }

    #[test]
    fn empty_lines_are_not_held_back() {
        let values = values(&["a value that is long enough"]);
        let known = Known::new(values.iter().map(|(name, value)| (name.as_str(), value)));
        let mut redactor = known.redactor();
        let begun = general_purpose::STANDARD.encode("a value that is");
        assert!(redactor.push(begun.as_bytes()).is_empty());
        assert!(redactor.push(b"\n").is_empty());
        assert_eq!(redactor.push(b"\n\n\n"), format!("{begun}\n\n\n\n").as_bytes());
    }

    #[test]
    fn encodings_are_known() {
        let secret = "p\"w\\ü\n%/long enough";
        let url = "p%22w%5C%C3%BC%0A%25%2Flong%20enough";
        for (text, expected) in [
            (url.to_owned(), "[V0]"),
            (serde_json::to_string(secret).unwrap(), "\"[V0]\""),
            (hex(secret.as_bytes(), LOWER).iter().map(|b| char::from(*b)).collect(), "[V0]"),
        ] {
            assert_eq!(through(&[secret], text.as_bytes(), 3), expected, "{text}");
        }
        for user in ["", "u", "us", "use", "user"] {
            let plain = format!("{user}{secret}:and more");
            for encoded in [general_purpose::STANDARD.encode(&plain), general_purpose::URL_SAFE_NO_PAD.encode(&plain)] {
                let out = through(&[secret], encoded.as_bytes(), 5);
                assert!(out.contains("[V0]") && out.len() < user.len() * 2 + 30, "{user}: {out}");
            }
        }
    }

    #[test]
    fn what_hooks_print_by_accident_is_known() {
        let secret =
            "it's a \"wörd\"/<1+2>&\u{8}, and long enough for more than one line of what base64 prints \u{1f511}\n";
        let value = secret.trim_end();
        let encoded = general_purpose::STANDARD.encode(secret);
        let wrapped = |width: usize, end: &str| {
            encoded.as_bytes().chunks(width).map(|line| format!("{}{end}", str::from_utf8(line).unwrap())).collect()
        };
        let url = |stays: &str, space: &str, lower: bool| {
            let spelled = |byte: u8| match char::from(byte) {
                ' ' => space.to_owned(),
                character if character.is_ascii_alphanumeric() || stays.contains(character) => character.into(),
                _ if lower => format!("%{byte:02x}"),
                _ => format!("%{byte:02X}"),
            };
            value.bytes().map(spelled).collect::<String>()
        };
        for text in [
            value.to_owned(),
            wrapped(76, "\n"),
            wrapped(64, "\r\n"),
            url("-._~", "%20", true),
            url("-._~/", "%20", false),
            url("-._~!*'()", "%20", false),
            url("-._~", "+", false),
            serde_json::to_string(value).unwrap(),
            "it's a \\\"w\\u00f6rd\\\"/<1+2>&\\b, and long enough for more than one line of what base64 prints \\ud83d\\udd11".into(),
            "it's a \\\"wörd\\\"/\\u003c1+2\\u003e\\u0026\\b, and long enough for more than one line of what base64 prints \u{1f511}".into(),
            value.replace('\'', "'\\''"),
            value.replace('\'', "'\"'\"'"),
        ] {
            for size in [1, 7, 4096] {
                let out = through(&[secret], text.as_bytes(), size);
                assert!(out.contains("[V0]") && out.len() <= 8, "{text}: {out}");
            }
        }
    }
}
