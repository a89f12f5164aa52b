"""Workers that take turns, and what their times say."""

import statistics
import subprocess
import time
from dataclasses import dataclass

# How long one turn of a worker takes, if its rounds are shorter than that.
TURN_NS = 5_000_000
MOST_ROUNDS = 200
# On a slow or busy machine there are fewer turns, but not too few for quartiles.
LONGEST_SECONDS = 45
FEWEST_TURNS = 21


class Worker:
    """A program that prints `ready`, reads numbers, and prints nanoseconds per round."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{command[0]} is not ready")

    def turn(self, rounds):
        self.process.stdin.write(f"{rounds}\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args} has ended early")
        return int(answer)

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"{self.process.args} has failed")


@dataclass
class Spread:
    """A median with its quartiles."""

    median: float
    first: float
    third: float

    @staticmethod
    def of(values):
        first, median, third = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(median, first, third)


@dataclass
class Row:
    """One way: the time of a round in nanoseconds, and its ratio to the baseline's."""

    name: str
    turns: int
    time: Spread
    ratio: Spread
    difference: Spread


def compare(ways, baseline, turns, rounds=None):
    """Measures workers in turns: {name: command} -> rows.

    Each turn begins with another worker, and a ratio is of two times from the same turn.
    """
    workers = {name: Worker(command) for name, command in ways.items()}
    names = list(workers)
    counts = {}
    for name, worker in workers.items():
        if rounds is None:
            worker.turn(3)
            counts[name] = max(1, min(MOST_ROUNDS, TURN_NS // max(1, worker.turn(3))))
        else:
            counts[name] = rounds
    times = {name: [] for name in names}
    end = time.monotonic() + LONGEST_SECONDS
    for turn in range(turns):
        if turn >= FEWEST_TURNS and time.monotonic() > end:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(workers[name].turn(counts[name]))
    for worker in workers.values():
        worker.end()
    base = times[baseline]
    return [
        Row(
            name,
            len(base),
            Spread.of(times[name]),
            Spread.of([time / other for time, other in zip(times[name], base)]),
            Spread.of([time - other for time, other in zip(times[name], base)]),
        )
        for name in names
    ]
