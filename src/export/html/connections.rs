//! The connections, and what the peers did wrong on them.

use super::table::Heading::{Numbers, Words};
use super::table::{Cell, Number, table};
use super::value::Grouped;
use super::waiting::{Connections, Findings};
use super::wording::{ending, integer, nanos, record, security, socket, text};
use maud::{Markup, html};
use serde_json::Value;

/// The connections that are held, and room for the exchanges of one.
pub(super) fn connections(connections: &Connections) -> Markup {
    let headings = [
        Numbers("Connection"),
        Words("Client"),
        Words("Server"),
        Words("Security"),
        Numbers("Calls"),
        Numbers("Duration"),
        Numbers("Handshakes"),
        Words("End"),
    ];
    let held = connections.rows.len() as u64;
    let more = connections.seen.saturating_sub(held);
    let rows = connections.rows.iter().map(|json| row(&record(json)));
    html! {
        section #connections {
            h2 { "Connections" }
            @if more > 0 { p.note { "The first " (Grouped(held)) "; there are " (Grouped(more)) " more." } }
            (table("connections", "Connections", &headings, rows))
            div #waterfall hidden {}
        }
    }
}

fn row(connection: &Value) -> Markup {
    let id = integer(connection, "/h2/connection/id");
    let handshakes = ["tcp", "tls"].map(|of| nanos(connection, &format!("/h2/timing/{of}_handshake")));
    html! {
        tr data-connection=(id) {
            (Number::count(id))
            (Cell(socket(connection, "client")))
            (Cell(socket(connection, "server")))
            (Cell(security(connection)))
            (Number::count(integer(connection, "/h2/transactions")))
            (Number::span(nanos(connection, "/duration")))
            (Number::span(handshakes.into_iter().flatten().reduce(u64::saturating_add)))
            (Cell(ending(connection)))
        }
    }
}

/// What a peer did wrong.
pub(super) fn findings(findings: &Findings) -> Markup {
    let headings = [
        Words("Finding"),
        Words("Severity"),
        Words("Rule"),
        Words("Side"),
        Numbers("Connections"),
        Numbers("Times"),
        Numbers("First packet"),
    ];
    html! {
        section #findings {
            h2 { "What a peer did wrong" }
            (table("findings", "What a peer did wrong", &headings, findings.rows().map(finding)))
            @if findings.rows().next().is_none() { p { "Nothing was found." } }
        }
    }
}

fn finding((connections, times, first): &(u64, u64, Value)) -> Markup {
    html! {
        tr {
            @for at in ["/code", "/severity", "/rfc", "/from"] { (Cell(text(first, at))) }
            (Number::count(*connections))
            (Number::count(*times))
            (Number::count(integer(first, "/h2/packets/first")))
        }
    }
}
