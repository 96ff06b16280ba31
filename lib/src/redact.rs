//! Known values in a stream of bytes: replaced by their names, as they are and as programs like to print them.
//!
//! This hides accidents, not intentions: whoever has a value can always spell it in a way that nobody expects.

use crate::vars::Value;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use std::collections::HashSet;
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
}

/// Values that are not to be seen.
pub struct Known {
    /// In the order of their bytes, none twice.
    patterns: Vec<Pattern>,
    /// What they begin with.
    starts: HashSet<[u8; SHORTEST]>,
}

impl Known {
    /// Each of these values is to become `[NAME]`, also in base64, hexadecimal, as part of a URL or of a JSON text, and
    /// each longer line of a value of several lines. Values of fewer than four bytes are left alone.
    pub fn new<'v>(values: impl Iterator<Item = (&'v str, &'v Value)>) -> Self {
        let mut patterns = Vec::new();
        values.for_each(|(name, value)| add(&mut patterns, name, value.expose().as_bytes()));
        patterns.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        patterns.dedup_by(|a, b| a.bytes == b.bytes);
        let starts = patterns.iter().filter_map(|pattern| pattern.bytes.first_chunk().copied()).collect();
        Known { patterns, starts }
    }

    /// For a new stream.
    pub fn redactor(&self) -> Redactor<'_> {
        Redactor { known: self, held: Bytes::default() }
    }

    /// Whether the rest is the beginning of a value, of which more may come.
    fn may_begin(&self, rest: &[u8]) -> bool {
        if rest.first_chunk().is_some_and(|start| !self.starts.contains(start)) {
            return false;
        }
        // The first pattern after the rest is one that goes on from it, if any is.
        let after = self.patterns.partition_point(|pattern| pattern.bytes.as_slice() <= rest);
        self.patterns.get(after).is_some_and(|pattern| pattern.bytes.starts_with(rest))
    }

    fn longest_at(&self, mut rest: &[u8]) -> Option<&Pattern> {
        if !self.starts.contains(rest.first_chunk()?) {
            return None;
        }
        loop {
            // The last pattern up to the rest begins with every shorter one that the rest begins with too.
            let after = self.patterns.partition_point(|pattern| pattern.bytes.as_slice() <= rest);
            let pattern = self.patterns.get(after.checked_sub(1)?)?;
            if rest.starts_with(&pattern.bytes) {
                return Some(pattern);
            }
            let common = pattern.bytes.iter().zip(rest).take_while(|(a, b)| a == b).count();
            rest = &rest[..common];
        }
    }
}

fn add(patterns: &mut Vec<Pattern>, name: &str, value: &[u8]) {
    let instead: Rc<str> = format!("[{name}]").into();
    let mut add = |bytes: Bytes, shortest: usize| {
        if bytes.len() >= shortest {
            patterns.push(Pattern { bytes, instead: Rc::clone(&instead) });
        }
    };
    add(Zeroizing::new(value.to_vec()), SHORTEST);
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.for_each(|line| add(Zeroizing::new(line.to_vec()), SHORTEST_PART));
    let spelled = [hex(value, b"0123456789abcdef"), hex(value, b"0123456789ABCDEF"), percent(value), json(value)];
    let encoded = [STANDARD, URL_SAFE].iter().flat_map(|alphabet| base64_inside(value, alphabet)).collect::<Vec<_>>();
    spelled.into_iter().chain(encoded).for_each(|bytes| add(bytes, SHORTEST_PART));
}

/// Replaces known values in what is pushed through it. It holds back no more than the longest value.
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
            if !ended && self.known.may_begin(rest) {
                break;
            }
            match self.known.longest_at(rest) {
                Some(pattern) => {
                    out.extend_from_slice(pattern.instead.as_bytes());
                    at += pattern.bytes.len();
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

fn hex(value: &[u8], digits: &[u8; 16]) -> Bytes {
    Zeroizing::new(value.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]).collect())
}

/// RFC 3986, 2.1: all but the unreserved characters.
fn percent(value: &[u8]) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
            _ => {
                out.push(b'%');
                out.extend_from_slice(&hex(&[*byte], b"0123456789ABCDEF"));
            }
        }
    }
    out
}

/// RFC 8259, section 7, with the short escapes that writers prefer.
fn json(value: &[u8]) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 6));
    for byte in value {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=31 => out.extend_from_slice(&[b"\\u00", &hex(&[*byte], b"0123456789abcdef")[..]].concat()),
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
    fn encodings_are_known() {
        let secret = "p\"w\\ü\n%/long enough";
        let url = "p%22w%5C%C3%BC%0A%25%2Flong%20enough";
        for (text, expected) in [
            (url.to_owned(), "[V0]"),
            (serde_json::to_string(secret).unwrap(), "\"[V0]\""),
            (hex(secret.as_bytes(), b"0123456789abcdef").iter().map(|b| char::from(*b)).collect(), "[V0]"),
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
}
