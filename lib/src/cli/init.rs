//! `envsec init`: a new sealed file.

use super::Ctx;
use super::new_password;
use super::ui::{Ui, from_here};
use crate::crypto;
use crate::error::{Failure, Result, Status, shown};
use crate::fs::{self, FsError, NewFile, Readers};
use crate::git::{self, AttributeLines, Attributes, Drivers, GitError, IgnoreRules};
use crate::import::{self, Policy};
use crate::inference;
use crate::project::{self, Outside as _, SCHEMA_NAME, Sources};
use crate::sealed::{NewSlot, RawKey, Unlocked, Utc};
use crate::slots;
use std::path::{Path, PathBuf};

/// Make a new sealed file
///
/// It is opened by a password, by a raw key, or by either.
#[derive(clap::Args)]
#[command(after_help = "\
The password comes from the settings (ENVSEC_PASSWORD, --password-file ...) or
is asked for twice; an empty answer generates one of seven words. A raw key is
for machines: it needs no scrypt, and is printed once, alone, on standard
output.

Examples:
  envsec init
  envsec init --from .env                    and bring in what there is
  envsec init -e production                  .env.production.enc
  envsec init --raw-key > ci.key             opened by that key only
  ENVSEC_PASSWORD=... envsec init --raw-key  opened by the password or the key")]
pub(super) struct Args {
    /// Import this plaintext dotenv file into the new one, - for standard input
    #[arg(long, value_name = "FILE|-")]
    from: Option<PathBuf>,

    /// Add a slot for a new raw key and print that key
    #[arg(long)]
    raw_key: bool,

    #[command(flatten)]
    password: new_password::Flags,

    #[command(flatten)]
    cost: slots::Cost,

    /// Write no declaration
    #[arg(long, conflicts_with = "schema")]
    no_schema: bool,

    /// Leave .gitignore, .gitattributes and git's configuration alone
    #[arg(long)]
    no_git: bool,

    #[command(flatten)]
    reading: import::Flags,
}

/// Settings that do not go together.
#[derive(Debug, thiserror::Error)]
enum InitError {
    /// Flags that say how to import, and nothing to import.
    #[error("--plain, --dialect, --duplicates, --expand and --keep-comment-values need --from FILE")]
    NothingToImport,
}

impl Failure for InitError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let (path, label) = ctx.project.new_file()?;
    project::must_be_new(&path)?;
    if args.from.is_none() && args.reading.is_used() {
        return Err(InitError::NothingToImport.into());
    }
    let source = args.from.as_deref().map(|from| args.reading.open(from)).transpose()?;
    let mut incoming = source
        .as_ref()
        .map(|source| args.reading.parse(source, |files, name| ctx.project.blob_passwords(files, name)))
        .transpose()?;
    let notes = incoming.as_mut().map(|incoming| std::mem::take(&mut incoming.notes)).unwrap_or_default();

    let declaration = declaration(args, ctx, &path)?;
    let rng = &mut crypto::system_rng();
    let slots = new_slots(args, ctx, rng)?;
    let mut file = Unlocked::create(label, &slots, rng).map_err(project::at(&path))?;
    let policy = Policy { plain: args.reading.plain.clone(), ..Policy::default() };
    let imported =
        incoming.map(|incoming| import::into_file(&mut file, incoming, &policy, Utc::now(), rng)).transpose()?;

    let prepared = project::prepare(&path, file)?;
    let declaration = declaration.map(NewDeclaration::prepare).transpose()?;
    if !args.no_git {
        set_up_git(&path, ctx.ui)?;
    }
    // Before the file has its name: a key without a file is nothing, a file without its key is lost.
    ctx.ui.raw_keys(&slots::raw_keys(&slots))?;
    prepared.commit()?;
    if let Some((place, file)) = declaration {
        let made = |_: &FsError| ctx.ui.complain(&format!("{} is in place, without a declaration", shown(&path)));
        file.commit().inspect_err(made)?;
        ctx.ui
            .say(&format!("{}: a first declaration, to be read and mended; envsec validate checks it", shown(&place)));
    }

    if let (Some(summary), Some(source)) = (imported, &source) {
        ctx.ui.imported(&shown(&path), source, &notes, summary);
    }
    ctx.ui.note(&format!("made {}; next: envsec set NAME, envsec run -- COMMAND", shown(&path)));
    Ok(())
}

/// A declaration that is to be written beside the new file.
struct NewDeclaration {
    place: PathBuf,
    text: String,
}

impl NewDeclaration {
    /// Writes it, still without its name, which it gets after the sealed file.
    fn prepare(self) -> Result<(PathBuf, NewFile)> {
        let file = fs::prepare(&self.place, self.text.as_bytes(), Readers::ByUmask)?;
        Ok((self.place, file))
    }
}

/// A declaration of what a plaintext file beside the new one holds: if it was asked for, or a person says yes.
fn declaration(args: &Args, ctx: &Ctx<'_>, path: &Path) -> Result<Option<NewDeclaration>> {
    let folder = fs::folder_of(path);
    let is_asked_for = ctx.flags.schema.is_some();
    let place = ctx.flags.schema.clone().unwrap_or_else(|| path.with_file_name(SCHEMA_NAME));
    if args.no_schema || (!is_asked_for && ctx.project.declaration_path(&[path.to_path_buf()])?.is_some()) {
        return Ok(None);
    }
    let named = args.from.clone().filter(|from| from != Path::new("-") && args.reading.is_dotenv());
    let source = match inference::usual_source(if folder == Path::new(".") { Path::new("") } else { folder }).or(named)
    {
        Some(source) => source,
        None if is_asked_for => return Err(inference::Nothing.into()),
        None => return Ok(None),
    };
    let question = format!("Write {}, a declaration inferred from {}?", shown(&place), shown(&source));
    if !is_asked_for && ctx.ui.ask_yes(&question, true)? != Some(true) {
        return Ok(None);
    }
    project::must_be_new(&place)?;
    let text = inference::of_texts(&[source])?;
    Ok(Some(NewDeclaration { place, text }))
}

/// The slots of the new file.
fn new_slots(args: &Args, ctx: &Ctx<'_>, rng: &mut dyn rand::CryptoRng) -> Result<Vec<NewSlot>> {
    let mut slots = Vec::new();
    if let Some(password) = args.password.read_or(Sources::new(ctx.flags)?.passwords(), !args.raw_key, ctx.ui)? {
        slots.push(NewSlot::password(password, args.cost.work_factor));
    }
    if args.raw_key {
        slots.push(NewSlot::raw_key(RawKey::generate(rng)));
    }
    Ok(slots)
}

/// The drivers first: a repository that cannot be written to is told before anything is.
fn set_up_git(path: &Path, ui: &Ui) -> Result<()> {
    let folder = fs::resolve(fs::folder_of(path))?;
    let Some(root) = project::repository_root(&folder) else { return Ok(()) };
    let drivers = match git::add_drivers(&folder) {
        Err(GitError::NotRun(_)) => None,
        drivers => Some(drivers?),
    };
    say_ignored(git::ignore_plaintext(root, &folder)?, ui);
    say_drivers(drivers, git::add_attributes(root, &folder)?, ui);
    Ok(())
}

fn say_drivers(drivers: Option<Drivers>, lines: AttributeLines, ui: &Ui) {
    let Some(drivers) = drivers else {
        ui.say("git did not answer, so its diff and merge drivers are not set up: envsec doctor --fix does it later");
        return;
    };
    for key in &drivers.others {
        ui.warn(&format!(
            "git config {key} is set already and left alone; envsec's would be: {}",
            git::driver_value(key)
        ));
    }
    let (file, attributes) = match lines {
        AttributeLines::Kept(attributes) => (None, attributes),
        AttributeLines::Added(file, attributes) => (Some(from_here(&file)), attributes),
    };
    let configured = (!drivers.missing.is_empty()).then(|| "this clone's configuration".to_owned());
    let places: Vec<String> = file.into_iter().chain(configured).collect();
    match attributes {
        Attributes::Others(others) => {
            ui.warn(&format!("git does not ask envsec, and is left alone: {}", others.join(", ")))
        }
        Attributes::Missing | Attributes::Unknown => {
            ui.warn("git does not ask envsec about .env.enc here: git check-attr -a .env.enc");
        }
        Attributes::Right if places.is_empty() => {}
        Attributes::Right => ui.say(&format!(
            "{}: git diff and git merge now ask envsec about .env*.enc (checked with git check-attr)",
            places.join(" and ")
        )),
    }
}

fn say_ignored(rules: IgnoreRules, ui: &Ui) {
    match rules {
        IgnoreRules::Right => {}
        IgnoreRules::Added(file) => ui.say(&format!(
            "{}: now ignores .env and .env.*, but not .env.example and .env*.enc (checked with git check-ignore)",
            from_here(&file)
        )),
        IgnoreRules::Unverified(file) => {
            ui.say(&format!(
                "{}: added rules for env files; git did not answer, so they are not checked",
                from_here(&file)
            ));
        }
        IgnoreRules::StillWrong(file, names) => ui.warn(&format!(
            "{}: added rules for env files, but another rule still wins for {}: git check-ignore -v {}",
            from_here(&file),
            names.join(", "),
            names.join(" ")
        )),
    }
}
