//! Secrets of every form, none of them an English word, and the search for any part of one in any common encoding.

use base64::Engine as _;
use std::collections::HashSet;

/// Values of names in the sealed file, now or in a rotation, as files `s/NAME`.
const VALUES: &[(&str, &str)] = &[
    ("SHORT", "kQ7vX2pZ"),
    ("TWO_LINES", "Ga4x\tWt8yFk2m\nRe7u Jc4zRd6b\n"),
    ("DOLLARS", "$pRq9T4xa${zT4mWb7q}$(wV6kJd3s)`uN8yHc5f`"),
    ("QUOTES", "it's \"Gm5tBz9e\" or 'Yd2sKw6u'\\Lf8rVn3j"),
    ("LETTERS", "Zażółć-gęślą-日本語-Xb6nQt4h-ñandú"),
    ("DOTENV", "Rk4wNm7e=8hTq2Lx7 # vB5jYs9d"),
    ("JSON", r#"{"jR7wq5Dz": "mX3k9Tzp", "n": [8, "Hs6cPv2y"]}"#),
    ("old", "Ya5wHt9k"),
    ("grace-old", "Nv7kTq3x"),
    ("grace-new", "Fz2rLm8d"),
    ("waits-old", "Cq6hBw4p"),
    ("waits-new", "Sx9tGn5v"),
    ("new", "Pg7dRs4y"),
];

const PASSWORDS: &[(&str, &str)] = &[
    ("password", "Hq5wTn8c Vz3mKy7d"),
    ("new-password", "Bx9rLp4g Sf6jWu2t"),
    ("wrong-password", "Dk2vYh7n Qc8eMz5a"),
    ("weak-password", "Ej6uXw3b"),
    ("control", "Wm4sZk8f \u{1b}[31m Rb7nTy2q"),
];

/// Texts with secrets in them: words of letters and digits that have eight or more.
const TEXTS: &[(&str, &[u8])] = &[
    (
        "PEM",
        b"-----BEGIN PRIVATE KEY-----\nMIIBVwIBADANBgQwErTyUiOp\nAsDfGhJkLzXcVbNm2Q4w6E8r\n-----END PRIVATE KEY-----\n",
    ),
    ("plain.env", b"A='Uc3xNj9w'\nB=Tk8mQv5r\nCOUNT=Lw9pFc3g\n# OLD=Zd4yHs7b\n"),
    ("exists.env", b"SHORT='Kr8vLb4j'\n"),
    ("quote.env", b"A='Fw6cZp2x\nB=\"Tm9sGq5h"),
    ("escape.env", b"A=\"Xd3rJw8k\\d\\\"\""),
    ("hash.env", b"A=Bv7nQk4t#Ms2wHz6p"),
    ("trailing.env", b"A='Pc9gTx3d' Rj5fWn8s"),
    ("no-equals.env", b"Zk4tVq7m\nLh2xBs6w Dn8pYc3r\n"),
    ("pem.env", b"A=-----BEGIN\nGx5wKt9f==\nSm3zPd7v/+x=\n"),
    ("ansi.env", b"A=$'Cw8kRn4b'"),
    ("control.env", b"A=Vj6tXz2q\x1b[31m"),
    ("duplicate.env", b"A=Yp9dMs5g\nA=Hf3wLk7c"),
    ("name.env", b"A.B=Nq8rTb4z"),
    ("reference.env", b"A=${Wk2jGv6x}$Zs7mDh3px"),
    ("comment.env", b"# OLD=Xt4nFq9k\n"),
    ("good.json", br#"{"J": "Qz2kVt8w"}"#),
    ("nested.json", br#"{"A":["Bm6sWc2z"],"B":{"Kd8vPj4t":1}}"#),
    ("cut.json", br#"{"A":"Rg5xHn9w"#),
    ("surrogate.json", br#"{"A":"Tz3kMq7b\ud800"}"#),
    ("trailing.json", br#"{"A":"x"} Jw8fYs4d"#),
    ("string.json", br#""Lc6pVx2r""#),
    ("records", b"E=Gh7mPs3c\0F=Wn5dXk9r\0"),
    ("nul", b"N=Vt6kDq9m\0"),
    ("not-text", b"Jn5gWx2z Hy8cTm4p\xff"),
];

/// A value of so many letters and digits, without an end of its own.
fn long(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let states = std::iter::successors(Some(1), next).skip(1).take(length);
    states.map(|state| char::from(ALPHABET[usize::try_from(state >> 33).unwrap() % ALPHABET.len()])).collect()
}

/// Every file with a secret.
pub(super) fn files() -> Vec<(&'static str, Vec<u8>)> {
    let texts = VALUES.iter().chain(PASSWORDS).map(|(name, text)| (*name, text.as_bytes().to_vec()));
    let long = [("LONG", long(2000).into_bytes()), ("too-long", long(300_000).into_bytes())];
    texts.chain(TEXTS.iter().map(|(name, bytes)| (*name, bytes.to_vec()))).chain(long).collect()
}

/// What must not be found: parts of secrets, by their length.
pub(super) struct Leaks {
    parts: [(usize, HashSet<Vec<u8>>); 3],
}

/// Bytes of a part; what they become in base64, rounded down; and in hex.
const RAW: usize = 8;
const ENCODED: usize = 10;
const HEX: usize = 16;

impl Leaks {
    /// All secrets of [`files`], and these.
    pub(super) fn of(more: &[&[u8]]) -> Self {
        let mut secrets: Vec<Vec<u8>> = more.iter().map(|secret| secret.to_vec()).collect();
        secrets.extend(VALUES.iter().chain(PASSWORDS).map(|(_, text)| text.as_bytes().to_vec()));
        secrets.push(long(2000).into_bytes());
        for (_, bytes) in TEXTS {
            let words = bytes.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| word.len() >= 8);
            secrets.extend(words.map(<[u8]>::to_vec));
        }
        let mut leaks = Leaks { parts: [RAW, ENCODED, HEX].map(|length| (length, HashSet::new())) };
        secrets.iter().for_each(|secret| leaks.add(secret));
        leaks
    }

    /// Eight bytes of it and more: as they are, escaped, and in encodings.
    fn add(&mut self, secret: &[u8]) {
        let [(_, plain), (_, encoded), (_, hex)] = &mut self.parts;
        let windows = |text: &[u8], length: usize| text.windows(length).map(<[u8]>::to_vec).collect::<Vec<_>>();
        plain.extend(windows(secret, RAW));
        let text = String::from_utf8_lossy(secret);
        encoded.extend(windows(serde_json::to_string(&text).unwrap().trim_matches('"').as_bytes(), ENCODED));
        let percent = secret.iter().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        encoded.extend(windows(percent.collect::<String>().as_bytes(), ENCODED));
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.extend(windows(digits.as_bytes(), HEX));
        hex.extend(windows(digits.to_uppercase().as_bytes(), HEX));
        // In base64 a text looks differently after 0, 1 or 2 bytes; the first and last digits hold what is beside it too.
        for before in 0..3 {
            let shifted = [&vec![0; before], secret].concat();
            for engine in
                [base64::engine::general_purpose::STANDARD_NO_PAD, base64::engine::general_purpose::URL_SAFE_NO_PAD]
            {
                let digits = engine.encode(&shifted).into_bytes();
                let inner = &digits[(4 * before).div_ceil(3)..4 * shifted.len() / 3];
                encoded.extend(windows(inner, ENCODED));
            }
        }
    }

    /// The first part of a secret in some bytes.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<String> {
        let found =
            self.parts.iter().find_map(|(length, parts)| bytes.windows(*length).find(|part| parts.contains(*part)));
        found.map(|part| String::from_utf8_lossy(part).into_owned())
    }
}

#[test]
fn a_part_of_a_secret_is_found_in_every_form() {
    let leaks = Leaks::of(&[b"\x01\x02\x03\x04\x05\x06\x07\x08\x09"]);
    for text in [
        "kQ7vX2pZ",
        "says: 'Wt8yFk2m'",
        r#"\"Gm5tBz9e\" or"#,
        "%22Gm5tBz9e%22",
        "a1E3dlgycFo=",         // SHORT
        "dXNlcjprUTd2WDJwWg==", // user:SHORT
        "eGtRN3ZYMnBa",         // x and SHORT
        "6b5137765832705a",
        "6B5137765832705A",
        "010203040506070809",
        "8hTq2Lx7",
        "pa-\u{65e5}\u{672c}\u{8a9e}-Xb6nQt",
        "0aMIIBVwIBADA",
        "Zd4yHs7b",
    ] {
        assert!(leaks.find(text.as_bytes()).is_some(), "{text}");
    }
    for text in ["", "kQ7vX2p", "error: SHORT: no such name", "-----BEGIN", "COUNT=Lw9p"] {
        assert_eq!(leaks.find(text.as_bytes()), None, "{text}");
    }
}
