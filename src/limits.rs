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

/// Connections that a shard follows at one time: a million over the [`crate::flow::SHARDS`] shards. At the cap
/// the one idle for longest goes. Counter: `connections`.
pub const CONNECTIONS_SHARD: usize = 1_000_000 / crate::flow::SHARDS;

/// Packet time for which a closed connection is remembered, so that its late packets do not look like a new one.
pub const CLOSED_LINGER: Duration = Duration::from_secs(60);
// HPACK

/// Bytes, as coded, of a string in a header block that is still decoded. A longer one is left unknown; the table
/// stays in step.
pub const HPACK_STRING: usize = 256 * 1024;

/// The same for a field's name, which an index of one byte can have copied to a new table entry.
pub const HPACK_NAME: usize = 4 * 1024;

/// Size of a header list (RFC 9113 section 6.5.2: names, values, and 32 bytes a field) up to which the fields of a
/// block are handed out. Those beyond it are read for the table only.
pub const HPACK_LIST: u64 = 1024 * 1024;

/// Size of a dynamic table (RFC 7541 section 4.1) that is kept. Of a larger one the newest entries are.
pub const HPACK_TABLE: u32 = 1024 * 1024;

/// The same where the table's size is not known: after a late start, until the settings or a size update say it.
pub const HPACK_TABLE_UNSURE: u32 = 64 * 1024;

/// Bytes of memory that a table may keep for long strings when its entries need less.
pub const HPACK_SCRATCH: usize = 16 * 1024;
