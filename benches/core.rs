//! The library's inner loops: `cargo bench --bench core [PART-OF-A-NAME]` prints the median of each in milliseconds.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench may")]

use envsec::crypto::system_rng;
use envsec::dotenv::{Dialect, Document, Duplicates, Place, quote};
use envsec::sealed::{Credential, Limits, Locked, NewSlot, RawKey, Storage, Unlocked, Utc};
use envsec::secret::SecretText;
use envsec::vars::{Value, VarName};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Each bench runs at least this long, and at least `MIN_RUNS` times.
const TIME: Duration = Duration::from_secs(1);
const MIN_RUNS: usize = 10;

fn main() {
    // cargo passes --bench; anything else is a part of a name.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let bench = |name: &str, work: &mut dyn FnMut()| {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            println!("{name:36} {:9.3} ms", median(work));
        }
    };
    for entries in [20, 200, 10_000] {
        let (bytes, key) = sealed_file(entries);
        bench(&format!("open and decrypt all, of {entries}"), &mut || {
            black_box(open(&bytes, &key).vars().expect("decrypts"));
        });
    }
    let (bytes, key) = sealed_file(10_000);
    bench("open, set one, seal, of 10000", &mut || {
        let (mut file, rng) = (open(&bytes, &key), &mut system_rng());
        file.set(&name(5000), &value("another value"), None, Utc::now(), rng).expect("sets");
        black_box(file.seal().expect("seals"));
    });
    let text = dotenv_text(1 << 20);
    bench("parse 1 MiB of dotenv", &mut || {
        black_box(Document::parse(text.as_bytes(), Dialect::Foreign, Duplicates::Refuse).is_ok());
    });
    let values = ["plain", "pa$$ word #1", "it's $5", "a\r\nb", "`'\"\n\t\u{1}"];
    bench("quote 5000 values", &mut || {
        values.iter().cycle().take(5000).for_each(|value| drop(black_box(quote(value, Place::SealedLine))));
    });
}

fn median(work: &mut dyn FnMut()) -> f64 {
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < MIN_RUNS || start.elapsed() < TIME {
        let before = Instant::now();
        work();
        times.push(before.elapsed());
    }
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn name(number: usize) -> VarName {
    format!("SECRET_{number:05}").parse().expect("a name")
}

fn value(text: &str) -> Value {
    Value::try_from(SecretText::from(text)).expect("a value")
}

/// A sealed file with so many secrets, and the raw key's text.
fn sealed_file(entries: usize) -> (Vec<u8>, SecretText) {
    let (key, rng) = (RawKey::generate(&mut system_rng()), &mut system_rng());
    let text = key.to_text();
    let mut file = Unlocked::create(None, &[NewSlot::raw_key(key)], rng).expect("a new file");
    for number in 1..=entries {
        let value = value(&format!("value-{number:05}-abcdefghijklmnop"));
        file.append(&name(number), &value, Storage::Secret, rng);
    }
    (file.seal().expect("seals"), text)
}

fn open(bytes: &[u8], key: &SecretText) -> Unlocked {
    let credential = Credential::RawKey(RawKey::parse(key).expect("a key"));
    Locked::parse(bytes).and_then(|locked| locked.unlock(&[credential], &Limits::default())).expect("opens")
}

/// Entries of all quotings, with comments, of at least so many bytes.
fn dotenv_text(bytes: usize) -> String {
    let block = |number: usize| {
        format!(
            "# of service {number}\nPORT_{number}=8080\nURL_{number}='https://example.com/?q=a b'\n\
             export KEY_{number}=\"-----BEGIN KEY-----\nMC4CAQ==\n-----END KEY-----\" # a key\n\n"
        )
    };
    let mut text = String::new();
    let mut numbers = 0..;
    while text.len() < bytes {
        text.extend(numbers.next().map(block));
    }
    text
}
