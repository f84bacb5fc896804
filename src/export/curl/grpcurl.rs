//! `grpcurl`, which speaks in the messages' own words.

use super::shell::push_quoted;
use super::{NEXT, header, sent};
use crate::export::Options;
use crate::record::{BodyMessage, TransactionView};
use std::path::Path;

/// Fields that grpcurl makes.
const MADE: [&str; 6] = ["te", "content-type", "user-agent", "accept-encoding", "content-length", "host"];

/// The client's messages as JSON, where it sent some, and all of them are there and wholly known by a schema.
pub(super) fn messages(view: &TransactionView<'_>) -> Option<Vec<u8>> {
    view.transaction.grpc.as_ref()?;
    let contents = view.transaction.contents.as_deref()?;
    let mut sent = contents.messages.iter().filter(|message| message.from_client).peekable();
    sent.peek().filter(|_| !are_cut(view))?;
    let values = sent.map(|message| known(message).map(str::as_bytes)).collect::<Option<Vec<_>>>()?;
    Some(values.join(&b" "[..]))
}

/// The message's value, where a schema names its type and all of its fields. JSON that is sent as such has no type.
fn known(message: &BodyMessage) -> Option<&str> {
    let value = message.value.as_deref().filter(|_| message.kind.is_some())?;
    // Within a string the quotation marks would be escaped.
    memchr::memmem::find(value.as_bytes(), b"\"@unknown\":").is_none().then_some(value)
}

/// Some of what the client sent is not shown.
pub(super) fn are_cut(view: &TransactionView<'_>) -> bool {
    let Some(contents) = view.transaction.contents.as_deref() else { return false };
    let mut sent = contents.messages.iter().filter(|message| message.from_client);
    let counted = view.transaction.grpc.as_ref().and_then(|grpc| grpc.request_messages);
    let omitted = contents.messages_omitted > 0 && counted != Some(sent.clone().count() as u64);
    omitted || sent.any(|message| message.truncated || matches!(message.error, Some("too_long" | "gap")))
}

/// Appends the command that sends them.
pub(super) fn push(out: &mut Vec<u8>, view: &TransactionView<'_>, messages: &[u8], options: &Options) {
    out.extend_from_slice(b"grpcurl");
    if view.connection.tls.is_none() {
        out.extend_from_slice(b" -plaintext");
    }
    for schema in options.schemas {
        let option: &[u8] = if Path::new(schema).extension().is_some_and(|extension| extension == "proto") {
            b"-proto "
        } else {
            b"-protoset "
        };
        out.extend_from_slice(NEXT);
        out.extend_from_slice(option);
        push_quoted(out, schema.as_bytes());
    }
    let server = view.connection.server.to_string().into_bytes();
    let authority = view.authority.unwrap_or_default();
    if authority != server {
        out.extend_from_slice(b" \\\n  -authority ");
        push_quoted(out, authority);
    }
    for (name, field) in sent(&view.transaction.request.headers) {
        let is_made = MADE.iter().any(|made| name.eq_ignore_ascii_case(made.as_bytes()));
        if !is_made && !name.to_ascii_lowercase().starts_with(b"grpc-") {
            out.extend_from_slice(NEXT);
            header(out, name, field.value.unwrap_or_default(), options.show_secrets);
        }
    }
    out.extend_from_slice(b" \\\n  -d ");
    push_quoted(out, messages);
    out.extend_from_slice(NEXT);
    push_quoted(out, &server);
    out.push(b' ');
    push_quoted(out, view.rpc_method().unwrap_or_default());
    out.push(b'\n');
}
