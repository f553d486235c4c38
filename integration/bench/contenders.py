# Who competes: our plugins, the reference's, and the floor program; each knows how to ADD and DEL
# an attachment.
"""All three get the same work. The plugins get the same configuration but for the network's and the
bridge's name."""

import itertools

from contest import Call, make_bridge

LEASES = "/var/lib/cni/networks"
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Plugins:
    """The plugins of a directory. `name` is `ours` or `reference`."""

    def __init__(self, arena, name, directory):
        self.arena, self.name, self.directory = arena, name, str(directory)
        self.configs = {}

    def call(self, label, plugin, verb, config, container="c", netns="", host="-"):
        """One call; `config` is a dict, written to a file once per network, verb and kind."""
        key = id(config)
        if key not in self.configs:
            # The dict is kept too, so that its id stays its own.
            self.configs[key] = (self.arena.config(config), config)
        environment = (f"CNI_COMMAND={verb}", f"CNI_CONTAINERID={container}", f"CNI_NETNS={netns}",
                       "CNI_IFNAME=eth0", f"CNI_PATH={self.directory}", f"PATH={SEARCH_PATH}")
        return Call(f"{label}/{self.name}", (f"{self.directory}/{plugin}",), self.configs[key][0],
                    environment, host)

    def version(self):
        """A VERSION call."""
        return self.call("version", "bridge", "VERSION", {})


class BridgeNetwork:
    """One network of a contender: pairs of ADD and DEL calls for containers that each have their
    own id."""

    rare = 1  # it joins every round of a race

    def __init__(self, plugins, kind, number, host="-", **keys):
        self.plugins, self.kind, self.host = plugins, kind, host
        self.ids = itertools.count()
        self.config = {
            "cniVersion": "1.0.0", "name": f"{kind}-{plugins.name}", "type": "bridge",
            "bridge": f"br{number}", "isGateway": True, **keys,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": f"10.{number}.0.0/16"}]],
                     "routes": [{"dst": "0.0.0.0/0"}]}}

    def pair(self, netns):
        """ADD of a new container in `netns` (a path), and its DEL."""
        container = f"{self.kind}{next(self.ids):06}{'0' * 40}"
        return tuple(self.plugins.call(f"{verb.lower()}-{self.kind}", "bridge", verb, self.config,
                                       container, netns, self.host) for verb in ("ADD", "DEL"))


class FloorNetwork:
    """The floor program's network: its bridge is made here, and addresses are counted up."""

    rare = 1

    def __init__(self, arena, kind, number, host="-"):
        self.arena, self.kind, self.number, self.host = arena, kind, number, host
        self.ids = itertools.count(2)
        netns = None if host == "-" else host.rpartition("/")[2]
        make_bridge(f"br{number}", f"10.{number}.0.1/16", netns)

    def pair(self, netns):
        """ADD of a new container in `netns` (a path), and its DEL."""
        count = next(self.ids)
        link = f"fl{self.number}x{count}"
        address, gateway = (f"10.{self.number}.{count >> 8}.{count & 255}/16",
                            f"10.{self.number}.0.1")
        add = (self.arena.floor, "add", netns, "eth0", link, f"br{self.number}", address, gateway)
        return (Call(f"add-{self.kind}/floor", add, host=self.host),
                Call(f"del-{self.kind}/floor", (self.arena.floor, "del", link), host=self.host))


class LeaseNetwork:
    """host-local by itself, on a network that holds `count` leases already, written as the
    reference writes them."""

    rare = 1

    def __init__(self, plugins, count, number, make_directory):
        self.plugins, self.kind = plugins, f"{count}-leases"
        name = f"{self.kind}-{plugins.name}"
        ranges = [[{"subnet": f"10.{number}.0.0/16"}]]
        self.config = {"cniVersion": "1.0.0", "name": name, "type": "bridge",
                       "ipam": {"type": "host-local", "ranges": ranges}}
        self.ids = itertools.count()
        make_directory(f"{LEASES}/{name}", number, count)

    def pair(self, netns):
        """ADD and DEL of one more lease."""
        container = f"more{next(self.ids):06}{'0' * 40}"
        return tuple(self.plugins.call(f"{verb.lower()}-{self.kind}", "host-local", verb,
                                       self.config, container, netns) for verb in ("ADD", "DEL"))
