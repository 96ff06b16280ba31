//! `allOf`, `anyOf`, `oneOf`, `not`, `if`, `$ref`: schemas made of schemas.

use super::super::environment::Member;
use super::super::error::SchemaError;
use super::super::evaluate::{At, Instance};
use super::super::json::Json;
use super::super::load::{Found, Loader};
use super::super::node::{Keyword, NodeId, Type};
use super::super::report::Problem;
use super::counted;
use std::collections::BTreeSet;

/// `allOf`, and `$ref`, which is a list of one.
struct All(Vec<NodeId>);

/// `allOf`.
pub(super) fn all_of<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(All(loader.list(found)?))
}

/// `$ref`, inside of this file.
pub(super) fn reference<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(All(vec![loader.reference(found)?]))
}

impl Keyword for All {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        self.0.iter().for_each(|id| at.run.check(*id, at.in_place(), at.place, problems));
    }

    fn all(&self) -> &[NodeId] {
        &self.0
    }
}

/// `anyOf` and `oneOf`.
struct Alternatives {
    name: &'static str,
    of: Vec<NodeId>,
    only_one: bool,
}

/// `anyOf`.
pub(super) fn any_of<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(Alternatives { name: found.name, of: loader.list(found)?, only_one: false })
}

/// `oneOf`.
pub(super) fn one_of<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(Alternatives { name: found.name, of: loader.list(found)?, only_one: true })
}

impl Keyword for Alternatives {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        if at.is_undecidable() {
            return;
        }
        let tried: Vec<Result<(), Vec<Problem>>> = self.of.iter().map(|id| at.run.fits(*id, at)).collect();
        match tried.iter().filter(|result| result.is_ok()).count() {
            0 => self.explain(at, tried.into_iter().filter_map(Result::err).collect(), problems),
            1 => {}
            count if self.only_one => {
                let expected = format!("fitting one of {} alternatives", self.of.len());
                problems.push(at.problem(self.name, expected, format!("fits {count}")));
            }
            _ => {}
        }
    }

    fn any(&self) -> &[NodeId] {
        &self.of
    }
}

impl Alternatives {
    /// Nothing fits: says what would, as closely as can be told.
    fn explain(&self, at: &At<'_>, tried: Vec<Vec<Problem>>, problems: &mut Vec<Problem>) {
        if let Some(followed) = self.discriminated(at) {
            return match followed {
                Ok(branch) => problems.extend(tried.into_iter().nth(branch).unwrap_or_default()),
                Err(problem) => problems.push(problem),
            };
        }
        let values = self.of.iter().zip(tried).filter(|(id, _)| !self.is_null(at, **id));
        let mut values: Vec<(NodeId, Vec<Problem>)> = values.map(|(id, tried)| (*id, tried)).collect();
        match (values.as_mut_slice(), at.instance) {
            ([(_, only)], _) => problems.append(only),
            (_, Instance::Environment(_)) => {
                let expected = format!("fitting one of {} alternatives", self.of.len());
                problems.push(at.problem(self.name, expected, "none fits; the closest one says:".to_owned()));
                problems.extend(values.into_iter().map(|(_, tried)| tried).min_by_key(Vec::len).unwrap_or_default());
            }
            (values, _) => {
                let mut words: Vec<String> = values.iter().map(|(id, _)| at.run.nodes.describe(*id)).collect();
                words.dedup();
                problems.push(at.problem(self.name, words.join(" or "), format!("is none{}", at.length())));
            }
        }
    }

    fn is_null(&self, at: &At<'_>, id: NodeId) -> bool {
        at.run.nodes[id].types.as_deref() == Some(&[Type::Null])
    }

    /// The branch that a variable decides which every branch has with values of its own, as `MODE: a` and `MODE: b`; or
    /// what is wrong with that variable. `None` where no variable does.
    fn discriminated(&self, at: &At<'_>) -> Option<Result<usize, Problem>> {
        let Instance::Environment(view) = at.instance else { return None };
        let name = self.discriminator(at)?;
        let property = |id: &NodeId| at.run.nodes[*id].properties.iter().find(|(known, _)| *known == name).map(|p| p.1);
        let expected = || {
            let words = self.of.iter().filter_map(property).map(|id| at.run.nodes.describe(id));
            words.collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(" or ")
        };
        let problem = |wrong: String| Problem { name: Some(name.clone()), ..at.problem(self.name, expected(), wrong) };
        let Member::Text(text) = view.member(&name) else { return Some(Err(problem("missing".to_owned()))) };
        let fits = |id: NodeId| {
            let mut of_name = Vec::new();
            at.run.check(id, Instance::Text(text, None), at.place, &mut of_name);
            of_name.is_empty()
        };
        let mut fitting = self.of.iter().enumerate().filter(|(_, id)| property(id).is_some_and(fits));
        match (fitting.next(), fitting.next()) {
            (Some((branch, _)), None) => Some(Ok(branch)),
            (None, _) => {
                let length = counted(text.chars().count(), "character");
                Some(Err(problem(format!("is something else ({length})"))))
            }
            _ => None,
        }
    }

    /// The first variable that every branch declares by `const` or `enum`.
    fn discriminator(&self, at: &At<'_>) -> Option<String> {
        let lists = |id: NodeId| at.run.nodes[id].keywords.iter().any(|keyword| !keyword.listed().is_empty());
        let names = |id: &NodeId| {
            let properties = at.run.nodes[*id].properties.iter();
            properties.filter(|(_, id)| lists(*id)).map(|(name, _)| name).collect::<Vec<_>>()
        };
        let (first, others) = self.of.split_first()?;
        names(first).into_iter().find(|name| others.iter().all(|id| names(id).contains(name))).cloned()
    }
}

/// `not`.
pub(super) fn not<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> impl Keyword + use<> {
    Not(loader.child(found))
}

struct Not(NodeId);

impl Keyword for Not {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        if !at.is_undecidable() && at.run.would_fit(self.0, at) {
            let what = at.run.nodes.describe(self.0);
            let expected = if what.is_empty() { "not what is excluded".to_owned() } else { format!("not {what}") };
            problems.push(at.problem("not", expected, format!("it is{}", at.length())));
        }
    }

    fn conditional(&self) -> Vec<NodeId> {
        vec![self.0]
    }
}

/// `if`, with the `then` and `else` beside it.
pub(super) fn conditional<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> impl Keyword + use<> {
    let condition = loader.child(found);
    let mut branch = |name: &'static str| {
        let json: Option<&'j Json> = found.schema.get(name);
        json.map(|json| loader.child(&Found { name, json, schema: found.schema, schema_pointer: found.schema_pointer }))
    };
    If { condition, then: branch("then"), otherwise: branch("else") }
}

struct If {
    condition: NodeId,
    then: Option<NodeId>,
    otherwise: Option<NodeId>,
}

impl Keyword for If {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        if at.is_undecidable() {
            return;
        }
        let branch = if at.run.would_fit(self.condition, at) { self.then } else { self.otherwise };
        if let Some(id) = branch {
            at.run.check(id, at.in_place(), at.place, problems);
        }
    }

    fn conditional(&self) -> Vec<NodeId> {
        [Some(self.condition), self.then, self.otherwise].into_iter().flatten().collect()
    }
}
