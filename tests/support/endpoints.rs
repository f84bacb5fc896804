//! A real client and a real server, of the `h2` crate, that carry plans out and tell what they saw.

use super::conversation::{Event, Side};
use super::exchange::{Exchange, Fields, assert_same};
use super::plan::{Answer, Plan, Push, Reset};
use super::tap;
use bytes::Bytes;
use h2::client::{PushPromises, ResponseFuture};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Barrier, Notify, Semaphore};
use tokio::task::JoinSet;

/// How the endpoints are set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Streams open at one time; the server answers none before so many have come.
    pub(crate) at_once: Option<usize>,
    /// Streams open at one time at most.
    pub(crate) lanes: usize,
    /// SETTINGS_HEADER_TABLE_SIZE of both ends.
    pub(crate) table: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE of both ends.
    pub(crate) window: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { at_once: None, lanes: 8, table: None, window: None }
    }
}

/// What was written on the wire, and what the ends saw.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) events: Vec<Event>,
    pub(crate) exchanges: Vec<Exchange>,
}

/// Carries the plans out in cleartext, with prior knowledge.
pub(crate) fn record(plans: Vec<Plan>, setup: Setup) -> Recording {
    block_on(async {
        let (client, server, tape) = tap::wire(64 << 10);
        let exchanges = converse(client, server, plans, setup).await;
        Recording { events: tap::recording(&tape), exchanges }
    })
}

/// Runs a future to its end, on this thread alone.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What both ends of a connection share.
#[derive(Debug)]
struct Shared {
    plans: Vec<Plan>,
    /// By plan: the other end has come to the point where the stream is to be reset.
    ready: Vec<Notify>,
    together: Option<Barrier>,
    /// Held while a stream's promises are sent: the crate may else put those of two streams in the wrong order.
    promising: tokio::sync::Mutex<()>,
    seen: Mutex<Vec<Exchange>>,
}

/// Carries the plans out on a connection, and gives what the ends agree to have seen.
pub(crate) async fn converse<C, S>(
    client_end: C,
    server_end: S,
    plans: Vec<Plan>,
    setup: Setup,
) -> Vec<Exchange>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::new(Shared {
        ready: plans.iter().map(|_| Notify::new()).collect(),
        plans,
        together: setup.at_once.map(Barrier::new),
        promising: tokio::sync::Mutex::default(),
        seen: Mutex::default(),
    });
    let server = tokio::spawn(serve(server_end, Arc::clone(&shared), setup));
    let by_client = request(client_end, Arc::clone(&shared), setup).await;
    server.await.unwrap();
    let by_server = std::mem::take(&mut *shared.seen.lock().unwrap());
    assert_same(by_server.clone(), by_client, "what client and server saw");
    by_server
}

async fn request<C>(io: C, shared: Arc<Shared>, setup: Setup) -> Vec<Exchange>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = h2::client::Builder::new();
    setup.table.map(|size| builder.header_table_size(size));
    setup.window.map(|size| builder.initial_window_size(size));
    builder.initial_max_send_streams(setup.lanes);
    let (sender, connection) = builder.handshake::<_, Bytes>(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let lanes = Arc::new(Semaphore::new(setup.lanes));
    let mut streams = JoinSet::new();
    for n in 0..shared.plans.len() {
        let permit = Arc::clone(&lanes).acquire_owned().await.unwrap();
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        streams.spawn(async move {
            let seen = request_one(sender, n, &shared).await;
            drop(permit);
            seen
        });
    }
    let seen = streams.join_all().await.into_iter().flatten().collect();
    drop(sender);
    connection.await.unwrap().unwrap();
    seen
}

async fn request_one(sender: h2::client::SendRequest<Bytes>, n: usize, shared: &Shared) -> Vec<Exchange> {
    let plan = &shared.plans[n];
    let mut sender = sender.ready().await.unwrap();
    while plan.protocol.is_some() && !sender.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    // A stream that is to be reset must not have ended before.
    let open = plan.reset.is_some();
    let (mut response, stream) = sender.send_request(plan.request(n), plan.body.is_none() && !open).unwrap();
    let mut seen = Exchange {
        stream: response.stream_id().as_u32(),
        request_headers: plan.request_fields(n),
        request_body: Some(0),
        ..Exchange::default()
    };
    if let Some(reset) = plan.reset {
        reset_by_client(response, stream, reset, &shared.ready[n], &mut seen).await;
        return vec![seen];
    }
    let promises = response.push_promises();
    let sizes = plan.body.as_deref().unwrap_or_default();
    let sending = async {
        if plan.body.is_some() {
            send(stream, sizes, &plan.trailers).await;
        }
    };
    let receiving = async {
        let interim = interim(&mut response, plan.interim.len()).await;
        (interim, receive(response.await.unwrap()).await)
    };
    let ((), (interim, answer), mut pushed) = tokio::join!(
        sending,
        receiving,
        promised(promises, seen.stream, plan.pushes.len(), &shared.ready[n])
    );
    seen.interim = interim;
    seen.request_body = Some(sizes.iter().sum::<usize>() as u64);
    seen.request_trailers.clone_from(&plan.trailers);
    (seen.response_headers, seen.response_body, seen.response_trailers) = answer;
    pushed.push(seen);
    pushed
}

async fn interim(response: &mut ResponseFuture, count: usize) -> Vec<u16> {
    let mut seen = Vec::new();
    for _ in 0..count {
        match std::future::poll_fn(|cx| response.poll_informational(cx)).await {
            Some(answer) => seen.push(answer.unwrap().status().as_u16()),
            None => break,
        }
    }
    seen
}

async fn reset_by_client(
    response: ResponseFuture,
    mut stream: SendStream<Bytes>,
    reset: Reset,
    ready: &Notify,
    seen: &mut Exchange,
) {
    let Reset { by, answered, code } = reset;
    let name = error_name(code);
    let mut reading = None;
    if answered {
        let answer = response.await.unwrap();
        seen.response_headers = response_fields(&answer);
        let body = reading.insert(answer.into_body());
        let piece = body.data().await.unwrap().unwrap();
        seen.response_body = Some(piece.len() as u64);
        if by == Side::Server {
            ready.notify_one();
            let error = body.data().await.unwrap().unwrap_err();
            assert!(error.is_remote() && error.reason() == Some(Reason::from(code)), "{error}");
        }
    } else if by == Side::Server {
        let error = response.await.unwrap_err();
        assert!(error.is_remote() && error.reason() == Some(Reason::from(code)), "{error}");
    } else {
        ready.notified().await;
    }
    if by == Side::Client {
        stream.send_reset(code.into());
    }
    seen.reset = Some((side_name(by), name));
}

async fn promised(mut promises: PushPromises, parent: u32, count: usize, all: &Notify) -> Vec<Exchange> {
    let (mut promised, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..count {
        promised.push(promises.push_promise().await.unwrap().unwrap());
    }
    all.notify_one();
    for promise in promised {
        let (request, response) = promise.into_parts();
        let stream = response.stream_id().as_u32();
        let (response_headers, response_body, response_trailers) = receive(response.await.unwrap()).await;
        seen.push(Exchange {
            stream,
            parent: Some(parent),
            request_headers: request_fields(&request),
            response_headers,
            response_body,
            response_trailers,
            ..Exchange::default()
        });
    }
    seen
}

async fn serve<S>(io: S, shared: Arc<Shared>, setup: Setup)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    setup.table.map(|size| builder.header_table_size(size));
    setup.window.map(|size| builder.initial_window_size(size));
    builder.enable_connect_protocol();
    let mut connection = builder.handshake::<_, Bytes>(io).await.unwrap();
    let mut streams = JoinSet::new();
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = match accepted {
            Ok(accepted) => accepted,
            // The client has closed its end of the wire, while TLS still had its goodbye to send.
            Err(error) if error.is_io() => break,
            Err(error) => panic!("{error}"),
        };
        let shared = Arc::clone(&shared);
        streams.spawn(async move { serve_one(request, respond, &shared).await });
    }
    streams.join_all().await;
}

async fn serve_one(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, shared: &Shared) {
    if let Some(barrier) = &shared.together {
        barrier.wait().await;
    }
    let n: usize = request.headers()["x-plan"].to_str().unwrap().parse().unwrap();
    let plan = &shared.plans[n];
    let mut seen = Exchange {
        stream: respond.stream_id().as_u32(),
        request_headers: request_fields(&request),
        request_body: Some(0),
        interim: plan.interim.clone(),
        ..Exchange::default()
    };
    if let Some(reset) = plan.reset {
        seen.interim.clear();
        reset_by_server(respond, &plan.answer, reset, &shared.ready[n], &mut seen).await;
        shared.seen.lock().unwrap().push(seen);
        return;
    }
    for &status in &plan.interim {
        respond.send_informational(Response::builder().status(status).body(()).unwrap()).unwrap();
        // Each is to be sent before the next takes its place.
        tokio::task::yield_now().await;
    }
    if !plan.pushes.is_empty() {
        let _alone = shared.promising.lock().await;
        for push in &plan.pushes {
            let pushed = serve_push(&mut respond, push, seen.stream).await;
            shared.seen.lock().unwrap().push(pushed);
        }
        shared.ready[n].notified().await;
    }
    let content = request.into_body();
    let answer = &plan.answer;
    let (received, sent) = if plan.interleaved {
        tokio::join!(read(content), respond_with(respond, answer))
    } else {
        (read(content).await, respond_with(respond, answer).await)
    };
    seen.request_body = Some(received.0);
    seen.request_trailers = received.1;
    (seen.response_headers, seen.response_body, seen.response_trailers) = sent;
    shared.seen.lock().unwrap().push(seen);
}

async fn serve_push(respond: &mut SendResponse<Bytes>, push: &Push, parent: u32) -> Exchange {
    let uri = format!("http://origin.example:8080{}", push.path);
    let mut request = Request::builder().method(Method::GET).uri(uri).body(()).unwrap();
    *request.headers_mut() = header_map(&push.headers);
    let request_headers = request_fields(&request);
    let mut promise = respond.push_request(request).unwrap();
    let stream = promise.stream_id().as_u32();
    let answer = &push.answer;
    let sender = promise.send_response(answer.response(), answer.body.is_none()).unwrap();
    if let Some(sizes) = &answer.body {
        send(sender, sizes, &answer.trailers).await;
    }
    Exchange {
        stream,
        parent: Some(parent),
        request_headers,
        response_headers: response_fields(&answer.response()),
        response_body: Some(answer.size()),
        response_trailers: answer.trailers.clone(),
        ..Exchange::default()
    }
}

async fn reset_by_server(
    mut respond: SendResponse<Bytes>,
    answer: &Answer,
    reset: Reset,
    ready: &Notify,
    seen: &mut Exchange,
) {
    let Reset { by, answered, code } = reset;
    if answered {
        let mut sender = respond.send_response(answer.response(), false).unwrap();
        sender.send_data(Bytes::from_static(b"first"), false).unwrap();
        seen.response_headers = response_fields(&answer.response());
        seen.response_body = Some(5);
        if by == Side::Server {
            ready.notified().await;
            sender.send_reset(code.into());
        } else {
            let got = std::future::poll_fn(|cx| sender.poll_reset(cx)).await.unwrap();
            assert_eq!(u32::from(got), code);
        }
    } else if by == Side::Server {
        respond.send_reset(code.into());
    } else {
        ready.notify_one();
        let got = std::future::poll_fn(|cx| respond.poll_reset(cx)).await.unwrap();
        assert_eq!(u32::from(got), code);
    }
    seen.reset = Some((side_name(by), error_name(code)));
}

async fn respond_with(mut respond: SendResponse<Bytes>, answer: &Answer) -> (Fields, Option<u64>, Fields) {
    let sender = respond.send_response(answer.response(), answer.body.is_none()).unwrap();
    if let Some(sizes) = &answer.body {
        send(sender, sizes, &answer.trailers).await;
    }
    (response_fields(&answer.response()), Some(answer.size()), answer.trailers.clone())
}

async fn send(mut stream: SendStream<Bytes>, sizes: &[usize], trailers: &Fields) {
    // An empty DATA frame ends what has no content and no trailers.
    let sizes = if sizes.is_empty() && trailers.is_empty() { &[0] } else { sizes };
    for (n, &size) in sizes.iter().enumerate() {
        let last = n + 1 == sizes.len() && trailers.is_empty();
        stream.send_data(Bytes::from(vec![b'a' + (n % 26) as u8; size]), last).unwrap();
        tokio::task::yield_now().await;
    }
    if !trailers.is_empty() {
        stream.send_trailers(header_map(trailers)).unwrap();
    }
}

async fn receive(response: Response<RecvStream>) -> (Fields, Option<u64>, Fields) {
    let fields = response_fields(&response);
    let (size, trailers) = read(response.into_body()).await;
    (fields, Some(size), trailers)
}

/// Reads a message's content to its end: its size, and the trailers.
async fn read(mut content: RecvStream) -> (u64, Fields) {
    let mut size = 0;
    while let Some(piece) = content.data().await {
        let len = piece.unwrap().len();
        size += len as u64;
        content.flow_control().release_capacity(len).unwrap();
    }
    let trailers = content.trailers().await.unwrap();
    (size, trailers.map(|map| fields(&map)).unwrap_or_default())
}

impl Plan {
    fn request(&self, n: usize) -> Request<()> {
        let uri: Uri = match self.method.as_str() {
            "CONNECT" if self.protocol.is_none() => self.authority.parse().unwrap(),
            _ => format!("http://{}{}", self.authority, self.path).parse().unwrap(),
        };
        let mut request = Request::builder().method(self.method.as_str()).uri(uri).body(()).unwrap();
        *request.headers_mut() = header_map(&self.headers);
        request.headers_mut().insert("x-plan", n.into());
        if let Some(protocol) = self.protocol {
            request.extensions_mut().insert(h2::ext::Protocol::from_static(protocol));
        }
        request
    }

    fn request_fields(&self, n: usize) -> Fields {
        request_fields(&self.request(n))
    }
}

impl Answer {
    fn response(&self) -> Response<()> {
        let mut response = Response::builder().status(self.status).body(()).unwrap();
        *response.headers_mut() = header_map(&self.headers);
        response
    }

    fn size(&self) -> u64 {
        self.body.iter().flatten().sum::<usize>() as u64
    }
}

pub(crate) fn header_map(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let mut value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        value.set_sensitive(name == "authorization");
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    map
}

pub(crate) fn fields(map: &HeaderMap) -> Fields {
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

pub(crate) fn request_fields<B>(request: &Request<B>) -> Fields {
    let uri = request.uri();
    let protocol = request.extensions().get::<h2::ext::Protocol>().map(|protocol| protocol.as_str());
    let connect = request.method() == Method::CONNECT && protocol.is_none();
    let pseudo = [
        (":method", Some(request.method().as_str())),
        (":scheme", uri.scheme_str()),
        (":authority", uri.authority().map(http::uri::Authority::as_str)),
        (":path", uri.path_and_query().map(http::uri::PathAndQuery::as_str).filter(|_| !connect)),
        (":protocol", protocol),
    ];
    let present = pseudo.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    present.chain(fields(request.headers())).collect()
}

pub(crate) fn response_fields<B>(response: &Response<B>) -> Fields {
    let status = (":status".to_owned(), response.status().as_str().to_owned());
    std::iter::once(status).chain(fields(response.headers())).collect()
}

fn side_name(side: Side) -> String {
    match side {
        Side::Client => "client".to_owned(),
        Side::Server => "server".to_owned(),
    }
}

/// The code's name (RFC 9113 section 7).
fn error_name(code: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES[code as usize].to_owned()
}
