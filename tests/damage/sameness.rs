//! The same packets give the same output, byte for byte: whatever the threads, the reads, and the files they lie in.

use super::samples;
use crate::support::{Analyze, Capture, Random};
use serde_json::Value;
use std::io::Write;
use std::os::fd::AsRawFd;

/// Several samples as one capture, whole and damaged.
fn captures() -> Vec<Capture> {
    let mut random = Random::new(77);
    let all = samples().iter().enumerate().map(|(n, sample)| {
        let mut capture = sample.capture.clone();
        for packet in &mut capture.packets {
            // Each sample between ports of its own.
            let tcp = packet.payload_start().unwrap() - 20;
            let ports = &mut packet.bytes[tcp..tcp + 4];
            let client = if ports[..2] == 8080_u16.to_be_bytes() { 2 } else { 0 };
            ports[client] = 0x90 + n as u8;
        }
        capture
    });
    let whole = Capture::merged(all);
    vec![
        whole.lossy(20, &mut random),
        whole.clone().reordered(50, &mut random),
        whole.late(500).snapped(400),
        whole,
    ]
}

#[test]
fn any_number_of_threads() {
    for capture in captures() {
        let one = Analyze::capture(&capture).run_text();
        assert!(one.transactions().count() > 50);
        for threads in 2..=4 {
            let several = Analyze::capture(&capture).threads(threads).run_text();
            assert!(several.ndjson == one.ndjson, "{threads} threads");
        }
    }
}

#[test]
fn reads_of_any_size() {
    for (n, capture) in captures().iter().enumerate() {
        let expected = Analyze::capture(capture).run_text();
        for (size, threads) in [(4096, 1), (65_536, 1), (997, 3)] {
            let (reader, mut writer) = std::io::pipe().unwrap();
            let file = capture.pcap();
            let writing = std::thread::spawn(move || {
                for piece in file.chunks(size) {
                    writer.write_all(piece).unwrap();
                }
            });
            let from_pipe =
                Analyze::file(format!("/dev/fd/{}", reader.as_raw_fd())).threads(threads).run_text();
            writing.join().unwrap();
            assert!(from_pipe.ndjson == expected.ndjson, "capture {n}, {size} bytes, {threads} threads");
        }
    }
}

/// TLS records that wait for the other side's hello are decrypted later than they came, in one read or in many.
#[test]
fn reads_of_any_size_of_what_is_decrypted_late() {
    for (sample, keys) in super::encrypted::samples() {
        for places in [3, 9, 30] {
            let file = sample.capture.clone().apart(32_768, places).pcap();
            let expected = Analyze::bytes(&file).keys(keys).run_text();
            let (reader, mut writer) = std::io::pipe().unwrap();
            let writing = std::thread::spawn(move || {
                for piece in file.chunks(99) {
                    writer.write_all(piece).unwrap();
                }
            });
            let from_pipe =
                Analyze::file(format!("/dev/fd/{}", reader.as_raw_fd())).keys(keys).threads(2).run_text();
            writing.join().unwrap();
            assert!(from_pipe.ndjson == expected.ndjson, "{places} places");
        }
    }
}

/// A record without the name of its file and its packet's number there, which one file alone does not have.
fn without_origin(mut record: Value) -> Value {
    for (object, keys) in [("/h2/packets", &["input", "first_in_input"][..]), ("/h2/connection", &["input"])]
    {
        if let Some(object) = record.pointer_mut(object).and_then(Value::as_object_mut) {
            keys.iter().for_each(|key| drop(object.remove(*key)));
        }
    }
    record
}

#[test]
fn any_division_into_files_in_any_order() {
    let mut random = Random::new(5);
    for capture in captures() {
        // Files are merged by the time of their packets, and keep the order within.
        let capture = Capture::merged([capture]);
        let expected = Analyze::capture(&capture).run_text();
        for _ in 0..4 {
            let mut files = Vec::new();
            let mut rest = &capture.packets[..];
            while !rest.is_empty() {
                let (file, after) = rest.split_at(random.between(1, rest.len()).min(700));
                files.push(Capture { packets: file.to_vec() });
                rest = after;
            }
            for n in 0..files.len() {
                let other = random.below(files.len());
                files.swap(n, other);
            }
            let analyze = files.iter().fold(Analyze::default(), |all, file| all.and_bytes(&file.pcap()));
            let told = analyze.run_text().records.into_iter().map(without_origin);
            assert!(told.eq(expected.records.iter().cloned()), "{} files", files.len());
        }
    }
}
