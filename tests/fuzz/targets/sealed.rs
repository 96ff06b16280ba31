//! The sealed file: any bytes, a good file that somebody without a key has edited, and any values.

use super::choices::Choices;
use super::holder::{self, Counting, KNOWN, open};
use super::{name, parts, text, value, vars};
use envsec::sealed::{
    Differences, Known, Label, Line, Locked, NewSlot, Revision, SealedError, Storage, Unlocked, Unsealed, Utc, outline,
};
use std::collections::BTreeMap;

/// An input that begins with `#` is a file. One that begins with `E` is what somebody without the key does to a good file;
/// any other is values.
pub(super) fn sealed(input: &[u8]) {
    match input {
        [b'#', ..] => file(input),
        [b'E', script @ ..] => edits(script),
        _ => values(input),
    }
}

fn now() -> Utc {
    Utc::from_unix(1_800_000_000)
}

/// What a file holds: how each name is stored, and its value, if it decrypts.
type Content = BTreeMap<String, (bool, Option<String>)>;

fn content(file: &Unlocked) -> Content {
    let names = file.locked().names().map(|(name, storage)| (super::name(name), storage == Storage::Secret));
    names.map(|(name, secret)| (name.to_string(), (secret, file.get(&name).ok().flatten().map(shown)))).collect()
}

fn shown(value: envsec::vars::Value) -> String {
    value.expose().to_owned()
}

fn file(bytes: &[u8]) {
    if let Ok(unsealed) = Unsealed::parse(bytes) {
        resealed(unsealed);
    }
    let locked = match Locked::parse(bytes) {
        Ok(locked) => locked,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    read_without_key(locked, bytes);
    match (open(bytes), holder::sealed(text_of(bytes))) {
        (Ok(file), good) => {
            assert!(good.is_none_or(|good| good.as_bytes() == bytes), "it opens with another seal than it should have");
            opened(file, bytes);
        }
        (Err(SealedError::Seal), Some(good)) => {
            assert!(good.as_bytes() != bytes, "it has the right seal");
            opened(open(good.as_bytes()).expect("sealed with the key"), good.as_bytes());
        }
        (Err(error), _) => assert!(!error.to_string().is_empty()),
    }
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a file that was parsed is text")
}

fn read_without_key(locked: Locked, bytes: &[u8]) {
    let lines = text_of(bytes).lines().count();
    assert!(locked.comments().all(|(line, comment)| line <= lines && comment.contains('#')));
    assert!(locked.plain_values().count() <= locked.names().count());
    assert!(locked.pin().ends_with(&format!(":{}", locked.rev())) && locked.rev() > 0);
    assert!(locked.latest_change().is_none_or(|at| Utc::parse(&at.to_string()) == Some(at)));
    let names = locked.names().count();
    let revision = Revision::Unverified(Box::new(locked));
    assert!(outline(&revision).lines().count() > names);
    let again = Revision::Unverified(Box::new(Locked::parse(bytes).expect("as before")));
    assert!(Differences::between(&revision, &again).is_ok_and(|differences| differences.is_none()));
}

/// A text of which only the body is taken, under the header of the known file.
fn resealed(unsealed: Unsealed) {
    let head = open(KNOWN.as_bytes()).expect("the known answer");
    let known = Known { head: &head, theirs: None, basis: &head, conflicts: &[] };
    let Ok(resealed) = unsealed.reseal(known, |name| name.as_str().starts_with('P'), now(), &mut Counting::default())
    else {
        return;
    };
    let values: Vec<_> =
        resealed.values.iter().map(|(name, storage, value)| (name.to_string(), *storage, value.duplicate())).collect();
    match resealed.file.seal() {
        Ok(bytes) => {
            let file = open(&bytes).expect("sealed just now");
            let content = content(&file);
            for (name, storage, value) in values {
                assert_eq!(content[&name], (storage == Storage::Secret, Some(shown(value))));
            }
            opened(file, &bytes);
        }
        Err(error) => assert!(matches!(error, SealedError::WouldExceed { .. }), "{error}"),
    }
}

/// What holds for every file that opened.
fn opened(file: Unlocked, bytes: &[u8]) {
    let before = content(&file);
    a_new_name_changes_nothing_else(open(bytes).expect("opens"), bytes, &before);
    set_and_unset(open(bytes).expect("opens"), &before);
    rewritten_as_it_is(bytes);
    if before.values().all(|(_, value)| value.is_some()) {
        let (one, other) = (open(bytes).expect("opens"), Revision::Verified(Box::new(file)));
        let one = Revision::Verified(Box::new(one));
        assert!(Differences::between(&one, &other).is_ok_and(|differences| differences.is_none()));
        assert_eq!(outline(&one), outline(&other));
    }
}

/// The next revision, `None` if it cannot be.
fn next(file: Unlocked) -> Option<Vec<u8>> {
    match file.seal() {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(matches!(error, SealedError::WouldExceed { .. }), "{error}");
            None
        }
    }
}

fn a_new_name_changes_nothing_else(mut file: Unlocked, bytes: &[u8], before: &Content) {
    let new = name("FUZZ_NEW");
    if file.contains(&new) {
        return;
    }
    file.set(&new, &value("new\nvalue"), None, now(), &mut Counting::default()).expect("a new name");
    let rev = file.locked().rev();
    let Some(sealed) = next(file) else { return };
    let again = open(&sealed).expect("sealed just now");
    assert_eq!(again.locked().rev(), rev + 1);
    let mut expected = before.clone();
    expected.insert("FUZZ_NEW".into(), (true, Some("new\nvalue".into())));
    assert_eq!(content(&again), expected);
    let is_other = |line: &&str| !line.starts_with("#envsec:seal ") && !line.starts_with("FUZZ_NEW=");
    let lines = |bytes| text_of(bytes).lines().filter(is_other).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&sealed), lines(bytes), "all other lines stay");
}

fn set_and_unset(mut file: Unlocked, before: &Content) {
    let rng = &mut Counting::default();
    let Some(first) = before.keys().next().map(|first| name(first)) else { return };
    let other = if before[first.as_str()].0 { Storage::Plain } else { Storage::Secret };
    match file.set(&first, &value("'\"`$\\\n"), Some(other), now(), rng) {
        Ok(changed) => assert!(changed),
        Err(error) => return assert!(matches!(error, SealedError::Rotating { .. }), "{error}"),
    }
    let Some(sealed) = next(file) else { return };
    let mut file = open(&sealed).expect("sealed just now");
    let mut expected = before.clone();
    expected.insert(first.to_string(), (other == Storage::Secret, Some("'\"`$\\\n".into())));
    assert_eq!(content(&file), expected);
    assert!(!file.set(&first, &value("'\"`$\\\n"), None, now(), rng).expect("the same value"));
    file.unset(std::slice::from_ref(&first));
    let Some(sealed) = next(file) else { return };
    expected.remove(first.as_str());
    assert_eq!(content(&open(&sealed).expect("sealed just now")), expected);
}

fn rewritten_as_it_is(bytes: &[u8]) {
    let (copy, mut file) = (open(bytes).expect("opens"), open(bytes).expect("opens"));
    assert!(!file.rewrite(&copy.locked().body_lines(), now()).expect("its own lines"), "nothing changed");
}

/// The files that there are: what somebody without the key can put together comes from these.
fn known_files() -> [String; 2] {
    let changed = "LOG_LEVEL=debug # more\n# a comment\n\nREGION='eu'";
    let later = KNOWN.replace("rev=7", "rev=8").replace("LOG_LEVEL=info", changed);
    [KNOWN.to_owned(), holder::sealed(&later).expect("a good file")]
}

/// What the seal covers of a text: all lines but comments and blank ones.
fn covered(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.strip_suffix('\r').unwrap_or(line));
    let is_comment = |line: &str| line.starts_with('#') && !line.starts_with("#envsec:");
    lines.filter(|line| !is_comment(line) && !line.trim_matches([' ', '\t']).is_empty()).collect()
}

/// Edits without the key: what opens all the same is a file that was there, but for comments, blank lines and line ends.
fn edits(script: &[u8]) {
    let files = known_files();
    let mut choices = Choices::new(script);
    let mut bytes = choices.one_of(&[&files[0], &files[1]]).clone().into_bytes();
    for _ in 0..8 {
        if choices.is_empty() {
            break;
        }
        bytes = edited(bytes, &files, &mut choices);
    }
    let Ok(file) = open(&bytes) else { return };
    let text = text_of(&bytes);
    let original = files.iter().find(|original| covered(original) == covered(text)).expect("nothing else opens");
    assert_eq!(content(&file), content(&open(original.as_bytes()).expect("it opens")));
}

/// A few lines of the text, as a range of bytes.
fn some_lines(bytes: &[u8], choices: &mut Choices<'_>) -> std::ops::Range<usize> {
    let ends: Vec<usize> = std::iter::once(0)
        .chain(bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1))
        .collect();
    let first = choices.below(ends.len());
    let last = (first + choices.below(3)).min(ends.len() - 1);
    ends[first]..ends[last]
}

fn edited(mut bytes: Vec<u8>, files: &[String; 2], choices: &mut Choices<'_>) -> Vec<u8> {
    let length = bytes.len();
    match choices.below(10) {
        0 if length > 0 => bytes[choices.below(length)] ^= 1 << choices.below(8),
        1 => bytes.insert(choices.below(length + 1), choices.byte()),
        2 if length > 0 => drop(bytes.remove(choices.below(length))),
        3 => drop(bytes.drain(some_lines(&bytes, choices))),
        4 => {
            let lines = bytes[some_lines(&bytes, choices)].to_vec();
            let at = some_lines(&bytes, choices).start;
            bytes.splice(at..at, lines);
        }
        5 => {
            let other = choices.one_of(&[&files[0], &files[1]]).as_bytes();
            let lines = other[some_lines(other, choices)].to_vec();
            bytes.splice(some_lines(&bytes, choices), lines);
        }
        6 => {
            let line = choices.one_of(&["# a comment\n", "\n", " \t\n", "# A=1 'x\n", "#\n", "NEW=1\n", "NEW=\n"]);
            let at = some_lines(&bytes, choices).start;
            bytes.splice(at..at, line.bytes());
        }
        7 => bytes = String::from_utf8_lossy(&bytes).replace('\n', "\r\n").into_bytes(),
        8 => bytes.truncate(choices.below(length + 1)),
        _ => {
            let at = choices.below(length + 1);
            let count = choices.below(16);
            bytes.splice(at..at, choices.bytes(count).iter().copied());
        }
    }
    bytes
}

/// Values in, values out: a comment, then secrets and plain values in turn.
fn values(input: &[u8]) {
    let (comment, rng) = (text(parts(input).next().unwrap_or_default()), &mut Counting::default());
    let label = Label::parse(&comment);
    let mut file = Unlocked::create(label.clone(), &[NewSlot::raw_key(holder::raw_key())], rng).expect("a new file");
    file.append_line(Line::Comment("# of the fuzzer"));
    let vars = vars(parts(input));
    let storage = |place: usize| if place.is_multiple_of(2) { Storage::Secret } else { Storage::Plain };
    let mut expected = Content::new();
    for (place, (name, value)) in vars.iter().enumerate() {
        match comment.len() % 2 {
            0 => assert!(file.set(name, value, Some(storage(place)), now(), rng).expect("a new name")),
            _ => file.append(name, value, storage(place), rng),
        }
        expected.insert(name.to_string(), (storage(place) == Storage::Secret, Some(value.expose().to_owned())));
    }
    let Some(bytes) = next(file) else { return };
    let file = open(&bytes).expect("sealed just now");
    assert_eq!(content(&file), expected);
    assert_eq!(file.locked().label(), label.as_ref());
    opened(file, &bytes);
}
