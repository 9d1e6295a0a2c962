#!/bin/sh
# Prints the first table of docs/compare.md: trials with simulated programs whose true change is known.
set -eu
cd "$(dirname "$0")/.."
SPROF_TRIALS=full swift test -c release --filter ComparisonTrials | grep -E '^\||recorded an issue|Test run'
