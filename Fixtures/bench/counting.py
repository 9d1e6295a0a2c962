"""`counting.py THREADS DEPTH`: each thread counts its loops, so many calls deep.

Answers `report` with the loops of all together and, of a single thread, with the stops since the
last report: how many, and the median of the time that it lost in one. Stops are the gaps in its loop
in which it gave up the CPU, which it does for nothing else; the median does not depend on how busy
the machine is. Of several threads, which give up the CPU for each other, it would mean nothing.
"""

import json
import resource
import statistics
import sys
import threading
import time

threads = int(sys.argv[1])
counts = [0] * threads
stops = []


def work(value):
    for i in range(20):
        value += i * i
    return value


def switches():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def count(index):
    while True:
        work(index)
        counts[index] += 1


def count_and_meter(index):
    # A stop takes some ten microseconds, a turn of this loop two.
    limit = 8000
    clock = time.perf_counter_ns
    last, before = clock(), switches()
    while True:
        work(index)
        counts[index] += 1
        now = clock()
        if now - last > limit:
            after = switches()
            if after != before:
                stops.append(now - last)
                before = after
            now = clock()
        last = now


def down(depth, index):
    if depth:
        down(depth - 1, index)
    elif threads == 1:
        count_and_meter(index)
    else:
        count(index)


for index in range(threads):
    threading.Thread(target=down, args=(int(sys.argv[2]), index), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    gaps, stops[:] = stops[:], []
    middle = statistics.median(gaps) if gaps else 0
    print(json.dumps({"loops": sum(counts), "stops": len(gaps), "stop_ns": middle}), flush=True)
