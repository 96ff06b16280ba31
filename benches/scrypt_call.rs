//! One bare call of the `scrypt` crate with the parameters of a new password slot: what `benches/start.sh` compares the
//! cost of a password with.
#![allow(clippy::expect_used, reason = "a bench may")]

fn main() {
    let params = scrypt::Params::new(envsec::sealed::WORK_FACTOR, 8, 1).expect("parameters in range");
    let mut key = [0; 32];
    scrypt::scrypt(b"correct horse battery staple", &[7; 64], &params, &mut key).expect("a good length");
    std::hint::black_box(key);
}
