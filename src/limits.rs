//! Every cap in the program, in one place. Each has a counter that tells when it struck.

/// Bytes that one read of a capture file asks for, and so about the size of a batch. Large enough that the
/// system call costs nothing per packet, small enough that the bytes are still in the CPU's second-level cache
/// when they are decoded.
pub const READ_BYTES: usize = 512 << 10;

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
