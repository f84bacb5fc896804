//! Key logs: however the text is cut, the same is read; every line counts once; memory follows the input.

use crate::cost::Cost;
use crate::random::Random;
use h2lens::tls::{KeyLogReader, KeyStore};

/// The first byte seeds the cuts, the rest is the key log.
pub fn run(data: &[u8]) {
    let Some((&seed, text)) = data.split_first() else { return };
    let cost = Cost::start();
    let mut whole = KeyStore::default();
    whole.add_text(text);
    // An entry takes some hundreds of bytes, a line at least 64.
    cost.assert(text.len(), (64 << 10) + 64 * text.len(), 2_000);

    let mut pieces = KeyStore::default();
    let mut reader = KeyLogReader::default();
    let (mut random, mut rest) = (Random::new(seed.into()), text);
    while !rest.is_empty() {
        let (part, after) = rest.split_at((1 + random.below(100)).min(rest.len()));
        reader.push(part, &mut pieces);
        rest = after;
    }
    reader.finish(&mut pieces);
    assert_eq!(whole.counters(), pieces.counters(), "cut otherwise, read otherwise");

    let counters = whole.counters();
    let counted = counters.secrets + counters.duplicates + counters.other_labels + counters.bad_lines;
    let blank = |line: &&[u8]| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        line.is_empty() || line.starts_with(b"#")
    };
    // A line too long to be kept is a bad line, whatever it begins with.
    let short = |line: &&[u8]| line.len() <= h2lens::base::limits::MAX_KEY_LOG_LINE;
    let text = &ascii(text);
    let lines = text.split(|&byte| byte == b'\n');
    let told = lines.clone().filter(|line| !short(line) || !blank(line)).count() as u64;
    assert_eq!(counted, told, "every line counts once");
    assert!(whole.used_lines().is_empty(), "nothing was opened");

    // Once more: nothing new is learned, unless one line replaced another.
    whole.add_text(text);
    assert!(whole.counters().secrets - counters.secrets <= counters.secrets);
}

/// A byte for each character; those that are not ASCII are `?` in UTF-16, which a byte order mark tells.
fn ascii(text: &[u8]) -> Vec<u8> {
    let (units, read): (_, fn([u8; 2]) -> u16) = match text {
        [0xff, 0xfe, units @ ..] => (units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => (units, u16::from_be_bytes),
        _ => return text.to_vec(),
    };
    let (units, _) = units.as_chunks();
    units.iter().map(|unit| u8::try_from(read(*unit)).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect()
}

/// Each kind of line.
pub fn seeds() -> Vec<Vec<u8>> {
    let random = "11".repeat(32);
    let secret = "22".repeat(48);
    let short = "33".repeat(32);
    let labels = [
        "CLIENT_RANDOM",
        "CLIENT_EARLY_TRAFFIC_SECRET",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    ];
    let all: String = labels.iter().map(|label| format!("{label} {random} {secret}\r\n")).collect();
    let shorter: String = labels.iter().map(|label| format!("{label} {random} {short}\n")).collect();
    let others =
        format!("# a comment\n\nRSA 0011223344556677 0303{short}\nPMS_CLIENT_RANDOM {random} {short}");
    let wide: Vec<u8> = all.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts = [all.as_bytes(), shorter.as_bytes(), others.as_bytes(), &[b"\xff\xfe", &*wide].concat()];
    texts.iter().map(|text| [b"\x07", *text].concat()).collect()
}
