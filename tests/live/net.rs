//! Two network namespaces, joined by a pair of virtual Ethernet interfaces, with a server in one of them.

use h2lens::capture::{Batch, Input, Timeline};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Address of the client's end.
pub(crate) const CLIENT: &str = "10.77.0.1";
/// Address of the server's end.
pub(crate) const SERVER: &str = "10.77.0.2";
/// The server's port.
pub(crate) const PORT: u16 = 8080;

/// Two namespaces. The client's, where the capture runs, has the interface `lens0`.
pub(crate) struct Net {
    client: String,
    server: String,
    directory: tempfile::TempDir,
}

/// A process that is ended when the test is over.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Sends it a signal, as kill(1) names it.
    pub(crate) fn signal(&self, name: &str) {
        assert!(run(Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()])));
    }
}

fn run(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Net {
    /// The namespaces; `None`, and a word, where they or the tools cannot be had.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        for tool in ["ip", "nghttpd", "nghttp", "curl", "h2load", "openssl"] {
            let found = std::env::var_os("PATH").is_some_and(|paths| {
                std::env::split_paths(&paths).any(|directory| directory.join(tool).is_file())
            });
            if !found {
                println!("SKIPPED: this test needs {tool}");
                return None;
            }
        }
        let name = format!("h2lens-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::tempdir().unwrap();
        let net = Self { client: format!("{name}-c"), server: format!("{name}-s"), directory };
        if !run(Command::new("ip").args(["netns", "add", &net.client])) {
            println!("SKIPPED: network namespaces are not permitted here");
            return None;
        }
        assert!(run(Command::new("ip").args(["netns", "add", &net.server])));
        let script = format!(
            "ip link add lens0 netns {c} type veth peer name lens1 netns {s} &&
             ip -n {c} addr add {CLIENT}/24 dev lens0 && ip -n {s} addr add {SERVER}/24 dev lens1 &&
             ip -n {c} link set lo up && ip -n {c} link set lens0 up && ip -n {s} link set lens1 up",
            c = net.client,
            s = net.server,
        );
        assert!(run(Command::new("sh").args(["-c", &script])), "cannot set the namespaces up");
        for (name, bytes) in [("small", 6), ("large", 300 << 10), ("empty", 0)] {
            std::fs::write(net.path(name), vec![b'x'; bytes]).unwrap();
        }
        // Whoever the capture becomes may look in here.
        open_to_all(net.directory.path());
        Some(net)
    }

    /// A file in the directory of the test, which is also what the server serves.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command in the client's namespace.
    pub(crate) fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        within(&self.client, program)
    }

    /// A command in the server's namespace.
    pub(crate) fn server(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        within(&self.server, program)
    }

    /// The client's namespace, as a file.
    pub(crate) fn client_namespace(&self) -> PathBuf {
        Path::new("/var/run/netns").join(&self.client)
    }

    /// Sends the packets of a saved capture from the client's interface, with a VLAN tag (IEEE 802.1Q).
    pub(crate) fn send_tagged(&self, saved: &Path, vlan: u16) {
        let namespace = std::fs::File::open(self.client_namespace()).unwrap();
        let input = [Input::File(saved.to_owned())];
        let send = move || {
            nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            let mut interface = pcap::Capture::from_device("lens0").unwrap().open().unwrap();
            let (mut timeline, mut batch) = (Timeline::open(&input).unwrap(), Batch::default());
            while timeline.next_batch(&mut batch) {
                for packet in &batch.packets {
                    let (addresses, rest) = batch.packet(packet).split_at(12);
                    let tag = [0x8100_u16.to_be_bytes(), vlan.to_be_bytes()].concat();
                    interface.sendpacket([addresses, &tag, rest].concat()).unwrap();
                }
            }
        };
        // A thread is in the namespace, and only it.
        std::thread::spawn(send).join().unwrap();
    }

    /// Runs a shell script that may use `$C` and `$S` for the namespaces.
    pub(crate) fn script(&self, text: &str) {
        let mut command = Command::new("sh");
        command.args(["-ec", text]).env("C", &self.client).env("S", &self.server);
        assert!(command.status().unwrap().success(), "{text}");
    }

    /// Starts nghttpd; with a certificate if there is to be TLS.
    pub(crate) fn serve(&self, tls: bool) -> Running {
        self.start_server(tls, &["-v"])
    }

    /// Starts nghttpd without a log, for many requests.
    pub(crate) fn serve_quietly(&self) -> Running {
        self.start_server(false, &[])
    }

    fn start_server(&self, tls: bool, arguments: &[&str]) -> Running {
        let mut command = within(&self.server, "nghttpd");
        command.args(arguments).arg("-d").arg(self.directory.path());
        if !tls {
            command.arg("--no-tls");
        }
        command.arg(PORT.to_string());
        if tls {
            let (key, certificate) = (self.path("key.pem"), self.path("cert.pem"));
            let mut make = Command::new("openssl");
            make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
                .args(["-subj", "/CN=lens.example", "-days", "2", "-keyout"])
                .arg(&key)
                .arg("-out")
                .arg(&certificate);
            assert!(run(make.stdout(Stdio::null())));
            command.arg(&key).arg(&certificate);
        }
        let log = std::fs::File::create(self.path("server.log")).unwrap();
        let running = Running(command.stdout(log).stderr(Stdio::null()).spawn().unwrap());
        // A socket in state LISTEN (0A) in the namespace's table.
        let listens = format!(":{PORT:04X} 00000000:0000 0A");
        let is_up = || {
            let table = within(&self.server, "cat").arg("/proc/net/tcp").output().unwrap();
            String::from_utf8_lossy(&table.stdout).contains(&listens)
        };
        eventually("the server is up", is_up);
        running
    }

    /// Fetches with nghttp, all at once on one connection; what the client saw, by stream.
    pub(crate) fn nghttp(&self, arguments: &[&str], paths: &[&str]) -> Vec<Seen> {
        let output = self.nghttp_command(arguments, paths).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows = text.lines().skip_while(|line| !line.starts_with("id ")).skip(1);
        let mut seen: Vec<_> = rows
            .filter_map(|row| {
                let words: Vec<_> = row.split_whitespace().collect();
                let [id, _, _, _, code, size, path] = words[..] else { return None };
                Some(Seen {
                    stream: id.parse().unwrap(),
                    path: path.to_owned(),
                    status: code.parse().unwrap(),
                    received: bytes(size),
                })
            })
            .collect();
        seen.sort();
        assert_eq!(seen.len(), paths.len(), "{text}");
        seen
    }

    /// The command of [`Net::nghttp`].
    pub(crate) fn nghttp_command(&self, arguments: &[&str], paths: &[&str]) -> Command {
        let mut command = self.client("nghttp");
        command
            .arg("-ns")
            .args(arguments)
            .args(paths.iter().map(|path| format!("http://{SERVER}:{PORT}{path}")));
        command
    }

    /// Fetches with curl over TLS, one after the other on one connection; what the client saw, in order. Its secrets
    /// are appended to a key log.
    pub(crate) fn curl(&self, key_log: &Path, paths: &[&str]) -> Vec<Seen> {
        let mut command = self.client("curl");
        let format = "%{http_code} %{size_download}\n";
        command.env("SSLKEYLOGFILE", key_log).args(["-s", "-k", "-w", format]);
        for path in paths {
            command.args(["-o", "/dev/null"]).arg(format!("https://{SERVER}:{PORT}{path}"));
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let seen = text.lines().zip(paths).zip((1..).step_by(2)).map(|((line, path), stream)| {
            let (status, received) = line.split_once(' ').unwrap();
            let (status, received) = (status.parse().unwrap(), received.parse().unwrap());
            Seen { stream, path: (*path).to_owned(), status, received }
        });
        seen.collect()
    }

    /// The page for Prometheus of a capture in the client's namespace.
    pub(crate) fn metrics(&self, address: &str) -> Metrics {
        let output = self.client("curl").args(["-s", &format!("http://{address}/metrics")]).output().unwrap();
        Metrics(String::from_utf8(output.stdout).unwrap())
    }

    /// Paths and statuses in the server's log, in its order.
    pub(crate) fn served(&self) -> (Vec<String>, Vec<u64>) {
        let log = std::fs::read_to_string(self.path("server.log")).unwrap();
        let after = |line: &str, what: &str| line.split_once(what).map(|(_, rest)| strip(rest));
        let paths =
            log.lines().filter(|line| line.contains("recv")).filter_map(|line| after(line, ":path: "));
        let statuses = log.lines().filter_map(|line| after(line, ":status: ")?.parse().ok());
        (paths.collect(), statuses.collect())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        run(Command::new("ip").args(["netns", "del", &self.client]));
        run(Command::new("ip").args(["netns", "del", &self.server]));
    }
}

/// An exchange as the client saw it, and as h2lens is to show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) stream: u64,
    pub(crate) path: String,
    pub(crate) status: u64,
    pub(crate) received: u64,
}

/// A page for Prometheus.
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    /// The value of a series, if the page has it.
    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
    }

    /// The value of a series.
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.get(series).unwrap_or_else(|| panic!("{series} in {}", self.0))
    }
}

/// A number of bytes as nghttp prints it.
fn bytes(text: &str) -> u64 {
    match text.strip_suffix('K') {
        Some(kibi) => kibi.parse::<u64>().unwrap() << 10,
        None => text.parse().unwrap(),
    }
}

/// Text without terminal colours.
fn strip(text: &str) -> String {
    text.split('\u{1b}').next().unwrap_or_default().to_owned()
}

fn within(namespace: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

/// Lets everyone create files in a directory.
pub(crate) fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o777)).unwrap();
}

/// Waits until something is so, for ten seconds at the most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
