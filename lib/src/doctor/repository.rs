//! What git is told, tracks, and ever had.

use super::{Check, Level, content};
use crate::error::{Result, shown};
use crate::fs;
use crate::git::{self, Attributes, Hook, MAX_COMMITS};
use crate::guard::{self, NameKind};
use crate::project;
use std::path::{Path, PathBuf};

const FIX: &str = "envsec doctor --fix";

pub(super) fn checks(files: &[PathBuf]) -> Vec<Check> {
    let folder = files.first().map_or(Path::new("."), |file| fs::folder_of(file));
    let mut checks = content::plaintext_files(folder);
    let Ok(folder) = fs::resolve(folder) else { return checks };
    if project::repository_root(&folder).is_none() {
        let message = "not in a git repository: drivers, ignore rules, hook and history do not apply";
        checks.push(Check::ok("git", message));
        return checks;
    }
    checks.extend(files.iter().map(|file| tracked(file)));
    for found in [plaintext_tracked(&folder), plaintext_in_history(&folder)] {
        checks.extend(found.unwrap_or_else(|error| vec![Check::failed("git", &error)]));
    }
    checks.push(ignore_rules(&folder));
    checks.push(attributes(&folder));
    checks.extend(drivers(&folder));
    checks.push(hook(&folder));
    checks
}

fn tracked(file: &Path) -> Check {
    let name = shown(file);
    if git::is_tracked(file) {
        return Check::ok("tracked", format!("{name} is tracked by git"));
    }
    if git::is_ignored(file) {
        let fix = format!("git check-ignore -v {name} names the rule; {FIX} adds one that lets it in");
        return Check::error("tracked", format!("{name} is ignored by git, so that nobody else gets it"), fix);
    }
    Check::warning("tracked", format!("{name} is not tracked by git"), format!("git add {name}"))
}

/// What has been in a repository stays readable for whoever has it.
const LEAKED: &str = "give its values new ones where they are valid; git keeps the old ones";

fn plaintext_tracked(folder: &Path) -> Result<Vec<Check>> {
    let tracked = git::indexed(folder)?.into_iter().filter(|blob| NameKind::of(&blob.path) == NameKind::Plaintext);
    let check = |path: &[u8]| {
        let fix = format!("git rm --cached {}; {LEAKED}", guard::word(path));
        Check::error("plaintext", format!("{}: a plaintext env file is tracked by git", guard::shown(path)), fix)
    };
    let checks: Vec<Check> = tracked.map(|blob| check(&blob.path)).collect();
    Ok(if checks.is_empty() { vec![Check::ok("plaintext", "git tracks no plaintext env file")] } else { checks })
}

/// Each file with the first commit that added it.
fn plaintext_in_history(folder: &Path) -> Result<Vec<Check>> {
    let added = git::added_files(folder, |path| NameKind::of(path) == NameKind::Plaintext)?;
    // The latest come first: of a path that was added twice, the first commit is kept.
    let mut first: Vec<git::AddedFile> = Vec::new();
    for file in added.into_iter().rev() {
        let place = first.partition_point(|known| known.path < file.path);
        if first.get(place).is_none_or(|known| known.path != file.path) {
            first.insert(place, file);
        }
    }
    if first.is_empty() {
        return Ok(vec![Check::ok(
            "history",
            format!("no commit of the last {MAX_COMMITS} added a plaintext env file"),
        )]);
    }
    let check = |git::AddedFile { path, commit }: git::AddedFile| {
        Check::warning("history", format!("{}: was committed in plaintext in {commit}", guard::shown(&path)), LEAKED)
    };
    Ok(first.into_iter().map(check).collect())
}

fn ignore_rules(folder: &Path) -> Check {
    match git::wrongly_treated(folder) {
        None => Check::warning("ignore-rules", "git did not answer which env files it ignores", "git status says why"),
        Some(wrong) if wrong.is_empty() => {
            Check::ok("ignore-rules", "git ignores plaintext env files, and no sealed one")
        }
        Some(wrong) => {
            let message = format!("git's ignore rules are not right for {}", wrong.join(", "));
            Check::warning("ignore-rules", message, format!("{FIX}; git check-ignore -v {} names the rules", wrong[0]))
        }
    }
}

fn attributes(folder: &Path) -> Check {
    match git::attributes(folder) {
        Attributes::Right => Check::ok("attributes", ".gitattributes names envsec for .env*.enc"),
        Attributes::Missing => Check::warning(
            "attributes",
            ".gitattributes does not name envsec for .env*.enc: git diff shows ciphertext",
            FIX,
        ),
        Attributes::Others(others) => {
            let fix = "if that is not meant, take it out of .gitattributes, then envsec doctor --fix";
            Check::warning("attributes", format!("git does not ask envsec: {}", others.join(", ")), fix)
        }
        Attributes::Unknown => {
            Check::warning("attributes", "git did not answer what it does with .env.enc", "git status says why")
        }
    }
}

/// The configuration, and whether git will find what it names.
fn drivers(folder: &Path) -> Vec<Check> {
    let found = match git::drivers(folder) {
        Ok(found) => found,
        Err(error) => return vec![Check::failure("drivers", Level::Warning, &error)],
    };
    let mut checks = Vec::new();
    if !found.missing.is_empty() {
        let message = format!("this clone's git configuration lacks {}", found.missing.join(", "));
        checks.push(Check::warning("drivers", message, FIX));
    }
    for key in found.others {
        let fix = format!("if that is not meant: git config {key} '{}'", git::driver_value(key));
        checks.push(Check::warning("drivers", format!("git config {key} is not envsec's"), fix));
    }
    if checks.is_empty() {
        checks.push(Check::ok("drivers", "git diff and git merge are told how to ask envsec"));
    }
    if !git::finds_envsec() {
        let fix = "put it into a folder of PATH: drivers and hook name it without a path";
        checks.push(Check::error("path", "git does not find envsec in PATH", fix));
    }
    checks
}

fn hook(folder: &Path) -> Check {
    let add = |what: &str| format!("{what}: {}", git::CALL);
    match git::hook(folder) {
        Ok(Hook::Calls(_)) => Check::ok("hook", "a pre-commit hook refuses plaintext env files"),
        Ok(Hook::Missing(_)) => Check::warning(
            "hook",
            "no pre-commit hook refuses plaintext env files",
            format!("envsec hook install, or {FIX}"),
        ),
        Ok(Hook::Others(file)) => {
            Check::warning("hook", format!("{}: does not call envsec", shown(&file)), add("add this line to it"))
        }
        Ok(Hook::NotExecutable(file)) => {
            let file = shown(&file);
            Check::warning(
                "hook",
                format!("{file}: is not executable, so git does not run it"),
                format!("chmod +x {file}"),
            )
        }
        Ok(Hook::Shared(file)) => {
            let message =
                format!("no pre-commit hook calls envsec, and core.hooksPath leads elsewhere: {}", shown(&file));
            Check::warning("hook", message, add("if that is meant, write it yourself"))
        }
        Err(error) => Check::failure("hook", Level::Warning, &error),
    }
}
