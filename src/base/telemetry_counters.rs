//! The HTTP/2 telemetry counters, by the kernel agent's names (docs/agent.md). Both views,
//! the exact one and the agent's, are counted in this shape.

/// How many path-size buckets there are.
pub const PATH_SIZE_BUCKETS: usize = 8;

/// One view's counters for plaintext or for TLS. All count since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests.
    pub requests: u64,
    /// Responses.
    pub responses: u64,
    /// Ends of stream.
    pub eos: u64,
    /// RST_STREAM frames.
    pub rst: u64,
    /// String literals that run past their segment.
    pub literal_value_exceeds_frame: u64,
    /// Segments with 240 interesting frames or more.
    pub exceeding_max_interesting_frames: u64,
    /// Segments with more frames than the agent filters.
    pub exceeding_max_frames_to_filter: u64,
    /// CONTINUATION frames.
    pub continuation_frames: u64,
    /// HEADERS without END_STREAM that end in a later segment.
    pub exceeding_data_end_headers: u64,
    /// HEADERS with END_STREAM that end in a later segment.
    pub exceeding_data_end_headers_eos: u64,
    /// DATA with END_STREAM that ends in a later segment.
    pub exceeding_data_end_data_eos: u64,
    /// RST_STREAM that ends in a later segment.
    pub exceeding_data_end_rst: u64,
    /// Requests by the length of their path.
    pub path_size_bucket: [u64; PATH_SIZE_BUCKETS],
}

impl Counters {
    /// Counts a path of `len` bytes in its bucket: up to 120, then steps of ten, upper bounds inclusive.
    pub fn record_path(&mut self, len: u64) {
        let bucket = len.saturating_sub(120).div_ceil(10).min(PATH_SIZE_BUCKETS as u64 - 1) as usize;
        if let Some(count) = self.path_size_bucket.get_mut(bucket) {
            *count += 1;
        }
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: u64, before: u64| now.saturating_sub(before);
        let bucket = |(now, before): (&u64, &u64)| less(*now, *before);
        let mut buckets = self.path_size_bucket.iter().zip(&before.path_size_bucket).map(bucket);
        Self {
            requests: less(self.requests, before.requests),
            responses: less(self.responses, before.responses),
            eos: less(self.eos, before.eos),
            rst: less(self.rst, before.rst),
            literal_value_exceeds_frame: less(
                self.literal_value_exceeds_frame,
                before.literal_value_exceeds_frame,
            ),
            exceeding_max_interesting_frames: less(
                self.exceeding_max_interesting_frames,
                before.exceeding_max_interesting_frames,
            ),
            exceeding_max_frames_to_filter: less(
                self.exceeding_max_frames_to_filter,
                before.exceeding_max_frames_to_filter,
            ),
            continuation_frames: less(self.continuation_frames, before.continuation_frames),
            exceeding_data_end_headers: less(
                self.exceeding_data_end_headers,
                before.exceeding_data_end_headers,
            ),
            exceeding_data_end_headers_eos: less(
                self.exceeding_data_end_headers_eos,
                before.exceeding_data_end_headers_eos,
            ),
            exceeding_data_end_data_eos: less(
                self.exceeding_data_end_data_eos,
                before.exceeding_data_end_data_eos,
            ),
            exceeding_data_end_rst: less(self.exceeding_data_end_rst, before.exceeding_data_end_rst),
            path_size_bucket: std::array::from_fn(|_| buckets.next().unwrap_or_default()),
        }
    }

    /// Adds another count.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            requests,
            responses,
            eos,
            rst,
            literal_value_exceeds_frame,
            exceeding_max_interesting_frames,
            exceeding_max_frames_to_filter,
            continuation_frames,
            exceeding_data_end_headers,
            exceeding_data_end_headers_eos,
            exceeding_data_end_data_eos,
            exceeding_data_end_rst,
            path_size_bucket,
        } = self;
        *requests += other.requests;
        *responses += other.responses;
        *eos += other.eos;
        *rst += other.rst;
        *literal_value_exceeds_frame += other.literal_value_exceeds_frame;
        *exceeding_max_interesting_frames += other.exceeding_max_interesting_frames;
        *exceeding_max_frames_to_filter += other.exceeding_max_frames_to_filter;
        *continuation_frames += other.continuation_frames;
        *exceeding_data_end_headers += other.exceeding_data_end_headers;
        *exceeding_data_end_headers_eos += other.exceeding_data_end_headers_eos;
        *exceeding_data_end_data_eos += other.exceeding_data_end_data_eos;
        *exceeding_data_end_rst += other.exceeding_data_end_rst;
        for (own, added) in path_size_bucket.iter_mut().zip(other.path_size_bucket) {
            *own += added;
        }
    }

    /// Name and value of each counter, in the order of the telemetry record.
    pub fn entries(&self) -> [(&'static str, u64); 20] {
        let [b1, b2, b3, b4, b5, b6, b7, b8] = self.path_size_bucket;
        [
            ("requests", self.requests),
            ("responses", self.responses),
            ("eos", self.eos),
            ("rst", self.rst),
            ("literal_value_exceeds_frame", self.literal_value_exceeds_frame),
            ("exceeding_max_interesting_frames", self.exceeding_max_interesting_frames),
            ("exceeding_max_frames_to_filter", self.exceeding_max_frames_to_filter),
            ("continuation_frames", self.continuation_frames),
            ("exceeding_data_end_headers", self.exceeding_data_end_headers),
            ("exceeding_data_end_headers_eos", self.exceeding_data_end_headers_eos),
            ("exceeding_data_end_data_eos", self.exceeding_data_end_data_eos),
            ("exceeding_data_end_rst", self.exceeding_data_end_rst),
            ("path_size_bucket_1", b1),
            ("path_size_bucket_2", b2),
            ("path_size_bucket_3", b3),
            ("path_size_bucket_4", b4),
            ("path_size_bucket_5", b5),
            ("path_size_bucket_6", b6),
            ("path_size_bucket_7", b7),
            ("path_size_bucket_8", b8),
        ]
    }
}

/// What the kernel agent's user space counts of the events that it is handed (docs/agent.md, "Statistics"). An event that is refused is
/// counted once, in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserTelemetry {
    /// Emitted events by status class, 1xx first, before any check.
    pub total_hits: [u64; 5],
    /// Events without status, path, or a known method: parked, and dropped at the next flush.
    pub incomplete: u64,
    /// Paths that could not be decoded, or that do not start with `/`.
    pub malformed_empty_path: u64,
    /// Paths with a byte that is not printable.
    pub malformed_non_printable: u64,
    /// Latencies of zero.
    pub malformed_invalid_latency: u64,
    /// Transactions whose key found the map full.
    pub dropped: u64,
    /// Keys made.
    pub aggregations: u64,
}

impl UserTelemetry {
    /// Events with a status from 100 to 599.
    pub fn hits(&self) -> u64 {
        self.total_hits.iter().sum()
    }

    /// What was malformed, by the agent's word for it.
    pub const fn malformed(&self) -> [(&'static str, u64); 3] {
        [
            ("empty-path", self.malformed_empty_path),
            ("non-printable-char", self.malformed_non_printable),
            ("invalid-latency", self.malformed_invalid_latency),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_bounds_are_exclusive_below_and_inclusive_above() {
        for (len, bucket) in
            [(0, 0), (120, 0), (121, 1), (130, 1), (131, 2), (180, 6), (181, 7), (100_000, 7)]
        {
            let mut counters = Counters::default();
            counters.record_path(len);
            assert_eq!(counters.path_size_bucket.iter().position(|&n| n == 1), Some(bucket), "length {len}");
        }
    }

    #[test]
    fn merging_adds_every_counter() {
        let mut sum = Counters { path_size_bucket: [1; 8], requests: 2, ..Counters::default() };
        let one = Counters { path_size_bucket: [2; 8], requests: 3, rst: 1, ..Counters::default() };
        sum.merge(&one);
        assert_eq!((sum.requests, sum.rst, sum.path_size_bucket), (5, 1, [3; 8]));
    }
}
