# What the measurements are held to: the targets, each a ratio of two medians of the same run.
"""Where other programs keep the machine busy, every call waits for a CPU as long as the others do,
which draws ratios of wall time towards 1. CPU time does not suffer from that, so a target on work
must be reached in both; one on waiting (for the kernel, or for 100 processes) in wall time."""

import dataclasses
import re
import statistics

from contest import median

RESIDENT_LIMIT_KB = 3000
STARTS_OTHERS = re.compile("-chains?/|-(nft|legacy)/|podman|docker|rest-|list-")


@dataclasses.dataclass(frozen=True)
class Target:
    """`label` of ours must take at most `limit` times what `against` takes (no limit: it is only
    shown). `against` may name several contenders, of which the fastest counts. `waits` if wall time
    is what it is about. What `without` takes is part of neither."""

    work: str
    label: str
    against: str | tuple
    limit: float | None
    waits: bool = False
    without: str = ""


REFERENCES = {count: tuple(f"add-map{count}-{variant}/reference" for variant in ("nft", "legacy"))
              for count in (1, 100)}
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
    Target("portmap ADD, 1 mapping", "add-map1/ours", REFERENCES[1], 1 / 20),
    Target("portmap ADD, 100 mappings", "add-map100/ours", "add-map1/ours", 1.5),
    Target("portmap ADD, 100 mappings", "add-map100/ours", REFERENCES[100], 1 / 500),
    Target("portmap DEL, 1 mapping", "del-map1/ours", "del-map1-nft/reference", None, waits=True),
    Target("portmap ADD, 20,000 on the host", "add-map-among-20000/ours", "add-map-among-none/ours",
           1.3),
    Target("portmap DEL, 20,000 on the host", "del-map-among-20000/ours", "del-map-among-none/ours",
           1.3, waits=True),
    Target("portmap ADD, 20,000 ranges", "add-map-among-ranges/ours", "add-map-among-none/ours",
           None),
    Target("portmap DEL, 20,000 ranges", "del-map-among-ranges/ours", "del-map-among-none/ours",
           None, waits=True),
    *(Target(f"portmap {verb.upper()}, {count} on iptables-{variant}",
             f"{verb}-map{count}-{variant}/ours", f"{verb}-map{count}-{variant}/reference",
             1 / 4 if verb == "add" else None, waits=verb == "del")
      for count in (1, 100) for variant in ("nft", "legacy") for verb in ("add", "del")),
    Target("chain of four ADD, by libcni", "add-chain/ours", "add-chain/reference", 1 / 8),
    Target("chain of four DEL, by libcni", "del-chain/ours", "del-chain/reference", 1 / 4,
           waits=True),
    Target("100 chains in parallel, ADD", "add-chains/ours", "add-chains/reference", 1 / 8,
           waits=True),
    Target("100 chains in parallel, DEL", "del-chains/ours", "del-chains/reference", 1 / 4,
           waits=True),
    Target("first packet, 2,000 mappings", "packet-2000/ours", "packet-1/ours", 1.5, waits=True),
    Target("first packet, 2,000 rules", "packet-2000/rules", "packet-1/ours", None, waits=True),
    Target("podman run --rm -p, network part", "podman/ours", "podman/reference", 1 / 4, waits=True,
           without="podman-none/podman"),
    Target("docker network connect", "docker-connect/ours", "docker-connect/docker", 1, waits=True),
    Target("docker network connect, over floor", "docker-connect/ours", "docker-connect/floor",
           1.25, waits=True),
    Target("docker network disconnect", "docker-disconnect/ours", "docker-disconnect/docker", None,
           waits=True),
    Target("an endpoint's life by REST", "rest-cycle/ours", "rest-cycle/docker", 1 / 4, waits=True),
    Target("GET /networks, an object of many", "list-many/ours", "list-few/ours", 1.5, waits=True),
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
        """One dict per target that was measured, then the counts that are not times."""
        found = [self.row(target) for target in TARGETS if target.label in self.times]
        kinds = {label.partition("-")[2].partition("/")[0] for label in self.parallel}
        found += [self.failures(kind) for kind in sorted(kinds)]
        return [*found, self.resident()] if self.samples else found

    def row(self, target):
        """A target and what was measured."""
        work = target.label.rpartition("/")[0]
        names = (target.against,) if isinstance(target.against, str) else target.against
        against = min(names, key=self.times.get)
        less = self.times.get(target.without, 0)
        ratio = (self.times[target.label] - less) / (self.times[against] - less)
        cpu = None if target.waits else self.cpu[target.label] / self.cpu[against]
        row = {"work": target.work, "against": name(against, work),
               "ratio": round(ratio, 4), "cpu_ratio": cpu and round(cpu, 4),
               "target": target.limit and round(target.limit, 4),
               "met": target.limit is None or max(ratio, cpu or 0) <= target.limit, "timed": True}
        shown = {"ours": target.label, "reference": f"{work}/reference", "floor": f"{work}/floor"}
        if against.endswith("/reference"):
            shown["reference"] = against
        return row | {who: self.times[label] - less for who, label in shown.items()
                      if label in self.times}

    def failures(self, kind):
        """Calls of ours that failed when many came at once."""
        def failures(who):
            return sum(entry["failures"] for label, entry in self.parallel.items()
                       if label.endswith(f"-{kind}/{who}"))
        count = failures("ours")
        return {"work": f"{kind}, ADDs then DELs: failures", "ours": count,
                "reference": failures("reference"), "floor": failures("floor"), "against": "none",
                "ratio": count, "target": 0, "met": count == 0, "timed": False}

    def resident(self):
        """The largest resident set of any call of ours that starts no other program: theirs would
        count too."""
        def largest(who):
            return max((sample.resident for label, found in self.samples.items()
                        if label.endswith(f"/{who}") and not STARTS_OTHERS.search(label)
                        for sample in found), default=0) * 1024 // 1000
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


def verdict(row):
    """The last word on a row."""
    if row["target"] is None:
        return ""
    return "met" if row["met"] else "MISSED"


def table(rows):
    """The rows as text; times in ms."""
    layout = "{:34} {:>9} {:>10} {:>8}   {:20} {:>7} {:>7} {:>7} {}".format
    lines = [layout("work", "ours", "reference", "floor", "against", "ratio", "in CPU", "target",
                    "")]
    for row in rows:
        cells = [cell(row.get(key)) for key in ("ours", "reference", "floor")]
        ratios = [cell(row.get(key)) for key in ("ratio", "cpu_ratio", "target")]
        lines.append(layout(row["work"], *cells, row["against"], *ratios,
                            verdict(row)))
    return "\n".join(lines)
