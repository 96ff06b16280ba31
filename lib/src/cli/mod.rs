//! The verbs: what was typed, one module each, and how a failure ends the program.

mod completions;
mod diff;
mod doctor;
mod edit;
mod export;
mod get;
mod hook;
mod import;
mod init;
mod list;
mod lock;
mod man;
mod merge;
mod new_password;
mod new_value;
mod rekey;
mod rotate;
mod run;
mod schema;
mod seal;
mod set;
mod slot;
mod status;
mod terminal;
mod ui;
mod unlock;
mod unset;
mod validate;

use crate::child;
use crate::error::{Error, Result, Status};
use crate::project::{Flags, Project};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use ui::{Found, Ui};

const AFTER_HELP: &str = "\
A first session:
  envsec init                      make .env.enc, protected by a password
  envsec set DATABASE_URL          asks for the value, without echo
  envsec import .env               or bring in what there is
  envsec run -- npm start          start with the values in the environment
  git add .env.enc                 it may be committed

In CI, with the password in ENVSEC_PASSWORD or a raw key in ENVSEC_KEY:
  envsec run -- ./deploy

Exit statuses: 0 done, 1 failure, 2 usage or nothing there, 3 validation
failed, 4 no or wrong credential, 5 not authentic or malformed, 6 conflict, 7 a
service or its hook failed, 8 found, or due. Of run: the command's own; 125
envsec failed, 126 not executable, 127 not found.";

/// dotenv files that may be committed: each secret encrypted, the whole sealed.
#[derive(Parser)]
#[command(name = "envsec", version, about, after_help = AFTER_HELP, disable_help_subcommand = true, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    flags: Flags,

    /// Say only what is wrong
    #[arg(short, long, global = true, display_order = 900)]
    quiet: bool,

    /// Say which file and slot were used, and which names the process has already
    #[arg(short, long, global = true, display_order = 901, conflicts_with = "quiet")]
    verbose: bool,

    #[command(subcommand)]
    verb: Verb,
}

/// Only the verb that was typed is built, since all of them took half the time of a start; so what the overview says of
/// each stands here, and once more in its module.
#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Make a new sealed file
    Init(init::Args),
    /// Set a value
    Set(set::Args),
    /// Print one value
    Get(get::Args),
    /// Start a command with the values in its environment
    Run(run::Args),
    /// Check the variables against their declaration
    Validate(validate::Args),
    /// Give names new values, or the file a new data key
    Rotate(rotate::Args),
    /// Show where every variable comes from, and whether it is as declared
    Status(status::Args),
    /// Show and change who opens the file
    Slot(slot::Args),
    /// Keep the file unlocked for a while
    Unlock(unlock::Args),
    /// Forget what was unlocked
    Lock(lock::Args),
    /// Write and check the declaration itself, env.schema.json
    Schema(schema::Args),
    /// List the names
    List(list::Args),
    /// Remove names with their values
    Unset(unset::Args),
    /// Change several values, names and comments in an editor
    Edit(edit::Args),
    /// Bring a plaintext file in
    Import(import::Args),
    /// Write the values out, in plaintext
    Export(export::Args),
    /// Show what two revisions of the sealed file differ in
    Diff(diff::Args),
    /// Seal a file again that was edited or merged by hand
    Seal(seal::Args),
    /// Check the sealed file, its repository and this machine
    Doctor(doctor::Args),
    /// Refuse commits of plaintext env files
    Hook(hook::Args),
    /// Merge three revisions, as git's merge driver
    Merge(merge::Args),
    /// Print a shell's completion script
    Completions(completions::Args),
    /// Print a manual page
    Man(man::Args),
}

/// What every verb gets.
struct Ctx<'a> {
    project: Project<'a>,
    flags: &'a Flags,
    ui: &'a Ui,
}

/// Runs the program on the process's arguments, and says which status to end with.
pub fn main() -> u8 {
    child::start();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    let ui = Ui::new(cli.quiet, cli.verbose);
    match dispatch(&cli, &ui) {
        Ok(ended) => ended,
        Err(error) => report(&error, &cli.verb, &ui).code(),
    }
}

/// What was typed, read by clap if there are flags.
fn parse() -> std::result::Result<Cli, clap::Error> {
    plain_run(std::env::args_os().skip(1)).map_or_else(parse_flags, Ok)
}

/// `envsec run -- COMMAND` has no flag to parse, and is what starts most programs: clap would take a fifth of the time that
/// envsec adds to a start.
fn plain_run(mut args: impl Iterator<Item = OsString>) -> Option<Cli> {
    let mut next_is = |word: &str| args.next().is_some_and(|arg| arg == word);
    let is_plain = next_is("run") && next_is("--");
    let command: Vec<OsString> = args.collect();
    (is_plain && !command.is_empty()).then(|| Cli {
        flags: Flags::default(),
        quiet: false,
        verbose: false,
        verb: Verb::Run(run::Args::plain(command)),
    })
}

/// `envsec help VERB` is `envsec VERB --help`, as for many tools: what to read instead of the arguments.
fn asked_for_help(mut args: Vec<OsString>) -> Option<Vec<OsString>> {
    (args.get(1)? == "help").then(|| {
        args.remove(1);
        args.push("--help".into());
        args
    })
}

/// clap gives each verb that it knows a copy of the flags that all of them have, which took longer than
/// opening a file; so it is told of the typed verb only. Help and errors come from the whole definition.
fn parse_flags() -> std::result::Result<Cli, clap::Error> {
    if let Some(args) = asked_for_help(std::env::args_os().collect()) {
        return Cli::try_parse_from(args);
    }
    let matches = with_typed_verb_only().and_then(|command| command.try_get_matches().ok());
    match matches.map(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Some(Ok(cli)) => Ok(cli),
        _ => Cli::try_parse(),
    }
}

/// The first word that is a verb.
fn typed_verb(whole: &Command) -> Option<&Command> {
    std::env::args_os().skip(1).find_map(|word| whole.find_subcommand(word))
}

/// `None` when no word is a verb. A word that is a flag's value may be taken for the verb: then the real one is unknown,
/// which is an error, so [`parse_flags`] turns to the whole definition.
fn with_typed_verb_only() -> Option<Command> {
    let whole = Cli::command();
    let verb = typed_verb(&whole)?;
    Some(Command::new("envsec").args(whole.get_arguments()).subcommand(verb.clone()))
}

fn dispatch(cli: &Cli, ui: &Ui) -> Result<u8> {
    let ctx = Ctx { project: Project::new(&cli.flags, ui), flags: &cli.flags, ui };
    let done = match &cli.verb {
        Verb::Diff(args) => return diff::run(args, &ctx).map(Found::code),
        Verb::Doctor(args) => return doctor::run(args, &ctx).map(Found::code),
        Verb::Hook(args) => return hook::run(args, &ctx).map(Found::code),
        Verb::Init(args) => init::run(args, &ctx),
        Verb::Set(args) => set::run(args, &ctx),
        Verb::Get(args) => get::run(args, &ctx),
        Verb::Run(args) => run::run(args, &ctx),
        Verb::Validate(args) => validate::run(args, &ctx),
        Verb::Rotate(args) => rotate::run(args, &ctx),
        Verb::Slot(args) => slot::run(args, &ctx),
        Verb::Unlock(args) => unlock::run(args, &ctx),
        Verb::Lock(args) => lock::run(args, &ctx),
        Verb::Status(args) => status::run(args, &ctx),
        Verb::Schema(args) => schema::run(args, &ctx),
        Verb::List(args) => list::run(args, &ctx),
        Verb::Unset(args) => unset::run(args, &ctx),
        Verb::Edit(args) => edit::run(args, &ctx),
        Verb::Import(args) => import::run(args, &ctx),
        Verb::Export(args) => export::run(args, &ctx),
        Verb::Merge(args) => merge::run(args, &ctx),
        Verb::Seal(args) => seal::run(args, &ctx),
        Verb::Completions(args) => completions::run(args, &ctx),
        Verb::Man(args) => man::run(args, &ctx),
    };
    done.map(|()| 0)
}

/// Prints the failure and says which status to end with: `run` keeps the numbers below 125 for its command.
fn report(error: &Error, verb: &Verb, ui: &Ui) -> Status {
    ui.error(error);
    let status = error.status();
    let of_the_command = matches!(status, Status::NotExecutable | Status::CommandNotFound);
    if !matches!(verb, Verb::Run(_)) || of_the_command {
        return status;
    }
    ui.complain(&format!("nothing was started (status {}: {})", status.code(), status.meaning()));
    Status::RunFailed
}

/// Prints what clap has to say, help or a usage error.
fn usage(mut error: clap::Error) -> u8 {
    hide_values(&mut error);
    // A terminal that is gone cannot be told so.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
        _ if is_run() => Status::RunFailed.code(),
        _ => Status::Usage.code(),
    }
}

/// clap quotes what it does not understand, and that may be a secret in the wrong place: only what looks like a mistyped
/// flag or verb is shown.
fn hide_values(error: &mut clap::Error) {
    let is_word = |text: &str| text.len() <= 24 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let is_flag = |text: &str| text.starts_with('-') && is_word(text);
    let hide = |error: &mut clap::Error, kind, is_shown: &dyn Fn(&str) -> bool| {
        if matches!(error.get(kind), Some(ContextValue::String(text)) if !is_shown(text)) {
            error.insert(kind, ContextValue::String("...".into()));
            error.remove(ContextKind::Suggested);
        }
    };
    hide(error, ContextKind::InvalidValue, &|_| false);
    hide(error, ContextKind::InvalidSubcommand, &is_word);
    if error.kind() == ErrorKind::UnknownArgument {
        hide(error, ContextKind::InvalidArg, &is_flag);
    }
}

/// Whether the verb is `run`, although the arguments cannot be parsed.
fn is_run() -> bool {
    let lenient = Cli::command().ignore_errors(true).try_get_matches_from(std::env::args_os());
    match lenient.as_ref().ok().and_then(|matches| matches.subcommand_name()) {
        Some(verb) => verb == "run",
        // clap does not look behind a flag that it does not know.
        None => typed_verb(&Cli::command()).is_some_and(|verb| verb.get_name() == "run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(cli: &Cli) -> String {
        let Verb::Run(args) = &cli.verb else { panic!("another verb") };
        format!("{:?} {} {} {args:?}", cli.flags, cli.quiet, cli.verbose)
    }

    #[test]
    fn a_run_without_flags_is_read_as_clap_reads_it() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in ["run -- true", "run -- a -- b --quiet -e x", "run -- run --"] {
            let by_clap = Cli::try_parse_from([words("envsec"), words(line)].concat()).unwrap();
            assert_eq!(described(&plain_run(words(line).into_iter()).unwrap()), described(&by_clap), "{line}");
        }
        for line in ["run", "run --", "run true", "run -q -- true", "get -- A", "-q run -- true"] {
            assert!(plain_run(words(line).into_iter()).is_none(), "{line}");
        }
    }

    #[test]
    fn the_overview_says_of_each_verb_what_its_own_help_says() {
        let overview = Cli::command();
        let mut built = Cli::command();
        built.build();
        for verb in overview.get_subcommands() {
            let own = built.find_subcommand(verb.get_name()).unwrap();
            assert!(verb.get_about().is_some(), "{}", verb.get_name());
            assert_eq!(verb.get_about().map(ToString::to_string), own.get_about().map(ToString::to_string));
        }
    }
}
