//! The evaluator of the schema against Python's `jsonschema`, live: random schemas of all keywords, and instances near
//! them, get the same verdict.
//!
//! What differs is left out by construction:
//! - `format`, which Python does not assert; the official suite has the formats.
//! - `multipleOf` with a fraction that no double has, or written as `3.0`: Python divides doubles, envsec decimals.
//! - Keywords of another draft, as `prefixItems` in draft-07: Python passes them over, envsec keeps them.
//! - `additionalItems` beside `items: true`, at which Python stumbles.
//! - Patterns that are not the same in Python and in ECMA-262; `tests/schema_pattern.rs` asks node about those.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use envsec::schema::fits;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt;
use serde_json::{Map, Value as Json, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCHEMAS_OF_A_DRAFT: usize = 1000;
const INSTANCES: usize = 4;

/// The names in `$defs`, and how a `$ref` has them.
const DEFINITIONS: &[(&str, &str)] = &[("d0", "d0"), ("d/", "d~1"), ("d%2", "d%252"), ("dé", "d%C3%A9")];

#[derive(Clone, Copy, PartialEq)]
enum Draft {
    Seven,
    Nineteen,
    Twenty,
}

impl Draft {
    fn uri(self) -> &'static str {
        match self {
            Draft::Seven => "http://json-schema.org/draft-07/schema#",
            Draft::Nineteen => "https://json-schema.org/draft/2019-09/schema",
            Draft::Twenty => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    fn definitions(self) -> &'static str {
        if self == Draft::Seven { "definitions" } else { "$defs" }
    }
}

/// The keywords of every draft; `$ref` and what combines schemas stand a second time, since they are what is hard.
const KEYWORDS: &[&str] = &[
    "enum",
    "const",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "required",
    "properties",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "items",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "$ref",
    "$ref",
    "dependencies",
    "default",
    "description",
];

const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];

const NAMES: &[&str] = &["A", "B", "AB", "b2", "a/b", "c~d", "é%25", ""];

const TEXTS: &[&str] = &["", "a", "b", "ab", "aab", "7", "true", "null", "é", "😀", "😀b", "a b", "$ref"];

/// The same to Python and to ECMA-262, as no text has a line end.
const PATTERNS: &[&str] = &["a", "^a", "b$", "^[ab]+$", "^.$", "^$", "[0-9]", "a{2}", "^(a|b)b?$", "^\\S*$", "é|😀"];

/// Makes schemas and instances. The same in every run, so that a failure comes back.
struct Maker {
    rng: TestRng,
    draft: Draft,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place {
    /// How many levels may follow.
    depth: u32,
    /// The first of the definitions that a `$ref` may lead to, so that none leads back without consuming something.
    free: usize,
    /// Whether the instance is a part of the one that the whole schema is tried on.
    inside: bool,
}

impl Place {
    fn beside(self) -> Self {
        Place { depth: self.depth.saturating_sub(1), ..self }
    }

    /// Of a part of the instance: every reference consumes something.
    fn inside(self) -> Self {
        Place { depth: self.depth.saturating_sub(1), free: 0, inside: true }
    }
}

impl Maker {
    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn several<T>(&mut self, from: usize, to: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..from + self.below(to - from + 1)).map(|_| make(self)).collect()
    }

    fn number(&mut self) -> Json {
        match self.below(12) {
            0 => json!(0.5),
            1 => json!(2.0),
            2 => json!(-1.25),
            3 => json!(9_007_199_254_740_993_u64),
            4 => json!(1e20),
            _ => json!(i64::try_from(self.below(9)).unwrap() - 3),
        }
    }

    fn text(&mut self) -> Json {
        json!(self.pick(TEXTS))
    }

    fn value(&mut self, depth: u32) -> Json {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => Json::Null,
            1 => json!(self.chance(50)),
            2 => self.number(),
            3 | 4 => self.text(),
            5 => json!(self.several(0, 3, |maker| maker.value(depth - 1))),
            _ => self.members(0, 3, |maker| maker.value(depth - 1)),
        }
    }

    fn members(&mut self, from: usize, to: usize, mut make: impl FnMut(&mut Self) -> Json) -> Json {
        let members = self.several(from, to, |maker| (maker.pick(NAMES).to_owned(), make(maker)));
        Json::Object(members.into_iter().collect())
    }

    fn names(&mut self, from: usize) -> Json {
        let mut names = self.several(from, 2, |maker| maker.pick(NAMES));
        names.sort_unstable();
        names.dedup();
        json!(names)
    }

    fn schema(&mut self, place: Place) -> Json {
        if self.chance(4) {
            return json!(self.chance(70));
        }
        let mut schema = Map::new();
        if self.chance(60) {
            schema.insert("type".into(), self.types());
        }
        let keywords = if place.depth == 0 { 1 } else { 3 };
        for _ in 0..self.below(keywords + 1) {
            let keyword = self.pick(KEYWORDS);
            self.keyword(keyword, place, &mut schema);
        }
        if schema.get("items").is_some_and(Json::is_boolean) {
            schema.remove("additionalItems");
        }
        Json::Object(schema)
    }

    fn types(&mut self) -> Json {
        if self.chance(70) {
            return json!(self.pick(TYPES));
        }
        let mut types = self.several(1, 3, |maker| maker.pick(TYPES));
        types.sort_unstable();
        types.dedup();
        json!(types)
    }

    fn keyword(&mut self, name: &str, place: Place, schema: &mut Map<String, Json>) {
        let value = match name {
            "enum" => json!(self.several(1, 4, |maker| maker.value(1))),
            "const" | "default" => self.value(1),
            "minLength" | "maxLength" | "minProperties" | "maxProperties" | "minItems" | "maxItems" => {
                if self.chance(10) { json!(2.0) } else { json!(self.below(4)) }
            }
            "pattern" => json!(self.pick(PATTERNS)),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => self.number(),
            "multipleOf" => self.pick(&[json!(1), json!(2), json!(3), json!(0.5), json!(0.25)]),
            "required" => self.names(0),
            "uniqueItems" => json!(self.chance(80)),
            "description" => json!("of no consequence"),
            "$ref" => match self.reference(place) {
                Some(reference) => json!(reference),
                None => return,
            },
            "prefixItems" | "dependencies" | "if" => return self.of_draft(name, place, schema),
            _ => match self.with_schemas(name, place) {
                Some(value) => value,
                None => return,
            },
        };
        schema.insert(name.into(), value);
    }

    fn reference(&mut self, place: Place) -> Option<String> {
        if place.inside && self.chance(20) {
            return Some("#".into());
        }
        let free = &DEFINITIONS[place.free..];
        let (_, written) = if free.is_empty() { return None } else { self.pick(free) };
        Some(format!("#/{}/{written}", self.draft.definitions()))
    }

    /// Keywords whose value is made of schemas.
    fn with_schemas(&mut self, name: &str, place: Place) -> Option<Json> {
        if place.depth == 0 {
            return None;
        }
        let (beside, inside) = (place.beside(), place.inside());
        Some(match name {
            "properties" => self.members(1, 4, |maker| maker.schema(inside)),
            "patternProperties" => {
                let members = self.several(1, 2, |maker| (maker.pick(PATTERNS).to_owned(), maker.schema(inside)));
                Json::Object(members.into_iter().collect())
            }
            "additionalProperties" | "propertyNames" | "contains" | "items" => {
                if name != "contains" && self.chance(30) { json!(false) } else { self.schema(inside) }
            }
            "not" => self.schema(beside),
            _ => json!(self.several(1, 3, |maker| maker.schema(beside))),
        })
    }

    /// Keywords that have another name, or another form, in another draft.
    fn of_draft(&mut self, name: &str, place: Place, schema: &mut Map<String, Json>) {
        if place.depth == 0 {
            return;
        }
        match (name, self.draft) {
            ("prefixItems", draft) => {
                let list = json!(self.several(1, 3, |maker| maker.schema(place.inside())));
                schema.insert(if draft == Draft::Twenty { "prefixItems" } else { "items" }.into(), list);
                let others = if draft == Draft::Twenty { "items" } else { "additionalItems" };
                if self.chance(50) {
                    let of_others = self.with_schemas("items", place).unwrap();
                    schema.insert(others.into(), of_others);
                }
            }
            ("dependencies", Draft::Seven) => {
                let of =
                    self.members(
                        1,
                        2,
                        |maker| {
                            if maker.chance(50) { maker.names(0) } else { maker.schema(place.beside()) }
                        },
                    );
                schema.insert(name.into(), of);
            }
            ("dependencies", _) => {
                let names = self.members(1, 2, |maker| maker.names(0));
                schema.insert("dependentRequired".into(), names);
                let schemas = self.members(0, 2, |maker| maker.schema(place.beside()));
                schema.insert("dependentSchemas".into(), schemas);
            }
            _ => {
                for part in ["if", "then", "else"] {
                    if part == "if" || self.chance(70) {
                        let of_part = self.schema(place.beside());
                        schema.insert(part.into(), of_part);
                    }
                }
            }
        }
    }

    /// A whole schema: an object with definitions, of which each refers in place to later ones only.
    fn root(&mut self) -> Json {
        let mut root = loop {
            if let Json::Object(root) = self.schema(Place { depth: 3, free: 0, inside: false }) {
                break root;
            }
        };
        let mut definitions = Map::new();
        for (at, (name, _)) in DEFINITIONS.iter().enumerate() {
            definitions.insert((*name).into(), self.schema(Place { depth: 2, free: at + 1, inside: false }));
        }
        root.insert(self.draft.definitions().into(), Json::Object(definitions));
        root.insert("$schema".into(), json!(self.draft.uri()));
        Json::Object(root)
    }

    /// An instance that could fit: each keyword that helps is looked at.
    fn near(&mut self, root: &Json, schema: &Json, depth: u32) -> Json {
        if depth == 0 || self.chance(8) {
            return self.value(2);
        }
        if let Some(target) = schema["$ref"].as_str().and_then(|reference| target(root, reference)) {
            return self.near(root, target, depth - 1);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        for list in ["enum", "allOf", "anyOf", "oneOf"] {
            if let Some(items) = schema[list].as_array() {
                let item = &items[self.below(items.len())];
                return if list == "enum" { item.clone() } else { self.near(root, item, depth - 1) };
            }
        }
        match self.type_of(schema).as_str() {
            "null" => Json::Null,
            "boolean" => json!(self.chance(50)),
            "integer" => self.near_number(schema, &[0.0, 1.0, -1.0]),
            "number" => self.near_number(schema, &[0.0, 1.0, -1.0, 0.25]),
            "string" => self.text(),
            "array" => self.near_array(root, schema, depth),
            _ => self.near_object(root, schema, depth),
        }
    }

    /// The type, or one that the keywords speak of.
    fn type_of(&mut self, schema: &Json) -> String {
        let speaks = |names: &[&str]| names.iter().any(|name| schema.get(*name).is_some());
        match &schema["type"] {
            Json::String(of) => of.clone(),
            Json::Array(all) => all[self.below(all.len())].as_str().unwrap().to_owned(),
            _ if speaks(&["items", "prefixItems", "contains", "uniqueItems", "minItems"]) => "array".into(),
            _ if speaks(&["minimum", "maximum", "multipleOf", "exclusiveMinimum"]) => "number".into(),
            _ if speaks(&["pattern", "minLength", "maxLength"]) => "string".into(),
            _ if speaks(&["properties", "required", "propertyNames", "patternProperties"]) => "object".into(),
            _ => self.pick(TYPES).to_owned(),
        }
    }

    fn near_number(&mut self, schema: &Json, steps: &[f64]) -> Json {
        let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
        let known: Vec<f64> = bounds.iter().filter_map(|name| schema[name].as_f64()).collect();
        if known.is_empty() || self.chance(20) {
            return self.number();
        }
        json!(self.pick(&known) + self.pick(steps))
    }

    fn near_array(&mut self, root: &Json, schema: &Json, depth: u32) -> Json {
        let first = schema["prefixItems"].as_array().or(schema["items"].as_array());
        let others = ["additionalItems", "items", "contains"].map(|name| &schema[name]);
        let of_others = others.into_iter().find(|other| other.is_object()).unwrap_or(&Json::Null);
        let length = self.below(5);
        let item = |at| first.and_then(|first| first.get(at)).unwrap_or(of_others);
        Json::Array((0..length).map(|at| self.near(root, item(at), depth - 1)).collect())
    }

    fn near_object(&mut self, root: &Json, schema: &Json, depth: u32) -> Json {
        let mut members = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if self.chance(70) {
                members.insert(name.clone(), self.near(root, property, depth - 1));
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if self.chance(90) && !members.contains_key(name) {
                members.insert(name.into(), self.value(1));
            }
        }
        let others = &schema["additionalProperties"];
        if self.chance(if others == &json!(false) { 10 } else { 40 }) {
            let name = self.pick(NAMES);
            members.insert(name.into(), self.near(root, others, depth - 1));
        }
        Json::Object(members)
    }
}

/// The definition that a reference leads to.
fn target<'r>(root: &'r Json, reference: &str) -> Option<&'r Json> {
    let written = reference.rsplit('/').next()?;
    let (name, _) = DEFINITIONS.iter().find(|(_, known)| *known == written)?;
    [&root["$defs"], &root["definitions"]].into_iter().find_map(|definitions| definitions.get(name))
}

/// A schema and its instances.
type Case = (Json, Vec<Json>);

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for draft in [Draft::Seven, Draft::Nineteen, Draft::Twenty] {
        let mut maker = Maker { rng, draft };
        for _ in 0..SCHEMAS_OF_A_DRAFT {
            let root = maker.root();
            let instances = (0..INSTANCES).map(|_| maker.near(&root, &root, 5)).collect();
            cases.push((root, instances));
        }
        rng = maker.rng;
    }
    cases
}

/// A file below `tests/`; one that the set-up makes is never missing silently.
fn tool(path: &str) -> PathBuf {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    assert!(full.exists(), "{} is missing: run ./tests/run.sh first", full.display());
    full
}

/// What Python's jsonschema says of each instance.
fn ask(cases: &[Case]) -> Vec<Vec<bool>> {
    let mut command = Command::new(tool(".tools/venv/bin/python"));
    command.arg(tool("oracles/jsonschema_verdicts.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: Vec<String> = cases.iter().map(|case| json!(case).to_string() + "\n").collect();
    // Both may write more than a pipe holds.
    let writer = std::thread::spawn(move || stdin.write_all(lines.concat().as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle failed");
    writer.join().unwrap().unwrap();
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn pythons_jsonschema_has_the_same_verdicts() {
    let cases = cases();
    let answers = ask(&cases);
    assert_eq!(answers.len(), cases.len(), "an answer for every schema");
    let (mut valid, mut different) = (0, Vec::new());
    for ((schema, instances), verdicts) in cases.iter().zip(answers) {
        for (instance, verdict) in instances.iter().zip(verdicts) {
            valid += usize::from(verdict);
            let (schema, instance) = (schema.to_string(), instance.to_string());
            match fits(schema.as_bytes(), instance.as_bytes()) {
                Ok(own) if own == verdict => {}
                Ok(own) => different.push(format!("{own}, Python {verdict}: {instance}\n    {schema}")),
                Err(error) => different.push(format!("{error}, Python {verdict}: {instance}\n    {schema}")),
            }
        }
    }
    let all = cases.len() * INSTANCES;
    let count = different.len();
    different.sort_by_key(String::len);
    different.truncate(10);
    assert!(count == 0, "{count} of {all} differ, the shortest:\n{}", different.join("\n"));
    // Instances that all fit, or none, would tell nothing.
    assert!((all / 4..all * 3 / 4).contains(&valid), "{valid} of {all} are valid");
}
