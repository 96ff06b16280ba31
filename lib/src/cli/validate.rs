//! `envsec validate`: whether the variables are as declared.

use super::Ctx;
use super::ui::json_array;
use crate::error::{Result, shown};
use crate::project::{self, Declaration, Outside as _, Selected};
use crate::schema::{Problem, Verdict};
use crate::sealed::Label;
use crate::validation::{self, Advice, Files, Invalid};

/// Check the variables against their declaration
///
/// The sealed file, the process's environment and the defaults are put together exactly as run does it, and checked
/// against env.schema.json, a JSON Schema. Every problem is named at once, and never a value.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 all is well, 3 it is not, 2 there is no declaration or it cannot
be used.

Examples:
  envsec validate
  envsec validate -e production --strict
  envsec validate --names              without a key: what is there, and how it is stored
  envsec validate --process-only       without a sealed file: what the process has
  envsec validate --json | jq -r '.[].name'")]
pub(super) struct Args {
    /// Check the names alone, which needs no key: what is missing, undeclared or stored plain
    #[arg(long)]
    names: bool,

    /// Check what the process has, without a sealed file
    #[arg(long, conflicts_with = "names")]
    process_only: bool,

    /// A JSON array of {name, rule, expected, where}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    merging: validation::Flags,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let (declaration, verdict) = check(args, ctx)?;
    for warning in &verdict.warnings {
        ctx.ui.warn(&warning.to_string());
    }
    if args.json {
        ctx.ui.data(json(&verdict.problems).as_bytes())?;
    }
    if verdict.problems.is_empty() {
        ctx.ui.note(&format!("as declared in {}", shown(&declaration.path)));
        return Ok(());
    }
    let advice = if args.process_only || args.names { Advice::None } else { Advice::Status };
    Err(Invalid { declaration: declaration.path, problems: verdict.problems, advice }.into())
}

fn check(args: &Args, ctx: &Ctx<'_>) -> Result<(Declaration, Verdict)> {
    let flags = &args.merging;
    if args.process_only {
        let declaration = ctx.project.needed_declaration(&[])?;
        let label = project::label(ctx.flags)?;
        let nothing = Selected::default();
        let verdict = flags.check(&declaration, &Files::Opened(&nothing), label.as_ref().map(Label::as_str))?;
        return Ok((declaration, verdict));
    }
    let declaration = ctx.project.needed_declaration(&ctx.project.paths()?)?;
    if args.names {
        let files = ctx.project.read_locked()?;
        let names = flags.select_names(&files, &declaration)?;
        let label = files.iter().rev().find_map(|(_, locked)| locked.label()).map(Label::as_str);
        let verdict = flags.check(&declaration, &Files::Names(&names), label)?;
        return Ok((declaration, verdict));
    }
    let files = ctx.project.open()?;
    let selected = flags.select(&files, Some(&declaration))?;
    let verdict = flags.check(&declaration, &Files::Opened(&selected), project::label_of(&files).map(Label::as_str))?;
    Ok((declaration, verdict))
}

fn json(problems: &[Problem]) -> String {
    let row = |problem: &Problem| serde_json::json!({"name": problem.name, "rule": problem.rule, "expected": problem.expected, "where": problem.place});
    json_array(problems.iter().map(row))
}
