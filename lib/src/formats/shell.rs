//! Text for POSIX shells: `export NAME='value'` lines, to be evaluated by sh, bash, ksh or zsh.

use super::{NotCarried, printed, refuse};
use crate::secret::SecretText;
use crate::vars::Vars;

/// Names that one of the shells sets itself, keeps read-only or reads as something else than text, so that an `export`
/// fails or gives another value: found by trying all that dash, bash and zsh know.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "ARGC", "BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC",
    "BASH_ARGV", "BASH_CMDS", "BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE",
    "BASH_SUBSHELL", "BASH_VERSINFO", "COLUMNS", "DIRSTACK", "EGID",
    "EPOCHREALTIME", "EPOCHSECONDS", "ERRNO", "EUID", "FUNCNAME",
    "FUNCNEST", "GID", "GROUPS", "HISTCHARS", "HISTCMD",
    "HISTSIZE", "KEYBOARD_HACK", "KEYTIMEOUT", "LINENO", "LINES",
    "LISTMAX", "MAILCHECK", "OPTIND", "PPID", "RANDOM",
    "SAVEHIST", "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM",
    "TRY_BLOCK_ERROR", "TRY_BLOCK_INTERRUPT", "TTYIDLE", "UID", "USERNAME",
    "WATCH", "ZSH_EVAL_CONTEXT", "ZSH_SUBSHELL", "_", "aliases",
    "argv", "builtins", "cdpath", "commands", "dirstack",
    "dis_aliases", "dis_builtins", "dis_functions", "dis_functions_source", "dis_galiases",
    "dis_patchars", "dis_reswords", "dis_saliases", "fignore", "fpath",
    "funcfiletrace", "funcsourcetrace", "funcstack", "functions", "functions_source",
    "functrace", "galiases", "histchars", "history", "historywords",
    "jobdirs", "jobstates", "jobtexts", "keymaps", "mailpath",
    "manpath", "module_path", "modules", "nameddirs", "options",
    "parameters", "patchars", "path", "pipestatus", "psvar",
    "reswords", "saliases", "signals", "status", "termcap",
    "terminfo", "userdirs", "usergroups", "watch", "widgets",
    "zsh_eval_context", "zsh_scheduled_events",
];

/// A line for each variable, exact for any value: between single quotes POSIX (2.2.2) takes every character as itself, and
/// `'\''` is how a single quote gets in.
///
/// # Errors
/// Names that shells keep for themselves.
pub fn print(vars: &Vars) -> Result<SecretText, NotCarried> {
    refuse(vars, "shell", |name, _| OWN.contains(&name).then_some("shells keep this variable for themselves"))?;
    Ok(printed(vars, |text, name, value| {
        for part in ["export ", name, "='"] {
            text.push_str(part);
        }
        for (at, part) in value.split('\'').enumerate() {
            text.push_str(if at > 0 { "'\\''" } else { "" });
            text.push_str(part);
        }
        text.push_str("'\n");
    }))
}
