//! `benches/start.sh` works. Its figures are nobody's business here: a test that asserts times fails on a busy machine.

use crate::harness::ENVSEC;
use std::process::Command;

#[test]
fn the_benchmark_of_the_binary_measures_every_row() {
    let output = Command::new("benches/start.sh")
        .arg("--quick")
        .env("ENVSEC", ENVSEC)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "hyperfine or time is missing? run ./tests/run.sh first\n{stderr}");
    for row in [
        "true",
        "envsec --version",
        "run -- true, 1 secret",
        "run -- true, 20 secrets",
        "run -- true, 200 secrets",
        "get, of 20",
        "set, of 20",
        "get, of 10,000",
        "set, of 10,000",
        "a bare scrypt call, ln=17",
        "run -- true, 20 secrets, password",
        "peak memory of `get`, of 20",
        "peak memory of `set`, of 10,000",
        "the binary",
    ] {
        assert!(stdout.lines().any(|line| line.starts_with(&format!("| {row} |"))), "no row {row:?} in\n{stdout}");
    }
}
