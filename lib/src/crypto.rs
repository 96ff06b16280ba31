//! The primitives: one function each, parameters fixed, the standard named. None of them is our own.
//!
//! | function | standard |
//! |---|---|
//! | [`sha256`] | FIPS 180-4 |
//! | [`hmac_sha256`], [`Mac`] | RFC 2104 with SHA-256 |
//! | [`hkdf_extract`], [`hkdf_expand`] | RFC 5869 with SHA-256 |
//! | [`aes256gcm_seal`], [`aes256gcm_open`], [`aes256gcm_open_iv128`] | NIST SP 800-38D, 128-bit tag |
//! | [`scrypt()`] | RFC 7914, r = 8, p = 1 |

use crate::error::{Failure, Status};
use crate::secret::{Key, Secret};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit, array::ArraySize};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use hmac::{Hmac, Mac as _};
use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Bytes of an AES-GCM tag.
pub const TAG: usize = 16;

/// Bytes of the AES-GCM nonce that SP 800-38D recommends.
pub const NONCE: usize = 12;

/// Something that a primitive refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The AES-GCM tag does not match: wrong key, or the data was changed.
    #[error("does not authenticate")]
    NotAuthentic,
    /// The memory that scrypt needs cannot be had.
    #[error("scrypt needs {mib} MiB of memory for this file's work factor, and the system does not give it")]
    Memory {
        /// 128 · r · 2^ln bytes, in MiB.
        mib: usize,
    },
}

impl Failure for CryptoError {
    fn status(&self) -> Status {
        match self {
            CryptoError::NotAuthentic => Status::NotAuthentic,
            CryptoError::Memory { .. } => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, CryptoError::Memory { .. }).then(|| {
            "raise the memory limit (ulimit -v), or open the file with a raw key, which needs no scrypt".into()
        })
    }
}

/// The operating system's random number generator. It panics when the system has none: nothing can be done without.
pub fn system_rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// A fresh 256-bit key.
pub fn random_key(rng: &mut dyn CryptoRng) -> Key {
    Key::filled(|bytes| rng.fill_bytes(bytes))
}

/// `N` fresh random bytes that are no secret (salts, file ids).
pub fn random_bytes<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// SHA-256 (FIPS 180-4) of the parts one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// HMAC-SHA-256 (RFC 2104) of the parts one after the other, as a key.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Key {
    let mut mac = Mac::new(key);
    parts.iter().for_each(|part| mac.update(part));
    Key::from(mac.finish())
}

/// A running HMAC-SHA-256 (RFC 2104), for messages that need not be put together in memory.
pub struct Mac(Hmac<Sha256>);

impl Mac {
    /// Starts with a key of any length.
    pub fn new(key: &[u8]) -> Self {
        // RFC 2104 takes keys of any length, so the crate's error cannot happen for HMAC.
        Mac(<Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
            .unwrap_or_else(|_| unreachable!("HMAC takes any key length")))
    }

    /// Takes more of the message.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The 32 bytes of the MAC.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// HKDF-Extract (RFC 5869, 2.2) with SHA-256.
pub fn hkdf_extract(salt: &[u8], ikm: &[u8]) -> Key {
    let (mut prk, _) = hkdf::Hkdf::<Sha256>::extract(Some(salt), ikm);
    let key = Key::filled(|bytes| bytes.copy_from_slice(&prk));
    prk.zeroize();
    key
}

/// HKDF-Expand (RFC 5869, 2.3) with SHA-256; `info` is the parts one after the other, `N` at most 255 · 32.
pub fn hkdf_expand(prk: &Key, info: &[&[u8]], out: &mut [u8]) {
    Expander::new(prk).expand(info, out);
}

/// [`hkdf_expand`] to one 256-bit key.
pub fn hkdf_expand_key(prk: &Key, info: &[&[u8]]) -> Key {
    Expander::new(prk).expand_key(info)
}

/// [`hkdf_expand`] of one PRK many times: half of the hashing is of the PRK alone, and done once.
pub struct Expander(hkdf::Hkdf<Sha256>);

impl Expander {
    /// Takes the PRK in.
    pub fn new(prk: &Key) -> Self {
        let hkdf = hkdf::Hkdf::from_prk(prk.expose());
        Expander(hkdf.unwrap_or_else(|_| unreachable!("a PRK of 32 bytes is as long as the hash")))
    }

    /// As [`hkdf_expand`].
    pub fn expand(&self, info: &[&[u8]], out: &mut [u8]) {
        // Every caller asks for at most 44 bytes.
        assert!(self.0.expand_multi_info(info, out).is_ok(), "HKDF-Expand is bounded to 255 blocks");
    }

    /// As [`hkdf_expand_key`].
    pub fn expand_key(&self, info: &[&[u8]]) -> Key {
        Key::filled(|bytes| self.expand(info, bytes))
    }
}

/// AES-256-GCM (NIST SP 800-38D): encrypts `buffer` in place and returns the tag.
pub fn aes256gcm_seal(key: &Key, nonce: &[u8; NONCE], aad: &[u8], buffer: &mut [u8]) -> [u8; TAG] {
    let sealed =
        AesGcm::<Aes256, U12>::new(key.expose().into()).encrypt_inout_detached(nonce.into(), aad, buffer.into());
    // The only error is a plaintext over 64 GiB; a value has at most 256 KiB.
    sealed.unwrap_or_else(|_| unreachable!("a buffer in memory is below AES-GCM's limit")).into()
}

/// AES-256-GCM (NIST SP 800-38D): the plaintext of `sealed` = ciphertext ‖ tag.
///
/// # Errors
/// [`CryptoError::NotAuthentic`], with nothing decrypted.
pub fn aes256gcm_open(key: &Key, nonce: &[u8; NONCE], aad: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    open::<U12>(key, nonce.into(), aad, sealed)
}

/// [`aes256gcm_open`] with a 128-bit IV, as the seed import format has it.
///
/// # Errors
/// [`CryptoError::NotAuthentic`], with nothing decrypted.
pub fn aes256gcm_open_iv128(key: &Key, iv: &[u8; 16], aad: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    open::<U16>(key, iv.into(), aad, sealed)
}

fn open<N: ArraySize>(key: &Key, nonce: &Nonce<N>, aad: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(CryptoError::NotAuthentic)?;
    let mut buffer = Secret::from(ciphertext);
    AesGcm::<Aes256, N>::new(key.expose().into())
        .decrypt_inout_detached(nonce, aad, buffer.expose_mut().into(), tag.into())
        .map_err(|_| CryptoError::NotAuthentic)?;
    Ok(buffer)
}

/// scrypt (RFC 7914) with N = 2^`ln`, r = 8, p = 1, to 32 bytes. Needs 2^(`ln` + 10) bytes of memory.
///
/// The memory is asked for once beforehand, so that a limit (`ulimit -v`) gives an error and no abort. What a cgroup
/// allows cannot be seen that way: Linux hands the memory out and kills the process when it is touched.
///
/// # Errors
/// [`CryptoError::Memory`].
pub fn scrypt(password: &[u8], salt: &[u8], ln: u8) -> Result<Key, CryptoError> {
    let bytes = 1_usize.checked_shl(u32::from(ln) + 10).unwrap_or(usize::MAX);
    let too_much = || CryptoError::Memory { mib: bytes >> 20 };
    probe(bytes).map_err(|()| too_much())?;
    let params = ::scrypt::Params::new(ln, 8, 1).map_err(|_| too_much())?;
    Ok(Key::filled(|out| {
        let derived = std::hint::black_box(COMPILED_FOR_SPEED)(password, salt, &params, out);
        assert!(derived.is_ok(), "scrypt refuses only an empty output");
    }))
}

/// This crate is compiled for size. scrypt copied into it would be as well, and take 1.6 times the instructions, so it
/// is called through a pointer that the optimiser cannot see through.
const COMPILED_FOR_SPEED: fn(&[u8], &[u8], &::scrypt::Params, &mut [u8]) -> ScryptResult = ::scrypt::scrypt;

type ScryptResult = Result<(), ::scrypt::errors::InvalidOutputLen>;

fn probe(bytes: usize) -> Result<(), ()> {
    let mut memory = Vec::<u8>::new();
    let had = memory.try_reserve_exact(bytes).map_err(|_| ());
    std::hint::black_box(&memory); // or the optimiser drops an allocation that nobody uses
    had
}
