//! Which sealed file, label, pin and credential apply here; opening and saving it. The only reader of envsec's own
//! settings.

mod change;
mod credentials;
mod declaration;
mod error;
mod revisions;
mod selection;
mod settings;

pub use change::{Held, WithSlots};
pub use credentials::{Outside, Source, Sources};
pub use declaration::{Declaration, SCHEMA_NAME, read_declaration};
pub use error::ProjectError;
pub use revisions::{Found, Reach, RevisionText, Revisions, unmerged};
pub use selection::{Selected, Selection, SelectionError, previous_name};
pub use settings::{Flags, label};

use crate::crypto;
use crate::error::{Error, Result, shown};
use crate::fs::{self, FsError, NewFile, Readers};
use crate::keyring::{self, Session};
use crate::sealed::{Label, Limits, Locked, MAX_FILE, Opening, SealedError, Unlocked};
use crate::secret::Secret;
use credentials::Credentials;
use settings::{Pin, label_of_name};
use std::path::{Path, PathBuf};

/// The project around the current folder, as the settings describe it.
pub struct Project<'a> {
    flags: &'a Flags,
    outside: &'a dyn Outside,
}

/// An opened sealed file and where it came from.
pub struct Opened {
    path: PathBuf,
    /// SHA-256 of the bytes that were read, to see whether somebody changed them.
    digest: [u8; 32],
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

    /// The sealed file, where a verb takes one.
    ///
    /// # Errors
    /// As [`Project::paths`]; [`ProjectError::SeveralFiles`].
    pub fn one_path(&self) -> std::result::Result<PathBuf, ProjectError> {
        let mut paths = self.paths()?;
        match (paths.pop(), paths.is_empty()) {
            (Some(path), true) => Ok(path),
            _ => Err(ProjectError::SeveralFiles),
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
        let named = label_of_name(&path)?;
        match (label, named) {
            (Some(asked), Some(named)) if asked != named => {
                Err(ProjectError::TwoLabels { path, label: asked.as_str().into() })
            }
            (label, named) => Ok((path, label.or(named))),
        }
    }

    /// Reads the files without opening them: names only, nothing verified.
    ///
    /// # Errors
    /// What is not there, malformed, or of another label or pin than expected.
    pub fn read_locked(&self) -> Result<Vec<(PathBuf, Locked)>> {
        let paths = self.paths()?.into_iter();
        paths.map(|path| self.read_one(&path).map(|locked| (path, locked))).collect()
    }

    /// Reads one file without opening it.
    ///
    /// # Errors
    /// As [`Project::read_locked`].
    pub fn read_one(&self, path: &Path) -> Result<Locked> {
        Ok(self.read(path)?.0)
    }

    /// The files of credentials that the settings name.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn credential_files(&self) -> Result<Vec<PathBuf>> {
        Ok(Sources::new(self.flags)?.files())
    }

    /// Opens all files, with one set of credentials.
    ///
    /// # Errors
    /// As [`Project::read_locked`]; no or wrong credential; a seal that does not match.
    pub fn open(&self) -> Result<Vec<Opened>> {
        let mut credentials = self.credentials()?;
        self.paths()?.into_iter().map(|path| self.open_one(path, &mut credentials)).collect()
    }

    /// [`Project::open`], by a credential and never by an unlocked session.
    ///
    /// # Errors
    /// As there.
    pub fn open_anew(&self) -> Result<Vec<Opened>> {
        let mut credentials = self.credentials()?.without_session();
        self.paths()?.into_iter().map(|path| self.open_one(path, &mut credentials)).collect()
    }

    /// Whether the settings name a credential, so that nobody has to be asked.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn names_credentials(&self) -> Result<bool> {
        Ok(self.credentials()?.are_named())
    }

    /// Opens the one file that a verb changes.
    ///
    /// # Errors
    /// As [`Project::open`]; [`ProjectError::SeveralFiles`].
    pub fn open_to_change(&self) -> Result<Opened> {
        self.open_one(self.one_path()?, &mut self.credentials()?)
    }

    /// The bytes of the passwords that could open a blob from elsewhere: from these files, else those that the settings
    /// name, else the terminal's answer.
    ///
    /// # Errors
    /// A password that cannot be read.
    pub fn blob_passwords(&self, files: &[PathBuf], blob: &str) -> Result<Vec<Secret>> {
        let sources = match Sources::of_flags(["--blob-password-file", "", ""], files, &[], &[]) {
            none if none.is_empty() => Sources::new(self.flags)?.passwords(),
            of_blob => of_blob,
        };
        if sources.is_empty() {
            return Ok(vec![self.outside.ask_hidden(&format!("Password of the blob in {blob}: "))?.into_bytes()]);
        }
        sources.iter().map(|source| source.bytes(self.outside)).collect()
    }

    /// The credentials that the settings name, none of them read yet.
    fn credentials(&self) -> Result<Credentials<'_>> {
        Ok(Credentials::new(Sources::new(self.flags)?, self.outside))
    }

    fn open_one(&self, path: PathBuf, credentials: &mut Credentials<'_>) -> Result<Opened> {
        let limits = settings::limits(self.flags)?;
        let (locked, digest) = self.read(&path)?;
        let opening = open_slot(&path, &locked, &limits, credentials)?;
        let unlocked = locked.verify(opening).map_err(at(&path))?;
        self.outside.explain(&opened_in_words(&path, &unlocked));
        Ok(Opened { path, digest, unlocked })
    }

    /// Reads the file that `path` leads to, and its digest.
    fn read(&self, path: &Path) -> Result<(Locked, [u8; 32])> {
        let target = fs::resolve(path)?;
        let bytes = read_file(path, &target)?;
        Ok((self.parse(&bytes, path, &target)?, crypto::sha256(&[&bytes])))
    }

    /// Parses a file's bytes, and checks what can be checked without a key. Messages name `path`.
    fn parse(&self, bytes: &[u8], path: &Path, target: &Path) -> Result<Locked> {
        let locked = Locked::parse(bytes).map_err(at(path))?;
        self.check(path, target, &locked)?;
        Ok(locked)
    }

    /// The label that was asked for, by `-e` or by the file's name or that of the file a link leads to; and the pin.
    fn check(&self, path: &Path, target: &Path, locked: &Locked) -> Result<()> {
        check_label(path, [label(self.flags)?, label_of_name(path)?, label_of_name(target)?], locked)?;
        match settings::pins()? {
            Some(pins) => Ok(check_pin(path, locked, &pins)?),
            None => Ok(()),
        }
    }
}

/// The file has the label that is asked for in one way or another.
fn check_label<const N: usize>(path: &Path, asked: [Option<Label>; N], locked: &Locked) -> Result<()> {
    match asked.into_iter().flatten().find(|asked| locked.label() != Some(asked)) {
        Some(expected) => {
            let found = locked.label().map_or("missing", Label::as_str).to_owned();
            Err(ProjectError::Label { path: path.into(), expected: expected.as_str().into(), found }.into())
        }
        None => Ok(()),
    }
}

/// The label of what the files make together: that of the last one that has any.
pub fn label_of(files: &[Opened]) -> Option<&Label> {
    files.iter().rev().find_map(|opened| opened.unlocked.locked().label())
}

/// The bytes of the file that `path` leads to. Messages name `path`.
fn read_file(path: &Path, target: &Path) -> Result<Vec<u8>> {
    fs::read_public(target, MAX_FILE).map_err(|error| match error {
        FsError::TooLarge { limit, .. } => at(path)(SealedError::TooMany { limit, what: "bytes" }),
        other => other.about(path).into(),
    })
}

/// Puts the path before a sealed file's error.
pub fn at(path: &Path) -> impl Fn(SealedError) -> Error {
    move |source| ProjectError::Sealed { path: path.into(), source }.into()
}

/// Opens a file: by the credentials that the settings name; without any by the unlocked session, else by what a terminal
/// answers. Passwords are not asked for while a raw key will do.
fn open_slot(path: &Path, locked: &Locked, limits: &Limits, credentials: &mut Credentials<'_>) -> Result<Opening> {
    if !credentials.may_use_session() || limits.slot.is_some() {
        return open_named_slot(path, locked, limits, credentials);
    }
    match keyring::find(session(locked)).and_then(|kept| locked.open_with(kept.key)) {
        Some(opening) => Ok(opening),
        None => open_named_slot(path, locked, limits, credentials),
    }
}

/// What names the data key of a file in the kernel's keyring.
pub fn session(locked: &Locked) -> Session<'_> {
    Session { file: locked.file_id(), key: locked.key_id() }
}

/// By a raw key if one fits, else by a password, which a terminal may be asked for.
fn open_named_slot(
    path: &Path,
    locked: &Locked,
    limits: &Limits,
    credentials: &mut Credentials<'_>,
) -> Result<Opening> {
    try_named_slot(path, locked, limits, credentials)?.map_err(at(path))
}

/// [`open_named_slot`], where the inner failure is the file's and not that of a credential that cannot be read.
fn try_named_slot(
    path: &Path,
    locked: &Locked,
    limits: &Limits,
    credentials: &mut Credentials<'_>,
) -> Result<std::result::Result<Opening, SealedError>> {
    let by_key = locked.open_slot(credentials.raw_keys()?, limits);
    let other_way = matches!(by_key, Err(SealedError::WrongCredential | SealedError::NoFittingSlot(_)));
    if !other_way || !locked.takes_password(limits) {
        return Ok(by_key);
    }
    Ok(match credentials.passwords(path)? {
        [] => by_key,
        passwords => locked.open_slot(passwords, limits),
    })
}

/// `.env.enc: revision 3, label production, opened by slot ci`
fn opened_in_words(path: &Path, unlocked: &Unlocked) -> String {
    let file = unlocked.locked();
    let by = unlocked.opened_by().map_or("the unlocked session".to_owned(), |slot| format!("slot {}", slot.as_str()));
    let label = file.label().map_or(String::new(), |label| format!(", label {}", label.as_str()));
    format!("{}: revision {}{label}, opened by {by}", shown(path), file.rev())
}

fn check_pin(path: &Path, locked: &Locked, pins: &[Pin]) -> std::result::Result<(), ProjectError> {
    let wrong = |what| Err(ProjectError::Pin { path: path.into(), what });
    let mut of_file = pins.iter().filter(|pin| pin.file == *locked.file_id()).peekable();
    if of_file.peek().is_none() {
        return wrong("ENVSEC_PIN does not name this file");
    }
    // All of them: of two pins for a file, neither is to be ignored.
    of_file.try_for_each(|pin| match pin {
        pin if pin.key != *locked.key_id() => wrong("its data key is not the one in ENVSEC_PIN"),
        pin if locked.rev() < pin.min_rev => wrong("its revision is lower than the one in ENVSEC_PIN"),
        _ => Ok(()),
    })
}

fn default_name(label: Option<&Label>) -> String {
    label.map_or_else(|| ".env.enc".into(), |label| format!(".env.{}.enc", label.as_str()))
}

/// The nearest file of that name in this folder or above, up to the repository's root. Outside of a repository only this
/// folder counts: a file that somebody left in /tmp is not ours.
fn search_upward(name: &str) -> std::result::Result<PathBuf, ProjectError> {
    if fs::may_be_there(Path::new(name)) {
        return Ok(name.into());
    }
    let here = fs::current_folder();
    let root = repository_root(&here);
    let depth = root.map_or(0, |root| here.components().count() - root.components().count());
    let mut above = (1..=depth).map(|up| "../".repeat(up) + name).map(PathBuf::from);
    let found = above.find(|path| fs::may_be_there(path));
    found.ok_or_else(|| ProjectError::NoFile { name: name.into(), in_repository: root.is_some() })
}

/// The nearest folder at or above `folder` that has a `.git`.
pub fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// Refuses a path at which there is something, or whose folder is not there, before anybody types a password.
///
/// # Errors
/// [`FsError::Exists`], [`ProjectError::NoFolder`].
pub fn must_be_new(path: &Path) -> Result<()> {
    let folder = fs::folder_of(path);
    if !folder.is_dir() {
        return Err(ProjectError::NoFolder(folder.into()).into());
    }
    if fs::may_be_there(path) { Err(FsError::Exists(path.into()).into()) } else { Ok(()) }
}

/// Seals a new file and puts it on the disk beside its place, where [`NewFile::commit`] moves it.
///
/// # Errors
/// What the format and the system refuse; nothing is left behind.
pub fn prepare(path: &Path, unlocked: Unlocked) -> Result<NewFile> {
    let bytes = unlocked.seal().map_err(at(path))?;
    Ok(fs::prepare(path, &bytes, Readers::Owner)?)
}
