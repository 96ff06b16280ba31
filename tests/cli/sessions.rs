//! Unlocked sessions, each test in a user namespace and so with a keyring of its own.

use crate::harness::{Run, Sandbox};
use crate::keys::{NOT_UNDONE, cheaply, line_with, private, sandbox};
use envsec::sealed::Locked;

const ASKS: &str = "error: there is no terminal to ask for it: Password for .env.enc";

/// A script whose keyring nobody else uses, and which goes when the script ends.
fn in_own_keyring<'s>(sandbox: &'s Sandbox, script: &str) -> Run<'s> {
    assert!(!script.contains('\''), "{script}");
    sandbox.shell(&format!("exec unshare --user --map-root-user bash -c '{script}'"))
}

/// A shell command that prints the time and the name of every key that is kept of the sandbox's file: `/proc/keys` shows
/// those of other tests too.
fn keys_of(sandbox: &Sandbox) -> String {
    let file = Locked::parse(&sandbox.read(".env.enc")).unwrap();
    let id: String = file.file_id().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("grep -o \" [^ ]* [^ ]* *[0-9]* *[0-9]* user *envsec:1:{id}\" /proc/keys; true")
}

#[test]
fn a_session_that_dies_while_it_starts_leaves_no_key() {
    let sandbox = sandbox();
    let unlock =
        |inject: &str| format!("strace -qq -o trace -e trace=add_key,keyctl {inject} envsec unlock --key-file key");
    let keys = keys_of(&sandbox);
    let output = in_own_keyring(&sandbox, &format!("{} && envsec get A && {keys}", unlock(""))).output();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.starts_with("one 15m ") || shown.starts_with("one 14m "), "{shown}");
    let calls = sandbox.text("trace").lines().filter(|line| line.starts_with("keyctl(")).count();
    assert!(calls >= 4, "{}", sandbox.text("trace"));
    for at in 1..=calls {
        let inject = format!("-e inject=keyctl:signal=KILL:when={at}");
        let script = format!("{}; envsec get A || exit 4; {keys}", unlock(&inject));
        let output = in_own_keyring(&sandbox, &script).output();
        let (shown, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Either nothing is kept, or the key has its time.
        match output.status.code() {
            Some(0) => assert!(shown.starts_with("one 1") && !shown.contains(" perm "), "call {at}: {shown}"),
            _ => assert!(shown.is_empty() && stderr.contains(ASKS), "call {at}: {shown}{stderr}"),
        }
    }
}

#[test]
fn locking_a_file_forgets_the_data_keys_that_it_had_before_too() {
    let sandbox = sandbox();
    let rotate = "envsec rotate --key-file key --password-file pw --work-factor 15 -q";
    let script = format!(
        "cp .env.enc old && envsec unlock --key-file key && {rotate} && envsec lock && cp old .env.enc && envsec get A"
    );
    assert_eq!(in_own_keyring(&sandbox, &script).refuses(4), ASKS);
}

#[test]
fn a_file_that_cannot_be_read_is_locked_with_all_others() {
    let sandbox = sandbox();
    let script = "envsec unlock --key-file key && cp .env.enc good && echo broken >> .env.enc && envsec lock; \
                  envsec lock --all && cp good .env.enc && envsec get A";
    let output = in_own_keyring(&sandbox, script).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let told = "nothing was locked; envsec lock --all locks every file, whatever is wrong with one\nerror: .env.enc:";
    assert!(stderr.starts_with(told) && stderr.contains(ASKS), "{stderr}");
    assert_eq!((output.stdout.len(), output.status.code()), (0, Some(4)));
}

#[test]
fn several_files_are_unlocked_and_each_is_locked_alone() {
    let sandbox = sandbox();
    let key = sandbox.make("two.enc", None);
    private(&sandbox, "key2", &key);
    let both = "-f .env.enc -f two.enc --key-file key --key-file key2";
    let script = format!(
        "envsec unlock {both} && envsec get A && envsec list -f two.enc && envsec run -f two.enc -f .env.enc -- true \
         && envsec lock -f two.enc && envsec get A && envsec list -f .env.enc | head -n 1 \
         && envsec export -f two.enc"
    );
    let output = in_own_keyring(&sandbox, &script).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "oneoneA  secret\n", "{stderr}");
    assert!(stderr.starts_with("error: there is no terminal to ask for it: Password for two.enc\n"), "{stderr}");
    // One that cannot be opened, and none is.
    let script = format!("envsec unlock -q {} ; envsec get A", both.replace(" --key-file key2", ""));
    let output = in_own_keyring(&sandbox, &script).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("error: two.enc: ") && stderr.contains(ASKS), "{stderr}");
}

#[test]
fn a_session_that_ended_or_may_not_be_read_is_none() {
    let sandbox = sandbox();
    let short = "envsec unlock --ttl 5s --key-file key && envsec get A && sleep 5.2 &&";
    let output = in_own_keyring(&sandbox, &format!("{short} envsec get A")).output();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(ASKS));
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"one"[..], Some(4)));
    // It can be renewed and ended then, and while it lasts.
    let renewed = format!("{short} envsec unlock --key-file key && envsec unlock --key-file key && envsec get A");
    in_own_keyring(&sandbox, &renewed).prints("oneone");
    in_own_keyring(&sandbox, &format!("{short} envsec lock")).prints("one");
    for (error, call) in [("EACCES", 1), ("EACCES", 2), ("EACCES", 3), ("EKEYEXPIRED", 3), ("EKEYREVOKED", 2)] {
        let denied = format!("strace -qq -o trace -e trace=keyctl -e inject=keyctl:error={error}:when={call}");
        let open = "envsec unlock --key-file key";
        let read = |verb: &str| in_own_keyring(&sandbox, &format!("{open} && {denied} envsec {verb}"));
        assert_eq!(read("get A").refuses(4), ASKS, "{error} {call}");
        assert!(sandbox.text("trace").contains(&format!("{error} ")), "{}", sandbox.text("trace"));
        read("get A --key-file key").prints("one");
    }
    // What another program has put under its name is none either.
    let short = "strace -qq -o trace -e trace=keyctl -e inject=keyctl:retval=39:when=3 envsec get A";
    let output = in_own_keyring(&sandbox, &format!("envsec unlock --key-file key && {short}"));
    assert_eq!(output.refuses(4), ASKS);
    assert!(sandbox.text("trace").contains("KEYCTL_READ") && sandbox.text("trace").contains("= 39 (INJECTED)"));
}

#[test]
fn what_is_not_as_it_was_sealed_is_not_unlocked() {
    let sandbox = sandbox();
    let older = sandbox.text(".env.enc");
    sandbox.envsec(cheaply(&["rotate", "--key-file", "key", "--password-file", "pw"])).says(NOT_UNDONE);
    let (good, keys) = (sandbox.text(".env.enc"), keys_of(&sandbox));
    let slot = |text: &str, id: &str| line_with(text, &format!("#envsec:slot id={id} ")) + "\n";
    let (password, key) = (slot(&good, "password"), slot(&good, "key"));
    for (what, file) in [
        ("an entry planted", format!("{good}PLANTED=\n")),
        ("ln changed", good.replace(" ln=15", " ln=14")),
        ("a slot planted", good.replace(&key, &(key.clone() + &key.replace("id=key", "id=friend")))),
        ("a slot removed", good.replace(&password, "")),
        ("slots reordered", good.replace(&key, "").replace(&password, &(key.clone() + &password))),
        ("a slot of an older revision", good.replace(&password, &slot(&older, "password"))),
        ("cut", good[..good.len() / 2].to_owned()),
    ] {
        sandbox.write(".env.enc", file);
        let script = format!("envsec unlock --key-file key; echo status $?; {keys}");
        let output = in_own_keyring(&sandbox, &script).output();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "status 5\n", "{what}");
    }
}
