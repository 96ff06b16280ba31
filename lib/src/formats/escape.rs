//! What the formats with escapes in double quotes have in common.

use crate::secret::SecretText;

/// Appends a number in hexadecimal, with zeros in front up to `digits`.
pub(super) fn push_hex(text: &mut SecretText, number: u32, digits: u32) {
    for digit in (0..digits).rev() {
        text.push(char::from_digit(number >> (4 * digit) & 0xf, 16).unwrap_or_default());
    }
}

/// Appends the escape that JSON and YAML have in common for a character, if they have one.
pub(super) fn push_short(text: &mut SecretText, char: char) -> bool {
    let escape = match char {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => return false,
    };
    text.push_str(escape);
    true
}
