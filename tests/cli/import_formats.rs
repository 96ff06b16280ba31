//! `envsec import --format`: JSON, what `env -0` prints, and the seed blob; everything or nothing.

use crate::harness::Sandbox;

const SEED: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAQIDBAUGBwgJCgsMDQ4PtftRWqiTeKNQwxNiuhF5R/415ftsqWnUbKDIIQ==";

/// Imports this text, which has to be refused with exactly these lines and leave the file as it was.
#[track_caller]
fn refused(format: &str, text: impl AsRef<[u8]>, status: i32, lines: &[&str]) {
    let sandbox = Sandbox::sealed();
    let before = sandbox.text(".env.enc");
    let output = sandbox.envsec(["import", "-", "--format", format]).stdin(text).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = lines.iter().map(|line| format!("standard input:{line}\n")).collect::<String>();
    assert_eq!(stderr, format!("error: {expected}hint: nothing was imported\n"));
    assert_eq!(output.status.code(), Some(status));
    assert_eq!(sandbox.text(".env.enc"), before);
}

#[test]
fn json_members_are_their_text() {
    let sandbox = Sandbox::sealed();
    let text = "\u{feff}{\"S\": \"a\\u00e9\\n\\ud83d\\ude00\", \"N\": 1e3, \"F\":1.0, \"T\" :true,\"E\":\"\", \"Z\": -0.50E+07}\n";
    sandbox.envsec(["import", "-", "--format", "json"]).stdin(text).says(".env.enc: 6 names imported\n");
    for (name, value) in [("S", "aé\n😀"), ("N", "1e3"), ("F", "1.0"), ("T", "true"), ("E", ""), ("Z", "-0.50E+07")]
    {
        sandbox.envsec(["get", name]).prints(value);
    }
}

#[test]
fn json_that_no_sealed_file_holds_is_refused_by_place() {
    refused(
        "json",
        "{\"A\": null,\n \"é\": 1, \"B\": [\"canary\"],\n \"C\": {\"D\": 1}, \"E\": \"a\\u0000b\", \"ok\": 1, \"ok\": 2,\n\
         \"__proto__\": 1, \"S\": \"\\ud800\"}",
        1,
        &[
            "1:7: A: is null; leave it out, or write \"\"",
            "2:7: cannot be a variable's name: letters, digits and _ only, not starting with a digit, at most 256 bytes",
            "2:15: B: is nested; a variable is a text, a number or true or false",
            "3:7: C: is nested; a variable is a text, a number or true or false",
            "3:22: E: the value holds a NUL byte, which no environment variable can hold",
            "3:49: ok: stands twice",
            "4:14: __proto__ cannot be a variable's name: programs in JavaScript would lose it",
            "4:22: S: is no Unicode text",
        ],
    );
    let long = format!("{{\"A\":\"{}\"}}", "x".repeat(256 * 1024 + 1));
    refused("json", long, 1, &["1:6: A: the value is longer than 262144 bytes"]);
}

#[test]
fn json_that_is_none_is_refused_by_place() {
    for (text, line) in [
        ("", "1:1: EOF while parsing a value"),
        ("{\"A\":\"canary", "1:12: EOF while parsing a string"),
        ("{\"A\":1,}", "1:8: trailing comma"),
        ("{\"A\":1} x", "1:9: trailing characters"),
        ("{\"A\":01}", "1:7: invalid number"),
        ("{'A':1}", "1:2: key must be a string"),
        ("{\"A\":1\n\"B\":2}", "2:1: expected `,` or `}`"),
        ("\"canary\"", "1:8: not an object of names and values"),
        ("[1]", "1:1: not an object of names and values"),
        ("{\"é\":\"canary\ncanary\"}", "1:12: control character (\\u0000-\\u001F) found while parsing a string"),
    ] {
        refused("json", text, 1, &[line]);
    }
    refused("json", b"{\"A\":\n\"\xc3\xa9\xff\"}", 1, &["2:3: not UTF-8"]);
    refused("json", b"\xff\xfe{\0", 1, &[" this is UTF-16 (PowerShell's > writes it); save it as UTF-8"]);
}

#[test]
fn deep_and_large_json_ends_in_an_error() {
    let deep = format!("{{\"A\":{}", "[".repeat(1_000_000));
    let column = deep.len();
    refused("json", &deep, 1, &[&format!("1:{column}: EOF while parsing a list")]);
    let nested = format!("{{\"A\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    refused("json", nested, 1, &["1:6: A: is nested; a variable is a text, a number or true or false"]);
    let sandbox = Sandbox::sealed();
    for format in ["json", "env0", "seed", "dotenv"] {
        sandbox.write("in", "x".repeat(16 * 1024 * 1024 + 1));
        sandbox.envsec(["import", "in", "--format", format]).fails(1, "error: in: larger than 16777216 bytes\n");
        sandbox.write("in", "{\"A\":1,".repeat(16 * 1024 * 1024 / 7));
        assert!(sandbox.envsec(["import", "in", "--format", format]).refuses(1).starts_with("error: in:"), "{format}");
    }
    let twice = format!("{{\"A\":1{}}}", ",\"A\":1".repeat(2_000_000));
    let output = sandbox.envsec(["import", "-", "--format", "json"]).stdin(twice).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: standard input:1:12: A: stands twice\n"), "{stderr}");
    assert!(stderr.ends_with(": too many errors\nhint: nothing was imported\n"), "{stderr}");
}

#[test]
fn what_env_0_prints_comes_in() {
    let sandbox = Sandbox::sealed();
    sandbox
        .shell("env -i A='x=\n y ' B= C='é' env -0 | envsec import - --format env0")
        .variable("ENVSEC_KEY", &sandbox.key)
        .says(".env.enc: 3 names imported\n");
    for (name, value) in [("A", "x=\n y "), ("B", ""), ("C", "é")] {
        sandbox.envsec(["get", name]).prints(value);
    }
    sandbox.envsec(["import", "-", "--format", "env0"]).stdin("D=1\0E=2").says(".env.enc: 2 names imported\n");
    sandbox.envsec(["import", "-", "--format", "env0"]).stdin("").says(".env.enc: 0 names imported\n");
}

#[test]
fn env_0_records_that_are_none_are_all_named() {
    refused(
        "env0",
        b"A=1\0BASH_FUNC_f%%=() { canary; }\0canary\0B=\xff\0a.b=1\0A=2\0\0",
        1,
        &[
            "2: cannot be a variable's name: letters, digits and _ only, not starting with a digit, at most 256 bytes",
            "3: not NAME=value",
            "4: B: the value is not UTF-8 text",
            "5: \"a.b\" cannot be a variable's name: letters, digits and _ only, not starting with a digit, at most 256 bytes",
            "6: A: stands twice",
            "7: not NAME=value",
        ],
    );
}

#[test]
fn names_that_no_child_gets_are_all_named() {
    let sandbox = Sandbox::sealed();
    let text = "A=1\0ENVSEC_KEY=canary\0ENVSEC_PASSWORD=canary\0";
    sandbox.envsec(["import", "-", "--format", "env0"]).stdin(text).fails(
        2,
        "error: ENVSEC_KEY, ENVSEC_PASSWORD: names that begin with ENVSEC_PASSWORD or ENVSEC_KEY are envsec's own, \
         and no child gets them\nhint: choose another name\n",
    );
}

#[test]
fn the_blob_of_the_format_imports_with_its_password() {
    for password in ["password", "password\n", "password\r\n"] {
        let sandbox = Sandbox::sealed();
        sandbox.write("pw", password);
        sandbox.shell("chmod 600 pw").succeeds();
        let args = ["import", "-", "--format", "seed", "--blob-password-file", "pw"];
        let url = SEED.replace('+', "-").replace('/', "_").replace('=', "");
        sandbox.envsec(args).stdin(format!(" {}\n{}\t", &url[..50], &url[50..])).says(".env.enc: 2 names imported\n");
        sandbox.envsec(["get", "A"]).prints("1");
        sandbox.envsec(["get", "B"]).prints("two=2");
    }
    let sandbox = Sandbox::sealed();
    sandbox.write("blob", SEED);
    // Not "still there, in plaintext": a blob is encrypted.
    let read = ["import", "blob", "--format", "seed", "--blob-password-file", "pw"];
    sandbox.write("pw", "password");
    sandbox.shell("chmod 600 pw").succeeds();
    sandbox.envsec(read).says(".env.enc: 2 names imported\n");
    sandbox.envsec(["unset", "A", "B"]).succeeds();
    let import = ["-q", "import", "blob", "--format", "seed"];
    sandbox.envsec(import).variable("ENVSEC_PASSWORD", "password").succeeds();
    sandbox.envsec(["get", "B"]).prints("two=2");
    sandbox.write("pw", "password");
    sandbox.shell("chmod 600 pw").succeeds();
    let init = ["-q", "init", "-f", "new.enc", "--no-git", "--raw-key", "--from", "blob", "--format", "seed"];
    let init = [&init[..], &["--blob-password-file", "pw"]].concat();
    let output = sandbox.envsec(init).without("ENVSEC_KEY").output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key = String::from_utf8(output.stdout).unwrap();
    sandbox.envsec(["get", "-f", "new.enc", "B"]).variable("ENVSEC_KEY", key.trim()).prints("two=2");
}

#[test]
fn a_blob_that_is_none_is_refused() {
    let sandbox = Sandbox::sealed();
    sandbox.write("pw", "password\n");
    sandbox.write("wrong", "password \n");
    sandbox.shell("chmod 600 pw wrong").succeeds();
    let none = "nothing was imported";
    let closed = "the blob does not open: a wrong password, or it was changed";
    let closed_hint = "nothing was imported; a blob with a password of its own: --blob-password-file FILE";
    for (text, password, status, what, hint) in [
        (SEED.to_owned(), "wrong", 4, closed, closed_hint),
        (SEED.replacen('t', "u", 1), "pw", 4, closed, closed_hint),
        (SEED[..SEED.len() - 8].to_owned(), "pw", 4, closed, closed_hint),
        (SEED.replacen('A', "!", 1), "pw", 1, "not base64, which a seed blob is", none),
        (SEED.replace("IQ==", "IR=="), "pw", 1, "not base64, which a seed blob is", none),
        (SEED[..80].to_owned(), "pw", 1, "too short for a seed blob", none),
        (String::new(), "pw", 1, "too short for a seed blob", none),
    ] {
        sandbox
            .envsec(["import", "-", "--format", "seed", "--blob-password-file", password])
            .stdin(text)
            .fails(status, &format!("error: standard input: {what}\nhint: {hint}\n"));
    }
}

#[test]
fn flags_of_another_format_are_refused() {
    let sandbox = Sandbox::sealed();
    for (flags, error) in [
        (&["--format", "json", "--dialect", "node"][..], "error: --dialect goes with --format dotenv only"),
        (&["--format", "env0", "--duplicates", "last"], "error: --duplicates goes with --format dotenv only"),
        (&["--format", "seed", "--expand"], "error: --expand goes with --format dotenv only"),
        (&["--format", "json", "--keep-comment-values"], "error: --keep-comment-values goes with --format dotenv only"),
        (&["--blob-password-file", "x"], "error: --blob-password-file goes with --format seed only"),
    ] {
        assert_eq!(sandbox.envsec([&["import", "-"], flags].concat()).refuses(2), error);
    }
}
