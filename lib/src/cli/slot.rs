//! `envsec slot`: who opens the file.

use super::ui::{NotConfirmed, json_array};
use super::{Ctx, new_password, rekey};
use crate::crypto;
use crate::error::{Failure, Result, Status, one_line};
use crate::project::{self, Opened, WithSlots};
use crate::sealed::{Credential, NewSlot, RawKey, SealedError, SlotId, SlotInfo, SlotType, Unlocked};
use crate::slots::{self, Also, slot_id};

/// Show and change who opens the file
///
/// A slot is one credential's way to the data key: a password, or a raw key for a machine. Any of them opens the file.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec slot list
  envsec slot add --raw-key --id ci > ci.key       a machine of its own
  envsec slot add --password --id alice            asks for her new password
  envsec slot remove ci --password-file team.pass  and a new data key, so that the old key opens nothing new
  envsec slot change-password alice")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// List the slots; with credentials, which one opens each
    List {
        /// A JSON array of {file, id, type, work_factor, opened_by}
        #[arg(long)]
        json: bool,
    },
    /// Add a slot for one more password or raw key; the data key stays
    Add(Add),
    /// Remove a slot, and give the file a new data key
    Remove(Remove),
    /// Change a slot's password, and give the file a new data key
    ChangePassword(ChangePassword),
    /// Wrap the same data key anew: a fresh salt, today's work factor
    Rewrap(Rewrap),
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("kind").required(true)))]
struct Add {
    /// For a new password
    #[arg(long, group = "kind")]
    password: bool,

    /// For a new raw key, which is printed once, alone, on standard output
    #[arg(long, group = "kind")]
    raw_key: bool,

    /// What to call it (default: password, or key)
    #[arg(long, value_name = "ID", value_parser = slot_id)]
    id: Option<SlotId>,

    #[command(flatten)]
    new: new_password::Flags,

    #[command(flatten)]
    cost: slots::Cost,
}

#[derive(clap::Args)]
struct Remove {
    /// The slot
    #[arg(value_parser = slot_id)]
    id: SlotId,

    /// Keep the data key: needs no other slot's secret, and leaves who had this slot able to open what is written later
    #[arg(long, conflicts_with_all = ["renew", "drop_slot", "drop_line"])]
    keep_data_key: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    others: slots::Flags,
}

#[derive(clap::Args)]
struct ChangePassword {
    /// The slot
    #[arg(value_parser = slot_id)]
    id: SlotId,

    /// Keep the data key: needs no other slot's secret, and leaves who knew the old password able to open what is written
    /// later
    #[arg(long, conflicts_with_all = ["renew", "drop_slot", "drop_line"])]
    keep_data_key: bool,

    #[command(flatten)]
    new: new_password::Flags,

    #[command(flatten)]
    others: slots::Flags,
}

#[derive(clap::Args)]
struct Rewrap {
    /// These slots only (default: all whose password or key is given)
    #[arg(value_parser = slot_id)]
    ids: Vec<SlotId>,

    #[command(flatten)]
    cost: slots::Cost,
}

/// What cannot be done to a slot.
#[derive(Debug, thiserror::Error)]
enum CannotDo {
    /// A removal that nobody confirmed.
    #[error("{}: removing a slot locks out who uses it", .0.as_str())]
    Unconfirmed(SlotId),
    /// `change-password` of a slot without one.
    #[error("{}: is opened by no password", .0.id.as_str())]
    NoPassword(SlotInfo),
    /// `rewrap` of a slot whose secret is not at hand.
    #[error("{}: its secret is not at hand", .0.as_str())]
    NotAtHand(SlotId),
}

impl Failure for CannotDo {
    fn status(&self) -> Status {
        match self {
            CannotDo::Unconfirmed(_) | CannotDo::NoPassword(_) => Status::Usage,
            CannotDo::NotAtHand(_) => Status::Credential,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            CannotDo::Unconfirmed(_) => "without a terminal: --yes".into(),
            CannotDo::NoPassword(slot) if slot.kind.is_known() => {
                format!("a raw key is renewed by: envsec rotate --renew {}", slot.id.as_str())
            }
            CannotDo::NoPassword(_) => "update envsec, which does not know that type; or remove the slot".into(),
            CannotDo::NotAtHand(_) => "--password-file FILE or --key-file FILE gives it".into(),
        })
    }
}

/// What keeping the data key means.
const KEPT: &str =
    "the data key stays: who could open the file until now, and kept an older revision, can still open every later one";

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    match &args.action {
        Action::List { json } => list(*json, ctx),
        Action::Add(args) => add(args, ctx),
        Action::Remove(args) => remove(args, ctx),
        Action::ChangePassword(args) => change_password(args, ctx),
        Action::Rewrap(args) => rewrap(args, ctx),
    }
}

fn list(json: bool, ctx: &Ctx<'_>) -> Result<()> {
    let mut rows = Vec::new();
    if ctx.project.names_credentials()? {
        let held = ctx.project.open_with_slots(ctx.project.paths()?)?;
        for (opened, matches) in &held.files {
            for slot in opened.unlocked.locked().slots() {
                let place = matches.iter().find(|(id, _)| *id == slot.id).map(|(_, place)| *place);
                rows.push(Row::new(opened.path(), slot, place.map(|place| held.sources[place].clone())));
            }
        }
    } else {
        for (path, locked) in &ctx.project.read_locked()? {
            rows.extend(locked.slots().into_iter().map(|slot| Row::new(path, slot, None)));
        }
    }
    let several = rows.iter().any(|row| row.file != rows[0].file);
    ctx.ui.data(if json { as_json(&rows) } else { table(&rows, several) }.as_bytes())
}

/// A slot of a file, and what opens it.
struct Row {
    file: String,
    slot: SlotInfo,
    by: Option<String>,
}

impl Row {
    fn new(file: &std::path::Path, slot: SlotInfo, by: Option<String>) -> Self {
        Row { file: file.to_string_lossy().into_owned(), slot, by }
    }

    fn work_factor(&self) -> Option<u8> {
        if let SlotType::Password { work_factor } = self.slot.kind { Some(work_factor) } else { None }
    }
}

/// A line for each slot, with its file if there are several.
fn table(rows: &[Row], several: bool) -> String {
    let width = rows.iter().map(|row| row.slot.id.as_str().len()).max().unwrap_or(0);
    let file_width = rows.iter().map(|row| one_line(&row.file).chars().count()).max().unwrap_or(0);
    let line = |row: &Row| {
        let cost = row.work_factor().map_or(String::new(), |ln| format!(" ln={ln}"));
        let by = row.by.as_ref().map_or(String::new(), |by| format!("  opened by {by}"));
        let text = format!("{:width$}  {:12}{by}", row.slot.id.as_str(), format!("{}{cost}", row.slot.kind.name()));
        let file = if several { format!("{:file_width$}  ", one_line(&row.file)) } else { String::new() };
        format!("{file}{}\n", text.trim_end())
    };
    rows.iter().map(line).collect()
}

fn as_json(rows: &[Row]) -> String {
    let row = |row: &Row| {
        serde_json::json!({
            "file": row.file,
            "id": row.slot.id.as_str(),
            "type": row.slot.kind.name(),
            "work_factor": row.work_factor(),
            "opened_by": row.by,
        })
    };
    json_array(rows.iter().map(row))
}

fn add(args: &Add, ctx: &Ctx<'_>) -> Result<()> {
    let opened = ctx.project.open_to_change()?;
    must_be_free(args, &opened)?;
    let rng = &mut crypto::system_rng();
    let mut slot = if args.raw_key {
        NewSlot::raw_key(RawKey::generate(rng))
    } else {
        NewSlot::password(args.new.read(ctx.ui)?, args.cost.work_factor)
    };
    if let Some(id) = &args.id {
        slot.id = id.clone();
    }
    let key = slots::raw_keys(std::slice::from_ref(&slot));
    let path = opened.path().to_owned();
    let edit = |_, file: &mut Unlocked| slots::within_cost(&path, file, |file| Ok(file.add_slot(&slot, rng)?));
    ctx.project.change_all(vec![opened], edit, || ctx.ui.raw_keys(&key))
}

/// Before a person types a new password for it.
fn must_be_free(args: &Add, opened: &Opened) -> Result<()> {
    let default = if args.raw_key { "key" } else { "password" };
    let id = args.id.clone().or_else(|| SlotId::parse(default));
    let taken = opened.unlocked.locked().slots().into_iter().find(|slot| Some(&slot.id) == id.as_ref());
    taken.map_or(Ok(()), |slot| Err(SealedError::SlotExists(slot.id).into()))
}

fn remove(args: &Remove, ctx: &Ctx<'_>) -> Result<()> {
    slots::must_be_there([&args.id], ctx.project.read_locked()?.iter().map(|(_, locked)| locked))?;
    let question = format!("Remove the slot {}?", args.id.as_str());
    match args.yes || ctx.ui.ask_yes(&question, false)?.ok_or_else(|| CannotDo::Unconfirmed(args.id.clone()))? {
        true if args.keep_data_key => {
            let opened = ctx.project.open_to_change()?;
            ctx.project.change(opened, |file| Ok(file.remove_slot(&args.id)?))?;
            ctx.ui.say(KEPT);
            Ok(())
        }
        true => rekey::rekey(ctx, rekey::open(ctx)?, &args.others, &Also::Remove(&args.id), true),
        false => Err(NotConfirmed.into()),
    }
}

fn change_password(args: &ChangePassword, ctx: &Ctx<'_>) -> Result<()> {
    must_take_password(&args.id, ctx)?;
    if args.keep_data_key {
        let opened = ctx.project.open_to_change()?;
        let password = args.new.read(ctx.ui)?;
        let slot = NewSlot { id: args.id.clone(), ..NewSlot::password(password, args.others.work_factor) };
        let path = opened.path().to_owned();
        let rng = &mut crypto::system_rng();
        ctx.project
            .change(opened, |file| slots::within_cost(&path, file, |file| Ok(file.replace_slot(&slot, rng)?)))?;
        ctx.ui.say(KEPT);
        return Ok(());
    }
    let held = rekey::open(ctx)?; // who types both passwords begins with the old one
    let password = Credential::Password(args.new.read(ctx.ui)?);
    rekey::rekey(ctx, held, &args.others, &Also::Replace(&args.id, &password), true)
}

/// Before a person types a new password for it.
fn must_take_password(id: &SlotId, ctx: &Ctx<'_>) -> Result<()> {
    let files = ctx.project.read_locked()?;
    slots::must_be_there([id], files.iter().map(|(_, locked)| locked))?;
    for (_, locked) in &files {
        let slot = locked.slots().into_iter().find(|slot| slot.id == *id);
        if let Some(slot) = slot.filter(|slot| !matches!(slot.kind, SlotType::Password { .. })) {
            return Err(CannotDo::NoPassword(slot).into());
        }
    }
    Ok(())
}

fn rewrap(args: &Rewrap, ctx: &Ctx<'_>) -> Result<()> {
    let WithSlots { files, credentials, .. } = ctx.project.open_with_slots(ctx.project.paths()?)?;
    let mut slots: Vec<Vec<NewSlot>> = Vec::new();
    let mut opened_files: Vec<Opened> = Vec::new();
    slots::must_be_there(&args.ids, files.iter().map(|(opened, _)| opened.unlocked.locked()))?;
    for (opened, matches) in files {
        if let Some(id) = args.ids.iter().find(|id| matches.iter().all(|(known, _)| known != *id)) {
            return Err(CannotDo::NotAtHand(id.clone()).into());
        }
        let wanted = matches.iter().filter(|(id, _)| args.ids.is_empty() || args.ids.contains(id));
        let new = wanted.map(|(id, place)| NewSlot {
            id: id.clone(),
            credential: credentials[*place].duplicate(),
            work_factor: args.cost.work_factor,
        });
        slots.push(new.collect());
        opened_files.push(opened);
    }
    let rng = &mut crypto::system_rng();
    let paths: Vec<_> = opened_files.iter().map(|opened| opened.path().to_owned()).collect();
    let edit = |number: usize, file: &mut Unlocked| {
        slots::within_cost(&paths[number], file, |file: &mut Unlocked| {
            slots[number].iter().try_for_each(|slot| file.replace_slot(slot, rng)).map_err(project::at(&paths[number]))
        })
    };
    ctx.project.change_all(opened_files, edit, || Ok(()))?;
    ctx.ui.say("wrapped anew; this protects nothing that somebody has seen already: the data key is the same");
    Ok(())
}
