//! The pre-commit hook: what it refuses, where it is installed, and who else may run it.

use crate::harness::{Run, Sandbox, node_tools, reference_tools};
use crate::repository::{author, committed, repository};

const INSTALLED: &str = ".git/hooks/pre-commit: git commit now refuses plaintext env files\n";
const REFUSED: &str = "nothing was committed; if it is meant: git commit --no-verify\n";

fn plaintext(file: &str) -> String {
    format!(
        "error: {file}: a plaintext env file\n\
         hint: git rm --cached {file} leaves it out and keeps it; envsec import {file} brings its values into a sealed file\n"
    )
}

/// A repository with a first commit and the hook.
fn guarded() -> Sandbox {
    let sandbox = committed(&[("A", "one")]);
    sandbox.shell("envsec -q hook install").succeeds();
    sandbox
}

fn commit<'s>(sandbox: &'s Sandbox, arguments: &str) -> Run<'s> {
    sandbox.shell(&format!("git commit -qm next {arguments}"))
}

#[test]
fn a_forced_plaintext_file_is_refused_by_name_with_the_way_out() {
    let sandbox = guarded();
    sandbox.shell("echo SECRET=geheim > .env && git add -f .env").succeeds();
    commit(&sandbox, "").fails(1, &(plaintext(".env") + REFUSED));
    sandbox.shell("git rm -q --cached .env && envsec import -q .env && git add .env.enc").succeeds();
    commit(&sandbox, "").succeeds();
    sandbox.shell("git ls-files").prints(".env.enc\n.gitattributes\n.gitignore\n");
    // Who means it can.
    sandbox.shell("git add -f .env").succeeds();
    commit(&sandbox, "--no-verify").succeeds();
}

#[test]
fn every_way_to_commit_is_guarded() {
    let sandbox = guarded();
    let bad = plaintext("sub/.env.local") + REFUSED;
    sandbox
        .shell("mkdir sub && echo A=1 > sub/.env.local && git add -f sub/.env.local && echo 1 > other && git add other")
        .succeeds();
    for arguments in ["", "-a", "--amend", "-- sub/.env.local", "-i sub/.env.local"] {
        commit(&sandbox, arguments).fails(1, &bad);
    }
    commit(&sandbox, "").folder(sandbox.join("sub")).fails(1, &bad);
    // A partial commit that leaves it out may pass: the index that git shows then does not have it.
    commit(&sandbox, "-- other").succeeds();
    // What is committed already and not changed is none of this commit's matter; its removal is welcome.
    commit(&sandbox, "--no-verify").succeeds();
    sandbox.shell("echo 2 > other && git add other").succeeds();
    commit(&sandbox, "").succeeds();
    sandbox.shell("echo B=2 >> sub/.env.local && git add sub/.env.local").succeeds();
    commit(&sandbox, "").fails(1, &bad);
    sandbox.shell("git rm -q --cached sub/.env.local").succeeds();
    commit(&sandbox, "").succeeds();
}

#[test]
fn the_first_commit_is_guarded_and_so_is_one_that_ends_a_merge() {
    let sandbox = repository();
    sandbox.shell("envsec -q hook install && echo A=1 > .env && git add -f . .env").succeeds();
    commit(&sandbox, "").fails(1, &(plaintext(".env") + REFUSED));
    sandbox.shell("git rm -q --cached .env && git commit -qm 1").succeeds();
    let branches = "git checkout -qb side && echo a > f && git add -f f .env && git commit -qnm side && git checkout -q main \
                    && echo b > f && git add f && git commit -qm main; git merge -q side >/dev/null 2>&1; echo c > f; git add f";
    sandbox.shell(branches).succeeds();
    commit(&sandbox, "").fails(1, &(plaintext(".env") + REFUSED));
}

#[test]
fn a_renamed_plaintext_file_is_a_new_one() {
    let sandbox = guarded();
    sandbox.shell("seq 100 > notes && git add notes && git commit -qm notes && git mv notes .env.local").succeeds();
    commit(&sandbox, "").fails(1, &(plaintext(".env.local") + REFUSED));
}

#[test]
fn names_of_all_kinds_are_shown_on_one_line() {
    let sandbox = guarded();
    sandbox.shell(r#"mkdir "it's" && touch $'it\'s/.env.a\nb' $'.env.\xff"' && git add -f ."#).succeeds();
    let output = commit(&sandbox, "").output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said.lines().count(), 5, "{said}");
    assert!(said.contains("error: it's/.env.a\\u{a}b: a plaintext env file\n"), "{said}");
    assert!(said.contains("hint: git rm --cached 'it'\\''s/.env.a\\u{a}b' leaves"), "{said}");
    assert!(said.contains("error: .env.\u{fffd}\": a plaintext env file\n"), "{said}");
}

#[test]
fn examples_links_and_sealed_copies_pass() {
    let sandbox = guarded();
    let script = "for f in .env.example .env.sample .env.template .env.local.example .envrc .environment env; do echo A=1 > $f; done
        cp .env.enc .env.enc.bak; cp .env.enc .env.copy.enc; ln -s /nowhere .env; mkdir .env.d; echo A=1 > .env.d/x; git add -f .";
    sandbox.shell(script).succeeds();
    commit(&sandbox, "").succeeds();
    sandbox.shell("git ls-files | wc -l").prints("14\n");
}

#[test]
fn a_sealed_file_that_is_none_is_refused() {
    let sandbox = guarded();
    let sealed = sandbox.text(".env.enc");
    sandbox.write(".env.prod.enc", "SECRET=geheim\n");
    sandbox.write(".env.cut.enc", &sealed[..40]);
    sandbox.write(".env.enc", sealed.replacen("A=enc:", "A=enc:!", 1) + "");
    sandbox.write(".env.two.enc", format!("{sealed}<<<<<<< main\nX=1\n=======\n>>>>>>> side\n"));
    sandbox.shell("git add .").succeeds();
    commit(&sandbox, "").fails(
        1,
        &("\
error: .env.cut.enc: line 1: the first line is not a well-formed #envsec:1 line
hint: edited by hand? git diff --no-textconv FILE shows what was changed, git checkout FILE brings the last version back
error: .env.enc: line 5: A: a malformed encrypted value
hint: edited by hand? git diff --no-textconv FILE shows what was changed, git checkout FILE brings the last version back
error: .env.prod.enc: a plaintext file under the name of a sealed one
hint: git rm --cached .env.prod.enc leaves it out; a sealed file is made by: envsec init --from FILE
error: .env.two.enc: line 6: a git conflict marker: the file has an unresolved merge conflict
hint: keep one of the two lines of each name, remove the markers, then: envsec seal; git checkout -m FILE starts again
"
        .to_owned()
            + REFUSED),
    );
}

#[test]
fn a_plain_value_that_is_declared_as_secret_is_refused() {
    let sandbox = guarded();
    let schema =
        r#"{"properties": {"KEY": {"type": "string", "writeOnly": true}, "PASS": {"format": "password"}, "PORT": {}}}"#;
    sandbox.write("env.schema.json", schema);
    sandbox.shell("envsec set -q --plain KEY=geheim PASS=geheim PORT=1 2>/dev/null; git add .env.enc").succeeds();
    // Without a declaration in the index nobody knows better.
    commit(&sandbox, "").succeeds();
    sandbox.shell("git add env.schema.json && envsec set -q --plain PORT=2 && git add .env.enc").succeeds();
    commit(&sandbox, "").fails(
        1,
        &("error: .env.enc: stored unencrypted, but declared as secret: KEY, PASS\n\
           hint: envsec set -f .env.enc --secret KEY, then git add .env.enc\n"
            .to_owned()
            + REFUSED),
    );
    sandbox
        .shell("echo x | envsec set --secret KEY && echo x | envsec set --secret PASS && git add .env.enc")
        .succeeds();
    commit(&sandbox, "").succeeds();
}

#[test]
fn the_declaration_is_that_of_the_index_beside_or_above() {
    let sandbox = guarded();
    sandbox.write("env.schema.json", r#"{"properties": {"KEY": {"writeOnly": true}}}"#);
    let script = "git add env.schema.json && git commit -qm schema && rm env.schema.json && mkdir -p app/in && cp .env.enc app/in/ && cd app/in && envsec set -q -f .env.enc --plain KEY=geheim && git add .env.enc";
    sandbox.shell(script).succeeds();
    let refused = "error: app/in/.env.enc: stored unencrypted, but declared as secret: KEY\n\
                   hint: envsec set -f app/in/.env.enc --secret KEY, then git add app/in/.env.enc\n";
    commit(&sandbox, "").fails(1, &(refused.to_owned() + REFUSED));
    sandbox.shell("echo '{}' > app/env.schema.json && git add app/env.schema.json").succeeds();
    commit(&sandbox, "").succeeds();
    sandbox.shell("echo broken > app/env.schema.json && git add app && envsec set -q -f app/in/.env.enc --plain KEY=x && git add app").succeeds();
    let said = String::from_utf8(commit(&sandbox, "").output().stderr).unwrap();
    assert!(
        said.starts_with("error: app/in/.env.enc: has plain values, and its declaration cannot be read: "),
        "{said}"
    );
}

#[test]
fn the_check_needs_a_repository_and_no_key() {
    let sandbox = guarded();
    sandbox.shell("echo A=1 > .env && git add -f .env").succeeds();
    sandbox.envsec(["hook", "pre-commit"]).without("ENVSEC_KEY").fails(8, &(plaintext(".env") + REFUSED));
    sandbox.shell("git rm -q --cached .env").succeeds();
    sandbox.envsec(["hook", "pre-commit"]).without("ENVSEC_KEY").succeeds();
    Sandbox::new().envsec(["hook", "pre-commit"]).fails(1, "error: git diff failed here: is this a git repository?\n");
}

#[test]
fn a_large_index_is_looked_through_at_once() {
    let sandbox = guarded();
    sandbox
        .shell("mkdir many && (cd many && seq 10000 | xargs touch) && echo A=1 > many/.env && git add -f many")
        .succeeds();
    commit(&sandbox, "").fails(1, &(plaintext("many/.env") + REFUSED));
}

#[test]
fn the_users_settings_of_git_do_not_hide_anything() {
    let sandbox = guarded();
    sandbox.shell("git config diff.relative true && git config core.quotePath true && git config diff.external false && git config color.ui always && git config diff.noprefix true && git config diff.ignoreSubmodules none").succeeds();
    sandbox.shell("mkdir -p ü && echo A=1 > ü/.env && git add -f ü").succeeds();
    let refused =
        plaintext("ü/.env").replace("--cached ü/.env", "--cached 'ü/.env'").replace("import ü/.env", "import 'ü/.env'");
    sandbox.envsec(["hook", "pre-commit"]).folder(sandbox.join("ü")).fails(8, &(refused + REFUSED));
}

#[test]
fn install_writes_a_hook_once_and_leaves_others_alone() {
    let sandbox = author();
    assert_eq!(
        sandbox.envsec(["hook", "install"]).refuses(1),
        "error: git: not a git repository (or any of the parent directories): .git"
    );
    sandbox.shell("git init -q . && rm -r .git/hooks").succeeds();
    sandbox.envsec(["hook", "install"]).says(INSTALLED);
    sandbox.shell("test -x .git/hooks/pre-commit && sh -n .git/hooks/pre-commit").succeeds();
    sandbox.envsec(["hook", "install"]).succeeds();
    sandbox.shell("chmod -x .git/hooks/pre-commit").succeeds();
    assert!(
        sandbox
            .envsec(["hook", "install"])
            .refuses(1)
            .ends_with("/pre-commit: is not executable, so git does not run it")
    );
    sandbox.write(".git/hooks/pre-commit", "#!/bin/sh\nmake lint\n#envsec hook pre-commit\n");
    let output = sandbox.envsec(["hook", "install"]).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("/pre-commit: there is another hook, which is left as it is\nhint: add this line to it, or tell its manager (--print pre-commit|husky|lefthook): envsec hook pre-commit\n"), "{said}");
    assert_eq!(sandbox.text(".git/hooks/pre-commit"), "#!/bin/sh\nmake lint\n#envsec hook pre-commit\n");
}

#[test]
fn install_follows_hooks_path_and_worktrees() {
    let sandbox = author();
    sandbox.shell("git init -q -b main one && cd one && git config core.hooksPath .hooks && git commit -q --allow-empty -m 1 && git worktree add -q ../two && git config extensions.worktreeConfig true").succeeds();
    for folder in ["one", "two"] {
        let output = sandbox.envsec(["hook", "install"]).folder(sandbox.join(folder)).output();
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
        sandbox.shell("test -x .hooks/pre-commit").folder(sandbox.join(folder)).succeeds();
    }
    sandbox.shell("cd one && git config --unset core.hooksPath && git worktree add -q ../three && cd ../three && envsec -q hook install && test -x ../one/.git/hooks/pre-commit").succeeds();
    // A hook for all repositories is nobody's to write.
    sandbox.shell("mkdir all && git config --global core.hooksPath $PWD/all && cd one && envsec hook install; test $? = 1 && ls ../all").answers(
        0,
        "",
        &format!(
            "error: {0}/all/pre-commit: core.hooksPath leads out of this repository: a hook there is every repository's\n\
             hint: if that is meant, write it yourself: envsec hook pre-commit\n",
            sandbox.path().display()
        ),
    );
}

#[test]
fn the_hook_says_when_envsec_is_not_there() {
    let sandbox = guarded();
    sandbox.shell("mkdir bin && ln -s $(command -v git) $(command -v sh) bin/ && echo 1 > f && git add f").succeeds();
    let run = sandbox.command("bin/git", ["commit", "-qm", "x"]).variable("PATH", sandbox.join("bin"));
    run.fails(1, "error: envsec is not in PATH, so the commit cannot be checked\n");
}

/// What `--print` prints goes into a file, and the manager runs it: once it refuses, once it does not.
fn is_guarded_by(sandbox: &Sandbox, path: &str) {
    let commit = || {
        let run = sandbox.shell(&format!("PATH=$PATH:{path} git commit -m x 2>&1"));
        let output = run.output();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    sandbox.shell("echo A=1 > .env && git add -f .env").succeeds();
    let (committed, said) = commit();
    assert!(!committed && said.contains("error: .env: a plaintext env file"), "{said}");
    sandbox.shell("git rm -q --cached .env && echo 1 > f && git add f").succeeds();
    let (committed, said) = commit();
    assert!(committed, "{said}");
    // Somebody else's hook that calls envsec is as good as its own.
    sandbox.shell(&format!("PATH=$PATH:{path} envsec hook install")).succeeds();
}

#[test]
fn pre_commit_runs_the_documented_lines() {
    let sandbox = committed(&[("A", "one")]);
    let bin = reference_tools().parent().unwrap().display().to_string();
    sandbox
        .shell("envsec hook install --print pre-commit > .pre-commit-config.yaml && git add .pre-commit-config.yaml")
        .succeeds();
    let output = sandbox.shell(&format!("PATH=$PATH:{bin} pre-commit install")).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    is_guarded_by(&sandbox, &bin);
}

#[test]
fn husky_runs_the_documented_lines() {
    let sandbox = committed(&[("A", "one")]);
    let bin = node_tools("husky").join(".bin").display().to_string();
    let output = sandbox
        .shell(&format!("PATH=$PATH:{bin} husky && envsec hook install --print husky > .husky/pre-commit"))
        .output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    is_guarded_by(&sandbox, &bin);
}

#[test]
fn lefthook_runs_the_documented_lines() {
    let sandbox = committed(&[("A", "one")]);
    let bin = node_tools("lefthook").join(".bin").display().to_string();
    sandbox.shell("envsec hook install --print lefthook > lefthook.yml && git add lefthook.yml").succeeds();
    let output = sandbox.shell(&format!("PATH=$PATH:{bin} lefthook install")).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    is_guarded_by(&sandbox, &bin);
}
