//! hyper at both ends: what its users see of a call.

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::{block_on, fields, header_map, request_fields, response_fields};
use crate::support::exchange::assert_same;
use crate::support::{Analyze, Conversation, Ends, Exchange, Random, tap};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Content that comes piece by piece through a channel.
struct Pieces(mpsc::Receiver<Frame<Bytes>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

/// Hands on what comes, if it is wanted, and notes how much it was.
async fn drain(
    mut content: Incoming,
    onwards: Option<mpsc::Sender<Frame<Bytes>>>,
) -> (u64, Vec<(String, String)>) {
    use http_body_util::BodyExt;
    let (mut size, mut trailers) = (0, Vec::new());
    while let Some(frame) = content.frame().await {
        let frame = frame.unwrap();
        size += frame.data_ref().map_or(0, |data| data.len() as u64);
        if let Some(map) = frame.trailers_ref() {
            trailers = fields(map);
        }
        if let Some(onwards) = &onwards {
            onwards.send(frame).await.unwrap();
        }
    }
    (size, trailers)
}

/// Calls: `/echo…` gives the content back while it comes, with its trailers; `/missing…` is not found.
async fn serve(request: Request<Incoming>, seen: Arc<Mutex<Vec<Exchange>>>) -> Response<Pieces> {
    let request_headers = request_fields(&request);
    let stream = number(request.uri().query());
    let (send, receive) = mpsc::channel(2);
    let found = request.uri().path() == "/echo";
    tokio::spawn(async move {
        let (size, request_trailers) = drain(request.into_body(), found.then_some(send)).await;
        let exchange = Exchange {
            stream,
            request_headers,
            request_body: Some(size),
            request_trailers,
            ..Exchange::default()
        };
        seen.lock().unwrap().push(exchange);
    });
    let status = if found { 200 } else { 404 };
    Response::builder().status(status).header("server", "hyper").body(Pieces(receive)).unwrap()
}

/// Calls are told apart by a number in their query.
fn number(query: Option<&str>) -> u32 {
    query.unwrap().parse().unwrap()
}

/// Makes the calls at once: path, sizes of the content's pieces, whether trailers follow.
fn record(calls: Vec<(&'static str, Vec<usize>, bool)>) -> (Vec<Event>, Vec<Exchange>) {
    block_on(async move {
        let (client_end, server_end, tape) = tap::wire(64 << 10);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let by_server = Arc::clone(&seen);
        let service = service_fn(move |request| {
            let seen = Arc::clone(&by_server);
            async move { Ok::<_, Infallible>(serve(request, seen).await) }
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let server = tokio::spawn(server.serve_connection(TokioIo::new(server_end), service));
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client_end))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let mut answers = JoinSet::new();
        for (n, (path, sizes, trailers)) in calls.into_iter().enumerate() {
            let mut client = client.clone();
            answers.spawn(async move {
                let (send, receive) = mpsc::channel(2);
                let method = if sizes.is_empty() { "GET" } else { "PUT" };
                let uri = format!("http://hyper.example{path}?{n}");
                let request = Request::builder().method(method).uri(uri).header("te", "trailers");
                let response = client.send_request(request.body(Pieces(receive)).unwrap());
                let sending = async move {
                    for size in sizes {
                        let piece = Bytes::from(vec![b'x'; size]);
                        // A server that has answered reads no more.
                        let _ = send.send(Frame::data(piece)).await;
                    }
                    if trailers {
                        let map = header_map(&vec![("x-last".into(), n.to_string())]);
                        let _ = send.send(Frame::trailers(map)).await;
                    }
                };
                let (response, ()) = tokio::join!(response, sending);
                let response = response.unwrap();
                let response_headers = response_fields(&response);
                let (size, response_trailers) = drain(response.into_body(), None).await;
                (n as u32, response_headers, size, response_trailers)
            });
        }
        let answers = answers.join_all().await;
        drop(client);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        let mut exchanges = std::mem::take(&mut *seen.lock().unwrap());
        for (n, response_headers, size, response_trailers) in answers {
            let exchange = exchanges.iter_mut().find(|exchange| exchange.stream == n).unwrap();
            exchange.response_headers = response_headers;
            exchange.response_body = Some(size);
            exchange.response_trailers = response_trailers;
        }
        (tap::recording(&tape), exchanges)
    })
}

fn check(calls: Vec<(&'static str, Vec<usize>, bool)>) {
    let (events, exchanges) = record(calls);
    for (n, cut) in Cut::ALL.into_iter().enumerate() {
        let capture = Conversation::of(Ends::v4(9), n as u64, &events, cut).capture();
        let outcome = Analyze::capture(&capture).run();
        let told = outcome.exchanges().into_iter().map(|mut exchange| {
            let (_, query) = exchange.request(":path").unwrap().split_once('?').unwrap();
            exchange.stream = number(Some(query));
            exchange
        });
        assert_same(told, exchanges.clone(), &format!("hyper, cut {cut:?}"));
        assert!(outcome.complete());
    }
}

#[test]
fn gets() {
    check(vec![("/echo", vec![], false), ("/missing", vec![], false), ("/echo", vec![], false)]);
}

#[test]
fn streams_both_ways_with_trailers() {
    let mut random = Random::new(8);
    let call = |_| {
        let sizes = (0..random.between(1, 6)).map(|_| random.between(1, 30_000)).collect();
        ("/echo", sizes, random.chance(500))
    };
    check((0..20).map(call).collect());
}

#[test]
fn two_hundred_calls_at_once() {
    let call = |n: usize| (["/echo", "/missing"][n % 2], vec![], false);
    check((0..200).map(call).collect());
}
