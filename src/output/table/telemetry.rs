//! The telemetry below the rows: both views of the counters beside each other, why they differ, and coverage.

use super::rows::Size;
use crate::counters::Counters;
use crate::output::schema::{NOT_DECRYPTED, not_decrypted_name};
use crate::output::style;
use crate::telemetry::{AgentView, Coverage, MissReason, Report};
use std::fmt::Write;

/// Appends the telemetry.
pub(super) fn print(out: &mut Vec<u8>, report: &Report, color: bool) {
    let mut text = Text { text: String::new(), color };
    let agent = report.agent.as_ref();
    text.heading(&match agent {
        Some(agent) => {
            let title = format!("TELEMETRY (agent rules {})", agent.rules);
            format!("{title:<34}{:>12}{:>12}{:>12}", "EXACT", "AGENT", "DIFFERENCE")
        }
        None => format!("{:<34}{:>12}", "TELEMETRY", "EXACT"),
    });
    text.counters("plaintext", &report.exact.plaintext, agent.map(|agent| &agent.view.plaintext));
    text.counters("TLS", &report.exact.tls, agent.map(|agent| &agent.view.tls));
    if let Some(agent) = agent {
        text.missed(agent);
    }
    text.text.push('\n');
    text.coverage(&report.coverage);
    out.extend_from_slice(text.text.as_bytes());
}

/// Room for the name of a row of coverage, and for its value.
const NAME: usize = 16;
const VALUE: usize = 60;

struct Text {
    text: String,
    color: bool,
}

// Writing to a string cannot fail: the results of `write!` are dropped.
impl Text {
    fn heading(&mut self, text: &str) {
        let _ = if self.color {
            writeln!(self.text, "{}{text}{}", style::HEADING.render(), style::HEADING.render_reset())
        } else {
            writeln!(self.text, "{text}")
        };
    }

    /// The counters of one side that are not 0 in both views.
    fn counters(&mut self, side: &str, exact: &Counters, agent: Option<&Counters>) {
        let entries = exact.entries();
        let agent = agent.map(Counters::entries);
        let other = |at: usize| agent.and_then(|agent| agent.get(at).map(|&(_, value)| value));
        if entries.iter().enumerate().all(|(at, &(_, value))| value == 0 && other(at).unwrap_or(0) == 0) {
            let _ = writeln!(self.text, "{side}: no counts");
            return;
        }
        let _ = writeln!(self.text, "{side}");
        let mut explained = "";
        for (at, (name, exact)) in entries.into_iter().enumerate() {
            match other(at) {
                None if exact > 0 => {
                    let _ = writeln!(self.text, "  {name:<32}{exact:>12}");
                }
                Some(agent) if agent == exact && exact > 0 => {
                    let _ = writeln!(self.text, "  {name:<32}{exact:>12}{agent:>12}{:>12}", "-");
                }
                Some(agent) if agent != exact => {
                    let difference = i128::from(agent) - i128::from(exact);
                    // One explanation serves all counters of its kind that follow one another.
                    if why(name) != explained {
                        self.explain(explained);
                        explained = why(name);
                    }
                    let _ = writeln!(self.text, "  {name:<32}{exact:>12}{agent:>12}{difference:>+12}");
                }
                _ => (),
            }
        }
        self.explain(explained);
    }

    fn explain(&mut self, why: &str) {
        if !why.is_empty() {
            let _ = writeln!(self.text, "    {why}");
        }
    }

    /// The transactions that the agent would not have emitted.
    fn missed(&mut self, agent: &AgentView) {
        let missed: u64 = agent.missed.iter().sum();
        let emitted = agent.transactions;
        let _ = writeln!(self.text, "transactions that the agent emits: {emitted} of {}", emitted + missed);
        self.list("missed", MissReason::ALL.iter().map(|reason| reason.name()).zip(agent.missed));
        self.list("spurious", [("not on the wire", agent.spurious)]);
    }

    fn coverage(&mut self, coverage: &Coverage) {
        self.heading(if coverage.complete { "COVERAGE  complete" } else { "COVERAGE  incomplete" });
        self.row(
            "packets",
            &format!(
                "{} ({}), {} with HTTP/2",
                coverage.packets,
                Size(coverage.bytes),
                coverage.packets_with_http2
            ),
        );
        let mut connections = format!("{} HTTP/2", coverage.connections_http2);
        add(&mut connections, coverage.connections_one_sided, "of them seen from one side only");
        add(&mut connections, coverage.connections_tls_undecrypted, "TLS not decrypted");
        add(&mut connections, coverage.connections_other, "other");
        self.row("connections", &connections);
        self.row("HTTP/2 bytes", &coverage.bytes_http2.to_string());
        let mut blocks = format!("{} decoded", coverage.header_blocks_decoded);
        add(&mut blocks, coverage.header_blocks_partial, "partial");
        add(&mut blocks, coverage.header_blocks_lost, "lost");
        self.row("header blocks", &blocks);
        let mut transactions = format!("{} complete", coverage.transactions_complete);
        add(&mut transactions, coverage.transactions_incomplete, "incomplete");
        add(&mut transactions, coverage.missed_requests, "without their request");
        self.row("transactions", &transactions);
        self.list(
            "not decrypted",
            NOT_DECRYPTED.map(not_decrypted_name).into_iter().zip(coverage.not_decrypted),
        );
        self.list(
            "missing",
            [
                ("bytes in holes", coverage.gap_bytes),
                ("bytes skipped", coverage.skipped_bytes),
                ("packets cut", coverage.truncated_packets),
                ("inputs damaged", coverage.damaged_inputs),
                ("packets dropped by the kernel", coverage.dropped_by_kernel),
                ("records dropped", coverage.dropped_records),
                ("protocol errors", coverage.parse_errors),
            ],
        );
        self.list("limits", coverage.limits.iter().copied());
        self.list("not TCP", coverage.skipped_packets.iter().copied());
    }

    fn row(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "  {name:<NAME$}{value}");
    }

    /// What is not 0, on as many lines as it takes; nothing where all is 0.
    fn list(&mut self, name: &str, counts: impl IntoIterator<Item = (&'static str, u64)>) {
        let mut name = name;
        let mut line = String::new();
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let part = format!("{what} {count}");
            if !line.is_empty() {
                line.push(',');
                if line.len() + part.len() > VALUE {
                    self.row(std::mem::take(&mut name), &line);
                    line.clear();
                } else {
                    line.push(' ');
                }
            }
            line.push_str(&part);
        }
        if !line.is_empty() {
            self.row(name, &line);
        }
    }
}

/// Adds a count that is not 0.
fn add(text: &mut String, count: u64, what: &str) {
    if count > 0 {
        let _ = write!(text, ", {count} {what}");
    }
}

/// How the agent comes to another number than the wire's.
fn why(counter: &str) -> &'static str {
    match counter {
        "requests" => "the agent counts GET and POST taken from the static table, and no other method",
        "responses" => "the agent counts statuses of the static table: 200 204 206 304 400 404 500",
        "eos" => "the agent counts the END_STREAM of streams in its map, in frames that it reached",
        "rst" => "the agent counts resets of streams whose method, path and status it has",
        "literal_value_exceeds_frame" => {
            "the agent looks at the first four fields, and at method, path and status alone"
        }
        "exceeding_max_interesting_frames" | "exceeding_max_frames_to_filter" => {
            "the agent counts by what it reached in each segment as captured"
        }
        "continuation_frames" => "the agent does not count a CONTINUATION that begins a segment",
        name if name.starts_with("path_size_bucket_") => {
            "the agent measures the encoded path, of literals in the first four fields alone"
        }
        _ => "the agent counts frames whose header it reached in a segment as captured",
    }
}
