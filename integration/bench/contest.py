# A fair contest: every contender's processes started by one small launcher, interleaved, in one
# private host.
"""A `Call` is one process of a contender. `Arena.race(rounds)` runs rounds of calls one after the
other, each round beginning one further on, so that no contender always comes first, and gives the
samples by label. Everything a call reads or writes lies on tmpfs."""

import collections
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess

WORK = pathlib.Path("/run/test")


@dataclasses.dataclass(frozen=True)
class Call:
    """One process: `label` says what its sample counts for, `host` is the netns it starts in (`-`:
    the private host's)."""

    label: str
    argv: tuple
    stdin: str = "/dev/null"
    environment: tuple = ()
    host: str = "-"


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one process took: wall time and CPU time in ms, largest resident set in KiB."""

    wall: float
    cpu: float
    resident: int


class CallFailed(Exception):
    """A contender's process did not succeed; the text says which and what it printed."""


def median(samples):
    """Median wall time in ms."""
    return statistics.median(sample.wall for sample in samples)


def describe(samples):
    """A label's samples for the JSON report."""
    walls = sorted(sample.wall for sample in samples)
    return {"calls": len(walls), "wall_ms": round(median(samples), 3),
            "wall_min_ms": round(walls[0], 3), "wall_p90_ms": round(walls[len(walls) * 9 // 10], 3),
            "cpu_ms": round(statistics.median(sample.cpu for sample in samples), 3),
            "resident_kib": max(sample.resident for sample in samples)}


class Arena:
    """The private host's launcher and files."""

    def __init__(self, floor):
        self.floor = str(floor)
        self.files = 0

    def file(self, text):
        """A new file on tmpfs with `text`; its path."""
        self.files += 1
        path = WORK / f"file-{self.files}"
        path.write_text(text)
        return str(path)

    def config(self, value):
        """A new file with `value` as JSON; its path."""
        return self.file(json.dumps(value))

    def launch(self, calls, parallel=False):
        """Runs calls by one launcher: their (sample, exit status, output file), and the wall time
        of all in ms."""
        outputs = [str(WORK / f"output-{number}") for number in range(len(calls))]
        lines = ["\t".join((call.host, call.stdin, output, *call.environment, "--", *call.argv))
                 for call, output in zip(calls, outputs)]
        plan = self.file("\n".join(lines) + "\n")
        done = subprocess.run([self.floor, "parallel" if parallel else "run", plan],
                              capture_output=True, text=True, check=False)
        os.unlink(plan)
        if done.returncode != 0:
            raise CallFailed(done.stderr)
        *rows, last = done.stdout.splitlines()
        results = []
        for row, output in zip(rows, outputs):
            wall, cpu, resident, status = map(int, row.split())
            results.append((Sample(wall / 1e6, cpu / 1e3, resident), status, output))
        return results, int(last.split()[1]) / 1e6

    def run(self, calls):
        """Runs calls in turn; CallFailed if one fails. Gives their samples by label."""
        found = collections.defaultdict(list)
        for call, (sample, status, output) in zip(calls, self.launch(calls)[0]):
            if status != 0:
                text = pathlib.Path(output).read_text(errors="replace")
                raise CallFailed(f"{call.label}: exit {status}: {text}\n"
                                 f"  {' '.join(call.argv)} {call.environment}")
            found[call.label].append(sample)
        return found

    def output(self, call):
        """Runs one call; what it printed. CallFailed if it fails."""
        (_, status, output), = self.launch([call])[0]
        text = pathlib.Path(output).read_text(errors="replace")
        if status != 0:
            raise CallFailed(f"{call.label}: exit {status}: {text}\n"
                             f"  {' '.join(call.argv)} {call.environment}")
        return text

    def race(self, rounds):
        """Runs rounds, each a list of legs, each a list of calls (one per contender); every leg
        begins one further on than in the round before. Gives the samples by label."""
        plan = []
        for number, legs in enumerate(rounds):
            for leg in legs:
                turn = number % len(leg)
                plan += leg[turn:] + leg[:turn]
        return self.run(plan)


def make_netns(names):
    """Network namespaces bound to /run/netns/NAME."""
    batch = "".join(f"netns add {name}\n" for name in names)
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)


def crowd(links, netns=None):
    """Puts `links` veth links into a netns (none: the private host's own)."""
    batch = "".join(f"link add p{number}a type veth peer name p{number}b\n"
                    for number in range(links // 2))
    inside = ["-n", netns] if netns else []
    subprocess.run(["ip", *inside, "-batch", "-"], input=batch, text=True, check=True)


def make_bridge(name, address, netns=None):
    """A bridge that is up and has an address."""
    prefix = ["ip", "-n", netns] if netns else ["ip"]
    subprocess.run([*prefix, "link", "add", name, "up", "type", "bridge"], check=True)
    subprocess.run([*prefix, "addr", "add", address, "dev", name], check=True)
