"""Tasks of asyncio that wait in every way, in two event loops; see truth.py.

tasks.py rest        two loops at rest
tasks.py held        a task that holds up its loop
tasks.py many COUNT  one loop with that many tasks
tasks.py busy        a loop that runs all the time
tasks.py computes    a task that does not come back to its loop
tasks.py plain       tasks that are written in Python
"""

import asyncio
import gc
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import forever, state, thread_id

# By loop: the thread that runs it.
loops = {}
# By name of a task: the names of those that wait for it, where the interpreter does not know.
waiters = {}
if sys.version_info >= (3, 14):
    waiters = None
# The event loop itself keeps no task alive.
kept = []


def waits(name, *others):
    """Notes that a task waits for others."""
    if waiters is not None:
        for other in others:
            waiters.setdefault(other, []).append(name)


async def deepest():
    await asyncio.sleep(3600)


async def middle():
    await deepest()


async def worker():
    await middle()


async def boss(work):
    await work


async def numbers():
    yield 1
    await deepest()
    yield 2


async def reads_numbers():
    async for _ in numbers():
        pass


class Request:
    """What aiohttp and others have: an object that waits by way of a coroutine."""

    def __await__(self):
        return middle().__await__()


class Slow:
    def __await__(self):
        future = asyncio.get_running_loop().create_future()
        return (yield from future)


async def asks():
    return await Request()


async def waits_slowly():
    await Slow()


async def gathers(tasks):
    await asyncio.wait_for(asyncio.gather(*tasks), 3600)


async def waits_for_any(tasks):
    await asyncio.wait(tasks)


async def shields(task):
    await asyncio.shield(task)


async def groups(names):
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(deepest(), name=name)


def task(body, name):
    kept.append(asyncio.create_task(body, name=name))
    return kept[-1]


async def rest():
    work = task(worker(), "worker")
    task(boss(work), "boss")
    waits("boss", "worker")
    pair = [task(deepest(), "left"), task(middle(), "right")]
    task(gathers(pair), "gathers")
    waits("gathers", "left", "right")
    pair = [task(deepest(), "either"), task(middle(), "or")]
    task(waits_for_any(pair), "any")
    waits("any", "either", "or")
    task(groups(["first", "second"]), "group")
    waits("group", "first", "second")
    task(shields(task(deepest(), "kept")), "shields")
    waits("shields", "kept")
    task(reads_numbers(), "numbers")
    task(asks(), "asks")
    task(waits_slowly(), "slow")
    task(deepest(), 'grün 任务 "quoted"')
    done = task(asyncio.sleep(0), "done")
    await done
    loops[asyncio.get_running_loop()] = thread_id()
    await deepest()


async def eager():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    task(worker(), "eager worker")
    task(asyncio.sleep(0), "never suspended")
    loops[asyncio.get_running_loop()] = thread_id()
    await deepest()


async def many(count):
    tasks = [asyncio.create_task(worker()) for _ in range(count)]
    loops[asyncio.get_running_loop()] = thread_id()
    await asyncio.gather(*tasks)


async def inner():
    # Up to 3.13 a task that begins at once gets its name only when it waits.
    asyncio.current_task().set_name("inner")
    loops[asyncio.get_running_loop()] = thread_id()
    task(deepest(), "not begun")
    forever.acquire()


async def holder():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    task(inner(), "inner")


async def held(body):
    hold = task(body, "holder")
    task(boss(hold), "chief")
    waits("Task-1", "holder")
    await hold


async def busy():
    for number in range(50):
        task(deepest(), "sleeper-%d" % number)
    await asyncio.sleep(0)
    loops[asyncio.get_running_loop()] = thread_id()
    while True:
        await asyncio.sleep(0)


async def computes():
    loops[asyncio.get_running_loop()] = thread_id()
    while True:
        pass


async def plain():
    asyncio.get_running_loop().set_task_factory(
        lambda loop, body, **options: asyncio.tasks._PyTask(body, loop=loop, **options)
    )
    task(deepest(), "plain")
    loops[asyncio.get_running_loop()] = thread_id()
    await deepest()


def frames_of(coroutine):
    """The frames of a coroutine and of what it awaits, innermost first."""
    result = []
    wrappers = ("coroutine_wrapper", "async_generator_asend")
    while coroutine is not None:
        for prefix, awaited in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            if hasattr(coroutine, awaited):
                frame = getattr(coroutine, prefix + "_frame")
                code = frame.f_code
                result.append([code.co_qualname, code.co_filename, frame.f_lineno])
                coroutine = getattr(coroutine, awaited)
                break
        else:
            inner = [each for each in gc.get_referents(coroutine) if hasattr(each, "__await__")]
            inner += [each for each in gc.get_referents(coroutine) if hasattr(each, "ag_await")]
            coroutine = inner[0] if inner and type(coroutine).__name__ in wrappers else None
    return result[::-1]


def awaited_by(task):
    if waiters is None:
        return sorted(each.get_name() for each in task._asyncio_awaited_by or ())
    return sorted(waiters.get(task.get_name(), []))


def tell(task, tid):
    coroutine = task.get_coro()
    is_running = coroutine.cr_running
    return {
        "name": task.get_name(),
        "tid": tid,
        "running": is_running,
        "frames": [] if is_running else frames_of(coroutine),
        "awaited_by": awaited_by(task),
    }


def start(body):
    threading.Thread(target=lambda: asyncio.run(body), daemon=True).start()


def settle(count):
    """Waits until the loops' threads sleep, for longer than a step takes."""
    calm = 0
    while calm < 5:
        time.sleep(0.02)
        tids = list(loops.values())
        asleep = len(tids) == count and all(state(tid) == "S" for tid in tids)
        calm = calm + 1 if asleep else 0


kind = sys.argv[1]
if kind == "rest":
    start(rest())
    start(eager())
    settle(2)
elif kind == "held":
    start(held(holder()))
    settle(1)
elif kind == "many":
    start(many(int(sys.argv[2])))
    settle(1)
elif kind == "plain":
    start(plain())
    settle(1)
else:
    start(busy() if kind == "busy" else held(computes()))
    while not loops:
        time.sleep(0.01)

truth = {"threads": {}, "tids": list(loops.values()), "tasks": []}
if kind in ("rest", "held"):
    for loop, tid in loops.items():
        truth["tasks"] += [tell(task, tid) for task in asyncio.all_tasks(loop)]
    if kind == "rest":
        work = next(each for each in kept if each.get_name() == "worker").get_coro()
        truth["worker"] = [id(work), id(work.cr_await)]
print(json.dumps(truth))
print("ready", flush=True)
sys.stdin.read()
