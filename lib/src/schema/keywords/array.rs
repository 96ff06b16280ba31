//! `items` and its like: rules of JSON arrays.

use super::super::error::SchemaError;
use super::super::evaluate::{At, Instance, Place, Value};
use super::super::json::Json;
use super::super::load::{Found, Loader};
use super::super::node::{Keyword, Node, NodeId};
use super::super::report::Problem;
use super::{add, count, counted, test};

/// Schemas for the items, in order, and for all after them.
struct Items {
    first: Vec<NodeId>,
    /// Applies from this index on.
    others: Option<(usize, NodeId)>,
}

impl Keyword for Items {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Value::Array(items) = at.value else { return };
        for (index, item) in items.iter().enumerate() {
            let other = self.others.filter(|(from, _)| index >= *from).map(|(_, id)| id);
            if let Some(id) = self.first.get(index).copied().or(other) {
                let inside = format!("{}[{index}]", at.place.inside);
                at.run.check(id, Instance::Json(item), Place { inside: &inside, ..at.place }, problems);
            }
        }
    }
}

/// `prefixItems` (2020-12).
pub(super) fn prefix_items<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
) -> Result<impl Keyword + use<>, SchemaError> {
    Ok(Items { first: loader.list(found)?, others: None })
}

/// `items`: of all items, of those after `prefixItems`, or, before 2020-12, a list as `prefixItems` has it.
pub(super) fn items<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>, node: &mut Node) -> Result<(), SchemaError> {
    if matches!(found.json, Json::Array(_)) {
        return add(node, Items { first: loader.list(found)?, others: None });
    }
    let from = if let Some(Json::Array(first)) = found.schema.get("prefixItems") { first.len() } else { 0 };
    add(node, Items { first: Vec::new(), others: Some((from, loader.child(found))) })
}

/// `additionalItems` (before 2020-12): of the items after those of a list in `items`.
pub(super) fn additional_items<'j>(
    loader: &mut Loader<'j>,
    found: &Found<'j, '_>,
    node: &mut Node,
) -> Result<(), SchemaError> {
    let id = loader.child(found);
    match found.schema.get("items") {
        Some(Json::Array(first)) => add(node, Items { first: Vec::new(), others: Some((first.len(), id)) }),
        _ => Ok(()), // by the standard it says nothing then
    }
}

/// `minItems`.
pub(super) fn min_items(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let least = count(found)?;
    Ok(test(found, format!("at least {}", counted(least, "item")), move |value| match value {
        Value::Array(items) if items.len() < least => Some(format!("has {}", items.len())),
        _ => None,
    }))
}

/// `maxItems`.
pub(super) fn max_items(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let most = count(found)?;
    Ok(test(found, format!("at most {}", counted(most, "item")), move |value| match value {
        Value::Array(items) if items.len() > most => Some(format!("has {}", items.len())),
        _ => None,
    }))
}

/// `uniqueItems`; `false` says nothing.
pub(super) fn unique_items(found: &Found<'_, '_>) -> Result<Option<impl Keyword + use<>>, SchemaError> {
    let unique = match found.json {
        Json::Bool(unique) => *unique,
        _ => return Err(found.error("is neither true nor false")),
    };
    let repeats = |items: &[Json]| {
        let mut sorted: Vec<&Json> = items.iter().collect();
        sorted.sort_by(|a, b| a.order(b));
        sorted.windows(2).any(|pair| pair[0].order(pair[1]).is_eq())
    };
    Ok(unique.then(|| {
        test(found, "no item twice".to_owned(), move |value| match value {
            Value::Array(items) if repeats(items) => Some("has one twice".to_owned()),
            _ => None,
        })
    }))
}

/// `contains`.
pub(super) fn contains<'j>(loader: &mut Loader<'j>, found: &Found<'j, '_>) -> impl Keyword + use<> {
    Contains(loader.child(found))
}

struct Contains(NodeId);

impl Keyword for Contains {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Value::Array(items) = at.value else { return };
        let fits = |item: &Json| {
            let mut of_item = Vec::new();
            at.run.check(self.0, Instance::Json(item), at.place, &mut of_item);
            of_item.is_empty()
        };
        if !items.iter().any(fits) {
            let expected = format!("an item that is: {}", at.run.nodes.describe(self.0));
            problems.push(at.problem("contains", expected, "has none".to_owned()));
        }
    }
}
