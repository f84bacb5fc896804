//! Endpoint records as h2lens writes them: NDJSON, or the elements of one array, each on a line.

use super::records::{Records, Told};
use crate::aggregate::Counted;
use crate::base::limits::DIFF_LINE;
use crate::record::endpoint::Bins;
use crate::record::schema::endpoint::SKETCH_ZERO;
use memchr::memmem;
use serde_json::{Map, Value};
use std::io::{self, BufRead, Read};
use std::net::SocketAddr;

/// Whether a file that begins so is JSON.
pub fn is_text(beginning: &[u8]) -> bool {
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    matches!(beginning.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Adds the endpoint records of a text; records of other kinds are passed over.
///
/// # Errors
/// When it cannot be read.
pub fn read_text(reader: &mut impl BufRead, records: &mut Records) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(DIFF_LINE as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let is_whole = line.len() <= DIFF_LINE;
        if !is_whole && line.last() != Some(&b'\n') {
            skip_line(reader)?;
        }
        // Most lines of a file that holds all records are transactions: they are not parsed.
        if memmem::find(&line, b"\"endpoint\"").is_none() {
            continue;
        }
        if is_whole {
            read_line(&line, records);
        } else {
            records.leave_out();
        }
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
        let (skipped, over) = (end.unwrap_or(bytes.len()), end.is_some() || bytes.is_empty());
        reader.consume(skipped);
        if over {
            return Ok(());
        }
    }
}

fn read_line(line: &[u8], records: &mut Records) {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    let line = line.strip_suffix(b",").unwrap_or(line);
    let line = line.strip_prefix(b"[").unwrap_or(line).trim_ascii();
    match serde_json::from_slice::<Value>(line) {
        Ok(record) if at(&record, "record").and_then(Value::as_str) != Some("endpoint") => {}
        Ok(record) => match told(&record) {
            Some(told) => records.push(told),
            None => records.pass_over(),
        },
        Err(_) => records.pass_over(),
    }
}

/// The value at a path with dots.
fn at<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(record, |value, key| value.get(key))
}

fn told(record: &Value) -> Option<Told> {
    let text = |path| at(record, path).and_then(Value::as_str).map(str::to_owned);
    let count = |path| at(record, path).and_then(Value::as_u64);
    let nanos =
        |path| at(record, path).and_then(Value::as_f64).map_or(0, |seconds| (seconds * 1e9).round() as u64);
    let ip = at(record, "server.address").and_then(Value::as_str).and_then(|ip| ip.parse().ok());
    let port = count("server.port").and_then(|port| u16::try_from(port).ok());
    let sketch = at(record, "h2.duration.sketch").and_then(Value::as_object);
    Some(Told {
        authority: text("authority"),
        server: ip.zip(port).map(|(ip, port)| SocketAddr::new(ip, port)),
        method: text("http.request.method"),
        template: text("url.template"),
        rpc: text("rpc.method"),
        operation: text("graphql.operation.name"),
        unplaced: at(record, "h2.unplaced").is_some() || at(record, "h2.folded").is_some(),
        counted: Counted {
            calls: count("h2.calls")?,
            failed: count("h2.failed")?,
            request_bytes: count("h2.request_bytes").unwrap_or_default(),
            response_bytes: count("h2.response_bytes").unwrap_or_default(),
            durations: sketch.map_or(Some(Bins::default()), bins)?,
            duration_sum: nanos("h2.duration.sum"),
            duration_max: nanos("h2.duration.max"),
        },
    })
}

fn bins(sketch: &Map<String, Value>) -> Option<Bins> {
    let counts = sketch.iter().map(|(key, count)| Some((key.as_str(), count.as_u64()?)));
    counts.collect::<Option<Vec<_>>>().and_then(|counts| sketch_of(counts.into_iter()))
}

/// The bins of a sketch as records hold it.
pub(super) fn sketch_of<'a>(entries: impl Iterator<Item = (&'a str, u64)>) -> Option<Bins> {
    let mut bins = Bins::default();
    for (key, count) in entries {
        match key {
            SKETCH_ZERO => bins.zeros = count,
            _ => bins.counts.push((key.parse().ok()?, count)),
        }
    }
    bins.counts.sort_unstable();
    bins.counts.is_sorted_by(|(one, _), (other, _)| one < other).then_some(bins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{Aggregate, Row, Templates};
    use crate::base::limit_counters::Limit;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Records {
        let mut records = Records::default();
        read_text(&mut &*text, &mut records).unwrap();
        records
    }

    fn rows(records: &Records) -> Vec<Row> {
        let mut templates = Templates::default();
        Records::add_templates(std::slice::from_ref(records), &mut templates.patterns);
        let mut aggregate = Aggregate::new(templates.into(), 8 << 20);
        records.add_to(&mut aggregate);
        aggregate.rows().rows
    }

    fn sample() -> Vec<u8> {
        br#"{"record":"endpoint","url":{"template":"/v1/users/{int}"},"http":{"request":{"method":"GET"}},"server":{"address":"10.0.0.2","port":8080},"authority":"users.example","h2":{"calls":1200,"failed":3,"incomplete":2,"duration":{"p50":0.001,"max":0.05,"sum":12.345678901,"sketch":{"zero":1,"1001":599,"690":600}},"request_bytes":12,"response_bytes":345678,"rate":{"peak":30.0}}}
"#
        .to_vec()
    }

    #[test]
    fn a_record_reads_as_it_was_written() {
        let text = sample();
        let array = [b"[\n", text.trim_ascii(), b",\n", b"{\"record\":\"telemetry\"}\n]\n"].concat();
        for text in [text, array] {
            assert!(is_text(&text));
            let records = read(&text);
            let rows = rows(&records);
            let [row] = rows.as_slice() else { panic!("{} records", rows.len()) };
            assert_eq!((row.stats.calls, row.stats.failed, row.stats.response_bytes), (1200, 3, 345_678));
            let bins = Bins { zeros: 1, counts: vec![(690, 600), (1001, 599)] };
            assert_eq!(row.stats.duration.sketch().bins(), bins);
            assert_eq!(
                (row.stats.duration.sum(), row.stats.duration.max()),
                (12_345_678_901, Some(50_000_000))
            );
            assert_eq!(
                (row.kind.to_string().as_str(), row.authority.as_deref()),
                ("/v1/users/{int}", Some("users.example"))
            );
            assert_eq!((records.unreadable(), records.without_durations()), (0, 0));
        }
    }

    #[test]
    fn a_record_without_its_sketch_tells_of_no_durations() {
        let text = br#"{"record":"endpoint","url":{"template":"/a"},"h2":{"calls":5,"failed":1,"duration":{"p50":0.1}}}"#;
        let records = read(text);
        assert_eq!((records.count(), records.without_durations()), (1, 1));
        assert_eq!(rows(&records)[0].stats.duration.quantile(0.5), None);
    }

    #[test]
    fn what_is_no_record_is_counted() {
        let text = b"{\"record\":\"endpoint\",\n{\"record\":\"endpoint\",\"h2\":{\"calls\":-1,\"failed\":0}}\n{\"a\":\"endpoint\"}\n\n";
        assert_eq!((read(text).count(), read(text).unreadable()), (0, 2));
    }

    #[test]
    fn cap_diff_line() {
        let long = format!("{{\"record\":\"endpoint\",\"x\":\"{}\"}}\n", "x".repeat(DIFF_LINE));
        let records = read(&[long.as_bytes(), &sample()].concat());
        assert_eq!((records.count(), records.struck().of(Limit::DiffRecords)), (1, 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_records_or_none(
            from in any::<prop::sample::Index>(), cut in 0_usize..40, with in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut text = sample();
            let from = from.index(text.len());
            let to = (from + cut).min(text.len());
            text.splice(from..to, with.iter().copied());
            for row in rows(&read(&text)) {
                let _ = row.stats.duration.quantile(0.99);
            }
            let _ = read(&with);
        }
    }
}
