//! What can be wrong with a sealed file. A message names the line and at most a name, never a value.

use super::header::{Header, SlotId};
use super::rotation::{IS_PLAIN, NOT_THERE};
use super::slot;
use crate::crypto::CryptoError;
use crate::dotenv::SyntaxError;
use crate::error::{Failure, Status};
use crate::vars::VarName;

/// Why a sealed file cannot be read, opened or written.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The first line is not a magic line of any version.
    #[error("this is not a sealed env file: it does not start with #envsec:")]
    NotSealed,
    /// A version or suite that this program does not know.
    #[error("written by a newer envsec: {0} is not known here")]
    Newer(String),
    /// A line breaks the grammar.
    #[error("{line}: {what}")]
    Malformed {
        /// 1-based.
        line: usize,
        /// What is wrong, without any text of the line but a name.
        what: String,
    },
    /// An entry is not dotenv syntax.
    #[error("{}", .0.brief())]
    Syntax(SyntaxError),
    /// The text as a whole is not acceptable.
    #[error("{0}")]
    Text(&'static str),
    /// git left its conflict markers in the file.
    #[error("{line}: a git conflict marker: the file has an unresolved merge conflict")]
    Conflict {
        /// 1-based.
        line: usize,
    },
    /// More of something than the format allows.
    #[error("the file has more than {limit} {what}")]
    TooMany {
        /// The limit, in units of `what`.
        limit: usize,
        /// What there is too much of.
        what: &'static str,
    },
    /// More of something than the format allows, if it were written.
    #[error("the file would have more than {limit} {what}, which no reader takes; nothing was written")]
    WouldExceed {
        /// The limit, in units of `what`.
        limit: usize,
        /// What there would be too much of.
        what: &'static str,
    },
    /// The scrypt slots together ask for more work than the reader allows.
    #[error("the password slots ask for more scrypt work than is allowed: {0}")]
    WorkFactor(String),
    /// `--slot` names no slot of this file.
    #[error("there is no slot {wanted}: the file has {present}")]
    NoSuchSlot {
        /// The id asked for.
        wanted: String,
        /// Ids and types of the file's slots.
        present: String,
    },
    /// A new slot with the id of another.
    #[error("there is a slot {} already", .0.as_str())]
    SlotExists(SlotId),
    /// Nobody could open the file any more.
    #[error("it is the last slot that a password or a key opens")]
    LastSlot,
    /// Somebody else changed the slots since they were read.
    #[error("somebody changed the slots meanwhile")]
    SlotsChanged,
    /// Header lines that might hold the old data key.
    #[error("the header has lines that this envsec does not know: {}", .0.join(", "))]
    UnknownLines(Vec<String>),
    /// No credential was given that fits any slot's type.
    #[error("no credential that fits a slot: the file has {0}")]
    NoFittingSlot(String),
    /// No slot opened: a wrong password or key, a damaged wrap, or a data key that `key=` does not name.
    #[error("no slot opens with this password or key")]
    WrongCredential,
    /// The seal does not match: something was changed without a key.
    #[error("the seal does not match: the file was changed by somebody without a key")]
    Seal,
    /// A value does not decrypt, although the seal is right.
    #[error("{name}: the value {what}")]
    Value {
        /// The entry.
        name: VarName,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file was given a new data key, or is another file, since it was read.
    #[error("somebody gave the file a new data key meanwhile")]
    Rekeyed,
    /// The text is another one than the one that was read.
    #[error("somebody changed the file meanwhile")]
    ChangedMeanwhile,
    /// An older revision than the one that was read is in its place now.
    #[error("somebody put an older revision in its place meanwhile")]
    RolledBack,
    /// A change that a rotation in progress forbids.
    #[error("{name}: {state}")]
    Rotating {
        /// The entry.
        name: VarName,
        /// What is in progress.
        state: Unfinished,
    },
    /// A step of a rotation that this name cannot take.
    #[error("{name}: {what}")]
    NotRotatable {
        /// The entry.
        name: VarName,
        /// What is wrong.
        what: &'static str,
    },
    /// The value that a step was about is not in the file any more.
    #[error("{0}: somebody else went on with its rotation meanwhile")]
    RotatedMeanwhile(VarName),
    /// The writer's own check of what it was about to write failed.
    #[error("internal check failed, nothing was written: the new file does not read back: {0}")]
    SelfCheck(String),
    /// A primitive refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// How far a rotation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfinished {
    /// A new value waits to be taken into use.
    #[error("a rotation of it is pending: its new value waits in the file")]
    Pending,
    /// The old value is still handed out.
    #[error("its old value of the last rotation is still handed out")]
    Grace,
}

impl SealedError {
    /// A name that the file does not have.
    pub fn not_there(name: &VarName) -> Self {
        SealedError::NotRotatable { name: name.clone(), what: NOT_THERE }
    }

    /// A change of a value whose next one waits.
    pub(super) fn pending(name: &VarName) -> Self {
        SealedError::Rotating { name: name.clone(), state: Unfinished::Pending }
    }

    /// An id that no slot of this header has.
    pub(super) fn no_such_slot(id: &SlotId, header: &Header) -> Self {
        SealedError::NoSuchSlot { wanted: id.as_str().into(), present: slot::describe(header) }
    }

    /// A grammar error on a line.
    pub(crate) fn malformed(line: usize, what: impl Into<String>) -> Self {
        SealedError::Malformed { line, what: what.into() }
    }

    /// Whether the message begins with a line number, to be put right after the file's path.
    pub fn starts_with_line(&self) -> bool {
        matches!(self, SealedError::Malformed { .. } | SealedError::Syntax(_) | SealedError::Conflict { .. })
    }
}

impl Failure for SealedError {
    fn status(&self) -> Status {
        match self {
            SealedError::NoSuchSlot { .. } | SealedError::SlotExists(_) | SealedError::NotRotatable { .. } => {
                Status::Usage
            }
            SealedError::NoFittingSlot(_) | SealedError::WrongCredential => Status::Credential,
            SealedError::Rekeyed
            | SealedError::RolledBack
            | SealedError::ChangedMeanwhile
            | SealedError::SlotsChanged
            | SealedError::Rotating { .. }
            | SealedError::RotatedMeanwhile(_) => Status::Conflict,
            SealedError::SelfCheck(_)
            | SealedError::WouldExceed { .. }
            | SealedError::LastSlot
            | SealedError::UnknownLines(_) => Status::Other,
            SealedError::Crypto(error) => error.status(),
            _ => Status::NotAuthentic,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SealedError::NotSealed => "make one with: envsec init; bring a plaintext file in with: envsec import FILE",
            SealedError::Newer(_) => "update envsec",
            SealedError::Malformed { .. } | SealedError::Syntax(_) => {
                "edited by hand? git diff --no-textconv FILE shows what was changed, git checkout FILE brings the last version back"
            }
            SealedError::WouldExceed { what: "bytes in a line", .. } => {
                "a plain value may be the cause: store it as a secret (--secret)"
            }
            SealedError::WouldExceed { what, .. } if what.ends_with("slots") => {
                "remove one first: envsec slot remove ID"
            }
            SealedError::WouldExceed { .. } => "split it into several files: envsec run -f ONE -f TWO",
            SealedError::Conflict { .. } => {
                "keep one of the two lines of each name, remove the markers, then: envsec seal; git checkout -m FILE starts again"
            }
            SealedError::WorkFactor(_) => {
                "if you trust the file: --max-work-factor 22, or --slot ID to try one slot only"
            }
            SealedError::WrongCredential => "check the password or key, and that it belongs to this file",
            SealedError::NoFittingSlot(_) => {
                "a scrypt slot takes a password (ENVSEC_PASSWORD, --password-file), a raw slot a key (ENVSEC_KEY, --key-file)"
            }
            SealedError::Seal => {
                "do not use its values; envsec seal names what was changed and asks, git checkout REV -- FILE brings a good version back"
            }
            SealedError::Rekeyed
            | SealedError::RolledBack
            | SealedError::ChangedMeanwhile
            | SealedError::SlotsChanged => "run the command again",
            SealedError::SlotExists(_) => "choose another one with --id; envsec slot list shows them",
            SealedError::LastSlot => "add another one first: envsec slot add",
            SealedError::UnknownLines(_) => {
                "update envsec; or leave them out, if you know what they are: --drop-line KIND"
            }
            SealedError::NotRotatable { what: NOT_THERE, .. } => "envsec list shows the names",
            SealedError::NotRotatable { name, what: IS_PLAIN } => {
                return Some(format!("store it encrypted: envsec set --secret {name}"));
            }
            SealedError::Rotating { name, state: Unfinished::Pending } => {
                return Some(format!("envsec rotate {name} --resume goes on with it, --abort goes back"));
            }
            SealedError::Rotating { name, state: Unfinished::Grace } => {
                return Some(format!("once no program uses the old value any more: envsec rotate {name} --finish"));
            }
            SealedError::RotatedMeanwhile(name) => {
                return Some(format!("envsec status {name} shows how far it is; its service may have another value"));
            }
            SealedError::Crypto(error) => return error.hint(),
            _ => return None,
        };
        Some(hint.into())
    }
}
