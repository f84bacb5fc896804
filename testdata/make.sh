#!/usr/bin/env bash
# Makes the captures of this folder again: real clients and servers over loopback.
# Needs root for tcpdump, and the Debian packages curl, nghttp2-client, nghttp2-server, nghttp2-proxy, tcpdump.
# Usage: make.sh DIR
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
www=$(mktemp -d); pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$www"' EXIT
echo '{"users":[1,2,3]}' > "$www/users.json"
echo '<html><script src=/app.js></script></html>' > "$www/index.html"
echo 'console.log(1)' > "$www/app.js"
nghttpd --no-tls -d "$www" --push=/index.html=/app.js --trailer 'x-checksum: 1f' 8301 & pids+=($!)
nghttpd --no-tls -d "$www" -b 32 8302 & pids+=($!)
nghttpx -L FATAL --conf /dev/null --errorlog-file /dev/null -f '127.0.0.1,8303;no-tls' -b '127.0.0.1,8301;;proto=h2' & pids+=($!)
sleep 1
record() { # NAME PORTS COMMANDS
  tcpdump -i lo -U -s 0 -w "$dir/$1" "$2" 2> "$dir/$1.log" & local dump=$!
  until grep -q listening "$dir/$1.log"; do sleep 0.1; done; sleep 1
  eval "$3" > /dev/null 2>&1 || true
  sleep 2; kill -INT $dump; wait $dump || true; rm "$dir/$1.log"
}
c='curl -s --http2-prior-knowledge'
record curl-h2c.pcap 'tcp port 8301' "$c http://127.0.0.1:8301/users.json
  $c http://127.0.0.1:8301/missing
  $c -d name=x 'http://127.0.0.1:8301/users.json?create=1'
  $c -I http://127.0.0.1:8301/users.json"
record curl-upgrade.pcap 'tcp port 8303' 'curl -s --http2 http://127.0.0.1:8303/users.json'
record nghttp-push.pcap 'tcp port 8301' 'nghttp -n http://127.0.0.1:8301/index.html'
long=/users.json?$(printf 'a%.0s' {1..260})
record agent-differs.pcap 'tcp port 8301 or tcp port 8302' "$c http://127.0.0.1:8301/users.json
  $c 'http://127.0.0.1:8301$long'
  $c -X PUT -d x=1 http://127.0.0.1:8301/users.json
  $c -X TRACE http://127.0.0.1:8301/users.json
  nghttp -n --continuation http://127.0.0.1:8301/users.json
  nghttp -n -b 16 http://127.0.0.1:8302/users.json"
