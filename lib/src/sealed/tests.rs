//! What only somebody with the key, or a newer envsec, could have written.

use super::header::{Header, Line as HeaderLine, LineKind, Rotation, Slot, SlotKind};
use super::keys::{Keys, Purpose};
use super::*;
use crate::crypto::{self, system_rng};
use crate::error::Failure as _;
use crate::secret::{Key, SecretText};
use crate::vars::{Value, VarName};

const FILE: FileId = [7; 16];

pub(super) fn name(text: &str) -> VarName {
    text.parse().unwrap()
}

pub(super) fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).unwrap()
}

pub(super) fn utc(text: &str) -> Utc {
    Utc::parse(text).unwrap()
}

pub(super) fn raw_key(byte: u8) -> Credential {
    let body = b64u(&[byte; 32]);
    let check = b64u(&crypto::sha256(&[b"envsec/1 raw-key\0", &[byte; 32]])[..4]);
    Credential::RawKey(RawKey::parse(&SecretText::from(format!("envsec_key_1_{body}_{check}"))).unwrap())
}

fn password(text: &str) -> Credential {
    Credential::Password(Password::new(&SecretText::from(text)).unwrap())
}

pub(super) fn new_slot(id: &str, credential: Credential) -> NewSlot {
    NewSlot { id: SlotId::parse(id).unwrap(), credential, work_factor: 14 }
}

/// A file with one secret, one raw slot, and whatever `edit` does to its header before it is sealed.
pub(super) fn file(edit: impl FnOnce(&mut Header, &Keys)) -> Vec<u8> {
    let rng = &mut system_rng();
    let mut file = Unlocked::create(None, &[new_slot("ci", raw_key(1))], rng).unwrap();
    file.append(&name("API_KEY"), &value("current"), Storage::Secret, rng);
    let (header, keys) = file.parts();
    edit(header, keys);
    file.seal().unwrap()
}

pub(super) fn open(bytes: &[u8]) -> Unlocked {
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

#[test]
fn a_pending_value_does_not_push_out_an_old_one_that_is_still_handed_out() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, true, true))));
    let finish = |now| open(&bytes).finish_rotation(&name("API_KEY"), &value("other"), None, now, &mut system_rng());
    let refused = finish(utc("2026-11-22T09:59:59Z"));
    assert!(matches!(refused, Err(SealedError::Rotating { state: Unfinished::Grace, .. })));
    assert!(finish(utc("2026-11-22T10:00:00Z")).is_ok());
}

#[test]
fn errors_below_the_header_count_their_lines_from_the_top() {
    let text = String::from_utf8(file(|_, _| {})).unwrap();
    let (header, body) = text.split_once("\n\n").unwrap();
    assert_eq!((header.lines().count(), body.lines().count()), (3, 1));
    for (text, expected) in [
        (format!("{header}\n\u{feff}\n{body}"), "4: a byte order mark"),
        (format!("{text} # x\n"), "6: a comment that does not start in the first column"),
        (format!("{text}\n#envsec:slot x\n"), "7: a header line below the seal"),
        (
            format!("{text}\nA =1\n"),
            "7: A: an entry of a sealed file is NAME=value on one line, without blanks around =",
        ),
        (
            format!("{text}\nA='1\n2'\n"),
            "7: A: an entry of a sealed file is NAME=value on one line, without blanks around =",
        ),
        (format!("{text}A=enc:\n"), "6: A: a malformed encrypted value"),
        (format!("{text}A=x#\n"), "6:4: E_AMBIG_HASH: A: not what a sealed file holds"),
        (format!("{text}\nA='1\n2'x\n"), "8:3: E_TRAILING: A: not what a sealed file holds"),
        (format!("{text}\nA=1\nB=\nA=2\n"), "9:1: E_DUPLICATE: A: not what a sealed file holds (first on line 7)"),
    ] {
        assert_eq!(Locked::parse(text.as_bytes()).err().map(|error| error.to_string()).as_deref(), Some(expected));
    }
}

#[test]
fn errors_of_the_header_say_their_line() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, false, false))));
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let [magic, slot, rotation, seal, ..] = lines[..] else { panic!("{text}") };
    for (text, expected) in [
        (format!("{magic}{slot}"), "3: the seal line is missing"),
        (format!("{magic}{slot}{rotation}"), "4: the seal line is missing"),
        (format!("{magic}{slot}{rotation}A=1\n{seal}"), "4: the seal line is missing"),
        (format!("{magic}{slot}#envsec:? x\n"), "3: not a header line"),
        (format!("{magic}{slot}#envsec:slot x\n"), "3: a malformed slot line"),
        (format!("{magic}{slot}#envsec:policy  x\n"), "3: a malformed policy line"),
        (format!("{magic}{slot}{slot}{seal}"), "3: slot ci is there twice"),
        (format!("{magic}{slot}{rotation}{rotation}{seal}"), "4: API_KEY has two rotation lines"),
        (format!("{magic}{slot}{rotation}#envsec:seal x\n"), "4: a malformed seal line"),
        (format!("{magic}{slot}{rotation}{seal}"), "3: the rotation line of API_KEY has no encrypted entry"),
        (format!("{magic}{seal}"), "the file has no slot, so nobody could open it"),
    ] {
        assert_eq!(Locked::parse(text.as_bytes()).err().map(|error| error.to_string()).as_deref(), Some(expected));
    }
    let not_text = [magic.as_bytes(), slot.as_bytes(), b"# caf\xe9\n"].concat();
    assert_eq!(Locked::parse(&not_text).err().unwrap().to_string(), "3: not UTF-8 text");
}

#[test]
fn comments_and_plain_values_are_known_without_a_key() {
    let mut opened = open(&file(|_, _| {}));
    opened.append_line(Line::Comment("# above"));
    opened.append(&name("LEVEL"), &value("two words"), Storage::Plain, &mut system_rng());
    let text = String::from_utf8(opened.seal().unwrap()).unwrap() + "A=1 # beside\n";
    let locked = Locked::parse(text.as_bytes()).unwrap();
    assert_eq!(locked.comments().collect::<Vec<_>>(), [(6, "# above\n"), (8, "# beside")]);
    let plain: Vec<_> = locked.plain_values().map(|(name, text)| format!("{name}={}", text.expose())).collect();
    assert_eq!(plain, ["LEVEL=two words", "A=1"]);
}

#[test]
fn a_slot_is_not_made_twice() {
    let mut opened = open(&file(|_, _| {}));
    let again = opened.add_slot(&new_slot("ci", raw_key(2)), &mut system_rng());
    assert!(matches!(again, Err(SealedError::SlotExists(id)) if id.as_str() == "ci"));
}

#[test]
fn a_new_data_key_is_for_the_slots_that_are_there() {
    let rng = &mut system_rng();
    let bytes = file(|_, _| {});
    let next = |slots: &[NewSlot]| NextKey::new(&Locked::parse(&bytes).unwrap(), slots, &mut system_rng()).unwrap();
    let mut opened = open(&bytes);
    assert!(matches!(opened.rekey(next(&[]), &[], rng), Err(SealedError::LastSlot)));
    opened.add_slot(&new_slot("deploy", raw_key(2)), rng).unwrap();
    let for_one = next(&[new_slot("ci", raw_key(1))]);
    assert!(matches!(opened.rekey(for_one, &[], rng), Err(SealedError::SlotsChanged)));
}

#[test]
fn another_file_in_the_place_of_this_one_is_told_from_an_older_revision() {
    let older = file(|_, _| {});
    let mut opened = open(&older);
    set(&mut opened, "changed", None).unwrap();
    let newer = opened.seal().unwrap();
    let reopened = |bytes: &[u8]| open(&newer).reopen(Locked::parse(bytes).unwrap()).err();
    assert!(reopened(&newer).is_none());
    assert!(matches!(reopened(&older), Some(SealedError::RolledBack)));
    assert!(matches!(reopened(&file(|_, _| {})), Some(SealedError::Rekeyed)));
}

#[test]
fn bytes_that_do_not_read_back_are_not_written() {
    let said = |bytes: &[u8], keys: &Keys, written: &str| {
        let written = [(name("API_KEY"), value(written))].into();
        unlocked::check(bytes, keys, &written).err().map(|error| error.to_string())
    };
    let bytes = file(|_, _| {});
    let mut again = open(&bytes);
    let (_, right) = again.parts();
    let wrong = Keys::new(FILE, right.data_key().duplicate());
    assert_eq!(said(&bytes, right, "current"), None);
    assert!(said(&bytes, &wrong, "current").unwrap().contains("its seal does not match"));
    assert!(said(&bytes, right, "changed").unwrap().contains("API_KEY has another value"));
}

pub(super) fn rotation(keys: &Keys, previous: bool, pending: bool) -> Rotation {
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
    // So is that of opening every slot that can be opened.
    let all = |factors: &[u8]| {
        let locked = Locked::parse(&with_factors(factors)).unwrap();
        locked.open_slots(&[password("right password")], &Limits::default()).err().unwrap()
    };
    assert!(matches!(all(&[21]), SealedError::WorkFactor(_)));
    assert!(matches!(all(&[14]), SealedError::WrongCredential));
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
        file.set(&name(text), &value(text), Some(Storage::Plain), Utc::now(), rng).unwrap();
    }
    for text in ["M", "Z", "A", "N"] {
        assert_eq!(file.get(&name(text)).unwrap().unwrap().expose(), text);
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
    let twice = "5:1: E_DUPLICATE: API_KEY: not what a sealed file holds (first on line 4)";
    assert_eq!(failed(&[entry(), entry()]), twice);
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

#[test]
fn a_last_line_without_an_end_has_none_only_while_it_is_the_last() {
    let text = String::from_utf8(file(|_, _| {})).unwrap();
    let header = &text[..text.find("\n\n").unwrap() + 1];
    let (a, b) = (name("A"), name("B"));
    let (a, b) = (|| BodyLine::Entry(&a), || BodyLine::Entry(&b));
    for (before, lines, after) in [
        ("A=1\nB=2", vec![a(), b()], "A=1\nB=2"),
        ("A=1\nB=2", vec![b(), a()], "B=2\nA=1\n"),
        ("A=1\nB=2", vec![BodyLine::Comment("# x"), a(), b()], "# x\nA=1\nB=2"),
        ("A=1\nB=2\n", vec![b(), a()], "B=2\nA=1\n"),
        ("A=1\nB=2\n\n", vec![b(), a(), BodyLine::Blank("")], "B=2\nA=1\n\n"),
    ] {
        let mut file = open(text.as_bytes()).with_file(Locked::parse(format!("{header}{before}").as_bytes()).unwrap());
        file.rewrite(&lines, utc("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(file.file.body.to_text().expose(), after.as_bytes(), "{before:?}");
    }
}

#[test]
fn a_secret_that_is_written_plain_loses_its_rotation_line_unless_a_rotation_is_under_way() {
    let api_key = name("API_KEY");
    let (text, value) = (SecretText::from("plain"), value("plain"));
    let lines = [BodyLine::Plain { name: &api_key, text: &text, value: &value }];
    let rewritten = |previous, pending| {
        let mut file =
            open(&file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, previous, pending)))));
        file.rewrite(&lines, utc("2026-01-01T00:00:00Z")).map(|changed| (changed, file))
    };
    assert!(matches!(rewritten(true, false), Err(SealedError::Rotating { state: Unfinished::Grace, .. })));
    assert!(matches!(rewritten(false, true), Err(SealedError::Rotating { state: Unfinished::Pending, .. })));
    let (changed, file) = rewritten(false, false).unwrap();
    assert!(changed && !String::from_utf8(file.seal().unwrap()).unwrap().contains("rotation"));
}

#[test]
fn a_line_that_is_added_ends_as_the_header_does() {
    let text = String::from_utf8(file(|_, _| {})).unwrap().replace('\n', "\r\n");
    let header = &text[..text.find("\r\n\r\n").unwrap() + 2];
    for body in ["", "A=1", "A=1\r\n"] {
        let file = Locked::parse(format!("{header}{body}").as_bytes()).unwrap();
        let mut file = open(text.as_bytes()).with_file(file);
        file.append_line(Line::Comment("# added"));
        let expected = [body.trim_end(), "# added", ""].join("\r\n");
        assert_eq!(file.file.body.to_text().expose(), expected.trim_start().as_bytes());
    }
}

#[test]
fn what_was_set_and_taken_out_again_is_not_missed() {
    let mut file = open(&file(|_, _| {}));
    set(&mut file, "changed", None).unwrap();
    file.unset(&[name("API_KEY")]);
    assert!(!open(&file.seal().unwrap()).contains(&name("API_KEY")));
}

#[test]
fn plain_values_are_compared_without_a_key_and_by_what_they_mean() {
    let with = |text: &str| {
        let file = String::from_utf8(file(|_, _| {})).unwrap();
        Revision::Unverified(Box::new(Locked::parse(format!("{file}LEVEL={text}\n").as_bytes()).unwrap()))
    };
    let value = |old: &str, new: &str| {
        let differences = Differences::between(&with(old), &with(new)).unwrap();
        let level = differences.names.into_iter().find(|difference| difference.name == name("LEVEL"));
        level.map(|difference| difference.value)
    };
    assert!(value("info", "'info' # quoted").is_none());
    assert!(value("info", "debug").is_some_and(|value| value == Comparison::Different));
}

#[test]
fn names_that_come_or_go_move_no_others() {
    let text = String::from_utf8(file(|_, _| {})).unwrap();
    let with = |body: &str| {
        let text = format!("{}{body}", &text[..text.find("API_KEY").unwrap()]);
        Revision::Unverified(Box::new(Locked::parse(text.as_bytes()).unwrap()))
    };
    let moved = |old: &str, new: &str| {
        let names = Differences::between(&with(old), &with(new)).unwrap().names;
        names.into_iter().filter(|difference| difference.moved).map(|difference| difference.name.to_string()).collect()
    };
    let none: [String; 0] = [];
    let (ab, ba) = ("A=1\nB=1\n", "B=1\nA=1\n");
    let moved: [Vec<String>; 4] = [
        moved(ab, &format!("X=1\n{ab}")),
        moved(&format!("X=1\n{ab}"), ab),
        moved(ab, "A=1\nX=1\nB=1\n"),
        moved(ab, ba),
    ];
    assert_eq!(moved[..3], [none.to_vec(), none.to_vec(), none.to_vec()]);
    assert_eq!(moved[3].len(), 1);
}

#[test]
fn a_value_that_does_not_decrypt_is_an_error_of_a_comparison_and_no_difference() {
    let verified = |bytes: &[u8]| Revision::Verified(Box::new(open(bytes)));
    let old = file(|_, _| {});
    let mut broken = open(&old);
    let token = broken.parts().1.encrypt(Purpose::Previous, &name("API_KEY"), &value("current"), &mut system_rng());
    let text = String::from_utf8(old.clone()).unwrap();
    let start = text.find("API_KEY=").unwrap();
    let mut text = format!("{}API_KEY=enc:{}\n", &text[..start], b64u(&token));
    let mac = b64u(&Locked::parse(text.as_bytes()).unwrap().mac(broken.parts().1));
    let at = text.find(" mac=").unwrap() + 5;
    text.replace_range(at..at + mac.len(), &mac);
    for (old, new) in [(old.as_slice(), text.as_bytes()), (text.as_bytes(), old.as_slice())] {
        let compared = Differences::between(&verified(old), &verified(new));
        assert!(matches!(compared, Err(SealedError::Value { what: "does not authenticate", .. })));
    }
}

#[test]
fn any_difference_is_one() {
    let none = || {
        let file = || Revision::Unverified(Box::new(Locked::parse(&self::file(|_, _| {})).unwrap()));
        let same = file();
        Differences::between(&same, &same).unwrap()
    };
    assert!(none().is_none());
    let line = LineDifference { what: "slot ci".into(), old: true, new: false };
    for difference in [
        Differences { unknown: vec![name("N")], ..none() },
        Differences { lines: vec![line], ..none() },
        Differences { label: Some((None, Some("production".into()))), ..none() },
        Differences { data_key: true, ..none() },
        Differences { file: true, ..none() },
    ] {
        assert!(!difference.is_none());
    }
}

#[test]
fn an_error_names_the_way_out() {
    let id = || SlotId::parse("ci").unwrap();
    let rotating = |state| SealedError::Rotating { name: name("N"), state };
    let exceed = |what| SealedError::WouldExceed { limit: 1, what };
    for (error, status, hint) in [
        (SealedError::NotSealed, 5, "make one with: envsec init"),
        (SealedError::Newer("format 2".into()), 5, "update envsec"),
        (SealedError::malformed(1, "x"), 5, "edited by hand? "),
        (exceed("bytes in a line"), 1, "a plain value may be the cause"),
        (exceed("scrypt slots"), 1, "remove one first: envsec slot remove ID"),
        (exceed("entries"), 1, "split it into several files"),
        (SealedError::Conflict { line: 1 }, 5, "keep one of the two lines"),
        (SealedError::WorkFactor("x".into()), 5, "if you trust the file: --max-work-factor 22"),
        (SealedError::WrongCredential, 4, "check the password or key"),
        (SealedError::NoFittingSlot("x".into()), 4, "a scrypt slot takes a password"),
        (SealedError::Seal, 5, "do not use its values"),
        (SealedError::Rekeyed, 6, "run the command again"),
        (SealedError::RolledBack, 6, "run the command again"),
        (SealedError::ChangedMeanwhile, 6, "run the command again"),
        (SealedError::SlotsChanged, 6, "run the command again"),
        (SealedError::SlotExists(id()), 2, "choose another one with --id"),
        (SealedError::LastSlot, 1, "add another one first: envsec slot add"),
        (SealedError::UnknownLines(vec!["x".into()]), 1, "update envsec; or leave them out"),
        (SealedError::not_there(&name("N")), 2, "envsec list shows the names"),
        (rotating(Unfinished::Pending), 6, "envsec rotate N --resume goes on with it"),
        (rotating(Unfinished::Grace), 6, "once no program uses the old value any more: envsec rotate N --finish"),
        (SealedError::RotatedMeanwhile(name("N")), 6, "envsec status N shows how far it is"),
        (SealedError::SelfCheck("x".into()), 1, ""),
        (SealedError::TooMany { limit: 1, what: "slots" }, 5, ""),
        (crypto::CryptoError::NotAuthentic.into(), 5, ""),
        (crypto::CryptoError::Memory { mib: 128 }.into(), 1, "raise the memory limit (ulimit -v)"),
    ] {
        assert_eq!(error.status().code(), status, "{error}");
        let found = error.hint().unwrap_or_default();
        assert!(found.starts_with(hint) && found.is_empty() == hint.is_empty(), "{error}: {found}");
    }
}

#[test]
fn a_step_of_a_rotation_is_about_the_value_that_it_was_taken_for() {
    let bytes = file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, true, true))));
    let (name, now) = (name("API_KEY"), utc("2027-01-01T00:00:00Z"));
    let refused = |step: Result<(), SealedError>| matches!(step, Err(SealedError::RotatedMeanwhile(_)));
    for (text, is_refused) in [("somebody else's", true), ("other", false)] {
        let value = value(text);
        let finished = open(&bytes).finish_rotation(&name, &value, None, now, &mut system_rng());
        assert_eq!(refused(finished), is_refused, "{text}");
        assert_eq!(refused(open(&bytes).abort_rotation(&name, &value)), is_refused, "{text}");
        assert_eq!(refused(open(&bytes).end_grace(&name, &value)), is_refused, "{text}");
    }
}

#[test]
fn a_rotation_begins_where_none_is_under_way() {
    let with = |previous, pending| {
        open(&file(|header, keys| header.lines.push(HeaderLine::rotation(rotation(keys, previous, pending)))))
    };
    let (name, new) = (name("API_KEY"), value("new"));
    let (until, later) = (utc("2026-11-22T10:00:00Z"), utc("2026-11-22T10:00:01Z"));
    let before = utc("2026-11-22T09:59:59Z");
    for (file, now, expected) in [
        (with(false, false), until, None),
        (with(true, false), until, None),
        (with(true, false), before, Some("API_KEY: its old value of the last rotation is still handed out")),
        (with(false, true), later, Some("API_KEY: a rotation of it is pending: its new value waits in the file")),
    ] {
        let said = |step: Result<(), SealedError>| step.err().map(|error| error.to_string());
        assert_eq!(file.previous_of(&name, now).unwrap().is_some(), now == before);
        let mut at_once = file;
        assert_eq!(said(at_once.check_rotatable(&name, now)).as_deref(), expected);
        assert_eq!(
            said(at_once.begin_rotation(&[(name.clone(), new.duplicate())], now, &mut system_rng())).as_deref(),
            expected
        );
        if expected.is_none() {
            assert_eq!(at_once.pending(&name).unwrap().expose(), "new");
            assert_eq!(at_once.beside().unwrap().len(), 1);
            at_once.abort_rotation(&name, &new).unwrap();
        }
        assert_eq!(said(at_once.rotate(&name, &new, None, now, &mut system_rng())).as_deref(), expected);
    }
    let same = with(false, false).rotate(&name, &value("current"), None, later, &mut system_rng());
    assert!(matches!(
        same,
        Err(SealedError::NotRotatable { what: "the new value is the one that it has already", .. })
    ));
    let mut begun = with(false, false);
    begun.append(&self::name("B"), &new, Storage::Secret, &mut system_rng());
    begun.begin_rotation(&[(name, new.duplicate())], until, &mut system_rng()).unwrap();
    begun.begin_rotation(&[(self::name("B"), value("x"))], until, &mut system_rng()).unwrap();
    let since = |name| begun.locked().rotation(name).unwrap().pending_since;
    assert_eq!((since("API_KEY"), since("B")), (Some(until), Some(later)));
    assert_eq!(begun.locked().latest_change(), Some(later));
}

#[test]
fn a_raw_key_is_tried_before_any_password_and_only_asked_for_where_it_helps() {
    let slots = [new_slot("pw", password("right password")), new_slot("ci", raw_key(1))];
    let bytes = Unlocked::create(None, &slots, &mut system_rng()).unwrap().seal().unwrap();
    let parsed = || Locked::parse(&bytes).unwrap();
    let opened = parsed().unlock(&[password("right password"), raw_key(1)], &Limits::default()).unwrap();
    assert_eq!(opened.opened_by().map(SlotId::as_str), Some("ci"));
    for (slot, expected) in [(None, true), (Some("pw"), true), (Some("ci"), false)] {
        let limits = Limits { slot: slot.map(|id| SlotId::parse(id).unwrap()), ..Limits::default() };
        assert_eq!(parsed().takes_password(&limits), expected, "{slot:?}");
    }
    assert!(!Locked::parse(&file(|_, _| {})).unwrap().takes_password(&Limits::default()));
}
