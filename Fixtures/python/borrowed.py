"""Interpreters that the main thread makes and other threads run: `sleep`, `compute`, or in `turns`."""

import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import state, thread_id

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

kind = sys.argv[1]
reading, writing = os.pipe()
BODY = {
    "sleep": "os.read({0}, 1)",
    "compute": "while True: sum(range(20000)); time.sleep(0.0001)",
    "turns": "end = time.time() + 0.02\n    while time.time() < end: sum(range(500))",
}[kind].format(reading)
INNER = """
import os, time

def leaf_{0}():
    """ + BODY + """

def inner_{0}():
    leaf_{0}()

inner_{0}()
"""
ids = {}
turn = threading.Lock()


def run(number, name):
    ids[name] = thread_id()
    while True:
        with turn if kind == "turns" else threading.Lock():
            interpreters.run_string(number, INNER.format(name))
        time.sleep(0.005)


def host_a(number):
    run(number, "a")


def host_b(number):
    run(number, "b")


first = interpreters.create()
second = first if kind == "turns" else interpreters.create()
for body, number in (host_a, first), (host_b, second):
    threading.Thread(target=body, args=(number,), daemon=True).start()
while len(ids) < 2 or kind == "sleep" and any(state(tid) != "S" for tid in ids.values()):
    time.sleep(0.01)
time.sleep(0.2)


def waiting():
    print(json.dumps({"threads": {}, "ids": ids}))
    print("ready", flush=True)
    sys.stdin.read()


waiting()
