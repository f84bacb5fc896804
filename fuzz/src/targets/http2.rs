//! An HTTP/2 connection seen from its start: however its bytes are cut, the events are the same; the frames are those
//! that a plain reading of the length fields gives; memory and time follow the input.

use crate::cost::Cost;
use crate::pieces::{Piece, Pieces, What};
use h2lens::base::time::{Moment, Timestamp};
use h2lens::flow::{Arrival, Gap, GapCause};
use h2lens::http2::frame::{FrameHeader, FrameView};
use h2lens::http2::hpack::Field;
use h2lens::http2::{
    Anomaly, Block, BlockEnd, Connection, Counters, EventContext, EventSink, Foreign, FrameSpot, PREFACE,
    Side, Start,
};

/// Events as text, without what depends on the segments, DATA run together.
#[derive(Debug, Default)]
pub struct Events {
    /// In their order.
    pub list: Vec<String>,
    /// Frame headers of the client and of the server.
    pub headers: [Vec<FrameHeader>; 2],
    /// DATA of both sides, in the order in which it came.
    pub data: Vec<(Side, Vec<u8>)>,
    /// The client or the server speaks no HTTP/2.
    pub foreign: [bool; 2],
    /// Bytes skipped.
    pub skipped: u64,
    /// What they add up to.
    pub counters: Counters,
    /// Keep no text.
    pub quiet: bool,
}

impl Events {
    fn tell(&mut self, text: impl FnOnce() -> String) {
        if !self.quiet {
            self.list.push(text());
        }
    }

    /// Counters that do not depend on the segments.
    pub fn plain_counters(&self) -> [u64; 3] {
        [self.counters.ends_of_stream, self.counters.resets, self.counters.continuations]
    }
}

impl EventSink for Events {
    fn wants_frames(&self) -> bool {
        true
    }
    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, _: Moment) {
        let from = cx.from;
        self.headers[usize::from(!from.is_client())].push(*header);
        self.tell(|| format!("{from:?} {header:?}"));
    }
    fn frame(&mut self, _: &EventContext<'_>, frame: &FrameView<'_>) {
        let parsed = h2lens::http2::frame::Payload::parse(&frame.header, frame.payload);
        self.tell(|| format!("frame {} {:?}", frame.from_client, parsed));
    }
    fn block_start(&mut self, _: &EventContext<'_>, block: &Block) {
        self.tell(|| {
            format!("block {:?} {} {:?} {}", block.from, block.stream, block.promised, block.end_stream)
        });
    }
    fn field(&mut self, field: &Field<'_>) {
        self.tell(|| format!("{field:?}"));
    }
    fn block_end(&mut self, _: &EventContext<'_>, _: &Block, end: &BlockEnd) {
        self.tell(|| format!("{end:?}"));
    }
    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {
        let from = cx.from;
        assert!(!bytes.is_empty());
        match self.data.last_mut() {
            Some((side, data)) if *side == from => data.extend_from_slice(bytes),
            _ => self.data.push((from, bytes.to_vec())),
        }
        let text = format!("data {from:?} {stream}");
        if !self.quiet && self.list.last() != Some(&text) {
            self.list.push(text);
        }
    }
    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {
        let from = cx.from;
        self.tell(|| format!("data lost {from:?} {stream} {len} {cause:?}"));
    }
    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        let from = cx.from;
        self.tell(|| format!("data end {from:?} {stream} {end_stream}"));
    }
    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, code: Option<u32>, _: FrameSpot) {
        let from = cx.from;
        self.tell(|| format!("reset {from:?} {stream} {code:?}"));
    }
    fn goaway(&mut self, cx: &EventContext<'_>, last: u32, code: u32, debug: &[u8]) {
        let from = cx.from;
        self.tell(|| format!("goaway {from:?} {last} {code} {debug:?}"));
    }
    fn setting(&mut self, from: Side, id: u16, value: u32) {
        self.tell(|| format!("setting {from:?} {id} {value}"));
    }
    fn begins(&mut self, from: Side) {
        assert!(from.is_client() && self.headers[0].is_empty(), "frames came before the preface");
    }
    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {
        let from = cx.from;
        self.tell(|| format!("lost {from:?} {cause:?}"));
    }
    fn skipped(&mut self, cx: &EventContext<'_>, bytes: u64) {
        let from = cx.from;
        self.skipped += bytes;
        self.tell(|| format!("skipped {from:?} {bytes}"));
    }
    fn foreign(&mut self, cx: &EventContext<'_>, what: &Foreign) {
        let from = cx.from;
        self.foreign[usize::from(!from.is_client())] = true;
        self.tell(|| format!("foreign {from:?} {what:?}"));
    }
    fn anomaly(&mut self, cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, _: Moment) {
        let from = cx.from;
        self.tell(|| format!("anomaly {from:?} {stream} {anomaly:?}"));
    }
}

/// Two streams as [`Pieces`], without gaps.
pub fn run(data: &[u8]) {
    let mut pieces = Pieces::read(data);
    pieces.list.retain(|piece| matches!(piece.what, What::Bytes(_)));
    let start = || Connection::new(Start::Preface, Start::Frames, true);
    // Where the preface is there, it makes no difference whether it was expected.
    let unread = if pieces.bytes(false).starts_with(PREFACE) { Start::Unread } else { Start::Preface };
    let cost = Cost::start();
    let quiet = Events { quiet: true, ..Events::default() };
    // A field may stand in the table, and be named by one byte: HPACK_LIST bounds what a block can name.
    read(start(), &pieces.list, quiet);
    cost.assert(data.len(), (1 << 20) + 64 * data.len(), 20_000);

    let whole = read(start(), &pieces.list, Events::default());
    let cut = read(Connection::new(unread, Start::Frames, true), &pieces.cut(), Events::default());
    if let Some(at) =
        (0..whole.list.len().max(cut.list.len())).find(|&at| whole.list.get(at) != cut.list.get(at))
    {
        panic!("event {at}: {:?} in one piece, {:?} cut", whole.list.get(at), cut.list.get(at));
    }
    assert_eq!(whole.data, cut.data);
    assert_eq!(whole.plain_counters(), cut.plain_counters());
    assert!(whole.list.iter().all(|event| !event.starts_with("lost ")), "lost, though nothing is missing");

    for ((backward, headers), foreign) in [false, true].into_iter().zip(&whole.headers).zip(whole.foreign) {
        let bytes = pieces.bytes(backward);
        let mut rest = bytes.get(if backward { 0 } else { PREFACE.len() }..).unwrap_or_default();
        let mut plain = Vec::new();
        while let Some(header) = FrameHeader::read(rest) {
            rest = rest.get(9 + header.length as usize..).unwrap_or_default();
            plain.push(header);
        }
        if foreign {
            // Its first frame would be longer than any that is allowed without a setting, and no SETTINGS.
            let header = bytes.get(if backward { 0 } else { PREFACE.len() }..).unwrap_or_default();
            assert!(matches!(header, [high, middle, low, kind, ..]
                if u32::from_be_bytes([0, *high, *middle, *low]) > 1 << 14 && *kind != 4));
            plain.clear();
        }
        assert_eq!(headers, &plain);
    }
}

/// Gives a connection the pieces, and ends it.
pub fn read(connection: Connection, pieces: &[Piece<'_>], events: Events) -> Events {
    let (mut connection, mut events) = (connection, events);
    let mut last = Moment::default();
    for piece in pieces {
        let from = if piece.backward { Side::Server } else { Side::Client };
        last = Moment { packet: piece.number, time: Timestamp::from_nanos(piece.number) };
        let arrival = Arrival { at: last, ..Arrival::default() };
        match piece.what {
            What::Bytes(bytes) => connection.data(from, &arrival, bytes, &mut events),
            What::Gap(len) => {
                connection.gap(from, &arrival, Gap::new(Some(len), GapCause::Lost), &mut events);
            }
        }
    }
    connection.finish(Side::Client, last, &mut events);
    connection.finish(Side::Server, last, &mut events);
    events.counters = *connection.counters();
    events
}
