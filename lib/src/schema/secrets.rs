//! What looks like a secret, and which names are public: a secret in a public name ends in every browser.

use super::format;

/// What a service hands out: a prefix at the start of a word, and the characters that follow.
struct Shape {
    prefix: &'static str,
    follows: fn(&u8) -> bool,
    at_least: usize,
    kind: &'static str,
}

const fn shape(prefix: &'static str, follows: fn(&u8) -> bool, at_least: usize, kind: &'static str) -> Shape {
    Shape { prefix, follows, at_least, kind }
}

/// As the services document them, or as their keys are. Publishable keys are not here, they belong into clients:
/// `pk_live_`, `pk_test_`, `sb_publishable_`, `phc_`, Mapbox's `pk.`, Google's `AIza`.
const SHAPES: &[Shape] = &[
    shape("sk_live_", alphanumeric, 10, "a secret key of Stripe or Clerk"),
    shape("sk_test_", alphanumeric, 10, "a secret key of Stripe or Clerk"),
    shape("rk_live_", alphanumeric, 10, "a restricted key of Stripe"),
    shape("rk_test_", alphanumeric, 10, "a restricted key of Stripe"),
    shape("sk_", alphanumeric, 24, "a secret key"),
    shape("whsec_", base64, 16, "the secret of a webhook"),
    shape("sk-ant-", word, 32, "a key of Anthropic"),
    shape("sk-", word, 32, "a secret key of OpenAI or the like"),
    shape("sk.eyJ", word, 16, "a secret token of Mapbox"),
    shape("gsk_", alphanumeric, 40, "a key of Groq"),
    shape("xai-", alphanumeric, 60, "a key of xAI"),
    shape("hf_", alphanumeric, 30, "a token of Hugging Face"),
    shape("r8_", alphanumeric, 30, "a token of Replicate"),
    shape("ghp_", alphanumeric, 36, "a token of GitHub"),
    shape("gho_", alphanumeric, 36, "a token of GitHub"),
    shape("ghu_", alphanumeric, 36, "a token of GitHub"),
    shape("ghs_", alphanumeric, 36, "a token of GitHub"),
    shape("ghr_", alphanumeric, 36, "a token of GitHub"),
    shape("github_pat_", word, 50, "a token of GitHub"),
    shape("glpat-", word, 20, "a token of GitLab"),
    shape("glrt-", word, 20, "a token of GitLab"),
    shape("gldt-", word, 20, "a token of GitLab"),
    shape("npm_", alphanumeric, 36, "a token of npm"),
    shape("pypi-AgE", word, 50, "a token of PyPI"),
    shape("dckr_pat_", word, 20, "a token of Docker Hub"),
    shape("xoxb-", word, 20, "a token of Slack"),
    shape("xoxp-", word, 20, "a token of Slack"),
    shape("xoxa-", word, 20, "a token of Slack"),
    shape("xoxs-", word, 20, "a token of Slack"),
    shape("xapp-", word, 20, "a token of Slack"),
    shape("https://hooks.slack.com/services/", path, 20, "a webhook of Slack"),
    shape("https://discord.com/api/webhooks/", path, 40, "a webhook of Discord"),
    shape("AKIA", upper, 16, "a key of AWS"),
    shape("ASIA", upper, 16, "a key of AWS"),
    shape("AccountKey=", base64, 40, "a key of Azure Storage"),
    shape("SharedAccessKey=", base64, 40, "a key of Azure"),
    shape("GOCSPX-", word, 28, "a client secret of Google"),
    shape("SG.", token, 60, "a key of SendGrid"),
    shape("dop_v1_", hex, 64, "a token of DigitalOcean"),
    shape("hvs.", word, 24, "a token of Vault"),
    shape("dp.st.", token, 40, "a token of Doppler"),
    shape("shpat_", hex, 32, "a token of Shopify"),
    shape("shpss_", hex, 32, "a secret of Shopify"),
    shape("sb_secret_", word, 20, "a secret key of Supabase"),
    shape("sbp_", hex, 40, "a token of Supabase"),
    shape("lin_api_", alphanumeric, 40, "a key of Linear"),
    shape("AGE-SECRET-KEY-1", upper, 50, "a private key of age"),
    // The same private keys in base64, as deployments like them: the header's first bytes.
    shape("LS0tLS1CRUdJTiBQUklWQVRFIEtFW", base64, 0, PRIVATE_KEY),
    shape("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRV", base64, 0, PRIVATE_KEY),
    shape("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFW", base64, 0, PRIVATE_KEY),
    shape("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZ", base64, 0, PRIVATE_KEY),
    shape("LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRV", base64, 0, PRIVATE_KEY),
    shape("LS0tLS1CRUdJTiBQR1AgUFJJVkFURSBLRV", base64, 0, PRIVATE_KEY),
];

const PRIVATE_KEY: &str = "a private key";

/// Parts of names of secrets.
const SECRET_WORDS: [&str; 8] =
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PRIVATE", "CREDENTIAL", "APIKEY", "PASSPHRASE"];

/// The prefixes by which bundlers put a variable into the client: Next.js, Vite, SvelteKit and Astro, Create React App,
/// Nuxt, Expo.
const PUBLIC_PREFIXES: &[&str] = &["NEXT_PUBLIC_", "VITE_", "PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_"];

/// Whether a value looks like a secret that a service hands out: the name of the kind, never the value.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    let found = SHAPES.iter().find(|shape| shape.occurs_in(text)).map(|shape| shape.kind);
    found
        .or_else(|| holds_private_key(text).then_some(PRIVATE_KEY))
        .or_else(|| is_secret_jwt(text.trim()).then_some("a JSON Web Token"))
        .or_else(|| has_password(text.trim()).then_some("a URL with a password"))
}

/// Whether a comment holds what looks like a secret, or a value under the name of one: the name of the kind, never the text.
pub fn comment_looks_secret(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches('#');
    let word = |word: &str| looks_secret(word.trim_matches(['"', '\'', '`', ',', ';', '(', ')', '<', '>']));
    let words = || text.split_whitespace().flat_map(|part| [Some(part), part.split_once('=').map(|(_, value)| value)]);
    looks_secret(text)
        .or_else(|| words().flatten().find_map(word))
        .or_else(|| is_assignment(text).then_some("a secret's value"))
}

/// `PASSWORD=x`, commented out.
fn is_assignment(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let name = name.trim().trim_start_matches("export ").trim_start();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name && is_name_of_secret(name) && !value.trim().trim_matches(['"', '\'', '.', '*']).is_empty()
}

/// Whether a name says that it is a secret's.
pub(super) fn is_name_of_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_key = name.ends_with("_KEY") && !name.contains("PUBLIC") && !name.contains("PUBLISHABLE");
    let is_password = ["_PASS", "_PWD"].iter().any(|end| name.ends_with(end));
    is_key || is_password || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Whether a name is public by the bundlers' prefixes.
pub(super) fn is_public_name(name: &str) -> bool {
    PUBLIC_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

impl Shape {
    fn occurs_in(&self, text: &str) -> bool {
        text.match_indices(self.prefix).any(|(at, prefix)| {
            let starts_word = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            let following = text[at + prefix.len()..].bytes().take_while(self.follows);
            starts_word && following.take(self.at_least).count() == self.at_least
        })
    }
}

/// RFC 7468 section 2, and the blocks of OpenSSH and OpenPGP.
fn holds_private_key(text: &str) -> bool {
    let mut labels = text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split_once("-----"));
    labels.any(|(label, _)| label.contains("PRIVATE KEY"))
}

/// A token, but for the one that Supabase hands out for clients: its claims have the role `anon`.
fn is_secret_jwt(text: &str) -> bool {
    let is_anonymous = |claims| {
        format::with_json_part(claims, |claims| claims.get("role").is_some_and(|role| role.get() == r#""anon""#))
    };
    format::is_jwt(text) && text.split('.').nth(1).and_then(is_anonymous) != Some(true)
}

/// A user alone is none: a Sentry DSN has its public key there.
fn has_password(text: &str) -> bool {
    let password = format::user_part(text).and_then(|user| user.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty())
}

fn alphanumeric(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: &u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn hex(byte: &u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn word(byte: &u8) -> bool {
    alphanumeric(byte) || b"_-".contains(byte)
}

fn token(byte: &u8) -> bool {
    word(byte) || *byte == b'.'
}

fn path(byte: &u8) -> bool {
    word(byte) || *byte == b'/'
}

fn base64(byte: &u8) -> bool {
    alphanumeric(byte) || b"+/=".contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    /// Assembled, so that no scanner of repositories takes a sample for a secret.
    fn sample(prefix: &str, follows: fn(&u8) -> bool, length: usize) -> String {
        let characters: String = ('0'..='9').chain('A'..='Z').filter(|c| follows(&(*c as u8))).collect();
        prefix.chars().chain(characters.chars().cycle().take(length)).collect()
    }

    #[test]
    fn every_shape_is_found_at_its_length_and_not_below() {
        for shape in SHAPES {
            let whole = sample(shape.prefix, shape.follows, shape.at_least);
            assert!(looks_secret(&whole).is_some(), "{}", shape.prefix);
            assert!(shape.occurs_in(&format!("key={whole},")), "{}", shape.prefix);
            assert!(!shape.occurs_in(&whole[..whole.len() - 1]), "{}", shape.prefix);
            for before in ["x", "0", "_", "-"] {
                assert!(!shape.occurs_in(&format!("{before}{whole}")), "{before}{}", shape.prefix);
            }
        }
    }

    #[test]
    fn each_kind_has_its_characters_and_no_others() {
        for (prefix, follows, length, also, other) in [
            ("ghp_", alphanumeric as fn(&u8) -> bool, 36, "aZ09", '_'),
            ("AKIA", upper, 16, "Z09", 'a'),
            ("shpat_", hex, 32, "aF09", 'g'),
            ("glpat-", word, 20, "a_-", '.'),
            ("SG.", token, 60, "a_-.", '/'),
            ("https://hooks.slack.com/services/", path, 20, "a_-/", '.'),
            ("whsec_", base64, 16, "a+/=", '-'),
        ] {
            let of_these: String = also.chars().cycle().take(length).collect();
            assert!(looks_secret(&format!("{prefix}{of_these}")).is_some(), "{prefix}{of_these}");
            let short = sample(prefix, follows, length - 1);
            assert_eq!(looks_secret(&format!("{short}{other}{short}")), None, "{prefix} {other}");
        }
    }

    #[test]
    fn a_comment_is_secret_by_an_assignment_to_the_name_of_one() {
        for comment in ["# PASSWORD=x", "#export API_KEY = 'x'", "DB_TOKEN=1", "# PASSWORD=it's"] {
            assert_eq!(comment_looks_secret(comment), Some("a secret's value"), "{comment}");
        }
        for comment in
            ["# PASSWORD=", "# PASSWORD='***'", "# PASSWORD=...", "# the password = x", "# LEVEL=x", "#=x", "# TOKEN"]
        {
            assert_eq!(comment_looks_secret(comment), None, "{comment}");
        }
        let key = sample("ghp_", alphanumeric, 36);
        for comment in [format!("# was ({key});"), format!("#LEVEL={key}"), format!("# '{key}'")] {
            assert_eq!(comment_looks_secret(&comment), Some("a token of GitHub"));
        }
    }

    #[test]
    fn the_kind_is_the_first_that_fits() {
        assert_eq!(looks_secret(&sample("sk_live_", alphanumeric, 24)), Some("a secret key of Stripe or Clerk"));
        assert_eq!(looks_secret(&sample("sk_", alphanumeric, 48)), Some("a secret key"));
        assert_eq!(looks_secret(&sample("sk-ant-api03-", word, 80)), Some("a key of Anthropic"));
        assert_eq!(looks_secret(&sample("sk-proj-", word, 80)), Some("a secret key of OpenAI or the like"));
    }

    #[test]
    fn private_keys_are_found_and_certificates_are_not() {
        let block = |label: &str| ["-----", "BEGIN ", label, "-----\nMIIB"].concat();
        let private = ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "].map(|kind| kind.to_owned() + "PRIVATE KEY");
        for label in private.iter().map(String::as_str).chain(["PGP PRIVATE KEY BLOCK"]) {
            assert_eq!(looks_secret(&block(label)), Some(PRIVATE_KEY), "{label}");
            assert_eq!(looks_secret(&STANDARD.encode(block(label))), Some(PRIVATE_KEY), "{label}");
        }
        let ended = block("CERTIFICATE") + "\n-----END CERTIFICATE-----\n" + &block("PRIVATE KEY");
        assert_eq!(looks_secret(&ended), Some(PRIVATE_KEY));
        for label in ["CERTIFICATE", "PUBLIC KEY", "PGP PUBLIC KEY BLOCK"] {
            assert_eq!(looks_secret(&block(label)), None, "{label}");
            assert_eq!(looks_secret(&STANDARD.encode(block(label))), None, "{label}");
        }
    }

    #[test]
    fn what_belongs_into_clients_is_no_secret() {
        for prefix in ["pk_live_", "pk_test_", "sb_publishable_", "phc_", "AIza", "pk.eyJ"] {
            assert_eq!(looks_secret(&sample(prefix, alphanumeric, 60)), None, "{prefix}");
        }
        let dsn = format!("https://{}@o1.ingest.example.com/2", sample("", hex, 32));
        assert_eq!(looks_secret(&dsn), None);
        for value in
            ["", "3000", "https://example.com/@scope/a:b", "sk-SK", "task_sk_a", "G-ABCDEF1234", "www.example.com"]
        {
            assert_eq!(looks_secret(value), None, "{value}");
        }
    }

    #[test]
    fn a_url_is_secret_by_its_password() {
        let url = |user: &str| ["postgres://", user, "@db.example.com/x"].concat();
        for user in ["u:p", ":p", "u:pa/ss", "u:p@ss"] {
            assert_eq!(looks_secret(&url(user)), Some("a URL with a password"), "{user}");
        }
        for user in ["u", "u:", ""] {
            assert_eq!(looks_secret(&url(user)), None, "{user}");
        }
    }

    #[test]
    fn a_jwt_is_secret_but_for_the_anonymous_role() {
        let token = |claims: &str| {
            [r#"{"alg":"HS256","typ":"JWT"}"#, claims, "signature"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
        };
        assert_eq!(looks_secret(&token(r#"{"role":"service_role"}"#)), Some("a JSON Web Token"));
        assert_eq!(looks_secret(&token("{}")), Some("a JSON Web Token"));
        assert_eq!(looks_secret(&token("no claims")), Some("a JSON Web Token"));
        assert_eq!(looks_secret(&token(r#"{"role":"anon"}"#)), None);
    }

    #[test]
    fn public_names_have_a_bundlers_prefix() {
        for name in ["NEXT_PUBLIC_API_URL", "VITE_A", "PUBLIC_A", "REACT_APP_A", "NUXT_PUBLIC_A", "EXPO_PUBLIC_A"] {
            assert!(is_public_name(name), "{name}");
        }
        for name in ["DATABASE_URL", "MY_PUBLIC_A", "NEXT_A", "next_public_a", "VITE"] {
            assert!(!is_public_name(name), "{name}");
        }
    }
}
