//! Which variables a declaration names, in its order.

use super::annotations::Annotations;
use super::error::SchemaError;
use super::json::Json;
use super::node::{NodeId, Nodes, Special};
use super::secrets;
use crate::vars::MAX_VALUE;
use std::collections::{BTreeMap, BTreeSet};

/// A variable that is declared.
#[derive(Default)]
pub(super) struct Property {
    pub(super) name: String,
    /// Its schemas; more than one where branches declare it each.
    pub(super) nodes: Vec<NodeId>,
    /// These, and all that have to fit the same value or of which one has to.
    pub(super) schemas: Vec<NodeId>,
    /// The first of them holds in every case.
    pub(super) certain: bool,
    pub(super) required: bool,
}

/// All variables that are declared.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) properties: Vec<Property>,
    places: BTreeMap<String, usize>,
    /// The schemas that are tried on all variables together.
    pub(super) of_all: Vec<NodeId>,
    /// Names that are required under some condition, declared or not.
    pub(super) mentioned: BTreeSet<String>,
}

/// How many schemas all variables together may lead to: each is looked at several times.
const MAX_SCHEMAS: usize = 200_000;

impl Declared {
    pub(super) fn new(nodes: &Nodes) -> Result<Self, SchemaError> {
        let mut declared = Declared { of_all: nodes.in_place(Nodes::ROOT, false), ..Declared::default() };
        let certain = certain(nodes);
        for id in declared.of_all.clone() {
            for (name, property) in &nodes[id].properties {
                declared.add(name, *property, certain.contains(&id));
            }
            declared.mentioned.extend(nodes[id].required.iter().chain(&nodes[id].dependent).cloned());
        }
        for name in certain.iter().flat_map(|id| &nodes[*id].required) {
            if let Some(place) = declared.place(name) {
                declared.properties[place].required = true;
            }
        }
        let mut count = 0;
        for property in &mut declared.properties {
            property.schemas = property.nodes.iter().flat_map(|id| nodes.in_place(*id, true)).collect();
            count += property.schemas.len();
            if count > MAX_SCHEMAS {
                return Err(SchemaError::TooComplex);
            }
            property.check(nodes)?;
        }
        Ok(declared)
    }

    fn add(&mut self, name: &str, node: NodeId, certain: bool) {
        let place = self.places.get(name).copied().unwrap_or_else(|| {
            self.places.insert(name.to_owned(), self.properties.len());
            self.properties.push(Property { name: name.to_owned(), ..Property::default() });
            self.properties.len() - 1
        });
        let property = &mut self.properties[place];
        if certain && !property.certain {
            property.nodes.insert(0, node);
            property.certain = true;
        } else {
            property.nodes.push(node);
        }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Property> {
        self.place(name).map(|place| &self.properties[place])
    }

    /// Whether a declaration of the name lists the special value.
    pub(super) fn admits(&self, nodes: &Nodes, name: &str, special: Special) -> bool {
        self.find(name).is_some_and(|property| property.admits(nodes, special))
    }

    /// The defaults that hold in every case.
    pub(super) fn defaults<'d>(&'d self, nodes: &'d Nodes) -> impl Iterator<Item = (&'d str, String)> {
        let certain = self.properties.iter().filter(|property| property.certain);
        certain.filter_map(|property| Some((property.name.as_str(), property.default_text(nodes, property.nodes[0])?)))
    }
}

/// The schemas that have to fit all variables together: the root, and what it takes from others.
fn certain(nodes: &Nodes) -> Vec<NodeId> {
    let (mut found, mut open) = (Vec::new(), vec![Nodes::ROOT]);
    while let Some(id) = open.pop() {
        if !found.contains(&id) {
            found.push(id);
            open.extend(nodes[id].keywords.iter().flat_map(|keyword| keyword.all()));
        }
    }
    found
}

/// Variables that make programs load or run code: what a declaration says about them, which anybody may edit, is not to
/// reach a child. In a sealed file they are the owner's own words.
fn loads_code(name: &str) -> bool {
    const NAMES: [&str; 27] = [
        "BASH_ENV",
        "CLASSPATH",
        "ENV",
        "GCONV_PATH",
        "GIT_ASKPASS",
        "GIT_CONFIG_GLOBAL",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "IFS",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "NODE_OPTIONS",
        "NODE_PATH",
        "NODE_REPL_EXTERNAL_MODULE",
        "PATH",
        "PERL5DB",
        "PERL5LIB",
        "PERL5OPT",
        "PROMPT_COMMAND",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "RUBYLIB",
        "RUBYOPT",
        "ZDOTDIR",
        "_JAVA_OPTIONS",
    ];
    NAMES.contains(&name) || ["LD_", "DYLD_"].iter().any(|prefix| name.starts_with(prefix))
}

impl Property {
    /// Refuses what contradicts itself, and every default that no child may get.
    fn check(&self, nodes: &Nodes) -> Result<(), SchemaError> {
        let is_declared_public = self.annotation(nodes, |of| of.public.then_some(())).is_some();
        if self.is_secret(nodes) && is_declared_public {
            return Err(SchemaError::rule(&nodes[self.nodes[0]].pointer, "is declared secret and public"));
        }
        self.schemas.iter().map(|id| &nodes[*id]).try_for_each(|node| match &node.default {
            None | Some(Json::Null) => Ok(()),
            Some(default) => self.check_default(&format!("{}/default", node.pointer), &default.as_variable()),
        })
    }

    fn check_default(&self, pointer: &str, text: &str) -> Result<(), SchemaError> {
        let wrong = |what: &str| Err(SchemaError::rule(pointer, what));
        match () {
            () if loads_code(&self.name) => wrong("no declaration sets a variable that makes programs run code"),
            () if self.name.starts_with("ENVSEC_") => wrong("no declaration sets a variable of envsec's own"),
            () if text.contains('\0') || text.len() > MAX_VALUE => wrong("is no text that a variable can hold"),
            () => Ok(()),
        }
    }

    /// The first annotation that is there.
    pub(super) fn annotation<'n, T>(&self, nodes: &'n Nodes, of: impl Fn(&'n Annotations) -> Option<T>) -> Option<T> {
        self.schemas.iter().find_map(|id| of(&nodes[*id].annotations))
    }

    /// Whether it may be missing (`null`), or empty.
    pub(super) fn admits(&self, nodes: &Nodes, special: Special) -> bool {
        self.schemas.iter().any(|id| nodes[*id].admits(special))
    }

    /// The text that it gets by default from one of its schemas. A row of asterisks for a secret is what pydantic shows
    /// instead of a default.
    pub(super) fn default_text(&self, nodes: &Nodes, of: NodeId) -> Option<String> {
        let text = nodes.default(of)?.as_variable();
        let is_masked = text.bytes().all(|byte| byte == b'*') && self.is_secret(nodes);
        (!is_masked).then_some(text)
    }

    pub(super) fn is_secret(&self, nodes: &Nodes) -> bool {
        self.annotation(nodes, |of| of.secret.then_some(())).is_some()
    }

    pub(super) fn is_public(&self, nodes: &Nodes) -> bool {
        secrets::is_public_name(&self.name) || self.annotation(nodes, |of| of.public.then_some(())).is_some()
    }
}
