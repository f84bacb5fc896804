//! The rows as records.

use super::bounds::{Doubt, Latency};
use super::rows::{Kind, Row, Rows};
use super::sketch::Sketch;
use super::stats::Stats;
use crate::record::endpoint::{AgentCalls, Endpoint, Endpoints, Quantiles, Rate, Slowest, Total};

/// Billionths of one.
const BILLION: f64 = 1e9;

impl From<Rows> for Endpoints {
    fn from(rows: Rows) -> Self {
        let total = rows.total();
        // Whose calls may be others' makes no difference to all of them.
        let duration = quantiles(&total.duration, &rows.doubt);
        let total = Total { calls: total.calls, failed: total.failed, duration };
        Self {
            rows: rows.rows.iter().map(|row| endpoint(row, rows.seconds, rows.doubt.is_lossy)).collect(),
            total,
        }
    }
}

fn endpoint(row: &Row, seconds: Option<f64>, is_lossy: bool) -> Endpoint {
    let Row { authority, server, method, kind, unplaced, stats, .. } = row;
    let doubt = row.doubt(is_lossy);
    let (template, rpc, operation, folded) = match kind {
        Kind::Path(template) => (Some(template.clone()), None, None, None),
        Kind::Rpc(method) => (Some(format!("/{method}")), Some(method.clone()), None, None),
        Kind::Operation(template, name) => (Some(template.clone()), None, Some(name.clone()), None),
        Kind::None => (None, None, None, None),
        Kind::Folded(paths) => (None, None, None, Some(*paths)),
    };
    Endpoint {
        template,
        method: method.clone(),
        server: *server,
        authority: authority.clone(),
        rpc,
        operation,
        calls: stats.calls,
        failed: stats.failed,
        incomplete: stats.incomplete,
        unplaced: *unplaced,
        folded,
        errors: stats.errors().map(|(kind, count)| (kind.to_owned(), count)).collect(),
        statuses: stats.statuses().to_vec(),
        duration: quantiles(&stats.duration, &doubt),
        ttfb: quantiles(&stats.ttfb, &doubt),
        duration_bins: stats.duration.sketch().bins(),
        ttfb_bins: stats.ttfb.sketch().bins(),
        time: stats.time,
        request_bytes: stats.request_bytes,
        response_bytes: stats.response_bytes,
        rate: rate(stats, seconds),
        slowest: stats.slowest.map(|slowest| Slowest {
            connection: slowest.place.connection,
            stream: slowest.place.stream,
            packet: slowest.place.packet,
            duration: slowest.duration,
        }),
        agent: stats.agent().map(agent),
    }
}

fn agent(latencies: &Sketch) -> AgentCalls {
    let quantiles = || {
        let quantile = |quantile| latencies.quantile(quantile);
        Some([quantile(0.5)?, quantile(0.95)?, quantile(0.99)?])
    };
    AgentCalls { calls: latencies.count(), quantiles: quantiles() }
}

fn quantiles(of: &Latency, doubt: &Doubt) -> Quantiles {
    let quantile = |quantile| of.quantile(quantile);
    let all = || Some([quantile(0.5)?, quantile(0.9)?, quantile(0.95)?, quantile(0.99)?]);
    let bound = of.bound(0.99, doubt);
    Quantiles {
        quantiles: all(),
        max: of.max(),
        sum: u64::try_from(of.sum()).unwrap_or(u64::MAX),
        p99_at_least: bound.map(|bound| bound.at_least),
        p99_at_most: bound.and_then(|bound| bound.at_most),
    }
}

fn rate(stats: &Stats, seconds: Option<f64>) -> Rate {
    let window = stats.rate.window();
    Rate {
        per_second: seconds.map(|seconds| (stats.calls as f64 / seconds * BILLION) as u64),
        peak: (stats.rate.peak() * BILLION) as u64,
        peak_window: (window > 1).then_some(window),
    }
}
