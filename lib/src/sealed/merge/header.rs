//! The header of merged files: slots united, rotation lines with the values that they belong to, other lines by their text.

use super::{HeaderConflict, Merge, Pick, has_key_of, pick, same_token};
use crate::sealed::body::{Body, Storage};
use crate::sealed::error::SealedError;
use crate::sealed::header::{Line, LineKind, Rotation, Slot, SlotId, SlotKind};
use crate::sealed::keys::Purpose;
use crate::sealed::rotation::UNKNOWN;
use crate::sealed::unlocked::Unlocked;
use crate::sealed::utc::Utc;
use crate::vars::VarName;
use rand::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// The lines between magic and seal.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) conflicts: Vec<HeaderConflict>,
    pub(super) blocks: Vec<Block>,
}

/// The texts of a header line that cannot be merged.
pub(super) struct Block {
    pub(super) main: Option<String>,
    pub(super) other: Option<String>,
}

impl Block {
    pub(super) fn is_of(&self, line: &Line) -> bool {
        self.main.as_ref() == Some(&line.text)
    }
}

/// A token of a rotation line with its time.
type Timed = Option<(Vec<u8>, Utc)>;

fn token(rotation: &Rotation, purpose: Purpose) -> &Timed {
    if purpose == Purpose::Pending { &rotation.pending } else { &rotation.previous }
}

fn rotation_of<'u>(file: &'u Unlocked, name: &VarName) -> Option<&'u Rotation> {
    file.file.header.rotation_of(name).map(|(_, rotation)| rotation)
}

fn slot_of<'u>(file: &'u Unlocked, id: &SlotId) -> Option<&'u Line> {
    file.file.header.lines.iter().find(|line| id_of(line) == Some(id))
}

fn id_of(line: &Line) -> Option<&SlotId> {
    if let LineKind::Slot(slot) = &line.kind { Some(&slot.id) } else { None }
}

fn has_line(file: &Unlocked, line: &Line) -> bool {
    file.file.header.lines.iter().any(|known| known.text == line.text)
}

/// A token with its time and the file that it is in.
type Held<'u> = Option<(&'u Unlocked, &'u (Vec<u8>, Utc))>;

fn same_timed(purpose: Purpose, name: &VarName) -> impl Fn(Held<'_>, Held<'_>) -> Result<bool, SealedError> {
    move |a, b| match (a, b) {
        (Some((a, (one, of_one))), Some((b, (two, of_two)))) => {
            Ok(of_one == of_two && same_token(purpose, name, (a, one), (b, two))?)
        }
        _ => Ok(a.is_none() && b.is_none()),
    }
}

impl<'u> Merge<'u> {
    fn sides(&self) -> [Option<&'u Unlocked>; 3] {
        [self.base, Some(self.main), Some(self.other)]
    }

    fn tokens(&self, name: &VarName, purpose: Purpose) -> [Held<'u>; 3] {
        self.sides().map(|file| {
            let file = file?;
            Some((file, token(rotation_of(file, name)?, purpose).as_ref()?))
        })
    }

    fn pick_token(&self, name: &VarName, purpose: Purpose) -> Result<Pick, SealedError> {
        pick(self.tokens(name, purpose), same_timed(purpose, name))
    }

    /// A value is not merged where its rotation is not: an old or a next value belongs to the one that it was kept for.
    pub(super) fn with_rotation(&self, name: &VarName, value: Pick) -> Result<Pick, SealedError> {
        for purpose in [Purpose::Previous, Purpose::Pending] {
            let [_, main, other] = self.tokens(name, purpose);
            match (value, self.pick_token(name, purpose)?) {
                (_, Pick::Conflict) => return Ok(Pick::Conflict),
                (Pick::Main, Pick::Other) if other.is_some() => return Ok(Pick::Conflict),
                (Pick::Other, Pick::Main) if main.is_some() => return Ok(Pick::Conflict),
                _ => {}
            }
        }
        Ok(value)
    }

    /// The lines for a merged body.
    pub(super) fn header_lines(
        &self,
        body: &Body,
        picks: &BTreeMap<VarName, Pick>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Lines, SealedError> {
        let mut merged = self.slots();
        self.unknown_lines(&mut merged);
        let mut seen = BTreeSet::new();
        let names = [self.main, self.other].into_iter().flat_map(|file| file.file.header.rotations());
        for name in names.map(|(_, rotation)| &rotation.name).filter(|name| seen.insert(*name)) {
            let is_secret = body.find(name).is_some_and(|entry| entry.storage() == Storage::Secret);
            let rotation = match picks.get(name) {
                _ if !is_secret => None,
                Some(Pick::Conflict) | None => rotation_of(self.main, name).cloned(),
                Some(_) => self.rotation(name, rng)?,
            };
            merged.lines.extend(rotation.map(Line::rotation));
        }
        let known = |line: &Line| matches!(&line.kind, LineKind::Slot(Slot { kind, .. }) if !matches!(kind, SlotKind::Unknown(_)));
        if !merged.lines.iter().any(known) {
            return Err(SealedError::LastSlot);
        }
        Ok(merged)
    }

    /// The rotation line of a name, part by part; of two times of a change the later one.
    fn rotation(&self, name: &VarName, rng: &mut dyn CryptoRng) -> Result<Option<Rotation>, SealedError> {
        let [base, main, other] = self.sides().map(|file| rotation_of(file?, name).map(|rotation| rotation.at));
        let at = match (base == main, base == other) {
            (_, true) => main,
            (true, false) => other,
            (false, false) => main.max(other),
        };
        let mut timed = |purpose| -> Result<Timed, SealedError> {
            let [_, main, other] = self.tokens(name, purpose);
            let (held, is_other) = match self.pick_token(name, purpose)? {
                Pick::Other => (other, true),
                _ => (main, false),
            };
            let Some((file, (token, time))) = held else { return Ok(None) };
            if is_other && !has_key_of(self.main, self.other) {
                return Ok(Some((file.token_under(&self.main.keys, purpose, name, token, rng)?, *time)));
            }
            Ok(Some((token.clone(), *time)))
        };
        let (previous, pending) = (timed(Purpose::Previous)?, timed(Purpose::Pending)?);
        if at.is_none() && previous.is_none() && pending.is_none() {
            return Ok(None);
        }
        Ok(Some(Rotation { name: name.clone(), at: at.unwrap_or(Utc::from_unix(UNKNOWN)), previous, pending }))
    }

    /// The slots. Those of the other side are for its own data key only.
    fn slots(&self) -> Lines {
        let mut merged = Lines::default();
        let same_key = has_key_of(self.main, self.other);
        let ids = |file: &'u Unlocked| file.file.header.lines.iter().filter_map(id_of);
        let of_other = ids(self.other).filter(|id| slot_of(self.main, id).is_none());
        for id in ids(self.main).chain(of_other) {
            let [base, main, other] = self.sides().map(|file| slot_of(file?, id));
            let text = |line: Option<&Line>| line.map(|line| line.text.clone());
            let other_changed = text(base) != text(other);
            let main_changed = text(base) != text(main);
            match (main, other) {
                (Some(main), Some(other)) if main.text == other.text || !other_changed => {
                    merged.lines.push(main.clone());
                }
                (Some(_), Some(other)) if same_key && !main_changed => merged.lines.push(other.clone()),
                (Some(main), Some(_)) => {
                    let conflict = match same_key {
                        true => HeaderConflict::Slot(id.clone()),
                        false => HeaderConflict::OldKey { id: id.clone(), side: self.other_side() },
                    };
                    merged.conflict(conflict, Some(main), other);
                }
                // Removed on either side stays removed.
                (Some(main), None) if base.is_none() => merged.lines.push(main.clone()),
                (None, Some(other)) if base.is_none() && same_key => merged.lines.push(other.clone()),
                (None, Some(_)) if base.is_none() => {
                    let conflict = HeaderConflict::OldKey { id: id.clone(), side: self.other_side() };
                    merged.conflict(conflict, None, other);
                }
                _ => {}
            }
        }
        merged
    }

    /// Lines that a later envsec knows: added on either side, removed on either side.
    fn unknown_lines(&self, merged: &mut Lines) {
        let is_unknown = |line: &&Line| matches!(line.kind, LineKind::Unknown);
        let in_base = |line: &Line| self.base.is_some_and(|base| has_line(base, line));
        let of = |file: &'u Unlocked| file.file.header.lines.iter().filter(is_unknown);
        for line in of(self.main).filter(|line| has_line(self.other, line) || !in_base(line)) {
            merged.lines.push(line.clone());
        }
        for line in of(self.other).filter(|line| !has_line(self.main, line) && !in_base(line)) {
            if has_key_of(self.main, self.other) {
                merged.lines.push(line.clone());
            } else {
                let kind = line.text.split(' ').next().unwrap_or_default();
                merged.conflict(HeaderConflict::Unknown(kind.to_owned()), None, Some(line));
            }
        }
    }
}

impl Lines {
    /// The result keeps the main side's line.
    fn conflict(&mut self, conflict: HeaderConflict, main: Option<&Line>, other: Option<&Line>) {
        let text = |line: Option<&Line>| line.map(|line| line.text.clone());
        self.conflicts.push(conflict);
        self.blocks.push(Block { main: text(main), other: text(other) });
        self.lines.extend(main.cloned());
    }
}
