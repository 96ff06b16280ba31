//! The instructions that a pattern becomes.

use super::characters::Set;
use super::tree::{Node, Times};
use std::ops::Range;

/// An index into the registers of the matcher.
pub(super) type Register = usize;

/// An index into the instructions.
pub(super) type Label = usize;

/// What the matcher does at a place of the text. `backward`: in a lookbehind, which ECMA-262 matches from right to left.
pub(super) enum Instruction {
    /// Takes one character of the set.
    One { set: Set, backward: bool },
    /// Takes one after the other of the set: a whole repetition in one instruction.
    Run { set: Set, times: Times, backward: bool },
    /// The start of the text.
    Start,
    /// The end of the text.
    End,
    /// Between a word character and another one, or not.
    Boundary(bool),
    /// Goes on here, and there when that fails.
    Split(Label),
    /// Goes on there.
    Jump(Label),
    /// Writes down the place.
    Save(Register),
    /// Takes again what a group took, which is between the place in the register and that in the next one.
    Reference { start: Register, backward: bool },
    /// A lookaround begins; its content follows.
    Look { negative: bool, register: Register, exit: Label },
    /// Its content matched.
    LookEnd { negative: bool, register: Register },
    /// No round of a loop has been run.
    Enter { counter: Register },
    /// Whether there is another round.
    Head(usize),
    /// A round begins; its content follows.
    Round(usize),
    /// A round is over.
    Next(usize),
    /// The pattern matches.
    Match,
}

/// A repetition of more than one character. The registers are its own.
pub(super) struct Loop {
    pub(super) times: Times,
    /// How many rounds are over, up to where it no longer matters.
    pub(super) counter: Register,
    /// Where the round began, if it may take nothing.
    pub(super) began: Option<Register>,
    /// The captures inside, which each round empties.
    pub(super) captures: Range<Register>,
    pub(super) head: Label,
    pub(super) exit: Label,
}

/// A pattern to run.
pub(super) struct Program {
    pub(super) code: Vec<Instruction>,
    pub(super) loops: Vec<Loop>,
    /// Two for each group that is referred to come first.
    pub(super) captures: usize,
    /// All of them.
    pub(super) registers: usize,
    /// It can match at the start of the text only.
    pub(super) anchored: bool,
}

impl Program {
    /// `references`: the group that each of them means.
    pub(super) fn new(tree: Node, references: Vec<usize>) -> Self {
        let mut captured = references.clone();
        captured.sort_unstable();
        captured.dedup();
        let captures = captured.len() * 2;
        let program = Program { code: vec![], loops: vec![], captures, registers: captures, anchored: tree.anchored() };
        let mut compiler = Compiler { program, references, captured, backward: false };
        compiler.node(tree);
        compiler.emit(Instruction::Match);
        compiler.program
    }
}

struct Compiler {
    program: Program,
    references: Vec<usize>,
    /// The groups that are referred to, in order: what others take is never asked.
    captured: Vec<usize>,
    backward: bool,
}

impl Compiler {
    fn here(&self) -> Label {
        self.program.code.len()
    }

    fn emit(&mut self, instruction: Instruction) -> Label {
        self.program.code.push(instruction);
        self.here() - 1
    }

    fn register(&mut self) -> Register {
        self.program.registers += 1;
        self.program.registers - 1
    }

    /// Where the captures of this group and those behind it begin.
    fn capture_register(&self, group: usize) -> Register {
        self.captured.partition_point(|captured| *captured < group) * 2
    }

    fn node(&mut self, node: Node) {
        let backward = self.backward;
        match node {
            Node::One(set) => _ = self.emit(Instruction::One { set, backward }),
            Node::Start => _ = self.emit(Instruction::Start),
            Node::End => _ = self.emit(Instruction::End),
            Node::Boundary(is) => _ = self.emit(Instruction::Boundary(is)),
            Node::Sequence(parts) if backward => parts.into_iter().rev().for_each(|part| self.node(part)),
            Node::Sequence(parts) => parts.into_iter().for_each(|part| self.node(part)),
            Node::Alternatives(parts) => self.alternatives(parts),
            Node::Capture(group, inner) => self.capture(group, *inner),
            Node::Reference(number) => {
                let start = self.capture_register(self.references[number]);
                self.emit(Instruction::Reference { start, backward });
            }
            Node::Look { behind, negative, inner } => self.look(behind, negative, *inner),
            Node::Repeat { inner, times, groups } => self.repeat(*inner, times, groups),
        }
    }

    fn alternatives(&mut self, mut parts: Vec<Node>) {
        let last = parts.pop();
        let mut jumps = Vec::new();
        for part in parts {
            let split = self.emit(Instruction::Split(0));
            self.node(part);
            jumps.push(self.emit(Instruction::Jump(0)));
            self.program.code[split] = Instruction::Split(self.here());
        }
        last.into_iter().for_each(|part| self.node(part));
        for jump in jumps {
            self.program.code[jump] = Instruction::Jump(self.here());
        }
    }

    fn capture(&mut self, group: usize, inner: Node) {
        if self.captured.binary_search(&group).is_err() {
            return self.node(inner);
        }
        let start = self.capture_register(group);
        let (first, second) = if self.backward { (start + 1, start) } else { (start, start + 1) };
        self.emit(Instruction::Save(first));
        self.node(inner);
        self.emit(Instruction::Save(second));
    }

    fn look(&mut self, behind: bool, negative: bool, inner: Node) {
        let register = self.register();
        self.register();
        let look = self.emit(Instruction::Look { negative, register, exit: 0 });
        let outside = std::mem::replace(&mut self.backward, behind);
        self.node(inner);
        self.backward = outside;
        self.emit(Instruction::LookEnd { negative, register });
        self.program.code[look] = Instruction::Look { negative, register, exit: self.here() };
    }

    fn repeat(&mut self, inner: Node, times: Times, groups: Range<usize>) {
        match inner {
            Node::One(set) => _ = self.emit(Instruction::Run { set, times, backward: self.backward }),
            Node::Capture(group, inner) if self.captured.binary_search(&group).is_err() => {
                self.repeat(*inner, times, groups);
            }
            inner => self.rounds(inner, times, &groups),
        }
    }

    fn rounds(&mut self, inner: Node, times: Times, groups: &Range<usize>) {
        let counter = self.register();
        let began = inner.nullable().then(|| self.register());
        let captures = self.capture_register(groups.start)..self.capture_register(groups.end);
        self.emit(Instruction::Enter { counter });
        let number = self.program.loops.len();
        let head = self.emit(Instruction::Head(number));
        self.program.loops.push(Loop { times, counter, began, captures, head, exit: 0 });
        self.emit(Instruction::Round(number));
        self.node(inner);
        self.emit(Instruction::Next(number));
        self.program.loops[number].exit = self.here();
    }
}
