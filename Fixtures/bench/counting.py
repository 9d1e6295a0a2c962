"""`counting.py THREADS DEPTH`: each thread counts its loops, so many calls deep.

Answers `report` with the loops of all together.
"""

import json
import sys
import threading

counts = [0] * int(sys.argv[1])


def work(value):
    for i in range(20):
        value += i * i
    return value


def count(index):
    while True:
        work(index)
        counts[index] += 1


def down(depth, index):
    if depth:
        down(depth - 1, index)
    else:
        count(index)


for index in range(len(counts)):
    threading.Thread(target=down, args=(int(sys.argv[2]), index), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps({"loops": sum(counts)}), flush=True)
