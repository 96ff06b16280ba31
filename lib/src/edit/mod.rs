//! What a person made of the text of a sealed file: checked, joined with what others did meanwhile, brought into the file.

mod merge;

pub use merge::{Conflict, Merged, merge};

use crate::child;
use crate::error::{Error, Failure, Status};
use crate::formats::buffer::{self, Complaint, Content, Draft, Entry, Line};
use crate::project::Declaration;
use crate::sealed::{BodyLine, Locked, SealedError, Storage, Unfinished, Unlocked, Utc};
use crate::secret::Secret;
use crate::validation::{self, Advice};
use crate::vars::VarName;
use rand::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// What cannot go into the file as it is.
pub struct Refused {
    /// The reasons, by line.
    pub complaints: Vec<Complaint>,
    /// The same for somebody who has no editor open.
    pub error: Error,
}

/// A text that is not what a sealed file can hold.
#[derive(Debug, thiserror::Error)]
#[error("the edited text: {}{}", .first, if *.more > 0 { format!(" (and {} more)", .more) } else { String::new() })]
pub struct BadText {
    first: String,
    more: usize,
}

impl Failure for BadText {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was changed".into())
    }
}

impl From<Vec<Complaint>> for Refused {
    fn from(complaints: Vec<Complaint>) -> Self {
        let first = complaints.iter().min_by_key(|complaint| complaint.line);
        let first = first.map_or(String::new(), |complaint| format!("line {}: {}", complaint.line, complaint.what));
        let error = BadText { first, more: complaints.len().saturating_sub(1) }.into();
        Refused { complaints, error }
    }
}

/// The lines of an opened file with their values.
///
/// # Errors
/// [`SealedError::Value`].
pub fn draft_of(file: &Unlocked) -> Result<Draft, SealedError> {
    let mut values: BTreeMap<&VarName, _> = BTreeMap::new();
    for entry in file.entries() {
        let (name, _, value) = entry?;
        values.insert(name, value);
    }
    let mut draft = Draft::default();
    for line in file.locked().body_lines() {
        let content = match line {
            BodyLine::Comment(text) | BodyLine::Blank(text) => Content::Text(text.to_owned()),
            BodyLine::Entry(name) | BodyLine::Plain { name, .. } => {
                let value = values.remove(name).ok_or_else(|| SealedError::not_there(name))?;
                Content::Entry(Entry { name: name.clone(), value, plain: file.locked().plain_text(name) })
            }
        };
        draft.lines.push(Line { number: 0, content });
    }
    Ok(draft)
}

/// What is checked of a draft.
pub struct Rules<'r> {
    /// What was opened.
    pub file: &'r Locked,
    /// What is declared, if anything is.
    pub declaration: Option<&'r Declaration>,
    /// Take comments of the form `# NAME=value`.
    pub keep_comment_values: bool,
}

impl Rules<'_> {
    /// Checks what changed against what was opened; returns the names that age.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self, base: &Draft, mine: &Draft) -> Result<BTreeSet<VarName>, Refused> {
        let known: BTreeMap<&VarName, &Entry> = base.entries().map(|entry| (&entry.name, entry)).collect();
        let changed: Vec<(usize, &Entry)> = mine
            .lines
            .iter()
            .filter_map(|line| Some((line.number, line.entry()?)))
            .filter(|(_, entry)| known.get(&entry.name).is_none_or(|old| !old.is_same(entry)))
            .collect();
        let mut complaints = Vec::new();
        for (line, entry) in &changed {
            let withheld = child::check_name(&entry.name).err().map(|error| error.to_string());
            let rotating = self.rotating(&entry.name, entry.plain.is_some());
            complaints.extend(withheld.or(rotating).map(|what| Complaint::new(*line, what)));
        }
        let left: BTreeSet<&VarName> = mine.entries().map(|entry| &entry.name).collect();
        let removed = known.keys().filter(|name| !left.contains(**name));
        complaints.extend(removed.filter_map(|name| Some(Complaint::new(1, self.rotating(name, false)?))));
        complaints.append(&mut self.values_in_comments(base, mine));
        if complaints.is_empty() { self.declared(&changed) } else { Err(complaints.into()) }
    }

    /// Why a name cannot change in the midst of its rotation.
    fn rotating(&self, name: &VarName, becomes_plain: bool) -> Option<String> {
        let rotation = self.file.rotation(name.as_str())?;
        let state = match (rotation.pending_since, rotation.previous_until) {
            (Some(_), _) => Unfinished::Pending,
            (None, Some(_)) if becomes_plain => Unfinished::Grace,
            _ => return None,
        };
        let error = SealedError::Rotating { name: name.clone(), state };
        let hint = error.hint().map_or(String::new(), |hint| format!(" ({hint})"));
        Some(format!("{error}{hint}"))
    }

    /// A comment is readable by everybody, and `#` before a line is how people switch it off.
    fn values_in_comments(&self, base: &Draft, mine: &Draft) -> Vec<Complaint> {
        const SHORTEST: usize = 8;
        let old: BTreeSet<&str> = base.lines.iter().filter_map(Line::comment).collect();
        let secrets = || base.entries().chain(mine.entries()).filter(|entry| entry.plain.is_none());
        let public: BTreeSet<&str> =
            mine.entries().filter(|entry| entry.plain.is_some()).map(|entry| entry.name.as_str()).collect();
        let shown_by = |comment: &str| {
            let shows = |entry: &&Entry| {
                let lines = entry.value.expose().lines().map(str::trim);
                lines.filter(|line| line.len() >= SHORTEST).any(|line| comment.contains(line))
            };
            secrets().find(shows).map(|entry| entry.name.as_str())
        };
        let complaint = |line: &Line| {
            let comment = line.comment().filter(|comment| !old.contains(comment))?;
            let named = || buffer::name_in_comment(comment).filter(|name| !public.contains(name));
            let name = shown_by(comment).or_else(|| named().filter(|_| !self.keep_comment_values))?;
            let what = format!("the comment holds a value of {name}, and everybody can read comments: take it out");
            Some(Complaint::new(line.number, what))
        };
        mine.lines.iter().filter_map(complaint).collect()
    }

    fn declared(&self, changed: &[(usize, &Entry)]) -> Result<BTreeSet<VarName>, Refused> {
        let Some(declaration) = self.declaration else { return Ok(BTreeSet::new()) };
        let values = changed.iter().map(|(_, entry)| (&entry.name, &entry.value, storage(entry)));
        let failed = |error: Error| Refused { complaints: vec![Complaint::new(1, error.to_string())], error };
        let checked = validation::check_declared(declaration, values).map_err(failed)?;
        let Some(mut invalid) = checked.invalid else { return Ok(checked.aging) };
        let line = |name: &str| changed.iter().find(|(_, entry)| entry.name.as_str() == name).map(|(line, _)| *line);
        let complaints = invalid.problems.iter().map(|problem| {
            let line = problem.name.as_deref().and_then(line).unwrap_or(1);
            Complaint::new(line, problem.to_string())
        });
        let complaints = complaints.collect();
        invalid.advice = Advice::None;
        Err(Refused { complaints, error: invalid.into() })
    }
}

fn storage(entry: &Entry) -> Storage {
    if entry.plain.is_some() { Storage::Plain } else { Storage::Secret }
}

/// Makes the file what a draft says: tokens of values that stay are kept byte for byte.
///
/// # Errors
/// [`SealedError::Rotating`]; what the format refuses.
pub fn apply(
    file: &mut Unlocked,
    draft: &Draft,
    aging: &BTreeSet<VarName>,
    now: Utc,
    rng: &mut dyn CryptoRng,
) -> Result<(), SealedError> {
    let left: BTreeSet<&VarName> = draft.entries().map(|entry| &entry.name).collect();
    let gone = file.locked().names().filter_map(|(name, _)| VarName::try_from(name).ok());
    let gone: Vec<VarName> = gone.filter(|name| !left.contains(name)).collect();
    for name in &gone {
        if file.locked().rotation(name.as_str()).is_some_and(|rotation| rotation.pending_since.is_some()) {
            return Err(SealedError::Rotating { name: name.clone(), state: Unfinished::Pending });
        }
    }
    file.unset(&gone);
    for entry in draft.entries().filter(|entry| entry.plain.is_none()) {
        let is_new = file.set(&entry.name, &entry.value, Some(Storage::Secret), now, rng)?;
        if is_new && aging.contains(&entry.name) {
            file.note_age(&entry.name, now);
        }
    }
    let lines: Vec<BodyLine<'_>> = draft.lines.iter().map(body_line).collect();
    file.rewrite(&lines, now)?;
    Ok(())
}

fn body_line(line: &Line) -> BodyLine<'_> {
    match &line.content {
        Content::Text(text) if text.starts_with('#') => BodyLine::Comment(text),
        Content::Text(text) => BodyLine::Blank(text),
        Content::Entry(Entry { name, value, plain }) => match plain {
            Some(text) => BodyLine::Plain { name, text, value },
            None => BodyLine::Entry(name),
        },
    }
}

/// The parsed text.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(text: &Secret, help: &[String]) -> Result<Draft, Refused> {
    buffer::parse(text, help).map_err(Refused::from)
}
