//! Huffman-coded strings (RFC 7541 section 5.2, appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their symbols, and each
//! length continues where the shorter one ended. So the lengths say everything, and the tables below are made of
//! them at compile time: one that turns [`FAST_BITS`] bits into one symbol or two, and for the rare longer codes
//! the first code of each length.

use super::outcome::ErrorKind;

/// Bits looked up at once: two of the usual characters, whose codes have five to seven bits.
const FAST_BITS: u32 = 12;

/// Lookups between two refills, which make sure of 56 bits.
const ROUND: u32 = 4;

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

/// What the next [`FAST_BITS`] bits mean, packed so that steps can be added up: in the lowest byte the length of the
/// codes, in the second eight times their number, above them the symbols, one or two. 0 for a code longer than the
/// lookup.
type Step = u32;

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
    let mut single = [(0u8, 0u8); 1 << FAST_BITS];
    let mut bits = 0;
    while bits < single.len() {
        let mut length = 5;
        while length <= FAST_BITS {
            let aligned = (bits as u64) << (32 - FAST_BITS);
            if aligned < codes.limit[length as usize] {
                let code = (bits as u32) >> (FAST_BITS - length);
                let place = codes.offset[length as usize] as u32 + code - codes.first[length as usize];
                single[bits] = (codes.symbols[place as usize] as u8, length as u8);
                break;
            }
            length += 1;
        }
        bits += 1;
    }
    let mut steps = [0; 1 << FAST_BITS];
    bits = 0;
    while bits < steps.len() {
        let (symbol, length) = single[bits];
        // What follows, with zeros below: a symbol if its code lies within the bits that are there.
        let (next, more) = single[(bits << length) & (steps.len() - 1)];
        let (symbol, next) = (symbol as Step, next as Step);
        if length != 0 && more != 0 && (length + more) as u32 <= FAST_BITS {
            steps[bits] = next << 24 | symbol << 16 | 16 << 8 | (length + more) as Step;
        } else if length != 0 {
            steps[bits] = symbol << 16 | 8 << 8 | length as Step;
        }
        bits += 1;
    }
    steps
}

/// Bytes of room that [`decode`] needs for a string of `coded` bytes: the shortest code has five bits, and eight
/// bytes are written at a time.
pub(super) const fn room(coded: usize) -> usize {
    coded * 8 / 5 + 8
}

/// Decodes `coded` to the start of `out`, which must have [`room`]; returns the decoded length.
///
/// # Errors
/// [`ErrorKind::HuffmanEos`] and [`ErrorKind::HuffmanPadding`]; what was written is then of no use.
pub(super) fn decode(coded: &[u8], out: &mut [u8]) -> Result<usize, ErrorKind> {
    let mut input = coded;
    // The next bits, aligned to the top, and how many of them are accounted for: at most 63. What lies below these is
    // what follows, as far as it is there.
    let (mut word, mut have) = (0u64, 0);
    let mut len = 0;
    while let Some(eight) = input.first_chunk::<8>() {
        word |= u64::from_be_bytes(*eight) >> have;
        let taken = (63 - have) / 8;
        have += taken * 8;
        input = input.get(taken as usize..).unwrap_or_default();
        let round = round(word);
        word = round.word;
        have -= round.bits;
        len += put(out, len, round);
        if round.stuck && have >= LONGEST {
            let (symbol, bits) = long_code(word, have)?;
            word <<= bits;
            have -= bits;
            len += put_one(out, len, symbol);
        }
    }
    // The last bytes, with ones behind them. As padding is ones too, and no short code is, a well-formed string gets
    // stuck where its padding begins.
    let mut tail_bits = input.len() as u32 * 8;
    let last = match coded.last_chunk::<8>() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => input.iter().fold(0, |last, &byte| last << 8 | u64::from(byte)),
    };
    let mut tail = last.checked_shl(64 - tail_bits).unwrap_or(0);
    loop {
        word |= tail >> have;
        let taken = tail_bits.min(63 - have);
        tail <<= taken;
        tail_bits -= taken;
        have += taken;
        if tail_bits == 0 {
            word |= u64::MAX >> have;
        }
        let round = round(word);
        if round.bits > have {
            return Err(ErrorKind::HuffmanPadding); // ones behind the end were taken for bits of a code
        }
        word = round.word;
        have -= round.bits;
        len += put(out, len, round);
        if tail_bits == 0 && have < 8 && word.leading_ones() >= have {
            return Ok(len);
        }
        if round.stuck && (tail_bits == 0 || have >= LONGEST) {
            let (symbol, bits) = long_code(word, have)?;
            word <<= bits;
            have -= bits;
            len += put_one(out, len, symbol);
        }
    }
}

/// What a round of lookups has found.
#[derive(Clone, Copy)]
struct Round {
    /// The bits after it.
    word: u64,
    /// How many it took.
    bits: u32,
    /// The symbols, first in the lowest byte.
    symbols: u64,
    /// Their number, at most eight.
    count: u32,
    /// The next code is longer than the lookup, or the padding.
    stuck: bool,
}

#[inline]
fn round(mut word: u64) -> Round {
    let (mut symbols, mut sum, mut step) = (0, 0u32, 0);
    for _ in 0..ROUND {
        // When stuck, the next lookups are as this one, and change nothing.
        step = FAST.get((word >> (64 - FAST_BITS)) as usize).copied().unwrap_or(0);
        symbols |= u64::from(step >> 16) << (sum >> 8 & 63);
        sum = sum.wrapping_add(step);
        word <<= step & 63;
    }
    Round { word, bits: sum & 0xff, symbols, count: sum >> 11 & 0xf, stuck: step == 0 }
}

/// Writes the symbols of a round; returns how many these are.
#[inline]
fn put(out: &mut [u8], at: usize, round: Round) -> usize {
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<8>) {
        *place = round.symbols.to_le_bytes();
    }
    round.count as usize
}

fn put_one(out: &mut [u8], at: usize, symbol: u8) -> usize {
    if let Some(place) = out.get_mut(at) {
        *place = symbol;
    }
    1
}

/// Symbol and length of the code that `word` begins with, which is longer than the lookup, if all its bits are among
/// the first `have`.
#[cold]
fn long_code(word: u64, have: u32) -> Result<(u8, u32), ErrorKind> {
    let top = word >> 32;
    let Canonical { symbols, offset, first, limit } = &CANONICAL;
    for length in (FAST_BITS + 1..=LONGEST).take_while(|&length| length <= have) {
        let at = length as usize;
        if let (Some(limit), Some(first), Some(offset)) = (limit.get(at), first.get(at), offset.get(at))
            && top < *limit
        {
            let code = (top >> (32 - length)) as u32;
            let symbol = symbols.get(*offset as usize + (code - first) as usize).copied().unwrap_or(EOS);
            return u8::try_from(symbol).map(|symbol| (symbol, length)).map_err(|_| ErrorKind::HuffmanEos);
        }
    }
    Err(ErrorKind::HuffmanPadding)
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
