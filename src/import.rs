//! Bringing foreign entries into a sealed file: clashes with what is there, comments, order, what is stored plain.

use crate::child;
use crate::dotenv::Duplicates;
use crate::error::{Failure, Result, Status, shown};
use crate::formats::dotenv::{self, Options, Reader};
use crate::formats::{ImportError, Incoming, Item};
use crate::fs::{self, FsError};
use crate::sealed::{Line, MAX_FILE, Storage, Unlocked, Utc};
use crate::secret::{Secret, SecretText};
use crate::vars::{Glob, VarName};
use rand::CryptoRng;
use std::fmt;
use std::path::Path;

/// How a foreign text is read and stored: the flags of every verb that imports.
#[derive(clap::Args, Default)]
pub struct Flags {
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
    /// Whether a file with the plaintext stays behind.
    pub stays: bool,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// What the system refuses; more than a sealed file could hold.
    pub fn read(path: &Path) -> std::result::Result<Self, FsError> {
        if path == Path::new("-") {
            return Ok(Source { text: fs::read_stdin(MAX_FILE)?, name: "standard input".to_owned(), stays: false });
        }
        Ok(Source { text: fs::read(path, MAX_FILE)?, name: shown(path).to_string(), stays: path.is_file() })
    }
}

impl Flags {
    /// Whether any of them was given.
    pub fn is_used(&self) -> bool {
        let Flags { dialect, duplicates, expand, plain, keep_comment_values } = self;
        dialect.is_some() || duplicates.is_some() || *expand || !plain.is_empty() || *keep_comment_values
    }

    /// Parses a dotenv text as the flags say.
    ///
    /// # Errors
    /// As [`dotenv::parse`].
    pub fn parse(&self, source: &Source) -> std::result::Result<Incoming, ImportError> {
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
        dotenv::parse(source.text.expose(), &source.name, &options)
    }
}

/// What to do with a name that the sealed file has already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// Refuse the whole import.
    Refuse,
    /// Take the new value.
    Replace,
    /// Keep the old value.
    Keep,
}

/// How to bring entries in.
pub struct Policy {
    /// For names that are there already.
    pub existing: Existing,
    /// Names to store unencrypted.
    pub plain: Vec<Glob>,
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
        child::check_name(&name)?;
        let storage = policy.plain.iter().any(|glob| glob.matches(&name)).then_some(Storage::Plain);
        if !file.contains(&name) {
            append_lines(file, &above);
            file.append(&name, &value, storage.unwrap_or(Storage::Secret), rng);
            summary.added += 1;
        } else if policy.existing == Existing::Replace && file.set(&name, &value, storage, now, rng)? {
            summary.replaced += 1;
        } else {
            summary.kept += 1;
        }
        above.clear();
    }
    if summary.added > 0 {
        append_lines(file, &above);
    }
    Ok(summary)
}

fn refuse_clashes(file: &Unlocked, incoming: &Incoming, policy: &Policy) -> Result<()> {
    let names =
        incoming.items.iter().filter_map(|item| if let Item::Entry(name, _) = item { Some(name) } else { None });
    let clashes: Vec<VarName> = names.filter(|name| file.contains(name)).cloned().collect();
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
