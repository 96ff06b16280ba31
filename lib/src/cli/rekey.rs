//! A new data key, once a person has seen for whom: what `rotate` and the changes of slots have in common.

use super::Ctx;
use super::ui::NotConfirmed;
use crate::crypto;
use crate::error::{Result, shown};
use crate::project::{self, Opened, Outside as _, WithSlots};
use crate::sealed::{NextKey, Unlocked};
use crate::slots::{self, Also, Renewed};

/// What a new key cannot do.
const NOT_UNDONE: &str = "whoever held a key before can still read every older revision: leaked values have to be changed at their providers";

/// Opens all files that the settings name with all credentials that they name, or else with what a terminal answers.
pub(super) fn open(ctx: &Ctx<'_>) -> Result<WithSlots> {
    ctx.project.open_with_slots(ctx.project.paths()?)
}

/// Gives files a new data key, all or none of them.
pub(super) fn rekey(ctx: &Ctx<'_>, held: WithSlots, flags: &slots::Flags, also: &Also<'_>, yes: bool) -> Result<()> {
    let rng = &mut crypto::system_rng();
    let renewed = Renewed::new(&flags.renew, rng);
    let plans = slots::plan(&held, flags, &renewed, also)?;
    for ((opened, matches), plan) in held.files.iter().zip(&plans) {
        for (gone, stays) in slots::still_opened(matches, plan, &renewed, also) {
            let (file, gone, stays) = (shown(opened.path()), gone.as_str(), stays.as_str());
            ctx.ui.warn(&format!("{file}: what opened the slot {gone} opens {stays} too, which stays"));
        }
        ctx.ui.note(&format!("{}: a new data key, for {}", shown(opened.path()), slots::in_words(plan, &renewed)));
    }
    if !yes && ctx.ui.ask_yes("Go on?", false)? == Some(false) {
        return Err(NotConfirmed.into());
    }
    let mut next: Vec<Option<NextKey>> = slots::make(&held, &plans, rng)?.into_iter().map(Some).collect();
    let files: Vec<Opened> = held.files.into_iter().map(|(opened, _)| opened).collect();
    let paths: Vec<_> = files.iter().map(|opened| opened.path().to_owned()).collect();
    let edit = |number: usize, file: &mut Unlocked| match next[number].take() {
        Some(next) => file.rekey(next, &flags.drop_line, rng).map_err(project::at(&paths[number])),
        None => Ok(()),
    };
    ctx.project.change_all(files, edit, || ctx.ui.raw_keys(&renewed.0))?;
    ctx.ui.say(NOT_UNDONE);
    Ok(())
}
