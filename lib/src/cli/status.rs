//! `envsec status`: every variable, where its value comes from, and whether it is as declared.

use super::Ctx;
use super::ui::{escape, json_array, with_times};
use crate::error::{Failure, Result, Status, one_line, shown};
use crate::keyring;
use crate::project::{self, Declaration, Opened};
use crate::rotate::State;
use crate::schema::{Entry, Environment, Problem, Property, Source, Stored, Verdict};
use crate::sealed::{Label, Utc};
use crate::validation::{self, Files};
use crate::vars::VarName;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Show where every variable comes from, and whether it is as declared
///
/// Names, never values: those of the sealed file and those of env.schema.json, put together as run does it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec status
  envsec status DATABASE_URL        the rule, where it is declared, and its documentation
  envsec status --json | jq -r '.[] | select(.from == \"missing\").name'
  export ENVSEC_PIN=$(envsec status --pin)      accept no older revision and no other key from now on")]
pub(super) struct Args {
    /// This variable alone, with all that is known of it
    #[arg(value_name = "NAME")]
    name: Option<VarName>,

    /// A JSON array of {name, from, file, stored, changed, due, previous_until, pending_since, declared, required, default, description, docs, problems}
    #[arg(long)]
    json: bool,

    /// Print what ENVSEC_PIN takes to hold this file fast: its id, its data key's id and its revision
    #[arg(long, conflicts_with_all = ["json", "name"])]
    pin: bool,

    #[command(flatten)]
    merging: validation::Flags,
}

/// A name that nothing knows.
#[derive(Debug, thiserror::Error)]
#[error("{0}: neither in the sealed file nor declared")]
struct UnknownName(VarName);

impl Failure for UnknownName {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("envsec status shows all names".into())
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    File,
    Process,
    Default,
    Missing,
}

/// One variable.
struct Row<'r> {
    name: &'r str,
    from: From,
    /// The last sealed file that has the name.
    file: Option<&'r Opened>,
    stored: Option<Stored>,
    property: Option<Property<'r>>,
    problems: Vec<&'r Problem>,
    now: Utc,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let files = ctx.project.open()?;
    if args.pin {
        let pins: Vec<String> = files.iter().map(|opened| opened.unlocked.locked().pin()).collect();
        return ctx.ui.data(format!("{}\n", pins.join(",")).as_bytes());
    }
    let declaration = ctx.project.declaration(&ctx.project.paths()?)?;
    let selected = args.merging.select(&files, declaration.as_ref())?;
    let label = project::label_of(&files).map(Label::as_str);
    args.merging.with_environment(declaration.as_ref(), &Files::Opened(&selected), label, |environment| {
        let verdict = match &declaration {
            Some(declaration) => args.merging.verdict(declaration, environment)?,
            None => Verdict::default(),
        };
        let mut rows = rows(environment, declaration.as_ref(), &verdict, &files);
        if let Some(name) = &args.name {
            rows.retain(|row| row.name == name.as_str());
            if rows.is_empty() {
                return Err(UnknownName(name.clone()).into());
            }
        }
        let text = match (args.json, &args.name) {
            (true, _) => json(&rows),
            (false, Some(_)) => rows.iter().map(|row| details(row, declaration.as_ref())).collect(),
            (false, None) => table(&rows, ctx.ui.is_colored()) + &of_all(&verdict) + &sessions(&files),
        };
        ctx.ui.data(text.as_bytes())
    })
}

/// The files that are unlocked, and for how long.
fn sessions(files: &[Opened]) -> String {
    let now = u64::try_from(Utc::now().unix()).unwrap_or(0);
    let line = |opened: &Opened| {
        let kept = keyring::find(project::session(opened.unlocked.locked()))?;
        let minutes = kept.until.saturating_sub(now).div_ceil(60);
        Some(format!("{}: unlocked for {minutes} min more; envsec lock ends it\n", shown(opened.path())))
    };
    files.iter().filter_map(line).collect()
}

/// The declared variables in their order, then those that only the sealed file has.
fn rows<'r>(
    environment: &Environment<'r>,
    declaration: Option<&'r Declaration>,
    verdict: &'r Verdict,
    files: &'r [Opened],
) -> Vec<Row<'r>> {
    let now = Utc::now();
    let entries: BTreeMap<&str, &Entry<'_>> = environment.entries.iter().map(|entry| (entry.name, entry)).collect();
    let defaults: BTreeSet<&str> = verdict.defaults.iter().map(|(name, _)| name.as_str()).collect();
    let problems = by_name(verdict);
    let row = |name: &'r str, property: Option<Property<'r>>| {
        let entry = entries.get(name).copied();
        Row {
            name,
            from: if defaults.contains(name) { From::Default } else { From::of(entry, property.as_ref()) },
            file: files.iter().rev().find(|opened| has(opened, name)),
            stored: entry.and_then(|entry| entry.stored),
            property,
            problems: problems.get(name).cloned().unwrap_or_default(),
            now,
        }
    };
    let declared = declaration.into_iter().flat_map(|declaration| declaration.schema.properties());
    let declared = declared.filter(|property| (environment.is_selected)(property.name()));
    let mut rows: Vec<Row<'r>> = declared.map(|property| row(property.name(), Some(property))).collect();
    let is_new = |name: &str| declaration.is_none_or(|declaration| declaration.schema.property(name).is_none());
    let others = environment.entries.iter().filter(|entry| entry.stored.is_some() && is_new(entry.name));
    rows.extend(others.map(|entry| row(entry.name, None)));
    rows
}

fn has(opened: &Opened, name: &str) -> bool {
    VarName::try_from(name).is_ok_and(|name| opened.unlocked.contains(&name))
}

/// What concerns a variable.
fn by_name(verdict: &Verdict) -> BTreeMap<&str, Vec<&Problem>> {
    let mut problems: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for problem in verdict.problems.iter().chain(&verdict.warnings) {
        if let Some(name) = &problem.name {
            problems.entry(name).or_default().push(problem);
        }
    }
    problems
}

/// What concerns no single variable.
fn of_all(verdict: &Verdict) -> String {
    let all = verdict.problems.iter().chain(&verdict.warnings).filter(|problem| problem.name.is_none());
    all.map(|problem| format!("{}\n", escape(&problem.to_string()))).collect()
}

impl From {
    /// An empty value of a declared variable counts as missing, unless it is declared that it does not.
    fn of(entry: Option<&Entry<'_>>, property: Option<&Property<'_>>) -> Self {
        let Some(entry) = entry else { return From::Missing };
        match entry.source {
            _ if entry.value == Some("") && property.is_some_and(|of| !of.may_be_empty()) => From::Missing,
            Source::File => From::File,
            Source::Process => From::Process,
        }
    }

    fn word(self) -> &'static str {
        match self {
            From::File => "file",
            From::Process => "process",
            From::Default => "default",
            From::Missing => "missing",
        }
    }
}

impl Row<'_> {
    fn stored(&self) -> Option<&'static str> {
        self.stored.map(|stored| match stored {
            Stored::Secret => "secret",
            Stored::Plain => "plain",
        })
    }

    fn rotation(&self) -> State {
        let every = || self.property.as_ref()?.rotate_every();
        match (self.file, self.stored) {
            (Some(opened), Some(Stored::Secret)) => State::of(opened.unlocked.locked(), self.name, every(), self.now),
            _ => State::default(),
        }
    }

    fn state(&self) -> String {
        let wrong: Vec<String> = self.problems.iter().map(|problem| problem.wrong.clone()).collect();
        let state = match (wrong.as_slice(), &self.property) {
            ([], Some(_)) if self.from == From::Missing => "not set".to_owned(),
            ([], Some(_)) => "ok".to_owned(),
            ([], None) => "not declared".to_owned(),
            (wrong, _) => wrong.join("; "),
        };
        [vec![state], self.rotation().news(self.now)].concat().join("; ")
    }

    fn declared(&self) -> String {
        self.property.as_ref().map_or_else(String::new, Property::expected)
    }
}

const HEADS: [&str; 6] = ["NAME", "FROM", "STORED", "AGE", "STATE", "DECLARED"];

fn table(rows: &[Row<'_>], is_colored: bool) -> String {
    let cells = |row: &Row<'_>| {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let (stored, age) = (or_dash(row.stored().map(str::to_owned)), or_dash(row.rotation().age(row.now)));
        let line = |text: &str| escape(&one_line(text));
        [line(row.name), row.from.word().to_owned(), stored, age, line(&row.state()), line(&row.declared())]
    };
    let lines: Vec<[String; 6]> = std::iter::once(HEADS.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let is_wrong = |at: usize| at.checked_sub(1).is_some_and(|at| !rows[at].problems.is_empty());
    let line = |(at, line): (usize, &[String; 6])| {
        let padded =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>().join("  ");
        match padded.trim_end() {
            line if is_colored && is_wrong(at) => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
            line => format!("{line}\n"),
        }
    };
    lines.iter().enumerate().map(line).collect()
}

/// All that is known of one variable.
fn details(row: &Row<'_>, declaration: Option<&Declaration>) -> String {
    let mut lines = vec![(String::new(), row.name.to_owned())];
    let mut add = |what: &str, text: String| lines.push((format!("  {what:11}"), text));
    add("value", value_in_words(row));
    if let (Some(property), Some(declaration)) = (&row.property, declaration) {
        let required = if property.is_required() { ", required" } else { "" };
        add("declared", format!("{}{required}", property.expected()));
        add("at", format!("{}#{}", shown(&declaration.path), property.pointer()));
        let kind = (property.is_secret().then_some("secret")).or_else(|| property.is_public().then_some("public"));
        let texts = [
            ("kind", kind.map(str::to_owned)),
            ("default", property.default()),
            ("about", property.description().map(str::to_owned)),
            ("docs", property.docs().map(str::to_owned)),
            ("deprecated", property.deprecated().map(|of| if of.is_empty() { "yes" } else { of }.to_owned())),
            ("rotate", property.rotate_every().map(|every| format!("every {every}"))),
        ];
        texts.into_iter().for_each(|(what, text)| text.into_iter().for_each(|text| add(what, text)));
    }
    let rotation = row.rotation();
    if let (Some(changed), Some(age)) = (rotation.changed, rotation.age(row.now)) {
        add("changed", format!("{changed} ({age} ago)"));
    }
    rotation.news(row.now).into_iter().for_each(|news| add("rotation", news));
    row.problems.iter().for_each(|problem| add("problem", format!("{}: {}", problem.expected, problem.wrong)));
    // What goes on in the next line of a text looks like no line of ours.
    let below = format!("\n{:13}", "");
    lines.iter().map(|(what, text)| format!("{what}{}\n", escape(text).replace('\n', &below))).collect()
}

fn value_in_words(row: &Row<'_>) -> String {
    let file = || row.file.map_or_else(String::new, |opened| shown(opened.path()));
    let stored = row.stored().map_or_else(String::new, |stored| format!(", stored {stored}"));
    match (row.from, row.file) {
        (From::File, _) => format!("from {}{stored}", file()),
        (From::Process, Some(_)) => {
            format!("from the process, which wins over {} (--override turns that round)", file())
        }
        (From::Process, None) => "from the process".to_owned(),
        (From::Default, _) => "the default".to_owned(),
        (From::Missing, Some(_)) => format!("missing: empty in {}{stored}", file()),
        (From::Missing, None) => "missing".to_owned(),
    }
}

fn json(rows: &[Row<'_>]) -> String {
    let row = |row: &Row<'_>| {
        let property = row.property.as_ref();
        let problem = |problem: &&Problem| serde_json::json!({"rule": problem.rule, "expected": problem.expected, "wrong": problem.wrong});
        let known = serde_json::json!({
            "name": row.name,
            "from": row.from.word(),
            "file": row.file.map(|opened| path_text(opened.path())),
            "stored": row.stored(),
            "declared": property.map(Property::expected),
            "required": property.is_some_and(Property::is_required),
            "default": property.and_then(Property::default),
            "description": property.and_then(Property::description),
            "docs": property.and_then(Property::docs),
            "problems": row.problems.iter().map(problem).collect::<Vec<_>>(),
        });
        with_times(known, &row.rotation())
    };
    json_array(rows.iter().map(row))
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
