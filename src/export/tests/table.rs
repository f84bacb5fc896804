//! The table format.

use super::*;
use crate::base::limits::{TABLE_CELL_CHARS, TABLE_LINE_CHARS};
use crate::base::time::Timestamp;
use crate::base::tuning::TABLE_HELD_ROWS;
use crate::record::Partial;
use unicode_width::UnicodeWidthStr;

const SHOWN: Wanted = Wanted {
    transactions: true,
    endpoints: false,
    connections: false,
    frames: false,
    findings: false,
    telemetry: true,
    headers: false,
    messages: false,
    timeline: false,
    steps: false,
    segments: false,
    openings: false,
    filtered: false,
};

fn options(width: u16) -> Options {
    Options { format: Format::Table, wanted: SHOWN, width: Some(width), ..Options::default() }
}

fn three(renderer: &mut Renderer) {
    renderer.transaction(at(20, 0), &meta(), &get());
    renderer.transaction(at(20, 0), &tls_meta(), &everything());
    renderer.transaction(at(20, 0), &meta(), &nothing());
}

#[test]
fn a_short_table_on_terminals_of_any_width() {
    let mut out = String::new();
    for width in [80, 120, 200] {
        let table = print(options(width), None, three, Some(&calm_report()));
        for line in table.lines() {
            assert!(line.width() <= width.into(), "{width}: {line}");
        }
        out += &table;
        out += "\n";
    }
    insta::assert_snapshot!(out);
}

#[test]
fn each_record_is_one_line_on_narrow_terminals() {
    for width in [40, 60, 66, 75, 80] {
        for live in [false, true] {
            let wanted = |wanted: Wanted| Options { wanted, live, ..options(width) };
            let frames = Wanted { frames: true, ..Wanted::default() };
            let mut count = 0;
            let frames = print(
                wanted(frames),
                None,
                |renderer| {
                    each_frame(|frame| {
                        count += 1;
                        renderer.frame(at(12, 0), &meta(), frame);
                    });
                },
                None,
            );
            let connections = Wanted { connections: true, ..Wanted::default() };
            let connections = print(
                wanted(connections),
                None,
                |renderer| {
                    renderer.connection(at(99, 0), &connection());
                    renderer.connection(at(99, 0), &undecrypted());
                },
                None,
            );
            let without_contents = |renderer: &mut Renderer| {
                for (meta, transaction) in [(meta(), get()), (tls_meta(), everything()), (meta(), nothing())]
                {
                    let transaction = Transaction { contents: None, ..transaction };
                    renderer.transaction(at(20, 0), &meta, &transaction);
                }
            };
            let calls = print(wanted(Wanted { telemetry: false, ..SHOWN }), None, without_contents, None);
            for (table, rows) in [(frames, count), (connections, 2), (calls, 3)] {
                assert_eq!(table.lines().count(), rows + 1, "{width}:\n{table}");
                for line in table.lines() {
                    assert!(line.width() <= width.into(), "{width}: {line}");
                }
            }
        }
    }
}

#[test]
fn the_date_is_told_where_the_capture_crosses_one() {
    let day = 86_400_000_000_000;
    let calls = |days: &'static [u64]| {
        move |renderer: &mut Renderer| {
            for days in days {
                let mut call = get();
                let first = call.first.time.as_nanos() + days * day;
                call.first.time = Timestamp::from_nanos(first);
                renderer.transaction(at(20, 0), &meta(), &call);
            }
        }
    };
    let dates = |table: &str| -> Vec<String> {
        table
            .lines()
            .filter(|line| line.len() == 10 && line.starts_with("2026-"))
            .map(str::to_owned)
            .collect()
    };
    let held = options(120);
    let live = Options { live: true, ..held };
    assert!(print(held, None, calls(&[0]), None).starts_with("TIME (UTC)"));
    assert_eq!(dates(&print(held, None, calls(&[0, 0]), None)), [""; 0]);
    assert_eq!(dates(&print(held, None, calls(&[0, 0, 1]), None)), ["2026-11-22", "2026-11-23"]);
    assert_eq!(dates(&print(live, None, calls(&[0, 0, 1, 1]), None)), ["2026-11-23"]);
}

#[test]
fn an_authority_that_is_the_server_is_told_once() {
    let mut call = get();
    let server = meta().server;
    let authority = format!("{}:{}", server.ip, server.port);
    call.request.headers = fields(&[(":method", "GET"), (":authority", &authority), (":path", "/v1")]);
    for (width, times) in [(140, 1), (60, 1)] {
        let table =
            print(options(width), None, |renderer| renderer.transaction(at(20, 0), &meta(), &call), None);
        assert_eq!(table.matches(&authority).count(), times, "{table}");
    }
}

#[test]
fn an_incomplete_call_is_not_green() {
    let green = "\x1b[32m";
    let mut call = get();
    let table = |call: &Transaction| {
        let color = Options { color: true, ..options(120) };
        print(color, None, |renderer| renderer.transaction(at(20, 0), &meta(), call), None)
    };
    assert!(table(&call).contains(green));
    call.partial.insert(Partial::TCP_GAP);
    assert!(!table(&call).contains(green));
}

#[test]
fn differences_are_explained_and_missed_ones_named() {
    let verdict = Verdict::Missed(MissReason::Continuation);
    insta::assert_snapshot!(print(options(120), Some(verdict), three, Some(&report())));
}

#[test]
fn a_live_table_is_printed_as_it_comes() {
    let wanted = Wanted { headers: false, ..ALL };
    let out = print(
        Options { live: true, wanted, ..options(120) },
        Some(Verdict::Missed(MissReason::Fin)),
        |renderer| {
            three(renderer);
            renderer.connection(at(99, 0), &connection());
            renderer.connection(at(99, 0), &undecrypted());
            each_frame(|frame| renderer.frame(at(12, 0), &meta(), frame));
            renderer.finding(at(20, 0), &meta(), &finding());
        },
        None,
    );
    for line in out.lines() {
        assert!(line.width() <= 120, "{line}");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn every_kind_has_its_table() {
    let wanted = Wanted { headers: false, telemetry: false, ..ALL };
    let out = print(
        Options { wanted, width: None, ..options(0) },
        None,
        |renderer| {
            three(renderer);
            renderer.connection(at(99, 0), &connection());
            renderer.connection(at(99, 0), &undecrypted());
            each_frame(|frame| renderer.frame(at(12, 0), &meta(), frame));
            renderer.finding(at(20, 0), &meta(), &finding());
        },
        None,
    );
    insta::assert_snapshot!(out);
}

#[test]
fn header_fields_stand_below_their_row() {
    let wanted = Wanted { headers: true, ..SHOWN };
    insta::assert_snapshot!(print(Options { wanted, ..options(100) }, None, three, None));
}

#[test]
fn nothing_found_is_said() {
    assert!(print(options(80), None, |_| (), None).starts_with("No transactions.\n"));
}

#[test]
fn colour_is_there_on_demand_only() {
    for live in [false, true] {
        for color in [false, true] {
            let out = print(Options { color, live, ..options(120) }, None, three, Some(&report()));
            assert_eq!(out.contains("\x1b["), color, "live {live}");
        }
    }
}

#[test]
fn a_long_table_is_not_held() {
    for count in [TABLE_HELD_ROWS, TABLE_HELD_ROWS + 1, TABLE_HELD_ROWS + 2] {
        let mut renderer = Renderer::new(options(100));
        for _ in 0..count {
            renderer.transaction(at(20, 0), &meta(), &get());
        }
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, &options(100));
        for index in 0..renderer.len() {
            printer.record(&renderer, index, Annotation::default()).unwrap();
        }
        printer.flush().unwrap();
        printer.finish(&report()).unwrap();
        drop(printer);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), count + 1, "each row and one heading");
        assert!(text.lines().skip(1).all(|line| line.contains("/v1/users?q=1")));
    }
}

#[test]
fn hostile_text_cannot_reach_the_terminal() {
    let mut transaction = get();
    let evil = "/\x1b[2J\u{202e}\u{9b}\r\n\x1f\x1e\x07";
    transaction.request.headers =
        fields(&[(":method", evil), (":path", evil), ("x", evil), (":authority", evil)]);
    for live in [false, true] {
        for headers in [false, true] {
            let wanted = Wanted { headers, ..SHOWN };
            let out = print(
                Options { live, wanted, width: None, ..options(0) },
                None,
                |renderer| renderer.transaction(at(1, 0), &meta(), &transaction),
                None,
            );
            assert!(
                !out.chars().any(|char| char != '\n' && (char.is_control() || char == '\u{202e}')),
                "{out:?}"
            );
            assert!(out.contains("\\x1b[2J\\u{202e}\\u{9b}\\r\\n\\x1f\\x1e\\x07"), "{out}");
        }
    }
}

#[test]
fn telemetry_alone_needs_no_table() {
    let wanted = Wanted { transactions: false, ..SHOWN };
    let out = print(Options { wanted, ..options(80) }, None, |_| (), Some(&calm_report()));
    assert!(out.starts_with("TELEMETRY"), "{out}");
}

/// One transaction with this path, and this value of a field.
fn shown(path: &str, value: &str) -> String {
    let mut transaction = get();
    transaction.request.headers = fields(&[(":method", "GET"), (":path", path), ("x-a", value)]);
    let wanted = Wanted { headers: true, ..SHOWN };
    let show = |renderer: &mut Renderer| renderer.transaction(at(1, 0), &meta(), &transaction);
    print(Options { wanted, width: None, ..options(0) }, None, show, None)
}

#[test]
fn cap_table_cell_chars() {
    let most = TABLE_CELL_CHARS;
    for (len, cut) in [(most - 1, false), (most, false), (most + 1, true)] {
        let path = format!("/{}", "é".repeat(len - 1));
        let out = shown(&path, "v");
        let row = out.lines().find(|line| line.contains("/é")).unwrap();
        assert_eq!((row.ends_with(&path), row.ends_with("é…")), (!cut, cut), "{len}");
        assert_eq!(row.matches('é').count(), len.min(most) - 1);
    }
}

#[test]
fn cap_table_line_chars() {
    let most = TABLE_LINE_CHARS;
    for (len, cut) in [(most - 1, false), (most, false), (most + 1, true)] {
        let out = shown("/", &"é".repeat(len));
        let line = out.lines().find(|line| line.contains("x-a: ")).unwrap();
        assert_eq!((line.ends_with('é'), line.ends_with("é…")), (!cut, cut), "{len}");
        assert_eq!(line.matches('é').count(), len.min(most));
    }
}
