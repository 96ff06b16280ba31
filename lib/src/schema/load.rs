//! From the text of a declaration to its schemas: strict, every keyword known or an annotation, every reference inside.

use super::annotations::Annotations;
use super::error::SchemaError;
use super::evaluate::MAX_DEPTH;
use super::json::{Json, escaped};
use super::keywords::{self, Kind};
use super::node::{Node, NodeId, Nodes, Type};
use std::collections::BTreeMap;

/// Which edition of JSON Schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Draft {
    /// draft-07: what stands beside `$ref` does not count.
    Seven,
    /// 2019-09 and 2020-12.
    Later,
}

/// What a declaration was loaded to.
pub(super) struct Loaded {
    pub(super) nodes: Nodes,
    /// Keywords that say nothing to envsec: their JSON pointers.
    pub(super) unknown: Vec<String>,
    /// Keywords that cannot take effect: their JSON pointers and why.
    pub(super) ignored: Vec<(String, &'static str)>,
}

/// A declaration while it is loaded. No recursion: what is nested waits in `open`.
pub(super) struct Loader<'j> {
    root: &'j Json,
    draft: Draft,
    nodes: Vec<Node>,
    /// The schemas by their JSON pointers, where a `$ref` may ask for one.
    places: Option<BTreeMap<String, NodeId>>,
    open: Vec<(NodeId, &'j Json)>,
    unknown: Vec<String>,
    ignored: Vec<(String, &'static str)>,
}

/// A keyword in its schema.
pub(super) struct Found<'j, 'p> {
    pub(super) name: &'static str,
    pub(super) json: &'j Json,
    /// The schema that it stands in.
    pub(super) schema: &'j Json,
    /// The JSON pointer of that schema.
    pub(super) schema_pointer: &'p str,
}

impl Found<'_, '_> {
    pub(super) fn pointer(&self) -> String {
        format!("{}/{}", self.schema_pointer, escaped(self.name))
    }

    pub(super) fn error(&self, what: impl Into<String>) -> SchemaError {
        SchemaError::rule(&self.pointer(), what)
    }
}

/// Loads a declaration: an object, or `true` or `false`.
pub(super) fn load(root: &Json) -> Result<Loaded, SchemaError> {
    let draft = draft(root)?;
    let mut loader = Loader {
        root,
        draft,
        // Most declarations have fewer; a list that grows is copied, and each page that it touches costs a start 2 µs.
        nodes: Vec::with_capacity(64),
        places: has_references(root).then(BTreeMap::new),
        open: Vec::new(),
        unknown: Vec::new(),
        ignored: Vec::new(),
    };
    loader.schema(String::new(), root);
    while let Some((id, json)) = loader.open.pop() {
        let pointer = std::mem::take(&mut loader.nodes[id.0].pointer);
        let node = loader.node(json, &pointer)?;
        loader.nodes[id.0] = Node { pointer, ..node };
    }
    let nodes = Nodes(loader.nodes);
    refuse_cycles(&nodes)?;
    loader.unknown.sort();
    Ok(Loaded { nodes, unknown: loader.unknown, ignored: loader.ignored })
}

fn has_references(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(has_references),
        Json::Object(members) => members.iter().any(|(name, value)| name == "$ref" || has_references(value)),
        _ => false,
    }
}

fn draft(root: &Json) -> Result<Draft, SchemaError> {
    let Some(named) = root.get("$schema") else { return Ok(Draft::Later) };
    match named.as_str().map(|uri| uri.trim_end_matches('#')) {
        Some("https://json-schema.org/draft/2020-12/schema" | "https://json-schema.org/draft/2019-09/schema") => {
            Ok(Draft::Later)
        }
        Some("http://json-schema.org/draft-07/schema" | "https://json-schema.org/draft-07/schema") => Ok(Draft::Seven),
        _ => Err(SchemaError::rule("/$schema", "is none of the drafts 2020-12, 2019-09 and 07")),
    }
}

impl<'j> Loader<'j> {
    /// The schema at a place, which is loaded later if it was not met before.
    pub(super) fn schema(&mut self, pointer: String, json: &'j Json) -> NodeId {
        let id = NodeId(self.nodes.len());
        if let Some(places) = &mut self.places {
            if let Some(known) = places.get(&pointer) {
                return *known;
            }
            places.insert(pointer.clone(), id);
        }
        self.nodes.push(Node { pointer, ..Node::default() });
        self.open.push((id, json));
        id
    }

    /// The one schema that a keyword holds.
    pub(super) fn child(&mut self, found: &Found<'j, '_>) -> NodeId {
        self.schema(found.pointer(), found.json)
    }

    /// The schemas of a keyword that has a list of them.
    pub(super) fn list(&mut self, found: &Found<'j, '_>) -> Result<Vec<NodeId>, SchemaError> {
        match found.json {
            Json::Array(items) if !items.is_empty() => {
                let pointer = found.pointer();
                Ok(items.iter().enumerate().map(|(at, item)| self.schema(format!("{pointer}/{at}"), item)).collect())
            }
            _ => Err(found.error("is no list of schemas")),
        }
    }

    /// The schemas of a keyword that has them by name.
    pub(super) fn map(&mut self, found: &Found<'j, '_>) -> Result<Vec<(String, NodeId)>, SchemaError> {
        let Json::Object(members) = found.json else { return Err(found.error("is no object of schemas")) };
        let pointer = found.pointer();
        let of = |(name, json): &'j (String, Json)| {
            (name.clone(), self.schema(format!("{pointer}/{}", escaped(name)), json))
        };
        Ok(members.iter().map(of).collect())
    }

    /// The schema that a `$ref` leads to.
    pub(super) fn reference(&mut self, found: &Found<'j, '_>) -> Result<NodeId, SchemaError> {
        let text = found.json.as_str().ok_or_else(|| found.error("is no text"))?;
        let Some(pointer) = text.strip_prefix('#').and_then(percent_decoded) else {
            return Err(found.error("leads out of this file; only #/... is followed"));
        };
        if let Some(known) = self.places.as_ref().and_then(|places| places.get(&pointer)) {
            return Ok(*known);
        }
        let target = self.root.at(&pointer).ok_or_else(|| found.error("leads to nothing in this file"))?;
        Ok(self.schema(pointer, target))
    }

    fn node(&mut self, json: &'j Json, pointer: &str) -> Result<Node, SchemaError> {
        let members = match json {
            Json::Bool(all) => return Ok(Node { never: !all, ..Node::default() }),
            Json::Object(members) => members,
            _ => return Err(SchemaError::rule(pointer, "is no schema: neither an object nor true or false")),
        };
        let mut node = Node { annotations: Annotations::load(json, pointer)?, ..Node::default() };
        let only_reference = self.draft == Draft::Seven && json.get("$ref").is_some();
        for (name, value) in members {
            let place = || format!("{pointer}/{}", escaped(name));
            match keywords::kind(name) {
                Kind::Asserts(_) if only_reference && name != "$ref" => {
                    self.ignored.push((place(), "stands beside $ref, where draft-07 does not look"));
                }
                Kind::Asserts(keyword) => {
                    let found = Found { name: keyword.name, json: value, schema: json, schema_pointer: pointer };
                    (keyword.load)(self, &found, &mut node)?;
                }
                Kind::Annotation if name == "$id" && !pointer.is_empty() => {
                    return Err(SchemaError::rule(&place(), "a schema with a name of its own inside of another"));
                }
                Kind::Annotation if matches!(name.as_str(), "then" | "else") && json.get("if").is_none() => {
                    self.ignored.push((place(), "without an if: never looked at"));
                }
                Kind::Annotation => {}
                Kind::Unsupported => return Err(SchemaError::rule(&place(), "envsec does not keep this rule")),
                Kind::Unknown(Some(meant)) => {
                    return Err(SchemaError::rule(&place(), format!("is no keyword; {meant} is one")));
                }
                Kind::Unknown(None) => self.unknown.push(place()),
            }
        }
        if let Some(default) = json.get("default") {
            node.default = Some(default.duplicate());
        }
        Ok(node)
    }
}

/// `type`: one name, or a list of them.
pub(super) fn types(found: &Found<'_, '_>) -> Result<Vec<Type>, SchemaError> {
    let of =
        |json: &Json| json.as_str().and_then(Type::of_name).ok_or_else(|| found.error("is no type of JSON Schema"));
    match found.json {
        Json::Array(items) if !items.is_empty() => items.iter().map(of).collect(),
        one => Ok(vec![of(one)?]),
    }
}

/// The fragment of a URI reference (RFC 3986 section 2.1); `None` if it is no JSON pointer.
fn percent_decoded(fragment: &str) -> Option<String> {
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    let (mut bytes, mut rest) = (Vec::new(), fragment.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Refuses schemas that apply themselves to the same instance again: they would never end; and a row of references that
/// is longer than may be checked.
fn refuse_cycles(nodes: &Nodes) -> Result<(), SchemaError> {
    let children = |id: NodeId| -> Vec<NodeId> {
        let mut children = Vec::new();
        for keyword in &nodes[id].keywords {
            children.extend(keyword.all().iter().chain(keyword.any()));
            children.extend(keyword.conditional());
        }
        children
    };
    let (mut done, mut on_path) = (vec![false; nodes.0.len()], vec![false; nodes.0.len()]);
    for start in (0..nodes.0.len()).map(NodeId) {
        let mut path = vec![(start, children(start))];
        on_path[start.0] = true;
        while let Some((id, open)) = path.last_mut() {
            match open.pop() {
                Some(next) if on_path[next.0] => {
                    return Err(SchemaError::rule(&nodes[next].pointer, "leads back to itself by $ref"));
                }
                Some(next) if !done[next.0] => {
                    on_path[next.0] = true;
                    path.push((next, children(next)));
                    if path.len() > MAX_DEPTH as usize {
                        return Err(SchemaError::TooComplex);
                    }
                }
                Some(_) => {}
                None => {
                    (done[id.0], on_path[id.0]) = (true, false);
                    path.pop();
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::Schema;

    fn refusal(schema: &str) -> Option<String> {
        Schema::load(schema.as_bytes()).err().map(|error| error.to_string())
    }

    #[test]
    fn references_in_a_circle_are_refused() {
        for (schema, place) in [
            (r##"{"$ref": "#"}"##, "/"),
            (r##"{"anyOf": [{"$ref": "#"}]}"##, "/"),
            (r##"{"if": true, "then": {"$ref": "#"}}"##, "/"),
            (r##"{"if": true, "else": {"$ref": "#"}}"##, "/"),
            (r##"{"dependentSchemas": {"A": {"$ref": "#"}}}"##, "/"),
            (r##"{"properties": {"A": {"not": {"$ref": "#/properties/A"}}}}"##, "/properties/A"),
            (
                r##"{"$defs": {"a": {"oneOf": [{"$ref": "#/$defs/b"}]}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}"##,
                "/$defs/a",
            ),
        ] {
            assert_eq!(refusal(schema), Some(format!("{place}: leads back to itself by $ref")), "{schema}");
        }
        // Each of these goes on to a part of the value.
        for schema in [
            r##"{"properties": {"A": {"$ref": "#"}}}"##,
            r##"{"properties": {"A": {"items": {"$ref": "#/properties/A"}, "contains": {"$ref": "#/properties/A"}}}}"##,
            r##"{"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}"##,
        ] {
            assert_eq!(refusal(schema), None, "{schema}");
        }
    }

    /// `A`, and `length` definitions behind it of which each leads to the next.
    fn row(length: usize) -> String {
        let link = |at: usize| format!(r##""d{at}": {{"$ref": "#/$defs/d{}"}}, "##, at + 1);
        let links: String = (1..length).map(link).collect();
        format!(r##"{{"properties": {{"A": {{"$ref": "#/$defs/d1"}}}}, "$defs": {{{links}"d{length}": {{}}}}}}"##)
    }

    #[test]
    fn a_row_of_references_is_as_long_as_can_be_checked() {
        assert_eq!(refusal(&row(255)), None);
        let too_complex = "takes more than a million steps to check, or is nested too deeply";
        assert_eq!(refusal(&row(256)).as_deref(), Some(too_complex));
    }

    #[test]
    fn a_reference_is_a_pointer_in_a_fragment() {
        let schema = |reference: &str| {
            format!(
                r#"{{"$defs": {{"a b": {{}}, "a%": {{}}, "a/b": {{}}}}, "properties": {{"A": {{"$ref": {reference}}}}}}}"#
            )
        };
        for right in
            ["#/$defs/a b", "#/$defs/a%20b", "#/%24defs/a%20b", "#/$defs/a%25", "#/$defs/a~1b", "#/$defs/a%7E1b"]
        {
            assert_eq!(refusal(&schema(&format!("{right:?}"))), None, "{right}");
        }
        let out = "leads out of this file; only #/... is followed";
        for (wrong, what) in [
            ("1", "is no text"),
            (r##""#/$defs/a%""##, out),
            (r##""#/$defs/a%2""##, out),
            (r##""#/$defs/a%zz""##, out),
            (r##""#/$defs/%ff""##, out),
            (r##""#$defs""##, out),
            (r#""/$defs/a%20b""#, out),
            (r##""#/$defs/a/b""##, "leads to nothing in this file"),
        ] {
            assert_eq!(refusal(&schema(wrong)), Some(format!("/properties/A/$ref: {what}")), "{wrong}");
        }
    }
}
