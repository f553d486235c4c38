# What portmap, firewall and tuning may do at most, counted by strace: alone on a host, and beside
# thousands of other mappings.
"""Each plugin runs behind an endpoint of our bridge on a network that runs: tables, chains and
records exist. On the crowded host others publish ports and have their addresses forwarded; that
must cost not one system call, and not one message, more."""

import collections
import json
import subprocess

import traced
from contenders import SEARCH_PATH
from contest import crowd, make_netns
from ports import mappings

OTHER_MAPPINGS, OTHERS, OTHER_LINKS = 2000, 4, 400
TRACE = "/run/test/trace"
Limit = collections.namedtuple("Limit", "messages calls programs", defaults=(0,))
IPTABLES_PROGRAMS = 2  # one transaction for each family

PUBLISHED = {"runtimeConfig": {"portMappings": mappings(1, 80, 80)}}
HUNDRED = {"runtimeConfig": {"portMappings": mappings(100)}}
# Per case: the plugin, its keys, and the limits of ADD and DEL. The endpoint has an address of each
# family, so that 100 mappings are 200 elements.
CASES = {
    "portmap, 1 mapping": ("portmap", {"backend": "nftables", **PUBLISHED}, Limit(14, 100),
                           Limit(13, 80)),
    "portmap, 100 mappings": ("portmap", {"backend": "nftables", **HUNDRED}, Limit(36, 105),
                              Limit(240, 290)),
    "portmap without mappings": ("portmap", {}, Limit(0, 40), Limit(0, 55)),
    "firewall": ("firewall", {"backend": "nftables"}, Limit(17, 120), Limit(9, 80)),
    "tuning without changes": ("tuning", {}, Limit(0, 40), Limit(0, 60)),
    "portmap on iptables": ("portmap", {"backend": "iptables", **PUBLISHED},
                            Limit(90, 1000, IPTABLES_PROGRAMS), Limit(60, 1000, IPTABLES_PROGRAMS)),
    "firewall on iptables": ("firewall", {"backend": "iptables"},
                             Limit(60, 1000, IPTABLES_PROGRAMS), Limit(60, 1000, IPTABLES_PROGRAMS)),
}


class Endpoint:
    """A container on our bridge, behind which plugins are called."""

    def __init__(self, plugins, name):
        self.plugins, self.name = plugins, name
        make_netns([name])
        ipam = {"type": "host-local",
                "ranges": [[{"subnet": "10.1.0.0/16"}], [{"subnet": "2001:db8:1::/64"}]]}
        bridge = {"bridge": "br1", "isDefaultGateway": True, "ipMasq": True, "ipam": ipam}
        self.result = json.loads(self.call("bridge", "ADD", bridge)[0])

    def call(self, plugin, verb, keys, trace=None):
        """One call: its output and, if `trace` names a file for it, its Trace."""
        config = {"cniVersion": "1.0.0", "name": "n1", "type": plugin, **keys}
        if plugin != "bridge":
            config["prevResult"] = self.result
        environment = {"CNI_COMMAND": verb, "CNI_CONTAINERID": self.name, "CNI_IFNAME": "eth0",
                       "CNI_NETNS": f"/run/netns/{self.name}", "CNI_PATH": str(self.plugins),
                       "PATH": SEARCH_PATH}
        return traced.run([f"{self.plugins}/{plugin}"], environment, json.dumps(config), trace)


def measure(plugins):
    """Per case and verb: the traces on a bare host and on a crowded one."""
    counted = Endpoint(plugins, "counted")
    for plugin, keys, _, _ in CASES.values():  # tables and chains are made
        counted.call(plugin, "ADD", keys)
        counted.call(plugin, "DEL", keys)
    bare = traces(counted)
    crowd(OTHER_LINKS)
    for number in range(OTHERS):
        other = Endpoint(plugins, f"other{number}")
        share = OTHER_MAPPINGS // OTHERS
        published = {"backend": "nftables", "runtimeConfig": {
            "portMappings": mappings(share, 30000 + number * share, 1000)}}
        other.call("portmap", "ADD", published)
        other.call("firewall", "ADD", {"backend": "nftables"})
    subprocess.run(["conntrack", "-F"], capture_output=True, check=False)
    crowded = traces(counted)
    return {name: (bare[name], crowded[name]) for name in bare}


def traces(endpoint):
    """The traces of all cases, by case and verb."""
    found = {}
    for name, (plugin, keys, *_) in CASES.items():
        for verb in ("ADD", "DEL"):
            found[name, verb] = endpoint.call(plugin, verb, keys, TRACE)[1]
    return found


def judge(tap, case, bare, crowded):
    """The checks of one case and verb, as judged by the `Tap`."""
    name, verb = case
    limit = CASES[name][2 if verb == "ADD" else 3]
    said, dumps = f"{name}, {verb}", bare.unbounded_dumps()
    messages, programs = len(bare.messages()), bare.names[1:].count("execve")
    tap.check(messages <= limit.messages,
              f"{said}: {messages} netlink messages (at most {limit.messages})")
    tap.check(len(bare.names) <= limit.calls,
              f"{said}: {len(bare.names)} system calls (at most {limit.calls})")
    tap.check(programs <= limit.programs,
              f"{said}: {programs} programs started (at most {limit.programs})")
    if limit.programs:
        return
    tap.check(not dumps,
              f"{said}: {len(dumps)} dumps that grow with the host {sorted(set(dumps)) or ''}")
    more_calls = len(crowded.names) - len(bare.names)
    more_messages = len(crowded.messages()) - messages
    tap.check(max(more_calls, more_messages) <= 0,
              f"{said}: {more_calls} system calls and {more_messages} messages more beside "
              f"{OTHER_MAPPINGS} mappings (none)")
