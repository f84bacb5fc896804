//! Compression in every form, cut and corrupt; and that nothing waits for more than it needs.

use super::*;
use crate::base::tuning;
use crate::capture::batch::Batch;
use crate::capture::damage::{DamageKind, DamageLog};
use crate::capture::file::FILE_HEADER;
use crate::capture::reader::Reader;
use crate::capture::source::{OpenErrorKind, Source};
use crate::capture::testing::{Outcome, PcapFile, PcapngFile, read, read_slowly, sample, samples};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};

const ALL: [Compression; 3] = [Compression::Gzip, Compression::Zstd, Compression::Lz4];

/// Compresses the pieces, flushing after each, and gives what came out for each; the stream's end is the last.
fn compress(kind: Compression, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    fn write_all<W: Write>(
        mut encoder: W,
        pieces: &[&[u8]],
        taken: impl Fn(&mut W) -> Vec<u8>,
    ) -> (W, Vec<Vec<u8>>) {
        let mut all = Vec::new();
        for piece in pieces {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
            all.push(taken(&mut encoder));
        }
        (encoder, all)
    }
    match kind {
        Compression::Gzip => {
            let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            let (encoder, mut all) = write_all(encoder, pieces, |encoder| std::mem::take(encoder.get_mut()));
            all.push(encoder.finish().unwrap());
            all
        }
        Compression::Zstd => {
            let encoder = zstd::stream::write::Encoder::new(Vec::new(), 0).unwrap();
            let (encoder, mut all) = write_all(encoder, pieces, |encoder| std::mem::take(encoder.get_mut()));
            all.push(encoder.finish().unwrap());
            all
        }
        Compression::Lz4 => {
            let encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            let (encoder, mut all) = write_all(encoder, pieces, |encoder| std::mem::take(encoder.get_mut()));
            all.push(encoder.finish().unwrap());
            all
        }
    }
}

fn compressed(kind: Compression, bytes: &[u8]) -> Vec<u8> {
    compress(kind, &[bytes]).concat()
}

#[test]
fn compressed_captures_read_like_plain_ones() {
    for plain in
        [PcapFile::usual().packets(&samples(3000)).bytes, PcapngFile::usual().packets(&samples(3000)).bytes]
    {
        let expected = read(&plain).unwrap();
        assert_eq!((expected.packets.len(), expected.damage.len()), (3000, 0));
        for kind in ALL {
            let (front, back) = plain.split_at(plain.len() / 3);
            let one = compressed(kind, &plain);
            let several = [compressed(kind, front), compressed(kind, b""), compressed(kind, back)].concat();
            for bytes in [one, several] {
                assert_eq!(read(&bytes).unwrap(), expected, "{kind}");
                assert_eq!(read_slowly(&bytes, 777).unwrap(), expected, "{kind}");
            }
        }
    }
}

#[test]
fn a_skippable_frame_first_is_zstd() {
    let plain = PcapFile::usual().packets(&samples(3)).bytes;
    let skippable = [&0x184d_2a50_u32.to_le_bytes()[..], &4_u32.to_le_bytes(), b"size"].concat();
    let bytes = [skippable, compressed(Compression::Zstd, &plain)].concat();
    assert_eq!(read(&bytes).unwrap(), read(&plain).unwrap());
}

#[test]
fn the_old_lz4_format_ends_with_the_file() {
    let plain = PcapFile::usual().packets(&samples(50)).bytes;
    let block = lz4_flex::block::compress(&plain);
    let bytes = [&OLD_LZ4.to_le_bytes()[..], &(block.len() as u32).to_le_bytes(), &block].concat();
    assert_eq!(read(&bytes).unwrap(), read(&plain).unwrap());
}

#[test]
fn a_compressed_stream_that_ends_early_gives_what_is_there() {
    let plain = PcapFile::usual().packets(&samples(400)).bytes;
    let all = read(&plain).unwrap().packets;
    let pieces: Vec<_> = plain.chunks(5000).collect();
    for kind in ALL {
        let pieces = compress(kind, &pieces);
        let bytes = pieces.concat();
        // Every place near an end of a block, and many others.
        let ends = pieces.iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        let near = ends.flat_map(|end| end - 4..end + 9);
        let mut best = 0;
        for length in near.chain((0..bytes.len()).step_by(97)).filter(|&length| length < bytes.len()) {
            let Ok(outcome) = read(&bytes[..length]) else { continue };
            let complete = outcome.packets.len().saturating_sub(1);
            assert_eq!(outcome.packets[..complete], all[..complete], "{kind} {length}");
            assert_eq!(outcome.damage.len(), 1, "{kind} {length}: {:?}", outcome.lines());
            assert_eq!(outcome.damage[0].kind, DamageKind::CompressedCut, "{kind} {length}");
            assert_eq!(outcome.damage[0].packets, outcome.packets.len() as u64, "{kind} {length}");
            best = best.max(complete);
        }
        assert!(best > 350, "{kind}: {best} packets of a stream that lacks its last bytes");
    }
}

#[test]
fn a_corrupt_compressed_stream_never_panics() {
    let plain = PcapngFile::usual().packets(&samples(100)).bytes;
    for kind in ALL {
        let bytes = compressed(kind, &plain);
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            // What comes out depends on the checksums of the format, but it is never more than there was.
            if let Ok(outcome) = read(&bytes) {
                assert!(outcome.packets.len() <= 100, "{kind} {at}");
            }
        }
    }
}

/// A capture of so many packets: its header, and then so many packets a piece.
fn in_pieces(packets: usize, each: usize) -> Vec<Vec<u8>> {
    let packets = samples(packets);
    let header = PcapFile::usual().bytes;
    let piece = |packets| PcapFile::usual().packets(packets).bytes.split_off(header.len());
    std::iter::once(header.clone()).chain(packets.chunks(each).map(piece)).collect()
}

/// Blocks of some packets each: a capture, compressed, with one byte wrong.
fn corrupt(kind: Compression, at_percent: usize) -> Vec<u8> {
    let pieces = in_pieces(400, 20);
    let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
    let mut bytes = compress(kind, &pieces).concat();
    let at = bytes.len() * at_percent / 100;
    bytes[at] ^= 0x55;
    bytes
}

#[test]
fn all_before_a_corrupt_place_is_read() {
    for kind in ALL {
        for percent in [20, 40, 60, 80, 95] {
            let outcome = read(&corrupt(kind, percent)).unwrap();
            let count = outcome.packets.len();
            // Where the block begins in which it stands.
            let block = 400 * percent / 100 - 40;
            assert!(count >= block, "{kind} {percent} %: {count} packets");
            // Lz4 without checksums may not notice at all.
            let noticed =
                outcome.damage.iter().find(|damage| matches!(damage.kind, DamageKind::Decompress(_)));
            assert!(noticed.is_some() || kind == Compression::Lz4, "{kind} {percent} %");
            assert!(noticed.is_none_or(|damage| damage.packets == count as u64), "{kind} {percent} %");
            // Gzip and zstd notice by a checksum at the end if not at the place.
            assert_eq!(outcome.packets[..block], samples(400)[..block], "{kind} {percent} %");
        }
    }
}

#[test]
fn a_corrupt_stream_gives_the_same_in_any_pieces() {
    for kind in ALL {
        for percent in 3..100 {
            let bytes = corrupt(kind, percent);
            let told = |outcome: Result<Outcome, OpenErrorKind>| {
                outcome.map(|outcome| (outcome.lines(), outcome.packets)).map_err(|error| error.to_string())
            };
            let whole = told(read(&bytes));
            for step in [1, 2, 7, 100, 5000] {
                let pieces = told(read_slowly(&bytes, step));
                let lines = [&whole, &pieces].map(|told| told.as_ref().map(|(lines, _)| lines));
                assert!(pieces == whole, "{kind} {percent} % by {step} bytes: {lines:#?}");
            }
        }
    }
}

/// The frame's last block is not compressed, and the frame is said to be longer (RFC 8878 sections 3.1.1.1.4 and 3.1.1.2).
#[test]
fn a_frame_that_lies_of_its_size_gives_the_same_in_any_pieces() {
    let plain = [in_pieces(3, 3).concat(), vec![7; 100]].concat();
    let block = ((plain.len() as u32) << 3 | 1).to_le_bytes();
    let bytes = [&[0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 9][..], &block[..3], &plain].concat();
    let whole = read(&bytes).unwrap();
    assert_eq!(whole.packets.len(), 3);
    for piece in 1..20 {
        assert_eq!(read_slowly(&bytes, piece).unwrap().lines(), whole.lines(), "in pieces of {piece}");
    }
}

#[test]
fn what_follows_a_compressed_stream_is_damage() {
    let plain = PcapFile::usual().packets(&samples(9)).bytes;
    for kind in ALL {
        let bytes = [&compressed(kind, &plain)[..], b"something else"].concat();
        let outcome = read(&bytes).unwrap();
        assert_eq!(outcome.packets, samples(9), "{kind}");
        assert!(matches!(outcome.damage[..], [_]), "{kind}: {:?}", outcome.lines());
        assert!(matches!(outcome.damage[0].kind, DamageKind::Decompress(_)), "{kind}");
    }
}

#[test]
fn what_is_no_capture_is_said_in_a_line() {
    let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(message(b""), "empty");
    assert_eq!(
        message(b"GET / HTTP/1.1\r\n"),
        "no capture file (pcap or pcapng, plain or compressed with gzip, zstd or lz4)"
    );
    for kind in ALL {
        assert_eq!(
            message(&compressed(kind, b"some text")),
            format!("{kind} data, but no capture file in it")
        );
        assert_eq!(message(&compressed(kind, b"")), "empty");
        let start = compressed(kind, &PcapFile::usual().bytes)[..9].to_vec();
        assert!(message(&start).starts_with(&format!("bad {kind} data: ")), "{}", message(&start));
        assert!(!message(&start).contains('\n'));
    }
}

#[test]
fn cap_zstd_window_log() {
    let most = limits::ZSTD_WINDOW_LOG;
    for (log, accepted) in [(most - 1, true), (most, true), (most + 1, false)] {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&PcapFile::usual().packets(&samples(3)).bytes).unwrap();
        assert_eq!(read(&encoder.finish().unwrap()).is_ok(), accepted, "{log}");
    }
}

#[test]
fn windows_are_a_share_of_the_memory() {
    let log = |mib: usize, inputs| window_log(Memory::new(mib << 20).unwrap(), inputs);
    assert_eq!(
        [log(512, 1), log(64, 1), log(8192, 1)],
        [limits::ZSTD_WINDOW_LOG, 24, limits::ZSTD_WINDOW_LOG]
    );
    assert_eq!(
        [log(512, 3), log(64, 100)],
        [25, 23],
        "all inputs together; and what zstd does by itself is read"
    );
    for (window, accepted) in [(24, true), (25, false)] {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window).unwrap();
        encoder.write_all(&PcapFile::usual().packets(&samples(3)).bytes).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&encoder.finish().unwrap()).unwrap();
        let input = crate::capture::Input::File(file.path().to_owned());
        let opened = crate::capture::Timeline::open_within(&[input], Memory::new(64 << 20).unwrap());
        assert_eq!(opened.is_ok(), accepted, "{window}");
    }
}

/// Gives one piece a read, and fails the test when there is none: a pipe would have to wait.
struct Pipe(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.lock().unwrap().pop_front().expect("waits");
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

#[test]
fn packets_of_a_pipe_come_as_soon_as_they_are_there() {
    let pieces = in_pieces(20, 1);
    let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
    let plain = pieces.iter().map(|piece| piece.to_vec()).collect();
    for pieces in ALL.map(|kind| compress(kind, &pieces)).into_iter().chain([plain]) {
        let pipe = Arc::new(Mutex::new(VecDeque::new()));
        pipe.lock().unwrap().push_back(pieces[0].clone());
        let (source, head) = Source::new(Pipe(Arc::clone(&pipe)), None, FILE_HEADER).unwrap();
        let mut reader = Reader::new(source, head, tuning::READ_BYTES).unwrap();
        let (mut batch, mut damage) = (Batch::default(), DamageLog::default());
        for (index, piece) in pieces[1..=20].iter().enumerate() {
            pipe.lock().unwrap().push_back(piece.clone());
            assert!(reader.fill(&mut batch, &mut damage));
            let [packet] = &batch.packets[..] else { panic!("{} packets", batch.packets.len()) };
            assert_eq!(batch.packet(packet), sample(index).bytes);
        }
    }
}
