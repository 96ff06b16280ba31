//! dotenv text: from elsewhere, read strictly, or as npm dotenv or the dotenvy crate would have; and for others.

use super::expand::{expand, is_name_char};
use super::{ImportError, Incoming, Item, MAX_LINES, NotCarried, Problem, printed, refuse};
use crate::child::CREDENTIALS;
use crate::dotenv::{Dialect, Document, Duplicates, EntryRef, Kind, Node, Place, Quoting, Rule, quote};
use crate::secret::SecretText;
use crate::vars::{Value, VarName, Vars};
use std::collections::{BTreeMap, BTreeSet};

/// As whom to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// envsec's own grammar, which refuses what readers disagree about.
    Strict,
    /// npm dotenv 16 to 18.
    Node,
    /// The Rust crate dotenvy, whatever it makes of the text.
    Dotenvy,
}

/// What the process has under a name.
pub type Process<'a> = &'a dyn Fn(&str) -> Option<SecretText>;

/// How to read a foreign text.
pub struct Options<'a> {
    /// As whom.
    pub reader: Reader,
    /// What to do with a name that stands twice.
    pub duplicates: Duplicates,
    /// Keep the values in comments such as `# OLD_KEY=abc`.
    pub keep_comment_values: bool,
    /// Expand `$NAME`, `${NAME}` and `${NAME:-x}`, from entries above, then from the process.
    pub expand: Option<Process<'a>>,
}

/// Reads a dotenv text; `source_name` is what messages call it.
///
/// # Errors
/// All that is wrong with the text, at once.
pub fn parse(text: &[u8], source_name: &str, options: &Options<'_>) -> Result<Incoming, ImportError> {
    let failed = |problem| ImportError::Text { source_name: source_name.into(), problem };
    if text.strip_prefix(b"#envsec:").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit) {
        return Err(failed(Problem::Sealed));
    }
    if text.iter().filter(|&&byte| byte == b'\n').count() > MAX_LINES {
        return Err(failed(Problem::TooManyLines));
    }
    match options.reader {
        Reader::Strict | Reader::Node => {
            let dialect = if options.reader == Reader::Node { Dialect::Node } else { Dialect::Foreign };
            let document = Document::parse(text, dialect, options.duplicates)
                .map_err(|errors| ImportError::Syntax { source_name: source_name.into(), errors })?;
            Reading::new(source_name, options).document(&document)
        }
        Reader::Dotenvy if options.expand.is_some() => Err(failed(Problem::ExpandsByItself)),
        Reader::Dotenvy => dotenvy(text, source_name, options),
    }
}

/// One reading of a document into what is imported.
struct Reading<'a> {
    source_name: &'a str,
    options: &'a Options<'a>,
    incoming: Incoming,
    /// Values so far, for references.
    seen: BTreeMap<String, SecretText>,
    wrong: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(source_name: &'a str, options: &'a Options<'a>) -> Self {
        Reading { source_name, options, incoming: Incoming::default(), seen: BTreeMap::new(), wrong: Vec::new() }
    }

    fn document(mut self, document: &Document) -> Result<Incoming, ImportError> {
        let chosen: BTreeSet<u32> = document.effective().map(|entry| entry.line()).collect();
        let nodes = document.nodes();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            at += 1;
            match (node.kind(), node.entry()) {
                (Kind::Blank, _) => self.incoming.items.push(Item::Blank),
                (Kind::Comment, _) => at += self.comment(node.text().trim(), node.line(), &nodes[at..]),
                (_, Some(entry)) if chosen.contains(&node.line()) => self.entry(&entry, node.line()),
                _ => {}
            }
        }
        if self.options.expand.is_none() {
            note_references(document, self.source_name, &mut self.incoming.notes);
        }
        self.finish()
    }

    fn finish(self) -> Result<Incoming, ImportError> {
        if self.wrong.is_empty() {
            return Ok(self.incoming);
        }
        Err(ImportError::Entries { source_name: self.source_name.into(), lines: self.wrong })
    }

    fn entry(&mut self, entry: &EntryRef<'_>, line: u32) {
        let name = match VarName::try_from(entry.name()) {
            Ok(name) => name,
            Err(error) => return self.wrong.push(format!("{line}: {error}")),
        };
        if let Some(comment) = entry.inline_comment() {
            self.comment(comment, line, &[]);
        }
        match self.value(entry) {
            Ok(value) => {
                if self.options.expand.is_some() {
                    self.seen.insert(entry.name().to_owned(), SecretText::from(value.expose()));
                }
                self.incoming.items.push(Item::Entry(name, value));
            }
            Err(what) => self.wrong.push(format!("{line}: {name}: {what}")),
        }
    }

    fn value(&self, entry: &EntryRef<'_>) -> Result<Value, String> {
        let text = match self.options.expand {
            Some(process) if matches!(entry.quoting(), Quoting::Bare | Quoting::Double) => {
                let known = |name: &str| self.seen.get(name).map(SecretText::duplicate).or_else(|| process(name));
                expand(entry.value().expose(), known)?
            }
            _ => entry.value(),
        };
        Value::try_from(text).map_err(|error| error.to_string())
    }

    /// A comment goes into a file that is committed, so a value in it is left out, with the comment lines `below` that it
    /// goes on in. Returns how many those are.
    fn comment(&mut self, comment: &str, line: u32, below: &[Node]) -> usize {
        let Some((name, upto)) = commented_entry(comment).filter(|_| !self.options.keep_comment_values) else {
            self.incoming.items.push(Item::Comment(comment.to_owned()));
            return 0;
        };
        let more = lines_of_value(&comment[upto..], below);
        let lines = if more > 0 { format!(" (with the {more} comment lines below)") } else { String::new() };
        let source = self.source_name;
        self.incoming
            .notes
            .push(format!("{source}:{line}: the comment held a value for {name}, which was left out{lines}"));
        self.incoming.items.push(Item::Comment(comment[..upto].to_owned()));
        more
    }
}

/// The name in a comment of the form `# NAME=something`, and the length of the comment up to and with the `=`.
pub fn commented_entry(comment: &str) -> Option<(&str, usize)> {
    let body = comment.trim_start_matches(|c: char| c.is_whitespace() || "#!-*>\"'".contains(c));
    let word = |body: &str, word: &str| body.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '\t']));
    let verb = ["export", "set", "declare", "setenv"].into_iter().find(|verb| word(body, verb));
    let body = verb.map_or(body, |verb| body[verb.len()..].trim_start());
    let length = body.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    let (name, rest) = body.split_at(length);
    let value = rest.trim_start().strip_prefix('=')?;
    (!name.is_empty() && !value.trim().is_empty()).then(|| (name, comment.len() - value.len()))
}

/// The most comment lines that a commented-out value is looked for in.
const MAX_COMMENTED_LINES: usize = 500;

/// In how many of the comment lines below a commented-out value goes on: up to its closing quote, or to the end of its PEM
/// block. None if the end is not found there.
fn lines_of_value(value: &str, below: &[Node]) -> usize {
    let value = value.trim();
    let end = match value.chars().next() {
        Some(quote @ ('\'' | '"' | '`')) => quote.to_string(),
        _ if value.starts_with("-----BEGIN") => "-----END".to_owned(),
        _ => return 0,
    };
    if value[1..].contains(&end) {
        return 0;
    }
    // Bounded, or a text of nothing but opened quotes would be read as often as it has lines.
    let near = below.iter().take(MAX_COMMENTED_LINES);
    let comments = near.take_while(|node| matches!(node.kind(), Kind::Comment));
    comments.map(Node::text).position(|text| text.contains(&end)).map_or(0, |last| last + 1)
}

/// Notes the values that other tools would have expanded: by name and line only.
fn note_references(document: &Document, source_name: &str, notes: &mut Vec<String>) {
    let names: BTreeSet<&str> = document.entries().map(|(_, entry)| entry.name()).collect();
    for (_, entry) in document.entries() {
        let raw = entry.raw_value();
        let refers = raw.match_indices("${").any(|(at, _)| {
            let rest = &raw[at + 2..];
            names.contains(&rest[..rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len())])
        });
        if refers && entry.quoting() != Quoting::Single {
            let (line, name) = (entry.line(), entry.name());
            notes.push(format!(
                "{source_name}:{line}: {name} refers to another entry; it is kept as it stands (--expand expands)"
            ));
        }
    }
}

/// Reads through the dotenvy crate itself, substitution included: what it returns is what the application ran with. Comments
/// and blank lines come from our own parser, where it finds the same entries.
fn dotenvy(text: &[u8], source_name: &str, options: &Options<'_>) -> Result<Incoming, ImportError> {
    let failed = |problem| ImportError::Text { source_name: source_name.into(), problem };
    // dotenvy substitutes from the process, and envsec's own credentials may stand there.
    let names = |own: &&str| text.windows(own.len()).any(|part| part == own.as_bytes());
    if CREDENTIALS.iter().any(names) {
        return Err(failed(Problem::OwnCredential));
    }
    let mut reading = Reading::new(source_name, options);
    let mut values = Vec::new();
    for pair in dotenvy::from_read_iter(text) {
        let (key, value) = pair.map_err(|_| failed(Problem::Dotenvy))?;
        match (VarName::try_from(key.as_str()), Value::try_from(SecretText::from(value))) {
            (Ok(name), Ok(value)) => values.push((name, value)),
            _ => reading.wrong.push(format!(" {key:?}: a sealed file cannot hold this name or its value")),
        }
    }
    let document = Document::parse(text, Dialect::Node, Duplicates::Last).ok();
    let same = |document: &Document| {
        document.entries().map(|(_, entry)| entry.name()).eq(values.iter().map(|(name, _)| name.as_str()))
    };
    match document.filter(same) {
        Some(document) => reading.lay_out(&document, values),
        None => values.into_iter().for_each(|(name, value)| reading.incoming.items.push(Item::Entry(name, value))),
    }
    reading.choose_duplicates();
    reading.finish()
}

impl Reading<'_> {
    /// The values in the places of the document's entries, with its comments and blank lines.
    fn lay_out(&mut self, document: &Document, values: Vec<(VarName, Value)>) {
        let (nodes, mut values, mut at) = (document.nodes(), values.into_iter(), 0);
        while let Some(node) = nodes.get(at) {
            at += 1;
            match node.kind() {
                Kind::Blank => self.incoming.items.push(Item::Blank),
                Kind::Comment => at += self.comment(node.text().trim(), node.line(), &nodes[at..]),
                Kind::Entry(_) => {
                    let comment = node.entry().and_then(|entry| entry.inline_comment().map(str::to_owned));
                    if let Some(comment) = comment {
                        self.comment(&comment, node.line(), &[]);
                    }
                    self.incoming.items.extend(values.next().map(|(name, value)| Item::Entry(name, value)));
                }
            }
        }
    }

    /// What the policy says of names that stand twice.
    fn choose_duplicates(&mut self) {
        let mut places: BTreeMap<VarName, usize> = BTreeMap::new();
        let mut kept: Vec<Item> = Vec::with_capacity(self.incoming.items.len());
        for item in std::mem::take(&mut self.incoming.items) {
            let Item::Entry(name, value) = item else {
                kept.push(item);
                continue;
            };
            match (places.get(&name), self.options.duplicates) {
                (Some(_), Duplicates::Refuse) => {
                    self.wrong.push(format!(" {name}: stands twice (--duplicates first|last)"));
                }
                (Some(_), Duplicates::First) => {}
                (Some(&place), Duplicates::Last) => kept[place] = Item::Entry(name, value),
                (None, _) => {
                    places.insert(name.clone(), kept.len());
                    kept.push(Item::Entry(name, value));
                }
            }
        }
        self.incoming.items = kept;
    }
}

/// An entry for each variable, by the serialiser's rules S1 to S8, and the names written by S5 to S7, which a shell that
/// sources the file or a reader other than npm dotenv may take for something else.
///
/// # Errors
/// Values for which only `$'...'` is left, which no dotenv reader knows.
pub fn print(vars: &Vars) -> Result<(SecretText, Vec<VarName>), NotCarried> {
    refuse(vars, "dotenv", |_, value| {
        let (rule, _) = quote(value, Place::File);
        (rule == Rule::S9).then_some("no quoting that dotenv readers share can hold this value")
    })?;
    let is_delicate = |value: &Value| matches!(quote(value.expose(), Place::File).0, Rule::S5 | Rule::S6 | Rule::S7);
    let delicate = vars.iter().filter(|(_, value)| is_delicate(value)).map(|(name, _)| name.clone()).collect();
    let text = printed(vars, |text, name, value| {
        for part in [name, "=", quote(value, Place::File).1.expose(), "\n"] {
            text.push_str(part);
        }
    });
    Ok((text, delicate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commented_entries_are_recognised() {
        for (comment, expected) in [
            ("# KEY=abc", Some(("KEY", 6))),
            ("#KEY=abc", Some(("KEY", 5))),
            ("## export KEY = abc", Some(("KEY", 15))),
            ("#! - set KEY=abc", Some(("KEY", 13))),
            ("# setting=abc", Some(("setting", 10))),
            ("# KEY=", None),
            ("# see a=b? no: two words", None),
            ("# just text", None),
        ] {
            assert_eq!(commented_entry(comment), expected, "{comment}");
        }
    }
}
