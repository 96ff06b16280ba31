//! The text that a person edits: the lines of a sealed file with its values, and what the person is told in between.
//!
//! What begins with `#:` is envsec's: help, reasons, and [`MARK`] above a plain entry. A comment of the file that begins
//! so has one more colon here, so that none is taken for the other.

use super::dotenv::commented_entry;
use crate::dotenv::{Code, Dialect, Document, Duplicates, EntryRef, Kind, MAX_LINES, Node, Place, SyntaxError, quote};
use crate::error::one_line;
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarName};

/// What stands above an entry that is stored plain.
pub const MARK: &str = "#: plain";

const OWN: &str = "#:";
const ERROR: &str = "#: error:";
const THEIRS: &str = "#: theirs:";

/// What a comment of a sealed file cannot begin with.
const HEADER: &str = "#envsec:";

/// The lines of a file with what they hold.
#[derive(Default)]
pub struct Draft {
    /// In order.
    pub lines: Vec<Line>,
}

/// A line, or the several lines of a value.
pub struct Line {
    /// Its number in the text, from 1; 0 where it was not read from one.
    pub number: usize,
    /// What it is.
    pub content: Content,
}

/// What a line is.
pub enum Content {
    /// A comment with its `#`, or nothing but blanks.
    Text(String),
    /// A variable.
    Entry(Entry),
}

/// A variable.
pub struct Entry {
    /// Its name.
    pub name: VarName,
    /// What readers find.
    pub value: Value,
    /// Of a plain one: the exact text after the `=`.
    pub plain: Option<SecretText>,
}

/// Something that is wrong with the text, or that the person has to know about a line.
pub struct Complaint {
    /// The line, from 1.
    pub line: usize,
    /// What, in one line, without any value.
    pub what: String,
    /// What somebody else has there, to be shown below: an entry, or a comment.
    pub theirs: Option<Content>,
}

impl Complaint {
    /// About a line.
    pub fn new(line: usize, what: impl Into<String>) -> Self {
        Complaint { line, what: what.into(), theirs: None }
    }
}

impl Entry {
    /// Whether both are stored in the same way with the same value or, of a plain one, the same text.
    pub fn is_same(&self, other: &Entry) -> bool {
        match (&self.plain, &other.plain) {
            (Some(a), Some(b)) => a.expose() == b.expose(),
            (None, None) => crate::crypto::equal(self.value.expose().as_bytes(), other.value.expose().as_bytes()),
            _ => false,
        }
    }

    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        let plain = self.plain.as_ref().map(SecretText::duplicate);
        Entry { name: self.name.clone(), value: self.value.duplicate(), plain }
    }
}

impl Line {
    /// The entry, if it is one.
    pub fn entry(&self) -> Option<&Entry> {
        match &self.content {
            Content::Entry(entry) => Some(entry),
            Content::Text(_) => None,
        }
    }

    /// The comment, if it is one.
    pub fn comment(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) if text.starts_with('#') => Some(text),
            _ => None,
        }
    }

    /// The same line, with a copy of its value.
    pub fn duplicate(&self) -> Self {
        let content = match &self.content {
            Content::Text(text) => Content::Text(text.clone()),
            Content::Entry(entry) => Content::Entry(entry.duplicate()),
        };
        Line { number: self.number, content }
    }
}

impl Draft {
    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().filter_map(Line::entry)
    }

    /// The text to be edited, below the help.
    pub fn print(&self, help: &[String]) -> SecretText {
        let mut text = SecretText::default();
        for line in help {
            push_line(&mut text, &[line]);
        }
        for line in &self.lines {
            match &line.content {
                Content::Text(comment) => push_line(&mut text, &shown_comment(comment)),
                Content::Entry(entry) => push_entry(&mut text, entry),
            }
        }
        text
    }
}

/// One more colon for a comment that would be taken for envsec's own.
fn shown_comment(comment: &str) -> [&str; 3] {
    match comment.strip_prefix(OWN) {
        Some(rest) => [OWN, ":", rest],
        None => [comment, "", ""],
    }
}

fn push_entry(text: &mut SecretText, entry: &Entry) {
    let quoted;
    let after_equals = match &entry.plain {
        Some(plain) => {
            push_line(text, &[MARK]);
            plain
        }
        None => {
            quoted = quote(entry.value.expose(), Place::File).1;
            &quoted
        }
    };
    push_line(text, &[entry.name.as_str(), "=", after_equals.expose()]);
}

fn push_line(text: &mut SecretText, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
    text.push('\n');
}

/// A text with complaints in it, and what has to be known to take them out again.
pub struct Annotated {
    /// The text, which need not be text: somebody may have saved anything.
    pub text: Secret,
    /// The line that the first complaint is about, from 1.
    pub line: usize,
    /// The lines that were put in.
    inserted: Vec<String>,
    /// Whether they all stand at the top.
    at_top: bool,
}

/// Puts each complaint above the line that it is about.
pub fn annotate(text: &Secret, mut complaints: Vec<Complaint>) -> Annotated {
    let lines = || text.expose().split_inclusive(|byte| *byte == b'\n');
    // Where the text has such lines of its own, nothing could be told apart later but at the top, where no value is.
    let at_top = lines().any(|line| line.starts_with(ERROR.as_bytes()));
    if at_top {
        complaints.iter_mut().for_each(|complaint| complaint.line = 1);
    }
    complaints.sort_by_key(|complaint| complaint.line);
    let mut annotated = Annotated { text: Secret::with_capacity(text.len()), line: 1, inserted: Vec::new(), at_top };
    let (mut complaints, mut first) = (complaints.into_iter().peekable(), None);
    for (number, line) in (1..).zip(lines()) {
        while let Some(complaint) = complaints.next_if(|complaint| complaint.line <= number) {
            annotated.complain(&complaint);
        }
        if first.is_none() && !annotated.inserted.is_empty() {
            first = Some(annotated.lines() + 1);
        }
        annotated.text.extend(line);
    }
    if !annotated.text.expose().ends_with(b"\n") {
        annotated.text.extend(b"\n");
    }
    complaints.for_each(|complaint| annotated.complain(&complaint));
    annotated.line = first.unwrap_or_else(|| annotated.lines());
    annotated
}

impl Annotated {
    /// A text without complaints.
    pub fn plain(text: SecretText) -> Self {
        Annotated { text: text.into_bytes(), line: 1, inserted: Vec::new(), at_top: false }
    }

    fn complain(&mut self, complaint: &Complaint) {
        let line = format!("{ERROR} {}", one_line(&complaint.what));
        self.push(&[&line]);
        self.inserted.push(line);
        match &complaint.theirs {
            Some(Content::Entry(entry)) => {
                let after_equals = match &entry.plain {
                    Some(plain) => plain.duplicate(),
                    None => quote(entry.value.expose(), Place::SealedLine).1,
                };
                self.push(&[THEIRS, " ", entry.name.as_str(), "=", after_equals.expose()]);
            }
            Some(Content::Text(comment)) => self.push(&[THEIRS, " ", comment]),
            None => {}
        }
    }

    fn lines(&self) -> usize {
        self.text.expose().iter().filter(|byte| **byte == b'\n').count()
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().chain(&["\n"]).for_each(|part| self.text.extend(part.as_bytes()));
    }

    /// What came back from the editor, without the complaints. They may stand in the midst of a value by now.
    pub fn strip(&self, edited: &Secret) -> Secret {
        let is_reason = |line: &&[u8]| line.starts_with(ERROR.as_bytes());
        let is_inserted = |line: &&[u8]| {
            let line = line.trim_ascii_end();
            self.inserted.iter().any(|inserted| inserted.trim_ascii_end().as_bytes() == line)
        };
        let mut text = Secret::with_capacity(edited.len());
        let lines = edited.expose().split_inclusive(|byte| *byte == b'\n').skip_while(is_reason);
        lines.filter(|line| self.at_top || !is_inserted(line)).for_each(|line| text.extend(line));
        text
    }
}

/// Reads what a person has made of a text with this help.
///
/// # Errors
/// All that is wrong with it, by line.
pub fn parse(text: &Secret, help: &[String]) -> Result<Draft, Vec<Complaint>> {
    if text.expose().iter().filter(|&&byte| byte == b'\n').count() > MAX_LINES {
        return Err(vec![Complaint::new(1, format!("more than {MAX_LINES} lines"))]);
    }
    let document = Document::parse(text.expose(), Dialect::Own, Duplicates::Refuse)
        .map_err(|errors| errors.iter().map(syntax).collect::<Vec<_>>())?;
    let mut reading = Reading { help, draft: Draft::default(), marked: None, wrong: Vec::new() };
    document.nodes().iter().for_each(|node| reading.node(node));
    reading.end_of_mark();
    if reading.wrong.is_empty() { Ok(reading.draft) } else { Err(reading.wrong) }
}

/// An error above the line that it is about; where a value goes wrong on a later line, above the first.
fn syntax(error: &SyntaxError) -> Complaint {
    let opened = error.other_line().filter(|_| error.code != Code::Duplicate);
    Complaint::new(opened.unwrap_or(error.line) as usize, error.in_editor())
}

struct Reading<'r> {
    help: &'r [String],
    draft: Draft,
    /// The line of a mark whose entry is still to come.
    marked: Option<usize>,
    wrong: Vec<Complaint>,
}

impl Reading<'_> {
    fn node(&mut self, node: &Node) {
        let number = node.line() as usize;
        match (node.kind(), node.entry()) {
            (_, Some(entry)) => self.entry(&entry, number),
            (Kind::Comment, _) => self.comment(node.text().trim_start().trim_end_matches(['\r', '\n']), number),
            _ => {
                self.end_of_mark();
                self.text(node.text().trim_end_matches(['\r', '\n']), number);
            }
        }
    }

    fn text(&mut self, text: &str, number: usize) {
        self.draft.lines.push(Line { number, content: Content::Text(text.to_owned()) });
    }

    fn comment(&mut self, comment: &str, number: usize) {
        let Some(own) = comment.strip_prefix(OWN) else {
            self.end_of_mark();
            return self.file_comment(comment, number);
        };
        if let Some(rest) = own.strip_prefix(':') {
            self.end_of_mark();
            return self.text(&[OWN, rest].concat(), number);
        }
        let line = comment.trim_end();
        if line == MARK {
            self.marked = Some(number);
        } else if !(line.starts_with(ERROR)
            || line.starts_with(THEIRS)
            || self.help.iter().any(|help| help.trim_end() == line))
        {
            let what = format!(
                "lines that begin with #: are envsec's, and of them only `{MARK}` can be written: # begins a comment"
            );
            self.wrong.push(Complaint::new(number, what));
        }
    }

    fn file_comment(&mut self, comment: &str, number: usize) {
        if comment.starts_with(HEADER) {
            self.wrong.push(Complaint::new(number, format!("a comment of a sealed file does not begin with {HEADER}")));
        }
        self.text(comment, number);
    }

    /// A mark belongs right above an entry.
    fn end_of_mark(&mut self) {
        if let Some(number) = self.marked.take() {
            self.wrong.push(Complaint::new(number, format!("`{MARK}` belongs right above a name")));
        }
    }

    fn entry(&mut self, entry: &EntryRef<'_>, number: usize) {
        let marked = self.marked.take().is_some();
        let name = match VarName::try_from(entry.name()) {
            Ok(name) => name,
            Err(error) => return self.wrong.push(Complaint::new(number, error.to_string())),
        };
        let value = match Value::try_from(entry.value()) {
            Ok(value) => value,
            Err(error) => return self.wrong.push(Complaint::new(number, format!("{name}: {error}"))),
        };
        if entry.raw_value().starts_with("enc:") {
            let what = format!(
                "{name}: this is the text of an encrypted value; write the value itself, in '...' if it is meant so"
            );
            self.wrong.push(Complaint::new(number, what));
        }
        // An encrypted value fills its line, so a comment after it gets one of its own.
        if let Some(comment) = entry.inline_comment().filter(|_| !marked) {
            self.file_comment(comment, number);
        }
        let plain = marked.then(|| plain_text(entry, &value));
        self.draft.lines.push(Line { number, content: Content::Entry(Entry { name, value, plain }) });
    }
}

/// What stands after the `=` of a plain entry: what the person wrote, if the sealed file can have it.
fn plain_text(entry: &EntryRef<'_>, value: &Value) -> SecretText {
    if entry.is_bare_form() && !entry.spans_lines() {
        return SecretText::from(entry.after_equals());
    }
    let mut text = quote(value.expose(), Place::SealedLine).1;
    if let Some(comment) = entry.inline_comment() {
        if text.is_empty() {
            text.push_str("''");
        }
        text.push(' ');
        text.push_str(comment);
    }
    text
}

/// The name of which a comment holds a value, as in `# NAME=value`.
pub fn name_in_comment(comment: &str) -> Option<&str> {
    commented_entry(comment).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_taken_out_whatever_they_end_in() {
        let text = Secret::from(&b"A=1\nB=2\n"[..]);
        for end in ["", " ", "\u{a0}", "\u{2028}", "\r", "\n"] {
            let annotated = annotate(&text, vec![Complaint::new(2, format!("wrong{end}"))]);
            assert!(annotated.text.len() > text.len());
            assert_eq!(annotated.strip(&annotated.text).expose(), text.expose(), "{end:?}");
        }
    }
}
