//! `envsec doctor`: one page about everything.

use crate::harness::{PASSWORD, Sandbox};
use crate::repository::{committed, repository};

/// The report for scripts, as `check level message fix`, without what is well.
fn findings(sandbox: &Sandbox, arguments: &str) -> Vec<[String; 4]> {
    let output = sandbox.shell(&format!("envsec doctor --json {arguments}")).output();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |of: &serde_json::Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let all: Vec<_> = report.iter().map(|of| ["check", "level", "message", "fix"].map(|key| text(of, key))).collect();
    assert!(
        all.iter().all(|[_, level, _, fix]| (level == "ok") == fix.is_empty()),
        "what is wrong says what to do: {all:?}"
    );
    let bad: Vec<_> = all.into_iter().filter(|[_, level, ..]| level != "ok").collect();
    assert_eq!(output.status.code(), Some(if bad.is_empty() { 0 } else { 8 }));
    bad
}

/// What is found, and nothing else.
#[track_caller]
fn finds(sandbox: &Sandbox, arguments: &str, expected: &[[&str; 4]]) {
    let found = findings(sandbox, arguments);
    let found: Vec<[&str; 4]> = found.iter().map(|of| of.each_ref().map(String::as_str)).collect();
    assert_eq!(found, expected);
}

/// A repository in which everything is well.
fn well() -> Sandbox {
    let sandbox = committed(&[("A", "one")]);
    sandbox.write("env.schema.json", r#"{"properties": {"A": {"type": "string", "writeOnly": true}}}"#);
    sandbox.shell("envsec -q hook install && git add . && git commit -qm schema").succeeds();
    sandbox
}

#[test]
fn a_page_where_all_is_well() {
    let sandbox = well();
    let output = sandbox.shell("unshare --user --map-root-user envsec doctor").output();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
ok       .env.enc is well-formed: revision 2, 1 name
ok       env.schema.json says what the variables are
ok       .env.enc opens, and its seal holds
ok       envsec unlock can keep a file open: the kernel's keyring is there
ok       .env.enc is tracked by git
ok       git tracks no plaintext env file
ok       no commit of the last 20000 added a plaintext env file
ok       git ignores plaintext env files, and no sealed one
ok       .gitattributes names envsec for .env*.enc
ok       git diff and git merge are told how to ask envsec
ok       a pre-commit hook refuses plaintext env files
"
    );
    assert_eq!(output.status.code(), Some(0));
    let output = sandbox.envsec(["doctor"]).without("ENVSEC_KEY").output();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("\nok       .env.enc: its seal is not checked: no credential at hand opens it\n"), "{page}");
}

#[test]
fn what_a_fresh_clone_lacks_is_fixed() {
    let sandbox = well();
    sandbox.shell("git clone -q . clone").succeeds();
    let clone = sandbox.join("clone");
    let output = sandbox.shell("envsec doctor").folder(&clone).output();
    let page = String::from_utf8(output.stdout).unwrap();
    let bad: Vec<&str> = page.lines().filter(|line| !line.starts_with("ok")).collect();
    assert_eq!(
        bad,
        [
            "warning  this clone's git configuration lacks diff.envsec.textconv, merge.envsec.name, merge.envsec.driver",
            "         envsec doctor --fix",
            "warning  no pre-commit hook refuses plaintext env files",
            "         envsec hook install, or envsec doctor --fix",
        ]
    );
    let output = sandbox.shell("envsec doctor --fix").folder(&clone).output();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "\
fixed: set diff.envsec.textconv, merge.envsec.name, merge.envsec.driver in this clone's git configuration
fixed: wrote .git/hooks/pre-commit
"
    );
    let again = sandbox.shell("envsec doctor --fix && git status --porcelain").folder(&clone).output();
    assert!(again.status.success() && again.stderr.is_empty());
}

#[test]
fn everything_that_init_sets_up_is_missed_and_fixed() {
    let sandbox = well();
    sandbox.shell("git rm -q .gitignore .gitattributes && rm .git/hooks/pre-commit && git config --remove-section diff.envsec && git config --remove-section merge.envsec").succeeds();
    let names: Vec<String> = findings(&sandbox, "").into_iter().map(|[check, ..]| check).collect();
    assert_eq!(names, ["ignore-rules", "attributes", "drivers", "hook"]);
    sandbox.shell("envsec doctor --fix >/dev/null").says(
        "\
fixed: set diff.envsec.textconv, merge.envsec.name, merge.envsec.driver in this clone's git configuration
fixed: added lines to .gitattributes
fixed: added lines to .gitignore
fixed: wrote .git/hooks/pre-commit
",
    );
}

#[test]
fn somebodys_own_settings_are_told_and_kept() {
    let sandbox = well();
    sandbox.shell("git config merge.envsec.driver mine && echo '*.enc diff=other' >> .gitattributes && echo make > .git/hooks/pre-commit").succeeds();
    let before = (sandbox.read(".gitattributes"), sandbox.read(".git/config"), sandbox.read(".git/hooks/pre-commit"));
    let hook =
        format!("{}/.git/hooks/pre-commit: does not call envsec", sandbox.path().canonicalize().unwrap().display());
    finds(
        &sandbox,
        "--fix",
        &[
            [
                "attributes",
                "warning",
                "git does not ask envsec: .env.enc diff=other, .env.production.enc diff=other",
                "if that is not meant, take it out of .gitattributes, then envsec doctor --fix",
            ],
            [
                "drivers",
                "warning",
                "git config merge.envsec.driver is not envsec's",
                "if that is not meant: git config merge.envsec.driver 'envsec merge %O %A %B %P'",
            ],
            ["hook", "warning", &hook, "add this line to it: envsec hook pre-commit"],
        ],
    );
    assert_eq!(
        (sandbox.read(".gitattributes"), sandbox.read(".git/config"), sandbox.read(".git/hooks/pre-commit")),
        before
    );
}

#[test]
fn plaintext_in_the_repository_is_found_wherever_it_is() {
    let sandbox = well();
    let commit = |what: &str| {
        sandbox.shell(&format!("{what} && git add -fA && git commit -qnm x && git log -1 --format=%h")).output().stdout
    };
    let first = String::from_utf8(commit("mkdir sub && echo A=geheim > sub/.env")).unwrap();
    commit("git rm -q --cached sub/.env; rm sub/.env; git checkout -qb side");
    let second = String::from_utf8(commit("echo A=geheim > .env.local && chmod 600 .env.local")).unwrap();
    let leaked = "give its values new ones where they are valid; git keeps the old ones";
    let committed = |file: &str, commit: &str| format!("{file}: was committed in plaintext in {}", commit.trim());
    let (local, deep) = (committed(".env.local", &second), committed("sub/.env", &first));
    let fix = format!("git rm --cached .env.local; {leaked}");
    let history = [["history", "warning", local.as_str(), leaked], ["history", "warning", deep.as_str(), leaked]];
    finds(
        &sandbox,
        "",
        &[["plaintext", "error", ".env.local: a plaintext env file is tracked by git", &fix], history[0], history[1]],
    );
    // On another branch it is out all the same.
    sandbox.shell("git checkout -q main").succeeds();
    let fix = format!("git rm --cached sub/.env; {leaked}");
    finds(
        &sandbox,
        "",
        &[["plaintext", "error", "sub/.env: a plaintext env file is tracked by git", &fix], history[0], history[1]],
    );
    sandbox.shell("git rm -q sub/.env && git commit -qnm removed").succeeds();
    finds(&sandbox, "", &history);
}

#[test]
fn an_ignored_or_untracked_sealed_file_is_told() {
    let sandbox = well();
    sandbox.shell("git rm -q --cached .env.enc").succeeds();
    finds(&sandbox, "", &[["tracked", "warning", ".env.enc is not tracked by git", "git add .env.enc"]]);
    sandbox.shell("echo '.env*' >> .gitignore").succeeds();
    let found = findings(&sandbox, "");
    assert_eq!(found[0][..3], ["tracked", "error", ".env.enc is ignored by git, so that nobody else gets it"]);
    assert_eq!(
        found[1][..3],
        ["ignore-rules", "warning", "git's ignore rules are not right for .env.example, .env.enc, .env.production.enc"]
    );
}

#[test]
fn who_can_read_plaintext_and_credentials_is_told() {
    let sandbox = well();
    sandbox.write("key", &sandbox.key);
    sandbox.write(".env", "A=1");
    sandbox.shell("chmod 644 key .env").succeeds();
    let output = sandbox.shell("envsec doctor --json --key-file key").output();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "warning: key: other users can read this credential: chmod 600 it\n"
    );
    let report: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let messages: Vec<&str> =
        report.iter().filter(|of| of["check"] == "permissions").map(|of| of["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        ["key: other users can read this credential", ".env: other users can read this plaintext env file"]
    );
    sandbox.shell("chmod 600 key .env && envsec doctor --key-file key >/dev/null").succeeds();
}

#[test]
fn cheap_password_slots_are_told() {
    let sandbox = Sandbox::sealed();
    finds(
        &sandbox,
        "",
        &[
            [
                "work-factor",
                "warning",
                ".env.enc: passwords are cheaper to guess than they need to be (work factor below 17): password",
                "envsec slot rewrap password",
            ],
            [
                "declaration",
                "warning",
                ".env.enc: no env.schema.json says what its variables are",
                "envsec schema infer writes a first one",
            ],
        ],
    );
}

#[test]
fn comments_and_plain_values_that_look_like_secrets_are_told_by_their_lines_alone() {
    let sandbox = well();
    sandbox.shell("envsec set -q --plain A=geheim Q=postgres://u:geheim@db/x R=3000 2>/dev/null").succeeds();
    let token = ["sk_live", "_geheim0123456789"].concat();
    let comments = format!(
        "# DB_PASSWORD=geheim\n# the key is {token}\n# DB_PASSWORD=\n# nothing=here, PORT=3000\n#API_KEY = \"geheim\"\n"
    );
    sandbox.write(".env.enc", sandbox.text(".env.enc") + &comments);
    let found = findings(&sandbox, "");
    assert!(!format!("{found:?}").contains("geheim"), "{found:?}");
    let messages: Vec<&str> = found.iter().map(|[_, _, message, _]| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            ".env.enc:8: a comment looks like it holds a secret's value",
            ".env.enc:9: a comment looks like it holds a secret key of Stripe or Clerk",
            ".env.enc:12: a comment looks like it holds a secret's value",
            ".env.enc: A is stored unencrypted, but declared as secret",
            ".env.enc: Q is stored unencrypted, but looks like a secret",
        ]
    );
    assert!(found.iter().all(|[_, level, ..]| level == "error"));
}

#[test]
fn a_file_that_is_wrong_is_told_with_the_way_out() {
    let sandbox = well();
    let text = sandbox.text(".env.enc");
    sandbox.write(".env.enc", format!("{text}=======\n"));
    assert_eq!(
        findings(&sandbox, "")[0][..3],
        ["file", "error", ".env.enc:6: a git conflict marker: the file has an unresolved merge conflict"]
    );
    sandbox.write(".env.enc", text.replace("A=", "B="));
    assert_eq!(
        findings(&sandbox, "")[0][..3],
        ["opens", "error", ".env.enc: the seal does not match: the file was changed by somebody without a key"]
    );
    sandbox.write(".env.enc", text);
    sandbox.write("pw", PASSWORD);
    sandbox.shell("chmod 600 pw && envsec slot add --password --work-factor 17 --new-password-file pw && git commit -qam slot && echo wrong > pw").succeeds();
    finds(
        &sandbox,
        "--password-file pw",
        &[[
            "opens",
            "error",
            ".env.enc: no slot opens with the password or key that the settings name",
            "check the password or key, and that it belongs to this file",
        ]],
    );
    finds(
        &sandbox,
        "-e prod",
        &[[
            "file",
            "error",
            "no .env.prod.enc here, nor above up to the repository's root",
            "make one with: envsec init -e prod; or name it: -f FILE",
        ]],
    );
}

#[test]
fn a_declaration_that_is_wrong_is_told() {
    let sandbox = well();
    sandbox.write("env.schema.json", r#"{"properties": {"A": {"type": "string", "minimum": 3}}}"#);
    finds(
        &sandbox,
        "",
        &[[
            "declaration",
            "warning",
            "env.schema.json: /properties/A/minimum: says nothing about values of this type",
            "envsec schema lint says more",
        ]],
    );
    sandbox.write("env.schema.json", "{");
    assert_eq!(findings(&sandbox, "")[0][..2], ["declaration", "error"]);
}

#[test]
fn rotations_that_wait_for_somebody_are_told() {
    let sandbox = well();
    sandbox.write(
        "env.schema.json",
        r#"{"properties": {"A": {"type": "string", "writeOnly": true, "x-envsec": {"rotateEvery": "1d"}}}}"#,
    );
    finds(&sandbox, "", &[["rotation", "warning", ".env.enc: A: due: its age is not known", "envsec rotate A"]]);
    sandbox.shell("envsec -q rotate A --generate hex:16 --grace 1s && sleep 1.1").succeeds();
    let found = findings(&sandbox, "");
    assert!(found[0][2].starts_with(".env.enc: A: old value to be dropped since "), "{found:?}");
    assert_eq!(found[0][3], "envsec rotate A --finish");
}

#[test]
fn outside_of_a_repository_git_does_not_apply() {
    let sandbox = Sandbox::new();
    let output = sandbox.envsec(["doctor", "--fix"]).output();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.starts_with("error    no .env.enc here\n         make one with: envsec init; or name it: -f FILE\n"),
        "{page}"
    );
    assert!(
        page.ends_with("ok       not in a git repository: drivers, ignore rules, hook and history do not apply\n"),
        "{page}"
    );
    assert_eq!((output.status.code(), sandbox.files().len()), (Some(8), 0));
}

#[test]
fn git_that_does_not_find_envsec_is_told() {
    let sandbox = well();
    let path = std::env::var_os("PATH").unwrap();
    let output = sandbox.envsec(["doctor"]).variable("PATH", path).output();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("\nerror    git does not find envsec in PATH\n"), "{page}");
}

#[test]
fn doctor_repairs_a_repository_that_init_left_alone() {
    let sandbox = repository();
    sandbox
        .shell("git rm -rq --cached . 2>/dev/null; rm -f .gitattributes .gitignore; echo '# mine' > .gitignore")
        .succeeds();
    sandbox.shell("envsec doctor --fix >/dev/null 2>&1; git check-attr diff -- .env.enc; git check-ignore .env; head -1 .gitignore").prints(
        ".env.enc: diff: envsec\n.env\n# mine\n",
    );
}

#[test]
fn a_repository_without_a_commit_has_no_history() {
    let sandbox = repository();
    let found = findings(&sandbox, "");
    let names: Vec<&str> = found.iter().map(|[check, ..]| check.as_str()).collect();
    assert_eq!(names, ["declaration", "tracked", "hook"]);
}

#[test]
fn a_folder_with_attributes_of_its_own_gets_the_lines_there() {
    let sandbox = repository();
    let script = "rm .gitattributes && mkdir app && cd app && envsec init -q --no-git --raw-key >/dev/null && echo '*.log binary' > .gitattributes";
    sandbox.shell(script).succeeds();
    let output = sandbox.shell("envsec doctor --fix >/dev/null").folder(sandbox.join("app")).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("fixed: added lines to .gitattributes\nfixed: wrote /"), "{said}");
    sandbox
        .shell("git check-attr merge -- app/.env.enc .env.enc")
        .prints("app/.env.enc: merge: envsec\n.env.enc: merge: unspecified\n");
}
