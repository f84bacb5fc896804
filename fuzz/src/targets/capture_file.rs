//! Capture files: a file, a stream in one piece and one in odd pieces give the same packets; packets are bytes of the
//! input; memory follows the input.

use crate::cost::Cost;
use crate::random::Random;
use h2lens::capture::{Batch, Input, Timeline};
use memchr::memmem;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// Bytes that come in pieces, as from a pipe.
pub struct Pipe {
    bytes: Arc<[u8]>,
    at: usize,
    /// Of the sizes; `None` for all that is asked for.
    random: Option<Random>,
}

impl Pipe {
    /// All at once, or in pieces of random size.
    pub fn new(bytes: &Arc<[u8]>, random: Option<Random>) -> Self {
        Self { bytes: Arc::clone(bytes), at: 0, random }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.bytes[self.at..];
        let piece = match &mut self.random {
            Some(random) => {
                let most = [3, 30, 3000, 30_000][random.below(4)];
                1 + random.below(most)
            }
            None => usize::MAX,
        };
        let count = left.len().min(piece).min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

/// By the magic number of gzip, zstd, and lz4.
fn is_compressed(data: &[u8]) -> bool {
    matches!(
        data,
        [0x1f, 0x8b, ..]
            | [0x28, 0xb5, 0x2f, 0xfd, ..]
            | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]
            | [0x04, 0x22, 0x4d, 0x18, ..]
            | [0x02, 0x21, 0x4c, 0x18, ..]
    )
}

/// What a reader told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    packets: Vec<(u64, u16, u32, Vec<u8>)>,
    /// With the number of packets before it.
    secrets: Vec<(usize, Vec<u8>)>,
    damage: Vec<String>,
}

/// The input is the file.
pub fn run(data: &[u8]) {
    let bytes: Arc<[u8]> = data.into();
    let cost = Cost::start();
    let counted = Timeline::of_reader(Pipe::new(&bytes, None)).ok().map(count);
    let memory = cost.memory();
    let compressed = is_compressed(data);
    // Two buffers of half a megabyte, what the decoder must see at once, and secrets.
    let most = if compressed { 64 << 20 } else { (4 << 20) + 16 * data.len() };
    assert!(memory <= most, "{memory} bytes of memory for an input of {}", data.len());
    if counted.is_some_and(|bytes| bytes > 8 << 20) {
        return; // Compressed very much: to read it once is enough.
    }

    let whole = Timeline::of_reader(Pipe::new(&bytes, None)).map(tell).ok();
    let seed =
        data.iter().fold(data.len() as u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let pieces = Timeline::of_reader(Pipe::new(&bytes, Some(Random::new(seed)))).map(tell).ok();
    let Some(whole) = whole else {
        assert_eq!(pieces, None, "no capture in one piece, but one in several");
        return;
    };
    assert_eq!(Some(&whole), pieces.as_ref(), "read otherwise in pieces");

    if !compressed {
        let total: usize = whole.packets.iter().map(|(.., bytes)| bytes.len()).sum();
        assert!(total <= data.len(), "more packets than there are bytes");
        for (.., packet) in whole.packets.iter().take(8) {
            assert!(memmem::find(data, packet).is_some(), "a packet that is not in the input");
        }
    }

    if seed % 8 == 0 {
        let path = std::env::temp_dir().join(format!("h2lens-fuzz-{}", std::process::id()));
        std::fs::File::create(&path).and_then(|mut file| file.write_all(data)).expect("a temporary file");
        let mut file = Timeline::open(&[Input::File(path.clone())]).expect("it was a capture in memory");
        let mut secrets = Vec::new();
        file.take_secrets(&mut |text| secrets.push(text.to_vec()));
        let mut told = tell(file);
        let _ = std::fs::remove_file(path);
        told.secrets.splice(0..0, secrets.into_iter().map(|text| (0, text)));
        assert_eq!(told.packets, whole.packets);
        let texts = |told: &Told| told.secrets.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&told), texts(&whole));
    }
}

/// Bytes of all packets.
fn count(mut timeline: Timeline) -> usize {
    let (mut batch, mut bytes) = (Batch::default(), 0);
    while timeline.next_batch(&mut batch) {
        bytes += batch.packets.iter().map(|packet| batch.packet(packet).len()).sum::<usize>();
    }
    bytes
}

fn tell(mut timeline: Timeline) -> Told {
    let (mut told, mut batch) = (Told::default(), Batch::default());
    while timeline.next_batch(&mut batch) {
        let before = told.packets.len();
        told.secrets.extend(batch.secrets.iter().map(|(at, text)| (before + at, text.clone())));
        for head in &batch.packets {
            assert_eq!(head.number, told.packets.len() as u64 + 1);
            let bytes = batch.packet(head).to_vec();
            told.packets.push((head.time.as_nanos(), head.link.0, head.original_len, bytes));
        }
    }
    told.damage = timeline.damage().iter().map(ToString::to_string).collect();
    told
}
