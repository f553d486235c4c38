# Contenders that publish ports: portmap by itself behind an endpoint that stays, and the whole
# chain through libcni.
"""Each network lives on a host of its own, a network namespace, so that no packet filter is shared.
A host is of a variant: `nft`, where iptables is the nft variant, or `legacy`, where the legacy
tables are in use."""

import itertools
import json
import pathlib
import subprocess

from contenders import SEARCH_PATH
from contest import WORK, Call, make_netns

LEGACY_PATH = WORK / "legacy"
NETNS = "/run/netns/"
FIRST_PORT = 20000


def mappings(count, first=FIRST_PORT, target=1000, length=1, gap=0):
    """`count` mappings, on purpose to other ports than the host's unless `target` says so; each is
    `length` ports long and `gap` ports away from the next."""
    found = []
    for start in range(0, count * (length + gap), length + gap):
        mapping = {"hostPort": first + start, "containerPort": target + start, "protocol": "tcp"}
        if length > 1:
            mapping["hostPortEnd"] = first + start + length - 1
        found.append(mapping)
    return found


def make_host(name, variant="nft"):
    """A host's netns; its path and the PATH that its iptables is found in."""
    make_netns([name])
    host = NETNS + name
    if variant == "nft":
        return host, SEARCH_PATH
    for family in ("iptables", "ip6tables"):
        for table in ("nat", "filter"):
            subprocess.run(["ip", "netns", "exec", name, f"{family}-legacy", "-t", table, "-S"],
                           check=True, stdout=subprocess.DEVNULL)
        for suffix in ("", "-save", "-restore"):
            link = LEGACY_PATH / f"{family}{suffix}"
            LEGACY_PATH.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to("/usr/sbin/xtables-legacy-multi")
    return host, f"{LEGACY_PATH}:{SEARCH_PATH}"


class PortmapNetwork:
    """portmap's ADD and DEL of the same mappings, behind an endpoint of the same contender's bridge
    plugin. `host` is what make_host gave."""

    def __init__(self, plugins, kind, number, host, rare=1, **keys):
        self.plugins, self.kind, self.rare = plugins, kind, rare
        self.host, self.path = host
        self.netns = f"{kind}-{plugins.name}"
        self.container = f"{self.netns}{'0' * 40}"
        self.config = {"cniVersion": "1.0.0", "name": f"n{self.netns}", "type": "portmap", **keys}
        self.config["prevResult"] = self.join(number)

    def join(self, number):
        """ADD of the endpoint: its result."""
        make_netns([self.netns])
        bridge = {"cniVersion": "1.0.0", "name": self.config["name"], "type": "bridge",
                  "bridge": f"br{number}", "isDefaultGateway": True,
                  "ipam": {"type": "host-local", "ranges": [[{"subnet": f"10.{number}.0.0/16"}]]}}
        call = self.plugins.call("join", "bridge", "ADD", bridge, self.container,
                                 NETNS + self.netns, self.host)
        output = self.plugins.arena.output(call)
        return json.loads(output)

    def call(self, verb, published, label=None):
        """One call of portmap with these mappings."""
        config = self.published(json.dumps(published))
        call = self.plugins.call(label or f"{verb.lower()}-{self.kind}", "portmap", verb, config,
                                 self.container, NETNS + self.netns, self.host)
        return Call(call.label, call.argv, call.stdin,
                    (*call.environment[:-1], f"PATH={self.path}"), call.host)

    def published(self, text):
        """The configuration with these mappings; the same object for the same text."""
        made = self.__dict__.setdefault("made", {})
        if text not in made:
            made[text] = {**self.config, "runtimeConfig": {"portMappings": json.loads(text)}}
        return made[text]

    def publishing(self, found):
        """Makes `pair` publish these mappings; gives the network itself."""
        self.pair = lambda _: (self.call("ADD", found), self.call("DEL", found))
        return self


class ChainNetwork:
    """bridge with ipMasq, portmap, firewall and tuning, run by libcni as a runtime does."""

    rare = 1

    def __init__(self, plugins, kind, number, host, driver):
        self.plugins, self.kind, self.driver = plugins, kind, str(driver)
        self.host, self.path = host
        self.ids = itertools.count()
        ipam = {"type": "host-local", "ranges": [[{"subnet": f"10.{number}.0.0/16"}]],
                "routes": [{"dst": "0.0.0.0/0"}]}
        self.conflist = plugins.arena.config({
            "cniVersion": "0.4.0", "name": f"{kind}-{plugins.name}", "plugins": [
                {"type": "bridge", "bridge": f"br{number}", "isGateway": True, "ipMasq": True,
                 "hairpinMode": True, "ipam": ipam},
                {"type": "portmap", "capabilities": {"portMappings": True}},
                {"type": "firewall", "backend": ""}, {"type": "tuning"}]})
        named = f"{self.conflist}.conflist"
        pathlib.Path(self.conflist).rename(named)
        self.conflist = named

    def pair(self, netns):
        """ADD of a new container in `netns` (a path) with one published port, and its DEL."""
        number = next(self.ids)
        container = f"{self.kind}{number:06}{'0' * 40}"
        published = json.dumps({"portMappings": mappings(1, FIRST_PORT + number % 10000, 80)})
        environment = (f"CNI_PATH={self.plugins.directory}",
                       f"CNI_CACHE={WORK}/cache-{self.plugins.name}", f"PATH={self.path}")
        return tuple(Call(f"{verb}-{self.kind}/{self.plugins.name}",
                          (self.driver, verb, self.conflist, container, netns, "eth0", "",
                           published), environment=environment, host=self.host)
                     for verb in ("add", "del"))
