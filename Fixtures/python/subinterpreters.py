"""A sub-interpreter that waits within the stack of a thread of the main one."""

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

INNER = """
import os

def inner_leaf():
    os.read({0}, 1)

def inner_outer():
    inner_leaf()

inner_outer()
"""
ids = []
reading, writing = os.pipe()


def outer_call():
    ids.append(thread_id())
    number = interpreters.create()
    run = getattr(interpreters, "run_string")
    run(number, INNER.format(reading))


threading.Thread(target=outer_call, daemon=True).start()
while not ids or state(ids[0]) != "S" or len(interpreters.list_all()) < 2:
    time.sleep(0.01)
time.sleep(0.3)
while state(ids[0]) != "S":
    time.sleep(0.01)
print(json.dumps({"threads": {}, "tid": ids[0]}))
print("ready", flush=True)
sys.stdin.read()
