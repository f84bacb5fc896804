//! What NDJSON of one part of the connections holds beside records, for [`merge`](crate::merge):
//!
//! | `record` | when | members |
//! |---|---|---|
//! | `order` | before records that another packet or connection completed than those before | `packet`, absent for the end of the capture; `connection` |
//! | `attempt` | before a transaction, or in place of one that is not shown | `is`: base64 of what makes it an attempt at something, in words; `behind`: bytes of the transaction's line behind the place of what names the other attempt; `finding`: the line after is the finding that it was executed twice |
//! | `paths` | behind the endpoints, one a path | `piece`: base64 of what `aggregate` writes |
//! | `part` | last: the part is whole | `partition`, `version`, `settings`, `packets` of the capture, `secrets` known, `records`: lines before this one, `bytes`: of these, `loads`: what is there once in a process, and how full it came, `seen`: the places of `agent.endpoints` |

use super::json::push_integer;
use crate::record::{AttemptWords, Order, PartReport};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write;

/// Appends the line that tells the order of the records behind it.
pub(super) fn order(out: &mut Vec<u8>, order: Order) {
    let Order { packet, connection, .. } = order;
    out.extend_from_slice(br#"{"record":"order""#);
    if packet != u64::MAX {
        out.extend_from_slice(br#","packet":"#);
        push_integer(out, packet);
    }
    out.extend_from_slice(br#","connection":"#);
    push_integer(out, connection);
    out.extend_from_slice(b"}\n");
}

/// Appends what makes an exchange an attempt. Its record, if `behind` says where it waits for more, is the next line; the finding
/// that it was executed twice the one after.
pub(super) fn attempt(out: &mut Vec<u8>, is: AttemptWords, behind: Option<usize>, finding: bool) {
    out.extend_from_slice(br#"{"record":"attempt","is":""#);
    let mut text = [0; size_of::<AttemptWords>() / 3 * 4];
    let length = STANDARD.encode_slice(is.map(u64::to_le_bytes).as_flattened(), &mut text);
    out.extend_from_slice(text.get(..length.unwrap_or_default()).unwrap_or_default());
    out.extend_from_slice(br#"","behind":"#);
    match behind {
        Some(bytes) => push_integer(out, bytes as u64),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","finding":"#);
    out.extend_from_slice(if finding { b"true}\n" } else { b"false}\n" });
}

/// Appends a path with its numbers.
pub(super) fn path(out: &mut Vec<u8>, piece: &[u8]) {
    let _ = writeln!(out, r#"{{"record":"paths","piece":"{}"}}"#, STANDARD.encode(piece));
}

/// Appends the last line, behind so many others of so many bytes.
pub(super) fn last(out: &mut Vec<u8>, part: &PartReport, records: u64, bytes: u64) {
    let PartReport { of, packets, secrets, loads, seen, discovery, .. } = part;
    let loads: Vec<Value> = loads
        .iter()
        .map(|load| json!({"limit": load.limit.name(), "most": load.most, "cap": load.cap}))
        .collect();
    let line = json!({
        "partition": {"index": of.partition.index(), "of": of.partition.of(), "inputs": of.inputs},
        "version": env!("CARGO_PKG_VERSION"),
        "settings": of.settings,
        "packets": packets,
        "secrets": secrets,
        "records": records,
        "bytes": bytes,
        "loads": loads,
        "seen": seen,
        "discovery": discovery,
    });
    // The kind of record stands first, as in all lines.
    let line = line.to_string();
    let _ = writeln!(out, r#"{{"record":"part",{}"#, line.strip_prefix('{').unwrap_or(&line));
}
