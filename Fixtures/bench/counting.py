"""`counting.py THREADS DEPTH [suite]`: each thread counts its loops, so many calls deep; with `suite`
a loop is one of many small tasks in turn, as those of pybench: calls, strings, dictionaries, objects …

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


def plain(value):
    for i in range(20):
        value += i * i
    return value


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by):
        return Point(self.x + by, self.y - by)


def numbers(value):
    return divmod(value * 3 + 7, 11)[0] / 3.0 + (value << 5 ^ 0x55)


def strings(value):
    text = "%d items" % value
    return text.replace("items", "things").upper().split(" ")[0] + text[2:5]


def dictionaries(value):
    found = {key: value for key in ("a", "b", "c", "d")}
    found.update(e=1)
    return sum(found.values()) + len(found) + ("a" in found)


def lists(value):
    items = [value, 3, 1, 2] * 3
    items.sort()
    items.append(items.pop(0))
    return items[::-1][0]


def objects(value):
    return Point(value, 1).moved(2).moved(3).x


def exceptions(value):
    try:
        raise ValueError(value)
    except ValueError as error:
        return error.args[0]


def generators(value):
    return sum(i for i in range(value % 7 + 3))


def calls(value):
    return max(map(abs, (value, -1, 2)), key=lambda item: -item)


tasks = [numbers, strings, dictionaries, lists, objects, exceptions, generators, calls]
if "suite" in sys.argv:

    def work(value):
        return tasks[counts[value] & 7](counts[value] & 255)

else:
    work = plain


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


if int(sys.argv[2]) > 500:
    sys.setrecursionlimit(int(sys.argv[2]) * 2 + 1000)
    threading.stack_size(1 << 29)
for index in range(threads):
    threading.Thread(target=down, args=(int(sys.argv[2]), index), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    gaps, stops[:] = stops[:], []
    middle = statistics.median(gaps) if gaps else 0
    print(json.dumps({"loops": sum(counts), "stops": len(gaps), "stop_ns": middle}), flush=True)
