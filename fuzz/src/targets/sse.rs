//! Server-sent events and JSON lines: the same however the bytes are cut, a prefix where they end early, and behind a hole only
//! what the whole has.

use crate::cost::Cost;
use h2lens::body::lines::Lines;
use h2lens::body::sse::{Event, Events};

const LIMIT: usize = 1 << 10;

/// The first byte says the pieces, the second where a hole is.
pub fn run(data: &[u8]) {
    let Some((&[piece, hole], bytes)) = data.split_first_chunk() else { return };
    let cost = Cost::start();
    let whole = events(bytes, bytes.len());
    assert_eq!(events(bytes, usize::from(piece) + 1), whole);
    let cut = bytes.len() / 2;
    assert!(whole.starts_with(&events(bytes.get(..cut).unwrap_or_default(), 7)));
    behind(bytes, usize::from(hole) * bytes.len() / 256, &whole);
    assert_eq!(lines(bytes, usize::from(piece) + 1), lines(bytes, bytes.len()));
    cost.assert(bytes.len(), (4 << 20) + 64 * bytes.len(), 10_000);
}

fn events(bytes: &[u8], piece: usize) -> Vec<Event> {
    let (mut events, mut told) = (Events::new(LIMIT), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        events.push(piece, &mut |event| told.push(event));
        assert!(events.memory() <= 16 * LIMIT);
    }
    told
}

/// One byte is lost: events that are told of stand in the whole, but for the lines of one that it split.
fn behind(bytes: &[u8], hole: usize, whole: &[Event]) {
    let (mut events, mut told) = (Events::new(LIMIT), Vec::new());
    let (before, after) = bytes.split_at(hole.min(bytes.len()));
    let Some((lost, after)) = after.split_first() else { return };
    if matches!(lost, b'\r' | b'\n') {
        // Without it, other lines end.
        return;
    }
    events.push(before, &mut |event| told.push(event));
    events.gap();
    events.push(after, &mut |event| told.push(event));
    assert!(told.len() <= whole.len());
    let mut sent = whole.iter();
    for event in &told {
        assert!(sent.any(|own| own == event), "{event:?}");
    }
}

fn lines(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let (mut lines, mut told) = (Lines::new(LIMIT), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        lines.push(piece, &mut |line| told.push(line.bytes.to_vec()));
    }
    lines.finish(&mut |line| told.push(line.bytes.to_vec()));
    told
}

/// Events in each line ending, and lines.
pub fn seeds() -> Vec<Vec<u8>> {
    let text =
        "\u{feff}: hello\nid: 1\nevent: add\ndata: a\ndata:b\n\nretry: 30\ndata: {\"n\": 1}\n\ndata: never";
    ["\n", "\r", "\r\n"]
        .iter()
        .map(|end| [vec![2, 90], text.replace('\n', end).into_bytes()].concat())
        .collect()
}
