//! Who opens a sealed file: planning what becomes of its slots when its data key changes.

use crate::error::{Failure, Result, Status, shown};
use crate::project::{self, Opened, WithSlots};
use crate::sealed::{
    Credential, Locked, Match, NewSlot, NextKey, RawKey, SlotId, SlotInfo, SlotType, Unlocked, WORK_FACTOR,
    WRITE_WORK_FACTORS,
};
use clap::builder::RangedI64ValueParser;
use rand::CryptoRng;
use std::path::{Path, PathBuf};

/// The most that all scrypt slots of a file may cost together, as the sum of 2^ln: what every reader accepts.
const MAX_COST: u64 = 1 << 21;

/// What is to become of slots whose secret is not at hand, and how the others are made. The flags of every verb that gives
/// a file a new data key.
#[derive(clap::Args, Default)]
#[group(skip)]
pub struct Flags {
    /// Give this raw slot a new key, which is printed
    #[arg(long, value_name = "ID", value_parser = slot_id)]
    pub renew: Vec<SlotId>,

    /// Leave this slot out: who opens it now will not any more
    #[arg(long, value_name = "ID", value_parser = slot_id)]
    pub drop_slot: Vec<SlotId>,

    /// Leave out header lines of this kind, which this envsec does not know
    #[arg(long, value_name = "KIND")]
    pub drop_line: Vec<String>,

    /// scrypt's work factor for the new slots, 15 to 20
    #[arg(long, value_name = "LN", default_value_t = WORK_FACTOR, value_parser = work_factors())]
    pub work_factor: u8,
}

/// scrypt's cost of a slot that is made.
#[derive(clap::Args)]
#[group(skip)]
pub struct Cost {
    /// scrypt's work factor, 15 to 20: each step doubles time and memory (17: 128 MiB)
    #[arg(long, value_name = "LN", default_value_t = WORK_FACTOR, value_parser = work_factors())]
    pub work_factor: u8,
}

fn work_factors() -> RangedI64ValueParser<u8> {
    let (lowest, highest) = WRITE_WORK_FACTORS.into_inner();
    clap::value_parser!(u8).range(i64::from(lowest)..=i64::from(highest))
}

impl Flags {
    /// Whether any is given that means nothing without a new data key.
    pub fn are_used(&self) -> bool {
        !(self.renew.is_empty() && self.drop_slot.is_empty() && self.drop_line.is_empty())
    }
}

/// A slot id, for clap.
///
/// # Errors
/// A text that is none.
pub fn slot_id(text: &str) -> std::result::Result<SlotId, &'static str> {
    SlotId::parse(text).ok_or("a slot id is made of a-z, 0-9 and -, at most 32")
}

/// Why slots cannot become what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// Slots that would lock their owners out.
    #[error("{}: the secret of {} is not at hand", shown(.path), .slots.join(", "))]
    SecretsMissing {
        /// Which file.
        path: PathBuf,
        /// The slots: id and type.
        slots: Vec<String>,
    },
    /// An id that no slot has.
    #[error("there is no slot {}: there are {present}", .id.as_str())]
    NoSuchSlot {
        /// What was asked for.
        id: SlotId,
        /// The slots that there are.
        present: String,
    },
    /// `--renew` of a slot that is opened by something else.
    #[error("{}: --renew makes a new raw key, but the slot is opened by something else", .0.id.as_str())]
    NotRaw(SlotInfo),
    /// One slot with two fates.
    #[error("{}: is to be kept and to be left out", .0.as_str())]
    Contradiction(SlotId),
    /// Nobody could open the file any more.
    #[error("{}: no slot would be left that a password or a key opens", shown(.0))]
    NoneLeft(PathBuf),
    /// More scrypt than readers accept.
    #[error("{}: its password slots together would cost more than readers accept", shown(.0))]
    TooCostly(PathBuf),
}

impl Failure for SlotError {
    fn status(&self) -> Status {
        match self {
            SlotError::SecretsMissing { .. } => Status::Credential,
            SlotError::NoneLeft(_) | SlotError::TooCostly(_) => Status::Other,
            SlotError::NoSuchSlot { .. } | SlotError::NotRaw(_) | SlotError::Contradiction(_) => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            SlotError::SecretsMissing { .. } => {
                "nothing was changed; give each its password or key (--password-file, --key-file, as often as needed), or --renew ID for a raw key, or --drop-slot ID".into()
            }
            SlotError::NoSuchSlot { .. } => "envsec slot list shows them".into(),
            SlotError::NotRaw(slot) if slot.kind.is_known() => format!("envsec slot change-password {}", slot.id.as_str()),
            SlotError::NotRaw(slot) => of_newer(&slot.id),
            SlotError::Contradiction(_) => return None,
            SlotError::NoneLeft(_) => "add another one first: envsec slot add".into(),
            SlotError::TooCostly(_) => "a lower --work-factor, or fewer password slots".into(),
        })
    }
}

/// What to do about a slot of a type that is not known.
fn of_newer(id: &SlotId) -> String {
    format!("update envsec, which does not know that type; or leave the slot out: --drop-slot {}", id.as_str())
}

/// What else is to happen to one slot, beside the flags.
pub enum Also<'a> {
    /// Nothing.
    Nothing,
    /// The slot goes.
    Remove(&'a SlotId),
    /// The slot gets another secret.
    Replace(&'a SlotId, &'a Credential),
}

/// New raw keys: one for every id, whatever number of files have a slot of that id.
pub struct Renewed(pub Vec<(SlotId, RawKey)>);

impl Renewed {
    /// Makes the keys.
    pub fn new(ids: &[SlotId], rng: &mut dyn CryptoRng) -> Self {
        let first = ids.iter().enumerate().filter(|(at, id)| !ids[..*at].contains(id));
        Renewed(first.map(|(_, id)| (id.clone(), RawKey::generate(rng))).collect())
    }

    fn of(&self, id: &SlotId) -> Option<&RawKey> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, key)| key)
    }
}

/// The raw keys of new slots, to be printed.
pub fn raw_keys(slots: &[NewSlot]) -> Vec<(SlotId, RawKey)> {
    let key = |slot: &NewSlot| match &slot.credential {
        Credential::RawKey(key) => Some((slot.id.clone(), key.duplicate())),
        Credential::Password(_) => None,
    };
    slots.iter().filter_map(key).collect()
}

/// The slots that every file is to have; nothing is made yet.
///
/// # Errors
/// [`SlotError`], by file.
pub fn plan(held: &WithSlots, flags: &Flags, renewed: &Renewed, also: &Also<'_>) -> Result<Vec<Vec<NewSlot>>> {
    check_ids(held, flags, also)?;
    let slots_of =
        |(opened, matches): &(Opened, Vec<Match>)| slots_of(opened, matches, &held.credentials, flags, renewed, also);
    held.files.iter().map(slots_of).collect()
}

/// Slots of a file that go, or get another secret, each with one that stays and that the same password or key opens.
pub fn still_opened<'h>(
    matches: &'h [Match],
    plan: &[NewSlot],
    renewed: &Renewed,
    also: &Also<'_>,
) -> Vec<(&'h SlotId, &'h SlotId)> {
    let is_replaced = |id: &SlotId| matches!(also, Also::Replace(replaced, _) if **replaced == *id);
    let stays = |id: &SlotId| plan.iter().any(|slot| slot.id == *id) && renewed.of(id).is_none() && !is_replaced(id);
    let (staying, going): (Vec<&Match>, Vec<&Match>) = matches.iter().partition(|(id, _)| stays(id));
    let same = |(gone, place): &'h Match| {
        let other = staying.iter().find(|(_, other)| other == place);
        other.map(|(id, _)| (gone, id))
    };
    going.into_iter().filter_map(same).collect()
}

/// The next data key of every file, wrapped for the slots of its plan.
///
/// # Errors
/// What making a slot fails with.
pub fn make(held: &WithSlots, plans: &[Vec<NewSlot>], rng: &mut dyn CryptoRng) -> Result<Vec<NextKey>> {
    let mut next = Vec::new();
    for ((opened, _), slots) in held.files.iter().zip(plans) {
        let made = NextKey::new(opened.unlocked.locked(), slots, rng);
        next.push(made.map_err(project::at(opened.path()))?);
    }
    Ok(next)
}

/// Changes the slots of a file; not so that its password slots cost more than readers accept, unless they did before.
///
/// # Errors
/// [`SlotError::TooCostly`]; what the change fails with.
pub fn within_cost(path: &Path, file: &mut Unlocked, edit: impl FnOnce(&mut Unlocked) -> Result<()>) -> Result<()> {
    let before = cost(file);
    edit(file)?;
    if cost(file) > MAX_COST.max(before) { Err(SlotError::TooCostly(path.into()).into()) } else { Ok(()) }
}

fn cost(file: &Unlocked) -> u64 {
    let of_slot =
        |slot: SlotInfo| if let SlotType::Password { work_factor } = slot.kind { 1 << work_factor } else { 0 };
    file.locked().slots().into_iter().map(of_slot).sum()
}

fn slots_of(
    opened: &Opened,
    matches: &[Match],
    credentials: &[Credential],
    flags: &Flags,
    renewed: &Renewed,
    also: &Also<'_>,
) -> Result<Vec<NewSlot>> {
    let (path, slots) = (opened.path(), opened.unlocked.locked().slots());
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    for slot in slots {
        if flags.drop_slot.contains(&slot.id) || matches!(also, Also::Remove(id) if **id == slot.id) {
            continue;
        }
        let given = || matches.iter().find(|(id, _)| *id == slot.id).map(|(_, place)| &credentials[*place]);
        let credential = match (also, renewed.of(&slot.id)) {
            (Also::Replace(id, credential), _) if **id == slot.id => Some(credential.duplicate()),
            (_, Some(_)) if slot.kind != SlotType::RawKey => return Err(SlotError::NotRaw(slot).into()),
            (_, Some(key)) => Some(Credential::RawKey(key.duplicate())),
            _ => given().map(Credential::duplicate),
        };
        match credential {
            Some(credential) => kept.push(NewSlot { id: slot.id, credential, work_factor: flags.work_factor }),
            None => missing.push(format!("{} ({})", slot.id.as_str(), slot.kind.name())),
        }
    }
    if !missing.is_empty() {
        return Err(SlotError::SecretsMissing { path: path.into(), slots: missing }.into());
    }
    check_result(path, &kept)?;
    Ok(kept)
}

/// Refuses ids that no file has a slot of, and contradictions.
fn check_ids(held: &WithSlots, flags: &Flags, also: &Also<'_>) -> std::result::Result<(), SlotError> {
    let (removed, replaced) = match also {
        Also::Nothing => (None, None),
        Also::Remove(id) => (Some(*id), None),
        Also::Replace(id, _) => (None, Some(*id)),
    };
    let named = || flags.renew.iter().chain(&flags.drop_slot).chain(removed).chain(replaced);
    must_be_there(named(), held.files.iter().map(|(opened, _)| opened.unlocked.locked()))?;
    let is_kept = |id: &SlotId| flags.renew.contains(id) || replaced == Some(id);
    let is_left_out = |id: &&SlotId| flags.drop_slot.contains(id) || removed == Some(*id);
    match named().find(|id| is_left_out(id) && is_kept(id)) {
        Some(id) => Err(SlotError::Contradiction(id.clone())),
        None => Ok(()),
    }
}

/// Refuses ids that none of the files has a slot of.
///
/// # Errors
/// [`SlotError::NoSuchSlot`].
pub fn must_be_there<'f>(
    ids: impl IntoIterator<Item = &'f SlotId>,
    files: impl Iterator<Item = &'f Locked>,
) -> std::result::Result<(), SlotError> {
    let mut present: Vec<SlotId> = Vec::new();
    for slot in files.flat_map(Locked::slots) {
        if !present.contains(&slot.id) {
            present.push(slot.id);
        }
    }
    let Some(id) = ids.into_iter().find(|id| !present.contains(id)) else { return Ok(()) };
    let present = present.iter().map(SlotId::as_str).collect::<Vec<_>>().join(", ");
    Err(SlotError::NoSuchSlot { id: id.clone(), present })
}

fn check_result(path: &Path, kept: &[NewSlot]) -> Result<()> {
    if kept.is_empty() {
        return Err(SlotError::NoneLeft(path.into()).into());
    }
    let cost = |slot: &NewSlot| if slot.credential.is_password() { 1_u64 << slot.work_factor } else { 0 };
    if kept.iter().map(cost).sum::<u64>() > MAX_COST {
        return Err(SlotError::TooCostly(path.into()).into());
    }
    Ok(())
}

/// `password (scrypt), ci (raw, a new key)`: the slots of a plan.
pub fn in_words(plan: &[NewSlot], renewed: &Renewed) -> String {
    let word = |slot: &NewSlot| {
        let kind = if slot.credential.is_password() { "scrypt" } else { "raw" };
        let new = if renewed.of(&slot.id).is_some() { ", a new key" } else { "" };
        format!("{} ({kind}{new})", slot.id.as_str())
    };
    plan.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::system_rng;
    use crate::sealed::{Password, RawKey};
    use crate::secret::SecretText;

    #[test]
    fn what_a_file_costs_to_open_is_bounded() {
        let password = |work_factor| {
            let credential = Credential::Password(Password::new(&SecretText::from("password")).unwrap());
            NewSlot { id: SlotId::parse("password").unwrap(), credential, work_factor }
        };
        let raw = || NewSlot { work_factor: 20, ..NewSlot::raw_key(RawKey::generate(&mut system_rng())) };
        let refusal = |kept: &[NewSlot]| {
            check_result(Path::new("f"), kept).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refusal(&[password(20), password(20), raw()]), "");
        let expected = "f: its password slots together would cost more than readers accept";
        assert_eq!(refusal(&[password(20), password(20), password(14)]), expected);
    }
}
