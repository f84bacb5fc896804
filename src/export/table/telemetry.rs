//! The telemetry below the rows: both views of the counters beside each other, why they differ, and coverage.

use super::rows::Size;
use super::style;
use crate::base::telemetry_counters::Counters;
use crate::base::tls::NotDecrypted;
use crate::base::verdict::MissReason;
use crate::record::{AgentView, Coverage, Report};
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
    text.counters("plaintext", &report.exact.plaintext, agent, agent.map(|agent| &agent.view.plaintext));
    text.counters("TLS", &report.exact.tls, agent, agent.map(|agent| &agent.view.tls));
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
    fn counters(&mut self, side: &str, exact: &Counters, agent: Option<&AgentView>, own: Option<&Counters>) {
        let rows = exact.entries().into_iter().zip(own.map_or([None; 20], |own| own.entries().map(Some)));
        let rows = rows.map(|((name, exact), own)| (name, exact, own.map(|(_, own)| own)));
        let rows: Vec<_> =
            rows.filter(|(_, exact, own)| *exact > 0 || own.is_some_and(|own| own > 0)).collect();
        if rows.is_empty() {
            let _ = writeln!(self.text, "{side}: no counts");
            return;
        }
        let _ = writeln!(self.text, "{side}");
        let blind = !rows.is_empty() && rows.iter().all(|(_, _, own)| *own == Some(0));
        // One explanation serves all counters of its kind that follow one another.
        let mut pending = String::new();
        for (name, exact, own) in rows {
            let reason = match (own, agent) {
                (Some(own), _) if own == exact => String::new(),
                (Some(_), _) if blind => {
                    "the agent did not take any of these connections for HTTP/2".to_owned()
                }
                (Some(_), Some(agent)) => why(name, agent),
                _ => String::new(),
            };
            if reason != pending {
                self.explain(&pending);
                pending = reason;
            }
            let _ = match own {
                None => writeln!(self.text, "  {name:<32}{exact:>12}"),
                Some(own) if own == exact => {
                    writeln!(self.text, "  {name:<32}{exact:>12}{own:>12}{:>12}", "-")
                }
                Some(own) => {
                    let difference = i128::from(own) - i128::from(exact);
                    writeln!(self.text, "  {name:<32}{exact:>12}{own:>12}{difference:>+12}")
                }
            };
        }
        self.explain(&pending);
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
            NotDecrypted::ALL.map(NotDecrypted::name).into_iter().zip(coverage.not_decrypted),
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
        self.list(
            "not accepted",
            [("for a bad checksum", coverage.bad_checksums), ("RST, SYN or data", coverage.unaccepted)],
        );
        self.list("limits", coverage.limits.iter().map(|(limit, count)| (limit.name(), count)));
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
fn why(counter: &str, agent: &AgentView) -> String {
    let rule = match counter {
        "requests" => "counted are the methods of the static table, GET and POST",
        "responses" => "counted are the statuses of the static table",
        "eos" => "counted are frames that the agent reaches, of streams it follows",
        "rst" => "counted are resets of streams whose method, path and status it has",
        "literal_value_exceeds_frame" => {
            return "the agent looks at the first four fields, and at method, path and status alone"
                .to_owned();
        }
        "exceeding_max_interesting_frames" | "exceeding_max_frames_to_filter" => {
            return "the agent counts by what it reaches in each segment as captured".to_owned();
        }
        "continuation_frames" => {
            return "the agent does not count a CONTINUATION that begins a segment".to_owned();
        }
        name if name.starts_with("path_size_bucket_") => {
            return "the agent measures the encoded path, of literals in the first four fields alone"
                .to_owned();
        }
        _ => {
            return "the agent counts by frame headers that it takes for such in a segment as captured"
                .to_owned();
        }
    };
    // The transactions missed are most of the difference where there are some.
    let most = MissReason::ALL.iter().zip(agent.missed).max_by_key(|&(_, count)| count);
    match most.filter(|&(_, count)| count > 0) {
        Some((reason, count)) => format!("{rule}; most missed: {} ({count})", reason.name()),
        None => rule.to_owned(),
    }
}
