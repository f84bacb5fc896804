//! HPACK: on well-formed blocks the fields are those that were coded, and those that the `hpack` crate reads; on any
//! bytes counts agree, memory stays under its cap, and time follows the input.

use crate::cost::Cost;
use crate::random::Random;
use h2lens::base::certainty::Certainty;
use h2lens::base::limits;
use h2lens::http2::hpack::{Decoder, Field};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The first byte says which: an even one, blocks of any bytes; an odd one, blocks coded from the rest as a script.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((&first, script)) if first & 1 != 0 => well_formed(script),
        Some((&first, bytes)) => any_bytes(bytes, first),
        None => {}
    }
}

/// What a decoder told of a field, owned.
type Owned = (Vec<u8>, Vec<u8>);

fn any_bytes(data: &[u8], options: u8) {
    let cost = Cost::start();
    let mut decoder = if options & 2 != 0 { Decoder::without_past() } else { Decoder::new() };
    let (mut rest, mut delivered) = (data, 0);
    while let Some((&[what, high, low], after)) = rest.split_first_chunk() {
        let (block, after) = after.split_at(usize::from(u16::from_be_bytes([high, low])).min(after.len()));
        rest = after;
        match what & 0x70 {
            0x10 => decoder.lose_past(),
            0x20 => decoder.set_bound(u32::from(what & 15) << 9),
            0x30 => decoder.set_bound(u32::MAX),
            _ => {}
        }
        let (mut fields, mut unknown, mut bytes) = (0, 0, 0);
        let mut sink = |field: Field<'_>| {
            fields += 1;
            let known = field.name.is_some() && field.value.is_some();
            assert_eq!(known, field.source != Certainty::Unknown, "{field:?}");
            unknown += u32::from(!known);
            bytes += field.name.map_or(0, <[u8]>::len) as u64 + field.value.map_or(0, <[u8]>::len) as u64;
        };
        let cuts: Vec<u32> = (1..block.len() as u32).step_by(1 + usize::from(what & 15)).collect();
        let outcome = if what & 0x80 != 0 {
            decoder.decode_prefix(block, &cuts, &mut sink)
        } else {
            decoder.decode(block, &cuts, &mut sink)
        };
        assert!(fields <= outcome.fields && bytes <= outcome.decoded_bytes.max(bytes));
        if !outcome.limited {
            assert_eq!((fields, unknown), (outcome.fields, outcome.unknown_fields));
        }
        assert!(outcome.complete || outcome.error.is_some() || what & 0x80 != 0);
        assert!(bytes <= limits::HPACK_LIST);
        assert!(outcome.error.is_none_or(|error| error.offset as usize <= block.len()));
        delivered += bytes;
        let most = 8 * limits::HPACK_TABLE as usize;
        assert!(decoder.memory() <= most, "{} bytes of table", decoder.memory());
    }
    let memory = (64 << 10) + 32 * data.len();
    cost.assert(data.len() + delivered as usize / 8, memory, 2_000);
}

/// A reference encoder, and what it coded.
struct Encoder {
    table: VecDeque<Owned>,
    size: usize,
    max: usize,
    block: Vec<u8>,
    truth: Vec<Owned>,
}

impl Encoder {
    fn integer(&mut self, first: u8, bits: u32, value: usize) {
        let most = (1 << bits) - 1;
        if value < most {
            return self.block.push(first | value as u8);
        }
        self.block.push(first | most as u8);
        let mut rest = value - most;
        while rest >= 128 {
            self.block.push(128 | (rest % 128) as u8);
            rest /= 128;
        }
        self.block.push(rest as u8);
    }

    fn string(&mut self, text: &[u8], huffman: bool) {
        match huffman.then(|| coded(text)).flatten() {
            Some(coded) => {
                self.integer(0x80, 7, coded.len());
                self.block.extend(coded);
            }
            None => {
                self.integer(0, 7, text.len());
                self.block.extend(text);
            }
        }
    }

    fn evict(&mut self, incoming: usize) {
        while self.size + incoming > self.max {
            let Some((name, value)) = self.table.pop_back() else { break };
            self.size -= 32 + name.len() + value.len();
        }
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let size = 32 + name.len() + value.len();
        self.evict(size);
        if size <= self.max {
            self.size += size;
            self.table.push_front((name, value));
        }
    }
}

fn well_formed(script: &[u8]) {
    let mut encoder =
        Encoder { table: VecDeque::new(), size: 0, max: 4096, block: Vec::new(), truth: Vec::new() };
    let (mut ours, mut theirs) = (Decoder::new(), Some(hpack::Decoder::new()));
    let mut rest = script;
    while let Some((&[op, size], after)) = rest.split_first_chunk() {
        rest = after;
        let mut random = Random::new(u64::from(op) << 8 | u64::from(size));
        match op % 8 {
            // A size update, only where a block begins.
            0 if encoder.truth.is_empty() && encoder.block.is_empty() => {
                encoder.max = (usize::from(size) * 17).min(4096);
                encoder.evict(0);
                encoder.integer(0x20, 5, encoder.max);
            }
            0 => check(&mut encoder, &mut ours, &mut theirs),
            1 | 2 => {
                let index = random.below(61 + encoder.table.len());
                let field = match index.checked_sub(61) {
                    Some(own) => encoder.table[own].clone(),
                    None => fixed(index + 1),
                };
                encoder.integer(0x80, 7, index + 1);
                encoder.truth.push(field);
            }
            op => {
                let (value, after) = rest.split_at(usize::from(size).min(rest.len()));
                rest = after;
                let (first, bits, inserted) =
                    [(0x40, 6, true), (0x40, 6, true), (0x10, 4, false), (0, 4, false)][usize::from(op) % 4];
                let index = random.below(62 + encoder.table.len());
                let name = match index {
                    0 => value.iter().map(u8::to_ascii_lowercase).take(20).collect(),
                    1..=61 => fixed(index).0,
                    own => encoder.table[own - 62].0.clone(),
                };
                encoder.integer(first, bits, index);
                if index == 0 {
                    encoder.string(&name, random.one_in(2));
                }
                encoder.string(value, random.one_in(2));
                encoder.truth.push((name.clone(), value.to_vec()));
                if inserted {
                    encoder.insert(name, value.to_vec());
                }
            }
        }
    }
    check(&mut encoder, &mut ours, &mut theirs);
}

fn check(encoder: &mut Encoder, ours: &mut Decoder, theirs: &mut Option<hpack::Decoder<'static>>) {
    let block = std::mem::take(&mut encoder.block);
    let truth = std::mem::take(&mut encoder.truth);
    let mut told: Vec<Owned> = Vec::new();
    let outcome = ours.decode(&block, &[], &mut |field| {
        told.push((field.name.unwrap_or(b"?").to_vec(), field.value.unwrap_or(b"?").to_vec()));
    });
    assert_eq!(told, truth, "block {block:02x?}");
    assert!(outcome.error.is_none() && outcome.complete && !outcome.limited, "{outcome:?}");
    // The oracle gives up on some well-formed blocks (an integer that ends its prefix exactly); then it is of no use
    // any more, since its table is behind.
    let Some(oracle) = theirs else { return };
    if truth.iter().any(|(name, _)| name == b"accept-charset") {
        *theirs = None; // It has the name wrong.
        return;
    }
    let answer = catch_unwind(AssertUnwindSafe(|| oracle.decode(&block)));
    match answer {
        Ok(Ok(fields)) => assert_eq!(told, fields, "block {block:02x?}"),
        _ => *theirs = None,
    }
}

/// An entry of the static table, as the oracle has it.
fn fixed(index: usize) -> Owned {
    let fields = hpack::Decoder::new().decode(&[0x80 | index as u8]).expect("an entry of the static table");
    let (name, value) = fields.into_iter().next().expect("one field");
    // Its table has a mistake (RFC 7541, appendix A).
    (if name == b"accept-" { b"accept-charset".to_vec() } else { name }, value)
}

/// Huffman codes of five and six bits; `None` for text with others.
fn coded(text: &[u8]) -> Option<Vec<u8>> {
    const FIVE: &[u8] = b"012aceiost";
    const SIX: &[u8] = b" %-./3456789=A_bdfghlmnpru";
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u64, 0);
    for byte in text {
        let (code, len) = match FIVE.iter().position(|known| known == byte) {
            Some(code) => (code, 5),
            None => (SIX.iter().position(|known| known == byte)? + 0x14, 6),
        };
        (bits, count) = (bits << len | code as u64, count + len);
        while count >= 8 {
            out.push((bits >> (count - 8)) as u8);
            count -= 8;
        }
    }
    if count > 0 {
        out.push((bits << (8 - count)) as u8 | (0xff >> count) as u8);
    }
    Some(out)
}

/// Blocks of the RFC's appendix C, and scripts.
pub fn seeds() -> Vec<Vec<u8>> {
    let blocks: [&[u8]; 5] = [
        b"\x82\x86\x84\x41\x0fwww.example.com",
        b"\x82\x86\x84\xbe\x58\x08no-cache",
        b"\x82\x87\x85\xbf\x40\x0acustom-key\x0ccustom-value",
        b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
        b"\x3f\xe1\x1f\x20\x10\x08password\x06secret\xc0\xff\xff\x7f\x00",
    ];
    let mut all = Vec::new();
    for options in [0_u8, 2] {
        let mut seed = vec![options];
        for (n, block) in blocks.iter().enumerate() {
            seed.push([0, 0, 0x10, 0x21, 0x80][n]);
            seed.extend((block.len() as u16).to_be_bytes());
            seed.extend(*block);
        }
        all.push(seed);
    }
    let mut random = Random::new(7);
    for _ in 0..6 {
        let mut script = vec![1];
        for _ in 0..40 {
            let text: Vec<u8> =
                (0..random.below(30)).map(|_| b"abcdeost0123/-._XYZ"[random.below(19)]).collect();
            script.extend([random.next() as u8, text.len() as u8]);
            script.extend(text);
        }
        all.push(script);
    }
    all
}
