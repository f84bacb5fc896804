//! The endpoints, and what they are called.

use super::table::Heading::{Numbers, Words};
use super::table::{Cell, Number, table};
use super::value::{Grouped, UNKNOWN};
use crate::export::table::Size;
use crate::record::endpoint::{Endpoint, Endpoints, Quantiles};
use maud::{Markup, html};

/// All of them.
pub(super) fn endpoints(endpoints: &Endpoints) -> Markup {
    let headings = [
        Words("Method"),
        Words("Endpoint"),
        Words("Service"),
        Numbers("Calls"),
        Numbers("Failed"),
        Numbers("Median"),
        Numbers("95th"),
        Numbers("99th"),
        Numbers("Longest"),
        Numbers("Received"),
    ];
    html! {
        section #endpoints {
            h2 { "Endpoints" }
            p.note { "Quantiles are exact to 1 %." }
            (table("endpoints", "Endpoints", &headings, endpoints.rows.iter().map(row)))
            @if endpoints.rows.is_empty() { p { "There are none." } }
        }
    }
}

fn row(endpoint: &Endpoint) -> Markup {
    let Quantiles { quantiles, max, .. } = endpoint.duration;
    let [p50, _, p95, p99] = quantiles.map_or([None; 4], |all| all.map(Some));
    html! {
        tr {
            (Cell(method_of(endpoint)))
            (Cell(path_of(endpoint)))
            (Cell(service_of(endpoint)))
            (Number::count(endpoint.calls))
            (Number::count(endpoint.failed))
            @for nanos in [p50, p95, p99, max] { (Number::span(nanos)) }
            (Number::new(endpoint.response_bytes, Size(endpoint.response_bytes)))
        }
    }
}

/// Method, path and service.
pub(super) fn name_of(endpoint: &Endpoint) -> String {
    format!("{} {} {}", method_of(endpoint), path_of(endpoint), service_of(endpoint))
}

fn method_of(endpoint: &Endpoint) -> &str {
    endpoint.method.as_deref().unwrap_or(UNKNOWN)
}

fn path_of(endpoint: &Endpoint) -> String {
    match (endpoint.folded, &endpoint.rpc, &endpoint.template) {
        (Some(paths), ..) => format!("({} more)", Grouped(paths)),
        (_, Some(rpc), _) => rpc.clone(),
        (_, _, Some(template)) => template.clone(),
        _ => UNKNOWN.to_owned(),
    }
}

fn service_of(endpoint: &Endpoint) -> String {
    let server = || endpoint.server.map(|server| server.to_string());
    endpoint.authority.clone().or_else(server).unwrap_or_else(|| UNKNOWN.to_owned())
}
