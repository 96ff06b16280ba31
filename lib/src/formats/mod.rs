//! The interchange formats, one file each, both directions side by side where both exist (`docs/formats.md`).
//!
//! Every way out is exact or refuses: what a format cannot carry is named, with the reason, and nothing is printed.

pub mod buffer;
pub mod docker;
pub mod dotenv;
pub mod env0;
mod error;
mod escape;
mod expand;
pub mod fish;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod powershell;
pub mod seed;
pub mod shell;
pub mod yaml;

pub use error::{ImportError, NotCarried, Problem};

use crate::dotenv::MAX_LINES;
use crate::secret::SecretText;
use crate::vars::{Value, VarName, Vars};
use error::Complaints;
use std::collections::BTreeSet;

/// What a foreign text brings along, in its order.
#[derive(Default)]
pub struct Incoming {
    /// Comments, blank lines and entries.
    pub items: Vec<Item>,
    /// What the user should know about the text: lines and names, never values.
    pub notes: Vec<String>,
}

/// A line, or several, of a foreign text.
pub enum Item {
    /// A comment, starting with its `#`.
    Comment(String),
    /// An empty line.
    Blank,
    /// A variable.
    Entry(VarName, Value),
}

impl Incoming {
    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &VarName> {
        self.entries().map(|(name, _)| name)
    }

    /// The variables, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&VarName, &Value)> {
        self.items.iter().filter_map(|item| match item {
            Item::Entry(name, value) => Some((name, value)),
            Item::Comment(_) | Item::Blank => None,
        })
    }
}

/// The entries of a text that is nothing but entries, each with its place in messages; a name stands once.
fn collect(
    source_name: &str,
    entries: impl Iterator<Item = (usize, Result<(VarName, Value), String>)>,
) -> Result<Incoming, ImportError> {
    let (mut incoming, mut wrong, mut seen) = (Incoming::default(), Complaints::new(source_name), BTreeSet::new());
    for (place, entry) in entries {
        match entry {
            Ok((name, _)) if !seen.insert(name.clone()) => wrong.add(place, format!("{name}: stands twice")),
            Ok((name, value)) => incoming.items.push(Item::Entry(name, value)),
            Err(what) => wrong.add(place, what),
        }
        if wrong.is_full() {
            break;
        }
    }
    wrong.or(incoming)
}

/// A text from what `print` appends for each variable: its buffer, the name, the value.
fn printed(vars: &Vars, print: impl Fn(&mut SecretText, &str, &str)) -> SecretText {
    let length = |(name, value): (&VarName, &Value)| name.as_str().len() + value.expose().len() + 16;
    let mut text = SecretText::with_capacity(vars.iter().map(length).sum());
    for (name, value) in vars.iter() {
        print(&mut text, name.as_str(), value.expose());
    }
    text
}

/// Refuses all variables that `why` gives a reason for.
fn refuse(
    vars: &Vars,
    format: &'static str,
    why: impl Fn(&str, &str) -> Option<&'static str>,
) -> Result<(), NotCarried> {
    let reason = |(name, value): (&VarName, &Value)| Some((name.clone(), why(name.as_str(), value.expose())?));
    let names: Vec<_> = vars.iter().filter_map(reason).collect();
    if names.is_empty() { Ok(()) } else { Err(NotCarried { format, names }) }
}
