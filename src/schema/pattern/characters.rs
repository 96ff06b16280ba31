//! Sets of characters, in the syntax of the engine.

/// Code points from, to.
pub(super) type Range = (u32, u32);

pub(super) const DIGIT: &[Range] = &[(0x30, 0x39)];
pub(super) const WORD: &[Range] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
/// ECMA's white space and line terminators.
pub(super) const SPACE: &[Range] = &[
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
];
pub(super) const LINE_END: &[Range] = &[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)];
/// No text has one alone.
pub(super) const SURROGATES: Range = (0xD800, 0xDFFF);
pub(super) const LAST: u32 = 0x10_FFFF;

/// All characters that are not in the set, in order. Twice of it puts the set itself in order.
pub(super) fn complement(set: &[Range]) -> Vec<Range> {
    let mut sorted: Vec<Range> = set.iter().copied().chain([SURROGATES]).collect();
    sorted.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = 0;
    for (from, to) in sorted {
        if from > next {
            gaps.push((next, from - 1));
        }
        next = next.max(to + 1);
    }
    if next <= LAST {
        gaps.push((next, LAST));
    }
    gaps
}

/// The engine's class of exactly these characters.
pub(super) fn class_text(set: &[Range]) -> String {
    let ordered = complement(&complement(set));
    if ordered.is_empty() {
        return format!(r"[^\x{{0}}-\x{{{LAST:x}}}]");
    }
    let ranges: String = ordered.iter().map(|(from, to)| format!(r"\x{{{from:x}}}-\x{{{to:x}}}")).collect();
    format!("[{ranges}]")
}

/// `\b` or `\B`: the engine's own would need a table of all words of the world.
pub(super) fn word_boundary(is: bool) -> String {
    let word = class_text(WORD);
    let (after, not_after) = if is { ("(?!", "(?=") } else { ("(?=", "(?!") };
    format!("(?:(?<={word}){after}{word})|(?<!{word}){not_after}{word}))")
}
