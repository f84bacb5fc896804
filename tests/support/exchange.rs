//! An exchange as an endpoint saw it, or as a record tells it: the two are compared.

use super::Call;
use super::outcome::utf8;
use h2lens::base::certainty::Certainty;
use h2lens::record::value::ErrorCode;
use h2lens::record::{self, EndHow, Message, StreamEnd};
use std::collections::BTreeMap;

/// Name and value, in the order of the wire.
pub(crate) type Fields = Vec<(String, String)>;

/// Request and response on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) stream: u32,
    /// The stream with the promise, of a pushed one.
    pub(crate) parent: Option<u32>,
    /// Pseudo-header fields included, as all `…headers`.
    pub(crate) request_headers: Fields,
    /// `None` where no header block was seen, or the size depends on what was under way at a reset.
    pub(crate) request_body: Option<u64>,
    pub(crate) request_trailers: Fields,
    pub(crate) interim: Vec<u16>,
    pub(crate) response_headers: Fields,
    pub(crate) response_body: Option<u64>,
    pub(crate) response_trailers: Fields,
    /// The side that sent RST_STREAM, and the error code's name.
    pub(crate) reset: Option<(String, String)>,
}

/// The fields of a header or trailer section, all of them exact.
fn fields(section: &record::Fields) -> Fields {
    let field = |field: record::Field<'_>| {
        assert_eq!(field.source, Certainty::Exact, "{field:?}");
        (utf8(field.name.unwrap()).to_owned(), utf8(field.value.unwrap()).to_owned())
    };
    section.iter().map(field).collect()
}

impl Exchange {
    /// What a transaction record of an undamaged capture tells; checks that it does not contradict itself.
    pub(crate) fn of(call: &Call<'_>) -> Self {
        let StreamEnd { by, how, code } = call.end;
        let size = |message: &Message| message.seen.then_some(message.body);
        let this = Self {
            stream: call.stream,
            parent: call.parent,
            request_headers: fields(&call.request.headers),
            request_body: size(&call.request),
            request_trailers: fields(&call.request.trailers),
            interim: call.interim.iter().map(|answer| answer.status).collect(),
            response_headers: fields(&call.response.headers),
            response_body: size(&call.response),
            response_trailers: fields(&call.response.trailers),
            reset: (how == EndHow::RstStream)
                .then(|| (by.name().to_owned(), ErrorCode(code.unwrap()).name().into_owned())),
        };
        let view = call.view();
        assert_eq!(call.pushed, this.parent.is_some(), "{call:?}");
        for (told, name) in [
            (view.method, ":method"),
            (view.scheme, ":scheme"),
            (view.target().as_deref(), ":path"),
            (view.protocol, ":protocol"),
            (view.user_agent, "user-agent"),
        ] {
            assert_eq!(told.map(utf8), this.request(name), "{name}: {call:?}");
        }
        let authority = this.request(":authority").or_else(|| this.request("host"));
        assert_eq!(view.authority.map(utf8), authority, "{call:?}");
        let status = view.status.map(|status| status.to_string());
        assert_eq!(status.as_deref(), this.response(":status"), "{call:?}");
        this
    }

    /// The first request field of that name.
    pub(crate) fn request(&self, name: &str) -> Option<&str> {
        first(&self.request_headers, name)
    }

    /// The first response field of that name.
    pub(crate) fn response(&self, name: &str) -> Option<&str> {
        first(&self.response_headers, name)
    }

    /// With the fields of each section in order of names, those of one name in their own order: the HTTP libraries
    /// do not tell the order of names.
    pub(crate) fn by_names(mut self) -> Self {
        let sections = [
            &mut self.request_headers,
            &mut self.request_trailers,
            &mut self.response_headers,
            &mut self.response_trailers,
        ];
        for section in sections {
            section.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        self
    }
}

fn first<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Compares what the program tells with what happened, stream by stream.
pub(crate) fn assert_same(
    told: impl IntoIterator<Item = Exchange>,
    happened: impl IntoIterator<Item = Exchange>,
    what: &str,
) {
    let index = |list: &mut dyn Iterator<Item = Exchange>| {
        let mut map = BTreeMap::new();
        for exchange in list {
            let exchange = exchange.by_names();
            let twice = map.insert(exchange.stream, exchange);
            assert!(twice.is_none(), "{what}: two exchanges on stream {twice:?}");
        }
        map
    };
    let told = index(&mut told.into_iter());
    let happened = index(&mut happened.into_iter());
    for (stream, exchange) in &happened {
        assert_eq!(told.get(stream), Some(exchange), "{what}: stream {stream}");
    }
    assert_eq!(told.len(), happened.len(), "{what}: transactions that did not happen");
}
