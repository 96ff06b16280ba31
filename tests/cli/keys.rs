//! Who opens a file: slots, a new data key, unlocked sessions.

use crate::harness::{LOW_WORK_FACTOR, PASSWORD, Sandbox};
use crate::terminal::Terminal;
use std::time::Duration;

pub(crate) const NOT_UNDONE: &str = "whoever held a key before can still read every older revision: leaked values have to be changed at their providers\n";
pub(crate) const KEPT: &str = "the data key stays: who could open the file until now, and kept an older revision, can still open every later one\n";
pub(crate) const WRONG: &str = "error: .env.enc: no slot opens with this password or key";

/// A file with two values, and its credentials in the files `pw` and `key`; none in the environment.
pub(crate) fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with(&[("A", "one"), ("B", "two")]);
    sandbox.envsec(["set", "--plain", "C=three"]).succeeds();
    private(&sandbox, "pw", PASSWORD);
    let key = sandbox.key.clone();
    private(&sandbox, "key", &key);
    sandbox.unset_variable("ENVSEC_KEY");
    sandbox
}

pub(crate) fn private(sandbox: &Sandbox, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    sandbox.write(name, text);
    std::fs::set_permissions(sandbox.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A command line with low costs where it makes slots.
pub(crate) fn cheaply<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--work-factor", "15"]].concat()
}

/// Runs a command that prints a new raw key, alone, and keeps it in a file.
#[track_caller]
pub(crate) fn new_key(sandbox: &Sandbox, args: &[&str], file: &str, stderr: &str) {
    let output = sandbox.envsec(args).output();
    assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()), (stderr, Some(0)));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("envsec_key_1_") && text.ends_with('\n') && text.lines().count() == 1, "not a key alone");
    private(sandbox, file, &text);
}

#[track_caller]
pub(crate) fn opens(sandbox: &Sandbox, with: &[&str]) {
    for (name, value) in [("A", "one"), ("B", "two"), ("C", "three")] {
        sandbox.envsec([&["get", name], with].concat()).prints(value);
    }
}

#[track_caller]
pub(crate) fn does_not_open(sandbox: &Sandbox, with: &[&str]) {
    assert_eq!(sandbox.envsec([&["get", "A"], with].concat()).refuses(4), WRONG);
}

/// The text of a field of the file: `key=`, say.
pub(crate) fn line_with(text: &str, start: &str) -> String {
    text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{text}")).to_owned()
}

#[test]
fn slots_are_listed_without_a_key_and_with_what_opens_them() {
    let sandbox = sandbox();
    let password = format!("password  scrypt ln={LOW_WORK_FACTOR}");
    sandbox.envsec(["slot", "list"]).prints(format!("{password}\nkey       raw\n"));
    sandbox
        .envsec(["slot", "list", "--key-file", "key"])
        .prints(format!("{password}\nkey       raw           opened by --key-file key\n"));
    let json = sandbox.envsec(["slot", "list", "--json"]).output().stdout;
    let rows: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(rows[0]["id"], "password");
    assert_eq!((&rows[1]["type"], rows[1]["work_factor"].is_null()), (&"raw".into(), true));
    assert_eq!(sandbox.envsec(["slot", "list", "--password-file", "key"]).refuses(4), WRONG);
}

#[test]
fn a_new_data_key_needs_the_secret_of_every_slot() {
    let sandbox = sandbox();
    let before = sandbox.read(".env.enc");
    let rotate = |args: &[&str]| sandbox.envsec(cheaply(&[&["rotate"], args].concat()));
    rotate(&["--password-file", "pw"]).fails(
        4,
        "error: .env.enc: the secret of key (raw) is not at hand\nhint: nothing was changed; give each its password or \
         key (--password-file, --key-file, as often as needed), or --renew ID for a raw key, or --drop-slot ID\n",
    );
    assert_eq!(
        rotate(&["--key-file", "key", "--drop-slot", "laptop"]).refuses(2),
        "error: there is no slot laptop: there are password, key"
    );
    assert_eq!(
        rotate(&["--key-file", "key", "--renew", "password"]).refuses(2),
        "error: password: --renew makes a new raw key, but the slot is opened by something else"
    );
    assert_eq!(
        rotate(&["--key-file", "key", "--renew", "key", "--drop-slot", "key"]).refuses(2),
        "error: key: is to be kept and to be left out"
    );
    assert_eq!(
        rotate(&["--key-file", "key", "--drop-slot", "key", "--drop-slot", "password"]).refuses(1),
        "error: .env.enc: no slot would be left that a password or a key opens"
    );
    assert!(sandbox.read(".env.enc") == before);
}

#[test]
fn a_new_data_key_keeps_values_and_slots_and_changes_everything_else() {
    let sandbox = sandbox();
    let before = sandbox.text(".env.enc");
    sandbox.envsec(cheaply(&["rotate", "--password-file", "pw", "--key-file", "key"])).says(NOT_UNDONE);
    let after = sandbox.text(".env.enc");
    for start in
        ["#envsec:1 ", "#envsec:slot id=password ", "#envsec:slot id=key ", "#envsec:seal ", "A=enc:", "B=enc:"]
    {
        assert_ne!(line_with(&before, start), line_with(&after, start), "{start}");
    }
    assert_eq!(line_with(&before, "C="), line_with(&after, "C="));
    assert_eq!(before.lines().count(), after.lines().count());
    opens(&sandbox, &["--password-file", "pw"]);
    opens(&sandbox, &["--key-file", "key"]);
}

#[test]
fn a_renewed_key_is_printed_and_the_old_one_opens_no_more() {
    let sandbox = sandbox();
    new_key(&sandbox, &cheaply(&["rotate", "--password-file", "pw", "--renew", "key"]), "key2", NOT_UNDONE);
    opens(&sandbox, &["--key-file", "key2"]);
    does_not_open(&sandbox, &["--key-file", "key"]);
    let twice = ["rotate", "--password-file", "pw", "--renew", "key", "--renew", "key"];
    new_key(&sandbox, &cheaply(&twice), "key3", NOT_UNDONE);
    opens(&sandbox, &["--key-file", "key3"]);
}

#[test]
fn a_key_that_reaches_nobody_changes_nothing() {
    let sandbox = sandbox();
    let before = sandbox.read(".env.enc");
    let script = "envsec rotate --password-file pw --renew key --work-factor 15 >/dev/full";
    assert!(sandbox.shell(script).refuses(1).starts_with("error: cannot write to standard output"));
    assert!(
        sandbox
            .shell("envsec slot add --raw-key --id ci --key-file key >/dev/full")
            .refuses(1)
            .starts_with("error: cannot write")
    );
    assert!(sandbox.read(".env.enc") == before);
    assert_eq!(sandbox.files(), [".env.enc", "key", "pw"]);
}

#[test]
fn who_is_removed_opens_the_old_file_only() {
    let sandbox = sandbox();
    new_key(&sandbox, &["slot", "add", "--raw-key", "--id", "ci", "--key-file", "key"], "ci", "");
    opens(&sandbox, &["--key-file", "ci"]);
    let old = sandbox.text(".env.enc");
    let remove = |more: &[&str]| {
        sandbox
            .envsec(cheaply(&[&["slot", "remove", "ci", "--key-file", "key", "--password-file", "pw"], more].concat()))
    };
    remove(&[]).fails(2, "error: ci: removing a slot locks out who uses it\nhint: without a terminal: --yes\n");
    assert!(sandbox.text(".env.enc") == old);
    remove(&["--yes"]).says(NOT_UNDONE);
    does_not_open(&sandbox, &["--key-file", "ci"]);
    opens(&sandbox, &["--password-file", "pw"]);
    // The old slot line pasted into the new file, and the new file with the whole old header.
    let new = sandbox.text(".env.enc");
    let slot = line_with(&old, "#envsec:slot id=ci ");
    sandbox.write(".env.enc", new.replace("#envsec:seal", &format!("{slot}\n#envsec:seal")));
    does_not_open(&sandbox, &["--key-file", "ci"]);
    assert_eq!(
        sandbox.envsec(["get", "A", "--key-file", "key"]).refuses(5),
        "error: .env.enc: the seal does not match: the file was changed by somebody without a key"
    );
    let magic = |text: &str| line_with(text, "#envsec:1 ");
    sandbox.write(
        ".env.enc",
        new.replace(&magic(&new), &magic(&old)).replace("#envsec:seal", &format!("{slot}\n#envsec:seal")),
    );
    sandbox.envsec(["get", "A", "--key-file", "ci"]).refuses(5);
    sandbox.write(".env.enc", old);
    opens(&sandbox, &["--key-file", "ci"]);
}

#[test]
fn a_planted_slot_is_never_wrapped_for() {
    let sandbox = sandbox();
    let other = Sandbox::sealed();
    let planted = line_with(&other.text(".env.enc"), "#envsec:slot id=key ").replace("id=key", "id=friend");
    let text = sandbox.text(".env.enc").replace("#envsec:seal", &format!("{planted}\n#envsec:seal"));
    sandbox.write(".env.enc", &text);
    for verb in [["rotate", "--yes"], ["slot", "rewrap"]] {
        let args = [&verb[..], &["--key-file", "key", "--password-file", "pw"]].concat();
        sandbox.envsec(args).refuses(5);
    }
    assert!(sandbox.text(".env.enc") == text);
}

#[test]
fn the_last_slot_stays() {
    let sandbox = sandbox();
    let both = ["slot", "remove", "password", "--key-file", "key", "--yes", "--keep-data-key", "--renew", "key"];
    sandbox.envsec(both).refuses(2);
    sandbox.envsec(["slot", "remove", "password", "--key-file", "key", "--yes", "--keep-data-key"]).says(KEPT);
    let before = sandbox.read(".env.enc");
    for more in [&["--keep-data-key"][..], &[]] {
        sandbox.envsec([&["slot", "remove", "key", "--key-file", "key", "--yes"], more].concat()).refuses(1);
    }
    assert!(sandbox.read(".env.enc") == before);
    opens(&sandbox, &["--key-file", "key"]);
}

#[test]
fn ids_are_unique_and_slots_are_counted() {
    let sandbox = sandbox();
    let add = |more: &[&str]| sandbox.envsec([&["slot", "add", "--key-file", "key"], more].concat());
    assert_eq!(add(&["--raw-key"]).refuses(2), "error: there is a slot key already");
    add(&["--raw-key", "--id", "CI"]).refuses(2);
    add(&[]).refuses(2);
    private(&sandbox, "weak", "short");
    assert!(add(&["--password", "--id", "x", "--new-password-file", "weak"]).refuses(2).contains("at least 12"));
    for number in 0..7 {
        let id = format!("p{number}");
        add(&cheaply(&["--password", "--id", &id, "--new-password-file", "pw"])).succeeds();
    }
    let before = sandbox.read(".env.enc");
    assert!(add(&cheaply(&["--password", "--id", "p7", "--new-password-file", "pw"])).refuses(1).contains("scrypt"));
    assert!(sandbox.read(".env.enc") == before);
    sandbox.envsec(["slot", "list", "--password-file", "pw"]).output();
    opens(&sandbox, &["--password-file", "pw", "--slot", "p3"]);
}

#[test]
fn a_changed_password_locks_the_old_one_out() {
    let sandbox = sandbox();
    private(&sandbox, "pw2", "another good password");
    let change = |args: &[&str]| {
        sandbox.envsec(cheaply(&[&["slot", "change-password"], args, &["--new-password-file", "pw2"]].concat()))
    };
    assert_eq!(change(&["key", "--key-file", "key"]).refuses(2), "error: key: is opened by no password");
    assert!(
        change(&["password", "--password-file", "pw"]).refuses(4).contains("the secret of key (raw) is not at hand")
    );
    let before = sandbox.text(".env.enc");
    change(&["password", "--key-file", "key"]).says(NOT_UNDONE);
    assert_ne!(line_with(&before, "#envsec:1 "), line_with(&sandbox.text(".env.enc"), "#envsec:1 "));
    does_not_open(&sandbox, &["--password-file", "pw"]);
    opens(&sandbox, &["--password-file", "pw2"]);
    opens(&sandbox, &["--key-file", "key"]);
    let before = sandbox.text(".env.enc");
    private(&sandbox, "pw2", "a third good password");
    change(&["password", "--key-file", "key", "--keep-data-key"]).says(KEPT);
    assert_eq!(line_with(&before, "#envsec:1 "), line_with(&sandbox.text(".env.enc"), "#envsec:1 "));
    opens(&sandbox, &["--password-file", "pw2"]);
}

#[test]
fn rewrapping_keeps_the_data_key() {
    let sandbox = sandbox();
    let before = sandbox.text(".env.enc");
    let said = "wrapped anew; this protects nothing that somebody has seen already: the data key is the same\n";
    sandbox.envsec(cheaply(&["slot", "rewrap", "--password-file", "pw"])).says(said);
    let after = sandbox.text(".env.enc");
    for start in ["#envsec:1 ", "#envsec:slot id=key ", "A=", "B=", "C="] {
        assert_eq!(line_with(&before, start), line_with(&after, start), "{start}");
    }
    assert!(line_with(&after, "#envsec:slot id=password ").contains(" ln=15 "));
    assert!(sandbox.envsec(["slot", "rewrap", "key", "--password-file", "pw"]).refuses(4).contains("is not at hand"));
    opens(&sandbox, &["--password-file", "pw"]);
}

#[test]
fn several_files_change_together_or_not_at_all() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.join("sub")).unwrap();
    for name in ["two.enc", "sub/three.enc"] {
        sandbox.write(name, sandbox.read(".env.enc"));
    }
    let files = ["-f", ".env.enc", "-f", "two.enc", "-f", "sub/three.enc"];
    let contents = || [".env.enc", "two.enc", "sub/three.enc"].map(|name| sandbox.read(name));
    let rotate = |more: &[&str]| sandbox.envsec(cheaply(&[&["rotate"], &files[..], more].concat()));
    let before = contents();
    new_key(&sandbox, &["-f", "two.enc", "slot", "add", "--raw-key", "--id", "ci", "--key-file", "key"], "ci", "");
    let with_ci = contents();
    assert!(
        rotate(&["--key-file", "key", "--password-file", "pw"])
            .refuses(4)
            .starts_with("error: two.enc: the secret of ci")
    );
    assert!(contents() == with_ci && with_ci != before);
    rotate(&["--key-file", "key", "--password-file", "pw", "--drop-slot", "ci"]).says(NOT_UNDONE);
    for ((name, old), new) in files.iter().skip(1).step_by(2).zip(with_ci).zip(contents()) {
        assert!(old != new);
        sandbox.envsec(["get", "A", "-f", name, "--key-file", "key"]).prints("one");
    }
    let twice = ["rotate", "-f", "two.enc", "-f", "./two.enc", "--key-file", "key", "--password-file", "pw"];
    assert!(sandbox.envsec(cheaply(&twice)).refuses(2).ends_with("was named twice"));
}

#[test]
fn a_terminal_is_shown_the_slots_and_asked() {
    let sandbox = sandbox();
    let before = sandbox.read(".env.enc");
    let mut terminal = Terminal::start(&sandbox, "envsec rotate --key-file key --password-file pw --work-factor 15");
    let ended = terminal.sees("Go on? [y/N] ").types("n\n").ends();
    assert!(ended.shown.starts_with(".env.enc: a new data key, for password (scrypt), key (raw)\n"), "{}", ended.shown);
    assert!(ended.shown.ends_with("error: not confirmed; nothing was changed\n"), "{}", ended.shown);
    assert_eq!((ended.status, sandbox.read(".env.enc") == before), (1, true));
    let mut terminal = Terminal::start(&sandbox, "envsec slot remove password --keep-data-key --key-file key");
    assert_eq!(terminal.sees("Remove the slot password? [y/N] ").types("y\n").ends().status, 0);
    opens(&sandbox, &["--key-file", "key"]);
}

#[test]
fn who_changes_a_password_types_the_old_one_first() {
    let sandbox = sandbox();
    let change = "envsec slot change-password password --drop-slot key --work-factor 15";
    let mut terminal = Terminal::start(&sandbox, change);
    terminal
        .sees("Password for .env.enc: ")
        .types(&format!("{PASSWORD}\n"))
        .sees("New password (empty: generate one): ");
    let ended = terminal.types("a new good password\n").sees("Again: ").types("a new good password\n").ends();
    assert_eq!(ended.status, 0, "{}", ended.shown);
    private(&sandbox, "pw2", "a new good password");
    opens(&sandbox, &["--password-file", "pw2"]);
}

/// One test, since all sessions of a user lie in one keyring and `lock --all` ends those of the others.
#[test]
fn an_unlocked_file_needs_no_credential_until_its_time_is_up() {
    let sandbox = sandbox();
    let asks = "error: there is no terminal to ask for it: Password for .env.enc";
    assert_eq!(sandbox.envsec(["run", "--", "true"]).refuses(125), asks);
    sandbox.envsec(["unlock", "--ttl", "2s", "--key-file", "key"]).succeeds();
    sandbox.envsec(["run", "--", "sh", "-c", "echo $A"]).prints("one\n");
    sandbox.envsec(["set", "A"]).stdin("four").succeeds();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sandbox.envsec(["run", "--", "true"]).refuses(125), asks);
    sandbox.envsec(["unlock", "--key-file", "key"]).succeeds();
    sandbox.envsec(["get", "A"]).prints("four");
    let status = String::from_utf8(sandbox.envsec(["status"]).output().stdout).unwrap();
    assert!(status.ends_with("\n.env.enc: unlocked for 15 min more; envsec lock ends it\n"), "{status}");
    // Who names a credential means it.
    private(&sandbox, "wrong", "not the right password");
    does_not_open(&sandbox, &["--password-file", "wrong"]);
    // A new data key is a new session.
    sandbox.envsec(cheaply(&["rotate", "--key-file", "key", "--password-file", "pw"])).says(NOT_UNDONE);
    assert_eq!(sandbox.envsec(["get", "A"]).refuses(4), asks);
    sandbox.envsec(["unlock", "--key-file", "key", "--ttl", "1h"]).succeeds();
    sandbox.envsec(["lock"]).succeeds();
    assert_eq!(sandbox.envsec(["get", "A"]).refuses(4), asks);
    sandbox.envsec(["unlock", "--key-file", "key"]).succeeds();
    sandbox.envsec(["lock", "--all"]).succeeds();
    assert_eq!(sandbox.envsec(["get", "A"]).refuses(4), asks);
    for ttl in ["soon", "0s", "31d", "4294967296s"] {
        sandbox.envsec(["unlock", "--ttl", ttl, "--key-file", "key"]).refuses(2);
    }
}

#[test]
fn where_the_kernel_refuses_unlock_says_so_and_reading_goes_on() {
    let sandbox = sandbox();
    let refused = |inject: &str, args: &str| {
        sandbox.shell(&format!("strace -qq -o /dev/null -e trace=add_key,keyctl -e inject={inject} envsec {args}"))
    };
    for (inject, what) in [
        ("add_key:error=EPERM", "not permitted (a container?)"),
        ("add_key:error=EDQUOT", "it is full: envsec lock --all makes room, if it was envsec"),
        ("add_key,keyctl:error=ENOSYS", "the kernel has none"),
    ] {
        let error = format!("error: the kernel's keyring cannot be used here: {what}");
        assert_eq!(refused(inject, "unlock --key-file key").refuses(1), error, "{inject}");
        refused(inject, "get A --key-file key").prints("one");
        assert!(refused(inject, "get A").refuses(4).starts_with("error: there is no terminal"), "{inject}");
    }
}
