//! envsec: dotenv files that may be committed.
//!
//! Each secret is encrypted on its own, the whole file is sealed, and `envsec run -- COMMAND` replaces itself by the
//! command with the values in its environment. This library is the inside of the binary, reachable for tests, fuzz
//! targets and benches; it is no published interface.
//!
//! The modules in layers; a module uses only those above it (`tests/architecture.rs` holds that):

// 0: words
pub mod duration;
pub mod error;
pub mod pair;
pub mod secret;
pub mod vars;

// 1: mechanisms
pub mod crypto;
pub mod dotenv;
pub mod fs;
pub mod generate;
pub mod redact;
pub mod schema;

// 2: state
pub mod child;
pub mod formats;
pub mod keyring;
pub mod sealed;

// 3: use cases
pub mod doctor;
pub mod edit;
pub mod git;
pub mod guard;
pub mod import;
pub mod inference;
pub mod project;
pub mod rotate;
pub mod slots;
pub mod validation;

// 4: verbs
pub mod cli;
