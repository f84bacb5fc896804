//! Text from strangers: nothing of it acts on a terminal, a spreadsheet, or a reader of JSON.

use super::lens::run;
use super::wire::{REQUEST, RESPONSE, Wire, frame, literal};
use crate::support::json_lines;

pub(super) const NASTY: [&str; 16] = [
    "/\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m",
    "/a\r\nrecord: forged\n{\"record\":\"transaction\"}",
    "/\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}",
    "/\u{9b}31m\u{85}\u{7f}\u{0}\u{8}\u{8}",
    "=HYPERLINK(\"http://evil\",\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "/\"},{\"record\":\"x\",\"y\":\"\\u0000\\",
    "-2+3+cmd|' /C calc'!A0,\"\n",
    "  =1+1",
    "\r=1+1",
    "/';touch canary;'",
    "/$(touch canary)`touch canary`\\",
    "/\n$(touch canary)\n\"; touch canary #",
    "/</script><script>alert(1)</script>",
    "/<!--<script><img src=x onerror=alert(1)>&lt;",
    "/javascript:alert(1)//\u{feff}\u{2028}\u{2029}",
];

pub(super) fn capture() -> Vec<u8> {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    for (n, text) in (0..).zip(NASTY) {
        let id = 2 * n + 1;
        let bytes = text.as_bytes();
        // In the path, the authority, a value, a name, and not as UTF-8 either.
        let broken: Vec<u8> = [bytes, &[0xff, 0xc3, 0x1b]].concat();
        let block = [
            &REQUEST[..2],
            &literal(4, bytes),
            &literal(1, bytes),
            &literal(0x0f, &[])[..0],
            &[0x0f, 0x2b],
            &literal(0, &broken)[1..],
            &[0],
            &literal(0, bytes)[1..],
            &literal(0, &broken)[1..],
        ]
        .concat();
        wire.send(&mut client, &frame(1, 5, id, &block));
        let block =
            [&RESPONSE[..], &[0], &literal(0, b"grpc-message")[1..], &literal(0, bytes)[1..]].concat();
        wire.send(&mut server, &frame(1, 5, id, &block));
    }
    let debug = [&[0, 0, 0, 1, 0, 0, 0, 0][..], NASTY[0].as_bytes(), NASTY[2].as_bytes()].concat();
    wire.send(&mut server, &frame(7, 0, 0, &debug));
    // A value of 64 KiB, in CONTINUATION frames.
    let id = 2 * NASTY.len() as u32 + 1;
    let block = [&REQUEST[..], &[0], &literal(0, b"long")[1..], &literal(0, &[b'x'; 65_536])[1..]].concat();
    let pieces: Vec<_> = block.chunks(16_000).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let ends = if at + 1 == pieces.len() { 4 } else { 0 };
        let (kind, flags) = if at == 0 { (1, 1 | ends) } else { (9, ends) };
        wire.send(&mut client, &frame(kind, flags, id, piece));
    }
    wire.send(&mut server, &frame(1, 5, id, &RESPONSE));
    wire.file
}

/// What moves a cursor, changes colours, hides text or turns its direction.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn output(format: &str, show: &str) -> String {
    let run =
        run(&capture(), &["-o", format, "-H", "--no-redact", "--show", show, "--color", "never"]).within(64);
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn a_table_is_plain_text() {
    let table = output("table", "transactions,connections,frames,telemetry");
    assert!(!table.chars().any(|char| acts(char) && char != '\n'));
    assert!(!table.lines().any(|line| line.starts_with("record: forged")), "no line is forged");
}

#[test]
fn json_holds_every_text_and_shows_none_raw() {
    let text = output("ndjson", "transactions,connections,frames,telemetry");
    assert!(!text.chars().any(|char| acts(char) && char != '\n'));
    let records = json_lines(&text);
    let mut authorities: Vec<&str> = records
        .iter()
        .filter(|record| record["record"] == "transaction")
        .filter_map(|record| record["h2"]["request"]["authority"].as_str())
        .collect();
    authorities.sort_unstable();
    let mut expected = NASTY;
    expected.sort_unstable();
    assert_eq!(authorities, expected, "every text reads back as it was sent");
}

#[test]
fn csv_has_no_formulas_and_no_broken_rows() {
    for show in ["transactions", "connections", "frames"] {
        let text = output("csv", show);
        assert!(!text.chars().any(|char| acts(char) && !matches!(char, '\0' | '\n' | '\t')), "{show}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert!(!rows.is_empty());
        for cell in rows.iter().flatten() {
            let formula = cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
                && cell.parse::<f64>().is_err();
            assert!(!formula, "{cell:?}");
        }
    }
}
