# The bridge plugin's layer 3: gateways, routes, IPv6 and duplicate addresses, announcements, dns.

import os
import pathlib
import socket
import struct

from private_host import wait_until
from test_host import DUAL, bridge_config, leases, listen, port_of


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
    wait_until(lambda: c1.ping("2001:db8:1::1"), what="the IPv6 gateway answers")


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
              {"dst": "203.0.113.0/24", "table": 77}, {"dst": "192.0.2.0/24", "scope": 200},
              {"dst": "2001:db8:9::/48", "mtu": 1280}]
    config = bridge_config(ipam={**DUAL, "routes": routes}, isGateway=True)
    reply = host.ours.add(config, c1).ok()
    main = {route["dst"]: route for route in c1.routes()}
    first = main["198.51.100.0/24"]
    assert first["gateway"] == "10.1.0.9" and first["metric"] == 55, first
    assert {"mtu": 1300, "advmss": 1200}.items() <= first["metrics"][0].items(), first
    assert main["192.0.2.0/24"]["scope"] == "site", main
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
