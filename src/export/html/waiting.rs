//! What the report adds up while calls come: causes of failures, findings, connections, the time they took.

use super::maker::Call;
use crate::base::limits::{REPORT_CAUSES, REPORT_CONNECTIONS};
use crate::record::Retry;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why calls failed.
#[derive(Debug, Default)]
pub(super) struct Causes {
    by_name: BTreeMap<String, Cause>,
    /// Failures whose causes were too many.
    pub(super) others: u64,
}

/// The calls that failed alike.
#[derive(Debug, Default)]
pub(super) struct Cause {
    pub(super) calls: u64,
    /// Those that may be tried again without danger.
    pub(super) safe: u64,
    /// The first one's record.
    pub(super) first: Box<[u8]>,
}

impl Causes {
    pub(super) fn push(&mut self, call: &Call, json: &[u8]) {
        let Some(failure) = call.failure else { return };
        let name = failure.name();
        if !self.by_name.contains_key(&*name) && self.by_name.len() >= REPORT_CAUSES {
            self.others += 1;
            return;
        }
        let cause = self.by_name.entry(name.into_owned()).or_default();
        if cause.calls == 0 {
            cause.first = json.into();
        }
        cause.calls += 1;
        cause.safe += u64::from(call.retry == Some(Retry::Safe));
    }

    /// The causes, that of most calls first.
    pub(super) fn sorted(&self) -> Vec<(&str, &Cause)> {
        let mut causes: Vec<_> = self.by_name.iter().map(|(name, cause)| (name.as_str(), cause)).collect();
        causes.sort_by_key(|(_, cause)| std::cmp::Reverse(cause.calls));
        causes
    }

    /// All calls that failed.
    pub(super) fn calls(&self) -> u64 {
        self.by_name.values().map(|cause| cause.calls).sum::<u64>() + self.others
    }
}

/// Findings of one kind and side.
#[derive(Debug, Default)]
pub(super) struct Findings {
    by_kind: BTreeMap<(String, String), (u64, u64, Value)>,
}

impl Findings {
    pub(super) fn push(&mut self, json: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Value>(json) else { return };
        let word = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let count = record.get("count").and_then(Value::as_u64).unwrap_or(1);
        let kind = self.by_kind.entry((word("code"), word("from"))).or_default();
        kind.0 += 1;
        kind.1 += count;
        if kind.0 == 1 {
            kind.2 = record;
        }
    }

    /// Of each kind and side: connections, times, and the first record.
    pub(super) fn rows(&self) -> impl Iterator<Item = &(u64, u64, Value)> {
        self.by_kind.values()
    }
}

/// The connections, the first ones.
#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) rows: Vec<Box<[u8]>>,
    /// All connections.
    pub(super) seen: u64,
}

impl Connections {
    pub(super) fn push(&mut self, json: &[u8]) {
        self.seen += 1;
        if self.rows.len() < REPORT_CONNECTIONS {
            self.rows.push(json.into());
        }
    }
}

/// From the first call's beginning to the last one's end, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Period(pub(super) Option<(u64, u64)>);

impl Period {
    pub(super) fn push(&mut self, call: &Call) {
        let (start, end) = (call.start, call.start.saturating_add(call.duration));
        let (first, last) = self.0.unwrap_or((start, end));
        self.0 = Some((first.min(start), last.max(end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Failure;
    use crate::record::value::ErrorCode;

    fn failed(code: u32) -> Call {
        Call {
            start: 0,
            duration: 1,
            failure: Some(Failure::Code(ErrorCode(code))),
            retry: None,
            complete: true,
            steps: (0, 0),
        }
    }

    #[test]
    fn cap_report_causes() {
        let mut causes = Causes::default();
        for code in 0..REPORT_CAUSES as u32 + 5 {
            causes.push(&failed(1000 + code), b"{}");
        }
        assert_eq!((causes.sorted().len(), causes.others), (REPORT_CAUSES, 5));
        assert_eq!(causes.calls(), REPORT_CAUSES as u64 + 5);
    }

    #[test]
    fn cap_report_connections() {
        let mut connections = Connections::default();
        for _ in 0..REPORT_CONNECTIONS + 2 {
            connections.push(b"{}");
        }
        assert_eq!(
            (connections.rows.len(), connections.seen),
            (REPORT_CONNECTIONS, REPORT_CONNECTIONS as u64 + 2)
        );
    }
}
