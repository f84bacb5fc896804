//! Numbers that were chosen and that cost nothing when they are reached: sizes of buffers and batches, memory that is
//! kept to be used again, packet time that is waited, and rates from which on something is reported. What is lost at a
//! number is a cap, and stands in [`crate::base::limits`].

use std::time::Duration;

// Threads

/// Into how many parts the connections are divided, whatever the number of threads: caps and expiry work
/// within a part, so that the output is the same for any number.
pub const SHARDS: usize = 8;

/// Into how many parts the connections can be divided among processes: a multiple of [`SHARDS`], so that those of a shard are
/// whole slices. What is waited for is looked at slice by slice, so that the output is the same for any number of processes.
pub const SLICES: usize = 64;

/// The slices of a shard.
pub const LANES: usize = SLICES / SHARDS;

/// Small segments that a thread is woken for: with fewer the one that is awake has done them before the other could.
pub const WORTH_WAKING: usize = 32;

/// Octets of content, to be decrypted or decoded, that are as much work as a small segment.
pub const SEGMENT_OCTETS: usize = 1 << 10;

// Reading

/// Bytes that one read of a capture file asks for, and so about the size of a batch. Large enough that the
/// system call costs nothing per packet, small enough that the bytes are still in the CPU's second-level cache
/// when they are decoded.
pub const READ_BYTES: usize = 128 << 10;

/// The share of the default memory that it is where memory is short: what a batch becomes is in memory together.
pub const READ_BYTES_SHARE: usize = 256 << 10;

/// Bytes of text that a batch's records keep memory for: a little more than [`READ_BYTES`] of small exchanges give in
/// NDJSON. What a burst took beyond is given back, so that memory does not creep up to the largest burst in every buffer;
/// what is given back for every batch costs as much as all else, for the kernel clears each page anew.
pub const TEXT_KEPT: usize = 384 << 10;

/// The same for each list that goes with a batch: its packets, segments, exchanges and records.
pub const LIST_KEPT: usize = 160 << 10;

/// Bytes of a batch when more than [`MERGE_LANES`] inputs are merged, so that memory does not grow with them.
pub const MERGE_READ_BYTES: usize = 64 << 10;

/// Bytes of a line of a part that is merged with others; a longer one is an error, and no result is written.
pub const MERGE_LINE: u64 = 1 << 30;

/// Inputs that are merged with batches of full size.
pub const MERGE_LANES: usize = 8;

/// Bytes of packets in a batch of a live capture: a batch is handed on when it has so many, or when the kernel has
/// no more.
pub const LIVE_BATCH_BYTES: usize = 512 << 10;

/// Packets of a batch of a live capture, small ones too: their descriptions take memory as well.
pub const LIVE_BATCH_PACKETS: usize = 8192;

/// Batches of a live capture that wait for the analysis. When there are more, packets stay in the kernel's buffer;
/// what that cannot hold is counted in `dropped_by_kernel`.
pub const LIVE_BATCHES: usize = 64;

// Packets

/// Packet time after which the fragments of an incomplete IP datagram are dropped; hosts wait 15 to 60 seconds
/// (RFC 791 section 3.2, RFC 8200 section 4.5).
pub const FRAGMENT_LIFETIME: Duration = Duration::from_secs(30);

/// Completed IP datagrams that are remembered, so that second copies of their fragments (a capture that sees
/// each packet twice) do not wait for the rest of theirs. Copies of older ones wait, and make a segment that was seen
/// before, or expire. Each is up to 64 KiB.
pub const RECENT_DATAGRAMS: usize = 64;

/// Packet time for which a completed IP datagram is remembered; fragments that come later, or with other bytes, are taken for
/// those of a new datagram that has its identification.
pub const RECENT_DATAGRAM_LIFETIME: Duration = Duration::from_secs(1);

/// Link types that are not read and that a message names; the packets of further ones are only counted.
pub const UNREAD_LINKS: usize = 8;

// HTTP/2

/// Streams that a client has opened and not ended, of which it is followed whether they may have ended in a hole. With more the
/// dynamic table is given up at each hole.
pub const OPEN_UPLOADS: usize = 64;

// TCP

/// Segments of a connection that are awaited, once the peer has acknowledged past a hole, before the hole is
/// given up: captures reorder packets, and an acknowledgment may come before what it acknowledges.
pub const HOLE_GRACE_SEGMENTS: u64 = 256;

/// Holes of a direction that are remembered when they are given up. What comes for one of those before counts as sent again.
pub const GAPS_REMEMBERED: usize = 32;

/// Packet time that is awaited likewise.
pub const HOLE_GRACE: Duration = Duration::from_millis(100);

/// Packet time after which a hole is given up although no acknowledgment past it was seen: the other direction
/// may not be in the capture.
pub const HOLE_UNACKNOWLEDGED: Duration = Duration::from_secs(3);

/// Pieces of a connection that began in the capture that are kept until the first one of its other direction comes. More
/// of them mean that it is not in the capture, or much later: then its beginning is still found, but not behind a PROXY
/// protocol header or HTTP/1.1.
pub const UNSEEN_PIECES: usize = 64;

/// Below this port are servers, beside a higher one.
pub const SERVER_PORTS: u16 = 10_000;

/// From this port on clients are, beside a lower one: Linux chooses 32768 to 60999, others 49152 to 65535 (RFC 6335 section 6).
pub const CLIENT_PORTS: u16 = 32_768;

/// Packet time for which a closed connection is remembered, so that its late packets do not look like a new one.
pub const CLOSED_LINGER: Duration = Duration::from_secs(60);

// Memory

/// Connections idle for longest that are looked at for one without HTTP/2, when one has to make room.
pub const IDLE_LOOKED_AT: usize = 16;

/// Latest changes of the key log that are remembered, for connections that wait for secrets.
pub const KEY_LOG_CHANGES_KEPT: usize = 1 << 12;

/// Records that do not open before the first one does, and whose numbers are reckoned with: those of the handshake, where
/// the key log lacks its secrets.
pub const TLS_UNPROVEN: u64 = 8;

/// Record buffers of TLS that are kept for reuse.
pub const TLS_SPARE_BUFFERS: usize = 16;

/// Bytes of memory that a dynamic table may keep for long strings when its entries need less.
pub const HPACK_SCRATCH: usize = 16 * 1024;

/// Bytes of memory that a direction keeps for the next header block.
pub const BLOCK_KEPT: usize = 16 << 10;

/// Bytes of memory for fields above which it is not kept to be used again.
pub const FIELDS_SPARE: usize = 16 << 10;

/// Bytes of a section's text, and of its lines, that an ended stream keeps for the next one.
pub const FIELDS_KEPT: usize = 4096;

/// Ended streams of a thread whose memory is kept to be used again.
pub const STREAM_POOL: usize = 256;

// Findings

/// Packet time within which the order of the two directions of a connection in a capture proves nothing.
pub const SWAPPED: Duration = Duration::from_secs(1);

/// Packet time after which a peer is taken to have received a GOAWAY, if nothing tells it earlier.
pub const GOAWAY_GRACE: Duration = Duration::from_secs(1);

/// CONTINUATION frames in a header block from which on it is reported as a flood.
pub const CONTINUATION_FLOOD: u32 = 64;

/// CONTINUATION frames of a side in a second of packet time, beyond which they are reported as a flood. Browsers
/// and proxies send one or two with a request at the most.
pub const CONTINUATIONS_PER_SECOND: u32 = 500;

/// Streams that a client resets within [`RAPID_RESET`] of opening them, in a second of packet time, beyond which they
/// are reported as an attack (CVE-2023-44487). A browser that leaves a page cancels some dozens.
pub const RAPID_RESETS_PER_SECOND: u32 = 100;

/// Packet time within which a stream must be reset to count as rapidly reset.
pub const RAPID_RESET: Duration = Duration::from_secs(1);

/// SETTINGS frames of a side, acknowledgments not counted, likewise. One at the start is usual.
pub const SETTINGS_PER_SECOND: u32 = 100;

/// PING frames of a side, acknowledgments not counted, likewise. Bandwidth estimation sends one a round trip.
pub const PINGS_PER_SECOND: u32 = 500;

/// DATA frames of a side without data that do not end their stream, likewise.
pub const EMPTY_DATA_PER_SECOND: u32 = 100;

/// PRIORITY frames of a side, likewise. Browsers sent some with each request of a page.
pub const PRIORITIES_PER_SECOND: u32 = 500;

// Output

/// Bytes of what the workers have made and that waits to be written: with more they wait, too.
pub const WAITING_PRODUCTS: usize = 32 << 20;

/// Bytes of memory of the connections that end together when the capture is over.
pub const ENDING_RANGE: usize = 4 << 20;

/// Bytes of ciphertext that waited for secrets which a shard hands on at one time, where traffic has paid for the look.
pub const AWAITED_AT_ONCE: usize = 256 << 10;

/// Bytes of records that the connections of a slice may make, beyond what their traffic pays for, of what they held back.
pub const HELD_BACK_AT_ONCE: usize = 1 << 20;

/// So many bytes of them each octet of a segment pays for: about as many as it may itself become.
pub const HELD_BACK_PER_OCTET: usize = super::limits::OUTPUT_EXPANSION as usize;

/// And the segment as such.
pub const HELD_BACK_PER_SEGMENT: usize = 1 << 10;

/// What the last step has made beyond what it might is paid for first, up to so much: a step may be a record of TLS.
pub const HELD_BACK_OVERDRAWN: i64 = 4 << 20;

/// Places that a telemetry record in between counts for, beside those that are looked at for it.
pub const SUMMARY_LEAST: u64 = 96;

/// Bytes of endpoints that count for one of these places.
pub const SUMMARY_PLACE: u64 = 64;

/// Bytes of output gathered before they are written.
pub const OUTPUT_BUFFER: usize = 128 * 1024;

/// Rows that become one Arrow record batch, if not [`COLUMN_BATCH_BYTES`] are there before. A row group is a multiple.
pub const COLUMN_BATCH_ROWS: usize = 4096;

/// Bytes of rows that become a record batch.
pub const COLUMN_BATCH_BYTES: usize = 4 << 20;

/// Rows of the first row groups of Parquet, if [`PARQUET_GROUP_BYTES`] are not there before.
pub const PARQUET_GROUP_ROWS: usize = 65_536;

/// Row groups until the next ones may be twice as large.
pub const PARQUET_GROUPS_ALIKE: usize = 16;

/// Bytes of values in one of the first row groups.
pub const PARQUET_GROUP_BYTES: usize = 64 << 20;

/// Bytes of a row group as they are kept until it is written: encoded, and compressed.
pub const PARQUET_GROUP_ENCODED: usize = 33 << 20;

/// Bytes of memory that it takes meanwhile: dictionaries take more than what they become.
pub const PARQUET_GROUP_MEMORY: usize = 48 << 20;

/// The least of these, whatever memory there is, and a third of the last one.
pub const PARQUET_GROUP_LEAST: usize = 8 << 20;

/// Steps of an exchange that is followed that wait for earlier ones: while a hole of one direction waits to be filled, the
/// other direction is read on.
pub const STEPS_HELD: usize = 4_096;

/// Bytes of transactions that are held to be sorted; more are written to a temporary file.
pub const SORT_HELD: usize = 16 << 20;

/// Bytes of the buffers that what was written there is read with.
pub const SORT_BUFFERS: usize = 16 << 20;

/// Runs of sorted transactions in that file that become one, so that few are read at a time, however many there were.
pub const SORT_RUNS: usize = 64;

/// Rows that a table holds to fit its columns to them; with more it is printed as it comes.
pub const TABLE_HELD_ROWS: usize = 1_000;

/// Bytes of rows that a table holds, likewise.
pub const TABLE_HELD_BYTES: usize = 1 << 20;

/// Messages within messages that are read as such without a schema. Deeper down they are shown as bytes.
pub const BODY_GUESS_DEPTH: usize = 16;

/// Numbers of a field that are shown as packed without a schema. More of them are shown as bytes.
pub const BODY_GUESS_PACKED: usize = 256;

/// Arrays and objects within each other in a JSON text that is shown as a value. A deeper one is shown as text.
pub const BODY_JSON_DEPTH: usize = 128;

/// Labels of all names of a DNS message that is shown as a value. One with more is shown as bytes.
pub const BODY_DNS_NAMES: usize = 4096;

/// Octets of a part's header fields in a multipart body. A part with more is shown in the body alone.
pub const BODY_PART_HEADERS: usize = 4096;

/// Lines of a body, or messages, that a table shows below a row.
pub const TABLE_EXCERPT_LINES: usize = 8;

/// Characters of each of them.
pub const TABLE_EXCERPT_CHARS: usize = 160;

/// So long a body waits for the other side's header section, which says how to read it.
pub const BODY_WAIT: Duration = Duration::from_secs(1);

/// Spans of a line of OTLP/JSON: what a collector takes for one batch without complaint.
pub const OTLP_LINE_SPANS: usize = 512;

/// Bytes of spans that end such a line earlier.
pub const OTLP_LINE_BYTES: usize = 1 << 20;

// Two captures of the same calls

/// Blocks of 64 bytes that are sampled of each direction of a connection: enough that two captures of a hundredth of it
/// have some in common.
pub const JOIN_BLOCKS_DIRECTION: usize = 256;

/// Corners of the polygon of lines that two clocks may differ by; with more, what would add one is passed over, which makes
/// bounds wider and never wrong.
pub const CLOCK_CORNERS: usize = 96;

/// Candidates that are looked at for one connection, before it counts as ambiguous.
pub const JOIN_CANDIDATES: usize = 32;
