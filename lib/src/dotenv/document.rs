//! A dotenv text as a list of nodes, and the edits of it.

use super::node::{EntryRef, Kind, Node};
use super::{Dialect, Duplicates, SyntaxError};
use crate::secret::{Secret, SecretText};
use crate::vars::VarName;
use std::collections::BTreeMap;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A parsed dotenv text. Its nodes put together are the text, to the byte.
pub struct Document {
    nodes: Vec<Node>,
    bom: bool,
    line_end: &'static str,
    duplicates: Duplicates,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// All errors, by place, up to [`super::MAX_ERRORS`].
    pub fn parse(input: &[u8], dialect: Dialect, duplicates: Duplicates) -> Result<Document, Vec<SyntaxError>> {
        let (bom, nodes) = super::parse::parse(input, dialect, duplicates)?;
        // A first node of several lines may hold more than one line end; the first one counts.
        let first = nodes.first().and_then(|node| node.text().split_inclusive('\n').next());
        let line_end = if first.is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        Ok(Document { nodes, bom, line_end, duplicates })
    }

    /// A document without any line, to which lines that end in `line_end` are added.
    pub fn empty(line_end: &'static str) -> Self {
        Document { nodes: Vec::new(), bom: false, line_end, duplicates: Duplicates::Refuse }
    }

    /// The same document as a part of a larger text whose lines end in `line_end`.
    pub fn with_line_end(self, line_end: &'static str) -> Self {
        Document { line_end, ..self }
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether the text starts with a byte order mark.
    pub fn bom(&self) -> bool {
        self.bom
    }

    /// How the first line ends, and so those that are added: `"\n"` or `"\r\n"`.
    pub fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// All entries with their places among the nodes, duplicates included.
    pub fn entries(&self) -> impl Iterator<Item = (usize, EntryRef<'_>)> {
        self.nodes.iter().enumerate().filter_map(|(at, node)| Some((at, node.entry()?)))
    }

    /// The entries that count, each name once, in the order of the text.
    pub fn effective(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let mut places = BTreeMap::new();
        for (at, entry) in self.entries() {
            let place = places.entry(entry.name()).or_insert(at);
            if self.duplicates == Duplicates::Last {
                *place = at;
            }
        }
        self.entries().filter(move |(at, entry)| places.get(entry.name()) == Some(at)).map(|(_, entry)| entry)
    }

    /// The place of the entry that counts for a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        let mut places = self.entries().filter(|(_, entry)| entry.name() == name).map(|(at, _)| at);
        if self.duplicates == Duplicates::Last { places.last() } else { places.next() }
    }

    /// Adds `name=raw` on a line of its own as node `at`; `raw` is the value's text, quotes included.
    pub fn insert_entry(&mut self, at: usize, name: &VarName, raw: &SecretText) {
        self.insert(at, Node::added_entry(name.as_str(), raw.expose(), self.line_end));
    }

    /// Adds a comment, `#` included, on a line of its own as node `at`.
    pub fn insert_comment(&mut self, at: usize, text: &str) {
        self.insert(at, Node::added(text, self.line_end, Kind::Comment));
    }

    /// Adds an empty line as node `at`.
    pub fn insert_blank(&mut self, at: usize) {
        self.insert(at, Node::added("", self.line_end, Kind::Blank));
    }

    fn insert(&mut self, at: usize, node: Node) {
        if at >= self.nodes.len() {
            self.end_last_line();
        }
        self.nodes.insert(at.min(self.nodes.len()), node);
    }

    fn end_last_line(&mut self) {
        if let Some(last) = self.nodes.last_mut() {
            last.end_line(self.line_end);
        }
    }

    /// Puts `raw`, the value's text with its quotes, in place of the value of the entry at node `at`. All else on its
    /// lines stays; where the new value would run into what follows, a blank or a pair of quotes keeps them apart.
    pub fn replace_value(&mut self, at: usize, raw: &SecretText) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.replace_value(raw.expose());
        }
    }

    /// Cuts what follows the value of the entry at node `at`, blanks and comment, and returns the comment from its `#` on.
    pub fn cut_after_value(&mut self, at: usize) -> Option<SecretText> {
        self.nodes.get_mut(at)?.cut_after_value()
    }

    /// Keeps only the nodes whose place passes; of the others exactly their lines go.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut at = 0;
        self.nodes.retain(|_| {
            at += 1;
            keep(at - 1)
        });
    }

    /// The size of the text in bytes.
    pub fn size(&self) -> usize {
        self.mark().len() + self.nodes.iter().map(|node| node.text().len()).sum::<usize>()
    }

    /// Appends the text to `out`.
    pub fn write_to(&self, out: &mut Secret) {
        out.extend(self.mark().as_bytes());
        self.nodes.iter().for_each(|node| out.extend(node.text().as_bytes()));
    }

    fn mark(&self) -> &'static str {
        if self.bom { BYTE_ORDER_MARK } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes(), Dialect::Own, Duplicates::Refuse).expect("a good text")
    }

    fn written(document: &Document) -> String {
        let mut out = Secret::with_capacity(document.size());
        document.write_to(&mut out);
        String::from_utf8(out.expose().to_vec()).expect("text")
    }

    fn replaced(text: &str, raw: &str) -> String {
        let mut document = document(text);
        document.replace_value(0, &SecretText::from(raw));
        let text = written(&document);
        let entry = document.nodes()[0].entry().expect("an entry");
        assert!(text.starts_with(&format!("{}{}", &text[..entry_start(&text)], entry.after_equals())), "{text:?}");
        let again = self::document(&text);
        let parsed = again.nodes()[0].entry().expect("an entry");
        assert_eq!(parsed.raw_value(), entry.raw_value());
        assert_eq!(parsed.inline_comment(), entry.inline_comment());
        assert_eq!(parsed.quoting(), entry.quoting());
        text
    }

    fn entry_start(text: &str) -> usize {
        text.find(['=', ':']).expect("an entry") + 1
    }

    #[test]
    fn a_new_value_leaves_the_rest_of_its_line() {
        for (text, raw, expected) in [
            ("A=1", "2", "A=2"),
            ("A=1 # one\r\nB=2\r\n", "'x'", "A='x' # one\r\nB=2\r\n"),
            ("\u{feff} export A = 'x\ny'\t#c\nB=2", "2", "\u{feff} export A = 2\t#c\nB=2"),
            ("A: 1 \n", "\"2\"", "A: \"2\" \n"),
            ("A=\n", "2", "A=2\n"),
            ("A:  \n", "2", "A: 2 \n"),
            ("A=1 # same\n", "1", "A=1 # same\n"),
            ("A=$'\\n'\n", "''", "A=''\n"),
        ] {
            assert_eq!(replaced(text, raw), expected, "{text:?}");
        }
    }

    #[test]
    fn a_new_value_never_runs_into_the_comment() {
        assert_eq!(replaced("A='x'#c\n", "y"), "A=y #c\n");
        assert_eq!(replaced("A= # c\n", "y"), "A=y # c\n");
        assert_eq!(replaced("A: #c\n", "y"), "A: y #c\n");
        assert_eq!(replaced("A=x # c\n", ""), "A='' # c\n");
        assert_eq!(replaced("A=x", ""), "A=");
    }

    #[test]
    fn a_comment_is_cut_with_the_blanks_before_it() {
        let mut document = document("A=1 \t# one\r\nB='x\ny'#two\nC=3");
        assert_eq!(document.cut_after_value(0).map(|text| text.expose().to_owned()), Some("# one".into()));
        assert_eq!(document.cut_after_value(1).map(|text| text.expose().to_owned()), Some("#two".into()));
        assert!(document.cut_after_value(2).is_none());
        let mut blanks = self::document("A=1 \t\nB=2");
        assert!(blanks.cut_after_value(0).is_none());
        assert_eq!(written(&blanks), "A=1\nB=2");
        document.insert_comment(1, "#two");
        assert_eq!(written(&document), "A=1\r\n#two\r\nB='x\ny'\nC=3");
        assert!(document.nodes()[0].entry().is_some_and(|entry| entry.after_equals() == "1"));
    }

    #[test]
    fn what_is_added_at_the_end_starts_on_its_own_line() {
        let name = VarName::try_from("N").expect("a name");
        for (text, expected) in [("", "N=1\n"), ("A=1", "A=1\nN=1\n"), ("#c\r\nA=1", "#c\r\nA=1\r\nN=1\r\n")] {
            let mut document = document(text);
            document.insert_entry(document.nodes().len(), &name, &SecretText::from("1"));
            assert_eq!(written(&document), expected);
        }
        let mut document = document("A=1\nB=2");
        document.insert_blank(1);
        document.insert_entry(1, &name, &SecretText::from("'x'"));
        assert_eq!(written(&document), "A=1\nN='x'\n\nB=2");
        assert!(document.nodes()[1].entry().is_some_and(|entry| entry.is_bare_form() && entry.value().expose() == "x"));
    }

    #[test]
    fn an_entry_is_removed_with_all_its_lines() {
        let mut document = document("# c\nA='1\n2' # x\nB=2");
        document.retain(|at| at != 1);
        assert_eq!(written(&document), "# c\nB=2");
        document.retain(|at| at == 0);
        assert_eq!(written(&document), "# c\n");
    }

    #[test]
    fn a_new_value_is_read_by_its_own_quotes() {
        for raw in ["x", "'x'", "\"x\"", "`x`", "$'x'"] {
            let mut document = document("A=1 # c\n");
            document.replace_value(0, &SecretText::from(raw));
            assert!(document.nodes()[0].entry().is_some_and(|entry| entry.value().expose() == "x"), "{raw}");
            assert_eq!(written(&document), format!("A={raw} # c\n"));
        }
    }

    #[test]
    fn the_sealed_form_is_told_apart() {
        for (text, expected) in [
            ("A=1", true),
            ("A=", true),
            ("A='x' # c", true),
            (" A=1", false),
            ("export A=1", false),
            ("A =1", false),
            ("A= 1", false),
            ("A= # c", false),
            ("A: 1", false),
        ] {
            assert_eq!(document(text).nodes()[0].entry().map(|entry| entry.is_bare_form()), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_counts_once() {
        let text = b"A=1\nB=2\nA=3\n";
        for (duplicates, expected, place) in [(Duplicates::First, ["1", "2"], 0), (Duplicates::Last, ["2", "3"], 2)] {
            let document = Document::parse(text, Dialect::Foreign, duplicates).expect("a good text");
            let values: Vec<_> = document.effective().map(|entry| entry.raw_value()).collect();
            assert_eq!(values, expected);
            assert_eq!(document.find("A"), Some(place));
            assert_eq!(document.entries().count(), 3);
        }
    }
}
