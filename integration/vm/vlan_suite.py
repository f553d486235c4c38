# What a bridge port may carry: VLAN filtering, the gateway of a VLAN, isolation, hairpin and
# promiscuous mode.
"""Judged by bridge(8), ip(8) and by what reaches whom. The machine's own kernel may be built
without VLAN filtering, so this runs in the VM. Networks of one case share the bridge br1 and the
subnet 10.1.0.0/24, so that only a VLAN can keep them apart."""

import json
import subprocess

from private_host import find_link, wait_until
from test_host import bridge_config, leases

PVID = ["PVID", "Egress Untagged"]


def bridge_tool(*arguments):
    """`bridge -j ARGUMENTS`, parsed."""
    done = subprocess.run(["bridge", "-j", *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout or "[]")


def vlans(port):
    """VLANs of a bridge port as bridge(8) lists them: {vid: [flags]}."""
    found = [entry["vlans"] for entry in bridge_tool("vlan", "show") if entry["ifname"] == port]
    return {vlan["vlan"]: vlan.get("flags", []) for vlan in (found[0] if found else [])}


def port_attributes(port):
    """The port's `bridge -d -j link` object."""
    return next(entry for entry in bridge_tool("-d", "link", "show") if entry["ifname"] == port)


def network(name, first, **keys):
    """A network on br1 leasing ten addresses of 10.1.0.0/24 from 10.1.0.FIRST on."""
    one = {"subnet": "10.1.0.0/24", "rangeStart": f"10.1.0.{first}",
           "rangeEnd": f"10.1.0.{first + 9}"}
    ipam = {"type": "host-local", "ranges": [[one]]}
    return bridge_config("1.0.0", ipam=ipam, **keys) | {"name": name}


class Joined:
    """A container that joined a network: `.netns`, `.address`, `.port` (its link on the bridge),
    `.result`."""

    def __init__(self, host, name, config):
        self.name, self.config = name, config
        self.netns = host.container(name)
        self.result = host.ours.add(config, self.netns, container=name).ok().json
        self.port = self.result["interfaces"][1]["name"]
        addresses = [entry["address"].partition("/")[0] for entry in self.result.get("ips", [])]
        self.address = addresses[0] if addresses else None

    def reaches(self, address):
        """True as soon as the address answers; False after two seconds of silence."""
        return self.netns.ping(address)


def test_vlan_is_the_only_one_of_the_port_and_untagged(host):
    blue = Joined(host, "c1", network("blue", 10, vlan=100))
    assert vlans(blue.port) == {100: PVID}, vlans(blue.port)
    assert find_link("br1")["linkinfo"]["info_data"]["vlan_filtering"] == 1


def test_containers_meet_within_a_vlan_and_not_across(host):
    blue = network("blue", 10, vlan=100)
    one, two = Joined(host, "c1", blue), Joined(host, "c2", blue)
    other = Joined(host, "c3", network("red", 110, vlan=200))
    assert one.reaches(two.address)
    assert not one.reaches(other.address)
    assert not other.reaches(two.address)


def test_preserve_default_vlan_keeps_the_default_beside_the_own(host):
    kept = Joined(host, "c1", network("blue", 10, vlan=100, preserveDefaultVlan=True))
    found = vlans(kept.port)
    assert set(found) == {1, 100}, found
    assert "PVID" in found[100] and "PVID" not in found[1], found


def test_trunk_without_vlan_carries_its_tags_and_vlan_1_untagged(host):
    trunk = [{"minID": 200, "maxID": 202}, {"id": 300}]
    joined = Joined(host, "c1", network("trunk", 10, vlanTrunk=trunk))
    assert vlans(joined.port) == {1: PVID, 200: [], 201: [], 202: [], 300: []}, vlans(joined.port)


def test_trunk_with_vlan_carries_its_tags_and_the_vlan_untagged(host):
    trunk = [{"id": 300}, {"id": 200}]
    joined = Joined(host, "c1", network("trunk", 10, vlan=100, vlanTrunk=trunk))
    assert vlans(joined.port) == {100: PVID, 200: [], 300: []}, vlans(joined.port)


def test_an_empty_trunk_turns_filtering_on_and_leaves_the_port_alone(host):
    joined = Joined(host, "c1", network("trunk", 10, vlanTrunk=[]))
    assert find_link("br1")["linkinfo"]["info_data"]["vlan_filtering"] == 1
    assert vlans(joined.port) == {1: PVID}, vlans(joined.port)


def test_a_tag_of_the_trunk_reaches_the_access_port_of_that_vlan(host):
    trunk = Joined(host, "c1", network("trunk", 10, vlanTrunk=[{"minID": 200, "maxID": 202}]))
    access = Joined(host, "c2", network("blue", 110, vlan=201))
    trunk.netns.run("ip", "link", "add", "link", "eth0", "name", "eth0.201", "type", "vlan",
                    "id", "201")
    trunk.netns.run("ip", "addr", "flush", "dev", "eth0")
    trunk.netns.run("ip", "addr", "add", f"{trunk.address}/24", "dev", "eth0.201")
    trunk.netns.run("ip", "link", "set", "eth0.201", "up")
    assert trunk.reaches(access.address)
    trunk.netns.run("ip", "link", "set", "eth0.201", "down")
    assert not trunk.reaches(access.address)


def test_gateway_of_a_vlan_is_a_link_of_its_own(host):
    blue = network("blue", 10, vlan=100, isGateway=True)
    one = Joined(host, "c1", blue)
    assert host.addresses("br1.100") == ["10.1.0.1/24"]
    assert host.addresses("br1") == []
    assert one.result["interfaces"][3]["name"] == "br1.100", one.result["interfaces"]
    assert one.result["interfaces"][3]["mac"] == find_link("br1.100")["address"]
    assert one.reaches("10.1.0.1")
    two = Joined(host, "c2", blue)
    assert two.reaches("10.1.0.1") and two.reaches(one.address)
    other = Joined(host, "c3", network("red", 110, vlan=200))
    assert not other.reaches("10.1.0.1")


def test_two_vlans_of_a_bridge_have_a_gateway_each(host):
    blue = Joined(host, "c1", network("blue", 10, vlan=100, isGateway=True))
    config = network("red", 10, vlan=200, isGateway=True)
    config["ipam"]["ranges"] = [[{"subnet": "10.2.0.0/24"}]]
    red = Joined(host, "c2", config)
    assert host.addresses("br1.100") == ["10.1.0.1/24"]
    assert host.addresses("br1.200") == ["10.2.0.1/24"]
    assert blue.reaches("10.1.0.1") and red.reaches("10.2.0.1")


def test_check_accepts_the_port_and_notices_a_lost_vlan(host):
    config = network("blue", 10, vlan=100, isGateway=True, vlanTrunk=[{"id": 300}])
    joined = Joined(host, "c1", config)
    host.ours.check(config, joined.netns, joined.result, container="c1").ok()
    subprocess.run(["bridge", "vlan", "del", "vid", "300", "dev", joined.port], check=True)
    host.ours.check(config, joined.netns, joined.result, container="c1").error()


def test_delete_removes_the_port_and_its_vlans(host):
    config = network("blue", 10, vlan=100, isGateway=True)
    first = Joined(host, "c1", config)
    before = bridge_tool("vlan", "show")
    second = Joined(host, "c2", config)
    assert bridge_tool("vlan", "show") != before
    host.ours.delete(config, second.netns, container="c2").ok()
    host.ours.delete(config, second.netns, container="c2").ok()
    assert bridge_tool("vlan", "show") == before
    assert find_link(second.port) is None and find_link(first.port)
    assert set(leases("blue")) == {first.address}


def test_a_bridge_without_filtering_is_not_taken_for_one_with_it(host):
    subprocess.run(["ip", "link", "add", "br1", "up", "type", "bridge", "vlan_filtering", "0"],
                   check=True)
    config = network("blue", 10, vlan=100)
    done = host.ours.add(config, host.container("c1"), container="c1")
    if done.code == 0:
        filtering = find_link("br1")["linkinfo"]["info_data"]["vlan_filtering"]
        assert filtering == 1, "a VLAN was asked for and is not applied"
        assert vlans(done.json["interfaces"][1]["name"]) == {100: PVID}
    else:
        done.error(7)


def test_isolated_ports_reach_the_gateway_and_not_each_other(host):
    config = network("apart", 10, isGateway=True, portIsolation=True)
    one, two = Joined(host, "c1", config), Joined(host, "c2", config)
    assert port_attributes(one.port)["isolated"] is True
    assert one.reaches("10.1.0.1") and two.reaches("10.1.0.1")
    assert not one.reaches(two.address)
    open_port = Joined(host, "c3", network("open", 110))
    assert port_attributes(open_port.port)["isolated"] is False
    assert one.reaches(open_port.address)


def test_hairpin_mode_is_of_the_port(host):
    looped = Joined(host, "c1", network("looped", 10, hairpinMode=True))
    plain = Joined(host, "c2", network("plain", 110))
    assert port_attributes(looped.port)["hairpin"] is True
    assert port_attributes(plain.port)["hairpin"] is False


def test_promiscuous_mode_is_of_the_bridge(host):
    Joined(host, "c1", network("plain", 10))
    assert "PROMISC" not in find_link("br1")["flags"]
    config = network("keen", 110, promiscMode=True) | {"bridge": "br2"}
    joined = Joined(host, "c2", config)
    assert "PROMISC" in find_link("br2")["flags"]
    host.ours.check(config, joined.netns, joined.result, container="c2").ok()


def test_layer_2_port_of_a_vlan_is_up_without_an_address(host):
    config = bridge_config("1.0.0", ipam=None, vlan=100)
    joined = Joined(host, "c1", config)
    assert vlans(joined.port) == {100: PVID}
    wait_until(lambda: joined.netns.link()["operstate"] == "UP", what="eth0 up")
    assert joined.netns.addresses() == []
