//! schema infer, example, lint, meta: the declaration as a text that people write.

use crate::harness::{Sandbox, reference_tools};
use crate::status::declare;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What `schema infer` prints.
fn inferred(properties: &str, required: &str) -> String {
    format!(
        "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"type\": \"object\",\n  \
         \"properties\": {{\n{properties}\n  }},\n  \"required\": [\n{required}\n  ]\n}}\n"
    )
}

fn stdout(run: crate::harness::Run<'_>) -> String {
    let output = run.output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The line that `schema infer` writes for one entry.
fn guessed(sandbox: &Sandbox, entry: &str) -> String {
    sandbox.write("one.env", format!("{entry}\n"));
    let text = stdout(sandbox.envsec(["schema", "infer", "one.env"]));
    text.lines().nth(4).unwrap().trim().to_owned()
}

#[test]
fn types_are_guessed_from_names_and_values() {
    let sandbox = Sandbox::new();
    let port = r#"{"type": "integer", "minimum": 1, "maximum": 65535}"#;
    let words = r#"{"type": "string", "enum": ["development", "test", "staging", "production", "local"]}"#;
    for (entry, schema) in [
        ("PORT=3000", port),
        ("DB_PORT=", port),
        ("PORT=0", r#"{"type": "integer"}"#),
        ("PORT=70000", r#"{"type": "integer"}"#),
        ("PORT=none", r#"{"type": "string"}"#),
        ("DEBUG=true", r#"{"type": "boolean"}"#),
        ("DEBUG=True", r#"{"type": "string"}"#),
        ("RATE=15", r#"{"type": "integer"}"#),
        ("ZIP=01234", r#"{"type": "string"}"#),
        ("RATIO=1.5", r#"{"type": "string"}"#),
        ("CARD=1234567890123456", r#"{"type": "string"}"#),
        ("NODE_ENV=production", words),
        ("URL=https://example.com", r#"{"type": "string", "format": "uri"}"#),
        ("MAIL=kim@example.com", r#"{"type": "string", "format": "email"}"#),
        ("ID=6ba7b810-9dad-11d1-80b4-00c04fd430c8", r#"{"type": "string", "format": "uuid"}"#),
        ("PAYMENT=sk_test_x", r#"{"type": "string", "pattern": "^sk_"}"#),
        ("HOOK=whsec_x", r#"{"type": "string", "pattern": "^whsec_"}"#),
        ("EMPTY=", r#"{"type": "string"}"#),
    ] {
        let name = entry.split('=').next().unwrap();
        assert_eq!(guessed(&sandbox, entry), format!("\"{name}\": {schema}"), "{entry}");
    }
}

#[test]
fn secrets_are_guessed_from_names_and_values() {
    let sandbox = Sandbox::new();
    let secret = |entry: &str| guessed(&sandbox, entry).contains("\"writeOnly\": true");
    for entry in [
        "SESSION_SECRET=1234",
        "API_TOKEN=",
        "DB_PASSWORD=x",
        "DB_PASS=x",
        "SMTP_PWD=x",
        "db_password=x",
        "SIGNING_KEY=x",
        "PAYMENT=sk_live_0123456789abc",
        "DATABASE_URL=postgres://u:p@db/x",
    ] {
        assert!(secret(entry), "{entry}");
    }
    for entry in [
        "DATABASE_URL=postgres://db/x",
        "MONKEY=1",
        "PUBLIC_KEY=1",
        "STRIPE_PUBLISHABLE_KEY=pk_1",
        "NEXT_PUBLIC_STRIPE_KEY=pk_1",
        "COMPASS=1",
        "BYPASS=1",
        "PAYMENT=pk_live_0123456789abc",
    ] {
        assert!(!secret(entry), "{entry}");
    }
    assert_eq!(guessed(&sandbox, "OTP_SECRET=123456"), r#""OTP_SECRET": {"type": "string", "writeOnly": true}"#);
}

#[test]
fn comments_right_above_become_descriptions() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "# Section\n\n# where to listen\n# (\"all\" of it)\nPORT=3000\nA=1\n#B= \n# of C\nC=2\n");
    sandbox.envsec(["schema", "infer"]).prints(inferred(
        "    \"PORT\": {\"description\": \"where to listen (\\\"all\\\" of it)\", \"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535},\n    \
         \"A\": {\"type\": \"integer\"},\n    \"C\": {\"description\": \"of C\", \"type\": \"integer\"}",
        "    \"PORT\",\n    \"A\",\n    \"C\"",
    ));
}

#[test]
fn a_comment_that_gives_a_value_away_becomes_no_description() {
    let sandbox = Sandbox::new();
    for comment in [
        "# SESSION_SECRET=correct-horse",
        "# it was correct-horse before",
        "# export API_TOKEN=abcdef",
        "# old: sk_live_0123456789abcdef",
        "# try postgres://app:hunter2@db/app",
        "# see Hidden Value 1",
    ] {
        let entry = format!("{comment}\nSESSION_SECRET=correct-horse\nOTHER='Hidden Value 1'\n");
        sandbox.write("one.env", entry);
        let text = stdout(sandbox.envsec(["schema", "infer", "one.env"]));
        assert!(!text.contains("description"), "{comment}: {text}");
    }
    sandbox.write("one.env", "# debug, info or warn\nLEVEL=info\n");
    assert!(stdout(sandbox.envsec(["schema", "infer", "one.env"])).contains("\"debug, info or warn\""));
}

#[test]
fn the_source_is_the_named_file_else_the_example_else_env_else_the_sealed_file() {
    let nothing = "error: nothing to infer from: no .env.example, no .env and no sealed file here\n\
                   hint: name a dotenv file: envsec schema infer FILE\n";
    let sandbox = Sandbox::new();
    let infer = || sandbox.envsec(["schema", "infer"]);
    infer().fails(2, nothing);
    let one = |name: &str, required: bool| {
        let text = inferred(&format!("    \"{name}\": {{\"type\": \"string\"}}"), &format!("    \"{name}\""));
        if required { text } else { text.replace(&format!("[\n    \"{name}\"\n  ]"), "[]") }
    };
    sandbox.make(".env.enc", None);
    infer().prints("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"type\": \"object\",\n  \"properties\": {},\n  \"required\": []\n}\n");
    sandbox.write(".env", "FROM_ENV=\n");
    infer().prints(one("FROM_ENV", false));
    sandbox.write(".env.example", "FROM_EXAMPLE=\n");
    infer().prints(one("FROM_EXAMPLE", true));
    sandbox.write("x", "NAMED=\n");
    sandbox.write("y.sample", "NAMED=\nSECOND=\n");
    let both = "    \"NAMED\": {\"type\": \"string\"},\n    \"SECOND\": {\"type\": \"string\"}";
    sandbox.envsec(["schema", "infer", "x", "y.sample"]).prints(inferred(both, "    \"SECOND\""));
}

#[test]
fn the_sealed_files_names_are_enough_and_need_no_key() {
    let mut sandbox = Sandbox::with(&[("PORT", "x"), ("API_KEY", "y"), ("Z", "sk_live_0123456789")]);
    sandbox.unset_variable("ENVSEC_KEY");
    sandbox.envsec(["schema", "infer"]).prints(inferred(
        "    \"API_KEY\": {\"type\": \"string\", \"writeOnly\": true},\n    \
         \"PORT\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535},\n    \"Z\": {\"type\": \"string\"}",
        "    \"API_KEY\",\n    \"PORT\",\n    \"Z\"",
    ));
}

#[test]
fn what_cannot_be_read_is_not_inferred_from() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("broken", "A=1\nB='hidden value\n");
    let infer = |file: &str| sandbox.envsec(["schema", "infer", file]);
    assert_eq!(infer("nowhere").refuses(2), "error: nowhere: no such file");
    assert!(infer(".").refuses(1).starts_with("error: .: "));
    let output = infer("broken").output();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: broken:2:") && !error.contains("hidden"), "{error}");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(infer(".env.enc").refuses(1).contains("sealed"));
}

/// Values of all kinds that are guessed, and such as are near them.
fn value() -> impl Strategy<Value = String> {
    let known = [
        "true",
        "yes",
        "0",
        "-1",
        "3000",
        "65536",
        "007",
        "1e3",
        "production",
        "Local",
        "kim@example.com",
        "a@b",
        "https://example.com/a?b=c",
        "postgres://app:hunter2@a:1,b:2/db",
        "://",
        "x://",
        "http://",
        "sk_",
        "sk_test_abc",
        "whsec_abcdefghijklmnopqrstu",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "{\"a\":[1]}",
        "a b # c",
        "line\nline",
        "é🦀",
    ];
    prop_oneof![
        3 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "[ -&(-\\[\\]-_a-~]{0,24}",
        1 => "[0-9]{1,18}",
        1 => "[a-z]{1,6}://[a-z0-9:@./,%]{0,20}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec!["PORT", "A_PORT", "API_KEY", "DB_PASSWORD", "NODE_ENV", "URL", "NEXT_PUBLIC_A"])
            .prop_map(str::to_owned),
        "[A-Z][A-Z0-9_]{0,8}",
    ]
}

#[test]
fn what_is_inferred_from_a_file_accepts_it_and_holds_no_value_of_it() {
    let sandbox = Sandbox::new();
    let key = sandbox.make("empty.enc", None);
    let empty = sandbox.read("empty.enc");
    let files = proptest::collection::btree_map(name(), value(), 1..12);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 60, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let tried = runner.run(&files, |values| {
        sandbox.write(".env.enc", &empty);
        let text: String = values.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        sandbox.write("one.env", text);
        let run = sandbox.envsec(["import", "one.env"]).variable("ENVSEC_KEY", &key).output();
        prop_assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let schema = stdout(sandbox.envsec(["schema", "infer", "one.env"]));
        for value in values.values().filter(|value| value.len() > 6 && value.as_str() != "production") {
            prop_assert!(!schema.contains(value.as_str()), "{value:?} in {schema}");
        }
        sandbox.write("s.json", &schema);
        let run = sandbox.envsec(["validate", "--schema", "s.json", "--strict"]).variable("ENVSEC_KEY", &key).output();
        let errors = String::from_utf8(run.stderr).unwrap();
        // A secret in a public name is found, whatever was inferred; a URL may be dubious.
        let others = errors.lines().filter(|line| line.starts_with("  "));
        let others: Vec<&str> =
            others.filter(|line| !line.contains(": public, nothing that") && !line.contains("a URL: ")).collect();
        prop_assert!(others.is_empty(), "{errors}{schema}");
        let lint = sandbox.envsec(["schema", "lint", "--schema", "s.json"]).output();
        prop_assert!(lint.status.success() && lint.stdout.is_empty());
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

const EXAMPLE: &[&str] = &[
    r#""PORT": {"type": "integer", "minimum": 1, "default": 3000, "description": "where\nto listen"}"#,
    r#""NODE_ENV": {"enum": ["dev", "prod"]}"#,
    r#""SITE": {"type": "string", "format": "uri"}"#,
    r#""GREETING": {"type": "string", "examples": ["it's $HOME # \"now\""]}"#,
    r#""API_KEY": {"type": "string", "writeOnly": true, "examples": ["no"], "x-envsec": {"generate": "hex:32", "docs": "https://example.com/k"}}"#,
    r#""LIMIT": {"type": ["integer", "null"], "minimum": 7}"#,
    r#""NAME": {}"#,
    r#""OLD": {"type": "boolean", "deprecated": true, "x-envsec": {"deprecated": "use NAME"}}"#,
    r#""OLDER": {"type": "string", "deprecated": true}"#,
];

#[test]
fn the_example_has_every_name_with_what_is_expected_and_a_placeholder() {
    let sandbox = Sandbox::new();
    declare(&sandbox, &["PORT", "NODE_ENV", "SITE", "GREETING", "API_KEY", "NAME"], EXAMPLE);
    sandbox.envsec(["schema", "example"]).prints(
        "# where\n# to listen\n# an integer, at least 1 (default 3000)\nPORT=3000\n\n\
         # one of dev, prod (required)\nNODE_ENV=dev\n\n\
         # a URL (required)\nSITE=https://example.com\n\n\
         # text (required)\nGREETING=`it's $HOME # \"now\"`\n\n\
         # text (required)\n# envsec set API_KEY --generate hex:32\n# https://example.com/k\nAPI_KEY=\n\n\
         # an integer, at least 7 (optional)\n# LIMIT=3000\n\n\
         # any text (required)\nNAME=\n\n\
         # true or false (optional)\n# out of date: use NAME\n# OLD=false\n\n\
         # text (optional)\n# out of date\n# OLDER=\n",
    );
}

#[test]
fn the_example_can_be_filled_in_imported_and_validated() {
    let sandbox = Sandbox::sealed();
    declare(&sandbox, &["PORT", "NODE_ENV", "SITE", "GREETING", "API_KEY"], EXAMPLE);
    sandbox.shell("envsec schema example > .env.example && envsec import -q .env.example").succeeds();
    sandbox.envsec(["get", "GREETING"]).prints("it's $HOME # \"now\"");
    sandbox.envsec(["validate"]).fails(
        3,
        "error: env.schema.json: 1 problem\n  API_KEY: text: is empty\n\
         hint: envsec status API_KEY tells the rule and where the value comes from\n",
    );
    sandbox.envsec(["set", "API_KEY", "--generate", "auto"]).succeeds();
    sandbox.envsec(["validate"]).succeeds();
    let names = |text: &str| -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let required = json["required"].as_array().unwrap().iter();
        required.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let again = stdout(sandbox.envsec(["schema", "infer"]));
    assert_eq!(names(&again), ["PORT", "NODE_ENV", "SITE", "GREETING", "API_KEY", "NAME"].map(str::to_owned)[..5]);
}

#[test]
fn whatever_a_declaration_holds_the_example_is_dotenv_of_its_names() {
    let sandbox = Sandbox::new();
    declare(
        &sandbox,
        &["B"],
        &[
            r#""A\nEVIL=1": {"type": "string"}"#,
            r#""log-level": {"default": "x"}"#,
            r#""B": {"description": "one\r\nEVIL=2\u001b[31m\u0000", "examples": ["a\u0000\u001b\n\tEVIL='`\"$x"]}"#,
            r#""C": {"enum": ["x\nEVIL=3"], "default": "x\nEVIL=3"}"#,
            r#""D": {"default": "", "minLength": 0}"#,
            r#""E": {"description": "one\u2028EVIL=4", "enum": ["x\u2029EVIL=5"]}"#,
        ],
    );
    let text = stdout(sandbox.envsec(["schema", "example"]));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(!text.contains(['\u{2028}', '\u{2029}']), "npm dotenv would end a comment there: {text:?}");
    let names: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|p| p.0)
        .collect();
    assert_eq!(names, ["B", "C", "D"]);
    sandbox.write("x.env", &text);
    stdout(sandbox.envsec(["schema", "infer", "x.env"]));
}

#[test]
fn every_finding_of_lint_is_named_once() {
    let sandbox = Sandbox::new();
    for (property, finding) in [
        (r#"{"type": "integer", "minLength": 1}"#, "/minLength: says nothing about values of this type"),
        (r#"{"type": "string", "minimum": 1}"#, "/minimum: says nothing about values of this type"),
        (r#"{"type": "string", "minItems": 1}"#, "/minItems: says nothing about values of this type"),
        (r#"{"minLength": 2, "maxLength": 1}"#, "/minLength: is more than maxLength: no value fits"),
        (r#"{"type": "integer", "minimum": 2, "maximum": 1}"#, "/minimum: is more than maximum: no value fits"),
        (r#"{"type": "integer", "default": "x"}"#, "/default: is not an integer"),
        (r#"{"type": "integer", "enum": ["a"]}"#, "/enum: lists a value of another type than the declared one"),
        (r#"{"type": "integer", "const": "a"}"#, "/const: lists a value of another type than the declared one"),
        (r#"{"then": {"minLength": 1}}"#, "/then: without an if: never looked at"),
        (
            r#"{"minimum": 1}"#,
            ": a rule about numbers, but no type: the variable is read as text, and the rule says nothing",
        ),
    ] {
        declare(&sandbox, &[], &[&format!("\"A\": {property}")]);
        let printed = format!("/properties/A{finding}\n");
        sandbox.envsec(["schema", "lint"]).answers(3, printed, "error: 1 mistake in the declaration\n");
    }
    for (required, property, finding) in [
        (false, r#"{"format": "color"}"#, "/format: color is not checked"),
        (false, r#"{"example": 1}"#, "/example: no keyword of JSON Schema: no rule"),
        (true, r#"{"default": "x"}"#, ": is required, but has a default: it is never missing"),
        (true, r#"{"type": ["string", "null"]}"#, ": is required, but may be null: it may be missing"),
    ] {
        declare(&sandbox, if required { &["A"] } else { &[] }, &[&format!("\"A\": {property}")]);
        sandbox.envsec(["schema", "lint"]).prints(format!("/properties/A{finding}\n"));
    }
    declare(&sandbox, &[], &[r#""a\u001b-b\n/": {}"#]);
    let printed = "/properties/a\\u{1b}-b\\u{a}~1: no variable can have this name\n";
    sandbox.envsec(["schema", "lint"]).answers(3, printed, "error: 1 mistake in the declaration\n");
}

#[test]
fn lint_knows_the_type_of_every_value_that_is_listed() {
    let sandbox = Sandbox::new();
    let values = [
        ("null", "null"),
        ("boolean", "true"),
        ("integer", "1"),
        ("number", "1.5"),
        ("string", "\"a\""),
        ("array", "[1]"),
        ("object", "{\"a\": 1}"),
    ];
    let pairs = || values.iter().flat_map(|(of, _)| values.iter().map(move |(is, value)| (of, is, value)));
    let properties: Vec<String> =
        pairs().map(|(of, is, value)| format!(r#""{of}_{is}": {{"type": "{of}", "const": {value}}}"#)).collect();
    declare(&sandbox, &[], &properties.iter().map(String::as_str).collect::<Vec<_>>());
    let wrong = pairs().filter(|(of, is, _)| of != is && (**of, **is) != ("number", "integer"));
    let lines: Vec<String> = wrong
        .map(|(of, is, _)| {
            format!("/properties/{of}_{is}/const: lists a value of another type than the declared one\n")
        })
        .collect();
    assert_eq!(lines.len(), 41);
    sandbox.envsec(["schema", "lint"]).answers(3, lines.concat(), "error: 41 mistakes in the declaration\n");
}

#[test]
fn lint_tells_mistakes_before_notes_and_counts_the_mistakes() {
    let sandbox = Sandbox::new();
    declare(
        &sandbox,
        &["A"],
        &[r#""A": {"format": "color", "default": "x"}"#, r#""B": {"type": "integer", "default": "x", "pattern": "1"}"#],
    );
    sandbox.envsec(["schema", "lint"]).answers(
        3,
        "/properties/B/pattern: says nothing about values of this type\n\
         /properties/B/default: is not an integer\n\
         /properties/A/format: color is not checked\n\
         /properties/A: is required, but has a default: it is never missing\n",
        "error: 2 mistakes in the declaration\n",
    );
    sandbox.envsec(["schema", "lint", "--json"]).answers(
        3,
        r#"[
  {
    "weight": "wrong",
    "what": "says nothing about values of this type",
    "where": "/properties/B/pattern"
  },
  {
    "weight": "wrong",
    "what": "is not an integer",
    "where": "/properties/B/default"
  },
  {
    "weight": "note",
    "what": "color is not checked",
    "where": "/properties/A/format"
  },
  {
    "weight": "note",
    "what": "is required, but has a default: it is never missing",
    "where": "/properties/A"
  }
]
"#,
        "error: 2 mistakes in the declaration\n",
    );
}

#[test]
fn a_clean_declaration_draws_no_word() {
    let sandbox = Sandbox::new();
    declare(&sandbox, &["NODE_ENV", "SITE", "GREETING", "API_KEY", "NAME"], EXAMPLE);
    sandbox.envsec(["schema", "lint"]).succeeds();
    sandbox.envsec(["schema", "lint", "--json"]).prints("[]\n");
}

#[test]
fn without_a_declaration_there_is_nothing_to_print_or_lint() {
    let sandbox = Sandbox::sealed();
    let error = "error: no env.schema.json beside the sealed file, nor above up to the repository's root\n\
                 hint: write one with: envsec schema infer; or name it: --schema FILE\n";
    for verb in ["example", "lint"] {
        sandbox.envsec(["schema", verb]).fails(2, error);
        assert_eq!(sandbox.envsec(["schema", verb, "--schema", "x"]).refuses(2), "error: x: no such file");
    }
    sandbox.write("env.schema.json", "[]");
    for verb in ["example", "lint"] {
        assert_eq!(sandbox.envsec(["schema", verb]).refuses(2), "error: env.schema.json: /: is no object");
    }
}

/// Members of `x-envsec`, and whether they are accepted.
const MEMBERS: &[(&str, bool)] = &[
    (r#"{}"#, true),
    (r#"[]"#, false),
    (r#"{"public": true}"#, true),
    (r#"{"public": "true"}"#, false),
    (r#"{"generate": "hex:32"}"#, true),
    (r#"{"generate": "base64:1"}"#, true),
    (r#"{"generate": "password:024"}"#, true),
    (r#"{"generate": "password:65536"}"#, true),
    (r#"{"generate": "password:65537"}"#, false),
    (r#"{"generate": "hex:0"}"#, false),
    (r#"{"generate": "hex"}"#, false),
    (r#"{"generate": "uuid"}"#, true),
    (r#"{"generate": "uuid:4"}"#, false),
    (r#"{"generate": "auto"}"#, false),
    (r#"{"generate": 32}"#, false),
    (r#"{"rotateEvery": "90d"}"#, true),
    (r#"{"rotateEvery": "012w"}"#, true),
    (r#"{"rotateEvery": "0d"}"#, false),
    (r#"{"rotateEvery": "1y"}"#, false),
    (r#"{"rotateEvery": "90"}"#, false),
    (r#"{"rotateEvery": " 90d"}"#, false),
    (r#"{"rotateEvery": 90}"#, false),
    (r#"{"grace": "1h"}"#, true),
    (r#"{"grace": "-1h"}"#, false),
    (r#"{"requiredIn": ["production", "eu-1.a_b"]}"#, true),
    (r#"{"requiredIn": []}"#, true),
    (r#"{"requiredIn": ["Production"]}"#, false),
    (r#"{"requiredIn": [""]}"#, false),
    (r#"{"requiredIn": "production"}"#, false),
    (r#"{"forbiddenIn": ["test"]}"#, true),
    (r#"{"forbiddenIn": [1]}"#, false),
    (r#"{"forbiddenIn": ["a b"]}"#, false),
    (r#"{"deprecated": "use X"}"#, true),
    (r#"{"deprecated": true}"#, false),
    (r#"{"docs": "https://example.com"}"#, true),
    (r#"{"docs": 1}"#, false),
    (r#"{"source": "vault://a"}"#, true),
    (r#"{"source": {}}"#, false),
    (r#"{"rotation": {}}"#, true),
    (r#"{"rotation": {"onSet": "a", "onTest": "b", "onFinish": "c", "onAbort": "d"}}"#, true),
    (r#"{"rotation": {"command": "x"}}"#, false),
    (r#"{"rotation": {"onSet": ""}}"#, false),
    (r#"{"rotation": {"onSet": "a\u0000b"}}"#, false),
    (r#"{"rotation": {"onTest": ["a"]}}"#, false),
    (r#"{"rotation": "x"}"#, false),
    (r#"{"publik": true}"#, false),
    (r#"{"description": "x"}"#, false),
];

/// Where a schema with `x-envsec` can stand.
const PLACES: &[&str] = &[
    r#"{"properties": {"A": HERE}}"#,
    r#"{"properties": {"A": {"anyOf": [HERE]}}}"#,
    r#"{"allOf": [{"properties": {"A": HERE}}]}"#,
    r##"{"properties": {"A": {"$ref": "#/$defs/A"}}, "$defs": {"A": HERE}}"##,
];

#[test]
fn the_meta_schema_accepts_what_envsec_accepts() {
    let sandbox = Sandbox::new();
    let mut cases: Vec<(String, bool)> = Vec::new();
    for (members, accepted) in MEMBERS {
        for place in PLACES {
            cases.push((place.replace("HERE", &format!("{{\"x-envsec\": {members}}}")), *accepted));
        }
    }
    for (schema, accepted) in [
        (r#"{"writeOnly": true, "x-envsec": {"public": true}}"#, false),
        (r#"{"format": "password", "x-envsec": {"public": true}}"#, false),
        (r#"{"writeOnly": true, "x-envsec": {"public": false}}"#, true),
        (r#"{"format": "uri", "x-envsec": {"public": true}}"#, true),
    ] {
        cases.push((PLACES[0].replace("HERE", schema), accepted));
    }
    for (number, (schema, accepted)) in cases.iter().enumerate() {
        let file = format!("{number}.json");
        sandbox.write(&file, schema);
        let status = sandbox.envsec(["schema", "example", "--schema", &file]).output().status.code();
        assert_eq!(status, Some(if *accepted { 0 } else { 2 }), "{schema}");
    }
    let script = "import json, jsonschema, sys\n\
        meta = json.load(open('meta.json'))\n\
        jsonschema.Draft202012Validator.check_schema(meta)\n\
        validator = jsonschema.Draft202012Validator(meta)\n\
        print(*['%d' % validator.is_valid(json.load(open('%d.json' % n))) for n in range(int(sys.argv[1]))], sep='')";
    sandbox.write("meta.json", stdout(sandbox.envsec(["schema", "meta"])));
    let count = cases.len().to_string();
    let verdicts = stdout(sandbox.command(reference_tools(), ["-c", script, &count]));
    for ((schema, accepted), verdict) in cases.iter().zip(verdicts.trim().chars()) {
        assert_eq!(verdict == '1', *accepted, "the meta-schema on {schema}");
    }
}

#[test]
fn the_meta_schema_knows_the_same_members() {
    let sandbox = Sandbox::new();
    let meta: serde_json::Value = serde_json::from_str(&stdout(sandbox.envsec(["schema", "meta"]))).unwrap();
    let members = meta["$defs"]["annotations"]["properties"]["x-envsec"]["properties"].as_object().unwrap();
    let mut members: Vec<&str> = members.keys().map(String::as_str).collect();
    members.sort_unstable();
    sandbox.write("x.json", r#"{"x-envsec": {"x": 1}}"#);
    let error = sandbox.envsec(["schema", "example", "--schema", "x.json"]).refuses(2);
    let mut known: Vec<&str> = error.split_once("is none of ").unwrap().1.split(", ").collect();
    known.sort_unstable();
    assert_eq!(members, known);
}
