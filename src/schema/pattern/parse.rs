//! The grammar: alternatives, parts and their quantifiers, groups and references to them.

use super::characters::{LINE_END, complement, word_boundary};
use super::piece::{Piece, Times};
use super::{MAX_DEPTH, MAX_LENGTH, MAX_WEIGHT, PatternError, Result};

/// A capturing group.
struct Group {
    name: Option<String>,
    closed: bool,
    /// A match of what stands around it may do without it.
    optional: bool,
    /// ECMA empties it where the engine keeps what an earlier round of a loop put there, or the other way round.
    unclear: bool,
}

/// `\1` or `\k<name>`.
struct Reference {
    at: usize,
    group: GroupId,
    /// The group was complete before, so that there may be something to refer to.
    backward: bool,
}

#[derive(PartialEq, Eq)]
enum GroupId {
    Number(usize),
    Name(String),
}

/// Reads a pattern and writes it again.
pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    /// The next of them.
    pub(super) at: usize,
    depth: usize,
    lookbehinds: usize,
    /// There are lookarounds or references.
    pub(super) backtracks: bool,
    groups: Vec<Group>,
    references: Vec<Reference>,
}

impl Parser {
    pub(super) fn new(source: &str) -> Result<Self> {
        // Every character has a byte.
        let chars: Vec<char> = source.chars().take(MAX_LENGTH + 1).collect();
        if chars.len() > MAX_LENGTH {
            return Err(PatternError::TooLarge);
        }
        Ok(Self {
            chars,
            at: 0,
            depth: 0,
            lookbehinds: 0,
            backtracks: false,
            groups: Vec::new(),
            references: Vec::new(),
        })
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

    pub(super) fn pattern(&mut self) -> Result<String> {
        let whole = self.alternatives()?;
        if self.peek().is_some() {
            return Self::syntax(self.at, "a ) without its (");
        }
        self.check_references()?;
        if whole.weight > MAX_WEIGHT { Err(PatternError::TooLarge) } else { Ok(whole.text) }
    }

    /// Up to a `)` or the end.
    fn alternatives(&mut self) -> Result<Piece> {
        let first_group = self.groups.len();
        let mut all = self.sequence()?;
        while self.eat("|") {
            all = all.or(&self.sequence()?);
            self.groups[first_group..].iter_mut().for_each(|group| group.optional = true);
        }
        Ok(all)
    }

    fn sequence(&mut self) -> Result<Piece> {
        let mut all = Piece { nullable: true, ..Piece::default() };
        while let Some(next) = self.take_if(|next| !matches!(next, '|' | ')')) {
            all = all.followed_by(&self.term(next)?);
        }
        Ok(all)
    }

    /// One part and its quantifier.
    fn term(&mut self, first: char) -> Result<Piece> {
        let (at, first_group) = (self.at - 1, self.groups.len());
        let (part, repeatable) = match first {
            '^' | '$' => (Piece::look(first, 1), false),
            '(' => self.group()?,
            '\\' if self.eat("b") => (self.boundary(true), false),
            '\\' if self.eat("B") => (self.boundary(false), false),
            '\\' => (self.outer_escape(at)?, true),
            '[' => (self.class(at)?, true),
            '.' => (Piece::set(&complement(LINE_END)), true),
            '*' | '+' | '?' => return Self::syntax(at, "nothing to repeat"),
            '{' if self.braces().is_some() => return Self::syntax(at, "nothing to repeat"),
            other => (Piece::literal(other), true),
        };
        let at = self.at;
        let Some(times) = self.quantifier()? else { return Ok(part) };
        if !repeatable {
            return Self::syntax(at, "nothing to repeat");
        }
        if !part.consumes {
            return Self::unsupported(at, "repeating what takes no characters is");
        }
        self.note_loop(first_group, times, part.nullable);
        let lazy = self.eat("?");
        part.repeated(times, lazy)
    }

    fn quantifier(&mut self) -> Result<Option<Times>> {
        let at = self.at;
        let times = match self.take_if(|next| "*+?{".contains(next)) {
            Some('*') => Times { least: 0, most: None },
            Some('+') => Times { least: 1, most: None },
            Some('?') => Times { least: 0, most: Some(1) },
            Some(_) => match self.braces() {
                Some(times) => times,
                None => {
                    self.at = at;
                    return Ok(None);
                }
            },
            None => return Ok(None),
        };
        if times.most.is_some_and(|most| most < times.least) {
            return Self::syntax(at, "the numbers of the repetition are in the wrong order");
        }
        Ok(Some(times))
    }

    /// `2}`, `2,}` or `2,3}`; anything else is left where it is.
    fn braces(&mut self) -> Option<Times> {
        let start = self.at;
        let least = self.number();
        let most = if self.eat(",") { self.number() } else { least };
        let times = least.filter(|_| self.eat("}")).map(|least| Times { least, most });
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

    /// What a repetition means to the groups inside it.
    fn note_loop(&mut self, first_group: usize, times: Times, nullable: bool) {
        for group in &mut self.groups[first_group..] {
            group.unclear |= times.most != Some(1) && (nullable || group.optional);
            group.optional |= times.least == 0;
        }
    }

    /// Behind `(`: the group, and whether a quantifier may follow.
    fn group(&mut self) -> Result<(Piece, bool)> {
        let open = self.at - 1;
        if self.depth == MAX_DEPTH {
            return Self::unsupported(open, "more than 50 groups in each other are");
        }
        self.depth += 1;
        let group = self.group_kind(open)?;
        self.depth -= 1;
        if self.eat(")") { Ok(group) } else { Self::syntax(open, "the group is never closed") }
    }

    fn group_kind(&mut self, open: usize) -> Result<(Piece, bool)> {
        for ahead in ["?=", "?!"] {
            if self.eat(ahead) {
                return Ok((self.look(ahead)?, false));
            }
        }
        for behind in ["?<=", "?<!"] {
            if self.eat(behind) {
                return Ok((self.lookbehind(behind)?, false));
            }
        }
        if self.eat("?:") {
            return Ok((self.alternatives()?.wrapped("(?:"), true));
        }
        let name = if self.eat("?<") { Some(self.new_name()?) } else { None };
        if self.peek() == Some('?') {
            return Self::syntax(open, "no such kind of group");
        }
        Ok((self.capture(name)?, true))
    }

    fn boundary(&mut self, is: bool) -> Piece {
        self.backtracks = true;
        Piece::look(word_boundary(is), 4)
    }

    fn look(&mut self, kind: &str) -> Result<Piece> {
        self.backtracks = true;
        let inner = self.alternatives()?;
        Ok(Piece::look(format!("({kind}{})", inner.text), inner.weight))
    }

    fn lookbehind(&mut self, kind: &str) -> Result<Piece> {
        let first_group = self.groups.len();
        self.lookbehinds += 1;
        let piece = self.look(kind)?;
        self.lookbehinds -= 1;
        // ECMA fills them from right to left.
        self.groups[first_group..].iter_mut().for_each(|group| group.unclear = true);
        Ok(piece)
    }

    fn capture(&mut self, name: Option<String>) -> Result<Piece> {
        let index = self.groups.len();
        self.groups.push(Group { name, closed: false, optional: false, unclear: false });
        let inner = self.alternatives()?;
        self.groups[index].closed = true;
        Ok(inner.wrapped("("))
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
        if self.groups.iter().any(|group| group.name.as_ref() == Some(&name)) {
            return Self::syntax(start, "a second group of this name");
        }
        Ok(name)
    }

    fn index(&self, id: &GroupId) -> Option<usize> {
        match id {
            GroupId::Number(number) => (*number <= self.groups.len()).then(|| number - 1),
            GroupId::Name(name) => self.groups.iter().position(|group| group.name.as_ref() == Some(name)),
        }
    }

    /// A group that is not complete, or took no part, stands for the empty text in ECMA.
    fn reference(&mut self, at: usize, group: GroupId) -> Result<Piece> {
        if self.lookbehinds > 0 {
            return Self::unsupported(at, "a back reference in a lookbehind is");
        }
        self.backtracks = true;
        let complete = self.index(&group).filter(|index| self.groups[*index].closed);
        self.references.push(Reference { at, group, backward: complete.is_some() });
        Ok(match complete {
            Some(index) => {
                Piece { text: format!(r"(?:(?({0})\{0}))", index + 1), nullable: true, consumes: true, weight: 1 }
            }
            None => Piece::look("", 0),
        })
    }

    fn check_references(&self) -> Result<()> {
        for Reference { at, group, backward } in &self.references {
            match self.index(group) {
                None => return Self::syntax(*at, "a reference to a group that is not there"),
                Some(index) if *backward && self.groups[index].unclear => {
                    return Self::unsupported(*at, "a reference to a group that a repetition may leave out is");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Behind a `\` that is not in a class.
    fn outer_escape(&mut self, at: usize) -> Result<Piece> {
        if self.peek().is_some_and(|next| matches!(next, '1'..='9')) {
            let number = self.number().unwrap_or(usize::MAX);
            return self.reference(at, GroupId::Number(number));
        }
        if self.eat("k") {
            let opened = self.eat("<");
            let name = if opened { self.name()? } else { return Self::syntax(at, r"\k needs the <name> of a group") };
            return self.reference(at, GroupId::Name(name));
        }
        Ok(Piece::set(&self.escape(at)?.ranges()))
    }
}
