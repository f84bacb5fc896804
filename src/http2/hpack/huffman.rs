//! Huffman-coded strings (RFC 7541 section 5.2, appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their symbols, and each
//! length continues where the shorter one ended. So the lengths say everything, and the tables below are made of
//! them at compile time: one that turns [`FAST_BITS`] bits into one symbol or two, and for the rare longer codes
//! the first code of each length.

use super::outcome::ErrorKind;

/// Bits looked up at once. Every printable ASCII character but a dozen rare ones has a code of at most 8.
const FAST_BITS: u32 = 11;

/// The longest code.
const LONGEST: u32 = 30;

/// The symbol that never occurs in a string: its first bits are the padding.
const EOS: u16 = 256;

/// Code length of each symbol, EOS last.
#[rustfmt::skip]
static LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The codes by length.
struct Canonical {
    /// Symbols in the order of their codes.
    symbols: [u16; 257],
    /// For each length, where in `symbols` its codes begin.
    offset: [u16; LONGEST as usize + 1],
    /// For each length, its first code.
    first: [u32; LONGEST as usize + 1],
    /// For each length, the number after its last code, aligned to 32 bits.
    limit: [u64; LONGEST as usize + 1],
}

/// What the next [`FAST_BITS`] bits mean.
#[derive(Clone, Copy)]
struct Step {
    /// The symbols: the second one counts if `both` is not `first`.
    symbols: [u8; 2],
    /// Code length of the first symbol; 0 when it is longer than the lookup.
    first: u8,
    /// Code length of all symbols.
    both: u8,
}

static CANONICAL: Canonical = canonical();
static FAST: [Step; 1 << FAST_BITS] = fast();

#[allow(clippy::indexing_slicing)] // at compile time
const fn canonical() -> Canonical {
    let mut table = Canonical {
        symbols: [0; 257],
        offset: [0; LONGEST as usize + 1],
        first: [0; LONGEST as usize + 1],
        limit: [0; LONGEST as usize + 1],
    };
    let (mut code, mut placed, mut length) = (0, 0, 1);
    while length <= LONGEST {
        table.offset[length as usize] = placed as u16;
        table.first[length as usize] = code;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as u32 == length {
                table.symbols[placed] = symbol as u16;
                placed += 1;
                code += 1;
            }
            symbol += 1;
        }
        table.limit[length as usize] = (code as u64) << (32 - length);
        code <<= 1;
        length += 1;
    }
    table
}

#[allow(clippy::indexing_slicing)] // at compile time
const fn fast() -> [Step; 1 << FAST_BITS] {
    let codes = canonical();
    let mut steps = [Step { symbols: [0; 2], first: 0, both: 0 }; 1 << FAST_BITS];
    let mut bits = 0;
    while bits < steps.len() {
        let mut length = 5;
        while length <= FAST_BITS {
            let aligned = (bits as u64) << (32 - FAST_BITS);
            if aligned < codes.limit[length as usize] {
                let code = (bits as u32) >> (FAST_BITS - length);
                let place =
                    codes.offset[length as usize] as usize + (code - codes.first[length as usize]) as usize;
                let symbol = codes.symbols[place] as u8;
                steps[bits] = Step { symbols: [symbol, 0], first: length as u8, both: length as u8 };
                break;
            }
            length += 1;
        }
        bits += 1;
    }
    // The bits behind the first symbol, with zeros below: a symbol if its code lies within what is there.
    let single = steps;
    bits = 0;
    while bits < steps.len() {
        let first = single[bits].first;
        let next = single[(bits << first) & ((1 << FAST_BITS) - 1)];
        if first != 0 && next.first != 0 && first + next.first <= FAST_BITS as u8 {
            steps[bits].symbols[1] = next.symbols[0];
            steps[bits].both = first + next.first;
        }
        bits += 1;
    }
    steps
}

/// Bytes of room that [`decode`] needs for a string of `coded` bytes: the shortest code has five bits, and symbols
/// are written in pairs.
pub(super) const fn room(coded: usize) -> usize {
    coded * 8 / 5 + 2
}

/// Decodes `coded` to the start of `out`, which must have [`room`]; returns the decoded length.
///
/// # Errors
/// [`ErrorKind::HuffmanEos`] and [`ErrorKind::HuffmanPadding`]; what was written is then of no use.
pub(super) fn decode(coded: &[u8], out: &mut [u8]) -> Result<usize, ErrorKind> {
    let mut input = coded;
    let mut bits = Bits { word: 0, have: 0 };
    let mut len = 0;
    loop {
        if let Some(eight) = input.first_chunk::<8>() {
            bits.word |= u64::from_be_bytes(*eight) >> bits.have;
            let taken = (63 - bits.have) / 8;
            bits.have += taken * 8;
            input = input.get(taken as usize..).unwrap_or_default();
        } else {
            while bits.have <= 56 {
                let Some((&byte, rest)) = input.split_first() else { break };
                bits.word |= u64::from(byte) << (56 - bits.have);
                bits.have += 8;
                input = rest;
            }
            if input.is_empty() {
                break;
            }
        }
        // A whole code lies within these bits, however long.
        while bits.have >= LONGEST {
            let step = bits.peek();
            if step.first == 0 {
                put(out, len, [bits.take_long()?, 0]);
                len += 1;
            } else {
                put(out, len, step.symbols);
                len += 1 + usize::from(step.both != step.first);
                bits.skip(u32::from(step.both));
            }
        }
    }
    loop {
        let step = bits.peek();
        if step.first == 0 {
            let before = bits.have;
            match bits.long() {
                (symbol, length) if length <= before => {
                    put(out, len, [u8::try_from(symbol).map_err(|_| ErrorKind::HuffmanEos)?, 0]);
                    len += 1;
                    bits.skip(length);
                }
                _ => break,
            }
        } else if u32::from(step.both) <= bits.have {
            put(out, len, step.symbols);
            len += 1 + usize::from(step.both != step.first);
            bits.skip(u32::from(step.both));
        } else if u32::from(step.first) <= bits.have {
            put(out, len, step.symbols);
            len += 1;
            bits.skip(u32::from(step.first));
        } else {
            break;
        }
    }
    let padding = !(u64::MAX >> bits.have);
    if bits.have < 8 && bits.word == padding { Ok(len) } else { Err(ErrorKind::HuffmanPadding) }
}

/// Writes two symbols at `at`; the second may be overwritten by the next.
#[inline]
fn put(out: &mut [u8], at: usize, symbols: [u8; 2]) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&symbols);
    }
}

/// The next bits of the input.
struct Bits {
    /// Aligned to the top; of the bits below `have` some may hold what follows, the others are 0.
    word: u64,
    /// How many are accounted for, at most 63 (64 at the end of the input).
    have: u32,
}

impl Bits {
    #[inline]
    fn peek(&self) -> Step {
        let top = (self.word >> (64 - FAST_BITS)) as usize;
        FAST.get(top).copied().unwrap_or(Step { symbols: [0; 2], first: 0, both: 0 })
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.word <<= bits;
        self.have -= bits;
    }

    /// Symbol and length of the code that the word begins with, which is longer than the lookup.
    #[cold]
    fn long(&self) -> (u16, u32) {
        let top = self.word >> 32;
        let Canonical { symbols, offset, first, limit } = &CANONICAL;
        for length in FAST_BITS + 1..=LONGEST {
            let at = length as usize;
            if let (Some(limit), Some(first), Some(offset)) = (limit.get(at), first.get(at), offset.get(at))
                && top < *limit
            {
                let code = (top >> (32 - length)) as u32;
                let place = *offset as usize + (code - first) as usize;
                return (symbols.get(place).copied().unwrap_or(EOS), length);
            }
        }
        (EOS, LONGEST)
    }

    /// Takes such a code, which must be there whole.
    #[cold]
    fn take_long(&mut self) -> Result<u8, ErrorKind> {
        let (symbol, length) = self.long();
        self.skip(length);
        u8::try_from(symbol).map_err(|_| ErrorKind::HuffmanEos)
    }
}

/// The encoder, for tests.
#[cfg(test)]
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut word, mut have) = (0u64, 0);
    for &byte in text {
        let length = usize::from(LENGTHS[byte as usize]);
        let place = CANONICAL.symbols.iter().position(|&symbol| symbol == u16::from(byte)).unwrap();
        let code = CANONICAL.first[length] + (place - usize::from(CANONICAL.offset[length])) as u32;
        word = word << length | u64::from(code);
        have += length;
        while have >= 8 {
            have -= 8;
            out.push((word >> have) as u8);
        }
    }
    if have > 0 {
        out.push((word << (8 - have)) as u8 | 0xff >> have);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let mut out = vec![0xaa; room(coded.len())];
        let len = decode(coded, &mut out)?;
        out.truncate(len);
        Ok(out)
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn strings_of_appendix_c() {
        for (coded, text) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("25a849e95bb8e8b4bf", "custom-value"),
            ("6402", "302"),
            ("aec3771a4b", "private"),
            ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
            ("", ""),
        ] {
            assert_eq!(decoded(&hex(coded)).as_deref(), Ok(text.as_bytes()), "{text}");
            assert_eq!(encode(text.as_bytes()), hex(coded), "{text}");
        }
    }

    #[test]
    fn codes_of_appendix_b() {
        // The first and last code of several lengths, left-aligned and padded with ones.
        for (symbol, coded) in [
            (b'0', "07"),
            (b't', "4f"),
            (b' ', "53"),
            (b'u', "b7"),
            (b':', "b9"),
            (b'z', "f7"),
            (b'&', "f8"),
            (b'Z', "fd"),
            (b'!', "fe3f"),
            (0, "ffc7"),
            (b'\\', "fffe1f"),
            (1, "ffffb1"),
            (10, "fffffff3"),
            (13, "fffffff7"),
            (22, "fffffffb"),
        ] {
            assert_eq!(encode(&[symbol]), hex(coded), "{symbol}");
            assert_eq!(decoded(&hex(coded)), Ok(vec![symbol]), "{symbol}");
        }
    }

    #[test]
    fn every_byte_alone_doubled_and_all_in_a_row() {
        for byte in 0..=255u8 {
            for text in [vec![byte], vec![byte; 2], vec![byte; 33]] {
                assert_eq!(decoded(&encode(&text)), Ok(text));
            }
        }
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        assert_eq!(decoded(&encode(&all)), Ok(all));
    }

    #[test]
    fn padding_is_at_most_seven_ones() {
        // 'a' is 00011: three bits of padding.
        assert_eq!(decoded(&[0b0001_1111]), Ok(b"a".to_vec()));
        for bad in [&[0b0001_1110][..], &[0b0001_1000], &[0b0001_1011]] {
            assert_eq!(decoded(bad), Err(ErrorKind::HuffmanPadding), "{bad:x?}");
        }
        // A whole byte of ones, after nothing, after a symbol, and after a code that ends with its byte.
        let mut full = encode(b"00000000");
        assert_eq!(decoded(&full), Ok(b"00000000".to_vec()));
        full.push(0xff);
        for bad in [&[0xff][..], &[0x1f, 0xff], &[0xff, 0xff], &[0xff, 0xff, 0xff], &full] {
            assert_eq!(decoded(bad), Err(ErrorKind::HuffmanPadding), "{bad:x?}");
        }
    }

    #[test]
    fn eos_is_refused_anywhere() {
        assert_eq!(decoded(&[0xff; 4]), Err(ErrorKind::HuffmanEos));
        assert_eq!(decoded(&[0xff; 400]), Err(ErrorKind::HuffmanEos));
        for before in 1..40 {
            let mut coded = encode(&vec![b'&'; before]);
            coded.extend([0xff; 4]);
            assert_eq!(decoded(&coded), Err(ErrorKind::HuffmanEos), "after {before}");
            coded.extend(encode(b"0123456789"));
            assert_eq!(decoded(&coded), Err(ErrorKind::HuffmanEos), "after {before}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decoded(&encode(&text)), Ok(text));
        }

        #[test]
        fn what_decodes_encodes_to_the_same(coded in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(text) = decoded(&coded) {
                prop_assert_eq!(encode(&text), coded);
            }
        }
    }
}
