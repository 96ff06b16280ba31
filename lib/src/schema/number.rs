//! Exact decimal numbers: `0.3` is a multiple of `0.1`, and 2^53 + 1 is not 2^53.

use std::cmp::Ordering;
use zeroize::Zeroizing;

/// `digits` times ten to the `exponent`, without a zero at either end of the digits; zero has none.
pub(super) struct Decimal {
    negative: bool,
    digits: Zeroizing<Vec<u8>>,
    exponent: i64,
}

impl Decimal {
    /// A number as JSON writes it (RFC 8259 section 6) and as a double holds it: `1e400` is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let exponent = exponent.strip_prefix('+').filter(|digits| are_digits(digits)).unwrap_or(exponent);
        let well_formed = are_digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && are_digits(fraction)
            && are_digits(exponent.strip_prefix('-').unwrap_or(exponent));
        if !well_formed || !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return None;
        }
        let mut digits = Zeroizing::new(Vec::with_capacity(unsigned.len() + 1));
        digits.extend(whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0'));
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Decimal { negative, digits, exponent }.normal())
    }

    /// An integer as every program reads it: `-?(0|[1-9][0-9]*)`. `1e3` and `3.0` are integers to some only.
    pub(super) fn parse_integer(text: &str) -> Option<Self> {
        if are_digits(text.strip_prefix('-').unwrap_or(text)) { Self::parse(text) } else { None }
    }

    /// A second copy, asked for by name.
    pub(super) fn duplicate(&self) -> Self {
        Decimal { negative: self.negative, digits: self.digits.clone(), exponent: self.exponent }
    }

    fn normal(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        let zeros = self.digits.iter().take_while(|&&digit| digit == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            (self.negative, self.exponent) = (false, 0);
        }
        self
    }

    /// Whether there is no fraction.
    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// By value.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, negative) => {
                if negative {
                    -1
                } else {
                    1
                }
            }
        };
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.negative => other.compare_size(self),
            Ordering::Equal => self.compare_size(other),
            unequal => unequal,
        }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        // The place of the first digit; among equal ones the digits decide, as none ends in zeros.
        let first = |number: &Self| number.exponent.saturating_add_unsigned(number.digits.len() as u64);
        first(self).cmp(&first(other)).then_with(|| self.digits.cmp(&other.digits))
    }

    /// Whether dividing by `divisor` leaves an integer. It is not zero, and stands in a declaration, where a number has 20
    /// digits at most: as many as a `u64`, more than a double.
    pub(super) fn is_multiple_of(&self, divisor: &Self) -> bool {
        if self.digits.is_empty() {
            return true;
        }
        // Without zeros at its end the dividend cannot have fewer places than the divisor.
        let Ok(places) = u64::try_from(self.exponent.saturating_sub(divisor.exponent)) else { return false };
        let modulus = divisor.digits.iter().fold(0, |sum: u128, &digit| sum * 10 + u128::from(digit));
        let digits = self.digits.iter().copied().chain((0..places).map(|_| 0));
        digits.fold(0, |rest, digit| (rest * 10 + u128::from(digit)) % modulus) == 0
    }

    /// Without an exponent, without needless zeros: `3000`, `-0.5`.
    pub(super) fn to_text(&self) -> String {
        let digits: String = self.digits.iter().map(|&digit| char::from(digit + b'0')).collect();
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let whole = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(self.exponent);
        let sign = if self.negative { "-" } else { "" };
        match usize::try_from(whole) {
            _ if digits.is_empty() => "0".to_owned(),
            Ok(whole) if whole > 0 && whole < digits.len() => {
                format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
            }
            Ok(whole) if whole > 0 => format!("{sign}{digits}{}", zeros(self.exponent)),
            _ => format!("{sign}0.{}{digits}", zeros(whole.saturating_neg())),
        }
    }

    /// The value as a number of things, where it is one.
    pub(super) fn as_count(&self) -> Option<usize> {
        self.to_text().parse().ok()
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        let digits = value.to_string().bytes().map(|digit| digit - b'0').collect();
        Decimal { negative: false, digits: Zeroizing::new(digits), exponent: 0 }.normal()
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let size = Decimal::from(value.unsigned_abs());
        Decimal { negative: value.is_negative(), ..size }
    }
}

impl TryFrom<f64> for Decimal {
    type Error = ();

    /// The shortest decimal that reads back as this double, which is what was written.
    fn try_from(value: f64) -> Result<Self, ()> {
        Decimal::parse(&value.to_string()).ok_or(())
    }
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn texts_that_are_numbers() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0", "0"),
            ("3000", "3000"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("1.50", "1.5"),
            ("0.5", "0.5"),
            ("-0.05", "-0.05"),
            ("12e-1", "1.2"),
            ("9007199254740993", "9007199254740993"),
            ("100e-2", "1"),
        ] {
            assert_eq!(number(text).to_text(), canonical, "{text}");
        }
    }

    #[test]
    fn texts_that_are_none() {
        for text in [
            "", " 1", "1 ", "+1", "01", ".5", "5.", "0x10", "1e", "1e+", "1e+-2", "--1", "1_000", "inf", "NaN",
            "1e400", "١",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
        for text in ["1e3", "3.0", "", "-"] {
            assert!(Decimal::parse_integer(text).is_none(), "{text}");
        }
    }

    #[test]
    fn order() {
        let ascending = ["-1e300", "-10", "-9.5", "-0.001", "0", "1e-300", "0.1", "0.11", "1", "9", "10", "1e300"];
        for (at, small) in ascending.iter().enumerate() {
            for large in &ascending[at + 1..] {
                assert_eq!(number(small).compare(&number(large)), Ordering::Less, "{small} {large}");
                assert_eq!(number(large).compare(&number(small)), Ordering::Greater, "{small} {large}");
            }
            assert_eq!(number(small).compare(&number(small)), Ordering::Equal);
        }
    }

    #[test]
    fn multiples() {
        for (number_, divisor) in
            [("0.3", "0.1"), ("19.99", "0.01"), ("0", "7"), ("1e300", "10"), ("-4", "2"), ("4.5", "1.5")]
        {
            assert!(number(number_).is_multiple_of(&number(divisor)), "{number_} {divisor}");
        }
        for (number_, divisor) in
            [("0.35", "0.1"), ("3", "2"), ("1", "10"), ("7.5", "2"), ("1e300", "7"), ("1e-9", "1")]
        {
            assert!(!number(number_).is_multiple_of(&number(divisor)), "{number_} {divisor}");
        }
    }
}
