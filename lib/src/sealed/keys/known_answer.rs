//! The format's known answer: every intermediate value, and the same bytes from the same inputs.

use super::*;
use crate::dotenv::{Place, quote};
use crate::sealed::body::{Body, Line as SealedLine, Replacement};
use crate::sealed::header::{Header, Label, Line, Magic, Rotation, Seal, Slot, SlotId, SlotKind, WRAP};
use crate::sealed::locked::Locked;
use crate::sealed::slot::{slot_secret, wrap, wrapping_key};
use crate::sealed::{Credential, Limits, Password, RawKey, Utc};
use crate::secret::SecretText;

const FILE: &[u8] = include_bytes!("../../../../tests/vectors/known-answer.env");
const FACTS: &str = include_str!("../../../../tests/vectors/known-answer.json");
const FID: FileId = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn fact(name: &str) -> String {
    let facts: serde_json::Value = serde_json::from_str(FACTS).unwrap();
    facts[name].as_str().unwrap_or_else(|| panic!("no fact {name}")).to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(text: &str) -> VarName {
    text.parse().unwrap()
}

fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).unwrap()
}

fn keys() -> Keys {
    Keys::new(FID, Key::from([0x42; 32]))
}

fn password() -> Credential {
    Credential::Password(Password::new(&fact("password").as_str().into()).unwrap())
}

fn raw_key() -> Credential {
    Credential::RawKey(RawKey::parse(&fact("raw_key").as_str().into()).unwrap())
}

#[test]
fn derived_keys() {
    let keys = keys();
    assert_eq!(hex(crypto::hkdf_extract(&keys.file, keys.data_key().expose()).expose()), fact("PRK"));
    assert_eq!(hex(&keys.key_id()), fact("KEY"));
    assert_eq!(hex(keys.seal_key().expose()), fact("K_seal"));
    assert_eq!(hex(keys.prk.expand_key(&[b"envsec/1 nonce"]).expose()), fact("K_nonce"));
    assert_eq!(hex(keys.value_key(Purpose::Value, &name("DATABASE_URL")).expose()), fact("K_v(DATABASE_URL)"));
    assert_eq!(hex(keys.value_key(Purpose::Previous, &name("API_KEY")).expose()), fact("K_previous(API_KEY)"));
}

/// Computed by Python: `hmac(hmac(PRK, "envsec/1 fingerprint" || 01), LP(name) || LP(value))`.
#[test]
fn fingerprint() {
    let url = keys().fingerprint(&name("DATABASE_URL"), &value("postgres://app:pa$$word@db:5432/app"));
    assert_eq!(hex(&url), "92d3156e084aabfb218099fef5441248be1bc7bc8270ed0b401b35efe056a258");
}

/// A slot of the known answer, wrapped again from its inputs.
fn slot(id: &str, kind: SlotKind, desc: String, credential: &Credential) -> Slot {
    let mut slot = Slot { id: SlotId::parse(id).unwrap(), kind, desc, wrap: [0; WRAP] };
    let secret = slot_secret(&slot, FID, credential).unwrap();
    assert_eq!(hex(secret.expose()), fact(&format!("S({id})")));
    let (key, nonce) = wrapping_key(&keys().key_id(), &secret, &slot.desc);
    assert_eq!(hex(key.expose()), fact(&format!("WK({id})")));
    assert_eq!(hex(&nonce), fact(&format!("WN({id})")));
    slot.wrap = wrap(&keys().key_id(), &keys(), &secret, &slot.desc);
    slot
}

fn header() -> Header {
    let (team, ci) = (SlotId::parse("team").unwrap(), SlotId::parse("ci").unwrap());
    let kind = SlotKind::Scrypt { ln: 17, salt: [0x11; 32] };
    let team = slot("team", kind, Slot::scrypt_desc(&team, 17, &[0x11; 32]), &password());
    let ci = slot("ci", SlotKind::Raw, Slot::raw_desc(&ci, &[0x22; 32]), &raw_key());
    let old = keys().encrypt_with(Purpose::Previous, &name("API_KEY"), &value("sk_test_old"), &[0xb1; 12]);
    let utc = |text| Utc::parse(text).unwrap();
    let rotation = Rotation {
        name: name("API_KEY"),
        at: utc("2026-11-22T10:00:00Z"),
        previous: Some((old, utc("2026-11-23T10:00:00Z"))),
        pending: None,
    };
    let magic = Magic { file: FID, key: keys().key_id(), label: Label::parse("production") };
    let lines = vec![Line::slot(team), Line::slot(ci), Line::rotation(rotation)];
    Header { magic, lines, seal: Seal { rev: 7, mac: [0; 32] } }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let mut body = Body::empty("\n");
    body.push_line(SealedLine::Blank);
    body.push_line(SealedLine::Comment("# database"));
    let secret = |entry: &str, text: &str, nonce: u8| {
        Replacement::Token(keys().encrypt_with(Purpose::Value, &name(entry), &value(text), &[nonce; 12]))
    };
    body.push(&name("DATABASE_URL"), secret("DATABASE_URL", "postgres://app:pa$$word@db:5432/app", 0xa1));
    body.push(&name("LOG_LEVEL"), Replacement::Plain(quote("info", Place::SealedLine).1));
    body.push(&name("JWT_SECRET"), secret("JWT_SECRET", "", 0xa2));
    body.push(&name("API_KEY"), secret("API_KEY", "sk_test_new", 0xa3));
    let mut locked = Locked { header: header(), body };
    locked.header.seal.mac = locked.mac(&keys());
    let mut bytes = Secret::from(locked.header.print("\n").into_bytes());
    locked.body.write_to(&mut bytes);
    assert_eq!(String::from_utf8_lossy(bytes.expose()), String::from_utf8_lossy(FILE));
}

#[test]
fn it_opens_with_either_credential() {
    for credential in [password(), raw_key()] {
        let opened = Locked::parse(FILE).unwrap().unlock(&[credential], &Limits::default()).unwrap();
        let values: Vec<_> = opened
            .vars()
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.expose().to_owned()))
            .collect();
        let expected = [
            ("DATABASE_URL", "postgres://app:pa$$word@db:5432/app"),
            ("LOG_LEVEL", "info"),
            ("JWT_SECRET", ""),
            ("API_KEY", "sk_test_new"),
        ];
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((opened.locked().rev(), opened.locked().label().map(Label::as_str)), (7, Some("production")));
    }
}

#[test]
fn a_previous_value_opens_as_such_only() {
    let locked = Locked::parse(FILE).unwrap();
    let (_, rotation) = locked.header.rotations().next().unwrap();
    let (token, _) = rotation.previous.as_ref().unwrap();
    assert_eq!(keys().decrypt(Purpose::Previous, &rotation.name, token).unwrap().expose(), "sk_test_old");
    for purpose in [Purpose::Value, Purpose::Pending] {
        assert!(keys().decrypt(purpose, &rotation.name, token).is_err());
    }
}

#[test]
fn padding_is_minimal_and_nothing_else_opens() {
    for length in [0, 1, 30, 31, 32, 33, 63, 64] {
        let padded = pad(&vec![7; length]);
        assert_eq!((padded.len() % 32, unpadded_len(padded.expose())), (0, Some(length)));
        assert!(padded.len() - length <= 32 && padded.len() > length);
    }
    let not_minimal = [pad(b"x").expose(), &[0; 32]].concat();
    for wrong in [&[0; 32][..], &[0x81; 32], &not_minimal, &[0x80], b""] {
        assert_eq!(unpadded_len(wrong), None);
    }
}
