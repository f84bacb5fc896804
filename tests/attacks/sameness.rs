//! The same input gives the same output, whatever the threads, and in whatever pieces it comes.

use super::lens::run_with;
use super::wire::{ACK, FIN, Flow, REQUEST, RESPONSE, Wire, frame, literal};
use std::io::Write;
use std::path::Path;

/// Connections that take turns, with losses, resets and garbage among them.
fn crowd() -> Vec<u8> {
    let mut wire = Wire::new();
    let mut flows: Vec<(Flow, Flow)> = (0..40).map(|port| wire.http2(2000 + port)).collect();
    let mut state = 7_u32;
    let mut random = |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % bound
    };
    for round in 0..60_u32 {
        for (port, (client, server)) in flows.iter_mut().enumerate() {
            let id = 2 * round + 1;
            let path = format!("/{port}/{round}");
            let block = [&REQUEST[..2], &literal(0x44, path.as_bytes())].concat();
            let request =
                [frame(1, 4, id, &block), frame(0, 1, id, &vec![0; random(3000) as usize])].concat();
            if random(40) == 0 {
                client.seq += request.len() as u32; // lost
            } else {
                wire.send(client, &request);
            }
            match random(30) {
                0 => wire.send(client, &frame(3, 0, id, &[0, 0, 0, 8])),
                1 => wire.segment(*server, ACK, &[0xee; 50]),
                2 if round > 50 => wire.segment(*client, FIN | ACK, &[]),
                _ => wire.send(server, &frame(1, 5, id, &RESPONSE)),
            }
        }
    }
    wire.file
}

fn output(capture: &[u8], threads: &str, format: &str, sizes: &[usize]) -> Vec<u8> {
    let arguments = [
        "-",
        "--threads",
        threads,
        "-o",
        format,
        "-H",
        "--show",
        "transactions,connections,frames,telemetry",
    ];
    let feed = |out: &mut dyn Write| {
        let mut rest = capture;
        for size in sizes.iter().cycle() {
            let (part, after) = rest.split_at((*size).min(rest.len()));
            if part.is_empty() || out.write_all(part).is_err() {
                break;
            }
            rest = after;
        }
    };
    let run = run_with(&arguments, feed);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    run.stdout
}

#[test]
fn threads_and_pieces_change_nothing() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let file = |name: &str| std::fs::read(testdata.join(name)).unwrap();
    let captures = [crowd(), file("curl-h2c.pcap"), file("grpcio.pcap"), file("tls/tls13-keyupdate.pcapng")];
    for capture in &captures {
        for format in ["ndjson", "table"] {
            let expected = output(capture, "1", format, &[1 << 20]);
            assert!(expected.len() > 1000);
            for threads in ["1", "2", "3", "8"] {
                for sizes in [&[1 << 20][..], &[1, 65_536, 7, 100], &[33_333]] {
                    assert!(
                        output(capture, threads, format, sizes) == expected,
                        "{format} with {threads} threads, in pieces of {sizes:?}"
                    );
                }
            }
        }
    }
}
