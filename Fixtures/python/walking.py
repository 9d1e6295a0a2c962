"""Walks through its places at random and halts in each: it prints the stack that it itself sees as
a line of JSON, and goes on when it is told to.

The places are those where readers lose the line: code without a line, cleanups, long jumps, and all
that one statement can spread over several lines. `walking.py SEED`.
"""

import json
import os
import random
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import frames_of, thread_id

choice = random.Random(int(sys.argv[1]))
me = threading.get_ident()


def say(frame):
    os.write(1, json.dumps(frames_of(frame)).encode() + b"\n")


def halt():
    say(sys._current_frames()[me]) or os.read(0, 1)


def go(depth):
    if depth > 0:
        choice.choice(places)(depth - 1)
    else:
        halt()


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        if choice.random() < 0.3:
            go(0)
        return True


def with_and_finally(depth):
    with Manager():
        try:
            go(depth)
            if choice.random() < 0.5:
                raise ValueError
        finally:
            go(0)
        depth += 1
    go(0)


def several_managers(depth):
    with Manager() as first, Manager() as second:
        go(depth)
        return first, second


def handlers(depth):
    try:
        try:
            raise KeyError(depth)
        except KeyError as error:
            go(depth)
            raise ValueError from error
        finally:
            go(0)
    except (
        TypeError,
        ValueError,
    ):
        go(0)
    else:
        go(depth)


def over_several_lines(depth):
    return max(
        len(str(depth)),
        (
            go(depth) or 1
        ),
        [
            each
            for each in (
                1,
                go(0) or 2,
            )
        ][0],
    )


def comprehensions(depth):
    first = [go(depth) for _ in range(1)]
    second = {
        key: go(0)
        for key in first
        if go(0) is None
    }
    return (
        first, second,
        [[go(0) for _ in range(1)] for _ in range(1)],
    )


def numbers(depth):
    yield 1
    go(depth)
    yield 2


def outer_numbers(depth):
    yield from numbers(depth)
    go(0)


def generators(depth):
    for number in outer_numbers(depth):
        if number > 1:
            go(0)
    return sum(
        go(0) or each for each in
        (1, 2)
    )


def lambdas(depth):
    call = lambda: go(depth)
    call()
    return sorted([2, 1], key=lambda each: (
        go(0) or each
    ))


async def inner_coroutine(depth):
    go(depth)


async def coroutine(depth):
    await inner_coroutine(
        depth)
    go(0)


def coroutines(depth):
    try:
        coroutine(depth).send(None)
    except StopIteration:
        pass


def loops(depth):
    left = 2
    while left:
        left -= 1
        if left == 1:
            continue
        go(depth)
    else:
        go(0)
    for each in (1, 2):
        if each == 2:
            break
        go(0)


def decorated(function):
    def inside(depth):
        go(0)
        return function(depth)
    return inside


@decorated
@decorated
def behind_decorators(depth):
    class Body:
        value = go(depth)
        other = [
            1,
            go(0)]
    return Body


class Object:
    def __init__(self, depth):
        go(depth)

    def __add__(self, other):
        go(0)
        return 1

    @property
    def value(self):
        return go(0)

    def __getitem__(self, place):
        go(0)


def objects(depth):
    one = Object(depth)
    return (
        one
        + one,
        one.value,
        one[
            1],
        f"{one + one} and {go(0)}",
    )


def conditions(depth):
    value = (go(depth) or
             go(0) or
             1 if choice.random() < 0.5 else
             go(0))
    assert not go(0), (
        go(0))
    return value


# Far apart: line numbers that take several entries of a table.
exec(compile(
    "def far(depth):\n    go(depth)\n" + "\n" * 700 + "    (go(0),\n" + "\n" * 300
    + "     go(0))\n" + "\n" * 130 + "    for _ in range(2): go(0)\n"
    + "    def later():\n" + "\n" * 200 + "        go(0)\n    later()\n", "made/far.py", "exec"))
exec(compile(
    "def wide(depth):\n    return [" + "0, " * 2000 + "go(depth),\n" + "0, " * 300 + "\ngo(0)]\n",
    "made/wide.py", "exec"))
exec(compile(
    "def named\u00e9_\u4f60(depth):\n    go(depth)\n", "made/\u4f60\u597d.py", "exec"))

places = [each for name, each in list(globals().items())
          if callable(each) and getattr(each, "__module__", "") == __name__
          and name not in ("say", "halt", "go", "Manager", "Object", "decorated", "numbers",
                           "outer_numbers", "coroutine", "inner_coroutine", "frames_of")]

print(json.dumps({"threads": {}, "tid": thread_id(), "places": len(places)}))
print("ready", flush=True)
os.read(0, 1)
while True:
    go(choice.randint(1, 8))
