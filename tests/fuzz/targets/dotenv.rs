//! The dotenv parser, its edits, and the serialiser of values.

use super::{name, parts, text};
use envsec::dotenv::{Dialect, Document, Duplicates, MAX_ERRORS, Place, Rule, quote};
use envsec::secret::{Secret, SecretText};
use std::collections::BTreeMap;

const DIALECTS: [Dialect; 3] = [Dialect::Own, Dialect::Foreign, Dialect::Node];

/// A file, and a value to be written into it.
pub(super) fn dotenv(input: &[u8]) {
    let mut parts = parts(input);
    let (file, value) = (parts.next().unwrap_or_default(), text(parts.next().unwrap_or_default()));
    DIALECTS.iter().for_each(|dialect| file_in(*dialect, file, &value));
    readers_agree(file);
    written_values_are_read(&value);
}

fn parse(file: &[u8], dialect: Dialect) -> Option<Document> {
    let duplicates = if dialect == Dialect::Node { Duplicates::Last } else { Duplicates::Refuse };
    match Document::parse(file, dialect, duplicates) {
        Ok(document) => Some(document),
        Err(errors) => {
            assert!((1..=MAX_ERRORS).contains(&errors.len()));
            assert!(errors.iter().map(|error| (error.line, error.column)).is_sorted());
            assert!(errors.iter().all(|error| error.line > 0 && error.column > 0 && !error.to_string().is_empty()));
            None
        }
    }
}

fn written(document: &Document) -> Vec<u8> {
    let mut out = Secret::default();
    document.write_to(&mut out);
    assert_eq!(out.len(), document.size());
    out.expose().to_vec()
}

fn map(document: &Document) -> BTreeMap<String, String> {
    document.effective().map(|entry| (entry.name().to_owned(), entry.value().expose().to_owned())).collect()
}

/// The texts of the nodes.
fn nodes(document: &Document) -> Vec<String> {
    document.nodes().iter().map(|node| node.text().to_owned()).collect()
}

fn file_in(dialect: Dialect, file: &[u8], value: &str) {
    let Some(document) = parse(file, dialect) else { return };
    assert_eq!(written(&document), file, "a parsed text is the text, to the byte");
    for place in document.entries().map(|(at, _)| at).take(64).collect::<Vec<_>>() {
        same_value_changes_nothing(dialect, file, place);
    }
    set_changes_one_entry(dialect, file, value);
    adding_and_removing(dialect, file, value);
}

fn same_value_changes_nothing(dialect: Dialect, file: &[u8], at: usize) {
    let mut document = parse(file, dialect).expect("parsed before");
    let raw = document.nodes()[at].entry().map(|entry| SecretText::from(entry.raw_value())).expect("an entry");
    document.replace_value(at, &raw);
    assert_eq!(written(&document), file);
}

fn set_changes_one_entry(dialect: Dialect, file: &[u8], value: &str) {
    let mut document = parse(file, dialect).expect("parsed before");
    let (rule, raw) = quote(value, Place::File);
    let count = document.entries().count();
    if count == 0 || (rule == Rule::S9 && dialect != Dialect::Own) {
        return;
    }
    let (mut expected, before) = (map(&document), nodes(&document));
    let chosen = document.entries().nth(value.len() % count).map(|(at, entry)| (at, entry.name().to_owned()));
    let (at, changed) = chosen.expect("one of them");
    let comment = document.nodes()[at].entry().and_then(|entry| entry.inline_comment().map(str::to_owned));
    document.replace_value(at, &raw);
    let others = nodes(&document).into_iter().zip(before).enumerate().filter(|(place, _)| *place != at);
    others.for_each(|(_, (now, before))| assert_eq!(now, before));
    let text = written(&document);
    let again = parse(&text, dialect).expect("an edited text is a good text");
    if document.find(&changed) == Some(at) {
        expected.insert(changed, value.to_owned());
    }
    assert_eq!(map(&again), expected);
    let entry = again.nodes()[at].entry().expect("it is one still");
    assert_eq!((entry.value().expose(), entry.inline_comment()), (value, comment.as_deref()));
    assert_eq!(nodes(&again), nodes(&document));
}

fn adding_and_removing(dialect: Dialect, file: &[u8], value: &str) {
    let mut document = parse(file, dialect).expect("parsed before");
    let (rule, raw) = quote(value, Place::File);
    if document.find("FUZZ_NEW").is_some() || (rule == Rule::S9 && dialect != Dialect::Own) {
        return;
    }
    let (before, texts, mark) = (map(&document), nodes(&document), usize::from(document.bom()) * 3);
    document.insert_entry(texts.len(), &name("FUZZ_NEW"), &raw);
    let with_new = written(&document);
    assert!(with_new.starts_with(file), "appending only appends");
    let mut expected = before.clone();
    expected.insert("FUZZ_NEW".into(), value.to_owned());
    assert_eq!(map(&parse(&with_new, dialect).expect("our own line")), expected);
    document.retain(|node| node != texts.len());
    // A line end was added where the last line had none.
    assert_eq!(written(&document)[..file.len()], *file);
    assert_eq!(map(&parse(&written(&document), dialect).expect("the text as it was")), before);
    let Some((at, _)) = document.entries().nth(file.len() % document.entries().count().max(1)) else { return };
    let (start, length) = (mark + texts[..at].concat().len(), texts[at].len());
    let mut document = parse(file, dialect).expect("parsed before");
    document.retain(|node| node != at);
    assert_eq!(written(&document), [&file[..start], &file[start + length..]].concat(), "unset removes its lines");
}

/// What the strict reader takes, npm's reader takes for the same; our own text has `$'...'` besides.
fn readers_agree(file: &[u8]) {
    let [own, foreign, node] = DIALECTS.map(|dialect| parse(file, dialect).as_ref().map(map));
    if foreign.is_some() {
        assert_eq!(foreign, own);
        assert_eq!(foreign, node);
    } else if own.is_some() {
        assert!(file.windows(2).any(|two| two == b"$'"), "only $'...' is our own");
    }
}

fn written_values_are_read(value: &str) {
    for place in [Place::File, Place::SealedLine] {
        let (rule, raw) = quote(value, place);
        let raw = raw.expose();
        assert!(place == Place::File || !raw.contains(['\n', '\r']));
        assert!(!raw.starts_with("enc:"));
        for dialect in DIALECTS {
            if rule == Rule::S9 && dialect != Dialect::Own {
                continue;
            }
            for (before, after) in [("", ""), ("B='x'\n", "\nC=1 # c\n"), ("\u{feff}# c\r\n", " # c\r\n")] {
                let text = format!("{before}A={raw}{after}");
                let document = parse(text.as_bytes(), dialect).expect("what we write is well-formed");
                assert_eq!(map(&document).get("A").map(String::as_str), Some(value), "{rule:?}");
            }
        }
    }
}
