#!/bin/sh
# Prints the README's table on `sprof compare`: trials with programs whose true change is known.
set -eu
cd "$(dirname "$0")/.."
SPROF_TRIALS=full swift test -c release --filter ComparisonTrials | grep -E '^\||recorded an issue|Test run'
