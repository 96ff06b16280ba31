//! `properties` and its like: rules of the environment, and of variables that hold a JSON object.

use super::super::environment::{Member, View};
use super::super::error::SchemaError;
use super::super::evaluate::{At, Instance, Place, Value};
use super::super::json::{Json, escaped};
use super::super::load::{Found, Loader};
use super::super::node::{Keyword, Node, NodeId};
use super::super::pattern::Pattern;
use super::super::report::Problem;
use super::{add, count, counted, texts};

/// The members of an object.
#[derive(Clone, Copy)]
enum Members<'v> {
    Json(&'v [(String, Json)]),
    Environment(&'v View<'v>),
}

impl<'v> Members<'v> {
    /// None where the value is no object.
    fn of(at: &At<'v>) -> Option<Self> {
        match at.value {
            Value::Object(members) => Some(Members::Json(members)),
            Value::Environment(view) => Some(Members::Environment(view)),
            _ => None,
        }
    }

    fn names(self) -> Vec<&'v str> {
        match self {
            Members::Json(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            Members::Environment(view) => view.present_names(),
        }
    }

    /// Those that a rule about undeclared names speaks of: never what the process has beside them.
    fn own_names(self) -> Vec<&'v str> {
        match self {
            Members::Json(_) => self.names(),
            Members::Environment(view) => view.stored_names(),
        }
    }

    fn has(self, name: &str) -> bool {
        match self {
            Members::Json(members) => members.iter().any(|(known, _)| known == name),
            Members::Environment(view) => view.is_present(name),
        }
    }

    /// Tries a schema on a member, if it is there.
    fn check(self, at: &At<'_>, name: &str, id: NodeId, problems: &mut Vec<Problem>) {
        match self {
            Members::Json(members) => {
                if let Some((_, json)) = members.iter().find(|(known, _)| known == name) {
                    let inside = member_path(at, name);
                    at.run.check(id, Instance::Json(json), Place { inside: &inside, ..at.place }, problems);
                }
            }
            Members::Environment(view) => match view.member(name) {
                Member::Text(text) => {
                    let place = Place { name: Some(name), inside: "" };
                    at.run.check(id, Instance::Text(text, None), place, problems);
                }
                Member::NotText => {
                    let expected = at.run.nodes.describe(id);
                    let problem = at.problem("type", expected, "is not UTF-8".to_owned());
                    problems.push(Problem { name: Some(name.to_owned()), ..problem });
                }
                Member::Missing | Member::Empty | Member::Hidden => {}
            },
        }
    }
}

/// Where a declared member of a JSON object stands; other names may be secret.
fn member_path(at: &At<'_>, name: &str) -> String {
    let declared = at.node.properties.iter().any(|(known, _)| known == name);
    format!("{}.{}", at.place.inside, if declared { name } else { "*" })
}

/// `properties`.
pub(super) fn properties<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
    node: &mut Node,
) -> Result<(), SchemaError> {
    node.properties = loader.map(found)?;
    add(node, Properties)
}

/// The schemas are the node's own `properties`, since other rules need them too.
struct Properties;

impl Keyword for Properties {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        at.node.properties.iter().for_each(|(name, id)| members.check(at, name, *id, problems));
    }
}

/// `required`.
pub(super) fn required(found: &Found<'_, '_>, node: &mut Node) -> Result<(), SchemaError> {
    node.required = texts(found.json).ok_or_else(|| found.error("is no list of names"))?;
    add(node, Required)
}

/// The names are the node's own.
struct Required;

impl Keyword for Required {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        at.node.required.iter().for_each(|name| require(at, members, "required", name, problems));
    }
}

fn require(at: &At<'_>, members: Members<'_>, rule: &'static str, name: &str, problems: &mut Vec<Problem>) {
    if members.has(name) {
        return;
    }
    let Members::Environment(view) = members else {
        return problems.push(at.problem(rule, format!("a member {name}"), "missing".to_owned()));
    };
    if view.is_excused(name) || at.has_default(name) {
        return;
    }
    let wrong = if matches!(view.member(name), Member::Empty) { "is empty" } else { "missing" };
    let problem = at.problem(rule, view.describe(name), wrong.to_owned());
    problems.push(Problem { name: Some(name.to_owned()), ..problem });
}

/// `patternProperties`.
pub(super) fn pattern_properties<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
) -> Result<impl Keyword + use<>, SchemaError> {
    let compiled = |(source, id): (String, NodeId)| {
        let pointer = format!("{}/{}", found.pointer(), escaped(&source));
        let pattern = Pattern::parse(&source).map_err(|error| SchemaError::rule(&pointer, error.to_string()))?;
        Ok(OfPattern { pattern, pointer, id })
    };
    Ok(PatternProperties(loader.map(found)?.into_iter().map(compiled).collect::<Result<_, SchemaError>>()?))
}

struct PatternProperties(Vec<OfPattern>);

struct OfPattern {
    pattern: Pattern,
    pointer: String,
    id: NodeId,
}

impl OfPattern {
    fn matches(&self, at: &At<'_>, name: &str) -> bool {
        let matched = self.pattern.is_match(name);
        matched.unwrap_or_else(|error| {
            at.run.fail(SchemaError::rule(&self.pointer, error.to_string()));
            false
        })
    }
}

impl Keyword for PatternProperties {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        for name in members.names() {
            for of in self.0.iter().filter(|of| of.matches(at, name)) {
                members.check(at, name, of.id, problems);
            }
        }
    }

    fn matches_name(&self, name: &str) -> bool {
        self.0.iter().any(|of| of.pattern.is_match(name).unwrap_or(true))
    }
}

/// `additionalProperties`.
pub(super) fn additional_properties<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
) -> Result<impl Keyword + use<>, SchemaError> {
    let patterns = match found.schema.get("patternProperties") {
        Some(Json::Object(members)) => members.iter().filter_map(|(source, _)| Pattern::parse(source).ok()).collect(),
        _ => Vec::new(),
    };
    Ok(AdditionalProperties { others: loader.child(found), patterns })
}

struct AdditionalProperties {
    others: NodeId,
    patterns: Vec<Pattern>,
}

impl Keyword for AdditionalProperties {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        // `false` speaks of the sealed file's names, of which none is to be there by accident; a rule of values holds
        // for every name that is declared in some other way, wherever its value comes from.
        let is_false = at.run.nodes[self.others].never;
        for name in if is_false { members.own_names() } else { members.names() } {
            let declared = at.node.properties.iter().any(|(known, _)| known == name);
            if declared || self.patterns.iter().any(|pattern| pattern.is_match(name).unwrap_or(false)) {
                continue;
            }
            match members {
                Members::Environment(_) if is_false => {
                    let problem = at.problem("additionalProperties", "no such name".into(), "is not declared".into());
                    at.run.undeclared(Problem { name: Some(name.to_owned()), ..problem });
                }
                _ => members.check(at, name, self.others, problems),
            }
        }
    }
}

/// `propertyNames`.
pub(super) fn property_names<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> impl Keyword + use<> {
    PropertyNames(loader.child(found))
}

struct PropertyNames(NodeId);

impl Keyword for PropertyNames {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        for name in members.own_names() {
            let mut of_name = Vec::new();
            at.run.check(self.0, Instance::Text(name, Some(Value::String(name))), at.place, &mut of_name);
            if !of_name.is_empty() {
                let expected = format!("a name that is {}", at.run.nodes.describe(self.0));
                let problem = at.problem("propertyNames", expected, "has another name".to_owned());
                let name = at.place.name.map_or_else(|| name.to_owned(), str::to_owned);
                problems.push(Problem { name: Some(name), ..problem });
            }
        }
    }
}

/// `minProperties`.
pub(super) fn min_properties(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(Count { name: found.name, least: count(found)?, most: usize::MAX })
}

/// `maxProperties`.
pub(super) fn max_properties(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(Count { name: found.name, least: 0, most: count(found)? })
}

struct Count {
    name: &'static str,
    least: usize,
    most: usize,
}

impl Keyword for Count {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        let found = members.names().len();
        if found < self.least || found > self.most {
            let (bound, count) = if self.least > 0 { ("at least", self.least) } else { ("at most", self.most) };
            let what = if at.place.name.is_some() { "member" } else { "variable" };
            problems.push(at.problem(self.name, format!("{bound} {}", counted(count, what)), format!("has {found}")));
        }
    }
}

/// `dependentRequired`: names that a name requires.
pub(super) fn dependent_required(found: &Found<'_, '_>, node: &mut Node) -> Result<(), SchemaError> {
    let Json::Object(members) = found.json else { return Err(found.error("is no object of lists of names")) };
    let of = |(name, json): &(String, Json)| {
        texts(json).map(|names| (name.clone(), names)).ok_or_else(|| found.error("is no object of lists of names"))
    };
    DependentRequired::add(found.name, members.iter().map(of).collect::<Result<_, _>>()?, node)
}

struct DependentRequired {
    rule: &'static str,
    of: Vec<(String, Vec<String>)>,
}

impl DependentRequired {
    fn add(rule: &'static str, of: Vec<(String, Vec<String>)>, node: &mut Node) -> Result<(), SchemaError> {
        node.dependent.extend(of.iter().flat_map(|(name, names)| std::iter::once(name).chain(names)).cloned());
        add(node, DependentRequired { rule, of })
    }
}

impl Keyword for DependentRequired {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        for (_, names) in self.of.iter().filter(|(name, _)| members.has(name)) {
            names.iter().for_each(|name| require(at, members, self.rule, name, problems));
        }
    }
}

/// `dependentSchemas`: schemas for all, because of a name.
pub(super) fn dependent_schemas<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
    node: &mut Node,
) -> Result<(), SchemaError> {
    DependentSchemas::add(loader.map(found)?, node)
}

struct DependentSchemas(Vec<(String, NodeId)>);

impl DependentSchemas {
    fn add(of: Vec<(String, NodeId)>, node: &mut Node) -> Result<(), SchemaError> {
        node.dependent.extend(of.iter().map(|(name, _)| name.clone()));
        add(node, DependentSchemas(of))
    }
}

impl Keyword for DependentSchemas {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Some(members) = Members::of(at) else { return };
        for (_, id) in self.0.iter().filter(|(name, _)| members.has(name)) {
            at.run.check(*id, at.in_place(), at.place, problems);
        }
    }

    fn conditional(&self) -> Vec<NodeId> {
        self.0.iter().map(|(_, id)| *id).collect()
    }
}

/// `dependencies` (draft-07): both of these in one.
pub(super) fn dependencies<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
    node: &mut Node,
) -> Result<(), SchemaError> {
    let Json::Object(members) = found.json else { return Err(found.error("is no object")) };
    let (mut names, mut schemas) = (Vec::new(), Vec::new());
    for (name, json) in members {
        match json {
            Json::Array(_) => {
                let list = texts(json).ok_or_else(|| found.error("holds a list that is none of names"))?;
                names.push((name.clone(), list));
            }
            _ => {
                let pointer = format!("{}/{}", found.pointer(), escaped(name));
                schemas.push((name.clone(), loader.schema(pointer, json)));
            }
        }
    }
    DependentRequired::add(found.name, names, node)?;
    DependentSchemas::add(schemas, node)
}
