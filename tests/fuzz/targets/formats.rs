//! The readers of other formats, each with its writer.

use super::holder::{self, Counting};
use super::{parts, vars};
use envsec::dotenv::Duplicates;
use envsec::formats::dotenv::{self, Options, Reader};
use envsec::formats::{ImportError, Incoming, Item, docker, env0, github, json, seed};
use envsec::import::{self, Policy};
use envsec::sealed::{NewSlot, SealedError, Unlocked, Utc};
use envsec::secret::{Secret, SecretText};
use envsec::vars::{MAX_VALUE, Vars};

/// What came in, as far as it is variables.
fn entries(incoming: &Incoming) -> Vec<(&str, &str)> {
    incoming.entries().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

fn of(vars: &Vars) -> Vec<(&str, &str)> {
    vars.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

fn as_vars(incoming: &Incoming) -> Vars {
    let mut vars = Vars::default();
    incoming.entries().for_each(|(name, value)| vars.insert(name.clone(), value.duplicate()));
    vars
}

/// What every reader owes: names once, values that a variable can hold, and reasons if it refuses.
fn good(read: Result<Incoming, ImportError>) -> Option<Incoming> {
    match read {
        Ok(incoming) => {
            assert_eq!(as_vars(&incoming).iter().len(), incoming.entries().count(), "a name stands once");
            assert!(incoming.entries().all(|(_, value)| value.expose().len() <= MAX_VALUE));
            assert!(incoming.entries().all(|(_, value)| !value.expose().contains('\0')));
            Some(incoming)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Reads a text, and writes and reads again what was in it.
fn there_and_back(
    text: &[u8],
    parse: impl Fn(&[u8]) -> Result<Incoming, ImportError>,
    print: impl Fn(&Vars) -> Vec<u8>,
) {
    if let Some(incoming) = good(parse(text)) {
        let printed = print(&as_vars(&incoming));
        let again = good(parse(&printed)).expect("what we write is well-formed");
        assert_eq!(entries(&again), entries(&incoming));
        assert_eq!(print(&as_vars(&again)), printed);
    }
    let vars = vars(parts(text));
    let again = good(parse(&print(&vars))).expect("what we write is well-formed");
    assert_eq!(entries(&again), of(&vars));
}

/// A JSON object; values.
pub(super) fn json(input: &[u8]) {
    let parse = |text: &[u8]| json::parse(text, "in.json");
    there_and_back(input, parse, |vars| json::print(vars).expose().as_bytes().to_vec());
}

/// What `env -0` prints; values.
pub(super) fn env0(input: &[u8]) {
    let parse = |text: &[u8]| env0::parse(text, "in");
    there_and_back(input, parse, |vars| env0::print(vars).expose().as_bytes().to_vec());
}

/// A byte for the options; a dotenv text of somebody's.
pub(super) fn dotenv_of_others(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let choice = usize::from(choice.wrapping_sub(b'0')) % 36;
    let process = |name: &str| (name == "HOME").then(|| SecretText::from("/home/user"));
    let options = Options {
        reader: [Reader::Strict, Reader::Node, Reader::Dotenvy][choice % 3],
        duplicates: [Duplicates::Refuse, Duplicates::First, Duplicates::Last][choice / 3 % 3],
        keep_comment_values: choice / 9 % 2 == 1,
        expand: (choice / 18 == 1).then_some(&process),
    };
    let Some(incoming) = good(dotenv::parse(text, "in", &options)) else { return };
    for item in &incoming.items {
        if let Item::Comment(comment) = item {
            assert!(comment.starts_with('#') && !comment.contains(['\n', '\r']));
            assert!(options.keep_comment_values || dotenv::commented_entry(comment).is_none(), "a value is kept");
        }
    }
    let vars = as_vars(&incoming);
    if let Ok((printed, _)) = dotenv::print(&vars) {
        let strict =
            Options { reader: Reader::Strict, duplicates: Duplicates::Refuse, keep_comment_values: true, expand: None };
        let again =
            good(dotenv::parse(printed.expose().as_bytes(), "in", &strict)).expect("what we write is well-formed");
        assert_eq!(entries(&again), of(&vars));
    }
    lines_of_others(&vars);
    imported(incoming);
}

/// What docker and GitHub read, each by its rules.
fn lines_of_others(vars: &Vars) {
    if let Ok(printed) = docker::print(vars) {
        let lines = printed.expose().lines().map(|line| line.split_once('=').expect("NAME=value"));
        assert_eq!(lines.collect::<Vec<_>>(), of(vars));
    }
    let secret = vars.iter().map(|(name, _)| name.clone()).collect();
    if let Ok(github::Printed { masks, blocks }) = github::print(vars, &secret, "delimiter") {
        let mut rest = blocks.expose();
        for (name, value) in of(vars) {
            let block = format!("{name}<<delimiter\n{value}\ndelimiter\n");
            rest = rest.strip_prefix(block.as_str()).expect("a block for each, in their order");
        }
        assert!(rest.is_empty());
        assert!(masks.expose().lines().all(|line| line.starts_with("::add-mask::")));
    }
}

/// The whole way into a sealed file and out of it.
fn imported(incoming: Incoming) {
    let vars = as_vars(&incoming);
    let rng = &mut Counting::default();
    let mut file = Unlocked::create(None, &[NewSlot::raw_key(holder::raw_key())], rng).expect("a new file");
    let summary = import::into_file(&mut file, incoming, &Policy::default(), Utc::from_unix(1_800_000_000), rng);
    assert_eq!(summary.map(|summary| summary.added).ok(), Some(vars.iter().len()));
    match file.seal() {
        Ok(bytes) => {
            let read = holder::open(&bytes).and_then(|file| file.vars()).expect("sealed just now");
            assert_eq!(of(&read), of(&vars));
        }
        Err(error) => assert!(matches!(error, SealedError::WouldExceed { .. }), "{error}"),
    }
}

/// A seed blob, and what may be the plaintext of one: scrypt would be all that there is time for.
pub(super) fn seed(input: &[u8]) {
    if let Err(error) = seed::Blob::parse(input, "in") {
        assert!(!error.to_string().is_empty());
    }
    let Ok(plain) = Secret::from(input).into_text() else { return };
    let Some(incoming) = good(seed::lines(&plain, "in")) else { return };
    assert!(incoming.entries().all(|(_, value)| value.expose().trim() == value.expose()));
    let printed: String = entries(&incoming).iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let again = good(seed::lines(&SecretText::from(printed), "in")).expect("its own lines");
    assert_eq!(entries(&again), entries(&incoming));
}
