//! The Prometheus text format, version 0.0.4.

use crate::base::limits::METRICS_ENDPOINTS;
use crate::base::verdict::MissReason;
use crate::engine::Standing;
use crate::record::endpoint::{Endpoint, Endpoints};
use crate::record::{DURATION_BOUNDS, Histogram, Report, STATUS_CLASSES, TimePart};
use std::cmp::Reverse;
use std::fmt::Write;

/// What the text is.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where a live capture stands.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Snapshot {
    /// The analysis.
    pub(in crate::cli) standing: Standing,
    /// Bytes of records that wait for the reader of the output.
    pub(in crate::cli) output_bytes: u64,
    /// Bytes of memory in use, where the system says.
    pub(in crate::cli) resident_bytes: Option<u64>,
    /// When the capture began, in seconds since 1970.
    pub(in crate::cli) start_seconds: f64,
}

/// A labelled value.
type Sample<'a> = (Vec<(&'a str, &'a str)>, u64);

/// Writes metrics; label values are escaped already.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn family<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) {
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help, [(vec![], value)]);
    }
}

/// The metrics page.
pub(super) fn exposition(snapshot: &Snapshot) -> String {
    let mut text = Text::default();
    let Snapshot { standing, output_bytes, resident_bytes, start_seconds } = snapshot;
    agents_counters(&mut text, &standing.report);
    agent(&mut text, &standing.report);
    exchanges(&mut text, standing);
    if let Some(endpoints) = &standing.endpoints {
        self::endpoints(&mut text, endpoints);
    }
    coverage(&mut text, &standing.report);
    let open = &standing.open;
    let connections = [("http2", open.http2), ("other", open.connections.saturating_sub(open.http2))];
    text.family(
        "h2lens_connections",
        "gauge",
        "TCP connections followed now.",
        connections.map(|(protocol, count)| (vec![("protocol", protocol)], count)),
    );
    text.family(
        "h2lens_requests_in_flight",
        "gauge",
        "Exchanges that have begun and not ended.",
        [(vec![], open.in_flight)],
    );
    let entries = [
        ("connections", open.connections),
        ("ended_connections", open.remembered),
        ("streams", open.in_flight),
    ];
    text.family(
        "h2lens_table_entries",
        "gauge",
        "Entries of the tables.",
        entries.map(|(table, count)| (vec![("table", table)], count)),
    );
    let bytes = [("reassembly", open.reassembly_bytes), ("output", *output_bytes)];
    text.family(
        "h2lens_table_bytes",
        "gauge",
        "Bytes that wait: for holes in TCP streams to fill, for the reader of the output.",
        bytes.map(|(table, count)| (vec![("table", table)], count)),
    );
    if let Some(resident) = resident_bytes {
        text.head("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
        text.sample("process_resident_memory_bytes", &[], resident);
    }
    text.head("process_start_time_seconds", "gauge", "Start time since the Unix epoch in seconds.");
    text.sample("process_start_time_seconds", &[], start_seconds);
    text.head("h2lens_build_info", "gauge", "The version that runs.");
    text.sample("h2lens_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.0
}

/// The counters of both views, by the agent's names.
fn agents_counters(text: &mut Text, report: &Report) {
    let mut views = vec![
        ("exact", "false", report.exact.plaintext.entries()),
        ("exact", "true", report.exact.tls.entries()),
    ];
    if let Some(agent) = &report.agent {
        views.push(("agent", "false", agent.view.plaintext.entries()));
        views.push(("agent", "true", agent.view.tls.entries()));
    }
    for (index, (counter, _)) in report.exact.plaintext.entries().iter().enumerate() {
        let samples = views.iter().filter_map(|(view, encrypted, entries)| {
            let (_, value) = entries.get(index)?;
            Some((vec![("view", *view), ("encrypted", *encrypted)], *value))
        });
        let help = format!(
            "The kernel agent's counter usm.http2.{counter}: as on the wire, and as the agent counts."
        );
        text.family(&format!("usm_http2_{counter}"), "counter", &help, samples);
    }
}

/// How far the agent's view goes.
fn agent(text: &mut Text, report: &Report) {
    let Some(agent) = &report.agent else { return };
    text.counter(
        "h2lens_agent_transactions_total",
        "Complete transactions that the kernel agent would have emitted too.",
        agent.transactions,
    );
    text.counter(
        "h2lens_agent_spurious_total",
        "Transactions that the kernel agent would have emitted and that were not on the wire.",
        agent.spurious,
    );
    text.family(
        "h2lens_agent_missed_total",
        "counter",
        "Complete transactions that the kernel agent would not have emitted, by reason.",
        MissReason::ALL
            .iter()
            .zip(agent.missed)
            .map(|(reason, count)| (vec![("reason", reason.name())], count)),
    );
}

/// How the exchanges ended, and how long they took.
fn exchanges(text: &mut Text, standing: &Standing) {
    let sides = [("false", &standing.tally.plaintext), ("true", &standing.tally.tls)];
    text.family(
        "h2lens_transactions_total",
        "counter",
        "Exchanges that have ended, by the class of their status.",
        sides.iter().flat_map(|&(encrypted, side)| {
            let classes = STATUS_CLASSES.iter().zip(side.classes);
            classes.map(move |(class, count)| (vec![("encrypted", encrypted), ("status", *class)], count))
        }),
    );
    text.family(
        "h2lens_transaction_errors_total",
        "counter",
        "Exchanges that failed, as error.type says: by gRPC or HTTP status, cut off by a reset or a connection's end, malformed.",
        sides.iter().map(|&(encrypted, side)| (vec![("encrypted", encrypted)], side.errors)),
    );
    let name = "h2lens_time_seconds_total";
    text.head(name, "counter", "Where the time of exchanges went, of those where that is known.");
    for (encrypted, side) in sides {
        for part in TimePart::ALL {
            let seconds = side.time.get(part) as f64 / 1e9;
            text.sample(name, &[("encrypted", encrypted), ("part", part.name())], seconds);
        }
    }
    let name = "h2lens_request_duration_seconds";
    text.head(
        name,
        "histogram",
        "From the first packet of a request to the last of the exchange, where there is a response.",
    );
    for (encrypted, side) in sides {
        histogram(text, name, encrypted, &side.durations);
    }
}

/// A counter of an endpoint: name, help, value.
type EndpointCounter = (&'static str, &'static str, fn(&Endpoint) -> u64);

const ENDPOINT_COUNTERS: [EndpointCounter; 3] = [
    ("h2lens_endpoint_calls_total", "Exchanges of an endpoint.", |row| row.calls),
    ("h2lens_endpoint_failed_total", "Those that failed, as error.type says.", |row| row.failed),
    ("h2lens_endpoint_incomplete_total", "Those of which something is missing.", |row| row.incomplete),
];

/// The endpoints with the most calls.
fn endpoints(text: &mut Text, endpoints: &Endpoints) {
    let mut rows: Vec<&Endpoint> = endpoints.rows.iter().filter(|row| row.folded.is_none()).collect();
    // Of equal ones the first stays first.
    rows.sort_by_key(|row| Reverse(row.calls));
    let left_out = endpoints.rows.len().saturating_sub(METRICS_ENDPOINTS);
    rows.truncate(METRICS_ENDPOINTS);
    let named: Vec<_> = rows.into_iter().map(|row| (row, names(row))).collect();
    for (name, help, value) in ENDPOINT_COUNTERS {
        let samples = named.iter().map(|(row, names)| (labels(names), value(row)));
        text.family(name, "counter", help, samples);
    }
    let name = "h2lens_endpoint_duration_seconds";
    text.head(
        name,
        "summary",
        "How long the exchanges of an endpoint took, since the capture began, to 1 %.",
    );
    for (row, names) in &named {
        for (quantile, nanos) in
            ["0.5", "0.9", "0.95", "0.99"].iter().zip(row.duration.quantiles.into_iter().flatten())
        {
            let mut labels = labels(names);
            labels.push(("quantile", quantile));
            text.sample(name, &labels, nanos as f64 / 1e9);
        }
        text.sample(&format!("{name}_sum"), &labels(names), row.duration.sum as f64 / 1e9);
        text.sample(&format!("{name}_count"), &labels(names), row.calls);
    }
    text.family(
        "h2lens_endpoints_left_out",
        "gauge",
        "Endpoints that are not shown here, as there are too many: those with the fewest calls.",
        [(vec![], left_out as u64)],
    );
}

/// Labels of an endpoint: service, method and path template, of gRPC the path.
fn names(row: &Endpoint) -> [(&'static str, String); 3] {
    let service = match (&row.authority, row.server) {
        (Some(authority), _) => escaped(authority),
        (None, Some(server)) => server.to_string(),
        (None, None) => String::new(),
    };
    let text = |text: &Option<String>| text.as_deref().map(escaped).unwrap_or_default();
    // The rows are apart by this, too.
    let path = if row.unplaced {
        "(not known which)".to_owned() + &text(&row.template)
    } else {
        text(&row.template)
    };
    [("service", service), ("method", text(&row.method)), ("endpoint", path)]
}

fn labels<'a>(names: &'a [(&'static str, String); 3]) -> Vec<(&'a str, &'a str)> {
    names.iter().map(|(label, text)| (*label, text.as_str())).collect()
}

/// A label's value as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn histogram(text: &mut Text, name: &str, encrypted: &str, durations: &Histogram) {
    let bounds = DURATION_BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
    let mut sum = 0;
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(durations.buckets) {
        sum += count;
        text.sample(&format!("{name}_bucket"), &[("encrypted", encrypted), ("le", &bound)], sum);
    }
    let seconds = durations.sum_nanos as f64 / 1e9;
    text.sample(&format!("{name}_sum"), &[("encrypted", encrypted)], seconds);
    text.sample(&format!("{name}_count"), &[("encrypted", encrypted)], sum);
}

/// What was seen, and what is missing.
fn coverage(text: &mut Text, report: &Report) {
    let coverage = &report.coverage;
    for (name, help, value) in [
        ("h2lens_packets_total", "Packets captured.", coverage.packets),
        ("h2lens_bytes_total", "Bytes of these packets on the wire.", coverage.bytes),
        (
            "h2lens_http2_packets_total",
            "Packets with bytes of HTTP/2 connections.",
            coverage.packets_with_http2,
        ),
        ("h2lens_http2_bytes_total", "Bytes of HTTP/2 connections.", coverage.bytes_http2),
        ("h2lens_gap_bytes_total", "Bytes of HTTP/2 connections that were not captured.", coverage.gap_bytes),
        (
            "h2lens_bad_checksums_total",
            "Segments that were not used for their checksum.",
            coverage.bad_checksums,
        ),
        (
            "h2lens_unaccepted_segments_total",
            "Resets, SYNs and data that their receiver did not accept.",
            coverage.unaccepted,
        ),
        (
            "h2lens_dropped_packets_total",
            "Packets that the kernel or the interface dropped.",
            coverage.dropped_by_kernel,
        ),
        (
            "h2lens_dropped_records_total",
            "Records dropped because the reader of the output was too slow.",
            coverage.dropped_records,
        ),
        ("h2lens_parse_errors_total", "Violations that made bytes unreadable.", coverage.parse_errors),
        ("h2lens_missed_requests_total", "Responses whose request was not seen.", coverage.missed_requests),
    ] {
        text.counter(name, help, value);
    }
    let complete = [("true", coverage.transactions_complete), ("false", coverage.transactions_incomplete)];
    text.family(
        "h2lens_covered_transactions_total",
        "counter",
        "Exchanges that have ended, by whether all of them was seen.",
        complete.map(|(complete, count)| (vec![("complete", complete)], count)),
    );
    let blocks = [
        ("decoded", coverage.header_blocks_decoded),
        ("partial", coverage.header_blocks_partial),
        ("lost", coverage.header_blocks_lost),
    ];
    text.family(
        "h2lens_header_blocks_total",
        "counter",
        "Header blocks, by how much of them could be decoded.",
        blocks.map(|(result, count)| (vec![("result", result)], count)),
    );
    text.family(
        "h2lens_limits_total",
        "counter",
        "Times a cap of h2lens struck.",
        coverage.limits.iter().map(|(limit, count)| (vec![("limit", limit.name())], count)),
    );
    text.family(
        "h2lens_skipped_packets_total",
        "counter",
        "Packets that hold no TCP segment, by reason.",
        coverage.skipped_packets.iter().map(|&(reason, count)| (vec![("reason", reason)], count)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::endpoint::Quantiles;
    use crate::record::{AgentView, TimeParts};
    use std::collections::{HashMap, HashSet};
    use std::time::Duration;

    /// Samples by name and labels, of a page that is checked to be well-formed on the way: every sample follows the
    /// HELP and TYPE of its family, no family and no sample comes twice.
    fn parse(page: &str) -> HashMap<String, f64> {
        let mut samples = HashMap::new();
        let mut families = HashSet::new();
        let (mut family, mut kind) = (String::new(), String::new());
        assert!(page.ends_with('\n'));
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split(' ').next().unwrap().to_owned();
                assert!(families.insert(family.clone()), "{family} comes twice");
            } else if let Some(text) = line.strip_prefix("# TYPE ") {
                let (name, is) = text.split_once(' ').unwrap();
                assert_eq!(name, family);
                assert!(["counter", "gauge", "histogram", "summary"].contains(&is));
                is.clone_into(&mut kind);
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = series.split('{').next().unwrap();
                let suffix = name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line}"));
                let allowed: &[&str] = match kind.as_str() {
                    "histogram" => &["_bucket", "_sum", "_count"],
                    "summary" => &["", "_sum", "_count"],
                    _ => &[""],
                };
                assert!(allowed.contains(&suffix), "{line}");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
                if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                    for label in labels.strip_prefix('{').unwrap().strip_suffix('}').unwrap().split(',') {
                        let (name, value) = label.split_once('=').unwrap();
                        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
                        assert!(value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
                    }
                }
                assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{line}");
            }
        }
        samples
    }

    #[test]
    fn the_page_is_well_formed_and_says_what_is() {
        let mut snapshot = Snapshot { resident_bytes: Some(4096), start_seconds: 1.5, ..Snapshot::default() };
        let report = &mut snapshot.standing.report;
        report.exact.plaintext.requests = 7;
        report.exact.tls.path_size_bucket[7] = 3;
        report.agent = Some(AgentView { rules: "2026b", transactions: 5, ..AgentView::default() });
        report.coverage.dropped_by_kernel = 11;
        report.coverage.limits.add(crate::base::limit_counters::Limit::Streams, 2);
        let tally = &mut snapshot.standing.tally;
        let mut time = TimeParts::default();
        time.add(TimePart::StreamWindow, 250_000_000);
        tally.record(true, Some(204), false, Duration::from_millis(1), Some(&time));
        tally.record(true, Some(500), true, Duration::from_secs(60), None);
        let samples = parse(&exposition(&snapshot));
        for (series, value) in [
            ("usm_http2_requests{view=\"exact\",encrypted=\"false\"}", 7.0),
            ("usm_http2_requests{view=\"agent\",encrypted=\"false\"}", 0.0),
            ("usm_http2_path_size_bucket_8{view=\"exact\",encrypted=\"true\"}", 3.0),
            ("h2lens_agent_transactions_total", 5.0),
            ("h2lens_dropped_packets_total", 11.0),
            ("h2lens_limits_total{limit=\"streams\"}", 2.0),
            ("h2lens_transactions_total{encrypted=\"true\",status=\"5xx\"}", 1.0),
            ("h2lens_transaction_errors_total{encrypted=\"true\"}", 1.0),
            ("h2lens_request_duration_seconds_bucket{encrypted=\"true\",le=\"0.0005\"}", 0.0),
            ("h2lens_request_duration_seconds_bucket{encrypted=\"true\",le=\"0.001\"}", 1.0),
            ("h2lens_request_duration_seconds_bucket{encrypted=\"true\",le=\"10\"}", 1.0),
            ("h2lens_request_duration_seconds_bucket{encrypted=\"true\",le=\"+Inf\"}", 2.0),
            ("h2lens_request_duration_seconds_count{encrypted=\"true\"}", 2.0),
            ("h2lens_request_duration_seconds_sum{encrypted=\"true\"}", 60.001),
            ("h2lens_time_seconds_total{encrypted=\"true\",part=\"stream_window\"}", 0.25),
            ("h2lens_time_seconds_total{encrypted=\"false\",part=\"wait\"}", 0.0),
            ("process_resident_memory_bytes", 4096.0),
        ] {
            assert_eq!(samples.get(series), Some(&value), "{series}");
        }
        let counters = samples.keys().filter(|series| series.starts_with("usm_http2_")).count();
        assert_eq!(counters, 4 * report_entries(), "all counters, both views, both kinds");
    }

    fn report_entries() -> usize {
        crate::base::telemetry_counters::Counters::default().entries().len()
    }

    fn row(template: &str, calls: u64) -> Endpoint {
        let quantiles = Some([1_000_000, 2_000_000, 3_000_000, 4_000_000]);
        let duration = Quantiles { quantiles, sum: 5_000_000_000, ..Quantiles::default() };
        Endpoint {
            authority: Some("users.example".to_owned()),
            method: Some("GET".to_owned()),
            template: Some(template.to_owned()),
            calls,
            failed: 1,
            duration,
            ..Endpoint::default()
        }
    }

    fn page(rows: Vec<Endpoint>) -> String {
        let mut snapshot = Snapshot::default();
        snapshot.standing.endpoints = Some(Endpoints { rows, ..Endpoints::default() });
        exposition(&snapshot)
    }

    #[test]
    fn endpoints_are_series_with_escaped_names() {
        let page = page(vec![row("/users/{int}", 7), row("/a\"b\\\n", 2)]);
        let samples = parse(&page);
        let names = r#"service="users.example",method="GET",endpoint="/users/{int}""#;
        for (series, value) in [
            (format!("h2lens_endpoint_calls_total{{{names}}}"), 7.0),
            (format!("h2lens_endpoint_failed_total{{{names}}}"), 1.0),
            (format!("h2lens_endpoint_duration_seconds{{{names},quantile=\"0.99\"}}"), 0.004),
            (format!("h2lens_endpoint_duration_seconds_sum{{{names}}}"), 5.0),
            (format!("h2lens_endpoint_duration_seconds_count{{{names}}}"), 7.0),
        ] {
            assert_eq!(samples.get(&series), Some(&value), "{series}");
        }
        assert!(page.contains(r#"endpoint="/a\"b\\\n"} 2"#), "{page}");
    }

    #[test]
    fn cap_metrics_endpoints() {
        let rows: Vec<_> = (0..METRICS_ENDPOINTS + 5).map(|n| row(&format!("/{n}"), n as u64)).collect();
        let samples = parse(&page(rows));
        let series =
            samples.keys().filter(|series| series.starts_with("h2lens_endpoint_calls_total")).count();
        assert_eq!((series, samples["h2lens_endpoints_left_out"]), (METRICS_ENDPOINTS, 5.0));
        let most = format!("endpoint=\"/{}\"", METRICS_ENDPOINTS + 4);
        assert!(samples.keys().any(|series| series.contains(&most)));
    }

    #[test]
    fn without_the_agent_there_is_no_second_view() {
        let page = exposition(&Snapshot::default());
        assert!(!page.contains("view=\"agent\"") && !page.contains("h2lens_agent"));
        parse(&page);
    }
}
