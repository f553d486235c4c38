# The chain of portmap, firewall, tuning and bandwidth as a bench for faults: behind our bridge plugin and
# behind the reference's.
"""A scene is one verb of one plugin in one place of the chain. To try a point, the chain is made up to
that plugin (ADD) or whole and unmade down to it (DEL), the plugin's call is hit, and all is cleaned up by
the chain's DELs, by GC with an empty list, or by that plugin's ADD once more and the DELs.

Behind a foreign bridge the interface stays all the time: so what the four changed on it (MAC, MTU, flags,
qdiscs) must be as before too."""

import dataclasses
import json
import re
import subprocess

import injection
from cni_call import Plugins
from private_host import Netns, wait_until
from snapshot import STATE_ROOTS, Snapshot, file_lines, sysctl_lines, sysctl_paths

NAME, VERSION = "net1", "1.0.0"  # the newest version that the packaged bridge knows
GC_VERSION = "1.1.0"  # the first with GC
BRIDGE = {"type": "bridge", "bridge": "br1", "isGateway": True,
          "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]],
                   "routes": [{"dst": "0.0.0.0/0"}]}}
PORTS = [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
         {"hostPort": 5353, "containerPort": 53, "protocol": "udp", "hostIP": "127.0.0.1"}]
PLUGINS = {
    "portmap": {"runtimeConfig": {"portMappings": PORTS}},
    "firewall": {"ingressPolicy": "same-bridge"},
    "tuning": {"mac": "02:00:00:00:00:05", "mtu": 1400, "promisc": True, "allmulti": True,
               "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
    "bandwidth": {"ingressRate": 10000000, "ingressBurst": 1000000, "egressRate": 20000000,
                  "egressBurst": 1000000},
}
OURS, FOREIGN, IPTABLES = "behind our bridge", "behind a foreign bridge", "on iptables behind a foreign bridge"
BACKED = ("portmap", "firewall")  # the plugins that have a backend
REBUILD = "ADD to a flushed packet filter"
AGAIN = "ADD again and DEL"
OWNED = re.compile(r"10\.1\.0\.|2001:db8:1:|\bid: |\bbr1\b|CNI-DN-|CNI-[0-9a-f]{8}")
LINKS = ("all", "default", "lo", "br1", "eth0")


@dataclasses.dataclass(frozen=True)
class Scene:
    """One verb of one plugin in one place."""

    plugin: str
    verb: str
    place: str

    def __str__(self):
        return f"{self.plugin} {self.verb} {self.place}"

    def ways(self):
        """How to clean up."""
        return ("DEL", "GC") if self.verb == "DEL" else ("DEL", "GC", AGAIN)


def scenes():
    """All of them."""
    made = [Scene(plugin, verb, place) for place in (OURS, FOREIGN) for plugin in PLUGINS for verb in ("ADD", "DEL")]
    made += [Scene(plugin, verb, IPTABLES) for plugin in BACKED for verb in ("ADD", "DEL")]
    return made + [Scene("portmap", REBUILD, OURS)]


def xtables_rules():
    """Rules that name the container or its bridge, made by the nft variant of iptables: `nft -j` shows them
    without their comments. The chains' own rules stay, as the reference's do."""
    lines = []
    for command in ("iptables-nft-save", "ip6tables-nft-save"):
        done = subprocess.run([command], capture_output=True, text=True, check=True)
        lines += sorted(f"{command} {line}" for line in done.stdout.splitlines() if OWNED.search(line))
    return lines


def shaping_lines():
    """Qdiscs of all links that have one, and the filters at their ingress."""
    text = subprocess.run(["tc", "-j", "qdisc", "show"], capture_output=True, text=True, check=True).stdout
    shaped = [one for one in json.loads(text) if one["kind"] != "noqueue"]
    lines = [f"qdisc {one['dev']} {one['kind']}" for one in shaped]
    for link in sorted({one["dev"] for one in shaped}):
        done = subprocess.run(["tc", "filter", "show", "dev", link, "ingress"], capture_output=True, text=True)
        lines += [f"filter {link} {line}" for line in done.stdout.splitlines()]
    return sorted(lines)


class ChainBench:
    """A private host with one container and a baseline, for the scenes of one place."""

    def __init__(self, options, scene):
        self.scene = scene
        self.ours = Plugins(options.plugins, strict=not options.calibrate)
        foreign = scene.place != OURS
        self.theirs = Plugins(options.reference, strict=False) if foreign else self.ours
        self.interface = {"name": NAME, "cniVersion": VERSION, **BRIDGE}
        if not foreign and not options.calibrate:
            self.interface.update(ipMasq=True, ipMasqBackend="nftables")
        self.container, self.result, self.sysctls = Netns("c1"), None, []
        if foreign:
            self.add_interface()
            self.mac = self.container.link()["address"]
        self.make(PLUGINS)
        self.unmake()
        self.baseline = self.look()

    def config(self, plugin):
        """The configuration of one of the four, with the interface's result."""
        config = {"name": NAME, "cniVersion": VERSION, "type": plugin, **PLUGINS[plugin]}
        if self.scene.place == IPTABLES and plugin in BACKED:
            config["backend"] = "iptables"
        return {**config, "prevResult": self.result} if self.result else config

    def call(self):
        """The scene's plugin call as an injection.Call."""
        environment = self.ours.environment(self.scene.verb.split()[0], netns=self.container)
        return injection.Call(f"{self.ours.directory}/{self.scene.plugin}", environment,
                              injection.encode(self.config(self.scene.plugin)))

    def add_interface(self):
        """ADD of the interface plugin."""
        self.result = self.theirs.add(self.interface, self.container).ok().json

    def make(self, plugins):
        """ADD of the interface, if it does not stay, and of these."""
        if self.scene.place == OURS:
            self.add_interface()
        for plugin in plugins:
            self.ours.add(self.config(plugin), self.container).ok()

    def unmake(self):
        """DEL of the chain, in reverse order, and of the interface if it does not stay."""
        for plugin in reversed(PLUGINS):
            self.ours.delete(self.config(plugin), self.container).ok()
        if self.scene.place == OURS:
            self.theirs.delete(self.interface, self.container).ok()

    def collect(self):
        """GC of the chain with an empty list."""
        if self.scene.place == OURS:
            self.ours.collect({**self.interface, "cniVersion": GC_VERSION}, []).ok()
        for plugin in PLUGINS:
            self.ours.collect({"name": NAME, "cniVersion": GC_VERSION, "type": plugin, **PLUGINS[plugin]}, []).ok()

    def look(self):
        """The state that must be equal."""
        seen = Snapshot([self.container], skeleton=False, sysctls=False, roots=())
        if not any("/br1/" in path for path in self.sysctls):
            self.sysctls = sysctl_paths(LINKS)
        seen.lines += [*file_lines((*STATE_ROOTS, "/run/cni")), *sysctl_lines(self.sysctls), *xtables_rules(),
                       *shaping_lines(), *self.sandbox_sysctls()]
        return seen

    def sandbox_sysctls(self):
        """What tuning changes in the container, while its interface is there."""
        name = "net/ipv4/conf/eth0/arp_filter"
        return [f"sandbox sysctl {name} {self.container.sysctl(name)}"] if self.container.link() else []

    def prepare(self):
        """All that comes before the scene's call."""
        before = list(PLUGINS)[:list(PLUGINS).index(self.scene.plugin)]
        if self.scene.verb == "DEL":
            self.make(PLUGINS)
            for plugin in reversed(list(PLUGINS)[len(before) + 1:]):
                self.ours.delete(self.config(plugin), self.container).ok()
            return
        self.make(before)
        if self.scene.verb == REBUILD:
            subprocess.run(["nft", "flush", "ruleset"], check=True)

    def clean_up(self, how):
        """After the hit."""
        if how == "GC":
            self.collect()
            return
        if how == AGAIN:
            self.ours.add(self.config(self.scene.plugin), self.container).ok()
        self.unmake()

    def try_point(self, _, point, how):
        """Hits one point; returns the complaint, "" if all is well."""
        self.prepare()
        code = injection.run(self.call(), point)
        if code not in (0, 1, -9):
            return f"exit code {code}"
        try:
            self.clean_up(how)
            if how == "GC" or self.gives_up(point):
                self.put_back()
            wait_until(lambda: self.look().lines == self.baseline.lines)
        except AssertionError as error:
            difference = self.baseline.diff(self.look())
            return f"{error}\n{difference}" if difference else ("" if "not within" in str(error) else str(error))
        return ""

    def gives_up(self, point):
        """Whether this failure stops the DEL of tuning from putting back: it warns and goes on, because the link
        is about to go."""
        return (self.scene.plugin, self.scene.verb) == ("tuning", "DEL") and point.action.startswith("error")

    def put_back(self):
        """What tuning changed in a container: GC leaves it, for the container is gone."""
        if self.container.link():
            self.container.run("ip", "link", "set", "eth0", "address", self.mac, "mtu", "1500", "promisc", "off",
                               "allmulticast", "off")
            self.container.run("sysctl", "-qw", "net.ipv4.conf.eth0.arp_filter=0")


def trace(options, scene):
    """The points of a scene."""
    bench = ChainBench(options, scene)
    bench.prepare()
    return injection.trace(bench.call(), "/run/test/trace")
