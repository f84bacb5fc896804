//! What is printed is what client and server saw.

use crate::lens::{Lens, analyze, of_kind, start_nanos, told};
use crate::net::{Net, PORT, Running, SERVER, eventually};
use std::process::Stdio;
use std::time::Duration;

const PATHS: [&str; 6] = ["/small", "/large", "/empty", "/missing?a=1&b=2", "/small?again", "/large?again"];

#[test]
fn plaintext_exchanges_are_those_that_client_and_server_saw() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let saved = net.path("saved.pcapng");
    let saved = saved.to_str().unwrap();
    let lens = Lens::start(&net, &["-w", saved, "-f", "tcp"]);
    let mut seen = net.nghttp(&[], &PATHS);
    let upload = net.path("large");
    seen.extend(net.nghttp(&["-d", upload.to_str().unwrap(), "-H", ":method: PUT"], &["/small?put"]));
    seen.sort();
    lens.wait_for(seen.len());
    let outcome = lens.stop();
    outcome.assert_complete();
    let transactions = outcome.transactions();
    assert_eq!(told(&transactions), seen, "as the client saw it");

    let put = transactions.iter().find(|record| record["http"]["request"]["method"] == "PUT").unwrap();
    assert_eq!(put["http"]["request"]["body"]["size"], 300 << 10);

    let (mut paths, mut statuses) = net.served();
    let (mut our_paths, mut our_statuses): (Vec<_>, Vec<_>) =
        told(&transactions).into_iter().map(|seen| (seen.path, seen.status)).unzip();
    for list in [&mut paths, &mut our_paths] {
        list.sort();
    }
    statuses.sort_unstable();
    our_statuses.sort_unstable();
    assert_eq!((our_paths, our_statuses), (paths, statuses), "as the server saw it");

    let again = analyze(&[saved]);
    assert_eq!(of_kind(&again, "transaction").collect::<Vec<_>>(), transactions, "the saved packets");
}

/// A machine that has much else to do may be slow once, but not twice in three times.
#[test]
fn a_record_comes_soon_after_its_exchange() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let mut latencies = [(); 3].map(|()| {
        let lens = Lens::start(&net, &[]);
        let seen = net.nghttp(&[], &PATHS);
        lens.wait_for(seen.len());
        lens.stop().latency()
    });
    latencies.sort();
    assert!(latencies[1] < Duration::from_millis(200), "{latencies:?}");
}

#[test]
fn tls_is_read_with_a_key_log_that_grows() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(true);
    let (saved, keys, late) = (net.path("saved.pcapng"), net.path("keys.log"), net.path("late.log"));
    let (saved, key_log) = (saved.to_str().unwrap(), keys.to_str().unwrap());
    // The key log is not there when the capture begins.
    let lens = Lens::start(&net, &["-w", saved, "--keylog", key_log]);
    let mut seen = net.curl(&keys, &PATHS);
    lens.wait_for(seen.len());
    // These secrets come when all packets have gone by.
    let more = net.curl(&late, &["/small?late", "/large?late"]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(of_kind(&lens.records(), "transaction").count(), seen.len());
    let both = [std::fs::read(&keys).unwrap(), std::fs::read(&late).unwrap()].concat();
    std::fs::write(&keys, both).unwrap();
    seen.extend(more);
    seen.sort();
    lens.wait_for(seen.len());
    let outcome = lens.stop();
    outcome.assert_complete();
    assert_eq!(told(&outcome.transactions()), seen);
    assert_eq!(outcome.telemetry()["exact"]["tls"]["requests"], seen.len());

    let again = analyze(&["--keylog", key_log, saved]);
    let again: Vec<_> = of_kind(&again, "transaction").cloned().collect();
    assert_eq!(told(&again.iter().collect::<Vec<_>>()), seen, "the saved packets");
}

/// Packets of a real conversation, sent again with VLAN tags: kernels without VLAN interfaces carry these too. The
/// receiving kernel takes the tags off, and keeps them beside the packets.
#[test]
fn vlan_tags_are_seen_through() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let (plain, tagged) = (net.path("plain.pcapng"), net.path("tagged.pcapng"));
    let lens = Lens::start(&net, &["-w", plain.to_str().unwrap(), "-f", "tcp"]);
    let seen = net.nghttp(&[], &["/small", "/empty", "/missing?a=1&b=2"]);
    lens.wait_for(seen.len());
    lens.stop().assert_complete();

    let tagged = tagged.to_str().unwrap();
    let mut command = net.server(env!("CARGO_BIN_EXE_h2lens"));
    let lens = Lens::spawn(command.args(["-i", "lens1", "-f", "vlan 7", "-w", tagged]));
    net.send_tagged(&plain, 7);
    lens.wait_for(seen.len());
    let outcome = lens.stop();
    outcome.assert_complete();
    assert_eq!(told(&outcome.transactions()), seen);
    let again = analyze(&["-f", "vlan 7 and tcp", tagged]);
    assert_eq!(of_kind(&again, "transaction").count(), seen.len(), "the tags are in the saved packets");
    let again = analyze(&["-f", "vlan 8", tagged]);
    assert_eq!(of_kind(&again, "transaction").count(), 0);
}

#[test]
fn connections_are_picked_up_in_the_middle() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let log = net.path("load.log");
    let mut load = net.client("h2load");
    load.args(["--rps", "100", "-n", "100000", "-c", "1", "--log-file"]).arg(&log);
    load.arg(format!("http://{SERVER}:{PORT}/small")).stdout(Stdio::null());
    let load = Running(load.spawn().unwrap());
    // A line for each request, one after the other: start in microseconds, status, duration.
    let lines = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("the connection is under way", || lines().lines().count() >= 20);
    let lens = Lens::start(&net, &[]);
    lens.wait_for(50);
    drop(load);
    lens.settle();
    let outcome = lens.stop();
    let transactions = outcome.transactions();
    let (text, mut compared) = (lines(), 0);
    let stream = |record: &serde_json::Value| record["h2"]["stream"]["id"].as_u64().unwrap();
    for pair in transactions.windows(2) {
        let record = pair[1];
        assert_eq!(stream(record), stream(pair[0]) + 2, "a request is missing");
        // The client may have ended before its last line.
        let Some(line) = text.lines().nth(stream(record) as usize / 2) else { continue };
        let mut words = line.split_whitespace().map(|word| word.parse::<i64>().unwrap());
        let (start, status) = (words.next().unwrap(), words.next().unwrap());
        let apart = (start_nanos(record) / 1000).abs_diff(start as u128);
        assert!(apart < 1_000_000, "{start} is another time than that of {record}");
        assert_eq!(record["http"]["response"]["status_code"], status);
        assert_eq!(record["http"]["response"]["body"]["size"], 6);
        assert_eq!(record["http"]["request"]["method"], "GET");
        compared += 1;
    }
    assert!(compared >= 48, "{compared} of {}", transactions.len());
    let told = stream(transactions.last().unwrap()) as usize / 2 + 1;
    assert!(told >= text.lines().count(), "{told}: the last requests are missing");
    assert_eq!(outcome.telemetry()["coverage"]["complete"], false, "its beginning was missed");
}

/// Many requests in a hurry, and whether all were answered.
fn load(net: &Net, requests: u32) {
    let mut load = net.client("h2load");
    load.args(["-c", "4", "-m", "20", "-n"])
        .arg(requests.to_string())
        .arg(format!("http://{SERVER}:{PORT}/small"));
    let output = load.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("{requests} succeeded")), "{text}");
}

#[test]
fn packets_that_the_kernel_drops_are_told_and_the_rest_is_right() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve_quietly();
    let lens = Lens::start(&net, &["--buffer-size", "1M"]);
    load(&net, 100);
    lens.wait_for(100);
    // It does not get to look at the packets for a while.
    lens.signal("STOP");
    load(&net, 50_000);
    lens.signal("CONT");
    // What the buffer held is read: nothing of the rest is dropped.
    let before = lens.settle();
    load(&net, 100);
    lens.wait_for(before + 100);
    let outcome = lens.stop();
    assert_eq!(outcome.status.code(), Some(0));
    let coverage = &outcome.telemetry()["coverage"];
    assert!(coverage["dropped_by_kernel"].as_u64().unwrap() > 0, "{coverage}");
    assert_eq!(coverage["complete"], false);
    assert!(!outcome.messages.contains(" 0 dropped by the kernel"), "{}", outcome.messages);
    let transactions = outcome.transactions();
    assert!((200..50_200).contains(&transactions.len()), "{}", transactions.len());
    for record in transactions.iter().filter(|record| record["h2"]["complete"] == true) {
        assert_eq!(record["url"]["path"], "/small", "{record}");
        assert_eq!(record["http"]["response"]["status_code"], 200, "{record}");
        assert_eq!(record["http"]["response"]["body"]["size"], 6, "{record}");
    }
}

#[test]
fn a_slow_reader_loses_records_that_are_counted_and_no_packets() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve_quietly();
    let mut command = net.client(env!("CARGO_BIN_EXE_h2lens"));
    let address = "127.0.0.1:9465";
    command.args(["-i", "lens0", "-H", "--buffer-size", "256M", "--metrics", address]);
    let (lens, go) = Lens::spawn_unread(&mut command);
    load(&net, 60_000);
    eventually("all is read", || {
        let read = net.metrics(address).get("h2lens_transactions_total{encrypted=\"false\",status=\"2xx\"}");
        read.is_some_and(|read| read > 59_999.5)
    });
    lens.signal("INT");
    drop(go);
    let outcome = lens.wait();
    assert_eq!(outcome.status.code(), Some(0), "{}", outcome.messages);
    let coverage = &outcome.telemetry()["coverage"];
    assert_eq!(coverage["dropped_by_kernel"], 0);
    let dropped = coverage["dropped_records"].as_u64().unwrap();
    assert!(dropped > 0, "{coverage}");
    assert_eq!(outcome.transactions().len() as u64 + dropped, 60_000);
    assert_eq!(coverage["transactions"]["complete"], 60_000);
    assert!(outcome.messages.contains(&format!("{dropped} records dropped")), "{}", outcome.messages);
}

#[test]
fn a_second_interrupt_waits_for_nobody() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve_quietly();
    let mut command = net.client(env!("CARGO_BIN_EXE_h2lens"));
    let (mut lens, reader) = Lens::spawn_unread(command.args(["-i", "lens0"]));
    load(&net, 1000);
    lens.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    assert!(lens.is_running(), "it prints what it has, and nobody reads");
    // One that came while the first is pending would be one with it.
    eventually("the first is taken", || !lens.is_pending(2));
    lens.signal("INT");
    assert_eq!(lens.status().code(), Some(130));
    drop(reader);
}
