//! The target `protobuf` as a libFuzzer program.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| h2lens_fuzz::targets::protobuf::run(data));
