//! status: one table of all names, and all that is known of one; never a value.

use crate::harness::{ENVSEC, PASSWORD, Sandbox, reference_tools};
use crate::terminal::Terminal;
use std::path::Path;

/// Values that no output may have.
const DATABASE: &str = "postgres://app:hunter2-is-secret@db/app";
const LEGACY: &str = "an-old-value";

/// A declaration of these properties, each a line of JSON.
pub(crate) fn declare(sandbox: &Sandbox, required: &[&str], properties: &[&str]) {
    let schema = format!(
        "{{\"type\": \"object\",\n\"properties\": {{\n{}\n}},\n\"required\": {required:?}}}",
        properties.join(",\n")
    );
    sandbox.write("env.schema.json", schema);
}

/// A sealed file and a declaration of which every row is another case.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("LEGACY", LEGACY), ("DATABASE_URL", DATABASE), ("JWT_SECRET", "too short")]);
    sandbox.envsec(["set", "--plain", "REGION=eu-north-1", "API_TOKEN=0123456789"]).succeeds();
    declare(
        &sandbox,
        &["DATABASE_URL", "JWT_SECRET", "STRIPE_KEY"],
        &[
            r#""PORT": {"type": "integer", "default": 3000}"#,
            r#""JWT_SECRET": {"minLength": 32}"#,
            r#""DATABASE_URL": {"type": "string", "format": "uri"}"#,
            r#""STRIPE_KEY": {"pattern": "^sk_"}"#,
            r#""REDIS_URL": {"type": "string", "format": "uri"}"#,
            r#""REGION": {"type": "string", "deprecated": true}"#,
            r#""API_TOKEN": {"type": "string", "writeOnly": true}"#,
        ],
    );
    sandbox
}

const TABLE: &str = "\
NAME          FROM     STORED  AGE  STATE             DECLARED
PORT          default  -       -    ok                an integer
JWT_SECRET    file     secret  -    has 9             at least 32 characters
DATABASE_URL  file     secret  -    ok                a URL
STRIPE_KEY    missing  -       -    missing           beginning with sk_
REDIS_URL     missing  -       -    not set           a URL
REGION        file     plain   -    there is a value  text
API_TOKEN     file     plain   -    is stored plain   text
LEGACY        file     secret  -    not declared
";

#[test]
fn the_declared_names_come_first_in_their_order_then_the_others() {
    sandbox().envsec(["status"]).prints(TABLE);
}

#[test]
fn a_value_of_the_process_wins_unless_it_is_empty() {
    let sandbox = Sandbox::with(&[("A", "1"), ("B", "2")]);
    declare(&sandbox, &[], &[r#""A": {"type": "integer"}"#, r#""C": {"type": "integer"}"#]);
    let status = |args: &[&str]| {
        let run = sandbox.envsec([&["status"], args].concat());
        run.variable("A", "x").variable("B", "").variable("C", "3").variable("UNRELATED", "4")
    };
    status(&[]).prints(
        "NAME  FROM     STORED  AGE  STATE                  DECLARED\n\
         A     process  secret  -    is none (1 character)  an integer\n\
         C     process  -       -    ok                     an integer\n\
         B     file     secret  -    not declared\n",
    );
    status(&["--override"]).prints(
        "NAME  FROM     STORED  AGE  STATE         DECLARED\n\
         A     file     secret  -    ok            an integer\n\
         C     process  -       -    ok            an integer\n\
         B     file     secret  -    not declared\n",
    );
    status(&["A"]).prints(
        "A\n  value      from the process, which wins over .env.enc (--override turns that round)\n  \
         declared   an integer\n  at         env.schema.json#/properties/A\n  \
         problem    an integer: is none (1 character)\n",
    );
    status(&["C"]).prints(
        "C\n  value      from the process\n  declared   an integer\n  at         env.schema.json#/properties/C\n",
    );
}

#[test]
fn an_empty_value_is_missing_unless_it_is_declared() {
    let sandbox = Sandbox::with(&[("A", ""), ("B", ""), ("C", "")]);
    declare(&sandbox, &["A"], &[r#""A": {"type": "string"}"#, r#""B": {"type": "string", "minLength": 0}"#]);
    sandbox.envsec(["status"]).prints(
        "NAME  FROM     STORED  AGE  STATE         DECLARED\n\
         A     missing  secret  -    is empty      text\n\
         B     file     secret  -    ok            text\n\
         C     file     secret  -    not declared\n",
    );
    sandbox.envsec(["status", "A"]).prints(
        "A\n  value      missing: empty in .env.enc, stored secret\n  declared   text, required\n  \
         at         env.schema.json#/properties/A\n  problem    text: is empty\n",
    );
}

#[test]
fn one_name_is_shown_with_all_that_is_known_of_it() {
    let sandbox = Sandbox::new();
    let (key, changed) = rotated(&sandbox);
    let due = sandbox.shell(&format!("date -u -d '{changed} + 84 days' +%FT%TZ | tr -d '\\n'")).output().stdout;
    let due = String::from_utf8(due).unwrap();
    declare(
        &sandbox,
        &["API_KEY"],
        &[
            r#""API_KEY": {"title": "no", "description": "Opens the shop.\nAsk Kim.", "minLength": 3, "writeOnly": true,
              "x-envsec": {"docs": "https://wiki.example.com/api", "rotateEvery": "12w", "deprecated": "use SHOP_KEY"}}"#,
            r#""PUBLIC_NAME": {"default": "shop", "deprecated": true}"#,
        ],
    );
    let status = |name: &str| sandbox.envsec(["status", name]).variable("ENVSEC_KEY", &key);
    status("API_KEY").prints(format!(
        "API_KEY\n  value      from .env.enc, stored secret\n  declared   at least 3 characters, required\n  \
         at         env.schema.json#/properties/API_KEY\n  kind       secret\n  about      Opens the shop.\n             \
         Ask Kim.\n  docs       https://wiki.example.com/api\n  deprecated use SHOP_KEY\n  rotate     every 84d\n  \
         changed    {changed} (12d ago)\n  rotation   due {due}\n  problem    out of date: use SHOP_KEY: there is a value\n"
    ));
    status("PUBLIC_NAME").prints(
        "PUBLIC_NAME\n  value      the default\n  declared   any text\n  at         env.schema.json#/properties/PUBLIC_NAME\n  \
         kind       public\n  default    shop\n  deprecated yes\n",
    );
}

/// A file in which API_KEY was changed twelve days ago, made by the second implementation; its key and that instant.
fn rotated(sandbox: &Sandbox) -> (String, String) {
    let script = format!(
        "import datetime as d, sys; sys.path.insert(0, {:?}); import reference as r\n\
         at = (d.datetime.now(d.timezone.utc) - d.timedelta(days=12, hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')\n\
         line = lambda k: 'rotation name=API_KEY at=' + at\n\
         data, _ = r.write_file([r.raw_slot('key', b'3' * 32)], [('API_KEY', 'new', False)], headers=[line])\n\
         open('.env.enc', 'wb').write(data); print(r.raw_key_text(b'3' * 32), at, end='')",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
    );
    let output = sandbox.command(reference_tools(), ["-B", "-c", script.as_str()]).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (key, changed) = text.split_once(' ').unwrap();
    (key.to_owned(), changed.to_owned())
}

#[test]
fn the_age_is_known_where_the_file_says_when_a_value_was_changed() {
    let sandbox = Sandbox::new();
    let (key, changed) = rotated(&sandbox);
    sandbox
        .envsec(["status"])
        .variable("ENVSEC_KEY", &key)
        .prints("NAME     FROM  STORED  AGE  STATE         DECLARED\nAPI_KEY  file  secret  12d  not declared\n");
    let json = sandbox.envsec(["status", "--json"]).variable("ENVSEC_KEY", &key).output().stdout;
    assert!(String::from_utf8(json).unwrap().contains(&format!("\"changed\": \"{changed}\"")));
}

#[test]
fn a_name_that_nothing_knows_is_an_error() {
    let error = |name: &str| {
        format!("error: {name}: neither in the sealed file nor declared\nhint: envsec status shows all names\n")
    };
    let sandbox = sandbox();
    sandbox.envsec(["status", "NOWHERE"]).fails(2, &error("NOWHERE"));
    sandbox.envsec(["status", "HOME"]).fails(2, &error("HOME"));
    let misplaced = sandbox.envsec(["status", DATABASE]).output();
    assert_eq!(misplaced.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&misplaced.stderr).contains("hunter2"));
}

#[test]
fn json_has_every_row_with_the_same_members() {
    let sandbox = Sandbox::with(&[("A", "x")]);
    declare(&sandbox, &["A"], &[r#""A": {"type": "integer", "description": "a number"}"#, r#""B": {"default": true}"#]);
    sandbox.envsec(["status", "--json"]).prints(
        r#"[
  {
    "changed": null,
    "declared": "an integer",
    "default": null,
    "description": "a number",
    "docs": null,
    "due": null,
    "file": ".env.enc",
    "from": "file",
    "name": "A",
    "pending_since": null,
    "previous_until": null,
    "problems": [
      {
        "expected": "an integer",
        "rule": "type",
        "wrong": "is none (1 character)"
      }
    ],
    "required": true,
    "stored": "secret"
  },
  {
    "changed": null,
    "declared": "any text",
    "default": "true",
    "description": null,
    "docs": null,
    "due": null,
    "file": null,
    "from": "default",
    "name": "B",
    "pending_since": null,
    "previous_until": null,
    "problems": [],
    "required": false,
    "stored": null
  }
]
"#,
    );
    sandbox
        .shell("envsec status --json B | python3 -c 'import json, sys; print([row[\"name\"] for row in json.load(sys.stdin)])'")
        .prints("['B']\n");
}

#[test]
fn without_a_declaration_the_names_of_the_file_are_shown() {
    let sandbox = Sandbox::with(&[("B", "1"), ("A", "2")]);
    sandbox.envsec(["status"]).prints(
        "NAME  FROM  STORED  AGE  STATE         DECLARED\n\
         A     file  secret  -    not declared\n\
         B     file  secret  -    not declared\n",
    );
    sandbox.envsec(["status", "A"]).prints("A\n  value      from .env.enc, stored secret\n");
    Sandbox::sealed().envsec(["status"]).prints("NAME  FROM  STORED  AGE  STATE  DECLARED\n");
    Sandbox::sealed().envsec(["status", "--json"]).prints("[]\n");
}

#[test]
fn names_can_be_chosen() {
    let sandbox = sandbox();
    sandbox
        .envsec(["status", "--only", "*_URL", "--except", "REDIS*"])
        .prints("NAME          FROM  STORED  AGE  STATE  DECLARED\nDATABASE_URL  file  secret  -    ok     a URL\n");
    sandbox.envsec(["status", "--only", "NOBODY*"]).fails(
        2,
        "error: --only NOBODY*: no name in the sealed file matches\n\
         hint: envsec list shows the names; * stands for any text\n",
    );
}

#[test]
fn of_several_files_the_last_one_that_has_a_name_is_told() {
    let mut sandbox = Sandbox::with(&[("A", "1"), ("B", "2")]);
    sandbox.make("local.enc", None);
    sandbox.unset_variable("ENVSEC_KEY");
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.envsec(["set", "-f", "local.enc", "--plain", "B=3"]).succeeds();
    let status = |name: &str| sandbox.envsec(["status", "-f", ".env.enc", "-f", "local.enc", name]);
    status("A").prints("A\n  value      from .env.enc, stored secret\n");
    status("B").prints("B\n  value      from local.enc, stored plain\n");
}

#[test]
fn the_pin_is_what_envsec_pin_takes_and_an_older_file_does_not_pass() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let pin = String::from_utf8(sandbox.envsec(["status", "--pin"]).output().stdout).unwrap();
    let (before, pin) = (sandbox.read(".env.enc"), pin.trim_end());
    let get = |pin: &str| sandbox.envsec(["get", "A"]).variable("ENVSEC_PIN", pin);
    get(pin).prints("1");
    sandbox.envsec(["set", "A"]).stdin("2").succeeds();
    get(pin).prints("2");
    let newer = String::from_utf8(sandbox.envsec(["status", "--pin"]).output().stdout).unwrap();
    sandbox.write(".env.enc", before);
    get(newer.trim_end()).fails(
        5,
        "error: .env.enc: its revision is lower than the one in ENVSEC_PIN\n\
         hint: an older, a re-keyed or another file; if it is the right one, pin it anew in ENVSEC_PIN\n",
    );
    get(pin).prints("1");
}

#[test]
fn several_files_have_one_pin_for_all() {
    let mut sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.make("local.enc", None);
    sandbox.unset_variable("ENVSEC_KEY");
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    let both = ["-f", ".env.enc", "-f", "local.enc"];
    let pin = sandbox.envsec([&["status", "--pin"][..], &both].concat()).output().stdout;
    let pin = String::from_utf8(pin).unwrap();
    let get = |args: &[&str]| sandbox.envsec([&["get", "A"], args].concat()).variable("ENVSEC_PIN", pin.trim_end());
    get(&both).prints("1");
    get(&[]).prints("1");
}

#[test]
fn a_pin_needs_a_file_that_is_authentic() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write(".env.enc", sandbox.text(".env.enc").replace("rev=2", "rev=9"));
    assert!(sandbox.envsec(["status", "--pin"]).refuses(5).starts_with("error: .env.enc: "));
    let error = sandbox.envsec(["status", "--pin"]).without("ENVSEC_KEY").refuses(4);
    assert_eq!(error, "error: there is no terminal to ask for it: Password for .env.enc");
}

#[test]
fn what_is_wrong_is_red_at_a_terminal_only() {
    let sandbox = Sandbox::with(&[("A", "x"), ("B", "1")]);
    declare(&sandbox, &[], &[r#""A": {"type": "integer"}"#, r#""B": {"type": "integer"}"#]);
    let plain = "NAME  FROM  STORED  AGE  STATE                  DECLARED\n\
                 A     file  secret  -    is none (1 character)  an integer\n\
                 B     file  secret  -    ok                     an integer\n";
    let red =
        plain.replace("A     file", "\u{1b}[31mA     file").replace(")  an integer\n", ")  an integer\u{1b}[0m\n");
    let at_terminal = |command: &str| Terminal::start(&sandbox, command).ends().shown;
    assert_eq!(at_terminal(&format!("{ENVSEC} status")), red);
    assert_eq!(at_terminal(&format!("NO_COLOR=1 {ENVSEC} status")), plain);
    assert_eq!(at_terminal(&format!("NO_COLOR= {ENVSEC} status")), red);
    assert_eq!(at_terminal(&format!("{ENVSEC} status | cat")), plain);
    sandbox.envsec(["status"]).prints(plain);
}

#[test]
fn texts_of_the_declaration_cannot_forge_lines_or_reach_the_terminal() {
    let sandbox = Sandbox::sealed();
    declare(
        &sandbox,
        &["C"],
        &[
            r#""B\nSAFE  file  secret  -    ok": {"type": "string"}"#,
            r#""C": {"enum": ["x\nD  file", "\u001b[2J", "\u202e"], "description": "one\n  value      from nowhere\u001b[31m"}"#,
        ],
    );
    sandbox.envsec(["status"]).prints(
        "NAME                               FROM     STORED  AGE  STATE    DECLARED\n\
         B\\u{a}SAFE  file  secret  -    ok  missing  -       -    not set  text\n\
         C                                  missing  -       -    missing  one of x\\u{a}D  file, \\u{1b}[2J, \\u{202e}\n",
    );
    sandbox.envsec(["status", "C"]).prints(
        "C\n  value      missing\n  declared   one of x\n             D  file, \\u{1b}[2J, \\u{202e}, required\n  \
         at         env.schema.json#/properties/C\n  about      one\n               value      from nowhere\\u{1b}[31m\n  \
         problem    one of x\n             D  file, \\u{1b}[2J, \\u{202e}: missing\n",
    );
}

#[test]
fn rules_about_all_variables_stand_below_the_table() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("env.schema.json", r#"{"type": "object", "properties": {"A": {}}, "minProperties": 2}"#);
    sandbox.envsec(["status"]).prints(
        "NAME  FROM  STORED  AGE  STATE  DECLARED\nA     file  secret  -    ok     any text\n\
         all variables: at least 2 variables: has 1\n",
    );
}

#[test]
fn a_required_name_that_no_variable_can_have_is_missing() {
    let sandbox = Sandbox::sealed();
    declare(&sandbox, &["log-level"], &[r#""log-level": {"type": "string"}"#]);
    sandbox
        .envsec(["status"])
        .prints("NAME       FROM     STORED  AGE  STATE    DECLARED\nlog-level  missing  -       -    missing  text\n");
    let error = sandbox.envsec(["validate"]).refuses(3);
    assert_eq!(error, "error: env.schema.json: 1 problem");
    sandbox.envsec(["status", "--only", "X*"]).refuses(2);
}

#[test]
fn a_declaration_that_cannot_be_used_is_an_error() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.write("env.schema.json", r#"{"properties": {"A": {"minLenght": 1}}}"#);
    let error = sandbox.envsec(["status"]).refuses(2);
    assert!(error.starts_with("error: env.schema.json: /properties/A/minLenght: "), "{error}");
    assert_eq!(sandbox.envsec(["status", "--schema", "nowhere"]).refuses(2), "error: nowhere: no such file");
    assert!(sandbox.envsec(["status", "--pin"]).output().status.success());
}

#[test]
fn no_output_has_a_value() {
    let sandbox = sandbox();
    let mut outputs =
        vec![sandbox.envsec(["status"]).output(), sandbox.envsec(["status", "--json", "--strict"]).output()];
    for name in ["DATABASE_URL", "LEGACY", "JWT_SECRET", "API_TOKEN", "REGION"] {
        outputs.push(sandbox.envsec(["status", name]).output());
    }
    for output in outputs {
        assert!(output.status.success());
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for value in [DATABASE, "hunter2", LEGACY, "too short", "0123456789", "eu-north-1"] {
            assert!(!text.contains(value), "{value} in {text}");
        }
    }
}
