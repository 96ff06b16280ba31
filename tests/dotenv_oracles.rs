//! The dotenv parser and serialiser against other programs, live: npm dotenv, python-dotenv, bash and dotenvy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envsec::dotenv::{Dialect, Document, Duplicates, Place, Rule, quote};
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Map = BTreeMap<String, String>;

/// A file below `tests/`; one that the set-up makes is never missing silently.
fn tool(path: &str) -> PathBuf {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    assert!(full.exists(), "{} is missing: run ./tests/run.sh first", full.display());
    full
}

/// Runs one process that answers a line of JSON for each text.
fn ask(program: impl AsRef<std::ffi::OsStr>, script: &Path, texts: &[Vec<u8>]) -> Vec<serde_json::Value> {
    let mut child =
        Command::new(&program).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap_or_else(
            |error| panic!("{} cannot be started ({error}): run ./tests/run.sh first", program.as_ref().display()),
        );
    let mut stdin = child.stdin.take().expect("a pipe");
    let lines: Vec<String> = texts.iter().map(|text| STANDARD.encode(text) + "\n").collect();
    // Both may write more than a pipe holds.
    let writer = std::thread::spawn(move || stdin.write_all(lines.concat().as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads everything");
    assert!(output.status.success(), "{} failed", script.display());
    let answers: Vec<_> =
        output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(json).collect();
    assert_eq!(answers.len(), texts.len(), "{}: an answer for every text", script.display());
    answers
}

/// The maps of npm dotenv's two parsers for each text.
fn ask_npm_dotenv(texts: &[Vec<u8>]) -> Vec<serde_json::Value> {
    tool(".tools/node_modules/dotenv/package.json");
    ask("node", &tool("oracles/dotenv.cjs"), texts)
}

fn json(line: &[u8]) -> serde_json::Value {
    serde_json::from_slice(line).expect("an answer is JSON")
}

fn as_map(answer: &serde_json::Value) -> Map {
    serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{answer}: {error}"))
}

/// The same random numbers in every run, so that a failure comes back.
fn rng() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}

fn pick<'a, T: ?Sized>(rng: &mut TestRng, from: &[&'a T]) -> &'a T {
    from[rng.random_range(0..from.len())]
}

fn concat(rng: &mut TestRng, pieces: &[&str], most: usize) -> String {
    (0..rng.random_range(0..=most)).map(|_| pick(rng, pieces)).collect()
}

// Law N.

/// Everything that the grammar of npm dotenv or ours looks at.
const PIECES: [&str; 45] = [
    "A",
    "B",
    "A=",
    "\nB=",
    "\nA: ",
    "export ",
    "export",
    "=",
    ":",
    ": ",
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "\\\"",
    "\\`",
    "\\n",
    "\\r",
    "\\\\",
    "#",
    " #",
    " ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "x",
    "n",
    "r",
    "é",
    "$",
    "$'",
    "-",
    ".",
    "__proto__",
    "\u{feff}",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{b}",
    "\0",
    "1",
    "\n# c",
];

/// Mostly sound lines, so that not every text is an error.
const LINES: [&str; 39] = [
    "A=1\n",
    "A=\n",
    "B=\r\n",
    " A = x y \t\n",
    "export A=1\n",
    "export=1\n",
    "export: 1\n",
    "export  A: x\n",
    "A: x\n",
    "A: # c\n",
    "A:  'x'\n",
    "A= # c\n",
    "A=x # c 'd'\n",
    "A=x#y\n",
    "A=#\n",
    "A='x'\n",
    "A='x'#c\n",
    "A=\"x\\ny\\r\" # c\"\n",
    "A=\"\\\\n\"\n",
    "A=\"a\\\"b\"\n",
    "A='a\\'b'\n",
    "A='\n'\n",
    "A=\"\n#\n\"\n",
    "A=`'\"`\n",
    "B='\u{2028}\u{a0}'\n",
    "# c\n",
    "# c\u{2028}B=2\n",
    "#'\n",
    "\n",
    " \n",
    "B=it's\n",
    "B=x\\\n",
    "B=$x\n",
    "C.d-e=1\n",
    "C='",
    "C=\"",
    "'\n",
    "\"\n",
    "C=\"\\r\\n\r\n\"\r\n",
];

fn vectors() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(tool("vectors/dotenv.jsonl")).expect("the vectors are there");
    let input =
        |line: &str| STANDARD.decode(json(line.as_bytes())["input_b64"].as_str().expect("an input")).expect("base64");
    // Thousands of copies of the one long input would show nothing.
    text.lines().map(input).filter(|input| input.len() < 1000).collect()
}

fn mutated(rng: &mut TestRng, vectors: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vectors[rng.random_range(0..vectors.len())].clone();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..4) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => drop(bytes.splice(at..at, vectors[rng.random_range(0..vectors.len())].iter().copied())),
            _ => drop(bytes.splice(at..at, pick(rng, &PIECES).bytes())),
        }
    }
    bytes
}

fn texts(count: usize) -> Vec<Vec<u8>> {
    let (mut rng, vectors) = (rng(), vectors());
    let mut text = |number: usize| match number % 4 {
        0 => concat(&mut rng, &PIECES, 16).into_bytes(),
        1 => mutated(&mut rng, &vectors),
        2 => concat(&mut rng, &LINES, 5).into_bytes(),
        _ => {
            let mut text = concat(&mut rng, &LINES, 4);
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            text.insert_str(places[rng.random_range(0..places.len())], pick(&mut rng, &PIECES));
            text.into_bytes()
        }
    };
    (0..count).map(&mut text).collect()
}

#[test]
fn every_text_is_an_error_or_read_as_npm_dotenv_reads_it() {
    let mut texts = texts(12_000);
    // A quote after a backslash is where npm dotenv goes back: all short texts of these characters.
    for length in 0..=6_u32 {
        let alphabet = b"\"\\\nx";
        texts.extend((0..4_usize.pow(length)).map(|number| {
            let tail = (0..length).map(|place| alphabet[number / 4_usize.pow(place) % 4]);
            b"A=\"".iter().copied().chain(tail).collect()
        }));
    }
    let answers = ask_npm_dotenv(&texts);
    let mut read = 0;
    for (text, answer) in texts.iter().zip(&answers) {
        for dialect in [Dialect::Own, Dialect::Foreign, Dialect::Node] {
            // `$'...'` is the one thing that envsec's own text has over npm dotenv.
            if dialect == Dialect::Own && text.windows(2).any(|pair| pair == b"$'") {
                continue;
            }
            let duplicates = if dialect == Dialect::Node { Duplicates::Last } else { Duplicates::Refuse };
            let Ok(document) = Document::parse(text, dialect, duplicates) else { continue };
            let ours: Map = document
                .effective()
                .map(|entry| (entry.name().to_owned(), entry.value().expose().to_owned()))
                .collect();
            for (parser, theirs) in ["npm dotenv", "npm dotenv, fast"].iter().zip([&answer[0], &answer[1]]) {
                assert_eq!(
                    ours,
                    as_map(theirs),
                    "{parser} disagrees with {dialect:?} about {:?}",
                    String::from_utf8_lossy(text)
                );
            }
            read += usize::from(!ours.is_empty());
        }
    }
    assert!(read > 4000, "only {read} texts were no errors: the generators are too wild");
}

// Law 11.

const VALUE_PIECES: [&str; 40] = [
    "'", "\"", "`", "$", "\\", "#", " ", " #", "\t", "\n", "=", ":", "a", "n", "Z", "9", "enc:", "export ", "$(x)",
    "${A}", "$A", "\\n", "\\x", "!", "!!", "~", "*", "?", "&", ";", "|", "(", "[a]", "{", "\u{1}", "\u{7f}", "\u{85}",
    "\u{2028}", "é", "𝄞",
];

/// Values that are written by one of the rules up to `last`.
fn values(last: Rule, count: usize) -> Vec<(Rule, String)> {
    let mut rng = rng();
    let mut values: Vec<(Rule, String)> = Vec::new();
    while values.len() < count {
        let value = concat(&mut rng, &VALUE_PIECES, 8);
        let rule = quote(&value, Place::File).0;
        if rule <= last {
            values.push((rule, value));
        }
    }
    values
}

/// One text for `size` values at a time, named `V0`, `V1` and so on.
fn written(values: &[(Rule, String)], size: usize) -> Vec<Vec<u8>> {
    let line =
        |(index, (_, value)): (usize, &(Rule, String))| format!("V{index}={}\n", quote(value, Place::File).1.expose());
    values.chunks(size).map(|chunk| chunk.iter().enumerate().map(line).collect::<String>().into_bytes()).collect()
}

fn assert_read(program: &str, values: &[(Rule, String)], size: usize, answers: &[Map]) {
    for (chunk, answer) in values.chunks(size).zip(answers) {
        assert_eq!(answer.len(), chunk.len(), "{program}: every value and no other");
        for (index, (rule, value)) in chunk.iter().enumerate() {
            assert_eq!(answer.get(&format!("V{index}")), Some(value), "{program}, {rule:?}");
        }
    }
}

#[test]
fn npm_dotenv_reads_what_the_first_eight_rules_write() {
    let values = values(Rule::S8, 4000);
    let answers = ask_npm_dotenv(&written(&values, 8));
    for parser in [0, 1] {
        let answers: Vec<Map> = answers.iter().map(|answer| as_map(&answer[parser])).collect();
        assert_read("npm dotenv", &values, 8, &answers);
    }
}

#[test]
fn python_dotenv_reads_what_the_first_four_rules_write() {
    let mut values = values(Rule::S4, 3000);
    // It takes two backslashes in '...' for one; that is known, and said in the documentation.
    values.retain(|(rule, value)| *rule != Rule::S3 || !value.contains(r"\\"));
    let answers = ask(tool(".tools/venv/bin/python"), &tool("oracles/python_dotenv.py"), &written(&values, 8));
    assert_read("python-dotenv", &values, 8, &answers.iter().map(as_map).collect::<Vec<_>>());
}

#[test]
fn dotenvy_reads_what_the_first_four_rules_write() {
    let values = values(Rule::S4, 3000);
    let read = |text: Vec<u8>| {
        dotenvy::from_read_iter(&text[..]).map(|entry| entry.unwrap_or_else(|error| panic!("{error:?}"))).collect()
    };
    let answers: Vec<Map> = written(&values, 8).into_iter().map(read).collect();
    assert_read("dotenvy", &values, 8, &answers);
}

#[test]
fn bash_reads_what_the_first_four_rules_and_the_last_write() {
    let mut values = values(Rule::S9, 6000);
    values.retain(|(rule, _)| *rule <= Rule::S4 || *rule == Rule::S9);
    let count = values.len();
    assert!(values.iter().any(|(rule, _)| *rule == Rule::S9));
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("env");
    std::fs::write(&file, written(&values, count).concat()).expect("written");
    let script = r#"set -a; . "$1"; for ((i = 0; i < $2; i++)); do name=V$i; printf '%s\0' "${!name}"; done"#;
    let output = Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .arg(&file)
        .arg(count.to_string())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| panic!("bash cannot be started ({error}): run ./tests/run.sh first"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    let text = String::from_utf8(output.stdout).expect("bash writes the text it read");
    let answer: Map =
        text.split_terminator('\0').enumerate().map(|(index, value)| (format!("V{index}"), value.to_owned())).collect();
    assert_read("bash", &values, count, &[answer]);
}
