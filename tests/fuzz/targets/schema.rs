//! Declarations: loading them, checking variables against them, and the engine of their patterns.

use super::{parts, text};
use envsec::dotenv::{Dialect, Document, Duplicates};
use envsec::schema::{
    Clue, Entry, Environment, Pattern, PatternError, Problem, Schema, SchemaError, Source, Stored, Verdict, example,
    fits, infer, lint,
};
use envsec::vars::VarName;

/// A declaration, and variables as `NAME=value`; each value is an instance of JSON too.
pub(super) fn schema(input: &[u8]) {
    let mut parts = parts(input);
    let declaration = parts.next().unwrap_or_default();
    let variables = variables(parts.take(16));
    guessed(&variables);
    let schema = match Schema::load(declaration) {
        Ok(schema) => schema,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(described(&schema), described(&Schema::load(declaration).expect("as before")));
    if let Ok(findings) = lint(declaration) {
        assert!(findings.is_sorted_by_key(|finding| finding.weight));
    }
    let text = example(&schema);
    let read = Document::parse(text.as_bytes(), Dialect::Node, Duplicates::Last);
    assert!(read.is_ok(), "the example of a declaration is a dotenv file: {text:?}");
    checked(&schema, &variables);
    let marked: Vec<_> = variables.iter().map(|(name, value)| (name.clone(), format!("{MARK}{value}{MARK}"))).collect();
    [variables.as_slice(), &marked].iter().for_each(|variables| no_value_is_told(&schema, variables, declaration));
    for (_, value) in &variables {
        assert_eq!(fits(declaration, value.as_bytes()).ok(), fits(declaration, value.as_bytes()).ok());
    }
}

/// Each name once.
fn variables<'t>(parts: impl Iterator<Item = &'t [u8]>) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for part in parts {
        let text = text(part);
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        if VarName::try_from(name).is_ok() && !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
    variables
}

/// All that a declaration says of single variables.
fn described(schema: &Schema) -> Vec<String> {
    let property = |property: envsec::schema::Property<'_>| {
        let (name, pointer, words) = (property.name(), property.pointer(), property.expected());
        let flags = [property.is_required(), property.may_be_empty(), property.is_secret(), property.is_public()];
        let texts = [property.description(), property.docs(), property.deprecated()];
        let times = (property.generate(), property.rotate_every(), property.grace());
        format!("{name} {pointer} {words} {flags:?} {texts:?} {:?} {times:?}", property.default())
    };
    schema.properties().map(property).collect()
}

fn checked(schema: &Schema, variables: &[(String, String)]) {
    let Some(verdict) = verdict(schema, variables, false) else { return };
    let strict = self::verdict(schema, variables, true).expect("as before");
    let words = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(strict.problems.is_empty(), verdict.problems.is_empty() && verdict.warnings.is_empty());
    let again = self::verdict(schema, variables, false).expect("as before");
    assert_eq!(words(&again.problems), words(&verdict.problems));
    for (name, _) in &verdict.defaults {
        assert!(variables.iter().all(|(known, value)| known != name || value.is_empty()), "a default replaces nothing");
    }
    for (name, value) in variables {
        let alone = schema.check_value(name, value, Stored::Secret).expect("as together with others");
        let together: Vec<&Problem> =
            verdict.problems.iter().filter(|problem| problem.name.as_ref() == Some(name)).collect();
        assert!(alone.is_empty() || !together.is_empty() || value.is_empty(), "{name} is wrong alone: {alone:?}");
    }
}

/// What no message has of its own.
const MARK: char = '\u{1f511}';

fn no_value_is_told(schema: &Schema, variables: &[(String, String)], declaration: &[u8]) {
    let declaration = String::from_utf8_lossy(declaration).to_lowercase();
    let Some(verdict) = verdict(schema, variables, true) else { return };
    if !declaration.contains(MARK) && !declaration.contains("\\ud83d") {
        let told = verdict.problems.iter().find(|problem| format!("{problem:?}").contains(MARK));
        assert!(told.is_none(), "a value is told: {told:?}");
    }
}

/// `None` where the declaration cannot be checked within bounds.
fn verdict(schema: &Schema, variables: &[(String, String)], strict: bool) -> Option<Verdict> {
    let entries = variables.iter().map(|(name, value)| Entry {
        name,
        value: Some(value),
        source: Source::File,
        stored: Some(Stored::Secret),
    });
    let environment =
        Environment { entries: entries.collect(), label: None, names_only: false, is_selected: &|_: &str| true };
    match schema.check(&environment, strict) {
        Ok(verdict) => Some(verdict),
        Err(error) => {
            assert!(matches!(error, SchemaError::TooComplex | SchemaError::Rule { .. }), "{error}");
            None
        }
    }
}

/// A declaration that was guessed from variables fits them.
fn guessed<'v>(variables: &'v [(String, String)]) {
    let clue = |(name, value): &'v (String, String)| Clue {
        name,
        value: Some(value),
        comment: Some(value.clone()),
        required: !value.is_empty(),
    };
    let clues: Vec<Clue<'_>> = variables.iter().map(clue).collect();
    let schema = Schema::load(infer(&clues).as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let verdict = verdict(&schema, variables, false).expect("a simple declaration");
    // A public name with what looks like a secret is wrong, whatever the declaration says.
    let wrong: Vec<_> = verdict.problems.iter().filter(|problem| !problem.rule.contains("public")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The longest text, in bytes, on which a pattern is asked in all words.
const LONGEST_FOR_ALL: usize = 20;

/// A pattern, and two texts.
pub(super) fn pattern(input: &[u8]) {
    let mut parts = parts(input);
    let source = text(parts.next().unwrap_or_default());
    let pattern = match Pattern::parse(&source) {
        Ok(pattern) => pattern,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for text in parts.take(2).map(text) {
        match pattern.is_match(&text) {
            // Of a longer text the many answers can take all the steps that there are, each.
            Ok(found) if text.len() <= LONGEST_FOR_ALL => same_in_other_words(&source, &text, found),
            Ok(_) => {}
            Err(error) => assert_eq!(error, PatternError::Limit),
        }
    }
}

/// Whether it matches, `None` where the bounds do not allow to know.
fn answer(source: &str, text: &str) -> Option<bool> {
    match Pattern::parse(source) {
        Ok(pattern) => pattern.is_match(text).ok(),
        Err(error) => {
            assert!(matches!(error, PatternError::TooLarge | PatternError::Unsupported { .. }), "{source}: {error}");
            None
        }
    }
}

fn same_in_other_words(source: &str, text: &str, found: bool) {
    for other in [format!("(?:{source})"), format!("(?={source})"), format!("(?:{source}){{1}}")] {
        assert_eq!(answer(&other, text).unwrap_or(found), found, "{other}");
    }
    let nowhere = format!("^(?![^]*(?:{source}))");
    assert_eq!(answer(&nowhere, text).unwrap_or(!found), !found, "{nowhere}");
    assert!(found || answer(&format!("^(?:{source})$"), text) != Some(true), "the whole is a part");
    assert_ne!(answer(&format!("(?:{source})?"), text), Some(false), "nothing is there always");
}
