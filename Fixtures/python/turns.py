"""Three threads that compute and take turns for the interpreter's lock."""

import json
import sys
import threading


def compute():
    while True:
        sum(range(300))


for _ in range(3):
    threading.Thread(target=compute, daemon=True).start()
print(json.dumps({"threads": {}}))
print("ready", flush=True)
sys.stdin.read()
