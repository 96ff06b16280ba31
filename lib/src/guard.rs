//! What must not be committed: plaintext env files, sealed files that are none, secrets in plain.
//!
//! Needs no key. Everything is looked at as git's index has it, which is what a commit will hold.

use crate::error::{Failure as _, Result, one_line};
use crate::git::{self, Blob};
use crate::project::SCHEMA_NAME;
use crate::schema::{MAX_SCHEMA, Schema};
use crate::sealed::{Locked, MAX_FILE, SealedError, Storage};
use std::path::Path;

/// Something that must not be committed.
pub struct Problem {
    /// The file, for people.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// The way out.
    pub fix: String,
}

/// What a name says that a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// `.env`, `.env.local` and the like.
    Plaintext,
    /// `.env.enc`, `.env.production.enc`.
    Sealed,
    /// Nothing of ours, `.env.example` too.
    Other,
}

/// The ends of names that hold no values.
const PUBLIC_ENDS: [&str; 5] = [".example", ".sample", ".template", ".dist", ".defaults"];

impl NameKind {
    /// By the last part of a path.
    pub fn of(path: &[u8]) -> Self {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let Some(rest) = name.strip_prefix(".env") else { return NameKind::Other };
        if rest.ends_with(".enc") {
            return NameKind::Sealed;
        }
        // .envrc and .environment are others' names.
        let is_ours = rest.is_empty() || rest.starts_with(['.', '-', '_']);
        if is_ours && !PUBLIC_ENDS.iter().any(|end| rest.ends_with(end)) {
            NameKind::Plaintext
        } else {
            NameKind::Other
        }
    }
}

/// All that is wrong with what is staged in the repository that `folder` is in.
///
/// # Errors
/// git that does not answer.
pub fn staged(folder: &Path) -> Result<Vec<Problem>> {
    let mut declarations = Declarations { folder, known: None };
    let mut problems = Vec::new();
    for blob in git::staged(folder)? {
        match NameKind::of(&blob.path) {
            NameKind::Other => {}
            NameKind::Plaintext if is_sealed(folder, &blob) => {}
            NameKind::Plaintext => problems.push(plaintext(&blob.path)),
            NameKind::Sealed => problems.extend(sealed(folder, &blob, &mut declarations)?),
        }
    }
    Ok(problems)
}

/// A sealed file may have any name, and a copy of one is no plaintext.
fn is_sealed(folder: &Path, blob: &Blob) -> bool {
    git::content(folder, blob, MAX_FILE).is_ok_and(|bytes| Locked::parse(&bytes).is_ok())
}

fn plaintext(path: &[u8]) -> Problem {
    let file = word(path);
    Problem {
        file: shown(path),
        what: "a plaintext env file".to_owned(),
        fix: format!(
            "git rm --cached {file} leaves it out and keeps it; envsec import {file} brings its values into a sealed file"
        ),
    }
}

fn sealed(folder: &Path, blob: &Blob, declarations: &mut Declarations<'_>) -> Result<Vec<Problem>> {
    let problem = |what: String, fix: String| Problem { file: shown(&blob.path), what, fix };
    let bytes = git::content(folder, blob, MAX_FILE)?;
    let locked = match Locked::parse(&bytes) {
        Ok(locked) => locked,
        Err(SealedError::NotSealed) => {
            let file = word(&blob.path);
            let fix =
                format!("git rm --cached {file} leaves it out; a sealed file is made by: envsec init --from FILE");
            return Ok(vec![problem("a plaintext file under the name of a sealed one".to_owned(), fix)]);
        }
        Err(error) => {
            let line = if error.starts_with_line() { "line " } else { "" };
            return Ok(vec![problem(format!("{line}{error}"), error.hint().unwrap_or_default())]);
        }
    };
    let plain: Vec<&str> = locked.names().filter(|(_, of)| *of == Storage::Plain).map(|(name, _)| name).collect();
    let Some(declaration) = declarations.of(&blob.path).filter(|_| !plain.is_empty()) else { return Ok(Vec::new()) };
    let schema = match declaration {
        Ok(schema) => schema,
        Err(what) => {
            let fix = "envsec schema lint says what is wrong with it; until then nobody knows which names are secret";
            return Ok(vec![problem(
                format!("has plain values, and its declaration cannot be read: {what}"),
                fix.to_owned(),
            )]);
        }
    };
    let names: Vec<&str> = declared_secret(schema, &plain).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let file = word(&blob.path);
    let fix = format!("envsec set -f {file} --secret {}, then git add {file}", names[0]);
    Ok(vec![problem(format!("stored unencrypted, but declared as secret: {}", names.join(", ")), fix)])
}

/// Those of the names that a declaration calls secret.
pub fn declared_secret<'n>(schema: &Schema, names: &'n [&'n str]) -> impl Iterator<Item = &'n str> {
    names.iter().copied().filter(|name| schema.property(name).is_some_and(|property| property.is_secret()))
}

/// The declarations of the index, each loaded once.
struct Declarations<'f> {
    folder: &'f Path,
    known: Option<Vec<Declared>>,
}

/// A declaration in the index.
struct Declared {
    blob: Blob,
    schema: Option<std::result::Result<Schema, String>>,
}

impl Declarations<'_> {
    /// The nearest one beside a file or above it, up to the root.
    fn of(&mut self, path: &[u8]) -> Option<&std::result::Result<Schema, String>> {
        let folder = self.folder;
        let known = self.known.get_or_insert_with(|| indexed_declarations(folder));
        let is_in = |of: &Declared, folder: &[u8]| of.blob.path.strip_suffix(SCHEMA_NAME.as_bytes()) == Some(folder);
        let nearest = above(path).find_map(|folder| known.iter().position(|of| is_in(of, folder)))?;
        let Declared { blob, schema } = &mut known[nearest];
        Some(schema.get_or_insert_with(|| {
            let text = git::content(folder, blob, MAX_SCHEMA).map_err(|error| error.to_string())?;
            Schema::load(&text).map_err(|error| error.to_string())
        }))
    }
}

fn indexed_declarations(folder: &Path) -> Vec<Declared> {
    let mut blobs = git::indexed(folder).unwrap_or_default();
    blobs.retain(|blob| blob.path.rsplit(|byte| *byte == b'/').next() == Some(SCHEMA_NAME.as_bytes()));
    blobs.into_iter().map(|blob| Declared { blob, schema: None }).collect()
}

/// The folders of a path from the inside out, each with its `/`; the root is empty.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
    ends.chain([0]).map(|end| &path[..end])
}

/// A path in a message.
pub fn shown(path: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(path))
}

/// A path in a command line that somebody may copy.
pub fn word(path: &[u8]) -> String {
    let text = shown(path);
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-/+@%".contains(c);
    if text.chars().all(is_safe) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        for name in
            [".env", ".env.local", "a/b/.env.production", ".ENV", ".env-prod", ".env_old", ".env.enc.bak", ".env\n"]
        {
            let expected = if name == ".env\n" { NameKind::Other } else { NameKind::Plaintext };
            assert_eq!(NameKind::of(name.as_bytes()), expected, "{name:?}");
        }
        for name in [".env.enc", "x/.env.production.enc", ".env-prod.enc"] {
            assert_eq!(NameKind::of(name.as_bytes()), NameKind::Sealed, "{name}");
        }
        for name in
            [".envrc", ".env.example", ".env.local.sample", "env", "prod.env", ".environment", "", ".env/readme"]
        {
            assert_eq!(NameKind::of(name.as_bytes()), NameKind::Other, "{name}");
        }
    }

    #[test]
    fn folders_are_looked_into_from_the_inside_out() {
        assert_eq!(above(b"a/b/c").collect::<Vec<_>>(), [b"a/b/".as_slice(), b"a/", b""]);
        assert_eq!(above(b"c").collect::<Vec<_>>(), [b""]);
    }
}
