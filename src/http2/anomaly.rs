//! Violations of RFC 9113 and RFC 7541 and floods: what they are called, and where the RFC forbids them.

/// How grave an [`Anomaly`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Allowed, or tolerated, but a sign of an attack or a fault.
    Warning,
    /// The RFC forbids it.
    Error,
}

impl Severity {
    /// The name in the records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Code, gravity and source of an anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Stable name.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// `RFC#section`, or `grpc#section` of gRPC over HTTP/2.
    pub rfc: &'static str,
}

macro_rules! anomalies {
    ($(#[doc = $doc:literal] $name:ident = $code:literal $severity:ident $rfc:literal,)*) => {
        /// A violation or a flood.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Anomaly { $(#[doc = $doc] $name,)* }

        impl Anomaly {
            /// All of them.
            #[cfg(any(test, feature = "internals"))]
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What it is, in one sentence.
            #[cfg(any(test, feature = "internals"))]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)*
                }
            }

            /// Code, gravity and source.
            pub const fn describe(self) -> Description {
                match self {
                    $(Self::$name => Description { code: $code, severity: Severity::$severity, rfc: $rfc },)*
                }
            }
        }
    };
}

anomalies! {
    /// DATA on stream 0.
    DataStreamZero = "data_stream_zero" Error "9113#6.1",
    /// DATA whose padding is not shorter than its payload.
    DataPadding = "data_padding" Error "9113#6.1",
    /// HEADERS on stream 0.
    HeadersStreamZero = "headers_stream_zero" Error "9113#6.2",
    /// HEADERS whose padding exceeds what is left of its payload.
    HeadersPadding = "headers_padding" Error "9113#6.2",
    /// HEADERS too short for the fields that its flags promise.
    HeadersSize = "headers_size" Error "9113#4.2",
    /// PRIORITY on stream 0.
    PriorityStreamZero = "priority_stream_zero" Error "9113#6.3",
    /// PRIORITY that is not 5 octets long.
    PrioritySize = "priority_size" Error "9113#6.3",
    /// A stream that depends on itself.
    PrioritySelf = "priority_self" Warning "7540#5.3.1",
    /// `RST_STREAM` on stream 0.
    RstStreamZero = "rst_stream_zero" Error "9113#6.4",
    /// `RST_STREAM` that is not 4 octets long.
    RstStreamSize = "rst_stream_size" Error "9113#6.4",
    /// `RST_STREAM` on an idle stream.
    RstStreamIdle = "rst_stream_idle" Error "9113#6.4",
    /// `RST_STREAM` with an error code, other than that nobody waits any more.
    RstStreamError = "rst_stream_error" Info "9113#6.4",
    /// SETTINGS on a stream.
    SettingsStream = "settings_stream" Error "9113#6.5",
    /// SETTINGS that is not a multiple of 6 octets long.
    SettingsSize = "settings_size" Error "9113#6.5",
    /// SETTINGS with ACK and a payload.
    SettingsAckSize = "settings_ack_size" Error "9113#6.5",
    /// SETTINGS with ACK that acknowledges nothing.
    SettingsAckUnasked = "settings_ack_unasked" Warning "9113#6.5.3",
    /// SETTINGS that were not acknowledged before their sender gave up.
    SettingsTimeout = "settings_timeout" Warning "9113#6.5.3",
    /// `ENABLE_PUSH` other than 0 or 1, or 1 from a server.
    SettingsEnablePush = "settings_enable_push" Error "9113#6.5.2",
    /// `INITIAL_WINDOW_SIZE` above 2^31-1.
    SettingsInitialWindowSize = "settings_initial_window_size" Error "9113#6.5.2",
    /// `MAX_FRAME_SIZE` outside 16384 to 2^24-1.
    SettingsMaxFrameSize = "settings_max_frame_size" Error "9113#6.5.2",
    /// `ENABLE_CONNECT_PROTOCOL` other than 0 or 1, or taken back.
    SettingsConnectProtocol = "settings_connect_protocol" Error "8441#3",
    /// The first frame of a side is not SETTINGS.
    SettingsFirst = "settings_first" Error "9113#3.4",
    /// A side that does not speak HTTP/2, or not from its first octet: `protocol` and `first_line` say what.
    NotHttp2 = "not_http2" Error "9113#3.4",
    /// `PUSH_PROMISE` on stream 0.
    PushPromiseStreamZero = "push_promise_stream_zero" Error "9113#6.6",
    /// `PUSH_PROMISE` whose padding exceeds what is left of its payload.
    PushPromisePadding = "push_promise_padding" Error "9113#6.6",
    /// `PUSH_PROMISE` too short for the fields that its flags promise.
    PushPromiseSize = "push_promise_size" Error "9113#4.2",
    /// `PUSH_PROMISE` from a client.
    PushPromiseClient = "push_promise_client" Error "9113#8.4",
    /// `PUSH_PROMISE` although `ENABLE_PUSH` is 0.
    PushPromiseDisabled = "push_promise_disabled" Error "9113#6.6",
    /// A promised stream identifier that is odd, or not above earlier ones.
    PushPromiseId = "push_promise_id" Error "9113#5.1.1",
    /// `PUSH_PROMISE` on a stream that the server itself opened.
    PushPromiseStream = "push_promise_stream" Error "9113#6.6",
    /// PING on a stream.
    PingStream = "ping_stream" Error "9113#6.7",
    /// PING that is not 8 octets long.
    PingSize = "ping_size" Error "9113#6.7",
    /// GOAWAY on a stream.
    GoawayStream = "goaway_stream" Error "9113#6.8",
    /// GOAWAY shorter than 8 octets.
    GoawaySize = "goaway_size" Error "9113#6.8",
    /// GOAWAY whose last stream is above an earlier one's.
    GoawayIncreased = "goaway_increased" Error "9113#6.8",
    /// GOAWAY with an error code.
    GoawayError = "goaway_error" Info "9113#6.8",
    /// A stream opened after GOAWAY was sent to its opener.
    GoawayNewStream = "goaway_new_stream" Warning "9113#6.8",
    /// `WINDOW_UPDATE` that is not 4 octets long.
    WindowUpdateSize = "window_update_size" Error "9113#6.9",
    /// `WINDOW_UPDATE` by 0.
    WindowUpdateZero = "window_update_zero" Error "9113#6.9",
    /// `WINDOW_UPDATE` on an idle stream.
    WindowUpdateIdle = "window_update_idle" Error "9113#5.1",
    /// A flow-control window above 2^31-1.
    WindowOverflow = "window_overflow" Error "9113#6.9.1",
    /// A flow-control window made negative by SETTINGS.
    WindowNegative = "window_negative" Info "9113#6.9.2",
    /// DATA beyond the flow-control window.
    FlowControl = "flow_control" Error "9113#6.9",
    /// A flow-control window too small for the path: calls waited for credit that was on its way.
    WindowSmall = "window_small" Warning "9113#5.2",
    /// A receiver that gave no credit while calls waited for it.
    SlowReader = "slow_reader" Warning "9113#5.2",
    /// Both sides waited for credit until a call was given up.
    WindowDeadlock = "window_deadlock" Warning "9113#5.2.2",
    /// A server that closed while a request was on its way.
    IdleCloseRace = "idle_close_race" Warning "9113#9.1",
    /// PINGs at an interval that the peer did not bear.
    KeepaliveExcess = "keepalive_excess" Warning "9113#6.7",
    /// A request that was processed, failed all the same, and was processed again.
    ExecutedTwice = "executed_twice" Info "9113#8.7",
    /// Calls that had to wait until fewer streams than `MAX_CONCURRENT_STREAMS` were open.
    StreamLimit = "stream_limit" Info "9113#5.1.2",
    /// CONTINUATION on stream 0.
    ContinuationStreamZero = "continuation_stream_zero" Error "9113#6.10",
    /// CONTINUATION without an open header block.
    ContinuationUnexpected = "continuation_unexpected" Error "9113#6.10",
    /// Another frame inside an open header block.
    ContinuationExpected = "continuation_expected" Error "9113#6.10",
    /// A frame longer than `MAX_FRAME_SIZE`.
    FrameSize = "frame_size" Error "9113#4.2",
    /// A stream opened with the other side's parity.
    StreamParity = "stream_parity" Error "9113#5.1.1",
    /// A stream identifier lower than an earlier one.
    StreamOrder = "stream_order" Error "9113#5.1.1",
    /// A frame on a stream that was not opened: DATA, a server's HEADERS or `PUSH_PROMISE`.
    StreamIdle = "stream_idle" Error "9113#5.1",
    /// A frame on a stream that its sender had ended, or that was skipped.
    StreamClosed = "stream_closed" Error "9113#5.1",
    /// A frame on a stream that its sender had reset.
    StreamReset = "stream_reset" Warning "9113#5.1",
    /// HEADERS or DATA of a client on a stream that the server promised.
    StreamReserved = "stream_reserved" Error "9113#5.1",
    /// More streams open than `MAX_CONCURRENT_STREAMS` allows.
    StreamConcurrency = "stream_concurrency" Error "9113#5.1.2",
    /// An index beyond the tables, or 0.
    HpackIndex = "hpack_index" Error "7541#2.3.3",
    /// An integer that overflows.
    HpackInteger = "hpack_integer" Error "7541#5.1",
    /// A Huffman code that is not valid, or padding that is not EOS.
    HpackHuffman = "hpack_huffman" Error "7541#5.2",
    /// A header block that ends within a field.
    HpackTruncated = "hpack_truncated" Error "7541#5.2",
    /// A table size update above the bound.
    HpackSizeUpdate = "hpack_size_update" Error "7541#6.3",
    /// A table size update after a field.
    HpackSizeUpdateLate = "hpack_size_update_late" Error "7541#4.2",
    /// No table size update although the bound was lowered.
    HpackSizeUpdateMissing = "hpack_size_update_missing" Error "7541#4.2",
    /// A header section larger than h2lens or the receiver takes.
    HeaderListLimit = "header_list_limit" Warning "9113#10.5.1",
    /// A pseudo-header field after a regular one.
    PseudoAfterField = "pseudo_after_field" Error "9113#8.3",
    /// A pseudo-header field that is not defined for its message.
    PseudoUnknown = "pseudo_unknown" Error "9113#8.3",
    /// A pseudo-header field twice.
    PseudoRepeated = "pseudo_repeated" Error "9113#8.3",
    /// A mandatory pseudo-header field is missing.
    PseudoMissing = "pseudo_missing" Error "9113#8.3.1",
    /// A `:status` that is no status code.
    StatusInvalid = "status_invalid" Error "9113#8.3.2",
    /// Status 101, which HTTP/2 does not have.
    StatusSwitching = "status_switching_protocols" Error "9113#8.6",
    /// CONNECT with `:scheme` or `:path`, and without `:protocol`.
    PseudoConnect = "pseudo_connect" Error "9113#8.5",
    /// A pseudo-header field in trailers.
    PseudoTrailer = "pseudo_trailer" Error "9113#8.1",
    /// An empty :path.
    PseudoPathEmpty = "pseudo_path_empty" Error "9113#8.3.1",
    /// A :path that neither begins with a slash nor is an asterisk.
    PseudoPathForm = "pseudo_path_form" Error "9113#8.3.1",
    /// `:protocol` although the server has not announced `ENABLE_CONNECT_PROTOCOL`.
    PseudoProtocol = "pseudo_protocol" Error "8441#3",
    /// A `:authority` with a user's name in it.
    AuthorityUser = "authority_user" Error "9113#8.3.1",
    /// A host field that names another host or port than `:authority`.
    AuthorityHost = "authority_host" Warning "9113#8.3.1",
    /// An upper-case field name.
    FieldUppercase = "field_uppercase" Error "9113#8.2.1",
    /// A field name or value with octets that are not allowed.
    FieldInvalid = "field_invalid" Error "9113#8.2.1",
    /// A connection-specific field.
    FieldConnection = "field_connection" Error "9113#8.2.2",
    /// TE other than trailers.
    FieldTe = "field_te" Error "9113#8.2.2",
    /// A content-length that is not the sum of the DATA, or no number, or two that differ.
    ContentLength = "content_length" Error "9113#8.1.1",
    /// Content where none may be: in the response to HEAD, or with status 204 or 304.
    ContentForbidden = "content_forbidden" Error "9110#6.4.1",
    /// Trailers without `END_STREAM`.
    TrailersWithoutEnd = "trailers_without_end" Error "9113#8.1",
    /// DATA of a server before its header section.
    DataBeforeHeaders = "data_before_headers" Error "9113#8.1",
    /// An interim response with `END_STREAM`.
    InterimEnd = "interim_end" Error "9113#8.1",
    /// A gRPC call that was answered without a usable `grpc-status`.
    GrpcStatusMissing = "grpc_status_missing" Warning "grpc#responses",
    /// The reserved bit of a frame header is set.
    ReservedBit = "reserved_bit" Info "9113#4.1",
    /// Very many CONTINUATION frames in a header block.
    ContinuationFlood = "continuation_flood" Warning "9113#10.5",
    /// Very many streams reset soon after they were opened.
    RapidReset = "rapid_reset" Warning "9113#10.5",
    /// Very many SETTINGS frames.
    SettingsFlood = "settings_flood" Warning "9113#10.5",
    /// Very many PING frames.
    PingFlood = "ping_flood" Warning "9113#10.5",
    /// Very many empty DATA frames without `END_STREAM`.
    EmptyDataFlood = "empty_data_flood" Warning "9113#10.5",
    /// Very many PRIORITY frames.
    PriorityFlood = "priority_flood" Warning "9113#10.5",
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `docs/findings.md`.
    fn table() -> String {
        let rows = Anomaly::ALL.iter().map(|anomaly| {
            let Description { code, severity, rfc } = anomaly.describe();
            let (number, section) = rfc.split_once('#').unwrap();
            let link = match number {
                "grpc" => format!("https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#{section}"),
                _ => format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"),
            };
            let meaning = anomaly.meaning().trim_end_matches('.');
            format!("| `{code}` | {} | [{rfc}]({link}) | {meaning} |\n", severity.name())
        });
        ["| code | severity | rfc | what |\n|---|---|---|---|\n".to_owned()].into_iter().chain(rows).collect()
    }

    /// To write the table anew: `UPDATE_DOCS=1 cargo test --lib the_page_of_findings`.
    #[test]
    fn the_page_of_findings_has_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (text, rows) = page.split_once("| code |").unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{text}{}", table())).unwrap();
        } else {
            assert_eq!(format!("| code |{rows}"), table());
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Anomaly::ALL.iter().map(|anomaly| anomaly.describe().code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Anomaly::ALL.len());
    }
}
