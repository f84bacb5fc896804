//! The agent's model: it counts what its rules, followed one after the other, count; its counters only grow, what is asked
//! for is either seen or missed, the same packets give the same results; memory and time follow the input.

use crate::cost::Cost;
use crate::pieces::{Pieces, What};
use crate::plain_agent::Program;
use h2lens::agent::{Agent, Params, Rules, Summary, WireFacts, WireTransaction};
use h2lens::base::endpoint::Endpoint;
use h2lens::base::telemetry_counters::Counters;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::base::verdict::Verdict;
use h2lens::packet::{Segment, TcpFlags};

/// Segments as [`Pieces`]; a gap is a segment without payload, with flags from its length.
/// Options: bit 0, the rules of 2025; bit 1, TLS records; bit 2, small maps; bit 3, the newest rules.
pub fn run(data: &[u8]) {
    let pieces = Pieces::read(data);
    let cost = Cost::start();
    let summary = watch(&pieces);
    // What a segment may list, and the maps' first sizes.
    cost.assert(data.len(), (8 << 20) + 512 * data.len(), 20_000);
    assert_eq!(summary, watch(&pieces));
    if let Some((counters, emitted)) = plainly(&pieces) {
        let tls = pieces.options & 2 != 0;
        assert_eq!((if tls { summary.tls } else { summary.plaintext }, summary.emitted), (counters, emitted));
    }
}

fn rules(pieces: &Pieces<'_>) -> Rules {
    match pieces.options & 9 {
        0 => Rules::Y2026,
        8 => Rules::Y2026b,
        _ => Rules::Y2025,
    }
}

/// A piece as a segment.
struct Step<'a> {
    nanos: u64,
    side: usize,
    seq: u32,
    ack: u32,
    flags: TcpFlags,
    payload: &'a [u8],
}

fn steps<'a>(pieces: &'a Pieces<'a>) -> impl Iterator<Item = Step<'a>> {
    let (mut seq, mut nanos) = ([1_u32; 2], 0);
    pieces.list.iter().map(move |piece| {
        nanos += if piece.pause { 40_000_000_000 } else { 1000 };
        let side = usize::from(piece.backward);
        let (payload, flags) = match piece.what {
            What::Bytes(bytes) => (bytes, TcpFlags::ACK),
            What::Gap(len) => (&[][..], len as u8),
        };
        let step = Step { nanos, side, seq: seq[side], ack: seq[1 - side], flags: TcpFlags(flags), payload };
        seq[side] = seq[side].wrapping_add(payload.len() as u32);
        step
    })
}

/// What the rules alone make of the same, and what is handed on: not of small maps, nor of connections inside TLS that end.
fn plainly(pieces: &Pieces<'_>) -> Option<(Counters, u64)> {
    let tls = pieces.options & 2 != 0;
    let ends = |flags: TcpFlags| flags.fin() || flags.rst();
    if pieces.options & 4 != 0 || tls && steps(pieces).any(|step| ends(step.flags) || step.flags.syn()) {
        return None;
    }
    let mut program = Program::new(rules(pieces), tls);
    for Step { nanos, side, seq, flags, payload, .. } in steps(pieces) {
        program.segment(nanos, side, seq, ends(flags), payload);
    }
    Some((program.counters, program.emitted))
}

fn watch(pieces: &Pieces<'_>) -> Summary {
    let rules = rules(pieces);
    let max_requests = if pieces.options & 4 != 0 { 8 } else { 65_536 };
    let mut agent = Agent::new(Params { rules, max_requests, ..Params::default() });
    let ends = [40_000, 8080].map(|port| Endpoint { ip: [10, 0, 0, 1].into(), port });
    let mut asked = 0;
    let mut before = agent.summary();
    for (piece, step) in pieces.list.iter().zip(steps(pieces)) {
        let Step { nanos, side, seq, ack, flags, payload } = step;
        let at = Moment { packet: piece.number, time: Timestamp::from_nanos(nanos) };
        let (src, dst) = (ends[side], ends[1 - side]);
        if pieces.options & 2 != 0 && flags.0 == TcpFlags::ACK {
            agent.tls_record(at, src, dst, payload);
        } else {
            agent.segment(&Segment { seq, ack, flags, payload, cut: 0, ..Segment::empty(at, src, dst) });
        }
        if piece.number % 4 == 0 {
            let transaction = WireTransaction {
                client: ends[0],
                server: ends[1],
                connection: 1,
                stream: (piece.number as u32 / 4) * 2 + 1,
                complete: true,
                first: Moment { packet: 1, ..at },
                last: at,
                method: Some(b"GET"),
                path: Some(b"/"),
                status: Some(200),
                facts: WireFacts::default(),
            };
            asked += 1;
            let seen = matches!(agent.verdict(&transaction), Verdict::Seen(_));
            let now = agent.summary();
            assert_eq!(now.transactions + now.missed.iter().sum::<u64>(), asked);
            assert!(!seen || now.transactions > 0);
        }
        let now = agent.summary();
        for (old, new) in [(&before.plaintext, &now.plaintext), (&before.tls, &now.tls)] {
            for ((name, old), (_, new)) in old.entries().into_iter().zip(new.entries()) {
                assert!(old <= new, "{name} shrinks from {old} to {new}");
            }
        }
        before = now;
    }
    agent.finish();
    agent.summary()
}
