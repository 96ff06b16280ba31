//! The sealed env file, format `envsec/1` (`docs/format.md`): bytes in, bytes out.
//!
//! A file is read in two steps, and the types keep their order. [`Locked::parse`] reads the whole file strictly: names,
//! comments and header are known then, but nothing is vouched for. [`Locked::unlock`] opens a slot with a credential and
//! verifies the seal; only the [`Unlocked`] that it gives hands out values and takes changes. [`Unlocked::seal`] makes
//! the bytes of the next revision and reads them back before anybody may write them.

mod body;
mod credential;
mod diff;
mod error;
mod forms;
mod header;
mod keys;
mod layout;
mod locked;
mod merge;
mod outline;
mod rekey;
mod reseal;
mod rewrite;
mod rotation;
mod slot;
mod unlocked;
mod utc;

pub use body::{Line, Storage};
pub use credential::{Credential, CredentialError, MIN_PASSWORD, Password, RawKey};
pub use diff::{Comparison, Differences, LineDifference, NameDifference, Revision};
pub use error::{SealedError, Unfinished};
pub use forms::{b64u, parse_b64u, parse_number};
pub use header::{FileId, KeyId, Label, SlotId};
pub use keys::Purpose;
pub use locked::{Locked, MAX_FILE};
pub use merge::{HeaderConflict, Merge, MergeError, Merged, Side};
pub use outline::{digest, outline};
pub use rekey::{Match, NextKey, SlotInfo, SlotType};
pub use reseal::{Change, Known, Resealed, Unsealed};
pub use rewrite::BodyLine;
pub use rotation::RotationInfo;
pub use slot::{Limits, NewSlot, READ_LIMIT, READ_MAX, WORK_FACTOR, WRITE_WORK_FACTORS};
pub use unlocked::{Opening, Unlocked};
pub use utc::Utc;

#[cfg(test)]
mod tests;
