//! The connection record.

use super::{ConnectionEnd, ConnectionRef, Network, Protocol, Sides, Socket, Tls};
use crate::base::origin::Origin;
use crate::base::tcp::DirectionStats;
use crate::base::time::Timestamp;
use crate::http2::PerSide;
use crate::http2::frame::{FrameType, settings};
use crate::record::community_id;
use crate::record::lossy::is_lossy;
use crate::record::value::{ErrorCode, Seconds, Text, Time, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use crate::record::{
    Blocked, ConnectionMeta, ConnectionRecord, EndBy, Goaway, Inversion, Pushes, Recognition,
    RecognitionEvidence, RoundTrips, SideFrames, SideHpack, SideSettings, WindowFacts,
};
use std::borrow::Cow;

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
        "network": network: ConnectionNetwork,
        /// TLS.
        "tls": tls: Option<Tls<'a>>,
        /// HTTP/2.
        "h2": h2: H2Connection<'a>,
        /// TCP, by sender. Absent where the connection is in a stream of another.
        "tcp": tcp: Option<TcpSides>,
    }
}

object! {
    /// `network` of a connection.
    pub struct ConnectionNetwork {
        /// Community ID version 1, which joins with Zeek, Suricata and Arkime.
        "community_id": community_id: Cow<'static, str>,
        /// The application protocol, where it is known.
        "protocol": protocol: Option<Protocol>,
        /// Always `tcp`.
        "transport": transport: Word,
        /// `ipv4` or `ipv6`.
        "type": r#type: Word,
    }
}

impl ConnectionNetwork {
    fn new(meta: &ConnectionMeta, version: Option<&'static str>) -> Self {
        let Network { protocol, transport, r#type } = Network::new(meta.client, version);
        let community_id = Cow::Owned(community_id::of(meta.client, meta.server));
        Self { community_id, protocol, transport, r#type }
    }
}

object! {
    /// `h2`
    pub struct H2Connection<'a> {
        /// The connection.
        "connection": connection: ConnectionRef<'a>,
        /// How HTTP/2 was found: `prior_knowledge`, `upgrade`, `alpn`, `mid_stream`.
        "how": how: Option<Recognition>,
        /// By what it was found mid-stream.
        "evidence": evidence: Option<RecognitionEvidenceObject>,
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
        /// Round trips of HTTP/2.
        "rtt": rtt: Option<Rtt>,
        /// How long it took to begin.
        "timing": timing: Option<ConnectionTimingObject>,
        /// Flow-control windows of what was sent, by sender. Absent where they are not known.
        "windows": windows: Sides<Option<WindowsObject>>,
        /// What the server sent before what is more urgent (RFC 9218). Absent where no urgency is stated, or frames are missing.
        "priority": priority: Option<InversionObject>,
        /// What the server pushed.
        "push": push: Option<PushObject>,
        /// What kept the sides from sending, by sender.
        "blocked": blocked: Sides<Option<BlockedObject>>,
        /// How the connection ended.
        "end": end: ConnectionEnd<'a>,
        /// Text that is not UTF-8 was shown with U+FFFD; there only when it was.
        "lossy_text": lossy_text: Option<bool>,
    }
}

object! {
    /// `h2.streams`
    pub struct Streams {
        /// Streams opened.
        "opened": opened: u64,
        /// The most streams open at one time. Absent where frames are missing that may have opened or ended some.
        "max_concurrent": max_concurrent: Option<u64>,
        /// For how long the client had as many open as the server let it.
        "at_limit": at_limit: Option<Seconds>,
        /// Streams that it opened as soon as there were fewer: what they carried had waited.
        "queued": queued: Option<u64>,
    }
}

/// `h2.settings.*`: value by name in lower case, unknown identifiers as `0x1234`.
#[derive(Debug)]
pub struct Settings<'a>(&'a SideSettings);

impl Value for Settings<'_> {
    const TYPE: Type = Type::Map(&u32::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        let name = |identifier| {
            settings::name(identifier).map_or_else(|| Cow::Owned(format!("{identifier:#x}")), Cow::Borrowed)
        };
        visitor.map(self.0.0.iter().map(|(identifier, value)| (name(*identifier), value)));
    }

    fn is_absent(&self) -> bool {
        self.0.0.is_empty()
    }
}

/// `h2.frames.*`: count by type name; `unknown` for types without one.
#[derive(Debug)]
pub struct Frames<'a>(&'a SideFrames);

impl Value for Frames<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        let counts = || (0..).zip(self.0.by_type).map(|(kind, count)| (FrameType(kind).name(), count));
        let unnamed: u64 = counts().filter(|(name, _)| name.is_none()).map(|(_, count)| count).sum();
        let named = counts().filter_map(|(name, count)| Some((name?, count)));
        let all = named.chain([("unknown", self.0.unknown + unnamed)]);
        visitor.map(all.filter(|&(_, count)| count > 0).map(|(name, count)| (Cow::Borrowed(name), count)));
    }

    fn is_absent(&self) -> bool {
        self.0.unknown == 0 && self.0.by_type.iter().all(|&count| count == 0)
    }
}

/// `h2.goaway`
#[derive(Debug)]
pub struct GoawayList<'a> {
    frames: &'a [Goaway],
    start: Timestamp,
}

impl Value for GoawayList<'_> {
    const TYPE: Type = Type::List(&GoawayObject::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.frames.iter().map(|goaway| GoawayObject::new(goaway, self.start)));
    }

    fn is_absent(&self) -> bool {
        self.frames.is_empty()
    }
}

object! {
    /// An element of `h2.goaway`
    pub struct GoawayObject<'a> {
        /// `client` or `server`.
        "by": by: EndBy,
        /// When it came, counted from `@timestamp`.
        "at": at: Seconds,
        /// The last stream that was or will be processed.
        "last_stream_id": last_stream_id: u32,
        /// The error's name.
        "code": code: ErrorCode,
        /// Debug data, its first bytes.
        "debug": debug: Option<Text<'a>>,
    }
}

impl<'a> GoawayObject<'a> {
    fn new(goaway: &'a Goaway, start: Timestamp) -> Self {
        Self {
            by: goaway.by,
            at: Seconds::between(start, goaway.at),
            last_stream_id: goaway.last_stream,
            code: ErrorCode(goaway.code),
            debug: (!goaway.debug.is_empty()).then_some(Text(&goaway.debug)),
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
    /// `tcp`
    pub struct TcpSides {
        /// What the client sent.
        "client": client: Tcp,
        /// What the server sent.
        "server": server: Tcp,
        /// Round trips from the place of capture to each side and back: the handshake's, else the smallest that was seen.
        "rtt": rtt: Sides<Option<Seconds>>,
    }
}

object! {
    /// `h2.rtt`
    pub struct Rtt {
        /// From PING to its acknowledgment.
        "ping": ping: Option<RoundTripObject>,
        /// From SETTINGS to their acknowledgment.
        "settings": settings: Option<RoundTripObject>,
    }
}

object! {
    /// `h2.rtt.*`
    pub struct RoundTripObject {
        /// The smallest.
        "min": min: Seconds,
        /// How many there were.
        "count": count: u64,
    }
}

impl RoundTripObject {
    fn new(trips: &RoundTrips) -> Option<Self> {
        Some(Self { min: Seconds::of(trips.smallest?), count: trips.count })
    }
}

object! {
    /// `h2.timing` of a connection.
    pub struct ConnectionTimingObject {
        /// From the SYN to the acknowledgment of the SYN-ACK.
        "tcp_handshake": tcp_handshake: Option<Seconds>,
        /// From there to the first byte of HTTP/2.
        "tls_handshake": tls_handshake: Option<Seconds>,
        /// From the connection's first packet to the first request.
        "first_request": first_request: Option<Seconds>,
    }
}

object! {
    /// `h2.blocked.*`: seconds in which a side could not send.
    pub struct BlockedObject {
        /// At least one stream whose turn it was had no credit of its own; others may have gone on.
        "stream_window": stream_window: Option<Seconds>,
        /// It had no credit on the connection.
        "connection_window": connection_window: Option<Seconds>,
        /// Bytes were missing.
        "tcp_loss": tcp_loss: Option<Seconds>,
        /// Its peer's TCP window was full.
        "tcp_window": tcp_window: Option<Seconds>,
    }
}

impl BlockedObject {
    fn new(blocked: &Blocked) -> Option<Self> {
        (*blocked != Blocked::default()).then(|| Self {
            stream_window: seconds(blocked.stream_window),
            connection_window: seconds(blocked.connection_window),
            tcp_loss: seconds(blocked.tcp_loss),
            tcp_window: seconds(blocked.tcp_window),
        })
    }
}

/// Those above zero.
fn seconds(nanos: u64) -> Option<Seconds> {
    (nanos > 0).then_some(Seconds(nanos))
}

object! {
    /// `h2.windows.*`
    pub struct WindowsObject {
        /// Octets that a stream's window had at first, by the settings in force at the end.
        "initial": initial: u32,
        /// The largest credit on the connection, in octets.
        "largest": largest: u64,
        /// Times that there was none left on the connection.
        "emptied": emptied: u64,
        /// For how long.
        "empty": empty: Option<Seconds>,
    }
}

impl WindowsObject {
    fn new(facts: &WindowFacts) -> Self {
        let WindowFacts { initial, largest, emptied, empty } = *facts;
        Self { initial, largest, emptied, empty: seconds(empty) }
    }
}

object! {
    /// `h2.priority` of a connection.
    pub struct InversionObject {
        /// Octets of DATA that came while a more urgent stream had begun its response, had credit, and had octets that came
        /// later. So many at the most were out of order: a server cannot send what it does not have yet.
        "inverted_bytes": inverted_bytes: u64,
        /// Of so many.
        "bytes": bytes: u64,
    }
}

object! {
    /// `h2.push`
    pub struct PushObject {
        /// Streams that the server promised.
        "promised": promised: u64,
        /// Those that the client did not reset, and that it did not request all the same. Absent where they were too many.
        "used": used: Option<u64>,
        /// Those that it did.
        "cancelled": cancelled: u64,
        /// Octets of DATA that came of these.
        "cancelled_bytes": cancelled_bytes: u64,
    }
}

impl PushObject {
    fn new(pushes: &Pushes) -> Option<Self> {
        let Pushes { promised, used, cancelled, cancelled_bytes } = *pushes;
        (promised > 0).then_some(Self { promised, used, cancelled, cancelled_bytes })
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
    /// The record of a connection.
    pub fn new(connection: &'a ConnectionRecord, origin: Option<Origin<'a>>) -> Self {
        let meta = &connection.meta;
        let version =
            connection.is_http2.then_some("2").or_else(|| connection.upgrade_declined.then_some("1.1"));
        let mut record = Self {
            record: Word("connection"),
            timestamp: Time(connection.first.time),
            duration: Seconds::between(connection.first.time, connection.last.time),
            client: Socket::new(meta.client),
            server: Socket::new(meta.server),
            network: ConnectionNetwork::new(meta, version),
            tls: meta.tls.as_deref().map(Tls::new),
            h2: H2Connection::new(connection, origin),
            tcp: connection.tcp_by_side().map(|PerSide { client, server }| TcpSides {
                client: Tcp::new(&client),
                server: Tcp::new(&server),
                rtt: Sides {
                    client: connection.timing.rtt_client.map(Seconds::of),
                    server: connection.timing.rtt_server.map(Seconds::of),
                },
            }),
        };
        record.h2.lossy_text = is_lossy(&record).then_some(true);
        record
    }
}

object! {
    /// `h2.evidence`
    pub struct RecognitionEvidenceObject {
        /// Frame headers that follow from one another, as far as was looked: eight at the most.
        "frames": frames: u32,
        /// Of their places, and the one behind them, those where a segment begins or ends.
        "aligned": aligned: u32,
    }
}

impl<'a> H2Connection<'a> {
    fn new(connection: &'a ConnectionRecord, origin: Option<Origin<'a>>) -> Self {
        // Without HTTP/2 there was nothing to count: such fields are absent, not 0.
        let found = connection.how.is_some();
        let timing = &connection.timing;
        let hpack = |side: &SideHpack| {
            let (wire_bytes, decoded_bytes) = (side.wire_bytes, side.decoded_bytes);
            (wire_bytes > 0).then_some(Hpack { wire_bytes, decoded_bytes })
        };
        Self {
            connection: ConnectionRef {
                input: origin.map(|origin| Text(origin.input.as_bytes())),
                ..ConnectionRef::new(&connection.meta)
            },
            how: connection.how,
            evidence: connection
                .evidence
                .map(|RecognitionEvidence { frames, aligned }| RecognitionEvidenceObject { frames, aligned }),
            upgrade_declined: (found || connection.upgrade_declined).then_some(connection.upgrade_declined),
            transactions: found.then_some(connection.transactions),
            streams: found.then_some(Streams {
                opened: connection.streams_opened,
                max_concurrent: connection.max_concurrent,
                at_limit: seconds(timing.at_limit),
                queued: (timing.queued > 0).then_some(timing.queued),
            }),
            settings: Sides {
                client: Settings(&connection.client_settings),
                server: Settings(&connection.server_settings),
            },
            frames: Sides {
                client: Frames(&connection.client_frames),
                server: Frames(&connection.server_frames),
            },
            goaway: GoawayList { frames: &connection.goaway, start: connection.first.time },
            limited: connection.limited.then_some(true),
            hpack: Sides { client: hpack(&connection.client_hpack), server: hpack(&connection.server_hpack) },
            rtt: (timing.ping.count + timing.settings.count > 0).then(|| Rtt {
                ping: RoundTripObject::new(&timing.ping),
                settings: RoundTripObject::new(&timing.settings),
            }),
            timing: found.then(|| ConnectionTimingObject {
                tcp_handshake: timing.tcp_handshake.map(Seconds::of),
                tls_handshake: timing.tls_handshake.map(Seconds::of),
                first_request: timing.first_request.map(Seconds::of),
            }),
            windows: Sides {
                client: timing.client_windows.as_ref().map(WindowsObject::new),
                server: timing.server_windows.as_ref().map(WindowsObject::new),
            },
            priority: timing
                .inversion
                .map(|Inversion { octets, of }| InversionObject { inverted_bytes: octets, bytes: of }),
            push: PushObject::new(&timing.pushes),
            blocked: Sides {
                client: BlockedObject::new(&timing.client_blocked),
                server: BlockedObject::new(&timing.server_blocked),
            },
            end: ConnectionEnd::new(connection.end, &connection.ending),
            lossy_text: None,
        }
    }
}
