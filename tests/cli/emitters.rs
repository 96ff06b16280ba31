//! Declarations as pydantic, TypeBox and valibot emit them, unedited, and the examples that have theirs from zod and
//! pydantic.

use crate::harness::{ENVSEC, Sandbox, node_tools, reference_tools};
use std::path::Path;

/// Variables, and the names of those that are wrong, as declared.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

fn file(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_str().unwrap().to_owned()
}

/// What a command prints.
fn printed(sandbox: &Sandbox, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Vec<u8> {
    let output = sandbox.command(program, args).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The names that envsec says are wrong.
fn wrong(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Vec<String> {
    let mut run = sandbox.envsec(["validate", "--process-only", "--json"]);
    for (name, value) in variables {
        run = run.variable(name, value);
    }
    let output = run.output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{stderr}");
    let problems: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    problems.iter().map(|problem| problem["name"].as_str().unwrap().to_owned()).collect()
}

/// Checks variants of variables that are right: each with these changes.
#[track_caller]
fn judges(schema: &[u8], right: &[(&str, &str)], cases: &[Case]) {
    let sandbox = Sandbox::new();
    sandbox.write("env.schema.json", schema);
    for (changes, expected) in cases {
        assert_eq!(wrong(&sandbox, &[right, changes].concat()), *expected, "with {changes:?}");
    }
}

#[test]
fn pydantic_is_understood() {
    const RIGHT: &[(&str, &str)] =
        &[("DATABASE_URL", "postgres://user:password@localhost:5432/app"), ("API_KEY", "12345678")];
    let emitted = printed(&Sandbox::new(), reference_tools(), &[&file("tests/oracles/pydantic_schema.py")]);
    let cases: &[Case] = &[
        (&[], &[]),
        (&[("DATABASE_URL", "postgres://a:1,b:2/db"), ("REDIS_URL", "redis://:p@cache:6379/0")], &[]),
        (&[("DATABASE_URL", ""), ("API_KEY", "")], &["DATABASE_URL", "API_KEY"]),
        (&[("DATABASE_URL", "localhost"), ("REDIS_URL", "cache")], &["DATABASE_URL", "REDIS_URL"]),
        (&[("REDIS_URL", ""), ("ADMIN", ""), ("SERVER", ""), ("SALT", "")], &[]),
        (&[("SITE", "https://"), ("API_KEY", "1234567"), ("SALT", "s")], &["SITE", "API_KEY"]),
        (&[("MODE", "b"), ("LEVEL", "debug"), ("PORT", "65535"), ("RATIO", "1e-3"), ("DEBUG", "TRUE")], &[]),
        (&[("MODE", "c"), ("LEVEL", "DEBUG"), ("PORT", "0")], &["MODE", "LEVEL", "PORT"]),
        (&[("PORT", "80.0"), ("RATIO", "half"), ("DEBUG", "maybe")], &["PORT", "RATIO", "DEBUG"]),
        (&[("TAGS", r#"["a"]"#), ("SERVER", r#"{"host":"h"}"#), ("ADMIN", "a@example.com")], &[]),
        (&[("TAGS", "a,b"), ("SERVER", r#"{"port":1}"#), ("ADMIN", "nobody")], &["TAGS", "SERVER", "ADMIN"]),
        (&[("TAGS", "[1]"), ("SERVER", r#"{"host":"h","port":"1"}"#)], &["TAGS", "SERVER"]),
    ];
    judges(&emitted, RIGHT, cases);
}

#[test]
fn typebox_and_valibot_are_understood() {
    const RIGHT: &[(&str, &str)] = &[("DATABASE_URL", "postgres://h/d"), ("API_KEY", "12345678"), ("MODE", "a")];
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(node_tools("typebox"), sandbox.join("node_modules")).unwrap();
    assert!(node_tools("valibot") == node_tools("@valibot/to-json-schema"));
    std::fs::copy(file("tests/oracles/other_schemas.mjs"), sandbox.join("emit.mjs")).unwrap();
    let emitted = printed(&sandbox, "node", &["emit.mjs"]);
    let schemas: Vec<&[u8]> = emitted.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(schemas.len(), 2);
    let cases: &[Case] = &[
        (&[], &[]),
        (&[("DATABASE_URL", "h"), ("API_KEY", "1234567")], &["DATABASE_URL", "API_KEY"]),
        (&[("API_KEY", ""), ("MODE", "")], &["API_KEY", "MODE"]),
        (&[("PORT", "8080"), ("MODE", "b"), ("DEBUG", "off"), ("REPLICAS", r#"["a","b"]"#)], &[]),
        (&[("PORT", "0"), ("MODE", "c"), ("DEBUG", "2")], &["PORT", "MODE", "DEBUG"]),
        (&[("PORT", "0x10"), ("ADMIN", "a@example.com")], &["PORT"]),
        (&[("PORT", ""), ("ADMIN", "a@")], &["ADMIN"]),
        (&[("REPLICAS", r#"["a","b","c"]"#)], &["REPLICAS"]),
    ];
    schemas.iter().for_each(|schema| judges(schema, RIGHT, cases));
}

/// Runs the `check.sh` of an example, with what it installs at hand.
fn check(example: &str, files: &[&str], tools: Option<&Path>, path: &[&Path]) -> std::process::Output {
    let sandbox = Sandbox::new();
    for name in files {
        std::fs::copy(file(&format!("examples/{example}/{name}")), sandbox.join(name)).unwrap();
    }
    if let Some(tools) = tools {
        std::os::unix::fs::symlink(tools, sandbox.join("node_modules")).unwrap();
    }
    let known = std::env::var("PATH").unwrap();
    let folders = path.iter().copied().map(Path::to_path_buf).chain(std::env::split_paths(&known));
    let path = std::env::join_paths(folders).unwrap();
    sandbox.command("bash", ["check.sh"]).variable("PATH", path).output()
}

#[track_caller]
fn assert_checked(output: &std::process::Output, stdout: &str, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert!(output.status.success());
}

fn envsec_folder() -> &'static Path {
    Path::new(ENVSEC).parent().unwrap()
}

const ZOD_STDOUT: &str = "\
api, as it should be
api, with four mistakes
worker, as it should be
worker, with two mistakes
web, as it should be
web, with a secret where browsers see it
";

const ZOD_STDERR: &str = "\
error: env.schema.json: 4 problems
  NODE_ENV: one of development, test, production: is none of them (4 characters)
  PORT: a number: is none (3 characters)
  DATABASE_URL: a URL: is empty
  JWT_SECRET: at least 32 characters: has 10
error: env.schema.json: 2 problems
  NODE_ENV: one of development, test, production: is empty
  ENCRYPTION_KEY: at least 64 characters: has 32
error: env.schema.json: 2 problems
  NEXT_PUBLIC_STRIPE_KEY: beginning with pk_: does not match (28 characters)
  NEXT_PUBLIC_STRIPE_KEY: public, nothing that a browser may not see: looks like a secret key of Stripe or Clerk
";

const PYDANTIC_STDOUT: &str = "\
as it should be
with a name missing and five mistakes
";

const PYDANTIC_STDERR: &str = "\
error: env.schema.json: 6 problems
  NODE_ENV: one of development, test, production: is none of them (4 characters)
  PORT: at least 1: is less
  DATABASE_URL: a URL with a host, at least 1 character: missing
  JWT_SECRET: at least 32 characters: has 10
  DEBUG: true or false: is none (5 characters)
  ALLOWED_HOSTS: a JSON array: is none (9 characters)
";

#[test]
fn the_example_of_zod_goes_from_its_schema_to_validate_without_an_edit() {
    let files = ["api.mjs", "worker.mjs", "web.mjs", "emit.mjs", "package.json", "check.sh"];
    let output = check("zod-schema", &files, Some(&node_tools("zod")), &[envsec_folder()]);
    assert_checked(&output, ZOD_STDOUT, ZOD_STDERR);
}

#[test]
fn the_example_of_pydantic_goes_from_its_settings_to_validate_without_an_edit() {
    let python = reference_tools();
    let output = check(
        "pydantic-settings",
        &["settings.py", "emit.py", "check.sh"],
        None,
        &[envsec_folder(), python.parent().unwrap()],
    );
    assert_checked(&output, PYDANTIC_STDOUT, PYDANTIC_STDERR);
}
