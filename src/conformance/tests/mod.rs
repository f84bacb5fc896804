//! Each code by bytes that provoke it and by bytes that come close to it, through the HTTP/2 stage.

mod doubt;
mod evidence;
mod fields;
mod flow;
mod frames;
mod ordinary;
mod settings;
mod streams;
mod talk;

use crate::http2::{Anomaly, Side};
use std::collections::BTreeSet;
use talk::{Step, told};

/// A rule, one who breaks it, and one who does not.
struct Case {
    anomaly: Anomaly,
    from: Side,
    bad: Vec<Step>,
    good: Vec<Step>,
}

/// The conversations begin with the preface and both sides' SETTINGS, acknowledged, unless they begin with
/// [`Step::Raw`].
fn case(anomaly: Anomaly, from: Side, bad: Vec<Step>, good: Vec<Step>) -> Case {
    Case { anomaly, from, bad, good }
}

fn all() -> Vec<Case> {
    [frames::cases(), streams::cases(), fields::cases(), flow::cases(), settings::cases()]
        .into_iter()
        .flatten()
        .collect()
}

fn codes(steps: Vec<Step>) -> Vec<(&'static str, bool)> {
    told(steps).iter().map(|finding| (finding.code, finding.from_client)).collect()
}

/// What was found where nothing is wrong.
#[derive(Default)]
struct Accusations(Vec<String>);

impl Accusations {
    fn judge(&mut self, steps: Vec<Step>, anomaly: Anomaly, how: &str) {
        let found = codes(steps);
        if !found.is_empty() {
            self.0.push(format!("close to {}, {how}: {found:?}", anomaly.describe().code));
        }
    }

    fn none(&self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

#[test]
fn each_violation_is_found_and_nothing_else() {
    let (mut wrong, mut accused) = (Vec::new(), Accusations::default());
    for Case { anomaly, from, bad, good } in all() {
        let (expected, found) = ([(anomaly.describe().code, from.is_client())], codes(bad));
        if found != expected {
            wrong.push(format!("{expected:?}: {found:?}"));
        }
        accused.judge(good, anomaly, "as it is");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    accused.none();
}

#[test]
fn each_code_can_be_provoked() {
    let mut provoked: BTreeSet<_> = all().into_iter().map(|case| case.anomaly).collect();
    // The accusation comes with it, so that it is tested there.
    provoked.insert(Anomaly::SettingsTimeout);
    // An exchange tells of these, not a frame.
    provoked.extend([Anomaly::GrpcStatusMissing, Anomaly::AuthorityUser, Anomaly::AuthorityHost]);
    // The room `timing` tells of these, and provokes them in its tests.
    provoked.extend([
        Anomaly::WindowSmall,
        Anomaly::SlowReader,
        Anomaly::WindowDeadlock,
        Anomaly::IdleCloseRace,
        Anomaly::KeepaliveExcess,
        Anomaly::StreamLimit,
    ]);
    // So does the room `engine`, which sees all connections.
    provoked.insert(Anomaly::ExecutedTwice);
    let missing: Vec<_> = Anomaly::ALL.iter().filter(|anomaly| !provoked.contains(anomaly)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A capture that begins in the middle must not make a conversation look bad.
#[test]
fn a_late_start_accuses_nobody() {
    let mut accused = Accusations::default();
    for Case { anomaly, good, .. } in all() {
        for first in 0..good.len() {
            let rest = std::iter::once(Step::Late).chain(good[first..].iter().cloned()).collect();
            accused.judge(rest, anomaly, &format!("from step {first}"));
        }
    }
    accused.none();
}

/// Nor must a loss.
#[test]
fn a_loss_accuses_nobody() {
    let mut accused = Accusations::default();
    for Case { anomaly, good, .. } in all() {
        for lost in 0..good.len() {
            let mut steps = good.clone();
            steps[lost] = match &steps[lost] {
                Step::C(bytes) => Step::LoseC(bytes.len()),
                Step::S(bytes) => Step::LoseS(bytes.len()),
                other => other.clone(),
            };
            accused.judge(steps, anomaly, &format!("without step {lost}"));
        }
    }
    accused.none();
}

/// Nor must the order in which the capture has the packets of the two directions.
#[test]
fn the_order_of_the_directions_accuses_nobody() {
    let mut accused = Accusations::default();
    for Case { anomaly, good, .. } in all() {
        for moved in 0..good.len() {
            for to in 0..good.len() {
                let (low, high) = (moved.min(to), moved.max(to));
                let client = |step: &Step| matches!(step, Step::C(_));
                let sent = |step: &Step| matches!(step, Step::C(_) | Step::S(_));
                let swaps = |step: &Step| sent(step) && client(step) != client(&good[moved]);
                let others = (low..=high).filter(|&place| place != moved);
                if !sent(&good[moved]) || !others.clone().all(|place| swaps(&good[place])) {
                    continue;
                }
                let mut steps = good.clone();
                let step = steps.remove(moved);
                steps.insert(to, step);
                accused.judge(steps, anomaly, &format!("step {moved} at {to}"));
            }
        }
    }
    accused.none();
}
