//! Exchanges as the window keeps them.

use crate::aggregate::Templates;
use crate::base::endpoint::Endpoint;
use crate::base::time::Timestamp;
use crate::export::visible;
use crate::record::{
    ConnectionMeta, Contents, Failure, Message, Steps, TimePart, Transaction, TransactionView,
};

/// An exchange that has ended.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) connection: ConnectionMeta,
    pub(super) transaction: Transaction,
}

/// An exchange that is under way.
#[derive(Clone, Debug)]
pub(super) struct OpenCall {
    pub(super) connection: u64,
    pub(super) stream: u32,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) first: Timestamp,
    /// What is asked for, as a terminal may show it.
    pub(super) what: Box<str>,
}

impl Call {
    pub(super) fn view(&self) -> TransactionView<'_> {
        TransactionView::new(&self.connection, &self.transaction)
    }

    /// When it was over.
    pub(super) fn end(&self) -> Timestamp {
        self.transaction.ended_at.max(self.transaction.first.time)
    }

    /// How long it took, in nanoseconds.
    pub(super) fn nanos(&self) -> u64 {
        u64::try_from(self.transaction.duration().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Nanoseconds in which a sender had no credit, of HTTP/2 or of TCP.
    pub(super) fn blocked(&self) -> u64 {
        let blocked = [TimePart::StreamWindow, TimePart::ConnectionWindow, TimePart::TcpWindow];
        let time = self.transaction.time.as_ref();
        time.map_or(0, |time| blocked.iter().fold(0, |sum, &part| sum.saturating_add(time.parts.get(part))))
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        let Transaction { request, response, contents, pieces, steps, .. } = &self.transaction;
        let fields = |message: &Message| message.headers.memory() + message.trailers.memory();
        let contents = contents.as_deref().map_or(0, contents_memory);
        let steps = steps.as_deref().map_or(0, Steps::memory);
        let tls = self.connection.tls.as_ref().map_or(0, |tls| size_of_val(&**tls) + tls.memory());
        size_of::<Self>()
            + tls
            + fields(request)
            + fields(response)
            + size_of_val(pieces.as_slice())
            + contents
            + steps
    }

    /// The endpoint that it is of: service, method and path with the values in it left out.
    pub(super) fn endpoint(&self, templates: &Templates) -> String {
        let view = self.view();
        let mut name = Vec::new();
        match (view.rpc_method(), view.path) {
            (Some(method), _) => name.extend_from_slice(method),
            (None, Some(path)) => {
                name.extend_from_slice(view.method.unwrap_or(b"?"));
                name.push(b' ');
                templates.push_name(path, &mut name);
            }
            (None, None) => name.extend_from_slice(view.method.unwrap_or(b"?")),
        }
        name.extend_from_slice(b"  ");
        name.extend_from_slice(&view.authority_or_server());
        shown(&name)
    }

    /// Method, authority and path.
    pub(super) fn what(&self) -> String {
        what(&self.view())
    }

    /// Its status, and why it failed.
    pub(super) fn outcome(&self) -> String {
        let view = self.view();
        let status = view.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        match view.failure().map(Failure::name) {
            Some(failure) if *failure != *status => format!("{status} {failure}"),
            _ => status,
        }
    }
}

impl OpenCall {
    pub(super) fn new(connection: &ConnectionMeta, transaction: &Transaction) -> Self {
        let what = what(&TransactionView::new(connection, transaction)).into();
        let (stream, first) = (transaction.stream, transaction.first.time);
        let ConnectionMeta { id, client, server, .. } = *connection;
        Self { connection: id, stream, client, server, first, what }
    }
}

/// Characters of what is asked for that are kept.
const WHAT_CHARS: usize = 256;

fn what(view: &TransactionView<'_>) -> String {
    let method = view.method.unwrap_or(b"?");
    let authority = view.authority_or_server();
    let text = shown(&[method, b" ", &authority, view.path.unwrap_or_default()].concat());
    match text.char_indices().nth(WHAT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Text from the wire, without anything that acts on a terminal.
pub(super) fn shown(text: &[u8]) -> String {
    visible(&String::from_utf8_lossy(text))
}

fn contents_memory(contents: &Contents) -> usize {
    let bodies = [&contents.request, &contents.response].into_iter().flatten();
    let bodies = bodies.filter_map(|body| body.content.as_ref()).map(|content| content.bytes().len());
    let messages = contents.messages.iter().map(crate::record::BodyMessage::memory);
    size_of::<Contents>() + bodies.sum::<usize>() + messages.sum::<usize>()
}
