//! Writes: atomic, private, locked; whatever goes wrong leaves the file as it was.

use crate::harness::{ENVSEC, Sandbox};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

/// A command that runs as an ordinary user: tests may be run by root, who is refused nothing.
pub(crate) fn as_ordinary_user(script: &str) -> String {
    let quoted = script.replace('\'', r"'\''");
    format!(
        "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '{quoted}'; else {script}; fi"
    )
}

/// A sandbox whose folder and file an ordinary user may use, and the binary beside them.
pub(crate) fn for_everybody() -> Sandbox {
    let sandbox = Sandbox::with(&[("A", "1")]);
    std::fs::copy(ENVSEC, sandbox.join("bin")).unwrap();
    sandbox.shell("chmod 777 . ; chmod 666 .env.enc; chmod 755 bin").succeeds();
    sandbox
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_the_file_stays() {
    let sandbox = for_everybody();
    let before = sandbox.read(".env.enc");
    sandbox.shell("chmod 555 .").succeeds();
    let output = sandbox.shell(&as_ordinary_user("echo 2 | ./bin set A")).output();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "error: {}: cannot create a file in the folder: permission denied\n\
             hint: check the owner and mode of the folder: ls -ld; where only the file may be written: --in-place\n",
            sandbox.path().canonicalize().unwrap().display()
        )
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc", "bin"]);
    sandbox.shell(&as_ordinary_user("echo 2 | ./bin set A --in-place && ./bin get A")).prints("2");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let sandbox = for_everybody();
    sandbox.shell("chmod 000 .env.enc").succeeds();
    sandbox.shell(&as_ordinary_user("./bin get A")).fails(
        1,
        "error: .env.enc: cannot read it: Permission denied (os error 13)\n\
         hint: check the owner and mode of the file and of its folder: ls -ld\n",
    );
}

#[test]
fn a_full_disk_is_an_error_and_the_file_stays() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let script = "
        mkdir small && mount -t tmpfs -o size=16k tmpfs small && cp .env.enc small/ && cd small || exit 99
        head -c 100000 /dev/zero | tr '\\0' x | envsec set BIG
        echo status $?
        cmp .env.enc ../.env.enc && ls -A";
    let output =
        sandbox.shell(&format!("unshare --mount --map-root-user bash -c '{}'", script.replace('\'', r"'\''"))).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "status 1\n.env.enc\n", "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert!(stderr.ends_with("hint: make room and run it again\n"), "{stderr}");
}

#[test]
fn a_full_disk_does_not_damage_a_file_in_place() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let script = "
        mkdir small && mount -t tmpfs -o size=8k tmpfs small && cp .env.enc small/ && cd small || exit 99
        envsec set --in-place --generate base64:6000 BIG
        echo status $?
        cmp .env.enc ../.env.enc && envsec get A";
    let output = sandbox.shell(&format!("unshare --mount --map-root-user bash -c '{script}'")).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "status 1\n1", "{stderr}");
}

#[test]
fn a_bind_mounted_file_is_rewritten_only_when_told() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let script = "
        cp .env.enc real && mount --bind real .env.enc || exit 99
        echo 2 | envsec set A; echo status $?
        cmp real .env.enc
        echo 2 | envsec set A --in-place; echo status $?
        envsec get A";
    let output = sandbox.shell(&format!("unshare --mount --map-root-user bash -c '{script}'")).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "status 1\nstatus 0\n2", "{stderr}");
    assert!(stderr.contains("the file cannot be replaced atomically: "), "{stderr}");
    assert!(stderr.contains("hint: --in-place rewrites the file itself"), "{stderr}");
    assert_eq!(sandbox.files(), [".env.enc", "real"]);
}

#[test]
fn the_mode_stays() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for mode in [0o644, 0o600, 0o640] {
        std::fs::set_permissions(sandbox.join(".env.enc"), std::fs::Permissions::from_mode(mode)).unwrap();
        sandbox.envsec(["set", "A"]).stdin(format!("{mode}")).succeeds();
        assert_eq!(sandbox.join(".env.enc").metadata().unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn a_symbolic_link_is_followed() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("mkdir real && mv .env.enc real/file").succeeds();
    symlink("real/file", sandbox.join(".env.enc")).unwrap();
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    assert!(sandbox.join(".env.enc").symlink_metadata().unwrap().is_symlink());
    sandbox.envsec(["get", "-f", "real/file", "A"]).prints("2");
    assert_eq!(sandbox.files(), [".env.enc", "real"]);
}

#[test]
fn a_link_that_is_switched_meanwhile_does_not_mix_two_files() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("mkdir one two && cp .env.enc one/ && cp .env.enc two/ && ln -s one current").succeeds();
    sandbox.envsec(["set", "-f", "two/.env.enc", "ONLY_IN_TWO"]).stdin("2").succeeds();
    let script = "flock one sleep 0.6 & sleep 0.2; echo new | envsec set -f current/.env.enc NEW & sleep 0.2; \
                  ln -sfn two current; wait; envsec list -f one/.env.enc";
    sandbox.shell(script).prints("A    secret\nNEW  secret\n");
    sandbox.envsec(["list", "-f", "two/.env.enc"]).prints("A            secret\nONLY_IN_TWO  secret\n");
}

#[test]
fn what_a_killed_writer_left_is_swept_by_the_next() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let left = [".env.enc.aB3xYz.tmp", ".env.enc.cD4xYz.new"];
    let stays = [".env.enc.eF5xYz.new", ".env.enc.keep.tmp", ".merge_file_a.aB3xYz.tmp", "other.aB3xYz.tmp"];
    left.iter().chain(&stays).for_each(|name| sandbox.write(name, "left"));
    // Another `init` is still at work on its new file.
    let alive = std::fs::File::open(sandbox.join(stays[0])).unwrap();
    alive.lock().unwrap();
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    assert_eq!(sandbox.files(), [&[".env.enc"], &stays[..]].concat());
}

#[test]
fn the_group_stays_where_the_writer_may_keep_it() {
    if !rustix::process::getuid().is_root() {
        return; // only root can make a file of somebody else's for this
    }
    let sandbox = for_everybody();
    sandbox.shell("chown 1:65534 .env.enc && chmod 660 .env.enc").succeeds();
    sandbox.shell(&as_ordinary_user("echo 2 | ./bin set A")).succeeds();
    let meta = sandbox.join(".env.enc").metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.permissions().mode() & 0o777), (65_534, 65_534, 0o660));
}

#[test]
fn another_file_behind_the_same_name_is_written_as_new() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    std::fs::hard_link(sandbox.join(".env.enc"), sandbox.join("other")).unwrap();
    let before = sandbox.read("other");
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    assert_eq!(sandbox.read("other"), before);
    assert_eq!(sandbox.join("other").metadata().unwrap().nlink(), 1);
}

/// Another writer comes between the reading and the lock: `set` waits for its standard input in between.
fn while_set_waits(sandbox: &Sandbox, meanwhile: impl FnOnce()) -> std::process::Output {
    let mut waiting = sandbox.envsec(["set", "A"]).spawn();
    std::thread::sleep(std::time::Duration::from_millis(300));
    meanwhile();
    std::io::Write::write_all(&mut waiting.stdin.take().unwrap(), b"mine").unwrap();
    waiting.wait_with_output().unwrap()
}

#[test]
fn a_change_meanwhile_is_kept() {
    let sandbox = Sandbox::with(&[("A", "1"), ("B", "1")]);
    let output = while_set_waits(&sandbox, || sandbox.envsec(["set", "B"]).stdin("theirs").succeeds());
    assert!(output.status.success());
    sandbox.envsec(["get", "A"]).prints("mine");
    sandbox.envsec(["get", "B"]).prints("theirs");
}

#[test]
fn another_file_meanwhile_is_a_conflict() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let output = while_set_waits(&sandbox, || drop(sandbox.make(".env.enc", None)));
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: .env.enc: somebody gave the file a new data key meanwhile\nhint: run the command again\n"
    );
    sandbox.envsec(["list"]).succeeds();
}

#[test]
fn an_older_revision_meanwhile_is_a_conflict() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let old = sandbox.read(".env.enc");
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    let output = while_set_waits(&sandbox, || sandbox.write(".env.enc", &old));
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(sandbox.read(".env.enc"), old);
}

#[test]
fn a_forged_change_meanwhile_is_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let forged = sandbox.text(".env.enc") + "EMPTY=\n";
    let output = while_set_waits(&sandbox, || sandbox.write(".env.enc", &forged));
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(sandbox.text(".env.enc"), forged);
}

#[test]
fn a_lock_held_by_another_process_is_waited_for() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("flock . sleep 0.4 & sleep 0.1; echo 2 | envsec set A && envsec get A; wait").prints("2");
}
