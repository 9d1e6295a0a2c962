#!/bin/bash
# Runs every test, shows the output, and looks at what was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT
swift test "$@" 2>&1 | tee "$output"
scripts/check-skips.sh "$output"
