//! `rotate --due`: everything that is due, and what could not be done.

use super::{Args, values};
use crate::child;
use crate::cli::Ctx;
use crate::cli::new_value;
use crate::cli::ui::{json_array, with_times};
use crate::crypto;
use crate::error::{Error, Failure, Result, Status};
use crate::generate;
use crate::project::{Declaration, Held, Opened};
use crate::rotate::{self, Due, Manner, Rotator, Subject, What};
use crate::sealed::Utc;
use crate::vars::{Value, VarName};

/// Something is due.
#[derive(Debug, thiserror::Error)]
enum IsDue {
    /// It was only looked for.
    #[error("due: {0}")]
    Found(usize),
    /// It needs somebody.
    #[error("still due: {}", .names.iter().map(VarName::as_str).collect::<Vec<_>>().join(", "))]
    Left {
        /// What is left.
        names: Vec<VarName>,
        /// That of the first failure.
        status: Status,
    },
}

impl Failure for IsDue {
    fn status(&self) -> Status {
        match self {
            IsDue::Found(_) => Status::Found,
            IsDue::Left { status, .. } => *status,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, IsDue::Found(_)).then(|| "envsec rotate --due does what can be done unattended".into())
    }
}

/// A name that is due and cannot be done unattended.
#[derive(Debug, thiserror::Error)]
enum Left {
    /// Nothing says how to make a value.
    #[error("{0}: is due, and nothing declares how to make a new value")]
    NoKind(VarName),
    /// A rotation was cut off.
    #[error("{0}: a rotation of it is pending")]
    Pending(VarName),
}

impl Failure for Left {
    fn status(&self) -> Status {
        Status::Found
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Left::NoKind(name) => format!("with a new value from its service: envsec rotate {name}"),
            Left::Pending(name) => format!("envsec rotate {name} --resume goes on with it, --abort goes back"),
        })
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let opened = ctx.project.open_to_change()?;
    let declaration = ctx.project.declaration(&[opened.path().to_path_buf()])?;
    let now = Utc::now();
    let due = rotate::due(opened.unlocked.locked(), declaration.as_ref().map(|of| &of.schema), now);
    if args.dry_run {
        return report(args, ctx, &due, now);
    }
    if due.is_empty() {
        return Ok(());
    }
    if !args.clock_is_right {
        rotate::check_clock(&opened, now)?;
    }
    let work = Work { args, ctx, declaration: declaration.as_ref(), left: Vec::new(), status: Status::Found };
    work.do_all(opened, &due)
}

fn report(args: &Args, ctx: &Ctx<'_>, due: &[Due], now: Utc) -> Result<()> {
    let text = if args.json { as_json(due) } else { table(due, now) };
    ctx.ui.data(text.as_bytes())?;
    if due.is_empty() { Ok(()) } else { Err(IsDue::Found(due.len()).into()) }
}

fn table(due: &[Due], now: Utc) -> String {
    let width = due.iter().map(|due| due.name.as_str().len()).max().unwrap_or(0);
    due.iter().map(|due| format!("{:width$}  {}\n", due.name.as_str(), due.state.news(now).join("; "))).collect()
}

fn as_json(due: &[Due]) -> String {
    let row = |due: &Due| {
        let what = match due.what {
            What::Rotate => "rotate",
            What::Finish => "finish",
            What::Resume => "resume",
        };
        with_times(serde_json::json!({ "name": due.name.as_str(), "what": what }), &due.state)
    };
    json_array(due.iter().map(row))
}

/// What one name needs.
enum Job {
    Replace(Subject, Value, Manner),
    Finish(Subject, Manner),
}

impl Job {
    fn name(&self) -> &VarName {
        let (Job::Replace(subject, ..) | Job::Finish(subject, _)) = self;
        &subject.name
    }

    /// Whether no service has to be told.
    fn is_of_the_file_alone(&self) -> bool {
        matches!(self, Job::Replace(_, _, manner) if manner.hooks.are_none())
    }
}

/// Doing what is due, as far as it goes: a failure is said at once, and the next name comes.
struct Work<'w> {
    args: &'w Args,
    ctx: &'w Ctx<'w>,
    declaration: Option<&'w Declaration>,
    left: Vec<VarName>,
    status: Status,
}

impl Work<'_> {
    fn failed(&mut self, name: &VarName, error: &Error) {
        self.ctx.ui.error(error);
        self.left.push(name.clone());
        if self.status == Status::Found {
            self.status = error.status();
        }
    }

    fn do_all(mut self, opened: Opened, due: &[Due]) -> Result<()> {
        let held = opened.hold();
        let mut jobs = Vec::new();
        for due in due {
            match self.job(&opened, due) {
                Ok(job) => jobs.push(job),
                Err(error) => self.failed(&due.name, &error),
            }
        }
        let rotator = Rotator { project: &self.ctx.project, listener: self.ctx.ui };
        let (simple, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::is_of_the_file_alone);
        let mut values = Vec::new();
        for job in simple {
            if let Job::Replace(subject, value, manner) = job {
                values.push((subject, value, manner.grace));
            }
        }
        // All in one write.
        rotator.replace(opened, values)?;
        for job in others {
            let name = job.name().clone();
            match do_one(&rotator, &held, job) {
                Err(error) if child::was_interrupted() => return Err(error),
                Err(error) => self.failed(&name, &error),
                Ok(()) => {}
            }
        }
        if self.left.is_empty() { Ok(()) } else { Err(IsDue::Left { names: self.left, status: self.status }.into()) }
    }

    /// What is to be done, if it can be done unattended.
    fn job(&self, opened: &Opened, due: &Due) -> Result<Job> {
        let name = &due.name;
        let (subject, manner) = values::subject_and_manner(self.args, name, self.declaration)?;
        match due.what {
            What::Resume => Err(Left::Pending(name.clone()).into()),
            What::Finish => Ok(Job::Finish(subject, manner)),
            What::Rotate => {
                let kind = self.declaration.and_then(|declaration| new_value::declared_kind(name, declaration));
                let kind = kind.ok_or_else(|| Left::NoKind(name.clone()))?;
                rotate::check(opened, &subject, manner.grace, Utc::now())?;
                let value = [(name.clone(), Value::try_from(generate::value(kind, &mut crypto::system_rng()))?)];
                values::must_be_as_declared(self.declaration, &value)?;
                let [(_, value)] = value;
                Ok(Job::Replace(subject, value, manner))
            }
        }
    }
}

fn do_one(rotator: &Rotator<'_>, held: &Held, job: Job) -> Result<()> {
    let opened = rotator.project.reopen(held)?;
    match job {
        Job::Replace(subject, value, manner) => rotator.rotate(opened, &subject, value, &manner),
        // Of a pair the user's old value ended with the password's, or is handed out beside a new one by now.
        Job::Finish(subject, _) if !rotate::is_to_be_finished(&opened, &subject, Utc::now()) => Ok(()),
        Job::Finish(subject, manner) => rotator.finish(opened, &subject, &manner),
    }
}
