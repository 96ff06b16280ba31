//! The rules that are envsec's own: secrets stored plain or under public names, labels, what is out of date.

use super::declared::{Declared, Property};
use super::environment::{Entry, Member, Stored, View};
use super::node::Nodes;
use super::report::Problem;
use super::secrets;

/// Two values are no coincidence from this length on.
const TELLING_LENGTH: usize = 8;

/// What the rules find.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Checks every variable that is declared, and every one that is public by its name.
pub(super) fn check(nodes: &Nodes, declared: &Declared, view: &View<'_>) -> Findings {
    let mut findings = Findings::default();
    for property in &declared.properties {
        let rules = Rules { nodes, property, view };
        let problems = [rules.stored_plain(), rules.required_here(), rules.forbidden_here()];
        findings.problems.extend(problems.into_iter().flatten());
        findings.warnings.extend([rules.deprecated(), rules.advice()].into_iter().flatten());
    }
    let is_public = |entry: &&Entry<'_>| match declared.find(entry.name) {
        Some(property) => property.is_public(nodes),
        None => secrets::is_public_name(entry.name),
    };
    let (public, mut secret): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) = view.environment.entries.iter().partition(is_public);
    // Not all that is stored encrypted: an import stores everything so, and an address may well stand under two names.
    secret.retain(|entry| match declared.find(entry.name) {
        Some(property) if property.is_secret(nodes) => true,
        _ => entry.stored == Some(Stored::Secret) && secrets::is_name_of_secret(entry.name),
    });
    findings.problems.extend(public.into_iter().filter_map(|entry| exposed(entry, &secret)));
    findings
}

/// A secret that a client would get.
fn exposed(entry: &Entry<'_>, secret: &[&Entry<'_>]) -> Option<Problem> {
    let text = entry.value?;
    let same = secret.iter().find(|other| text.len() >= TELLING_LENGTH && other.value == Some(text));
    let wrong = match (same, secrets::looks_secret(text)) {
        (Some(other), _) => format!("has the value of the secret {}", other.name),
        (None, Some(kind)) => format!("looks like {kind}"),
        (None, None) => return None,
    };
    Some(Problem {
        name: Some(entry.name.to_owned()),
        rule: "x-envsec/public",
        expected: "public, nothing that a browser may not see".to_owned(),
        wrong,
        place: String::new(),
    })
}

/// What is declared secret is never stored plain.
pub(super) fn stored_plain(nodes: &Nodes, property: &Property, stored: Option<Stored>) -> Option<Problem> {
    (stored == Some(Stored::Plain) && property.is_secret(nodes)).then(|| Problem {
        name: Some(property.name.clone()),
        rule: "writeOnly",
        expected: "secret, stored encrypted".to_owned(),
        wrong: "is stored plain".to_owned(),
        place: format!("{}/writeOnly", nodes[property.nodes[0]].pointer),
    })
}

struct Rules<'r> {
    nodes: &'r Nodes,
    property: &'r Property,
    view: &'r View<'r>,
}

impl Rules<'_> {
    fn problem(&self, rule: &'static str, expected: impl Into<String>, wrong: impl Into<String>) -> Problem {
        let place = format!("{}/{rule}", self.nodes[self.property.nodes[0]].pointer);
        Problem { name: Some(self.property.name.clone()), rule, expected: expected.into(), wrong: wrong.into(), place }
    }

    fn stored_plain(&self) -> Option<Problem> {
        stored_plain(self.nodes, self.property, self.view.entry(&self.property.name)?.stored)
    }

    fn required_here(&self) -> Option<Problem> {
        let label = self.view.environment.label?;
        let required =
            self.property.annotation(self.nodes, |of| of.required_in.iter().any(|l| l == label).then_some(()));
        let missing = !self.view.is_present(&self.property.name);
        (required.is_some() && missing).then(|| {
            let expected = format!("{} (required in {label})", self.view.describe(&self.property.name));
            self.problem("x-envsec/requiredIn", expected, "missing")
        })
    }

    fn forbidden_here(&self) -> Option<Problem> {
        let label = self.view.environment.label?;
        let forbidden =
            self.property.annotation(self.nodes, |of| of.forbidden_in.iter().any(|l| l == label).then_some(()));
        self.view.entry(&self.property.name).filter(|entry| entry.value != Some(""))?;
        forbidden.map(|()| self.problem("x-envsec/forbiddenIn", format!("no value in {label}"), "there is one"))
    }

    fn deprecated(&self) -> Option<Problem> {
        let instead = self.property.annotation(self.nodes, |of| of.deprecated.as_deref())?;
        self.view.entry(&self.property.name)?;
        let expected = if instead.is_empty() { "out of date".to_owned() } else { format!("out of date: {instead}") };
        Some(self.problem("deprecated", expected, "there is a value"))
    }

    /// What is right, and yet dubious.
    fn advice(&self) -> Option<Problem> {
        let Member::Text(text) = self.view.member(&self.property.name) else { return None };
        let keywords = self.property.schemas.iter().flat_map(|id| &self.nodes[*id].keywords);
        let advice = keywords.into_iter().find_map(|keyword| keyword.advice(text))?;
        Some(self.problem("format", "a URL", advice))
    }
}
