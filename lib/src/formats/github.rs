//! GitHub Actions: masks for the log, and blocks for the file that `$GITHUB_ENV` names.

use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::{VarName, Vars};
use std::collections::BTreeSet;

/// What goes to the runner.
pub struct Printed {
    /// `::add-mask::` commands for standard output, which the runner has to see before a value can reach the log.
    pub masks: SecretText,
    /// Blocks to append to the file.
    pub blocks: SecretText,
}

/// Masks for every line of the values of `secret` names, since logs are masked by line; and a block for each variable
/// between lines of `delimiter`, which must be random: whoever could guess it could end a value and set variables.
///
/// # Errors
/// Names that the runner does not let be set, and values that would not arrive.
pub fn print(vars: &Vars, secret: &BTreeSet<VarName>, delimiter: &str) -> Result<Printed, NotCarried> {
    refuse(vars, "github", |name, value| match value {
        _ if is_kept(name) => Some("GitHub does not let this variable be set"),
        _ if value.contains(delimiter) => Some("holds the random delimiter; run it again"),
        _ if value.ends_with('\r') => Some("ends in a carriage return, which Windows runners drop"),
        _ => None,
    })?;
    let masks = printed(vars, |text, name, value| {
        if secret.contains(name) {
            // The runner refuses to mask what is blank.
            value.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).for_each(|line| push_mask(text, line));
        }
    });
    let blocks = printed(vars, |text, name, value| {
        for part in [name, "<<", delimiter, "\n", value, "\n", delimiter, "\n"] {
            text.push_str(part);
        }
    });
    Ok(Printed { masks, blocks })
}

fn is_kept(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name == "NODE_OPTIONS" || name.starts_with("GITHUB_") || name.starts_with("RUNNER_")
}

/// A workflow command; in its data `%` is an escape. Line breaks are too, but a line holds none.
fn push_mask(text: &mut SecretText, line: &str) {
    text.push_str("::add-mask::");
    for (at, part) in line.split('%').enumerate() {
        text.push_str(if at > 0 { "%25" } else { "" });
        text.push_str(part);
    }
    text.push('\n');
}
