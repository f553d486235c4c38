# The bandwidth plugin: what it makes of traffic control, what stays of it, and how fast traffic then is.

import hashlib
import json
import os
import subprocess

from test_host import bridge_config
from transfer import carry, goodput

PTP = {"cniVersion": "1.0.0", "name": "net1", "type": "ptp",
       "ipam": {"type": "host-local", "subnet": "10.1.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}
BOTH = {"ingressRate": 80_000_000, "ingressBurst": 800_000, "egressRate": 8_000_000, "egressBurst": 400_000}
UINT32_MAX = 0xFFFFFFFF


def limits(previous=None, version="1.0.0", **keys):
    """A bandwidth configuration on network `net1` behind a former result."""
    config = {"cniVersion": version, "name": "net1", "type": "bandwidth", **keys}
    if previous is not None:
        config["prevResult"] = previous
    return config


def tc(*arguments, link):
    """`tc -d -j ... dev LINK`, parsed."""
    done = subprocess.run(["tc", "-d", "-j", *arguments[:2], "dev", link, *arguments[2:]],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout) if done.stdout.strip() else []


def qdiscs(link):
    """Every qdisc of the link but the kernel's default, as text."""
    return [json.dumps(one, sort_keys=True) for one in tc("qdisc", "show", link=link)
            if one["kind"] != "noqueue"]


def arriving(link):
    """The filters of what arrives at the link, without what the kernel numbers as it likes."""
    found = []
    for one in tc("filter", "show", "ingress", link=link):
        options = one.get("options", {})
        for action in options.get("actions", []):
            action.pop("index", None)
        if "fh" in options and "match" in options:
            options.pop("fh"), options.pop("order", None)
            found.append(one)
        elif one["kind"] != "u32":
            found.append(one)
    return found


def veth_of(result):
    """The host's end in a result of bridge or ptp."""
    return [one["name"] for one in result["interfaces"]
            if not one.get("sandbox") and one["name"].startswith("veth")][0]


def ifb_of(result):
    """The ifb in a result; None if there is none."""
    names = [one["name"] for one in result["interfaces"] if one["name"].startswith("bwp")]
    return names[0] if names else None


def ifbs(host):
    """Names of the ifbs on the host."""
    return sorted(link["ifname"] for link in host.ip("-d", "link", "show", "type", "ifb"))


def connected(host, name="c1", ifname="eth0", plugins=None, config=None):
    """A container on a network, and the result of that."""
    container = [one for one in host.containers if one.name == name]
    container = container[0] if container else host.container(name)
    config = config or bridge_config("1.0.0", isGateway=True)
    return container, (plugins or host.ours).add(config, container, container=name, ifname=ifname).ok().json


# ---- what is made, beside the reference -----------------------------------------------------------

def made_by(plugins, host, c1, result, keys):
    """Qdiscs and filters after an ADD, and everything gone again."""
    config = limits(result, **keys)
    added = plugins.add(config, c1).ok().json
    ifb, veth = ifb_of(added), veth_of(result)
    state = {"veth": qdiscs(veth), "ifb": qdiscs(ifb) if ifb else [], "filters": arriving(veth),
             "link": None}
    if ifb:
        link = host.link(ifb)
        state["link"] = {key: link[key] for key in ("ifname", "mtu", "flags", "qdisc", "linkinfo")}
        state["length"] = link.get("txqlen", 0)
    plugins.delete(config, c1).ok()
    os.system(f"tc qdisc del dev {veth} root 2>/dev/null; tc qdisc del dev {veth} ingress 2>/dev/null")
    return state


def both_make(host, keys):
    """What ours and the reference make must be equal, but for the reference's second, dead action."""
    c1, result = connected(host)
    theirs = made_by(host.theirs, host, c1, result, keys)
    for one in theirs["filters"]:
        assert len(one["options"]["actions"]) == 2, one
        del one["options"]["actions"][1]
    ours = made_by(host.ours, host, c1, result, keys)
    assert ours == theirs, f"{keys}:\nours   {ours}\ntheirs {theirs}"
    return ours


def test_both_directions_are_made_as_the_reference_makes_them(host):
    made = both_make(host, BOTH)
    assert made["veth"] and made["ifb"] and made["filters"], made


def test_every_rate_and_burst_becomes_the_reference_s_numbers(host):
    c1, result = connected(host)
    rates = (8, 8_000, 999_999, 10_000_000, 80_000_000, 123_456_789, 1_000_000_000,
             34_359_738_360, 34_359_738_368, 80_000_000_000, 1_000_000_000_001)
    bursts = (8_000, 80_007, 12_345_678, UINT32_MAX, 34_000_000_007)
    for rate in rates:
        for burst in bursts:
            keys = {"ingressRate": rate, "ingressBurst": burst}
            reference = host.theirs.call("bandwidth", "ADD", limits(result, **keys), netns=c1.path)
            theirs = qdiscs(veth_of(result))
            os.system(f"tc qdisc del dev {veth_of(result)} root 2>/dev/null")
            ours = host.ours.call("bandwidth", "ADD", limits(result, **keys), netns=c1.path)
            assert ours.code == reference.code, f"{keys}: {ours.stdout} {reference.stdout}"
            assert qdiscs(veth_of(result)) == theirs, f"{keys}: {qdiscs(veth_of(result))} {theirs}"
            host.ours.delete(limits(result, **keys), c1).ok()
            assert qdiscs(veth_of(result)) == [], "something stays after DEL"


def test_a_wrapped_burst_that_could_hold_no_packet_is_the_longest_instead(host):
    c1, result = connected(host)
    # 2^32 ticks of 64 ns and a little: the reference's bucket holds 0.1 s of 8 kbit/s, less than a packet
    burst = 8 * round(1_000 * (2**32 * 64e-9 + 0.1))
    host.ours.add(limits(result, ingressRate=8_000, ingressBurst=burst), c1).ok()
    shown = tc("qdisc", "show", link=veth_of(result))[0]["options"]["burst"]
    assert int(shown.split("b")[0]) > 270_000, shown


def test_the_kernel_s_tick_is_what_the_arithmetic_assumes(host):
    with open("/proc/net/psched") as opened:
        words = [int(word, 16) for word in opened.read().split()]
    assert (words[0], words[1], words[2]) == (1000, 64, 1_000_000), words


def test_the_result_names_the_ifb_and_nothing_else_changes(host):
    c1, result = connected(host)
    added = host.ours.add(limits(result, **BOTH), c1).ok().json
    name = "bwp" + hashlib.sha512(b"net1c1").hexdigest()[:12]
    link = host.link(name)
    assert added["interfaces"][-1] == {"name": name, "mac": link["address"]}
    assert {**added, "interfaces": added["interfaces"][:-1]} == result
    assert link["ifalias"] == hashlib.sha512(b"net1\0c1\0eth0").hexdigest()[:16]


def test_only_one_direction_makes_only_that(host):
    c1, result = connected(host)
    veth = veth_of(result)
    config = limits(result, ingressRate=8_000_000, ingressBurst=80_000)
    assert ifb_of(host.ours.add(config, c1).ok().json) is None
    assert len(qdiscs(veth)) == 1 and not ifbs(host) and not arriving(veth)
    host.ours.delete(config, c1).ok()
    config = limits(result, egressRate=8_000_000, egressBurst=80_000)
    host.ours.add(config, c1).ok()
    assert "ingress" in str(qdiscs(veth)) and "tbf" not in str(qdiscs(veth)) and ifbs(host)


# ---- configuration --------------------------------------------------------------------------------

def test_the_capability_is_understood_in_both_spellings(host):
    c1, result = connected(host)
    for spell in (str, lambda key: key[0].upper() + key[1:]):
        entry = {spell(key): value for key, value in BOTH.items()}
        config = limits(result, capabilities={"bandwidth": True}, runtimeConfig={"bandwidth": entry})
        host.ours.add(config, c1).ok()
        assert len(qdiscs(veth_of(result))) == 2 and len(ifbs(host)) == 1, entry
        host.ours.delete(config, c1).ok()


def test_any_static_key_hides_the_runtime_s(host):
    c1, result = connected(host)
    config = limits(result, ingressRate=8_000_000, ingressBurst=80_000, runtimeConfig={"bandwidth": BOTH})
    host.ours.add(config, c1).ok()
    assert "1000000" in qdiscs(veth_of(result))[0] and not ifbs(host)
    host.ours.delete(config, c1).ok()
    config = limits(result, ingressRate=0, runtimeConfig={"bandwidth": BOTH})
    assert host.ours.add(config, c1).ok().json == result
    assert not qdiscs(veth_of(result)) and not ifbs(host)


def test_without_limits_the_result_passes_and_nothing_is_written(host):
    c1, result = connected(host)
    before = host.snapshot()
    for keys in ({}, {"runtimeConfig": {}}, {"runtimeConfig": {"bandwidth": dict.fromkeys(BOTH, 0)}}):
        assert host.ours.add(limits(result, **keys), c1).ok().json == result
    before.must_equal(host.snapshot())


def test_without_prev_result_it_fails_and_does_not_crash(host):
    c1 = host.container("c1")
    host.ours.add(limits(), c1).error(7, "must be called as chained plugin")
    host.ours.add(limits(**BOTH), c1).error(7, "must be called as chained plugin")
    host.ours.call("bandwidth", "CHECK", limits(**BOTH), netns=c1.path).error(7, "must be called as chained plugin")


def test_bad_rates_and_bursts_are_named_and_change_nothing(host):
    c1, result = connected(host)
    before = host.snapshot()
    cases = (
        ({"ingressRate": 8}, "if rate is set, burst must also be set; $.ingressBurst"),
        ({"egressBurst": 8}, "if burst is set, rate must also be set; $.egressRate"),
        ({"ingressRate": 8, "ingressBurst": 34_359_738_360}, "burst cannot be more than 4GB; $.ingressBurst"),
        ({"ingressRate": 7, "ingressBurst": 80_000}, "$.ingressRate: 7 bits/s"),
        ({"egressRate": 80, "egressBurst": 7}, "$.egressBurst: 7 bits"),
        ({"ingressRate": 2**64 - 1, "ingressBurst": UINT32_MAX}, "$.ingressBurst: 4294967295 bits last less"),
        ({"ingressRate": 2**64, "ingressBurst": 8}, "$.ingressRate: 18446744073709551616"),
        ({"ingressRate": -1, "ingressBurst": 8}, "$.ingressRate: -1"),
        ({"ingressRate": "8", "ingressBurst": 8}, "$.ingressRate: want a whole number, got a string"),
        ({"ingressRate": 8.5, "ingressBurst": 8}, "$.ingressRate"),
        ({**BOTH, "unshapedSubnets": ["10.0.0.0/8", "hello"]}, "$.unshapedSubnets[1]"),
        ({**BOTH, "shapedSubnets": ["10.0.0.0/33"]}, "$.shapedSubnets[0]"),
        ({**BOTH, "shapedSubnets": ["10.0.0.0/8"], "unshapedSubnets": ["10.1.0.0/16"]}, "excludes"),
        ({"runtimeConfig": {"bandwidth": {"ingressRate": 8}}}, "$.runtimeConfig.bandwidth.ingressBurst"),
    )
    for keys, text in cases:
        host.ours.add(limits(result, **keys), c1).error((6, 7), text)
    before.must_equal(host.snapshot())


def test_versions_before_0_3_0_are_refused(host):
    c1 = host.container("c1")
    for version in ("0.1.0", "0.2.0"):
        host.ours.add(limits(version=version, **BOTH), c1).error(1)
    spoken = host.ours.call("bandwidth", "VERSION", {"cniVersion": "1.0.0"}).ok().json
    assert spoken["supportedVersions"] == ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]


def test_interfaces_that_cannot_be_limited_are_named(host):
    c1, result = connected(host)
    host.ours.add(limits({**result, "interfaces": []}, **BOTH), c1).error(7, "no interfaces provided")
    host.ours.add(limits(result, **BOTH), c1, ifname="eth7").error(
        7, "container interface eth7 has no veth peer: Link not found")
    host.ours.add(limits(result, **BOTH), c1, ifname="lo").error(7, "container interface lo has no veth peer")
    rest = [one for one in result["interfaces"] if not one["name"].startswith("veth")]
    host.ours.add(limits({**result, "interfaces": rest}, **BOTH), c1).error(
        7, "no veth peer of container interface found in host ns")
    alone = host.container("alone")
    host.ours.add(limits(result, **BOTH), alone, container="alone").error(
        7, "container interface eth0 has no veth peer")
    c1.run("ip", "link", "add", "in0", "type", "veth", "peer", "name", "in1")
    host.ours.add(limits(result, **BOTH), c1, ifname="in0").error(7, "veth peer")
    assert not ifbs(host) and not qdiscs(veth_of(result))


# ---- several, twice, next to others ---------------------------------------------------------------

def test_two_interfaces_of_a_container_have_an_ifb_each(host):
    c1, first = connected(host)
    _, second = connected(host, ifname="eth1")
    one, two = limits(first, **BOTH), limits(second, **BOTH)
    names = [ifb_of(host.ours.add(one, c1).ok().json), ifb_of(host.ours.add(two, c1, ifname="eth1").ok().json)]
    assert sorted(names) == ifbs(host) and len(set(names)) == 2
    host.ours.check(one, c1, {**first}).ok()
    host.ours.check(two, c1, {**second}, ifname="eth1").ok()
    host.ours.delete(one, c1).ok()
    assert ifbs(host) == names[1:] and arriving(veth_of(second)) and qdiscs(veth_of(second))
    host.ours.check(two, c1, {**second}, ifname="eth1").ok()
    host.ours.delete(two, c1, ifname="eth1").ok()
    assert not ifbs(host)


def test_add_twice_changes_nothing_and_add_of_other_limits_replaces(host):
    c1, result = connected(host)
    veth = veth_of(result)
    added = host.ours.add(limits(result, **BOTH), c1).ok().json
    before = qdiscs(veth), qdiscs(ifb_of(added)), arriving(veth), host.snapshot()
    assert host.ours.add(limits(result, **BOTH), c1).ok().json == added
    assert (qdiscs(veth), qdiscs(ifb_of(added)), arriving(veth)) == before[:3]
    before[3].must_equal(host.snapshot())
    host.ours.add(limits(result, ingressRate=16_000_000, ingressBurst=80_000), c1).ok()
    assert "2000000" in str(qdiscs(veth)) and not ifbs(host) and not arriving(veth)


def test_del_leaves_nothing_and_succeeds_twice(host):
    c1, result = connected(host)
    before = host.snapshot()
    config = limits(result, **BOTH)
    host.ours.add(config, c1).ok()
    host.ours.delete(config, c1).ok()
    before.must_equal(host.snapshot())
    assert not qdiscs(veth_of(result)) and not arriving(veth_of(result))
    host.ours.delete(config, c1).ok()


def test_del_needs_neither_netns_nor_prev_result_nor_a_valid_configuration(host):
    for body in (limits(), limits(**{**BOTH, "ingressRate": -1}), "{ not json",
                 {**limits(), "prevResult": {"cniVersion": "9.9.9"}}, {**limits(), "cniVersion": "0.1.0"}):
        c1, result = connected(host)
        host.ours.add(limits(result, **BOTH), c1).ok()
        host.ours.call("bandwidth", "DEL", body, netns=None).ok()
        assert not ifbs(host) and not qdiscs(veth_of(result)), body
        host.ours.delete(bridge_config("1.0.0"), c1).ok()


def test_the_interface_plugin_s_del_takes_the_ifb_with_it(host):
    c1, result = connected(host)
    host.ours.add(limits(result, **BOTH), c1).ok()
    host.ours.delete(bridge_config("1.0.0"), c1).ok()
    assert not ifbs(host) and not os.listdir("/run/cnm/endpoints")


def test_an_existing_ingress_or_clsact_qdisc_is_used_and_stays(host):
    c1, result = connected(host)
    veth = veth_of(result)
    for kind in ("ingress", "clsact"):
        os.system(f"tc qdisc add dev {veth} {kind} && tc filter add dev {veth} ingress prio 7 protocol ip"
                  " u32 match ip dst 198.51.100.1/32 classid 5:5")
        before = qdiscs(veth), arriving(veth)
        config = limits(result, **BOTH)
        host.ours.add(config, c1).ok()
        assert [one["pref"] for one in arriving(veth)] == [7, 8], arriving(veth)
        host.ours.check(config, c1, result).ok()
        seconds, _ = carry(300_000, "out", c1, "10.1.0.1")
        assert seconds > 0.2, f"not limited: {seconds}"
        host.ours.delete(config, c1).ok()
        assert (qdiscs(veth), arriving(veth)) == before
        os.system(f"tc qdisc del dev {veth} {kind}")


def test_a_filter_added_later_keeps_our_ingress_qdisc(host):
    c1, result = connected(host)
    veth = veth_of(result)
    host.ours.add(limits(result, **BOTH), c1).ok()
    os.system(f"tc filter add dev {veth} ingress prio 9 protocol ip u32 match ip dst 198.51.100.1/32 classid 5:5")
    host.ours.delete(limits(result, **BOTH), c1).ok()
    assert [one["pref"] for one in arriving(veth)] == [9]


def test_a_foreign_root_qdisc_is_not_touched(host):
    c1, result = connected(host)
    veth = veth_of(result)
    os.system(f"tc qdisc add dev {veth} root handle 1: tbf rate 1mbit burst 10kb latency 30ms")
    before, rules = host.snapshot(), qdiscs(veth)
    host.ours.add(limits(result, **BOTH), c1).error(None, "create qdisc: file exists")
    before.must_equal(host.snapshot())
    assert qdiscs(veth) == rules and not ifbs(host)


def test_a_foreign_link_of_the_ifb_s_name_is_passed_by(host):
    c1, result = connected(host)
    name = "bwp" + hashlib.sha512(b"net1c1").hexdigest()[:12]
    os.system(f"ip link add {name} type veth peer name foreign0")
    added = host.ours.add(limits(result, **BOTH), c1).ok().json
    assert ifb_of(added) != name and host.link(ifb_of(added))
    host.ours.delete(limits(result, **BOTH), c1).ok()
    assert host.link(name) and not ifbs(host)


# ---- CHECK, GC, failures --------------------------------------------------------------------------

def test_check_finds_every_loss(host):
    c1, result = connected(host)
    veth = veth_of(result)
    config = limits(result, **BOTH)
    losses = (
        ("tc qdisc del dev {veth} root", "Failed to find qdisc"),
        ("tc qdisc change dev {veth} root handle 1: tbf rate 9mbit burst 10kb latency 30ms", "Rate doesn't match"),
        ("tc qdisc change dev {veth} root handle 1: tbf rate 80mbit burst 100000 limit 5000", "Limit doesn't match"),
        ("tc qdisc change dev {veth} root handle 1: tbf rate 80mbit burst 90000 limit 350000", "Buffer doesn't match"),
        ("tc qdisc del dev {veth} ingress", "Failed to find filter"),
        ("tc filter del dev {veth} ingress prio 1", "Failed to find filter"),
        ("tc qdisc del dev {ifb} root", "Failed to find qdisc"),
        ("ip link set {ifb} down", "get ifb device"),
        ("ip link del {ifb}", "not found"),
    )
    for command, text in losses:
        ifb = ifb_of(host.ours.add(config, c1).ok().json)
        host.ours.check(config, c1, result).ok()
        assert os.system(command.format(veth=veth, ifb=ifb)) == 0, command
        host.ours.check(config, c1, result).error(None, text)
        host.ours.delete(config, c1).ok()
        assert not ifbs(host) and not qdiscs(veth), command


def test_check_without_limits_is_silent(host):
    c1, result = connected(host)
    host.ours.check(limits(), c1, result).ok()


def test_gc_removes_what_is_not_listed_and_keeps_what_is(host):
    keep, first = connected(host, "keep")
    drop, second = connected(host, "drop")
    host.ours.add(limits(first, **BOTH), keep, container="keep").ok()
    host.ours.add(limits(second, **BOTH), drop, container="drop").ok()
    host.ours.collect(limits(version="1.1.0"), [("keep", "eth0")]).ok()
    assert len(ifbs(host)) == 1 and qdiscs(veth_of(first)) and not qdiscs(veth_of(second))
    assert drop.ping("10.1.0.1"), "a filter to a vanished ifb swallows what the container sends"
    host.ours.check(limits(first, **BOTH), keep, first, container="keep").ok()


def test_gc_on_a_foreign_endpoint_removes_what_is_dead(host):
    c1, result = connected(host, plugins=host.theirs, config=PTP)
    host.ours.add(limits(result, **BOTH), c1).ok()
    host.ours.collect(limits(version="1.1.0"), [("c1", "eth0")]).ok()
    assert len(ifbs(host)) == 1
    host.ours.collect(limits(version="1.1.0"), []).ok()
    assert not ifbs(host) and not os.listdir("/run/cnm/endpoints")


def test_a_failed_add_leaves_nothing(host):
    c1, result = connected(host)
    before = host.snapshot()
    name = "bwp" + hashlib.sha512(b"net1c1").hexdigest()[:12]
    own = "bwp" + hashlib.sha512(b"net1\0c1\0eth0").hexdigest()[:12]
    os.system(f"ip link add {name} type veth peer name foreign0; ip link add {own} type veth peer name foreign1")
    host.ours.add(limits(result, **BOTH), c1).error(None, "adding link: ")
    os.system(f"ip link del {name}; ip link del {own}")
    before.must_equal(host.snapshot())
    assert not qdiscs(veth_of(result))


# ---- other implementations ------------------------------------------------------------------------

def test_behind_foreign_interface_plugins(host):
    for plugin in (bridge_config("1.0.0", isGateway=True), PTP):
        c1, result = connected(host, plugins=host.theirs, config=plugin)
        before = host.snapshot()
        config = limits(result, **BOTH)
        host.ours.add(config, c1).ok()
        host.ours.check(config, c1, result).ok()
        seconds, _ = carry(300_000, "out", c1, "10.1.0.1")
        assert seconds > 0.2, f"not limited: {seconds}"
        host.ours.delete(config, c1).ok()
        before.must_equal(host.snapshot())
        assert not qdiscs(veth_of(result)) and not ifbs(host)
        host.theirs.delete(plugin, c1).ok()


def test_either_implementation_checks_and_removes_what_the_other_made(host):
    c1, result = connected(host)
    config = limits(result, **BOTH)
    for maker, other in ((host.ours, host.theirs), (host.theirs, host.ours)):
        added = maker.add(config, c1).ok().json
        other.check(config, c1, added).ok()
        other.delete(config, c1).ok()
        assert not ifbs(host)
        maker.delete(config, c1).ok()
        veth = veth_of(result)
        os.system(f"tc qdisc del dev {veth} root 2>/dev/null; tc qdisc del dev {veth} ingress 2>/dev/null")


# ---- traffic --------------------------------------------------------------------------------------

def test_throughput_is_the_set_rate_in_both_directions(host):
    c1, result = connected(host)
    burst = 4_000_000  # 100 ms at the higher rate: what a busy machine comes too late for, it makes up
    for ingress, egress in ((4_000_000, 40_000_000), (40_000_000, 4_000_000)):
        keys = {"ingressRate": ingress, "ingressBurst": burst, "egressRate": egress, "egressBurst": burst}
        host.ours.add(limits(result, **keys), c1).ok()
        for direction, rate in (("in", ingress), ("out", egress)):
            measured = goodput(rate, burst, direction, c1, "10.1.0.1", 4.0)
            assert 0.9 < measured / rate < 1.1, f"{direction}: {measured:.0f} bit/s, want {rate}"
        host.ours.delete(limits(result, **keys), c1).ok()


def subnet_case(host, keys, wanted):
    """Which of two host addresses (10.1.0.1 and 203.0.113.1), and of IPv6, are limited per direction."""
    c1, result = connected(host)
    os.system("ip addr add 203.0.113.1/32 dev lo; ip addr add 2001:db8:1::1/64 dev br1 nodad")
    c1.run("ip", "route", "add", "203.0.113.1", "via", "10.1.0.1")
    c1.run("ip", "addr", "add", "2001:db8:1::2/64", "dev", "eth0", "nodad")
    rates = {"ingressRate": 1_000_000, "ingressBurst": 80_000, "egressRate": 1_000_000, "egressBurst": 80_000}
    config = limits(result, **rates, **keys)
    host.ours.add(config, c1).ok()
    host.ours.check(config, c1, result).ok()
    for address, limited in wanted.items():
        for direction in ("in", "out"):
            seconds, _ = carry(250_000, direction, c1, address)  # limited, it takes 2
            assert (seconds > 1.5) == limited, f"{address} {direction}: {seconds:.3f} s, {keys}"
    host.ours.add(config, c1).ok()
    host.ours.delete(config, c1).ok()
    assert not qdiscs(veth_of(result)) and not ifbs(host) and not arriving(veth_of(result))


def test_unshaped_subnets_are_not_limited(host):
    subnet_case(host, {"unshapedSubnets": ["203.0.113.0/24", "2001:db8:2::/33"]},
                {"10.1.0.1": True, "203.0.113.1": False, "2001:db8:1::1": False})


def test_only_shaped_subnets_are_limited(host):
    subnet_case(host, {"shapedSubnets": ["203.0.113.1/32", "2001:db8:1::/65"]},
                {"10.1.0.1": False, "203.0.113.1": True, "2001:db8:1::1": True})


def test_subnets_are_taken_from_the_network_s_configuration_for_the_runtime_s_rates(host):
    entry = {"IngressRate": 8_000_000, "IngressBurst": 80_000}
    c1, result = connected(host)
    config = limits(result, shapedSubnets=["203.0.113.0/24"], runtimeConfig={"bandwidth": entry})
    host.ours.add(config, c1).ok()
    assert "htb" in str(qdiscs(veth_of(result)))


def test_subnet_shaping_is_checked_exactly(host):
    c1, result = connected(host)
    veth = veth_of(result)
    config = limits(result, unshapedSubnets=["203.0.113.0/24"], **BOTH)
    for command, text in (
            ("tc filter del dev {veth} parent 1: prio 1", "Failed to find filter"),
            ("tc filter del dev {veth} ingress prio 1", "Failed to find filter"),
            ("tc class change dev {veth} classid 1:1 htb rate 9mbit burst 10k", "Rate doesn't match"),
            ("tc qdisc del dev {veth} parent 1:1", "Failed to find qdisc"),
            ("tc qdisc del dev {veth} root", "Failed to find qdisc")):
        host.ours.add(config, c1).ok()
        host.ours.check(config, c1, result).ok()
        assert os.system(command.format(veth=veth)) == 0, command
        host.ours.check(config, c1, result).error(None, text)
        host.ours.delete(config, c1).ok()
        assert not qdiscs(veth), command
