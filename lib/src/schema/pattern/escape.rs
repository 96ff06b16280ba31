//! Escapes and classes.

use super::Result;
use super::characters::{DIGIT, LAST, Range, SPACE, Set, WORD, complement};
use super::parse::Parser;

/// What an escape stands for.
pub(super) enum Escape {
    Char(u32),
    Set(Vec<Range>),
}

impl Escape {
    pub(super) fn ranges(self) -> Vec<Range> {
        match self {
            Escape::Char(code) => vec![(code, code)],
            Escape::Set(set) => set,
        }
    }
}

impl Parser {
    /// Behind a `\`, in a class or not.
    pub(super) fn escape(&mut self, at: usize) -> Result<Escape> {
        let Some(next) = self.take() else { return Self::syntax(at, r"a \ at the end") };
        let set = match next {
            'd' => DIGIT.to_vec(),
            'D' => complement(DIGIT),
            'w' => WORD.to_vec(),
            'W' => complement(WORD),
            's' => SPACE.to_vec(),
            'S' => complement(SPACE),
            'p' | 'P' => return Self::unsupported(at, r"\p{...} is"),
            other => return self.character_escape(at, other).map(Escape::Char),
        };
        Ok(Escape::Set(set))
    }

    fn character_escape(&mut self, at: usize, next: char) -> Result<u32> {
        let code = match next {
            't' => Some(0x09),
            'n' => Some(0x0A),
            'v' => Some(0x0B),
            'f' => Some(0x0C),
            'r' => Some(0x0D),
            'c' => self.take_if(|next| next.is_ascii_alphabetic()).map(|letter| u32::from(letter) % 32),
            '0' => self.peek().is_none_or(|next| !next.is_ascii_digit()).then_some(0),
            'x' => self.hex(2),
            'u' => self.unicode(),
            other => (!other.is_ascii_alphanumeric()).then_some(u32::from(other)),
        };
        code.map_or_else(|| Self::syntax(at, "no such escape"), Ok)
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        (0..digits)
            .try_fold(0, |code, _| Some(code * 16 + self.take_if(|next| next.is_ascii_hexdigit())?.to_digit(16)?))
    }

    /// Behind `\u`: `{1F600}`, `0041`, or a pair of surrogates.
    fn unicode(&mut self) -> Option<u32> {
        if self.eat("{") {
            return self.braced_code();
        }
        let first = self.hex(4)?;
        let after_first = self.at;
        if matches!(first, 0xD800..=0xDBFF)
            && self.eat(r"\u")
            && let Some(second @ 0xDC00..=0xDFFF) = self.hex(4)
        {
            return Some(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
        self.at = after_first;
        Some(first)
    }

    fn braced_code(&mut self) -> Option<u32> {
        let mut code = self.hex(1)?;
        while let Some(digit) = self.hex(1) {
            code = (code * 16 + digit).min(LAST + 1);
        }
        (self.eat("}") && code <= LAST).then_some(code)
    }

    /// Behind `[`.
    pub(super) fn class(&mut self, open: usize) -> Result<Set> {
        let negated = self.eat("^");
        let mut set = Vec::new();
        while !self.eat("]") {
            let at = self.at;
            let from = self.class_item(open)?;
            if self.peek() == Some('-') && self.chars.get(self.at + 1) != Some(&']') {
                self.at += 1;
                let to = self.class_item(open)?;
                set.extend(Self::range(at, from, to)?);
            } else {
                set.extend(from.ranges());
            }
        }
        Ok(Set::new(&if negated { complement(&set) } else { set }))
    }

    fn class_item(&mut self, open: usize) -> Result<Escape> {
        let at = self.at;
        match self.take() {
            None => Self::syntax(open, "the class is never closed"),
            Some('\\') if self.eat("b") => Ok(Escape::Char(0x08)),
            Some('\\') => self.escape(at),
            Some(other) => Ok(Escape::Char(u32::from(other))),
        }
    }

    /// `a-z`; beside a set such as `\w` the `-` is nothing but itself.
    fn range(at: usize, from: Escape, to: Escape) -> Result<Vec<Range>> {
        if let (Escape::Char(from), Escape::Char(to)) = (&from, &to) {
            return if from <= to {
                Ok(vec![(*from, *to)])
            } else {
                Self::syntax(at, "the range is in the wrong order")
            };
        }
        let minus = u32::from('-');
        Ok([from.ranges(), vec![(minus, minus)], to.ranges()].concat())
    }
}
