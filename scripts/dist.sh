#!/bin/sh
# Makes a tarball of the program $1 in the folder $2: unpack it, and put it where PREFIX is.
set -eu
scripts=$(dirname "$0")
version=$("$1" --version | sed -n '1s/^sprof //p')
name=sprof-$version-linux-x86_64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$2"
"$scripts/stage.sh" "$1" "$work/$name"
cp "$scripts/../README.md" "$scripts/../LICENSE" "$scripts/../CHANGELOG.md" "$work/$name/"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -czf "$2/$name.tar.gz" "$name"
echo "$2/$name.tar.gz"
