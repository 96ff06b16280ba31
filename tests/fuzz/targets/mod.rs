//! The bodies of the fuzz targets. Each takes any bytes, makes what it needs of them, and asserts the laws of a parser or of
//! a format. A part of an input ends at the byte 0xFF, which is in no UTF-8 text: so a text file is an input as it is.

mod choices;
mod dotenv;
mod edit;
mod formats;
mod holder;
mod merge;
mod redact;
mod schema;
mod seal_message;
mod sealed;
mod words;

use envsec::secret::SecretText;
use envsec::vars::{Value, VarName, Vars};

/// A body.
type Target = fn(&[u8]);

/// Every target by its name, which is also that of its file in fuzz/fuzz_targets and of its folder in fuzz/corpus.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("dotenv", dotenv::dotenv),
    ("edit", edit::edit),
    ("import_dotenv", formats::dotenv_of_others),
    ("import_env0", formats::env0),
    ("import_json", formats::json),
    ("import_seed", formats::seed),
    ("merge", merge::merge),
    ("pattern", schema::pattern),
    ("redact", redact::redact),
    ("schema", schema::schema),
    ("seal_message", seal_message::seal_message),
    ("sealed", sealed::sealed),
    ("words", words::words),
];

/// The body of a target.
pub(crate) fn find(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}

/// The parts of an input.
fn parts(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == 0xff)
}

/// The bytes as a text that a variable can hold: what it cannot is left out.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|char| *char != '\0').collect()
}

fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).expect("a value that is short and has no NUL")
}

fn name(text: &str) -> VarName {
    text.parse().expect("a name")
}

/// Variables `V0`, `V1`, ... with these values.
fn vars<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Vars {
    let mut vars = Vars::default();
    for (number, bytes) in texts.enumerate() {
        vars.insert(name(&format!("V{number}")), value(&text(bytes)));
    }
    vars
}
