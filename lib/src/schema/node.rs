//! A declaration as it was loaded: schemas, numbered, and what each keyword can say.

use super::annotations::Annotations;
use super::evaluate::At;
use super::json::Json;
use super::report::Problem;

/// The place of a schema in [`Nodes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct NodeId(pub(super) usize);

/// One schema of the declaration.
#[derive(Default)]
pub(super) struct Node {
    /// Where it stands: a JSON pointer.
    pub(super) pointer: String,
    /// The schema `false`, which nothing fits.
    pub(super) never: bool,
    /// Of `type`: what a text is read as, too.
    pub(super) types: Option<Vec<Type>>,
    /// All other keywords that assert something, as declared.
    pub(super) keywords: Vec<Box<dyn Keyword>>,
    /// Of `properties`.
    pub(super) properties: Vec<(String, NodeId)>,
    /// Of `required`.
    pub(super) required: Vec<String>,
    /// The names that `dependentRequired` and its like ask for, and those that they require then.
    pub(super) dependent: Vec<String>,
    /// Of `default`.
    pub(super) default: Option<Json>,
    /// What it says about the value beside what the value has to be.
    pub(super) annotations: Annotations,
}

/// How many of the schemas that one is made of a report describes: nobody reads more, and references multiply.
const MOST_PARTS: usize = 16;

/// The types of JSON Schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// What a variable can be beside a text that is not empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// Missing: `null` is among what is declared.
    Null,
    /// The empty text: declared by `minLength: 0`, or listed.
    Empty,
}

/// A keyword that asserts something, with its parameters.
pub(super) trait Keyword {
    /// Checks the instance; what is wrong is added to `problems`.
    fn check(&self, at: &At<'_>, problems: &mut Vec<Problem>);

    /// Its part of a sentence about what is expected.
    fn expected(&self) -> Option<&Expected> {
        None
    }

    /// Schemas that all have to fit the same instance.
    fn all(&self) -> &[NodeId] {
        &[]
    }

    /// Schemas of which one has to fit the same instance.
    fn any(&self) -> &[NodeId] {
        &[]
    }

    /// Schemas that are tried on the same instance under a condition.
    fn conditional(&self) -> Vec<NodeId> {
        Vec::new()
    }

    /// Whether it lists the special value as one that is right.
    fn admits(&self, _: Special) -> bool {
        false
    }

    /// The values, where it lists them all.
    fn listed(&self) -> &[Json] {
        &[]
    }

    /// Whether it speaks of every variable with a name of this kind.
    fn matches_name(&self, _name: &str) -> bool {
        false
    }

    /// What is dubious about a variable that is right.
    fn advice(&self, _text: &str) -> Option<&'static str> {
        None
    }
}

/// Words of a report.
#[derive(Clone, Default)]
pub(super) struct Expected {
    /// `a URL`, `one of a, b`: says by itself what is expected; others follow after a comma.
    pub(super) noun: bool,
    pub(super) words: String,
}

/// All schemas of a declaration; the first is the root.
#[derive(Default)]
pub(super) struct Nodes(pub(super) Vec<Node>);

impl std::ops::Index<NodeId> for Nodes {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.0[id.0]
    }
}

impl Nodes {
    pub(super) const ROOT: NodeId = NodeId(0);

    /// The schema and all that are tried on the same instance, each once, as declared. With `certain`, only those that
    /// have to fit or of which one has to.
    pub(super) fn in_place(&self, id: NodeId, certain: bool) -> Vec<NodeId> {
        let (mut found, mut open, mut seen) = (Vec::new(), vec![id], vec![false; self.0.len()]);
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.0], true) {
                continue;
            }
            found.push(id);
            let mut children = Vec::new();
            for keyword in &self[id].keywords {
                children.extend(keyword.all().iter().chain(keyword.any()));
                if !certain {
                    children.extend(keyword.conditional());
                }
            }
            open.extend(children.into_iter().rev());
        }
        found
    }

    /// Whether a property with this schema may be missing (`null`) or empty.
    pub(super) fn admits(&self, id: NodeId, special: Special) -> bool {
        self.in_place(id, true).into_iter().any(|id| self[id].admits(special))
    }

    /// The default of a property: its own, or that of a schema it refers to. `null` is none.
    pub(super) fn default(&self, id: NodeId) -> Option<&Json> {
        let found = self.in_place(id, true).into_iter().find_map(|id| self[id].default.as_ref());
        found.filter(|default| !matches!(default, Json::Null))
    }

    /// What is expected of a value: `an integer, at least 1`.
    pub(super) fn describe(&self, id: NodeId) -> String {
        self.describe_to(id, 0)
    }

    fn describe_to(&self, id: NodeId, depth: usize) -> String {
        let node = &self[id];
        let mut words: Vec<&str> = Vec::new();
        let said: Vec<&Expected> = node.keywords.iter().filter_map(|keyword| keyword.expected()).collect();
        let nouns = said.iter().filter(|expected| expected.noun).map(|expected| expected.words.as_str());
        words.extend(nouns);
        let types: Vec<&str> = node.types.iter().flatten().filter_map(|of| of.words()).collect();
        let types = types.join(" or ");
        if words.is_empty() && !types.is_empty() {
            words.push(&types);
        }
        words.extend(said.iter().filter(|expected| !expected.noun).map(|expected| expected.words.as_str()));
        let mut inner: Vec<String> = Vec::new();
        if depth < 4 {
            for keyword in &node.keywords {
                inner.extend(self.describe_each(keyword.all(), depth));
                let any = self.describe_each(keyword.any(), depth);
                inner.extend((!any.is_empty()).then(|| any.join(" or ")));
            }
        }
        words.extend(inner.iter().map(String::as_str));
        words.join(", ")
    }

    fn describe_each(&self, ids: &[NodeId], depth: usize) -> Vec<String> {
        let of = ids.iter().take(MOST_PARTS).map(|id| self.describe_to(*id, depth + 1));
        let mut of: Vec<String> = of.filter(|words| !words.is_empty()).collect();
        of.dedup();
        of
    }
}

impl Node {
    /// Whether it lists the special value by itself.
    pub(super) fn admits(&self, special: Special) -> bool {
        let by_type = self.types.as_ref().is_some_and(|types| types.contains(&Type::Null));
        (special == Special::Null && by_type) || self.keywords.iter().any(|keyword| keyword.admits(special))
    }
}

impl Type {
    /// By the name that JSON Schema gives it.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => Type::Array,
            "object" => Type::Object,
            _ => return None,
        })
    }

    /// What a report calls it; null is no value that a variable could have.
    pub(super) fn words(self) -> Option<&'static str> {
        Some(match self {
            Type::Null => return None,
            Type::Boolean => "true or false",
            Type::Integer => "an integer",
            Type::Number => "a number",
            Type::String => "text",
            Type::Array => "a JSON array",
            Type::Object => "a JSON object",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Schema;

    fn described(schema: &str) -> String {
        let schema = Schema::load(format!(r#"{{"properties": {{"A": {schema}}}}}"#).as_bytes());
        schema.map(|schema| schema.property("A").map(|a| a.expected()).unwrap_or_default()).unwrap_or_default()
    }

    /// zod's `startsWith` with `endsWith` is an `allOf`, which was described as a choice.
    #[test]
    fn what_has_to_hold_together_is_no_choice() {
        let both = r#"{"type": "string", "allOf": [{"pattern": "^sk_.*"}, {"pattern": ".*_x$"}]}"#;
        assert_eq!(described(both), "text, beginning with sk_, ending with _x");
        assert_eq!(described(&both.replace("allOf", "anyOf")), "text, beginning with sk_ or ending with _x");
    }

    /// A schema refers to others, and those again.
    #[test]
    fn a_report_describes_four_levels_of_schemas_below_the_first() {
        let nested =
            (1..=6).rev().fold("{}".to_owned(), |inner, at| format!(r#"{{"minLength": {at}, "allOf": [{inner}]}}"#));
        let words = "at least 1 character, at least 2 characters, at least 3 characters, at least 4 characters, \
                     at least 5 characters";
        assert_eq!(described(&nested), words);
    }
}
