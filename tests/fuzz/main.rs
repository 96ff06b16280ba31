//! The bodies of the fuzz targets on the stable toolchain: every input of fuzz/corpus, and inputs that are made of those.
//! fuzz/README.md says how to have more of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may"
)]

mod mutation;
mod targets;

use mutation::Mutator;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many inputs are made for each target, unless FUZZ_SECONDS says how long it goes on.
const INPUTS: u64 = 1000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = folder().join("corpus").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Runs a target on one input, which is kept where a law does not hold.
fn check(name: &str, input: &[u8]) {
    let body = targets::find(name).expect("a target");
    if catch_unwind(|| body(input)).is_err() {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
        std::fs::write(&kept, input).unwrap();
        panic!("a law does not hold for the input in {}", kept.display());
    }
}

fn run(name: &str) {
    let corpus = corpus(name);
    corpus.iter().for_each(|input| check(name, input));
    let dictionary = std::fs::read_to_string(folder().join("dictionary")).unwrap();
    let mut mutator = Mutator::new(&corpus, &dictionary, setting("FUZZ_SEED").unwrap_or_default());
    let time = setting("FUZZ_SECONDS").map(Duration::from_secs);
    let (start, mut count) = (Instant::now(), 0);
    while time.map_or(count < INPUTS, |time| start.elapsed() < time) {
        check(name, &mutator.input());
        count += 1;
    }
    println!("{name}: {} inputs of the corpus, {count} others", corpus.len());
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_is_here_and_has_its_file_and_its_corpus() {
            let known: BTreeSet<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(known, [$(stringify!($name).to_owned()),*].into());
            for part in ["fuzz_targets", "corpus"] {
                assert_eq!(names_in(&folder().join(part)), known, "{part}");
            }
        }
    };
}

tests! {
    dotenv edit import_dotenv import_env0 import_json import_seed merge pattern redact schema seal_message sealed
    words
}
