//! Records the traffic that the stages are measured on: `cargo bench --bench record` writes it to `benches/stages/`.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;
#[allow(dead_code, reason = "another bench uses the rest")]
mod traffic;

use std::path::Path;

fn main() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stages");
    for (name, traffic) in
        [("cleartext", traffic::cleartext(2, 150)), ("encrypted", traffic::encrypted(1, 150))]
    {
        std::fs::copy(traffic.file.path(), directory.join(name).with_extension("pcap"))
            .expect("the capture can be written");
        if !traffic.keys.is_empty() {
            std::fs::write(directory.join(name).with_extension("keys"), &traffic.keys)
                .expect("the key log can be written");
        }
        println!("{name}: {} exchanges", traffic.exchanges);
    }
    for (name, blocks) in [("literals", traffic::literals(10)), ("indices", traffic::indices(100))] {
        // Each block behind its length.
        let coded = blocks
            .blocks
            .iter()
            .flat_map(|block| (block.len() as u32).to_be_bytes().into_iter().chain(block.iter().copied()));
        std::fs::write(directory.join(name).with_extension("blocks"), coded.collect::<Vec<_>>())
            .expect("the blocks can be written");
        println!("{name}: {} blocks, {} fields", blocks.blocks.len(), blocks.fields);
    }
}
