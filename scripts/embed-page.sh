#!/bin/sh
# Writes the Swift file that holds the scripts, the style and the body of the HTML page as strings.
# An array of bytes, as SwiftPM itself would embed them, takes the compiler 8 to 17 s of CPU time.
set -eu
output=$1
shift

string() {
  printf '  static let %s = #"""\n' "$1"
}

{
  echo 'enum PageResources {'
  string script
  echo '"use strict";'
  echo '(() => {'
  for file; do case $file in *.js) cat "$file" ;; esac; done
  echo 'start();'
  echo '})();'
  echo '"""#'
  for kind in style:css body:html; do
    string "${kind%:*}"
    for file; do case $file in *."${kind#*:}") cat "$file" ;; esac; done
    echo '"""#'
  done
  echo '}'
} >"$output.part"
# A raw string ends at its first """#, whatever the files hold.
if [ "$(grep -c '"""#$' "$output.part")" != 3 ] || grep -qF '\#' "$output.part"; then
  echo "embed-page: a file of the page holds what ends a Swift string" >&2
  exit 1
fi
mv "$output.part" "$output"
