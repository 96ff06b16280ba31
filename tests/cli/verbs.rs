//! init, set, get, list, unset: what each does, says and refuses.

use crate::harness::{PASSWORD, Sandbox, VERBS};
use std::os::unix::fs::PermissionsExt as _;

const ARGUMENT_WARNING: &str =
    "warning: a value among the arguments can be seen by other users and stays in the shell's history\n";

/// The lines of two texts that differ, by number from 1.
fn changed_lines(before: &str, after: &str) -> Vec<usize> {
    assert_eq!(before.lines().count(), after.lines().count());
    (1..).zip(before.lines().zip(after.lines())).filter(|(_, (a, b))| a != b).map(|(number, _)| number).collect()
}

#[test]
fn init_makes_a_file_that_its_password_opens() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.envsec(["init"]).succeeds();
    assert_eq!(sandbox.files(), [".env.enc"]);
    let text = sandbox.text(".env.enc");
    assert!(text.starts_with("#envsec:1 suite=A256GCM-HS256 file="));
    assert!(text.contains("#envsec:slot id=password type=scrypt ln=17 salt="));
    assert!(text.contains("#envsec:seal rev=1 mac="));
    assert_eq!(sandbox.join(".env.enc").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    sandbox.envsec(["set", "A"]).stdin("1\n").succeeds();
    sandbox.envsec(["get", "A"]).prints("1");
}

#[test]
fn init_refuses_to_overwrite_whatever_is_there() {
    let sandbox = Sandbox::new();
    for (make, name) in [("echo x > .env.enc", ".env.enc"), ("ln -s nowhere .env.x.enc", ".env.x.enc")] {
        sandbox.shell(make).succeeds();
        let args = ["init", "-f", name];
        sandbox
            .envsec(args)
            .variable("ENVSEC_PASSWORD", PASSWORD)
            .fails(1, &format!("error: {name}: already there\nhint: envsec set changes it; -f FILE names another\n"));
    }
    assert_eq!(sandbox.text(".env.enc"), "x\n");
}

#[test]
fn init_prints_a_raw_key_alone_and_it_opens_the_file() {
    let mut sandbox = Sandbox::new();
    let output = sandbox.envsec(["init", "--raw-key"]).output();
    let key = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(key.starts_with("envsec_key_1_") && key.ends_with('\n') && key.lines().count() == 1);
    assert_eq!(sandbox.text(".env.enc").matches("#envsec:slot").count(), 1);
    sandbox.write("ci.key", &key);
    sandbox.shell("chmod 600 ci.key").succeeds();
    sandbox.envsec(["set", "A", "--key-file", "ci.key"]).stdin("1").succeeds();
    sandbox.set_variable("ENVSEC_KEY", key.trim_end());
    sandbox.envsec(["get", "A"]).prints("1");
}

#[test]
fn init_makes_both_slots_when_a_password_is_given_too() {
    let sandbox = Sandbox::new();
    let args = ["init", "--raw-key", "--work-factor", "15"];
    let output = sandbox.envsec(args).variable("ENVSEC_PASSWORD", PASSWORD).output();
    let key = String::from_utf8(output.stdout).unwrap();
    let text = sandbox.text(".env.enc");
    assert!(text.contains("id=password type=scrypt ln=15") && text.contains("id=key type=raw"));
    sandbox.envsec(["set", "A"]).variable("ENVSEC_KEY", key.trim_end()).stdin("1").succeeds();
    sandbox.envsec(["get", "A"]).variable("ENVSEC_PASSWORD", PASSWORD).prints("1");
}

#[test]
fn init_writes_nothing_when_nobody_gets_the_key() {
    let sandbox = Sandbox::new();
    let output = sandbox.shell("envsec init --raw-key >/dev/full").output();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to standard output: "));
    assert!(sandbox.files().is_empty());
}

#[test]
fn init_refuses_weak_passwords_unless_told() {
    let sandbox = Sandbox::new();
    sandbox.envsec(["init"]).variable("ENVSEC_PASSWORD", "short").fails(
        2,
        "error: the new password has 5 characters, at least 12 are needed\n\
         hint: an empty answer at the prompt generates a good one; --allow-weak-password takes this one\n",
    );
    assert!(sandbox.files().is_empty());
    let args = ["init", "--allow-weak-password", "--work-factor", "15"];
    sandbox.envsec(args).variable("ENVSEC_PASSWORD", "short").succeeds();
}

#[test]
fn init_takes_the_new_password_from_where_it_is_told() {
    for (place, flags) in [
        ("file", "--new-password-file pw"),
        ("fd", "--new-password-fd 5 5<pw"),
        ("command", "--new-password-command 'cat pw'"),
        ("ordinary file", "--password-file pw"),
        ("ordinary command", "--password-command 'cat pw'"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("pw", format!("{PASSWORD}\r\n"));
        sandbox.shell("chmod 600 pw").succeeds();
        sandbox.shell(&format!("envsec init --work-factor 15 {flags}")).succeeds();
        let opened = sandbox.envsec(["run", "--", "true"]).variable("ENVSEC_PASSWORD", PASSWORD);
        assert_eq!(opened.output().status.code(), Some(0), "{place}");
    }
}

#[test]
fn init_of_an_environment_labels_its_file() {
    let sandbox = Sandbox::new();
    let init = |args: &[&str]| {
        sandbox.envsec([&["init", "--work-factor", "15"], args].concat()).variable("ENVSEC_PASSWORD", PASSWORD)
    };
    init(&["-e", "production"]).succeeds();
    init(&["-f", ".env.staging.enc"]).succeeds();
    assert!(sandbox.text(".env.production.enc").lines().next().unwrap().ends_with(" label=production"));
    assert!(sandbox.text(".env.staging.enc").lines().next().unwrap().ends_with(" label=staging"));
    let error = init(&["-e", "production", "-f", ".env.test.enc"]).refuses(2);
    assert_eq!(error, "error: .env.test.enc: -e asks for production, the file's name for another label");
    let error = init(&["-f", ".env.Test.enc"]).refuses(2);
    assert!(error.contains("between .env. and .enc there has to be a label"), "{error}");
    assert_eq!(init(&["-f", "nowhere/x.enc"]).refuses(2), "error: nowhere: no such folder");
    assert!(init(&["-e", "Not A Label"]).refuses(2).contains("--env is no name of an environment"));
}

#[test]
fn init_keeps_plaintext_out_of_the_repository_and_the_sealed_file_in() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.shell("git init -q . && printf 'node_modules\\n.env*' > .gitignore").succeeds();
    sandbox.envsec(["init", "--work-factor", "15"]).says(
        ".gitignore: now ignores .env and .env.*, but not .env.example and .env*.enc (checked with git check-ignore)\n\
         .gitattributes and this clone's configuration: git diff and git merge now ask envsec about .env*.enc (checked with git check-attr)\n",
    );
    assert!(sandbox.text(".gitignore").starts_with("node_modules\n.env*\n\n# plaintext"));
    sandbox
        .shell("touch .env .env.local .env.example; git add . && git ls-files")
        .prints(".env.enc\n.env.example\n.gitattributes\n.gitignore\n");
    let rules = sandbox.text(".gitignore");
    sandbox.envsec(["init", "--work-factor", "15", "-e", "test"]).succeeds();
    assert_eq!(sandbox.text(".gitignore"), rules);
}

#[test]
fn init_says_when_another_ignore_rule_wins() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.shell("git init -q . && mkdir app && echo '*.enc' > app/.gitignore && mkdir app/in").succeeds();
    let output = sandbox.envsec(["init", "--work-factor", "15"]).folder(sandbox.join("app/in")).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("warning: ")
            && said.contains("still wins for .env.enc, .env.production.enc: git check-ignore -v"),
        "{said}"
    );
}

#[test]
fn init_leaves_gitignore_alone_when_told_or_outside_of_a_repository() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.envsec(["init", "--work-factor", "15"]).succeeds();
    sandbox.shell("git init -q .").succeeds();
    sandbox.envsec(["init", "--work-factor", "15", "--no-git", "-f", "other.enc"]).succeeds();
    assert_eq!(sandbox.files(), [".env.enc", ".git", "other.enc"]);
}

#[test]
fn init_changes_nothing_where_it_cannot_make_a_file() {
    let sandbox = Sandbox::new();
    sandbox.shell("git init -q . && mkdir sub && chmod 777 . && chmod 555 sub").succeeds();
    std::fs::copy(crate::harness::ENVSEC, sandbox.join("bin")).unwrap();
    let script = "cd sub && ../bin init --raw-key; echo $?; ls -A .. .";
    let as_user = format!("chmod 755 bin; setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '{script}'");
    let output = sandbox.shell(if rustix::process::getuid().is_root() { &as_user } else { script }).output();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n.:\n\n..:\n.git\nbin\nsub\n");
    sandbox.shell("chmod 755 sub").succeeds();
}

#[test]
fn init_refuses_what_does_not_go_together() {
    let sandbox = Sandbox::new();
    let init = |args: &[&str]| sandbox.envsec([&["init"], args].concat()).variable("ENVSEC_PASSWORD", PASSWORD);
    assert!(init(&["--expand"]).refuses(2).contains("need --from FILE"));
    sandbox.write("pw", PASSWORD);
    sandbox.shell("chmod 600 pw").succeeds();
    assert_eq!(
        init(&["--password-file", "pw", "--password-command", "cat pw"]).refuses(2),
        "error: there is one new password to be set, but several were given: --password-file, --password-command"
    );
    assert_eq!(sandbox.files(), ["pw"]);
}

#[test]
fn init_does_not_write_through_a_link() {
    let sandbox = Sandbox::new();
    sandbox.shell("git init -q . && touch elsewhere && ln -s elsewhere .gitignore").succeeds();
    let error = sandbox.envsec(["init", "--work-factor", "15"]).variable("ENVSEC_PASSWORD", PASSWORD).refuses(1);
    assert!(error.ends_with(".gitignore: cannot add lines to it: not a regular file"), "{error}");
    assert_eq!((sandbox.text("elsewhere").as_str(), sandbox.files().len()), ("", 3));
}

#[test]
fn init_adds_its_ignore_rules_once() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.shell("git init -q . && mkdir -p app/in && echo '*.enc' > app/.gitignore").succeeds();
    for name in ["a.enc", "b.enc"] {
        let run = sandbox.envsec(["init", "--work-factor", "15", "-f", name]).folder(sandbox.join("app/in"));
        let said = String::from_utf8(run.output().stderr).unwrap();
        assert!(said.contains("/.gitignore: added rules for env files, but another rule still wins"), "{said}");
    }
    assert_eq!(sandbox.text(".gitignore").matches("!.env*.enc").count(), 1);
}

#[test]
fn init_brings_a_file_in_or_makes_nothing() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.write(".env", "A=a#b\nB=2\n");
    let args = ["init", "--work-factor", "15", "--from", ".env"];
    assert!(sandbox.envsec(args).refuses(1).starts_with("error: .env:1:4: E_AMBIG_HASH: A: "));
    assert_eq!(sandbox.files(), [".env"]);
    sandbox.write(".env", "# mine\nA='a#b'\nB=2\n");
    sandbox.envsec([&args[..], &["--plain", "B"]].concat()).says(
        ".env.enc: 2 names imported\n\
         .env is still there, in plaintext: remove it when you no longer need it\n",
    );
    sandbox.envsec(["list"]).prints("A  secret\nB  plain\n");
    let from_stdin = ["init", "--work-factor", "15", "--from", "-", "-f", "other.enc"];
    sandbox.envsec(from_stdin).stdin("C=3").says("other.enc: 1 name imported\n");
}

#[test]
fn set_changes_two_lines_and_the_same_value_none() {
    let sandbox = Sandbox::with(&[("A", "1"), ("B", "2"), ("C", "3")]);
    let before = sandbox.text(".env.enc");
    sandbox.envsec(["set", "B"]).stdin("changed").succeeds();
    let after = sandbox.text(".env.enc");
    assert_eq!(changed_lines(&before, &after), [4, 7]);
    let modified = sandbox.join(".env.enc").metadata().unwrap().modified().unwrap();
    sandbox.envsec(["set", "B"]).stdin("changed\n").succeeds();
    assert_eq!(sandbox.text(".env.enc"), after);
    assert_eq!(sandbox.join(".env.enc").metadata().unwrap().modified().unwrap(), modified);
}

#[test]
fn git_shows_two_changed_lines() {
    let sandbox = Sandbox::with(&[("A", "1"), ("B", "2")]);
    sandbox.shell("git init -q . && git add .env.enc").succeeds();
    sandbox.envsec(["set", "A"]).stdin("changed").succeeds();
    sandbox.shell("git diff --numstat").prints("2\t2\t.env.enc\n");
}

#[test]
fn set_takes_one_newline_off_standard_input() {
    let sandbox = Sandbox::sealed();
    for (stdin, value) in [("a\n", "a"), ("a\n\n", "a\n"), ("\n\n", "\n"), (" a ", " a ")] {
        sandbox.envsec(["set", "A"]).stdin(stdin).succeeds();
        sandbox.envsec(["get", "A"]).prints(value);
        sandbox.envsec(["set", "A", "--keep-newline"]).stdin(stdin).succeeds();
        sandbox.envsec(["get", "A"]).prints(stdin);
    }
}

#[test]
fn a_value_that_ends_in_a_carriage_return_draws_a_warning() {
    let sandbox = Sandbox::sealed();
    sandbox
        .envsec(["set", "A"])
        .stdin("a\r\n")
        .says("warning: A: the value ends in a carriage return (a text from Windows?)\n");
    sandbox.envsec(["get", "A"]).prints("a\r");
}

#[test]
fn standard_input_serves_once() {
    let sandbox = Sandbox::with(&[("A", "old")]);
    let key = &sandbox.key;
    for flag in ["--key-fd 0", "--key-file /dev/stdin"] {
        let script = format!("echo {key} | env -u ENVSEC_KEY envsec set A {flag}");
        assert!(sandbox.shell(&script).refuses(1).contains("it was read already, for a credential or a value"));
        let script = format!("echo {key} | env -u ENVSEC_KEY envsec import - {flag}");
        assert!(sandbox.shell(&script).refuses(1).starts_with("error: standard input:1:"));
    }
    sandbox.envsec(["get", "A"]).prints("old");
}

#[test]
fn set_takes_arguments_with_a_warning_unless_plain() {
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["set", "A", "v=1"]).says(ARGUMENT_WARNING);
    sandbox.envsec(["set", "B=x=y", "C="]).says(ARGUMENT_WARNING);
    sandbox.envsec(["set", "--plain", "PORT=3000", "LEVEL=info"]).succeeds();
    sandbox.envsec(["-q", "set", "A", "--", "-v"]).succeeds();
    for (name, value) in [("A", "-v"), ("B", "x=y"), ("C", ""), ("PORT", "3000"), ("LEVEL", "info")] {
        sandbox.envsec(["get", name]).prints(value);
    }
    assert!(sandbox.text(".env.enc").ends_with("\nLEVEL=info\nPORT=3000\n"));
}

#[test]
fn several_assignments_are_one_write() {
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["set", "--plain", "A=1", "B=2", "C=3"]).succeeds();
    assert!(sandbox.text(".env.enc").contains("#envsec:seal rev=2 "));
}

#[test]
fn set_refuses_what_makes_no_sense() {
    let sandbox = Sandbox::sealed();
    let before = sandbox.text(".env.enc");
    for args in [&["set", "A", "b", "c"][..], &["set", "A=1", "B"], &["set"], &["set", "A", "1", "--generate", "uuid"]]
    {
        sandbox.envsec(args).refuses(2);
    }
    for bad in ["1A", "A-B", "A.B", "", "é", "=x", "A B=1"] {
        assert!(sandbox.envsec(["set", bad]).stdin("x").refuses(2).contains("cannot be a variable's name"), "{bad}");
    }
    assert!(sandbox.envsec(["set", "A", "--plain", "--secret"]).refuses(2).contains("cannot be used with"));
    assert!(sandbox.envsec(["set", "A", "--generate", "hex:0"]).refuses(2).contains("hex:N"));
    assert!(sandbox.envsec(["set", "ENVSEC_PASSWORD_OLD"]).stdin("x").refuses(2).contains("no child gets them"));
    assert_eq!(sandbox.text(".env.enc"), before);
}

#[test]
fn set_takes_no_empty_value_from_a_command_that_failed() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let refused =
        "error: A: the value is empty; nothing was changed\nhint: an empty value is stored by: envsec set A=\n";
    for empty in ["", "\n"] {
        sandbox.envsec(["set", "A"]).stdin(empty).fails(2, refused);
        sandbox.envsec(["set", "--plain", "A"]).stdin(empty).fails(2, refused);
    }
    sandbox.envsec(["get", "A"]).prints("1");
    sandbox.envsec(["set", "A="]).succeeds();
    sandbox.envsec(["get", "A"]).prints("");
}

#[test]
fn set_refuses_values_that_no_environment_holds() {
    let sandbox = Sandbox::sealed();
    let before = sandbox.text(".env.enc");
    let base64 = "hint: binary data travels as base64: base64 FILE | envsec set NAME\n";
    let nul = format!("error: the value holds a NUL byte, which no environment variable can hold\n{base64}");
    sandbox.envsec(["set", "A"]).stdin(b"a\0b").fails(1, &nul);
    sandbox.envsec(["set", "A"]).stdin(b"caf\xe9").fails(1, &format!("error: the value is not UTF-8 text\n{base64}"));
    let long = vec![b'x'; 256 * 1024 + 1];
    sandbox.envsec(["set", "A"]).stdin(&long).fails(1, "error: the value is longer than 262144 bytes\n");
    sandbox.envsec(["set", "A"]).stdin([long.clone(), long].concat()).refuses(1);
    assert_eq!(sandbox.text(".env.enc"), before);
    sandbox.envsec(["set", "A"]).stdin("x".repeat(256 * 1024)).succeeds();
    sandbox.envsec(["get", "A"]).prints("x".repeat(256 * 1024));
}

#[test]
fn set_generates() {
    let sandbox = Sandbox::sealed();
    for (kind, length) in [("hex:32", 64), ("base64:32", 44), ("password:24", 24), ("uuid", 36)] {
        sandbox.envsec(["set", "A", "--generate", kind]).succeeds();
        let value = sandbox.envsec(["get", "A"]).output().stdout;
        assert_eq!(value.len(), length, "{kind}");
    }
}

#[test]
fn an_entry_keeps_its_kind_unless_told() {
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["set", "--plain", "LEVEL=info"]).succeeds();
    sandbox.envsec(["set", "LEVEL"]).stdin("debug").succeeds();
    sandbox.envsec(["list"]).prints("LEVEL  plain\n");
    sandbox.envsec(["set", "LEVEL", "--secret"]).stdin("debug").succeeds();
    sandbox.envsec(["list"]).prints("LEVEL  secret\n");
    sandbox.envsec(["set", "LEVEL"]).stdin("trace").succeeds();
    sandbox.envsec(["list"]).prints("LEVEL  secret\n");
    sandbox.envsec(["set", "LEVEL", "--plain"]).stdin("trace").succeeds();
    sandbox.envsec(["get", "LEVEL"]).prints("trace");
    sandbox.envsec(["list"]).prints("LEVEL  plain\n");
}

#[test]
fn get_says_what_is_not_there() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let missing = "error: NOPE: no such name in the sealed file\nhint: envsec list shows the names\n";
    sandbox.envsec(["get", "NOPE"]).fails(2, missing);
    sandbox.envsec(["get"]).refuses(2);
}

#[test]
fn a_closed_pipe_ends_quietly_and_a_full_disk_does_not() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.envsec(["set", "BIG"]).stdin("x".repeat(200_000)).succeeds();
    sandbox.shell("set -o pipefail; envsec get BIG | true").succeeds();
    let output = sandbox.shell("envsec get BIG >/dev/full").output();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn list_needs_no_credential() {
    let sandbox = Sandbox::with(&[("LONGER_NAME", "1")]);
    sandbox.envsec(["set", "--plain", "B=2"]).succeeds();
    sandbox.envsec(["list"]).without("ENVSEC_KEY").prints("B            plain\nLONGER_NAME  secret\n");
    let json: serde_json::Value = serde_json::from_slice(&sandbox.envsec(["list", "--json"]).output().stdout).unwrap();
    let expected = [("B", "plain"), ("LONGER_NAME", "secret")].map(|(name, storage)| {
        serde_json::json!({"name": name, "storage": storage, "file": ".env.enc", "changed": null, "due": null,
                           "previous_until": null, "pending_since": null})
    });
    assert_eq!(json, serde_json::json!(expected));
    Sandbox::sealed().envsec(["list"]).succeeds();
    Sandbox::sealed().envsec(["list", "--json"]).prints("[]\n");
}

#[test]
fn unset_removes_all_or_nothing() {
    let sandbox = Sandbox::with(&[("A", "1"), ("B", "2"), ("C", "3")]);
    let before = sandbox.text(".env.enc");
    sandbox.envsec(["unset", "A", "X", "B", "Y"]).fails(
        2,
        "error: no such name in the sealed file: X, Y\nhint: nothing was removed; envsec list shows the names\n",
    );
    assert_eq!(sandbox.text(".env.enc"), before);
    sandbox.envsec(["unset", "A", "C"]).succeeds();
    sandbox.envsec(["list"]).prints("B  secret\n");
}

#[test]
fn help_has_examples_for_every_verb() {
    let sandbox = Sandbox::new();
    for verb in VERBS {
        let output = sandbox.envsec([verb, "--help"]).output();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains("Examples:\n  envsec "), "{verb}");
    }
    let output = sandbox.envsec(["--version"]).output();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("envsec {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_is_a_verb_too() {
    let sandbox = Sandbox::new();
    for (asked, as_flag) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "get"], &["get", "--help"]),
        (&["help", "slot", "add"], &["slot", "add", "--help"]),
    ] {
        sandbox.envsec(asked).prints(sandbox.envsec(as_flag).output().stdout);
    }
    assert_eq!(sandbox.envsec(["help", "nope"]).refuses(2), "error: unrecognized subcommand 'nope'");
}

#[test]
fn a_flags_value_is_not_taken_for_the_verb() {
    let sandbox = Sandbox::with(&[("get", "1"), ("list", "2")]);
    sandbox.shell("cp .env.enc get").succeeds();
    sandbox.envsec(["-f", "get", "get", "list"]).prints("2");
    sandbox.envsec(["-f", "get", "run", "--", "printenv", "get", "list"]).prints("1\n2\n");
    sandbox.envsec(["run", "-f", "get", "--", "printenv", "get"]).prints("1\n");
    let expected = "error: unrecognized subcommand 'xyz'\n\nUsage: envsec [OPTIONS] <COMMAND>\n\n\
                    For more information, try '--help'.\n";
    sandbox.envsec(["-f", "get", "xyz", "list"]).fails(2, expected);
}

#[test]
fn an_argument_that_is_no_flag_is_not_quoted() {
    let sandbox = Sandbox::sealed();
    let output = sandbox.envsec(["set", "KEY", "-----BEGIN CANARY KEY-----"]).output();
    assert_eq!(output.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("CANARY"));
    for args in [
        &["get", "A", "CANARY"][..],
        &["CANARY"],
        &["get", "A", "--password-fd", "CANARY"],
        &["set", "A", "--generate", "CANARY"],
        &["set", "A", "--plain=CANARY"],
        &["set", "CANARY!"],
        &["init", "--work-factor", "CANARY"],
        &["get", "A", "--key-file", "envsec_key_1_CANARY"],
        &["get", "A=CANARY"],
        &["unset", "A", "B=CANARY"],
        &["set", "-x=CANARY"],
        &["set", "A-B=CANARY"],
    ] {
        let output = sandbox.envsec(args).output();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("CANARY"), "{args:?}");
    }
}
