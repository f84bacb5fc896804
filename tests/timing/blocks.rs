//! Header blocks that come in parts, and what came just before a call.

use super::{PREFACE, SETTINGS, connection, frame};
use crate::support::conversation::Side::{self, Client, Server};
use crate::support::conversation::{Conversation, Ends};
use crate::support::{Analyze, Outcome};
use h2lens::record::{TimePart, Wanted};

const MS: u64 = 1_000_000;

/// The parts of a stream's time, in microseconds: server pause, client pause, other streams, transfer.
fn parts(outcome: &Outcome, stream: u32) -> [u64; 4] {
    let call = outcome.transactions().find(|call| call.stream == stream).unwrap();
    let parts = call.time.unwrap().parts;
    [TimePart::ServerPause, TimePart::ClientPause, TimePart::OtherStreams, TimePart::Transfer]
        .map(|part| parts.get(part) / 1000)
}

fn run(said: &[(u64, Side, Vec<u8>)]) -> Outcome {
    Analyze::capture(&connection(1, said).capture()).transactions_alone().run()
}

fn is_near(micros: u64, expected: u64) -> bool {
    micros.abs_diff(expected) < 400
}

#[test]
fn segments_of_a_header_block_are_no_silence() {
    // An answer of 300 octets, in parts that come fast one after the other, and a push with as long a promise.
    let field = [&[0, 1, b'n', 0x7f, 0xa1, 1][..], &[b'v'; 288]].concat();
    let answer = frame(1, 5, 1, &[&[0x88][..], &field].concat());
    let promise = frame(5, 4, 3, &[&[0, 0, 0, 2, 0x82, 0x86, 0x84][..], &field].concat());
    let mut said = vec![
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Client, frame(1, 5, 3, &[0x82, 0x86, 0x84])),
        (20 * MS, Server, frame(1, 4, 3, &[0x88])),
    ];
    let end = frame(0, 1, 3, b"end");
    for (n, part) in (0..).zip(answer.chunks(40).chain(promise.chunks(40)).chain([&end[..]])) {
        said.push((20 * MS + (n + 1) * 700_000, Server, part.to_vec()));
    }
    let outcome = run(&said);
    let [pause, _, others, transfer] = parts(&outcome, 1);
    assert!(pause == 0 && others == 0 && is_near(transfer, 5_500), "{pause} {others} {transfer}");
    let [pause, _, others, transfer] = parts(&outcome, 3);
    // The other one's answer, then its own promise and content.
    assert!(pause == 0 && others > 5_000 && transfer > 5_000, "{pause} {others} {transfer}");
}

#[test]
fn a_pause_within_a_header_block_is_one() {
    let outcome = run(&[
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (20 * MS, Server, frame(1, 1, 1, &[0x88])),
        (70 * MS, Server, frame(9, 4, 1, &[0x0f, 0x01, 0x78])),
    ]);
    let [pause, _, _, transfer] = parts(&outcome, 1);
    assert!(is_near(pause, 50_000) && transfer == 0, "{pause} {transfer}");
}

#[test]
fn silence_before_a_call_is_none_of_its_time() {
    let outcome = run(&[
        (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
        (2 * MS, Server, frame(1, 5, 1, &[0x88])),
        (900 * MS, Client, frame(1, 4, 3, &[0x83, 0x86, 0x84])),
        (900 * MS + 500_000, Client, frame(1, 4, 5, &[0x83, 0x86, 0x84])),
        (901 * MS, Client, frame(0, 1, 5, b"another call")),
        (901 * MS + 500_000, Client, frame(0, 1, 3, b"this one")),
        (910 * MS, Server, [frame(1, 5, 3, &[0x88]), frame(1, 5, 5, &[0x88])].concat()),
    ]);
    let [_, pause, others, transfer] = parts(&outcome, 3);
    assert!(pause == 0 && is_near(others, 1000) && is_near(transfer, 500), "{pause} {others} {transfer}");
}

/// The record of a reset call comes when all was read that the other side had sent by then, which is later here.
#[test]
fn what_comes_behind_a_reset_is_none_of_its_time() {
    let mut conversation = connection(
        1,
        &[
            (MS, Client, frame(1, 5, 1, &[0x82, 0x86, 0x84])),
            (MS, Client, frame(1, 5, 3, &[0x82, 0x86, 0x84])),
            (20 * MS, Server, [frame(1, 4, 3, &[0x88]), frame(1, 4, 1, &[0x88])].concat()),
            (20 * MS + 600_000, Server, frame(0, 0, 3, b"another call")),
        ],
    )
    .after(10 * MS);
    conversation.data(Client, &frame(3, 0, 1, &[0, 0, 0, 8]));
    let mut conversation = conversation.after(50 * MS);
    conversation.data(Server, &frame(0, 1, 3, b"goes on"));
    let outcome = Analyze::capture(&conversation.capture()).transactions_alone().run();
    let [pause, _, others, transfer] = parts(&outcome, 1);
    assert!(is_near(pause, 10_000) && is_near(others, 600) && transfer == 0, "{pause} {others} {transfer}");
}

/// The preface comes behind the request, when the server has spoken already.
#[test]
fn a_loss_before_the_preface_leaves_the_time_known() {
    let mut conversation = Conversation::new(Ends::v4(1), 1);
    conversation.handshake();
    conversation.data(Server, SETTINGS);
    conversation.data(Client, &[PREFACE, SETTINGS].concat());
    let mut conversation = conversation.after(2 * MS);
    conversation.data(Client, &frame(1, 5, 1, &[0x82, 0x86, 0x84]));
    let mut conversation = conversation.after(20 * MS);
    conversation.data(Server, &frame(1, 5, 1, &[0x88]));
    let mut capture = conversation.capture();
    let preface = capture.packets.iter().position(|packet| packet.bytes.ends_with(SETTINGS)).unwrap() + 1;
    capture.packets.swap(preface, preface + 1);
    let times = [preface, preface + 1].map(|at| capture.packets[at].time);
    capture.packets[preface].time = times[1];
    capture.packets[preface + 1].time = times[0];
    let wanted = Wanted { transactions: true, connections: true, ..Wanted::default() };
    let outcome = Analyze::capture(&capture).wanted(wanted).run();
    let call = outcome.transactions().next().unwrap();
    assert!(call.time.unwrap().parts.get(TimePart::Wait) > 20 * MS);
    let connection = outcome.connections().next().unwrap();
    assert!(connection.timing.client_blocked.tcp_loss > 2 * MS);
}

/// The client's turn begins again when the answer has ended, and ends with the reset.
#[test]
fn the_rest_of_a_reset_upload_ends_with_the_reset() {
    let mut conversation = connection(
        1,
        &[
            (MS, Client, frame(1, 4, 1, &[0x83, 0x86, 0x84])),
            (MS, Client, frame(1, 4, 3, &[0x83, 0x86, 0x84])),
            (MS + 300_000, Client, frame(0, 0, 3, b"begun")),
            (2 * MS, Server, frame(1, 5, 3, &[0x88])),
        ],
    )
    .after(10 * MS);
    conversation.data(Server, &frame(3, 0, 3, &[0, 0, 0, 0]));
    let mut conversation = conversation.after(50 * MS);
    conversation.data(Client, &frame(0, 1, 1, b"another call"));
    let outcome = Analyze::capture(&conversation.capture()).transactions_alone().run();
    let [_, pause, others, transfer] = parts(&outcome, 3);
    assert!(is_near(pause, 10_000) && others == 0 && is_near(transfer, 1_200), "{pause} {others} {transfer}");
}

/// A stream that was reset is open no more, though not all was read that the other side had sent by then.
#[test]
fn streams_that_were_reset_are_not_open() {
    let rapid = (0..50).map(|n| 2 * n + 1);
    let rapid: Vec<u8> = rapid
        .flat_map(|id| [frame(1, 5, id, &[0x82, 0x86, 0x84]), frame(3, 0, id, &[0, 0, 0, 8])].concat())
        .collect();
    let capture = connection(1, &[(MS, Client, rapid)]).capture();
    let wanted = Wanted { transactions: true, connections: true, ..Wanted::default() };
    let outcome = Analyze::capture(&capture).wanted(wanted).run();
    let connection = outcome.connections().next().unwrap();
    assert_eq!((connection.streams_opened, connection.max_concurrent), (50, Some(1)));
}

/// Whoever has a place that a reset gave free takes it at once.
#[test]
fn a_reset_gives_a_place_free() {
    let one_place = frame(4, 0, 0, &[0, 3, 0, 0, 0, 1]);
    let asks = |id| frame(1, 5, id, &[0x82, 0x86, 0x84]);
    let capture = connection(
        1,
        &[
            (MS, Server, one_place),
            (2 * MS, Client, [frame(4, 1, 0, &[]), frame(4, 1, 0, &[]), asks(1)].concat()),
            (50 * MS, Client, [frame(3, 0, 1, &[0, 0, 0, 8]), asks(3)].concat()),
            (150 * MS, Server, frame(1, 5, 3, &[0x88])),
        ],
    )
    .capture();
    let wanted = Wanted { transactions: true, connections: true, ..Wanted::default() };
    let outcome = Analyze::capture(&capture).wanted(wanted).run();
    let timing = &outcome.connections().next().unwrap().timing;
    assert!(is_near(timing.at_limit / 1000, 148_000), "{}", timing.at_limit);
    assert_eq!(timing.queued, 1);
}
