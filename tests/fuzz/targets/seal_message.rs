//! The message of the seal: two files that say different things never have the same.

use super::choices::Choices;
use super::holder::{self, MAC_OF_NOBODY, open};
use envsec::dotenv::{Place, quote};
use envsec::sealed::{SealedError, b64u};

/// What the seal covers.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Covered {
    label: Option<String>,
    /// Header lines of kinds that no envsec knows yet: kind and fields.
    lines: Vec<(String, String)>,
    rev: u64,
    entries: Vec<(String, Content)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Content {
    Token(Vec<u8>),
    Plain(String),
}

/// One file, and another one: made of it, or on its own.
pub(super) fn seal_message(input: &[u8]) {
    let choices = &mut Choices::new(input);
    let one = covered(choices);
    let other = if choices.below(4) == 0 { covered(choices) } else { changed(one.clone(), choices) };
    let (Some(one_text), Some(other_text)) = (sealed(&one), sealed(&other)) else { return };
    assert_eq!(one == other, one_text == other_text, "the text tells what is covered");
    for text in [&one_text, &other_text] {
        assert!(open(text.as_bytes()).is_ok(), "the library makes the same message as the format has it");
    }
    let same_message = holder::seal_message(&one_text) == holder::seal_message(&other_text);
    assert_eq!(one == other, same_message, "different files have different messages");
    let moved = holder::with_mac(&other_text, holder::mac(&one_text));
    match open(moved.as_bytes()) {
        Ok(_) => assert_eq!(one, other, "the seal of one file fits another one"),
        Err(error) => assert!(matches!(error, SealedError::Seal) && one != other, "{error}"),
    }
}

/// `None` where it is no well-formed file: a name that stands twice, most of all.
fn sealed(covered: &Covered) -> Option<String> {
    let header: String = covered.lines.iter().map(|(kind, fields)| format!("#envsec:{kind} {fields}\n")).collect();
    let entry = |(name, content): &(String, Content)| match content {
        Content::Token(token) => format!("{name}=enc:{}\n", b64u(token)),
        Content::Plain(text) => format!("{name}={text}\n"),
    };
    let entries: String = covered.entries.iter().map(entry).collect();
    let (magic, slot, rev) = (holder::magic(covered.label.as_deref()), holder::slot(), covered.rev);
    holder::sealed(&format!("{magic}{slot}{header}#envsec:seal rev={rev} mac={MAC_OF_NOBODY}\n{entries}"))
}

fn covered(choices: &mut Choices<'_>) -> Covered {
    let label = Some(word(choices)).filter(|label| label.len() > 1);
    let lines = (0..choices.below(4)).map(|_| line(choices)).collect();
    let rev = u64::from(choices.byte()) << (8 * choices.below(8)) | 1;
    let entries = (0..choices.below(6)).map(|_| (word(choices).to_uppercase(), content(choices))).collect();
    Covered { label, lines, rev, entries }
}

/// Few letters, so that what is put together in different ways is often the same.
fn word(choices: &mut Choices<'_>) -> String {
    (0..=choices.below(3)).map(|_| choices.one_of(&['a', 'b', 'e', 'h', 'p', 'm', 'r'])).collect()
}

fn line(choices: &mut Choices<'_>) -> (String, String) {
    let fields = (0..=choices.below(3)).map(|_| word(choices));
    let fields: Vec<String> = fields.collect();
    (word(choices), fields.join(" "))
}

fn content(choices: &mut Choices<'_>) -> Content {
    if choices.below(2) == 0 {
        let length = choices.below(128);
        let mut token = choices.bytes(length).to_vec();
        token.resize(60 + 32 * (token.len() / 92), b'=');
        return Content::Token(token);
    }
    Content::Plain(plain(choices))
}

/// The text of a plain value, in one of its spellings, with a comment or without.
fn plain(choices: &mut Choices<'_>) -> String {
    let value = choices.text();
    let spelled = match choices.below(3) {
        0 if !value.contains(['\'', '\n', '\r', '\\']) => format!("'{value}'"),
        _ => quote(&value, Place::SealedLine).1.expose().to_owned(),
    };
    match choices.below(4) {
        0 if !spelled.is_empty() => format!("{spelled} # {}", word(choices)),
        _ => spelled,
    }
}

/// The same with a few changes, most of them such as move bytes over the border of what stands side by side.
fn changed(mut covered: Covered, choices: &mut Choices<'_>) -> Covered {
    for _ in 0..choices.below(4) {
        let (lines, entries) = (covered.lines.len(), covered.entries.len());
        match choices.below(12) {
            0 => covered.label = Some(word(choices)),
            1 => covered.label = None,
            2 => covered.rev = covered.rev.swap_bytes() | 1,
            3 => covered.lines.insert(choices.below(lines + 1), line(choices)),
            4 if lines > 0 => drop(covered.lines.remove(choices.below(lines))),
            5 if lines > 1 => covered.lines.swap(choices.below(lines), choices.below(lines)),
            6 if lines > 0 => border(&mut covered.lines[choices.below(lines)], choices),
            7 => covered.entries.insert(choices.below(entries + 1), (word(choices).to_uppercase(), content(choices))),
            8 if entries > 0 => drop(covered.entries.remove(choices.below(entries))),
            9 if entries > 1 => covered.entries.swap(choices.below(entries), choices.below(entries)),
            10 if entries > 0 => another_kind(&mut covered.entries[choices.below(entries)].1),
            11 if entries > 0 => shift(&mut covered.entries[choices.below(entries)]),
            _ => {}
        }
    }
    covered
}

/// Moves the border between a line's kind and its first field.
fn border((kind, fields): &mut (String, String), choices: &mut Choices<'_>) {
    match choices.below(2) {
        0 if kind.len() > 1 => fields.insert(0, kind.pop().expect("a letter")),
        _ if fields.len() > 1 && !fields[1..].starts_with(' ') => kind.push(fields.remove(0)),
        _ => {}
    }
}

/// A token as plain text, and plain text as long as a token as one.
fn another_kind(content: &mut Content) {
    *content = match content {
        Content::Token(token) => Content::Plain(b64u(token)),
        Content::Plain(text) => {
            let mut token = text.as_bytes().to_vec();
            token.resize(60, b'=');
            Content::Token(token)
        }
    };
}

/// Moves a letter from the name to what stands after the `=`, or back.
fn shift((name, content): &mut (String, Content)) {
    let Content::Plain(text) = content else { return };
    match name.len() {
        1 if text.starts_with(|first: char| first.is_ascii_alphabetic()) => name.push(text.remove(0)),
        1 => {}
        _ => text.insert(0, name.pop().expect("a letter")),
    }
}
