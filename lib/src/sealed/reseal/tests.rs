//! What becomes of rotation lines and tokens when a text is sealed again, and how it is told.

use super::*;
use crate::crypto::system_rng;
use crate::sealed::NextKey;
use crate::sealed::tests::{file, name, new_slot, open, raw_key, rotation, utc, value};

const NOW: &str = "2027-01-01T00:00:00Z";
const NOBODY_PLAIN: fn(&VarName) -> bool = |_| false;

/// A file with the secret `API_KEY`, whose value is `current`, and a rotation line with these tokens of it.
fn rotated(previous: bool, pending: bool) -> Vec<u8> {
    file(|header, keys| header.lines.push(Line::rotation(rotation(keys, previous, pending))))
}

/// A later revision.
fn later(bytes: &[u8], change: impl FnOnce(&mut Unlocked)) -> Unlocked {
    let mut file = open(bytes);
    change(&mut file);
    open(&file.seal().unwrap())
}

fn put_rotation(file: &mut Unlocked, previous: bool, pending: bool) {
    let rotation = rotation(&file.keys, previous, pending);
    file.file.header.lines.retain(|line| !matches!(line.kind, LineKind::Rotation(_)));
    file.file.header.lines.push(Line::rotation(rotation));
}

fn set(file: &mut Unlocked, text: &str, storage: Storage) {
    file.set(&name("API_KEY"), &value(text), Some(storage), utc("2026-12-01T00:00:00Z"), &mut system_rng()).unwrap();
}

fn rekey(file: &mut Unlocked) {
    let next = NextKey::new(&file.file, &[new_slot("ci", raw_key(1))], &mut system_rng()).unwrap();
    file.rekey(next, &[], &mut system_rng()).unwrap();
}

fn text(file: &Unlocked) -> String {
    [file.file.header.print("\n").as_bytes(), file.file.body.to_text().expose()]
        .map(|part| String::from_utf8(part.to_vec()).unwrap())
        .concat()
}

/// The text of a file with this after the `=` of `API_KEY`.
fn typed(file: &Unlocked, after_equals: &str) -> String {
    let text = text(file);
    let start = text.find("API_KEY=").unwrap() + "API_KEY=".len();
    let end = start + text[start..].find('\n').unwrap();
    format!("{}{after_equals}{}", &text[..start], &text[end..])
}

fn in_merge<'u>(head: &'u Unlocked, theirs: &'u Unlocked) -> Known<'u> {
    Known { head, theirs: Some(theirs), basis: theirs, conflicts: &[] }
}

fn alone(head: &Unlocked) -> Known<'_> {
    Known { head, theirs: None, basis: head, conflicts: &[] }
}

fn resealed(text: &str, known: Known<'_>, plain: impl Fn(&VarName) -> bool) -> Result<Resealed, SealedError> {
    Unsealed::parse(text.as_bytes()).unwrap().reseal(known, plain, utc(NOW), &mut system_rng())
}

fn changes(resealed: &Resealed) -> Vec<Change> {
    resealed.changes.iter().map(|(_, change)| *change).collect()
}

/// The file as it is read once it is sealed.
fn read(resealed: Resealed) -> Unlocked {
    open(&resealed.file.seal().unwrap())
}

fn rotation_line(file: &Unlocked) -> String {
    file.file.header.rotation_of(&name("API_KEY")).map(|(_, rotation)| rotation.to_string()).unwrap_or_default()
}

fn is_value(file: &Unlocked, text: &str) -> bool {
    file.holds(&name("API_KEY"), &value(text))
}

#[test]
fn what_is_not_touched_stays_to_the_byte() {
    let head = later(&rotated(true, true), |file| {
        file.append(&name("LEVEL"), &value("info"), Storage::Plain, &mut system_rng());
    });
    for text in [text(&head), typed(&head, "current")] {
        let resealed = resealed(&text, alone(&head), NOBODY_PLAIN).unwrap();
        assert!(resealed.changes.is_empty() && resealed.header.is_empty() && resealed.values.is_empty());
        let before = self::text(&head);
        let after = self::text(&read(resealed));
        let differ = |(before, after): &(&str, &str)| before != after;
        assert_eq!(before.lines().zip(after.lines()).filter(differ).count(), 1, "the seal");
    }
}

#[test]
fn a_typed_value_is_changed_now() {
    let head = open(&rotated(true, false));
    let resealed = resealed(&typed(&head, "typed"), alone(&head), NOBODY_PLAIN).unwrap();
    assert_eq!(changes(&resealed), [Change::Changed]);
    let file = read(resealed);
    assert!(is_value(&file, "typed"));
    let expected = rotation_line(&head).replace(" at=2026-11-22T10:00:00Z ", &format!(" at={NOW} "));
    assert_eq!(rotation_line(&file), expected);
}

#[test]
fn a_secret_whose_next_value_waits_is_neither_changed_nor_made_plain() {
    let head = open(&rotated(false, true));
    let everybody_plain = |_: &VarName| true;
    for refused in [
        resealed(&typed(&head, "typed"), alone(&head), NOBODY_PLAIN),
        resealed(&typed(&head, "typed"), alone(&head), everybody_plain),
        resealed(&typed(&head, "current"), alone(&head), everybody_plain),
    ] {
        assert!(matches!(refused, Err(SealedError::Rotating { .. })));
    }
    let head = open(&rotated(false, false));
    let made_plain = resealed(&typed(&head, "current"), alone(&head), everybody_plain).unwrap();
    assert_eq!(changes(&made_plain), [Change::MadePlain]);
    assert_eq!(rotation_line(&read(made_plain)), "");
}

#[test]
fn in_a_merge_the_rotation_line_goes_with_the_value() {
    let base = rotated(false, false);
    let ours = later(&base, |file| set(file, "ours", Storage::Secret));
    let theirs = later(&base, |file| {
        set(file, "theirs", Storage::Secret);
        put_rotation(file, true, true);
    });
    let known = in_merge(&ours, &theirs);
    for (text, value, side, expected) in [
        (text(&ours), "ours", &ours, Change::NotTaken),
        (text(&theirs), "theirs", &theirs, Change::Taken),
        // As the other side has it, so its next value is still the next one.
        (typed(&ours, "theirs"), "theirs", &theirs, Change::Changed),
    ] {
        let resealed = resealed(&text, known, NOBODY_PLAIN).unwrap();
        assert_eq!(changes(&resealed), [expected]);
        let file = read(resealed);
        assert!(is_value(&file, value));
        assert_eq!(rotation_line(&file), rotation_line(side), "{value}");
    }
}

#[test]
fn what_the_other_side_says_of_a_value_that_both_have_stays() {
    let base = rotated(false, false);
    let (ours, theirs) = (open(&base), later(&base, |file| put_rotation(file, false, true)));
    let resealed = resealed(&text(&ours), in_merge(&ours, &theirs), NOBODY_PLAIN).unwrap();
    assert!(resealed.changes.is_empty());
    assert_eq!(rotation_line(&read(resealed)), rotation_line(&theirs));
}

#[test]
fn tokens_come_to_the_data_key_of_the_other_side() {
    let base = rotated(false, false);
    let ours = later(&base, |file| {
        set(file, "ours", Storage::Secret);
        put_rotation(file, true, false);
    });
    let theirs = later(&base, rekey);
    for text in [text(&ours), typed(&ours, "ours")] {
        let resealed = resealed(&text, in_merge(&ours, &theirs), NOBODY_PLAIN).unwrap();
        assert_eq!(changes(&resealed), [Change::NotTaken]);
        let file = read(resealed);
        assert!(is_value(&file, "ours") && file.file.key_id() == theirs.file.key_id());
        let before = utc("2026-11-22T09:59:59Z");
        let previous = file.previous(before).unwrap();
        assert!(previous.iter().all(|(_, value)| value.expose() == "other"));
    }
}

#[test]
fn how_a_value_is_stored_now_is_told_where_the_other_side_changed_it() {
    let base = rotated(false, false);
    let secret = open(&base);
    let plain = later(&base, |file| set(file, "current", Storage::Plain));
    for (ours, theirs, expected) in [(&secret, &plain, Change::MadePlain), (&plain, &secret, Change::MadeSecret)] {
        let resealed = resealed(&text(theirs), in_merge(ours, theirs), NOBODY_PLAIN).unwrap();
        assert_eq!(changes(&resealed), [Change::Taken, expected]);
    }
    // A secret of once, typed in by its token.
    let resealed = resealed(&text(&secret), alone(&plain), NOBODY_PLAIN).unwrap();
    assert_eq!(changes(&resealed), [Change::RolledBack, Change::MadeSecret]);
}

#[test]
fn header_lines_are_told_in_words_and_not_taken() {
    let head = open(&rotated(false, false));
    let text = text(&head).replace("#envsec:seal", "#envsec:rotation name=OTHER at=2026-11-22T10:00:00Z\n#envsec:seal");
    let resealed = resealed(&text, alone(&head), NOBODY_PLAIN).unwrap();
    assert_eq!(resealed.header, ["not taken: rotation OTHER"]);
    let text = self::text(&head).replace(&format!("#envsec:{}\n", rotation_line(&head)), "");
    let resealed = self::resealed(&text, alone(&head), NOBODY_PLAIN).unwrap();
    assert_eq!(resealed.header, ["stays: rotation API_KEY"]);
    assert_eq!(rotation_line(&read(resealed)), rotation_line(&head));
}
