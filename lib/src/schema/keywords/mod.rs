//! The keywords: one table, a row each.

mod array;
mod combine;
mod number;
mod object;
mod text;
mod value;

use super::error::SchemaError;
use super::evaluate::{At, Value};
use super::json::Json;
use super::load::{self, Found, Loader};
use super::node::{Expected, Keyword, Node};
use super::report::Problem;

type Load = for<'j> fn(&mut Loader<'j>, &Found<'j, '_>, &mut Node) -> Result<(), SchemaError>;

/// A keyword that asserts something.
pub(in crate::schema) struct Row {
    pub(in crate::schema) name: &'static str,
    /// Adds to the node what the keyword says.
    pub(in crate::schema) load: Load,
}

/// What a name in a schema is.
pub(in crate::schema) enum Kind {
    /// A rule that is kept.
    Asserts(&'static Row),
    /// No rule.
    Annotation,
    /// A rule of a draft that is not kept, and so refused.
    Unsupported,
    /// No keyword at all; the one that it is a letter away from.
    Unknown(Option<&'static str>),
}

/// JSON Schema 2020-12 (Core, Validation); `dependencies`, `definitions` and lists in `items` are of the drafts before.
const ROWS: &[Row] = &[
    row("type", |_, found, node| {
        node.types = Some(load::types(found)?);
        Ok(())
    }),
    row("enum", |_, found, node| add(node, value::listed(found)?)),
    row("const", |_, found, node| add(node, value::constant(found))),
    row("minLength", |_, found, node| add(node, text::min_length(found)?)),
    row("maxLength", |_, found, node| add(node, text::max_length(found)?)),
    row("pattern", |_, found, node| add(node, text::pattern(found)?)),
    row("format", |_, found, node| text::format(found)?.map_or(Ok(()), |keyword| add(node, keyword))),
    row("minimum", |_, found, node| add(node, number::minimum(found)?)),
    row("maximum", |_, found, node| add(node, number::maximum(found)?)),
    row("exclusiveMinimum", |_, found, node| add(node, number::exclusive_minimum(found)?)),
    row("exclusiveMaximum", |_, found, node| add(node, number::exclusive_maximum(found)?)),
    row("multipleOf", |_, found, node| add(node, number::multiple_of(found)?)),
    row("properties", object::properties),
    row("required", |_, found, node| object::required(found, node)),
    row("patternProperties", |loader, found, node| add(node, object::pattern_properties(loader, found)?)),
    row("additionalProperties", |loader, found, node| add(node, object::additional_properties(loader, found)?)),
    row("propertyNames", |loader, found, node| add(node, object::property_names(loader, found))),
    row("minProperties", |_, found, node| add(node, object::min_properties(found)?)),
    row("maxProperties", |_, found, node| add(node, object::max_properties(found)?)),
    row("dependentRequired", |_, found, node| object::dependent_required(found, node)),
    row("dependentSchemas", object::dependent_schemas),
    row("dependencies", object::dependencies),
    row("items", array::items),
    row("additionalItems", array::additional_items),
    row("prefixItems", |loader, found, node| add(node, array::prefix_items(loader, found)?)),
    row("minItems", |_, found, node| add(node, array::min_items(found)?)),
    row("maxItems", |_, found, node| add(node, array::max_items(found)?)),
    row("uniqueItems", |_, found, node| array::unique_items(found)?.map_or(Ok(()), |keyword| add(node, keyword))),
    row("contains", |loader, found, node| add(node, array::contains(loader, found))),
    row("allOf", |loader, found, node| add(node, combine::all_of(loader, found)?)),
    row("anyOf", |loader, found, node| add(node, combine::any_of(loader, found)?)),
    row("oneOf", |loader, found, node| add(node, combine::one_of(loader, found)?)),
    row("not", |loader, found, node| add(node, combine::not(loader, found))),
    row("if", |loader, found, node| add(node, combine::conditional(loader, found))),
    row("$ref", |loader, found, node| add(node, combine::reference(loader, found)?)),
    row("$defs", |loader, found, _| loader.map(found).map(drop)),
    row("definitions", |loader, found, _| loader.map(found).map(drop)),
];

const ANNOTATIONS: &[&str] = &[
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$id",
    "$recursiveAnchor",
    "$schema",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "deprecated",
    "description",
    "else", // of `if`
    "examples",
    "readOnly",
    "then", // of `if`
    "title",
    "writeOnly",
    "x-envsec",
];

const UNSUPPORTED: &[&str] =
    &["$dynamicRef", "$recursiveRef", "maxContains", "minContains", "unevaluatedItems", "unevaluatedProperties"];

const fn row(name: &'static str, load: Load) -> Row {
    Row { name, load }
}

/// What a name in a schema is.
pub(in crate::schema) fn kind(name: &str) -> Kind {
    if let Some(row) = ROWS.iter().find(|row| row.name == name) {
        return Kind::Asserts(row);
    }
    if ANNOTATIONS.contains(&name) {
        return Kind::Annotation;
    }
    if UNSUPPORTED.contains(&name) {
        return Kind::Unsupported;
    }
    let others = ["then", "else", "default", "writeOnly", "x-envsec"];
    let mut rules = ROWS.iter().map(|row| row.name).chain(others).chain(UNSUPPORTED.iter().copied());
    // Of short names, as `if`, too many others are a letter away.
    let is_meant = |known: &&str| name.eq_ignore_ascii_case(known) || known.len() > 3 && is_one_edit_away(name, known);
    Kind::Unknown(rules.find(is_meant))
}

/// One letter more, less or other, or two neighbours swapped.
fn is_one_edit_away(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a, b) {
        ([a0, a1, a @ ..], [b0, b1, b @ ..]) if a0 == b1 && a1 == b0 && a == b => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) => a == b,
        _ => false,
    }
}

fn add(node: &mut Node, keyword: impl Keyword + 'static) -> Result<(), SchemaError> {
    node.keywords.push(Box::new(keyword));
    Ok(())
}

/// A keyword that looks at nothing but the value.
struct Test<F> {
    name: &'static str,
    expected: Expected,
    /// What is wrong with the value, if anything is.
    wrong: F,
}

impl<F: Fn(&Value<'_>) -> Option<String>> Keyword for Test<F> {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        if let Some(wrong) = (self.wrong)(&at.value) {
            problems.push(at.problem(self.name, self.expected.words.clone(), wrong));
        }
    }

    fn expected(&self) -> Option<&Expected> {
        Some(&self.expected)
    }
}

fn test<F: Fn(&Value<'_>) -> Option<String>>(found: &Found<'_, '_>, words: String, wrong: F) -> Test<F> {
    Test { name: found.name, expected: Expected { noun: false, words }, wrong }
}

/// A number of things, as lengths are.
fn count(found: &Found<'_, '_>) -> Result<usize, SchemaError> {
    let count = if let Json::Number(number) = found.json { number.as_count() } else { None };
    count.ok_or_else(|| found.error("is no number of things: an integer from 0 on"))
}

/// `1 item`, `2 items`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A list of texts.
pub(in crate::schema) fn texts(json: &Json) -> Option<Vec<String>> {
    let Json::Array(items) = json else { return None };
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests;
