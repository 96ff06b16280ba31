//! What a failure must be able to say: what happened and where, with which exit status, and what to do next.
//!
//! Every module has its own small error enum and implements [`Failure`] for it where the enum is defined; this module
//! knows none of them. [`Error`] carries any of them to `main`. It is used instead of a catch-all error type so that a
//! failure without a status cannot be built: `?` only converts what implements [`Failure`].

use std::fmt;
use std::path::Path;

/// The documented exit statuses (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Any failure that has no status of its own.
    Other = 1,
    /// A wrong command line, or the thing named is not there (file, name).
    Usage = 2,
    /// The values are not as the schema declares them.
    Invalid = 3,
    /// No credential, or one that opens nothing.
    Credential = 4,
    /// Not authentic, malformed, or written by a newer envsec.
    NotAuthentic = 5,
    /// Somebody else changed the file meanwhile.
    Conflict = 6,
    /// A service did not do what it was asked for: a hook failed.
    Provider = 7,
    /// What was looked for was found: something is due.
    Found = 8,
    /// `run` failed before the command was started.
    RunFailed = 125,
    /// `run`: the command was found but cannot be executed.
    NotExecutable = 126,
    /// `run`: the command was not found.
    CommandNotFound = 127,
}

impl Status {
    /// The number that the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// A few words for messages that mention the status.
    pub fn meaning(self) -> &'static str {
        match self {
            Status::Other => "failure",
            Status::Usage => "usage, or nothing there",
            Status::Invalid => "validation failed",
            Status::Credential => "no credential, or a wrong one",
            Status::NotAuthentic => "not authentic, malformed, or from a newer envsec",
            Status::Conflict => "conflict",
            Status::Provider => "a service or its hook failed",
            Status::Found => "found, or due",
            Status::RunFailed => "nothing was started",
            Status::NotExecutable => "not executable",
            Status::CommandNotFound => "command not found",
        }
    }
}

/// A path in a message: on one line, whatever characters a stranger put into a file's name.
pub fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

/// A text of a file in a message: on one line, whatever characters a stranger put into it.
pub fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_unicode().collect() } else { vec![c] }).collect()
}

/// A failure that a person will read: its `Display` is one or two lines and never holds a value.
pub trait Failure: std::error::Error {
    /// The exit status this failure ends the program with.
    fn status(&self) -> Status;

    /// What to do next, if there is something to do.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any [`Failure`], on its way to `main`.
pub struct Error(Box<dyn Failure>);

/// The result of everything that can fail in more than one module's way.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The exit status to end with.
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// What to do next, if there is something to do.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl<F: Failure + 'static> From<F> for Error {
    fn from(failure: F) -> Self {
        Error(Box::new(failure))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// `fn main() -> Result` and `Result::unwrap` in tests need it; it says what Display says.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
