# Two network namespaces joined by veth, with nghttpd in the one that is $S; sourced by load.sh and soak.sh.
# Needs root, ip, nghttpd and h2load (Debian: nghttp2-server, nghttp2-client).
. "$(dirname "$0")/veth.sh"
for end in "$C lens0 10.77.0.1" "$S lens1 10.77.0.2"; do
    set -- $end
    ip -n "$1" addr add "$3/24" dev "$2"
    ip -n "$1" link set "$2" up
    ip -n "$1" link set lo up
done
echo hello > "$work/small"
ip netns exec "$S" nghttpd -n 1 --no-tls -d "$work" 8080 > /dev/null 2>&1 &
server=$!
pids="$pids $server"
url=http://10.77.0.2:8080/small
sleep 0.5

# Starts h2lens with more arguments; records go to $work/records, and its process is $capture. The window of --tui gets a terminal.
watch() {
    case " $* " in
    *' --tui '*)
        mkfifo "$work/keys"
        exec 9<> "$work/keys"
        run="stty rows 50 cols 160; echo \$\$ > $work/pid; exec $lens -i lens0 $* 2> $work/messages"
        TERM=xterm-256color ip netns exec "$C" script -qfec "$run" "$work/screen" <&9 > /dev/null &
        watching=$!
        until [ -s "$work/pid" ] && [ -s "$work/screen" ]; do sleep 0.1; done
        capture=$(cat "$work/pid")
        ;;
    *)
        ip netns exec "$C" "$lens" -i lens0 "$@" >> "$work/records" 2> "$work/messages" &
        watching=$!
        capture=$!
        await_capture
        ;;
    esac
    pids="$pids $capture"
}

# Ends what watch started, and waits until it has ended.
end_watch() {
    kill -INT "$capture"
    wait "$watching" || true
}

# Resident KiB, descriptors, threads of h2lens.
usage() {
    echo "$(awk '/VmRSS/ {print $2}' "/proc/$capture/status")" \
        "$(find "/proc/$capture/fd" -mindepth 1 | wc -l)" \
        "$(awk '/Threads/ {print $2}' "/proc/$capture/status")"
}
