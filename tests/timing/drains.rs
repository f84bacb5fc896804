//! A real server that drains: of what it executed nothing is told to be safe. Runs where nginx is installed.

use crate::support::conversation::{Cut, Event, Side};
use crate::support::endpoints::block_on;
use crate::support::{Analyze, Capture, Conversation, Ends};
use h2lens::record::Retry;
use http::Request;
use std::collections::HashSet;
use std::io;
use std::net::{TcpListener, TcpStream as StdStream};
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Requests that nginx answers on a connection, and those that are sent.
const ANSWERED: usize = 10;
const SENT: usize = 40;

/// nginx, which logs the path of each request that it has executed.
struct Nginx {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Nginx {
    /// `None` where there is none, or it does not start.
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = directory.path().display();
        let configuration = format!(
            "daemon off; pid {path}/pid; error_log {path}/error.log; events {{}}\n\
             http {{ log_format path '$request_uri'; access_log {path}/access.log path;\n\
             server {{ listen 127.0.0.1:{port} http2; keepalive_requests {ANSWERED};\n\
             location / {{ return 200 'done'; }} }} }}\n"
        );
        std::fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
        let child = Self::command(directory.path()).spawn().ok()?;
        let server = Self { child, port, directory };
        let listens = || {
            std::thread::sleep(Duration::from_millis(50));
            StdStream::connect(("127.0.0.1", port)).is_ok()
        };
        (0..60).any(|_| listens()).then_some(server)
    }

    /// The paths of what it executed.
    fn executed(&self) -> HashSet<String> {
        std::thread::sleep(Duration::from_millis(200));
        let log = std::fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }

    fn command(directory: &Path) -> Command {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end, too.
        let _: Result<_, _> = Self::command(self.directory.path()).args(["-s", "stop"]).status();
        let _: Result<_, _> = self.child.wait();
    }
}

/// A client's end of TCP, with a recorder on it.
struct Recorder {
    stream: TcpStream,
    events: Arc<Mutex<Vec<Event>>>,
}

impl AsyncRead for Recorder {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = result {
            let read = buffer.filled()[before..].to_vec();
            let closed = Event::Closed(Side::Server);
            self.events.lock().unwrap().push(if read.is_empty() {
                closed
            } else {
                Event::Wrote(Side::Server, read)
            });
        }
        result
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = result {
            self.events.lock().unwrap().push(Event::Wrote(Side::Client, bytes[..written].to_vec()));
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Sends more requests on a connection than are answered on it; what was said.
async fn overload(port: u16, n: u16) -> Vec<Event> {
    let events = Arc::default();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let recorder = Recorder { stream, events: Arc::clone(&events) };
    let (mut sender, connection) = h2::client::handshake(recorder).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = Vec::new();
    for m in 0..SENT {
        let request = Request::get(format!("http://drain.example/{n}-{m}")).body(()).unwrap();
        let Ok(ready) = sender.clone().ready().await else { break };
        sender = ready;
        let Ok((answer, _)) = sender.send_request(request, true) else { break };
        answers.push(answer);
    }
    drop(sender);
    for answer in answers {
        let _: Result<_, _> = answer.await;
    }
    let _: Result<_, _> = tokio::time::timeout(Duration::from_secs(5), connection).await;
    let mut events: Vec<Event> = std::mem::take(&mut *events.lock().unwrap());
    if !events.contains(&Event::Closed(Side::Server)) {
        events.push(Event::Closed(Side::Server));
    }
    events
}

#[test]
fn nothing_that_nginx_executed_is_told_to_be_safe() {
    let Some(server) = Nginx::start() else { return };
    let captures = (0..8).map(|n| {
        let events = block_on(overload(server.port, n));
        Conversation::of(Ends::v4(n), n.into(), &events, Cut::Writes).capture()
    });
    let outcome = Analyze::capture(&Capture::merged(captures.collect::<Vec<_>>())).run();
    let executed = server.executed();
    assert!(executed.len() >= ANSWERED, "{executed:?}");
    for call in outcome.transactions().filter(|call| call.retry() == Some(Retry::Safe)) {
        assert!(!executed.contains(call.path().unwrap()), "{call:?}");
    }
}
