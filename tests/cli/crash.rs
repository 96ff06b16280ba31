//! Every writing verb, killed at each of its system calls, and refused each of those that write: the file is the old one
//! or a whole new one, the status says which, and no plaintext stays anywhere.
//!
//! strace does both. Calls are counted from the first one of `main`: what the loader and the runtime do before it, opening
//! libraries mostly, knows nothing of a file. Only envsec itself is traced, not git, the editor or a rotation's commands.

use crate::edit::Desk;
use crate::harness::{ENVSEC, Run};
use envsec::sealed::{Credential, Limits, Locked, RawKey, SealedError, Unlocked};
use envsec::secret::SecretText;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// In every secret value, and in no name.
const CANARY: &str = "cAnArYcrash";

/// What the system answers in place of doing it.
const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EROFS", "EINTR", "EDQUOT"];

/// For what takes long because it starts git often, and writes no other way than the rest.
const TWO_ERRORS: [&str; 2] = ["EIO", "EINTR"];

/// The calls that are refused: those that open, write, name and lock files. The ones that no verb makes today stand here
/// for the day on which one does.
const REFUSED: [&str; 22] = [
    "openat",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "ftruncate",
    "fallocate",
    "fchmod",
    "fchown",
    "flock",
    "mkdir",
    "rmdir",
    "sendfile",
    "copy_file_range",
];

/// Those whose failure nobody may pass over: what they were to do is what the user asked for.
const NEEDED: [&str; 8] = ["write", "fsync", "rename", "renameat", "renameat2", "linkat", "ftruncate", "fallocate"];

/// A verb in a folder that is as it was before each run.
struct Scene {
    desk: Desk,
    args: Vec<String>,
    stdin: String,
    variables: Vec<(&'static str, String)>,
    /// All files of the folder.
    before: BTreeMap<PathBuf, Vec<u8>>,
    /// The sealed files that the verb changes.
    sealed: Vec<&'static str>,
    /// What each of them may hold, as [`Scene::state`] has it: before, in between, and at the end.
    states: Vec<String>,
    /// Other files that it may write or leave out.
    others: Vec<&'static str>,
    /// The statuses of a failure.
    statuses: Vec<i32>,
    /// What the system answers.
    errors: &'static [&'static str],
    /// Calls that may fail unnoticed.
    unheard: Vec<&'static str>,
    /// Where strace writes what it saw.
    trace: TempDir,
}

/// What was done to a verb.
#[derive(Default)]
struct Figures {
    refused: usize,
    killed: usize,
    leftovers: usize,
    /// How many of the files were new after a kill.
    changed: BTreeSet<usize>,
}

impl Scene {
    /// `states` go from the one before to the one after; the sandbox is taken as it is now.
    fn new(desk: Desk, args: &[&str], states: &[&str]) -> Self {
        let mut scene = Scene {
            desk,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            stdin: String::new(),
            variables: Vec::new(),
            before: BTreeMap::new(),
            sealed: vec![".env.enc"],
            states: states.iter().map(|state| state.replace('*', CANARY)).collect(),
            others: Vec::new(),
            statuses: vec![1],
            errors: &ERRORS,
            unheard: Vec::new(),
            trace: tempfile::tempdir().unwrap(),
        };
        scene.before = snapshot(scene.desk.path());
        scene
    }

    fn run(&self, strace: &[String]) -> Output {
        let trace = self.trace.path().join("trace").into_os_string().into_string().unwrap();
        let strace = [&["-qq".to_owned(), "-o".to_owned(), trace][..], strace].concat();
        let run: Run<'_> = if self.args[0] == "git" {
            self.desk.command("git", &self.args[1..]).variable("STRACE", strace.join(" "))
        } else {
            self.desk.command("strace", [&strace, &[ENVSEC.to_owned()][..], &self.args].concat())
        };
        let run = self.variables.iter().fold(run, |run, (name, value)| run.variable(name, value));
        run.stdin(&self.stdin).output()
    }

    /// The lines of the last trace.
    fn traced(&self) -> String {
        std::fs::read_to_string(self.trace.path().join("trace")).unwrap_or_default()
    }

    /// Puts everything back.
    fn restore(&self) {
        let now = snapshot(self.desk.path());
        for path in now.keys().filter(|path| !self.before.contains_key(*path)) {
            std::fs::remove_file(path).unwrap();
        }
        for (path, bytes) in self.before.iter().filter(|(path, bytes)| now.get(*path) != Some(bytes)) {
            std::fs::write(path, bytes).unwrap();
        }
        for folder in [self.desk.runtime.path().to_owned(), self.desk.join("tmp")] {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match path {
                    path if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                    path if self.before.contains_key(&path) => {}
                    path => std::fs::remove_file(path).unwrap(),
                }
            }
        }
    }

    /// The calls of a clean run from `main` on, each with its number among those of its name.
    fn calls(&self) -> Vec<(String, usize)> {
        self.restore();
        let output = self.run(&[]);
        assert!(output.status.success(), "{:?}: {}", self.args, String::from_utf8_lossy(&output.stderr));
        let stages = self.stages("a clean run", &output);
        assert!(self.is_done(&stages), "{:?}: {stages:?}", self.args);
        let (mut counts, mut calls, mut in_main) = (BTreeMap::new(), Vec::new(), false);
        for (name, rest) in self.traced().lines().filter_map(|line| line.split_once('(')) {
            let count = counts.entry(name.to_owned()).or_insert(0);
            *count += 1;
            in_main |= rest.starts_with("PR_SET_DUMPABLE");
            if in_main {
                calls.push((name.to_owned(), *count));
            }
        }
        assert!(calls.len() > 20, "{calls:?}");
        calls
    }

    /// What a sealed file holds, opened by the key of the sandbox or by one that was printed.
    fn state(&self, name: &str, printed: &[u8]) -> String {
        let Ok(bytes) = std::fs::read(self.desk.join(name)) else { return "nothing".to_owned() };
        let printed = String::from_utf8_lossy(printed);
        match open(&bytes, printed.split_whitespace().chain([self.desk.key.as_str()])) {
            Ok(file) => in_words(&file),
            Err(_) if bytes.windows(8).any(|part| part == b"<<<<<<< ") => "markers".to_owned(),
            Err(error) => format!("{error}"),
        }
    }

    /// How far each sealed file has come: the place of its state in the list.
    fn stages(&self, case: &str, output: &Output) -> Vec<usize> {
        let stage = |name: &&str| {
            let path = self.desk.join(name);
            if std::fs::read(&path).ok().as_ref() == self.before.get(&path) {
                return 0;
            }
            let state = self.state(name, &output.stdout);
            let found = self.states.iter().rposition(|known| *known == state);
            found.unwrap_or_else(|| panic!("{case}: {name} holds {state}, expected one of {:?}", self.states))
        };
        self.sealed.iter().map(stage).collect()
    }

    fn is_done(&self, stages: &[usize]) -> bool {
        stages.iter().all(|stage| *stage == self.states.len() - 1)
    }

    /// Files that were not there before and are not meant to be.
    fn left(&self) -> Vec<PathBuf> {
        let folder = self.desk.path();
        let meant: Vec<PathBuf> = self.sealed.iter().chain(&self.others).map(|name| folder.join(name)).collect();
        let is_new =
            |path: &PathBuf| !self.before.contains_key(path) && !meant.iter().any(|meant| path.starts_with(meant));
        let beside = snapshot(folder).into_keys().filter(is_new);
        beside.chain(snapshot(self.desk.runtime.path()).into_keys()).chain(folders(&self.desk)).collect()
    }

    /// No plaintext, but where the user or a rotation's command put it.
    fn shows_nothing(&self, case: &str, output: &Output, is_killed: bool) {
        let has_canary = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
        for stream in [&output.stdout, &output.stderr] {
            assert!(!has_canary(stream), "{case}: a value in {}", String::from_utf8_lossy(stream));
        }
        let meant: Vec<PathBuf> = self.others.iter().map(|name| self.desk.join(name)).collect();
        for (path, bytes) in snapshot(self.desk.path()) {
            let is_the_users = self.before.get(&path) == Some(&bytes) || meant.contains(&path);
            assert!(is_the_users || !has_canary(&bytes), "{case}: {} has plaintext", path.display());
        }
        // The text of a killed `edit` stays in memory, until the next one sweeps it.
        for (path, bytes) in snapshot(self.desk.runtime.path()) {
            let is_edited = is_killed && path.to_string_lossy().contains("/envsec-edit-");
            assert!(is_edited || !has_canary(&bytes), "{case}: {} has plaintext", path.display());
        }
    }

    /// The system refuses a call: an error that says so, or no harm done.
    fn is_refused(&self, call: &str, number: usize, error: &str) -> bool {
        self.restore();
        let case = format!("{:?}, {error} at {call} {number}", self.args);
        let inject = format!("inject={call}:error={error}:when={number}");
        let output = self.run(&["-e".into(), format!("trace={call}"), "-e".into(), inject]);
        let traced = self.traced();
        let Some(injected) = traced.lines().find(|line| line.ends_with("(INJECTED)")) else { return false };
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stages = self.stages(&case, &output);
        let is_changed = stages.iter().any(|stage| *stage > 0);
        self.shows_nothing(&case, &output, false);
        // A turn that cannot be locked may be another's, and one that cannot be removed stays: an empty file in memory.
        let about_turns = ["flock", "unlink"].contains(&call);
        let left: Vec<PathBuf> = self.left().into_iter().filter(|path| !(about_turns && is_turn(path))).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "{case}: {stderr}");
        let status = output.status.code().unwrap_or_else(|| panic!("{case}: {}", output.status));
        if status == 0 {
            assert!(self.is_done(&stages), "{case}: it says that it is done, and is not: {stderr}");
            // EINTR is tried again. What is said on standard error may get lost.
            let must_fail = NEEDED.contains(&call) && error != "EINTR" && !injected.contains("write(2, ");
            assert!(!must_fail || self.unheard.contains(&call), "{case}: nobody heard of it: {injected}");
            return true;
        }
        assert!(self.statuses.contains(&status), "{case}: status {status}: {stderr}");
        let message = stderr.lines().find(|line| line.starts_with("error: "));
        assert!(message.is_some() && !stderr.contains("panicked"), "{case}: {stderr}");
        let says_nothing_was = stderr.contains("nothing was changed");
        assert!(!says_nothing_was || !is_changed, "{case}: something was changed: {stderr}");
        let says_so = ["is in place", "waits in the file", "in use", "changed already", "between git's markers"];
        assert!(!is_changed || says_so.iter().any(|words| stderr.contains(words)), "{case}: it was changed: {stderr}");
        true
    }

    /// The process dies before a call.
    fn is_killed(&self, call: &str, number: usize, figures: &mut Figures) {
        self.restore();
        let case = format!("{:?}, killed at {call} {number}", self.args);
        let inject = format!("inject={call}:signal=KILL:when={number}");
        let output = self.run(&["-e".into(), format!("trace={call}"), "-e".into(), inject]);
        let stages = self.stages(&case, &output);
        self.shows_nothing(&case, &output, true);
        if !self.traced().contains("+++ killed by SIGKILL +++") {
            return;
        }
        let is_gone = output.status.signal() == Some(9) || self.args[0] == "git";
        assert!(is_gone && !output.status.success(), "{case}: {}", output.status);
        figures.killed += 1;
        figures.changed.insert(stages.iter().filter(|stage| **stage > 0).count());
        let left = self.left();
        if left.is_empty() {
            return;
        }
        figures.leftovers += 1;
        for path in &left {
            assert!(self.is_known_leftover(path), "{case}: {} is left", path.display());
        }
        self.next_writer(&case, &left, &stages, &output);
    }

    /// What a killed process may leave: a new file beside its place, the private folder of an editor, the turn of a
    /// rotation, and the folder in which git merges names and comments.
    fn is_known_leftover(&self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        let beside = [".tmp", ".new"].iter().find_map(|suffix| text.strip_suffix(suffix));
        let is_beside = beside.and_then(|text| text.rsplit_once('.')).is_some_and(|(_, random)| random.len() == 6);
        is_beside || text.contains("/envsec-edit-") || self.stays(path)
    }

    /// What nobody sweeps: it holds nothing, or nothing secret. (The declaration that `init` makes is written after the
    /// sealed file, and by no other verb.)
    fn stays(&self, path: &Path) -> bool {
        let is_declaration = path.to_string_lossy().contains("/env.schema.json.");
        is_turn(path)
            || is_declaration
            || path.starts_with(self.desk.join("tmp")) && !path.to_string_lossy().contains("/envsec-edit-")
    }

    /// Sweeps what was left: the same verb once more where it did nothing, else any other.
    fn next_writer(&self, case: &str, left: &[PathBuf], stages: &[usize], killed: &Output) {
        let next = if stages.iter().all(|stage| *stage == 0) {
            if self.args[0] == "git" {
                self.desk.command("git", ["reset", "--quiet", "--hard"]).succeeds();
            }
            vec![self.run(&["-e".into(), "trace=none".into()])]
        } else {
            let printed = String::from_utf8_lossy(&killed.stdout);
            let new = printed.split_whitespace().last().unwrap_or(&self.desk.key);
            let key = |stage: usize| if stage == 0 { &self.desk.key } else { new };
            let set = |name: &str, stage: usize| {
                let key = key(stage);
                self.desk.envsec(["set", "--plain", "ZZ=1", "-f", name]).variable("ENVSEC_KEY", key).output()
            };
            let sets = self.sealed.iter().zip(stages).map(|(name, stage)| set(name, *stage));
            let is_edit = self.args[0] == "edit";
            let edit = is_edit.then(|| self.desk.envsec(["edit"]).variable("EDITOR", "true").output());
            sets.chain(edit).collect()
        };
        for output in next {
            assert!(output.status.success(), "{case}, and the next: {}", String::from_utf8_lossy(&output.stderr));
        }
        let still: Vec<PathBuf> =
            self.left().into_iter().filter(|path| left.contains(path) && !self.stays(path)).collect();
        assert_eq!(still, Vec::<PathBuf>::new(), "{case}: the next writer left it");
    }

    /// All of it; the figures go into the report of the run.
    fn endures_all(&self) {
        let mut figures = Figures::default();
        self.kill_all(|_| true, &mut figures);
        self.refuse_all(&mut figures);
        self.report(&figures);
    }

    /// As [`Scene::endures_all`], but killed only at the calls that are refused too: between two of them nothing changes.
    fn endures_writes(&self) {
        let mut figures = Figures::default();
        self.kill_all(|call| REFUSED.contains(&call), &mut figures);
        self.refuse_all(&mut figures);
        self.report(&figures);
    }

    fn kill_all(&self, which: impl Fn(&str) -> bool, figures: &mut Figures) {
        for (call, number) in self.calls().iter().filter(|(call, _)| which(call)) {
            self.is_killed(call, *number, figures);
        }
        assert!(figures.killed > 10 && figures.leftovers > 0, "{} kills", figures.killed);
    }

    fn refuse_all(&self, figures: &mut Figures) {
        let calls: Vec<_> = self.calls().into_iter().filter(|(call, _)| REFUSED.contains(&call.as_str())).collect();
        for (call, number) in &calls {
            figures.refused += self.errors.iter().filter(|error| self.is_refused(call, *number, error)).count();
        }
        assert!(figures.refused >= self.errors.len() * 8, "{calls:?}");
    }

    #[allow(clippy::print_stdout, reason = "the figures of the run belong into its report")]
    fn report(&self, figures: &Figures) {
        let verb = self.args.join(" ");
        let Figures { refused, killed, leftovers, .. } = figures;
        println!(
            "{verb}: {refused} calls refused; {killed} kills, after {leftovers} of which there was something to sweep"
        );
    }
}

/// Opens a sealed file with raw keys; what is none is passed over.
pub(crate) fn open<'k>(bytes: &[u8], keys: impl Iterator<Item = &'k str>) -> Result<Unlocked, SealedError> {
    let key = |text: &str| RawKey::parse(&SecretText::from(text)).ok().map(Credential::RawKey);
    let keys: Vec<Credential> = keys.filter_map(key).collect();
    Locked::parse(bytes)?.unlock(&keys, &Limits::default())
}

/// `A=1 B=2, key ci, pending A=3, kept A=1`: values, slots, and what a rotation keeps.
fn in_words(file: &Unlocked) -> String {
    let vars = file.vars().unwrap();
    let values: Vec<String> = vars.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
    let slots: Vec<String> = file.locked().slots().into_iter().map(|slot| slot.id.as_str().to_owned()).collect();
    let mut words = vec![values.join(" "), slots.join(" ")];
    for (name, _) in vars.iter() {
        words.extend(file.pending(name).ok().map(|value| format!("pending {name}={}", value.expose())));
        words.extend(file.kept_previous(name).ok().map(|(value, _)| format!("kept {name}={}", value.expose())));
    }
    words.join(", ")
}

/// All files below a folder.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// The folders where temporary ones are made, as far as they hold any.
fn folders(desk: &Desk) -> Vec<PathBuf> {
    let places = [desk.runtime.path().to_owned(), desk.join("tmp")];
    let entries = places.iter().flat_map(|place| std::fs::read_dir(place).unwrap());
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

fn is_turn(path: &Path) -> bool {
    path.to_string_lossy().contains("/envsec-turn-") && std::fs::read(path).is_ok_and(|bytes| bytes.is_empty())
}

/// A folder with the secrets A and B.
fn desk() -> Desk {
    Desk::with(&[("A", &format!("{CANARY}-a")), ("B", &format!("{CANARY}-b"))])
}

/// What a desk holds.
const BEFORE: &str = "A=*-a B=*-b, password key";

fn value(end: &str) -> String {
    format!("{CANARY}-{end}")
}

#[test]
fn init_is_done_or_not_at_all() {
    let desk = desk();
    std::fs::remove_file(desk.join(".env.enc")).unwrap();
    Scene::new(desk, &["init", "--raw-key", "--no-git"], &["nothing", ", key"]).endures_all();
}

#[test]
fn init_from_a_file_in_a_repository_is_done_or_not_at_all() {
    let desk = desk();
    std::fs::remove_file(desk.join(".env.enc")).unwrap();
    desk.write("plain.env", format!("A={}\n", value("a")));
    desk.command("git", ["init", "--quiet", "--template="]).succeeds();
    let init = ["init", "--raw-key", "--from", "plain.env", "--schema", "env.schema.json", "-q"];
    // What goes into git's own files is the same however often it is done.
    let others = vec![".git", ".gitignore", ".gitattributes", "env.schema.json"];
    Scene { others, errors: &TWO_ERRORS, ..Scene::new(desk, &init, &["nothing", "A=*-a, key"]) }.endures_writes();
}

#[test]
fn set_is_done_or_not_at_all() {
    let scene = Scene::new(desk(), &["set", "A"], &[BEFORE, "A=*-new B=*-b, password key"]);
    Scene { stdin: value("new"), ..scene }.endures_all();
}

/// A kill may damage the file then: `--in-place` says so.
#[test]
fn set_in_place_that_is_refused_changes_nothing() {
    let scene = Scene::new(desk(), &["set", "A", "--in-place"], &[BEFORE, "A=*-new B=*-b, password key"]);
    let (scene, mut figures) = (Scene { stdin: value("new"), ..scene }, Figures::default());
    scene.refuse_all(&mut figures);
    scene.report(&figures);
}

#[test]
fn unset_is_done_or_not_at_all() {
    Scene::new(desk(), &["unset", "A"], &[BEFORE, "B=*-b, password key"]).endures_all();
}

#[test]
fn import_is_done_or_not_at_all() {
    let desk = desk();
    desk.write("more.env", format!("A={}\nC={}\n", value("new"), value("c")));
    let import = ["import", "more.env", "--replace", "-q"];
    Scene::new(desk, &import, &[BEFORE, "A=*-new B=*-b C=*-c, password key"]).endures_all();
}

#[test]
fn edit_is_done_or_not_at_all() {
    let desk = desk();
    let editor = desk.editor(&format!("sed -i 's/^A=.*/A={}/' \"$1\"", value("new")));
    let scene = Scene::new(desk, &["edit"], &[BEFORE, "A=*-new B=*-b, password key"]);
    // The text is gone whether the zeros that go over it arrive or not.
    Scene { variables: vec![("EDITOR", editor)], unheard: vec!["write", "fsync"], ..scene }.endures_writes();
}

#[test]
fn a_rotation_is_done_or_not_at_all() {
    let states = [BEFORE, "A=*-new B=*-b, password key, kept A=*-a"];
    let scene = Scene::new(desk(), &["rotate", "A", "--grace", "1h"], &states);
    Scene { stdin: value("new"), ..scene }.endures_all();
}

#[test]
fn a_rotation_at_a_service_stops_at_a_step_that_it_knows() {
    let hooks = ["--on-set", "cat >service", "--on-test", "true", "--on-finish", "cat <&3 >revoked"];
    let states = [
        BEFORE,
        "A=*-a B=*-b, password key, pending A=*-new",
        "A=*-new B=*-b, password key, kept A=*-a",
        "A=*-new B=*-b, password key",
    ];
    let scene = Scene::new(desk(), &[&["rotate", "A"], &hooks[..]].concat(), &states);
    let others = vec!["service", "revoked"];
    Scene { stdin: value("new"), others, statuses: vec![1, 7], ..scene }.endures_writes();
}

/// A desk with a rotation that was begun.
fn begun() -> Desk {
    let desk = desk();
    assert_eq!(desk.envsec(["rotate", "A", "--on-set", "false"]).stdin(value("new")).output().status.code(), Some(7));
    desk
}

const PENDING: &str = "A=*-a B=*-b, password key, pending A=*-new";

#[test]
fn resume_is_done_or_not_at_all() {
    let resume = ["rotate", "A", "--resume", "--on-set", "cat >service"];
    let scene = Scene::new(begun(), &resume, &[PENDING, "A=*-new B=*-b, password key"]);
    Scene { others: vec!["service"], statuses: vec![1, 7], ..scene }.endures_writes();
}

#[test]
fn abort_is_done_or_not_at_all() {
    let abort = ["rotate", "A", "--abort", "--on-abort", "cat >service"];
    let scene = Scene::new(begun(), &abort, &[PENDING, BEFORE]);
    Scene { others: vec!["service"], statuses: vec![1, 7], ..scene }.endures_writes();
}

#[test]
fn finish_is_done_or_not_at_all() {
    let desk = desk();
    desk.envsec(["rotate", "A", "--grace", "1h"]).stdin(value("new")).succeeds();
    let states = ["A=*-new B=*-b, password key, kept A=*-a", "A=*-new B=*-b, password key"];
    Scene::new(desk, &["rotate", "A", "--finish"], &states).endures_all();
}

#[test]
fn a_new_data_key_is_made_for_each_file_or_not_at_all() {
    let desk = desk();
    let files = [".env.enc", "two.enc", "three.enc"];
    files[1..].iter().for_each(|name| desk.write(name, desk.read(".env.enc")));
    let named = files.map(|name| ["-f", name]).concat();
    let rotate = [&["rotate"], &named[..], &["--renew", "key", "--drop-slot", "password", "-q"]].concat();
    let scene = Scene { sealed: files.to_vec(), ..Scene::new(desk, &rotate, &[BEFORE, "A=*-a B=*-b, key"]) };
    let mut figures = Figures::default();
    scene.kill_all(|_| true, &mut figures);
    assert_eq!(figures.changed, BTreeSet::from([0, 1, 2, 3]));
    scene.refuse_all(&mut figures);
    scene.report(&figures);
}

#[test]
fn slot_add_is_done_or_not_at_all() {
    let add = ["slot", "add", "--raw-key", "--id", "ci"];
    Scene::new(desk(), &add, &[BEFORE, "A=*-a B=*-b, password key ci"]).endures_all();
}

#[test]
fn slot_remove_is_done_or_not_at_all() {
    let remove = ["slot", "remove", "password", "--yes", "-q"];
    Scene::new(desk(), &remove, &[BEFORE, "A=*-a B=*-b, key"]).endures_all();
}

#[test]
fn seal_is_done_or_not_at_all() {
    let desk = desk();
    desk.write("base.enc", desk.read(".env.enc"));
    desk.write(".env.enc", format!("{}C={}\n", desk.text(".env.enc"), value("c")));
    let seal = ["seal", "--base", "base.enc", "--accept", "-q"];
    Scene::new(desk, &seal, &["with plaintext", "A=*-a B=*-b C=*-c, password key"]).endures_all();
}

/// What git calls, and what a merge makes of two changes; a failure leaves both between markers.
const MERGED: [&str; 3] = [BEFORE, "markers", "A=*-ours B=*-theirs, password key"];

#[test]
fn merge_is_done_or_left_to_git() {
    let desk = desk();
    desk.write("base.enc", desk.read(".env.enc"));
    desk.envsec(["set", "B"]).stdin(value("theirs")).succeeds();
    desk.write("theirs.enc", desk.read(".env.enc"));
    desk.write(".env.enc", desk.read("base.enc"));
    desk.envsec(["set", "A"]).stdin(value("ours")).succeeds();
    Scene::new(desk, &["merge", "base.enc", ".env.enc", "theirs.enc"], &MERGED).endures_writes();
}

#[test]
fn the_merge_driver_is_done_or_leaves_it_to_git() {
    let mut desk = desk();
    for who in ["AUTHOR", "COMMITTER"] {
        desk.sandbox.set_variable(&format!("GIT_{who}_NAME"), "A");
        desk.sandbox.set_variable(&format!("GIT_{who}_EMAIL"), "a@example.org");
    }
    desk.write(".gitattributes", "*.enc merge=envsec\n");
    let git = |line: &str| assert!(desk.shell(&format!("git {line}")).output().status.success(), "git {line}");
    git("init --quiet --template= --initial-branch=main");
    git(&format!("config merge.envsec.driver 'strace $STRACE {ENVSEC} merge %O %A %B %P'"));
    git("add .env.enc .gitattributes && git commit --quiet -m base && git checkout --quiet -b theirs");
    desk.envsec(["set", "B"]).stdin(value("theirs")).succeeds();
    git("commit --quiet -am theirs && git checkout --quiet main");
    desk.envsec(["set", "A"]).stdin(value("ours")).succeeds();
    git("commit --quiet -am ours");
    let scene = Scene::new(desk, &["git", "merge", "--quiet", "--no-edit", "theirs"], &MERGED);
    Scene { others: vec![".git"], errors: &TWO_ERRORS, ..scene }.endures_writes();
}

/// Between the binary and the system: at most seven bytes at once, and every other call is interrupted.
const SLOW_SYSTEM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>
static int calls;
static int interrupted(void) { if (calls++ % 2) return 0; errno = EINTR; return 1; }
ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return interrupted() ? -1 : next(fd, bytes, count > 7 ? 7 : count);
}
ssize_t read(int fd, void *bytes, size_t count) {
    ssize_t (*next)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    return interrupted() ? -1 : next(fd, bytes, count > 7 ? 7 : count);
}
int fsync(int fd) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    return interrupted() ? -1 : next(fd);
}
"#;

#[test]
fn short_and_interrupted_calls_are_gone_on_with() {
    let desk = desk();
    let shim = tempfile::tempdir().unwrap();
    let library = shim.path().join("slow.so");
    std::fs::write(shim.path().join("slow.c"), SLOW_SYSTEM).unwrap();
    desk.command("cc", ["-shared", "-fPIC", "-o"]).arg(&library).arg(shim.path().join("slow.c")).succeeds();
    let slowly = |args: &[&str]| desk.envsec(args).variable("LD_PRELOAD", &library);
    slowly(&["set", "A"]).stdin(value("new")).succeeds();
    slowly(&["set", "B", "--in-place"]).stdin(value("newer")).succeeds();
    slowly(&["get", "A"]).prints(value("new"));
    slowly(&["export", "--out", "out.env", "-q"]).succeeds();
    assert_eq!(desk.text("out.env"), format!("A={}\nB={}\n", value("new"), value("newer")));
    let editor = desk.editor("echo C=3 >>\"$1\"");
    slowly(&["edit"]).variable("EDITOR", editor).succeeds();
    desk.envsec(["get", "C"]).prints("3");
    desk.write("base.enc", desk.read(".env.enc"));
    desk.write(".env.enc", format!("{}D=4\n", desk.text(".env.enc")));
    slowly(&["seal", "--base", "base.enc", "--accept", "-q"]).succeeds();
    desk.envsec(["get", "D"]).prints("4");
    // And it is a slow system: seven bytes at once make many calls.
    let strace = ["-qq", "-o", "trace", "-e", "trace=write", "-E"];
    let preload = format!("LD_PRELOAD={}", library.display());
    let args = [&strace[..], &[&preload, ENVSEC, "set", "A"]].concat();
    desk.command("strace", args).stdin(value("last")).succeeds();
    assert!(desk.text("trace").matches(", 7) ").count() > 50);
}
