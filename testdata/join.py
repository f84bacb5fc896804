#!/usr/bin/env python3
"""Makes join-client.pcap and join-server.pcap again: nghttp in one network namespace calls nghttpd in another, and each end is
captured. Between them packets pass through this program, which delays them: 12 ms there, 30 ms back.

Needs root, /dev/net/tun, and the Debian packages iproute2, nghttp2-client, nghttp2-server, tcpdump. Usage: join.py DIR"""
import ctypes, fcntl, heapq, os, select, struct, subprocess, sys, tempfile, threading, time

DELAY = {0: 0.012, 1: 0.030}
ENDS = (("here", "10.20.0.1", "10.20.0.2"), ("there", "10.20.0.2", "10.20.0.1"))


def sh(line):
    subprocess.run(line, shell=True, check=True)


def tun(name):
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    namespace = os.open("/run/netns/" + name, os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.setns(namespace, 0x40000000) == 0
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH", b"tun0", 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    assert libc.setns(own, 0x40000000) == 0
    return device


def relay(devices):
    waiting, number = [], 0
    while True:
        left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for device in select.select(devices, [], [], left)[0]:
            way, number = devices.index(device), number + 1
            heapq.heappush(waiting, (time.monotonic() + DELAY[way], number, devices[1 - way], os.read(device, 65536)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(waiting)
            os.write(device, packet)


def main(target):
    www, started = tempfile.mkdtemp(), []
    for kind in ("users", "orders"):
        os.mkdir(f"{www}/{kind}")
        for number in (1001, 1002, 1003):
            open(f"{www}/{kind}/{number}", "w").write(f'{{"id":{number}}}\n')
    try:
        devices = []
        for name, address, peer in ENDS:
            sh(f"ip netns add {name}")
            devices.append(tun(name))
            sh(f"ip -n {name} addr add {address} peer {peer} dev tun0; ip -n {name} link set tun0 up")
        threading.Thread(target=relay, args=(devices,), daemon=True).start()
        run = lambda name, *words: started.append(subprocess.Popen(("ip", "netns", "exec", name) + words))
        run("there", "nghttpd", "--no-tls", "-d", www, "8080")
        for (name, _, _), file in zip(ENDS, ("join-client.pcap", "join-server.pcap")):
            run(name, "tcpdump", "-i", "tun0", "-U", "-s", "0", "-w", os.path.join(target, file), "tcp port 8080")
        time.sleep(8)
        for kind in ("users", "orders"):
            urls = " ".join(f"http://10.20.0.2:8080/{path}" for path in (f"{kind}/1001", f"{kind}/1002", f"{kind}/1003", "health"))
            sh(f"ip netns exec here nghttp -n {urls}")
        time.sleep(1)
    finally:
        for process in started:
            process.terminate()
        for name, _, _ in ENDS:
            subprocess.run(["ip", "netns", "del", name])
        sh(f"rm -rf {www}")


main(sys.argv[1])
