# C calls one function from a caller with a small frame, and another from one whose frame is large
# and mostly unused: what the interpreter's loop finds where it is entered is from the other caller.
import json


def leaf_a(value):
    return value


def leaf_b(value):
    return value


def small():
    any(map(leaf_a, (0,)))


def large(never=False):
    if never:
        print(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, never, 11, 12, 13, 14, 15, 16, 17, 18, 19, never, 21,
              22, 23, 24, 25, 26, 27, 28, 29, never, 31, 32, 33, 34, 35, 36, 37, 38, 39, never)
    any(map(leaf_b, (0,)))


def loop():
    while True:
        small()
        large()


def line(function, offset):
    return function.__code__.co_firstlineno + offset


print(json.dumps({
    "calls": {
        "small>leaf_a": line(small, 1), "large>leaf_b": line(large, 4),
        "loop>small": line(loop, 2), "loop>large": line(loop, 3),
    },
    "lines": {
        "leaf_a": [line(leaf_a, 0), line(leaf_a, 1)], "leaf_b": [line(leaf_b, 0), line(leaf_b, 1)],
        "small": [line(small, 0), line(small, 1)], "large": [line(large, 0), line(large, 4)],
        "loop": [line(loop, 0), line(loop, 3)],
    },
}))
print("ready", flush=True)
loop()
