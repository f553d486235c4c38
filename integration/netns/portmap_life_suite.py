# The portmap plugin: conflicts, DEL, GC, CHECK, STATUS, stale flows, chains with foreign plugins, swaps with the reference.

import os
import pathlib
import select
import subprocess

from port_site import BACKENDS, Container, HOST, HOST6, IPTABLES, Site, mapping
from private_host import wait_until
from tap import each
from test_host import bridge_config
from traffic import Server, UdpClient, ask

PORTS = ((8080, 80), (8080, 80, "udp"))
RECORDS = pathlib.Path("/run/cnm/endpoints")


def records():
    """The endpoints' records as text."""
    return [path.read_text() for path in RECORDS.glob("*.json")] if RECORDS.exists() else []


def unchanged(before, site, what="rules and state"):
    """Asserts that the site is as it was."""
    before.must_equal(site.snapshot(), what)


def kill(container):
    """The container dies without a DEL: its netns is gone, and with it its link."""
    container.netns.delete()
    links = [link["name"] for link in container.result["interfaces"] if not link.get("sandbox")]
    wait_until(lambda: not any(os.path.exists(f"/sys/class/net/{name}") and name.startswith("veth")
                               for name in links), what="link gone")


# ---- conflicts

TAKEN = {"the_same_port": [(8080, 80)],
         "a_range_over_it": [mapping(8070, end=8090)],
         "a_shifted_range_over_it": [mapping(8070, 70, end=8090)],
         "it_among_others": [(7000, 80), (8080, 80), (9000, 80)]}


@each(*BACKENDS)
def test_a_taken_host_port_is_refused_and_its_holder_named(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    Server(c1.netns, "c1", 80)
    site.settle(*PORTS)
    site.publish(c1, *PORTS)
    before = site.snapshot()
    for what, ports in TAKEN.items():
        error = site.add(c2, *ports).error(101)
        said = f"{error['msg']}; {error.get('details', '')}"
        assert "net1" in said and "container c1" in said and "container c2" not in said, f"{what}: {said}"
        unchanged(before, site, f"after {what}")
    assert ask(site.outside, HOST, 8080).name == "c1" == ask(site.outside, HOST6, 8080, "udp").name


@each(*BACKENDS)
def test_a_port_within_anothers_range_is_refused(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    site.publish(c1, mapping(8000, end=8099))
    site.publish(c2, (8100, 80), (8050, 80, "udp"))
    for port in (8000, 8050, 8099):
        error = site.add(c2, (port, 80)).error(101)
        assert "c1" in f"{error['msg']}; {error.get('details', '')}", error


@each(*BACKENDS)
def test_a_port_on_different_addresses_is_no_conflict(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    Server(c1.netns, "c1", 80)
    Server(c2.netns, "c2", 80)
    site.publish(c1, mapping(8080, 80, host_ip=HOST))
    site.publish(c2, mapping(8080, 80, host_ip="127.0.0.1"))
    assert ask(site.outside, HOST, 8080).name == "c1" and ask(None, "127.0.0.1", 8080).name == "c2"
    site.withdraw(c1, mapping(8080, 80, host_ip=HOST))
    assert ask(None, "127.0.0.1", 8080).name == "c2"


@each(*BACKENDS)
def test_a_dead_holder_is_replaced(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    site.publish(c1, *PORTS)
    kill(c1)
    Server(c2.netns, "c2", 80)
    site.publish(c2, *PORTS)
    assert ask(site.outside, HOST, 8080).name == "c2" == ask(site.outside, HOST6, 8080, "udp").name
    site.withdraw(c1, *PORTS)
    assert ask(site.outside, HOST, 8080).name == "c2", "the dead one's DEL took the port away"


@each(*BACKENDS)
def test_a_second_add_replaces_what_the_first_published(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    for port in (8080, 8080, 8081):
        site.publish(c1, (port, 80))
    assert ask(site.outside, HOST, 8081).name == "c1" and not ask(site.outside, HOST, 8080, patience=0.3)
    site.withdraw(c1, (8081, 80))
    assert not site.rules(), site.rules()


def test_a_second_add_of_the_same_ports_touches_nothing(host):
    site = Site(host, "nftables")
    c1 = site.container()
    site.publish(c1, *PORTS)
    monitor = subprocess.Popen(["nft", "monitor"], stdout=subprocess.PIPE, text=True)

    def seen_until(mark):
        lines = []
        while mark not in (lines or [""])[-1]:
            lines.append(monitor.stdout.readline())
        return lines[:-1]

    # The first marks only wake the monitor: it says nothing before it listens.
    wait_until(lambda: os.system("nft add table ip mark_start; nft delete table ip mark_start") == 0
               and select.select([monitor.stdout], [], [], 0.1)[0], what="nft monitor listens")
    site.publish(c1, *PORTS)
    os.system("nft add table ip mark_end")
    changes = [line for line in seen_until("mark_end") if " cnm" in line]
    monitor.kill()
    monitor.wait()
    assert not changes, changes


@each(*BACKENDS)
def test_a_refused_sibling_interface_leaves_the_first_ones_ports_alone(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.publish(c1, *PORTS)
    second = Container(c1.netns, host.ours.add(site.bridge(), c1.netns, container="c1", ifname="eth1").ok().json)
    config = {**site.config(*PORTS), "prevResult": second.result}
    host.ours.add(config, c1.netns, container="c1", ifname="eth1").error(101)
    host.ours.delete(config, c1.netns, container="c1", ifname="eth1").ok()
    host.ours.delete(site.bridge(), c1.netns, container="c1", ifname="eth1").ok()
    assert ask(site.outside, HOST, 8080).name == "c1"
    site.check(c1, *PORTS).ok()


# ---- DEL

@each(*BACKENDS)
def test_del_leaves_nothing_and_may_come_twice(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    before = site.settle(*PORTS, mapping(9000, 8000, end=9009))
    site.publish(c1, *PORTS, mapping(9000, 8000, end=9009))
    site.withdraw(c1, *PORTS)
    unchanged(before, site)
    site.withdraw(c1, *PORTS)
    unchanged(before, site)


@each(*BACKENDS)
def test_del_needs_neither_netns_nor_prev_result_nor_a_valid_configuration(host, variant):
    site = Site(host, variant)
    before = site.settle(*PORTS)
    broken = [{**site.config(*PORTS), "backend": 7}, {**site.config(), "runtimeConfig": None},
              site.config(mapping(0)), {"cniVersion": "1.1.0", "name": "net1"}, "{", ""]
    for number, body in enumerate(broken):
        c1 = site.container("c1")
        site.publish(c1, *PORTS)
        netns = c1.netns if number % 2 else ""
        host.ours.call("portmap", "DEL", body, netns=netns).ok()
        assert not site.rules(), f"{body}: {site.rules()}"
        site.disconnect(c1)
        c1.netns.delete()
        unchanged(before, site, f"DEL with {body}")


@each(*BACKENDS)
def test_the_interface_plugins_del_and_gc_take_the_ports_with_them(host, variant):
    site = Site(host, variant)
    before = site.settle(*PORTS)
    c1 = site.container()
    site.publish(c1, *PORTS)
    site.disconnect(c1)
    unchanged(before, site, "after the bridge's DEL")
    site.withdraw(c1, *PORTS)
    c2 = site.container("c2")
    site.publish(c2, *PORTS)
    host.ours.collect(site.bridge(), []).ok()
    unchanged(before, site, "after the bridge's GC")


# ---- GC, CHECK, STATUS

@each(*BACKENDS)
def test_gc_keeps_what_is_listed_and_removes_the_rest(host, variant):
    site = Site(host, variant)
    c1, c2 = site.container(), site.container("c2")
    site.settle(*PORTS)
    Server(c1.netns, "c1", 80)
    site.publish(c1, (8080, 80))
    before = site.snapshot()
    site.publish(c2, (8081, 80))
    host.ours.collect(site.config(), [("c1", "eth0")]).ok()
    unchanged(before, site)
    assert ask(site.outside, HOST, 8080).name == "c1"
    host.ours.collect(site.config(), []).ok()
    assert not site.rules() and c1.netns.link(), "portmap's GC is not the bridge's"


@each(*BACKENDS)
def test_check_notices_what_is_missing(host, variant):
    site = Site(host, variant)
    c1 = site.container()
    site.publish(c1, *PORTS)
    site.check(c1, *PORTS).ok()
    site.check(c1, *PORTS, (8081, 80)).error(7)
    host.ours.call("portmap", "CHECK", site.config(*PORTS), netns=c1.netns).error(
        7, "Required prevResult missing")
    subprocess.run("nft flush ruleset; iptables -t nat -F; iptables -t nat -X", shell=True,
                   stderr=subprocess.DEVNULL)
    site.check(c1, *PORTS).error(105)
    site.publish(c1, *PORTS)
    site.check(c1, *PORTS).ok()
    with open("/proc/sys/net/ipv4/conf/br1/route_localnet", "w") as setting:
        setting.write("0")
    site.check(c1, *PORTS).error(105, "route_localnet")


@each(*BACKENDS)
def test_status_is_silent_where_an_add_would_work(host, variant):
    site = Site(host, variant)
    before = site.snapshot()
    host.ours.status(site.config()).ok()
    unchanged(before, site)
    host.ours.status(site.config(backend="pf")).error((7, 50))


def test_status_without_iptables_programs_is_an_error(host):
    site = Site(host, "iptables-nft")
    os.environ["PATH"] = "/run/test/none"
    for directory in ("/usr/sbin", "/sbin"):
        subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "none", directory], check=True)
    host.ours.status(site.config()).error(50, "iptables")


# ---- no ports, bad ports

def test_without_ports_the_result_passes_through_and_nothing_is_recorded(host):
    site = Site(host, "nftables")
    c1 = site.container()
    before = site.snapshot()
    for body in ({}, {"runtimeConfig": {}}, {"runtimeConfig": {"portMappings": []}}):
        config = {**site.config(), "prevResult": c1.result}
        config.pop("runtimeConfig")
        outcome = host.ours.add({**config, **body}, c1.netns).ok()
        assert outcome.json == c1.result
        host.ours.delete({**config, **body}, c1.netns).ok()
    unchanged(before, site)


def test_a_result_of_every_version_passes_through_unchanged(host):
    for number, version in enumerate(("0.3.1", "0.4.0", "1.0.0", "1.1.0")):
        site = Site(host, "nftables", version) if number == 0 else site
        site.version = version
        c1 = site.container(f"c{number}")
        site.publish(c1, (8080 + number, 80))


def test_it_must_be_chained(host):
    site = Site(host, "nftables")
    c1 = site.container()
    for config in (site.config(), site.config(*PORTS)):
        host.ours.add(config, c1.netns).error(7, "must be called as chained plugin")


BAD = [({"hostPort": 0}, "Invalid host port number: 0"), ({"hostPort": 65536}, "Invalid host port number: 65536"),
       ({"hostPort": -1}, "Invalid host port number: -1"), ({"containerPort": 0}, "Invalid container port number: 0"),
       ({"containerPort": 70000}, "Invalid container port number: 70000"), ({"hostPort": "80"}, "portMappings[0].hostPort"),
       ({"hostPort": 80.5}, "portMappings[0].hostPort"), ({"protocol": "icmp"}, "icmp"),
       ({"hostIP": "localhost"}, "localhost"), ({"hostIP": "192.0.2.0/24"}, "192.0.2.0/24"),
       ({"hostPortEnd": 1}, "hostPortEnd"), ({"hostPortEnd": 70000}, "70000"),
       ({"containerPort": 65535, "hostPortEnd": 8081}, "65535")]


def test_bad_input_is_one_clear_error_and_changes_nothing(host):
    site = Site(host, "nftables")
    c1 = site.container()
    before = site.snapshot()
    for change, text in BAD:
        site.add(c1, {**mapping(8080, 80), **change}).error((6, 7), text)
    site.add(c1, (8080, 80), (8080, 81)).error(7, "twice")
    site.add(c1, mapping(8000, end=8100), (8080, 81)).error(7, "twice")
    for keys, text in (({"backend": "pf"}, 'unrecognized backend "pf"'),
                       ({"markMasqBit": 32}, "MasqMarkBit must be between 0 and 31"),
                       ({"conditionsV4": ["-s", "192.0.2.1"]}, "nftables backend was requested but configuration "
                        "contains iptables-specific options [conditionsV4]")):
        site.add(c1, (8080, 80), **keys).error(7, text)
    unchanged(before, site)


# ---- stale flows

def udp_flows(port):
    """conntrack's UDP flows to a port, as its own tool lists them."""
    done = subprocess.run(["conntrack", "-L", "-p", "udp", "--orig-port-dst", str(port)],
                          capture_output=True, text=True)
    return done.stdout.splitlines()


def untouched(port):
    """The ids of the flows to a port: a flow that was made anew has another."""
    done = subprocess.run(["conntrack", "-L", "-p", "udp", "--orig-port-dst", str(port), "-o", "id"],
                          capture_output=True, text=True)
    return sorted(word for word in done.stdout.split() if word.startswith("id="))


@each(*BACKENDS)
def test_a_client_that_keeps_sending_reaches_who_has_the_port_now(host, variant):
    site = Site(host, variant)
    c1, c2, other = site.container(), site.container("c2"), site.container("other")
    Server(c1.netns, "c1", 80)
    Server(c2.netns, "c2", 80)
    Server(other.netns, "other", 80)
    site.publish(other, (9090, 80, "udp"))
    clients = [UdpClient(site.outside, address, 8080, 5000) for address in (HOST, HOST6)]
    bystander = UdpClient(site.outside, HOST, 9090, 5001)
    assert bystander.say().name == "other"
    before = untouched(9090)
    for client in clients:
        assert not client.say(0.2)
    assert len(udp_flows(8080)) == 2, "no stale flow: this case shows nothing"
    site.publish(c1, *PORTS)
    assert [client.say().name for client in clients] == ["c1", "c1"]
    site.withdraw(c1, *PORTS)
    assert udp_flows(8080) == []
    site.publish(c2, *PORTS)
    assert [client.say().name for client in clients] == ["c2", "c2"]
    assert untouched(9090) == before, "a flow to another port was touched"
    assert bystander.say().name == "other"


# ---- behind plugins that are not ours

PTP = {"cniVersion": "1.0.0", "name": "net1", "type": "ptp",
       "ipam": {"type": "host-local", "subnet": "10.1.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}


def foreign_container(site, kind, name="c1"):
    """A container that Debian's bridge or ptp made."""
    config = PTP if kind == "ptp" else bridge_config("1.0.0", isDefaultGateway=True)
    return site.container(name, plugins=site.host.theirs, config=config)


@each("bridge", "ptp")
def test_it_works_behind_a_foreign_plugin_and_leaves_nothing(host, kind):
    site = Site(host, "nftables", "1.0.0")
    c1 = foreign_container(site, kind)
    Server(c1.netns, "c1", 80)
    site.publish(c1, *PORTS)
    site.withdraw(c1, *PORTS)
    before = site.snapshot()
    site.publish(c1, *PORTS)
    assert len(records()) == 1
    assert ask(site.outside, HOST, 8080).name == "c1" == ask(None, "127.0.0.1", 8080, "udp").name
    site.check(c1, *PORTS).ok()
    site.withdraw(c1, *PORTS)
    assert records() == []
    unchanged(before, site)


@each("bridge", "ptp")
def test_gc_of_a_foreign_endpoint(host, kind):
    site = Site(host, "nftables", "1.0.0")
    c1, c2 = foreign_container(site, kind), foreign_container(site, kind, "c2")
    site.publish(c1, *PORTS)
    site.publish(c2, (8081, 80))
    site.version = "1.1.0"
    host.ours.collect(site.config(), None).ok()
    assert len(records()) == 2, "both are alive"
    c2.netns.delete()
    host.ours.collect(site.config(), None).ok()
    assert len(records()) == 1 and "8081" not in str(site.rules()), site.rules()
    host.ours.collect(site.config(), []).ok()
    assert records() == [] and not site.rules(), site.rules()


# ---- live swap with the reference

@each(*IPTABLES)
def test_the_reference_adds_and_ours_checks_and_deletes(host, variant):
    site = Site(host, variant, "1.0.0")
    c1 = site.container()
    Server(c1.netns, "c1", 80)
    site.add(c1, *PORTS, plugins=host.theirs, backend=None).ok()
    site.withdraw(c1, *PORTS, plugins=host.theirs, backend=None)
    before = site.snapshot()
    for given in ({"backend": None}, {}):
        site.add(c1, *PORTS, plugins=host.theirs, backend=None).ok()
        site.check(c1, *PORTS, **given).ok()
        site.check(c1, *PORTS, (8081, 80), **given).error(105)
        site.withdraw(c1, *PORTS, **given)
        unchanged(before, site)


@each(*IPTABLES)
def test_ours_adds_and_the_reference_deletes(host, variant):
    site = Site(host, variant, "1.0.0")
    c1 = site.container()
    before, rules = site.settle(*PORTS), site.rules()
    site.publish(c1, *PORTS)
    site.withdraw(c1, *PORTS, plugins=host.theirs, backend=None)
    assert site.rules() == rules, site.rules()
    site.check(c1, *PORTS).error(105)
    site.withdraw(c1, *PORTS)
    unchanged(before, site)


@each(*IPTABLES)
def test_the_rules_are_the_references(host, variant):
    site = Site(host, variant, "1.0.0")
    dual, ipv4 = site.container("dual"), site.container("ipv4", config=bridge_config("1.0.0", isGateway=True))
    many = [(8080, 80), (8080, 80, "udp"), (9000, 90), *((port, 80) for port in range(7000, 7020))]
    # The reference asks whether a rule is there before it adds it, and `ip6tables-legacy -C` of iptables
    # 1.8.9 takes one DNAT rule for another: of IPv6 mappings it then makes only the first.
    for container, ports, keys in (
            (dual, many[:1] if variant == "iptables-legacy" else many, {}), (dual, many[:1], {"snat": False}),
            (ipv4, [*many, mapping(8081, 80, host_ip=HOST), mapping(8082, 80, host_ip="0.0.0.0")], {}),
            (ipv4, many[:2], {"conditionsV4": ["!", "-s", "192.0.2.0/24"]}),
            (ipv4, many[:2], {"markMasqBit": 5})):
        seen = []
        for plugins, backend in ((host.theirs, None), (host.ours, "iptables")):
            site.add(container, *ports, plugins=plugins, backend=backend, **keys).ok()
            seen.append(site.rules())
            site.withdraw(container, *ports, plugins=plugins, backend=backend, **keys)
            assert not site.rules(), site.rules()
        assert seen[0] and seen[0] == seen[1], "\n".join([f"{keys}: theirs", *seen[0], "ours", *seen[1]])
