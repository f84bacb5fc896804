//! Endpoint records of a run that were made earlier: a baseline without packets.

use crate::aggregate::{Aggregate, Call, Counted, Patterns, Target};
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits;
use crate::base::memory::Memory;
use std::net::{Ipv4Addr, SocketAddr};

/// Whether a file that begins so is one of columns (Parquet).
pub fn is_columns(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PAR1")
}

/// Endpoint records of one run.
#[derive(Debug, Default)]
pub struct Records {
    room: Memory,
    told: Vec<Told>,
    /// Bytes that they take, about.
    memory: usize,
    struck: Struck,
    without_durations: u64,
    unreadable: u64,
}

/// What an endpoint's record tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) authority: Option<String>,
    pub(super) server: Option<SocketAddr>,
    pub(super) method: Option<String>,
    /// The path's template.
    pub(super) template: Option<String>,
    /// gRPC's method.
    pub(super) rpc: Option<String>,
    /// A GraphQL operation's name.
    pub(super) operation: Option<String>,
    /// These calls may be other endpoints'.
    pub(super) unplaced: bool,
    pub(super) counted: Counted,
}

/// More calls, or durations in a bin, than so many are believed of no record.
const BELIEVED: u64 = 1 << 40;

impl Records {
    /// None, with their share of the process's memory.
    pub fn with_memory(room: Memory) -> Self {
        Self { room, ..Self::default() }
    }

    /// Adds a record.
    pub(super) fn push(&mut self, told: Told) {
        let Counted { calls, failed, durations, .. } = &told.counted;
        let counts = durations.counts.iter().map(|(_, count)| *count).chain([durations.zeros, *calls]);
        if counts.max().is_some_and(|most| most > BELIEVED) || failed > calls || durations.count() > *calls {
            return self.unreadable += 1;
        }
        let size = told.memory();
        if self.memory + size > self.room.share(limits::DIFF_RECORDS) {
            return self.leave_out();
        }
        self.without_durations += u64::from(*calls > 0 && durations.count() == 0);
        self.memory += size;
        self.told.push(told);
    }

    /// Notes a record for which there is no room.
    pub(super) fn leave_out(&mut self) {
        self.struck.strike(Limit::DiffRecords);
    }

    /// Notes what is no record.
    pub(super) fn pass_over(&mut self) {
        self.unreadable += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.told.len()
    }

    /// Those that tell of calls, and nothing of how long each took.
    pub fn without_durations(&self) -> u64 {
        self.without_durations
    }

    /// Lines that are no JSON, and records that cannot be true.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Which caps struck.
    pub fn struck(&self) -> &Struck {
        &self.struck
    }

    /// Adds the templates of both runs behind those of the user, so that a path is grouped as it was then: those with values,
    /// and beside such a one the names that it would match, too.
    pub fn add_templates(runs: &[Self], patterns: &mut Patterns) {
        let mut all = Vec::new();
        for run in runs {
            let (with_values, names): (Vec<_>, Vec<_>) =
                run.templates().partition(|template| has_value(template));
            let mut values = Patterns::default();
            // Each is a pattern, so that all of them are.
            _ = values.add(with_values.iter().copied());
            all.extend(with_values);
            all.extend(names.into_iter().filter(|name| values.matches(name)));
        }
        _ = patterns.add(all);
    }

    /// Those that can be patterns, as many as h2lens would have shown.
    fn templates(&self) -> impl Iterator<Item = &str> {
        let paths =
            self.told.iter().filter(|told| told.rpc.is_none()).filter_map(|told| told.template.as_deref());
        paths.filter(|template| Patterns::default().add([*template]).is_ok()).take(limits::ENDPOINT_ROWS)
    }

    /// Adds the calls up.
    pub fn add_to(&self, aggregate: &mut Aggregate) {
        for told in &self.told {
            aggregate.add_counted(&told.call(), &told.counted);
        }
    }
}

/// Whether a part of a template is no name.
fn has_value(template: &str) -> bool {
    template.contains(['{', '*'])
}

fn bytes(text: Option<&String>) -> Option<&[u8]> {
    text.map(String::as_bytes)
}

impl Told {
    fn call(&self) -> Call<'_> {
        Call {
            authority: bytes(self.authority.as_ref()),
            server: self.server.unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into()),
            method: bytes(self.method.as_ref()),
            target: match (&self.rpc, &self.template, &self.operation) {
                (Some(method), ..) => Target::Rpc(method.as_bytes()),
                (None, Some(path), Some(name)) => Target::Operation(path.as_bytes(), name.as_bytes()),
                (None, Some(path), None) => Target::Path(path.as_bytes()),
                (None, None, _) => Target::None,
            },
            unplaced: self.unplaced,
        }
    }

    fn memory(&self) -> usize {
        let texts = [&self.authority, &self.method, &self.template, &self.rpc, &self.operation];
        let text: usize = texts.into_iter().flatten().map(String::len).sum();
        size_of::<Self>() + text + size_of_val(self.counted.durations.counts.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Templates;
    use crate::record::endpoint::Bins;

    fn told(template: &str, calls: u64) -> Told {
        let durations = Bins { zeros: 0, counts: vec![(700, calls)] };
        Told {
            authority: Some("a.example".to_owned()),
            method: Some("GET".to_owned()),
            template: Some(template.to_owned()),
            counted: Counted { calls, durations, ..Counted::default() },
            ..Told::default()
        }
    }

    fn run(list: &[Told]) -> Records {
        let mut records = Records::default();
        for told in list {
            records.push(told.clone());
        }
        records
    }

    fn rows(records: &Records, patterns: Patterns) -> Vec<(String, u64)> {
        let templates = Templates { patterns, ..Templates::default() };
        let mut aggregate = Aggregate::new(templates.into(), 8 << 20);
        records.add_to(&mut aggregate);
        let rows = aggregate.rows().rows;
        let mut rows: Vec<_> = rows.iter().map(|row| (row.kind.to_string(), row.stats.calls)).collect();
        rows.sort();
        rows
    }

    #[test]
    fn paths_are_grouped_as_they_were() {
        let before =
            run(&[told("/users/{}", 5), told("/users/me", 1), told("/{int}.png", 2), told("/plain", 1)]);
        let after =
            run(&[told("/users/alice", 3), told("/users/me", 1), told("/7.png", 1), told("/plain", 1)]);
        let runs = [before, after];
        let mut patterns = Patterns::default();
        Records::add_templates(&runs, &mut patterns);
        let names =
            |of: &Records| rows(of, patterns.clone()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&runs[0]), ["/plain", "/users/me", "/users/{}", "/{int}.png"]);
        assert_eq!(names(&runs[1]), names(&runs[0]));
    }

    #[test]
    fn what_cannot_be_true_is_not_believed() {
        let wrong = |change: fn(&mut Counted)| {
            let mut told = told("/a", 10);
            change(&mut told.counted);
            run(&[told]).unreadable()
        };
        assert_eq!(wrong(|_| ()), 0);
        assert_eq!(wrong(|counted| counted.failed = 11), 1);
        assert_eq!(wrong(|counted| counted.durations.zeros = 1), 1);
        assert_eq!(wrong(|counted| counted.calls = u64::MAX), 1);
        assert_eq!(wrong(|counted| counted.durations.counts = vec![(1, u64::MAX), (2, 10)]), 1);
    }

    #[test]
    fn cap_diff_records() {
        let long = Told { template: Some("/x".repeat(1 << 19)), ..told("", 1) };
        let mut records = Records::default();
        (0..70).for_each(|_| records.push(long.clone()));
        let left_out = records.struck().of(Limit::DiffRecords);
        assert!(records.memory <= limits::DIFF_RECORDS && left_out > 0);
        assert_eq!(records.count() as u64 + left_out, 70);
    }
}
