//! A body put together anew: the lines in another order, other comments, plain entries with a text of their own.

use super::body::{Body, Storage};
use super::error::SealedError;
use super::locked::Locked;
use super::unlocked::Unlocked;
use super::utc::Utc;
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarName};

/// A line of the body, in a list that says what the whole is.
pub enum BodyLine<'l> {
    /// A comment with its `#`, without a line end.
    Comment(&'l str),
    /// Nothing, or blanks.
    Blank(&'l str),
    /// An entry, exactly as it stands in the file.
    Entry(&'l VarName),
    /// A plain entry with this text after its `=`, and what that means.
    Plain {
        /// Its name, which the file need not have yet.
        name: &'l VarName,
        /// Quotes and inline comment included.
        text: &'l SecretText,
        /// The value that readers find in it.
        value: &'l Value,
    },
}

impl Locked {
    /// The lines below the header, in order.
    pub fn body_lines(&self) -> Vec<BodyLine<'_>> {
        self.body.lines()
    }

    /// The exact text after the `=` of a plain entry.
    pub fn plain_text(&self, name: &VarName) -> Option<SecretText> {
        let entry = self.body.find(name).filter(|entry| entry.storage() == Storage::Plain)?;
        Some(SecretText::from(self.body.text(entry)))
    }
}

impl Unlocked {
    /// Puts the body together from a list of its lines, which has every entry once; returns whether anything changed.
    /// What an entry has after its `=` stays byte for byte, and so does a last line without an end.
    ///
    /// # Errors
    /// As for a file that is read; [`SealedError::Rotating`] for a name that becomes plain in the midst of a rotation.
    pub fn rewrite(&mut self, lines: &[BodyLine<'_>], now: Utc) -> Result<bool, SealedError> {
        for line in lines {
            if let BodyLine::Plain { name, .. } = line
                && self.storage(name) == Some(Storage::Secret)
            {
                self.note_change(name, Storage::Plain, now)?;
            }
        }
        let before = self.file.body.to_text();
        let text = self.text_of(lines, &before)?;
        if text.expose() == before.expose() {
            return Ok(false);
        }
        let header_lines = self.file.header.lines.len() + 2; // the first, and the seal
        let body = Body::parse(text.expose(), self.file.body.line_end(), header_lines)?;
        if let Some(lost) = self.file.body.entries().iter().find(|entry| body.find(&entry.name).is_none()) {
            return Err(SealedError::SelfCheck(format!("{} would be lost", lost.name)));
        }
        self.file.body = body;
        self.changed = true;
        for line in lines {
            if let BodyLine::Plain { name, value, .. } = line {
                self.note_written(name, value);
            }
        }
        Ok(true)
    }

    fn text_of(&self, lines: &[BodyLine<'_>], before: &Secret) -> Result<Secret, SealedError> {
        let (body, end) = (&self.file.body, self.file.body.line_end());
        let mut text = Secret::with_capacity(before.len() + 1);
        for line in lines {
            match line {
                BodyLine::Comment(line) | BodyLine::Blank(line) => text.extend(line.as_bytes()),
                BodyLine::Entry(name) => {
                    let entry = body.find(name).ok_or_else(|| SealedError::not_there(name))?;
                    push_entry(&mut text, name, body.text(entry));
                }
                BodyLine::Plain { name, text: after_equals, .. } => push_entry(&mut text, name, after_equals.expose()),
            }
            text.extend(end.as_bytes());
        }
        // A last line that had no end, and is still the last, has none.
        let unended =
            text.len().checked_sub(end.len()).filter(|_| !before.is_empty() && !before.expose().ends_with(b"\n"));
        match unended {
            Some(unended) if last_line(before.expose()) == last_line(&text.expose()[..unended]) => {
                text.truncate(unended)
            }
            _ => {}
        }
        Ok(text)
    }
}

fn push_entry(text: &mut Secret, name: &VarName, after_equals: &str) {
    [name.as_str(), "=", after_equals].iter().for_each(|part| text.extend(part.as_bytes()));
}

fn last_line(text: &[u8]) -> &[u8] {
    text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
}
