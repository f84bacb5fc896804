//! The endpoints: a table, or a few lines below the transactions.

use super::cells::{parts, widths};
use super::layout::{Layout, fit, hide_wide};
use super::rows::{Row, Size, Span, Where};
use super::{Class, Column, at_most, colored, left, right, wide};
use crate::export::Options;
use crate::export::sanitize::visible;
use crate::record::endpoint::{Endpoint, Endpoints, Quantiles};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use std::fmt::{Display, Write};

/// Endpoints named in the lines below the transactions.
const NAMED: usize = 3;

const ENDPOINT: [Column; 13] = [
    right("CALLS", 0, 7),
    colored(right("FAILED", 0, 6)),
    right("RATE", 7, 9),
    right("P50", 2, 9),
    right("P95", 4, 9),
    right("P99", 0, 9),
    right("MAX", 5, 9),
    right("TIME", 6, 9),
    wide(left("WHERE", 5, 18)),
    right("RECEIVED", 8, 8),
    at_most(left("ERRORS", 3, 20), 24),
    at_most(left("METHOD", 0, 7), 16),
    left("ENDPOINT", 0, 0),
];

/// Appends the table.
pub(super) fn print(out: &mut Vec<u8>, endpoints: &Endpoints, options: &Options) {
    if endpoints.rows.is_empty() {
        out.extend_from_slice(b"No endpoints.\n");
        return;
    }
    let mut text = Vec::new();
    for endpoint in endpoints.rows.iter().take(options.top()) {
        row(&mut text, endpoint);
    }
    grid(out, &ENDPOINT, &text, options);
}

/// Appends rows that are all known, below the titles of their columns.
pub(super) fn grid(out: &mut Vec<u8>, columns: &[Column], text: &[u8], options: &Options) {
    let text = String::from_utf8_lossy(text);
    let rows: Vec<_> = text.lines().collect();
    let mut widths = widths(columns, rows.iter().copied());
    hide_wide(columns, &mut widths, options.width);
    let layout = Layout::new(columns, &widths, options.width.map(usize::from));
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let titles: Vec<_> = columns.iter().map(|column| column.title).collect();
    table.set_header(shown(columns, &layout, &titles));
    for row in rows {
        let (_, cells, _) = parts(row);
        table.add_row(shown(columns, &layout, &cells.collect::<Vec<_>>()));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    out.extend_from_slice(table.trim_fmt().as_bytes());
    out.push(b'\n');
}

/// The cells of a row that there is room for.
fn shown(columns: &[Column], layout: &Layout, cells: &[&str]) -> Vec<String> {
    let cell = |&(at, width): &(usize, usize)| {
        let mut cell = String::new();
        let is_number = columns.get(at).is_some_and(|column| column.right);
        fit(&mut cell, cells.get(at).copied().unwrap_or_default(), width, is_number);
        cell
    };
    layout.columns.iter().map(cell).collect()
}

/// Appends what all calls add up to, and the slowest endpoints.
pub(super) fn footer(out: &mut Vec<u8>, endpoints: &Endpoints) {
    let total = &endpoints.total;
    let Some([p50, _, p95, _]) = total.duration.quantiles else { return };
    let mut text = String::new();
    let (calls, failed) = (total.calls, total.failed);
    let p99 = P99(&total.duration);
    // Writing to a string cannot fail.
    let _ =
        writeln!(text, "\n{calls} calls, {failed} failed; p50 {}, p95 {}, p99 {p99}", Span(p50), Span(p95));
    for (at, endpoint) in endpoints.slowest(NAMED).into_iter().enumerate() {
        let lead = if at == 0 { "slowest:" } else { "" };
        let (method, name) = (visible(endpoint.method.as_deref().unwrap_or("?")), name(endpoint));
        let calls = endpoint.calls;
        let _ = writeln!(text, "{lead:<9}{method} {name}, p99 {} of {calls}", P99(&endpoint.duration));
    }
    out.extend_from_slice(text.as_bytes());
}

fn row(out: &mut Vec<u8>, endpoint: &Endpoint) {
    let mut row = Row::new(if endpoint.failed > 0 { Class::Error } else { Class::Plain });
    let quantile = |at: usize| Some(Span(*endpoint.duration.quantiles?.get(at)?));
    row.cell(endpoint.calls);
    row.cell(endpoint.failed);
    row.optional(endpoint.rate.per_second.map(PerSecond));
    row.optional(quantile(0));
    row.optional(quantile(2));
    row.cell(P99(&endpoint.duration));
    row.optional(endpoint.duration.max.map(Span));
    row.cell(Span(endpoint.duration.sum));
    row.optional(Where::of(&endpoint.time));
    row.cell(Size(endpoint.response_bytes));
    let mut errors = endpoint.errors.clone();
    errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let errors: Vec<_> = errors.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    row.visible([errors.join(", ").as_bytes()]);
    row.visible(endpoint.method.as_deref().map(str::as_bytes));
    row.visible([name(endpoint).as_bytes()]);
    row.finish(out);
}

/// `users.example/v1/users/{id}`
fn name(endpoint: &Endpoint) -> String {
    let service = match (&endpoint.authority, endpoint.server) {
        (Some(authority), _) => authority.clone(),
        (None, Some(server)) => server.to_string(),
        (None, None) => String::new(),
    };
    let target = match (&endpoint.template, endpoint.folded) {
        (Some(template), _) => template.clone(),
        (None, Some(paths)) => return format!("({paths} more)"),
        (None, None) if endpoint.unplaced => " (not known which)".to_owned(),
        (None, None) => String::new(),
    };
    let operation = endpoint.operation.as_ref().map_or(String::new(), |name| format!(" {name}"));
    visible(&format!("{service}{target}{operation}"))
}

/// The quantile of 0.99; where incomplete exchanges make it uncertain, what it lies between.
struct P99<'a>(&'a Quantiles);

impl Display for P99<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.p99_at_least, self.0.p99_at_most, self.0.quantiles) {
            // Calls may be missing that would change it, and how is not known.
            (Some(least), None, Some([.., p99])) if least < p99 - p99 / 25 => write!(f, "≈ {}", Span(p99)),
            (Some(least), None, _) => write!(f, "≥ {}", Span(least)),
            (Some(least), Some(most), _) if most > least + least / 25 => {
                write!(f, "{} – {}", Span(least), Span(most))
            }
            (_, _, Some([.., p99])) => Span(p99).fmt(f),
            _ => Ok(()),
        }
    }
}

/// Calls a second, of billionths.
struct PerSecond(u64);

impl Display for PerSecond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let per_second = self.0 as f64 / 1e9;
        match per_second {
            ..10.0 => write!(f, "{per_second:.2}/s"),
            ..100.0 => write!(f, "{per_second:.1}/s"),
            _ => write!(f, "{per_second:.0}/s"),
        }
    }
}
