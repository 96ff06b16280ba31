//! A flat YAML map for tools that read their settings from YAML.

use super::escape::{push_hex, push_short};
use super::printed;
use crate::secret::SecretText;
use crate::vars::Vars;

/// A line for each variable, name and value in double quotes, so that neither `NO` nor `1e3` is taken for something else.
/// Everything but letters, digits and printable ASCII is escaped: YAML 1.1 and 1.2 disagree about which other characters
/// end a line.
pub fn print(vars: &Vars) -> SecretText {
    if vars.iter().len() == 0 {
        return SecretText::from("{}\n");
    }
    printed(vars, |text, name, value| {
        for part in ["\"", name, "\": \""] {
            text.push_str(part);
        }
        value.chars().for_each(|char| push_escaped(text, char));
        text.push_str("\"\n");
    })
}

fn push_escaped(text: &mut SecretText, char: char) {
    if push_short(text, char) {
        return;
    }
    match (char, u32::from(char)) {
        (' '..='~', _) => text.push(char),
        _ if char.is_alphanumeric() => text.push(char),
        (_, code @ ..=0xff) => {
            text.push_str("\\x");
            push_hex(text, code, 2);
        }
        (_, code @ ..=0xffff) => {
            text.push_str("\\u");
            push_hex(text, code, 4);
        }
        (_, code) => {
            text.push_str("\\U");
            push_hex(text, code, 8);
        }
    }
}
