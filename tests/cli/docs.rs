//! The documentation is held to the tool: its sessions are run, its tables and links are checked.
//!
//! A fenced block marked `console` is a session:
//!
//! - `$ ` begins a command, `> ` its further lines (a here-document, say), and the lines below are its exact output,
//!   standard output and standard error together;
//! - `...` on a line of its own stands for any lines, within a line for any text;
//! - a command that fails is followed by `$ echo $?`, so that the reader sees its status.
//!
//! The sessions of one document run in their order, in one bash, in one folder: an empty git repository. A block marked
//! `sh` is only parsed. One marked `text` is neither.

use crate::harness::Sandbox;
use envsec::dotenv::Code;
use envsec::error::Status;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A Markdown file of the repository.
struct Document {
    path: PathBuf,
    text: String,
}

/// A fenced block.
struct Block<'d> {
    /// The line of its opening fence, from 1.
    line: usize,
    language: &'d str,
    lines: Vec<&'d str>,
}

/// A command of a session, and the output that the document shows.
struct Step<'d> {
    line: usize,
    command: String,
    output: Vec<&'d str>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> Document {
    let path = root().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    Document { path, text }
}

/// The Markdown files of the root, of `docs` and of the examples.
fn documents() -> Vec<Document> {
    let in_folder = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let examples = std::fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = examples.filter(|path| path.is_dir()).flat_map(|path| in_folder(&path)).collect();
    paths.extend([in_folder(root()), in_folder(&root().join("docs"))].concat());
    paths.sort();
    paths.iter().map(|path| document(path.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
}

impl Document {
    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut lines = (1..).zip(self.text.lines());
        while let Some((line, text)) = lines.next() {
            let Some(language) = text.strip_prefix("```") else { continue };
            let lines = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
            blocks.push(Block { line, language, lines });
        }
        blocks
    }

    /// The steps of all sessions, in order.
    fn steps(&self) -> Vec<Step<'_>> {
        let sessions = self.blocks().into_iter().filter(|block| block.language == "console");
        let lines = sessions.flat_map(|block| (block.line + 1..).zip(block.lines));
        lines.fold(Vec::new(), |mut steps: Vec<Step<'_>>, (line, text)| {
            if let Some(command) = text.strip_prefix("$ ") {
                steps.push(Step { line, command: command.to_owned(), output: Vec::new() });
                return steps;
            }
            let step = steps.last_mut().unwrap_or_else(|| panic!("{}:{line}: output without a command", self.name()));
            match text.strip_prefix("> ").or_else(|| (text == ">").then_some("")) {
                Some(more) if step.output.is_empty() => step.command = format!("{}\n{more}", step.command),
                _ => step.output.push(text),
            }
            steps
        })
    }

    /// The text outside of fenced blocks.
    fn prose(&self) -> String {
        let mut fenced = false;
        let outside = self.text.lines().filter(|line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        });
        outside.collect::<Vec<_>>().join("\n")
    }
}

/// Runs every step; each one's output and status go to files of their own, so that nothing can be mistaken for it.
fn script(steps: &[Step<'_>], answers: &Path) -> String {
    let answers = answers.display();
    let step = |(n, step): (usize, &Step<'_>)| {
        format!(
            "{{\n{}\n}} >{answers}/{n} 2>&1\nstatus=$?; echo $status >{answers}/{n}.status; (exit $status)\n",
            step.command
        )
    };
    steps.iter().enumerate().map(step).collect()
}

fn is_like(expected: &[&str], actual: &[&str]) -> bool {
    match expected {
        [] => actual.is_empty(),
        ["...", rest @ ..] => (0..=actual.len()).any(|skipped| is_like(rest, &actual[skipped..])),
        [line, rest @ ..] => {
            actual.split_first().is_some_and(|(first, others)| is_line_like(line, first) && is_like(rest, others))
        }
    }
}

fn is_line_like(expected: &str, actual: &str) -> bool {
    match expected.split_once("...") {
        None => expected == actual,
        Some((start, rest)) => actual
            .strip_prefix(start)
            .is_some_and(|tail| (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| is_line_like(rest, tail)))),
    }
}

fn run_sessions(document: &Document) {
    let steps = document.steps();
    if steps.is_empty() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.command("git", ["init", "--quiet", "--initial-branch=main"]).succeeds();
    let answers = tempfile::tempdir().unwrap();
    let output = sandbox.shell(&script(&steps, answers.path())).output();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.is_empty(), "{}: {complaint}", document.name());
    for (n, step) in steps.iter().enumerate() {
        let place = format!("{}:{}: $ {}", document.name(), step.line, step.command);
        let read = |name: String| {
            std::fs::read_to_string(answers.path().join(name)).unwrap_or_else(|e| panic!("{place}: {e}"))
        };
        let (actual, status) = (read(n.to_string()), read(format!("{n}.status")));
        let lines: Vec<&str> = actual.lines().collect();
        assert!(is_like(&step.output, &lines), "{place}\n{actual}\ninstead of\n{}", step.output.join("\n"));
        let told = steps.get(n + 1).is_some_and(|next| next.command == "echo $?");
        assert!(status.trim() == "0" || told, "{place}: status {status}");
    }
}

#[test]
fn every_session_goes_as_it_is_written() {
    documents().iter().for_each(run_sessions);
}

#[test]
fn every_block_is_of_a_known_kind_and_parses() {
    let sandbox = Sandbox::new();
    for document in documents() {
        for Block { line, language, lines } in document.blocks() {
            match language {
                "sh" => sandbox.command("bash", ["-n", "-c", &lines.join("\n")]).succeeds(),
                "console" | "text" => {}
                other => panic!("{}:{line}: a block marked {other:?}", document.name()),
            }
        }
    }
}

#[test]
fn the_readme_is_short_and_says_what_it_is_first() {
    let readme = document("README.md");
    assert!(readme.text.lines().count() < 300);
    let top: Vec<&str> = readme.text.lines().take(30).collect();
    for link in ["docs/format.md", "SECURITY.md", "docs/exit-codes.md"] {
        assert!(
            top.iter().any(|line| line.contains(&format!("({link})"))),
            "{link} is not linked in the first 30 lines"
        );
    }
    assert_eq!(top.iter().filter(|line| line.starts_with("$ ")).count(), 6, "the first session has six commands");
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    for document in documents() {
        for target in document.prose().split("](").skip(1).filter_map(|text| Some(text.split_once(')')?.0.to_owned())) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').map_or((target.as_str(), None), |(f, h)| (f, Some(h)));
            let path = if file.is_empty() { document.path.clone() } else { document.path.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: {target} leads nowhere", document.name());
            if let Some(heading) = heading {
                let text = std::fs::read_to_string(&path).unwrap();
                let there = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(there, "{}: {target}: no such heading", document.name());
            }
        }
    }
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The first cells of all table rows that are code, without their backticks.
fn coded_rows(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect()
}

#[test]
fn every_exit_status_is_listed_with_its_meaning() {
    const ALL: [Status; 11] = [
        Status::Other,
        Status::Usage,
        Status::Invalid,
        Status::Credential,
        Status::NotAuthentic,
        Status::Conflict,
        Status::Provider,
        Status::Found,
        Status::RunFailed,
        Status::NotExecutable,
        Status::CommandNotFound,
    ];
    // A new status makes this fail to compile: it belongs into the list above.
    let known = |status: Status| match status {
        Status::Other
        | Status::Usage
        | Status::Invalid
        | Status::Credential
        | Status::NotAuthentic
        | Status::Conflict
        | Status::Provider
        | Status::Found => status,
        Status::RunFailed | Status::NotExecutable | Status::CommandNotFound => status,
    };
    let document = document("docs/exit-codes.md");
    let rows = coded_rows(&document.text);
    let listed: BTreeSet<_> = rows.iter().map(|(code, _)| (*code).to_owned()).collect();
    let real: BTreeSet<_> = ALL.iter().map(|status| known(*status).code().to_string()).chain(["0".into()]).collect();
    assert_eq!(listed, real);
    for status in ALL {
        let (_, text) = rows.iter().find(|(code, _)| *code == status.code().to_string()).unwrap();
        assert!(text.starts_with(status.meaning()), "status {} is called {:?}", status.code(), status.meaning());
    }
}

#[test]
fn every_syntax_error_is_explained() {
    const ALL: [Code; 13] = [
        Code::Encoding,
        Code::Utf8,
        Code::Nul,
        Code::LoneCr,
        Code::Control,
        Code::NoEquals,
        Code::Name,
        Code::AmbiguousHash,
        Code::AmbiguousEscape,
        Code::AnsiC,
        Code::Trailing,
        Code::Unterminated,
        Code::Duplicate,
    ];
    let document = document("docs/dotenv.md");
    let rows: BTreeSet<_> =
        coded_rows(&document.text).iter().map(|(code, _)| *code).filter(|code| code.starts_with("E_")).collect();
    assert_eq!(rows, ALL.iter().map(|code| code.as_str()).collect());
}
