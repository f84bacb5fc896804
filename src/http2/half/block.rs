//! Header blocks of one direction (RFC 9113 section 4.3): from fragments to fields.

use super::{Frame, Half};
use crate::base::certainty::Certainty;
use crate::base::tuning;
use crate::flow::{Arrival, GapCause};
use crate::http2::anomaly::Anomaly;
use crate::http2::block::{Block, BlockEnd, FrameSpot};
use crate::http2::event::EventSink;
use crate::http2::expansion::BlockCredit;
use crate::http2::frame::{Flags, FrameType, Headers, PushPromise};
use crate::http2::ledger::Ledger;
use crate::http2::side::Side;
use crate::http2::{hpack, rules};

/// A header block as it came.
struct Encoded<'a> {
    bytes: &'a [u8],
    /// Where in them a segment ended.
    cuts: &'a [u32],
    /// Why they are not all.
    cut: Option<GapCause>,
}

impl Half {
    /// HEADERS (section 6.2) and PUSH_PROMISE (section 6.6).
    pub(super) fn open_block(
        &mut self,
        arrival: &Arrival,
        payload: &[u8],
        spot: FrameSpot,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        let Frame { header, lossy, .. } = self.frame;
        self.block_lost = false;
        let is_promise = header.kind == FrameType::PUSH_PROMISE;
        let (promised, fragment) = if is_promise {
            PushPromise::parse(&header, payload).map(|frame| (Some(frame.promised_stream), frame.fragment))
        } else {
            Headers::parse(&header, payload).map(|frame| (None, frame.fragment))
        }
        .unwrap_or_default();
        let none_lost = match self.from {
            Side::Client => self.openings.block(&header, fragment),
            Side::Server => self.openings.block_of_server(),
        };
        if !none_lost {
            self.decoder.lose_past();
        }
        if let Some(promised) = promised {
            ledger.saw_stream(self.from, promised);
        }
        let block = Block {
            from: self.from,
            stream: header.stream,
            promised,
            first: self.frame.body_at.unwrap_or(self.frame.at),
            last: arrival.came(),
            end_stream: !is_promise && header.flags.has(Flags::END_STREAM),
            spot,
        };
        ledger.counters.ends_of_stream += u64::from(block.end_stream);
        if header.stream == 0 || (is_promise && promised.is_none()) {
            // No stream to give it to; the dynamic table must see it all the same.
            self.decoder.decode(fragment, &[], &mut |_| {});
            if lossy.is_some() || !header.flags.has(Flags::END_HEADERS) {
                self.block_lost = true;
                self.decoder.lose_past();
            }
            return;
        }
        let prefix = header.before_fragment();
        if header.flags.has(Flags::END_HEADERS) && lossy.is_none() {
            let mut cuts = std::mem::take(&mut self.cuts);
            cuts.retain_mut(|cut| {
                *cut = cut.saturating_sub(prefix);
                *cut > 0 && (*cut as usize) < fragment.len()
            });
            self.decode(arrival, &block, Encoded { bytes: fragment, cuts: &cuts, cut: None }, ledger, sink);
            self.cuts = cuts;
            return;
        }
        self.assembly.open(block);
        self.add_fragment(fragment, prefix);
        if let Some(cause) = lossy {
            self.cut_block(arrival, cause, ledger, sink);
        }
    }

    /// CONTINUATION (section 6.10).
    pub(super) fn continue_block(
        &mut self,
        arrival: &Arrival,
        payload: &[u8],
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        ledger.counters.continuations += 1;
        let header = self.frame.header;
        let Some(continuations) = self.assembly.proceed(arrival.came()) else {
            if !self.block_lost && header.stream != 0 {
                self.anomaly(arrival, Anomaly::ContinuationUnexpected, self.frame.at, ledger, sink);
            }
            self.decoder.lose_past();
            return;
        };
        if continuations == tuning::CONTINUATION_FLOOD {
            self.anomaly(arrival, Anomaly::ContinuationFlood, arrival.at, ledger, sink);
        }
        self.add_fragment(payload, 0);
        if let Some(cause) = self.frame.lossy {
            self.cut_block(arrival, cause, ledger, sink);
        } else if header.flags.has(Flags::END_HEADERS) {
            self.close_block(arrival, None, ledger, sink);
        }
    }

    fn add_fragment(&mut self, fragment: &[u8], prefix: u32) {
        let cuts = self.cuts.iter().filter_map(|cut| cut.checked_sub(prefix));
        self.assembly.add(fragment, cuts, self.frame.segment..=self.segment.number());
    }

    /// The open header block is over. `cut`: why it is not whole.
    fn close_block(
        &mut self,
        arrival: &Arrival,
        cut: Option<GapCause>,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        let mut assembly = std::mem::take(&mut self.assembly);
        if let Some(block) = assembly.close() {
            let cut = cut.or_else(|| assembly.is_limited().then_some(GapCause::Limit));
            let encoded = Encoded { bytes: assembly.bytes(), cuts: assembly.cuts(), cut };
            self.decode(arrival, &block, encoded, ledger, sink);
            assembly.trim();
            self.cuts.shrink_to(tuning::BLOCK_KEPT / size_of::<u32>());
        }
        self.assembly = assembly;
    }

    /// The open header block will not be whole: its beginning is read.
    pub(super) fn cut_block(
        &mut self,
        arrival: &Arrival,
        cause: GapCause,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.block_lost |= self.assembly.stream().is_some();
        self.close_block(arrival, Some(cause), ledger, sink);
    }

    fn decode(
        &mut self,
        arrival: &Arrival,
        block: &Block,
        Encoded { bytes, cuts, cut }: Encoded<'_>,
        ledger: &mut Ledger,
        sink: &mut impl EventSink,
    ) {
        self.decoder.set_bound(ledger.table_bound(self.from));
        sink.block_start(&self.context(arrival, ledger), block);
        let tainted = self.tainted || self.frame.tainted;
        let credit = ledger.credit.block(bytes.len());
        let mut paid = Paid { credit, tainted, sink: &mut *sink };
        let outcome = self.decoder.decode_to(bytes, cuts, &mut paid);
        let spent = paid.credit.is_spent();
        if cut.is_some() || tainted {
            self.decoder.lose_past();
        }
        ledger.counters.literals_split += u64::from(outcome.literal_crosses_cut);
        if let (Some(error), None) = (&outcome.error, cut)
            && (!error.kind.depends_on_settings() || ledger.table_is_certain(self.from))
        {
            let anomaly = rules::hpack_violation(error.kind);
            ledger.counters.count(anomaly);
            sink.anomaly(&self.context(arrival, ledger), block.stream, anomaly, block.last);
        }
        let end = BlockEnd {
            wire_bytes: bytes.len() as u64,
            decoded_bytes: outcome.decoded_bytes,
            fields: outcome.fields,
            unknown: outcome.unknown_fields,
            cut,
            broken: cut.is_none() && !outcome.complete,
            tainted,
            limited: outcome.limited,
            given_up: outcome.given_up,
        };
        ledger.counters.block(&end);
        ledger.counters.output_limited += u64::from(spent);
        let end = BlockEnd { limited: end.limited || spent, ..end };
        sink.block_end(&self.context(arrival, ledger), block, &end);
    }
}

/// Hands on the fields of a block that are paid for.
struct Paid<'a, S> {
    credit: BlockCredit<'a>,
    /// The block's checksum was wrong: nothing of it is exact.
    tainted: bool,
    sink: &'a mut S,
}

impl<S: EventSink> hpack::FieldSink for Paid<'_, S> {
    #[inline]
    fn wanted(&self) -> hpack::NameSet {
        self.sink.wanted_fields()
    }

    #[inline]
    fn field(&mut self, mut field: hpack::Field<'_>, len: u64) {
        if !self.credit.pay(&field, len) {
            return;
        }
        if self.tainted && field.source == Certainty::Exact {
            field.source = Certainty::Inferred;
        }
        self.sink.field(&field);
    }

    #[inline]
    fn pass(&mut self) {
        self.sink.pass_field();
    }
}
