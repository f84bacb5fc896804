//! A capture that begins late: the exchanges that follow are told.

use super::samples;
use crate::support::Analyze;

#[test]
fn all_that_begins_after_the_start_is_told() {
    for (n, sample) in samples().iter().enumerate() {
        let first = sample.capture.packets.len() / 3;
        let outcome = Analyze::capture(&sample.capture.late(first)).run();
        let later =
            sample.whole.transactions().filter(|t| t["h2"]["packets"]["first"].as_u64() > Some(first as u64));
        let told = outcome.transactions().count();
        let expected = later.count();
        assert!(told >= expected, "sample {n}: {told} of {expected}");
        assert!(!outcome.complete(), "sample {n}");
    }
}
