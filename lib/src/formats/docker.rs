//! Lines for `docker run --env-file`: `NAME=value`, the value as it stands.

use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::Vars;

/// The longest line that docker reads, without its end: the buffer of its line scanner.
const MAX_LINE: usize = 64 * 1024 - 1;

/// A line for each variable. docker takes what is between the `=` and the line end, quotes and blanks included.
///
/// # Errors
/// Line breaks, which would be lines of their own, and lines that docker does not read.
pub fn print(vars: &Vars) -> Result<SecretText, NotCarried> {
    refuse(vars, "docker", |name, value| match value {
        _ if value.contains(['\n', '\r']) => Some("holds a line break"),
        _ if name.len() + 1 + value.len() > MAX_LINE => Some("NAME=value is longer than the 64 KiB that docker reads"),
        _ => None,
    })?;
    Ok(printed(vars, |text, name, value| {
        for part in [name, "=", value, "\n"] {
            text.push_str(part);
        }
    }))
}
