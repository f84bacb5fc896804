//! The requests and responses of an HTTP/1.1 connection, until one switches it over.
//!
//! State: each direction's place in its messages, and at most [`limits::HTTP1_PIPELINED`] requests that await
//! their response. Bodies are skipped. What comes behind a request that may switch the connection over is held,
//! at most [`limits::HTTP1_HEAD`] bytes.

use super::message::{Chunked, Framing, Lost, Position, framing, has_token, read_head};
use crate::base::limits;
use crate::base::time::Moment;
use crate::flow::Arrival;
use base64::Engine as _;
use std::collections::VecDeque;

/// Follows both directions.
#[derive(Debug)]
pub struct Dialogue {
    client: Position,
    server: Position,
    requests: VecDeque<Request>,
    /// The request whose head or body is being read.
    current: Option<Request>,
    head_first: Option<Moment>,
    /// How what the client has sent came that is held, and how many bytes each time.
    came: Vec<(Arrival, usize)>,
    declined: bool,
    limited: bool,
    /// A response head was read.
    answered: bool,
}

#[derive(Debug)]
struct Request {
    head: bool,
    connect: bool,
    upgrade: Option<Box<Upgraded>>,
}

impl Request {
    /// What its sender sends next may be another protocol: that is for the response to say.
    const fn holds(&self) -> bool {
        self.connect || self.upgrade.is_some()
    }
}

/// The request that asked for `h2c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgraded {
    /// Its fields as HTTP/2 has them: pseudo-header fields, then the others in lower case.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The SETTINGS payload of `HTTP2-Settings`.
    pub settings: Vec<u8>,
    /// Octets of its body.
    pub body: u64,
    /// The body, or its beginning.
    pub content: Vec<u8>,
    /// The packet with its first byte.
    pub first: Moment,
    /// The packet with its last byte.
    pub last: Moment,
}

impl Upgraded {
    fn keep(&mut self, bytes: &[u8]) {
        let room = limits::HTTP1_UPGRADE_CONTENT.saturating_sub(self.content.len());
        self.content.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn memory(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.len() + 64);
        fields.sum::<usize>() + self.settings.len() + self.content.capacity()
    }
}

/// How far a dialogue has come.
#[derive(Debug)]
pub enum Step {
    /// HTTP/1.1 goes on.
    More,
    /// It is not, or no longer, HTTP/1.1 that can be followed.
    Lost,
    /// The connection was switched over.
    Switched(Switch),
}

/// What a connection was switched to. The bytes behind the HTTP/1.1 messages belong to it: those that the client
/// had sent early, and so many of the last bytes given from the server.
#[derive(Debug)]
pub struct Switch {
    /// The request that became stream 1's; `None` for a CONNECT tunnel.
    pub upgraded: Option<Box<Upgraded>>,
    /// Client bytes that came behind the request.
    pub client_rest: Vec<u8>,
    /// How they came, and how many each time.
    came: Vec<(Arrival, usize)>,
    /// How many of the bytes just given are behind the response.
    pub server_rest: usize,
}

impl Switch {
    /// The client bytes behind the request, as they came.
    pub fn client_pieces(&self) -> impl Iterator<Item = (&Arrival, &[u8])> {
        pieces(&self.client_rest, &self.came)
    }
}

impl Default for Dialogue {
    fn default() -> Self {
        let head = || Position::Head(Vec::new());
        Self {
            client: head(),
            server: head(),
            requests: VecDeque::new(),
            current: None,
            head_first: None,
            came: Vec::new(),
            declined: false,
            limited: false,
            answered: false,
        }
    }
}

impl Dialogue {
    /// A server has answered an upgrade to `h2c` without switching.
    pub fn declined(&self) -> bool {
        self.declined
    }

    /// The server's next bytes begin a response, and no request is there that it could answer: one is captured later,
    /// perhaps.
    pub fn awaits_request(&self) -> bool {
        matches!(self.server, Position::Head(_))
            && self.requests.is_empty()
            && self.current.as_ref().is_none_or(|request| request.upgrade.is_some())
    }

    /// What of the server's first response head has come; `None` once that was read.
    pub fn first_head(&self) -> Option<&[u8]> {
        match &self.server {
            Position::Head(head) if !self.answered => Some(head),
            _ => None,
        }
    }

    /// It is not followed any more because a cap struck.
    pub fn limited(&self) -> bool {
        self.limited
    }

    /// Bytes of memory held, about.
    pub fn memory(&self) -> usize {
        let requests = self.requests.iter().chain(&self.current);
        let upgrades = requests.filter_map(|request| request.upgrade.as_deref());
        size_of::<Self>()
            + self.requests.capacity() * size_of::<Request>()
            + self.came.capacity() * size_of::<(Arrival, usize)>()
            + self.client.memory()
            + self.server.memory()
            + upgrades.map(Upgraded::memory).sum::<usize>()
    }

    /// The client's next bytes.
    pub fn client(&mut self, arrival: &Arrival, bytes: &[u8]) -> Step {
        match self.read_client(arrival, bytes) {
            Ok(()) => Step::More,
            Err(lost) => self.lose(lost),
        }
    }

    /// The server's next bytes.
    pub fn server(&mut self, bytes: &[u8]) -> Step {
        match self.read_server(bytes) {
            Ok(None) => Step::More,
            Ok(Some(switch)) => Step::Switched(switch),
            Err(lost) => self.lose(lost),
        }
    }

    fn lose(&mut self, lost: Lost) -> Step {
        self.limited |= lost == Lost::Limit;
        Step::Lost
    }

    fn read_client(&mut self, arrival: &Arrival, bytes: &[u8]) -> Result<(), Lost> {
        let at = arrival.at;
        let mut rest = bytes;
        while !rest.is_empty() {
            match &mut self.client {
                Position::Head(head) => {
                    if head.is_empty() {
                        self.head_first = Some(at);
                    }
                    let Some(used) = read_head(head, rest)? else { return Ok(()) };
                    rest = rest.get(used..).unwrap_or_default();
                    let head = std::mem::take(head);
                    let (request, body) = parse_request(&head, self.head_first.unwrap_or(at), at)?;
                    self.current = Some(request);
                    self.client = match body {
                        Framing::Length(0) => self.end_request(at, 0)?,
                        Framing::Length(len) => Position::Body(len),
                        Framing::Chunked => Position::Chunked(Chunked::default()),
                        Framing::UntilClose => return Err(Lost::Malformed),
                    };
                }
                Position::Body(left) => {
                    let (part, after) =
                        rest.split_at(rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                    rest = after;
                    *left -= part.len() as u64;
                    if let Some(upgrade) = upgrading(&mut self.current) {
                        upgrade.body += part.len() as u64;
                        upgrade.keep(part);
                    }
                    if *left == 0 {
                        self.client = self.end_request(at, 0)?;
                    }
                }
                Position::Chunked(chunked) => {
                    let mut upgrade = upgrading(&mut self.current);
                    let after = chunked.read(rest, &mut |data| {
                        if let Some(upgrade) = &mut upgrade {
                            upgrade.keep(data);
                        }
                    })?;
                    let (Some(after), data) = (after, chunked.data) else { return Ok(()) };
                    rest = after;
                    self.client = self.end_request(at, data)?;
                }
                Position::Held(held) => {
                    let kept = held.len() + self.came.len() * size_of::<(Arrival, usize)>();
                    if kept + rest.len() > limits::HTTP1_HEAD {
                        return Err(Lost::Limit);
                    }
                    held.extend_from_slice(rest);
                    self.came.push((*arrival, rest.len()));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A request is over; where its sender is now.
    fn end_request(&mut self, at: Moment, chunked: u64) -> Result<Position, Lost> {
        let Some(mut request) = self.current.take() else { return Err(Lost::Malformed) };
        if let Some(upgrade) = &mut request.upgrade {
            upgrade.last = at;
            upgrade.body += chunked;
        }
        let holds = request.holds();
        if self.requests.len() >= limits::HTTP1_PIPELINED {
            return Err(Lost::Limit);
        }
        self.requests.push_back(request);
        Ok(if holds { Position::Held(Vec::new()) } else { Position::Head(Vec::new()) })
    }

    fn read_server(&mut self, bytes: &[u8]) -> Result<Option<Switch>, Lost> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match &mut self.server {
                Position::Head(head) => {
                    let Some(used) = read_head(head, rest)? else { return Ok(None) };
                    rest = rest.get(used..).unwrap_or_default();
                    let head = std::mem::take(head);
                    if let Some(upgraded) = self.answer(&head)? {
                        let client_rest =
                            match std::mem::replace(&mut self.client, Position::Held(Vec::new())) {
                                Position::Held(held) => held,
                                _ => Vec::new(),
                            };
                        let upgraded = Some(upgraded).filter(|request| !request.fields.is_empty());
                        let came = std::mem::take(&mut self.came);
                        return Ok(Some(Switch { upgraded, client_rest, came, server_rest: rest.len() }));
                    }
                }
                Position::Body(left) => {
                    let part = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    rest = rest.get(part..).unwrap_or_default();
                    *left -= part as u64;
                    if *left == 0 {
                        self.server = Position::Head(Vec::new());
                    }
                }
                Position::Chunked(chunked) => {
                    let Some(after) = chunked.read(rest, &mut |_| {})? else { return Ok(None) };
                    rest = after;
                    self.server = Position::Head(Vec::new());
                }
                Position::Held(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Reads a response head. Gives what the connection is switched over by: the upgraded request, or for a
    /// tunnel an empty one.
    fn answer(&mut self, head: &[u8]) -> Result<Option<Box<Upgraded>>, Lost> {
        let mut headers = [httparse::EMPTY_HEADER; limits::HTTP1_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        if !response.parse(head).map_err(why)?.is_complete() {
            return Err(Lost::Malformed);
        }
        self.answered = true;
        let status = response.code.unwrap_or(0);
        if status == 101 {
            // The request may be waiting for its body's end: RFC 7540 section 3.2 forbids switching before it.
            let request =
                self.requests.pop_front().and_then(|request| request.upgrade).ok_or(Lost::Malformed)?;
            return if has_token(response.headers, "upgrade", "h2c") {
                Ok(Some(request))
            } else {
                Err(Lost::Malformed)
            };
        }
        if (100..200).contains(&status) {
            return Ok(None);
        }
        let request = self.requests.pop_front().or_else(|| self.current.take()).ok_or(Lost::Malformed)?;
        if request.connect && (200..300).contains(&status) {
            return Ok(Some(Box::default()));
        }
        self.declined |= request.upgrade.is_some();
        let holds = request.holds();
        let bodiless = request.head || status == 204 || status == 304;
        self.server = match framing(response.headers) {
            _ if bodiless => Position::Head(Vec::new()),
            Some(Framing::Length(0)) => Position::Head(Vec::new()),
            Some(Framing::Length(len)) => Position::Body(len),
            Some(Framing::Chunked) => Position::Chunked(Chunked::default()),
            Some(Framing::UntilClose) | None => Position::Held(Vec::new()),
        };
        if let Position::Held(held) = &mut self.client
            && holds
        {
            // Not switched over: what the client sent meanwhile is HTTP/1.1.
            let held = std::mem::take(held);
            self.client = Position::Head(Vec::new());
            let came = std::mem::take(&mut self.came);
            for (arrival, piece) in pieces(&held, &came) {
                self.read_client(arrival, piece)?;
            }
        }
        Ok(None)
    }
}

/// Bytes, as they came.
fn pieces<'a>(
    bytes: &'a [u8],
    came: &'a [(Arrival, usize)],
) -> impl Iterator<Item = (&'a Arrival, &'a [u8])> {
    let mut rest = bytes;
    came.iter().map(move |(arrival, len)| {
        let (piece, behind) = rest.split_at(rest.len().min(*len));
        rest = behind;
        (arrival, piece)
    })
}

/// The request in hand, where it asks for an upgrade.
fn upgrading(current: &mut Option<Request>) -> Option<&mut Upgraded> {
    current.as_mut().and_then(|request| request.upgrade.as_deref_mut())
}

fn parse_request(head: &[u8], first: Moment, last: Moment) -> Result<(Request, Framing), Lost> {
    let mut headers = [httparse::EMPTY_HEADER; limits::HTTP1_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(head).map_err(why)?.is_complete() {
        return Err(Lost::Malformed);
    }
    let method = request.method.unwrap_or_default();
    let body = framing(request.headers).unwrap_or(Framing::Length(0));
    let connect = method == "CONNECT";
    let asks =
        has_token(request.headers, "upgrade", "h2c") && has_token(request.headers, "connection", "upgrade");
    let upgrade = asks.then(|| {
        let mut fields = vec![
            (b":method".to_vec(), method.as_bytes().to_vec()),
            (b":scheme".to_vec(), b"http".to_vec()),
            (b":path".to_vec(), origin_form(request.path.unwrap_or_default()).as_bytes().to_vec()),
        ];
        let mut settings = Vec::new();
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            if name == "http2-settings" {
                let text = header.value.trim_ascii().strip_suffix(b"==").unwrap_or(header.value.trim_ascii());
                let text = text.strip_suffix(b"=").unwrap_or(text);
                settings = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
            }
            fields.push((name.into_bytes(), header.value.to_vec()));
        }
        Box::new(Upgraded { fields, settings, body: 0, content: Vec::new(), first, last })
    });
    Ok((Request { head: method == "HEAD", connect, upgrade }, body))
}

/// Why a head cannot be read.
fn why(error: httparse::Error) -> Lost {
    if error == httparse::Error::TooManyHeaders { Lost::Limit } else { Lost::Malformed }
}

/// The path of a request target: of an absolute one, what follows the authority.
fn origin_form(target: &str) -> &str {
    let Some((_, after)) = target.split_once("://") else { return target };
    if target.starts_with('/') {
        return target;
    }
    after.find('/').and_then(|at| after.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPGRADE: &[u8] =
        b"POST /a?b=1 HTTP/1.1\r\nHost: x.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\nContent-Length: 5\r\n\r\nhello";

    fn at(packet: u64) -> Moment {
        Moment { packet, ..Moment::default() }
    }

    fn arrival(packet: u64) -> Arrival {
        Arrival { at: at(packet), ..Arrival::default() }
    }

    fn feed(dialogue: &mut Dialogue, client: &[u8], server: &[u8], size: usize) -> Option<Switch> {
        for (n, piece) in client.chunks(size).enumerate() {
            assert!(matches!(dialogue.client(&arrival(n as u64), piece), Step::More));
        }
        for piece in server.chunks(size) {
            match dialogue.server(piece) {
                Step::More => {}
                Step::Switched(switch) => return Some(switch),
                Step::Lost => panic!("lost"),
            }
        }
        None
    }

    #[test]
    fn switches_over_however_cut() {
        let server = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        for size in 1..UPGRADE.len() {
            let mut dialogue = Dialogue::default();
            let switch = feed(&mut dialogue, &[UPGRADE, b"PRI"].concat(), server, size).unwrap();
            let upgraded = switch.upgraded.unwrap();
            assert_eq!(upgraded.fields[2], (b":path".to_vec(), b"/a?b=1".to_vec()));
            assert_eq!((upgraded.body, upgraded.settings.len()), (5, 12));
            assert_eq!(switch.client_rest, b"PRI");
        }
    }

    #[test]
    fn the_content_of_the_request_is_kept_whatever_its_framing() {
        let chunked = UPGRADE.strip_suffix(b"Content-Length: 5\r\n\r\nhello").unwrap();
        let chunked =
            [chunked, b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n"].concat();
        for request in [UPGRADE, &chunked] {
            for size in 1..request.len() {
                let answer = b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n";
                let switch = feed(&mut Dialogue::default(), request, answer, size).unwrap();
                assert_eq!(switch.upgraded.unwrap().content, b"hello", "pieces of {size}");
            }
        }
    }

    #[test]
    fn cap_http1_upgrade_content() {
        let length = limits::HTTP1_UPGRADE_CONTENT + 100;
        let head = String::from_utf8_lossy(UPGRADE).replace("5\r\n\r\nhello", &format!("{length}\r\n\r\n"));
        let request = [head.as_bytes(), &vec![b'x'; length]].concat();
        let answer = b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n";
        let upgraded = feed(&mut Dialogue::default(), &request, answer, 5000).unwrap().upgraded.unwrap();
        assert_eq!((upgraded.content.len(), upgraded.body), (limits::HTTP1_UPGRADE_CONTENT, length as u64));
    }

    #[test]
    fn a_declined_upgrade_is_followed_to_the_next() {
        let mut dialogue = Dialogue::default();
        let declined =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n0\r\nA: b\r\n\r\n";
        assert!(feed(&mut dialogue, UPGRADE, declined, 7).is_none());
        assert!(dialogue.declined());
        let switched = b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n\0\0\0";
        let switch = feed(&mut dialogue, UPGRADE, switched, 1000).unwrap();
        assert_eq!(switch.server_rest, 3);
    }

    /// The second request was captured before the response to the first, as where its direction is captured earlier.
    #[test]
    fn a_request_behind_a_declined_upgrade_keeps_its_packets() {
        let mut dialogue = Dialogue::default();
        let (begin, end) = UPGRADE.split_at(20);
        for (n, piece) in (1..).zip([UPGRADE, begin, end, b"PRI"]) {
            assert!(matches!(dialogue.client(&arrival(n), piece), Step::More));
        }
        assert!(matches!(dialogue.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Step::More));
        let Step::Switched(switch) = dialogue.server(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n")
        else {
            panic!("not switched over")
        };
        let upgraded = switch.upgraded.unwrap();
        assert_eq!((upgraded.first, upgraded.last), (at(2), at(3)));
        assert_eq!(switch.client_rest, b"PRI");
    }

    #[test]
    fn a_tunnel_is_a_switch_without_a_request() {
        let mut dialogue = Dialogue::default();
        let switch = feed(
            &mut dialogue,
            b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            1000,
        );
        assert!(switch.unwrap().upgraded.is_none());
    }

    #[test]
    fn what_is_no_http_is_given_up() {
        assert!(matches!(Dialogue::default().client(&arrival(1), b"GET \0\r\n\r\n"), Step::Lost));
        assert!(matches!(Dialogue::default().server(b"HTTP/1.1 200 OK\r\n\r\n"), Step::Lost));
        let mut endless = Dialogue::default();
        let steps: Vec<bool> =
            (0..100).map(|_| matches!(endless.client(&arrival(1), &[b'a'; 1000]), Step::Lost)).collect();
        assert!(steps.contains(&true));
    }
}
