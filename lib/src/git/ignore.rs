//! Ignore rules: plaintext env files stay out of the repository, sealed ones get in.

use super::{GitError, question};
use crate::fs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Plaintext is ignored, whatever it is called; the example and the sealed files are not.
const RULES: &str =
    "\n# plaintext env files stay out, sealed ones (envsec) are committed\n.env\n.env.*\n!.env.example\n!.env*.enc\n";

/// Names that have to be ignored.
const IGNORED: [&str; 3] = [".env", ".env.local", ".env.production"];

/// Names that must not be.
const COMMITTED: [&str; 3] = [".env.example", ".env.enc", ".env.production.enc"];

/// What was done about the ignore rules, verified with `git check-ignore`.
#[derive(Debug, PartialEq, Eq)]
pub enum IgnoreRules {
    /// They were right before.
    Right,
    /// Lines were added to this file, and now they are right.
    Added(PathBuf),
    /// Lines were added, but these names are still treated wrongly.
    StillWrong(PathBuf, Vec<&'static str>),
    /// Lines were added, but git is not there to check them.
    Unverified(PathBuf),
}

/// Makes the repository ignore plaintext env files in `folder` and not the sealed ones: in the `.gitignore` of that folder
/// if there is one, else in that of the repository's root.
///
/// # Errors
/// A `.gitignore` that cannot be written.
pub fn ignore_plaintext(root: &Path, folder: &Path) -> Result<IgnoreRules, GitError> {
    let before = wrongly_treated(folder);
    if before.as_ref().is_some_and(Vec::is_empty) {
        return Ok(IgnoreRules::Right);
    }
    let file = git_file(root, folder, ".gitignore");
    if holds(&file, RULES) {
        return Ok(before.map_or(IgnoreRules::Unverified(file.clone()), |wrong| IgnoreRules::StillWrong(file, wrong)));
    }
    add_lines(&file, RULES)?;
    Ok(match wrongly_treated(folder) {
        None => IgnoreRules::Unverified(file),
        Some(wrong) if wrong.is_empty() => IgnoreRules::Added(file),
        Some(wrong) => IgnoreRules::StillWrong(file, wrong),
    })
}

/// The largest .gitignore that is looked into, in bytes.
const LARGEST: usize = 1 << 20;

/// The file of this name beside, if there is one, else that of the repository's root.
pub(super) fn git_file(root: &Path, folder: &Path, name: &str) -> PathBuf {
    let beside = folder.join(name);
    if beside.exists() { beside } else { root.join(name) }
}

/// Adds lines that begin with an empty one, which a new file does not get.
pub(super) fn add_lines(file: &Path, lines: &str) -> Result<(), GitError> {
    let after_all = if ends_a_line(file) { lines.to_owned() } else { format!("\n{lines}") };
    Ok(fs::append(file, if file.exists() { &after_all } else { lines.trim_start() })?)
}

fn ends_a_line(file: &Path) -> bool {
    fs::read_public(file, LARGEST).is_ok_and(|text| text.last().is_none_or(|&byte| byte == b'\n'))
}

/// Whether these lines were added before: adding them again would not help.
pub(super) fn holds(file: &Path, lines: &str) -> bool {
    let text = fs::read_public(file, LARGEST).unwrap_or_default();
    text.windows(lines.len() - 1).any(|part| part == &lines.as_bytes()[1..])
}

/// The names that git would treat wrongly in this folder; `None` when git does not answer.
pub fn wrongly_treated(folder: &Path) -> Option<Vec<&'static str>> {
    let ignored = ignored(folder)?;
    let missing = IGNORED.into_iter().filter(|name| !ignored.contains(*name));
    let too_many = COMMITTED.into_iter().filter(|name| ignored.contains(*name));
    Some(missing.chain(too_many).collect())
}

/// Which of the names `git check-ignore` prints: status 0 with some, 1 with none, anything else is no answer.
fn ignored(folder: &Path) -> Option<BTreeSet<String>> {
    let mut git = question(folder);
    git.args(["check-ignore", "--no-index", "--"]).args(IGNORED).args(COMMITTED);
    let output = git.output().ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    matches!(output.status.code(), Some(0 | 1)).then(|| names.lines().map(str::to_owned).collect())
}
