//! The Huffman code of HPACK (RFC 7541 appendix B), which the agent's user space decodes. The code is canonical,
//! so that the lengths alone define it.

const EOS: usize = 256;
const SYMBOLS: usize = 257;
const MAX_LEN: usize = 30;

/// Code lengths in bits, by symbol (RFC 7541 appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// Bits that one step of the decoder looks at: two codes of six bits, as digits and most letters have.
const STEP: u32 = 12;

/// The canonical code, made from the lengths.
struct Code {
    /// By length: the first code of the next length, in a 32-bit window. Codes of this length are below it.
    limit: [u32; MAX_LEN + 1],
    /// By length: what to subtract from a code of this length to get its place in `symbols`.
    base: [u32; MAX_LEN + 1],
    /// Symbols by code.
    symbols: [u16; SYMBOLS],
    /// What the next bits begin with.
    steps: [Step; 1 << STEP],
}

/// The whole codes at the start of some bits: none, one or two.
#[derive(Clone, Copy)]
struct Step {
    symbols: [u8; 2],
    count: u8,
    /// Bits of them.
    length: u8,
}

static CODE: Code = build();

#[allow(clippy::indexing_slicing, reason = "runs at compile time: a wrong index does not build")]
const fn build() -> Code {
    let none = Step { symbols: [0; 2], count: 0, length: 0 };
    let mut code = Code {
        limit: [0; MAX_LEN + 1],
        base: [0; MAX_LEN + 1],
        symbols: [0; SYMBOLS],
        steps: [none; 1 << STEP],
    };
    let mut single = [none; 1 << STEP];
    let (mut next, mut placed, mut length) = (0_u32, 0_u32, 1);
    while length <= MAX_LEN {
        next <<= 1;
        code.base[length] = next.wrapping_sub(placed);
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                code.symbols[placed as usize] = symbol as u16;
                if length <= STEP as usize {
                    let mut fill = 0;
                    while fill < 1 << (STEP as usize - length) {
                        let at = ((next as usize) << (STEP as usize - length)) + fill;
                        single[at] = Step { symbols: [symbol as u8, 0], count: 1, length: length as u8 };
                        fill += 1;
                    }
                }
                placed += 1;
                next += 1;
            }
            symbol += 1;
        }
        code.limit[length] = if length == MAX_LEN { u32::MAX } else { next << (32 - length) };
        length += 1;
    }
    let mut bits = 0;
    while bits < 1 << STEP {
        let first = single[bits];
        code.steps[bits] = first;
        if first.count > 0 {
            let second = single[bits << first.length & ((1 << STEP) - 1)];
            if second.count > 0 && first.length + second.length <= STEP as u8 {
                code.steps[bits] = Step {
                    symbols: [first.symbols[0], second.symbols[0]],
                    count: 2,
                    length: first.length + second.length,
                };
            }
        }
        bits += 1;
    }
    code
}

/// Decodes `input` into `out` and returns the length of what it stands for, of which at most `out.len()` bytes
/// were written. `None` when it is not valid: a code for EOS, or padding that is longer than seven bits or not all
/// ones.
pub(super) fn decode(input: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut input = input;
    let (mut bits, mut have) = (0_u64, 0_u32); // the next `have` bits, at the top of `bits`
    let mut written = 0;
    loop {
        if let Some((word, rest)) = input.split_first_chunk()
            && have <= 32
        {
            bits |= u64::from(u32::from_be_bytes(*word)) << (32 - have);
            have += 32;
            input = rest;
        } else {
            while have <= 56 {
                let Some((&byte, rest)) = input.split_first() else { break };
                bits |= u64::from(byte) << (56 - have);
                have += 8;
                input = rest;
            }
        }
        // Below the bits that are there are zeros: what takes none of these is what the bits say.
        while let Some(step) = CODE.steps.get((bits >> (64 - STEP)) as usize)
            && step.count > 0
            && u32::from(step.length) <= have
            && let Some(places) = out.get_mut(written..).and_then(<[u8]>::first_chunk_mut)
        {
            *places = step.symbols;
            written += usize::from(step.count);
            bits <<= step.length;
            have -= u32::from(step.length);
        }
        if have < MAX_LEN as u32 && !input.is_empty() {
            continue;
        }
        // The end is near, or a code is longer than a step, or `out` is full: symbol by symbol.
        let (symbol, length) = next_symbol((bits >> 32) as u32)?;
        if length > have {
            // What is left is no whole code: it must be padding.
            return (have < 8 && bits.leading_ones() >= have).then_some(written);
        }
        if usize::from(symbol) == EOS {
            return None;
        }
        if let Some(place) = out.get_mut(written) {
            *place = symbol as u8;
        }
        written += 1;
        bits <<= length;
        have -= length;
    }
}

/// The symbol whose code is at the top of `window`, and the code's length.
fn next_symbol(window: u32) -> Option<(u16, u32)> {
    let length = (1..MAX_LEN).find(|&length| CODE.limit.get(length).is_some_and(|&limit| window < limit));
    let length = length.unwrap_or(MAX_LEN);
    let place = (window >> (32 - length)).wrapping_sub(*CODE.base.get(length)?);
    Some((*CODE.symbols.get(place as usize)?, length as u32))
}

/// Bytes that `text` takes when encoded.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    text.iter()
        .map(|&byte| LENGTHS.get(byte as usize).map_or(0, |&bits| bits as usize))
        .sum::<usize>()
        .div_ceil(8)
}

/// Encodes `text`.
#[cfg(test)]
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let (mut out, mut bits, mut have) = (Vec::new(), 0_u64, 0);
    for &byte in text {
        let length = u32::from(LENGTHS[byte as usize]);
        let place = CODE.symbols.iter().position(|&symbol| symbol == u16::from(byte)).unwrap();
        let code = (place as u32).wrapping_add(CODE.base[length as usize]);
        bits = bits << length | u64::from(code);
        have += length;
        while have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    if have > 0 {
        out.push((bits << (8 - have)) as u8 | 0xff >> have);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(input: &[u8]) -> Option<Vec<u8>> {
        let mut out = [0; 4096];
        decode(input, &mut out).map(|len| out[..len].to_vec())
    }

    #[test]
    fn decodes_the_examples_of_rfc_7541() {
        // Appendix C.4 and C.6.
        for (hex, text) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("6402", "302"),
            ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
        ] {
            let bytes: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            assert_eq!(decoded(&bytes).unwrap(), text.as_bytes());
            assert_eq!(encode(text.as_bytes()), bytes);
            assert_eq!(encoded_len(text.as_bytes()), bytes.len());
        }
    }

    #[test]
    fn refuses_eos_and_bad_padding() {
        assert_eq!(decoded(&[]), Some(vec![]));
        assert_eq!(decoded(&[0xff]), None, "eight bits of padding");
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None, "EOS");
        assert_eq!(decoded(&[0x18]), None, "a and three zero bits");
        assert_eq!(decoded(&[0x1f]), Some(b"a".to_vec()));
        assert_eq!(decoded(&[0x1f, 0xff]), None, "eleven bits of padding");
    }

    #[test]
    fn a_full_buffer_keeps_the_length() {
        let mut out = [0; 3];
        assert_eq!(decode(&encode(b"abcdef"), &mut out), Some(6));
        assert_eq!(&out, b"abc");
        assert_eq!(decode(&encode(b"abcdef"), &mut []), Some(6));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let encoded = encode(&text);
            prop_assert_eq!(encoded.len(), encoded_len(&text));
            prop_assert_eq!(decoded(&encoded), Some(text));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(input in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(text) = decoded(&input) {
                prop_assert_eq!(encode(&text), input);
            }
        }
    }
}
