//! From a value to the text that most programs read back as that value.

use super::chars::refused_outside_quotes;
use super::joined;
use crate::secret::SecretText;

/// How a value was written; the earlier the rule, the more programs read it rightly (`docs/dotenv.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Nothing at all.
    S1,
    /// As it is, harmless characters only.
    S2,
    /// `'...'`
    S3,
    /// `"..."` without anything that a shell would expand.
    S4,
    /// `"..."` that a shell would expand.
    S5,
    /// As it is, with characters that a shell would act upon.
    S6,
    /// `` `...` ``
    S7,
    /// `"..."` with line breaks as `\n` and `\r`.
    S8,
    /// `$'...'`, which envsec and shells know.
    S9,
}

/// Where a value is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A sealed file, where an entry is one line.
    SealedLine,
    /// A file for other programs, or for a person to edit.
    File,
}

/// The text for a value without NUL, by the first rule that fits.
pub fn quote(value: &str, place: Place) -> (Rule, SecretText) {
    let rule = rule(value, place);
    let text = match rule {
        Rule::S1 | Rule::S2 | Rule::S6 => SecretText::from(value),
        Rule::S3 => joined(&["'", value, "'"]),
        Rule::S4 | Rule::S5 => joined(&["\"", value, "\""]),
        Rule::S7 => joined(&["`", value, "`"]),
        Rule::S8 => escaped_breaks(value),
        Rule::S9 => ansi(value),
    };
    (rule, text)
}

fn rule(value: &str, place: Place) -> Rule {
    let none_of = |chars: &[char]| !value.contains(chars);
    let raw_breaks_fit = place == Place::File || none_of(&['\n']);
    // Bare, it would be taken for an encrypted value.
    let looks_encrypted = value.starts_with("enc:");
    // To npm dotenv and others a quote after a backslash closes nothing.
    let ends_in_backslash = value.ends_with('\\');
    if value.is_empty() {
        Rule::S1
    } else if !looks_encrypted && value.bytes().all(is_harmless) {
        Rule::S2
    } else if raw_breaks_fit && !ends_in_backslash && none_of(&['\'', '\r']) {
        Rule::S3
    } else if raw_breaks_fit && none_of(&['"', '$', '`', '\\', '\r']) {
        Rule::S4
    } else if raw_breaks_fit && none_of(&['"', '\\', '\r']) {
        Rule::S5
    } else if !looks_encrypted && is_plain_text(value) {
        Rule::S6
    } else if raw_breaks_fit && !ends_in_backslash && none_of(&['`', '\r']) {
        Rule::S7
    } else if none_of(&['"', '\\']) {
        Rule::S8
    } else {
        Rule::S9
    }
}

fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&byte)
}

/// Whether the parser takes the value as it is without quotes.
fn is_plain_text(value: &str) -> bool {
    let refused = |char: char| matches!(char, '#' | '\t') || refused_outside_quotes(char).is_some();
    !value.contains(refused)
        && !value.starts_with([' ', '\'', '"', '`'])
        && !value.starts_with("$'")
        && !value.ends_with(' ')
}

fn escaped_breaks(value: &str) -> SecretText {
    let mut text = SecretText::with_capacity(2 * value.len() + 2);
    text.push('"');
    for char in value.chars() {
        match char {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            _ => text.push(char),
        }
    }
    text.push('"');
    text
}

fn ansi(value: &str) -> SecretText {
    let mut text = SecretText::with_capacity(4 * value.len() + 3);
    text.push_str("$'");
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '\'' => text.push_str("\\'"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if char.is_ascii_control() => push_hex(&mut text, char),
            _ => text.push(char),
        }
    }
    text.push('\'');
    text
}

fn push_hex(text: &mut SecretText, control: char) {
    let code = u32::from(control);
    text.push_str("\\x");
    [code / 16, code % 16]
        .into_iter()
        .filter_map(|digit| char::from_digit(digit, 16))
        .for_each(|digit| text.push(digit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        let cases: [(&str, Rule, &str); 16] = [
            ("", Rule::S1, ""),
            ("sk_live-9/+=@%", Rule::S2, "sk_live-9/+=@%"),
            ("pa$$ word #1", Rule::S3, "'pa$$ word #1'"),
            ("a\nb", Rule::S3, "'a\nb'"),
            ("enc:x", Rule::S3, "'enc:x'"),
            ("it's", Rule::S4, "\"it's\""),
            ("it's $5", Rule::S5, "\"it's $5\""),
            ("'$\"", Rule::S7, "`'$\"`"),
            ("it's \"5", Rule::S6, "it's \"5"),
            ("enc:'\"", Rule::S7, "`enc:'\"`"),
            ("it's\t\"5", Rule::S7, "`it's\t\"5`"),
            ("a\r\nb", Rule::S8, "\"a\\r\\nb\""),
            ("dir\\", Rule::S6, "dir\\"),
            (" dir\\", Rule::S9, "$' dir\\\\'"),
            ("`'\"\n\t\u{1}\u{7f}", Rule::S9, "$'`\\'\"\\n\\t\\x01\\x7f'"),
            ("$'\\`", Rule::S9, "$'$\\'\\\\`'"),
        ];
        for (value, rule, expected) in cases {
            let (used, text) = quote(value, Place::File);
            assert_eq!((used, text.expose()), (rule, expected), "{value:?}");
        }
    }

    #[test]
    fn a_sealed_line_is_one_line() {
        for (value, rule, expected) in [
            ("a\nb", Rule::S8, "\"a\\nb\""),
            ("it's\n$", Rule::S8, "\"it's\\n$\""),
            ("\"\n", Rule::S9, "$'\"\\n'"),
            ("\"\r", Rule::S9, "$'\"\\r'"),
            ("plain text", Rule::S3, "'plain text'"),
        ] {
            let (used, text) = quote(value, Place::SealedLine);
            assert_eq!((used, text.expose()), (rule, expected), "{value:?}");
        }
    }
}
