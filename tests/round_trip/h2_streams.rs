//! The `h2` crate at both ends.

use crate::support::conversation::Cut;
use crate::support::endpoints::{Recording, Setup, record};
use crate::support::exchange::assert_same;
use crate::support::plan::{Answer, Plan, Push, Reset};
use crate::support::{Analyze, Conversation, Ends, Random, Side};

/// Writes the recording as captures cut in every way, and compares.
fn check(recording: &Recording, what: &str) {
    for (n, cut) in Cut::ALL.into_iter().enumerate() {
        let ends = if n % 2 == 0 { Ends::v4(7) } else { Ends::v6(7) };
        let capture = Conversation::of(ends, n as u64, &recording.events, cut).capture();
        let outcome = Analyze::capture(&capture).run();
        let told = outcome.exchanges().into_iter().map(|mut exchange| {
            // A promise has no content: its size may be told or not.
            exchange.request_body = exchange.request_body.filter(|_| exchange.parent.is_none());
            exchange
        });
        assert_same(told, recording.exchanges.clone(), &format!("{what}, cut {cut:?}"));
        assert!(outcome.complete(), "{what}, cut {cut:?}: {}", outcome.telemetry());
        assert!(outcome.damage.is_empty());
        assert_eq!(outcome.connections().count(), 1);
    }
}

#[test]
fn get_and_post() {
    let mut post = Plan::new("POST", "/users?q=1", 201, 17);
    post.body = Some(vec![5, 7]);
    post.headers = vec![("content-type".into(), "application/json".into())];
    let plans = vec![Plan::new("GET", "/", 200, 12), post, Plan::new("GET", "/missing", 404, 0)];
    check(&record(plans, Setup::default()), "get and post");
}
