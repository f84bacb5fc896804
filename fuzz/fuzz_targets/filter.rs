//! The target `filter` as a libFuzzer program.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| h2lens_fuzz::targets::filter::run(data));
