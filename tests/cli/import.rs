//! `envsec import` of dotenv text: everything or nothing, as it stands in the file.

use crate::harness::Sandbox;

const STILL_THERE: &str = "in is still there, in plaintext: remove it when you no longer need it\n";

/// A sealed file into which this text is imported with these flags.
fn imported(text: &str, flags: &[&str]) -> Sandbox {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", text);
    let output = sandbox.envsec([&["import", "in"], flags].concat()).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sandbox
}

/// What stands below the header, with every token replaced.
fn body(sandbox: &Sandbox) -> String {
    let text = sandbox.text(".env.enc");
    let body = text.split_once("\n\n").unwrap().1;
    let hide = |line: &str| line.split_once("=enc:").map_or(line.to_owned(), |(name, _)| format!("{name}=enc:"));
    body.lines().map(|line| hide(line) + "\n").collect()
}

#[test]
fn comments_order_and_values_come_along() {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", "\u{feff}# first\n\nexport B='b b'  # after b\nA: 1\n\n  # indented\nPEM=\"x\ny\"\n# end\n");
    sandbox.envsec(["import", "in"]).says(&format!(".env.enc: 3 names imported\n{STILL_THERE}"));
    assert_eq!(body(&sandbox), "# first\n\n# after b\nB=enc:\nA=enc:\n\n# indented\nPEM=enc:\n# end\n");
    for (name, value) in [("B", "b b"), ("A", "1"), ("PEM", "x\ny")] {
        sandbox.envsec(["get", name]).prints(value);
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["import", "-"]).stdin("A=1\r\nB=2").says(".env.enc: 2 names imported\n");
    sandbox.envsec(["get", "B"]).prints("2");
    assert!(
        sandbox
            .envsec(["import", "-"])
            .stdin("C=1\nD")
            .refuses(1)
            .starts_with("error: standard input:2:2: E_NO_EQUALS")
    );
}

#[test]
fn names_that_match_are_stored_plain() {
    let sandbox = imported("PORT=1\nLOG_LEVEL='a b'\nKEY=k\n", &["--plain", "PORT,LOG_*"]);
    assert_eq!(body(&sandbox), "PORT=1\nLOG_LEVEL='a b'\nKEY=enc:\n");
}

#[test]
fn names_that_are_there_need_a_decision() {
    let sandbox = Sandbox::with(&[("A", "old"), ("B", "old")]);
    sandbox.write("in", "# about a\nA=new\n# about c\nC=new\nB=old\n");
    let before = sandbox.text(".env.enc");
    sandbox.envsec(["import", "in"]).fails(
        1,
        "error: already in the sealed file: A, B\n\
         hint: nothing was imported; --replace takes the new values, --keep the old ones\n",
    );
    assert_eq!(sandbox.text(".env.enc"), before);
    sandbox
        .envsec(["import", "in", "--keep"])
        .says(&format!(".env.enc: 1 name imported, 2 kept as they were\n{STILL_THERE}"));
    sandbox.envsec(["get", "A"]).prints("old");
    sandbox
        .envsec(["import", "in", "--replace"])
        .says(&format!(".env.enc: 0 names imported, 1 replaced, 2 kept as they were\n{STILL_THERE}"));
    sandbox.envsec(["get", "A"]).prints("new");
    assert_eq!(body(&sandbox), "A=enc:\nB=enc:\n# about c\nC=enc:\n");
    assert!(sandbox.envsec(["import", "in", "--keep", "--replace"]).refuses(2).contains("cannot be used with"));
}

#[test]
fn values_in_comments_stay_out() {
    let text =
        "# OLD_KEY=sk_live_canary\n#export X = canary\n# see http://a/?b=canary\n# NOTE: a = b\nA=1 # WAS=canary\n";
    let sandbox = Sandbox::sealed();
    sandbox.write("in", text);
    sandbox.envsec(["import", "in"]).says(&format!(
        "note: in:1: the comment held a value for OLD_KEY, which was left out\n\
         note: in:2: the comment held a value for X, which was left out\n\
         note: in:5: the comment held a value for WAS, which was left out\n\
         .env.enc: 1 name imported\n{STILL_THERE}"
    ));
    assert_eq!(body(&sandbox), "# OLD_KEY=\n#export X =\n# see http://a/?b=canary\n# NOTE: a = b\n# WAS=\nA=enc:\n");
    let kept = imported(text, &["--keep-comment-values"]);
    assert!(body(&kept).starts_with("# OLD_KEY=sk_live_canary\n"));
}

#[test]
fn a_commented_out_value_is_left_out_with_all_its_lines() {
    let sandbox = Sandbox::sealed();
    let pem = "# PEM=-----BEGIN X-----
# canary
# -----END X-----
";
    sandbox.write(
        "in",
        format!(
            "# KEY=\"canary
# canary
# canary\"
# kept
{pem}# P='x
A=1 # it's kept
# too
"
        ),
    );
    sandbox.envsec(["import", "in"]).says(&format!(
        "note: in:1: the comment held a value for KEY, which was left out (with the 2 comment lines below)
\
         note: in:5: the comment held a value for PEM, which was left out (with the 2 comment lines below)
\
         note: in:8: the comment held a value for P, which was left out
\
         .env.enc: 1 name imported
{STILL_THERE}"
    ));
    assert_eq!(
        body(&sandbox),
        "# KEY=
# kept
# PEM=
# P=
# it's kept
A=enc:
# too
"
    );
}

#[test]
fn a_text_of_opened_quotes_is_read_once() {
    let sandbox = Sandbox::sealed();
    let args = ["-q", "import", "-", "--keep"];
    sandbox.envsec(args).stdin("# A='x\n".repeat(200_000)).succeeds();
}

#[test]
fn a_sealed_file_is_no_plaintext() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    let before = sandbox.text(".env.enc");
    let error = sandbox.envsec(["import", ".env.enc"]).refuses(1);
    assert_eq!(error, "error: .env.enc: this is a sealed file, not plaintext");
    assert_eq!(sandbox.text(".env.enc"), before);
}

#[test]
fn a_comment_cannot_pass_for_a_header_line() {
    let sandbox = imported("#envsec:slot id=x\nA=1\n", &[]);
    assert_eq!(body(&sandbox), "# envsec:slot id=x\nA=enc:\n");
    sandbox.envsec(["get", "A"]).prints("1");
}

#[test]
fn every_error_is_told_with_its_place_and_nothing_is_imported() {
    let sandbox = Sandbox::sealed();
    let before = sandbox.text(".env.enc");
    sandbox.write("in", "OK=1\nA=canary#x\nB=\"canary\\d\\\"\nOK=2\n");
    let output = sandbox.envsec(["import", "in"]).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let places: Vec<_> =
        stderr.lines().filter_map(|line| line.trim_start_matches("error: ").strip_prefix("in:")).collect();
    assert!(places[0].starts_with("2:9: E_AMBIG_HASH: A: "), "{stderr}");
    assert!(places[1].starts_with("3:12: E_AMBIG_ESCAPE: B: "), "{stderr}");
    assert!(places[2].starts_with("4:1: E_DUPLICATE: "), "{stderr}");
    assert!(stderr.ends_with("hint: nothing was imported\n") && !stderr.contains("canary"));
    assert_eq!(sandbox.text(".env.enc"), before);
}

#[test]
fn names_that_no_sealed_file_holds_are_all_named() {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", "spring.url=1\nA=1\nB-C=2\n");
    let output = sandbox.envsec(["import", "in"]).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("error: in:1: \"spring.url\" cannot be") && stderr.contains("\nin:3: \"B-C\" cannot be"),
        "{stderr}"
    );
    assert_eq!(body(&sandbox), "");
}

#[test]
fn duplicates_are_chosen_only_when_told() {
    let text = "A=1\nB=2\nA=3\n";
    for (which, value) in [("first", "1"), ("last", "3")] {
        imported(text, &["--duplicates", which]).envsec(["get", "A"]).prints(value);
        imported(text, &["--duplicates", which, "--dialect", "dotenvy"]).envsec(["get", "A"]).prints(value);
    }
    let sandbox = Sandbox::sealed();
    sandbox.write("in", text);
    sandbox.envsec(["import", "in"]).refuses(1);
    sandbox.envsec(["import", "in", "--dialect", "node"]).refuses(1);
    sandbox.envsec(["import", "in", "--dialect", "dotenvy"]).refuses(1);
}

#[test]
fn the_node_dialect_reads_as_npm_dotenv() {
    let sandbox = imported("A=abc#def\nB=\"C:\\new\\tmp\"\nC=#x\n", &["--dialect", "node"]);
    for (name, value) in [("A", "abc"), ("B", "C:\new\\tmp"), ("C", "")] {
        sandbox.envsec(["get", name]).prints(value);
    }
}

#[test]
fn the_dotenvy_dialect_reads_as_the_crate() {
    let sandbox = imported("A=1\nB=\"$A-\\$A\"\nC='$A'\n", &["--dialect", "dotenvy"]);
    for (name, value) in [("B", "1-$A"), ("C", "$A")] {
        sandbox.envsec(["get", name]).prints(value);
    }
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["import", "-", "--dialect", "dotenvy"]).stdin("A='canary\n").fails(
        1,
        "error: standard input: dotenvy cannot read this text\n\
         hint: nothing was imported; without --dialect each error is named with its place\n",
    );
}

#[test]
fn the_dotenvy_dialect_keeps_comments_where_both_read_the_same_entries() {
    let sandbox = imported("# one\n\nA=1 # two\n# OLD=x\nB=$A\n", &["--dialect", "dotenvy"]);
    assert_eq!(body(&sandbox), "# one\n\n# two\nA=enc:\n# OLD=\nB=enc:\n");
    sandbox.envsec(["get", "B"]).prints("1");
    let error = sandbox.envsec(["import", "in", "--dialect", "dotenvy", "--expand"]).refuses(2);
    assert!(error.contains("leave --expand out"), "{error}");
}

#[test]
fn no_credential_gets_into_the_file_by_a_reference() {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", "LEAK=${ENVSEC_KEY}\n");
    let error = sandbox.envsec(["import", "in", "--expand"]).refuses(1);
    assert!(error.contains("refers to a variable that is set neither above nor in the process"), "{error}");
    let error = sandbox.envsec(["import", "in", "--dialect", "dotenvy"]).refuses(1);
    assert!(error.contains("the text names ENVSEC_PASSWORD or ENVSEC_KEY"), "{error}");
}

#[test]
fn references_to_references_do_not_grow_without_bound() {
    let doubled = (1..60).map(|n| format!("A{n}=${{A{0}}}${{A{0}}}\n", n - 1));
    let sandbox = Sandbox::sealed();
    sandbox.write("in", format!("A0={}\n{}", "x".repeat(1000), doubled.collect::<String>()));
    assert_eq!(
        sandbox.envsec(["import", "in", "--expand"]).refuses(1),
        "error: in:10: A9: the expanded value is too long"
    );
}

#[test]
fn no_dollar_is_touched_without_expand() {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", "HOST=h\nURL=http://${HOST}/$HOST$$\nSAFE='${HOST}'\n");
    sandbox.envsec(["import", "in"]).says(&format!(
        "note: in:2: URL refers to another entry; it is kept as it stands (--expand expands)\n\
         .env.enc: 3 names imported\n{STILL_THERE}"
    ));
    sandbox.envsec(["get", "URL"]).prints("http://${HOST}/$HOST$$");
}

#[test]
fn expand_takes_entries_above_then_the_process() {
    let sandbox = Sandbox::sealed();
    sandbox.write("in", "HOST=h\nURL=\"http://${HOST}/$MINE\"\nRAW='$HOST'\nD=${NOPE:-d}\n");
    let args = ["-q", "import", "in", "--expand"];
    sandbox.envsec(args).variable("MINE", "m").variable("HOST", "process").succeeds();
    for (name, value) in [("URL", "http://h/m"), ("RAW", "$HOST"), ("D", "d")] {
        sandbox.envsec(["get", name]).prints(value);
    }
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["import", "-", "--expand"]).stdin("P=pa$canary\n").fails(
        1,
        "error: standard input:1: P: refers to a variable that is set neither above nor in the process\n\
         hint: nothing was imported\n",
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let sandbox = Sandbox::sealed();
    sandbox.envsec(["import", "nowhere"]).fails(2, "error: nowhere: no such file\n");
    sandbox.envsec(["import", "."]).fails(1, "error: .: cannot read it: Is a directory (os error 21)\n");
    sandbox.write("utf16", b"\xff\xfeA\0=\0");
    assert!(sandbox.envsec(["import", "utf16"]).refuses(1).starts_with("error: utf16:1:1: E_ENCODING"));
    assert!(sandbox.envsec(["import", "-"]).stdin("ENVSEC_KEY=x\n").refuses(2).contains("no child gets them"));
}
