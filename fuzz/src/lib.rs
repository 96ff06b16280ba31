//! The bodies of the fuzz targets, which the test suite runs too: see README.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

/// Runs the body of a target on one input.
///
/// # Panics
/// When a law does not hold.
pub fn run(name: &str, input: &[u8]) {
    targets::find(name).expect("the name of a target")(input);
}
