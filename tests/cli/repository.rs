//! Repositories made on the spot, with git itself, and how init and doctor set them up.

use crate::harness::{ENVSEC, Sandbox};

/// What `init` says in a fresh repository.
const SET_UP: &str = "\
.gitignore: now ignores .env and .env.*, but not .env.example and .env*.enc (checked with git check-ignore)
.gitattributes and this clone's configuration: git diff and git merge now ask envsec about .env*.enc (checked with git check-attr)
";

/// An empty folder, and somebody who may commit.
pub(crate) fn author() -> Sandbox {
    let mut sandbox = Sandbox::new();
    for role in ["AUTHOR", "COMMITTER"] {
        sandbox.set_variable(&format!("GIT_{role}_NAME"), "Ada");
        sandbox.set_variable(&format!("GIT_{role}_EMAIL"), "ada@example.com");
    }
    sandbox.set_variable("GIT_CONFIG_NOSYSTEM", "1");
    sandbox
}

/// A repository with a sealed file and everything that `init` sets up, nothing committed; its raw key is in ENVSEC_KEY.
pub(crate) fn repository() -> Sandbox {
    let mut sandbox = author();
    let key = sandbox.shell("git init -q -b main . && envsec -q init --raw-key").output();
    assert!(key.status.success());
    let key = String::from_utf8(key.stdout).unwrap().trim_end().to_owned();
    sandbox.set_variable("ENVSEC_KEY", &key);
    sandbox.key = key;
    sandbox
}

/// [`repository`], with these secrets and all of it committed.
pub(crate) fn committed(entries: &[(&str, &str)]) -> Sandbox {
    let sandbox = repository();
    for (name, value) in entries {
        sandbox.envsec(["set", name]).stdin(value).succeeds();
    }
    sandbox.shell("git add -A && git commit -qm first").succeeds();
    sandbox
}

#[test]
fn init_tells_git_about_sealed_files_once() {
    let sandbox = author();
    sandbox.shell("git init -q . && envsec init --raw-key > /dev/null").says(SET_UP);
    assert_eq!(
        sandbox.text(".gitattributes"),
        "# sealed env files: git shows which values changed, and merges entry by entry (envsec)\n\
         .env*.enc text eol=lf diff=envsec merge=envsec\n"
    );
    sandbox.shell("git config --local --get-regexp envsec").prints(
        "diff.envsec.textconv envsec diff --textconv\n\
         merge.envsec.name sealed env files, entry by entry\n\
         merge.envsec.driver envsec merge %O %A %B %P\n",
    );
    let before = (sandbox.read(".git/config"), sandbox.read(".gitattributes"));
    sandbox.shell("envsec init -e production --raw-key > /dev/null").succeeds();
    assert_eq!((sandbox.read(".git/config"), sandbox.read(".gitattributes")), before);
    sandbox.shell("git check-attr diff merge eol -- .env.production.enc sub/.env.enc .env .env.example").prints(
        "\
.env.production.enc: diff: envsec
.env.production.enc: merge: envsec
.env.production.enc: eol: lf
sub/.env.enc: diff: envsec
sub/.env.enc: merge: envsec
sub/.env.enc: eol: lf
.env: diff: unspecified
.env: merge: unspecified
.env: eol: unspecified
.env.example: diff: unspecified
.env.example: merge: unspecified
.env.example: eol: unspecified
",
    );
}

#[test]
fn init_keeps_what_stands_in_gitattributes() {
    let sandbox = author();
    sandbox
        .shell("git init -q . && printf '*.png binary' > .gitattributes && envsec -q init --raw-key >/dev/null")
        .succeeds();
    assert!(sandbox.text(".gitattributes").starts_with("*.png binary\n\n# sealed env files"));
}

#[test]
fn init_leaves_somebodys_own_settings_alone() {
    let sandbox = author();
    sandbox
        .shell("git init -q . && git config diff.envsec.textconv mine && echo '*.enc merge=ours' > .gitattributes")
        .succeeds();
    sandbox.shell("envsec init --raw-key >/dev/null").says(
        "\
.gitignore: now ignores .env and .env.*, but not .env.example and .env*.enc (checked with git check-ignore)
warning: git config diff.envsec.textconv is set already and left alone; envsec's would be: envsec diff --textconv
warning: git does not ask envsec, and is left alone: .env.enc merge=ours, .env.production.enc merge=ours
",
    );
    assert_eq!(sandbox.text(".gitattributes"), "*.enc merge=ours\n");
    sandbox.shell("git config diff.envsec.textconv").prints("mine\n");
}

#[test]
fn init_takes_a_driver_that_is_configured_for_the_user() {
    let sandbox = author();
    sandbox
        .shell("git init -q . && git config --global diff.envsec.textconv 'envsec diff --textconv' && envsec -q init --raw-key >/dev/null")
        .succeeds();
    assert_eq!(sandbox.shell("git config --local diff.envsec.textconv").output().status.code(), Some(1));
    sandbox.shell("git config --local merge.envsec.driver").prints("envsec merge %O %A %B %P\n");
}

#[test]
fn init_leaves_git_alone_when_told() {
    let sandbox = author();
    sandbox.shell("git init -q . && cp .git/config before && envsec init --no-git --raw-key >/dev/null").succeeds();
    assert_eq!(sandbox.files(), [".env.enc", ".git", "before"]);
    assert_eq!(sandbox.read(".git/config"), sandbox.read("before"));
}

#[test]
fn init_says_that_git_is_not_there() {
    let sandbox = author();
    sandbox.shell("git init -q . && mkdir bin && cp \"$(command -v envsec)\" bin/").succeeds();
    let run = sandbox.command(ENVSEC, ["init", "--raw-key"]).variable("PATH", sandbox.join("bin"));
    let output = run.output();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "\
.gitignore: added rules for env files; git did not answer, so they are not checked
git did not answer, so its diff and merge drivers are not set up: envsec doctor --fix does it later
"
    );
}

#[test]
fn a_configuration_that_cannot_be_written_stops_init_before_it_writes_anything() {
    let sandbox = author();
    // git's own lock of its configuration: another git is at it, or died.
    sandbox.shell("git init -q . && touch .git/config.lock").succeeds();
    sandbox.shell("envsec init --raw-key").fails(
        1,
        "\
error: git: could not lock config file .git/config: File exists
hint: envsec init --no-git leaves git's files alone
",
    );
    assert_eq!(sandbox.files(), [".git"]);
}

#[test]
fn init_works_in_a_worktree_and_in_a_submodule() {
    let sandbox = author();
    sandbox
        .shell(
            "git init -q -b main one && cd one && git commit -q --allow-empty -m 1 && git worktree add -q ../two && cd .. \
             && git init -q -b main big && cd big && git -c protocol.file.allow=always submodule --quiet add ../one sub",
        )
        .succeeds();
    for folder in ["two", "big/sub"] {
        let run = sandbox.shell("envsec init --raw-key >/dev/null").folder(sandbox.join(folder));
        run.says(SET_UP);
        let run = sandbox.shell("git check-attr diff -- .env.enc && git config diff.envsec.textconv");
        run.folder(sandbox.join(folder)).prints(".env.enc: diff: envsec\nenvsec diff --textconv\n");
    }
    // The worktree's configuration is that of the repository; that of the submodule is its own.
    sandbox
        .shell("git -C one config diff.envsec.textconv && ! git -C big config diff.envsec.textconv")
        .prints("envsec diff --textconv\n");
}

#[test]
fn init_asks_about_its_folder_whatever_the_environment_says_of_another() {
    let sandbox = author();
    sandbox.shell("git init -q other && git init -q .").succeeds();
    sandbox.shell("GIT_DIR=$PWD/other/.git envsec -q init --raw-key >/dev/null").succeeds();
    sandbox.shell("git config diff.envsec.textconv; git -C other config diff.envsec.textconv").answers(
        1,
        "envsec diff --textconv\n",
        "",
    );
}

#[test]
fn a_sealed_file_has_the_same_bytes_in_every_clone() {
    let sandbox = committed(&[("A", "one")]);
    let sealed = sandbox.read(".env.enc");
    sandbox.shell("git -c core.autocrlf=true clone -q . clone 2>&1").succeeds();
    assert_eq!(sandbox.read("clone/.env.enc"), sealed);
    // An editor that writes CRLF throughout is no change, and commits none.
    sandbox.shell("cd clone && git config core.autocrlf true && sed -i 's/$/\\r/' .env.enc && git add . 2>/dev/null && git diff --cached --quiet").succeeds();
    sandbox.shell("cd clone && envsec get A").prints("one");
}
