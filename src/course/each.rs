//! The steps of every exchange, in brief: its frames, and what is missing of its content. Fields are in its record.

use super::{credit_left, word};
use crate::base::memory::of_map;
use crate::flow::GapCause;
use crate::http2::frame::{FrameHeader, FrameType, FrameView, Payload};
use crate::http2::{EventContext, EventSink, WindowChange};
use crate::record::{Step, StepKind, Steps};
use foldhash::HashMap;

/// Octets of a payload that are kept: what frames that are not header blocks say in few.
const PAYLOAD: usize = 16;

/// The exchanges of a connection that are under way.
#[derive(Debug, Default)]
pub struct Courses {
    pub(super) exchanges: HashMap<u32, Steps>,
    /// The stream of the frame that was told of last.
    latest: u32,
    /// Bytes that their steps take.
    pub(super) held: usize,
}

impl Courses {
    /// The steps of an exchange that has ended.
    pub fn take(&mut self, stream: u32) -> Option<Box<Steps>> {
        let steps = self.exchanges.remove(&stream)?;
        self.held = self.held.saturating_sub(steps.memory());
        Some(Box::new(steps))
    }

    /// Forgets streams that nobody will ask for: late frames of exchanges that have ended.
    pub fn prune(&mut self, open: usize, is_open: impl Fn(u32) -> bool) {
        if self.exchanges.len() > 2 * open + 16 {
            self.exchanges.retain(|&stream, _| is_open(stream));
            self.held = self.exchanges.values().map(Steps::memory).sum();
        }
    }

    /// Bytes of memory held between calls.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + of_map::<u32, Steps>(self.exchanges.capacity()) + self.held
    }

    fn add(&mut self, cx: &EventContext<'_>, stream: u32, what: StepKind, frame: Option<&FrameView<'_>>) {
        let steps = self.exchanges.entry(stream).or_insert_with(|| {
            self.held += size_of::<Steps>();
            Steps::default()
        });
        let (first, last) = (frame.map_or(cx.at(), |frame| frame.at), cx.at());
        let start = steps.first().first().map_or(first, |step| step.first);
        let (at, from_client) = (first.time.since(start.time), cx.from.is_client());
        self.held += steps.push(Step { stream, first, last, at, from_client, what, credit: None });
    }
}

impl EventSink for Courses {
    fn wants_frames(&self) -> bool {
        true
    }

    fn frame(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let promised = match Payload::parse(&frame.header, frame.payload) {
            Some(Payload::PushPromise(push)) => push.promised_stream,
            _ => 0,
        };
        self.latest = frame.header.stream;
        for stream in [self.latest, promised].into_iter().filter(|&stream| stream != 0) {
            let what = StepKind::Frame(frame.header, brief(&frame.header, frame.payload));
            self.add(cx, stream, what, Some(frame));
        }
    }

    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause) {
        self.add(cx, stream, StepKind::Loss { bytes: Some(len), cause: word(cause) }, None);
    }

    fn window_changed(&mut self, cx: &EventContext<'_>, change: WindowChange) {
        let WindowChange { sender, stream, .. } = change;
        // The frame that did it was told of just before.
        if stream == 0 || stream != self.latest {
            return;
        }
        let latest = self.exchanges.get_mut(&stream).and_then(Steps::latest_mut);
        let from_client = cx.from.is_client();
        let told = latest.filter(|step| step.frame().is_some() && step.from_client == from_client);
        if let Some(step) = told {
            step.credit = credit_left(cx, sender, stream);
        }
    }
}

/// What is kept of a payload: of header blocks nothing, but the stream that is promised.
fn brief(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    match header.kind {
        FrameType::HEADERS | FrameType::CONTINUATION => Vec::new(),
        _ => payload.get(..PAYLOAD).unwrap_or(payload).to_vec(),
    }
}
