//! Bringing foreign entries into a sealed file: clashes with what is there, comments, order, what is stored plain.

use crate::child;
use crate::dotenv::Duplicates;
use crate::error::{Failure, Result, Status, shown};
use crate::formats::dotenv::{self, Options, Reader};
use crate::formats::seed::Blob;
use crate::formats::{ImportError, Incoming, Item, env0, json};
use crate::fs::{self, FsError};
use crate::sealed::{Line, MAX_FILE, Storage, Unlocked, Utc};
use crate::secret::{Secret, SecretText};
use crate::vars::{Glob, Value, VarName};
use rand::CryptoRng;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a foreign text is read and stored: the flags of every verb that imports.
#[derive(clap::Args, Default)]
pub struct Flags {
    /// What the text is
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,

    /// Read the password of a seed blob from a file, where it is not the sealed file's own
    #[arg(long, value_name = "FILE")]
    pub blob_password_file: Vec<PathBuf>,

    /// Whose reading of the text counts where readers disagree
    #[arg(long, value_enum, value_name = "READER")]
    pub dialect: Option<Dialect>,

    /// Take the first or the last of a name that stands twice, instead of refusing it
    #[arg(long, value_enum, value_name = "WHICH")]
    pub duplicates: Option<Which>,

    /// Expand $NAME, ${NAME} and ${NAME:-text}, from entries above, then from the process
    #[arg(long)]
    pub expand: bool,

    /// Store the names that match unencrypted (still sealed)
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    pub plain: Vec<Glob>,

    /// Keep the values in comments such as "# OLD_KEY=abc"
    #[arg(long)]
    pub keep_comment_values: bool,
}

/// The formats to import.
#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines of NAME=value, comments, quotes
    #[default]
    Dotenv,
    /// A flat object
    Json,
    /// An encrypted base64 blob, see docs/format.md
    Seed,
    /// What env -0 prints
    Env0,
}

/// A flag that says nothing to the format.
#[derive(Debug, thiserror::Error)]
#[error("{flag} goes with --format {format} only")]
pub struct WrongFormat {
    /// The flag.
    flag: &'static str,
    /// The format that it belongs to.
    format: &'static str,
}

impl Failure for WrongFormat {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// The readers to choose from besides envsec's own strict one.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Dialect {
    /// npm dotenv 16 to 18
    Node,
    /// The Rust crate dotenvy
    Dotenvy,
}

/// Which of several entries of one name counts.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Which {
    /// The first
    First,
    /// The last
    Last,
}

/// A text to import, read whole.
pub struct Source {
    /// What messages call it.
    pub name: String,
    text: Secret,
    /// Whether a file with the plaintext stays behind; a seed blob is encrypted.
    pub stays: bool,
}

impl Source {
    fn read(path: &Path, format: Format) -> std::result::Result<Self, FsError> {
        if path == Path::new("-") {
            return Ok(Source { text: fs::read_stdin(MAX_FILE)?, name: "standard input".to_owned(), stays: false });
        }
        Ok(Source {
            text: fs::read(path, MAX_FILE)?,
            name: shown(path),
            stays: path.is_file() && format != Format::Seed,
        })
    }
}

impl Flags {
    /// Reads the text to import: a file, or standard input for `-`.
    ///
    /// # Errors
    /// What the system refuses; more than a sealed file could hold.
    pub fn open(&self, path: &Path) -> std::result::Result<Source, FsError> {
        Source::read(path, self.format)
    }

    /// Whether any of them was given.
    pub fn is_used(&self) -> bool {
        let Flags { format, blob_password_file, plain, .. } = self;
        *format != Format::Dotenv || !blob_password_file.is_empty() || !plain.is_empty() || self.dotenv_flag().is_some()
    }

    /// Whether the text is a dotenv text.
    pub fn is_dotenv(&self) -> bool {
        self.format == Format::Dotenv
    }

    /// The first of the flags that say how dotenv text is read.
    fn dotenv_flag(&self) -> Option<&'static str> {
        let given = [
            (self.dialect.is_some(), "--dialect"),
            (self.duplicates.is_some(), "--duplicates"),
            (self.expand, "--expand"),
            (self.keep_comment_values, "--keep-comment-values"),
        ];
        given.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
    }

    /// Refuses flags that would be passed over in silence.
    fn check(&self) -> std::result::Result<(), WrongFormat> {
        match self.dotenv_flag() {
            Some(flag) if self.format != Format::Dotenv => Err(WrongFormat { flag, format: "dotenv" }),
            _ if self.format != Format::Seed && !self.blob_password_file.is_empty() => {
                Err(WrongFormat { flag: "--blob-password-file", format: "seed" })
            }
            _ => Ok(()),
        }
    }

    /// Parses a text as the flags say; `passwords` is asked for those of a blob, given its name.
    ///
    /// # Errors
    /// [`WrongFormat`], [`ImportError`], and what `passwords` fails with.
    pub fn parse(
        &self,
        source: &Source,
        passwords: impl FnOnce(&[PathBuf], &str) -> Result<Vec<Secret>>,
    ) -> Result<Incoming> {
        self.check()?;
        let (text, name) = (source.text.expose(), source.name.as_str());
        let incoming = match self.format {
            Format::Dotenv => self.parse_dotenv(text, name)?,
            Format::Json => json::parse(text, name)?,
            Format::Env0 => env0::parse(text, name)?,
            Format::Seed => {
                let blob = Blob::parse(text, name)?;
                blob.open(&passwords(&self.blob_password_file, name)?, name)?
            }
        };
        child::check_names(incoming.names())?;
        Ok(incoming)
    }

    fn parse_dotenv(&self, text: &[u8], name: &str) -> std::result::Result<Incoming, ImportError> {
        // What no child gets does not get into the file either.
        let process = |name: &str| {
            let value = std::env::var(name).ok().filter(|_| !child::is_withheld(name.as_ref()));
            value.map(SecretText::from)
        };
        let options = Options {
            reader: match self.dialect {
                None => Reader::Strict,
                Some(Dialect::Node) => Reader::Node,
                Some(Dialect::Dotenvy) => Reader::Dotenvy,
            },
            duplicates: match self.duplicates {
                None => Duplicates::Refuse,
                Some(Which::First) => Duplicates::First,
                Some(Which::Last) => Duplicates::Last,
            },
            keep_comment_values: self.keep_comment_values,
            expand: if self.expand { Some(&process) } else { None },
        };
        dotenv::parse(text, name, &options)
    }
}

/// What to do with a name that the sealed file has already.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Existing {
    /// Refuse the whole import.
    #[default]
    Refuse,
    /// Take the new value.
    Replace,
    /// Keep the old value.
    Keep,
}

/// How to bring entries in.
#[derive(Default)]
pub struct Policy {
    /// For names that are there already.
    pub existing: Existing,
    /// Names to store unencrypted.
    pub plain: Vec<Glob>,
    /// Names of which the file has to say how old they are.
    pub aging: BTreeSet<VarName>,
}

impl Policy {
    /// How a new name is stored.
    pub fn storage(&self, name: &VarName) -> Storage {
        if self.plain.iter().any(|glob| glob.matches(name)) { Storage::Plain } else { Storage::Secret }
    }
}

/// How many names were brought in.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    /// New names.
    pub added: usize,
    /// Names that got a new value.
    pub replaced: usize,
    /// Names that kept what they had.
    pub kept: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = if self.added == 1 { "name" } else { "names" };
        write!(f, "{} {names} imported", self.added)?;
        if self.replaced > 0 {
            write!(f, ", {} replaced", self.replaced)?;
        }
        if self.kept > 0 {
            write!(f, ", {} kept as they were", self.kept)?;
        }
        Ok(())
    }
}

/// Names that are there already.
#[derive(Debug, thiserror::Error)]
#[error("already in the sealed file: {}", .0.iter().map(VarName::as_str).collect::<Vec<_>>().join(", "))]
pub struct AlreadyThere(Vec<VarName>);

impl Failure for AlreadyThere {
    fn status(&self) -> Status {
        Status::Other
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was imported; --replace takes the new values, --keep the old ones".into())
    }
}

/// Adds all entries to the end of the file in their order, with the comments and blank lines above them; names that are
/// there already change in their place and bring no comment.
///
/// # Errors
/// [`AlreadyThere`], and what [`Unlocked::set`] refuses; the file is not written then.
pub fn into_file(
    file: &mut Unlocked,
    incoming: Incoming,
    policy: &Policy,
    now: Utc,
    rng: &mut dyn CryptoRng,
) -> Result<Summary> {
    refuse_clashes(file, &incoming, policy)?;
    let mut summary = Summary::default();
    let mut above = Vec::new();
    for item in incoming.items {
        let Item::Entry(name, value) = item else {
            above.push(item);
            continue;
        };
        let lines = std::mem::take(&mut above);
        let storage = policy.storage(&name);
        let changed = (storage == Storage::Plain).then_some(storage);
        if !file.contains(&name) {
            append_lines(file, &lines);
            file.append(&name, &value, storage, rng);
            summary.added += 1;
        } else if policy.existing == Existing::Replace && file.set(&name, &value, changed, now, rng)? {
            summary.replaced += 1;
        } else {
            summary.kept += 1;
            continue;
        }
        if policy.aging.contains(&name) {
            file.note_age(&name, now);
        }
    }
    if summary.added > 0 {
        append_lines(file, &above);
    }
    Ok(summary)
}

/// The values that [`into_file`] would write, and how each will be stored.
///
/// # Errors
/// [`AlreadyThere`].
pub fn to_be_written<'i>(
    file: &Unlocked,
    incoming: &'i Incoming,
    policy: &Policy,
) -> Result<Vec<(&'i VarName, &'i Value, Storage)>> {
    refuse_clashes(file, incoming, policy)?;
    let kept = |name: &VarName| policy.existing == Existing::Keep && file.contains(name);
    let stored = |name: &VarName| match policy.storage(name) {
        Storage::Secret => file.storage(name).unwrap_or(Storage::Secret),
        Storage::Plain => Storage::Plain,
    };
    let written = incoming.entries().filter(|(name, _)| !kept(name));
    Ok(written.map(|(name, value)| (name, value, stored(name))).collect())
}

fn refuse_clashes(file: &Unlocked, incoming: &Incoming, policy: &Policy) -> Result<()> {
    let clashes: Vec<VarName> = incoming.names().filter(|name| file.contains(name)).cloned().collect();
    if clashes.is_empty() || policy.existing != Existing::Refuse { Ok(()) } else { Err(AlreadyThere(clashes).into()) }
}

fn append_lines(file: &mut Unlocked, items: &[Item]) {
    for item in items {
        match item {
            Item::Comment(text) => file.append_line(Line::Comment(text)),
            Item::Blank => file.append_line(Line::Blank),
            Item::Entry(..) => {}
        }
    }
}
