//! The step record.

use super::frame::Frame;
use super::transaction::FieldList;
use super::{ConnectionRef, Socket, StreamRef};
use crate::http2::frame::Payload;
use crate::record::lossy::is_lossy;
use crate::record::value::{Seconds, Sender, Time, Word};
use crate::record::visit::{Record, object};
use crate::record::{self, ConnectionMeta, SectionPart, Step, StepKind};

object! {
    /// Something that happened in the course of the exchange that is followed.
    pub struct StepObject<'a> {
        /// Always `step`.
        "record": record: Word,
        /// When its first byte came.
        "@timestamp": timestamp: Time,
        /// The number of that packet.
        "packet": packet: u64,
        /// The client.
        "client": client: Socket,
        /// The server.
        "server": server: Socket,
        /// What it was.
        "h2": h2: H2Step<'a>,
    }
}

object! {
    /// `h2`
    pub struct H2Step<'a> {
        /// The connection.
        "connection": connection: ConnectionRef<'a>,
        /// The exchange's stream.
        "stream": stream: StreamRef,
        /// What happened.
        "step": step: StepBody<'a>,
        /// Text that is not UTF-8 was shown with U+FFFD; there only when it was.
        "lossy_text": lossy_text: Option<bool>,
    }
}

object! {
    /// `h2.step`: a frame, a section, or a loss.
    pub struct StepBody<'a> {
        /// From the exchange's first byte to this one's first.
        "at": at: Seconds,
        /// To its last byte, where that came in a later packet.
        "until": until: Option<Seconds>,
        /// `client` or `server`.
        "from": from: Sender,
        /// The frame.
        "frame": frame: Option<Frame<'a>>,
        /// The header or trailer section that the frames before it carried.
        "section": section: Option<SectionObject<'a>>,
        /// What is not in the capture.
        "loss": loss: Option<LossObject>,
        /// Octets that may be sent until more is granted: of DATA by its sender, of WINDOW_UPDATE by its receiver. 0 stands
        /// for less, too. There where it is known.
        "credit": credit: Option<CreditObject>,
    }
}

object! {
    /// `h2.step.section`
    pub struct SectionObject<'a> {
        /// `request`, `interim`, `response`, `trailers` or `promise`; absent where that is not known.
        "part": part: Option<SectionPart>,
        /// Part of it is missing; there only when that is so.
        "cut": cut: Option<bool>,
        /// Its fields, in order.
        "fields": fields: FieldList<'a>,
    }
}

object! {
    /// `h2.step.loss`
    pub struct LossObject {
        /// Octets of content; absent where frames are missing, and one cannot know which.
        "bytes": bytes: Option<u64>,
        /// Why: a word of `h2.partial_reason`.
        "cause": cause: Word,
    }
}

object! {
    /// `h2.step.credit`
    pub struct CreditObject {
        /// On the stream.
        "stream": stream: u64,
        /// On the connection.
        "connection": connection: u64,
    }
}

impl Record for StepObject<'_> {
    const NAME: &'static str = "step";
    const PLURAL: &'static str = "steps";
}

impl<'a> StepObject<'a> {
    /// The record of a step; `payload` is its frame's, taken apart.
    pub fn new(
        connection: &ConnectionMeta,
        step: &'a Step,
        payload: Option<&'a Payload<'a>>,
        show_secrets: bool,
    ) -> Self {
        let mut record = Self {
            record: Word("step"),
            timestamp: Time(step.first.time),
            packet: step.first.packet,
            client: Socket::new(connection.client),
            server: Socket::new(connection.server),
            h2: H2Step {
                connection: ConnectionRef::new(connection),
                stream: StreamRef { id: step.stream },
                step: StepBody::new(step, payload, show_secrets),
                lossy_text: None,
            },
        };
        record.h2.lossy_text = is_lossy(&record).then_some(true);
        record
    }
}

impl<'a> StepBody<'a> {
    fn new(step: &'a Step, payload: Option<&'a Payload<'a>>, show_secrets: bool) -> Self {
        let more = step.last.time.since(step.first.time);
        let until = step.at.saturating_add(more);
        Self {
            at: Seconds::of(step.at),
            until: (step.last.packet > step.first.packet).then(|| Seconds::of(until)),
            from: Sender::new(step.from_client),
            frame: step.frame().map(|frame| Frame::new(&frame, payload)),
            section: match &step.what {
                StepKind::Section(section) => Some(SectionObject::new(section, show_secrets)),
                _ => None,
            },
            loss: match step.what {
                StepKind::Loss { bytes, cause } => Some(LossObject { bytes, cause: Word(cause) }),
                _ => None,
            },
            credit: step.credit.map(|credit| CreditObject {
                stream: u64::try_from(credit.stream).unwrap_or(0),
                connection: u64::try_from(credit.connection).unwrap_or(0),
            }),
        }
    }
}

impl<'a> SectionObject<'a> {
    fn new(section: &'a record::Section, show_secrets: bool) -> Self {
        let fields = FieldList::new(&section.fields, show_secrets);
        Self { part: section.part, cut: section.cut.then_some(true), fields }
    }
}
