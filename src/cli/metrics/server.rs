//! The HTTP server: GET of one page, for a few clients at a time, none of which is waited for. It reads a head of bounded size
//! and time, answers, and closes; whatever the clients do, the analysis is asked for a snapshot once a second at the most.

use super::exposition::{CONTENT_TYPE, Snapshot, exposition};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A snapshot is shown again for so long, so that those who ask often do not slow the analysis down.
const FRESH: Duration = Duration::from_secs(1);

/// How long a new one is waited for, before an older one is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// Clients at one time. A further one takes the place of the one that keeps its own without need for longest.
const CLIENTS: usize = 16;

/// How long a client may take to ask, and then to take the answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);

/// Octets of a request's head.
const HEAD: usize = 8 << 10;

/// Reads of what a client sends behind its request.
const READS: usize = 8;

/// Header fields of a request.
const FIELDS: usize = 64;

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

    /// Answers on threads of its own, for as long as the process lives.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(in crate::cli) fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let answer_all = move || {
            let places = Arc::new(Places::default());
            loop {
                let Ok((stream, _)) = listener.accept() else {
                    // Out of descriptors, perhaps: that may pass.
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                let Some(client) = Places::take(&places, stream) else { continue };
                let shared = Arc::clone(&shared);
                // A client that has gone, or is too slow, needs no answer.
                let answer = move || drop(answer(&shared, &client));
                // Where there is no thread to be had, the client is turned away.
                let _ = std::thread::Builder::new().name("metrics client".to_owned()).spawn(answer);
            }
        };
        std::thread::Builder::new().name("metrics".to_owned()).spawn(answer_all).map(drop)
    }
}

/// Who is being answered, oldest first.
#[derive(Default)]
struct Places {
    clients: Mutex<Vec<Arc<Place>>>,
}

/// A client's place.
struct Place {
    stream: TcpStream,
    /// It has asked, and what it asked for is being made: nothing is waited for that it has to do.
    served: AtomicBool,
}

/// A client, for as long as it is answered.
struct Client {
    places: Arc<Places>,
    place: Arc<Place>,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new client. Those that do not ask, or do not take their answer, cost others nothing: the oldest of them
    /// is disconnected for it. `None` where there is none.
    fn take(places: &Arc<Self>, stream: TcpStream) -> Option<Client> {
        let mut clients = places.lock();
        if clients.len() >= CLIENTS {
            let idle = clients.iter().position(|client| !client.served.load(Ordering::Relaxed))?;
            // Its thread ends as it reads or writes next.
            let _ = clients.remove(idle).stream.shutdown(Shutdown::Both);
        }
        let place = Arc::new(Place { stream, served: AtomicBool::new(false) });
        clients.push(Arc::clone(&place));
        Some(Client { places: Arc::clone(places), place })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.places.lock().retain(|place| !Arc::ptr_eq(place, &self.place));
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Metrics,
    AnotherPage,
    AnotherMethod,
    Nonsense,
    TooMuch,
}

fn answer(shared: &Shared, client: &Client) -> io::Result<()> {
    let mut stream = &client.place.stream;
    let (status, text) = match read_head(stream)? {
        Asked::Metrics => {
            client.place.served.store(true, Ordering::Relaxed);
            let snapshot = shared.snapshot();
            client.place.served.store(false, Ordering::Relaxed);
            match snapshot {
                Some(snapshot) => ("200 OK", exposition(&snapshot)),
                None => ("503 Service Unavailable", "not ready\n".to_owned()),
            }
        }
        Asked::AnotherPage => ("404 Not Found", "the metrics are at /metrics\n".to_owned()),
        Asked::AnotherMethod => ("405 Method Not Allowed\r\nAllow: GET", "only GET\n".to_owned()),
        Asked::Nonsense => ("400 Bad Request", "no request\n".to_owned()),
        Asked::TooMuch => ("431 Request Header Fields Too Large", "too long a request\n".to_owned()),
    };
    let len = text.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    write(stream, &[head.as_bytes(), text.as_bytes()].concat())?;
    stream.shutdown(Shutdown::Write)?;
    // What is sent still is read for a moment: a reset would overtake the answer.
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut rest = [0; HEAD];
    for _ in 0..READS {
        if matches!(stream.read(&mut rest), Ok(0) | Err(_)) {
            break;
        }
    }
    Ok(())
}

/// Reads a request's head, within its time.
fn read_head(mut stream: &TcpStream) -> io::Result<Asked> {
    let began = Instant::now();
    let mut head = Vec::new();
    loop {
        stream.set_read_timeout(Some(left(began)?))?;
        let mut part = [0; 1024];
        let len = stream.read(&mut part)?;
        if len == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(part.get(..len).unwrap_or_default());
        if let Some(asked) = asked(&head) {
            return Ok(asked);
        }
    }
}

/// What a head asks for; `None` where it is not whole.
fn asked(head: &[u8]) -> Option<Asked> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head.get(..HEAD).unwrap_or(head)) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if head.len() < HEAD => return None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Some(Asked::TooMuch),
        Err(_) => return Some(Asked::Nonsense),
    }
    let path = request.path.and_then(|path| path.split('?').next());
    Some(match (request.method, path) {
        (Some("GET"), Some("/metrics")) => Asked::Metrics,
        (Some("GET"), _) => Asked::AnotherPage,
        _ => Asked::AnotherMethod,
    })
}

/// Writes an answer, within its time.
fn write(mut stream: &TcpStream, answer: &[u8]) -> io::Result<()> {
    let began = Instant::now();
    let mut rest = answer;
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left(began)?))?;
        let len = stream.write(rest)?;
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(())
}

/// What is left of a client's time.
fn left(began: Instant) -> io::Result<Duration> {
    let left = CLIENT_PATIENCE.saturating_sub(began.elapsed());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn served() -> (Metrics, SocketAddr) {
        let metrics = Metrics::default();
        let listener = Metrics::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        metrics.serve(listener).unwrap();
        (metrics, address)
    }

    #[test]
    fn answers_what_is_asked_and_asks_for_it() {
        let (metrics, address) = served();
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
        assert!(get(address, "HEAD /metrics").starts_with("HTTP/1.1 405"));
        let long = format!("GET /metrics?{}", "x".repeat(2 * HEAD));
        assert!(get(address, &long).starts_with("HTTP/1.1 431"));
        assert!(get(address, "\x16\x03\x01").starts_with("HTTP/1.1 400"));
    }

    #[test]
    fn a_head_is_judged_once_it_is_whole() {
        let whole = b"GET /metrics?x HTTP/1.1\r\nHost: x\r\n\r\n";
        assert!((0..whole.len()).all(|len| asked(&whole[..len]).is_none()));
        assert_eq!(asked(whole), Some(Asked::Metrics));
        let fields = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(FIELDS + 1));
        assert_eq!(asked(fields.as_bytes()), Some(Asked::TooMuch));
        let endless = [b"GET /", &[b'x'; HEAD][..]].concat();
        assert_eq!(asked(&endless[..HEAD]), Some(Asked::TooMuch));
    }

    /// Those who ask slowly, or for nothing, take their places for a while alone, and the analysis never waits for them.
    #[test]
    fn slow_clients_are_given_up() {
        let (metrics, address) = served();
        let slow: Vec<_> = (0..2 * CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect();
        let began = Instant::now();
        metrics.set(Snapshot::default());
        assert!(!metrics.is_wanted());
        assert!(began.elapsed() < Duration::from_secs(1));
        // All of them are closed: those whose place another took at once, the others when their time is over.
        for mut stream in slow {
            stream.set_read_timeout(Some(2 * CLIENT_PATIENCE)).unwrap();
            assert!(matches!(stream.read(&mut [0; 1]), Ok(0)), "it is closed");
        }
        assert!(began.elapsed() < 2 * CLIENT_PATIENCE);
        metrics.set(Snapshot::default());
        assert!(get(address, "GET /metrics").starts_with("HTTP/1.1 200"));
    }

    /// However many say nothing, or take no answer: whoever asks is answered meanwhile, and at once.
    #[test]
    fn idle_clients_shut_nobody_out() {
        let (metrics, address) = served();
        metrics.set(Snapshot::default());
        let began = Instant::now();
        let connect = |_| TcpStream::connect(address).unwrap();
        let idle: Vec<_> = (0..100).map(connect).collect();
        let slow: Vec<_> =
            (0..100).map(connect).inspect(|mut stream| stream.write_all(b"GET /").unwrap()).collect();
        for _ in 0..5 {
            metrics.set(Snapshot::default());
            assert!(get(address, "GET /metrics").starts_with("HTTP/1.1 200"));
        }
        assert!(began.elapsed() < CLIENT_PATIENCE, "nobody was waited for: {:?}", began.elapsed());
        drop((idle, slow));
    }
}
