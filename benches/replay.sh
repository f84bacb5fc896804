#!/bin/sh
# Live capture of what is replayed over veth at a rate, h2lens and the replay each on a core of its own.
#   benches/replay.sh MBITS CAPTURE [OPTION]...     H2LENS: the program; ROUNDS: how often (1)
# Prints what was sent and what h2lens saw, its drops, and the share of its core that it took. Needs root, ip, tcpreplay, taskset.
set -eu
rate=$1 traffic=$(realpath "$2")
shift 2
lens=$(realpath "${H2LENS:-$(dirname "$0")/../target/release/h2lens}")
A=h2lens-replay-a-$$ B=h2lens-replay-b-$$
work=$(mktemp -d)
chmod 755 "$work"
cleanup() {
    ip netns del "$A" 2>/dev/null || true
    ip netns del "$B" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add "$A"
ip netns add "$B"
ip link add lens0 netns "$A" type veth peer name lens1 netns "$B"
for end in "$A lens0" "$B lens1"; do
    namespace=${end% *} interface=${end#* }
    # Nothing but the replay is on the wire, and no packet is too long for it.
    ip netns exec "$namespace" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "net.ipv6.conf.$interface.disable_ipv6=1"
    ip -n "$namespace" link set "$interface" mtu 65535 up
done
ip netns exec "$B" taskset -c 1 "$lens" -i lens1 "$@" > "$work/records" 2> "$work/messages" &
capture=$!
until grep -q 'capturing on' "$work/messages"; do
    kill -0 "$capture" || { cat "$work/messages"; exit 1; }
    sleep 0.1
done
before=$(awk '{print $14 + $15}' "/proc/$capture/stat")
ip netns exec "$A" taskset -c 0 tcpreplay -q -K --mbps="$rate" --loop="${ROUNDS:-1}" -i lens0 "$traffic" > "$work/sent" 2>&1
sleep 1
after=$(awk '{print $14 + $15}' "/proc/$capture/stat")
memory=$(awk '/VmHWM/ {print $2}' "/proc/$capture/status")
kill -INT "$capture"
wait "$capture" || true
grep -E '^(Actual|Rated)' "$work/sent"
grep 'dropped by the kernel' "$work/messages"
seconds=$(sed -n 's/.*sent in \([0-9.]*\) seconds.*/\1/p' "$work/sent")
awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v seconds="$seconds" -v memory="$memory" \
    'BEGIN { printf "CPU: %.2f s, %.0f %% of a core; at the most %.0f MiB of memory\n", ticks / hz, 100 * ticks / hz / seconds, memory / 1024 }'
