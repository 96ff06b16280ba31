//! The small forms that header lines and tokens are made of: base64url, numbers, `name=value` fields.

use crate::vars::MAX_VALUE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The shortest token: nonce, one block of padding, tag.
const MIN_TOKEN: usize = 60;

/// A token of the longest value, padded, with nonce and tag.
const MAX_TOKEN: usize = MAX_VALUE + 32 + 28;

/// RFC 4648 section 5, without padding.
pub fn b64u(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes [`b64u`]; `None` for anything but the canonical form.
pub fn parse_b64u(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(super) fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    parse_b64u(text)?.try_into().ok()
}

/// A decimal number without sign or leading zero.
pub fn parse_number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

pub(super) fn checked(text: &str, max: usize, also: &str) -> Option<Box<str>> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    ((1..=max).contains(&text.len()) && text.chars().all(allowed)).then(|| text.into())
}

/// Decodes a token and checks its size: nonce, whole blocks of 32 bytes, tag.
pub(super) fn parse_token(text: &str) -> Option<Vec<u8>> {
    parse_b64u(text)
        .filter(|token| (MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) && (token.len() - 28).is_multiple_of(32))
}

/// `field *( " " field )`, printable ASCII: what every header line has after its kind.
pub(super) fn is_fields(text: &str) -> bool {
    text.split(' ').all(|field| !field.is_empty() && field.bytes().all(|b| b.is_ascii_graphic()))
}

/// `name=value` fields in a fixed order, separated by exactly one space.
pub(super) struct Fields<'t>(Option<&'t str>);

impl<'t> Fields<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Fields(Some(text))
    }

    /// The value of the next field if that field has this name.
    pub(super) fn take(&mut self, name: &str) -> Option<&'t str> {
        let text = self.0?;
        let (field, rest) = text.split_once(' ').map_or((text, None), |(field, rest)| (field, Some(rest)));
        let value = field.strip_prefix(name)?.strip_prefix('=')?;
        self.0 = rest;
        Some(value)
    }

    /// Takes all remaining fields of an unknown slot type: `token=vchar…`, none of them named wrap.
    pub(super) fn skip_unknown(&mut self) -> Option<()> {
        let is_token = |name: &str| checked(name, usize::MAX, "._-").is_some() && name != "wrap";
        let good = |field: &str| {
            field.split_once('=').is_some_and(|(name, value)| {
                is_token(name) && !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic())
            })
        };
        self.0.take().is_none_or(|text| text.split(' ').all(good)).then_some(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_whole_blocks_up_to_those_of_the_longest_value() {
        let longest = 256 * 1024 + 32 + 28; // a value that fills its blocks gets one more
        for (size, expected) in
            [(28, false), (59, false), (60, true), (61, false), (92, true), (longest, true), (longest + 32, false)]
        {
            assert_eq!(parse_token(&b64u(&vec![0; size])).is_some(), expected, "{size}");
        }
    }
}
