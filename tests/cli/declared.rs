//! set, import and init against a declaration: what they warn of, refuse, generate and write.

use crate::harness::{PASSWORD, Run, Sandbox};
use crate::status::declare;
use crate::terminal::Terminal;
use std::os::unix::fs::PermissionsExt as _;

const PROPERTIES: &[&str] = &[
    r#""PORT": {"type": "integer"}"#,
    r#""API_KEY": {"writeOnly": true, "minLength": 16, "x-envsec": {"generate": "hex:8"}}"#,
    r#""NAME": {"type": "string", "x-envsec": {"requiredIn": ["production"]}}"#,
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("PORT", "3000")]);
    declare(&sandbox, &["PORT", "API_KEY"], PROPERTIES);
    sandbox
}

const NO_PORT: &str = "PORT: an integer: is none (6 characters)";
const NOTHING_WRITTEN: &str = "hint: nothing was written; without --strict it is a warning\n";

#[test]
fn set_warns_of_a_value_that_is_not_as_declared() {
    let sandbox = sandbox();
    sandbox.envsec(["set", "PORT"]).stdin("hidden").says(&format!("warning: not as declared: {NO_PORT}\n"));
    sandbox.envsec(["get", "PORT"]).prints("hidden");
    sandbox.envsec(["set", "-q", "PORT"]).stdin("secret").succeeds();
    sandbox.envsec(["set", "PORT"]).stdin("1").succeeds();
    sandbox.envsec(["set", "UNDECLARED"]).stdin("x").succeeds();
    sandbox.envsec(["set", "--plain", "PORT=x", "NAME=", "API_KEY=short"]).says(
        "warning: not as declared: PORT: an integer: is none (1 character)\n\
         warning: not as declared: API_KEY: at least 16 characters: has 5\n\
         warning: not as declared: API_KEY: secret, stored encrypted: is stored plain\n",
    );
}

#[test]
fn set_strict_refuses_it_and_writes_nothing() {
    let sandbox = sandbox();
    let before = sandbox.read(".env.enc");
    sandbox
        .envsec(["set", "--strict", "PORT"])
        .stdin("hidden")
        .fails(3, &format!("error: env.schema.json: 1 problem\n  {NO_PORT}\n{NOTHING_WRITTEN}"));
    sandbox.envsec(["set", "--strict", "--plain", "NAME=right", "PORT=hidden"]).refuses(3);
    sandbox.envsec(["set", "--strict", "API_KEY", "--generate", "hex:1"]).refuses(3);
    assert!(sandbox.read(".env.enc") == before);
    sandbox.envsec(["set", "--strict", "PORT"]).stdin("1").succeeds();
}

#[test]
fn a_secret_is_not_stored_plain_unnoticed() {
    let sandbox = sandbox();
    let plain = "API_KEY: secret, stored encrypted: is stored plain";
    let set = |args: &[&str]| sandbox.envsec([&["set", "API_KEY"], args].concat()).stdin("0123456789abcdef");
    let error = format!("error: env.schema.json: 1 problem\n  {plain}\n{NOTHING_WRITTEN}");
    set(&["--plain", "--strict"]).fails(3, &error);
    set(&["--plain"]).says(&format!("warning: not as declared: {plain}\n"));
    set(&[]).says(&format!("warning: not as declared: {plain}\n"));
    set(&["--secret", "--strict"]).succeeds();
    set(&["--strict"]).succeeds();
}

#[test]
fn generate_auto_makes_what_is_declared() {
    let sandbox = sandbox();
    sandbox.envsec(["set", "API_KEY", "--generate", "auto", "--strict"]).succeeds();
    let value = String::from_utf8(sandbox.envsec(["get", "API_KEY"]).output().stdout).unwrap();
    assert!(value.len() == 16 && value.bytes().all(|b| b.is_ascii_hexdigit()), "{value}");
    let before = sandbox.read(".env.enc");
    for name in ["NAME", "UNDECLARED"] {
        sandbox.envsec(["set", name, "--generate", "auto"]).fails(
            2,
            &format!(
                "error: {name}: nothing declares how to generate it\n\
                 hint: in env.schema.json: \"x-envsec\": {{\"generate\": \"hex:32\"}}\n"
            ),
        );
    }
    std::fs::remove_file(sandbox.join("env.schema.json")).unwrap();
    sandbox.envsec(["set", "API_KEY", "--generate", "auto"]).fails(
        2,
        "error: no env.schema.json beside the sealed file, nor above up to the repository's root\n\
         hint: write one with: envsec schema infer; or name it: --schema FILE\n",
    );
    assert!(sandbox.read(".env.enc") == before);
}

#[test]
fn a_broken_declaration_is_a_warning_and_with_strict_an_error() {
    let sandbox = Sandbox::with(&[("PORT", "3000")]);
    sandbox.write("new.env", "A=hidden\n");
    for (text, error) in [
        (
            r#"{"properties": {"PORT": {"type": "int"}}}"#,
            "env.schema.json: /properties/PORT/type: is no type of JSON Schema",
        ),
        ("[]", "env.schema.json: /: is no object"),
    ] {
        sandbox.write("env.schema.json", text);
        let warning = format!("warning: not checked against the declaration: {error}\n");
        sandbox.envsec(["set", "PORT"]).stdin("1").says(&warning);
        let before = sandbox.read(".env.enc");
        for args in [&["set", "--strict", "PORT"][..], &["import", "--strict", "--replace", "new.env"]] {
            sandbox
                .envsec(args)
                .stdin("2")
                .fails(2, &format!("error: {error}\nhint: docs/schema.md has the keywords; nothing was checked\n"));
        }
        assert!(sandbox.read(".env.enc") == before);
        assert_eq!(sandbox.envsec(["import", "new.env", "--replace"]).refuses(0), warning.trim_end());
    }
    sandbox.write("env.schema.json", "");
    assert_eq!(
        sandbox.envsec(["set", "PORT", "--schema", "gone"]).stdin("2").refuses(0),
        "warning: not checked against the declaration: gone: no such file"
    );
}

#[test]
fn import_warns_of_all_values_that_are_not_as_declared() {
    let sandbox = sandbox();
    sandbox.write("new.env", "API_KEY=short\nOTHER=x\nPORT=hidden\n");
    let import = |args: &[&str]| sandbox.envsec([&["import", "new.env"], args].concat());
    let (short, plain) =
        ("API_KEY: at least 16 characters: has 5", "API_KEY: secret, stored encrypted: is stored plain");
    let before = sandbox.read(".env.enc");
    import(&["--strict", "--replace", "--plain", "*"])
        .fails(3, &format!("error: env.schema.json: 3 problems\n  {short}\n  {plain}\n  {NO_PORT}\n{NOTHING_WRITTEN}"));
    assert!(sandbox.read(".env.enc") == before);
    import(&["--replace"]).says(&format!(
        "warning: not as declared: {short}\nwarning: not as declared: {NO_PORT}\n\
         .env.enc: 2 names imported, 1 replaced\n\
         new.env is still there, in plaintext: remove it when you no longer need it\n"
    ));
}

#[test]
fn import_judges_what_it_would_write_and_nothing_else() {
    let sandbox = sandbox();
    sandbox.write("new.env", "PORT=hidden\nNAME=x\n");
    let error = "error: already in the sealed file: PORT\n\
                 hint: nothing was imported; --replace takes the new values, --keep the old ones\n";
    sandbox.envsec(["import", "new.env"]).fails(1, error);
    sandbox.envsec(["import", "new.env", "--strict", "--keep", "-q"]).succeeds();
    sandbox.envsec(["get", "PORT"]).prints("3000");
    sandbox.envsec(["set", "-q", "--plain", "API_KEY=0123456789abcdef"]).succeeds();
    sandbox.write("new.env", "API_KEY=0123456789abcdeF\n");
    // An entry that is plain stays so.
    let error = sandbox.envsec(["import", "new.env", "--strict", "--replace"]).output().stderr;
    assert!(String::from_utf8(error).unwrap().contains("\n  API_KEY: secret, stored encrypted: is stored plain\n"));
}

#[test]
fn labels_are_kept_by_set_and_import() {
    let sandbox = Sandbox::new();
    let key = sandbox.make(".env.production.enc", Some("production"));
    declare(&sandbox, &[], &[r#""DEBUG": {"type": "boolean", "x-envsec": {"forbiddenIn": ["production"]}}"#]);
    let validate = || sandbox.envsec(["validate", "-e", "production"]).variable("ENVSEC_KEY", &key);
    validate().succeeds();
    sandbox.envsec(["set", "-e", "production", "DEBUG"]).variable("ENVSEC_KEY", &key).stdin("true").succeeds();
    validate().fails(
        3,
        "error: env.schema.json: 1 problem\n  DEBUG: no value in production: there is one\n\
         hint: envsec status DEBUG tells the rule and where the value comes from\n",
    );
}

const INIT: &str = "envsec init --work-factor 15";
const NEW_PASSWORD: &str = "New password (empty: generate one): ";
const INFERRED: &str = "env.schema.json: a first declaration, to be read and mended; envsec validate checks it\n";

/// A folder with a dotenv file, and a new file's password.
fn with_dotenv(name: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.write(name, "# to listen\nPORT=3000\nTOKEN=hidden-value\n");
    sandbox
}

fn init<'s>(sandbox: &'s Sandbox, args: &[&str]) -> Run<'s> {
    sandbox.envsec([&["init", "--work-factor", "15"], args].concat())
}

#[test]
fn init_writes_the_declaration_that_is_asked_for() {
    let sandbox = with_dotenv(".env");
    init(&sandbox, &["--schema", "env.schema.json"]).says(INFERRED);
    assert_eq!(sandbox.files(), [".env", ".env.enc", "env.schema.json"]);
    let inferred = sandbox.envsec(["schema", "infer", ".env"]).output().stdout;
    assert!(sandbox.read("env.schema.json") == inferred && !sandbox.text("env.schema.json").contains("hidden"));
    sandbox.envsec(["validate", "--names"]).refuses(3);
    sandbox.envsec(["import", "-q", "--strict", ".env"]).succeeds();
    sandbox.envsec(["validate", "--strict"]).succeeds();
}

#[test]
fn init_infers_from_what_it_imports() {
    let sandbox = with_dotenv("old.env");
    init(&sandbox, &["--schema", "s.json", "--from", "old.env", "-q"]).succeeds();
    let inferred = sandbox.envsec(["schema", "infer", "old.env"]).output().stdout;
    assert!(sandbox.read("s.json") == inferred);
    sandbox.envsec(["validate", "--strict", "--schema", "s.json"]).succeeds();
}

#[test]
fn the_umask_says_who_reads_the_new_declaration() {
    for (umask, mode) in [("022", 0o644), ("077", 0o600)] {
        let sandbox = with_dotenv(".env");
        sandbox.shell(&format!("umask {umask}; {INIT} -q --schema s.json")).succeeds();
        let mode_of = |name: &str| sandbox.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode_of("s.json"), mode_of(".env.enc")), (mode, 0o600), "{umask}");
    }
}

#[test]
fn init_without_a_terminal_or_a_dotenv_file_writes_none_unasked() {
    let sandbox = with_dotenv(".env");
    init(&sandbox, &[]).succeeds();
    assert_eq!(sandbox.files(), [".env", ".env.enc"]);
    let sandbox = with_dotenv("unusual.env");
    init(&sandbox, &["--schema", "s.json"]).fails(
        2,
        "error: nothing to infer from: no .env.example, no .env and no sealed file here\n\
         hint: name a dotenv file: envsec schema infer FILE\n",
    );
    assert_eq!(sandbox.files(), ["unusual.env"]);
    let ended = Terminal::start(&sandbox, INIT).ends();
    assert_eq!((ended.shown.as_str(), ended.status), (MADE, 0));
}

const MADE: &str = "made .env.enc; next: envsec set NAME, envsec run -- COMMAND\n";
const QUESTION: &str = "Write env.schema.json, a declaration inferred from .env? [Y/n] ";

#[test]
fn at_a_terminal_init_asks() {
    for (typed, is_written) in
        [("\r", true), ("y\r", true), ("Yes\r", true), ("n\r", false), ("no\r", false), ("?\r", false)]
    {
        let sandbox = with_dotenv(".env");
        let ended = Terminal::start(&sandbox, INIT).sees(QUESTION).types(typed).ends();
        let said = if is_written { INFERRED } else { "" };
        assert!(ended.shown.starts_with(QUESTION), "{}", ended.shown);
        assert!(ended.shown.ends_with(&format!("\n{said}{MADE}")), "{}", ended.shown);
        assert_eq!(
            (ended.status, sandbox.files().contains(&"env.schema.json".to_owned())),
            (0, is_written),
            "{typed:?}"
        );
    }
}

#[test]
fn who_leaves_inits_question_or_its_password_finds_the_folder_as_it_was() {
    let mut sandbox = with_dotenv(".env");
    for (key, shown, status) in [("\u{3}", "^C\n", 130), ("\u{4}", "\nerror: interrupted\n", 1)] {
        // The shell around it is to outlive the interrupt.
        let ended = Terminal::start(&sandbox, &format!("trap echo INT; {INIT}")).sees(QUESTION).types(key).ends();
        assert_eq!((ended.shown, ended.status), (format!("{QUESTION}{shown}"), status));
        assert_eq!(sandbox.files(), [".env"]);
    }
    sandbox.unset_variable("ENVSEC_PASSWORD");
    let mut terminal = Terminal::start(&sandbox, INIT);
    terminal.sees(QUESTION).types("y\r").sees(NEW_PASSWORD);
    assert_eq!(sandbox.files(), [".env"], "while the password is asked for");
    let ended = terminal.types("\u{3}").ends();
    assert_eq!((ended.status, sandbox.files()), (1, vec![".env".to_owned()]));
}

#[test]
fn init_does_not_ask_where_the_answer_is_known() {
    for (file, flag) in [("env.schema.json", ""), ("x", "--no-schema"), ("x", "--schema s.json")] {
        let sandbox = with_dotenv(".env");
        sandbox.write(file, "{}");
        let ended = Terminal::start(&sandbox, &format!("{INIT} {flag}")).ends();
        assert!(!ended.shown.contains("[Y/n]"), "{}", ended.shown);
        assert_eq!((ended.status, sandbox.text(file)), (0, "{}".to_owned()), "{file} {flag}");
        assert_eq!(sandbox.join("s.json").exists(), flag.ends_with("s.json"));
    }
}

#[test]
fn init_overwrites_no_declaration_and_makes_nothing_where_it_cannot_make_all() {
    let sandbox = with_dotenv(".env");
    sandbox.write("s.json", "{}");
    init(&sandbox, &["--schema", "s.json"])
        .fails(1, "error: s.json: already there\nhint: envsec set changes it; -f FILE names another\n");
    sandbox.write(".env", "A='hidden\n");
    assert!(init(&sandbox, &["--schema", "new.json"]).refuses(1).starts_with("error: .env:1:"));
    assert!(init(&sandbox, &["--schema", "nowhere/new.json"]).refuses(2).starts_with("error: "));
    let ended = Terminal::start(&sandbox, INIT).sees(QUESTION).types("y\r").ends();
    assert!(ended.status == 1 && !ended.shown.contains("hidden"), "{}", ended.shown);
    assert_eq!(sandbox.files(), [".env", "s.json"]);
    assert_eq!(init(&sandbox, &["--schema", "s.json", "--no-schema"]).output().status.code(), Some(2));
}
