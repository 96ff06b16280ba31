//! `NAME=value`, each with a NUL byte at its end, as `env -0` prints and `xargs -0` reads it: exact for any value.

use super::error::ImportError;
use super::{Incoming, collect, printed};
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarError, VarName, Vars};

/// Reads the records; the NUL after the last one may be missing. Places are record numbers.
///
/// # Errors
/// Everything that a sealed file cannot hold, and names that stand twice: all at once.
pub fn parse(text: &[u8], source_name: &str) -> Result<Incoming, ImportError> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    if text.is_empty() {
        return Ok(Incoming::default());
    }
    collect(source_name, (1..).zip(text.split(|byte| *byte == 0).map(entry)))
}

fn entry(record: &[u8]) -> Result<(VarName, Value), String> {
    let equals = record.iter().position(|byte| *byte == b'=').ok_or("not NAME=value")?;
    // What is no text is no name.
    let name = std::str::from_utf8(&record[..equals]).unwrap_or_default();
    let name = VarName::try_from(name).map_err(|error| error.to_string())?;
    let text = Secret::from(&record[equals + 1..]).into_text().map_err(|_| VarError::NotUtf8);
    let value = text.and_then(Value::try_from).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, value))
}

/// The records, each with its NUL.
pub fn print(vars: &Vars) -> SecretText {
    printed(vars, |text, name, value| {
        for part in [name, "=", value, "\0"] {
            text.push_str(part);
        }
    })
}
