//! `envsec export`: values go out, in plaintext, in the format that the reader needs.

use super::Ctx;
use crate::child;
use crate::crypto;
use crate::error::{Failure, Result, Status, shown};
use crate::formats::{docker, dotenv, env0, fish, github, gitlab, json, powershell, shell, yaml};
use crate::fs;
use crate::project::{Outside as _, Selected, Selection};
use crate::sealed::{Utc, b64u};
use crate::secret::SecretText;
use crate::vars::Vars;
use std::path::{Path, PathBuf};

/// Write the values out, in plaintext
///
/// Each format is exact or refuses: what it cannot carry is named, and nothing is written. Where envsec run can start the
/// program, that is better: no plaintext comes to rest anywhere.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec export --format shell                            for eval \"$(...)\" in sh, bash, zsh
  envsec export --format fish | source
  envsec export --format json --only 'DB_*' | jq
  envsec export --format docker --out app.env             for docker run --env-file
  envsec export --format github                           in a step of a workflow: masks, and $GITHUB_ENV
  envsec export -e production --out .env.local")]
pub(super) struct Args {
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,

    /// Write to a file, mode 0600, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    selection: Selection,

    /// Also NAME_PREVIOUS, where a rotation still hands out the old value
    #[arg(long)]
    previous: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For dotenv loaders
    #[default]
    Dotenv,
    /// For eval in sh, bash, zsh
    Shell,
    /// To be piped into source
    Fish,
    /// For Invoke-Expression
    Powershell,
    /// A flat object
    Json,
    /// A flat map
    Yaml,
    /// For docker run --env-file
    Docker,
    /// Masks, and $GITHUB_ENV, in GitHub Actions
    Github,
    /// A dotenv report artifact of GitLab CI
    Gitlab,
    /// NAME=value with NUL bytes between, as env -0 prints
    Env0,
}

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("--out does not go with --format github, which writes to $GITHUB_ENV")]
    OutWithGithub,
    #[error("GITHUB_ENV is not set: --format github works in a step of GitHub Actions")]
    NoGithubEnv,
    #[error("{0}: this is a sealed file, and plaintext would replace it")]
    Sealed(String),
}

impl Failure for ExportError {
    fn status(&self) -> Status {
        match self {
            ExportError::OutWithGithub | ExportError::NoGithubEnv => Status::Usage,
            ExportError::Sealed(_) => Status::Other,
        }
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    check(args)?;
    let files = ctx.project.open()?;
    let mut selected = args.selection.of(&files, |_| false)?;
    if args.previous {
        args.selection.add_previous(&files, Utc::now(), &mut selected)?;
    }
    let vars = &selected.vars;
    // Another writer may have put them there; whatever loads the text would take its credentials from the file.
    child::check_names(vars.iter().map(|(name, _)| name))?;
    let text = match args.format {
        Format::Github => return to_github(&selected, ctx),
        Format::Dotenv => for_dotenv(vars, ctx)?,
        Format::Gitlab => for_gitlab(vars, ctx)?,
        Format::Shell => shell::print(vars)?,
        Format::Fish => fish::print(vars)?,
        Format::Powershell => powershell::print(vars)?,
        Format::Docker => docker::print(vars)?,
        Format::Json => json::print(vars),
        Format::Yaml => yaml::print(vars),
        Format::Env0 => env0::print(vars),
    };
    match &args.out {
        None => ctx.ui.data(text.expose().as_bytes()),
        Some(path) => to_file(path, &text, ctx),
    }
}

/// Refuses what could only fail after a password was asked for.
fn check(args: &Args) -> Result<()> {
    if args.format == Format::Github {
        if args.out.is_some() {
            return Err(ExportError::OutWithGithub.into());
        }
        github_env()?;
    }
    match &args.out {
        Some(path) if fs::begins_with(path, b"#envsec:") => Err(ExportError::Sealed(shown(path)).into()),
        _ => Ok(()),
    }
}

fn for_dotenv(vars: &Vars, ctx: &Ctx<'_>) -> Result<SecretText> {
    let (text, delicate) = dotenv::print(vars)?;
    for name in delicate {
        ctx.ui.warn(&format!("{name}: npm dotenv reads this spelling; other readers and shells may not"));
    }
    Ok(text)
}

fn for_gitlab(vars: &Vars, ctx: &Ctx<'_>) -> Result<SecretText> {
    let text = gitlab::print(vars)?;
    if let Some(what) = gitlab::warning(vars, &text) {
        ctx.ui.warn(what);
    }
    Ok(text)
}

fn to_file(path: &Path, text: &SecretText, ctx: &Ctx<'_>) -> Result<()> {
    fs::replace_privately(path, text.expose().as_bytes())?;
    ctx.ui.say(&format!("{} holds the values in plaintext: remove it when you no longer need it", shown(path)));
    Ok(())
}

/// The masks come first: a value must not be in the environment of a step whose log does not hide it yet.
fn to_github(selected: &Selected, ctx: &Ctx<'_>) -> Result<()> {
    let delimiter = b64u(&crypto::random_bytes::<24>(&mut crypto::system_rng()));
    let printed = github::print(&selected.vars, &selected.secret, &delimiter)?;
    ctx.ui.data_that_must_arrive(printed.masks.expose().as_bytes())?;
    Ok(fs::append_to_existing(&github_env()?, &printed.blocks.into_bytes())?)
}

fn github_env() -> Result<PathBuf> {
    let path = std::env::var_os("GITHUB_ENV").filter(|path| !path.is_empty());
    Ok(path.ok_or(ExportError::NoGithubEnv)?.into())
}
