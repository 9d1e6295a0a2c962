#!/bin/sh
# Reads the output of `swift test` and names the tests that were skipped. With SPROF_STRICT_SKIPS=1
# it fails when one of them is not in Tests/expected-skips.txt, so that no test drops out unnoticed.
# Usage: check-skips.sh OUTPUT [LIST]
set -eu
output=$1
list=${2:-$(dirname "$0")/../Tests/expected-skips.txt}

# Swift Testing prints a symbol, then: Test "name" skipped: "reason". The quotes depend on the test's
# name; a skipped suite prints the same with Suite.
skipped=$(sed -n -E 's/^.*(Test|Suite) (.*) skipped(: .*|\.?)$/\2/p' "$output" | tr -d '"`' | sort -u)
if [ -z "$skipped" ]; then
  exit 0
fi
expected=$(grep -v -E '^(#|$)' "$list" || true)

unexpected=$(printf '%s\n' "$skipped" | while IFS= read -r name; do
  printf '%s\n' "$expected" | grep -qxF -- "$name" || printf '%s\n' "$name"
done)
echo "Skipped tests: $(printf '%s\n' "$skipped" | wc -l)"
[ -n "$unexpected" ] || exit 0

echo "Skipped, but not listed in Tests/expected-skips.txt:"
printf '%s\n' "$unexpected" | sed 's/^/  /'
if [ "${SPROF_STRICT_SKIPS:-0}" = 1 ]; then
  exit 1
fi
echo "(\`make test-programs\` installs what most of them need.)"
