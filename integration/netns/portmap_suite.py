# The portmap plugin: who reaches a published port, by which address, and seen as whom; with real traffic.

import os

from port_site import (BACKENDS, CLIENT, CLIENT6, GATEWAY, GATEWAY6, HOST, HOST6, Site, ip_batch, mapping,
                       saved_rules)
from tap import each
from test_host import bridge_config
from traffic import Server, ask, sctp_arrives

BRIEF = 0.3  # seconds to wait for what must not come


def nobody(netns, address, port, kind="udp"):
    """True if that gets no answer. UDP: an answer, or none, within a short time."""
    return ask(netns, address, port, kind, BRIEF).name == ""


@each(*BACKENDS)
def test_a_client_outside_reaches_the_container_and_is_seen_as_itself(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    for address, client in ((HOST, CLIENT), (HOST6, CLIENT6)):
        for kind in ("tcp", "udp"):
            answer = ask(site.outside, address, 8080, kind)
            assert answer == f"c1 80 {client}", f"{kind} to {address}: {answer!r}"


@each(*BACKENDS)
def test_other_containers_reach_it_at_every_address_of_the_host(host, variant):
    site = Site(host, variant)
    c1, neighbour = site.container(), site.container("c2")
    far = site.container("c3", config=site.bridge("net2", 2))
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    for kind in ("tcp", "udp"):
        for address, source in ((HOST, GATEWAY), (GATEWAY, GATEWAY), (HOST6, GATEWAY6)):
            answer = ask(neighbour.netns, address, 8080, kind)
            assert answer == f"c1 80 {source}", f"neighbour, {kind} to {address}: {answer!r}"
        for address, source in ((HOST, far.v4), (GATEWAY, far.v4), (HOST6, far.v6)):
            answer = ask(far.netns, address, 8080, kind)
            assert answer == f"c1 80 {source}", f"other network, {kind} to {address}: {answer!r}"


@each(*BACKENDS)
def test_the_container_reaches_itself_through_the_host(host, variant):
    site = Site(host, variant)
    c1 = site.container(config=site.bridge(hairpinMode=True))
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    for address, source in ((HOST, GATEWAY), (HOST6, GATEWAY6)):
        for kind in ("tcp", "udp"):
            answer = ask(c1.netns, address, 8080, kind)
            assert answer == f"c1 80 {source}", f"{kind} to {address}: {answer!r}"


@each(*BACKENDS)
def test_the_host_reaches_it_at_its_own_addresses_and_at_localhost(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    for address in (HOST, GATEWAY, HOST6, GATEWAY6, "127.0.0.1", "127.0.0.53"):
        for kind in ("tcp", "udp"):
            answer = ask(None, address, 8080, kind)
            assert (answer.name, answer.port) == ("c1", 80), f"{kind} to {address}: {answer!r}"
    assert ask(None, "127.0.0.1", 8080).source == GATEWAY


@each(*BACKENDS)
def test_a_host_address_is_the_only_one_that_is_mapped(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, mapping(8080, 80, host_ip=HOST), mapping(8081, 80, host_ip="127.0.0.1"),
                 mapping(8082, 80, host_ip=HOST6))
    assert ask(site.outside, HOST, 8080).name == "c1" == ask(None, HOST, 8080).name
    assert ask(None, "127.0.0.1", 8081).name == "c1" == ask(site.outside, HOST6, 8082).name
    for address, port in ((GATEWAY, 8080), ("127.0.0.1", 8080), (HOST, 8081), (HOST, 8082),
                          (HOST6, 8080), (GATEWAY6, 8082)):
        assert nobody(None, address, port, "tcp"), f"{address}:{port} is mapped"


@each(*BACKENDS)
def test_a_wildcard_of_one_family_maps_that_family(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, mapping(8080, 80, host_ip="0.0.0.0"), mapping(8081, 80, host_ip="::"))
    assert ask(site.outside, HOST, 8080).name == "c1" == ask(site.outside, HOST6, 8081).name
    assert nobody(site.outside, HOST6, 8080, "tcp") and nobody(site.outside, HOST, 8081, "tcp")


@each(*BACKENDS)
def test_a_specific_address_wins_over_a_wildcard(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80, 81)
    site.publish(c1, mapping(8080, 81, host_ip=HOST), mapping(8080, 80))
    assert ask(site.outside, HOST, 8080).port == 81
    assert ask(None, GATEWAY, 8080).port == 80


@each(*BACKENDS)
def test_ranges_map_port_to_port_also_when_shifted(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 6999, 7000, 7005, 7009, 7010, 8005, 8009)
    site.publish(c1, mapping(7000, end=7009), mapping(9000, 8000, end=9009),
                 mapping(7000, protocol="udp", end=7009))
    for address in (HOST, HOST6):
        for port, kind, wanted in ((7000, "tcp", 7000), (7009, "tcp", 7009), (7005, "udp", 7005),
                                   (9005, "tcp", 8005), (9009, "tcp", 8009)):
            answer = ask(site.outside, address, port, kind)
            assert answer.name and answer.port == wanted, f"{kind} {address} {port}: {answer!r}"
        for port in (6999, 7010, 8999, 9010):
            assert nobody(site.outside, address, port, "tcp"), f"{port} is mapped"


@each(*BACKENDS)
def test_sctp_is_mapped(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    assert not sctp_arrives(c1.netns, site.outside, HOST, 8080, 80, BRIEF)
    site.publish(c1, (8080, 80, "sctp"))
    assert sctp_arrives(c1.netns, site.outside, HOST, 8080, 80)


@each(*BACKENDS)
def test_without_snat_nobody_is_disguised_and_localhost_stays_closed(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), snat=False)
    assert ask(site.outside, HOST, 8080) == f"c1 80 {CLIENT}"
    assert ask(None, HOST, 8080).name == "c1"
    assert nobody(None, "127.0.0.1", 8080, "tcp")
    assert sysctl("net/ipv4/conf/br1/route_localnet") == "0"


@each(*BACKENDS)
def test_masq_all_disguises_every_client(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), masqAll=True)
    assert ask(site.outside, HOST, 8080) == f"c1 80 {GATEWAY}"
    assert ask(site.outside, HOST6, 8080) == f"c1 80 {GATEWAY6}"
    assert ask(None, "127.0.0.1", 8080).source == GATEWAY


ELSEWHERE = (CLIENT, CLIENT6)


@each(*BACKENDS)
def test_connections_to_other_hosts_are_never_captured(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    mine = Server(c1.netns, "c1", 80, 8080)
    for address in ELSEWHERE:
        Server(site.outside, "elsewhere", 8080, address=address)
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    for client in (c2.netns, c1.netns, None):
        for address in ELSEWHERE:
            for kind in ("tcp", "udp"):
                assert ask(client, address, 8080, kind).name == "elsewhere", f"{kind} to {address}"
    assert mine.arrivals == []


def lead_loopback_to_bridge(netns):
    """Makes a container send what is for 127.0.0.1 to the host, as an attacker would."""
    netns.run("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
    ip_batch("route del local 127.0.0.0/8 dev lo table local\n"
             "route del local 127.0.0.1 dev lo table local\n"
             f"route add 127.0.0.1/32 via {GATEWAY}\n", netns)


@each(*BACKENDS)
def test_a_neighbour_cannot_reach_the_hosts_loopback(host, variant):
    site = Site(host, variant)
    c1, attacker = site.container(), site.container("attacker")
    mine, private = Server(c1.netns, "c1", 80), Server(None, "private", 9000, address="127.0.0.1")
    site.publish(c1, (8080, 80), (8080, 80, "udp"))
    assert sysctl("net/ipv4/conf/br1/route_localnet") == "1"
    assert ask(None, "127.0.0.1", 8080).name == "c1" and ask(None, "127.0.0.1", 9000).name == "private"
    private.arrivals.clear()
    mine.arrivals.clear()
    lead_loopback_to_bridge(attacker.netns)
    for port in (8080, 9000):
        assert nobody(attacker.netns, "127.0.0.1", port), f"port {port} of the host's loopback answered"
        assert nobody(attacker.netns, "127.0.0.1", port, "tcp")
    assert private.arrivals == [], f"a martian came in: {private.arrivals}"
    assert [one for one in mine.arrivals if one[2] == attacker.v4] == [], mine.arrivals


CONDITIONS = {"nftables": {"conditionsV4": ["ip", "saddr", CLIENT], "conditionsV6": ["ip6", "saddr", CLIENT6]},
              "iptables": {"conditionsV4": ["-s", CLIENT], "conditionsV6": ["-s", CLIENT6]}}


@each(*BACKENDS)
def test_conditions_choose_who_is_let_through(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    Server(c1.netns, "c1", 80)
    conditions = CONDITIONS[site.backend]
    site.publish(c1, (8080, 80), (8080, 80, "udp"), **conditions)
    for address in (HOST, HOST6):
        for kind in ("tcp", "udp"):
            assert ask(site.outside, address, 8080, kind).name == "c1", f"{kind} to {address}"
        assert nobody(c2.netns, address, 8080, "tcp")
    site.check(c1, (8080, 80), (8080, 80, "udp"), **conditions).ok()
    site.withdraw(c1, (8080, 80), (8080, 80, "udp"), **conditions)
    assert nobody(site.outside, HOST, 8080, "tcp") and not site.rules(), site.rules()


@each(*BACKENDS)
def test_conditions_of_one_network_do_not_bind_another(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    Server(c1.netns, "c1", 80)
    Server(c2.netns, "c2", 80)
    conditions = {"conditionsV4": ["ip", "saddr", "198.51.100.1"]} if site.backend == "nftables" else \
        {"conditionsV4": ["-s", "198.51.100.1"]}
    site.publish(c1, (8081, 80))
    site.publish(c2, (8082, 80), **conditions)
    assert ask(site.outside, HOST, 8081).name == "c1"
    assert nobody(site.outside, HOST, 8082, "tcp")


def test_the_operators_user_chain_comes_before_published_ports(host):
    site = Site(host, "nftables")
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), (8081, 80))
    os.system("nft add rule inet cnm user meta l4proto tcp ct original proto-dst 8080 drop")
    assert nobody(site.outside, HOST, 8080, "tcp")
    assert ask(site.outside, HOST, 8081).name == "c1"
    site.withdraw(c1, (8080, 80), (8081, 80))
    assert "proto-dst 8080 drop" in os.popen("nft list chain inet cnm user").read()


@each("iptables-nft", "iptables-legacy")
def test_the_mark_bit_and_the_mark_chain_are_the_given_ones(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80), backend=None, markMasqBit=5)
    assert [line for line in saved_rules() if "0x20/0x20" in line], saved_rules()
    assert ask(c2.netns, HOST, 8080) == f"c1 80 {GATEWAY}"
    os.system("iptables -t nat -N MY-MARK; ip6tables -t nat -N MY-MARK")
    site.publish(c2, (8082, 80), externalSetMarkChain="MY-MARK")
    assert [line for line in site.rules() if "-j MY-MARK" in line], site.rules()


def test_podmans_and_containerds_spelling_mean_the_same(host):
    site = Site(host, "nftables")
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    containerd = {"HostPort": 8081, "ContainerPort": 80, "Protocol": "UDP", "HostIP": ""}
    site.publish(c1, {"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": ""}, containerd)
    assert ask(site.outside, HOST, 8080).name == "c1" == ask(site.outside, HOST6, 8081, "udp").name


def test_an_ipv4_only_container_is_published_on_ipv4(host):
    site = Site(host, "nftables")
    config = bridge_config("1.1.0", isDefaultGateway=True)
    c1 = site.container(config=config)
    Server(c1.netns, "c1", 80)
    outcome = site.add(c1, (8080, 80), mapping(8081, 80, host_ip="2001:db8:f::1")).ok()
    assert "[2001:db8:f::1]:8081/tcp" in outcome.stderr, outcome.stderr
    assert ask(site.outside, HOST, 8080).name == "c1"
    assert nobody(site.outside, HOST6, 8080, "tcp")


def sysctl(name):
    """A sysctl of the host."""
    with open(f"/proc/sys/{name}") as opened:
        return opened.read().strip()
