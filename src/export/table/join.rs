//! Two captures joined: a row for each endpoint, then in a few lines where the time goes.

use super::endpoints::grid;
use super::rows::{Row, Size, Span};
use super::{Class, Column, at_most, colored, left, right};
use crate::export::Options;
use crate::export::sanitize::visible;
use crate::record::pair::{Join, Lost, PairEndpoint, PairEndpoints, Times};
use std::fmt::Write;

const PAIR: [Column; 13] = [
    right("CALLS", 0, 7),
    right("CLIENT P50", 2, 9),
    right("P99", 4, 9),
    right("SERVER P50", 2, 9),
    right("P99", 4, 9),
    right("BETWEEN P50", 0, 9),
    right("P99", 1, 9),
    colored(right("FAILED", 3, 6)),
    right("AT SERVER", 5, 6),
    right("ONLY HERE", 6, 6),
    right("ONLY THERE", 6, 6),
    at_most(left("METHOD", 0, 7), 16),
    left("ENDPOINT", 0, 0),
];

/// Appends the table.
pub(in crate::export) fn join(out: &mut Vec<u8>, join: &Join, endpoints: &PairEndpoints, options: &Options) {
    if endpoints.rows.is_empty() {
        out.extend_from_slice(b"No calls.\n");
        return;
    }
    let mut text = Vec::new();
    for endpoint in &endpoints.rows {
        row(&mut text, endpoint);
    }
    grid(out, &PAIR, &text, options);
    out.extend_from_slice(summary(join, &endpoints.times).as_bytes());
}

fn row(out: &mut Vec<u8>, endpoint: &PairEndpoint) {
    let failed = endpoint.failed_client + endpoint.failed_server > 0;
    let mut row = Row::new(if failed { Class::Error } else { Class::Plain });
    row.cell(endpoint.calls);
    for quantiles in [endpoint.client, endpoint.server, endpoint.between] {
        row.optional(quantiles.map(|[p50, _]| Span(p50)));
        row.optional(quantiles.map(|[_, p99]| Span(p99)));
    }
    row.cell(endpoint.failed_client);
    row.cell(endpoint.failed_server);
    row.cell(endpoint.client_only);
    row.cell(endpoint.server_only);
    row.visible(endpoint.method.as_deref().map(str::as_bytes));
    row.visible([visible(&endpoint.name).as_bytes()]);
    row.finish(out);
}

/// What it comes to, a line each.
fn summary(join: &Join, times: &Times) -> String {
    let Join { pairs, client_only, server_only, .. } = *join;
    let how: Vec<_> = join.how.iter().map(|(how, count)| format!("{count} by {}", visible(how))).collect();
    let how = if how.is_empty() { String::new() } else { format!(" ({})", how.join(", ")) };
    let mut text = format!(
        "\n{pairs} calls were seen at both places{how}, {client_only} at the client's alone, {server_only} at the \
         server's alone"
    );
    // Writing to a string cannot fail.
    if join.ambiguous > 0 {
        let _ = write!(text, "; {} may have a partner", join.ambiguous);
    }
    text.push_str(".\n");
    if let Some(clock) = &join.clock {
        let side = if clock.offset < 0 { "behind" } else { "ahead" };
        let uncertainty = clock.uncertainty.map(|within| format!(", ± {}", Span(within))).unwrap_or_default();
        let _ = writeln!(
            text,
            "The server's clock is {} {side}{uncertainty}.",
            Span(clock.offset.unsigned_abs())
        );
    }
    for (lost, who) in [(join.lost_client, "clients"), (join.lost_server, "servers")] {
        let Lost { segments, bytes } = lost;
        if segments > 0 {
            let _ =
                writeln!(text, "{segments} segments of the {who} were lost on the way ({}).", Size(bytes));
        }
    }
    text + &verdict(times)
}

/// Where most of the time is.
fn verdict(times: &Times) -> String {
    let Times { calls, waited, between, there, back } = *times;
    if calls == 0 || waited == 0 {
        return String::new();
    }
    let share = (between as f64 / waited as f64 * 100.0).round();
    let (part, time, of) = if between >= waited - between.min(waited) {
        ("between the two places", between, share)
    } else {
        ("at the server", waited - between.min(waited), 100.0 - share)
    };
    let mut text = format!(
        "Most of the time to the first byte was spent {part}: {} of {} ({of} %)",
        Span(time),
        Span(waited)
    );
    if there + back > 0 && part.starts_with("between") {
        let _ = write!(text, ", {} on the way to the server and {} on the way back", Span(there), Span(back));
    }
    text + ".\n"
}
