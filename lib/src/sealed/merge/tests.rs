//! Every way in which three revisions can have a name, against what a merge is.

use super::*;
use crate::crypto::system_rng;
use crate::sealed::{Credential, Limits, Locked, NewSlot, NextKey, READ_MAX, RawKey, Storage, Utc};
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
