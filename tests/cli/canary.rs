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
        ] {
            silent(&sandbox, &format!("echo {CANARY} | envsec {verb}"));
            sandbox.write(".env.enc", &file);
        }
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
