#!/usr/bin/env bash
# Builds what is given away, into target/packages: a static program and a Debian package.
#
#   packaging/build.sh            both
#   packaging/build.sh static     h2lens-VERSION-x86_64-linux-musl.tar.gz: reads captures, no libpcap, no interfaces
#   packaging/build.sh deb        h2lens_VERSION_amd64.deb: with live capture, needs libpcap0.8
#
# Needed: Rust with the target x86_64-unknown-linux-musl, musl-tools for the first; libpcap-dev and cargo-deb for the second.
# PROFILE=dev builds in a fraction of the time, to try the packages themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"name":"h2lens","version":"\([^"]*\)".*/\1/')
profile=${PROFILE:-release}
directory=$([ "$profile" = dev ] && echo debug || echo "$profile")
out=target/packages
mkdir -p "$out"

# The man pages and the completions come from the program itself.
assets() {
  local program=$1 command
  rm -rf "$out/assets"
  mkdir -p "$out/assets/man" "$out/assets/completions"
  "$program" --generate man >"$out/assets/man/h2lens.1"
  for command in join diff merge; do "$program" --generate "man-$command" >"$out/assets/man/h2lens-$command.1"; done
  gzip --no-name --best "$out"/assets/man/*.1
  "$program" --generate bash >"$out/assets/completions/h2lens"
  "$program" --generate zsh >"$out/assets/completions/_h2lens"
  "$program" --generate fish >"$out/assets/completions/h2lens.fish"
}

static() {
  local target=x86_64-unknown-linux-musl
  cargo build --locked --profile "$profile" --target "$target" --no-default-features --features cli,proto,parquet,tui
  local program=target/$target/$directory/h2lens
  # Nothing is loaded when it starts: it runs in an empty container.
  if ldd "$program" 2>&1 | grep -q '=>'; then
    echo "$program is not static" >&2
    exit 1
  fi
  assets "$program"
  local name=h2lens-$version-x86_64-linux-musl
  rm -rf "${out:?}/$name"
  mkdir -p "$out/$name"
  install -m 755 "$program" "$out/$name/h2lens"
  cp -r "$out/assets/man" "$out/assets/completions" "$out/$name/"
  install -m 644 README.md LICENSE LICENSE-MIT LICENSE-APACHE CHANGELOG.md "$out/$name/"
  tar --sort=name --owner=0 --group=0 --numeric-owner -C "$out" -czf "$out/$name.tar.gz" "$name"
  echo "$out/$name.tar.gz"
}

deb() {
  cargo build --locked --profile "$profile"
  assets "target/$directory/h2lens"
  cargo deb --no-build --profile "$profile" --output "$out/"
}

case ${1:-all} in
static) static ;;
deb) deb ;;
all) static && deb ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
