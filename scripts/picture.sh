#!/bin/sh
# Makes docs/images/page.png, the README's picture of the page: the first screen on the program that hangs
# of the README's report. Needs Chromium.
# Usage: scripts/picture.sh [SPROF]
set -eu
cd "$(dirname "$0")/.."
sprof=${1:-.build/release/sprof}
folder=.build/picture
image=docs/images/page.png
mkdir -p "$folder"
cc -g -O1 -pthread -ffile-prefix-map="$PWD"=. Fixtures/demo/hung.c -o "$folder/hung"

rm -f "$folder/ready"
mkfifo "$folder/ready"
"$folder/hung" >"$folder/ready" &
pid=$!
trap 'kill -9 $pid 2>/dev/null || true' EXIT INT TERM
# The line tells that the lock is taken; the pipe stays open for the program's life.
exec 3<"$folder/ready"
read -r _ <&3

"$sprof" attach "$pid" --duration 3s --redact --html "$folder/page.html" >/dev/null
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1366,768 \
  --screenshot="$image" "file://$PWD/$folder/page.html" >/dev/null 2>&1
ls -l "$image"
