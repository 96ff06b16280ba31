//! A new password: from a source that was named, typed twice, or generated.

use super::ui::Ui;
use crate::crypto;
use crate::error::{Failure, Result, Status};
use crate::generate;
use crate::project::{Source, Sources};
use crate::sealed::Password;
use std::path::PathBuf;

/// Where it comes from: the flags of every verb that makes a password.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Read the new password from a file
    #[arg(long, value_name = "FILE", group = "new_password")]
    new_password_file: Option<PathBuf>,

    /// Read the new password from an open file descriptor
    #[arg(long, value_name = "N", group = "new_password")]
    new_password_fd: Option<u16>,

    /// Read the new password from what a command prints
    #[arg(long, value_name = "CMD", group = "new_password")]
    new_password_command: Option<String>,

    /// Take a password of fewer than 12 characters
    #[arg(long)]
    allow_weak_password: bool,
}

/// More than one source for the one password.
#[derive(Debug, thiserror::Error)]
#[error("there is one new password to be set, but several were given: {}", .0.join(", "))]
struct Several(Vec<&'static str>);

impl Failure for Several {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Flags {
    /// The password that the flags name, or else the terminal's answer.
    pub(super) fn read(&self, ui: &Ui) -> Result<Password> {
        let password = self.read_or(Vec::new(), true, ui)?;
        // Asked for, there is one.
        Ok(password.ok_or(crate::sealed::CredentialError::Empty)?)
    }

    /// The password that the flags name, else that of `settings`; without any the terminal's answer, if it is to be asked.
    pub(super) fn read_or(&self, settings: Vec<Source>, ask: bool, ui: &Ui) -> Result<Option<Password>> {
        let new = Sources::of_flags(
            ["--new-password-file", "--new-password-fd", "--new-password-command"],
            self.new_password_file.as_slice(),
            self.new_password_fd.as_slice(),
            self.new_password_command.as_slice(),
        );
        let sources = if new.is_empty() { settings } else { new };
        let password = match sources.as_slice() {
            [] if !ask => return Ok(None),
            [] => return self.ask(ui).map(Some),
            [source] => source.password(ui)?,
            several => return Err(Several(several.iter().map(Source::name).collect()).into()),
        };
        password.check_new(self.allow_weak_password)?;
        Ok(Some(password))
    }

    /// Typed twice, or generated, shown once and typed back. A weak one is refused before it is asked for again.
    fn ask(&self, ui: &Ui) -> Result<Password> {
        let typed = ui.ask_new_password("New password (empty: generate one): ")?;
        if !typed.is_empty() {
            let password = Password::new(&typed)?;
            password.check_new(self.allow_weak_password)?;
            ui.confirm(&typed, "Again: ")?;
            return Ok(password);
        }
        let words = generate::words(&mut crypto::system_rng());
        ui.show_at_terminal("Your new password, shown this once; keep it in a password manager:", &words)?;
        ui.confirm(&words, "Type it to confirm: ")?;
        Ok(Password::new(&words)?)
    }
}
