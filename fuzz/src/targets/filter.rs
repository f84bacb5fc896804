//! `--where`: any text is a filter, or an error that points into it in one short line; a filter means the same in
//! parentheses, negated twice and joined with itself, and its negation means the reverse.

use h2lens::base::endpoint::Endpoint;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::filter::{Filter, Truth};
use h2lens::record::{ConnectionMeta, Field, Fields, Partial, Transaction, TransactionView, Unknown};

/// Text; other bytes are none.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let filter = match text.parse::<Filter>() {
        Ok(filter) => filter,
        Err(error) => {
            let place = text.get(error.place()).map(|place| place.chars().count());
            assert!(place.is_some(), "{:?} is no place in {text:?}", error.place());
            let shown = error.to_string();
            let [message, line, marks] = shown.lines().collect::<Vec<_>>()[..] else {
                panic!("not three lines: {shown:?}")
            };
            assert!(!message.is_empty() && line.chars().count() < 200 && marks.ends_with('^'), "{shown}");
            return;
        }
    };
    // With one more of them there may be too many.
    let too_deep = text.matches('(').count() >= 60;
    let parsed = |text: String| match text.parse::<Filter>() {
        Ok(filter) => Some(filter),
        Err(error) if too_deep => {
            assert!(error.message().contains("parentheses"), "{error}");
            None
        }
        Err(error) => panic!("{error}"),
    };
    let truth = |filter: &Filter| {
        exchanges().map(|(on, exchange)| filter.evaluate(&TransactionView::new(&on, &exchange)))
    };
    let truths = truth(&filter);
    for same in [
        format!("({text})"),
        format!("not not ({text})"),
        format!("({text}) and ({text})"),
        format!("({text}) || ({text})"),
    ] {
        if let Some(other) = parsed(same) {
            assert_eq!(truth(&other), truths);
        }
    }
    if let Some(reverse) = parsed(format!("! ({text})")) {
        assert_eq!(truth(&reverse), truths.map(not));
    }
    if let Some(either) = parsed(format!("({text}) or not ({text})")) {
        let known = |truth| if truth == Truth::Unknown { Truth::Unknown } else { Truth::True };
        assert_eq!(truth(&either), truths.map(known));
    }
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// A plain exchange, one of which much is missing, and one with next to nothing.
fn exchanges() -> [(ConnectionMeta, Transaction); 3] {
    let at = |packet, nanos: u64| Moment {
        packet,
        time: Timestamp::from_nanos(1_795_321_020_000_000_000 + nanos),
    };
    let mut whole =
        Transaction { stream: 5, first: at(4, 0), last: at(9, 1_234_567), ..Transaction::default() };
    whole.ended_at = whole.last.time;
    whole.request.headers = fields(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "example.org"),
        (":path", "/v1/users?q=1"),
        ("user-agent", "curl/7.88.1"),
    ]);
    (whole.request.seen, whole.request.ended) = (true, true);
    whole.response.headers = fields(&[(":status", "200")]);
    (whole.response.seen, whole.response.ended, whole.response.body) = (true, true, 345);
    let mut damaged = whole.clone();
    damaged.partial.insert(Partial::TCP_GAP);
    damaged.response.headers = Fields::default();
    damaged.unknown.insert(Unknown::STATUS);
    let nothing = Transaction { partial: Partial::MID_STREAM, ..Transaction::default() };
    [whole, damaged, nothing].map(|exchange| (connection(), exchange))
}

fn connection() -> ConnectionMeta {
    let end = |last, port| Endpoint { ip: [10, 0, 0, last].into(), port };
    ConnectionMeta {
        id: 1,
        client: end(1, 50_000),
        server: end(2, 8080),
        tls: None,
        parent: None,
        client_is_forward: true,
        authority: None,
    }
}

fn fields(lines: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in lines {
        fields.push(Field::exact(name.as_bytes(), value.as_bytes()));
    }
    fields
}

/// Filters of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "status >= 500 and path ~ ^/v1/",
        "method in (PUT, 'GET') or not (status == 2xx && duration > 200ms)",
        "client == 10.0.0.0/8 and server != ::1",
        "path ~ \"/(orders|users)$\" || host = example.org",
        "@timestamp >= 2026-11-22T04:17:00Z",
        "!h2.complete",
        ".h2.stream.id < 7 and size >= 1KiB",
        "time.wait > 1ms or error",
        "h2.stream.end.how == end_stream and user_agent ~ curl",
        "status in (404, 5xx",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
