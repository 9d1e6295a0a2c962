"""Nine threads: one computes in `consume`, the others wait for work, for a lock, or sleep; with `numpy` two
compute in numpy."""
import json
import queue
import sys
import threading
import time

jobs = queue.Queue()
lock = threading.Lock()


def consume():
    total = 0
    while True:
        for i in range(1000):
            total += len(json.dumps({"number": i, "list": [i] * 3}))


def multiply():
    import numpy

    table = numpy.random.default_rng(1).random((300, 300))
    while True:
        table = table @ table
        table /= table.max()


def await_work():
    while True:
        jobs.get()


def nap():
    while True:
        time.sleep(0.2)


def log():
    while True:
        with lock:
            time.sleep(0.05)


with_numpy = sys.argv[1:] == ["numpy"]
bodies = [multiply if with_numpy else consume] + 3 * [await_work] + 2 * [nap] + 2 * [log]
threads = [threading.Thread(target=body, name=body.__name__, daemon=True) for body in bodies]
for thread in threads:
    thread.start()
print("{}")
print("ready", flush=True)
for thread in threads:
    thread.join()
