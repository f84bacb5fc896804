//! h2lens at work: started, watched, and told to stop.

use crate::net::{Net, Running, Seen, eventually};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// A live capture.
pub(crate) struct Lens {
    process: Running,
    records: Arc<Mutex<Vec<(SystemTime, Value)>>>,
    messages: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// What a capture that has ended has left.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    /// Records, and when they came.
    pub(crate) records: Vec<(SystemTime, Value)>,
    pub(crate) messages: String,
}

impl Lens {
    /// Starts a capture on `lens0`, and waits until it captures.
    pub(crate) fn start(net: &Net, arguments: &[&str]) -> Self {
        Self::spawn(net.client(env!("CARGO_BIN_EXE_h2lens")).args(["-i", "lens0"]).args(arguments))
    }

    /// Starts a command that captures, and waits until it does.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_unread(command).0
    }

    /// The same, but its output is not read before the sender is dropped.
    pub(crate) fn spawn_unread(command: &mut Command) -> (Self, Sender<()>) {
        let (go, wait) = channel::<()>();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (records, messages) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(String::new())));
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let theirs = Arc::clone(&records);
        let read_records = move || {
            let _ = wait.recv();
            for line in BufReader::new(out).lines() {
                let record = serde_json::from_str(&line.unwrap()).unwrap();
                theirs.lock().unwrap().push((SystemTime::now(), record));
            }
        };
        let theirs = Arc::clone(&messages);
        let read_messages = move || {
            let mut bytes = [0; 1024];
            while let Ok(read @ 1..) = err.read(&mut bytes) {
                theirs.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        };
        let readers = vec![std::thread::spawn(read_records), std::thread::spawn(read_messages)];
        let mut lens = Self { process: Running(child), records, messages, readers };
        eventually("h2lens captures", || {
            lens.messages.lock().unwrap().contains("capturing on")
                || lens.process.0.try_wait().unwrap().is_some()
        });
        (lens, go)
    }

    /// What was printed so far.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.records.lock().unwrap().iter().map(|(_, record)| record.clone()).collect()
    }

    /// How many transactions were printed so far.
    pub(crate) fn transactions(&self) -> usize {
        let records = self.records.lock().unwrap();
        records.iter().filter(|(_, record)| record["record"] == "transaction").count()
    }

    /// Waits until so many transactions were printed.
    pub(crate) fn wait_for(&self, transactions: usize) {
        eventually("transactions", || self.transactions() >= transactions);
    }

    /// Waits until no more transactions are printed. How many there are.
    pub(crate) fn settle(&self) -> usize {
        let mut before = None;
        eventually("transactions end", || {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.transactions();
            before.replace(now) == Some(now)
        });
        before.unwrap_or_default()
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// A signal of this number was sent to it, and it has not taken it yet (proc(5)).
    pub(crate) fn is_pending(&self, number: u32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap();
        u64::from_str_radix(pending.trim(), 16).unwrap() >> (number - 1) & 1 == 1
    }

    /// Interrupts it, as Ctrl-C does.
    pub(crate) fn stop(self) -> Outcome {
        self.signal("INT");
        self.wait()
    }

    /// It has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.0.try_wait().unwrap().is_none()
    }

    /// Waits for its end, and leaves what it has printed.
    pub(crate) fn status(mut self) -> ExitStatus {
        eventually("h2lens ends", || self.process.0.try_wait().unwrap().is_some());
        self.process.0.wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Outcome {
        eventually("h2lens ends", || self.process.0.try_wait().unwrap().is_some());
        let status = self.process.0.wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let records = std::mem::take(&mut *self.records.lock().unwrap());
        let messages = self.messages.lock().unwrap().clone();
        Outcome { status, records, messages }
    }
}

impl Outcome {
    /// The transactions.
    pub(crate) fn transactions(&self) -> Vec<&Value> {
        let records = self.records.iter().map(|(_, record)| record);
        records.filter(|record| record["record"] == "transaction").collect()
    }

    /// The last telemetry record, which is the last record of all.
    pub(crate) fn telemetry(&self) -> &Value {
        let (_, last) = self.records.last().unwrap();
        assert_eq!(last["record"], "telemetry");
        last
    }

    /// Asserts that it ended well, and that nothing was lost.
    pub(crate) fn assert_complete(&self) {
        assert_eq!(self.status.code(), Some(0), "{}", self.messages);
        let coverage = &self.telemetry()["coverage"];
        assert_eq!(coverage["complete"], true, "{coverage}");
        assert_eq!(coverage["dropped_by_kernel"], 0);
        assert_eq!(coverage["dropped_records"], 0);
    }

    /// How long the transactions took from their last packet to their reader, in the middle of them.
    pub(crate) fn latency(&self) -> Duration {
        let transactions = self.records.iter().filter(|(_, record)| record["record"] == "transaction");
        let mut delays: Vec<_> = transactions
            .map(|(came, record)| {
                let ended = start_nanos(record) + (record["duration"].as_f64().unwrap() * 1e9) as u128;
                let came = came.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
                Duration::from_nanos(u64::try_from(came.saturating_sub(ended)).unwrap())
            })
            .collect();
        delays.sort();
        delays[delays.len() / 2]
    }
}

/// The records of a kind.
pub(crate) fn of_kind<'a>(records: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |record| record["record"] == kind)
}

/// When a transaction began, in nanoseconds since 1970; the date is today's or yesterday's.
pub(crate) fn start_nanos(record: &Value) -> u128 {
    let text = record["@timestamp"].as_str().unwrap();
    let part = |range: std::ops::Range<usize>| text[range].parse::<u128>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // Days since 1970, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    ((days * 86_400 + part(11..13) * 3600 + part(14..16) * 60 + part(17..19)) * 1_000_000_000) + part(20..29)
}

/// The exchanges that transactions tell of, by stream.
pub(crate) fn told(transactions: &[&Value]) -> Vec<Seen> {
    let mut all: Vec<_> = transactions
        .iter()
        .map(|record| {
            let path = record["url"]["path"].as_str().unwrap_or("?").to_owned();
            let query = record["url"]["query"].as_str().map(|query| format!("?{query}"));
            Seen {
                stream: record["h2"]["stream"]["id"].as_u64().unwrap(),
                path: path + &query.unwrap_or_default(),
                status: record["http"]["response"]["status_code"].as_u64().unwrap_or_default(),
                received: record["http"]["response"]["body"]["size"].as_u64().unwrap_or_default(),
            }
        })
        .collect();
    all.sort();
    all
}

/// What h2lens makes of a saved capture.
pub(crate) fn analyze(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_h2lens")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
