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
    sandbox.write("good", &good);
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
            "diff good",
            "diff good --json",
            "diff good --values",
            "diff good .env.enc --slot nope",
            "diff --textconv .env.enc",
            "diff --textconv json-cut",
            "diff hash good",
            "doctor",
            "doctor --json",
        ] {
            silent(&sandbox, &format!("echo {CANARY} | envsec {verb}"));
            sandbox.write(".env.enc", &file);
        }
    }
}

#[test]
fn neither_git_nor_its_hook_shows_a_value() {
    let sandbox = sandbox();
    for (role, who) in [("AUTHOR", "a"), ("COMMITTER", "c")] {
        silent(
            &sandbox,
            &format!("git config --global user.{} {who}@example.com", if role == "AUTHOR" { "name" } else { "email" }),
        );
    }
    assert!(
        silent(&sandbox, "git init -q . && envsec doctor --fix >/dev/null; git add .env.enc && git commit -qm 1")
            .status
            .success()
    );
    silent(&sandbox, &format!("echo {CANARY}new | envsec set SECRET; envsec set -q --plain PLAIN={CANARY}new"));
    let names = silent(&sandbox, "git diff; git -c color.ui=always diff; ENVSEC_KEY= git diff; git log -p").stdout;
    assert!(String::from_utf8(names).unwrap().contains("+SECRET secret #"));
    sandbox.write("env.schema.json", r#"{"properties": {"PLAIN": {"writeOnly": true}}}"#);
    sandbox.write(".env", format!("A={CANARY}\n"));
    sandbox.write(".env.two.enc", format!("{CANARY}={CANARY}\n"));
    sandbox.write(".env.three.enc", sandbox.text(".env.enc") + &format!("#envsec:{CANARY}\n{CANARY}"));
    silent(&sandbox, "git add -f .env env.schema.json .env.enc .env.two.enc .env.three.enc");
    let refused = silent(&sandbox, "git commit -m 2");
    assert_eq!(String::from_utf8(refused.stderr).unwrap().matches("error: ").count(), 4);
    silent(&sandbox, "envsec doctor; envsec doctor --json; envsec hook pre-commit");
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

/// A file whose password is a canary, and files of credentials that are right, wrong and weak.
fn with_slots() -> Sandbox {
    let mut sandbox = Sandbox::with(&[("SECRET", CANARY)]);
    let key = sandbox.key.clone();
    sandbox.unset_variable("ENVSEC_KEY");
    for (name, text) in [
        ("key", key.as_str()),
        ("pw", &format!("{CANARY} is the password")),
        ("pw2", &format!("{CANARY} is the new password")),
        ("wrong", &format!("{CANARY} is a wrong password")),
        ("weak", &CANARY[..8]),
        ("two-lines", &format!("{CANARY} is a password\n{CANARY}")),
        ("control", &format!("{CANARY} is a password\u{1b}[31m")),
        ("not-text", &format!("{CANARY} is a password")),
        ("bad-key", &format!("{}_{CANARY}", key.rsplit_once('_').unwrap().0)),
    ] {
        sandbox.write(name, text);
    }
    sandbox.write("not-text", [CANARY.as_bytes(), b" is a password \xff"].concat());
    let change = "envsec slot change-password password --keep-data-key --new-password-file pw --key-file key";
    sandbox.shell(&format!("chmod 600 *; {change} --work-factor 15 -q")).succeeds();
    sandbox
}

/// What verbs about keys are started with: right, and wrong in every class of failure.
fn command_lines_about_keys() -> Vec<String> {
    let both = "--password-file pw --key-file key";
    let verbs = [
        "rotate --yes --work-factor 15",
        "rotate --renew key --work-factor 15 >/dev/full",
        "rotate --renew password",
        "rotate --drop-slot key --drop-slot password",
        "rotate --drop-slot nobody",
        "slot list",
        "slot list --json",
        "slot add --password --id new --work-factor 15 --new-password-file pw2",
        "slot add --password --id new --work-factor 15 --new-password-command 'cat pw2'",
        "slot add --password --id new --new-password-command 'cat pw2; exit 1'",
        "slot add --password --id password --new-password-file pw2 --work-factor 15",
        "slot add --password --id new --new-password-file weak",
        "slot add --password --id new --new-password-file two-lines",
        "slot add --password --id new --new-password-file control",
        "slot add --password --id new --new-password-file not-text",
        "slot add --password --id new --new-password-file key --new-password-fd 0",
        "slot add --raw-key --id new >/dev/full",
        "slot add --raw-key --id key",
        "slot remove key --yes --work-factor 15",
        "slot remove key --yes --keep-data-key",
        "slot remove password",
        "slot remove nobody --yes",
        "slot change-password password --new-password-file pw2 --work-factor 15",
        "slot change-password password --new-password-file weak",
        "slot change-password key --new-password-file pw2",
        "slot rewrap --work-factor 15",
        "slot rewrap nobody",
        "unlock --ttl 1s",
        "lock",
        "status",
    ];
    let credentials = [
        both.to_owned(),
        format!("-v {both}"),
        "--password-file pw".to_owned(),
        "--key-file key --slot key".to_owned(),
        format!("--password-file wrong {both}"),
        "--password-file wrong".to_owned(),
        "--password-file control".to_owned(),
        "--password-file not-text".to_owned(),
        "--key-file bad-key".to_owned(),
        "--key-file pw".to_owned(),
        "--password-command 'cat pw; exit 3'".to_owned(),
        "--password-fd 0 < wrong".to_owned(),
        String::new(),
    ];
    let line = |verb: &str, credential: &String| match verb.split_once(" >") {
        Some((verb, to)) => format!("envsec {verb} {credential} >{to}"),
        None => format!("envsec {verb} {credential}"),
    };
    let right = verbs.iter().flat_map(|verb| credentials[..2].iter().map(|credential| line(verb, credential)));
    let first = ["rotate", "slot list", "slot add --raw-key", "slot remove", "slot change", "slot rewrap", "unlock"];
    let one_of_each = first.map(|first| verbs.iter().find(|verb| verb.starts_with(first)).unwrap());
    let wrong = one_of_each.iter().flat_map(|verb| credentials[2..].iter().map(|credential| line(verb, credential)));
    right.chain(wrong).collect()
}

#[test]
fn no_verb_about_keys_shows_a_value_or_a_credential() {
    let sandbox = with_slots();
    let good = sandbox.text(".env.enc");
    let (key, files) = (sandbox.key.clone(), sandbox.files());
    let body = &key["envsec_key_1_".len()..40];
    let mut statuses = std::collections::BTreeSet::new();
    let check = |script: &str| {
        let output = silent(&sandbox, script);
        for stream in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(stream).contains(body), "{script}");
        }
        assert!(!String::from_utf8_lossy(&output.stdout).contains("envsec_key_1_"), "{script} prints a key");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let mut after = stderr.split("envsec_key_1_").skip(1);
        assert!(after.all(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric())), "{script} tells a key");
        let text = sandbox.text(".env.enc");
        assert!(!text.contains(CANARY) && !text.contains(body), "{script} writes it");
        assert_eq!(sandbox.files(), files, "{script} leaves something");
        sandbox.write(".env.enc", &good);
        output.status.code().unwrap()
    };
    // A keyring of its own: a session that is left would open the file for the next command.
    let in_own_keyring = |line: &str| format!("unshare --user --map-root-user bash -c \"{line}\"");
    for line in command_lines_about_keys() {
        statuses.insert(check(&in_own_keyring(&line)));
    }
    // A file that somebody changed without a key, and one that gets a new data key meanwhile.
    for tampered in [good.replace("SECRET=", "SECRE="), good[..good.len() / 2].to_owned()] {
        for verb in ["rotate --yes", "slot add --raw-key --id new", "slot rewrap", "unlock", "slot list"] {
            sandbox.write(".env.enc", &tampered);
            statuses.insert(check(&format!("envsec -v {verb} --key-file key --password-file pw")));
        }
    }
    let rotate = "envsec rotate -q --yes --key-file key --password-file pw --work-factor 15; cat pw2";
    let add = "envsec slot add --password --id new --key-file key --work-factor 15 --new-password-command";
    statuses.insert(check(&format!("{add} '{rotate}'")));
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6]);
}

#[test]
fn a_new_key_is_printed_once_and_nowhere_else() {
    let sandbox = with_slots();
    for verb in [
        "slot add --raw-key --id ci",
        "rotate --yes --renew ci --work-factor 15",
        "slot remove password --yes --renew ci",
    ] {
        let script = format!("envsec -v {verb} --key-file key --password-file pw");
        let output = sandbox.shell(&script).output();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{script}: {stderr}");
        let new = stdout.strip_suffix('\n').unwrap();
        assert!(new.len() == sandbox.key.len() && new.starts_with("envsec_key_1_"), "{script}");
        let body = &new["envsec_key_1_".len()..40];
        assert!(!stderr.contains(body) && !stderr.contains(CANARY), "{script}: {stderr}");
        let files = sandbox.files();
        assert!(files.iter().all(|file| !String::from_utf8_lossy(&sandbox.read(file)).contains(body)), "{script}");
    }
}

#[test]
fn no_credential_about_keys_is_among_the_arguments_of_any_process() {
    let sandbox = with_slots();
    let change = "slot change-password password --new-password-command 'cat pw2' --work-factor 15 -q";
    for verb in ["rotate --yes --work-factor 15 -q", change, "unlock --ttl 1s", "slot list"] {
        let script = format!(
            "strace -f -qq -e trace=execve,write -e write=none -s 4096 -o trace unshare --user --map-root-user \
             envsec {verb} --password-command 'cat pw' --key-file key >/dev/null && grep execve trace; rm trace"
        );
        let traced = String::from_utf8(sandbox.shell(&script).output().stdout).unwrap();
        assert!(traced.contains("cat pw") && !traced.contains(CANARY), "{verb}: {traced}");
        sandbox
            .shell("envsec slot change-password password -q --new-password-file pw --key-file key --work-factor 15")
            .output();
    }
}

/// A file whose values, old and new, are canaries; a declaration with commands; and what a rotation is started with.
fn to_rotate() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("SECRET", &format!("{CANARY} is the old value")),
        ("DB_USER", &format!("{CANARY}_a")),
        ("GRACE", &format!("{CANARY} is handed out")),
        ("WAITS", &format!("{CANARY} is current")),
    ]);
    let new = |text: &str| format!("{CANARY} {text}");
    sandbox.envsec(["rotate", "GRACE", "--grace", "1h"]).stdin(new("is in use")).succeeds();
    sandbox.envsec(["rotate", "WAITS", "--on-set", "false"]).stdin(new("waits")).refuses(7);
    sandbox.envsec(["set", "--plain", "PLAIN=x"]).succeeds();
    for (name, text) in [
        ("new", new("is the new value")),
        ("lines", format!("{CANARY} is the first line\n{CANARY} is the second line\n")),
        ("not-text", CANARY.to_owned()),
        ("key", sandbox.key.clone()),
        (
            "env.schema.json",
            r#"{"properties": {
                "REFUSED": {"maxLength": 5, "x-envsec": {"generate": "hex:16", "rotateEvery": "1d"}},
                "WAITS": {"maxLength": 5, "x-envsec": {"rotateEvery": "1d"}},
                "SECRET": {"x-envsec": {"rotateEvery": "1d", "rotation": {
                    "onSet": "cat; cat <&3 >&2; exit 4", "onAbort": "cat; cat <&3", "onFinish": "cat; cat <&3"}}}}}"#
                .to_owned(),
        ),
    ] {
        sandbox.write(name, text);
    }
    sandbox.write("not-text", [CANARY.as_bytes(), b"\xff"].concat());
    sandbox.envsec(["set", "REFUSED"]).stdin("x").output();
    sandbox
}

/// Both values, as they are and as programs like to print them.
const PRINTING_HOOK: &str = "v=$(cat); o=$(cat <&3); for x in \"$v\" \"$o\"; do echo \"$x\"; echo \"$x\" >&2; \
    printf %s \"$x\" | base64 >&2; printf %s \"user:$x\" | base64; printf %s \"$x\" | od -An -v -tx1 | tr -d ' \\n'; echo; \
    printf \"$x\"; sleep 0.01; printf \"$x\" >&2; done; exit";

fn command_lines_of_rotations() -> Vec<String> {
    let print = |status: u8| format!("'{} {status}'", PRINTING_HOOK.replace('\'', "'\\''"));
    let (ok, fails) = (print(0), print(9));
    let mut lines = vec![
        "get SECRET --previous".into(),
        "get WAITS --previous".into(),
        "get GRACE --previous --password-file new".into(),
        "list".into(),
        "list --json".into(),
        "status".into(),
        "status GRACE".into(),
        "status WAITS --json".into(),
        "validate".into(),
        "validate --json".into(),
        "set WAITS <new".into(),
        "unset WAITS".into(),
    ];
    lines.extend([
        "rotate --due --dry-run".into(),
        "rotate --due --dry-run --json".into(),
        "rotate --due".into(),
        "rotate --due --run-hooks".into(),
        "rotate --due --no-hooks".into(),
    ]);
    for from in ["<new", "<lines", "<lines --keep-newline", "<not-text", "<new --password-fd 0", "<&-"] {
        lines.push(format!("rotate SECRET {from}").replace(" <", " --no-hooks <"));
    }
    for more in [
        "--no-hooks".to_owned(),
        "--no-hooks --grace 1h".into(),
        "--run-hooks".into(),
        String::new(),
        format!("--on-set {ok} --on-test {ok} --on-finish {ok}"),
        format!("--on-set {ok} --on-finish {fails}"),
        format!("--on-set {fails}"),
        format!("--on-set {ok} --on-test {fails} --grace 1h"),
        format!("--on-set {ok} --pair DB_USER={CANARY}_a,b --on-test {fails}"),
        format!("--pair DB_USER=a,{CANARY}"),
        format!("--pair {CANARY}"),
        format!("--pair DB_USER={CANARY}_a,b --on-set {ok}"),
        format!("--generate {CANARY}"),
        format!("--grace {CANARY}"),
        "--on-set 'cat; sleep 300' --hook-timeout 1s".into(),
        "--on-set 'cat; kill -9 $$'".into(),
        "--on-set 'cat; kill $PPID; sleep 300'".into(),
        "--on-set ./missing".into(),
        "--on-set 'cat; rm .env.enc'".into(),
        "--on-set 'cat; sed -i s/^PLAIN=x/PLAIN=y/ .env.enc'".into(),
        "--on-set 'cat; ENVSEC_KEY=$(cat key) envsec rotate SECRET --abort --yes --no-hooks'".into(),
        "--on-set 'cat; ENVSEC_KEY=$(cat key) envsec rotate --drop-slot password --work-factor 15'".into(),
    ] {
        lines.push(format!("rotate SECRET {more} <new"));
    }
    lines.extend(command_lines_of_begun(&ok, &fails));
    lines
}

/// Going on, going back and ending, where that fits and where it does not.
fn command_lines_of_begun(ok: &str, fails: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for name in ["WAITS", "GRACE", "REFUSED", "PLAIN", "NOPE"] {
        lines.push(format!("rotate {name} <new"));
        for more in ["--resume", "--abort", "--finish"] {
            lines.push(format!("rotate {name} {more}"));
            lines.push(format!("rotate {name} {more} --yes"));
            lines.push(format!("rotate {name} {more} --on-set {fails} --on-abort {fails} --on-finish {fails}"));
            lines.push(format!("rotate {name} {more} --on-set {ok} --on-abort {ok} --on-finish {ok}"));
        }
    }
    lines
}

#[test]
fn no_rotation_shows_a_value_or_leaves_one() {
    let mut sandbox = to_rotate();
    let folder = sandbox.path().to_string_lossy().into_owned();
    sandbox.set_variable("TMPDIR", &folder);
    let (good, files) = (sandbox.text(".env.enc"), sandbox.files());
    let engine = &base64::engine::general_purpose::STANDARD_NO_PAD;
    let encoded = base64::Engine::encode(engine, &CANARY[..9]);
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut statuses = std::collections::BTreeSet::new();
    for line in command_lines_of_rotations() {
        for verbose in ["", "-v "] {
            let script = format!("envsec {verbose}{line}");
            let output = silent(&sandbox, &script);
            for stream in [&output.stdout, &output.stderr] {
                let text = String::from_utf8_lossy(stream);
                assert!(!text.contains(&encoded) && !text.contains(&hex), "{script}: {text}");
            }
            statuses.insert(output.status.code().unwrap());
            let mut left = sandbox.files();
            left.retain(|name| name != ".env.enc");
            assert_eq!(left, files[1..], "{script} leaves something");
            let sealed = sandbox.shell("cat .env.enc || true").output().stdout;
            assert!(!String::from_utf8_lossy(&sealed).contains(CANARY), "{script} writes it");
            sandbox.write(".env.enc", &good);
        }
    }
    // Every class of failure was there, and the hooks did print what was looked for.
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let shown =
        sandbox.envsec(["rotate", "SECRET", "--on-set", &format!("{PRINTING_HOOK} 0")]).stdin("new one").output();
    assert!(String::from_utf8_lossy(&shown.stderr).matches("[SECRET]").count() >= 10, "{shown:?}");
}

#[test]
fn no_value_of_a_rotation_is_among_the_arguments_of_any_process() {
    let sandbox = to_rotate();
    let hook = "cat >/dev/null; cat <&3 >/dev/null";
    let steps = format!("--on-set '{hook}' --on-test '{hook}' --on-finish '{hook}' --on-abort '{hook}'");
    for line in [
        format!("rotate SECRET {steps} <new"),
        format!("rotate SECRET {steps} --on-test false <new"),
        format!("rotate WAITS --resume {steps}"),
        format!("rotate WAITS --abort {steps}"),
        format!("rotate GRACE --finish {steps}"),
    ] {
        let line = line.replacen(&format!(" --on-test '{hook}'"), "", usize::from(line.contains("false")));
        let script = format!(
            "cp .env.enc good; strace -f -qq -e trace=execve -s 4096 -o trace envsec {line}; cat trace; \
             rm trace; mv good .env.enc"
        );
        let traced = String::from_utf8(sandbox.shell(&script).output().stdout).unwrap();
        assert!(traced.matches("\"-c\"").count() >= 1 && traced.contains("/cat\""), "{line}: {traced}");
        assert!(!traced.contains(CANARY), "{line}: {traced}");
    }
}

/// What an editor makes of the text: right, and wrong in every class of failure.
const EDITS: [(&str, i32); 22] = [
    ("sed -i s/^SECRET=/NEW=/ $1", 0),
    ("true", 0),
    ("echo >$1", 0),
    ("echo CANARY >>$1", 1),
    ("echo X=CANARY#x >>$1", 1),
    ("echo X=\\'CANARY >>$1", 1),
    ("echo SECRET=CANARY >>$1", 1),
    ("echo CANARY.X=CANARY >>$1; sed -i s/^CANARY// $1", 1),
    ("echo X=enc:CANARY >>$1", 1),
    ("echo \\#envsec:CANARY >>$1", 1),
    ("echo \\#:CANARY >>$1", 1),
    ("echo \\# CANARY >>$1", 1),
    ("sed -i s/^SECRET=/#SECRET=/ $1", 1),
    ("echo ENVSEC_KEY=CANARY >>$1", 1),
    ("printf CANARY\\\\377 >>$1", 1),
    ("echo NUMBER=CANARY >>$1", 3),
    ("head -c 70000000 /dev/zero >>$1", 1),
    ("rm $1", 1),
    ("exit 3", 1),
    ("kill -9 $$", 1),
    ("sed -i s/^SECRET=.*/SECRET=mine/ $1; echo CANARY.x | envsec set SECRET --key-file key", 6),
    ("sed -i s/^SECRET=.*/SECRET=mine/ $1; sed -i s/^PLAIN=/PLAIN=x/ .env.enc", 5),
];

#[test]
fn no_way_to_edit_shows_a_value() {
    let sandbox = Sandbox::with(&[("SECRET", CANARY), ("OTHER", CANARY)]);
    sandbox.envsec(["set", "--plain", "PLAIN=x"]).succeeds();
    sandbox.write("env.schema.json", r#"{"properties": {"NUMBER": {"type": "integer"}}}"#);
    sandbox.shell("umask 077; echo $ENVSEC_KEY >key; mkdir run").succeeds();
    let good = sandbox.read(".env.enc");
    for (edit, status) in EDITS {
        let edit = edit.replace("CANARY", CANARY);
        sandbox.write("editor", format!("#!/bin/bash\n{edit}\n"));
        let script = "chmod +x editor; unshare --mount --map-root-user bash -c 'mount -t tmpfs t /dev/shm; \
                      EDITOR=./editor envsec -v edit; s=$?; rm -rf /dev/shm/envsec-kept-*; ls -A /dev/shm; exit $s'";
        let output = silent(&sandbox, script);
        assert_eq!(output.status.code(), Some(status), "{edit}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty(), "{edit} leaves {}", String::from_utf8_lossy(&output.stdout));
        assert!(!sandbox.text(".env.enc").contains(CANARY), "{edit}");
        sandbox.write(".env.enc", &good);
    }
}
