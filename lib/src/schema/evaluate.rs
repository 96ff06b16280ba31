//! Trying an instance on a schema.
//!
//! A variable is a text; each schema reads it by its own `type`, one without by that of the schema around it. Everything
//! inside of a variable that holds JSON is typed already.

use super::environment::View;
use super::error::SchemaError;
use super::json::Json;
use super::node::{Node, NodeId, Nodes, Type};
use super::number::Decimal;
use super::report::Problem;
use std::cell::{Cell, RefCell};

/// How many schemas are tried at most: a schema of ten lines can ask for 2^1000.
const MAX_STEPS: u32 = 1_000_000;

/// How deep schemas and values are nested at most.
pub(super) const MAX_DEPTH: u32 = 256;

/// What a schema is tried on.
#[derive(Clone, Copy)]
pub(super) enum Instance<'v> {
    /// A variable, and what the schema around read it as.
    Text(&'v str, Option<Value<'v>>),
    /// A part of a variable that holds JSON.
    Json(&'v Json),
    /// All variables.
    Environment(&'v View<'v>),
}

/// An instance as it was read.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Null,
    Boolean(bool),
    Number(&'v Decimal),
    String(&'v str),
    Array(&'v [Json]),
    Object(&'v [(String, Json)]),
    Environment(&'v View<'v>),
}

/// Where the instance stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'v> {
    /// The variable; none for all of them together.
    pub(super) name: Option<&'v str>,
    /// Where inside of it: `[2].host`.
    pub(super) inside: &'v str,
}

/// One evaluation of a declaration.
pub(super) struct Run<'s> {
    pub(super) nodes: &'s Nodes,
    steps: Cell<u32>,
    depth: Cell<u32>,
    failed: RefCell<Option<SchemaError>>,
    tried: RefCell<Tried>,
}

/// What was found on the way about all variables together, without the branches that do not fit.
#[derive(Default)]
pub(super) struct Tried {
    /// The schemas that fit, or have to.
    pub(super) schemas: Vec<NodeId>,
    /// Names that a branch does not declare.
    pub(super) undeclared: Vec<Problem>,
}

/// A schema and the instance it is tried on.
pub(super) struct At<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) node: &'a Node,
    pub(super) instance: Instance<'a>,
    pub(super) value: Value<'a>,
    pub(super) place: Place<'a>,
}

impl<'s> Run<'s> {
    pub(super) fn new(nodes: &'s Nodes) -> Self {
        let (steps, depth) = (Cell::new(0), Cell::new(0));
        Run { nodes, steps, depth, failed: RefCell::new(None), tried: RefCell::default() }
    }

    /// Tries the root.
    pub(super) fn root(self, instance: Instance<'_>, problems: &mut Vec<Problem>) -> Result<Tried, SchemaError> {
        self.one(Nodes::ROOT, instance, Place::default(), problems)
    }

    /// Tries one schema.
    pub(super) fn one(
        self,
        id: NodeId,
        instance: Instance<'_>,
        place: Place<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Tried, SchemaError> {
        self.check(id, instance, place, problems);
        self.end()
    }

    /// What was found, unless the declaration could not be checked.
    pub(super) fn end(self) -> Result<Tried, SchemaError> {
        match self.failed.into_inner() {
            Some(error) => Err(error),
            None => Ok(self.tried.into_inner()),
        }
    }

    /// Notes a name that a schema does not declare.
    pub(super) fn undeclared(&self, problem: Problem) {
        self.tried.borrow_mut().undeclared.push(problem);
    }

    /// Gives up: the declaration itself is at fault.
    pub(super) fn fail(&self, error: SchemaError) {
        self.failed.borrow_mut().get_or_insert(error);
    }

    /// Tries a schema.
    pub(super) fn check(&self, id: NodeId, instance: Instance<'_>, place: Place<'_>, problems: &mut Vec<Problem>) {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS || self.depth.get() > MAX_DEPTH {
            self.fail(SchemaError::TooComplex);
        }
        if self.failed.borrow().is_some() {
            return;
        }
        if matches!(instance, Instance::Environment(_)) {
            self.tried.borrow_mut().schemas.push(id);
        }
        self.depth.set(self.depth.get() + 1);
        self.check_node(&self.nodes[id], instance, place, problems);
        self.depth.set(self.depth.get() - 1);
    }

    fn check_node(&self, node: &Node, instance: Instance<'_>, place: Place<'_>, problems: &mut Vec<Problem>) {
        let held;
        let value = match (instance, &node.types) {
            (Instance::Text(text, inherited), None) => Some(inherited.unwrap_or(Value::String(text))),
            (Instance::Text(text, _), Some(types)) => {
                held = read(text, types);
                held.as_ref().map(|held| held.as_ref().map_or(Value::String(text), Value::of))
            }
            (Instance::Json(json), types) => Some(Value::of(json)).filter(|value| value.is_one_of(types.as_deref())),
            (Instance::Environment(view), types) => {
                Some(Value::Environment(view)).filter(|value| value.is_one_of(types.as_deref()))
            }
        };
        let at = At { run: self, node, instance, value: value.unwrap_or(Value::Null), place };
        if node.never {
            problems.push(at.problem("false", "nothing".into(), "there is a value".into()));
        } else if value.is_none() {
            let words: Vec<&str> = node.types.iter().flatten().filter_map(|of| of.words()).collect();
            let expected = if words.is_empty() { "no value".to_owned() } else { words.join(" or ") };
            problems.push(at.problem("type", expected, format!("is none{}", at.length())));
        } else {
            node.keywords.iter().for_each(|keyword| keyword.check(&at, problems));
        }
    }

    /// Whether a schema fits, and what is wrong otherwise; one that does not counts as not tried.
    pub(super) fn fits(&self, id: NodeId, at: &At<'_>) -> Result<(), Vec<Problem>> {
        let (schemas, undeclared) = self.count_tried();
        let mut problems = Vec::new();
        self.check(id, at.in_place(), at.place, &mut problems);
        if problems.is_empty() {
            return Ok(());
        }
        self.forget(schemas, undeclared);
        Err(problems)
    }

    /// [`Run::fits`], and never counted as tried: a condition, or what is not to be.
    pub(super) fn would_fit(&self, id: NodeId, at: &At<'_>) -> bool {
        let (schemas, undeclared) = self.count_tried();
        let fits = self.fits(id, at).is_ok();
        self.forget(schemas, undeclared);
        fits
    }

    fn count_tried(&self) -> (usize, usize) {
        let tried = self.tried.borrow();
        (tried.schemas.len(), tried.undeclared.len())
    }

    fn forget(&self, schemas: usize, undeclared: usize) {
        let mut tried = self.tried.borrow_mut();
        tried.schemas.truncate(schemas);
        tried.undeclared.truncate(undeclared);
    }
}

impl<'a> At<'a> {
    /// The same instance for a schema that is tried on it too.
    pub(super) fn in_place(&self) -> Instance<'a> {
        match self.instance {
            Instance::Text(text, inherited) => {
                Instance::Text(text, if self.node.types.is_some() { Some(self.value) } else { inherited })
            }
            other => other,
        }
    }

    /// A problem at this place.
    pub(super) fn problem(&self, rule: &'static str, expected: String, wrong: String) -> Problem {
        let inside = self.place.inside;
        let expected = if inside.is_empty() { expected } else { format!("{inside}: {expected}") };
        let place = format!("{}/{rule}", self.node.pointer);
        Problem { name: self.place.name.map(str::to_owned), rule, expected, wrong, place }
    }

    /// ` (3 characters)`, of a variable: all that a report tells of a value.
    pub(super) fn length(&self) -> String {
        match self.instance {
            Instance::Text(text, _) => match text.chars().count() {
                1 => " (1 character)".to_owned(),
                count => format!(" ({count} characters)"),
            },
            Instance::Json(_) | Instance::Environment(_) => String::new(),
        }
    }

    /// Whether only the names of the variables are known, so that no branch can be chosen.
    pub(super) fn is_undecidable(&self) -> bool {
        matches!(self.instance, Instance::Environment(view) if view.has_names_only())
    }

    /// Whether a text is compared with members of any type: nothing says what to read it as.
    pub(super) fn is_untyped_text(&self) -> bool {
        matches!(self.instance, Instance::Text(_, None)) && self.node.types.is_none()
    }

    /// Whether a property of this schema has a default for the name: it is never missing then.
    pub(super) fn has_default(&self, name: &str) -> bool {
        self.node.properties.iter().any(|(known, id)| known == name && self.run.nodes.default(*id).is_some())
    }
}

/// What a text is as one of these types; `Some(None)` for the text itself, `None` if it is none of them.
fn read(text: &str, types: &[Type]) -> Option<Option<Json>> {
    if types.contains(&Type::String) {
        return Some(None);
    }
    types.iter().find_map(|of| read_as(text, *of)).map(Some)
}

/// A text read as a type: numbers as JSON writes them, integers by their digits alone, the usual words of booleans.
pub(super) fn read_as(text: &str, of: Type) -> Option<Json> {
    match of {
        Type::Null | Type::String => None,
        Type::Boolean => boolean(text).map(Json::Bool),
        Type::Integer => Decimal::parse_integer(text).map(Json::Number),
        Type::Number => Decimal::parse(text).map(Json::Number),
        Type::Array => Json::parse(text.as_bytes()).ok().filter(|json| matches!(json, Json::Array(_))),
        Type::Object => Json::parse(text.as_bytes()).ok().filter(|json| matches!(json, Json::Object(_))),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "1", "yes", "on"]) {
        return Some(true);
    }
    is(["false", "0", "no", "off"]).then_some(false)
}

impl<'v> Value<'v> {
    pub(super) fn of(json: &'v Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Boolean(*value),
            Json::Number(number) => Value::Number(number),
            Json::String(text) => Value::String(text),
            Json::Array(items) => Value::Array(items),
            Json::Object(members) => Value::Object(members),
        }
    }

    fn is_one_of(&self, types: Option<&[Type]>) -> bool {
        types.is_none_or(|types| types.iter().any(|of| self.is(*of)))
    }

    fn is(&self, of: Type) -> bool {
        match self {
            Value::Null => of == Type::Null,
            Value::Boolean(_) => of == Type::Boolean,
            Value::Number(number) => of == Type::Number || (of == Type::Integer && number.is_integer()),
            Value::String(_) => of == Type::String,
            Value::Array(_) => of == Type::Array,
            Value::Object(_) | Value::Environment(_) => of == Type::Object,
        }
    }

    /// [`Json::equals`].
    pub(super) fn equals(&self, json: &Json) -> bool {
        match (self, json) {
            (Value::Null, Json::Null) => true,
            (Value::Boolean(a), Json::Bool(b)) => a == b,
            (Value::Number(a), Json::Number(b)) => a.compare(b).is_eq(),
            (Value::String(a), Json::String(b)) => *a == b.as_str(),
            (Value::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b)),
            (Value::Object(a), Json::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| json.get(name).is_some_and(|b| value.equals(b)))
            }
            _ => false,
        }
    }
}
