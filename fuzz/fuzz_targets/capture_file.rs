//! The target `capture_file` as a libFuzzer program.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| h2lens_fuzz::targets::capture_file::run(data));
