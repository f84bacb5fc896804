//! Is an accusation true? A side that names an error in GOAWAY or `RST_STREAM` (RFC 9113 section 7) has, or has not,
//! findings against its peer on its side.

use super::Judge;
use crate::base::time::Moment;
use crate::http2::{Anomaly, Description, Severity, Side, error_code};
use crate::record::Evidence;

impl Judge {
    /// The findings against a side that justify an error of this code: on a stream, given with the first packet of its
    /// exchange, or, by GOAWAY (`None`), on any. `None` where the code accuses nobody, or frames were lost or a cap struck,
    /// so that none found means nothing.
    pub fn evidence(
        &mut self,
        against: Side,
        code: u32,
        stream: Option<(u32, Moment)>,
    ) -> Option<Vec<Evidence>> {
        if !accuses(code) {
            return None;
        }
        let evidence = self.justification(against, code, stream.map(|(id, _)| id));
        if evidence.is_empty() {
            if !self.is_judged(against) || self.may_be_late(against, code) {
                return None;
            }
            if self.may_be_hidden(against, code, stream) {
                self.unproved += 1;
                return None;
            }
        }
        Some(evidence)
    }

    /// What is known to justify the error, each finding once, in order of time.
    fn justification(&self, against: Side, code: u32, stream: Option<u32>) -> Vec<Evidence> {
        let found = self.findings.of(against).map(|found| (found.anomaly, found.stream, found.first.packet));
        let again = self.findings.repeats.of(against);
        let again = again.map(|repeat| (repeat.anomaly, repeat.stream, repeat.packet));
        // What is not proved by now is said by both sides.
        let suspected = self.suspicions.of(against);
        let suspected = suspected.map(|suspect| (suspect.anomaly, suspect.stream, suspect.at.packet));
        let mut evidence: Vec<Evidence> = found
            .chain(again)
            .chain(suspected)
            .filter(|&(anomaly, on, _)| {
                let is_here = |stream| on == stream || on == 0 || is_flood(anomaly);
                justifies(anomaly, code) && stream.is_none_or(is_here)
            })
            .map(|(anomaly, _, packet)| Evidence { code: anomaly.describe().code, packet })
            .collect();
        evidence.sort_unstable_by_key(|evidence| (evidence.code, evidence.packet));
        evidence.dedup_by_key(|evidence| evidence.code);
        evidence.sort_unstable_by_key(|evidence| (evidence.packet, evidence.code));
        evidence
    }

    /// All that the side did was judged: whether it was allowed may hang on what its peer had sent.
    fn is_judged(&self, side: Side) -> bool {
        self.both_known() && self.settings_seen(side.peer()) && !self.sides[side].spared
    }

    /// A cap has kept something from being judged, or remembered, that may have justified the error.
    fn may_be_hidden(&self, against: Side, code: u32, stream: Option<(u32, Moment)>) -> bool {
        let Some((id, first)) = stream else { return self.limited() > 0 };
        // On this stream nothing was done before its first frame.
        let mut forgotten = self.findings.of(against).filter(|found| found.forgotten >= first.packet);
        self.dropped > 0
            || self.streams.may_be_forgotten(id)
            || forgotten.any(|found| found.forgotten > 0 && justifies(found.anomaly, code))
    }

    /// The side acknowledged settings behind a GOAWAY that says it did not: too late perhaps, or the two crossed.
    fn may_be_late(&self, side: Side, code: u32) -> bool {
        let goaway = self.sides[side.peer()].goaway.as_ref();
        code == error_code::SETTINGS_TIMEOUT && goaway.is_some_and(|goaway| goaway.waits_for_settings)
    }
}

/// The codes that say that the peer did something wrong.
const ACCUSING: [u32; 7] = [
    error_code::PROTOCOL_ERROR,
    error_code::FLOW_CONTROL_ERROR,
    error_code::SETTINGS_TIMEOUT,
    error_code::STREAM_CLOSED,
    error_code::FRAME_SIZE_ERROR,
    error_code::COMPRESSION_ERROR,
    error_code::ENHANCE_YOUR_CALM,
];

/// The code says that the peer did something wrong.
fn accuses(code: u32) -> bool {
    ACCUSING.contains(&code)
}

/// There is an error that the anomaly justifies.
pub(super) fn may_justify(anomaly: Anomaly) -> bool {
    ACCUSING.into_iter().any(|code| justifies(anomaly, code))
}

/// It is one of the whole connection, though told with the stream on which it became one.
fn is_flood(anomaly: Anomaly) -> bool {
    anomaly == Anomaly::RapidReset || anomaly.describe().code.ends_with("_flood")
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
            is_flood(anomaly)
                || matches!(anomaly, A::HeaderListLimit | A::KeepaliveExcess | A::StreamConcurrency)
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
