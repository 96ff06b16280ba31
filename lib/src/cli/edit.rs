//! `envsec edit`: the decrypted text in the user's editor.

use super::Ctx;
use crate::child::{Editor, EditorError, Interrupts};
use crate::crypto;
use crate::edit::{self, Conflict, Merged, Refused, Rules};
use crate::error::{Error, Failure, Result, Status, shown};
use crate::formats::buffer::{self, Annotated, Complaint, Draft};
use crate::fs::{FsError, PrivateFolder};
use crate::project::{self, Declaration, Held, Opened, Outside as _};
use crate::sealed::{FileId, MAX_FILE, Utc};
use crate::secret::Secret;
use crate::vars::VarName;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The longest text that is read back, in bytes: quoting may make four of one.
const MAX_TEXT: usize = 4 * MAX_FILE;

/// Change several values, names and comments in an editor
///
/// The file is decrypted into a private folder, in memory where there is one, and opened in VISUAL, EDITOR or vi. What
/// changed is encrypted again; the rest of the file stays as it is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  envsec edit
  envsec edit -e production
  EDITOR='code --wait' envsec edit

A new name is a secret. A line `#: plain` right above a name stores its value
unencrypted; without it, it is a secret again. What cannot be taken, a syntax
error or a value that is not as env.schema.json declares it, opens the editor
once more with the reason above the line. A text that is unchanged or empty, or
an editor that fails, changes nothing.")]
pub(super) struct Args {
    /// Take new comments of the form \"# NAME=value\", which everybody can read
    #[arg(long)]
    keep_comment_values: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
enum EditError {
    /// The editor removed the file.
    #[error("the editor left no text; nothing was changed")]
    NoText,
    /// Somebody else changed the same.
    #[error("{}: somebody else changed {what} meanwhile", shown(.file))]
    Conflict {
        /// The sealed file.
        file: PathBuf,
        /// Names, or comments and order.
        what: String,
    },
}

impl Failure for EditError {
    fn status(&self) -> Status {
        match self {
            EditError::NoText => Status::Other,
            EditError::Conflict { .. } => Status::Conflict,
        }
    }
}

pub(super) fn run(args: &Args, ctx: &Ctx<'_>) -> Result<()> {
    let editor = Editor::find()?;
    let opened = ctx.project.open_to_change()?;
    let declaration = declaration(ctx, opened.path());
    let path = opened.path().to_owned();
    let name = opened.unlocked.locked().label().map_or("edit", |label| label.as_str());
    let file = format!("{name}.env");
    let base = edit::draft_of(&opened.unlocked).map_err(project::at(&path))?;
    let locked = opened.unlocked.locked();
    let (help, held, read) = (help(&path), opened.hold(), (*locked.file_id(), locked.rev()));
    Session { ctx, args, editor, declaration, help, path, file, base, held, read, opened: Some(opened) }.run()
}

/// What is declared; without it, nothing is checked, as with `set`.
fn declaration(ctx: &Ctx<'_>, file: &Path) -> Option<Declaration> {
    ctx.project.declaration(&[file.to_path_buf()]).unwrap_or_else(|error| {
        ctx.ui.warn(&format!("not checked against the declaration: {error}"));
        None
    })
}

/// The lines above the text.
fn help(file: &Path) -> Vec<String> {
    let first =
        format!("#: {}, decrypted. Lines that begin with #: are envsec's and are not written to it.", shown(file));
    let others = [
        "#: Every value is a secret and is encrypted, but where `#: plain` stands right above its name.",
        "#: Names, comments and plain values can be read by everybody. Blanks, # or quotes in a value: put it in '...'.",
        "#: A text that is unchanged or empty changes nothing.",
    ];
    std::iter::once(first).chain(others.map(str::to_owned)).collect()
}

/// One edit, however often the editor is opened for it.
struct Session<'s> {
    ctx: &'s Ctx<'s>,
    args: &'s Args,
    editor: Editor,
    declaration: Option<Declaration>,
    help: Vec<String>,
    path: PathBuf,
    /// What the text is called in its folder.
    file: String,
    /// What the text was made from.
    base: Draft,
    held: Held,
    /// The id of the file, and the revision that was read.
    read: (FileId, u64),
    /// The file as it was read last; it is read again if it was given away to be changed.
    opened: Option<Opened>,
}

/// Why the text did not get into the file.
struct Failed {
    cause: Cause,
    error: Error,
    /// What is to be edited next.
    next: Annotated,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The text itself: it has to change.
    Text,
    /// Somebody else changed the same: a person has to choose.
    Conflict,
    /// The file or its folder: the same text may do next time.
    System,
}

impl Failed {
    /// The text comes back with the reasons in it.
    fn refused(text: &Secret, Refused { complaints, error }: Refused) -> Self {
        Failed { cause: Cause::Text, error, next: buffer::annotate(text, complaints) }
    }

    fn system(text: &Secret, error: Error) -> Self {
        let next = buffer::annotate(text, vec![Complaint::new(1, error.to_string())]);
        Failed { cause: Cause::System, error, next }
    }
}

impl Session<'_> {
    fn run(mut self) -> Result<()> {
        let mut text = Annotated::plain(self.base.print(&self.help));
        let mut failed: Option<(Cause, Error)> = None;
        loop {
            let edited = self.edit(&text)?;
            let is_same = crypto::equal(edited.expose(), text.text.expose());
            if edited.expose().trim_ascii().is_empty() || (is_same && failed.is_none()) {
                self.ctx.ui.say("nothing was changed");
                return Ok(());
            }
            if let Some((Cause::Text | Cause::Conflict, error)) = failed.take_if(|_| is_same) {
                failed = Some((Cause::Text, self.again("The text is still the same.", error)?));
                continue;
            }
            let Err(now) = self.write(&text.strip(&edited)) else { return Ok(()) };
            let error = match (now.cause, failed) {
                // Of a script that does the same twice, the second failure is but an echo of the first.
                (Cause::Text, Some((_, first))) if !self.ctx.ui.can_ask() => return Err(first),
                (Cause::System | Cause::Conflict, _) if !self.ctx.ui.can_ask() => return Err(self.give_up(now)),
                (Cause::System, _) => self.again(&format!("{}.", now.error), now.error)?,
                (Cause::Text | Cause::Conflict, _) => now.error,
            };
            (text, failed) = (now.next, Some((now.cause, error)));
        }
    }

    /// Gives the error back if a person wants to edit again.
    fn again(&self, reason: &str, error: Error) -> Result<Error> {
        match self.ctx.ui.ask_yes(&format!("{reason} Edit again?"), true)? {
            Some(true) => Ok(error),
            Some(false) | None => Err(error),
        }
    }

    /// Has a text edited. Its folder is gone again afterwards, whatever happened, and no signal gets in between.
    fn edit(&self, text: &Annotated) -> Result<Secret> {
        let interrupts = Interrupts::watch();
        let folder = PrivateFolder::create()?;
        if !folder.in_memory {
            self.ctx.ui.warn(&format!(
                "no folder in memory: the text lies on the disk while it is edited, in {}",
                shown(folder.path())
            ));
        }
        let path = folder.write(&self.file, &text.text)?;
        self.editor.run(&path, text.line, &interrupts)?;
        let edited = folder.read(&self.file, MAX_TEXT);
        drop(folder);
        match edited {
            _ if Interrupts::ends() => Err(EditorError::Interrupted.into()),
            Err(FsError::NotFound(_)) => Err(EditError::NoText.into()),
            edited => Ok(edited?),
        }
    }

    /// Brings the edited text into the file as it is by now.
    fn write(&mut self, text: &Secret) -> std::result::Result<(), Failed> {
        match self.try_to_write(text) {
            // It has another data key by now, which a credential may open as well.
            Err(Failed { cause: Cause::System, error, .. }) if error.status() == Status::Conflict => {
                self.try_to_write(text)
            }
            written => written,
        }
    }

    fn try_to_write(&mut self, text: &Secret) -> std::result::Result<(), Failed> {
        let mine = edit::parse(text, &self.help).map_err(|wrong| Failed::refused(text, wrong))?;
        let opened = self.opened.take().map_or_else(|| self.reopen(), Ok);
        let opened = opened.map_err(|error| Failed::system(text, error))?;
        match self.check(&opened, &mine) {
            Ok(aging) => self.join(text, opened, &mine, &aging),
            Err(wrong) => {
                self.opened = Some(opened);
                Err(Failed::refused(text, wrong))
            }
        }
    }

    /// The names that age, if the file can take the draft.
    fn check(&self, opened: &Opened, mine: &Draft) -> std::result::Result<BTreeSet<VarName>, Refused> {
        let rules = Rules {
            file: opened.unlocked.locked(),
            declaration: self.declaration.as_ref(),
            keep_comment_values: self.args.keep_comment_values,
        };
        rules.check(&self.base, mine)
    }

    /// Joins the draft with what others did to the file meanwhile.
    fn join(
        &mut self,
        text: &Secret,
        opened: Opened,
        mine: &Draft,
        aging: &BTreeSet<VarName>,
    ) -> std::result::Result<(), Failed> {
        let mut conflict = None;
        let changed = self.ctx.project.change(opened, |file| {
            let present = edit::draft_of(file).map_err(project::at(&self.path))?;
            let merged = edit::merge(&self.base, mine, &present);
            if !merged.conflicts.is_empty() {
                let error = EditError::conflict(&self.path, &merged.conflicts);
                conflict = Some((merged, present));
                return Err(error.into());
            }
            edit::apply(file, &merged.draft, aging, Utc::now(), &mut crypto::system_rng())
                .map_err(project::at(&self.path))
        });
        match (changed, conflict) {
            (Ok(()), _) => Ok(()),
            (Err(error), None) => Err(Failed::system(text, error)),
            (Err(error), Some((merged, present))) => {
                self.base = present;
                Err(Failed { cause: Cause::Conflict, error, next: self.with_conflicts(merged) })
            }
        }
    }

    /// The file as it is by now: by its data key, or if that is another one, by a credential.
    fn reopen(&self) -> Result<Opened> {
        match self.ctx.project.reopen(&self.held) {
            Err(error) if error.status() == Status::Conflict => {
                let anew = self.ctx.project.open_to_change()?;
                let (file, rev) = self.read;
                let now = anew.unlocked.locked();
                if *now.file_id() == file && now.rev() >= rev { Ok(anew) } else { Err(error) }
            }
            opened => opened,
        }
    }

    /// The text of both changes, with what the other did above each line that both changed.
    fn with_conflicts(&self, merged: Merged) -> Annotated {
        let text = merged.draft.print(&self.help).into_bytes();
        let numbered = edit::parse(&text, &self.help).unwrap_or_else(|_| Draft::default());
        let complaints = merged.conflicts.into_iter().flat_map(|conflict| conflict.complaint(&numbered));
        buffer::annotate(&text, complaints.collect())
    }

    /// Nobody can be asked. What others did meanwhile is not the editor's fault: its text is kept.
    fn give_up(&self, failed: Failed) -> Error {
        if failed.error.status() == Status::Other {
            return failed.error;
        }
        let kept = PrivateFolder::create().and_then(|folder| {
            folder.write(&self.file, &failed.next.text)?;
            folder.keep()
        });
        match kept {
            Ok(folder) => self.ctx.ui.complain(&format!(
                "the edited text is kept, decrypted, in {}: take over what you need, and remove it",
                shown(&folder.join(&self.file))
            )),
            Err(error) => self.ctx.ui.warn(&format!("the edited text is lost: {error}")),
        }
        failed.error
    }
}

impl EditError {
    fn conflict(file: &Path, conflicts: &[Conflict]) -> Self {
        let names: Vec<&str> = conflicts.iter().filter_map(Conflict::name).map(VarName::as_str).collect();
        let what =
            if names.is_empty() { "comments or the order too".to_owned() } else { format!("{} too", names.join(", ")) };
        EditError::Conflict { file: file.to_owned(), what }
    }
}
