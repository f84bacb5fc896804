//! Blocks made to hurt.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::encoder::integer;
use super::*;
use crate::base::tuning;

/// A plain string.
fn plain(block: &mut Vec<u8>, text: &[u8]) {
    integer(block, 0, 7, text.len());
    block.extend(text);
}

/// `name: value`, inserted.
fn insertion(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0x40);
    plain(block, name);
    plain(block, value);
}

/// A decoder that allows tables of any size, with one of `size` bytes.
fn with_table(size: usize) -> Decoder {
    let mut decoder = Decoder::new();
    decoder.set_bound(u32::MAX);
    let mut block = Vec::new();
    integer(&mut block, 0x20, 5, size);
    assert_eq!(decode(&mut decoder, &block).1.error, None);
    decoder
}

proptest! {
    #[test]
    fn random_blocks_do_no_harm(
        blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        late: bool,
        bound: Option<u32>,
    ) {
        let mut decoder = if late { Decoder::without_past() } else { Decoder::new() };
        if let Some(bound) = bound {
            decoder.set_bound(bound);
        }
        for block in blocks {
            let cuts = [block.len() as u32 / 3, block.len() as u32 / 2];
            let mut seen = 0;
            let outcome = decoder.decode(&block, &cuts, &mut |field| {
                seen += 1;
                let known = field.name.is_some() && field.value.is_some();
                assert_eq!(known, field.source == Certainty::Exact);
                if let Some(name) = field.name {
                    assert_eq!(field.id, NameId::of(name));
                }
            });
            prop_assert_eq!(outcome.fields, seen);
            prop_assert!(outcome.fields as usize <= block.len());
            prop_assert!(outcome.error.is_none_or(|error| (error.offset as usize) < block.len()));
            prop_assert!(outcome.complete || outcome.error.is_some());
            prop_assert!(decoder.memory() < 1 << 17);
        }
    }
}

#[test]
fn a_bomb_of_references_is_not_handed_out() {
    let mut decoder = Decoder::new();
    let mut block = Vec::new();
    insertion(&mut block, b"x-a", &[b'v'; 4000]);
    block.extend(vec![0xbe; 100_000]);
    insertion(&mut block, b"x-b", b"after");
    let mut bytes = 0;
    let outcome = decoder.decode(&block, &[], &mut |field| bytes += field.value.unwrap().len() as u64);
    assert_eq!((outcome.fields, outcome.limited, outcome.error), (100_002, true, None));
    assert_eq!(outcome.decoded_bytes, 100_001 * 4003 + 8);
    assert_eq!(bytes, limits::HPACK_LIST / (4003 + 32) * 4000);
    // The table has stayed in step.
    assert_eq!(lines(&mut decoder, &[0xbe]), ["x-b: after"]);
}

#[test]
fn cap_hpack_list() {
    // 42 + 7 + 3 bytes a field, and what is missing to the cap.
    let each = ":status200".len() as u64 + 32;
    let count = (limits::HPACK_LIST / each) as usize;
    let rest = (limits::HPACK_LIST % each) as usize;
    let mut block = vec![0x88; count - 1];
    block.push(0x08);
    plain(&mut block, &vec![b'9'; 3 + rest]);
    let mut decoder = Decoder::new();
    let mut seen = 0;
    let under = decoder.decode(&block[1..], &[], &mut |_| seen += 1);
    assert_eq!((seen, under.limited), (count - 1, false));
    seen = 0;
    let outcome = decoder.decode(&block, &[], &mut |_| seen += 1);
    assert_eq!((seen, outcome.limited), (count, false));
    seen = 0;
    block.push(0x88);
    let outcome = decoder.decode(&block, &[], &mut |_| seen += 1);
    assert_eq!((seen, outcome.limited, outcome.fields as usize), (count, true, count + 1));
}

/// A block that names one entry of the table so often, and how large the entry is when the list is as large as it may be.
fn references(count: u64) -> u64 {
    let most = limits::HPACK_LIST_SURE + limits::HPACK_EXPANSION * count;
    assert_eq!(most % (count - 1), 0, "the entry itself counts once for the table");
    most / (count - 1)
}

/// The list of a block of references, to an entry that is a byte smaller, of that size, and a byte larger.
fn check_references(count: u64) {
    let size = references(count);
    for (size, limited) in [(size - 1, false), (size, false), (size + 1, true)] {
        let mut decoder = Decoder::new();
        let mut block = Vec::new();
        insertion(&mut block, b"x-a", &vec![b'v'; size as usize - 32 - 3]);
        assert!(!decode(&mut decoder, &block).1.limited);
        let mut seen = 0;
        let outcome = decoder.decode(&vec![0xbe; count as usize], &[], &mut |_| seen += 1);
        assert_eq!(
            (outcome.limited, seen, u64::from(outcome.fields)),
            (limited, count - u64::from(limited), count)
        );
        assert_eq!(lines(&mut decoder, &[0xbe]).len(), 1, "the table stays in step");
    }
}

#[test]
fn cap_hpack_list_sure() {
    check_references(10);
}

#[test]
fn cap_hpack_expansion() {
    check_references(33);
}

#[test]
fn cap_hpack_string() {
    for (len, known) in
        [(limits::HPACK_STRING - 1, true), (limits::HPACK_STRING, true), (limits::HPACK_STRING + 1, false)]
    {
        for huffman in [false, true] {
            let mut decoder = with_table(limits::HPACK_TABLE as usize);
            let text = vec![b'&'; len]; // a code of eight bits
            let mut block = vec![0x44];
            integer(&mut block, if huffman { 0x80 } else { 0 }, 7, len);
            block.extend(if huffman { vec![0xf8; len] } else { text.clone() });
            insertion(&mut block, b"x-a", b"1");
            let (fields, outcome) = decode(&mut decoder, &block);
            assert_eq!((outcome.limited, outcome.error), (!known, None));
            assert_eq!(fields[0].value, known.then_some(text));
            assert_eq!((fields[0].id, fields.len()), (NameId::PATH, 2));
            let (fields, _) = decode(&mut decoder, &[0xbe, 0xbf]);
            assert_eq!((fields[0].line().as_str(), fields[1].id), ("x-a: 1", NameId::PATH));
            assert_eq!(fields[1].value.is_some(), known);
        }
    }
}

#[test]
fn cap_hpack_name() {
    let most = limits::HPACK_NAME;
    for (len, known) in [(most - 1, true), (most, true), (most + 1, false)] {
        let mut decoder = with_table(limits::HPACK_TABLE as usize);
        let mut block = Vec::new();
        insertion(&mut block, &vec![b'n'; len], b"v");
        let (fields, outcome) = decode(&mut decoder, &block);
        assert_eq!((fields[0].name.is_some(), outcome.limited), (known, !known));
        assert_eq!(decoder.table.size() as usize, len + 1 + 32);
        let (fields, _) = decode(&mut decoder, &[0xbe]);
        assert_eq!((fields[0].name.is_some(), fields[0].value.as_deref()), (known, Some(&b"v"[..])));
    }
}

#[test]
fn cap_hpack_table() {
    let value = vec![b'v'; 1000 - 32 - 3];
    for (size, kept) in [
        (limits::HPACK_TABLE as usize - 1000, limits::HPACK_TABLE as usize / 1000 - 1),
        (limits::HPACK_TABLE as usize, limits::HPACK_TABLE as usize / 1000),
        (limits::HPACK_TABLE as usize + 1000, limits::HPACK_TABLE as usize / 1000),
        (4 * limits::HPACK_TABLE as usize, limits::HPACK_TABLE as usize / 1000),
    ] {
        let mut decoder = with_table(size);
        for _ in 0..2000 {
            let mut block = Vec::new();
            insertion(&mut block, b"x-a", &value);
            assert_eq!(decode(&mut decoder, &block).1.given_up, 0);
        }
        assert_eq!(decoder.table.contents().len(), kept);
        let is_larger = size > limits::HPACK_TABLE as usize;
        assert!(decoder.memory() < 4 * limits::HPACK_TABLE as usize);
        let mut last = Vec::new();
        integer(&mut last, 0x80, 7, 61 + kept);
        assert_eq!(decode(&mut decoder, &last).0[0].source, Certainty::Exact);
        // What was dropped is unknown; what the encoder has evicted is a violation.
        let mut next = Vec::new();
        integer(&mut next, 0x80, 7, 61 + kept + 1);
        let (fields, outcome) = decode(&mut decoder, &next);
        assert_eq!((fields[0].source, fields[0].reference), (Certainty::Unknown, None));
        assert_eq!((outcome.error.is_none(), outcome.given_up), (is_larger, u32::from(is_larger)));
    }
}

#[test]
fn cap_hpack_table_unsure() {
    let mut decoder = Decoder::without_past();
    let mut block = Vec::new();
    insertion(&mut block, b"x-a", &[b'v'; 1000 - 32 - 3]);
    for _ in 0..200 {
        decode(&mut decoder, &block);
    }
    let kept = limits::HPACK_TABLE_UNSURE as usize / 1000;
    assert_eq!(decoder.table.contents().len(), kept);
    for (entry, given_up) in [(kept - 1, 0), (kept, 0), (kept + 1, 1), (200, 1), (201, 0)] {
        let mut block = Vec::new();
        integer(&mut block, 0x80, 7, 61 + entry);
        let (fields, outcome) = decode(&mut decoder, &block);
        assert_eq!(
            (outcome.given_up, fields[0].source == Certainty::Exact),
            (given_up, entry <= kept),
            "{entry}"
        );
    }
    let (fields, outcome) = decode(&mut decoder, &[0xff, 61 + 100 - 127]);
    assert_eq!((fields[0].source, fields[0].reference, outcome.error), (Certainty::Unknown, None, None));
    let (fields, _) = decode(&mut decoder, &[0xff, 0x80 | (61 + 201 - 127) as u8, 1]);
    assert_eq!(fields[0].reference, Some(UnknownRef { epoch: 0, entry: 1 }));
}

#[test]
fn a_long_string_is_forgotten_with_its_memory() {
    let mut decoder = Decoder::new();
    let mut block = vec![0x04];
    integer(&mut block, 0x80, 7, limits::HPACK_STRING);
    block.extend(vec![0xf8; limits::HPACK_STRING]);
    assert_eq!(decode(&mut decoder, &block).0[0].value.as_ref().map(Vec::len), Some(limits::HPACK_STRING));
    assert!(decoder.memory() <= tuning::HPACK_SCRATCH, "{} bytes", decoder.memory());
    for _ in 0..100 {
        let mut block = Vec::new();
        insertion(&mut block, b"x-a", &[b'v'; 100]);
        decode(&mut decoder, &block);
    }
    decoder.lose_past();
    assert_eq!(decoder.memory(), 0);
}

/// Generous by a factor of a hundred: what it refuses is quadratic.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn work_stays_linear() {
    let megabyte = 1 << 20;
    let thrash: Vec<u8> =
        [&[0x20, 0x3f, 0xe1, 0x1f][..], &[0x44, 1, b'/'].repeat(20)].concat().repeat(megabyte / 64);
    let mut long_names = Vec::new();
    insertion(&mut long_names, &vec![b'n'; limits::HPACK_NAME], b"");
    long_names.extend([0x7e, 0].repeat(megabyte / 2));
    let mut many_small = Vec::new();
    for _ in 0..megabyte / 3 {
        insertion(&mut many_small, b"", b"");
    }
    let blocks = [
        thrash,
        long_names,
        many_small,
        [0x3f, 0x80].repeat(megabyte / 2), // one endless integer
        vec![0x80; megabyte],
        vec![0x20; megabyte],
        [0x04, 0x84, 0xff, 0xff, 0xff, 0xff].repeat(megabyte / 6),
        [0x00, 0x80, 0x00].repeat(megabyte / 3),
    ];
    for (case, block) in blocks.iter().enumerate() {
        for mut decoder in [Decoder::new(), Decoder::without_past(), with_table(limits::HPACK_TABLE as usize)]
        {
            let start = Instant::now();
            decoder.decode(block, &[], &mut |_| ());
            assert!(start.elapsed() < PATIENCE, "case {case}");
            assert!(decoder.memory() < 4 * limits::HPACK_TABLE as usize, "case {case}: {}", decoder.memory());
        }
    }
}
