#!/bin/bash
# Runs every test that `make build` has built, shows the output, and looks at what was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# One test after the other: many of them watch programs, count children, or compare with gdb.
swift test --skip-build --no-parallel "$@" 2>&1 | tee "$output"
scripts/check-skips.sh "$output"
