//! Hidden input at the terminal. It is our own because a value has to arrive as it was typed: the crates for passwords drop
//! tabs and other characters silently, and leave what follows a pasted line break to the shell, which would run it.

use crate::secret::{Secret, SecretText};
use std::io;

/// The longest line, in bytes.
const MAX_LINE: usize = 256 * 1024;

/// Why a line could not be read.
pub(super) enum Failed {
    /// There is no terminal.
    NoTerminal,
    /// Ctrl-C, or the end of input.
    Interrupted,
    /// A control character, a line that is too long or not UTF-8.
    Unusable(&'static str),
    /// The terminal failed.
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Failed::Io(error)
    }
}

/// Editing of the line, one byte at a time.
#[derive(Default)]
struct Line(Secret);

/// What a byte means for the line.
enum Step {
    More,
    Done,
}

impl Line {
    fn take(&mut self, byte: u8) -> Result<Step, Failed> {
        const CTRL_C: u8 = 3;
        const CTRL_D: u8 = 4;
        const CTRL_U: u8 = 21;
        match byte {
            b'\n' | b'\r' => return Ok(Step::Done),
            CTRL_D if !self.0.is_empty() => return Ok(Step::Done),
            CTRL_C | CTRL_D => return Err(Failed::Interrupted),
            CTRL_U => self.0.truncate(0),
            8 | 127 => self.rub_out(),
            b'\t' | b' '.. => self.0.extend(&[byte]),
            _ => return Err(Failed::Unusable("a control character was typed (an arrow key?)")),
        }
        if self.0.len() > MAX_LINE { Err(Failed::Unusable("the line is too long")) } else { Ok(Step::More) }
    }

    /// Removes the last character, with all its bytes.
    fn rub_out(&mut self) {
        let is_start = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
        self.0.truncate(self.0.expose().iter().rposition(is_start).unwrap_or(0));
    }

    fn finish(self) -> Result<SecretText, Failed> {
        self.0.into_text().map_err(|_| Failed::Unusable("what was typed is not UTF-8"))
    }
}

#[cfg(unix)]
pub(super) use unix::{read_hidden, read_visible};

#[cfg(unix)]
mod unix {
    use super::{Failed, Line, MAX_LINE, Step};
    use crate::child::Interrupts;
    use crate::secret::SecretText;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, retry_on_intr};
    use rustix::process::{Signal, kill_current_process_group};
    use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

    /// Lines after the first of a paste follow at once; a person does not.
    const PASTE_GAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

    /// A signal ends the waiting for a key, but for one that comes right before it: then it is seen after this time.
    const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

    /// Asks at the terminal and reads one line without echo. Pasted text of several lines is refused; whatever comes after the
    /// line, or after what could not be taken, is thrown away. A signal that ends or stops this process does so when the
    /// terminal is as it was.
    pub(in crate::cli) fn read_hidden(prompt: &str) -> Result<SecretText, Failed> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| Failed::NoTerminal)?;
        let interrupts = Interrupts::and_stops();
        let line = ask(&terminal, prompt, &interrupts);
        interrupts.pass_on();
        line
    }

    fn ask(mut terminal: &File, prompt: &str, interrupts: &Interrupts) -> Result<SecretText, Failed> {
        let quiet = Quiet::start(terminal)?;
        terminal.write_all(prompt.as_bytes())?;
        let line = read_line(&quiet, prompt, interrupts);
        terminal.write_all(b"\n")?;
        let pasted_on = is_waiting(terminal, &PASTE_GAP)?;
        if pasted_on {
            discard_input(terminal)?;
        }
        match line {
            Ok(_) if pasted_on => Err(Failed::Unusable("several lines were pasted; pipe them in instead")),
            line => line,
        }
    }

    /// Asks at the terminal and reads one line as it is typed.
    pub(in crate::cli) fn read_visible(prompt: &str) -> Result<String, Failed> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| Failed::NoTerminal)?;
        (&terminal).write_all(prompt.as_bytes())?;
        let mut line = String::new();
        match BufReader::new((&terminal).take(MAX_LINE as u64)).read_line(&mut line)? {
            0 => {
                (&terminal).write_all(b"\n")?;
                Err(Failed::Interrupted)
            }
            _ => Ok(line),
        }
    }

    fn read_line(quiet: &Quiet<'_>, prompt: &str, interrupts: &Interrupts) -> Result<SecretText, Failed> {
        const CTRL_Z: u8 = 26;
        let mut terminal = quiet.terminal;
        let (mut line, mut byte) = (Line::default(), [0]);
        loop {
            stop_if_asked(quiet, prompt, interrupts)?;
            if interrupts.came_meanwhile() {
                return Err(Failed::Interrupted);
            }
            if !is_waiting(terminal, &TICK)? {
                continue;
            }
            match terminal.read(&mut byte) {
                Ok(0) => return Err(Failed::Interrupted),
                // To all in front of the terminal, as the terminal itself would.
                Ok(_) if byte[0] == CTRL_Z => kill_current_process_group(Signal::TSTP).map_err(io::Error::from)?,
                Ok(_) if matches!(line.take(byte[0])?, Step::Done) => return line.finish(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// While this process is stopped, the terminal is as it was. The shell that has it go on does not bring the modes back.
    fn stop_if_asked(quiet: &Quiet<'_>, prompt: &str, interrupts: &Interrupts) -> io::Result<()> {
        let (stops, went_on) = interrupts.take_stops();
        if stops {
            quiet.pause()?;
            interrupts.stop();
        }
        if stops || went_on {
            quiet.begin()?;
            write!(&mut { quiet.terminal }, "\n{prompt}")?;
        }
        Ok(())
    }

    /// Whether there is something to read within this time; none of it is waited for after a signal.
    fn is_waiting(terminal: &File, time: &Timespec) -> io::Result<bool> {
        match poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(time)) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Throws away what was pasted on, or the shell would get it and run it. A long paste comes in pieces.
    fn discard_input(mut terminal: &File) -> io::Result<()> {
        let mut byte = [0];
        while is_waiting(terminal, &PASTE_GAP)? && terminal.read(&mut byte)? > 0 {}
        Ok(())
    }

    /// The terminal without echo, line editing and signals; as it was again when dropped.
    struct Quiet<'t> {
        terminal: &'t File,
        before: Termios,
    }

    impl<'t> Quiet<'t> {
        fn start(terminal: &'t File) -> Result<Self, Failed> {
            let before = tcgetattr(terminal).map_err(|_| Failed::NoTerminal)?;
            let quiet = Quiet { terminal, before };
            quiet.begin()?;
            Ok(quiet)
        }

        fn begin(&self) -> io::Result<()> {
            let mut modes = self.before.clone();
            modes.local_modes -=
                LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
            modes.input_modes -= InputModes::IXON;
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            self.set(OptionalActions::Now, &modes)
        }

        /// What was typed and not read yet is no business of whoever reads next.
        fn pause(&self) -> io::Result<()> {
            self.set(OptionalActions::Flush, &self.before)
        }

        /// In the background this waits, stopped, until the process is in front of the terminal again.
        fn set(&self, when: OptionalActions, modes: &Termios) -> io::Result<()> {
            Ok(retry_on_intr(|| tcsetattr(self.terminal, when, modes))?)
        }
    }

    impl Drop for Quiet<'_> {
        fn drop(&mut self) {
            let _ = self.set(OptionalActions::Now, &self.before); // nobody is left to tell when the terminal is gone
        }
    }
}

/// Asking is not there yet on this platform.
#[cfg(not(unix))]
pub(super) fn read_visible(_: &str) -> Result<String, Failed> {
    Err(Failed::NoTerminal)
}

/// Hidden input is not there yet on this platform.
#[cfg(not(unix))]
pub(super) fn read_hidden(_: &str) -> Result<SecretText, Failed> {
    Err(Failed::NoTerminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Option<String> {
        let mut line = Line::default();
        for byte in bytes {
            match line.take(*byte) {
                Ok(Step::More) => {}
                Ok(Step::Done) => return line.finish().ok().map(|text| text.expose().to_owned()),
                Err(_) => return None,
            }
        }
        None
    }

    #[test]
    fn what_is_typed_arrives_and_can_be_edited() {
        for (bytes, expected) in [
            (&b"va\tlue \n"[..], Some("va\tlue ")),
            (b"a\r", Some("a")),
            ("né\u{7f}\u{7f}o\n".as_bytes(), Some("o")),
            (b"\x7fx\n", Some("x")),
            (b"wrong\x15right\n", Some("right")),
            (b"end\x04", Some("end")),
            (b"\n", Some("")),
            (b"a\x03", None),
            (b"\x04", None),
            (b"a\x1b[Ab\n", None),
            (b"\xff\n", None),
        ] {
            assert_eq!(typed(bytes).as_deref(), expected, "{bytes:?}");
        }
    }
}
