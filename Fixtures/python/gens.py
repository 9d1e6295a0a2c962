# Generators within generators: each resumes the next, and none is without its caller.
import json


def inner(n):
    for i in range(n):
        yield i * i


def middle_a(n):
    for value in inner(n):
        yield value + 1


def middle_b(n):
    for value in inner(n):
        yield value + 2


def outer_a(n):
    for value in middle_a(n):
        yield value * 3


def outer_b(n):
    for value in middle_b(n):
        yield value * 5


def loop():
    while True:
        for _ in outer_a(10):
            pass
        for _ in outer_b(10):
            pass


def line(function, offset):
    return function.__code__.co_firstlineno + offset


print(json.dumps({
    "calls": {
        "middle_a>inner": line(middle_a, 1), "middle_b>inner": line(middle_b, 1),
        "outer_a>middle_a": line(outer_a, 1), "outer_b>middle_b": line(outer_b, 1),
        "loop>outer_a": line(loop, 2), "loop>outer_b": line(loop, 4),
    },
    "lines": {
        name: [line(function, 0), line(function, 5 if name == "loop" else 2)]
        for name, function in list(globals().items())
        if name in ("inner", "middle_a", "middle_b", "outer_a", "outer_b", "loop")
    },
}))
print("ready", flush=True)
loop()
