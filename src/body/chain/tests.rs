use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write;

fn text(size: usize) -> Vec<u8> {
    let words = ["amber ", "basket ", "candle ", "drizzle ", "ember ", "falcon\n"];
    let mut text: Vec<u8> = Vec::new();
    let mut state = 1_u32;
    while text.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(words[state as usize >> 16 & 3].as_bytes());
        text.extend_from_slice((state >> 20).to_string().as_bytes());
    }
    text.truncate(size);
    text
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

/// `amber` thrice, by the reference encoder.
const BROTLI: [u8; 19] = [
    0x1b, 0x0e, 0x00, 0xf8, 0x8d, 0x54, 0xb5, 0xbf, 0x0c, 0x6b, 0x93, 0x2b, 0xb1, 0xb2, 0x40, 0x27, 0x0a,
    0x20, 0x07,
];

fn known(names: &str) -> Vec<Named> {
    Coding::list(names.as_bytes())
}

/// What comes of a body that is pushed in pieces.
fn decode(names: &str, body: &[u8], piece: usize) -> (Vec<u8>, Chain) {
    let mut chain = Chain::new(&known(names), 1 << 20);
    let mut out = Vec::new();
    for piece in body.chunks(piece.max(1)) {
        chain.push(piece, &Credit::default(), &mut |bytes| out.extend_from_slice(bytes));
    }
    (out, chain)
}

/// An octet may bring far more than is written at once: all of it is there before a later one breaks the stream.
#[test]
fn a_brotli_stream_that_breaks_behind_much_content() {
    // The eleventh octet brings 786,434, the last one names no code.
    let mut body = [
        &[
            0xa7, 0, 0, 6, 11, 2, 40, 40, 40, 40, 0, 0, 2, 1, 0, 0, 5, 98, 93, 97, 187, 0, 0, 0, 0, 0, 6, 11,
            2,
        ],
        &b"(((up ni\x1dode\0\0\0\0\0\0\0\0\0\0\0\0"[..],
        &[28; 7],
        b"ect",
    ]
    .concat();
    let (before, chain) = decode("br", &body, body.len());
    assert_eq!((before.len(), chain.failure()), (786_434, None));
    body.push(b'e');
    for piece in [1, 7, 64] {
        let (content, chain) = decode("br", &body, piece);
        assert_eq!(chain.failure().map(|failure| failure.reason.code()), Some("damaged"));
        assert!(content == before, "{}", content.len());
    }
}

/// What came before the break is the same in any pieces.
#[test]
fn a_brotli_stream_that_breaks_gives_what_was_good() {
    let whole = decode("br", &BROTLI, BROTLI.len()).0;
    for at in 0..BROTLI.len() {
        for bit in 0..8 {
            let mut body = BROTLI;
            body[at] ^= 1 << bit;
            let (content, chain) = decode("br", &body, body.len());
            for piece in [1, 2, 5] {
                let (other, again) = decode("br", &body, piece);
                assert_eq!((&other, again.failure()), (&content, chain.failure()), "{at}, {bit}");
            }
        }
    }
    assert_eq!(whole, b"amberamberamber");
}

/// A coding's name, and its encoder.
type Code = (&'static str, fn(&[u8]) -> Vec<u8>);

fn codes() -> Vec<Code> {
    vec![("gzip", gzip), ("deflate", zlib), ("deflate", deflate), ("zstd", zstd)]
}

#[test]
fn each_coding_is_undone_however_it_is_cut() {
    let content = text(40_000);
    for (name, code) in codes() {
        let body = code(&content);
        for piece in [1, 2, 3, 7, 1000, body.len()] {
            let (out, mut chain) = decode(name, &body, piece);
            chain.finish();
            assert_eq!((out == content, chain.failure()), (true, None), "{name} in pieces of {piece}");
            assert!(chain.is_whole() && chain.is_decoded());
        }
    }
}

#[test]
fn members_and_frames_follow_each_other() {
    for (name, code) in [("gzip", gzip), ("zstd", zstd)] as [Code; 2] {
        let body = [code(b"amber "), code(b""), code(b"basket")].concat();
        for piece in 1..body.len() {
            let (out, mut chain) = decode(name, &body, piece);
            chain.finish();
            assert_eq!((out.as_slice(), chain.failure()), (&b"amber basket"[..], None), "{name}");
        }
    }
}

#[test]
fn codings_in_a_row_are_undone_from_the_last() {
    let content = text(5000);
    let body = zstd(&zlib(&gzip(&content)));
    let (out, mut chain) = decode("gzip, deflate, zstd", &body, 11);
    chain.finish();
    assert_eq!((out == content, chain.failure()), (true, None));
}

/// A decoder that is asked again and again, and given nothing, takes that for damage.
#[test]
fn a_coding_waits_while_the_one_outside_it_gives_nothing() {
    let content = text(3000);
    let inner = zstd(&content);
    let (first, second) = inner.split_at(inner.len() / 2);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0].repeat(40);
    let body = [zstd(first), skippable, zstd(second)].concat();
    for piece in [1, body.len()] {
        let (out, chain) = decode("zstd, zstd", &body, piece);
        assert_eq!((out, chain.failure()), (content.clone(), None));
    }
    let mut chain = Chain::new(&known("zstd"), 1 << 20);
    let mut out = Vec::new();
    chain.push(first, &Credit::default(), &mut |bytes| out.extend_from_slice(bytes));
    (0..40).for_each(|_| chain.push(&[], &Credit::default(), &mut |_| {}));
    chain.push(second, &Credit::default(), &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!((out, chain.failure()), (content, None));
}

#[test]
fn what_cannot_be_decoded_is_kept_as_it_is() {
    for (names, body) in [("br", gzip(b"x")), ("gzip", b"{\"a\": 1}".to_vec()), ("zstd", b"plain".to_vec())] {
        let (_, mut chain) = decode(names, &body, 3);
        chain.finish();
        assert!(chain.failure().is_some() && !chain.is_decoded() && !chain.is_whole(), "{names}");
        assert_eq!(chain.undecoded(), Some((body.as_slice(), false)));
    }
    let (out, mut chain) = decode("x-rot, gzip", &gzip(b"content"), 4);
    chain.finish();
    assert_eq!((out.as_slice(), chain.undecoded()), (&b"content"[..], None));
    assert_eq!(chain.failure().map(|failure| failure.reason.code()), Some("unknown_coding"));
    let (_, chain) = decode("gzip, gzip", &gzip(b"content"), 4);
    assert_eq!(chain.undecoded(), Some((&b"content"[..], false)));
}

#[test]
fn ends_are_checked() {
    let whole = gzip(&text(3000));
    let code = |body: &[u8]| {
        let (out, mut chain) = decode("gzip", body, 100);
        chain.finish();
        (out.len(), chain.failure().map(|failure| failure.reason.code()), chain.is_whole())
    };
    assert_eq!(code(&whole), (3000, None, true));
    assert_eq!(code(&whole[..whole.len() - 8]), (3000, Some("cut"), false));
    assert_eq!(code(&[&whole[..], b"more"].concat()), (3000, Some("trailing_bytes"), true));
    let mut wrong = whole.clone();
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    assert_eq!(code(&wrong), (3000, Some("checksum"), false));
    assert_eq!(decode("gzip", b"", 1).1.failure(), None, "no bytes at all are no error");
}

#[test]
fn cap_body_codings() {
    let mut body = b"content".to_vec();
    for _ in 0..=BODY_CODINGS {
        body = gzip(&body);
    }
    let names = |count: usize| vec!["gzip"; count].join(",");
    let (_, chain) = decode(&names(BODY_CODINGS + 1), &body, body.len());
    assert_eq!(chain.failure().map(|failure| &failure.reason), Some(&Reason::TooMany));
    let (out, chain) = decode(&names(BODY_CODINGS), &body, body.len());
    assert_eq!((out, chain.failure()), (gzip(b"content"), None));
}

#[test]
fn cap_body_expansion() {
    let bomb = zstd(&vec![0; 64 << 20]);
    let allowed = BODY_EXPANSION_SURE + BODY_EXPANSION * bomb.len() as u64;
    let mut size = 0;
    let mut chain = Chain::new(&known("zstd"), 0);
    chain.push(&bomb, &Credit::default(), &mut |bytes| size += bytes.len() as u64);
    assert_eq!(chain.failure().map(|failure| failure.reason.code()), Some("expansion"));
    assert!(size > allowed && size <= allowed + PIECE as u64, "{size}");
    chain.push(&bomb, &Credit::default(), &mut |_| panic!("nothing comes after it"));
}

#[test]
fn cap_body_expansion_sure() {
    let content = vec![0; BODY_EXPANSION_SURE as usize];
    let (out, mut chain) = decode("gzip", &gzip(&content), 1 << 20);
    chain.finish();
    assert_eq!((out.len(), chain.failure()), (content.len(), None));
}

#[test]
fn cap_body_zstd_window_log() {
    let frame = |log: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0x01, 0, 0];
    let log = crate::base::limits::BODY_ZSTD_WINDOW_LOG as u8;
    let (_, mut chain) = decode("zstd", &frame(log), 100);
    chain.finish();
    assert_eq!(chain.failure(), None);
    let (_, chain) = decode("zstd", &frame(log + 1), 100);
    assert_eq!(chain.failure().map(|failure| failure.reason.code()), Some("window"));
}

#[test]
fn nested_bombs_share_what_is_allowed() {
    let bomb = gzip(&gzip(&vec![0; 64 << 20]));
    let mut size = 0;
    let mut chain = Chain::new(&known("gzip, gzip"), 0);
    chain.push(&bomb, &Credit::default(), &mut |bytes| size += bytes.len() as u64);
    assert!(size <= BODY_EXPANSION_SURE + BODY_EXPANSION * bomb.len() as u64 + 2 * PIECE as u64);
    assert_eq!(chain.failure().map(|failure| failure.reason.code()), Some("expansion"));
}

#[test]
fn memory_is_that_of_the_windows() {
    assert_eq!(Chain::default().memory(), 0);
    let (_, chain) = decode("br", &BROTLI[..1], 1);
    assert!(chain.memory() > 32 << 10 && chain.memory() < 256 << 10, "{}", chain.memory());
}

proptest! {
    #[test]
    fn a_body_cut_anywhere_gives_a_prefix(
        content in proptest::collection::vec(0_u8..8, 0..3000),
        which in 0_usize..4,
        cut in 0.0_f64..1.0,
        piece in 1_usize..200,
    ) {
        let (name, code) = codes()[which];
        let body = code(&content);
        let cut = (body.len() as f64 * cut) as usize;
        let (out, mut chain) = decode(name, &body[..cut], piece);
        prop_assert!(content.starts_with(&out));
        prop_assert_eq!(chain.failure(), None);
        chain.finish();
        prop_assert_eq!(chain.failure().is_some(), cut > 0, "{}", cut);
    }

    #[test]
    fn any_bytes_are_survived(
        body in proptest::collection::vec(any::<u8>(), 0..600),
        names in "(gzip|deflate|br|zstd)(,(gzip|deflate|br|zstd)){0,3}",
        piece in 1_usize..100,
    ) {
        let (one, first) = decode(&names, &body, piece);
        let (two, second) = decode(&names, &body, body.len());
        prop_assert_eq!(one, two);
        prop_assert_eq!(first.failure().map(|failure| &failure.reason), second.failure().map(|failure| &failure.reason));
    }
}
