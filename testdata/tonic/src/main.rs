//! A client and a server of tonic over loopback, captured: calls of all four shapes, with and without compression, with
//! metadata, errors, and messages that take several frames. Both ends note each message that they send or get; where the two
//! notes differ nothing is written.

mod shop {
    tonic::include_proto!("shop.v1");
}

use serde_json::{Value, json};
use shop::Item;
use shop::store_client::StoreClient;
use shop::store_server::{Store, StoreServer};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status, Streaming};

type Items = Pin<Box<dyn Stream<Item = Result<Item, Status>> + Send>>;

/// What one end saw: the call, who sent, and the message.
type Notes = Arc<Mutex<Vec<(String, &'static str, Value)>>>;

fn note(notes: &Notes, call: &str, from: &'static str, item: &Item) {
    notes.lock().unwrap().push((call.to_owned(), from, value(item)));
}

/// As protobuf's JSON has it: without what is not set.
fn value(item: &Item) -> Value {
    let mut value = json!({});
    if !item.name.is_empty() {
        value["name"] = item.name.clone().into();
    }
    if item.amount != 0 {
        value["amount"] = item.amount.to_string().into();
    }
    if !item.parts.is_empty() {
        value["parts"] = item.parts.iter().map(self::value).collect();
    }
    value
}

fn item(name: impl Into<String>, amount: i64, parts: Vec<Item>) -> Item {
    Item { name: name.into(), amount, parts }
}

/// A call is known by its metadata `x-call`.
fn call_of<T>(request: &Request<T>) -> String {
    request.metadata().get("x-call").and_then(|call| call.to_str().ok()).unwrap_or_default().to_owned()
}

struct Shop(Notes);

impl Shop {
    /// Takes what the client sends.
    async fn all(&self, call: &str, stream: &mut Streaming<Item>) -> Result<Vec<Item>, Status> {
        let mut items = Vec::new();
        while let Some(item) = stream.message().await? {
            note(&self.0, call, "client", &item);
            items.push(item);
        }
        Ok(items)
    }

    /// Sends these.
    fn stream(&self, call: String, items: Vec<Item>, end: Option<Status>) -> Response<Items> {
        let notes = Arc::clone(&self.0);
        let sent = items.into_iter().map(move |item| {
            note(&notes, &call, "server", &item);
            Ok(item)
        });
        let mut response: Response<Items> =
            Response::new(Box::pin(tokio_stream::iter(sent.chain(end.map(Err)))));
        response.metadata_mut().insert("x-shop", "open".parse().unwrap());
        response
    }
}

#[tonic::async_trait]
impl Store for Shop {
    type FindStream = Items;
    type SwapStream = Items;

    async fn price(&self, request: Request<Item>) -> Result<Response<Item>, Status> {
        let call = call_of(&request);
        let asked = request.into_inner();
        note(&self.0, &call, "client", &asked);
        if asked.name == "ghost" {
            let mut status =
                Status::with_details(Code::NotFound, "no such item: gh\u{f6}st", b"\x08\x05"[..].into());
            status.metadata_mut().insert("x-hint", "look elsewhere".parse().unwrap());
            return Err(status);
        }
        let answer = item(asked.name.clone(), asked.amount * 2, vec![asked]);
        note(&self.0, &call, "server", &answer);
        Ok(Response::new(answer))
    }

    async fn find(&self, request: Request<Item>) -> Result<Response<Items>, Status> {
        let call = call_of(&request);
        let asked = request.into_inner();
        note(&self.0, &call, "client", &asked);
        let found = (0..asked.amount).map(|n| item(format!("{}-{n}", asked.name), -n, Vec::new())).collect();
        let end = (asked.name == "half").then(|| Status::unavailable("closed at noon"));
        Ok(self.stream(call, found, end))
    }

    async fn fill(&self, request: Request<Streaming<Item>>) -> Result<Response<Item>, Status> {
        let call = call_of(&request);
        let items = self.all(&call, &mut request.into_inner()).await?;
        let answer = item("cart", items.iter().map(|item| item.amount).sum(), Vec::new());
        note(&self.0, &call, "server", &answer);
        Ok(Response::new(answer))
    }

    async fn swap(&self, request: Request<Streaming<Item>>) -> Result<Response<Items>, Status> {
        let call = call_of(&request);
        let items = self.all(&call, &mut request.into_inner()).await?;
        Ok(self.stream(call, items.into_iter().rev().collect(), None))
    }
}

fn request<T>(call: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-call", call.parse().unwrap());
    request.set_timeout(Duration::from_secs(5));
    request
}

/// Notes what a call sends.
fn sending(notes: &Notes, call: &str, items: Vec<Item>) -> impl Stream<Item = Item> + use<> {
    let (notes, call) = (Arc::clone(notes), call.to_owned());
    tokio_stream::iter(items).map(move |item| {
        note(&notes, &call, "client", &item);
        item
    })
}

async fn receive(notes: &Notes, call: &str, answer: Result<Response<Streaming<Item>>, Status>) -> Code {
    let mut stream = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => return status.code(),
    };
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => note(notes, call, "server", &item),
            Err(status) => return status.code(),
        }
    }
    Code::Ok
}

fn received(notes: &Notes, call: &str, answer: Result<Response<Item>, Status>) -> Code {
    match answer {
        Ok(answer) => note(notes, call, "server", answer.get_ref()),
        Err(status) => return status.code(),
    }
    Code::Ok
}

/// All shapes of calls, some of them at once; with the status of each.
async fn calls(
    channel: Channel,
    kind: &str,
    coding: Option<CompressionEncoding>,
    notes: &Notes,
) -> Vec<(String, &'static str, Code)> {
    let mut client = StoreClient::new(channel).max_decoding_message_size(1 << 20);
    if let Some(coding) = coding {
        client = client.send_compressed(coding).accept_compressed(coding);
    }
    let name = |shape: &str| format!("{kind}-{shape}");
    let mut told = Vec::new();
    for (shape, asked) in [("price", "lamp"), ("ghost", "ghost")] {
        let (call, asked) = (name(shape), item(asked, 21, Vec::new()));
        note(notes, &call, "client", &asked);
        let answer = client.price(request(&call, asked)).await;
        told.push((call.clone(), "Price", received(notes, &call, answer)));
    }
    for (shape, asked, amount) in [("find", "bolt", 5), ("half", "half", 2), ("none", "none", 0)] {
        let (call, asked) = (name(shape), item(asked, amount, Vec::new()));
        note(notes, &call, "client", &asked);
        let answer = client.find(request(&call, asked)).await;
        told.push((call.clone(), "Find", receive(notes, &call, answer).await));
    }
    // A message of several frames, and one of many fields.
    let large = item("x".repeat(17_000), 1, Vec::new());
    let deep = item(
        "",
        0,
        (0..40).map(|n| item(format!("part {n}"), n, vec![item("screw", 4, Vec::new())])).collect(),
    );
    let (fill, swap) = (name("fill"), name("swap"));
    let (mut one, mut other) = (client.clone(), client.clone());
    let (filled, swapped) = tokio::join!(
        one.fill(request(
            &fill,
            sending(notes, &fill, vec![item("a", 1, Vec::new()), large, item("c", 3, Vec::new())])
        )),
        async {
            let items = vec![item("first", 1, Vec::new()), deep, item("last", 1 << 40, Vec::new())];
            receive(notes, &swap, other.swap(request(&swap, sending(notes, &swap, items))).await).await
        },
    );
    told.push((fill.clone(), "Fill", received(notes, &fill, filled)));
    told.push((swap, "Swap", swapped));
    told
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = PathBuf::from(std::env::args().nth(1).ok_or("where to?")?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (here, there) = (Notes::default(), Notes::default());
    let mut service = StoreServer::new(Shop(Arc::clone(&there)));
    let codings = [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd];
    for coding in codings {
        service = service.accept_compressed(coding).send_compressed(coding);
    }
    tokio::spawn(
        Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let mut dump = Command::new("tcpdump")
        .args(["-i", "lo", "-U", "-s", "0", "-w"])
        .arg(target.join("tonic.pcap"))
        .arg(format!("tcp port {port}"))
        .stderr(Stdio::null())
        .spawn()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut told = Vec::new();
    for (kind, coding) in [
        ("plain", None),
        ("gzip", Some(CompressionEncoding::Gzip)),
        ("deflate", Some(CompressionEncoding::Deflate)),
        ("zstd", Some(CompressionEncoding::Zstd)),
    ] {
        let channel = Channel::from_shared(format!("http://127.0.0.1:{port}"))?.connect().await?;
        told.extend(calls(channel, kind, coding, &here).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Command::new("kill").args(["-INT", &dump.id().to_string()]).status()?;
    dump.wait()?;
    let (here, there) = (here.lock().unwrap(), there.lock().unwrap());
    let mut text = String::new();
    for (call, method, status) in told {
        let of = |notes: &[(String, &'static str, Value)], from| -> Vec<Value> {
            notes.iter().filter(|note| note.0 == call && note.1 == from).map(|note| note.2.clone()).collect()
        };
        let [client, server] = ["client", "server"].map(|from| of(&here, from));
        assert_eq!(
            (&client, &server),
            (&of(&there, "client"), &of(&there, "server")),
            "{call}: the ends differ"
        );
        let line = json!({"call": call, "method": format!("shop.v1.Store/{method}"), "status": status as i32, "client": client, "server": server});
        text += &format!("{line}\n");
    }
    Ok(std::fs::write(target.join("tonic.json"), text)?)
}
