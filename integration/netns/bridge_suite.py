# The bridge plugin: what each key does to links, addresses, routes and rules; ADD and DEL.

import os
import pathlib
import re

from private_host import set_netns, wait_until
from tap import skip_unless
from test_host import DUAL, bridge_config, leases, port_of, result_addresses, set_up_and_down, with_runtime


def test_add_makes_bridge_veth_address_and_result(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(), c1).ok()
    bridge, port, inside = host.link("br1"), port_of(host, reply), c1.link()
    assert bridge["linkinfo"]["info_kind"] == "bridge" and "UP" in bridge["flags"]
    assert port["linkinfo"]["info_kind"] == "veth" and port["master"] == "br1" and "UP" in port["flags"]
    assert re.fullmatch(r"veth[0-9a-f]{11}", port["ifname"]), port["ifname"]
    assert inside["linkinfo"]["info_kind"] == "veth" and "UP" in inside["flags"]
    assert c1.addresses() == ["10.1.0.2/24"] == result_addresses(reply)
    assert [entry["mac"] for entry in reply.json["interfaces"]] == [
        bridge["address"], port["address"], inside["address"]]
    assert "gateway" in reply.json["ips"][0]  # host-local gives it, with isGateway or without
    assert leases() == {"10.1.0.2": ("c1", "eth0")}


def test_del_removes_link_and_lease_and_keeps_the_bridge(host):
    c1 = host.container("c1")
    set_up_and_down(host, bridge_config(), c1)
    before = host.snapshot()
    host.ours.add(bridge_config(), c1).ok()
    host.ours.delete(bridge_config(), c1).ok()
    before.must_equal(host.snapshot())
    assert host.link("br1") and leases() == {} and not c1.link()


def test_two_containers_reach_each_other(host):
    c1, c2 = host.container("c1"), host.container("c2")
    host.ours.add(bridge_config(ipam=DUAL), c1).ok()
    host.ours.add(bridge_config(ipam=DUAL), c2, container="c2").ok()
    assert c1.ping("10.1.0.3") and c2.ping("10.1.0.2")
    assert c1.ping("2001:db8:1::3") and c2.ping("2001:db8:1::2")


def test_veth_ends_have_the_queue_lengths_of_the_reference(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(), c1).ok()
    assert c1.link()["txqlen"] == 1000 and port_of(host, reply).get("txqlen", 0) == 0


def test_host_link_carries_its_owner_in_the_alias(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(), c1).ok()
    assert port_of(host, reply).get("ifalias"), "no alias on the host link"


def test_default_bridge_is_cni0(host):
    c1 = host.container("c1")
    config = bridge_config()
    del config["bridge"]
    host.ours.add(config, c1).ok()
    assert host.link("cni0")


def test_an_empty_bridge_name_is_an_error(host):
    c1 = host.container("c1")
    before = host.snapshot()
    host.ours.add(bridge_config(bridge=""), c1).error(7)
    before.must_equal(host.snapshot())


def test_mtu_reaches_both_ends_and_a_new_bridge(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(mtu=1400), c1).ok()
    assert c1.link()["mtu"] == port_of(host, reply)["mtu"] == host.link("br1")["mtu"] == 1400


def test_an_existing_bridge_keeps_mac_and_mtu(host):
    c1 = host.container("c1")
    os.system("ip link add br1 type bridge && ip link set br1 address 02:aa:bb:cc:dd:ee mtu 1450")
    host.ours.add(bridge_config(mtu=1400), c1).ok()
    bridge = host.link("br1")
    assert bridge["address"] == "02:aa:bb:cc:dd:ee", bridge
    assert bridge["mtu"] == 1450 and "UP" in bridge["flags"], bridge


def test_mtu_out_of_range_is_refused(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for mtu in (-1, 20, 70000, 2**40):
        host.ours.add(bridge_config(mtu=mtu), c1).error((6, 7), "mtu")
        before.must_equal(host.snapshot(), str(mtu))


def test_hairpin_mode_is_set_on_the_port_only_if_asked(host):
    for name, value in (("c1", True), ("c2", False)):
        reply = host.ours.add(bridge_config(hairpinMode=value), host.container(name), container=name).ok()
        assert port_of(host, reply)["linkinfo"]["info_slave_data"]["hairpin"] is value


def test_port_isolation_separates_containers_and_not_the_gateway(host):
    c1, c2, c3 = (host.container(name) for name in ("c1", "c2", "c3"))
    for name, one in (("c1", c1), ("c2", c2)):
        reply = host.ours.add(bridge_config(portIsolation=True, isGateway=True), one, container=name).ok()
        assert port_of(host, reply)["linkinfo"]["info_slave_data"]["isolated"] is True
    host.ours.add(bridge_config(isGateway=True), c3, container="c3").ok()
    assert c1.ping("10.1.0.1") and c1.ping("10.1.0.4")
    assert not c1.ping("10.1.0.3")


def test_promisc_mode_is_set_on_the_bridge(host):
    host.ours.add(bridge_config(promiscMode=True), host.container("c1")).ok()
    assert host.link("br1")["promiscuity"] >= 1 and "PROMISC" in host.link("br1")["flags"]


def test_hairpin_and_promisc_exclude_each_other(host):
    c1 = host.container("c1")
    before = host.snapshot()
    host.ours.add(bridge_config(hairpinMode=True, promiscMode=True), c1).error(
        7, "cannot set hairpin mode and promiscuous mode at the same time")
    before.must_equal(host.snapshot())


def test_vlan_values_are_checked_with_the_words_of_the_reference(host):
    c1 = host.container("c1")
    before = host.snapshot()
    trunk = "vlanTrunk"
    cases = [({"vlan": 4095}, "invalid VLAN ID 4095 (must be between 0 and 4094)"),
             ({"vlan": -1}, "invalid VLAN ID -1 (must be between 0 and 4094)"),
             ({trunk: [{"minID": 0, "maxID": 5}]}, "incorrect trunk minID parameter"),
             ({trunk: [{"minID": 5, "maxID": 4095}]}, "incorrect trunk maxID parameter"),
             ({trunk: [{"minID": 9, "maxID": 5}]}, "minID is greater than maxID in trunk parameter"),
             ({trunk: [{"maxID": 5}]},
              "minID and maxID should be configured simultaneously, minID is missing"),
             ({trunk: [{"minID": 5}]},
              "minID and maxID should be configured simultaneously, maxID is missing"),
             ({trunk: [{"id": 5000}]}, "incorrect trunk id parameter")]
    for keys, text in cases:
        host.ours.add(bridge_config(**keys), c1).error(7, text)
        before.must_equal(host.snapshot(), text)


def test_disable_container_interface_leaves_it_down_and_takes_no_ipam(host):
    c1 = host.container("c1")
    before = host.snapshot()
    host.ours.add(bridge_config(disableContainerInterface=True), c1).error(
        7, "cannot use IPAM when DisableContainerInterface flag is set")
    before.must_equal(host.snapshot())
    host.ours.add(bridge_config(ipam=None, disableContainerInterface=True), c1).ok()
    assert "UP" not in c1.link()["flags"]


def test_layer_2_has_an_up_link_without_address(host):
    for name, ipam in (("c1", False), ("c2", {}), ("c3", {"type": ""})):
        one = host.container(name)
        config = bridge_config(ipam=None)
        if ipam is not False:
            config["ipam"] = ipam
        reply = host.ours.add(config, one, container=name).ok()
        assert "UP" in one.link()["flags"] and one.addresses() == []
        assert "ips" not in reply.json and len(reply.json["interfaces"]) == 3
        host.ours.check(config, one, reply.json, container=name).ok()
        host.ours.delete(config, one, container=name).ok()
        assert not one.link()


def test_mac_sources_have_their_order(host):
    one, two, three = ("02:00:00:00:00:11", "02:00:00:00:00:22", "02:00:00:00:00:33")
    arguments = {"CNI_ARGS": f"IgnoreUnknown=1;MAC={one}"}
    with_args = bridge_config(args={"cni": {"mac": two}})
    for name, config, want in (("c1", bridge_config(), one), ("c2", with_args, two),
                               ("c3", with_runtime(with_args, mac=three), three)):
        inside = host.container(name)
        reply = host.ours.add(config, inside, container=name, **arguments).ok()
        assert inside.link()["address"] == want == reply.json["interfaces"][2]["mac"], name


def test_a_bad_mac_is_refused_before_any_change(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for mac in ("zz", "02:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"):
        host.ours.add(with_runtime(bridge_config(), mac=mac), c1).error()
        before.must_equal(host.snapshot(), mac)


def test_a_new_bridge_has_a_fixed_mac_that_the_first_port_does_not_change(host):
    c1, c2 = host.container("c1"), host.container("c2")
    low = with_runtime(bridge_config(), mac="02:00:00:00:00:01")
    reply = host.ours.add(low, c1).ok()
    first = host.link("br1")["address"]
    assert first.startswith("02:") and reply.json["interfaces"][0]["mac"] == first
    host.ours.add(bridge_config(), c2, container="c2").ok()
    host.ours.delete(bridge_config(), c1).ok()
    assert host.link("br1")["address"] == first
    host.ours.delete(bridge_config(), c2, container="c2").ok()
    os.system("ip link del br1")
    host.ours.add(bridge_config(), c1).ok()
    assert host.link("br1")["address"] == first, "another MAC after the bridge was made again"


def test_sandbox_in_the_result_is_the_path_as_given(host):
    c1 = host.container("c1")
    os.symlink(c1.path, "/run/test/link-to-netns")
    reply = host.ours.add(bridge_config(), "/run/test/link-to-netns").ok()
    assert reply.json["interfaces"][2]["sandbox"] == "/run/test/link-to-netns"


def test_a_netns_can_be_given_as_a_process(host):
    c1 = host.container("c1")
    child = os.fork()
    if child == 0:
        set_netns(c1.path)
        os.execvp("sleep", ["sleep", "60"])
    wait_until(lambda: "sleep" in pathlib.Path(f"/proc/{child}/comm").read_text())
    host.ours.add(bridge_config(), f"/proc/{child}/ns/net").ok()
    assert c1.addresses() == ["10.1.0.2/24"]
    os.kill(child, 9)
    host.ours.delete(bridge_config(), f"/proc/{child}/ns/net").ok()
    assert leases() == {}


def test_operstate_of_the_port_is_up_when_add_returns(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(), c1).ok()
    assert port_of(host, reply)["operstate"] == "UP"
    assert port_of(host, reply)["linkinfo"]["info_slave_data"]["state"] == "forwarding"


def test_a_vanished_bridge_is_made_again(host):
    c1, c2 = host.container("c1"), host.container("c2")
    host.ours.add(bridge_config(isGateway=True), c1).ok()
    os.system("ip link del br1")
    host.ours.add(bridge_config(isGateway=True), c2, container="c2").ok()
    assert host.addresses("br1") == ["10.1.0.1/24"] and c2.ping("10.1.0.1")
    host.ours.delete(bridge_config(isGateway=True), c1).ok()
    assert not c1.link() and "c1" not in [holder for holder, _ in leases().values()]


def test_a_bridge_that_is_down_without_address_or_forwarding_is_repaired_by_add(host):
    c1, c2 = host.container("c1"), host.container("c2")
    host.ours.add(bridge_config(isGateway=True), c1).ok()
    os.system("ip link set br1 down; ip addr flush dev br1; sysctl -qw net.ipv4.ip_forward=0")
    host.ours.add(bridge_config(isGateway=True), c2, container="c2").ok()
    assert host.addresses("br1") == ["10.1.0.1/24"] and "UP" in host.link("br1")["flags"]
    assert pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"


def test_one_bridge_serves_two_networks(host):
    c1, c2 = host.container("c1"), host.container("c2")
    other = {**bridge_config(isGateway=True, ipam={"type": "host-local", "subnet": "10.2.0.0/24"}),
             "name": "net2"}
    host.ours.add(bridge_config(), c1).ok()
    host.ours.add(other, c2, container="c2").ok()
    host.ours.add(other, c1, ifname="eth1").ok()
    assert c1.addresses() == ["10.1.0.2/24"] and c1.addresses("eth1") == ["10.2.0.3/24"]
    host.ours.delete(other, c1, ifname="eth1").ok()
    assert c1.link("eth0") and not c1.link("eth1") and leases("net1") and len(leases("net2")) == 1


def test_a_plain_link_of_the_bridges_name_is_refused(host):
    c1 = host.container("c1")
    os.system("ip link add br1 type veth peer name other")
    before = host.snapshot()
    host.ours.add(bridge_config(), c1).error(text='"br1" already exists but is not a bridge')
    before.must_equal(host.snapshot(), "refused ADD")


def test_vlan_without_kernel_support_fails_cleanly(host):
    c1 = host.container("c1")
    probe = os.system("ip link add probe0 type bridge vlan_filtering 1 2>/dev/null")
    os.system("ip link del probe0 2>/dev/null")
    skip_unless(probe != 0, "this kernel has VLAN filtering: the vm tier's cases cover it")
    before = host.snapshot()
    host.ours.add(bridge_config(vlan=100), c1).error()
    before.must_equal(host.snapshot())
