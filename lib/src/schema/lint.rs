//! What a declaration says in vain, or against itself.

use super::error::SchemaError;
use super::json::{Json, escaped};
use super::node::{Node, Special, Type};
use super::number::Decimal;
use super::{Schema, format};
use crate::error::one_line;
use crate::vars::VarName;
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// No value fits, or a rule cannot take effect.
    Wrong,
    /// To know: what is no rule to envsec.
    Note,
}

/// A finding about a declaration.
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// Where: a JSON pointer.
    pub pointer: String,
    /// What.
    pub what: String,
}

/// `/properties/PORT/default: …`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        f.write_str(&one_line(&format!("{pointer}: {}", self.what)))
    }
}

/// Finds what is unsupported, unreachable or contradictory, in the order of the declaration's schemas; the wrong first.
///
/// # Errors
/// As [`Schema::load`].
pub fn lint(text: &[u8]) -> Result<Vec<Finding>, SchemaError> {
    let schema = Schema::load(text)?;
    let root = &schema.root;
    let mut lint = Lint { root, findings: Vec::new() };
    for node in &schema.nodes.0 {
        let json = root.at(&node.pointer).unwrap_or(&Json::Null);
        lint.schema(node, json);
    }
    lint.variables(&schema)?;
    lint.findings.extend(schema.ignored.iter().map(|(pointer, what)| wrong(pointer, *what)));
    lint.findings.extend(schema.unknown.iter().map(|pointer| note(pointer, "no keyword of JSON Schema: no rule")));
    lint.findings.sort_by_key(|finding| finding.weight);
    Ok(lint.findings)
}

fn wrong(pointer: &str, what: impl Into<String>) -> Finding {
    Finding { weight: Weight::Wrong, pointer: pointer.to_owned(), what: what.into() }
}

fn note(pointer: &str, what: impl Into<String>) -> Finding {
    Finding { weight: Weight::Note, pointer: pointer.to_owned(), what: what.into() }
}

const OF_NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/// The keywords that speak of one type only.
const OF_TYPE: &[(&[Type], &[&str])] = &[
    (&[Type::String], &["minLength", "maxLength", "pattern", "format"]),
    (&[Type::Number, Type::Integer], OF_NUMBERS),
    (&[Type::Array], &["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"]),
    (
        &[Type::Object],
        &[
            "properties",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "required",
            "dependentRequired",
            "dependentSchemas",
        ],
    ),
];

/// Bounds of which the first is not to be above the second.
const BOUNDS: &[(&str, &str)] =
    &[("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems"), ("minProperties", "maxProperties")];

struct Lint<'l> {
    root: &'l Json,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn schema(&mut self, node: &Node, json: &Json) {
        let at = |keyword: &str| format!("{}/{}", node.pointer, escaped(keyword));
        for (types, keywords) in OF_TYPE {
            let of_other = node.types.as_ref().is_some_and(|own| !own.iter().any(|of| types.contains(of)));
            let in_vain = keywords.iter().filter(|keyword| of_other && json.get(keyword).is_some());
            self.findings.extend(in_vain.map(|keyword| wrong(&at(keyword), "says nothing about values of this type")));
        }
        for (low, high) in BOUNDS {
            if let (Some(Json::Number(least)), Some(Json::Number(most))) = (json.get(low), json.get(high))
                && least.compare(most).is_gt()
            {
                self.findings.push(wrong(&at(low), format!("is more than {high}: no value fits")));
            }
        }
        if let Some(name) = json.get("format").and_then(Json::as_str).filter(|name| !is_known(name)) {
            self.findings.push(note(&at("format"), format!("{name} is not checked")));
        }
        self.listed(node, json);
    }

    /// Values that are listed, but are of no type that is declared.
    fn listed(&mut self, node: &Node, json: &Json) {
        let Some(types) = &node.types else { return };
        let values = node.keywords.iter().flat_map(|keyword| keyword.listed());
        if values.into_iter().any(|value| !types.iter().any(|of| is_of(value, *of))) {
            let keyword = if json.get("enum").is_some() { "enum" } else { "const" };
            let pointer = format!("{}/{keyword}", node.pointer);
            self.findings.push(wrong(&pointer, "lists a value of another type than the declared one"));
        }
    }

    /// What matters for variables only.
    fn variables(&mut self, schema: &Schema) -> Result<(), SchemaError> {
        for property in schema.properties() {
            let pointer = property.pointer();
            if VarName::try_from(property.name()).is_err() {
                self.findings.push(wrong(pointer, "no variable can have this name"));
            }
            if let Some(default) = property.default() {
                let problems = property.check(&default)?;
                let broken = problems
                    .first()
                    .map(|problem| wrong(&format!("{pointer}/default"), format!("is not {}", problem.expected)));
                self.findings.extend(broken);
                if property.inner.required {
                    self.findings.push(note(pointer, "is required, but has a default: it is never missing"));
                }
            }
            self.untyped_numbers(schema, &property);
            let is_null = property.inner.admits(&schema.nodes, Special::Null);
            if property.inner.required && is_null && property.default().is_none() {
                self.findings.push(note(pointer, "is required, but may be null: it may be missing"));
            }
        }
        Ok(())
    }

    /// `minimum` and the like of a variable that nothing reads as a number.
    fn untyped_numbers(&mut self, schema: &Schema, property: &super::Property<'_>) {
        let schemas = &property.inner.schemas;
        if schemas.iter().any(|id| schema.nodes[*id].types.is_some()) {
            return;
        }
        let pointers = schemas.iter().map(|id| schema.nodes[*id].pointer.as_str());
        let says_number = |pointer: &&str| {
            let json = self.root.at(pointer);
            OF_NUMBERS.iter().any(|keyword| json.is_some_and(|json| json.get(keyword).is_some()))
        };
        if let Some(pointer) = pointers.into_iter().find(says_number) {
            let what = "a rule about numbers, but no type: the variable is read as text, and the rule says nothing";
            self.findings.push(wrong(pointer, what));
        }
    }
}

/// Formats that are checked, or say what is kept elsewhere: `password` makes a secret, zod carries these by `pattern`.
fn is_known(name: &str) -> bool {
    format::find(name).is_some() || ["password", "starts_with", "ends_with", "includes"].contains(&name)
}

fn is_of(value: &Json, of: Type) -> bool {
    match value {
        Json::Null => of == Type::Null,
        Json::Bool(_) => of == Type::Boolean,
        Json::Number(number) => of == Type::Number || (of == Type::Integer && Decimal::is_integer(number)),
        Json::String(_) => of == Type::String,
        Json::Array(_) => of == Type::Array,
        Json::Object(_) => of == Type::Object,
    }
}

#[cfg(test)]
mod tests {
    use super::lint;

    fn findings(schema: &str) -> Vec<String> {
        let findings = lint(schema.as_bytes()).unwrap_or_else(|error| panic!("{schema}: {error}"));
        findings.iter().map(ToString::to_string).collect()
    }

    /// However many references lead to the place.
    #[test]
    fn a_finding_is_named_once() {
        let schema = r##"{"$defs": {"a": {"example": 1}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}"##;
        assert_eq!(findings(schema), ["/$defs/a/example: no keyword of JSON Schema: no rule"]);
    }

    #[test]
    fn what_stands_beside_a_reference_in_draft_07_is_named() {
        let schema = |draft: &str| {
            format!(
                r##"{{"$schema": "{draft}", "definitions": {{"a": {{}}}},
                    "properties": {{"A": {{"minLength": 1, "$ref": "#/definitions/a", "description": "x"}}}}}}"##
            )
        };
        let beside = "/properties/A/minLength: stands beside $ref, where draft-07 does not look";
        assert_eq!(findings(&schema("http://json-schema.org/draft-07/schema#")), [beside]);
        assert_eq!(findings(&schema("https://json-schema.org/draft/2020-12/schema")), [""; 0]);
    }

    /// By `pattern`, or by how the value is stored.
    #[test]
    fn a_format_that_is_kept_in_another_way_draws_no_word() {
        for format in ["uri", "password", "starts_with", "ends_with", "includes"] {
            let schema = format!(r#"{{"properties": {{"A": {{"type": "string", "format": "{format}"}}}}}}"#);
            assert_eq!(findings(&schema), [""; 0], "{format}");
        }
    }
}
