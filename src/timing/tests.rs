//! The room's bounds, and what attackers make of windows.

use super::exchange::Exchange;
use super::*;
use crate::base::time::Moment;
use crate::flow::Arrival;
use crate::http2::{Connection, Start};
use crate::record::Transaction;

/// A connection, and who measures its time.
struct Wire {
    connection: Connection,
    timing: Timing,
    packet: u64,
}

impl Wire {
    fn new() -> Self {
        let connection = Connection::new(Start::Preface, Start::Frames, true);
        let mut this = Self { connection, timing: Timing::new((false, false), true), packet: 0 };
        this.send(Side::Client, crate::http2::PREFACE);
        for side in [Side::Client, Side::Server] {
            this.send(side, &[0, 0, 0, 4, 0, 0, 0, 0, 0]);
            this.send(side, &[0, 0, 0, 4, 1, 0, 0, 0, 0]);
        }
        this
    }

    /// A millisecond later a side sends this.
    fn send(&mut self, from: Side, bytes: &[u8]) {
        self.send_record(from, 1, bytes);
    }

    /// The same in a TLS record that comes in so many packets, one a millisecond.
    fn send_record(&mut self, from: Side, packets: u64, bytes: &[u8]) {
        let time = |packet: u64| Timestamp::from_nanos(packet * 1_000_000);
        let record_since = (packets > 1).then_some(time(self.packet + 1));
        self.packet += packets;
        let at = Moment { packet: self.packet, time: time(self.packet) };
        self.connection.data(
            from,
            &Arrival { at, record_since, ..Arrival::default() },
            bytes,
            &mut self.timing,
        );
    }

    /// Bytes of the server are missing from this packet on, or not any more.
    fn lose(&mut self, packet: u64, missing: bool) {
        let at = Timestamp::from_nanos(packet * 1_000_000);
        let missing = PerSide { client: false, server: missing };
        self.timing.segment(at, missing, PerSide::default());
    }

    /// GET or POST, whose header block is not read here.
    fn ask(&mut self, stream: u32, end_stream: bool) {
        let [_, a, b, c] = stream.to_be_bytes();
        self.send(Side::Client, &[0, 0, 3, 1, 4 | u8::from(end_stream), 0, a, b, c, 0x82, 0x86, 0x84]);
    }

    fn answer(&mut self, stream: u32) {
        let [_, a, b, c] = stream.to_be_bytes();
        self.send(Side::Server, &[0, 0, 1, 1, 4, 0, a, b, c, 0x88]);
    }

    /// The record of a stream that ends now.
    fn end(&mut self, stream: u32, begun: u64) -> Transaction {
        let mut record = self.record(stream, begun);
        self.timing.annotate(&mut record);
        record
    }

    /// The same, without its time.
    fn record(&self, stream: u32, begun: u64) -> Transaction {
        let at = |packet: u64| Moment { packet, time: Timestamp::from_nanos(packet * 1_000_000) };
        let mut record =
            Transaction { stream, first: at(begun), last: at(self.packet), ..Transaction::default() };
        record.ended_at = record.last.time;
        record.request.seen = true;
        record
    }
}

fn update(stream: u8, increment: u32) -> Vec<u8> {
    [&[0, 0, 4, 8, 0, 0, 0, 0, stream][..], &increment.to_be_bytes()].concat()
}

fn initial_window(octets: u32) -> Vec<u8> {
    [&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4][..], &octets.to_be_bytes()].concat()
}

const ACK: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];

/// Of two streams that wait for credit at overlapping times, and of one that ends while it waits, each moment counts once.
#[test]
fn time_without_credit_on_a_stream_counts_once() {
    let mut wire = Wire::new();
    wire.send(Side::Client, &initial_window(5));
    wire.send(Side::Server, &ACK);
    let data = |stream: u8| [&[0, 0, 5, 0, 0, 0, 0, 0, stream][..], b"12345"].concat();
    for stream in [1, 3] {
        wire.ask(stream, true);
        wire.answer(stream);
    }
    for stream in [1, 3] {
        wire.send(Side::Server, &data(stream as u8));
    }
    let began = wire.packet - 1;
    wire.send(Side::Client, &update(1, 10));
    wire.send(Side::Client, &update(3, 10));
    let millis = |packets: u64| packets * 1_000_000;
    assert_eq!(wire.timing.clocks.server.blocked().stream_window, millis(wire.packet - began));
    // A millisecond later, when both can go on.
    wire.send(Side::Server, &[&data(1)[..], &data(1)].concat());
    let began = (wire.packet, wire.timing.clocks.server.blocked().stream_window);
    wire.send(Side::Server, &data(3));
    wire.end(1, 4);
    wire.send(Side::Server, &data(3));
    let blocked = wire.timing.clocks.server.blocked();
    assert_eq!(blocked.stream_window, began.1 + millis(1), "the stream that waited is over");
    assert_eq!(blocked.connection_window, 0);
}

/// The client's direction waits for a hole to fill: it may have given credit there.
/// A connection that is idle is told of while nothing was sent in a direction: what is sent later is not measured from then.
#[test]
fn a_description_begins_no_clock() {
    let at = |second| Timestamp::from_parts(second, 0);
    let mut timing = Timing::new((false, false), true);
    timing.describe(&Ledger::default(), None, at(5), Handshakes::default());
    assert_eq!(timing.clocks.client.read(at(7)).at, at(7));
    assert_eq!(timing.clocks.client.read(at(7)).free, 0);
}

#[test]
fn credit_may_stand_behind_a_hole_that_is_still_open() {
    for missing in [false, true] {
        let mut wire = Wire::new();
        wire.send(Side::Client, &initial_window(5));
        wire.send(Side::Server, &ACK);
        let data = |flags| [&[0, 0, 5, 0, flags, 0, 0, 0, 1][..], b"12345"].concat();
        wire.ask(1, true);
        let begun = wire.packet;
        wire.answer(1);
        wire.send(Side::Server, &data(0));
        let at = Timestamp::from_nanos(wire.packet * 1_000_000);
        let missing_of = PerSide { client: missing, server: false };
        wire.timing.segment(at, missing_of, PerSide::default());
        wire.send(Side::Server, &data(1));
        let record = wire.end(1, begun);
        assert_eq!(record.time.is_some(), !missing);
        assert_eq!(record.unknown.contains(Unknown::TIME), missing);
    }
}

/// A record is sent as one: the server's application is not silent while it comes, and the response begins with it.
#[test]
fn the_time_that_a_tls_record_takes_is_no_silence() {
    let data =
        |len: u8, flags: u8| [&[0, 0, len, 0, flags, 0, 0, 0, 1][..], &[0; 255][..len.into()]].concat();
    let mut wire = Wire::new();
    wire.ask(1, true);
    let begun = wire.packet;
    wire.packet += 20;
    let head = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];
    wire.send_record(Side::Server, 80, &[&head[..], &data(100, 0)].concat());
    wire.send_record(Side::Server, 60, &data(100, 0));
    wire.packet += 50;
    wire.send_record(Side::Server, 40, &data(100, 1));
    let record = wire.end(1, begun);
    let parts = record.time.unwrap().parts;
    let millis = |part| parts.get(part) / 1_000_000;
    // Up to the first packet of a record it was the application.
    assert_eq!((millis(TimePart::Wait), millis(TimePart::ServerPause)), (21, 51));
    assert_eq!(millis(TimePart::Transfer), 79 + 60 + 39);
}

/// The packets behind a lost one show that the server has begun to send, in a TLS record or without.
#[test]
fn silence_before_a_loss_is_silence() {
    let data = [&[0, 0, 100, 0, 0, 0, 0, 0, 1][..], &[0; 100]].concat();
    for packets in [1, 40] {
        let mut wire = Wire::new();
        wire.ask(1, true);
        let begun = wire.packet;
        wire.answer(1);
        let answered = wire.packet;
        wire.packet += 100;
        let (jump, filled) = if packets == 1 { (101, 121) } else { (111, 131) };
        wire.lose(answered + jump, true);
        if packets == 1 {
            wire.packet = answered + filled - 1;
            wire.send(Side::Server, &data);
            wire.lose(answered + filled, false);
        } else {
            wire.lose(answered + filled, false);
            wire.send_record(Side::Server, packets, &data);
        }
        let after = wire.packet;
        // Later there is silence without a loss.
        wire.packet += 50;
        wire.send(Side::Server, &data);
        let record = wire.end(1, begun);
        let parts = record.time.unwrap().parts;
        let millis = |part| parts.get(part) / 1_000_000;
        assert_eq!((millis(TimePart::ServerPause), millis(TimePart::TcpLoss)), (101 + 51, 20));
        assert_eq!(millis(TimePart::Transfer), after - answered - 101 - 20);
    }
}

/// What the direction carries for others may be newer than what ends the exchange.
#[test]
fn an_exchange_may_end_before_the_latest_segment() {
    let mut wire = Wire::new();
    wire.ask(1, true);
    let begun = wire.packet;
    wire.answer(1);
    wire.packet += 100;
    wire.answer(3);
    for back in [0, 1, 50, 100] {
        let mut record = wire.record(1, begun);
        record.ended_at = Timestamp::from_nanos((wire.packet - back) * 1_000_000);
        wire.timing.annotate(&mut record);
        wire.ask(1, true);
        wire.answer(1);
        let parts = record.time.map(|time| time.parts.sum());
        assert!(parts.is_none_or(|sum| sum == nanos(record.duration())), "{back}: {parts:?}");
    }
}

#[test]
fn what_is_kept_is_bounded() {
    assert!(size_of::<(u32, Exchange)>() <= 208, "{}", size_of::<(u32, Exchange)>());
    assert!(size_of::<Timing>() <= 1024, "{}", size_of::<Timing>());
}

/// A setting that changes all windows a million times is looked at no more often than there were frames.
#[test]
fn a_million_changes_of_all_windows_cost_no_more_than_their_frames() {
    let mut wire = Wire::new();
    for n in 0..1000 {
        wire.ask(2 * n + 1, true);
    }
    let change = [initial_window(1), initial_window(70_000)].concat();
    let start = std::time::Instant::now();
    for _ in 0..500 {
        wire.send(Side::Client, &change.repeat(1000));
        wire.send(Side::Server, &ACK.repeat(2000));
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let begun = 6;
    let record = wire.end(1, begun);
    assert!(record.time.is_none() && record.unknown.contains(Unknown::TIME), "not all could be looked at");
    wire.ask(2001, true);
    let begun = wire.packet;
    assert!(wire.end(2001, begun).time.is_some(), "it was opened after that");
}

#[test]
fn all_windows_may_change_while_many_streams_are_open() {
    let mut wire = Wire::new();
    for n in 0..100 {
        wire.ask(2 * n + 1, true);
    }
    for octets in [70_000, 80_000, 90_000] {
        wire.send(Side::Client, &initial_window(octets));
        wire.send(Side::Server, &ACK);
    }
    let begun = 6;
    assert!(wire.end(1, begun).time.is_some());
}

#[test]
fn windows_beyond_their_bounds_stop_nobody_who_has_credit() {
    let mut wire = Wire::new();
    wire.ask(1, true);
    let begun = wire.packet;
    wire.answer(1);
    // Far above 2^31 - 1, on the stream and on the connection.
    for _ in 0..1000 {
        wire.send(Side::Client, &[update(1, u32::MAX >> 1), update(0, u32::MAX >> 1)].concat());
    }
    wire.send(Side::Server, &[&[0, 0, 1, 0, 1, 0, 0, 0, 1][..], b"a"].concat());
    let record = wire.end(1, begun);
    let time = record.time.unwrap();
    assert_eq!(time.parts.sum(), nanos(record.duration()));
    assert_eq!(time.parts.get(TimePart::StreamWindow) + time.parts.get(TimePart::ConnectionWindow), 0);
}

#[test]
fn a_window_that_settings_make_negative_stops_its_sender() {
    let mut wire = Wire::new();
    wire.ask(1, true);
    let begun = wire.packet;
    wire.answer(1);
    wire.send(Side::Server, &[&[0, 0x40, 0, 0, 0, 0, 0, 0, 1][..], &[7; 0x4000]].concat());
    wire.send(Side::Client, &initial_window(100));
    wire.send(Side::Server, &ACK);
    let stopped = wire.packet;
    wire.packet += 500;
    wire.send(Side::Client, &update(1, 20_000));
    let freed = wire.packet;
    wire.send(Side::Server, &[&[0, 0, 1, 0, 1, 0, 0, 0, 1][..], b"a"].concat());
    let record = wire.end(1, begun);
    let time = record.time.unwrap();
    assert_eq!(time.parts.get(TimePart::StreamWindow), (freed - stopped) * 1_000_000);
    assert_eq!(time.parts.sum(), nanos(record.duration()));
    let codes: Vec<_> = wire.timing.take_notes().map(|note| (note.from, note.remark)).collect();
    assert_eq!(codes, [(Side::Client, Remark::SlowReader)]);
}

#[test]
fn a_flood_of_updates_is_no_time_of_anybody() {
    let mut wire = Wire::new();
    wire.ask(1, true);
    let (begun, memory) = (wire.packet, wire.timing.memory());
    for _ in 0..100 {
        wire.send(Side::Client, &update(1, 1).repeat(10_000));
    }
    assert_eq!(wire.timing.memory(), memory);
    let record = wire.end(1, begun);
    let time = record.time.unwrap();
    assert_eq!(time.parts.get(TimePart::Wait), nanos(record.duration()));
}

#[test]
fn exchanges_beyond_the_cap_are_counted_and_their_time_is_unknown() {
    let mut wire = Wire::new();
    for n in 0..=limits::RULE_STREAMS as u32 {
        wire.ask(2 * n + 1, true);
    }
    assert_eq!(wire.timing.limited(), 1);
    let begun = wire.packet;
    assert!(wire.end(2 * limits::RULE_STREAMS as u32 + 1, begun).time.is_none());
}

#[test]
fn who_stops_with_next_to_no_credit_was_low() {
    for (left, low) in [(600, true), (700, false)] {
        let mut wire = Wire::new();
        wire.timing.tcp_trips =
            PerSide { client: Some(Duration::from_millis(1)), server: Some(Duration::ZERO) };
        wire.timing.measure();
        wire.ask(1, true);
        let begun = wire.packet;
        wire.answer(1);
        wire.send(Side::Client, &update(0, 1 << 20));
        let mut octets = 65_535 - left;
        while octets > 0 {
            let length = octets.min(0x4000_u32);
            let [_, a, b, c] = length.to_be_bytes();
            wire.send(Side::Server, &[&[a, b, c, 0, 0, 0, 0, 0, 1][..], &vec![7; length as usize]].concat());
            octets -= length;
        }
        wire.packet += 50;
        wire.send(Side::Client, &update(1, 10_000));
        wire.send(Side::Server, &[&[0, 0, 1, 0, 1, 0, 0, 0, 1][..], b"a"].concat());
        assert_eq!(wire.end(1, begun).time.unwrap().stream_window_low, low, "{left}");
    }
}

/// gRPC's servers say `too_many_pings`; others may be calmed for other reasons.
#[test]
fn pings_are_told_of_where_they_are_the_reason() {
    for (pause, debug, told) in
        [(60_000, &b"too_many_pings"[..], true), (60_000, b"slow down", false), (1_000, b"", true)]
    {
        let mut wire = Wire::new();
        for n in 0..4 {
            wire.packet += pause;
            wire.send(Side::Client, &[0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n]);
        }
        let length = 8 + debug.len() as u8;
        let goaway = [&[0, 0, length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11][..], debug].concat();
        wire.send(Side::Server, &goaway);
        let notes: Vec<_> = wire.timing.take_notes().map(|note| (note.from, note.remark)).collect();
        let interval = (pause + 1) * 1_000_000;
        let expected = told.then_some((Side::Client, Remark::KeepaliveExcess(interval)));
        assert_eq!(notes, expected.into_iter().collect::<Vec<_>>(), "{pause} {debug:?}");
    }
}

#[test]
fn a_request_that_crosses_a_goaway_is_a_race_and_one_that_causes_it_is_none() {
    for (code, measured, race) in [(0, true, true), (1, true, false), (0, false, false)] {
        let mut wire = Wire::new();
        if measured {
            let trip = Some(Duration::from_millis(5));
            wire.timing.tcp_trips = PerSide { client: trip, server: trip };
            wire.timing.measure();
        }
        wire.ask(1, true);
        let begun = wire.packet;
        let goaway = [&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0, 0, 0, code]].concat();
        wire.send(Side::Server, &goaway);
        let mut record = wire.record(1, begun);
        record.disclaimed = true;
        wire.timing.annotate(&mut record);
        let told = wire.timing.take_notes().any(|note| matches!(note.remark, Remark::IdleCloseRace));
        assert_eq!(told, race, "{code} {measured}");
    }
}

/// The first frame of all counts, whichever side is read first; not where a side has lost what came before its first one.
#[test]
fn the_tls_handshake_ends_with_the_first_frame() {
    let took = |lost: bool| {
        let connection = Connection::new(Start::Preface, Start::Frames, true);
        let mut wire = Wire { connection, timing: Timing::new((false, false), false), packet: 10 };
        wire.send(Side::Client, crate::http2::PREFACE);
        wire.send(Side::Client, &ACK);
        wire.packet = 5;
        if lost {
            let gap = crate::flow::Gap::new(None, crate::flow::GapCause::NotDecrypted);
            wire.connection.gap(Side::Server, &Arrival::default(), gap, &mut wire.timing);
        }
        for _ in 0..8 {
            wire.send(Side::Server, &ACK);
        }
        let tcp = (Timestamp::from_nanos(1_000_000), Duration::ZERO);
        wire.timing.handshakes(Some(tcp), true).tls.map(|took| took.as_millis())
    };
    assert_eq!(took(false), Some(5));
    assert_eq!(took(true), None);
}

/// The client's direction waits for a hole to fill, and a response is read before its request.
#[test]
fn a_response_that_was_read_before_its_request_has_no_parts() {
    for early in [false, true] {
        let mut wire = Wire::new();
        wire.answer(100);
        if early {
            wire.answer(1);
        }
        for stream in [1, 3] {
            wire.ask(stream, true);
            wire.answer(stream);
            assert_eq!(wire.end(stream, wire.packet - 1).time.is_some(), stream == 3 || !early);
        }
    }
}

/// The acknowledgment of SETTINGS that were lost is not one of those that came later.
#[test]
fn settings_are_acknowledged_behind_a_loss_for_all_that_is_known() {
    for lost in [false, true] {
        let mut wire = Wire::new();
        assert_eq!(wire.timing.settings_trips.server.count, 1);
        let before = wire.timing.settings_trips.server.count;
        wire.packet += 1;
        if lost {
            let at = Moment { packet: wire.packet, time: Timestamp::from_nanos(wire.packet * 1_000_000) };
            let gap = crate::flow::Gap::new(Some(15), crate::flow::GapCause::Lost);
            wire.connection.gap(Side::Client, &Arrival { at, ..Arrival::default() }, gap, &mut wire.timing);
            let request = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];
            wire.send(Side::Client, &[request, request].concat());
        }
        wire.send(Side::Client, &initial_window(5));
        wire.send(Side::Server, &ACK);
        let counted = wire.timing.settings_trips.server.count - before;
        assert_eq!(counted, u64::from(!lost));
    }
}
