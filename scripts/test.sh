#!/bin/bash
# Runs every test that `make build` has built, shows the output, and checks which were skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# Lists the failures again at the end, after the output of hundreds of tests.
list_failures() {
  echo
  echo "Failed:"
  grep -E '✘ .* recorded an issue' "$output" | cut -c1-400 | sort | uniq -c | head -40
}

# One test after the other: many of them watch programs, count children, or compare with gdb.
if ! swift test --skip-build --no-parallel "$@" 2>&1 | tee "$output"; then
  list_failures
  exit 1
fi
scripts/check-skips.sh "$output"
