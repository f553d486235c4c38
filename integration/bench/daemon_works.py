# The works of the daemon: Docker on our network driver, and the REST API.
"""They have a machine of their own (daemon_race.py), so they come after the private host's."""

import daemon_race
from contest import Sample

IDLE_KB = 8 * 1024
LISTED_US = 10


def daemon(setting):
    """Docker's containers on our driver and on its own; the REST API; cnmd's size."""
    figures = daemon_race.run(setting.ours.directory, setting.quick)
    docker = figures["docker"]
    for verb in ("connect", "disconnect"):
        setting.samples[f"docker-{verb}/ours"] = walls(docker[f"{verb}-ours"])
        setting.samples[f"docker-{verb}/docker"] = walls(docker[f"{verb}-docker"])
        setting.samples[f"docker-{verb}/floor"] = walls(docker[f"{verb}-floor"])
    both = zip(docker["connect-docker"], docker["disconnect-docker"])
    setting.samples["rest-cycle/ours"] = walls(figures["cycles"])
    setting.samples["rest-cycle/docker"] = walls(sum(pair) for pair in both)
    small, large = figures["listing_small"], figures["listing_large"]
    setting.samples["list-many/ours"] = walls([large["us_per_object"] / 1e3])
    setting.samples["list-few/ours"] = walls([small["us_per_object"] / 1e3])
    load = figures["load"]
    setting.facts += [
        fact("GET /networks, us of CPU an object", large["us_per_object"], LISTED_US, timed=True),
        fact("cnmd idle, kB", figures["idle"]["rss"], IDLE_KB),
        fact("cnmd idle, wake-ups", figures["idle"]["wakeups"], 0),
        # After the first round the allocator has what it needs: the second must not need more.
        fact(f"cnmd after 2x{load['count']:,} endpoints, kB more than after 1x",
             load["rss_again"] - load["rss_first"], 512),
        fact(f"cnmd's growth by the first {load['count']:,}, kB",
             load["rss_first"] - load["rss_before"], None),
        fact(f"cnmd with {large['networks']:,} networks and {large['endpoints']:,} endpoints, kB",
             large["rss"], None)]


def walls(times):
    """Samples of wall times in ms."""
    return [Sample(time, 0, 0) for time in times]


def fact(work, found, limit, timed=False):
    """A row of the table that compares with a number."""
    found = round(found, 2)
    return {"work": work, "ours": found, "against": "none", "ratio": found, "target": limit,
            "met": limit is None or found <= limit, "timed": timed}


OUTSIDE = (daemon,)
