//! The formats that are asserted, one row each: those of JSON Schema 2020-12 (Validation, section 7.3) that an
//! environment needs, and those that zod and pydantic emit. Any other format is an annotation.
//!
//! Where zod 4, pydantic and the official test suite disagree, the standard decides, unless that would reject what people
//! keep in a dotenv file; each checker lists its differences. zod emits a `pattern` beside most formats, which is
//! asserted as well: there a difference cannot make a value valid that zod rejects.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;
use zeroize::Zeroizing;

/// A format that is asserted.
pub(super) struct Format {
    /// The text of the keyword `format`.
    pub(super) name: &'static str,
    /// What a report expects.
    pub(super) expected: &'static str,
    /// Whether a text is of the format.
    pub(super) accepts: fn(&str) -> bool,
}

const FORMATS: &[Format] = &[
    Format { name: "base64", expected: "base64, padded", accepts: is_base64 },
    Format { name: "cidrv4", expected: "an IPv4 range such as 10.0.0.0/8", accepts: is_cidr::<Ipv4Addr, 32> },
    Format { name: "cidrv6", expected: "an IPv6 range such as 2001:db8::/32", accepts: is_cidr::<Ipv6Addr, 128> },
    Format { name: "date", expected: "a date such as 2030-12-31", accepts: is_date },
    Format { name: "date-time", expected: "a time such as 2030-12-31T23:59:59Z", accepts: is_date_time },
    Format { name: "duration", expected: "a duration such as P1DT12H", accepts: is_duration },
    Format { name: "email", expected: "an email address", accepts: is_email },
    Format { name: "hex", expected: "hexadecimal digits", accepts: is_hex },
    Format { name: "hostname", expected: "a host name", accepts: is_hostname },
    Format { name: "ipv4", expected: "an IPv4 address", accepts: is_address::<Ipv4Addr> },
    Format { name: "ipv6", expected: "an IPv6 address", accepts: is_address::<Ipv6Addr> },
    Format { name: "jwt", expected: "a JSON Web Token", accepts: is_jwt },
    Format { name: "multi-host-uri", expected: "a URL with a host", accepts: is_multi_host_uri },
    Format { name: "port", expected: "a port, 0 to 65535", accepts: is_port },
    Format { name: "uri", expected: "a URL", accepts: is_uri },
    Format { name: "uuid", expected: "a UUID", accepts: is_uuid },
];

/// The format of a name; `None`: an annotation.
pub(super) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// What is dubious about a value that is a URI: a raw blank, `#`, `/` or `?` in the user part. Most clients end the host
/// at such a character, and connect to somewhere else. Never quotes the value.
///
/// `user:12/34@host` stays silent: it cannot be told from a host, its port and an `@` in the path.
pub(super) fn uri_warning(text: &str) -> Option<&'static str> {
    user_part(text)?.chars().find_map(|c| match c {
        '#' => Some("a raw # in the user part: percent-encode it as %23"),
        '/' => Some("a raw / in the user part: percent-encode it as %2F"),
        '?' => Some("a raw ? in the user part: percent-encode it as %3F"),
        ' ' => Some("a raw space in the user part: percent-encode it as %20"),
        _ => None,
    })
}

/// RFC 3986 section 3, but only what every consumer agrees on: a scheme, a colon, something; no control character, no
/// blank at an edge nor straight after the scheme, and a host after `http:` and `https:` (RFC 9110 section 4.2.1).
/// Databases take several hosts, `^|{}` and a lone `%` in a password, and non-ASCII, all of which a strict parser rejects.
///
/// Unlike zod: blanks at an edge are not trimmed, tabs and line ends not removed, `http:host` lacks its `//`; several
/// hosts are valid, and hosts and ports are not looked into (`https://a b`, `https://h:99999`). Unlike pydantic: the
/// same, and `http:/host`. Like the suite, but that an inner blank, a backslash or a bracket is valid.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let blank_edge =
        text.ends_with(char::is_whitespace) || rest.trim_start_matches('/').starts_with(char::is_whitespace);
    let needs_host = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    !rest.is_empty() && !blank_edge && !text.contains(char::is_control) && (!needs_host || has_host(rest))
}

/// [`is_uri`] with `//` and a host: what pydantic's PostgresDsn, MongoDsn and MultiHostUrl emit.
///
/// Unlike pydantic: empty members of a list (`a,,b`) and ports out of range are valid.
fn is_multi_host_uri(text: &str) -> bool {
    is_uri(text) && split_scheme(text).is_some_and(|(_, rest)| has_host(rest))
}

/// The scheme (RFC 3986 section 3.1), and what follows its colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    valid.then_some((scheme, rest))
}

/// Whether `//` follows, and a name or address that is neither empty nor only a port.
fn has_host(rest: &str) -> bool {
    let hosts = authority(rest).map(after_user);
    hosts.is_some_and(|hosts| hosts.contains(|c| c != ',' && c != ':') && !is_port_only(hosts) || user_goes_on(rest))
}

fn is_port_only(hosts: &str) -> bool {
    hosts.strip_prefix(':').is_some_and(is_digits)
}

/// The authority of RFC 3986 section 3.2: what stands between `//` and the next `/`, `?` or `#`.
fn authority(rest: &str) -> Option<&str> {
    rest.strip_prefix("//")?.split(['/', '?', '#']).next()
}

fn after_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts)
}

/// The user part of a URI, before the `@`, with what was meant to belong to it.
pub(super) fn user_part(text: &str) -> Option<&str> {
    let (_, rest) = split_scheme(text)?;
    let meant = if user_goes_on(rest) { rest.strip_prefix("//")? } else { authority(rest)? };
    meant.rsplit_once('@').map(|(user, _)| user)
}

/// Whether the user part holds a raw `/`, `?` or `#`: an `@` follows, and what stands before is no list of hosts with
/// ports, as `user:pa` of `user:pa/ss@host`.
fn user_goes_on(rest: &str) -> bool {
    let Some(authority) = authority(rest) else { return false };
    let has_port_or_none = |host: &str| {
        let after_address = host.rsplit_once(']').map_or(host, |(_, port)| port);
        after_address.split_once(':').is_none_or(|(_, port)| port.is_empty() || is_digits(port))
    };
    rest[2 + authority.len()..].contains('@') && !after_user(authority).split(',').all(has_port_or_none)
}

/// RFC 5321 section 4.1.2, with the limits of section 4.5.3.1: local part 64, all 254.
///
/// Unlike zod's default pattern: `a@localhost`, a last label of one letter or with digits, address literals, quoted local parts and the characters
/// ``!#$%&*/=?^`{|}~`` are valid; a label that ends with `-`, and an address beyond the limits, are not. Unlike pydantic:
/// an address with non-ASCII characters is an `idn-email`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let domain_is_valid = match literal {
        Some(address) => {
            address.strip_prefix("IPv6:").map_or_else(|| is_address::<Ipv4Addr>(address), is_address::<Ipv6Addr>)
        }
        None => is_hostname(domain) && !domain.ends_with('.'),
    };
    local.len() <= 64 && text.len() <= 254 && domain_is_valid && (is_dot_atom(local) || is_quoted(local))
}

/// `Dot-string` of RFC 5321 section 4.1.2.
fn is_dot_atom(local: &str) -> bool {
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// `Quoted-string` of RFC 5321 section 4.1.2: printable ASCII, `"` and `\` after a `\`.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let valid = match byte {
            b'"' => false,
            b'\\' => bytes.next().is_some_and(|escaped| matches!(escaped, b' '..=b'~')),
            _ => matches!(byte, b' '..=b'~'),
        };
        if !valid {
            return false;
        }
    }
    !inner.is_empty()
}

/// RFC 1123 section 2.1: labels of 1 to 63 letters, digits and inner hyphens, 253 characters in all. One dot at the end
/// is valid, as zod has it: in a cluster or a zone it is how a full name is written.
///
/// No difference from zod. The content of `xn--` labels is not looked into.
fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// RFC 2673 section 3.2 (IPv4, decimal, no leading zeros) and RFC 4291 section 2.2 (IPv6, no zone): what std parses.
///
/// Unlike zod's pattern for IPv6, which its own parser does not use: an IPv4 address at the end is valid.
fn is_address<A: FromStr>(text: &str) -> bool {
    A::from_str(text).is_ok()
}

/// RFC 4632 section 3.1 and RFC 4291 section 2.3: an address, `/`, the length of the prefix. Bits behind it may be set.
///
/// Unlike zod for IPv6: no fraction (`::1/6.4`).
fn is_cidr<A: FromStr, const MAX: u32>(text: &str) -> bool {
    let prefix_is_valid = |prefix| number(prefix).is_some_and(|prefix| prefix <= MAX);
    text.split_once('/').is_some_and(|(address, prefix)| is_address::<A>(address) && prefix_is_valid(prefix))
}

/// A TCP or UDP port. 0 lets the system choose.
fn is_port(text: &str) -> bool {
    number(text).is_some_and(|port| port <= 65_535)
}

/// RFC 9562 section 4, of any version and variant, in either case.
///
/// Unlike zod's `uuid()`, whose pattern says so: versions 0 and 9 to 15, other variants and an upper-case all-ones are valid, as with `guid()`.
fn is_uuid(text: &str) -> bool {
    let is_group = |(group, length): (&str, usize)| group.len() == length && is_hex(group);
    text.split('-').count() == 5 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_group)
}

/// RFC 4648 section 8 in either case; as zod has it of any length, odd ones and none included.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// RFC 4648 section 4 with padding, no blanks. As with zod the unused last bits may be set.
fn is_base64(text: &str) -> bool {
    let body = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    text.len().is_multiple_of(4) && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
}

/// RFC 7519 section 3, RFC 7515 section 7.1: three parts in base64url, of which the last may be empty (`alg` none). The
/// header is a JSON object with an `alg`, and its `typ`, if there is one, is `JWT`, as zod has it.
///
/// Unlike zod: `alg` has to be text, the second and third part have to be base64url, and the header may have `-` and `_` of that alphabet.
pub(super) fn is_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let header_is_valid = with_json_part(header, |header| {
        header.get("alg").is_some_and(|alg| alg.get().starts_with('"') && alg.get() != r#""""#)
            && header.get("typ").is_none_or(|typ| typ.get() == r#""JWT""#)
    });
    !claims.is_empty() && is_base64url(claims) && is_base64url(signature) && header_is_valid == Some(true)
}

fn is_base64url(text: &str) -> bool {
    text.len() % 4 != 1 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Looks into one part of a token that is a JSON object in base64url; `None` when it is none. The decoded text borrows
/// from one buffer, which is wiped.
pub(super) fn with_json_part<T>(part: &str, look: impl FnOnce(&BTreeMap<&str, &RawValue>) -> T) -> Option<T> {
    let mut buffer = Zeroizing::new(vec![0; base64::decoded_len_estimate(part.len())]);
    let length = URL_SAFE_NO_PAD.decode_slice(part, &mut buffer).ok()?;
    serde_json::from_slice(&buffer[..length]).ok().map(|object| look(&object))
}

/// RFC 3339 section 5.6, `date-time`; lower-case `t` and `z` and leap seconds are valid, an offset is required.
///
/// Unlike zod: lower case and leap seconds, which its pattern excludes. Unlike pydantic: no text without an offset, with
/// a blank for the `T`, without seconds, and no number.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_at_checked(10) else { return false };
    is_date(date) && time.strip_prefix(['T', 't']).is_some_and(is_full_time)
}

/// `full-time` of RFC 3339 section 5.6. The second 60 exists at 23:59 UTC only.
fn is_full_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let fields = (field(clock, 0..2), field(clock, 3..5), field(clock, 6..8));
    let (Some(hour @ 0..=23), Some(minute @ 0..=59), Some(second @ 0..=60)) = fields else { return false };
    let Some(zone) = after_fraction(rest) else { return false };
    let Some(offset) = offset_minutes(zone) else { return false };
    let in_last_minute = (hour * 60 + minute - offset).rem_euclid(24 * 60) == 24 * 60 - 1;
    clock.as_bytes()[2] == b':' && clock.as_bytes()[5] == b':' && (second < 60 || in_last_minute)
}

/// What follows `.` and digits, or nothing; `None`: a dot without a digit.
fn after_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(text) };
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (zone.len() < fraction.len()).then_some(zone)
}

/// `time-offset` of RFC 3339 section 5.6.
fn offset_minutes(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, clock) =
        zone.strip_prefix('-').map_or_else(|| Some((1, zone.strip_prefix('+')?)), |rest| Some((-1, rest)))?;
    match (clock.len(), field(clock, 0..2), clock.as_bytes().get(2), field(clock, 3..5)) {
        (5, Some(hour @ 0..=23), Some(b':'), Some(minute @ 0..=59)) => Some(sign * (hour * 60 + minute)),
        _ => None,
    }
}

/// RFC 3339 section 5.6, `full-date`. No difference from zod.
fn is_date(text: &str) -> bool {
    let is_in_shape = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let fields = (field(text, 0..4), field(text, 5..7), field(text, 8..10));
    let (Some(year), Some(month), Some(day)) = fields else { return false };
    is_in_shape && (1..=days(year, month)).contains(&day)
}

/// The days of a month; none when there is no such month.
fn days(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// The number that the digits at a place write.
fn field(text: &str, at: Range<usize>) -> Option<i32> {
    text.get(at).filter(|digits| is_digits(digits))?.parse().ok()
}

/// RFC 3339 appendix A; as in ISO 8601, zod and pydantic a unit may be left out (`P1Y2D`, `PT1H30S`) and seconds have a
/// fraction (`PT0.5S`, what pydantic writes for a default).
///
/// No difference from zod. Unlike pydantic: no sign, no weeks beside other units, no `1 day`, no `01:00:00`.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P').filter(|text| !text.is_empty()) else { return false };
    if let Some(weeks) = text.strip_suffix('W') {
        return is_digits(weeks);
    }
    match text.split_once('T') {
        Some((date, time)) => are_amounts(date, "YMD") && !time.is_empty() && are_amounts(time, "HMS"),
        None => are_amounts(text, "YMD"),
    }
}

/// Whether the text is amounts of these units, each at most once and in this order.
fn are_amounts(mut text: &str, mut units: &str) -> bool {
    while let Some(at) = text.find(|c: char| c.is_ascii_alphabetic()) {
        let (amount, unit) = (&text[..at], &text[at..=at]);
        let Some(place) = units.find(unit) else { return false };
        let whole = if unit == "S" { amount.split_once(['.', ',']) } else { None };
        if !whole.map_or_else(|| is_digits(amount), |(whole, fraction)| is_digits(whole) && is_digits(fraction)) {
            return false;
        }
        (text, units) = (&text[at + 1..], &units[place + 1..]);
    }
    text.is_empty()
}

/// A decimal number without sign or leading zero.
fn number(text: &str) -> Option<u32> {
    let canonical = is_digits(text) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// One ASCII digit or more.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Format, what it accepts, what it rejects.
    const CASES: &[(&str, &[&str], &[&str])] = &[
        (
            "base64",
            &["", "YQ==", "YWI=", "YWJj", "+/+/"],
            &["YQ", "YQ=", "=", "====", "A===", "YW Jj", "YWJj\n", "_-_-"],
        ),
        (
            "cidrv4",
            &["10.0.0.0/8", "1.2.3.4/0", "1.2.3.4/32"],
            &["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0/8", "::/8", "1.2.3.4/+8"],
        ),
        (
            "cidrv6",
            &["::/0", "2001:db8::/32", "fe80::1/128"],
            &["::", "::/129", "::/08", "::/6.4", "10.0.0.0/8", "::/8/8"],
        ),
        (
            "date",
            &["2024-02-29", "2000-02-29", "1996-02-29", "0000-01-01", "2030-12-31"],
            &[
                "2023-02-29",
                "1900-02-29",
                "2024-13-01",
                "2024-00-01",
                "2024-01-00",
                "2024-1-01",
                "2024x01-01",
                "2024-01x01",
                "2024-01-010",
                "20240101",
                "+024-01-01",
                "2024-01-0\u{9ea}",
                "\u{9ea}\u{9ea}24-01-1",
            ],
        ),
        (
            "date-time",
            &[
                "2024-02-29T23:59:59Z",
                "2024-01-01t00:00:00.5z",
                "2024-01-01T00:00:00-23:59",
                "1998-12-31T23:59:60Z",
                "1998-12-31T15:59:60.1-08:00",
                "1998-12-31T18:29:60-05:30",
                "1999-01-01T00:59:60+01:00",
            ],
            &[
                "2024-01-01T00:00:00",
                "2024-01-01 00:00:00Z",
                "2024-01-01T00:00Z",
                "2024-01-01T24:00:00Z",
                "2024-01-01T00:60:00Z",
                "2024-01-01T00:00:00.Z",
                "2024-01-01T00:00:00+24:00",
                "2024-01-01T00:00:00+0100",
                "1998-12-31T22:59:60Z",
                "1998-12-31T23:59:61Z",
                "2023-02-29T00:00:00Z",
                "2024-01-01T00-00-00Z",
                "2024-01-01T00:00-00Z",
                "2024-01-01T00-00:00Z",
                "2024-01-01T00:00:0\u{9ea}Z",
                "2024-01-01",
            ],
        ),
        (
            "duration",
            &["P1Y2M3DT4H5M6S", "P2W", "P0D", "PT36H", "P1Y2D", "PT1H30S", "PT0.5S", "PT0,5S"],
            &[
                "",
                "P",
                "PT",
                "P1YT",
                "P1",
                "P2D1Y",
                "P1D2H",
                "P2S",
                "PT1D",
                "P1Y2W",
                "1D",
                "-P1D",
                "P1.5D",
                "PT.5S",
                "PT1.S",
                "P1D1D",
                "p1d",
                "P\u{9e8}Y",
                "30",
            ],
        ),
        (
            "email",
            &[
                "a@example.com",
                "a.b+c@example.co.uk",
                "o'neil@example.com",
                "root@localhost",
                "~a~@example.com",
                r#""a b"@example.com"#,
                r#""a@\"b"@example.com"#,
                "a@[127.0.0.1]",
                "a@[IPv6:::1]",
            ],
            &[
                "a",
                "@example.com",
                "a@",
                ".a@example.com",
                "a.@example.com",
                "a..b@example.com",
                "a b@example.com",
                "a@b@example.com",
                "a@-x.com",
                "a@x-.com",
                "a@x..com",
                "a@x.com.",
                "a@[300.0.0.1]",
                "a@[::1]",
                r#""a"b"@example.com"#,
                r#""a\"@example.com"#,
                "j\u{fc}rgen@example.com",
                "App <a@example.com>",
                " a@example.com",
            ],
        ),
        ("hex", &["", "0", "dead", "BEEF"], &["0x10", "g", " a", "\u{ff41}"]),
        (
            "hostname",
            &["localhost", "db-1.example.com", "1host", "example.com.", "xn--4gbwdl.xn--wgbh1c", "127.0.0.1"],
            &["", ".", ".a", "a..b", "-a", "a-", "my_service", "a b", "a:80", "m\u{fc}nchen.de"],
        ),
        (
            "ipv4",
            &["0.0.0.0", "255.255.255.255"],
            &["256.0.0.0", "1.2.3", "1.2.3.4.5", "087.10.0.1", "0x7f000001", "1.2.3.4/8", " 1.2.3.4", "::1"],
        ),
        (
            "ipv6",
            &["::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"],
            &["1::2::3", "12345::", "1:2:3:4:5:6:7", ":1:2:3:4:5:6:7", "fe80::1%eth0", "[::1]", "::1/64", "1.2.3.4"],
        ),
        (
            "multi-host-uri",
            &[
                "postgres://a:1,b:2/db",
                "postgres://u:p^|{}@h/db",
                "postgres://u:%ZZ@h/db",
                "mongodb://u:p@[::1]:1,h/x",
                "postgres://u:pa/ss@h/db",
            ],
            &[
                "postgres://",
                "postgres:///db",
                "postgres:a",
                "postgres://u:p@/db",
                "postgres://u:p@:5432/db",
                "postgres://,/db",
                "h/db",
            ],
        ),
        ("port", &["0", "80", "65535"], &["", "65536", "080", "+80", "-1", " 80", "8e1", "0x50", "99999999999"]),
        (
            "uri",
            &[
                "postgres://a:1,b:2/db",
                "postgres://u:p^|{}@h/db",
                "postgres://u:%ZZ@h/db",
                "postgres://",
                "redis://:p@h",
                "https://h?x=a b",
                "HTTPS://m\u{fc}nchen.de/",
                "mailto:a@example.com",
                "urn:a:b",
                "file:///x",
                "https://:pa/ss@h",
            ],
            &[
                "",
                "abc",
                "/abc",
                "//h/x",
                "x:",
                ":x",
                "1x:y",
                "a b:c",
                "a,b:c",
                " https://h",
                "https://h ",
                "https://h\n",
                "https://h\t/x",
                "https:// h",
                "note: x",
                "http://",
                "https:///x",
                "http:h",
                "https://u@/",
                "https://:80/",
                "\u{a0}https://h",
                "\"https://h\"",
            ],
        ),
        (
            "uuid",
            &["00000000-0000-0000-0000-000000000000", "2EB8AA08-aa98-f1ea-04AA-73b441d16380"],
            &[
                "2eb8aa08aa9811eab4aa73b441d16380",
                "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
                "2eb8aa08-aa98-11ea-b4ga-73b441d16380",
                "2eb8aa08-aa98-11ea-b4aa-73b441d16380-",
                "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
            ],
        ),
    ];

    #[track_caller]
    fn assert_accepts(name: &str, text: &str, expected: bool) {
        assert_eq!((find(name).unwrap().accepts)(text), expected, "{name}: {text:?}");
    }

    #[test]
    fn each_format_accepts_its_own_and_nothing_else() {
        for (name, good, bad) in CASES {
            good.iter().for_each(|text| assert_accepts(name, text, true));
            bad.iter().for_each(|text| assert_accepts(name, text, false));
        }
    }

    #[test]
    fn every_row_has_cases_and_the_table_is_sorted() {
        let rows: Vec<_> = FORMATS.iter().map(|format| format.name).filter(|name| *name != "jwt").collect();
        assert_eq!(rows, CASES.iter().map(|case| case.0).collect::<Vec<_>>());
        assert!(FORMATS.is_sorted_by_key(|format| format.name));
    }

    #[test]
    fn lengths_end_where_the_standards_say() {
        let label = |length| "a".repeat(length);
        let name = |last| [label(63), label(63), label(63), label(last)].join(".");
        assert_accepts("hostname", &label(63), true);
        assert_accepts("hostname", &label(64), false);
        assert_accepts("hostname", &name(61), true);
        assert_accepts("hostname", &(name(61) + "."), true);
        assert_accepts("hostname", &name(62), false);
        assert_accepts("email", &(label(64) + "@example.com"), true);
        assert_accepts("email", &(label(65) + "@example.com"), false);
        assert_accepts("email", &format!("{}@{}", label(64), &name(61)[64..]), true);
        assert_accepts("email", &format!("{}@a{}", label(64), &name(61)[63..]), false);
    }

    #[test]
    fn a_jwt_has_three_parts_and_a_header_with_alg() {
        let token = |header: &str, rest: &str| URL_SAFE_NO_PAD.encode(header) + rest;
        let (signed, header) = (".e30.c2ln", r#"{"alg":"HS256","typ":"JWT"}"#);
        for good in [header, r#"{"alg":"a"}"#, r#"{ "alg" : "a", "x": {"y": [1]} }"#, r#"{"alg":"a","x":"???>>>"}"#] {
            assert_accepts("jwt", &token(good, signed), true);
        }
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"typ":"JWT"}"#,
            r#"{"alg":""}"#,
            r#"{"alg":1}"#,
            r#"{"alg":"a","typ":"at+jwt"}"#,
            r#"{"alg":"a"}x"#,
        ] {
            assert_accepts("jwt", &token(bad, signed), false);
        }
        assert_accepts("jwt", &token(header, ".e30."), true);
        for rest in ["", ".e30", ".e30.c2ln.", "..c2ln", ".e3+.c2ln", ".e30.c2lnx", ".e30.c2ln\n", ".e30.c2ln=="] {
            assert_accepts("jwt", &token(header, rest), false);
        }
        assert_accepts("jwt", "..", false);
        assert_accepts("jwt", "www.example.com", false);
    }

    #[test]
    fn another_format_is_an_annotation() {
        for name in ["password", "URI", "", "idn-email", "time"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_raw_separator_in_the_user_part_is_dubious() {
        let cases = [
            ("postgres://u:pa ss@h/db", Some("%20")),
            ("postgres://u:pa/ss@h/db", Some("%2F")),
            ("postgres://u:pa#ss@h/db", Some("%23")),
            ("postgres://u:pa?ss@h/db", Some("%3F")),
            ("redis://:pa/ss@h", Some("%2F")),
            ("postgres://u@r:pa/ss@h/db", Some("%2F")),
            ("postgres://u:p@ss@h/db", None),
            ("postgres://u:p^|{}%ZZ@h:1,i:2/db?x=a b", None),
            ("https://h/@scope/a b", None),
            ("https://h:8080/@scope", None),
            ("https://[::1]/@scope", None),
            ("https://[::1]:80/@scope", None),
            ("postgres://a:1,b:2/db?mail=a@example.com", None),
            ("mailto:a b@example.com", None),
            ("no uri", None),
        ];
        for (text, hint) in cases {
            let warning = uri_warning(text);
            assert_eq!(warning.is_some(), hint.is_some(), "{text}");
            assert!(warning.is_none_or(|warning| warning.ends_with(hint.unwrap())), "{text}");
        }
    }
}
