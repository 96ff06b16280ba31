//! Three-way merges of sealed files: any three files, and three that come from one another.

use super::choices::Choices;
use super::holder::{self, Counting, MAC_OF_NOBODY, open, token};
use super::parts;
use envsec::sealed::{Locked, Merge, MergeError, SealedError, Storage, Unlocked};
use std::collections::{BTreeMap, BTreeSet};

/// An input that begins with `#` is three files; any other one is what was done on two sides to a common one.
pub(super) fn merge(input: &[u8]) {
    let texts = if input.starts_with(b"#") { files(input) } else { histories(input) };
    let Some([base, ours, theirs]) = texts else { return };
    let [b, o, t] = [&base, &ours, &theirs].map(|text| open(text.as_bytes()).ok());
    let (Some(b), Some(o), Some(t)) = (b, o, t) else { return };
    let outline = input.last().copied().unwrap_or_default();
    let merged = merged(&b, &o, &t, outline);
    let mirrored = self::merged(&b, &t, &o, outline);
    if let (Some(one), Some(other)) = (&merged, &mirrored) {
        assert_eq!(one.conflicts, other.conflicts, "both sides count the same");
        for (name, state) in &one.states {
            assert!(one.conflicts.contains(name) || other.states.get(name) == Some(state), "{name}");
        }
    }
    if merged.is_some() {
        alone(&b, &o, &o);
        alone(&b, &o, &b);
        alone(&b, &b, &o);
    }
}

/// Three texts, sealed by somebody with the key where they are well-formed.
fn files(input: &[u8]) -> Option<[String; 3]> {
    let mut parts = parts(input).map(|part| holder::sealed(std::str::from_utf8(part).ok()?));
    let [base, ours, theirs] = [parts.next()?, parts.next()?, parts.next()?];
    Some([base?, ours?, theirs?])
}

const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const VALUES: [&str; 4] = ["", "one", "two", "three 'and' more"];

/// A line below the header.
#[derive(Clone)]
enum Line {
    Other(&'static str),
    Entry(Entry),
}

#[derive(Clone)]
struct Entry {
    name: &'static str,
    secret: bool,
    value: &'static str,
    salt: u8,
    /// `previous` and `pending` of its rotation line, if it has one.
    rotation: Option<(Option<&'static str>, Option<&'static str>)>,
}

fn histories(input: &[u8]) -> Option<[String; 3]> {
    let choices = &mut Choices::new(input);
    let base: Vec<Line> = (0..choices.below(9)).map(|_| line(choices)).collect();
    let (mut ours, mut theirs) = (base.clone(), base.clone());
    for side in [&mut ours, &mut theirs] {
        (0..choices.below(6)).for_each(|_| edit(side, choices));
    }
    let revs = [3, 3 + choices.below(3), 3 + choices.below(3)];
    Some([file(&base, revs[0])?, file(&ours, revs[1])?, file(&theirs, revs[2])?])
}

fn line(choices: &mut Choices<'_>) -> Line {
    if choices.below(4) == 0 {
        return Line::Other(choices.one_of(&["", "# one", "# two", "# A=1", " "]));
    }
    Line::Entry(entry(choices.one_of(&NAMES), choices))
}

fn entry(name: &'static str, choices: &mut Choices<'_>) -> Entry {
    let (secret, value, salt) = (choices.below(3) > 0, choices.one_of(&VALUES), choices.byte());
    let token = |choices: &mut Choices<'_>| Some(choices.one_of(&VALUES)).filter(|_| choices.below(3) == 0);
    let rotation = (secret && choices.below(4) == 0).then(|| (token(choices), token(choices)));
    Entry { name, secret, value, salt, rotation }
}

fn edit(lines: &mut Vec<Line>, choices: &mut Choices<'_>) {
    let at = choices.below(lines.len());
    match choices.below(5) {
        0 => lines.insert(at, line(choices)),
        1 if !lines.is_empty() => drop(lines.remove(at)),
        2 if lines.len() > 1 => lines.swap(0, at),
        _ => match lines.get_mut(at) {
            Some(Line::Entry(old)) => *old = entry(old.name, choices),
            Some(Line::Other(text)) => *text = "# edited",
            None => {}
        },
    }
}

/// `None` where a name stands twice.
fn file(lines: &[Line], rev: usize) -> Option<String> {
    let (mut rotations, mut body) = (String::new(), String::new());
    for line in lines {
        let Line::Entry(Entry { name, secret, value, salt, rotation }) = line else {
            let Line::Other(text) = line else { continue };
            body.push_str(&format!("{text}\n"));
            continue;
        };
        match secret {
            true => body.push_str(&format!("{name}=enc:{}\n", token("value", name, value, *salt))),
            false => body.push_str(&format!("{name}=\"{value}\"\n")),
        }
        if let Some((previous, pending)) = rotation {
            let timed = |context: &str, time: &str, value: &Option<&str>| {
                let token = value.map(|value| token(context, name, value, *salt));
                token.map_or(String::new(), |token| {
                    format!(" {context}={token} {time}=2026-11-2{}T00:00:00Z", salt % 10)
                })
            };
            let at = salt % 3 + 1;
            rotations.push_str(&format!("#envsec:rotation name={name} at=2026-11-0{at}T00:00:00Z"));
            rotations.push_str(&timed("previous", "until", previous));
            rotations.push_str(&timed("pending", "since", pending));
            rotations.push('\n');
        }
    }
    let (magic, slot) = (holder::magic(None), holder::slot());
    holder::sealed(&format!("{magic}{slot}{rotations}#envsec:seal rev={rev} mac={MAC_OF_NOBODY}\n{body}"))
}

/// How a name is stored, and its value, or of a plain one its text.
type State = (bool, String);
type States = BTreeMap<String, State>;

/// `None` where a value does not decrypt.
fn states(file: &Unlocked) -> Option<States> {
    let state = |(name, storage): (&str, Storage)| {
        let name = super::name(name);
        let text = match storage {
            Storage::Secret => file.get(&name).ok()??.expose().to_owned(),
            Storage::Plain => file.locked().plain_text(&name)?.expose().to_owned(),
        };
        Some((name.to_string(), (storage == Storage::Secret, text)))
    };
    file.locked().names().map(state).collect()
}

struct Result {
    states: States,
    conflicts: BTreeSet<String>,
}

/// The merge of two sides, held against what a merge is; `None` where there is none.
fn merged(base: &Unlocked, ours: &Unlocked, theirs: &Unlocked, outline: u8) -> Option<Result> {
    let merge = match Merge::new(Some(base), ours, theirs, || true) {
        Ok(merge) => merge,
        Err(error) => {
            assert!(matches!(error, MergeError::Older { .. } | MergeError::OtherFile(_)), "{error}");
            return None;
        }
    };
    let outlines = merge.outlines();
    let outline = match outline % 5 {
        4 => outlines.concat(),
        3 => String::new(),
        one => outlines[usize::from(one)].clone(),
    };
    let merged = match merge.run(&outline, &mut Counting::default()) {
        Ok(merged) => merged,
        Err(MergeError::Sealed(SealedError::Value { .. } | SealedError::LastSlot)) => return None,
        Err(error) => panic!("{error}"),
    };
    let markers = merge.with_markers(&merged);
    let is_conflict = merged.is_conflict();
    match Locked::parse(&markers) {
        Err(SealedError::Conflict { .. }) => assert!(is_conflict),
        Err(error) => panic!("{error}"),
        Ok(_) => assert!(!is_conflict),
    }
    let conflicts: BTreeSet<String> = merged.names.iter().map(ToString::to_string).collect();
    let bytes = match merged.file.seal() {
        Ok(bytes) => bytes,
        Err(SealedError::WouldExceed { .. }) => return None,
        Err(error) => panic!("{error}"),
    };
    let file = open(&bytes).expect("sealed just now");
    let revs = [base, ours, theirs].map(|file| file.locked().rev());
    assert!(revs.iter().all(|rev| file.locked().rev() > *rev));
    let states = states(&file)?;
    as_it_should_be([self::states(base)?, self::states(ours)?, self::states(theirs)?], &states, &conflicts);
    Some(Result { states, conflicts })
}

fn as_it_should_be([base, ours, theirs]: [States; 3], result: &States, conflicts: &BTreeSet<String>) {
    let names: BTreeSet<&String> = [&base, &ours, &theirs, result].into_iter().flat_map(BTreeMap::keys).collect();
    for name in names {
        let [base, ours, theirs, result] = [&base, &ours, &theirs, result].map(|states| states.get(name));
        let expected = match (base == ours, base == theirs) {
            _ if ours == theirs => Some(ours),
            (_, true) => Some(ours),
            (true, false) => Some(theirs),
            (false, false) => None,
        };
        match expected {
            Some(expected) if !conflicts.contains(name) => assert_eq!(result, expected, "{name}"),
            // A rotation in the way, or a true conflict: the version of one side stands.
            _ => assert!(conflicts.contains(name) && (result == ours || result == theirs), "{name}"),
        }
    }
}

/// A merge in which one side alone did something, or both did the same: what was done, to the line.
fn alone(base: &Unlocked, ours: &Unlocked, theirs: &Unlocked) {
    let Ok(merge) = Merge::new(Some(base), ours, theirs, || true) else { return };
    let done = if states(ours) == states(base) { theirs } else { ours };
    let [_, one, other] = merge.outlines();
    let outline = if states(ours) == states(base) { other } else { one };
    let Ok(merged) = merge.run(&outline, &mut Counting::default()) else { return };
    assert!(!merged.is_conflict(), "one side alone");
    let Ok(bytes) = merged.file.seal() else { return };
    let file = open(&bytes).expect("sealed just now");
    assert_eq!(states(&file), states(done));
    let names = |file: &Unlocked| file.locked().names().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&file), names(done));
    let lines = |file: &Unlocked| file.locked().body_lines().len();
    assert_eq!(lines(&file), lines(done));
}
