"""Small programs that are built from nothing: how long that takes, and how large they become."""

import os
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from measure import Spread

PACKAGE = """[package]
name = "{name}"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.release]
strip = true

[dependencies]
{dependencies}"""

BARE = "fn main() {}\n"
ANNOTATED = '#[pidfile::pidfile(path = "/dev/shm/pidfile-benches.pid")]\n' + BARE


@dataclass
class Build:
    """Cold builds of one package, in seconds."""

    name: str
    crates: int
    wall: Spread
    processor: Spread
    ratio: Spread


def package(root, target, name, dependencies, source):
    """Writes a package that uses the versions of our own lock file."""
    folder = target / "packages" / name
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(PACKAGE.format(name=name, dependencies=dependencies))
    (folder / "src/main.rs").write_text(source)
    shutil.copy(root / "Cargo.lock", folder)
    # Drops what the package does not need, and changes no version.
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True)
    return folder


def packages(root, target):
    runtime = f'pidfile = {{ path = "{root}/pidfile" }}\n'
    crates = "\n".join(
        [
            'nix = { version = "0.31", default-features = false, features = [%s] }' % runtime_features(root),
            'syn = { version = "3", default-features = false, features = ["full", "parsing", "printing", "proc-macro"] }',
            'thiserror = "2"',
        ]
    )
    return {
        "bare": package(root, target, "bare", "", BARE),
        "annotated": package(root, target, "annotated", runtime, ANNOTATED),
        "crates": package(root, target, "crates", crates, BARE),
    }


def runtime_features(root):
    """What the runtime asks of nix."""
    lines = (root / "pidfile/Cargo.toml").read_text().splitlines()
    line = next(line for line in lines if line.startswith("nix = "))
    return line.split("[")[1].split("]")[0]


def sizes(root, target):
    """Builds bare and annotated, optimised and stripped: {name: program}."""
    programs = {}
    for name, folder in packages(root, target).items():
        if name != "crates":
            build(folder, target / "stripped", "--release")
            programs[name] = target / "stripped/release" / name
    return programs


def cold(root, target, rounds):
    """Builds annotated and the large crates below it from nothing, in turns."""
    folders = packages(root, target)
    del folders["bare"]
    names = list(folders)
    wall = {name: [] for name in names}
    processor = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            fresh = target / "cold"
            shutil.rmtree(fresh, ignore_errors=True)
            begun, used = time.monotonic(), children()
            build(folders[name], fresh)
            wall[name].append(time.monotonic() - begun)
            processor[name].append(children() - used)
            shutil.rmtree(fresh)
    return [
        Build(
            name,
            count(folders[name]),
            Spread.of(wall[name]),
            Spread.of(processor[name]),
            Spread.of([ours / theirs for ours, theirs in zip(processor[name], processor["crates"])]),
        )
        for name in names
    ]


def build(folder, target, *flags):
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    subprocess.run(["cargo", "build", "--quiet", "--offline", *flags], cwd=folder, env=environment, check=True)


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def count(folder):
    """How many crates are compiled, without the package itself."""
    tree = subprocess.run(
        ["cargo", "tree", "--offline", "--prefix", "none", "--edges", "normal,build", "--format", "{p}"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return len({line.split(" (")[0] for line in tree.splitlines() if line}) - 1
