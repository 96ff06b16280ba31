//! dotenv text: a lossless parser, edits that touch one place, and the serialiser of values.
//!
//! One law shapes the parser: for any input it either reports an error or finds exactly the map that npm `dotenv` finds.
//! Programs that read dotenv files disagree about `#`, backslashes, line breaks and odd white space without saying so;
//! where they do, this module refuses and names the spelling that all of them understand.
//!
//! ```
//! use envsec::dotenv::{Dialect, Document, Duplicates, Place, quote};
//!
//! let mut document = Document::parse(b"# mine\nA=1 # one\n", Dialect::Foreign, Duplicates::Refuse).expect("good syntax");
//! let at = document.find("A").expect("it is there");
//! document.replace_value(at, &quote("it's", Place::File).1);
//! let mut text = envsec::secret::Secret::default();
//! document.write_to(&mut text);
//! assert_eq!(text.expose(), b"# mine\nA=\"it's\" # one\n");
//! ```

mod chars;
mod decode;
mod document;
mod error;
mod node;
mod parse;
mod source;
mod write;

pub use document::Document;
pub use error::{Code, MAX_ERRORS, SyntaxError};
pub use node::{Entry, EntryRef, Kind, Node, Quoting};
pub use write::{Place, Rule, quote};

use crate::secret::SecretText;

/// The most line ends of a text that a reader takes: four for each entry that a sealed file may have. The parser leaves it
/// to its callers; it bounds what a hostile text costs.
pub const MAX_LINES: usize = 262_144;

/// Whose text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Text that envsec wrote itself (sealed file, edit buffer): `$'...'` is known.
    Own,
    /// Anybody's file: what programs read differently is an error.
    Foreign,
    /// Anybody's file, read as npm `dotenv` reads it: no `E_AMBIG_...` errors.
    Node,
}

/// What a name that stands twice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// An error.
    Refuse,
    /// The first entry counts.
    First,
    /// The last entry counts, as npm `dotenv` has it.
    Last,
}

/// The parts as one text, in a buffer that never moves.
fn joined(parts: &[&str]) -> SecretText {
    let mut text = SecretText::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}
