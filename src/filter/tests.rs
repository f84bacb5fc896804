use super::*;
use crate::record::samples::{at, everything, fields, get, meta, nothing};
use crate::record::{ConnectionMeta, EndBy, EndHow, Partial, StreamEnd, Transaction, Unknown};

fn truth_of(filter: &str, connection: &ConnectionMeta, transaction: &Transaction) -> Truth {
    let filter: Filter = filter.parse().unwrap_or_else(|error| panic!("{error}"));
    filter.evaluate(&TransactionView::new(connection, transaction))
}

/// The answer for a plain GET of `/v1/users?q=1`, answered with 200 and 345 octets.
fn truth(filter: &str) -> Truth {
    truth_of(filter, &meta(), &get())
}

fn error(filter: &str) -> FilterError {
    filter.parse::<Filter>().unwrap_err()
}

#[test]
fn values_of_all_types_are_compared() {
    for (filter, expected) in [
        ("status == 200", true),
        ("status == 2xx", true),
        ("status in (404, 5xx)", false),
        ("status != 200", false),
        ("http.response.status_code >= 201", false),
        (".http.response.status_code < 201", true),
        ("method == GET", true),
        ("method in (PUT, 'GET')", true),
        ("path == /v1/users", true),
        ("path ~ ^/v[0-9]+/", true),
        ("path ~ \"/(orders|users)$\"", true),
        ("path ~ ^users", false),
        ("query == q=1", true),
        ("host ~ example", true),
        ("duration >= 1ms", true),
        ("duration == 1234567ns", true),
        ("duration == 0.001234567", true),
        ("duration < 1ms", false),
        ("size > 300", true),
        ("size >= 1KiB", false),
        ("http.request.body.size == 0", true),
        ("client == 10.0.0.0/8", true),
        ("client in (192.168.0.0/16, 10.0.0.1)", true),
        ("server != 10.0.0.2", false),
        ("conn == 1 and stream == 1", true),
        ("@timestamp >= 2026-11-22T04:17:00Z", true),
        ("@timestamp < 2026-11-22T04:17:00.1Z", false),
        ("h2.complete", true),
        ("h2.complete == false", false),
        ("h2.stream.pushed", false),
        ("h2.stream.end.how == end_stream", true),
        ("h2.stream.end.by ~ '^(client|server)$'", true),
        ("user_agent ~ curl", true),
        ("url", true),
        ("error", false),
        ("tls", false),
        ("rpc", false),
        ("not error and (status == 404 or path ~ users)", true),
    ] {
        assert_eq!(truth(filter), if expected { Truth::True } else { Truth::False }, "{filter}");
    }
}

#[test]
fn what_is_not_there_is_no_value_and_that_is_known() {
    for (filter, expected) in [
        ("rpc == 'pkg.Service/Method'", Truth::False),
        ("rpc != 'pkg.Service/Method'", Truth::False),
        ("not rpc == 'pkg.Service/Method'", Truth::True),
        ("h2.stream.parent > 0", Truth::False),
    ] {
        assert_eq!(truth(filter), expected, "{filter}");
    }
}

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    let nothing = nothing();
    for (filter, expected) in [
        ("status == 200", Truth::Unknown),
        ("not status == 200", Truth::Unknown),
        ("path", Truth::Unknown),
        ("error", Truth::Unknown),
        ("stream == 5 or path == /", Truth::True),
        ("stream == 6 and path == /", Truth::False),
        ("path == / and stream == 6", Truth::False),
        ("stream == 5 and path == /", Truth::Unknown),
        ("h2.stream.parent", Truth::False),
    ] {
        assert_eq!(truth_of(filter, &meta(), &nothing), expected, "{filter}");
    }
}

#[test]
fn what_is_known_only_when_the_record_is_due_is_not_known() {
    for filter in
        ["h2.retry_of.stream == 1", "h2.retried_by.connection", "h2.agent.seen", "not h2.agent.seen"]
    {
        assert_eq!(truth_of(filter, &meta(), &get()), Truth::Unknown, "{filter}");
    }
}

#[test]
fn an_exchange_that_is_still_open_has_not_failed() {
    let mut open = get();
    open.end = StreamEnd { by: EndBy::Capture, how: EndHow::Eof, code: None };
    open.response = crate::record::Message::default();
    open.partial.insert(Partial::NO_RESPONSE);
    open.last = at(12, 0);
    for (filter, expected) in [
        ("error", Truth::False),
        ("rpc", Truth::False),
        ("status == 200", Truth::Unknown),
        ("user_agent == curl/8.5", Truth::True),
    ] {
        assert_eq!(truth_of(filter, &meta(), &open), expected, "{filter}");
    }
    open.unknown = Unknown::PATH;
    assert_eq!(truth_of("rpc", &meta(), &open), Truth::Unknown);
}

#[test]
fn lists_and_objects_are_asked_as_such() {
    let all = everything();
    for (filter, expected) in [
        ("h2.partial_reason == tcp_gap", true),
        ("h2.partial_reason == snaplen", false),
        ("h2.partial_reason != snaplen", true),
        ("h2.partial_reason in (snaplen, unknown_header)", true),
        ("h2.unknown ~ status", true),
        ("h2.request.trailers", true),
        ("error == RESOURCE_EXHAUSTED", true),
        ("grpc ~ EXHAUSTED", true),
        ("h2.stream.end.code == ENHANCE_YOUR_CALM or h2.stream.end.code == CANCEL", true),
    ] {
        let expected = if expected { Truth::True } else { Truth::False };
        assert_eq!(truth_of(filter, &meta(), &all), expected, "{filter}");
    }
}

#[test]
fn text_that_is_not_utf8_is_compared_as_it_is_shown() {
    let mut odd = get();
    odd.request.headers = fields(&[(":method", "GET")]);
    odd.request.headers.push(crate::record::Field::exact(b":path", b"/a\xffb"));
    for filter in ["path == /a\u{fffd}b", "path ~ ^/a.b$"] {
        assert_eq!(truth_of(filter, &meta(), &odd), Truth::True, "{filter}");
    }
}

#[test]
fn errors_point_at_the_place() {
    for (filter, at, message) in [
        ("statsu == 200", 0, "there is no field 'statsu'; near it: status"),
        ("path == /a and statsu == 200", 15, "there is no field 'statsu'"),
        ("status == ok", 10, "is a number or a class, such as 5xx"),
        ("status > 5xx", 9, "a class has no order"),
        ("duration > fast", 11, "a duration, such as 200ms"),
        ("size > 1.5QiB", 7, "a size, such as 64KiB"),
        ("client == 10.0.0.0/33", 10, "an address or a network"),
        ("client > 10.0.0.1", 9, "has no order"),
        ("path < /a", 7, "has no order"),
        ("status ~ 2", 9, "'~' is for text"),
        ("path ~ '('", 7, "no regular expression"),
        ("http == 1", 0, "'http' is not one value; it has http.request, http.response"),
        ("h2.request.trailers == a", 0, "can only be asked whether it is there"),
        ("h2.complete == maybe", 15, "true or false"),
        ("@timestamp > yesterday", 13, "a time, such as"),
        ("h2.stream.end.how == reset", 21, "'h2.stream.end.how' is never 'reset'; it may be"),
        ("conn == x", 8, "is a number"),
    ] {
        let error = error(filter);
        assert!(error.message().contains(message), "{filter}: {error}");
        assert_eq!(error.place().start, at, "{filter}: {error}");
    }
}
