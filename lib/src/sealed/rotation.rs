//! Rotations of values: what a file says of them, and the changes of a rotation line and its tokens.

use super::body::Storage;
use super::error::{SealedError, Unfinished};
use super::header::{Line, Rotation};
use super::keys::Purpose;
use super::locked::Locked;
use super::unlocked::Unlocked;
use super::utc::Utc;
use crate::crypto;
use crate::vars::{Value, VarName};
use rand::CryptoRng;

/// What the rotation line of a name says. Public, and vouched for only in a file whose seal was verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationInfo {
    /// When the value was last changed; `None` where nobody knows.
    pub changed: Option<Utc>,
    /// Until when the old value is handed out.
    pub previous_until: Option<Utc>,
    /// Since when a new value waits to be taken into use.
    pub pending_since: Option<Utc>,
}

/// `at=` of a line that was made for a pending value: the time of the last change is not known.
pub(super) const UNKNOWN: u64 = 0;

pub(super) const NOT_THERE: &str = "no such name in the sealed file";
pub(super) const IS_PLAIN: &str = "is stored plain, so there is no secret to rotate";
const NO_PREVIOUS: &str = "no old value of it is kept";

impl Locked {
    /// The latest time of a change that the file speaks of: a clock that is behind it, is wrong, or the writer's was.
    pub fn latest_change(&self) -> Option<Utc> {
        let times =
            self.header.rotations().flat_map(|(_, of)| [Some(of.at), of.pending.as_ref().map(|(_, since)| *since)]);
        times.flatten().max()
    }

    /// What the file says of a name's rotation.
    pub fn rotation(&self, name: &str) -> Option<RotationInfo> {
        let of_name = self.header.rotations().find(|(_, rotation)| rotation.name.as_str() == name);
        of_name.map(|(_, rotation)| RotationInfo {
            changed: Some(rotation.at).filter(|at| *at != Utc::from_unix(UNKNOWN)),
            previous_until: rotation.previous.as_ref().map(|(_, until)| *until),
            pending_since: rotation.pending.as_ref().map(|(_, since)| *since),
        })
    }
}

impl Unlocked {
    /// Notes when a secret was changed, so that its age is known from now on. A name that has a rotation line, or is no
    /// secret, is passed over.
    pub fn note_age(&mut self, name: &VarName, now: Utc) {
        if self.storage(name) == Some(Storage::Secret) && self.file.header.rotation_of(name).is_none() {
            self.put_rotation(Rotation { name: name.clone(), at: now, previous: None, pending: None });
        }
    }

    /// Whether a rotation of this name can begin at `now`.
    ///
    /// # Errors
    /// [`SealedError::NotRotatable`] for a name that is not there, or plain; [`SealedError::Rotating`] while another
    /// rotation is pending or the old value of one is still handed out.
    pub fn check_rotatable(&self, name: &VarName, now: Utc) -> Result<(), SealedError> {
        let refused = |what| Err(SealedError::NotRotatable { name: name.clone(), what });
        match self.storage(name) {
            None => return Err(SealedError::not_there(name)),
            Some(Storage::Plain) => return refused(IS_PLAIN),
            Some(Storage::Secret) => {}
        }
        let rotating = |state| Err(SealedError::Rotating { name: name.clone(), state });
        match self.file.rotation(name.as_str()) {
            Some(RotationInfo { pending_since: Some(_), .. }) => rotating(Unfinished::Pending),
            Some(RotationInfo { previous_until: Some(until), .. }) if until > now => rotating(Unfinished::Grace),
            _ => Ok(()),
        }
    }

    fn check_new(&self, name: &VarName, value: &Value, now: Utc) -> Result<(), SealedError> {
        self.check_rotatable(name, now)?;
        let what = "the new value is the one that it has already";
        if self.holds(name, value) { Err(SealedError::NotRotatable { name: name.clone(), what }) } else { Ok(()) }
    }

    /// Replaces the value at once. The old one is handed out until `grace`, if there is any.
    ///
    /// # Errors
    /// As [`Unlocked::check_rotatable`]; [`SealedError::NotRotatable`] for the value that it has already.
    pub fn rotate(
        &mut self,
        name: &VarName,
        value: &Value,
        grace: Option<Utc>,
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SealedError> {
        self.check_new(name, value, now)?;
        self.switch(name, value, grace, now, rng)
    }

    /// Keeps new values beside the current ones, until the service has taken them: of one name, or of several that are
    /// taken into use together. They get a time of their own, which tells what was begun together.
    ///
    /// # Errors
    /// As [`Unlocked::check_rotatable`]; [`SealedError::NotRotatable`] for the value that it has already.
    pub fn begin_rotation(
        &mut self,
        values: &[(VarName, Value)],
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SealedError> {
        let since = self.since_of_its_own(now);
        for (name, value) in values {
            self.check_new(name, value, now)?;
            let at = self.file.header.rotation_of(name).map_or(Utc::from_unix(UNKNOWN), |(_, rotation)| rotation.at);
            let token = self.keys.encrypt_and_check(Purpose::Pending, name, value, rng)?;
            self.put_rotation(Rotation { name: name.clone(), at, previous: None, pending: Some((token, since)) });
        }
        Ok(())
    }

    fn since_of_its_own(&self, now: Utc) -> Utc {
        let taken: Vec<Utc> = self.file.header.rotations().filter_map(|(_, of)| Some(of.pending.as_ref()?.1)).collect();
        (0..).map(|seconds| now.plus(seconds)).take(taken.len() + 1).find(|time| !taken.contains(time)).unwrap_or(now)
    }

    /// The names whose rotation was begun together with this one's, which is among them; none when none is pending.
    pub fn begun_with(&self, name: &VarName) -> Vec<VarName> {
        let since = |name: &str| self.file.rotation(name).and_then(|rotation| rotation.pending_since);
        let Some(since) = since(name.as_str()) else { return Vec::new() };
        let together = self.file.header.rotations().map(|(_, rotation)| rotation);
        let together = together.filter(|rotation| rotation.pending.as_ref().is_some_and(|(_, of)| *of == since));
        together.map(|rotation| rotation.name.clone()).collect()
    }

    /// The value that waits to be taken into use.
    ///
    /// # Errors
    /// [`SealedError::NotRotatable`] when none does; [`SealedError::Value`].
    pub fn pending(&self, name: &VarName) -> Result<Value, SealedError> {
        let pending = self.file.header.rotation_of(name).and_then(|(_, rotation)| rotation.pending.as_ref());
        let nothing = SealedError::NotRotatable { name: name.clone(), what: "no rotation of it is pending" };
        let (token, _) = pending.ok_or(nothing)?;
        self.keys.decrypt(Purpose::Pending, name, token)
    }

    /// The old value of a name, if it is handed out at `now`.
    ///
    /// # Errors
    /// [`SealedError::Value`] when it does not decrypt.
    pub fn previous_of(&self, name: &VarName, now: Utc) -> Result<Option<Value>, SealedError> {
        let rotation = self.file.header.rotation_of(name).map(|(_, rotation)| rotation);
        rotation.map_or(Ok(None), |rotation| self.handed_out(rotation, now))
    }

    pub(super) fn handed_out(&self, rotation: &Rotation, now: Utc) -> Result<Option<Value>, SealedError> {
        let previous = rotation.previous.as_ref().filter(|(_, until)| *until > now);
        previous.map(|(token, _)| self.keys.decrypt(Purpose::Previous, &rotation.name, token)).transpose()
    }

    /// The old value that the file keeps, whether it is handed out any more or not, and until when.
    ///
    /// # Errors
    /// [`SealedError::NotRotatable`] when it keeps none; [`SealedError::Value`].
    pub fn kept_previous(&self, name: &VarName) -> Result<(Value, Utc), SealedError> {
        let previous = self.file.header.rotation_of(name).and_then(|(_, rotation)| rotation.previous.as_ref());
        let nothing = SealedError::NotRotatable { name: name.clone(), what: NO_PREVIOUS };
        let (token, until) = previous.ok_or(nothing)?;
        Ok((self.keys.decrypt(Purpose::Previous, name, token)?, *until))
    }

    /// Every value that stands beside a current one: old and pending.
    ///
    /// # Errors
    /// [`SealedError::Value`].
    pub fn beside(&self) -> Result<Vec<(VarName, Value)>, SealedError> {
        let mut values = Vec::new();
        for (_, Rotation { name, previous, pending, .. }) in self.file.header.rotations() {
            for (purpose, kept) in [(Purpose::Previous, previous), (Purpose::Pending, pending)] {
                if let Some((token, _)) = kept {
                    values.push((name.clone(), self.keys.decrypt(purpose, name, token)?));
                }
            }
        }
        Ok(values)
    }

    /// Makes the pending value the current one.
    ///
    /// # Errors
    /// [`SealedError::RotatedMeanwhile`] when it is not `tested`, the one that the service has;
    /// [`SealedError::Value`].
    pub fn finish_rotation(
        &mut self,
        name: &VarName,
        tested: &Value,
        grace: Option<Utc>,
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SealedError> {
        must_be_same(name, self.pending(name), tested)?;
        // No writer of ours leaves both; the old value of another one's would be gone unseen.
        if self.file.rotation(name.as_str()).and_then(|of| of.previous_until).is_some_and(|until| until > now) {
            return Err(SealedError::Rotating { name: name.clone(), state: Unfinished::Grace });
        }
        self.switch(name, tested, grace, now, rng)
    }

    /// Drops the pending value.
    ///
    /// # Errors
    /// [`SealedError::RotatedMeanwhile`] when it is not `dropped`; [`SealedError::Value`].
    pub fn abort_rotation(&mut self, name: &VarName, dropped: &Value) -> Result<(), SealedError> {
        must_be_same(name, self.pending(name), dropped)?;
        self.change_rotation(name, |rotation| rotation.pending = None);
        Ok(())
    }

    /// Drops the old value, whether its time is over or not.
    ///
    /// # Errors
    /// [`SealedError::RotatedMeanwhile`] when it is not `old`; [`SealedError::Value`].
    pub fn end_grace(&mut self, name: &VarName, old: &Value) -> Result<(), SealedError> {
        must_be_same(name, self.kept_previous(name).map(|(kept, _)| kept), old)?;
        self.change_rotation(name, |rotation| rotation.previous = None);
        Ok(())
    }

    /// The new value in the place of the old one; nothing is pending afterwards.
    fn switch(
        &mut self,
        name: &VarName,
        value: &Value,
        grace: Option<Utc>,
        now: Utc,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SealedError> {
        let previous = match (grace, self.get(name)?) {
            (Some(until), Some(old)) => Some((self.keys.encrypt_and_check(Purpose::Previous, name, &old, rng)?, until)),
            _ => None,
        };
        self.put_rotation(Rotation { name: name.clone(), at: now, previous, pending: None });
        self.put_value(name, value, Storage::Secret, rng);
        Ok(())
    }

    /// Changes a line that is there. One that then says nothing goes.
    fn change_rotation(&mut self, name: &VarName, change: impl FnOnce(&mut Rotation)) {
        let Some((place, rotation)) = self.file.header.rotation_of(name) else { return };
        let mut rotation = rotation.clone();
        change(&mut rotation);
        let says_nothing =
            rotation.at == Utc::from_unix(UNKNOWN) && rotation.previous.is_none() && rotation.pending.is_none();
        if says_nothing {
            self.file.header.lines.remove(place);
        } else {
            self.file.header.lines[place] = Line::rotation(rotation);
        }
        self.changed = true;
    }

    /// The line of a name, in its place or as the last one.
    fn put_rotation(&mut self, rotation: Rotation) {
        let place = self.file.header.rotation_of(&rotation.name).map(|(place, _)| place);
        let line = Line::rotation(rotation);
        match place {
            Some(place) => self.file.header.lines[place] = line,
            None => self.file.header.lines.push(line),
        }
        self.changed = true;
    }
}

/// Refuses a step about a value that is not in its place any more.
fn must_be_same(name: &VarName, found: Result<Value, SealedError>, expected: &Value) -> Result<(), SealedError> {
    let is_same = match found {
        Ok(found) => crypto::equal(found.expose().as_bytes(), expected.expose().as_bytes()),
        Err(SealedError::NotRotatable { .. }) => false,
        Err(error) => return Err(error),
    };
    if is_same { Ok(()) } else { Err(SealedError::RotatedMeanwhile(name.clone())) }
}
