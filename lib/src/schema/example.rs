//! The `.env.example` that a declaration describes.

use super::node::{Nodes, Type};
use super::{Property, Schema};
use crate::dotenv::{Place, quote};
use crate::vars::VarName;

/// A dotenv text with every declared variable: what it is for, what is expected, and a placeholder. What may be missing is
/// commented out; a name that no variable can have is left to [`super::lint`].
pub fn example(schema: &Schema) -> String {
    let possible = schema.properties().filter(|property| VarName::try_from(property.name()).is_ok());
    let paragraphs: Vec<String> = possible.map(|property| paragraph(&property)).collect();
    paragraphs.join("\n")
}

fn paragraph(property: &Property<'_>) -> String {
    let mut lines = Vec::new();
    lines.extend(property.description().map(str::to_owned));
    let expected = property.expected();
    let presence = match (property.is_required(), property.default()) {
        (true, _) => "required".to_owned(),
        (false, Some(default)) => format!("default {default}"),
        (false, None) => "optional".to_owned(),
    };
    lines.push(format!("{expected} ({presence})"));
    lines.extend(property.generate().map(|kind| format!("envsec set {} --generate {kind}", property.name())));
    lines.extend(property.docs().map(str::to_owned));
    lines.extend(property.deprecated().map(out_of_date));
    let comments: String =
        lines.iter().flat_map(|text| text.lines()).map(|line| format!("# {}\n", clean(line))).collect();
    let is_given = property.is_required() || property.default().is_some();
    let entry = quote(&placeholder(property), Place::File).1;
    format!("{comments}{}{}={}\n", if is_given { "" } else { "# " }, property.name(), entry.expose())
}

fn out_of_date(instead: &str) -> String {
    if instead.is_empty() { "out of date".to_owned() } else { format!("out of date: {instead}") }
}

/// A comment is one line, whatever the declaration holds.
fn clean(line: &str) -> String {
    line.chars().filter(|c| !is_refused(*c)).collect()
}

/// What no comment of a dotenv file may hold: to npm dotenv U+2028 and U+2029 end one.
fn is_refused(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A value to be replaced; none for a secret.
fn placeholder(property: &Property<'_>) -> String {
    if property.is_secret() {
        return String::new();
    }
    let of_example = property.inner.annotation(property.nodes, |of| of.example.clone());
    of_example
        .or_else(|| property.default())
        .unwrap_or_else(|| by_type(property.nodes, property))
        .replace(is_refused, " ")
}

fn by_type(nodes: &Nodes, property: &Property<'_>) -> String {
    let schemas = &property.inner.schemas;
    let keywords = || schemas.iter().flat_map(|id| &nodes[*id].keywords);
    if let Some(first) = keywords().flat_map(|keyword| keyword.listed()).next() {
        return first.as_variable();
    }
    let fitting = ["https://example.com", "name@example.com", "localhost", "false", "3000", "1", "0", "[]", "{}"];
    let types: Vec<Type> = schemas.iter().flat_map(|id| nodes[*id].types.iter().flatten()).copied().collect();
    let is_text = types.is_empty() || types.contains(&Type::String);
    let is_formatted = keywords().any(|keyword| keyword.expected().is_some_and(|words| words.noun));
    if is_text && !is_formatted {
        return String::new();
    }
    let fits = |text: &&&str| property.check(text).is_ok_and(|problems| problems.is_empty());
    fitting.iter().find(fits).map_or_else(String::new, |text| (*text).to_owned())
}
