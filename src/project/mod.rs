//! Which sealed file, label, pin and credential apply here; opening and saving it. The only reader of envsec's own
//! settings.

mod settings;

pub use settings::{Flags, Holds, Outside, Source, credential, label, label_of_name, password_sources, sources};

use crate::error::{Error, Failure, Result, Status};
use crate::fs::{self, FsError, Replace};
use crate::sealed::{Credential, CredentialError, Label, Locked, MAX_FILE, SealedError, SlotId, Unlocked};
use settings::Pin;
use std::path::{Path, PathBuf};

/// Why no sealed file could be found, opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No file of the default name here or above.
    #[error("no {0} here, nor above up to the repository's root")]
    NoFile(String),
    /// A sealed file that is wrong, or does not open.
    #[error("{}:{}{source}", .path.display(), if source.starts_with_line() { "" } else { " " })]
    Sealed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: SealedError,
    },
    /// A file of another environment than the one expected.
    #[error("{}: its label is {found}, but -e or the file's name asks for {expected}", .path.display())]
    Label {
        /// Which file.
        path: PathBuf,
        /// From `-e` or the file's name.
        expected: String,
        /// From the file.
        found: String,
    },
    /// A file that ENVSEC_PIN does not allow.
    #[error("{}: {what}", .path.display())]
    Pin {
        /// Which file.
        path: PathBuf,
        /// How it differs from its pin.
        what: &'static str,
    },
    /// A setting that makes no sense.
    #[error("{name} {what}")]
    Setting {
        /// The flag or variable.
        name: String,
        /// What is wrong with it; never its value.
        what: &'static str,
    },
    /// A credential that is none.
    #[error("{from}: {source}")]
    Credential {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        source: CredentialError,
    },
    /// A verb that writes was given several files.
    #[error("several sealed files were given, but this command changes one")]
    SeveralFiles,
}

impl ProjectError {
    fn setting(name: impl Into<String>, what: &'static str) -> Self {
        ProjectError::Setting { name: name.into(), what }
    }
}

impl Failure for ProjectError {
    fn status(&self) -> Status {
        match self {
            ProjectError::NoFile(_) | ProjectError::Setting { .. } | ProjectError::SeveralFiles => Status::Usage,
            ProjectError::Sealed { source, .. } => source.status(),
            ProjectError::Label { .. } | ProjectError::Pin { .. } => Status::NotAuthentic,
            ProjectError::Credential { source, .. } => source.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ProjectError::NoFile(_) => Some("make one with: envsec init; or name it: -f FILE".into()),
            ProjectError::Sealed { source, .. } => source.hint(),
            ProjectError::Label { .. } => {
                Some("were two files swapped? a file .env.NAME.enc has to carry the label NAME".into())
            }
            ProjectError::Pin { .. } => {
                Some("an older, a re-keyed or another file; if it is the right one, pin it anew in ENVSEC_PIN".into())
            }
            ProjectError::Credential { source, .. } => source.hint(),
            ProjectError::Setting { .. } | ProjectError::SeveralFiles => None,
        }
    }
}

/// The project around the current folder, as the settings describe it.
pub struct Project<'a> {
    flags: &'a Flags,
    outside: &'a dyn Outside,
}

/// An opened sealed file and where it came from.
pub struct Opened {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Its content, verified.
    pub unlocked: Unlocked,
}

impl Opened {
    /// Where it lies, as the settings named it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<'a> Project<'a> {
    /// Nothing is read yet.
    pub fn new(flags: &'a Flags, outside: &'a dyn Outside) -> Self {
        Project { flags, outside }
    }

    /// The sealed files to read, in order of precedence: the last one wins.
    ///
    /// # Errors
    /// [`ProjectError::NoFile`], and settings that make no sense.
    pub fn paths(&self) -> std::result::Result<Vec<PathBuf>, ProjectError> {
        if !self.flags.file.is_empty() {
            return Ok(self.flags.file.clone());
        }
        match settings::variable("ENVSEC_FILE")? {
            Some(file) if self.flags.env.is_none() => Ok(vec![file.into()]),
            _ => Ok(vec![search_upward(&default_name(label(self.flags)?.as_ref()))?]),
        }
    }

    /// Where `init` makes a new file: the one named by the settings, or the default name in this folder.
    ///
    /// # Errors
    /// Settings that make no sense; a name that asks for another label than `-e`.
    pub fn new_file(&self) -> std::result::Result<(PathBuf, Option<Label>), ProjectError> {
        let label = label(self.flags)?;
        let path = match self.flags.file.as_slice() {
            [] => match settings::variable("ENVSEC_FILE")? {
                Some(file) if self.flags.env.is_none() => file.into(),
                _ => default_name(label.as_ref()).into(),
            },
            [one] => one.clone(),
            _ => return Err(ProjectError::SeveralFiles),
        };
        let named = label_of_name(&path);
        match (&label, &named) {
            (Some(asked), Some(named)) if asked != named => {
                Err(ProjectError::Label { path, expected: asked.as_str().into(), found: named.as_str().into() })
            }
            _ => Ok((path, label.or(named))),
        }
    }

    /// Reads the files without opening them: names only, nothing verified.
    ///
    /// # Errors
    /// What is not there, malformed, or of another label or pin than expected.
    pub fn read_locked(&self) -> Result<Vec<(PathBuf, Locked)>> {
        self.paths()?.into_iter().map(|path| self.read(&path).map(|(locked, _)| (path, locked))).collect()
    }

    /// Opens all files, with one set of credentials.
    ///
    /// # Errors
    /// As [`Project::read_locked`]; no or wrong credential; a seal that does not match.
    pub fn open(&self) -> Result<Vec<Opened>> {
        let mut credentials = None;
        self.paths()?.into_iter().map(|path| self.open_one(path, &mut credentials)).collect()
    }

    /// Opens the one file that a verb changes.
    ///
    /// # Errors
    /// As [`Project::open`]; [`ProjectError::SeveralFiles`].
    pub fn open_to_change(&self) -> Result<Opened> {
        let mut paths = self.paths()?;
        match (paths.pop(), paths.is_empty()) {
            (Some(path), true) => self.open_one(path, &mut None),
            _ => Err(ProjectError::SeveralFiles.into()),
        }
    }

    fn open_one(&self, path: PathBuf, credentials: &mut Option<Vec<Credential>>) -> Result<Opened> {
        let limits = settings::limits(self.flags)?;
        let (locked, bytes) = self.read(&path)?;
        let credentials = match credentials {
            Some(known) => known,
            None => credentials.insert(self.credentials(&path, &locked)?),
        };
        let unlocked = locked.unlock(credentials, &limits).map_err(at(&path))?;
        self.outside.explain(&opened_in_words(&path, &unlocked));
        Ok(Opened { path, bytes, unlocked })
    }

    /// Every credential that the settings name, else the terminal's answer if a password can open the file at all.
    fn credentials(&self, path: &Path, locked: &Locked) -> Result<Vec<Credential>> {
        let named = settings::sources(self.flags)?;
        if named.is_empty() && locked.takes_password() {
            let text = self.outside.ask_hidden(&format!("Password for {}: ", path.display()))?;
            let password = crate::sealed::Password::new(&text);
            let password =
                password.map_err(|source| ProjectError::Credential { from: "the terminal".into(), source })?;
            return Ok(vec![Credential::Password(password)]);
        }
        named.iter().map(|(holds, source)| settings::credential(*holds, source, self.outside)).collect()
    }

    fn read(&self, path: &Path) -> Result<(Locked, Vec<u8>)> {
        let bytes = fs::read_public(path, MAX_FILE)?;
        let locked = Locked::parse(&bytes).map_err(at(path))?;
        self.check(path, &locked)?;
        Ok((locked, bytes))
    }

    /// The label that was asked for, by `-e` or by the file's name or that of the file a link leads to; and the pin.
    fn check(&self, path: &Path, locked: &Locked) -> Result<()> {
        let target = fs::resolve(path)?;
        let found = locked.label();
        for expected in [label(self.flags)?, label_of_name(path), label_of_name(&target)].into_iter().flatten() {
            if found != Some(&expected) {
                let found = found.map_or("missing", Label::as_str).to_owned();
                return Err(ProjectError::Label { path: path.into(), expected: expected.as_str().into(), found }.into());
            }
        }
        match settings::pins()? {
            Some(pins) => Ok(check_pin(path, locked, &pins)?),
            None => Ok(()),
        }
    }

    /// Applies a change to an opened file and saves it: under the folder's lock, on what is in the file by then, and only
    /// if the change changed anything.
    ///
    /// # Errors
    /// What the change refuses; a file that is somebody else's by now, or cannot be written. The file is as it was then.
    pub fn change<T>(&self, opened: Opened, edit: impl FnOnce(&mut Unlocked) -> Result<T>) -> Result<T> {
        let Opened { path, bytes, unlocked } = opened;
        let target = fs::resolve(&path)?;
        let _lock = fs::lock_folder_of(&target)?;
        let (locked, now) = self.read(&path)?;
        let mut unlocked = if now == bytes { unlocked } else { unlocked.reopen(locked).map_err(at(&path))? };
        let done = edit(&mut unlocked)?;
        if unlocked.is_changed() {
            let next = unlocked.seal().map_err(at(&path))?;
            fs::replace(&target, &next, if self.flags.in_place { Replace::InPlace } else { Replace::Atomically })?;
        }
        Ok(done)
    }
}

/// Puts the path before a sealed file's error.
pub fn at(path: &Path) -> impl Fn(SealedError) -> Error {
    move |source| ProjectError::Sealed { path: path.into(), source }.into()
}

/// `.env.enc: revision 3, label production, opened by slot ci`
fn opened_in_words(path: &Path, unlocked: &Unlocked) -> String {
    let (file, slot) = (unlocked.locked(), unlocked.opened_by().map_or("none", SlotId::as_str));
    let label = file.label().map_or(String::new(), |label| format!(", label {}", label.as_str()));
    format!("{}: revision {}{label}, opened by slot {slot}", path.display(), file.rev())
}

fn check_pin(path: &Path, locked: &Locked, pins: &[Pin]) -> std::result::Result<(), ProjectError> {
    let wrong = |what| Err(ProjectError::Pin { path: path.into(), what });
    match pins.iter().find(|pin| pin.file == *locked.file_id()) {
        None => wrong("ENVSEC_PIN does not name this file"),
        Some(pin) if pin.key != *locked.key_id() => wrong("its data key is not the one in ENVSEC_PIN"),
        Some(pin) if locked.rev() < pin.min_rev => wrong("its revision is lower than the one in ENVSEC_PIN"),
        Some(_) => Ok(()),
    }
}

fn default_name(label: Option<&Label>) -> String {
    label.map_or_else(|| ".env.enc".into(), |label| format!(".env.{}.enc", label.as_str()))
}

/// The nearest file of that name in this folder or above, up to the repository's root. Outside of a repository only this
/// folder counts: a file that somebody left in /tmp is not ours.
fn search_upward(name: &str) -> std::result::Result<PathBuf, ProjectError> {
    let here = fs::current_folder();
    let depth = repository_root(&here).map_or(0, |root| here.components().count() - root.components().count());
    let candidates = (0..=depth).map(|up| "../".repeat(up) + name).map(PathBuf::from);
    candidates.into_iter().find(|path| fs::may_be_there(path)).ok_or_else(|| ProjectError::NoFile(name.into()))
}

/// The nearest folder at or above `folder` that has a `.git`.
pub fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// Makes a new file, under the folder's lock.
///
/// # Errors
/// [`FsError::Exists`], and what the system refuses.
pub fn create(path: &Path, unlocked: &mut Unlocked) -> Result<()> {
    let bytes = unlocked.seal().map_err(at(path))?;
    let _lock = fs::lock_folder_of(path)?;
    Ok(fs::create(path, &bytes)?)
}

/// Refuses a path at which there is something, before anybody types a password.
///
/// # Errors
/// [`FsError::Exists`].
pub fn must_be_new(path: &Path) -> std::result::Result<(), FsError> {
    if fs::may_be_there(path) { Err(FsError::Exists(path.into())) } else { Ok(()) }
}
