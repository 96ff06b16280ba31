//! A dotenv report artifact of GitLab CI (`artifacts:reports:dotenv`), which hands variables to later jobs.

use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::Vars;

/// The longest name of a CI variable.
const MAX_NAME: usize = 255;

/// The size of the file and the number of variables from which on GitLab refuses the artifact, unless its administrator
/// or its plan allows more.
const USUAL_BYTES: usize = 5 * 1024;
const USUAL_VARIABLES: usize = 20;

/// A line for each variable. GitLab knows neither quotes nor escapes in such a file and cuts blanks off both ends.
///
/// # Errors
/// Line breaks, blanks at an end, names longer than a CI variable's.
pub fn print(vars: &Vars) -> Result<SecretText, NotCarried> {
    refuse(vars, "gitlab", |name, value| match value {
        _ if name.len() > MAX_NAME => Some("the name is longer than 255 bytes"),
        _ if value.contains(['\n', '\r']) => Some("holds a line break"),
        // Ruby's strip cuts ASCII blanks; other readers of the file may cut more.
        _ if value.trim() != value => Some("begins or ends with a blank"),
        _ => None,
    })?;
    Ok(printed(vars, |text, name, value| {
        for part in [name, "=", value, "\n"] {
            text.push_str(part);
        }
    }))
}

/// What may keep GitLab from taking the whole.
pub fn warning(vars: &Vars, text: &SecretText) -> Option<&'static str> {
    if text.len() > USUAL_BYTES {
        return Some("larger than 5 KiB, which GitLab refuses unless its administrator raised the limit");
    }
    (vars.iter().len() > USUAL_VARIABLES)
        .then_some("more than 20 variables, which GitLab refuses unless its plan or administrator allows more")
}
