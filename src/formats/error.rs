//! Why a text is not taken, or a value not given, by a format.

use super::MAX_LINES;
use crate::dotenv::SyntaxError;
use crate::error::{Failure, Status};

/// Why a text was not read. Places and names, never a value.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Everything that is wrong with the text.
    #[error("{}", .errors.iter().map(|error| format!("{source_name}:{error}")).collect::<Vec<_>>().join("\n"))]
    Syntax {
        /// What messages call the text.
        source_name: String,
        /// All errors, by place.
        errors: Vec<SyntaxError>,
    },
    /// Entries that a sealed file cannot hold, or references that lead nowhere.
    #[error("{}", .lines.iter().map(|line| format!("{source_name}:{line}")).collect::<Vec<_>>().join("\n"))]
    Entries {
        /// What messages call the text.
        source_name: String,
        /// `LINE: NAME: what`.
        lines: Vec<String>,
    },
    /// The text as a whole is not acceptable.
    #[error("{source_name}: {problem}")]
    Text {
        /// What messages call the text.
        source_name: String,
        /// Why not.
        problem: Problem,
    },
}

/// Why a text is not acceptable as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// It is a sealed file.
    #[error("this is a sealed file, not plaintext")]
    Sealed,
    /// More lines than a sealed file may have.
    #[error("more than {MAX_LINES} lines, which no sealed file holds")]
    TooManyLines,
    /// dotenvy refused it; its own message would quote the line.
    #[error("dotenvy cannot read this text")]
    Dotenvy,
    /// `--expand` with the dotenvy reader.
    #[error("--dialect dotenvy expands by itself, as the crate does: leave --expand out")]
    ExpandsByItself,
    /// dotenvy would substitute envsec's own credentials.
    #[error("the text names ENVSEC_PASSWORD or ENVSEC_KEY, which dotenvy would replace by envsec's own credential")]
    OwnCredential,
}

impl Failure for ImportError {
    fn status(&self) -> Status {
        match self {
            ImportError::Text { problem: Problem::ExpandsByItself, .. } => Status::Usage,
            _ => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            ImportError::Text { problem: Problem::Sealed, .. } => {
                "read a sealed file with: envsec get -f FILE NAME; or several with: envsec run -f FILE -f FILE".into()
            }
            ImportError::Text { problem: Problem::Dotenvy, .. } => {
                "nothing was imported; without --dialect each error is named with its place".into()
            }
            _ => "nothing was imported".into(),
        })
    }
}
