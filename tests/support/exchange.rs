//! An exchange as an endpoint saw it, or as a record tells it: the two are compared.

use serde_json::Value;
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

/// Looks a value up by its jq path.
pub(crate) fn dig<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(record, |value, key| value.get(key))
}

/// A text by its jq path.
pub(crate) fn text<'a>(record: &'a Value, path: &str) -> Option<&'a str> {
    dig(record, path).and_then(Value::as_str)
}

fn number(record: &Value, path: &str) -> Option<u64> {
    dig(record, path).and_then(Value::as_u64)
}

/// The fields of a header or trailer section, all of them exact.
fn fields(record: &Value, path: &str) -> Fields {
    let list = dig(record, path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let field = |field: &Value| {
        assert_eq!(text(field, "src"), Some("exact"), "{record}");
        (text(field, "name").unwrap().to_owned(), text(field, "value").unwrap().to_owned())
    };
    list.iter().map(field).collect()
}

impl Exchange {
    /// What a transaction record of an undamaged capture tells; checks that it does not contradict itself.
    pub(crate) fn of_record(record: &Value) -> Self {
        let end = |key: &str| text(record, &format!("h2.stream.end.{key}")).map(str::to_owned);
        let interim = dig(record, "h2.response.interim").and_then(Value::as_array);
        let this = Self {
            stream: number(record, "h2.stream.id").unwrap() as u32,
            parent: number(record, "h2.stream.parent").map(|id| id as u32),
            request_headers: fields(record, "h2.request.headers"),
            request_body: number(record, "http.request.body.size"),
            request_trailers: fields(record, "h2.request.trailers"),
            interim: interim
                .into_iter()
                .flatten()
                .map(|answer| number(answer, "status_code").unwrap() as u16)
                .collect(),
            response_headers: fields(record, "h2.response.headers"),
            response_body: number(record, "http.response.body.size"),
            response_trailers: fields(record, "h2.response.trailers"),
            reset: (end("how").as_deref() == Some("rst_stream"))
                .then(|| (end("by").unwrap(), end("code").unwrap())),
        };
        let pushed = dig(record, "h2.stream.pushed").and_then(Value::as_bool);
        assert_eq!(pushed, Some(this.parent.is_some()), "{record}");
        assert_eq!(text(record, "http.request.method"), this.request(":method"), "{record}");
        assert_eq!(text(record, "url.scheme"), this.request(":scheme"), "{record}");
        assert_eq!(path(record).as_deref(), this.request(":path"), "{record}");
        let authority = this.request(":authority").or_else(|| this.request("host"));
        assert_eq!(text(record, "h2.request.authority"), authority, "{record}");
        assert_eq!(text(record, "h2.request.protocol"), this.request(":protocol"), "{record}");
        assert_eq!(text(record, "user_agent.original"), this.request("user-agent"), "{record}");
        let status = number(record, "http.response.status_code").map(|status| status.to_string());
        assert_eq!(status.as_deref(), this.response(":status"), "{record}");
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

/// `:path`, put together again.
pub(crate) fn path(record: &Value) -> Option<String> {
    let path = text(record, "url.path")?;
    Some(text(record, "url.query").map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
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
