//! What is in a sealed file that everybody can read, and in its declaration.

use super::Check;
use crate::error::{Error, shown};
use crate::fs;
use crate::guard;
use crate::project::{Declaration, Project, read_declaration};
use crate::rotate::{self, What};
use crate::schema::{self, Weight};
use crate::sealed::{Locked, SlotType, Storage, Utc, WORK_FACTOR};
use std::path::Path;

pub(super) fn checks(project: &Project<'_>, path: &Path, locked: &Locked, now: Utc) -> Vec<Check> {
    let (file, count) = (shown(path), locked.names().count());
    let s = if count == 1 { "" } else { "s" };
    let mut checks =
        vec![Check::ok("file", format!("{file} is well-formed: revision {}, {count} name{s}", locked.rev()))];
    checks.extend(work_factor(&file, locked));
    checks.extend(comments(&file, locked));
    let (declaration, found) = declaration(project, path);
    checks.extend(found);
    checks.extend(plain_values(&file, locked, declaration.as_ref()));
    checks.extend(rotations(&file, locked, declaration.as_ref(), now));
    checks
}

fn work_factor(file: &str, locked: &Locked) -> Option<Check> {
    let low = locked
        .slots()
        .into_iter()
        .filter(|slot| matches!(slot.kind, SlotType::Password { work_factor } if work_factor < WORK_FACTOR));
    let low: Vec<String> = low.map(|slot| slot.id.as_str().to_owned()).collect();
    let ids = low.join(" ");
    (!low.is_empty()).then(|| {
        let message = format!(
            "{file}: passwords are cheaper to guess than they need to be (work factor below {WORK_FACTOR}): {ids}"
        );
        Check::warning("work-factor", message, format!("envsec slot rewrap {ids}"))
    })
}

/// The file is committed, and its comments are not encrypted.
fn comments(file: &str, locked: &Locked) -> Vec<Check> {
    let looks = locked.comments().filter_map(|(line, text)| Some((line, schema::comment_looks_secret(text)?)));
    looks
        .map(|(line, kind)| {
            let fix = "take it out; if it was committed, change it where it is valid";
            Check::error("comment", format!("{file}:{line}: a comment looks like it holds {kind}"), fix)
        })
        .collect()
}

const LINT: &str = "envsec schema lint says more";

fn declaration(project: &Project<'_>, path: &Path) -> (Option<Declaration>, Vec<Check>) {
    let files = [path.to_path_buf()];
    let place = match project.declaration_path(&files) {
        Ok(Some(place)) => place,
        Ok(None) => {
            let missing = format!("{}: no env.schema.json says what its variables are", shown(path));
            return (None, vec![Check::warning("declaration", missing, "envsec schema infer writes a first one")]);
        }
        Err(error) => return (None, vec![Check::failed("declaration", &error)]),
    };
    match project.declaration(&files) {
        Ok(declaration) => (declaration, lint(&place)),
        Err(error) => (None, vec![Check::failed("declaration", &error).or_fix(LINT)]),
    }
}

fn lint(place: &Path) -> Vec<Check> {
    let file = shown(place);
    let findings = read_declaration(place).and_then(|text| schema::lint(&text).map_err(Error::from));
    let wrong: Vec<Check> = match findings {
        Err(error) => vec![Check::failed("declaration", &error)],
        Ok(findings) => {
            let wrong = findings.into_iter().filter(|finding| finding.weight == Weight::Wrong);
            wrong.map(|finding| Check::warning("declaration", format!("{file}: {finding}"), LINT)).collect()
        }
    };
    if wrong.is_empty() { vec![Check::ok("declaration", format!("{file} says what the variables are"))] } else { wrong }
}

/// What is readable by everybody and should not be.
fn plain_values(file: &str, locked: &Locked, declaration: Option<&Declaration>) -> Vec<Check> {
    let plain: Vec<&str> = locked.names().filter(|(_, of)| *of == Storage::Plain).map(|(name, _)| name).collect();
    let declared: Vec<&str> = declaration.map_or(Vec::new(), |of| guard::declared_secret(&of.schema, &plain).collect());
    let by_look = locked
        .plain_values()
        .filter(|(name, value)| !declared.contains(name) && schema::looks_secret(value.expose()).is_some());
    let problem = |name: &str, why: &str| {
        let fix = format!("envsec set --secret {name}, with a new value if it was committed");
        Check::error("plain", format!("{file}: {name} is stored unencrypted, {why}"), fix)
    };
    let looks: Vec<Check> = by_look.map(|(name, _)| problem(name, "but looks like a secret")).collect();
    declared.iter().map(|name| problem(name, "but declared as secret")).chain(looks).collect()
}

fn rotations(file: &str, locked: &Locked, declaration: Option<&Declaration>, now: Utc) -> Vec<Check> {
    let due = rotate::due(locked, declaration.map(|of| &of.schema), now);
    due.into_iter()
        .map(|due| {
            let fix = match due.what {
                What::Rotate => format!("envsec rotate {}", due.name),
                What::Finish => format!("envsec rotate {} --finish", due.name),
                What::Resume => format!("envsec rotate {0} --resume goes on with it, --abort goes back", due.name),
            };
            Check::warning("rotation", format!("{file}: {}: {}", due.name, due.state.news(now).join("; ")), fix)
        })
        .collect()
}

/// Plaintext env files in the folders of the sealed ones, which other users can read.
pub(super) fn plaintext_files(folder: &Path) -> Vec<Check> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for entry in entries.flatten().filter(|entry| fs::others_can_read(&entry.path())) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if guard::NameKind::of(name.as_bytes()) == guard::NameKind::Plaintext {
            names.insert(names.partition_point(|known| *known < name), name);
        }
    }
    let check = |name: String| {
        let word = guard::word(name.as_bytes());
        let message = format!("{}: other users can read this plaintext env file", guard::shown(name.as_bytes()));
        Check::warning("permissions", message, format!("chmod 600 {word}, or envsec import {word} and remove it"))
    };
    names.into_iter().map(check).collect()
}
