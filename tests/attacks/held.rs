//! What holes held back, and what becomes of it when it is handed on: as much as traffic pays for, and the rest later.

use super::lens::run;
use super::memory::{MEMORY, MOST};
use super::wire::{ACK, FIN, Flow, REQUEST, SYN, Wire, frame};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const WHOLE: u8 = 5;
/// Exchanges behind each hole.
const CALLS: u32 = 20_000;
const ARGUMENTS: [&str; 3] = ["--json", "--memory", MEMORY];

/// Connections whose client has sent all its requests behind a frame that is missing yet; each is reset at once.
fn holes(wire: &mut Wire, connections: u16) -> Vec<(Flow, Flow)> {
    let calls: Vec<u8> = (0..CALLS)
        .flat_map(|n| {
            [frame(HEADERS, WHOLE, 2 * n + 1, &REQUEST), frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8])]
                .concat()
        })
        .collect();
    let mut held = Vec::new();
    for port in 0..connections {
        let (missing, _) = wire.http2(2000 + port);
        let mut client = Flow { seq: missing.seq + ping().len() as u32, ..missing };
        wire.send(&mut client, &calls);
        held.push((missing, client));
    }
    held
}

fn ping() -> Vec<u8> {
    frame(6, 0, 0, &[0; 8])
}

/// In two sizes, which take as much memory: all exchanges are told.
fn is_told_by_and_by(attack: impl Fn(&mut Wire, &[(Flow, Flow)])) {
    let runs = [2, 4].map(|connections| {
        let mut wire = Wire::new();
        let held = holes(&mut wire, connections);
        attack(&mut wire, &held);
        let run = run(&wire.file, &ARGUMENTS).within(MOST);
        assert_eq!(run.told(), usize::from(connections) * CALLS as usize, "{}", run.coverage()["limits"]);
        run
    });
    assert!(runs[1].mib <= runs[0].mib + 16, "{} MiB, {} MiB", runs[0].mib, runs[1].mib);
}

#[test]
fn holes_that_are_never_filled() {
    is_told_by_and_by(|_, _| ());
}

#[test]
fn holes_that_are_filled_one_after_the_other() {
    is_told_by_and_by(|wire, held| held.iter().for_each(|&(missing, _)| wire.segment(missing, ACK, &ping())));
}

/// What comes behind stays behind, and the ends are told at the end.
#[test]
fn holes_that_are_filled_and_what_follows() {
    is_told_by_and_by(|wire, held| {
        held.iter().for_each(|&(missing, _)| wire.segment(missing, ACK, &ping()));
        for &(_, client) in held {
            let mut client = client;
            (0..10).for_each(|_| wire.send(&mut client, &ping()));
            wire.segment(client, FIN | ACK, &[]);
        }
    });
}

/// Ports are used again while much is held back: what there is no room for is missing, and counted.
#[test]
fn holes_of_connections_that_are_replaced() {
    let runs = [2, 4].map(|connections| {
        let mut wire = Wire::new();
        for &(missing, _) in &holes(&mut wire, connections) {
            let mut next = Flow { seq: missing.seq.wrapping_add(1 << 30), ..missing };
            wire.segment(next, SYN, &[]);
            next.seq += 1;
            wire.segment(Flow { seq: 1 << 29, ..Flow::server(missing.src) }, SYN | ACK, &[]);
            wire.send(&mut next, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        }
        let run = run(&wire.file, &ARGUMENTS).within(MOST);
        assert_ne!(run.limit("reassembly_total"), 0);
        assert_eq!(run.coverage()["complete"], false);
        assert!(run.told() < usize::from(connections) * CALLS as usize);
        run
    });
    assert!(runs[1].mib <= runs[0].mib + 16, "{} MiB, {} MiB", runs[0].mib, runs[1].mib);
}
