//! Against the `hpack` crate, where it can be trusted: well-formed blocks, and not its entry 15.

use proptest::prelude::*;

use super::encoder::Encoder;
use super::*;

fn pairs(fields: Vec<Owned>) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.into_iter().map(|field| (field.name.unwrap(), field.value.unwrap())).collect()
}

proptest! {
    #[test]
    fn decodes_what_the_crate_encodes(
        blocks in prop::collection::vec(
            prop::collection::vec(("(:path|:status|cookie|x-[a-d]{1,3}|[a-z]{1,9})", "[ -~]{0,30}|[0-3]"), 0..10),
            1..40,
        )
    ) {
        let mut encoder = hpack::Encoder::new();
        let mut decoder = Decoder::new();
        for fields in blocks {
            let fields: Vec<(Vec<u8>, Vec<u8>)> =
                fields.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes())).collect();
            let block = encoder.encode(fields.iter().map(|(name, value)| (&name[..], &value[..])));
            let (decoded, outcome) = decode(&mut decoder, &block);
            prop_assert_eq!(outcome.error, None);
            prop_assert_eq!(pairs(decoded), fields);
        }
    }

    #[test]
    fn decodes_as_the_crate_with_random_resizes(seed: u64) {
        let random = &mut Random(seed);
        let mut encoder = Encoder::new(4096);
        encoder.bound = 30_000;
        let mut decoder = Decoder::new();
        decoder.set_bound(30_000);
        let mut oracle = hpack::Decoder::new();
        for _ in 0..60 {
            let (block, _) = encoder.block(random);
            let (decoded, outcome) = decode(&mut decoder, &block);
            prop_assert_eq!(outcome.error, None);
            prop_assert_eq!(pairs(decoded), oracle.decode(&block).unwrap());
            prop_assert_eq!(decoder.table.contents(), encoder.contents());
        }
    }
}
