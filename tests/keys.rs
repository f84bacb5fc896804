//! Key logs as common programs write them: what `docs/keys.md` says is tried here.

use h2lens::tls::KeyStore;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// An `openssl s_server`, which answers requests with a page.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(directory: &Path) -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(directory.join("cert.pem"), certified.cert.pem()).unwrap();
        fs::write(directory.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "0", "-www", "-cert", "cert.pem", "-key", "key.pem"])
            .args(["-keylogfile", "server.log"])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accepts =
            lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
        let port = accepts.rsplit(':').next().unwrap().parse().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a client in a directory with a server, and expects the secrets of a connection in `keys.log`.
fn expect_secrets(client: impl FnOnce(&Path, u16) -> Command, input: &str) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let mut client = client(directory.path(), server.port);
    client.current_dir(directory.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = client.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    for log in ["keys.log", "server.log"] {
        let mut keys = KeyStore::default();
        keys.add_text(&fs::read(directory.path().join(log)).unwrap());
        let counters = keys.counters();
        assert_eq!((counters.secrets, counters.bad_lines), (4, 0), "{log}: of the handshake and behind it");
    }
}

#[test]
fn openssl() {
    expect_secrets(
        |_, port| {
            let mut client = Command::new("openssl");
            client.args(["s_client", "-keylogfile", "keys.log", "-connect"]).arg(format!("localhost:{port}"));
            client.stderr(Stdio::null());
            client
        },
        "Q\n",
    );
}

#[test]
fn curl() {
    expect_secrets(
        |_, port| {
            let mut client = Command::new("curl");
            client.args(["--silent", "--insecure"]).arg(format!("https://localhost:{port}/"));
            client.env("SSLKEYLOGFILE", "keys.log");
            client
        },
        "",
    );
}

#[test]
fn python() {
    for (create, set) in [
        ("ssl.create_default_context(cafile='cert.pem')", ""),
        (
            "ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
            "c.keylog_filename='keys.log'; c.load_verify_locations('cert.pem');",
        ),
    ] {
        expect_secrets(
            |_, port| {
                let mut client = Command::new("python3");
                let get = format!("urllib.request.urlopen('https://localhost:{port}/', context=c).read()");
                client.arg("-c").arg(format!("import ssl, urllib.request\nc={create};{set}{get}"));
                match set {
                    "" => client.env("SSLKEYLOGFILE", "keys.log"),
                    _ => client.env_remove("SSLKEYLOGFILE"),
                };
                client
            },
            "",
        );
    }
}
