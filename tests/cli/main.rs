//! The binary as its users run it: a folder, a command line, exact output and status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

mod attacks;
mod bench;
mod canary;
mod ci_examples;
mod completions;
mod declared;
mod docs;
mod edit;
mod emitters;
mod example_app;
mod export;
mod harness;
mod import;
mod import_formats;
mod interop;
mod keys;
mod man;
mod meanwhile;
mod postgres;
mod prompts;
mod rekey;
mod rotate;
mod run;
mod schedule;
mod schema;
mod sessions;
mod settings;
mod status;
mod tamper;
mod terminal;
mod validate;
mod verbs;
mod writing;
mod zod;
