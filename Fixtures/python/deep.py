"""A thread at the bottom of a recursion of so many calls; prints its id."""

import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import forever, state, thread_id

DEPTH = int(sys.argv[1])
ids = []


def leaf():
    ids.append(thread_id())
    forever.acquire()


def recursion(depth):
    if depth == 0:
        leaf()
    else:
        recursion(depth - 1)


sys.setrecursionlimit(DEPTH * 2 + 1000)
threading.stack_size(1 << 29)
thread = threading.Thread(target=recursion, args=(DEPTH,), daemon=True)
thread.start()
while not ids or state(ids[0]) != "S":
    thread.join(0.01)
print(json.dumps({"threads": {}, "tid": ids[0]}))
print("ready", flush=True)
sys.stdin.read()
