#!/usr/bin/env python3
# podman_race.py: times `podman run --rm -p` on podman's own default network, with each contender's
# plugins in turn, and without a network.
"""`run(directories, rounds)` gives wall times in ms by label. Run as a program, inside
support/sandbox.sh, it is the race itself: its argument is JSON, so is what it prints."""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
IMAGE = "localhost/cnm-test:1"
WORK = pathlib.Path("/run/e2e")


def run(directories, rounds):
    """Wall times in ms by label: `podman-none/podman`, `podman/CONTENDER` for each plugin directory
    by contender. A first round is for warming up."""
    done = subprocess.run([SUPPORT / "sandbox.sh", sys.executable, __file__,
                           json.dumps([directories, rounds])], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"podman_race: {done.stderr}")
    return json.loads(done.stdout)


def podman(configuration, *arguments):
    """One run of podman; its wall time in ms."""
    environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}
    start = time.perf_counter_ns()
    done = subprocess.run([SUPPORT / "podman/podman.sh", *arguments], env=environment,
                          capture_output=True, text=True, check=False)
    took = time.perf_counter_ns() - start
    if done.returncode != 0:
        sys.exit(f"podman {' '.join(arguments)}: {done.stderr}")
    return took / 1e6


def configure(name, directory):
    """A containers.conf with that plugin directory."""
    text = (SUPPORT / "podman/containers.conf").read_text()
    path = WORK / f"{name}.conf"
    path.write_text(text.replace("/opt/cni/bin", directory))
    return path


def main():
    """The race, inside the sandbox."""
    directories, rounds = json.loads(sys.argv[1])
    on_network = ("--network", "podman", "--publish", "18080:80")
    runs = {f"podman/{name}": (configure(name, directory), on_network)
            for name, directory in directories.items()}
    first, _ = next(iter(runs.values()))
    runs["podman-none/podman"] = (first, ("--network", "none"))
    podman(first, "images")  # loads the image
    found = {label: [] for label in runs}
    for number in range(rounds + 1):
        turn = number % len(runs)
        for label in list(runs)[turn:] + list(runs)[:turn]:
            configuration, options = runs[label]
            took = podman(configuration, "run", "--rm", *options, IMAGE, "true")
            if number > 0:
                found[label].append(took)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
