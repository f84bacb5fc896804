//! What a client and a server are to do on one stream.

use super::Side;
use super::exchange::Fields;
use super::random::Random;

/// One exchange, planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) method: String,
    pub(crate) authority: String,
    pub(crate) path: String,
    /// `:protocol` of an extended CONNECT (RFC 8441).
    pub(crate) protocol: Option<&'static str>,
    pub(crate) headers: Fields,
    /// Sizes of the pieces that the request's content is written in; `None`: END_STREAM on HEADERS.
    pub(crate) body: Option<Vec<usize>>,
    pub(crate) trailers: Fields,
    /// Interim responses.
    pub(crate) interim: Vec<u16>,
    pub(crate) answer: Answer,
    /// The answer is sent while the request still comes.
    pub(crate) interleaved: bool,
    pub(crate) pushes: Vec<Push>,
    pub(crate) reset: Option<Reset>,
}

/// A response, planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Fields,
    /// Like [`Plan::body`].
    pub(crate) body: Option<Vec<usize>>,
    pub(crate) trailers: Fields,
}

/// A promise and its response.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) path: String,
    pub(crate) headers: Fields,
    pub(crate) answer: Answer,
}

/// A stream that is ended by RST_STREAM.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset {
    pub(crate) by: Side,
    /// After the response's header section and content; before any of it else.
    pub(crate) answered: bool,
    /// Error code, 1 to 13.
    pub(crate) code: u32,
}

impl Plan {
    /// A request without content, answered by a status and so many bytes.
    pub(crate) fn new(method: &str, path: &str, status: u16, body: usize) -> Self {
        Self {
            method: method.to_owned(),
            authority: "origin.example:8080".to_owned(),
            path: path.to_owned(),
            answer: Answer { status, body: Some(vec![body]), ..Answer::default() },
            ..Self::default()
        }
    }

    /// Any exchange that both ends can agree on.
    pub(crate) fn any(random: &mut Random) -> Self {
        let method =
            *random.pick(&["GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PURGE"]);
        let mut plan = Self::new(method, &any_path(random), *random.pick(STATUS), 0);
        plan.authority =
            (*random.pick(&["origin.example:8080", "a.example", "[2001:db8::2]:8080"])).to_owned();
        plan.headers = any_fields(random, 6);
        if matches!(method, "POST" | "PUT" | "DELETE") {
            plan.body = any_body(random);
        }
        if plan.body.is_some() && random.chance(250) {
            plan.trailers = any_fields(random, 3);
        }
        if random.chance(100) {
            plan.interim = (0..random.between(1, 3)).map(|_| *random.pick(&[100, 102, 103])).collect();
        }
        plan.answer = any_answer(random, plan.answer.status, method == "HEAD");
        plan.interleaved = random.chance(300);
        if random.chance(100) {
            let promise = |random: &mut Random| Push {
                path: any_path(random),
                headers: any_fields(random, 3),
                answer: any_answer(random, 200, false),
            };
            plan.pushes = (0..random.between(1, 3)).map(|_| promise(random)).collect();
        }
        if random.chance(100) {
            plan.reset = Some(Reset {
                by: *random.pick(&[Side::Client, Side::Server]),
                answered: random.chance(500),
                code: random.between(1, 13) as u32,
            });
            // The answer that is cut off has content.
            (plan.method, plan.answer.status) = ("GET".to_owned(), 200);
            plan.pushes.clear();
        }
        plan
    }
}

const STATUS: &[u16] = &[200, 200, 200, 200, 201, 204, 206, 301, 304, 400, 404, 404, 429, 500, 503, 599];

fn any_answer(random: &mut Random, status: u16, head: bool) -> Answer {
    let mut answer = Answer { status, headers: any_fields(random, 6), ..Answer::default() };
    if !(head || matches!(status, 204 | 304)) {
        answer.body = any_body(random);
        if answer.body.is_some() && random.chance(250) {
            answer.trailers = any_fields(random, 3);
        }
    }
    answer
}

fn any_body(random: &mut Random) -> Option<Vec<usize>> {
    let size = |random: &mut Random| match random.below(6) {
        0 => 0,
        1..4 => random.between(1, 300),
        4 => random.between(300, 5_000),
        _ => random.between(5_000, 40_000),
    };
    (!random.chance(200)).then(|| (0..random.between(1, 5)).map(|_| size(random)).collect())
}

fn any_path(random: &mut Random) -> String {
    let mut path = format!("/{}", random.pick(&["", "api/v1/users", "static", "index.html", "a/b/c"]));
    if random.chance(500) {
        path += &format!("/{}", random.below(50));
    }
    if random.chance(300) {
        path += &format!("?q={:x}&page={}", random.next(), random.below(9));
    }
    if random.chance(100) {
        path += &"/long".repeat(random.between(10, 300));
    }
    path
}

const NAMES: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "content-type",
    "cookie",
    "etag",
    "set-cookie",
    "user-agent",
    "vary",
    "x-a",
    "x-request-id",
    "x-very-long-name-of-a-field-that-nobody-has-in-a-static-table",
];

fn any_fields(random: &mut Random, most: usize) -> Fields {
    (0..random.below(most + 1)).map(|_| ((*random.pick(NAMES)).to_owned(), any_value(random))).collect()
}

fn any_value(random: &mut Random) -> String {
    match random.below(10) {
        0..4 => (*random.pick(&["gzip", "*/*", "no-cache", "text/html; charset=utf-8", "curl/8.5", ""]))
            .to_owned(),
        4..8 => format!("{:x}", random.next()),
        8 => "grüße, ἔτυμος 🜁".to_owned(),
        _ => {
            let len = random.between(1, 5_000);
            (0..len).map(|_| char::from(random.between(0x21, 0x7e) as u8)).collect()
        }
    }
}
