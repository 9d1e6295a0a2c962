#!/bin/sh
# Unpacks released CPython versions that the distribution does not carry yet, beside their own C
# library, for the tests of PythonReading: sh scripts/python-releases.sh FOLDER
# Takes them from the suite "sid" of the mirror that apt uses here; installs nothing, and leaves apt's own
# lists alone. Without such a mirror it says so and exits with 1.
set -eu

folder=${1:?the folder to unpack into}
versions="3.14 3.15"

fail() {
  echo "python releases: $*" >&2
  exit 1
}

[ ! -e "$folder/complete" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "no apt on this machine"
[ "$(dpkg --print-architecture)" = amd64 ] || fail "only for amd64"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
  grep '/debian/*$' | head -n 1) || true
[ -n "$mirror" ] || fail "apt uses no mirror of Debian"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state" "$work/packages"
: >"$work/status"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror sid main" >"$work/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::State="$work/state" \
    -o Dir::State::status="$work/status" -o APT::Sandbox::User=root "$@"
}
apt update >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"

packages="libc6 libgcc-s1 libexpat1 libffi8 zlib1g libssl3t64 liblzma5 libbz2-1.0 libzstd1 libuuid1"
for version in $versions; do
  packages="$packages python$version python$version-minimal libpython$version-minimal"
  packages="$packages libpython$version-stdlib libpython$version"
done
cd "$work/packages"
# shellcheck disable=SC2086 # a list of words
apt download $packages >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
for package in ./*.deb; do dpkg -x "$package" "$folder/root"; done
# The loader's usual name is a link in the root folder of the unpacked system, or missing.
[ -e "$folder/root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" ] || fail "no loader unpacked"
for version in $versions; do
  [ -x "$folder/root/usr/bin/python$version" ] || fail "no python$version unpacked"
done
: >"$folder/complete"
