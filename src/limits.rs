//! Every cap in the program, in one place. Each has a counter that tells when it struck.

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
