//! Events → steps: the course of one exchange, told as it happens.
//!
//! A [`Course`] listens to the connection of the exchange, beside those who make its record, and takes note of each frame
//! of its stream, of what the header blocks say, of what is missing, and of what became of the windows. What happens on
//! the whole connection belongs to it while the stream is open. [`Courses`] takes brief notes of every exchange.

mod each;
#[cfg(test)]
mod tests;

pub use each::Courses;

use crate::base::certainty::Certainty;
use crate::base::time::Moment;
use crate::flow::GapCause;
use crate::http2::frame::{FrameType, FrameView, Payload};
use crate::http2::{
    Block, BlockEnd, EventContext, EventSink, FrameSpot, PerSide, Side, UpgradeRequest, WindowChange, hpack,
};
use crate::record::{Credit, Field, FieldName, Fields, Section, SectionPart, Step, StepKind};

/// The exchange of one stream, as far as it was heard of.
#[derive(Debug, Default)]
pub struct Course {
    stream: u32,
    /// The packet in which it began.
    start: Option<Moment>,
    /// The side will send no more on the stream.
    ended: PerSide<bool>,
    /// The side's header section was read.
    begun: PerSide<bool>,
    /// Fields of the block that is being read, if it is of the exchange.
    fields: Option<Fields>,
    /// What has happened since it was last asked for.
    steps: Vec<Step>,
}

impl Course {
    /// Of a stream of which nothing was heard yet.
    pub fn new(stream: u32) -> Self {
        Self { stream, ..Self::default() }
    }

    /// Hands out what has happened since this was last called.
    pub fn take(&mut self, mut take: impl FnMut(&Step)) {
        self.steps.drain(..).for_each(|step| take(&step));
    }

    /// Bytes of memory held between calls.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.steps.capacity() * size_of::<Step>()
    }

    fn is_open(&self) -> bool {
        self.start.is_some() && !(self.ended.client && self.ended.server)
    }

    fn add(&mut self, from: Side, first: Moment, last: Moment, what: StepKind) {
        let start = *self.start.get_or_insert(first);
        let at = first.time.since(start.time);
        let (stream, from_client) = (self.stream, from.is_client());
        self.steps.push(Step { stream, first, last, at, from_client, what, credit: None });
    }

    /// Whether a frame belongs to the exchange: on its stream, promising it, or on the connection while it lasts.
    fn concerns(&self, frame: &FrameView<'_>) -> bool {
        match frame.header.kind {
            FrameType::PUSH_PROMISE if frame.header.stream != self.stream => {
                let payload = Payload::parse(&frame.header, frame.payload);
                matches!(payload, Some(Payload::PushPromise(push)) if push.promised_stream == self.stream)
            }
            FrameType::SETTINGS | FrameType::WINDOW_UPDATE | FrameType::GOAWAY
                if frame.header.stream == 0 =>
            {
                self.is_open()
            }
            _ => frame.header.stream == self.stream,
        }
    }

    /// What a section is, as far as its fields tell. A regular field before any pseudo-header field tells of trailers,
    /// and so does a section that comes behind the first one, if it was read whole.
    fn part(&self, from: Side, promised: bool, fields: &Fields, whole: bool) -> Option<SectionPart> {
        if promised {
            return Some(SectionPart::Promise);
        }
        let pseudo = |field: Field<'_>| field.name.is_some_and(|name| name.starts_with(b":"));
        match fields.value(FieldName::Status) {
            Some(status) if from == Side::Server => {
                let is_interim = status.len() == 3 && status.starts_with(b"1") && status != b"101";
                return Some(if is_interim { SectionPart::Interim } else { SectionPart::Response });
            }
            _ if from == Side::Client && fields.iter().any(pseudo) => return Some(SectionPart::Request),
            _ => (),
        }
        let begins_regular = fields.iter().next().is_some_and(|field| field.name.is_some() && !pseudo(field));
        let behind = self.begun[from] && whole && !fields.has_unknown() && !fields.iter().any(pseudo);
        (begins_regular || behind).then_some(SectionPart::Trailers)
    }
}

impl EventSink for Course {
    fn wants_frames(&self) -> bool {
        true
    }

    fn frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        if self.concerns(frame) {
            let what = StepKind::Frame(frame.header, frame.payload.to_vec());
            self.add(cx.from, frame.at, cx.at(), what);
        }
    }

    fn block_start(&mut self, _: &EventContext<'_>, block: &Block) {
        self.fields = (block.promised.unwrap_or(block.stream) == self.stream).then(Fields::default);
    }

    fn wanted_fields(&self) -> hpack::NameSet {
        if self.fields.is_some() { hpack::NameSet::ALL } else { hpack::NameSet::default() }
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        if let Some(fields) = &mut self.fields {
            let hpack::Field { name, value, id, source, reference, .. } = *field;
            fields.push(Field { name, value, known: FieldName::from_id(id), source, reference });
        }
    }

    fn block_end(&mut self, _: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let Some(fields) = self.fields.take() else { return };
        let cut = end.cut.is_some() || end.broken || end.limited || end.given_up > 0;
        let part = self.part(block.from, block.promised.is_some(), &fields, !cut);
        self.begun[block.from] |= matches!(part, Some(SectionPart::Request | SectionPart::Response));
        let section = Section { part, fields, cut };
        self.add(block.from, block.first, block.last, StepKind::Section(section));
        // The client says no more on a stream that is promised.
        self.ended[Side::Client] |= block.promised.is_some();
        self.ended[block.from] |= block.end_stream;
    }

    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {
        if stream == self.stream {
            let what = StepKind::Loss { bytes: Some(len), cause: word(cause) };
            self.add(cx.from, cx.at(), cx.at(), what);
        }
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        self.ended[cx.from] |= stream == self.stream && end_stream;
    }

    fn reset(&mut self, _: &EventContext<'_>, stream: u32, _: Option<u32>, _: FrameSpot) {
        if stream == self.stream {
            self.ended = PerSide { client: true, server: true };
        }
    }

    fn window_changed(&mut self, cx: &EventContext<'_>, change: WindowChange) {
        let WindowChange { sender, stream, .. } = change;
        // The frame that did it was told of just before.
        let Some(step) = self.steps.last_mut().filter(|step| matches!(step.what, StepKind::Frame(..))) else {
            return;
        };
        let told = step
            .frame()
            .is_some_and(|frame| frame.header.stream == stream && frame.from_client == cx.from.is_client());
        if told && let Some(credit) = credit_left(cx, sender, self.stream) {
            step.credit = Some(credit);
        }
    }

    fn upgraded(&mut self, _: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        if self.stream != 1 {
            return;
        }
        let mut fields = Fields::default();
        for &(name, value) in request.fields {
            let known = FieldName::of(name);
            let (name, value, source) = (Some(name), Some(value), Certainty::Exact);
            fields.push(Field { name, value, known, source, reference: None });
        }
        let section = Section { part: Some(SectionPart::Request), fields, cut: false };
        self.add(Side::Client, request.first, request.last, StepKind::Section(section));
        (self.begun.client, self.ended.client) = (true, true);
    }

    fn lost(&mut self, cx: &EventContext<'_>, cause: GapCause) {
        if self.is_open() && !self.ended[cx.from] {
            let what = StepKind::Loss { bytes: None, cause: word(cause) };
            self.add(cx.from, cx.at(), cx.at(), what);
        }
    }
}

/// What a side may send on a stream from now on, where that is known.
fn credit_left(cx: &EventContext<'_>, sender: Side, stream: u32) -> Option<Credit> {
    let certain = cx.ledger.window_is_certain(stream) && !cx.ledger.is_lossy(sender);
    let credit = cx.ledger.stream_credit(sender, stream).filter(|_| certain)?;
    Some(Credit { stream: credit, connection: cx.ledger.connection_credit(sender) })
}

/// Why something is missing, as `h2.partial_reason` says it.
const fn word(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Lost => "tcp_gap",
        GapCause::Snaplen => "snaplen",
        GapCause::NotDecrypted => "not_decrypted",
        GapCause::Limit => "limit",
        GapCause::Damaged => "bad_checksum",
    }
}
