//! Attacks by the times of packets.

use super::lens::{Run, run};
use super::wire::{ACK, REQUEST, Wire, frame};
use std::time::Duration;

/// Calls under way on so many connections, and then as many packets, so many seconds apart.
fn open_calls(count: u16, seconds: u64) -> Vec<u8> {
    let mut wire = Wire::new();
    let request = frame(1, 5, 1, &REQUEST);
    let flows: Vec<_> = (0..count)
        .map(|port| {
            let (mut client, _) = wire.http2(port);
            wire.send(&mut client, &request);
            client
        })
        .collect();
    for flow in flows.iter().cycle().take(4 * flows.len()) {
        wire.wait(Duration::from_secs(seconds));
        wire.segment(*flow, ACK, &[]);
    }
    wire.file
}

/// How many telemetry records there are, and what the last one says of those that there are not.
fn told(run: &Run) -> (usize, u64) {
    let records = run.records();
    let mut told: Vec<_> = records.iter().filter(|record| record["record"] == "telemetry").collect();
    let last = told.pop().unwrap();
    (told.len(), last["coverage"]["limits"]["summaries"].as_u64().unwrap_or(0))
}

/// A clock that jumps by an interval from packet to packet asks for telemetry each time, of all that is open.
#[test]
fn intervals_that_jump() {
    let arguments = ["--json", "-S", "telemetry", "--summary=1s"];
    let times = [2000, 4000].map(|count| {
        let clean = run(&open_calls(count, 0), &arguments).within(96);
        let attack = open_calls(count, 1);
        let run = run(&attack, &arguments).within(96);
        let (told, joined) = told(&run);
        assert_eq!(told as u64 + joined, 4 * u64::from(count));
        assert!(told > 500 && joined > 1000, "{told}, {joined}");
        assert!(run.stdout.len() <= 64 * attack.len() + (1 << 20), "{}", run.stdout.len());
        assert!(run.time <= Duration::from_millis(200) + 50 * clean.time, "{:?}, {:?}", run.time, clean.time);
        run.time
    });
    assert!(times[1] <= 3 * times[0] + Duration::from_millis(200), "{times:?}");
}
