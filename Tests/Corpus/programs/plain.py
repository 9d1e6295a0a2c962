"""No loop: `plain.py MODE` waits in its main thread."""
import sys
import hang
def work(): hang.way(sys.argv[1])
work()
