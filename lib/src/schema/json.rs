//! JSON as a declaration needs it: members in their order, none twice, numbers exact.

use super::number::Decimal;
use serde_core::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use zeroize::Zeroizing;

/// A JSON value (RFC 8259). It may have come from a variable: no Debug, and strings are wiped.
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Decimal),
    String(Zeroizing<String>),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Where and why a text is no JSON. Only for declarations: what it says may quote the text.
pub(super) struct Syntax {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl Json {
    /// Parses a whole text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Syntax> {
        serde_json::from_slice(text).map_err(|error| {
            let message = error.to_string();
            let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
            Syntax { line: error.line(), column: error.column(), what }
        })
    }

    /// The value of a member; `None` also where this is no object.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value that a JSON pointer (RFC 6901) leads to.
    pub(super) fn at(&self, pointer: &str) -> Option<&Json> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |json, step| match json {
            Json::Array(items) => items.get(index(step)?),
            _ => json.get(&step.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// Equal as JSON Schema has it: numbers by their value, objects without order.
    pub(super) fn equals(&self, other: &Json) -> bool {
        self.order(other).is_eq()
    }

    /// Some order in which equal values are equal, to find them by sorting.
    pub(super) fn order(&self, other: &Json) -> Ordering {
        let rank = |json: &Json| match json {
            Json::Null => 0,
            Json::Bool(_) => 1,
            Json::Number(_) => 2,
            Json::String(_) => 3,
            Json::Array(_) => 4,
            Json::Object(_) => 5,
        };
        match (self, other) {
            (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
            (Json::Number(a), Json::Number(b)) => a.compare(b),
            (Json::String(a), Json::String(b)) => a.as_str().cmp(b),
            (Json::Array(a), Json::Array(b)) => {
                let first = a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne());
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Json::Object(a), Json::Object(b)) => order_members(a, b),
            _ => rank(self).cmp(&rank(other)),
        }
    }

    /// A second copy, asked for by name.
    pub(super) fn duplicate(&self) -> Json {
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(*value),
            Json::Number(number) => Json::Number(number.duplicate()),
            Json::String(text) => Json::String(text.clone()),
            Json::Array(items) => Json::Array(items.iter().map(Json::duplicate).collect()),
            Json::Object(members) => {
                Json::Object(members.iter().map(|(name, value)| (name.clone(), value.duplicate())).collect())
            }
        }
    }

    /// The text that a variable of this value has: strings as they are, the others as JSON without blanks.
    pub(super) fn as_variable(&self) -> String {
        match self {
            Json::String(text) => text.to_string(),
            other => other.to_string(),
        }
    }

    /// The truth value, where it is one.
    pub(super) fn as_bool(&self) -> Option<bool> {
        if let Json::Bool(value) = self { Some(*value) } else { None }
    }

    /// The text, where it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        if let Json::String(text) = self { Some(text) } else { None }
    }
}

fn order_members(a: &[(String, Json)], b: &[(String, Json)]) -> Ordering {
    let sorted = |members: &[(String, Json)]| -> Vec<usize> {
        let mut places: Vec<usize> = (0..members.len()).collect();
        places.sort_by(|x, y| members[*x].0.cmp(&members[*y].0));
        places
    };
    let member = |(x, y): (usize, usize)| a[x].0.cmp(&b[y].0).then_with(|| a[x].1.order(&b[y].1));
    let first = sorted(a).into_iter().zip(sorted(b)).map(member).find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Compact JSON.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => value.fmt(f),
            Json::Number(number) => f.write_str(&number.to_text()),
            Json::String(text) => quoted(text).fmt(f),
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(Json::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Json::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
                write!(f, "{{{}}}", members.join(","))
            }
        }
    }
}

/// A JSON string of a text.
pub(super) fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}

/// A step of a JSON pointer for a member of this name.
pub(super) fn escaped(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        name.replace('~', "~0").replace('/', "~1").into()
    } else {
        name.into()
    }
}

fn index(step: &str) -> Option<usize> {
    let canonical = step == "0" || !step.starts_with('0');
    if canonical && step.bytes().all(|b| b.is_ascii_digit()) { step.parse().ok() } else { None }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Building)
    }
}

struct Building;

impl<'de> Visitor<'de> for Building {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(Decimal::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(Decimal::from(value)))
    }

    fn visit_f64<E: serde_core::de::Error>(self, value: f64) -> Result<Json, E> {
        Decimal::try_from(value).map(Json::Number).map_err(|()| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::String(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry::<String, Json>()? {
            object.push(member);
        }
        match first_twice(&object) {
            Some(name) => Err(A::Error::custom(format_args!("the member {} stands twice", quoted(name)))),
            None => Ok(Json::Object(object)),
        }
    }
}

/// A name that stands twice. Most objects are small, and need no table.
fn first_twice(members: &[(String, Json)]) -> Option<&str> {
    if members.len() <= 16 {
        let stands_above = |at: usize| members[..at].iter().any(|(name, _)| *name == members[at].0);
        return (1..members.len()).find(|at| stands_above(*at)).map(|at| members[at].0.as_str());
    }
    let mut seen = BTreeSet::new();
    members.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
}
