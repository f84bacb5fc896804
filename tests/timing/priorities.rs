//! What a client states of its streams' priorities, and what the server does with it; what is pushed, and of use.

use super::{connection, frame};
use crate::support::conversation::Side::{Client, Server};
use crate::support::{Analyze, Outcome};
use h2lens::record::{ConnectionTiming, Dependency, Inversion, Priority, Pushes, Urgency};

/// `GET http://a/`, with a field `priority`.
fn get(stream: u8, priority: &str) -> Vec<u8> {
    let field = [&[0, 8][..], b"priority", &[priority.len() as u8], priority.as_bytes()].concat();
    frame(1, 5, stream, &[&[0x82, 0x86, 0x84, 1, 1, b'a'][..], &field].concat())
}

/// The same, with the frame's own priority (RFC 7540 section 6.2).
fn depending(stream: u8, on: u8) -> Vec<u8> {
    frame(1, 0x25, stream, &[0x80, 0, 0, on, 15, 0x82, 0x86, 0x84, 1, 1, b'a'])
}

fn update(stream: u8, priority: &str) -> Vec<u8> {
    frame(0x10, 0, 0, &[&[0, 0, 0, stream][..], priority.as_bytes()].concat())
}

fn run(said: &[(u64, crate::support::conversation::Side, Vec<u8>)]) -> Outcome {
    Analyze::capture(&connection(1, said).capture()).run()
}

/// What is told of the connection.
fn timing(outcome: &Outcome) -> ConnectionTiming {
    outcome.connections().next().unwrap().timing
}

#[test]
fn octets_before_more_urgent_ones_are_inverted() {
    let data = |stream, end: u8| frame(0, end, stream, &[7; 100]);
    let headers = |stream| frame(1, 4, stream, &[0x88]);
    let outcome = run(&[
        (
            0,
            Client,
            [update(5, "u=0"), get(1, "u=1"), get(3, "u=5, i"), get(5, "u=7"), depending(7, 3)].concat(),
        ),
        (1, Server, [headers(1), headers(3), headers(5), headers(7)].concat()),
        (2, Server, [data(3, 0), data(1, 1), data(3, 1), data(5, 1), data(7, 1)].concat()),
    ]);
    let of = |stream| outcome.transactions().find(|call| call.stream == stream).unwrap().priority.unwrap();
    let urgent = |level, incremental| Priority {
        urgency: Some(Urgency { level, incremental }),
        ..Priority::default()
    };
    assert_eq!(of(1), urgent(1, false));
    assert_eq!(of(3), urgent(5, true));
    assert_eq!(of(5), urgent(0, false), "the frame counts more than the field");
    let dependency = Some(Dependency { weight: 16, on: 3, exclusive: true });
    assert_eq!(of(7), Priority { dependency, ..Priority::default() });
    // All but those of stream 5 itself and what came behind them.
    assert_eq!(timing(&outcome).inversion, Some(Inversion { octets: 300, of: 500 }));
    let plain = run(&[(0, Client, depending(1, 0)), (1, Server, [headers(1), data(1, 1)].concat())]);
    assert_eq!(timing(&plain).inversion, None, "no urgency is stated");
}

#[test]
fn octets_before_those_that_are_depended_on_are_inverted() {
    let data = |stream, end: u8| frame(0, end, stream, &[7; 100]);
    let headers = |stream| frame(1, 4, stream, &[0x88]);
    // Stream 1 states nothing, 3 depends on it, and 5 on an idle one.
    let asks = [frame(1, 5, 1, &[0x82, 0x86, 0x84, 1, 1, b'a']), depending(3, 1), depending(5, 9)].concat();
    let answers =
        [headers(1), headers(3), headers(5), data(3, 0), data(5, 1), data(1, 1), data(3, 1)].concat();
    let said = [(0, Client, asks), (1, Server, answers)];
    let outcome = run(&said);
    assert_eq!(timing(&outcome).inversion, Some(Inversion { octets: 100, of: 400 }));
    // Who says that dependencies are nothing to it is not measured by them.
    for side in [Client, Server] {
        let setting = (0, side, frame(4, 0, 0, &[0, 9, 0, 0, 0, 1]));
        let outcome = run(&[&[setting][..], &said].concat());
        assert_eq!(timing(&outcome).inversion, None);
        assert!(outcome.transactions().all(|call| call.priority.is_none()));
    }
}

#[test]
fn a_push_that_is_requested_all_the_same_is_of_no_use() {
    let promise =
        |stream: u8, path: u8| frame(5, 4, 1, &[0, 0, 0, stream, 0x82, 0x86, 4, 2, b'/', path, 1, 1, b'a']);
    let asks = |stream: u8, path: u8| frame(1, 5, stream, &[0x82, 0x86, 4, 2, b'/', path, 1, 1, b'a']);
    let answers = |stream: u8| [frame(1, 4, stream, &[0x88]), frame(0, 1, stream, &[7; 50])].concat();
    let outcome = run(&[
        (0, Client, asks(1, b'a')),
        (1, Server, [promise(2, b'x'), promise(4, b'y'), promise(6, b'z'), frame(1, 4, 4, &[0x88])].concat()),
        (2, Server, frame(0, 0, 4, &[7; 20])),
        (3, Client, [frame(3, 0, 4, &[0, 0, 0, 8]), asks(3, b'z')].concat()),
        (4, Server, [answers(1), answers(2), answers(6), answers(3)].concat()),
    ]);
    let pushes = Pushes { promised: 3, used: Some(1), cancelled: 1, cancelled_bytes: 20 };
    assert_eq!(timing(&outcome).pushes, pushes);
}
