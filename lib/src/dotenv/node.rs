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

/// Where the parts of an entry stand in the text of its node. A large file has many of them, so offsets are 32 bits.
pub struct Entry {
    name: Range<u32>,
    after_equals: u32,
    value: Range<u32>,
    comment: Option<u32>,
    end: u32,
    quoting: Quoting,
}

/// The same as offsets into a text.
pub(super) struct Places {
    pub(super) name: Range<usize>,
    pub(super) after_equals: usize,
    pub(super) value: Range<usize>,
    pub(super) comment: Option<usize>,
    /// The end of the last line, without its line end.
    pub(super) end: usize,
}

impl Entry {
    /// `None` where a place is 4 GiB away.
    pub(super) fn new(places: Places, quoting: Quoting) -> Option<Self> {
        let range = |range: Range<usize>| Some(at(range.start)?..at(range.end)?);
        Some(Entry {
            name: range(places.name)?,
            after_equals: at(places.after_equals)?,
            value: range(places.value)?,
            comment: places.comment.map_or(Some(None), |comment| at(comment).map(Some))?,
            end: at(places.end)?,
            quoting,
        })
    }

    fn places(&self) -> Places {
        let range = |range: &Range<u32>| range.start as usize..range.end as usize;
        Places {
            name: range(&self.name),
            after_equals: self.after_equals as usize,
            value: range(&self.value),
            comment: self.comment.map(|comment| comment as usize),
            end: self.end as usize,
        }
    }
}

fn at(place: usize) -> Option<u32> {
    u32::try_from(place).ok()
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
        let places = Places { name: 0..name.len(), after_equals, value: after_equals..end, comment: None, end };
        // A line of 4 GiB is none that anybody adds; without its entry it would not be found again.
        let kind = Entry::new(places, Quoting::of(raw)).map_or(Kind::Comment, Kind::Entry);
        Node { text, line: 0, kind }
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
        let (text, places) = (self.text.expose(), entry.places());
        let Places { value, comment, end, .. } = &places;
        if &text[value.clone()] == raw {
            return;
        }
        // An empty value before blanks or a comment would leave a blank after the `=`, which a sealed file refuses.
        let raw = if raw.is_empty() && value.end < *end { "''" } else { raw };
        // A `#` right after a bare value would be taken for a part of it.
        let gap = if *comment == Some(value.end) { " " } else { "" };
        let new = joined(&[&text[..value.start], raw, gap, &text[value.end..]]);
        let moved = |at: usize| at - value.end + value.start + raw.len() + gap.len();
        let moved = Places {
            name: places.name.clone(),
            after_equals: places.after_equals,
            value: value.start..value.start + raw.len(),
            comment: comment.map(moved),
            end: moved(*end),
        };
        if let Some(moved) = Entry::new(moved, Quoting::of(raw)) {
            *entry = moved;
            self.text = new;
        }
    }

    /// Cuts what follows an entry's value, blanks and comment, and returns the comment.
    pub(super) fn cut_after_value(&mut self) -> Option<SecretText> {
        let Kind::Entry(entry) = &mut self.kind else { return None };
        let (text, Places { value, comment, end, .. }) = (self.text.expose(), entry.places());
        let comment = comment.map(|at| SecretText::from(&text[at..end]));
        let new = joined(&[&text[..value.end], &text[end..]]);
        (entry.comment, entry.end) = (None, entry.value.end);
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
        &self.node.text()[self.entry.places().name]
    }

    /// The number of its first line in the text that was parsed, from 1; 0 for an entry that was added since.
    pub fn line(&self) -> u32 {
        self.node.line
    }

    /// The text of the value, quotes included.
    pub fn raw_value(&self) -> &'a str {
        &self.node.text()[self.entry.places().value]
    }

    /// Everything between the `=` (or `:`) and the line end.
    pub fn after_equals(&self) -> &'a str {
        let Places { after_equals, end, .. } = self.entry.places();
        &self.node.text()[after_equals..end]
    }

    /// Whether it has the form of the sealed file: nothing before the name, and no blank around the `=`.
    pub fn is_bare_form(&self) -> bool {
        let Places { name, after_equals, .. } = self.entry.places();
        name.start == 0
            && after_equals == name.end + 1
            && self.node.text().as_bytes().get(name.end) == Some(&b'=')
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
        let Places { comment, end, .. } = self.entry.places();
        comment.map(|at| &self.node.text()[at..end])
    }

    /// Whether the value goes over more than one line.
    pub fn spans_lines(&self) -> bool {
        self.raw_value().contains('\n')
    }
}
