# CHECK: passes after ADD, fails after each kind of damage, and says what is wrong.

import os

from test_host import bridge_config, host_local_config, leases

IPAM = {"type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]],
        "routes": [{"dst": "198.51.100.0/24", "gw": "10.1.0.9"}]}


def attached(host, **keys):
    """A container with one dual-stack attachment: (container, configuration, result)."""
    c1 = host.container("c1")
    config = bridge_config(ipam=keys.pop("ipam", IPAM), isGateway=True, **keys)
    reply = host.ours.add(config, c1).ok()
    host.ours.check(config, c1, reply.json).ok()
    return c1, config, reply.json


def damaged(host, damage, **keys):
    """Attaches, runs `damage(container)`, and returns the error that CHECK must give."""
    c1, config, result = attached(host, **keys)
    damage(c1)
    return host.ours.check(config, c1, result).error()


def test_check_passes_after_add_for_every_version_that_has_it(host):
    for version in ("0.4.0", "1.0.0", "1.1.0"):
        c1 = host.container(f"v{version}")
        config = bridge_config(version, ipam=IPAM, isGateway=True, ipMasq=True, ipMasqBackend="nftables")
        reply = host.ours.add(config, c1, container=version).ok()
        host.ours.check(config, c1, reply.json, container=version).ok()


def test_check_changes_nothing(host):
    c1, config, result = attached(host)
    before = host.snapshot()
    host.ours.check(config, c1, result).ok()
    before.must_equal(host.snapshot())


def test_check_needs_prev_result(host):
    c1, config, _ = attached(host)
    host.ours.call("bridge", "CHECK", config, netns=c1).error(7, "Required prevResult missing")


def test_check_fails_when_the_link_is_gone(host):
    damaged(host, lambda c1: c1.run("ip", "link", "del", "eth0"))


def test_check_fails_when_the_link_is_another_kind(host):
    def swap(c1):
        c1.run("ip", "link", "del", "eth0")
        c1.run("ip", "link", "add", "eth0", "type", "bridge")
    damaged(host, swap)


def test_check_fails_when_the_link_is_down(host):
    damaged(host, lambda c1: c1.run("ip", "link", "set", "eth0", "down"))


def test_check_fails_when_an_address_is_gone(host):
    for address in ("10.1.0.2/24",):
        error = damaged(host, lambda c1: c1.run("ip", "addr", "del", address, "dev", "eth0"))
        assert "10.1.0.2" in error["msg"] + error.get("details", ""), error


def test_check_fails_when_the_ipv6_address_is_gone(host):
    error = damaged(host, lambda c1: c1.run("ip", "addr", "del", "2001:db8:1::2/64", "dev", "eth0"))
    assert "2001:db8:1::2" in error["msg"] + error.get("details", ""), error


def test_check_fails_when_a_route_is_gone(host):
    error = damaged(host, lambda c1: c1.run("ip", "route", "del", "198.51.100.0/24"))
    assert "198.51.100.0/24" in error["msg"] + error.get("details", ""), error


def test_check_fails_when_the_mac_changed(host):
    damaged(host, lambda c1: c1.run("ip", "link", "set", "eth0", "address", "02:66:66:66:66:66"))


def test_check_fails_when_the_port_left_the_bridge(host):
    def leave(_):
        port = [link for link in host.ip("link", "show", "master", "br1")][0]["ifname"]
        os.system(f"ip link set {port} nomaster")
    damaged(host, leave)


def test_check_fails_when_the_bridge_is_gone(host):
    damaged(host, lambda _: os.system("ip link del br1"))


def test_check_fails_when_the_bridge_mac_changed(host):
    damaged(host, lambda _: os.system("ip link set br1 address 02:77:77:77:77:77"))


def test_check_fails_when_promisc_mode_differs(host):
    damaged(host, lambda _: os.system("ip link set br1 promisc off"), promiscMode=True)


def test_check_fails_when_the_gateway_address_is_gone(host):
    damaged(host, lambda _: os.system("ip addr del 10.1.0.1/24 dev br1"))


def test_check_fails_when_hairpin_mode_differs(host):
    def off(_):
        port = host.ip("link", "show", "master", "br1")[0]["ifname"]
        os.system(f"bridge link set dev {port} hairpin off")
    damaged(host, off, hairpinMode=True)


def test_check_fails_when_the_masquerade_rules_are_gone(host):
    damaged(host, lambda _: os.system("nft flush ruleset"), ipMasq=True, ipMasqBackend="nftables")


def test_check_fails_when_the_spoof_rules_are_gone(host):
    damaged(host, lambda _: os.system("nft flush ruleset"), macspoofchk=True)


def test_check_fails_when_the_lease_is_gone(host):
    damaged(host, lambda _: [os.unlink(f"/var/lib/cni/networks/net1/{address}") for address in leases()])


def test_check_fails_when_the_netns_is_gone(host):
    error = damaged(host, lambda c1: c1.delete())
    assert error["code"] in (3, 8), error


def test_check_fails_when_prev_result_names_another_sandbox(host):
    c1, config, result = attached(host)
    result["interfaces"][2]["sandbox"] = "/run/netns/other"
    host.ours.check(config, c1, result).error(text="/run/netns/other")


def test_check_of_a_route_with_a_table_passes_and_notices_its_loss(host):
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "routes": [{"dst": "203.0.113.0/24", "table": 99}]}
    c1, config, result = attached(host, ipam=ipam)
    c1.run("ip", "route", "flush", "table", "99")
    host.ours.check(config, c1, result).error(text="203.0.113.0/24")


def test_check_tolerates_what_chained_plugins_change(host):
    c1, config, result = attached(host)
    c1.run("ip", "addr", "add", "192.0.2.9/32", "dev", "eth0")
    c1.run("ip", "route", "add", "192.0.2.128/25", "via", "10.1.0.1")
    c1.run("ip", "link", "set", "eth0", "mtu", "1400")
    c1.run("sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=2")
    host.ours.check(config, c1, result).ok()


def test_host_local_check_looks_for_the_lease(host):
    config = host_local_config()
    reply = host.ours.call("host-local", "ADD", config, netns="/x").ok()
    body = {**config, "prevResult": {**reply.json, "interfaces": [{"name": "eth0", "sandbox": "/x"}]}}
    host.ours.call("host-local", "CHECK", body, netns="/x").ok()
    os.unlink(f"/var/lib/cni/networks/net1/{list(leases())[0]}")
    host.ours.call("host-local", "CHECK", body, netns="/x").error(
        text="Failed to find address added by container c1")
