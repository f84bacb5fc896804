//! Both formats in all their variants, and what is left of them when they are damaged.

use super::Order;
use crate::base::limits;
use crate::base::tuning;
use crate::capture::batch::LinkType;
use crate::capture::damage::DamageKind;
use crate::capture::source::OpenErrorKind;
use crate::capture::testing::{
    Outcome, PcapFile, PcapngFile, Read1, read, read_from, read_slowly, sample, samples,
};
use proptest::prelude::*;
use std::io::{Cursor, Read};

const TLS: u32 = 0x544c_534b;

fn intact(packets: Vec<Read1>) -> Outcome {
    Outcome { packets, ..Outcome::default() }
}

/// A pcapng file with two sections, all kinds of packet blocks, several link types, secrets, and blocks of no
/// interest; and the packets in it.
fn varied() -> (Vec<u8>, Vec<Read1>) {
    let mut packets = samples(7);
    packets[1].link = 113;
    packets[3].nanos = packets[2].nanos; // a simple packet has no time of its own
    packets[3].original = packets[3].bytes.len() as u32;
    packets[4].link = 101;
    packets[5].link = 228;
    let micros = |packet: &Read1| packet.nanos / 1000;
    let file = PcapngFile::usual()
        .interface(LinkType(113), 0, &[])
        .block(4, b"names, perhaps")
        .secrets(TLS, b"first")
        .enhanced(0, packets[0].nanos, &packets[0])
        .enhanced(1, micros(&packets[1]), &packets[1])
        .secrets(TLS + 1, b"not for us")
        .obsolete(0, packets[2].nanos, &packets[2])
        .simple(&packets[3])
        .block(5, &[0; 12])
        .block(0xbad, &[0xff; 30])
        .section(Order::Big)
        .interface(LinkType(101), 0, &[])
        .interface(LinkType(228), 0, &[])
        .enhanced(0, micros(&packets[4]), &packets[4])
        .secrets(TLS, b"second")
        .obsolete(1, micros(&packets[5]), &packets[5]);
    let options = [file.option(9, &[9]), file.option(14, &(-5_i64).to_be_bytes())].concat();
    let last = packets[6].clone();
    let file = file.interface(LinkType(1), 0, &options).enhanced(2, last.nanos + 5_000_000_000, &last);
    (file.bytes, packets)
}

#[test]
fn classic_pcap_in_every_variant() {
    for order in [Order::Little, Order::Big] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34] {
            for snaplen in [0, 96, 262_144, u32::MAX] {
                let file = PcapFile::new(order, magic, snaplen, 1).packets(&samples(5));
                let outcome = read(&file.bytes).unwrap();
                assert_eq!(outcome, intact(samples(5)), "{order:?} {magic:x} {snaplen}");
            }
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let packet = Read1 { nanos: 1_700_000_000_123_456_789, ..sample(0) };
    let file = PcapFile::new(Order::Big, 0xa1b2_3c4d, 0, 1).packet(&packet);
    assert_eq!(read(&file.bytes).unwrap().packets[0].nanos, 1_700_000_000_123_456_789);
}

#[test]
fn frame_check_sequence_bits_are_no_link_type() {
    for (network, link) in [(0x2400_0001, 1), (0x1400_0114, 276), (0xffff_0065, 101)] {
        let file = PcapFile::new(Order::Little, 0xa1b2_c3d4, 0, network).packet(&sample(0));
        assert_eq!(read(&file.bytes).unwrap().packets[0].link, link);
    }
}

#[test]
fn old_versions_swap_the_lengths() {
    for (minor, swapped) in [(2, true), (3, true), (3, false), (4, false)] {
        let mut packet = sample(0);
        let captured = packet.bytes.len() as u32;
        let mut file = PcapFile::usual().packet(&packet).packet(&packet).bytes;
        file[6] = minor;
        if swapped {
            for at in [24 + 8, 24 + 16 + captured as usize + 8] {
                file[at..at + 8].rotate_left(4);
            }
        }
        packet.nanos = packet.nanos / 1000 * 1000;
        assert_eq!(read(&file).unwrap().packets, [packet.clone(), packet], "2.{minor} {swapped}");
    }
}

#[test]
fn pcapng_with_all_blocks() {
    let (bytes, packets) = varied();
    let outcome = read(&bytes).unwrap();
    assert_eq!(outcome.packets, packets);
    assert_eq!(outcome.secrets, [(0, b"first".to_vec()), (5, b"second".to_vec())]);
    assert_eq!(outcome.damage, []);
}

#[test]
fn simple_packets_end_at_the_snaplen() {
    let packet = Read1 { nanos: 0, original: 200, ..sample(3) };
    let captured = packet.bytes.len() as u32;
    assert_ne!(captured % 4, 0);
    let file = PcapngFile::new(Order::Little).interface(LinkType(1), captured, &[]).simple(&packet);
    assert_eq!(read(&file.bytes).unwrap(), intact(vec![packet]));
}

#[test]
fn lengths_without_the_padding_are_understood() {
    let packet = Read1 { nanos: 5000, ..sample(3) };
    let length = 32 + packet.bytes.len() as u32;
    let mut file = PcapngFile::new(Order::Little).interface(LinkType(1), 0, &[]);
    let at = file.bytes.len();
    file = file.enhanced(0, 5, &packet);
    file.bytes[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
    let end = file.bytes.len();
    file.bytes[end - 4..].copy_from_slice(&length.to_le_bytes());
    file = file.enhanced(0, 5, &packet);
    assert_eq!(read(&file.bytes).unwrap(), intact(vec![packet.clone(), packet]));
}

#[test]
fn the_second_opinion_agrees() {
    use pcap_parser::traits::PcapNGPacketBlock;
    use pcap_parser::{Block, PcapBlockOwned, PcapError};
    let captures = [
        PcapFile::new(Order::Big, 0xa1b2_3c4d, 0, 1).packets(&samples(50)).bytes,
        PcapngFile::usual().packets(&samples(50)).bytes,
    ];
    for bytes in captures {
        let ours = read(&bytes).unwrap().packets;
        let mut theirs = Vec::new();
        let mut reader = pcap_parser::create_reader(65536, Cursor::new(bytes)).unwrap();
        loop {
            match reader.next() {
                Ok((offset, block)) => {
                    match block {
                        PcapBlockOwned::Legacy(packet) => {
                            let nanos = u64::from(packet.ts_sec) * 1_000_000_000 + u64::from(packet.ts_usec);
                            theirs.push((nanos, packet.origlen, packet.data.to_vec()));
                        }
                        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                            let nanos = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                            theirs.push((nanos, packet.origlen, packet.packet_data().to_vec()));
                        }
                        _ => {}
                    }
                    reader.consume(offset);
                }
                Err(PcapError::Eof) => break,
                Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
                Err(error) => panic!("{error:?}"),
            }
        }
        let ours: Vec<_> = ours.into_iter().map(|p| (p.nanos, p.original, p.bytes)).collect();
        assert_eq!(ours, theirs);
    }
}

/// Every prefix of a capture gives the packets that it holds whole, then perhaps a cut one.
fn cut_everywhere(bytes: &[u8], header: usize, ends: &[usize]) {
    let all = read(bytes).unwrap().packets;
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        let Ok(outcome) = read(cut) else {
            assert!(length < header, "{length} bytes are a capture");
            continue;
        };
        let whole = ends.iter().filter(|&&end| end <= length).count();
        let (before, after) = outcome.packets.split_at(whole.min(outcome.packets.len()));
        assert_eq!(before, &all[..whole], "{length} bytes");
        assert!(after.len() <= 1);
        if let [packet] = after {
            let expected = &all[whole];
            assert!(expected.bytes.starts_with(&packet.bytes));
            let captured = expected.bytes.len() as u64;
            let kind = DamageKind::CutPacket { present: packet.bytes.len() as u64, captured };
            assert_eq!((outcome.damage.len(), &outcome.damage[0].kind), (1, &kind));
        }
        assert!(outcome.damage.iter().all(|damage| damage.packets == whole as u64 && damage.times == 1));
        for step in [1, 13] {
            assert_eq!(
                read_slowly(cut, step).unwrap(),
                outcome,
                "a pipe with {length} bytes, {step} at a time"
            );
        }
    }
}

#[test]
fn pcap_cut_at_every_byte() {
    let mut file = PcapFile::usual();
    let mut ends = Vec::new();
    for packet in samples(4) {
        file = file.packet(&packet);
        ends.push(file.bytes.len());
    }
    cut_everywhere(&file.bytes, 24, &ends);
}

#[test]
fn pcapng_cut_at_every_byte() {
    let mut file = PcapngFile::usual();
    let mut ends = Vec::new();
    for packet in samples(4) {
        file = file.enhanced(0, packet.nanos, &packet);
        ends.push(file.bytes.len());
    }
    // The section header is believed once its length can be read.
    cut_everywhere(&file.bytes, 12, &ends);
}

#[test]
fn a_cut_file_header_is_no_capture() {
    let file = PcapFile::usual().bytes;
    for length in [4, 23] {
        assert!(matches!(read(&file[..length]), Err(OpenErrorKind::CutHeader)), "{length}");
    }
    assert!(matches!(read(&file[..3]), Err(OpenErrorKind::NotACapture)));
    assert!(matches!(read(&[]), Err(OpenErrorKind::Empty)));
    assert_eq!(read(&file).unwrap(), Outcome::default());
}

#[test]
fn a_packet_that_claims_2_gb_is_stepped_over() {
    let packets = samples(20);
    for claim in [0x8000_0000, u32::MAX, limits::PACKET_BYTES + 1] {
        let file = PcapFile::usual().packets(&packets[..8]);
        let at = file.bytes.len() + 8;
        let mut bytes = file.packets(&packets[8..]).bytes;
        bytes[at..at + 4].copy_from_slice(&claim.to_le_bytes());
        let outcome = read(&bytes).unwrap();
        assert_eq!(outcome.packets, [&packets[..8], &packets[9..]].concat(), "{claim}");
        let length = 16 + packets[8].bytes.len();
        assert_eq!(
            outcome.lines(),
            [format!("x: corrupt after packet 8 (byte {}): {length} bytes skipped", at - 8)]
        );
        assert_eq!(read_slowly(&bytes, 50).unwrap(), outcome);
    }
}

#[test]
fn a_length_with_a_flipped_bit_costs_few_packets() {
    let packets = samples(100);
    let file = PcapFile::usual().packets(&packets[..40]);
    let at = file.bytes.len() + 8;
    let bytes = file.packets(&packets[40..]).bytes;
    for bit in 0..32 {
        let mut bytes = bytes.clone();
        bytes[at + bit / 8] ^= 1 << (bit % 8);
        let outcome = read(&bytes).unwrap();
        assert_eq!(outcome.packets[..40], packets[..40], "bit {bit}");
        let after = outcome.packets.len() - 41;
        assert!(after >= 55, "bit {bit}: {after} packets after it");
        assert_eq!(outcome.packets[outcome.packets.len() - 55..], packets[45..], "bit {bit}");
        assert_eq!(outcome.damage.len(), 1);
    }
}

#[test]
fn a_clock_that_jumps_is_no_damage() {
    let mut packets = samples(9);
    for (index, packet) in packets.iter_mut().enumerate() {
        packet.nanos = [1_000_000, 1_700_000_000_000_000_000, 86_400_000_000_000 * 9][index % 3];
    }
    assert_eq!(read(&PcapFile::usual().packets(&packets).bytes).unwrap(), intact(packets.clone()));
    let cut = PcapFile::usual().packets(&packets).bytes;
    let outcome = read(&cut[..cut.len() - 5]).unwrap();
    assert_eq!(outcome.packets.len(), 9);
    assert!(matches!(outcome.damage[0].kind, DamageKind::CutPacket { .. }));
}

#[test]
fn zeros_at_the_end_are_no_packets() {
    let mut bytes = PcapFile::usual().packets(&samples(3)).bytes;
    let end = bytes.len();
    bytes.resize(end + 1_000_000, 0);
    let outcome = read(&bytes).unwrap();
    assert_eq!(outcome.packets, samples(3));
    assert_eq!(outcome.lines(), [format!("x: corrupt after packet 3 (byte {end}): 1000000 bytes skipped")]);
}

#[test]
fn captured_more_than_there_was_is_read_if_it_fits() {
    let mut odd = samples(5);
    for packet in &mut odd {
        packet.original = 3;
    }
    let outcome = read(&PcapFile::usual().packets(&odd).bytes).unwrap();
    for packet in &mut odd {
        packet.original = packet.bytes.len() as u32;
    }
    assert_eq!(outcome, intact(odd));
    let mut one = samples(5);
    one[2].original = 3;
    let outcome = read(&PcapFile::usual().packets(&one).bytes).unwrap();
    one[2].original = one[2].bytes.len() as u32;
    assert_eq!(outcome, intact(one));
}

#[test]
fn a_bad_block_of_pcapng_costs_that_block() {
    let packets = samples(20);
    let file = PcapngFile::usual().packets(&packets[..8]);
    let at = file.bytes.len();
    let bytes = file.packets(&packets[8..]).bytes;
    let without = [&packets[..8], &packets[9..]].concat();
    // Its length; then the packet's captured length; then the interface.
    for (field, value, line) in [
        (4, 0_u32, "corrupt after packet 8 (byte AT): 96 bytes skipped"),
        (4, 11, "corrupt after packet 8 (byte AT): 96 bytes skipped"),
        (4, 0x8000_0000, "corrupt after packet 8 (byte AT): 96 bytes skipped"),
        (4, 64, "corrupt after packet 8 (byte AT): 96 bytes skipped"),
        (20, 0x8000_0000, "corrupt block after packet 8 (byte AT), left out"),
        (20, 1000, "corrupt block after packet 8 (byte AT), left out"),
        (8, 3, "packet of an unknown interface after packet 8 (byte AT), left out"),
    ] {
        let mut bytes = bytes.clone();
        let size = u32::from_le_bytes(*bytes[at + 4..].first_chunk().unwrap());
        bytes[at + field..at + field + 4].copy_from_slice(&value.to_le_bytes());
        let outcome = read(&bytes).unwrap();
        assert_eq!(outcome.packets, without, "{field} {value}");
        let line = line.replace("AT", &at.to_string()).replace("96", &size.to_string());
        assert_eq!(outcome.lines(), [format!("x: {line}")]);
        assert_eq!(read_slowly(&bytes, 50).unwrap(), outcome);
    }
}

#[test]
fn a_block_with_two_lengths_is_used_if_the_first_fits() {
    let file = PcapngFile::usual().packets(&samples(3));
    let end = file.bytes.len();
    let mut bytes = file.packets(&samples(6)[3..]).bytes;
    bytes[end - 4] ^= 0x40;
    let outcome = read(&bytes).unwrap();
    assert_eq!(outcome.packets, samples(6));
    assert_eq!(outcome.damage[0].kind, DamageKind::BlockLengths);
    assert!(!outcome.damage[0].loses_packets());
}

#[test]
fn cap_block_bytes() {
    let most = limits::BLOCK_BYTES as usize - 12;
    for (length, damaged) in [(most - 4, 0), (most, 0), (most + 4, 1)] {
        let file = PcapngFile::usual().packets(&samples(2)).block(0xbad, &vec![0x55; length]);
        let bytes = file.packets(&samples(4)[2..]).bytes;
        let outcome = read(&bytes).unwrap();
        assert_eq!((outcome.packets, outcome.damage.len()), (samples(4), damaged));
    }
}

#[test]
fn a_block_that_claims_more_than_the_file_has_is_stepped_over() {
    let file = PcapngFile::usual().packets(&samples(2));
    let at = file.bytes.len();
    let mut bytes = file.packets(&samples(8)[2..]).bytes;
    bytes[at + 4..at + 8].copy_from_slice(&(limits::BLOCK_BYTES / 2).to_le_bytes());
    let outcome = read(&bytes).unwrap();
    assert_eq!(outcome.packets, [&samples(2)[..], &samples(8)[3..]].concat());
    assert_eq!(outcome.damage.len(), 1);
}

#[test]
fn a_large_packet_grows_the_batch() {
    let mut packets = samples(6);
    packets[2].bytes = vec![7; tuning::READ_BYTES * 3];
    packets[2].original = packets[2].bytes.len() as u32;
    let pcapng = PcapngFile::usual().packets(&packets).bytes;
    let pcap = PcapFile::new(Order::Little, 0xa1b2_c3d4, 4 << 20, 1).packets(&packets).bytes;
    for bytes in [pcapng, pcap] {
        assert_eq!(read(&bytes).unwrap(), intact(packets.clone()));
        assert_eq!(read_slowly(&bytes, 10_000).unwrap(), intact(packets.clone()));
    }
}

#[test]
fn cap_packet_bytes() {
    let usual = limits::PACKET_BYTES;
    for (snaplen, length, believed) in [
        (96, usual - 1, true),
        (96, usual, true),
        (96, usual + 1, false),
        (u32::MAX, usual + 1, false),
        (usual + 1, usual + 1, true),
        (usual + 1, usual + 2, false),
        (limits::BLOCK_BYTES, limits::BLOCK_BYTES, true),
        (limits::BLOCK_BYTES + 1, limits::BLOCK_BYTES, false),
    ] {
        let long = Read1 { bytes: vec![7; length as usize], original: length, ..sample(1) };
        let file = PcapFile::new(Order::Little, 0xa1b2_c3d4, snaplen, 1);
        let outcome = read(&file.packet(&sample(0)).packet(&long).packets(&samples(5)[2..]).bytes).unwrap();
        assert_eq!(outcome.packets.len(), if believed { 5 } else { 4 }, "{snaplen} {length}");
        assert_eq!(outcome.damage.is_empty(), believed);
    }
}

#[test]
fn cap_interfaces() {
    let mut file = PcapngFile::usual().enhanced(0, sample(0).nanos, &sample(0));
    let one = PcapngFile::nothing().interface(LinkType(1), 0, &[]);
    file.bytes.extend(one.bytes.repeat(1_000_000));
    let last = limits::INTERFACES as u32 - 1;
    let file = file.enhanced(last - 1, 0, &sample(1)).enhanced(last, 0, &sample(1));
    assert_eq!(read(&file.bytes).unwrap().damage, []);
    let outcome = read(&file.enhanced(last + 1, 0, &sample(2)).bytes).unwrap();
    assert_eq!((outcome.packets.len(), outcome.damage.len()), (3, 1));
    assert_eq!(outcome.damage[0].kind, DamageKind::UnknownInterface);
    assert!(outcome.damage[0].loses_packets());
}

#[test]
fn cap_secrets_bytes() {
    let mut file = PcapngFile::usual();
    let piece = vec![b'x'; limits::SECRETS_BYTES / 8];
    for _ in 0..8 {
        file = file.secrets(TLS, &piece);
    }
    let outcome = read(&file.bytes).unwrap();
    assert_eq!((outcome.secrets.len(), outcome.damage.len()), (8, 0));
    let outcome = read(&file.secrets(TLS, b"y").packets(&samples(1)).bytes).unwrap();
    assert_eq!((outcome.secrets.len(), outcome.packets.len()), (8, 1));
    assert_eq!(outcome.lines(), ["x: too many TLS secrets, the rest is not used"]);
}

#[test]
fn cap_secrets_blocks() {
    let most = limits::SECRETS_BLOCKS;
    for (blocks, kept, damaged) in [(most - 1, most - 1, 0), (most, most, 0), (most + 1, most, 1)] {
        let mut file = PcapngFile::usual();
        let one = PcapngFile::nothing().secrets(TLS, b"");
        file.bytes.extend(one.bytes.repeat(blocks));
        let outcome = read(&file.packets(&samples(1)).bytes).unwrap();
        assert_eq!((outcome.secrets.len(), outcome.damage.len(), outcome.packets.len()), (kept, damaged, 1));
    }
}

#[test]
fn looking_far_ahead_in_vain_takes_linear_time() {
    // Each of these blocks makes the reader look far ahead in vain.
    let block = [6, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0];
    let mut bytes = PcapngFile::usual().bytes;
    bytes.extend(block.repeat(500_000));
    let outcome = read(&bytes).unwrap();
    assert_eq!((outcome.packets.len(), outcome.damage.len()), (0, 1));
    // And these, one believable header and then none.
    let mut bytes = PcapFile::usual().bytes;
    bytes.extend([0xff; 16]);
    let header = [1, 0, 0, 0, 1, 0, 0, 0, 0xfc, 0xff, 3, 0, 0xfc, 0xff, 3, 0];
    bytes.extend(header.repeat(400_000));
    let outcome = read(&bytes).unwrap();
    assert_eq!((outcome.packets.len(), outcome.damage.len()), (0, 1));
}

#[test]
fn cap_search_bytes() {
    // The packets behind the hole are found if it is not too long.
    let hole = |length: u64| std::io::repeat(0xff).take(length);
    let parts = [PcapFile::usual().packets(&samples(2)).bytes, PcapFile::usual().packets(&samples(9)).bytes];
    let after = &parts[1][parts[0].len()..];
    for (length, found) in [(limits::SEARCH_BYTES - 1000, true), (limits::SEARCH_BYTES + 1_000_000, false)] {
        let input = Cursor::new(parts[0].clone()).chain(hole(length)).chain(Cursor::new(after.to_vec()));
        let outcome = read_from(input, Some(0), tuning::READ_BYTES).unwrap();
        let (packets, kind) =
            if found { (9, DamageKind::Corrupt { skipped: length }) } else { (2, DamageKind::GivenUp) };
        assert_eq!((outcome.packets.len(), outcome.damage.len()), (packets, 1));
        assert_eq!(outcome.damage[0].kind, kind);
    }
}

#[test]
fn a_bomb_of_zeros_is_no_capture() {
    let compressed = std::io::repeat(0).take(10 << 20);
    let mut gzip =
        flate2::bufread::GzEncoder::new(std::io::BufReader::new(compressed), flate2::Compression::new(1));
    let mut bytes = Vec::new();
    gzip.read_to_end(&mut bytes).unwrap();
    // A thousand members of 10 MiB each.
    let bytes = bytes.repeat(1000);
    let kind = read(&bytes).unwrap_err();
    assert_eq!(kind.to_string(), "gzip data, but no capture file in it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutations_never_panic_and_pipes_see_what_files_see(
        classic in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        splice in any::<prop::sample::Index>(),
        step in 1..300_usize,
    ) {
        let mut bytes = if classic { PcapFile::usual().packets(&samples(12)).bytes } else { varied().0 };
        for (at, value) in &flips {
            let at = at.index(bytes.len());
            bytes[at] ^= value;
        }
        let (cut, splice) = (cut.index(bytes.len()), splice.index(bytes.len()));
        bytes.truncate(cut.max(100));
        let repeated = bytes[splice.min(bytes.len())..].to_vec();
        bytes.extend(repeated);
        match (read(&bytes), read_slowly(&bytes, step)) {
            (Ok(file), Ok(pipe)) => prop_assert_eq!(file, pipe),
            (file, pipe) => prop_assert_eq!(file.is_ok(), pipe.is_ok()),
        }
    }

    #[test]
    fn damage_before_a_place_does_not_change_what_is_before_it(
        classic in any::<bool>(),
        packet in 0..30_usize,
        byte in 0..200_usize,
        value in 1..=255_u8,
    ) {
        let file = |packets: &[Read1]| {
            if classic {
                PcapFile::usual().packets(packets).bytes
            } else {
                PcapngFile::usual().packets(packets).bytes
            }
        };
        let all = samples(30);
        let mut bytes = file(&all);
        let at = (file(&all[..packet]).len() + byte).min(bytes.len() - 1);
        bytes[at] ^= value;
        let outcome = read_from(Cursor::new(bytes.clone()), Some(bytes.len() as u64), 512).unwrap();
        prop_assert_eq!(&outcome.packets[..packet], &all[..packet]);
    }
}
