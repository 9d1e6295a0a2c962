#!/bin/sh
# Makes docs/images/page.png, the README's picture of the page: 4 s of Fixtures/workload.c, whose
# worker now and then waits for a lock. Needs Chromium, and is best made on an idle machine.
# Usage: scripts/picture.sh [SPROF]
set -eu
cd "$(dirname "$0")/.."
sprof=${1:-.build/release/sprof}
folder=.build/picture
image=docs/images/page.png
mkdir -p "$folder"
cc -g -O1 -pthread -IFixtures -ffile-prefix-map="$PWD"=. Fixtures/workload.c -o "$folder/workload"

# The program reads from a pipe that stays open and waits there.
rm -f "$folder/ready"
mkfifo "$folder/ready"
sleep 8 | "$folder/workload" 0 60 >"$folder/ready" &
pid=$!
trap 'kill -9 $pid 2>/dev/null || true' EXIT INT TERM
exec 3<"$folder/ready"
read -r _ <&3

"$sprof" attach "$pid" --duration 4s --rate 250 --redact --html "$folder/page.html" >/dev/null
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,790 \
  --screenshot="$image" "file://$PWD/$folder/page.html" >/dev/null 2>&1
ls -l "$image"
