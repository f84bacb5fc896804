//! Mutations of bytes: flips, interesting numbers, cuts, copies, splices.

use crate::random::Random;

/// Lengths and counts at which parsers go wrong.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    7,
    8,
    9,
    15,
    16,
    31,
    32,
    63,
    64,
    100,
    127,
    128,
    255,
    256,
    4095,
    4096,
    16_384,
    65_535,
    65_536,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Changes `bytes` in one to eight places; `other` is what may be spliced in.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], longest: usize, random: &mut Random) {
    let most = 1 << random.below(4);
    let times = 1 + random.below(most);
    for _ in 0..times {
        once(bytes, other, random);
    }
    bytes.truncate(longest);
}

fn once(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let len = bytes.len();
    let at = random.below(len + 1);
    // Often small, sometimes anything.
    let size = |random: &mut Random, most: usize| {
        let bound = if random.one_in(4) { most } else { most.min(64) };
        random.below(bound + 1)
    };
    match random.below(12) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = byte.wrapping_add(random.below(33) as u8).wrapping_sub(16);
            }
        }
        4 | 5 => {
            let number = NUMBERS[random.below(NUMBERS.len())];
            let width = [1, 2, 3, 4, 8][random.below(5)];
            let coded = if random.one_in(2) {
                number.to_le_bytes()[..width].to_vec()
            } else {
                number.to_be_bytes()[8 - width..].to_vec()
            };
            for (place, byte) in bytes.iter_mut().skip(at).zip(coded) {
                *place = byte;
            }
        }
        6 => {
            let end = at + size(random, len - at);
            bytes.drain(at..end);
        }
        7 => {
            let end = at + size(random, len - at);
            let copy = bytes[at..end].to_vec();
            let to = random.below(len + 1);
            bytes.splice(to..to, copy);
        }
        8 => {
            let (from, to) = (random.below(len + 1), at);
            let count = size(random, len - from.max(to));
            bytes.copy_within(from..from + count, to);
        }
        9 => {
            let from = random.below(other.len() + 1);
            let part = &other[from..from + size(random, other.len() - from)];
            let end = at + if random.one_in(2) { part.len().min(len - at) } else { 0 };
            bytes.splice(at..end, part.iter().copied());
        }
        10 => {
            let fill = [0, 0xff, random.next() as u8][random.below(3)];
            let count = size(random, 256);
            bytes.splice(at..at, std::iter::repeat_n(fill, count));
        }
        _ => {
            let count = size(random, 32);
            let noise: Vec<u8> = (0..count).map(|_| random.next() as u8).collect();
            bytes.splice(at..at, noise);
        }
    }
    if random.one_in(64) {
        let cut = random.below(bytes.len() + 1);
        bytes.truncate(cut);
    }
}
