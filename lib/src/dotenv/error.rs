//! What can be wrong with a dotenv text, and how it is told: place, code, what to write instead; never a value.

use std::fmt;

/// The most errors that one text is reported to have; parsing stops there, so that garbage costs no more than its size.
pub const MAX_ERRORS: usize = 1000;

/// The documented codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// UTF-16, told by its byte order mark.
    Encoding,
    /// Not UTF-8.
    Utf8,
    /// A NUL byte.
    Nul,
    /// A CR without its LF.
    LoneCr,
    /// A control character or odd white space where it would be taken for nothing.
    Control,
    /// No `=` (nor `: `) where it was expected.
    NoEquals,
    /// No name where it was expected, or one that is refused.
    Name,
    /// A `#` that ends the value to some programs only.
    AmbiguousHash,
    /// A backslash that is an escape to some programs only.
    AmbiguousEscape,
    /// `$'...'` in a file that envsec did not write.
    AnsiC,
    /// Text after the closing quote.
    Trailing,
    /// No closing quote.
    Unterminated,
    /// A name that stands twice.
    Duplicate,
}

impl Code {
    /// The code as it is printed and documented.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Encoding => "E_ENCODING",
            Code::Utf8 => "E_UTF8",
            Code::Nul => "E_NUL",
            Code::LoneCr => "E_CR",
            Code::Control => "E_CTRL",
            Code::NoEquals => "E_NO_EQUALS",
            Code::Name => "E_NAME",
            Code::AmbiguousHash => "E_AMBIG_HASH",
            Code::AmbiguousEscape => "E_AMBIG_ESCAPE",
            Code::AnsiC => "E_ANSI_C",
            Code::Trailing => "E_TRAILING",
            Code::Unterminated => "E_UNTERMINATED",
            Code::Duplicate => "E_DUPLICATE",
        }
    }

    /// Whether text after this error may be part of a value that was taken for lines of its own.
    pub(super) fn leads_astray(self) -> bool {
        matches!(self, Code::NoEquals | Code::Name | Code::AmbiguousEscape | Code::Trailing | Code::Unterminated)
    }

    /// What is wrong and what to do, in one line.
    fn text(self) -> &'static str {
        match self {
            Code::Encoding => "this is UTF-16 (PowerShell's > writes it): save the file as UTF-8",
            Code::Utf8 => "not UTF-8 from here on: save the file as UTF-8",
            Code::Nul => "a NUL byte, which no environment variable can hold",
            Code::LoneCr => "a carriage return without a line feed: end lines in LF or CRLF",
            Code::Control => {
                "a control character, or white space that is neither space nor tab: remove it, or put the value in '...'"
            }
            Code::NoEquals => {
                "NAME=value expected, no = here: start a comment with #, put a value of several lines in '...'"
            }
            Code::Name => "a name expected: letters, digits, _ . and -, not starting with . or -, and not __proto__",
            Code::AmbiguousHash => {
                "a # right after text starts a comment to some programs only: put the value in '...', put a blank before a comment, \
                 or read the file as npm dotenv does with --dialect node"
            }
            Code::AmbiguousEscape => {
                "programs read this backslash differently: put the value in '...' without escapes, \
                 or read the file as npm dotenv does with --dialect node"
            }
            Code::AnsiC => "$'...' is an escaped value to a shell only: write the value itself in '...'",
            Code::Trailing => {
                "text after the closing quote: put the whole value in one pair of '...', or of \"...\" if it holds a '"
            }
            Code::Unterminated => "the quote that opens here is never closed: close it, or put the value in '...'",
            Code::Duplicate => "the name stands twice: remove one, or choose with --duplicates first|last",
        }
    }
}

/// What a message says besides its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    /// The line where the quote that closed here was opened.
    OpenedOn(u32),
    /// The line where the name stood first.
    FirstOn(u32),
    /// The escape stands in `$'...'`.
    InAnsi,
}

/// One error in a dotenv text.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: u32,
    /// The column in Unicode scalars, from 1; a byte order mark is not counted.
    pub column: u32,
    /// What is wrong.
    pub code: Code,
    /// The variable, where that is certain: once lines and values may be mixed up, no name is given, as it could be
    /// part of a value.
    pub name: Option<String>,
    pub(super) detail: Detail,
}

impl SyntaxError {
    /// The same error in a text that has `lines` more lines above.
    pub fn below(self, lines: u32) -> Self {
        let detail = match self.detail {
            Detail::OpenedOn(line) => Detail::OpenedOn(line + lines),
            Detail::FirstOn(line) => Detail::FirstOn(line + lines),
            other => other,
        };
        SyntaxError { line: self.line + lines, detail, ..self }
    }

    /// The other line that the error is about: where the quote was opened, or where the name stood first.
    pub fn other_line(&self) -> Option<u32> {
        match self.detail {
            Detail::OpenedOn(line) | Detail::FirstOn(line) => Some(line),
            Detail::None | Detail::InAnsi => None,
        }
    }
}

impl SyntaxError {
    /// The place, code and name, without advice that is meant for files that people write.
    pub fn brief(&self) -> String {
        let name = self.name.as_ref().map_or(String::new(), |name| format!(" {name}:"));
        let first =
            if let Detail::FirstOn(line) = self.detail { format!(" (first on line {line})") } else { String::new() };
        format!("{}:{}: {}:{name} not what a sealed file holds{first}", self.line, self.column, self.code.as_str())
    }
}

impl SyntaxError {
    /// The same for a text that a person has in an editor, where no flag chooses a reading.
    pub fn in_editor(&self) -> String {
        let text = match self.code {
            Code::Duplicate => "the name stands twice: remove one",
            code => code.text().split(", or read the file as").next().unwrap_or_default(),
        };
        let name = self.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        let detail = match self.detail {
            Detail::InAnsi => return format!("{}: {name}{IN_ANSI}", self.code.as_str()),
            Detail::FirstOn(line) => format!(" (first on line {line})"),
            Detail::None | Detail::OpenedOn(_) => String::new(),
        };
        format!("{}: {name}{}{detail}", self.code.as_str(), text.trim_end_matches(", "))
    }
}

const IN_ANSI: &str = r"$'...' knows the escapes \\ \' \n \r \t and \x01 to \x7f only";

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: ", self.line, self.column, self.code.as_str())?;
        if let Some(name) = &self.name {
            write!(f, "{name}: ")?;
        }
        match self.detail {
            Detail::InAnsi => f.write_str(IN_ANSI),
            Detail::None => f.write_str(self.code.text()),
            Detail::OpenedOn(line) if line == self.line => f.write_str(self.code.text()),
            Detail::OpenedOn(line) => write!(f, "{} (the quote was opened on line {line})", self.code.text()),
            Detail::FirstOn(line) => write!(f, "{} (first on line {line})", self.code.text()),
        }
    }
}

impl std::error::Error for SyntaxError {}
