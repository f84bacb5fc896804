//! Every cap in the program: what strikes makes h2lens lose, cut, forget or refuse something that could show. Each names
//! the counter that tells the user that it struck: one of `coverage.limits` unless the text says where else it stands.
//! `docs/limits.md` says what each costs. Numbers that cost nothing are in [`crate::base::tuning`].

use super::tuning::SHARDS;

// Capture files

/// The longest packet that is believed without the file's word for it: libpcap's largest snaplen. What claims more is
/// damage ([`crate::capture::DamageKind::Corrupt`]). Counter: `damaged_inputs` of coverage, and a message.
pub const PACKET_BYTES: u32 = 256 << 10;

/// The longest packet or pcapng block that is read; one that claims more is damage
/// ([`crate::capture::DamageKind::Corrupt`]). Counter: `damaged_inputs` of coverage, and a message.
pub const BLOCK_BYTES: u32 = 16 << 20;

/// Bytes of a damaged capture that are searched for the next believable packet. If there is none, the rest of
/// the input is not read ([`crate::capture::DamageKind::GivenUp`]). Counter: `damaged_inputs` of coverage, and a
/// message.
pub const SEARCH_BYTES: u64 = 256 << 20;

/// Interfaces described in one pcapng section. Packets of later ones are left out
/// ([`crate::capture::DamageKind::UnknownInterface`]). Counter: `damaged_inputs` of coverage, and a message.
pub const INTERFACES: usize = 1 << 16;

/// Bytes of TLS key log taken from one input's Decryption Secrets Blocks; what comes after is left out
/// ([`crate::capture::DamageKind::SecretsDropped`]). Counter: `damaged_inputs` of coverage, and a message.
pub const SECRETS_BYTES: usize = 64 << 20;

/// Decryption Secrets Blocks taken from one input, as [`SECRETS_BYTES`]. Counter: `damaged_inputs` of coverage, and a
/// message.
pub const SECRETS_BLOCKS: usize = 1 << 16;

/// The zstd window that is accepted, as a power of two: the largest that the `zstd` tool accepts by default; less with less
/// memory, and where several inputs are read, but 23 at the least, the largest that the tool makes of itself. A stream
/// that needs more is not read ([`crate::capture::DamageKind::Decompress`], or no capture at all when it begins so).
/// Counter: `damaged_inputs` of coverage, and a message.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Link types for which a capture filter is compiled; packets of further ones do not pass it. Counter:
/// `filter_link_types`.
pub const FILTER_LINK_TYPES: usize = 64;

/// Runs of packets that follow one another in their input, where several inputs are one timeline: whose packets stood
/// before so many switches between inputs are not told to be of which input. A share of the memory. Counter: `origins`.
pub const ORIGIN_RUNS: usize = 512 << 10;

// Packets

/// Tunnels that one packet may stand in (GRE, IP in IP, VXLAN, NSH, Geneve, GTP-U, pseudowires, …); a packet deeper
/// down is skipped. Counter: `tunnel_depth`.
pub const TUNNEL_DEPTH: u8 = 4;

/// VLAN tags and MPLS labels in one packet, all tunnels together; with more it is skipped. Counter: `link_tags`.
pub const LINK_TAGS: u8 = 16;

/// IPv6 extension headers (and IPv4 authentication headers) in one packet, all tunnels together; with more it
/// is skipped. Counter: `ip_extensions`.
pub const IP_EXTENSIONS: u8 = 16;

/// Extension headers of GTP-U in one header: more than any release defines for one packet; with more the packet is
/// skipped. Counter: `ip_extensions`.
pub const GTP_EXTENSIONS: usize = 8;

/// Bytes that an IP packet of unstated length (segmentation offload, jumbogram) is believed to have had on the
/// wire: what Linux hands to a network card at most. Beyond, they are ignored. Counter: `super_packet`.
pub const SUPER_PACKET_BYTES: usize = 512 * 1024;

/// IP datagrams of which fragments are held at the same time; the oldest is dropped for a new one. Counter:
/// `fragment_table`.
pub const FRAGMENTED_DATAGRAMS: usize = 1024;

/// Memory for held IP fragments, in bytes; the oldest datagrams are dropped to stay within. Counter: `fragment_table`.
pub const FRAGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Pieces that one IP datagram may come in; with more it is dropped. The smallest IPv4 link (68 bytes) needs about
/// 1,365 for the largest datagram, Ethernet needs 45. Counter: `fragments_per_datagram`.
pub const FRAGMENTS_PER_DATAGRAM: usize = 1536;

// TCP

/// Connections that a shard follows at one time, those that have ended and are remembered too: 262,144 over the
/// [`SHARDS`] shards. At the cap an ended one goes (`ended_connections`), else the one idle for longest.
/// Counter: `connections`.
pub const CONNECTIONS_SHARD: usize = (256 << 10) / SHARDS;

/// Connections between the same addresses and ports that are followed at one time, each in a network of its own (VLAN or
/// tunnel). At the cap the one that came first goes.
/// Counter: `connections`.
pub const NETWORKS_ENDPOINTS: usize = 16;

/// Bytes that one direction of a connection may hold while it waits for a hole to fill: room for the largest window
/// that Linux gives by itself (6 MiB, `tcp_rmem`), in segments as they cross networks. At the cap the hole is given up.
/// Counter: `reassembly_direction`.
pub const REASSEMBLY_DIRECTION: usize = 8 << 20;

/// Bytes that all connections of a shard may hold while they wait for holes to fill: 256 MiB over the
/// [`SHARDS`] shards. At the cap the hole is given up. Counter: `reassembly_total`.
pub const REASSEMBLY_SHARD: usize = (256 << 20) / SHARDS;

/// Bytes of memory that the connections of a shard may take with all that is held for them: dynamic tables, frames and
/// header blocks in hand, open streams, findings, handshakes, and what reassembly, TLS and bodies hold back. 320 MiB over
/// the [`SHARDS`] shards. At the cap what is remembered of ended connections goes (`ended_connections`), then the
/// connection idle for longest, such without HTTP/2 first. Counter: `connection_memory`.
pub const CONNECTION_MEMORY_SHARD: usize = (320 << 20) / SHARDS;

// What a connection carries

/// Bytes of a connection of unknown protocol that are kept, so that nothing is lost once it is known; at the cap the
/// older half goes. Counter: `opening`, when the protocol becomes known after all.
pub const DETECTION_BYTES: usize = 128 << 10;

/// Pieces in which these bytes are kept, likewise. Counter: `opening`.
pub const DETECTION_PIECES: usize = 4096;

/// How often a connection may turn out to carry another protocol inside: CONNECT tunnel, TLS. What is deeper down is
/// not looked at. Counter: `opening_depth`.
pub const OPENING_DEPTH: u8 = 4;

/// HTTP/2 connections within one another, each in a stream of the one around it that CONNECT opened. Deeper ones are not
/// looked at. Counter: `connect_tunnels`.
pub const CONNECT_DEPTH: u8 = 4;

/// Streams of a connection that CONNECT opened and that are looked into at one time; further ones are not. Counter:
/// `connect_tunnels`.
pub const CONNECT_TUNNELS: usize = 1024;

/// Bytes of such streams that one packet lets be read: what it completes may have waited for it. Beyond, they are
/// missing. Counter: `connect_tunnels`.
pub const CONNECT_QUEUE: usize = 4 << 20;

/// Bytes of a direction that are searched at every offset for HTTP/2 that was joined late; after that only the
/// starts of segments are looked at. More than [`DETECTION_BYTES`]: what is recognised later has lost its beginning, and
/// what is not is among `connections.other`. Counter: `opening`.
pub const DETECT_BYTES: usize = 256 << 10;

/// Octets of an HTTP/1.1 head that are kept to be read, and of what follows a request that may switch the connection
/// over; with more, HTTP/1.1 is not followed any more. Counter: `http1`.
pub const HTTP1_HEAD: usize = 64 << 10;

/// Header fields of an HTTP/1.1 head, likewise. Counter: `http1`.
pub const HTTP1_HEADERS: usize = 128;

/// HTTP/1.1 requests of a connection that may await their response, likewise. Counter: `http1`.
pub const HTTP1_PIPELINED: usize = 64;

/// Octets of the body of a request that asks for an upgrade, which are kept for what is told of its content. Counter:
/// `body_memory`.
pub const HTTP1_UPGRADE_CONTENT: usize = 64 << 10;

/// Octets of a chunk's size line, likewise. Counter: `http1`.
pub const CHUNK_LINE: usize = 4096;

// TLS

/// Bytes of a key log line; longer ones are skipped. Counter: `key_log_lines`.
pub const MAX_KEY_LOG_LINE: usize = 4096;

/// Bytes of a premaster secret, that of a Diffie-Hellman group of 8192 bits; lines with longer ones are skipped.
/// Counter: `key_log_lines`.
pub const MAX_TLS_PREMASTER: usize = 1024;

/// Connections whose secrets are kept; beyond it those of the oldest one are forgotten. Counter: `key_log_connections`.
pub const MAX_KEY_LOG_CONNECTIONS: usize = 1 << 18;

/// Bytes of memory for these secrets, a quarter of them for what is made of the secrets to find records joined late. When they
/// are full, the secrets of the oldest connection are forgotten. Counter: `key_log_connections`.
pub const KEY_LOG_MEMORY: usize = 96 << 20;

/// Bytes of ciphertext that one direction keeps while it waits for secrets or for the other side's hello, and no more than an
/// eighth of its shard's part of [`MAX_TLS_HELD_TOTAL`]; at the cap it is given up. Counter: `tls_held`.
pub const MAX_TLS_HELD: usize = 1 << 20;

/// Bytes of ciphertext that all connections together keep; each shard its part. Counter: `tls_held`.
pub const MAX_TLS_HELD_TOTAL: usize = 64 << 20;

/// Bytes that one direction keeps while it waits for the other side's hello, before that counts as not captured.
/// Counter: `tls_hello`.
pub const MAX_TLS_HELD_FOR_HELLO: usize = 64 << 10;

/// Bytes of a handshake message that is buffered to be read; a longer hello counts as not captured. Counter:
/// `tls_message`.
pub const MAX_TLS_MESSAGE: usize = (64 << 10) - 1;

/// Bytes of messages up to the server hello that are kept for the extended master secret's session hash; with more,
/// premaster secrets do not decrypt the connection. Counter: `tls_message`.
pub const MAX_TLS_TRANSCRIPT: usize = 128 << 10;

/// Protocols of a client hello's ALPN that are kept. Counter: `tls_alpn`.
pub const MAX_TLS_ALPN: usize = 32;

/// Bytes of their names, as they are escaped: each exchange of the connection shows them. Counter: `tls_alpn`.
pub const MAX_TLS_ALPN_BYTES: usize = 256;

/// Sequence numbers that are tried for a record after a hole. Counter: `tls_trials`.
pub const MAX_TLS_SEQUENCE_TRIES: u64 = 4096;

/// Tries to find the secrets of one connection that was joined late, in units of one secret with one short AES-GCM record, a
/// tenth to a sixth of a microsecond: a secret with one number of ChaCha20-Poly1305 is two of them, and longer records are
/// more. Counter: `tls_trials`.
pub const MAX_TLS_LATE_TRIES: u64 = 1 << 22;

/// Numbers tried by a shard of records whose cipher does not tell them: 2^26 over the [`SHARDS`] shards.
/// Counter: `tls_trials`.
pub const MAX_TLS_LATE_SEARCH_TOTAL: u64 = 1 << 23;

/// Tries that a shard has to begin with, of the unit above: what one connection needs whose cipher does not tell its records'
/// numbers, joined at its 20,000th record. Those of all [`SHARDS`] shards take up to 0.2 s, and that is what the smallest
/// capture costs at the most. Counter: `tls_trials`.
pub const TLS_LATE_START: u64 = 1 << 17;

/// Tries that it has more for each secret of the key log: a connection is tried with each secret for one direction's use, on two
/// records, without which a long key log could not be looked through. Counter: `tls_trials`.
pub const TLS_LATE_TRIES_PER_SECRET: u64 = 4;

/// Bytes of TLS for which it has one more: random bytes in the guise of records cost no more than a multiple of honest ones.
/// Counter: `tls_trials`.
pub const TLS_LATE_BYTES_PER_TRY: u64 = 4;

/// Bytes of records that may be tried without success, to begin with. Counter: `tls_trials`.
pub const TLS_TRIAL_START: u64 = 4 << 20;

/// The same, for every byte seen. Counter: `tls_trials`.
pub const TLS_TRIAL_RATE: u64 = 8;

// HTTP/2 frames

/// Bytes in which a frame boundary is looked for after a loss; at the cap the older half is given up. Counter:
/// `skipped_bytes` of coverage.
pub const RESYNC_BUFFER: usize = 64 << 10;

/// Places among these that may be a boundary and await more bytes; further ones are passed over. Counter:
/// `skipped_bytes` of coverage.
pub const RESYNC_CANDIDATES: usize = 16;

/// Octets of a direction that are decoded while a boundary is looked for, to see whether they are header blocks. Beyond, twice
/// as many are where the likeliest ones stand, and other places are passed over. Counter: `skipped_bytes` of coverage.
pub const RESYNC_START: u64 = 64 << 10;

/// The same for each octet that is searched. Counter: `skipped_bytes` of coverage.
pub const RESYNC_DECODE: u64 = 8;

/// Octets of a header block with its CONTINUATIONs that are kept; a longer block is cut there, and the dynamic
/// table's past is then unknown. Counter: `headers`.
pub const HEADER_BLOCK: usize = 1 << 20;

/// Payload octets of a frame other than DATA and header blocks that are kept to be read. The rest is skipped, and
/// SETTINGS count as lost. Counter: `frame_payload`.
pub const FRAME_PAYLOAD: usize = 64 << 10;

/// Octets of the first line that are shown of a side that does not speak HTTP/2. Counter: `…`, which stands for the rest.
pub const FOREIGN_LINE: usize = 256;

/// SETTINGS frames of a side that await their acknowledgment, or acknowledgments that await what they acknowledge; with
/// more, what the side allows its peer is not known. Counter: `settings_unacknowledged`.
pub const SETTINGS_UNACKNOWLEDGED: usize = 64;

// HPACK

/// Bytes, as coded, of a string in a header block that is still decoded. A longer one is left unknown; the table
/// stays in step. Counter: `headers`.
pub const HPACK_STRING: usize = 256 * 1024;

/// The same for a field's name, which an index of one byte can have copied to a new table entry. Counter: `headers`.
pub const HPACK_NAME: usize = 4 * 1024;

/// Size of a header list (RFC 9113 section 6.5.2: names, values, and 32 bytes a field) up to which the fields of a
/// block are handed out. Those beyond it are read for the table only. Counter: `headers`.
pub const HPACK_LIST: u64 = 1024 * 1024;

/// Size of a header list that is handed out, however short its block. Counter: `headers`.
pub const HPACK_LIST_SURE: u64 = 32 * 1024;

/// Size of a header list that is handed out besides, and besides the size of the table, for each byte of the block: a
/// list that is larger names entries again and again, as nothing but an attack does (CVE-2016-6581). An entry of the
/// static table takes 39 to 61 bytes of a list, and one byte of a block. Counter: `headers`.
pub const HPACK_EXPANSION: u64 = 64;

/// Bytes, as they are escaped, of the header fields of a connection that are handed on, however little it has sent.
/// Counter: `output`.
pub const OUTPUT_SURE: u64 = 256 << 10;

/// The same for each octet that it has sent, and for each segment's headers. Those beyond it name entries of the table again
/// and again, and are read for the table only. Counter: `output`.
pub const OUTPUT_EXPANSION: u64 = 64;

/// Size of a dynamic table (RFC 7541 section 4.1) that is kept. Of a larger one the newest entries are, and fields
/// that name older ones are unknown. Counter: `hpack_table`.
pub const HPACK_TABLE: u32 = 1024 * 1024;

/// The same where the table's size is not known: after a late start, until the settings or a size update say it.
/// Counter: `hpack_table`.
pub const HPACK_TABLE_UNSURE: u32 = 64 * 1024;

// Exchanges

/// Streams of a connection that are followed at one time; fewer where memory is short. At the cap the lowest quarter is given up.
/// Counter: `streams`.
pub const STREAMS_CONNECTION: usize = 16_384;

/// Bytes of memory that the open streams of a connection may take: their header and trailer fields for the most part;
/// fewer where memory is short. At the cap the lowest quarter is given up. Counter: `stream_memory`.
pub const STREAM_MEMORY_CONNECTION: usize = 32 << 20;

/// Ended streams of a connection that are remembered, of the newest identifiers of each parity, so that late frames do
/// not make new exchanges. Where an older one was open before is not known. Counter: `ended_streams`.
pub const ENDED_STREAMS: u32 = 16_384;

/// Streams that one side has ended, while nothing of the other side was seen at all, that are kept in case it is only
/// late; at the cap the first is told of without the other side. Counter: `one_sided_streams`, when that comes after
/// all.
pub const ONE_SIDED_STREAMS: usize = 256;

/// Resets of a connection that are remembered for streams that were not open when they were read. At the cap the one
/// of the lowest stream is forgotten. Counter: `early_resets`.
pub const EARLY_RESETS: usize = 256;

/// Authorities of a connection for which exchanges are counted (`reuse.authorities`); those of further ones are not. Counter:
/// `reuse_authorities`.
pub const REUSE_AUTHORITIES: usize = 256;

/// Interim responses of an exchange that are kept. Counter: `interim`.
pub const INTERIM_KEPT: usize = 16;

/// Octets of the trailers in a gRPC-Web body that are read. Counter: `headers`.
pub const GRPC_WEB_TRAILERS: usize = 4096;

/// Settings of a side that a connection record keeps. Counter: `settings`.
pub const SETTINGS_KEPT: usize = 32;

/// GOAWAY frames that a connection record keeps. Counter: `goaway`.
pub const GOAWAY_KEPT: usize = 8;

/// Octets of GOAWAY debug data that a connection record keeps. Counter: `goaway`.
pub const GOAWAY_DEBUG: usize = 256;

// Findings

/// Streams of a connection whose state is kept for the findings, for the windows, and for where their time went. At the
/// cap the lowest quarter is forgotten, and nothing is said of them any more; of the time of new ones nothing is said.
/// Counter: `findings`.
pub const RULE_STREAMS: usize = 16_384;

/// Streams of a connection whose priorities are remembered, open or not; of others none is told. Counter: `priorities`.
pub const PRIORITIES: usize = 1024;

/// Runs of DATA that may turn out to have come before what is more urgent; the oldest two become one, and the octets that are
/// told a bound. Counter: `priorities`.
pub const PRIORITY_RUNS: usize = 64;

/// Promises of a connection that are remembered, to know whether the client requests the same; of more it is not told how
/// many were used. Counter: `promises`.
pub const PROMISES: usize = 256;

/// Pieces that an exchange's time is told in, where that is asked for; what comes after them is told by its parts, one behind
/// the other. Counter: `time_pieces`.
pub const TIME_PIECES: usize = 256;

/// Ended streams of each parity whose state is kept likewise, the newest identifiers. Counter: `findings`, when a frame
/// comes on an older one.
pub const RULE_STREAMS_ENDED: u32 = 4096;

/// Violations of a connection that await their proof; further ones are not reported. Counter: `findings`.
pub const SUSPICIONS: usize = 32;

/// Streams of a connection of which is remembered that a rule was broken there that had been broken on another before, each
/// with its rule, the newest. The error of a reset on an older one has no evidence. Counter: `findings`.
pub const REPEATS: usize = 64;

// The agent's model

/// Entries that each of the maps of the agent's model has room for, though the agent's own may be larger. Counter:
/// `agent_in_flight`, and those of the other maps.
pub const AGENT_MAPS: usize = 65_536;

/// Connections that the agent's model keeps: those it has classified, until some time after their end. Counter:
/// `agent_connections`, when one gives way to a newer.
pub const AGENT_CONNECTIONS: usize = 32_768;

/// Transactions that the agent's model has emitted and that wait for the exact one. One that gives way is spurious.
/// Counter: `agent_emitted`.
pub const AGENT_EMITTED: usize = 32_768;

/// Emissions of one stream that are looked at for the exact transaction, the latest; more than one takes a
/// retransmission or a reused port pair. Counter: `agent_emitted`.
pub const AGENT_EMISSIONS: usize = 16;

/// Streams that the agent's model gave up and whose traces wait for the exact transaction. Counter: `agent_traces`.
pub const AGENT_TRACES: usize = 32_768;

/// Runs of packets, by sender, in which the agent's model lost frames. Older ones are forgotten: they would only
/// make a reason more precise. Counter: `agent_reasons`, when one is asked for.
pub const AGENT_INCIDENTS: usize = 8;

/// Numbers of paths too long for the agent's dynamic table, by sender. Older ones are forgotten, as above. Counter:
/// `agent_reasons`, when one is asked for.
pub const AGENT_LONG_PATHS: usize = 64;

/// Endpoints that the agent's statistics keep, when they are asked for. Counter: `agent_statistics`.
pub const AGENT_ENDPOINTS: usize = 100_000;

/// Latency sketches that the agent's statistics keep, when they are asked for. Counter: `agent_statistics`.
pub const AGENT_SKETCHES: usize = 16_384;

/// Bytes of memory that these statistics take. Counter: `agent_statistics`.
pub const AGENT_STATISTICS: usize = 32 << 20;

// Bodies

/// Codings of a body that are undone; with more, it is shown as it was sent. Counter: `body_decoding`.
pub const BODY_CODINGS: usize = 8;

/// Bytes that a body may decode to, however small it is, all its codings together. At the cap decoding ends. Counter:
/// `body_decoding`.
pub const BODY_EXPANSION_SURE: u64 = 16 << 20;

/// Bytes that it may decode to besides, for each byte of it. Counter: `body_decoding`.
pub const BODY_EXPANSION: u64 = 256;

/// Bytes that all bodies of a shard may decode to together, beside as many for each byte of them: 512 MiB over the [`SHARDS`]
/// shards. Counter: `body_decoding`.
pub const BODY_DECODED_SHARD: usize = (512 << 20) / SHARDS;

/// Bytes of contents, as they are escaped, that are shown of all bodies of a shard together, beside [`OUTPUT_EXPANSION`] for
/// each byte of them: 8 MiB over the [`SHARDS`] shards. Counter: `body_shown`.
pub const BODY_SHOWN_SHARD: usize = (8 << 20) / SHARDS;

/// The zstd window of a body that is accepted, as a power of two: what RFC 9659 allows. Counter: `body_decoding`.
pub const BODY_ZSTD_WINDOW_LOG: u32 = 23;

/// Bytes of memory that the bodies of a shard may take: 256 MiB over the [`SHARDS`] shards. At the cap nothing more is
/// kept of the body at hand. Counter: `body_memory`.
pub const BODY_MEMORY_SHARD: usize = (256 << 20) / SHARDS;

/// Messages that the record of an exchange holds. Counter: `body_messages`.
pub const BODY_MESSAGES: usize = 4096;

/// Bytes of memory that they may take. Counter: `body_messages`.
pub const BODY_MESSAGE_BYTES: usize = 8 << 20;

/// Messages of protobuf within each other that are followed; a deeper one is shown as bytes. Counter: `body_decoding`.
pub const BODY_PROTO_DEPTH: usize = 100;

/// Bytes of file descriptors that are taken from a connection's server reflection. Counter: `body_decoding`.
pub const BODY_REFLECTION: usize = 4 << 20;

// Endpoints

/// Bytes of memory, about, that the endpoints of a shard may take while exchanges are added up: 40 MiB over the
/// [`SHARDS`] shards. At the cap the paths with the fewest calls are folded into one row. Counter:
/// `endpoint_paths`.
pub const ENDPOINT_MEMORY_SHARD: usize = (40 << 20) / SHARDS;

/// The same for the endpoints of all shards together. Counter: `endpoint_paths`.
pub const ENDPOINT_MEMORY: usize = 40 << 20;

/// Endpoints that are shown; of more, those with the fewest calls are folded into one row. Counter: `endpoint_rows`.
pub const ENDPOINT_ROWS: usize = 4096;

/// Types of failures of an endpoint that are counted apart; further ones count as `_OTHER`. Counter: `_OTHER`.
pub const ENDPOINT_ERRORS: usize = 64;

/// Bytes for the names of fields in the responses of a path, where `h2lens diff` counts them; of further names nothing is
/// said. Counter: `endpoint_fields`.
pub const ENDPOINT_FIELDS: usize = 8 << 10;

/// Bytes of memory, about, for the endpoint records of one run that `h2lens diff` was given; further ones are left out.
/// Counter: `diff_records`.
pub const DIFF_RECORDS: usize = 32 << 20;

/// Bytes of a line that `h2lens diff` reads a record from; longer ones are left out. Counter: `diff_records`.
pub const DIFF_LINE: usize = 1 << 20;

// Attempts at the same

/// Requests that are remembered, so that another attempt at one that failed is recognised: 8 MiB at the most. The one that
/// came first is forgotten. Counter: `retries`.
pub const RETRY_REQUESTS: usize = 7 << 12;

/// Exchanges that are remembered of one request. The one that ended first is forgotten. Counter: `retries`.
pub const RETRY_ATTEMPTS: usize = 4;

// Output

/// Bytes of records that wait for a slow reader of the output of a live capture. Beyond, the oldest are dropped.
/// Counter: `dropped_records` of coverage.
pub const LIVE_OUTPUT: usize = 64 << 20;

/// Places (connections, exchanges under way, endpoints) that telemetry in between may look at, to begin with: where there are
/// more of them than there are packets in an interval, it is told with the next one. Counter: `summaries`.
pub const SUMMARY_START: u64 = 4 << 20;

/// The same, for each packet. Counter: `summaries`.
pub const SUMMARY_RATE: u64 = 64;

/// Endpoints that are series of the metrics page, those with the most calls. Counter: `h2lens_endpoints_left_out` of the page.
pub const METRICS_ENDPOINTS: usize = 200;

/// Exchanges that the window of `--tui` holds, the last ones. Counter: `window`, whose first line says what is left out.
pub const WINDOW_CALLS: usize = 10_000;

/// Bytes that they take; as many again, while the window is frozen. Counter: `window`.
pub const WINDOW_BYTES: usize = 24 << 20;

/// Its exchanges under way. Counter: `window`.
pub const WINDOW_OPEN: usize = 10_000;

/// Its connections; those that have ended make room. Counter: `window`.
pub const WINDOW_CONNECTIONS: usize = 2000;

/// Its endpoints; the calls of more are in the row `(others)`. Counter: `window`.
pub const WINDOW_ENDPOINTS: usize = 1000;

/// Calls that its figures of the last ten seconds are of. Counter: `window`.
pub const WINDOW_RECENT: usize = 100_000;

/// Batches of events on their way to it; a live capture does not wait. Counter: `window`.
pub const WINDOW_BATCHES: usize = 64;

/// Bytes of exchanges in one of them. Counter: `window`.
pub const WINDOW_BATCH_BYTES: usize = 256 << 10;

/// Bytes of memory for what the end of a Parquet file says of its row groups, which is kept until then. Counter: `parquet`, an
/// error: without its end a file is none.
pub const PARQUET_FOOTER: usize = 32 << 20;

/// The least of that, whatever memory there is. Counter: `parquet`.
pub const PARQUET_FOOTER_LEAST: usize = 8 << 20;

/// Bytes that count for each column of a row group: as it is kept, and as it is written. Counter: `parquet`.
pub const PARQUET_FOOTER_COLUMN: usize = 1024;

/// Calls that the HTML report holds; of more, those that matter most. Counter: `report`, which says how many there were.
pub const REPORT_CALLS: usize = 50_000;

/// Bytes of their records. Counter: `report`.
pub const REPORT_BYTES: usize = 56 << 20;

/// Bytes of their frames, which are left out first of those calls that matter less. Counter: `report`, in a call's details.
pub const REPORT_STEPS_BYTES: usize = 12 << 20;

/// Frames of one exchange that the report and the window of `--tui` show, the first and the last ones. Counter: `report`, and
/// the window; both say how many are left out between them.
pub const EXCHANGE_STEPS: usize = 64;

/// Connections in the report. Counter: `report`.
pub const REPORT_CONNECTIONS: usize = 1000;

/// Causes of failures in the report; those of further ones count together. Counter: `report`.
pub const REPORT_CAUSES: usize = 256;

/// Characters of one piece of text (a path, a query) that a table shows. Counter: `…`, which stands for the rest.
pub const TABLE_CELL_CHARS: usize = 512;

/// Characters of a header field's value that a table shows below a row. Counter: `…`, which stands for the rest.
pub const TABLE_LINE_CHARS: usize = 4_096;

// Two captures of the same calls

/// Exchanges of one place that are kept until they are paired. When three quarters are taken, the older half of what is kept is
/// told and let go. Left out is what there is no room for even so, and without a partner is told what the other capture was not
/// read far enough for. Counter: `join_exchanges`, in `h2.join.limits` of the join record.
pub const JOIN_EXCHANGES: usize = 1 << 18;

/// Bytes of memory for what one place's exchanges called: methods, authorities, paths, each once. An exchange that calls
/// something else is left out then. Counter: `join_exchanges`, in `h2.join.limits` of the join record.
pub const JOIN_TEXT: usize = 16 << 20;

/// Segments of one place that are kept to compare times and losses, likewise. Counter: `join_segments`, in `h2.join.limits` of
/// the join record.
pub const JOIN_SEGMENTS: usize = 3 << 18;

/// TCP connections of one place that are kept: when three quarters are there, those without anything new are forgotten. Others
/// that come when it is full are left out, with their exchanges. Counter: `join_connections`, in `h2.join.limits` of the join
/// record.
pub const JOIN_CONNECTIONS: usize = 1 << 15;

/// Hashes of blocks, of 64 bytes each, by which one place's connections are known again where no SYN was seen; of more bytes
/// none are kept. Counter: `join_connections`, in `h2.join.limits` of the join record.
pub const JOIN_BLOCKS: usize = 1 << 20;
