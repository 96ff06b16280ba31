//! envsec's own settings: the flags that every verb has, the environment variables behind them, nothing else.

use super::ProjectError;
use crate::fs;
use crate::sealed::{
    Credential, FileId, KeyId, Label, Limits, Password, READ_LIMIT, READ_MAX, RawKey, SlotId, parse_b64u,
};
use crate::secret::SecretText;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The largest password or key file, in bytes.
const MAX_CREDENTIAL: usize = 64 * 1024;

/// The flags that every verb has. Each falls back to the variable named in its text.
#[derive(clap::Args, Default)]
pub struct Flags {
    /// The sealed file; may be repeated when reading, later files win [ENVSEC_FILE; default: .env.enc, here or above]
    #[arg(short, long, value_name = "FILE", global = true, help_heading = "Which file")]
    pub file: Vec<PathBuf>,

    /// The environment: the file .env.NAME.enc, whose label must be NAME [ENVSEC_ENV]
    #[arg(short, long, value_name = "NAME", global = true, help_heading = "Which file")]
    pub env: Option<String>,

    /// Read the password from a file [ENVSEC_PASSWORD_FILE; the password itself: ENVSEC_PASSWORD]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Credentials")]
    pub password_file: Vec<PathBuf>,

    /// Read the password from an open file descriptor
    #[arg(long, value_name = "N", global = true, help_heading = "Credentials")]
    pub password_fd: Vec<u16>,

    /// Read the password from what a command prints [ENVSEC_PASSWORD_COMMAND]
    #[arg(long, value_name = "CMD", global = true, help_heading = "Credentials")]
    pub password_command: Vec<String>,

    /// Read the raw key from a file [ENVSEC_KEY_FILE; the key itself: ENVSEC_KEY]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Credentials")]
    pub key_file: Vec<PathBuf>,

    /// Read the raw key from an open file descriptor
    #[arg(long, value_name = "N", global = true, help_heading = "Credentials")]
    pub key_fd: Vec<u16>,

    /// Try this slot only [ENVSEC_SLOT]
    #[arg(long, value_name = "ID", global = true, help_heading = "Credentials")]
    pub slot: Option<String>,

    /// The highest scrypt work factor to accept from the file, 20 to 22
    #[arg(long, value_name = "LN", global = true, help_heading = "Credentials",
          value_parser = clap::value_parser!(u8).range(i64::from(READ_MAX)..=i64::from(READ_LIMIT)))]
    pub max_work_factor: Option<u8>,

    /// Rewrite the sealed file itself where it cannot be replaced (a bind-mounted file); not safe against a crash
    #[arg(long, global = true, help_heading = "Which file")]
    pub in_place: bool,
}

/// Where a credential comes from.
#[derive(Clone)]
pub enum Source {
    /// A variable of the environment, by name.
    Variable(&'static str),
    /// A file; one line end at its end is dropped.
    File(PathBuf),
    /// A descriptor; one line end at its end is dropped.
    Descriptor(u16),
    /// A command's output; one line end at its end is dropped.
    Command(String),
}

/// What a source holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A password.
    Password,
    /// A raw key.
    RawKey,
}

/// What this module needs of the world outside: it neither prompts nor prints nor runs anything itself.
pub trait Outside {
    /// A line typed at the terminal without echo.
    ///
    /// # Errors
    /// When there is no terminal, or the user gave up.
    fn ask_hidden(&self, prompt: &str) -> crate::error::Result<SecretText>;

    /// What a command prints on its standard output.
    ///
    /// # Errors
    /// When it cannot be run or fails.
    fn output_of(&self, command: &str) -> crate::error::Result<SecretText>;

    /// What was done and why, for those who asked to be told.
    fn explain(&self, message: &str);

    /// A warning to whoever started the program.
    fn warn(&self, message: &str);
}

/// A variable of envsec's own; an empty one is an error, since it is mostly a secret store that failed to deliver.
pub(super) fn variable(name: &'static str) -> Result<Option<OsString>, ProjectError> {
    match std::env::var_os(name) {
        Some(value) if value.is_empty() => Err(ProjectError::setting(name, "is set, but empty")),
        value => Ok(value),
    }
}

/// The sources that flags or, without any flag, variables name.
///
/// # Errors
/// A variable that is set but empty.
pub fn sources(flags: &Flags) -> Result<Vec<(Holds, Source)>, ProjectError> {
    let mut found = Vec::new();
    found.extend(flags.key_file.iter().map(|path| (Holds::RawKey, Source::File(path.clone()))));
    found.extend(flags.key_fd.iter().map(|fd| (Holds::RawKey, Source::Descriptor(*fd))));
    found.extend(password_sources(&flags.password_file, &flags.password_fd, &flags.password_command));
    if !found.is_empty() {
        return Ok(found);
    }
    let file = |name| variable(name).map(|path| path.map(|path| Source::File(path.into())));
    let own = |name| variable(name).map(|value| value.map(|_| Source::Variable(name)));
    let command = variable("ENVSEC_PASSWORD_COMMAND")?.map(|c| Source::Command(c.to_string_lossy().into_owned()));
    let keys = [own("ENVSEC_KEY")?, file("ENVSEC_KEY_FILE")?];
    let passwords = [own("ENVSEC_PASSWORD")?, file("ENVSEC_PASSWORD_FILE")?, command];
    found.extend(keys.into_iter().flatten().map(|source| (Holds::RawKey, source)));
    found.extend(passwords.into_iter().flatten().map(|source| (Holds::Password, source)));
    Ok(found)
}

/// The password sources among flags.
pub fn password_sources(files: &[PathBuf], fds: &[u16], commands: &[String]) -> Vec<(Holds, Source)> {
    let files = files.iter().map(|path| Source::File(path.clone()));
    let fds = fds.iter().map(|fd| Source::Descriptor(*fd));
    let commands = commands.iter().map(|command| Source::Command(command.clone()));
    files.chain(fds).chain(commands).map(|source| (Holds::Password, source)).collect()
}

/// Reads and checks a credential.
///
/// # Errors
/// What the source refuses; a text that is no password or key.
pub fn credential(holds: Holds, source: &Source, outside: &dyn Outside) -> crate::error::Result<Credential> {
    let text = read_source(source, outside)?;
    let from = |error| ProjectError::Credential { from: describe(source), source: error };
    Ok(match holds {
        Holds::Password => Credential::Password(Password::new(&text).map_err(from)?),
        Holds::RawKey => Credential::RawKey(RawKey::parse(&text).map_err(from)?),
    })
}

fn describe(source: &Source) -> String {
    match source {
        Source::Variable(name) => (*name).into(),
        Source::File(path) => path.display().to_string(),
        Source::Descriptor(fd) => format!("descriptor {fd}"),
        Source::Command(_) => "the password command".into(),
    }
}

fn read_source(source: &Source, outside: &dyn Outside) -> crate::error::Result<SecretText> {
    let bytes = match source {
        Source::Variable(name) => {
            let value = std::env::var_os(name).unwrap_or_default();
            return Ok(value
                .into_string()
                .map(SecretText::from)
                .map_err(|_| ProjectError::setting(*name, "is not UTF-8"))?);
        }
        Source::Command(command) => return Ok(without_line_end(&outside.output_of(command)?)),
        Source::File(path) => {
            if fs::others_can_read(path) {
                outside.warn(&format!("{}: other users can read this credential: chmod 600 it", path.display()));
            }
            fs::read(path, MAX_CREDENTIAL)?
        }
        Source::Descriptor(fd) => fs::read_descriptor(*fd, MAX_CREDENTIAL)?,
    };
    let text = bytes.into_text().map_err(|_| ProjectError::Setting { name: describe(source), what: "is not UTF-8" })?;
    Ok(without_line_end(&text))
}

/// Drops exactly one LF or CRLF.
fn without_line_end(text: &SecretText) -> SecretText {
    let text = text.expose();
    let body = text.strip_suffix('\n').map_or(text, |body| body.strip_suffix('\r').unwrap_or(body));
    SecretText::from(body)
}

/// What a reader lets a file cost, and which slot it tries.
///
/// # Errors
/// A slot id that is none.
pub(super) fn limits(flags: &Flags) -> Result<Limits, ProjectError> {
    let from_variable = || Ok(variable("ENVSEC_SLOT")?.map(|id| id.to_string_lossy().into_owned()));
    let slot = flags.slot.clone().map_or_else(from_variable, |id| Ok(Some(id)))?;
    let slot =
        slot.map(|id| SlotId::parse(&id).ok_or(ProjectError::setting("--slot", "is no slot id: a-z, 0-9 and -")));
    Ok(Limits { max_work_factor: flags.max_work_factor.unwrap_or(READ_MAX), slot: slot.transpose()? })
}

/// The environment asked for by `-e` or ENVSEC_ENV.
///
/// # Errors
/// A name that can be no label; an empty variable.
pub fn label(flags: &Flags) -> Result<Option<Label>, ProjectError> {
    let bad = |name: &'static str| {
        ProjectError::setting(name, "is no name of an environment: a-z, 0-9, . _ and -, at most 64")
    };
    match &flags.env {
        Some(name) => Label::parse(name).map(Some).ok_or_else(|| bad("--env")),
        None => match variable("ENVSEC_ENV")? {
            Some(name) => name.to_str().and_then(Label::parse).map(Some).ok_or_else(|| bad("ENVSEC_ENV")),
            None => Ok(None),
        },
    }
}

/// A file's expected data key and lowest revision, from ENVSEC_PIN.
pub(super) struct Pin {
    /// Which file it speaks of.
    pub file: FileId,
    /// The data key it must have.
    pub key: KeyId,
    /// The lowest revision accepted.
    pub min_rev: u64,
}

/// The pins of ENVSEC_PIN: `<file>:<key>:<min rev>[,...]`; `None` when it is not set.
///
/// # Errors
/// A text that is no list of pins.
pub(super) fn pins() -> Result<Option<Vec<Pin>>, ProjectError> {
    let Some(text) = variable("ENVSEC_PIN")? else { return Ok(None) };
    let pins = text.to_str().and_then(|text| text.split(',').map(parse_pin).collect());
    pins.map(Some).ok_or_else(|| ProjectError::setting("ENVSEC_PIN", "is not FILE:KEY:REV[,...]"))
}

fn parse_pin(text: &str) -> Option<Pin> {
    let mut parts = text.split(':');
    let file = parse_b64u(parts.next()?)?.try_into().ok()?;
    let key = parse_b64u(parts.next()?)?.try_into().ok()?;
    let min_rev = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(Pin { file, key, min_rev })
}

/// The label that a file's name asks for: NAME of `.env.NAME.enc`.
pub fn label_of_name(path: &Path) -> Option<Label> {
    let name = path.file_name()?.to_str()?;
    Label::parse(name.strip_prefix(".env.")?.strip_suffix(".enc")?)
}
