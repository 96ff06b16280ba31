//! The lines below the header: entries, comments and blank lines on their text, strictly read and losslessly edited.

use super::error::SealedError;
use super::forms::{b64u, parse_token};
use super::header::PREFIX;
use super::rewrite::BodyLine;
use crate::dotenv::{Dialect, Document, Duplicates, EntryRef, Kind, Node, SyntaxError};
use crate::secret::{Secret, SecretText};
use crate::vars::{MAX_VALUE, VarName};
use std::collections::{BTreeMap, BTreeSet};

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

/// A line that is not an entry.
pub enum Line<'t> {
    /// A comment with its `#`, without a line end.
    Comment(&'t str),
    /// An empty line.
    Blank,
}

/// The entries, each parsed once, and the text that they stand in.
pub(super) struct Body {
    document: Document,
    entries: Vec<Entry>,
    /// Where in `entries` a name stands.
    places: BTreeMap<VarName, usize>,
}

/// An entry of a sealed file.
pub(super) struct Entry {
    pub(super) name: VarName,
    pub(super) content: Content,
    /// Where in the document it stands.
    node: usize,
}

/// What stands after the `=` of an entry.
pub(super) enum Content {
    /// The bytes of a token.
    Token(Vec<u8>),
    /// A plain value: [`Body::text`] is its exact text, [`Body::plain_value`] what it means.
    Plain,
}

/// What shall stand after the `=` of an entry.
pub(super) enum Replacement {
    /// The bytes of a token.
    Token(Vec<u8>),
    /// The text of a plain value, quotes included.
    Plain(SecretText),
}

impl Entry {
    pub(super) fn storage(&self) -> Storage {
        match self.content {
            Content::Token(_) => Storage::Secret,
            Content::Plain => Storage::Plain,
        }
    }
}

impl Replacement {
    fn text(&self) -> SecretText {
        match self {
            Replacement::Token(token) => SecretText::from(format!("{TOKEN_PREFIX}{}", b64u(token))),
            Replacement::Plain(raw) => raw.duplicate(),
        }
    }

    fn into_content(self) -> Content {
        match self {
            Replacement::Token(token) => Content::Token(token),
            Replacement::Plain(_) => Content::Plain,
        }
    }
}

impl Body {
    /// No line at all.
    pub(super) fn empty(line_end: &'static str) -> Self {
        Body { document: Document::empty(line_end), entries: Vec::new(), places: BTreeMap::new() }
    }

    /// Parses the text below `header_lines` lines of header. The grammar is narrower than dotenv's.
    pub(super) fn parse(text: &[u8], line_end: &'static str, header_lines: usize) -> Result<Self, SealedError> {
        let document = Document::parse(text, Dialect::Own, Duplicates::Refuse);
        let document = document.map_err(|errors| first(errors, header_lines))?.with_line_end(line_end);
        if document.bom() {
            return Err(SealedError::malformed(header_lines + 1, "a byte order mark"));
        }
        let mut entries = Vec::with_capacity(document.entries().count());
        for (at, node) in document.nodes().iter().enumerate() {
            let line = header_lines + node.line() as usize;
            match (node.kind(), node.entry()) {
                (_, Some(entry)) => entries.push(check_entry(&entry, at, line)?),
                (Kind::Comment, _) if node.text().starts_with(PREFIX) => {
                    return Err(SealedError::malformed(line, "a header line below the seal"));
                }
                (Kind::Comment, _) if !node.text().starts_with('#') => {
                    return Err(SealedError::malformed(line, "a comment that does not start in the first column"));
                }
                _ => {}
            }
        }
        if entries.len() > MAX_ENTRIES {
            return Err(SealedError::TooMany { limit: MAX_ENTRIES, what: "entries" });
        }
        let places = index(&entries);
        Ok(Body { document, entries, places })
    }

    /// All entries, in the file's order.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where among the entries a name stands.
    pub(super) fn place(&self, name: &VarName) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The entry of a name.
    pub(super) fn find(&self, name: &VarName) -> Option<&Entry> {
        self.places.get(name).map(|&place| &self.entries[place])
    }

    /// The exact text after an entry's `=`, quotes and inline comment included: what the seal covers of a plain value.
    pub(super) fn text(&self, entry: &Entry) -> &str {
        self.document.nodes()[entry.node].entry().map_or("", |entry| entry.after_equals())
    }

    /// What a plain value means.
    pub(super) fn plain_value(&self, entry: &Entry) -> SecretText {
        self.document.nodes()[entry.node].entry().map_or_else(SecretText::default, |entry| entry.value())
    }

    /// Comments on lines of their own and after plain values, with their lines counted from 1.
    pub(super) fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        self.document.nodes().iter().filter_map(|node| {
            let text = match (node.kind(), node.entry()) {
                (Kind::Comment, _) => node.text(),
                (_, Some(entry)) => entry.inline_comment()?,
                _ => return None,
            };
            Some((node.line() as usize, text))
        })
    }

    /// Gives a name a new content: in its place, or as a new entry where [`Body::place_for`] says.
    pub(super) fn put(&mut self, name: &VarName, new: Replacement) {
        match self.places.get(name) {
            Some(&place) => self.replace(place, new),
            None => self.insert(self.place_for(name), name, new),
        }
    }

    /// Adds a new entry as the last line.
    pub(super) fn push(&mut self, name: &VarName, new: Replacement) {
        self.insert(self.document.nodes().len(), name, new);
    }

    /// Adds a comment or a blank line at the end.
    pub(super) fn push_line(&mut self, line: Line<'_>) {
        let end = self.document.nodes().len();
        match line {
            Line::Comment(text) => self.insert_comment(end, text),
            Line::Blank => self.document.insert_blank(end),
        }
    }

    /// Removes the entries of these names, exactly their lines.
    pub(super) fn remove(&mut self, names: &BTreeSet<&VarName>) {
        let going: BTreeSet<usize> =
            self.entries.iter().filter(|entry| names.contains(&entry.name)).map(|entry| entry.node).collect();
        self.document.retain(|at| !going.contains(&at));
        self.entries.retain(|entry| !going.contains(&entry.node));
        let standing = self.document.entries().map(|(at, _)| at);
        self.entries.iter_mut().zip(standing).for_each(|(entry, at)| entry.node = at);
        self.places = index(&self.entries);
    }

    /// The lines.
    pub(super) fn nodes(&self) -> &[Node] {
        self.document.nodes()
    }

    /// How lines end.
    pub(super) fn line_end(&self) -> &'static str {
        self.document.line_end()
    }

    /// Appends the text to `out`.
    pub(super) fn write_to(&self, out: &mut Secret) {
        self.document.write_to(out);
    }

    /// The text.
    pub(super) fn to_text(&self) -> Secret {
        let mut text = Secret::with_capacity(self.len());
        self.write_to(&mut text);
        text
    }

    /// The lines, in order.
    pub(super) fn lines(&self) -> Vec<BodyLine<'_>> {
        let mut entries = self.entries.iter();
        let nodes = self.document.nodes().iter();
        let lines = nodes.filter_map(|node| {
            let text = node.text().trim_end_matches(['\r', '\n']);
            match node.kind() {
                Kind::Comment => Some(BodyLine::Comment(text)),
                Kind::Blank => Some(BodyLine::Blank(text)),
                Kind::Entry(_) => entries.next().map(|entry| BodyLine::Entry(&entry.name)),
            }
        });
        lines.collect()
    }

    /// Length of the text in bytes.
    pub(super) fn len(&self) -> usize {
        self.document.size()
    }

    fn replace(&mut self, place: usize, new: Replacement) {
        let node = self.entries[place].node;
        // A token fills its line, so a comment after it moves to a line of its own.
        let secret = matches!(new, Replacement::Token(_));
        let comment = if secret { self.document.cut_after_value(node) } else { None };
        self.document.replace_value(node, &new.text());
        self.entries[place].content = new.into_content();
        if let Some(comment) = comment {
            self.insert_comment(node, comment.expose());
            self.shift(node);
        }
    }

    fn insert(&mut self, at: usize, name: &VarName, new: Replacement) {
        let place = self.entries.partition_point(|entry| entry.node < at);
        self.document.insert_entry(at, name, &new.text());
        self.shift(at);
        if place < self.entries.len() {
            self.places.values_mut().filter(|other| **other >= place).for_each(|other| *other += 1);
        }
        self.places.insert(name.clone(), place);
        self.entries.insert(place, Entry { name: name.clone(), content: new.into_content(), node: at });
    }

    /// One node was inserted at `at`.
    fn shift(&mut self, at: usize) {
        let first = self.entries.partition_point(|entry| entry.node < at);
        self.entries[first..].iter_mut().for_each(|entry| entry.node += 1);
    }

    /// Below the header nothing may look like a header line.
    fn insert_comment(&mut self, at: usize, text: &str) {
        match text.strip_prefix(PREFIX) {
            Some(rest) => self.document.insert_comment(at, &format!("# envsec:{rest}")),
            None => self.document.insert_comment(at, text),
        }
    }

    /// The node where a new name goes: before the first greater one if the entries are sorted, above the comment that
    /// belongs to it; else to the end. So two branches rarely add their names at the same line.
    fn place_for(&self, name: &VarName) -> usize {
        let nodes = self.document.nodes();
        if !self.is_sorted() {
            return nodes.len();
        }
        let greater = self.entries.iter().find(|entry| entry.name > *name).map(|entry| entry.node);
        greater.map_or(nodes.len(), |at| {
            let comments = nodes[..at].iter().rev().take_while(|node| matches!(node.kind(), Kind::Comment)).count();
            at - comments
        })
    }
}

fn index(entries: &[Entry]) -> BTreeMap<VarName, usize> {
    entries.iter().enumerate().map(|(place, entry)| (entry.name.clone(), place)).collect()
}

fn check_entry(entry: &EntryRef<'_>, node: usize, line: usize) -> Result<Entry, SealedError> {
    let name = VarName::try_from(entry.name()).map_err(|_| SealedError::malformed(line, "not a variable's name"))?;
    let malformed = |what: &str| SealedError::malformed(line, format!("{name}: {what}"));
    if !entry.is_bare_form() || entry.spans_lines() {
        return Err(malformed("an entry of a sealed file is NAME=value on one line, without blanks around ="));
    }
    // Unquoted text that starts as a token is one, or nothing.
    let content = match entry.after_equals().strip_prefix(TOKEN_PREFIX) {
        Some(token) => Content::Token(parse_token(token).ok_or_else(|| malformed("a malformed encrypted value"))?),
        None if entry.raw_value().len() > MAX_VALUE && entry.value().len() > MAX_VALUE => {
            return Err(malformed("the value is too long"));
        }
        None => Content::Plain,
    };
    Ok(Entry { name, content, node })
}

/// A sealed file's error is its first one; its line counts from the top of the file.
fn first(errors: Vec<SyntaxError>, header_lines: usize) -> SealedError {
    let above = u32::try_from(header_lines).unwrap_or(u32::MAX);
    match errors.into_iter().next() {
        Some(error) => SealedError::Syntax(error.below(above)),
        None => SealedError::Text("the entries cannot be parsed"),
    }
}
