"""A thread at the bottom of a recursion of so many calls; prints its id.

It waits there; with "sort" as the second argument it does so for `sorted`, with "spin" it computes.
"""

import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import forever, state, thread_id

DEPTH = int(sys.argv[1])
MODE = sys.argv[2] if len(sys.argv) > 2 else ""
ids = []


def leaf():
    ids.append(thread_id())
    forever.acquire()


def key(value):
    leaf()


def turn():
    for _ in range(1000):
        pass


def spin():
    ids.append(thread_id())
    while True:
        turn()


def recursion(depth):
    if depth == 0:
        if MODE == "sort":
            sorted([1], key=key)
        elif MODE == "spin":
            spin()
        else:
            leaf()
    else:
        recursion(depth - 1)


sys.setrecursionlimit(DEPTH * 2 + 1000)
threading.stack_size(1 << 29)
thread = threading.Thread(target=recursion, args=(DEPTH,), daemon=True)
thread.start()
while not ids or MODE != "spin" and state(ids[0]) != "S":
    thread.join(0.01)
print(json.dumps({"threads": {}, "tid": ids[0]}))
print("ready", flush=True)
sys.stdin.read()
