//! A terminal of its own for a command line, and somebody who waits for a prompt before typing.

use crate::harness::Sandbox;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{SpecialCodeIndex, Termios, tcgetattr};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A shell script at a terminal.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// Kept open, to ask it for its modes.
    device: File,
    modes: String,
    script: Child,
    shown: Vec<u8>,
    seen: usize,
}

/// How it ended.
pub(crate) struct Ended {
    /// All that stood on the screen, without carriage returns.
    pub(crate) shown: String,
    /// The exit status of the script's last command.
    pub(crate) status: i32,
    /// What was typed and not read: a shell would run it.
    pub(crate) left: String,
}

impl Terminal {
    /// Starts a shell script in the sandbox.
    pub(crate) fn start(sandbox: &Sandbox, script: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let path = std::ffi::OsStr::from_bytes(path.as_bytes());
        let device = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let modes = modes(&tcgetattr(&device).unwrap());
        // The shell stays, or the system would reset the terminal; and it reads what envsec has left.
        let script =
            format!("{script}\nprintf '[status %s]' $?; IFS= read -r left; printf '[left %s]' \"$left\"; read -r _");
        let script = spawn(sandbox, &script, &device);
        let keyboard = File::from(master);
        Terminal { screen: watch(&keyboard), keyboard, device, modes, script, shown: Vec::new(), seen: 0 }
    }

    /// Waits until this stands on the screen, below what was waited for before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        loop {
            let shown = text_of(&self.shown);
            if let Some(at) = shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return self;
            }
            match self.screen.recv_timeout(Duration::from_secs(60)) {
                Ok(more) => self.shown.extend(more),
                Err(_) => panic!("{text:?} does not come, after {shown:?}"),
            }
        }
    }

    /// Types this.
    pub(crate) fn types(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// All that stands on the screen.
    pub(crate) fn shown(&self) -> String {
        text_of(&self.shown)
    }

    /// Waits for the end of the script, and expects the terminal to be as it was.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Ended {
        let all = |terminal: &mut Self, mark: &str| {
            let before = terminal.seen;
            terminal.sees(mark);
            let end = terminal.seen - mark.len();
            terminal.sees("]");
            let text = terminal.shown();
            (text[..end].to_owned(), text[before..end].to_owned(), text[end + mark.len()..terminal.seen - 1].to_owned())
        };
        let (shown, _, status) = all(self, "[status ");
        assert_eq!(modes(&tcgetattr(&self.device).unwrap()), self.modes, "the terminal's modes after {shown:?}");
        self.types("\n");
        let (_, _, left) = all(self, "[left ");
        Ended { shown, status: status.parse().unwrap(), left }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[allow(unsafe_code, reason = "there is no other way to give a process a terminal before exec")]
fn spawn(sandbox: &Sandbox, script: &str, device: &File) -> Child {
    let mut command = sandbox.shell(script).into_command();
    let stream = || OwnedFd::from(device.try_clone().unwrap());
    command.stdin(stream()).stdout(stream()).stderr(stream());
    // SAFETY: both calls are async-signal-safe, nothing else happens between fork and exec, and standard input is open.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(BorrowedFd::borrow_raw(0))?)
        });
    }
    command.spawn().unwrap()
}

/// What comes onto the screen, as it comes.
fn watch(master: &File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let mut master = master.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = master.read(&mut bytes) {
            if sender.send(bytes[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn text_of(shown: &[u8]) -> String {
    String::from_utf8_lossy(shown).replace('\r', "")
}

fn modes(all: &Termios) -> String {
    let codes =
        [SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME, SpecialCodeIndex::VINTR].map(|at| all.special_codes[at]);
    format!("{:?} {:?} {:?} {:?} {codes:?}", all.input_modes, all.output_modes, all.control_modes, all.local_modes)
}
