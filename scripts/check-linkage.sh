#!/bin/sh
# Fails when a binary needs a shared library of the Swift runtime, which other machines lack.
set -eu
needed=$(ldd "$1")
if echo "$needed" | grep -Ei 'libswift|libFoundation|lib_Foundation|libdispatch|libBlocksRuntime'; then
  echo "$1 needs the Swift libraries above; it has to carry them" >&2
  exit 1
fi
if echo "$needed" | grep 'not found'; then
  echo "$1 needs the libraries above, which are missing here" >&2
  exit 1
fi
