//! Secret bytes and text: wiped when dropped, handed out only through `expose()`.
//!
//! None of these types can be printed, serialised, compared with `==` or copied by accident:
//!
//! ```compile_fail
//! let secret = envsec::secret::SecretText::from("hunter2");
//! println!("{secret}");
//! ```
//! ```compile_fail
//! let secret = envsec::secret::SecretText::from("hunter2");
//! println!("{secret:?}");
//! ```
//! ```compile_fail
//! let secret = envsec::secret::SecretText::from("hunter2");
//! let copy = secret.clone();
//! ```
//! ```compile_fail
//! let (a, b) = (envsec::secret::Secret::from(&b"a"[..]), envsec::secret::Secret::from(&b"a"[..]));
//! assert!(a == b);
//! ```
//! ```compile_fail
//! let key = envsec::secret::Key::from([0; 32]);
//! println!("{key:?}");
//! ```
//! ```compile_fail
//! let key = envsec::secret::Key::from([0; 32]);
//! serde_json::to_string(&key);
//! ```
//!
//! Buffers that grow would leave copies behind, so [`Secret::extend`] and [`SecretText::push_str`] move to a larger
//! buffer themselves and wipe the old one.

use zeroize::Zeroizing;

/// Secret bytes of any length.
#[derive(Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Secret UTF-8 text of any length.
#[derive(Default)]
pub struct SecretText(Zeroizing<String>);

/// A 256-bit key.
pub struct Key(Zeroizing<[u8; 32]>);

impl Secret {
    /// An empty buffer that takes `capacity` bytes without moving.
    pub fn with_capacity(capacity: usize) -> Self {
        Secret(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    /// The bytes. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be worked on in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends bytes; a buffer that is too small is replaced by one twice the size and wiped.
    pub fn extend(&mut self, more: &[u8]) {
        let needed = self.0.len() + more.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(more);
    }

    /// Drops all bytes from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The same bytes as text.
    ///
    /// # Errors
    /// The number of leading bytes that are valid, when the whole is not UTF-8.
    pub fn into_text(mut self) -> Result<SecretText, usize> {
        String::from_utf8(std::mem::take(&mut *self.0)).map(|text| SecretText(Zeroizing::new(text))).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            drop(Secret::from(error.into_bytes()));
            valid
        })
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Secret(Zeroizing::new(bytes))
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Secret(Zeroizing::new(bytes.to_vec()))
    }
}

impl SecretText {
    /// An empty text that takes `capacity` bytes without moving.
    pub fn with_capacity(capacity: usize) -> Self {
        SecretText(Zeroizing::new(String::with_capacity(capacity)))
    }

    /// The text. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no character.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends text; a buffer that is too small is replaced by one twice the size and wiped.
    pub fn push_str(&mut self, more: &str) {
        let needed = self.0.len() + more.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(2 * self.0.capacity())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(more);
    }

    /// Appends one character, as [`SecretText::push_str`] does.
    pub fn push(&mut self, more: char) {
        self.push_str(more.encode_utf8(&mut [0; 4]));
    }

    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        SecretText::from(self.expose())
    }

    /// The same text as bytes.
    pub fn into_bytes(mut self) -> Secret {
        Secret::from(std::mem::take(&mut *self.0).into_bytes())
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        SecretText(Zeroizing::new(text))
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        SecretText(Zeroizing::new(text.to_owned()))
    }
}

impl Key {
    /// The 32 bytes. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key that `fill` writes in place, so that no copy stays on the stack.
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Key(Zeroizing::new([0; 32]));
        fill(&mut key.0);
        key
    }

    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        Key::filled(|bytes| bytes.copy_from_slice(self.expose()))
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Self {
        Key(Zeroizing::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_what_was_there() {
        let mut text = SecretText::with_capacity(2);
        for _ in 0..100 {
            text.push_str("añ");
            text.push('𝄞');
        }
        assert_eq!(text.expose(), "añ𝄞".repeat(100));
        let mut bytes = Secret::default();
        (0..=255_u8).for_each(|byte| bytes.extend(&[byte]));
        assert_eq!(bytes.expose(), (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn text_that_is_not_utf8_says_how_far_it_was() {
        assert_eq!(Secret::from(&b"caf\xe9"[..]).into_text().err(), Some(3));
        assert_eq!(Secret::from("café".as_bytes()).into_text().map(|text| text.len()).ok(), Some(5));
    }
}
