#!/bin/sh
# Live capture of what is replayed over veth at a rate, h2lens and the replay each on a core of its own.
#   benches/replay.sh MBITS CAPTURE [OPTION]...     H2LENS: the program; ROUNDS: how often (1)
# Prints what was sent and what h2lens saw, its drops, and the share of its core that it took. Needs root, ip, tcpreplay, taskset.
rate=$1 traffic=$2
shift 2
. "$(dirname "$0")/veth.sh"
for end in "$C lens0" "$S lens1"; do
    namespace=${end% *} interface=${end#* }
    # Nothing but the replay is on the wire, and no packet is too long for it.
    ip netns exec "$namespace" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "net.ipv6.conf.$interface.disable_ipv6=1"
    ip -n "$namespace" link set "$interface" mtu 65535 up
done
ip netns exec "$S" taskset -c 1 "$lens" -i lens1 "$@" > "$work/records" 2> "$work/messages" &
capture=$!
pids=$capture
await_capture
before=$(awk '{print $14 + $15}' "/proc/$capture/stat")
ip netns exec "$C" taskset -c 0 tcpreplay -q -K --mbps="$rate" --loop="${ROUNDS:-1}" -i lens0 "$traffic" > "$work/sent" 2>&1
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
