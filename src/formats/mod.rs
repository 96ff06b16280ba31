//! The interchange formats, one file each, both directions side by side.

pub mod dotenv;
mod error;
mod expand;

pub use error::{ImportError, Problem};

use crate::vars::{Value, VarName};

/// The most lines of a text to import: as many as a sealed file may have.
const MAX_LINES: usize = 262_144;

/// What a foreign text brings along, in its order.
#[derive(Default)]
pub struct Incoming {
    /// Comments, blank lines and entries.
    pub items: Vec<Item>,
    /// What the user should know about the text: lines and names, never values.
    pub notes: Vec<String>,
}

/// A line, or several, of a foreign text.
pub enum Item {
    /// A comment, starting with its `#`.
    Comment(String),
    /// An empty line.
    Blank,
    /// A variable.
    Entry(VarName, Value),
}
