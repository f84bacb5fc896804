//! What hyper's users at both ends put into their bodies is what is told of them: whole where the capture is whole, and
//! never something else where packets are missing.

mod files;
mod plans;
mod tonic;

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::block_on;
use crate::support::exchange::dig;
use crate::support::{Analyze, Capture, Conversation, Ends, Random, tap};
use bytes::Bytes;
use h2lens::body::{Options, Schema};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
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

impl Body for Pieces {
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

/// What is told of each side: the plan's number, its body, its messages.
fn told(capture: &Capture) -> Vec<(usize, Value, Vec<Value>)> {
    let outcome = Analyze::capture(capture).transactions_alone().bodies(Arc::new(options())).run();
    let mut sides = Vec::new();
    for record in outcome.transactions() {
        let Some(number) = dig(record, "url.query").and_then(Value::as_str) else { continue };
        for (side, sender) in [("request", "client"), ("response", "server")] {
            let body = dig(record, &format!("http.{side}.body")).cloned().unwrap_or_default();
            let messages = dig(record, "h2.messages").and_then(Value::as_array).cloned().unwrap_or_default();
            let own = messages.into_iter().filter(|message| message["from"] == sender).collect();
            sides.push((number.parse().unwrap(), body, own));
        }
    }
    sides
}

/// The message is the one that was sent.
fn is_message(sent: &Value, told: &Value) -> bool {
    let own = told.get("value").or(told.get("text"));
    own == Some(sent)
}

#[test]
fn what_both_ends_saw_is_told() {
    let plans = plans();
    let events = record(&plans);
    for (n, cut) in Cut::ALL.into_iter().enumerate() {
        let sides = told(&Conversation::of(Ends::v4(3), n as u64, &events, cut).capture());
        assert_eq!(sides.len(), 2 * plans.len());
        for (number, body, messages) in sides {
            let plan = &plans[number];
            let encoded: usize = plan.pieces.iter().map(Vec::len).sum();
            assert_eq!(body["size"], encoded, "{}", plan.path);
            assert_eq!(
                (&body["complete"], &body["decoded_size"]),
                (&true.into(), &plan.content.len().into()),
                "{}",
                plan.path
            );
            assert_eq!(body["sha256"].as_str(), Some(plan.sha256().as_str()), "{}", plan.path);
            if let Ok(text) = std::str::from_utf8(&plan.content) {
                let shown = body.get("content").and_then(Value::as_str);
                assert!(shown == Some(text) || body.get("content_base64").is_some(), "{}: {body}", plan.path);
            }
            assert_eq!(messages.len(), plan.messages.len(), "{}: {messages:?}", plan.path);
            for (sent, told) in plan.messages.iter().zip(&messages) {
                assert!(is_message(sent, told), "{}: {told} is not {sent}", plan.path);
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
        for (number, body, messages) in told(&capture) {
            let Some(plan) = plans.get(number) else { continue };
            if let Some(text) = body.get("content").and_then(Value::as_str) {
                // Without its head a body is told as it was sent.
                let sent = [plan.content.clone(), plan.pieces.concat()];
                assert!(sent.iter().any(|sent| sent.starts_with(text.as_bytes())), "{}: {text}", plan.path);
                cut += usize::from(text.len() < plan.content.len());
            }
            if let Some(digest) = body.get("sha256") {
                assert_eq!(digest, &plan.sha256(), "{}", plan.path);
            }
            let mut sent = plan.messages.iter();
            for message in messages.iter().filter(|message| message.get("error").is_none()) {
                let unread = message.get("fields").is_some();
                assert!(unread || sent.any(|sent| is_message(sent, message)), "{}: {message}", plan.path);
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
    let run = |threads| Analyze::capture(&capture).threads(threads).bodies(Arc::new(options())).run().ndjson;
    assert_eq!(run(1), run(3));
}
