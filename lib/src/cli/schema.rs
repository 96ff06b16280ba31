//! `envsec schema`: writing and checking the declaration itself.

use super::Ctx;
use super::ui::{escape, json_array};
use crate::error::{Failure, Result, Status};
use crate::inference;
use crate::project::{self, ProjectError};
use crate::schema::{self, Finding, Weight};
use std::path::PathBuf;

/// Write and check the declaration itself, env.schema.json
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec schema infer > env.schema.json         a first one, from .env.example, .env or the sealed file
  envsec schema example > .env.example          what it describes, with placeholders
  envsec schema lint                            rules that say nothing, or contradict each other
  envsec schema meta > .vscode/env.meta.json    editors complete x-envsec with it")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print a first declaration: types guessed from values, comments as descriptions; no value gets into it
    Infer {
        /// Plaintext dotenv files (default: .env.example, else .env, else the names of the sealed file)
        #[arg(value_name = "FILE")]
        sources: Vec<PathBuf>,
    },
    /// Print the .env.example that the declaration describes
    Example,
    /// List what is unsupported, unreachable or contradictory in the declaration
    Lint {
        /// A JSON array of {weight, where, what}
        #[arg(long)]
        json: bool,
    },
    /// Print a JSON Schema of declarations, for editors
    Meta,
}

/// A declaration with rules that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("{0} in the declaration")]
struct Findings(String);

impl Failure for Findings {
    fn status(&self) -> Status {
        Status::Invalid
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    match &args.action {
        Action::Infer { sources } => {
            let text = inference::infer(&ctx.project, sources, |note| ctx.ui.note(note))?;
            ctx.ui.data(text.as_bytes())
        }
        Action::Example => {
            let declaration = ctx.project.needed_declaration(&files(ctx)?)?;
            ctx.ui.data(schema::example(&declaration.schema).as_bytes())
        }
        Action::Lint { json } => lint(*json, ctx),
        Action::Meta => ctx.ui.data(schema::META.as_bytes()),
    }
}

/// The sealed files beside which the declaration lies; it can be there without any.
fn files(ctx: &Ctx<'_>) -> Result<Vec<PathBuf>> {
    match ctx.project.paths() {
        Err(ProjectError::NoFile { .. }) => Ok(Vec::new()),
        paths => Ok(paths?),
    }
}

fn lint(json: bool, ctx: &Ctx<'_>) -> Result<()> {
    let path = ctx.project.declaration_path(&files(ctx)?)?.ok_or(ProjectError::NoSchema)?;
    let text = project::read_declaration(&path)?;
    let findings = schema::lint(&text).map_err(|source| ProjectError::Schema { path: path.clone(), source })?;
    let lines = if json {
        as_json(&findings)
    } else {
        findings.iter().map(|f| format!("{}\n", escape(&f.to_string()))).collect()
    };
    ctx.ui.data(lines.as_bytes())?;
    match findings.iter().filter(|finding| finding.weight == Weight::Wrong).count() {
        0 => Ok(()),
        1 => Err(Findings("1 mistake".to_owned()).into()),
        count => Err(Findings(format!("{count} mistakes")).into()),
    }
}

fn as_json(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let weight = if finding.weight == Weight::Wrong { "wrong" } else { "note" };
        serde_json::json!({"weight": weight, "where": finding.pointer, "what": finding.what})
    };
    json_array(findings.iter().map(row))
}
