//! The first screen: what was captured, how complete it is, calls, failures, quantiles, and where to look.

use super::endpoints::name_of;
use super::value::{Grouped, Share, UNKNOWN, Visible};
use super::waiting::{Causes, Period};
use crate::base::time::Timestamp;
use crate::export::table::Span;
use crate::record::Coverage;
use crate::record::endpoint::{Endpoint, Endpoints, Quantiles};
use maud::{Markup, Render, html};

/// Endpoints that are shown.
const ENDPOINTS: usize = 3;
/// Causes of failures that are shown.
const CAUSES: usize = 5;

/// Where the calls were captured, and when.
pub(super) fn origin(inputs: &[String], period: Period) -> Markup {
    html! {
        p.what {
            @if !inputs.is_empty() { b { (Visible(inputs.join(", "))) } " · " }
            @match period.0 {
                Some((start, end)) => {
                    (date(start)) " UTC to " (date(end)) " UTC, " (Span(end.saturating_sub(start)))
                }
                None => { "no calls" }
            }
        }
    }
}

/// Date and time to the second.
fn date(nanos: u64) -> String {
    String::from_utf8_lossy(&Timestamp::from_nanos(nanos).rfc3339()[..19]).replace('T', " ")
}

/// The numbers that matter most, of all calls; `held` of them are in the report.
pub(super) fn cards(seen: u64, held: u64, failed: u64, duration: &Quantiles) -> Markup {
    let [median, p99] = match duration.quantiles {
        Some([median, .., p99]) => [median, p99].map(|nanos| Span(nanos).to_string()),
        None => [UNKNOWN, UNKNOWN].map(str::to_owned),
    };
    let in_report = (held < seen).then(|| format!("{} of them are in this report", Grouped(held)));
    let share = (failed > 0).then(|| Share(failed, seen).to_string());
    let (half, hundredth) = ("half of the calls took no longer".to_owned(), bounds(duration));
    let [all, bad] = [seen, failed].map(|calls| Grouped(calls).to_string());
    html! {
        dl.cards {
            (Card { name: "Calls", value: all, good: None, note: in_report })
            (Card { name: "Failed", value: bad, good: Some(failed == 0), note: share })
            (Card { name: "Median", value: median, good: None, note: Some(half) })
            (Card { name: "99th percentile", value: p99, good: None, note: Some(hundredth) })
        }
    }
}

/// A number with its name.
struct Card {
    name: &'static str,
    value: String,
    /// Whether that is as it should be; `None` where nobody can say.
    good: Option<bool>,
    note: Option<String>,
}

impl Render for Card {
    fn render(&self) -> Markup {
        html! {
            div.card.good[self.good == Some(true)].bad[self.good == Some(false)] {
                dt { (self.name) }
                dd { (Visible(&self.value)) }
                @if let Some(note) = &self.note { dd.note { (Visible(note)) } }
            }
            "\n"
        }
    }
}

/// What incomplete calls may change of the quantile of 0.99.
fn bounds(duration: &Quantiles) -> String {
    match (duration.p99_at_least, duration.p99_at_most) {
        (Some(least), Some(most)) => {
            format!("incomplete calls leave open: {} to {}", Span(least), Span(most))
        }
        (Some(least), None) => format!("incomplete calls leave open: {} or more", Span(least)),
        _ => "one in a hundred took longer".to_owned(),
    }
}

/// How complete the capture is.
pub(super) fn completeness(coverage: &Coverage) -> Markup {
    if coverage.complete {
        return html! {
            p.complete { "The capture is complete: nothing of an HTTP/2 connection is known to be missing." }
        };
    }
    let lost = [
        (coverage.transactions_incomplete, "calls are incomplete"),
        (coverage.gap_bytes, "bytes of HTTP/2 are missing"),
        (coverage.connections_tls_undecrypted, "TLS connections were not decrypted"),
        (coverage.connections_one_sided, "connections were seen from one side only"),
        (coverage.dropped_by_kernel, "packets were dropped"),
    ];
    html! {
        p.incomplete {
            "The capture is not complete"
            @for (at, (count, what)) in lost.iter().filter(|(count, _)| *count > 0).enumerate() {
                @if at == 0 { ": " } @else { ", " }
                (Grouped(*count)) " " (what)
            }
            ". " a href="#coverage" { "Coverage" } " has all of it."
        }
    }
}

/// The endpoints that are slowest.
pub(super) fn worst(endpoints: &Endpoints) -> Markup {
    let slowest = endpoints.slowest(ENDPOINTS);
    html! {
        section {
            h2 { "Slowest endpoints" }
            @if slowest.is_empty() { p { "None." } }
            ol { @for endpoint in slowest { (slow(endpoint)) "\n" } }
        }
    }
}

fn slow(endpoint: &Endpoint) -> Markup {
    let p99 = endpoint.duration.quantiles.map_or(0, |[.., p99]| p99);
    html! {
        li {
            span.name { (Visible(name_of(endpoint))) } " "
            b { (Span(p99)) } " "
            span.note {
                "99th percentile of " (Grouped(endpoint.calls)) " call" @if endpoint.calls != 1 { "s" }
            }
        }
    }
}

/// The causes of most failures.
pub(super) fn why(causes: &Causes, seen: u64) -> Markup {
    let causes = causes.sorted();
    html! {
        section {
            h2 { "Why calls failed" }
            @if causes.is_empty() { p { "None failed." } }
            ol {
                @for (name, cause) in causes.iter().take(CAUSES) {
                    li {
                        span.name { (Visible(name)) } " "
                        b { (Grouped(cause.calls)) } " "
                        span.note { (Share(cause.calls, seen)) }
                    }
                    "\n"
                }
            }
        }
    }
}
