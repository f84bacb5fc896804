//! A connection: its two ends, and what passed over it.

use super::end::{EndBy, StreamEnd};
use super::ending::Ending;
use super::time::ConnectionTiming;
use super::visit::words;
use crate::base::direction::PerDirection;
use crate::base::endpoint::Endpoint;
use crate::base::tcp::DirectionStats;
use crate::base::time::{Moment, Timestamp};
use crate::base::tls;
use crate::http2::PerSide;

/// What every record of a connection repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionMeta {
    /// The number of the packet the connection was first seen in.
    pub id: u64,
    /// The side that sent the preface or the upgrade request, or that is taken for the client.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// What the TLS handshake told, where there is TLS.
    pub tls: Option<Box<tls::Description>>,
    /// Where it is in a stream of another one that CONNECT opened.
    pub parent: Option<Parent>,
    /// Whether the client is the sender of the [forward](crate::base::direction::Direction::Forward) stream.
    pub client_is_forward: bool,
    /// The authority of the first exchange that ended and named one; with [`Wanted::timeline`](super::Wanted::timeline) only.
    pub authority: Option<Box<[u8]>>,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// Streams that are open.
    pub open_streams: u64,
    /// Octets of DATA that the client may send by the connection's window (RFC 9113 section 5.2).
    pub client_credit: i64,
    /// The same of the server.
    pub server_credit: i64,
}

impl ConnectionMeta {
    /// Its bytes, or those of a connection that it is in, are inside TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some() || self.parent.is_some_and(|parent| parent.encrypted)
    }
}

/// The stream that a connection is in (RFC 9113 section 8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The connection that it is a stream of.
    pub connection: u64,
    /// Its identifier.
    pub stream: u32,
    /// That connection is inside TLS, or one around it.
    pub encrypted: bool,
}

/// How HTTP/2 was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// The client preface (RFC 9113 section 3.4).
    PriorKnowledge,
    /// `Upgrade: h2c` (RFC 7540 section 3.2).
    Upgrade,
    /// TLS.
    Alpn,
    /// From the frames themselves, without a preface.
    MidStream,
}

/// By what HTTP/2 was recognised where there was no preface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecognitionEvidence {
    /// Frame headers that follow from one another, as far as was looked: eight at the most.
    pub frames: u32,
    /// Of their places, and the one behind them, those where a segment begins or ends.
    pub aligned: u32,
}

words! {
    Recognition {
        PriorKnowledge => "prior_knowledge",
        Upgrade => "upgrade",
        Alpn => "alpn",
        MidStream => "mid_stream",
    }
}

/// A finished connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Who and where.
    pub meta: ConnectionMeta,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// How HTTP/2 was found; `None` where it was not (undecrypted TLS, a declined upgrade).
    pub how: Option<Recognition>,
    /// By what it was recognised mid-stream.
    pub evidence: Option<RecognitionEvidence>,
    /// A server answered an `Upgrade: h2c` without switching.
    pub upgrade_declined: bool,
    /// HTTP/2 is certain: preface, mid-stream recognition, or a visible ALPN.
    pub is_http2: bool,
    /// Transaction records of this connection.
    pub transactions: u64,
    /// Streams opened.
    pub streams_opened: u64,
    /// The most streams open at one time; `None` where frames are missing that may have opened or ended some.
    pub max_concurrent: Option<u64>,
    /// Settings by sender.
    pub client_settings: SideSettings,
    /// Settings by sender.
    pub server_settings: SideSettings,
    /// Frames by sender.
    pub client_frames: SideFrames,
    /// Frames by sender.
    pub server_frames: SideFrames,
    /// GOAWAY frames seen, the first [`crate::base::limits::GOAWAY_KEPT`].
    pub goaway: Vec<Goaway>,
    /// Settings, GOAWAY frames or debug data are left out for a cap.
    pub limited: bool,
    /// HPACK by sender.
    pub client_hpack: SideHpack,
    /// HPACK by sender.
    pub server_hpack: SideHpack,
    /// Who ended it, and how.
    pub end: StreamEnd,
    /// TCP by direction; `None` of one in a stream of another.
    pub tcp: Option<PerDirection<DirectionStats>>,
    /// Round trips, handshakes, and what kept the sides from sending; where HTTP/2 was found.
    pub timing: ConnectionTiming,
    /// Why it ended.
    pub ending: Ending,
}

impl ConnectionRecord {
    /// TCP by sender; `None` of a connection in a stream of another.
    pub fn tcp_by_side(&self) -> Option<PerSide<DirectionStats>> {
        let PerDirection { forward, backward } = *self.tcp.as_ref()?;
        Some(if self.meta.client_is_forward {
            PerSide { client: forward, server: backward }
        } else {
            PerSide { client: backward, server: forward }
        })
    }
}

/// Settings as last sent, in order of identifier; at most [`crate::base::limits::SETTINGS_KEPT`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideSettings(pub Vec<(u16, u32)>);

impl SideSettings {
    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.0.capacity() * size_of::<(u16, u32)>()
    }
}

/// Frames by type 0 to 9, ALTSVC, ORIGIN, PRIORITY_UPDATE, and all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideFrames {
    /// By frame type.
    pub by_type: [u64; 17],
    /// Types that h2lens does not know.
    pub unknown: u64,
}

/// HPACK volumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideHpack {
    /// Header block bytes.
    pub wire_bytes: u64,
    /// Bytes of the names and values that they stand for.
    pub decoded_bytes: u64,
}

/// A GOAWAY frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goaway {
    /// The sender.
    pub by: EndBy,
    /// When it came.
    pub at: Timestamp,
    /// Last stream that was or will be processed.
    pub last_stream: u32,
    /// Error code.
    pub code: u32,
    /// Debug data, the first [`crate::base::limits::GOAWAY_DEBUG`] bytes.
    pub debug: Vec<u8>,
}
