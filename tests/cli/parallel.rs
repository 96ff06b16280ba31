//! Many processes at one file, and processes that die at any moment: nobody sees a broken file, and nothing is lost.

use crate::crash::{open, snapshot};
use crate::harness::{ENVSEC, Sandbox};
use envsec::crypto::system_rng;
use rand::RngExt as _;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many writers are killed.
const KILLS: u64 = 1000;

#[allow(clippy::print_stdout, reason = "the figures of the run belong into its report")]
fn report(figures: &str) {
    println!("{figures}");
}

/// xorshift64: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// Values and slots, as they are and as a writer would make them.
#[derive(Clone, PartialEq, Debug)]
struct Content {
    values: BTreeMap<String, String>,
    slots: Vec<String>,
}

impl Content {
    fn of(sandbox: &Sandbox) -> Self {
        let file = open(&sandbox.read(".env.enc"), [sandbox.key.as_str()].into_iter()).unwrap();
        let vars = file.vars().unwrap();
        let values = vars.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect();
        Content { values, slots: file.locked().slots().into_iter().map(|slot| slot.id.as_str().to_owned()).collect() }
    }

    /// A writer, what it reads, and what becomes of this.
    fn written(&self, number: u64, dice: &mut Dice) -> (Vec<String>, String, Self) {
        let (mut after, value) = (self.clone(), format!("value {number}"));
        let name = format!("N{}", dice.below(8));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let has_name = self.values.contains_key(&name);
        let args = match dice.below(7) {
            0 if has_name => {
                after.values.remove(&name);
                words(&format!("unset {name}"))
            }
            1 if has_name => {
                after.values.insert(name.clone(), value.clone());
                words(&format!("rotate {name}"))
            }
            2 => {
                after.values.extend([(name.clone(), value.clone()), ("BOTH".into(), value.clone())]);
                let text = format!("{name}='{value}'\nBOTH='{value}'\n");
                return (words("import - --replace -q"), text, after);
            }
            3 if self.slots.iter().any(|slot| slot == "more") => {
                after.slots.retain(|slot| slot == "key");
                words("slot remove more --yes -q --drop-slot password")
            }
            3 | 4 if !self.slots.iter().any(|slot| slot == "more") => {
                after.slots.push("more".into());
                words("slot add --raw-key --id more")
            }
            5 => {
                after.values.insert(name.clone(), value.clone());
                return (words(&format!("set --plain {name}")), value, after);
            }
            _ => {
                after.values.insert(name.clone(), value.clone());
                words(&format!("set {name}"))
            }
        };
        (args, value, after)
    }
}

#[test]
fn a_thousand_writers_that_are_killed_lose_nothing() {
    let seed = std::env::var("ENVSEC_TEST_SEED")
        .map_or_else(|_| system_rng().random_range(1..u64::MAX), |seed| seed.parse().unwrap());
    let (sandbox, mut dice) = (Sandbox::with(&[("N0", "value")]), Dice(seed));
    let start = Instant::now();
    sandbox.envsec(["set", "N1"]).stdin("value").succeeds();
    let whole = u64::try_from(start.elapsed().as_micros()).unwrap().max(5_000);
    let (mut content, mut old, mut new, mut left) = (Content::of(&sandbox), 0, 0, 0);
    for number in 0..KILLS {
        let (args, stdin, after) = content.written(number, &mut dice);
        let mut writer = sandbox.envsec(&args).spawn();
        std::io::Write::write_all(&mut writer.stdin.take().unwrap(), stdin.as_bytes()).ok();
        std::thread::sleep(Duration::from_micros(dice.below(whole)));
        writer.kill().unwrap(); // -9
        let ended = writer.wait().unwrap();
        let found = Content::of(&sandbox);
        let case = format!("kill {number} of seed {seed}, {args:?}, {ended}");
        assert!(found == content || found == after, "{case}: {found:?}");
        assert!(!ended.success() || found == after, "{case}: it says that it is done");
        *if found == content { &mut old } else { &mut new } += 1;
        left += usize::from(sandbox.files().len() > 1);
        content = found;
    }
    assert!(old > 50 && new > 50, "{old} {new}: not at all times; seed {seed}");
    sandbox.envsec(["set", "LAST"]).stdin("one").succeeds();
    assert_eq!(sandbox.files(), [".env.enc"]);
    sandbox.envsec(["get", "LAST"]).prints("one");
    report(&format!(
        "{KILLS} writers killed within {whole} us: {old} left the old file, {new} the new one, {left} something to sweep; seed {seed}"
    ));
}

/// Writers at once, and how often each of them writes.
const WRITERS: usize = 50;
const SETS: usize = 20;

/// Reads in every way while `is_done` is not: what was there all the time, and more and more names.
fn read_all_the_while(sandbox: &Sandbox, is_done: &AtomicBool, reads: &AtomicUsize) {
    let mut names = 0;
    while !is_done.load(Ordering::Relaxed) {
        sandbox.envsec(["get", "FIRST"]).prints("one");
        sandbox.envsec(["run", "--", "printenv", "FIRST"]).prints("one\n");
        sandbox.envsec(["validate"]).succeeds();
        let output = sandbox.envsec(["list"]).output();
        let (list, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {stderr}", output.status);
        assert!(list.starts_with("FIRST ") && list.lines().all(|line| line.ends_with("  secret")), "{list}");
        assert!(list.lines().count() >= names, "{names} names were there already:\n{list}");
        names = list.lines().count();
        reads.fetch_add(4, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(50)); // the machine is the writers'
    }
}

#[test]
fn fifty_writers_at_once_lose_nothing_and_no_reader_sees_a_broken_file() {
    let sandbox = Sandbox::with(&[("FIRST", "one")]);
    sandbox.write("env.schema.json", r#"{"properties": {"FIRST": {"const": "one"}}}"#);
    let (is_done, reads, start) = (AtomicBool::new(false), AtomicUsize::new(0), Instant::now());
    let write = |writer: usize| {
        for number in 0..SETS {
            sandbox.envsec(["set", &format!("N{writer}_{number}")]).stdin(format!("{writer} {number}")).succeeds();
        }
    };
    std::thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| read_all_the_while(&sandbox, &is_done, &reads)));
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert!(ended.iter().all(Result::is_ok), "a writer failed");
    });
    let wall = start.elapsed();
    let Content { values, .. } = Content::of(&sandbox);
    assert_eq!(values.len(), WRITERS * SETS + 1);
    for (writer, number) in (0..WRITERS).flat_map(|writer| (0..SETS).map(move |number| (writer, number))) {
        assert_eq!(values[&format!("N{writer}_{number}")], format!("{writer} {number}"));
    }
    assert!(sandbox.text(".env.enc").contains(&format!("#envsec:seal rev={} ", WRITERS * SETS + 2)));
    assert_eq!(sandbox.files(), [".env.enc", "env.schema.json"]);
    let reads = reads.load(Ordering::Relaxed);
    report(&format!("{WRITERS} writers, {SETS} sets each, and {reads} reads meanwhile in {:.1} s", wall.as_secs_f64()));
}

#[test]
fn a_stopped_writer_holds_up_the_others_until_it_is_killed() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    // Stopped while it holds the lock, with its new file on the disk.
    let stop = ["-qq", "-o", "trace", "-e", "trace=fsync", "-e", "inject=fsync:signal=STOP:when=1", ENVSEC, "set", "A"];
    let mut strace = sandbox.command("strace", stop).spawn();
    std::io::Write::write_all(&mut strace.stdin.take().unwrap(), b"2").unwrap();
    while !sandbox.join("trace").exists() || !sandbox.text("trace").contains("SIGSTOP") {
        assert!(strace.try_wait().unwrap().is_none(), "it ended before it was stopped");
        std::thread::sleep(Duration::from_millis(2));
    }
    let of = strace.id();
    let children = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
    let holder = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    let files = sandbox.files();
    assert!(files.iter().any(|name| name.ends_with(".tmp")), "{files:?}");
    std::thread::scope(|scope| {
        let set = |number: usize| sandbox.envsec(["set", &format!("N{number}")]).stdin("1").succeeds();
        let writers: Vec<_> = (0..5).map(|number| scope.spawn(move || set(number))).collect();
        sandbox.envsec(["get", "A"]).prints("1"); // readers need no lock
        assert!(writers.iter().all(|writer| !writer.is_finished()));
        kill_process(holder, Signal::KILL).unwrap();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    strace.wait().unwrap();
    sandbox.envsec(["get", "A"]).prints("1");
    assert_eq!(Content::of(&sandbox).values.len(), 6);
    assert_eq!(snapshot(sandbox.path()).len(), 2, "{:?}", sandbox.files());
}
