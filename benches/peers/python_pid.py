"""python_pid.py DIR: acquires and releases with Python's `pid`, in turns, as bench-worker does."""

import sys
import time

from pid import PidFile

print("ready", flush=True)
for line in sys.stdin:
    rounds = int(line)
    begun = time.monotonic_ns()
    for _ in range(rounds):
        # Without the handler at exit, because each round would add one.
        with PidFile("python", piddir=sys.argv[1], register_atexit=False):
            pass
    print((time.monotonic_ns() - begun) // rounds, flush=True)
