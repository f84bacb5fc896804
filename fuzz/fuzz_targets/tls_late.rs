//! The target `tls_late` as a libFuzzer program.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| h2lens_fuzz::targets::tls_late::run(data));
