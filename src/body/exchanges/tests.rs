use super::*;
use crate::base::certainty::Certainty;
use crate::base::limits::{BODY_MESSAGE_BYTES, BODY_MESSAGES};
use crate::base::time::Moment;
use crate::flow::Arrival;
use crate::http2::Ledger;
use crate::http2::hpack::{Field, NameId};
use crate::record::{Content, GraphQl};

/// A connection that is listened to.
struct Listened {
    bodies: Bodies,
    means: Means,
    ledger: Ledger,
    /// Milliseconds.
    now: u64,
}

impl Listened {
    fn new(options: Options) -> Self {
        let bodies = Bodies::new(Arc::new(options), 7);
        Self { bodies, means: Means::default(), ledger: Ledger::default(), now: 0 }
    }

    fn tell(&mut self, from: Side, event: impl FnOnce(&EventContext<'_>, &mut Listening<'_>)) {
        self.now += 1;
        let at = Moment { packet: self.now, time: Timestamp::from_nanos(self.now * 1_000_000) };
        let arrival = Arrival { at, ..Arrival::default() };
        self.ledger.read(from, &arrival);
        let cx = EventContext { from, arrival: &arrival, ledger: &self.ledger };
        event(&cx, &mut Listening { bodies: &mut self.bodies, means: &mut self.means });
    }

    fn block(&mut self, from: Side, stream: u32, end_stream: bool, fields: &[(&str, &str)]) {
        self.tell(from, |cx, listening| {
            let at = cx.at();
            let spot = FrameSpot::default();
            let block = Block { from, stream, promised: None, first: at, last: at, end_stream, spot };
            listening.block_start(cx, &block);
            for (name, value) in fields {
                listening.field(&Field {
                    name: Some(name.as_bytes()),
                    value: Some(value.as_bytes()),
                    plain: false,
                    id: NameId::OTHER,
                    source: Certainty::Exact,
                    reference: None,
                    never_indexed: false,
                });
            }
            listening.block_end(cx, &block, &BlockEnd::default());
        });
    }

    fn data(&mut self, from: Side, stream: u32, bytes: &[u8], end_stream: bool) {
        self.tell(from, |cx, listening| {
            listening.data(cx, stream, bytes);
            listening.data_end(cx, stream, end_stream, FrameSpot::default());
        });
    }

    /// A call with an answer of this type.
    fn call(&mut self, stream: u32, path: &str, content_type: &str, answer: &[u8]) {
        self.block(Side::Client, stream, true, &[(":method", "GET"), (":path", path)]);
        self.block(Side::Server, stream, false, &[(":status", "200"), ("content-type", content_type)]);
        self.data(Side::Server, stream, answer, true);
    }

    fn take(&mut self, stream: u32) -> Contents {
        *self.bodies.take(stream, Timestamp::MAX, &mut self.means).unwrap()
    }
}

fn options() -> Options {
    Options { limit: 1 << 20, contents: true, ..Options::default() }
}

fn text(contents: &Contents) -> Option<&str> {
    match contents.response.as_ref()?.content.as_ref()? {
        Content::Text(text) => Some(text),
        Content::Bytes(_) => None,
    }
}

#[test]
fn interim_responses_and_trailers_say_nothing_of_the_body() {
    let mut connection = Listened::new(options());
    connection.block(Side::Client, 1, true, &[(":method", "GET"), (":path", "/a")]);
    connection.block(Side::Server, 1, false, &[(":status", "103"), ("content-type", "image/png")]);
    connection.block(Side::Server, 1, false, &[(":status", "200"), ("content-type", "text/plain")]);
    connection.data(Side::Server, 1, b"amber", false);
    connection.block(Side::Server, 1, true, &[("content-encoding", "gzip"), ("x", "y")]);
    let contents = connection.take(1);
    assert_eq!((text(&contents), contents.response.as_ref().unwrap().complete), (Some("amber"), true));
    assert_eq!(connection.means.memory.held(), 0);
}

#[test]
fn a_response_that_is_read_before_its_request_is_told_by_its_type() {
    let mut connection = Listened::new(options());
    connection.block(Side::Server, 1, false, &[(":status", "200"), ("content-type", "application/json")]);
    connection.data(Side::Server, 1, b"{\"a\":", false);
    connection.data(Side::Server, 1, b"1}", true);
    let request = [(":method", "POST"), (":path", "/p.S/M"), ("connect-protocol-version", "1")];
    connection.block(Side::Client, 1, true, &request);
    let contents = connection.take(1);
    let values: Vec<_> =
        contents.messages.iter().map(|message| (message.value.as_deref(), message.at)).collect();
    assert_eq!(values, [(Some("{\"a\":1}"), Timestamp::from_nanos(3_000_000))]);
}

#[test]
fn what_is_read_behind_a_reset_is_of_no_body() {
    let mut listened = Listened::new(options());
    for stream in [1, 3] {
        listened.block(Side::Client, stream, true, &[(":method", "GET"), (":path", "/")]);
    }
    let answer = [(":status", "200"), ("content-type", "text/plain")];
    listened.block(Side::Server, 1, false, &answer);
    listened.data(Side::Server, 1, b"before", false);
    for stream in [1, 3] {
        listened.tell(Side::Client, |cx, listening| {
            listening.reset(cx, stream, Some(8), FrameSpot::default());
        });
    }
    listened.data(Side::Server, 1, b" and after", true);
    assert_eq!(text(&listened.take(1)), Some("before"));
    listened.data(Side::Server, 1, b", late", true);
    listened.block(Side::Server, 3, false, &answer);
    listened.data(Side::Server, 3, b"after", true);
    let Listened { bodies, means, .. } = &mut listened;
    for stream in [1, 3] {
        assert_eq!(bodies.take(stream, Timestamp::MAX, means), None, "nothing more of it came before");
    }
    bodies.prune(0, |_| false, &mut means.memory);
    assert!(bodies.exchanges.len() <= 16);
}

#[test]
fn a_websocket_begins_with_its_response() {
    let mut connection = Listened::new(options());
    let request = [(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/ws")];
    connection.block(Side::Client, 1, false, &request);
    connection.data(Side::Client, 1, b"\x81\x02hi", false);
    connection.block(Side::Server, 1, false, &[(":status", "200")]);
    connection.data(Side::Server, 1, b"\x88\x02\x03\xe8", true);
    let contents = connection.take(1);
    let texts: Vec<_> = contents.messages.iter().map(|message| message.text.as_deref()).collect();
    assert_eq!((texts, contents.websocket.unwrap().code), (vec![Some("hi"), None], Some(1000)));
}

/// Each side answers the other's close frame with its own: which came first is told by time, and only where both may be.
#[test]
fn who_closed_a_websocket_is_told_where_no_close_may_be_missing() {
    let (going_away, normal) = (b"\x88\x02\x03\xe9", b"\x88\x02\x03\xe8");
    let close = |lost: bool, read_late: bool| {
        let mut connection = Listened::new(options());
        let request = [(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/ws")];
        connection.block(Side::Client, 1, false, &request);
        connection.block(Side::Server, 1, false, &[(":status", "200")]);
        let began = connection.now;
        connection.now += u64::from(read_late) * 10;
        if !read_late && !lost {
            connection.data(Side::Client, 1, going_away, true);
        } else if !read_late {
            connection.tell(Side::Client, |cx, listening| {
                listening.data_lost(cx, 1, going_away.len() as u64, GapCause::Lost);
            });
        }
        connection.data(Side::Server, 1, normal, true);
        if read_late {
            connection.now = began;
            connection.data(Side::Client, 1, going_away, true);
        }
        let end = connection.take(1).websocket?;
        Some((end.by_client, end.code))
    };
    assert_eq!(close(false, false), Some((true, Some(1001))));
    assert_eq!(close(false, true), Some((true, Some(1001))), "it was sent first");
    assert_eq!(close(true, false), None);
}

#[test]
fn frames_that_were_lost_may_have_been_of_any_open_body() {
    let mut connection = Listened::new(options());
    for stream in [1, 3] {
        connection.block(Side::Client, stream, true, &[(":method", "GET"), (":path", "/a")]);
        connection.block(Side::Server, stream, false, &[(":status", "200"), ("content-type", "text/plain")]);
    }
    connection.data(Side::Server, 1, b"before", true);
    connection.data(Side::Server, 3, b"before", false);
    connection.tell(Side::Server, |cx, listening| listening.lost(cx, GapCause::Lost));
    connection.data(Side::Server, 3, b"after", true);
    connection.call(5, "/b", "text/plain", b"later");
    let told = [1, 3, 5].map(|stream| {
        let contents = connection.take(stream);
        (text(&contents).unwrap().to_owned(), contents.response.unwrap().complete)
    });
    let expected = [("before", true), ("before", false), ("later", true)];
    assert_eq!(told, expected.map(|(text, complete)| (text.to_owned(), complete)));
}

#[test]
fn graphql_calls_are_named() {
    let mut connection = Listened::new(options());
    let request = [(":method", "POST"), (":path", "/graphql"), ("content-type", "application/json")];
    connection.block(Side::Client, 1, false, &request);
    connection.data(Side::Client, 1, b"{\"query\": \"mutation Add { add }\"}", true);
    connection.call(3, "/graphql?query=query+Get+%7Ba%7D", "application/json", b"{}");
    let graphql = |name: &str, kind| Some(GraphQl { name: Some(name.to_owned()), kind: Some(kind) });
    assert_eq!(connection.take(1).graphql, graphql("Add", "mutation"));
    assert_eq!(connection.take(3).graphql, graphql("Get", "query"));
}

#[test]
fn graphql_calls_with_files_are_named() {
    let field = |name: &str, head: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{head}\r\n\r\n{text}\r\n")
    };
    let document =
        r#"{"query": "mutation Send($file: Upload!) { send(file: $file) }", "variables": {"file": null}}"#;
    let operations = field("operations", "", document);
    let typed = field("operations", "\r\nContent-Type: application/json", document);
    let batch = field("operations", "", &format!("[{document}]"));
    let file = field("0", "; filename=\"a.txt\"\r\nContent-Type: text/plain", "Alpha");
    let map = field("map", "", r#"{"0": ["variables.file"]}"#);
    let called = |path: &str, fields: &[&String], limit: usize| {
        let mut connection = Listened::new(Options { limit, ..options() });
        let request =
            [(":method", "POST"), (":path", path), ("content-type", "multipart/form-data; boundary=b")];
        connection.block(Side::Client, 1, false, &request);
        for field in fields {
            connection.data(Side::Client, 1, field.as_bytes(), false);
        }
        connection.data(Side::Client, 1, b"--b--\r\n", true);
        connection.take(1).graphql
    };
    let send = Some(GraphQl { name: Some("Send".to_owned()), kind: Some("mutation") });
    assert_eq!(called("/graphql", &[&operations, &map, &file], 1 << 20), send);
    assert_eq!(called("/graphql", &[&typed, &map, &file], 1 << 20), send);
    assert_eq!(called("/graphql", &[&operations], document.len()), send);
    assert_eq!(called("/graphql", &[&operations], document.len() - 1), None);
    assert_eq!(called("/graphql", &[&operations, &typed], 1 << 20), None);
    assert_eq!(called("/graphql", &[&batch], 1 << 20), None);
    assert_eq!(called("/graphql", &[&map, &file], 1 << 20), None);
    assert_eq!(called("/upload", &[&operations], 1 << 20), None);
}

#[test]
fn events_are_timed() {
    let mut connection = Listened::new(options());
    connection.block(Side::Client, 1, true, &[(":method", "GET"), (":path", "/v1/chat")]);
    connection.block(Side::Server, 1, false, &[(":status", "200"), ("content-type", "text/event-stream")]);
    for wait in [10, 20, 50] {
        connection.now += wait;
        connection.data(Side::Server, 1, b"data: x\n\n", false);
    }
    let events = connection.take(1).events.unwrap();
    assert_eq!(
        (events.count, events.first, events.longest_gap.as_millis()),
        (3, Timestamp::from_nanos(13_000_000), 51)
    );
}

#[test]
fn late_frames_of_ended_streams_are_forgotten() {
    let mut connection = Listened::new(options());
    for stream in (1..200).step_by(2) {
        connection.data(Side::Server, stream, b"late", false);
        connection.bodies.prune(1, |open| open == 1, &mut connection.means.memory);
        assert!(connection.bodies.exchanges.len() <= 18);
    }
    connection.bodies.release(&mut connection.means.memory);
    assert_eq!(connection.means.memory.held(), 0);
}

#[test]
fn messages_are_told_of_one_by_one() {
    let mut connection = Listened::new(Options { messages: true, contents: false, ..options() });
    connection.call(1, "/lines?q=1", "application/x-ndjson", b"1\n[2]\n");
    let mut told = Vec::new();
    connection.bodies.take_messages(|record| told.push((record.path.clone(), record.message.value.clone())));
    let line = |text: &str| (Some("/lines".to_owned()), Some(text.to_owned()));
    assert_eq!(told, [line("1"), line("[2]")]);
    assert!(
        connection.bodies.take(1, Timestamp::MAX, &mut connection.means).is_none(),
        "contents are not asked for"
    );
}

#[test]
fn cap_body_memory_shard() {
    let mut connection = Listened::new(Options { limit: BODY_MEMORY_SHARD, ..options() });
    connection.call(1, "/a", "text/plain", b"amber");
    connection.call(3, "/b", "text/plain", b"");
    connection.block(Side::Client, 5, true, &[(":method", "GET"), (":path", "/c")]);
    connection.block(Side::Server, 5, false, &[(":status", "200")]);
    for _ in 0..=BODY_MEMORY_SHARD >> 20 {
        connection.data(Side::Server, 5, &vec![b'x'; 1 << 20], false);
        assert!(connection.means.memory.held() <= BODY_MEMORY_SHARD);
    }
    assert!(connection.bodies.limits().of(Limit::BodyMemory) > 0);
    let contents = connection.take(5);
    let body = contents.response.unwrap();
    assert!(body.truncated && body.sha256.is_none() && body.content.is_some());
    assert_eq!(body.error.map(|error| error.reason), Some("memory"));
    assert_eq!(text(&connection.take(1)), Some("amber"));
}

#[test]
fn cap_body_messages() {
    let mut connection = Listened::new(options());
    let lines = "1\n".repeat(BODY_MESSAGES + 5);
    connection.call(1, "/a", "application/x-ndjson", lines.as_bytes());
    let contents = connection.take(1);
    assert_eq!((contents.messages.len(), contents.messages_omitted), (BODY_MESSAGES, 5));
    assert_eq!(connection.bodies.limits().of(Limit::BodyMessages), 1);
}

#[test]
fn cap_body_message_bytes() {
    let mut connection = Listened::new(options());
    let line = format!("\"{}\"\n", "x".repeat(900 << 10));
    let lines = line.repeat(12) + "1\n";
    connection.call(1, "/a", "application/x-ndjson", lines.as_bytes());
    let contents = connection.take(1);
    assert_ne!(
        contents.messages.last().unwrap().value.as_deref(),
        Some("1"),
        "none is left out but the last ones"
    );
    let bytes: usize = contents.messages.iter().map(crate::record::BodyMessage::memory).sum();
    assert!(bytes <= BODY_MESSAGE_BYTES && contents.messages_omitted > 0, "{bytes}");
}
