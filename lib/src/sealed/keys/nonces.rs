//! Nonces when the random number generator is broken: it always gives the same bytes.

use super::*;
use crate::sealed::{Credential, Limits, Locked, NewSlot, RawKey, SlotId, Unlocked, Utc, WORK_FACTOR};
use crate::secret::SecretText;
use rand::rand_core::{TryCryptoRng, TryRng};
use std::collections::HashSet;
use std::convert::Infallible;

struct Stuck;

impl TryRng for Stuck {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

fn value(number: u32) -> Value {
    Value::try_from(SecretText::from(number.to_string())).unwrap()
}

#[test]
fn a_million_values_have_a_million_nonces_without_randomness() {
    let (name, keys) = ("API_KEY".parse().unwrap(), Keys::new([7; 16], Key::from([1; 32])));
    let mut seen = HashSet::with_capacity(1_000_000);
    for number in 0..1_000_000 {
        assert!(seen.insert(keys.hedged_nonce(&name, &value(number), &mut Stuck)), "value {number}");
    }
}

#[test]
fn every_set_has_a_nonce_of_its_own_without_randomness() {
    let credential = || Credential::RawKey(RawKey::generate(&mut Stuck));
    let slot = NewSlot { id: SlotId::parse("ci").unwrap(), credential: credential(), work_factor: WORK_FACTOR };
    let mut bytes = Unlocked::create(None, &[slot], &mut Stuck).unwrap().seal().unwrap();
    let (name, mut seen) = ("API_KEY".parse().unwrap(), HashSet::new());
    for number in 0..1000 {
        let mut file = Locked::parse(&bytes).unwrap().unlock(&[credential()], &Limits::default()).unwrap();
        assert!(file.set(&name, &value(number), None, Utc::now(), &mut Stuck).unwrap());
        bytes = file.seal().unwrap();
        // 12 bytes are 16 characters of base64.
        let nonce = str::from_utf8(&bytes).unwrap().split_once("API_KEY=enc:").unwrap().1[..16].to_owned();
        assert!(seen.insert(nonce), "value {number}");
    }
}
