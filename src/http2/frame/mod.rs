//! The frames of RFC 9113 section 6 and its extensions, one file a type.

mod altsvc;
mod continuation;
mod data;
mod goaway;
mod header;
mod headers;
mod origin;
mod padding;
mod ping;
mod priority;
mod priority_update;
mod push_promise;
mod rst_stream;
pub mod settings;
#[cfg(test)]
mod tests;
mod window_update;

pub use altsvc::AltSvc;
pub use continuation::Continuation;
pub use data::Data;
pub use goaway::Goaway;
pub use header::{Flags, FrameHeader, FrameType, LEN, flag_name};
pub use headers::Headers;
pub use origin::Origin;
pub use ping::Ping;
pub use priority::Priority;
pub use priority_update::PriorityUpdate;
pub use push_promise::PushPromise;
pub use rst_stream::RstStream;
pub use settings::Settings;
pub use window_update::WindowUpdate;

use crate::base::time::Moment;

/// A frame as it is shown: its header, who sent it, and as much of its payload as was in the capture.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    /// The packet in which its header began.
    pub at: Moment,
    /// The client sent it.
    pub from_client: bool,
    /// Its header.
    pub header: FrameHeader,
    /// Its payload; of DATA only the pad length byte where there is one; cut where bytes were lost.
    pub payload: &'a [u8],
}

impl FrameView<'_> {
    /// Octets of the payload are not in the capture; of DATA it does not tell.
    pub const fn is_cut(&self) -> bool {
        self.payload.len() < self.header.length as usize
    }
}

/// A frame's payload taken apart by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Section 6.1.
    Data(Data),
    /// Section 6.2.
    Headers(Headers<'a>),
    /// Section 6.3.
    Priority(Priority),
    /// Section 6.4.
    RstStream(RstStream),
    /// Section 6.5.
    Settings(Settings<'a>),
    /// Section 6.6.
    PushPromise(PushPromise<'a>),
    /// Section 6.7.
    Ping(Ping),
    /// Section 6.8.
    Goaway(Goaway<'a>),
    /// Section 6.9.
    WindowUpdate(WindowUpdate),
    /// Section 6.10.
    Continuation(Continuation<'a>),
    /// RFC 7838 section 4.
    AltSvc(AltSvc<'a>),
    /// RFC 8336 section 2.
    Origin(Origin<'a>),
    /// RFC 9218 section 7.1.
    PriorityUpdate(PriorityUpdate<'a>),
}

impl<'a> Payload<'a> {
    /// Takes a payload apart; `None` for an unknown type, and where the fixed part is cut off or too short.
    pub fn parse(header: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        // What stands beyond the frame's own length is not its payload.
        let payload = payload.get(..header.length as usize).unwrap_or(payload);
        match header.kind {
            FrameType::DATA => Data::parse(header, payload).map(Self::Data),
            FrameType::HEADERS => Headers::parse(header, payload).map(Self::Headers),
            FrameType::PRIORITY => Priority::parse(header, payload).map(Self::Priority),
            FrameType::RST_STREAM => RstStream::parse(header, payload).map(Self::RstStream),
            FrameType::SETTINGS => Settings::parse(header, payload).map(Self::Settings),
            FrameType::PUSH_PROMISE => PushPromise::parse(header, payload).map(Self::PushPromise),
            FrameType::PING => Ping::parse(header, payload).map(Self::Ping),
            FrameType::GOAWAY => Goaway::parse(header, payload).map(Self::Goaway),
            FrameType::WINDOW_UPDATE => WindowUpdate::parse(header, payload).map(Self::WindowUpdate),
            FrameType::CONTINUATION => Continuation::parse(header, payload).map(Self::Continuation),
            FrameType::ALTSVC => AltSvc::parse(header, payload).map(Self::AltSvc),
            FrameType::ORIGIN => Origin::parse(header, payload).map(Self::Origin),
            FrameType::PRIORITY_UPDATE => PriorityUpdate::parse(header, payload).map(Self::PriorityUpdate),
            _ => None,
        }
    }
}
