//! Text for PowerShell, to be evaluated by `Invoke-Expression`.

use super::escape::push_hex;
use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::Vars;

/// A line for each variable, in ASCII: PowerShell decodes what a program prints by the console's code page, cuts it into
/// lines and joins those with another line end, and takes four kinds of typographic quotes for single quotes. So what is
/// not printable ASCII is written as UTF-16 code units, `'caf' + [char]0xe9`.
///
/// # Errors
/// Empty values: before version 7.5 that assignment removes the variable.
pub fn print(vars: &Vars) -> Result<SecretText, NotCarried> {
    refuse(vars, "powershell", |_, value| {
        value.is_empty().then_some("empty, and PowerShell before 7.5 removes a variable that is set to nothing")
    })?;
    Ok(printed(vars, |text, name, value| {
        for part in ["$env:", name, " = "] {
            text.push_str(part);
        }
        push_expression(text, value);
        text.push('\n');
    }))
}

/// String literals and characters, joined by `+`. It starts with a literal, so that the whole is a string.
fn push_expression(text: &mut SecretText, value: &str) {
    text.push('\'');
    let mut in_literal = true;
    for char in value.chars() {
        if matches!(char, ' '..='~') {
            text.push_str(if in_literal { "" } else { " + '" });
            text.push_str(if char == '\'' { "'" } else { "" });
            text.push(char);
            in_literal = true;
            continue;
        }
        text.push_str(if in_literal { "'" } else { "" });
        in_literal = false;
        for unit in char.encode_utf16(&mut [0; 2]) {
            text.push_str(" + [char]0x");
            push_hex(text, u32::from(*unit), 4);
        }
    }
    text.push_str(if in_literal { "'" } else { "" });
}
