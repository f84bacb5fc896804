# Two network namespaces, $C and $S, joined by veth: lens0 in $C, lens1 in $S. Sourced by net.sh and replay.sh. Needs root and ip.
set -eu
lens=$(realpath "${H2LENS:-$(dirname "$0")/../target/release/h2lens}")
C=h2lens-bench-c-$$ S=h2lens-bench-s-$$
work=$(mktemp -d)
chmod 755 "$work"
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    ip netns del "$C" 2>/dev/null || true
    ip netns del "$S" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add "$C"
ip netns add "$S"
ip link add lens0 netns "$C" type veth peer name lens1 netns "$S"

# Waits until h2lens, whose process is $capture and whose messages go to $work/messages, captures.
await_capture() {
    until grep -q 'capturing on' "$work/messages"; do
        kill -0 "$capture" || { cat "$work/messages"; exit 1; }
        sleep 0.1
    done
}
