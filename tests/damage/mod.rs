//! Damaged captures: what is told must be true, and what can be told must be told.

mod apart;
mod beside_blocks;
mod cut_frames;
mod encrypted;
mod late;
mod not_http2;
mod order;
mod resets;
mod sameness;
mod subsets;
mod truth;
mod unaccepted;
mod worse;

use crate::support::conversation::Cut;
use crate::support::endpoints::{Setup, record};
use crate::support::plan::Plan;
use crate::support::{Analyze, Capture, Conversation, Ends, Outcome, Random};
use proptest::test_runner::{Config, RngSeed};
use std::sync::OnceLock;
pub(crate) use subsets::losses;

/// A capture of real exchanges, and what is told of it while it is whole.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) capture: Capture,
    pub(crate) whole: Outcome,
}

/// Captures of one to three connections, of some hundred packets each.
pub(crate) fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| (0..12).map(sample).collect())
}

fn sample(n: u16) -> Sample {
    let mut random = Random::new(u64::from(n) + 100);
    let cut = Cut::ALL[usize::from(n) % 3];
    let connection = |c: u16| {
        let plans = (0..random.between(5, 40)).map(|_| small(Plan::any(&mut random))).collect();
        let table = *random.pick(&[None, None, Some(256), Some(1024)]);
        let setup = Setup { lanes: random.between(1, 8), table, ..Setup::default() };
        let events = record(plans, setup).events;
        let ends = if c == 2 { Ends::v6(c) } else { Ends::v4(c) };
        let later = random.below(3_000_000) as u64;
        let mut conversation = Conversation::new(ends, u64::from(n * 8 + c)).after(later);
        conversation.handshake();
        conversation.events(&events, cut);
        conversation.capture()
    };
    let capture = Capture::merged((0..1 + n % 3).map(connection));
    let whole = Analyze::capture(&capture).run();
    assert!(whole.complete() && whole.transactions().count() > 4);
    Sample { capture, whole }
}

/// Less content and shorter values: header blocks are what can be told wrong.
fn small(mut plan: Plan) -> Plan {
    let cut = |sizes: &mut Option<Vec<usize>>| sizes.iter_mut().flatten().for_each(|size| *size %= 3000);
    cut(&mut plan.body);
    cut(&mut plan.answer.body);
    for push in &mut plan.pushes {
        cut(&mut push.answer.body);
    }
    for (_, value) in plan.headers.iter_mut().chain(&mut plan.answer.headers) {
        if value.is_ascii() {
            value.truncate(200);
        }
    }
    plan
}

/// So many cases, from a fixed seed unless `PROPTEST_RNG_SEED` gives another; `PROPTEST_CASES` makes it more or less.
pub(crate) fn cases(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(0x6832_6c65_6e73);
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}
