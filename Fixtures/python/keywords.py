# Two ways to one function, whose frame comes to lie in the same place: what is left there is of the
# call before, which came the other way. A call with keywords is one that is not specialised.
import json
import sys


def leaf(*, value):
    return value


def short():
    leaf(value=1)


def sub():
    leaf(value=2)


def long():
    sub()


def loop():
    while True:
        short()
        long()


def size(function):
    """The words of a function's frame, but for the fields that each has."""
    return function.__code__.co_nlocals + function.__code__.co_stacksize


def line(function, offset):
    return function.__code__.co_firstlineno + offset


# Older versions have no stack on which frames lie one behind the other.
if sys.version_info >= (3, 11):
    # sizeof(_PyInterpreterFrame) up to the first local variable, in words.
    fields = 10 if sys.version_info >= (3, 14) else 9
    code = short.__code__
    words = size(long) + fields + size(sub) - size(short)
    short.__code__ = code.replace(co_stacksize=code.co_stacksize + words)

print(json.dumps({
    "calls": {
        "short>leaf": line(short, 1), "sub>leaf": line(sub, 1), "long>sub": line(long, 1),
        "loop>short": line(loop, 2), "loop>long": line(loop, 3),
    },
    "lines": {
        name: [line(function, 0), line(function, 3 if name == "loop" else 1)]
        for name, function in list(globals().items())
        if name in ("leaf", "short", "sub", "long", "loop")
    },
}))
print("ready", flush=True)
loop()
