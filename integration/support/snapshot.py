# The state of a host as text, for "nothing changed" and "nothing left", read by ip, nft and the file system.
"""Two kinds of difference do not count and are left out here: what the kernel changes by itself
(carrier, operational state, address lifetimes, bridge timers, counters) and the hints that our state
keeps (locks, the log ring, dot files, last_reserved_ip, an empty table skeleton)."""

import difflib
import json
import os
import pathlib
import re
import subprocess

VOLATILE = {"operstate", "valid_life_time", "preferred_life_time", "tentative", "dadfailed", "optimistic",
            "handle", "metainfo",
            "root_port", "root_path_cost", "topology_change", "topology_change_detected",
            "ageing_time", "packets", "bytes", "expires", "stats", "stats64", "linkmode",
            "min_mtu", "max_mtu", "index", "linkdown", "nhid"}
VOLATILE_FLAGS = {"NO-CARRIER", "LOWER_UP", "linkdown"}
VOLATILE_SYSCTLS = re.compile(r"nf_conntrack_count|stable_secret|base_reachable_time|mcast_resolicit|"
                              r"/route/(flush|gc_)|fib_notify")
SHOWN_LINES = 14
STATE_ROOTS = ("/var/lib/cni", "/var/lib/cnm", "/run/cnm")
HINT = re.compile(r"(^|/)(\.[^/]+|last_reserved_ip\.\d+|lock|log|[^/]+\.lock)($|/)")


def clean(value):
    """A JSON value without its volatile members."""
    if isinstance(value, dict):
        return {key: clean(item) for key, item in sorted(value.items())
                if key not in VOLATILE and not key.endswith("_timer")}
    if isinstance(value, list):
        return [clean(item) for item in value if not _is_volatile(item)]
    return value


def _is_volatile(item):
    """Carrier flags; link-local addresses and routes, which the kernel makes some time after carrier comes."""
    if isinstance(item, dict):
        return item.get("local", "").startswith("fe80:") or item.get("dst", "").startswith(("fe80:", "ff00:"))
    return isinstance(item, str) and item in VOLATILE_FLAGS


def network_lines(netns=None):
    """Links, addresses, routes and rules of the host or of a Netns."""
    inside = ["-n", netns.name] if netns else []
    prefix = netns.name if netns else "host"
    batch = "addr show\nroute show table all\nrule show\n"
    done = subprocess.run(["ip", *inside, "-j", "-d", "-b", "-"], input=batch, capture_output=True, text=True)
    rules = subprocess.run(["ip", *inside, "-6", "-j", "rule", "show"], capture_output=True, text=True)
    lines, kinds = [], ("link", "route", "rule", "rule6")
    for kind, document in zip(kinds, _documents(done.stdout + rules.stdout)):
        lines += [f"{prefix} {kind} {json.dumps(value, sort_keys=True)}" for value in clean(document) if value]
    return sorted(lines)


def _documents(text):
    """The JSON documents that stand in `text` one after the other."""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text.rstrip()):
        value, end = decoder.raw_decode(text, position)
        yield value
        position = end + len(text[end:]) - len(text[end:].lstrip())


def ruleset_lines(skeleton=True):
    """The nftables ruleset; without `skeleton`, only rules with an owner's comment and elements."""
    done = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True)
    entries = json.loads(done.stdout)["nftables"] if done.stdout else []
    lines = []
    for entry in entries:
        (kind, body), = entry.items()
        if kind == "metainfo":
            continue
        if not skeleton and kind in ("map", "set"):
            lines += [f"nft {body['table']} {body['name']} element {json.dumps(clean(item))}"
                      for item in body.get("elem", [])]
        elif skeleton or (kind == "rule" and body.get("comment")):
            lines.append(f"nft {kind} {json.dumps(clean(body), sort_keys=True)}")
    return lines


def xtables_lines():
    """iptables-legacy rules, only where a legacy table exists (listing would create it otherwise)."""
    lines = []
    for family, command in (("ip", "iptables-legacy-save"), ("ip6", "ip6tables-legacy-save")):
        names = pathlib.Path(f"/proc/net/{family}_tables_names")
        if names.exists() and names.read_text().strip():
            text = subprocess.run([command], capture_output=True, text=True).stdout
            lines += [f"{command} {line}" for line in text.splitlines() if line[0] not in "#:"]
    return lines


def sysctl_paths(links=None):
    """Network sysctls of the host: the global ones and those of `links` (all if None)."""
    paths = []
    for root in ("/proc/sys/net/ipv4", "/proc/sys/net/ipv6"):
        for directory, folders, files in os.walk(root):
            if links is not None and re.search(r"/(conf|neigh)$", directory):
                folders[:] = [name for name in folders if name in links]
            paths += [f"{directory}/{name}" for name in files]
    return sorted(path for path in paths if not VOLATILE_SYSCTLS.search(path))


def sysctl_lines(paths=None):
    """Values of sysctls (every one of the network if None); unreadable ones are left out."""
    lines = []
    for path in sysctl_paths() if paths is None else paths:
        try:
            opened = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            lines.append(f"sysctl {path} {os.read(opened, 4096).decode().strip()}")
        except OSError:
            pass
        os.close(opened)
    return lines


def file_lines(roots=STATE_ROOTS):
    """Every state file with its content; hints left out."""
    lines = []
    for root in roots:
        for directory, _, files in os.walk(root):
            for name in files:
                path = os.path.join(directory, name)
                if HINT.search(path[len(root):]):
                    continue
                try:
                    content = os.readlink(path) if os.path.islink(path) else \
                        pathlib.Path(path).read_bytes()[:20000]
                except OSError as error:
                    content = str(error)
                lines.append(f"file {path} {content!r}")
    return sorted(lines)


def _pairs(lines):
    """Turns `-OLD` directly followed by `+NEW` of one JSON object into the members that differ."""
    out = []
    for line in lines:
        if out and out[-1][:1] == "-" and line[:1] == "+" and out[-1].split("{")[0][1:] == \
                line.split("{")[0][1:] and "{" in line:
            old = dict.fromkeys(re.findall(r'"\w+": (?:\[[^]]*\]|[^,\[]+)', out[-1]))
            new = dict.fromkeys(re.findall(r'"\w+": (?:\[[^]]*\]|[^,\[]+)', line))
            name = re.search(r'"ifname": "([^"]*)"|"dst": "([^"]*)"', line)
            out[-1] = f"{line.split('{')[0][1:]} {name[0] if name else ''}: " \
                      f"{[key for key in old if key not in new]} -> {[key for key in new if key not in old]}"
        else:
            out.append(line)
    return out


class Snapshot:
    """Host, containers, rules, sysctls and state files at one moment; compare with `==` or `diff`."""

    def __init__(self, containers=(), skeleton=True, sysctls=True, roots=STATE_ROOTS):
        self.lines = network_lines() + ruleset_lines(skeleton) + xtables_lines() + file_lines(roots)
        for container in containers:
            self.lines += network_lines(container)
        if sysctls:
            self.lines += sysctl_lines()

    @classmethod
    def of(cls, lines):
        """A snapshot of nothing but these lines."""
        made = cls.__new__(cls)
        made.lines = list(lines)
        return made

    def diff(self, later):
        """Lines that differ, `-` only before, `+` only later; "" if equal."""
        if self.lines == later.lines:
            return ""
        changed = list(difflib.unified_diff(self.lines, later.lines, lineterm="", n=0))[2:]
        shown = [line[:3000] for line in changed if not line.startswith("@@")]
        shown = _pairs(shown)
        if len(shown) > SHOWN_LINES:
            shown[SHOWN_LINES:] = [f"... and {len(shown) - SHOWN_LINES} more lines"]
        return "\n".join(line[:500] for line in shown)

    def must_equal(self, later, what="state"):
        """AssertionError with the difference unless `later` is the same."""
        difference = self.diff(later)
        assert not difference, f"{what} changed:\n{difference}"
