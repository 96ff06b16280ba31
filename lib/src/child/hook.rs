//! A command at one step of a rotation: values through pipes, a time limit, and an end for everything that it started.

use super::helper;
use super::signals::Interrupts;
use crate::fs::Turn;
use crate::vars::Value;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A command for the shell (`sh -c`), and what it gets.
pub struct Hook<'h> {
    /// The command.
    pub command: &'h str,
    /// Variables beside those of this process, and those of this process that it does not get.
    pub variables: [(&'static str, Option<&'h str>); 3],
    /// What it reads on standard input.
    pub value: &'h Value,
    /// What it reads on descriptor 3.
    pub other: &'h Value,
    /// The longest time that it gets.
    pub limit: Duration,
    /// What it and all that it starts hold on to, until they have ended.
    pub turn: Option<&'h Turn>,
}

/// Why a hook did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It said so itself.
    #[error("{0}")]
    Failed(ExitStatus),
    /// It did not end.
    #[error("no end after {} s: it was ended", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Somebody pressed Ctrl-C, or wants this process to end.
    #[error("interrupted")]
    Interrupted,
    /// It could not be run.
    #[error("cannot be run: {0}")]
    Io(#[from] io::Error),
    /// Hooks are a thing of Unix so far.
    #[error("hooks are not there yet on this platform")]
    NotHere,
}

/// How long a hook that was asked to end may take for it.
#[cfg(unix)]
const TO_END: Duration = Duration::from_secs(2);

/// How long to wait before looking again whether a hook has ended.
#[cfg(unix)]
const TICK: Duration = Duration::from_millis(5);

/// Bytes that are read at once, and that a pipe holds (pipe(7)).
#[cfg(unix)]
const BUFFER: usize = 4096;
#[cfg(unix)]
const PIPE: usize = 65_536;

/// What fits into any pipe: a page.
#[cfg(unix)]
const SMALLEST_PIPE: usize = 4096;

#[cfg(not(unix))]
impl Hook<'_> {
    /// Hooks are a thing of Unix so far.
    ///
    /// # Errors
    /// [`HookError::NotHere`].
    pub fn run(&self, _: &mut dyn FnMut(&[u8])) -> Result<(), HookError> {
        Err(HookError::NotHere)
    }
}

#[cfg(unix)]
impl Hook<'_> {
    /// Runs it to its end in a session of its own, without a terminal, and hands what it prints on either stream to
    /// `output`. Afterwards nothing of its process group is left, in whatever way it ended.
    ///
    /// # Errors
    /// Every other end than exit status 0.
    pub fn run(&self, output: &mut dyn FnMut(&[u8])) -> Result<(), HookError> {
        let (printed, out) = io::pipe()?;
        let (stdin, value) = io::pipe()?;
        let (third, other) = io::pipe()?;
        let mut command = helper("sh");
        command.arg("-c").arg(self.command);
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(stdin).stdout(out.try_clone()?).stderr(out);
        unix::in_session_of_its_own(&mut command, &third, self.turn);
        unix::let_children_be_waited_for();
        let unfed = [(fill(value, self.value)?, self.value), (fill(other, self.other)?, self.other)];
        let interrupts = Interrupts::watch();
        let mut child = command.spawn()?;
        drop((command, third)); // the child's ends of the pipes
        unfed.into_iter().for_each(|(pipe, value)| pipe.into_iter().for_each(|pipe| feed(pipe, value)));
        let ended = Running { child: &mut child, printed: Some(printed), output }.watch(self.limit, &interrupts);
        let status = child.wait()?;
        match ended? {
            () if status.success() => Ok(()),
            () => Err(HookError::Failed(status)),
        }
    }
}

/// Whether somebody wanted this process to end while a hook was running.
pub fn was_interrupted() -> bool {
    Interrupts::came()
}

/// Puts a value into its pipe before anybody reads: else a hook that goes on after this process was killed would find
/// nothing there, and give its service that. One that may not fit is given back, to be written beside.
#[cfg(unix)]
fn fill(mut pipe: PipeWriter, value: &Value) -> io::Result<Option<PipeWriter>> {
    let bytes = value.expose().as_bytes();
    if bytes.len() > SMALLEST_PIPE {
        return Ok(Some(pipe));
    }
    pipe.write_all(bytes)?;
    Ok(None)
}

/// Writes a value beside, as a hook need not read it.
#[cfg(unix)]
fn feed(mut pipe: PipeWriter, value: &Value) {
    let value = value.duplicate();
    std::thread::spawn(move || {
        let _ = pipe.write_all(value.expose().as_bytes()); // a hook that has not read it has no use for it
    });
}

/// A hook that was started, and not waited for yet: so its process group is its own until then.
#[cfg(unix)]
struct Running<'r> {
    child: &'r mut Child,
    printed: Option<PipeReader>,
    output: &'r mut dyn FnMut(&[u8]),
}

#[cfg(unix)]
impl Running<'_> {
    /// Until it has ended, or was ended.
    fn watch(&mut self, limit: Duration, _: &Interrupts) -> Result<(), HookError> {
        let deadline = Instant::now() + limit;
        let ended = loop {
            if unix::has_ended(self.child)? {
                break Ok(());
            }
            if was_interrupted() {
                break Err(HookError::Interrupted);
            }
            if Instant::now() >= deadline {
                break Err(HookError::TimedOut(limit));
            }
            self.pass_on(TICK)?;
        };
        if ended.is_err() {
            self.ask_to_end()?;
        }
        unix::end_group(self.child, unix::Way::AtOnce);
        self.pass_on_the_rest()?;
        ended
    }

    fn ask_to_end(&mut self) -> Result<(), HookError> {
        unix::end_group(self.child, unix::Way::Asked);
        let deadline = Instant::now() + TO_END;
        while !unix::has_ended(self.child)? && Instant::now() < deadline {
            self.pass_on(TICK)?;
        }
        Ok(())
    }

    /// Hands on what lies in the pipe; somebody who left the group may write on for ever.
    fn pass_on_the_rest(&mut self) -> io::Result<()> {
        let mut reads = PIPE / BUFFER;
        while reads > 0 && self.pass_on(Duration::ZERO)? {
            reads -= 1;
        }
        Ok(())
    }

    /// Hands on what was printed, waiting at most so long for it; returns whether there was anything.
    fn pass_on(&mut self, wait: Duration) -> io::Result<bool> {
        let Some(pipe) = &mut self.printed else {
            std::thread::sleep(wait);
            return Ok(false);
        };
        if !unix::is_readable(pipe, wait)? {
            return Ok(false);
        }
        let mut buffer = Zeroizing::new([0_u8; BUFFER]);
        match pipe.read(&mut *buffer) {
            Ok(0) => self.printed = None,
            Ok(count) => (self.output)(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(self.printed.is_some())
    }
}

#[cfg(unix)]
mod unix {
    use super::{Child, Command, Duration, PipeReader, Turn, io};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::process::CommandExt as _;

    /// How a process group is ended.
    #[derive(Clone, Copy)]
    pub(super) enum Way {
        Asked,
        AtOnce,
    }

    /// Whether it has ended. It is not waited for, so its number stays its own.
    pub(super) fn has_ended(child: &Child) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
    }

    pub(super) fn end_group(child: &Child, way: Way) {
        let signal = match way {
            Way::Asked => Signal::TERM,
            Way::AtOnce => Signal::KILL,
        };
        let _ = kill_process_group(Pid::from_child(child), signal); // or nobody is left in it
    }

    pub(super) fn is_readable(pipe: &PipeReader, wait: Duration) -> io::Result<bool> {
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&wait)) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the command descriptor 3 and a session of its own: a terminal's Ctrl-C then reaches this process alone, and
    /// a prompt of the command fails at once instead of waiting for somebody in the background.
    #[allow(unsafe_code, reason = "std gives a child no other descriptors than the first three, and no session")]
    pub(super) fn in_session_of_its_own(command: &mut Command, third: &PipeReader, turn: Option<&Turn>) {
        let (third, turn) = (third.as_raw_fd(), turn.map(|turn| turn.as_raw_fd()));
        // SAFETY: the closure makes async-signal-safe calls only. What std itself opens for the child is not descriptor 3:
        // this process has one of its own there by now, if only an end of the hook's pipes.
        unsafe {
            command.pre_exec(move || {
                if let Some(turn) = turn {
                    libc::fcntl(turn, libc::F_SETFD, 0);
                }
                let moved = if third == 3 { libc::fcntl(3, libc::F_SETFD, 0) } else { libc::dup2(third, 3) };
                if moved < 0 || libc::setsid() < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
            });
        }
    }

    /// Whoever starts this process with SIGCHLD ignored (some supervisors do) has the system reap its children: none could
    /// be waited for then (wait(2)), and a process group would not be theirs alone. It stays so, as nothing here needs it.
    #[allow(unsafe_code, reason = "neither std nor rustix sets a signal's disposition")]
    pub(super) fn let_children_be_waited_for() {
        // SAFETY: the default disposition runs no code of this process.
        unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        }
    }
}
