//! Somebody with the key, who can seal any text: a second implementation of the seal and of tokens, after docs/format.md
//! alone. The library's has to agree with it.

use envsec::crypto::{self, Expander, NONCE};
use envsec::sealed::{Credential, Limits, Locked, RawKey, SealedError, Unlocked, b64u, parse_b64u, parse_number};
use envsec::secret::SecretText;
use rand::rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::sync::OnceLock;

/// The known answer: its file id is 00 to 0f, its data key 32 times 42, and this raw key opens its slot `ci`.
pub(super) const KNOWN: &str = include_str!("../../vectors/known-answer.env");
const RAW_KEY: &str = "envsec_key_1_MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM_7vMzAw";

pub(super) const MAC_OF_NOBODY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a file is opened with.
pub(super) fn raw_key() -> RawKey {
    RawKey::parse(&SecretText::from(RAW_KEY)).expect("the raw key of the known answer")
}

/// Opens a file with the known key.
pub(super) fn open(bytes: &[u8]) -> Result<Unlocked, SealedError> {
    Locked::parse(bytes)?.unlock(&[Credential::RawKey(raw_key())], &Limits::default())
}

/// The first line up to the label, and the line of the slot `ci`, with line ends.
pub(super) fn magic(label: Option<&str>) -> String {
    let first = KNOWN.lines().next().and_then(|line| line.strip_suffix(" label=production")).expect("the magic line");
    label.map_or_else(|| format!("{first}\n"), |label| format!("{first} label={label}\n"))
}

pub(super) fn slot() -> String {
    let slot = KNOWN.lines().find(|line| line.contains(" type=raw ")).expect("the raw slot");
    format!("{slot}\n")
}

const FILE: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What the keys of the known file are derived from.
fn prk() -> &'static Expander {
    static PRK: OnceLock<Expander> = OnceLock::new();
    PRK.get_or_init(|| Expander::new(&crypto::hkdf_extract(&FILE, &[0x42; 32])))
}

/// LP(x): its length in four bytes, then x.
fn lp(x: &[u8]) -> Vec<u8> {
    [&u32::try_from(x.len()).expect("short").to_be_bytes(), x].concat()
}

/// `enc:` and a token of the value; `salt` makes another one of the same.
pub(super) fn token(context: &str, name: &str, value: &str, salt: u8) -> String {
    let (context, name) = (format!("envsec/1 {context}\0"), name.as_bytes());
    let key = prk().expand_key(&[context.as_bytes(), name]);
    let aad = [context.as_bytes(), &FILE, &lp(name)].concat();
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&crypto::sha256(&[&[salt], name, b"=", value.as_bytes()])[..NONCE]);
    let mut padded = [value.as_bytes(), &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(32), 0);
    let tag = crypto::aes256gcm_seal(&key, &nonce, &aad, &mut padded);
    b64u(&[&nonce, padded.as_slice(), &tag].concat())
}

/// The message that the seal of a well-formed text is made of.
pub(super) fn seal_message(text: &str) -> Vec<u8> {
    fn item(kind: u8, x: &[u8]) -> Vec<u8> {
        [&[kind], lp(x).as_slice()].concat()
    }
    fn count(items: &[Vec<u8>]) -> [u8; 4] {
        u32::try_from(items.len()).expect("few").to_be_bytes()
    }
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("#envsec:")).collect();
    let (magic, lines, seal) = (header[0], &header[1..header.len() - 1], header[header.len() - 1]);
    let rev = seal.strip_prefix("seal rev=").and_then(|seal| parse_number(seal.split(' ').next()?)).expect("a seal");
    let lines: Vec<_> = lines.iter().map(|line| item(b'H', line.as_bytes())).collect();
    let entry = |line: &str| {
        let (name, after) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let (kind, content) = match after.strip_prefix("enc:") {
            Some(token) => (b'E', parse_b64u(token).expect("a token")),
            None => (b'P', after.as_bytes().to_vec()),
        };
        Some(item(kind, &[lp(name.as_bytes()), lp(&content)].concat()))
    };
    let entries: Vec<_> = text.lines().filter_map(entry).collect();
    let parts: [&[u8]; 7] = [
        b"envsec/1 seal\0",
        &item(b'M', magic.as_bytes()),
        &count(&lines),
        &lines.concat(),
        &item(b'R', &rev.to_be_bytes()),
        &count(&entries),
        &entries.concat(),
    ];
    parts.concat()
}

/// A text with the seal that belongs to it; `None` where it is no well-formed file, or has not the known file's keys.
pub(super) fn sealed(text: &str) -> Option<String> {
    let file = Locked::parse(text.as_bytes()).ok()?;
    let mut key_id = [0; 32];
    prk().expand(&[b"envsec/1 key-id"], &mut key_id);
    if (*file.file_id(), *file.key_id()) != (FILE, key_id) {
        return None;
    }
    let key = prk().expand_key(&[b"envsec/1 seal"]);
    let mac = crypto::hmac_sha256(key.expose(), &[&seal_message(text)]);
    Some(with_mac(text, &b64u(mac.expose())))
}

/// A well-formed text with another MAC in its seal.
pub(super) fn with_mac(text: &str, mac: &str) -> String {
    let seal = text.lines().find(|line| line.starts_with("#envsec:seal ")).expect("a seal");
    let (start, old) = seal.rsplit_once(" mac=").expect("a seal");
    text.replacen(&format!("{start} mac={old}"), &format!("{start} mac={mac}"), 1)
}

/// The MAC in a well-formed text.
pub(super) fn mac(text: &str) -> &str {
    let seal = text.lines().find(|line| line.starts_with("#envsec:seal ")).expect("a seal");
    seal.rsplit_once(" mac=").expect("a seal").1
}

/// A generator that counts, so that a run can be repeated.
#[derive(Default)]
pub(super) struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}
