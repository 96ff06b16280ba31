//! A first declaration for the variables that are there: which texts to look into, and what they tell.

use crate::dotenv::Duplicates;
use crate::error::{Failure, Result, Status, shown};
use crate::formats::dotenv::{self, Options, Reader};
use crate::formats::{Incoming, Item};
use crate::fs;
use crate::project::{Project, ProjectError};
use crate::schema::{self, Clue};
use crate::sealed::MAX_FILE;
use crate::vars::VarName;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Texts to look into where none is named, the best first.
const SOURCES: [&str; 2] = [".env.example", ".env"];

/// There is nothing to look at.
#[derive(Debug, thiserror::Error)]
#[error("nothing to infer from: no {}, no {} and no sealed file here", SOURCES[0], SOURCES[1])]
pub struct Nothing;

impl Failure for Nothing {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name a dotenv file: envsec schema infer FILE".into())
    }
}

/// A declaration from these dotenv files; without any from those of the usual names, or else from the sealed file's names.
///
/// # Errors
/// What cannot be read; [`Nothing`].
pub fn infer(project: &Project<'_>, sources: &[PathBuf], mut say: impl FnMut(&str)) -> Result<String> {
    if !sources.is_empty() {
        return of_texts(sources);
    }
    if let Some(found) = usual_source(Path::new("")) {
        say(&format!("from {}", shown(&found)));
        return of_texts(&[found]);
    }
    match project.paths() {
        Ok(_) => {}
        Err(ProjectError::NoFile { .. }) => return Err(Nothing.into()),
        Err(error) => return Err(error.into()),
    }
    let files = project.read_locked()?;
    let mut seen = BTreeSet::new();
    let names =
        files.iter().flat_map(|(_, locked)| locked.names().map(|(name, _)| name)).filter(|name| seen.insert(*name));
    let clues: Vec<Clue<'_>> = names.map(|name| Clue { name, value: None, comment: None, required: true }).collect();
    Ok(schema::infer(&clues))
}

/// The dotenv file of a usual name in a folder.
pub fn usual_source(folder: &Path) -> Option<PathBuf> {
    SOURCES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// A declaration of what dotenv files hold; of a name that stands twice the first one tells.
///
/// # Errors
/// What cannot be read.
pub fn of_texts(sources: &[PathBuf]) -> Result<String> {
    let options =
        Options { reader: Reader::Strict, duplicates: Duplicates::Last, keep_comment_values: false, expand: None };
    let mut texts = Vec::new();
    for path in sources {
        let text = fs::read(path, MAX_FILE)?;
        texts.push((is_example(path), dotenv::parse(text.expose(), &shown(path), &options)?));
    }
    let mut seen = BTreeSet::new();
    let clues = texts.iter().flat_map(|(is_example, incoming)| clues(incoming, *is_example));
    let clues: Vec<Clue<'_>> = clues.filter(|clue| seen.insert(clue.name)).collect();
    Ok(schema::infer(&clues))
}

/// Whether empty values are to be filled in, as in `.env.example`.
fn is_example(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    ["example", "sample", "template", "dist"].iter().any(|word| name.contains(word))
}

/// What a comment says; nothing if it is an entry that was taken out (`# NAME=`).
fn words(comment: &str) -> Option<&str> {
    let text = comment.trim_start_matches('#').trim();
    let name = text.strip_prefix("export ").unwrap_or(text).split_once('=').map(|(name, _)| name.trim());
    name.is_none_or(|name| VarName::try_from(name).is_err()).then_some(text)
}

/// Every entry, with the comment right above it.
fn clues(incoming: &Incoming, is_example: bool) -> Vec<Clue<'_>> {
    let (mut clues, mut comment) = (Vec::new(), Vec::new());
    for item in &incoming.items {
        match item {
            Item::Comment(text) => comment.extend(words(text)),
            Item::Blank => comment.clear(),
            Item::Entry(name, value) => {
                let text = comment.join(" ").trim().to_owned();
                let value = value.expose();
                let required = is_example || !value.is_empty();
                let comment = (!text.is_empty()).then_some(text);
                clues.push(Clue { name: name.as_str(), value: Some(value), comment, required });
            }
        }
        if matches!(item, Item::Entry(..)) {
            comment.clear();
        }
    }
    clues
}
