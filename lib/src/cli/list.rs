//! `envsec list`: the names, which are public.

use super::Ctx;
use super::ui::{json_array, with_times};
use crate::error::Result;
use crate::project::{Declaration, Outside as _};
use crate::rotate::State;
use crate::sealed::{Locked, Storage, Utc};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// List the names
///
/// Whether each is stored secret or plain, how old it is, when a new value is due, and how far its rotation is. This needs
/// no credential, so it does not verify the seal.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec list
  envsec list --json | jq -r '.[].name'
  envsec list -e production")]
pub(super) struct Args {
    /// A JSON array of {name, storage, file, changed, due, previous_until, pending_since}
    #[arg(long)]
    json: bool,
}

/// A name, as the last file has it.
struct Row<'f> {
    name: &'f str,
    storage: Storage,
    file: &'f Path,
    rotation: State,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let (files, now) = (ctx.project.read_locked()?, Utc::now());
    let declaration = declaration(ctx, &files);
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for (path, locked) in &files {
        for (name, storage) in locked.names() {
            let every = declaration.as_ref().and_then(|of| of.schema.property(name)).and_then(|of| of.rotate_every());
            let rotation = match storage {
                Storage::Secret => State::of(locked, name, every, now),
                Storage::Plain => State::default(),
            };
            let row = Row { name, storage, file: path, rotation };
            // A later file wins, in the place that the name has.
            let place = *places.entry(name).or_insert(rows.len());
            match rows.get_mut(place) {
                Some(known) => *known = row,
                None => rows.push(row),
            }
        }
    }
    ctx.ui.data(if args.json { json(&rows) } else { table(&rows, now) }.as_bytes())
}

/// What tells when names are due. The names are there without it.
fn declaration(ctx: &Ctx<'_>, files: &[(PathBuf, Locked)]) -> Option<Declaration> {
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    ctx.project.declaration(&paths).unwrap_or_else(|error| {
        ctx.ui.warn(&format!("what is due is not known: {error}"));
        None
    })
}

fn word(storage: Storage) -> &'static str {
    match storage {
        Storage::Secret => "secret",
        Storage::Plain => "plain",
    }
}

fn table(rows: &[Row<'_>], now: Utc) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let line = |row: &Row<'_>| {
        let age = row.rotation.age(now).map(|age| format!("changed {age} ago"));
        let more: Vec<String> = age.into_iter().chain(row.rotation.news(now)).collect();
        let more = if more.is_empty() { String::new() } else { format!("  {}", more.join("; ")) };
        format!("{:width$}  {}{more}\n", row.name, word(row.storage))
    };
    rows.iter().map(line).collect()
}

fn json(rows: &[Row<'_>]) -> String {
    let row = |row: &Row<'_>| {
        let named = serde_json::json!({
            "name": row.name,
            "storage": word(row.storage),
            "file": row.file.to_string_lossy(),
        });
        with_times(named, &row.rotation)
    };
    json_array(rows.iter().map(row))
}
