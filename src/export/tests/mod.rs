//! The formats, over sample records.

mod course;
mod curl;
mod formats;
mod har;
mod otlp;
mod schema;
mod table;
mod trace;

use super::*;
use crate::base::verdict::{MissReason, Verdict};
use crate::export::sanitize::is_hidden;
use crate::http2::frame::{Flags, FrameHeader, FrameType, FrameView};
use crate::record::samples::*;
use crate::record::{
    Annotation, ConnectionMeta, Consumer, Field, FieldName, Fields, Part, Partial, RecordSink, Transaction,
};

/// Everything is wanted.
pub(super) const ALL: Wanted = Wanted {
    transactions: true,
    endpoints: true,
    connections: true,
    frames: true,
    findings: true,
    telemetry: true,
    headers: true,
    messages: true,
    timeline: true,
    openings: false,
    filtered: false,
    steps: false,
    segments: true,
};

/// Prints what a renderer made, with one verdict for all.
pub(super) fn print(
    options: Options,
    verdict: Option<Verdict>,
    fill: impl FnOnce(&mut Renderer),
    report: Option<&crate::record::Report>,
) -> String {
    let mut renderer = Renderer::new(options);
    fill(&mut renderer);
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, &options);
    for index in 0..renderer.len() {
        printer.record(&renderer, index, Annotation { agent: verdict, ..Annotation::default() }).unwrap();
    }
    if options.wanted.endpoints && report.is_some() {
        printer.endpoints(&endpoints()).unwrap();
    }
    if let Some(report) = report {
        printer.telemetry(report).unwrap();
    }
    printer.finish(&crate::record::Report::default()).unwrap();
    drop(printer);
    String::from_utf8(out).unwrap()
}

/// Of a format that fixes what it holds.
pub(super) fn options(format: Format, show_secrets: bool) -> Options {
    Options { format, wanted: format.fixed().unwrap(), show_secrets, ..Options::default() }
}

/// A request whose values do what they can.
pub(super) fn hostile() -> Fields {
    let mut fields = fields(&[
        (":method", "GET\"\\"),
        (":authority", "a\"<script>\u{202e}"),
        (":path", "/\u{1b}[2J'\"$(id)`id`;&|<>\u{85}\u{2028}\u{2029}?a=%00&=cmd"),
        ("x-shell", "' \" $(touch x) `touch x` \\ ; & | ! \u{1b}]0;x\u{7}"),
        ("x-formula", "=cmd|'/C calc'!A0"),
        ("x-html", "</script><script>alert(1)</script>"),
        ("x-hidden", "\u{200b}\u{feff}\u{e0041}\u{9b}31m\u{7f}"),
        ("x-lines", "a\r\nb"),
        ("x-long", &"x".repeat(65_536)),
        ("traceparent", "00-\u{1b}"),
        ("cookie", "=; ;a\u{1b}"),
    ]);
    let bytes = Field { name: Some(b"x-bytes"), value: Some(b"a\xff\xfe\x80"), ..unknown(None, 0) };
    fields.push(Field { source: crate::base::certainty::Certainty::Exact, reference: None, ..bytes });
    fields
}

/// One transaction as one line of JSON.
pub(super) fn line(wanted: Wanted, meta: &ConnectionMeta, transaction: &Transaction) -> String {
    let options = Options { wanted, ..Options::default() };
    print(options, None, |renderer| renderer.transaction(at(1, 0), meta, transaction), None)
}

/// A frame of each type, and one of an unknown type.
pub(super) fn each_frame(mut take: impl FnMut(&FrameView<'_>)) {
    let frames: [(u8, u8, &[u8]); 14] = [
        (0, 0x9, &[3]),
        (1, 0x2d, &[1, 0x80, 0, 0, 3, 15, b'x', 0]),
        (2, 0, &[0, 0, 0, 3, 0]),
        (3, 0, &[0, 0, 0, 8]),
        (4, 0, &[0, 1, 0, 0, 16, 0, 0x12, 0x34, 0, 0, 0, 1]),
        (5, 0x8, &[1, 0, 0, 0, 2, b'x', 0]),
        (6, 0x41, &[0, 1, 2, 3, 4, 5, 6, 7]),
        (7, 0, b"\0\0\0\x17\0\0\x12\x34bye\xff"),
        (8, 0, &[0, 0, 0xff, 0xff]),
        (9, 0x4, b"x"),
        (0xa, 0, b"\0\x09a.exampleh2=\":443\""),
        (0xc, 0, b"\0\x09https://a"),
        (0x10, 0, b"\0\0\0\x03u=1"),
        (0xbe, 0xff, b"?"),
    ];
    for (kind, flags, payload) in frames {
        take(&FrameView {
            at: at(12, 0),
            from_client: kind % 2 == 1,
            header: FrameHeader {
                length: payload.len() as u32,
                kind: FrameType(kind),
                flags: Flags(flags),
                stream: 1,
                reserved: kind == 0xbe,
            },
            payload,
        });
    }
}
