//! Regular expressions of ECMA-262, as JSON Schema's `pattern` has them.
//!
//! A pattern is read by the grammar of ECMA-262 and written again in the syntax of the engine, which shares no more
//! than its looks: classes become lists of code points, escapes and names disappear. So nothing that only the engine
//! knows can be said, and nothing is taken for something else. Beside the grammar of the `u` flag stands what people
//! write without it: escaped punctuation, a `{`, `}` or `]` that is nothing but itself, and `[\w-.]`.
//!
//! What the engine would answer differently is refused: references to groups that an earlier round of a loop may have
//! filled, references out of and into a lookbehind, and repeating what takes no characters.

mod characters;
mod escape;
mod parse;
mod piece;

use parse::Parser;
use std::cell::OnceCell;

/// The most code points of a pattern.
const MAX_LENGTH: usize = 10_000;

/// How deep groups may be nested; the engine's own bound is 64.
const MAX_DEPTH: usize = 50;

/// The most characters that a pattern may describe once its counted repetitions are written out.
const MAX_WEIGHT: usize = 20_000;

/// Steps back that a match may take.
const BACKTRACK_LIMIT: usize = 50_000;

/// The most bytes of a text that a pattern with lookarounds or references is tried on. Each step may look through the
/// whole text, which the engine does not count: both bounds together keep the worst pattern at a second or two.
const MAX_BACKTRACKED_TEXT: usize = 8 << 10;

/// Bytes of each automaton.
const AUTOMATON_LIMIT: usize = 8 << 20;

/// Instructions of the program that runs what no automaton can.
const PROGRAM_LIMIT: usize = 100_000;

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
    /// It cannot be compiled within bounds.
    #[error("the pattern is too large")]
    TooLarge,
    /// Whether it matches was not found within bounds.
    #[error("the pattern backtracks too much on this text")]
    Limit,
}

type Result<T> = std::result::Result<T, PatternError>;

/// An ECMA-262 regular expression, as JSON Schema's `pattern` has it: unanchored, by code points (as with the u flag).
pub struct Pattern {
    source: String,
    translated: String,
    /// No automaton can run it alone.
    backtracks: bool,
    compiled: OnceCell<Result<fancy_regex::Regex>>,
}

impl Pattern {
    /// Parses and translates; cheap, nothing is compiled yet.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which character of the pattern; [`PatternError::TooLarge`] when it is too long or repeats
    /// too much.
    pub fn parse(source: &str) -> Result<Self> {
        let mut parser = Parser::new(source)?;
        let translated = parser.pattern()?;
        Ok(Self { source: source.to_owned(), translated, backtracks: parser.backtracks, compiled: OnceCell::new() })
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches somewhere in the text. Compiles at the first call.
    ///
    /// # Errors
    ///
    /// [`PatternError::Limit`] when backtracking reaches its bound or the text is too long for it,
    /// [`PatternError::TooLarge`] when the pattern cannot be compiled.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        let compiled = self.compiled()?;
        if self.backtracks && text.len() > MAX_BACKTRACKED_TEXT {
            return Err(PatternError::Limit);
        }
        compiled.is_match(text).map_err(|_| PatternError::Limit)
    }

    /// Compiles without a text.
    ///
    /// # Errors
    ///
    /// [`PatternError::TooLarge`].
    pub fn compile(&self) -> Result<()> {
        self.compiled().map(|_| ())
    }

    fn compiled(&self) -> Result<&fancy_regex::Regex> {
        let build = || {
            fancy_regex::RegexBuilder::new(&self.translated)
                .backtrack_limit(BACKTRACK_LIMIT)
                .delegate_size_limit(AUTOMATON_LIMIT)
                .max_prog_size(PROGRAM_LIMIT)
                .build()
                .map_err(|_| PatternError::TooLarge)
        };
        self.compiled.get_or_init(build).as_ref().map_err(|error| *error)
    }
}
