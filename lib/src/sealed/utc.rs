//! UTC instants as the format writes them: `YYYY-MM-DDThh:mm:ssZ` (RFC 3339, whole seconds, no leap second).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A second in UTC, from year 1 to 9999, ordered by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Utc {
    year: u16,
    month: u8,
    day: u8,
    second_of_day: u32,
}

impl Utc {
    /// Parses exactly `YYYY-MM-DDThh:mm:ssZ`; `None` for any other text or a day that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if separators.iter().any(|&(at, byte)| bytes[at] != byte) {
            return None;
        }
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().try_fold(0_u16, |n, b| b.is_ascii_digit().then(|| n * 10 + u16::from(b - b'0')))
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let real = year > 0
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && (hour < 24 && minute < 60 && second < 60);
        let second_of_day = u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second);
        real.then_some(Utc { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()?, second_of_day })
    }

    /// The present, from the system's clock; a clock outside the years 1970 to 9999 gives the nearest end.
    pub fn now() -> Self {
        Self::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z, at most the last second of 9999.
    pub fn from_unix(seconds: u64) -> Self {
        const LAST: u64 = 253_402_300_799;
        let seconds = seconds.min(LAST);
        let (mut days, second_of_day) = (seconds / 86_400, (seconds % 86_400) as u32);
        let (mut year, mut month) = (1970, 1);
        while days >= days_in_year(year) {
            days -= days_in_year(year);
            year += 1;
        }
        while days >= u64::from(days_in_month(year, month)) {
            days -= u64::from(days_in_month(year, month));
            month += 1;
        }
        Utc { year, month: month as u8, day: days as u8 + 1, second_of_day }
    }

    /// So many seconds later, at most the last second of 9999; of a time before 1970 counted from 1970.
    pub fn plus(self, seconds: u64) -> Self {
        Self::from_unix(u64::try_from(self.unix()).unwrap_or(0).saturating_add(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub fn unix(self) -> i64 {
        // Days from civil: years begin in March, so that the leap day is their last.
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
        days * 86_400 + i64::from(self.second_of_day)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Utc { year, month, day, second_of_day: s } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year(year: u16) -> u64 {
    365 + u64::from(is_leap(year))
}

fn days_in_month(year: u16, month: u16) -> u16 {
    match month {
        2 => 28 + u16::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_there_and_back() {
        for seconds in [0, 1, 86_399, 86_400, 951_782_400, 951_868_800, 1_709_164_800, 4_107_542_399, 253_402_300_799] {
            assert_eq!(Utc::from_unix(seconds).unix(), i64::try_from(seconds).unwrap());
        }
        assert_eq!(Utc::parse("1969-12-31T23:59:59Z").unwrap().unix(), -1);
        assert_eq!(Utc::parse("0001-01-01T00:00:00Z").unwrap().unix(), -62_135_596_800);
    }

    #[test]
    fn instants_print_as_they_parse() {
        for text in ["0001-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-11-22T10:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(Utc::parse(text).map(|utc| utc.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "+026-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(Utc::parse(text), None, "{text}");
        }
    }

    #[test]
    fn unix_seconds_are_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_341_600, "2026-11-22T10:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Utc::from_unix(seconds).to_string(), text);
        }
        assert!(Utc::from_unix(5) < Utc::from_unix(86_400));
    }
}
