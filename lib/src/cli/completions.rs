//! `envsec completions`: what a shell's Tab key knows of envsec.
//!
//! clap writes the script, from the one definition of the command line. The names of variables it cannot know; for
//! bash, zsh and fish the script is extended to ask the binary for them: `envsec completions --names` reads the words
//! that stand before the cursor and prints the names that may come next.

use super::{Cli, Ctx};
use crate::error::Result;
use crate::fs;
use crate::project::{Flags, Project};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use clap_complete::Shell;

/// Print a shell's completion script
///
/// For bash, zsh and fish it completes the names in the sealed file too, which needs no credential.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec completions bash > ~/.local/share/bash-completion/completions/envsec
  envsec completions zsh > ~/.zfunc/_envsec           with ~/.zfunc in fpath, before compinit
  envsec completions fish > ~/.config/fish/completions/envsec.fish
  envsec completions powershell >> $PROFILE
  envsec completions elvish >> ~/.config/elvish/rc.elv")]
pub(super) struct Args {
    /// The shell
    #[arg(required_unless_present = "names")]
    shell: Option<Shell>,

    /// Print the names that may follow the words on standard input, one a line: what the scripts call
    #[arg(long, hide = true, conflicts_with = "shell")]
    names: bool,
}

/// The most that is read of a command line.
const MAX_LINE: usize = 1024 * 1024;

/// Stands for the word at the cursor; has to be a name that a variable could have.
const CURSOR: &str = "ENVSEC_COMPLETES_THIS_WORD";

/// Where zsh's script begins to do something; before it, there are definitions only.
const ZSH_START: &str = "if [ \"$funcstack[1]\" = \"_envsec\" ]; then";

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    match args.shell {
        Some(shell) => ctx.ui.data(script(shell).as_bytes()),
        None => ctx.ui.data(names(ctx)?.as_bytes()),
    }
}

fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "envsec", &mut bytes);
    let script = String::from_utf8_lossy(&bytes);
    match shell {
        Shell::Bash => format!("{script}\n{}", include_str!("completions/names.bash")),
        Shell::Zsh => script.replacen(ZSH_START, &format!("{}\n{ZSH_START}", include_str!("completions/names.zsh")), 1),
        Shell::Fish => format!("{script}\n{}", include_str!("completions/names.fish")),
        _ => script.into_owned(),
    }
}

/// The names, a line each, if the words before the cursor ask for one. The words come through standard input because
/// among them may be a value, which does not belong into a list of processes.
fn names(ctx: &Ctx<'_>) -> Result<String> {
    let mut lines = String::new();
    let Ok(text) = fs::read_stdin(MAX_LINE)?.into_text() else { return Ok(lines) };
    let words = text.expose().lines().chain([CURSOR]);
    let Ok(matches) = Cli::command().try_get_matches_from(words) else { return Ok(lines) };
    let Some((_, verb)) = matches.subcommand().filter(wants_name) else { return Ok(lines) };
    let flags = Flags::from_arg_matches(verb).unwrap_or_default();
    for (_, locked) in Project::new(&flags, ctx.ui).read_locked()? {
        locked.names().for_each(|(name, _)| lines.extend([name, "\n"]));
    }
    Ok(lines)
}

/// Whether the word at the cursor is the name of a variable. After `set NAME` comes a value.
fn wants_name((verb, matches): &(&str, &ArgMatches)) -> bool {
    let argument = match *verb {
        "get" => "name",
        "set" => "what",
        "unset" => "names",
        _ => return false,
    };
    let words: Vec<_> = matches.get_raw(argument).into_iter().flatten().map(|word| word.to_string_lossy()).collect();
    match words.split_last() {
        Some((last, before)) => last == CURSOR && (*verb != "set" || before.iter().all(|word| word.contains('='))),
        None => false,
    }
}
