//! `envsec export`: every format is read back by what reads it, byte for byte, or refuses by name.

use crate::harness::Sandbox;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt as _;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

type Values = BTreeMap<String, String>;

const PIECES: &[&str] = &[
    "\n",
    "\r",
    "\r\n",
    "'",
    "\"",
    "`",
    "\\",
    "$",
    "#",
    " ",
    "\t",
    "!",
    "%",
    "=",
    "{{",
    "$(x)",
    "${A}",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "‘",
    "’",
    "é",
    "e\u{301}",
    "😀",
    "\u{f600}",
    "\u{fdd0}",
    "\u{81}",
    "\u{88}",
    "\u{10ffff}",
    "~",
    "*",
    "EOF",
    "\\n",
    "null",
    "1e3",
    "enc:",
    "%0A",
    "::",
];

/// 200 values that something could get wrong: listed ones, and random ones of the same pieces.
fn nasty() -> Values {
    let seed = std::env::var("ENVSEC_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| envsec::crypto::system_rng().random());
    let _ = writeln!(std::io::stderr(), "once more: ENVSEC_TEST_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let listed = PIECES.iter().flat_map(|piece| [(*piece).to_owned(), format!("a{piece}b"), piece.repeat(2)]);
    let listed =
        listed.chain(["", "yes", "NO", "~", "0x1f", "2026-11-22", "-", "a: b", "a #b", "\n\n"].map(String::from));
    let mut random = || {
        let count = rng.random_range(1..12);
        (0..count).map(|_| PIECES[rng.random_range(0..PIECES.len())]).collect::<String>()
    };
    let values: Vec<String> = listed.take(142).chain((0..58).map(|_| random())).collect();
    assert_eq!(values.len(), 200);
    values.into_iter().enumerate().map(|(n, value)| (format!("NASTY_{n}"), value)).collect()
}

fn values_of(values: &[(&str, &str)]) -> Values {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A sealed file with these values, by way of JSON.
fn sealed(values: &Values) -> Sandbox {
    let sandbox = Sandbox::sealed();
    let output = sandbox.envsec(["import", "-", "--format", "json"]).stdin(json!(values).to_string()).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sandbox
}

#[track_caller]
fn stdout(run: crate::harness::Run<'_>) -> String {
    let output = run.output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn exported(sandbox: &Sandbox, format: &str) -> String {
    stdout(sandbox.envsec(["export", "--format", format]))
}

/// The values among what `env -0` printed.
fn of_environment(text: &str) -> Values {
    let pairs = text.split_terminator('\0').filter_map(|record| record.split_once('='));
    pairs.filter(|(name, _)| name.starts_with("NASTY_")).map(|(name, value)| (name.into(), value.into())).collect()
}

/// A tool that the test set-up installs.
fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.tools").join(path);
    assert!(tool.exists(), "{} is missing: run ./tests/run.sh first", tool.display());
    tool
}

#[test]
fn json_in_json_out_and_env_0() {
    let values = nasty();
    let sandbox = sealed(&values);
    let text = exported(&sandbox, "json");
    assert_eq!(serde_json::from_str::<Values>(&text).unwrap(), values);
    assert!(text.starts_with("{\n  \"NASTY_0\": \"") && text.ends_with("\"\n}\n") && text.lines().count() == 202);
    assert_eq!(exported(&sealed(&serde_json::from_str(&text).unwrap()), "json"), text);
    assert_eq!(of_environment(&exported(&sandbox, "env0")), values);
    for (format, empty) in [("json", "{}\n"), ("yaml", "{}\n"), ("dotenv", ""), ("env0", ""), ("shell", "")] {
        Sandbox::sealed().envsec(["export", "--format", format]).prints(empty);
    }
}

#[test]
fn shells_get_the_same_bytes() {
    let values = nasty();
    let sandbox = sealed(&values);
    let script = "eval \"$(envsec export --format shell)\"; env -0";
    for shell in ["dash", "bash", "bash --posix", "zsh -f", "zsh --emulate sh -f"] {
        let found = of_environment(&stdout(sandbox.shell(&format!("exec {shell} -c '{script}'"))));
        assert_eq!(found, values, "{shell}");
    }
    let fish = "exec fish --no-config -c 'envsec export --format fish | source; env -0'";
    assert_eq!(of_environment(&stdout(sandbox.shell(fish))), values);
}

/// For each name that a shell knows of its own accord, a value either arrives or the name is refused.
#[test]
fn names_that_shells_keep_for_themselves_are_refused() {
    let known = [
        ("shell", "dash", "set | sed -n 's/=.*//p'"),
        ("shell", "bash", "compgen -v; printf '%s\\n' UID BASH_ARGV0 EPOCHREALTIME SRANDOM FUNCNAME _"),
        ("shell", "zsh -f", "zmodload zsh/parameter; print -l ${(k)parameters}"),
        ("fish", "fish --no-config", "set -n"),
    ];
    for (format, shell, list) in known {
        let sandbox = Sandbox::sealed();
        sandbox.write("list", list);
        let names = stdout(sandbox.shell(&format!("{shell} list")));
        let names =
            names.lines().filter(|name| envsec::vars::VarName::try_from(*name).is_ok() && !name.starts_with("ENVSEC"));
        let values: Values = names.map(|name| (name.to_owned(), "x y:z*\n".to_owned())).collect();
        let imported = sandbox.envsec(["-q", "import", "-", "--format", "json"]).stdin(json!(values).to_string());
        imported.succeeds();
        let refusal = sandbox.envsec(["export", "--format", format]).output();
        let refusal = String::from_utf8(refusal.stderr).unwrap();
        let except: Vec<&str> = refusal
            .lines()
            .filter_map(|line| line.trim_start_matches("error: ").strip_prefix(&format!("{format} cannot carry ")))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        assert!(except.contains(&"PPID") || except.contains(&"status"), "{shell}: {refusal}");
        for name in values.keys().filter(|name| !except.contains(&name.as_str())) {
            let text = stdout(sandbox.envsec(["export", "--format", format, "--only", name]));
            sandbox.write("in", text);
            let script = format!("{shell} -c '. ./in; exec /usr/bin/env -0'");
            let script = if format == "fish" { script.replace(". ./in;", "source ./in;") } else { script };
            let output = sandbox.shell(&script).output();
            let expected = format!("{name}=x y:z*\n\0");
            assert!(String::from_utf8_lossy(&output.stdout).contains(&expected), "{shell}: {name}");
        }
    }
}

/// PowerShell's expressions of string literals and characters (about_Quoting_Rules), in UTF-16 as PowerShell holds them.
fn powershell(expression: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = expression;
    loop {
        if let Some(literal) = rest.strip_prefix('\'') {
            let mut end = 0;
            while literal[end..].starts_with("''") || !literal[end..].starts_with('\'') {
                end += if literal[end..].starts_with("''") { 2 } else { 1 };
            }
            units.extend(literal[..end].replace("''", "'").encode_utf16());
            rest = &literal[end + 1..];
        } else {
            let digits = rest.strip_prefix("[char]0x").unwrap();
            units.push(u16::from_str_radix(&digits[..4], 16).unwrap());
            rest = &digits[4..];
        }
        match rest.strip_prefix(" + ") {
            Some(more) => rest = more,
            None => {
                return Some(rest).filter(|rest| rest.is_empty()).map(|_| String::from_utf16(&units).unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn powershell_gets_literals_in_ascii() {
    let mut values = nasty();
    let sandbox = sealed(&values);
    let error = sandbox.envsec(["export", "--format", "powershell"]).refuses(1);
    let empty = values.iter().find(|(_, value)| value.is_empty()).unwrap().0.clone();
    assert_eq!(
        error,
        format!(
            "error: powershell cannot carry {empty}: empty, and PowerShell before 7.5 removes a variable that is set to nothing"
        )
    );
    values.retain(|_, value| !value.is_empty());
    let text = stdout(sandbox.envsec(["export", "--format", "powershell", "--except", &empty]));
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
    let read = text.lines().map(|line| line.strip_prefix("$env:").unwrap().split_once(" = ").unwrap());
    let read: Values = read.map(|(name, expression)| (name.to_owned(), powershell(expression))).collect();
    assert_eq!(read, values);
    let sandbox = Sandbox::with(&[("A", "it's"), ("B", "é'")]);
    sandbox
        .envsec(["export", "--format", "powershell"])
        .prints("$env:A = 'it''s'\n$env:B = '' + [char]0x00e9 + ''''\n");
}

#[test]
fn two_yaml_parsers_read_the_same() {
    let mut values = nasty();
    values.extend(["NO", "null", "y", "_1e3"].map(|name| (name.to_owned(), name.to_owned())));
    let sandbox = sealed(&values);
    sandbox.write("in.yaml", exported(&sandbox, "yaml"));
    let python =
        "import json, sys, yaml; print(json.dumps(yaml.safe_load(open('in.yaml', encoding='utf-8', newline=''))))";
    let by_python = stdout(sandbox.command(tool("venv/bin/python"), ["-c", python]));
    assert_eq!(serde_json::from_str::<Values>(&by_python).unwrap(), values);
    for version in ["1.1", "1.2"] {
        let script = format!(
            "const yaml = require({:?}); console.log(JSON.stringify(yaml.parse(require('fs').readFileSync('in.yaml', 'utf8'), {{version: '{version}'}})))",
            tool("node_modules/yaml")
        );
        let by_node = stdout(sandbox.command("node", ["-e", script.as_str()]));
        assert_eq!(serde_json::from_str::<Values>(&by_node).unwrap(), values, "YAML {version}");
    }
}

#[test]
fn dotenv_goes_round_and_npm_dotenv_reads_it() {
    let mut values = nasty();
    let sandbox = sealed(&values);
    let refusal = String::from_utf8(sandbox.envsec(["export"]).output().stderr).unwrap();
    let refused: Vec<&str> = refusal
        .lines()
        .filter_map(|line| line.trim_start_matches("error: ").strip_prefix("dotenv cannot carry "))
        .map(|line| line.split_once(':').unwrap().0)
        .collect();
    assert!(
        !refused.is_empty()
            && refusal.ends_with("hint: nothing was exported; leave them out with --except, or take another format\n")
    );
    values.retain(|name, _| !refused.contains(&name.as_str()));
    let text = stdout(sandbox.envsec(["-q", "export", "--except", &refused.join(",")]));

    let again = Sandbox::sealed();
    again.envsec(["-q", "import", "-"]).stdin(&text).succeeds();
    assert_eq!(stdout(again.envsec(["-q", "export"])), text);
    assert_eq!(serde_json::from_str::<Values>(&exported(&again, "json")).unwrap(), values);

    sandbox.write("in.env", &text);
    let script = format!(
        "console.log(JSON.stringify(require({:?}).parse(require('fs').readFileSync('in.env'))))",
        tool("node_modules/dotenv")
    );
    let by_npm = stdout(sandbox.command("node", ["-e", script.as_str()]));
    assert_eq!(serde_json::from_str::<Values>(&by_npm).unwrap(), values);
}

#[test]
fn what_dotenv_readers_dispute_is_named() {
    let sandbox = Sandbox::with(&[("PLAIN", "a b"), ("S5", "it's $5"), ("S6", "it's \"5"), ("S7", "'$\" #")]);
    let warning = |name| format!("warning: {name}: npm dotenv reads this spelling; other readers and shells may not\n");
    let warnings = ["S5", "S6", "S7"].map(warning).concat();
    sandbox.envsec(["export"]).answers(0, "PLAIN='a b'\nS5=\"it's $5\"\nS6=it's \"5\nS7=`'$\" #`\n", &warnings);
    let sandbox = sealed(&values_of(&[("GOOD", "1"), ("BAD", "'\"`\n\\"), ("WORSE", "\"\r")]));
    sandbox.envsec(["export"]).fails(
        1,
        "error: dotenv cannot carry BAD: no quoting that dotenv readers share can hold this value\n\
         dotenv cannot carry WORSE: no quoting that dotenv readers share can hold this value\n\
         hint: nothing was exported; leave them out with --except, or take another format\n",
    );
}

#[test]
fn docker_and_gitlab_take_lines_only() {
    let sandbox = Sandbox::with(&[("A", "'x' #\"$y\\ é"), ("B", "")]);
    for format in ["docker", "gitlab"] {
        sandbox.envsec(["export", "--format", format]).prints("A='x' #\"$y\\ é\nB=\n");
    }
    let sandbox = sealed(&BTreeMap::from(
        [("LF", "a\nb"), ("CR", "a\rb"), ("BLANK", " a"), ("OK", "a"), ("TAB", "a\t"), ("LONG", &"x".repeat(65_531))]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    ));
    sandbox.envsec(["export", "--format", "docker", "--out", "out"]).fails(
        1,
        "error: docker cannot carry CR: holds a line break\n\
         docker cannot carry LF: holds a line break\n\
         docker cannot carry LONG: NAME=value is longer than the 64 KiB that docker reads\n\
         hint: nothing was exported; leave them out with --except, or take another format\n",
    );
    sandbox.envsec(["export", "--format", "docker", "--only", "BLANK,TAB"]).prints("BLANK= a\nTAB=a\t\n");
    sandbox.envsec(["export", "--format", "gitlab", "--out", "out"]).fails(
        1,
        "error: gitlab cannot carry BLANK: begins or ends with a blank\n\
         gitlab cannot carry CR: holds a line break\n\
         gitlab cannot carry LF: holds a line break\n\
         gitlab cannot carry TAB: begins or ends with a blank\n\
         hint: nothing was exported; leave them out with --except, or take another format\n",
    );
    assert_eq!(sandbox.files(), [".env.enc"]);
    let output = sandbox.envsec(["export", "--format", "gitlab", "--only", "LONG"]).output();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "warning: larger than 5 KiB, which GitLab refuses unless its administrator raised the limit\n"
    );
    let many: Values = (0..21).map(|n| (format!("V{n}"), String::from("1"))).collect();
    let output = sealed(&many).envsec(["export", "--format", "gitlab"]).output();
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("warning: more than 20 variables"));
}

/// What a runner makes of the file, by GitHub's rules for multiline strings, and the lines that it skips.
fn of_github(text: &str) -> Values {
    let (mut lines, mut values) = (text.split('\n'), Values::new());
    while let Some(line) = lines.next() {
        if let Some((name, delimiter)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            values.insert(name.to_owned(), value.join("\n"));
        } else if let Some((name, value)) = line.split_once('=') {
            values.insert(name.to_owned(), value.to_owned());
        } else {
            assert_eq!(line, "");
        }
    }
    values
}

#[test]
fn github_gets_masks_and_blocks() {
    let mut values = nasty();
    values.retain(|_, value| !value.ends_with('\r'));
    let sandbox = sealed(&values);
    sandbox.envsec(["set", "--plain", "PLAIN=visible"]).succeeds();
    for before in ["", "OTHER=1", "OTHER=1\n"] {
        sandbox.write("env", before);
        let masks = stdout(sandbox.envsec(["export", "--format", "github"]).variable("GITHUB_ENV", "env"));
        let mut expected: Vec<String> =
            values.values().flat_map(|value| value.split(['\n', '\r'])).map(String::from).collect();
        expected.retain(|line| !line.trim().is_empty());
        let masked =
            masks.split_terminator('\n').map(|line| line.strip_prefix("::add-mask::").unwrap().replace("%25", "%"));
        let (mut masked, mut expected) = (masked.collect::<Vec<_>>(), expected);
        masked.sort();
        expected.sort();
        assert_eq!(masked, expected);
        let mut read = of_github(&sandbox.text("env"));
        assert_eq!(read.remove("PLAIN").as_deref(), Some("visible"));
        assert_eq!(read.remove("OTHER").is_some(), !before.is_empty());
        assert_eq!(read, values);
    }
}

#[test]
fn github_refuses_before_anything_is_written() {
    let names = [("A", "1"), ("NODE_OPTIONS", "x"), ("github_token", "x"), ("RUNNER_X", "x"), ("CR", "a\r")];
    let sandbox = sealed(&values_of(&names));
    sandbox.write("env", "");
    let run = || sandbox.envsec(["export", "--format", "github"]);
    run().variable("GITHUB_ENV", "env").fails(
        1,
        "error: github cannot carry CR: ends in a carriage return, which Windows runners drop\n\
         github cannot carry NODE_OPTIONS: GitHub does not let this variable be set\n\
         github cannot carry RUNNER_X: GitHub does not let this variable be set\n\
         github cannot carry github_token: GitHub does not let this variable be set\n\
         hint: nothing was exported; leave them out with --except, or take another format\n",
    );
    assert_eq!(sandbox.text("env"), "");
    run().fails(2, "error: GITHUB_ENV is not set: --format github works in a step of GitHub Actions\n");
    let missing = sandbox.envsec(["export", "--format", "github", "--only", "A"]).variable("GITHUB_ENV", "none");
    assert_eq!(missing.output().status.code(), Some(2));
    let out = sandbox.envsec(["export", "--format", "github", "--out", "x"]).variable("GITHUB_ENV", "env");
    assert!(out.refuses(2).contains("--out does not go with --format github"));
    assert_eq!(sandbox.files(), [".env.enc", "env"]);
}

#[test]
fn out_is_private_and_atomic() {
    let sandbox = sealed(&values_of(&[("A", "1")]));
    let says = |name: &str| format!("{name} holds the values in plaintext: remove it when you no longer need it\n");
    let mode = |name: &str| std::fs::metadata(sandbox.join(name)).unwrap().permissions().mode() & 0o7777;
    sandbox.envsec(["export", "--out", "out"]).says(&says("out"));
    assert_eq!((sandbox.text("out").as_str(), mode("out")), ("A=1\n", 0o600));
    sandbox.write("old", "x".repeat(100));
    sandbox.shell("chmod 644 old").succeeds();
    symlink("old", sandbox.join("link")).unwrap();
    sandbox.envsec(["export", "--format", "json", "--out", "link"]).says(&says("link"));
    assert_eq!((sandbox.text("old").as_str(), mode("old")), ("{\n  \"A\": \"1\"\n}\n", 0o600));
    assert!(sandbox.join("link").is_symlink());
    assert_eq!(sandbox.files(), [".env.enc", "link", "old", "out"]);
}

#[test]
fn out_that_cannot_be_written_leaves_nothing() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("mkdir folder; mkfifo pipe; ln -s gone/away dangling").succeeds();
    let before = sandbox.text(".env.enc");
    for (out, status, error) in [
        ("folder", 1, "error: folder: cannot write it: not a regular file"),
        ("pipe", 1, "error: pipe: cannot write it: not a regular file"),
        ("/dev/null", 1, "error: /dev/null: cannot write it: not a regular file"),
        ("nowhere/out", 2, "error: nowhere: no such file"),
        ("dangling", 2, "error: dangling: no such file"),
        (".env.enc", 1, "error: .env.enc: this is a sealed file, and plaintext would replace it"),
    ] {
        assert_eq!(sandbox.envsec(["export", "--out", out]).refuses(status), error);
    }
    assert_eq!(sandbox.files(), [".env.enc", "dangling", "folder", "pipe"]);
    assert_eq!(sandbox.text(".env.enc"), before);
}

#[test]
fn names_are_chosen_and_later_files_win() {
    let sandbox = Sandbox::with(&[("A_1", "1"), ("A_2", "2"), ("B", "3")]);
    sandbox.envsec(["export", "--only", "A_*", "--except", "A_2"]).prints("A_1=1\n");
    sandbox.envsec(["export", "--only", "X*"]).fails(
        2,
        "error: --only X*: no name in the sealed file matches\nhint: envsec list shows the names; * stands for any text\n",
    );
    let key = sandbox.make("local.enc", None);
    sandbox.envsec(["set", "-f", "local.enc", "B"]).variable("ENVSEC_KEY", &key).stdin("4").succeeds();
    sandbox.write("keys", format!("{key}\n"));
    sandbox.write("key", format!("{}\n", sandbox.key));
    sandbox.shell("chmod 600 key keys").succeeds();
    let files = ["export", "-f", ".env.enc", "-f", "local.enc", "--key-file", "key", "--key-file", "keys"];
    sandbox.envsec(files).prints("A_1=1\nA_2=2\nB=4\n");
}

/// A file in which API_KEY was rotated, and its old value is handed out until then. Made by the second implementation.
fn rotated(until: &str, names: &[&str]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let script = format!(
        "import sys; sys.path.insert(0, {:?}); import reference as r\n\
         line = lambda k: 'rotation name=API_KEY at=2026-01-01T00:00:00Z previous=%s until={until}' % \
         r.b64(k.encrypt(b'API_KEY', b'old', None, b'previous'))\n\
         values = [(name, 'new', False) for name in sys.argv[1:]]\n\
         data, _ = r.write_file([r.raw_slot('key', b'3' * 32)], values, headers=[line])\n\
         open('.env.enc', 'wb').write(data); print(r.raw_key_text(b'3' * 32), end='')",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
    );
    let args = [&["-B", "-c", script.as_str()], names].concat();
    let key = stdout(sandbox.command(tool("venv/bin/python"), args));
    sandbox.set_variable("ENVSEC_KEY", &key);
    sandbox
}

#[test]
fn credentials_of_envsec_that_another_writer_put_there_do_not_come_out() {
    let sandbox = rotated("9999-01-01T00:00:00Z", &["API_KEY", "ENVSEC_PASSWORD", "ENVSEC_KEY_FILE"]);
    let message = "error: ENVSEC_PASSWORD, ENVSEC_KEY_FILE: names that begin with ENVSEC_PASSWORD or ENVSEC_KEY are \
                   envsec's own, and no child gets them\n";
    for format in ["dotenv", "shell", "json", "env0"] {
        let output = sandbox.envsec(["export", "--format", format, "--out", "out"]).output();
        assert_eq!(output.status.code(), Some(2), "{format}");
        assert!(String::from_utf8(output.stderr).unwrap().starts_with(message), "{format}");
        assert_eq!(sandbox.files(), [".env.enc"], "{format}");
    }
    let output = sandbox.envsec(["run", "--", "true"]).output();
    assert!(String::from_utf8(output.stderr).unwrap().starts_with(message));
    sandbox.envsec(["export", "--except", "ENVSEC_*"]).prints("API_KEY=new\n");
    sandbox.envsec(["export", "--only", "ENVSEC_PASSWORD"]).fails(
        2,
        "error: ENVSEC_PASSWORD: names that begin with ENVSEC_PASSWORD or ENVSEC_KEY are envsec's own, and no child \
         gets them\nhint: choose another name\n",
    );
}

#[test]
fn the_previous_value_is_exported_while_it_is_handed_out() {
    let sandbox = rotated("9999-01-01T00:00:00Z", &["API_KEY", "B"]);
    sandbox.envsec(["export"]).prints("API_KEY=new\nB=new\n");
    sandbox.envsec(["export", "--previous"]).prints("API_KEY=new\nB=new\nAPI_KEY_PREVIOUS=old\n");
    sandbox.envsec(["export", "--previous", "--only", "B"]).prints("B=new\n");
    sandbox.envsec(["export", "--previous", "--except", "B"]).prints("API_KEY=new\nAPI_KEY_PREVIOUS=old\n");
    sandbox.write("env", "");
    let github = sandbox.envsec(["export", "--previous", "--format", "github", "--only", "API_KEY"]);
    github.variable("GITHUB_ENV", "env").prints("::add-mask::new\n::add-mask::old\n");
    rotated("2026-01-02T00:00:00Z", &["API_KEY"]).envsec(["export", "--previous"]).prints("API_KEY=new\n");
    rotated("9999-01-01T00:00:00Z", &["API_KEY", "API_KEY_PREVIOUS"]).envsec(["export", "--previous"]).fails(
        1,
        "error: API_KEY_PREVIOUS: a variable of its own in the sealed file, but also the old value of a rotation\n\
         hint: rename the variable, or end the rotation: envsec rotate NAME --finish; until then: export without \
         --previous, run --no-previous\n",
    );
}
