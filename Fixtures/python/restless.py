"""A main thread that does what a reader may stumble over: `restless.py KIND [ARGUMENT…]`.

It says which function calls which, and from which line: a stack that does otherwise is impossible.
Answers `report` with its turns, and with how many of them gave a wrong result.
"""

import ast
import asyncio
import importlib
import json
import os
import sys
import threading
import time

turns = 0
wrong = 0
go = threading.Event()


def leaf_a(count):
    total = 0
    for i in range(count):
        total += i
    return total


def leaf_b(count):
    total = 0
    for i in range(count):
        total += i
    return total


def down_a(depth):
    if depth:
        return down_a(depth - 1)
    return leaf_a(2000)


def down_b(depth):
    if depth:
        return down_b(depth - 1)
    return leaf_b(2000)


def recursion_a(depth):
    return down_a(depth)


def recursion_b(depth):
    return down_b(depth)


def recursion():
    depth = int(sys.argv[2])
    return recursion_a(depth) - recursion_b(depth)


def work_a(results):
    results.append(leaf_a(3000))


def work_b(results):
    results.append(leaf_b(3000))


def threads():
    results = []
    pair = [threading.Thread(target=work, args=(results,)) for work in (work_a, work_b)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    return results[0] - results[1]


SOURCE = "def f_{0}(leaf):\n" + "    pass\n" * 3 + "    return leaf(300)\n\nresult = f_{0}(leaf)\n"


def generated_a(number):
    names = {"leaf": leaf_a}
    exec(compile(SOURCE.format(number), "made_%d" % number, "exec"), names)
    return names["result"]


def generated():
    return generated_a(turns % 1000) - leaf_b(300)


JOB = "def f_{0}(leaf, clock):\n    end = clock() + 0.15\n    while clock() < end:\n        leaf(300)\n" \
    "    return 0\n\nresult = f_{0}(leaf, clock)\n"


def job_a(number):
    names = {"leaf": leaf_a, "clock": time.monotonic}
    exec(compile(JOB.format(number), "made_%d" % number, "exec"), names)
    return names["result"]


def level_a(depth, number):
    if depth:
        return level_a(depth - 1, number)
    return job_a(number)


def jobs():
    """Generated code that stays for a while; the depth tells which it is."""
    return level_a(turns % 7, turns)


def load_a(name):
    for known in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[known]
    return importlib.import_module(name)


def imports():
    return load_a("colorsys").rgb_to_hsv(0, 0, 0)[2] + load_a("json").loads("0")


def child_a():
    return leaf_a(3000)


def forks():
    child = os.fork()
    if child == 0:
        os._exit(child_a() % 251)
    status = os.waitpid(child, 0)[1]
    return leaf_b(3000) % 251 - (status >> 8) + (status & 255)


async def inner_a(count):
    return leaf_a(count)


async def middle_a(count):
    await asyncio.sleep(0)
    return await inner_a(count)


async def outer_a(count):
    return await middle_a(count)


async def inner_b(count):
    return leaf_b(count)


async def outer_b(count):
    await asyncio.sleep(0)
    return await inner_b(count)


async def both():
    first, second = await asyncio.gather(outer_a(3000), outer_b(3000))
    return first - second


def coroutines():
    return events.run_until_complete(both())


def plain():
    return leaf_a(3000) - leaf_b(3000)


def turn(body):
    global turns, wrong
    if body() != 0:
        wrong += 1
    turns += 1


def loop(body, limit):
    while turns < limit and not go.is_set():
        turn(body)


def truth():
    """Which function calls which and where, from the source itself."""
    with open(__file__) as file:
        functions = [
            each for each in ast.parse(file.read()).body
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
    names = {each.name for each in functions}
    calls, lines = {}, {}
    for function in functions:
        last = function.lineno
        for node in ast.walk(function):
            last = max(last, getattr(node, "lineno", 0))
            called = node.func.id if isinstance(node, ast.Call) and hasattr(node.func, "id") else ""
            if called in names:
                calls.setdefault(function.name + ">" + called, node.lineno)
        lines[function.name] = [function.lineno, last]
    # Callbacks, by whom they are called.
    for kind in KINDS:
        calls["turn>" + kind] = lines["turn"][0] + 2
    calls["coroutines>outer_a"] = calls["coroutines>outer_b"] = lines["coroutines"][0] + 1
    # It makes them, which is a call that gets no further than their first lines.
    for name in "outer_a", "outer_b":
        calls["both>%s:%d" % (name, lines[name][0])] = calls.pop("both>" + name)
    for name in "generated_a", "job_a":
        calls[name + ">leaf_a"] = lines[name][0] + 2
    return {"calls": calls, "lines": lines}


def serve():
    for line in sys.stdin:
        if line.strip() == "report":
            print(json.dumps({"turns": turns, "wrong": wrong}), flush=True)
        if line.strip() == "go":
            go.set()


KINDS = ["recursion", "threads", "generated", "jobs", "imports", "forks", "coroutines", "plain"]

kind = sys.argv[1]
if kind == "become":
    threading.Thread(target=serve, daemon=True).start()
    print(json.dumps(truth()))
    print("ready", flush=True)
    loop(plain, float("inf"))
    os.execv(sys.argv[2], sys.argv[2:])
elif kind == "brief":
    print(json.dumps(truth()), flush=True)
    loop(plain, int(sys.argv[2]))
    print("%d turns, %d wrong" % (turns, wrong), flush=True)
else:
    if kind == "coroutines":
        events = asyncio.new_event_loop()
    if kind == "recursion":
        sys.setrecursionlimit(int(sys.argv[2]) + 1000)
    threading.Thread(target=serve, daemon=True).start()
    print(json.dumps(truth()))
    print("ready", flush=True)
    loop(globals()[kind], float("inf"))
