//! What a connection's frames and header blocks add up to.

use super::anomaly::{Anomaly, Severity};
use super::block::BlockEnd;
use crate::base;
use crate::flow::GapCause;

/// Counts of one connection, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// END_STREAM flags on DATA and HEADERS.
    pub ends_of_stream: u64,
    /// RST_STREAM frames.
    pub resets: u64,
    /// CONTINUATION frames.
    pub continuations: u64,
    /// Header blocks with a string literal that runs past the end of its segment.
    pub literals_split: u64,
    /// Segments with as many frames of interest to the agent as it takes, or more.
    pub interesting_frames_full: u64,
    /// Segments with more frames than the agent looks at.
    pub frames_full: u64,
    /// HEADERS without END_STREAM whose payload ends in a later segment than their header.
    pub headers_split: u64,
    /// The same of HEADERS with END_STREAM.
    pub last_headers_split: u64,
    /// The same of DATA with END_STREAM.
    pub last_data_split: u64,
    /// The same of RST_STREAM.
    pub resets_split: u64,
    /// Times a side lost framing.
    pub losses: u64,
    /// Bytes skipped in search of a frame boundary.
    pub skipped_bytes: u64,
    /// Violations that the RFC calls errors.
    pub errors: u64,
    /// Header blocks decoded whole.
    pub blocks_decoded: u64,
    /// Header blocks with fields unknown, or cut.
    pub blocks_partial: u64,
    /// Header blocks of which no field is known.
    pub blocks_lost: u64,
    /// Header blocks that were over a cap.
    pub blocks_limited: u64,
    /// Header blocks with a field that names an entry of the dynamic table which a cap did not let be kept.
    pub table_limited: u64,
    /// Header blocks with fields that would be out of proportion to what was sent.
    pub output_limited: u64,
}

impl Counters {
    /// Adds another count.
    pub const fn merge(&mut self, other: &Self) {
        self.ends_of_stream += other.ends_of_stream;
        self.resets += other.resets;
        self.continuations += other.continuations;
        self.literals_split += other.literals_split;
        self.interesting_frames_full += other.interesting_frames_full;
        self.frames_full += other.frames_full;
        self.headers_split += other.headers_split;
        self.last_headers_split += other.last_headers_split;
        self.last_data_split += other.last_data_split;
        self.resets_split += other.resets_split;
        self.losses += other.losses;
        self.skipped_bytes += other.skipped_bytes;
        self.errors += other.errors;
        self.blocks_decoded += other.blocks_decoded;
        self.blocks_partial += other.blocks_partial;
        self.blocks_lost += other.blocks_lost;
        self.blocks_limited += other.blocks_limited;
        self.table_limited += other.table_limited;
        self.output_limited += other.output_limited;
    }

    /// Adds what the agent counts too, under its names.
    pub const fn add_to(&self, exact: &mut base::telemetry_counters::Counters) {
        exact.eos += self.ends_of_stream;
        exact.rst += self.resets;
        exact.continuation_frames += self.continuations;
        exact.literal_value_exceeds_frame += self.literals_split;
        exact.exceeding_max_interesting_frames += self.interesting_frames_full;
        exact.exceeding_max_frames_to_filter += self.frames_full;
        exact.exceeding_data_end_headers += self.headers_split;
        exact.exceeding_data_end_headers_eos += self.last_headers_split;
        exact.exceeding_data_end_data_eos += self.last_data_split;
        exact.exceeding_data_end_rst += self.resets_split;
    }

    /// The protocol was broken.
    pub(super) fn count(&mut self, anomaly: Anomaly) {
        self.errors += u64::from(anomaly.describe().severity == Severity::Error);
    }

    /// A header block was read, as far as it could be.
    pub(super) fn block(&mut self, end: &BlockEnd) {
        self.blocks_limited += u64::from(end.limited || end.cut == Some(GapCause::Limit));
        self.table_limited += u64::from(end.given_up > 0);
        let damaged = end.cut.is_some() || end.broken;
        if !damaged && end.unknown == 0 {
            self.blocks_decoded += 1;
        } else if damaged && end.fields == end.unknown {
            self.blocks_lost += 1;
        } else {
            self.blocks_partial += 1;
        }
    }
}
