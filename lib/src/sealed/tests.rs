//! What only somebody with the key, or a newer envsec, could have written.

use super::header::{Header, Line as HeaderLine, LineKind, Rotation, Slot, SlotKind};
use super::keys::{Keys, Purpose};
use super::*;
use crate::crypto::{self, system_rng};
use crate::error::Failure as _;
use crate::secret::{Key, SecretText};
use crate::vars::{Value, VarName};

const FILE: FileId = [7; 16];

fn name(text: &str) -> VarName {
    text.parse().unwrap()
}

fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).unwrap()
}

fn utc(text: &str) -> Utc {
    Utc::parse(text).unwrap()
}

fn raw_key(byte: u8) -> Credential {
    let body = b64u(&[byte; 32]);
    let check = b64u(&crypto::sha256(&[b"envsec/1 raw-key\0", &[byte; 32]])[..4]);
    Credential::RawKey(RawKey::parse(&SecretText::from(format!("envsec_key_1_{body}_{check}"))).unwrap())
}

fn password(text: &str) -> Credential {
    Credential::Password(Password::new(&SecretText::from(text)).unwrap())
}

fn new_slot(id: &str, credential: Credential) -> NewSlot {
    NewSlot { id: SlotId::parse(id).unwrap(), credential, work_factor: 14 }
}

/// A file with one secret, one raw slot, and whatever `edit` does to its header before it is sealed.
fn file(edit: impl FnOnce(&mut Header, &Keys)) -> Vec<u8> {
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    file.append(&name("API_KEY"), &value("current"), Storage::Secret, rng);
    let (header, keys) = file.parts();
    edit(header, keys);
    file.seal().unwrap()
}

fn open(bytes: &[u8]) -> Unlocked {
    Locked::parse(bytes).unwrap().unlock(&[raw_key(1)], &Limits::default()).unwrap()
}

fn error_of(bytes: &[u8], credentials: &[Credential], limits: &Limits) -> SealedError {
    Locked::parse(bytes).unwrap().unlock(credentials, limits).err().expect("refused")
}

fn set(file: &mut Unlocked, text: &str, storage: Option<Storage>) -> Result<bool, SealedError> {
    file.set(&name("API_KEY"), &value(text), storage, utc("2027-01-01T00:00:00Z"), &mut system_rng())
}

#[test]
fn headers_of_a_newer_envsec_are_kept_and_sealed() {
    let wrap = "A".repeat(64);
    let slot = format!("slot id=future type=age to=age1xyz wrap={wrap}");
    let policy = "policy max=3 free text";
    let bytes = file(|header, _| {
        header.lines.push(HeaderLine { text: slot.clone(), kind: LineKind::Slot(Slot::parse(&slot[5..]).unwrap()) });
        header.lines.push(HeaderLine { text: policy.into(), kind: LineKind::Unknown });
    });
    let mut opened = open(&bytes);
    assert!(set(&mut opened, "changed", None).unwrap());
    let again = String::from_utf8(opened.seal().unwrap()).unwrap();
    assert!(again.contains(&format!("#envsec:{slot}\n#envsec:{policy}\n#envsec:seal rev=2")));
    let altered = again.replace("max=3", "max=4");
    assert!(matches!(error_of(altered.as_bytes(), &[raw_key(1)], &Limits::default()), SealedError::Seal));
}

#[test]
fn wrong_credentials_and_damaged_slots_are_told_apart_by_nobody() {
    let bytes = file(|header, keys| {
        // A wrap that opens to a data key which key= does not name.
        let other = Keys::new(FILE, Key::from([9; 32]));
        let salt = [3; 32];
        let mut slot = Slot {
            id: SlotId::parse("planted").unwrap(),
            kind: SlotKind::Raw,
            desc: Slot::raw_desc(&SlotId::parse("planted").unwrap(), &salt),
            wrap: [0; 48],
        };
        slot.wrap = slot::wrap(&keys.key_id(), &other, &Key::from([2; 32]), &slot.desc);
        header.lines.push(HeaderLine::slot(slot));
    });
    let rng = &mut system_rng();
    let with_password =
        Unlocked::create(None, &[new_slot("pw", password("right password"))], rng).unwrap().seal().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let start = text.find("wrap=").unwrap() + 5;
    let flipped = if &text[start..=start] == "A" { "B" } else { "A" };
    let damaged = format!("{}{flipped}{}", &text[..start], &text[start + 1..]);
    let limits = Limits::default();
    let errors = [
        error_of(&bytes, &[raw_key(5)], &limits),
        error_of(&bytes, &[raw_key(2)], &limits),
        error_of(damaged.as_bytes(), &[raw_key(1)], &limits),
        error_of(&with_password, &[password("wrong password")], &limits),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "no slot opens with this password or key");
        assert_eq!(error.status().code(), 4);
    }
}

#[test]
fn values_that_no_writer_makes_are_refused() {
    let name = name("API_KEY");
    let keys = Keys::new(FILE, Key::from([1; 32]));
    let block = |fill: &[u8]| {
        let mut block = [0; 32];
        block[..fill.len()].copy_from_slice(fill);
        block
    };
    for (plain, what) in [
        (block(b"no end mark"), "is not padded as the format says"),
        (block(b""), "is not padded as the format says"),
        (block(b"a\0b\x80"), "holds a NUL byte or is too long"),
        (block(b"caf\xe9\x80"), "is not UTF-8"),
    ] {
        let token = keys.encrypt_padded_for_tests(Purpose::Value, &name, &plain);
        let error = keys.decrypt(Purpose::Value, &name, &token).err().unwrap();
        assert_eq!(error.to_string(), format!("API_KEY: the value {what}"));
    }
}

#[test]
fn a_changed_value_moves_its_rotation_line() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, true, false))));
    let mut opened = open(&bytes);
    assert!(!set(&mut opened, "current", None).unwrap());
    assert!(!opened.is_changed());
    assert!(set(&mut opened, "changed", None).unwrap());
    let text = String::from_utf8(opened.seal().unwrap()).unwrap();
    assert!(text.contains("#envsec:rotation name=API_KEY at=2027-01-01T00:00:00Z previous="));
    let before = String::from_utf8(bytes).unwrap();
    let changed = before.lines().zip(text.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 3, "value, rotation line and seal");
}

#[test]
fn a_rotation_in_progress_is_not_overwritten() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, false, true))));
    assert!(matches!(set(&mut open(&bytes), "changed", None), Err(SealedError::Rotating { .. })));
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, true, false))));
    assert!(matches!(set(&mut open(&bytes), "changed", Some(Storage::Plain)), Err(SealedError::Rotating { .. })));
}

#[test]
fn a_rotation_line_goes_with_its_secret() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, false, false))));
    let mut made_plain = open(&bytes);
    set(&mut made_plain, "current", Some(Storage::Plain)).unwrap();
    let mut removed = open(&bytes);
    removed.unset(&[name("NOPE")]);
    assert!(!removed.is_changed());
    removed.unset(&[name("API_KEY"), name("NOPE")]);
    assert!(removed.is_changed() && !removed.contains(&name("API_KEY")));
    for file in [made_plain, removed] {
        assert!(!String::from_utf8(file.seal().unwrap()).unwrap().contains("rotation"));
    }
}

fn rotation(keys: &Keys, previous: bool, pending: bool) -> Rotation {
    let at = utc("2026-11-22T10:00:00Z");
    let token = |purpose| (keys.encrypt(purpose, &name("API_KEY"), &value("other"), &mut system_rng()), at);
    Rotation {
        name: name("API_KEY"),
        at,
        previous: previous.then(|| token(Purpose::Previous)),
        pending: pending.then(|| token(Purpose::Pending)),
    }
}

#[test]
fn scrypt_work_is_bounded_before_it_is_done() {
    let with_factors = |factors: &[u8]| {
        let slot = |(at, ln): (usize, &u8)| {
            let id = SlotId::parse(&format!("s{at}")).unwrap();
            let desc = Slot::scrypt_desc(&id, *ln, &[0; 32]);
            HeaderLine::slot(Slot { id, kind: SlotKind::Scrypt { ln: *ln, salt: [0; 32] }, desc, wrap: [0; 48] })
        };
        file(|header, _| header.lines.extend(factors.iter().enumerate().map(slot)))
    };
    let refused = |factors: &[u8], max_work_factor, slot: Option<&str>| {
        let limits = Limits { max_work_factor, slot: slot.map(|id| SlotId::parse(id).unwrap()) };
        error_of(&with_factors(factors), &[password("right password")], &limits)
    };
    assert!(matches!(refused(&[21], 20, None), SealedError::WorkFactor(_)));
    assert!(matches!(refused(&[20, 20, 14], 20, None), SealedError::WorkFactor(_)));
    assert!(matches!(refused(&[22, 14], 22, None), SealedError::WorkFactor(_)));
    assert!(matches!(refused(&[20, 20, 14], 20, Some("s2")), SealedError::WrongCredential));
    assert!(matches!(refused(&[14], 20, Some("nobody")), SealedError::NoSuchSlot { .. }));
    assert!(matches!(refused(&[14], 20, Some("ci")), SealedError::NoFittingSlot(_)));
    // A raw key opens the file whatever the password slots cost.
    let bytes = with_factors(&[22; 8]);
    assert!(Locked::parse(&bytes).unwrap().unlock(&[raw_key(1)], &Limits::default()).is_ok());
}

#[test]
fn counts_are_bounded() {
    let slot = |at: usize| {
        let id = SlotId::parse(&format!("r{at}")).unwrap();
        let desc = Slot::raw_desc(&id, &[0; 32]);
        HeaderLine::slot(Slot { id, kind: SlotKind::Raw, desc, wrap: [0; 48] })
    };
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    file.parts().0.lines.extend((0..64).map(slot));
    assert!(matches!(file.seal(), Err(SealedError::WouldExceed { limit: 64, what: "slots" })));
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    for at in 0..=65_536 {
        file.append(&name(&format!("N{at}")), &value("v"), Storage::Plain, rng);
    }
    assert!(matches!(file.seal(), Err(SealedError::WouldExceed { limit: 65_536, what: "entries" })));
}

#[test]
fn new_names_keep_sorted_files_sorted_and_others_as_they_are() {
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    for text in ["M", "Z", "A", "N"] {
        file.set(&name(text), &value("v"), Some(Storage::Plain), Utc::now(), rng).unwrap();
    }
    let names = |file: &Unlocked| file.locked().names().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&file), ["A", "M", "N", "Z"]);
    file.append_line(Line::Comment("# last"));
    file.append(&name("B"), &value("v"), Storage::Plain, rng);
    file.set(&name("C"), &value("v"), Some(Storage::Plain), Utc::now(), rng).unwrap();
    assert_eq!(names(&file), ["A", "M", "N", "Z", "B", "C"]);
}

#[test]
fn a_new_name_does_not_come_between_a_comment_and_its_entry() {
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    file.append_line(Line::Comment("# about M"));
    file.append(&name("M"), &value("v"), Storage::Plain, rng);
    file.set(&name("A"), &value("v"), Some(Storage::Plain), Utc::now(), rng).unwrap();
    let text = String::from_utf8(file.seal().unwrap()).unwrap();
    assert!(text.ends_with("\n\nA=v\n# about M\nM=v\n"), "{text}");
}

#[test]
fn the_comment_after_a_plain_value_stays_and_makes_way_for_a_token() {
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    file.append(&name("LEVEL"), &value("info"), Storage::Plain, rng);
    let bytes = file.seal().unwrap();
    let mut text = str::from_utf8(&bytes).unwrap().replace("LEVEL=info", "LEVEL=info # how much");
    let mut entries_after = |new: &str, storage| {
        let mut file = open(&bytes).with_file(Locked::parse(text.as_bytes()).unwrap());
        file.set(&name("LEVEL"), &value(new), storage, Utc::now(), rng).unwrap();
        text = String::from_utf8(file.seal().unwrap()).unwrap();
        text.split_once("\n\n").unwrap().1.to_owned()
    };
    assert_eq!(entries_after("debug", None), "LEVEL=debug # how much\n");
    assert_eq!(entries_after("two words", None), "LEVEL='two words' # how much\n");
    assert_eq!(entries_after("", None), "LEVEL='' # how much\n");
    assert!(entries_after("secret", Some(Storage::Secret)).starts_with("# how much\nLEVEL=enc:"));
    assert_eq!(entries_after("plain", Some(Storage::Plain)), "# how much\nLEVEL=plain\n");
}

#[test]
fn a_body_that_is_put_together_anew_loses_no_entry_and_takes_none_twice() {
    let now = utc("2026-01-01T00:00:00Z");
    let (api_key, other) = (name("API_KEY"), name("OTHER"));
    let rewritten = |lines: &[BodyLine<'_>]| {
        let mut file = open(&file(|_, _| {}));
        file.rewrite(lines, now).map(|changed| (changed, file))
    };
    let entry = || BodyLine::Entry(&api_key);
    let failed = |lines: &[BodyLine<'_>]| rewritten(lines).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(failed(&[]).ends_with("API_KEY would be lost"));
    assert!(failed(&[entry(), BodyLine::Entry(&other)]).starts_with("OTHER: no such name"));
    assert!(failed(&[entry(), entry()]).contains("E_DUPLICATE"));
    assert!(failed(&[BodyLine::Comment("#envsec:seal"), entry()]).contains("a header line below the seal"));
    assert!(failed(&[BodyLine::Comment("# two\nlines"), entry()]).contains("E_NO_EQUALS"));
    // What is said to be plain is what readers find.
    let (text, value) = (SecretText::from("'1' # one"), value("2"));
    let plain = BodyLine::Plain { name: &other, text: &text, value: &value };
    let (changed, file) = rewritten(&[plain, entry()]).unwrap();
    assert!(changed && matches!(file.seal(), Err(SealedError::SelfCheck(_))));
    let before = open(&self::file(|_, _| {}));
    let lines = before.locked().body_lines();
    assert!(rewritten(&lines).is_ok_and(|(changed, _)| !changed));
}
