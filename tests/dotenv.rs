//! The dotenv parser and serialiser against the shared vectors, and the laws that hold for every input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use envsec::dotenv::{Code, Dialect, Document, Duplicates, MAX_ERRORS, Place, Rule, SyntaxError, quote};
use envsec::secret::{Secret, SecretText};
use envsec::vars::VarName;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

type Map = BTreeMap<String, String>;

fn parse(input: &[u8], dialect: Dialect) -> Result<Document, Vec<SyntaxError>> {
    let duplicates = if dialect == Dialect::Node { Duplicates::Last } else { Duplicates::Refuse };
    Document::parse(input, dialect, duplicates)
}

fn map(document: &Document) -> Map {
    document.effective().map(|entry| (entry.name().to_owned(), entry.value().expose().to_owned())).collect()
}

fn written(document: &Document) -> Vec<u8> {
    let mut out = Secret::with_capacity(document.size());
    document.write_to(&mut out);
    out.expose().to_vec()
}

fn value_of(text: &str, name: &str, dialect: Dialect) -> Option<String> {
    map(&parse(text.as_bytes(), dialect).ok()?).remove(name)
}

// The shared vectors.

/// The answer in the vectors' form: long values as their digest, errors by the first one.
fn answer(input: &[u8], dialect: Dialect, expected: &Json) -> Json {
    match parse(input, dialect) {
        Err(errors) => {
            let first = &errors[0];
            json!({"status": "error", "code": first.code.as_str(), "line": first.line, "col": first.column})
        }
        Ok(document) => {
            let in_form_of = |(name, value): (String, String)| {
                let digested = expected["vars"][&name].is_object();
                let digest =
                    || json!({"sha256": hex(&Sha256::digest(value.as_bytes())), "chars": value.chars().count()});
                let shown = if digested { digest() } else { json!(value) };
                (name, shown)
            };
            json!({"status": "ok", "vars": map(&document).into_iter().map(in_form_of).collect::<serde_json::Map<_, _>>()})
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn vectors() -> Vec<(String, Vec<u8>, Json)> {
    use base64::Engine as _;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/dotenv.jsonl");
    let text = std::fs::read_to_string(file).expect("the vectors are there");
    let case = |line: &str| {
        let case: Json = serde_json::from_str(line).expect("a line is a JSON object");
        let input = case["input_b64"].as_str().expect("every case has an input");
        let input = base64::engine::general_purpose::STANDARD.decode(input).expect("base64");
        (case["id"].as_str().expect("every case has an id").to_owned(), input, case)
    };
    text.lines().map(case).collect()
}

#[test]
fn every_vector_is_answered_as_recorded() {
    let vectors = vectors();
    assert!(vectors.len() >= 98, "vectors are missing");
    let mut failures = Vec::new();
    for (id, input, case) in &vectors {
        for (column, dialect) in [("envsec", Dialect::Foreign), ("dialect_node", Dialect::Node)] {
            let expected = &case[column];
            let actual = answer(input, dialect, expected);
            if actual != *expected {
                failures.push(format!("{id} ({column}): expected {expected}, got {actual}"));
            }
            // Law N, replayed: what is not an error is what npm dotenv answered.
            if actual["status"] == "ok" && actual != case["node"] {
                failures.push(format!("{id} ({column}): npm dotenv answered {}, got {actual}", case["node"]));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn our_own_text_is_read_like_anybodys_but_for_ansi_values() {
    for (id, input, _) in vectors() {
        let own = parse(&input, Dialect::Own).map(|document| map(&document)).ok();
        let foreign = parse(&input, Dialect::Foreign).map(|document| map(&document)).ok();
        assert!(own == foreign, "{id}");
    }
    assert_eq!(
        value_of(r"A=$'\\ \' \n\r\t\x01\x7F # '", "A", Dialect::Own).as_deref(),
        Some("\\ ' \n\r\t\u{1}\u{7f} # ")
    );
    assert!(value_of("A=$'x'", "A", Dialect::Node).is_none());
}

// Generators.

/// Values, rich in everything that some program treats specially.
fn values() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "'", "\"", "`", "$", "\\", "#", " ", "\t", "\n", "\r", "\r\n", "=", ":", "a", "n", "r", "Z9", "enc:",
        "export ", "$'", "${A}", "\\n", "\\'", "\u{1}", "\u{7f}", "\u{85}", "\u{a0}", "\u{feff}", "\u{2028}", "é", "𝄞",
        "A=1",
    ]);
    let pieces = prop::collection::vec(special, 0..8).prop_map(|pieces| pieces.concat());
    let any = prop::collection::vec(any::<char>(), 0..12)
        .prop_map(|chars| chars.into_iter().filter(|char| *char != '\0').collect());
    let enc = pieces.clone().prop_map(|rest| format!("enc:{rest}"));
    prop_oneof![4 => pieces, 1 => enc, 2 => any, 1 => "[ -~]{0,20}"]
}

/// Files of pieces, many of them broken.
fn files() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "A=", "B=", "\nC='", "D: ", "export ", "=", "'", "\"", "`", "\\", "#", " ", "\t", "\n", "\r\n", "x", "n", "é",
        "\u{feff}", "\u{85}", "$'", "\nE=1\n", " # c\n", "\0", "\r", "\u{2028}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config(3000))]

    /// Law 1.
    #[test]
    fn a_written_value_is_read_back(value in values(), sealed in any::<bool>()) {
        let place = if sealed { Place::SealedLine } else { Place::File };
        let (rule, raw) = quote(&value, place);
        let raw = raw.expose();
        prop_assert!(!sealed || !raw.contains(['\n', '\r']));
        prop_assert!(!raw.starts_with("enc:"));
        let dialects: &[Dialect] = if rule == Rule::S9 { &[Dialect::Own] } else { &[Dialect::Own, Dialect::Foreign, Dialect::Node] };
        let frames = [("", ""), ("B=\n", "\nC=1"), ("B='x'\n", "\r\nC='y' # z\r\n"), ("# c\n\nB=\"\n\"\n", " # c\nC=`q`"), ("\u{feff}export ", "\n")];
        for dialect in dialects {
            for (before, after) in frames {
                let read = value_of(&format!("{before}A={raw}{after}"), "A", *dialect);
                prop_assert!(read.as_deref() == Some(&value), "{rule:?} {raw:?} {dialect:?} {before:?} {after:?} {read:?}");
            }
        }
    }

    /// Law 1, every value between others of its kind; laws 6 and 9.
    #[test]
    fn values_do_not_touch_each_other(values in prop::collection::vec(values(), 1..8)) {
        let mut document = parse(b"", Dialect::Own).expect("empty");
        for (index, value) in values.iter().enumerate() {
            let name = VarName::try_from(format!("V{index}").as_str()).expect("a name");
            document.insert_entry(index, &name, &quote(value, Place::File).1);
        }
        let text = written(&document);
        let again = parse(&text, Dialect::Own).expect("our own text");
        prop_assert!(again.entries().zip(&values).all(|((_, entry), value)| entry.value().expose() == value));
        prop_assert_eq!(again.nodes().len(), values.len());
        prop_assert!(again.entries().all(|(_, entry)| entry.is_bare_form()));
        prop_assert!(again.entries().zip(&values).all(|((_, entry), value)| quote(value, Place::File).1.expose() == entry.raw_value()));
    }

    /// Law 3: the nodes are the text, and each edit touches one place.
    #[test]
    fn no_byte_is_lost(text in files(), value in values()) {
        for dialect in [Dialect::Own, Dialect::Foreign, Dialect::Node] {
            let Ok(mut document) = parse(text.as_bytes(), dialect) else { continue };
            prop_assert_eq!(written(&document), text.as_bytes());
            prop_assert_eq!(document.size(), text.len());
            let before = map(&document);
            let same: Vec<_> = document.entries().map(|(at, entry)| (at, SecretText::from(entry.raw_value()))).collect();
            for (at, raw) in &same {
                document.replace_value(*at, raw);
            }
            prop_assert_eq!(written(&document), text.as_bytes());
            prop_assert_eq!(map(&document), before.clone());
            let Some((at, name)) = document.entries().last().map(|(at, entry)| (at, entry.name().to_owned())) else { continue };
            let nodes: Vec<_> = document.nodes().iter().map(|node| node.text().to_owned()).collect();
            let comment = document.nodes()[at].entry().and_then(|entry| entry.inline_comment().map(str::to_owned));
            let (rule, raw) = quote(&value, Place::File);
            if rule == Rule::S9 && dialect != Dialect::Own {
                continue;
            }
            document.replace_value(at, &raw);
            prop_assert!(document.nodes().iter().enumerate().all(|(other, node)| other == at || node.text() == nodes[other]));
            let text = written(&document);
            let again = parse(&text, dialect).expect("an edited text is a good text");
            let mut expected = before;
            expected.insert(name, value.clone());
            prop_assert_eq!(map(&again), expected);
            let kept = again.nodes()[at].entry().and_then(|entry| entry.inline_comment().map(str::to_owned));
            prop_assert_eq!(kept, comment);
        }
    }

    /// Law 3: appending adds a missing line end, a line, and nothing else; removing undoes it.
    #[test]
    fn appending_only_appends(text in files()) {
        let Ok(mut document) = parse(text.as_bytes(), Dialect::Own) else { return Ok(()) };
        let count = document.nodes().len();
        document.insert_entry(count, &VarName::try_from("NEW").expect("a name"), &SecretText::from("1"));
        let end = document.line_end();
        let missing = if count == 0 || text.ends_with('\n') { "" } else { end };
        prop_assert_eq!(written(&document), format!("{text}{missing}NEW=1{end}").into_bytes());
        document.retain(|at| at != count);
        prop_assert_eq!(written(&document), format!("{text}{missing}").into_bytes());
    }

    /// Law 4: a secret in a broken file shows in no message.
    #[test]
    fn no_message_holds_a_value(before in files(), quoting in "['\"`]?", middle in files(), after in files()) {
        let marker = "hunter2MARKER";
        let text = format!("{before}\nKEY={quoting}{marker}{middle}{marker}\n{marker}{after}{marker}");
        for dialect in [Dialect::Own, Dialect::Foreign, Dialect::Node] {
            for error in parse(text.as_bytes(), dialect).err().into_iter().flatten() {
                // `hunter2MARKER=` on a line of its own in a file that was sound so far is a variable's name.
                let is_name = error.name.as_deref().is_some_and(|name| name.contains(marker));
                prop_assert!(is_name || !format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
        }
    }

    /// Law 5.
    #[test]
    fn a_value_is_never_cut_short(value in values(), cut in any::<prop::sample::Index>(), comment in any::<bool>()) {
        let raw = quote(&value, Place::File).1;
        if !raw.expose().starts_with(['\'', '"', '`']) && !raw.expose().starts_with("$'") {
            return Ok(());
        }
        let text = format!("A={}{}", raw.expose(), if comment { " # c\n" } else { "" });
        let quoted = "A=".len() + 1..text.len() - if comment { " # c\n".len() } else { 0 };
        let at = quoted.start + cut.index(quoted.len());
        let read = Document::parse(&text.as_bytes()[..at], Dialect::Own, Duplicates::Refuse);
        // Cut after the `$` of `$'...'`, a lone `$` is left: quotes were not reached yet.
        prop_assert!(read.is_err() || at == 3 && text.starts_with("A=$"), "{text:?} {at}");
    }

    /// Law 7: any bytes at all.
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), text in files()) {
        for dialect in [Dialect::Own, Dialect::Foreign, Dialect::Node] {
            for input in [&bytes[..], text.as_bytes()] {
                if let Err(errors) = parse(input, dialect) {
                    let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
                    prop_assert!(places.is_sorted() && !places.is_empty());
                }
            }
        }
    }

    /// Law 9.
    #[test]
    fn no_dollar_is_consumed(value in "[a-z${}:()-]{1,12}") {
        let read = value_of(&format!("HOME=1\nA={value}\nB='{value}'\nC=\"{value}\""), "A", Dialect::Foreign);
        prop_assert_eq!(read, Some(value));
    }
}

/// Law 7: a second reading of anything in these would not end today.
#[test]
fn hostile_inputs_end_quickly() {
    let size = 1 << 20;
    let pieces = [
        "'",
        "\"",
        "`",
        "\\",
        "#",
        "K=",
        "K='",
        "K=\"\n",
        "K=\\\"",
        "\\\"",
        "K=\"\\\"\n",
        "K='\\'\nK=`\\`\n",
        "K= #\n",
        "K=#\n",
        "export ",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\0\n",
        "\u{2028}",
        "\u{feff}",
        "K: ",
        "K=$'\n",
        "$'\\x",
        ":",
        ".",
        "é",
        "K='\nL=\"\nM=`\n",
    ];
    for piece in pieces {
        for head in ["", "A='", "A=\"", "A=`", "A=$'", "A=", "#"] {
            let input = format!("{head}{}", piece.repeat(size / piece.len() / 16));
            for dialect in [Dialect::Own, Dialect::Foreign, Dialect::Node] {
                assert!(parse(input.as_bytes(), dialect).err().is_none_or(|errors| errors.len() <= MAX_ERRORS));
            }
        }
        assert!(
            parse(piece.repeat(size / piece.len()).as_bytes(), Dialect::Foreign)
                .err()
                .is_none_or(|errors| errors.len() <= MAX_ERRORS)
        );
    }
    for piece in ["'", "\"", "\\", "\n", "\r", "\u{1}", "\\'\""] {
        assert!(quote(&piece.repeat(size / 4), Place::SealedLine).1.len() >= size / 4);
    }
}

#[test]
fn a_hundred_thousand_entries_are_read() {
    let text: String = (0..100_000).map(|number| format!("NAME_{number}='value'\n")).collect();
    let document = parse(text.as_bytes(), Dialect::Own).expect("good text");
    assert_eq!(document.effective().count(), 100_000);
    assert_eq!(document.nodes()[99_999].line(), 100_000);
    assert_eq!(written(&document), text.as_bytes());
}

#[test]
fn errors_point_at_the_place() {
    let errors = parse("é='\n'\u{2028}\nB='x".as_bytes(), Dialect::Foreign).err().expect("errors");
    let found: Vec<_> = errors.iter().map(|error| (error.line, error.column, error.code)).collect();
    assert_eq!(found, [(1, 1, Code::Name), (2, 1, Code::Name), (3, 3, Code::Unterminated)]);
}
