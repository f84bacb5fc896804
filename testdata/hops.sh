#!/usr/bin/env bash
# Makes hop-client.pcap and hop-server.pcap again: curl and nghttp call nghttpd through nghttpx, which rewrites the authority, adds fields to
# requests and responses, and answers for /gone itself; captured before and behind it.
# Needs root for tcpdump, and the Debian packages curl, nghttp2-client, nghttp2-proxy, nghttp2-server, tcpdump. Usage: hops.sh DIR
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
www=$(mktemp -d); pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$www"' EXIT
echo '{"users":[1,2,3]}' > "$www/users.json"
seq 200 > "$www/orders.txt"
nghttpd --no-tls -d "$www" 8311 & pids+=($!)
nghttpx -L FATAL --conf /dev/null --errorlog-file /dev/null --workers 1 -f '127.0.0.1,8310;no-tls' \
  -b '127.0.0.1,8311;/;proto=h2' -b '127.0.0.1,9;/gone;proto=h2' --host-rewrite --add-x-forwarded-for \
  --add-request-header='x-tier: edge' --add-response-header='x-served-by: edge' & pids+=($!)
sleep 1
tcpdump -i lo -U -s 0 -w "$dir/hop-client.pcap" 'tcp port 8310' 2> /dev/null & pids+=($!); here=$!
tcpdump -i lo -U -s 0 -w "$dir/hop-server.pcap" 'tcp port 8311' 2> /dev/null & pids+=($!); there=$!
sleep 3
at=http://127.0.0.1:8310
call() { curl -s -o /dev/null --http2-prior-knowledge -H host:shop.example "$@"; }
for n in 1 2 3; do call -H "x-request-id: call-$n" $at/users.json; done
for n in 1 2 3; do call -H "traceparent: 00-0af7651916cd43dd8448eb211c80319$n-b7ad6b716920333$n-01" $at/orders.txt; done
call -H 'x-request-id: call-4' $at/missing
# One connection, without ids.
nghttp -n -H ':authority: shop.example' "$at/users.json?page=1" "$at/users.json?page=2" $at/gone
sleep 2
kill -INT "$here" "$there"; wait "$here" "$there" || true
