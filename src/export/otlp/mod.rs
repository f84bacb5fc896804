//! OTLP/JSON, as the `OpenTelemetry` collector's file exporter writes it: a `TracesData` a line, a span a transaction.
//!
//! Workers write a span, and before it the resource that it belongs to ([`span`]); spans of one resource are put together
//! where they stand in one line ([`Lines`]).

mod attributes;
mod identity;
mod lines;

pub(super) use lines::Lines;

use super::{Options, json};
use crate::record::schema::{Shown, TransactionObject};
use crate::record::trace::TraceContext;
use crate::record::value::GrpcStatus;
use crate::record::visit::Scalar;
use crate::record::{BodyMessage, EndHow, Failure, TransactionView};
use attributes::Attributes;
use identity::Identity;
use std::borrow::Cow;
use std::io::Write;

/// `SPAN_KIND_SERVER`
const SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`
const ERROR: u8 = 2;
/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`: the parent is elsewhere.
const REMOTE_PARENT: u32 = 0x300;

// Writing into memory cannot fail: the results of `write!` are dropped.

/// Appends the attributes of the server's resource as a line of JSON, and the span of a transaction as another.
pub(super) fn span(out: &mut Vec<u8>, view: &TransactionView<'_>, options: &Options) {
    let record = TransactionObject::new(view, Shown { headers: false, secrets: options.show_secrets });
    resource(out, view);
    out.push(b'\n');
    let start = view.transaction.first.time;
    let parent = TraceContext::of(&view.transaction.request.headers).filter(|context| context.span.is_some());
    out.push(b'{');
    identify(out, view, parent);
    out.extend_from_slice(b",\"name\":");
    let route = view.path.and_then(|path| options.routes?.route(path));
    json::push_text(out, &name(view, route));
    let end = start.after(view.transaction.duration()).as_nanos();
    let _ = write!(
        out,
        r#","kind":{SERVER},"startTimeUnixNano":"{}","endTimeUnixNano":"{end}","attributes":"#,
        start.as_nanos()
    );
    attributes::push(out, &record, route);
    events(out, view, end);
    if view.failure().is_some_and(is_error) {
        let _ = write!(out, r#","status":{{"code":{ERROR}}}"#);
    }
    out.extend_from_slice(b"}\n");
}

/// Trace, span and parent.
fn identify(out: &mut Vec<u8>, view: &TransactionView<'_>, parent: Option<TraceContext<'_>>) {
    let own = Identity::of(view);
    let Some(TraceContext { trace, span, flags }) = parent else {
        let _ = write!(out, r#""traceId":"{:032x}","spanId":"{:016x}""#, own.trace, own.span);
        return;
    };
    let text = |id| std::str::from_utf8(id).unwrap_or_default();
    let (trace, span) = (text(trace), span.map(text).unwrap_or_default());
    let _ = write!(out, r#""traceId":"{trace:0>32}","spanId":"{:016x}","parentSpanId":"{span}""#, own.span);
    let sampled = flags.map_or(0, u32::from);
    let _ = write!(out, r#","flags":{}"#, REMOTE_PARENT | sampled);
    let headers = &view.transaction.request.headers;
    let state: Vec<&[u8]> = headers.named(b"tracestate").filter_map(|field| field.value).collect();
    if flags.is_some() && !state.is_empty() {
        out.extend_from_slice(b",\"traceState\":");
        json::push_text(out, &state.join(&b","[..]));
    }
}

/// gRPC's method; else the method and the route, where the user has named it. What else looks like a route is only known when
/// all calls are, and a name that is not may be one of many.
fn name<'a>(view: &TransactionView<'a>, route: Option<&str>) -> Cow<'a, [u8]> {
    match (view.rpc_method(), view.method.unwrap_or(b"HTTP"), route) {
        (Some(rpc), ..) => Cow::Borrowed(rpc),
        (None, method, Some(route)) => Cow::Owned([method, b" ", route.as_bytes()].concat()),
        (None, method, None) => Cow::Borrowed(method),
    }
}

/// The service that the request is for.
fn resource(out: &mut Vec<u8>, view: &TransactionView<'_>) {
    let authority = view.authority.filter(|authority| !authority.is_empty());
    let service = authority.map_or_else(|| view.authority_or_server(), |text| Cow::Borrowed(host(text)));
    let mut attributes = Attributes::new(out);
    attributes.add("service.name", Scalar::Text(&service));
    attributes.add("service.namespace", Scalar::Word("h2lens"));
    attributes.add("server.address", Scalar::Address(view.connection.server.ip));
    attributes.add("server.port", Scalar::Integer(view.connection.server.port.into()));
    attributes.close();
}

/// An authority without its port.
fn host(authority: &[u8]) -> &[u8] {
    let digits = authority.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    match authority.split_at_checked(authority.len() - digits) {
        Some(([host @ .., b':'], [_, ..])) if !host.is_empty() => host,
        _ => authority,
    }
}

/// Whether a failed call is an error of the server's span. A mistake of the client's is none, and neither is a status by
/// which gRPC's servers tell of one.
const fn is_error(failure: Failure) -> bool {
    match failure {
        Failure::Status(status) => status >= 500,
        // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS; and those that have no name.
        Failure::Grpc(GrpcStatus(status)) => matches!(status, 2 | 4 | 12 | 13 | 14 | 15 | 17..),
        _ => true,
    }
}

/// Interim responses, messages, and a reset.
fn events(out: &mut Vec<u8>, view: &TransactionView<'_>, end: u64) {
    let transaction = view.transaction;
    let start = transaction.first.time;
    let mut events = Events { out, begun: false };
    for interim in &transaction.interim {
        let Some(at) = transaction.interim_at(*interim) else { continue };
        events.add("http.interim", start.after(at).as_nanos(), |attributes| {
            attributes.add("http.response.status_code", Scalar::Integer(interim.status.into()));
        });
    }
    let messages = transaction.contents.as_deref().map_or(&[][..], |contents| &contents.messages);
    let (mut received, mut sent) = (0, 0);
    for message in messages {
        let BodyMessage { from_client, at, size, wire_size, .. } = *message;
        let (kind, count) = if from_client { ("RECEIVED", &mut received) } else { ("SENT", &mut sent) };
        *count += 1;
        events.add("rpc.message", at.max(start).as_nanos(), |attributes| {
            attributes.add("rpc.message.type", Scalar::Word(kind));
            attributes.add("rpc.message.id", Scalar::Integer(*count));
            let sizes = [("uncompressed", size), ("compressed", wire_size)];
            for (kind, size) in sizes.into_iter().filter_map(|(kind, size)| Some((kind, size?))) {
                attributes.add(&format!("rpc.message.{kind}_size"), Scalar::Integer(size));
            }
        });
    }
    if transaction.end.how == EndHow::RstStream {
        events.add("http2.reset", end, |attributes| {
            attributes.add("h2.stream.end.by", Scalar::Word(transaction.end.by.name()));
            if let Some(code) = transaction.end.code {
                let code = crate::record::value::ErrorCode(code);
                attributes.add("h2.stream.end.code", Scalar::Word(&code.name()));
            }
        });
    }
    events.close();
}

/// Writes `events`, if there are any.
struct Events<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl Events<'_> {
    fn add(&mut self, name: &str, at: u64, fill: impl FnOnce(&mut Attributes<'_>)) {
        self.out.extend_from_slice(if self.begun { b"," } else { b",\"events\":[" });
        self.begun = true;
        let _ = write!(self.out, r#"{{"timeUnixNano":"{at}","name":"{name}","attributes":"#);
        let mut attributes = Attributes::new(self.out);
        fill(&mut attributes);
        attributes.close();
        self.out.push(b'}');
    }

    fn close(self) {
        if self.begun {
            self.out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_by_its_authority_without_port() {
        for (authority, name) in [
            ("users.example:8080", "users.example"),
            ("users.example", "users.example"),
            ("[2001:db8::1]:443", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("10.0.0.1:80", "10.0.0.1"),
            (":80", ":80"),
            ("a:", "a:"),
            ("80", "80"),
        ] {
            assert_eq!(host(authority.as_bytes()), name.as_bytes(), "{authority}");
        }
    }

    #[test]
    fn errors_are_the_servers() {
        for (failure, error) in [
            (Failure::Status(404), false),
            (Failure::Status(500), true),
            (Failure::Grpc(GrpcStatus(5)), false),
            (Failure::Grpc(GrpcStatus(13)), true),
            (Failure::Grpc(GrpcStatus(99)), true),
            (Failure::GrpcStatusMissing, true),
            (Failure::ConnectionReset, true),
        ] {
            assert_eq!(is_error(failure), error, "{failure:?}");
        }
    }
}
