//! Where the lines of a body stand: a text with its comments, its blank lines and `NAME=` for each entry. There is no value
//! in it, so it can be given to git to be merged, and a body can be put together again after it.

use super::body::{Body, Entry, Replacement};
use super::error::SealedError;
use crate::dotenv::Kind;
use crate::secret::SecretText;
use crate::vars::VarName;
use std::collections::BTreeSet;

/// A line of a body to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// A comment or a blank line, without its end.
    Other(String),
    /// The entry of this name.
    Entry(VarName),
}

impl Body {
    /// The lines without any value.
    pub(super) fn outline(&self) -> String {
        self.pieces().iter().map(Piece::line).collect()
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut entries = self.entries().iter();
        let piece = |node: &crate::dotenv::Node| match node.kind() {
            Kind::Entry(_) => entries.next().map(|entry: &Entry| Piece::Entry(entry.name.clone())),
            Kind::Blank | Kind::Comment => Some(Piece::Other(node.text().trim_end_matches(['\r', '\n']).to_owned())),
        };
        self.nodes().iter().filter_map(piece).collect()
    }

    /// Whether the entries are in the order of their names.
    pub(super) fn is_sorted(&self) -> bool {
        self.entries().is_sorted_by_key(|entry| &entry.name)
    }
}

impl Piece {
    fn line(&self) -> String {
        match self {
            Piece::Other(text) => format!("{text}\n"),
            Piece::Entry(name) => format!("{name}=\n"),
        }
    }

    fn is_comment(&self) -> bool {
        matches!(self, Piece::Other(text) if text.starts_with('#'))
    }
}

/// Puts exactly these names into an outline that git merged: those that are gone are left out, one that stands twice keeps
/// its first place, one that is missing goes where a new one would. `sorted` keeps the order that all sides had.
///
/// # Errors
/// An outline with lines that no body may have.
pub(super) fn arrange(outline: &str, names: &[VarName], sorted: bool) -> Result<Vec<Piece>, SealedError> {
    let wanted: BTreeSet<&str> = names.iter().map(VarName::as_str).collect();
    let mut seen = BTreeSet::new();
    let mut pieces = Vec::new();
    for line in outline.lines() {
        match line.strip_suffix('=').filter(|_| !line.starts_with('#')) {
            None => pieces.push(Piece::Other(line.to_owned())),
            Some(name) => {
                let name = VarName::try_from(name).map_err(|_| SealedError::Text("the merged lines hold no name"))?;
                if wanted.contains(name.as_str()) && seen.insert(name.clone()) {
                    pieces.push(Piece::Entry(name));
                }
            }
        }
    }
    let pieces = if sorted { in_order(pieces) } else { pieces };
    let text: String = pieces.iter().map(Piece::line).collect();
    // Strictly parsed: whatever a comment holds, it is no header line and no control character.
    let mut skeleton = Body::parse(text.as_bytes(), "\n", 0)?;
    for name in names {
        skeleton.put(name, Replacement::Plain(SecretText::default()));
    }
    Ok(skeleton.pieces())
}

/// Two branches added names at the same place, and git put ours above theirs: a later name that is smaller goes up, with
/// the comments right above it, so that the next branches do not meet at the end of the file.
fn in_order(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut groups: Vec<(Vec<Piece>, Option<VarName>)> = Vec::new();
    let mut comments = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Entry(name) => {
                let lines = std::mem::take(&mut comments).into_iter().chain([Piece::Entry(name.clone())]).collect();
                let greater = |(_, other): &(_, Option<VarName>)| other.as_ref().is_some_and(|other| *other > name);
                let place = groups.iter().position(greater).unwrap_or(groups.len());
                groups.insert(place, (lines, Some(name)));
            }
            comment if comment.is_comment() => comments.push(comment),
            blank => {
                comments.push(blank);
                groups.push((std::mem::take(&mut comments), None));
            }
        }
    }
    groups.push((comments, None));
    groups.into_iter().flat_map(|(lines, _)| lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<VarName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn arranged(outline: &str, of: &[&str], sorted: bool) -> String {
        arrange(outline, &names(of), sorted).unwrap().iter().map(Piece::line).collect()
    }

    #[test]
    fn an_outline_gets_exactly_the_names_that_there_are() {
        assert_eq!(arranged("# a\nB=\n\nA=\nGONE=\nB=\n", &["A", "B"], false), "# a\nB=\n\nA=\n");
        assert_eq!(arranged("A=\n# of C\nC=\n", &["A", "B", "C"], true), "A=\nB=\n# of C\nC=\n");
        assert_eq!(arranged("B=\nA=\n", &["A", "B", "C"], false), "B=\nA=\nC=\n");
        assert_eq!(arranged("", &["A"], true), "A=\n");
        assert_eq!(arranged("# a comment=\n#B=\nA=\n", &["A"], true), "# a comment=\n#B=\nA=\n");
    }

    #[test]
    fn what_was_added_at_the_same_place_is_put_in_order_with_its_comments() {
        let outline = "# top\n\nA=\n# of N\nN=\n# of M\nM=\nZ=\n# end\n";
        let expected = "# top\n\nA=\n# of M\nM=\n# of N\nN=\nZ=\n# end\n";
        assert_eq!(arranged(outline, &["A", "M", "N", "Z"], true), expected);
        assert_eq!(arranged(outline, &["A", "M", "N", "Z"], false), outline);
        // What stands above a blank line belongs to nobody.
        assert_eq!(arranged("# top\n\nZ=\nA=\n", &["Z", "A"], true), "# top\n\nA=\nZ=\n");
    }

    #[test]
    fn lines_that_no_body_may_have_do_not_come_in() {
        for outline in ["#envsec:slot id=x type=raw\n", "# \u{1b}[31m\n", "no name\n", "A B=\n"] {
            assert!(arrange(outline, &[], false).is_err(), "{outline:?}");
        }
    }
}
