//! A new data key and changed slots: limits, odd combinations, and files that change meanwhile.

use crate::harness::{LOW_WORK_FACTOR, Sandbox};
use crate::keys::{NOT_UNDONE, cheaply, private};
use envsec::crypto::system_rng;
use envsec::sealed::{Credential, NewSlot, Password, SlotId, Unlocked};
use envsec::secret::SecretText;

/// A sealed file whose slots are `p0`, `p1` and so on, of the lowest work factor, for the passwords in files of these names.
fn with_passwords(count: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let slot = |number| {
        let (id, text) = (format!("p{number}"), format!("the password of p{number}"));
        private(&sandbox, &id, &text);
        let credential = Credential::Password(Password::new(&SecretText::from(text.as_str())).unwrap());
        NewSlot { id: SlotId::parse(&id).unwrap(), credential, work_factor: LOW_WORK_FACTOR }
    };
    let slots: Vec<NewSlot> = (0..count).map(slot).collect();
    sandbox.write(".env.enc", Unlocked::create(None, &slots, &mut system_rng()).unwrap().seal().unwrap());
    sandbox
}

#[test]
fn every_password_of_a_team_may_be_given_for_a_new_data_key() {
    let sandbox = with_passwords(8);
    // Eight slots, each tried with each of these passwords, would be over the limit on a sum, if it counted pairs. The
    // last ones fit nothing, and nobody minds.
    let files: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    private(&sandbox, "wrong", "the password of nobody");
    let wrong = ["--password-file", "wrong"].repeat(9);
    let credentials: Vec<&str> = files.iter().flat_map(|file| ["--password-file", file]).chain(wrong).collect();
    sandbox.envsec(cheaply(&[&["rotate"], &credentials[..]].concat())).says(NOT_UNDONE);
    sandbox.envsec(["list", "--slot", "p7", "--password-file", "p7"]).succeeds();
}
