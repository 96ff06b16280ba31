//! `enum` and `const`: which values there are.

use super::super::error::SchemaError;
use super::super::evaluate::{At, Value, read_as};
use super::super::json::Json;
use super::super::load::Found;
use super::super::node::{Expected, Keyword, Special, Type};
use super::super::report::Problem;

/// The values that are right.
pub(super) struct Listed {
    name: &'static str,
    values: Vec<Json>,
    expected: Expected,
}

/// `enum`.
pub(super) fn listed(found: &Found<'_, '_>) -> Result<Listed, SchemaError> {
    match found.json {
        Json::Array(values) if !values.is_empty() => Ok(of(found, values)),
        _ => Err(found.error("is no list of values")),
    }
}

/// `const`.
pub(super) fn constant(found: &Found<'_, '_>) -> Listed {
    of(found, std::slice::from_ref(found.json))
}

fn of(found: &Found<'_, '_>, values: &[Json]) -> Listed {
    let shown = values.iter().filter(|value| !matches!(value, Json::Null)).map(|value| match value.as_variable() {
        empty if empty.is_empty() => "\"\"".to_owned(),
        text => text,
    });
    let shown: Vec<String> = shown.collect();
    let words = if let [one] = shown.as_slice() { one.clone() } else { format!("one of {}", shown.join(", ")) };
    Listed {
        name: found.name,
        values: values.iter().map(Json::duplicate).collect(),
        expected: Expected { noun: true, words },
    }
}

impl Listed {
    fn lists(&self, at: &At<'_>) -> bool {
        self.values.iter().any(|value| match at.value {
            Value::String(text) if at.is_untyped_text() => is_written(text, value),
            _ => at.value.equals(value),
        })
    }
}

/// Whether a text that nothing gives a type is this value, read as the value's own type.
fn is_written(text: &str, value: &Json) -> bool {
    let of = match value {
        Json::Null => Type::Null,
        Json::Bool(_) => Type::Boolean,
        Json::Number(_) => Type::Number,
        Json::String(known) => return text == known.as_str(),
        Json::Array(_) => Type::Array,
        Json::Object(_) => Type::Object,
    };
    read_as(text, of).is_some_and(|read| read.equals(value))
}

impl Keyword for Listed {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        if !self.lists(at) {
            let wrong = if self.values.len() == 1 { "is something else" } else { "is none of them" };
            problems.push(at.problem(self.name, self.expected.words.clone(), format!("{wrong}{}", at.length())));
        }
    }

    fn expected(&self) -> Option<&Expected> {
        Some(&self.expected)
    }

    fn listed(&self) -> &[Json] {
        &self.values
    }

    fn admits(&self, special: Special) -> bool {
        self.values.iter().any(|value| match special {
            Special::Null => matches!(value, Json::Null),
            Special::Empty => value.as_str() == Some(""),
        })
    }
}
