//! The binary: everything is in the library.
//!
//! On Linux with glibc it begins as a C program does. Rust's own start-up code reads /proc/self/maps and sets up a second
//! stack, to report an overflow of the first; that takes a tenth of a millisecond, a fifth of a start. What else it does
//! is done by `child::start`.

#![cfg_attr(all(target_os = "linux", target_env = "gnu"), no_main)]

/// What C's start-up code calls. The arguments are kept by std, which asks the loader for them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the name has to be the one that C knows")]
#[unsafe(no_mangle)]
extern "C" fn main() -> std::ffi::c_int {
    let status = envsec::cli::main();
    #[allow(clippy::disallowed_methods, reason = "it flushes standard output; all secrets are dropped")]
    std::process::exit(status.into())
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() -> std::process::ExitCode {
    envsec::cli::main().into()
}
