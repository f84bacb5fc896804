//! What TCP did to carry a stream, and what it agreed on.

/// By how many bits the sender of a SYN will shift its windows, where both SYNs have the option (RFC 7323 section 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowScale {
    /// No SYN was seen, or the capture has only a part of its options.
    #[default]
    Unknown,
    /// It had no such option.
    Absent,
    /// It had this one: 14 at the most.
    Shift(u8),
}

/// What TCP did in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectionStats {
    /// Segments, those without payload too.
    pub segments: u64,
    /// Segments with payload.
    pub data_segments: u64,
    /// Payload bytes seen for the first time.
    pub bytes: u64,
    /// Segments that brought nothing new.
    pub retransmitted: u64,
    /// Segments that came before an earlier byte, and brought something new.
    pub out_of_order: u64,
    /// Holes given up.
    pub gaps: u64,
    /// Bytes in them, and bytes cut off by the snaplen.
    pub gap_bytes: u64,
    /// Bytes that were sent again with other content while the first copy was still held.
    pub differing_bytes: u64,
    /// Times the direction's cap made a hole be given up.
    pub limited: u64,
}
