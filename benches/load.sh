#!/bin/sh
# Live capture under load: RATE requests a second for SECONDS over veth, on the cores that client and server use too.
#   benches/load.sh [RATE] [SECONDS] [OPTION]...     RATE 0: as many as client and server can; --tui is an option
# Prints what the client saw, what h2lens saw, and its use of memory and CPU.
rate=${1:-20000} seconds=${2:-60}
[ $# -gt 2 ] && shift 2 || set --
options=$*
. "$(dirname "$0")/net.sh"
watch $options
set -- -c 10 -m 10 -D "$seconds"
[ "$rate" -gt 0 ] && set -- "$@" --rps $((rate / 10))
ip netns exec "$C" h2load "$@" "$url" > "$work/load" 2>&1 &
load=$!
for step in 1 2 3 4 5 6; do
    sleep "$(awk "BEGIN {print $seconds / 6}")"
    echo "memory (KiB), descriptors, threads: $(usage)"
done
wait "$load" || true
sleep 1
cpu=$(awk '{print $14 + $15}' "/proc/$capture/stat")
end_watch
grep -E '^(finished|requests|status codes)' "$work/load"
cat "$work/messages"
echo "CPU seconds: $(awk "BEGIN {print $cpu / $(getconf CLK_TCK)}")"
# A window shows its records, and writes none.
[ -s "$work/records" ] || exit 0
echo "transactions: $(grep -c '^{"record":"transaction"' "$work/records")," \
    "complete: $(grep -c '"complete":true,"agent"\|"complete":true,"packets"' "$work/records")"
tail -n 1 "$work/records" | grep -o '"coverage":.*'
