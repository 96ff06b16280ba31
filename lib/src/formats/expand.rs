//! `import --expand`: `$NAME`, `${NAME}` and `${NAME:-text}` in a value.

use crate::secret::SecretText;
use crate::vars::{MAX_VALUE, VarName};

/// Expands the references in a value. A `$` before anything but a name or a brace stays, as `$$`, `$5` and `$(...)` do: no
/// command is ever run. Other forms in braces, and a backslash before a `$`, are refused rather than guessed.
///
/// # Errors
/// What is wrong, without the name that is referred to: it is a part of a value.
pub(super) fn expand(text: &str, known: impl Fn(&str) -> Option<SecretText>) -> Result<SecretText, &'static str> {
    let mut out = SecretText::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, reference) = (&rest[..at], &rest[at + 1..]);
        if before.ends_with('\\') {
            return Err("a backslash before $ means different things to different tools: use single quotes");
        }
        push(&mut out, before)?;
        rest = match reference.strip_prefix('{') {
            Some(braced) => braced_reference(&mut out, braced, &known)?,
            None => bare_reference(&mut out, reference, &known)?,
        };
    }
    push(&mut out, rest)?;
    Ok(out)
}

/// `NAME}` or `NAME:-text}`; returns what follows.
fn braced_reference<'t>(
    out: &mut SecretText,
    braced: &'t str,
    known: &impl Fn(&str) -> Option<SecretText>,
) -> Result<&'t str, &'static str> {
    let (inside, after) = braced.split_once('}').ok_or("${ without }")?;
    let (name, fallback) = inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
    if VarName::try_from(name).is_err() || fallback.is_some_and(|text| text.contains(['$', '{'])) {
        return Err("only ${NAME} and ${NAME:-text} are expanded");
    }
    // As in a shell, `:-` also stands in for an empty value.
    let value = known(name).filter(|value| fallback.is_none() || !value.is_empty());
    match (&value, fallback) {
        (Some(value), _) => push(out, value.expose())?,
        (None, Some(text)) => push(out, text)?,
        (None, None) => return Err(UNKNOWN),
    }
    Ok(after)
}

/// `NAME` and what follows, or a `$` that stands for itself; returns what is left.
fn bare_reference<'t>(
    out: &mut SecretText,
    reference: &'t str,
    known: &impl Fn(&str) -> Option<SecretText>,
) -> Result<&'t str, &'static str> {
    let end = reference.find(|c: char| !is_name_char(c)).unwrap_or(reference.len());
    if VarName::try_from(&reference[..end]).is_err() {
        push(out, "$")?;
        return Ok(reference);
    }
    push(out, known(&reference[..end]).ok_or(UNKNOWN)?.expose())?;
    Ok(&reference[end..])
}

const UNKNOWN: &str = "refers to a variable that is set neither above nor in the process";

/// Appends, up to what a value may hold: references to references grow without bound otherwise.
fn push(out: &mut SecretText, more: &str) -> Result<(), &'static str> {
    if out.len() + more.len() > MAX_VALUE {
        return Err("the expanded value is too long");
    }
    out.push_str(more);
    Ok(())
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, &'static str> {
        let known = |name: &str| match name {
            "A" => Some(SecretText::from("1")),
            "EMPTY" => Some(SecretText::default()),
            "LONG" => Some(SecretText::from("x".repeat(MAX_VALUE))),
            _ => None,
        };
        expand(text, known).map(|text| text.expose().to_owned())
    }

    #[test]
    fn references_expand() {
        for (text, expected) in [
            ("$A-${A}", "1-1"),
            ("${B:-x}${A:-y}${EMPTY:-z}${EMPTY}", "x1z"),
            ("pa$$A", "pa$1"),
            ("5$ and $5 and $", "5$ and $5 and $"),
            ("$(id)", "$(id)"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_reference_is_refused() {
        for text in ["$B", "${B}", "${A", "${A:?x}", "${A-x}", "${B:-$A}", "${B:-${A}}", "${}", "\\$A", "$LONG$A"] {
            assert!(expanded(text).is_err(), "{text}");
        }
    }
}
