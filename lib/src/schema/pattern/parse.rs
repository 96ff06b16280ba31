//! The grammar: alternatives, parts and their quantifiers, groups and references to them.

use super::characters::{LINE_END, Set, complement};
use super::program::Program;
use super::tree::{Node, Times};
use super::{MAX_DEPTH, MAX_LENGTH, MAX_WEIGHT, PatternError, Result};

/// `\1` or `\k<name>`, which may stand before its group.
struct Reference {
    at: usize,
    group: GroupId,
}

enum GroupId {
    Number(usize),
    Name(String),
}

/// Reads a pattern.
pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    /// The next of them.
    pub(super) at: usize,
    depth: usize,
    /// The capturing groups, by their names if they have one.
    groups: Vec<Option<String>>,
    references: Vec<Reference>,
}

impl Parser {
    pub(super) fn new(source: &str) -> Result<Self> {
        // Every character has a byte.
        let chars: Vec<char> = source.chars().take(MAX_LENGTH + 1).collect();
        if chars.len() > MAX_LENGTH {
            return Err(PatternError::TooLarge);
        }
        Ok(Self { chars, at: 0, depth: 0, groups: Vec::new(), references: Vec::new() })
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    pub(super) fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        if self.peek().is_some_and(wanted) { self.take() } else { None }
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.chars[self.at..].iter().copied().take(text.len()).eq(text.chars());
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn syntax<T>(at: usize, what: &'static str) -> Result<T> {
        Err(PatternError::Syntax { at: at + 1, what })
    }

    pub(super) fn unsupported<T>(at: usize, what: &'static str) -> Result<T> {
        Err(PatternError::Unsupported { at: at + 1, what })
    }

    pub(super) fn pattern(mut self) -> Result<Program> {
        let whole = self.alternatives()?;
        if self.peek().is_some() {
            return Self::syntax(self.at, "a ) without its (");
        }
        let references = self.references.iter().map(|reference| self.referred(reference)).collect::<Result<_>>()?;
        if whole.weight() > MAX_WEIGHT { Err(PatternError::TooLarge) } else { Ok(Program::new(whole, references)) }
    }

    /// Up to a `)` or the end.
    fn alternatives(&mut self) -> Result<Node> {
        let mut all = vec![self.sequence()?];
        while self.eat("|") {
            all.push(self.sequence()?);
        }
        Ok(Node::alternatives(all))
    }

    fn sequence(&mut self) -> Result<Node> {
        let mut all = Vec::new();
        while let Some(next) = self.take_if(|next| !matches!(next, '|' | ')')) {
            all.push(self.term(next)?);
        }
        Ok(Node::sequence(all))
    }

    /// One part and its quantifier.
    fn term(&mut self, first: char) -> Result<Node> {
        let first_group = self.groups.len();
        let part = self.part(first)?;
        let at = self.at;
        let Some(times) = self.quantifier()? else { return Ok(part) };
        if part.is_assertion() {
            return Self::syntax(at, "nothing to repeat");
        }
        Ok(Node::Repeat { inner: Box::new(part), times, groups: first_group..self.groups.len() })
    }

    fn part(&mut self, first: char) -> Result<Node> {
        let at = self.at - 1;
        match first {
            '^' => Ok(Node::Start),
            '$' => Ok(Node::End),
            '(' => self.group(),
            '\\' => self.outer_escape(at),
            '[' => self.class(at).map(Node::One),
            '.' => Ok(Node::One(Set::new(&complement(LINE_END)))),
            '*' | '+' | '?' => Self::syntax(at, "nothing to repeat"),
            '{' if self.braces().is_some() => Self::syntax(at, "nothing to repeat"),
            other => Ok(Node::One(Set::One(other))),
        }
    }

    fn quantifier(&mut self) -> Result<Option<Times>> {
        let at = self.at;
        let times = match self.take_if(|next| "*+?{".contains(next)) {
            Some('*') => Some((0, None)),
            Some('+') => Some((1, None)),
            Some('?') => Some((0, Some(1))),
            Some(_) => self.braces(),
            None => None,
        };
        let Some((least, most)) = times else {
            self.at = at;
            return Ok(None);
        };
        if most.is_some_and(|most| most < least) {
            return Self::syntax(at, "the numbers of the repetition are in the wrong order");
        }
        Ok(Some(Times { least, most, lazy: self.eat("?") }))
    }

    /// `2}`, `2,}` or `2,3}`; anything else is left where it is.
    fn braces(&mut self) -> Option<(usize, Option<usize>)> {
        let start = self.at;
        let least = self.number();
        let most = if self.eat(",") { self.number() } else { least };
        let times = least.filter(|_| self.eat("}")).map(|least| (least, most));
        if times.is_none() {
            self.at = start;
        }
        times
    }

    /// Decimal digits; a number that is too large for anything is the largest.
    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = self.take_if(|next| next.is_ascii_digit()) {
            digits.push(digit);
        }
        if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(usize::MAX)) }
    }

    /// Behind `(`.
    fn group(&mut self) -> Result<Node> {
        let open = self.at - 1;
        if self.depth == MAX_DEPTH {
            return Self::unsupported(open, "more than 50 groups in each other are");
        }
        self.depth += 1;
        let group = self.group_kind(open)?;
        self.depth -= 1;
        if self.eat(")") { Ok(group) } else { Self::syntax(open, "the group is never closed") }
    }

    fn group_kind(&mut self, open: usize) -> Result<Node> {
        for (kind, behind, negative) in
            [("?=", false, false), ("?!", false, true), ("?<=", true, false), ("?<!", true, true)]
        {
            if self.eat(kind) {
                return Ok(Node::Look { behind, negative, inner: Box::new(self.alternatives()?) });
            }
        }
        if self.eat("?:") {
            return self.grouped();
        }
        let name = if self.eat("?<") { Some(self.new_name()?) } else { None };
        if self.peek() == Some('?') {
            return Self::syntax(open, "no such kind of group");
        }
        self.groups.push(name);
        let number = self.groups.len() - 1;
        Ok(Node::Capture(number, Box::new(self.alternatives()?)))
    }

    /// A lone assertion may be repeated in its group, and not without it.
    fn grouped(&mut self) -> Result<Node> {
        let inner = self.alternatives()?;
        Ok(if inner.is_assertion() { Node::Sequence(vec![inner]) } else { inner })
    }

    /// Behind `?<` or `\k<`: the name, with its `>`.
    fn name(&mut self) -> Result<String> {
        let start = self.at;
        let mut name = String::new();
        while let Some(next) = self.take_if(|next| next.is_alphanumeric() || "_$".contains(next)) {
            name.push(next);
        }
        let named = name.chars().next().is_some_and(|first| !first.is_numeric());
        if named && self.eat(">") { Ok(name) } else { Self::syntax(start, "not the name of a group") }
    }

    fn new_name(&mut self) -> Result<String> {
        let start = self.at;
        let name = self.name()?;
        if self.groups.iter().any(|group| group.as_ref() == Some(&name)) {
            return Self::syntax(start, "a second group of this name");
        }
        Ok(name)
    }

    fn referred(&self, reference: &Reference) -> Result<usize> {
        let found = match &reference.group {
            GroupId::Number(number) => (*number <= self.groups.len()).then(|| number - 1),
            GroupId::Name(name) => self.groups.iter().position(|group| group.as_ref() == Some(name)),
        };
        found.map_or_else(|| Self::syntax(reference.at, "a reference to a group that is not there"), Ok)
    }

    fn reference(&mut self, at: usize, group: GroupId) -> Node {
        self.references.push(Reference { at, group });
        Node::Reference(self.references.len() - 1)
    }

    /// Behind a `\` that is not in a class.
    fn outer_escape(&mut self, at: usize) -> Result<Node> {
        if self.eat("b") {
            return Ok(Node::Boundary(true));
        }
        if self.eat("B") {
            return Ok(Node::Boundary(false));
        }
        if self.peek().is_some_and(|next| matches!(next, '1'..='9')) {
            let number = self.number().unwrap_or(usize::MAX);
            return Ok(self.reference(at, GroupId::Number(number)));
        }
        if self.eat("k") {
            let opened = self.eat("<");
            let name = if opened { self.name()? } else { return Self::syntax(at, r"\k needs the <name> of a group") };
            return Ok(self.reference(at, GroupId::Name(name)));
        }
        Ok(Node::One(Set::new(&self.escape(at)?.ranges())))
    }
}
