//! From bytes to decisions: a fuzzer that changes a byte changes one of them.

/// Bytes that are taken one after the other; once they are used up, zeros.
pub(super) struct Choices<'i>(&'i [u8]);

impl<'i> Choices<'i> {
    pub(super) fn new(input: &'i [u8]) -> Self {
        Choices(input)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number below `limit`, or 0 where there is none.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let wide = limit > 256;
        let number = usize::from(self.byte()) | if wide { usize::from(self.byte()) << 8 } else { 0 };
        number.checked_rem(limit).unwrap_or(0)
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub(super) fn bytes(&mut self, count: usize) -> &'i [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A text up to the next byte 0xFF, or the end.
    pub(super) fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0xff).unwrap_or(self.0.len());
        let text = super::text(self.bytes(end));
        self.byte();
        text
    }
}
