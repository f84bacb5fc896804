//! Pairs requests with responses: the exchanges of one connection.
//!
//! State: the open streams (at most [`limits::STREAMS_CONNECTION`](crate::base::limits::STREAMS_CONNECTION)), a window of the
//! ended ones, and what the connection record needs. `session` brings it events, `lifetime` opens and ends its streams;
//! records are lent to the sink and their memory is used again.

use super::authorities::Authorities;
use super::block_state::BlockState;
use super::closed::ClosedStreams;
use super::reset::EarlyResets;
use super::side::{Losses, SideState};
use super::stream::{OpenStream, StreamPool};
use crate::base::limits;
use crate::base::memory::{Memory, of_tree_entry};
use crate::base::time::Timestamp;
use crate::flow::GapCause;
use crate::http2::frame::FrameType;
use crate::http2::hpack::NameSet;
use crate::http2::{PerSide, Side, StreamMap};
use crate::record::{ConnectionRecord, FieldName, Fields, Goaway, Transaction, Wanted};
use std::collections::{BTreeSet, VecDeque};

/// The exchanges of one connection.
#[derive(Debug)]
pub struct Pairing {
    pub(super) streams: StreamMap<Box<OpenStream>>,
    /// Bytes of memory that the open streams take.
    pub(super) held: usize,
    pub(super) closed: ClosedStreams,
    pub(super) client: SideState,
    pub(super) server: SideState,
    /// Sides of which not all is read that was sent before the latest bytes of the other.
    pub(super) behind: PerSide<bool>,
    /// Streams that both sides have ended, and of one of which not all is read yet that it had sent before.
    pub(super) ended_early: usize,
    /// Streams that were reset, and of the other side of which not all is read yet that it had sent before.
    pub(super) reset_early: usize,
    /// Streams whose response has ended and whose request was not seen: it may be lost, or only late.
    pub(super) orphans: BTreeSet<u32>,
    pub(super) early_resets: EarlyResets,
    /// Streams that the one side has ended of which segments were seen.
    pub(super) alone: VecDeque<u32>,
    /// Streams of which one side alone was told, for want of room; and those whose other side came after all.
    pub(super) alone_ended: u64,
    pub(super) alone_limited: u64,
    pub(super) goaways: Vec<Goaway>,
    pub(super) scratch: Fields,
    pub(super) block: BlockState,
    pub(super) wanted: Wanted,
    /// The names whose fields are looked at.
    pub(super) names: NameSet,
    /// [`Wanted::each`]
    pub(super) each: bool,
    /// Streams whose request has come, to be told of, where that is wanted.
    pub(super) begun: Vec<u32>,
    /// Exchanges that have ended, to be taken out.
    #[expect(clippy::vec_box, reason = "streams move between here, the map and the pool, and are large")]
    pub(super) ended: Vec<Box<OpenStream>>,
    pub(super) encrypted: bool,
    pub(super) opened: u64,
    /// Of these, those that the client opened, and the highest of them.
    pub(super) asked: (u64, u32),
    pub(super) max_concurrent: u64,
    /// Streams that may be open at one time, and bytes of memory that they may take.
    pub(super) most_open: usize,
    pub(super) most_held: usize,
    /// Open streams were ended to make room.
    pub(super) evicted: bool,
    /// Something of one side was read behind later bytes of the other: how many streams were open at one time is not known.
    pub(super) disordered: bool,
    /// The side that is read has received what of its peer was not seen yet.
    lacking: bool,
    pub(super) transactions: u64,
    /// Where telemetry is shown.
    pub(super) authorities: Authorities,
    /// The connection's end has ended exchanges: that were under way for certain, or of which more may have been sent.
    pub(super) cut_off: bool,
    pub(super) may_have_cut_off: bool,
    /// The exchange that began first.
    pub(super) first: First,
    /// The record does not hold all settings and GOAWAY frames.
    pub(super) limited: bool,
}

/// Which exchange of a connection began first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum First {
    /// None has begun.
    #[default]
    None,
    /// When, and its stream.
    Known(Timestamp, u32),
    /// It has ended.
    Told,
}

impl First {
    /// An exchange begins.
    pub(super) fn note(&mut self, at: Timestamp, stream: u32) {
        match *self {
            Self::Known(first, of) if (at, stream) >= (first, of) => {}
            Self::Told => {}
            _ => *self = Self::Known(at, stream),
        }
    }

    /// Whether it is this one, which has ended.
    fn is(&mut self, stream: u32) -> bool {
        let is_first = matches!(*self, Self::Known(_, first) if first == stream);
        if is_first {
            *self = Self::Told;
        }
        is_first
    }
}

impl Pairing {
    /// The exchanges of a new connection, which is inside TLS or not. `late` says for client and server whether it was
    /// joined late.
    pub fn new(encrypted: bool, wanted: Wanted, late: (bool, bool)) -> Self {
        let side = |late: bool| SideState {
            losses: Losses { late, ..Losses::default() },
            opened: (!late).then_some((0, 0)),
            ..SideState::default()
        };
        Self {
            streams: StreamMap::default(),
            held: 0,
            closed: ClosedStreams::default(),
            client: side(late.0),
            server: side(late.1),
            behind: PerSide::default(),
            ended_early: 0,
            reset_early: 0,
            orphans: BTreeSet::new(),
            early_resets: EarlyResets::default(),
            alone: VecDeque::new(),
            alone_ended: 0,
            alone_limited: 0,
            goaways: Vec::new(),
            scratch: Fields::default(),
            block: BlockState::default(),
            wanted,
            names: if wanted.exchanges() { FieldName::ALL } else { FieldName::COUNTED },
            each: wanted.each(),
            begun: Vec::new(),
            ended: Vec::new(),
            encrypted,
            opened: 0,
            asked: (0, 0),
            max_concurrent: 0,
            lacking: false,
            most_open: limits::STREAMS_CONNECTION,
            most_held: limits::STREAM_MEMORY_CONNECTION,
            evicted: false,
            disordered: false,
            transactions: 0,
            authorities: Authorities::default(),
            cut_off: false,
            may_have_cut_off: false,
            first: First::default(),
            limited: false,
        }
    }

    /// The same with so much memory for the process: where it is short, fewer streams may be open.
    #[must_use]
    pub fn within(self, memory: Memory) -> Self {
        let most_open = memory.kept(limits::STREAMS_CONNECTION);
        Self { most_open, most_held: memory.kept(limits::STREAM_MEMORY_CONNECTION), ..self }
    }

    /// There are streams that end once all that this side has sent so far is read.
    pub fn awaits(&self, side: Side) -> bool {
        !self.side(side).resets.is_empty()
    }

    /// Hands out the exchanges that have ended since this was last called, in the order in which they did, and whether it
    /// is the one of the connection that began first.
    pub fn take_ended(&mut self, pool: &mut StreamPool, mut take: impl FnMut(&mut Transaction, bool)) {
        for mut stream in self.ended.drain(..) {
            let is_first = self.first.is(stream.record.stream);
            take(&mut stream.record, is_first);
            pool.give(stream);
        }
    }

    /// Hands out the exchanges under way whose request's header section has come since this was last called; with
    /// [`Wanted::openings`] only.
    pub fn take_begun(&mut self, mut take: impl FnMut(&Transaction)) {
        for id in self.begun.drain(..) {
            if let Some(stream) = self.streams.get(id) {
                take(&stream.record);
            }
        }
    }

    /// Exchanges that have ended.
    pub const fn transactions(&self) -> u64 {
        self.transactions
    }

    /// Exchanges that went to each authority, as far as these are known; where telemetry is shown.
    pub fn authorities(&self) -> impl Iterator<Item = u64> {
        self.authorities.counts()
    }

    /// Exchanges that were not counted for an authority, as there were too many.
    pub const fn authorities_limited(&self) -> u64 {
        self.authorities.limited()
    }

    /// The stream's exchange is under way.
    pub fn is_open(&self, stream: u32) -> bool {
        self.streams.contains(stream)
    }

    /// The exchanges under way, in no order.
    pub fn open(&self) -> impl Iterator<Item = &Transaction> {
        self.streams.values().map(|stream| &stream.record)
    }

    /// Exchanges under way.
    pub fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// Streams that are open. One whose response has ended, and whose request was not seen, is not known to be.
    pub fn open_streams(&self) -> u64 {
        let over = self.orphans.len() + self.ended_early + self.reset_early;
        self.streams.len().saturating_sub(over) as u64
    }

    /// Of a side not all is read, or all is, that was sent before what is read of the other one next.
    pub fn set_behind(&mut self, side: Side, behind: bool) {
        self.behind[side] = behind;
    }

    /// The peer of the side that is read next has sent what was not seen yet, and this side has received it; or it has not.
    pub const fn set_lacking(&mut self, lacking: bool) {
        self.lacking = lacking;
    }

    /// A stream opens or ends: what was open meanwhile is not known where something of the peer was sent before and not seen.
    pub(super) const fn note_concurrency(&mut self) {
        self.disordered |= self.lacking;
    }

    /// Bytes of one side are read that came before others of its peer, which were read already.
    pub const fn set_disordered(&mut self) {
        self.disordered = true;
    }

    /// The highest stream that a header block of the client was on; 0 where there was none.
    pub const fn highest(&self) -> u32 {
        self.client.highest
    }

    /// The streams of the client that exchanges were told of, or will be: how many, and the highest.
    pub const fn asked(&self) -> (u64, u32) {
        self.asked
    }

    /// The server has promised streams.
    pub fn has_pushes(&self) -> bool {
        self.server.frames.by_type.get(usize::from(FrameType::PUSH_PROMISE.0)).is_some_and(|&count| count > 0)
    }

    /// The connection's end has ended exchanges that were under way; `None` where they may have ended in what is missing
    /// from the capture.
    pub fn cuts_off(&self) -> Option<bool> {
        (self.cut_off || !self.may_have_cut_off).then_some(self.cut_off)
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let ids = self.alone.capacity() + self.begun.capacity();
        self.held
            + self.streams.memory()
            + self.orphans.len() * of_tree_entry::<u32, ()>()
            + self.early_resets.memory()
            + self.goaways.capacity() * size_of::<Goaway>()
            + self.goaways.iter().map(|goaway| goaway.debug.capacity()).sum::<usize>()
            + self.client.settings.memory()
            + self.server.settings.memory()
            + self.ended.capacity() * size_of::<Box<OpenStream>>()
            + self.closed.memory()
            + self.authorities.memory()
            + self.scratch.memory()
            + self.client.resets.memory()
            + self.server.resets.memory()
            + ids * size_of::<u32>()
    }

    /// A side's segments are, or are not, in the capture.
    pub fn set_unseen(&mut self, side: Side, unseen: bool) {
        self.side_mut(side).unseen = unseen;
        if !unseen {
            for id in std::mem::take(&mut self.alone) {
                if self.streams.get(id).is_some_and(|stream| stream.reset.is_some()) {
                    self.await_side(side, id);
                }
            }
            self.alone_limited += std::mem::take(&mut self.alone_ended);
        }
    }

    /// A side that was taken to be joined late is read from its first byte.
    pub(super) fn begins(&mut self, from: Side) {
        let side = self.side_mut(from);
        side.losses.late = false;
        side.opened.get_or_insert((0, 0));
    }

    /// Of a side that was joined late, what it had sent before this place of its TCP stream is missing: it may have answered
    /// what the other one is still to be read of.
    pub fn lose_start(&mut self, from: Side, end: u64, cause: GapCause) {
        let losses = &mut self.side_mut(from).losses;
        if losses.late {
            losses.cause = Some(cause);
            losses.add(end);
        }
    }

    /// A side was joined late.
    pub fn is_late(&self, side: Side) -> bool {
        self.side(side).losses.late
    }

    /// Something of the connection is known to be missing.
    pub fn damaged(&self) -> bool {
        [&self.client, &self.server]
            .iter()
            .any(|side| side.losses.count > 0 || side.losses.late || side.unseen)
    }

    /// Streams that were told of without their other side, which came later.
    pub const fn one_sided_limited(&self) -> u64 {
        self.alone_limited
    }

    /// Fills the connection record in.
    pub fn describe(&self, record: &mut ConnectionRecord) {
        record.transactions = self.transactions;
        record.streams_opened = self.opened;
        let lossy = [&self.client, &self.server].iter().any(|side| side.losses.count > 0 || side.unseen);
        let known = !lossy && !self.evicted && !self.disordered;
        record.max_concurrent = Some(self.max_concurrent).filter(|_| known);
        record.goaway.clone_from(&self.goaways);
        record.limited = self.limited;
        record.client_settings.clone_from(&self.client.settings);
        record.server_settings.clone_from(&self.server.settings);
        (record.client_frames, record.server_frames) = (self.client.frames, self.server.frames);
        (record.client_hpack, record.server_hpack) = (self.client.hpack, self.server.hpack);
    }

    pub(super) fn side(&self, side: Side) -> &SideState {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    pub(super) fn side_mut(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}
