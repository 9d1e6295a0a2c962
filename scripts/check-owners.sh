#!/bin/sh
# Fails when a file that is to be installed belongs to a package: glibc has a sprof of its own, in
# libc-devtools on Debian. Packagers, who set DESTDIR, know what they do.
set -eu
[ -z "${DESTDIR:-}" ] || exit 0
for file in "$@"; do
  for name in "$file" "$file.gz"; do
    [ -e "$name" ] || continue
    owner=
    if command -v dpkg-query >/dev/null; then
      # A package of sprof's own has diverted that file, and so is not named by this.
      owner=$(dpkg-query -S "$name" 2>/dev/null | grep -v '^diversion by' | sed 's/:.*//' | head -n 1) || true
    elif command -v rpm >/dev/null; then
      owner=$(rpm -qf "$name" 2>/dev/null) || owner=
    elif command -v pacman >/dev/null; then
      owner=$(pacman -Qqo "$name" 2>/dev/null) || owner=
    fi
    if [ -n "$owner" ]; then
      echo "$name belongs to the package $owner. Install elsewhere, such as with PREFIX=/usr/local," \
        "or make a package with: make deb" >&2
      exit 1
    fi
  done
done
