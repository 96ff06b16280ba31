//! The source against its plan: layers, who may touch a secret, what stands in one place only, how long a file gets.
//!
//! Every table here is exact: what it allows and nobody uses fails as well, so that no permission lies around. A failure
//! names the row to change; whether to change the row or the source is the question that it asks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// The package that holds all code; paths below are relative to it.
const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lib");

/// Layer, module, and the modules that it imports. An arrow goes to a lower layer, or sideways to a row above: so there
/// are no cycles. The layers are those of `src/lib.rs`.
const MODULES: &[(u8, &str, &[&str])] = &[
    (0, "error", &[]),
    (0, "duration", &["error"]),
    (0, "secret", &[]),
    (0, "vars", &["error", "secret"]),
    (0, "pair", &["vars"]),
    (1, "crypto", &["error", "secret"]),
    (1, "dotenv", &["secret", "vars"]),
    (1, "fs", &["error", "secret"]),
    (1, "generate", &["error", "secret"]),
    (1, "redact", &["vars"]),
    (1, "schema", &["dotenv", "duration", "error", "generate", "pair", "vars"]),
    (2, "child", &["error", "fs", "vars"]),
    (2, "formats", &["child", "crypto", "dotenv", "error", "secret", "vars"]),
    (2, "keyring", &["error", "secret"]),
    // Bytes in, bytes out: no fs.
    (2, "sealed", &["crypto", "dotenv", "error", "secret", "vars"]),
    (3, "git", &["child", "error", "fs"]),
    (3, "import", &["child", "dotenv", "error", "formats", "fs", "sealed", "secret", "vars"]),
    (3, "project", &["crypto", "error", "fs", "keyring", "schema", "sealed", "secret", "vars"]),
    (
        3,
        "rotate",
        &[
            "child", "crypto", "duration", "error", "fs", "pair", "project", "redact", "schema", "sealed", "secret",
            "vars",
        ],
    ),
    (3, "slots", &["error", "project", "sealed"]),
    (3, "guard", &["error", "git", "project", "schema", "sealed"]),
    (3, "doctor", &["error", "fs", "git", "guard", "keyring", "project", "rotate", "schema", "sealed"]),
    (3, "inference", &["dotenv", "error", "formats", "fs", "project", "schema", "sealed", "vars"]),
    (3, "validation", &["child", "error", "project", "schema", "sealed", "secret", "vars"]),
    (3, "edit", &["child", "error", "formats", "project", "sealed", "secret", "validation", "vars"]),
    (
        4,
        "cli",
        &[
            "child",
            "crypto",
            "doctor",
            "duration",
            "edit",
            "error",
            "formats",
            "fs",
            "generate",
            "git",
            "guard",
            "import",
            "inference",
            "keyring",
            "pair",
            "project",
            "rotate",
            "schema",
            "sealed",
            "secret",
            "slots",
            "validation",
            "vars",
        ],
    ),
];

/// Calls of `expose()` and `expose_mut()`, where a secret leaves its type, by file.
const EXPOSE: &[(&str, usize)] = &[
    ("src/child.rs", 2),
    ("src/child/hook.rs", 2),
    ("src/cli/completions.rs", 1), // the words of a command line
    ("src/cli/edit.rs", 3),
    ("src/cli/diff.rs", 2), // --values, to a terminal
    ("src/cli/export.rs", 3),
    ("src/cli/get.rs", 1),
    ("src/cli/new_value.rs", 2),
    ("src/cli/terminal.rs", 1),
    ("src/cli/ui.rs", 4),
    ("src/crypto.rs", 4),
    ("src/doctor/content.rs", 1), // plain values, which are public
    ("src/dotenv/document.rs", 2),
    ("src/dotenv/node.rs", 3),
    ("src/edit/mod.rs", 1),
    ("src/formats/buffer.rs", 15),
    ("src/formats/dotenv.rs", 4),
    ("src/formats/expand.rs", 2),
    ("src/formats/json.rs", 1),
    ("src/formats/mod.rs", 3),
    ("src/formats/seed.rs", 2),
    ("src/fs/private.rs", 1),
    ("src/fs/write.rs", 2),
    ("src/generate.rs", 1),
    ("src/import.rs", 1),
    ("src/inference.rs", 2),
    ("src/keyring.rs", 4),
    ("src/project/credentials.rs", 1),
    ("src/redact.rs", 1),
    ("src/rotate/hooks.rs", 1),   // the user that is not in use
    ("src/rotate/mod.rs", 1),     // the one that is
    ("src/schema/example.rs", 1), // a placeholder, quoted
    ("src/sealed/body.rs", 1),
    ("src/sealed/credential.rs", 7),
    ("src/sealed/diff.rs", 2), // plain values, which are public
    ("src/sealed/keys.rs", 12),
    ("src/sealed/locked.rs", 1),
    ("src/sealed/merge.rs", 5),
    ("src/sealed/rewrite.rs", 7),
    ("src/sealed/rotation.rs", 2),
    ("src/sealed/slot.rs", 7),
    ("src/sealed/unlocked.rs", 6),
    ("src/secret.rs", 2),
    ("src/validation.rs", 4),
    ("src/vars.rs", 2),
];

/// A text of the code, the files or folders that may have it, and why no other.
const PLACES: &[(&str, &[&str], &str)] = &[
    ("unsafe", &["src/child.rs", "src/child/hook.rs", "src/child/signals.rs", "src/fs/mod.rs"], "each with its proof"),
    (
        "libc::",
        &["src/child.rs", "src/child/hook.rs", "src/child/signals.rs"],
        "signals and sessions, which std does not know",
    ),
    ("print!", &[], OUTPUT),
    ("println!", &[], OUTPUT),
    ("eprint!", &[], OUTPUT),
    ("eprintln!", &[], OUTPUT),
    ("dbg!", &[], OUTPUT),
    ("std::{", &[], "it would hide from the rows below: one `use` a module"),
    ("fmt::Debug", &["src/error.rs"], "it is derived, so that a type with a secret in it has none"),
    ("std::net", &["src/schema/format.rs"], "envsec has no network; a format parses addresses"),
    ("unix::net", &[], "envsec has no network"),
    (
        "std::env",
        &[
            "src/child.rs",               // the environment of helpers
            "src/child/editor.rs",        // VISUAL, EDITOR
            "src/cli/export.rs",          // GITHUB_ENV
            "src/cli/mod.rs",             // the arguments
            "src/cli/run.rs",             // the environment of the child
            "src/cli/ui.rs",              // NO_COLOR
            "src/fs/",                    // the current folder, XDG_RUNTIME_DIR
            "src/import.rs",              // --expand
            "src/project/credentials.rs", // envsec's own credentials
            "src/project/settings.rs",    // envsec's own settings
            "src/validation.rs",          // what the child would get
        ],
        "what the environment says comes in at few places",
    ),
    // cli: /dev/tty.
    ("std::fs", &["src/cli/terminal.rs", "src/cli/ui.rs", "src/fs/"], "fs reads with a limit and replaces atomically"),
    ("std::io", &["src/child.rs", "src/child/", "src/cli/", "src/fs/"], "streams and terminals are outside"),
    // Stdio in cli and git.
    ("std::process", &["src/child.rs", "src/child/", "src/cli/", "src/git/"], "child starts processes"),
    ("aes_gcm::", &["src/crypto.rs"], PRIMITIVE),
    ("hkdf::", &["src/crypto.rs"], PRIMITIVE),
    ("hmac::", &["src/crypto.rs"], PRIMITIVE),
    ("scrypt::", &["src/crypto.rs"], PRIMITIVE),
    ("sha2::", &["src/crypto.rs"], PRIMITIVE),
    ("subtle::", &["src/crypto.rs"], PRIMITIVE),
    // The flags that verbs share stand beside what they mean.
    (
        "clap::",
        &[
            "src/cli/",
            "src/import.rs",
            "src/project/selection.rs",
            "src/project/settings.rs",
            "src/slots.rs",
            "src/validation.rs",
        ],
        "the command line is the verbs' matter",
    ),
    ("dotenvy::", &["src/formats/dotenv.rs"], "reading as others do is a format's matter"),
    ("rustix::", &["src/child/", "src/cli/terminal.rs", "src/fs/"], "what differs between platforms lies in few files"),
    ("raw_value()", PARSERS, FOREIGN_TEXT),
    ("after_equals()", &["src/dotenv/", "src/formats/buffer.rs", "src/sealed/"], FOREIGN_TEXT),
    ("inline_comment()", &["src/formats/", "src/sealed/body.rs"], FOREIGN_TEXT),
    ("tempfile::", &["src/fs/private.rs", "src/fs/write.rs"], "fs makes and replaces files"),
];

const PARSERS: &[&str] = &["src/dotenv/", "src/formats/", "src/sealed/"];
const FOREIGN_TEXT: &str = "the text of a plaintext file is secret, though it is no SecretText there";
const OUTPUT: &str = "output goes through cli/ui.rs";
const PRIMITIVE: &str = "each primitive is one function of crypto, with its parameters fixed";

/// The most lines of a `mod.rs`, and of any file without its tests.
const MOD_LINES: usize = 400;
const FILE_LINES: usize = 450;

/// Files that are longer, and the most lines of each.
const LONGER: &[(&str, usize)] = &[];

/// A file of `src/`. Its code is without tests and comments, every line in its old place.
struct Source {
    path: String,
    /// `["sealed", "slot"]` for `src/sealed/slot.rs`, `["sealed"]` for `src/sealed/mod.rs`.
    module: Vec<String>,
    code: String,
    lines_without_tests: usize,
}

impl Source {
    fn read(path: &Path) -> (Self, Vec<PathBuf>) {
        let text = std::fs::read_to_string(path).unwrap();
        let path_in_crate = path.strip_prefix(LIBRARY).unwrap().to_str().unwrap().to_owned();
        let inner = path_in_crate.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
        let module = inner.strip_suffix("/mod").unwrap_or(inner).split('/').map(str::to_owned).collect();
        let product = without_tests(&text);
        let code = product.iter().map(|line| line.map_or("", without_comment).to_owned() + "\n").collect();
        let lines_without_tests = product.iter().flatten().count();
        (Source { path: path_in_crate, module, code, lines_without_tests }, test_files(&text, path))
    }

    /// The number of the line that holds this offset.
    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Where the text stands as a word: `print!` is no part of `println!` nor of `eprint!`.
    fn words(&self, word: &str) -> Vec<usize> {
        let ends_word = word.ends_with(is_name_char);
        let whole = |at: &usize| {
            let (before, after) = (&self.code[..*at], &self.code[at + word.len()..]);
            !(before.ends_with(is_name_char) || ends_word && after.starts_with(is_name_char))
        };
        self.code.match_indices(word).map(|(at, _)| at).filter(whole).collect()
    }

    /// Every path that starts at `crate::` or `super::`, with its line.
    fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let starts = ["crate::", "super::"].into_iter().flat_map(|start| self.words(start));
        let first = starts.filter(|at| !self.code[..*at].ends_with("::"));
        first
            .flat_map(|at| resolve(&self.code[at..], &self.module).into_iter().map(move |path| (at, path)))
            .map(|(at, path)| (self.line(at), path))
            .collect()
    }
}

/// The full paths that `text` starts with, from the crate's root; `module` is where it stands.
fn resolve(text: &str, module: &[String]) -> Vec<Vec<String>> {
    if let Some(group) = text.strip_prefix('{') {
        return items(group).into_iter().flat_map(|item| resolve(item.trim_start(), module)).collect();
    }
    let name = &text[..text.find(|c| !is_name_char(c)).unwrap_or(text.len())];
    let path = match name {
        "crate" => Vec::new(),
        "super" => module[..module.len().saturating_sub(1)].to_vec(),
        "" => return vec![module.to_vec()], // `*`
        _ => [module, &[name.to_owned()]].concat(),
    };
    match text[name.len()..].strip_prefix("::") {
        Some(rest) => resolve(rest, &path),
        None => vec![path],
    }
}

/// The items of a group in braces, whose opening brace is gone.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || (depth == 1 && c == ',') {
            items.push(&group[start..at]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    items
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines; `None` for those of items under `#[cfg(test)]`, which end at their own indentation, as rustfmt has it.
fn without_tests(text: &str) -> Vec<Option<&str>> {
    let mut skipping = None;
    let mut product = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let starts = line.trim() == "#[cfg(test)]";
        if starts && skipping.is_none() {
            skipping = Some(indent);
        }
        product.push(if skipping.is_none() { Some(line) } else { None });
        let ends = skipping == Some(indent) && !line.trim_start().starts_with("#[") && line.ends_with([';', '}', ',']);
        if ends {
            skipping = None;
        }
    }
    product
}

/// The files of modules that are declared under `#[cfg(test)]`.
fn test_files(text: &str, path: &Path) -> Vec<PathBuf> {
    let folder = match path.file_name().unwrap().to_str().unwrap() {
        "mod.rs" | "lib.rs" | "main.rs" => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let after_attribute = text.split("#[cfg(test)]\n").skip(1);
    let declared = after_attribute.filter_map(|after| {
        let named = after.strip_prefix("#[path = \"").and_then(|rest| rest.split_once("\"]\n"));
        match (named, after.strip_prefix("mod ")) {
            // A path attribute counts from the folder of the file that has it.
            (Some((file, _)), _) => Some(path.with_file_name(file)),
            (None, Some(module)) => {
                let (name, rest) = module.split_at(module.find(|c| !is_name_char(c)).unwrap_or(0));
                rest.starts_with(';').then(|| folder.join(name).with_extension("rs"))
            }
            (None, None) => None,
        }
    });
    declared.collect()
}

/// Comments on lines of their own, and those after code.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or_default() }
}

/// Every file of `src/` that is part of the product.
fn sources() -> Vec<Source> {
    let mut folders = vec![Path::new(LIBRARY).join("src")];
    let (mut sources, mut tests) = (Vec::new(), HashSet::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let (source, test_files) = Source::read(&path);
                sources.push((path, source));
                tests.extend(test_files);
            }
        }
    }
    let mut sources: Vec<_> =
        sources.into_iter().filter(|(path, _)| !tests.contains(path)).map(|(_, source)| source).collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 20, "only {} files below src", sources.len());
    sources
}

#[track_caller]
fn assert_none(mut problems: Vec<String>) {
    problems.dedup();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let mut problems = Vec::new();
    for (row, (layer, module, imports)) in MODULES.iter().enumerate() {
        for import in *imports {
            let above = MODULES[..row].iter().find(|(_, name, _)| name == import);
            if above.is_none_or(|(below, _, _)| below > layer) {
                problems
                    .push(format!("row {module:?} of MODULES: {import:?} is neither below it nor above in the table"));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn lib_rs_is_the_map() {
    let text = include_str!("../lib/src/lib.rs");
    let (mut layer, mut map) = (None, BTreeSet::new());
    for line in text.lines() {
        if let Some((number, _)) = line.strip_prefix("// ").and_then(|comment| comment.split_once(": ")) {
            layer = number.parse::<u8>().ok();
        } else if let Some(module) = line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")) {
            map.insert((layer.expect("a layer's comment above"), module.trim_end_matches(';')));
        }
    }
    let table: BTreeSet<_> = MODULES.iter().map(|(layer, name, _)| (*layer, *name)).collect();
    let missing: Vec<_> = map.symmetric_difference(&table).collect();
    assert!(
        missing.is_empty(),
        "src/lib.rs and MODULES differ in {missing:?}: the same module on the same layer in both"
    );
}

#[test]
fn imports_go_down() {
    let (mut problems, mut used) = (Vec::new(), BTreeSet::new());
    for source in sources().iter().filter(|source| source.path != "src/lib.rs") {
        let own = &source.module[0];
        let Some((layer, _, imports)) = MODULES.iter().find(|(_, module, _)| module == own) else {
            problems
                .push(format!("{}: module {own:?} has no row in MODULES: add (LAYER, {own:?}, &[...])", source.path));
            continue;
        };
        for (line, target) in source.paths() {
            let Some(target) = target.first().filter(|target| *target != own) else { continue };
            if imports.contains(&target.as_str()) {
                used.insert((own.clone(), target.clone()));
            } else {
                let path = &source.path;
                problems.push(format!("{path}:{line}: {own} (layer {layer}) imports {target}: move the code, or add {target:?} to row {own:?} of MODULES"));
            }
        }
    }
    let arrows = MODULES.iter().flat_map(|(_, module, imports)| imports.iter().map(move |import| (*module, *import)));
    let unused = arrows.filter(|(module, import)| !used.contains(&((*module).to_owned(), (*import).to_owned())));
    problems.extend(
        unused.map(|(module, import)| format!("row {module:?} of MODULES: nobody uses {import:?}, take it out")),
    );
    assert_none(problems);
}

/// Modules of cli that are no verbs: all printing and prompting, and the terminal under it.
const SHARED_BY_VERBS: &[&str] = &["new_password", "new_value", "rekey", "terminal", "ui"];

#[test]
fn verbs_do_not_know_each_other() {
    let sources = sources();
    let verbs = sources.iter().filter(|source| source.module.len() == 2 && source.module[0] == "cli");
    let names: BTreeSet<&str> =
        verbs.clone().map(|source| source.module[1].as_str()).filter(|name| !SHARED_BY_VERBS.contains(name)).collect();
    let mut problems = Vec::new();
    for verb in verbs {
        for (line, target) in verb.paths() {
            if let [cli, other, ..] = &target[..]
                && cli == "cli"
                && *other != verb.module[1]
                && names.contains(other.as_str())
            {
                problems.push(format!(
                    "{}:{line}: imports the verb {other}: what two verbs need lies below cli",
                    verb.path
                ));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn secrets_are_exposed_in_known_places_only() {
    let count = |source: &Source| {
        [".expose()", ".expose_mut()", "::expose"].map(|call| source.code.matches(call).count()).iter().sum()
    };
    let found: BTreeMap<String, usize> = sources()
        .into_iter()
        .map(|source| (source.path.clone(), count(&source)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let table: BTreeMap<String, usize> = EXPOSE.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
    let mut problems = Vec::new();
    for path in found.keys().chain(table.keys()).collect::<BTreeSet<_>>() {
        let (is, says) = (found.get(path).copied().unwrap_or(0), table.get(path).copied().unwrap_or(0));
        if is > says {
            problems.push(format!("{path}: {is} calls of expose(), {says} in EXPOSE. Can the secret stay in its type? If not, the row is ({path:?}, {is})"));
        } else if is < says {
            problems.push(format!("{path}: only {is} calls of expose(), {says} in EXPOSE: lower the row to ({path:?}, {is}), or take it out at 0"));
        }
    }
    assert_none(problems);
}

#[test]
fn what_stands_in_one_place_stays_there() {
    let sources = sources();
    let mut problems = Vec::new();
    for (word, places, why) in PLACES {
        let found: Vec<_> = sources.iter().filter_map(|source| Some((source, *source.words(word).first()?))).collect();
        let is_in = |place: &str, path: &str| path == place || place.ends_with('/') && path.starts_with(place);
        for (source, at) in &found {
            let (path, line) = (source.path.as_str(), source.line(*at));
            if !places.iter().any(|place| is_in(place, path)) {
                problems.push(format!(
                    "{path}:{line}: `{word}`: {why}. Move the code, or add {path:?} to row {word:?} of PLACES"
                ));
            }
        }
        let unused = places.iter().filter(|place| !found.iter().any(|(source, _)| is_in(place, &source.path)));
        problems.extend(unused.map(|place| format!("row {word:?} of PLACES: not in {place} any more, take it out")));
    }
    assert_none(problems);
}

#[test]
fn files_are_short() {
    let mut problems = Vec::new();
    for source in sources() {
        let limit = if source.path.ends_with("/mod.rs") { MOD_LINES } else { FILE_LINES };
        let allowed = LONGER.iter().find(|(path, _)| *path == source.path).map_or(limit, |(_, lines)| *lines);
        let (path, lines) = (&source.path, source.lines_without_tests);
        if lines > allowed {
            problems.push(format!(
                "{path}: {lines} lines without tests, at most {allowed}: split it, or raise its row in LONGER"
            ));
        } else if allowed > limit && lines <= limit {
            problems.push(format!("row {path:?} of LONGER: it has {lines} lines by now, take it out"));
        }
    }
    assert_none(problems);
}
