//! What is wrong with an environment, in words without values.

use crate::error::one_line;
use std::fmt;

/// A problem with a variable, or with all of them together. Nothing in it is taken from a value, but its length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The variable.
    pub name: Option<String>,
    /// The keyword, or envsec's own rule, that is not kept.
    pub rule: &'static str,
    /// What was declared, in words.
    pub expected: String,
    /// What is the matter instead.
    pub wrong: String,
    /// Where the rule stands in the declaration: a JSON pointer.
    pub place: String,
}

/// `NAME: what is expected: what is wrong with it`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("all variables");
        f.write_str(&one_line(&format!("{name}: {}: {}", self.expected, self.wrong)))
    }
}
