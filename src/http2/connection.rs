//! Both directions of an HTTP/2 connection.

use super::counters::Counters;
use super::event::{EventContext, EventSink, UpgradeRequest};
use super::half::Half;
use super::ledger::Ledger;
use super::side::Side;
use crate::base::time::Moment;
use crate::flow::{Arrival, Gap};

/// Where the bytes of a side begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the client preface (RFC 9113 section 3.4).
    Preface,
    /// With the first frame.
    Frames,
    /// With the first frame, unless that is not SETTINGS, as it must be: then bytes before it were lost.
    Unsure,
    /// Nothing of the client was read yet: with the client preface, or somewhere.
    Unread,
    /// It is none of HTTP/2.
    Foreign,
    /// Somewhere: the capture began later than the connection, or bytes were lost.
    Late,
}

/// An HTTP/2 connection: takes the bytes of both sides and tells what they say.
#[derive(Debug)]
pub struct Connection {
    client: Half,
    server: Half,
    ledger: Ledger,
}

impl Connection {
    /// A connection whose sides' bytes begin as said.
    ///
    /// The windows are followed where `windows` says that a listener wants them.
    pub fn new(client: Start, server: Start, windows: bool) -> Self {
        let half = |side, start| match start {
            Start::Preface => Half::new(side, true),
            Start::Frames => Half::new(side, false),
            Start::Unsure => Half::unsure(side),
            Start::Unread => Half::unread(side),
            Start::Late => Half::joined_late(side),
            Start::Foreign => Half::foreign(side),
        };
        let mut ledger = Ledger::default();
        if windows {
            ledger.follow_windows();
        }
        for (side, start) in [(Side::Client, client), (Side::Server, server)] {
            if start == Start::Late {
                ledger.joins_late(side);
            }
        }
        Self { client: half(Side::Client, client), server: half(Side::Server, server), ledger }
    }

    /// The connection was upgraded from HTTP/1.1 by this request (RFC 7540 section 3.2), with the settings of its
    /// `HTTP2-Settings` field.
    pub fn upgrade(&mut self, request: &UpgradeRequest<'_>, settings: &[u8], sink: &mut impl EventSink) {
        let (from, ledger) = (Side::Client, &self.ledger);
        sink.upgraded(&EventContext { from, arrival: ledger.latest(from), ledger }, request);
        self.ledger.upgraded();
        self.client.upgraded();
        self.upgrade_settings(settings, sink);
    }

    /// The client's settings came with an `HTTP2-Settings` field (RFC 7540 section 3.2.1); they count as
    /// acknowledged.
    fn upgrade_settings(&mut self, payload: &[u8], sink: &mut impl EventSink) {
        let values = payload
            .as_chunks()
            .0
            .iter()
            .map(|&[a, b, c, d, e, f]| (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])));
        for (id, value) in values.clone() {
            sink.setting(Side::Client, id, value);
        }
        self.ledger.announced(Side::Client, Moment::default(), values);
        self.ledger.settings_acknowledged(Side::Server, Moment::default());
    }

    /// The next bytes of a side: all from one segment, or one TLS record.
    pub fn data(&mut self, from: Side, arrival: &Arrival, bytes: &[u8], sink: &mut impl EventSink) {
        let (half, ledger) = self.half(from);
        ledger.arrived(from, arrival);
        ledger.read(from, arrival);
        ledger.credit.earn_segment();
        half.data(arrival, bytes, ledger, sink);
    }

    /// The next bytes of a side, whose checksum is wrong and of which there is no better copy.
    pub fn worse(&mut self, from: Side, arrival: &Arrival, bytes: &[u8], sink: &mut impl EventSink) {
        let (half, ledger) = self.half(from);
        ledger.arrived(from, arrival);
        ledger.read(from, arrival);
        half.worse(arrival, bytes, ledger, sink);
    }

    /// Bytes of a side are missing.
    pub fn gap(&mut self, from: Side, arrival: &Arrival, gap: Gap, sink: &mut impl EventSink) {
        let (half, ledger) = self.half(from);
        ledger.arrived(from, arrival);
        half.gap(arrival, gap, ledger, sink);
    }

    /// No more bytes of this side: what is unfinished is told as far as it goes.
    pub fn finish(&mut self, from: Side, at: Moment, sink: &mut impl EventSink) {
        let (half, ledger) = self.half(from);
        let latest = ledger.latest(from);
        let acknowledged = latest.acknowledged_in(at);
        let arrival = Arrival { at, span: latest.span, acknowledged, ..Arrival::default() };
        half.finish(&arrival, ledger, sink);
    }

    /// Bytes of memory held: dynamic tables, and what is in hand of frames and header blocks.
    pub fn memory(&self) -> usize {
        self.client.memory() + self.server.memory() + self.ledger.memory()
    }

    /// SETTINGS, and acknowledgments of them, beyond [`crate::base::limits::SETTINGS_UNACKNOWLEDGED`].
    pub const fn settings_limited(&self) -> u64 {
        self.ledger.settings_limited()
    }

    /// What both sides have said so far.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the frames and header blocks so far add up to.
    pub const fn counters(&self) -> &Counters {
        &self.ledger.counters
    }

    /// Frames that were longer than [`crate::base::limits::FRAME_PAYLOAD`].
    pub const fn payloads_limited(&self) -> u64 {
        self.client.payloads_limited() + self.server.payloads_limited()
    }

    fn half(&mut self, side: Side) -> (&mut Half, &mut Ledger) {
        match side {
            Side::Client => (&mut self.client, &mut self.ledger),
            Side::Server => (&mut self.server, &mut self.ledger),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::GapCause;

    /// What hears of nothing.
    struct Deaf;

    impl EventSink for Deaf {}

    /// What follows a loss is not asked to be the side's first frame, too: framing would be lost once more.
    #[test]
    fn a_loss_answers_whether_the_first_bytes_are_the_first() {
        let acknowledgment = [0, 0, 0, 4, 1, 0, 0, 0, 0];
        let mut connection = Connection::new(Start::Frames, Start::Unsure, false);
        let arrival = Arrival::default();
        connection.gap(Side::Server, &arrival, Gap::new(Some(21), GapCause::Lost), &mut Deaf);
        connection.data(Side::Server, &arrival, &acknowledgment, &mut Deaf);
        let counters = connection.counters();
        assert_eq!((counters.losses, counters.skipped_bytes), (1, 0));
    }

    /// Hears fields without a numbered name: name and value, as far as they are known.
    #[derive(Default)]
    struct Fields(Vec<[Option<Vec<u8>>; 2]>);

    impl EventSink for Fields {
        fn field(&mut self, field: &crate::http2::hpack::Field<'_>) {
            self.0.push([field.name, field.value].map(|text| text.map(<[u8]>::to_vec)));
        }
    }

    /// Of bytes behind a loss it is not known where a frame begins before a hole of unknown size says that no more of them will
    /// come. What is behind that hole may come after other header blocks.
    #[test]
    fn a_hole_of_unknown_size_is_one_behind_what_was_found_before_it_too() {
        let long_data = [0, 3, 232, 0, 0, 0, 0, 0, 1];
        let fields = b"\x88\x40\x01a\x01v\x40\x01b\x01v\x40\x01c\x01v\x40\x01d\x01v\x40\x01e\x01v";
        let block = |fields: &[u8]| [&[0, 0, fields.len() as u8, 1, 4, 0, 0, 0, 1], fields].concat();
        let doubtful = [&long_data[..], &[0xff; 20], &block(fields)].concat();
        let mut connection = Connection::new(Start::Frames, Start::Late, false);
        let (arrival, mut heard) = (Arrival::default(), Fields::default());
        connection.data(Side::Server, &arrival, &doubtful, &mut heard);
        assert!(heard.0.is_empty(), "it may be DATA, and be followed by more");
        connection.gap(Side::Server, &arrival, Gap::new(None, GapCause::NotDecrypted), &mut heard);
        assert_eq!(heard.0.len(), 5);
        connection.data(Side::Server, &arrival, &block(b"\x88\xbe"), &mut heard);
        assert_eq!(heard.0.get(5), Some(&[None, None]));
        assert_eq!(connection.counters().losses, 1);
    }
}
