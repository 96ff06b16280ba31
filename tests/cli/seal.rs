//! `envsec seal`: the one reader of a file with a bad seal.

use crate::harness::{PASSWORD, Sandbox};
use crate::merge::{Repository, line, rev};
use crate::terminal::Terminal;

const FILE: &str = ".env.enc";

const BASE: [(&str, &str); 3] = [("A", "1"), ("M", "2"), ("Z", "3")];

fn edit(on: &Repository, from: &str, to: &str) {
    let text = on.text();
    assert!(text.contains(from), "{from:?} is not in {text}");
    on.sandbox.write(FILE, text.replacen(from, to, 1));
}

/// Adds a line at the end.
fn add(on: &Repository, line: &str) {
    on.sandbox.write(FILE, format!("{}{line}\n", on.text()));
}

#[test]
fn what_was_typed_into_the_file_is_encrypted() {
    let repository = Repository::with(&BASE);
    repository.envsec("set --plain PORT=3000").succeeds();
    repository.commit("plain");
    let before = repository.text();
    edit(&repository, &line(&before, "M"), "M='two words' # why");
    edit(&repository, "PORT=3000", "PORT=4000");
    edit(&repository, &format!("{}\n", line(&before, "Z")), "");
    for line in ["TYPED=new", "LOG_LEVEL=info # of all", "# a comment"] {
        add(&repository, line);
    }
    let typed = repository.text();
    let shown = ".env.enc against HEAD:\n  TYPED: added, encrypted\n  LOG_LEVEL: added, plain\n  Z: removed\n  \
                 M: changed, encrypted\n  PORT: changed, plain\n";
    repository.envsec("seal --plain LOG_*").fails(
        2,
        &format!(
            "{shown}error: there is no terminal to ask at whether these changes are right; nothing was written\n\
             hint: --accept takes them\n"
        ),
    );
    assert!(repository.text() == typed);
    repository.envsec("seal --plain LOG_* --accept").says(shown);
    repository.has(&[("A", "1"), ("M", "'two words'"), ("PORT", "4000"), ("TYPED", "new"), ("LOG_LEVEL", "info")]);
    let after = repository.text();
    assert_eq!(line(&after, "A"), line(&before, "A"));
    assert_eq!(line(&after, "LOG_LEVEL"), "LOG_LEVEL=info # of all");
    assert!(line(&after, "TYPED").starts_with("TYPED=enc:") && after.contains("\n# why\nM=enc:"), "{after}");
    assert!(after.ends_with("# a comment\n") && rev(&after) > rev(&before));
    assert_eq!(repository.sandbox.files(), [FILE, ".git", ".gitattributes"]);
}

#[test]
fn a_file_that_is_right_stays_as_it_is() {
    let repository = Repository::with(&BASE);
    let first = repository.text();
    repository.set("A", "later");
    let text = repository.text();
    repository.envsec("seal").says(".env.enc: its seal is right; nothing to do\n");
    repository.envsec("seal --accept -q").succeeds();
    assert!(repository.text() == text);
    repository.commit("later");
    repository.sandbox.write(FILE, &first);
    repository.envsec("seal").says(
        "warning: .env.enc: its seal is right, but it is revision 4, and HEAD has 5: an older file is in its place\n",
    );
    assert!(repository.text() == first);
}

#[test]
fn the_secret_value_typed_again_keeps_its_token() {
    let repository = Repository::with(&BASE);
    let token = repository.line("A");
    edit(&repository, &token, "A=1");
    repository.envsec("seal --accept").says(".env.enc against HEAD:\n  no name differs\n");
    assert_eq!(repository.line("A"), token);
}

#[test]
fn a_secret_is_made_plain_only_when_asked_for_by_name() {
    let repository = Repository::with(&BASE);
    let token = repository.line("A");
    edit(&repository, &token, "A=1");
    repository.envsec("seal --accept --plain A").says(".env.enc against HEAD:\n  A: made plain\n");
    assert_eq!(repository.line("A"), "A=1");
}

#[test]
fn moved_and_rolled_back_entries_are_named() {
    let repository = Repository::with(&[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]);
    let old = repository.text();
    repository.set("B", "new");
    repository.commit("new");
    let now = repository.text();
    edit(&repository, &line(&now, "B"), &line(&old, "B"));
    let d = format!("{}\n", line(&now, "D"));
    edit(&repository, &d, "");
    edit(&repository, &line(&now, "A"), &format!("{d}{}", line(&now, "A")));
    repository.envsec("seal --accept").says(".env.enc against HEAD:\n  B: an old value is back\n  D: moved\n");
    repository.has(&[("D", "4"), ("A", "1"), ("B", "2"), ("C", "3")]);
}

#[test]
fn nothing_of_the_header_is_taken_from_the_text() {
    let repository = Repository::with(&BASE);
    let good = repository.text();
    let slots: Vec<&str> = good.lines().filter(|line| line.starts_with("#envsec:slot ")).collect();
    let magic = good.lines().next().unwrap();
    let planted = "#envsec:slot id=evil type=raw salt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA wrap=\
                   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases = [
        (good.replace(slots[1], &format!("{}\n{planted}", slots[1])), "  header, not taken: slot evil\n"),
        (good.replace(&format!("{}\n", slots[0]), ""), "  header, stays: slot password\n"),
        (good.replace(slots[0], &slots[0].replace("ln=14", "ln=15")), "  header, not taken: slot password\n"),
        (good.replace(magic, &format!("{magic} label=production")), "  header, not taken: the first line\n"),
        (
            good.replace(slots[0], &format!("{}\n#envsec:other x=1", slots[0])),
            "  header, not taken: a line of the kind other\n",
        ),
        (good.replace("#envsec:seal rev=4", "#envsec:seal rev=999"), "  no name differs\n"),
        (
            good.lines()
                .filter(|line| !line.starts_with("#envsec:"))
                .fold(String::new(), |text, line| text + line + "\n"),
            "  header, stays: the first line\n  header, stays: slot password\n  header, stays: slot key\n",
        ),
    ];
    for (text, shown) in cases {
        repository.sandbox.write(FILE, &text);
        repository.envsec("seal --accept").says(&format!(".env.enc against HEAD:\n{shown}"));
        let sealed = repository.text();
        let header = |text: &str| {
            let lines = text.lines().take_while(|line| line.starts_with("#envsec:"));
            lines.filter(|line| !line.starts_with("#envsec:seal")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(header(&sealed), header(&good));
        assert_eq!(rev(&sealed), 5);
        repository.has(&BASE);
    }
}

#[test]
fn what_no_key_made_is_refused() {
    let repository = Repository::with(&BASE);
    let good = repository.text();
    let (a, m) = (line(&good, "A"), line(&good, "M"));
    let swapped = good.replace(&a, &m.replacen("M=", "A=", 1));
    let altered = good
        .replace(&a, &format!("{}{}", &a[..30], if &a[30..31] == "x" { "y" } else { "x" }))
        .replace("rev=4", "rev=9");
    let renamed = good.replace(&a, &a.replacen("A=", "B=", 1));
    let error = |name: &str| {
        format!(
            "error: .env.enc: {name}: the value opens in none of the compared revisions: it was altered, or is another name's or file's"
        )
    };
    for (text, expected) in [
        (swapped, error("A")),
        (renamed, error("B")),
        (altered, "error: .env.enc:6: A: a malformed encrypted value".to_owned()),
        (
            good.clone() + "export X=1\n",
            "error: .env.enc:9: X: an entry of a sealed file is NAME=value on one line, without blanks around ="
                .to_owned(),
        ),
        (
            good.clone() + "A=2\n",
            "error: .env.enc:9:1: E_DUPLICATE: A: not what a sealed file holds (first on line 6)".to_owned(),
        ),
        (good.clone() + "#envsec:slot id=x\n", "error: .env.enc:9: a header line below the seal".to_owned()),
    ] {
        repository.sandbox.write(FILE, &text);
        assert_eq!(repository.envsec("seal --accept").refuses(5), expected);
        assert!(repository.text() == text, "it was written");
    }
}

#[test]
fn a_revision_to_compare_with_is_needed() {
    let sandbox = Sandbox::with(&BASE);
    sandbox.write("good", sandbox.read(FILE));
    sandbox.write(FILE, sandbox.text(FILE) + "X=typed\n");
    sandbox.envsec(["seal", "--accept"]).fails(
        2,
        "error: no verified revision to compare with: HEAD: no such revision in a git repository here\n\
         hint: name a copy that is known to be good: --base FILE\n",
    );
    sandbox.envsec(["seal", "--accept", "--base", "gone"]).fails(2, "error: gone: no such file\n");
    // One that was tampered with is no base.
    sandbox.write("bad", sandbox.read(FILE));
    assert_eq!(
        sandbox.envsec(["seal", "--accept", "--base", "bad"]).refuses(5),
        "error: .env.enc (bad): the seal does not match: the file was changed by somebody without a key"
    );
    sandbox.envsec(["seal", "--accept", "--base", "good"]).says(".env.enc against good:\n  X: added, encrypted\n");
    sandbox.envsec(["get", "X"]).prints("typed");
}

#[test]
fn the_revision_is_that_of_the_file_itself() {
    let repository = Repository::with(&BASE);
    repository
        .sandbox
        .shell("mkdir 'a b' && git mv .env.enc 'a b/real.enc' && ln -s 'a b/real.enc' .env.enc")
        .succeeds();
    repository.commit("moved");
    add(&repository, "X=typed");
    repository.envsec("seal --accept").says(".env.enc against HEAD:\n  X: added, encrypted\n");
    assert!(repository.sandbox.join(FILE).is_symlink());
    repository.sandbox.shell("cd 'a b' && echo Y=typed >>real.enc && envsec seal -f real.enc --accept -q").succeeds();
    repository.has(&[("A", "1"), ("M", "2"), ("Z", "3"), ("X", "typed"), ("Y", "typed")]);
}

#[test]
fn a_name_that_no_child_would_get_is_refused_as_by_set() {
    let repository = Repository::with(&BASE);
    add(&repository, "ENVSEC_PASSWORD=typed");
    let before = repository.text();
    assert!(repository.envsec("seal --accept").refuses(2).contains("ENVSEC_PASSWORD"));
    assert!(repository.text() == before);
}

#[test]
fn without_the_credential_nothing_is_compared() {
    let repository = Repository::with(&BASE);
    add(&repository, "X=typed");
    let seal = repository.envsec("seal --accept").without("ENVSEC_KEY");
    assert_eq!(seal.refuses(4), "error: there is no terminal to ask for it: Password for .env.enc");
    let seal = repository.envsec("seal --accept").without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", "wrong password");
    assert_eq!(seal.refuses(4), "error: .env.enc: no slot opens with this password or key");
}

#[test]
fn a_person_is_shown_the_names_and_asked() {
    let mut repository = Repository::with(&BASE);
    repository.sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    add(&repository, "TYPED=canary");
    let before = repository.text();
    let mut terminal = Terminal::start(&repository.sandbox, "envsec seal");
    terminal.sees("TYPED: added, encrypted").sees("Seal it so? [y/N] ").types("n\n");
    let ended = terminal.ends();
    assert!(ended.status == 1 && !ended.shown.contains("canary"), "{}", ended.shown);
    assert!(repository.text() == before);
    let mut terminal = Terminal::start(&repository.sandbox, "envsec seal");
    terminal.sees("Seal it so? [y/N] ").types("y\n");
    assert_eq!(terminal.ends().status, 0);
    repository.envsec("get TYPED").prints("canary");
}

/// While somebody thinks about it, the file becomes another one.
#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let repository = Repository::with(&BASE);
    add(&repository, "TYPED=one");
    let mut terminal = Terminal::start(&repository.sandbox, "envsec seal");
    terminal.sees("Seal it so? [y/N] ");
    add(&repository, "MORE=two");
    let before = repository.text();
    let ended = terminal.types("y\n").ends();
    assert!(ended.shown.contains("error: .env.enc: somebody changed the file meanwhile"), "{}", ended.shown);
    assert!(ended.status == 6 && repository.text() == before);
}

#[test]
fn a_value_whose_next_one_waits_is_not_replaced() {
    let repository = Repository::with(&BASE);
    let output = repository.envsec("rotate M --generate hex:8 -q --on-set false").output();
    assert!(!output.status.success());
    repository.commit("pending");
    edit(&repository, &repository.line("M"), "M=typed");
    let refused = repository.envsec("seal --accept").refuses(6);
    assert_eq!(refused, "error: .env.enc: M: a rotation of it is pending: its new value waits in the file");
}

#[test]
fn the_age_of_what_was_typed_is_noted_and_it_is_held_against_its_declaration() {
    let repository = Repository::with(&BASE);
    let schema = r#"{"properties": {"M": {"type": "string", "minLength": 8, "x-envsec": {"rotateEvery": "30d"}}}}"#;
    repository.sandbox.write("env.schema.json", schema);
    edit(&repository, &repository.line("M"), "M=short");
    let output = repository.envsec("seal --accept").output();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("warning: not as declared: M") && !shown.contains("short\n"), "{shown}");
    assert!(output.status.success() && repository.text().contains("#envsec:rotation name=M at="));
}

#[test]
fn no_value_shows_whatever_was_typed() {
    const CANARY: &str = "cAnArY7731";
    let repository = Repository::with(&BASE);
    let good = repository.text();
    let below = [
        "X={}",
        "X='{}",
        "X=\"{}\\d\"",
        "{}",
        "A B={}",
        " X={}",
        "X={} {}#x",
        "#envsec:slot {}",
        "M=enc:{}",
        "X=a\u{1b}{}",
    ];
    let below = below.map(|line| format!("{good}{line}\n"));
    let above =
        ["#envsec:{}", "#envsec:slot id={}", "#envsec:rotation name={}!", "#envsec:slot {}", "#envsec:x{}=1 y=2"];
    let above = above.map(|line| good.replacen("#envsec:seal", &format!("{line}\n#envsec:seal"), 1));
    for text in below.iter().chain(&above) {
        repository.sandbox.write(FILE, text.replace("{}", CANARY));
        let output = repository.envsec("seal --accept").output();
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.is_empty() && !shown.contains(CANARY), "{text}: {shown}");
    }
}

#[test]
fn the_environment_that_is_asked_for_has_to_be_that_of_the_file() {
    let repository = Repository::with(&BASE);
    add(&repository, "X=typed");
    assert_eq!(
        repository.envsec("seal --accept -f .env.enc -e production").refuses(5),
        "error: .env.enc (HEAD): its label is missing, but -e or the file's name asks for production"
    );
}

#[test]
fn a_pin_holds_for_what_it_is_compared_with_but_not_for_a_common_base() {
    let repository = Repository::with(&BASE);
    let pin = |above: u64| {
        let text = repository.sandbox.envsec(["status", "--pin"]).output().stdout;
        let text = String::from_utf8(text).unwrap();
        let (file_and_key, rev) = text.trim_end().rsplit_once(':').unwrap();
        format!("{file_and_key}:{}", rev.parse::<u64>().unwrap() + above)
    };
    let (now, next) = (pin(0), pin(1));
    add(&repository, "X=typed");
    let seal = |pin: &str| repository.envsec("seal --accept").variable("ENVSEC_PIN", pin);
    let refused = "error: .env.enc (HEAD): its revision is lower than the one in ENVSEC_PIN";
    assert_eq!(seal(&next).refuses(5), refused);
    seal(&now).says(".env.enc against HEAD:\n  X: added, encrypted\n");
    repository.commit("typed");
    // Both sides are newer than the base that they come from.
    repository.branch("side", |on| on.set("A", "side"));
    repository.on_main(|on| on.set("M", "main"));
    let pin = pin(0);
    repository.sandbox.shell("git merge -q side >merge").variable("ENVSEC_PIN", &pin).succeeds();
    repository.has(&[("A", "side"), ("M", "main"), ("Z", "3"), ("X", "typed")]);
}
