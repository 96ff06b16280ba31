//! New random values: of the kinds that `set --generate` knows, and passwords made of words.

use crate::error::{Failure, Status};
use crate::secret::SecretText;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{CryptoRng, RngExt as _};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The English word list of BIP 39: 2,048 words, no two with the same first four letters.
const WORDS: &str = include_str!("words.txt");

/// Seven words of 11 bits each: 77 bits, and every guess costs an attacker a scrypt.
const PASSWORD_WORDS: usize = 7;

/// Letters and digits only: a generated password survives URLs, shells and every config syntax.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const MAX: usize = 65_536;

/// A kind of random value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `hex:N`: N random bytes in lower-case hexadecimal.
    Hex(usize),
    /// `base64:N`: N random bytes in base64 (RFC 4648 section 4, padded).
    Base64(usize),
    /// `password:N`: N letters and digits.
    Password(usize),
    /// `uuid`: a random UUID (RFC 9562, version 4).
    Uuid,
}

/// A text that names no kind.
#[derive(Debug, thiserror::Error)]
#[error("no kind of value: hex:N, base64:N (N random bytes), password:N (N characters) or uuid, N from 1 to {MAX}")]
pub struct UnknownKind;

impl Failure for UnknownKind {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// As [`Kind::from_str`] reads it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Hex(n) => write!(f, "hex:{n}"),
            Kind::Base64(n) => write!(f, "base64:{n}"),
            Kind::Password(n) => write!(f, "password:{n}"),
            Kind::Uuid => f.write_str("uuid"),
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let digits = |n: &str| if n.bytes().all(|b| b.is_ascii_digit()) { n.parse().ok() } else { None };
        let (kind, number) = text.split_once(':').map_or((text, None), |(kind, n)| (kind, digits(n)));
        match (kind, number) {
            ("hex", Some(n @ 1..=MAX)) => Ok(Kind::Hex(n)),
            ("base64", Some(n @ 1..=MAX)) => Ok(Kind::Base64(n)),
            ("password", Some(n @ 1..=MAX)) => Ok(Kind::Password(n)),
            ("uuid", None) if text == "uuid" => Ok(Kind::Uuid),
            _ => Err(UnknownKind),
        }
    }
}

/// A fresh value of a kind.
pub fn value(kind: Kind, rng: &mut dyn CryptoRng) -> SecretText {
    match kind {
        Kind::Hex(bytes) => hex(&random(bytes, rng)),
        Kind::Base64(bytes) => SecretText::from(STANDARD.encode(&*random(bytes, rng))),
        Kind::Password(characters) => {
            let mut text = SecretText::with_capacity(characters);
            (0..characters).for_each(|_| text.push(char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])));
            text
        }
        Kind::Uuid => uuid(&mut random(16, rng)),
    }
}

/// A password of seven words, joined by `-`.
pub fn words(rng: &mut dyn CryptoRng) -> SecretText {
    let list: Vec<&str> = WORDS.lines().collect();
    let mut text = SecretText::with_capacity(PASSWORD_WORDS * 9);
    for place in 0..PASSWORD_WORDS {
        if place > 0 {
            text.push('-');
        }
        text.push_str(list[rng.random_range(0..list.len())]);
    }
    text
}

fn random(count: usize, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    rng.fill_bytes(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> SecretText {
    let mut text = SecretText::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

/// RFC 9562, 5.4: version 4, variant 10, the rest random.
fn uuid(bytes: &mut [u8]) -> SecretText {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(bytes);
    let mut text = SecretText::with_capacity(36);
    for (place, (from, to)) in [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].into_iter().enumerate() {
        if place > 0 {
            text.push('-');
        }
        text.push_str(&digits.expose()[from..to]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_list_is_the_published_one() {
        let digest = crate::crypto::sha256(&[WORDS.as_bytes()]);
        let published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
        assert_eq!(hex(&digest).expose(), published);
        assert_eq!(WORDS.lines().count(), 2048);
    }

    #[test]
    fn every_kind_has_its_shape() {
        let rng = &mut crate::crypto::system_rng();
        let is = |kind: &str, rng: &mut dyn CryptoRng| value(kind.parse().unwrap(), rng).expose().to_owned();
        assert_eq!(is("hex:16", rng).len(), 32);
        assert_eq!(is("base64:32", rng).len(), 44);
        assert!(is("password:40", rng).chars().all(|c| c.is_ascii_alphanumeric()));
        let uuid = is("uuid", rng);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!("89ab".contains(&uuid[19..20]));
        assert_eq!(words(rng).expose().split('-').count(), 7);
    }

    #[test]
    fn what_is_no_kind() {
        for text in
            ["", "hex", "hex:", "hex:0", "hex:-1", "hex:65537", "hex:+5", "uuid:4", "uuid:", "password:x", "words:7"]
        {
            assert!(text.parse::<Kind>().is_err(), "{text}");
        }
    }
}
