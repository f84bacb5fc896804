//! `testdata/tonic.pcap`: what a client and a server of tonic sent each other, as both noted it.

use super::is_message;
use crate::support::outcome::utf8;
use crate::support::{Analyze, Capture, Random, json_lines};
use h2lens::body::{Options, Schema};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn options() -> Arc<Options> {
    let schema = Schema::load(&[testdata("shop.proto")]).unwrap();
    Arc::new(Options { limit: 1 << 20, schema, contents: true, messages: true, ..Options::default() })
}

/// What both ends saw of each call, in the order of connections and streams.
fn truth() -> Vec<Value> {
    let text = std::fs::read_to_string(testdata("tonic.json")).unwrap();
    json_lines(&text)
}

/// Whether it is the client, and what the truth calls the side.
const SIDES: [(bool, &str); 2] = [(true, "client"), (false, "server")];

#[test]
fn the_messages_are_those_of_both_ends() {
    let (truth, outcome) = (truth(), Analyze::file(testdata("tonic.pcap")).bodies(options()).run());
    assert!(outcome.complete());
    // Connections were opened one after another, and streams are in the order of calls.
    let mut all_told: Vec<_> = outcome.transactions().collect();
    all_told.sort_by_key(|told| (told.connection.id, told.stream));
    assert_eq!(all_told.len(), truth.len());
    for (call, told) in truth.iter().zip(all_told) {
        assert_eq!(told.view().rpc_method().map(utf8), call["method"].as_str());
        let status = told.grpc.as_ref().unwrap().status;
        assert_eq!(status.map(u64::from), call["status"].as_u64(), "{call}");
        for (from_client, side) in SIDES {
            let (sent, told) = (call[side].as_array().unwrap(), told.messages(from_client));
            assert_eq!(sent.len(), told.len(), "{call}: {told:?}");
            for (sent, told) in sent.iter().zip(told) {
                assert!(is_message(sent, told), "{told:?} is not {sent}");
                assert_eq!(told.kind.as_deref(), Some("shop.v1.Item"), "{told:?}");
                let is_coded = !call["call"].as_str().unwrap().starts_with("plain");
                assert_eq!(told.compressed, Some(is_coded), "{told:?}");
            }
        }
    }
}

#[test]
fn whatever_packets_are_missing_no_message_is_another() {
    let truth = truth();
    let whole = Capture::read(&testdata("tonic.pcap"));
    let mut ports: Vec<_> =
        Analyze::capture(&whole).run().transactions().map(|call| call.connection.client.port).collect();
    ports.dedup();
    assert_eq!(ports.len(), 4, "connections one after another");
    let mut random = Random::new(9);
    let mut shown = 0;
    for round in 0..40 {
        let capture = match round % 3 {
            0 => whole.lossy(random.between(5, 150), &mut random),
            1 => whole.lossy(30, &mut random).reordered(50, &mut random),
            _ => whole.late(random.between(1, 30)),
        };
        for told in Analyze::capture(&capture).bodies(options()).run().transactions() {
            let (port, stream) = told.place();
            let connection = ports.iter().position(|&known| known == port).unwrap();
            let call = &truth[connection * truth.len() / ports.len() + stream as usize / 2];
            for (from_client, side) in SIDES {
                let mut sent = call[side].as_array().unwrap().iter();
                for message in told.messages(from_client) {
                    let read = message.error.is_none() && message.fields.is_none();
                    assert!(!read || sent.any(|sent| is_message(sent, message)), "{call}: {message:?}");
                    shown += usize::from(read);
                }
            }
        }
    }
    assert!(shown > 1000, "{shown}");
}
