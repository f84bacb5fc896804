//! Calls over a network: what both places see of them.

use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::time::{Moment, Timestamp};
use crate::join::Place;
use crate::join::collect::{Batch, Room, Side};
use crate::record::samples::fields;
use crate::record::{ConnectionMeta, Message, RecordSink, SegmentView, Transaction};
use std::collections::HashMap;

pub(super) const MILLI: u64 = 1_000_000;
/// From one place to the other.
pub(super) const DELAY: u64 = 10 * MILLI;
/// The server's clock less the client's.
pub(super) const OFFSET: i64 = -250 * MILLI as i64;
const START: u64 = 1_800_000_000_000_000_000;

/// Two places.
pub(super) struct Lab {
    now: u64,
    client: Vec<Seen>,
    server: Vec<Seen>,
    connections: HashMap<u64, [u32; 2]>,
    room: Room,
}

/// What a place sees: at this time of its own clock.
enum Seen {
    Segment(u64, Sent),
    Call(u64, Box<Transaction>),
}

impl Seen {
    fn time(&self) -> u64 {
        match self {
            Self::Segment(_, sent) => sent.at,
            Self::Call(_, call) => call.ended_at.as_nanos(),
        }
    }
}

#[derive(Clone, Copy)]
struct Sent {
    at: u64,
    from: Direction,
    seq: u32,
    ack: Option<u32>,
    syn: bool,
    payload: &'static [u8],
}

/// Which places see a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
    Uncaptured,
}

/// What there is of a call behind something that passes it on, or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    Captured,
    Uncaptured,
    Nothing,
}

impl Lab {
    pub(super) fn with_room(room: Room) -> Self {
        Self { now: START, client: Vec::new(), server: Vec::new(), connections: HashMap::new(), room }
    }

    fn of_server(time: u64) -> u64 {
        time.checked_add_signed(OFFSET).unwrap()
    }

    /// A segment leaves now.
    fn send(&mut self, connection: u64, from: Direction, syn: bool, payload: &'static [u8], fate: Fate) {
        let numbers = self.connections.get_mut(&connection).unwrap();
        let [own, other] = [numbers[from.index()], numbers[from.reverse().index()]];
        numbers[from.index()] += u32::from(syn) + payload.len() as u32;
        let ack = (!syn || from == Direction::Backward).then_some(other);
        let sent = Sent { at: self.now, from, seq: own, ack, syn, payload };
        let (left, came) = (self.now, self.now + DELAY);
        let here = from == Direction::Forward;
        let client = Sent { at: if here { left } else { came }, ..sent };
        let server = Sent { at: Self::of_server(if here { came } else { left }), ..sent };
        if here || fate == Fate::Arrives {
            self.client.push(Seen::Segment(connection, client));
        }
        if !here || fate == Fate::Arrives {
            self.server.push(Seen::Segment(connection + 1000, server));
        }
        self.now += DELAY;
    }

    fn open(&mut self, connection: u64) {
        if self.connections.contains_key(&connection) {
            return;
        }
        let number = connection as u32 * 77_777;
        self.connections.insert(connection, [number, number ^ 0xffff_0000]);
        self.send(connection, Direction::Forward, true, b"", Fate::Arrives);
        self.send(connection, Direction::Backward, true, b"", Fate::Arrives);
        self.send(connection, Direction::Forward, false, b"", Fate::Arrives);
    }

    /// A call, seen at both places.
    pub(super) fn call(&mut self, connection: u64, stream: u32, path: &str) {
        self.differing_call(connection, stream, path, path);
    }

    /// A call of which the places do not see the same.
    pub(super) fn differing_call(&mut self, connection: u64, stream: u32, here: &str, there: &str) {
        self.open(connection);
        let start = self.now;
        self.send(connection, Direction::Forward, false, b"request", Fate::Arrives);
        self.now += 3 * MILLI;
        let answered = self.now;
        self.send(connection, Direction::Backward, false, b"response", Fate::Arrives);
        let end = self.now;
        self.send(connection, Direction::Forward, false, b"", Fate::Arrives);
        self.client.push(Seen::Call(connection, Box::new(call(stream, here, start, end))));
        let (start, end) = (Self::of_server(start + DELAY), Self::of_server(answered));
        self.server.push(Seen::Call(connection + 1000, Box::new(call(stream, there, start, end))));
    }

    /// A call the last bytes of whose request were not captured at the client's place.
    pub(super) fn cut_call(&mut self, connection: u64, stream: u32, path: &str) {
        self.call(connection, stream, path);
        if let Some(Seen::Call(_, call)) = self.client.last_mut() {
            call.request.last_lost = true;
        }
    }

    /// A call whose request does not arrive.
    pub(super) fn lost_call(&mut self, connection: u64, stream: u32, path: &str) {
        self.open(connection);
        let start = self.now;
        self.send(connection, Direction::Forward, false, b"request", Fate::Lost);
        self.client.push(Seen::Call(connection, Box::new(unanswered(stream, path, start, self.now))));
    }

    /// A call whose request arrives without being captured there.
    pub(super) fn unseen_call(&mut self, connection: u64, stream: u32, path: &str) {
        self.open(connection);
        let start = self.now;
        self.send(connection, Direction::Forward, false, b"request", Fate::Uncaptured);
        self.send(connection, Direction::Backward, false, b"response", Fate::Arrives);
        self.client.push(Seen::Call(connection, Box::new(call(stream, path, start, self.now))));
    }

    /// A call whose request is sent twice, and arrives without being captured there.
    pub(super) fn unseen_call_sent_again(&mut self, connection: u64, stream: u32, path: &str) {
        self.open(connection);
        self.send(connection, Direction::Forward, false, b"request", Fate::Uncaptured);
        if let Some([client, _]) = self.connections.get_mut(&connection) {
            *client -= b"request".len() as u32;
        }
        self.unseen_call(connection, stream, path);
    }

    /// A call whose request was captured at the server's place only when it was sent once more, behind the response.
    pub(super) fn call_seen_late(&mut self, connection: u64, stream: u32, path: &str) {
        self.open(connection);
        let start = self.now;
        self.send(connection, Direction::Forward, false, b"request", Fate::Uncaptured);
        let answered = self.now;
        self.send(connection, Direction::Backward, false, b"response", Fate::Arrives);
        let end = self.now;
        if let Some([client, _]) = self.connections.get_mut(&connection) {
            *client -= b"request".len() as u32;
        }
        let again = self.now;
        self.send(connection, Direction::Forward, false, b"request", Fate::Arrives);
        self.client.push(Seen::Call(connection, Box::new(call(stream, path, start, end))));
        let (start, answered) = (Self::of_server(again + DELAY), Self::of_server(answered));
        let mut there = call(stream, path, start, start);
        there.response.first = Some(Timestamp::from_nanos(answered));
        self.server.push(Seen::Call(connection + 1000, Box::new(there)));
    }

    /// A call of connection 1, which something between answers, or asks the server for on connection 2: that is captured there, or not.
    pub(super) fn call_with_id(&mut self, stream: u32, path: &str, behind: Behind) {
        let (start, asked, answered) = (self.now, self.now + DELAY, self.now + 2 * DELAY);
        self.now += 3 * DELAY;
        let end = self.now;
        self.pass(Place::Client, Direction::Forward, start, true);
        self.pass(Place::Client, Direction::Backward, end, true);
        let with_id = |mut call: Transaction| {
            let lines = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", path)];
            call.request.headers = fields(&[&lines[..], &[("x-request-id", path)]].concat());
            Box::new(call)
        };
        self.client.push(Seen::Call(1, with_id(call(stream, path, start, end))));
        if behind == Behind::Nothing {
            return;
        }
        let is_captured = behind == Behind::Captured;
        let (asked, answered) = (Self::of_server(asked), Self::of_server(answered));
        self.pass(Place::Server, Direction::Forward, asked, is_captured);
        self.pass(Place::Server, Direction::Backward, answered, is_captured);
        if is_captured {
            self.server.push(Seen::Call(1002, with_id(call(stream, path, asked, answered))));
        }
    }

    /// A segment passes one place.
    fn pass(&mut self, place: Place, from: Direction, at: u64, is_captured: bool) {
        let connection = if place == Place::Client { 1 } else { 2 };
        let numbers = self.connections.entry(connection).or_insert([connection as u32 * 77_777; 2]);
        let [own, other] = [numbers[from.index()], numbers[from.reverse().index()]];
        numbers[from.index()] += 10;
        let sent = Sent { at, from, seq: own, ack: Some(other), syn: false, payload: b"0123456789" };
        match place {
            _ if !is_captured => {}
            Place::Client => self.client.push(Seen::Segment(1, sent)),
            Place::Server => self.server.push(Seen::Segment(1002, sent)),
        }
    }

    /// What both have seen, piece by piece: in order of time; or the client's first, as if the clocks were far apart.
    pub(super) fn read(self, in_order: bool, mut take: impl FnMut(Place, &Batch)) {
        let server = self.server.into_iter().map(|seen| {
            let time = seen.time().checked_add_signed(-OFFSET).unwrap();
            (if in_order { time } else { u64::MAX }, Place::Server, seen)
        });
        let client = self.client.into_iter().map(|seen| (seen.time(), Place::Client, seen));
        let mut all: Vec<_> = client.chain(server).collect();
        all.sort_by_key(|(time, ..)| *time);
        for (packet, (_, place, seen)) in (1..).zip(all) {
            take(place, &part([(packet, seen)]));
        }
    }

    /// What both have seen.
    pub(super) fn sides(self) -> (Side, Side) {
        (side(self.client, self.room), side(self.server, self.room))
    }
}

fn side(seen: Vec<Seen>, room: Room) -> Side {
    let mut side = Side::with_room(room);
    side.take(&part((1..).zip(seen)));
    side
}

/// As a worker hands it on.
fn part(seen: impl IntoIterator<Item = (u64, Seen)>) -> Batch {
    let mut part = Batch::new([].into());
    let end = |last: u8, port| Endpoint { ip: [10, 0, 0, last].into(), port };
    for (packet, seen) in seen {
        match seen {
            Seen::Segment(connection, sent) => part.segment(&SegmentView {
                connection,
                senders: [end(1, 40_000 + connection as u16), end(2, 443)],
                from: sent.from,
                at: Moment { packet, time: Timestamp::from_nanos(sent.at) },
                seq: sent.seq,
                len: sent.payload.len() as u32,
                ack: sent.ack,
                syn: sent.syn,
                fin: false,
                ip_id: None,
                payload: sent.payload,
            }),
            Seen::Call(connection, transaction) => {
                let meta = ConnectionMeta {
                    id: connection,
                    client: end(1, 40_000 + connection as u16),
                    server: end(2, 443),
                    tls: None,
                    client_is_forward: true,
                    parent: None,
                    authority: None,
                };
                part.transaction(Moment::default(), &meta, &transaction);
            }
        }
    }
    part
}

fn call(stream: u32, path: &str, start: u64, end: u64) -> Transaction {
    let (start, end) = (Timestamp::from_nanos(start), Timestamp::from_nanos(end));
    let message = |lines: &[(&str, &str)], at| Message {
        headers: fields(lines),
        seen: true,
        first: Some(at),
        last: Some(at),
        ended: true,
        ..Message::default()
    };
    Transaction {
        stream,
        first: Moment { packet: 1, time: start },
        ended_at: end,
        request: message(
            &[(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", path)],
            start,
        ),
        response: message(&[(":status", "200")], end),
        ..Transaction::default()
    }
}

fn unanswered(stream: u32, path: &str, start: u64, end: u64) -> Transaction {
    let call = call(stream, path, start, end);
    let partial = crate::record::Partial::NO_RESPONSE;
    Transaction { response: Message::default(), partial, ..call }
}
