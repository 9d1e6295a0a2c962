#!/bin/sh
# Starts a program that hangs, asks sprof why for 3 seconds, and ends the program. The first line of
# the answer is the verdict.
set -eu
sprof=$1
folder=.build/demo
mkdir -p "$folder"
# Short names of files, whatever the checkout lies in.
cc -g -O1 -pthread -ffile-prefix-map="$PWD"=. Fixtures/demo/hung.c -o "$folder/hung"

rm -f "$folder/ready"
mkfifo "$folder/ready"
"$folder/hung" >"$folder/ready" &
pid=$!
trap 'kill -9 $pid 2>/dev/null || true' EXIT INT TERM
# The line tells that the lock is taken; the pipe stays open for the program's life.
exec 3<"$folder/ready"
read -r _ <&3

echo "\$ sprof attach $pid --duration 3s"
"$sprof" attach "$pid" --duration 3s
