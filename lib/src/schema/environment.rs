//! The variables that a declaration is checked against, from all sources.

use super::declared::Declared;
use super::node::{Nodes, Special};
use std::collections::BTreeMap;

/// Where the value of a variable comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The sealed file.
    File,
    /// The process's own environment.
    Process,
}

/// How a variable is stored in the sealed file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// Encrypted.
    Secret,
    /// Readable.
    Plain,
}

/// One variable.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds; `None` for what is not UTF-8, and where only names are known.
    pub value: Option<&'a str>,
    /// Where the value comes from.
    pub source: Source,
    /// How the sealed file has the name, if it has it.
    pub stored: Option<Stored>,
}

/// All variables that a child would get and the declaration could speak of: those of the sealed file, and of the process's
/// own those that [`super::Schema::speaks_of`].
pub struct Environment<'a> {
    /// Each name once; the file's in its order.
    pub entries: Vec<Entry<'a>>,
    /// The label of the sealed file.
    pub label: Option<&'a str>,
    /// Values are not known.
    pub names_only: bool,
    /// Whether a name is to be handed over at all.
    pub is_selected: &'a dyn Fn(&str) -> bool,
}

/// What an environment has under a name.
#[derive(Clone, Copy)]
pub(super) enum Member<'v> {
    Missing,
    /// An empty text, which counts as missing where it is not declared.
    Empty,
    Text(&'v str),
    /// A value that is not UTF-8.
    NotText,
    /// A value, but only names are known.
    Hidden,
}

/// An environment with the defaults of its declaration.
pub(super) struct View<'v> {
    pub(super) environment: &'v Environment<'v>,
    places: BTreeMap<&'v str, usize>,
    defaults: Vec<(&'v str, String)>,
    default_places: BTreeMap<&'v str, usize>,
    nodes: &'v Nodes,
    declared: &'v Declared,
}

impl<'v> View<'v> {
    pub(super) fn new(environment: &'v Environment<'v>, nodes: &'v Nodes, declared: &'v Declared) -> Self {
        let places = environment.entries.iter().enumerate().map(|(place, entry)| (entry.name, place)).collect();
        let (defaults, default_places) = (Vec::new(), BTreeMap::new());
        let mut view = View { environment, places, defaults, default_places, nodes, declared };
        view.defaults = declared.defaults(nodes).filter(|(name, _)| view.lacks(name)).collect();
        view.default_places = view.defaults.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        view
    }

    /// The defaults that hold in every case, of names that have no value.
    pub(super) fn defaults(&self) -> impl Iterator<Item = (&str, &str)> {
        self.defaults.iter().map(|(name, text)| (*name, text.as_str()))
    }

    /// Whether a default of this name would be handed over.
    pub(super) fn lacks(&self, name: &str) -> bool {
        (self.environment.is_selected)(name) && matches!(self.member(name), Member::Missing | Member::Empty)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&'v Entry<'v>> {
        self.place(name).map(|place| &self.environment.entries[place])
    }

    /// Where an entry of this name stands.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(super) fn has_names_only(&self) -> bool {
        self.environment.names_only
    }

    pub(super) fn member(&self, name: &str) -> Member<'_> {
        let default = || self.default_places.get(name).map(|place| Member::Text(&self.defaults[*place].1));
        match self.entry(name) {
            None => default().unwrap_or(Member::Missing),
            Some(_) if self.environment.names_only => Member::Hidden,
            Some(Entry { value: None, .. }) => Member::NotText,
            Some(Entry { value: Some(""), .. }) if !self.declared.admits(self.nodes, name, Special::Empty) => {
                default().unwrap_or(Member::Empty)
            }
            Some(Entry { value: Some(text), .. }) => Member::Text(text),
        }
    }

    pub(super) fn is_present(&self, name: &str) -> bool {
        !matches!(self.member(name), Member::Missing | Member::Empty)
    }

    /// Whether nobody asks for the name although it is required: it is not handed over, or `null` is declared.
    pub(super) fn is_excused(&self, name: &str) -> bool {
        !(self.environment.is_selected)(name) || self.declared.admits(self.nodes, name, Special::Null)
    }

    /// The names with a value, defaults included.
    pub(super) fn present_names(&self) -> Vec<&str> {
        let entries = self.environment.entries.iter().map(|entry| entry.name).filter(|name| self.is_present(name));
        let defaults = self.defaults.iter().map(|(name, _)| *name).filter(|name| self.entry(name).is_none());
        entries.chain(defaults).collect()
    }

    /// The names that the sealed file has.
    pub(super) fn stored_names(&self) -> Vec<&str> {
        self.environment.entries.iter().filter(|entry| entry.stored.is_some()).map(|entry| entry.name).collect()
    }

    /// What is expected of a name.
    pub(super) fn describe(&self, name: &str) -> String {
        match self.declared.find(name).map(|property| self.nodes.describe(property.nodes[0])) {
            Some(words) if !words.is_empty() => words,
            _ => "a value".to_owned(),
        }
    }
}
