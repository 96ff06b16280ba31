//! From the text of a value, quotes included, to the value.

use super::Quoting;
use crate::secret::SecretText;

/// What a value's text stands for.
pub(super) fn decode(raw: &str, quoting: Quoting) -> SecretText {
    match quoting {
        Quoting::Bare => SecretText::from(raw),
        Quoting::Single => unix_lines(inside(raw, "'", '\'')),
        Quoting::Backtick => unix_lines(inside(raw, "`", '`')),
        Quoting::Double => double(inside(raw, "\"", '"')),
        Quoting::Ansi => ansi(inside(raw, "$'", '\'')),
    }
}

fn inside<'a>(raw: &'a str, open: &str, close: char) -> &'a str {
    raw.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).unwrap_or(raw)
}

fn unix_lines(text: &str) -> SecretText {
    let mut value = SecretText::with_capacity(text.len());
    for (index, line) in text.split("\r\n").enumerate() {
        if index > 0 {
            value.push('\n');
        }
        value.push_str(line);
    }
    value
}

/// `\n` and `\r` count wherever they stand, as npm dotenv replaces them without looking at the character before. In
/// the other dialects no backslash precedes another, so there it is the same.
fn double(text: &str) -> SecretText {
    let mut value = SecretText::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\r']) {
        value.push_str(&rest[..at]);
        let (taken, replacement) = match rest.as_bytes()[at..] {
            [b'\\', b'n', ..] | [b'\r', b'\n', ..] => (2, "\n"),
            [b'\\', b'r', ..] => (2, "\r"),
            _ => (1, &rest[at..=at]),
        };
        value.push_str(replacement);
        rest = &rest[at + taken..];
    }
    value.push_str(rest);
    value
}

fn ansi(text: &str) -> SecretText {
    let mut value = SecretText::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        // The parser took only what has an escape here; anything else stays as it is.
        let (char, length) = ansi_escape(&rest.as_bytes()[at + 1..]).unwrap_or(('\\', 0));
        value.push(char);
        rest = &rest[at + 1 + length..];
    }
    value.push_str(rest);
    value
}

/// The character that stands after a backslash in `$'...'`, and how many bytes spell it.
pub(super) fn ansi_escape(after: &[u8]) -> Option<(char, usize)> {
    match *after {
        [char @ (b'\\' | b'\''), ..] => Some((char::from(char), 1)),
        [b'n', ..] => Some(('\n', 1)),
        [b'r', ..] => Some(('\r', 1)),
        [b't', ..] => Some(('\t', 1)),
        [b'x', high @ b'0'..=b'7', low, ..] => {
            let low = char::from(low).to_digit(16).and_then(|digit| u8::try_from(digit).ok())?;
            // Above 7f a shell takes \xHH for a byte, not for a character; a NUL ends the shell's value.
            Some((high - b'0') * 16 + low).filter(|byte| *byte != 0).map(|byte| (char::from(byte), 3))
        }
        _ => None,
    }
}
