//! Why a declaration cannot be used.

use crate::error::{Failure, Status, one_line};

/// What is wrong with `env.schema.json` itself. Nothing is validated then, and nothing passed over.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
        /// The parser's words.
        what: String,
    },
    /// A rule that envsec cannot keep, or that is none.
    #[error("{}: {}", one_line(if .pointer.is_empty() { "/" } else { .pointer }), one_line(.what))]
    Rule {
        /// Where it stands (RFC 6901).
        pointer: String,
        /// What is wrong with it.
        what: String,
    },
    /// More than [`super::MAX_SCHEMA`] bytes.
    #[error("larger than 1 MiB")]
    TooLarge,
    /// References that multiply.
    #[error("takes more than a million steps to check, or is nested too deeply")]
    TooComplex,
}

impl Failure for SchemaError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            SchemaError::Rule { .. } => Some("docs/schema.md has the keywords; nothing was checked".into()),
            SchemaError::Syntax { .. } | SchemaError::TooLarge | SchemaError::TooComplex => None,
        }
    }
}

impl SchemaError {
    pub(super) fn rule(pointer: &str, what: impl Into<String>) -> Self {
        SchemaError::Rule { pointer: pointer.to_owned(), what: what.into() }
    }
}
