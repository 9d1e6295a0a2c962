#!/bin/sh
# Writes the Swift file that holds the script, the style and the body of the HTML page as strings, and
# the hashes by which the page's Content-Security-Policy allows its script and its style alone.
# An array of bytes, as SwiftPM itself would embed them, takes the compiler 8 to 17 s of CPU time.
set -eu
output=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files of a kind, joined in the order of their names.
join() {
  kind=$1
  shift
  for file; do case $file in *."$kind") cat "$file" ;; esac; done
}

# A Swift string ends before its last newline, so that the page has the files without it.
hash() {
  head -c -1 "$work/$1" | sha256sum | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64
}

{
  echo '"use strict";'
  echo '(() => {'
  join js "$@"
  echo 'start();'
  echo '})();'
} >"$work/script"
join css "$@" >"$work/style"
join html "$@" >"$work/body"

# A raw string ends at its first """#, whatever the files hold.
if cat "$work"/* | grep -qF -e '"""#' -e '\#'; then
  echo "embed-page: a file of the page contains what ends a Swift string" >&2
  exit 1
fi
{
  echo 'enum PageResources {'
  for name in script style body; do
    printf '  static let %s = #"""\n' "$name"
    cat "$work/$name"
    echo '"""#'
  done
  for name in script style; do
    printf '  /// The SHA-256 of `%s` in Base64.\n  static let %sHash = "%s"\n' \
      "$name" "$name" "$(hash "$name")"
  done
  echo '}'
} >"$output.part"
mv "$output.part" "$output"
