//! `edit`: what a person gets to see, what becomes of what was made of it, and that nothing stays behind.

use crate::harness::{ENVSEC, Run, Sandbox};
use crate::terminal::Terminal;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use tempfile::TempDir;

/// In every secret value of a desk.
const CANARY: &str = "cAnArYedit";

const HELP: &str = "\
#: .env.enc, decrypted. Lines that begin with #: are envsec's and are not written to it.
#: Every value is a secret and is encrypted, but where `#: plain` stands right above its name.
#: Names, comments and plain values can be read by everybody. Blanks, # or quotes in a value: put it in '...'.
#: A text that is unchanged or empty changes nothing.
";

const UNCHANGED: &str = "nothing was changed\n";

/// A sandbox, and a folder in memory where texts are edited.
pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    pub(crate) runtime: TempDir,
}

impl std::ops::Deref for Desk {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Desk {
    pub(crate) fn with(entries: &[(&str, &str)]) -> Self {
        let mut sandbox = Sandbox::with(entries);
        let runtime = tempfile::Builder::new()
            .prefix("envsec-test-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in("/dev/shm")
            .unwrap();
        sandbox.set_variable("XDG_RUNTIME_DIR", runtime.path().to_str().unwrap());
        let temporary = sandbox.join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        sandbox.set_variable("TMPDIR", temporary.to_str().unwrap());
        sandbox.write("key", &sandbox.key);
        std::fs::set_permissions(sandbox.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        Desk { sandbox, runtime }
    }

    /// Two secrets and a plain name.
    fn usual() -> Self {
        let desk = Desk::with(&[("A", &format!("{CANARY} a")), ("B", &format!("{CANARY}-b"))]);
        desk.envsec(["set", "--plain", "PORT=3000"]).succeeds();
        desk
    }

    /// The text of the file below its header.
    fn body(&self) -> String {
        let text = self.text(".env.enc");
        text[text.find("#envsec:seal").unwrap()..].split_once('\n').unwrap().1.to_owned()
    }

    /// An editor that is a shell script; `$1` is the file.
    pub(crate) fn editor(&self, script: &str) -> String {
        let path = self.join("tmp/editor");
        std::fs::write(&path, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn edit(&self, script: &str) -> Run<'_> {
        let editor = self.editor(script);
        self.envsec(["edit"]).variable("EDITOR", editor)
    }

    /// The lines of the file's body, of which those of encrypted values are cut.
    fn shape(&self) -> Vec<String> {
        let body = self.body();
        body.lines().map(|line| line.split_once("enc:").map_or(line, |(name, _)| name).to_owned()).collect()
    }

    fn get(&self, name: &str) -> String {
        String::from_utf8(self.envsec(["get", name]).output().stdout).unwrap()
    }

    /// No text with a secret of the desk lies anywhere, and no folder for one.
    #[track_caller]
    fn is_clean(&self) {
        assert_eq!(files_below(self.runtime.path()), Vec::<PathBuf>::new());
        for path in files_below(self.path()) {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found || path.ends_with("tmp/editor"), "{} has plaintext", path.display());
        }
    }
}

/// All files, folders that hold nothing included.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files_below(&path));
        }
        if !path.is_dir() || std::fs::read_dir(&path).unwrap().next().is_none() {
            found.push(path);
        }
    }
    found.retain(|path| !path.is_dir() || path.to_string_lossy().contains("envsec-edit"));
    found
}

/// How many lines of two texts differ, if they have as many.
fn changed_lines(before: &str, after: &str) -> Vec<String> {
    assert_eq!(before.lines().count(), after.lines().count());
    before.lines().zip(after.lines()).filter(|(a, b)| a != b).map(|(a, _)| a.to_owned()).collect()
}

#[test]
fn the_text_is_the_file_with_its_values() {
    let desk = Desk::with(&[("A", "plain"), ("LINES", "one\ntwo\n\n"), ("BOTH", "it's \"5 $x"), ("EMPTY", "")]);
    desk.envsec(["set", "--plain", "PORT=3000"]).succeeds();
    desk.edit("printf '# mine\\n#::odd\\n' >> \"$1\"").succeeds();
    desk.envsec(["edit"]).variable("EDITOR", "cat").answers(
        0,
        format!("{HELP}\nA=plain\nBOTH=it's \"5 $x\nEMPTY=\nLINES='one\ntwo\n'\n#: plain\nPORT=3000\n# mine\n#::odd\n"),
        UNCHANGED,
    );
    assert_eq!(desk.shape()[6..], ["# mine", "#:odd"]);
    desk.is_clean();
}

#[test]
fn one_value_of_fifty_is_two_lines() {
    let desk = Desk::with(&[]);
    let lines: String = (0..50).map(|n| format!("# number {n}\nNAME_{n}='{CANARY} {n}'\n")).collect();
    desk.edit(&format!("cat >> \"$1\" <<'END'\n{lines}END")).succeeds();
    desk.command("git", ["init", "--quiet"]).succeeds();
    desk.command("git", ["add", ".env.enc"]).succeeds();
    desk.edit("sed -i 's/^NAME_25=.*/NAME_25=new/' \"$1\"").succeeds();
    desk.command("git", ["diff", "--numstat"]).prints("2\t2\t.env.enc\n");
    assert_eq!(desk.get("NAME_25"), "new");
    assert_eq!(desk.get("NAME_24"), format!("{CANARY} 24"));
    desk.is_clean();
}

#[test]
fn what_is_unchanged_or_emptied_changes_nothing() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    for script in [":", "touch \"$1\"", ": > \"$1\"", "printf ' \\n\\t\\r\\n' > \"$1\"", "cp \"$1\" x; mv x \"$1\""] {
        desk.edit(script).says(UNCHANGED);
        assert!(desk.read(".env.enc") == before, "{script}");
    }
    // Saved with other line ends, a byte order mark, without the help: the same values.
    for script in ["sed -i 's/$/\\r/' \"$1\"", "sed -i '1s/^/\\xef\\xbb\\xbf/' \"$1\"", "sed -i '/^#: [^p]/d' \"$1\""] {
        desk.edit(script).succeeds();
        assert!(desk.read(".env.enc") == before, "{script}");
    }
    desk.edit("").variable("ENVSEC_QUIET", "1").says(UNCHANGED);
    desk.edit(":").variable("VISUAL", "").says(UNCHANGED);
    desk.is_clean();
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    let failed = |how: &str| format!("error: the editor failed ({how}); nothing was changed\n");
    desk.edit("echo B=2 > \"$1\"; exit 3").fails(1, &failed("exit status: 3"));
    desk.edit("echo B=2 > \"$1\"; kill -9 $$").fails(1, &format!("Killed\n{}", failed("exit status: 137")));
    desk.edit("echo B=2 > \"$1\"; kill -INT $$").fails(1, &failed("exit status: 130"));
    desk.edit("rm \"$1\"").fails(1, "error: the editor left no text; nothing was changed\n");
    assert!(desk.edit("rm \"$1\"; mkdir \"$1\"").refuses(1).ends_with("not a regular file any more"));
    assert!(desk.edit("ln -sf /etc/passwd \"$1\"").refuses(1).ends_with("not a regular file any more"));
    let hint = "hint: nothing was changed; set EDITOR, with arguments if it needs any: EDITOR='code --wait'\n";
    desk.envsec(["edit"]).variable("EDITOR", "no-such-editor --wait").fails(
        2,
        &format!("sh: 1: no-such-editor: not found\nerror: the editor was not found: no-such-editor --wait\n{hint}"),
    );
    desk.shell(&format!(
        "mkdir bin && ln -s $(command -v sh) bin/sh && PATH=bin {ENVSEC} edit; s=$?; rm -r bin; exit $s"
    ))
    .fails(2, &format!("error: no editor: neither VISUAL nor EDITOR is set, and there is no vi\n{hint}"));
    // vi would wait for keys.
    desk.envsec(["edit"]).fails(
        2,
        &format!("error: no editor: neither VISUAL nor EDITOR is set, and there is no terminal for vi\n{hint}"),
    );
    desk.edit(":").variable("VISUAL", std::ffi::OsStr::new("\u{fffd}")).refuses(2);
    assert!(desk.read(".env.enc") == before);
    desk.is_clean();
}

#[test]
fn the_editor_may_have_arguments_and_blanks_in_its_name() {
    let desk = Desk::usual();
    let editor = desk.editor("[ \"$1\" = --wait ] && [ \"$2\" = 'two words' ] && echo C=1 >> \"$3\"");
    desk.envsec(["edit"]).variable("EDITOR", format!("{editor} --wait 'two words'")).succeeds();
    desk.shell("mkdir 'my editors'; printf '#!/bin/sh\\necho D=1 >>\"$1\"\\n' > \"my editors/it's\"; chmod +x my*/*")
        .succeeds();
    desk.envsec(["edit"]).variable("VISUAL", "my editors/it's").variable("EDITOR", "false").succeeds();
    assert_eq!(desk.shape(), ["", "A=", "B=", "PORT=3000", "C=", "D="]);
    desk.is_clean();
}

#[test]
fn the_editor_gets_neither_credentials_nor_values_but_in_its_file() {
    let desk = Desk::usual();
    let script = "env > env; tr '\\0' ' ' < /proc/$$/cmdline > argv; tr '\\0' ' ' < /proc/$PPID/cmdline >> argv; \
                  stat -c '%a %F' \"$1\" \"$(dirname \"$1\")\" > modes; basename \"$1\" >> modes; dirname $(dirname \"$1\") >> modes";
    desk.edit(script).variable("ENVSEC_PASSWORD", CANARY).says(UNCHANGED);
    let seen = desk.text("env") + &desk.text("argv");
    assert!(!seen.contains(CANARY) && !seen.contains("ENVSEC_KEY") && !seen.contains("envsec_key"), "{seen}");
    let runtime = desk.runtime.path().display();
    assert_eq!(desk.text("modes"), format!("600 regular file\n700 directory\nedit.env\n{runtime}\n"));
    desk.is_clean();
}

#[test]
fn plain_entries_stay_plain_and_others_become_so_by_their_mark() {
    let desk = Desk::usual();
    desk.edit("sed -i 's/^PORT=.*/PORT=\"3001\"  # the port/' \"$1\"").succeeds();
    assert_eq!(desk.shape(), ["", "A=", "B=", "PORT=\"3001\"  # the port"]);
    desk.is_clean();
    desk.envsec(["set", "B"]).stdin("public").succeeds();
    let token = desk.body().lines().nth(1).unwrap().to_owned();
    desk.edit("sed -i -e '/^#: plain/d' -e 's/^B=/#: plain\\nB=/' \"$1\"").succeeds();
    assert_eq!(desk.shape(), ["", "A=", "B=public", "# the port", "PORT="]);
    assert_eq!(desk.get("PORT"), "3001");
    assert_eq!(desk.body().lines().nth(1).unwrap(), token);
    // Other spellings are made what a sealed file can have.
    desk.edit("printf '#: plain\\nexport C = \"x y\"   # c\\n#: plain\\nD: \"1\\n2\"\\n#: plain\\nE= # e\\n#: plain\\nF=\\n' >> \"$1\"").succeeds();
    assert_eq!(desk.shape()[5..], ["C='x y' # c", "D=\"1\\n2\"", "E='' # e", "F="]);
    desk.edit("echo 'G=1 # a comment' >> \"$1\"").succeeds();
    assert_eq!(desk.shape()[9..], ["# a comment", "G="]);
    desk.is_clean();
}

#[test]
fn lines_move_come_and_go() {
    let desk = Desk::usual();
    let before = desk.body();
    desk.edit("sed -i -e '/^A=/{h;d}' -e '/^PORT=/{G;s/$/\\n\\n# new\\n  # indented\\nC=1/}' \"$1\"").succeeds();
    assert_eq!(desk.shape(), ["", "B=", "PORT=3000", "A=", "", "# new", "# indented", "C="]);
    for name in ["A=", "B="] {
        let line = |body: &str| body.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert_eq!(line(&desk.body()), line(&before));
    }
    desk.edit("sed -i -e '/^B=/d' -e '/^# new/d' \"$1\"").succeeds();
    assert_eq!(desk.shape(), ["", "PORT=3000", "A=", "", "# indented", "C="]);
    // To the last of them.
    desk.edit("sed -i '/^[A-Z#]/d' \"$1\"; echo >> \"$1\"; echo '#: plain' > x; echo Z= >> x; cat x >> \"$1\"; rm x")
        .succeeds();
    assert_eq!(desk.shape(), ["", "", "", "Z="]);
    desk.is_clean();
}

/// A script that does one thing the first time, and another one the second time.
fn twice(first: &str, second: &str) -> String {
    format!("if [ ! -e tmp/again ]; then : > tmp/again; {first}; else rm tmp/again; {second}; fi")
}

/// Lines that cannot be added to the text, and why.
const REFUSED: [(&str, &str); 16] = [
    (
        "PO RT=1",
        "E_NO_EQUALS: NAME=value expected, no = here: start a comment with #, put a value of several lines in '...'",
    ),
    ("A=2", "E_DUPLICATE: A: the name stands twice: remove one (first on line 6)"),
    (
        "C=a#b",
        "E_AMBIG_HASH: C: a # right after text starts a comment to some programs only: put the value in '...', put a blank before a comment",
    ),
    (
        "C=\"a\\\\tb\"",
        "E_AMBIG_ESCAPE: C: programs read this backslash differently: put the value in '...' without escapes",
    ),
    ("C='a", "E_UNTERMINATED: C: the quote that opens here is never closed: close it, or put the value in '...'"),
    (
        "C.D=1",
        "\"C.D\" cannot be a variable's name: letters, digits and _ only, not starting with a digit, at most 256 bytes",
    ),
    (
        "ENVSEC_KEY=1",
        "ENVSEC_KEY: names that begin with ENVSEC_PASSWORD or ENVSEC_KEY are envsec's own, and no child gets them",
    ),
    ("C=enc:abc", "C: this is the text of an encrypted value; write the value itself, in '...' if it is meant so"),
    ("#envsec:seal x", "a comment of a sealed file does not begin with #envsec:"),
    ("C=1 #envsec:x", "a comment of a sealed file does not begin with #envsec:"),
    (
        "#: mine",
        "lines that begin with #: are envsec's, and of them only `#: plain` can be written: # begins a comment",
    ),
    ("#: plain", "`#: plain` belongs right above a name"),
    ("#: plain\\n\\nC=1", "`#: plain` belongs right above a name"),
    ("# CANARY-b was", "the comment holds a value of B, and everybody can read comments: take it out"),
    ("#C=secret", "the comment holds a value of C, and everybody can read comments: take it out"),
    ("C=1 # D=secret", "the comment holds a value of D, and everybody can read comments: take it out"),
];

#[test]
fn what_cannot_be_taken_is_given_back_with_the_reason_above_it() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    for (wrong, reason) in REFUSED {
        let wrong = wrong.replace("CANARY", CANARY);
        let wrong = wrong.as_str();
        // The same wrong text twice.
        let script = twice(
            &format!("printf '{}\\n' >> \"$1\"", wrong.replace('\'', "'\\''")),
            "grep -n -A1 '^#: error:' \"$1\" > tmp/shown",
        );
        let error = desk.edit(&script).refuses(1);
        assert!(error.starts_with("error: the edited text: line ") && error.ends_with(reason), "{wrong}: {error}");
        assert!(!error.contains(CANARY));
        let shown = desk.text("tmp/shown");
        let (first, second) = shown.split_once('\n').unwrap();
        assert!(first.ends_with(&format!("#: error: {reason}")), "{wrong}: {shown}");
        let above = wrong.split("\\n").next().unwrap().replace("\\\\", "\\");
        assert!(second.trim_end().ends_with(&above), "{wrong}: {shown}");
        assert!(desk.read(".env.enc") == before, "{wrong}");
        // Mended the second time.
        desk.edit(&twice(
            &format!("printf '{}\\n' >> \"$1\"", wrong.replace('\'', "'\\''")),
            "sed -i '10,$d' \"$1\"; echo N=1 >> \"$1\"",
        ))
        .succeeds();
        assert_eq!(desk.shape(), ["", "A=", "B=", "PORT=3000", "N="], "{wrong}");
        desk.write(".env.enc", &before);
        std::fs::remove_file(desk.join("tmp/shown")).unwrap();
    }
    desk.is_clean();
}

#[test]
fn a_reason_in_the_midst_of_a_value_is_no_part_of_it() {
    let desk = Desk::usual();
    let wrong = "printf 'C=\"one\\ntwo\\\\tthree\\nfour\"\\n' >> \"$1\"";
    desk.edit(&twice(wrong, "sed -n '/^C=/,$p' \"$1\" > tmp/shown; sed -i 's/\\\\t/ and /' \"$1\"")).succeeds();
    let shown = desk.text("tmp/shown");
    assert!(
        shown.starts_with("C=\"one\n#: error: E_AMBIG_ESCAPE: ") && shown.ends_with("\ntwo\\tthree\nfour\"\n"),
        "{shown}"
    );
    assert_eq!(desk.get("C"), "one\ntwo and three\nfour");
    // A value that has such a line itself keeps it.
    let own = "#: error: E_NO_EQUALS: NAME=value expected, no = here: start a comment with #, put a value of several lines in '...'";
    desk.envsec(["set", "D"]).stdin(format!("x\n{own}\ny")).succeeds();
    desk.edit(&twice("echo wrong >> \"$1\"", "sed -i '/^wrong/d' \"$1\"; echo N=1 >> \"$1\"")).succeeds();
    assert_eq!((desk.get("D"), desk.get("N")), (format!("x\n{own}\ny"), "1".to_owned()));
    desk.is_clean();
}

#[test]
fn a_comment_that_says_what_a_plain_name_is_may_be_written() {
    let desk = Desk::usual();
    desk.edit("echo '# PORT=3000 is what they all use' >> \"$1\"").succeeds();
    assert_eq!(desk.shape().last().unwrap(), "# PORT=3000 is what they all use");
    let script = "echo '# OLD=1' >> \"$1\"";
    desk.edit(&twice(script, ":")).refuses(1);
    desk.envsec(["edit", "--keep-comment-values"]).variable("EDITOR", desk.editor(script)).succeeds();
    desk.edit("echo N=1 >> \"$1\"").succeeds(); // those that are there are not asked about
}

#[test]
fn values_are_held_to_their_declaration() {
    let desk = Desk::usual();
    desk.write(
        "env.schema.json",
        r#"{"properties": {"N": {"type": "integer"}, "A": {"maxLength": 3}, "S": {"writeOnly": true}}}"#,
    );
    let before = desk.read(".env.enc");
    let wrong = "printf 'N=many\\n#: plain\\nS=x\\n' >> \"$1\"";
    let output = desk.edit(&twice(wrong, "grep -A2 '^#: error' \"$1\" > tmp/shown")).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(3) && stderr.starts_with("error: env.schema.json: 2 problems\n  N: "),
        "{stderr}"
    );
    assert!(!stderr.contains("strict"), "{stderr}");
    let shown = desk.text("tmp/shown");
    assert!(shown.starts_with("#: error: N: ") && shown.contains("\nN=many\n#: plain\n#: error: S: "), "{shown}");
    assert!(desk.read(".env.enc") == before);
    desk.edit(&twice(wrong, "sed -i -e 's/many/5/' -e '/^N=/q' \"$1\"")).succeeds();
    assert_eq!(desk.get("N"), "5");
    // What was wrong before, and is not touched, is no hindrance.
    desk.edit("echo M=1 >> \"$1\"").succeeds();
    desk.write("env.schema.json", "{");
    let output = desk.edit("echo O=1 >> \"$1\"").output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && stderr.starts_with("warning: not checked against the declaration: "),
        "{stderr}"
    );
}

#[test]
fn values_that_age_get_their_time() {
    let desk = Desk::usual();
    desk.write("env.schema.json", r#"{"properties": {"NEW": {"x-envsec": {"rotateEvery": "90d"}}}}"#);
    desk.edit("echo NEW=1 >> \"$1\"").succeeds();
    assert!(desk.text(".env.enc").contains("\n#envsec:rotation name=NEW at="));
    desk.edit("sed -i '/^NEW=/d' \"$1\"").succeeds();
    assert!(!desk.text(".env.enc").contains("#envsec:rotation"));
}

#[test]
fn a_name_in_the_midst_of_its_rotation_stays() {
    let desk = Desk::usual();
    desk.envsec(["rotate", "A", "--on-set", "exit 3"]).stdin("new").refuses(7);
    assert!(desk.text(".env.enc").contains(" pending="));
    let reason = "A: a rotation of it is pending: its new value waits in the file (envsec rotate A --resume goes on with it, --abort goes back)";
    for script in ["sed -i '/^A=/d' \"$1\"", "sed -i 's/^A=.*/A=2/' \"$1\"", "sed -i 's/^A=/#: plain\\nA=/' \"$1\""] {
        assert!(desk.edit(&twice(script, ":")).refuses(1).ends_with(reason), "{script}");
        std::fs::remove_file(desk.join("tmp/again")).ok();
    }
    desk.edit("sed -i 's/^B=.*/B=2/' \"$1\"").succeeds();
}

#[test]
fn line_ends_are_the_files_own() {
    let desk = Desk::usual();
    desk.write(".env.enc", desk.text(".env.enc").replace('\n', "\r\n"));
    let before = desk.text(".env.enc");
    let script = "grep -c \"$(printf '\\r')\" \"$1\" > tmp/count || true; sed -i 's/^B=.*/B=2/' \"$1\"";
    desk.edit(script).succeeds();
    assert_eq!(desk.text("tmp/count"), "0\n");
    assert_eq!(changed_lines(&before, &desk.text(".env.enc")).len(), 2);
    assert!(desk.text(".env.enc").lines().count() == desk.text(".env.enc").matches("\r\n").count());
    desk.edit("sed -i -e 's/$/\\r/' -e 's/^B=.*/B=3\\r\\nC=4\\r/' \"$1\"").succeeds();
    assert_eq!((desk.get("B"), desk.get("C")), ("3".to_owned(), "4".to_owned()));
    // A value of several lines that an editor writes with CRLF.
    let desk = Desk::with(&[("L", "one\ntwo")]);
    desk.edit("sed -i -e '$a N=1' -e 's/$/\\r/' \"$1\"").succeeds();
    assert_eq!(desk.get("L"), "one\ntwo");
    // The last line may lack its end, here and there.
    let text = desk.text(".env.enc");
    desk.write(".env.enc", text.trim_end());
    desk.edit("sed -i 's/^L=.*/L=\\x27x/' \"$1\"; printf '%s' \"$(cat \"$1\")\" > \"$1\"").succeeds();
    assert!(!desk.text(".env.enc").ends_with('\n'));
    assert_eq!(changed_lines(&text, &desk.text(".env.enc")).len(), 2);
    assert_eq!(desk.get("L"), "x\ntwo");
}

#[test]
fn values_come_back_as_they_were() {
    let values = [
        "it's",
        "\"",
        "a'b\"c`d",
        "$'x'",
        "back\\slash\\",
        " blanks ",
        "#hash",
        "tab\tx",
        "one\r\ntwo",
        "enc:abc",
        "\u{1}\u{7f}",
        "é𝄞",
        "\n",
        "#: plain\nX=1\n#: error: y",
        "'''\n\"\"\"\n```",
    ];
    let names: Vec<String> = (0..values.len()).map(|n| format!("V{n:02}")).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    let desk = Desk::with(&[]);
    for (name, value) in &entries {
        desk.envsec(["set", "--keep-newline", name]).stdin(value).succeeds();
    }
    let large = "x'\n\"`\\".repeat(43_000);
    desk.envsec(["set", "--keep-newline", "LARGE"]).stdin(&large).succeeds();
    let before = desk.text(".env.enc");
    desk.edit("cp \"$1\" tmp/first; sed -i 's/^V00=.*/V00=new/' \"$1\"").succeeds();
    assert_eq!(changed_lines(&before, &desk.text(".env.enc")).len(), 2);
    // Written anew, each of them.
    let desk = Desk::with(&[]);
    let copy = desk.join("tmp/first");
    for (name, value) in &entries {
        desk.envsec(["set", "--keep-newline", name]).stdin(value).succeeds();
    }
    desk.envsec(["set", "--keep-newline", "LARGE"]).stdin(&large).succeeds();
    desk.edit("cp \"$1\" tmp/first").says(UNCHANGED);
    let empty = Desk::with(&[]);
    empty.edit(&format!("cp {} \"$1\"", copy.display())).succeeds();
    for (name, value) in &entries {
        assert_eq!(empty.get(name), *value);
    }
    assert_eq!(empty.get("LARGE"), large);
}

#[test]
fn what_others_change_meanwhile_is_kept() {
    let desk = Desk::usual();
    let set = |args: &str| format!("echo new | {ENVSEC} set {args} --key-file key");
    // Another name, a new name, a removed one.
    desk.edit(&format!("sed -i 's/^B=.*/B=mine/' \"$1\"; echo MINE=1 >> \"$1\"; {}; {}", set("A"), set("LATER")))
        .succeeds();
    assert_eq!((desk.get("A"), desk.get("B")), ("new".into(), "mine".into()));
    assert_eq!(desk.shape(), ["", "A=", "B=", "LATER=", "PORT=3000", "MINE="]);
    desk.edit(&format!("sed -i '/^B=/d' \"$1\"; {ENVSEC} unset A --key-file key")).succeeds();
    assert_eq!(desk.shape(), ["", "LATER=", "PORT=3000", "MINE="]);
    // One moves lines, the other changes a value; both ways.
    desk.edit(&format!("sed -i -e '/^LATER=/{{h;d}}' -e '$G' \"$1\"; {}; {}", set("LATER"), set("ALSO"))).succeeds();
    assert_eq!(
        (desk.shape(), desk.get("LATER")),
        (["", "PORT=3000", "MINE=", "ALSO=", "LATER="].map(String::from).to_vec(), "new".into())
    );
    let theirs = desk.editor("echo '# theirs' >> \"$1\"");
    std::fs::copy(&theirs, desk.join("theirs")).unwrap();
    desk.edit(&format!("sed -i 's/^MINE=.*/MINE=2/' \"$1\"; EDITOR=./theirs {ENVSEC} edit --key-file key")).succeeds();
    assert_eq!((desk.shape().last().unwrap().as_str(), desk.get("MINE")), ("# theirs", "2".into()));
    // The same change is none.
    desk.edit(&format!("sed -i 's/^MINE=.*/MINE=3/' \"$1\"; printf 3 | {ENVSEC} set MINE --key-file key")).succeeds();
    desk.is_clean();
}

/// Takes the path out of the message that names a kept text, and the text.
fn kept(stderr: &str) -> (PathBuf, String) {
    let (_, rest) = stderr.split_once("the edited text is kept, decrypted, in ").unwrap_or_else(|| panic!("{stderr}"));
    let path = PathBuf::from(rest.split_once(": take over what you need, and remove it\n").unwrap().0);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

#[test]
fn the_same_changed_by_two_is_kept_beside_when_nobody_can_be_asked() {
    let desk = Desk::usual();
    let script = format!(
        "sed -i -e 's/^B=.*/B=mine/' -e 's/^A=.*/A=mine/' \"$1\"; echo new | {ENVSEC} set A --key-file key; {ENVSEC} unset B --key-file key"
    );
    let output = desk.edit(&script).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.ends_with("error: .env.enc: somebody else changed A, B too meanwhile\n"), "{stderr}");
    let (path, text) = kept(&stderr);
    let expected = "\n#: error: somebody else changed A too, to what stands below; without this line, yours is taken\n#: theirs: A=new\nA=mine\n\
                    #: error: somebody else removed B; without this line, it stays\nB=mine\n#: plain\nPORT=3000\n";
    assert!(text.ends_with(expected), "{text}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((desk.get("A"), desk.shape()), ("new".into(), ["", "A=", "PORT=3000"].map(String::from).to_vec()));
    // Nobody sweeps it.
    desk.edit(":").says(UNCHANGED);
    assert!(path.is_file());
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    // Comments on both sides.
    std::fs::copy(desk.editor("echo '# theirs' >> \"$1\""), desk.join("theirs")).unwrap();
    let output = desk.edit(&format!("echo '# mine' >> \"$1\"; EDITOR=./theirs {ENVSEC} edit --key-file key")).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.ends_with("error: .env.enc: somebody else changed comments or the order too meanwhile\n"),
        "{stderr}"
    );
    let (path, text) = kept(&stderr);
    assert!(text.contains("\n#: theirs: # theirs\n") && text.ends_with("\n# mine\n"), "{text}");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    desk.is_clean();
}

#[test]
fn a_file_that_became_another_one_meanwhile() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    let mine = "sed -i 's/^B=.*/B=mine/' \"$1\"";
    let rekey = format!("{ENVSEC} slot remove password --yes -q --key-file key --work-factor 15");
    // The key that opens it is still in the settings.
    desk.edit(&format!("{mine}; {rekey}")).succeeds();
    assert_eq!((desk.get("B"), desk.get("A")), ("mine".into(), format!("{CANARY} a")));
    for (meanwhile, status, error) in [
        ("rm .env.enc", 2, "error: .env.enc: no such file\n"),
        ("echo '#envsec:' >> .env.enc", 5, "error: .env.enc:"),
        ("sed -i s/PORT=3000/PORT=3001/ .env.enc", 5, "error: .env.enc: the seal does not match"),
        (
            &format!("{ENVSEC} slot remove password --yes -q --key-file key --renew key > new"),
            4,
            "error: .env.enc: no slot opens",
        ),
        ("cp older .env.enc", 6, "error: .env.enc: somebody put an older revision in its place meanwhile\n"),
    ] {
        desk.write("older", &before);
        desk.write(".env.enc", &before);
        desk.envsec(["set", "B"]).stdin("two").succeeds();
        let output = desk.edit(&format!("{mine}; {meanwhile}")).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(status) && stderr.contains(error), "{meanwhile}: {stderr}");
        let (path, text) = kept(&stderr);
        assert!(text.contains("\nB=mine\n"), "{meanwhile}");
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    desk.is_clean();
}

/// Starts an edit whose editor says that it is there, and waits for that.
fn started(desk: &Desk, script: &str) -> (Child, PathBuf) {
    let child = desk.edit(&format!("echo \"$1\" > tmp/there.new; mv tmp/there.new tmp/there; {script}")).spawn();
    while !desk.join("tmp/there").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let path = PathBuf::from(desk.text("tmp/there").trim_end());
    std::fs::remove_file(desk.join("tmp/there")).unwrap();
    (child, path)
}

#[test]
fn a_signal_ends_the_editor_with_all_that_it_started_and_leaves_nothing() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    // A script that waits for a program of its own; one that does not want to end; one that writes at its end.
    let scripts = [
        "sleep 1000 & echo $! > tmp/pid; cp \"$1\" \"$1~\"; wait",
        "trap '' TERM INT HUP; echo $$ > tmp/pid; while :; do sleep 0.1; done",
        "trap 'cp \"$1\" \"$1.save\"; exit 0' TERM; echo $$ > tmp/pid; while :; do sleep 0.05; done",
    ];
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        for script in scripts {
            let (child, path) = started(&desk, script);
            assert!(path.is_file());
            while !desk.join("tmp/pid").exists() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            desk.shell(&format!("kill -{signal} {}", child.id())).succeeds();
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                stderr.ends_with("error: ended by a signal while the editor ran; nothing was changed\n"),
                "{stderr}"
            );
            assert_eq!(output.status.code(), Some(1));
            desk.shell("! kill -0 $(cat tmp/pid) 2>/dev/null || [ \"$(ps -o stat= $(cat tmp/pid) | cut -c1)\" = Z ]; rm tmp/pid").succeeds();
            desk.is_clean();
            assert!(desk.read(".env.enc") == before);
        }
    }
}

#[test]
fn what_a_killed_envsec_left_is_swept_by_the_next() {
    let desk = Desk::usual();
    let (mut child, path) = started(&desk, "sleep 1000 & echo $! > tmp/pid; wait");
    // While it is alive, nobody sweeps it.
    desk.edit(":").says(UNCHANGED);
    assert!(path.is_file());
    child.kill().unwrap();
    child.wait().unwrap();
    desk.shell("kill $(cat tmp/pid); rm tmp/pid").succeeds();
    assert!(path.is_file());
    desk.edit(":").says(UNCHANGED);
    assert!(!path.parent().unwrap().exists());
    // A link of that name leads to what is not ours to remove.
    std::fs::create_dir(desk.join("precious")).unwrap();
    desk.write("precious/file", "x");
    std::os::unix::fs::symlink(desk.join("precious"), desk.runtime.path().join("envsec-edit-link")).unwrap();
    desk.edit("ln -s $(pwd)/precious \"$(dirname \"$1\")/link\"; ln -s $(pwd)/precious/file \"$1.link\"")
        .says(UNCHANGED);
    assert_eq!(desk.text("precious/file"), "x");
}

#[test]
fn without_a_folder_in_memory_there_is_a_warning() {
    let desk = Desk::usual();
    let inside =
        "mount --bind tmp /dev/shm; XDG_RUNTIME_DIR=$PWD/tmp EDITOR='dirname \"$1\" >&2; echo N=1 >>' envsec edit";
    desk.shell("chmod 700 tmp").succeeds();
    let editor = desk.editor("dirname \"$1\" > where; echo N=1 >> \"$1\"");
    let inside = inside.replace("'dirname \"$1\" >&2; echo N=1 >>'", &editor);
    let output = desk.shell(&format!("unshare --mount --map-root-user bash -ec '{inside}'")).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let folder = desk.text("where");
    assert_eq!(
        stderr,
        format!("warning: no folder in memory: the text lies on the disk while it is edited, in {folder}")
    );
    assert!(folder.starts_with(desk.join("tmp").to_str().unwrap()), "{folder}");
    assert_eq!(desk.get("N"), "1");
    desk.is_clean();
    // Nor one of others, or that others may enter.
    desk.shell(&format!("chmod 755 {}", desk.runtime.path().display())).succeeds();
    desk.edit("dirname $(dirname \"$1\") > where").says(UNCHANGED);
    assert_eq!(desk.text("where"), "/dev/shm\n");
}

#[test]
fn where_nothing_can_be_written_nothing_is_changed() {
    let desk = Desk::usual();
    let before = desk.read(".env.enc");
    desk.editor("echo N=1 >> \"$1\"");
    let mounted = |how: &str| {
        let script = format!(
            "mkdir -p m && mount -t tmpfs -o size=16k t m && cp .env.enc m && {how} && cd m && EDITOR=../tmp/editor envsec edit"
        );
        desk.shell(&format!("unshare --mount --map-root-user bash -c '{script}'"))
    };
    let read_only = mounted("mount -o remount,ro m").refuses(1);
    assert!(read_only.contains("read-only filesystem"), "{read_only}");
    let full = mounted("{ head -c 100000 /dev/zero > m/full 2>/dev/null || true; }").refuses(1);
    assert!(full.contains("cannot write the new file: "), "{full}");
    // No room for the text itself, which is told before anybody types.
    let full = mounted("mount -t tmpfs -o size=4k,mode=1777 t /dev/shm && head -c 4096 /dev/zero > /dev/shm/x && export XDG_RUNTIME_DIR=").refuses(1);
    assert!(full.contains("cannot write the text to be edited: "), "{full}");
    assert!(desk.read(".env.enc") == before);
    desk.is_clean();
}

#[test]
fn only_one_file_is_edited_and_it_must_open() {
    let desk = Desk::usual();
    desk.envsec(["edit", "-f", "a", "-f", "b"]).variable("EDITOR", "false").refuses(2);
    desk.envsec(["edit", "-f", "nowhere"]).variable("EDITOR", "false").refuses(2);
    desk.envsec(["edit"])
        .without("ENVSEC_KEY")
        .variable("EDITOR", "false")
        .variable("ENVSEC_PASSWORD", "a wrong password")
        .refuses(4);
    let label = Sandbox::new();
    let key = label.make(".env.production.enc", Some("production"));
    label.envsec(["edit", "-e", "production"]).variable("ENVSEC_KEY", key).variable("EDITOR", "basename").answers(
        0,
        "production.env\n",
        UNCHANGED,
    );
}

#[test]
fn a_link_to_the_file_of_another_environment_is_refused_whatever_is_in_that() {
    let desk = Desk::usual();
    let key = desk.make(".env.production.enc", Some("production"));
    desk.shell("cp .env.production.enc .env.staging.enc; ln -s .env.production.enc current").succeeds();
    let before = desk.read(".env.staging.enc");
    let switches = "ln -sfn .env.staging.enc current; echo N=1 >>";
    let edit = desk.envsec(["edit", "-f", "current"]).variable("ENVSEC_KEY", key).variable("EDITOR", switches).output();
    let error = "error: current: its label is production, but -e or the file's name asks for staging\n";
    assert!(edit.status.code() == Some(5) && String::from_utf8(edit.stderr).unwrap().contains(error));
    assert!(desk.read(".env.staging.enc") == before && desk.read(".env.production.enc") == before);
}

#[test]
fn ed() {
    let desk = Desk::usual();
    desk.envsec(["edit"]).variable("EDITOR", "ed -s").stdin("/^B=/s/=.*/=from ed/\n$a\n# by ed\n.\nw\nq\n").succeeds();
    assert_eq!((desk.get("B"), desk.shape().last().unwrap().as_str()), ("from ed".into(), "# by ed"));
    desk.envsec(["edit"]).variable("EDITOR", "ed -s").stdin("/^B=/s/=.*/=lost/\nQ\n").says(UNCHANGED);
    desk.is_clean();
}

/// With everything on that makes vim remember what was in a file.
#[test]
fn vim_leaves_nothing() {
    let desk = Desk::usual();
    desk.shell("mkdir -p .vim/swap .vim/undo .vim/backup").succeeds();
    desk.write(
        ".vimrc",
        "set nocompatible viminfo='100,<1000,s1000,h undofile undodir=~/.vim/undo directory=~/.vim/swap// \n\
         set backup writebackup backupdir=~/.vim/backup swapfile updatecount=1 history=1000\n",
    );
    let keys = "/^A=/\nyank a\nyank\n/^B=/s/=.*/=from vim/\nwq\n";
    desk.envsec(["edit"]).variable("EDITOR", "vim -u ~/.vimrc -es").stdin(keys).succeeds();
    assert_eq!(desk.get("B"), "from vim");
    desk.is_clean();
    assert_eq!(desk.files(), [".env.enc", ".vim", ".vimrc", "key", "tmp"]);
    // A comment is no setting, whoever wrote it, and whatever the vimrc says.
    desk.shell("echo 'set modeline modelines=50' >> .vimrc; echo '# vim: set textwidth=33 :' >> .env.enc").succeeds();
    let keys = "call writefile([&textwidth, &filetype], 'tmp/settings')\nq\n";
    desk.envsec(["edit"]).variable("EDITOR", "vim -u ~/.vimrc -es").stdin(keys).says(UNCHANGED);
    assert_eq!(desk.text("tmp/settings").lines().next(), Some("0"));
    // Ended in it, with something typed.
    let script = "TERM=xterm EDITOR='vim -u ~/.vimrc' sh -c 'echo $$ > tmp/pid; exec envsec edit'";
    let mut terminal = Terminal::start(&desk, script);
    terminal.sees("PORT=3000").types("yyGo").sees("INSERT").types(&format!("C={CANARY}")).sees(CANARY);
    desk.shell("kill $(cat tmp/pid)").succeeds();
    terminal.sees("error: ended by a signal while the editor ran; nothing was changed").sees("[status 1]");
    desk.is_clean();
    assert_eq!(desk.files(), [".env.enc", ".vim", ".vimrc", "key", "tmp"]);
}

/// As a person has it who set nothing up.
#[test]
fn vi_opens_at_the_line() {
    let desk = Desk::usual();
    let mut terminal = Terminal::start(&desk, "unset EDITOR VISUAL; TERM=dumb envsec edit");
    terminal.sees("PORT").types("Goopps\u{1b}:wq\r");
    terminal.sees("#: error: E_NO_EQUALS").types("ccN=from vi\u{1b}:wq\r");
    let ended = terminal.ends();
    assert_eq!((ended.status, desk.get("N")), (0, "from vi".to_owned()), "{}", ended.shown);
    desk.is_clean();
}

#[test]
fn nano() {
    let desk = Desk::usual();
    let mut terminal = Terminal::start(&desk, "TERM=xterm EDITOR=nano envsec edit");
    terminal
        .sees("PORT=3000")
        .types("N=from nano\r\u{18}")
        .sees("Save modified buffer")
        .types("y")
        .sees("File Name to Write")
        .types("\r");
    assert_eq!(terminal.ends().status, 0);
    assert_eq!(desk.get("N"), "from nano");
    desk.is_clean();
}

#[test]
fn at_a_terminal_a_mistake_opens_the_editor_at_its_line() {
    let desk = Desk::usual();
    let editor = desk.editor("cat > tmp/script; . tmp/script");
    std::fs::rename(editor, desk.join("nano")).unwrap();
    desk.write("nano", "#!/bin/bash\nprintf '[%s]' \"$#\" \"${1#/*}\"; file=${!#}; grep '^#: error' \"$file\"; read -r -p 'do: ' line; eval \"$line\"\n");
    let mut terminal = Terminal::start(&desk, "EDITOR=./nano envsec edit");
    terminal.sees("[1]").sees("do: ").types("echo oops >> $file\n");
    terminal.sees("[2][+11]#: error: E_NO_EQUALS").sees("do: ").types(":\n");
    terminal.sees("The text is still the same. Edit again? [Y/n] ").types("\n");
    terminal.sees("[2][+11]#: error: E_NO_EQUALS").sees("do: ").types("sed -i s/^oops/N=1/ $file\n");
    let ended = terminal.ends();
    assert_eq!((ended.status, desk.get("N")), (0, "1".to_owned()), "{}", ended.shown);
    // Dropped.
    let before = desk.read(".env.enc");
    let mut terminal = Terminal::start(&desk, "EDITOR=./nano envsec edit");
    terminal
        .sees("do: ")
        .types("echo oops >> $file\n")
        .sees("do: ")
        .types(":\n")
        .sees("Edit again? [Y/n] ")
        .types("n\n");
    let ended = terminal.ends();
    assert!(
        ended.status == 1 && ended.shown.contains("error: the edited text: line 11: E_NO_EQUALS"),
        "{}",
        ended.shown
    );
    assert!(desk.read(".env.enc") == before);
    desk.is_clean();
}

#[test]
fn at_a_terminal_two_changes_of_the_same_are_for_the_person_to_choose() {
    let desk = Desk::usual();
    desk.write(
        "choose",
        "#!/bin/bash\nfile=${!#}; grep '^#: [et]' \"$file\"; read -r -p 'do: ' line; eval \"$line\"\n",
    );
    desk.shell("chmod +x choose").succeeds();
    let mut terminal = Terminal::start(&desk, "EDITOR=./choose envsec edit");
    terminal
        .sees("do: ")
        .types("echo theirs | envsec set A --key-file key; echo other | envsec set OTHER --key-file key; sed -i 's/^A=.*/A=mine/' $file\n");
    terminal.sees("#: error: somebody else changed A too").sees("#: theirs: A=theirs").sees("do: ");
    terminal.types("sed -i '/^#: error/d' $file\n");
    let ended = terminal.ends();
    assert_eq!(ended.status, 0, "{}", ended.shown);
    assert_eq!((desk.get("A"), desk.get("OTHER")), ("mine".into(), "other".into()));
    desk.is_clean();
}

#[test]
fn at_a_terminal_a_key_that_interrupts_is_the_editors_own() {
    let desk = Desk::usual();
    desk.write(
        "patient",
        "#!/bin/bash\ntrap 'echo caught' INT QUIT; echo ready; read -r line; read -r line; echo N=1 >> \"${!#}\"\n",
    );
    desk.shell("chmod +x patient").succeeds();
    let mut terminal = Terminal::start(&desk, "EDITOR=./patient envsec edit");
    terminal.sees("ready").types("\u{3}").sees("caught").types("\n\n");
    let ended = terminal.ends();
    assert_eq!((ended.status, desk.get("N")), (0, "1".to_owned()), "{}", ended.shown);
    desk.is_clean();
}
