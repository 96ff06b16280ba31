//! Rotating a value: **create** the next one, **set** it at its service, **test** it there, take it into use, and in the
//! end **finish** the old one.
//!
//! The next value is sealed into the file before the first command runs, and the old one leaves it after the last: at
//! every moment the file holds the value that the service has, and a rotation that was cut off goes on or goes back.

mod error;
mod hooks;
mod state;

pub use error::RotateError;
pub use hooks::{Hooks, Step};
pub use state::{Due, State, What, due};

use crate::crypto;
use crate::duration::Duration;
use crate::error::Result;
use crate::fs::{self, Turn};
use crate::pair::Pair;
use crate::project::{Held, Opened, Project, previous_name};
use crate::sealed::{SealedError, Unlocked, Utc};
use crate::secret::SecretText;
use crate::vars::{Value, VarName};
use error::{Stage, unfinished};
use std::cell::OnceCell;

/// How far two clocks may differ, in seconds, before one of them counts as wrong.
const SKEW: u64 = 300;

/// How much longer than its commands may take another rotation is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Who hears of a rotation.
pub trait Listener {
    /// What a command printed, without the values that the file knows.
    fn printed(&self, bytes: &[u8]);

    /// How far it is.
    fn progress(&self, message: &str);
}

/// What is rotated: a name, and with it the name of the user whose password it is, if there are two of them in turn.
pub struct Subject {
    /// The name.
    pub name: VarName,
    /// The users.
    pub pair: Option<Pair>,
}

/// How it is rotated.
#[derive(Default)]
pub struct Manner {
    /// The commands of its steps.
    pub hooks: Hooks,
    /// How long the old value is handed out.
    pub grace: Option<Duration>,
}

/// Rotates values in the file of a project.
pub struct Rotator<'r> {
    /// Opens and saves the file.
    pub project: &'r Project<'r>,
    /// Hears of it.
    pub listener: &'r dyn Listener,
}

/// Values that are to come into use together.
type Next = Vec<(VarName, Value)>;

impl Subject {
    fn names(&self) -> impl Iterator<Item = &VarName> {
        std::iter::once(&self.name).chain(self.pair.as_ref().map(|pair| &pair.name))
    }

    /// The new value, and the user that it is for.
    fn next(&self, file: &Unlocked, value: Value) -> Result<Next> {
        let mut next = vec![(self.name.clone(), value)];
        if let Some(pair) = &self.pair {
            next.push((pair.name.clone(), idle(file, pair)?));
        }
        Ok(next)
    }

    /// Refuses to go on with a part of what was begun together.
    fn must_be_whole(&self, file: &Unlocked) -> Result<()> {
        let begun = file.begun_with(&self.name);
        let missing: Vec<VarName> = begun.into_iter().filter(|name| !self.names().any(|known| known == name)).collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(RotateError::Partial { name: self.name.clone(), missing }.into()),
        }
    }
}

/// Refuses what cannot be rotated now, before anybody makes or types a new value.
///
/// # Errors
/// [`SealedError::NotRotatable`], [`SealedError::Rotating`], [`RotateError::PreviousName`], [`RotateError::OtherUser`].
pub fn check(opened: &Opened, subject: &Subject, grace: Option<Duration>, now: Utc) -> Result<()> {
    let file = &opened.unlocked;
    for name in subject.names() {
        file.check_rotatable(name, now)?;
    }
    check_previous_names(file, subject, grace)?;
    if let Some(pair) = &subject.pair {
        idle(file, pair)?;
    }
    Ok(())
}

/// Refuses a time of grace in which `run` would have two values for one name.
fn check_previous_names(file: &Unlocked, subject: &Subject, grace: Option<Duration>) -> Result<()> {
    let is_free = |name: &VarName| previous_name(name).is_some_and(|previous| !file.contains(&previous));
    match subject.names().find(|name| grace.is_some() && !is_free(name)) {
        Some(name) => Err(RotateError::PreviousName(name.clone()).into()),
        None => Ok(()),
    }
}

/// Whether a new value waits to come into use.
pub fn is_pending(opened: &Opened, subject: &Subject) -> bool {
    !opened.unlocked.begun_with(&subject.name).is_empty()
}

/// Whether an old value is kept whose time of grace is over.
pub fn is_to_be_finished(opened: &Opened, subject: &Subject, now: Utc) -> bool {
    let rotation = opened.unlocked.locked().rotation(subject.name.as_str());
    rotation.and_then(|rotation| rotation.previous_until).is_some_and(|until| until <= now)
}

/// Refuses to trust a clock that is behind what the file says: times of grace would be over before they begin.
///
/// # Errors
/// [`RotateError::Clock`].
pub fn check_clock(opened: &Opened, now: Utc) -> Result<()> {
    match opened.unlocked.locked().latest_change() {
        Some(latest) if latest > now.plus(SKEW) => Err(RotateError::Clock { latest, now }.into()),
        _ => Ok(()),
    }
}

impl Rotator<'_> {
    /// Gives names new values that no service has to be told of: all in one write.
    ///
    /// # Errors
    /// As [`check`]; what the file refuses.
    pub fn replace(&self, opened: Opened, values: Vec<(Subject, Value, Option<Duration>)>) -> Result<()> {
        let (now, rng) = (Utc::now(), &mut crypto::system_rng());
        self.project.change(opened, |file| {
            for (subject, value, grace) in values {
                for (name, value) in subject.next(file, value)? {
                    file.rotate(&name, &value, grace.map(|grace| now.plus(grace.seconds())), now, rng)?;
                }
            }
            Ok(())
        })
    }

    /// Gives a name a new value, step by step.
    ///
    /// # Errors
    /// As [`check`]; a command that failed, after which the new value waits in the file.
    pub fn rotate(&self, opened: Opened, subject: &Subject, value: Value, manner: &Manner) -> Result<()> {
        let held = opened.hold();
        let turn = self.turn(&opened, subject, manner)?;
        let turn = turn.as_ref();
        let left_over = manner.hooks.finish.is_some() && opened.unlocked.kept_previous(&subject.name).is_ok();
        let opened = if left_over {
            self.end(opened, subject, manner, turn, Stage::LeftOver)?;
            self.project.reopen(&held)?
        } else {
            opened
        };
        let next = subject.next(&opened.unlocked, value)?;
        let begin = |file: &mut Unlocked| Ok(file.begin_rotation(&next, Utc::now(), &mut crypto::system_rng())?);
        self.project.change(opened, begin)?;
        self.listener.progress(&format!("{}: the new value waits in the file", subject.name));
        self.go_on(&held, subject, manner, turn)
    }

    /// Goes on with a rotation that was cut off: its commands are run once more.
    ///
    /// # Errors
    /// None that is pending; [`RotateError::PreviousName`]; as [`Rotator::rotate`].
    pub fn resume(&self, opened: Opened, subject: &Subject, manner: &Manner) -> Result<()> {
        let (turn, opened) = self.in_turn(opened, subject, manner)?;
        let (turn, file) = (turn.as_ref(), &opened.unlocked);
        if !is_pending(&opened, subject) && is_to_be_finished(&opened, subject, Utc::now()) {
            return self.end(opened, subject, manner, turn, Stage::InUse);
        }
        file.pending(&subject.name)?;
        subject.must_be_whole(file)?;
        check_previous_names(file, subject, manner.grace)?;
        self.go_on(&opened.hold(), subject, manner, turn)
    }

    /// Goes back: the service gets the current value again, and the pending one is dropped.
    ///
    /// # Errors
    /// None that is pending; a command that failed, after which it is still pending.
    pub fn abort(&self, opened: Opened, subject: &Subject, manner: &Manner) -> Result<()> {
        let (turn, opened) = self.in_turn(opened, subject, manner)?;
        let (turn, file) = (turn.as_ref(), &opened.unlocked);
        let dropped = file.pending(&subject.name)?;
        subject.must_be_whole(file)?;
        let idle = subject.pair.as_ref().map(|pair| file.pending(&pair.name)).transpose()?;
        let value = current(file, &subject.name)?;
        let call = hooks::Call {
            name: &subject.name,
            value: &value,
            other: &dropped,
            idle: idle.as_ref(),
            turn,
            known: OnceCell::new(),
        };
        self.run(Step::Abort, &manner.hooks, &opened, &call).map_err(unfinished(&subject.name, Stage::Pending))?;
        let dropped: Next = [(subject.name.clone(), dropped)].into_iter().chain(of_pair(subject, idle)).collect();
        self.project
            .change(opened, |file| Ok(dropped.iter().try_for_each(|(name, value)| file.abort_rotation(name, value))?))
    }

    /// Ends a rotation whose old value is still kept: it is taken away from the service, then from the file.
    ///
    /// # Errors
    /// None that is kept; a command that failed, after which it is still kept.
    pub fn finish(&self, opened: Opened, subject: &Subject, manner: &Manner) -> Result<()> {
        let (turn, opened) = self.in_turn(opened, subject, manner)?;
        self.end(opened, subject, manner, turn.as_ref(), Stage::InUse)
    }

    /// Waits until no command of another rotation of the name is at work: one that goes on after its envsec was killed
    /// would give the service its value last.
    fn turn(&self, opened: &Opened, subject: &Subject, manner: &Manner) -> Result<Option<Turn>> {
        let id = crypto::sha256(&[opened.unlocked.locked().file_id(), subject.name.as_str().as_bytes()]);
        let name: String = id[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let wait = || self.listener.progress(&format!("{}: waiting for another rotation of it", subject.name));
        let turn = fs::wait_for_turn(&name, manner.hooks.limit + PATIENCE, wait);
        Ok(turn.map_err(|_| RotateError::Busy(subject.name.clone()))?)
    }

    /// [`Rotator::turn`], and the file as it is by then.
    fn in_turn(&self, opened: Opened, subject: &Subject, manner: &Manner) -> Result<(Option<Turn>, Opened)> {
        let turn = self.turn(&opened, subject, manner)?;
        Ok((turn, self.project.reopen(&opened.hold())?))
    }

    fn end(&self, opened: Opened, subject: &Subject, manner: &Manner, turn: Option<&Turn>, stage: Stage) -> Result<()> {
        let file = &opened.unlocked;
        let (old, _) = file.kept_previous(&subject.name)?;
        let value = current(file, &subject.name)?;
        let idle = match &subject.pair {
            Some(pair) => Some(idle(file, pair)?),
            None => None,
        };
        let call = hooks::Call {
            name: &subject.name,
            value: &value,
            other: &old,
            idle: idle.as_ref(),
            turn,
            known: OnceCell::new(),
        };
        self.run(Step::Finish, &manner.hooks, &opened, &call).map_err(unfinished(&subject.name, stage))?;
        let pair = subject.pair.as_ref().map(|pair| &pair.name);
        let old_user = pair.and_then(|name| file.kept_previous(name).ok()).map(|(old, _)| old);
        let ended: Next = [(subject.name.clone(), old)].into_iter().chain(of_pair(subject, old_user)).collect();
        self.project
            .change(opened, |file| Ok(ended.iter().try_for_each(|(name, old)| file.end_grace(name, old))?))
            .map_err(unfinished(&subject.name, stage))
    }

    /// From the pending value on.
    fn go_on(&self, held: &Held, subject: &Subject, manner: &Manner, turn: Option<&Turn>) -> Result<()> {
        self.take_into_use(held, subject, manner, turn).map_err(|error| {
            let stage = match self.project.reopen(held) {
                Ok(opened) if !is_pending(&opened, subject) => Stage::Gone,
                _ => Stage::Pending,
            };
            unfinished(&subject.name, stage)(error)
        })?;
        if manner.grace.is_some() || manner.hooks.finish.is_none() {
            return Ok(());
        }
        let opened = self.project.reopen(held).map_err(unfinished(&subject.name, Stage::InUse))?;
        self.end(opened, subject, manner, turn, Stage::InUse)
    }

    fn take_into_use(&self, held: &Held, subject: &Subject, manner: &Manner, turn: Option<&Turn>) -> Result<()> {
        let opened = self.project.reopen(held)?;
        let file = &opened.unlocked;
        let mut next = Next::new();
        for name in subject.names() {
            next.push((name.clone(), file.pending(name)?));
        }
        let old = current(file, &subject.name)?;
        let call = hooks::Call {
            name: &subject.name,
            value: &next[0].1,
            other: &old,
            idle: next.get(1).map(|(_, user)| user),
            turn,
            known: OnceCell::new(),
        };
        self.run(Step::Set, &manner.hooks, &opened, &call)?;
        self.run(Step::Test, &manner.hooks, &opened, &call)?;
        let now = Utc::now();
        // Whoever finishes the old value has to have it, also after a crash.
        let at_once = manner.hooks.finish.is_some().then_some(now);
        let until = manner.grace.map(|grace| now.plus(grace.seconds())).or(at_once);
        self.project.change(opened, |file| {
            let rng = &mut crypto::system_rng();
            Ok(next.iter().try_for_each(|(name, value)| file.finish_rotation(name, value, until, now, rng))?)
        })?;
        self.listener.progress(&format!("{}: the new value is in use", subject.name));
        Ok(())
    }

    fn run(&self, step: Step, hooks: &Hooks, opened: &Opened, call: &hooks::Call<'_>) -> Result<()> {
        let Some(command) = hooks.of(step) else { return Ok(()) };
        self.listener.progress(&format!("{}: {}", call.name, step.doing()));
        call.run(step, command, hooks.limit, &opened.unlocked, &mut |bytes| self.listener.printed(bytes))
    }
}

/// The current value of a name that is there.
fn current(file: &Unlocked, name: &VarName) -> Result<Value> {
    Ok(file.get(name)?.ok_or_else(|| SealedError::not_there(name))?)
}

/// Of two users the one that is not in use.
fn idle(file: &Unlocked, pair: &Pair) -> Result<Value> {
    let current = current(file, &pair.name)?;
    let idle = pair.other(current.expose()).ok_or_else(|| RotateError::OtherUser(pair.name.clone()))?;
    Ok(Value::try_from(SecretText::from(idle))?)
}

fn of_pair(subject: &Subject, value: Option<Value>) -> Option<(VarName, Value)> {
    Some((subject.pair.as_ref()?.name.clone(), value?))
}
