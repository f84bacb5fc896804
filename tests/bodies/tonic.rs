//! `testdata/tonic.pcap`: what a client and a server of tonic sent each other, as both noted it.

use super::is_message;
use crate::support::exchange::dig;
use crate::support::{Analyze, Capture, Random};
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
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Client's port and stream of an exchange.
fn place(record: &Value) -> (u64, u64) {
    let at = |path| dig(record, path).and_then(Value::as_u64).unwrap();
    (at("client.port"), at("h2.stream.id"))
}

fn messages<'a>(record: &'a Value, from: &str) -> Vec<&'a Value> {
    let all = dig(record, "h2.messages").and_then(Value::as_array).into_iter().flatten();
    all.filter(|message| message["from"] == from).collect()
}

#[test]
fn the_messages_are_those_of_both_ends() {
    let (truth, outcome) = (truth(), Analyze::file(testdata("tonic.pcap")).bodies(options()).run());
    assert!(outcome.complete());
    // Connections were opened one after another, and streams are in the order of calls.
    let mut records: Vec<_> = outcome.transactions().collect();
    records.sort_by_key(|record| (dig(record, "h2.connection.id").and_then(Value::as_u64), place(record).1));
    assert_eq!(records.len(), truth.len());
    for (call, record) in truth.iter().zip(records) {
        assert_eq!(dig(record, "rpc.method"), call.get("method"));
        assert_eq!(dig(record, "h2.grpc.status"), call.get("status"), "{call}");
        for from in ["client", "server"] {
            let (sent, told) = (call[from].as_array().unwrap(), messages(record, from));
            assert_eq!(sent.len(), told.len(), "{call}: {told:?}");
            for (sent, told) in sent.iter().zip(told) {
                assert!(is_message(sent, told) && told["type"] == "shop.v1.Item", "{told} is not {sent}");
                let is_coded = !call["call"].as_str().unwrap().starts_with("plain");
                assert_eq!(told["compressed"], is_coded, "{told}");
            }
        }
    }
}

#[test]
fn whatever_packets_are_missing_no_message_is_another() {
    let truth = truth();
    let whole = Capture::read(&testdata("tonic.pcap"));
    let mut ports: Vec<_> =
        Analyze::capture(&whole).run().transactions().map(|record| place(record).0).collect();
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
        for record in Analyze::capture(&capture).bodies(options()).run().transactions() {
            let (port, stream) = place(record);
            let connection = ports.iter().position(|&known| known == port).unwrap();
            let call = &truth[connection * truth.len() / ports.len() + stream as usize / 2];
            for from in ["client", "server"] {
                let mut sent = call[from].as_array().unwrap().iter();
                for message in messages(record, from) {
                    let read = message.get("error").is_none() && message.get("fields").is_none();
                    assert!(!read || sent.any(|sent| is_message(sent, message)), "{call}: {message}");
                    shown += usize::from(read);
                }
            }
        }
    }
    assert!(shown > 1000, "{shown}");
}
