#!/usr/bin/env python3
"""Does h2lens name the streams that gRPC's own log calls stalled?

    python3 tests/scripts/flowctl.py H2LENS

A client and a server of gRPC C-core talk through a relay that writes down what passes. The server logs with
GRPC_TRACE=flowctl; the streams that it names must be those with `stream_window` or `connection_window` in `h2.time`.
Needs grpcio before 1.65: later ones have no way to switch these lines on. Where it is missing the test is skipped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from relay import Relay

CALLS = 3
MESSAGE = 400_000
STALLED = re.compile(r"stream (\d+) moved to stalled list")


def handler(grpc, method):
    """Answers `/test/Big` with two messages that no window takes at once, and all else with a short one."""
    as_is = lambda message: message  # noqa: E731
    if method == "/test/Big":
        return grpc.unary_stream_rpc_method_handler(lambda *_: iter([b"x" * MESSAGE] * 2), as_is, as_is)
    return grpc.unary_unary_rpc_method_handler(lambda *_: b"short", as_is, as_is)


def serve():
    """The server, until its input ends."""
    from concurrent import futures

    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return handler(grpc, details.method)

    options = [("grpc.http2.bdp_probe", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Handler()], options=options)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


def call(port):
    """Short calls, and long ones whose reader is slow."""
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.http2.bdp_probe", 0)]) as channel:
        for _ in range(CALLS):
            channel.unary_unary("/test/Short")(b"")
            messages = channel.unary_stream("/test/Big")(b"")
            time.sleep(0.2)
            assert sum(map(len, messages)) == 2 * MESSAGE
    time.sleep(0.1)


def main(h2lens):
    try:
        import grpc
    except ImportError:
        return print("skipped: grpcio is not installed")
    me = [sys.executable, os.path.abspath(__file__)]
    logged = {**os.environ, "GRPC_VERBOSITY": "debug", "GRPC_TRACE": "flowctl"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with tempfile.TemporaryDirectory() as directory:
        log = os.path.join(directory, "log")
        with open(log, "w") as errors, subprocess.Popen([*me, "--serve"], env=logged, stderr=errors, **pipes) as server:
            relay = Relay(int(server.stdout.readline()))
            subprocess.run([*me, "--call", str(relay.port)], check=True)
            server.stdin.close()
        with open(log) as lines:
            stalled = {int(stream) for stream in STALLED.findall(lines.read())}
        if not stalled:
            return print(f"skipped: grpcio {grpc.__version__} does not log which streams are stalled")
        capture = os.path.join(directory, "capture.pcap")
        with open(capture, "wb") as file:
            file.write(relay.capture())
        told = subprocess.run([h2lens, capture, "--json"], check=True, stdout=subprocess.PIPE)
    calls = [record for record in map(json.loads, told.stdout.splitlines()) if record["record"] == "transaction"]
    assert len(calls) == 2 * CALLS, f"{len(calls)} calls"
    windows = {"stream_window", "connection_window"}
    found = {call["h2"]["stream"]["id"] for call in calls if windows & call["h2"]["time"].keys()}
    assert found == stalled, f"h2lens: {sorted(found)}, gRPC: {sorted(stalled)}"
    print(f"ok: of {len(calls)} streams {sorted(stalled)} were stalled")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    elif sys.argv[1] == "--call":
        call(sys.argv[2])
    else:
        main(sys.argv[1])
