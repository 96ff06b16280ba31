//! Where credentials come from, and reading them no earlier than they are needed: a raw key costs nothing, a password may
//! mean a prompt or a command, and always scrypt.

use super::ProjectError;
use super::settings::{Flags, variable};
use crate::error::{Result, shown};
use crate::fs;
use crate::sealed::{Credential, Password, RawKey};
use crate::secret::{Secret, SecretText};
use std::path::{Path, PathBuf};

/// The largest password or key file, in bytes.
const MAX_CREDENTIAL: usize = 64 * 1024;

/// What this module needs of the world outside: it neither prompts nor prints nor runs anything itself.
pub trait Outside {
    /// A line typed at the terminal without echo.
    ///
    /// # Errors
    /// When there is no terminal, or the user gave up.
    fn ask_hidden(&self, prompt: &str) -> Result<SecretText>;

    /// What a command prints on its standard output.
    ///
    /// # Errors
    /// When it cannot be run or fails.
    fn output_of(&self, command: &str) -> Result<SecretText>;

    /// What was done and why, for those who asked to be told.
    fn explain(&self, message: &str);

    /// A warning to whoever started the program.
    fn warn(&self, message: &str);
}

/// Where a credential comes from.
#[derive(Clone)]
pub struct Source {
    /// The flag or variable that named it, for messages.
    name: &'static str,
    place: Place,
}

/// All but a variable's value lose one line end at their end.
#[derive(Clone)]
enum Place {
    Variable,
    File(PathBuf),
    Descriptor(u16),
    Command(String),
}

/// The credentials that flags or variables name.
#[derive(Default)]
pub struct Sources {
    keys: Vec<Source>,
    passwords: Vec<Source>,
}

impl Sources {
    /// What the flags name; without any, what the variables name.
    ///
    /// # Errors
    /// A variable that is set but empty.
    pub fn new(flags: &Flags) -> std::result::Result<Self, ProjectError> {
        let passwords = Sources::of_flags(
            ["--password-file", "--password-fd", "--password-command"],
            &flags.password_file,
            &flags.password_fd,
            &flags.password_command,
        );
        let keys = Sources::of_flags(["--key-file", "--key-fd", ""], &flags.key_file, &flags.key_fd, &[]);
        if passwords.is_empty() && keys.is_empty() { Sources::of_variables() } else { Ok(Sources { keys, passwords }) }
    }

    fn of_variables() -> std::result::Result<Self, ProjectError> {
        let own = |name| Ok(variable(name)?.map(|_| Source { name, place: Place::Variable }));
        let file = |name| Ok(variable(name)?.map(|path| Source { name, place: Place::File(path.into()) }));
        let name = "ENVSEC_PASSWORD_COMMAND";
        let command = match variable(name)?.map(std::ffi::OsString::into_string).transpose() {
            Ok(command) => command.map(|command| Source { name, place: Place::Command(command) }),
            Err(_) => return Err(ProjectError::setting(name, "is not UTF-8")),
        };
        let keys = [own("ENVSEC_KEY")?, file("ENVSEC_KEY_FILE")?];
        let passwords = [own("ENVSEC_PASSWORD")?, file("ENVSEC_PASSWORD_FILE")?, command];
        Ok(Sources { keys: keys.into_iter().flatten().collect(), passwords: passwords.into_iter().flatten().collect() })
    }

    /// Sources from the values of three flags, in this order. A descriptor may never be read, as where a raw key opens the
    /// file before a password is needed: no child gets it all the same.
    pub fn of_flags(
        [file, fd, command]: [&'static str; 3],
        files: &[PathBuf],
        fds: &[u16],
        commands: &[String],
    ) -> Vec<Source> {
        fds.iter().for_each(|number| fs::keep_from_children(*number));
        let files = files.iter().map(|path| Source { name: file, place: Place::File(path.clone()) });
        let fds = fds.iter().map(|number| Source { name: fd, place: Place::Descriptor(*number) });
        let commands = commands.iter().map(|text| Source { name: command, place: Place::Command(text.clone()) });
        files.chain(fds).chain(commands).collect()
    }

    /// The files among them.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let all = self.keys.iter().chain(&self.passwords);
        all.filter_map(|source| if let Place::File(path) = &source.place { Some(path.clone()) } else { None }).collect()
    }

    /// The sources of passwords.
    pub fn passwords(self) -> Vec<Source> {
        self.passwords
    }
}

impl Source {
    /// The flag or variable that named it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The flag or variable, and which of those that a flag can name. A command is not shown: it may hold a secret.
    fn in_words(&self) -> String {
        match &self.place {
            Place::File(path) if self.name.starts_with('-') => format!("{} {}", self.name, shown(path)),
            Place::Descriptor(number) => format!("{} {number}", self.name),
            Place::File(_) | Place::Variable | Place::Command(_) => self.name.to_owned(),
        }
    }

    /// Reads a password.
    ///
    /// # Errors
    /// What the source refuses; a text that is no password.
    pub fn password(&self, outside: &dyn Outside) -> Result<Password> {
        let password = Password::new(&self.read(outside)?);
        Ok(password.map_err(|source| ProjectError::Credential { from: self.name.into(), source })?)
    }

    fn raw_key(&self, outside: &dyn Outside) -> Result<RawKey> {
        let key = RawKey::parse(&self.read(outside)?);
        Ok(key.map_err(|source| ProjectError::Credential { from: self.name.into(), source })?)
    }

    fn read(&self, outside: &dyn Outside) -> Result<SecretText> {
        let not_text = || ProjectError::setting(self.name, "is not UTF-8");
        Ok(self.bytes(outside)?.into_text().map_err(|_| not_text())?)
    }

    /// Reads the exact bytes; all but a variable's value lose one line end.
    ///
    /// # Errors
    /// What the source refuses.
    pub fn bytes(&self, outside: &dyn Outside) -> Result<Secret> {
        let unreadable = |source| ProjectError::CredentialFile { from: self.name, source };
        let mut bytes = match &self.place {
            Place::Variable => {
                return Ok(Secret::from(std::env::var_os(self.name).unwrap_or_default().into_encoded_bytes()));
            }
            Place::Command(command) => outside.output_of(command)?.into_bytes(),
            Place::File(path) if path.to_string_lossy().starts_with(RawKey::PREFIX) => {
                return Err(ProjectError::setting(self.name, "holds a key, but takes the path of a file").into());
            }
            Place::File(path) => {
                if fs::others_can_read(path) {
                    let path = shown(path);
                    outside.warn(&format!("{path}: other users can read this credential: chmod 600 it"));
                }
                fs::read(path, MAX_CREDENTIAL).map_err(unreadable)?
            }
            Place::Descriptor(number) => fs::read_descriptor(*number, MAX_CREDENTIAL).map_err(unreadable)?,
        };
        bytes.truncate(len_without_line_end(bytes.expose()));
        Ok(bytes)
    }
}

/// The length without one LF or CRLF at the end.
fn len_without_line_end(bytes: &[u8]) -> usize {
    bytes.strip_suffix(b"\n").map_or(bytes, |body| body.strip_suffix(b"\r").unwrap_or(body)).len()
}

/// The credentials of one command, each read once, when it is first needed.
pub(super) struct Credentials<'a> {
    sources: Sources,
    outside: &'a dyn Outside,
    raw_keys: Option<Vec<Credential>>,
    passwords: Option<Vec<Credential>>,
    session: bool,
}

impl<'a> Credentials<'a> {
    pub(super) fn new(sources: Sources, outside: &'a dyn Outside) -> Self {
        Credentials { sources, outside, raw_keys: None, passwords: None, session: true }
    }

    /// The same, but an unlocked session does not count.
    pub(super) fn without_session(self) -> Self {
        Credentials { session: false, ..self }
    }

    /// Whether an unlocked session is to be looked for: only where no credential is named.
    pub(super) fn may_use_session(&self) -> bool {
        self.session && !self.are_named()
    }

    /// Whether the settings name any.
    pub(super) fn are_named(&self) -> bool {
        !(self.sources.keys.is_empty() && self.sources.passwords.is_empty())
    }

    /// All credentials and where each comes from; without any, the terminal's answer for this file.
    pub(super) fn all(mut self, path: &Path) -> Result<(Vec<Credential>, Vec<String>)> {
        self.raw_keys()?;
        self.passwords(path)?;
        let named = self.sources.keys.iter().chain(&self.sources.passwords);
        let mut sources: Vec<String> = named.map(Source::in_words).collect();
        let credentials: Vec<Credential> =
            self.raw_keys.into_iter().flatten().chain(self.passwords.into_iter().flatten()).collect();
        sources.resize(credentials.len(), "the terminal".to_owned());
        Ok((credentials, sources))
    }

    pub(super) fn raw_keys(&mut self) -> Result<&[Credential]> {
        if self.raw_keys.is_none() {
            let keys = self.sources.keys.iter().map(|source| source.raw_key(self.outside).map(Credential::RawKey));
            self.raw_keys = Some(keys.collect::<Result<_>>()?);
        }
        Ok(self.raw_keys.as_deref().unwrap_or_default())
    }

    /// The passwords that the settings name; if they name no credential at all, the terminal's answer.
    pub(super) fn passwords(&mut self, path: &Path) -> Result<&[Credential]> {
        if self.passwords.is_none() {
            let nothing_named = !self.are_named();
            let read = |source: &Source| source.password(self.outside).map(Credential::Password);
            self.passwords = Some(match nothing_named {
                true => vec![Credential::Password(self.ask(path)?)],
                false => self.sources.passwords.iter().map(read).collect::<Result<_>>()?,
            });
        }
        Ok(self.passwords.as_deref().unwrap_or_default())
    }

    fn ask(&self, path: &Path) -> Result<Password> {
        let text = self.outside.ask_hidden(&format!("Password for {}: ", shown(path)))?;
        Ok(Password::new(&text).map_err(|source| ProjectError::Credential { from: "the terminal".into(), source })?)
    }
}
