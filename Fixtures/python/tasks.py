"""Tasks of asyncio: a group whose members wait for each other, and one that holds the loop."""

import asyncio
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import forever, state, thread_id

ids = []


async def deepest():
    await asyncio.sleep(3600)


async def middle():
    await deepest()


async def worker():
    await middle()


async def boss(work):
    await work


async def holder():
    ids.append(thread_id())
    forever.acquire()


async def main():
    work = asyncio.create_task(worker(), name="worker")
    waits = asyncio.create_task(boss(work), name="boss")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hold = asyncio.create_task(holder(), name="holder")
    await asyncio.gather(work, waits, hold)


threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
while not ids or state(ids[0]) != "S":
    time.sleep(0.01)
print(json.dumps({"threads": {}, "tid": ids[0]}))
print("ready", flush=True)
sys.stdin.read()
