#!/bin/bash
# Runs every test that `make build` has built, shows the output, and looks at what was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# These test targets watch no process, so their tests run side by side.
alone='^(ProfileTests|CaptureFileTests|LayeringTests|SymbolicationTests)\.'

# Which of the pairs of versions and kinds it is the turn of today; `make trials` takes all.
export SPROF_TURN=${SPROF_TURN:-$(($(date +%s) / 86400))}

# Lists the failures again at the end, after the output of hundreds of tests.
list_failures() {
  echo
  echo "Failed (SPROF_TURN=$SPROF_TURN has the same cases on another day):"
  grep -E '✘ .* recorded an issue' "$output" | cut -c1-400 | sort | uniq -c | head -40
}

run_tests() {
  swift test --skip-build "$@" 2>&1 | tee -a "$output"
}

status=0
run_tests --parallel --filter "$alone" || status=1
# One after the other: the rest watch programs, count children, or compare with gdb.
run_tests --no-parallel --skip "$alone" || status=1
if [ $status != 0 ]; then
  list_failures
  exit 1
fi
scripts/check-skips.sh "$output"
