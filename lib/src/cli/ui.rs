//! All prompting and printing: stdout is data, stderr is talk, the terminal is for prompts.

use super::terminal::{self, Failed};
use crate::child;
use crate::error::{Error, Failure, Result, Status, shown};
use crate::fs;
use crate::import::{Source, Summary};
use crate::project::Outside;
use crate::rotate::{Listener, State};
use crate::sealed::{RawKey, SlotId};
use crate::secret::SecretText;
use crate::validation::Checked;
use crate::vars::VarName;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

/// The longest output of a password command, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

/// Where an answer comes from when nobody can be asked.
const CREDENTIALS: &str = "ENVSEC_PASSWORD, ENVSEC_KEY, --password-file FILE or --key-file FILE";
const NEW_PASSWORD: &str = "--new-password-file FILE or --new-password-command CMD";

/// Talks to the user.
pub(super) struct Ui {
    quiet: bool,
    verbose: bool,
}

/// What can go wrong with talking.
#[derive(Debug, thiserror::Error)]
pub(super) enum UiError {
    /// The data did not reach its reader.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// There is nobody to ask.
    #[error("there is no terminal to ask for it: {prompt}")]
    NoTerminal {
        /// What was to be asked.
        prompt: String,
        /// Where it can come from instead.
        instead: &'static str,
    },
    /// The prompt failed, or the user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// What was typed or pasted cannot be taken as it is.
    #[error("{0}; nothing was taken")]
    Unusable(&'static str),
    /// The terminal failed.
    #[error("cannot read from the terminal: {0}")]
    Terminal(io::Error),
    /// Two answers that should be the same are not.
    #[error("the two answers differ; nothing was written")]
    Differ,
    /// The command that should print the password did not.
    #[error("the password command failed{0}")]
    Command(String),
}

/// How a verb ends that looks for something: to have found it is no failure, and its report has said it all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Status 0.
    Nothing,
    /// [`Status::Found`].
    Something,
}

impl Found {
    pub(super) fn code(self) -> u8 {
        match self {
            Found::Nothing => 0,
            Found::Something => Status::Found.code(),
        }
    }
}

/// A person said no.
#[derive(Debug, thiserror::Error)]
#[error("not confirmed; nothing was changed")]
pub(super) struct NotConfirmed;

impl Failure for NotConfirmed {
    fn status(&self) -> Status {
        Status::Other
    }
}

impl UiError {
    /// What a failed prompt is to the user.
    fn asking(prompt: &str, instead: &'static str) -> impl Fn(Failed) -> UiError {
        move |failed| match failed {
            Failed::NoTerminal => {
                UiError::NoTerminal { prompt: prompt.trim_end_matches([':', ' ']).to_owned(), instead }
            }
            Failed::Interrupted => UiError::Interrupted,
            Failed::Unusable(what) => UiError::Unusable(what),
            Failed::Io(error) => UiError::Terminal(error),
        }
    }
}

impl Failure for UiError {
    fn status(&self) -> Status {
        match self {
            UiError::NoTerminal { .. } | UiError::Command(_) => Status::Credential,
            UiError::Stdout(_)
            | UiError::Interrupted
            | UiError::Unusable(_)
            | UiError::Terminal(_)
            | UiError::Differ => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        let UiError::NoTerminal { instead, .. } = self else { return None };
        Some(format!("without a terminal: {instead}"))
    }
}

impl Ui {
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        Ui { quiet, verbose }
    }

    /// Writes data to standard output. A reader that went away has what it wanted.
    pub(super) fn data(&self, bytes: &[u8]) -> Result<()> {
        match write_stdout(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written.map_err(UiError::Stdout)?),
        }
    }

    /// Writes data to standard output that is lost if nobody reads it.
    pub(super) fn data_that_must_arrive(&self, bytes: &[u8]) -> Result<()> {
        Ok(write_stdout(bytes).map_err(UiError::Stdout)?)
    }

    /// Prints new raw keys: one alone, several with the ids of their slots before them.
    pub(super) fn raw_keys(&self, keys: &[(SlotId, RawKey)]) -> Result<()> {
        for (id, key) in keys {
            if keys.len() > 1 {
                self.data_that_must_arrive(format!("{} ", id.as_str()).as_bytes())?;
            }
            self.data_that_must_arrive(key.to_text().expose().as_bytes())?;
            self.data_that_must_arrive(b"\n")?;
        }
        Ok(())
    }

    /// Whether the user asked to be told what is done.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether standard output is a terminal.
    pub(super) fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether standard output takes colour: a terminal, and NO_COLOR (no-color.org) is not set.
    pub(super) fn is_colored(&self) -> bool {
        self.stdout_is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Whether standard input is a terminal, so that nothing is piped in.
    pub(super) fn stdin_is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Says what was done beyond what was asked, or what the user has to know.
    pub(super) fn say(&self, message: &str) {
        if !self.quiet {
            self.complain(message);
        }
    }

    /// Says what a person at a terminal likes to know, and a log does not.
    pub(super) fn note(&self, message: &str) {
        if io::stderr().is_terminal() {
            self.say(message);
        }
    }

    /// Says what came in, what was left out, and that the plaintext is still there.
    pub(super) fn imported(&self, sealed: &str, source: &Source, notes: &[String], summary: Summary) {
        notes.iter().for_each(|note| self.say(&format!("note: {note}")));
        self.say(&format!("{sealed}: {summary}"));
        if source.stays {
            self.say(&format!("{} is still there, in plaintext: remove it when you no longer need it", source.name));
        }
    }

    /// Warns of values that are not as declared, or refuses them with `strict`; returns the names that age.
    pub(super) fn judge(&self, checked: Result<Checked>, strict: bool) -> Result<BTreeSet<VarName>> {
        match checked {
            Err(error) if strict => Err(error),
            Err(error) => {
                self.warn(&format!("not checked against the declaration: {error}"));
                Ok(BTreeSet::new())
            }
            Ok(Checked { invalid: Some(invalid), .. }) if strict => Err(invalid.into()),
            Ok(Checked { invalid, aging }) => {
                let problems = invalid.into_iter().flat_map(|invalid| invalid.problems);
                problems.for_each(|problem| self.warn(&format!("not as declared: {problem}")));
                Ok(aging)
            }
        }
    }

    /// Prints a line to standard error, quiet or not.
    pub(super) fn complain(&self, message: &str) {
        // A standard error that is gone cannot be told so.
        let _ = writeln!(io::stderr(), "{}", escape(message));
    }

    /// Prints a failure and what to do about it.
    pub(super) fn error(&self, error: &Error) {
        self.complain(&format!("error: {error}"));
        if let Some(hint) = error.hint() {
            self.complain(&format!("hint: {hint}"));
        }
    }

    /// Whether there is a person to ask.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks for a new password, without echo.
    pub(super) fn ask_new_password(&self, prompt: &str) -> Result<SecretText> {
        Ok(terminal::read_hidden(prompt).map_err(UiError::asking(prompt, NEW_PASSWORD))?)
    }

    /// Asks a person for yes or no; `default` is what an empty answer means. `None` without a terminal.
    pub(super) fn ask_yes(&self, question: &str, default: bool) -> Result<Option<bool>> {
        if !self.can_ask() {
            return Ok(None);
        }
        let choice = if default { "[Y/n]" } else { "[y/N]" };
        let answer = terminal::read_visible(&escape(&format!("{question} {choice} ")))
            .map_err(UiError::asking(question, CREDENTIALS))?;
        Ok(Some(match answer.trim().to_ascii_lowercase().as_str() {
            "" => default,
            answer => matches!(answer, "y" | "yes"),
        }))
    }

    /// Has a text typed once more.
    pub(super) fn confirm(&self, text: &SecretText, prompt: &str) -> Result<()> {
        let again = self.ask_hidden(prompt)?;
        let same = crate::crypto::equal(text.expose().as_bytes(), again.expose().as_bytes());
        if same { Ok(()) } else { Err(UiError::Differ.into()) }
    }

    /// Shows a secret at the terminal itself, so that it lands in no log.
    pub(super) fn show_at_terminal(&self, before: &str, secret: &SecretText) -> Result<()> {
        let write = || {
            let mut terminal = std::fs::OpenOptions::new().write(true).open("/dev/tty")?;
            for part in [before, "\n\n    ", secret.expose(), "\n\n"] {
                terminal.write_all(part.as_bytes())?;
            }
            terminal.flush()
        };
        Ok(write().map_err(UiError::Terminal)?)
    }
}

impl Listener for Ui {
    fn printed(&self, bytes: &[u8]) {
        let _ = io::stderr().write_all(bytes); // as in complain
    }

    fn progress(&self, message: &str) {
        self.note(message);
    }
}

impl Outside for Ui {
    fn ask_hidden(&self, prompt: &str) -> Result<SecretText> {
        Ok(terminal::read_hidden(&escape(prompt)).map_err(UiError::asking(prompt, CREDENTIALS))?)
    }

    fn output_of(&self, command: &str) -> Result<SecretText> {
        let failed = |error: io::Error| UiError::Command(format!(": {error}"));
        let mut shell = child::helper("sh");
        let mut running = shell.args(["-c", command]).stdout(std::process::Stdio::piped()).spawn().map_err(failed)?;
        let output = running.stdout.take().map(|out| fs::read_stream(out, "the password command", MAX_OUTPUT));
        let status = running.wait().map_err(failed)?;
        let output = output.transpose()?.unwrap_or_default();
        if !status.success() {
            return Err(UiError::Command(format!(": {status}")).into());
        }
        Ok(output.into_text().map_err(|_| UiError::Command(": its output is not UTF-8".into()))?)
    }

    fn explain(&self, message: &str) {
        if self.verbose {
            self.complain(message);
        }
    }

    fn warn(&self, message: &str) {
        self.say(&format!("warning: {message}"));
    }
}

fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// What `--json` prints: an array of these rows.
pub(super) fn json_array(rows: impl Iterator<Item = Json>) -> String {
    format!("{:#}\n", rows.collect::<Json>())
}

/// A row of it, with the times of a name's rotation.
pub(super) fn with_times(mut row: Json, rotation: &State) -> Json {
    for (what, time) in rotation.times() {
        row[what] = time.map(|time| time.to_string()).into();
    }
    row
}

/// A path as people know it here: below this folder without the way to it.
pub(super) fn from_here(file: &Path) -> String {
    shown(file.strip_prefix(fs::current_folder()).unwrap_or(file))
}

/// Whether a character does something to a terminal, or to the order of what is shown there.
pub(super) fn is_dangerous(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes control and bidirectional characters visible, which file names and names in files could bring to a terminal.
pub(super) fn escape(message: &str) -> String {
    if !message.contains(is_dangerous) {
        return message.to_owned();
    }
    message
        .chars()
        .flat_map(|c| if is_dangerous(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_controls_are_shown_not_sent() {
        assert_eq!(escape("plain ünïcode\nline"), "plain ünïcode\nline");
        assert_eq!(escape("a\u{1b}[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
    }
}
