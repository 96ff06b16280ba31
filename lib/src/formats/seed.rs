//! The seed format: one base64 blob that holds an encrypted list of `NAME=value` lines. Import only (`docs/format.md`).

use super::error::{ImportError, Problem};
use super::{Incoming, collect};
use crate::crypto::{self, TAG};
use crate::secret::{Secret, SecretText};
use crate::vars::{Value, VarName};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const SALT: usize = 32;
const IV: usize = 16;
const HEAD: usize = SALT + IV + TAG;

/// scrypt's work factor: N = 16384.
const LN: u8 = 14;

/// Padding may be missing; trailing bits may not be set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A blob, decoded and not opened yet.
pub struct Blob(Vec<u8>);

impl Blob {
    /// Decodes the base64 text: either alphabet, white space anywhere, padding or none.
    ///
    /// # Errors
    /// [`Problem::NoBlob`] for any other character, [`Problem::ShortBlob`].
    pub fn parse(text: &[u8], source_name: &str) -> Result<Self, ImportError> {
        let failed = |problem| ImportError::Text { source_name: source_name.into(), problem };
        let standard = |byte: &u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
        let digits: Vec<u8> = text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(standard).collect();
        let blob = BASE64.decode(digits).map_err(|_| failed(Problem::NoBlob))?;
        if blob.len() < HEAD { Err(failed(Problem::ShortBlob)) } else { Ok(Blob(blob)) }
    }

    /// Opens it with the first password that fits; a password's bytes count as they are. Places are lines of the plaintext.
    ///
    /// # Errors
    /// [`Problem::BlobClosed`]; all lines that are no `NAME=value` or that a sealed file cannot hold.
    pub fn open(&self, passwords: &[Secret], source_name: &str) -> Result<Incoming, ImportError> {
        let failed = |problem| ImportError::Text { source_name: source_name.into(), problem };
        for password in passwords {
            if let Some(plain) = self.decrypt(password).map_err(|_| failed(Problem::NoMemory))? {
                let plain = plain.into_text().map_err(|_| failed(Problem::NotUtf8))?;
                return lines(&plain, source_name);
            }
        }
        Err(failed(Problem::BlobClosed))
    }

    /// `salt ‖ iv ‖ tag ‖ ciphertext`; `None` when the password does not open it.
    fn decrypt(&self, password: &Secret) -> Result<Option<Secret>, crypto::CryptoError> {
        let (head, ciphertext) = self.0.split_at(HEAD);
        let (salt, head) = head.split_at(SALT);
        let Some((iv, tag)) = head.split_first_chunk::<IV>() else { return Ok(None) };
        let key = crypto::scrypt(password.expose(), salt, LN)?;
        Ok(crypto::aes256gcm_open_iv128(&key, iv, b"", &[ciphertext, tag].concat()).ok())
    }
}

/// Reads the plaintext of a blob. Lines end at LF; each is cut at its first `=`, both sides trimmed. No quotes, no comments.
///
/// # Errors
/// All lines that are no `NAME=value` or that a sealed file cannot hold.
pub fn lines(plain: &SecretText, source_name: &str) -> Result<Incoming, ImportError> {
    let filled = (1..).zip(plain.expose().split('\n')).filter(|(_, line)| !line.trim().is_empty());
    collect(source_name, filled.map(|(number, line)| (number, entry(line))))
}

fn entry(line: &str) -> Result<(VarName, Value), String> {
    let (name, value) = line.split_once('=').ok_or("not NAME=value")?;
    let name = VarName::try_from(name.trim()).map_err(|error| error.to_string())?;
    let value = Value::try_from(SecretText::from(value.trim())).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, value))
}
