//! Canaries in places that a stranger or a mistake puts them in: broken sealed files, what git shows and commits, settings
//! that hold the wrong thing, and texts that a declaration is inferred from.

use super::declarations::{CANARY, silent, values};
use crate::harness::{PASSWORD, Sandbox};

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
