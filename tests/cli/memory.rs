//! Another process of the same ordinary user cannot look into envsec while it waits with secrets in its memory, and a crash
//! leaves no copy of them.

use crate::harness::Sandbox;
use crate::writing::{as_ordinary_user, for_everybody};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Output};
use std::time::Duration;

const VALUE: &str = "Tq8wRn4zLm6kXb2v";

/// What waits: for its standard input, an editor, a hook or a command.
const WAITING: &[&str] = &[
    "./bin set A",
    "./bin import - --replace",
    "./bin rotate A --on-set ./wait --generate hex:16",
    "env EDITOR=./wait ./bin edit",
    "./bin get A --password-command ./wait",
    "./bin run --password-command ./wait -- true",
    "./bin unlock --password-command ./wait",
    "./bin slot add --password --id new --new-password-command ./wait",
];

/// What another process of the same user may try; with an ordinary process each of them succeeds.
const LOOKS: &[&str] =
    &["cat /proc/$PID/environ", "ls /proc/$PID/fd/", "cat /proc/$PID/maps", "head -c 0 /proc/$PID/mem"];

/// A sandbox of an ordinary user's, and a command that waits.
fn sandbox() -> Sandbox {
    let sandbox = for_everybody();
    sandbox.envsec(["set", "A"]).stdin(VALUE).succeeds();
    sandbox.write("wait", "#!/bin/sh\necho $$ >waiting\nexec cat go >/dev/null\n");
    sandbox.shell("chmod 755 wait; chmod 666 .env.enc; mkfifo -m 666 go; cp -p .env.enc good").succeeds();
    sandbox
}

/// Starts a command as an ordinary user, who allows core dumps, and returns once it waits.
fn start(sandbox: &Sandbox, line: &str) -> Child {
    let _ = std::fs::remove_file(sandbox.join("waiting")); // or nothing has waited yet
    std::fs::copy(sandbox.join("good"), sandbox.join(".env.enc")).unwrap();
    let child = sandbox.shell(&as_ordinary_user(&format!("ulimit -c unlimited; exec {line}"))).spawn();
    let name = if line.ends_with("-- cat") { "cat\n" } else { "bin\n" };
    let runs = || std::fs::read_to_string(format!("/proc/{}/comm", child.id())).is_ok_and(|comm| comm == name);
    let waits = || if line.contains("./wait") { waiting(sandbox).is_some() } else { has_closed(&child) };
    until(|| runs() && (name == "cat\n" || waits()), line);
    child
}

fn until(holds: impl Fn() -> bool, what: &str) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "{what} does not come so far");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process that is not dumpable belongs to root in /proc, whoever runs it.
fn has_closed(child: &Child) -> bool {
    std::fs::metadata(format!("/proc/{}/mem", child.id())).is_ok_and(|meta| meta.uid() == 0)
}

/// Ends it, and what it waits for, which outlives it.
fn end(sandbox: &Sandbox, mut child: Child, signal: Signal) -> ExitStatus {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    if let Some(waiting) = waiting(sandbox) {
        kill_process(waiting, Signal::KILL).unwrap();
    }
    status
}

/// The process that a command waits for, once it runs.
fn waiting(sandbox: &Sandbox) -> Option<Pid> {
    let text = std::fs::read_to_string(sandbox.join("waiting")).ok()?;
    Pid::from_raw(text.strip_suffix('\n')?.parse().ok()?)
}

fn look(sandbox: &Sandbox, child: &Child, how: &str) -> Output {
    sandbox.shell(&as_ordinary_user(&format!("PID={}; {how}", child.id()))).output()
}

#[test]
fn the_memory_of_a_process_that_holds_secrets_is_not_readable() {
    let sandbox = sandbox();
    for line in WAITING {
        let child = start(&sandbox, line);
        for how in LOOKS {
            let output = look(&sandbox, &child, how);
            assert!(!output.status.success() && output.stdout.is_empty(), "{line}: {how}: {output:?}");
        }
        let attached = look(&sandbox, &child, "strace -p $PID").stderr;
        assert!(String::from_utf8_lossy(&attached).contains("Operation not permitted"), "{line}");
        assert!(has_closed(&child), "{line}");
        end(&sandbox, child, Signal::KILL);
    }
}

/// What `run` started is an ordinary process with the values in its environment: so the looks above do see what is there.
#[test]
fn the_command_under_run_is_as_open_as_any() {
    let sandbox = sandbox();
    let child = start(&sandbox, "./bin run -- cat");
    for how in LOOKS {
        assert!(look(&sandbox, &child, how).status.success(), "{how}");
    }
    let environment = look(&sandbox, &child, LOOKS[0]).stdout;
    assert!(String::from_utf8_lossy(&environment).contains(VALUE));
    end(&sandbox, child, Signal::KILL);
}

#[test]
fn a_crash_leaves_no_core_dump() {
    let sandbox = sandbox();
    for line in WAITING {
        for signal in [Signal::ABORT, Signal::ILL] {
            let status = end(&sandbox, start(&sandbox, line), signal);
            assert_eq!((status.signal(), status.core_dumped()), (Some(signal.as_raw()), false), "{line}");
        }
    }
    assert!(sandbox.files().iter().all(|name| !name.starts_with("core")), "{:?}", sandbox.files());
    // Here the system would write one, of a process that may be dumped.
    let child = start(&sandbox, "./bin run -- cat");
    assert!(end(&sandbox, child, Signal::ABORT).core_dumped());
}
