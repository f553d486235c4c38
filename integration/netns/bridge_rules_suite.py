# The bridge plugin's rules: masquerading and the guard against foreign MAC addresses.

import hashlib
import os
import socket

from test_host import DUAL, MASQ, bridge_config, listen, set_up_and_down


def rules_of(host, text):
    """Owned rules and elements that mention `text`."""
    return [rule for rule in host.owned_rules() if text in rule]


def test_ip_masq_hides_the_container_behind_the_host(host):
    c1, outside = host.container("c1"), host.container("outside")
    os.system("ip link add up0 type veth peer name eth9 netns outside && ip addr add 203.0.113.1/24 dev up0"
              " && ip link set up0 up")
    outside.run("ip", "addr", "add", "203.0.113.2/24", "dev", "eth9")
    outside.run("ip", "link", "set", "eth9", "up")
    config = bridge_config(isDefaultGateway=True, **MASQ)
    host.ours.add(config, c1).ok()
    assert rules_of(host, "10.1.0.2"), host.owned_rules()
    assert c1.ping("203.0.113.2", 3), "outside has no route back: only masquerading can answer"
    host.ours.delete(config, c1).ok()
    assert not rules_of(host, "10.1.0.2"), host.owned_rules()


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


def test_ip_masq_backend_that_nobody_knows_is_a_clear_error(host):
    c1 = host.container("c1")
    before = host.snapshot()
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
    assert not host.owned_rules()


def test_macspoofchk_guards_the_link_that_is_made_when_its_name_is_taken(host):
    c1 = host.container("c1")
    taken = "veth" + hashlib.sha512(b"net1\0c1\0eth0").hexdigest()[:11]
    os.system(f"ip link add {taken} type veth peer name foreign0")
    config = bridge_config(macspoofchk=True)
    names = [link["name"] for link in host.ours.add(config, c1).ok().json["interfaces"]]
    assert taken not in names, names
    assert rules_of(host, names[1]) and not rules_of(host, taken), host.owned_rules()
    host.ours.delete(config, c1).ok()
    assert not host.owned_rules()
    assert taken in os.popen("ip -br link").read(), "the foreign link stays"


def test_macspoofchk_twice_leaves_no_second_jump(host):
    c1 = host.container("c1")
    config = bridge_config(macspoofchk=True)
    set_up_and_down(host, config, c1)
    before = host.snapshot()
    set_up_and_down(host, config, c1)
    before.must_equal(host.snapshot())
