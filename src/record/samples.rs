//! Records with everything in them, and some with almost nothing, for the tests of the formats.

use crate::base::certainty::{Certainty, UnknownRef};
use crate::base::direction::PerDirection;
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::tcp::DirectionStats;
use crate::base::telemetry_counters::{Counters, UserTelemetry};
use crate::base::time::{Moment, Timestamp};
use crate::base::tls::{Description as TlsDescription, NotDecrypted};
use crate::record::diff::{Difference, Measure, Numbers, State};
use crate::record::endpoint::{
    AgentCalls, Bins, Endpoint as EndpointRow, Endpoints, Quantiles, Rate, Slowest, Total,
};
use crate::record::pair::{Between, Call, Missing, Pair, PairSide};
use crate::record::{
    AgentEndpoint, AgentLatency, AgentStatus, AgentView, Body, BodyError, BodyMessage, ConnectionMeta,
    ConnectionRecord, ConnectionTiming, Content, Contents, Coverage, Detail, EndBy, EndHow, Ending, Events,
    Field, FieldName, Fields, Finding, Goaway, GraphQl, Grpc, Interim, Message, MessageRecord, Partial,
    Recognition, RecognitionEvidence, Report, SideFrames, SideHpack, SideSettings, StreamEnd, TimeParts,
    Transaction, Unknown, View, WebSocketEnd,
};
use std::time::Duration;

/// 2026-11-22T04:17:00.123456789Z and `nanos` more.
pub(crate) fn at(packet: u64, nanos: u64) -> Moment {
    Moment { packet, time: Timestamp::from_nanos(1_795_321_020_123_456_789 + nanos) }
}

pub(crate) fn end(ip: &str, port: u16) -> Endpoint {
    Endpoint { ip: ip.parse().unwrap(), port }
}

pub(crate) fn fields(lines: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in lines {
        fields.push(Field::exact(name.as_bytes(), value.as_bytes()));
    }
    fields
}

/// A field whose name or value is unknown.
pub(crate) fn unknown(name: Option<&'static str>, epoch: u32) -> Field<'static> {
    Field {
        name: name.map(str::as_bytes),
        value: None,
        known: name.map_or(FieldName::Other, |name| FieldName::of(name.as_bytes())),
        source: Certainty::Unknown,
        reference: Some(UnknownRef { epoch, entry: 7 }),
    }
}

pub(crate) fn meta() -> ConnectionMeta {
    ConnectionMeta {
        id: 1,
        client: end("10.0.0.1", 50_000),
        server: end("10.0.0.2", 8080),
        tls: None,
        parent: None,
        client_is_forward: true,
        authority: None,
    }
}

pub(crate) fn tls_meta() -> ConnectionMeta {
    let tls = TlsDescription {
        client: None,
        bytes: PerDirection::default(),
        version: Some("1.3"),
        cipher: Some("TLS_AES_128_GCM_SHA256"),
        server_name: Some("a.example".to_owned()),
        alpn_offered: vec!["h2".to_owned(), "http/1.1".to_owned()],
        alpn_cut: false,
        alpn: Some("h2".to_owned()),
        resumed: Some(true),
        early_data: Some(true),
        ech: true,
        late: true,
        records_missed: PerDirection { forward: Some(21), backward: Some(23) },
        generation: PerDirection { forward: 1, backward: 0 },
        ja4: Some("t13d1516h2_8daaf6152771_b186095e22b6".to_owned()),
        second_hello: false,
        alert: None,
        not_decrypted: Some(NotDecrypted::Damaged),
    };
    ConnectionMeta {
        tls: Some(Box::new(tls)),
        client: end("2001:db8::1", 50_000),
        server: end("2001:db8::2", 443),
        client_is_forward: false,
        ..meta()
    }
}

/// A plain exchange, as most are.
pub(crate) fn get() -> Transaction {
    Transaction {
        stream: 1,
        first: at(12, 0),
        last: at(19, 1_234_567),
        ended_at: at(19, 1_234_567).time,
        request: Message {
            headers: fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "users.example:8080"),
                (":path", "/v1/users?q=1"),
                ("user-agent", "curl/8.5"),
                ("authorization", "Bearer secret"),
            ]),
            seen: true,
            first: Some(at(12, 0).time),
            last: Some(at(12, 0).time),
            ended: true,
            ..Message::default()
        },
        response: Message {
            headers: fields(&[(":status", "200"), ("set-cookie", "id=secret")]),
            seen: true,
            body: 345,
            first: Some(at(15, 900_000).time),
            last: Some(at(19, 1_234_567).time),
            ended: true,
            ..Message::default()
        },
        end: StreamEnd { by: EndBy::Server, how: EndHow::EndStream, code: None },
        ..Transaction::default()
    }
}

/// An exchange with every field there is.
pub(crate) fn everything() -> Transaction {
    let mut transaction = get();
    transaction.stream = 8;
    transaction.pushed = true;
    transaction.parent = Some(7);
    transaction.request.headers = fields(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a.example"),
        (":path", "/pkg.Service/Method?q=1"),
        (":protocol", "websocket"),
        ("user-agent", "grpc-test/1"),
        ("cookie", "id=secret"),
    ]);
    transaction.request.headers.push(unknown(None, 0));
    transaction.request.headers.push(Field {
        name: Some(b"x-latin1"),
        value: Some(b"a\xffb"),
        known: FieldName::Other,
        source: Certainty::Exact,
        reference: None,
    });
    transaction.request.trailers = fields(&[("x-checksum", "1")]);
    transaction.request.body = 12;
    transaction.request.last = Some(at(13, 100_000).time);
    transaction.response.headers = Fields::default();
    transaction.response.headers.push(unknown(Some(":status"), 2));
    transaction.response.headers.push(Field { value: Some(b"text/html"), ..unknown(None, 0) });
    transaction.response.trailers = fields(&[("grpc-status", "8"), ("grpc-message", "too many")]);
    transaction.interim = vec![Interim { status: 103, time: at(14, 400_000).time }];
    transaction.end = StreamEnd { by: EndBy::Server, how: EndHow::RstStream, code: Some(8) };
    transaction.partial.insert(Partial::TCP_GAP);
    transaction.partial.insert(Partial::UNKNOWN_HEADER);
    transaction.unknown = Unknown::STATUS;
    transaction.grpc = Some(Grpc {
        status: Some(8),
        message: Some(b"too many".to_vec()),
        request_messages: Some(1),
        response_messages: Some(2),
        web: true,
        timeout: Some(1_500_000_000),
        attempt: Some(1),
    });
    transaction.contents = Some(Box::new(contents()));
    transaction
}

fn contents() -> Contents {
    let message = message();
    let close =
        BodyMessage { opcode: Some("close"), code: Some(1000), at: message.at, ..BodyMessage::default() };
    Contents {
        request: Some(Body {
            content: Some(Content::Text("=1\u{202e}ü".to_owned())),
            decoded_size: Some(6),
            sha256: Some([0xab; 32]),
            complete: true,
            ..Body::default()
        }),
        response: Some(Body {
            content: Some(Content::Bytes(vec![0xfb, 0xef])),
            truncated: true,
            redacted: true,
            error: Some(BodyError { reason: "damaged", coding: Some("gzip".to_owned()), at: 7 }),
            file: Some("1-8-response.bin".to_owned()),
            ..Body::default()
        }),
        messages: vec![message, close],
        messages_omitted: 3,
        graphql: Some(GraphQl { name: Some("Jigsaw".to_owned()), kind: Some("query") }),
        grpc_details: Some("{\"code\":8}".to_owned()),
        events: Some(Events {
            count: 3,
            first: at(14, 400_000).time,
            last: at(15, 1_400_000).time,
            longest_gap: Duration::from_micros(700),
        }),
        websocket: Some(WebSocketEnd { by_client: true, code: Some(1000), reason: Some("done".to_owned()) }),
    }
}

/// A message with everything in it.
pub(crate) fn message() -> BodyMessage {
    BodyMessage {
        from_client: true,
        at: at(13, 50_000).time,
        size: Some(7),
        wire_size: Some(27),
        compressed: Some(true),
        kind: Some("pkg.Type".to_owned()),
        opcode: Some("text"),
        fragments: Some(2),
        code: None,
        name: Some("field".to_owned()),
        filename: Some("a.txt".to_owned()),
        content_type: Some("text/plain".to_owned()),
        value: Some("{\"a\":\"\u{202e}\"}".to_owned()),
        fields: Some("[{\"number\":1}]".to_owned()),
        text: Some("-text".to_owned()),
        bytes: Some(vec![0xfb]),
        truncated: true,
        trailers: true,
        end: true,
        error: Some("too_long"),
    }
}

/// A message as it ends.
pub(crate) fn message_record() -> MessageRecord {
    let path = Some("/pkg.Service/Method".to_owned());
    MessageRecord { stream: 8, path, start: at(12, 0).time, message: message() }
}

/// Nothing but a RST_STREAM's worth of knowledge.
pub(crate) fn nothing() -> Transaction {
    let mut transaction = Transaction {
        stream: 5,
        first: at(3, 0),
        last: at(3, 0),
        ended_at: at(3, 0).time,
        ..Transaction::default()
    };
    transaction.partial.insert(Partial::NO_REQUEST);
    transaction.partial.insert(Partial::NO_RESPONSE);
    transaction
}

pub(crate) fn connection() -> ConnectionRecord {
    let frames = SideFrames { by_type: std::array::from_fn(|kind| kind as u64), unknown: 100 };
    ConnectionRecord {
        meta: tls_meta(),
        first: at(1, 0),
        last: at(99, 5_000_000_000),
        how: Some(Recognition::Alpn),
        evidence: Some(RecognitionEvidence { frames: 8, aligned: 3 }),
        upgrade_declined: false,
        is_http2: true,
        transactions: 12,
        streams_opened: 13,
        max_concurrent: Some(5),
        client_settings: SideSettings(vec![(1, 4096), (8, 1), (0x1234, 9)]),
        server_settings: SideSettings(vec![(3, 100)]),
        client_frames: frames,
        server_frames: frames,
        goaway: vec![Goaway {
            by: EndBy::Server,
            at: at(90, 4_000_000_000).time,
            last_stream: 23,
            code: 0,
            debug: b"bye\xff".to_vec(),
        }],
        limited: true,
        client_hpack: SideHpack { wire_bytes: 100, decoded_bytes: 1000 },
        server_hpack: SideHpack { wire_bytes: 200, decoded_bytes: 2000 },
        end: StreamEnd { by: EndBy::Server, how: EndHow::Goaway, code: Some(0xdead) },
        tcp: Some(PerDirection {
            forward: DirectionStats {
                segments: 1,
                bytes: 2,
                retransmitted: 3,
                out_of_order: 4,
                gaps: 5,
                gap_bytes: 6,
                ..DirectionStats::default()
            },
            backward: DirectionStats { segments: 11, bytes: 12, ..DirectionStats::default() },
        }),
        timing: ConnectionTiming::default(),
        ending: Ending::default(),
    }
}

/// A TLS connection without keys.
pub(crate) fn undecrypted() -> ConnectionRecord {
    ConnectionRecord {
        how: None,
        evidence: None,
        is_http2: false,
        transactions: 0,
        streams_opened: 0,
        max_concurrent: None,
        client_settings: SideSettings::default(),
        server_settings: SideSettings::default(),
        client_frames: SideFrames::default(),
        server_frames: SideFrames::default(),
        goaway: Vec::new(),
        client_hpack: SideHpack::default(),
        server_hpack: SideHpack::default(),
        end: StreamEnd { by: EndBy::Client, how: EndHow::Fin, code: None },
        ..connection()
    }
}

pub(crate) fn finding() -> Finding {
    Finding {
        code: "settings_flood",
        severity: "warning",
        rfc: "9113#10.5",
        from_client: true,
        stream: 0,
        first: at(10, 0),
        last: at(20, 9),
        count: 1000,
        protocol: None,
        first_line: None,
        detail: Detail::default(),
    }
}

/// Different numbers in all counters.
pub(crate) fn counters(base: u64) -> Counters {
    Counters {
        requests: base + 1,
        responses: base + 2,
        eos: base + 3,
        rst: base + 4,
        literal_value_exceeds_frame: base + 5,
        exceeding_max_interesting_frames: base + 6,
        exceeding_max_frames_to_filter: base + 7,
        continuation_frames: base + 8,
        exceeding_data_end_headers: base + 9,
        exceeding_data_end_headers_eos: base + 10,
        exceeding_data_end_data_eos: base + 11,
        exceeding_data_end_rst: base + 12,
        path_size_bucket: std::array::from_fn(|bucket| base + 13 + bucket as u64),
    }
}

/// An endpoint with everything, and one of discovery mode.
fn agent_endpoints() -> Vec<AgentEndpoint> {
    let (client, server) = (end("10.0.0.1", 50_000), end("10.0.0.2", 8080));
    let status = |status, latency| AgentStatus { status, calls: 2, latency };
    let with_paths = AgentEndpoint {
        client,
        server,
        call: Some(("GET", b"/v1/\xffusers"[..].into())),
        statuses: vec![
            status(200, AgentLatency::Quantiles([1_000_000, 2_000_000, 3_000_000])),
            status(503, AgentLatency::Unknown),
        ],
    };
    let statuses = vec![status(400, AgentLatency::Sum(5_000_000))];
    vec![with_paths, AgentEndpoint { client, server, call: None, statuses }]
}

pub(crate) fn report() -> Report {
    Report {
        part: None,
        exact: View { plaintext: counters(100), tls: counters(200) },
        agent: Some(AgentView {
            rules: "2026b",
            view: View { plaintext: counters(100), tls: counters(190) },
            emitted: 9,
            transactions: 5,
            missed: std::array::from_fn(|reason| reason as u64 + 1),
            spurious: 3,
            user: UserTelemetry {
                total_hits: [0, 6, 0, 1, 0],
                aggregations: 4,
                dropped: 7,
                malformed_empty_path: 8,
                malformed_invalid_latency: 9,
                incomplete: 2,
                ..UserTelemetry::default()
            },
            mode: "endpoints",
            endpoints: agent_endpoints(),
        }),
        coverage: Coverage {
            packets: 1,
            bytes: 2,
            payload_bytes: 3,
            packets_with_http2: 4,
            connections_http2: 5,
            connections_tls_undecrypted: 6,
            not_decrypted: [7, 8, 9, 10, 11],
            connections_other: 11,
            connections_one_sided: 12,
            bytes_http2: 13,
            gap_bytes: 14,
            unrecognised_bytes: 32,
            bad_checksums: 29,
            unaccepted: 30,
            behind_end: 31,
            skipped_bytes: 15,
            header_blocks_decoded: 16,
            header_blocks_partial: 17,
            header_blocks_lost: 18,
            transactions_complete: 19,
            transactions_incomplete: 20,
            missed_requests: 21,
            parse_errors: 22,
            truncated_packets: 23,
            damaged_inputs: 24,
            dropped_by_kernel: 25,
            dropped_records: 26,
            where_unknown: 29,
            limits: Struck::from_iter([(Limit::Streams, 27)]),
            skipped_packets: vec![("udp", 28)],
            unread_link_types: Vec::new(),
            complete: false,
        },
        ..Report::default()
    }
}

/// Two endpoints: one with all there is, one with almost nothing.
pub(crate) fn endpoints() -> Endpoints {
    let quantiles = Quantiles {
        quantiles: Some([1_000_000, 20_000_000, 30_000_000, 40_000_000]),
        max: Some(50_000_000),
        sum: 12_345_678_901,
        p99_at_least: Some(39_000_000),
        p99_at_most: Some(60_000_000),
    };
    let full = EndpointRow {
        template: Some("/v1/users/{int}".to_owned()),
        method: Some("GET".to_owned()),
        server: Some(([10, 0, 0, 2], 8080).into()),
        authority: Some("users.example:8080".to_owned()),
        rpc: Some("v1/users".to_owned()),
        operation: Some("GetUser".to_owned()),
        calls: 1200,
        failed: 3,
        incomplete: 2,
        unplaced: true,
        folded: None,
        errors: vec![("UNAVAILABLE".to_owned(), 2), ("connection_reset".to_owned(), 1)],
        statuses: vec![(200, 1197)],
        duration: quantiles,
        ttfb: quantiles,
        duration_bins: Bins { zeros: 1, counts: vec![(690, 600), (920, 599)] },
        ttfb_bins: Bins { zeros: 0, counts: vec![(690, 1197)] },
        time: TimeParts::default(),
        request_bytes: 12,
        response_bytes: 345_678,
        rate: Rate { per_second: Some(10_500_000_000), peak: 30_000_000_000, peak_window: Some(2) },
        slowest: Some(Slowest { connection: 1, stream: 7, packet: 120, duration: 50_000_000 }),
        agent: Some(AgentCalls { calls: 1100, quantiles: Some([1_100_000, 31_000_000, 41_000_000]) }),
    };
    let folded = EndpointRow { calls: 20, folded: Some(17), ..EndpointRow::default() };
    let total = Total { calls: 1220, failed: 3, duration: quantiles };
    Endpoints { rows: vec![full, folded], total }
}

/// A call that two places saw, with everything, and one that the server's alone did.
pub(crate) fn pairs() -> Vec<Pair> {
    let side = |connection, error: Option<&str>| PairSide {
        connection,
        stream: 3,
        packet: 17,
        duration: 5_000_000,
        ttfb: Some(4_000_000),
        error: error.map(str::to_owned),
    };
    let text = |text: &[u8]| Some(Box::from(text));
    let full = Pair {
        time: at(1, 0).time,
        call: Call {
            method: text(b"POST"),
            scheme: text(b"https"),
            authority: text(b"a.example"),
            path: text(b"/pkg.Service/\xffMethod"),
            query: text(b"a=b"),
            grpc: true,
        },
        status: Some(200),
        grpc_status: Some(14),
        request_bytes: Some(5),
        response_bytes: Some(0),
        client: Some(side(1, Some("UNAVAILABLE"))),
        server: vec![side(2, Some("connection_reset")), side(9, None)],
        how: Some("tcp".to_owned()),
        between: Between {
            request: Some(1_000_000),
            response: Some(2_000_000),
            total: Some(3_000_000),
            uncertainty: Some(500),
        },
        ambiguous: false,
        missing: None,
    };
    let alone = Pair { server: vec![side(4, None)], missing: Some(Missing::NotCaptured), ..Pair::default() };
    vec![full, alone]
}

/// An endpoint in two runs, with everything, and one that is new.
pub(crate) fn differences() -> Vec<Difference> {
    let before = Numbers {
        calls: 100,
        failed: 1,
        quantiles: Some([1_000_000, 2_000_000, 3_000_000]),
        request_bytes: 5,
        response_bytes: 4000,
    };
    let quantiles = Some([1_500_000, 2_000_000, 1_000_000]);
    let text = |text: &str| Some(text.to_owned());
    let full = Difference {
        method: text("GET"),
        template: text("/v1/users/{int}"),
        authority: text("users.example"),
        rpc: text("v1/users"),
        operation: text("GetUser"),
        state: State::Changed,
        changed: vec![Measure::Duration, Measure::Failed, Measure::Headers],
        before,
        after: Numbers { failed: 50, quantiles, ..before },
        p_duration: Some(0.001),
        p_failed: Some(1e-30),
        appeared: vec!["x-cache".to_owned()],
        vanished: vec!["via".to_owned(), "age".to_owned()],
    };
    let after = Numbers { calls: 1, ..Numbers::default() };
    vec![full, Difference { state: State::New, after, ..Difference::default() }]
}

/// The report of an undamaged capture where both views agree.
pub(crate) fn calm_report() -> Report {
    let plaintext = Counters { requests: 2, responses: 2, eos: 4, ..Counters::default() };
    let view = View { plaintext, tls: Counters::default() };
    Report {
        part: None,
        exact: view,
        agent: Some(AgentView { rules: "2026b", view, transactions: 2, ..AgentView::default() }),
        coverage: Coverage {
            packets: 30,
            bytes: 4000,
            connections_http2: 1,
            complete: true,
            ..Coverage::default()
        },
        ..Report::default()
    }
}
