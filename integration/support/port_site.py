# A host with a bridge, an outside network and published ports, on one packet filter.

import os
import pathlib
import subprocess

from snapshot import Snapshot, file_lines, ruleset_lines, xtables_lines
from test_host import bridge_config

BACKENDS = ("nftables", "iptables-nft", "iptables-legacy")
IPTABLES = BACKENDS[1:]
LEGACY_TOOLS = ("iptables", "iptables-save", "iptables-restore",
                "ip6tables", "ip6tables-save", "ip6tables-restore")
GATEWAY, GATEWAY6 = "10.1.0.1", "2001:db8:1::1"     # the host on the containers' bridge
HOST, HOST6 = "203.0.113.1", "2001:db8:f::1"        # the host as the outside knows it
CLIENT, CLIENT6 = "203.0.113.2", "2001:db8:f::2"    # the outside


def choose_iptables(variant):
    """Makes `iptables` mean the variant: for the plugins, for the reference's and for who judges."""
    if variant != "iptables-legacy":
        return
    tools = pathlib.Path("/run/test/legacy")
    tools.mkdir(exist_ok=True)
    for tool in LEGACY_TOOLS:
        (tools / tool).symlink_to("/usr/sbin/xtables-legacy-multi")
    os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"


def saved_rules():
    """What iptables-save and ip6tables-save print of rules, both families."""
    lines = []
    for tool in ("iptables-save", "ip6tables-save"):
        done = subprocess.run([tool], capture_output=True, text=True, check=True)
        lines += [line for line in done.stdout.splitlines() if line.startswith("-A")]
    return lines


def ip_batch(text, netns=None):
    """Runs `ip -batch`, in a Netns if one is given."""
    command = ["ip", *(["-n", netns.name] if netns else []), "-batch", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}: {done.stderr}"


class Container:
    """A container on a bridge: `.netns`, the `.result` of its ADD, its first `.v4` and `.v6`."""

    def __init__(self, netns, result):
        self.netns, self.name = netns, netns.name
        self.result = {key: value for key, value in result.items() if value != {}}  # "dns": {} is no news
        addresses = [entry["address"].split("/")[0] for entry in result["ips"]]
        self.v4 = next((one for one in addresses if "." in one), None)
        self.v6 = next((one for one in addresses if ":" in one), None)


class Site:
    """`host` with the chain bridge + portmap. The interface plugin is ours unless another is given."""

    def __init__(self, host, variant, version="1.1.0"):
        choose_iptables(variant)
        self.host, self.variant, self.version = host, variant, version
        self.backend = "nftables" if variant == "nftables" else "iptables"
        self.outside = host.container("outside")
        # No duplicate address detection: its link-local address is the source of neighbour discovery.
        self.outside.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        ip_batch(f"link add up0 type veth peer name eth9 netns outside\n"
                 f"addr add {HOST}/24 dev up0\naddr add {HOST6}/64 dev up0 nodad\nlink set up0 up\n")
        ip_batch(f"addr add {CLIENT}/24 dev eth9\naddr add {CLIENT6}/64 dev eth9 nodad\n"
                 f"link set eth9 up\nroute add default via {HOST}\nroute add default via {HOST6}\n",
                 self.outside)

    def bridge(self, network="net1", number=1, **keys):
        """The interface plugin's configuration: both families, the host is the gateway."""
        ipam = {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                "ranges": [[{"subnet": f"10.{number}.0.0/24"}], [{"subnet": f"2001:db8:{number}::/64"}]]}
        config = bridge_config(self.version, ipam, isGateway=True, **keys)
        return {**config, "name": network, "bridge": f"br{number}"}

    def container(self, name="c1", plugins=None, config=None):
        """A new container, connected."""
        netns = self.host.container(name)
        reply = (plugins or self.host.ours).add(config or self.bridge(), netns, container=name).ok()
        return Container(netns, reply.json)

    def disconnect(self, container, config=None):
        """The interface plugin's DEL."""
        self.host.ours.delete(config or self.bridge(), container.netns, container=container.name).ok()

    def config(self, *mappings, network="net1", **keys):
        """portmap's configuration; a mapping is a dict or (host port, container port, protocol)."""
        ports = [one if isinstance(one, dict) else mapping(*one) for one in mappings]
        return {"cniVersion": self.version, "name": network, "type": "portmap",
                "backend": self.backend, "runtimeConfig": {"portMappings": ports}, **keys}

    def add(self, container, *mappings, plugins=None, **keys):
        """portmap's ADD, as an Outcome."""
        config = {**self.config(*mappings, **keys), "prevResult": container.result}
        return (plugins or self.host.ours).add(config, container.netns, container=container.name)

    def publish(self, container, *mappings, **keys):
        """portmap's ADD, which must succeed and hand on the result unchanged."""
        passed = Container(container.netns, self.add(container, *mappings, **keys).ok().json)
        assert passed.result == container.result, f"{container.result} became {passed.result}"

    def withdraw(self, container, *mappings, plugins=None, **keys):
        """portmap's DEL as a runtime calls it, which must succeed and say nothing."""
        config = {**self.config(*mappings, **keys), "prevResult": container.result}
        (plugins or self.host.ours).delete(config, container.netns, container=container.name).ok()

    def check(self, container, *mappings, plugins=None, **keys):
        """portmap's CHECK, as an Outcome."""
        return (plugins or self.host.ours).check(self.config(*mappings, **keys), container.netns,
                                                 container.result, container=container.name)

    def settle(self, *mappings, **keys):
        """A snapshot after one container came and went: with all that never goes again."""
        container = self.container("settler")
        self.publish(container, *mappings, **keys)
        self.withdraw(container, *mappings, **keys)
        self.disconnect(container)
        return self.snapshot()

    @staticmethod
    def snapshot():
        """Every rule of the host, of whatever kind, and our state files: what portmap could leave."""
        return Snapshot.of(ruleset_lines() + xtables_lines() + file_lines(["/run/cnm"]))

    def rules(self):
        """Rules and elements that belong to a container, as the backend's own tool prints them."""
        if self.variant == "nftables":
            return ruleset_lines(skeleton=False)
        return [line for line in saved_rules() if "CNI-DN-" in line]


def mapping(host_port, container_port=None, protocol="tcp", host_ip="", end=None):
    """One of portMappings, in podman's spelling."""
    made = {"hostPort": host_port, "containerPort": container_port or host_port, "protocol": protocol,
            "hostIP": host_ip}
    if end:
        made["hostPortEnd"] = end
    return made
