#!/bin/sh
# Installs what is missing of the system packages that sprof is built with ("build") or that its
# tests use ("programs"). Does nothing, and needs no network, when all is there.
set -eu

fail() {
  echo "sprof set-up: $*" >&2
  exit 1
}

# Each need is checked by what it gives, not by its package: other distributions name it otherwise.
has() {
  case $1 in
    pkg-config) command -v pkg-config >/dev/null ;;
    gcc) command -v cc >/dev/null && command -v gcc >/dev/null ;;
    libc6-dev) echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1 ;;
    libunwind-dev) pkg-config --exists libunwind-generic 2>/dev/null ;;
    libdw-dev) pkg-config --exists libdw 2>/dev/null ;;
    libelf-dev) pkg-config --exists libelf 2>/dev/null ;;
    libncurses-dev)
      printf '#define NCURSES_WIDECHAR 1\n#include <curses.h>\nwint_t x;\n' | cc -E - >/dev/null 2>&1 ;;
    liblzma-dev) pkg-config --exists liblzma 2>/dev/null ;;
    libdeflate-dev) echo '#include <libdeflate.h>' | cc -E - >/dev/null 2>&1 ;;
    libzstd-dev) echo '#include <zstd.h>' | cc -E - >/dev/null 2>&1 ;;
    zlib1g-dev) echo '#include <zlib.h>' | cc -E - >/dev/null 2>&1 ;;
    redis-server | gdb | strace | xauth | xdotool | python3 | tmux | groff) command -v "$1" >/dev/null ;;
    postgresql) command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 ;;
    golang-go) command -v go >/dev/null ;;
    openjdk-17-jdk) ls /usr/lib/jvm/*/bin/javac /usr/lib/jvm/*/lib/libawt_xawt.so >/dev/null 2>&1 ;;
    elfutils) command -v eu-stack >/dev/null ;;
    xvfb) command -v xvfb-run >/dev/null && command -v Xvfb >/dev/null ;;
    libgtk-3-dev) pkg-config --exists gtk+-3.0 2>/dev/null ;;
    libx11-dev) pkg-config --exists x11 2>/dev/null ;;
    clang) command -v clang >/dev/null || command -v clang-14 >/dev/null ;;
    lld) command -v ld.lld >/dev/null || command -v ld.lld-14 >/dev/null ;;
    musl-tools) command -v musl-gcc >/dev/null ;;
    valgrind) command -v callgrind_annotate >/dev/null ;;
    python3-tk) /usr/bin/python3 -c 'import _tkinter' 2>/dev/null ;;
    python3-pyqt5) /usr/bin/python3 -c 'import PyQt5.QtWidgets' 2>/dev/null ;;
    python3-gevent) /usr/bin/python3 -c 'import gevent' 2>/dev/null ;;
    python3-numpy) /usr/bin/python3 -c 'import numpy' 2>/dev/null ;;
    python3-gi | gir1.2-gtk-3.0)
      /usr/bin/python3 -c 'import gi; gi.require_version("Gtk", "3.0")' 2>/dev/null ;;
    python3-dev) command -v python3-config >/dev/null && ls /usr/include/python3*/Python.h >/dev/null 2>&1 ;;
    chromium) command -v chromium >/dev/null || command -v google-chrome >/dev/null ;;
    libc6-dbg) ls /usr/lib/debug/.build-id/*/*.debug >/dev/null 2>&1 ;;
    dwz | debuginfod) command -v "$1" >/dev/null ;;
    xz-utils) command -v xz >/dev/null ;;
    libaio-dev) echo '#include <libaio.h>' | cc -E - >/dev/null 2>&1 ;;
    *) fail "unknown need $1" ;;
  esac
}

case ${1:-build} in
  build)
    needs="pkg-config gcc libc6-dev libunwind-dev libdw-dev libelf-dev liblzma-dev zlib1g-dev"
    needs="$needs libncurses-dev libdeflate-dev libzstd-dev"
    ;;
  programs)
    needs="redis-server postgresql golang-go gdb elfutils xvfb xauth xdotool libgtk-3-dev libx11-dev strace"
    needs="$needs clang lld musl-tools python3 python3-gi gir1.2-gtk-3.0 libaio-dev python3-dev"
    needs="$needs python3-tk python3-numpy python3-gevent python3-pyqt5"
    needs="$needs valgrind chromium tmux groff libc6-dbg dwz debuginfod xz-utils openjdk-17-jdk"
    ;;
  *) fail "say build or programs" ;;
esac

if [ "$(uname -s)" != Linux ]; then
  fail "sprof watches Linux programs and is built on Linux; this is $(uname -s)"
fi
command -v swift >/dev/null ||
  fail "no swift on PATH. Install a Swift toolchain (6.2 or later): https://www.swift.org/install/linux/"

# Python releases that the distribution does not carry yet, and gevent for others. Tests that want them
# are skipped without: not every machine's mirror has them.
python_releases() {
  if [ "${1:-}" = programs ]; then
    root=$(dirname "$0")/..
    sh "$root/scripts/python-releases.sh" "$root/.build/python-releases" || true
    sh "$root/scripts/greenlets.sh" "$root/.build/greenlets" || true
  fi
}

missing=
for need in $needs; do
  has "$need" || missing="$missing $need"
done
if [ -z "$missing" ]; then
  python_releases "${1:-build}"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  fail "missing:$missing (names of Debian packages). Install them with this system's package manager."
fi
if [ "$(id -u)" = 0 ]; then
  as_root=env
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n env"
else
  fail "missing:$missing. Only root may install them; run this as root, then try again:
  apt-get update && apt-get install -y$missing"
fi

echo "sprof set-up: installing$missing" >&2
quietly() {
  # apt speaks only when it fails.
  log=$(mktemp)
  if ! $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 "$@" \
    >"$log" 2>&1 </dev/null; then
    tail -20 "$log" >&2
    rm -f "$log"
    fail "apt-get $* failed"
  fi
  rm -f "$log"
}
quietly update

# Releases differ in the names of the compilers' packages: the plain ones may be absent or newer.
packages=
for need in $missing; do
  case $need in
    clang | lld)
      if apt-cache show "$need-14" >/dev/null 2>&1; then need=$need-14; fi ;;
  esac
  packages="$packages $need"
done
# shellcheck disable=SC2086 # a list of words
quietly install --no-install-recommends $packages

still=
for need in $missing; do
  has "$need" || still="$still $need"
done
[ -z "$still" ] || fail "installed, but still not found:$still"
python_releases "${1:-build}"
