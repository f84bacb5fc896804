//! Every cap in the program, in one place. Each has a counter that tells when it struck.

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
/// Bytes of ciphertext that all connections together keep.
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
