//! Which values of the sealed files a verb hands on: the flags `--only` and `--except`, and what several files make of a
//! name.

use super::{Opened, at};
use crate::error::{Failure, Result, Status};
use crate::sealed::{Locked, Storage, Utc};
use crate::secret::SecretText;
use crate::vars::{Glob, Value, VarName, Vars};
use std::collections::{BTreeMap, BTreeSet};

/// Names to hand over. The flags of every verb that does.
#[derive(clap::Args, Default, Debug)]
pub struct Selection {
    /// Hand over only the names that match
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    pub only: Vec<Glob>,

    /// Hand over all but the names that match
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    pub except: Vec<Glob>,
}

/// What was selected.
#[derive(Default)]
pub struct Selected {
    /// The values; later files win.
    pub vars: Vars,
    /// The names whose values are stored encrypted where they come from.
    pub secret: BTreeSet<VarName>,
}

/// Why no values can be handed over.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// `--only` with a pattern that fits no name: mostly a typing error, and the reader would lack what it needs.
    #[error("--only {0}: no name in the sealed file matches")]
    NothingMatches(String),
    /// The name that a previous value would get is a variable already, or is no name.
    #[error("{}: {what}", .names.join(", "))]
    PreviousName {
        /// The names that previous values would get.
        names: Vec<String>,
        /// What is wrong with them.
        what: &'static str,
    },
}

impl Failure for SelectionError {
    fn status(&self) -> Status {
        match self {
            SelectionError::NothingMatches(_) => Status::Usage,
            SelectionError::PreviousName { .. } => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            SelectionError::NothingMatches(_) => "envsec list shows the names; * stands for any text".into(),
            SelectionError::PreviousName { .. } => "rename the variable, or end the rotation: envsec rotate NAME --finish; until then: export without --previous, run --no-previous".into(),
        })
    }
}

impl Selected {
    /// Adds variables that the files do not have; what no variable can hold is passed over.
    pub fn add_defaults(&mut self, defaults: Vec<(String, String)>) {
        for (name, text) in defaults {
            if let (Ok(name), Ok(value)) = (name.parse(), Value::try_from(SecretText::from(text))) {
                self.vars.insert(name, value);
            }
        }
    }
}

impl Selection {
    /// The chosen names of all files, and how each is stored where the last file has it. A pattern of `--only` that fits no
    /// name there may fit one that is `known` otherwise.
    ///
    /// # Errors
    /// [`SelectionError::NothingMatches`].
    pub fn names<'f>(
        &self,
        files: impl Iterator<Item = &'f Locked>,
        known: impl Fn(&Glob) -> bool,
    ) -> Result<Vec<(VarName, Storage)>> {
        let mut names: Vec<(VarName, Storage)> = Vec::new();
        let mut places = BTreeMap::new();
        let mut unmatched: Vec<&Glob> = self.only.iter().collect();
        for (name, storage) in files.flat_map(Locked::names) {
            let name: VarName = name.parse()?;
            unmatched.retain(|glob| !glob.matches(&name));
            if !self.takes(&name) {
                continue;
            }
            let place = *places.entry(name.clone()).or_insert(names.len());
            match names.get_mut(place) {
                Some(known) => known.1 = storage,
                None => names.push((name, storage)),
            }
        }
        all_matched(&unmatched, known)?;
        Ok(names)
    }

    /// The values of all files that are chosen; later files win. `known` as in [`Selection::names`].
    ///
    /// # Errors
    /// A value that does not decrypt; [`SelectionError::NothingMatches`].
    pub fn of(&self, files: &[Opened], known: impl Fn(&Glob) -> bool) -> Result<Selected> {
        let mut selected = Selected::default();
        let mut unmatched: Vec<&Glob> = self.only.iter().collect();
        for opened in files {
            for entry in opened.unlocked.entries() {
                let (name, storage, value) = entry.map_err(at(opened.path()))?;
                unmatched.retain(|glob| !glob.matches(name));
                if self.takes(name) {
                    match storage {
                        Storage::Secret => selected.secret.insert(name.clone()),
                        Storage::Plain => selected.secret.remove(name),
                    };
                    selected.vars.insert(name.clone(), value);
                }
            }
        }
        all_matched(&unmatched, known)?;
        Ok(selected)
    }

    /// Whether a name is chosen.
    pub fn takes(&self, name: &VarName) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name));
        (self.only.is_empty() || any(&self.only)) && !any(&self.except)
    }

    /// Adds `NAME_PREVIOUS` for each chosen name whose old value is still handed out at `now`. It goes with its value: a
    /// name that a later file has as well gets no previous value from an earlier one.
    ///
    /// # Errors
    /// A value that does not decrypt; [`SelectionError::PreviousName`].
    pub fn add_previous(&self, files: &[Opened], now: Utc, selected: &mut Selected) -> Result<()> {
        let (mut taken, mut impossible) = (Vec::new(), Vec::new());
        for (at_file, opened) in files.iter().enumerate() {
            let later = &files[at_file + 1..];
            for (name, value) in opened.unlocked.previous(now).map_err(at(opened.path()))? {
                if !self.takes(&name) || later.iter().any(|other| other.unlocked.contains(&name)) {
                    continue;
                }
                let Some(previous) = previous_name(&name) else {
                    impossible.push(name.to_string());
                    continue;
                };
                if files.iter().any(|file| file.unlocked.contains(&previous)) {
                    taken.push(previous.to_string());
                    continue;
                }
                selected.secret.insert(previous.clone());
                selected.vars.insert(previous, value);
            }
        }
        refuse(taken, "a variable of its own in the sealed file, but also the old value of a rotation")?;
        refuse(impossible, "too long a name to hand out its old value beside it")
    }
}

/// What the old value of a name is called while it is handed out; `None` where that is too long.
pub fn previous_name(name: &VarName) -> Option<VarName> {
    VarName::try_from(format!("{name}_PREVIOUS").as_str()).ok()
}

fn all_matched(unmatched: &[&Glob], known: impl Fn(&Glob) -> bool) -> std::result::Result<(), SelectionError> {
    let nowhere = unmatched.iter().find(|glob| !known(glob));
    nowhere.map_or(Ok(()), |glob| Err(SelectionError::NothingMatches(glob.to_string())))
}

fn refuse(names: Vec<String>, what: &'static str) -> Result<()> {
    if names.is_empty() { Ok(()) } else { Err(SelectionError::PreviousName { names, what }.into()) }
}
