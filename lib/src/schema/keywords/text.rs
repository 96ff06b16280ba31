//! `minLength`, `maxLength`, `pattern`, `format`: rules of texts. Lengths count code points.

use super::super::error::SchemaError;
use super::super::evaluate::{At, Value};
use super::super::format::{self, Format};
use super::super::load::Found;
use super::super::node::{Expected, Keyword, Special};
use super::super::pattern::Pattern;
use super::super::report::Problem;
use super::{count, counted, test};

/// `minLength`; 0 says that an empty variable is one.
pub(super) fn min_length(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let least = count(found)?;
    Ok(MinLength {
        least,
        expected: Expected { noun: false, words: format!("at least {}", counted(least, "character")) },
    })
}

struct MinLength {
    least: usize,
    expected: Expected,
}

impl Keyword for MinLength {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Value::String(text) = at.value else { return };
        let length = text.chars().count();
        if length < self.least {
            problems.push(at.problem("minLength", self.expected.words.clone(), format!("has {length}")));
        }
    }

    fn expected(&self) -> Option<&Expected> {
        (self.least > 0).then_some(&self.expected)
    }

    fn admits(&self, special: Special) -> bool {
        special == Special::Empty && self.least == 0
    }
}

/// `maxLength`.
pub(super) fn max_length(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let most = count(found)?;
    Ok(test(found, format!("at most {}", counted(most, "character")), move |value| match value {
        Value::String(text) => Some(text.chars().count()).filter(|&length| length > most).map(|l| format!("has {l}")),
        _ => None,
    }))
}

/// `pattern`: an ECMA-262 regular expression, unanchored.
pub(super) fn pattern(found: &Found<'_, '_>) -> Result<impl Keyword + use<>, SchemaError> {
    let source = found.json.as_str().ok_or_else(|| found.error("is no text"))?;
    let pattern = Pattern::parse(source).map_err(|error| found.error(error.to_string()))?;
    Ok(Matching { expected: Expected { noun: false, words: words(source) }, pattern })
}

/// What a pattern expects; in plain words where it is what `startsWith` and its like become.
fn words(source: &str) -> String {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'@'));
    let start = source.strip_prefix('^').map(|rest| rest.strip_suffix(".*").unwrap_or(rest));
    let end = source.strip_suffix('$').map(|rest| rest.strip_prefix(".*").unwrap_or(rest));
    match (start.filter(|text| plain(text)), end.filter(|text| plain(text))) {
        (Some(start), _) => format!("beginning with {start}"),
        (_, Some(end)) => format!("ending with {end}"),
        _ => format!("matching /{source}/"),
    }
}

struct Matching {
    pattern: Pattern,
    expected: Expected,
}

impl Keyword for Matching {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Value::String(text) = at.value else { return };
        let wrong = match self.pattern.is_match(text) {
            Ok(true) => return,
            Ok(false) => format!("does not match{}", at.length()),
            Err(_) => "the pattern came to no answer within its bound of steps".to_owned(),
        };
        problems.push(at.problem("pattern", self.expected.words.clone(), wrong));
    }

    fn expected(&self) -> Option<&Expected> {
        Some(&self.expected)
    }
}

/// `format`; one that is not asserted is an annotation.
pub(super) fn format(found: &Found<'_, '_>) -> Result<Option<impl Keyword + use<>>, SchemaError> {
    let name = found.json.as_str().ok_or_else(|| found.error("is no text"))?;
    Ok(format::find(name)
        .map(|format| Formatted { format, expected: Expected { noun: true, words: format.expected.to_owned() } }))
}

struct Formatted {
    format: &'static Format,
    expected: Expected,
}

impl Keyword for Formatted {
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>) {
        let Value::String(text) = at.value else { return };
        if !(self.format.accepts)(text) {
            problems.push(at.problem("format", self.expected.words.clone(), format!("is none{}", at.length())));
        }
    }

    fn expected(&self) -> Option<&Expected> {
        Some(&self.expected)
    }

    fn advice(&self, text: &str) -> Option<&'static str> {
        if self.format.name.contains("uri") { format::uri_warning(text) } else { None }
    }
}
