//! The classes of characters that the grammar tells apart.

use super::Code;

/// Whether the byte is one of the two that may stand between the parts of a line.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether the byte may stand in a name. The portable names of `VarName` are fewer.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Why a character must not stand outside quotes: control characters show as nothing, and JavaScript trims and skips
/// every kind of Unicode white space where others take it as text.
pub(super) fn refused_outside_quotes(char: char) -> Option<Code> {
    match char {
        '\0' => Some(Code::Nul),
        '\r' => Some(Code::LoneCr),
        ' ' | '\t' => None,
        // Not white space to Unicode any more, but still to JavaScript (ECMA-262, 12.2).
        '\u{feff}' => Some(Code::Control),
        _ => (char.is_control() || char.is_whitespace()).then_some(Code::Control),
    }
}

/// Why a character must not stand in a comment: JavaScript's `.` and `$` end a line at U+2028 and U+2029, so npm dotenv
/// reads what follows as an entry; other control characters can rewrite what a terminal shows.
pub(super) fn refused_in_comment(char: char) -> Option<Code> {
    match char {
        '\0' => Some(Code::Nul),
        '\r' => Some(Code::LoneCr),
        '\t' => None,
        '\u{2028}' | '\u{2029}' => Some(Code::Control),
        _ => char.is_control().then_some(Code::Control),
    }
}

/// Whether a backslash before this byte, in `"..."`, is an escape to some programs and two characters to others.
pub(super) fn is_ambiguous_after_backslash(byte: u8) -> bool {
    matches!(byte, b'\\' | b'"' | b'\'' | b'$' | b'`' | b'a' | b'b' | b'f' | b'v' | b't' | b'\n' | b'\r')
}
