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
    use crate::secret::SecretText;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

    /// Lines after the first of a paste follow at once; a person does not.
    const PASTE_GAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

    /// Asks at the terminal and reads one line without echo. Pasted text of several lines is refused; whatever comes after the
    /// line, or after what could not be taken, is thrown away.
    pub(in crate::cli) fn read_hidden(prompt: &str) -> Result<SecretText, Failed> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| Failed::NoTerminal)?;
        let _quiet = Quiet::start(&terminal)?;
        (&terminal).write_all(prompt.as_bytes())?;
        let line = read_line(&terminal);
        (&terminal).write_all(b"\n")?;
        let pasted_on = more_is_waiting(&terminal)?;
        if pasted_on {
            discard_input(&terminal)?;
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

    fn read_line(mut terminal: &File) -> Result<SecretText, Failed> {
        let (mut line, mut byte) = (Line::default(), [0]);
        loop {
            match terminal.read(&mut byte) {
                Ok(0) => return Err(Failed::Interrupted),
                Ok(_) if matches!(line.take(byte[0])?, Step::Done) => return line.finish(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn more_is_waiting(terminal: &File) -> io::Result<bool> {
        let mut waiting = [PollFd::new(terminal, PollFlags::IN)];
        Ok(poll(&mut waiting, Some(&PASTE_GAP))? > 0)
    }

    /// Throws away what was pasted on, or the shell would get it and run it. A long paste comes in pieces.
    fn discard_input(mut terminal: &File) -> io::Result<()> {
        let mut byte = [0];
        while more_is_waiting(terminal)? && terminal.read(&mut byte)? > 0 {}
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
            let mut modes = before.clone();
            modes.local_modes -=
                LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
            modes.input_modes -= InputModes::IXON;
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(terminal, OptionalActions::Now, &modes).map_err(io::Error::from)?;
            Ok(Quiet { terminal, before })
        }
    }

    impl Drop for Quiet<'_> {
        fn drop(&mut self) {
            // Nobody is left to tell when the terminal is gone.
            let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
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
