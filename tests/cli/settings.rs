//! Which file, label, pin and credential apply.

use crate::harness::{PASSWORD, Sandbox};
use crate::terminal::Terminal;

const NOTHING_FITS: &str = "error: .env.enc: no credential that fits a slot: the file has password (scrypt), key (raw)";

#[test]
fn the_file_is_searched_up_to_the_repositorys_root() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("mkdir -p repo/a/b && cp .env.enc repo/ && git init -q repo").succeeds();
    sandbox.envsec(["get", "A"]).folder(sandbox.join("repo/a/b")).prints("1");
    sandbox.envsec(["set", "A"]).folder(sandbox.join("repo/a/b")).stdin("2").succeeds();
    sandbox.envsec(["get", "A"]).folder(sandbox.join("repo")).prints("2");
    sandbox.shell("rm repo/.env.enc").succeeds();
    let error = sandbox.envsec(["get", "A"]).folder(sandbox.join("repo/a/b")).refuses(2);
    assert_eq!(error, "error: no .env.enc here, nor above up to the repository's root");
}

#[test]
fn outside_of_a_repository_only_this_folder_counts() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("mkdir sub").succeeds();
    sandbox.envsec(["get", "A"]).folder(sandbox.join("sub")).refuses(2);
}

#[test]
fn a_flag_outranks_its_variable() {
    let sandbox = Sandbox::with(&[("A", "default")]);
    let key = sandbox.make("other.enc", None);
    let production = sandbox.make(".env.production.enc", Some("production"));
    sandbox.envsec(["set", "-f", "other.enc", "A"]).variable("ENVSEC_KEY", &key).stdin("other").succeeds();
    sandbox.envsec(["set", "-e", "production", "A"]).variable("ENVSEC_KEY", &production).stdin("production").succeeds();
    let get = |args: &[&str]| {
        sandbox.envsec([args, &["get", "A"]].concat()).without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", PASSWORD)
    };
    get(&[]).prints("default");
    get(&[]).variable("ENVSEC_FILE", "other.enc").prints("other");
    get(&[]).variable("ENVSEC_ENV", "production").prints("production");
    get(&["-f", ".env.enc"]).variable("ENVSEC_FILE", "other.enc").prints("default");
    get(&["-e", "production"]).variable("ENVSEC_FILE", "other.enc").prints("production");
    let both = get(&["-e", "production", "-f", "other.enc"]).refuses(5);
    assert_eq!(both, "error: other.enc: its label is missing, but -e or the file's name asks for production");
    let both = get(&[]).variable("ENVSEC_FILE", "other.enc").variable("ENVSEC_ENV", "production").refuses(5);
    assert_eq!(both, "error: other.enc: its label is missing, but -e or the file's name asks for production");
}

#[test]
fn empty_variables_are_errors() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for name in ["ENVSEC_FILE", "ENVSEC_ENV", "ENVSEC_PASSWORD", "ENVSEC_KEY", "ENVSEC_SLOT", "ENVSEC_PIN"] {
        let error = sandbox.envsec(["get", "A"]).without("ENVSEC_KEY").variable(name, "").refuses(2);
        assert_eq!(error, format!("error: {name} is set, but empty"));
    }
}

#[test]
fn a_file_of_another_environment_is_refused() {
    let sandbox = Sandbox::new();
    let key = sandbox.make(".env.production.enc", Some("production"));
    sandbox
        .shell("cp .env.production.enc .env.staging.enc; cp .env.production.enc prod.enc; ln -s .env.staging.enc link")
        .succeeds();
    let get = |args: &[&str]| sandbox.envsec([args, &["run", "--", "true"]].concat()).variable("ENVSEC_KEY", &key);
    get(&["-e", "production"]).succeeds();
    get(&["-f", "prod.enc"]).succeeds();
    get(&["-f", "prod.enc", "-e", "production"]).succeeds();
    for args in
        [&["-e", "staging"][..], &["-f", ".env.staging.enc"], &["-f", "link"], &["-f", "prod.enc", "-e", "staging"]]
    {
        let output = get(args).output();
        assert_eq!(output.status.code(), Some(125), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr)
                .contains("its label is production, but -e or the file's name asks for staging")
        );
    }
}

#[test]
fn pins_refuse_older_and_other_files() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let old = sandbox.text(".env.enc");
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    let field = |name: &str| {
        let start = old.find(name).unwrap() + name.len();
        old[start..].split_whitespace().next().unwrap().to_owned()
    };
    let (file, key) = (field(" file="), field(" key="));
    let get = |pin: &str| sandbox.envsec(["get", "A"]).variable("ENVSEC_PIN", pin);
    get(&format!("{file}:{key}:3")).prints("2");
    get(&format!("{}:{key}:1,{file}:{key}:3", "A".repeat(22))).prints("2");
    assert_eq!(
        get(&format!("{file}:{key}:4")).refuses(5),
        "error: .env.enc: its revision is lower than the one in ENVSEC_PIN"
    );
    assert_eq!(
        get(&format!("{file}:{}:1", "A".repeat(43))).refuses(5),
        "error: .env.enc: its data key is not the one in ENVSEC_PIN"
    );
    assert_eq!(
        get(&format!("{}:{key}:1", "A".repeat(22))).refuses(5),
        "error: .env.enc: ENVSEC_PIN does not name this file"
    );
    for nonsense in
        ["x", "a:b", &format!("{file}:{key}:-1"), &format!("{file}:{key}:1:2"), &format!("{file}:{key}:01x")]
    {
        assert!(get(nonsense).refuses(2).contains("ENVSEC_PIN is not FILE:KEY:REV"));
    }
    sandbox.write(".env.enc", &old);
    assert!(get(&format!("{file}:{key}:3")).refuses(5).contains("revision is lower"));
    sandbox.envsec(["get", "A"]).prints("1");
}

#[test]
fn every_way_to_give_a_credential_opens_the_file() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("pw", format!("{PASSWORD}\n"));
    sandbox.write("key", format!("{}\n", sandbox.key));
    sandbox.shell("chmod 600 pw key").succeeds();
    for flags in [
        "--password-file pw",
        "--password-fd 3 3<pw",
        "--password-fd 0 <pw",
        "--password-command 'cat pw'",
        "--key-file key",
        "--key-fd 9 9<key",
        "--key-file key --password-file pw",
        "--password-file pw --slot password",
        "--password-file <(cat pw)",
    ] {
        let output = sandbox.shell(&format!("envsec get A {flags}")).without("ENVSEC_KEY").output();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"1"[..], &b""[..]), "{flags}");
    }
    let get = || sandbox.envsec(["get", "A"]).without("ENVSEC_KEY");
    get().variable("ENVSEC_PASSWORD", PASSWORD).prints("1");
    get().variable("ENVSEC_PASSWORD_FILE", "pw").prints("1");
    get().variable("ENVSEC_PASSWORD_COMMAND", "cat pw").prints("1");
    get().variable("ENVSEC_KEY", &sandbox.key).prints("1");
    get().variable("ENVSEC_KEY_FILE", "key").prints("1");
}

#[test]
fn no_password_is_asked_for_while_a_raw_key_will_do() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let get = || sandbox.envsec(["get", "A"]).variable("ENVSEC_PASSWORD_COMMAND", "touch asked; exit 1");
    get().prints("1");
    assert_eq!(sandbox.files(), [".env.enc"]);
    assert_eq!(get().without("ENVSEC_KEY").refuses(4), "error: the password command failed: exit status: 1");
    assert_eq!(sandbox.files(), [".env.enc", "asked"]);
    let other = Sandbox::sealed();
    let with_other_key = sandbox.envsec(["get", "A"]).variable("ENVSEC_KEY", &other.key);
    with_other_key.variable("ENVSEC_PASSWORD", PASSWORD).prints("1");
}

#[test]
fn a_name_that_can_be_no_label_is_refused() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("cp .env.enc .env.Prod.enc").succeeds();
    let error = sandbox.envsec(["get", "-f", ".env.Prod.enc", "A"]).refuses(2);
    assert!(error.starts_with("error: .env.Prod.enc: between .env. and .enc there has to be a label"), "{error}");
}

#[test]
fn both_spellings_of_a_password_open() {
    let sandbox = Sandbox::new();
    sandbox
        .envsec(["init", "--work-factor", "15"])
        .variable("ENVSEC_PASSWORD", "caf\u{e9} caf\u{e9} caf\u{e9}")
        .succeeds();
    sandbox.envsec(["run", "--", "true"]).variable("ENVSEC_PASSWORD", "cafe\u{301} caf\u{e9} cafe\u{301}").succeeds();
}

#[test]
fn flags_silence_the_variables() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("wrong", "wrong");
    sandbox.shell("chmod 600 wrong").succeeds();
    let error = sandbox.envsec(["get", "A", "--password-file", "wrong"]).refuses(4);
    assert_eq!(error, "error: .env.enc: no slot opens with this password or key");
}

#[test]
fn what_is_no_credential_says_so_without_showing_it() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let get = || sandbox.envsec(["get", "A"]).without("ENVSEC_KEY");
    assert_eq!(
        get().variable("ENVSEC_KEY", "envsec_key_1_CANARY").refuses(4),
        "error: ENVSEC_KEY: this is not a raw key: it has to be envsec_key_1_ and 50 more characters, and its checksum has to match"
    );
    assert_eq!(
        get().variable("ENVSEC_PASSWORD", "two\nlines").refuses(4),
        "error: ENVSEC_PASSWORD: the password holds a control character (a line break?)"
    );
    sandbox.write("empty", "\n");
    sandbox.shell("chmod 600 empty").succeeds();
    assert_eq!(
        get().variable("ENVSEC_PASSWORD_FILE", "empty").refuses(4),
        "error: ENVSEC_PASSWORD_FILE: the password is empty"
    );
    assert_eq!(
        get().variable("ENVSEC_PASSWORD_FILE", "nowhere").refuses(4),
        "error: ENVSEC_PASSWORD_FILE: nowhere: no such file"
    );
    assert_eq!(
        get().variable("ENVSEC_PASSWORD_COMMAND", "echo x; exit 3").refuses(4),
        "error: the password command failed: exit status: 3"
    );
    assert!(
        sandbox
            .envsec(["get", "A", "--password-fd", "77"])
            .refuses(4)
            .contains("the descriptor is not open for reading")
    );
}

#[test]
fn the_one_message_for_every_wrong_credential() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let other = Sandbox::sealed();
    let wrong = "error: .env.enc: no slot opens with this password or key\n\
                 hint: check the password or key, and that it belongs to this file\n";
    let get = || sandbox.envsec(["get", "A"]).without("ENVSEC_KEY");
    get().variable("ENVSEC_PASSWORD", "wrong password").fails(4, wrong);
    get().variable("ENVSEC_KEY", &other.key).fails(4, wrong);
    let text = sandbox.text(".env.enc");
    sandbox.write(".env.enc", text.replacen(" wrap=", " wrap=A", 1));
    assert!(get().variable("ENVSEC_PASSWORD", PASSWORD).refuses(5).contains("2: a malformed slot line"));
}

#[test]
fn a_credential_that_fits_no_slot_names_the_slots() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let text = sandbox.text(".env.enc");
    let get = |args: &[&str]| sandbox.envsec([&["get", "A"], args].concat()).without("ENVSEC_KEY");
    assert_eq!(get(&["--slot", "key"]).variable("ENVSEC_PASSWORD", PASSWORD).refuses(4), NOTHING_FITS);
    assert_eq!(
        get(&["--slot", "nobody"]).variable("ENVSEC_PASSWORD", PASSWORD).refuses(2),
        "error: .env.enc: there is no slot nobody: the file has password (scrypt), key (raw)"
    );
    assert!(get(&["--slot", "NO SLOT"]).variable("ENVSEC_PASSWORD", PASSWORD).refuses(2).contains("is no slot id"));
    assert_eq!(sandbox.text(".env.enc"), text);
}

#[test]
fn without_a_terminal_a_new_password_says_where_it_comes_from() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let refused = "error: there is no terminal to ask for it: New password (empty: generate one)\n\
                   hint: without a terminal: --new-password-file FILE or --new-password-command CMD\n";
    sandbox.envsec(["init", "-f", "new.enc"]).without("ENVSEC_KEY").fails(4, refused);
    sandbox.envsec(["slot", "add", "--password", "--id", "more"]).fails(4, refused);
}

#[test]
fn a_mistake_says_what_would_be_right() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    for (args, name, value, status, expected) in [
        (
            &["get", "A"][..],
            "ENVSEC_KEY",
            "",
            2,
            "error: ENVSEC_KEY is set, but empty\n\
             hint: was a secret to be put there that this job does not get? unset it to do without\n",
        ),
        (
            &["get", "A"],
            "ENVSEC_PIN",
            "x",
            2,
            "error: ENVSEC_PIN is not FILE:KEY:REV[,...]\nhint: envsec status --pin prints one\n",
        ),
        (
            &["rotate", "NIX"],
            "LANG",
            "C",
            2,
            "error: NIX: no such name in the sealed file\nhint: envsec list shows the names\n",
        ),
        (
            &["slot", "add"],
            "LANG",
            "C",
            2,
            "error: the following required arguments were not provided:\n  <--password|--raw-key>\n\n\
             Usage: envsec slot add <--password|--raw-key>\n\nFor more information, try '--help'.\n",
        ),
    ] {
        sandbox.envsec(args).variable(name, value).fails(status, expected);
    }
}

#[test]
fn a_file_with_a_line_break_in_its_name_is_told_on_one_line() {
    let sandbox = Sandbox::new();
    sandbox.write("as\ndeclared", "{}");
    let file = "a\\u{a}fixed: b.enc";
    for (command, expected) in [
        (
            "init --raw-key >key; chmod 600 key; echo A=1 >.env",
            format!("made {file}; next: envsec set NAME, envsec run -- COMMAND\n"),
        ),
        (
            "import .env",
            format!(
                "{file}: 1 name imported\n.env is still there, in plaintext: remove it when you no longer need it\n"
            ),
        ),
        ("unlock", format!("{file}: unlocked for 15m\n")),
        ("lock", format!("{file}: locked\n")),
        ("validate --schema $'as\ndeclared'", "as declared in as\\u{a}declared\n".to_owned()),
    ] {
        let key = if command.starts_with("init") { "" } else { "ENVSEC_KEY_FILE=key " };
        let command = format!("export ENVSEC_FILE=$'a\nfixed: b.enc'; {key}envsec {command}");
        let ended = Terminal::start(&sandbox, &command).ends();
        assert_eq!((ended.shown.as_str(), ended.status), (expected.as_str(), 0), "{command}");
    }
    let command = "ENVSEC_KEY_FILE=key ENVSEC_FILE=$'a\nfixed: b.enc' envsec rotate";
    let ended = Terminal::start(&sandbox, command).sees("Go on? [y/N] ").types("n\n").ends();
    assert!(ended.shown.starts_with(&format!("{file}: a new data key, for key (raw)\n")), "{}", ended.shown);
}

#[test]
fn without_a_terminal_a_missing_credential_says_what_to_set() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let output = sandbox.envsec(["get", "A"]).without("ENVSEC_KEY").output();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: there is no terminal to ask for it: Password for .env.enc\n\
         hint: without a terminal: ENVSEC_PASSWORD, ENVSEC_KEY, --password-file FILE or --key-file FILE\n"
    );
}

#[test]
fn a_credential_file_that_others_can_read_is_a_warning() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("pw", PASSWORD);
    sandbox.shell("chmod 644 pw").succeeds();
    let warning = "warning: pw: other users can read this credential: chmod 600 it\n";
    sandbox.envsec(["get", "A", "--password-file", "pw"]).answers(0, "1", warning);
    sandbox.envsec(["-q", "get", "A", "--password-file", "pw"]).prints("1");
}

#[test]
fn a_verb_that_writes_takes_one_file() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.make("b.enc", None);
    for args in [&["set", "A"][..], &["unset", "A"], &["import", "-"]] {
        let args = [args, &["-f", ".env.enc", "-f", "b.enc"]].concat();
        assert_eq!(
            sandbox.envsec(args).stdin("A=2").refuses(2),
            "error: several sealed files were given, but this command changes one"
        );
    }
}

/// It was status 1, as of a file that cannot be read.
#[test]
fn a_declaration_that_is_too_large_cannot_be_used() {
    let sandbox = Sandbox::sealed();
    sandbox.write("env.schema.json", format!("{}{{}}", " ".repeat(1 << 20)));
    let error = "error: env.schema.json: larger than 1 MiB\n";
    sandbox.envsec(["validate"]).fails(2, error);
    sandbox.envsec(["schema", "lint"]).fails(2, error);
    let nothing = "nothing was started (status 2: usage, or nothing there)\n";
    sandbox.envsec(["run", "--", "true"]).fails(125, &format!("{error}{nothing}"));
}
