//! Files that somebody else changes between the opening and the writing of a change of keys.

use crate::harness::Sandbox;
use crate::keys::{NOT_UNDONE, cheaply, line_with, opens, private, sandbox};
use crate::terminal::Terminal;
use std::fs::File;

const REKEYED: &str = "error: .env.enc: somebody gave the file a new data key meanwhile\nhint: run the command again\n";
const SLOTS: &str = "error: .env.enc: somebody changed the slots meanwhile\nhint: run the command again\n";
const OLDER: &str =
    "error: .env.enc: somebody put an older revision in its place meanwhile\nhint: run the command again\n";
const SEAL: &str = "error: .env.enc: the seal does not match: the file was changed by somebody without a key\n";
const GONE: &str = "error: .env.enc: no such file\n";

/// What a file may have become meanwhile.
struct Later {
    name: &'static str,
    /// `None`: it is gone.
    bytes: Option<Vec<u8>>,
}

/// A sandbox whose file has a slot `ci` too, and what that file can become.
fn with_later() -> (Sandbox, Vec<Later>) {
    let sandbox = sandbox();
    sandbox.shell("umask 077; envsec slot add --raw-key --id ci --key-file key > ci").succeeds();
    let older = sandbox.read(".env.enc");
    sandbox.envsec(["set", "B", "--key-file", "key"]).stdin("two ").succeeds();
    sandbox.envsec(["set", "B", "--key-file", "key"]).stdin("two").succeeds();
    let now = sandbox.read(".env.enc");
    let after = |args: &[&str]| {
        sandbox.write("copy", &now);
        let both = ["-f", "copy", "--key-file", "key"];
        let output = sandbox.envsec([args, &both[..]].concat()).stdin("changed").output();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        sandbox.read("copy")
    };
    let all = [
        ("changed", after(&["set", "NEW"])),
        ("re-keyed", after(&cheaply(&["rotate", "--password-file", "pw", "--key-file", "ci"]))),
        ("slot added", after(&["slot", "add", "--raw-key", "--id", "more"])),
        ("slot removed", after(&["slot", "remove", "password", "--keep-data-key", "--yes"])),
        ("wrapped anew", after(&["slot", "rewrap"])),
        ("older", older),
        ("forged", [&now[..], b"FORGED=\n"].concat()),
    ];
    sandbox.shell("rm copy").succeeds();
    let later = |(name, bytes)| Later { name, bytes: Some(bytes) };
    let all = all.into_iter().map(later).chain([Later { name: "gone", bytes: None }]);
    (sandbox, all.collect())
}

impl Later {
    /// The file becomes this.
    fn comes(&self, sandbox: &Sandbox) {
        match &self.bytes {
            Some(bytes) => sandbox.write(".env.enc", bytes),
            None => std::fs::remove_file(sandbox.join(".env.enc")).unwrap(),
        }
    }

    /// The file is still this.
    fn stays(&self, sandbox: &Sandbox, verb: &str) {
        let found = std::fs::read(sandbox.join(".env.enc")).ok();
        assert!(found == self.bytes, "{verb}, {}: the file was changed", self.name);
    }
}

/// At a terminal the slots are said once the file is open. The folder's lock is ours until the file is another one.
#[test]
fn a_new_data_key_is_for_the_file_that_was_opened() {
    let (sandbox, all) = with_later();
    let now = sandbox.read(".env.enc");
    let credentials = "--key-file key --password-file pw --key-file ci --work-factor 15";
    for verb in ["rotate --yes", "slot remove ci --yes"] {
        for later in &all {
            sandbox.write(".env.enc", &now);
            let folder = File::open(sandbox.path()).unwrap();
            folder.lock().unwrap();
            let mut terminal = Terminal::start(&sandbox, &format!("envsec {verb} {credentials}"));
            terminal.sees(".env.enc: a new data key, for password (scrypt), key (raw)");
            later.comes(&sandbox);
            drop(folder);
            let ended = terminal.ends();
            let (status, error) = match later.name {
                "changed" => (0, NOT_UNDONE),
                "re-keyed" => (6, REKEYED),
                "older" => (6, OLDER),
                "forged" => (5, SEAL),
                "gone" => (2, GONE),
                _ => (6, SLOTS),
            };
            assert!(ended.shown.contains(error), "{verb}, {}: {}", later.name, ended.shown);
            assert_eq!(ended.status, status, "{verb}, {}", later.name);
            if status == 0 {
                sandbox.envsec(["get", "NEW", "--password-file", "pw"]).prints("changed");
                opens(&sandbox, &["--key-file", "key"]);
            } else {
                later.stays(&sandbox, verb);
            }
            assert_eq!(sandbox.files().iter().filter(|name| name.ends_with(".tmp")).count(), 0);
        }
    }
}

/// The answer at a terminal may take a while.
#[test]
fn a_new_data_key_that_somebody_made_while_we_were_asked_is_no_loss() {
    let sandbox = sandbox();
    let rotate = "envsec rotate --key-file key --password-file pw --work-factor 15";
    let mut terminal = Terminal::start(&sandbox, rotate);
    terminal.sees("Go on? [y/N] ");
    sandbox.shell(rotate).says(NOT_UNDONE);
    let theirs = sandbox.read(".env.enc");
    let ended = terminal.types("y\n").ends();
    assert!(ended.shown.ends_with(REKEYED) && ended.status == 6, "{}", ended.shown);
    assert!(sandbox.read(".env.enc") == theirs);
    opens(&sandbox, &["--password-file", "pw"]);
}

/// The command that tells the new password changes the file.
#[test]
fn a_slot_is_added_to_the_file_that_was_opened_and_to_what_came_since() {
    let (sandbox, all) = with_later();
    let now = sandbox.read(".env.enc");
    private(&sandbox, "new", "a password for more");
    for later in &all {
        sandbox.write(".env.enc", &now);
        match &later.bytes {
            Some(bytes) => sandbox.write("later", bytes),
            None => sandbox.shell("rm later").succeeds(),
        }
        let command = "if [ -e later ]; then cat later >.env.enc; else rm .env.enc; fi; cat new";
        let add = ["slot", "add", "--password", "--id", "more", "--key-file", "key", "--new-password-command", command];
        let output = sandbox.envsec(cheaply(&add)).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let (status, error) = match later.name {
            "re-keyed" => (6, REKEYED),
            "older" => (6, OLDER),
            "forged" => (5, SEAL),
            "gone" => (2, GONE),
            "slot added" => (2, "error: there is a slot more already\n"),
            _ => (0, ""),
        };
        assert!(stderr.starts_with(error) && output.status.code() == Some(status), "{}: {stderr}", later.name);
        if status != 0 {
            later.stays(&sandbox, "slot add");
            continue;
        }
        sandbox.envsec(["get", "A", "--slot", "more", "--password-file", "new"]).prints("one");
        let (text, before) = (sandbox.text(".env.enc"), String::from_utf8(later.bytes.clone().unwrap()).unwrap());
        for line in before.lines().filter(|line| line.contains('=') && !line.starts_with("#envsec:seal ")) {
            assert_eq!(line_with(&text, line), line, "{}", later.name);
        }
    }
}

/// One of several files that is another one by now keeps all of them from being written.
#[test]
fn of_several_files_none_is_written_if_one_is_another_by_now() {
    let (sandbox, all) = with_later();
    let now = sandbox.read(".env.enc");
    sandbox.write("two.enc", &now);
    let rotate =
        "envsec rotate --yes -f two.enc -f .env.enc --key-file key --key-file ci --password-file pw --work-factor 15";
    for later in all.iter().filter(|later| later.name != "changed") {
        sandbox.write(".env.enc", &now);
        let folder = File::open(sandbox.path()).unwrap();
        folder.lock().unwrap();
        let mut terminal = Terminal::start(&sandbox, rotate);
        terminal.sees(".env.enc: a new data key, for ");
        later.comes(&sandbox);
        drop(folder);
        assert_ne!(terminal.ends().status, 0, "{}", later.name);
        later.stays(&sandbox, "rotate");
        assert!(sandbox.read("two.enc") == now, "{}", later.name);
    }
}

#[test]
fn what_was_reported_done_beside_rotations_is_there() {
    let sandbox = sandbox();
    sandbox.envsec(["slot", "remove", "password", "--yes", "--keep-data-key", "--key-file", "key", "-q"]).succeeds();
    let script = "for n in $(seq 1 24); do { echo $n | envsec set N$n --key-file key 2>err$n; echo $? >status$n; } & \
                  if [ $((n % 6)) = 0 ]; then { envsec rotate --key-file key -q || true; } & fi; \
                  done 2>/dev/null; wait; rm -f err*; cat status*; rm -f status*";
    let output = sandbox.shell(script).output();
    let statuses: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let done = statuses.iter().filter(|status| *status == "0").count();
    assert!(statuses.len() == 24 && statuses.iter().all(|status| status == "0" || status == "6"), "{statuses:?}");
    let listed = String::from_utf8(sandbox.envsec(["list"]).output().stdout).unwrap();
    assert_eq!(listed.lines().filter(|line| line.starts_with('N')).count(), done, "{listed}");
    opens(&sandbox, &["--key-file", "key"]);
}
