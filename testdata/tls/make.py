#!/usr/bin/env python3
"""Records short HTTP/2 exchanges between openssl s_client and s_server as pcapng files with their secrets inside.

Usage: make.py DIR    (needs the openssl command, 3.0 or later)

What goes over a loopback relay is written with Ethernet, IPv4 and TCP headers of its own (54 bytes a packet), so that no
capture privileges are needed. Each file holds one connection: a GET that is answered with 200 and "hello world\\n".
"""
import os, select, socket, struct, subprocess, sys, tempfile, threading, time

REQUEST = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
           # :method GET, :scheme https, :path /, :authority a.example
           b"\x00\x00\x0e\x01\x05\x00\x00\x00\x01\x82\x87\x84\x41\x09a.example")
RESPONSE = (b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x00\x04\x01\x00\x00\x00\x00",
            b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88" + b"\x00\x00\x0c\x00\x01\x00\x00\x00\x01hello world\n")

# Name, certificate, arguments of both sides, of the client, command between the client's two writes.
CASES = [
    ("tls13-ccm", "ec", ["-ciphersuites", "TLS_AES_128_CCM_SHA256"], [], None),
    ("tls13-ccm8", "ec", ["-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], [], None),
    ("tls13-keyupdate", "ec", [], [], b"K\n"),
    ("tls12-ccm", "ec", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM"], [], None),
    ("tls12-ccm-256", "rsa", ["-tls1_2", "-cipher", "AES256-CCM"], [], None),
    ("tls12-ccm8", "ec", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM8"], [], None),
    ("tls12-ccm8-256", "ec", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-CCM8"], [], None),
    ("tls12-cbc-sha1-etm", "rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"], [], None),
    ("tls12-cbc-sha1-mte", "rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA", "-no_etm"], [], None),
    ("tls12-cbc-sha256-etm", "rsa", ["-tls1_2", "-cipher", "AES256-SHA256"], [], None),
    ("tls12-cbc-sha256-mte", "ec", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256", "-no_etm"], [], None),
    ("tls12-cbc-sha384-etm", "rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"], [], None),
    ("tls12-cbc-sha384-mte", "rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384", "-no_etm"], [], None),
    ("tls12-dhe-gcm", "rsa", ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], [], None),
    ("tls12-rsa-premaster", "rsa", ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], [], None),
    ("tls12-rsa-premaster-no-ems", "rsa", ["-tls1_2", "-cipher", "AES256-GCM-SHA384", "-no-ems"], [], None),
    ("tls12-renegotiation", "rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"], [], b"R\n"),
]


def padded(data):
    return data + bytes(-len(data) % 4)


def block(kind, body):
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Capture:
    def __init__(self):
        self.blocks, self.time, self.sequence = [], 1_700_000_000_000_000, [1000, 5000]
        self.packet(0, b"", 0x02), self.packet(1, b"", 0x12), self.packet(0, b"", 0x10)

    def packet(self, side, payload, flags):
        ends = [(b"\x0a\x00\x00\x01", 50000), (b"\x0a\x00\x00\x02", 443)]
        (source, sport), (target, dport) = ends[side], ends[1 - side]
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0) + source + target
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        acknowledged = self.sequence[1 - side] if flags & 0x10 else 0
        tcp = struct.pack(">HHIIBBHHH", sport, dport, self.sequence[side], acknowledged, 0x50, flags, 64240, 0, 0)
        frame = bytes(11) + b"\x01" + b"\x08\x00" + ip + tcp + payload
        self.sequence[side] += len(payload) + (1 if flags & 0x03 else 0)
        self.time += 1000
        head = struct.pack("<IIIII", 0, self.time >> 32, self.time & 0xFFFFFFFF, len(frame), len(frame))
        self.blocks.append(block(6, head + padded(frame)))

    def data(self, side, payload):
        for start in range(0, len(payload), 1448):
            self.packet(side, payload[start:start + 1448], 0x18)

    def write(self, path, secrets):
        with open(path, "wb") as out:
            out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
            out.write(block(1, struct.pack("<HHI", 1, 0, 0)))
            out.write(block(10, struct.pack("<II", 0x544C534B, len(secrets)) + padded(secrets)))
            for each in self.blocks:
                out.write(each)


def relay(listener, port, capture, done):
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", port))
    sockets, open_sides = [client, server], {0, 1}
    while open_sides:
        for ready in select.select([sockets[side] for side in open_sides], [], [], 1)[0]:
            side = sockets.index(ready)
            try:
                data = ready.recv(65536)
            except ConnectionError:
                data = b""
            if data:
                capture.data(side, data)
                try:
                    sockets[1 - side].sendall(data)
                except OSError:
                    pass
            else:
                open_sides.discard(side)
                capture.packet(side, b"", 0x11)
                try:
                    sockets[1 - side].shutdown(socket.SHUT_WR)
                except OSError:
                    pass
    done.set()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def record(out, name, certificate, both, client_only, command, work):
    environment = dict(os.environ)
    if "-no-ems" in both:
        both = [argument for argument in both if argument != "-no-ems"]
        config = os.path.join(work, "no-ems.cnf")
        with open(config, "w") as file:
            file.write("openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nOptions=-ExtendedMasterSecret\n")
        environment["OPENSSL_CONF"] = config
    if "-cipher" in both:
        at = both.index("-cipher") + 1
        both = both[:at] + [both[at] + ":@SECLEVEL=0"] + both[at + 1:]
    else:
        both = both + ["-cipher", "DEFAULT:@SECLEVEL=0"]
    port, log = free_port(), os.path.join(work, name + ".keys")
    server = subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", str(port), "-naccept", "1", "-alpn", "h2", "-client_renegotiation",
         "-cert", f"{work}/{certificate}.crt", "-key", f"{work}/{certificate}.key", *both],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    time.sleep(0.4)
    capture, done = Capture(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=relay, args=(listener, port, capture, done), daemon=True).start()
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % listener.getsockname()[1], "-servername", "a.example",
         "-alpn", "h2", "-keylogfile", log, "-no_ign_eof", *both, *client_only],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def say(side, data):
        time.sleep(0.4)
        side.stdin.write(data)
        side.stdin.flush()

    say(client, REQUEST[0])
    say(server, RESPONSE[0])
    if command:
        say(client, command)
    say(client, REQUEST[1])
    say(server, RESPONSE[1])
    time.sleep(0.4)
    client.stdin.close()
    client.wait(5)
    server.terminate()
    done.wait(5)
    with open(log) as file:
        lines = file.read().splitlines(True)
    wanted = ("RSA ",) if "premaster" in name else ("CLIENT_RANDOM", "CLIENT_TRAFFIC", "SERVER_TRAFFIC", "CLIENT_HAND", "SERVER_HAND")
    secrets = "".join(line for line in lines if line.startswith(wanted))
    capture.write(os.path.join(out, name + ".pcapng"), secrets.encode())


def main():
    out = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        for name, kind in (("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("rsa", ["rsa:2048"])):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", f"{work}/{name}.key", "-out",
                 f"{work}/{name}.crt", "-days", "3650", "-subj", "/CN=a.example"], check=True, stderr=subprocess.DEVNULL)
        for case in CASES:
            record(out, *case, work)


if __name__ == "__main__":
    main()
