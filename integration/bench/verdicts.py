# What the measurements are held to: the targets, each a ratio of two medians of the same run.
"""Where other programs keep the machine busy, every call waits for a CPU as long as the others do,
which draws ratios of wall time towards 1. CPU time does not suffer from that, so a target on work
must be reached in both; one on waiting (for the kernel, or for 100 processes) in wall time."""

import dataclasses
import statistics

from contest import median

RESIDENT_LIMIT_KB = 3000


@dataclasses.dataclass(frozen=True)
class Target:
    """`label` of ours must take at most `limit` times what `against` takes; `waits` if wall time is
    what it is about."""

    work: str
    label: str
    against: str
    limit: float
    waits: bool = False


TARGETS = (
    Target("VERSION", "version/ours", "version/reference", 0.35),
    Target("bridge + host-local ADD", "add-bridge/ours", "add-bridge/floor", 1.6),
    Target("bridge + host-local ADD", "add-bridge/ours", "add-bridge/reference", 1 / 5),
    Target("the same with ipMasq", "add-masq/ours", "add-masq/reference", 1 / 9),
    Target("DEL", "del-bridge/ours", "del-bridge/floor", 1.3, waits=True),
    Target("DEL with ipMasq", "del-masq/ours", "del-bridge/floor", 1.3, waits=True),
    Target("host-local ADD, 20,000 leases", "add-20000-leases/ours", "add-10-leases/ours", 1.5),
    Target("host-local ADD, 20,000 leases", "add-20000-leases/ours", "add-20000-leases/reference",
           1 / 100),
    Target("host-local DEL, 20,000 leases", "del-20000-leases/ours", "del-10-leases/ours", 1.5),
    Target("host-local DEL, 20,000 leases", "del-20000-leases/ours", "del-20000-leases/reference",
           1 / 100),
    Target("ADD, 5,000 links on the host", "add-crowded/ours", "add-empty/ours", 1.6),
    Target("100 ADDs in parallel", "add-parallel/ours", "add-parallel/reference", 1 / 4,
           waits=True),
)


class Judge:
    """Compares the samples of a run with the targets."""

    def __init__(self, samples, parallel):
        self.samples, self.parallel = samples, parallel
        self.times = {label: median(found) for label, found in samples.items()}
        self.times |= {label: statistics.median(entry["walls"])
                       for label, entry in parallel.items()}
        self.cpu = {label: statistics.median(sample.cpu for sample in found)
                    for label, found in samples.items()}

    def rows(self):
        """One dict per target, then the counts that are not times."""
        found = []
        for target in TARGETS:
            work = target.label.rpartition("/")[0]
            ratio = self.times[target.label] / self.times[target.against]
            cpu = None if target.waits else self.cpu[target.label] / self.cpu[target.against]
            row = {"work": target.work, "against": name(target.against, work),
                   "ratio": round(ratio, 4), "cpu_ratio": cpu and round(cpu, 4),
                   "target": round(target.limit, 4),
                   "met": max(ratio, cpu or 0) <= target.limit, "timed": True}
            row |= {who: self.times.get(f"{work}/{who}") for who in ("ours", "reference", "floor")}
            found.append(row)
        return [*found, self.failures(), self.resident()]

    def failures(self):
        """Calls of ours that failed when 100 came at once."""
        def failures(who):
            return sum(entry["failures"] for label, entry in self.parallel.items()
                       if label.endswith(f"/{who}"))
        count = failures("ours")
        return {"work": "100 ADDs, then 100 DELs: failures", "ours": count,
                "reference": failures("reference"), "floor": failures("floor"), "against": "none",
                "ratio": count, "target": 0, "met": count == 0, "timed": False}

    def resident(self):
        """The largest resident set of any call of ours."""
        def largest(who):
            return max(sample.resident for label, found in self.samples.items()
                       if label.endswith(f"/{who}") for sample in found) * 1024 // 1000
        ours = largest("ours")
        return {"work": "peak memory of a call, kB", "ours": ours,
                "reference": largest("reference"), "floor": largest("floor"), "against": "none",
                "ratio": ours, "target": RESIDENT_LIMIT_KB,
                "met": ours <= RESIDENT_LIMIT_KB, "timed": False}


def name(label, work):
    """`against` as the table says it: who, and the work too if it is another one."""
    other, _, who = label.rpartition("/")
    return who if other == work else f"{who}, {other}"


def cell(value):
    """A table cell: three digits after the point for small ratios, two for other fractions."""
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def table(rows):
    """The rows as text; times in ms."""
    layout = "{:34} {:>9} {:>10} {:>8}   {:20} {:>7} {:>7} {:>7} {}".format
    lines = [layout("work", "ours", "reference", "floor", "against", "ratio", "in CPU", "target",
                    "")]
    for row in rows:
        cells = [cell(row.get(key)) for key in ("ours", "reference", "floor")]
        ratios = [cell(row.get(key)) for key in ("ratio", "cpu_ratio", "target")]
        lines.append(layout(row["work"], *cells, row["against"], *ratios,
                            "met" if row["met"] else "MISSED"))
    return "\n".join(lines)
