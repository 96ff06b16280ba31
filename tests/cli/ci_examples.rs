//! The pipelines in `examples/ci`: valid to the schemas of their systems, parsed by bash, and their deploy run.
//!
//! Jenkins has no validator that works without a server: of the Jenkinsfile only the braces and the command are checked.

use crate::harness::{ENVSEC, Sandbox, reference_tools};
use std::path::{Path, PathBuf};

/// What all three examples do in the end.
const DEPLOY: &str = "envsec run -e production -- ./deploy";

/// Writes the shell scripts of a pipeline as a JSON array: steps' `run`, or the lines of GitLab's `*script` lists.
const SCRIPTS: &str = r#"
import json, sys, yaml
jobs = yaml.safe_load(open(sys.argv[1]))
if "jobs" in jobs:
    steps = [step for job in jobs["jobs"].values() for step in job["steps"]]
    scripts = [step["run"] for step in steps if "run" in step]
else:
    keys = ("before_script", "script", "after_script")
    scripts = ["\n".join(line for key in keys for line in job.get(key, [])) for job in jobs.values()]
print(json.dumps(scripts))
"#;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(example(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The shell scripts that a YAML example holds.
fn scripts(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let path = example(name).into_os_string().into_string().unwrap();
    let output = sandbox.command(reference_tools(), ["-c", SCRIPTS, path.as_str()]).output();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: run ./tests/run.sh first? {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Checks an example against a schema that comes with check-jsonschema.
#[track_caller]
fn is_valid(name: &str, options: &[&str]) {
    let path = example(name).into_os_string().into_string().unwrap();
    let args = [&["-m", "check_jsonschema"], options, &[path.as_str()]].concat();
    let output = Sandbox::new().command(reference_tools(), args).output();
    let answer = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!answer.contains("No module named"), "check-jsonschema is missing: run ./tests/run.sh first");
    assert!(output.status.success(), "{name}: {answer}");
}

/// A checkout with a sealed file for production, and a `./deploy` that proves what it got.
fn checkout() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let key = sandbox.make(".env.production.enc", Some("production"));
    sandbox.envsec(["set", "-e", "production", "API_KEY"]).variable("ENVSEC_KEY", &key).stdin("sk_live_51").succeeds();
    sandbox.write("deploy", "#!/bin/sh\n[ \"$API_KEY\" = sk_live_51 ] && [ -z \"$ENVSEC_KEY\" ] && echo deployed\n");
    sandbox.command("chmod", ["+x", "deploy"]).succeeds();
    // Where the GitLab example keeps what it built: there already, so that nothing is fetched.
    sandbox.command("mkdir", ["-p", ".envsec/bin"]).succeeds();
    sandbox.command("ln", ["-s", ENVSEC, ".envsec/bin/envsec"]).succeeds();
    sandbox.key = key;
    sandbox
}

/// The script that deploys.
fn deploy_script(sandbox: &Sandbox, name: &str) -> String {
    let deploys: Vec<_> = scripts(sandbox, name).into_iter().filter(|script| script.contains(DEPLOY)).collect();
    assert_eq!(deploys.len(), 1, "{name}: {deploys:?}");
    deploys.concat()
}

#[test]
fn the_github_workflow_is_valid() {
    is_valid("github-actions.yml", &["--builtin-schema", "vendor.github-workflows"]);
}

#[test]
fn the_gitlab_pipeline_is_valid() {
    is_valid("gitlab-ci.yml", &["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]);
}

#[test]
fn every_script_of_the_pipelines_is_parsed_by_bash() {
    let sandbox = Sandbox::new();
    for (name, count) in [("github-actions.yml", 3), ("gitlab-ci.yml", 1)] {
        let scripts = scripts(&sandbox, name);
        assert_eq!(scripts.len(), count, "{name}: {scripts:?}");
        scripts.iter().for_each(|script| sandbox.command("bash", ["-n", "-c", script.as_str()]).succeeds());
    }
}

#[test]
fn the_deploy_of_both_pipelines_gets_its_secret_and_not_the_key() {
    let sandbox = checkout();
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        let script = deploy_script(&sandbox, name);
        sandbox.shell(&script).variable("ENVSEC_KEY", &sandbox.key).prints("deployed\n");
    }
}

#[test]
fn a_pipeline_without_the_secret_deploys_nothing() {
    let sandbox = checkout();
    let refusal = "error: ENVSEC_KEY is set, but empty\n\
                   hint: was a secret to be put there that this job does not get? unset it to do without\n\
                   nothing was started (status 2: usage, or nothing there)\n";
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        sandbox.shell(&deploy_script(&sandbox, name)).variable("ENVSEC_KEY", "").fails(125, refusal);
    }
}

#[test]
fn the_jenkinsfile_has_balanced_braces_and_the_same_command() {
    let text = text("Jenkinsfile");
    let depth = text.chars().fold(0_i32, |depth, c| {
        assert!(depth >= 0, "a brace closes what was not opened");
        depth + i32::from(c == '{') - i32::from(c == '}')
    });
    assert_eq!(depth, 0, "braces are left open");
    assert!(text.contains(&format!("sh '{DEPLOY}'")), "it does not run {DEPLOY}");
    assert!(text.contains("ENVSEC_KEY = credentials('envsec-production')"), "the key comes from elsewhere");
}
