//! `validate`, and `run` with a declaration: what is refused, what is reported, and what never appears.

use crate::harness::Sandbox;

const NOTHING_STARTED: &str = "nothing was started (status 3: validation failed)\n";

/// Names and values in `.env.enc`, and this declaration beside it.
fn declared(schema: &str, entries: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(entries);
    sandbox.write("env.schema.json", schema);
    sandbox
}

/// The report of some problems about `env.schema.json`.
fn report(problems: &[&str]) -> String {
    let named = problems.iter().filter_map(|problem| problem.split_once(':')).map(|(name, _)| name);
    let hint = named.into_iter().find(|name| *name != "all variables");
    let hint = hint.map(|name| format!("hint: envsec status {name} tells the rule and where the value comes from\n"));
    report_without_hint(problems) + &hint.unwrap_or_default()
}

/// The same where `envsec status` could not say more.
fn report_without_hint(problems: &[&str]) -> String {
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("error: env.schema.json: {count}{lines}\n")
}

/// `validate` exits 3 and `run` starts nothing, with the same report.
#[track_caller]
fn invalid(sandbox: &Sandbox, problems: &[&str]) {
    let report = report(problems);
    sandbox.envsec(["validate"]).fails(3, &report);
    sandbox.envsec(["run", "--", "touch", "started"]).fails(125, &(report + NOTHING_STARTED));
    assert!(!sandbox.join("started").exists());
}

/// `validate` is silent, and `run` starts the command.
#[track_caller]
fn valid(sandbox: &Sandbox) {
    sandbox.envsec(["validate"]).succeeds();
    sandbox.envsec(["run", "--", "true"]).succeeds();
}

/// The schema's own fault: 2 from `validate`, 125 from `run`, the same first line.
#[track_caller]
fn refused(sandbox: &Sandbox, schema: impl AsRef<[u8]>, what: &str) {
    sandbox.write("env.schema.json", schema);
    let expected = format!("error: env.schema.json: {what}");
    assert_eq!(sandbox.envsec(["validate"]).refuses(2), expected);
    assert_eq!(sandbox.envsec(["run", "--", "touch", "started"]).refuses(125), expected);
    assert_eq!(sandbox.envsec(["run", "--no-validate", "--", "touch", "started"]).refuses(125), expected);
    assert!(!sandbox.join("started").exists());
}

/// A schema with one property, `A`.
fn of_a(schema: &str) -> String {
    format!(r#"{{"properties": {{"A": {schema}}}}}"#)
}

#[test]
fn what_is_no_json_is_named_with_line_and_column() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for (schema, what) in [
        (&b"{\n  \"properties\": nope\n}"[..], "line 2, column 18: expected ident"),
        (b"", "line 1, column 0: EOF while parsing a value"),
        (b"{} x", "line 1, column 4: trailing characters"),
        (b"{\"description\": \"\xff\"}", "line 1, column 18: invalid unicode code point"),
        (b"\xff\xfe{\0}\0", "line 1, column 1: expected value"),
        (b"{\"minimum\": NaN}", "line 1, column 13: expected value"),
        (
            br#"{"properties": {"A": {"minLength": 1, "minLength": 2}}}"#,
            "line 1, column 53: the member \"minLength\" stands twice",
        ),
        (br#"{"properties": {"A": {}, "A": {}}}"#, "line 1, column 33: the member \"A\" stands twice"),
    ] {
        refused(&sandbox, schema, what);
    }
}

#[test]
fn what_is_no_declaration_of_all_variables_is_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for schema in ["[]", "true", "\"x\"", "null", "7"] {
        refused(&sandbox, schema, "/: is no object");
    }
    for schema in [r#"{"type": "array"}"#, r#"{"type": ["string", "null"]}"#] {
        refused(&sandbox, schema, "/type: describes all variables together, which are an object");
    }
    for draft in ["\"http://json-schema.org/draft-04/schema#\"", "3"] {
        let schema = format!(r#"{{"$schema": {draft}}}"#);
        refused(&sandbox, schema, "/$schema: is none of the drafts 2020-12, 2019-09 and 07");
    }
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for (schema, what) in [
        (r##"{"$ref": "#"}"##, "/: leads back to itself by $ref"),
        (r##"{"allOf": [{"$ref": "#"}]}"##, "/: leads back to itself by $ref"),
        (r##"{"not": {"$ref": "#"}}"##, "/: leads back to itself by $ref"),
        (
            r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}"##,
            "/$defs/a: leads back to itself by $ref",
        ),
        (
            r##"{"$defs": {"a": {"if": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}}"##,
            "/$defs/a: leads back to itself by $ref",
        ),
    ] {
        refused(&sandbox, schema, what);
    }
    for out in ["https://example.com/a.json", "other.json#/a", "#anchor", "//x", "a"] {
        let what = "/properties/A/$ref: leads out of this file; only #/... is followed";
        refused(&sandbox, of_a(&format!(r#"{{"$ref": "{out}"}}"#)), what);
    }
    for nowhere in ["#/$defs/a", "#/properties/B", "#/properties/A/x"] {
        let what = "/properties/A/$ref: leads to nothing in this file";
        refused(&sandbox, of_a(&format!(r#"{{"$ref": "{nowhere}"}}"#)), what);
    }
}

#[test]
fn no_rule_is_passed_over() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for name in
        ["unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "minContains", "maxContains"]
    {
        let what = format!("/properties/A/{name}: envsec does not keep this rule");
        refused(&sandbox, of_a(&format!(r#"{{"{name}": 1}}"#)), &what);
    }
    for (wrong, meant) in [
        ("minlength", "minLength"),
        ("require", "required"),
        ("requierd", "required"),
        ("Required", "required"),
        ("REQUIRED", "required"),
        ("propertes", "properties"),
        ("enums", "enum"),
        ("ref", "$ref"),
        ("Not", "not"),
        ("IF", "if"),
        ("x-envsek", "x-envsec"),
        ("writeonly", "writeOnly"),
        ("unevaluatedProperty", ""),
    ] {
        if meant.is_empty() {
            sandbox.write("env.schema.json", of_a(&format!(r#"{{"{wrong}": []}}"#)));
            valid(&sandbox);
        } else {
            let what = format!("/properties/A/{wrong}: is no keyword; {meant} is one");
            refused(&sandbox, of_a(&format!(r#"{{"{wrong}": []}}"#)), &what);
        }
    }
}

#[test]
fn keywords_with_the_wrong_kind_of_value_are_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for (schema, what) in [
        (r#""x""#, "/properties/A: is no schema: neither an object nor true or false"),
        (r#"{"type": "strin"}"#, "/properties/A/type: is no type of JSON Schema"),
        (r#"{"type": []}"#, "/properties/A/type: is no type of JSON Schema"),
        (r#"{"enum": []}"#, "/properties/A/enum: is no list of values"),
        (r#"{"enum": "a"}"#, "/properties/A/enum: is no list of values"),
        (r#"{"minLength": -1}"#, "/properties/A/minLength: is no number of things: an integer from 0 on"),
        (r#"{"minLength": 1.5}"#, "/properties/A/minLength: is no number of things: an integer from 0 on"),
        (r#"{"maxLength": "8"}"#, "/properties/A/maxLength: is no number of things: an integer from 0 on"),
        (r#"{"exclusiveMinimum": true}"#, "/properties/A/exclusiveMinimum: is no number"),
        (r#"{"multipleOf": 0}"#, "/properties/A/multipleOf: is not more than 0"),
        (r#"{"pattern": 1}"#, "/properties/A/pattern: is no text"),
        (r#"{"format": ["uri"]}"#, "/properties/A/format: is no text"),
        (r#"{"allOf": []}"#, "/properties/A/allOf: is no list of schemas"),
        (r#"{"not": 1}"#, "/properties/A/not: is no schema: neither an object nor true or false"),
        (r#"{"required": "A"}"#, "/properties/A/required: is no list of names"),
        (r#"{"if": {}, "then": []}"#, "/properties/A/then: is no schema: neither an object nor true or false"),
        (r#"{"$id": "x"}"#, "/properties/A/$id: a schema with a name of its own inside of another"),
        (r#"{"writeOnly": "yes"}"#, "/properties/A/writeOnly: is neither true nor false"),
    ] {
        refused(&sandbox, of_a(schema), what);
    }
}

#[test]
fn own_annotations_are_strict() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let members = "public, generate, rotateEvery, grace, requiredIn, forbiddenIn, deprecated, docs, source, rotation";
    for (own, what) in [
        ("true", "/properties/A/x-envsec: is no object".to_owned()),
        (r#"{"pubic": true}"#, format!("/properties/A/x-envsec/pubic: is none of {members}")),
        (r#"{"public": "yes"}"#, "/properties/A/x-envsec/public: is neither true nor false".to_owned()),
        (r#"{"requiredIn": "production"}"#, "/properties/A/x-envsec/requiredIn: is no list of labels (a-z, 0-9, '.', '_', '-', at most 64 characters each)".to_owned()),
        (r#"{"forbiddenIn": [1]}"#, "/properties/A/x-envsec/forbiddenIn: is no list of labels (a-z, 0-9, '.', '_', '-', at most 64 characters each)".to_owned()),
        (
            r#"{"rotateEvery": "soon"}"#,
            "/properties/A/x-envsec/rotateEvery: no length of time: a number and s, m, h, d or w, as 90d".to_owned(),
        ),
    ] {
        refused(&sandbox, of_a(&format!(r#"{{"x-envsec": {own}}}"#)), &what);
    }
    let both = r#"{"writeOnly": true, "x-envsec": {"public": true}}"#;
    refused(&sandbox, of_a(both), "/properties/A: is declared secret and public");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for size in [1 << 20, 10 << 20] {
        let schema = format!(r#"{{"description": "{}"}}"#, "x".repeat(size));
        refused(&sandbox, schema, "larger than 1 MiB");
    }
    let nested = format!("{}{}{}", r#"{"not":"#.repeat(10_000), "{}", "}".repeat(10_000));
    refused(&sandbox, nested, "line 1, column 890: recursion limit exceeded");
    refused(&sandbox, "[".repeat(10_000), "line 1, column 128: recursion limit exceeded");
}

/// Definitions `d0`, `d1`, ... of which each is made of the next.
fn chain(length: usize, of_next: impl Fn(&str) -> String, last: &str) -> String {
    let link = |at: usize| {
        let next = format!(r##"{{"$ref": "#/$defs/d{}"}}"##, at + 1);
        format!(r#""d{at}": {}, "#, of_next(&next))
    };
    let links: String = (0..length).map(link).collect();
    format!(
        r##"{{"required": ["A"], "properties": {{"A": {{"$ref": "#/$defs/d0"}}}}, "$defs": {{{links}"d{length}": {last}}}}}"##
    )
}

#[test]
fn references_that_multiply_come_to_an_end() {
    const TOO_COMPLEX: &str = "takes more than a million steps to check, or is nested too deeply";
    let sandbox = Sandbox::with(&[("A", "1")]);
    refused(&sandbox, chain(20_000, str::to_owned, "{}"), TOO_COMPLEX);
    let doubled =
        |keyword: &str| chain(40, |next| format!(r#"{{"{keyword}": [{next}, {next}]}}"#), r#"{"const": "x"}"#);
    refused(&sandbox, doubled("allOf"), TOO_COMPLEX);
    // What describes the alternatives takes seconds without optimization: once each.
    for keyword in ["anyOf", "oneOf"] {
        sandbox.write("env.schema.json", doubled(keyword));
        assert_eq!(sandbox.envsec(["validate"]).refuses(2), format!("error: env.schema.json: {TOO_COMPLEX}"));
    }
    let properties: Vec<String> = (0..1000).map(|n| format!(r##""N{n}": {{"$ref": "#/$defs/many"}}"##)).collect();
    let many = vec!["{}"; 250].join(",");
    let schema =
        format!(r#"{{"$defs": {{"many": {{"allOf": [{many}]}}}}, "properties": {{{}}}}}"#, properties.join(","));
    refused(&sandbox, schema, TOO_COMPLEX);
}

#[test]
fn a_description_of_rules_that_multiply_comes_to_an_end() {
    let sandbox = Sandbox::sealed();
    let many = |next: &str| format!(r#"{{"allOf": [{}]}}"#, vec![next; 8000].join(", "));
    sandbox.write("env.schema.json", chain(3, many, r#"{"minLength": 2}"#));
    let output = sandbox.envsec(["validate"]).output();
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stderr.len() < 4096, "{} bytes", output.stderr.len());
}

#[test]
fn a_folder_or_nothing_is_no_declaration() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.envsec(["validate"]).fails(
        2,
        "error: no env.schema.json beside the sealed file, nor above up to the repository's root\n\
         hint: write one with: envsec schema infer; or name it: --schema FILE\n",
    );
    sandbox.envsec(["run", "--", "true"]).succeeds();
    std::fs::create_dir(sandbox.join("env.schema.json")).unwrap();
    let folder = "error: env.schema.json: cannot read it: Is a directory (os error 21)";
    assert_eq!(sandbox.envsec(["validate"]).refuses(2), folder);
    assert_eq!(sandbox.envsec(["run", "--", "touch", "started"]).refuses(125), folder);
    let missing = "error: missing.json: no such file";
    assert_eq!(sandbox.envsec(["validate", "--schema", "missing.json"]).refuses(2), missing);
    assert_eq!(sandbox.envsec(["run", "--schema", "missing.json", "--", "touch", "started"]).refuses(125), missing);
    assert!(!sandbox.join("started").exists());
}

#[test]
fn a_declaration_may_come_through_a_pipe() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("envsec validate --schema <(echo '{\"required\": [\"A\"]}')").succeeds();
    sandbox.shell("mkfifo pipe; echo '{}' > pipe & envsec run --schema pipe -- true").succeeds();
}

/// The schema of the many: zod 4's output for it.
const WEB_APP: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "NODE_ENV": {"default": "development", "type": "string", "enum": ["development", "test", "production"]},
    "PORT": {"default": 3000, "type": "number"},
    "DATABASE_URL": {"type": "string", "format": "uri"},
    "REDIS_URL": {"type": "string", "format": "uri"},
    "JWT_SECRET": {"type": "string", "minLength": 32},
    "JWT_EXPIRES_IN": {"default": "7d", "type": "string"},
    "AWS_ACCESS_KEY_ID": {"type": "string"},
    "AWS_SECRET_ACCESS_KEY": {"type": "string"},
    "AWS_REGION": {"default": "us-east-1", "type": "string"},
    "STRIPE_SECRET_KEY": {"type": "string", "pattern": "^sk_.*"},
    "STRIPE_WEBHOOK_SECRET": {"type": "string", "pattern": "^whsec_.*"}
  },
  "required": ["NODE_ENV", "PORT", "DATABASE_URL", "JWT_SECRET", "JWT_EXPIRES_IN", "AWS_REGION", "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET"],
  "additionalProperties": false
}"#;

const STRIPE: [(&str, &str); 2] = [("STRIPE_SECRET_KEY", "sk_x"), ("STRIPE_WEBHOOK_SECRET", "whsec_x")];

const JWT: (&str, &str) = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");

#[test]
fn every_problem_is_named_at_once_in_the_declared_order_and_no_value() {
    let wrong = [("JWT_SECRET", "0123456789"), ("PORT", "abc"), ("NODE_ENV", "prod")];
    let sandbox = declared(WEB_APP, &[&wrong[..], &STRIPE].concat());
    invalid(
        &sandbox,
        &[
            "NODE_ENV: one of development, test, production: is none of them (4 characters)",
            "PORT: a number: is none (3 characters)",
            "DATABASE_URL: a URL: missing",
            "JWT_SECRET: at least 32 characters: has 10",
        ],
    );
    let json = r#"[
  {
    "expected": "one of development, test, production",
    "name": "NODE_ENV",
    "rule": "enum",
    "where": "/properties/NODE_ENV/enum"
  },
  {
    "expected": "a number",
    "name": "PORT",
    "rule": "type",
    "where": "/properties/PORT/type"
  },
"#;
    let output = sandbox.envsec(["validate", "--json"]).output();
    assert_eq!(output.status.code(), Some(3));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with(json), "{stdout}");
    assert!(!stdout.contains("abc") && !stdout.contains("0123"), "{stdout}");
}

#[test]
fn what_databases_take_is_a_url_and_a_missing_port_is_the_default() {
    for url in [
        "postgres://a:1,b:2/db",
        "postgres://user:^|{}@host/db",
        "postgres://user:%ZZ@host/db",
        "mongodb+srv://u:p@cluster.example.net/?retryWrites=true",
    ] {
        let sandbox = declared(WEB_APP, &[&[("DATABASE_URL", url), JWT], &STRIPE[..]].concat());
        valid(&sandbox);
        sandbox
            .envsec(["run", "--", "sh", "-c", "echo $PORT $NODE_ENV $JWT_EXPIRES_IN $AWS_REGION ${REDIS_URL-none}"])
            .prints("3000 development 7d us-east-1 none\n");
    }
}

#[test]
fn numbers_and_booleans_are_read_strictly() {
    let integer = r#"{"type": "integer"}"#;
    let number = r#"{"type": "number"}"#;
    let boolean = r#"{"type": "boolean"}"#;
    let mut sandbox = declared("{}", &[]);
    for (schema, expected, right, wrong) in [
        (
            integer,
            "an integer",
            &["0", "-7", "3000", "9007199254740993"][..],
            &["0x10", " 1", "1 ", "1e3", "3.0", "+1", "01", "1_000", "inf", "NaN", "١", "-", "TRUE"][..],
        ),
        (number, "a number", &["1e3", "-0.5", "3.0"], &["0x10", " 1", "1.", ".5", "1e400", "Infinity", "1,5", "\t1"]),
        (
            boolean,
            "true or false",
            &["TRUE", "true", "1", "0", "Yes", "no", "on", "OFF"],
            &["2", "t", "enabled", " true", "null"],
        ),
    ] {
        sandbox.write("env.schema.json", of_a(schema));
        for text in right {
            sandbox.set_variable("A", text);
            valid(&sandbox);
        }
        for text in wrong {
            sandbox.set_variable("A", text);
            let count = text.chars().count();
            let length = if count == 1 { "1 character".to_owned() } else { format!("{count} characters") };
            invalid(&sandbox, &[&format!("A: {expected}: is none ({length})")]);
        }
    }
}

#[test]
fn an_empty_value_is_a_missing_one_unless_it_is_declared() {
    let required = |schema: &str| format!(r#"{{"required": ["A"], "properties": {{"A": {schema}}}}}"#);
    let sandbox = declared(&required(r#"{"type": "string"}"#), &[("A", "")]);
    invalid(&sandbox, &["A: text: is empty"]);
    sandbox.write("env.schema.json", required(r#"{"type": "integer"}"#));
    invalid(&sandbox, &["A: an integer: is empty"]);
    for right in [r#"{"type": "string", "minLength": 0}"#, r#"{"enum": ["", "a"]}"#, r#"{"default": "x"}"#] {
        sandbox.write("env.schema.json", required(right));
        valid(&sandbox);
    }
    sandbox.envsec(["run", "--", "sh", "-c", "printf %s \"$A\""]).prints("x");
}

#[test]
fn lengths_count_code_points() {
    let sandbox = declared(&of_a(r#"{"minLength": 2, "maxLength": 2}"#), &[("A", "😀😀")]);
    valid(&sandbox);
    sandbox.envsec(["set", "-q", "A"]).stdin("😀").succeeds();
    invalid(&sandbox, &["A: at least 2 characters: has 1"]);
    sandbox.envsec(["set", "-q", "A"]).stdin("👨‍👩‍👧").succeeds();
    invalid(&sandbox, &["A: at most 2 characters: has 5"]);
}

#[test]
fn a_value_that_is_not_utf8_is_none_of_any_kind() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = std::ffi::OsString::from_vec(b"canary\xff".to_vec());
    for schema in [r#"{"type": "string"}"#, r#"{"enum": ["a"]}"#, "{}"] {
        let sandbox = declared(&of_a(schema), &[("B", "1")]);
        let output = sandbox.envsec(["validate"]).variable("A", &value).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(": is not UTF-8\n") && !stderr.contains("canary"), "{stderr}");
    }
}

/// The largest value that a sealed file has is no reason to be slow, or to say any of it.
#[test]
fn large_values_are_checked_and_not_shown() {
    let large = "canary ".repeat(30_000);
    let sandbox = declared(&of_a(r#"{"type": "array", "uniqueItems": true}"#), &[("A", &large)]);
    sandbox.envsec(["validate"]).fails(3, &report(&["A: a JSON array: is none (210000 characters)"]));
    sandbox.write("env.schema.json", of_a(r#"{"pattern": "^(a|canary | )*$"}"#));
    sandbox.envsec(["validate", "--process-only"]).succeeds();
}

#[test]
fn what_the_process_has_outranks_the_file_but_an_empty_value_does_not() {
    let mut sandbox = declared(&of_a(r#"{"type": "integer", "maximum": 9}"#), &[("A", "5")]);
    let wrong = report(&["A: at most 9: is more"]);
    sandbox.set_variable("A", "50");
    sandbox.envsec(["validate"]).fails(3, &wrong);
    sandbox.envsec(["run", "--", "true"]).fails(125, &(wrong.clone() + NOTHING_STARTED));
    sandbox.envsec(["validate", "--override"]).succeeds();
    sandbox.envsec(["run", "--override", "--", "sh", "-c", "echo $A"]).prints("5\n");
    sandbox.envsec(["run", "--no-validate", "--", "sh", "-c", "echo $A"]).prints("50\n");
    sandbox.set_variable("A", "");
    valid(&sandbox);
    sandbox.envsec(["set", "-q", "A"]).stdin("50").succeeds();
    sandbox.set_variable("A", "5");
    valid(&sandbox);
    sandbox.envsec(["validate", "--override"]).fails(3, &wrong);
}

#[test]
fn a_default_is_for_what_is_missing_only() {
    let schema = r#"{"required": ["A", "B"], "properties": {"A": {"type": "integer", "default": 1}, "B": {"default": true}, "C": {"default": 0.50}}}"#;
    let sandbox = declared(schema, &[("A", "7")]);
    let show = ["run", "--", "sh", "-c", "echo $A $B $C"];
    sandbox.envsec(show).prints("7 true 0.5\n");
    sandbox.envsec(show).variable("B", "off").variable("C", "").prints("7 off 0.5\n");
    sandbox.envsec(["run", "--override", "--", "sh", "-c", "echo $A $B $C"]).variable("B", "off").prints("7 off 0.5\n");
    sandbox.envsec(["run", "--no-validate", "--", "sh", "-c", "echo $A $B $C"]).prints("7 true 0.5\n");
    sandbox.envsec(["run", "--only", "A", "--", "sh", "-c", "echo $A ${B-none} ${C-none}"]).prints("7 none none\n");
    sandbox.envsec(["run", "--except", "A", "--", "sh", "-c", "echo ${A-none} $B $C"]).prints("none true 0.5\n");
}

#[test]
fn names_that_are_not_handed_over_are_not_required() {
    let schema = r#"{"required": ["A", "B"], "properties": {"A": {}, "B": {"minLength": 2}}}"#;
    let sandbox = declared(schema, &[("A", "1")]);
    invalid(&sandbox, &["B: at least 2 characters: missing"]);
    sandbox.envsec(["validate", "--only", "A"]).succeeds();
    sandbox.envsec(["validate", "--except", "B"]).succeeds();
    sandbox.envsec(["run", "--only", "A", "--", "sh", "-c", "echo $A"]).prints("1\n");
    sandbox.envsec(["validate", "--only", "A,B"]).fails(3, &report(&["B: at least 2 characters: missing"]));
    sandbox.envsec(["validate", "--only", "A,X"]).refuses(2);
}

#[test]
fn names_alone_need_no_key() {
    let schema = r#"{"required": ["A", "B", "D"], "additionalProperties": false,
        "properties": {"A": {"minLength": 99}, "B": {}, "S": {"writeOnly": true}, "D": {"default": 1}}}"#;
    let sandbox = declared(schema, &[("A", "1"), ("X", "1")]);
    sandbox.envsec(["set", "-q", "--plain", "S=canary"]).succeeds();
    let names = || sandbox.envsec(["validate", "--names"]).without("ENVSEC_KEY");
    let missing = "B: a value: missing";
    let plain = "S: secret, stored encrypted: is stored plain";
    let undeclared = "X: no such name: is not declared";
    names().fails(3, &format!("warning: {undeclared}\n{}", report_without_hint(&[missing, plain])));
    names().variable("B", "1").fails(3, &format!("warning: {undeclared}\n{}", report_without_hint(&[plain])));
    sandbox
        .envsec(["validate", "--names", "--strict"])
        .without("ENVSEC_KEY")
        .fails(3, &report_without_hint(&[missing, plain, undeclared]));
    names().arg("--only").arg("Y").fails(
        2,
        "error: --only Y: no name in the sealed file matches\nhint: envsec list shows the names; * stands for any text\n",
    );
}

#[test]
fn the_process_alone_needs_no_sealed_file() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "env.schema.json",
        r#"{"required": ["A"], "properties": {"A": {"type": "integer"}}, "additionalProperties": false}"#,
    );
    let process = || sandbox.envsec(["validate", "--process-only", "--strict"]);
    process().fails(3, &report_without_hint(&["A: an integer: missing"]));
    process().variable("A", "x").fails(3, &report_without_hint(&["A: an integer: is none (1 character)"]));
    process().variable("A", "7").succeeds();
}

#[test]
fn undeclared_names_are_those_of_the_file_only() {
    let schema = r#"{"properties": {"A": {}}, "additionalProperties": false}"#;
    let mut sandbox = declared(schema, &[("A", "1"), ("B", "1")]);
    sandbox.set_variable("C", "1");
    let undeclared = "B: no such name: is not declared";
    sandbox.envsec(["validate"]).says(&format!("warning: {undeclared}\n"));
    sandbox.envsec(["run", "--", "true"]).succeeds();
    let strict = report(&[undeclared]);
    sandbox.envsec(["validate", "--strict"]).fails(3, &strict);
    sandbox.envsec(["run", "--strict", "--", "true"]).fails(125, &(strict + NOTHING_STARTED));
    sandbox.envsec(["unset", "B"]).succeeds();
    sandbox.envsec(["validate", "--strict"]).succeeds();
}

#[test]
fn what_a_label_requires_and_forbids() {
    let sandbox = Sandbox::new();
    let key = sandbox.make(".env.production.enc", Some("production"));
    let key_of_test = sandbox.make(".env.test.enc", Some("test"));
    let schema = r#"{"properties": {
        "DSN": {"type": "string", "x-envsec": {"requiredIn": ["production"]}},
        "DEBUG": {"x-envsec": {"forbiddenIn": ["production"]}}}}"#;
    sandbox.envsec(["set", "-e", "production", "DEBUG"]).variable("ENVSEC_KEY", &key).stdin("1").succeeds();
    sandbox.envsec(["set", "-e", "test", "DEBUG"]).variable("ENVSEC_KEY", &key_of_test).stdin("1").succeeds();
    sandbox.write("env.schema.json", schema);
    let expected =
        report(&["DSN: text (required in production): missing", "DEBUG: no value in production: there is one"]);
    sandbox.envsec(["validate", "-e", "production"]).variable("ENVSEC_KEY", &key).fails(3, &expected);
    sandbox.envsec(["validate", "-e", "test"]).variable("ENVSEC_KEY", &key_of_test).succeeds();
    sandbox.envsec(["validate", "-e", "production", "--process-only"]).variable("DSN", "x").succeeds();
}

#[test]
fn secrets_under_public_names_are_errors() {
    let stripe = format!("sk_live_{}", "x".repeat(24));
    let sandbox = declared(
        "{}",
        &[("API_TOKEN", "canary-canary"), ("NEXT_PUBLIC_TOKEN", "canary-canary"), ("VITE_KEY", &stripe)],
    );
    invalid(
        &sandbox,
        &[
            "NEXT_PUBLIC_TOKEN: public, nothing that a browser may not see: has the value of the secret API_TOKEN",
            "VITE_KEY: public, nothing that a browser may not see: looks like a secret key of Stripe or Clerk",
        ],
    );
}

/// Two modes, told by `MODE`.
const MODES: &str = r#"{"oneOf": [
    {"properties": {"MODE": {"const": "redis"}, "REDIS_URL": {"type": "string", "format": "uri"}, "REDIS_TTL": {"type": "integer", "default": 60}}, "required": ["MODE", "REDIS_URL"]},
    {"properties": {"MODE": {"const": "memory"}, "MEMORY_MB": {"type": "integer", "default": 64}}, "required": ["MODE"]}]}"#;

#[test]
fn a_name_decides_between_branches() {
    let sandbox = declared(MODES, &[("MODE", "redis")]);
    invalid(&sandbox, &["REDIS_URL: a URL: missing"]);
    sandbox.envsec(["set", "REDIS_URL"]).stdin("redis://h").succeeds();
    let show = ["run", "--", "sh", "-c", "echo ${REDIS_TTL-none} ${MEMORY_MB-none}"];
    sandbox.envsec(show).prints("60 none\n");
    sandbox.envsec(show).variable("MODE", "memory").prints("none 64\n");
    sandbox.envsec(["set", "MODE"]).stdin("canary").succeeds();
    invalid(&sandbox, &["MODE: memory or redis: is something else (6 characters)"]);
    sandbox.envsec(["unset", "MODE"]).succeeds();
    invalid(&sandbox, &["MODE: memory or redis: missing"]);
}

#[test]
fn a_condition_by_the_environments_name() {
    let schema = r#"{"properties": {"NODE_ENV": {"enum": ["development", "production"], "default": "development"}},
        "if": {"properties": {"NODE_ENV": {"const": "production"}}, "required": ["NODE_ENV"]},
        "then": {"required": ["SENTRY_DSN"], "properties": {"SENTRY_DSN": {"format": "uri"}, "LEVEL": {"default": "warn"}}},
        "else": {"properties": {"LEVEL": {"default": "debug"}}}}"#;
    let sandbox = declared(schema, &[("A", "1")]);
    let show = ["run", "--", "sh", "-c", "echo $NODE_ENV $LEVEL"];
    sandbox.envsec(show).prints("development debug\n");
    let missing = report(&["SENTRY_DSN: a URL: missing"]);
    sandbox.envsec(["validate"]).variable("NODE_ENV", "production").fails(3, &missing);
    sandbox
        .envsec(show)
        .variable("NODE_ENV", "production")
        .variable("SENTRY_DSN", "https://x")
        .prints("production warn\n");
}

#[test]
fn the_declaration_is_found_up_to_the_repositorys_root_and_named_by_flag_and_variable() {
    let sandbox = Sandbox::with(&[("A", "x")]);
    sandbox.shell("mkdir -p repo/a/b && mv .env.enc repo/a/b/ && git init -q repo").succeeds();
    let folder = sandbox.join("repo/a/b");
    let validate = || sandbox.envsec(["validate"]).folder(&folder);
    sandbox.write("env.schema.json", of_a("false"));
    validate().refuses(2);
    sandbox.write("repo/env.schema.json", of_a(r#"{"type": "integer"}"#));
    let wrong =
        "A: an integer: is none (1 character)\nhint: envsec status A tells the rule and where the value comes from\n";
    let path = sandbox.join("repo/env.schema.json");
    validate().fails(3, &format!("error: {}: 1 problem\n  {wrong}", path.display()));
    sandbox.write("any.json", "{}");
    let any = sandbox.join("any.json");
    validate().variable("ENVSEC_SCHEMA", &any).succeeds();
    sandbox.write("never.json", of_a("false"));
    let never = sandbox.join("never.json");
    let flag = || sandbox.envsec(["validate", "--schema", never.to_str().unwrap()]).folder(&folder);
    assert!(flag().variable("ENVSEC_SCHEMA", &any).refuses(3).ends_with("never.json: 1 problem"));
    validate().variable("ENVSEC_SCHEMA", "").refuses(2);
}

/// Values that break a rule in every way there is; `canary` is in all of them, and in nothing that envsec prints.
#[test]
fn no_report_has_any_of_a_value() {
    let object = r#"{"canary": "canary"}"#;
    let list = r#"["canary", "canary"]"#;
    let mut sandbox = declared("{}", &[("B", "canary-in-b")]);
    for (value, schema) in [
        ("canary", r#"{"type": "integer"}"#),
        ("canary", r#"{"type": ["number", "boolean", "null"]}"#),
        ("canary", r#"{"type": "object"}"#),
        ("canary", r#"{"enum": ["a", 1, true, null]}"#),
        ("canary", r#"{"const": {"a": 1}}"#),
        ("canary", r#"{"minLength": 99}"#),
        ("canary", r#"{"maxLength": 1}"#),
        ("canary", r#"{"pattern": "^x"}"#),
        ("canary", r#"{"pattern": "^(c|ca|n|a|r|y)*$", "not": {"type": "string"}}"#),
        ("canary", r#"{"format": "uri"}"#),
        ("canary", r#"{"format": "email"}"#),
        ("canary", r#"{"not": {}}"#),
        ("canary", r#"{"anyOf": [{"format": "uuid"}, {"type": "integer"}, {"type": "null"}]}"#),
        ("canary", r#"{"allOf": [{"minLength": 9}], "oneOf": [{}, {}]}"#),
        ("canary", r#"{"if": {"minLength": 1}, "then": false}"#),
        ("canary", "false"),
        (r#"{"canary": "#, r#"{"type": "object"}"#),
        (object, r#"{"type": "object", "additionalProperties": false}"#),
        (object, r#"{"type": "object", "additionalProperties": {"type": "integer"}}"#),
        (object, r#"{"type": "object", "patternProperties": {"^c": {"const": 1}}}"#),
        (object, r#"{"type": "object", "propertyNames": {"maxLength": 1}}"#),
        (object, r#"{"type": "object", "required": ["a"], "minProperties": 2}"#),
        (object, r#"{"type": "object", "not": {"minProperties": 1}}"#),
        (
            r#"{"a": {"canary": [{"canary": "canary"}]}}"#,
            r#"{"type": "object", "additionalProperties": {"additionalProperties": {"items": {"maxProperties": 0}}}}"#,
        ),
        (list, r#"{"type": "array", "uniqueItems": true}"#),
        (list, r#"{"type": "array", "items": {"type": "integer"}}"#),
        (list, r#"{"type": "array", "contains": {"const": 1}, "maxItems": 1}"#),
        (list, r#"{"type": "array", "prefixItems": [{"enum": [1]}], "items": false}"#),
        ("postgres://canary:can/ary@canary/db", r#"{"format": "uri", "not": {"format": "uri"}}"#),
        ("canary://canary:can#ary@canary", r#"{"format": "email"}"#),
    ] {
        sandbox.write("env.schema.json", of_a(schema));
        sandbox.set_variable("A", value);
        for args in
            [&["validate"][..], &["validate", "--json"], &["validate", "-v"], &["run", "-v", "--", "touch", "started"]]
        {
            let output = sandbox.envsec(args).output();
            let shown = [output.stdout, output.stderr].concat();
            let shown = String::from_utf8(shown).unwrap();
            assert!(matches!(output.status.code(), Some(3 | 125)), "{args:?} {value} {schema}: {shown}");
            assert!(!shown.contains("canary"), "{args:?} {schema}: {shown}");
            assert!(!sandbox.join("started").exists());
        }
    }
}

#[test]
fn no_declaration_sets_what_makes_programs_run_code() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for name in ["NODE_OPTIONS", "LD_PRELOAD", "BASH_ENV", "PATH", "ENVSEC_KEY"] {
        let schema = format!(r#"{{"properties": {{"{name}": {{"default": "x"}}}}}}"#);
        let what = if name == "ENVSEC_KEY" { "of envsec's own" } else { "that makes programs run code" };
        refused(&sandbox, schema, &format!("/properties/{name}/default: no declaration sets a variable {what}"));
    }
    sandbox.write("env.schema.json", r#"{"properties": {"NODE_OPTIONS": {"type": "string"}}}"#);
    valid(&sandbox);
}

#[test]
fn a_name_is_secret_or_public_wherever_that_stands() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let schema = r##"{"$defs": {"s": {"writeOnly": true}},
        "properties": {"A": {"$ref": "#/$defs/s", "x-envsec": {"public": true}}}}"##;
    refused(&sandbox, schema, "/properties/A: is declared secret and public");
}

#[test]
fn an_address_may_stand_under_a_public_name_too() {
    let sandbox =
        Sandbox::with(&[("API_URL", "https://api.example.com"), ("NEXT_PUBLIC_API_URL", "https://api.example.com")]);
    sandbox.write("env.schema.json", "{}");
    valid(&sandbox);
    sandbox.envsec(["set", "SESSION_SECRET"]).stdin("https://api.example.com").succeeds();
    invalid(
        &sandbox,
        &[
            "NEXT_PUBLIC_API_URL: public, nothing that a browser may not see: has the value of the secret SESSION_SECRET",
        ],
    );
}

#[test]
fn an_array_without_repeats_may_be_long() {
    let items: Vec<String> = (0..12_000).map(|number| format!("[{number}]")).collect();
    let sandbox =
        declared(&of_a(r#"{"type": "array", "uniqueItems": true}"#), &[("A", &format!("[{}]", items.join(",")))]);
    valid(&sandbox);
    sandbox.envsec(["set", "-q", "A"]).stdin(r#"[{"a":1,"b":[1.0]},{"b":[1],"a":1}]"#).succeeds();
    invalid(&sandbox, &["A: no item twice: has one twice"]);
}
