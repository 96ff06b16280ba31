//! A declaration, variables, and what is said of them: tables over the whole of [`Schema`].

use super::*;
use crate::error::Failure as _;
use crate::vars::MAX_VALUE;

/// The variables of a sealed file, all encrypted, all handed over.
pub(super) fn stored<'a>(variables: &[(&'a str, &'a str)]) -> Environment<'a> {
    let entry = |&(name, value): &(&'a str, &'a str)| Entry {
        name,
        value: Some(value),
        source: Source::File,
        stored: Some(Stored::Secret),
    };
    Environment {
        entries: variables.iter().map(entry).collect(),
        label: None,
        names_only: false,
        is_selected: &|_| true,
    }
}

/// The same without a key.
fn names<'a>(names: &[&'a str]) -> Environment<'a> {
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (*name, "")).collect();
    let mut environment = stored(&variables);
    environment.entries.iter_mut().for_each(|entry| entry.value = None);
    Environment { names_only: true, ..environment }
}

/// Problems and warnings as they are printed, then the defaults; or why nothing was checked.
pub(super) fn said(schema: &str, environment: &Environment<'_>) -> Vec<String> {
    match Schema::load(schema.as_bytes()).and_then(|schema| schema.check(environment, false)) {
        Ok(Verdict { problems, warnings, defaults }) => {
            let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
            let defaults = defaults.iter().map(|(name, text)| format!("default: {name}={text}"));
            problems.iter().map(Problem::to_string).chain(warnings).chain(defaults).collect()
        }
        Err(error) => vec![format!("refused: {error}")],
    }
}

/// A declaration, variables, and all that is said of them.
pub(super) type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r [&'r str]);

#[track_caller]
pub(super) fn assert_said(rows: &[Row<'_>]) {
    for (schema, variables, expected) in rows {
        assert_eq!(said(schema, &stored(variables)), *expected, "{schema} {variables:?}");
    }
}

/// A declaration of `A`, and why it is refused; nothing: it is accepted.
#[track_caller]
fn assert_loaded(of_a: &str, expected: &str) {
    let error = Schema::load(declaring_a(of_a).as_bytes()).err().map(|error| error.to_string());
    assert_eq!(error.unwrap_or_default(), expected, "{of_a}");
}

pub(super) fn declaring_a(schema: &str) -> String {
    format!(r#"{{"properties": {{"A": {schema}}}}}"#)
}

const TOO_COMPLEX: &str = "takes more than a million steps to check, or is nested too deeply";

#[test]
fn annotations_are_read_from_the_standards_members_and_from_envsecs_own() {
    let schema = Schema::load(
        br#"{"properties": {
            "A": {"title": "short", "description": "what for", "examples": ["first", "second"]},
            "B": {"title": "short", "examples": "none", "writeOnly": true},
            "C": {"format": "password", "deprecated": true, "writeOnly": false},
            "D": {"deprecated": false, "x-envsec": {"deprecated": "use A", "docs": "https://example.com"}},
            "E": {"deprecated": true, "x-envsec": {"public": true, "generate": "hex:32", "rotateEvery": "90d", "grace": "1h"}}
        }}"#,
    )
    .unwrap();
    let of = |name: &str| {
        let property = schema.property(name).unwrap();
        let is = [property.is_secret(), property.is_public()];
        (is, property.description(), property.deprecated(), property.docs())
    };
    assert_eq!(of("A"), ([false, false], Some("what for"), None, None));
    assert_eq!(of("B"), ([true, false], Some("short"), None, None));
    assert_eq!(of("C"), ([true, false], None, Some(""), None));
    assert_eq!(of("D"), ([false, false], None, Some("use A"), Some("https://example.com")));
    assert_eq!(of("E"), ([false, true], None, Some(""), None));
    let e = schema.property("E").unwrap();
    assert_eq!(e.generate(), Some(Kind::Hex(32)));
    assert_eq!(e.rotate_every().map(Duration::seconds), Some(90 * 86_400));
    assert_eq!(e.grace().map(Duration::seconds), Some(3600));
    assert!(example(&schema).starts_with("# what for\n# any text (optional)\n# A=first\n"));
}

#[test]
fn what_is_wrong_with_an_annotation_is_named_with_its_place() {
    let labels = "is no list of labels (a-z, 0-9, '.', '_', '-', at most 64 characters each)";
    let longest = "a".repeat(64);
    for (own, pointer, what) in [
        ("7", "", "is no object"),
        (r#"{"source": "vault://a"}"#, "", ""),
        (r#"{"source": 1}"#, "/source", "is no text"),
        (r#"{"docs": 1}"#, "/docs", "is no text"),
        (r#"{"deprecated": true}"#, "/deprecated", "is no text"),
        (r#"{"public": 1}"#, "/public", "is neither true nor false"),
        (r#"{"requiredIn": ["production", "eu-1.a_b"], "forbiddenIn": []}"#, "", ""),
        (&format!(r#"{{"requiredIn": ["{longest}"]}}"#), "", ""),
        (&format!(r#"{{"requiredIn": ["{longest}a"]}}"#), "/requiredIn", labels),
        (r#"{"requiredIn": [""]}"#, "/requiredIn", labels),
        (r#"{"forbiddenIn": ["Test"]}"#, "/forbiddenIn", labels),
        (r#"{"forbiddenIn": ["a b"]}"#, "/forbiddenIn", labels),
        (r#"{"forbiddenIn": ["a", 1]}"#, "/forbiddenIn", labels),
        (r#"{"rotation": []}"#, "/rotation", "is no object"),
        (r#"{"rotation": {"onSet": "a", "onTest": "b", "onFinish": "c", "onAbort": "d"}}"#, "", ""),
        (r#"{"rotation": {"onSet": ""}}"#, "/rotation/onSet", "is no command"),
        (r#"{"rotation": {"onTest": "a\u0000b"}}"#, "/rotation/onTest", "is no command"),
        (r#"{"rotation": {"onFinish": ["a"]}}"#, "/rotation/onFinish", "is no command"),
        (r#"{"rotation": {"onset": "a"}}"#, "/rotation/onset", "is none of onSet, onTest, onFinish, onAbort, pair"),
        (r#"{"rotation": {"pair": "U=a,b"}}"#, "", ""),
        (r#"{"rotation": {"pair": 1}}"#, "/rotation/pair", "is no text"),
        (
            r#"{"rotation": {"pair": "U=a"}}"#,
            "/rotation/pair",
            "not NAME=USER,USER: the variable that holds the user, and two users",
        ),
    ] {
        let expected = if what.is_empty() { String::new() } else { format!("/properties/A/x-envsec{pointer}: {what}") };
        assert_loaded(&format!(r#"{{"x-envsec": {own}}}"#), &expected);
    }
    assert_loaded(r#"{"writeOnly": "true"}"#, "/properties/A/writeOnly: is neither true nor false");
}

#[test]
fn no_variable_is_secret_and_public_at_once() {
    let wrong = "/properties/A: is declared secret and public";
    for (schema, expected) in [
        (r#"{"writeOnly": true}"#, ""),
        (r#"{"x-envsec": {"public": true}}"#, ""),
        (r#"{"writeOnly": true, "x-envsec": {"public": true}}"#, wrong),
        (r#"{"format": "password", "x-envsec": {"public": true}}"#, wrong),
        (r#"{"writeOnly": true, "allOf": [{"x-envsec": {"public": true}}]}"#, wrong),
        (r#"{"anyOf": [{"type": "null"}, {"writeOnly": true}], "x-envsec": {"public": true}}"#, wrong),
    ] {
        assert_loaded(schema, expected);
    }
    let load = |text: &str| Schema::load(text.as_bytes()).err().map(|error| error.to_string());
    let of_branches = r#"{"oneOf": [{"properties": {"A": {"writeOnly": true}}}, {"properties": {"A": {"x-envsec": {"public": true}}}}]}"#;
    assert_eq!(load(of_branches).unwrap(), "/oneOf/0/properties/A: is declared secret and public");
}

#[test]
fn a_name_is_public_by_its_declaration_or_by_its_prefix() {
    for (name, schema, expected) in [
        ("A", "{}", false),
        ("A", r#"{"x-envsec": {"public": false}}"#, false),
        ("A", r#"{"x-envsec": {"public": true}}"#, true),
        ("A", r#"{"allOf": [{"x-envsec": {"public": true}}]}"#, true),
        ("VITE_A", "{}", true),
        ("VITE_A", r#"{"x-envsec": {"public": true}}"#, true),
    ] {
        let text = format!(r#"{{"properties": {{"{name}": {schema}}}}}"#);
        let schema = Schema::load(text.as_bytes()).unwrap();
        assert_eq!(schema.property(name).unwrap().is_public(), expected, "{text}");
    }
}

#[test]
fn a_default_is_a_text_that_a_child_may_get() {
    let too_long = "/properties/A/default: is no text that a variable can hold";
    assert_loaded(&format!(r#"{{"default": "{}"}}"#, "x".repeat(MAX_VALUE)), "");
    assert_loaded(&format!(r#"{{"default": "{}"}}"#, "x".repeat(MAX_VALUE + 1)), too_long);
    assert_loaded(r#"{"default": "a\u0000b"}"#, too_long);
    assert_loaded(
        r#"{"default": "a", "allOf": [{"default": "\u0000"}]}"#,
        "/properties/A/allOf/0/default: is no text that a variable can hold",
    );
}

/// Of each branch: only the first was looked at.
#[test]
fn the_default_of_every_branch_is_a_text_that_a_child_may_get() {
    let of_branches =
        r#"{"anyOf": [{"properties": {"A": {"default": "a"}}}, {"properties": {"A": {"default": "\u0000"}}}]}"#;
    let wrong = "refused: /anyOf/1/properties/A/default: is no text that a variable can hold";
    assert_said(&[(of_branches, &[], &[wrong])]);
}

/// What pydantic prints for `PYTHONPATH: str | None = None` was refused.
#[test]
fn null_is_no_default_and_sets_nothing() {
    let of = |name: &str, default: &str| {
        format!(
            r#"{{"properties": {{"{name}": {{"anyOf": [{{"type": "string"}}, {{"type": "null"}}], "default": {default}}}}}}}"#
        )
    };
    assert_said(&[
        (&of("PYTHONPATH", "null"), &[], &[]),
        (&of("ENVSEC_FILE", "null"), &[("ENVSEC_FILE", "x")], &[]),
        (
            &of("PYTHONPATH", "\"null\""),
            &[],
            &["refused: /properties/PYTHONPATH/default: no declaration sets a variable that makes programs run code"],
        ),
        (
            &of("ENVSEC_FILE", "\"\""),
            &[],
            &["refused: /properties/ENVSEC_FILE/default: no declaration sets a variable of envsec's own"],
        ),
    ]);
}

#[test]
fn a_default_is_handed_over_where_there_is_no_value() {
    let schema = r#"{"required": ["A"], "properties": {"A": {"default": "a"}, "B": {"default": 3}}}"#;
    assert_said(&[
        (schema, &[], &["default: A=a", "default: B=3"]),
        (schema, &[("A", ""), ("B", "")], &["default: A=a", "default: B=3"]),
        (schema, &[("A", "x")], &["default: B=3"]),
        (schema, &[("B", "x"), ("A", "x")], &[]),
        // pydantic's asterisks hide a secret's default, which the program has itself.
        (r#"{"required": ["A"], "properties": {"A": {"format": "password", "default": "****"}}}"#, &[], &[]),
        (r#"{"properties": {"A": {"format": "password", "default": "*a*"}}}"#, &[], &["default: A=*a*"]),
        (r#"{"properties": {"A": {"default": "****"}}}"#, &[], &["default: A=****"]),
        // Checked like any value.
        (
            r#"{"properties": {"A": {"type": "integer", "default": "a"}}}"#,
            &[],
            &["A: an integer: is none (1 character)", "default: A=a"],
        ),
    ]);
}

#[test]
fn what_is_not_handed_over_is_neither_required_nor_set() {
    let schema =
        r#"{"required": ["A", "B"], "properties": {"A": {}, "B": {}, "C": {"default": 1}, "D": {"default": 2}}}"#;
    let only = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
    for (selected, expected) in [
        (&["A", "C"][..], &["A: a value: missing", "default: C=1"][..]),
        (&["B"], &["B: a value: missing"]),
        (&["D"], &["default: D=2"]),
        (&[], &[]),
    ] {
        let environment = Environment { is_selected: &only(selected), ..stored(&[("C", "")]) };
        assert_eq!(said(schema, &environment), expected, "{selected:?}");
    }
}

#[test]
fn what_may_be_null_may_be_missing() {
    assert_said(&[
        (r#"{"required": ["A"]}"#, &[], &["A: a value: missing"]),
        (r#"{"required": ["A"], "properties": {"A": {}}}"#, &[], &["A: a value: missing"]),
        (r#"{"required": ["A"], "properties": {"A": {"type": ["integer", "null"]}}}"#, &[], &[]),
        (r#"{"required": ["A"], "properties": {"A": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}"#, &[], &[]),
        (r#"{"required": ["A"], "properties": {"A": {"enum": [1, null]}}}"#, &[], &[]),
        (r#"{"required": ["A"], "anyOf": [{"properties": {"A": {"type": ["string", "null"]}}}]}"#, &[], &[]),
    ]);
}

/// Which declaration of a name counts, and when its default is set.
#[test]
fn what_holds_in_every_case_comes_before_what_a_branch_says() {
    let always = r#""allOf": [{"properties": {"A": {"type": "integer", "default": 1}}}]"#;
    let branch =
        r#""anyOf": [{"properties": {"A": {"maximum": 9, "default": 2}, "B": {"default": 3}}, "required": ["B"]}, {}]"#;
    for schema in [format!("{{{always}, {branch}}}"), format!("{{{branch}, {always}}}")] {
        assert_said(&[
            (&schema, &[], &["default: A=1", "default: B=3"]),
            (&schema, &[("A", "x")], &["A: an integer: is none (1 character)", "default: B=3"]),
        ]);
        let schema = Schema::load(schema.as_bytes()).unwrap();
        assert_eq!(schema.property("A").unwrap().pointer(), "/allOf/0/properties/A");
        let judged = |name: &str, value: &str| {
            let problems = schema.check_value(name, value, Stored::Secret).unwrap();
            problems.iter().map(Problem::to_string).collect::<Vec<_>>()
        };
        assert_eq!(judged("A", "x"), ["A: an integer: is none (1 character)"]);
        assert_eq!(judged("A", "10"), [""; 0]);
        assert_eq!(judged("B", "x"), [""; 0]);
    }
    assert_said(&[
        (
            r#"{"if": {"required": ["A"]}, "then": {"required": ["B"], "properties": {"B": {"default": 1}}}}"#,
            &[("A", "x")],
            &["default: B=1"],
        ),
        (
            r#"{"if": {"required": ["A"]}, "then": {"required": ["B"], "properties": {"B": {"type": "integer"}}}}"#,
            &[("A", "x")],
            &["B: an integer: missing"],
        ),
        (r#"{"if": {"required": ["A"]}, "then": {"properties": {"B": {"default": 1}}}}"#, &[], &[]),
    ]);
}

#[test]
fn only_what_has_a_value_counts_as_a_variable() {
    let two = r#"{"minProperties": 2, "properties": {"B": {}}}"#;
    let with_default = r#"{"minProperties": 2, "properties": {"B": {"default": 1}}}"#;
    let too_few = "all variables: at least 2 variables: has 1";
    let of_kind = r#"{"patternProperties": {"^A": {"type": "integer"}}}"#;
    assert_said(&[
        (two, &[("A", "x")], &[too_few]),
        (two, &[("A", "x"), ("B", "")], &[too_few]),
        (two, &[("A", "x"), ("B", "x")], &[]),
        (with_default, &[("A", "x")], &["default: B=1"]),
        (with_default, &[("A", "x"), ("B", "")], &["default: B=1"]),
        (with_default, &[("B", "x")], &[too_few]),
        (of_kind, &[("A1", "x"), ("B1", "x")], &["A1: an integer: is none (1 character)"]),
        (of_kind, &[("A1", "")], &[]),
    ]);
}

#[test]
fn names_alone_say_nothing_about_values_and_choose_no_branch() {
    let two_ways = r#"{"anyOf": [{"required": ["B"]}, {"required": ["C"]}]}"#;
    let excluded = r#"{"not": {"required": ["A"]}}"#;
    let condition = r#"{"if": {"required": ["A"]}, "then": {"required": ["D"]}}"#;
    let nothing_fits = "all variables: fitting one of 2 alternatives: none fits; the closest one says:";
    for (schema, opened) in [
        (two_ways, &["B: a value: missing", nothing_fits][..]),
        (excluded, &["all variables: not what is excluded: it is"]),
        (condition, &["D: a value: missing"]),
        (r#"{"properties": {"A": {"type": "integer"}}}"#, &["A: an integer: is none (1 character)"]),
    ] {
        assert_eq!(said(schema, &stored(&[("A", "x")])), opened, "{schema}");
        assert_eq!(said(schema, &names(&["A"])), [""; 0], "{schema}");
    }
    let required =
        r#"{"required": ["A", "B"], "properties": {"B": {"type": "integer"}}, "additionalProperties": false}"#;
    assert_eq!(
        said(required, &names(&["A", "C"])),
        [
            "B: an integer: missing",
            "warning: A: no such name: is not declared",
            "warning: C: no such name: is not declared"
        ]
    );
}

#[test]
fn a_listed_value_is_compared_with_the_text_as_it_is_read() {
    let of_type = |of: &str| declaring_a(&format!(r#"{{"type": "{of}", "const": 3000}}"#));
    let above = |of: &str| declaring_a(&format!(r#"{{"type": "{of}", "allOf": [{{"const": 3000}}]}}"#));
    let wrong = "A: 3000: is something else (4 characters)";
    let mixed = declaring_a(r#"{"enum": [true, null, [1, null], {"a": 1, "b": "c"}]}"#);
    let none = |length: usize| {
        format!("A: one of true, [1,null], {{\"a\":1,\"b\":\"c\"}}: is none of them ({length} characters)")
    };
    assert_said(&[
        (&declaring_a(r#"{"const": 3000}"#), &[("A", "3000")], &[]),
        (&declaring_a(r#"{"const": 3000}"#), &[("A", "3e3")], &[]),
        (&declaring_a(r#"{"const": "3000"}"#), &[("A", "3000")], &[]),
        (&of_type("integer"), &[("A", "3000")], &[]),
        (&above("integer"), &[("A", "3000")], &[]),
        (&of_type("string"), &[("A", "3000")], &[wrong]),
        (&above("string"), &[("A", "3000")], &[wrong]),
        // What stands inside of JSON has its type.
        (&declaring_a(r#"{"type": "array", "items": {"const": 3000}}"#), &[("A", r#"[3000, 3e3]"#)], &[]),
        (
            &declaring_a(r#"{"type": "array", "items": {"const": 3000}}"#),
            &[("A", r#"[3000, "3000"]"#)],
            &["A: [1]: 3000: is something else"],
        ),
        (&mixed, &[("A", "yes")], &[]),
        (&mixed, &[("A", "[1.0,null]")], &[]),
        (&mixed, &[("A", r#"{"b": "c", "a": 1e0}"#)], &[]),
        (&mixed, &[("A", "null")], &[&none(4)]),
        (&mixed, &[("A", "[1,null,1]")], &[&none(10)]),
        (&mixed, &[("A", r#"{"a": 1, "b": "d"}"#)], &[&none(18)]),
        (&mixed, &[("A", r#"{"a": 1, "c": "c"}"#)], &[&none(18)]),
    ]);
}

#[test]
fn a_step_of_a_reference_into_a_list_is_a_number_as_json_pointers_have_it() {
    let of = |step: &str| {
        format!(
            r##"{{"properties": {{"A": {{"$ref": "#/allOf/{step}/x"}}}}, "allOf": [{{"x": {{"const": 1}}}}, {{"x": {{"const": 2}}}}]}}"##
        )
    };
    let nothing = ["refused: /properties/A/$ref: leads to nothing in this file"];
    for (step, expected) in [
        ("0", &["A: 1: is something else (1 character)"][..]),
        ("1", &["A: 2: is something else (1 character)"]),
        ("2", &nothing),
        ("01", &nothing),
        ("+1", &nothing),
        ("-", &nothing),
        ("", &nothing),
        ("a", &nothing),
    ] {
        assert_eq!(said(&of(step), &stored(&[("A", "9")])), expected, "{step}");
    }
}

#[test]
fn no_member_stands_twice_however_many_there_are() {
    for count in [2, 16, 17, 40] {
        let members = |last: usize| {
            let members = (1..count).chain([last]).map(|number| format!(r#""N{number}": {{}}"#));
            format!(r#"{{"properties": {{{}}}}}"#, members.collect::<Vec<_>>().join(","))
        };
        assert_eq!(said(&members(count), &stored(&[])), [""; 0]);
        let twice = members(count - 1);
        let column = twice.len() - 1;
        let refused = format!("refused: line 1, column {column}: the member \"N{}\" stands twice", count - 1);
        assert_eq!(said(&twice, &stored(&[])), [refused]);
    }
}

/// 1 step for the root, then 999 times 2 and 999.
#[test]
fn a_declaration_takes_a_million_steps_and_not_one_more() {
    let each = vec![r##"{"$ref": "#/$defs/many"}"##; 999].join(",");
    let many = vec!["{}"; 999].join(",");
    let schema = |more: &str| format!(r#"{{"$defs": {{"many": {{"allOf": [{many}]}}}}, "allOf": [{each}{more}]}}"#);
    assert_said(&[(&schema(""), &[], &[]), (&schema(",{}"), &[], &[&format!("refused: {TOO_COMPLEX}")])]);
}

#[test]
fn the_variables_of_a_declaration_lead_to_two_hundred_thousand_schemas_and_not_one_more() {
    let many = vec!["{}"; 998].join(",");
    let properties: Vec<String> =
        (0..200).map(|number| format!(r##""N{number}": {{"$ref": "#/$defs/many"}}"##)).collect();
    let schema = |more: &str| {
        let properties = properties.join(",");
        format!(r#"{{"$defs": {{"many": {{"allOf": [{many}]}}}}, "properties": {{{properties}{more}}}}}"#)
    };
    assert_said(&[(&schema(""), &[], &[]), (&schema(r#","A": {}"#), &[], &[&format!("refused: {TOO_COMPLEX}")])]);
}

#[test]
fn schemas_and_values_are_nested_as_deep_as_the_bound_says() {
    let refused = format!("refused: {TOO_COMPLEX}");
    // `A` and its references, 256 schemas in a row.
    let row = |length: usize| {
        let link = |at: usize| format!(r##""d{at}": {{"$ref": "#/$defs/d{}"}}, "##, at + 1);
        let links: String = (1..length - 1).map(link).collect();
        let last = length - 1;
        format!(
            r##"{{"properties": {{"A": {{"$ref": "#/$defs/d1"}}}}, "$defs": {{{links}"d{last}": {{"type": "integer"}}}}}}"##
        )
    };
    // Three schemas for each list inside of another.
    let lists = r##"{"properties": {"A": {"$ref": "#/$defs/list"}},
        "$defs": {"list": {"type": "array", "items": {"allOf": [{"$ref": "#/$defs/list"}]}}}}"##;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_said(&[
        (&row(256), &[("A", "x")], &["A: an integer: is none (1 character)"]),
        (&row(257), &[("A", "x")], &[&refused]),
        (lists, &[("A", &nested(85))], &[]),
        (lists, &[("A", &nested(86))], &[&refused]),
    ]);
}

/// A pattern of names that finds no answer is the declaration's fault, not passed over.
#[test]
fn a_pattern_of_names_without_an_answer_stops_the_check() {
    let name = "a".repeat(40) + "b";
    assert_said(&[(
        r#"{"patternProperties": {"^(a+)+$": {}}}"#,
        &[(&name, "x")],
        &["refused: /patternProperties/^(a+)+$: the pattern backtracks too much on this text"],
    )]);
}

#[test]
fn where_a_rule_is_refused_the_keywords_are_pointed_to() {
    let hint = |text: &str| Schema::load(text.as_bytes()).err().and_then(|error| error.hint());
    assert_eq!(hint(r#"{"minlength": 1}"#).unwrap(), "docs/schema.md has the keywords; nothing was checked");
    assert_eq!(hint("{"), None);
}

#[test]
fn a_public_value_is_not_that_of_a_secret_by_its_declaration_or_by_its_name() {
    let declared = r#"{"properties": {"DSN": {"writeOnly": true}, "ADDRESS": {}}}"#;
    let of =
        |name| format!("NEXT_PUBLIC_X: public, nothing that a browser may not see: has the value of the secret {name}");
    let (of_dsn, of_token) = (of("DSN"), of("A_TOKEN"));
    let public = ("NEXT_PUBLIC_X", "one and the same");
    assert_said(&[
        (declared, &[("DSN", "one and the same"), public], &[&of_dsn]),
        (declared, &[("A_TOKEN", "one and the same"), public], &[&of_token]),
        (declared, &[("OTHER", "one and the same"), public], &[]),
        (declared, &[("ADDRESS", "one and the same"), public], &[]),
        ("{}", &[("DSN", "one and the same"), public], &[]),
    ]);
}

/// It took 10 seconds: each was looked for in a list.
#[test]
fn a_branch_hands_over_as_many_defaults_as_a_declaration_holds() {
    let properties: Vec<String> = (0..40_000).map(|number| format!(r#""A{number}": {{"default":1}}"#)).collect();
    let schema = format!(r#"{{"anyOf": [{{"properties": {{{}}}}}]}}"#, properties.join(","));
    let verdict = Schema::load(schema.as_bytes()).unwrap().check(&stored(&[]), false).unwrap();
    assert_eq!((verdict.defaults.len(), verdict.problems.len()), (40_000, 0));
}
