//! Text for the fish shell, to be piped into `source`.

use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::Vars;

/// Names that fish sets itself or keeps read-only.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "FISH_VERSION", "PWD", "SHLVL", "_", "fish_kill_signal",
    "fish_killring", "fish_pid", "history", "hostname", "pipestatus",
    "status", "status_generation", "umask", "version",
];

/// A line for each variable. Between single quotes fish knows two escapes, `\\` and `\'`; all else is itself.
///
/// # Errors
/// Names that fish keeps for itself.
pub fn print(vars: &Vars) -> Result<SecretText, NotCarried> {
    refuse(vars, "fish", |name, value| match name {
        _ if OWN.contains(&name) => Some("fish keeps this variable for itself"),
        "PATH" | "CDPATH" if value.is_empty() => Some("fish makes the current folder of an empty list of folders"),
        _ => None,
    })?;
    Ok(printed(vars, |text, name, value| {
        for part in ["set -gx ", name, " '"] {
            text.push_str(part);
        }
        for char in value.chars() {
            if matches!(char, '\\' | '\'') {
                text.push('\\');
            }
            text.push(char);
        }
        text.push_str("'\n");
    }))
}
