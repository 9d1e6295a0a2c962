"""A main thread that waits for Python's lock, which another holds in C calls, or for a threading.Lock.

Each records what it did when; `report` prints it. Argument: gil or lock."""

import ctypes
import json
import sys
import threading
import time

record = []
# Calls C functions without letting the interpreter's lock go.
holding = ctypes.PyDLL(None)


def note(who, did, start):
    record.append({"who": who, "did": did, "start": start, "end": time.time_ns()})


def crunch():
    while True:
        start = time.time_ns()
        holding.usleep(60_000)
        note("cruncher", "hold", start)
        time.sleep(0.015)


def answer():
    for line in sys.stdin:
        if line.strip() == "report":
            print(json.dumps(list(record)), flush=True)


order = threading.Lock()


def keep():
    while True:
        with order:
            start = time.time_ns()
            time.sleep(0.06)
            note("keeper", "hold", start)
        time.sleep(0.015)


def take_order():
    start = time.time_ns()
    with order:
        note("main", "wait", start)
    time.sleep(0.007)


threading.Thread(target=answer, name="answers", daemon=True).start()
if sys.argv[1] == "lock":
    threading.Thread(target=keep, name="keeper", daemon=True).start()
    print("ready", flush=True)
    while True:
        take_order()
threading.Thread(target=crunch, name="cruncher", daemon=True).start()
print("ready", flush=True)
while True:
    # What is beyond the sleep is spent waiting for Python's lock.
    begin = time.time_ns()
    time.sleep(0.007)
    note("main", "wait", begin + 7_000_000)
