//! What a declaration says about a variable beside what its value has to be: `x-envsec`, and the standard's annotations.

use super::error::SchemaError;
use super::json::Json;
use crate::duration::Duration;
use crate::generate::Kind;
use crate::pair::Pair;

/// Annotations of one schema.
#[derive(Default)]
pub(super) struct Annotations {
    /// `title`, `description`.
    pub(super) description: Option<String>,
    /// The first of `examples`.
    pub(super) example: Option<String>,
    /// `writeOnly: true` or `format: password`: never stored plain.
    pub(super) secret: bool,
    /// `x-envsec.public`: may be stored plain, may reach a client.
    pub(super) public: bool,
    /// `x-envsec.generate`: how a new value is made.
    pub(super) generate: Option<Kind>,
    /// `x-envsec.rotateEvery`.
    pub(super) rotate_every: Option<Duration>,
    /// `x-envsec.grace`: how long an old value is handed out after a rotation.
    pub(super) grace: Option<Duration>,
    /// `x-envsec.rotation`: how the value is changed at its service.
    pub(super) rotation: Option<Box<Rotation>>,
    /// `x-envsec.requiredIn`: labels.
    pub(super) required_in: Vec<String>,
    /// `x-envsec.forbiddenIn`: labels.
    pub(super) forbidden_in: Vec<String>,
    /// `x-envsec.deprecated`, or the standard's `deprecated: true`: what to use instead.
    pub(super) deprecated: Option<String>,
    /// `x-envsec.docs`: where to read on.
    pub(super) docs: Option<String>,
}

/// Commands for the steps of a rotation, `x-envsec.rotation`. A declaration is no part of the seal, so none of them runs
/// unless its user says so.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// `onSet`: gives the service the new value.
    pub on_set: Option<String>,
    /// `onTest`: tries the new value at the service.
    pub on_test: Option<String>,
    /// `onFinish`: takes the old value away from the service.
    pub on_finish: Option<String>,
    /// `onAbort`: gives the service the current value again.
    pub on_abort: Option<String>,
    /// `pair`: the variable that holds the user whose secret this is, and two users in turn.
    pub pair: Option<Pair>,
}

impl Rotation {
    fn load(json: &Json, pointer: &str) -> Result<Self, SchemaError> {
        let Json::Object(members) = json else { return Err(SchemaError::rule(pointer, "is no object")) };
        let mut rotation = Rotation::default();
        for (name, json) in members {
            let wrong = |what: &str| SchemaError::rule(&format!("{pointer}/{name}"), what);
            let step = match name.as_str() {
                "onSet" => &mut rotation.on_set,
                "onTest" => &mut rotation.on_test,
                "onFinish" => &mut rotation.on_finish,
                "onAbort" => &mut rotation.on_abort,
                "pair" => {
                    let pair = json.as_str().ok_or_else(|| wrong("is no text"))?;
                    rotation.pair = Some(pair.parse().map_err(wrong)?);
                    continue;
                }
                _ => return Err(wrong("is none of onSet, onTest, onFinish, onAbort, pair")),
            };
            let command = json.as_str().filter(|text| !text.is_empty() && !text.contains('\0'));
            *step = Some(command.ok_or_else(|| wrong("is no command"))?.to_owned());
        }
        Ok(rotation)
    }
}

/// The members of `x-envsec`: one place knows them. `source` is kept for later versions.
pub(super) const MEMBERS: &[&str] = &[
    "public",
    "generate",
    "rotateEvery",
    "grace",
    "requiredIn",
    "forbiddenIn",
    "deprecated",
    "docs",
    "source",
    "rotation",
];

impl Annotations {
    pub(super) fn load(schema: &Json, pointer: &str) -> Result<Self, SchemaError> {
        let text = |name: &str| schema.get(name).and_then(Json::as_str).map(str::to_owned);
        let is = |name: &str| matches!(schema.get(name), Some(Json::Bool(true)));
        if schema.get("writeOnly").is_some_and(|json| json.as_bool().is_none()) {
            return Err(SchemaError::rule(&format!("{pointer}/writeOnly"), "is neither true nor false"));
        }
        let mut annotations = Annotations {
            description: text("description").or_else(|| text("title")),
            example: match schema.get("examples") {
                Some(Json::Array(examples)) => examples.first().map(Json::as_variable),
                _ => None,
            },
            secret: is("writeOnly") || schema.get("format").and_then(Json::as_str) == Some("password"),
            deprecated: is("deprecated").then(String::new),
            ..Annotations::default()
        };
        if let Some(own) = schema.get("x-envsec") {
            annotations.load_own(own, &format!("{pointer}/x-envsec"))?;
        }
        Ok(annotations)
    }

    fn load_own(&mut self, own: &Json, pointer: &str) -> Result<(), SchemaError> {
        let Json::Object(members) = own else { return Err(SchemaError::rule(pointer, "is no object")) };
        for (name, json) in members {
            let wrong = |what: &str| SchemaError::rule(&format!("{pointer}/{name}"), what);
            let text = || json.as_str().ok_or_else(|| wrong("is no text"));
            let duration = || text()?.parse::<Duration>().map_err(|error| wrong(&error.to_string()));
            let labels = || {
                let labels = super::keywords::texts(json).filter(|labels| labels.iter().all(|label| is_label(label)));
                labels
                    .ok_or_else(|| wrong("is no list of labels (a-z, 0-9, '.', '_', '-', at most 64 characters each)"))
            };
            match name.as_str() {
                "public" => self.public = json.as_bool().ok_or_else(|| wrong("is neither true nor false"))?,
                "generate" => {
                    self.generate =
                        Some(text()?.parse().map_err(|error: crate::generate::UnknownKind| wrong(&error.to_string()))?);
                }
                "rotateEvery" => self.rotate_every = Some(duration()?),
                "grace" => self.grace = Some(duration()?),
                "requiredIn" => self.required_in = labels()?,
                "forbiddenIn" => self.forbidden_in = labels()?,
                "deprecated" => self.deprecated = Some(text()?.to_owned()),
                "docs" => self.docs = Some(text()?.to_owned()),
                "source" => drop(text()?),
                "rotation" => self.rotation = Some(Box::new(Rotation::load(json, &format!("{pointer}/rotation"))?)),
                _ => return Err(wrong(&format!("is none of {}", MEMBERS.join(", ")))),
            }
        }
        Ok(())
    }
}

/// As a sealed file carries one (`docs/format.md`); no file has another.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
