//! One blank line, comment or entry, with its whole text.

use super::decode::decode;
use super::joined;
use crate::secret::SecretText;
use std::ops::Range;

/// A blank line, a comment, or an entry with all its lines; knows its text to the byte.
pub struct Node {
    text: SecretText,
    line: u32,
    kind: Kind,
}

/// What a node is.
pub enum Kind {
    /// Nothing but blanks.
    Blank,
    /// A comment on a line of its own.
    Comment,
    /// A variable.
    Entry(Entry),
}

/// Where the parts of an entry stand in the text of its node.
pub struct Entry {
    pub(super) name: Range<usize>,
    pub(super) after_equals: usize,
    pub(super) value: Range<usize>,
    pub(super) comment: Option<usize>,
    /// The end of the last line, without its line end.
    pub(super) end: usize,
    pub(super) quoting: Quoting,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// As it is, or nothing at all.
    Bare,
    /// `'...'`
    Single,
    /// `"..."`
    Double,
    /// `` `...` ``
    Backtick,
    /// `$'...'`
    Ansi,
}

/// An entry of a document.
#[derive(Clone, Copy)]
pub struct EntryRef<'a> {
    node: &'a Node,
    entry: &'a Entry,
}

impl Node {
    pub(super) fn parsed(text: &str, line: u32, kind: Kind) -> Self {
        Node { text: SecretText::from(text), line, kind }
    }

    /// A node that was not in the text: a blank line or a comment.
    pub(super) fn added(content: &str, line_end: &str, kind: Kind) -> Self {
        Node { text: joined(&[content, line_end]), line: 0, kind }
    }

    /// An entry that was not in the text.
    pub(super) fn added_entry(name: &str, raw: &str, line_end: &str) -> Self {
        let text = joined(&[name, "=", raw, line_end]);
        let after_equals = name.len() + 1;
        let end = after_equals + raw.len();
        let value = after_equals..end;
        let entry = Entry { name: 0..name.len(), after_equals, value, comment: None, end, quoting: Quoting::of(raw) };
        Node { text, line: 0, kind: Kind::Entry(entry) }
    }

    /// The text, line end included.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// The number of its first line in the text that was parsed, from 1; 0 for a node that was added since.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The entry, if it is one.
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        match &self.kind {
            Kind::Entry(entry) => Some(EntryRef { node: self, entry }),
            Kind::Blank | Kind::Comment => None,
        }
    }

    /// Ends the last line if it has no end.
    pub(super) fn end_line(&mut self, line_end: &str) {
        if !self.text().ends_with('\n') {
            self.text.push_str(line_end);
        }
    }

    /// Puts another text in place of an entry's value.
    pub(super) fn replace_value(&mut self, raw: &str) {
        let Kind::Entry(entry) = &mut self.kind else { return };
        let text = self.text.expose();
        let (before, rest) = (&text[..entry.value.start], &text[entry.value.end..]);
        if &text[entry.value.clone()] == raw {
            return;
        }
        let follows = entry.value.end < entry.end;
        // An empty value before blanks or a comment would leave a blank after the `=`, which a sealed file refuses.
        let raw = if raw.is_empty() && follows { "''" } else { raw };
        // A `#` right after a bare value would be taken for a part of it.
        let gap = if entry.comment == Some(entry.value.end) { " " } else { "" };
        let new = joined(&[before, raw, gap, rest]);
        let moved = |at: usize| at - entry.value.end + entry.value.start + raw.len() + gap.len();
        (entry.comment, entry.end) = (entry.comment.map(moved), moved(entry.end));
        entry.value.end = entry.value.start + raw.len();
        entry.quoting = Quoting::of(raw);
        self.text = new;
    }

    /// Cuts what follows an entry's value, blanks and comment, and returns the comment.
    pub(super) fn cut_after_value(&mut self) -> Option<SecretText> {
        let Kind::Entry(entry) = &mut self.kind else { return None };
        let text = self.text.expose();
        let comment = entry.comment.take().map(|at| SecretText::from(&text[at..entry.end]));
        let new = joined(&[&text[..entry.value.end], &text[entry.end..]]);
        entry.end = entry.value.end;
        self.text = new;
        comment
    }
}

impl Quoting {
    /// The quoting of a value's text.
    fn of(raw: &str) -> Self {
        match raw.as_bytes() {
            [b'\'', ..] => Quoting::Single,
            [b'"', ..] => Quoting::Double,
            [b'`', ..] => Quoting::Backtick,
            [b'$', b'\'', ..] => Quoting::Ansi,
            _ => Quoting::Bare,
        }
    }
}

impl<'a> EntryRef<'a> {
    /// The name.
    pub fn name(&self) -> &'a str {
        &self.node.text()[self.entry.name.clone()]
    }

    /// The number of its first line in the text that was parsed, from 1; 0 for an entry that was added since.
    pub fn line(&self) -> u32 {
        self.node.line
    }

    /// The text of the value, quotes included.
    pub fn raw_value(&self) -> &'a str {
        &self.node.text()[self.entry.value.clone()]
    }

    /// Everything between the `=` (or `:`) and the line end.
    pub fn after_equals(&self) -> &'a str {
        &self.node.text()[self.entry.after_equals..self.entry.end]
    }

    /// Whether it has the form of the sealed file: nothing before the name, and no blank around the `=`.
    pub fn is_bare_form(&self) -> bool {
        self.entry.name.start == 0
            && self.entry.after_equals == self.entry.name.end + 1
            && self.node.text().as_bytes().get(self.entry.name.end) == Some(&b'=')
            && !self.after_equals().starts_with([' ', '\t'])
    }

    /// The value.
    pub fn value(&self) -> SecretText {
        decode(self.raw_value(), self.entry.quoting)
    }

    /// How the value is written.
    pub fn quoting(&self) -> Quoting {
        self.entry.quoting
    }

    /// The comment after the value, from its `#` to the line end.
    pub fn inline_comment(&self) -> Option<&'a str> {
        self.entry.comment.map(|at| &self.node.text()[at..self.entry.end])
    }

    /// Whether the value goes over more than one line.
    pub fn spans_lines(&self) -> bool {
        self.raw_value().contains('\n')
    }
}
