//! A new value: generated, asked for, or from standard input; what `set` and `rotate` have in common.

use super::Ctx;
use crate::error::{Failure, Result, Status};
use crate::fs;
use crate::generate::{Kind, UnknownKind};
use crate::project::{Declaration, Outside as _};
use crate::secret::SecretText;
use crate::vars::{MAX_VALUE, VarError, VarName};
use std::str::FromStr;

/// What to generate.
#[derive(Clone, Copy)]
pub(super) enum Generate {
    /// What the declaration says.
    Auto,
    /// This.
    Kind(Kind),
}

impl FromStr for Generate {
    type Err = UnknownKind;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownKind> {
        if text == "auto" { Ok(Generate::Auto) } else { text.parse().map(Generate::Kind) }
    }
}

/// `auto`, and nothing says how.
#[derive(Debug, thiserror::Error)]
#[error("{0}: nothing declares how to generate it")]
pub(super) struct NoKind(pub(super) VarName);

impl Failure for NoKind {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("in env.schema.json: \"x-envsec\": {\"generate\": \"hex:32\"}".into())
    }
}

/// How a new value is made, by the declaration.
pub(super) fn declared_kind(name: &VarName, declaration: &Declaration) -> Option<Kind> {
    declaration.schema.property(name.as_str())?.generate()
}

/// A value that somebody types without echo or pipes in; one newline at the end of a pipe is none of it.
pub(super) fn read(name: &VarName, what: &str, keep_newline: bool, ctx: &Ctx<'_>) -> Result<SecretText> {
    if ctx.ui.stdin_is_terminal() {
        return ctx.ui.ask_hidden(&format!("{what} for {name}: "));
    }
    let mut bytes = fs::read_stdin(MAX_VALUE + 1)?;
    if !keep_newline && bytes.expose().last() == Some(&b'\n') {
        bytes.truncate(bytes.len() - 1);
    }
    if !keep_newline && bytes.expose().last() == Some(&b'\r') {
        ctx.ui.warn(&format!("{name}: the value ends in a carriage return (a text from Windows?)"));
    }
    Ok(bytes.into_text().map_err(|_| VarError::NotUtf8)?)
}
