#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| envsec_fuzz::run("import_dotenv", input));
