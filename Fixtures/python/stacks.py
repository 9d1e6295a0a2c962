"""Threads that wait in every kind of Python frame; see truth.py."""

import asyncio
import functools
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import Threads, forever, serve_beside


def leaf():
    forever.acquire()


def middle():
    value = 1
    leaf()
    return value


def outer():
    middle()


def logged(function):
    @functools.wraps(function)
    def wrapper(*arguments, **options):
        before = len(arguments)
        result = function(*arguments, **options)
        return before, result

    return wrapper


@logged
@logged
def decorated(
    first,
    second=2,
):
    leaf()


def several_lines():
    return max(
        1,
        2,
        leaf(
        ),
        4,
    )


def comprehensions():
    return [
        {
            key: list(
                leaf()
                for _ in range(1)
            )
            for key in range(1)
        }
        for _ in range(1)
    ]


def lambdas():
    twice = lambda action: (action(), action())
    return twice(lambda: leaf())


def inner_generator():
    yield 1
    leaf()
    yield 2


def middle_generator():
    yield 0
    yield from inner_generator()


def generators():
    total = 0
    for value in middle_generator():
        total += value
    return total


async def innermost():
    leaf()


async def waiting():
    await innermost()


async def numbers():
    yield 1
    await waiting()
    yield 2


async def consuming():
    async for _ in numbers():
        pass


def coroutines():
    asyncio.new_event_loop().run_until_complete(consuming())


def through_c():
    return sorted([3, 1, 2], key=lambda value: sorted([value], key=lambda _: leaf()))


class Machine:
    count = 0

    def __init__(self):
        self[0]

    def __getitem__(self, index):
        return self.state

    @property
    def state(self):
        return self.made()

    @classmethod
    def made(cls):
        return cls.run()

    @staticmethod
    def run():
        leaf()


def methods():
    Machine()


class Guard:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def with_and_finally():
    total = 0
    with Guard():
        try:
            total += 1
        finally:
            total += 2
    with Guard():
        total += 3
    for _ in range(2):
        with Guard():
            total += 4
            leaf()
            total += 5
    return total


def in_finally():
    try:
        return 1
    finally:
        leaf()


def in_except():
    try:
        raise KeyError
    except ValueError:
        pass
    except KeyError:
        with Guard():
            leaf()


def leaving_a_guard():
    class Slow(Guard):
        def __exit__(self, *_):
            leaf()

    with Slow():
        pass


def class_body():
    class Body:
        first = 1
        leaf()


def generated():
    text = "\n\n\ndef made_up():\n    wait()\n\n\nmade_up()\n"
    exec(compile(text, "<generated>", "exec"), {"wait": leaf})


def evaluated():
    return eval("[wait()\n for _ in (1,)]", {"wait": leaf})


FOREIGN = "def {0}():\n    wait()\n\n{0}()\n"


def foreign(name, file):
    def run():
        exec(compile(FOREIGN.format(name), file, "exec"), {"wait": leaf})

    return run


def recursion(depth=200):
    if depth == 0:
        leaf()
    else:
        recursion(depth - 1)


def mutual(depth=40):
    if depth == 0:
        return leaf()
    return list(map(lambda rest: mutual(rest), [depth - 1]))


def default_and_closure(count=3):
    def close():
        nonlocal count
        count -= 1
        if count:
            close()
        else:
            leaf()

    close()


def far_lines():
    value = 1



































































































































    leaf()
    return value


SCENES = [
    outer, several_lines, comprehensions, lambdas, generators, coroutines, through_c, methods,
    with_and_finally, in_finally, in_except, leaving_a_guard, class_body, generated, evaluated,
    recursion, mutual, default_and_closure, far_lines,
]

NAMES = [
    ("größe", "datei_ü.py"),
    ("привет", "/папка/файл.py"),
    ("関数名", "スクリプト.py"),
    ("\U00010400name", "\U0001f4a9.py"),
    ("a" * 5000, "b" * 6000),
]


def main():
    threads = Threads()
    for scene in SCENES:
        threads.start(scene.__name__, scene)
    threads.start("decorated", lambda: decorated(1, second=3))
    for name, file in NAMES:
        threads.start("foreign " + name[:8], foreign(name, file))
    threads.add_this_thread("main")
    serve_beside(threads, len(SCENES) + len(NAMES) + 2)
    outer()


main()
