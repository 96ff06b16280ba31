//! Credentials: what a person or a machine opens a file with.

use super::forms::{b64u, parse_b64u};
use crate::crypto;
use crate::error::{Failure, Status};
use crate::secret::{Key, SecretText};
use rand::CryptoRng;
use unicode_normalization::{UnicodeNormalization as _, char::is_public_assigned, is_nfc};

/// New passwords are at least this many characters long.
pub const MIN_PASSWORD: usize = 12;

/// What opens a slot.
pub enum Credential {
    /// Opens scrypt slots.
    Password(Password),
    /// Opens raw slots.
    RawKey(RawKey),
}

impl Credential {
    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        match self {
            Credential::Password(password) => Credential::Password(Password(password.0.duplicate())),
            Credential::RawKey(key) => Credential::RawKey(key.duplicate()),
        }
    }

    /// Whether it opens scrypt slots.
    pub fn is_password(&self) -> bool {
        matches!(self, Credential::Password(_))
    }
}

/// A password in Unicode normalisation form C (UAX #15), not empty, without control characters.
pub struct Password(SecretText);

/// 32 random bytes, written `envsec_key_1_…_…` with a checksum.
pub struct RawKey(Key);

/// Why a text is no password or raw key. Never says what the text was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// No character at all.
    #[error("the password is empty")]
    Empty,
    /// A character of category Cc.
    #[error("the password holds a control character (a line break?)")]
    Control,
    /// Not acceptable as a new password.
    #[error("the new password has {0} characters, at least {MIN_PASSWORD} are needed")]
    Weak(usize),
    /// A code point whose normalisation a later Unicode version may define.
    #[error("the new password holds a character that Unicode has not assigned")]
    Unassigned,
    /// Not `envsec_key_1_…` with a matching checksum.
    #[error("this is not a raw key: it has to be envsec_key_1_ and 50 more characters, and its checksum has to match")]
    RawKey,
}

impl Failure for CredentialError {
    fn status(&self) -> Status {
        match self {
            CredentialError::Weak(_) | CredentialError::Unassigned => Status::Usage,
            _ => Status::Credential,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CredentialError::Empty => Some("set ENVSEC_PASSWORD, or give --password-file FILE".into()),
            CredentialError::Control => {
                Some("from a file or a descriptor one line end is stripped, from a variable none".into())
            }
            CredentialError::Weak(_) => {
                Some("an empty answer at the prompt generates a good one; --allow-weak-password takes this one".into())
            }
            CredentialError::Unassigned => None,
            CredentialError::RawKey => {
                Some("a truncated or mistyped key? it is one line, made by: envsec init --raw-key".into())
            }
        }
    }
}

impl Password {
    /// A password as it was typed or stored, normalised.
    ///
    /// # Errors
    /// [`CredentialError::Empty`], [`CredentialError::Control`].
    pub fn new(text: &SecretText) -> Result<Self, CredentialError> {
        let text = text.expose();
        if text.is_empty() {
            return Err(CredentialError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(CredentialError::Control);
        }
        if is_nfc(text) {
            return Ok(Password(SecretText::from(text)));
        }
        let mut normal = SecretText::with_capacity(text.len());
        text.nfc().for_each(|c| normal.push(c));
        Ok(Password(normal))
    }

    /// Checks what is asked of a new password besides: its length, unless `allow_weak`, and assigned characters only.
    ///
    /// # Errors
    /// [`CredentialError::Weak`], [`CredentialError::Unassigned`].
    pub fn check_new(&self, allow_weak: bool) -> Result<(), CredentialError> {
        let length = self.expose().chars().count();
        if !self.expose().chars().all(is_public_assigned) {
            return Err(CredentialError::Unassigned);
        }
        if length < MIN_PASSWORD && !allow_weak { Err(CredentialError::Weak(length)) } else { Ok(()) }
    }

    /// The normalised text. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl RawKey {
    /// What every raw key begins with, for people and scanners to recognise it.
    pub const PREFIX: &str = "envsec_key_1_";

    /// A fresh key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        RawKey(crypto::random_key(rng))
    }

    /// Parses `envsec_key_1_` b64u(32 bytes) `_` b64u(4 bytes of checksum).
    ///
    /// # Errors
    /// [`CredentialError::RawKey`] for anything else.
    pub fn parse(text: &SecretText) -> Result<Self, CredentialError> {
        let body = text.expose().strip_prefix(Self::PREFIX).and_then(|body| body.split_at_checked(43));
        let (key, check) =
            body.and_then(|(key, rest)| Some((key, rest.strip_prefix('_')?))).ok_or(CredentialError::RawKey)?;
        let bytes = parse_b64u(key).map(zeroize::Zeroizing::new).filter(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or(CredentialError::RawKey)?;
        let key = Key::filled(|out| out.copy_from_slice(&bytes));
        if crypto::equal(check.as_bytes(), checksum(&key).as_bytes()) {
            Ok(RawKey(key))
        } else {
            Err(CredentialError::RawKey)
        }
    }

    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        RawKey(self.0.duplicate())
    }

    /// The text that is shown once and kept in a secret store.
    pub fn to_text(&self) -> SecretText {
        let mut text = SecretText::with_capacity(64);
        text.push_str(Self::PREFIX);
        text.push_str(&zeroize::Zeroizing::new(b64u(self.0.expose())));
        text.push('_');
        text.push_str(&checksum(&self.0));
        text
    }

    /// The key. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &Key {
        &self.0
    }
}

/// Recognises a truncated or mistyped key before it is tried.
fn checksum(key: &Key) -> String {
    b64u(&crypto::sha256(&[b"envsec/1 raw-key\0", key.expose()])[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Result<Password, CredentialError> {
        Password::new(&SecretText::from(text))
    }

    #[test]
    fn spellings_of_one_password_are_one() {
        let (composed, decomposed) = (password("caf\u{e9}").unwrap(), password("cafe\u{301}").unwrap());
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn what_is_no_password() {
        assert_eq!(password("").err(), Some(CredentialError::Empty));
        assert_eq!(password("a\nb").err(), Some(CredentialError::Control));
        assert_eq!(password("a\u{85}b").err(), Some(CredentialError::Control));
    }

    #[test]
    fn new_passwords_are_counted_in_characters_after_normalising() {
        assert_eq!(password("e\u{301}".repeat(11).as_str()).unwrap().check_new(false), Err(CredentialError::Weak(11)));
        assert_eq!(password("e\u{301}".repeat(12).as_str()).unwrap().check_new(false), Ok(()));
        assert_eq!(password("short").unwrap().check_new(true), Ok(()));
        assert_eq!(password("long enough \u{378}").unwrap().check_new(true), Err(CredentialError::Unassigned));
    }

    #[test]
    fn raw_keys_are_recognised_whole() {
        let text = RawKey::generate(&mut crypto::system_rng()).to_text();
        assert!(RawKey::parse(&text).is_ok());
        let shown = text.expose();
        for broken in
            [&shown[..shown.len() - 1], &shown[1..], &shown.replace("_1_", "_2_"), &format!("{shown}x"), "", "é"]
        {
            assert!(RawKey::parse(&SecretText::from(broken)).is_err());
        }
    }
}
