//! The HTTP server.

use super::exposition::{CONTENT_TYPE, Snapshot, exposition};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tiny_http::{Header, Method, Request, Response, Server};

/// A snapshot is shown again for so long, so that those who ask often do not slow the analysis down.
const FRESH: Duration = Duration::from_secs(1);

/// How long a new one is waited for, before an older one is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// The latest snapshot, and whether somebody waits for a newer.
#[derive(Clone, Default)]
pub(in crate::cli) struct Metrics {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<ServerState>,
    changed: Condvar,
}

#[derive(Default)]
struct ServerState {
    latest: Option<(Instant, Arc<Snapshot>)>,
    wanted: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh snapshot or, if none comes in time, the last one.
    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        let asked = Instant::now();
        let mut state = self.lock();
        while state.latest.as_ref().is_none_or(|(taken, _)| taken.elapsed() >= FRESH) {
            let Some(left) = PATIENCE.checked_sub(asked.elapsed()) else { break };
            state.wanted = true;
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.latest.as_ref().map(|(_, snapshot)| Arc::clone(snapshot))
    }
}

impl Metrics {
    /// Somebody waits for a snapshot.
    pub(in crate::cli) fn is_wanted(&self) -> bool {
        self.shared.lock().wanted
    }

    /// A new snapshot.
    pub(in crate::cli) fn set(&self, snapshot: Snapshot) {
        let mut state = self.shared.lock();
        state.latest = Some((Instant::now(), Arc::new(snapshot)));
        state.wanted = false;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Takes the port, before the rights to do so are given up.
    ///
    /// # Errors
    /// It is taken, or not allowed.
    pub(in crate::cli) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    /// Answers on a thread of its own, for as long as the process lives.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(in crate::cli) fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
        let shared = Arc::clone(&self.shared);
        let answer_all = move || {
            for request in server.incoming_requests() {
                // A client that has gone needs no answer.
                let _ = answer(&shared, request);
            }
        };
        std::thread::Builder::new().name("metrics".to_owned()).spawn(answer_all).map(drop)
    }
}

fn answer(shared: &Shared, request: Request) -> io::Result<()> {
    let path = request.url().split('?').next().unwrap_or_default();
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("only GET\n").with_status_code(405));
    }
    if path != "/metrics" {
        return request.respond(Response::from_string("the metrics are at /metrics\n").with_status_code(404));
    }
    let Some(snapshot) = shared.snapshot() else {
        return request.respond(Response::from_string("not ready\n").with_status_code(503));
    };
    let mut response = Response::from_string(exposition(&snapshot));
    if let Ok(header) = Header::from_bytes("Content-Type", CONTENT_TYPE) {
        response.add_header(header);
    }
    request.respond(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn get(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn answers_what_is_asked_and_asks_for_it() {
        let metrics = Metrics::default();
        let listener = Metrics::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        metrics.serve(listener).unwrap();
        assert!(!metrics.is_wanted());
        let theirs = metrics.clone();
        let analysis = std::thread::spawn(move || {
            while !theirs.is_wanted() {
                std::thread::yield_now();
            }
            theirs.set(Snapshot { output_bytes: 77, ..Snapshot::default() });
        });
        let text = get(address, "GET /metrics");
        analysis.join().unwrap();
        assert!(text.starts_with("HTTP/1.1 200") && text.contains(CONTENT_TYPE), "{text}");
        assert!(text.contains("\nh2lens_table_bytes{table=\"output\"} 77\n"), "{text}");
        assert!(!metrics.is_wanted());
        assert!(get(address, "GET /").starts_with("HTTP/1.1 404"));
        assert!(get(address, "POST /metrics").starts_with("HTTP/1.1 405"));
        let head = get(address, "HEAD /metrics");
        assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    }
}
