//! How the process begins: what holds from before the first secret until the end.
//!
//! On Linux with glibc the binary does without Rust's own start-up code (`src/main.rs`), and this is its part that is
//! needed.

/// Prepares this process; called once, first of all.
pub fn start() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        open_standard_streams();
        super::broken_pipes::ignore();
    }
    forbid_core_dumps();
}

/// Opens /dev/null where standard input, output or error is closed: else a file that is opened later would get its number,
/// and a message go into the file.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn open_standard_streams() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{Mode, OFlags};
    use std::os::fd::IntoRawFd as _;
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let mut states = streams.map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::empty()));
    // A failure says nothing of the streams; they are mostly open.
    let _ = poll(&mut states, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    for _ in states.iter().filter(|state| state.revents().contains(PollFlags::NVAL)) {
        match rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()) {
            // It has the lowest number that was free, and stays open, in the child too.
            Ok(null) => _ = null.into_raw_fd(),
            Err(_) => std::process::abort(),
        }
    }
}

/// Keeps this process's memory out of core dumps and away from debuggers of the same user (Linux). The child of `run`
/// is not affected: execve resets it.
fn forbid_core_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // It cannot fail for this process, and a failure would leave what every other program has.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
