//! tonic at both ends: the messages that its users send and get are those that are told, whole, and none is another where
//! packets are missing.

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::block_on;
use crate::support::outcome::utf8;
use crate::support::{self, Analyze, Conversation, Ends, Outcome, Random, json, tap};
use h2lens::body::{Options, Schema};
use http::uri::{PathAndQuery, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::CompressionEncoding;
use tonic::server::{ClientStreamingService, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

type Codec = ProstCodec<Item, Item>;
type Promised<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// `shop.v1.Item` of `testdata/shop.proto`.
#[derive(Clone, PartialEq, Message)]
struct Item {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "2")]
    amount: i64,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<Item>,
}

impl Item {
    fn any(random: &mut Random, depth: usize) -> Self {
        let length = if depth == 0 && random.chance(50) { 20_000 } else { *random.pick(&[0, 1, 4, 30, 200]) };
        let name =
            (0..length).map(|_| *random.pick(&['a', 'Z', '7', ' ', '"', '\n', 'ß', '\u{1f6d2}'])).collect();
        let amount = (random.next() as i64) >> random.below(64);
        let parts = if depth < 2 { random.below(4) } else { 0 };
        Self { name, amount, parts: (0..parts).map(|_| Self::any(random, depth + 1)).collect() }
    }

    /// As protobuf's JSON has it: without what is not set.
    fn json(&self) -> Value {
        let mut value = json!({});
        if !self.name.is_empty() {
            value["name"] = self.name.clone().into();
        }
        if self.amount != 0 {
            value["amount"] = self.amount.to_string().into();
        }
        if !self.parts.is_empty() {
            value["parts"] = self.parts.iter().map(Self::json).collect();
        }
        value
    }
}

/// `google.rpc.Status` without details of its own.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The four shapes of a call, as the methods of `shop.v1.Store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Price,
    Find,
    Fill,
    Swap,
}

/// What is asked in a call, and what is answered.
#[derive(Clone, Debug)]
struct Call {
    shape: Shape,
    coding: Option<CompressionEncoding>,
    asked: Vec<Item>,
    answers: Vec<Item>,
    end: Option<Status>,
}

impl Call {
    fn any(random: &mut Random) -> Self {
        let shape = *random.pick(&[Shape::Price, Shape::Find, Shape::Fill, Shape::Swap]);
        let coding =
            *random.pick(&[None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Deflate)]);
        let end = random.chance(250).then(|| {
            let (code, message) = (Code::NotFound, "no such item: gh\u{f6}st");
            let details = Details { code: code as i32, message: message.to_owned() };
            Status::with_details(code, message, details.encode_to_vec().into())
        });
        let asks_many = matches!(shape, Shape::Fill | Shape::Swap);
        let answers_many = matches!(shape, Shape::Find | Shape::Swap);
        let asked = if asks_many { random.below(7) } else { 1 };
        let answers = if answers_many { random.below(7) } else { usize::from(end.is_none()) };
        let mut items = |n| (0..n).map(|_| Item::any(random, 0)).collect();
        Self { shape, coding, asked: items(asked), answers: items(answers), end }
    }

    fn code(&self) -> Code {
        self.end.as_ref().map_or(Code::Ok, Status::code)
    }
}

/// The server's side of a call; what it gets is noted.
struct Shop {
    call: Call,
    got: Arc<Mutex<Vec<Item>>>,
}

impl Shop {
    fn get(&self, item: Item) {
        self.got.lock().unwrap().push(item);
    }

    fn one(&self) -> Result<Response<Item>, Status> {
        self.call.end.clone().map_or_else(|| Ok(Response::new(self.call.answers[0].clone())), Err)
    }

    /// An answer for each question as it comes, then the others.
    async fn stream(self, mut asked: Option<Streaming<Item>>, send: mpsc::Sender<Result<Item, Status>>) {
        let mut answers = self.call.answers.iter().cloned();
        while let Some(stream) = &mut asked
            && let Some(item) = stream.message().await.unwrap()
        {
            self.get(item);
            if let Some(answer) = answers.next() {
                send.send(Ok(answer)).await.unwrap();
            }
        }
        for answer in answers.map(Ok).chain(self.call.end.clone().map(Err)) {
            send.send(answer).await.unwrap();
        }
    }
}

type Answers = Response<ReceiverStream<Result<Item, Status>>>;

fn answers(shop: Shop, asked: Option<Streaming<Item>>) -> Promised<Result<Answers, Status>> {
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(shop.stream(asked, send));
    Box::pin(async { Ok(Response::new(ReceiverStream::new(receive))) })
}

impl UnaryService<Item> for Shop {
    type Response = Item;
    type Future = Promised<Result<Response<Item>, Status>>;

    fn call(&mut self, request: Request<Item>) -> Self::Future {
        self.get(request.into_inner());
        let answer = self.one();
        Box::pin(async { answer })
    }
}

impl ClientStreamingService<Item> for Shop {
    type Response = Item;
    type Future = Promised<Result<Response<Item>, Status>>;

    fn call(&mut self, request: Request<Streaming<Item>>) -> Self::Future {
        let shop = Self { call: self.call.clone(), got: Arc::clone(&self.got) };
        Box::pin(async move {
            let mut asked = request.into_inner();
            while let Some(item) = asked.message().await? {
                shop.get(item);
            }
            shop.one()
        })
    }
}

impl ServerStreamingService<Item> for Shop {
    type Response = Item;
    type ResponseStream = ReceiverStream<Result<Item, Status>>;
    type Future = Promised<Result<Answers, Status>>;

    fn call(&mut self, request: Request<Item>) -> Self::Future {
        self.get(request.into_inner());
        answers(Self { call: self.call.clone(), got: Arc::clone(&self.got) }, None)
    }
}

impl StreamingService<Item> for Shop {
    type Response = Item;
    type ResponseStream = ReceiverStream<Result<Item, Status>>;
    type Future = Promised<Result<Answers, Status>>;

    fn call(&mut self, request: Request<Streaming<Item>>) -> Self::Future {
        answers(Self { call: self.call.clone(), got: Arc::clone(&self.got) }, Some(request.into_inner()))
    }
}

async fn serve(shop: Shop, request: http::Request<Incoming>) -> http::Response<Body> {
    let mut grpc = tonic::server::Grpc::new(Codec::default());
    for coding in [CompressionEncoding::Gzip, CompressionEncoding::Deflate] {
        grpc = grpc.accept_compressed(coding).send_compressed(coding);
    }
    match shop.call.shape {
        Shape::Price => grpc.unary(shop, request).await,
        Shape::Find => grpc.server_streaming(shop, request).await,
        Shape::Fill => grpc.client_streaming(shop, request).await,
        Shape::Swap => grpc.streaming(shop, request).await,
    }
}

/// hyper's client, as tonic's wants it.
#[derive(Clone)]
struct Client(SendRequest<Body>);

impl GrpcService<Body> for Client {
    type ResponseBody = Incoming;
    type Error = hyper::Error;
    type Future = Promised<hyper::Result<http::Response<Incoming>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// The client's side of a call: what it gets, and the status.
async fn ask(client: Client, number: usize, call: Call) -> (Vec<Item>, Code) {
    let mut grpc = tonic::client::Grpc::with_origin(client, Uri::from_static("http://shop.example"));
    if let Some(coding) = call.coding {
        grpc = grpc.send_compressed(coding).accept_compressed(coding);
    }
    grpc.ready().await.unwrap();
    let path = PathAndQuery::try_from(format!("/shop.v1.Store/{:?}", call.shape)).unwrap();
    let (one, all) = (call.asked.first().cloned(), tokio_stream::iter(call.asked));
    let one = || request(number, one.clone().unwrap());
    let codec = Codec::default();
    let answer = match call.shape {
        Shape::Price => Err(grpc.unary(one(), path, codec).await),
        Shape::Fill => Err(grpc.client_streaming(request(number, all), path, codec).await),
        Shape::Find => Ok(grpc.server_streaming(one(), path, codec).await),
        Shape::Swap => Ok(grpc.streaming(request(number, all), path, codec).await),
    };
    let mut got = Vec::new();
    let end = match answer {
        Err(one) => one.map(|item| got.push(item.into_inner())),
        Ok(Err(status)) => Err(status),
        Ok(Ok(stream)) => {
            let mut stream = stream.into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(item)) => got.push(item),
                    Ok(None) => break Ok(()),
                    Err(status) => break Err(status),
                }
            }
        }
    };
    (got, end.map_or_else(|status| status.code(), |()| Code::Ok))
}

/// The server knows the call by `x-call`.
fn request<T>(number: usize, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-call", number.into());
    request
}

/// Makes the calls at once. Both ends get what the other one was to send.
fn record(calls: &[Call]) -> Vec<Event> {
    block_on(async {
        let (client_end, server_end, tape) = tap::wire(64 << 10);
        let got: Vec<Arc<Mutex<Vec<Item>>>> = calls.iter().map(|_| Arc::default()).collect();
        let (planned, noted) = (calls.to_vec(), got.clone());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let number: usize = request.headers()["x-call"].to_str().unwrap().parse().unwrap();
            let shop = Shop { call: planned[number].clone(), got: Arc::clone(&noted[number]) };
            async move { Ok::<_, Infallible>(serve(shop, request).await) }
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let server = tokio::spawn(server.serve_connection(TokioIo::new(server_end), service));
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client_end))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let mut asking = JoinSet::new();
        for (number, call) in calls.iter().cloned().enumerate() {
            let client = Client(client.clone());
            asking.spawn(async move { (number, ask(client, number, call).await) });
        }
        for (number, (answers, code)) in asking.join_all().await {
            let call = &calls[number];
            assert_eq!((answers, code), (call.answers.clone(), call.code()), "what the client got");
            assert_eq!(*got[number].lock().unwrap(), call.asked, "what the server got");
        }
        drop(client);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        tap::recording(&tape)
    })
}

fn run(analyze: Analyze) -> Outcome {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/shop.proto");
    let schema = Schema::load(&[proto]).unwrap();
    analyze
        .bodies(Arc::new(Options {
            limit: 1 << 20,
            schema,
            contents: true,
            messages: true,
            ..Options::default()
        }))
        .run()
}

/// The calls by their streams, as the request's `x-call` tells.
fn streams<'a>(outcome: &Outcome, calls: &'a [Call]) -> BTreeMap<u32, &'a Call> {
    let number = |told: support::Call<'_>| -> usize {
        utf8(told.request.headers.first_value(b"x-call").unwrap()).parse().unwrap()
    };
    outcome.transactions().map(|told| (told.stream, &calls[number(told)])).collect()
}

fn assert_whole(call: &Call, told: &support::Call<'_>) {
    assert_eq!(told.view().rpc_method().map(utf8), Some(&*format!("shop.v1.Store/{:?}", call.shape)));
    assert_eq!(told.grpc.as_ref().unwrap().status, Some(call.code() as u32));
    let details = call.end.as_ref().map(|end| json!({ "code": end.code() as i32, "message": end.message() }));
    let told_details = told.contents().and_then(|contents| contents.grpc_details.as_deref());
    assert_eq!(told_details.map(json), details);
    for (from_client, sent) in [(true, &call.asked), (false, &call.answers)] {
        let messages = told.messages(from_client);
        assert_eq!(messages.len(), sent.len(), "{told:?}");
        for (sent, message) in sent.iter().zip(messages) {
            assert_eq!(message.kind.as_deref(), Some("shop.v1.Item"));
            assert_eq!(message.value.as_deref().map(json), Some(sent.json()));
            assert_eq!(message.compressed, Some(call.coding.is_some()));
        }
    }
}

#[test]
fn messages_are_those_of_both_ends() {
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let calls: Vec<_> = (0..random.between(10, 40)).map(|_| Call::any(&mut random)).collect();
        let events = record(&calls);
        for (n, cut) in Cut::ALL.into_iter().enumerate() {
            let outcome =
                run(Analyze::capture(&Conversation::of(Ends::v4(5), n as u64, &events, cut).capture()));
            assert!(outcome.complete(), "{:?}", outcome.coverage());
            let calls_by_stream = streams(&outcome, &calls);
            assert_eq!(calls_by_stream.len(), calls.len());
            outcome.transactions().for_each(|told| assert_whole(calls_by_stream[&told.stream], &told));
        }
    }
}

#[test]
fn without_some_of_the_packets_no_message_is_another() {
    let mut random = Random::new(7);
    let calls: Vec<_> = (0..40).map(|_| Call::any(&mut random)).collect();
    let events = record(&calls);
    let capture = |round: usize| {
        Conversation::of(Ends::v4(5), round as u64, &events, Cut::ALL[round % Cut::ALL.len()]).capture()
    };
    let by_stream = streams(&run(Analyze::capture(&capture(0))), &calls);
    let (rounds, mut shown) = (24, 0);
    for round in 0..rounds {
        let whole = capture(round);
        let capture = match round % 3 {
            0 => whole.lossy(random.between(5, 150), &mut random),
            1 => whole.lossy(30, &mut random).reordered(50, &mut random),
            _ => whole.late(random.between(1, whole.packets.len() / 2)),
        };
        for told in run(Analyze::capture(&capture)).transactions() {
            let call = by_stream[&told.stream];
            for (from_client, sent) in [(true, &call.asked), (false, &call.answers)] {
                let mut sent = sent.iter().map(Item::json);
                for told in told.messages(from_client).iter().filter_map(|message| message.value.as_deref()) {
                    assert!(sent.any(|sent| sent == json(told)), "round {round}, {call:?}: {told}");
                    shown += 1;
                }
            }
        }
    }
    let sent: usize = calls.iter().map(|call| call.asked.len() + call.answers.len()).sum();
    assert!(shown > sent * rounds / 8, "{shown} of {} messages", sent * rounds);
}
