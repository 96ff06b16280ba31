//! The official JSON-Schema-Test-Suite, drafts 2020-12, 2019-09 and 07, on the evaluator with typed instances: every case
//! of every file about a keyword that `docs/schema.md` names, and of the formats that are asserted.
//!
//! `tests/run.sh` fetches the suite: it comes inside of the source package of Python's jsonschema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use envsec::schema::fits;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The drafts, as the suite's folders are called.
const ALL: &[&str] = &["draft2020-12", NINETEEN, SEVEN];

const LATER: &[&str] = &["draft2020-12", NINETEEN];

const NINETEEN: &str = "draft2019-09";

const SEVEN: &str = "draft7";

/// The files, without `.json`, of all drafts that have them.
const FILES: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "boolean_schema",
    "const",
    "contains",
    "content",
    "default",
    "definitions",
    "defs",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if-then-else",
    "infinite-loop-detection",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "ref",
    "required",
    "type",
    "uniqueItems",
    "optional/bignum",
    "optional/dependencies-compatibility",
    "optional/ecmascript-regex",
    "optional/float-overflow",
    "optional/no-schema",
    "optional/non-bmp-regex",
    "optional/refOfUnknownKeyword",
    "optional/unknownKeyword",
    "optional/format/date",
    "optional/format/date-time",
    "optional/format/duration",
    "optional/format/email",
    "optional/format/hostname",
    "optional/format/ipv4",
    "optional/format/ipv6",
    "optional/format/uri",
    "optional/format/uuid",
    // Not asserted, so that everything fits: idn-email, idn-hostname, iri, iri-reference, json-pointer, regex,
    // relative-json-pointer, time, uri-reference, uri-template. Files of keywords that are refused: anchor, content of
    // other drafts, dynamicRef, maxContains, minContains, recursiveRef, refRemote, unevaluated*, vocabulary.
];

/// References by `$id`, `$anchor` or to another file, the meta-schemas included.
const OUT: &str = "leads out of this file; only #/... is followed";

/// What a `$id` inside changes is not followed either.
const NAMED: &str = "a schema with a name of its own inside of another";

const NOT_KEPT: &str = "envsec does not keep this rule";

/// Schemas that are refused when they are loaded: drafts, file, group, and the error's pointer and words, which are the
/// reason. Nothing that they declare is passed over.
#[rustfmt::skip]
const REFUSED: &[(&[&str], &str, &str, &str, &str)] = &[
    (&[SEVEN], "definitions", "validate definition against metaschema", "/$ref", OUT),
    (LATER, "defs", "validate definition against metaschema", "/$ref", OUT),
    (LATER, "not", "collect annotations inside a 'not', even if collection is disabled", "/not/unevaluatedProperties", NOT_KEPT),
    (ALL, "optional/ecmascript-regex", "pattern with non-ASCII digits", "/pattern", "character 2: \\p{...} is not supported"),
    (ALL, "optional/ecmascript-regex", "patternProperties with non-ASCII digits", "/patternProperties/^\\p{digit}+$", "character 2: \\p{...} is not supported"),
    (ALL, "optional/ecmascript-regex", "patterns always use unicode semantics with pattern", "/pattern", "character 1: \\p{...} is not supported"),
    (ALL, "optional/ecmascript-regex", "patterns always use unicode semantics with patternProperties", "/patternProperties/\\p{Letter}cole", "character 1: \\p{...} is not supported"),
    (LATER, "optional/unknownKeyword", "$id inside an unknown keyword is not a real identifier", "/anyOf/2/$ref", OUT),
    (&[SEVEN], "optional/unknownKeyword", "$id inside an unknown keyword is not a real identifier", "/definitions/real_id_in_schema/$id", NAMED),
    (ALL, "ref", "Recursive references between schemas", "/properties/nodes/items/$ref", OUT),
    (ALL, "ref", "URN base URI with URN and JSON pointer ref", "/properties/foo/$ref", OUT),
    (ALL, "ref", "URN base URI with URN and anchor ref", "/properties/foo/$ref", OUT),
    (ALL, "ref", "remote ref, containing refs itself", "/$ref", OUT),
    (ALL, "ref", "simple URN base URI with $ref via the URN", "/properties/foo/$ref", OUT),
    (LATER, "ref", "$id must be resolved against nearest parent, not just immediate parent", "/allOf/0/$ref", OUT),
    (LATER, "ref", "URN ref with nested pointer ref", "/$ref", OUT),
    (LATER, "ref", "order of evaluation: $id and $anchor and $ref", "/$ref", OUT),
    (LATER, "ref", "order of evaluation: $id and $ref", "/$ref", OUT),
    (LATER, "ref", "ref creates new scope when adjacent to keywords", "/$defs/A/unevaluatedProperties", NOT_KEPT),
    (LATER, "ref", "ref to else", "/$ref", OUT),
    (LATER, "ref", "ref to if", "/$ref", OUT),
    (LATER, "ref", "ref to then", "/$ref", OUT),
    (LATER, "ref", "ref with absolute-path-reference", "/$ref", OUT),
    (LATER, "ref", "refs with relative uris and defs", "/$ref", OUT),
    (LATER, "ref", "relative refs with absolute uris and defs", "/$ref", OUT),
    (&[NINETEEN], "ref", "$ref with $recursiveAnchor", "/$ref", OUT),
    (&[SEVEN], "ref", "$id must be resolved against nearest parent, not just immediate parent", "/definitions/x/$id", NAMED),
    (&[SEVEN], "ref", "$ref prevents a sibling $id from changing the base uri", "/definitions/foo/$id", NAMED),
    (&[SEVEN], "ref", "Location-independent identifier", "/definitions/A/$id", NAMED),
    (&[SEVEN], "ref", "Location-independent identifier with base URI change in subschema", "/definitions/A/$id", NAMED),
    (&[SEVEN], "ref", "Reference an anchor with a non-relative URI", "/definitions/A/$id", NAMED),
    (&[SEVEN], "ref", "ref to else", "/allOf/0/$ref", OUT),
    (&[SEVEN], "ref", "ref to if", "/allOf/1/if/$id", NAMED),
    (&[SEVEN], "ref", "ref to then", "/allOf/0/$ref", OUT),
    (&[SEVEN], "ref", "ref with absolute-path-reference", "/definitions/b/$id", NAMED),
    (&[SEVEN], "ref", "refs with relative uris and defs", "/properties/foo/$id", NAMED),
    (&[SEVEN], "ref", "relative refs with absolute uris and defs", "/properties/foo/$id", NAMED),
];

/// What came out.
#[derive(Default)]
struct Outcome {
    cases: usize,
    refused: BTreeSet<Vec<String>>,
    wrong: Vec<String>,
}

fn suite() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.tools/json-schema-test-suite");
    assert!(folder.exists(), "{} is missing: run ./tests/run.sh first", folder.display());
    folder
}

/// The groups of a file; `None` where the draft has no such file.
fn groups(draft: &str, file: &str) -> Option<Vec<Json>> {
    let text = std::fs::read(suite().join(draft).join(file).with_extension("json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{draft}/{file}: {error}")))
}

fn text<'g>(json: &'g Json, name: &str) -> &'g str {
    json[name].as_str().unwrap()
}

/// The suite leaves it to who runs it to say which draft a schema without `$schema` is of.
fn schema_of(draft: &str, group: &Json) -> String {
    let mut schema = group["schema"].clone();
    if let (SEVEN, Some(members)) = (draft, schema.as_object_mut()) {
        members.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    }
    schema.to_string()
}

impl Outcome {
    fn of(&mut self, draft: &str, file: &str, group: &Json) {
        let (schema, name) = (schema_of(draft, group), text(group, "description"));
        for test in group["tests"].as_array().unwrap() {
            self.cases += 1;
            match fits(schema.as_bytes(), test["data"].to_string().as_bytes()) {
                Ok(verdict) if verdict == test["valid"].as_bool().unwrap() => {}
                Ok(verdict) => {
                    let test = text(test, "description");
                    self.wrong.push(format!("{draft}/{file}, {name:?}, {test:?}: valid is {verdict}"));
                }
                Err(error) => {
                    self.refused.insert([draft, file, name, &error.to_string()].map(str::to_owned).to_vec());
                }
            }
        }
    }
}

fn listed() -> BTreeSet<Vec<String>> {
    let row = |(drafts, file, group, pointer, what): &(&'static [&str], &str, &str, &str, &str)| {
        let error = format!("{pointer}: {what}");
        drafts.iter().map(|draft| [draft, *file, *group, &error].map(str::to_owned).to_vec()).collect::<Vec<_>>()
    };
    REFUSED.iter().flat_map(row).collect()
}

#[test]
fn the_official_suite() {
    let mut outcome = Outcome::default();
    for file in FILES {
        let of_drafts: Vec<_> = ALL.iter().filter_map(|draft| Some((draft, groups(draft, file)?))).collect();
        assert!(!of_drafts.is_empty(), "no draft has the file {file}");
        for (draft, groups) in of_drafts {
            groups.iter().for_each(|group| outcome.of(draft, file, group));
        }
    }
    let (listed, mut wrong) = (listed(), outcome.wrong);
    wrong.extend(outcome.refused.difference(&listed).map(|row| format!("refused, and not listed: {row:?}")));
    wrong.extend(listed.difference(&outcome.refused).map(|row| format!("listed as refused, and is not: {row:?}")));
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), outcome.cases, wrong.join("\n"));
    assert_eq!(outcome.cases, 3483, "the suite is pinned, and so is the number of its cases");
}
