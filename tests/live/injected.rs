//! Packets that their receiver does not accept: put on the wire beside a real connection, which goes on; so do the records.

use crate::lens::{Lens, told};
use crate::net::{CLIENT, Net, PORT, SERVER};
use nix::sched::{CloneFlags, setns};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// A segment as it was seen: Ethernet, IPv4 without options, TCP.
struct Seen<'a>(&'a [u8]);

impl Seen<'_> {
    fn word(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    fn payload(&self) -> usize {
        let total = usize::from(u16::from_be_bytes([self.0[16], self.0[17]]));
        total - 20 - usize::from(self.0[46] >> 4) * 4
    }

    /// A segment as its sender might send it, at so many bytes from what comes next; with a checksum that is right, or not.
    fn forged(&self, ahead: u32, flags: u8, payload: &[u8], right: bool) -> Vec<u8> {
        let mut packet = self.0[..54].to_vec();
        packet[16..18].copy_from_slice(&(40 + payload.len() as u16).to_be_bytes());
        packet[24..26].fill(0);
        let header = !sum(&packet[14..34]);
        packet[24..26].copy_from_slice(&header.to_be_bytes());
        let next = self.word(38).wrapping_add(self.payload() as u32).wrapping_add(ahead);
        packet[38..42].copy_from_slice(&next.to_be_bytes());
        packet[46..48].copy_from_slice(&[5 << 4, flags]);
        packet[50..54].fill(0);
        packet.extend_from_slice(payload);
        let mut pseudo = packet[26..34].to_vec();
        pseudo.extend_from_slice(&[0, 6]);
        pseudo.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
        pseudo.extend_from_slice(&packet[34..]);
        let check = !sum(&pseudo) ^ if right { 0 } else { 0x0ff0 };
        packet[50..52].copy_from_slice(&check.to_be_bytes());
        packet
    }
}

/// The Internet checksum's sum (RFC 1071).
fn sum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let total: u32 = words.sum();
    let folded = (total & 0xffff) + (total >> 16);
    (folded + (folded >> 16)) as u16
}

/// Answers each segment of the client with forged ones, until told to stop; how many there were.
fn inject(net: &Net, stop: Arc<AtomicBool>, count: Arc<AtomicUsize>) -> std::thread::JoinHandle<()> {
    let namespace = std::fs::File::open(net.client_namespace()).unwrap();
    std::thread::spawn(move || {
        setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
        let open = || pcap::Capture::from_device("lens0").unwrap().immediate_mode(true).open().unwrap();
        let (sniffer, mut sender) = (open(), open());
        let mut sniffer = sniffer.setnonblock().unwrap();
        sniffer.direction(pcap::Direction::Out).unwrap();
        sniffer.filter(&format!("tcp dst port {PORT} and tcp[13] & 7 = 0"), true).unwrap();
        let client: Ipv4Addr = CLIENT.parse().unwrap();
        while !stop.load(Ordering::Relaxed) {
            let Ok(packet) = sniffer.next_packet() else {
                std::thread::sleep(Duration::from_micros(200));
                continue;
            };
            // Its own packets go out there, too.
            if packet.data.len() < 54
                || packet.data[26..30] != client.octets()
                || packet.data[18..20] == FORGED
            {
                continue;
            }
            let mut seen = packet.data.to_vec();
            seen[18..20].copy_from_slice(&FORGED);
            let seen = Seen(&seen);
            for forged in [
                seen.forged(100_000_000, RST, &[], true),
                seen.forged(1 << 31, RST | ACK, &[], true),
                seen.forged(50_000_000, SYN, &[], true),
                seen.forged(0, ACK, b"\0\0\x04\x03\0\0\0\0\x0d\0\0\0\x08", false),
                seen.forged(400_000_000, ACK, &[0x55; 100], true),
            ] {
                sender.sendpacket(forged).unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
}

/// Marks a forged packet: its identification (RFC 791 section 3.1).
const FORGED: [u8; 2] = [0xf0, 0x0d];

#[test]
fn what_a_receiver_does_not_accept_changes_no_record() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let injector = inject(&net, Arc::clone(&stop), Arc::clone(&count));
    let lens = Lens::start(&net, &["-f", "tcp"]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(net.nghttp(&[], &["/small", "/large", "/missing", "/empty"]));
    }
    seen.sort();
    lens.wait_for(seen.len());
    stop.store(true, Ordering::Relaxed);
    injector.join().unwrap();
    let outcome = lens.stop();
    assert_eq!(seen.len(), 12, "the server at {SERVER} was not disturbed");
    assert_eq!(told(&outcome.transactions()), seen, "as the client saw it");
    for record in outcome.transactions() {
        assert_eq!(record["h2"]["complete"], true, "{record}");
    }
    assert!(count.load(Ordering::Relaxed) > 50);
    assert!(outcome.telemetry()["coverage"]["unaccepted"].as_u64().unwrap() > 20);
    assert!(outcome.telemetry()["coverage"]["bad_checksums"].as_u64().unwrap() > 5);
}
