//! The path corpora of `testdata/paths/`: what must come out of each is written down in `make.py`.

use h2lens::aggregate::{Aggregate, Exchange, Place, Rows, Span, Stats, Target, Templates};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Orders in which each corpus is read.
const ORDERS: u64 = 100;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/paths")
}

/// Each corpus: its name, its paths, and the templates with their calls.
fn corpora() -> Vec<(String, Vec<String>, BTreeMap<String, u64>)> {
    let lines =
        |path: PathBuf| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let mut corpora = Vec::new();
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "paths") {
            let expected = lines(path.with_extension("expected")).into_iter().map(|line| {
                let (template, calls) = line.rsplit_once(' ').unwrap();
                (template.to_owned(), calls.parse().unwrap())
            });
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            corpora.push((name, lines(path.clone()), expected.collect()));
        }
    }
    assert!(corpora.len() >= 12, "the corpora are not where they were");
    corpora.sort();
    corpora
}

fn templates_of(aggregate: &Aggregate) -> BTreeMap<String, u64> {
    aggregate.rows().rows.into_iter().map(|row| (row.kind.to_string(), row.stats.calls)).collect()
}

fn exchange(path: &str, nanos: u64) -> Exchange<'_> {
    Exchange {
        authority: Some(b"paths.example"),
        server: ([10, 0, 0, 2], 8080).into(),
        method: Some(b"GET"),
        target: Target::Path(path.as_bytes()),
        unplaced: false,
        failure: None,
        status: Some(200),
        incomplete: false,
        lossy: false,
        reset: false,
        start: 0,
        duration: Span::exact(nanos),
        ttfb: None,
        time: None,
        request_bytes: 0,
        response_bytes: 0,
        place: Place::default(),
    }
}

fn aggregate() -> Aggregate {
    Aggregate::new(Templates::default().into(), 64 << 20)
}

fn of<'a>(exchanges: impl IntoIterator<Item = Exchange<'a>>) -> Aggregate {
    let mut aggregate = aggregate();
    for exchange in exchanges {
        aggregate.add(&exchange);
    }
    aggregate
}

/// What a row is known by, and all that is shown of it.
fn shown(rows: &Rows) -> Vec<String> {
    let quantiles = |stats: &Stats| [0.5, 0.9, 0.95, 0.99].map(|quantile| stats.duration.quantile(quantile));
    let row = |row: &h2lens::aggregate::Row| {
        let stats = &row.stats;
        format!(
            "{:?} {} {:?} {:?} {:?} {:?}",
            row.kind,
            stats.calls,
            quantiles(stats),
            stats.duration.sum(),
            stats.slowest,
            stats.rate.peak()
        )
    };
    rows.rows.iter().map(row).collect()
}

#[test]
fn each_corpus_gives_its_templates() {
    for (name, paths, expected) in corpora() {
        let found = templates_of(&of(paths.iter().map(|path| exchange(path, 1))));
        let wrong: Vec<_> = found.iter().filter(|row| expected.get(row.0) != Some(row.1)).take(20).collect();
        let missing: Vec<_> =
            expected.iter().filter(|row| found.get(row.0) != Some(row.1)).take(20).collect();
        assert!(wrong.is_empty() && missing.is_empty(), "{name}: came out {wrong:#?}, not {missing:#?}");
    }
}

/// A small generator of numbers for shuffling (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

#[test]
fn any_order_on_any_threads_gives_the_same_rows() {
    for (name, paths, _) in corpora() {
        let mut exchanges: Vec<_> =
            paths.iter().enumerate().map(|(n, path)| exchange(path, 1_000 + 77 * n as u64)).collect();
        let expected = shown(&of(exchanges.iter().copied()).rows());
        for seed in 1..=ORDERS {
            Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).shuffle(&mut exchanges);
            let threads = 1 + seed as usize % 8;
            let mut merged = aggregate();
            for thread in 0..threads {
                merged.merge(&of(exchanges.iter().copied().skip(thread).step_by(threads)));
            }
            assert_eq!(shown(&merged.rows()), expected, "{name}, order {seed}");
        }
    }
}
