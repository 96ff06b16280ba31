//! `envsec set`: a name gets a value.

use super::Ctx;
use crate::child;
use crate::crypto;
use crate::error::{Failure, Result, Status};
use crate::fs;
use crate::generate::{self, Kind};
use crate::project::Outside as _;
use crate::sealed::{Storage, Utc};
use crate::secret::SecretText;
use crate::vars::{MAX_VALUE, Value, VarName};

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
  envsec set --plain LOG_LEVEL=info PORT=3000

Standard input loses one newline at its end (--keep-newline keeps it). Setting what is there already changes nothing.
A value given as an argument can be seen by other users and stays in the shell's history, so it draws a warning.")]
pub(super) struct Args {
    /// NAME; or NAME and its value; or several NAME=VALUE
    #[arg(required = true, value_name = "NAME|NAME=VALUE", hide_possible_values = true)]
    what: Vec<String>,

    /// Generate it: hex:N, base64:N (N random bytes), password:N (N letters and digits), uuid
    #[arg(long, value_name = "KIND")]
    generate: Option<Kind>,

    /// Store it unencrypted: readable by everybody, but sealed
    #[arg(long, conflicts_with = "secret")]
    plain: bool,

    /// Store it encrypted, also if it was plain before
    #[arg(long)]
    secret: bool,

    /// Keep the newline at the end of standard input
    #[arg(long)]
    keep_newline: bool,
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
}

impl Failure for SetError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, SetError::Arguments)
            .then(|| "a value that begins with - goes after --, best through standard input".into())
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let assignments = parse(&args.what)?;
    let given = assignments.iter().any(|(_, value)| value.is_some());
    if given && args.generate.is_some() {
        return Err(SetError::GenerateWithValue.into());
    }
    if given && !args.plain {
        ctx.ui.warn("a value among the arguments can be seen by other users and stays in the shell's history");
    }
    let opened = ctx.project.open_to_change()?;
    let mut values = Vec::with_capacity(assignments.len());
    for (name, value) in assignments {
        let text = value.map_or_else(|| obtain(args, &name, ctx), Ok)?;
        values.push((name, Value::try_from(text)?));
    }
    let storage = match (args.plain, args.secret) {
        (true, _) => Some(Storage::Plain),
        (_, true) => Some(Storage::Secret),
        _ => None,
    };
    ctx.project.change(opened, |file| {
        let (now, rng) = (Utc::now(), &mut crypto::system_rng());
        for (name, value) in &values {
            file.set(name, value, storage, now, rng)?;
        }
        Ok(())
    })
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
fn obtain(args: &Args, name: &VarName, ctx: &Ctx<'_>) -> Result<SecretText> {
    if let Some(kind) = args.generate {
        return Ok(generate::value(kind, &mut crypto::system_rng()));
    }
    if ctx.ui.stdin_is_terminal() {
        return ctx.ui.ask_hidden(&format!("Value for {name}: "));
    }
    let mut bytes = fs::read_stdin(MAX_VALUE + 1)?;
    if !args.keep_newline && bytes.expose().last() == Some(&b'\n') {
        bytes.truncate(bytes.len() - 1);
    }
    if !args.keep_newline && bytes.expose().last() == Some(&b'\r') {
        ctx.ui.warn(&format!("{name}: the value ends in a carriage return (a text from Windows?)"));
    }
    Ok(bytes.into_text().map_err(|_| crate::vars::VarError::NotUtf8)?)
}
