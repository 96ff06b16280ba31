//! envsec's own settings: the flags that every verb has, the environment variables behind them, nothing else.

use super::ProjectError;
use crate::sealed::{FileId, KeyId, Label, Limits, READ_LIMIT, READ_MAX, SlotId, parse_b64u, parse_number};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The flags that every verb has. Each falls back to the variable named in its text.
#[derive(clap::Args, Default, Debug)]
pub struct Flags {
    /// The sealed file; may be repeated when reading, later files win (ENVSEC_FILE; default: .env.enc, here or above)
    #[arg(short, long, value_name = "FILE", global = true, help_heading = "Which file")]
    pub file: Vec<PathBuf>,

    /// The environment: the file .env.NAME.enc, whose label must be NAME (ENVSEC_ENV)
    #[arg(short, long, value_name = "NAME", global = true, help_heading = "Which file")]
    pub env: Option<String>,

    /// The declaration to check against (ENVSEC_SCHEMA; default: env.schema.json, beside the sealed file or above)
    #[arg(long, value_name = "FILE", global = true, help_heading = "Which file")]
    pub schema: Option<PathBuf>,

    /// Read the password from a file (ENVSEC_PASSWORD_FILE; the password itself: ENVSEC_PASSWORD)
    #[arg(long, value_name = "FILE", global = true, help_heading = "Credentials")]
    pub password_file: Vec<PathBuf>,

    /// Read the password from an open file descriptor
    #[arg(long, value_name = "N", global = true, help_heading = "Credentials")]
    pub password_fd: Vec<u16>,

    /// Read the password from what a command prints (ENVSEC_PASSWORD_COMMAND)
    #[arg(long, value_name = "CMD", global = true, help_heading = "Credentials")]
    pub password_command: Vec<String>,

    /// Read the raw key from a file (ENVSEC_KEY_FILE; the key itself: ENVSEC_KEY)
    #[arg(long, value_name = "FILE", global = true, help_heading = "Credentials")]
    pub key_file: Vec<PathBuf>,

    /// Read the raw key from an open file descriptor
    #[arg(long, value_name = "N", global = true, help_heading = "Credentials")]
    pub key_fd: Vec<u16>,

    /// Try this slot only (ENVSEC_SLOT)
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

pub(super) const IS_EMPTY: &str = "is set, but empty";
pub(super) const NO_PIN: &str = "is not FILE:KEY:REV[,...]";

/// A variable of envsec's own; an empty one is an error, since it is mostly a secret store that failed to deliver.
pub(super) fn variable(name: &'static str) -> Result<Option<OsString>, ProjectError> {
    match std::env::var_os(name) {
        Some(value) if value.is_empty() => Err(ProjectError::setting(name, IS_EMPTY)),
        value => Ok(value),
    }
}

/// What a reader lets a file cost, and which slot it tries.
///
/// # Errors
/// A slot id that is none.
pub(super) fn limits(flags: &Flags) -> Result<Limits, ProjectError> {
    let from_variable = variable("ENVSEC_SLOT")?;
    let (name, id) = match (&flags.slot, &from_variable) {
        (Some(id), _) => ("--slot", Some(id.as_str())),
        (None, Some(id)) => ("ENVSEC_SLOT", Some(id.to_str().unwrap_or_default())),
        (None, None) => ("", None),
    };
    let bad = || ProjectError::setting(name, "is no slot id: a-z, 0-9 and -");
    let slot = id.map(|id| SlotId::parse(id).ok_or_else(bad)).transpose()?;
    Ok(Limits { max_work_factor: flags.max_work_factor.unwrap_or(READ_MAX), slot })
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
    pins.map(Some).ok_or_else(|| ProjectError::setting("ENVSEC_PIN", NO_PIN))
}

fn parse_pin(text: &str) -> Option<Pin> {
    let mut parts = text.split(':');
    let file = parse_b64u(parts.next()?)?.try_into().ok()?;
    let key = parse_b64u(parts.next()?)?.try_into().ok()?;
    let min_rev = parse_number(parts.next()?)?;
    parts.next().is_none().then_some(Pin { file, key, min_rev })
}

/// The label that a file's name asks for: NAME of `.env.NAME.enc`.
///
/// # Errors
/// A NAME that can be no label: such a file could never be told from another one's.
pub(super) fn label_of_name(path: &Path) -> Result<Option<Label>, ProjectError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name.strip_prefix(".env.").and_then(|name| name.strip_suffix(".enc")) {
        Some(label) => Label::parse(label).map(Some).ok_or_else(|| ProjectError::NoLabel(path.into())),
        None => Ok(None),
    }
}
