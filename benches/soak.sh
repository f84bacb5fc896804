#!/bin/sh
# Connections that open, idle, die by RST, are half closed, and are never answered, for MINUTES: memory stays within
# 10 % of what it was after two of them, and no descriptor or thread is added.
#   benches/soak.sh [MINUTES] [OPTION]...
# Needs python3, too.
minutes=${1:-30}
[ $# -gt 1 ] && shift || set --
options=$*
. "$(dirname "$0")/net.sh"
watch --idle-timeout 5s --show transactions,connections,telemetry $options
# Its records are of no use here: only the last ones are kept.
ip netns exec "$S" nghttpd -n 1 --no-tls -d "$work" 8081 > /dev/null 2>&1 &
deaf=$!
pids="$pids $deaf"
sleep 0.5
kill -STOP "$deaf"
end=$(($(date +%s) + minutes * 60))

churn() { # Connections that come and go.
    while [ "$(date +%s)" -lt "$end" ]; do
        ip netns exec "$C" h2load -c 50 -n 500 -m 5 "$url" > /dev/null 2>&1
        sleep 0.2
    done
}
resets() { # Clients that die in the middle: their kernel answers with RST.
    while [ "$(date +%s)" -lt "$end" ]; do
        ip netns exec "$C" timeout -s KILL 0.3 h2load -c 20 -D 5 "$url" > /dev/null 2>&1
        sleep 0.3
    done
}
odd() { # Half closed, idle, never answered, garbage: from Python, 20 a second.
    ip netns exec "$C" python3 - "$end" <<'PYTHON'
import socket, struct, sys, time
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
# :method GET, :scheme http, :path /, :authority of the server
BLOCK = b"\x82\x86\x84\x41\x09" + b"10.77.0.2"
HEADERS = struct.pack(">I", len(BLOCK))[1:] + b"\x01\x05\x00\x00\x00\x01" + BLOCK
end, open_ones, turn = int(sys.argv[1]), [], 0
while time.time() < end:
    turn += 1
    try:
        if len(open_ones) > 400:
            open_ones.pop(0).close()
        port = 8081 if turn % 5 == 0 else 8080
        s = socket.create_connection(("10.77.0.2", port), timeout=1)
        open_ones.append(s)
        if turn % 5 != 4:
            s.sendall(PREFACE + HEADERS)
        if turn % 5 == 1:
            s.shutdown(socket.SHUT_WR)
        elif turn % 5 == 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            open_ones.pop().close()
        elif turn % 5 == 3:
            s.sendall(b"\xff" * 100)
    except OSError:
        pass
    time.sleep(0.05)
PYTHON
}
churn & pids="$pids $!"
resets & pids="$pids $!"
odd & pids="$pids $!"

base=
while [ "$(date +%s)" -lt "$end" ]; do
    sleep 30
    : > "$work/records"
    now=$(usage)
    echo "$(date +%T) memory (KiB), descriptors, threads: $now"
    [ $(($(date +%s) + minutes * 60 - end)) -ge 120 ] && [ -z "$base" ] && base=$now
done
kill -INT "$capture"
wait "$capture" || true
cat "$work/messages"
tail -n 1 "$work/records" | grep -o '"coverage":.*' || true
set -- ${base:-$now} $now
echo "after two minutes: $1 KiB, $2 descriptors, $3 threads; at the end: $4 KiB, $5, $6"
if [ "$4" -gt $(($1 + $1 / 10)) ] || [ "$5" -gt "$2" ] || [ "$6" -gt "$3" ]; then
    echo "it grew"
    exit 1
fi
