//! What zod 4 says of generated environments, and what `envsec validate` says of the same ones by the declaration that
//! zod emits, unedited. The verdicts are equal, name by name, but for the differences listed here.
//!
//! The schemas and the environments are made by `tests/oracles/zod.mjs`.

use crate::harness::{Sandbox, node_tools};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the oracle says of one schema.
struct Judged {
    schema: String,
    input: Value,
    output: Value,
    /// What the schema of each variable is made of, in zod's words.
    traits: BTreeMap<String, BTreeSet<String>>,
    cases: Vec<Case>,
}

struct Case {
    environment: BTreeMap<String, String>,
    wrong: BTreeSet<String>,
    /// There is an issue that belongs to no name.
    whole: bool,
}

/// The members of a JSON object that are texts.
fn texts(json: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn names(json: &Value) -> BTreeSet<String> {
    json.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

impl Judged {
    fn parse(line: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(line).unwrap();
        let case = |case: &Value| Case {
            environment: texts(&case["environment"]),
            wrong: names(&case["wrong"]),
            whole: case["whole"].as_bool().unwrap(),
        };
        let traits = json["traits"].as_object().unwrap().iter();
        Judged {
            schema: json["schema"].as_str().unwrap().to_owned(),
            input: json["input"].clone(),
            output: json["output"].clone(),
            traits: traits.map(|(name, made_of)| (name.clone(), names(made_of))).collect(),
            cases: json["cases"].as_array().unwrap().iter().map(case).collect(),
        }
    }
}

/// A variable of which the two say different things.
struct Variable<'j> {
    schema: &'j str,
    name: &'j str,
    traits: &'j BTreeSet<String>,
    value: Option<&'j str>,
}

impl<'j> Variable<'j> {
    fn of(one: &'j Judged, case: &'j Case, name: &'j str) -> Self {
        let value = case.environment.get(name).map(String::as_str);
        Variable { schema: &one.schema, name, traits: &one.traits[name], value }
    }

    fn is_made_of(&self, what: &str) -> bool {
        self.traits.contains(what)
    }

    /// Whether it has a value of which this is true.
    fn is(&self, test: impl Fn(&str) -> bool) -> bool {
        self.value.is_some_and(test)
    }

    fn is_public(&self) -> bool {
        self.name.starts_with("NEXT_PUBLIC_") || self.name.starts_with("VITE_")
    }

    fn is_number(&self) -> bool {
        let made_by_hand = self.is_made_of("transform") && self.schema == "number literal";
        self.is_made_of("coerce.number") || made_by_hand
    }
}

/// Who takes a value that the other refuses.
#[derive(PartialEq, Clone, Copy, Debug)]
enum Taken {
    ByZod,
    ByEnvsec,
}

/// A documented difference.
struct Difference {
    what: &'static str,
    taken: Taken,
    applies: fn(&Variable<'_>) -> bool,
}

const fn zod_takes(what: &'static str, applies: fn(&Variable<'_>) -> bool) -> Difference {
    Difference { what, taken: Taken::ByZod, applies }
}

const fn envsec_takes(what: &'static str, applies: fn(&Variable<'_>) -> bool) -> Difference {
    Difference { what, taken: Taken::ByEnvsec, applies }
}

/// A difference has the first name that applies.
const DIFFERENCES: &[Difference] = &[
    // An empty value counts as missing.
    zod_takes("\"\" is 0 for z.coerce.number()", |of| of.is_number() && of.is(str::is_empty)),
    zod_takes("\"\" is a text that is there", |of| !of.is_made_of("coerce.boolean") && of.is(str::is_empty)),
    envsec_takes("\"\" is wrong for z.optional()", |of| of.is_made_of("optional") && of.is(str::is_empty)),
    envsec_takes("\"\" is wrong for z.nullable()", |of| of.is_made_of("nullable") && of.is(str::is_empty)),
    envsec_takes("\"\" does not take the default", |of| of.is_made_of("default") && of.is(str::is_empty)),
    envsec_takes("\"\" does not take the prefault", |of| of.is_made_of("prefault") && of.is(str::is_empty)),
    envsec_takes("z.nullable() has to be there", |of| of.is_made_of("nullable") && of.value.is_none()),
    // What JavaScript makes of a text.
    zod_takes("blanks around a number", |of| of.is_number() && of.is(|text| text.trim() != text)),
    zod_takes("0x, 0o and 0b", |of| of.is_number() && of.is(|text| begins_with_one_of(text, &["0x", "0o", "0b"]))),
    zod_takes("+1", |of| of.is_number() && of.is(|text| text.starts_with('+'))),
    zod_takes("007", |of| of.is_number() && of.is(has_leading_zero)),
    zod_takes(".5 and 5.", |of| of.is_number() && of.is(|text| text.starts_with('.') || text.ends_with('.'))),
    zod_takes("1e3 and 3.0 are integers", |of| {
        of.is_made_of("safeint") && of.is(|text| text.contains(['e', 'E', '.']))
    }),
    zod_takes("a number that a double rounds", |of| of.is_number() && of.is(|text| text.len() > 15)),
    zod_takes("z.coerce.boolean() makes true of any text, \"false\" too", |of| {
        of.is_made_of("coerce.boolean") && of.value.is_some()
    }),
    // What JSON Schema cannot carry, or zod does not put into it.
    zod_takes("the flags of a regular expression", |of| of.is_made_of("flags")),
    zod_takes("a text that is changed before it is checked", |of| of.is_made_of("overwrite")),
    envsec_takes("a text that is changed before it is checked, the other way round", |of| of.is_made_of("overwrite")),
    zod_takes("z.catch() has an answer to everything", |of| of.is_made_of("catch")),
    zod_takes("zod's pattern of IPv6 lacks ::1.2.3.4", |of| {
        of.name.contains("SIX") && of.is(|text| text.contains('.'))
    }),
    envsec_takes("z.refine()", |of| of.is_made_of("custom")),
    envsec_takes("the words of z.stringbool()", |of| of.schema == "stringbool"),
    envsec_takes("the protocol and host that z.url() asks for", |of| of.schema == "web url"),
    envsec_takes("z.strictObject() knows the whole process", |of| of.schema == "strict" && of.name == "UNDECLARED"),
    // URLs: what one program calls wrong another one connects to.
    zod_takes("blanks around a URL", |of| of.is_made_of("url") && of.is(|text| text.trim() != text)),
    zod_takes("control characters in a URL", |of| {
        of.is_made_of("url") && of.is(|text| text.contains(char::is_control))
    }),
    zod_takes("a web URL without // or host", |of| {
        of.is_made_of("url") && of.is(|text| begins_with_one_of(&text.to_lowercase(), &["http:", "https:"]))
    }),
    zod_takes("a scheme and nothing else", |of| of.is_made_of("url") && of.is(|text| text.ends_with(':'))),
    envsec_takes("several hosts in a URL", |of| of.is_made_of("url") && of.is(|text| text.contains(','))),
    envsec_takes("the host and port of a URL are not looked into", |of| {
        of.is_made_of("url") && of.is(|text| text.contains("://"))
    }),
    // Other formats. Lengths are those of zod since 4.6: an emoji is one character.
    zod_takes("a token's second and third part may be anything", |of| of.is_made_of("jwt")),
    envsec_takes("a token's header may have the - and _ of its alphabet", |of| of.is_made_of("jwt")),
    zod_takes("an email address beyond the limits of RFC 5321", |of| of.is_made_of("email")),
    // envsec's own rules.
    zod_takes("a secret under a public name", |of| {
        of.is_public() && of.is(|text| begins_with_one_of(text, &["sk_", "whsec_", "eyJ"]))
    }),
    zod_takes("a password under a public name", |of| of.is_public() && of.is(|text| text.contains('@'))),
];

fn begins_with_one_of(text: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| text.starts_with(start))
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// What envsec says: the names that are wrong, and whether something is wrong that has no name.
#[derive(PartialEq)]
struct Said {
    wrong: BTreeSet<String>,
    whole: bool,
}

fn envsec(sandbox: &Sandbox, schema: &str, case: &Case) -> Said {
    let mut run = sandbox.envsec(["validate", "--process-only", "--json", "--schema", schema]);
    for (name, value) in &case.environment {
        run = run.variable(name, value);
    }
    // Thousands of them: none needs standard input, or a session of its own.
    let output = run.into_command().stdin(Stdio::null()).output().unwrap();
    let problems: Vec<BTreeMap<String, Value>> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{schema}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    let status = if problems.is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(status), "{schema}: {}", String::from_utf8_lossy(&output.stderr));
    let names: Vec<Option<&str>> = problems.iter().map(|problem| problem["name"].as_str()).collect();
    Said { wrong: names.iter().flatten().map(|name| (*name).to_owned()).collect(), whole: names.contains(&None) }
}

/// Calls `work` with every number below `count`, on all cores, and collects what it gives.
fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return;
                    }
                    let result = work(n);
                    results.lock().unwrap().push((n, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A folder with the oracle, the schemas of the example, and the packages.
fn oracle() -> (Sandbox, Vec<Judged>) {
    let sandbox = Sandbox::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "tests/oracles/zod.mjs",
        "examples/zod-schema/api.mjs",
        "examples/zod-schema/worker.mjs",
        "examples/zod-schema/web.mjs",
    ] {
        std::fs::copy(root.join(file), sandbox.join(Path::new(file).file_name().unwrap())).unwrap();
    }
    std::os::unix::fs::symlink(node_tools("zod"), sandbox.join("node_modules")).unwrap();
    let output = sandbox.command("node", ["zod.mjs"]).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let judged: Vec<Judged> = lines.map(Judged::parse).collect();
    for (n, one) in judged.iter().enumerate() {
        sandbox.write(&format!("{n}.input.json"), one.input.to_string());
        sandbox.write(&format!("{n}.output.json"), one.output.to_string());
    }
    (sandbox, judged)
}

/// What the two say different things of: one of these names, and who takes it.
fn disagreements<'j>(one: &'j Judged, case: &'j Case, said: &'j Said) -> Vec<(Vec<&'j String>, Taken)> {
    if !case.whole && !said.whole {
        let taken = |name| if said.wrong.contains(name) { Taken::ByZod } else { Taken::ByEnvsec };
        return said.wrong.symmetric_difference(&case.wrong).map(|name| (vec![name], taken(name))).collect();
    }
    // Who complains about all together names nothing to compare.
    let (by_zod, by_envsec) = (case.whole || !case.wrong.is_empty(), said.whole || !said.wrong.is_empty());
    let taken = if by_zod { Taken::ByEnvsec } else { Taken::ByZod };
    if by_zod == by_envsec { Vec::new() } else { vec![(one.traits.keys().collect(), taken)] }
}

/// The documented difference, or what is not one, in words.
fn explain(one: &Judged, case: &Case, names: &[&String], taken: Taken) -> Result<&'static str, String> {
    let variables: Vec<Variable<'_>> = names.iter().map(|name| Variable::of(one, case, name)).collect();
    let known = DIFFERENCES.iter().find(|known| known.taken == taken && variables.iter().any(known.applies));
    known.map(|known| known.what).ok_or_else(|| {
        let start = |text: &str| text.chars().take(80).collect::<String>();
        let shown = |of: &Variable<'_>| format!("{} {:?} {:?}", of.name, of.traits, of.value.map(start));
        format!("{}: taken {taken:?}: {}", one.schema, variables.iter().map(shown).collect::<Vec<_>>().join(", "))
    })
}

#[test]
fn verdicts_are_those_of_zod_but_for_the_documented_differences() {
    let (sandbox, judged) = oracle();
    let all: Vec<(usize, &Case)> =
        judged.iter().enumerate().flat_map(|(n, one)| one.cases.iter().map(move |case| (n, case))).collect();
    let said = in_parallel(all.len(), |at| envsec(&sandbox, &format!("{}.input.json", all[at].0), all[at].1));
    let (mut met, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for ((n, case), said) in all.iter().zip(&said) {
        for (names, taken) in disagreements(&judged[*n], case, said) {
            match explain(&judged[*n], case, &names, taken) {
                Ok(what) => drop(met.insert(what)),
                Err(disagreement) => drop(unknown.insert(disagreement)),
            }
        }
    }
    let unknown: Vec<String> = unknown.into_iter().collect();
    assert!(unknown.is_empty(), "{} disagreements:\n{}", unknown.len(), unknown.join("\n"));
    let never: Vec<&str> = DIFFERENCES.iter().map(|known| known.what).filter(|what| !met.contains(what)).collect();
    assert!(never.is_empty(), "listed, and never met: {never:#?}");
}

/// Schemas of which zod's two modes say different things: the text that is read, and what it is made into.
const OTHER_OUTPUT: &[&str] = &["stringbool", "prefault"];

#[test]
fn what_zod_emits_for_input_and_for_output_gives_the_same_verdict() {
    let (sandbox, judged) = oracle();
    let both = judged.iter().enumerate().filter(|(_, one)| !one.output.is_null());
    let all: Vec<(usize, &Case)> =
        both.flat_map(|(n, one)| one.cases.iter().step_by(8).map(move |case| (n, case))).collect();
    let said = in_parallel(all.len(), |at| {
        let (n, case) = all[at];
        ["input", "output"].map(|mode| envsec(&sandbox, &format!("{n}.{mode}.json"), case))
    });
    let differ = all.iter().zip(&said).filter(|(_, [input, output])| input != output);
    let differ: BTreeSet<&str> = differ.map(|((n, _), _)| judged[*n].schema.as_str()).collect();
    assert_eq!(differ, OTHER_OUTPUT.iter().copied().collect());
}

#[test]
fn a_record_of_named_values_is_checked_where_no_file_is() {
    let sandbox = Sandbox::new();
    // z.record(z.enum(['A', 'B']), z.string().min(2))
    let schema = r#"{"type": "object", "propertyNames": {"type": "string", "enum": ["A", "B"]},
        "additionalProperties": {"type": "string", "minLength": 2}, "required": ["A", "B"]}"#;
    sandbox.write("env.schema.json", schema);
    let validate =
        |value: &str| sandbox.envsec(["validate", "--process-only"]).variable("A", "ab").variable("B", value);
    validate("ab").succeeds();
    let expected = "error: env.schema.json: 1 problem\n  B: at least 2 characters: has 1\n";
    validate("b").fails(3, expected);
}
