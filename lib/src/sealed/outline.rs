//! What git shows of a sealed file: a line for each entry and header line, that tells which of two revisions differ in
//! what, and no value.
//!
//! With a key: `#` and a keyed fingerprint of the value. Without: `~` and a digest of what anybody sees.

use super::body::{Content, Entry, Storage};
use super::diff::Revision;
use super::forms::b64u;
use super::header::{Line, LineKind, Rotation};
use super::rekey::SlotType;
use super::utc::Utc;
use crate::crypto;

/// The outline of a file: entries in their order, slots, rotations, label, data key.
pub fn outline(file: &Revision) -> String {
    let locked = file.locked();
    let entries = locked.body.entries().iter().map(|entry| entry_line(file, entry));
    let header = locked.header.lines.iter().map(header_line);
    let label = locked.label().map(|label| format!("label {}\n", label.as_str()));
    let key: String = b64u(locked.key_id()).chars().take(8).collect();
    entries.chain(header).chain(label).chain([format!("data key {key}\n")]).collect()
}

fn entry_line(file: &Revision, entry: &Entry) -> String {
    let kind = match entry.storage() {
        Storage::Secret => "secret",
        Storage::Plain => "plain",
    };
    format!("{} {kind} {}\n", entry.name, fingerprint(file, entry))
}

/// A slot that was wrapped anew has another digest.
fn header_line(line: &Line) -> String {
    let digest = digest(line.text.as_bytes());
    match &line.kind {
        LineKind::Slot(slot) => {
            let kind = SlotType::of(&slot.kind);
            let cost = match kind {
                SlotType::Password { work_factor } => format!(" ln={work_factor}"),
                SlotType::RawKey | SlotType::Unknown(_) => String::new(),
            };
            format!("slot {} {}{cost} {digest}\n", slot.id.as_str(), kind.name())
        }
        LineKind::Rotation(rotation) => rotation_line(rotation),
        LineKind::Unknown => format!("{} {digest}\n", line.text.split(' ').next().unwrap_or_default()),
    }
}

fn rotation_line(rotation: &Rotation) -> String {
    let waits = |what: &str, token: &Option<(Vec<u8>, Utc)>| {
        token.as_ref().map_or(String::new(), |(_, time)| format!(", {what} {time}"))
    };
    let previous = waits("old value until", &rotation.previous);
    let pending = waits("pending since", &rotation.pending);
    format!("rotation {} {}{previous}{pending}\n", rotation.name, rotation.at)
}

/// `~` and 8 hex digits of SHA-256, of what anybody can read.
pub fn digest(bytes: &[u8]) -> String {
    format!("~{}", hex(&crypto::sha256(&[bytes])))
}

fn fingerprint(file: &Revision, entry: &Entry) -> String {
    if let Revision::Verified(unlocked) = file
        && let Ok(Some(value)) = unlocked.get(&entry.name)
    {
        return format!("#{}", hex(&unlocked.keys.fingerprint(&entry.name, &value)));
    }
    let locked = file.locked();
    match &entry.content {
        Content::Token(token) => digest(token),
        Content::Plain => digest(locked.body.text(entry).as_bytes()),
    }
}

/// The first four bytes.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
