//! Two runs compared: a row for each endpoint, then in a few lines what changed.

use super::endpoints::grid;
use super::rows::{Row, Size, Span};
use super::{Class, Column, at_most, colored, left, right};
use crate::export::Options;
use crate::export::sanitize::visible;
use crate::record::diff::{Comparison, Difference, Numbers, State, change};
use std::fmt::{self, Display, Write};

const DIFF: [Column; 9] = [
    colored(left("STATE", 0, 8)),
    right("CALLS", 4, 11),
    right("FAILED", 0, 9),
    right("P50", 0, 26),
    right("P95", 5, 26),
    right("P99", 1, 26),
    right("RECEIVED", 6, 26),
    at_most(left("METHOD", 0, 7), 16),
    left("ENDPOINT", 0, 0),
];

/// Appends the table.
pub(in crate::export) fn diff(out: &mut Vec<u8>, comparison: &Comparison, options: &Options) {
    if comparison.endpoints.is_empty() {
        out.extend_from_slice(b"No endpoints.\n");
        return;
    }
    let mut text = Vec::new();
    for endpoint in &comparison.endpoints {
        row(&mut text, endpoint);
    }
    grid(out, &DIFF, &text, options);
    out.extend_from_slice(summary(comparison).as_bytes());
}

fn row(out: &mut Vec<u8>, endpoint: &Difference) {
    let mut row = Row::new(match endpoint.state {
        State::Changed => Class::Error,
        State::New | State::Vanished => Class::ClientError,
        State::Same => Class::Plain,
    });
    let Difference { before, after, .. } = endpoint;
    row.cell(endpoint.state.name());
    row.cell(Both(Some(before.calls), Some(after.calls), None));
    row.cell(Both(Some(before.failed), Some(after.failed), None));
    for at in 0..3 {
        let [one, other] = [before, after].map(|run| run.quantile(at));
        let more = change(one.map(|nanos| nanos as f64), other.map(|nanos| nanos as f64));
        row.cell(Both(one.map(Span), other.map(Span), more));
    }
    let [one, other] = [before, after].map(received);
    let size = |size: Option<f64>| size.map(|size| Size(size.round() as u64));
    row.cell(Both(size(one), size(other), change(one, other)));
    row.visible(endpoint.method.as_deref().map(str::as_bytes));
    row.visible([name(endpoint).as_bytes()]);
    row.finish(out);
}

/// The octets of a response's content.
fn received(run: &Numbers) -> Option<f64> {
    run.per_call(run.response_bytes)
}

fn name(endpoint: &Difference) -> String {
    let mut name =
        endpoint.authority.clone().unwrap_or_default() + endpoint.template.as_deref().unwrap_or_default();
    if let Some(operation) = &endpoint.operation {
        name.extend([" ", operation]);
    }
    visible(&name)
}

/// `12.0 ms → 15.0 ms +25 %`; what is equal stands once.
struct Both<T>(Option<T>, Option<T>, Option<f64>);

impl<T: Display> Display for Both<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<T>| value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let (before, after) = (shown(&self.0), shown(&self.1));
        if before == after {
            return f.write_str(&after);
        }
        write!(f, "{before} → {after}")?;
        match self.2.map(|more| (more * 100.0).round() as i64) {
            Some(percent) if percent < 0 => write!(f, " −{} %", -percent),
            Some(percent) if percent > 0 => write!(f, " +{percent} %"),
            _ => Ok(()),
        }
    }
}

/// What it comes to, a line each.
fn summary(comparison: &Comparison) -> String {
    let count = |state| comparison.endpoints.iter().filter(|endpoint| endpoint.state == state).count();
    let all = comparison.endpoints.len();
    let mut text = format!(
        "\n{} of {all} endpoints changed by more than chance (1 % for all {} tests together); new: {}, vanished: {}.\n",
        count(State::Changed),
        comparison.tests,
        count(State::New),
        count(State::Vanished),
    );
    // Writing to a string cannot fail.
    for endpoint in comparison.endpoints.iter().filter(|endpoint| !endpoint.changed.is_empty()) {
        let what: Vec<_> = endpoint.changed.iter().map(|measure| measure.name()).collect();
        let method = visible(endpoint.method.as_deref().unwrap_or("?"));
        let _ = write!(text, "{method} {}: {}", name(endpoint), what.join(", "));
        for (fields, sign) in [(&endpoint.appeared, "+"), (&endpoint.vanished, "−")] {
            for field in fields {
                let _ = write!(text, " {sign}{}", visible(field));
            }
        }
        text.push('\n');
    }
    if comparison.left_out.iter().any(|&calls| calls > 0) {
        let [before, after] = comparison.left_out;
        let _ = writeln!(
            text,
            "{before} calls before and {after} after are no endpoint's for certain, and not compared."
        );
    }
    text
}
