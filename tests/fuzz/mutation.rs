//! New inputs from those that there are: changed by lines, words and bytes, or put together of two.

use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::RngExt;
use rand::seq::IndexedRandom;

pub(crate) struct Mutator<'c> {
    corpus: &'c [Vec<u8>],
    words: Vec<Vec<u8>>,
    rng: TestRng,
}

impl<'c> Mutator<'c> {
    /// `dictionary` has what the formats are made of, in libFuzzer's form. The same of all gives the same inputs.
    pub(crate) fn new(corpus: &'c [Vec<u8>], dictionary: &str, seed: u64) -> Self {
        let mut bytes = [7; 16];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let words = dictionary.lines().filter(|line| line.starts_with('"')).map(word).collect();
        Mutator { corpus, words, rng: TestRng::from_seed(RngAlgorithm::XorShift, &bytes) }
    }

    /// One more input.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.one_of_corpus();
        for _ in 0..self.rng.random_range(1..=4) {
            input = self.changed(input);
        }
        input
    }

    fn one_of_corpus(&mut self) -> Vec<u8> {
        self.corpus.choose(&mut self.rng).cloned().unwrap_or_default()
    }

    /// A place in a text, its end included.
    fn place(&mut self, input: &[u8]) -> usize {
        self.rng.random_range(0..=input.len())
    }

    /// A stretch of at most `longest` bytes.
    fn stretch(&mut self, input: &[u8], longest: usize) -> std::ops::Range<usize> {
        let start = self.place(input);
        start..(start + self.rng.random_range(0..=longest)).min(input.len())
    }

    /// A line, with the byte that ends it: a line's end, or that of a part of the input.
    fn line(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let at = self.place(input);
        let ends = |byte: &u8| matches!(byte, b'\n' | 0xff | 0);
        let start = input[..at].iter().rposition(ends).map_or(0, |end| end + 1);
        start..input[at..].iter().position(ends).map_or(input.len(), |end| at + end + 1)
    }

    fn changed(&mut self, mut input: Vec<u8>) -> Vec<u8> {
        match self.rng.random_range(0..10) {
            0 if !input.is_empty() => {
                let at = self.rng.random_range(0..input.len());
                input[at] ^= 1 << self.rng.random_range(0..8);
            }
            1 => {
                let (at, byte) = (self.place(&input), self.rng.random());
                input.insert(at, byte);
            }
            2 => drop(input.drain(self.stretch(&input, 8))),
            3 => drop(input.drain(self.line(&input))),
            4 | 5 => {
                let word = self.words.choose(&mut self.rng).cloned().unwrap_or_default();
                let over = self.stretch(&input, word.len() / 2);
                input.splice(over, word);
            }
            6 => {
                let (line, at) = (input[self.line(&input)].to_vec(), self.line(&input).start);
                input.splice(at..at, line);
            }
            7 => {
                let (piece, at) = (input[self.stretch(&input, 32)].to_vec(), self.place(&input));
                input.splice(at..at, piece);
            }
            8 => {
                let other = self.one_of_corpus();
                let (line, over) = (other[self.line(&other)].to_vec(), self.line(&input));
                input.splice(over, line);
            }
            _ => {
                let other = self.one_of_corpus();
                let (end, start) = (self.place(&input), self.place(&other));
                input.truncate(end);
                input.extend_from_slice(&other[start..]);
            }
        }
        input
    }
}

/// `"a\x0d\\"`: the text between the quotes, with these two escapes.
fn word(line: &str) -> Vec<u8> {
    let (mut rest, mut word) = (line.trim_matches('"').as_bytes(), Vec::new());
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match after {
            [b'x', digits @ ..] if *first == b'\\' => {
                let digits = std::str::from_utf8(&digits[..2]).expect("two digits");
                (u8::from_str_radix(digits, 16).expect("hexadecimal"), 4)
            }
            [escaped, ..] if *first == b'\\' => (*escaped, 2),
            _ => (*first, 1),
        };
        word.push(byte);
        rest = &rest[length..];
    }
    word
}
