//! Beginning, watching, ending, and what the process may do meanwhile.

use crate::lens::{Lens, of_kind};
use crate::net::{Net, Running, eventually, open_to_all};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn lens(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_h2lens"));
    command.args(arguments);
    command
}

/// Exit status and the one line that says why.
fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "{text}");
    (output.status.code(), text)
}

#[test]
fn what_cannot_be_captured_is_told_in_a_line() {
    let (status, text) = refused(&mut lens(&["-i", "nosuch0"]));
    assert!(status == Some(2) && text.contains("nosuch0") && text.contains("-D"), "{text}");
    if !nix::unistd::Uid::effective().is_root() {
        println!("SKIPPED: the rest needs root");
        return;
    }
    let (status, text) = refused(lens(&["-i", "lo"]).uid(65_534).gid(65_534));
    assert_eq!(status, Some(2));
    assert!(text.contains("sudo") && text.contains("setcap cap_net_raw+ep"), "{text}");
    let (status, text) = refused(&mut lens(&["-i", "lo", "-f", "tcp prot 80"]));
    assert!(status == Some(2) && text.contains("tcp prot 80"), "{text}");
}

#[test]
fn interfaces_are_listed() {
    let output = lens(&["-D"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("lo ")).unwrap();
    assert!(line.contains("loopback"), "{text}");
}

/// A client whose request is not answered, as the server is asleep.
fn unanswered(net: &Net, server: &Running) -> Running {
    // nghttpd runs under its own number: `ip netns exec` becomes it.
    server.signal("STOP");
    let mut client = net.nghttp_command(&[], &["/small"]);
    Running(client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn an_interrupt_prints_what_is_in_flight() {
    let Some(net) = Net::new() else { return };
    let server = net.serve(false);
    let lens = Lens::start(&net, &[]);
    net.nghttp(&[], &["/small"]);
    lens.wait_for(1);
    let _client = unanswered(&net, &server);
    eventually("the request is seen", || {
        lens.signal("USR1");
        let records = lens.records();
        of_kind(&records, "telemetry").last().is_some_and(|last| last["exact"]["plaintext"]["requests"] == 2)
    });
    let begun = Instant::now();
    let outcome = lens.stop();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(outcome.status.code(), Some(0));
    let transactions = outcome.transactions();
    let [done, cut] = &transactions[..] else { panic!("{transactions:?}") };
    assert_eq!(done["h2"]["complete"], true);
    assert_eq!(cut["h2"]["complete"], false);
    assert_eq!(cut["h2"]["stream"]["end"]["how"], "eof");
    assert_eq!(cut["url"]["path"], "/small");
    assert_eq!(outcome.telemetry()["coverage"]["complete"], true, "nothing was lost");
    assert!(outcome.messages.contains("0 dropped by the kernel"), "{}", outcome.messages);
    server.signal("CONT");
}

#[test]
fn idle_connections_end_by_the_clock() {
    let Some(net) = Net::new() else { return };
    let server = net.serve(false);
    let lens = Lens::start(&net, &["--idle-timeout", "1s"]);
    let _client = unanswered(&net, &server);
    // Nothing comes any more; a request in flight has six times as long.
    eventually("the connection is given up", || {
        of_kind(&lens.records(), "transaction").any(|record| record["h2"]["stream"]["end"]["how"] == "idle")
    });
    server.signal("CONT");
    let outcome = lens.stop();
    assert_eq!(outcome.transactions()[0]["h2"]["complete"], false);
}

#[test]
fn summaries_come_when_due_and_when_asked_for() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let lens = Lens::start(&net, &["--summary=1s"]);
    net.nghttp(&[], &["/small", "/large"]);
    let count = |lens: &Lens| of_kind(&lens.records(), "telemetry").count();
    eventually("a summary with both", || {
        let records = lens.records();
        of_kind(&records, "telemetry").last().is_some_and(|summary| {
            summary["exact"]["plaintext"]["responses"] == 2
                && summary["coverage"]["transactions"]["complete"] == 2
        })
    });
    lens.stop().assert_complete();

    let lens = Lens::start(&net, &[]);
    net.nghttp(&[], &["/small"]);
    lens.wait_for(1);
    assert_eq!(count(&lens), 0);
    lens.signal("USR1");
    eventually("the summary asked for", || count(&lens) == 1);
    lens.stop().assert_complete();
}

#[test]
fn prometheus_finds_the_counters() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let lens = Lens::start(&net, &["--metrics", "127.0.0.1:9464"]);
    net.nghttp(&[], &["/small", "/missing"]);
    lens.wait_for(2);
    let page = net.metrics("127.0.0.1:9464");
    for view in ["exact", "agent"] {
        assert!(
            (page.value(&format!("usm_http2_responses{{view=\"{view}\",encrypted=\"false\"}}")) - 2.0).abs()
                < 0.1
        );
    }
    assert!((page.value("h2lens_transactions_total{encrypted=\"false\",status=\"4xx\"}") - 1.0).abs() < 0.1);
    let count = page.value("h2lens_request_duration_seconds_count{encrypted=\"false\"}");
    assert!((count - 2.0).abs() < 0.1);
    assert!(page.value("process_resident_memory_bytes") > 1e6);
    for line in page.0.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{line}");
    }
    lens.stop().assert_complete();
}

#[test]
fn rights_are_given_up() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let saved = net.path("saved.pcapng");
    let mut command = net.client(env!("CARGO_BIN_EXE_h2lens"));
    command.args(["-i", "lens0", "-v", "--sandbox", "strict", "-w"]).arg(&saved);
    let lens = Lens::spawn(command.env("SUDO_UID", "4711").env("SUDO_GID", "4712"));
    let tasks = std::fs::read_dir(format!("/proc/{}/task", lens.pid())).unwrap();
    let mut threads = 0;
    for task in tasks {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().collect::<Vec<_>>()
        };
        assert_eq!(field("Uid:"), ["4711"; 4]);
        assert_eq!(field("Gid:"), ["4712"; 4]);
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(field(set), ["0000000000000000"], "{set}");
        }
        assert_eq!(field("NoNewPrivs:"), ["1"]);
        threads += 1;
    }
    assert!(threads >= 3, "capture, writer, signals");
    net.nghttp(&[], &["/small"]);
    lens.wait_for(1);
    let outcome = lens.stop();
    outcome.assert_complete();
    for word in ["uid 4711", "no capabilities", "landlock"] {
        assert!(outcome.messages.contains(word), "{}", outcome.messages);
    }
    assert_eq!(std::fs::metadata(&saved).unwrap().uid(), 4711, "the file is the user's");
}

/// As plain root does it: a series of files in a directory of the user who is named.
#[test]
fn root_becomes_who_is_named() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let directory = net.path("daily");
    std::fs::create_dir(&directory).unwrap();
    let daemon = nix::unistd::User::from_name("daemon").unwrap().unwrap();
    nix::unistd::chown(&directory, Some(daemon.uid), Some(daemon.gid)).unwrap();
    let saved = directory.join("a.pcapng");
    let mut command = net.client(env!("CARGO_BIN_EXE_h2lens"));
    command.args(["-i", "lens0", "--user", "daemon", "--rotate-size", "2000", "--rotate-files", "2", "-w"]);
    let lens = Lens::spawn(command.arg(&saved).env_remove("SUDO_UID"));
    net.nghttp(&[], &["/small", "/small?1", "/small?2", "/large"]);
    lens.wait_for(4);
    lens.stop().assert_complete();
    let files: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().metadata().unwrap()).collect();
    assert_eq!(
        files.iter().map(|file| (file.uid(), file.gid())).collect::<Vec<_>>(),
        [(daemon.uid.as_raw(), daemon.gid.as_raw()); 2]
    );
    for (name, more) in [("root", "keep its rights"), ("no-such-user", "there is no user")] {
        let (status, message) = refused(&mut lens_as(name));
        assert!(status == Some(2) && message.contains(more), "{message}");
    }
}

fn lens_as(user: &str) -> Command {
    let mut command = lens(&["-i", "lo", "--user"]);
    command.arg(user);
    command
}

#[test]
fn the_sandbox_refuses_to_write_elsewhere() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let directory = net.path("out");
    std::fs::create_dir(&directory).unwrap();
    open_to_all(&directory);
    let saved = directory.join("a.pcapng");
    let rotate = ["--rotate-size", "2000", "--rotate-files", "2", "-w", saved.to_str().unwrap()];
    let lens = Lens::start(&net, &rotate);
    net.nghttp(&[], &["/small", "/small?1", "/small?2", "/large"]);
    lens.wait_for(4);
    let files = || std::fs::read_dir(&directory).unwrap().count();
    eventually("the ring is full", || files() == 2);
    // The same path, but not the place that was allowed; everyone may write there.
    std::fs::rename(&directory, net.path("elsewhere")).unwrap();
    std::fs::create_dir(&directory).unwrap();
    open_to_all(&directory);
    net.nghttp(&[], &["/large"]);
    let outcome = lens.wait();
    assert_eq!(outcome.status.code(), Some(2), "{}", outcome.messages);
    assert!(outcome.messages.contains("Permission denied"), "{}", outcome.messages);
    assert_eq!(files(), 0);
    outcome.telemetry();
}

#[test]
fn a_series_that_could_not_be_written_is_refused_at_once() {
    let Some(net) = Net::new() else { return };
    let directory = net.path("roots");
    std::fs::create_dir(&directory).unwrap();
    let saved = directory.join("a.pcapng");
    let mut command = net.client(env!("CARGO_BIN_EXE_h2lens"));
    command.env_remove("SUDO_UID").args(["-i", "lens0", "--rotate-size", "1M", "-w"]).arg(saved);
    let (status, text) = refused(&mut command);
    assert!(status == Some(2) && text.contains("roots") && text.contains("--sandbox off"), "{text}");
}

#[test]
fn an_interface_that_goes_ends_the_capture() {
    for how in ["ip -n $C link set lens0 down", "ip -n $C link del lens0"] {
        let Some(net) = Net::new() else { return };
        let _server = net.serve(false);
        let lens = Lens::start(&net, &[]);
        net.nghttp(&[], &["/small"]);
        net.script(how);
        let outcome = lens.wait();
        assert_eq!(outcome.status.code(), Some(2), "{}", outcome.messages);
        assert_eq!(outcome.transactions().len(), 1, "what was captured is printed");
        outcome.telemetry();
        assert!(outcome.messages.contains("lens0: the interface went down"), "{}", outcome.messages);
    }
}

#[test]
fn a_capture_can_be_limited() {
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let lens = Lens::start(&net, &["-c", "5"]);
    net.nghttp(&[], &["/small"]);
    let outcome = lens.wait();
    assert_eq!((outcome.status.code(), &outcome.telemetry()["coverage"]["packets"]), (Some(0), &5.into()));
    let begun = Instant::now();
    let outcome = Lens::start(&net, &["--duration", "1s"]).wait();
    assert_eq!(outcome.status.code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

/// Nothing is said over the window; what was captured and dropped is told when it is closed.
#[cfg(feature = "tui")]
#[test]
fn a_window_that_is_closed_says_what_was_dropped() {
    use std::fs::File;
    use std::io::{Read, Write};
    let Some(net) = Net::new() else { return };
    let _server = net.serve(false);
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 110, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = nix::pty::openpty(Some(&size), None).unwrap();
    let end = || terminal.slave.try_clone().unwrap();
    let mut window = net.client(env!("CARGO_BIN_EXE_h2lens"));
    window.args(["-i", "lens0", "--tui"]).env("TERM", "xterm-256color").stdin(end()).stdout(end());
    let mut window = Running(window.stderr(Stdio::piped()).spawn().unwrap());
    let mut screen = File::from(terminal.master.try_clone().unwrap());
    let (drawn, shown) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = screen.read(&mut bytes) {
            let _ = drawn.send(bytes[..read].to_vec());
        }
    });
    let mut seen = Vec::new();
    eventually("the call is drawn", || {
        net.nghttp(&[], &["/small"]);
        seen.extend(shown.try_iter().flatten());
        String::from_utf8_lossy(&seen).contains("/small")
    });
    File::from(terminal.master).write_all(b"q").unwrap();
    let mut messages = String::new();
    window.0.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
    assert!(
        messages.ends_with(" packets captured, 0 dropped by the kernel or the interface\n"),
        "{messages}"
    );
    assert_eq!((messages.lines().count(), window.0.wait().unwrap().code()), (1, Some(0)));
}
