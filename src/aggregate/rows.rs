//! The rows: one for each service, method and template.

use super::bounds::{Bound, Doubt};
use super::endpoints::{Aggregate, Group, Leaf, Service, What, operation};
use super::fold::leaf_templates;
use super::stats::Stats;
use crate::base::limits;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

/// All endpoints.
#[derive(Clone, Debug)]
pub struct Rows {
    /// By the time spent in all calls together, the most first.
    pub rows: Vec<Row>,
    /// Rows that were folded into one, as there were too many.
    pub folded: u64,
    /// What is not known of all calls together.
    pub doubt: Doubt,
    /// From the first exchange's beginning to the last one's end; `None` where that is no time.
    pub seconds: Option<f64>,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Row {
    /// `:authority`, else `host`, in small letters; U+FFFD for what is no text.
    pub authority: Option<String>,
    /// The server, where it is but one.
    pub server: Option<SocketAddr>,
    /// `:method`
    pub method: Option<String>,
    /// What is called.
    pub kind: Kind,
    /// Which of authority, method and target it was is not known: these calls may be other endpoints'.
    pub unplaced: bool,
    /// The numbers.
    pub stats: Stats,
    /// Calls of this server that may be this endpoint's, or another's.
    pub others: u64,
    /// Calls of this server that may have ended earlier than was seen: this endpoint's, or another's.
    pub shorter: u64,
}

/// What an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A template of paths.
    Path(String),
    /// A gRPC method, `package.Service/Method`.
    Rpc(String),
    /// A template of paths, and the name of a GraphQL operation.
    Operation(String, String),
    /// Not known, or (CONNECT) there is none.
    None,
    /// So many paths with few calls each, put together as there were too many.
    Folded(u64),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(text) | Self::Rpc(text) => f.write_str(text),
            Self::Operation(path, name) => write!(f, "{path} {name}"),
            Self::None => Ok(()),
            Self::Folded(paths) => write!(f, "({paths} more)"),
        }
    }
}

impl Row {
    /// Who is called: the authority, else the server where it is one.
    pub fn service(&self) -> Option<String> {
        self.authority.clone().or_else(|| self.server.map(|server| server.to_string()))
    }

    /// What is not known of its calls.
    pub fn doubt(&self, is_lossy: bool) -> Doubt {
        Doubt { others: self.others, shorter: self.shorter, longer: self.stats.resets, is_lossy }
    }

    /// What the true quantile of the duration lies between; `None` when there is no doubt.
    pub fn duration_bound(&self, quantile: f64, is_lossy: bool) -> Option<Bound> {
        self.stats.duration.bound(quantile, &self.doubt(is_lossy))
    }

    /// The same of the time to the first byte.
    pub fn ttfb_bound(&self, quantile: f64, is_lossy: bool) -> Option<Bound> {
        self.stats.ttfb.bound(quantile, &self.doubt(is_lossy))
    }

    /// Whether calls of an unplaced row may be this one's.
    fn may_have(&self, unplaced: &Self) -> bool {
        let same = |ours: &Option<String>, theirs: &Option<String>| theirs.is_none() || ours == theirs;
        let target = match unplaced.kind {
            Kind::None => true,
            // Whether it is gRPC, or which operation, may be what is not known.
            Kind::Path(_) if matches!(self.kind, Kind::Rpc(_) | Kind::Operation(..)) => true,
            _ => unplaced.kind == self.kind,
        };
        matches!(self.kind, Kind::Folded(_))
            || target
                && same(&self.authority, &unplaced.authority)
                && same(&self.method, &unplaced.method)
                // An authority may be called at any server.
                && (self.authority.is_some() || self.stats.shares_server(&unplaced.stats))
    }

    /// Rows stand in this order.
    fn order(&self) -> impl Ord + use<> {
        let name = (self.authority.clone(), self.server, self.method.clone(), self.kind.clone());
        (Reverse(self.stats.duration.sum()), Reverse(self.stats.calls), name, self.unplaced)
    }
}

impl Rows {
    /// All calls together, for a summary.
    pub fn total(&self) -> Stats {
        let mut total = Stats::default();
        for row in &self.rows {
            total.merge(&row.stats);
        }
        total
    }
}

impl Aggregate {
    /// The endpoints, as far as they are known by now.
    pub fn rows(&self) -> Rows {
        let templates = leaf_templates(&self.leaves, true);
        let mut stats: BTreeMap<(u32, u8, bool, &[u8]), Stats> = BTreeMap::new();
        for (key, at) in &self.leaves {
            let (Some(leaf), Some(more)) = (Leaf::read(key), self.stats.get(*at)) else { continue };
            let text = templates.get(at).map_or(leaf.text, |template| template.as_bytes());
            // A template of the user's and one that came out by itself may be the same.
            let what = if leaf.what == What::Named { What::Path } else { leaf.what };
            stats.entry((leaf.group, what as u8, leaf.unplaced, text)).or_default().merge(more);
        }
        let mut rows: Vec<_> = stats
            .into_iter()
            .filter(|(_, stats)| stats.calls > 0 || stats.missed > 0 || stats.shorter > 0)
            .filter_map(|((group, what, unplaced, text), stats)| {
                Some(row(self.groups.get(group as usize)?, what, unplaced, text, stats))
            })
            .collect();
        let folded = self.fold_rows(&mut rows);
        rows.sort_by_cached_key(Row::order);
        // What was folded may have been of any server.
        let unknown: Vec<_> = rows
            .iter()
            .filter(|row| row.unplaced || row.stats.missed > 0 || row.stats.shorter > 0)
            .cloned()
            .collect();
        for row in rows.iter_mut().filter(|row| !row.unplaced) {
            let (mut others, mut shorter) = (0_u64, 0_u64);
            for other in unknown.iter().filter(|other| !other.unplaced || row.may_have(other)) {
                let calls = if other.unplaced { other.stats.calls } else { 0 };
                others = others.saturating_add(calls).saturating_add(other.stats.missed);
                shorter = shorter.saturating_add(other.stats.shorter);
            }
            (row.others, row.shorter) = (others, shorter);
        }
        let sum = |value: fn(&Stats) -> u64| {
            rows.iter().map(|row| value(&row.stats)).fold(0_u64, u64::saturating_add)
        };
        let doubt = Doubt {
            others: sum(|stats| stats.missed),
            shorter: sum(|stats| stats.shorter),
            longer: sum(|stats| stats.resets),
            is_lossy: self.is_lossy,
        };
        rows.retain(|row| row.stats.calls > 0);
        let nanos = self.time.map_or(0, |(start, end)| end - start);
        Rows { rows, folded, doubt, seconds: (nanos > 0).then(|| nanos as f64 / 1e9) }
    }

    /// Folds the rows with the fewest calls, where there are too many; returns how many they are.
    fn fold_rows(&self, rows: &mut Vec<Row>) -> u64 {
        let mut folded = self.folded.clone();
        let mut count = 0;
        if rows.len() > limits::ENDPOINT_ROWS {
            rows.sort_by_cached_key(|row| (Reverse(row.stats.calls), row.order()));
            for row in rows.drain(limits::ENDPOINT_ROWS..) {
                folded.stats.merge(&row.stats);
                count += 1;
            }
        }
        if folded.stats.calls > 0 || folded.stats.missed > 0 || folded.stats.shorter > 0 {
            rows.push(Row {
                authority: None,
                server: folded.stats.server(),
                method: None,
                kind: Kind::Folded(folded.paths + count),
                unplaced: false,
                stats: folded.stats,
                others: 0,
                shorter: 0,
            });
        }
        count
    }
}

fn row(group: &Group, what: u8, unplaced: bool, text: &[u8], stats: Stats) -> Row {
    let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let (authority, server) = match &group.service {
        Service::Authority(authority) => (Some(shown(authority)), stats.server()),
        Service::Server(server) => (None, Some(*server)),
    };
    let kind = if what == What::Rpc as u8 {
        Kind::Rpc(shown(text))
    } else if let Some((path, name)) = operation(text).filter(|_| what == What::Operation as u8) {
        Kind::Operation(shown(path), shown(name))
    } else if what == What::None as u8 {
        Kind::None
    } else {
        Kind::Path(shown(text))
    };
    let method = group.method.as_deref().map(shown);
    Row { authority, server, method, kind, unplaced, stats, others: 0, shorter: 0 }
}
