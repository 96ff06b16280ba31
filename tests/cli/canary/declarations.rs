//! No report about a declaration shows a value, whatever rule it breaks.

use crate::harness::Sandbox;
use std::process::Output;

/// In every value.
pub(super) const CANARY: &str = "cAnArY7731";

/// Runs a command line, in what it says no value may be.
#[track_caller]
pub(super) fn silent(sandbox: &Sandbox, script: &str) -> Output {
    let output = sandbox.shell(script).output();
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        assert!(!text.contains(CANARY), "{script}: {text}");
    }
    output
}

/// One schema for every rule that a value can break, and some that it keeps.
const RULES: [&str; 30] = [
    r#"{"type": "integer"}"#,
    r#"{"type": "number", "default": 3}"#,
    r#"{"type": "boolean"}"#,
    r#"{"type": "null"}"#,
    r#"{"type": ["array", "integer"]}"#,
    r#"{"type": "array", "items": {"type": "integer"}, "maxItems": 1, "uniqueItems": true}"#,
    r#"{"type": "array", "contains": {"const": "x"}, "prefixItems": [{"minLength": 99}]}"#,
    r#"{"type": "object", "additionalProperties": false}"#,
    r#"{"type": "object", "propertyNames": {"maxLength": 1}, "minProperties": 9}"#,
    r#"{"type": "object", "patternProperties": {"^c": {"type": "integer", "maximum": 1}}}"#,
    r#"{"type": "object", "additionalProperties": {"enum": ["x"]}, "required": ["y"]}"#,
    r#"{"enum": ["a", 1, null]}"#,
    r#"{"const": "a"}"#,
    r#"{"minLength": 9999}"#,
    r#"{"maxLength": 1}"#,
    r#"{"pattern": "^x"}"#,
    r#"{"pattern": "^(([a-zA-Z0-9]+)+)+$", "not": {}}"#,
    r#"{"format": "uri"}"#,
    r#"{"format": "email"}"#,
    r#"{"format": "jwt", "writeOnly": true}"#,
    r#"{"format": "date-time"}"#,
    r#"{"format": "base64", "maxLength": 2}"#,
    r#"{"not": {"type": "string"}}"#,
    r#"{"anyOf": [{"const": "a"}, {"type": "integer"}]}"#,
    r#"{"oneOf": [{"minLength": 1}, {"minLength": 2}]}"#,
    r#"{"allOf": [{"minLength": 999}, false]}"#,
    r#"{"type": "string", "x-envsec": {"public": true}}"#,
    r#"{"type": "string", "x-envsec": {"forbiddenIn": ["production"], "deprecated": "use X"}}"#,
    r#"{"writeOnly": true, "default": "**********"}"#,
    "true",
];

/// Values of every form, each with a canary.
pub(super) fn values() -> [String; 8] {
    [
        CANARY.to_owned(),
        format!(r#"["{CANARY}", "{CANARY}"]"#),
        format!(r#"{{"{CANARY}": "{CANARY}"}}"#),
        format!(r#"{{"{CANARY}": 1, "{CANARY}": 2}}"#),
        format!(r#"{{"{CANARY}": "#),
        format!("https://u:{CANARY}#{CANARY}@example.com/{CANARY}"),
        format!("sk_live_{CANARY}{CANARY}"),
        format!("{CANARY}\n{CANARY}"),
    ]
}

/// A declaration with a variable for every rule, and a public one; and a JSON object that gives each of them this value.
fn declared(value: &str) -> (String, String) {
    let names: Vec<String> = (0..RULES.len()).map(|n| format!("RULE_{n}")).collect();
    let properties = names.iter().zip(RULES).map(|(name, rule)| format!(r#""{name}": {rule}"#)).collect::<Vec<_>>();
    let others = ["NEXT_PUBLIC_A".to_owned(), "UNDECLARED".to_owned()];
    let object = names.into_iter().chain(others).map(|name| (name, value.into())).collect();
    let declaration = format!(r#"{{"properties": {{{}}}, "additionalProperties": false}}"#, properties.join(", "));
    (declaration, serde_json::Value::Object(object).to_string())
}

#[test]
fn no_report_about_a_declaration_shows_a_value() {
    for value in values() {
        let sandbox = Sandbox::with(&[("RULE_0", &value), ("RULE_1", "x")]);
        let (declaration, object) = declared(&value);
        sandbox.write("env.schema.json", declaration);
        sandbox.write("value", &value);
        sandbox.write("object", object);
        for script in [
            "envsec import object --format json --replace --strict",
            "envsec import object --format json --replace --plain 'RULE_?'",
            "envsec set RULE_0 < value",
            "envsec set RULE_0 --strict < value",
            "envsec validate --names --json",
            "envsec status",
            "envsec status --json",
            "envsec -v run -- true",
            "envsec -v run --no-validate -- true",
            "RULE_0=$(cat value) envsec validate --process-only --json",
        ] {
            silent(&sandbox, script);
        }
        let report = silent(&sandbox, "RULE_0=$(cat value) envsec validate --strict").stderr;
        let problems = String::from_utf8(report).unwrap().lines().filter(|line| line.starts_with("  RULE_")).count();
        assert!(problems > 15, "only {problems} of the rules are broken");
    }
}
