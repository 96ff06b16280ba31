//! The pre-commit hook: where it is, whether it calls envsec, and a first one.

use super::{GitError, first_line, not_run, question};
use crate::fs::{self, Readers};
use std::path::{Path, PathBuf};

/// What a hook has to run, whoever manages it.
pub const CALL: &str = "envsec hook pre-commit";

/// A graphical client may have another PATH: then the commit is refused, with words, rather than let through.
const SCRIPT: &str = "\
#!/bin/sh
# No plaintext env files in a commit (envsec hook install). Not this time: git commit --no-verify
if ! command -v envsec >/dev/null 2>&1; then
  echo 'error: envsec is not in PATH, so the commit cannot be checked' >&2
  exit 1
fi
exec envsec hook pre-commit
";

/// Where the programs that manage hooks are told what to run, from the repository's root.
const MANAGERS: [&str; 6] = [
    ".pre-commit-config.yaml",
    ".husky/pre-commit",
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
];

/// The largest hook that is looked into, in bytes.
const LARGEST: usize = 1 << 20;

/// How it is with the pre-commit hook.
#[derive(Debug, PartialEq, Eq)]
pub enum Hook {
    /// It calls envsec.
    Calls(PathBuf),
    /// It would call envsec, but git does not run what is not executable.
    NotExecutable(PathBuf),
    /// There is none.
    Missing(PathBuf),
    /// It is somebody's own and does not call envsec.
    Others(PathBuf),
    /// `core.hooksPath` leads out of the repository, so that a hook there is every repository's; it does not call envsec.
    Shared(PathBuf),
}

/// How it is with the pre-commit hook of the repository that `folder` is in.
///
/// # Errors
/// [`GitError::NotRun`], [`GitError::Refused`].
pub fn hook(folder: &Path) -> Result<Hook, GitError> {
    let hooks = ask_path(folder, &["--git-path", "hooks"])?;
    let root = ask_path(folder, &["--show-toplevel"])?;
    let file = hooks.join("pre-commit");
    if mentions_call(&file) {
        return Ok(if fs::is_executable(&file) { Hook::Calls(file) } else { Hook::NotExecutable(file) });
    }
    if fs::may_be_there(&file) {
        let managed = MANAGERS.iter().any(|manager| mentions_call(&root.join(manager)));
        return Ok(if managed { Hook::Calls(file) } else { Hook::Others(file) });
    }
    let own = [root, ask_path(folder, &["--git-common-dir"])?];
    Ok(if own.iter().any(|own| hooks.starts_with(own)) { Hook::Missing(file) } else { Hook::Shared(file) })
}

/// Writes the hook where there is none.
///
/// # Errors
/// A file that is there by now, or cannot be written.
pub fn install_hook(file: &Path) -> Result<(), GitError> {
    fs::make_folder(fs::folder_of(file))?;
    Ok(fs::prepare(file, SCRIPT.as_bytes(), Readers::ProgramByUmask)?.commit()?)
}

/// Whether a file runs the check, not in a comment.
fn mentions_call(file: &Path) -> bool {
    let text = fs::read_public(file, LARGEST).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().any(|line| line.contains(CALL) && !line.trim_start().starts_with('#'))
}

/// A path that `git rev-parse` knows.
fn ask_path(folder: &Path, what: &[&str]) -> Result<PathBuf, GitError> {
    let output = question(folder).args(["rev-parse", "--path-format=absolute"]).args(what).output().map_err(not_run)?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success());
    let path = text.as_deref().and_then(|text| text.strip_suffix('\n')).map(PathBuf::from);
    path.ok_or_else(|| GitError::Refused(first_line(&output.stderr)))
}
