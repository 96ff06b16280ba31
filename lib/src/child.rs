//! The child process: its environment, and replacing this process by it.

mod editor;
mod hook;
mod signals;
mod start;

pub use editor::{Editor, EditorError};
pub use hook::{Hook, HookError, was_interrupted};
pub use signals::Interrupts;
pub use start::start;

use crate::error::{Failure, Status};
use crate::vars::{VarName, Vars};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The longest `NAME=VALUE` that Linux hands over at execve: MAX_ARG_STRLEN, 32 pages, with its final NUL.
const MAX_ENTRY: usize = 131_072;

/// Which value a name gets that both the process and the file have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precedence {
    /// The process's, unless it is empty: what users of dotenv expect.
    Process,
    /// The file's.
    File,
}

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// One variable is longer than the system takes.
    #[error("{name}: NAME=VALUE has {length} bytes, and the system takes at most {} in one variable", MAX_ENTRY - 1)]
    TooLong {
        /// The variable.
        name: VarName,
        /// Bytes of `NAME=VALUE`.
        length: usize,
    },
    /// Arguments and environment together are more than the system takes.
    #[error(
        "{command}: its arguments and environment have more than the system takes: the environment has {bytes} bytes"
    )]
    TooMuch {
        /// The command's name.
        command: String,
        /// Bytes of all `NAME=VALUE`.
        bytes: usize,
    },
    /// The file holds what no child may get.
    #[error("{}: names that begin with ENVSEC_PASSWORD or ENVSEC_KEY are envsec's own, and no child gets them", .0.iter().map(VarName::as_str).collect::<Vec<_>>().join(", "))]
    Withheld(Vec<VarName>),
    /// No such command.
    #[error("{0}: command not found")]
    NotFound(String),
    /// A script whose `#!` line names no program, or a binary without its loader.
    #[error("{0}: its interpreter is not found (the #! line?)")]
    NoInterpreter(String),
    /// The system would not execute it.
    #[error("{command}: cannot be executed: {source}")]
    NotExecutable {
        /// The command's name.
        command: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Failure for ChildError {
    fn status(&self) -> Status {
        match self {
            ChildError::TooLong { .. } | ChildError::TooMuch { .. } => Status::Other,
            ChildError::Withheld(_) => Status::Usage,
            ChildError::NotFound(_) | ChildError::NoInterpreter(_) => Status::CommandNotFound,
            ChildError::NotExecutable { .. } => Status::NotExecutable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ChildError::TooLong { .. } => Some("leave it out with --except NAME, and hand it over as a file".into()),
            ChildError::TooMuch { .. } => Some("hand over less: --only GLOB, --except GLOB".into()),
            ChildError::Withheld(_) => Some("choose another name".into()),
            ChildError::NotFound(_) | ChildError::NoInterpreter(_) | ChildError::NotExecutable { .. } => None,
        }
    }
}

/// What the names of the variables begin with that hold envsec's own credentials.
pub const CREDENTIALS: [&str; 2] = ["ENVSEC_PASSWORD", "ENVSEC_KEY"];

/// Whether a variable holds a credential of envsec's own, which no child gets.
pub fn is_withheld(name: &OsStr) -> bool {
    CREDENTIALS.iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
}

/// Refuses a name that no child gets, before it comes into a sealed file.
///
/// # Errors
/// [`ChildError::Withheld`].
pub fn check_name(name: &VarName) -> Result<(), ChildError> {
    check_names(std::iter::once(name))
}

/// Refuses names that no child gets: all of them at once, before they come into a sealed file or out of one.
///
/// # Errors
/// [`ChildError::Withheld`].
pub fn check_names<'a>(names: impl Iterator<Item = &'a VarName>) -> Result<(), ChildError> {
    let withheld: Vec<VarName> = names.filter(|name| is_withheld(OsStr::new(name.as_str()))).cloned().collect();
    if withheld.is_empty() { Ok(()) } else { Err(ChildError::Withheld(withheld)) }
}

/// A command to be run beside this process, with neither its credentials nor its standard input.
pub fn helper(program: &str) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command.stdin(std::process::Stdio::null());
    std::env::vars_os().map(|(name, _)| name).filter(|name| is_withheld(name)).for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// The environment of the child: what this process inherited and what the file holds, without envsec's credentials.
///
/// # Errors
/// [`ChildError::TooLong`], [`ChildError::Withheld`].
pub fn environment(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    vars: Vars,
    precedence: Precedence,
) -> Result<Vec<(OsString, OsString)>, ChildError> {
    check_names(vars.iter().map(|(name, _)| name))?;
    for (name, value) in vars.iter() {
        let length = name.as_str().len() + 1 + value.expose().len();
        if length >= MAX_ENTRY && cfg!(target_os = "linux") {
            return Err(ChildError::TooLong { name: name.clone(), length });
        }
    }
    let from_file = |name: &OsStr| name.to_str().is_some_and(|name| vars.get(name).is_some());
    let process_wins = |value: &OsStr| precedence == Precedence::Process && !value.is_empty();
    let mut seen = BTreeSet::new();
    let mut block = Vec::new();
    for (name, value) in inherited {
        // Of a name that stands twice the first counts, as it does for getenv.
        let stays = !is_withheld(&name) && (process_wins(&value) || !from_file(&name));
        if stays && seen.insert(name.clone()) {
            block.push((name, value));
        }
    }
    let added = vars.iter().filter(|(name, _)| !seen.contains(OsStr::new(name.as_str())));
    block.extend(added.map(|(name, value)| (name.as_str().into(), value.expose().into())));
    Ok(block)
}

/// Replaces this process by the command (execve; looked up in the PATH of `environment`, as `env` does). Returns only
/// when that failed.
#[cfg(unix)]
pub fn replace_process(command: &OsStr, args: &[OsString], environment: Vec<(OsString, OsString)>) -> ChildError {
    use std::os::unix::process::CommandExt as _;
    let bytes = environment.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut child = std::process::Command::new(command);
    child.args(args).env_clear().envs(environment);
    broken_pipes::leave_as_inherited(&mut child);
    let source = child.exec();
    let command = command.to_string_lossy().into_owned();
    match source.kind() {
        std::io::ErrorKind::NotFound if Path::new(&command).is_file() => ChildError::NoInterpreter(command),
        std::io::ErrorKind::NotFound => ChildError::NotFound(command),
        std::io::ErrorKind::ArgumentListTooLong => ChildError::TooMuch { command, bytes },
        _ => ChildError::NotExecutable { command, source },
    }
}

/// Replacing a process is a thing of Unix.
#[cfg(not(unix))]
pub fn replace_process(command: &OsStr, _: &[OsString], _: Vec<(OsString, OsString)>) -> ChildError {
    let source = std::io::Error::new(std::io::ErrorKind::Unsupported, "run is not there yet on this platform");
    ChildError::NotExecutable { command: command.to_string_lossy().into_owned(), source }
}

/// What a write to a closed pipe does is inherited: systemd, for one, starts services with SIGPIPE ignored. This process
/// ignores it, and `exec` resets it to the default; so what was there before is noted.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "neither std nor rustix sets a signal's disposition")]
mod broken_pipes {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    static WERE_IGNORED: AtomicBool = AtomicBool::new(false);

    /// A broken pipe is an error to be told, not the end.
    pub(super) fn ignore() {
        // SAFETY: no handler is set.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        WERE_IGNORED.store(before == libc::SIG_IGN, Ordering::Relaxed);
    }

    pub(super) fn leave_as_inherited(command: &mut Command) {
        if WERE_IGNORED.load(Ordering::Relaxed) {
            // SAFETY: the closure makes one async-signal-safe call.
            unsafe {
                command.pre_exec(|| {
                    libc::signal(libc::SIGPIPE, libc::SIG_IGN);
                    Ok(())
                });
            }
        }
    }
}

#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
mod broken_pipes {
    pub(super) fn leave_as_inherited(_: &mut std::process::Command) {} // the default, as exec leaves it
}
