# What a behaviour case is given: our plugins, the reference's, containers, snapshots, configurations.

import os
import pathlib
import shutil
import socket

from cni_call import Plugins
from private_host import Netns, addresses, find_link, ip, nft_rules, set_netns
from snapshot import Snapshot, ruleset_lines

LEASES = pathlib.Path("/var/lib/cni/networks")
DUAL = {"type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]]}
MASQ = {"ipMasq": True, "ipMasqBackend": "nftables"}
FULL = {"isGateway": True, "ipMasq": True, "ipMasqBackend": "nftables", "macspoofchk": True}


class Host:
    """One private host. `ours` are the plugins under test, `theirs` the reference's."""

    def __init__(self, options):
        self.ours = Plugins(options.plugins, strict=not options.calibrate)
        self.theirs = Plugins(options.reference, strict=False)
        assert os.access(f"{self.ours.directory}/bridge", os.X_OK), (
            f"no plugins in {self.ours.directory}: build the release preset first")
        self.containers = []

    def container(self, name):
        """A new container's Netns."""
        made = Netns(name)
        self.containers.append(made)
        return made

    def snapshot(self, **options):
        """The state of host and containers that exist now."""
        alive = [one for one in self.containers if os.path.exists(one.path)]
        return Snapshot(alive, **options)

    def runtime(self, name, plugins=None):
        """The plugins as another runtime would start them: its executable is a copy of dash."""
        shell = f"/run/test/{name}"
        if not os.path.exists(shell):
            shutil.copy("/bin/dash", shell)
        return (plugins or self.ours).through([shell, "-c", '"$0"; exit $?'])

    def owned_rules(self):
        """Rules with an owner's comment and elements of sets and maps, as text: what a DEL must remove."""
        return ruleset_lines(skeleton=False)

    link = staticmethod(find_link)
    addresses = staticmethod(addresses)
    ip = staticmethod(ip)
    nft = staticmethod(nft_rules)


def leases(network="net1", directory=LEASES):
    """Addresses leased on a network: {address: (container id, ifname)}."""
    found = {}
    folder = pathlib.Path(directory) / network
    for path in folder.iterdir() if folder.exists() else ():
        if path.name.startswith(".") or path.name == "lock" or path.name.startswith("last_reserved"):
            continue
        holder, _, ifname = path.read_bytes().decode(errors="replace").partition("\r\n")
        found[path.name] = (holder, ifname)
    return found


HOST_LOCAL = {"type": "host-local", "subnet": "10.1.0.0/24"}


def bridge_config(version="1.1.0", ipam=HOST_LOCAL, **keys):
    """A bridge configuration `net1` on br1 with 10.1.0.0/24 by host-local; ipam=None leaves that key out; keyword keys are added."""
    config = {"cniVersion": version, "name": "net1", "type": "bridge", "bridge": "br1"}
    if ipam is not None:
        config["ipam"] = ipam
    config.update(keys)
    return config


def host_local_config(version="1.1.0", keys=None, **ipam):
    """A host-local configuration `net1`, 10.1.0.0/24 unless a subnet or ranges are given."""
    body = {"type": "host-local", **ipam}
    if "subnet" not in ipam and "ranges" not in ipam:
        body["subnet"] = "10.1.0.0/24"
    return {"cniVersion": version, "name": "net1", "type": "host-local", "ipam": body, **(keys or {})}


def with_runtime(config, **values):
    """The configuration with `runtimeConfig` set to `values`."""
    return {**config, "runtimeConfig": values}


def result_addresses(outcome):
    """Addresses (with prefix) of a 1.x or 0.3+ result."""
    return [entry["address"] for entry in outcome.json["ips"]]


def port_of(host, reply):
    """The host link of a 0.3+ result as an `ip -d link` object."""
    return host.link(reply.json["interfaces"][1]["name"])


def set_up_and_down(host, config, container):
    """One ADD and DEL, so that the bridge and the network's record exist before a snapshot."""
    host.ours.add(config, container).ok()
    host.ours.delete(config, container).ok()


def listen(netns, protocol, match, action):
    """Runs `action()` while a packet socket listens in `netns`; True if `match(frame)` saw one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        set_netns(netns.path)
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        packets.settimeout(20)
        os.write(writer, b"x")
        try:
            while not match(packets.recv(2048)):
                pass
            os._exit(0)
        except OSError:
            os._exit(1)
    os.read(reader, 1)
    action()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def settled(host, container, **keys):
    """(configuration, snapshot) after one ADD and DEL of a bridge with masquerade and spoof guard."""
    config = bridge_config(**{**FULL, **keys})
    host.ours.add(config, container).ok()
    host.ours.delete(config, container).ok()
    return config, host.snapshot()
