//! The commands of a rotation's steps.

use super::error::RotateError;
use crate::child::Hook;
use crate::error::Result;
use crate::fs::Turn;
use crate::redact::Known;
use crate::sealed::{Storage, Unlocked};
use crate::vars::{Value, VarName};
use std::cell::OnceCell;
use std::time::Duration;

/// A step at which a command may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The service gets the new value.
    Set,
    /// The new value is tried at the service.
    Test,
    /// The service gives up the old value.
    Finish,
    /// The service gets the current value again.
    Abort,
}

impl Step {
    /// What ENVSEC_STEP holds.
    pub fn name(self) -> &'static str {
        match self {
            Step::Set => "set",
            Step::Test => "test",
            Step::Finish => "finish",
            Step::Abort => "abort",
        }
    }

    pub(super) fn doing(self) -> &'static str {
        match self {
            Step::Set => "setting it at its service",
            Step::Test => "testing it",
            Step::Finish => "taking the old value away",
            Step::Abort => "giving its service the current value again",
        }
    }
}

/// A command for each step that has one, and how long each may take.
#[derive(Clone)]
pub struct Hooks {
    /// For [`Step::Set`].
    pub set: Option<String>,
    /// For [`Step::Test`].
    pub test: Option<String>,
    /// For [`Step::Finish`].
    pub finish: Option<String>,
    /// For [`Step::Abort`].
    pub abort: Option<String>,
    /// The longest time for one of them.
    pub limit: Duration,
}

impl Default for Hooks {
    fn default() -> Self {
        Hooks { set: None, test: None, finish: None, abort: None, limit: Duration::from_secs(60) }
    }
}

impl Hooks {
    /// Whether there is no command at all.
    pub fn are_none(&self) -> bool {
        [&self.set, &self.test, &self.finish, &self.abort].into_iter().all(Option::is_none)
    }

    /// The command of a step.
    pub fn of(&self, step: Step) -> Option<&str> {
        match step {
            Step::Set => self.set.as_deref(),
            Step::Test => self.test.as_deref(),
            Step::Finish => self.finish.as_deref(),
            Step::Abort => self.abort.as_deref(),
        }
    }
}

/// What the commands of one rotation get.
pub(super) struct Call<'c> {
    /// In NAME.
    pub(super) name: &'c VarName,
    /// On standard input: the value that the service is to have.
    pub(super) value: &'c Value,
    /// On descriptor 3: the one beside it, which the service has or had.
    pub(super) other: &'c Value,
    /// In ENVSEC_IDLE: of two users the one that is not in use.
    pub(super) idle: Option<&'c Value>,
    /// Whose turn it is.
    pub(super) turn: Option<&'c Turn>,
    /// What they must not print: found once, for the first that runs.
    pub(super) known: OnceCell<Known>,
}

impl Call<'_> {
    /// Runs a command. What it prints goes to `output` without any secret that the file knows.
    pub(super) fn run(
        &self,
        step: Step,
        command: &str,
        limit: Duration,
        file: &Unlocked,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let mut redactor = self.known(file)?.redactor();
        let idle = self.idle.map(|user| user.expose()); // a hook of another rotation may have started this one
        let variables = [("NAME", Some(self.name.as_str())), ("ENVSEC_STEP", Some(step.name())), ("ENVSEC_IDLE", idle)];
        let hook = Hook { command, variables, value: self.value, other: self.other, limit, turn: self.turn };
        let mut last = b'\n';
        let mut pass_on = |shown: &[u8]| {
            last = *shown.last().unwrap_or(&last);
            output(shown);
        };
        let ended = hook.run(&mut |bytes| pass_on(&redactor.push(bytes)));
        pass_on(&redactor.finish());
        if last != b'\n' {
            output(b"\n"); // what is said next begins a line
        }
        Ok(ended.map_err(|source| RotateError::Hook { name: self.name.clone(), step, source })?)
    }

    fn known(&self, file: &Unlocked) -> Result<&Known> {
        match self.known.get() {
            Some(known) => Ok(known),
            None => {
                let secrets = self.secrets(file)?;
                Ok(self.known.get_or_init(|| Known::new(secrets.iter().map(|(name, value)| (name.as_str(), value)))))
            }
        }
    }

    /// All that must not be printed.
    fn secrets(&self, file: &Unlocked) -> Result<Vec<(VarName, Value)>> {
        let own = [self.value, self.other].map(|value| (self.name.clone(), value.duplicate()));
        let mut secrets = Vec::from(own);
        secrets.extend(file.beside()?);
        for entry in file.entries() {
            let (name, storage, value) = entry?;
            if storage == Storage::Secret {
                secrets.push((name.clone(), value));
            }
        }
        Ok(secrets)
    }
}
