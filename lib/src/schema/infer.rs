//! A first declaration, guessed from what there is. No value gets into it, but for words that are no secret by their kind.

use super::format;
use super::json::quoted;
use super::secrets;

/// What is known of a variable.
pub struct Clue<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its value, if it may be looked at.
    pub value: Option<&'c str>,
    /// The comment above it, without `#`.
    pub comment: Option<String>,
    /// Whether it has to be there.
    pub required: bool,
}

/// Words that name an environment.
const ENVIRONMENTS: [&str; 5] = ["development", "test", "staging", "production", "local"];

/// How values begin that say what they are, secret or not.
const PREFIXES: [&str; 4] = ["sk_", "rk_", "pk_", "whsec_"];

/// A declaration of these variables, in their order, as JSON text.
pub fn infer(clues: &[Clue<'_>]) -> String {
    let telling: Vec<&str> = clues.iter().filter_map(telling).collect();
    let property = |clue: &Clue<'_>| format!("    {}: {{{}}}", quoted(clue.name), members(clue, &telling).join(", "));
    let properties: Vec<String> = clues.iter().map(property).collect();
    let required = clues.iter().filter(|clue| clue.required).map(|clue| format!("    {}", quoted(clue.name)));
    let required: Vec<String> = required.collect();
    let block = |open: char, lines: &[String], close: char| match lines {
        [] => format!("{open}{close}"),
        lines => format!("{open}\n{}\n  {close}", lines.join(",\n")),
    };
    format!(
        "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"type\": \"object\",\n  \"properties\": {},\n  \"required\": {}\n}}\n",
        block('{', &properties, '}'),
        block('[', &required, ']'),
    )
}

/// What the schema of a variable says.
fn members(clue: &Clue<'_>, telling: &[&str]) -> Vec<String> {
    let mut members: Vec<String> = Vec::new();
    if let Some(comment) = clue.comment.as_ref().filter(|comment| !holds_value(comment, telling)) {
        members.push(format!("\"description\": {}", quoted(comment)));
    }
    members.extend(clue.value.map_or_else(|| of_name(clue.name), |value| of_value(clue.name, value)));
    if is_secret(clue) {
        members.push("\"writeOnly\": true".to_owned());
    }
    members
}

/// A value that nobody is to find in a comment: a secret, or a long one that is no plain word.
fn telling<'c>(clue: &Clue<'c>) -> Option<&'c str> {
    let is_word = |value: &str| value.bytes().all(|b| b.is_ascii_lowercase());
    clue.value.filter(|value| (value.len() >= 4 && is_secret(clue)) || (value.len() >= 8 && !is_word(value)))
}

/// Whether a comment gives away one of these values, or another secret.
fn holds_value(comment: &str, telling: &[&str]) -> bool {
    let looks = |text: &str| secrets::looks_secret(text).is_some();
    telling.iter().any(|value| comment.contains(value)) || looks(comment) || comment.split_whitespace().any(looks)
}

fn of_name(name: &str) -> Vec<String> {
    if is_port(name) { port() } else { vec![typed("string")] }
}

/// The type of a value, by its name and its form.
fn of_value(name: &str, value: &str) -> Vec<String> {
    let accepts = |name: &str| format::find(name).is_some_and(|format| (format.accepts)(value));
    let formatted = |name: &str| vec![typed("string"), format!("\"format\": {}", quoted(name))];
    match value {
        _ if is_port(name) && (value.is_empty() || (accepts("port") && value != "0")) => port(),
        "true" | "false" => vec![typed("boolean")],
        _ if is_digits(value) && !secrets::is_name_of_secret(name) => vec![typed("integer")],
        _ if ENVIRONMENTS.contains(&value) => {
            let words: Vec<String> = ENVIRONMENTS.iter().map(|word| quoted(word).to_string()).collect();
            vec![typed("string"), format!("\"enum\": [{}]", words.join(", "))]
        }
        _ if value.contains("://") && accepts("uri") => formatted("uri"),
        _ if accepts("email") => formatted("email"),
        _ if accepts("uuid") => formatted("uuid"),
        _ => match PREFIXES.iter().find(|prefix| value.starts_with(**prefix)) {
            Some(prefix) => vec![typed("string"), format!("\"pattern\": {}", quoted(&format!("^{prefix}")))],
            None => vec![typed("string")],
        },
    }
}

fn typed(name: &str) -> String {
    format!("\"type\": {}", quoted(name))
}

fn port() -> Vec<String> {
    vec![typed("integer"), "\"minimum\": 1".to_owned(), "\"maximum\": 65535".to_owned()]
}

fn is_port(name: &str) -> bool {
    name == "PORT" || name.ends_with("_PORT")
}

/// Up to 15 digits: longer ones are rather an id than a number.
fn is_digits(value: &str) -> bool {
    (1..=15).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_digit())
        && (value == "0" || !value.starts_with('0'))
}

fn is_secret(clue: &Clue<'_>) -> bool {
    let looks = clue.value.is_some_and(|value| secrets::looks_secret(value).is_some());
    !secrets::is_public_name(clue.name) && (looks || secrets::is_name_of_secret(clue.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is inferred of one variable.
    fn inferred(name: &str, value: Option<&str>, comment: Option<&str>) -> String {
        let text = infer(&[Clue { name, value, comment: comment.map(str::to_owned), required: false }]);
        let line = text.lines().nth(4).unwrap_or_default().trim();
        line.strip_prefix(&format!("{}: ", quoted(name))).unwrap_or_default().to_owned()
    }

    #[test]
    fn types_are_guessed_from_names_and_values() {
        let port = r#"{"type": "integer", "minimum": 1, "maximum": 65535}"#;
        let integer = r#"{"type": "integer"}"#;
        let text = r#"{"type": "string"}"#;
        for (name, value, expected) in [
            ("PORT", None, port),
            ("DB_PORT", Some(""), port),
            ("DB_PORT", Some("5432"), port),
            ("PORT", Some("0"), integer),
            ("PORT", Some("65536"), integer),
            ("PORT", Some("auto"), text),
            ("RATE", None, text),
            ("RATE", Some(""), text),
            ("RATE", Some("5432"), integer),
            ("REPORT", Some(""), text),
            ("PLACE", Some("https://example.com/"), r#"{"type": "string", "format": "uri"}"#),
            ("PLACE", Some("localhost:5432"), text),
            ("PLACE", Some("://"), text),
        ] {
            assert_eq!(inferred(name, value, None), expected, "{name}={value:?}");
        }
    }

    #[test]
    fn a_comment_with_a_value_that_tells_something_becomes_no_description() {
        for (name, value, comment, kept) in [
            // A secret of four characters; three may be part of any word.
            ("API_TOKEN", "abcd", "as abcd was", false),
            ("API_TOKEN", "abc", "as abc was", true),
            ("API_TOKEN", "abcd", "as abc was", true),
            // Another value of eight that is no plain word.
            ("LEVEL", "abcdefg1", "abcdefg1 by default", false),
            ("LEVEL", "abcdef1", "abcdef1 by default", true),
            ("LEVEL", "production", "not for production", true),
            ("LEVEL", "info", "debug or info", true),
            ("PORT", "3000", "3000 by default", true),
        ] {
            let schema = inferred(name, Some(value), Some(comment));
            let described = schema.starts_with(&format!("{{\"description\": {}, ", quoted(comment)));
            assert_eq!(described, kept, "{name}={value} # {comment}: {schema}");
            assert!(kept || !schema.contains(value), "{schema}");
        }
    }
}
