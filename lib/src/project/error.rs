//! What can go wrong with finding, opening and saving sealed files.

use super::settings::{IS_EMPTY, NO_PIN};
use crate::error::{Failure, Status, shown};
use crate::fs::FsError;
use crate::schema::SchemaError;
use crate::sealed::{CredentialError, MergeError, SealedError};
use std::path::PathBuf;

/// Why no sealed file could be found, opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No file of the default name here or above.
    #[error("no {name} here{}", if *.in_repository { ", nor above up to the repository's root" } else { "" })]
    NoFile {
        /// The default name.
        name: String,
        /// Whether folders above were looked into.
        in_repository: bool,
    },
    /// A sealed file that is wrong, or does not open.
    #[error("{}:{}{source}", shown(.path), if source.starts_with_line() { "" } else { " " })]
    Sealed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: SealedError,
    },
    /// Revisions of a file that cannot be merged.
    #[error("{}: {source}", shown(.path))]
    Unmerged {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: MergeError,
    },
    /// A file of another environment than the one expected.
    #[error("{}: its label is {found}, but -e or the file's name asks for {expected}", shown(.path))]
    Label {
        /// Which file.
        path: PathBuf,
        /// From `-e` or the file's name.
        expected: String,
        /// From the file.
        found: String,
    },
    /// A file that ENVSEC_PIN does not allow.
    #[error("{}: {what}", shown(.path))]
    Pin {
        /// Which file.
        path: PathBuf,
        /// How it differs from its pin.
        what: &'static str,
    },
    /// A declaration that cannot be used.
    #[error("{}: {source}", shown(.path))]
    Schema {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: SchemaError,
    },
    /// A declaration that cannot be read.
    #[error(transparent)]
    SchemaFile(FsError),
    /// There is no declaration.
    #[error("no {} beside the sealed file, nor above up to the repository's root", super::SCHEMA_NAME)]
    NoSchema,
    /// A setting that makes no sense.
    #[error("{name} {what}")]
    Setting {
        /// The flag or variable.
        name: String,
        /// What is wrong with it; never its value.
        what: &'static str,
    },
    /// A credential that cannot be read.
    #[error("{from}: {source}")]
    CredentialFile {
        /// The flag or variable that named it.
        from: &'static str,
        /// Why not.
        source: FsError,
    },
    /// A file whose name asks for a label that no file can have.
    #[error("{}: between .env. and .enc there has to be a label: a-z, 0-9, . _ and -, at most 64", shown(.0))]
    NoLabel(PathBuf),
    /// `-e` and the file's name ask for different labels.
    #[error("{}: -e asks for {label}, the file's name for another label", shown(.path))]
    TwoLabels {
        /// The file to be made.
        path: PathBuf,
        /// From `-e`.
        label: String,
    },
    /// A folder that is to get a new file.
    #[error("{}: no such folder", shown(.0))]
    NoFolder(PathBuf),
    /// A credential that is none.
    #[error("{from}: {source}")]
    Credential {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        source: CredentialError,
    },
    /// Of several files that change together, some could not be replaced.
    #[error("{source}; changed already: {}", .done.iter().map(|path| shown(path).to_string()).collect::<Vec<_>>().join(", "))]
    Halfway {
        /// Those that were.
        done: Vec<PathBuf>,
        /// Why the next one was not.
        source: FsError,
    },
    /// One file was named twice.
    #[error("{}: was named twice", shown(.0))]
    Twice(PathBuf),
    /// A verb that writes was given several files.
    #[error("several sealed files were given, but this command changes one")]
    SeveralFiles,
}

impl ProjectError {
    pub(super) fn setting(name: impl Into<String>, what: &'static str) -> Self {
        ProjectError::Setting { name: name.into(), what }
    }
}

impl Failure for ProjectError {
    fn status(&self) -> Status {
        match self {
            ProjectError::NoFile { .. }
            | ProjectError::NoFolder(_)
            | ProjectError::NoLabel(_)
            | ProjectError::NoSchema
            | ProjectError::SchemaFile(_)
            | ProjectError::Twice(_)
            | ProjectError::TwoLabels { .. }
            | ProjectError::Setting { .. }
            | ProjectError::SeveralFiles => Status::Usage,
            ProjectError::CredentialFile { .. } => Status::Credential,
            ProjectError::Sealed { source, .. } => source.status(),
            ProjectError::Unmerged { source, .. } => source.status(),
            ProjectError::Schema { source, .. } => source.status(),
            ProjectError::Label { .. } | ProjectError::Pin { .. } => Status::NotAuthentic,
            ProjectError::Credential { source, .. } => source.status(),
            ProjectError::Halfway { source, .. } => source.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ProjectError::NoFile { name, .. } => {
                let label = name.strip_prefix(".env.").and_then(|name| name.strip_suffix(".enc"));
                let flag = label.map_or(String::new(), |label| format!(" -e {label}"));
                Some(format!("make one with: envsec init{flag}; or name it: -f FILE"))
            }
            ProjectError::CredentialFile { source, .. } => source.hint(),
            ProjectError::Sealed { source, .. } => source.hint(),
            ProjectError::Unmerged { source, .. } => source.hint(),
            ProjectError::Schema { source, .. } => source.hint(),
            ProjectError::SchemaFile(source) => source.hint(),
            ProjectError::NoSchema => Some("write one with: envsec schema infer; or name it: --schema FILE".into()),
            ProjectError::Label { .. } => {
                Some("were two files swapped? a file .env.NAME.enc has to carry the label NAME".into())
            }
            ProjectError::Pin { .. } => {
                Some("an older, a re-keyed or another file; if it is the right one, pin it anew in ENVSEC_PIN".into())
            }
            ProjectError::Credential { source, .. } => source.hint(),
            ProjectError::Halfway { .. } => {
                Some("every file is whole, the old or the new one: run it again for the others, -f FILE each".into())
            }
            ProjectError::Setting { what: IS_EMPTY, .. } => {
                Some("was a secret to be put there that this job does not get? unset it to do without".into())
            }
            ProjectError::Setting { what: NO_PIN, .. } => Some("envsec status --pin prints one".into()),
            ProjectError::Setting { .. }
            | ProjectError::NoFolder(_)
            | ProjectError::NoLabel(_)
            | ProjectError::TwoLabels { .. }
            | ProjectError::Twice(_)
            | ProjectError::SeveralFiles => None,
        }
    }
}
