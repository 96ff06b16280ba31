//! Two changes of one draft made into one: entry by entry, and the lines in the order of whoever moved them.

use crate::formats::buffer::{Complaint, Content, Draft, Entry, Line};
use crate::vars::VarName;
use std::collections::{BTreeMap, BTreeSet};

/// Both changes in one draft.
pub struct Merged {
    /// Where both changed the same, what `mine` has.
    pub draft: Draft,
    /// What both changed, with the line of `mine`'s draft where it stands in the text.
    pub conflicts: Vec<Conflict>,
}

/// Something that both changed.
pub enum Conflict {
    /// A name, and what the other has there; `None` where the other removed it.
    Name(VarName, Option<Entry>),
    /// Comments, blank lines or the order, with the comments that only the other has.
    Lines(Vec<String>),
}

type Entries<'d> = BTreeMap<&'d VarName, &'d Entry>;

/// Joins what became of `base` in two ways.
pub fn merge(base: &Draft, mine: &Draft, theirs: &Draft) -> Merged {
    let [of_base, of_mine, of_theirs] = [base, mine, theirs].map(entries);
    let mut conflicts = Vec::new();
    let mut result: Entries<'_> = BTreeMap::new();
    let mut names: Vec<&VarName> = of_mine.keys().chain(of_theirs.keys()).copied().collect();
    names.sort();
    names.dedup();
    for name in names {
        let [was, is, other] = [&of_base, &of_mine, &of_theirs].map(|entries| entries.get(name).copied());
        let chosen = if same(is, was) {
            other
        } else if same(other, was) || same(is, other) {
            is
        } else {
            conflicts.push(Conflict::Name(name.clone(), other.map(Entry::duplicate)));
            is.or(other)
        };
        result.extend(chosen.map(|entry| (name, entry)));
    }
    let moved = |side: &Draft| layout(base, &entries(side)) != layout(side, &of_base);
    let (i_moved, they_moved) = (moved(mine), moved(theirs));
    if i_moved && they_moved && layout(mine, &of_theirs) != layout(theirs, &of_mine) {
        conflicts.push(Conflict::Lines(comments_of_one(theirs, [base, mine])));
    }
    let (first, second) = if they_moved && !i_moved { (theirs, mine) } else { (mine, theirs) };
    Merged { draft: arranged(first, second, &result), conflicts }
}

impl Conflict {
    /// What a person is told of it, above the line where it stands in the text of the draft.
    pub fn complaint(self, draft: &Draft) -> Vec<Complaint> {
        match self {
            Conflict::Name(name, theirs) => {
                let what = match theirs {
                    Some(_) => format!(
                        "somebody else changed {name} too, to what stands below; without this line, yours is taken"
                    ),
                    None => format!("somebody else removed {name}; without this line, it stays"),
                };
                let lines = draft.lines.iter();
                let line =
                    lines.filter(|line| line.entry().is_some_and(|entry| entry.name == name)).map(|line| line.number);
                let line = line.max().unwrap_or(1);
                vec![Complaint { line, what, theirs: theirs.map(Content::Entry) }]
            }
            Conflict::Lines(theirs) => {
                let what =
                    "somebody else changed comments, blank lines or the order too; without this line, yours are taken";
                let first = Complaint::new(1, what);
                let of_theirs = |comment| Complaint {
                    line: 1,
                    what: "a comment that somebody else wrote, and that is not here".to_owned(),
                    theirs: Some(Content::Text(comment)),
                };
                std::iter::once(first).chain(theirs.into_iter().map(of_theirs)).collect()
            }
        }
    }

    /// The names, for somebody who has no editor open.
    pub fn name(&self) -> Option<&VarName> {
        match self {
            Conflict::Name(name, _) => Some(name),
            Conflict::Lines(_) => None,
        }
    }
}

fn entries(draft: &Draft) -> Entries<'_> {
    draft.entries().map(|entry| (&entry.name, entry)).collect()
}

fn same(a: Option<&Entry>, b: Option<&Entry>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, None) => true,
        _ => false,
    }
}

/// A line without what an entry holds.
#[derive(PartialEq, Eq)]
enum Shape<'d> {
    Text(&'d str),
    Name(&'d VarName),
}

/// The lines without those entries that `other` has not.
fn layout<'d>(draft: &'d Draft, other: &Entries<'_>) -> Vec<Shape<'d>> {
    let shape = |line: &'d Line| match &line.content {
        Content::Text(text) => Some(Shape::Text(text.trim_end())),
        Content::Entry(entry) => other.contains_key(&entry.name).then_some(Shape::Name(&entry.name)),
    };
    draft.lines.iter().filter_map(shape).collect()
}

/// The comments of a draft that none of the others has.
fn comments_of_one(draft: &Draft, others: [&Draft; 2]) -> Vec<String> {
    let known: BTreeSet<&str> = others.iter().flat_map(|draft| draft.lines.iter().filter_map(Line::comment)).collect();
    let comments = draft.lines.iter().filter_map(Line::comment);
    comments.filter(|comment| !known.contains(comment)).map(str::to_owned).collect()
}

/// The lines of `first` with these entries; those that only `second` has come after the entry that they follow there.
fn arranged(first: &Draft, second: &Draft, entries: &Entries<'_>) -> Draft {
    let mut draft = Draft::default();
    for line in &first.lines {
        match &line.content {
            Content::Text(_) => draft.lines.push(line.duplicate()),
            Content::Entry(entry) => draft.lines.extend(entries.get(&entry.name).map(|entry| of(entry))),
        }
    }
    let mut there: BTreeSet<VarName> = draft.entries().map(|entry| entry.name.clone()).collect();
    let mut before: Option<&VarName> = None;
    for entry in second.entries().filter_map(|entry| entries.get(&entry.name)) {
        if there.insert(entry.name.clone()) {
            let follows = |line: &Line| line.entry().is_some_and(|other| Some(&other.name) == before);
            let at = draft.lines.iter().position(follows).map_or(draft.lines.len(), |at| at + 1);
            draft.lines.insert(at, of(entry));
        }
        before = Some(&entry.name);
    }
    draft
}

fn of(entry: &Entry) -> Line {
    Line { number: 0, content: Content::Entry(entry.duplicate()) }
}
