//! What may go wrong around a rotation: hooks that misbehave, files that others change, and command lines that contradict
//! themselves.

use crate::harness::{ENVSEC, Run, Sandbox};

#[test]
fn values_that_wait_or_are_handed_out_are_not_shown_either() {
    let sandbox = Sandbox::with(&[("A", "a-secret-1"), ("WAITS", "a-secret-2"), ("GRACE", "a-secret-3")]);
    sandbox.envsec(["rotate", "WAITS", "--on-set", "false"]).stdin("it-waits-4").refuses(7);
    sandbox.envsec(["rotate", "GRACE", "--grace", "1h"]).stdin("in-use-5").succeeds();
    let hook = "echo a-secret-1 a-secret-2 a-secret-3 it-waits-4 in-use-5 a-new-one-6";
    let shown = "[A] [WAITS] [GRACE] [WAITS] [GRACE] [A]\n";
    sandbox.envsec(["rotate", "A", "--on-set", hook]).stdin("a-new-one-6").says(shown);
}

/// The value of a name.
fn get(sandbox: &Sandbox, name: &str) -> String {
    let output = sandbox.envsec(["get", name]).output();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hooks_end_although_the_starter_ignores_its_children() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let rotate =
        |hook: &str| sandbox.shell(&format!("echo two | env --ignore-signal=CHLD envsec rotate A --on-set '{hook}'"));
    let ignored = sandbox.shell("env --ignore-signal=CHLD grep SigIgn /proc/self/status").output().stdout;
    let ignored = String::from_utf8(ignored).unwrap();
    let mask = u64::from_str_radix(ignored.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    assert!(mask & (1 << 16) != 0, "SIGCHLD is ignored: {ignored}");
    let refused = rotate("exit 3").refuses(7);
    assert_eq!(refused, "error: A: the command of the step set failed: exit status: 3");
    sandbox.envsec(["rotate", "A", "--abort", "--yes"]).succeeds();
    rotate("cat >service").succeeds();
    assert_eq!((get(&sandbox, "A"), sandbox.text("service")), ("two".into(), "two".into()));
}

/// The same command line at another time: `+2h`.
fn at<'s>(sandbox: &'s Sandbox, when: &str, args: &[&str]) -> Run<'s> {
    sandbox.command("faketime", [&["-f", when, ENVSEC], args].concat())
}

#[test]
fn what_is_due_of_a_pair_is_done_once_whichever_name_comes_first() {
    for names in [["DB_USER", "DB_PASSWORD"], ["DB_PASSWORD", "DB_USER"]] {
        let sandbox = Sandbox::with(&names.map(|name| (name, "app_a")));
        sandbox.write(
            "env.schema.json",
            r#"{"properties": {"DB_PASSWORD": {"x-envsec": {"rotateEvery": "1d", "generate": "hex:8", "grace": "1h",
               "rotation": {"pair": "DB_USER=app_a,app_b", "onSet": "true", "onFinish": "cat <&3 >revoked"}}}}}"#,
        );
        let previous = |when| {
            let output = at(&sandbox, when, &["run", "--only", "DB_*", "--", "env"]).output().stdout;
            let output = String::from_utf8(output).unwrap();
            output.lines().filter(|line| line.contains("_PREVIOUS=")).count()
        };
        sandbox.envsec(["rotate", "DB_PASSWORD", "--run-hooks"]).succeeds();
        assert_eq!(previous("+1m"), 2);
        let copy = sandbox.read(".env.enc");
        // Only its time of grace is over.
        at(&sandbox, "+2h", &["rotate", "--due", "--run-hooks"]).succeeds();
        assert_eq!(sandbox.text("revoked"), "app_a");
        assert!(!sandbox.text(".env.enc").contains(" previous="));
        // A new value is due as well: its old one is not handed out without its user.
        sandbox.write(".env.enc", copy);
        at(&sandbox, "+2d", &["rotate", "--due", "--run-hooks"]).succeeds();
        assert_eq!(previous("+2d"), 2, "{names:?}");
    }
}

#[test]
fn command_lines_that_contradict_themselves_change_nothing() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "x")]);
    let declared = r#"{"properties": {"A": {"x-envsec": {"rotation": {"pair": "A=one,two", "onSet": "true"}}}}}"#;
    let before = sandbox.read(".env.enc");
    for (args, error) in [
        (&["A", "B", "A", "--generate", "hex:8"][..], "A: given twice"),
        (&["A", "A", "--finish"], "A: given twice"),
        (
            &["A", "--pair", "A=one,two"],
            "A: holds either the secret or its user: --pair takes the name of another variable",
        ),
        // A variable that is not set where the command is to come from: no service would know the new value.
        (&["A", "--on-set", ""], "invalid value '...' for '--on-set <CMD>': no command"),
        (&["A", "--on-abort=", "--abort"], "invalid value '...' for '--on-abort <CMD>': no command"),
        (&["A", "--resume", "--generate", "hex:8"], "the argument '--resume' cannot be used with '--generate <KIND>'"),
        (&["A", "--abort", "--no-generate"], "the argument '--abort' cannot be used with '--no-generate'"),
        (&["A", "--finish", "--keep-newline"], "the argument '--finish' cannot be used with '--keep-newline'"),
    ] {
        let refused = sandbox.envsec([&["rotate"], args].concat()).stdin("new").refuses(2);
        assert_eq!(refused, format!("error: {error}"), "{args:?}");
    }
    sandbox.write("env.schema.json", declared);
    let refused = sandbox.envsec(["rotate", "A", "--run-hooks"]).stdin("new").refuses(2);
    assert!(refused.starts_with("error: A: holds either the secret or its user"), "{refused}");
    assert!(sandbox.read(".env.enc") == before);
}

#[test]
fn a_rotation_goes_on_under_the_rules_under_which_one_begins() {
    let sandbox = Sandbox::with(&[("A", "one"), ("A_PREVIOUS", "mine"), ("B", "x")]);
    for name in ["A", "B"] {
        sandbox.envsec(["rotate", name, "--on-set", "false"]).stdin("two").refuses(7);
    }
    let before = sandbox.read(".env.enc");
    // Else run would have two values for A_PREVIOUS, and start nothing until the end of the time of grace.
    let resume = |name| ["rotate", name, "--resume", "--on-set", "touch ran", "--grace", "1h"];
    assert_eq!(
        sandbox.envsec(resume("A")).refuses(2),
        "error: A: its old value could not be handed out: A_PREVIOUS is a variable of its own, or too long a name"
    );
    // Else the time of grace would be over before it begins.
    let refused = at(&sandbox, "-365d", &resume("B")).refuses(1);
    assert!(refused.starts_with("error: the file speaks of a change at 20"), "{refused}");
    assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc"]);
    // The way back is open whatever the clock says.
    at(&sandbox, "-365d", &["rotate", "B", "--abort", "--yes"]).succeeds();
    sandbox.envsec(["rotate", "A", "--resume", "--yes"]).succeeds();
    assert_eq!((get(&sandbox, "A"), get(&sandbox, "B")), ("two".into(), "x".into()));
}

#[test]
fn a_rotation_whose_predecessor_cannot_be_ended_does_not_begin() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    sandbox.envsec(["rotate", "A", "--on-finish", "exit 3"]).stdin("two").refuses(7);
    let before = sandbox.read(".env.enc");
    sandbox.envsec(["rotate", "A", "--on-set", "touch ran", "--on-finish", "exit 3"]).stdin("three").fails(
        7,
        "error: A: the command of the step finish failed: exit status: 3\n\
         hint: the value is as it was; envsec rotate A --finish ends its last rotation, whose step this is\n",
    );
    assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc"]);
}

#[test]
fn a_hook_knows_of_no_user_but_that_of_its_own_pair() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let rotate = ["rotate", "A", "--on-set", "echo ${ENVSEC_IDLE-none}"];
    sandbox.envsec(rotate).variable("ENVSEC_IDLE", "somebody").stdin("two").says("none\n");
}

#[test]
fn an_error_begins_a_line_whatever_a_hook_printed() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let output = sandbox.envsec(["rotate", "A", "--on-set", "printf 'no newline'; exit 3"]).stdin("two").output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("no newline\nerror: A: the command of the step set failed"), "{stderr}");
}

#[test]
fn a_file_that_somebody_puts_back_meanwhile_is_told_with_what_the_service_may_have() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let before = sandbox.read(".env.enc");
    sandbox.write("old", &before);
    sandbox.envsec(["rotate", "A", "--on-set", "cat >service; cp old .env.enc"]).stdin("two").fails(
        6,
        "error: .env.enc: somebody put an older revision in its place meanwhile\n\
         hint: envsec status A shows how far it is; its service may have another value\n",
    );
    assert!(sandbox.read(".env.enc") == before && sandbox.text("service") == "two");
}

#[test]
fn what_a_killed_rotation_left_running_ends_before_the_next_one_begins() {
    for (way, last) in [("--resume --on-set", "two"), ("--abort --on-abort", "one")] {
        let sandbox = Sandbox::with(&[("A", "one")]);
        let slow = "echo begun >begun; sleep 1.5; cat >service; echo >>service";
        sandbox.write("new", "two");
        let mut killed = sandbox.shell(&format!("exec envsec rotate A --on-set '{slow}' <new")).spawn();
        let start = std::time::Instant::now();
        while !sandbox.join("begun").exists() && start.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        killed.kill().unwrap(); // -9
        killed.wait().unwrap();
        // The service has what came last, and that is what the file says.
        sandbox.shell(&format!("envsec rotate A {way} 'cat >>service; echo >>service'")).succeeds();
        assert_eq!(sandbox.text("service"), format!("two\n{last}\n"), "{way}");
        sandbox.envsec(["get", "A"]).prints(last);
    }
}

#[test]
fn two_rotations_of_a_name_take_turns_and_leave_nothing_behind() {
    let mut sandbox = Sandbox::with(&[("A", "one"), ("B", "two")]);
    // In memory and private: where turns are taken.
    let folder = tempfile::Builder::new().prefix("envsec-test-").tempdir_in("/dev/shm").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    sandbox.set_variable("XDG_RUNTIME_DIR", folder.path().to_str().unwrap());
    let turns = || std::fs::read_dir(folder.path()).unwrap().count();
    sandbox.envsec(["rotate", "A", "--on-set", "false"]).stdin("x").refuses(7);
    let hook = "echo begin >>log; sleep 0.3; echo end >>log";
    sandbox
        .shell(&format!(
            "for n in 1 2 3; do envsec rotate A --resume --on-set '{hook}' 2>/dev/null & done; wait; \
             envsec rotate B --generate hex:4 --on-set 'true'"
        ))
        .succeeds();
    // The first takes it into use, the others find nothing to go on with.
    assert_eq!(sandbox.text("log"), "begin\nend\n");
    assert_eq!(turns(), 0, "a turn is left behind");
    // A command that does not end is not waited for without end.
    sandbox.envsec(["rotate", "A", "--on-set", "false"]).stdin("y").refuses(7);
    let slow = "envsec rotate B --generate hex:8 --on-set 'touch slow; exec sleep 30.0625'";
    sandbox.shell(&format!("{slow} </dev/null >/dev/null 2>&1 & until [ -e slow ]; do sleep 0.05; done")).succeeds();
    assert_eq!(turns(), 1, "turns are taken elsewhere");
    sandbox.envsec(["rotate", "B", "--resume", "--on-set", "true", "--hook-timeout", "1s"]).fails(
        6,
        "error: B: a command of another rotation of it is still at work\n\
         hint: it has the value that it was started with: let it end, or end it; then try again\n",
    );
    sandbox.shell("pkill -KILL -f '^sleep 30[.]0625' || true").output();
}
