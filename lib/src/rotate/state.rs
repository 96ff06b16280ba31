//! How far the rotation of a name is, and what is due.

use crate::duration::Duration;
use crate::schema::Schema;
use crate::sealed::{Locked, Storage, Utc};
use crate::vars::VarName;

/// What is known of a name's rotation: public, and vouched for only in a file whose seal was verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// When its value was changed last.
    pub changed: Option<Utc>,
    /// When a new value is due; [`State::is_due`] where nobody knows how old this one is.
    pub due: Option<Utc>,
    /// Whether a new value is due.
    pub is_due: bool,
    /// Until when its old value is handed out, or was.
    pub previous_until: Option<Utc>,
    /// Since when a new value waits to come into use.
    pub pending_since: Option<Utc>,
}

impl State {
    /// Of a name that is stored encrypted and is to be rotated every so often; else of one that may have been rotated.
    pub fn of(file: &Locked, name: &str, every: Option<Duration>, now: Utc) -> Self {
        let line = file.rotation(name);
        let changed = line.and_then(|line| line.changed);
        let due = changed.zip(every).map(|(changed, every)| changed.plus(every.seconds()));
        State {
            changed,
            due,
            is_due: every.is_some() && due.is_none_or(|due| due <= now),
            previous_until: line.and_then(|line| line.previous_until),
            pending_since: line.and_then(|line| line.pending_since),
        }
    }

    /// Its times, each by the name that it has in a report for programs.
    pub fn times(&self) -> [(&'static str, Option<Utc>); 4] {
        [
            ("changed", self.changed),
            ("due", self.due),
            ("previous_until", self.previous_until),
            ("pending_since", self.pending_since),
        ]
    }

    /// `12d`, since the value was changed.
    pub fn age(&self, now: Utc) -> Option<String> {
        let seconds = now.unix() - self.changed?.unix();
        Some(format!("{}d", seconds.max(0) / 86_400))
    }

    /// What somebody may want to do something about, in words.
    pub fn news(&self, now: Utc) -> Vec<String> {
        let pending = self.pending_since.map(|since| format!("rotation pending since {since}"));
        let previous = self.previous_until.map(|until| match until > now {
            true => format!("old value handed out until {until}"),
            false => format!("old value to be dropped since {until}"),
        });
        [pending, previous, self.due_in_words()].into_iter().flatten().collect()
    }

    fn due_in_words(&self) -> Option<String> {
        match (self.is_due, self.due) {
            (true, Some(since)) => Some(format!("due since {since}")),
            (true, None) => Some("due: its age is not known".to_owned()),
            (false, due) => due.map(|due| format!("due {due}")),
        }
    }
}

/// A name that somebody has to do something about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The name.
    pub name: VarName,
    /// How far its rotation is.
    pub state: State,
    /// What is to be done.
    pub what: What,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A new value.
    Rotate,
    /// The end of the last rotation: the time of grace of its old value is over.
    Finish,
    /// To go on or back with a rotation that was cut off.
    Resume,
}

/// All that is due at `now`, in the file's order: new values by what is declared, and what other rotations left over.
pub fn due(file: &Locked, schema: Option<&Schema>, now: Utc) -> Vec<Due> {
    let every = |name: &str| schema.and_then(|of| of.property(name)).and_then(|property| property.rotate_every());
    let secret = file.names().filter(|(_, storage)| *storage == Storage::Secret);
    let due = |(name, _): (&str, Storage)| {
        let state = State::of(file, name, every(name), now);
        let what = match state {
            State { pending_since: Some(_), .. } => What::Resume,
            State { previous_until: Some(until), .. } if until > now => return None,
            State { is_due: true, .. } => What::Rotate,
            State { previous_until: Some(_), .. } => What::Finish,
            _ => return None,
        };
        Some(Due { name: VarName::try_from(name).ok()?, state, what })
    };
    secret.filter_map(due).collect()
}
