//! The schedules in `examples/schedule`: what their systems say of them, and their commands run.

use crate::harness::{ENVSEC, Sandbox, reference_tools};
use std::path::{Path, PathBuf};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/schedule").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(example(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A file whose API_KEY is due, with its key beside, and a declaration with a command for the service.
fn overdue() -> Sandbox {
    let sandbox = Sandbox::with(&[("API_KEY", "old")]);
    sandbox.write("app.key", &sandbox.key);
    sandbox.command("chmod", ["600", "app.key"]).succeeds();
    let property =
        r#"{"x-envsec": {"generate": "hex:8", "rotateEvery": "90d", "rotation": {"onSet": "cat >service"}}}"#;
    sandbox.write("env.schema.json", format!(r#"{{"properties": {{"API_KEY": {property}}}}}"#));
    sandbox
}

/// Runs the command, with the paths of the sandbox, and looks whether it rotated.
fn rotates(command: &str, key: &str) {
    let sandbox = overdue();
    let command = command.replace(key, "app.key").replace("/srv/app", ".").replace("/usr/bin/envsec", "envsec");
    sandbox.shell(&command).without("ENVSEC_KEY").succeeds();
    assert_eq!(sandbox.envsec(["get", "API_KEY"]).output().stdout, sandbox.read("service"), "{command}");
}

#[test]
fn the_line_for_cron_rotates_what_is_due() {
    let text = text("crontab");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("MAILTO=")).collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let fields: Vec<&str> = line.split_whitespace().collect();
    let is_time = |field: &&str| *field == "*" || field.parse::<u8>().is_ok_and(|number| number < 60);
    assert!(fields[..5].iter().all(is_time) && !line.contains('%'), "cron reads a % as a line break: {line}");
    rotates(&fields[5..].join(" "), "/etc/envsec/app.key");
}

#[test]
fn systemd_takes_the_service_and_the_timer() {
    let sandbox = overdue();
    let service = text("envsec-rotate.service").replace("/usr/bin/envsec", ENVSEC);
    sandbox.write("envsec-rotate.service", &service);
    sandbox.write("envsec-rotate.timer", text("envsec-rotate.timer"));
    let units = ["verify", "--man=no", "./envsec-rotate.service", "./envsec-rotate.timer"];
    sandbox.command("systemd-analyze", units).succeeds();
    let command = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    rotates(&command.replace(ENVSEC, "envsec"), "${CREDENTIALS_DIRECTORY}/envsec.key");
    // And it is a test: a unit with a mistake is refused.
    sandbox.write("envsec-rotate.service", service.replace("Type=oneshot", "Type=once"));
    let refused = sandbox.command("systemd-analyze", units).output();
    assert!(!refused.stderr.is_empty() || refused.status.code() != Some(0));
}

#[test]
fn the_github_workflow_is_valid_and_fails_while_something_is_due() {
    let path = example("github-actions.yml").into_os_string().into_string().unwrap();
    let args = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path.as_str()];
    let output = Sandbox::new().command(reference_tools(), args).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = text("github-actions.yml");
    let command = text.lines().find_map(|line| line.trim().strip_prefix("run: envsec ")).unwrap();
    let command = command.split(" #").next().unwrap().replace("-e production", "");
    let sandbox = overdue();
    let before = sandbox.read(".env.enc");
    sandbox.shell(&format!("envsec {command}")).answers(
        8,
        "API_KEY  due: its age is not known\n",
        "error: due: 1\nhint: envsec rotate --due does what can be done unattended\n",
    );
    assert!(sandbox.read(".env.enc") == before);
    sandbox.envsec(["rotate", "API_KEY", "--no-hooks"]).succeeds();
    sandbox.shell(&format!("envsec {command}")).succeeds();
}
