//! The attacks on the format: the files of `tests/vectors/attacks`, which any implementation can run, and those that no
//! file can express. `tests/vectors/attacks/README.md` says for every attack which test it is.

use crate::harness::{LOW_WORK_FACTOR, PASSWORD, Sandbox, reference, reference_tools};
use envsec::crypto::system_rng;
use envsec::sealed::{
    Credential, Label, Limits, Line, Locked, NewSlot, Password, RawKey, SealedError, SlotId, Storage, Unlocked, Utc,
};
use envsec::secret::SecretText;
use envsec::vars::Value;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/attacks")
}

/// A row of the index.
struct Case {
    row: Json,
    bytes: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let index: Vec<Json> = serde_json::from_slice(&std::fs::read(folder().join("index.json")).unwrap()).unwrap();
    let case = |row: Json| Case { bytes: std::fs::read(folder().join(row["file"].as_str().unwrap())).unwrap(), row };
    index.into_iter().map(case).collect()
}

impl Case {
    fn text(&self, key: &str) -> &str {
        self.row[key].as_str().unwrap_or_default()
    }

    fn is_of(&self, attack: u64) -> bool {
        self.row["attacks"].as_array().unwrap().iter().any(|number| number.as_u64() == Some(attack))
    }

    /// A sandbox with the file in it, and the settings of the row.
    fn sandbox(&self) -> Sandbox {
        let mut sandbox = Sandbox::new();
        sandbox.write(self.text("file"), &self.bytes);
        sandbox.set_variable("ENVSEC_FILE", self.text("file"));
        let settings = [("key", "ENVSEC_KEY"), ("password", "ENVSEC_PASSWORD"), ("pin", "ENVSEC_PIN")]
            .into_iter()
            .filter(|(key, _)| self.row.get(key).is_some());
        settings.for_each(|(key, variable)| sandbox.set_variable(variable, self.text(key)));
        sandbox
    }

    /// The words of a command line. `-e` on a command line outranks ENVSEC_FILE, so the file is named there too.
    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let env = if self.row.get("env").is_some() { vec!["-e", self.text("env")] } else { vec![] };
        [&["-f", self.text("file")], &env[..], args].concat()
    }

    /// Status and message of a verdict.
    fn expected(&self) -> (i32, &'static str) {
        match self.text("expected") {
            "not-authentic" => (5, "the seal does not match: the file was changed by somebody without a key"),
            "wrong-credential" => (4, "no slot opens with this password or key"),
            "newer" => (5, "written by a newer envsec: "),
            "conflict" => (5, "a git conflict marker: "),
            "work-factor" => (5, "the password slots ask for more scrypt work than is allowed: "),
            "wrong-label" => (5, "but -e or the file's name asks for "),
            "wrong-pin" => (5, "ENVSEC_PIN"),
            "bad-value" => (5, ": the value "),
            "malformed" => (5, ""),
            other => panic!("no such verdict: {other}"),
        }
    }

    /// The verdict is this one, and the message could be that of no other.
    fn assert_refusal(&self, verb: &str, status: i32, stderr: &str) {
        let (verdict, words) = self.expected();
        let (what, message) = (self.text("what"), stderr.lines().next().unwrap_or_default());
        let case = format!("{verb}, {}, {what}: {stderr}", self.text("file"));
        assert_eq!(status, if verb == "run" { 125 } else { verdict }, "{case}");
        assert!(verb != "run" || stderr.contains(&format!("\nnothing was started (status {verdict}: ")), "{case}");
        assert!(message.starts_with(&format!("error: {}:", self.text("file"))) && message.contains(words), "{case}");
        if self.text("expected") == "malformed" {
            let others =
                ["seal does not", "no slot opens", "newer envsec", "conflict marker", "scrypt work", "the value does"];
            assert!(!others.iter().any(|other| message.contains(other)), "{case}");
        }
    }
}

/// Nobody gets a part of a value, nothing is started, nothing is written.
fn assert_refused(case: &Case) {
    let (sandbox, file) = (case.sandbox(), case.text("file"));
    let mut verbs = vec![("get", vec!["get", "API_KEY"]), ("run", vec!["run", "--", "touch", "started"])];
    // A value that only somebody with the key can have made does not keep it from being set.
    if case.text("expected") != "bad-value" {
        verbs.push(("set", vec!["set", "API_KEY"]));
    }
    for (verb, args) in verbs {
        let output = sandbox.envsec(case.args(&args)).stdin("new").output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        case.assert_refusal(verb, output.status.code().unwrap(), &stderr);
        assert!(output.stdout.is_empty(), "{file}: {verb} printed something");
        assert!(!["sk_test", "pa$$word", "staple"].iter().any(|part| stderr.contains(part)), "{file}: {stderr}");
        assert!(sandbox.read(file) == case.bytes && sandbox.files() == [file], "{file}: {verb} wrote");
    }
}

/// Every value arrives; a new one can be set, and then only the seal's line and its own are new.
fn assert_opens(case: &Case) {
    let (sandbox, file) = (case.sandbox(), case.text("file"));
    for (name, value) in case.row["values"].as_object().unwrap() {
        sandbox.envsec(case.args(&["get", name])).prints(value.as_str().unwrap());
    }
    if case.row.get("last").is_some() {
        assert_eq!(sandbox.envsec(case.args(&["set", "ZZ"])).stdin("new").refuses(1).matches("revisions").count(), 1);
        return;
    }
    sandbox.envsec(case.args(&["set", "ZZ"])).stdin("new").succeeds();
    sandbox.envsec(case.args(&["get", "ZZ"])).prints("new");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, mut after) = (lines(std::str::from_utf8(&case.bytes).unwrap()), lines(&sandbox.text(file)));
    after.retain(|line| !line.starts_with("ZZ="));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert!(before.len() == after.len() && changed.len() == 1, "{file}: {changed:?}");
    assert!(changed[0].0.starts_with("#envsec:seal "), "{file}");
}

#[test]
fn every_file_of_the_index_is_judged_as_it_says() {
    for case in cases() {
        if case.text("expected") == "opens" { assert_opens(&case) } else { assert_refused(&case) }
    }
}

/// The id of the first slot of this type, as far as anybody can read it.
fn slot_of(bytes: &[u8], kind: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.starts_with("#envsec:slot id=") && line.contains(kind))?;
    Some(line["#envsec:slot id=".len()..].split(' ').next()?.to_owned())
}

/// Whoever changes the slots or the data key of such a file, or unlocks it, is refused like who reads it.
#[test]
fn no_verb_about_keys_takes_a_file_that_is_refused() {
    const FLAGS: [&str; 2] = ["--work-factor", "15"];
    let mut refusals = 0;
    for case in cases().iter().filter(|case| !["opens", "bad-value"].contains(&case.text("expected"))) {
        let (sandbox, file) = (case.sandbox(), case.text("file"));
        sandbox.write("new", "a password for the slot");
        sandbox.shell("chmod 600 new").succeeds();
        let (any, password) = (slot_of(&case.bytes, ""), slot_of(&case.bytes, " type=scrypt "));
        let mut verbs = vec![
            vec!["rotate", "--yes"],
            vec!["slot", "add", "--password", "--id", "planted", "--new-password-file", "new"],
            vec!["slot", "add", "--raw-key", "--id", "planted"],
            vec!["slot", "rewrap"],
            vec!["unlock", "--ttl", "1s"],
        ];
        if let Some(id) = &any {
            verbs.push(vec!["slot", "remove", "--yes", "--", id]);
            verbs.push(vec!["slot", "remove", "--yes", "--keep-data-key", "--", id]);
            verbs.push(vec!["rotate", "--yes", "--drop-slot", id]);
        }
        if let Some(id) = &password {
            verbs.push(vec!["slot", "change-password", "--new-password-file", "new", "--", id]);
        }
        for verb in verbs {
            let place = verb.iter().position(|word| *word == "--").unwrap_or(verb.len());
            let costs =
                if ["unlock", "--raw-key", "--keep-data-key"].iter().any(|word| verb.contains(word)) { 0 } else { 2 };
            let args = [&verb[..place], &FLAGS[..costs], &verb[place..]].concat();
            let output = sandbox.envsec(case.args(&args)).output();
            let stderr = String::from_utf8(output.stderr).unwrap();
            case.assert_refusal(&verb.join(" "), output.status.code().unwrap(), &stderr);
            assert!(output.stdout.is_empty(), "{file}: {verb:?} printed something");
            assert!(sandbox.read(file) == case.bytes && sandbox.files().len() == 2, "{file}: {verb:?} wrote");
            refusals += 1;
        }
    }
    assert!(refusals > 700, "{refusals}");
}

#[test]
fn a_value_that_does_not_decrypt_gets_no_new_data_key() {
    for case in cases().iter().filter(|case| case.text("expected") == "bad-value") {
        let (sandbox, file) = (case.sandbox(), case.text("file"));
        let drop = slot_of(&case.bytes, " type=scrypt ").map(|id| ["--drop-slot".to_owned(), id]);
        let args: Vec<String> =
            ["rotate".to_owned(), "--yes".to_owned()].into_iter().chain(drop.into_iter().flatten()).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = sandbox.envsec(case.args(&args)).output();
        case.assert_refusal("rotate", output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap());
        assert!(sandbox.read(file) == case.bytes && sandbox.files() == [file], "{file}");
    }
}

#[test]
fn the_reference_judges_every_file_alike() {
    let sandbox = Sandbox::new();
    let output = reference(&sandbox, &["attacks", folder().to_str().unwrap()]).output();
    let verdicts: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
    let cases = cases();
    assert_eq!(verdicts.len(), cases.len(), "{}", String::from_utf8_lossy(&output.stderr));
    for (case, found) in cases.iter().zip(verdicts) {
        let (file, what) = (case.text("file"), case.text("what"));
        assert_eq!(found["verdict"], case.row["expected"], "{file}, {what}");
        assert_eq!(found.get("values"), case.row.get("values"), "{file}, {what}");
    }
}

#[test]
fn the_files_are_what_their_generator_makes() {
    let sandbox = Sandbox::new();
    let generator = folder().with_file_name("make_attacks.py");
    sandbox.command(reference_tools(), [generator.as_path(), sandbox.path()]).succeeds();
    let mut committed: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    committed.retain(|name| name != "README.md" && name != ".gitattributes");
    committed.sort();
    assert_eq!(sandbox.files(), committed);
    for file in committed {
        assert!(
            sandbox.read(&file) == std::fs::read(folder().join(&file)).unwrap(),
            "{file}: run tests/vectors/make_attacks.py"
        );
    }
}

/// Address space for the program and a little more; scrypt for ln=14 would need 16 MiB of it, for ln=20 1024 MiB.
#[test]
fn what_asks_for_too_much_is_refused_within_20_mib() {
    let costly: Vec<_> = cases()
        .into_iter()
        .filter(|case| (case.is_of(32) || case.is_of(33)) && case.row.get("password").is_some())
        .collect();
    assert!(costly.len() > 10);
    for case in costly {
        let sandbox = case.sandbox();
        let output = sandbox.shell("ulimit -v 20480; exec envsec get API_KEY").output();
        case.assert_refusal("get", output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap());
    }
    // And the limit is one: this file is right, and would need more.
    let cases = cases();
    let right =
        cases.iter().find(|case| case.text("expected") == "opens" && case.text("password") == PASSWORD).unwrap();
    assert!(
        right.sandbox().shell("ulimit -v 20480; exec envsec get API_KEY").refuses(1).contains("scrypt needs 16 MiB")
    );
}

#[test]
fn every_wrong_credential_gets_the_same_bytes() {
    let mut said = BTreeSet::new();
    for case in cases().iter().filter(|case| case.text("expected") == "wrong-credential") {
        let output = case.sandbox().envsec(case.args(&["get", "API_KEY"])).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        said.insert((output.status.code(), stderr.replace(case.text("file"), "FILE")));
    }
    assert_eq!(said.len(), 1, "{said:?}");
}

// Every bit and every length of one file, within this process for speed.

type Values = BTreeMap<String, String>;

/// The base file of the vectors, with comments and blank lines at its end too.
fn base() -> (Vec<u8>, Values) {
    let bytes = [&std::fs::read(folder().join("base.env")).unwrap()[..], END].concat();
    let key = cases().iter().map(|case| case.text("key").to_owned()).find(|key| !key.is_empty()).unwrap();
    let values = opened(&bytes, &key).expect("opens");
    assert_eq!(values["API_KEY"], "sk_test_new");
    (bytes, values)
}

/// What stands below the last entry.
const END: &[u8] = b"# the end\n \n#\n";

/// A file with three slots and twenty entries of every kind, a rotation among them; its raw key and its values.
fn large() -> (Vec<u8>, String, Values) {
    let rng = &mut system_rng();
    let key = RawKey::generate(rng);
    let text = key.to_text().expose().to_owned();
    let password = Credential::Password(Password::new(&SecretText::from(PASSWORD)).unwrap());
    let slots =
        [("team", password), ("ci", Credential::RawKey(key)), ("spare", Credential::RawKey(RawKey::generate(rng)))];
    let slots = slots.map(|(id, credential)| NewSlot {
        id: SlotId::parse(id).unwrap(),
        credential,
        work_factor: LOW_WORK_FACTOR,
    });
    let mut file = Unlocked::create(Label::parse("production"), &slots, rng).unwrap();
    let value = |text: &str| Value::try_from(SecretText::from(text)).unwrap();
    for number in 0..20 {
        let storage = if number % 4 == 3 { Storage::Plain } else { Storage::Secret };
        file.append(&format!("NAME_{number}").parse().unwrap(), &value(&format!("value {number}")), storage, rng);
        if number % 5 == 0 {
            file.append_line(Line::Comment("# a group"));
            file.append_line(Line::Blank);
        }
    }
    let now = Utc::now();
    file.rotate(&"NAME_0".parse().unwrap(), &value("next"), Some(now.plus(3600)), now, rng).unwrap();
    let bytes = [&file.seal().unwrap()[..], END].concat();
    let (slots, values) =
        (bytes.windows(9).filter(|part| part == b"ec:slot i").count(), opened(&bytes, &text).unwrap());
    assert!(slots == 3 && values.len() == 20 && values["NAME_0"] == "next" && values["NAME_19"] == "value 19");
    (bytes, text, values)
}

fn opened(bytes: &[u8], key: &str) -> Result<Values, SealedError> {
    let key = Credential::RawKey(RawKey::parse(&SecretText::from(key)).unwrap());
    let vars = Locked::parse(bytes)?.unlock(&[key], &Limits::default())?.vars()?;
    Ok(vars.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect())
}

/// Where the last entry ends, before its line end.
fn last_entry(bytes: &[u8]) -> usize {
    bytes.windows(9).position(|part| part == &END[..9]).unwrap() - 1
}

#[allow(clippy::print_stdout, reason = "the figures of the run belong into its report")]
fn report(figures: &str) {
    println!("{figures}");
}

/// Where the text of comments stands, without their `#` and line end.
fn comments(bytes: &[u8]) -> BTreeSet<usize> {
    let mut at = 0;
    let mut found = BTreeSet::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"#") && !line.starts_with(b"#envsec:") {
            found.extend(at + 1..at + line.len() - 1);
        }
        at += line.len();
    }
    found
}

#[test]
fn every_bit_counts_outside_of_comments() {
    let (bytes, key, values) = large();
    let comments = comments(&bytes);
    let mut opening = 0;
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        let Ok(found) = opened(&flipped, &key) else { continue };
        // A blank may become a comment's sign or a line more; the values stay what they are.
        assert!(comments.contains(&at) || bytes[at].is_ascii_whitespace(), "bit {bit} of byte {at}");
        assert_eq!(found, values, "bit {bit} of byte {at}");
        opening += 1;
    }
    assert!((1..8 * comments.len() + 8).contains(&opening), "{opening} of them opened");
    report(&format!(
        "{} bits flipped in a file of 3 slots and 20 entries: {opening} of them in comments and blanks, which open",
        8 * bytes.len()
    ));
}

#[test]
fn no_part_of_a_file_opens() {
    let (bytes, key, values) = large();
    let last_entry = last_entry(&bytes);
    for length in 0..bytes.len() {
        match opened(&bytes[..length], &key) {
            Ok(found) => assert!(found == values && length >= last_entry, "the first {length} bytes open"),
            Err(_) => assert!(length < last_entry, "the first {length} bytes do not open"),
        }
    }
    report(&format!(
        "{} cuts through a file of 3 slots and 20 entries, none of which loses an entry unnoticed",
        bytes.len()
    ));
}

#[test]
fn the_binary_refuses_flipped_and_truncated_files() {
    let (mut sandbox, (bytes, _)) = (Sandbox::new(), base());
    sandbox.set_variable("ENVSEC_KEY", cases()[0].text("key"));
    let (last_entry, comments) = (last_entry(&bytes), comments(&bytes));
    for at in (0..last_entry).step_by(61).filter(|at| !comments.contains(at)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        for damaged in [&flipped, &bytes[..at]] {
            sandbox.write(".env.enc", damaged);
            let output = sandbox.envsec(["get", "API_KEY"]).output();
            assert!(matches!(output.status.code(), Some(4 | 5)) && output.stdout.is_empty(), "byte {at}");
        }
    }
}

// The table of the README.

#[test]
fn every_attack_has_its_test() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let rows: BTreeMap<u64, &str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter_map(|(number, row)| Some((number.parse().ok()?, row)))
        .collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=56).collect::<Vec<_>>());
    let (cases, sources) = (cases(), test_sources());
    for (number, row) in rows {
        let column = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let tests: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        let has_files = cases.iter().any(|case| case.is_of(number));
        assert_eq!(
            column.starts_with("files"),
            has_files,
            "attack {number}: the word `files` means that the index has some"
        );
        assert!(has_files || !tests.is_empty(), "attack {number} has neither files nor a test");
        for test in tests {
            assert!(
                sources.contains(&format!("#[test]\nfn {test}()"))
                    || sources.contains(&format!("#[test]\n    fn {test}()")),
                "attack {number}: there is no test {test}"
            );
        }
    }
}

/// All Rust code of tests and product.
fn test_sources() -> String {
    let mut folders = vec![
        Path::new(env!("CARGO_MANIFEST_DIR")).join("lib/src"),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli"),
    ];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                all += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    all
}
