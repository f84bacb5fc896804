//! A client and a server of the `h2` crate that stop where the test says, for as long as it says: the record has the same.

use crate::support::conversation::{Cut, Event};
use crate::support::endpoints::block_on;
use crate::support::tap::{Tape, recording, wire};
use crate::support::{Analyze, Conversation, Ends};
use bytes::Bytes;
use h2lens::record::TimePart;
use http::{Request, Response};
use std::sync::{Arc, Mutex};

/// Octets that a stream's window has at first.
const WINDOW: usize = 65_535;

/// Time passes where the script says, and nowhere else.
#[derive(Clone)]
struct Script {
    tape: Tape,
    /// Before which event of the tape how many milliseconds pass.
    pauses: Arc<Mutex<Vec<(usize, u64)>>>,
}

impl Script {
    fn new(tape: &Tape) -> Self {
        Self { tape: Arc::clone(tape), pauses: Arc::default() }
    }

    /// All that can be sent is; then so many milliseconds pass.
    async fn pause(&self, millis: u64) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.pauses.lock().unwrap().push((self.tape.lock().unwrap().len(), millis));
    }

    /// The capture of what was said.
    fn conversation(&self) -> Conversation {
        let mut conversation = Conversation::new(Ends::v4(1), 9);
        conversation.handshake();
        let pauses = self.pauses.lock().unwrap();
        for (n, event) in recording(&self.tape).into_iter().enumerate() {
            let millis: u64 =
                pauses.iter().filter(|(before, _)| *before == n).map(|(_, millis)| millis).sum();
            conversation = conversation.after(millis * 1_000_000);
            if matches!(event, Event::Wrote(..)) {
                conversation.events(&[event], Cut::Full);
            }
        }
        conversation
    }
}

/// Sends a request in two pieces, and reads the response a window at a time.
async fn ask(io: crate::support::tap::Tap, script: Script) {
    let (mut sender, connection) = h2::client::Builder::new()
        .initial_connection_window_size(1 << 20)
        .handshake::<_, Bytes>(io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post("http://stalls.example/upload").body(()).unwrap();
    let (response, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(b"first"), false).unwrap();
    script.pause(120).await;
    body.send_data(Bytes::from_static(b"second"), true).unwrap();
    let mut content = response.await.unwrap().into_body();
    let mut held = 0;
    while let Some(piece) = content.data().await {
        held += piece.unwrap().len();
        if held == WINDOW {
            script.pause(300).await;
            content.flow_control().release_capacity(std::mem::take(&mut held)).unwrap();
        }
    }
}

/// Thinks, begins to answer, stops, and goes on.
async fn answer(io: crate::support::tap::Tap, script: Script) {
    let mut connection = h2::server::handshake(io).await.unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    let driver = tokio::spawn(async move { while connection.accept().await.is_some() {} });
    let mut content = request.into_body();
    while let Some(piece) = content.data().await {
        let _ = content.flow_control().release_capacity(piece.unwrap().len());
    }
    script.pause(250).await;
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(&[7; 1000]), false).unwrap();
    script.pause(150).await;
    stream.send_data(Bytes::from(vec![7; 2 * WINDOW + 50_000 - 1000]), true).unwrap();
    driver.await.unwrap();
}

/// Nanoseconds that are these milliseconds, give or take two.
fn is_near(nanos: u64, millis: u64) -> bool {
    nanos.abs_diff(millis * 1_000_000) <= 2_000_000
}

#[test]
fn the_parts_are_what_both_ends_did() {
    let script = block_on(async {
        let (client, server, tape) = wire(64 << 10);
        let script = Script::new(&tape);
        let server = tokio::spawn(answer(server, script.clone()));
        ask(client, script.clone()).await;
        server.abort();
        script
    });
    let outcome = Analyze::capture(&script.conversation().capture()).run();
    let call = outcome.transactions().next().unwrap();
    let time = call.time.unwrap();
    for (part, millis) in [
        (TimePart::ClientPause, 120),
        (TimePart::Wait, 250),
        (TimePart::ServerPause, 150),
        (TimePart::StreamWindow, 600),
        (TimePart::ConnectionWindow, 0),
        (TimePart::TcpLoss, 0),
    ] {
        assert!(is_near(time.parts.get(part), millis), "{part:?} is not {millis} ms: {time:?}");
    }
    assert!(is_near(time.stream_window_held, 600), "{time:?}");
}
