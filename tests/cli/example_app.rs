//! `examples/web-app`: its declaration and what is made from it.

use crate::harness::Sandbox;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web-app")
}

#[test]
fn env_example_is_what_the_declaration_describes() {
    let committed = std::fs::read_to_string(folder().join(".env.example")).unwrap();
    let output = Sandbox::new().envsec(["schema", "example"]).folder(folder()).output();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, committed, "make it anew: cd examples/web-app; envsec schema example > .env.example");
}

#[test]
fn the_declaration_has_no_flaw() {
    Sandbox::new().envsec(["schema", "lint"]).folder(folder()).succeeds();
}

/// A new member copies `.env.example`, fills in what is empty, and seals it.
#[test]
fn a_filled_in_env_example_is_valid() {
    let sandbox = Sandbox::sealed();
    for name in ["env.schema.json", ".env.example"] {
        sandbox.write(name, std::fs::read(folder().join(name)).unwrap());
    }
    let filled = sandbox.text(".env.example").replace("DATABASE_URL=\n", "DATABASE_URL=postgres://localhost/app\n");
    sandbox.write("filled", filled.replace("JWT_SECRET=\n", ""));
    sandbox.envsec(["-q", "import", "filled", "--plain", "PORT,GREETING"]).succeeds();
    let error = sandbox.envsec(["validate"]).refuses(3);
    assert_eq!(error, "error: env.schema.json: 1 problem");
    let error = sandbox.envsec(["set", "JWT_SECRET", "--strict"]).stdin("no private key").refuses(3);
    assert_eq!(error, "error: env.schema.json: 1 problem");
    sandbox.envsec(["set", "JWT_SECRET", "--strict"]).stdin("-----BEGIN PRIVATE KEY-----\n").succeeds();
    sandbox.envsec(["validate", "--strict"]).succeeds();
}
