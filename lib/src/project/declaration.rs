//! Which declaration applies: `env.schema.json`.

use super::{Project, ProjectError, repository_root, settings};
use crate::error::Result;
use crate::fs::{self, FsError};
use crate::schema::{MAX_SCHEMA, Schema, SchemaError};
use std::path::{Path, PathBuf};

/// What a declaration is called.
pub const SCHEMA_NAME: &str = "env.schema.json";

/// A declaration and where it came from.
pub struct Declaration {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub schema: Schema,
}

impl Project<'_> {
    /// The declaration for sealed files: the one that the settings name, or else the one beside the first file or above it,
    /// up to the repository's root. Without a file this folder counts.
    ///
    /// # Errors
    /// One that was named and is not there; one that cannot be loaded.
    pub fn declaration(&self, files: &[PathBuf]) -> Result<Option<Declaration>> {
        self.declaration_path(files)?.map(load).transpose()
    }

    /// [`Project::declaration`], where the verb is nothing without it.
    ///
    /// # Errors
    /// [`ProjectError::NoSchema`] too.
    pub fn needed_declaration(&self, files: &[PathBuf]) -> Result<Declaration> {
        Ok(self.declaration(files)?.ok_or(ProjectError::NoSchema)?)
    }

    /// Where the declaration lies, which is not read.
    ///
    /// # Errors
    /// Settings that make no sense; a folder that cannot be followed.
    pub fn declaration_path(&self, files: &[PathBuf]) -> Result<Option<PathBuf>> {
        if let Some(path) = &self.flags.schema {
            return Ok(Some(path.clone()));
        }
        if let Some(path) = settings::variable("ENVSEC_SCHEMA")? {
            return Ok(Some(path.into()));
        }
        let folder = files.first().map_or(Path::new("."), |file| fs::folder_of(file));
        search(folder)
    }
}

/// The text of a declaration.
///
/// # Errors
/// Not there, not readable; [`SchemaError::TooLarge`].
pub fn read_declaration(path: &Path) -> Result<Vec<u8>> {
    match fs::read_public(path, MAX_SCHEMA) {
        Err(FsError::TooLarge { .. }) => {
            Err(ProjectError::Schema { path: path.to_path_buf(), source: SchemaError::TooLarge }.into())
        }
        text => Ok(text.map_err(ProjectError::SchemaFile)?),
    }
}

/// Reads and loads a declaration.
fn load(path: PathBuf) -> Result<Declaration> {
    let text = read_declaration(&path)?;
    match Schema::load(&text) {
        Ok(schema) => Ok(Declaration { path, schema }),
        Err(source) => Err(ProjectError::Schema { path, source }.into()),
    }
}

/// Beside the sealed file, or above up to the repository's root. Outside of a repository only beside: what somebody left
/// in /tmp is not ours.
fn search(folder: &Path) -> Result<Option<PathBuf>> {
    let named = |folder: &Path| {
        let path = if folder == Path::new(".") { SCHEMA_NAME.into() } else { folder.join(SCHEMA_NAME) };
        fs::may_be_there(&path).then_some(path)
    };
    if let Some(beside) = named(folder) {
        return Ok(Some(beside));
    }
    let here = fs::resolve(folder)?;
    let Some(root) = repository_root(&here) else { return Ok(None) };
    let found = here.ancestors().skip(1).take_while(|above| above.starts_with(root)).find_map(named);
    let current = fs::current_folder();
    Ok(found.map(|path| path.strip_prefix(&current).map(Path::to_path_buf).unwrap_or(path)))
}
