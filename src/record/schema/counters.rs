//! The counters of one view, of plaintext or of TLS.

use crate::base::telemetry_counters::Counters;
use crate::record::visit::object;

object! {
    /// Always all counters, by the agent's names.
    pub struct CountersObject {
        /// Header blocks with `:method`.
        "requests": requests: u64,
        /// Header blocks with a final `:status`.
        "responses": responses: u64,
        /// Ends of stream.
        "eos": eos: u64,
        /// RST_STREAM frames.
        "rst": rst: u64,
        /// String literals that run past their segment.
        "literal_value_exceeds_frame": literal_value_exceeds_frame: u64,
        /// Segments with 240 interesting frames or more.
        "exceeding_max_interesting_frames": exceeding_max_interesting_frames: u64,
        /// Segments with more frames than the agent filters.
        "exceeding_max_frames_to_filter": exceeding_max_frames_to_filter: u64,
        /// CONTINUATION frames.
        "continuation_frames": continuation_frames: u64,
        /// HEADERS without END_STREAM that end in a later segment.
        "exceeding_data_end_headers": exceeding_data_end_headers: u64,
        /// HEADERS with END_STREAM that end in a later segment.
        "exceeding_data_end_headers_eos": exceeding_data_end_headers_eos: u64,
        /// DATA with END_STREAM that ends in a later segment.
        "exceeding_data_end_data_eos": exceeding_data_end_data_eos: u64,
        /// RST_STREAM that ends in a later segment.
        "exceeding_data_end_rst": exceeding_data_end_rst: u64,
        /// Requests with a path up to 120 bytes.
        "path_size_bucket_1": path_size_bucket_1: u64,
        /// Requests with a path of 121 to 130 bytes.
        "path_size_bucket_2": path_size_bucket_2: u64,
        /// Requests with a path of 131 to 140 bytes.
        "path_size_bucket_3": path_size_bucket_3: u64,
        /// Requests with a path of 141 to 150 bytes.
        "path_size_bucket_4": path_size_bucket_4: u64,
        /// Requests with a path of 151 to 160 bytes.
        "path_size_bucket_5": path_size_bucket_5: u64,
        /// Requests with a path of 161 to 170 bytes.
        "path_size_bucket_6": path_size_bucket_6: u64,
        /// Requests with a path of 171 to 180 bytes.
        "path_size_bucket_7": path_size_bucket_7: u64,
        /// Requests with a path of 181 bytes or more.
        "path_size_bucket_8": path_size_bucket_8: u64,
    }
}

impl CountersObject {
    pub(super) const fn new(counters: &Counters) -> Self {
        let Counters {
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
            path_size_bucket: [b1, b2, b3, b4, b5, b6, b7, b8],
        } = *counters;
        Self {
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
            path_size_bucket_1: b1,
            path_size_bucket_2: b2,
            path_size_bucket_3: b3,
            path_size_bucket_4: b4,
            path_size_bucket_5: b5,
            path_size_bucket_6: b6,
            path_size_bucket_7: b7,
            path_size_bucket_8: b8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::visit::Object;

    #[test]
    fn the_names_are_those_of_the_counters() {
        let names = CountersObject::MEMBERS.iter().map(|member| member.key);
        assert!(names.eq(Counters::default().entries().map(|(name, _)| name)));
    }
}
