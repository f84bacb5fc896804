//! Conversations in bytes, and what is found in them.

use crate::base::time::{Moment, Timestamp};
use crate::conformance::Judge;
use crate::flow::{Arrival, Gap, GapCause};
use crate::http2::frame::{Flags, FrameType};
use crate::http2::{Connection, PREFACE, Side, Start};
use crate::record::Finding;

pub(super) const END_STREAM: u8 = Flags::END_STREAM;
pub(super) const END_HEADERS: u8 = Flags::END_HEADERS;
pub(super) const ACK: u8 = Flags::ACK;
/// GET, http, `/`, in static indices; authority `a`.
pub(super) const GET: &[u8] = b"\x82\x86\x84\x01\x01a";
/// The same with POST.
pub(super) const POST: &[u8] = b"\x83\x86\x84\x01\x01a";
/// `:status: 200`.
pub(super) const OK: &[u8] = b"\x88";
/// `grpc-status: 0`, without indexing.
pub(super) const TRAILERS: &[u8] = b"\x00\x0bgrpc-status\x010";

/// What happens next on the connection.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The client sends a packet.
    C(Vec<u8>),
    /// The server does.
    S(Vec<u8>),
    /// So many octets of the client's are lost.
    LoseC(usize),
    /// And of the server's.
    LoseS(usize),
    /// Packet time goes on, in milliseconds.
    Wait(u64),
    /// First: nothing has been said. The client begins with its preface.
    Raw,
    /// First: the capture begins here.
    Late,
    /// First: the client's SYN was not seen.
    NoSyn,
    /// The server's direction waits for a hole to fill, or does not any more.
    StallS(bool),
    /// From here on all frames go through the rules.
    Thorough,
    /// Last: the capture ends, the connection does not.
    Cut,
}

/// Plays the conversation; what is found once the connection is over.
pub(super) fn told(steps: Vec<Step>) -> Vec<Finding> {
    played(steps).0
}

/// The same, and how often a cap kept something from being judged.
pub(super) fn played(steps: Vec<Step>) -> (Vec<Finding>, u64) {
    let mut judge = judged(steps);
    (judge.findings().collect(), judge.limited())
}

/// The judge of the conversation, once the connection is over.
pub(super) fn judged(steps: Vec<Step>) -> Judge {
    let late = matches!(steps.first(), Some(Step::Late));
    let begin = match steps.first() {
        Some(Step::Raw | Step::Late) => vec![],
        _ => vec![
            Step::C(settings(&[])),
            Step::S(settings(&[])),
            Step::C(settings_ack()),
            Step::S(settings_ack()),
        ],
    };
    let (client, server) = if late { (Start::Late, Start::Late) } else { (Start::Preface, Start::Frames) };
    let mut connection = Connection::new(client, server, true);
    let mut judge = Judge::new((late, late));
    if !late && !matches!(steps.first(), Some(Step::NoSyn)) {
        judge.set_upgrade_known();
    }
    let mut now = Moment { packet: 1, time: Timestamp::from_parts(1_700_000_000, 0) };
    let mut closed = true;
    if !late {
        connection.data(Side::Client, &Arrival { at: now, ..Arrival::default() }, PREFACE, &mut judge);
    }
    for step in begin.into_iter().chain(steps) {
        use Side::{Client, Server};
        now = Moment { packet: now.packet + 1, time: now.time.after(std::time::Duration::from_micros(100)) };
        let arrival = &Arrival { at: now, ..Arrival::default() };
        let gap = |len: usize| Gap::new(Some(len as u64), GapCause::Lost);
        match step {
            Step::C(bytes) => connection.data(Client, arrival, &bytes, &mut judge),
            Step::S(bytes) => connection.data(Server, arrival, &bytes, &mut judge),
            Step::LoseC(len) => connection.gap(Client, arrival, gap(len), &mut judge),
            Step::LoseS(len) => connection.gap(Server, arrival, gap(len), &mut judge),
            Step::Wait(millis) => now.time = now.time.after(std::time::Duration::from_millis(millis)),
            Step::StallS(stalled) => judge.set_stalled(Server, stalled),
            Step::Thorough => judge.thorough = true,
            Step::Cut => closed = false,
            Step::Raw | Step::Late | Step::NoSyn => {}
        }
    }
    connection.finish(Side::Client, now, &mut judge);
    connection.finish(Side::Server, now, &mut judge);
    judge.finish(closed, connection.ledger(), now);
    judge
}

pub(super) fn frame(kind: FrameType, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![a, b, c, kind.0, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// HEADERS with END_HEADERS.
pub(super) fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(FrameType::HEADERS, flags | END_HEADERS, stream, block)
}

/// DATA of that many octets.
pub(super) fn data(stream: u32, flags: u8, octets: usize) -> Vec<u8> {
    frame(FrameType::DATA, flags, stream, &vec![b'x'; octets])
}

/// DATA of that many octets in frames of at most 16384.
pub(super) fn much_data(stream: u32, octets: usize) -> Vec<u8> {
    let full = octets / 16_384;
    let mut bytes: Vec<u8> = (0..full).flat_map(|_| data(stream, 0, 16_384)).collect();
    bytes.extend(data(stream, 0, octets % 16_384));
    bytes
}

pub(super) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = values
        .iter()
        .flat_map(|(id, value)| id.to_be_bytes().into_iter().chain(value.to_be_bytes()))
        .collect();
    frame(FrameType::SETTINGS, 0, 0, &payload)
}

pub(super) fn settings_ack() -> Vec<u8> {
    frame(FrameType::SETTINGS, ACK, 0, &[])
}

pub(super) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(FrameType::WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub(super) fn rst_stream(stream: u32) -> Vec<u8> {
    frame(FrameType::RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

pub(super) fn ping(flags: u8, payload: [u8; 8]) -> Vec<u8> {
    frame(FrameType::PING, flags, 0, &payload)
}

pub(super) fn goaway(last_stream: u32) -> Vec<u8> {
    goaway_error(last_stream, 0)
}

/// GOAWAY with this error code.
pub(super) fn goaway_error(last_stream: u32, code: u32) -> Vec<u8> {
    frame(FrameType::GOAWAY, 0, 0, [last_stream, code].map(u32::to_be_bytes).as_flattened())
}

pub(super) fn push_promise(stream: u32, promised: u32) -> Vec<u8> {
    let mut payload = promised.to_be_bytes().to_vec();
    payload.extend(GET);
    frame(FrameType::PUSH_PROMISE, END_HEADERS, stream, &payload)
}

/// A field line, without indexing.
pub(super) fn line(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0, name.len() as u8];
    bytes.extend(name.as_bytes());
    bytes.push(value.len() as u8);
    bytes.extend(value.as_bytes());
    bytes
}

pub(super) fn concat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
