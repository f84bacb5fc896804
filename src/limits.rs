//! Every cap in the program, in one place. Each has a counter that tells when it struck.

use std::time::Duration;

/// Bytes that one direction of a connection may hold while it waits for a hole to fill. At the cap the hole is
/// given up. Counter: `reassembly_direction`.
pub const REASSEMBLY_DIRECTION: usize = 1 << 20;

/// Bytes that all connections of a shard may hold while they wait for holes to fill: 256 MiB over the
/// [`crate::flow::SHARDS`] shards. Counter: `reassembly_total`.
pub const REASSEMBLY_SHARD: usize = (256 << 20) / crate::flow::SHARDS;

/// Segments of a connection that are awaited, once the peer has acknowledged past a hole, before the hole is
/// given up: captures reorder packets, and an acknowledgment may come before what it acknowledges.
pub const HOLE_GRACE_SEGMENTS: u64 = 256;

/// Packet time that is awaited likewise.
pub const HOLE_GRACE: Duration = Duration::from_millis(100);

/// Packet time after which a hole is given up although no acknowledgment past it was seen: the other direction
/// may not be in the capture.
pub const HOLE_UNACKNOWLEDGED: Duration = Duration::from_secs(3);

/// Connections that a shard follows at one time, those that have ended and are remembered too: 262,144 over the
/// [`crate::flow::SHARDS`] shards. At the cap an ended one goes, else the one idle for longest. Counter:
/// `connections`.
pub const CONNECTIONS_SHARD: usize = (256 << 10) / crate::flow::SHARDS;

/// Bytes of memory that the connections of a shard may take beside what reassembly and TLS hold back: dynamic tables,
/// frames and header blocks in hand, open streams. 512 MiB over the [`crate::flow::SHARDS`] shards. At the cap the
/// connection idle for longest is given up. Counter: `connection_memory`.
pub const CONNECTION_MEMORY_SHARD: usize = (512 << 20) / crate::flow::SHARDS;

/// Packet time for which a closed connection is remembered, so that its late packets do not look like a new one.
pub const CLOSED_LINGER: Duration = Duration::from_secs(60);

/// Bytes in which a frame boundary is looked for after a loss; at the cap the older half is given up. Counter:
/// `skipped_bytes` of coverage.
pub const RESYNC_TAPE: usize = 64 << 10;

/// Octets of a header block with its CONTINUATIONs that are kept; a longer block is cut there, and the dynamic
/// table's past is then unknown. Counter: `header_block`.
pub const HEADER_BLOCK: usize = 1 << 20;

/// Payload octets of a frame other than DATA and header blocks that are kept to be read. The rest is skipped.
pub const FRAME_PAYLOAD: usize = 64 << 10;

/// Places in a header block where a segment ended that are remembered.
pub const BLOCK_CUTS: usize = 1 << 16;

/// SETTINGS frames of a side that await their acknowledgment; with more, what it allows its peer is not known.
pub const SETTINGS_UNACKNOWLEDGED: usize = 64;

/// Settings of a side that a connection record keeps.
pub const SETTINGS_KEPT: usize = 32;

/// Octets of GOAWAY debug data that a connection record keeps.
pub const GOAWAY_DEBUG: usize = 256;

/// GOAWAY frames that a connection record keeps.
pub const GOAWAY_KEPT: usize = 8;

/// CONTINUATION frames in a header block from which on it is reported as a flood.
pub const CONTINUATION_FLOOD: u32 = 64;

/// Bytes of a direction that are searched at every offset for HTTP/2 that was joined late; after that only the
/// starts of segments are looked at.
pub const DETECT_BYTES: usize = 256 << 10;

/// Streams of a connection that are followed at one time. At the cap the lowest quarter is given up. Counter:
/// `streams`.
pub const STREAMS_CONNECTION: usize = 16_384;

/// Bytes of memory that the open streams of a connection may take: their header and trailer fields for the most part.
/// At the cap the lowest quarter is given up. Counter: `stream_memory`.
pub const STREAM_MEMORY_CONNECTION: usize = 32 << 20;

/// Bytes of memory for fields above which it is not kept to be used again.
pub const FIELDS_SPARE: usize = 16 << 10;
/// Resets of a connection that are remembered for streams that were not open when they were read. At the cap the one
/// of the lowest stream is forgotten.
pub const EARLY_RESETS: usize = 256;

/// Ended streams of a thread whose memory is kept to be used again.
pub const STREAM_POOL: usize = 1024;

/// Bytes of a section's text, and of its lines, that an ended stream keeps for the next one.
pub const FIELDS_KEPT: usize = 4096;

/// Interim responses of an exchange that are kept.
pub const INTERIM_KEPT: usize = 16;

/// Octets of an HTTP/1.1 head that are kept to be read; a longer one is no head.
pub const HTTP1_HEAD: usize = 64 << 10;

/// HTTP/1.1 requests of a connection that may await their response.
pub const HTTP1_PIPELINED: usize = 64;

/// Octets of a chunk's size line.
pub const CHUNK_LINE: usize = 4096;

/// Bytes of a connection of unknown protocol that are kept, so that nothing is lost once it is known.
pub const OPENING_BYTES: usize = 128 << 10;

/// How often a connection may turn out to carry another protocol inside: PROXY header, CONNECT tunnel, TLS.
pub const OPENING_DEPTH: u8 = 4;

/// Pieces in which the bytes of a connection of unknown protocol are kept.
pub const OPENING_PIECES: usize = 4096;
// HPACK

/// Bytes, as coded, of a string in a header block that is still decoded. A longer one is left unknown; the table
/// stays in step.
pub const HPACK_STRING: usize = 256 * 1024;

/// The same for a field's name, which an index of one byte can have copied to a new table entry.
pub const HPACK_NAME: usize = 4 * 1024;

/// Size of a header list (RFC 9113 section 6.5.2: names, values, and 32 bytes a field) up to which the fields of a
/// block are handed out. Those beyond it are read for the table only.
/// Counter: `headers`.
pub const HPACK_LIST: u64 = 1024 * 1024;

/// Size of a header list that is handed out, however short its block.
pub const HPACK_LIST_SURE: u64 = 32 * 1024;

/// Size of a header list that is handed out besides, and besides the size of the table, for each byte of the block: a
/// list that is larger names entries again and again, as nothing but an attack does (CVE-2016-6581). An entry of the
/// static table takes 39 to 61 bytes of a list, and one byte of a block. Counter: `headers`.
pub const HPACK_EXPANSION: u64 = 64;

/// Size of a dynamic table (RFC 7541 section 4.1) that is kept. Of a larger one the newest entries are.
pub const HPACK_TABLE: u32 = 1024 * 1024;

/// The same where the table's size is not known: after a late start, until the settings or a size update say it.
pub const HPACK_TABLE_UNSURE: u32 = 64 * 1024;

/// Bytes of memory that a table may keep for long strings when its entries need less.
pub const HPACK_SCRATCH: usize = 16 * 1024;
/// Bytes of a TLS master or traffic secret: those of SHA-384, the longest hash that a suite names.
pub const MAX_TLS_SECRET: usize = 48;
/// Bytes of a premaster secret; that of a Diffie-Hellman group of 8192 bits.
pub const MAX_TLS_PREMASTER: usize = 1024;
/// Connections whose secrets are kept; beyond it those of the oldest one are forgotten.
pub const MAX_KEY_LOG_CONNECTIONS: usize = 1 << 18;
/// Bytes of a key log line; longer ones are skipped.
pub const MAX_KEY_LOG_LINE: usize = 4096;
/// Bytes of ciphertext that one direction keeps while it waits for secrets or for the other side's hello.
pub const MAX_TLS_HELD: usize = 1 << 20;
/// Bytes that one direction keeps while it waits for the other side's hello, before that counts as not captured.
pub const MAX_TLS_HELD_FOR_HELLO: usize = 64 << 10;
/// Bytes of ciphertext that all connections together keep; each shard its part. Counter: `tls_held`.
pub const MAX_TLS_HELD_TOTAL: usize = 64 << 20;
/// Bytes of a handshake message that is buffered to be read; the bodies of others are skipped.
pub const MAX_TLS_MESSAGE: usize = 64 << 10;
/// Bytes of hello messages kept for the extended master secret's session hash.
pub const MAX_TLS_TRANSCRIPT: usize = 128 << 10;
/// Protocols of a client hello's ALPN that are kept.
pub const MAX_TLS_ALPN: usize = 32;
/// Sequence numbers that are tried for a record after a hole.
pub const MAX_TLS_SEQUENCE_TRIES: u64 = 4096;
/// Connections of the key log, newest first, whose secrets are tried where the client hello is missing.
pub const MAX_TLS_RANDOM_TRIES: usize = 256;
/// Bytes of records that may be tried without success, for every byte seen; and to begin with.
pub const TLS_TRIAL_RATE: u64 = 8;
/// See [`TLS_TRIAL_RATE`].
pub const TLS_TRIAL_START: u64 = 4 << 20;
/// Record buffers that are kept for reuse.
pub const MAX_TLS_SPARE_BUFFERS: usize = 16;
/// Secrets tried in all where client hellos are missing: trying costs time that the traffic does not pay for.
pub const MAX_TLS_RANDOM_TRIES_TOTAL: u64 = 1 << 16;
/// Records that fail before the first one opens, until a connection without its hello is given up; and the
/// lost records that are reckoned with until then.
pub const MAX_TLS_UNPROVEN: u64 = 8;
/// Tunnels that one packet may stand in (GRE, IP in IP, VXLAN, Geneve, GTP-U, pseudowires, …); a packet deeper
/// down is skipped as `tunnel_too_deep`.
pub const TUNNEL_DEPTH: u8 = 4;

/// VLAN tags and MPLS labels in one packet, all tunnels together; with more it is skipped as `too_many_tags`.
pub const LINK_TAGS: u8 = 16;

/// IPv6 extension headers (and IPv4 authentication headers) in one packet, all tunnels together; with more it
/// is skipped as `too_many_extensions`.
pub const IP_EXTENSIONS: u8 = 16;

/// Bytes that an IP packet of unstated length (segmentation offload, jumbogram) is believed to have had on the
/// wire: what Linux hands to a network card at most. Beyond, they are ignored and the limit `super_packet` is
/// counted.
pub const SUPER_PACKET_BYTES: usize = 512 * 1024;

/// IP datagrams of which fragments are held at the same time; the oldest is dropped for a new one and the limit
/// `fragment_table` is counted.
pub const FRAGMENTED_DATAGRAMS: usize = 1024;

/// Memory for held IP fragments, in bytes; the oldest datagrams are dropped to stay within, and the limit
/// `fragment_table` is counted.
pub const FRAGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Pieces that one IP datagram may come in; with more it is dropped and the limit `fragments_per_datagram` is
/// counted. The smallest IPv4 link (68 bytes) needs about 1,365 for the largest datagram, Ethernet needs 45.
pub const FRAGMENTS_PER_DATAGRAM: usize = 1536;

/// Packet time after which the fragments of an incomplete IP datagram are dropped; hosts wait 15 to 60 seconds
/// (RFC 791 section 3.2, RFC 8200 section 4.5). Counted as `expired` datagrams.
pub const FRAGMENT_LIFETIME: std::time::Duration = std::time::Duration::from_secs(30);

/// Completed IP datagrams that are remembered, so that second copies of their fragments (a capture that sees
/// each packet twice) do not wait for the rest of theirs. More copies than these wait, and expire.
pub const RECENT_DATAGRAMS: usize = 64;

/// Packet time for which a completed IP datagram is remembered; a sender that reuses its identification later
/// is taken to mean a new datagram.
pub const RECENT_DATAGRAM_LIFETIME: std::time::Duration = std::time::Duration::from_secs(1);
/// Bytes that one read of a capture file asks for, and so about the size of a batch. Large enough that the
/// system call costs nothing per packet, small enough that the bytes are still in the CPU's second-level cache
/// when they are decoded.
pub const READ_BYTES: usize = 128 << 10;

/// Bytes of a batch when more than [`MERGE_LANES`] inputs are merged, so that memory does not grow with them.
pub const MERGE_READ_BYTES: usize = 64 << 10;

/// Inputs that are merged with batches of full size.
pub const MERGE_LANES: usize = 8;

/// The longest packet that is believed without the file's word for it: libpcap's largest snaplen.
pub const PACKET_BYTES: u32 = 256 << 10;

/// The longest packet or pcapng block that is read; one that claims more is damage
/// ([`crate::capture::DamageKind::Corrupt`]).
pub const BLOCK_BYTES: u32 = 16 << 20;

/// Bytes of a damaged capture that are searched for the next believable packet. If there is none, the rest of
/// the input is not read ([`crate::capture::DamageKind::GivenUp`]).
pub const SEARCH_BYTES: u64 = 256 << 20;

/// Interfaces described in one pcapng section. Packets of later ones are counted as
/// [`crate::capture::DamageKind::UnknownInterface`].
pub const INTERFACES: usize = 1 << 16;

/// Bytes of TLS key log taken from one input's Decryption Secrets Blocks; what comes after is counted as
/// [`crate::capture::DamageKind::SecretsDropped`].
pub const SECRETS_BYTES: usize = 64 << 20;

/// Decryption Secrets Blocks taken from one input, counted like [`SECRETS_BYTES`].
pub const SECRETS_BLOCKS: usize = 1 << 16;

/// The zstd window that is accepted, as a power of two: the largest that the `zstd` tool accepts by default.
/// A stream that needs more is counted as [`crate::capture::DamageKind::Decompress`].
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Link types for which a capture filter is compiled; packets of further ones do not pass it, and are counted.
pub const FILTER_LINK_TYPES: usize = 64;
/// Bytes of output gathered before they are written.
pub const OUTPUT_BUFFER: usize = 128 * 1024;

/// Rows that a table holds to fit its columns to them; with more it is printed as it comes.
pub const TABLE_HELD_ROWS: usize = 1_000;

/// Bytes of rows that a table holds.
pub const TABLE_HELD_BYTES: usize = 1 << 20;

/// Characters of one piece of text (a path, a query) that a table shows; `…` stands for the rest.
pub const TABLE_CELL_CHARS: usize = 512;

/// Characters of a header field's value that a table shows below a row; `…` stands for the rest.
pub const TABLE_LINE_CHARS: usize = 4_096;
/// Connections that the agent's model keeps: those it has classified, until some time after their end. Counted as
/// `agent_connections` in [`crate::agent::Agent::limits`] when one gives way to a newer.
pub const AGENT_CONNECTIONS: usize = 65_536;

/// Transactions that the agent's model has emitted and that wait for the exact one. One that gives way is spurious;
/// counted as `agent_emitted`.
pub const AGENT_EMITTED: usize = 65_536;

/// Streams that the agent's model gave up and whose traces wait for the exact transaction. Counted as `agent_traces`.
pub const AGENT_TRACES: usize = 65_536;

/// Runs of packets, by sender, in which the agent's model lost frames. Older ones are forgotten: they would only
/// make a reason more precise.
pub const AGENT_INCIDENTS: usize = 8;

/// Numbers of paths too long for the agent's dynamic table, by sender. Older ones are forgotten, as above.
pub const AGENT_LONG_PATHS: usize = 64;

/// Latency sketches that the agent's statistics keep, when they are asked for. Counted as `agent_sketches`.
pub const AGENT_SKETCHES: usize = 16_384;

/// Bytes of packets in a batch of a live capture: a batch is handed on when it has so many, or when the kernel has
/// no more.
pub const LIVE_BATCH_BYTES: usize = 512 << 10;

/// Batches of a live capture that wait for the analysis. When there are more, packets stay in the kernel's buffer;
/// what it cannot hold is counted in `dropped_by_kernel`.
pub const LIVE_BATCHES: usize = 64;

/// Bytes of records that wait for a slow reader of the output. Beyond, the oldest are dropped and counted in
/// `dropped_records`.
pub const LIVE_OUTPUT: usize = 64 << 20;

/// Packets of a batch of a live capture, small ones too: their descriptions take memory as well.
pub const LIVE_BATCH_PACKETS: usize = 8192;
/// Streams that one side has ended, while nothing of the other side was seen at all, that are kept in case it is only
/// late.
pub const ONE_SIDED_STREAMS: usize = 256;

/// Streams of a connection whose state is kept for the findings; at the cap the lowest quarter is forgotten, and
/// nothing is said of them any more. Counter: `findings`.
pub const RULE_STREAMS: usize = 16_384;

/// Violations of a connection that await their proof; further ones are not reported. Counter: `findings`.
pub const SUSPICIONS: usize = 32;

/// Packet time within which the order of the two directions of a connection in a capture proves nothing.
pub const SWAPPED: Duration = Duration::from_secs(1);

/// CONTINUATION frames of a side in a second of packet time, beyond which they are reported as a flood. Browsers
/// and proxies send one or two with a request at the most.
pub const CONTINUATIONS_PER_SECOND: u32 = 500;

/// Streams that a client resets within a second of opening them, in a second of packet time, beyond which they are
/// reported as an attack (CVE-2023-44487). A browser that leaves a page cancels some dozens.
pub const RAPID_RESETS_PER_SECOND: u32 = 100;

/// SETTINGS frames of a side, acknowledgments not counted, likewise. One at the start is usual.
pub const SETTINGS_PER_SECOND: u32 = 100;

/// PING frames of a side, acknowledgments not counted, likewise. Bandwidth estimation sends one a round trip.
pub const PINGS_PER_SECOND: u32 = 500;

/// DATA frames of a side without data that do not end their stream, likewise.
pub const EMPTY_DATA_PER_SECOND: u32 = 100;

/// PRIORITY frames of a side, likewise. Browsers sent some with each request of a page.
pub const PRIORITIES_PER_SECOND: u32 = 500;

/// Packet time within which a stream must be reset to count as rapidly reset.
pub const RAPID_RESET: Duration = Duration::from_secs(1);

/// Packet time after which a peer is taken to have received a GOAWAY, if nothing tells it earlier.
pub const GOAWAY_GRACE: Duration = Duration::from_secs(1);
