//! The data key and everything that is derived from it: key id, seal, value tokens.

use super::error::SealedError;
use super::header::{FileId, KeyId};
use crate::crypto::{self, Expander, Mac, NONCE, TAG};
use crate::secret::{Key, Secret};
use crate::vars::{Value, VarName};
use rand::CryptoRng;

/// Values are padded to multiples of this many bytes, so that their length shows to 32 bytes only.
const BLOCK: usize = 32;

/// What a token is used for: bound into its key and its authenticated data, so that it opens nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The value of an entry.
    Value,
    /// The old value of a rotation.
    Previous,
    /// The next value of a rotation.
    Pending,
}

impl Purpose {
    fn context(self) -> &'static [u8] {
        match self {
            Purpose::Value => b"envsec/1 value\0",
            Purpose::Previous => b"envsec/1 previous\0",
            Purpose::Pending => b"envsec/1 pending\0",
        }
    }
}

/// A data key with the keys derived from it, for one file.
pub struct Keys {
    file: FileId,
    data_key: Key,
    prk: Expander,
}

impl Keys {
    /// Derives PRK from the data key and the file id, which is its salt.
    pub fn new(file: FileId, data_key: Key) -> Self {
        let prk = Expander::new(&crypto::hkdf_extract(&file, data_key.expose()));
        Keys { file, data_key, prk }
    }

    /// The data key itself, to be wrapped.
    pub fn data_key(&self) -> &Key {
        &self.data_key
    }

    /// `key=`: commits to the data key and is no secret.
    pub fn key_id(&self) -> KeyId {
        let mut id = [0; 32];
        self.prk.expand(&[b"envsec/1 key-id"], &mut id);
        id
    }

    /// K_seal.
    pub fn seal_key(&self) -> Key {
        self.prk.expand_key(&[b"envsec/1 seal"])
    }

    /// What tells two values of a name apart without showing them, for who has the key only: HMAC-SHA-256 over name and
    /// value under a key of its own, of which a few bytes are shown.
    pub fn fingerprint(&self, name: &VarName, value: &Value) -> [u8; 32] {
        let mut mac = Mac::new(self.prk.expand_key(&[b"envsec/1 fingerprint"]).expose());
        for part in [name.as_str().as_bytes(), value.expose().as_bytes()] {
            mac.update(&lp(part).0);
            mac.update(part);
        }
        mac.finish()
    }

    /// K_v for [`Purpose::Value`], and the keys of the other uses.
    fn value_key(&self, purpose: Purpose, name: &VarName) -> Key {
        self.prk.expand_key(&[purpose.context(), name.as_str().as_bytes()])
    }

    fn associated_data(&self, purpose: Purpose, name: &VarName) -> Vec<u8> {
        [purpose.context(), &self.file, &lp(name.as_str().as_bytes()).0, name.as_str().as_bytes()].concat()
    }

    /// Encrypts a value under a fresh hedged nonce; the result is `nonce ‖ ciphertext ‖ tag`.
    pub fn encrypt(&self, purpose: Purpose, name: &VarName, value: &Value, rng: &mut dyn CryptoRng) -> Vec<u8> {
        self.encrypt_with(purpose, name, value, &self.hedged_nonce(name, value, rng))
    }

    /// [`Keys::encrypt`], and the token read back at once.
    ///
    /// # Errors
    /// [`SealedError::SelfCheck`].
    pub fn encrypt_and_check(
        &self,
        purpose: Purpose,
        name: &VarName,
        value: &Value,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealedError> {
        let token = self.encrypt(purpose, name, value, rng);
        let again = self.decrypt(purpose, name, &token)?;
        let same = crypto::equal(again.expose().as_bytes(), value.expose().as_bytes());
        if same { Ok(token) } else { Err(SealedError::SelfCheck(format!("{name} has another value"))) }
    }

    fn encrypt_with(&self, purpose: Purpose, name: &VarName, value: &Value, nonce: &[u8; NONCE]) -> Vec<u8> {
        let mut padded = pad(value.expose().as_bytes());
        let aad = self.associated_data(purpose, name);
        let tag = crypto::aes256gcm_seal(&self.value_key(purpose, name), nonce, &aad, padded.expose_mut());
        [nonce, padded.expose(), &tag].concat()
    }

    /// A token around a plaintext that no writer would pad so.
    #[cfg(test)]
    pub(super) fn encrypt_padded_for_tests(&self, purpose: Purpose, name: &VarName, padded: &[u8]) -> Vec<u8> {
        let (nonce, mut buffer) = ([1; NONCE], padded.to_vec());
        let aad = self.associated_data(purpose, name);
        let tag = crypto::aes256gcm_seal(&self.value_key(purpose, name), &nonce, &aad, &mut buffer);
        [&nonce, buffer.as_slice(), &tag].concat()
    }

    /// Decrypts a token of checked size.
    ///
    /// # Errors
    /// [`SealedError::Value`] for a tag that does not match, padding that is not minimal, a NUL byte, text that is not UTF-8.
    pub fn decrypt(&self, purpose: Purpose, name: &VarName, token: &[u8]) -> Result<Value, SealedError> {
        let wrong = |what| SealedError::Value { name: name.clone(), what };
        let not_authentic = || wrong("does not authenticate");
        let (nonce, sealed) = token.split_first_chunk::<NONCE>().ok_or_else(not_authentic)?;
        let (key, aad) = (self.value_key(purpose, name), self.associated_data(purpose, name));
        let mut plain = crypto::aes256gcm_open(&key, nonce, &aad, sealed).map_err(|_| not_authentic())?;
        plain.truncate(unpadded_len(plain.expose()).ok_or_else(|| wrong("is not padded as the format says"))?);
        let text = plain.into_text().map_err(|_| wrong("is not UTF-8"))?;
        Value::try_from(text).map_err(|_| wrong("holds a NUL byte or is too long"))
    }

    /// The first 12 bytes of HMAC(K_nonce, name, value, 32 random bytes): distinct values get distinct nonces even when
    /// the random number generator repeats itself.
    fn hedged_nonce(&self, name: &VarName, value: &Value, rng: &mut dyn CryptoRng) -> [u8; NONCE] {
        let key = self.prk.expand_key(&[b"envsec/1 nonce"]);
        let (name, value) = (name.as_str().as_bytes(), value.expose().as_bytes());
        let random: [u8; 32] = crypto::random_bytes(rng);
        let mac = crypto::hmac_sha256(key.expose(), &[&lp(name).0, name, &lp(value).0, value, &random]);
        *mac.expose().first_chunk().unwrap_or(&[0; NONCE])
    }
}

/// The length prefix LP: a big-endian u32. No text of the format reaches 4 GiB: files end at 16 MiB.
pub(super) struct LengthPrefix(pub [u8; 4]);

/// The length prefix of `bytes`.
pub(super) fn lp(bytes: &[u8]) -> LengthPrefix {
    LengthPrefix(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes())
}

/// ISO/IEC 7816-4: the value, 0x80, then zeros to the next multiple of [`BLOCK`].
fn pad(value: &[u8]) -> Secret {
    let blocks = value.len() / BLOCK + 1;
    let mut padded = Secret::with_capacity(blocks * BLOCK + TAG);
    padded.extend(value);
    padded.extend(&[0x80]);
    padded.extend(&[0; BLOCK][..blocks * BLOCK - value.len() - 1]);
    padded
}

/// The length of the value in a padded buffer; `None` unless the padding is the one that [`pad`] makes.
fn unpadded_len(padded: &[u8]) -> Option<usize> {
    let end = padded.iter().rposition(|&byte| byte != 0)?;
    let minimal = padded.len() == (end / BLOCK + 1) * BLOCK;
    (padded[end] == 0x80 && minimal).then_some(end)
}

#[cfg(test)]
mod known_answer;

#[cfg(test)]
mod nonces;
