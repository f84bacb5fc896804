#!/usr/bin/env python3
"""Instructions of five workloads beside those in instructions.tsv. Exit status 1 if one takes over 3 % more.

Usage: instructions.py H2LENS [--write]     (a release build; needs valgrind)
       --write    takes the counts as the new ones

What is read is made of the small captures in benches/stages, each repeated on other ports, later. The counts hold for one compiler and
for what the processor has for cryptography and long copies: with others they are told, and nothing is judged.
"""
import argparse, os, re, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTS = os.path.join(HERE, "instructions.tsv")
BAR = 0.03
COPIES = 10
SERVERS = (8080, 8443)
WORKLOADS = {
    "telemetry": ("cleartext", "--json", "--show", "telemetry"),
    "transactions": ("cleartext", "--json", "--show", "transactions"),
    "everything": ("cleartext", "--json", "--show", "transactions,connections,endpoints,findings,telemetry"),
    "har": ("cleartext", "--output", "har"),
    "encrypted": ("encrypted", "--json", "--show", "transactions", "--keylog", os.path.join(HERE, "stages", "encrypted.keys")),
}


def packets(capture):
    """(nanoseconds, frame) of each packet of a capture file with nanoseconds, and its header."""
    header, at = capture[:24], 24
    found = []
    while at < len(capture):
        seconds, part, length, _ = struct.unpack_from("<IIII", capture, at)
        found.append((seconds * 10**9 + part, capture[at + 16 : at + 16 + length]))
        at += 16 + length
    return header, found


def on_other_ports(frame, copy):
    """A TCP segment of IPv4 in Ethernet, its client's port so much higher; checksums are not filled in."""
    tcp = 14 + 4 * (frame[14] & 15)
    ports = [port if port in SERVERS else port + 16 * copy for port in struct.unpack_from("!HH", frame, tcp)]
    return frame[:tcp] + struct.pack("!HH", *ports) + frame[tcp + 4 :]


def repeated(name, path):
    """Writes a capture that holds one of benches/stages several times."""
    with open(os.path.join(HERE, "stages", name + ".pcap"), "rb") as file:
        header, found = packets(file.read())
    span = found[-1][0] - found[0][0] + 10**9
    with open(path, "wb") as file:
        file.write(header)
        for copy in range(COPIES):
            for time, frame in found:
                frame = on_other_ports(frame, copy)
                seconds, part = divmod(time + copy * span, 10**9)
                file.write(struct.pack("<IIII", seconds, part, len(frame), len(frame)) + frame)


def count(exe, arguments):
    """The instructions of a run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", exe, *arguments, "--threads", "1", "--sandbox", "off"]
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return int(found[1])


def machine():
    """The compiler, and what the processor has that libraries look for."""
    compiler = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = set(re.search(r"flags\s*:(.*)|$", file.read())[1].split())
    return " ".join([compiler, *(flag for flag in ("sse4_2", "avx2", "aes", "pclmulqdq", "sha_ni") if flag in flags)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("h2lens")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    counts = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, (capture, *arguments) in WORKLOADS.items():
            path = os.path.join(directory, capture + ".pcap")
            if not os.path.exists(path):
                repeated(capture, path)
            counts[name] = count(options.h2lens, [path, *arguments])
    with open(COUNTS, encoding="utf-8") as file:
        made_with, *rows = file.read().splitlines()
    kept = {name: int(instructions) for name, instructions in (row.split("\t") for row in rows)}
    above = [name for name, instructions in counts.items() if instructions > kept.get(name, instructions) * (1 + BAR)]
    for name, instructions in counts.items():
        change = f"{instructions / kept[name] - 1:+7.2%}" if name in kept else "    new"
        print(f"{name:14} {instructions:14,} {change}{'  over the bar' if name in above else ''}")
    if options.write:
        with open(COUNTS, "w", encoding="utf-8") as file:
            file.write(f"# {machine()}\n")
            file.writelines(f"{name}\t{instructions}\n" for name, instructions in counts.items())
    elif made_with != f"# {machine()}":
        print(f"not judged: the counts are of {made_with[2:]}, and this is {machine()}")
    else:
        sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
