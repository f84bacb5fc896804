#!/usr/bin/env bash
# Installs the packages that packaging/build.sh made into clean roots, and tries them there.
#
#   packaging/try.sh            as root, on Debian; needs debootstrap and its mirror
#
# The Debian package: the program, `man h2lens`, completion in bash, the unit. The static program: alone in an empty root, and
# in the container image where CONTAINER is there (podman, unless it says something else, "podman --runtime runc" perhaps).
set -euo pipefail
cd "$(dirname "$0")/.."
packages=target/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
section() { printf '=== %s\n' "$1"; }

if compgen -G "$packages/h2lens_*.deb" >/dev/null; then
  section 'a clean Debian'
  root=$work/debian
  debootstrap --variant=minbase --include=man-db,bash-completion bookworm "$root" >"$work/log" || { tail "$work/log"; exit 1; }
  # What a resolver needs here, and nothing of what else this machine has.
  cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
  grep -l Acquire /etc/apt/apt.conf.d/* | xargs -r cp -t "$root/etc/apt/apt.conf.d/"
  cp "$packages"/h2lens_*.deb testdata/curl-h2c.pcap "$root/tmp/"
  section 'the package is installed'
  chroot "$root" sh -c 'apt-get install -y -qq /tmp/h2lens_*.deb' >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
  chroot "$root" sh -c 'h2lens /tmp/curl-h2c.pcap -o table --show transactions | grep -q users.json'
  section 'man'
  for page in h2lens h2lens-join h2lens-diff h2lens-merge; do chroot "$root" man "$page" | grep -q NAME; done
  section 'completion'
  chroot "$root" bash -c '
    source /usr/share/bash-completion/bash_completion
    _completion_loader h2lens
    COMP_WORDS=(h2lens --sor) COMP_CWORD=1 COMP_LINE="h2lens --sor" COMP_POINT=12
    _h2lens h2lens --sor h2lens
    [[ ${COMPREPLY[*]} == --sort* ]]'
  section 'the unit, and what belongs to a package'
  test -s "$root/usr/lib/systemd/system/h2lens@.service"
  test -s "$root/usr/share/doc/h2lens/copyright"
  chroot "$root" sh -c 'apt-get remove -y -qq h2lens && ! command -v h2lens' >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
fi

static=$(compgen -G "$packages/h2lens-*-linux-musl/h2lens" || true)
if [ -n "$static" ]; then
  section 'the static program, alone'
  mkdir "$work/empty"
  cp "$static" "$work/empty/"
  chroot --userspec=65534:65534 "$work/empty" /h2lens - -o ndjson <testdata/curl-h2c.pcap | grep -q users.json
  read -ra container <<<"${CONTAINER:-podman}"
  if command -v "${container[0]}" >/dev/null; then
    section 'the container image'
    "${container[@]}" build -q -f packaging/Containerfile -t h2lens "$(dirname "$static")" >/dev/null
    "${container[@]}" run --rm -i --network none h2lens - -o ndjson <testdata/curl-h2c.pcap >"$work/records"
    grep -q users.json "$work/records"
  fi
fi
echo 'all of it works'
