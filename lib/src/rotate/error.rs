//! Why a rotation does not begin, or stopped.

use super::hooks::Step;
use crate::child::HookError;
use crate::error::{Error, Failure, Status};
use crate::sealed::Utc;
use crate::vars::VarName;
use std::fmt;

/// Why a rotation does not begin, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// A command failed.
    #[error("{name}: the command of the step {} failed: {source}", .step.name())]
    Hook {
        /// What is rotated.
        name: VarName,
        /// At which step.
        step: Step,
        /// How.
        source: HookError,
    },
    /// A time in the file is later than the clock's.
    #[error("the file speaks of a change at {latest}, and the clock says {now}: one of the two is wrong")]
    Clock {
        /// The latest time in the file.
        latest: Utc,
        /// The clock's.
        now: Utc,
    },
    /// Another rotation of the name, or a command that it left behind, does not end.
    #[error("{0}: a command of another rotation of it is still at work")]
    Busy(VarName),
    /// The name of the old value is taken, or too long.
    #[error("{0}: its old value could not be handed out: {0}_PREVIOUS is a variable of its own, or too long a name")]
    PreviousName(VarName),
    /// `--pair`, but another user is in use.
    #[error("{0}: holds neither of the two users")]
    OtherUser(VarName),
    /// Several names change together, and not all were named.
    #[error("{name}: its rotation was begun together with {}'s", .missing.iter().map(VarName::as_str).collect::<Vec<_>>().join(", "))]
    Partial {
        /// What was named.
        name: VarName,
        /// What was not.
        missing: Vec<VarName>,
    },
}

impl Failure for RotateError {
    fn status(&self) -> Status {
        match self {
            RotateError::Hook { source: HookError::Interrupted, .. } | RotateError::Clock { .. } => Status::Other,
            RotateError::Busy(_) => Status::Conflict,
            RotateError::Hook { .. } => Status::Provider,
            RotateError::PreviousName(_) | RotateError::OtherUser(_) | RotateError::Partial { .. } => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            RotateError::Hook { .. } => return None,
            RotateError::Busy(_) => {
                "it has the value that it was started with: let it end, or end it; then try again".into()
            }
            RotateError::Clock { .. } => {
                "a wrong clock ends times of grace too early or too late: set it right; or --clock-is-right".into()
            }
            RotateError::PreviousName(name) => format!("rename that variable, or rotate {name} with --no-grace"),
            RotateError::OtherUser(_) => "--pair NAME=USER,USER names both users, one of which is in use".into(),
            // The file does not say which of them holds the user.
            RotateError::Partial { .. } => {
                "name the one that holds the secret, and give --pair NAME=USER,USER again with the other".into()
            }
        })
    }
}

/// How far a rotation was when it stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The new value waits in the file.
    Pending,
    /// Somebody else dropped the new value meanwhile, or took it into use.
    Gone,
    /// The new value is in use, the old one is still kept.
    InUse,
    /// The next rotation is not begun, as the old value of the last one is still kept.
    LeftOver,
}

/// A failure in the midst of a rotation, and how to get out of it.
#[derive(Debug)]
struct Unfinished {
    name: VarName,
    stage: Stage,
    source: Error,
}

/// Puts the way out behind a failure.
pub(super) fn unfinished(name: &VarName, stage: Stage) -> impl Fn(Error) -> Error {
    move |source| Unfinished { name: name.clone(), stage, source }.into()
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for Unfinished {}

impl Failure for Unfinished {
    fn status(&self) -> Status {
        self.source.status()
    }

    fn hint(&self) -> Option<String> {
        let name = &self.name;
        Some(match self.stage {
            Stage::Pending => format!(
                "the new value waits in the file: envsec rotate {name} --resume goes on with it, --abort goes back"
            ),
            Stage::Gone => {
                format!("envsec status {name} shows how far it is; its service may have another value")
            }
            Stage::InUse => format!("the new value is in use; envsec rotate {name} --finish tries this step again"),
            Stage::LeftOver => {
                format!(
                    "the value is as it was; envsec rotate {name} --finish ends its last rotation, whose step this is"
                )
            }
        })
    }
}
