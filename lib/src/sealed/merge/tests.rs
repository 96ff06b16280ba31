//! Every way in which three revisions can have a name, against what a merge is.

use super::*;
use crate::crypto::system_rng;
use crate::sealed::header::{Line, LineKind, Rotation};
use crate::sealed::keys::Purpose;
use crate::sealed::{Credential, Limits, Locked, NewSlot, NextKey, READ_MAX, RawKey, SlotId, Storage, Utc};
use crate::vars::Value;

/// What a revision has of a name: nothing, one of two secrets, one of two plain values.
const STATES: [Option<(&str, Storage)>; 5] = [
    None,
    Some(("one", Storage::Secret)),
    Some(("two", Storage::Secret)),
    Some(("one", Storage::Plain)),
    Some(("two", Storage::Plain)),
];

fn key() -> RawKey {
    RawKey::generate(&mut system_rng())
}

fn open(bytes: &[u8], key: &RawKey) -> Unlocked {
    let limits = Limits { max_work_factor: READ_MAX, slot: None };
    let again = RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key"));
    Locked::parse(bytes)
        .unwrap()
        .unlock(&[Credential::RawKey(again)], &limits)
        .map_err(|error| error.to_string())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The states of the three, by name.
fn combinations() -> Vec<(VarName, [usize; 3])> {
    let all = (0..125).map(|n| [n / 25, n / 5 % 5, n % 5]);
    all.map(|states| (format!("N{}{}{}", states[0], states[1], states[2]).parse().unwrap(), states)).collect()
}

fn in_state(mut file: Unlocked, side: usize) -> Unlocked {
    for (name, states) in combinations() {
        match STATES[states[side]] {
            None => file.unset(&[name]),
            Some((text, storage)) => {
                let value = Value::try_from(SecretText::from(text)).unwrap();
                file.set(&name, &value, Some(storage), Utc::now(), &mut system_rng()).unwrap();
            }
        }
    }
    file
}

fn rekeyed(mut file: Unlocked, key: &RawKey) -> Unlocked {
    let again = RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key"));
    let next = NextKey::new(&file.file, &[NewSlot::raw_key(again)], &mut system_rng()).unwrap();
    file.rekey(next, &[], &mut system_rng()).unwrap();
    file
}

/// `None` is a conflict.
fn expected([base, ours, theirs]: [usize; 3]) -> Option<usize> {
    match (base == ours, base == theirs) {
        (_, true) => Some(ours),
        (true, false) => Some(theirs),
        (false, false) => Some(ours).filter(|_| ours == theirs),
    }
}

fn is_in_state(file: &Unlocked, name: &VarName, state: usize) -> bool {
    let value = file.get(name).unwrap();
    let found = value.as_ref().map(|value| (value.expose(), file.storage(name).unwrap()));
    found == STATES[state]
}

#[test]
fn a_merge_is_what_it_should_be_for_every_three_states_of_a_name() {
    for new_key_on in [None, Some(1), Some(2)] {
        let key = key();
        let new = NewSlot::raw_key(RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key")));
        let first = in_state(Unlocked::create(None, &[new], &mut system_rng()).unwrap(), 0).seal().unwrap();
        let base = open(&first, &key);
        let side = |side: usize| {
            let file = in_state(open(&first, &key), side);
            let file = if new_key_on == Some(side) { rekeyed(file, &key) } else { file };
            open(&file.seal().unwrap(), &key)
        };
        let (ours, theirs) = (side(1), side(2));
        let merge = Merge::new(Some(&base), &ours, &theirs, || true).unwrap();
        let outline = merge.outlines().concat();
        let merged = merge.run(&outline, &mut system_rng()).unwrap();
        let markers = String::from_utf8(merge.with_markers(&merged)).unwrap();
        assert!(matches!(Locked::parse(markers.as_bytes()), Err(SealedError::Conflict { .. })));
        let conflicts: Vec<VarName> = merged.names.clone();
        let result = open(&merged.file.seal().unwrap(), &key);
        for (name, states) in combinations() {
            assert_eq!(conflicts.contains(&name), expected(states).is_none(), "{name}");
            if let Some(state) = expected(states) {
                assert!(is_in_state(&result, &name, state), "{name}, new key: {new_key_on:?}");
            }
        }
        let highest = ours.file.rev().max(theirs.file.rev()).max(base.file.rev());
        assert!(result.file.rev() == highest + 1);
        assert!(result.file.key_id() == if new_key_on == Some(2) { theirs.file.key_id() } else { ours.file.key_id() });
        // Whatever could stay as it is, did.
        let main = if new_key_on == Some(2) { &theirs } else { &ours };
        for (name, _) in main.file.names().filter(|(_, storage)| *storage == Storage::Secret) {
            let name: VarName = name.parse().unwrap();
            let token = |file: &Unlocked| file.file.body.find(&name).map(|entry| file.file.body.text(entry).to_owned());
            if is_same(main, &result, &name).unwrap() {
                assert_eq!(token(main), token(&result), "{name}");
            }
        }
    }
}

fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).unwrap()
}

/// A file with one secret, and what its base and the two sides are after these changes.
fn three(key: &RawKey, changes: [&dyn Fn(&mut Unlocked); 3]) -> [Unlocked; 3] {
    let new = NewSlot::raw_key(RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key")));
    let mut first = Unlocked::create(None, &[new], &mut system_rng()).unwrap();
    first.append(&"NAME".parse().unwrap(), &value("first"), Storage::Secret, &mut system_rng());
    let [base, ours, theirs] = changes;
    base(&mut first);
    let base = first.seal().unwrap();
    let side = |change: &dyn Fn(&mut Unlocked)| {
        let mut file = open(&base, key);
        change(&mut file);
        open(&file.seal().unwrap(), key)
    };
    [open(&base, key), side(ours), side(theirs)]
}

fn merged([base, ours, theirs]: &[Unlocked; 3]) -> Merged {
    let merge = Merge::new(Some(base), ours, theirs, || true).unwrap();
    let outline = merge.outlines()[1].clone();
    merge.run(&outline, &mut system_rng()).unwrap()
}

fn add_line(file: &mut Unlocked, text: &str) {
    file.file.header.lines.push(Line { text: text.into(), kind: LineKind::Unknown });
}

fn drop_line(file: &mut Unlocked, text: &str) {
    file.file.header.lines.retain(|line| line.text != text);
}

#[test]
fn header_lines_of_a_newer_envsec_are_merged_as_lines() {
    let base = |file: &mut Unlocked| ["policy a", "policy b", "policy c"].iter().for_each(|line| add_line(file, line));
    let ours = |file: &mut Unlocked| {
        drop_line(file, "policy a");
        add_line(file, "policy both");
        add_line(file, "policy ours");
    };
    let theirs = |file: &mut Unlocked| {
        drop_line(file, "policy b");
        add_line(file, "policy both");
        add_line(file, "policy theirs");
    };
    let merged = merged(&three(&key(), [&base, &ours, &theirs]));
    assert!(merged.header.is_empty());
    let lines = merged.file.file.header.lines.iter().filter(|line| matches!(line.kind, LineKind::Unknown));
    let lines: Vec<&str> = lines.map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["policy c", "policy both", "policy ours", "policy theirs"]);
}

#[test]
fn a_header_line_of_a_newer_envsec_does_not_come_to_another_data_key() {
    let key = key();
    let [base, ours, theirs] = three(&key, [&|_| {}, &|_| {}, &|file| add_line(file, "policy theirs")]);
    let ours = open(&rekeyed(ours, &key).seal().unwrap(), &key);
    let merged = merged(&[base, ours, theirs]);
    assert!(matches!(&merged.header[..], [HeaderConflict::Unknown(kind)] if kind == "policy"));
    assert!(!merged.file.file.header.lines.iter().any(|line| matches!(line.kind, LineKind::Unknown)));
}

#[test]
fn a_value_is_not_merged_where_its_rotation_is_not() {
    let name: VarName = "NAME".parse().unwrap();
    let at = Utc::from_unix(0);
    let with_token = |file: &mut Unlocked, pending: Option<&str>| {
        let token = |text| (file.keys.encrypt(Purpose::Pending, &name, &value(text), &mut system_rng()), at);
        let rotation = Rotation { name: name.clone(), at, previous: None, pending: pending.map(token) };
        file.file.header.lines.retain(|line| !matches!(line.kind, LineKind::Rotation(_)));
        file.file.header.lines.push(Line::rotation(rotation));
    };
    let set = |file: &mut Unlocked| file.put_value(&name, &value("second"), Storage::Secret, &mut system_rng());
    let none = |_: &mut Unlocked| {};
    let (one, other) =
        (|file: &mut Unlocked| with_token(file, Some("one")), |file: &mut Unlocked| with_token(file, Some("other")));
    let gone = |file: &mut Unlocked| with_token(file, None);
    let key = key();
    let conflicts = |changes: [&dyn Fn(&mut Unlocked); 3]| !merged(&three(&key, changes)).names.is_empty();
    // One side changed the value, the other one has a next value for the old one.
    assert!(conflicts([&none, &set, &one]));
    assert!(conflicts([&none, &one, &set]));
    assert!(conflicts([&none, &one, &other]));
    // A next value that was dropped stands in nobody's way.
    assert!(!conflicts([&one, &|file| (set(file), one(file)).1, &none]));
    assert!(!conflicts([&one, &set, &gone]));
    assert!(!conflicts([&one, &gone, &set]));
    for changes in [[&one as &dyn Fn(&mut Unlocked), &gone, &none], [&one, &none, &gone]] {
        let merged = merged(&three(&key, changes));
        assert!(merged.file.file.header.rotation_of(&name).is_some_and(|(_, rotation)| rotation.pending.is_none()));
    }
}

#[test]
fn names_are_put_in_order_only_where_both_sides_have_them_so() {
    let add = |names: &'static [&'static str]| {
        move |file: &mut Unlocked| {
            for name in names {
                file.append(&name.parse().unwrap(), &value("v"), Storage::Plain, &mut system_rng());
            }
        }
    };
    let names = |ours, theirs| {
        let merged = merged(&three(&key(), [&|_| {}, &add(ours), &add(theirs)]));
        merged.file.file.names().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["A"], &["Z"]), ["NAME", "A", "Z"]);
    assert_eq!(names(&["O"], &["P"]), ["NAME", "O", "P"]);
}

#[test]
fn another_file_is_not_merged() {
    let (key, nothing) = (key(), |_: &mut Unlocked| {});
    let [base, ours, theirs] = three(&key, [&nothing, &nothing, &nothing]);
    let [_, other, _] = three(&key, [&nothing, &nothing, &nothing]);
    let of_other = |ours, theirs| match Merge::new(Some(&base), ours, theirs, || true) {
        Err(MergeError::OtherFile(side)) => Some(side),
        _ => None,
    };
    assert!(of_other(&ours, &theirs).is_none());
    assert!(of_other(&other, &theirs) == Some(Side::Ours) && of_other(&ours, &other) == Some(Side::Theirs));
    let labelled = [None, Some("a"), Some("b")].map(|label| {
        let mut file = open(&base_bytes(&base), &key);
        file.file.header.magic.label = label.map(|label| crate::sealed::Label::parse(label).unwrap());
        open(&file.seal().unwrap(), &key)
    });
    let [none, a, b] = &labelled;
    assert!(Merge::new(Some(none), none, none, || true).is_ok());
    assert!(matches!(Merge::new(Some(none), none, a, || true), Err(MergeError::OtherFile(Side::Theirs))));
    assert!(matches!(Merge::new(Some(a), b, a, || true), Err(MergeError::OtherFile(Side::Ours))));
}

fn base_bytes(file: &Unlocked) -> Vec<u8> {
    let mut out = Secret::with_capacity(0);
    out.extend(file.file.header.print("\n").as_bytes());
    file.file.body.write_to(&mut out);
    out.expose().to_vec()
}

#[test]
fn the_markers_show_a_slot_of_both_sides_and_what_is_no_conflict_once() {
    let key = key();
    let again = || NewSlot::raw_key(RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key")));
    let replaced = |file: &mut Unlocked| file.replace_slot(&again(), &mut system_rng()).unwrap();
    let [base, ours, theirs] = three(&key, [&|file| add_line(file, "policy x"), &replaced, &replaced]);
    let merge = Merge::new(Some(&base), &ours, &theirs, || true).unwrap();
    let merged = merge.run(&merge.outlines()[1], &mut system_rng()).unwrap();
    assert_eq!(merged.header.len(), 1);
    let text = String::from_utf8(merge.with_markers(&merged)).unwrap();
    let slot = |file: &Unlocked| format!("#envsec:{}\n", file.file.header.lines[0].text);
    let conflict = format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", slot(&ours), slot(&theirs));
    assert!(text.contains(&conflict) && text.matches("#envsec:slot").count() == 2, "{text}");
    assert_eq!(text.matches("#envsec:policy x\n").count(), 1);
}

#[test]
fn of_two_times_of_a_change_the_later_one_stays() {
    let name: VarName = "NAME".parse().unwrap();
    let at = |seconds: u64| {
        let name = name.clone();
        move |file: &mut Unlocked| {
            let rotation = Rotation { name: name.clone(), at: Utc::from_unix(seconds), previous: None, pending: None };
            file.file.header.lines.retain(|line| !matches!(line.kind, LineKind::Rotation(_)));
            file.file.header.lines.push(Line::rotation(rotation));
        }
    };
    for (times, expected) in [([5, 5, 5], 5), ([5, 3, 5], 3), ([5, 5, 3], 3), ([5, 6, 7], 7), ([5, 7, 6], 7)] {
        let [base, ours, theirs] = times.map(at);
        let merged = merged(&three(&key(), [&base, &ours, &theirs]));
        let (_, rotation) = merged.file.file.header.rotation_of(&name).unwrap();
        assert_eq!(rotation.at.unix(), expected, "{times:?}");
    }
    // What is plain on one side and unchanged on the other one has none.
    let plain = |file: &mut Unlocked| {
        file.unset(std::slice::from_ref(&name));
        file.append(&name, &value("first"), Storage::Plain, &mut system_rng());
    };
    let merged = merged(&three(&key(), [&at(1), &plain, &at(2)]));
    assert!(merged.file.file.header.rotation_of(&name).is_none() && merged.file.seal().is_ok());
}

#[test]
fn a_token_that_stays_is_the_same_bytes() {
    let name: VarName = "NAME".parse().unwrap();
    let pending = |file: &mut Unlocked| {
        let token = file.keys.encrypt(Purpose::Pending, &name, &value("next"), &mut system_rng());
        let at = Utc::from_unix(1);
        let rotation = Rotation { name: name.clone(), at, previous: None, pending: Some((token, at)) };
        file.file.header.lines.push(Line::rotation(rotation));
    };
    let key = key();
    let [base, ours, theirs] = three(&key, [&pending, &|_| {}, &|file| file.append_line(crate::sealed::Line::Blank)]);
    let token = |file: &Unlocked| file.file.header.rotation_of(&name).unwrap().1.pending.clone().unwrap().0;
    let ours = open(&rekeyed(ours, &key).seal().unwrap(), &key);
    let merged = merged(&[base, open(&base_bytes(&ours), &key), theirs]);
    assert!(token(&merged.file) == token(&ours));
}

#[test]
fn slots_are_merged_for_the_data_key_that_stays() {
    let key = key();
    let again = |id: &str| NewSlot {
        id: SlotId::parse(id).unwrap(),
        ..NewSlot::raw_key(RawKey::parse(&key.to_text()).unwrap_or_else(|_| panic!("a key")))
    };
    let added = |file: &mut Unlocked| file.add_slot(&again("more"), &mut system_rng()).unwrap();
    let replaced = |file: &mut Unlocked| file.replace_slot(&again("key"), &mut system_rng()).unwrap();
    let slots = |file: &Unlocked| {
        let of = |id: &str| file.file.header.lines.iter().find(|line| line.text.starts_with(&format!("slot id={id} ")));
        [of("key"), of("more")].map(|line| line.map(|line| line.text.clone()))
    };
    let nothing = |_: &mut Unlocked| {};
    let three_of = |ours: &dyn Fn(&mut Unlocked), theirs: &dyn Fn(&mut Unlocked)| three(&key, [&nothing, ours, theirs]);
    let files = three_of(&nothing, &replaced);
    assert!(merged(&files).header.is_empty() && slots(&merged(&files).file)[0] == slots(&files[2])[0]);
    let files = three_of(&replaced, &added);
    let both = [slots(&files[1])[0].clone(), slots(&files[2])[1].clone()];
    assert!(merged(&files).header.is_empty() && slots(&merged(&files).file) == both);
    // A slot for the old data key opens nothing under the new one.
    let [base, ours, theirs] = three_of(&nothing, &added);
    let ours = open(&rekeyed(ours, &key).seal().unwrap(), &key);
    let merged = merged(&[base, ours, theirs]);
    let is_of_old_key =
        |conflict: &HeaderConflict| matches!(conflict, HeaderConflict::OldKey { id, .. } if id.as_str() == "more");
    assert!(merged.header.len() == 1 && is_of_old_key(&merged.header[0]));
    assert!(slots(&merged.file)[1].is_none());
}
