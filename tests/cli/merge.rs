//! `envsec merge` as git's merge driver, in real repositories: merges, rebases, cherry-picks and stashes.

use crate::harness::{ENVSEC, PASSWORD, Run, Sandbox};
use crate::keys::cheaply;

const FILE: &str = ".env.enc";

/// What envsec says when it leaves a file to git.
const LEFT: &str = ".env.enc: not merged by envsec; the two versions stand in it between git's markers\n";

const RESOLVE: &str = "hint: keep one of the two lines, remove the markers, then: envsec seal -f .env.enc";

/// A repository with a committed sealed file, on the branch `main`.
pub(crate) struct Repository {
    pub(crate) sandbox: Sandbox,
}

impl Repository {
    /// With these secrets and the driver.
    pub(crate) fn with(entries: &[(&str, &str)]) -> Self {
        let repository = Repository::without_driver(entries);
        repository.set_driver();
        repository
    }

    pub(crate) fn without_driver(entries: &[(&str, &str)]) -> Self {
        let mut sandbox = Sandbox::with(entries);
        for (name, value) in [("GIT_AUTHOR_NAME", "A"), ("GIT_COMMITTER_NAME", "A"), ("GIT_EDITOR", "true")] {
            sandbox.set_variable(name, value);
        }
        for name in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
            sandbox.set_variable(name, "a@example.org");
        }
        let repository = Repository { sandbox };
        repository.git("init --quiet --initial-branch=main");
        repository.sandbox.write(".gitattributes", "/.gitattributes text eol=lf\n*.enc merge=envsec\n");
        repository.commit("base");
        repository
    }

    pub(crate) fn set_driver(&self) {
        self.git(&format!("config merge.envsec.driver '{ENVSEC} merge %O %A %B %P'"));
    }

    /// A command of git's that succeeds, whatever it prints.
    #[track_caller]
    pub(crate) fn git(&self, line: &str) -> String {
        let (status, shown) = self.try_git(line);
        assert_eq!(status, 0, "git {line}: {shown}");
        shown
    }

    /// Its status, and what it prints on both streams.
    pub(crate) fn try_git(&self, line: &str) -> (i32, String) {
        let output = self.sandbox.shell(&format!("git {line} 2>&1")).output();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git("add --all");
        self.git(&format!("commit --quiet --allow-empty -m '{message}'"));
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.sandbox.envsec(["set", name]).stdin(value).succeeds();
    }

    /// A branch from `main` on which something was done, committed; `main` is checked out again.
    pub(crate) fn branch(&self, name: &str, work: impl FnOnce(&Self)) {
        self.git(&format!("checkout --quiet -b {name} main"));
        work(self);
        self.commit(name);
        self.git("checkout --quiet main");
    }

    /// What was done on `main`, committed.
    pub(crate) fn on_main(&self, work: impl FnOnce(&Self)) {
        work(self);
        self.commit("main");
    }

    pub(crate) fn text(&self) -> String {
        self.sandbox.text(FILE)
    }

    pub(crate) fn rev(&self) -> u64 {
        rev(&self.text())
    }

    pub(crate) fn shown(&self, revision: &str) -> String {
        self.git(&format!("show {revision}:./{FILE}"))
    }

    #[track_caller]
    pub(crate) fn has(&self, entries: &[(&str, &str)]) {
        let all: String = entries.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        self.sandbox.envsec(["export", "--format", "dotenv"]).prints(all);
    }

    /// The line of a name.
    #[track_caller]
    pub(crate) fn line(&self, name: &str) -> String {
        line(&self.text(), name)
    }

    /// Takes one side of every conflict in the text.
    pub(crate) fn resolve(&self, ours: bool) {
        let mut side = None;
        let text = self.text();
        let kept = text.split_inclusive('\n').filter(|line| match line.split([' ', '\r', '\n']).next() {
            Some("<<<<<<<") => side.replace(true).is_some_and(|_| false),
            Some("=======") => side.replace(false).is_some_and(|_| false),
            Some(">>>>>>>") => side.take().is_some_and(|_| false),
            _ => side.is_none_or(|of_ours| of_ours == ours),
        });
        self.sandbox.write(FILE, kept.collect::<String>());
    }

    pub(crate) fn envsec<'s>(&'s self, line: &str) -> Run<'s> {
        self.sandbox.envsec(line.split(' '))
    }
}

pub(crate) fn rev(text: &str) -> u64 {
    let seal = text.lines().find_map(|line| line.strip_prefix("#envsec:seal rev=")).unwrap();
    seal.split(' ').next().unwrap().parse().unwrap()
}

#[track_caller]
pub(crate) fn line(text: &str, name: &str) -> String {
    let start = format!("{name}=");
    text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {name}")).to_owned()
}

/// Each branch adds a name and changes another one.
fn two_branches(repository: &Repository) {
    repository.branch("side", |on| {
        on.set("A", "side");
        on.set("N", "new on side");
    });
    repository.on_main(|on| {
        on.set("Z", "main");
        on.set("O", "new on main");
    });
}

const BASE: [(&str, &str); 3] = [("A", "1"), ("M", "2"), ("Z", "3")];

const BOTH: [(&str, &str); 5] =
    [("A", "side"), ("M", "2"), ("N", "'new on side'"), ("O", "'new on main'"), ("Z", "main")];

#[test]
fn branches_that_add_and_change_different_names_merge() {
    let repository = Repository::with(&BASE);
    two_branches(&repository);
    let (ours, theirs) = (repository.text(), repository.shown("side"));
    repository.git("merge --quiet side -m merged");
    repository.has(&BOTH);
    for (name, from) in [("A", &theirs), ("N", &theirs), ("M", &ours), ("O", &ours), ("Z", &ours)] {
        assert_eq!(repository.line(name), line(from, name), "the token of {name}");
    }
    assert!(repository.rev() > rev(&ours).max(rev(&theirs)));
    assert_eq!(repository.sandbox.files(), [FILE, ".git", ".gitattributes"]);
}

#[test]
fn without_the_driver_the_text_conflicts_and_seal_mends_it() {
    let repository = Repository::without_driver(&[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4"), ("E", "5")]);
    repository.branch("side", |on| on.set("D", "side"));
    repository.on_main(|on| on.set("E", "main"));
    let (status, _) = repository.try_git("merge side");
    assert_eq!(status, 1);
    repository.envsec("get A").fails(
        5,
        "error: .env.enc:4: a git conflict marker: the file has an unresolved merge conflict\n\
         hint: keep one of the two lines of each name, remove the markers, then: envsec seal; git checkout -m FILE starts again\n",
    );
    // As a person resolves it: their line of D, our line of E.
    let (ours, theirs) = (repository.shown("main"), repository.shown("side"));
    let resolved = ours.replace(&line(&ours, "D"), &line(&theirs, "D"));
    repository.sandbox.write(FILE, &resolved);
    repository.envsec("get A").fails(
        5,
        "error: .env.enc: the seal does not match: the file was changed by somebody without a key\n\
         hint: do not use its values; envsec seal names what was changed and asks, git checkout REV -- FILE brings a good version back\n",
    );
    let shown = ".env.enc against ours and theirs:\n  D: from the other side\n";
    repository.envsec("seal --accept").says(shown);
    repository.has(&[("A", "1"), ("B", "2"), ("C", "3"), ("D", "side"), ("E", "main")]);
    assert!(repository.rev() > rev(&ours).max(rev(&theirs)));
}

#[test]
fn the_same_name_changed_on_both_sides_is_a_conflict_of_that_name() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| {
        on.set("A", "side");
        on.set("M", "side");
        on.set("N", "side");
    });
    repository.on_main(|on| {
        on.set("A", "main");
        on.set("O", "main");
    });
    let (ours, theirs) = (repository.text(), repository.shown("side"));
    let (status, shown) = repository.try_git("merge side");
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains(&format!("error: .env.enc: A: changed differently on both sides\n{RESOLVE}\n")), "{shown}");
    let text = repository.text();
    let block = format!("\n<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\nM=", line(&ours, "A"), line(&theirs, "A"));
    assert!(text.contains(&block) && text.matches("<<<<<<<").count() == 1, "{text}");
    assert_eq!(line(&text, "M"), line(&theirs, "M"));
    assert_eq!(line(&text, "N"), line(&theirs, "N"));
    for verb in ["get M", "set M x", "list", "seal --accept", "run true"] {
        let output = repository.envsec(verb).output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(".env.enc:6: a git conflict marker"), "{verb}: {stderr}");
        assert!(repository.text() == text, "{verb} wrote");
    }
    repository.resolve(true);
    repository.envsec("seal").fails(
        2,
        ".env.enc against ours and theirs:\n  M: from the other side\n  N: from the other side\n\
         \x20 A: not as the other side changed it\n\
         error: there is no terminal to ask at whether these changes are right; nothing was written\n\
         hint: --accept takes them\n",
    );
    repository.sandbox.write(FILE, &text);
    repository.resolve(false);
    repository.envsec("seal").fails(
        2,
        ".env.enc against ours and theirs:\n  A: from the other side\n  M: from the other side\n  N: from the other side\n\
         error: there is no terminal to ask at whether these changes are right; nothing was written\n\
         hint: --accept takes them\n",
    );
    repository.envsec("seal --accept -q").succeeds();
    repository.has(&[("A", "side"), ("M", "side"), ("N", "side"), ("O", "main"), ("Z", "3")]);
    repository.commit("merged");
    repository.envsec("seal").says(".env.enc: its seal is right; nothing to do\n");
}

#[test]
fn the_driver_itself_exits_with_6() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| on.set("A", "side"));
    let base = repository.text();
    repository.set("A", "main");
    let sandbox = &repository.sandbox;
    for (name, text) in [("O", &base), ("A", &repository.text()), ("B", &repository.shown("side"))] {
        sandbox.write(name, text);
    }
    sandbox.envsec(["merge", "O", "A", "B", "x/.env.enc"]).fails(
        6,
        "error: x/.env.enc: A: changed differently on both sides\n\
         hint: keep one of the two lines, remove the markers, then: envsec seal -f x/.env.enc\n",
    );
    let missing = sandbox.envsec(["merge", "O", "A", "gone"]).refuses(2);
    assert_eq!(missing, "error: gone: no such file");
}

/// What merges and what does not, entry by entry.
#[test]
fn every_pair_of_changes_has_its_answer() {
    type Work<'w> = &'w dyn Fn(&Repository);
    type Case<'w> = (&'w str, Work<'w>, Work<'w>, Result<Option<&'w str>, ()>);
    let set = |value: &'static str| move |on: &Repository| on.set("M", value);
    let (one, two, same) = (set("one"), set("two"), set("2"));
    let unset = |on: &Repository| on.envsec("unset M").succeeds();
    let plain = |on: &Repository| on.envsec("set --plain M=2").succeeds();
    let plain_too = |on: &Repository| on.envsec("set --plain M=3").succeeds();
    let nothing = |_: &Repository| {};
    let cases: [Case<'_>; 9] = [
        ("one side", &one, &nothing, Ok(Some("one"))),
        ("the same", &one, &one, Ok(Some("one"))),
        ("differently", &one, &two, Err(())),
        ("removed", &unset, &nothing, Ok(None)),
        ("both removed", &unset, &unset, Ok(None)),
        ("removed and changed", &unset, &one, Err(())),
        ("made plain", &plain, &nothing, Ok(Some("2"))),
        ("made plain and changed", &plain, &one, Err(())),
        ("two plain values", &plain, &plain_too, Err(())),
    ];
    let repository = Repository::with(&BASE);
    same(&repository);
    for (case, left, right, expected) in cases {
        for (ours, theirs) in [(left, right), (right, left)] {
            repository.branch("side", |on| {
                theirs(on);
                on.set("Z", "side");
            });
            repository.git("checkout --quiet -b ours main");
            ours(&repository);
            repository.set("A", "ours");
            repository.commit("ours");
            let (status, shown) = repository.try_git("merge side -m merged");
            assert_eq!(status == 0, expected.is_ok(), "{case}: {shown}");
            match expected {
                Ok(Some(value)) => repository.has(&[("A", "ours"), ("M", value), ("Z", "side")]),
                Ok(None) => repository.has(&[("A", "ours"), ("Z", "side")]),
                Err(()) => {
                    assert!(shown.contains("error: .env.enc: M: changed differently on both sides"), "{case}: {shown}");
                    repository.resolve(true);
                    repository.envsec("seal --accept -q").succeeds();
                    assert_eq!(repository.envsec("get Z").output().stdout, b"side", "{case}");
                    repository.git("merge --abort");
                }
            }
            repository.git("checkout --quiet main");
            repository.git("branch --quiet -D side ours");
        }
    }
}

#[test]
fn a_replayed_older_file_is_refused() {
    let repository = Repository::with(&BASE);
    let old = repository.text();
    repository.on_main(|on| on.set("A", "2"));
    repository.branch("side", |on| on.sandbox.write(FILE, &old));
    repository.on_main(|on| on.set("Z", "main"));
    let (status, shown) = repository.try_git("merge side");
    assert_eq!(status, 1, "{shown}");
    let expected = format!(
        "{LEFT}error: .env.enc: theirs is revision 4, older than the revision 5 that it should come from\n\
         hint: an old revision was put in its place, as git revert does: git log -p FILE shows it; git checkout --ours FILE keeps yours\n"
    );
    assert!(shown.contains(&expected), "{shown}");
    // Nothing that opens lies there, and nothing that seal would take.
    assert!(repository.envsec("get A").refuses(5).contains("a git conflict marker"));
    repository.resolve(false);
    assert!(repository.envsec("seal --accept").refuses(5).contains("theirs is revision 4, older"));
    repository.git("checkout --ours .env.enc");
    repository.has(&[("A", "2"), ("M", "2"), ("Z", "main")]);
    assert_eq!(repository.try_git("commit -m no").0, 128);
}

#[test]
fn a_side_that_was_changed_without_a_key_is_refused() {
    let repository = Repository::with(&BASE);
    let planted = "#envsec:slot id=evil type=raw salt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA wrap=\
                   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let before = repository.text();
    let forged = [
        ("an entry", format!("{before}FORGED=1\n")),
        ("a slot", before.replacen("#envsec:seal", &format!("{planted}#envsec:seal"), 1)),
        ("a value", before.replace(&line(&before, "A"), "A=1")),
    ];
    repository.on_main(|on| on.set("Z", "main"));
    for (what, text) in forged {
        repository.git("checkout --quiet -b side main~1");
        repository.sandbox.write(FILE, text);
        repository.commit("side");
        repository.git("checkout --quiet main");
        let (status, shown) = repository.try_git("merge side");
        assert_eq!(status, 1, "{what}: {shown}");
        let expected = format!(
            "{LEFT}error: .env.enc (theirs): the seal does not match: the file was changed by somebody without a key\n"
        );
        assert!(shown.contains(&expected), "{what}: {shown}");
        assert!(repository.envsec("get A").refuses(5).contains("a git conflict marker"), "{what}");
        assert!(!repository.text().starts_with("#envsec:1") || repository.text().contains("<<<<<<< ours"), "{what}");
        repository.git("merge --abort");
        repository.git("branch --quiet -D side");
    }
}

#[test]
fn without_a_credential_git_s_own_conflict_stays() {
    let repository = Repository::with(&BASE);
    two_branches(&repository);
    let output = repository.sandbox.command("git", ["merge", "side"]).without("ENVSEC_KEY").output();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        shown.starts_with(&format!("{LEFT}error: there is no terminal to ask for it: Password for .env.enc\n")),
        "{shown}"
    );
    assert!(repository.text().contains("<<<<<<< ours\n"));
    assert!(repository.envsec("get A").without("ENVSEC_KEY").refuses(5).contains("a git conflict marker"));
    // Once there is one, git makes the merge again.
    repository.git("checkout -m .env.enc");
    repository.has(&BOTH);
}

#[test]
fn a_clone_without_the_driver_conflicts_as_text() {
    let repository = Repository::with(&BASE);
    two_branches(&repository);
    let sandbox = &repository.sandbox;
    sandbox
        .shell(
            "git clone --quiet . clone && cd clone && git merge origin/side; [ $? = 1 ] && grep -q '<<<<<<<' .env.enc",
        )
        .output();
    let clone = sandbox.join("clone");
    let seal = sandbox.envsec(["seal", "--accept"]).folder(&clone).refuses(5);
    assert!(seal.starts_with("error: .env.enc:") && seal.contains("a git conflict marker"), "{seal}");
    // The driver comes later: the merge is made again.
    sandbox
        .command("git", ["config", "merge.envsec.driver", &format!("{ENVSEC} merge %O %A %B %P")])
        .folder(&clone)
        .succeeds();
    sandbox
        .shell("cd clone && git checkout -m .env.enc && envsec get A && git add -A && git commit -qm merged")
        .output();
    sandbox.envsec(["get", "A"]).folder(&clone).prints("side");
}

#[test]
fn rebase_cherry_pick_and_stash_go_through_the_driver() {
    let repository = Repository::with(&BASE);
    two_branches(&repository);
    repository.git("checkout --quiet -b rebased side");
    repository.git("rebase --quiet main");
    repository.has(&BOTH);
    repository.git("checkout --quiet -b picked main");
    repository.git("cherry-pick side");
    repository.has(&BOTH);
    repository.git("checkout --quiet -b stashed main~1");
    repository.set("A", "stashed");
    repository.git("stash push --quiet");
    repository.git("checkout --quiet main");
    repository.git("stash pop");
    repository.envsec("get A").prints("stashed");
    repository.envsec("get O").prints("new on main");
}

/// git merges the two bases of such a history first, with the driver as well.
#[test]
fn branches_that_merged_each_other_merge_again() {
    let repository = Repository::with(&BASE);
    two_branches(&repository);
    repository.git("tag main-1 main");
    repository.git("merge side -m one");
    repository.set("M", "main again");
    repository.commit("main again");
    repository.git("checkout --quiet side");
    repository.git("merge main-1 -m two");
    repository.set("P", "side again");
    repository.commit("side again");
    repository.git("checkout --quiet main");
    assert_eq!(repository.git("merge-base --all main side").lines().count(), 2);
    repository.git("merge side -m three");
    assert_eq!(repository.envsec("get M").output().stdout, b"main again");
    assert_eq!(repository.envsec("get P").output().stdout, b"side again");
    repository.envsec("get A").prints("side");
}

/// A revert brings old values back on purpose, but no driver can tell that from somebody who does it to us.
#[test]
fn a_revert_is_refused_like_any_other_replay() {
    let repository = Repository::with(&BASE);
    repository.on_main(|on| on.set("A", "later"));
    repository.on_main(|on| on.set("Z", "latest"));
    let (status, shown) = repository.try_git("revert --no-edit HEAD~1");
    assert!(status == 1 && shown.contains("theirs is revision 4, older than the revision 5"), "{shown}");
    repository.git("checkout --ours .env.enc");
    repository.set("A", "1");
    repository.git("add .env.enc");
    repository.git("revert --continue");
    repository.has(&[("A", "1"), ("M", "2"), ("Z", "latest")]);
}

/// The base of a cherry-pick is on the other branch, and newer than what is checked out.
#[test]
fn a_commit_of_a_longer_branch_is_picked() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| {
        for value in ["1", "2", "3", "4", "5"] {
            on.set("M", value);
        }
        on.commit("much");
        on.set("A", "picked");
    });
    repository.on_main(|on| on.set("Z", "main"));
    repository.git("cherry-pick side");
    repository.has(&[("A", "picked"), ("M", "2"), ("Z", "main")]);
    // A conflict of such a one is mended all the same.
    repository.git("reset --quiet --hard HEAD~1");
    repository.on_main(|on| on.set("A", "main"));
    assert_eq!(repository.try_git("cherry-pick side").0, 1);
    repository.resolve(false);
    repository.envsec("seal --accept").says(".env.enc against ours and theirs:\n  A: from the other side\n");
    repository.has(&[("A", "picked"), ("M", "2"), ("Z", "main")]);
}

/// Who merges into a branch whose file was replayed must not give the old values a new seal.
#[test]
fn a_replayed_file_on_our_side_is_refused_too() {
    let repository = Repository::with(&BASE);
    let old = repository.text();
    repository.on_main(|on| {
        on.set("A", "2");
        on.set("A", "3");
    });
    repository.branch("side", |on| on.set("Z", "side"));
    repository.on_main(|on| on.sandbox.write(FILE, &old));
    let (status, shown) = repository.try_git("merge side");
    assert!(status == 1 && shown.contains("error: .env.enc: ours is revision 4, older than the revision 6"), "{shown}");
    assert!(repository.envsec("get A").refuses(5).contains("a git conflict marker"));
}

#[test]
fn conflicts_of_a_rebase_a_cherry_pick_and_a_stash_are_mended_by_seal() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| {
        on.set("A", "side");
        on.set("N", "side");
    });
    repository.on_main(|on| on.set("A", "main"));
    let mend = |what: &str, added: bool| {
        assert!(repository.text().contains("<<<<<<< ours\nA=enc:"), "{what}: {}", repository.text());
        repository.resolve(false);
        if added {
            repository.git("add .env.enc");
        }
        let shown = ".env.enc against ours and theirs:\n  A: from the other side\n  N: from the other side\n";
        repository.envsec("seal --accept").says(shown);
        repository.has(&[("A", "side"), ("M", "2"), ("N", "side"), ("Z", "3")]);
        repository.git("add .env.enc");
    };
    for added in [false, true] {
        repository.git("checkout --quiet -b rebased side");
        assert_eq!(repository.try_git("rebase main").0, 1);
        mend("rebase", added);
        repository.git("rebase --continue");
        repository.git("checkout --quiet main");
        repository.git("branch -D rebased");
        repository.git("checkout --quiet -b picked main");
        assert_eq!(repository.try_git("cherry-pick side").0, 1);
        mend("cherry-pick", added);
        repository.git("cherry-pick --continue");
        repository.git("checkout --quiet main");
        repository.git("branch -D picked");
    }
    repository.git("checkout --quiet main~1");
    repository.set("A", "side");
    repository.set("N", "side");
    repository.git("stash push --quiet");
    repository.git("checkout --quiet main");
    assert_eq!(repository.try_git("stash pop").0, 1);
    mend("stash", false);
}

#[test]
fn line_ends_of_a_working_tree_are_git_s_matter() {
    let repository = Repository::with(&BASE);
    repository.git("config core.autocrlf true");
    two_branches(&repository);
    repository.git("merge side -m merged");
    repository.has(&BOTH);
    assert!(repository.text().ends_with("\r\n") && !repository.shown("HEAD").contains('\r'));
    assert_eq!(repository.git("status --short"), "");
    repository.branch("other", |on| on.set("M", "other"));
    repository.on_main(|on| on.set("M", "main"));
    assert_eq!(repository.try_git("merge other").0, 1);
    assert!(repository.text().contains("<<<<<<< ours\r\nM=enc:"));
    repository.resolve(false);
    repository.envsec("seal --accept").says(".env.enc against ours and theirs:\n  M: from the other side\n");
    repository.envsec("get M").prints("other");
    // A file that is committed with CRLF keeps it.
    repository.git("merge --abort");
    repository.git("config core.autocrlf false");
    let text = repository.shown("main").replace('\n', "\r\n");
    repository.on_main(|on| on.sandbox.write(FILE, text));
    repository.branch("third", |on| on.set("Z", "third"));
    repository.on_main(|on| on.set("M", "again"));
    repository.git("merge third -m merged");
    repository.envsec("get Z").prints("third");
    assert!(!repository.text().replace("\r\n", "").contains('\n'));
}

#[test]
fn a_worktree_and_a_folder_below_merge_as_well() {
    let mut repository = Repository::with(&BASE);
    repository.sandbox.make("prod", Some("production"));
    repository.sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    repository.sandbox.unset_variable("ENVSEC_KEY");
    let sandbox = &repository.sandbox;
    sandbox.shell("mkdir -p 'a b' && mv prod 'a b/.env.production.enc'").succeeds();
    repository.commit("production");
    sandbox.shell("git worktree add -q -b side tree && cd 'tree/a b' && echo s | envsec set -e production S && git commit -qam side").succeeds();
    sandbox.shell("cd 'a b' && echo m | envsec set -e production M && git commit -qam main").succeeds();
    sandbox
        .shell("cd 'tree/a b' && git merge -q main -m merged >../../log && envsec export -e production --format dotenv")
        .prints("M=m\nS=s\n");
    // What somebody works on says nothing of what git merges.
    sandbox.shell("cd 'a b' && echo x | envsec set -e production X && git commit -qam x && export ENVSEC_ENV=test && git merge -q side -m again >../log && ENVSEC_ENV=production envsec export --format dotenv").prints("M=m\nS=s\nX=x\n");
    // The label that the name asks for is the real name's.
    sandbox.write("O", sandbox.read("a b/.env.production.enc"));
    sandbox.shell("cp O A && cp O B").succeeds();
    let refused = sandbox.envsec(["merge", "O", "A", "B", ".env.test.enc"]).output();
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("error: .env.test.enc (ours): its label is production, but"), "{stderr}");
    assert_eq!(refused.status.code(), Some(5));
}

/// A new data key; the password's slot goes.
fn rekey(on: &Repository) {
    on.sandbox.envsec(cheaply(&["slot", "remove", "password", "--yes", "-q"])).succeeds();
}

#[test]
fn a_new_data_key_on_one_side_takes_the_other_side_s_changes() {
    for key_on_side in [true, false] {
        let repository = Repository::with(&BASE);
        let change = |on: &Repository| {
            on.set("A", "changed");
            on.set("N", "added");
        };
        repository.branch("side", |on| if key_on_side { rekey(on) } else { change(on) });
        repository.on_main(|on| if key_on_side { change(on) } else { rekey(on) });
        let rekeyed = if key_on_side { repository.shown("side") } else { repository.text() };
        repository.git("merge side -m merged");
        repository.has(&[("A", "changed"), ("M", "2"), ("N", "added"), ("Z", "3")]);
        let text = repository.text();
        assert_eq!(text.lines().next(), rekeyed.lines().next(), "the new data key");
        assert_eq!(line(&text, "M"), line(&rekeyed, "M"));
        repository.envsec("get A").without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", PASSWORD).refuses(4);
    }
}

#[test]
fn two_new_data_keys_are_for_a_person() {
    let repository = Repository::with(&BASE);
    repository.branch("side", rekey);
    repository.on_main(rekey);
    let (status, shown) = repository.try_git("merge side");
    assert_eq!(status, 1);
    let expected = format!(
        "{LEFT}error: .env.enc: both sides gave the file a new data key\n\
         hint: take one side whole (git checkout --ours FILE, or --theirs), set in it what the other one changed, and remove \
         the slots that the other one removed\n"
    );
    assert!(shown.contains(&expected), "{shown}");
    repository.git("checkout --theirs .env.enc");
    repository.envsec("seal").says(".env.enc: its seal is right; nothing to do\n");
}

fn add_slot(on: &Repository, id: &str) {
    let output = on.envsec(&format!("slot add --raw-key --id {id}")).output();
    assert!(output.status.success());
}

fn slots(on: &Repository) -> String {
    let text = on.text();
    let ids = text.lines().filter_map(|line| line.strip_prefix("#envsec:slot id=")?.split(' ').next());
    ids.collect::<Vec<_>>().join(" ")
}

#[test]
fn slots_are_united_and_what_was_removed_stays_removed() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| add_slot(on, "side"));
    repository.on_main(|on| {
        add_slot(on, "main");
        on.envsec("slot remove password --keep-data-key --yes -q").succeeds();
    });
    repository.git("merge side -m merged");
    assert_eq!(slots(&repository), "key main side");
    repository.has(&BASE);
}

#[test]
fn slots_that_differ_are_a_conflict_and_never_come_from_the_text() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| add_slot(on, "more"));
    repository.on_main(|on| add_slot(on, "more"));
    let (status, shown) = repository.try_git("merge side");
    assert_eq!(status, 1);
    let expected = format!(
        "error: .env.enc: slot more: different on both sides\n{RESOLVE}; envsec slot add adds again the slot that was left out\n"
    );
    assert!(shown.contains(&expected), "{shown}");
    assert!(repository.text().contains("<<<<<<< ours\n#envsec:slot id=more "), "{}", repository.text());
    let ours = repository.shown("main").lines().find(|line| line.contains("id=more")).unwrap().to_owned();
    repository.resolve(false);
    repository.envsec("seal --accept").says(".env.enc against ours and theirs:\n  no name differs\n");
    assert!(repository.text().contains(&ours) && slots(&repository) == "password key more");
}

#[test]
fn a_slot_for_the_old_data_key_is_named_and_left_out() {
    for key_on_side in [true, false] {
        let repository = Repository::with(&BASE);
        let add = |on: &Repository| {
            add_slot(on, "late");
            on.set("A", "changed");
        };
        repository.branch("side", |on| if key_on_side { rekey(on) } else { add(on) });
        repository.on_main(|on| if key_on_side { add(on) } else { rekey(on) });
        let (status, shown) = repository.try_git("merge side");
        assert_eq!(status, 1);
        let side = if key_on_side { "ours" } else { "theirs" };
        let what = format!("slot late: {side} wrapped the old data key for it, and the other side made a new one");
        assert!(shown.contains(&format!("error: .env.enc: {what}\n")), "{shown}");
        repository.resolve(key_on_side);
        repository.envsec("seal --accept -q").succeeds();
        assert_eq!(slots(&repository), "key");
        repository.has(&[("A", "changed"), ("M", "2"), ("Z", "3")]);
        repository.envsec("get A").without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", PASSWORD).refuses(4);
    }
}

#[test]
fn no_slot_left_is_no_file() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| on.envsec("slot remove password --keep-data-key --yes -q").succeeds());
    repository.on_main(|on| {
        let remove = ["slot", "remove", "key", "--keep-data-key", "--yes", "-q"];
        on.sandbox.envsec(remove).without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", PASSWORD).succeeds();
    });
    let merge = repository.sandbox.command("git", ["merge", "side"]).variable("ENVSEC_PASSWORD", PASSWORD).output();
    let shown = String::from_utf8(merge.stderr).unwrap();
    assert!(shown.contains("it is the last slot that a password or a key opens"), "{shown}");
    assert_eq!(merge.status.code(), Some(1));
}

#[test]
fn comments_and_places_are_merged_as_text() {
    let repository = Repository::with(&[]);
    let names = ["H", "A", "B", "C", "D", "E", "F", "G"];
    let entries: String = names.iter().map(|name| format!("{name}={name}\n")).collect();
    repository.sandbox.write(FILE, format!("{}# top\n\n{entries}\n# end\n", repository.text()));
    repository.envsec("seal --accept --plain * -q").succeeds();
    repository.commit("base");
    let replace = |on: &Repository, from: &str, to: &str| {
        assert!(on.text().contains(from), "{from}");
        on.sandbox.write(FILE, on.text().replacen(from, to, 1));
    };
    repository.branch("side", |on| {
        replace(on, "# top", "# top, of side");
        replace(on, "G=G\n", "");
        replace(on, "C=C\n", "C=C\nG=G\n");
        replace(on, "D=D\n", "# why\nD=D\n");
        on.envsec("seal --accept").says(".env.enc against HEAD:\n  G: moved\n");
    });
    repository.on_main(|on| {
        replace(on, "# top", "# top, of main");
        on.set("G", "main");
        on.set("NEW", "main");
    });
    repository.git("merge side -m merged");
    let text = repository.text();
    let body: Vec<&str> = text.lines().skip_while(|line| line.starts_with("#envsec:")).collect();
    let shown: Vec<&str> = body.iter().map(|line| line.split("=enc").next().unwrap()).collect();
    // A place that both changed has both: no comment is lost.
    let expected = [
        "",
        "# top, of main",
        "# top, of side",
        "",
        "H=H",
        "A=A",
        "B=B",
        "C=C",
        "G=main",
        "# why",
        "D=D",
        "E=E",
        "F=F",
        "",
        "# end",
        "NEW",
    ];
    assert_eq!(shown, expected);
    repository.envsec("get NEW").prints("main");
}

/// Names that two branches put at the same place keep the order of the file, so that the next two do not meet at its end.
#[test]
fn sorted_names_stay_sorted() {
    let repository = Repository::with(&BASE);
    repository.branch("side", |on| on.set("B", "side"));
    repository.on_main(|on| on.set("C", "main"));
    repository.git("merge side -m merged");
    let text = repository.text();
    let names: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, ["", "A", "B", "C", "M", "Z"]);
}

#[test]
fn a_file_that_both_sides_added() {
    let repository = Repository::with(&[]);
    let text = repository.text();
    repository.git("rm --quiet .env.enc");
    repository.commit("gone");
    for (name, value) in [("side", "S"), ("other", "O")] {
        repository.branch(name, |on| {
            on.sandbox.write(FILE, &text);
            on.set(value, name);
            on.set("SAME", "same");
        });
    }
    repository.git("merge --quiet side -m one");
    repository.git("merge other -m two");
    repository.has(&[("O", "other"), ("S", "side"), ("SAME", "same")]);
    // Another file of the same name cannot be merged with it.
    repository.git("checkout --quiet -b stranger main~2");
    std::fs::remove_file(repository.sandbox.join(FILE)).unwrap_or_default();
    let key = repository.sandbox.make(FILE, None);
    repository.sandbox.envsec(["set", "X"]).variable("ENVSEC_KEY", &key).stdin("x").succeeds();
    repository.commit("stranger");
    repository.git("checkout --quiet main");
    let merge =
        repository.sandbox.shell("git merge stranger 2>&1").without("ENVSEC_KEY").variable("ENVSEC_PASSWORD", PASSWORD);
    let output = merge.output();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("error: .env.enc: theirs is not the same sealed file: it was made by an init of its own, or has another label\n"),
        "{shown}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn rotations_go_with_their_values() {
    let repository = Repository::with(&BASE);
    let rotate = |on: &Repository, line: &str| on.envsec(&format!("rotate M --generate hex:8 -q {line}")).succeeds();
    repository.on_main(|on| rotate(on, "--grace 1d"));
    let old = repository.envsec("get M --previous").output().stdout;
    // The old value is given up on one side, another value changes on the other.
    repository.branch("side", |on| on.envsec("rotate M --finish -q").succeeds());
    repository.on_main(|on| on.set("A", "main"));
    repository.git("merge side -m merged");
    assert!(!repository.text().contains(" previous=") && repository.text().contains("#envsec:rotation name=M at="));
    assert_eq!(old, b"2");
    // A rotation on one side, and a new data key on the other: the old value is still handed out.
    repository.branch("two", |on| rotate(on, "--grace 1d"));
    repository.on_main(rekey);
    repository.git("merge two -m merged");
    let two = repository.shown("two");
    assert_ne!(line(&two, "M"), repository.line("M"));
    assert!(repository.envsec("get M --previous").output().status.success());
    // A next value that waits, and a value that was set: both cannot be.
    repository.on_main(|on| on.envsec("rotate M --finish -q").succeeds());
    repository.branch("three", |on| {
        let output = on.envsec("rotate M --generate hex:8 -q --on-set false").output();
        assert!(!output.status.success() && on.text().contains(" pending="));
    });
    repository.on_main(|on| on.set("M", "set"));
    let (status, shown) = repository.try_git("merge three");
    assert!(status == 1 && shown.contains("error: .env.enc: M: changed differently on both sides\n"), "{shown}");
}

#[test]
fn a_thousand_entries_with_a_hundred_changes_on_each_side() {
    let repository = Repository::with(&[]);
    let pairs =
        |from: usize, to: usize, value: &str| (from..to).map(|n| format!("N{n:04}={value}{n}")).collect::<Vec<_>>();
    let set = |on: &Repository, pairs: Vec<String>| {
        on.sandbox.envsec([vec!["set".to_owned(), "-q".to_owned()], pairs].concat()).succeeds();
    };
    repository.on_main(|on| set(on, pairs(0, 1000, "old")));
    repository.branch("side", |on| set(on, pairs(0, 100, "side")));
    repository.on_main(|on| set(on, pairs(100, 200, "main")));
    let (ours, theirs) = (repository.text(), repository.shown("side"));
    repository.git("merge --quiet side -m merged");
    let all = [pairs(0, 100, "side"), pairs(100, 200, "main"), pairs(200, 1000, "old")].concat();
    repository.sandbox.envsec(["export", "--format", "dotenv"]).prints(all.join("\n") + "\n");
    let text = repository.text();
    let taken = |from: &str| text.lines().filter(|line| from.lines().any(|other| other == *line)).count();
    assert_eq!((taken(&ours), taken(&theirs)), (1000 - 100 + 4, 1000 - 100 + 4));
}

#[test]
fn passwords_are_asked_for_once_and_derived_once() {
    let mut repository = Repository::with(&BASE);
    repository.sandbox.unset_variable("ENVSEC_KEY");
    repository.sandbox.set_variable(
        "ENVSEC_PASSWORD_COMMAND",
        &format!("echo asked >>{}/asked; printf %s '{PASSWORD}'", repository.sandbox.path().display()),
    );
    repository.sandbox.write(".git/info/exclude", "asked\n");
    two_branches(&repository);
    std::fs::remove_file(repository.sandbox.join("asked")).unwrap();
    repository.git("merge side -m merged");
    assert_eq!(repository.sandbox.text("asked"), "asked\n");
    repository.has(&BOTH);
}
