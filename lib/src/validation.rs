//! What a child would get from the sealed files, the process and the declaration's defaults, and what the declaration says
//! of it: the one function behind `run`, `validate` and `status`.

use crate::child::{self, Precedence};
use crate::error::{Failure, Result, Status, shown};
use crate::project::{Declaration, Opened, Project, ProjectError, Selected, Selection};
use crate::schema::{Entry, Environment, Problem, Source, Stored, Verdict};
use crate::sealed::{Locked, Storage};
use crate::secret::SecretText;
use crate::vars::{Glob, Value, VarName};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How the sources of variables are put together.
#[derive(clap::Args, Default, Debug)]
pub struct Flags {
    /// The file's values win over what the process has
    #[arg(long = "override")]
    override_process: bool,

    /// What would be a warning is an error
    #[arg(long)]
    pub strict: bool,

    /// Which names.
    #[command(flatten)]
    pub selection: Selection,
}

/// What there is of the sealed files.
pub enum Files<'f> {
    /// The selected values.
    Opened(&'f Selected),
    /// The names alone, and how each is stored.
    Names(&'f [(VarName, Storage)]),
}

/// Variables that are not as the declaration has them.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{}", shown(.declaration), counted(.problems.len()), listed(.problems))]
pub struct Invalid {
    /// Where the declaration lies.
    pub declaration: PathBuf,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What to do next.
    pub advice: Advice,
}

/// What helps with variables that are not as declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// `envsec status`, which opens the same files.
    Status,
    /// Nothing was written.
    NothingWritten,
    /// Nothing that could be said.
    None,
}

impl Failure for Invalid {
    fn status(&self) -> Status {
        Status::Invalid
    }

    fn hint(&self) -> Option<String> {
        let first = || self.problems.iter().find_map(|problem| problem.name.as_deref());
        match self.advice {
            Advice::Status => {
                first().map(|name| format!("envsec status {name} tells the rule and where the value comes from"))
            }
            Advice::NothingWritten => Some("nothing was written; without --strict it is a warning".to_owned()),
            Advice::None => None,
        }
    }
}

fn is_declared(declaration: &Declaration, glob: &Glob) -> bool {
    let names = declaration.schema.properties().filter_map(|property| VarName::try_from(property.name()).ok());
    names.into_iter().any(|name| glob.matches(&name))
}

fn counted(count: usize) -> String {
    if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

/// Variables of the process; `None` for a value that is not UTF-8.
type Process = BTreeMap<String, Option<SecretText>>;

impl Flags {
    /// Whose value a name gets that both the process and the file have.
    pub fn precedence(&self) -> Precedence {
        if self.override_process { Precedence::File } else { Precedence::Process }
    }

    /// The values that are selected from the files; `--only` may name what is declared, too.
    ///
    /// # Errors
    /// As [`Selection::of`].
    pub fn select(&self, files: &[Opened], declaration: Option<&Declaration>) -> Result<Selected> {
        self.selection.of(files, |glob| declaration.is_some_and(|declaration| is_declared(declaration, glob)))
    }

    /// [`Flags::select`] of the names alone.
    ///
    /// # Errors
    /// As [`Selection::names`].
    pub fn select_names(
        &self,
        files: &[(PathBuf, Locked)],
        declaration: &Declaration,
    ) -> Result<Vec<(VarName, Storage)>> {
        self.selection.names(files.iter().map(|(_, locked)| locked), |glob| is_declared(declaration, glob))
    }

    /// Checks all variables that a child would get.
    ///
    /// # Errors
    /// A declaration that cannot be checked.
    pub fn check(&self, declaration: &Declaration, files: &Files<'_>, label: Option<&str>) -> Result<Verdict> {
        self.with_environment(Some(declaration), files, label, |environment| self.verdict(declaration, environment))
    }

    /// What a declaration says of an environment.
    ///
    /// # Errors
    /// A declaration that cannot be checked.
    pub fn verdict(&self, declaration: &Declaration, environment: &Environment<'_>) -> Result<Verdict> {
        let verdict = declaration.schema.check(environment, self.strict);
        verdict.map_err(|source| ProjectError::Schema { path: declaration.path.clone(), source }.into())
    }

    /// Puts the sources together.
    ///
    /// # Errors
    /// What `then` fails with.
    pub fn with_environment<T>(
        &self,
        declaration: Option<&Declaration>,
        files: &Files<'_>,
        label: Option<&str>,
        then: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        let is_declared = |name: &str| declaration.is_some_and(|declaration| declaration.schema.speaks_of(name));
        let stored = files.stored();
        let in_files: BTreeSet<&str> = stored.iter().map(|entry| entry.name).collect();
        let process = process(|name| in_files.contains(name) || is_declared(name));
        let mut entries: Vec<Entry<'_>> = stored.into_iter().map(|entry| self.wins(entry, &process)).collect();
        let beside = process.iter().filter(|(name, _)| !in_files.contains(name.as_str()));
        let names_only = matches!(files, Files::Names(_));
        let beside = beside.filter(|(_, value)| !(names_only && is_empty(value))).map(|(name, value)| Entry {
            name,
            value: value.as_ref().map(SecretText::expose),
            source: Source::Process,
            stored: None,
        });
        entries.extend(beside);
        // A name that no variable can have is missing where it is required, not passed over.
        let is_selected = |name: &str| {
            VarName::try_from(name).map_or(self.selection.only.is_empty(), |name| self.selection.takes(&name))
        };
        then(&Environment { entries, label, names_only, is_selected: &is_selected })
    }

    /// The entry with the value that a child would get.
    fn wins<'e>(&self, of_file: Entry<'e>, process: &'e Process) -> Entry<'e> {
        match process.get(of_file.name) {
            Some(value) if self.precedence() == Precedence::Process && !is_empty(value) => {
                Entry { value: value.as_ref().map(SecretText::expose), source: Source::Process, ..of_file }
            }
            _ => of_file,
        }
    }
}

/// What is declared of values that are about to be written.
#[derive(Default)]
pub struct Checked {
    /// Those that are not as declared.
    pub invalid: Option<Invalid>,
    /// The names that are to be rotated every so often, so that the file has to say how old they are.
    pub aging: BTreeSet<VarName>,
}

/// Checks values that are about to be written to a sealed file, each against what is declared of its name.
///
/// # Errors
/// A declaration that cannot be used.
pub fn check_values<'v>(
    project: &Project<'_>,
    file: &Path,
    values: impl IntoIterator<Item = (&'v VarName, &'v Value, Storage)>,
) -> Result<Checked> {
    match project.declaration(&[file.to_path_buf()])? {
        Some(declaration) => check_declared(&declaration, values),
        None => Ok(Checked::default()),
    }
}

/// [`check_values`] by a declaration that is loaded already.
///
/// # Errors
/// As there.
pub fn check_declared<'v>(
    declaration: &Declaration,
    values: impl IntoIterator<Item = (&'v VarName, &'v Value, Storage)>,
) -> Result<Checked> {
    let (mut problems, mut aging) = (Vec::new(), BTreeSet::new());
    for (name, value, storage) in values {
        if declaration.schema.property(name.as_str()).is_some_and(|property| property.rotate_every().is_some()) {
            aging.insert(name.clone());
        }
        let found = declaration.schema.check_value(name.as_str(), value.expose(), stored(storage));
        let in_file = |source| ProjectError::Schema { path: declaration.path.clone(), source };
        problems.append(&mut found.map_err(in_file)?);
    }
    let (declaration, advice) = (declaration.path.clone(), Advice::NothingWritten);
    let invalid = (!problems.is_empty()).then_some(Invalid { declaration, problems, advice });
    Ok(Checked { invalid, aging })
}

fn stored(storage: Storage) -> Stored {
    match storage {
        Storage::Secret => Stored::Secret,
        Storage::Plain => Stored::Plain,
    }
}

fn is_empty(value: &Option<SecretText>) -> bool {
    value.as_ref().is_some_and(SecretText::is_empty)
}

impl Files<'_> {
    fn stored(&self) -> Vec<Entry<'_>> {
        let entry = |name, value, stored| Entry { name, value, source: Source::File, stored: Some(stored) };
        match self {
            Files::Opened(selected) => {
                let of = |name| if selected.secret.contains(name) { Stored::Secret } else { Stored::Plain };
                let all = selected.vars.iter();
                all.map(|(name, value)| entry(name.as_str(), Some(value.expose()), of(name))).collect()
            }
            Files::Names(names) => {
                names.iter().map(|(name, storage)| entry(name.as_str(), None, stored(*storage))).collect()
            }
        }
    }
}

/// The process's own variables, but for envsec's credentials.
fn process(wanted: impl Fn(&str) -> bool) -> Process {
    let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let wanted = named.filter(|(name, _)| !child::is_withheld(name.as_ref()) && wanted(name));
    wanted.map(|(name, value)| (name, value.into_string().ok().map(SecretText::from))).collect()
}
