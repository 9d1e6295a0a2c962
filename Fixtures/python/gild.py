"""A deadlock of two threads that the main one waits for: one holds a mutex and wants the interpreter's
lock, the other holds that and waits in C for the mutex. Only C frames show what it waits for."""

import ctypes
import threading
import time

libc = ctypes.CDLL(None)
# Calls C functions without letting the interpreter's lock go.
holding = ctypes.PyDLL(None)
mutex = (ctypes.c_char * 64)()
mutex_is_held = threading.Event()


def hold():
    libc.pthread_mutex_lock(mutex)
    mutex_is_held.set()
    while True:
        time.sleep(0.01)


def grab():
    mutex_is_held.wait()
    holding.pthread_mutex_lock(mutex)


print("ready", flush=True)
threading.Thread(target=hold, name="holder").start()
grabber = threading.Thread(target=grab, name="grabber")
grabber.start()
grabber.join()
