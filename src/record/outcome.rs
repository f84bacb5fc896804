//! What follows from an exchange: its status, how long it took, whether it failed. Each is decided here alone.

use super::end::{EndBy, EndHow};
use super::ending::Retry;
use super::fields::{FieldName, Fields};
use super::partial::{Partial, Unknown};
use super::transaction::{Interim, Message, Transaction};
use super::value::{ErrorCode, GrpcStatus};
use crate::base::time::Timestamp;
use crate::http2::error_code;
use std::borrow::Cow;
use std::time::Duration;

/// A status code as `:status` holds it: three digits (RFC 9110 section 15), nothing else.
pub fn status_code(value: &[u8]) -> Option<u16> {
    match value {
        digits @ [_, _, _] if digits.iter().all(u8::is_ascii_digit) => {
            Some(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0')))
        }
        _ => None,
    }
}

impl Fields {
    /// `:status`, where it is known and well-formed.
    pub fn status(&self) -> Option<u16> {
        status_code(self.value(FieldName::Status)?)
    }

    /// `:authority`, else `host` (RFC 9113 section 8.3.1). Where the first field line of the one that is there has no known
    /// value, it is not known.
    pub fn authority(&self) -> Option<&[u8]> {
        let named = self.has(FieldName::Authority);
        self.value(if named { FieldName::Authority } else { FieldName::Host })
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A gRPC status other than OK.
    Grpc(GrpcStatus),
    /// A gRPC call was answered to the end, without a usable status.
    GrpcStatusMissing,
    /// A status code from 400 on.
    Status(u16),
    /// The response has no status, or one that is none (RFC 9113 section 8.1.1).
    MalformedResponse,
    /// RST_STREAM or GOAWAY, before a complete response.
    Code(ErrorCode),
    /// The TCP connection was reset before that.
    ConnectionReset,
    /// It was closed before that.
    ConnectionClosed,
}

impl Failure {
    /// `error.type`
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Grpc(status) => status.name(),
            Self::GrpcStatusMissing => Cow::Borrowed("grpc_status_missing"),
            Self::Status(status) => Cow::Owned(status.to_string()),
            Self::MalformedResponse => Cow::Borrowed("malformed_response"),
            Self::Code(code) => code.name(),
            Self::ConnectionReset => Cow::Borrowed("connection_reset"),
            Self::ConnectionClosed => Cow::Borrowed("connection_closed"),
        }
    }
}

impl Transaction {
    /// From the request's first byte to the response's first, where both are known.
    pub fn ttfb(&self) -> Option<Duration> {
        self.ttfb_nanos().map(Duration::from_nanos)
    }

    /// The same in nanoseconds.
    pub(super) fn ttfb_nanos(&self) -> Option<u64> {
        Some(self.first_of(&self.response)?.nanos_since(self.first_of(&self.request)?))
    }

    /// From the first byte of a message to its last, where both are known.
    pub fn span_of(&self, message: &Message) -> Option<Duration> {
        self.nanos_of(message).map(Duration::from_nanos)
    }

    /// The same in nanoseconds.
    pub(super) fn nanos_of(&self, message: &Message) -> Option<u64> {
        let known = (message.ended || !self.has_lost()) && !message.last_lost;
        Some(message.last.filter(|_| known)?.nanos_since(self.first_of(message)?))
    }

    /// How long after the request's first byte, where that is known, an interim response came.
    pub fn interim_at(&self, answer: Interim) -> Option<Duration> {
        self.first_of(&self.request)?;
        Some(answer.time.since(self.first.time))
    }

    /// When a message's first byte came; `None` where its beginning may be missing from the capture.
    fn first_of(&self, message: &Message) -> Option<Timestamp> {
        let whole = !self.has_lost() && !self.partial.contains(Partial::MID_STREAM);
        message.first.filter(|_| message.seen || whole)
    }

    /// The status of the final response.
    pub fn status(&self) -> Option<u16> {
        self.response.headers.status()
    }

    /// From the first packet of the request to the end, whatever ended it; zero when time went backwards.
    pub const fn duration(&self) -> Duration {
        self.ended_at.since(self.first.time)
    }

    /// Whether it may be tried again, if it failed. What the server has disclaimed has; whether another exchange did is not
    /// known where its answer may be missing from the capture.
    pub fn retry(&self) -> Option<Retry> {
        self.retry_with(self.failure().is_some())
    }

    /// The same, where it is known whether it failed.
    #[inline]
    pub(super) fn retry_with(&self, failed: bool) -> Option<Retry> {
        let end = self.end;
        let cut = matches!(end.how, EndHow::RstStream | EndHow::Goaway | EndHow::Fin | EndHow::Rst)
            && !(self.response.seen && self.response.ended);
        let refused = end.how == EndHow::RstStream
            && end.by == EndBy::Server
            && end.code == Some(error_code::REFUSED_STREAM);
        // A server that has begun to answer takes back what it promised.
        let silent = self.response.first.is_none() && self.interim.is_empty();
        if cut && (refused || self.disclaimed) && silent {
            return Some(Retry::Safe);
        }
        failed.then_some(Retry::Unknown)
    }

    /// Why it failed, as the client saw it; `None` where it did not, where it was still open when the capture ended, and
    /// where an answer may have been that is not in the capture.
    #[inline]
    pub fn failure(&self) -> Option<Failure> {
        self.failure_with(self.status())
    }

    /// The same, where its status has been looked up.
    #[inline]
    pub(super) fn failure_with(&self, status: Option<u16>) -> Option<Failure> {
        let succeeded = self.grpc.is_none()
            && self.response.seen
            && self.response.ended
            && status.is_some_and(|status| status < 400);
        if succeeded { None } else { self.look_for_failure(status) }
    }

    fn look_for_failure(&self, status: Option<u16>) -> Option<Failure> {
        if let Some(status) = self.grpc.as_ref().and_then(|grpc| grpc.status)
            && status != 0
        {
            return Some(Failure::Grpc(GrpcStatus(status)));
        }
        let code = status.filter(|&status| status >= 400).map(Failure::Status);
        if self.grpc.as_ref().is_some_and(|grpc| grpc.status.is_some()) {
            return self.cut_off();
        }
        if self.lacks_grpc_status() {
            let instead = code.filter(|_| !self.response.is_grpc());
            return Some(instead.unwrap_or(Failure::GrpcStatusMissing));
        }
        code.or_else(|| self.is_malformed(status).then_some(Failure::MalformedResponse))
            .or_else(|| self.cut_off())
    }

    /// A gRPC call was answered, and no status that may be used is in the answer.
    fn lacks_grpc_status(&self) -> bool {
        self.grpc.as_ref().is_some_and(|grpc| grpc.status.is_none())
            && self.response.seen
            && self.response.ended
            && !self.unknown.contains(Unknown::GRPC_STATUS)
            && !self.has_lost()
    }

    /// What the server sent is no response: `status` is its status.
    fn is_malformed(&self, status: Option<u16>) -> bool {
        let certain = !self.has_lost()
            && !self.partial.contains(Partial::MID_STREAM)
            && !self.unknown.contains(Unknown::STATUS);
        // A header section without a status; or the end of the stream without a header section.
        certain
            && if self.response.seen {
                status.is_none()
            } else {
                self.response.ended || !self.response.trailers.is_empty()
            }
    }

    /// What ended the exchange before a complete response had come. One that was sent to its end stands, whatever
    /// ended the stream (RFC 9113 section 8.1).
    fn cut_off(&self) -> Option<Failure> {
        if self.response.seen && self.response.ended || self.may_have_ended() {
            return None;
        }
        match (self.end.how, self.end.code) {
            (EndHow::RstStream | EndHow::Goaway, Some(code)) => Some(Failure::Code(ErrorCode(code))),
            (EndHow::Rst, _) => Some(Failure::ConnectionReset),
            (EndHow::Fin, _) => Some(Failure::ConnectionClosed),
            _ => None,
        }
    }

    /// It may have ended in what was not captured: bytes of it are missing, or all of one side, or it began before.
    pub const fn may_have_ended(&self) -> bool {
        let before = self.partial.contains(Partial::MID_STREAM) && !self.request.seen;
        self.has_lost() || self.server_unseen || before
    }

    /// Bytes of it are missing.
    pub const fn has_lost(&self) -> bool {
        let Self { partial, .. } = self;
        partial.contains(Partial::TCP_GAP)
            || partial.contains(Partial::SNAPLEN)
            || partial.contains(Partial::NOT_DECRYPTED)
            || partial.contains(Partial::LIMIT)
            || partial.contains(Partial::BAD_CHECKSUM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{fields, get};
    use crate::record::{EndBy, Grpc, Interim, Message, StreamEnd};

    /// GET, answered by these fields to the end.
    fn answered(lines: &[(&str, &str)]) -> Transaction {
        let mut call = get();
        call.response.headers = fields(lines);
        (call.response.seen, call.response.ended) = (true, true);
        call
    }

    /// GET that something ended before an answer.
    fn unanswered(by: EndBy, how: EndHow, code: Option<u32>) -> Transaction {
        let mut call = get();
        call.response = Message::default();
        call.end = StreamEnd { by, how, code };
        call
    }

    fn error(call: &Transaction) -> Option<String> {
        call.failure().map(|failure| failure.name().into_owned())
    }

    fn grpc(status: Option<u32>, lines: &[(&str, &str)]) -> Transaction {
        Transaction { grpc: Some(Grpc { status, ..Grpc::default() }), ..answered(lines) }
    }

    #[test]
    fn a_status_from_400_on_is_a_failure() {
        for (status, failed) in
            [("200", None), ("399", None), ("400", Some("400")), ("404", Some("404")), ("599", Some("599"))]
        {
            assert_eq!(error(&answered(&[(":status", status)])).as_deref(), failed, "{status}");
        }
    }

    #[test]
    fn a_grpc_status_comes_before_the_http_status() {
        assert_eq!(error(&grpc(Some(5), &[(":status", "200")])).unwrap(), "NOT_FOUND");
        assert_eq!(error(&grpc(Some(0), &[(":status", "200")])), None);
        assert_eq!(error(&grpc(Some(0), &[(":status", "500")])), None);
        assert_eq!(error(&grpc(Some(14), &[(":status", "503")])).unwrap(), "UNAVAILABLE");
    }

    #[test]
    fn a_grpc_answer_without_a_status_is_a_failure() {
        let of_grpc = ("content-type", "application/grpc");
        assert_eq!(error(&grpc(None, &[(":status", "200"), of_grpc])).unwrap(), "grpc_status_missing");
        assert_eq!(error(&grpc(None, &[(":status", "503"), of_grpc])).unwrap(), "grpc_status_missing");
        let html = ("content-type", "text/html");
        assert_eq!(error(&grpc(None, &[(":status", "504"), html])).unwrap(), "504", "it is no gRPC answer");
        let mut unknown = grpc(None, &[(":status", "200"), of_grpc]);
        unknown.unknown = Unknown::GRPC_STATUS;
        assert_eq!(error(&unknown), None, "one was sent");
        let mut lost = grpc(None, &[(":status", "200"), of_grpc]);
        lost.partial.insert(Partial::TCP_GAP);
        assert_eq!(error(&lost), None, "one may have been sent");
    }

    #[test]
    fn a_malformed_status_is_a_failure() {
        for status in ["200 OK", "0200", "20", "", "2x0"] {
            assert_eq!(error(&answered(&[(":status", status)])).unwrap(), "malformed_response", "{status}");
        }
        assert_eq!(error(&answered(&[("server", "x")])).unwrap(), "malformed_response", "it has none");
        let mut unknown = answered(&[]);
        unknown.unknown = Unknown::STATUS;
        assert_eq!(error(&unknown), None, "one was sent");
    }

    #[test]
    fn an_end_of_stream_without_a_header_section_is_a_failure() {
        let mut call = unanswered(EndBy::Server, EndHow::EndStream, None);
        call.response.ended = true;
        assert_eq!(error(&call).unwrap(), "malformed_response");
        call.partial.insert(Partial::MID_STREAM);
        assert_eq!(error(&call), None, "it may have come before the capture began");
    }

    #[test]
    fn a_reset_or_goaway_without_an_answer_is_a_failure_whatever_its_code() {
        for how in [EndHow::RstStream, EndHow::Goaway] {
            for (code, name) in [(0, "NO_ERROR"), (8, "CANCEL"), (0x99, "0x99")] {
                assert_eq!(error(&unanswered(EndBy::Server, how, Some(code))).unwrap(), name);
            }
        }
    }

    #[test]
    fn a_reset_in_the_middle_of_an_answer_is_a_failure() {
        let mut call = answered(&[(":status", "200")]);
        call.response.ended = false;
        call.end = StreamEnd { by: EndBy::Server, how: EndHow::RstStream, code: Some(2) };
        assert_eq!(error(&call).unwrap(), "INTERNAL_ERROR");
    }

    #[test]
    fn a_complete_response_that_is_reset_afterwards_is_no_failure() {
        for code in [0, 8] {
            let mut call = answered(&[(":status", "200")]);
            call.end = StreamEnd { by: EndBy::Client, how: EndHow::RstStream, code: Some(code) };
            assert_eq!(error(&call), None);
        }
    }

    #[test]
    fn a_connection_that_ends_with_the_call_in_flight_is_a_failure() {
        assert_eq!(error(&unanswered(EndBy::Tcp, EndHow::Rst, None)).unwrap(), "connection_reset");
        assert_eq!(error(&unanswered(EndBy::Tcp, EndHow::Fin, None)).unwrap(), "connection_closed");
    }

    #[test]
    fn a_call_that_is_open_at_the_end_of_the_capture_has_not_failed() {
        assert_eq!(error(&unanswered(EndBy::Capture, EndHow::Eof, None)), None);
        assert_eq!(error(&unanswered(EndBy::Capture, EndHow::Idle, None)), None);
    }

    #[test]
    fn where_the_answer_may_be_missing_from_the_capture_nothing_is_claimed() {
        let resets = [0, 8].map(|code| (EndHow::RstStream, Some(code)));
        for (how, code) in resets.into_iter().chain([(EndHow::Fin, None), (EndHow::Rst, None)]) {
            let mut lost = unanswered(EndBy::Tcp, how, code);
            lost.partial.insert(Partial::TCP_GAP);
            assert_eq!(error(&lost), None);
            let one_sided = Transaction { server_unseen: true, ..unanswered(EndBy::Tcp, how, code) };
            assert_eq!(error(&one_sided), None);
            let mut begun_before = unanswered(EndBy::Tcp, how, code);
            begun_before.request.seen = false;
            begun_before.partial.insert(Partial::MID_STREAM);
            assert_eq!(error(&begun_before), None);
            begun_before.request.seen = true;
            assert!(error(&begun_before).is_some(), "only what the table held before is unknown");
        }
    }

    #[test]
    fn the_duration_goes_to_the_end_of_the_exchange() {
        let mut call = get();
        call.ended_at = call.first.time.after(Duration::from_secs(3));
        assert_eq!(call.duration(), Duration::from_secs(3));
        call.ended_at = crate::base::time::Timestamp::from_nanos(5);
        assert_eq!(call.duration(), Duration::ZERO);
    }

    #[test]
    fn times_are_told_from_what_was_seen_to_what_was_seen() {
        let at = |millis: u64| Some(Timestamp::from_nanos(millis * 1_000_000));
        let mut call = get();
        (call.request.first, call.request.last) = (at(1), at(2));
        (call.response.first, call.response.last) = (at(5), at(9));
        (call.request.seen, call.request.ended) = (true, true);
        (call.response.seen, call.response.ended) = (true, true);
        call.first.time = Timestamp::from_nanos(1_000_000);
        let hint = Interim { status: 103, time: Timestamp::from_nanos(4_000_000) };
        let told = |call: &Transaction| {
            [call.ttfb(), call.span_of(&call.request), call.span_of(&call.response)]
                .map(|told| told.map(|told| told.as_millis()))
        };
        assert_eq!(told(&call), [Some(4), Some(1), Some(4)]);
        assert_eq!(call.interim_at(hint), Some(Duration::from_millis(3)));
        call.partial.insert(Partial::TCP_GAP);
        assert_eq!(told(&call), [Some(4), Some(1), Some(4)], "from one end to the other");
        call.response.last_lost = true;
        assert_eq!(told(&call), [Some(4), Some(1), None], "it came before that was known");
        (call.response.last_lost, call.response.ended) = (false, false);
        assert_eq!(told(&call), [Some(4), Some(1), None], "more may have come");
        call.request.seen = false;
        assert_eq!(told(&call), [None, None, None], "it may have begun before");
        assert_eq!(call.interim_at(hint), None);
        call.partial = Partial::default();
        assert_eq!(told(&call), [Some(4), Some(1), Some(4)]);
        call.partial.insert(Partial::MID_STREAM);
        assert_eq!(told(&call), [None, None, Some(4)]);
    }

    /// What is told of a GET that this ended before an answer.
    fn retry(end: StreamEnd, disclaimed: bool, change: impl FnOnce(&mut Transaction)) -> Option<Retry> {
        let mut call = Transaction { response: Message::default(), end, disclaimed, ..get() };
        change(&mut call);
        call.retry()
    }

    #[test]
    fn safe_is_what_the_server_has_promised() {
        let end = |by, how, code| StreamEnd { by, how, code };
        let refused = |by| end(by, EndHow::RstStream, Some(error_code::REFUSED_STREAM));
        let closed = end(EndBy::Tcp, EndHow::Fin, None);
        let none = |_: &mut Transaction| ();
        assert_eq!(retry(refused(EndBy::Server), false, none), Some(Retry::Safe));
        assert_eq!(retry(refused(EndBy::Client), false, none), Some(Retry::Unknown), "it promises nothing");
        assert_eq!(retry(end(EndBy::Server, EndHow::RstStream, Some(8)), false, none), Some(Retry::Unknown));
        assert_eq!(retry(closed, false, none), Some(Retry::Unknown));
        assert_eq!(retry(closed, true, none), Some(Retry::Safe), "above the last stream of a GOAWAY");
        let cancelled = end(EndBy::Client, EndHow::RstStream, Some(8));
        assert_eq!(retry(cancelled, true, none), Some(Retry::Safe));
    }

    #[test]
    fn a_server_that_has_begun_to_answer_takes_its_promise_back() {
        let closed = StreamEnd { by: EndBy::Tcp, how: EndHow::Fin, code: None };
        let begun = |call: &mut Transaction| call.response.first = Some(call.last.time);
        assert_eq!(retry(closed, true, begun), Some(Retry::Unknown));
        let interim =
            |call: &mut Transaction| call.interim.push(Interim { status: 103, time: call.first.time });
        assert_eq!(retry(closed, true, interim), Some(Retry::Unknown));
    }

    #[test]
    fn nothing_is_told_of_what_did_not_fail_or_may_not_have() {
        assert_eq!(get().retry(), None);
        let closed = StreamEnd { by: EndBy::Tcp, how: EndHow::Fin, code: None };
        let lost = |call: &mut Transaction| call.partial.insert(Partial::TCP_GAP);
        assert_eq!(retry(closed, false, lost), None, "the answer may be missing");
        assert_eq!(retry(closed, true, lost), Some(Retry::Safe), "what was disclaimed was not answered");
    }
}
