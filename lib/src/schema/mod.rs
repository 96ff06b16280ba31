//! The declaration of an environment, `env.schema.json`: a JSON Schema (drafts 2020-12, 2019-09, 07), checked against
//! variables, which are texts.
//!
//! [`Schema::load`] is strict: a rule that cannot be kept is an error, never passed over. [`Schema::check`] reports every
//! problem at once, in the declared order, and nothing of a value but its length.

mod annotations;
mod declared;
mod environment;
mod error;
mod evaluate;
mod example;
mod format;
mod infer;
mod json;
mod keywords;
mod lint;
mod load;
mod node;
mod number;
mod pattern;
mod report;
mod rules;
mod secrets;
#[cfg(test)]
mod tests;

pub use annotations::Rotation;
pub use environment::{Entry, Environment, Source, Stored};
pub use error::SchemaError;
pub use example::example;
pub use infer::{Clue, infer};
pub use lint::{Finding, Weight, lint};
pub use pattern::{Pattern, PatternError};
pub use report::Problem;
pub use secrets::{comment_looks_secret, looks_secret};

use crate::duration::Duration;
use crate::generate::Kind;
use declared::Declared;
use environment::View;
use evaluate::{Instance, Place, Run};
use json::Json;
use node::{NodeId, Nodes, Special};
use std::collections::BTreeMap;

/// The largest declaration, in bytes.
pub const MAX_SCHEMA: usize = 1 << 20;

/// A JSON Schema of declarations with `x-envsec`, for editors.
pub const META: &str = include_str!("meta.json");

/// A declaration.
pub struct Schema {
    root: Json,
    nodes: Nodes,
    declared: Declared,
    unknown: Vec<String>,
    ignored: Vec<(String, &'static str)>,
}

/// What a declaration says of an environment.
#[derive(Default)]
pub struct Verdict {
    /// What is wrong: as declared, what concerns no single variable last.
    pub problems: Vec<Problem>,
    /// What is not wrong, but should be looked at.
    pub warnings: Vec<Problem>,
    /// The variables that are missing and have a default, with its text.
    pub defaults: Vec<(String, String)>,
}

/// What a declaration says of one variable.
pub struct Property<'s> {
    nodes: &'s Nodes,
    inner: &'s declared::Property,
}

impl Schema {
    /// Loads a declaration of all variables.
    ///
    /// # Errors
    /// Not JSON, no object, a rule that envsec does not keep, a reference that leads nowhere or back to itself.
    pub fn load(text: &[u8]) -> Result<Self, SchemaError> {
        let root = parse(text)?;
        if !matches!(root, Json::Object(_)) {
            return Err(SchemaError::rule("", "is no object"));
        }
        let schema = Schema::of(root)?;
        match &schema.nodes[Nodes::ROOT].types {
            Some(types) if !types.contains(&node::Type::Object) => {
                Err(SchemaError::rule("/type", "describes all variables together, which are an object"))
            }
            _ => Ok(schema),
        }
    }

    fn of(root: Json) -> Result<Self, SchemaError> {
        let loaded = load::load(&root)?;
        let declared = Declared::new(&loaded.nodes)?;
        Ok(Schema { root, nodes: loaded.nodes, declared, unknown: loaded.unknown, ignored: loaded.ignored })
    }

    /// The declared variables, in order.
    pub fn properties(&self) -> impl Iterator<Item = Property<'_>> {
        self.declared.properties.iter().map(|inner| Property { nodes: &self.nodes, inner })
    }

    /// What is declared of a name.
    pub fn property<'s>(&'s self, name: &str) -> Option<Property<'s>> {
        self.declared.find(name).map(|inner| Property { nodes: &self.nodes, inner })
    }

    /// Whether a variable of this name has to be among those that are checked, wherever it comes from.
    pub fn speaks_of(&self, name: &str) -> bool {
        let mut rules = self.declared.of_all.iter().flat_map(|id| &self.nodes[*id].keywords);
        self.declared.place(name).is_some()
            || self.declared.mentioned.contains(name)
            || rules.any(|rule| rule.matches_name(name))
    }

    /// Checks variables. With `strict` what would be a warning is a problem.
    ///
    /// # Errors
    /// A declaration that cannot be checked: a pattern that is too large, rules without end.
    pub fn check(&self, environment: &Environment<'_>, strict: bool) -> Result<Verdict, SchemaError> {
        let view = View::new(environment, &self.nodes, &self.declared);
        let mut problems = Vec::new();
        let tried = Run::new(&self.nodes).root(Instance::Environment(&view), &mut problems)?;
        let mut findings = rules::check(&self.nodes, &self.declared, &view);
        problems.append(&mut findings.problems);
        let mut warnings = tried.undeclared;
        warnings.append(&mut findings.warnings);
        if strict {
            problems.append(&mut warnings);
        }
        let defaults = self.defaults(&view, &tried.schemas, &mut problems)?;
        Ok(Verdict { problems: self.sorted(problems, &view), warnings: self.sorted(warnings, &view), defaults })
    }

    /// Checks one value against what is declared of its name in every case, as [`Schema::check`] would.
    ///
    /// # Errors
    /// As there.
    pub fn check_value(&self, name: &str, value: &str, stored: Stored) -> Result<Vec<Problem>, SchemaError> {
        let Some(property) = self.property(name).filter(|property| property.inner.certain) else {
            return Ok(Vec::new());
        };
        let mut problems = property.check(value)?;
        problems.extend(rules::stored_plain(&self.nodes, property.inner, Some(stored)));
        Ok(problems)
    }

    /// The defaults that hold in every case, and of the other names the first one in a schema that was taken.
    /// Those are checked here, by each of these schemas.
    fn defaults(
        &self,
        view: &View<'_>,
        tried: &[NodeId],
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<(String, String)>, SchemaError> {
        let mut seen = vec![false; self.nodes.0.len()];
        let once = tried.iter().filter(|id| !std::mem::replace(&mut seen[id.0], true));
        let declared = once.flat_map(|id| &self.nodes[*id].properties);
        let lacking: Vec<&(String, NodeId)> = declared.filter(|(name, _)| view.lacks(name)).collect();
        let mut of_branches: BTreeMap<&str, String> = BTreeMap::new();
        for (name, id) in &lacking {
            let property = self.declared.find(name).filter(|_| !of_branches.contains_key(name.as_str()));
            if let Some(text) = property.and_then(|property| property.default_text(&self.nodes, *id)) {
                of_branches.insert(name, text);
            }
        }
        let run = Run::new(&self.nodes);
        for (name, id) in &lacking {
            if let Some(text) = of_branches.get(name.as_str()) {
                let place = Place { name: Some(name), inside: "" };
                run.check(*id, Instance::Text(text, None), place, problems);
            }
        }
        run.end()?;
        let certain = view.defaults().map(|(name, text)| (name.to_owned(), text.to_owned()));
        Ok(certain.chain(of_branches.into_iter().map(|(name, text)| (name.to_owned(), text))).collect())
    }

    fn sorted(&self, mut problems: Vec<Problem>, view: &View<'_>) -> Vec<Problem> {
        let is_asked_for = |name: &str| (view.environment.is_selected)(name);
        problems.retain(|problem| problem.name.as_deref().is_none_or(is_asked_for));
        let place = |problem: &Problem| {
            let name = problem.name.as_deref();
            (
                name.is_none(),
                name.map(|name| self.declared.place(name).map_or((1, view.place(name)), |place| (0, Some(place)))),
            )
        };
        problems.sort_by_key(place);
        problems.dedup_by(|a, b| (&a.name, &a.expected, &a.wrong) == (&b.name, &b.expected, &b.wrong));
        problems
    }
}

/// Whether a JSON text fits a schema, both typed: what the conformance suites of JSON Schema ask.
///
/// # Errors
/// As [`Schema::load`] and [`Schema::check`]; an instance that is not JSON.
pub fn fits(schema: &[u8], instance: &[u8]) -> Result<bool, SchemaError> {
    let (schema, instance) = (Schema::of(parse(schema)?)?, parse(instance)?);
    let mut problems = Vec::new();
    Run::new(&schema.nodes).root(Instance::Json(&instance), &mut problems)?;
    Ok(problems.is_empty())
}

fn parse(text: &[u8]) -> Result<Json, SchemaError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    Json::parse(text).map_err(|json::Syntax { line, column, what }| SchemaError::Syntax { line, column, what })
}

impl<'s> Property<'s> {
    /// The name.
    pub fn name(&self) -> &'s str {
        &self.inner.name
    }

    /// Checks a value. An empty one is right where it counts as missing.
    fn check(&self, value: &str) -> Result<Vec<Problem>, SchemaError> {
        let id = self.inner.nodes[0];
        let mut problems = Vec::new();
        if !value.is_empty() || self.inner.admits(self.nodes, Special::Empty) {
            let place = Place { name: Some(self.name()), inside: "" };
            Run::new(self.nodes).one(id, Instance::Text(value, None), place, &mut problems)?;
        }
        Ok(problems)
    }

    /// What is expected of its value, in words.
    pub fn expected(&self) -> String {
        Some(self.nodes.describe(self.inner.nodes[0]))
            .filter(|words| !words.is_empty())
            .unwrap_or("any text".to_owned())
    }

    /// Where it is declared: a JSON pointer.
    pub fn pointer(&self) -> &'s str {
        &self.nodes[self.inner.nodes[0]].pointer
    }

    /// Whether it has to be there in every case.
    pub fn is_required(&self) -> bool {
        self.inner.required && self.default().is_none() && !self.inner.admits(self.nodes, Special::Null)
    }

    /// Whether an empty value is one, and does not count as missing.
    pub fn may_be_empty(&self) -> bool {
        self.nodes.admits(self.inner.nodes[0], Special::Empty)
    }

    /// The text that it gets when it is missing.
    pub fn default(&self) -> Option<String> {
        self.inner.default_text(self.nodes, self.inner.nodes[0])
    }

    /// Whether it is declared a secret.
    pub fn is_secret(&self) -> bool {
        self.inner.is_secret(self.nodes)
    }

    /// Whether it is public, by its declaration or by its name.
    pub fn is_public(&self) -> bool {
        self.inner.is_public(self.nodes)
    }

    /// What it is for.
    pub fn description(&self) -> Option<&'s str> {
        self.inner.annotation(self.nodes, |of| of.description.as_deref())
    }

    /// Where to read on.
    pub fn docs(&self) -> Option<&'s str> {
        self.inner.annotation(self.nodes, |of| of.docs.as_deref())
    }

    /// What to use instead of it.
    pub fn deprecated(&self) -> Option<&'s str> {
        self.inner.annotation(self.nodes, |of| of.deprecated.as_deref())
    }

    /// How a new value is made.
    pub fn generate(&self) -> Option<Kind> {
        self.inner.annotation(self.nodes, |of| of.generate)
    }

    /// How often it is to be rotated.
    pub fn rotate_every(&self) -> Option<Duration> {
        self.inner.annotation(self.nodes, |of| of.rotate_every)
    }

    /// How long its old value is handed out after a rotation.
    pub fn grace(&self) -> Option<Duration> {
        self.inner.annotation(self.nodes, |of| of.grace)
    }

    /// How its value is changed at its service.
    pub fn rotation(&self) -> Option<&'s Rotation> {
        self.inner.annotation(self.nodes, |of| of.rotation.as_deref())
    }
}
