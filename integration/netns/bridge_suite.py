# The bridge plugin: what each key does to links, addresses, routes and rules; ADD and DEL.

import json
import os
import pathlib
import re
import socket
import struct

from private_host import set_netns, wait_until
from tap import skip_unless
from test_host import bridge_config, leases, result_addresses, with_runtime

DUAL = {"type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]]}
MASQ = {"ipMasq": True, "ipMasqBackend": "nftables"}


def port_of(host, reply):
    """The host link of a 0.3+ result as an `ip -d link` object."""
    return host.link(reply.json["interfaces"][1]["name"])


def set_up_and_down(host, config, container):
    """One ADD and DEL, so that the bridge and the network's record exist before a snapshot."""
    host.ours.add(config, container).ok()
    host.ours.delete(config, container).ok()


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


def test_is_gateway_gives_the_bridge_the_gateway_and_switches_forwarding_on(host):
    c1 = host.container("c1")
    path = pathlib.Path("/proc/sys/net/ipv4/ip_forward")
    assert path.read_text().strip() == "0"
    host.ours.add(bridge_config(isGateway=True), c1).ok()
    assert host.addresses("br1") == ["10.1.0.1/24"] and path.read_text().strip() == "1"
    assert pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding").read_text().strip() == "0"
    assert c1.ping("10.1.0.1")
    assert not [route for route in c1.routes() if route["dst"] == "default"]


def test_is_gateway_serves_both_families(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(ipam=DUAL, isGateway=True), c1).ok()
    assert host.addresses("br1") == ["10.1.0.1/24", "2001:db8:1::1/64"]
    assert pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding").read_text().strip() == "1"
    assert c1.ping("10.1.0.1")
    wait_until(lambda: c1.ping("2001:db8:1::1"), 4, "the IPv6 gateway answers")


def test_without_is_gateway_the_bridge_has_no_address(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(), c1).ok()
    assert host.addresses("br1") == []
    assert pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "0"


def test_is_default_gateway_adds_one_default_route_per_family(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(ipam=DUAL, isDefaultGateway=True), c1).ok()
    defaults = [route["gateway"] for family in (4, 6) for route in c1.routes(family=family)
                if route["dst"] == "default"]
    assert defaults == ["10.1.0.1", "2001:db8:1::1"]
    assert reply.json["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"},
                                    {"dst": "::/0", "gw": "2001:db8:1::1"}]
    assert host.addresses("br1") == ["10.1.0.1/24", "2001:db8:1::1/64"]


def test_is_default_gateway_and_a_default_route_without_gateway_go_together(host):
    c1 = host.container("c1")
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
    reply = host.ours.add(bridge_config(ipam=ipam, isDefaultGateway=True), c1).ok()
    assert [route["gateway"] for route in c1.routes() if route["dst"] == "default"] == ["10.1.0.1"]
    host.ours.check(bridge_config(ipam=ipam, isDefaultGateway=True), c1, reply.json).ok()


def test_is_default_gateway_respects_a_default_route_with_a_gateway(host):
    c1 = host.container("c1")
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24",
            "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.254"}]}
    host.ours.add(bridge_config(ipam=ipam, isDefaultGateway=True), c1).ok()
    assert [route["gateway"] for route in c1.routes() if route["dst"] == "default"] == ["10.1.0.254"]


def test_routes_get_their_metric_table_scope_mtu_and_advmss(host):
    c1 = host.container("c1")
    routes = [{"dst": "198.51.100.0/24", "gw": "10.1.0.9", "mtu": 1300, "advmss": 1200, "priority": 55},
              {"dst": "203.0.113.0/24", "table": 77}, {"dst": "192.0.2.0/24", "scope": 253, "gw": None},
              {"dst": "2001:db8:9::/48", "mtu": 1280}]
    config = bridge_config(ipam={**DUAL, "routes": routes}, isGateway=True)
    reply = host.ours.add(config, c1).ok()
    main = {route["dst"]: route for route in c1.routes()}
    first = main["198.51.100.0/24"]
    assert first["gateway"] == "10.1.0.9" and first["metric"] == 55, first
    assert {"mtu": 1300, "advmss": 1200}.items() <= first["metrics"][0].items(), first
    assert main["192.0.2.0/24"]["scope"] == "link", main
    assert c1.routes("table", "77")[0]["dst"] == "203.0.113.0/24"
    six = {route["dst"]: route for route in c1.routes(family=6)}
    assert six["2001:db8:9::/48"]["metrics"][0]["mtu"] == 1280, six
    host.ours.check(config, c1, reply.json).ok()


def test_two_ipv4_ranges_share_one_gateway_bridge(host):
    c1 = host.container("c1")
    ipam = {"type": "host-local",
            "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]}
    host.ours.add(bridge_config(ipam=ipam, isGateway=True), c1).ok()
    assert host.addresses("br1") == ["10.1.0.1/24", "10.2.0.1/24"]
    assert c1.addresses() == ["10.1.0.2/24", "10.2.0.2/24"] and c1.ping("10.2.0.1")
    c2 = host.container("c2")
    host.ours.add(bridge_config(ipam=ipam, isGateway=True), c2, container="c2").ok()


def test_a_foreign_address_on_the_bridge_is_a_conflict_and_nothing_changes(host):
    c1 = host.container("c1")
    os.system("ip link add br1 type bridge && ip addr add 10.9.0.1/24 dev br1 && ip link set br1 up")
    before = host.snapshot(roots=("/var/lib/cni",))
    error = host.ours.add(bridge_config(isGateway=True), c1).error(
        text='"br1" already has an IP address different from 10.1.0.1/24')
    assert error["code"] != 999
    before.must_equal(host.snapshot(roots=("/var/lib/cni",)))


def test_force_address_replaces_the_conflicting_address(host):
    c1 = host.container("c1")
    os.system("ip link add br1 type bridge && ip addr add 10.9.0.1/24 dev br1 && ip link set br1 up")
    host.ours.add(bridge_config(isGateway=True, forceAddress=True), c1).ok()
    assert host.addresses("br1") == ["10.1.0.1/24"]


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
    host.ours.add(bridge_config(ipam=False, disableContainerInterface=True), c1).ok()
    assert "UP" not in c1.link()["flags"]


def test_layer_2_has_an_up_link_without_address(host):
    for name, ipam in (("c1", False), ("c2", {}), ("c3", {"type": ""})):
        one = host.container(name)
        config = bridge_config(ipam=False)
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


def test_without_dad_addresses_are_usable_at_once(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(ipam=DUAL, isGateway=True), c1).ok()
    info = [entry for entry in c1.ip("addr", "show", "dev", "eth0")[0]["addr_info"]
            if entry["local"] == "2001:db8:1::2"][0]
    assert not info.get("tentative"), info


def test_enabledad_switches_dad_on_for_the_container(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(ipam=DUAL, enabledad=True), c1).ok()
    assert c1.sysctl("net/ipv6/conf/eth0/accept_dad") == "1"
    assert c1.sysctl("net/ipv6/conf/eth0/enhanced_dad") == "1"
    assert c1.addresses() == ["10.1.0.2/24", "2001:db8:1::2/64"]


def test_enabledad_finds_a_duplicate_address(host):
    c1, c2 = host.container("c1"), host.container("c2")
    host.ours.add(bridge_config(ipam=DUAL, isGateway=True), c1).ok()
    c1.run("ip", "addr", "add", "2001:db8:1::3/64", "dev", "eth0", "nodad")
    config = bridge_config(ipam=DUAL, isGateway=True, enabledad=True)
    host.ours.add(config, c2, container="c2").error()
    assert not c2.link() and "c2" not in [holder for holder, _ in leases().values()]


def test_ipv6_is_enabled_where_the_container_has_it_disabled(host):
    c1 = host.container("c1")
    c1.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    host.ours.add(bridge_config(ipam=DUAL), c1).ok()
    assert "2001:db8:1::2/64" in c1.addresses()


def test_sandbox_sysctls_are_those_of_the_reference(host):
    c1 = host.container("c1")
    reply = host.ours.add(bridge_config(ipam=DUAL), c1).ok()
    port = port_of(host, reply)["ifname"]
    assert c1.sysctl("net/ipv4/conf/eth0/arp_notify") == "1"
    assert c1.sysctl("net/ipv6/conf/eth0/keep_addr_on_down") == "1"
    for link in (port, "br1"):
        assert pathlib.Path(f"/proc/sys/net/ipv6/conf/{link}/accept_ra").read_text().strip() == "0", link


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


def listen(netns, protocol, match, action):
    """Runs `action()` while a packet socket listens in `netns`; True if `match(frame)` saw one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        set_netns(netns.path)
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        packets.settimeout(3)
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


def test_a_gratuitous_arp_follows_the_add(host):
    c1, watcher = host.container("c1"), host.container("watcher")
    host.ours.add(bridge_config(), watcher, container="watcher").ok()
    mine = socket.inet_aton("10.1.0.3")

    def is_gratuitous(frame):
        return len(frame) >= 42 and frame[28:32] == mine and frame[38:42] == mine

    assert listen(watcher, 0x0806, is_gratuitous, lambda: host.ours.add(bridge_config(), c1).ok())


def test_an_unsolicited_neighbour_advertisement_follows_the_add(host):
    c1, watcher = host.container("c1"), host.container("watcher")
    host.ours.add(bridge_config(ipam=DUAL), watcher, container="watcher").ok()
    target = socket.inet_pton(socket.AF_INET6, "2001:db8:1::3")

    def is_advertisement(frame):
        return len(frame) >= 78 and frame[20] == 58 and frame[54] == 136 and frame[62:78] == target and \
            struct.unpack("!H", frame[38:40])[0] == 0xff02

    assert listen(watcher, 0x86DD, is_advertisement,
                  lambda: host.ours.add(bridge_config(ipam=DUAL), c1).ok())


def rules_of(host, text):
    """nft rules and elements whose JSON mentions `text`."""
    return [entry for entry in host.nft() if text in json.dumps(entry)]


def test_ip_masq_hides_the_container_behind_the_host(host):
    c1, outside = host.container("c1"), host.container("outside")
    os.system("ip link add up0 type veth peer name eth9 netns outside && ip addr add 203.0.113.1/24 dev up0"
              " && ip link set up0 up")
    outside.run("ip", "addr", "add", "203.0.113.2/24", "dev", "eth9")
    outside.run("ip", "link", "set", "eth9", "up")
    config = bridge_config(isDefaultGateway=True, **MASQ)
    host.ours.add(config, c1).ok()
    assert rules_of(host, "10.1.0.2"), host.nft()
    assert c1.ping("203.0.113.2", 3), "outside has no route back: only masquerading can answer"
    host.ours.delete(config, c1).ok()
    assert not rules_of(host, "10.1.0.2"), host.nft()


def test_ip_masq_leaves_traffic_within_the_subnet_alone(host):
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(isDefaultGateway=True, **MASQ)
    host.ours.add(config, c1).ok()
    host.ours.add(config, c2, container="c2").ok()
    os.system("modprobe br_netfilter 2>/dev/null; sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null")
    source = socket.inet_aton("10.1.0.2")
    seen = listen(c2, 0x0800, lambda frame: frame[23] == 1 and frame[26:30] == source,
                  lambda: c1.ping("10.1.0.3"))
    assert seen


def test_ip_masq_of_both_families(host):
    c1 = host.container("c1")
    config = bridge_config(ipam=DUAL, isGateway=True, **MASQ)
    host.ours.add(config, c1).ok()
    assert rules_of(host, "10.1.0.2") and rules_of(host, "2001:db8:1::2")
    host.ours.delete(config, c1).ok()
    assert not rules_of(host, "10.1.0.2") and not rules_of(host, "2001:db8:1::2")


def test_ip_masq_backend_iptables_is_a_clear_error(host):
    c1 = host.container("c1")
    before = host.snapshot()
    host.ours.add(bridge_config(ipMasq=True, ipMasqBackend="iptables"), c1).error((2, 7), "iptables")
    host.ours.add(bridge_config(ipMasq=True, ipMasqBackend="pf"), c1).error(
        7, 'unknown ipmasq backend "pf"')
    before.must_equal(host.snapshot())


def test_ip_masq_rules_of_two_interfaces_do_not_share_a_fate(host):
    c1 = host.container("c1")
    config = bridge_config(isGateway=True, **MASQ)
    host.ours.add(config, c1).ok()
    host.ours.add(config, c1, ifname="eth1").ok()
    assert rules_of(host, "10.1.0.2") and rules_of(host, "10.1.0.3")
    host.ours.delete(config, c1).ok()
    assert not rules_of(host, "10.1.0.2") and rules_of(host, "10.1.0.3")


def test_macspoofchk_drops_frames_of_another_mac(host):
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(macspoofchk=True)
    host.ours.add(config, c1).ok()
    host.ours.add(config, c2, container="c2").ok()
    assert c1.ping("10.1.0.3")
    c1.run("ip", "link", "set", "eth0", "address", "02:66:66:66:66:66")
    c1.run("ip", "neigh", "flush", "all")
    assert not c1.ping("10.1.0.3"), "frames with a foreign MAC pass"
    host.ours.delete(config, c1).ok()
    host.ours.delete(config, c2, container="c2").ok()
    assert not rules_of(host, "ether"), rules_of(host, "ether")


def test_macspoofchk_twice_leaves_no_second_jump(host):
    c1 = host.container("c1")
    config = bridge_config(macspoofchk=True)
    set_up_and_down(host, config, c1)
    before = host.snapshot()
    set_up_and_down(host, config, c1)
    before.must_equal(host.snapshot())


def test_dns_of_ipam_is_kept_and_that_of_the_configuration_replaces_it(host):
    pathlib.Path("/run/test/resolv.conf").write_text("nameserver 192.0.2.1\nsearch a.example\n")
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "resolvConf": "/run/test/resolv.conf"}
    reply = host.ours.add(bridge_config(ipam=ipam), host.container("c1")).ok()
    assert reply.json["dns"] == {"nameservers": ["192.0.2.1"], "search": ["a.example"]}
    reply = host.ours.add(bridge_config(ipam=ipam, dns={"domain": "b.example"}), host.container("c2"),
                          container="c2").ok()
    assert reply.json["dns"] == {"domain": "b.example"}
    reply = host.ours.add(bridge_config(ipam=ipam, dns={"nameservers": []}), host.container("c3"),
                          container="c3").ok()
    assert "dns" not in reply.json, reply.stdout


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
    host.ours.add(bridge_config(ipam=True), c1).ok()
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
