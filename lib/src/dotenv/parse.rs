//! From bytes to nodes, or to all errors.

use super::error::{Detail, MAX_ERRORS};
use super::node::{Entry, Kind, Node, Places};
use super::source::{Fault, Source};
use super::{Code, Dialect, Duplicates, SyntaxError};
use std::collections::BTreeMap;

const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The nodes of a text, and whether a byte order mark stood before them.
pub(super) fn parse(
    input: &[u8],
    dialect: Dialect,
    duplicates: Duplicates,
) -> Result<(bool, Vec<Node>), Vec<SyntaxError>> {
    if UTF16_MARKS.iter().any(|mark| input.starts_with(mark)) {
        return Err(locate("", &[Fault::new(0, Code::Encoding)]));
    }
    let whole = str::from_utf8(input).map_err(|error| not_utf8(&input[..error.valid_up_to()]))?;
    let text = without_mark(whole);
    let source = Source { text, dialect };
    let mut parser = Parser {
        source,
        duplicates,
        line: 1,
        // A vector that grows would leave up to half of itself unused, and a large file has many lines.
        nodes: Vec::with_capacity(text.bytes().filter(|&byte| byte == b'\n').count() + 1),
        faults: Vec::new(),
        first: BTreeMap::new(),
        has_nul_or_cr: text.contains('\0') || text.contains('\r'),
        astray: false,
    };
    let mut at = 0;
    while at < text.len() && parser.faults.len() < MAX_ERRORS {
        at = parser.node(at);
    }
    if parser.faults.is_empty() {
        return Ok((text.len() < whole.len(), parser.nodes));
    }
    parser.faults.sort_by_key(|fault| fault.at);
    parser.faults.truncate(MAX_ERRORS);
    Err(locate(text, &parser.faults))
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn not_utf8(good: &[u8]) -> Vec<SyntaxError> {
    // It is UTF-8 as far as the decoder came.
    let good = without_mark(str::from_utf8(good).unwrap_or_default());
    locate(good, &[Fault::new(good.len(), Code::Utf8)])
}

struct Parser<'a> {
    source: Source<'a>,
    duplicates: Duplicates,
    /// The number of the line that the next node starts on.
    line: u32,
    nodes: Vec<Node>,
    faults: Vec<Fault>,
    /// The line on which each name stood first.
    first: BTreeMap<&'a str, u32>,
    /// Most texts have neither, and need not be searched for them line by line.
    has_nul_or_cr: bool,
    /// Whether lines may be parts of values since an earlier error, so that a "name" may be a secret.
    astray: bool,
}

impl<'a> Parser<'a> {
    /// Reads the node that starts at `start` and returns where the next one starts.
    fn node(&mut self, start: usize) -> usize {
        let next = match self.kind(start) {
            Ok((kind, next)) => {
                self.nodes.push(Node::parsed(&self.source.text[start..next], self.line, kind));
                next
            }
            Err(fault) => {
                let next = self.source.line(fault.resume).next;
                self.report(fault);
                next
            }
        };
        if self.has_nul_or_cr {
            self.bad_bytes(start, next);
        }
        let lines = self.source.text[start..next].bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        next
    }

    fn kind(&mut self, start: usize) -> Result<(Kind, usize), Fault> {
        let line = self.source.line(start);
        let first = self.source.skip_blanks(start);
        if first == line.end {
            return Ok((Kind::Blank, line.next));
        }
        if self.source.byte(first) == Some(b'#') {
            return self.source.comment(first, line).map(|()| (Kind::Comment, line.next));
        }
        let head = self.source.head(first, line)?;
        self.note_name(head.name.clone());
        let tail = self.source.tail(&head, line).map_err(|fault| self.about_entry(fault, head.name.clone()))?;
        let shift = |at: usize| at - start;
        let places = Places {
            name: shift(head.name.start)..shift(head.name.end),
            after_equals: shift(head.end),
            value: shift(tail.value.start)..shift(tail.value.end),
            comment: tail.comment.map(shift),
            end: shift(tail.line.end),
        };
        // Nothing that large is read from anywhere; it could not be a value either.
        let entry = Entry::new(places, tail.quoting).ok_or(Fault::new(first, Code::Unterminated))?;
        Ok((Kind::Entry(entry), tail.line.next))
    }

    fn about_entry(&self, fault: Fault, name: std::ops::Range<usize>) -> Fault {
        let detail = if fault.code == Code::Trailing { Detail::OpenedOn(self.line) } else { fault.detail };
        Fault { name: Some(name), detail, ..fault }
    }

    fn note_name(&mut self, range: std::ops::Range<usize>) {
        let first = *self.first.entry(&self.source.text[range.clone()]).or_insert(self.line);
        if self.duplicates == Duplicates::Refuse && first != self.line {
            let fault = Fault::new(range.start, Code::Duplicate);
            self.report(Fault { detail: Detail::FirstOn(first), name: Some(range), ..fault });
        }
    }

    fn report(&mut self, mut fault: Fault) {
        if self.astray {
            fault.name = None;
        }
        self.astray |= fault.code.leads_astray();
        // `bad_bytes` will find these on the same line.
        if !matches!(fault.code, Code::Nul | Code::LoneCr) {
            self.faults.push(fault);
        }
    }

    /// NUL and lone CR are refused even where anything else is taken as it is. One of each kind a line is enough.
    fn bad_bytes(&mut self, start: usize, end: usize) {
        let mut at = start;
        for line in self.source.text[start..end].split_inclusive('\n') {
            let content = line.strip_suffix("\r\n").unwrap_or(line);
            let found = [(content.find('\0'), Code::Nul), (content.find('\r'), Code::LoneCr)];
            for (offset, code) in found.into_iter().filter_map(|(offset, code)| Some((offset?, code))) {
                self.faults.push(Fault::new(at + offset, code));
            }
            if self.faults.len() >= MAX_ERRORS {
                break;
            }
            at += line.len();
        }
    }
}

/// Turns offsets, in order, into lines and columns; passes over the text once.
fn locate(text: &str, faults: &[Fault]) -> Vec<SyntaxError> {
    let (mut at, mut line, mut column) = (0, 1_u32, 1_u32);
    let to_error = |fault: &Fault| {
        for char in text[at..fault.at].chars() {
            (line, column) = if char == '\n' { (line.saturating_add(1), 1) } else { (line, column.saturating_add(1)) };
        }
        at = fault.at;
        let name = fault.name.clone().map(|range| text[range].to_owned());
        SyntaxError { line, column, code: fault.code, name, detail: fault.detail }
    };
    faults.iter().map(to_error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str, dialect: Dialect) -> Vec<String> {
        let errors = parse(text.as_bytes(), dialect, Duplicates::Refuse).err().unwrap_or_default();
        errors.iter().map(|error| format!("{}:{} {}", error.line, error.column, error.code.as_str())).collect()
    }

    #[test]
    fn all_errors_are_found_in_order() {
        let text = "A=x#y\nB='\u{0}'\nA=1\n# \u{7}\nC='x' y\n=\nD=\"\\t\" # x\nE=$'x'\nF='";
        let expected = [
            "1:4 E_AMBIG_HASH",
            "2:4 E_NUL",
            "3:1 E_DUPLICATE",
            "4:3 E_CTRL",
            "5:7 E_TRAILING",
            "6:1 E_NAME",
            "7:4 E_AMBIG_ESCAPE",
            "8:3 E_ANSI_C",
            "9:3 E_UNTERMINATED",
        ];
        assert_eq!(errors(text, Dialect::Foreign), expected);
    }

    #[test]
    fn odd_white_space_is_found_where_it_stands() {
        for (text, expected) in [
            ("\u{a0}A=1", "1:1 E_CTRL"),
            ("A\u{a0}=1", "1:2 E_CTRL"),
            ("é\nA=é\u{3000}", "1:1 E_NAME"),
            ("A=é\u{3000}", "1:4 E_CTRL"),
            ("A='é'\u{b}", "1:6 E_CTRL"),
            ("A=1 # \u{2028}", "1:7 E_CTRL"),
            ("A='1' # \u{2028}", "1:9 E_CTRL"),
            ("A=\u{feff}", "1:3 E_CTRL"),
            ("A\r=1", "1:2 E_CR"),
            ("A", "1:2 E_NO_EQUALS"),
            ("A\r\n", "1:2 E_NO_EQUALS"),
            ("export  # x", "1:9 E_NO_EQUALS"),
            ("export : 1", "1:8 E_NO_EQUALS"),
            ("export \"A\"=1", "1:8 E_NAME"),
        ] {
            assert_eq!(errors(text, Dialect::Foreign).first().map(String::as_str), Some(expected), "{text:?}");
        }
        assert!(errors("#\u{a0}\tx\nA=1 #\u{a0}\t\u{feff}", Dialect::Foreign).is_empty());
        assert!(errors("A='\u{b}\u{a0}\u{2028}\u{feff}'", Dialect::Foreign).is_empty());
    }

    #[test]
    fn one_mistake_is_one_error() {
        for (text, expected) in [
            ("# \r x", "1:3 E_CR"),
            ("A=\r x", "1:3 E_CR"),
            ("# \0 x", "1:3 E_NUL"),
            // Reading goes on after the line that the value ends on.
            ("A=\"\\t\nx\"\nB=1", "1:4 E_AMBIG_ESCAPE"),
            ("A='x\\'\nB=1", "1:5 E_AMBIG_ESCAPE"),
        ] {
            assert_eq!(errors(text, Dialect::Foreign), [expected], "{text:?}");
        }
    }

    #[test]
    fn escapes_of_our_own_are_strict() {
        for bad in [r"\a", r"\0", r"\x", r"\x1", r"\x00", r"\x80", r"\xzz", r#"\""#, r"\u0041"] {
            assert_eq!(errors(&format!("A=$'{bad}'"), Dialect::Own), ["1:5 E_AMBIG_ESCAPE"], "{bad}");
        }
        assert_eq!(errors("A=$'x\nB=$'x\\'", Dialect::Own), ["1:4 E_UNTERMINATED", "2:4 E_UNTERMINATED"]);
        assert_eq!(errors("A=$'x'y", Dialect::Own), ["1:7 E_TRAILING"]);
    }

    #[test]
    fn after_a_broken_value_nothing_is_called_a_name() {
        let text = "A=\"one\nsecret#=\nsecret=x#y\nsecret='\n";
        let errors = parse(text.as_bytes(), Dialect::Foreign, Duplicates::Refuse).err().expect("errors");
        assert_eq!(errors.iter().filter_map(|error| error.name.as_deref()).collect::<Vec<_>>(), ["A"]);
        assert!(errors.iter().all(|error| !error.to_string().contains("secret")));
        assert!(errors.len() > 2);
        // This one leaves no doubt about where lines begin.
        let errors = parse(b"A=x#y\nB=x#y\n", Dialect::Foreign, Duplicates::Refuse).err().expect("errors");
        assert_eq!(errors.iter().filter_map(|error| error.name.as_deref()).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn messages_name_the_place_the_variable_and_the_way_out() {
        let text = "A='x\ny' z\nB=a#b";
        let errors = parse(text.as_bytes(), Dialect::Foreign, Duplicates::Refuse).err().expect("errors");
        assert_eq!(
            errors[0].to_string(),
            "2:4: E_TRAILING: A: text after the closing quote: put the whole value in one pair of '...', \
             or of \"...\" if it holds a ' (the quote was opened on line 1)"
        );
        assert!(errors[1].to_string().contains("--dialect node"));
        let errors = parse(b"\nA=1\n\nA=2\nB='x' y", Dialect::Foreign, Duplicates::Refuse).err().expect("errors");
        assert!(
            errors[0].to_string().starts_with("4:1: E_DUPLICATE: A: ")
                && errors[0].to_string().ends_with("(first on line 2)")
        );
        assert_eq!(errors[0].other_line(), Some(2));
        assert!(errors[1].to_string().ends_with(" if it holds a '"));
        let lower = errors.into_iter().map(|error| error.below(3)).collect::<Vec<_>>();
        assert_eq!(lower.iter().map(|error| error.line).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(lower.iter().map(SyntaxError::other_line).collect::<Vec<_>>(), [Some(5), Some(8)]);
        let errors = parse(br"A=$'\a'", Dialect::Own, Duplicates::Refuse).err().expect("errors");
        assert!(errors[0].to_string().starts_with("1:5: E_AMBIG_ESCAPE: A: $'...' knows the escapes "));
    }

    #[test]
    fn garbage_is_reported_up_to_a_limit() {
        assert_eq!(errors(&"x\n".repeat(5000), Dialect::Foreign).len(), MAX_ERRORS);
        assert_eq!(errors(&format!("A='{}", "\0\n".repeat(5000)), Dialect::Foreign).len(), MAX_ERRORS);
    }
}
