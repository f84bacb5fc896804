//! Is an accusation true? A side that names an error in GOAWAY or `RST_STREAM` (RFC 9113 section 7) has, or has not,
//! findings against its peer on its side.

use super::Judge;
use crate::http2::{Anomaly, Description, Severity, Side, error_code};
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
        (!evidence.is_empty() || (self.sides[against].whole && !self.may_be_late(against, code)))
            .then_some(evidence)
    }

    /// The side acknowledged settings behind a GOAWAY that says it did not: too late perhaps, or the two crossed.
    fn may_be_late(&self, side: Side, code: u32) -> bool {
        let goaway = self.sides[side.peer()].goaway.as_ref();
        code == error_code::SETTINGS_TIMEOUT && goaway.is_some_and(|goaway| goaway.waits_for_settings)
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

/// What the anomaly is justifies the code: the RFC asks for that, or the code is one of two that fit.
fn justifies(anomaly: Anomaly, code: u32) -> bool {
    use Anomaly as A;
    use error_code as error;
    let Description { code: name, severity, .. } = anomaly.describe();
    match code {
        // For all that has no code of its own (section 7). A self-dependency was one until RFC 9113 did away with trees.
        error::PROTOCOL_ERROR => {
            severity == Severity::Error
                || matches!(
                    anomaly,
                    A::PrioritySelf | A::StreamReset | A::SettingsAckUnasked | A::AuthorityHost
                )
        }
        error::FLOW_CONTROL_ERROR => {
            matches!(anomaly, A::FlowControl | A::WindowOverflow | A::SettingsInitialWindowSize)
        }
        error::SETTINGS_TIMEOUT => anomaly == A::SettingsTimeout,
        // A stream is closed, too, once a higher one is open (section 5.1.1), and ended behind its last header block.
        error::STREAM_CLOSED => {
            matches!(anomaly, A::StreamClosed | A::StreamReset | A::StreamOrder | A::ContinuationUnexpected)
        }
        // A frame is too short also for what its header block began.
        error::FRAME_SIZE_ERROR => {
            let is_value = matches!(anomaly, A::SettingsInitialWindowSize | A::SettingsMaxFrameSize);
            anomaly == A::HpackTruncated || (name.ends_with("_size") && !is_value)
        }
        error::COMPRESSION_ERROR => name.starts_with("hpack_"),
        error::ENHANCE_YOUR_CALM => {
            name.ends_with("_flood")
                || matches!(
                    anomaly,
                    A::RapidReset | A::HeaderListLimit | A::KeepaliveExcess | A::StreamConcurrency
                )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_on_exchanges_justify_no_error() {
        use Anomaly::{IdleCloseRace, SlowReader, StreamLimit, WindowDeadlock, WindowSmall};
        for anomaly in [IdleCloseRace, SlowReader, StreamLimit, WindowDeadlock, WindowSmall] {
            assert!((0..16).all(|code| !justifies(anomaly, code)), "{anomaly:?}");
        }
        assert!(justifies(Anomaly::KeepaliveExcess, error_code::ENHANCE_YOUR_CALM));
    }
}
