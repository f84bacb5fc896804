//! A reference encoder: plain, slow, and free to choose among all legal encodings.

use std::collections::VecDeque;

use super::super::super::table::Texts;
use super::super::super::{huffman, static_table};
use super::Random;

/// What a field really is, and where its parts came from.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// The dynamic entry that it was taken from: its number, counted from the connection's start.
    pub(super) entry: Option<u64>,
    /// The dynamic entry that its name alone was taken from.
    pub(super) name_entry: Option<u64>,
    pub(super) never_indexed: bool,
    /// Where in the block it ends.
    pub(super) end: usize,
}

/// The encoder's side of a connection.
pub(super) struct Encoder {
    /// Newest first: number, name, value.
    table: VecDeque<(u64, Vec<u8>, Vec<u8>)>,
    size: usize,
    /// The table's size.
    pub(super) max: usize,
    /// For each insertion so far, the entry its name was taken from.
    pub(super) parents: Vec<Option<u64>>,
    /// The receiver's bound.
    pub(super) bound: usize,
}

const NAMES: [&str; 10] = [
    ":path",
    ":method",
    ":status",
    "cookie",
    "x-a",
    "x-long-name-of-no-number",
    "grpc-status",
    "date",
    "b",
    "x-b",
];

impl Encoder {
    pub(super) fn new(max: usize) -> Self {
        Self { table: VecDeque::new(), size: 0, max, parents: Vec::new(), bound: max }
    }

    /// A block of random fields.
    pub(super) fn block(&mut self, random: &mut Random) -> (Vec<u8>, Vec<Truth>) {
        let mut block = Vec::new();
        if random.chance(8) {
            for _ in 0..=random.below(2) {
                let sizes = [0, 33, 100, 400, 4096, self.bound];
                self.resize(&mut block, sizes[random.below(sizes.len())].min(self.bound));
            }
        }
        let count = random.below(9);
        let fields = (0..count).map(|_| self.random_field(&mut block, random)).collect();
        (block, fields)
    }

    /// A size update.
    pub(super) fn resize(&mut self, block: &mut Vec<u8>, size: usize) {
        integer(block, 0x20, 5, size);
        self.max = size;
        self.evict(0);
    }

    fn random_field(&mut self, block: &mut Vec<u8>, random: &mut Random) -> Truth {
        // Often something that the table holds, so that old and new entries are referred to.
        if !self.table.is_empty() && random.chance(50) {
            let (_, name, value) = self.table[random.below(self.table.len())].clone();
            let value = if random.chance(80) { value } else { b"other".to_vec() };
            return self.field(block, random, &name, &value);
        }
        let name = NAMES[random.below(NAMES.len())].as_bytes();
        let value = match random.below(20) {
            0 => vec![b'v'; random.below(6000)],
            1..=3 => (0..random.below(40)).map(|_| random.next() as u8).collect(),
            4..=6 => Vec::new(),
            _ => random.below(60).to_string().into_bytes(),
        };
        self.field(block, random, name, &value)
    }

    /// One field, in any legal encoding.
    pub(super) fn field(
        &mut self,
        block: &mut Vec<u8>,
        random: &mut Random,
        name: &[u8],
        value: &[u8],
    ) -> Truth {
        let mut truth = Truth {
            name: name.to_vec(),
            value: value.to_vec(),
            entry: None,
            name_entry: None,
            never_indexed: false,
            end: 0,
        };
        let fixed = (1..=static_table::LEN).map(|index| (index, static_table::get(index).unwrap()));
        let mut whole: Vec<(usize, Option<u64>)> = Vec::new();
        let mut names: Vec<(usize, Option<u64>)> = Vec::new();
        for (index, entry) in fixed {
            if entry.name == name {
                names.push((index as usize, None));
                if entry.value == value {
                    whole.push((index as usize, None));
                }
            }
        }
        for (place, (number, own_name, own_value)) in self.table.iter().enumerate() {
            if own_name == name {
                names.push((place + 62, Some(*number)));
                if own_value == value {
                    whole.push((place + 62, Some(*number)));
                }
            }
        }
        if !whole.is_empty() && random.chance(85) {
            let (index, entry) = whole[random.below(whole.len())];
            integer(block, 0x80, 7, index);
            truth.entry = entry;
        } else {
            let kind = random.below(8);
            let (first, prefix) = match kind {
                0 => (0x00, 4),
                1 => (0x10, 4),
                _ => (0x40, 6),
            };
            truth.never_indexed = kind == 1;
            if !names.is_empty() && random.chance(80) {
                let (index, entry) = names[random.below(names.len())];
                integer(block, first, prefix, index);
                truth.name_entry = entry;
            } else {
                integer(block, first, prefix, 0);
                string(block, random, name);
            }
            string(block, random, value);
            if kind > 1 {
                self.insert(name, value, truth.name_entry);
            }
        }
        truth.end = block.len();
        truth
    }

    fn insert(&mut self, name: &[u8], value: &[u8], parent: Option<u64>) {
        let size = name.len() + value.len() + 32;
        self.evict(size);
        if size <= self.max {
            self.table.push_front((self.parents.len() as u64, name.to_vec(), value.to_vec()));
            self.parents.push(parent);
            self.size += size;
        }
    }

    fn evict(&mut self, incoming: usize) {
        while self.size + incoming > self.max {
            let Some((_, name, value)) = self.table.pop_back() else { break };
            self.size -= name.len() + value.len() + 32;
        }
    }

    /// Names and values, newest first.
    pub(super) fn contents(&self) -> Vec<Texts<'_>> {
        self.table.iter().map(|(_, name, value)| (Some(&name[..]), Some(&value[..]))).collect()
    }
}

/// An integer (section 5.1).
pub(super) fn integer(block: &mut Vec<u8>, first: u8, prefix: u32, value: usize) {
    let ones = (1usize << prefix) - 1;
    if value < ones {
        block.push(first | value as u8);
        return;
    }
    block.push(first | ones as u8);
    let mut rest = value - ones;
    while rest >= 0x80 {
        block.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    block.push(rest as u8);
}

/// A string, plain or Huffman-coded.
pub(super) fn string(block: &mut Vec<u8>, random: &mut Random, text: &[u8]) {
    if random.chance(50) {
        let coded = huffman::encode(text);
        integer(block, 0x80, 7, coded.len());
        block.extend(coded);
    } else {
        integer(block, 0, 7, text.len());
        block.extend(text);
    }
}
