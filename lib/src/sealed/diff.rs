//! What two revisions of a file differ in, name by name. Comments, quoting and line ends do not count.

use super::body::{Content, Entry, Storage};
use super::error::SealedError;
use super::header::{Header, LineKind};
use super::locked::Locked;
use super::unlocked::Unlocked;
use crate::crypto;
use crate::vars::VarName;

/// One of two revisions, as far as it can be read.
pub enum Revision {
    /// Its seal holds, and its values are known.
    Verified(Box<Unlocked>),
    /// Nobody vouches for it.
    Unverified(Box<Locked>),
}

impl Revision {
    /// What is known without a key.
    pub fn locked(&self) -> &Locked {
        match self {
            Revision::Verified(unlocked) => unlocked.locked(),
            Revision::Unverified(locked) => locked,
        }
    }

    /// The opened file, if it is.
    pub fn unlocked(&self) -> Option<&Unlocked> {
        match self {
            Revision::Verified(unlocked) => Some(unlocked),
            Revision::Unverified(_) => None,
        }
    }
}

/// A name that is not the same in both.
pub struct NameDifference {
    /// The name.
    pub name: VarName,
    /// How the old one stores it, if it has it.
    pub old: Option<Storage>,
    /// How the new one stores it, if it has it.
    pub new: Option<Storage>,
    /// Whether it has another value, of a name that both have.
    pub value: Comparison,
    /// Whether it stands elsewhere among the names that both have.
    pub moved: bool,
    /// Whether its rotation is another one: its old or its next value, or their times.
    pub rotation: bool,
}

impl NameDifference {
    /// Whether nothing but its place is another one.
    pub fn is_only_moved(&self) -> bool {
        self.moved && self.old == self.new && !self.rotation && self.value != Comparison::Different
    }
}

/// What is known of two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// They are not.
    Different,
    /// Encrypted under two data keys, and nobody decrypted them.
    Unknown,
}

/// A slot, or a header line of an unknown kind, that is not the same in both.
pub struct LineDifference {
    /// `slot ci`, or the kind of the line.
    pub what: String,
    /// Whether the old one has it.
    pub old: bool,
    /// Whether the new one has it.
    pub new: bool,
}

/// All that two revisions differ in.
pub struct Differences {
    /// Removed names in the old order, then the others in the new order.
    pub names: Vec<NameDifference>,
    /// Encrypted names that both have, of which nobody can tell whether their values are the same.
    pub unknown: Vec<VarName>,
    /// Slots and unknown header lines.
    pub lines: Vec<LineDifference>,
    /// The labels, if they are not the same.
    pub label: Option<(Option<String>, Option<String>)>,
    /// Whether the data key is another one.
    pub data_key: bool,
    /// Whether it is another file altogether, not another revision.
    pub file: bool,
}

impl Differences {
    /// Compares two revisions, by their values where both are verified.
    ///
    /// # Errors
    /// [`SealedError::Value`] for one that does not decrypt.
    pub fn between(old: &Revision, new: &Revision) -> Result<Self, SealedError> {
        let (a, b) = (old.locked(), new.locked());
        let labels = [a, b].map(|file| file.label().map(|label| label.as_str().to_owned()));
        let [old_label, new_label] = labels;
        let (names, unknown) = names(old, new)?;
        Ok(Differences {
            names,
            unknown,
            lines: lines(&a.header, &b.header),
            label: (old_label != new_label).then_some((old_label, new_label)),
            data_key: a.key_id() != b.key_id(),
            file: a.file_id() != b.file_id(),
        })
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        let header = self.label.is_some() || self.data_key || self.file || !self.lines.is_empty();
        !header && self.names.is_empty() && self.unknown.is_empty()
    }
}

fn names(old: &Revision, new: &Revision) -> Result<(Vec<NameDifference>, Vec<VarName>), SealedError> {
    let (a, b) = (old.locked(), new.locked());
    let gone = a.body.entries().iter().filter(|entry| b.body.find(&entry.name).is_none());
    let mut names: Vec<_> = gone.map(|entry| one_sided(entry, Some(entry.storage()), None)).collect();
    // Moved names come in the order of the new file.
    let (mut unknown, mut moved) = (Vec::new(), moved(a, b).into_iter().peekable());
    for entry in b.body.entries() {
        let Some(before) = a.body.find(&entry.name) else {
            names.push(one_sided(entry, None, Some(entry.storage())));
            continue;
        };
        let value = compare(old, new, before, entry)?;
        if value == Comparison::Unknown {
            unknown.push(entry.name.clone());
        }
        let difference = NameDifference {
            name: entry.name.clone(),
            old: Some(before.storage()),
            new: Some(entry.storage()),
            value,
            moved: moved.next_if(|name| *name == entry.name).is_some(),
            rotation: rotation(a, &entry.name) != rotation(b, &entry.name),
        };
        let is_other_kind = before.storage() != entry.storage();
        // After a new data key every rotation line with a token is another one.
        let is_rotated = difference.rotation && a.key_id() == b.key_id();
        if value == Comparison::Different || is_other_kind || difference.moved || is_rotated {
            names.push(difference);
        }
    }
    Ok((names, unknown))
}

fn one_sided(entry: &Entry, old: Option<Storage>, new: Option<Storage>) -> NameDifference {
    let name = entry.name.clone();
    NameDifference { name, old, new, value: Comparison::Different, moved: false, rotation: false }
}

/// The text of a name's rotation line.
fn rotation(file: &Locked, name: &VarName) -> Option<String> {
    file.header.rotation_of(name).map(|(_, rotation)| rotation.to_string())
}

fn compare(old: &Revision, new: &Revision, before: &Entry, after: &Entry) -> Result<Comparison, SealedError> {
    let (a, b) = (old.locked(), new.locked());
    let is = |same: bool| if same { Comparison::Same } else { Comparison::Different };
    if let (Revision::Verified(old), Revision::Verified(new)) = (old, new) {
        let value = old.get(&before.name)?;
        new.get(&after.name)?; // one that does not decrypt is no other value
        return Ok(is(value.is_some_and(|value| new.holds(&after.name, &value))));
    }
    Ok(match (&before.content, &after.content) {
        (Content::Plain, Content::Plain) => {
            let (old, new) = (a.body.plain_value(before), b.body.plain_value(after));
            is(crypto::equal(old.expose().as_bytes(), new.expose().as_bytes()))
        }
        (Content::Token(old), Content::Token(new)) if a.key_id() == b.key_id() => is(old == new),
        _ => Comparison::Unknown,
    })
}

/// The fewest names that have to be moved to come from one order to the other: all that are not on a longest run of names
/// that both have in the same order.
fn moved(old: &Locked, new: &Locked) -> Vec<VarName> {
    let place = |entry: &Entry| old.body.place(&entry.name);
    let mut common: Vec<&Entry> = new.body.entries().iter().filter(|entry| place(entry).is_some()).collect();
    let order: Vec<usize> = common.iter().filter_map(|entry| place(entry)).collect();
    let mut staying = longest_rising(&order).into_iter().peekable();
    common.retain(|entry| staying.next_if_eq(&place(entry).unwrap_or_default()).is_none());
    common.into_iter().map(|entry| entry.name.clone()).collect()
}

/// A longest rising run of distinct numbers, gaps allowed (patience sorting).
pub(super) fn longest_rising(numbers: &[usize]) -> Vec<usize> {
    // Of all runs of a length, where the one ends that ends lowest; and what stands before each number in its run.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run: Vec<usize> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| numbers[at]).collect();
    run.reverse();
    run
}

/// Slots by their ids, other lines by their text.
fn lines(old: &Header, new: &Header) -> Vec<LineDifference> {
    let (a, b) = (named_lines(old), named_lines(new));
    let differs = |(what, text): &(String, &str), others: &[(String, &str)]| {
        !others.iter().any(|(other, known)| other == what && known == text)
    };
    let mut found: Vec<LineDifference> = Vec::new();
    for line in a.iter().filter(|line| differs(line, &b)) {
        let new = line.0.starts_with(SLOT) && b.iter().any(|(what, _)| *what == line.0);
        found.push(LineDifference { what: line.0.clone(), old: true, new });
    }
    for line in b.iter().filter(|line| differs(line, &a)) {
        if !found.iter().any(|known| known.what == line.0 && known.new) {
            found.push(LineDifference { what: line.0.clone(), old: false, new: true });
        }
    }
    found
}

const SLOT: &str = "slot ";

/// Slots and lines of unknown kinds with their names: `slot ci`, or the kind.
fn named_lines(header: &Header) -> Vec<(String, &str)> {
    let name = |line: &super::header::Line| match &line.kind {
        LineKind::Slot(slot) => Some(format!("{SLOT}{}", slot.id.as_str())),
        LineKind::Rotation(_) => None,
        LineKind::Unknown => Some(line.text.split(' ').next().unwrap_or_default().to_owned()),
    };
    header.lines.iter().filter_map(|line| Some((name(line)?, line.text.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_moved_when_nothing_else_of_it_changed() {
        let difference = |moved, new, value, rotation| NameDifference {
            name: "N".parse().unwrap(),
            old: Some(Storage::Secret),
            new: Some(new),
            value,
            moved,
            rotation,
        };
        for (moved, new, value, rotation, expected) in [
            (true, Storage::Secret, Comparison::Same, false, true),
            (true, Storage::Secret, Comparison::Unknown, false, true),
            (false, Storage::Secret, Comparison::Same, false, false),
            (true, Storage::Plain, Comparison::Same, false, false),
            (true, Storage::Secret, Comparison::Different, false, false),
            (true, Storage::Secret, Comparison::Same, true, false),
        ] {
            assert_eq!(difference(moved, new, value, rotation).is_only_moved(), expected);
        }
    }

    #[test]
    fn a_longest_rising_run_is_found() {
        for (numbers, length) in [
            (&[][..], 0),
            (&[7], 1),
            (&[0, 1, 2], 3),
            (&[2, 1, 0], 1),
            (&[1, 2, 3, 0], 3),
            (&[3, 0, 1, 2], 3),
            (&[0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], 6),
        ] {
            let run = longest_rising(numbers);
            assert_eq!(run.len(), length, "{numbers:?}");
            assert!(run.is_sorted(), "{run:?}");
            let mut rest = numbers.iter();
            assert!(run.iter().all(|number| rest.any(|other| other == number)), "{run:?} is not in {numbers:?}");
        }
    }
}
