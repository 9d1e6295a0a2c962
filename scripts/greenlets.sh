#!/bin/sh
# Installs gevent for the Pythons of pyenv from 3.10 on, each in a folder of its own, for the tests of
# greenlets: sh scripts/greenlets.sh FOLDER. Where the package index cannot be reached it exits with 1.
set -eu

folder=${1:?the folder to install into}
mkdir -p "$folder"
for python in "$HOME"/.pyenv/versions/3.1[0-9].*/bin/python3; do
  [ -x "$python" ] || continue
  name=$(basename "$(dirname "$(dirname "$python")")")
  [ ! -e "$folder/$name/complete" ] || continue
  rm -rf "${folder:?}/$name"
  if "$python" -m venv "$folder/$name" >/dev/null 2>&1 &&
    "$folder/$name/bin/python3" -m pip -q --disable-pip-version-check install \
      --only-binary :all: gevent >/dev/null 2>&1; then
    : >"$folder/$name/complete"
  else
    rm -rf "${folder:?}/$name"
    echo "greenlets: no gevent for Python $name" >&2
    failed=1
  fi
done
[ -z "${failed:-}" ]
