//! The schema's patterns against RegExp of node, live, and their bounds.
//!
//! Node reads a pattern with the flag `u` where it can, and without it otherwise. Both refuse a pattern, or both take it
//! and agree on every text. The differences, all of them refusals of ours:
//!
//! - what only a RegExp without `u` reads, and reads as something that nobody meant: [`ANNEX_B_REFUSED`];
//! - [`UNSUPPORTED`];
//! - `PatternError::TooLarge`, and `PatternError::Limit` where node would go on for a long time.
//!
//! Without `u` a RegExp sees UTF-16 units where envsec sees characters: such patterns are compared on texts of the Basic
//! Multilingual Plane. `\u{62}`, which is 62 times u to it, is a b to envsec in any pattern; no case mixes the two.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use envsec::schema::{Pattern, PatternError};
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Messages for what only a RegExp without the flag `u` reads: `\A` is A to it, `\1` without a group is U+0001, `\k` is
/// k, and a lookahead may be repeated.
const ANNEX_B_REFUSED: [&str; 5] = [
    "no such escape",
    "a reference to a group that is not there",
    r"\k needs the <name> of a group",
    "not the name of a group",
    "nothing to repeat",
];

/// Messages for what envsec does not have.
const UNSUPPORTED: [&str; 2] = [r"\p{...} is", "more than 50 groups in each other are"];

/// Node finds it between the two halves of one character, flag `u` or not.
const BETWEEN_SURROGATES: &str = r"\B";

struct Case {
    pattern: String,
    texts: Vec<String>,
}

fn case(pattern: impl Into<String>, texts: &[&str]) -> Case {
    Case { pattern: pattern.into(), texts: texts.iter().map(|text| (*text).to_owned()).collect() }
}

/// What node says of a pattern: its flags, if it reads it, and for each text whether it matches.
#[derive(Debug)]
struct Answer {
    flags: Option<String>,
    matches: Vec<bool>,
}

/// One process for all cases.
fn ask_node(cases: &[Case]) -> Vec<Answer> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/regexp.cjs");
    let mut child = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("node cannot be started ({error}): run ./tests/run.sh first"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let line = |case: &Case| serde_json::json!({ "pattern": case.pattern, "texts": case.texts }).to_string() + "\n";
    let lines: String = cases.iter().map(line).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads everything");
    assert!(output.status.success(), "node failed");
    let answers: Vec<Answer> = std::str::from_utf8(&output.stdout).expect("JSON").lines().map(answer).collect();
    assert_eq!(answers.len(), cases.len(), "an answer for every pattern");
    answers
}

fn answer(line: &str) -> Answer {
    let value: serde_json::Value = serde_json::from_str(line).expect("an answer is JSON");
    let matches = value["matches"].as_array().expect("a list").iter().map(|one| one.as_bool().expect("a verdict"));
    Answer { flags: value["flags"].as_str().map(str::to_owned), matches: matches.collect() }
}

/// What is wrong with ours, held against node's answer.
fn difference(case: &Case, node: &Answer) -> Option<String> {
    let told = |what: String| Some(format!("{:?}: {what}; node: {node:?}", case.pattern));
    match (Pattern::parse(&case.pattern), node.flags.as_deref()) {
        (Ok(pattern), Some(flags)) => {
            let texts = case.texts.iter().zip(&node.matches);
            let units = flags.is_empty() || case.pattern == BETWEEN_SURROGATES;
            let comparable = texts.filter(|(text, _)| !units || text.chars().all(|one| one <= '\u{FFFF}'));
            let wrong: Vec<_> = comparable
                .map(|(text, expected)| (text, pattern.is_match(text), expected))
                .filter(|(_, ours, expected)| ours.as_ref() != Ok(*expected) && *ours != Err(PatternError::Limit))
                .collect();
            if wrong.is_empty() { None } else { told(format!("(text, ours, node's) {wrong:?}")) }
        }
        (Ok(_), None) => told("node refuses it".to_owned()),
        (Err(PatternError::Syntax { .. }), None) => None,
        (Err(PatternError::Syntax { what, .. }), Some("")) if ANNEX_B_REFUSED.contains(&what) => None,
        (Err(PatternError::Unsupported { what, .. }), _) if UNSUPPORTED.contains(&what) => None,
        (Err(error), _) => told(error.to_string()),
    }
}

/// As many of the cases that ours reads as node does.
fn agree(cases: &[Case]) -> usize {
    let answers = ask_node(cases);
    let wrong: Vec<_> = cases.iter().zip(&answers).filter_map(|(case, node)| difference(case, node)).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases.iter().filter(|case| Pattern::parse(&case.pattern).is_ok()).count()
}

const TEXTS: [&str; 63] = [
    "", "a", "b", "ab", "ba", "aa", "aab", "abc", "aaa", "abab", "A", "Z", "z", "0", "7", "12", "a1", "_", "-", ".",
    "/", "\\", "[", "]", "{", "}", "a{", "a{,2}", "a{1", "{}", "(", ")", "^", "$", "&", "~", "a&&b", "[a", "[a]", "'",
    "@", "#", " ", "\t", "\n", "a\n", "\na", "\r", "\u{b}", "\u{8}", "\0", "\u{1}", "\u{a0}", "\u{feff}", "\u{2028}",
    "\u{85}", "é", "٣", "ß", "😀", "a😀b", "\u{ffff}", "\u{7f}",
];

/// What zod 4 emits for its string formats, and texts that nearly are of that format.
const ZOD: [(&str, &[&str]); 22] = [
    (
        r"^(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$",
        &[
            "a@b.co",
            "first.last+tag@mail.example.com",
            "a..b@c.de",
            ".a@b.co",
            "a@b",
            "a@-b.co",
            "o'x@b.co",
            "a@b.co\n",
        ],
    ),
    (
        r"^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$",
        &[
            "550e8400-e29b-41d4-a716-446655440000",
            "550e8400-e29b-91d4-a716-446655440000",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "550e8400e29b41d4a716446655440000",
        ],
    ),
    (
        r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])$",
        &["127.0.0.1", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4 ", "1a2a3a4"],
    ),
    (
        r"^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))$",
        &["::", "::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", ":::"],
    ),
    (
        r"^$|^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$",
        &["", "YQ==", "YWI=", "YWJj", "YQ=", "YQ", "YW-j", "aGVsbG8gd29ybGQ="],
    ),
    (r"^[0-9a-fA-F]*$", &["", "00ff", "0xff", "FG"]),
    (
        r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))$",
        &["2024-02-29", "2023-02-29", "2000-02-29", "1900-02-29", "2024-04-31", "2024-12-31", "٢٠٢٤-12-31"],
    ),
    (
        r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z))$",
        &["2024-02-29T23:59:59Z", "2024-02-29T24:00:00Z", "2024-02-29T23:59:59.123Z", "2024-02-29T23:59:59"],
    ),
    (
        r"^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$",
        &["P1D", "P3W", "P1Y2M3DT4H5M6S", "P", "PT", "P1DT", "P1W2D", "PT0.5S", "PT1,5S", "P1S"],
    ),
    (
        r"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\/([0-9]|[1-2][0-9]|3[0-2])$",
        &["10.0.0.0/8", "10.0.0.0/33", "10.0.0.0", "10.0.0/8"],
    ),
    (
        r"^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$",
        &["example.com", "example.com.", "-a.com", "a-.com", "a..b", "a_b.com", "localhost"],
    ),
    (r"^sk_.*", &["sk_live_1", "sk_", "pk_live_1", " sk_"]),
    (r"^whsec_.*", &["whsec_1", "whsec", "xwhsec_"]),
    (r".*x$", &["x", "ax", "x\n", "\nx", "xa"]),
    (r"a\.b", &["a.b", "1a.b2", "axb"]),
    (r"^[a-z]+$", &["abc", "aBc", "", "abc\n"]),
    (r"^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$", &["01ARZ3NDEKTSV4RRFFQ69G5FAV", "81ARZ3NDEKTSV4RRFFQ69G5FAV"]),
    (r"^[a-zA-Z0-9_-]{21}$", &["V1StGXR8_Z5jdHi6B-myT", "V1StGXR8_Z5jdHi6B-my"]),
    (r"^[cC][^\s-]{8,}$", &["cjld2cjxh0000qzrmn831i7rn", "c jld2cjxh0000", "Cabcdefgh", "cabc\u{feff}efghi"]),
    (r"^[0-9a-z]+$", &["tz4a98xxat96iws9zmbrgj3a", "A"]),
    (r"^[0-9a-vA-V]{20}$", &["9m4e2mr0ui3e8a215n4g", "9m4e2mr0ui3e8a215n4w"]),
    (r"^[A-Za-z0-9]{27}$", &["0ujtsYcgvSTl8PAuAdqWYSMnLOv", "0ujtsYcgvSTl8PAuAdqWYSMnLO-"]),
];

/// What means something else, or something at all, to other engines; and what people write.
const NASTY: &[&str] = &[
    // classes
    r"[[a]",
    r"[a&&b]",
    r"[a--b]",
    r"[a~~b]",
    r"[a&&[b]]",
    r"[[a]]",
    r"[[:alpha:]]",
    r"[]",
    r"[^]",
    r"[]a]",
    r"[^]a]",
    r"^[^]$",
    r"[a-]",
    r"[-a]",
    r"[a-b-z]",
    r"[\w-.]",
    r"[\w-\.]",
    r"[a-\d]",
    r"[\d-z]",
    r"[^\W\d]",
    r"[^\s\S]",
    r"[\s\S]",
    r"[\b]",
    r"[\B]",
    r"[\]]",
    r"[\^a]",
    r"[a^]",
    r"[z-a]",
    r"[a",
    r"[",
    r"[\",
    r"[a-",
    r"[\-]",
    r"[!--]",
    r"[ #]",
    r"[{}]",
    r"[(|)]",
    r"[.]",
    r"[$]",
    r"[\/]",
    r"[é]",
    r"[😀]",
    r"^[😀-😂]$",
    r"[^😀]",
    r"[\0]",
    r"[\01]",
    r"[\1]",
    r"[\cA]",
    r"[\c]",
    r"[\c1]",
    r"[\x61]",
    r"[\x6]",
    r"[\u0061-\u0063]",
    r"[\u{61}]",
    r"[\u{1F600}]",
    r"[\x7f-\x9f]",
    r"[\uD83D\uDE00]",
    r"[\uD83D]",
    r"[\uD800-\uDFFF]",
    r"[\k]",
    r"[\p]",
    r"[\d]",
    r"[\D]",
    r"[\w]",
    r"[\W]",
    r"[\s]",
    r"[\S]",
    r"[\a]",
    r"[\e]",
    r"[\n-\r]",
    // escapes
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    r"^\S$",
    r"^\W$",
    r"\t",
    r"\n",
    r"\v",
    r"\f",
    r"\r",
    r"\0",
    r"\00",
    r"\01",
    r"\08",
    r"\1",
    r"\8",
    r"\10",
    r"\cA",
    r"\cj",
    r"\c",
    r"\c1",
    r"\x41",
    r"\x4",
    r"\x",
    r"\x{41}",
    r"\u0041",
    r"\u004",
    r"\u{41}",
    r"\u{0000041}",
    r"\u{110000}",
    r"\u{}",
    r"\u{41",
    r"\u{FFFFFFFFFFFF}",
    r"\u",
    r"^\uD83D\uDE00$",
    r"\uD83D",
    r"\uDE00",
    r"\uD83D\u0041",
    r"\uD83D\",
    r"\-",
    r"\/",
    r"\_",
    r"\'",
    r"\@",
    r"\#",
    r"\&",
    r"\~",
    r"\ ",
    r#"\""#,
    r"\`",
    r"\.",
    r"\\",
    r"\^",
    r"\$",
    r"\*",
    r"\+",
    r"\?",
    r"\(",
    r"\)",
    r"\[",
    r"\]",
    r"\{",
    r"\}",
    r"\|",
    r"\,",
    r"\<",
    r"\>",
    r"\=",
    r"\!",
    r"\:",
    r"\;",
    r"\%",
    r"\é",
    r"\",
    r"a\",
    r"\a",
    r"\e",
    r"\A",
    r"\z",
    r"\Z",
    r"\h",
    r"\H",
    r"\R",
    r"\K",
    r"\G",
    r"\X",
    r"\N",
    r"\O",
    r"\Q",
    r"\E",
    r"\i",
    r"\l",
    r"\y",
    r"\g<1>",
    r"\g1",
    r"\k",
    r"\k<",
    r"\k<a>",
    r"\k'a'",
    r"\pL",
    r"\p{L}",
    r"\P{Lu}",
    r"\p{Script=Greek}",
    r"\U00000041",
    r"\C-a",
    // anchors and boundaries
    r"^",
    r"$",
    r"^$",
    r"a$",
    r"^a",
    r"a^",
    r"$a",
    r"\ba",
    r"a\b",
    r"\Ba",
    r"a\B",
    r"\b",
    r"\B",
    r"^\b",
    r"\bé",
    r"\Bé",
    r"\b{start}",
    r"\b{1}",
    r"\b+",
    r"\b*",
    r"^*",
    r"$?",
    r"^{2}",
    r"^\B$",
    r"\b\B",
    r"(?:^|b)a",
    r"(?:a|$)",
    r".",
    r"^.$",
    r"^..$",
    r"a.b",
    r"^.*$",
    // quantifiers
    r"*",
    r"+",
    r"?",
    r"a**",
    r"a*+",
    r"a++",
    r"a?+",
    r"a+?",
    r"a*?",
    r"a??",
    r"a???",
    r"a{2}",
    r"a{2,}",
    r"a{1,2}",
    r"^a{2}$",
    r"^a{2,}$",
    r"^a{0}$",
    r"^a{0,0}b$",
    r"a{2}?",
    r"a{2}+",
    r"a{2}{3}",
    r"a{2,1}",
    r"a{,2}",
    r"a{,}",
    r"a{",
    r"a{1",
    r"a{1,",
    r"a{}",
    r"a{a}",
    r"a{ 1}",
    r"a{1, 2}",
    r"{",
    r"}",
    r"{}",
    r"{1}",
    r"{1",
    r"a|{1}",
    r"({1})",
    r"{,2}",
    r"]",
    r"a]",
    r"x{0}",
    r"^(?:a{1,2}){2}$",
    r"^(?:a|ab)(?:c|bcd)?$",
    r"|*",
    r"(*)",
    r"(?:*a)",
    r"a|*",
    r"(?=*)",
    r"^(?:a|)+$",
    r"^(?:|a)+$",
    r"^(?:a?)*$",
    r"^(?:|a)*b$",
    r"^(?:a*)*b$",
    r"^(?:a*?)+b$",
    r"^(?:a|b|)*?c$",
    r"^(?:|a){2}b$",
    // groups
    r"(",
    r")",
    r"()",
    r"(a",
    r"a)",
    r"(?",
    r"(?)",
    r"(?a)",
    r"(?:)",
    r"(?:a)",
    r"(?:",
    r"(?=",
    r"(?i)a",
    r"(?i:a)",
    r"(?-i:a)",
    r"(?s).",
    r"(?x) a",
    r"(?m)^a",
    r"(?u)a",
    r"(?>a)",
    r"(?|a)",
    r"(?#a)",
    r"(?P<n>a)",
    r"(?P=n)",
    r"(?P>n)",
    r"(?'n'a)",
    r"(?(1)a|b)",
    r"(a)?(?(1)b|c)",
    r"(?~a)",
    r"(?R)",
    r"(?1)",
    r"(?&n)",
    r"(*FAIL)",
    r"(*ACCEPT)",
    r"(?<n>a)",
    r"(?<n>a",
    r"(?<>a)",
    r"(?<1>a)",
    r"(?<n1>a)\k<n1>",
    r"(?<n>a)(?<n>b)",
    r"(?<n>a)|(?<n>b)",
    r"(?<é>a)\k<é>",
    r"(?<$>a)",
    r"(?<_a>a)",
    r"(?<a-b>a)",
    r"(?<n>a)\k<m>",
    r"\k<n>(?<n>a)",
    r"(?<n>a)\k",
    r"(?<n>a)\k<n",
    r"(?<n>a)\1",
    r"||",
    r"a||b",
    r"(|)",
    r"a|b",
    // references
    r"(a)\1",
    r"(a)\2",
    r"\1(a)",
    r"(a\1)",
    r"^(a\1)$",
    r"(a)\10",
    r"(a)\1{2}",
    r"(a)\1*b",
    r"(a)|\1b",
    r"^(?:(a)|b\1)$",
    r"^(a)?\1b$",
    r"^(a)?b\1$",
    r"^(?:(a)|b)*\1$",
    r"^(?:(a)|(b))+\2$",
    r"^(a*)*\1$",
    r"^(a|b)*\1$",
    r"^(a|b|)*\1$",
    r"^(?:(a|b)\1)+$",
    r"^(?:(a)?b\1)+$",
    r"(?=(a))\1",
    r"(?=(a+))\1b",
    r"(?!(a))\1b",
    r"(?!(a)b)\1",
    r"^(.)(.)\2\1$",
    r"(?<=\1(a))",
    r"(?<=(a))\1",
    r"(?<!(a))\1b",
    r"(a)(?<=\1)",
    r"^(?<q>['#]).*\k<q>$",
    r"(a)\011",
    r"(a)[\1]",
    r"((a)\2)\1",
    r"^(?:\1(a))+$",
    r"^(?:\2b|(a)(c))+$",
    r"(a)\1?",
    r"(a)(?:\1)+",
    r"(a){0}\1b",
    r"(a){0,1}\1b",
    r"(?:(a){2}b)+\1",
    // references and what a round of a loop leaves of a group
    r"^(?:(a)|b)*\1c$",
    r"^(?:(a)|(b)|c)*\1\2$",
    r"^(?:(a)?(b)?c?)*\1\2$",
    r"^(?:(a)|b){2}\1$",
    r"^(?:(a)|b){0,2}?\1$",
    r"^(?:(a*)b?)*?\1$",
    r"^(?:(a|)b?)+\1$",
    r"^(?:(a(b)?)+\2)*$",
    r"^((a)|b\2)*$",
    r"^(?:(?=(a))|b)*\1b$",
    r"^(?:(?=(a)|b)[ab]\1?)*$",
    r"^(z)((a+)?(b+)?(c))*\3$",
    r"^(?:(a\1b?)|b)+$",
    r"(?<=(a)\1)b",
    r"(?<=\1(a))b",
    r"(?<=(a)|b)\1",
    r"(?<=(\w)+)-\1",
    r"(?<=(\w){2})\1",
    r"(?<=([ab]+)([ab]+))\2",
    r"(?<=^(a?)(a?)b)\1\2?$",
    r"(?<!(a)|b)\1b",
    r"(?<=(?=(a))a)\1",
    r"(?<=(?<=(a))b)\1",
    r"(?=(?<=(a))b)b\1",
    r"(?<=a(?=b(?<=(ab))))b(?=\1?)",
    r"(?<n>a)|\k<n>b",
    r"^(?:(?<n>a)|b)*\k<n>$",
    r"\2(a)(b)\2",
    // rounds that take nothing
    r"^(?:a*|b)*$",
    r"^(?:a*|b)+?c$",
    r"^(?:a??)*b$",
    r"^(?:(?:a?)*b?)*c$",
    r"^(?:(?:)*)*$",
    r"^(?:){3}a$",
    r"^(?:|a){2,3}$",
    r"^(?:|a){2,3}?b$",
    r"^(?:a|){3,}b$",
    r"^(a?){2}\1$",
    r"^(a?)*?\1b$",
    r"^(?:(a?)|b){2,}\1$",
    r"^(?:^a|\b|b)*$",
    r"(?:$)*$",
    r"(?:a\B){2}",
    r"(?:(?<=a)|b)*c",
    r"(?:(?!a)){2}b",
    // lookaround
    r"a(?=b)",
    r"a(?!b)",
    r"(?<=a)b",
    r"(?<!a)b",
    r"(?=a)*",
    r"(?=a)?b",
    r"(?!a){2}",
    r"(?<=a)*",
    r"(?<!a)?",
    r"(?:(?=a))*",
    r"(?:(?!a))?b",
    r"(?<=a+)b",
    r"(?<=a|bc)b",
    r"(?<!a*)b",
    r"(?<=^a)b",
    r"(?<=(?=a)a)b",
    r"(?<=(?<!b)a)b",
    r"(?<=a$)",
    r"(?<=\ba)b",
    r"(?<!^)b",
    r"(?=a|b)(?!b)",
    r"^(?!.*b)",
    r"^(?=.*a)(?=.*b)",
    r"(?<=a{1,2})b",
    r"(?<=[^a])b",
    r"(?<=.)\n",
    r"(?<==a)",
    r"(?<=)",
    r"(?!)",
    r"(?=)",
    r"(?<!)",
    r"(?<!)|a",
    r"^(?:(?!ab).)*$",
    r"(?<=\s)\S",
    r"(?<![\s\S])a",
    r"()*",
    r"(?:)+",
    r"(^)*a",
    r"(?:^)?b",
    r"(?:^a|b)+",
    r"(?:\b)*a",
    r"(?:(?=a)a)+b",
    r"(?:(?=a)|b)+",
    r"(?:(?!a)|b)*a$",
    // plain characters that are syntax elsewhere
    r" ",
    r"#",
    r"a #b",
    r"&",
    r"&&",
    r"~",
    r"-",
    r"/",
    r"<",
    r"'",
    "\n",
    "a\nb",
    "\u{2028}",
    "é",
    "😀",
    "^😀{2}$",
    "^(?:😀)$",
];

#[test]
fn what_zod_emits_matches_as_in_javascript() {
    let cases: Vec<Case> = ZOD.iter().map(|(pattern, texts)| case(*pattern, &[*texts, &TEXTS].concat())).collect();
    assert_eq!(agree(&cases), ZOD.len(), "every one is read");
}

#[test]
fn syntax_that_engines_read_differently_is_read_as_in_javascript_or_refused() {
    let cases: Vec<Case> = NASTY.iter().map(|pattern| case(*pattern, &TEXTS)).collect();
    let read = agree(&cases);
    assert!(read * 5 > cases.len() * 3, "only {read} of {} are read", cases.len());
}

/// The same random numbers in every run, so that a failure comes back.
fn rng() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}

fn pick<'a>(rng: &mut TestRng, from: &[&'a str]) -> &'a str {
    from[rng.random_range(0..from.len())]
}

const ATOMS: [&str; 34] = [
    "a", "a", "b", "b", "c", "a", "b", ".", "[ab]", "[^a]", "[^b]", r"\w", r"\W", r"\d", r"\s", r"\S", "^", "$", r"\b",
    r"\B", r"\1", r"\2", r"\1", "[b-]", "[]", "[^]", "]", "{", r"\-", r"\x61", r"\u0062", "[[a]", "[a&&b]", r"\k<n>",
];
const OPENERS: [&str; 12] = ["(", "(", "(", "(?:", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "("];
const QUANTIFIERS: [&str; 16] = ["", "", "", "", "", "", "", "*", "+", "?", "*?", "+?", "{2}", "{0,2}", "{1,}?", "??"];

fn random_pattern(rng: &mut TestRng, depth: usize) -> String {
    let mut pattern = String::new();
    for _ in 0..rng.random_range(1..=3) {
        if depth > 0 && rng.random_range(0..3) == 0 {
            pattern += &(pick(rng, &OPENERS).to_owned() + &random_pattern(rng, depth - 1) + ")");
        } else {
            pattern += pick(rng, &ATOMS);
        }
        pattern += pick(rng, &QUANTIFIERS);
        if rng.random_range(0..5) == 0 {
            pattern.push('|');
        }
    }
    pattern
}

fn random_text(rng: &mut TestRng) -> String {
    const LETTERS: [&str; 12] = ["a", "a", "a", "b", "b", "b", "c", "1", "-", "\n", " ", "é"];
    (0..rng.random_range(0..=6)).map(|_| pick(rng, &LETTERS)).collect()
}

/// Texts of two letters, all up to five of them, and random ones.
fn texts(rng: &mut TestRng) -> Vec<String> {
    let binary = |bits: u32| (0..bits.ilog2()).map(|bit| if bits >> bit & 1 == 1 { 'a' } else { 'b' }).collect();
    (1..64).map(binary).chain((0..12).map(|_| random_text(rng))).collect()
}

#[test]
fn random_patterns_match_as_in_javascript() {
    let mut rng = rng();
    let random = |_| {
        let anchored = if rng.random_range(0..2) == 0 { "^" } else { "" };
        let end = if rng.random_range(0..2) == 0 { "$" } else { "" };
        let pattern = format!("{anchored}{}{end}", random_pattern(&mut rng, 3));
        Case { pattern, texts: texts(&mut rng) }
    };
    let cases: Vec<Case> = (0..10_000).map(random).collect();
    let read = agree(&cases);
    assert!(read > 4000, "only {read} of {} are read", cases.len());
}

/// Patterns that node reads one and all: loops in loops, what takes nothing, and references into and out of all of it.
fn random_loops(rng: &mut TestRng, depth: usize) -> String {
    const ATOMS: [&str; 14] = ["a", "a", "b", "b", ".", "[ab]", "[^a]", r"\1", r"\2", r"\3", "$", r"\b", r"\B", "(?:)"];
    const LOOKS: [&str; 4] = ["(?=", "(?!", "(?<=", "(?<!"];
    let mut pattern = String::new();
    for part in 0..rng.random_range(1..=3) {
        if part > 0 && rng.random_range(0..4) == 0 {
            pattern.push('|');
        }
        let kind = if depth == 0 { 9 } else { rng.random_range(0..10) };
        let open = match kind {
            0..3 => "(",
            3..5 => "(?:",
            5..7 => pick(rng, &LOOKS),
            _ => "",
        };
        let inner = if open.is_empty() { pick(rng, &ATOMS).to_owned() } else { random_loops(rng, depth - 1) + ")" };
        let repeatable = !open.starts_with("(?") || open == "(?:";
        pattern += open;
        pattern += &inner;
        if repeatable && !["$", r"\b", r"\B"].contains(&inner.as_str()) {
            pattern += pick(rng, &QUANTIFIERS);
        }
    }
    pattern
}

#[test]
fn loops_groups_and_lookarounds_match_as_in_javascript() {
    let mut rng = rng();
    let random = |_| {
        let anchored = pick(&mut rng, &["", "^"]);
        // So that there are three groups.
        let pattern = format!("{anchored}(?:{})()()()$", random_loops(&mut rng, 2));
        Case { pattern, texts: texts(&mut rng) }
    };
    let cases: Vec<Case> = (0..10_000).map(random).collect();
    assert_eq!(agree(&cases), cases.len(), "every one is read");
}

/// Any characters, so that nothing panics and what is read is read alike.
#[test]
fn random_characters_are_read_as_in_javascript_or_refused() {
    const PIECES: [&str; 36] = [
        "(", ")", "(?", "?:", "?=", "?<", "<", ">", "=", "!", "[", "]", "^", "$", "\\", "-", "{", "}", ",", "1", "2",
        "0", "*", "+", "?", ".", "|", "a", "b", "u", "x", "c", "k", "n", "&", "é",
    ];
    let mut rng = rng();
    let random = |_| {
        let pattern: String = (0..rng.random_range(1..=8)).map(|_| pick(&mut rng, &PIECES)).collect();
        case(pattern, &TEXTS[..40])
    };
    let cases: Vec<Case> = (0..10_000).map(random).collect();
    let read = agree(&cases);
    assert!(read > 1000, "only {read} of {} are read", cases.len());
}

fn refusal(pattern: &str) -> PatternError {
    let read = Pattern::parse(pattern).map(drop);
    read.expect_err("it is refused")
}

#[test]
fn an_error_says_where_and_what() {
    let told = |pattern| refusal(pattern).to_string();
    assert_eq!(told("ab)"), "character 3: a ) without its (");
    assert_eq!(told("é(b"), "character 2: the group is never closed");
    assert_eq!(told(r"a\A"), "character 2: no such escape");
    assert_eq!(told("a**"), "character 3: nothing to repeat");
    assert_eq!(told("(?i)a"), "character 1: no such kind of group");
    assert_eq!(told("[b-a]"), "character 2: the range is in the wrong order");
    assert_eq!(told(r"(a)\2"), "character 4: a reference to a group that is not there");
    assert_eq!(told(r"\p{L}"), r"character 1: \p{...} is not supported");
}

fn verdict(pattern: &str, text: &str) -> Result<bool, PatternError> {
    Pattern::parse(pattern).and_then(|pattern| pattern.is_match(text))
}

#[test]
fn a_number_in_braces_is_that_of_any_character() {
    assert_eq!(verdict(r"^\u{10ffff}$", "\u{10ffff}"), Ok(true));
    for none in [r"\u{110000}", r"\u{fffffffffffffffff}"] {
        assert_eq!(refusal(none).to_string(), "character 1: no such escape", "{none}");
    }
}

/// Node takes exponentially many steps for most of them, and would never be back.
#[test]
fn backtracking_stops_at_its_bound() {
    let text = "a".repeat(5000) + "!";
    for pattern in [
        "(a+)+$",
        "(a|a)*b",
        "^(?:a*)*$",
        r"^(\w+\s?)*$",
        r"^(\w+\s?)*\1$",
        r"^(?:(?=a)a+)+$",
        r"^(?:(?!b)\w+\s?)*$",
        r"^(?:(?!b)a|a)*$",
        r"(?:(?=a)a|a)*b",
        r"(a*)(a*)(a*)\1\2\3b",
        "(?<=b(?:a|a)*)!",
        "^(?=(?:a|a)*b)",
        "^(?!(?:a|a)*b)",
        "(?:(?:(?:){1000}){2}a)*b",
    ] {
        assert_eq!(verdict(pattern, &text), Err(PatternError::Limit), "{pattern}");
    }
}

/// Quadratic, with few steps back.
#[test]
fn looking_through_a_long_text_again_and_again_stops_at_the_bound() {
    let text = "a".repeat(100_000) + "!";
    for pattern in ["^(?:(?=.*!)a)*!", "(?<=b.*a)!|(?<=b.*a)a", "^(?:(?=(a+))a)*b", "a.*b", r"(?:a+)?b", r"^(a*)\1b"] {
        assert_eq!(verdict(pattern, &text), Err(PatternError::Limit), "{pattern}");
    }
}

#[test]
fn what_is_put_aside_has_its_bound() {
    let pattern = r"^(?:(a)|b\1)*$";
    assert_eq!(verdict(pattern, &"a".repeat(100_000)), Ok(true));
    assert_eq!(verdict(pattern, &"a".repeat(1 << 20)), Err(PatternError::Limit));
}

#[test]
fn a_mebibyte_is_matched_by_what_looks_at_each_character_a_few_times() {
    let text = "a".repeat(1 << 20);
    for (pattern, expected) in [
        (r"^[\s\S]*$", true),
        (r"^(?:a|b)*$", true),
        (r"^(?:a|b)+?$", true),
        ("^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$", true),
        (r"^(?=.*a$)(?!.*b)(?<!b)", true),
        (r"^(a*)(?<=^\1)$", true),
        // Comparing them takes a step for some bytes at once.
        (r"^(a*)(?<=^\1)(?<=^\1)(?<=^\1)$", true),
        ("^(?:(?!ab).)*$", true),
        // They are tried once, not once for each character.
        (".*x$", false),
        ("a+b", false),
        ("[^x]*?y", false),
        ("^[^x]*y", false),
        (r"\bfoo\b", false),
        ("(?<=b)a", false),
    ] {
        assert_eq!(verdict(pattern, &text), Ok(expected), "{pattern}");
    }
}

#[test]
fn sizes_have_their_bounds() {
    for pattern in [
        "a{1000000}".to_owned(),
        "((a{1000}){1000}){1000}".to_owned(),
        "((a{1000}){1000}){0,1000}?".to_owned(),
        "a{99999999999999999999999}".to_owned(),
        "(?:a{200}b{200}){100}".to_owned(),
        "a".repeat(10_001),
        "(?:a{15000})(?:b{15000})".to_owned(),
        "(?:a{15000})(?:b{5000})".to_owned(),
    ] {
        assert_eq!(refusal(&pattern), PatternError::TooLarge, "{pattern:.40}");
    }
    let groups = "(a)".repeat(60);
    for pattern in
        ["a{10000}", r"[^\s]{2000}", r".{0,2000}", r"^(?=.{1,2000}$)a", "(?:a{15000})(?:b{4999})", &groups, "{a", "a|{"]
    {
        let read = Pattern::parse(pattern).map(drop);
        assert_eq!(read, Ok(()), "{pattern}");
    }
}

#[test]
fn nested_groups_are_refused_before_the_stack_ends() {
    for open in ["(", "(?:", "(?=", "(?<=", "(?<!", "(a|"] {
        assert!(matches!(refusal(&open.repeat(2000)), PatternError::Unsupported { .. }), "{open}");
        let closed = |depth| Pattern::parse(&(open.repeat(depth) + "a" + &")".repeat(depth)));
        assert_eq!(closed(50).map(drop), Ok(()), "{open}");
        assert!(closed(51).is_err(), "{open}");
    }
}
