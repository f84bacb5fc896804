//! Content codings: what a body decodes to does not hang on how it is cut, a body cut anywhere gives the beginning of what the
//! whole gives, and memory and time stay within what its size allows.

use crate::cost::Cost;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use h2lens::base::limits::{BODY_EXPANSION, BODY_EXPANSION_SURE, BODY_ZSTD_WINDOW_LOG};
use h2lens::body::chain::Chain;
use h2lens::body::coding::Coding;
use h2lens::body::credit::Credit;
use std::io::Write;

const LISTS: [&str; 10] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, gzip",
    "deflate, gzip",
    "br, zstd",
    "zstd, br",
    "x, gzip",
    "gzip, br, deflate",
];

/// The first byte names the codings, the second the pieces; the rest is the body.
pub fn run(data: &[u8]) {
    let Some((&[list, piece], body)) = data.split_first_chunk() else { return };
    let list = LISTS.get(usize::from(list) % LISTS.len()).copied().unwrap_or_default();
    let cost = Cost::start();
    let (whole, chain, decoded) = decode(list, body, body.len());
    let allowed = BODY_EXPANSION_SURE + BODY_EXPANSION * body.len() as u64 + (64 << 10);
    assert!(whole.len() as u64 <= allowed, "{} bytes of {}", whole.len(), body.len());
    let (pieces, again, _) = decode(list, body, usize::from(piece) + 1);
    assert_eq!(whole, pieces);
    assert_eq!(
        chain.failure().map(|failure| &failure.reason),
        again.failure().map(|failure| &failure.reason)
    );
    let cut = body.len() / 2;
    let (half, ..) = decode(list, body.get(..cut).unwrap_or_default(), cut);
    assert!(whole.starts_with(&half), "a part of the body is not a part of the content");
    // The largest window of Brotli (RFC 7932 section 9.1), which grows by copies, and that of Zstandard.
    let windows = (4 << 24) + (1 << BODY_ZSTD_WINDOW_LOG);
    // Three times a body is decoded, and up to sixteen mebibytes may come of a few bytes: 4 KiB of them for one. What is decoded
    // and lost, as it fails within a window, takes time as well.
    cost.assert(body.len() + decoded as usize / 4096, windows + (1 << 20) + 4 * whole.len(), 60_000);
}

/// What it decodes to, the chain, and the bytes of credit that were wanted.
fn decode(list: &str, body: &[u8], piece: usize) -> (Vec<u8>, Chain, u64) {
    let mut chain = Chain::new(&Coding::list(list.as_bytes()), 1 << 16);
    let (mut out, credit) = (Vec::new(), Credit::default());
    for piece in body.chunks(piece.max(1)) {
        chain.push(piece, &credit, &mut |bytes| out.extend_from_slice(bytes));
    }
    chain.finish();
    let [decoded, _] = credit.wanted();
    (out, chain, decoded)
}

/// Bodies in each coding.
pub fn seeds() -> Vec<Vec<u8>> {
    let text = b"amber basket candle amber basket ".repeat(20);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = [gzip.write_all(&text), zlib.write_all(&text), deflate.write_all(&text)];
    assert!(written.iter().all(Result::is_ok));
    let bodies = [gzip.finish(), zlib.finish(), deflate.finish(), zstd::encode_all(text.as_slice(), 3)];
    let brotli = vec![0x0b, 0x02, 0x80, b'a', b'm', b'b', b'e', b'r', 0x03];
    let bodies = bodies.into_iter().map(Result::unwrap_or_default).chain([brotli]);
    [0, 1, 1, 3, 2].into_iter().zip(bodies).map(|(list, body)| [vec![list, 6], body].concat()).collect()
}
