//! The course of an exchange.

use super::*;
use crate::base::certainty::Certainty;
use crate::base::time::{Moment, Timestamp};
use crate::record::{Field, FieldName, Fields, Section, SectionPart, Step, StepKind};
use std::time::Duration;

fn step(packet: u64, what: StepKind) -> Step {
    let at = Moment { packet, time: Timestamp::from_nanos(packet * 1_000_000) };
    let since = Duration::from_millis(packet - 1);
    Step { stream: 7, first: at, last: at, at: since, from_client: true, what, credit: None }
}

fn section(lines: &[(&[u8], &[u8])]) -> StepKind {
    let mut fields = Fields::default();
    for &(name, value) in lines {
        let known = FieldName::of(name);
        let (name, value, source) = (Some(name), Some(value), Certainty::Exact);
        fields.push(Field { name, value, known, source, reference: None });
    }
    StepKind::Section(Section { part: Some(SectionPart::Request), fields, cut: false })
}

fn told(format: Format, show_secrets: bool, steps: &[Step]) -> String {
    let options = Options { format, show_secrets, ..Options::default() };
    let mut out = Vec::new();
    let mut printer = CoursePrinter::new(&mut out, &options, (1, 7));
    let mut consumer = &mut printer;
    let mut part = consumer.part();
    for step in steps {
        part.step(at(20, 0), &meta(), step);
    }
    for index in 0..part.len() {
        Consumer::record(&mut consumer, &part, index, Annotation::default()).unwrap();
    }
    Consumer::finish(&mut consumer, &report()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let steps = [step(1, section(&[(b":method", b"GET"), (b"authorization", b"Bearer abc")]))];
    for format in [Format::Table, Format::Ndjson, Format::Json] {
        let hidden = told(format, false, &steps);
        assert!(hidden.contains("[redacted]") && !hidden.contains("Bearer"), "{hidden}");
        assert!(told(format, true, &steps).contains("Bearer abc"));
    }
}

#[test]
fn nothing_acts_on_a_terminal() {
    let steps = [step(1, section(&[(b":path", b"/\x1b[31m\n"), (b"x-\x07", b"\xe2\x80\xae")]))];
    let shown = told(Format::Table, false, &steps);
    assert!(shown.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}'), "{shown:?}");
}

#[test]
fn steps_that_were_read_ahead_of_others_come_behind_them() {
    let loss = |bytes| StepKind::Loss { bytes: Some(bytes), cause: "tcp_gap" };
    let steps = [step(1, section(&[])), step(9, loss(9)), step(3, loss(3)), step(9, loss(10))];
    let records: Vec<serde_json::Value> = serde_json::from_str(&told(Format::Json, false, &steps)).unwrap();
    let lost: Vec<_> =
        records.iter().filter_map(|record| record.pointer("/h2/step/loss/bytes")?.as_u64()).collect();
    assert_eq!(lost, [3, 9, 10]);
    let text = told(Format::Table, false, &steps);
    assert!(text.contains("   2.00 ms         3  →  3 B of content are missing (tcp_gap)"), "{text}");
}
