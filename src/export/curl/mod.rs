//! Commands for a POSIX shell that repeat the requests: `curl`, or `grpcurl` where the messages are known by a schema. What
//! cannot be repeated is a comment that says why ([`obstacle`]).
//!
//! Values are the bytes that were sent. Whatever is in them, a shell reads them back as they were, and runs nothing
//! ([`shell`]). Secrets are variables of the environment.

mod grpcurl;
mod obstacle;
mod shell;

use super::Options;
use crate::record::{Content, Field, Fields, Message, TransactionView, is_secret};
use shell::{push_format, push_quoted};
use std::io::Write;

/// Bytes of content from which on it is not an argument: the system's limit for one is 128 KiB.
const LONG: usize = 64 << 10;

/// What stands between the arguments.
const NEXT: &[u8] = b" \\\n  ";

/// Appends the command, or the comment, of a transaction.
pub(super) fn command(out: &mut Vec<u8>, view: &TransactionView<'_>, options: &Options) {
    let request = &view.transaction.request;
    match obstacle::of(view) {
        Some(reason) => {
            let (connection, stream) = (view.connection.id, view.transaction.stream);
            // Writing into memory cannot fail.
            let _ = writeln!(out, "# connection {connection}, stream {stream}: {reason}");
        }
        None => match grpcurl::messages(view) {
            Some(messages) => grpcurl::push(out, view, &messages, options),
            None => curl(out, view, request, options.show_secrets),
        },
    }
}

fn curl(out: &mut Vec<u8>, view: &TransactionView<'_>, request: &Message, show_secrets: bool) {
    let content = content(view);
    let piped = content.is_some_and(is_piped);
    if let Some(content) = content.filter(|_| piped) {
        out.extend_from_slice(b"printf '");
        push_format(out, content.bytes());
        out.extend_from_slice(b"' | ");
    }
    out.extend_from_slice(b"curl --globoff --path-as-is");
    if view.connection.tls.is_none() {
        out.extend_from_slice(b" --http2-prior-knowledge");
    }
    let method = view.method.unwrap_or_default();
    let usual = if content.is_some() { &b"POST"[..] } else { b"GET" };
    if method == b"HEAD" && content.is_none() {
        out.extend_from_slice(b" --head");
    } else if method != usual {
        out.extend_from_slice(b" -X ");
        push_quoted(out, method);
    }
    fields(out, &request.headers, show_secrets);
    for name in ["accept", "user-agent", "content-type"] {
        let made_by_curl = name != "content-type" || content.is_some();
        if made_by_curl && request.headers.named(name.as_bytes()).next().is_none() {
            let _ = write!(out, " \\\n  -H '{name}:'");
        }
    }
    if piped {
        out.extend_from_slice(b" \\\n  --data-binary @-");
    } else if let Some(content) = content {
        out.extend_from_slice(b" \\\n  --data-raw ");
        push_quoted(out, content.bytes());
    }
    url(out, view);
    out.push(b'\n');
}

/// The field lines but for those that curl or the protocol makes.
fn fields(out: &mut Vec<u8>, headers: &Fields, show_secrets: bool) {
    for (name, field) in sent(headers) {
        if ["content-length", "host"].iter().any(|made| name.eq_ignore_ascii_case(made.as_bytes())) {
            continue;
        }
        let value = field.value.unwrap_or_default();
        out.extend_from_slice(NEXT);
        if value.is_empty() {
            out.extend_from_slice(b"-H ");
            push_quoted(out, &[name, b";"].concat());
        } else {
            header(out, name, value, show_secrets);
        }
    }
}

/// `-H 'name: value'`; the value of a secret is a variable.
fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8], show_secrets: bool) {
    out.extend_from_slice(b"-H ");
    if show_secrets || !is_secret(Some(name)) {
        return push_quoted(out, &[name, b": ", value].concat());
    }
    push_quoted(out, &[name, b": "].concat());
    out.extend_from_slice(b"\"$");
    out.extend(
        name.to_ascii_uppercase().iter().map(|&byte| if byte.is_ascii_alphanumeric() { byte } else { b'_' }),
    );
    out.push(b'"');
}

/// The field lines that are no pseudo-header fields, with their names.
fn sent(headers: &Fields) -> impl Iterator<Item = (&[u8], Field<'_>)> {
    headers.iter().filter_map(|field| Some((field.name?, field))).filter(|(name, _)| !name.starts_with(b":"))
}

/// Where it goes: a path that no URL may have is given beside the URL.
fn url(out: &mut Vec<u8>, view: &TransactionView<'_>) {
    let target = view.target().unwrap_or_default();
    let odd = |byte: &u8| !matches!(byte, b'!'..=b'~') || br##""#<>\^`{|}"##.contains(byte);
    let apart = *target == *b"*" || target.iter().any(odd);
    if apart {
        out.extend_from_slice(b" \\\n  --request-target ");
        push_quoted(out, &target);
    }
    let scheme = if view.connection.tls.is_some() { &b"https://"[..] } else { b"http://" };
    let path = if apart { b"/" } else { &*target };
    out.extend_from_slice(NEXT);
    push_quoted(out, &[scheme, view.authority.unwrap_or_default(), path].concat());
}

/// The content, where there is some.
fn content<'a>(view: &TransactionView<'a>) -> Option<&'a Content> {
    let body = view.transaction.contents.as_deref()?.request.as_ref()?;
    body.content.as_ref().filter(|content| !content.bytes().is_empty())
}

/// It cannot be an argument, or should not.
fn is_piped(content: &Content) -> bool {
    let bytes = content.bytes();
    matches!(content, Content::Bytes(_)) || bytes.len() > LONG || bytes.contains(&0)
}
