//! Late starts and lost blocks against a model that knows the truth: every field must be exactly as known as it can
//! be, never wrong, and an unknown entry must be the same wherever it is referred to.

use proptest::prelude::*;

use super::encoder::{Encoder, Truth};
use super::*;

/// What is known of the table: entries from number `since` on, in which epoch.
#[derive(Clone, Copy)]
struct Watch {
    since: u64,
    epoch: u32,
}

impl Watch {
    /// The unknown entry that an entry's name would come from.
    fn name_origin(self, entry: u64, parents: &[Option<u64>]) -> Option<u64> {
        let mut at = Some(entry);
        while let Some(number) = at {
            if number < self.since {
                return Some(number);
            }
            at = parents[number as usize];
        }
        None
    }

    fn check(self, truth: &Truth, field: &Owned, parents: &[Option<u64>]) {
        let unknown = truth.entry.or(truth.name_entry).and_then(|entry| self.name_origin(entry, parents));
        let value_known = truth.entry.is_none_or(|entry| entry >= self.since);
        let expected = Owned {
            name: unknown.is_none().then(|| truth.name.clone()),
            value: value_known.then(|| truth.value.clone()),
            id: if unknown.is_none() { NameId::of(&truth.name) } else { NameId::OTHER },
            source: if unknown.is_none() && value_known { Certainty::Exact } else { Certainty::Unknown },
            reference: unknown.map(|entry| UnknownRef { epoch: self.epoch, entry: self.since - entry }),
            never_indexed: truth.never_indexed,
        };
        assert_eq!(*field, expected);
    }

    fn check_block(self, block: &[u8], truths: &[Truth], decoder: &mut Decoder, parents: &[Option<u64>]) {
        let (fields, outcome) = decode(decoder, block);
        assert_eq!((outcome.error, outcome.complete, outcome.limited), (None, true, false));
        assert_eq!(fields.len(), truths.len());
        let unknown = fields.iter().filter(|field| field.source == Certainty::Unknown).count();
        assert_eq!(outcome.unknown_fields as usize, unknown);
        for (truth, field) in truths.iter().zip(&fields) {
            self.check(truth, field, parents);
        }
    }
}

/// The bound that is in force, often the default.
fn random_bound(random: &mut Random) -> usize {
    [4096, 4096, 0, 150, 1000, 20_000][random.below(6)]
}

/// A connection of `blocks` blocks, watched from block `join` on, with a chance of `loss` percent that a block is
/// lost whole and of `cut` percent that only its beginning is seen.
fn run(seed: u64, blocks: usize, join: usize, loss: usize, cut: usize) {
    let random = &mut Random(seed);
    let mut encoder = Encoder::new(4096);
    encoder.bound = random_bound(random);
    for _ in 0..join {
        encoder.block(random);
    }
    let tell_bound = join == 0 || random.chance(50);
    let mut decoder = if join == 0 { Decoder::new() } else { Decoder::without_past() };
    let mut watch = Watch { since: encoder.parents.len() as u64, epoch: 0 };
    let mut first = Vec::new();
    if tell_bound {
        decoder.set_bound(encoder.bound as u32);
        // What an encoder must do whose table is larger than the bound.
        if encoder.max > encoder.bound {
            let bound = encoder.bound;
            encoder.resize(&mut first, bound);
        }
    } else if encoder.max > encoder.bound {
        encoder.bound = encoder.max;
    }
    for _ in 0..blocks {
        let (rest, mut truths) = encoder.block(random);
        let mut block = std::mem::take(&mut first);
        for truth in &mut truths {
            truth.end += block.len();
        }
        block.extend(rest);
        if random.chance(loss) {
            decoder.lose_past();
            watch = Watch { since: encoder.parents.len() as u64, epoch: watch.epoch + 1 };
        } else if random.chance(cut) {
            let end = random.below(block.len() + 1);
            let whole = truths.iter().filter(|truth| truth.end <= end).count();
            let mut fields: Vec<Owned> = Vec::new();
            let outcome = decoder.decode_prefix(&block[..end], &[], &mut |field| fields.push(field.into()));
            assert_eq!((outcome.error, outcome.complete), (None, false));
            assert_eq!(fields.len(), whole);
            for (truth, field) in truths.iter().zip(&fields) {
                watch.check(truth, field, &encoder.parents);
            }
            watch = Watch { since: encoder.parents.len() as u64, epoch: watch.epoch + 1 };
        } else {
            watch.check_block(&block, &truths, &mut decoder, &encoder.parents);
        }
    }
}

proptest! {
    #[test]
    fn undamaged(seed: u64) {
        run(seed, 60, 0, 0, 0);
    }

    #[test]
    fn late_start(seed: u64, join in 1usize..40) {
        run(seed, 60, join, 0, 0);
    }

    #[test]
    fn lost_blocks(seed: u64, loss in 1usize..30) {
        run(seed, 60, 0, loss, 0);
    }

    #[test]
    fn cut_blocks(seed: u64) {
        run(seed, 60, 0, 0, 10);
    }

    #[test]
    fn late_start_and_loss(seed: u64, join in 1usize..40) {
        run(seed, 60, join, 5, 5);
    }
}

/// `x-a: N`, inserted, of 38 bytes.
fn insertion(value: u8) -> Vec<u8> {
    vec![0x40, 3, b'x', b'-', b'a', 3, b'0' + value / 100, b'0' + value / 10 % 10, b'0' + value % 10]
}

#[test]
fn an_unknown_entry_keeps_its_identity() {
    let mut decoder = Decoder::without_past();
    assert!(!decoder.is_certain());
    let reference = |fields: &[Owned]| fields[0].reference.unwrap();
    // Index 64 is the third newest entry from before.
    let (fields, outcome) = decode(&mut decoder, &[0xc0]);
    assert_eq!((fields[0].line().as_str(), outcome.unknown_fields), ("?: ?", 1));
    assert_eq!(reference(&fields), UnknownRef { epoch: 0, entry: 3 });
    decode(&mut decoder, &insertion(1));
    decode(&mut decoder, &insertion(2));
    assert_eq!(reference(&decode(&mut decoder, &[0xc2]).0), UnknownRef { epoch: 0, entry: 3 });
    assert_eq!(lines(&mut decoder, &[0xbe, 0xbf]), ["x-a: 002", "x-a: 001"]);
    // A literal that takes its name from there is inserted, its value is known, and so is where the name is from.
    let (fields, _) = decode(&mut decoder, &[0x7e, 1, b'v']);
    assert_eq!(fields[0].line(), "x-a: v");
    let (fields, _) = decode(&mut decoder, &[0x7f, 67 - 63, 1, b'w']);
    assert_eq!((fields[0].line().as_str(), reference(&fields)), ("?: w", UnknownRef { epoch: 0, entry: 3 }));
    let (fields, _) = decode(&mut decoder, &[0xbe]);
    assert_eq!((fields[0].line().as_str(), reference(&fields)), ("?: w", UnknownRef { epoch: 0, entry: 3 }));
    // After a loss the same distance means another entry.
    decoder.lose_past();
    let (fields, _) = decode(&mut decoder, &[0xbe]);
    assert_eq!(reference(&fields), UnknownRef { epoch: 1, entry: 1 });
}

#[test]
fn certainty_returns_when_new_entries_fill_the_table() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &insertion(0));
    decoder.lose_past();
    assert!(!decoder.is_certain());
    // Entries of 38 bytes: 107 take 4066 of 4096, which leaves no room for another.
    for value in 0..106 {
        decode(&mut decoder, &insertion(value));
    }
    assert!(!decoder.is_certain());
    let beyond = [0xff, 61 + 107 - 127];
    assert_eq!(decode(&mut decoder, &beyond).1.error, None);
    decode(&mut decoder, &insertion(106));
    assert!(decoder.is_certain());
    assert_eq!(lines(&mut decoder, &beyond), ["x-a: 000"]);
    let (fields, outcome) = decode(&mut decoder, &[0xff, 61 + 108 - 127]);
    assert_eq!(outcome.error.map(|error| error.kind), Some(ErrorKind::IndexBeyondTable));
    assert_eq!((fields[0].source, fields[0].reference), (Certainty::Unknown, None));
}

#[test]
fn certainty_returns_with_a_size_update_to_zero() {
    for mut decoder in [Decoder::without_past(), Decoder::new()] {
        decoder.lose_past();
        decode(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f]); // 0, then 4096
        assert!(decoder.is_certain());
        let (_, outcome) = decode(&mut decoder, &[0xbe]);
        assert_eq!(outcome.error.map(|error| error.kind), Some(ErrorKind::IndexBeyondTable));
        decode(&mut decoder, &insertion(9));
        assert_eq!(lines(&mut decoder, &[0xbe]), ["x-a: 009"]);
    }
}

#[test]
fn a_small_size_update_bounds_the_number_of_older_entries() {
    let mut decoder = Decoder::without_past();
    decode(&mut decoder, &[0x3f, 100 - 31]);
    // 100 bytes have room for three entries of 32.
    assert_eq!(decode(&mut decoder, &[0xc0]).1.error, None);
    assert!(decode(&mut decoder, &[0xc1]).1.error.is_some());
    decode(&mut decoder, &insertion(1));
    assert_eq!(decode(&mut decoder, &[0xbf]).1.error, None);
    assert!(decode(&mut decoder, &[0xc0]).1.error.is_some());
}

#[test]
fn what_is_evicted_was_the_oldest() {
    let mut decoder = Decoder::without_past();
    let large =
        |name: u8, len: usize| [&[0x40, 1, name, 0x7f, (len - 127) as u8][..], &vec![b'v'; len]].concat();
    decode(&mut decoder, &[0x3f, 0xe1, 0x01]); // 256
    // Room for two entries of 32 bytes remains beside the first; the second evicts all these and the first.
    decode(&mut decoder, &large(b'a', 150));
    assert_eq!(decode(&mut decoder, &[0xc0]).1.error, None);
    decode(&mut decoder, &large(b'b', 130));
    assert!(decode(&mut decoder, &[0xbf]).1.error.is_some());
    assert!(decoder.is_certain());
}

#[test]
fn a_lost_size_update_may_have_kept_the_old_size() {
    let mut decoder = Decoder::new();
    decoder.set_bound(8192);
    decode(&mut decoder, &[0x3f, 0xe1, 0x3f]); // 8192
    decoder.set_bound(100);
    decoder.lose_past();
    let last = 61 + 8192 / 32;
    assert_eq!(decode(&mut decoder, &[0xff, (last - 127) as u8 | 0x80, 1]).1.error, None);
    assert!(decode(&mut decoder, &[0xff, (last + 1 - 127) as u8 | 0x80, 1]).1.error.is_some());
}

#[test]
fn a_block_that_ends_early_loses_the_past() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &insertion(1));
    let (fields, outcome) = decode(&mut decoder, &[0x82, 0x40, 3, b'x']);
    assert_eq!(fields.len(), 1);
    assert!(!outcome.complete);
    assert_eq!(outcome.error.map(|error| (error.kind, error.offset)), Some((ErrorKind::Truncated, 1)));
    let (fields, outcome) = decode(&mut decoder, &[0xbe]);
    assert_eq!((fields[0].source, outcome.error), (Certainty::Unknown, None));
    assert_eq!(fields[0].reference, Some(UnknownRef { epoch: 1, entry: 1 }));
}
