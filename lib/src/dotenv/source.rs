//! The grammar of one line and of one value, over byte offsets into the whole text.
//!
//! Every offset that is handed out is that of an ASCII character, of the character after one, or of the end, so slicing
//! there is always at a character's boundary.

use super::chars::{is_ambiguous_after_backslash, is_blank, is_name_byte, refused_in_comment, refused_outside_quotes};
use super::error::Detail;
use super::{Code, Dialect, Quoting};
use std::ops::Range;

/// A text and how to read it.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
}

/// Where a line ends and where the next one starts.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) end: usize,
    pub(super) next: usize,
}

/// The part of an entry up to and including its `=` or `:`.
pub(super) struct Head {
    pub(super) name: Range<usize>,
    /// Right after the `=` or `:`.
    pub(super) end: usize,
    /// Where an empty value stands: a colon needs its blank before it.
    empty: usize,
}

/// The part of an entry after its `=` or `:`.
pub(super) struct Tail {
    pub(super) value: Range<usize>,
    pub(super) quoting: Quoting,
    pub(super) comment: Option<usize>,
    /// The line that the value ends on.
    pub(super) line: Line,
}

/// An error, with offsets in place of lines and columns.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) code: Code,
    pub(super) detail: Detail,
    pub(super) name: Option<Range<usize>>,
    /// Reading goes on after the line that holds this offset.
    pub(super) resume: usize,
}

impl Fault {
    pub(super) fn new(at: usize, code: Code) -> Self {
        Fault { at, code, detail: Detail::None, name: None, resume: at }
    }
}

impl Source<'_> {
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The line that holds `from`; its end is looked for from there on.
    pub(super) fn line(&self, from: usize) -> Line {
        match self.text[from..].find('\n') {
            Some(length) => {
                let feed = from + length;
                Line { end: feed - usize::from(self.text[from..feed].ends_with('\r')), next: feed + 1 }
            }
            None => Line { end: self.text.len(), next: self.text.len() },
        }
    }

    /// The first place from `from` on that holds no blank.
    pub(super) fn skip_blanks(&self, from: usize) -> usize {
        from + self.text.as_bytes()[from..].iter().take_while(|byte| is_blank(**byte)).count()
    }

    /// Checks the comment that starts at `at`.
    pub(super) fn comment(&self, at: usize, line: Line) -> Result<(), Fault> {
        first_refused(&self.text[at..line.end], refused_in_comment)
            .map_or(Ok(()), |(offset, code)| Err(Fault::new(at + offset, code)))
    }

    /// Reads `export NAME =` or `NAME: ` from `first` on.
    pub(super) fn head(&self, first: usize, line: Line) -> Result<Head, Fault> {
        let start = self.skip_export(first, line);
        let end = start + self.text.as_bytes()[start..line.end].iter().take_while(|byte| is_name_byte(**byte)).count();
        let name = &self.text[start..end];
        if name.is_empty() {
            return Err(self.unexpected(start, line, Code::Name));
        }
        // npm dotenv assigns to a plain object, where __proto__ is no variable.
        if name.starts_with(['.', '-']) || name == "__proto__" {
            return Err(Fault::new(start, Code::Name));
        }
        if self.byte(end) == Some(b':') && self.byte(end + 1).is_some_and(is_blank) {
            return Ok(Head { name: start..end, end: end + 1, empty: end + 2 });
        }
        match self.skip_blanks(end) {
            equals if self.byte(equals) == Some(b'=') => {
                Ok(Head { name: start..end, end: equals + 1, empty: equals + 1 })
            }
            other => Err(self.unexpected(other, line, Code::NoEquals)),
        }
    }

    /// Where the name starts: after `export` and blanks, unless a variable of that name is meant.
    fn skip_export(&self, first: usize, line: Line) -> usize {
        let after = first + "export".len();
        if !self.text[first..].starts_with("export") || !self.byte(after).is_some_and(is_blank) {
            return first;
        }
        let name = self.skip_blanks(after);
        if name == line.end || matches!(self.byte(name), Some(b'=' | b':' | b'#')) { first } else { name }
    }

    /// The error for what stands at `at`: `code`, unless the character itself is the trouble.
    fn unexpected(&self, at: usize, line: Line, code: Code) -> Fault {
        let char = self.text[at..line.end].chars().next();
        let refused = char.and_then(refused_outside_quotes);
        // A second byte order mark is what a careless concatenation leaves, so it counts as a bad name.
        let is_mark = char == Some('\u{feff}') && code == Code::Name;
        Fault::new(at, refused.filter(|_| !is_mark).unwrap_or(code))
    }

    /// Reads the value and what follows it.
    pub(super) fn tail(&self, head: &Head, line: Line) -> Result<Tail, Fault> {
        let start = self.skip_blanks(head.end);
        match self.byte(start) {
            Some(b'\'') => self.quoted(start, b'\'', Quoting::Single),
            Some(b'"') => self.quoted(start, b'"', Quoting::Double),
            Some(b'`') => self.quoted(start, b'`', Quoting::Backtick),
            Some(b'$') if self.byte(start + 1) == Some(b'\'') => match self.dialect {
                Dialect::Own => self.ansi(start, line),
                Dialect::Foreign | Dialect::Node => Err(Fault::new(start, Code::AnsiC)),
            },
            _ => self.unquoted(head, line),
        }
    }

    fn unquoted(&self, head: &Head, line: Line) -> Result<Tail, Fault> {
        let text = &self.text[head.end..line.end];
        let hash = text.find('#');
        let value = &text[..hash.unwrap_or(text.len())];
        if let Some((offset, code)) = first_refused(value, refused_outside_quotes) {
            return Err(Fault::new(head.end + offset, code));
        }
        let comment = hash.map(|offset| head.end + offset);
        if let Some(at) = comment {
            if self.dialect != Dialect::Node && !value.ends_with([' ', '\t']) {
                return Err(Fault::new(at, Code::AmbiguousHash));
            }
            self.comment(at, line)?;
        }
        let trimmed = value.trim_matches([' ', '\t']);
        let start = if trimmed.is_empty() { head.empty } else { self.skip_blanks(head.end) };
        Ok(Tail { value: start..start + trimmed.len(), quoting: Quoting::Bare, comment, line })
    }

    fn quoted(&self, open: usize, quote: u8, quoting: Quoting) -> Result<Tail, Fault> {
        let close = self.closing_quote(open, quote)?;
        self.after_quotes(open..close + 1, quoting)
    }

    /// Looks for the quote that ends a value; one right after a backslash does not, as in npm dotenv, which only goes
    /// back to it when nothing else fits, and never here: that would be a second reading.
    ///
    /// A scan ends at the next quote of its kind that no backslash precedes, and every opening quote is such a one, so
    /// all scans of a kind together pass over the text once.
    fn closing_quote(&self, open: usize, quote: u8) -> Result<usize, Fault> {
        let bytes = self.text.as_bytes();
        let mut at = open + 1;
        let (mut ambiguous, mut escaped_quote) = (None, None);
        while let Some(&byte) = bytes.get(at) {
            if byte == quote {
                break;
            }
            if byte == b'\\' {
                let next = bytes.get(at + 1).copied().unwrap_or_default();
                if next == quote || quote == b'"' && is_ambiguous_after_backslash(next) {
                    ambiguous.get_or_insert(at);
                }
                if next == quote {
                    escaped_quote.get_or_insert(at);
                    at += 1;
                }
            }
            at += 1;
        }
        let closed = at < bytes.len();
        match ambiguous.filter(|_| self.dialect != Dialect::Node && (closed || escaped_quote.is_some())) {
            Some(place) => {
                // Perhaps the quote after the backslash was the closing one: then the next line is read for itself.
                let resume = escaped_quote.unwrap_or(at);
                Err(Fault { resume, ..Fault::new(place, Code::AmbiguousEscape) })
            }
            None if closed => Ok(at),
            None => Err(Fault::new(open, Code::Unterminated)),
        }
    }

    /// Reads `$'...'`, which stays on its line.
    fn ansi(&self, start: usize, line: Line) -> Result<Tail, Fault> {
        let bytes = &self.text.as_bytes()[..line.end];
        let mut at = start + 2;
        loop {
            match bytes.get(at) {
                None => return Err(Fault::new(start + 1, Code::Unterminated)),
                Some(b'\'') => return self.after_quotes(start..at + 1, Quoting::Ansi),
                Some(b'\\') => match super::decode::ansi_escape(&bytes[at + 1..]) {
                    Some((_, length)) => at += 1 + length,
                    None => return Err(Fault { detail: Detail::InAnsi, ..Fault::new(at, Code::AmbiguousEscape) }),
                },
                Some(_) => at += 1,
            }
        }
    }

    fn after_quotes(&self, value: Range<usize>, quoting: Quoting) -> Result<Tail, Fault> {
        let line = self.line(value.end);
        let at = self.skip_blanks(value.end);
        let comment = match self.byte(at) {
            _ if at == line.end => None,
            Some(b'#') => Some(at),
            _ => return Err(self.unexpected(at, line, Code::Trailing)),
        };
        comment.map_or(Ok(()), |at| self.comment(at, line))?;
        Ok(Tail { value, quoting, comment, line })
    }
}

fn first_refused(text: &str, refused: impl Fn(char) -> Option<Code>) -> Option<(usize, Code)> {
    // No class refuses these, and long values are made of nothing else.
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return None;
    }
    text.char_indices().find_map(|(offset, char)| refused(char).map(|code| (offset, code)))
}
