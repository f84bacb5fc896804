//! The `h2` crate at both ends.

use crate::support::conversation::Cut;
use crate::support::endpoints::{Recording, Setup, record};
use crate::support::exchange::assert_same;
use crate::support::plan::{Answer, Plan, Push, Reset};
use crate::support::{Analyze, Conversation, Ends, Random, Side};

/// Writes the recording as captures cut in every way, and compares.
fn check(recording: &Recording, what: &str) {
    for (n, cut) in Cut::ALL.into_iter().enumerate() {
        let ends = if n % 2 == 0 { Ends::v4(7) } else { Ends::v6(7) };
        let capture = Conversation::of(ends, n as u64, &recording.events, cut).capture();
        let outcome = Analyze::capture(&capture).run();
        let told = outcome.exchanges().into_iter().map(|mut exchange| {
            // A promise has no content: its size may be told or not.
            exchange.request_body = exchange.request_body.filter(|_| exchange.parent.is_none());
            exchange
        });
        assert_same(told, recording.exchanges.clone(), &format!("{what}, cut {cut:?}"));
        assert!(outcome.complete(), "{what}, cut {cut:?}: {:?}", outcome.coverage());
        assert!(outcome.damage.is_empty());
        assert_eq!(outcome.connections().count(), 1);
    }
}

#[test]
fn get_and_post() {
    let mut post = Plan::new("POST", "/users?q=1", 201, 17);
    post.body = Some(vec![5, 7]);
    post.headers = vec![("content-type".into(), "application/json".into())];
    let plans = vec![Plan::new("GET", "/", 200, 12), post, Plan::new("GET", "/missing", 404, 0)];
    check(&record(plans, Setup::default()), "get and post");
}

#[test]
fn content_in_pieces_both_ways() {
    let mut plan = Plan::new("POST", "/echo", 200, 0);
    plan.body = Some(vec![1, 20_000, 0, 30_000, 3]);
    plan.answer.body = Some(vec![17_000, 0, 2, 40_000]);
    plan.interleaved = true;
    check(&record(vec![plan; 6], Setup::default()), "streaming");
}

#[test]
fn trailers_on_both_sides() {
    let mut plan = Plan::new("POST", "/sum", 200, 9);
    plan.body = Some(vec![100]);
    plan.trailers = vec![("x-checksum".into(), "abc".into()), ("x-checksum".into(), "def".into())];
    plan.answer.trailers = vec![("grpc-status".into(), "0".into()), ("x-took".into(), "3ms".into())];
    let mut bare = plan.clone();
    (bare.body, bare.answer.body) = (Some(vec![]), Some(vec![]));
    check(&record(vec![plan, bare], Setup::default()), "trailers");
}

#[test]
fn promises() {
    let mut plan = Plan::new("GET", "/index.html", 200, 2000);
    let push = |path: &str, status, body| {
        let answer = Answer { status, body, ..Answer::default() };
        Push { path: path.into(), headers: vec![("accept".into(), "text/css".into())], answer }
    };
    plan.pushes = vec![
        push("/style.css", 200, Some(vec![300, 400])),
        push("/script.js?v=3", 200, Some(vec![])),
        push("/same", 304, None),
    ];
    let recording = record(vec![plan.clone(), Plan::new("GET", "/", 200, 1), plan], Setup::default());
    assert_eq!(recording.exchanges.iter().filter(|exchange| exchange.parent.is_some()).count(), 6);
    check(&recording, "push");
}

#[test]
fn resets_by_both_sides_with_every_code() {
    let mut plans = Vec::new();
    for code in 1..=13 {
        for (by, answered) in
            [(Side::Client, false), (Side::Client, true), (Side::Server, false), (Side::Server, true)]
        {
            let mut plan = Plan::new("GET", &format!("/{by:?}/{answered}/{code}"), 200, 0);
            plan.reset = Some(Reset { by, answered, code });
            plans.push(plan);
            plans.push(Plan::new("GET", "/between", 200, 5));
        }
    }
    check(&record(plans, Setup::default()), "resets");
}

#[test]
fn two_hundred_streams_at_once() {
    let plan = |n: usize| {
        let mut plan = Plan::new(["GET", "POST"][n % 2], &format!("/item/{n}?n={n}"), 200, n * 31);
        plan.body = (n % 2 == 1).then(|| vec![n, n]);
        plan.answer.headers = vec![("etag".into(), format!("\"{}\"", n % 20))];
        plan
    };
    let setup = Setup { at_once: Some(200), lanes: 200, ..Setup::default() };
    let recording = record((0..200).map(plan).collect(), setup);
    check(&recording, "200 streams");
    let capture = Conversation::of(Ends::v4(1), 1, &recording.events, Cut::Full).capture();
    let outcome = Analyze::capture(&capture).run();
    let connection = outcome.connections().next().unwrap();
    assert_eq!((connection.streams_opened, connection.max_concurrent), (200, Some(200)));
    assert_eq!((connection.timing.at_limit, connection.timing.queued), (0, 0));
}

#[test]
fn head_and_statuses_without_content() {
    let mut plans = vec![Plan::new("HEAD", "/large", 200, 0), Plan::new("OPTIONS", "/", 204, 0)];
    plans[0].answer.headers = vec![("content-length".into(), "123456".into())];
    for plan in &mut plans {
        plan.answer.body = None;
    }
    check(&record(plans, Setup::default()), "no content");
}

#[test]
fn interim_responses() {
    let mut plan = Plan::new("POST", "/upload", 200, 3);
    plan.body = Some(vec![70_000]);
    plan.interim = vec![100, 102, 103, 103];
    let mut plans = vec![plan.clone(), plan];
    plans[1].answer.body = None;
    check(&record(plans, Setup::default()), "interim");
}

#[test]
fn header_sections_of_many_frames() {
    let plan = |n: usize| {
        let mut plan = Plan::new("GET", &format!("/{}", "p".repeat(n * 900)), 200, 10);
        let long = |n: usize| (format!("x-long-{n}"), "\u{7e}v<>".repeat(n * 2500));
        plan.headers = vec![long(n), long(n + 1)];
        plan.answer.headers = vec![long(n + 2)];
        plan.answer.trailers = vec![long(n + 3)];
        plan
    };
    let recording = record((0..9).map(plan).collect(), Setup::default());
    check(&recording, "CONTINUATION");
    let capture = Conversation::of(Ends::v4(1), 1, &recording.events, Cut::Random).capture();
    assert!(Analyze::capture(&capture).run().report.exact.plaintext.continuation_frames > 20);
}

#[test]
fn connect_plain_and_extended() {
    let mut tunnel = Plan::new("CONNECT", "", 200, 0);
    tunnel.body = Some(vec![30, 40]);
    tunnel.answer.body = Some(vec![50]);
    tunnel.interleaved = true;
    let mut websocket = tunnel.clone();
    websocket.protocol = Some("websocket");
    websocket.path = "/chat?room=7".into();
    check(&record(vec![tunnel, websocket], Setup::default()), "CONNECT");
}

#[test]
fn small_windows_and_table_sizes() {
    let mut random = Random::new(3);
    for table in [Some(0), Some(100), Some(65_536), None] {
        let plans = (0..30).map(|_| Plan::any(&mut random)).collect();
        let setup = Setup { table, window: Some(1000), ..Setup::default() };
        check(&record(plans, setup), &format!("table size {table:?}"));
    }
}

#[test]
fn any_exchanges() {
    for seed in 0..16 {
        let mut random = Random::new(seed);
        let plans = (0..random.between(1, 60)).map(|_| Plan::any(&mut random)).collect();
        let setup = Setup { lanes: random.between(1, 30), ..Setup::default() };
        check(&record(plans, setup), &format!("seed {seed}"));
    }
}
