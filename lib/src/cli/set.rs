//! `envsec set`: a name gets a value.

use super::new_value::Generate;
use super::{Ctx, new_value};
use crate::child;
use crate::crypto;
use crate::error::{Failure, Result, Status};
use crate::generate::{self, Kind};
use crate::project::{Opened, Outside as _};
use crate::sealed::{Storage, Utc};
use crate::secret::SecretText;
use crate::validation;
use crate::vars::{Value, VarName};
use std::collections::BTreeSet;
use std::path::Path;

/// Set a value
///
/// It is asked for without echo, read from standard input, or generated.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec set DATABASE_URL                   asks for the value, without echo
  envsec set TLS_KEY < key.pem              several lines, from a file
  pass show stripe | envsec set STRIPE_KEY
  envsec set SESSION_SECRET --generate hex:32
  envsec set SESSION_SECRET --generate auto    as env.schema.json says
  envsec set --plain LOG_LEVEL=info PORT=3000

A value that is not as env.schema.json declares it draws a warning; with
--strict it is refused. Standard input loses one newline at its end
(--keep-newline keeps it). Setting what is there already changes nothing. A
value given as an argument can be seen by other users and stays in the shell's
history, so it draws a warning.")]
pub(super) struct Args {
    /// NAME; or NAME and its value; or several NAME=VALUE
    #[arg(required = true, value_name = "NAME|NAME=VALUE", hide_possible_values = true)]
    what: Vec<String>,

    /// Generate it: hex:N, base64:N (N random bytes), password:N (N letters and digits), uuid, or auto: as declared
    #[arg(long, value_name = "KIND")]
    generate: Option<Generate>,

    /// Store it unencrypted: readable by everybody, but sealed
    #[arg(long, conflicts_with = "secret")]
    plain: bool,

    /// Store it encrypted, also if it was plain before
    #[arg(long)]
    secret: bool,

    /// Keep the newline at the end of standard input
    #[arg(long)]
    keep_newline: bool,

    /// Refuse a value that is not as declared, instead of warning
    #[arg(long)]
    strict: bool,
}

/// What was typed makes no sense.
#[derive(Debug, thiserror::Error)]
enum SetError {
    /// More than NAME VALUE, or NAME=VALUE mixed with something else.
    #[error("either NAME, or NAME VALUE, or several NAME=VALUE")]
    Arguments,
    /// A generated value and a given one.
    #[error("--generate makes the value itself: give it a NAME only")]
    GenerateWithValue,
    /// What a command that failed sends through a pipe, and a job without standard input.
    #[error("{0}: the value is empty; nothing was changed")]
    Empty(VarName),
}

impl Failure for SetError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            SetError::Arguments => Some("a value that begins with - goes after --, best through standard input".into()),
            SetError::GenerateWithValue => None,
            SetError::Empty(name) => Some(format!("an empty value is stored by: envsec set {name}=")),
        }
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let assignments = parse(&args.what)?;
    let mut given = assignments.iter().filter_map(|(_, value)| value.as_ref()).peekable();
    if given.peek().is_some() && args.generate.is_some() {
        return Err(SetError::GenerateWithValue.into());
    }
    if given.any(|value| !value.is_empty()) && !args.plain {
        ctx.ui.warn("a value among the arguments can be seen by other users and stays in the shell's history");
    }
    let opened = ctx.project.open_to_change()?;
    let mut values = Vec::with_capacity(assignments.len());
    for (name, value) in assignments {
        let text = value.map_or_else(|| obtain(args, &name, opened.path(), ctx), Ok)?;
        values.push((name, Value::try_from(text)?));
    }
    let storage = match (args.plain, args.secret) {
        (true, _) => Some(Storage::Plain),
        (_, true) => Some(Storage::Secret),
        _ => None,
    };
    let aging = check(args, ctx, &opened, storage, &values)?;
    ctx.project.change(opened, |file| {
        let (now, rng) = (Utc::now(), &mut crypto::system_rng());
        for (name, value) in &values {
            if file.set(name, value, storage, now, rng)? && aging.contains(name) {
                file.note_age(name, now);
            }
        }
        Ok(())
    })
}

/// Checks the values against their declaration at once, before somebody starts with them; returns the names that age.
fn check(
    args: &Args,
    ctx: &Ctx<'_>,
    opened: &Opened,
    storage: Option<Storage>,
    values: &[(VarName, Value)],
) -> Result<BTreeSet<VarName>> {
    let stored = |name: &VarName| storage.or_else(|| opened.unlocked.storage(name)).unwrap_or(Storage::Secret);
    let values = values.iter().map(|(name, value)| (name, value, stored(name)));
    ctx.ui.judge(validation::check_values(&ctx.project, opened.path(), values), args.strict)
}

/// `NAME`, `NAME VALUE` or `NAME=VALUE …`.
fn parse(what: &[String]) -> Result<Vec<(VarName, Option<SecretText>)>> {
    let pairs: Vec<_> = what.iter().map(|text| text.split_once('=')).collect();
    let parsed: Vec<(VarName, _)> = match (what, pairs.as_slice()) {
        ([name], [None]) => vec![(name.parse()?, None)],
        ([name, value], [None, _]) => vec![(name.parse()?, Some(SecretText::from(value.as_str())))],
        _ => {
            let pair = |pair: Option<(&str, &str)>| {
                let (name, value) = pair.ok_or(SetError::Arguments)?;
                Ok((name.parse()?, Some(SecretText::from(value))))
            };
            pairs.into_iter().map(pair).collect::<Result<Vec<_>>>()?
        }
    };
    parsed.iter().try_for_each(|(name, _)| child::check_name(name))?;
    Ok(parsed)
}

/// A value that is not among the arguments.
fn obtain(args: &Args, name: &VarName, file: &Path, ctx: &Ctx<'_>) -> Result<SecretText> {
    if let Some(generate) = args.generate {
        return Ok(generate::value(kind(generate, name, file, ctx)?, &mut crypto::system_rng()));
    }
    let text = new_value::read(name, "Value", args.keep_newline, ctx)?;
    if text.is_empty() { Err(SetError::Empty(name.clone()).into()) } else { Ok(text) }
}

/// What to generate for a name.
fn kind(generate: Generate, name: &VarName, file: &Path, ctx: &Ctx<'_>) -> Result<Kind> {
    match generate {
        Generate::Kind(kind) => Ok(kind),
        Generate::Auto => {
            let declaration = ctx.project.needed_declaration(&[file.to_path_buf()])?;
            let kind = new_value::declared_kind(name, &declaration);
            Ok(kind.ok_or_else(|| new_value::NoKind(name.clone()))?)
        }
    }
}
