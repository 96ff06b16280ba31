//! Sets of characters.

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
pub(super) const LAST: u32 = 0x10_FFFF;
const LAST_ASCII: u32 = 0x7F;

/// All code points that are not in the set, in order.
pub(super) fn complement(set: &[Range]) -> Vec<Range> {
    let mut sorted = set.to_vec();
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

/// A set that is asked often, whatever its size.
pub(super) enum Set {
    One(char),
    Many {
        /// A bit for each of them.
        ascii: u128,
        /// In order and apart; what they say of ASCII is not asked.
        others: Vec<Range>,
    },
}

impl Set {
    pub(super) fn new(ranges: &[Range]) -> Self {
        if let [(code, last)] = ranges
            && code == last
            && let Some(one) = char::from_u32(*code)
        {
            return Set::One(one);
        }
        let ascii = ranges.iter().fold(0, |bits, range| bits | ascii_bits(*range));
        let mut others: Vec<Range> = ranges.iter().copied().filter(|(_, to)| *to > LAST_ASCII).collect();
        join_overlaps(&mut others);
        Set::Many { ascii, others }
    }

    pub(super) fn contains(&self, character: char) -> bool {
        match self {
            Set::One(one) => *one == character,
            Set::Many { ascii, .. } if character.is_ascii() => ascii >> u32::from(character) & 1 == 1,
            Set::Many { others, .. } => {
                let code = u32::from(character);
                let after = others.partition_point(|(from, _)| *from <= code);
                after > 0 && code <= others[after - 1].1
            }
        }
    }
}

fn ascii_bits((from, to): Range) -> u128 {
    if from > LAST_ASCII {
        return 0;
    }
    u128::MAX << from & u128::MAX >> (LAST_ASCII - to.min(LAST_ASCII))
}

fn join_overlaps(ranges: &mut Vec<Range>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlaps = next.0 <= kept.1;
        if overlaps {
            kept.1 = kept.1.max(next.1);
        }
        overlaps
    });
}
