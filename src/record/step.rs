//! Steps: what happened in the course of one exchange, one after the other.

use super::fields::Fields;
use crate::base::time::Moment;
use crate::http2::frame::{FrameHeader, FrameView};
use std::time::Duration;

/// Something that happened on the stream of an exchange, or on its connection while it lasted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The exchange's stream.
    pub stream: u32,
    /// The packet in which it began.
    pub first: Moment,
    /// The packet with its last byte.
    pub last: Moment,
    /// From the exchange's first byte to this one's first; zero where packet time went back.
    pub at: Duration,
    /// The client sent it, or what was lost.
    pub from_client: bool,
    /// What it is.
    pub what: StepKind,
    /// What the sender of a DATA frame, or the receiver of a `WINDOW_UPDATE`, may send from then on.
    pub credit: Option<Credit>,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A frame, with its payload; of DATA only the pad length byte where there is one.
    Frame(FrameHeader, Vec<u8>),
    /// A header or trailer section, which the frames before it carried.
    Section(Section),
    /// Bytes are not in the capture.
    Loss {
        /// Octets of content; `None` where frames are lost, and one cannot know which.
        bytes: Option<u64>,
        /// Why: a word of `h2.partial_reason`.
        cause: &'static str,
    },
}

/// A header or trailer section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Which; `None` where that is not known.
    pub part: Option<Part>,
    /// Its fields, in order.
    pub fields: Fields,
    /// Part of it is missing.
    pub cut: bool,
}

/// What a section is a part of (RFC 9110 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The request's header section.
    Request,
    /// The header section of an interim response.
    Interim,
    /// The final response's header section.
    Response,
    /// A trailer section.
    Trailers,
    /// The request that is promised (RFC 9113 section 8.4).
    Promise,
}

super::visit::words! {
    Part {
        Request => "request",
        Interim => "interim",
        Response => "response",
        Trailers => "trailers",
        Promise => "promise",
    }
}

/// Octets that may be sent until more is granted, by the frames that were read (RFC 9113 section 6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// On the stream; below zero after the peer made its windows smaller.
    pub stream: i64,
    /// On the connection.
    pub connection: i64,
}

impl Default for StepKind {
    fn default() -> Self {
        Self::Section(Section::default())
    }
}

impl Step {
    /// The frame that it is.
    pub fn frame(&self) -> Option<FrameView<'_>> {
        let StepKind::Frame(header, payload) = &self.what else { return None };
        Some(FrameView { at: self.first, from_client: self.from_client, header: *header, payload })
    }
}
