//! A value, a password and a key that must never appear where they do not belong, whatever goes wrong.

use crate::harness::{PASSWORD, Sandbox};
use std::process::Output;

/// In every secret value, in the password and in comments; no message may hold it.
const CANARY: &str = "cAnArY7731";

/// Runs a command line and looks for the canary in what it says. Only `get` and `run` may print values, to stdout.
#[track_caller]
fn silent(sandbox: &Sandbox, script: &str) -> Output {
    let output = sandbox.shell(script).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!stderr.contains(CANARY), "{script}: {stderr}");
    assert!(!stderr.contains("envsec_key_1_AAAA"), "{script}: {stderr}");
    assert!(!stdout.contains(CANARY), "{script}: {stdout}");
    output
}

/// A sealed file full of canaries, and plaintext files that are wrong in every way.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("SECRET", CANARY), ("OTHER", CANARY)]);
    sandbox.envsec(["set", "--plain", &format!("PLAIN={CANARY}")]).succeeds();
    for (name, text) in [
        ("hash", format!("A={CANARY}#x")),
        ("escape", format!("A=\"{CANARY}\\d\\\"\"")),
        ("unterminated", format!("A='{CANARY}\nB=\"{CANARY}")),
        ("trailing", format!("A='{CANARY}' {CANARY}")),
        ("no-equals", format!("{CANARY}\n{CANARY} {CANARY}\n")),
        ("pem", format!("A=-----BEGIN\n{CANARY}==\n{CANARY}/+x=\n")),
        ("ansi", format!("A=$'{CANARY}'")),
        ("nul", format!("A={CANARY}\0")),
        ("control", format!("A={CANARY}\u{1b}[31m")),
        ("duplicate", format!("A={CANARY}\nA={CANARY}")),
        ("name", format!("A.B={CANARY}")),
        ("comment", format!("# A={CANARY}\n# {CANARY}\nNEW=1 # B={CANARY}")),
        ("reference", format!("{CANARY}=1\nA=${{{CANARY}}}${CANARY}x")),
        ("long", format!("A={}", CANARY.repeat(30_000))),
        ("exists", format!("SECRET={CANARY}")),
        ("json-string", format!("\"{CANARY}\"")),
        ("json-cut", format!("{{\"A\":\"{CANARY}")),
        ("json-nested", format!("{{\"A\":[\"{CANARY}\"],\"B\":{{\"{CANARY}\":1}}}}")),
        ("json-surrogate", format!("{{\"A\":\"{CANARY}\\ud800\"}}")),
        ("json-trailing", format!("{{\"A\":\"x\"}} {CANARY}")),
    ] {
        sandbox.write(name, text);
    }
    sandbox
}

#[test]
fn import_never_shows_a_value() {
    let sandbox = sandbox();
    let files = sandbox.files();
    for file in files.iter().filter(|name| !name.starts_with(".env")) {
        for flags in [
            "",
            "--dialect node",
            "--dialect dotenvy",
            "--expand",
            "--duplicates last",
            "--plain '*'",
            "--format json",
            "--format env0",
            "--format seed",
        ] {
            silent(&sandbox, &format!("envsec import {file} {flags}"));
            silent(&sandbox, &format!("envsec init -f new.enc --from {file} {flags} --new-password-file nowhere"));
        }
    }
}

#[test]
fn no_failure_shows_a_value_or_a_credential() {
    let sandbox = sandbox();
    let good = sandbox.text(".env.enc");
    let line = |name: &str| good.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let (secret, plain) = (line("SECRET="), line("PLAIN="));
    let files = [
        good.clone(),
        good.replace(&plain, &format!("PLAIN={CANARY}x")),
        good.replace(&plain, &format!("PLAIN={CANARY}#x")),
        good.replace(&plain, &format!("PLAIN='{CANARY}")),
        good.replace(&plain, &format!("PLAIN='{CANARY}' {CANARY}")),
        good.replace(&plain, &format!("PLAIN=\"{CANARY}\\d\"")),
        good.replace(&plain, &format!("{plain}\n{plain}")),
        good.replace(&plain, &format!("{plain}\n{CANARY}")),
        good.replace(&plain, &format!("{plain}\n#envsec:{CANARY} x")),
        good.replace(&secret, &format!("SECRET=enc:{CANARY}")),
        good.replace("#envsec:seal", &format!("#envsec:slot id={CANARY} type=raw\n#envsec:seal")),
        good.replace(" ln=14", &format!(" ln={CANARY}")),
        good.replacen("#envsec:1", &format!("#envsec:{CANARY}"), 1),
        format!("<<<<<<< {CANARY}\n{good}"),
        format!("{CANARY}\n{good}"),
        good[..good.len() / 2].to_owned(),
        String::new(),
    ];
    for file in files {
        sandbox.write(".env.enc", &file);
        for verb in [
            "list",
            "list --json",
            "get NOPE",
            "set X",
            "unset NOPE",
            "import hash",
            "import hash --format json",
            "import hash --format env0",
            "export >/dev/null",
            "export --format docker --out out",
            "export --format yaml --out /dev/null",
            "run -- true",
            "run -- no-such-command",
            "validate",
            "validate --names",
            "status",
            "status --pin",
            "schema infer",
        ] {
            silent(&sandbox, &format!("echo {CANARY} | envsec {verb}"));
            sandbox.write(".env.enc", &file);
        }
    }
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
fn values() -> [String; 8] {
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

#[test]
fn what_is_known_of_one_variable_is_not_its_value() {
    let sandbox = Sandbox::with(&[("SECRET", CANARY)]);
    sandbox.write("env.schema.json", r#"{"properties": {"SECRET": {"type": "integer"}, "PLAIN": {"const": 1}}}"#);
    silent(&sandbox, &format!("envsec set --plain PLAIN={CANARY}"));
    for verb in ["status SECRET", "status PLAIN", "status SECRET --json", "status NOPE", "status --pin"] {
        silent(&sandbox, &format!("SECRET={CANARY} envsec {verb}"));
        silent(&sandbox, &format!("envsec {verb} --override"));
    }
}

#[test]
fn a_declaration_is_inferred_without_a_value() {
    let sandbox = sandbox();
    let lines = values().map(|value| format!("V{}='{value}'\n", value.len()));
    sandbox.write(".env", format!("# OLD={CANARY}\nA=1\n{}", lines.concat()));
    assert!(silent(&sandbox, "envsec schema infer").status.success());
    sandbox.write("pw", PASSWORD);
    let init = "envsec init -f new.enc --schema new.json --new-password-file pw --work-factor 15";
    assert!(silent(&sandbox, &format!("env -u ENVSEC_KEY {init} && cat new.json")).status.success());
    // Names and comments are public: they go into the declaration, as import keeps them.
    for file in sandbox.files().iter().filter(|name| !["comment", "reference"].contains(&name.as_str())) {
        silent(&sandbox, &format!("envsec schema infer {file}"));
    }
}

#[test]
fn wrong_credentials_are_not_shown() {
    let sandbox = sandbox();
    sandbox.write("pw", format!("{CANARY}\n{CANARY}"));
    let verbs = [
        "get SECRET",
        "set X",
        "unset X",
        "import exists",
        "export >/dev/null",
        "run -- true",
        "validate",
        "status",
        "init -f new.enc",
        "init -f new.enc --raw-key",
    ];
    for verb in verbs {
        for credential in [
            format!("env -u ENVSEC_KEY ENVSEC_PASSWORD={CANARY}"),
            format!("env -u ENVSEC_KEY ENVSEC_PASSWORD=$'{CANARY}\\n'"),
            format!("env ENVSEC_KEY={CANARY}"),
            format!("env ENVSEC_KEY=envsec_key_1_{}_{CANARY}", "A".repeat(43)),
            "env -u ENVSEC_KEY ENVSEC_PASSWORD_FILE=pw".into(),
            format!("env -u ENVSEC_KEY ENVSEC_PASSWORD_COMMAND='echo {CANARY} >&1; exit 1'"),
            format!("env ENVSEC_PIN={CANARY}"),
            format!("env ENVSEC_SLOT={CANARY}!"),
        ] {
            silent(&sandbox, &format!("echo {CANARY} | {credential} envsec {verb}"));
        }
    }
}

#[test]
fn nothing_secret_is_in_the_sealed_file_or_left_beside_it() {
    let sandbox = Sandbox::with(&[("SECRET", CANARY)]);
    sandbox.write("in", format!("# OLD={CANARY}\nA={CANARY} # B={CANARY}\n"));
    sandbox.envsec(["-q", "import", "in"]).succeeds();
    sandbox.shell("rm in").succeeds();
    assert_eq!(sandbox.files(), [".env.enc"]);
    let text = sandbox.text(".env.enc");
    assert!(!text.contains(CANARY) && !text.contains(PASSWORD) && !text.contains(&sandbox.key));
}

#[test]
fn nothing_secret_is_among_the_arguments_of_any_process() {
    let sandbox = Sandbox::with(&[("SECRET", CANARY)]);
    let script = "envsec run -- sh -c 'tr \"\\0\" \" \" </proc/$$/cmdline; cat /proc/$PPID/cmdline | tr \"\\0\" \" \"'";
    let output = sandbox.shell(script).output();
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains(CANARY));
    let script = format!(
        "echo {CANARY} | strace -f -qq -e trace=execve -s 4096 -o trace envsec set SECRET --password-command 'cat pw'; cat trace"
    );
    sandbox.write("pw", PASSWORD);
    let traced = String::from_utf8(sandbox.shell(&script).output().stdout).unwrap();
    assert!(traced.contains("cat pw") && !traced.contains(CANARY), "{traced}");
}
