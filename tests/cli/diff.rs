//! `envsec diff`, by itself and as what git asks.

use crate::harness::{PASSWORD, Sandbox};
use crate::repository::{committed, repository};
use crate::terminal::Terminal;

const UNVERIFIED: &str = "\
HEAD:.env.enc: not verified: no credential at hand opens it
.env.enc: not verified: no credential at hand opens it
";

/// The lines of a file, and how many of them stand elsewhere in another text, byte for byte.
fn tokens(text: &str) -> Vec<String> {
    let starts = ["=enc:", "wrap=", "mac="];
    let of =
        |start: &str| text.split(start).skip(1).map(|rest| rest.lines().next().unwrap().to_owned()).collect::<Vec<_>>();
    starts.into_iter().flat_map(of).collect()
}

fn sandbox() -> Sandbox {
    committed(&[("A", "one"), ("B", "two"), ("C", "three"), ("D", "four")])
}

#[test]
fn nothing_that_differs_is_silence() {
    let sandbox = sandbox();
    sandbox.envsec(["diff"]).succeeds();
    sandbox.envsec(["diff", "HEAD", "HEAD"]).succeeds();
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").succeeds();
    sandbox
        .shell("echo '# a comment' >> .env.enc && envsec diff && sed -i 's/$/\\r/' .env.enc && envsec diff")
        .succeeds();
}

#[test]
fn every_difference_is_a_line() {
    let sandbox = sandbox();
    sandbox
        .shell("echo new | envsec set B && envsec unset C && echo x | envsec set E && envsec set -q --plain F=1")
        .succeeds();
    let expected = "\
- C  secret
~ B  secret
+ E  secret
+ F  plain
";
    sandbox.envsec(["diff"]).answers(8, expected, "");
    sandbox.envsec(["diff", "HEAD"]).answers(8, expected, "");
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(8, expected, UNVERIFIED);
    sandbox.envsec(["-q", "diff"]).without("ENVSEC_KEY").answers(8, expected, "");
    sandbox.envsec(["diff", ".env.enc", "HEAD"]).answers(8, "- E  secret\n- F  plain\n~ B  secret\n+ C  secret\n", "");
}

#[test]
fn another_kind_is_told_and_whether_the_value_stays() {
    let sandbox = sandbox();
    sandbox.shell("envsec set -q --plain A=one && envsec set -q --plain B=other").succeeds();
    sandbox.envsec(["diff"]).answers(8, "~ A  plain, was secret, same value\n~ B  plain, was secret\n", "");
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(
        8,
        "~ A  plain, was secret\n~ B  plain, was secret\n? 2 values: without a credential for both sides nobody can tell\n",
        UNVERIFIED,
    );
}

#[test]
fn the_fewest_moves_explain_another_order() {
    let sandbox = sandbox();
    let text = sandbox.text(".env.enc");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned() + "\n";
    let (a, b) = (line("A="), line("B="));
    sandbox.write(".env.enc", text.replace(&a, "") + &a);
    // The seal covers the order: with a credential such a file is refused.
    assert_eq!(
        sandbox.envsec(["diff"]).refuses(5),
        "error: .env.enc: the seal does not match: the file was changed by somebody without a key"
    );
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(8, "> A  secret\n", UNVERIFIED);
    sandbox.write(".env.enc", text.replace(&a, "").replace(&b, "") + &a + &b);
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(8, "> C  secret\n> D  secret\n", UNVERIFIED);
}

#[test]
fn a_new_data_key_is_told_and_values_are_compared_across_it() {
    let sandbox = sandbox();
    sandbox.write("old", &sandbox.key);
    sandbox
        .shell("chmod 600 old && echo new | envsec set B && envsec -q rotate --yes --renew key > new && chmod 600 new")
        .succeeds();
    let both = ["diff", "--key-file", "old", "--key-file", "new"];
    sandbox.envsec(both).answers(8, "~ B  secret\n* another data key\n* slot key wrapped anew\n", "");
    let cannot = "? 4 values: without a credential for both sides nobody can tell\n* another data key\n* slot key wrapped anew\n";
    let half = "HEAD:.env.enc: not verified: no credential at hand opens it\n";
    sandbox.envsec(["diff", "--key-file", "new"]).answers(8, cannot, half);
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(8, cannot, UNVERIFIED);
}

#[test]
fn slots_are_told_by_their_ids() {
    let sandbox = sandbox();
    sandbox.write("pw", PASSWORD);
    sandbox
        .shell("chmod 600 pw; envsec slot add --password --id team --work-factor 15 --new-password-file pw && envsec slot add --raw-key --id ci >/dev/null")
        .succeeds();
    sandbox.envsec(["diff"]).answers(8, "* slot team added\n* slot ci added\n", "");
    sandbox
        .shell("git commit -qam 2 && envsec -q slot rewrap key && envsec -q slot remove ci --yes --keep-data-key")
        .succeeds();
    sandbox.envsec(["diff"]).answers(8, "* slot key wrapped anew\n* slot ci removed\n", "");
    sandbox.envsec(["diff", "HEAD~1"]).answers(8, "* slot key wrapped anew\n* slot team added\n", "");
}

#[test]
fn two_files_are_compared_as_two_revisions_are() {
    let sandbox = sandbox();
    sandbox.shell("envsec init -q --no-git -e staging --raw-key >/dev/null").succeeds();
    let two = "- A  secret\n- B  secret\n- C  secret\n- D  secret\n* another file, not another revision of one\n* label staging, was none\n* slot key wrapped anew\n";
    let run = sandbox.envsec(["-q", "diff", ".env.enc", ".env.staging.enc"]);
    run.answers(8, two, "");
    sandbox.shell("cp .env.enc copy; echo new | envsec set A; envsec diff copy").answers(8, "~ A  secret\n", "");
}

#[test]
fn a_rotation_is_told() {
    let sandbox = sandbox();
    sandbox.shell("envsec -q rotate A --generate hex:16 --grace 1d").succeeds();
    sandbox.envsec(["diff"]).answers(8, "~ A  secret\n", "");
    sandbox.shell("git commit -qam 2 && envsec -q rotate A --finish").succeeds();
    sandbox.envsec(["diff"]).answers(8, "~ A  secret, same value, its rotation\n", "");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let sandbox = sandbox();
    let diff = |args: &[&str]| sandbox.envsec([&["diff"], args].concat());
    assert_eq!(diff(&["nope"]).refuses(2), "error: nope: neither a file here nor a revision in a git repository");
    assert_eq!(diff(&["HEAD", "--exec=x"]).refuses(2), "error: unexpected argument '--exec' found");
    assert_eq!(diff(&["-f", "nope"]).refuses(2), "error: nope: is not in HEAD");
    assert_eq!(
        diff(&["-f", ".env.enc", "-f", "two"]).refuses(2),
        "error: several sealed files were given, but this command changes one"
    );
    assert_eq!(diff(&["--values"]).refuses(2), "error: --values shows secrets, and standard output is no terminal");
    assert_eq!(diff(&["--textconv"]).refuses(2), "error: --textconv takes one FILE");
    assert_eq!(
        diff(&[".gitignore"]).refuses(5),
        "error: .gitignore: this is not a sealed env file: it does not start with #envsec:"
    );
    assert_eq!(diff(&["--key-file", "nope"]).refuses(4), "error: --key-file: nope: no such file");
    let outside = Sandbox::sealed();
    outside.envsec(["diff"]).fails(
        2,
        "error: HEAD: no such revision in a git repository here\n\
         hint: commit first, or compare with a copy: envsec diff OLD_FILE\n",
    );
    assert_eq!(Sandbox::new().envsec(["diff"]).refuses(2), "error: no .env.enc here");
}

#[test]
fn an_older_side_that_was_changed_without_a_key_is_refused() {
    let sandbox = sandbox();
    sandbox.shell("cp .env.enc good && sed -i '/^B=/d' .env.enc && git commit -qam bad && mv good .env.enc").succeeds();
    assert_eq!(
        sandbox.envsec(["diff"]).refuses(5),
        "error: HEAD:.env.enc: the seal does not match: the file was changed by somebody without a key"
    );
    sandbox.envsec(["diff"]).without("ENVSEC_KEY").answers(8, "+ B  secret\n", UNVERIFIED);
}

#[test]
fn nobody_is_asked_for_a_credential_but_for_values() {
    let sandbox = Sandbox::sealed();
    sandbox.shell("cp .env.enc old && echo x | envsec set A").succeeds();
    let mut terminal = Terminal::start(&sandbox, "unset ENVSEC_KEY; envsec diff old");
    let ended = terminal.ends();
    assert_eq!(ended.status, 8);
    assert!(ended.shown.ends_with("+ A  secret\n") && !ended.shown.contains("Password"), "{}", ended.shown);
    let mut terminal = Terminal::start(&sandbox, "unset ENVSEC_KEY; envsec diff --values old");
    terminal.sees("Password for .env.enc: ").types(&format!("{PASSWORD}\n"));
    let ended = terminal.ends();
    assert_eq!((ended.status, ended.shown.ends_with("+ A  secret\n    new: x\n")), (8, true), "{}", ended.shown);
}

#[test]
fn values_are_shown_at_a_terminal_and_control_nothing_there() {
    let sandbox = sandbox();
    sandbox.shell("printf 'new\\033[31m\\nline' | envsec set B && envsec unset C").succeeds();
    let ended = Terminal::start(&sandbox, "envsec diff --values").ends();
    let shown = ended.shown.trim_start();
    assert_eq!(shown, "- C  secret\n    old: three\n~ B  secret\n    old: two\n    new: new\\u{1b}[31m\\nline\n");
}

#[test]
fn the_report_for_scripts_has_everything() {
    let sandbox = sandbox();
    sandbox.shell("echo new | envsec set A && envsec slot add --raw-key --id ci >/dev/null").succeeds();
    let report = sandbox.envsec(["diff", "--json"]).output();
    assert_eq!(report.status.code(), Some(8));
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let name = serde_json::json!({"name": "A", "change": "changed", "value": true, "moved": false, "rotation": false, "old": "secret", "new": "secret"});
    let expected = serde_json::json!({
        "names": [name],
        "unknown": [],
        "header": [{"what": "slot ci", "change": "added"}],
        "label": null,
        "data_key": false,
        "file": false,
        "verified": true,
    });
    assert_eq!(report, expected);
}

/// The fingerprints of a file's outline, by their names.
fn outline(sandbox: &Sandbox, key: bool) -> String {
    let run = sandbox.envsec(["diff", "--textconv", ".env.enc"]);
    let output = if key { run } else { run.without("ENVSEC_KEY") }.output();
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_outline_tells_values_apart_and_shows_none() {
    let sandbox = sandbox();
    sandbox.shell("envsec set -q --plain P=one").succeeds();
    let (keyed, public) = (outline(&sandbox, true), outline(&sandbox, false));
    for (text, sign) in [(&keyed, '#'), (&public, '~')] {
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let entries: Vec<_> = words[..5].iter().map(|line| (line[0], line[1])).collect();
        assert_eq!(entries, [("A", "secret"), ("B", "secret"), ("C", "secret"), ("D", "secret"), ("P", "plain")]);
        assert!(words[..5].iter().all(|line| line[2].len() == 9 && line[2].starts_with(sign)), "{text}");
        assert_eq!(words[5][..3], ["slot", "key", "raw"]);
        assert_eq!(words[6][..2], ["data", "key"]);
    }
    // Name and value count: the same value under two names is not told.
    let prints: Vec<_> = keyed.lines().take(5).map(|line| line.split('#').nth(1).unwrap()).collect();
    assert_ne!(prints[0], prints[4]);
    sandbox.shell("echo new | envsec set A && echo one | envsec set A").succeeds();
    assert_eq!(outline(&sandbox, true), keyed, "the same value has the same fingerprint");
    assert_ne!(outline(&sandbox, false), public, "its token is another one");
    sandbox.shell("echo new | envsec set B").succeeds();
    let changed = outline(&sandbox, true);
    let differing: Vec<_> = changed.lines().zip(keyed.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(differing[0].0.starts_with("B secret #"));
}

#[test]
fn the_outline_says_how_far_a_rotation_is_and_what_the_label_is() {
    let sandbox = repository();
    sandbox.shell("echo x | envsec set A && envsec -q rotate A --generate hex:16 --grace 1d").succeeds();
    let text = outline(&sandbox, true);
    assert!(text.contains("\nrotation A ") && text.contains(", old value until "), "{text}");
    sandbox.shell("envsec init -q -e prod --raw-key >/dev/null").succeeds();
    let output = sandbox.envsec(["diff", "--textconv", ".env.prod.enc"]).output();
    assert!(String::from_utf8(output.stdout).unwrap().contains("\nlabel prod\n"));
}

#[test]
fn the_outline_of_any_file_is_no_failure() {
    let sandbox = sandbox();
    let text = sandbox.text(".env.enc");
    let conv = |file: &str| {
        let output = sandbox.envsec(["diff", "--textconv", file]).output();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for (bytes, expected) in [
        (
            text.replacen("A=enc:", "A=enc:x", 1),
            "not a well-formed sealed file: line 5: A: a malformed encrypted value\n~",
        ),
        (format!("{text}<<<<<<< main\n"), "not a well-formed sealed file: line 9: a git conflict marker"),
        ("SECRET=geheim\n".to_owned(), "not a well-formed sealed file: this is not a sealed env file"),
        (String::new(), "not a well-formed sealed file: "),
        (text.replacen("#envsec:1", "#envsec:2", 1), "not a well-formed sealed file: written by a newer envsec"),
        (text.replacen("A=", "Z=", 1), "the seal does not match\nZ secret ~"),
    ] {
        sandbox.write("file", bytes);
        let shown = conv("file");
        assert!(shown.starts_with(expected) && !shown.contains("geheim"), "{shown}");
    }
    assert_eq!(conv("nowhere"), "nowhere: no such file\n");
}

#[test]
fn the_outline_costs_no_scrypt_no_prompt_and_no_command() {
    let sandbox = Sandbox::with(&[("A", "one")]);
    sandbox.write("pw", PASSWORD);
    let conv = |settings: &str| {
        let output = sandbox.shell(&format!("chmod 600 pw; {settings} envsec diff --textconv .env.enc")).output();
        assert!(output.status.success() && output.stderr.is_empty(), "{settings}");
        String::from_utf8(output.stdout).unwrap()
    };
    for settings in [
        "ENVSEC_PASSWORD_COMMAND='touch was-run; cat pw'",
        "ENVSEC_PASSWORD_FILE=pw",
        "ENVSEC_KEY_FILE=nowhere",
        "ENVSEC_PASSWORD=",
        "ENVSEC_KEY=rubbish",
    ] {
        let shown = conv(&format!("env -u ENVSEC_KEY {settings}"));
        assert!(shown.starts_with("A secret ~"), "{settings}: {shown}");
    }
    assert!(!sandbox.files().contains(&"was-run".to_owned()));
    let script = "unset ENVSEC_KEY; envsec unlock --password-file pw && envsec diff --textconv .env.enc";
    let run = sandbox.shell(&format!("exec unshare --user --map-root-user bash -c '{script}'"));
    let shown = String::from_utf8(run.output().stdout).unwrap();
    assert!(shown.starts_with("A secret #"), "a session that is unlocked serves: {shown}");
}

#[test]
fn git_diff_shows_names_and_fingerprints_and_neither_values_nor_ciphertext() {
    let sandbox = sandbox();
    let old = sandbox.text(".env.enc");
    sandbox.shell("echo geheim | envsec set B && envsec set -q --plain P=offen").succeeds();
    let new = sandbox.text(".env.enc");
    let output = sandbox.shell("git diff").output();
    let shown = String::from_utf8(output.stdout).unwrap();
    let changed: Vec<&str> = shown.lines().skip(4).filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(changed.len(), 3, "{shown}");
    for (line, start) in changed.iter().zip(["-B secret #", "+B secret #", "+P plain #"]) {
        assert!(line.starts_with(start), "{shown}");
    }
    for hidden in tokens(&old).iter().chain(&tokens(&new)).map(String::as_str).chain(["geheim", "offen", "two"]) {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
}

#[test]
fn git_log_goes_through_old_and_broken_revisions() {
    let sandbox = sandbox();
    let script = "set -e
        for n in $(seq 18); do echo value$n | envsec set A; git commit -qam $n; done
        cp .env.enc good; sed -i 's/^A=enc:/A=enc:!/' .env.enc; git commit -qam broken; mv good .env.enc; git commit -qam mended";
    sandbox.shell(script).succeeds();
    let output = sandbox.shell("git log -p --format=%s -- .env.enc").output();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(shown.lines().filter(|line| line.starts_with("+A secret #")).count(), 20, "{shown}");
    assert_eq!(shown.matches("+not a well-formed sealed file: line 5: A: ").count(), 1);
    assert!(!shown.contains("value1") && !shown.contains("enc:"), "{shown}");
}
