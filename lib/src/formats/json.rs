//! A flat JSON object (RFC 8259): names to values.

use super::error::{Complaints, ImportError, Problem};
use super::escape::{push_hex, push_short};
use super::{Incoming, Item, MAX_LINES, printed};
use crate::secret::SecretText;
use crate::vars::{Value, VarName, Vars};
use serde_core::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;

/// Reads an object whose members are strings, numbers and booleans; the latter two are taken as they are written, so that
/// `1.0` stays `1.0`. Places are `LINE:COLUMN`, in characters.
///
/// # Errors
/// Syntax; null and nested values, names that stand twice or that a sealed file cannot hold: all at once.
pub fn parse(text: &[u8], source_name: &str) -> Result<Incoming, ImportError> {
    let mut reading = Reading::new(as_text(text, source_name)?, source_name);
    let mut json = serde_json::Deserializer::from_str(reading.text);
    let read = json.deserialize_map(&mut reading).and_then(|()| json.end());
    if let Err(error) = read {
        reading.broken(&error);
    }
    reading.wrong.or(reading.incoming)
}

/// The text without a byte order mark, which PowerShell and editors write.
fn as_text<'t>(bytes: &'t [u8], source_name: &str) -> Result<&'t str, ImportError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ImportError::Text { source_name: source_name.into(), problem: Problem::Utf16 });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let mut wrong = Complaints::new(source_name);
            wrong.add(Place::start().move_to(good.len(), good), "not UTF-8");
            wrong.or(Incoming::default()).map(|_| "")
        }
    }
}

/// A place in the text, which only moves on, so that finding all of them costs one pass.
struct Place {
    at: usize,
    line: usize,
    column: usize,
}

impl Place {
    fn start() -> Self {
        Place { at: 0, line: 1, column: 1 }
    }

    /// Moves to a byte of the text: `LINE:COLUMN`, from 1, in characters.
    fn move_to(&mut self, at: usize, text: &str) -> String {
        for char in text.get(self.at..at).unwrap_or_default().chars() {
            (self.line, self.column) = if char == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.at = at;
        format!("{}:{}", self.line, self.column)
    }
}

/// One reading of an object into what is imported.
struct Reading<'t> {
    text: &'t str,
    place: Place,
    incoming: Incoming,
    wrong: Complaints,
    seen: BTreeSet<VarName>,
}

impl<'t> Reading<'t> {
    fn new(text: &'t str, source_name: &str) -> Self {
        let wrong = Complaints::new(source_name);
        Reading { text, place: Place::start(), incoming: Incoming::default(), wrong, seen: BTreeSet::new() }
    }

    /// Takes a member, or says what is wrong with it.
    fn member(&mut self, name: &str, raw: &'t RawValue) {
        if let Err(what) = self.entry(name, raw.get()) {
            // What was borrowed from the text begins within it.
            let at = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
            self.wrong.add(self.place.move_to(at, self.text), what);
        }
    }

    fn entry(&mut self, name: &str, raw: &str) -> Result<(), String> {
        let name = VarName::try_from(name).map_err(|error| error.to_string())?;
        let value = value(raw).map_err(|what| format!("{name}: {what}"))?;
        if !self.seen.insert(name.clone()) {
            return Err(format!("{name}: stands twice"));
        }
        self.incoming.items.push(Item::Entry(name, value));
        Ok(())
    }

    /// Says where the text is no JSON. What serde_json says of a wrong type would quote it.
    fn broken(&mut self, error: &serde_json::Error) {
        let message = error.to_string();
        let what = match error.classify() {
            _ if self.wrong.is_full() => "too many errors",
            serde_json::error::Category::Data => "not an object of names and values",
            _ => message.rsplit_once(" at line ").map_or("not JSON", |(what, _)| what),
        };
        let line = self.text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        // Its columns count bytes, and it stands behind what it stumbled over.
        let before = error.column().saturating_sub(1).min(line.len());
        let column = line.bytes().take(before).filter(|byte| byte & 0xc0 != 0x80).count() + 1;
        self.wrong.add(format!("{}:{column}", error.line()), what);
    }
}

/// The value in the source text of a member. Its first character tells its type.
fn value(raw: &str) -> Result<Value, String> {
    let text = match raw.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str(raw).map(<SecretText as From<String>>::from).map_err(|_| "is no Unicode text")?
        }
        Some(b'n') => return Err("is null; leave it out, or write \"\"".into()),
        Some(b'{' | b'[') => return Err("is nested; a variable is a text, a number or true or false".into()),
        _ => SecretText::from(raw),
    };
    Value::try_from(text).map_err(|error| error.to_string())
}

impl<'t> Visitor<'t> for &mut Reading<'t> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'t>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(name) = members.next_key::<String>()? {
            self.member(&name, members.next_value()?);
            if self.wrong.is_full() || self.incoming.items.len() > MAX_LINES {
                return Err(M::Error::custom("too much"));
            }
        }
        Ok(())
    }
}

/// An object with a member a line, indented by two blanks.
pub fn print(vars: &Vars) -> SecretText {
    if vars.iter().len() == 0 {
        return SecretText::from("{}\n");
    }
    let members = printed(vars, |text, name, value| {
        for part in [",\n  \"", name, "\": \""] {
            text.push_str(part);
        }
        value.chars().for_each(|char| push_escaped(text, char));
        text.push('"');
    });
    let mut text = SecretText::with_capacity(members.len() + 4);
    // Every member brings its comma; the first one needs none.
    for part in ["{", &members.expose()[1..], "\n}\n"] {
        text.push_str(part);
    }
    text
}

fn push_escaped(text: &mut SecretText, char: char) {
    if push_short(text, char) {
        return;
    }
    if char.is_ascii_control() {
        text.push_str("\\u");
        push_hex(text, u32::from(char), 4);
    } else {
        text.push(char);
    }
}
