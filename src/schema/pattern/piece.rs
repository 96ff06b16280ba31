//! What the translation is put together from.

use super::characters::{Range, class_text};
use super::{MAX_WEIGHT, PatternError, Result};

/// A translated part of the pattern.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) text: String,
    /// It may match the empty text.
    pub(super) nullable: bool,
    /// It may take characters.
    pub(super) consumes: bool,
    /// Its characters with counted repetitions written out.
    pub(super) weight: usize,
}

impl Piece {
    /// What takes one character.
    pub(super) fn one(text: String) -> Self {
        Piece { text, nullable: false, consumes: true, weight: 1 }
    }

    /// A character that stands for itself.
    pub(super) fn literal(character: char) -> Self {
        let itself = character.is_ascii_alphanumeric() || !character.is_ascii();
        Piece::one(if itself { character.to_string() } else { format!(r"\x{{{:x}}}", u32::from(character)) })
    }

    /// What looks and takes nothing.
    pub(super) fn look(text: impl Into<String>, weight: usize) -> Self {
        Piece { text: text.into(), nullable: true, consumes: false, weight }
    }

    pub(super) fn set(set: &[Range]) -> Self {
        Piece::one(class_text(set))
    }

    pub(super) fn wrapped(self, open: &str) -> Self {
        Piece { text: format!("{open}{})", self.text), ..self }
    }

    pub(super) fn followed_by(mut self, next: &Piece) -> Self {
        self.text.push_str(&next.text);
        self.nullable &= next.nullable;
        self.joined(next)
    }

    pub(super) fn or(mut self, other: &Piece) -> Self {
        self.text.push('|');
        self.text.push_str(&other.text);
        self.nullable |= other.nullable;
        self.joined(other)
    }

    pub(super) fn joined(mut self, other: &Piece) -> Self {
        self.consumes |= other.consumes;
        self.weight = self.weight.saturating_add(other.weight);
        self
    }

    pub(super) fn repeated(self, times: Times, lazy: bool) -> Result<Self> {
        let Times { least, most } = times;
        let weight = self.weight.saturating_mul(most.unwrap_or(least).max(1));
        if weight > MAX_WEIGHT {
            return Err(PatternError::TooLarge);
        }
        let most = most.map_or(String::new(), |most| most.to_string());
        let text = format!("{}{{{least},{most}}}{}", self.text, if lazy { "?" } else { "" });
        Ok(Piece { text, nullable: self.nullable || least == 0, weight, ..self })
    }
}

/// How often a part is repeated.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
}
