//! Inputs of those targets that take two byte streams: a list of pieces.
//!
//! ```text
//! options (1) · seed of further cuts (2) · { kind (1) · length (2, big-endian) · bytes }
//! kind: bit 0 the direction; bits 1 and 2 both set: a gap of that length, without bytes; bit 3: time passes
//! ```

use crate::random::Random;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// So many are missing.
    Gap(u64),
}

/// A part of one direction's stream.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The second direction's.
    pub backward: bool,
    /// Its number, and that of those it is cut into.
    pub number: u64,
    /// Time passes before it.
    pub pause: bool,
    /// See there.
    pub what: What<'a>,
}

/// A whole input.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    /// What the target makes of them.
    pub options: u8,
    seed: u16,
    /// In their order.
    pub list: Vec<Piece<'a>>,
}

impl<'a> Pieces<'a> {
    /// Any bytes are an input.
    pub fn read(data: &'a [u8]) -> Self {
        let (head, mut rest) = data.split_at(data.len().min(3));
        let at = |n: usize| head.get(n).copied().unwrap_or_default();
        let mut list = Vec::new();
        while let Some((&[kind, high, low], after)) = rest.split_first_chunk() {
            let len = u16::from_be_bytes([high, low]);
            let (backward, pause, number) = (kind & 1 != 0, kind & 8 != 0, list.len() as u64 + 1);
            let what = if kind & 6 == 6 {
                rest = after;
                What::Gap(u64::from(len) + 1)
            } else {
                let (bytes, after) = after.split_at(usize::from(len).min(after.len()));
                rest = after;
                What::Bytes(bytes)
            };
            list.push(Piece { backward, number, pause, what });
        }
        Self { options: at(0), seed: u16::from_be_bytes([at(1), at(2)]), list }
    }

    /// The same bytes, cut in more pieces.
    pub fn cut(&self) -> Vec<Piece<'a>> {
        let mut random = Random::new(u64::from(self.seed));
        let mut cut = Vec::new();
        for piece in &self.list {
            let What::Bytes(mut bytes) = piece.what else {
                cut.push(*piece);
                continue;
            };
            while bytes.len() > 1 {
                let most = [1, 2, 10, 100, bytes.len()][random.below(5)];
                let (part, rest) = bytes.split_at((1 + random.below(most)).min(bytes.len()));
                cut.push(Piece { what: What::Bytes(part), ..*piece });
                bytes = rest;
            }
            if !bytes.is_empty() {
                cut.push(Piece { what: What::Bytes(bytes), ..*piece });
            }
        }
        cut
    }

    /// All bytes of a direction, in order.
    pub fn bytes(&self, backward: bool) -> Vec<u8> {
        let own = self.list.iter().filter(|piece| piece.backward == backward);
        own.flat_map(|piece| if let What::Bytes(bytes) = piece.what { bytes } else { &[] }).copied().collect()
    }
}

/// Writes an input.
#[derive(Clone, Debug)]
pub struct Builder(Vec<u8>);

impl Builder {
    /// Without pieces.
    pub fn new(options: u8, seed: u16) -> Self {
        let [high, low] = seed.to_be_bytes();
        Self(vec![options, high, low])
    }

    /// Adds bytes, in as many pieces as they need.
    pub fn bytes(&mut self, backward: bool, bytes: &[u8]) -> &mut Self {
        for part in bytes.chunks(65_535) {
            self.0.push(u8::from(backward));
            self.0.extend((part.len() as u16).to_be_bytes());
            self.0.extend(part);
        }
        self
    }

    /// Adds a gap.
    pub fn gap(&mut self, backward: bool, len: u16) -> &mut Self {
        self.0.push(6 | u8::from(backward));
        self.0.extend(len.saturating_sub(1).to_be_bytes());
        self
    }

    /// The input.
    pub fn build(&self) -> Vec<u8> {
        self.0.clone()
    }
}
