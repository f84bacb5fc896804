use super::*;
use crate::base::limits;

/// An exchange of a path that took so long.
pub(super) fn exchange(path: &str, nanos: u64) -> Exchange<'_> {
    Exchange {
        authority: Some(b"users.example"),
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
    Aggregate::new(Templates::default().into(), limits::ENDPOINT_MEMORY)
}

fn of<'a>(exchanges: impl IntoIterator<Item = Exchange<'a>>) -> Aggregate {
    let mut aggregate = aggregate();
    for exchange in exchanges {
        aggregate.add(&exchange);
    }
    aggregate
}

/// Templates and calls, in their order.
fn names(rows: &Rows) -> Vec<(String, u64)> {
    rows.rows.iter().map(|row| (row.kind.to_string(), row.stats.calls)).collect()
}

/// What a row is known by, and all that is shown of it.
fn shown(rows: &Rows) -> Vec<String> {
    let quantiles = |stats: &Stats| [0.5, 0.9, 0.95, 0.99].map(|quantile| stats.duration.quantile(quantile));
    let row = |row: &Row| {
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
fn endpoints_stand_by_the_time_spent_in_them() {
    let aggregate = of([exchange("/a", 5), exchange("/b", 3), exchange("/b", 3), exchange("/c/7", 1)]);
    let expected = [("/b", 2), ("/a", 1), ("/c/{int}", 1)];
    assert_eq!(names(&aggregate.rows()), expected.map(|(name, calls)| (name.to_owned(), calls)));
}

#[test]
fn services_methods_and_kinds_are_apart() {
    let get = exchange("/a", 1);
    let aggregate = of([
        get,
        Exchange { authority: Some(b"USERS.example"), ..get },
        Exchange { authority: Some(b"orders.example"), ..get },
        Exchange { authority: None, ..get },
        Exchange { authority: None, server: ([10, 0, 0, 3], 8080).into(), ..get },
        Exchange { method: Some(b"PUT"), ..get },
        Exchange { method: None, ..get },
        Exchange { target: Target::Rpc(b"a"), ..get },
        Exchange { target: Target::None, method: Some(b"CONNECT"), ..get },
    ]);
    let rows = aggregate.rows().rows;
    assert_eq!(rows.len(), 8);
    let first = &rows[0];
    assert_eq!((first.authority.as_deref(), first.stats.calls), (Some("users.example"), 2));
    assert!(rows.iter().any(|row| row.kind == Kind::Rpc("a".into())));
    assert!(rows.iter().any(|row| row.kind == Kind::None && row.method.as_deref() == Some("CONNECT")));
}

#[test]
fn grpc_methods_are_never_templated() {
    let methods: Vec<_> = (0..500).map(|n| format!("shop.Cart{n}/Get{n}")).collect();
    let aggregate = of(methods.iter().map(|name| Exchange {
        target: Target::Rpc(name.as_bytes()),
        method: Some(b"POST"),
        ..exchange("", 1)
    }));
    assert_eq!(aggregate.rows().rows.len(), 500);
}

#[test]
fn graphql_operations_are_told_apart_at_one_path() {
    let call = |name: &'static str| Exchange {
        target: Target::Operation(b"/tenants/7/graphql", name.as_bytes()),
        method: Some(b"POST"),
        ..exchange("", 1)
    };
    let rows =
        of([call("GetUser"), call("GetUser"), call("AddItem"), exchange("/tenants/7/graphql", 1)]).rows();
    let names = rows.rows.iter().map(|row| (row.kind.to_string(), row.stats.calls)).collect::<Vec<_>>();
    let expected = [
        ("/tenants/{int}/graphql GetUser", 2),
        ("/tenants/{int}/graphql", 1),
        ("/tenants/{int}/graphql AddItem", 1),
    ];
    assert_eq!(names, expected.map(|(name, calls)| (name.to_owned(), calls)));
}

#[test]
fn the_users_patterns_come_first() {
    let mut templates = Templates::default();
    templates.patterns.add(["/users/{name}"]).unwrap();
    let mut aggregate = Aggregate::new(templates.clone().into(), limits::ENDPOINT_MEMORY);
    for path in ["/users/alice", "/users/42", "/users/42/orders"] {
        aggregate.add(&exchange(path, 1));
    }
    assert_eq!(names(&aggregate.rows()), [("/users/{name}".into(), 2), ("/users/{int}/orders".into(), 1)]);
    templates.literal = true;
    let mut aggregate = Aggregate::new(templates.into(), limits::ENDPOINT_MEMORY);
    for path in ["/users/alice", "/users/42/orders"] {
        aggregate.add(&exchange(path, 1));
    }
    assert_eq!(names(&aggregate.rows()), [("/users/42/orders".into(), 1), ("/users/{name}".into(), 1)]);
}

#[test]
fn what_may_be_any_endpoints_widens_the_bounds_of_all() {
    let get = exchange("/a", 10);
    let lost = Exchange {
        authority: None,
        method: None,
        target: Target::None,
        unplaced: true,
        duration: Span::unknown(),
        ..get
    };
    let elsewhere = Exchange { authority: None, server: ([10, 0, 0, 9], 80).into(), ..exchange("/b", 10) };
    let rows = of([get, get, lost, elsewhere]).rows().rows;
    let row = |name: &str| rows.iter().find(|row| row.kind.to_string() == name).unwrap();
    assert_eq!(row("/a").duration_bound(0.99, true), Some(Bound { at_least: 10, at_most: Some(10) }));
    assert_eq!(row("/a").duration_bound(1.0, true).unwrap().at_most, None);
    assert_eq!(row("/b").duration_bound(0.99, true), None);
    let put = Exchange { method: Some(b"PUT"), ..lost };
    assert_eq!(of([get, put]).rows().rows[0].duration_bound(0.99, true), None);
}

#[test]
fn calls_that_may_be_missing_widen_the_bounds_of_their_server() {
    let get = exchange("/a", 10);
    let elsewhere = Exchange { authority: None, server: ([10, 0, 0, 9], 80).into(), ..exchange("/b", 10) };
    let mut aggregate = of([get, get, elsewhere]);
    aggregate.add_missed(get.server, 1, 0);
    let rows = aggregate.rows();
    assert_eq!((rows.rows.len(), rows.doubt.others, rows.doubt.is_lossy), (2, 1, true));
    let row = |name: &str| rows.rows.iter().find(|row| row.kind.to_string() == name).unwrap();
    assert_eq!(row("/a").duration_bound(0.4, true), Some(Bound { at_least: 0, at_most: Some(10) }));
    assert_eq!(row("/a").duration_bound(1.0, true), Some(Bound { at_least: 10, at_most: None }));
    assert_eq!(row("/b").duration_bound(0.99, true), None);
}

#[test]
fn any_parts_in_any_order_make_the_same_rows() {
    let paths: Vec<_> =
        (0..3_000).map(|n| format!("/users/u{}/{}", n % 700, ["cart", "orders"][n % 2])).collect();
    let exchanges: Vec<_> = paths.iter().enumerate().map(|(n, path)| exchange(path, n as u64)).collect();
    let whole = shown(&of(exchanges.iter().copied()).rows());
    for parts in [2, 3, 8] {
        let mut merged = aggregate();
        for part in (0..parts).rev() {
            merged.merge(&of(exchanges.iter().copied().skip(part).step_by(parts)));
        }
        assert_eq!(shown(&merged.rows()), whole);
    }
}

#[test]
fn cap_endpoint_memory_shard() {
    let mut aggregate = Aggregate::new(Templates::default().into(), limits::ENDPOINT_MEMORY_SHARD);
    let mut calls = 0;
    // Neither alike nor few: names without digits, at changing depths, of many services.
    for n in 0..20_000_u64 {
        let word =
            |n: u64| (0..6).map(|at| char::from(b'a' + (n >> (4 * at) & 15) as u8)).collect::<String>();
        let path = format!("/{}/{}/{}", word(n % 50), word(n), word(n * 7919));
        let host = word(n % 997);
        aggregate.add(&Exchange { authority: Some(host.as_bytes()), ..exchange(&path, 1_000) });
        aggregate.add(&exchange("/often", 10));
        calls += 2;
        assert!(aggregate.memory <= limits::ENDPOINT_MEMORY_SHARD);
    }
    assert!(aggregate.folded_paths() > 0);
    let rows = aggregate.rows();
    assert_eq!(rows.total().calls, calls);
    let often = rows.rows.iter().find(|row| row.kind.to_string() == "/often").unwrap();
    assert_eq!(often.stats.calls, 20_000);
    assert!(rows.rows.iter().any(|row| matches!(row.kind, Kind::Folded(paths) if paths > 1_000)));
}

#[test]
fn cap_endpoint_memory() {
    let mut merged = Aggregate::new(Templates::default().into(), limits::ENDPOINT_MEMORY);
    let hosts: Vec<_> = (0..30_000).map(|n| format!("{n}.{}", "x".repeat(2000))).collect();
    for hosts in hosts.chunks(4_000) {
        merged.merge(&of(hosts
            .iter()
            .map(|host| Exchange { authority: Some(host.as_bytes()), ..exchange("/", 1) })));
        assert!(merged.memory <= limits::ENDPOINT_MEMORY);
    }
    assert!(merged.folded_paths() > 0);
    assert_eq!(merged.rows().total().calls, 30_000);
}

#[test]
fn cap_endpoint_rows() {
    let hosts: Vec<_> = (0..limits::ENDPOINT_ROWS + 10).map(|n| format!("host-{n}")).collect();
    let all = hosts.iter().map(|host| Exchange { authority: Some(host.as_bytes()), ..exchange("/", 1) });
    let rows = of(all.chain([exchange("/often", 1), exchange("/often", 1)])).rows();
    assert_eq!((rows.folded, rows.rows.len()), (11, limits::ENDPOINT_ROWS + 1));
    assert!(rows.rows.iter().any(|row| row.kind == Kind::Folded(11) && row.stats.calls == 11));
    assert!(rows.rows.iter().any(|row| row.kind.to_string() == "/often"));
}

#[test]
fn the_memory_that_is_counted_is_the_memory_of_what_there_is() {
    let paths: Vec<_> = (0..500).map(|n| format!("/p{}/x{}", n % 7, n)).collect();
    let aggregate = of(paths.iter().map(|path| exchange(path, 5)));
    let stats: usize = aggregate.stats.iter().map(Stats::memory).sum();
    assert!(aggregate.memory > stats && aggregate.memory < 2 * stats);
}
