"""Tasks that compute on behalf of others, which wait for them; see truth.py.

awaiting.py turns      two parents in turn, each with a child of its own that computes
awaiting.py KIND       a task that computes, which others await as KIND says: plain, group, gather,
                       wait, shield, several, eager, deep, wrapped, unnamed
awaiting.py KIND held  the same, with a task that sleeps where it would compute
awaiting.py KIND brief the same, for two seconds
"""

import asyncio
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import forever, thread_id

PIECE = 2000


def burn_a():
    return sum(i * i for i in range(PIECE))


def burn_b():
    return sum(i * i for i in range(PIECE))


def burn():
    if is_held:
        ready()
        forever.acquire()
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        for _ in range(20):
            burn_a()


async def child_a():
    for _ in range(3):
        burn_a()
        await asyncio.sleep(0)


async def child_b():
    for _ in range(3):
        burn_b()
        await asyncio.sleep(0)


async def middle_a():
    await asyncio.create_task(child_a(), name="child a")


async def middle_b():
    await asyncio.create_task(child_b(), name="child b")


async def parent_a():
    while True:
        async with asyncio.TaskGroup() as group:
            group.create_task(middle_a(), name="middle a")


async def parent_b():
    while True:
        await asyncio.gather(asyncio.create_task(middle_b(), name="middle b"))


async def turns():
    async with asyncio.TaskGroup() as group:
        group.create_task(parent_a(), name="parent a")
        group.create_task(parent_b(), name="parent b")


async def computes():
    # The others begin to wait.
    await asyncio.sleep(0.1)
    while True:
        burn()
        await asyncio.sleep(0)


def start(name="computes"):
    return asyncio.create_task(computes(), name=name)


async def plain():
    await start()


async def unnamed():
    await asyncio.create_task(computes())


async def group():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(computes(), name="computes")


async def gather():
    await asyncio.gather(start(), asyncio.sleep(3600))


async def wait():
    await asyncio.wait([start()])


async def shield():
    await asyncio.shield(start())


async def awaits(task):
    await task


async def several():
    work = start()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(awaits(work), name="waiter")


async def eager():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

    async def inner():
        if not is_held:
            ready()
        while True:
            burn()

    await asyncio.create_task(inner(), name="inner")


async def deep(depth=100):
    if depth == 0:
        await computes()
    await asyncio.create_task(deep(depth - 1), name=f"level {depth - 1}")


class Slow:
    def __init__(self, task):
        self.task = task

    def __await__(self):
        return awaits(self.task).__await__()


async def yields(task):
    await Slow(task)
    yield 1


async def wrapped():
    async for _ in yields(start()):
        pass


async def main(kind):
    asyncio.current_task().set_name("main")
    await globals()[kind]()


def ready():
    tasks = {task.get_name(): id(task) for task in asyncio.all_tasks(loop)}
    print(json.dumps({"threads": {}, "tid": thread_id(), "tasks": tasks}))
    print("ready", flush=True)


kind = sys.argv[1]
is_held = "held" in sys.argv
loop = asyncio.new_event_loop()
if not is_held:
    loop.call_later(0.3, ready)
if "brief" in sys.argv:
    loop.call_later(2, os._exit, 0)
loop.run_until_complete(main(kind))
