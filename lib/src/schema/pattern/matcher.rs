//! Runs a program on a text: ECMA-262, 22.2.2, with its continuations turned into a stack of what is left to try.
//!
//! A state is an instruction and a place in the text. Where there is a choice, the state not taken is pushed; where a
//! register changes, its old value is pushed. When a state fails, what was pushed is taken back until a state is found
//! that is still to try. So the text and the pattern may be of any length: nothing here calls itself.

use super::characters::{Set, WORD};
use super::program::{Instruction, Label, Loop, Program, Register};
use super::tree::Times;
use super::{BASIC_STEPS, MAX_FRAMES, PatternError, Result, STEPS_A_BYTE};

/// No place: a capture that took no part.
const UNSET: usize = usize::MAX;

#[derive(Clone, Copy)]
struct State {
    next: Label,
    /// In bytes, between two characters.
    at: usize,
}

/// What to do when the states since have failed.
enum Frame {
    /// Go on in this state.
    Try(State),
    /// A greedy run ended at the state's place: end it one character earlier, but not before it reaches `end`.
    GiveBack { state: State, end: usize },
    /// A lazy run, whose instruction is the state's: take one more character.
    TakeMore { state: State, taken: usize },
    /// A register gets its value back.
    Restore { register: Register, value: usize },
}

pub(super) struct Matcher<'a> {
    program: &'a Program,
    text: &'a str,
    /// Captures, then what loops and lookarounds have to remember.
    registers: Vec<usize>,
    stack: Vec<Frame>,
    /// How many are left. Each instruction, frame and character that is looked at is one.
    steps: usize,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(program: &'a Program, text: &'a str) -> Self {
        let mut registers = vec![UNSET; program.captures];
        registers.resize(program.registers, 0);
        let steps = text.len().saturating_mul(STEPS_A_BYTE).saturating_add(BASIC_STEPS);
        Self { program, text, registers, stack: Vec::new(), steps }
    }

    /// Whether there is a match anywhere.
    pub(super) fn is_match(&mut self) -> Result<bool> {
        let mut start = Some(0);
        while let Some(at) = start {
            if self.may_start(at) && self.matches_at(at)? {
                return Ok(true);
            }
            self.spend(1);
            start = if self.program.anchored { None } else { self.read(at, false).map(|(_, next)| next) };
        }
        Ok(false)
    }

    /// A match that begins with a run inside of all the characters it could have would be one from the first of them.
    fn may_start(&self, at: usize) -> bool {
        match self.program.code.first() {
            Some(Instruction::Run { set, times: Times { most: None, .. }, .. }) => {
                self.read(at, true).is_none_or(|(before, _)| !set.contains(before))
            }
            _ => true,
        }
    }

    fn matches_at(&mut self, at: usize) -> Result<bool> {
        let mut state = Some(State { next: 0, at });
        while let Some(State { next, at }) = state {
            let instruction = &self.program.code[next];
            if matches!(instruction, Instruction::Match) {
                return Ok(true);
            }
            self.spend(1);
            if self.steps == 0 || self.stack.len() > MAX_FRAMES {
                return Err(PatternError::Limit);
            }
            state = self.step(instruction, State { next: next + 1, at }).or_else(|| self.back());
        }
        Ok(false)
    }

    fn spend(&mut self, steps: usize) {
        self.steps = self.steps.saturating_sub(steps);
    }

    /// The next character in this direction, and the place beyond it.
    fn read(&self, at: usize, backward: bool) -> Option<(char, usize)> {
        if backward {
            let character = self.text[..at].chars().next_back()?;
            Some((character, at - character.len_utf8()))
        } else {
            let character = self.text[at..].chars().next()?;
            Some((character, at + character.len_utf8()))
        }
    }

    fn read_one_of(&self, set: &Set, at: usize, backward: bool) -> Option<usize> {
        self.read(at, backward).filter(|(character, _)| set.contains(*character)).map(|(_, beyond)| beyond)
    }

    /// The state after an instruction, unless it fails. `state` has the instruction behind it.
    fn step(&mut self, instruction: &Instruction, state: State) -> Option<State> {
        let at = state.at;
        let on_if = |holds: bool| holds.then_some(state);
        match instruction {
            Instruction::One { set, backward } => self.read_one_of(set, at, *backward).map(|at| State { at, ..state }),
            Instruction::Run { set, times, backward } => self.run(set, *times, *backward, state),
            Instruction::Start => on_if(at == 0),
            Instruction::End => on_if(at == self.text.len()),
            Instruction::Boundary(is) => on_if(self.at_boundary(at) == *is),
            Instruction::Split(other) => {
                self.stack.push(Frame::Try(State { next: *other, at }));
                Some(state)
            }
            Instruction::Jump(to) => Some(State { next: *to, at }),
            Instruction::Save(register) => {
                self.set(*register, at);
                Some(state)
            }
            Instruction::Reference { start, backward } => self.reference(*start, *backward, state),
            Instruction::Look { negative, register, exit } => {
                self.look(*negative, *register, State { next: *exit, at });
                Some(state)
            }
            Instruction::LookEnd { negative: false, register } => {
                Some(State { at: self.look_matched(*register), ..state })
            }
            Instruction::LookEnd { negative: true, register } => self.negative_look_matched(*register),
            Instruction::Enter { counter } => {
                self.set(*counter, 0);
                Some(state)
            }
            Instruction::Head(number) => Some(self.head(&self.program.loops[*number], state)),
            Instruction::Round(number) => {
                self.begin_round(&self.program.loops[*number], at);
                Some(state)
            }
            Instruction::Next(number) => self.end_round(&self.program.loops[*number], at),
            Instruction::Match => Some(state),
        }
    }

    /// Takes back what was done since the last choice, and makes the other one.
    fn back(&mut self) -> Option<State> {
        while let Some(frame) = self.stack.pop() {
            self.spend(1);
            let state = match frame {
                Frame::Try(state) => Some(state),
                Frame::GiveBack { state, end } => self.give_back(state, end),
                Frame::TakeMore { state, taken } => self.take_more(state, taken),
                Frame::Restore { register, value } => {
                    self.registers[register] = value;
                    None
                }
            };
            if state.is_some() {
                return state;
            }
        }
        None
    }

    /// Changes a register until the matcher goes back before this.
    fn set(&mut self, register: Register, value: usize) {
        let old = std::mem::replace(&mut self.registers[register], value);
        if old != value {
            self.stack.push(Frame::Restore { register, value: old });
        }
    }

    /// 22.2.2.4 CompileAssertion. No byte of a longer character is that of a word character.
    fn at_boundary(&self, at: usize) -> bool {
        let is_word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| WORD.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(*byte))))
        };
        let bytes = self.text.as_bytes();
        is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) != is_word(bytes.get(at))
    }

    /// A repetition of one character. Its rounds leave one frame altogether.
    fn run(&mut self, set: &Set, times: Times, backward: bool, state: State) -> Option<State> {
        let wanted = if times.lazy { Some(times.least) } else { times.most };
        let (mut at, mut taken, mut end) = (state.at, 0, state.at);
        while wanted.is_none_or(|wanted| taken < wanted)
            && let Some(beyond) = self.read_one_of(set, at, backward)
        {
            (at, taken) = (beyond, taken + 1);
            if taken == times.least {
                end = at;
            }
        }
        self.spend(taken);
        if taken < times.least {
            return None;
        }
        let reached = State { at, ..state };
        if times.lazy {
            self.stack.push(Frame::TakeMore { state: State { next: state.next - 1, at }, taken });
        } else if taken > times.least {
            self.stack.push(Frame::GiveBack { state: reached, end });
        }
        Some(reached)
    }

    fn give_back(&mut self, state: State, end: usize) -> Option<State> {
        let (_, at) = self.read(state.at, end < state.at)?;
        let state = State { at, ..state };
        if at != end {
            self.stack.push(Frame::GiveBack { state, end });
        }
        Some(state)
    }

    fn take_more(&mut self, State { next, at }: State, taken: usize) -> Option<State> {
        let Instruction::Run { set, times, backward } = &self.program.code[next] else { return None };
        if times.most == Some(taken) {
            return None;
        }
        let at = self.read_one_of(set, at, *backward)?;
        self.stack.push(Frame::TakeMore { state: State { next, at }, taken: taken + 1 });
        Some(State { next: next + 1, at })
    }

    /// 22.2.2.7.2 BackreferenceMatcher: a group that took no part, or is not complete, stands for the empty text.
    fn reference(&mut self, start: Register, backward: bool, state: State) -> Option<State> {
        let (from, to) = (self.registers[start], self.registers[start + 1]);
        if from == UNSET || to == UNSET {
            return Some(state);
        }
        // Comparing that many bytes takes no longer than another step.
        self.spend((to - from) / 16);
        let taken = &self.text[from..to];
        let rest = if backward {
            self.text[..state.at].strip_suffix(taken).map(str::len)
        } else {
            self.text[state.at..].starts_with(taken).then(|| state.at + taken.len())
        };
        rest.map(|at| State { at, ..state })
    }

    /// A lookaround remembers how high the stack was, and where it looks from. Nothing has to be restored: once it is
    /// over, there is no way back into it.
    fn look(&mut self, negative: bool, register: Register, exit: State) {
        self.registers[register] = self.stack.len();
        self.registers[register + 1] = exit.at;
        if negative {
            self.stack.push(Frame::Try(exit));
        }
    }

    /// What it captured stays, how else it might match is forgotten. Gives where it looked from.
    fn look_matched(&mut self, register: Register) -> usize {
        let (height, at) = (self.registers[register], self.registers[register + 1]);
        self.spend(self.stack.len() - height);
        let mut kept = height;
        for index in height..self.stack.len() {
            if matches!(self.stack[index], Frame::Restore { .. }) {
                self.stack.swap(kept, index);
                kept += 1;
            }
        }
        self.stack.truncate(kept);
        at
    }

    /// As if it had never been looked at, and a failure.
    fn negative_look_matched(&mut self, register: Register) -> Option<State> {
        let height = self.registers[register];
        self.spend(self.stack.len() - height);
        for frame in self.stack.drain(height..).rev() {
            if let Frame::Restore { register, value } = frame {
                self.registers[register] = value;
            }
        }
        None
    }

    /// 22.2.2.3.1 RepeatMatcher, as are the next two. `state` has the round.
    fn head(&mut self, of: &Loop, state: State) -> State {
        let rounds = self.registers[of.counter];
        let exit = State { next: of.exit, ..state };
        if rounds < of.times.least {
            return state;
        }
        if of.times.most == Some(rounds) {
            return exit;
        }
        let (first, second) = if of.times.lazy { (exit, state) } else { (state, exit) };
        self.stack.push(Frame::Try(second));
        first
    }

    fn begin_round(&mut self, of: &Loop, at: usize) {
        if let Some(began) = of.began {
            self.set(began, at);
        }
        self.spend(of.captures.len());
        for capture in of.captures.clone() {
            self.set(capture, UNSET);
        }
    }

    /// A round that nobody asked for and that took nothing is no round.
    fn end_round(&mut self, of: &Loop, at: usize) -> Option<State> {
        let rounds = self.registers[of.counter];
        let took_nothing = of.began.is_some_and(|began| self.registers[began] == at);
        if rounds >= of.times.least && took_nothing {
            return None;
        }
        let enough = of.times.most.unwrap_or(of.times.least);
        self.set(of.counter, enough.min(rounds + 1));
        Some(State { next: of.head, at })
    }
}
