//! `envsec rotate`: new values, or a new data key.

mod due;
mod values;

use super::new_value::Generate;
use super::{Ctx, rekey};
use crate::duration::Duration;
use crate::error::{Failure, Result, Status};
use crate::pair::Pair;
use crate::rotate::Hooks;
use crate::slots::{self, Also};
use crate::vars::VarName;

const A_VALUE: &str = "A new value";
const A_SERVICE: &str = "At its service";
const WHAT_IS_DUE: &str = "What is due";
const A_DATA_KEY: &str = "A new data key";

/// What is done about a rotation that was begun, and makes no new value.
const OF_BEGUN: [&str; 3] = ["resume", "abort", "finish"];

/// What is said of names, or of a new data key, and so not of what is due. That they require a name is not enough: clap asks
/// for nothing that another flag forbids.
const NOT_OF_DUE: [&str; 14] = [
    "generate",
    "no_generate",
    "keep_newline",
    "finish",
    "on_set",
    "on_test",
    "on_finish",
    "on_abort",
    "pair",
    "resume",
    "abort",
    "renew",
    "drop_slot",
    "drop_line",
];

/// Give names new values, or the file a new data key
///
/// With names: each gets a new value, which is generated, asked for, or read from standard input; with --grace the old one
/// is handed out beside it for a while, as NAME_PREVIOUS. Commands can set the new value at its service and test it there
/// before it comes into use.
///
/// Without names: every value is encrypted anew under a new data key, and every slot is wrapped anew with a fresh salt.
/// That needs the password or key of every slot. Several files (-f, repeated) change together or not at all.
#[derive(clap::Args)]
#[command(after_help = "\
The commands run in sh, one after the other. Each reads the value that the
service is to have on standard input, and the other one on descriptor 3; NAME
holds the variable's name, ENVSEC_STEP the step: set, test, finish or abort.
The new value is sealed into the file before the first one runs. If one fails,
go on with --resume or back with --abort.

Examples:
  envsec rotate SESSION_SECRET --generate hex:32 --grace 1h
  envsec rotate SESSION_SECRET --finish            nobody needs the old value any more
  envsec rotate STRIPE_KEY                         asks for the new value, without echo
  envsec rotate DB_PASSWORD --on-set ./set --on-test ./try
  envsec rotate DB_PASSWORD --run-hooks            the commands of env.schema.json
  envsec rotate --due --dry-run                    what is due by its rotateEvery
  envsec rotate --password-file ~/team.pass --key-file ci.key        a new data key
  envsec rotate --password-file ~/team.pass --renew ci > new.key     a new key for ci, too
  envsec rotate -f .env.enc -f .env.production.enc                   both, or neither")]
pub(super) struct Args {
    /// The names that get new values (without any: a new data key)
    #[arg(value_name = "NAME", group = "values")]
    names: Vec<VarName>,

    /// Make it: hex:N, base64:N (N random bytes), password:N (N letters and digits), uuid (default: as declared)
    #[arg(long, value_name = "KIND", requires = "names", conflicts_with_all = OF_BEGUN, help_heading = A_VALUE)]
    generate: Option<Generate>,

    /// Ask for it, or read it from standard input, although the declaration says how to make it
    #[arg(long, requires = "names", conflicts_with = "generate", conflicts_with_all = OF_BEGUN, help_heading = A_VALUE)]
    no_generate: bool,

    /// Keep the newline at the end of standard input
    #[arg(long, requires = "names", conflicts_with_all = OF_BEGUN, help_heading = A_VALUE)]
    keep_newline: bool,

    /// Hand out the old value for so long beside the new one: a number and s, m, h, d or w (default: as declared)
    #[arg(long, value_name = "TIME", requires = "values", help_heading = A_VALUE)]
    grace: Option<Duration>,

    /// Forget the old value at once, although the declaration says how long to hand it out
    #[arg(long, requires = "values", conflicts_with = "grace", help_heading = A_VALUE)]
    no_grace: bool,

    /// End the rotation: the old value is not needed any more
    #[arg(long, requires = "names", help_heading = A_VALUE)]
    finish: bool,

    /// Go on although the file speaks of later times than the clock
    #[arg(long, requires = "values", help_heading = A_VALUE)]
    clock_is_right: bool,

    #[command(flatten)]
    service: Service,

    /// New values for all that is due by rotateEvery in the declaration, and the end of rotations whose time of grace is over
    #[arg(long, group = "values", conflicts_with_all = NOT_OF_DUE, help_heading = WHAT_IS_DUE)]
    due: bool,

    /// Only say what is due, and exit with status 8 if anything is
    #[arg(long, requires = "due", conflicts_with = "names", help_heading = WHAT_IS_DUE)]
    dry_run: bool,

    /// A JSON array of {name, what, changed, due, previous_until, pending_since}
    #[arg(long, requires = "dry_run", help_heading = WHAT_IS_DUE)]
    json: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten, next_help_heading = A_DATA_KEY)]
    slots: slots::Flags,
}

/// What is done at the service whose secret the value is.
#[derive(clap::Args)]
#[group(skip)]
struct Service {
    /// Give the service the new value by this command
    #[arg(long, value_name = "CMD", requires = "names", help_heading = A_SERVICE, value_parser = command)]
    on_set: Option<String>,

    /// Try the new value at the service by this command, before it comes into use
    #[arg(long, value_name = "CMD", requires = "names", help_heading = A_SERVICE, value_parser = command)]
    on_test: Option<String>,

    /// Take the old value away from the service by this command: at once, with --grace at --finish
    #[arg(long, value_name = "CMD", requires = "names", help_heading = A_SERVICE, value_parser = command)]
    on_finish: Option<String>,

    /// Give the service the current value again by this command, at --abort
    #[arg(long, value_name = "CMD", requires = "names", help_heading = A_SERVICE, value_parser = command)]
    on_abort: Option<String>,

    /// Run the commands of the declaration (x-envsec.rotation), which is not sealed: read them first
    #[arg(long, requires = "values", help_heading = A_SERVICE)]
    run_hooks: bool,

    /// Change the file alone, although the declaration has commands for the service
    #[arg(long, requires = "values", conflicts_with = "run_hooks", help_heading = A_SERVICE)]
    no_hooks: bool,

    /// The longest time that a command may take
    #[arg(long, value_name = "TIME", requires = "values", default_value = "60s", help_heading = A_SERVICE)]
    hook_timeout: Duration,

    /// Of two users in turn, change the idle one's password, then use it: NAME is their variable's name
    #[arg(long, value_name = "NAME=USER,USER", requires = "names", help_heading = A_SERVICE)]
    pair: Option<Pair>,

    /// Go on with a rotation that was cut off
    #[arg(long, requires = "names", conflicts_with_all = ["finish", "abort"], help_heading = A_SERVICE)]
    resume: bool,

    /// Go back: drop the new value that waits in the file
    #[arg(long, requires = "names", conflicts_with = "finish", help_heading = A_SERVICE)]
    abort: bool,
}

/// Of a variable that is not set comes no command, and the shell would do nothing with success.
fn command(text: &str) -> std::result::Result<String, &'static str> {
    if text.trim().is_empty() { Err("no command") } else { Ok(text.to_owned()) }
}

impl Service {
    /// The commands that were given, if any was.
    fn given(&self) -> Option<Hooks> {
        let hooks = Hooks {
            set: self.on_set.clone(),
            test: self.on_test.clone(),
            finish: self.on_finish.clone(),
            abort: self.on_abort.clone(),
            limit: self.limit(),
        };
        (!hooks.are_none()).then_some(hooks)
    }

    fn limit(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.hook_timeout.seconds())
    }
}

/// What was typed goes together in no way.
#[derive(Debug, thiserror::Error)]
enum RotateUsage {
    /// Flags of a new data key beside names.
    #[error("--renew, --drop-slot and --drop-line are for a new data key, which is made without a NAME")]
    DataKey,
    /// One value for several names.
    #[error("one value goes to one name: {0} names were given")]
    OneValue(usize),
    /// Nothing was typed, or nothing came in.
    #[error("{0}: the new value is empty; nothing was changed")]
    Empty(VarName),
    /// `--pair` with several names.
    #[error("--pair is for one name")]
    OnePair,
    /// A name with itself as its user.
    #[error("{0}: holds either the secret or its user: --pair takes the name of another variable")]
    OwnPair(VarName),
    /// A name that would be rotated twice.
    #[error("{0}: given twice")]
    Twice(VarName),
    /// Commands that are declared, and neither wanted nor not.
    #[error("{0}: the declaration has commands that change it at its service")]
    HooksDeclared(VarName),
    /// `--run-hooks`, and there are none.
    #[error("{0}: the declaration has no commands that change it at its service")]
    NoHooks(VarName),
    /// `--resume` or `--abort` without a command, and nobody to ask.
    #[error("{name}: no command tells its service, so only you can know what value it has")]
    Unconfirmed {
        /// What is rotated.
        name: VarName,
        /// Which command is missing.
        flag: &'static str,
    },
}

impl Failure for RotateUsage {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            RotateUsage::DataKey | RotateUsage::OnePair | RotateUsage::OwnPair(_) | RotateUsage::Twice(_) => {
                return None;
            }
            RotateUsage::OneValue(_) => "rotate them one by one, or let --generate KIND make the values".into(),
            RotateUsage::Empty(_) => {
                "type it, pipe it in, or let --generate KIND make it; envsec set NAME= stores an empty value".into()
            }
            RotateUsage::HooksDeclared(_) => "--run-hooks runs them, --no-hooks changes the file alone".into(),
            RotateUsage::NoHooks(_) => {
                "without --run-hooks the file alone changes; --on-set CMD gives a command".into()
            }
            RotateUsage::Unconfirmed { flag, .. } => {
                format!("{flag} CMD, or --run-hooks; or --yes, if it is as it should be")
            }
        })
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    if args.due {
        return due::run(args, ctx);
    }
    if args.names.is_empty() {
        return rekey::rekey(ctx, rekey::open(ctx)?, &args.slots, &Also::Nothing, args.yes);
    }
    if args.slots.are_used() {
        return Err(RotateUsage::DataKey.into());
    }
    values::run(args, ctx)
}
