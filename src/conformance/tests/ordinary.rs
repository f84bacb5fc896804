//! Frames that a short look lets pass are such as the rules let pass, and leave the same behind.

use super::talk::Step::{C, Cut, S, Thorough, Wait};
use super::talk::*;
use crate::http2::Side;
use foldhash::quality::FixedState;
use std::hash::BuildHasher;

/// Numbers that look like chance, and are the same each time.
struct Dice {
    seed: FixedState,
    thrown: u64,
}

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.thrown += 1;
        self.seed.hash_one(self.thrown) % most
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }
}

/// A call as they mostly are.
fn call(dice: &mut Dice, stream: u32) -> Vec<Step> {
    let length = dice.one_of(&[Vec::new(), line("content-length", "5")]);
    if dice.below(3) == 0 {
        let request = C(headers(stream, 0, &concat(&[POST, &length])));
        let end = S(headers(stream, END_STREAM, TRAILERS));
        return vec![
            request,
            C(data(stream, END_STREAM, 5)),
            S(headers(stream, 0, OK)),
            S(data(stream, 0, 5)),
            end,
        ];
    }
    let answer = S(headers(stream, 0, &concat(&[OK, &length])));
    vec![C(headers(stream, END_STREAM, GET)), answer, S(data(stream, END_STREAM, 5))]
}

/// Calls one behind the other, with a step here and there that may break a rule where it stands.
fn talk(dice: &mut Dice) -> Vec<Step> {
    let calls: Vec<Step> = [1, 3, 5, 7, 9, 11].into_iter().flat_map(|stream| call(dice, stream)).collect();
    let rare = dice.one_of(&[4, 8, 40]);
    calls
        .into_iter()
        .flat_map(|ordinary| match dice.below(rare) {
            0 => vec![any(dice)],
            1 => vec![any(dice), ordinary],
            _ => vec![ordinary],
        })
        .collect()
}

/// A step that may be ordinary, or break a rule where it stands.
fn any(dice: &mut Dice) -> Step {
    let stream = dice.one_of(&[1, 3, 3, 5, 5, 7, 7, 9, 11, 2]);
    let ends = dice.one_of(&[0, END_STREAM, END_STREAM]);
    let length = line("content-length", dice.one_of(&["0", "5", "10", "x"]));
    let octets = dice.one_of(&[0, 5, 5, 10, 16_384]);
    match dice.below(32) {
        0..8 => {
            let head = concat(&[&line(":method", "HEAD"), &GET[1..]]);
            let request = dice.one_of(&[GET.to_vec(), POST.to_vec(), head, OK.to_vec()]);
            let more = dice.one_of(&[Vec::new(), length]);
            C(headers(stream, ends, &concat(&[&request, &more])))
        }
        8..16 => {
            let none = line(":status", dice.one_of(&["204", "100", "304"]));
            let response = dice.one_of(&[OK.to_vec(), OK.to_vec(), none, TRAILERS.to_vec()]);
            let more = dice.one_of(&[Vec::new(), length]);
            S(headers(stream, ends, &concat(&[&response, &more])))
        }
        16..20 => C(data(stream, ends, octets)),
        20..26 => S(data(stream, ends, octets)),
        26 => dice.one_of(&[C(rst_stream(stream)), S(rst_stream(stream))]),
        27 => dice.one_of(&[C(window_update(stream, 9)), C(window_update(0, 9))]),
        28 => dice.one_of(&[S(settings(&[(3, 1)])), S(settings(&[(4, 7)])), C(settings(&[(4, 12)]))]),
        29 => dice.one_of(&[C(settings_ack()), S(settings_ack())]),
        30 => dice.one_of(&[S(goaway(3)), S(push_promise(stream, 4))]),
        _ => Wait(dice.one_of(&[1, 1200])),
    }
}

#[test]
fn a_short_look_and_the_rules_come_to_the_same() {
    let mut ordinary = 0;
    for seed in 0..4000 {
        let mut dice = Dice { seed: FixedState::with_seed(seed), thrown: 0 };
        let mut steps = talk(&mut dice);
        if seed % 2 == 1 {
            steps.push(Cut);
        }
        let told = |steps: Vec<Step>| {
            let mut judge = judged(steps);
            let evidence = [Side::Client, Side::Server].map(|side| judge.evidence(side, 1, None));
            (judge.findings().collect::<Vec<_>>(), judge.limited(), evidence)
        };
        let with = |first: Step| told(std::iter::once(first).chain(steps.iter().cloned()).collect());
        let short = with(Wait(0));
        ordinary += u32::from(short.0.is_empty());
        assert_eq!(short, with(Thorough), "{seed}");
    }
    assert!((200..3800).contains(&ordinary), "of some nothing is told: {ordinary}");
}
