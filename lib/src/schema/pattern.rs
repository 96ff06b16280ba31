//! Regular expressions of ECMA-262, as JSON Schema's `pattern` has them.
//!
//! A pattern is read by the grammar of ECMA-262 (22.2.1) and matched by its semantics (22.2.2), both with the `u` flag:
//! by code points. Beside that grammar stands what people write without the flag: escaped punctuation, a `{`, `}` or `]`
//! that is nothing but itself, and `[\w-.]`. `\p{...}` is refused, since its tables are larger than all the rest.
//!
//! [`parse`] makes a [`tree`], which [`program`] makes a list of instructions, which [`matcher`] runs. That backtracks,
//! as ECMA-262 has it: a pattern such as `(a+)+$` can take more steps than there is time, so they are counted.

mod characters;
mod escape;
mod matcher;
mod parse;
mod program;
mod tree;

use matcher::Matcher;
use parse::Parser;
use program::Program;

/// The most code points of a pattern.
const MAX_LENGTH: usize = 10_000;

/// How deep groups may be nested: parsing and compiling call themselves for each.
const MAX_DEPTH: usize = 50;

/// The most parts that a pattern may have once its counted repetitions are written out.
const MAX_WEIGHT: usize = 20_000;

/// The steps that a match may take on any text, a few nanoseconds each.
const BASIC_STEPS: usize = 4_000_000;

/// The further steps for each byte of the text.
const STEPS_A_BYTE: usize = 32;

/// The most that a match may put aside to try later or to take back: 32 bytes each.
const MAX_FRAMES: usize = 3 << 20;

/// Why a pattern cannot be read, or gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no pattern of ECMA-262.
    #[error("character {at}: {what}")]
    Syntax {
        /// The character of the pattern, from 1.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It is one, but not one that is supported.
    #[error("character {at}: {what} not supported")]
    Unsupported {
        /// The character of the pattern, from 1.
        at: usize,
        /// What it is, with its verb.
        what: &'static str,
    },
    /// It is longer, or repeats more, than its bounds allow.
    #[error("the pattern is too large")]
    TooLarge,
    /// Whether it matches was not found within bounds.
    #[error("the pattern backtracks too much on this text")]
    Limit,
}

type Result<T> = std::result::Result<T, PatternError>;

/// An ECMA-262 regular expression, as JSON Schema's `pattern` has it: unanchored, by code points (as with the u flag).
pub struct Pattern(Program);

impl Pattern {
    /// Reads a pattern and makes it ready to match, in microseconds.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which character of the pattern; [`PatternError::TooLarge`] when it is too long or repeats
    /// too much.
    pub fn parse(source: &str) -> Result<Self> {
        Parser::new(source)?.pattern().map(Pattern)
    }

    /// Whether it matches somewhere in the text.
    ///
    /// # Errors
    ///
    /// [`PatternError::Limit`] when that is not known after as many steps as are allowed for a text of this length.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        Matcher::new(&self.0, text).is_match()
    }
}
