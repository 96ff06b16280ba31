//! Values rotate: new ones, the old ones beside them for a while, and the steps at a service.

use crate::harness::{Run, Sandbox};
use crate::terminal::Terminal;
use std::time::{Duration, Instant};

const PENDING: &str =
    "hint: the new value waits in the file: envsec rotate A --resume goes on with it, --abort goes back";

/// The value of a name.
fn get(sandbox: &Sandbox, name: &str) -> String {
    let output = sandbox.envsec(["get", name]).output();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// The rotation line of a name, if there is one.
fn rotation(sandbox: &Sandbox, name: &str) -> Option<String> {
    let text = sandbox.text(".env.enc");
    text.lines().find(|line| line.starts_with(&format!("#envsec:rotation name={name} "))).map(str::to_owned)
}

fn is_pending(sandbox: &Sandbox, name: &str) -> bool {
    rotation(sandbox, name).is_some_and(|line| line.contains(" pending="))
}

fn rev(sandbox: &Sandbox) -> u64 {
    let text = sandbox.text(".env.enc");
    let seal = text.lines().find_map(|line| line.strip_prefix("#envsec:seal rev=")).unwrap();
    seal.split(' ').next().unwrap().parse().unwrap()
}

/// The same command line at another time: `+2h`, `-1y`.
fn at<'s>(sandbox: &'s Sandbox, when: &str, args: &[&str]) -> Run<'s> {
    sandbox.command("faketime", [&["-f", when, crate::harness::ENVSEC], args].concat())
}

fn declare(sandbox: &Sandbox, properties: &str) {
    sandbox.write("env.schema.json", format!(r#"{{"properties": {{{properties}}}}}"#));
}

#[test]
fn the_old_value_is_handed_out_beside_the_new_one_for_a_while() {
    let sandbox = Sandbox::with(&[("API_KEY", "old value")]);
    sandbox.envsec(["rotate", "API_KEY", "--generate", "hex:32", "--grace", "1h"]).succeeds();
    let new = get(&sandbox, "API_KEY");
    assert_eq!(new.len(), 64);
    let both = format!("API_KEY={new}\nAPI_KEY_PREVIOUS=old value\n");
    sandbox.shell("envsec run -- env | grep ^API_KEY | sort").prints(&both);
    sandbox.envsec(["get", "API_KEY", "--previous"]).prints("old value");
    sandbox.envsec(["export"]).prints(format!("API_KEY={new}\n"));
    sandbox.shell("envsec run --no-previous -- env | grep ^API_KEY").prints(format!("API_KEY={new}\n"));
    sandbox.shell("envsec run --except API_KEY -- env | grep ^API_KEY || true").succeeds();
    // Its time is over: nobody has to do anything.
    at(&sandbox, "+61m", &["run", "--", "sh", "-c", "env | grep ^API_KEY"]).prints(format!("API_KEY={new}\n"));
    at(&sandbox, "+61m", &["get", "API_KEY", "--previous"]).fails(
        2,
        "error: API_KEY: no old value of it is handed out\nhint: envsec rotate API_KEY --grace TIME hands one out \
         beside the new one\n",
    );
    at(&sandbox, "+59m", &["get", "API_KEY", "--previous"]).prints("old value");
    // Or it ends early.
    sandbox.envsec(["rotate", "--finish", "API_KEY"]).succeeds();
    sandbox.shell("envsec run -- env | grep ^API_KEY").prints(format!("API_KEY={new}\n"));
    assert!(!rotation(&sandbox, "API_KEY").unwrap().contains("previous"));
    assert_eq!(
        sandbox.envsec(["rotate", "--finish", "API_KEY"]).refuses(2),
        "error: API_KEY: no old value of it is kept"
    );
}

#[test]
fn without_grace_the_old_value_is_gone_in_one_write() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "two"), ("C", "three")]);
    let before = rev(&sandbox);
    sandbox.envsec(["rotate", "A", "B", "--generate", "uuid"]).succeeds();
    assert_eq!(rev(&sandbox), before + 1);
    assert_eq!((get(&sandbox, "A").len(), get(&sandbox, "B").len(), get(&sandbox, "C").len()), (36, 36, 5));
    assert_ne!(get(&sandbox, "A"), get(&sandbox, "B"));
    assert!(!rotation(&sandbox, "A").unwrap().contains("previous") && rotation(&sandbox, "C").is_none());
    // From now on a change moves the line.
    at(&sandbox, "+1d", &["set", "A"]).stdin("four").succeeds();
    let changed = |name: &str| rotation(&sandbox, name).unwrap().split(" at=").nth(1).unwrap().to_owned();
    assert!(changed("A") > changed("B"));
}

#[test]
fn a_new_value_comes_from_where_set_takes_it_too() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "two")]);
    sandbox.envsec(["rotate", "A"]).stdin("piped\n").succeeds();
    assert_eq!(get(&sandbox, "A"), "piped");
    sandbox.envsec(["rotate", "A", "--keep-newline"]).stdin("piped\n").succeeds();
    assert_eq!(get(&sandbox, "A"), "piped\n");
    sandbox.envsec(["rotate", "A", "B"]).stdin("x").fails(
        2,
        "error: one value goes to one name: 2 names were given\n\
         hint: rotate them one by one, or let --generate KIND make the values\n",
    );
    let mut terminal = Terminal::start(&sandbox, "envsec rotate A B");
    let ended = terminal.sees("New value for A: ").types("typed\n").sees("New value for B: ").types("too\n").ends();
    assert_eq!((ended.status, get(&sandbox, "A"), get(&sandbox, "B")), (0, "typed".into(), "too".into()));
    declare(&sandbox, r#""A": {"x-envsec": {"generate": "hex:4", "grace": "2h"}}"#);
    sandbox.envsec(["rotate", "A"]).stdin("not this").succeeds();
    assert_eq!(get(&sandbox, "A").len(), 8);
    sandbox.envsec(["get", "A", "--previous"]).prints("typed");
    sandbox.envsec(["rotate", "--finish", "A"]).succeeds();
    sandbox.envsec(["rotate", "A", "--no-generate", "--no-grace"]).stdin("but this").succeeds();
    assert_eq!(get(&sandbox, "A"), "but this");
    sandbox.envsec(["get", "A", "--previous"]).refuses(2);
}

#[test]
fn an_empty_new_value_is_refused() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let before = sandbox.read(".env.enc");
    for nothing in ["", "\n"] {
        sandbox.envsec(["rotate", "A", "--on-set", "touch ran"]).stdin(nothing).fails(
            2,
            "error: A: the new value is empty; nothing was changed\n\
             hint: type it, pipe it in, or let --generate KIND make it; envsec set NAME= stores an empty value\n",
        );
    }
    assert!(sandbox.read(".env.enc") == before && !sandbox.join("ran").exists());
}

#[test]
fn what_is_due_and_a_name_have_flags_of_their_own() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    declare(&sandbox, r#""A": {"x-envsec": {"generate": "hex:4", "rotateEvery": "90d"}}"#);
    let before = sandbox.read(".env.enc");
    for args in [
        &["A", "--dry-run"][..],
        &["A", "--dry-run", "--json"],
        &["--due", "--generate", "hex:8"],
        &["--due", "--on-set", "true"],
        &["--due", "--pair", "A=a,b"],
        &["--due", "--finish"],
        &["--due", "--resume"],
        &["--due", "--abort"],
        &["--due", "--drop-slot", "key"],
    ] {
        let refused = sandbox.envsec([&["rotate"], args].concat()).refuses(2);
        assert!(refused.contains("cannot be used with"), "{args:?}: {refused}");
    }
    assert!(sandbox.read(".env.enc") == before);
}

#[test]
fn what_cannot_be_rotated_is_refused_before_anything_is_made() {
    let sandbox = Sandbox::with(&[("A", "one"), ("A_PREVIOUS", "mine"), ("B", "two")]);
    sandbox.envsec(["set", "--plain", "PLAIN=x"]).succeeds();
    declare(&sandbox, r#""B": {"minLength": 40, "x-envsec": {"generate": "hex:4"}}"#);
    let before = sandbox.read(".env.enc");
    for (args, status, error) in [
        (&["NOWHERE"][..], 2, "NOWHERE: no such name in the sealed file"),
        (&["PLAIN"], 2, "PLAIN: is stored plain, so there is no secret to rotate"),
        (
            &["A", "--grace", "1h"],
            2,
            "A: its old value could not be handed out: A_PREVIOUS is a variable of its own, or too long a name",
        ),
        (&["B"], 3, "env.schema.json: 1 problem"),
        (&["B", "--resume"], 2, "B: no rotation of it is pending"),
        (&["B", "--abort", "--yes"], 2, "B: no rotation of it is pending"),
        (
            &["A", "--renew", "key"],
            2,
            "--renew, --drop-slot and --drop-line are for a new data key, which is made without a NAME",
        ),
        (&["A", "B", "--pair", "A=a,b"], 2, "--pair is for one name"),
        (&["B", "--pair", "A=a,b"], 2, "A: holds neither of the two users"),
        (&["B", "--pair", "PLAIN=x,y"], 2, "PLAIN: is stored plain, so there is no secret to rotate"),
        (&["A", "--run-hooks"], 2, "A: the declaration has no commands that change it at its service"),
    ] {
        let more: &[&str] = if args.contains(&"--resume") { &["--yes"] } else { &[] };
        let refused = sandbox.envsec([&["rotate"], args, more].concat()).stdin("new").refuses(status);
        assert_eq!(refused, format!("error: {error}"), "{args:?}");
    }
    sandbox.envsec(["rotate", "PLAIN"]).stdin("new").fails(
        2,
        "error: PLAIN: is stored plain, so there is no secret to rotate\n\
         hint: store it encrypted: envsec set --secret PLAIN\n",
    );
    assert_eq!(
        sandbox.envsec(["rotate", "A"]).stdin("one").refuses(2),
        "error: A: the new value is the one that it has already"
    );
    for args in [
        &["--grace", "1h"][..],
        &["--on-set", "true"],
        &["--dry-run"],
        &["--due", "A"],
        &["A", "--resume", "--abort"],
        &["A", "--grace", "soon"],
        &["A", "--pair", "B"],
        &["--due", "--json"],
        &["--finish"],
    ] {
        sandbox.envsec([&["rotate"], args].concat()).refuses(2);
    }
    assert!(sandbox.read(".env.enc") == before);
}

#[test]
fn every_step_gets_the_values_through_pipes_and_nothing_else() {
    let sandbox = Sandbox::with(&[("A", "the old value")]);
    let tell = |step: &str| {
        format!(
            "echo {step} $NAME $ENVSEC_STEP >>told; cat >>told; echo >>told; cat <&3 >>told; echo >>told; \
             tr '\\0' '\\n' </proc/self/environ | grep -c -e ENVSEC_KEY -e ENVSEC_PASSWORD -e 'n[e]w value' -e 'o[l]d value' >>told; \
             tr '\\0' ' ' </proc/$$/cmdline | grep -c -e 'n[e]w value' -e 'o[l]d value' >>told; true"
        )
    };
    let (set, test, finish) = (tell("1"), tell("2"), tell("3"));
    let hooks = ["--on-set", &set, "--on-test", &test, "--on-finish", &finish];
    sandbox.envsec([&["rotate", "A"], &hooks[..]].concat()).stdin("the new value").succeeds();
    let told = |number: u8, step: &str| format!("{number} A {step}\nthe new value\nthe old value\n0\n0\n");
    assert_eq!(sandbox.text("told"), [told(1, "set"), told(2, "test"), told(3, "finish")].concat());
    assert_eq!(get(&sandbox, "A"), "the new value");
    assert_eq!(rotation(&sandbox, "A").unwrap().split(' ').count(), 3, "nothing pending, nothing previous");
}

#[test]
fn what_a_hook_prints_is_shown_without_the_values_that_the_file_knows() {
    let sandbox = Sandbox::with(&[("A", "old-secret-1"), ("OTHER", "other-secret-2")]);
    let hook = "cat; echo; base64; cat <&3 >&2; echo; printf %s other-secret-2 | base64; printf %s other-secret-2 | od -An -tx1 | tr -d \" \\n\"; echo; echo done";
    sandbox
        .envsec(["rotate", "A", "--on-set", hook])
        .stdin("new-secret-3")
        .says("[A]\n[A]\n[OTHER]I=\n[OTHER]\ndone\n");
}

#[test]
fn a_step_that_fails_leaves_the_new_value_in_the_file_to_go_on_or_back() {
    for step in ["--on-set", "--on-test"] {
        let sandbox = Sandbox::with(&[("A", "one"), ("B", "x")]);
        sandbox.envsec(["rotate", "A", step, "exit 3"]).stdin("two").fails(
            7,
            &format!(
                "error: A: the command of the step {} failed: exit status: 3\n{PENDING}\n",
                step.strip_prefix("--on-").unwrap()
            ),
        );
        assert!(is_pending(&sandbox, "A") && get(&sandbox, "A") == "one");
        // Everything else goes on; nobody overwrites what a service may have.
        sandbox.envsec(["set", "B"]).stdin("y").succeeds();
        for args in [&["set", "A"][..], &["rotate", "A"], &["rotate", "A", "--on-set", "true"]] {
            assert_eq!(
                sandbox.envsec(args).stdin("three").refuses(6),
                "error: A: a rotation of it is pending: its new value waits in the file"
            );
        }
        let list = String::from_utf8(sandbox.envsec(["list"]).output().stdout).unwrap();
        assert!(list.starts_with("A  secret  rotation pending since 20"), "{list}");
        // Nothing tells the service: only a person can know.
        for (way, flag) in [("--resume", "--on-set"), ("--abort", "--on-abort")] {
            sandbox.envsec(["rotate", "A", way]).fails(
                2,
                &format!(
                    "error: A: no command tells its service, so only you can know what value it has\n\
                     hint: {flag} CMD, or --run-hooks; or --yes, if it is as it should be\n"
                ),
            );
        }
        let copy = sandbox.read(".env.enc");
        sandbox.envsec(["rotate", "A", "--resume", "--on-set", "cat >service", "--grace", "1h"]).succeeds();
        assert_eq!((sandbox.text("service"), get(&sandbox, "A")), ("two".into(), "two".into()));
        sandbox.envsec(["get", "A", "--previous"]).prints("one");
        // And back.
        sandbox.write(".env.enc", copy);
        sandbox.envsec(["rotate", "A", "--abort", "--on-abort", "exit 1"]).refuses(7);
        assert!(is_pending(&sandbox, "A"));
        sandbox.envsec(["rotate", "A", "--abort", "--on-abort", "cat >service; cat <&3 >dropped"]).succeeds();
        assert_eq!((sandbox.text("service"), sandbox.text("dropped")), ("one".into(), "two".into()));
        assert_eq!((get(&sandbox, "A"), rotation(&sandbox, "A")), ("one".into(), None));
    }
}

#[test]
fn a_person_is_asked_what_the_service_has() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    sandbox.envsec(["rotate", "A", "--on-set", "false"]).stdin("two").refuses(7);
    let question = "A: the new value will be gone. Does its service have the current one? [y/N] ";
    let mut terminal = Terminal::start(&sandbox, "envsec rotate A --abort");
    let ended = terminal.sees(question).types("\n").ends();
    assert!(ended.status == 1 && is_pending(&sandbox, "A"));
    let mut terminal = Terminal::start(&sandbox, "envsec rotate A --resume");
    let ended = terminal.sees("A: Does its service have the new value already? [y/N] ").types("y\n").ends();
    assert_eq!((ended.status, get(&sandbox, "A")), (0, "two".into()));
}

#[test]
fn the_old_value_is_finished_at_once_or_when_its_time_is_over() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let finish = ["--on-finish", "cat <&3 >>revoked; echo >>revoked; exit $(cat fail 2>/dev/null || echo 0)"];
    let rotate = |more: &[&str]| sandbox.envsec([&["rotate", "A"], more, &finish[..]].concat());
    rotate(&[]).stdin("two").succeeds();
    assert_eq!(sandbox.text("revoked"), "one\n");
    // Only once nobody uses it.
    rotate(&["--grace", "1h"]).stdin("three").succeeds();
    assert_eq!(sandbox.text("revoked"), "one\n");
    rotate(&["--finish"]).succeeds();
    assert_eq!(sandbox.text("revoked"), "one\ntwo\n");
    // It fails: the old value is not lost, and the step can be tried again.
    sandbox.write("fail", "1");
    rotate(&[]).stdin("four").fails(
        7,
        "error: A: the command of the step finish failed: exit status: 1\n\
         hint: the new value is in use; envsec rotate A --finish tries this step again\n",
    );
    assert_eq!(get(&sandbox, "A"), "four");
    sandbox.envsec(["get", "A", "--previous"]).refuses(2);
    sandbox.write("fail", "0");
    rotate(&["--resume"]).succeeds();
    assert_eq!(sandbox.text("revoked"), "one\ntwo\nthree\nthree\n");
    // The next rotation ends one that nobody has ended.
    rotate(&["--grace", "1s"]).stdin("five").succeeds();
    std::thread::sleep(Duration::from_millis(2100));
    rotate(&["--grace", "1h"]).stdin("six").succeeds();
    assert_eq!(sandbox.text("revoked"), "one\ntwo\nthree\nthree\nfour\n");
    sandbox.envsec(["get", "A", "--previous"]).prints("five");
}

#[test]
fn a_second_rotation_waits_for_the_first() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    sandbox.envsec(["rotate", "A", "--grace", "1h"]).stdin("two").succeeds();
    sandbox.envsec(["rotate", "A"]).stdin("three").fails(
        6,
        "error: A: its old value of the last rotation is still handed out\n\
         hint: once no program uses the old value any more: envsec rotate A --finish\n",
    );
    // A correction is no rotation: the old value stays the one that programs still use.
    sandbox.envsec(["set", "A"]).stdin("corrected").succeeds();
    sandbox.envsec(["get", "A", "--previous"]).prints("one");
    at(&sandbox, "+2h", &["rotate", "A", "--grace", "1h"]).stdin("three").succeeds();
    at(&sandbox, "+2h", &["get", "A", "--previous"]).prints("corrected");
    sandbox.envsec(["unset", "A"]).succeeds();
    assert_eq!(rotation(&sandbox, "A"), None);
}

#[test]
fn a_hook_that_hangs_is_ended_with_all_that_it_started() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let hook = "sleep 300.125 & trap '' TERM; echo started; sleep 300.125; sleep 300.125";
    let start = Instant::now();
    sandbox.envsec(["rotate", "A", "--on-set", hook, "--hook-timeout", "1s"]).stdin("two").fails(
        7,
        &format!("started\nerror: A: the command of the step set failed: no end after 1 s: it was ended\n{PENDING}\n"),
    );
    assert!(start.elapsed() < Duration::from_secs(60));
    sandbox.shell("pgrep -f '^sleep 300[.]125' || true").succeeds();
    assert!(is_pending(&sandbox, "A"));
}

#[test]
fn a_hook_has_ended_when_its_command_has() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    // The first keeps the pipe and stays in the group, the second leaves it.
    let hook = "sleep 300.25 & setsid sleep 5 & echo done";
    let start = Instant::now();
    sandbox.envsec(["rotate", "A", "--on-set", hook]).stdin("two").output();
    assert!(start.elapsed() < Duration::from_secs(60));
    sandbox.shell("pgrep -f '^sleep 300[.]25' || true").succeeds();
    assert_eq!(get(&sandbox, "A"), "two");
}

#[test]
fn a_hook_may_be_missing_print_much_and_read_nothing() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let missing = sandbox.envsec(["rotate", "A", "--on-set", "./no-such-hook"]).stdin("two").output();
    let stderr = String::from_utf8(missing.stderr).unwrap();
    assert!(missing.status.code() == Some(7) && stderr.contains("not found"), "{stderr}");
    assert!(stderr.contains("error: A: the command of the step set failed: exit status: 127"), "{stderr}");
    let killed = ["rotate", "A", "--resume", "--on-set", "kill -9 $$"];
    assert!(sandbox.envsec(killed).refuses(7).ends_with("failed: signal: 9 (SIGKILL)"));
    let long = "x".repeat(250_000);
    sandbox.envsec(["rotate", "A", "--abort", "--on-abort", "yes | head -c 3000000"]).output();
    let output = sandbox.envsec(["rotate", "A", "--on-set", "yes | head -c 3000000"]).stdin(&long).output();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 3_000_000));
    assert_eq!(get(&sandbox, "A").len(), 250_000);
    sandbox.envsec(["rotate", "A", "--on-set", "test $(cat <&3 | wc -c) = 250000"]).stdin("three").succeeds();
}

#[test]
fn what_somebody_else_does_between_two_steps_is_kept() {
    let mut sandbox = Sandbox::with(&[("A", "one"), ("B", "x")]);
    sandbox.write("key", &sandbox.key);
    let key = sandbox.key.clone();
    let inside = |script: &str| format!("export ENVSEC_KEY=$(cat key); {script}");
    let edit = inside(
        "envsec set B --generate hex:4 && envsec set C --generate hex:4 && ! envsec set A --generate hex:4 2>&1",
    );
    let rotate = |hook: &str, more: &str| {
        sandbox.write("hook", hook);
        sandbox.shell(&format!("echo two | envsec rotate A {more} --on-set 'sh hook'"))
    };
    let output = rotate(&edit, "").output();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((get(&sandbox, "A"), get(&sandbox, "B").len(), get(&sandbox, "C").len()), ("two".into(), 8, 8));
    // Another data key: the new value is in the new file, too.
    let rekey = inside("envsec rotate --key-file key --drop-slot password --work-factor 15 2>/dev/null");
    sandbox.write("hook", &rekey);
    let output = sandbox.shell("chmod 600 key; echo three | envsec rotate A --on-set 'sh hook'").output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.starts_with("error: .env.enc: ") && stderr.contains(PENDING), "{stderr}");
    assert!(is_pending(&sandbox, "A"));
    sandbox.envsec(["rotate", "A", "--resume", "--on-set", "cat >service"]).succeeds();
    assert_eq!((sandbox.text("service"), get(&sandbox, "A")), ("three".into(), "three".into()));
    // Somebody aborts it meanwhile, or removes the name.
    let output = rotate(&inside("envsec rotate A --abort --yes --hook-timeout 1s"), "").output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(stderr.starts_with("error: A: a command of another rotation of it is still at work\n"), "{stderr}");
    sandbox.envsec(["rotate", "A", "--abort", "--yes"]).succeeds();
    rotate(&inside("envsec unset A"), "").fails(
        6,
        "error: A: somebody else went on with its rotation meanwhile\n\
         hint: envsec status A shows how far it is; its service may have another value\n",
    );
    sandbox.set_variable("ENVSEC_KEY", &key);
}

#[test]
fn a_clock_that_is_behind_the_file_is_not_trusted() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "two")]);
    sandbox.envsec(["rotate", "A"]).stdin("two").succeeds();
    let before = sandbox.read(".env.enc");
    for args in [&["rotate", "B", "--grace", "1h"][..], &["rotate", "A"]] {
        let refused = at(&sandbox, "-365d", args).stdin("three").output();
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("error: the file speaks of a change at 20") && stderr.contains("--clock-is-right"));
    }
    assert!(sandbox.read(".env.enc") == before);
    at(&sandbox, "-365d", &["rotate", "A", "--clock-is-right"]).stdin("three").succeeds();
    // A clock that was a year ahead: what it handed out is told, and can be ended.
    at(&sandbox, "+365d", &["rotate", "B", "--grace", "1h"]).stdin("three").succeeds();
    sandbox.envsec(["get", "B", "--previous"]).prints("two");
    let list = String::from_utf8(sandbox.envsec(["list"]).output().stdout).unwrap();
    assert!(list.contains("B  secret  changed 0d ago; old value handed out until 20"), "{list}");
    sandbox.envsec(["rotate", "B", "--finish"]).succeeds();
    sandbox.envsec(["get", "B", "--previous"]).refuses(2);
    sandbox.envsec(["rotate", "B"]).stdin("four").refuses(1);
    sandbox.envsec(["rotate", "B", "--clock-is-right"]).stdin("four").succeeds();
    assert_eq!((get(&sandbox, "A"), get(&sandbox, "B")), ("three".into(), "four".into()));
}

#[test]
fn a_file_from_a_repository_starts_no_command_by_itself() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    declare(
        &sandbox,
        r#""A": {"x-envsec": {"generate": "hex:8", "rotateEvery": "90d", "rotation":
           {"onSet": "cat >service", "onTest": "test \"$(cat service)\" = \"$(cat)\"", "onAbort": "cat >service"}}}"#,
    );
    let before = sandbox.read(".env.enc");
    for args in [&["rotate", "A"][..], &["rotate", "A", "--resume"], &["rotate", "A", "--finish"]] {
        sandbox.envsec(args).fails(
            2,
            "error: A: the declaration has commands that change it at its service\n\
             hint: --run-hooks runs them, --no-hooks changes the file alone\n",
        );
    }
    let output = sandbox.envsec(["rotate", "--due"]).output();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().ends_with("error: still due: A\n"));
    assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc", "env.schema.json"]);
    sandbox.envsec(["rotate", "A", "--run-hooks"]).succeeds();
    assert_eq!(sandbox.text("service"), get(&sandbox, "A"));
    sandbox.envsec(["rotate", "A", "--no-hooks"]).succeeds();
    assert_ne!(sandbox.text("service"), get(&sandbox, "A"));
    // What is given outranks what is declared.
    sandbox.envsec(["rotate", "A", "--on-set", "exit 5"]).refuses(7);
    sandbox.envsec(["rotate", "A", "--abort", "--run-hooks"]).succeeds();
    assert_eq!(sandbox.text("service"), get(&sandbox, "A"));
}

#[test]
fn what_is_due_is_named_and_done() {
    let sandbox = Sandbox::with(&[("OLD", "one"), ("FRESH", "two"), ("BY_HAND", "three"), ("OTHER", "four")]);
    let every = r#""x-envsec": {"rotateEvery": "90d", "generate": "hex:8"}"#;
    declare(
        &sandbox,
        &format!(
            r#""OLD": {{{every}}}, "FRESH": {{{every}}}, "NOT_HERE": {{{every}}}, "OTHER": {{}}, "PLAIN": {{{every}}},
               "BY_HAND": {{"x-envsec": {{"rotateEvery": "30d"}}}}"#
        ),
    );
    sandbox.envsec(["set", "--plain", "PLAIN=x"]).succeeds();
    // Nobody knows how old they are.
    let unknown = "due: its age is not known";
    sandbox.envsec(["rotate", "--due", "--dry-run"]).answers(
        8,
        format!("BY_HAND  {unknown}\nFRESH    {unknown}\nOLD      {unknown}\n"),
        DUE_3,
    );
    // A change tells it from now on, and so does an import.
    sandbox.envsec(["set", "OLD"]).stdin("changed").succeeds();
    sandbox.write("in", "FRESH=changed\nBY_HAND=changed\n");
    sandbox.shell("envsec -q import --replace in && rm in").succeeds();
    sandbox.envsec(["rotate", "--due", "--dry-run"]).succeeds();
    sandbox.envsec(["rotate", "--due", "--dry-run", "--json"]).prints("[]\n");
    at(&sandbox, "+80d", &["rotate", "FRESH"]).succeeds();
    let before = sandbox.read(".env.enc");
    let due = at(&sandbox, "+91d", &["rotate", "--due", "--dry-run", "--json"]).output();
    let rows: serde_json::Value = serde_json::from_slice(&due.stdout).unwrap();
    assert_eq!(due.status.code(), Some(8));
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["name"], &row["what"])).collect();
    assert_eq!(names, [(&"BY_HAND".into(), &"rotate".into()), (&"OLD".into(), &"rotate".into())]);
    assert!(sandbox.read(".env.enc") == before);
    at(&sandbox, "+91d", &["rotate", "--due"]).fails(
        8,
        "error: BY_HAND: is due, and nothing declares how to make a new value\n\
         hint: with a new value from its service: envsec rotate BY_HAND\n\
         error: still due: BY_HAND\n",
    );
    assert_eq!((get(&sandbox, "OLD").len(), get(&sandbox, "BY_HAND").as_str()), (16, "changed"));
}

const DUE_3: &str = "error: due: 3\nhint: envsec rotate --due does what can be done unattended\n";

#[test]
fn what_a_rotation_left_over_is_due_too() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "two"), ("C", "three")]);
    declare(&sandbox, r#""B": {"x-envsec": {"rotation": {"onFinish": "cat <&3 >revoked"}}}"#);
    sandbox.envsec(["rotate", "A", "--on-set", "false"]).stdin("x").refuses(7);
    sandbox.envsec(["rotate", "B", "--grace", "1h", "--no-hooks"]).stdin("x").succeeds();
    let output = at(&sandbox, "+2h", &["rotate", "--due", "--dry-run"]).output();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("A  rotation pending since 20") && text.contains("\nB  old value to be dropped since 20"));
    assert_eq!((output.status.code(), text.lines().count()), (Some(8), 2));
    let output = at(&sandbox, "+2h", &["rotate", "--due", "--run-hooks"]).output();
    assert_eq!(output.status.code(), Some(8), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sandbox.text("revoked"), "two");
    assert!(!rotation(&sandbox, "B").unwrap().contains("previous") && is_pending(&sandbox, "A"));
}

#[test]
fn all_that_is_due_changes_in_one_write() {
    let sandbox = Sandbox::sealed();
    let names: Vec<String> = (0..300).map(|n| format!("N{n}")).collect();
    let property = |name: &String| format!(r#""{name}": {{"x-envsec": {{"rotateEvery": "1d", "generate": "hex:8"}}}}"#);
    sandbox.write("in", names.iter().map(|name| format!("{name}=x\n")).collect::<String>());
    sandbox.shell("envsec -q import in && rm in").succeeds();
    declare(&sandbox, &names.iter().map(property).collect::<Vec<_>>().join(", "));
    let before = rev(&sandbox);
    sandbox.envsec(["rotate", "--due"]).succeeds();
    assert_eq!((rev(&sandbox), get(&sandbox, "N299").len()), (before + 1, 16));
    sandbox.envsec(["rotate", "--due", "--dry-run"]).succeeds();
}

#[test]
fn a_failing_service_does_not_keep_the_others_from_their_rotation() {
    let sandbox = Sandbox::with(&[("A", "one"), ("B", "two"), ("C", "three")]);
    let due = |hook: &str| {
        format!(r#"{{"x-envsec": {{"rotateEvery": "1d", "generate": "hex:8", "rotation": {{"onSet": "{hook}"}}}}}}"#)
    };
    declare(&sandbox, &format!(r#""A": {}, "B": {}, "C": {}"#, due("exit 1"), due("exit 1"), due("cat >service")));
    sandbox.envsec(["rotate", "--due", "--run-hooks"]).fails(
        7,
        &format!(
            "error: A: the command of the step set failed: exit status: 1\n{PENDING}\n\
             error: B: the command of the step set failed: exit status: 1\n{}\nerror: still due: A, B\n",
            PENDING.replace(" A ", " B ")
        ),
    );
    assert_eq!(sandbox.text("service"), get(&sandbox, "C"));
    // Although they were begun in the same second, they have nothing to do with each other.
    sandbox.envsec(["rotate", "A", "--abort", "--yes", "--no-hooks"]).succeeds();
    sandbox.envsec(["rotate", "B", "--resume", "--on-set", "cat >service"]).succeeds();
    assert_eq!(sandbox.text("service"), get(&sandbox, "B"));
}

#[test]
fn of_two_users_the_idle_one_changes_and_comes_into_use_with_its_name() {
    let sandbox = Sandbox::with(&[("DB_USER", "app_a"), ("DB_PASSWORD", "first")]);
    let pair = ["--pair", "DB_USER=app_a,app_b"];
    let tell = "echo $ENVSEC_STEP $ENVSEC_IDLE $(cat) $(cat <&3) >>told";
    let hooks = ["--on-set", tell, "--on-finish", tell, "--on-abort", tell];
    let rotate = |more: &[&str]| sandbox.envsec([&["rotate", "DB_PASSWORD"], &pair[..], &hooks, more].concat());
    let in_use = || (get(&sandbox, "DB_USER"), get(&sandbox, "DB_PASSWORD"));
    rotate(&[]).stdin("second").succeeds();
    assert_eq!(in_use(), ("app_b".into(), "second".into()));
    assert_eq!(sandbox.text("told"), "set app_b second first\nfinish app_a second first\n");
    rotate(&["--grace", "1h"]).stdin("third").succeeds();
    assert_eq!(in_use(), ("app_a".into(), "third".into()));
    sandbox
        .shell("envsec run -- env | grep ^DB_ | sort")
        .prints("DB_PASSWORD=third\nDB_PASSWORD_PREVIOUS=second\nDB_USER=app_a\nDB_USER_PREVIOUS=app_b\n");
    rotate(&["--finish"]).succeeds();
    sandbox.shell("envsec run -- env | grep ^DB_ | sort").prints("DB_PASSWORD=third\nDB_USER=app_a\n");
    assert!(
        sandbox.text("told").ends_with("set app_b third second\nfinish app_b third second\n")
            || sandbox.text("told").ends_with("set app_a third second\nfinish app_b third second\n")
    );
    // Cut off: both wait, and go on or back together.
    rotate(&["--on-test", "false"]).stdin("fourth").refuses(7);
    assert!(is_pending(&sandbox, "DB_USER") && is_pending(&sandbox, "DB_PASSWORD"));
    sandbox.envsec(["rotate", "DB_PASSWORD", "--resume", "--yes"]).fails(
        2,
        "error: DB_PASSWORD: its rotation was begun together with DB_USER's\nhint: name the one that holds the \
         secret, and give --pair NAME=USER,USER again with the other\n",
    );
    sandbox.envsec(["rotate", "DB_USER", "--abort", "--yes"]).refuses(2);
    let copy = sandbox.read(".env.enc");
    rotate(&["--abort"]).succeeds();
    assert_eq!(in_use(), ("app_a".into(), "third".into()));
    assert!(!is_pending(&sandbox, "DB_USER") && !is_pending(&sandbox, "DB_PASSWORD"));
    assert!(sandbox.text("told").ends_with("abort app_b third fourth\n"), "{}", sandbox.text("told"));
    sandbox.write(".env.enc", copy);
    rotate(&["--resume"]).succeeds();
    assert_eq!(in_use(), ("app_b".into(), "fourth".into()));
    // The declaration may know the users, too.
    declare(
        &sandbox,
        r#""DB_PASSWORD": {"x-envsec": {"generate": "hex:8", "rotation": {"pair": "DB_USER=app_a,app_b", "onSet": "true"}}}"#,
    );
    sandbox.envsec(["rotate", "DB_PASSWORD", "--run-hooks"]).succeeds();
    assert_eq!(get(&sandbox, "DB_USER"), "app_a");
}

#[test]
fn an_interrupt_ends_the_hook_and_loses_nothing() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    let mut terminal = Terminal::start(
        &sandbox,
        "envsec rotate A --generate hex:8 --on-set 'echo in it; sleep 300.375; echo out of it'",
    );
    let ended = terminal.sees("in it").types("\u{3}").ends();
    assert_eq!(ended.status, 1, "{}", ended.shown);
    assert!(ended.shown.contains("error: A: the command of the step set failed: interrupted"), "{}", ended.shown);
    assert!(ended.shown.contains(PENDING) && !ended.shown.contains("out of it"), "{}", ended.shown);
    sandbox.shell("pgrep -f '^sleep 300[.]375' || true").succeeds();
    assert!(is_pending(&sandbox, "A"));
}

#[test]
fn a_rotation_that_is_killed_goes_on_from_every_step() {
    for (signal_at, inject) in [(1, "rename"), (2, "rename"), (3, "rename"), (1, "fsync"), (3, "fsync"), (5, "fsync")] {
        let sandbox = Sandbox::with(&[("A", "one")]);
        sandbox.write("service", "one");
        let hooks =
            "--on-set 'cat >service' --on-test 'test \"$(cat)\" = \"$(cat service)\"' --on-finish 'cat <&3 >revoked'";
        let strace =
            format!("strace -qq -o /dev/null -e trace={inject} -e inject={inject}:signal=KILL:when={signal_at}");
        sandbox.shell(&format!("echo two | {strace} envsec rotate A {hooks}; true")).output();
        let (service, value) = (sandbox.text("service"), get(&sandbox, "A"));
        if service != value {
            assert!(is_pending(&sandbox, "A"), "{inject} {signal_at}: the service has {service}, the file {value}");
        }
        let resumed = sandbox.shell(&format!("envsec rotate A --resume {hooks}")).output();
        if resumed.status.code() != Some(0) {
            let stderr = String::from_utf8_lossy(&resumed.stderr);
            assert!(stderr.contains("no rotation of it is pending"), "{inject} {signal_at}: {stderr}");
        }
        let (service, value) = (sandbox.text("service"), get(&sandbox, "A"));
        assert_eq!(service, value, "{inject} {signal_at}");
        if value == "two" {
            assert_eq!(sandbox.text("revoked"), "one", "{inject} {signal_at}");
            assert!(!rotation(&sandbox, "A").unwrap().contains("previous"), "{inject} {signal_at}");
        }
    }
}
