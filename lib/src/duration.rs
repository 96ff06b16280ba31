//! Lengths of time as people write them: `90d`, `12h`, `15m`.

use crate::error::{Failure, Status};
use std::fmt;
use std::str::FromStr;

/// A length of time in whole seconds, at least one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duration(u64);

/// A text that is none.
#[derive(Debug, thiserror::Error)]
#[error("no length of time: a number and s, m, h, d or w, as 90d")]
pub struct NoDuration;

impl Failure for NoDuration {
    fn status(&self) -> Status {
        Status::Usage
    }
}

const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Duration {
    /// In seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
        let (digits, seconds) = unit.ok_or(NoDuration)?;
        let count = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None };
        let total = count.and_then(|count| count.checked_mul(*seconds)).filter(|total| (1..=1 << 40).contains(total));
        total.map(Duration).ok_or(NoDuration)
    }
}

/// In the largest unit that is exact; weeks are written as days.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS[1..].iter().find(|(_, seconds)| self.0.is_multiple_of(*seconds));
        let (unit, seconds) = exact.unwrap_or(&('s', 1));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        for (text, seconds, shown) in [
            ("90d", 7_776_000, "90d"),
            ("1h", 3_600, "1h"),
            ("60m", 3_600, "1h"),
            ("90s", 90, "90s"),
            ("2w", 1_209_600, "14d"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.seconds(), duration.to_string().as_str()), (seconds, shown), "{text}");
        }
        for text in ["", "d", "0d", "1", "-1d", "1.5h", "1 d", "1D", "99999999999999999999d", "١d"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
