//! `envsec list`: the names, which are public.

use super::Ctx;
use crate::error::Result;
use crate::sealed::Storage;
use std::collections::HashMap;
use std::path::Path;

/// List the names
///
/// And whether each is stored secret or plain. This needs no credential, so it does not verify the seal.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec list
  envsec list --json | jq -r '.[].name'
  envsec list -e production")]
pub(super) struct Args {
    /// A JSON array of {name, storage, file}
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let files = ctx.project.read_locked()?;
    let mut rows: Vec<(&str, Storage, &Path)> = Vec::new();
    let mut places = HashMap::new();
    for (path, locked) in &files {
        for (name, storage) in locked.names() {
            let place = *places.entry(name).or_insert(rows.len());
            // A later file wins, in the place that the name has.
            match rows.get_mut(place) {
                Some(row) => *row = (name, storage, path),
                None => rows.push((name, storage, path)),
            }
        }
    }
    ctx.ui.data(if args.json { json(&rows) } else { table(&rows) }.as_bytes())
}

fn word(storage: Storage) -> &'static str {
    match storage {
        Storage::Secret => "secret",
        Storage::Plain => "plain",
    }
}

fn table(rows: &[(&str, Storage, &Path)]) -> String {
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    rows.iter().map(|(name, storage, _)| format!("{name:width$}  {}\n", word(*storage))).collect()
}

fn json(rows: &[(&str, Storage, &Path)]) -> String {
    let row = |(name, storage, path): &(&str, Storage, &Path)| serde_json::json!({"name": name, "storage": word(*storage), "file": path.to_string_lossy()});
    let rows: Vec<_> = rows.iter().map(row).collect();
    format!("{:#}\n", serde_json::Value::from(rows))
}
