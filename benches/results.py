"""RESULTS.md and the sections of RESULTS.svg."""

import os
import platform
import subprocess
import time
from pathlib import Path

import chart
from chart import number

METHOD = """\
## Method

- Every way is a worker process of its own, which times its own rounds. The workers take turns, and each
  turn begins with another one. A ratio is of two times from the same turn, so that a change of the
  machine's speed meets both. Cells are medians, with the quartiles in brackets.
- A turn on a file system has as many rounds as fit in 5 ms, at most 200. Waiting and stopping have one.
- The fewest calls are the seven that publish a complete and locked file with the id of the process and
  remove it: `open` with `O_TMPFILE`, `getpid`, `flock`, `write`, `linkat`, `unlink` and `close`. The
  careful calls are eleven: they keep the directory open, so that the path may change its meaning, and
  remove the file only if it is still their own. Both leave the file behind when `exit` or a signal ends
  the process.
- The other crates and programs are used as their documentation shows, with their defaults; only the
  handler at exit of Python's `pid` is left out, because each round would add one. pidfile-rs waits until
  its file is on the disk, and pidlock takes no lock. None of the four publishes a complete file, and only
  Python's `pid` removes it when SIGTERM ends the process.
- A waiter's time runs from just before the holder's release or exit, or from the call of `kill`, to the
  moment when the waiter holds. The waiter in `flock` neither writes a file nor checks a name.
- To kill and poll is what scripts do: they read the file, send SIGTERM and look every 100 ms.
- A cold build has an empty target directory, the development profile and all crates downloaded. Its
  ratio is of processor time. Sizes are of the release profile with `strip = true`.

## Limits

- The figures are from one run on one machine. The ratios carry over to another machine better than the
  times, but not unchanged: they depend on the kernel, the file system and the disk.
- A round of acquire and release is the common case: the name is free, and no other process wants it.
- While another program reads `/proc/locks`, as `lslocks` does, every `flock` on the machine waits for it.
- Libraries that do less are faster. The table says how much the rest costs, and not whether it is needed.
"""


class Report:
    """Collects the tables of a run."""

    def __init__(self):
        self.begun = time.monotonic()
        self.load = os.getloadavg()[0]
        self.tables = []
        self.bars = []
        self.left_out = ""

    def acquire(self, kind, file_system, rows):
        self.add(
            f"Acquire and release on {kind}",
            f"By one process, on {file_system}.",
            rows,
            "the fewest calls",
        )

    def held(self, rows):
        self.add(
            "Acquire and release with other files held",
            "By a process that holds so many other pidfiles, on tmpfs.",
            rows,
            rows[-2].name,
        )

    def start(self, rows):
        self.add(
            "Start of a program",
            "From the spawn to the end of a program whose `main` is empty.",
            rows,
            "bare main",
            with_difference=True,
        )

    def wait(self, end, rows):
        self.add(
            f"Wake-up after {end}",
            "From the end of the holder to the waiter's hold.",
            rows,
            "blocking flock",
            with_difference=True,
        )

    def asleep(self, calls):
        if calls:
            self.tables.append(f"A waiter makes {calls[0]} system calls in {calls[1]} s of sleep.\n")

    def stop(self, rows):
        self.add(
            "Stopping a holder",
            "Until the holder is known to have ended.",
            rows,
            "kill and poll",
        )

    def add(self, title, text, rows, baseline, with_difference=False):
        head = "| | time | ratio |" + (" difference |" if with_difference else "")
        lines = [head, "|---|---|---|" + ("---|" if with_difference else "")]
        for row in rows:
            cells = [row.name, spread(row.time, duration), spread(row.ratio, number)]
            if with_difference:
                cells.append(spread(row.difference, duration))
            if row.name == baseline:
                cells[2:] = ["1", "-"][: len(cells) - 2]
            lines.append("| " + " | ".join(cells) + " |")
        self.tables.append(f"## {title}\n\n{text} {rows[0].turns} turns.\n\n" + "\n".join(lines) + "\n")
        drawn = [(row.name, row.ratio, is_ours(row)) for row in rows if row.name != baseline]
        self.bars.append((f"{title}, beside {baseline}", drawn))

    def size(self, sizes):
        added = (sizes["annotated"] - sizes["bare"]) / 1024
        self.tables.append(
            "## Size\n\nThe attribute adds "
            f"{added:.0f} KiB to a stripped program ({sizes['bare'] / 1024:.0f} KiB bare, "
            f"{sizes['annotated'] / 1024:.0f} KiB annotated).\n"
        )

    def build(self, builds):
        lines = ["| | crates | seconds | processor seconds | ratio |", "|---|---|---|---|---|"]
        names = {"annotated": "a program with the attribute", "crates": "the crates nix, syn and thiserror alone"}
        for build in builds:
            lines.append(
                f"| {names[build.name]} | {build.crates} | {spread(build.wall, seconds)} | "
                f"{spread(build.processor, seconds)} | {spread(build.ratio, number)} |"
            )
        self.tables.append("## Cold build\n\n" + "\n".join(lines) + "\n")
        self.bars.append(
            ("Cold build, beside the crates nix, syn and thiserror", [("with the attribute", build.ratio, True) for build in builds if build.name == "annotated"])
        )

    def finish(self, skipped):
        self.left_out = "".join(f"- Left out: {reason}.\n" for reason in skipped)
        self.minutes = (time.monotonic() - self.begun) / 60
        self.loads = (self.load, os.getloadavg()[0])

    def text(self):
        return (
            "# Results\n\n"
            "Written by [`run`](run), which measures everything anew in one run.\n\n"
            "![The ratios as bars](RESULTS.svg)\n\n"
            f"- Machine: {os.cpu_count()} processors, {processor()}; Linux {platform.release()}; "
            f"{version('rustc')}.\n"
            f"- Load of the machine before and after: {self.loads[0]:.1f} and {self.loads[1]:.1f}. "
            f"The run took {self.minutes:.0f} min.\n"
            f"{self.busy()}{self.left_out}\n" + "\n".join(self.tables) + "\n" + METHOD
        )

    def busy(self):
        if max(self.loads) < 1.5 * os.cpu_count():
            return ""
        return "- The machine was busy with other programs, so look at the quartiles before the medians.\n"

    def chart(self):
        return chart.draw(self.bars)


def is_ours(row):
    return row.name.split(":")[0] == "pidfile" or row.name.endswith((" held", "annotated main"))


def spread(values, form):
    return f"{form(values.median)} ({form(values.first)} to {form(values.third)})"


def duration(nanoseconds):
    size = abs(nanoseconds)
    for unit, length in [("s", 1e9), ("ms", 1e6), ("µs", 1e3)]:
        if size >= length:
            return f"{nanoseconds / length:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def seconds(value):
    return f"{value:.1f}"


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def version(program):
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:2])


def file_system(place):
    said = subprocess.run(["stat", "--file-system", "--format", "%T", place], capture_output=True, text=True, check=True)
    return {"ext2/ext3": "ext4"}.get(said.stdout.strip(), said.stdout.strip())
