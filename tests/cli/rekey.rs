//! A new data key and changed slots: limits, odd combinations, and files that change meanwhile.

use crate::harness::{LOW_WORK_FACTOR, PASSWORD, Sandbox, reference, reference_tools};
use crate::keys::{KEPT, NOT_UNDONE, WRONG, cheaply, does_not_open, line_with, opens, private, sandbox};
use envsec::crypto::system_rng;
use envsec::sealed::{Credential, NewSlot, Password, RawKey, SlotId, Unlocked};
use envsec::secret::SecretText;
use std::path::Path;

/// A sealed file whose slots are `p0`, `p1` and so on, of the lowest work factor, for the passwords in files of these names.
fn with_passwords(count: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let slot = |number| {
        let (id, text) = (format!("p{number}"), format!("the password of p{number}"));
        private(&sandbox, &id, &text);
        let credential = Credential::Password(Password::new(&SecretText::from(text.as_str())).unwrap());
        NewSlot { id: SlotId::parse(&id).unwrap(), credential, work_factor: LOW_WORK_FACTOR }
    };
    let slots: Vec<NewSlot> = (0..count).map(slot).collect();
    sandbox.write(".env.enc", Unlocked::create(None, &slots, &mut system_rng()).unwrap().seal().unwrap());
    sandbox
}

#[test]
fn every_password_of_a_team_may_be_given_for_a_new_data_key() {
    let sandbox = with_passwords(8);
    // Eight slots, each tried with each of these passwords, would be over the limit on a sum, if it counted pairs. The
    // last ones fit nothing, and nobody minds.
    let files: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    private(&sandbox, "wrong", "the password of nobody");
    let wrong = ["--password-file", "wrong"].repeat(9);
    let credentials: Vec<&str> = files.iter().flat_map(|file| ["--password-file", file]).chain(wrong).collect();
    sandbox.envsec(cheaply(&[&["rotate"], &credentials[..]].concat())).says(NOT_UNDONE);
    sandbox.envsec(["list", "--slot", "p7", "--password-file", "p7"]).succeeds();
}

/// A file of the second implementation with a slot `key`, these slots and header lines (Python), and the secrets A and B;
/// its credentials are in the files `key` and `pw`. What `costly(id, ln)` makes nobody can open, and it costs nothing to make.
fn made_elsewhere(slots: &str, headers: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let script = format!(
        "import os, sys; sys.path.insert(0, {:?}); import reference as r\n\
         nobody = lambda *_: os.urandom(32)\n\
         costly = lambda i, ln: (f'id={{i}} type=scrypt ln={{ln}} salt={{r.b64(os.urandom(32))}}', nobody)\n\
         known = lambda i: r.scrypt_slot(i, {PASSWORD:?}, {LOW_WORK_FACTOR})\n\
         token = lambda k, name, value, use: r.b64(k.encrypt(name, value, None, use))\n\
         slots = [r.raw_slot('key', b'3' * 32), {slots}]\n\
         data, _ = r.write_file(slots, [('A', 'one', False), ('B', 'two', False)], headers=[{headers}])\n\
         open('.env.enc', 'wb').write(data); print(r.raw_key_text(b'3' * 32), end='')",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
    );
    let output = sandbox.command(reference_tools(), ["-B", "-c", &script]).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    private(&sandbox, "key", &String::from_utf8(output.stdout).unwrap());
    private(&sandbox, "pw", PASSWORD);
    sandbox
}

#[test]
fn password_slots_never_cost_more_than_readers_accept() {
    let costly = "error: .env.enc: its password slots together would cost more than readers accept";
    let most = "costly('a', 20), costly('b', 19), costly('c', 18), costly('d', 17), costly('e', 16), costly('f', 15)";
    let sandbox = made_elsewhere(&format!("{most}, costly('g', 15)"), "");
    let before = sandbox.read(".env.enc");
    let add = ["slot", "add", "--password", "--id", "h", "--new-password-file", "pw", "--key-file", "key"];
    assert_eq!(sandbox.envsec(cheaply(&add)).refuses(1), costly);
    assert!(sandbox.read(".env.enc") == before);
    let sandbox = made_elsewhere(&format!("{most}, costly('g', 14), known('h')"), "");
    let before = sandbox.read(".env.enc");
    let change = ["slot", "change-password", "h", "--new-password-file", "pw", "--key-file", "key", "--keep-data-key"];
    assert_eq!(sandbox.envsec(cheaply(&change)).refuses(1), costly);
    let rewrap = ["slot", "rewrap", "--slot", "h", "--password-file", "pw"];
    assert_eq!(sandbox.envsec(cheaply(&rewrap)).refuses(1), costly);
    assert!(sandbox.read(".env.enc") == before);
    // What costs too much already may become cheaper.
    let sandbox = made_elsewhere("costly('a', 22), costly('b', 20)", "");
    let change = ["slot", "change-password", "b", "--new-password-file", "pw", "--key-file", "key", "--keep-data-key"];
    sandbox.envsec(cheaply(&change)).says(KEPT);
    sandbox.envsec(["get", "A", "--slot", "b", "--password-file", "pw"]).prints("one");
}

#[test]
fn a_slot_that_is_not_there_or_is_there_already_is_said_before_anybody_types() {
    let sandbox = sandbox();
    let missing = "error: there is no slot nobody: there are password, key";
    for verb in ["remove", "change-password", "rewrap"] {
        let credentials: &[&str] = if verb == "rewrap" { &["--key-file", "key"] } else { &[] };
        assert_eq!(sandbox.envsec([&["slot", verb, "nobody"], credentials].concat()).refuses(2), missing, "{verb}");
    }
    // And one that is there already, for which nobody gives a password here.
    let add = |more: &[&str]| sandbox.envsec([&["slot", "add", "--password", "--key-file", "key"], more].concat());
    assert_eq!(add(&[]).refuses(2), "error: there is a slot password already");
    assert_eq!(add(&["--id", "key"]).refuses(2), "error: there is a slot key already");
}

#[test]
fn slots_are_listed_by_file_and_by_the_file_that_opens_them() {
    let sandbox = sandbox();
    sandbox.write("two.enc", sandbox.read(".env.enc"));
    private(&sandbox, "other", "another good password");
    let change = ["slot", "change-password", "password", "-f", "two.enc", "--new-password-file", "other"];
    sandbox.envsec(cheaply(&[&change[..], &["--keep-data-key", "--key-file", "key"]].concat())).says(KEPT);
    let files = ["-f", ".env.enc", "-f", "two.enc", "--password-file", "other", "--password-file", "pw"];
    sandbox.envsec([&["slot", "list"], &files[..]].concat()).prints(
        ".env.enc  password  scrypt ln=14  opened by --password-file pw\n\
         .env.enc  key       raw\n\
         two.enc   password  scrypt ln=15  opened by --password-file other\n\
         two.enc   key       raw\n",
    );
}

#[test]
fn a_password_that_still_opens_the_file_is_told() {
    let sandbox = sandbox();
    private(&sandbox, "new", "another good password");
    let add = ["slot", "add", "--password", "--id", "alice", "--new-password-file", "pw", "--key-file", "key"];
    sandbox.envsec(cheaply(&add)).succeeds();
    let both = ["--password-file", "pw", "--key-file", "key"];
    let listed = sandbox.envsec([&["slot", "list"], &both[..]].concat()).output().stdout;
    assert_eq!(String::from_utf8(listed).unwrap().matches("opened by --password-file pw\n").count(), 2);
    sandbox.envsec(cheaply(&[&["rotate"], &both[..]].concat())).says(NOT_UNDONE);
    let warning = "warning: .env.enc: what opened the slot alice opens password too, which stays\n";
    let change = [&["slot", "change-password", "alice", "--new-password-file", "new"], &both[..]].concat();
    sandbox.envsec(cheaply(&change)).says(&format!("{warning}{NOT_UNDONE}"));
    opens(&sandbox, &["--password-file", "pw"]);
    sandbox.envsec(["list", "--slot", "alice", "--password-file", "new"]).output();
    // And back, to remove it.
    let back = ["slot", "change-password", "alice", "--new-password-file", "pw", "--password-file", "new"];
    sandbox.envsec(cheaply(&[&back[..], &both].concat())).says(NOT_UNDONE);
    let remove = |id| sandbox.envsec(cheaply(&[&["slot", "remove", id, "--yes"], &both[..]].concat()));
    remove("alice").says(&format!("{warning}{NOT_UNDONE}"));
    opens(&sandbox, &["--password-file", "pw"]);
    remove("password").says(NOT_UNDONE);
    assert!(sandbox.envsec(["get", "A", "--password-file", "pw"]).refuses(4).contains("no credential that fits"));
}

/// A slot of a type that this envsec does not know, in Python.
const LATER_SLOT: &str = "('id=later type=age to=age1xyz', nobody)";

#[test]
fn a_slot_of_a_later_envsec_is_left_out_by_name_or_stops_a_new_data_key() {
    let sandbox = made_elsewhere(LATER_SLOT, "");
    let before = sandbox.read(".env.enc");
    let later = "hint: update envsec, which does not know that type; or ";
    for (args, status, error) in [
        (&["rotate"][..], 4, "error: .env.enc: the secret of later (age) is not at hand\n"),
        (&["rotate", "--renew", "later"], 2, later),
        (&["slot", "change-password", "later", "--new-password-file", "pw"], 2, later),
        (&["slot", "rewrap", "later"], 4, "error: later: its secret is not at hand\n"),
        (&["rotate", "--drop-slot", "key"], 4, "error: .env.enc: the secret of later (age) is not at hand\n"),
        (&["rotate", "--drop-slot", "key", "--drop-slot", "later"], 1, "error: .env.enc: no slot would be left"),
        (&["slot", "remove", "key", "--yes", "--drop-slot", "later"], 1, "error: .env.enc: no slot would be left"),
        (&["slot", "remove", "key", "--yes", "--keep-data-key"], 1, "it is the last slot that a password or a key"),
    ] {
        let output = sandbox.envsec([args, &["--key-file", "key"]].concat()).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {stderr}");
        assert!(stderr.contains(error) && output.stdout.is_empty(), "{args:?}: {stderr}");
    }
    assert!(sandbox.read(".env.enc") == before);
    sandbox.envsec(["slot", "list"]).prints("key    raw\nlater  age\n");
    // It survives what keeps the data key, and goes when it is named.
    sandbox.envsec(["slot", "rewrap", "--key-file", "key", "-q"]).succeeds();
    assert!(sandbox.text(".env.enc").contains("#envsec:slot id=later type=age to=age1xyz wrap="));
    sandbox.write(".env.enc", &before);
    sandbox.envsec(["slot", "remove", "later", "--yes", "--keep-data-key", "--key-file", "key"]).says(KEPT);
    for args in [&["slot", "remove", "later", "--yes"][..], &["rotate", "--drop-slot", "later"]] {
        sandbox.write(".env.enc", &before);
        sandbox.envsec([args, &["--key-file", "key"]].concat()).says(NOT_UNDONE);
        sandbox.envsec(["slot", "list"]).prints("key  raw\n");
        sandbox.envsec(["get", "B", "--key-file", "key"]).prints("two");
    }
}

#[test]
fn header_lines_of_a_later_envsec_stop_a_new_data_key_until_they_are_left_out_by_kind() {
    let headers = "lambda k: 'policy max=3', lambda k: 'notes x', lambda k: 'policy max=4'";
    let sandbox = made_elsewhere("", headers);
    let before = sandbox.read(".env.enc");
    let rekey = |args: &[&str]| sandbox.envsec([args, &["--key-file", "key"]].concat());
    let unknown = "error: .env.enc: the header has lines that this envsec does not know: ";
    assert_eq!(rekey(&["rotate"]).refuses(1), format!("{unknown}policy, notes"));
    assert_eq!(rekey(&["rotate", "--drop-line", "policy"]).refuses(1), format!("{unknown}notes"));
    assert_eq!(rekey(&["rotate", "--drop-line", "policy max=3"]).refuses(1), format!("{unknown}policy, notes"));
    assert_eq!(rekey(&["rotate", "--renew", "key"]).refuses(1), format!("{unknown}policy, notes"));
    assert!(sandbox.read(".env.enc") == before);
    // What keeps the data key keeps them.
    let add = ["slot", "add", "--password", "--new-password-file", "pw"];
    sandbox.envsec(cheaply(&[&add[..], &["--key-file", "key"]].concat())).succeeds();
    let remove = ["slot", "remove", "password", "--yes", "--password-file", "pw"];
    assert_eq!(rekey(&remove).refuses(1), format!("{unknown}policy, notes"));
    assert!(sandbox.text(".env.enc").contains("\n#envsec:policy max=3\n#envsec:notes x\n#envsec:policy max=4\n"));
    rekey(&[&remove[..], &["--drop-line", "notes", "--drop-line", "policy"]].concat()).says(NOT_UNDONE);
    let text = sandbox.text(".env.enc");
    assert!(!text.contains("policy") && !text.contains("notes"), "{text}");
    sandbox.envsec(["get", "B", "--key-file", "key"]).prints("two");
}

#[test]
fn previous_and_pending_values_come_along() {
    let rotation = "lambda k: 'rotation name=A at=2026-01-01T00:00:00Z previous=' + token(k, b'A', b'old', b'previous') \
                    + ' until=9999-01-01T00:00:00Z pending=' + token(k, b'A', b'next', b'pending') \
                    + ' since=2026-01-02T00:00:00Z', lambda k: 'rotation name=B at=2026-01-03T00:00:00Z'";
    let sandbox = made_elsewhere("known('password')", rotation);
    let before = sandbox.text(".env.enc");
    sandbox.envsec(cheaply(&["rotate", "--key-file", "key", "--password-file", "pw"])).says(NOT_UNDONE);
    let after = sandbox.text(".env.enc");
    let words = |text: &str| {
        let line = line_with(text, "#envsec:rotation name=A ");
        line.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let (old, new) = (words(&before), words(&after));
    let changed: Vec<_> = old.iter().zip(&new).filter(|(old, new)| old != new).map(|(old, _)| &old[..8]).collect();
    assert_eq!((old.len(), new.len(), &changed[..]), (7, 7, &["previous", "pending="][..]));
    assert_eq!(line_with(&before, "#envsec:rotation name=B "), line_with(&after, "#envsec:rotation name=B "));
    sandbox.envsec(["export", "--previous", "--key-file", "key"]).prints("A=one\nB=two\nA_PREVIOUS=old\n");
    for credential in [["--raw-key", sandbox.text("key").trim_end()], ["--password", PASSWORD]] {
        let output = reference(&sandbox, &[&["open", ".env.enc"], &credential[..]].concat()).output();
        let opened: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(opened["names"], serde_json::json!({"A": "one", "B": "two"}));
        assert_eq!((&opened["previous"]["A"], &opened["pending"]["A"]), (&"old".into(), &"next".into()));
    }
}

#[test]
fn a_token_that_does_not_decrypt_stops_a_new_data_key() {
    // Made with the right key, but for another name.
    for token in [
        "previous=' + token(k, b'B', b'x', b'previous') + ' until",
        "pending=' + token(k, b'A', b'x', b'value') + ' since",
    ] {
        let rotation = format!("lambda k: 'rotation name=A at=2026-01-01T00:00:00Z {token}=9999-01-01T00:00:00Z'");
        let sandbox = made_elsewhere("", &rotation);
        let before = sandbox.read(".env.enc");
        for verb in ["--renew", "--drop-slot"] {
            sandbox.write(".env.enc", &before);
            sandbox.envsec(["slot", "add", "--raw-key", "--id", "ci", "--key-file", "key"]).output();
            let with_ci = sandbox.read(".env.enc");
            let error = sandbox.envsec(["rotate", verb, "ci", "--key-file", "key"]).refuses(5);
            assert_eq!(error, "error: .env.enc: A: the value does not authenticate");
            assert!(sandbox.read(".env.enc") == with_ci);
        }
    }
}

#[test]
fn sixty_four_slots_are_the_most() {
    let sandbox = Sandbox::new();
    let mut keys: Vec<RawKey> = (0..63).map(|_| RawKey::generate(&mut system_rng())).collect();
    private(&sandbox, "key", keys[0].to_text().expose());
    let slot = |(number, key)| NewSlot {
        id: SlotId::parse(&format!("k{number}")).unwrap(),
        credential: Credential::RawKey(key),
        work_factor: LOW_WORK_FACTOR,
    };
    let slots: Vec<NewSlot> = keys.drain(..).enumerate().map(slot).collect();
    sandbox.write(".env.enc", Unlocked::create(None, &slots, &mut system_rng()).unwrap().seal().unwrap());
    let add = |id| sandbox.envsec(["slot", "add", "--raw-key", "--id", id, "--key-file", "key"]);
    assert_eq!(add("last").output().status.code(), Some(0));
    let before = sandbox.read(".env.enc");
    add("more").fails(
        1,
        "error: .env.enc: the file would have more than 64 slots, which no reader takes; nothing was written\n\
         hint: remove one first: envsec slot remove ID\n",
    );
    assert!(sandbox.read(".env.enc") == before);
    let rotate = ["rotate", "--key-file", "key"].map(str::to_owned);
    let renewed = (1..63).map(|number| format!("k{number}")).chain(["last".to_owned()]);
    let args: Vec<String> = rotate.into_iter().chain(renewed.flat_map(|id| ["--renew".to_owned(), id])).collect();
    let output = sandbox.envsec(&args).output();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() == 63 && lines.lines().all(|line| line.contains(" envsec_key_1_")), "not 63 keys");
    let (id, key) = lines.lines().last().unwrap().split_once(' ').unwrap();
    private(&sandbox, "renewed", key);
    sandbox.envsec(["list", "--slot", id, "--key-file", "renewed"]).succeeds();
}

#[test]
fn a_credential_that_fits_nothing_does_no_harm_beside_those_that_do() {
    let sandbox = sandbox();
    let other = Sandbox::sealed();
    private(&sandbox, "wrong", "not the right password");
    private(&sandbox, "wrong-key", &other.key);
    let wrong = ["--password-file", "wrong", "--key-file", "wrong-key"];
    let both = ["--password-file", "pw", "--key-file", "key"];
    let before = sandbox.read(".env.enc");
    // With one slot's secret wrong, that slot's is missing; with all of them wrong, nothing opens.
    let missing = "error: .env.enc: the secret of key (raw) is not at hand";
    assert_eq!(sandbox.envsec(cheaply(&[&["rotate"], &wrong[..], &both[..2]].concat())).refuses(4), missing);
    assert_eq!(sandbox.envsec(cheaply(&[&["rotate"], &wrong[..]].concat())).refuses(4), WRONG);
    for verb in [&["slot", "rewrap"][..], &["slot", "remove", "key", "--yes"]] {
        assert_eq!(sandbox.envsec(cheaply(&[verb, &wrong[..]].concat())).refuses(4), WRONG);
    }
    assert!(sandbox.read(".env.enc") == before);
    sandbox.envsec(cheaply(&[&["rotate"], &wrong[..], &both].concat())).says(NOT_UNDONE);
    opens(&sandbox, &["--password-file", "pw"]);
    does_not_open(&sandbox, &wrong[..2]);
}

#[test]
fn a_file_that_cannot_be_replaced_keeps_the_others_from_being_replaced() {
    let sandbox = sandbox();
    sandbox.write("bound.enc", sandbox.read(".env.enc"));
    let before = sandbox.read(".env.enc");
    let rotate = "envsec rotate -f .env.enc -f bound.enc --key-file key --password-file pw --work-factor 15";
    let script = format!(
        "cp bound.enc real && mount --bind real bound.enc || exit 99; {rotate}; status=$?; cmp real .env.enc && exit $status"
    );
    let mounted = |script: &str| sandbox.shell(&format!("unshare --mount --map-root-user bash -c '{script}'"));
    let error = mounted(&script).refuses(1);
    assert!(error.contains("bound.enc: the file cannot be replaced atomically: "), "{error}");
    assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc", "bound.enc", "key", "pw", "real"]);
    mounted(&format!("mount --bind real bound.enc || exit 99; {rotate} --in-place")).says(NOT_UNDONE);
    opens(&sandbox, &["-f", "real", "--key-file", "key"]);
    opens(&sandbox, &["-f", ".env.enc", "--password-file", "pw"]);
}

#[test]
fn a_folder_that_cannot_be_written_keeps_all_files_from_being_written() {
    let sandbox = sandbox();
    for (how, what) in
        [("", "/sub: cannot create a file in the folder: "), ("--in-place", "cannot open it for writing: ")]
    {
        let script = format!(
            "mkdir -p sub && cp .env.enc sub/ && mount --bind sub sub && mount -o remount,bind,ro sub || exit 99; \
             envsec rotate -f .env.enc -f sub/.env.enc --renew key --password-file pw --work-factor 15 {how}; \
             status=$?; cmp .env.enc sub/.env.enc && exit $status"
        );
        let error = sandbox.shell(&format!("unshare --mount --map-root-user bash -c '{script}'")).refuses(1);
        assert!(error.contains(what), "{error}");
    }
    assert_eq!(sandbox.files(), [".env.enc", "key", "pw", "sub"]);
}

#[test]
fn a_pin_of_the_old_data_key_lets_it_change_and_refuses_what_came_after() {
    let sandbox = sandbox();
    let pin = String::from_utf8(sandbox.envsec(["status", "--pin", "--key-file", "key"]).output().stdout).unwrap();
    let pinned = |args: &[&str]| sandbox.envsec(cheaply(args)).variable("ENVSEC_PIN", pin.trim());
    let rotate = ["rotate", "--key-file", "key", "--password-file", "pw"];
    pinned(&rotate).says(NOT_UNDONE);
    let after = sandbox.read(".env.enc");
    let error = "error: .env.enc: its data key is not the one in ENVSEC_PIN";
    assert_eq!(pinned(&rotate).refuses(5), error);
    assert_eq!(
        pinned(&["slot", "add", "--password", "--new-password-file", "pw", "--key-file", "key"]).refuses(5),
        error
    );
    assert!(sandbox.read(".env.enc") == after);
}

#[test]
fn a_file_is_named_once_whatever_it_is_called() {
    let sandbox = sandbox();
    std::os::unix::fs::symlink(".env.enc", sandbox.join("link.enc")).unwrap();
    let both = ["--key-file", "key", "--password-file", "pw"];
    let rotate = |files: &[&str]| sandbox.envsec(cheaply(&[&["rotate"], files, &both[..]].concat()));
    let before = sandbox.read(".env.enc");
    assert!(rotate(&["-f", "link.enc", "-f", ".env.enc"]).refuses(2).ends_with("was named twice"));
    assert!(sandbox.read(".env.enc") == before);
    // A hard link is a file of its own once it is replaced; in place it is one file, written twice.
    for in_place in [&[][..], &["--in-place"]] {
        let _ = std::fs::remove_file(sandbox.join("hard.enc"));
        std::fs::hard_link(sandbox.join(".env.enc"), sandbox.join("hard.enc")).unwrap();
        rotate(&[&["-f", "hard.enc", "-f", ".env.enc"], in_place].concat()).says(NOT_UNDONE);
        for file in ["hard.enc", ".env.enc"] {
            opens(&sandbox, &["-f", file, "--key-file", "key"]);
            opens(&sandbox, &["-f", file, "--password-file", "pw"]);
        }
    }
}
