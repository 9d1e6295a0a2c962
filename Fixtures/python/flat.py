# Two hot paths that never meet: a stack that has frames of both is impossible.
import json


def leaf_a(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


def leaf_b(n):
    total = 1
    for i in range(n):
        total ^= i + total
    return total


def hot_a():
    return leaf_a(20)


def hot_b():
    return leaf_b(20)


def loop():
    while True:
        hot_a()
        hot_b()


def line(function, offset):
    return function.__code__.co_firstlineno + offset


print(json.dumps({
    "calls": {
        "hot_a>leaf_a": line(hot_a, 1), "hot_b>leaf_b": line(hot_b, 1),
        "loop>hot_a": line(loop, 2), "loop>hot_b": line(loop, 3),
    },
    "lines": {
        "leaf_a": [line(leaf_a, 0), line(leaf_a, 4)], "leaf_b": [line(leaf_b, 0), line(leaf_b, 4)],
        "hot_a": [line(hot_a, 0), line(hot_a, 1)], "hot_b": [line(hot_b, 0), line(hot_b, 1)],
        "loop": [line(loop, 0), line(loop, 3)],
    },
}))
print("ready", flush=True)
loop()
