#!/bin/bash
# Runs every test that `make build` has built, shows the output, and looks at what was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# What failed is said again at the end, where it is found among the output of hundreds of tests.
say_failures() {
  echo
  echo "Failed:"
  grep -E '✘ .* recorded an issue' "$output" | cut -c1-400 | sort | uniq -c | head -40
}

# One test after the other: many of them watch programs, count children, or compare with gdb.
if ! swift test --skip-build --no-parallel "$@" 2>&1 | tee "$output"; then
  say_failures
  exit 1
fi
scripts/check-skips.sh "$output"
