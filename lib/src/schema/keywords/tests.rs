//! What is reported of each rule, in its words, and what is none: declarations and variables in tables.

use super::super::tests::{assert_said, declaring_a, said, stored};
use super::{Kind, kind};
use crate::schema::Schema;

#[test]
fn what_is_wrong_with_a_value() {
    for (schema, value, expected) in [
        // Inside of JSON it says where, by an index or a declared name; any other name may be secret.
        (r#"{"type": "array", "items": {"type": "integer"}}"#, r#"[1, "x"]"#, "A: [1]: an integer: is none"),
        (r#"{"type": "array", "items": {"items": {"maximum": 3}}}"#, "[[1], [2, 4]]", "A: [1][1]: at most 3: is more"),
        (
            r#"{"type": "object", "properties": {"port": {"type": "integer"}}}"#,
            r#"{"port": "x"}"#,
            "A: .port: an integer: is none",
        ),
        (
            r#"{"type": "array", "items": {"properties": {"port": {"type": "integer"}}}}"#,
            r#"[{"port": 1}, {"port": "x"}]"#,
            "A: [1].port: an integer: is none",
        ),
        (
            r#"{"type": "object", "additionalProperties": {"type": "integer"}}"#,
            r#"{"key": "x"}"#,
            "A: .*: an integer: is none",
        ),
        (
            r#"{"type": "object", "properties": {"b": {}}, "patternProperties": {"^a": {"maximum": 1}}}"#,
            r#"{"ab": 2, "b": 3}"#,
            "A: .*: at most 1: is more",
        ),
        (r#"{"type": "object", "maxProperties": 1}"#, r#"{"a": 1, "b": 2}"#, "A: at most 1 member: has 2"),
        (r#"{"type": "object", "minProperties": 3}"#, r#"{"a": 1, "b": 2}"#, "A: at least 3 members: has 2"),
        (r#"{"type": "object", "required": ["a"]}"#, "{}", "A: a member a: missing"),
        (
            r#"{"type": "object", "propertyNames": {"maxLength": 1}}"#,
            r#"{"ab": 1}"#,
            "A: a name that is at most 1 character: has another name",
        ),
        (r#"{"type": "array", "contains": {"const": 1}}"#, "[2]", "A: an item that is: 1: has none"),
        // Nobody asks for null in a text.
        (r#"{"anyOf": [{"type": "integer"}, {"type": "null"}]}"#, "x", "A: an integer: is none (1 character)"),
        (
            r#"{"anyOf": [{"type": "null"}, {"type": "integer"}, {"format": "uuid"}]}"#,
            "x",
            "A: an integer or a UUID: is none (1 character)",
        ),
        (r#"{"enum": ["", "a"]}"#, "b", r#"A: one of "", a: is none of them (1 character)"#),
        (r#"{"enum": ["a", 1, null]}"#, "b", "A: one of a, 1: is none of them (1 character)"),
    ] {
        assert_said(&[(&declaring_a(schema), &[("A", value)], &[expected])]);
    }
}

#[test]
fn a_rule_that_is_kept_draws_no_word() {
    for (schema, value) in [
        (r#"{"type": "number", "const": 1}"#, "1.0"),
        (r#"{"type": ["integer", "null"]}"#, ""),
        (r#"{"type": "object", "maxProperties": 1}"#, r#"{"a": 1}"#),
        (r#"{"type": "number", "multipleOf": 0.01}"#, "19.99"),
        (r#"{"type": "string", "multipleOf": 7}"#, "8"),
    ] {
        assert_said(&[(&declaring_a(schema), &[("A", value)], &[])]);
    }
}

#[test]
fn what_is_wrong_with_variables_together() {
    assert_said(&[
        (r#"{"maxProperties": 1}"#, &[("A", "1"), ("B", "1")], &["all variables: at most 1 variable: has 2"]),
        (r#"{"minProperties": 2}"#, &[("A", "1")], &["all variables: at least 2 variables: has 1"]),
        (
            r#"{"propertyNames": {"pattern": "^[A-Z]+$"}}"#,
            &[("A", "1"), ("b", "1"), ("c", "1")],
            &[
                "b: a name that is matching /^[A-Z]+$/: has another name",
                "c: a name that is matching /^[A-Z]+$/: has another name",
            ],
        ),
        (
            r#"{"properties": {"A": {}}, "additionalProperties": {"type": "integer"}}"#,
            &[("A", "x"), ("B", "x"), ("C", "1")],
            &["B: an integer: is none (1 character)"],
        ),
        (
            r#"{"patternProperties": {"_PORT$": {"type": "integer"}}, "additionalProperties": {"maxLength": 1}}"#,
            &[("A_PORT", "1234"), ("B_PORT", "x"), ("C", "xy")],
            &["B_PORT: an integer: is none (1 character)", "C: at most 1 character: has 2"],
        ),
        (r#"{"dependentRequired": {"A": ["B"]}}"#, &[("A", "1")], &["B: a value: missing"]),
        (r#"{"dependentRequired": {"A": ["B"]}}"#, &[("C", "1")], &[]),
        (
            r#"{"dependentSchemas": {"A": {"properties": {"B": {"type": "integer"}}, "required": ["C"]}}}"#,
            &[("A", "1"), ("B", "x")],
            &["B: an integer: is none (1 character)", "C: a value: missing"],
        ),
        (
            r#"{"dependencies": {"A": ["B"], "C": {"required": ["D"]}}}"#,
            &[("A", "1"), ("C", "1")],
            &["B: a value: missing", "D: a value: missing"],
        ),
    ]);
}

#[test]
fn an_empty_text_is_a_value_where_that_is_said() {
    let required = |schema: &str| format!(r#"{{"required": ["A"], "properties": {{"A": {schema}}}}}"#);
    assert_said(&[
        (&required(r#"{"minLength": 3}"#), &[("A", "")], &["A: at least 3 characters: is empty"]),
        (&required(r#"{"minLength": 0}"#), &[("A", "")], &[]),
        (&required(r#"{"enum": ["a"]}"#), &[("A", "")], &["A: a: is empty"]),
        (&required(r#"{"enum": ["a", ""]}"#), &[("A", "")], &[]),
    ]);
}

#[test]
fn a_value_that_is_not_utf8_is_named() {
    let mut environment = stored(&[("A", "")]);
    environment.entries[0].value = None;
    assert_eq!(said(&declaring_a(r#"{"type": "integer"}"#), &environment), ["A: an integer: is not UTF-8"]);
}

#[test]
fn the_first_default_of_a_branch_is_handed_over() {
    assert_said(&[
        (
            r#"{"anyOf": [{"properties": {"A": {"default": "x"}}}, {"properties": {"A": {"default": "y"}}}]}"#,
            &[],
            &["default: A=x"],
        ),
        (
            r#"{"properties": {"A": {"default": 1}}, "if": {}, "then": {"properties": {"A": {"default": 2}}}}"#,
            &[],
            &["default: A=1"],
        ),
        // A name that is declared in every case, without one, gets it too.
        (
            r#"{"properties": {"A": {}}, "if": {}, "then": {"required": ["A"], "properties": {"A": {"default": 2}}}}"#,
            &[],
            &["default: A=2"],
        ),
        (
            r#"{"allOf": [{"properties": {"A": {}}}, {"required": ["A"], "properties": {"A": {"default": 2}}}]}"#,
            &[],
            &["default: A=2"],
        ),
        (
            r#"{"properties": {"A": {}}, "if": {}, "then": {"required": ["A"], "properties": {"A": {"default": 2}}}}"#,
            &[("A", "a")],
            &[],
        ),
        (r#"{"not": {"properties": {"A": {"default": 2}}, "required": ["B"]}}"#, &[], &[]),
    ]);
}

/// As any value is, by all that is declared of the name.
#[test]
fn the_default_of_a_branch_is_checked() {
    assert_said(&[
        (
            r#"{"if": {}, "then": {"properties": {"A": {"type": "integer", "default": "x"}}}}"#,
            &[],
            &["A: an integer: is none (1 character)", "default: A=x"],
        ),
        (
            r#"{"properties": {"A": {"type": "integer", "maximum": 3}}, "if": {}, "then": {"properties": {"A": {"default": 5}}}}"#,
            &[],
            &["A: at most 3: is more", "default: A=5"],
        ),
        (
            r#"{"properties": {"A": {"type": "integer", "maximum": 3}}, "if": {}, "then": {"properties": {"A": {"default": 5}}}}"#,
            &[("A", "1")],
            &[],
        ),
    ]);
}

/// All of them together within the bound of steps.
#[test]
fn defaults_of_branches_whose_rules_multiply_come_to_an_end() {
    let many = vec!["{}"; 999].join(",");
    let each = vec![r##"{"$ref": "#/$defs/many"}"##; 600].join(",");
    let schema = |then: &str| {
        format!(
            r##"{{"$defs": {{"many": {{"allOf": [{many}]}}, "d": {{"default": 1, "allOf": [{each}]}}}},
                "if": {{}}, "then": {{"properties": {{{then}}}}}}}"##
        )
    };
    let a = r##""A": {"$ref": "#/$defs/d"}"##;
    let too_complex = "refused: takes more than a million steps to check, or is nested too deeply";
    assert_said(&[
        (&schema(a), &[], &["default: A=1"]),
        (&schema(&format!("{a}, {}", a.replace('A', "B"))), &[], &[too_complex]),
    ]);
}

#[test]
fn an_address_that_clients_read_differently_is_a_warning() {
    for (schema, value, expected) in [
        (
            r#"{"format": "uri"}"#,
            "https://u:p#w@h",
            &["warning: A: a URL: a raw # in the user part: percent-encode it as %23"][..],
        ),
        (
            r#"{"allOf": [{"format": "multi-host-uri"}]}"#,
            "postgres://u:p w@a:1,b:2/d",
            &["warning: A: a URL: a raw space in the user part: percent-encode it as %20"],
        ),
        (r#"{"format": "uri"}"#, "https://u:p@h/#x", &[]),
        (r#"{"format": "color"}"#, "https://u:p#w@h", &[]),
    ] {
        assert_said(&[(&declaring_a(schema), &[("A", value)], expected)]);
    }
}

/// Whatever could be wrong with a variable of the process, or mended by it, is to be looked at.
#[test]
fn what_a_declaration_speaks_of() {
    for (schema, of, not_of) in [
        ("{}", &[][..], &["A", ""][..]),
        (r#"{"properties": {"A": {}}}"#, &["A"], &["B"]),
        (r#"{"required": ["A"]}"#, &["A"], &["B"]),
        (r#"{"patternProperties": {"^A_": {}}}"#, &["A_", "A_B"], &["A", "B"]),
        (r#"{"dependentRequired": {"A": ["B", "C"]}}"#, &["A", "B", "C"], &["D"]),
        (
            r#"{"dependentSchemas": {"A": {"properties": {"B": {}}, "required": ["C"]}}}"#,
            &["A", "B", "C"],
            &["D", "properties"],
        ),
        (
            r#"{"dependencies": {"A": ["B"], "C": {"properties": {"D": {}}}}}"#,
            &["A", "B", "C", "D"],
            &["E", "properties"],
        ),
        (
            r#"{"not": {"required": ["A"]}, "if": {"required": ["B"]}, "then": {"required": ["C"]}, "else": {"required": ["D"]}}"#,
            &["A", "B", "C", "D"],
            &["E"],
        ),
        // Of a variable that holds an object these are members.
        (r#"{"properties": {"A": {"required": ["B"], "patternProperties": {"^C": {}}}}}"#, &["A"], &["B", "C"]),
        // It is about the sealed file, or about names that are declared in another way.
        (r#"{"additionalProperties": false, "propertyNames": {"maxLength": 1}}"#, &[], &["A"]),
    ] {
        let schema = Schema::load(schema.as_bytes()).unwrap();
        for name in of {
            assert!(schema.speaks_of(name), "{name}");
        }
        for name in not_of {
            assert!(!schema.speaks_of(name), "{name}");
        }
    }
}

#[test]
fn rules_that_are_none_are_refused() {
    for (schema, expected) in [
        (r#"{"uniqueItems": 1}"#, "/uniqueItems: is neither true nor false"),
        (r#"{"minItems": -1}"#, "/minItems: is no number of things: an integer from 0 on"),
        (r#"{"maxItems": "1"}"#, "/maxItems: is no number of things: an integer from 0 on"),
        (r#"{"minProperties": 0.5}"#, "/minProperties: is no number of things: an integer from 0 on"),
        (r#"{"maxProperties": 1e300}"#, "/maxProperties: is no number of things: an integer from 0 on"),
        (r#"{"prefixItems": {}}"#, "/prefixItems: is no list of schemas"),
        (r#"{"anyOf": {}}"#, "/anyOf: is no list of schemas"),
        (r#"{"oneOf": [1]}"#, "/oneOf/0: is no schema: neither an object nor true or false"),
        (r#"{"multipleOf": -1}"#, "/multipleOf: is not more than 0"),
        (r#"{"multipleOf": "1"}"#, "/multipleOf: is no number"),
        (r#"{"pattern": "a)"}"#, "/pattern: character 2: a ) without its ("),
        (r#"{"properties": []}"#, "/properties: is no object of schemas"),
        (r#"{"$defs": []}"#, "/$defs: is no object of schemas"),
        (r#"{"patternProperties": {"a/(": {}}}"#, "/patternProperties/a~1(: character 3: the group is never closed"),
        (r#"{"required": [1]}"#, "/required: is no list of names"),
        (r#"{"dependentRequired": []}"#, "/dependentRequired: is no object of lists of names"),
        (r#"{"dependentRequired": {"A": [1]}}"#, "/dependentRequired: is no object of lists of names"),
        (r#"{"dependentSchemas": []}"#, "/dependentSchemas: is no object of schemas"),
        (r#"{"dependencies": []}"#, "/dependencies: is no object"),
        (r#"{"dependencies": {"A": [1]}}"#, "/dependencies: holds a list that is none of names"),
        (r#"{"dependencies": {"a/b": 1}}"#, "/dependencies/a~1b: is no schema: neither an object nor true or false"),
    ] {
        let error = Schema::load(schema.as_bytes()).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{schema}");
    }
}

#[test]
fn a_letter_away() {
    for (near, meant) in [
        ("minlength", "minLength"),
        ("minLemgth", "minLength"),
        ("minLengt", "minLength"),
        ("minLengthh", "minLength"),
        ("minLnegth", "minLength"),
        ("xminLength", "minLength"),
        ("required2", "required"),
        ("REQUIRED", "required"),
        ("propertie", "properties"),
        ("oneof", "oneOf"),
        ("Not", "not"),
        ("IF", "if"),
        ("Then", "then"),
    ] {
        assert!(matches!(kind(near), Kind::Unknown(Some(known)) if known == meant), "{near}");
    }
    for far in [
        "id",
        "example",
        "nullable",
        "x-order",
        "min",
        "minLen",
        "ifx",
        "note",
        "tags",
        "yaml",
        "tyro",
        "tyex",
        "discriminator",
    ] {
        assert!(matches!(kind(far), Kind::Unknown(None)), "{far}");
    }
}
