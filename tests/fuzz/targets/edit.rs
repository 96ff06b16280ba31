//! A sealed file in an editor: the text that is shown, what comes back, and what becomes of the file.

use super::holder::{self, Counting, KNOWN, open};
use super::{parts, text};
use envsec::edit;
use envsec::formats::buffer::{self, Complaint, Content, Draft};
use envsec::sealed::{SealedError, Unlocked, Utc};
use envsec::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

const HELP: &str = "#: help";

/// What came back from an editor; the lines of complaints about it, and their text; the file, the known one without.
pub(super) fn edit(input: &[u8]) {
    let mut parts = parts(input);
    let edited = Secret::from(parts.next().unwrap_or_default());
    let (places, what) = (parts.next().unwrap_or_default(), text(parts.next().unwrap_or_default()));
    complaints_are_taken_out(&edited, places, &what);
    let file = parts.next().and_then(|part| holder::sealed(std::str::from_utf8(part).ok()?));
    let file = file.as_deref().unwrap_or(KNOWN).as_bytes();
    // A value that does not decrypt cannot be shown.
    let Ok(base) = open(file).and_then(|file| edit::draft_of(&file)) else { return };
    let shown = read(&base.print(&[HELP.to_owned()]).into_bytes()).expect("what is shown can be read");
    assert_eq!(lines(&shown), lines(&base));
    let mut untouched = open(file).expect("opens");
    apply(&mut untouched, &shown).expect("nothing was changed");
    assert!(!untouched.is_changed());
    if let Some(mine) = read(&edited) {
        let again = read(&mine.print(&[HELP.to_owned()]).into_bytes()).expect("what is shown can be read");
        assert_eq!(lines(&again), lines(&mine));
        one_side_alone(&base, &mine);
        written(open(file).expect("opens"), &mine);
    }
}

/// What was read; `None` where envsec has complaints.
fn read(edited: &Secret) -> Option<Draft> {
    match buffer::parse(edited, &[HELP.to_owned()]) {
        Ok(draft) => Some(draft),
        Err(complaints) => {
            let count = edited.expose().iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(!complaints.is_empty() && complaints.iter().all(|wrong| (1..=count).contains(&wrong.line)));
            None
        }
    }
}

fn apply(file: &mut Unlocked, draft: &Draft) -> Result<(), SealedError> {
    edit::apply(file, draft, &BTreeSet::new(), Utc::from_unix(1_800_000_000), &mut Counting::default())
}

/// The file becomes what the draft says, to the line.
fn written(mut file: Unlocked, draft: &Draft) {
    match apply(&mut file, draft).and_then(|()| file.seal()) {
        Ok(bytes) => {
            let read = edit::draft_of(&open(&bytes).expect("sealed just now")).expect("its own values");
            assert_eq!(lines(&read), lines(draft));
        }
        Err(error) => {
            assert!(matches!(error, SealedError::Rotating { .. } | SealedError::WouldExceed { .. }), "{error}");
        }
    }
}

/// Where nobody else changed the file, or somebody else alone, that change is what is left.
fn one_side_alone(base: &Draft, changed: &Draft) {
    for (mine, theirs) in [(changed, base), (changed, changed)] {
        let merged = edit::merge(base, mine, theirs);
        assert!(merged.conflicts.is_empty());
        assert_eq!(lines(&merged.draft), lines(changed));
    }
    let merged = edit::merge(base, base, changed);
    assert!(merged.conflicts.is_empty());
    let entries = |draft: &Draft| -> BTreeMap<String, String> {
        draft.entries().map(|entry| (entry.name.to_string(), shown(entry))).collect()
    };
    assert_eq!(entries(&merged.draft), entries(changed));
}

fn shown(entry: &buffer::Entry) -> String {
    let plain = entry.plain.as_ref().map(|plain| plain.expose().to_owned());
    format!("{}={:?} {plain:?}", entry.name, entry.value.expose())
}

fn lines(draft: &Draft) -> Vec<String> {
    let line = |line: &buffer::Line| match &line.content {
        Content::Text(text) => text.clone(),
        Content::Entry(entry) => shown(entry),
    };
    draft.lines.iter().map(line).collect()
}

fn complaints_are_taken_out(edited: &Secret, places: &[u8], what: &str) {
    let complaint = |line: &u8| Complaint::new(usize::from(*line) + 1, what);
    let annotated = buffer::annotate(edited, places.iter().map(complaint).collect());
    let text = edited.expose();
    let is_reason = |line: &&[u8]| line.starts_with(b"#: error:");
    let lines = || text.split_inclusive(|byte| *byte == b'\n');
    let mut expected: Vec<u8> = match lines().any(|line| is_reason(&line)) {
        true => lines().skip_while(is_reason).flatten().copied().collect(),
        false => text.to_vec(),
    };
    if !text.ends_with(b"\n") && (text.is_empty() || !expected.is_empty()) {
        expected.push(b'\n');
    }
    assert_eq!(annotated.strip(&annotated.text).expose(), expected);
}
