//! The binary and the second implementation of the format, `tests/reference.py`: each reads what the other writes, and
//! both refuse the same files. And what a limit of memory does to a file that both would open.

use crate::harness::{PASSWORD, Run, Sandbox, reference};
use envsec::crypto::{random_bytes, system_rng};
use envsec::dotenv::{Place, Rule, quote};
use envsec::sealed::{Locked, RawKey};
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt as _;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

#[track_caller]
fn stdout(run: Run<'_>) -> Vec<u8> {
    let output = run.output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What `reference.py` finds in a file.
#[track_caller]
fn opened(sandbox: &Sandbox, file: &str, credential: [&str; 2]) -> Json {
    serde_json::from_slice(&stdout(reference(sandbox, &["open", file, credential[0], credential[1]]))).unwrap()
}

// Random entries. Every run has its own; a failure says how to have them again.

struct Random {
    seed: u64,
    rng: TestRng,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    value: String,
    plain: bool,
}

/// What quoting, comments and line ends could get wrong.
const PIECES: [&str; 32] = [
    "\n",
    "\r",
    "\r\n",
    "'",
    "\"",
    "`",
    "\\",
    "$",
    "$'",
    "${A}",
    "enc:",
    "#envsec:",
    "0",
    "#",
    " #",
    " ",
    "\t",
    "=",
    "\\n",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{9f}",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "\u{3000}",
    "e\u{301}",
    "𝄞",
    "/",
    "plain",
    "-----BEGIN KEY-----",
];

impl Random {
    fn new() -> Self {
        let given = std::env::var("ENVSEC_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
        let seed = given.unwrap_or_else(|| u64::from_le_bytes(random_bytes(&mut system_rng())));
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat());
        Random { seed, rng }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn piece(&mut self) -> String {
        let random = char::from_u32(self.rng.random_range(1..0x11_0000)).unwrap_or('\u{fffd}');
        if self.below(3) == 0 { random.into() } else { PIECES[self.below(PIECES.len())].into() }
    }

    fn value(&mut self) -> String {
        (0..self.below(12)).map(|_| self.piece()).collect()
    }

    fn name(&mut self) -> String {
        const CHARS: &[u8] = b"ABCXYZabcxyz_0189";
        let first = CHARS[self.below(CHARS.len() - 4)];
        // Long enough to be none of the few that the environment has.
        let rest = (0..5 + self.below(20)).map(|_| CHARS[self.below(CHARS.len())]).collect::<Vec<_>>();
        String::from_utf8([&[first], &rest[..]].concat()).unwrap()
    }

    /// Entries of distinct names, among them the empty value, a long one and the longest name.
    fn entries(&mut self) -> Vec<Entry> {
        let mut names: BTreeSet<String> = (0..30).map(|_| self.name()).collect();
        names.insert("L".repeat(256));
        let mut entries: Vec<_> =
            names.into_iter().map(|name| Entry { name, value: self.value(), plain: self.below(3) == 0 }).collect();
        entries[0].value = String::new();
        entries[1] = Entry { value: "\u{e9}\n".repeat(21 << 10), plain: false, ..entries[1].clone() };
        entries[2] = Entry { value: "enc:'\"\n\\".into(), plain: true, ..entries[2].clone() };
        entries
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A drop during a panic has no other way to be heard, and must not fail itself.
            let _ = writeln!(std::io::stderr(), "the same values again: ENVSEC_TEST_SEED={}", self.seed);
        }
    }
}

/// As `reference.py open` shows them.
fn values(entries: &[Entry]) -> Json {
    entries
        .iter()
        .map(|entry| (entry.name.clone(), Json::from(entry.value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn plain_names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().filter(|entry| entry.plain).map(|entry| entry.name.as_str()).collect()
}

/// Has `reference.py` write a file for [`PASSWORD`] and a new raw key, which is returned.
fn written_by_reference(sandbox: &Sandbox, file: &str, label: Option<&str>, entries: &[Entry]) -> String {
    let key = RawKey::generate(&mut system_rng()).to_text().expose().to_owned();
    let entry = |entry: &Entry| json!({"name": entry.name, "value": entry.value, "plain": entry.plain});
    let input = Json::from(entries.iter().map(entry).collect::<Vec<_>>());
    let mut args = vec!["write", file, "--password", PASSWORD, "--raw-key", &key, "--ln", "14", "--entries", "-"];
    args.extend(label.into_iter().flat_map(|label| ["--label", label]));
    reference(sandbox, &args).stdin(input.to_string()).succeeds();
    key
}

#[track_caller]
fn assert_environment(block: &[u8], expected: &[Entry]) {
    let lines = block.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok()?.split_once('='));
    let environment: BTreeMap<&str, &str> = lines.collect();
    for Entry { name, value, .. } in expected {
        assert_eq!(environment.get(name.as_str()), Some(&value.as_str()), "{name}");
    }
}

#[test]
fn the_binary_reads_what_the_reference_writes() {
    let mut random = Random::new();
    for (file, label, environment) in
        [(".env.enc", None, &[][..]), (".env.staging.enc", Some("staging"), &["-e", "staging"])]
    {
        let sandbox = Sandbox::new();
        let entries = random.entries();
        let key = written_by_reference(&sandbox, file, label, &entries);
        if label.is_some() {
            sandbox.write(file, sandbox.text(file).replace('\n', "\r\n"));
        }
        for Entry { name, value, .. } in &entries {
            sandbox.envsec(["get", name].iter().chain(environment)).variable("ENVSEC_KEY", &key).prints(value);
        }
        for (variable, credential) in [("ENVSEC_PASSWORD", PASSWORD), ("ENVSEC_KEY", &key)] {
            let args = environment.iter().chain(&["run", "--", "env", "-0"]);
            assert_environment(&stdout(sandbox.envsec(args).variable(variable, credential)), &entries);
        }
    }
}

#[test]
fn the_reference_reads_what_the_binary_writes() {
    let mut random = Random::new();
    let entries = random.entries();
    let sandbox = Sandbox::sealed();
    // A foreign file cannot hold what only $'...' spells; a sealed one can.
    let (imported, set): (Vec<Entry>, Vec<Entry>) = entries
        .iter()
        .cloned()
        .partition(|entry| random.below(2) == 0 && quote(&entry.value, Place::File).0 < Rule::S9);
    let lines =
        imported.iter().map(|entry| format!("{}={}\n", entry.name, quote(&entry.value, Place::File).1.expose()));
    let dotenv: String = lines.collect();
    let plain = plain_names(&imported).join(",");
    let flags = if plain.is_empty() { vec![] } else { vec!["--plain", &plain] };
    stdout(sandbox.envsec(["import", "-"].iter().chain(&flags)).stdin(dotenv));
    for Entry { name, value, plain } in &set {
        let storage = if *plain { "--plain" } else { "--secret" };
        sandbox.set(&["--keep-newline", storage], name, value);
    }
    let rev = 1 + usize::from(!imported.is_empty()) + set.len();
    for credential in [["--password", PASSWORD], ["--raw-key", &sandbox.key]] {
        let found = opened(&sandbox, ".env.enc", credential);
        assert_eq!(found["names"], values(&entries));
        let plain: BTreeSet<_> = found["plain"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(plain, plain_names(&entries).into_iter().collect());
        assert_eq!((&found["rev"], &found["label"]), (&json!(rev), &Json::Null));
    }
}

#[test]
fn the_binary_changes_two_lines_of_what_the_reference_wrote() {
    let mut random = Random::new();
    let mut entries = random.entries();
    let mut sandbox = Sandbox::new();
    let key = written_by_reference(&sandbox, ".env.enc", None, &entries);
    sandbox.set_variable("ENVSEC_KEY", &key);
    let before = sandbox.text(".env.enc");
    let at = random.below(entries.len());
    let name = entries[at].name.clone();
    let set = |value: &str| sandbox.set(&["--keep-newline"], &name, value);

    set(&entries[at].value);
    assert_eq!(sandbox.text(".env.enc"), before, "the value that was there already");

    entries[at].value.push_str(&random.piece());
    set(&entries[at].value);
    let after = sandbox.text(".env.enc");
    assert_eq!(before.lines().count(), after.lines().count());
    let changed: Vec<_> =
        before.lines().zip(after.lines()).filter(|(old, new)| old != new).map(|(_, new)| new).collect();
    assert!(
        matches!(changed[..], [seal, entry] if seal.starts_with("#envsec:seal rev=2 ") && entry.starts_with(&format!("{name}="))),
        "{changed:?}"
    );

    let found = opened(&sandbox, ".env.enc", ["--password", PASSWORD]);
    assert_eq!(found["names"], values(&entries));
    assert_eq!(found["plain"], json!(plain_names(&entries)));
    assert_eq!(found["rev"], json!(2));
}

#[test]
fn the_known_answer_is_reproduced_and_opens() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let sandbox = Sandbox::new();
    reference(&sandbox, &["known-answer", "."]).succeeds();
    for file in ["known-answer.env", "known-answer.json"] {
        assert!(sandbox.read(file) == std::fs::read(vectors.join(file)).unwrap(), "{file} differs");
    }
    let facts: Json = serde_json::from_slice(&sandbox.read("known-answer.json")).unwrap();
    let value = |(name, value): (&String, &Json)| Entry {
        name: name.clone(),
        value: value.as_str().unwrap().into(),
        plain: false,
    };
    let expected: Vec<Entry> = facts["values"].as_object().unwrap().iter().map(value).collect();
    sandbox.write(".env.production.enc", sandbox.read("known-answer.env"));
    for (variable, fact) in [("ENVSEC_PASSWORD", "password"), ("ENVSEC_KEY", "raw_key")] {
        for which in [["-f", "known-answer.env"], ["-e", "production"]] {
            let run = sandbox.envsec(which.iter().chain(&["run", "--", "env", "-0"]));
            assert_environment(&stdout(run.variable(variable, facts[fact].as_str().unwrap())), &expected);
        }
    }
}

// What is no sealed file is that for both. Keys do not matter here: a file is parsed whole before any is tried.

/// A file with the encrypted entry SECRET and two slots, whose parts the cases below change.
fn parts(sandbox: &Sandbox) -> (String, String, String) {
    let entries =
        [("SECRET", false), ("PLAIN", true)].map(|(name, plain)| Entry { name: name.into(), value: "v".into(), plain });
    written_by_reference(sandbox, "base", None, &entries);
    let text = sandbox.text("base");
    let (magic, rest) = text.split_once('\n').unwrap();
    let (slots, body) = rest.split_once("#envsec:seal").unwrap();
    (format!("{magic}\n"), slots.into(), format!("#envsec:seal{body}"))
}

/// Has both look at every text and returns how they answer.
fn answers(sandbox: &Sandbox, texts: &[String]) -> Vec<(bool, bool)> {
    let files: Vec<String> = (0..texts.len()).map(|number| format!("case-{number}")).collect();
    files.iter().zip(texts).for_each(|(file, text)| sandbox.write(file, text));
    let args: Vec<&str> = ["check"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let reference = String::from_utf8(stdout(reference(sandbox, &args))).unwrap();
    assert_eq!(reference.lines().count(), texts.len());
    texts
        .iter()
        .zip(reference.lines())
        .map(|(text, line)| (Locked::parse(text.as_bytes()).is_ok(), line == "ok"))
        .collect()
}

#[track_caller]
fn assert_answers(sandbox: &Sandbox, cases: &[(bool, String, String)]) {
    let texts: Vec<String> = cases.iter().map(|(_, _, text)| text.clone()).collect();
    let found = cases.iter().zip(answers(sandbox, &texts)).filter(|((good, ..), both)| *both != (*good, *good));
    let wrong: Vec<_> = found
        .map(|((good, what, _), both)| format!("{what}: expected {good}, (envsec, reference) say {both:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases of two lists: what a text is made from, whether both take it, and the text.
fn cases(good: &[&str], bad: &[&str], text: impl Fn(&str) -> String) -> Vec<(bool, String, String)> {
    let all = good.iter().map(|part| (true, part)).chain(bad.iter().map(|part| (false, part)));
    all.map(|(good, part)| (good, part.chars().take(60).collect(), text(part))).collect()
}

const GOOD_LINES: &[&str] = &[
    "",
    " \t",
    "# tab\tand\u{a0}\u{feff}",
    "A=x # a#b\u{a0}",
    "A='x'#\u{a0}",
    "A=x #",
    "A=x \t",
    "A='\u{1}\u{9f}\u{2028}'",
    "A=\"\\n\\z\"",
    r"A=$'\\x00'",
    r"A=$'\x7f\t'",
    "A='enc:'",
    "A=it's",
    "A=$",
    "export=x",
    "A==",
];

const BAD_LINES: &[&str] = &[
    "__proto__=x",
    " #",
    "# \u{1}",
    "# \u{7f}",
    "# \u{80}",
    "# \u{85}",
    "# \u{9f}",
    "# \u{2028}",
    "A=x # \u{9f}",
    "A='x' # \u{2029}",
    "A='x'\u{a0}",
    "A=x\u{a0}",
    "A=\u{9f}",
    "A=\u{3000}x",
    "A=\u{feff}",
    "A=x#y",
    "A=#x",
    "A= x",
    "A= # c",
    "A =x",
    " A=x",
    "export A=x",
    "A: x",
    "A",
    "=x",
    "1A=x",
    "A-B=x",
    r"A=$'\x00'",
    r"A=$'\x80'",
    r"A=$'\a'",
    "A=$'x",
    "A='x",
    "A='x' y",
    "A='x\\'",
    r#"A="\t""#,
    r#"A="\\n""#,
    "A=enc:",
    "A=enc:x # y",
    "A=1\nA=2",
    "SECRET=x",
    "#envsec:x y",
    "#envsec:seal",
    "<<<<<<< ours",
    "=======",
];

#[test]
fn both_take_the_same_lines() {
    let sandbox = Sandbox::new();
    let (magic, slots, body) = parts(&sandbox);
    let text = |line: &str| format!("{magic}{slots}{body}{line}\n");
    let token = |bytes: usize| format!("A=enc:{}", "A".repeat((bytes * 4).div_ceil(3)));
    let (good, bad) = ([60, 92, 262_204].map(token), [28, 59, 61, 262_236].map(token));
    let tokens = cases(&good.each_ref().map(String::as_str), &bad.each_ref().map(String::as_str), text);
    assert_answers(&sandbox, &[cases(GOOD_LINES, BAD_LINES, text), tokens].concat());
}

const GOOD_HEADERS: &[&str] = &[
    "slot id=more type=scrypt ln=14 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=22 salt=SALT wrap=WRAP",
    "slot id=more type=raw salt=SALT wrap=WRAP",
    "slot id=more type=age wrap=WRAP",
    "slot id=more type=age to=x a.b== wrap=WRAP",
    "rotation name=SECRET at=UTC",
    "rotation name=SECRET at=UTC previous=TOKEN until=UTC pending=TOKEN since=UTC",
    "note x",
    "note x =y",
    "seals x",
];

const BAD_HEADERS: &[&str] = &[
    "slot id=more type=scrypt ln=13 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=23 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=63 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=0 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=014 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=+14 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt ln=99999999999999999999 salt=SALT wrap=WRAP",
    "slot id=more type=scrypt salt=SALT ln=14 wrap=WRAP",
    "slot id=more type=raw salt=SALT wrap=WRAPA",
    "slot id=more type=raw salt=SALT wrap=",
    "slot id=more type=raw wrap=WRAP",
    "slot id=key type=raw salt=SALT wrap=WRAP",
    "slot id=More type=raw salt=SALT wrap=WRAP",
    "slot id=more type=age to wrap=WRAP",
    "slot id=more type=age to= wrap=WRAP",
    "slot id=more type=age wrap=x wrap=WRAP",
    "slot id=more type=Age wrap=WRAP",
    "slot id=more type= wrap=WRAP",
    "rotation name=PLAIN at=UTC",
    "rotation name=NONE at=UTC",
    "rotation name=SECRET at=UTC pending=TOKEN since=UTC previous=TOKEN until=UTC",
    "rotation name=SECRET at=UTC previous=TOKEN",
    "note",
    "note ",
    "note x  y",
    "note é",
    "Note x",
    "seal",
];

const GOOD_INSTANTS: &[&str] = &["0001-01-01T00:00:00Z", "2028-02-29T23:59:59Z", "9999-12-31T23:59:59Z"];

const BAD_INSTANTS: &[&str] = &[
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z",
    "2026-01-01T00:00:00z",
];

#[test]
fn both_take_the_same_headers() {
    let sandbox = Sandbox::new();
    let (magic, slots, body) = parts(&sandbox);
    let wrap = slots.lines().next().unwrap().rsplit_once(" wrap=").unwrap().1;
    let text = |line: &str| {
        let line = line.replace("SALT", &"A".repeat(43)).replace("WRAP", wrap).replace("TOKEN", &"A".repeat(80));
        format!("{magic}{slots}#envsec:{}\n{body}", line.replace("UTC", "2026-01-01T00:00:00Z"))
    };
    let mut all = cases(GOOD_HEADERS, BAD_HEADERS, text);
    for line in ["at=HERE", "at=UTC previous=TOKEN until=HERE", "at=UTC pending=TOKEN since=HERE"] {
        let rotation = |instant: &str| text(&format!("rotation name=SECRET {}", line.replace("HERE", instant)));
        all.extend(cases(GOOD_INSTANTS, BAD_INSTANTS, rotation));
    }
    assert_answers(&sandbox, &all);
}

#[test]
fn both_have_the_same_limits() {
    let sandbox = Sandbox::new();
    let (magic, slots, body) = parts(&sandbox);
    let [scrypt, raw] = slots.lines().collect::<Vec<_>>()[..] else { panic!("two slots") };
    let lines =
        |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(|number| line(number) + "\n").collect::<String>();
    let slot = |line: &str, number: usize| line.replacen("id=", &format!("id=more{number}-"), 1);
    let mut cases = Vec::new();
    let mut limit = |what: &str, most: usize, text: &dyn Fn(usize) -> String| {
        cases.push((true, format!("{most} {what}"), text(most)));
        cases.push((false, format!("{} {what}", most + 1), text(most + 1)));
    };
    // Two slots, two entries, and the lines between them are there already.
    limit("header lines", 4096, &|n| format!("{magic}{slots}{}{body}", lines(n - 2, &|_| "#envsec:note x".into())));
    limit("slots", 64, &|n| format!("{magic}{slots}{}{body}", lines(n - 2, &|number| slot(raw, number))));
    limit("scrypt slots", 8, &|n| format!("{magic}{slots}{}{body}", lines(n - 1, &|number| slot(scrypt, number))));
    limit("entries", 65_536, &|n| format!("{magic}{slots}{body}{}", lines(n - 2, &|number| format!("A{number}=1"))));
    let there = format!("{magic}{slots}{body}").lines().count();
    limit("lines", 262_144, &|n| format!("{magic}{slots}{body}{}", "\n".repeat(n - there)));
    limit("bytes in a line", 1 << 20, &|n| format!("{magic}{slots}{body}#{}\n", "x".repeat(n - 1)));
    limit("bytes in a value", 256 << 10, &|n| format!("{magic}{slots}{body}A={}\n", "x".repeat(n)));
    limit("bytes in a quoted value", 256 << 10, &|n| format!("{magic}{slots}{body}A=\"{}\"\n", "\\n".repeat(n)));
    limit("bytes", 16 << 20, &|n| {
        let start = format!("{magic}{slots}{body}{}", lines(16, &|_| format!("#{}", "x".repeat((1 << 20) - 300))));
        format!("{start}#{}", "x".repeat(n - start.len() - 1))
    });
    assert_answers(&sandbox, &cases);
}

#[test]
fn both_refuse_the_same_damage() {
    let mut random = Random::new();
    let sandbox = Sandbox::new();
    let entries = random.entries();
    // Short, so that a change often hits what the grammar looks at.
    let short: Vec<Entry> = entries.into_iter().filter(|entry| entry.value.len() < 100).take(6).collect();
    written_by_reference(&sandbox, "base", Some("a.b"), &short);
    let base = sandbox.text("base").replacen("\n", "\n#envsec:note x\n", 1) + "\n# comment\nA=x # y\n";
    let texts: Vec<String> = (0..600).map(|_| damaged(&base, &mut random)).collect();
    let answers = answers(&sandbox, &texts);
    let refused = answers.iter().filter(|(envsec, _)| !envsec).count();
    assert!((50..=590).contains(&refused), "{refused} of {} texts were refused", texts.len());
    for (text, (envsec, reference)) in texts.iter().zip(answers) {
        assert_eq!(envsec, reference, "(envsec, reference) on {text:?}");
    }
}

/// The text with one line, or one character near a line's start, in the wrong place or missing or changed.
fn damaged(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    // Tokens are long, and one place in them is like another.
    let near = lines[one].chars().count().min(80);
    let at = lines[one].char_indices().map(|(at, _)| at).nth(random.below(near)).expect("it has so many");
    match random.below(6) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(one, lines[other].clone()),
        2 => lines.swap(one, other),
        3 => drop(lines[one].remove(at)),
        4 => {
            lines[one].remove(at);
            lines[one].insert_str(at, &random.piece());
        }
        _ => lines[one].insert_str(at, &random.piece()),
    }
    lines.concat()
}

#[test]
fn both_refuse_to_spend_too_much_before_they_spend_it() {
    let sandbox = Sandbox::new();
    let (magic, slots, body) = parts(&sandbox);
    let scrypt = slots.lines().next().unwrap();
    let slot = |number: u8, ln: u8| {
        format!("{scrypt}\n").replacen("id=", &format!("id=s{number}-"), 1).replacen("ln=14", &format!("ln={ln}"), 1)
    };
    // One slot over the limit, and slots that are over it together: 2^20 + 2^20 + 2^14 > 2^21.
    for more in [slot(1, 21), slot(1, 20) + &slot(2, 20)] {
        sandbox.write(".env.enc", format!("{magic}{slots}{more}{body}"));
        let refused = reference(&sandbox, &["open", ".env.enc", "--password", PASSWORD]).refuses(1);
        assert_eq!(refused, "refused: scrypt work factor");
        let refused = sandbox.envsec(["get", "SECRET"]).variable("ENVSEC_PASSWORD", PASSWORD).refuses(5);
        assert!(refused.contains("at most"), "{refused}");
    }
}

#[test]
fn scrypt_without_its_memory_is_an_error_and_no_abort() {
    let mut sandbox = Sandbox::new();
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.envsec(["init"]).succeeds();
    let before = sandbox.read(".env.enc");
    sandbox.shell("ulimit -v 65536; exec envsec get X").fails(
        1,
        "error: .env.enc: scrypt needs 128 MiB of memory for this file's work factor, and the system does not give it\n\
         hint: raise the memory limit (ulimit -v), or open the file with a raw key, which needs no scrypt\n",
    );
    assert_eq!(sandbox.read(".env.enc"), before);
    assert_eq!(sandbox.files(), [".env.enc"]);
}
