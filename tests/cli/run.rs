//! `envsec run`: the child is what it would be without envsec, plus the values.

use crate::harness::{ENVSEC, PASSWORD, Sandbox};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;

/// Values that other tools have changed, lost or executed.
pub(crate) fn nasty_values() -> Vec<(&'static str, String)> {
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC/+=\n".repeat(20)
    );
    vec![
        ("DOLLARS", "pa$$word@".into()),
        ("COMMANDS", "a$(id -u)b`id`${HOME}$HOME".into()),
        ("HASH", "#x # y#z".into()),
        ("BLANKS", " \t leading and trailing \t ".into()),
        ("PEM", pem),
        ("JSON", "{\"a\": \"b\\n\\\"c\\\"\", \"d\": [1, 2.5e3, null]}\n".into()),
        ("CRLF", "one\r\ntwo\r\n".into()),
        ("LONG", "0123456789abcdef".repeat(4096)),
        ("EMOJI", "👩‍👩‍👧 e\u{301} \u{202e}txt\u{2028}".into()),
        ("EMPTY", String::new()),
        ("QUOTES", "'\"`\\'\\\"\\`$'x'".into()),
        ("ENC", "enc:AAAA".into()),
        ("NEWLINE", "\n".into()),
        ("CONTROLS", "\u{1}\u{1b}[31m\u{7f}\u{85}".into()),
    ]
}

/// The environment that `env -0` printed.
fn environment(stdout: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(stdout).unwrap();
    let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.into(), value.into())).collect()
}

#[test]
fn values_arrive_byte_for_byte() {
    let sandbox = Sandbox::sealed();
    for (name, value) in nasty_values() {
        sandbox.set(&["--keep-newline"], name, &value);
        sandbox.envsec(["get", name]).prints(&value);
    }
    let output = sandbox.envsec(["run", "--", "env", "-0"]).output();
    let got = environment(&output.stdout);
    for (name, value) in nasty_values() {
        assert_eq!(got.get(name), Some(&value), "{name}");
    }
}

#[test]
fn plain_values_arrive_byte_for_byte() {
    let sandbox = Sandbox::sealed();
    for (name, value) in nasty_values() {
        sandbox.set(&["--plain", "--keep-newline"], name, &value);
        sandbox.envsec(["get", name]).prints(&value);
    }
    let got = environment(&sandbox.envsec(["run", "--", "env", "-0"]).output().stdout);
    assert!(nasty_values().iter().all(|(name, value)| got.get(*name) == Some(value)));
}

#[test]
fn the_child_gets_what_was_inherited_and_the_file_and_nothing_else() {
    let sandbox = Sandbox::with(&[("API_KEY", "k")]);
    let output = sandbox.envsec(["run", "--", "env", "-0"]).variable("MINE", "1").output();
    let mut got = environment(&output.stdout);
    assert_eq!(got.remove("API_KEY").as_deref(), Some("k"));
    assert_eq!(got.remove("MINE").as_deref(), Some("1"));
    assert_eq!(got.into_keys().collect::<Vec<_>>(), ["HOME", "LC_ALL", "PATH"]);
}

#[test]
fn no_credential_reaches_the_child() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("pw", PASSWORD);
    let output = sandbox
        .envsec(["run", "--", "env", "-0"])
        .variable("ENVSEC_PASSWORD", PASSWORD)
        .variable("ENVSEC_PASSWORD_FILE", sandbox.join("pw"))
        .variable("ENVSEC_PASSWORD_COMMAND", "cat pw")
        .variable("ENVSEC_FILE", ".env.enc")
        .output();
    let got = environment(&output.stdout);
    let own: Vec<_> = got.keys().filter(|name| name.starts_with("ENVSEC_")).collect();
    assert_eq!(own, ["ENVSEC_FILE"]);
}

#[test]
fn the_password_descriptor_is_closed_in_the_child() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("pw", PASSWORD);
    let script = "chmod 600 pw; envsec run --password-fd 7 -- sh -c 'test -e /dev/fd/7 || echo closed' 7<pw";
    sandbox.shell(script).without("ENVSEC_KEY").prints("closed\n");
}

#[test]
fn the_status_is_the_childs() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.envsec(["run", "--", "sh", "-c", "exit 7"]).fails(7, "");
    let killed = sandbox.envsec(["run", "--", "sh", "-c", "kill -TERM $$"]).output();
    assert_eq!(killed.status.signal(), Some(15));
}

#[test]
fn what_cannot_be_started_has_the_status_of_a_shell() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("data", "no program");
    sandbox.envsec(["run", "--", "no-such-command"]).fails(127, "error: no-such-command: command not found\n");
    sandbox
        .envsec(["run", "--", "./data"])
        .fails(126, "error: ./data: cannot be executed: Permission denied (os error 13)\n");
    sandbox.write("script", "#!/no/such/interpreter\n");
    sandbox.shell("chmod 755 script").succeeds();
    let no_interpreter = "error: ./script: its interpreter is not found (the #! line?)\n";
    sandbox.envsec(["run", "--", "./script"]).fails(127, no_interpreter);
}

#[test]
fn a_running_child_is_the_process_itself() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let mut child = sandbox.envsec(["run", "--", "cat"]).spawn();
    let link = format!("/proc/{}/exe", child.id());
    let became_cat = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::fs::read_link(&link).is_ok_and(|path| path.file_name().is_some_and(|name| name != "envsec"))
    });
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success() && became_cat);
}

#[test]
fn nothing_starts_with_a_wrong_password() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.envsec(["run", "--", "touch", "started"]).without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", "wrong").fails(
        125,
        "error: .env.enc: no slot opens with this password or key\n\
         hint: check the password or key, and that it belongs to this file\n\
         nothing was started (status 4: no credential, or a wrong one)\n",
    );
    assert_eq!(sandbox.files(), [".env.enc"]);
}

#[test]
fn nothing_starts_without_a_file_or_a_command() {
    let sandbox = Sandbox::new();
    sandbox.envsec(["run", "--", "touch", "started"]).fails(
        125,
        "error: no .env.enc here\n\
         hint: make one with: envsec init; or name it: -f FILE\n\
         nothing was started (status 2: usage, or nothing there)\n",
    );
    assert!(sandbox.envsec(["run"]).refuses(125).starts_with("error: the following required arguments"));
    assert!(sandbox.envsec(["run", "--no-such-flag", "--", "true"]).refuses(125).contains("--no-such-flag"));
    assert!(sandbox.envsec(["--no-such-flag", "run", "--", "true"]).refuses(125).contains("--no-such-flag"));
    assert!(sandbox.envsec(["--no-such-flag", "get", "run"]).refuses(2).contains("--no-such-flag"));
    assert!(sandbox.envsec(["-f", "x", "run", "--only"]).refuses(125).contains("--only"));
    assert!(sandbox.files().is_empty());
}

#[test]
fn nothing_starts_when_one_of_several_files_is_broken() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("broken.enc", sandbox.text(".env.enc").replace("rev=", "rev=9"));
    let error = sandbox.envsec(["run", "-f", ".env.enc", "-f", "broken.enc", "--", "touch", "started"]).refuses(125);
    assert_eq!(error, "error: broken.enc: the seal does not match: the file was changed by somebody without a key");
    assert_eq!(sandbox.files(), [".env.enc", "broken.enc"]);
}

#[test]
fn a_variable_that_the_process_has_wins_unless_it_is_empty() {
    let sandbox = Sandbox::with(&[("A", "file"), ("B", "file")]);
    let show = ["run", "--", "sh", "-c", "echo $A $B"];
    sandbox.envsec(show).prints("file file\n");
    sandbox.envsec(show).variable("A", "process").variable("B", "").prints("process file\n");
    let mut forced = vec!["run", "--override"];
    forced.extend(&show[1..]);
    sandbox.envsec(forced).variable("A", "process").prints("file file\n");
}

#[test]
fn only_and_except_choose_names() {
    let sandbox = Sandbox::with(&[("DB_HOST", "h"), ("DB_PASSWORD", "p"), ("API_KEY", "k")]);
    let show = ["--", "sh", "-c", "echo ${DB_HOST-} ${DB_PASSWORD-} ${API_KEY-}"];
    let run = |flags: &[&str]| sandbox.envsec([&["run"], flags, &show].concat());
    run(&["--only", "DB_*"]).prints("h p\n");
    run(&["--only", "DB_*,API_KEY", "--except", "*_PASSWORD"]).prints("h k\n");
    run(&["--except", "*"]).prints("\n");
    assert_eq!(run(&["--only", "DB"]).refuses(125), "error: --only DB: no name in the sealed file matches");
    assert!(run(&["--only", "DB-*"]).refuses(125).contains("no pattern for names"));
}

#[test]
fn later_files_win() {
    let sandbox = Sandbox::with(&[("A", "first"), ("B", "first")]);
    sandbox.write("second.enc", sandbox.read(".env.enc"));
    sandbox.envsec(["set", "-f", "second.enc", "A"]).stdin("second").succeeds();
    let args = ["run", "-f", ".env.enc", "-f", "second.enc", "--", "sh", "-c", "echo $A $B"];
    sandbox.envsec(args).prints("second first\n");
    sandbox.envsec(["get", "-f", ".env.enc", "-f", "second.enc", "A"]).prints("second");
}

#[test]
fn a_value_that_the_system_cannot_hand_over_is_named() {
    let sandbox = Sandbox::with(&[("SMALL", "1")]);
    sandbox.envsec(["set", "BIG"]).stdin("x".repeat(131_072)).succeeds();
    sandbox.envsec(["run", "--", "touch", "started"]).fails(
        125,
        "error: BIG: NAME=VALUE has 131076 bytes, and the system takes at most 131071 in one variable\n\
         hint: leave it out with --except NAME, and hand it over as a file\n\
         nothing was started (status 1: failure)\n",
    );
    sandbox.envsec(["run", "--except", "BIG", "--", "true"]).succeeds();
    sandbox.envsec(["set", "BIG"]).stdin("x".repeat(131_071 - 4)).succeeds();
    sandbox.envsec(["run", "--", "true"]).succeeds();
}

#[test]
fn more_than_the_system_takes_in_all_is_an_error_of_envsec() {
    let sandbox = Sandbox::sealed();
    let text: String = (0..30).map(|n| format!("N{n}={}\n", "x".repeat(100_000))).collect();
    sandbox.envsec(["-q", "import", "-"]).stdin(text).succeeds();
    let error = sandbox.envsec(["run", "--", "true"]).refuses(125);
    assert!(
        error.starts_with("error: true: its arguments and environment have more than the system takes: "),
        "{error}"
    );
}

#[test]
fn a_run_within_a_run_has_a_credential_of_its_own() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("key", &sandbox.key);
    sandbox.shell("chmod 600 key").succeeds();
    let nested = format!("{ENVSEC} run --key-file key -- sh -c 'echo $A'");
    sandbox.envsec(["run", "--", "sh", "-c", &nested]).prints("1\n");
    let without = format!("{ENVSEC} run -- true 2>&1");
    let output = sandbox.envsec(["run", "--", "sh", "-c", &without]).output();
    assert_eq!(output.status.code(), Some(125), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn arguments_after_the_command_are_its_own() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.envsec(["run", "printf", "%s.", "-e", "-f", "--only"]).prints("-e.-f.--only.");
    sandbox.envsec(["run", "--", "printf", "%s.", "--", "-q"]).prints("--.-q.");
}

/// The signal lines of /proc/PID/status that a child inherits.
fn signals(sandbox: &Sandbox, start: &str, launcher: &str) -> String {
    let output = sandbox.shell(&format!("{start} exec {launcher} grep -E '^Sig(Blk|Ign)' /proc/self/status")).output();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn signal_dispositions_and_the_mask_are_inherited() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for start in ["", "trap '' PIPE;", "trap '' HUP INT USR1;", "trap '' PIPE TERM;"] {
        let expected = signals(&sandbox, start, "env");
        assert!(expected.contains("SigIgn"));
        assert_eq!(signals(&sandbox, start, "envsec run --"), expected, "{start}");
    }
    let blocked = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.execvp(sys.argv[1], sys.argv[1:])";
    let start = |launcher: &str| {
        let script = format!("python3 -c '{blocked}' {launcher} grep -E '^Sig(Blk|Ign)' /proc/self/status");
        String::from_utf8(sandbox.shell(&script).output().stdout).unwrap()
    };
    assert_eq!(start("envsec run --"), start("env"));
}

#[test]
fn closed_standard_streams_are_opened_before_any_file_gets_their_number() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let look =
            r#"import os; print(*[os.readlink(f"/proc/self/fd/{n}") for n in range(3)], file=open("streams", "w"))"#;
        sandbox.shell(&format!("envsec run -- python3 -c '{look}' {closed}")).output();
        assert_eq!(sandbox.text("streams").matches("/dev/null").count(), closed.matches('&').count(), "{closed}");
    }
    // What is said on a closed stream does not land in the file that is being written.
    sandbox.shell("printf new | envsec set -v A >&- 2>&-").succeeds();
    sandbox.envsec(["get", "A"]).prints("new");
}

#[test]
fn verbose_says_which_file_slot_and_value_count() {
    let sandbox = Sandbox::with(&[("A", "file"), ("B", "file")]);
    sandbox
        .envsec(["run", "-v", "--", "true"])
        .variable("A", "process")
        .says(".env.enc: revision 3, opened by slot key\nA: the process's value (--override takes the file's)\n");
    sandbox.envsec(["get", "-v", "-q", "A"]).refuses(2);
}

#[test]
fn no_child_gets_a_descriptor_with_a_password_that_was_not_needed() {
    let sandbox = Sandbox::with(&[("A", "x")]);
    sandbox.write("pw", "not needed, since the key opens the file");
    sandbox.shell("chmod 600 pw; printf %s \"$ENVSEC_KEY\" >key; chmod 600 key").succeeds();
    let credentials = "--key-file key --password-fd 7 7<pw";
    let look = "test -e /dev/fd/7 && echo open || echo closed";
    sandbox.shell(&format!("envsec run {credentials} -- sh -c '{look}'")).prints("closed\n");
    sandbox.shell(&format!("envsec rotate A --generate hex:4 {credentials} --on-set '{look}'")).says("closed\n");
}
