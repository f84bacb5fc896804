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
