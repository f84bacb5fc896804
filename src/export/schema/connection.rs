//! The connection record.

use super::{ConnectionRef, End, Network, Sides, Socket, Tls, by_name};
use crate::base::origin::Origin;
use crate::base::tcp::DirectionStats;
use crate::export::community_id;
use crate::export::json::{Json, Word, array, map, object};
use crate::export::value::{ErrorCode, LossyFlag, Seconds, Text, Time};
use crate::http2::frame::{FrameType, settings};
use crate::record::{ConnectionRecord, Goaway, How, SideFrames, SideHpack, SideSettings};
use std::borrow::Cow;
use std::cell::Cell;

object! {
    /// A connection, from its first packet to its last.
    pub struct ConnectionObject<'a> {
        /// Always `connection`.
        "record": record: Word,
        /// First packet.
        "@timestamp": timestamp: Time,
        /// From the first packet to the last.
        "duration": duration: Seconds,
        /// The side that opened it.
        "client": client: Socket,
        /// The other side.
        "server": server: Socket,
        /// Protocols; `network.protocol` only where it is known.
        "network": network: Network,
        /// TLS.
        "tls": tls: Option<Tls<'a>>,
        /// HTTP/2.
        "h2": h2: H2Connection<'a>,
        /// TCP, by sender.
        "tcp": tcp: Sides<Tcp>,
    }
}

object! {
    /// `h2`
    pub struct H2Connection<'a> {
        /// The connection.
        "connection": connection: ConnectionRef<'a>,
        /// How HTTP/2 was found: `prior_knowledge`, `upgrade`, `alpn`, `mid_stream`.
        "how": how: Option<Word>,
        /// The server answered an `Upgrade: h2c` without switching. There once a client asked, or HTTP/2 was found.
        "upgrade_declined": upgrade_declined: Option<bool>,
        /// Transaction records of this connection.
        "transactions": transactions: Option<u64>,
        /// Streams.
        "streams": streams: Option<Streams>,
        /// Settings as last sent, by sender.
        "settings": settings: Sides<Settings<'a>>,
        /// Frames by type, by sender.
        "frames": frames: Sides<Frames<'a>>,
        /// GOAWAY frames, the first few.
        "goaway": goaway: GoawayList<'a>,
        /// True when settings, GOAWAY frames or debug data are left out, as there were too many; else absent.
        "limited": limited: Option<bool>,
        /// Header compression, by sender.
        "hpack": hpack: Sides<Option<Hpack>>,
        /// How the connection ended.
        "end": end: End,
        /// Text that is not UTF-8 was shown with U+FFFD. Known only when all text has been written: keep it behind.
        "lossy_text": lossy_text: LossyFlag<'a>,
    }
}

object! {
    /// `h2.streams`
    pub struct Streams {
        /// Streams opened.
        "opened": opened: u64,
        /// The most streams open at one time.
        "max_concurrent": max_concurrent: u64,
    }
}

/// `h2.settings.*`: value by name in lower case, unknown identifiers as `0x1234`.
#[derive(Debug)]
pub struct Settings<'a>(&'a SideSettings);

impl Json for Settings<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let name = |identifier| {
            settings::name(identifier).map_or_else(|| Cow::Owned(format!("{identifier:#x}")), Cow::Borrowed)
        };
        map(out, self.0.0.iter().map(|(identifier, value)| (name(*identifier), value)));
    }

    fn is_absent(&self) -> bool {
        self.0.0.is_empty()
    }
}

/// `h2.frames.*`: count by type name; `unknown` for types without one.
#[derive(Debug)]
pub struct Frames<'a>(&'a SideFrames);

impl Json for Frames<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let counts = || (0..).zip(self.0.by_type).map(|(kind, count)| (FrameType(kind).name(), count));
        let unnamed: u64 = counts().filter(|(name, _)| name.is_none()).map(|(_, count)| count).sum();
        let named = counts().filter_map(|(name, count)| Some((name?, count)));
        let all = named.chain([("unknown", self.0.unknown + unnamed)]);
        map(out, all.filter(|&(_, count)| count > 0));
    }

    fn is_absent(&self) -> bool {
        self.0.unknown == 0 && self.0.by_type.iter().all(|&count| count == 0)
    }
}

/// `h2.goaway`
#[derive(Debug)]
pub struct GoawayList<'a> {
    frames: &'a [Goaway],
    lossy: &'a Cell<bool>,
}

impl Json for GoawayList<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        array(out, self.frames.iter().map(|goaway| GoawayObject::new(goaway, self.lossy)));
    }

    fn is_absent(&self) -> bool {
        self.frames.is_empty()
    }
}

object! {
    /// An element of `h2.goaway`
    pub struct GoawayObject<'a> {
        /// `client` or `server`.
        "by": by: Word,
        /// The last stream that was or will be processed.
        "last_stream_id": last_stream_id: u32,
        /// The error's name.
        "code": code: ErrorCode,
        /// Debug data, its first bytes.
        "debug": debug: Option<Text<'a>>,
    }
}

impl<'a> GoawayObject<'a> {
    fn new(goaway: &'a Goaway, lossy: &'a Cell<bool>) -> Self {
        Self {
            by: Word(by_name(goaway.by)),
            last_stream_id: goaway.last_stream,
            code: ErrorCode(goaway.code),
            debug: (!goaway.debug.is_empty()).then_some(Text { bytes: &goaway.debug, lossy }),
        }
    }
}

object! {
    /// `h2.hpack.*`
    pub struct Hpack {
        /// Header block bytes.
        "wire_bytes": wire_bytes: u64,
        /// Bytes of the names and values that they stand for.
        "decoded_bytes": decoded_bytes: u64,
    }
}

object! {
    /// `tcp.*`
    pub struct Tcp {
        /// Segments, those without payload too.
        "segments": segments: u64,
        /// Payload bytes, each counted once.
        "bytes": bytes: u64,
        /// Segments that brought nothing new.
        "retransmitted": retransmitted: u64,
        /// Segments that came before an earlier one.
        "out_of_order": out_of_order: u64,
        /// Holes.
        "gaps": gaps: u64,
        /// Bytes in them.
        "gap_bytes": gap_bytes: u64,
    }
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
    pub(in crate::export) fn new(
        connection: &'a ConnectionRecord,
        origin: Option<Origin<'a>>,
        lossy: &'a Cell<bool>,
    ) -> Self {
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
            record: Word("connection"),
            timestamp: Time(connection.first.time),
            duration: Seconds::between(connection.first.time, connection.last.time),
            client: Socket::new(meta.client),
            server: Socket::new(meta.server),
            network: Network {
                community_id: Some(community_id::of(meta.client, meta.server)),
                ..Network::new(meta.client, version)
            },
            tls: meta.tls.as_deref().map(Tls::new),
            h2: H2Connection::new(connection, origin, lossy),
            tcp: Sides { client: Tcp::new(client_tcp), server: Tcp::new(server_tcp) },
        }
    }
}

impl<'a> H2Connection<'a> {
    fn new(connection: &'a ConnectionRecord, origin: Option<Origin<'a>>, lossy: &'a Cell<bool>) -> Self {
        // Without HTTP/2 there was nothing to count: such fields are absent, not 0.
        let found = connection.how.is_some();
        let hpack = |side: &SideHpack| {
            let (wire_bytes, decoded_bytes) = (side.wire_bytes, side.decoded_bytes);
            (wire_bytes > 0).then_some(Hpack { wire_bytes, decoded_bytes })
        };
        Self {
            connection: ConnectionRef { id: connection.meta.id, input: origin.map(|origin| origin.input) },
            how: connection.how.map(how_name).map(Word),
            upgrade_declined: (found || connection.upgrade_declined).then_some(connection.upgrade_declined),
            transactions: found.then_some(connection.transactions),
            streams: found.then_some(Streams {
                opened: connection.streams_opened,
                max_concurrent: connection.max_concurrent,
            }),
            settings: Sides {
                client: Settings(&connection.client_settings),
                server: Settings(&connection.server_settings),
            },
            frames: Sides {
                client: Frames(&connection.client_frames),
                server: Frames(&connection.server_frames),
            },
            goaway: GoawayList { frames: &connection.goaway, lossy },
            limited: connection.limited.then_some(true),
            hpack: Sides { client: hpack(&connection.client_hpack), server: hpack(&connection.server_hpack) },
            end: End::new(connection.end),
            lossy_text: LossyFlag(lossy),
        }
    }
}

/// The name of a way in which HTTP/2 was found.
pub(in crate::export) const fn how_name(how: How) -> &'static str {
    match how {
        How::PriorKnowledge => "prior_knowledge",
        How::Upgrade => "upgrade",
        How::Alpn => "alpn",
        How::MidStream => "mid_stream",
    }
}
