# Two copies of this file, `first.py` and `other.py`: each computes for 0.4 s, and then becomes the
# other, as the same process.
#
# usage: first.py PYTHON...    how this interpreter is started
import os
import sys
import time


def work(end):
    count = 0
    while time.monotonic() < end:
        count += 1


path, name = os.path.split(os.path.abspath(sys.argv[0]))
if "BECOMING" not in os.environ:
    os.environ["BECOMING"] = "1"
    print("ready", flush=True)
work(time.monotonic() + 0.4)
following = "other.py" if name == "first.py" else "first.py"
command = sys.argv[1:] + [os.path.join(path, following)] + sys.argv[1:]
os.execv(command[0], command)
