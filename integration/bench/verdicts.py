# What the measurements are held to: the targets, each a ratio of two medians of the same run, and
# the table that shows them.

import dataclasses
import statistics

from contest import median

RESIDENT_LIMIT_KB = 3000


@dataclasses.dataclass(frozen=True)
class Target:
    """`label` of ours must take at most `limit` times what `against` takes."""

    work: str
    label: str
    against: str
    limit: float


TARGETS = (
    Target("VERSION", "version/ours", "version/reference", 0.35),
    Target("bridge + host-local ADD", "add-bridge/ours", "add-bridge/floor", 1.6),
    Target("bridge + host-local ADD", "add-bridge/ours", "add-bridge/reference", 1 / 5),
    Target("the same with ipMasq", "add-masq/ours", "add-masq/reference", 1 / 9),
    Target("DEL", "del-bridge/ours", "del-bridge/floor", 1.3),
    Target("DEL with ipMasq", "del-masq/ours", "del-bridge/floor", 1.3),
    Target("host-local ADD, 20,000 leases", "add-20000-leases/ours", "add-10-leases/ours", 1.5),
    Target("host-local ADD, 20,000 leases", "add-20000-leases/ours", "add-20000-leases/reference",
           1 / 100),
    Target("host-local DEL, 20,000 leases", "del-20000-leases/ours", "del-10-leases/ours", 1.5),
    Target("host-local DEL, 20,000 leases", "del-20000-leases/ours", "del-20000-leases/reference",
           1 / 100),
    Target("ADD, 5,000 links on the host", "add-crowded/ours", "add-empty/ours", 1.6),
    Target("100 ADDs in parallel", "add-parallel/ours", "add-parallel/reference", 1 / 4),
)


class Judge:
    """Compares the samples of a run with the targets."""

    def __init__(self, samples, parallel):
        self.samples, self.parallel = samples, parallel
        self.times = {label: median(found) for label, found in samples.items()}
        self.times |= {label: statistics.median(entry["walls"])
                       for label, entry in parallel.items()}

    def rows(self):
        """One dict per target, then the counts that are not times."""
        found = []
        for target in TARGETS:
            work = target.label.rpartition("/")[0]
            ratio = self.times[target.label] / self.times[target.against]
            row = {"work": target.work, "against": name(target.against, work),
                   "ratio": round(ratio, 4), "target": round(target.limit, 4),
                   "met": ratio <= target.limit, "timed": True}
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
    """A table cell: two decimals for what is not a count."""
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def table(rows):
    """The rows as text; times in ms."""
    layout = "{:34} {:>9} {:>10} {:>8}   {:24} {:>8} {:>8} {}".format
    lines = [layout("work", "ours", "reference", "floor", "against", "ratio", "target", "")]
    for row in rows:
        ratio, target = (f"{row[key]:.3f}" if isinstance(row[key], float) else str(row[key])
                         for key in ("ratio", "target"))
        lines.append(layout(row["work"], cell(row["ours"]), cell(row["reference"]),
                            cell(row["floor"]), row["against"], ratio, target,
                            "met" if row["met"] else "MISSED"))
    return "\n".join(lines)
