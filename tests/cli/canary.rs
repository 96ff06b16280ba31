//! No verb shows a secret where it does not belong, or leaves one there, whatever goes wrong: command lines of every verb
//! and every exit status ([`lines`]), in a folder full of secrets of every form ([`secrets`]), watched by strace.

mod declarations;
mod lines;
mod mistakes;
mod secrets;

use crate::harness::{Sandbox, VERBS};
use lines::{EDITS, FAILURES, IMPORTS, LINES, OPENING, PRINTING, ROTATIONS, SLOTS};
use secrets::Leaks;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// What the sandbox holds beside the files with secrets, `key`, `wrong-key` and `other.enc`. No credential is in the
/// environment, so none may be in the environment of any process.
const SETUP: &str = r#"
set -e
umask 077
export ENVSEC_KEY_FILE=key
for name in SHORT LONG TWO_LINES DOLLARS QUOTES LETTERS DOTENV JSON PEM; do
    envsec set --keep-newline $name <s/$name
done
envsec set --plain PLAIN=x
printf app_a | envsec set PAIRED
cp .env.enc old.enc
envsec set SHORT <s/old
cp .env.enc theirs.enc; cp old.enc .env.enc
envsec set SHORT <s/waits-old
cp .env.enc others.enc; cp old.enc .env.enc
envsec set GRACE <s/grace-old; envsec rotate GRACE --no-hooks --grace 1h <s/grace-new
envsec set WAITS <s/waits-old; ! envsec rotate WAITS --on-set false <s/waits-new 2>/dev/null
envsec slot change-password password --keep-data-key --new-password-file s/password --work-factor 15 -q
cp .env.enc good.enc
sed 's/^PLAIN=x/PLAIN=y/' good.enc >tampered.enc
head -c 900 good.enc >cut.enc
{ cat good.enc; printf '<<<<<<< ours\nPLAIN=x\n=======\nPLAIN=y\n>>>>>>> theirs\n'; } >conflict.enc
sed '1s/^#envsec:1 /#envsec:2 /' good.enc >newer.enc
sed 's/_.*_/&x/' key >mistyped-key
mkdir folder.enc tmp
cat >hooks/print <<'END'
#!/bin/sh
value=$(cat) other=$(cat <&3)
for text in "$value" "$other"; do
    echo "$text"; echo "$text" >&2; printf "$text"; sleep 0.01; printf "$text" >&2
    for before in '' u us; do printf %s "$before$text" | base64; printf %s "$before$text" | base64 >&2; done
    printf %s "$text" | od -An -v -tx1 | tr -d ' \n'; echo
done
exit $1
END
chmod +x hooks/print
git init -q --template= .
git add .env.enc
git -c user.name=a -c user.email=a@example.org commit -qm 1
"#;

const DECLARATION: &str = r#"{"properties": {
    "COUNT": {"type": "integer"},
    "SHORT": {"x-envsec": {"rotateEvery": "1d", "rotation": {"onSet": "hooks/print 0"}}}}}"#;

/// A sandbox with everything that the lines need, as it was before each of them.
struct Desk {
    sandbox: Sandbox,
    /// Where `edit` has its text, in memory.
    runtime: TempDir,
    /// Where strace writes.
    traces: TempDir,
    before: BTreeMap<PathBuf, Vec<u8>>,
    leaks: Leaks,
}

/// How a line is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    /// With `-v` and a backtrace for every panic, and every process watched.
    VerboseAndTraced,
}

impl Desk {
    fn new() -> Self {
        let mut sandbox = Sandbox::sealed();
        let runtime = tempfile::Builder::new()
            .prefix("envsec-test-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in("/dev/shm")
            .unwrap();
        let (key, wrong) = (sandbox.key.clone(), sandbox.make("other.enc", None));
        sandbox.unset_variable("ENVSEC_KEY");
        sandbox.set_variable("XDG_RUNTIME_DIR", runtime.path().to_str().unwrap());
        sandbox.set_variable("TMPDIR", sandbox.join("tmp").to_str().unwrap());
        sandbox.shell("mkdir s hooks").succeeds();
        for (name, bytes) in secrets::files() {
            sandbox.write(&format!("s/{name}"), bytes);
        }
        let all = "SHORT LONG TWO_LINES DOLLARS QUOTES LETTERS DOTENV JSON PEM GRACE WAITS".split(' ');
        let numbers: Vec<_> = all.map(|name| format!(r#""{name}": {{"type": "integer"}}"#)).collect();
        for (name, text) in [
            ("key", key.as_str()),
            ("wrong-key", &wrong),
            ("env.schema.json", DECLARATION),
            ("strict.json", &format!(r#"{{"properties": {{{}}}}}"#, numbers.join(", "))),
            ("unlike.json", r#"{"properties": {"A": {"type": "integer", "default": "x"}}}"#),
            ("mistaken.json", r#"{"properties": {"SHORT": {"type": "intger"}}}"#),
        ] {
            sandbox.write(name, text);
        }
        let output = sandbox.shell(SETUP).output();
        assert!(output.status.success(), "{output:?}");
        let body = |key: &str| key.as_bytes()["envsec_key_1_".len()..].to_vec();
        let leaks = Leaks::of(&[&body(&key), &body(&wrong)]);
        let before = files_below(sandbox.path());
        Desk { sandbox, runtime, traces: TempDir::new().unwrap(), before, leaks }
    }

    /// Runs a line, `envsec` in which gets these flags.
    fn run(&self, line: &str, flags: &str, way: Way) -> Output {
        let trace = self.trace();
        let watched = match way {
            Way::Plain => "command envsec".to_owned(),
            Way::VerboseAndTraced => format!(
                "RUST_BACKTRACE=full strace -f -qq -v -y -s 1000000 -e signal=none -o {} --seccomp-bpf \
                 -e trace=execve,write,pwrite64,writev,sendto,sendmsg,connect,memfd_create,prctl,openat envsec -v",
                trace.display()
            ),
        };
        let script = format!("flags=({flags}); envsec() {{ {watched} \"${{flags[@]}}\" \"$@\"; }}; {line}");
        // A keyring of its own: a session that is left would open the file for the next line.
        let in_own_keyring = ["unlock", "lock"].iter().any(|verb| verb_of(line) == Some(*verb));
        let script = if in_own_keyring {
            format!("exec unshare --user --map-root-user bash -c '{}'", script.replace('\'', r"'\''"))
        } else {
            script
        };
        self.sandbox.shell(&script).output()
    }

    fn trace(&self) -> PathBuf {
        self.traces.path().join("trace")
    }

    /// Runs a line in both ways, each of which ends so and shows, hands on and leaves no secret.
    #[track_caller]
    fn is_silent(&self, status: i32, line: &str, flags: &str) {
        for way in [Way::Plain, Way::VerboseAndTraced] {
            self.is_silent_in(way, status, line, flags);
        }
    }

    #[track_caller]
    fn is_silent_in(&self, way: Way, status: i32, line: &str, flags: &str) {
        let output = self.run(line, flags, way);
        let what = format!("{line} with {flags}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{what}: {stderr}");
        self.is_in_none(&[("standard output", &output.stdout), ("standard error", &output.stderr)], &what);
        self.is_put_back(way, &what);
    }

    /// Runs a line in both ways, which prints a secret, to standard output and nowhere else.
    #[track_caller]
    fn prints_on_purpose(&self, line: &str) {
        for way in [Way::Plain, Way::VerboseAndTraced] {
            let output = self.run(line, "--key-file key", way);
            assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(self.leaks.find(&output.stdout).is_some(), "{line} prints no secret: is the search right?");
            self.is_in_none(&[("standard error", &output.stderr)], line);
            self.is_put_back(way, line);
        }
    }

    /// Looks at what the line left, and makes everything as it was.
    #[track_caller]
    fn is_put_back(&self, way: Way, what: &str) {
        if way == Way::VerboseAndTraced {
            self.is_clean(&String::from_utf8_lossy(&std::fs::read(self.trace()).unwrap_or_default()), what);
            let _ = std::fs::remove_file(self.trace()); // or nothing was traced: `command envsec`
        }
        assert_eq!(std::fs::read_dir(self.runtime.path()).unwrap().count(), 0, "{what} leaves its text");
        let after = files_below(self.sandbox.path());
        for (path, bytes) in after.iter().filter(|(path, bytes)| self.before.get(*path) != Some(*bytes)) {
            // What the line itself copies is no work of envsec's.
            if !path.ends_with(".env") && !path.ends_with("hooks/edit") {
                self.is_in_none(&[(path.to_str().unwrap(), bytes)], what);
            }
        }
        if after != self.before {
            after
                .keys()
                .filter(|path| !self.before.contains_key(*path))
                .for_each(|path| std::fs::remove_file(path).unwrap());
            for (path, bytes) in self.before.iter().filter(|(path, bytes)| after.get(*path) != Some(*bytes)) {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
        }
    }

    /// No secret among the arguments or in the environment of a process, sent anywhere, or written to any other file than
    /// pipes, terminals and the text of `edit`; and envsec is closed to others before it opens a file.
    #[track_caller]
    fn is_clean(&self, trace: &str, what: &str) {
        let runtime = self.runtime.path().to_str().unwrap();
        let mut execs = 0;
        for line in trace.lines() {
            let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let name = call.split('(').next().unwrap_or_default();
            let target = call.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
            let looked_at = match name {
                // The environment of the command under `run` is what it is for.
                "execve" if verb_of(what) == Some("run") => call.split("], [").next().unwrap(),
                "write" | "pwrite64" | "writev" if target.starts_with("pipe:") => "",
                "write" | "pwrite64" | "writev"
                    if target.starts_with(runtime) || ["/dev/null", "/dev/full"].contains(&target) =>
                {
                    ""
                }
                "memfd_create" => panic!("{what}: {call}"),
                "connect" if call.contains("/log") || call.contains("journal") => panic!("{what}: {call}"),
                "prctl" | "openat" => "",
                _ => call,
            };
            execs += usize::from(name == "execve");
            self.is_in_none(&[(name, looked_at.as_bytes())], what);
        }
        if execs > 0 {
            let closed = trace.find("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)").expect("it is closed");
            let opened = ["key\"", ".enc\"", "s/password\""].into_iter().filter_map(|file| {
                trace
                    .match_indices("openat(")
                    .map(|(at, _)| at)
                    .find(|at| trace[*at..].lines().next().unwrap().contains(file))
            });
            assert!(opened.min().is_none_or(|opened| closed < opened), "{what}");
        }
    }

    #[track_caller]
    fn is_in_none(&self, places: &[(&str, &[u8])], what: &str) {
        for (place, bytes) in places {
            if let Some(part) = self.leaks.find(bytes) {
                panic!("{what}: {part:?} is in {place}: {}", String::from_utf8_lossy(bytes));
            }
        }
    }
}

/// Every file below a folder, with its bytes.
fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files_below(&path)),
            _ => drop(found.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found
}

/// The verb of a line.
fn verb_of(line: &str) -> Option<&str> {
    let after = line.rsplit_once("envsec ").map_or("", |(_, after)| after);
    let first = line.split("envsec ").skip(1).map(|rest| rest.split(' ').next().unwrap_or_default());
    first.chain(after.split(' ')).find(|word| VERBS.contains(word))
}

/// Every line with its status, whatever table it stands in.
fn all() -> Vec<(i32, &'static str)> {
    let failing =
        OPENING.iter().flat_map(|line| FAILURES.iter().map(|(status, _)| (opening_status(line, *status), *line)));
    let edits = EDITS.iter().map(|(status, _)| (*status, "envsec edit"));
    let tables = LINES.iter().chain(IMPORTS).chain(SLOTS).chain(ROTATIONS).copied();
    PRINTING.iter().map(|line| (0, *line)).chain(tables).chain(edits).chain(failing).collect()
}

/// `run` has statuses of its own.
fn opening_status(line: &str, status: i32) -> i32 {
    if line.starts_with("envsec run") && status < 125 { 125 } else { status }
}

#[test]
fn every_verb_and_every_documented_status_has_a_line() {
    let lines = all();
    let of = |verb: &str| -> BTreeSet<i32> {
        lines.iter().filter(|(_, line)| verb_of(line) == Some(verb)).map(|(status, _)| *status).collect()
    };
    for verb in VERBS {
        let (good, bad): (Vec<i32>, Vec<i32>) = of(verb).into_iter().partition(|status| [0, 8].contains(status));
        assert!(!good.is_empty() && !bad.is_empty(), "{verb} ends with {good:?} and {bad:?}");
    }
    let documented = include_str!("../../docs/exit-codes.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<i32> = documented.map(|row| row.split('`').next().unwrap().parse().unwrap()).collect();
    let tried: BTreeSet<i32> = lines.iter().map(|(status, _)| *status).collect();
    assert!(documented.len() > 10 && documented.is_subset(&tried), "{:?}", documented.difference(&tried));
}

#[test]
fn what_is_printed_on_purpose_is_printed_there_only() {
    let desk = Desk::new();
    PRINTING.iter().for_each(|line| desk.prints_on_purpose(line));
}

#[test]
fn no_verb_shows_or_leaves_a_secret() {
    let desk = Desk::new();
    LINES.iter().for_each(|(status, line)| desk.is_silent(*status, line, "--key-file key"));
}

#[test]
fn no_import_shows_or_leaves_a_secret() {
    let desk = Desk::new();
    IMPORTS.iter().for_each(|(status, line)| desk.is_silent(*status, line, "--key-file key"));
}

#[test]
fn no_change_of_slots_shows_or_leaves_a_secret() {
    let desk = Desk::new();
    SLOTS.iter().for_each(|(status, line)| desk.is_silent(*status, line, "--key-file key"));
}

#[test]
fn no_rotation_shows_or_leaves_a_secret() {
    let desk = Desk::new();
    ROTATIONS.iter().for_each(|(status, line)| desk.is_silent(*status, line, "--key-file key"));
    // The hooks did print what was looked for.
    let shown = desk.run("envsec rotate SHORT --on-set 'hooks/print 0' <s/new", "--key-file key", Way::Plain).stderr;
    assert!(String::from_utf8_lossy(&shown).matches("[SHORT]").count() >= 10, "{}", String::from_utf8_lossy(&shown));
}

#[test]
fn no_edit_shows_or_leaves_a_secret() {
    let desk = Desk::new();
    for (status, edit) in EDITS {
        let script = format!("#!/bin/bash\n{edit}\n").replace('\'', r"'\''");
        // What is kept on purpose, as it would be lost otherwise, is kept in memory.
        let line = format!(
            "printf %s '{script}' >hooks/edit; chmod +x hooks/edit; EDITOR=hooks/edit envsec edit; \
             status=$?; rm -rf $XDG_RUNTIME_DIR/envsec-kept-*; exit $status"
        );
        desk.is_silent(*status, &line, "--key-file key");
    }
}

#[test]
fn nobody_who_cannot_open_the_file_sees_a_secret() {
    let desk = Desk::new();
    for line in OPENING {
        for (status, flags) in FAILURES {
            desk.is_silent_in(Way::VerboseAndTraced, opening_status(line, *status), line, flags);
        }
    }
}

#[test]
fn a_new_key_is_printed_once_and_nowhere_else() {
    let desk = Desk::new();
    for line in [
        "envsec slot add --raw-key --id ci",
        "envsec rotate --yes --renew key --password-file s/password --work-factor 15 -q",
        "envsec slot remove password --yes --renew key",
        "envsec init -f new.enc --no-git --raw-key",
    ] {
        let output = desk.run(line, "--key-file key", Way::VerboseAndTraced);
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{line}: {stderr}");
        let new = stdout.strip_suffix('\n').unwrap();
        assert!(new.len() == desk.sandbox.key.len() && new.starts_with("envsec_key_1_"), "{line}");
        let body = &new["envsec_key_1_".len()..40];
        assert!(!stderr.contains(body), "{line}: {stderr}");
        let files = files_below(desk.sandbox.path());
        assert!(files.values().all(|bytes| !String::from_utf8_lossy(bytes).contains(body)), "{line}");
        desk.is_put_back(Way::VerboseAndTraced, line);
    }
}

/// Hooks, editors, git and password commands get none of envsec's own variables, nor does what `run` starts.
#[test]
fn no_process_gets_a_credential_that_is_in_the_environment() {
    let mut desk = Desk::new();
    let (key, password) = (desk.sandbox.key.clone(), desk.sandbox.text("s/password"));
    desk.sandbox.set_variable("ENVSEC_KEY", &key);
    desk.sandbox.set_variable("ENVSEC_PASSWORD", &password);
    desk.sandbox.set_variable("ENVSEC_KEY_OF_LATER", &key);
    desk.sandbox.set_variable("ENVSEC_PASSWORD_COMMAND", "cat s/password");
    for (line, started) in [
        ("envsec rotate SHORT --on-set true --on-test true --on-finish true <s/new", 3),
        ("EDITOR=true envsec edit", 1),
        ("envsec diff", 1),
        ("envsec hook pre-commit", 1),
        ("envsec doctor", 1),
        ("envsec get PLAIN --password-command 'cat s/password' --slot password", 1),
        ("envsec run -- true", 1),
    ] {
        desk.run(line, "", Way::VerboseAndTraced);
        let trace = std::fs::read_to_string(desk.trace()).unwrap();
        let own = |line: &&str| line.contains("[\"envsec\", ") || !line.contains("execve(");
        let others: Vec<&str> = trace.lines().filter(|line| !own(line)).collect();
        assert!(others.len() >= started, "{line}: {others:?}");
        for exec in others {
            assert!(!exec.contains("ENVSEC_KEY") && !exec.contains("ENVSEC_PASSWORD"), "{line}: {exec}");
            assert!(!exec.contains(&key[13..40]) && !exec.contains(&password), "{line}: {exec}");
        }
        std::fs::remove_file(desk.trace()).unwrap();
    }
}
