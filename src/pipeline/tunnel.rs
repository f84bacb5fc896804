//! What streams opened by CONNECT carry (RFC 9113 section 8.5): each is looked at as a connection of its own, four deep.
//!
//! [`Tunnels`] hears an HTTP/2 connection's events and keeps what such streams carry until the packet has been read:
//! only then the layers below are at rest, which the ones within need, too. Its state is bounded by
//! [`limits::CONNECT_TUNNELS`] and [`limits::CONNECT_QUEUE`].

use super::connection_end::Whole;
use super::context::{Context, Output};
use super::http2::Http2;
use super::layers::{Layers, LayersInput};
use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::limits;
use crate::base::memory::of_tree_entry;
use crate::base::time::Moment;
use crate::flow::{Arrival, ByteSink, End, Gap, GapCause};
use crate::http2::hpack::{Field, NameId, NameSet};
use crate::http2::{Block, BlockEnd, EventContext, EventSink, FrameSpot, Side};
use crate::record::{ConnectionMeta, Parent, StreamEnd, status_code};
use std::collections::BTreeMap;

/// The tunnels of an HTTP/2 connection.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    open: BTreeMap<u32, Tunnel>,
    /// What is to be handed on, and its bytes.
    queue: Vec<Item>,
    bytes: Vec<u8>,
    section: Section,
    /// The client was joined late: streams below the first one that it was seen to open were opened before.
    late: bool,
    first_opened: Option<u32>,
    /// HTTP/2 connections around the tunnels.
    depth: u8,
    /// Bytes of memory that the connections within take.
    weight: usize,
    /// Some of these wait until a side has been read up to some place.
    awaits: bool,
    holes: [bool; 2],
    /// Times that a cap struck.
    limited: u64,
}

/// A stream that carries a connection.
#[derive(Debug, Default)]
struct Tunnel {
    /// The server has accepted it, or refused; `None` while that is not known.
    accepted: Option<bool>,
    /// It was opened before the capture began.
    late: bool,
    /// The first and the last packet with bytes of it; `None` before the first.
    span: Option<(Moment, Moment)>,
    layers: Layers,
}

/// What is known of the header block in hand.
#[derive(Clone, Copy, Debug, Default)]
struct Section {
    method: bool,
    connect: bool,
    /// `:protocol` says that it is no tunnel of bytes (RFC 8441).
    protocol: bool,
    status: Option<u16>,
}

#[derive(Debug)]
struct Item {
    stream: u32,
    from: Side,
    arrival: Arrival,
    what: What,
}

#[derive(Debug)]
enum What {
    Bytes { start: usize, end: usize },
    Gap(Gap),
    End(End),
}

impl Tunnels {
    /// Of a connection within so many others.
    pub(super) fn new(depth: u8, late: bool) -> Self {
        Self { late, depth, ..Self::default() }
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + self.weight
            + self.open.len() * of_tree_entry::<u32, Tunnel>()
            + self.queue.capacity() * size_of::<Item>()
            + self.bytes.capacity()
    }

    /// Times that a cap struck.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// The connections within.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Layers> {
        self.open.values().map(|tunnel| &tunnel.layers)
    }

    /// Exchanges under way in them.
    pub(super) fn in_flight(&self) -> usize {
        self.layers().map(Layers::in_flight).sum()
    }

    /// No stream carries a connection.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn open(&mut self, stream: u32, late: bool) -> bool {
        if self.depth >= limits::CONNECT_DEPTH || self.open.len() >= limits::CONNECT_TUNNELS {
            self.limited += u64::from(!late);
            return false;
        }
        self.open.entry(stream).or_insert_with(|| Tunnel { late, ..Tunnel::default() });
        true
    }

    /// The stream is one whose bytes of this side are looked at.
    fn carries(&mut self, stream: u32, from: Side) -> bool {
        match self.open.get(&stream) {
            Some(tunnel) => from.is_client() || tunnel.accepted != Some(false),
            None => self.is_older(stream) && self.open(stream, true),
        }
    }

    /// The stream was opened before the capture began, by a request that may have been CONNECT.
    fn is_older(&self, stream: u32) -> bool {
        self.late && !stream.is_multiple_of(2) && self.first_opened.is_none_or(|first| stream < first)
    }

    fn push(&mut self, cx: &EventContext<'_>, stream: u32, what: What) {
        self.queue.push(Item { stream, from: cx.from, arrival: *cx.arrival, what });
    }

    fn end(&mut self, cx: &EventContext<'_>, stream: u32, how: End) {
        if self.open.contains_key(&stream) {
            self.push(cx, stream, What::End(how));
        }
    }
}

impl EventSink for Tunnels {
    fn block_start(&mut self, _: &EventContext<'_>, _: &Block) {
        self.section = Section::default();
    }

    fn wanted_fields(&self) -> NameSet {
        const { NameSet::of(&[NameId::METHOD, NameId::PROTOCOL, NameId::STATUS]) }
    }

    fn field(&mut self, field: &Field<'_>) {
        match field.id {
            NameId::METHOD => {
                self.section.method = true;
                self.section.connect = field.value == Some(b"CONNECT");
            }
            NameId::PROTOCOL => self.section.protocol = true,
            NameId::STATUS if !self.open.is_empty() => {
                self.section.status = field.value.and_then(status_code);
            }
            _ => {}
        }
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, _: &BlockEnd) {
        let Section { method, connect, protocol, status } = self.section;
        // So are next to all blocks.
        let tells_nothing = !connect && self.open.is_empty() && (!method || self.first_opened.is_some());
        if tells_nothing || block.promised.is_some() {
            return;
        }
        if block.from.is_client() && method {
            self.first_opened.get_or_insert(block.stream);
            if connect && !protocol {
                self.open(block.stream, false);
            }
        }
        if let (Side::Server, Some(tunnel)) = (block.from, self.open.get_mut(&block.stream))
            && let Some(status) = status.filter(|&status| status >= 200)
        {
            let accepted = *tunnel.accepted.get_or_insert(status < 300);
            if !accepted {
                // What was sent into it went nowhere.
                self.end(cx, block.stream, End::Rst);
            }
        }
        if block.end_stream {
            self.end(cx, block.stream, End::Fin);
        }
    }

    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {
        if (self.open.is_empty() && !self.late) || !self.carries(stream, cx.from) {
            return;
        }
        let start = self.bytes.len();
        if start + bytes.len() > limits::CONNECT_QUEUE {
            self.limited += 1;
            let gap = Gap::new(Some(bytes.len() as u64), GapCause::Limit);
            return self.push(cx, stream, What::Gap(gap));
        }
        self.bytes.extend_from_slice(bytes);
        self.push(cx, stream, What::Bytes { start, end: start + bytes.len() });
    }

    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {
        if self.open.contains_key(&stream) {
            self.push(cx, stream, What::Gap(Gap::new(Some(len), cause)));
        }
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        if end_stream {
            self.end(cx, stream, End::Fin);
        }
    }

    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, _: Option<u32>, _: FrameSpot) {
        self.end(cx, stream, End::Rst);
    }

    fn begins(&mut self, from: Side) {
        self.late &= !from.is_client();
    }

    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {
        let streams: Vec<u32> = self.open.keys().copied().collect();
        for stream in streams {
            self.push(cx, stream, What::Gap(Gap::new(None, cause)));
        }
    }
}

impl Http2 {
    /// Hands on what was read of tunnels, and tells of those that have ended.
    pub(super) fn tunnels<O: Output>(&mut self, cx: &mut Context<'_, O>) {
        let Some(tunnels) = self.tunnels.as_mut().filter(|tunnels| !tunnels.queue.is_empty()) else { return };
        let (queue, bytes) = (std::mem::take(&mut tunnels.queue), std::mem::take(&mut tunnels.bytes));
        for item in queue {
            let at = item.arrival.at;
            let from = if item.from.is_client() { self.client } else { self.client.reverse() };
            let (base, holes) = (Base::new(&self.meta, tunnels.depth, item.stream, at), tunnels.holes);
            let Some(tunnel) = tunnels.open.get_mut(&item.stream) else { continue };
            let before = tunnel.layers.weight;
            let (first, _) = *tunnel.span.get_or_insert_with(|| {
                tunnel.layers = base.layers(tunnel.late);
                (at, at)
            });
            tunnel.span = Some((first, at));
            let mut input = LayersInput { layers: &mut tunnel.layers, cx: &mut *cx };
            match item.what {
                What::Bytes { start, end } => {
                    input.data(from, &item.arrival, bytes.get(start..end).unwrap_or_default());
                }
                What::Gap(gap) => input.gap(from, &item.arrival, gap),
                What::End(End::Fin) => input.end(from, &item.arrival, End::Fin),
                What::End(End::Rst) => {
                    input.end(from, &item.arrival, End::Rst);
                    input.end(from.reverse(), &item.arrival, End::Rst);
                }
            }
            input.tunnels();
            input.set_holes(holes);
            let memory = input.layers.memory();
            input.layers.weight = memory;
            let (over, waits) = (input.layers.is_over(), input.layers.awaits());
            tunnels.awaits |= waits;
            tunnels.weight = (tunnels.weight + memory).saturating_sub(before);
            if over && let Some(tunnel) = tunnels.open.remove(&item.stream) {
                tunnels.weight = tunnels.weight.saturating_sub(memory);
                let (end, ended_at) = tunnel.layers.end();
                tunnel.conclude(end, ended_at, cx);
            }
        }
    }

    /// All that a direction sent before this packet has been read, in tunnels too.
    pub(super) fn tunnels_caught_up<O: Output>(
        &mut self,
        from: Direction,
        read: u64,
        cx: &mut Context<'_, O>,
    ) {
        let Some(tunnels) = self.tunnels.as_mut().filter(|tunnels| tunnels.awaits) else { return };
        tunnels.awaits = false;
        for tunnel in tunnels.open.values_mut() {
            LayersInput { layers: &mut tunnel.layers, cx: &mut *cx }.caught_up(from, read);
            tunnels.awaits |= tunnel.layers.awaits();
        }
    }

    /// The directions wait for holes to fill, or do not: the tunnels are told where that has changed.
    pub(super) fn set_tunnels_holes<O: Output>(&mut self, holes: [bool; 2], cx: &mut Context<'_, O>) {
        let Some(tunnels) = self.tunnels.as_mut().filter(|tunnels| tunnels.holes != holes) else { return };
        tunnels.holes = holes;
        for tunnel in tunnels.open.values_mut() {
            LayersInput { layers: &mut tunnel.layers, cx: &mut *cx }.set_holes(holes);
        }
    }

    /// New TLS secrets have come.
    pub(super) fn new_secrets<O: Output>(&mut self, cx: &mut Context<'_, O>) {
        for tunnel in self.tunnels.iter_mut().flat_map(|tunnels| tunnels.open.values_mut()) {
            LayersInput { layers: &mut tunnel.layers, cx: &mut *cx }.new_secrets();
        }
    }

    /// The connection is over, as said: so are the tunnels.
    pub(super) fn conclude_tunnels<O: Output>(
        &mut self,
        end: StreamEnd,
        ended_at: Moment,
        cx: &mut Context<'_, O>,
    ) {
        self.tunnels(cx);
        let Some(tunnels) = &mut self.tunnels else { return };
        tunnels.weight = 0;
        for (_, tunnel) in std::mem::take(&mut tunnels.open) {
            tunnel.conclude(end, ended_at, cx);
        }
    }
}

/// What a connection in a tunnel takes from the one around it.
#[derive(Clone, Copy, Debug)]
struct Base {
    ends: [Endpoint; 2],
    id: u64,
    depth: u8,
    parent: Parent,
}

impl Base {
    /// Of a tunnel on this stream, whose first byte came then.
    fn new(meta: &ConnectionMeta, depth: u8, stream: u32, at: Moment) -> Self {
        let (client, server) = (meta.client, meta.server);
        Self {
            ends: if meta.client_is_forward { [client, server] } else { [server, client] },
            id: at.packet,
            depth,
            parent: Parent { connection: meta.id, stream, encrypted: meta.is_encrypted() },
        }
    }

    fn layers(&self, late: bool) -> Layers {
        Layers::in_tunnel(self.ends, self.id, self.parent, self.depth + 1, late)
    }
}

impl Tunnel {
    fn conclude<O: Output>(mut self, end: StreamEnd, ended_at: Moment, cx: &mut Context<'_, O>) {
        let Some((first, last)) = self.span else { return };
        let mut input = LayersInput { layers: &mut self.layers, cx: &mut *cx };
        input.finish(last);
        input.conclude_tunnels(end, ended_at);
        Whole { layers: self.layers, span: (first, last), end, ended_at, streams: None }.tell(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::Ledger;

    /// The client opens a stream by CONNECT.
    fn connect(tunnels: &mut Tunnels, stream: u32) {
        let (ledger, arrival) = (Ledger::default(), Arrival::default());
        let cx = EventContext { from: Side::Client, arrival: &arrival, ledger: &ledger };
        let at = Moment::default();
        let block = Block {
            from: Side::Client,
            stream,
            promised: None,
            first: at,
            last: at,
            end_stream: false,
            spot: FrameSpot::default(),
        };
        tunnels.block_start(&cx, &block);
        tunnels.field(&Field {
            name: Some(b":method"),
            value: Some(b"CONNECT"),
            plain: false,
            id: NameId::METHOD,
            source: crate::base::certainty::Certainty::Exact,
            reference: None,
            never_indexed: false,
        });
        tunnels.block_end(&cx, &block, &BlockEnd::default());
    }

    fn data(tunnels: &mut Tunnels, bytes: &[u8]) {
        let (ledger, arrival) = (Ledger::default(), Arrival::default());
        tunnels.data(&EventContext { from: Side::Client, arrival: &arrival, ledger: &ledger }, 1, bytes);
    }

    #[test]
    fn cap_connect_depth() {
        for (depth, limited) in [(limits::CONNECT_DEPTH - 1, 0), (limits::CONNECT_DEPTH, 1)] {
            let mut tunnels = Tunnels::new(depth, false);
            connect(&mut tunnels, 1);
            data(&mut tunnels, b"x");
            assert_eq!((tunnels.limited(), tunnels.queue.len()), (limited, 1 - limited as usize));
        }
    }

    #[test]
    fn cap_connect_tunnels() {
        let mut tunnels = Tunnels::default();
        let most = limits::CONNECT_TUNNELS as u32;
        (0..most).for_each(|n| connect(&mut tunnels, 2 * n + 1));
        assert_eq!((tunnels.limited(), tunnels.open.len()), (0, limits::CONNECT_TUNNELS));
        connect(&mut tunnels, 2 * most + 1);
        assert_eq!((tunnels.limited(), tunnels.open.len()), (1, limits::CONNECT_TUNNELS));
    }

    #[test]
    fn cap_connect_queue() {
        let mut tunnels = Tunnels::default();
        connect(&mut tunnels, 1);
        data(&mut tunnels, &vec![b'x'; limits::CONNECT_QUEUE]);
        assert_eq!(tunnels.limited(), 0);
        data(&mut tunnels, b"xyz");
        assert_eq!(tunnels.limited(), 1);
        let last = tunnels.queue.last().map(|item| &item.what);
        assert!(matches!(last, Some(What::Gap(Gap { len: Some(3), cause: GapCause::Limit, .. }))));
    }
}
