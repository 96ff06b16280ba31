//! Why a text is not taken, or a value not given, by a format.

use super::{Incoming, MAX_LINES};
use crate::dotenv::{MAX_ERRORS, SyntaxError};
use crate::error::{Failure, Status};
use crate::vars::VarName;
use std::fmt::Display;

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
    /// UTF-16, told by its byte order mark.
    #[error("this is UTF-16 (PowerShell's > writes it); save it as UTF-8")]
    Utf16,
    /// What a blob was decrypted to is no text.
    #[error("its content is not UTF-8 text")]
    NotUtf8,
    /// A seed blob that is no base64.
    #[error("not base64, which a seed blob is")]
    NoBlob,
    /// A seed blob that cannot be one.
    #[error("too short for a seed blob")]
    ShortBlob,
    /// No password opens the seed blob.
    #[error("the blob does not open: a wrong password, or it was changed")]
    BlobClosed,
    /// scrypt's memory cannot be had.
    #[error("opening the blob takes 16 MiB of memory, and the system does not give it")]
    NoMemory,
}

impl Failure for ImportError {
    fn status(&self) -> Status {
        match self {
            ImportError::Text { problem: Problem::ExpandsByItself, .. } => Status::Usage,
            ImportError::Text { problem: Problem::BlobClosed, .. } => Status::Credential,
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
            ImportError::Text { problem: Problem::BlobClosed, .. } => {
                "nothing was imported; a blob with a password of its own: --blob-password-file FILE".into()
            }
            _ => "nothing was imported".into(),
        })
    }
}

/// What is wrong with a text, collected by place.
pub(super) struct Complaints {
    source_name: String,
    lines: Vec<String>,
}

impl Complaints {
    pub(super) fn new(source_name: &str) -> Self {
        Complaints { source_name: source_name.to_owned(), lines: Vec::new() }
    }

    /// Notes what is wrong at a place; never with a value.
    pub(super) fn add(&mut self, place: impl Display, what: impl Display) {
        self.lines.push(format!("{place}: {what}"));
    }

    /// Whether there are so many that reading on would only cost time.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= MAX_ERRORS
    }

    /// What was read, if there is no complaint.
    pub(super) fn or(self, incoming: Incoming) -> Result<Incoming, ImportError> {
        if self.lines.is_empty() {
            return Ok(incoming);
        }
        Err(ImportError::Entries { source_name: self.source_name, lines: self.lines })
    }
}

/// Variables that a format cannot carry exactly.
#[derive(Debug, thiserror::Error)]
#[error("{}", .names.iter().map(|(name, why)| format!("{format} cannot carry {name}: {why}")).collect::<Vec<_>>().join("\n"))]
pub struct NotCarried {
    /// The format's name.
    pub format: &'static str,
    /// All of them, each with the reason.
    pub names: Vec<(VarName, &'static str)>,
}

impl Failure for NotCarried {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was exported; leave them out with --except, or take another format".into())
    }
}
