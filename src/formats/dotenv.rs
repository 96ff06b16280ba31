//! dotenv text from elsewhere: read strictly, or as npm dotenv or the dotenvy crate would have.

use super::{Incoming, Item};
use crate::dotenv::{Dialect, Document, Duplicates, EntryRef, Kind, Quoting, SyntaxError};
use crate::error::{Failure, Status};
use crate::secret::SecretText;
use crate::vars::{Value, VarName};
use std::collections::{HashMap, HashSet};

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

/// Why a text was not read. Places and names, never a value.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Everything that is wrong with the text.
    #[error("{}", .errors.iter().map(|error| format!("{source_name}:{error}")).collect::<Vec<_>>().join("\n"))]
    Syntax {
        /// What messages call the text.
        source_name: String,
        /// All errors, by place.
        errors: Vec<SyntaxError>,
    },
    /// Entries that a sealed file cannot hold, or references that lead nowhere.
    #[error("{}", .lines.iter().map(|line| format!("{source_name}:{line}")).collect::<Vec<_>>().join("\n"))]
    Entries {
        /// What messages call the text.
        source_name: String,
        /// `LINE: NAME: what`.
        lines: Vec<String>,
    },
    /// The text is a sealed file.
    #[error("{source_name}: this is a sealed file, not plaintext")]
    Sealed {
        /// What messages call the text.
        source_name: String,
    },
    /// dotenvy refused the text; its own message would quote the line.
    #[error("{source_name}: dotenvy cannot read this text")]
    Dotenvy {
        /// What messages call the text.
        source_name: String,
    },
}

impl Failure for ImportError {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            ImportError::Sealed { .. } => {
                "read a sealed file with: envsec get -f FILE NAME; or several with: envsec run -f FILE -f FILE".into()
            }
            _ => "nothing was imported".into(),
        })
    }
}

/// Reads a dotenv text; `source_name` is what messages call it.
///
/// # Errors
/// All that is wrong with the text, at once.
pub fn parse(text: &[u8], source_name: &str, options: &Options<'_>) -> Result<Incoming, ImportError> {
    if text.strip_prefix(b"#envsec:").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit) {
        return Err(ImportError::Sealed { source_name: source_name.into() });
    }
    match options.reader {
        Reader::Strict => parse_document(text, source_name, Dialect::Foreign, options),
        Reader::Node => parse_document(text, source_name, Dialect::Node, options),
        Reader::Dotenvy => parse_dotenvy(text, source_name, options.duplicates),
    }
}

fn parse_document(
    text: &[u8],
    source_name: &str,
    dialect: Dialect,
    options: &Options<'_>,
) -> Result<Incoming, ImportError> {
    let document = Document::parse(text, dialect, options.duplicates)
        .map_err(|errors| ImportError::Syntax { source_name: source_name.into(), errors })?;
    let chosen: HashSet<u32> = document.effective().map(|entry| entry.line()).collect();
    let mut reading = Reading {
        source_name,
        options,
        incoming: Incoming::default(),
        seen: HashMap::new(),
        wrong: Vec::new(),
        open_quote: None,
    };
    for node in document.nodes() {
        match (node.kind(), node.entry()) {
            (Kind::Comment, _) => {
                reading.comment(node.text().trim(), node.line());
                continue;
            }
            (Kind::Blank, _) => reading.incoming.items.push(Item::Blank),
            (_, Some(entry)) if chosen.contains(&node.line()) => reading.entry(&entry, node.line()),
            _ => {}
        }
        reading.open_quote = None;
    }
    if options.expand.is_none() {
        note_references(&document, source_name, &mut reading.incoming.notes);
    }
    if reading.wrong.is_empty() {
        Ok(reading.incoming)
    } else {
        Err(ImportError::Entries { source_name: source_name.into(), lines: reading.wrong })
    }
}

struct Reading<'a> {
    source_name: &'a str,
    options: &'a Options<'a>,
    incoming: Incoming,
    /// Values so far, for references.
    seen: HashMap<String, SecretText>,
    wrong: Vec<String>,
    /// The quote that a commented-out value opened on a line above and has not closed.
    open_quote: Option<char>,
}

impl Reading<'_> {
    fn entry(&mut self, entry: &EntryRef<'_>, line: u32) {
        let name = match VarName::try_from(entry.name()) {
            Ok(name) => name,
            Err(error) => return self.wrong.push(format!("{line}: {error}")),
        };
        if let Some(comment) = entry.inline_comment() {
            self.comment(comment, line);
        }
        let text = match self.options.expand {
            Some(process) if matches!(entry.quoting(), Quoting::Bare | Quoting::Double) => {
                let known = |name: &str| self.seen.get(name).map(SecretText::duplicate).or_else(|| process(name));
                match expand(entry.value().expose(), known) {
                    Ok(text) => text,
                    Err(what) => return self.wrong.push(format!("{line}: {name}: {what}")),
                }
            }
            _ => entry.value(),
        };
        if self.options.expand.is_some() {
            self.seen.insert(entry.name().to_owned(), text.duplicate());
        }
        match Value::try_from(text) {
            Ok(value) => self.incoming.items.push(Item::Entry(name, value)),
            Err(error) => self.wrong.push(format!("{line}: {name}: {error}")),
        }
    }

    /// A comment goes into a file that is committed, so a value in it is left out, with all its lines.
    fn comment(&mut self, comment: &str, line: u32) {
        if let Some(quote) = self.open_quote {
            self.open_quote = if comment.contains(quote) { None } else { Some(quote) };
            return;
        }
        let kept = match commented_entry(comment) {
            Some((name, upto)) if !self.options.keep_comment_values => {
                let source = self.source_name;
                self.incoming
                    .notes
                    .push(format!("{source}:{line}: the comment held a value for {name}, which was left out"));
                self.open_quote = unclosed_quote(&comment[upto..]);
                comment[..upto].to_owned()
            }
            _ => comment.to_owned(),
        };
        // Below the header nothing may look like a header line.
        let kept = if kept.starts_with("#envsec:") { kept.replacen('#', "# ", 1) } else { kept };
        self.incoming.items.push(Item::Comment(kept));
    }
}

/// The name in a comment of the form `# NAME=something`, and the length of the comment up to and with the `=`.
fn commented_entry(comment: &str) -> Option<(&str, usize)> {
    let body = comment.trim_start_matches(['#', ' ', '\t']);
    let body = body.strip_prefix("export ").map_or(body, str::trim_start);
    let length = body.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    let (name, rest) = body.split_at(length);
    let value = rest.trim_start().strip_prefix('=')?;
    (!name.is_empty() && !value.trim().is_empty()).then(|| (name, comment.len() - value.len()))
}

/// The quote that a value opens and does not close on its line.
fn unclosed_quote(value: &str) -> Option<char> {
    let mut rest = value.trim_start().chars();
    let quote = rest.next().filter(|first| ['\'', '"', '`'].contains(first))?;
    if rest.any(|c| c == quote) { None } else { Some(quote) }
}

/// Notes the values that other tools would have expanded: by name and line only.
fn note_references(document: &Document, source_name: &str, notes: &mut Vec<String>) {
    let names: HashSet<&str> = document.entries().map(|(_, entry)| entry.name()).collect();
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

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Expands `$NAME`, `${NAME}` and `${NAME:-text}`. Whatever else a shell would do at a `$` is refused rather than guessed.
fn expand(text: &str, known: impl Fn(&str) -> Option<SecretText>) -> Result<SecretText, &'static str> {
    let mut out = SecretText::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, reference) = (&rest[..at], &rest[at + 1..]);
        if before.ends_with('\\') {
            return Err("a backslash before $ means different things to different tools: use single quotes");
        }
        out.push_str(before);
        rest = match reference.strip_prefix('{') {
            Some(braced) => {
                let (inside, after) = braced.split_once('}').ok_or("${ without }")?;
                let (name, fallback) =
                    inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
                let plain = |text: &str| !text.contains(['$', '{']);
                if VarName::try_from(name).is_err() || !fallback.is_none_or(plain) {
                    return Err("only ${NAME} and ${NAME:-text} are expanded");
                }
                push_value(&mut out, known(name), fallback)?;
                after
            }
            None => {
                let end = reference.find(|c: char| !is_name_char(c)).unwrap_or(reference.len());
                if VarName::try_from(&reference[..end]).is_ok() {
                    push_value(&mut out, known(&reference[..end]), None)?;
                    &reference[end..]
                } else {
                    out.push('$');
                    reference
                }
            }
        };
    }
    out.push_str(rest);
    Ok(out)
}

/// As in a shell, `:-` also stands in for an empty value.
fn push_value(out: &mut SecretText, value: Option<SecretText>, fallback: Option<&str>) -> Result<(), &'static str> {
    match (value.filter(|value| fallback.is_none() || !value.is_empty()), fallback) {
        (Some(value), _) => out.push_str(value.expose()),
        (None, Some(text)) => out.push_str(text),
        (None, None) => return Err("refers to a variable that is set neither above nor in the process"),
    }
    Ok(())
}

/// Reads through the dotenvy crate itself, substitution included: what it returns is what the application ran with.
fn parse_dotenvy(text: &[u8], source_name: &str, duplicates: Duplicates) -> Result<Incoming, ImportError> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut incoming = Incoming::default();
    let mut wrong = Vec::new();
    for pair in dotenvy::from_read_iter(text) {
        let (key, value) = pair.map_err(|_| ImportError::Dotenvy { source_name: source_name.into() })?;
        let value = Value::try_from(SecretText::from(value));
        let (Ok(name), Ok(value)) = (VarName::try_from(key.as_str()), value) else {
            wrong.push(format!(" {key:?}: a sealed file cannot hold this name or its value"));
            continue;
        };
        match (places.get(&key), duplicates) {
            (Some(_), Duplicates::Refuse) => wrong.push(format!(" {name}: stands twice (--duplicates first|last)")),
            (Some(_), Duplicates::First) => {}
            (Some(&place), Duplicates::Last) => incoming.items[place] = Item::Entry(name, value),
            (None, _) => {
                places.insert(key, incoming.items.len());
                incoming.items.push(Item::Entry(name, value));
            }
        }
    }
    if wrong.is_empty() {
        Ok(incoming)
    } else {
        Err(ImportError::Entries { source_name: source_name.into(), lines: wrong })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, &'static str> {
        let known = |name: &str| match name {
            "A" => Some(SecretText::from("1")),
            "EMPTY" => Some(SecretText::default()),
            _ => None,
        };
        expand(text, known).map(|text| text.expose().to_owned())
    }

    #[test]
    fn references_expand() {
        for (text, expected) in [
            ("$A-${A}", "1-1"),
            ("${B:-x}${A:-y}${EMPTY:-z}${EMPTY}", "x1z"),
            ("pa$$A", "pa$1"),
            ("5$ and $5 and $", "5$ and $5 and $"),
            ("$(id)", "$(id)"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_reference_is_refused() {
        for text in ["$B", "${B}", "${A", "${A:?x}", "${A-x}", "${B:-$A}", "${B:-${A}}", "${}", "\\$A"] {
            assert!(expanded(text).is_err(), "{text}");
        }
    }

    #[test]
    fn commented_entries_are_recognised() {
        for (comment, expected) in [
            ("# KEY=abc", Some(("KEY", 6))),
            ("#KEY=abc", Some(("KEY", 5))),
            ("## export KEY = abc", Some(("KEY", 15))),
            ("# KEY=", None),
            ("# see a=b? no: two words", None),
            ("# just text", None),
        ] {
            assert_eq!(commented_entry(comment), expected, "{comment}");
        }
    }
}
