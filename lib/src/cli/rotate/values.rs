//! New values for names.

use super::{Args, RotateUsage};
use crate::cli::Ctx;
use crate::cli::new_value::{self, Generate};
use crate::cli::ui::NotConfirmed;
use crate::crypto;
use crate::error::Result;
use crate::generate;
use crate::pair::Pair;
use crate::project::{Declaration, Opened};
use crate::rotate::{self, Hooks, Manner, Rotator, Step, Subject};
use crate::schema::Property;
use crate::sealed::{Storage, Utc};
use crate::validation::{self, Advice, Invalid};
use crate::vars::{Value, VarName};
use std::collections::BTreeSet;

/// What is rotated, and how.
type Job = (Subject, Manner);

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    check_names(args)?;
    let opened = ctx.project.open_to_change()?;
    let declaration = ctx.project.declaration(&[opened.path().to_path_buf()])?;
    let jobs = args.names.iter().map(|name| subject_and_manner(args, name, declaration.as_ref()));
    let jobs = jobs.collect::<Result<Vec<Job>>>()?;
    let rotator = Rotator { project: &ctx.project, listener: ctx.ui };
    let service = &args.service;
    let now = Utc::now();
    // What goes back or ends writes no time.
    if !(args.clock_is_right || service.abort || args.finish) {
        rotate::check_clock(&opened, now)?;
    }
    if service.resume || service.abort || args.finish {
        return with_begun(args, ctx, &rotator, opened, &jobs);
    }
    for (subject, manner) in &jobs {
        rotate::check(&opened, subject, manner.grace, now)?;
    }
    let values = new_values(args, ctx, declaration.as_ref())?;
    must_be_as_declared(declaration.as_ref(), &values)?;
    let mut values = values.into_iter().map(|(_, value)| value);
    if jobs.iter().all(|(_, manner)| manner.hooks.are_none()) {
        let jobs = jobs.into_iter().zip(values);
        return rotator
            .replace(opened, jobs.map(|((subject, manner), value)| (subject, value, manner.grace)).collect());
    }
    one_by_one(&rotator, opened, &jobs, |opened, subject, manner| match values.next() {
        Some(value) => rotator.rotate(opened, subject, value, manner),
        None => Ok(()),
    })
}

/// Each name once, and a pair of users for one name.
fn check_names(args: &Args) -> std::result::Result<(), RotateUsage> {
    if args.service.pair.is_some() && args.names.len() > 1 {
        return Err(RotateUsage::OnePair);
    }
    let mut names = BTreeSet::new();
    match args.names.iter().find(|name| !names.insert(*name)) {
        Some(twice) => Err(RotateUsage::Twice(twice.clone())),
        None => Ok(()),
    }
}

/// Goes on with rotations that were begun, goes back, or ends them.
fn with_begun(args: &Args, ctx: &Ctx<'_>, rotator: &Rotator<'_>, opened: Opened, jobs: &[Job]) -> Result<()> {
    let service = &args.service;
    let step = if service.abort { Step::Abort } else { Step::Set };
    one_by_one(rotator, opened, jobs, |opened, subject, manner| {
        if !args.finish && rotate::is_pending(&opened, subject) {
            confirm(args, ctx, subject, manner, step)?;
        }
        match (service.resume, service.abort) {
            (true, _) => rotator.resume(opened, subject, manner),
            (_, true) => rotator.abort(opened, subject, manner),
            _ => rotator.finish(opened, subject, manner),
        }
    })
}

/// Does something with one name after the other, each with the file as it is by then.
fn one_by_one(
    rotator: &Rotator<'_>,
    opened: Opened,
    jobs: &[Job],
    mut job: impl FnMut(Opened, &Subject, &Manner) -> Result<()>,
) -> Result<()> {
    let held = opened.hold();
    let mut first = Some(opened);
    for (subject, manner) in jobs {
        let opened = first.take().map_or_else(|| rotator.project.reopen(&held), Ok)?;
        job(opened, subject, manner)?;
    }
    Ok(())
}

/// How a name is rotated: by the flags, else as it is declared.
pub(super) fn subject_and_manner(args: &Args, name: &VarName, declaration: Option<&Declaration>) -> Result<Job> {
    let property = declaration.and_then(|declaration| declaration.schema.property(name.as_str()));
    let declared_grace = || property.as_ref().and_then(Property::grace);
    let grace = if args.no_grace { None } else { args.grace.or_else(declared_grace) };
    let (hooks, declared_pair) = service(args, name, property.as_ref())?;
    let pair = args.service.pair.clone().or(declared_pair);
    if pair.as_ref().is_some_and(|pair| pair.name == *name) {
        return Err(RotateUsage::OwnPair(name.clone()).into());
    }
    Ok((Subject { name: name.clone(), pair }, Manner { hooks, grace }))
}

/// The commands: those that were given, else the declared ones, which run only if they are asked for; and their users.
fn service(args: &Args, name: &VarName, property: Option<&Property<'_>>) -> Result<(Hooks, Option<Pair>)> {
    let service = &args.service;
    if let Some(given) = service.given() {
        return Ok((given, None));
    }
    match property.and_then(Property::rotation) {
        Some(declared) if service.run_hooks => {
            let hooks = Hooks {
                set: declared.on_set.clone(),
                test: declared.on_test.clone(),
                finish: declared.on_finish.clone(),
                abort: declared.on_abort.clone(),
                limit: service.limit(),
            };
            Ok((hooks, declared.pair.clone()))
        }
        Some(_) if !service.no_hooks => Err(RotateUsage::HooksDeclared(name.clone()).into()),
        None if service.run_hooks && !args.due => Err(RotateUsage::NoHooks(name.clone()).into()),
        _ => Ok((Hooks { limit: service.limit(), ..Hooks::default() }, None)),
    }
}

/// Without a command for its service only a person knows what value it has.
fn confirm(args: &Args, ctx: &Ctx<'_>, subject: &Subject, manner: &Manner, step: Step) -> Result<()> {
    if args.yes || manner.hooks.of(step).is_some() {
        return Ok(());
    }
    let name = &subject.name;
    let (question, flag) = match step {
        Step::Abort => {
            (format!("{name}: the new value will be gone. Does its service have the current one?"), "--on-abort")
        }
        _ => (format!("{name}: Does its service have the new value already?"), "--on-set"),
    };
    match ctx.ui.ask_yes(&question, false)? {
        Some(true) => Ok(()),
        Some(false) => Err(NotConfirmed.into()),
        None => Err(RotateUsage::Unconfirmed { name: name.clone(), flag }.into()),
    }
}

/// A new value for each name.
fn new_values(args: &Args, ctx: &Ctx<'_>, declaration: Option<&Declaration>) -> Result<Vec<(VarName, Value)>> {
    let mut values = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let declared = declaration.and_then(|declaration| new_value::declared_kind(name, declaration));
        let kind = match args.generate {
            Some(Generate::Kind(kind)) => Some(kind),
            Some(Generate::Auto) => Some(declared.ok_or_else(|| new_value::NoKind(name.clone()))?),
            None => declared.filter(|_| !args.no_generate),
        };
        let text = match kind {
            Some(kind) => generate::value(kind, &mut crypto::system_rng()),
            None if args.names.len() > 1 && !ctx.ui.stdin_is_terminal() => {
                return Err(RotateUsage::OneValue(args.names.len()).into());
            }
            None => new_value::read(name, "New value", args.keep_newline, ctx)?,
        };
        // A service would take an empty password, and a job without standard input would give it one.
        if text.is_empty() {
            return Err(RotateUsage::Empty(name.clone()).into());
        }
        values.push((name.clone(), Value::try_from(text)?));
    }
    Ok(values)
}

/// A value that comes into use by itself had better be right.
pub(super) fn must_be_as_declared(declaration: Option<&Declaration>, values: &[(VarName, Value)]) -> Result<()> {
    let Some(declaration) = declaration else { return Ok(()) };
    let values = values.iter().map(|(name, value)| (name, value, Storage::Secret));
    match validation::check_declared(declaration, values)?.invalid {
        Some(invalid) => Err(Invalid { advice: Advice::None, ..invalid }.into()),
        None => Ok(()),
    }
}
