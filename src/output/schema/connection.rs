//! The connection record.

use super::{ConnectionRef, End, Network, Sides, Socket, Tls, by_name};
use crate::output::community_id;
use crate::output::value::{ErrorCode, LossyFlag, Seconds, Text, Time};
use crate::transaction::frame::{FrameType, settings};
use crate::transaction::{
    ConnectionRecord, DirectionStats, Goaway, How, SideFrames, SideHpack, SideSettings,
};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::cell::Cell;

/// A connection, from its first packet to its last.
#[derive(Debug, Serialize)]
pub struct ConnectionObject<'a> {
    /// Always `connection`.
    record: &'static str,
    /// First packet.
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    /// From the first packet to the last.
    duration: Seconds,
    /// The side that opened it.
    client: Socket,
    /// The other side.
    server: Socket,
    /// Protocols; `network.protocol` only where it is known.
    network: Network,
    /// TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls<'a>>,
    /// HTTP/2.
    h2: H2Connection<'a>,
    /// TCP, by sender.
    tcp: Sides<Tcp>,
}

/// `h2`
#[derive(Debug, Serialize)]
pub struct H2Connection<'a> {
    /// The connection.
    connection: ConnectionRef,
    /// How HTTP/2 was found: `prior_knowledge`, `upgrade`, `alpn`, `mid_stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    /// The server answered an `Upgrade: h2c` without switching. There once a client asked, or HTTP/2 was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade_declined: Option<bool>,
    /// Transaction records of this connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<u64>,
    /// Streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<Streams>,
    /// Settings as last sent, by sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Sides<Settings<'a>>>,
    /// Frames by type, by sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<Sides<Frames<'a>>>,
    /// GOAWAY frames, the first few.
    #[serde(skip_serializing_if = "Option::is_none")]
    goaway: Option<Vec<GoawayObject<'a>>>,
    /// Header compression, by sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    hpack: Option<Sides<Hpack>>,
    /// How the connection ended.
    end: End,
    /// Text that is not UTF-8 was shown with U+FFFD. Known only when all text has been written: keep it behind.
    #[serde(skip_serializing_if = "LossyFlag::is_unset")]
    lossy_text: LossyFlag<'a>,
}

/// `h2.streams`
#[derive(Debug, Serialize)]
pub struct Streams {
    /// Streams opened.
    opened: u64,
    /// The most streams open at one time.
    max_concurrent: u64,
}

/// `h2.settings.*`: value by name in lower case, unknown identifiers as `0x1234`.
#[derive(Debug)]
pub struct Settings<'a>(&'a SideSettings);

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (identifier, value) in &self.0.0 {
            match settings::name(*identifier) {
                Some(name) => map.serialize_entry(name, value)?,
                None => map.serialize_entry(&format!("{identifier:#x}"), value)?,
            }
        }
        map.end()
    }
}

/// `h2.frames.*`: count by type name; `unknown` for types without one.
#[derive(Debug)]
pub struct Frames<'a>(&'a SideFrames);

impl Frames<'_> {
    fn is_empty(&self) -> bool {
        self.0.unknown == 0 && self.0.by_type.iter().all(|&count| count == 0)
    }
}

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut unknown = self.0.unknown;
        for (kind, &count) in (0..).zip(&self.0.by_type) {
            match FrameType(kind).name() {
                Some(name) if count > 0 => map.serialize_entry(name, &count)?,
                Some(_) => (),
                None => unknown += count,
            }
        }
        if unknown > 0 {
            map.serialize_entry("unknown", &unknown)?;
        }
        map.end()
    }
}

/// An element of `h2.goaway`
#[derive(Debug, Serialize)]
pub struct GoawayObject<'a> {
    /// `client` or `server`.
    by: &'static str,
    /// The last stream that was or will be processed.
    last_stream_id: u32,
    /// The error's name.
    code: ErrorCode,
    /// Debug data, its first bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<Text<'a>>,
}

impl<'a> GoawayObject<'a> {
    fn new(goaway: &'a Goaway, lossy: &'a Cell<bool>) -> Self {
        Self {
            by: by_name(goaway.by),
            last_stream_id: goaway.last_stream,
            code: ErrorCode(goaway.code),
            debug: (!goaway.debug.is_empty()).then_some(Text { bytes: &goaway.debug, lossy }),
        }
    }
}

/// `h2.hpack.*`
#[derive(Debug, Serialize)]
pub struct Hpack {
    /// Header block bytes.
    wire_bytes: u64,
    /// Bytes of the names and values that they stand for.
    decoded_bytes: u64,
}

/// `tcp.*`
#[derive(Debug, Serialize)]
pub struct Tcp {
    /// Segments, those without payload too.
    segments: u64,
    /// Payload bytes, each counted once.
    bytes: u64,
    /// Segments that brought nothing new.
    retransmitted: u64,
    /// Segments that came before an earlier one.
    out_of_order: u64,
    /// Holes.
    gaps: u64,
    /// Bytes in them.
    gap_bytes: u64,
}

impl Tcp {
    const fn new(tcp: &DirectionStats) -> Self {
        Self {
            segments: tcp.segments,
            bytes: tcp.bytes,
            retransmitted: tcp.retransmitted,
            out_of_order: tcp.out_of_order,
            gaps: tcp.gaps,
            gap_bytes: tcp.gap_bytes,
        }
    }
}

impl<'a> ConnectionObject<'a> {
    /// The record of a connection; `lossy` is where text that is not UTF-8 is noted.
    pub(in crate::output) fn new(connection: &'a ConnectionRecord, lossy: &'a Cell<bool>) -> Self {
        lossy.set(false);
        let meta = &connection.meta;
        let version =
            connection.is_http2.then_some("2").or_else(|| connection.upgrade_declined.then_some("1.1"));
        let (client_tcp, server_tcp) = if meta.client_is_forward {
            (&connection.tcp.forward, &connection.tcp.backward)
        } else {
            (&connection.tcp.backward, &connection.tcp.forward)
        };
        Self {
            record: "connection",
            timestamp: Time(connection.first.time),
            duration: Seconds::between(connection.first.time, connection.last.time),
            client: Socket::new(meta.client),
            server: Socket::new(meta.server),
            network: Network {
                community_id: Some(community_id::of(meta.client, meta.server)),
                ..Network::new(meta.client, version)
            },
            tls: meta.tls.as_deref().map(Tls::new),
            h2: H2Connection::new(connection, lossy),
            tcp: Sides { client: Some(Tcp::new(client_tcp)), server: Some(Tcp::new(server_tcp)) },
        }
    }
}

impl<'a> H2Connection<'a> {
    fn new(connection: &'a ConnectionRecord, lossy: &'a Cell<bool>) -> Self {
        // Without HTTP/2 there was nothing to count: such fields are absent, not 0.
        let found = connection.how.is_some();
        let settings = |side: &'a SideSettings| (!side.0.is_empty()).then_some(Settings(side));
        let frames = |side: &'a SideFrames| Some(Frames(side)).filter(|frames| !frames.is_empty());
        let hpack = |side: &SideHpack| {
            let (wire_bytes, decoded_bytes) = (side.wire_bytes, side.decoded_bytes);
            (wire_bytes > 0).then_some(Hpack { wire_bytes, decoded_bytes })
        };
        Self {
            connection: ConnectionRef { id: connection.meta.id },
            how: connection.how.map(how_name),
            upgrade_declined: (found || connection.upgrade_declined).then_some(connection.upgrade_declined),
            transactions: found.then_some(connection.transactions),
            streams: found.then_some(Streams {
                opened: connection.streams_opened,
                max_concurrent: connection.max_concurrent,
            }),
            settings: Sides::new(
                settings(&connection.client_settings),
                settings(&connection.server_settings),
            ),
            frames: Sides::new(frames(&connection.client_frames), frames(&connection.server_frames)),
            goaway: (!connection.goaway.is_empty())
                .then(|| connection.goaway.iter().map(|goaway| GoawayObject::new(goaway, lossy)).collect()),
            hpack: Sides::new(hpack(&connection.client_hpack), hpack(&connection.server_hpack)),
            end: End::new(connection.end),
            lossy_text: LossyFlag(lossy),
        }
    }
}

/// The name of a way in which HTTP/2 was found.
pub(in crate::output) const fn how_name(how: How) -> &'static str {
    match how {
        How::PriorKnowledge => "prior_knowledge",
        How::Upgrade => "upgrade",
        How::Alpn => "alpn",
        How::MidStream => "mid_stream",
    }
}
