//! The manual pages: in the repository, as the binary prints them, and good roff.

use crate::harness::Sandbox;
use std::collections::BTreeMap;
use std::path::Path;

const REFRESH: &str = "make them anew:\n  rm -f docs/man/*.1; envsec man > docs/man/envsec.1
  for verb in $(envsec --help | sed -n '/^Commands:/,/^$/s/^  \\([a-z]*\\) .*/\\1/p'); do envsec man $verb > docs/man/envsec-$verb.1; done";

/// The pages of envsec and of every verb that --help lists, by file name.
fn printed(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let stdout = |args: &[&str]| String::from_utf8(sandbox.envsec(args).output().stdout).unwrap();
    let help = stdout(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs = commands.filter_map(|line| line.split_whitespace().next());
    let pages = verbs.map(|verb| (format!("envsec-{verb}.1"), stdout(&["man", verb])));
    pages.chain([("envsec.1".to_owned(), stdout(&["man"]))]).collect()
}

#[test]
fn the_pages_in_the_repository_are_what_the_binary_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let committed: BTreeMap<_, _> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let printed = printed(&Sandbox::new());
    assert!(printed.len() > 9, "--help lists only {:?}", printed.keys());
    assert!(committed.keys().eq(printed.keys()), "{:?}; {REFRESH}", committed.keys());
    for (name, page) in &printed {
        assert!(committed[name] == *page, "docs/man/{name} is stale; {REFRESH}");
    }
}

#[test]
fn the_pages_are_roff_without_a_warning() {
    let sandbox = Sandbox::new();
    for (name, page) in printed(&sandbox) {
        sandbox.write(&name, page);
        // mandoc's warnings are about taste: a blank line that has no effect, say.
        sandbox.command("mandoc", ["-T", "lint", "-W", "error", &name]).succeeds();
        sandbox.command("groff", ["-man", "-ww", "-z", &name]).succeeds();
    }
}

#[test]
fn examples_keep_their_lines() {
    let sandbox = Sandbox::new();
    sandbox.write("page", sandbox.envsec(["man", "get"]).output().stdout);
    let shown = sandbox.command("mandoc", ["-T", "ascii", "page"]).output().stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("\n         envsec get DATABASE_URL\n"), "{shown}");
}

#[test]
fn an_unknown_verb_has_no_page() {
    Sandbox::new()
        .envsec(["man", "deploy"])
        .fails(2, "error: no such verb, so there is no page\nhint: envsec --help lists the verbs\n");
}
