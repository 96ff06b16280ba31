//! Signals that would end or stop this process, noted instead while something has to be put away first.

use std::sync::atomic::{AtomicU64, Ordering};

/// Those that came, a bit each: ever, and since somebody began to look or has seen it.
static CAME: AtomicU64 = AtomicU64::new(0);
#[cfg(unix)]
static UNSEEN: AtomicU64 = AtomicU64::new(0);

/// While it lives, signals that would end this process are noted instead; those that are ignored stay so.
pub struct Interrupts {
    #[cfg(unix)]
    before: Vec<(libc::c_int, libc::sigaction)>,
}

#[cfg(unix)]
const ENDING: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

#[cfg(unix)]
const STOPPING: [libc::c_int; 2] = [libc::SIGTSTP, libc::SIGCONT];

#[cfg(unix)]
fn bits(signals: &[libc::c_int]) -> u64 {
    signals.iter().fold(0, |bits, signal| bits | 1 << signal)
}

#[cfg(unix)]
extern "C" fn note(signal: libc::c_int) {
    CAME.fetch_or(1 << signal, Ordering::Relaxed);
    UNSEEN.fetch_or(1 << signal, Ordering::Relaxed);
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "neither std nor rustix sets a signal's disposition")]
impl Interrupts {
    /// Whether one came that ends, ever.
    pub fn came() -> bool {
        CAME.load(Ordering::Relaxed) & bits(&ENDING) != 0
    }

    /// Whether somebody wanted this process to end, not what runs in front of a terminal: TERM or HUP, ever.
    pub fn ends() -> bool {
        CAME.load(Ordering::Relaxed) & bits(&[libc::SIGTERM, libc::SIGHUP]) != 0
    }

    /// Notes those that end from now on.
    pub fn watch() -> Self {
        Interrupts::of(&ENDING)
    }

    /// Notes also those that stop it, and that it goes on; what came before is not looked at.
    pub fn and_stops() -> Self {
        let interrupts = Interrupts::of(&[&ENDING[..], &STOPPING].concat());
        UNSEEN.store(0, Ordering::Relaxed);
        interrupts
    }

    /// Whether one that ends has come meanwhile.
    pub fn came_meanwhile(&self) -> bool {
        UNSEEN.load(Ordering::Relaxed) & bits(&ENDING) != 0
    }

    /// Whether it was to stop since this was asked last, and whether it went on after it was stopped.
    pub fn take_stops(&self) -> (bool, bool) {
        let came = UNSEEN.fetch_and(!bits(&STOPPING), Ordering::Relaxed);
        (came & bits(&[libc::SIGTSTP]) != 0, came & bits(&[libc::SIGCONT]) != 0)
    }

    /// Stops, and returns when it goes on; at once, where nobody is there who could have it go on.
    pub fn stop(&self) {
        self.raise(libc::SIGTSTP);
        UNSEEN.fetch_and(!bits(&STOPPING), Ordering::Relaxed);
    }

    /// Does what a signal that came meanwhile wants: this process ends by it, as if nobody had noted it.
    pub fn pass_on(&self) {
        let came = UNSEEN.fetch_and(!bits(&ENDING), Ordering::Relaxed);
        ENDING.into_iter().filter(|signal| came & bits(&[*signal]) != 0).for_each(|signal| self.raise(signal));
    }

    /// Has a signal do what it did before it was noted.
    fn raise(&self, signal: libc::c_int) {
        for (_, old) in self.before.iter().filter(|(noted, _)| *noted == signal) {
            // SAFETY: what was there before is valid to be there again, and so is what stands in its place now.
            unsafe {
                let mut noting = std::mem::zeroed::<libc::sigaction>();
                libc::sigaction(signal, old, &raw mut noting);
                libc::raise(signal);
                libc::sigaction(signal, &raw const noting, std::ptr::null_mut());
            }
        }
    }

    fn of(signals: &[libc::c_int]) -> Self {
        let mut before = Vec::new();
        for signal in signals.iter().copied() {
            // SAFETY: sigaction is plain data for which zero is a value, and the handler stores into an atomic only.
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
    /// Nothing is noted on this platform yet, so none came.
    pub fn came() -> bool {
        CAME.load(Ordering::Relaxed) != 0
    }

    /// None came.
    pub fn ends() -> bool {
        Interrupts::came()
    }

    /// Nothing is noted on this platform yet.
    pub fn watch() -> Self {
        Interrupts {}
    }
}
