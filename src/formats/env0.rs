//! `NAME=value`, each with a NUL byte at its end, as `env -0` prints and `xargs -0` reads it: exact for any value.

use super::error::{Complaints, ImportError};
use super::{Incoming, Item, printed};
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarError, VarName, Vars};
use std::collections::HashSet;

/// Reads the records; the NUL after the last one may be missing. Places are record numbers.
///
/// # Errors
/// Everything that a sealed file cannot hold, and names that stand twice: all at once.
pub fn parse(text: &[u8], source_name: &str) -> Result<Incoming, ImportError> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let (mut incoming, mut wrong, mut seen) = (Incoming::default(), Complaints::new(source_name), HashSet::new());
    if text.is_empty() {
        return Ok(incoming);
    }
    for (number, record) in (1..).zip(text.split(|byte| *byte == 0)) {
        match entry(record) {
            Ok((name, _)) if !seen.insert(name.clone()) => wrong.add(number, format!("{name}: stands twice")),
            Ok((name, value)) => incoming.items.push(Item::Entry(name, value)),
            Err(what) => wrong.add(number, what),
        }
        if wrong.is_full() {
            break;
        }
    }
    wrong.or(incoming)
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
