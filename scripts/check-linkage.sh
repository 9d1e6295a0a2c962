#!/bin/sh
# Fails when a binary depends on a shared library of the Swift runtime, which other machines lack, or
# holds the tables of ICU, 34 MB that any `import Foundation` may bring.
set -eu
needed=$(ldd "$1")
if echo "$needed" | grep -Ei 'libswift|libFoundation|lib_Foundation|libdispatch|libBlocksRuntime'; then
  echo "$1 depends on the Swift libraries above; link them statically" >&2
  exit 1
fi
if echo "$needed" | grep 'not found'; then
  echo "$1 depends on the libraries above, which are not installed here" >&2
  exit 1
fi
if nm "$1" 2>/dev/null | grep -q ' icudt[0-9]*_dat$'; then
  echo "$1 holds the tables of ICU: import FoundationEssentials in place of Foundation" >&2
  exit 1
fi
