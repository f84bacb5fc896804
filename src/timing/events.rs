//! What a connection's events say of its time.

use super::exchange::Turn;
use super::{Initial, Stops, Timing};
use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::http2::frame::{Flags, FrameHeader, FrameType, FrameView};
use crate::http2::hpack::{self, NameId, NameSet};
use crate::http2::{
    Block, BlockEnd, EventContext, EventSink, Foreign, FrameSpot, SettingsChange, Side, UpgradeRequest,
    WindowChange,
};
use crate::record::{TimePart, Urgency};

/// Open streams that a frame pays for to be looked at where all windows change.
const LOOKS: u32 = 16;

impl Timing {
    /// The windows of what `sender` sends on all streams have changed (RFC 9113 section 6.9.2).
    fn all_windows_changed(&mut self, cx: &EventContext<'_>, sender: Side) {
        let open = u32::try_from(self.exchanges.len()).unwrap_or(u32::MAX);
        let Some(credit) = self.credit.checked_sub(open) else {
            self.losses += 1;
            return;
        };
        self.credit = credit;
        for id in self.exchanges.ids() {
            self.look_at_window(cx.at().time, sender, id, cx.ledger.stream_credit(sender, id));
        }
    }
}

impl Timing {
    /// DATA has taken of credit, or `WINDOW_UPDATE` has added to it.
    fn change_window(&mut self, cx: &EventContext<'_>, change: WindowChange) {
        let WindowChange { sender, stream, .. } = change;
        let at = cx.at().time;
        let credit = cx.ledger.connection_credit(sender);
        let empty = credit <= 0;
        self.windows[sender].note(credit, empty && !self.clocks[sender].stops().connection);
        self.stop(sender, at, |stops| Stops { connection: empty, ..stops });
        if stream != 0 {
            let credit = cx.ledger.stream_credit(sender, stream);
            self.look_at_window(at, sender, stream, credit);
            self.look_at_low_credit(cx, sender, stream, credit.unwrap_or(0));
            if let Some(priorities) = self.priorities.as_mut().filter(|_| !sender.is_client()) {
                priorities.set_ready(stream, credit.is_none_or(|credit| credit > 0));
            }
        }
    }

    /// A header block is over that came in several pieces, or where something tells of priorities or pushes.
    fn end_block(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        if let Some(promised) = block.promised {
            // The promise is the request's end.
            self.begin(cx, block.first.time, promised, false);
            self.promises.get_or_insert_default().promised(promised);
            if let Some(exchange) = self.exchanges.get_mut(promised) {
                exchange.end_request();
            }
            return self.turn(cx, promised, block.first.time, Turn::Wait);
        }
        if cx.from.is_client() {
            if let Some(exchange) = self.exchanges.get_mut(block.stream) {
                exchange.set_opening(false);
            }
            if let Some(promises) = &mut self.promises {
                promises.requested();
            }
            if let Some(urgency) = self.urgency.take() {
                self.priorities.get_or_insert_default().state_urgency(block.stream, urgency, false);
            }
        }
        if !cx.from.is_client() && !self.interim {
            self.begin_response(cx, block.stream, block.first.time);
        }
        self.carried(cx, block.stream);
        if block.end_stream {
            if end.cut.is_some()
                && let Some(exchange) = self.exchanges.get_mut(block.stream)
            {
                // Its rest came later.
                exchange.lose_track();
            }
            self.end_side(cx, block.stream);
        }
    }

    /// What was to change windows, places for streams, or what is urgent, is not known.
    const fn cut_off(&mut self) {
        self.losses += 1;
        self.unclear = true;
    }

    /// A frame is read, which began with the packet `first`.
    #[inline]
    pub(super) fn begin_frame(&mut self, cx: &EventContext<'_>, first: Moment) {
        self.credit = self.credit.saturating_add(LOOKS);
        if self.words.last_read(cx.from) == 0 {
            self.note_first(cx.from, first);
        }
        self.words.speak(cx.from, cx.at());
    }

    /// The first frame of a side. The sides may be read in another order than they sent.
    #[cold]
    fn note_first(&mut self, from: Side, first: Moment) {
        self.first_lost |= self.lossy[from];
        self.first_frame = Some(self.first_frame.map_or(first.time, |before| before.min(first.time)));
    }

    /// A frame header was read; its frame began with the packet `first`.
    fn note_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: Moment) {
        self.begin_frame(cx, first);
        if header.kind == FrameType::HEADERS && cx.from.is_client() && header.stream % 2 == 1 {
            self.note_request(first.time);
            if !self.exchanges.contains(header.stream) && cx.ledger.is_new(header.stream) {
                self.words.ask(first);
                // The record begins with the block: the first octets of the header may stand in an earlier packet. What came
                // before it is none of its time.
                self.end_wait(cx, header.stream);
                self.begin(cx, cx.at().time, header.stream, false);
                if let Some(exchange) = self.exchanges.get_mut(header.stream) {
                    exchange.set_opening(true);
                }
            }
        }
        // DATA, and what bears header blocks (RFC 9113 section 4.3).
        if let FrameType::DATA | FrameType::HEADERS | FrameType::PUSH_PROMISE | FrameType::CONTINUATION =
            header.kind
        {
            self.carried(cx, header.stream);
        }
        self.note_order(cx.from, cx.at());
    }

    /// A header block of a server may begin: whether it is the response is known at its end.
    fn mark_block(&mut self, cx: &EventContext<'_>, header: &FrameHeader) {
        if header.kind == FrameType::HEADERS && !cx.from.is_client() {
            self.clocks.server.mark(cx.at().time);
        }
    }

    /// A field whose name has no number: `priority`, perhaps.
    fn note_urgency(&mut self, field: &hpack::Field<'_>) {
        if field.name == Some(b"priority") {
            self.urgency = field.value.map(Urgency::parse);
        }
    }

    /// Nothing tells of priorities and pushes, and the next frame of this side was read in its order.
    #[inline]
    fn is_ordinary(&self, from: Side) -> bool {
        self.priorities.is_none() && self.promises.is_none() && !self.catches_up[from]
    }

    /// A frame of a side was read. Where the next ones begin had to be found out, and later ones of the peer were read
    /// meanwhile, the clocks have gone on: what they say of the open exchanges is not known.
    fn note_order(&mut self, from: Side, at: Moment) {
        if self.catches_up[from] {
            let late = at.packet < self.words.last_read(from.peer());
            self.losses += u32::from(late);
            self.catches_up[from] = late;
        }
    }
}

impl EventSink for Timing {
    fn wants_frames(&self) -> bool {
        // Where findings are, or what justifies an error, frames are read whole in any case.
        self.notes.is_some()
    }

    #[inline]
    fn frame(&mut self, _: &EventContext<'_>, frame: &FrameView<'_>) {
        match frame.header.kind {
            FrameType::SETTINGS => self.take_settings(frame),
            FrameType::HEADERS if !frame.header.flags.has(Flags::PRIORITY) => {}
            FrameType::HEADERS | FrameType::PRIORITY | FrameType::PRIORITY_UPDATE if frame.from_client => {
                self.take_priority(frame);
            }
            _ => {}
        }
    }

    fn frame_cut(&mut self, cx: &EventContext<'_>, header: &FrameHeader) {
        match header.kind {
            FrameType::SETTINGS => {
                self.cut_off();
                self.initial[cx.from] = Initial::Lost;
            }
            FrameType::WINDOW_UPDATE | FrameType::PRIORITY | FrameType::PRIORITY_UPDATE => self.cut_off(),
            FrameType::PING => self.words.lose_pong(cx.from),
            FrameType::GOAWAY => self.words.lose_goaway(cx.from, cx.at().packet),
            _ => {}
        }
    }

    fn frame_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: Moment) {
        self.note_header(cx, header, first);
        self.mark_block(cx, header);
    }

    fn frame_part(&mut self, cx: &EventContext<'_>, header: &FrameHeader, first: bool) {
        if first && cx.from.is_client() {
            self.end_wait(cx, header.stream);
            if let Some(exchange) = self.exchanges.get_mut(header.stream) {
                exchange.begin_block(cx.at().time, &mut self.clocks.client);
            }
        }
        self.carried(cx, header.stream);
        if first {
            self.mark_block(cx, header);
        }
    }

    fn block_header(&mut self, cx: &EventContext<'_>, header: &FrameHeader) {
        self.whole = self.is_ordinary(cx.from) && !header.flags.has(Flags::PRIORITY);
        if !self.whole {
            self.note_header(cx, header, cx.at());
        }
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        if std::mem::take(&mut self.whole) {
            self.whole_block(cx, block);
        } else {
            self.end_block(cx, block, end);
        }
    }

    fn block_start(&mut self, _: &EventContext<'_>, block: &Block) {
        (self.interim, self.urgency) = (false, None);
        if block.promised.is_some() {
            self.promises.get_or_insert_default();
        }
        if let Some(promises) = &mut self.promises {
            promises.start();
        }
    }

    fn wanted_fields(&self) -> NameSet {
        if self.promises.is_some() { NameSet::ALL } else { const { NameSet::of(&[NameId::STATUS]) } }
    }

    #[inline]
    fn field(&mut self, field: &hpack::Field<'_>) {
        match field.id {
            NameId::STATUS => {
                self.interim =
                    field.value.is_some_and(|status| status.len() == 3 && status.starts_with(b"1"));
            }
            NameId::OTHER => self.note_urgency(field),
            _ => {}
        }
        if let Some(promises) = &mut self.promises {
            promises.field(field);
        }
    }

    fn whole_data(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>, bytes: &[u8], _: FrameSpot) {
        let FrameHeader { stream, flags, .. } = frame.header;
        self.begin_frame(cx, cx.at());
        if self.is_ordinary(cx.from) && self.response_goes_on(cx, stream) {
            return;
        }
        self.carried(cx, stream);
        self.note_order(cx.from, cx.at());
        if !bytes.is_empty() {
            self.data(cx, stream, bytes);
        }
        if flags.has(Flags::END_STREAM) {
            self.end_side(cx, stream);
        }
    }

    fn data(&mut self, cx: &EventContext<'_>, stream: u32, octets: &[u8]) {
        self.words.speak(cx.from, cx.at());
        if !cx.from.is_client() {
            self.begin_response(cx, stream, cx.at().time);
            if let Some(priorities) = &mut self.priorities {
                priorities.data(stream, octets.len() as u64);
            }
        }
        self.carried(cx, stream);
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        self.carried(cx, stream);
        if end_stream {
            self.end_side(cx, stream);
        }
    }

    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, _: Option<u32>, _: FrameSpot) {
        let at = cx.at().time;
        if let Some(exchange) = self.exchanges.get_mut(stream)
            && !exchange.is_reset()
        {
            exchange.reset(at, &mut self.clocks[exchange.turn.sender()], self.patience);
            if stream % 2 == 1 {
                self.concurrency.closed(at);
            }
        }
    }

    fn foreign(&mut self, _: &EventContext<'_>, _: &Foreign) {
        self.foreign = true;
    }

    fn ping(&mut self, cx: &EventContext<'_>, ack: bool, opaque: [u8; 8]) {
        let at = cx.at().time;
        if !ack {
            let received = cx.ledger.acknowledged(cx.from.peer()) >= cx.arrival.span.end;
            self.words.ping(cx.from, opaque, cx.at(), received);
            self.keepalive[cx.from].add(at);
        } else if let Some(since) = self.words.pong(cx.from, opaque) {
            self.pings[cx.from].add(at.since(since));
            self.measure();
        }
    }

    fn goaway(&mut self, cx: &EventContext<'_>, last_stream: u32, code: u32, debug: &[u8]) {
        self.words.goaway(cx.from, last_stream, code, cx.at().time);
        self.judge_keepalive(cx, code, debug);
    }

    #[inline]
    fn window_changed(&mut self, cx: &EventContext<'_>, change: WindowChange) {
        if !self.had_plenty(change) {
            self.change_window(cx, change);
        }
    }

    fn settings_changed(&mut self, cx: &EventContext<'_>, change: &SettingsChange) {
        let at = cx.at().time;
        let (sender, before) = match *change {
            SettingsChange::Announced { early, before } => {
                if self.initial[cx.from] == Initial::Unread {
                    self.initial[cx.from] = Initial::Read;
                }
                self.settings[cx.from].get_or_insert(at);
                if !early {
                    return;
                }
                (cx.from.peer(), before)
            }
            SettingsChange::Acknowledged { before } => {
                // Where frames were lost, it may be for others that came before.
                let certain = !self.lossy.client && !self.lossy.server;
                if let Some(since) = self.settings[cx.from.peer()].take()
                    && certain
                {
                    self.settings_trips[cx.from].add(at.since(since));
                    self.measure();
                }
                (cx.from, before)
            }
        };
        if before.initial_window_size != cx.ledger.settings(sender.peer()).initial_window_size {
            self.all_windows_changed(cx, sender);
        }
    }

    fn upgraded(&mut self, cx: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        self.begin(cx, request.first.time, 1, false);
        if let Some(exchange) = self.exchanges.get_mut(1) {
            exchange.end_request();
            let clock = &mut self.clocks.client;
            exchange.settle(request.last.time, clock, u64::MAX, TimePart::Transfer);
            exchange.turn_to(Turn::Wait, request.last.time, &mut self.clocks.server, false);
        }
    }

    fn begins(&mut self, from: Side) {
        self.lossy[from] = false;
        self.initial[from] = Initial::Unread;
        self.words.join_late(from, false);
    }

    fn skipped(&mut self, cx: &EventContext<'_>, _: u64) {
        self.catches_up[cx.from] = true;
    }

    fn lost(&mut self, cx: &EventContext<'_>, _: GapCause) {
        self.losses += 1;
        self.first_lost |= self.words.last_read(cx.from) == 0;
        self.lossy[cx.from] = true;
        // The first of its frames is SETTINGS.
        if self.initial[cx.from] == Initial::Unread {
            self.initial[cx.from] = Initial::Lost;
        }
        self.words.lose(cx.from, cx.at().packet);
    }
}
