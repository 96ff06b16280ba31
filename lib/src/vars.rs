//! Variable names, their values, and an ordered map of both: the currency between the modules.

use crate::error::{Failure, Status};
use crate::secret::SecretText;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

/// The longest value, in bytes (`docs/format.md`, limits).
pub const MAX_VALUE: usize = 256 * 1024;

/// The longest name, in bytes.
pub const MAX_NAME: usize = 256;

/// A portable environment variable name: `[A-Za-z_][A-Za-z0-9_]*`, at most 256 bytes (POSIX.1-2024, 8.1, with lower case),
/// and not `__proto__`. A clone shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VarName(Arc<str>);

/// Why a text cannot be a variable's name or value. Never says what the value was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VarError {
    /// Not a portable name. Names are public, so it is shown.
    #[error("{}cannot be a variable's name: letters, digits and _ only, not starting with a digit, at most {MAX_NAME} bytes", shown(.0))]
    Name(String),
    /// What JavaScript readers take for an object's prototype and lose.
    #[error("__proto__ cannot be a variable's name: programs in JavaScript would lose it")]
    Proto,
    /// Not a pattern for names.
    #[error("no pattern for names: letters, digits, _, * and ?")]
    Glob,
    /// Longer than [`MAX_VALUE`].
    #[error("the value is longer than {MAX_VALUE} bytes")]
    TooLong,
    /// An environment variable cannot hold a NUL byte.
    #[error("the value holds a NUL byte, which no environment variable can hold")]
    Nul,
    /// Not UTF-8.
    #[error("the value is not UTF-8 text")]
    NotUtf8,
}

/// What stands in a name's place, if it looks like a name: otherwise it may be a secret that got there by mistake.
fn shown(text: &str) -> String {
    let like_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(like_a_name) { format!("{text:?} ") } else { String::new() }
}

impl Failure for VarError {
    fn status(&self) -> Status {
        match self {
            VarError::Name(_) | VarError::Proto | VarError::Glob => Status::Usage,
            VarError::TooLong | VarError::Nul | VarError::NotUtf8 => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, VarError::Nul | VarError::NotUtf8)
            .then(|| "binary data travels as base64: base64 FILE | envsec set NAME".into())
    }
}

impl VarName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for VarName {
    type Error = VarError;

    fn try_from(text: &str) -> Result<Self, VarError> {
        let bytes = text.as_bytes();
        if text == "__proto__" {
            return Err(VarError::Proto);
        }
        let starts = bytes.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_');
        if starts && bytes.len() <= MAX_NAME && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            Ok(VarName(text.into()))
        } else {
            Err(VarError::Name(text.to_owned()))
        }
    }
}

impl std::str::FromStr for VarName {
    type Err = VarError;

    fn from_str(text: &str) -> Result<Self, VarError> {
        VarName::try_from(text)
    }
}

impl fmt::Display for VarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for VarName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A pattern for names: `*` is any text, `?` any one character, everything else itself.
#[derive(Clone, Debug)]
pub struct Glob(Box<str>);

impl Glob {
    /// Whether the whole name fits the pattern.
    pub fn matches(&self, name: &VarName) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_str().as_bytes());
        let (mut p, mut n, mut star) = (0, 0, None);
        // On a mismatch the last `*` takes one more character: linear in the name for each `*`.
        while n < name.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(&byte) if byte == b'?' || byte == name[n] => (p, n) = (p + 1, n + 1),
                _ => match star {
                    Some((at, taken)) => {
                        star = Some((at, taken + 1));
                        (p, n) = (at + 1, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|&byte| byte == b'*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Glob {
    type Err = VarError;

    fn from_str(text: &str) -> Result<Self, VarError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_*?".contains(&byte);
        if !text.is_empty() && text.bytes().all(allowed) { Ok(Glob(text.into())) } else { Err(VarError::Glob) }
    }
}

/// What an environment variable can hold: UTF-8 without NUL, at most [`MAX_VALUE`] bytes.
pub struct Value(SecretText);

impl Value {
    /// The text. Every caller is counted by `tests/architecture.rs`.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A second copy, asked for by name.
    pub fn duplicate(&self) -> Self {
        Value(self.0.duplicate())
    }
}

impl TryFrom<SecretText> for Value {
    type Error = VarError;

    fn try_from(text: SecretText) -> Result<Self, VarError> {
        if text.len() > MAX_VALUE {
            Err(VarError::TooLong)
        } else if text.expose().contains('\0') {
            Err(VarError::Nul)
        } else {
            Ok(Value(text))
        }
    }
}

/// Names and their values in order; a name stands once.
#[derive(Default)]
pub struct Vars {
    entries: Vec<(VarName, Value)>,
    places: BTreeMap<VarName, usize>,
}

impl Vars {
    /// Adds a name, or gives a name that is there a new value in its old place.
    pub fn insert(&mut self, name: VarName, value: Value) {
        match self.places.entry(name) {
            Entry::Occupied(place) => self.entries[*place.get()].1 = value,
            Entry::Vacant(place) => {
                self.entries.push((place.key().clone(), value));
                place.insert(self.entries.len() - 1);
            }
        }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.places.get(name).map(|&place| &self.entries[place].1)
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&VarName, &Value)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }
}

impl IntoIterator for Vars {
    type Item = (VarName, Value);
    type IntoIter = std::vec::IntoIter<(VarName, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_portable() {
        for good in ["A", "_", "a1_B", &"x".repeat(256)] {
            assert!(VarName::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", "__proto__", "1A", "A-B", "A.B", "é", "A B", "A=B", &"x".repeat(257)] {
            assert!(VarName::try_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        let matches = |glob: &str, name: &str| glob.parse::<Glob>().unwrap().matches(&name.parse().unwrap());
        for (glob, name) in
            [("*", "A"), ("A*", "A"), ("A*C", "ABBC"), ("*_KEY", "API_KEY_KEY"), ("A?C", "ABC"), ("**", "A")]
        {
            assert!(matches(glob, name), "{glob} {name}");
        }
        for (glob, name) in [("A", "AB"), ("a*", "A"), ("A?", "A"), ("*_KEY", "API_KEYS"), ("?", "AB")] {
            assert!(!matches(glob, name), "{glob} {name}");
        }
        assert!("A-*".parse::<Glob>().is_err());
    }

    #[test]
    fn values_are_what_an_environment_can_hold() {
        assert!(Value::try_from(SecretText::from("x".repeat(MAX_VALUE))).is_ok());
        assert_eq!(Value::try_from(SecretText::from("x".repeat(MAX_VALUE + 1))).err(), Some(VarError::TooLong));
        assert_eq!(Value::try_from(SecretText::from("a\0b")).err(), Some(VarError::Nul));
    }
}
