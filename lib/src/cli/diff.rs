//! `envsec diff`: what two revisions of a sealed file differ in.

use super::Ctx;
use super::ui::{Found, is_dangerous};
use crate::error::{Failure, Result, Status, one_line, shown};
use crate::fs;
use crate::git::{self, GitError};
use crate::project::{self, Reach};
use crate::sealed::{
    Comparison, Differences, LineDifference, Locked, MAX_FILE, NameDifference, Revision, SealedError, Storage, digest,
    outline,
};
use crate::secret::SecretText;
use crate::vars::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Show what two revisions of the sealed file differ in
///
/// Names that were added (+), removed (-), changed (~) or moved (>), and slots, label and data key (*); never a value, unless
/// it is asked for at a terminal. Comments do not count. Ends with status 8 when something differs.
#[derive(clap::Args)]
#[command(after_help = "\
With a credential at hand (named, or unlocked) the seals are verified and
values are compared; without, what is encrypted is compared as it stands, which
cannot be done across a new data key.

Examples:
  envsec diff                        what is not committed yet
  envsec diff main                   against another branch
  envsec diff HEAD~3 HEAD            between two revisions
  envsec diff .env.staging.enc -e production
  envsec diff --values               with the values, at a terminal

git itself shows the same names after envsec init or envsec doctor --fix, which
set diff.envsec.textconv.")]
pub(super) struct Args {
    /// An older and a newer side, each a file or a revision of git (default: HEAD, and the sealed file as it is)
    #[arg(value_name = "REV|FILE", num_args = 0..=2)]
    sides: Vec<OsString>,

    /// Show the old and the new value of what was changed; to a terminal only
    #[arg(long, conflicts_with_all = ["json", "textconv"])]
    values: bool,

    /// A JSON object {names: [{name, change, value, moved, rotation, old, new}], unknown, header, label, data_key, file, verified}
    #[arg(long)]
    json: bool,

    /// For git: print a line for each entry of FILE, with a fingerprint and without its value
    #[arg(long, conflicts_with = "json")]
    textconv: bool,
}

/// What was asked for cannot be had.
#[derive(Debug, thiserror::Error)]
enum DiffError {
    /// Values go to eyes only.
    #[error("--values shows secrets, and standard output is no terminal")]
    NoTerminal,
    /// A word that names nothing.
    #[error("{}: neither a file here nor a revision in a git repository", one_line(.0))]
    Neither(String),
    /// `--textconv` is git's and has one file.
    #[error("--textconv takes one FILE")]
    OneFile,
}

impl Failure for DiffError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, DiffError::NoTerminal).then(|| "without it envsec diff says which names changed".into())
    }
}

/// One side of a comparison.
struct Side {
    /// What messages call it.
    name: PathBuf,
    bytes: Vec<u8>,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<Found> {
    if args.textconv {
        let [file] = args.sides.as_slice() else { return Err(DiffError::OneFile.into()) };
        ctx.ui.data(textconv(Path::new(file), ctx).as_bytes())?;
        return Ok(Found::Nothing);
    }
    if args.values && !ctx.ui.stdout_is_terminal() {
        return Err(DiffError::NoTerminal.into());
    }
    let [old, new] = sides(&args.sides, ctx)?;
    let mut revisions = ctx.project.revisions(if args.values { Reach::Ask } else { Reach::Named })?;
    // The newer side first: what opens it is what people have.
    let later = revisions.open(&new.name, new.parse()?)?;
    let earlier = revisions.open(&old.name, old.parse()?)?;
    let differences = Differences::between(&earlier, &later).map_err(project::at(&new.name))?;
    for (side, revision) in [(&old, &earlier), (&new, &later)] {
        if revision.unlocked().is_none() && !differences.is_none() {
            ctx.ui.say(&format!("{}: not verified: no credential at hand opens it", shown(&side.name)));
        }
    }
    if args.json {
        ctx.ui.data(json(&differences, &earlier, &later).as_bytes())?;
    } else {
        ctx.ui.data(table(&differences, args.values.then_some((&earlier, &later)))?.expose().as_bytes())?;
    }
    Ok(if differences.is_none() { Found::Nothing } else { Found::Something })
}

impl Side {
    fn parse(&self) -> Result<Locked> {
        Locked::parse(&self.bytes).map_err(project::at(&self.name))
    }

    fn of_file(path: &Path) -> Result<Self> {
        Ok(Side { name: path.to_owned(), bytes: fs::read_public(path, MAX_FILE)? })
    }

    fn of_revision(revision: &str, file: &Path) -> std::result::Result<Self, GitError> {
        let mut name = OsString::from(format!("{revision}:"));
        name.push(file);
        Ok(Side { name: name.into(), bytes: git::in_revision(revision, file, MAX_FILE)? })
    }

    /// What is there as a file is meant as a file.
    fn of(word: &OsString, ctx: &Ctx<'_>) -> Result<Self> {
        let path = Path::new(word);
        if path.is_file() {
            return Side::of_file(path);
        }
        match Side::of_revision(&word.to_string_lossy(), &ctx.project.one_path()?) {
            Err(GitError::NoRevision(word)) => Err(DiffError::Neither(word).into()),
            side => Ok(side?),
        }
    }
}

fn sides(words: &[OsString], ctx: &Ctx<'_>) -> Result<[Side; 2]> {
    Ok(match words {
        [] => [Side::of_revision("HEAD", &ctx.project.one_path()?)?, Side::of_file(&ctx.project.one_path()?)?],
        [old] => [Side::of(old, ctx)?, Side::of_file(&ctx.project.one_path()?)?],
        [old, new, ..] => [Side::of(old, ctx)?, Side::of(new, ctx)?],
    })
}

/// A line for each difference; with the values below it, if there are revisions to take them from.
fn table(differences: &Differences, values: Option<(&Revision, &Revision)>) -> Result<SecretText> {
    let width = differences.names.iter().map(|of| of.name.as_str().len()).max().unwrap_or(0);
    let mut text = SecretText::default();
    for of in &differences.names {
        text.push_str(&format!("{} {:width$}  {}\n", sign(of), of.name.as_str(), in_words(of)));
        if let Some((old, new)) = values.filter(|_| sign(of) != '>') {
            push_value(&mut text, "old", of, old)?;
            push_value(&mut text, "new", of, new)?;
        }
    }
    if !differences.unknown.is_empty() {
        let (count, s) = (differences.unknown.len(), if differences.unknown.len() == 1 { "" } else { "s" });
        text.push_str(&format!("? {count} value{s}: without a credential for both sides nobody can tell\n"));
    }
    for line in header_lines(differences) {
        text.push_str(&format!("* {line}\n"));
    }
    Ok(text)
}

/// What a person may want to know about the header.
fn header_lines(differences: &Differences) -> Vec<String> {
    let file = differences.file.then(|| "another file, not another revision of one".to_owned());
    let key = (differences.data_key && !differences.file).then(|| "another data key".to_owned());
    let word = |label: &Option<String>| label.clone().unwrap_or_else(|| "none".to_owned());
    let label = differences.label.as_ref().map(|(old, new)| format!("label {}, was {}", word(new), word(old)));
    let slots = differences.lines.iter().map(|line| format!("{} {}", line.what, line_change(line)));
    file.into_iter().chain(key).chain(label).chain(slots).collect()
}

fn line_change(line: &LineDifference) -> &'static str {
    match (line.old, line.new) {
        (true, true) => "wrapped anew",
        (true, false) => "removed",
        (false, _) => "added",
    }
}

fn sign(of: &NameDifference) -> char {
    match (of.old, of.new) {
        (None, _) => '+',
        (_, None) => '-',
        _ if of.is_only_moved() => '>',
        _ => '~',
    }
}

fn word(storage: Storage) -> &'static str {
    match storage {
        Storage::Secret => "secret",
        Storage::Plain => "plain",
    }
}

/// `plain, was secret, same value, moved`
fn in_words(of: &NameDifference) -> String {
    let mut words = vec![word(of.new.or(of.old).unwrap_or(Storage::Secret)).to_owned()];
    if let (Some(old), Some(new)) = (of.old, of.new) {
        if old != new {
            words.push(format!("was {}", word(old)));
        }
        words.extend((of.value == Comparison::Same && sign(of) == '~').then(|| "same value".to_owned()));
        words.extend((of.rotation && of.value != Comparison::Different).then(|| "its rotation".to_owned()));
        words.extend((of.moved && sign(of) == '~').then(|| "moved".to_owned()));
    }
    words.join(", ")
}

fn push_value(text: &mut SecretText, what: &str, of: &NameDifference, from: &Revision) -> Result<()> {
    let Some(unlocked) = from.unlocked() else { return Ok(()) };
    let Some(value) = unlocked.get(&of.name)? else { return Ok(()) };
    text.push_str(&format!("    {what}: "));
    push_on_one_line(text, &value);
    text.push('\n');
    Ok(())
}

/// As it can be shown to a person: control characters are spelt out.
fn push_on_one_line(text: &mut SecretText, value: &Value) {
    for c in value.expose().chars() {
        match c {
            '\n' => text.push_str("\\n"),
            c if is_dangerous(c) => c.escape_unicode().for_each(|c| text.push(c)),
            c => text.push(c),
        }
    }
}

fn json(differences: &Differences, old: &Revision, new: &Revision) -> String {
    let name = |of: &NameDifference| {
        let change = match sign(of) {
            '+' => "added",
            '-' => "removed",
            '>' => "moved",
            _ => "changed",
        };
        let value = match of.value {
            Comparison::Same => Some(false),
            Comparison::Different => Some(true),
            Comparison::Unknown => None,
        };
        serde_json::json!({
            "name": of.name.as_str(),
            "change": change,
            "value": value,
            "moved": of.moved,
            "rotation": of.rotation,
            "old": of.old.map(word),
            "new": of.new.map(word),
        })
    };
    let line = |line: &LineDifference| serde_json::json!({ "what": line.what, "change": line_change(line) });
    let (unknown, label) = (&differences.unknown, differences.label.as_ref());
    let report = serde_json::json!({
        "names": differences.names.iter().map(name).collect::<Vec<_>>(),
        "unknown": unknown.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "header": differences.lines.iter().map(line).collect::<Vec<_>>(),
        "label": label.map(|(old, new)| serde_json::json!({ "old": old, "new": new })),
        "data_key": differences.data_key,
        "file": differences.file,
        "verified": old.unlocked().is_some() && new.unlocked().is_some(),
    });
    format!("{report:#}\n")
}

/// What git shows in the place of a file. Whatever the file is, git has to go on with the next one.
fn textconv(file: &Path, ctx: &Ctx<'_>) -> String {
    let bytes = match fs::read_public(file, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) => return format!("{error}\n"),
    };
    match in_outline(file, &bytes, ctx) {
        Ok(text) => text,
        Err(error) => {
            let line = if error.starts_with_line() { "line " } else { "" };
            format!("not a well-formed sealed file: {line}{error}\n{}\n", digest(&bytes))
        }
    }
}

fn in_outline(file: &Path, bytes: &[u8], ctx: &Ctx<'_>) -> std::result::Result<String, SealedError> {
    let locked = Locked::parse(bytes)?;
    let opened = ctx.project.revisions(Reach::Cheap).and_then(|mut revisions| revisions.open(file, locked));
    match opened {
        Ok(revision) => Ok(outline(&revision)),
        Err(error) => {
            let seal = if error.status() == Status::NotAuthentic { "the seal does not match\n" } else { "" };
            Ok(format!("{seal}{}", outline(&Revision::Unverified(Box::new(Locked::parse(bytes)?)))))
        }
    }
}
