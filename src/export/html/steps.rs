//! The frames of a call as the page's script reads them.

use crate::export::json;
use crate::export::table::course::{details, lost, name_of};
use crate::http2::frame::Payload;
use crate::record::{Step, StepKind, Steps};
use std::io::Write;

// Writing into memory cannot fail: the results of `write!` are dropped.

/// Appends an array: of each step nanoseconds since the first one, packet, whether the client sent it, name, octets and what it
/// carries; between the first and the last ones, how many are left out.
pub(super) fn push(out: &mut Vec<u8>, steps: &Steps) {
    let mut mark = b'[';
    for step in steps.first() {
        push_step(out, &mut mark, step);
    }
    if steps.left_out() > 0 {
        let _ = write!(out, ",{}", steps.left_out());
    }
    for step in steps.last() {
        push_step(out, &mut mark, step);
    }
    out.extend_from_slice(if mark == b'[' { b"[]" } else { b"]" });
}

fn push_step(out: &mut Vec<u8>, mark: &mut u8, step: &Step) {
    out.push(std::mem::replace(mark, b','));
    let _ = write!(out, "[{},{},{},", step.at.as_nanos(), step.first.packet, u8::from(step.from_client));
    let (name, length, text) = match &step.what {
        StepKind::Frame(header, payload) => {
            let parsed = Payload::parse(header, payload);
            (name_of(header), Some(header.length.into()), details(step, header, parsed.as_ref()))
        }
        StepKind::Loss { bytes, cause } => (String::new(), *bytes, lost(*bytes, cause)),
        StepKind::Section(_) => return out.extend_from_slice(b"\"\",0,\"\"]"),
    };
    json::push_text(out, name.as_bytes());
    let _ = match length {
        Some(length) => write!(out, ",{length},"),
        None => write!(out, ",null,"),
    };
    json::push_text(out, text.as_bytes());
    out.push(b']');
}
