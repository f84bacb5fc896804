//! What of the inputs was read, and what was not.

use super::{EMPTY_PCAP, h2lens};
use serde_json::Value;

/// The telemetry record of what is read from standard input with `--strict`, the exit status, and the messages.
fn strictly(capture: &[u8]) -> (Value, Option<i32>, String) {
    let output = h2lens(&["-", "--strict", "-S", "telemetry"]).write_stdin(capture).output().unwrap();
    let telemetry = serde_json::from_slice(&output.stdout).unwrap();
    (telemetry, output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A pcap file of one packet of this link type.
fn one_packet(link: u8, packet: &[u8]) -> Vec<u8> {
    let mut file = EMPTY_PCAP.to_vec();
    file[20] = link;
    file.extend([0; 8]);
    for _ in 0..2 {
        file.extend((packet.len() as u32).to_le_bytes());
    }
    file.extend(packet);
    file
}

#[test]
fn link_types_that_are_not_read_are_named_and_strict_is_1() {
    let (telemetry, status, message) = strictly(&one_packet(119, &[0; 60]));
    assert_eq!(telemetry["coverage"]["skipped_packets"]["unknown_link_type"], 1);
    assert_eq!((&telemetry["coverage"]["complete"], status), (&false.into(), Some(1)));
    assert!(message.contains("a link type (119 IEEE802_11_PRISM)"), "{message}");
    let (telemetry, status, message) = strictly(&one_packet(1, &[0; 60]));
    assert_eq!((&telemetry["coverage"]["complete"], status), (&true.into(), Some(0)), "{message}");
}

#[test]
fn tunnels_that_are_not_read_are_named() {
    let esp = [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 50, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], &[7; 20]].concat();
    let (telemetry, status, message) = strictly(&one_packet(101, &esp));
    assert_eq!(telemetry["coverage"]["skipped_packets"]["esp"], 1);
    assert_eq!(status, Some(1));
    assert!(message.contains("IPsec (ESP)"), "{message}");
}

/// Section header, interface description, interface statistics with five drops.
#[test]
fn drops_that_a_pcapng_capture_tells_are_kernel_drops() {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let capture = [
        words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]),
        words(&[1, 20, 1, 0, 20]),
        words(&[5, 36, 0, 0, 0, 5 | 8 << 16, 5, 0, 36]),
    ];
    let (telemetry, status, message) = strictly(&capture.concat());
    assert_eq!(telemetry["coverage"]["dropped_by_kernel"], 5);
    assert_eq!((&telemetry["coverage"]["complete"], status), (&false.into(), Some(1)));
    assert!(message.contains("5 packets were dropped by the kernel"), "{message}");
}

/// The packet records of a little-endian pcap file.
fn packets_of(mut file: &[u8]) -> Vec<&[u8]> {
    file = &file[24..];
    let mut packets = Vec::new();
    while !file.is_empty() {
        let length = 16 + u32::from_le_bytes(file[8..12].try_into().unwrap()) as usize;
        packets.push(&file[..length]);
        file = &file[length..];
    }
    packets
}

/// A directory in which each packet stands in the file that `file_of` names by its index, beside what is no capture.
fn divided(capture: &[u8], file_of: impl Fn(usize) -> usize) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut files = [capture[..24].to_vec(), capture[..24].to_vec()];
    for (index, packet) in packets_of(capture).into_iter().enumerate() {
        files[file_of(index)].extend(packet);
    }
    for (bytes, name) in files.iter().zip(["a.pcap", "b.cap"]) {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    std::fs::write(directory.path().join("notes.txt"), "no capture").unwrap();
    directory
}

/// The records of a kind.
fn records(arguments: &[&str], kind: &str) -> Vec<Value> {
    let output = h2lens(arguments).args(["--json", "-S", "transactions,connections"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let all = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    all.filter(|record| record["record"] == kind).collect()
}

#[test]
fn a_directory_is_the_captures_in_it_and_records_name_theirs() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/curl-h2c.pcap");
    let whole = std::fs::read(file).unwrap();
    let count = packets_of(&whole).len();
    let rotated = |index: usize| usize::from(index >= count / 2);
    let interleaved = |index: usize| index % 3 / 2;
    for file_of in [&rotated as &dyn Fn(usize) -> usize, &interleaved] {
        let directory = divided(&whole, file_of);
        let expected = records(&[file], "transaction");
        for threads in ["1", "4"] {
            let path = directory.path().to_str().unwrap();
            let found = records(&[path, "--threads", threads], "transaction");
            assert_eq!(found.len(), expected.len());
            for (mut found, expected) in found.into_iter().zip(&expected) {
                let first = expected["h2"]["packets"]["first"].as_u64().unwrap() as usize;
                let (own, name) = (file_of(first - 1), ["a.pcap", "b.cap"][file_of(first - 1)]);
                let packets = found["h2"]["packets"].as_object_mut().unwrap();
                let input = packets.remove("input").unwrap();
                assert!(input.as_str().unwrap().ends_with(name), "{input}");
                let number = (0..first).filter(|&index| file_of(index) == own).count();
                assert_eq!(packets.remove("first_in_input"), Some(number.into()));
                assert_eq!(&found, expected);
            }
            for connection in records(&[path], "connection") {
                let connection = &connection["h2"]["connection"];
                let name = ["a.pcap", "b.cap"][file_of(connection["id"].as_u64().unwrap() as usize - 1)];
                assert!(connection["input"].as_str().unwrap().ends_with(name), "{connection}");
            }
        }
    }
    assert!(records(&[file], "connection").iter().all(|one| one["h2"]["connection"].get("input").is_none()));
}

#[test]
fn a_directory_without_captures_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes.txt"), "no capture").unwrap();
    assert!(super::refused(&[directory.path().to_str().unwrap()]).contains(": no capture in this directory"));
}

#[test]
fn packets_on_standard_output_take_the_place_of_records() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/curl-h2c.pcap");
    let packets = h2lens(&[file, "-w", "-"]).output().unwrap();
    assert_eq!(packets.status.code(), Some(0));
    assert!(packets.stderr.is_empty());
    let again = h2lens(&["-", "--json"]).write_stdin(packets.stdout).output().unwrap();
    let direct = h2lens(&[file, "--json"]).output().unwrap();
    assert!(again.stdout == direct.stdout && !direct.stdout.is_empty());
    for option in [&["--show", "frames"][..], &["--json"], &["-o", "csv"], &["--rotate-size", "1M"]] {
        let message = super::refused(&[&[file, "-w", "-"], option].concat());
        assert!(message.contains("-w - prints"), "{message}");
    }
    assert!(!std::path::Path::new("-").exists());
}

#[test]
fn a_filter_that_was_given_as_a_file_is_told_to_be_one() {
    let message = super::refused(&["tcp port 8080"]);
    assert_eq!(
        message,
        "h2lens: tcp port 8080: No such file or directory; is it an expression? Give it as -f 'tcp port 8080'\n"
    );
    assert_eq!(super::refused(&["missing.pcap"]), "h2lens: missing.pcap: No such file or directory\n");
    let written = super::refused(&["testdata/curl-h2c.pcap", "-w", "missing/out.pcap"]);
    assert_eq!(written, "h2lens: missing: No such file or directory\n", "before anything is printed");
}

/// A hard link, or one that is not followed, is no other file.
#[cfg(unix)]
#[test]
fn packets_are_not_saved_over_their_own_capture() {
    let home = tempfile::tempdir().unwrap();
    let [capture, hard, soft] = ["capture.pcap", "hard.pcap", "soft.pcap"].map(|name| home.path().join(name));
    let bytes = std::fs::read("testdata/curl-h2c.pcap").unwrap();
    std::fs::write(&capture, &bytes).unwrap();
    std::fs::hard_link(&capture, &hard).unwrap();
    std::os::unix::fs::symlink(&capture, &soft).unwrap();
    for target in [&capture, &hard, &soft] {
        let [capture, target] = [&capture, target].map(|path| path.to_str().unwrap());
        let message = super::refused(&[capture, "-w", target]);
        assert!(message.contains("is one of the captures"), "{message}");
    }
    assert!(std::fs::read(&capture).unwrap() == bytes);
    let keys = home.path().join("keys.log");
    std::fs::write(&keys, "# secrets\n").unwrap();
    let [capture, keys_path] = [&capture, &keys].map(|path| path.to_str().unwrap());
    let message = super::refused(&[capture, "--keylog", keys_path, "-w", keys_path]);
    assert!(message.contains("is the key log; write to another file"), "{message}");
    assert_eq!(std::fs::read_to_string(&keys).unwrap(), "# secrets\n");
}
