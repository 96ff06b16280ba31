//! Signals that would end this process, noted instead while something has to be put away first.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether any of them came, and whether one did that is no key at a terminal.
static CAME: AtomicBool = AtomicBool::new(false);
static ENDS: AtomicBool = AtomicBool::new(false);

/// While it lives, signals that would end this process are noted instead; those that are ignored stay so.
pub struct Interrupts {
    #[cfg(unix)]
    before: Vec<(libc::c_int, libc::sigaction)>,
}

impl Interrupts {
    /// Whether one came, ever.
    pub fn came() -> bool {
        CAME.load(Ordering::Relaxed)
    }

    /// Whether somebody wanted this process to end, not what runs in front of a terminal: TERM or HUP, ever.
    pub fn ends() -> bool {
        ENDS.load(Ordering::Relaxed)
    }
}

#[cfg(unix)]
extern "C" fn note(signal: libc::c_int) {
    CAME.store(true, Ordering::Relaxed);
    if matches!(signal, libc::SIGTERM | libc::SIGHUP) {
        ENDS.store(true, Ordering::Relaxed);
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "neither std nor rustix sets a signal's disposition")]
impl Interrupts {
    /// Notes them from now on.
    pub fn watch() -> Self {
        let mut before = Vec::new();
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            // SAFETY: sigaction is plain data for which zero is a value, and the handler stores into atomics only.
            unsafe {
                let mut old = std::mem::zeroed::<libc::sigaction>();
                let mut new = std::mem::zeroed::<libc::sigaction>();
                new.sa_sigaction = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
                libc::sigaction(signal, std::ptr::null(), &raw mut old);
                if old.sa_sigaction != libc::SIG_IGN && libc::sigaction(signal, &raw const new, &raw mut old) == 0 {
                    before.push((signal, old));
                }
            }
        }
        Interrupts { before }
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "neither std nor rustix sets a signal's disposition")]
impl Drop for Interrupts {
    fn drop(&mut self) {
        for (signal, old) in &self.before {
            // SAFETY: what was there before is valid to be there again.
            unsafe {
                libc::sigaction(*signal, old, std::ptr::null_mut());
            }
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Nothing is noted on this platform yet.
    pub fn watch() -> Self {
        Interrupts {}
    }
}
