//! Decoders of parts, beside one that decodes all.

use super::hostile::samples;
use super::{Decoder, moment};
use crate::base::partition::{Partition, slice};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn each_segment_is_of_one_part_and_counted_by_all(
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        kept in any::<prop::sample::Index>(),
        original_len in prop_oneof![Just(None), any::<u32>().prop_map(Some)],
        of in 2usize..=64,
    ) {
        let (link, mut frame) = sample.get(&samples()).clone();
        for (at, value) in changes {
            let at = at.index(frame.len().min(64));
            frame[at] = value;
        }
        let original_len = original_len.unwrap_or(frame.len() as u32);
        if kept.index(3) == 0 {
            frame.truncate(kept.index(frame.len()));
        }
        let mut whole = Decoder::new();
        let segment = whole.decode(moment(0), link, original_len, &frame);
        let owner = segment.as_ref().map(|segment| slice(segment.src, segment.dst));
        let segment = segment.map(|segment| format!("{segment:?}"));
        let counters = whole.counters();
        for index in 0..of {
            let part = Partition::new(index, of).unwrap();
            let mut decoder = Decoder::new().of_part(Some(part));
            let found = decoder.decode(moment(0), link, original_len, &frame).map(|segment| format!("{segment:?}"));
            let is_own = owner.is_some_and(|slice| part.has(slice));
            prop_assert_eq!(found.as_ref(), segment.as_ref().filter(|_| is_own), "{}", part);
            prop_assert_eq!(decoder.was_foreign(), owner.is_some() && !is_own, "{}", part);
            prop_assert_eq!(decoder.counters(), counters, "{}", part);
        }
    }
}
