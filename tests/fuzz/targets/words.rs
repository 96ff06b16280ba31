//! The small texts that strangers hand in: keys, passwords, labels, times. What is read is written in one way, and that is
//! read as the same.

use super::text;
use envsec::duration::Duration;
use envsec::error::one_line;
use envsec::formats::dotenv::commented_entry;
use envsec::generate::Kind;
use envsec::pair::Pair;
use envsec::schema::{comment_looks_secret, looks_secret};
use envsec::sealed::{Label, Password, RawKey, SlotId, Utc, b64u, parse_b64u, parse_number};
use envsec::secret::SecretText;
use envsec::vars::{Glob, VarName};
use std::fmt::Display;
use std::str::FromStr;

/// Any text.
pub(super) fn words(input: &[u8]) {
    let text = text(input);
    credentials(&text);
    forms(&text);
    read_and_written::<Duration>(&text);
    read_and_written::<Kind>(&text);
    names(&text);
    times(&text);
    assert!(!one_line(&text).contains(char::is_control));
    if let Some((name, upto)) = commented_entry(&text) {
        assert!(text[..upto].ends_with('=') && text[..upto].contains(name) && !text[upto..].trim().is_empty());
    }
    for words in [looks_secret(&text), comment_looks_secret(&text)].into_iter().flatten() {
        assert!(!text.is_empty() && !words.is_empty());
    }
}

fn credentials(text: &str) {
    let given = SecretText::from(text);
    if let Ok(key) = RawKey::parse(&given) {
        assert_eq!(key.to_text().expose(), text, "a raw key has one spelling");
    }
    if let Ok(password) = Password::new(&given) {
        assert!(!password.expose().is_empty() && !password.expose().contains(char::is_control));
        let again = Password::new(&SecretText::from(password.expose())).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.expose(), password.expose(), "normalised once is normalised");
    }
}

fn forms(text: &str) {
    if let Some(bytes) = parse_b64u(text) {
        assert_eq!(b64u(&bytes), text);
    }
    assert_eq!(parse_b64u(&b64u(text.as_bytes())).as_deref(), Some(text.as_bytes()));
    if let Some(number) = parse_number(text) {
        assert_eq!(number.to_string(), text);
    }
    assert!(Label::parse(text).is_none_or(|label| label.as_str() == text));
    assert!(SlotId::parse(text).is_none_or(|id| id.as_str() == text));
}

fn read_and_written<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert!(read.to_string().parse::<T>().is_ok_and(|again| again == read), "{read}");
    }
}

fn names(text: &str) {
    if let Ok(name) = VarName::try_from(text) {
        assert_eq!(name.as_str(), text);
        assert!(text.parse::<Glob>().is_ok_and(|glob| glob.matches(&name)), "a name matches itself");
    }
    if let Some((glob, name)) = text.split_once('=')
        && let (Ok(glob), Ok(name)) = (glob.parse::<Glob>(), VarName::try_from(name))
    {
        assert_eq!(glob.matches(&name), fits(glob.to_string().as_bytes(), name.as_str().as_bytes()));
    }
    if let Ok(pair) = text.parse::<Pair>() {
        let users = text.split_once('=').and_then(|(_, users)| users.split_once(',')).expect("two users");
        assert_eq!((pair.other(users.0), pair.other(users.1)), (Some(users.1), Some(users.0)));
    }
}

/// Whether a name fits a pattern, column by column.
fn fits(glob: &[u8], name: &[u8]) -> bool {
    let mut fitting = vec![false; name.len() + 1];
    fitting[0] = true;
    for byte in glob {
        if *byte == b'*' {
            (1..fitting.len()).for_each(|at| fitting[at] |= fitting[at - 1]);
        } else {
            (1..fitting.len())
                .rev()
                .for_each(|at| fitting[at] = fitting[at - 1] && [b'?', name[at - 1]].contains(byte));
            fitting[0] = false;
        }
    }
    fitting[name.len()]
}

fn times(text: &str) {
    let Some(time) = Utc::parse(text) else { return };
    assert_eq!(time.to_string(), text);
    if let Ok(seconds) = u64::try_from(time.unix()) {
        assert_eq!(Utc::from_unix(seconds), time);
        assert!(time.plus(1) > time || text.starts_with("9999-12-31T23:59:59"));
    }
}
