//! Edits by hand: what an error names, what may be edited without a key, and the limits. The attacks are in `attacks.rs`.

use crate::harness::Sandbox;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("API_KEY", "k"), ("DB_PASSWORD", "p")]);
    sandbox.envsec(["set", "--plain", "LOG_LEVEL=info", "REGION=eu"]).succeeds();
    sandbox
}

/// The line that starts so, with its line end.
fn line<'t>(text: &'t str, start: &str) -> &'t str {
    text.split_inclusive('\n').find(|line| line.starts_with(start)).unwrap()
}

#[test]
fn what_breaks_the_grammar_is_named_by_its_line() {
    let sandbox = sandbox();
    let text = sandbox.text(".env.enc");
    let (api, slot) = (line(&text, "API_KEY=").to_owned(), line(&text, "#envsec:slot id=password"));
    let at = text.lines().count() + 1;
    let appended = |line: &str| format!("{text}{line}\n");
    for (edited, error) in [
        (appended("REGION=us"), format!("{at}:1: E_DUPLICATE: REGION: ")),
        (appended(" X=1"), format!("{at}: X: an entry of a sealed file is NAME=value")),
        (appended("export X=1"), format!("{at}: X: an entry of a sealed file is NAME=value")),
        (appended("X: 1"), format!("{at}: X: an entry of a sealed file is NAME=value")),
        (appended("X= 1"), format!("{at}: X: an entry of a sealed file is NAME=value")),
        (appended("X='a\nb'"), format!("{at}: X: an entry of a sealed file is NAME=value")),
        (appended("X.Y=1"), format!("{at}: not a variable's name")),
        (appended("X=enc:AAAA"), format!("{at}: X: a malformed encrypted value")),
        (appended(" # indented"), format!("{at}: a comment that does not start in the first column")),
        (appended("#envsec:slot id=x"), format!("{at}: a header line below the seal")),
        (appended("X='unclosed"), format!("{at}:3: E_UNTERMINATED: ")),
        (appended("<<<<<<< HEAD"), format!("{at}: a git conflict marker")),
        (appended("X=1\r"), format!("{at}: line ends are mixed")),
        (text.replace(&api, &format!("{} \n", api.trim_end())), "6: API_KEY: a malformed encrypted value".into()),
        (text.replace("#envsec:1 ", "#envsec:2 "), " written by a newer envsec: format 2 is not known here".into()),
        (
            text.replace("A256GCM-HS256", "XCHACHA"),
            " written by a newer envsec: suite XCHACHA is not known here".into(),
        ),
        (format!("\u{feff}{text}"), "1: a byte order mark".into()),
        (format!("\n{text}"), " this is not a sealed env file: it does not start with #envsec:".into()),
        (text.replace(slot, &format!("{slot}{slot}")), "3: slot password is there twice".into()),
        (text.replace(" rev=", " rev=0"), "4: a malformed seal line".into()),
        (text.replace("ln=14", "ln=13"), "2: a malformed slot line".into()),
        (text.replace("ln=14", "ln=014"), "2: a malformed slot line".into()),
        (text.replace("ln=14", "ln=99999999999"), "2: a malformed slot line".into()),
        (text.replace("ln=14", "ln=14 "), "2: a malformed slot line".into()),
    ] {
        sandbox.write(".env.enc", &edited);
        let first = sandbox.envsec(["get", "API_KEY"]).refuses(5);
        assert!(first.starts_with(&format!("error: .env.enc:{error}")), "{first}\nexpected {error}");
    }
}

#[test]
fn comments_and_line_ends_are_nobodys_secret() {
    let sandbox = sandbox();
    let text = sandbox.text(".env.enc");
    for edited in [
        text.replace("API_KEY=", "# a comment\n\n  \nAPI_KEY="),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
    ] {
        sandbox.write(".env.enc", &edited);
        sandbox.envsec(["get", "API_KEY"]).prints("k");
        sandbox.envsec(["set", "NEW"]).stdin("n").succeeds();
        sandbox.envsec(["get", "NEW"]).prints("n");
        let (after, end) = (sandbox.text(".env.enc"), if edited.contains("\r\n") { "\r\n" } else { "\n" });
        assert_eq!(after.matches('\n').count(), after.matches(end).count());
        assert_eq!(after.ends_with('\n'), edited.ends_with('\n'));
    }
}

#[test]
fn more_than_the_limits_is_refused_at_little_cost() {
    let sandbox = sandbox();
    let text = sandbox.text(".env.enc");
    let names = |count: usize| (0..count).map(|n| format!("N{n}=\n")).collect::<String>();
    for (more, error) in [
        ("\n".repeat(300_000), "error: .env.enc: the file has more than 262144 lines"),
        ("#\n".repeat(300_000), "error: .env.enc: the file has more than 262144 lines"),
        (names(66_000), "error: .env.enc: the file has more than 65536 entries"),
        (format!("X={}\n", "x".repeat(1 << 20)), "error: .env.enc: the file has more than 1048576 bytes in a line"),
        ("\n".repeat(16 << 20), "error: .env.enc: the file has more than 16777216 bytes"),
    ] {
        sandbox.write(".env.enc", format!("{text}{more}"));
        let limited = "ulimit -v 400000; exec envsec get API_KEY";
        assert_eq!(sandbox.shell(limited).refuses(5), error);
    }
}

#[test]
fn a_writer_keeps_the_limits() {
    let sandbox = Sandbox::sealed();
    let many: String = (0..66_000).map(|n| format!("N{n}=v\n")).collect();
    let before = sandbox.read(".env.enc");
    sandbox.envsec(["import", "-"]).stdin(many).fails(
        1,
        "error: .env.enc: the file would have more than 65536 entries, which no reader takes; nothing was written\n\
         hint: split it into several files: envsec run -f ONE -f TWO\n",
    );
    assert_eq!(sandbox.read(".env.enc"), before);
}
