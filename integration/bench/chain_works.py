# The works of the plugins that run behind the interface plugin: published ports, the whole chain,
# the first packet.

import os
import socket
import struct
import subprocess
import time

import podman_race
from contest import Sample
from ports import FIRST_PORT, NETNS, ChainNetwork, PortmapNetwork, make_host, mappings
from private_host import set_netns

MANY, PARTS = 20000, 20  # mappings that others have on a full host, and how many others these are
SOME = 2000  # what they have when no time decides
PACKET_MAPPINGS = 2000
PORT = 8080


def published(setting):
    """portmap with 1 and with 100 mappings, on every backend that there is."""
    networks = []
    for count in (1, 100):
        networks.append(portmap(setting, setting.ours, f"map{count}", "nft", count, "nftables"))
        for variant in ("nft", "legacy"):
            for plugins in (setting.ours, setting.reference):
                networks.append(portmap(setting, plugins, f"map{count}-{variant}", variant, count,
                                        "iptables"))
                if count > 1 and plugins is setting.reference:
                    networks[-1].rare = 20  # it takes seconds
    setting.race(networks, setting.rounds(60, 1))


def portmap(setting, plugins, kind, variant, count, backend):
    """A PortmapNetwork on a host of its own, with `count` mappings to publish."""
    host = make_host(f"h-{kind}-{plugins.name}", variant)
    network = PortmapNetwork(plugins, kind, next(setting.numbers), host, backend=backend)
    return network.publishing(mappings(count))


def crowded(setting):
    """portmap on a host where others publish nothing, 20,000 ports, or 20,000 ranges."""
    networks = []
    for kind, keys in (("map-among-none", None), ("map-among-20000", {"gap": 1}),
                       ("map-among-ranges", {"length": 2, "gap": 1})):
        host = make_host(f"h-{kind}")
        network = PortmapNetwork(setting.ours, kind, next(setting.numbers), host,
                                 backend="nftables")
        networks.append(network.publishing(mappings(1, 80)))
        if keys is not None:
            fill(setting, kind, host, **keys)
    setting.race(networks, setting.rounds(60, 3))


def fill(setting, kind, host, length=1, gap=0):
    """Has other containers of a host publish MANY single ports, or ranges with equal ports."""
    each, step = (SOME if setting.quick else MANY) // PARTS, length + gap
    for part in range(PARTS):
        first = 1024 + part * each * step
        other = PortmapNetwork(setting.ours, f"{kind}-{part}", next(setting.numbers), host,
                               backend="nftables")
        target = first if length > 1 else 1 + part * each * step
        found = mappings(each, first, target, length, gap)
        setting.arena.run([other.call("ADD", found, "fill")])


def chain(setting):
    """bridge with ipMasq, portmap, firewall and tuning, through libcni."""
    setting.race(list(chains(setting, "chain").values()), setting.rounds(40, 2))


def chains(setting, kind):
    """A ChainNetwork of each contender, on a host of its own, by contender."""
    return {plugins.name: ChainNetwork(plugins, kind, next(setting.numbers),
                                       make_host(f"h-{kind}-{plugins.name}"), setting.libcni)
            for plugins in (setting.ours, setting.reference)}


def parallel_chains(setting):
    """Many such chains at once."""
    count = 8 if setting.quick else 100
    setting.race_at_once("chains", chains(setting, "chains"), count, setting.rounds(3, 1))


class PacketHost:
    """A host whose port PORT is published by a container, with a client beyond it."""

    def __init__(self, setting, kind, number):
        self.kind, self.number = kind, number
        self.host = make_host(f"h-{kind}")
        self.network = PortmapNetwork(setting.ours, kind, next(setting.numbers), self.host,
                                      backend="nftables")
        call = self.network.call("ADD", mappings(1, PORT, 80), "publish")
        setting.arena.run([call])
        self.join_client()
        self.listener = self.socket_in(self.network.netns)
        self.listener.bind(("0.0.0.0", 80))
        self.listener.listen(4096)
        self.listener.setblocking(False)

    def join_client(self):
        """A client's netns with one link to the host."""
        host, client = f"h-{self.kind}", f"c-{self.kind}"
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input=f"""netns add {client}
            link add up0 netns {host} type veth peer name eth0 netns {client}""")
        for netns, link, address in ((host, "up0", 1), (client, "eth0", 2)):
            for words in (f"addr add 198.51.100.{address}/24 dev {link}", f"link set {link} up"):
                subprocess.run(["ip", "-n", netns, *words.split()], check=True)

    def socket_in(self, netns):
        """A TCP socket of that netns."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        set_netns(NETNS + netns)
        try:
            return socket.socket()
        finally:
            set_netns(f"/proc/self/fd/{own}")
            os.close(own)

    def connect(self):
        """What a new connection from the client takes, in ms."""
        client = self.socket_in(f"c-{self.kind}")
        client.settimeout(10)
        # Closed by a reset: nothing of it stays.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        start = time.perf_counter_ns()
        client.connect(("198.51.100.1", PORT))
        took = time.perf_counter_ns() - start
        client.close()
        self.listener.accept()[0].close()
        return took / 1e6


def first_packet(setting):
    """A new connection where 1 and where 2,000 ports are published, by elements and by rules."""
    one = PacketHost(setting, "packet-1", 1)
    many = PacketHost(setting, "packet-2000", 2)
    other = PortmapNetwork(setting.ours, "packet-other", next(setting.numbers), many.host,
                           backend="nftables")
    setting.arena.run([other.call("ADD", mappings(PACKET_MAPPINGS - 1), "publish")])
    linear = PacketHost(setting, "packet-linear", 3)
    add_linear_rules("h-packet-linear")
    found = {host.kind: [] for host in (one, many, linear)}
    for number in range(len(setting.rounds(600, 40)) + 5):
        for host in (one, many, linear):
            took = host.connect()
            if number >= 5:
                found[host.kind].append(Sample(took, 0, 0))
    setting.samples |= {f"{kind}/ours": took for kind, took in found.items() if kind != linear.kind}
    setting.samples["packet-2000/rules"] = found[linear.kind]


def add_linear_rules(netns):
    """As many rules as there are mappings elsewhere, one for each port, before the container's."""
    rules = "".join(f"add rule ip linear prerouting tcp dport {FIRST_PORT + number} dnat to "
                    f"10.255.0.1:80\n" for number in range(PACKET_MAPPINGS))
    table = ("add table ip linear\nadd chain ip linear prerouting "
             "{ type nat hook prerouting priority -110; }\n")
    subprocess.run(["ip", "netns", "exec", netns, "nft", "-f", "-"], input=table + rules, text=True,
                   check=True)


def podman(setting):
    """podman run --rm -p on podman's own network, and without any."""
    rounds = len(setting.rounds(15, 1))
    directories = {plugins.name: plugins.directory
                   for plugins in (setting.ours, setting.reference)}
    for label, walls in podman_race.run(directories, rounds).items():
        setting.samples[label] = [Sample(wall, 0, 0) for wall in walls]


ALL = (published, crowded, chain, parallel_chains, first_packet)
OUTSIDE = (podman,)  # has a machine of its own
