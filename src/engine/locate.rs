//! Which exchange does a packet belong to?

use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::http2::frame::{FrameType, FrameView};
use crate::record::{
    Annotation, ConnectionMeta, ConnectionRecord, Consumer, Finding, Kind, Order, Part, Places, RecordSink,
    Transaction,
};
use std::convert::Infallible;

/// Looks for the exchange of one packet.
#[derive(Debug)]
pub struct Locator {
    packet: u64,
    best: Option<(Rank, (u64, u32))>,
    /// Exchanges that lasted when the packet came.
    around: u64,
}

/// How surely a packet belongs to an exchange, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It has the first byte of the request.
    Begins,
    /// It has the beginning of a header block of it.
    Headers,
    /// It has the beginning of another frame of it.
    Frame,
    /// The exchange lasted when it came.
    Around,
}

impl Locator {
    /// Looks for the exchange of the packet with this number.
    pub const fn new(packet: u64) -> Self {
        Self { packet, best: None, around: 0 }
    }

    /// Connection and stream of the exchange, of several the first one that the packet tells of; `None` where the packet
    /// has no beginning of a frame, and not exactly one exchange lasted.
    pub fn found(&self) -> Option<(u64, u32)> {
        let (rank, exchange) = self.best?;
        (rank != Rank::Around || self.around == 1).then_some(exchange)
    }
}

/// The exchanges of one worker that the packet may belong to.
#[derive(Debug)]
pub struct Candidates {
    packet: u64,
    places: Places,
    all: Vec<(Order, Rank, (u64, u32))>,
}

impl Candidates {
    fn add(&mut self, now: Moment, kind: Kind, rank: Rank, exchange: (u64, u32)) {
        let order = self.places.of(now, exchange.0, kind, exchange.1.into());
        self.all.push((order, rank, exchange));
    }
}

impl Consumer for &mut Locator {
    type Part = Candidates;
    type Error = Infallible;

    fn part(&self) -> Candidates {
        Candidates { packet: self.packet, places: Places::default(), all: Vec::new() }
    }

    fn record(&mut self, part: &Candidates, index: usize, _: Annotation) -> Result<(), Infallible> {
        let Some(&(_, rank, exchange)) = part.all.get(index) else { return Ok(()) };
        self.around += u64::from(rank == Rank::Around);
        if self.best.is_none_or(|(best, _)| rank < best) {
            self.best = Some((rank, exchange));
        }
        Ok(())
    }
}

impl Part for Candidates {
    fn at_end(&mut self) {
        self.places.at_end();
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn order(&self, index: usize) -> Order {
        self.all.get(index).map_or(Order::FIRST, |(order, ..)| *order)
    }

    fn clear(&mut self, _: Memory) {
        self.all.clear();
    }
}

impl RecordSink for Candidates {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        let rank = if transaction.first.packet == self.packet {
            Rank::Begins
        } else if (transaction.first.packet..=transaction.last.packet).contains(&self.packet) {
            Rank::Around
        } else {
            return;
        };
        self.add(now, Kind::Transaction, rank, (connection.id, transaction.stream));
    }

    fn frame(&mut self, now: Moment, connection: &ConnectionMeta, frame: &FrameView<'_>) {
        if frame.at.packet != self.packet || frame.header.stream == 0 {
            return;
        }
        let is_block = frame.header.kind == FrameType::HEADERS;
        let rank = if is_block { Rank::Headers } else { Rank::Frame };
        self.add(now, Kind::Frame, rank, (connection.id, frame.header.stream));
    }

    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}

    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}
