"""A greenlet that waits in a C function: in gevent's `hub`, or `plain`, where another has switched to it."""

import ctypes
import sys


def sleeper_leaf():
    print("ready", flush=True)
    ctypes.CDLL(None).sleep(1000)


def sleeper_main():
    sleeper_leaf()


def outer_hub():
    import gevent

    gevent.spawn(sleeper_main).join()


def outer_plain():
    import greenlet

    greenlet.greenlet(sleeper_main).switch()


{"hub": outer_hub, "plain": outer_plain}[sys.argv[1]]()
