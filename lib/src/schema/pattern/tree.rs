//! What a pattern says.

use super::characters::Set;
use std::ops::Range;

/// A part of a pattern.
pub(super) enum Node {
    /// One character.
    One(Set),
    /// `^`
    Start,
    /// `$`
    End,
    /// `\b`, or `\B` if false.
    Boundary(bool),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    /// The group of this number, from 0.
    Capture(usize, Box<Node>),
    /// The reference of this number: which group it means is known at the end.
    Reference(usize),
    Look {
        behind: bool,
        negative: bool,
        inner: Box<Node>,
    },
    Repeat {
        inner: Box<Node>,
        times: Times,
        /// The capturing groups inside.
        groups: Range<usize>,
    },
}

/// How often a part is repeated.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) lazy: bool,
}

impl Node {
    pub(super) fn sequence(parts: Vec<Node>) -> Node {
        Node::only(parts).unwrap_or_else(Node::Sequence)
    }

    pub(super) fn alternatives(parts: Vec<Node>) -> Node {
        Node::only(parts).unwrap_or_else(Node::Alternatives)
    }

    fn only(parts: Vec<Node>) -> Result<Node, Vec<Node>> {
        <[Node; 1]>::try_from(parts).map(|[only]| only)
    }

    pub(super) fn is_assertion(&self) -> bool {
        matches!(self, Node::Start | Node::End | Node::Boundary(_) | Node::Look { .. })
    }

    /// It may match the empty text.
    pub(super) fn nullable(&self) -> bool {
        match self {
            Node::One(_) => false,
            Node::Start | Node::End | Node::Boundary(_) | Node::Reference(_) | Node::Look { .. } => true,
            Node::Sequence(parts) => parts.iter().all(Node::nullable),
            Node::Alternatives(parts) => parts.iter().any(Node::nullable),
            Node::Capture(_, inner) => inner.nullable(),
            Node::Repeat { inner, times, .. } => times.least == 0 || inner.nullable(),
        }
    }

    /// It matches at the start of the text only.
    pub(super) fn anchored(&self) -> bool {
        match self {
            Node::Start => true,
            Node::Sequence(parts) => parts.first().is_some_and(Node::anchored),
            Node::Alternatives(parts) => parts.iter().all(Node::anchored),
            Node::Capture(_, inner) => inner.anchored(),
            _ => false,
        }
    }

    /// How many parts there are once the counted repetitions are written out.
    pub(super) fn weight(&self) -> usize {
        match self {
            Node::Sequence(parts) | Node::Alternatives(parts) => {
                parts.iter().map(Node::weight).fold(1, usize::saturating_add)
            }
            Node::Capture(_, inner) | Node::Look { inner, .. } => inner.weight(),
            Node::Repeat { inner, times, .. } => {
                inner.weight().saturating_mul(times.most.unwrap_or(times.least).max(1))
            }
            _ => 1,
        }
    }
}
