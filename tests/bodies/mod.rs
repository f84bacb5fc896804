//! What hyper's users at both ends put into their bodies is what is told of them: whole where the capture is whole, and
//! never something else where packets are missing.

mod files;
mod plans;
mod tonic;

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::block_on;
use crate::support::{Analyze, Capture, Conversation, Ends, Random, json, tap};
use bytes::Bytes;
use h2lens::body::{Options, Schema};
use h2lens::record::{Body, BodyMessage, Content};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use plans::{Plan, SCHEMA, plans};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Content in pieces, each a DATA frame.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(content: &[Vec<u8>]) -> Self {
        Self(content.iter().map(|piece| Bytes::copy_from_slice(piece)).collect())
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

/// Each call sends its content, and gets the same content back.
fn record(plans: &[Plan]) -> Vec<Event> {
    let plans = plans.to_vec();
    block_on(async move {
        let (client_end, server_end, tape) = tap::wire(64 << 10);
        let answers = plans.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let plan = answers[request.uri().query().unwrap().parse::<usize>().unwrap()].clone();
            async move {
                request.into_body().collect().await.unwrap();
                let mut response = Response::builder().header("content-type", plan.content_type);
                for (name, value) in plan.fields {
                    response = response.header(*name, *value);
                }
                Ok::<_, Infallible>(response.body(Pieces::of(&plan.pieces)).unwrap())
            }
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let server = tokio::spawn(server.serve_connection(TokioIo::new(server_end), service));
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client_end))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        for (n, plan) in plans.iter().enumerate() {
            let uri = format!("http://bodies.example{}?{n}", plan.path);
            let mut request =
                Request::builder().method("POST").uri(uri).header("content-type", plan.content_type);
            for (name, value) in plan.fields {
                request = request.header(*name, *value);
            }
            let response =
                client.send_request(request.body(Pieces::of(&plan.pieces)).unwrap()).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
        drop(client);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        tap::recording(&tape)
    })
}

fn options() -> Options {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.proto");
    std::fs::write(&path, SCHEMA).unwrap();
    Options { limit: 1 << 20, schema: Schema::load(&[path]).unwrap(), contents: true, ..Options::default() }
}

/// What is told of a side of a call.
struct Told {
    /// The plan's number.
    plan: usize,
    /// Bytes as sent, where it is known where they begin.
    size: Option<u64>,
    body: Body,
    messages: Vec<BodyMessage>,
}

fn told(capture: &Capture) -> Vec<Told> {
    let outcome = Analyze::capture(capture).transactions_alone().bodies(Arc::new(options())).run();
    let mut sides = Vec::new();
    for call in outcome.transactions() {
        let Some(number) = call.query() else { continue };
        let contents = call.contents().cloned().unwrap_or_default();
        for (from_client, side, body) in
            [(true, &call.request, contents.request), (false, &call.response, contents.response)]
        {
            sides.push(Told {
                plan: number.parse().unwrap(),
                size: side.seen.then_some(side.body),
                body: body.unwrap_or_default(),
                messages: call.messages(from_client).into_iter().cloned().collect(),
            });
        }
    }
    sides
}

/// The message is the one that was sent.
fn is_message(sent: &Value, told: &BodyMessage) -> bool {
    let text = || told.text.clone().map(Value::String);
    told.value.as_deref().map(json).or_else(text).as_ref() == Some(sent)
}

#[test]
fn what_both_ends_saw_is_told() {
    let plans = plans();
    let events = record(&plans);
    for (n, cut) in Cut::ALL.into_iter().enumerate() {
        let sides = told(&Conversation::of(Ends::v4(3), n as u64, &events, cut).capture());
        assert_eq!(sides.len(), 2 * plans.len());
        for Told { plan, size, body, messages } in sides {
            let plan = &plans[plan];
            let encoded: usize = plan.pieces.iter().map(Vec::len).sum();
            assert_eq!(size, Some(encoded as u64), "{}", plan.path);
            let decoded = Some(plan.content.len() as u64);
            assert_eq!((body.complete, body.decoded_size), (true, decoded), "{}", plan.path);
            assert_eq!(body.sha256, Some(plan.sha256()), "{}", plan.path);
            if let Ok(text) = std::str::from_utf8(&plan.content) {
                let is_shown = match &body.content {
                    Some(Content::Text(shown)) => shown == text,
                    Some(Content::Bytes(_)) => true,
                    None => false,
                };
                assert!(is_shown, "{}: {body:?}", plan.path);
            }
            assert_eq!(messages.len(), plan.messages.len(), "{}: {messages:?}", plan.path);
            for (sent, told) in plan.messages.iter().zip(&messages) {
                assert!(is_message(sent, told), "{}: {told:?} is not {sent}", plan.path);
            }
        }
    }
}

#[test]
fn whatever_is_missing_nothing_else_is_told() {
    let plans = plans();
    let events = record(&plans);
    let mut random = Random::new(22);
    let (mut shown, mut cut) = (0, 0);
    for round in 0..60 {
        let capture =
            Conversation::of(Ends::v4(3), round, &events, Cut::ALL[round as usize % Cut::ALL.len()])
                .capture();
        let capture = match round % 3 {
            0 => capture.lossy(random.between(5, 100), &mut random),
            1 => capture.lossy(30, &mut random).reordered(50, &mut random),
            _ => capture.late(random.between(1, 20)),
        };
        for Told { plan, body, messages, .. } in told(&capture) {
            let Some(plan) = plans.get(plan) else { continue };
            if let Some(Content::Text(text)) = &body.content {
                // Without its head a body is told as it was sent.
                let sent = [plan.content.clone(), plan.pieces.concat()];
                assert!(sent.iter().any(|sent| sent.starts_with(text.as_bytes())), "{}: {text}", plan.path);
                cut += usize::from(text.len() < plan.content.len());
            }
            assert!(body.sha256.is_none_or(|digest| digest == plan.sha256()), "{}", plan.path);
            let mut sent = plan.messages.iter();
            for message in messages.iter().filter(|message| message.error.is_none()) {
                let unread = message.fields.is_some();
                assert!(unread || sent.any(|sent| is_message(sent, message)), "{}: {message:?}", plan.path);
                shown += 1;
            }
        }
    }
    assert!(shown > 1000 && cut > 10, "{shown} messages, {cut} bodies that were cut");
}

#[test]
fn the_same_for_any_threads() {
    let events = record(&plans());
    let capture = Conversation::of(Ends::v4(3), 1, &events, Cut::ALL[0]).capture();
    let run =
        |threads| Analyze::capture(&capture).threads(threads).bodies(Arc::new(options())).run_text().ndjson;
    assert_eq!(run(1), run(3));
}
