//! Commands that repeat the requests.

use super::*;
use crate::record::{Body, Content, Contents, Grpc, Transaction};
use std::process::Command;

fn script(meta: &ConnectionMeta, transaction: &Transaction, show_secrets: bool) -> String {
    let schemas = vec!["a b.proto".to_owned()].leak();
    let options = Options { schemas, ..options(Format::Curl, show_secrets) };
    print(options, None, |renderer| renderer.transaction(at(1, 0), meta, transaction), None)
}

/// A request with these fields beside the usual ones.
fn with(lines: &[(&str, &str)]) -> Transaction {
    let usual = [(":method", "GET"), (":scheme", "http"), (":authority", "a.example"), (":path", "/")];
    let mut call = get();
    let kept = usual.into_iter().filter(|(name, _)| lines.iter().all(|(own, _)| own != name));
    call.request.headers = fields(&kept.chain(lines.iter().copied()).collect::<Vec<_>>());
    call
}

/// With this content.
fn posted(content: Content) -> Transaction {
    let mut call = with(&[(":method", "POST"), ("content-type", "text/plain")]);
    call.request.body = match &content {
        Content::Text(text) => text.len() as u64,
        Content::Bytes(bytes) => bytes.len() as u64,
    };
    let request = Some(Body { content: Some(content), complete: true, ..Body::default() });
    call.contents = Some(Box::new(Contents { request, ..Contents::default() }));
    call
}

/// The arguments and the standard input that a shell gives to the program of the script.
fn run(script: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
    let program = "take() { printf '%s\\0' \"$@\"; printf '\\0'; case \"$*\" in *@-*) cat;; esac; }; ";
    let script = format!("{program}curl() {{ take \"$@\"; }}\nAUTHORIZATION='Bearer \"x\" $(id)'\n{script}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{script}: {output:?}");
    let end = memchr::memmem::find(&output.stdout, b"\0\0").unwrap();
    let arguments = output.stdout[..end].split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    (arguments, output.stdout[end + 2..].to_vec())
}

#[test]
fn a_plain_request_is_repeated() {
    let shown = "\
curl --globoff --path-as-is --http2-prior-knowledge \\
  -H 'user-agent: curl/8.5' \\
  -H 'authorization: '\"$AUTHORIZATION\" \\
  -H 'accept:' \\
  'http://users.example:8080/v1/users?q=1'
";
    assert_eq!(script(&meta(), &get(), false), shown);
    assert!(script(&meta(), &get(), true).contains("-H 'authorization: Bearer secret'"));
    let (arguments, _) = run(shown);
    assert!(arguments.contains(&b"authorization: Bearer \"x\" $(id)".to_vec()));
    assert!(script(&tls_meta(), &get(), false).starts_with("curl --globoff --path-as-is \\\n"));
}

#[test]
fn the_method_is_named_where_curl_would_choose_another() {
    for (method, option) in
        [("HEAD", " --head"), ("DELETE", " -X DELETE"), ("get", " -X get"), ("A'B", r" -X 'A'\''B'")]
    {
        let script = script(&meta(), &with(&[(":method", method)]), false);
        assert!(script.lines().next().unwrap().contains(option), "{script}");
    }
    assert!(!script(&meta(), &posted(Content::Text("x".to_owned())), false).contains("-X"));
}

#[test]
fn paths_that_no_url_may_have_stand_beside_it() {
    for path in ["/a b", "/a#b", "/{x}", "*", "/ü"] {
        let (arguments, _) = run(&script(&meta(), &with(&[(":path", path)]), false));
        let at = arguments.iter().position(|argument| argument == b"--request-target").unwrap();
        assert_eq!(
            (arguments[at + 1].as_slice(), arguments[at + 2].as_slice()),
            (path.as_bytes(), &b"http://a.example/"[..])
        );
    }
}

#[test]
fn fields_come_as_they_were_sent() {
    let (arguments, _) =
        run(&script(&meta(), &with(&[("x-empty", ""), ("host", "h"), ("x-it", "it's $HOME\x1b")]), false));
    for argument in ["x-empty;", "x-it: it's $HOME\x1b", "accept:", "user-agent:"] {
        assert!(arguments.contains(&argument.as_bytes().to_vec()), "{argument:?}");
    }
    assert!(
        !arguments
            .iter()
            .any(|argument| argument.starts_with(b"host") || argument.starts_with(b"content-type"))
    );
}

#[test]
fn content_is_an_argument_or_comes_through_a_pipe() {
    let text = "it's\n\x1b%s\\ ü\n";
    let (arguments, piped) = run(&script(&meta(), &posted(Content::Text(text.to_owned())), false));
    let at = arguments.iter().position(|argument| argument == b"--data-raw").unwrap();
    assert_eq!((arguments[at + 1].as_slice(), piped.len()), (text.as_bytes(), 0));
    let long = "x%".repeat(33_000);
    for content in
        [Content::Text(long), Content::Text("a\0b".to_owned()), Content::Bytes(vec![b'-', 0xff, 0, b'\n'])]
    {
        let sent = match &content {
            Content::Text(text) => text.clone().into_bytes(),
            Content::Bytes(bytes) => bytes.clone(),
        };
        let (arguments, piped) = run(&script(&meta(), &posted(content), false));
        assert!(piped == sent && arguments.contains(&b"--data-binary".to_vec()));
    }
}

#[test]
fn what_cannot_be_repeated_is_a_comment() {
    let reason = |call: &Transaction| {
        let script = script(&meta(), call, false);
        assert!(script.is_ascii() && script.lines().count() == 1, "{script}");
        script
            .strip_prefix("# connection 1, stream ")
            .unwrap()
            .trim_end()
            .split_once(": ")
            .unwrap()
            .1
            .to_owned()
    };
    for (lines, word) in [
        (&[(":method", "CONNECT")][..], "tunnel"),
        (&[(":method", "CONNECT"), (":protocol", "websocket")], ":protocol"),
        (&[(":method", "-X")], "token"),
        (&[("-x", "1")], "token"),
        (&[("@x", "1")], "token"),
        (&[("x", "a\r\nb")], "line end"),
        (&[(":path", "/\0")], "NUL"),
        (&[(":path", "http://b/")], "slash"),
        (&[(":authority", "u:p@a/?")], "authority"),
        (&[("http2-settings", "AAA")], "upgraded"),
    ] {
        assert!(reason(&with(lines)).contains(word), "{lines:?}");
    }
    let mut call = get();
    call.request.body = 5;
    assert!(reason(&call).contains("--body"));
    call.request.trailers = fields(&[("x", "1")]);
    assert!(reason(&call).contains("trailers"));
    call.request.headers.push(unknown(Some("x"), 0));
    assert!(reason(&call).contains("not known"));
    call.partial = Partial::REQUEST_CUT;
    assert!(reason(&call).contains("not wholly"));
    assert!(reason(&everything()).contains("promised"));
    let mut coded = posted(Content::Text("x".to_owned()));
    coded.request.headers = with(&[("content-encoding", "gzip")]).request.headers;
    assert!(reason(&coded).contains("decoded"));
}

#[test]
fn messages_that_are_known_go_to_grpcurl() {
    let mut call = with(&[
        (":method", "POST"),
        (":path", "/pkg.Service/Method"),
        ("content-type", "application/grpc"),
        ("grpc-timeout", "1S"),
        ("x-case", "1"),
        ("x-id-bin", "AAEC"),
    ]);
    call.grpc = Some(Grpc { request_messages: Some(1), ..Grpc::default() });
    call.request.body = 12;
    call.contents = everything().contents;
    call.contents.as_mut().unwrap().request = None;
    let shown = "\
grpcurl -plaintext \\
  -proto 'a b.proto' \\
  -authority a.example \\
  -H 'x-case: 1' \\
  -H 'x-id-bin: AAEC' \\
  -d '{\"a\":\"'\"$(printf '\\342\\200\\256')\"'\"}' \\
  10.0.0.2:8080 pkg.Service/Method
";
    let contents = call.contents.as_mut().unwrap();
    contents.messages.truncate(1);
    (contents.messages[0].truncated, contents.messages[0].error) = (false, None);
    assert_eq!(script(&meta(), &call, false), shown);
    let changed = |change: &dyn Fn(&mut Contents)| {
        let mut call = call.clone();
        change(call.contents.as_mut().unwrap());
        script(&meta(), &call, false)
    };
    assert!(changed(&|contents| contents.messages[0].kind = None).contains("no schema"));
    let partly = Some("{\"a\":1,\"@unknown\":[]}".to_owned());
    assert!(changed(&|contents| contents.messages[0].value.clone_from(&partly)).contains("not wholly"));
    assert!(changed(&|contents| contents.messages[0].error = Some("too_long")).contains("cut off"));
    assert_eq!(changed(&|contents| contents.messages_omitted = 9), shown, "they are the server's");
    call.grpc.as_mut().unwrap().request_messages = Some(2);
    call.contents.as_mut().unwrap().messages_omitted = 1;
    assert!(script(&meta(), &call, false).contains("cut off"), "one that it sent is not shown");
}

#[test]
fn hostile_values_stay_values() {
    let mut call = with(&[]);
    let usual = call.request.headers.clone();
    for field in hostile().iter().filter(|field| field.known == FieldName::Other) {
        let mut headers = usual.clone();
        headers.push(field);
        call.request.headers = headers;
        let script = script(&meta(), &call, true);
        assert!(!script.chars().any(|char| char != '\n' && is_hidden(char)), "{script:?}");
        if !script.starts_with('#') {
            let (arguments, _) = run(&script);
            let sent = [field.name.unwrap(), b": ", field.value.unwrap()].concat();
            assert!(arguments.contains(&sent), "{script}");
        }
    }
}
