//! Is an accusation true? A side that names an error in GOAWAY or `RST_STREAM` (RFC 9113 section 7) has, or has not,
//! findings against its peer on its side.

use super::Judge;
use crate::http2::{Anomaly, Severity, Side, error_code};
use crate::record::Evidence;

impl Judge {
    /// The findings against a side that justify an error of this code, on one stream or, by GOAWAY, on any. `None` where
    /// the code accuses nobody, or frames of the side were lost, so that none found means nothing.
    pub fn evidence(&self, against: Side, code: u32, stream: Option<u32>) -> Option<Vec<Evidence>> {
        if !accuses(code) {
            return None;
        }
        let on_stream = |id: u32| stream.is_none_or(|stream| id == stream || id == 0);
        let found = self.findings.of(against).filter(|found| on_stream(found.stream));
        let proved = found.map(|found| (found.anomaly, found.first.packet));
        // What is not proved by now is said by both sides.
        let suspected = self.suspicions.of(against).filter(|suspicion| on_stream(suspicion.stream));
        let all = proved.chain(suspected.map(|suspicion| (suspicion.anomaly, suspicion.at.packet)));
        let mut evidence: Vec<Evidence> = all
            .filter(|&(anomaly, _)| justifies(anomaly, code))
            .map(|(anomaly, packet)| Evidence { code: anomaly.describe().code, packet })
            .collect();
        evidence.sort_unstable_by_key(|evidence| (evidence.packet, evidence.code));
        evidence.dedup_by_key(|evidence| evidence.code);
        (!evidence.is_empty() || self.sides[against].whole).then_some(evidence)
    }
}

/// The code says that the peer did something wrong.
const fn accuses(code: u32) -> bool {
    use error_code as error;
    matches!(
        code,
        error::PROTOCOL_ERROR
            | error::FLOW_CONTROL_ERROR
            | error::SETTINGS_TIMEOUT
            | error::STREAM_CLOSED
            | error::FRAME_SIZE_ERROR
            | error::COMPRESSION_ERROR
            | error::ENHANCE_YOUR_CALM
    )
}

/// What the anomaly is justifies the code.
fn justifies(anomaly: Anomaly, code: u32) -> bool {
    use error_code as error;
    let name = anomaly.describe().code;
    match code {
        error::PROTOCOL_ERROR => anomaly.describe().severity == Severity::Error,
        error::FLOW_CONTROL_ERROR => {
            name == "flow_control" || name == "window_overflow" || name == "settings_initial_window_size"
        }
        error::STREAM_CLOSED => name == "stream_closed" || name == "stream_reset",
        error::FRAME_SIZE_ERROR => name.ends_with("_size"),
        error::COMPRESSION_ERROR => name.starts_with("hpack_"),
        error::ENHANCE_YOUR_CALM => {
            name.ends_with("_flood")
                || name == "rapid_reset"
                || name == "header_list_limit"
                || name == "keepalive_excess"
        }
        _ => false,
    }
}
