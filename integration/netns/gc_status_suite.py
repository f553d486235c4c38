# GC and STATUS of the bridge plugin.

from private_host import wait_until
from test_host import FULL, bridge_config, leases, settled


def test_gc_removes_what_is_not_listed_and_keeps_what_is(host):
    spare = host.container("spare")
    config, before = settled(host, spare)
    keep = host.container("keep")
    host.ours.add(config, keep, container="keep").ok()
    host.containers.clear()
    middle = host.snapshot()
    drop = host.container("drop")
    host.ours.add(config, drop, container="drop").ok()
    host.ours.add(config, drop, container="drop", ifname="eth1").ok()
    host.ours.collect(config, [("keep", "eth0")]).ok()
    assert not drop.link() and not drop.link("eth1") and keep.link()
    host.containers.clear()
    middle.must_equal(host.snapshot(), "what was listed")
    host.ours.collect(config, []).ok()
    before_lines, after = before, host.snapshot()
    assert not keep.link() and leases() == {}
    assert [line for line in after.lines if line.startswith(("file", "nft"))] == [
        line for line in before_lines.lines if line.startswith(("file", "nft"))]


def test_gc_matches_the_interface_name_too(host):
    c1 = host.container("c1")
    config = bridge_config()
    host.ours.add(config, c1).ok()
    host.ours.add(config, c1, ifname="eth1").ok()
    host.ours.collect(config, [("c1", "eth1")]).ok()
    assert not c1.link("eth0") and c1.link("eth1") and list(leases().values()) == [("c1", "eth1")]


def test_gc_without_the_key_collects_only_the_dead(host):
    alive, dead = host.container("alive"), host.container("dead")
    config = bridge_config(**FULL)
    host.ours.add(config, alive, container="alive").ok()
    host.ours.add(config, dead, container="dead").ok()
    dead.delete()
    wait_until(lambda: len(host.ip("link", "show", "master", "br1")) == 1, what="veth gone")
    host.ours.collect(config, None).ok()
    assert alive.link() and leases() == {"10.1.0.2": ("alive", "eth0")}
    assert "10.1.0.3" not in str(host.owned_rules())


def test_gc_of_one_network_leaves_another_alone(host):
    c1 = host.container("c1")
    other = {**bridge_config(ipam={"type": "host-local", "subnet": "10.2.0.0/24"}), "name": "net2"}
    host.ours.add(bridge_config(), c1).ok()
    host.ours.add(other, c1, ifname="eth1").ok()
    host.ours.collect(bridge_config(), []).ok()
    assert not c1.link("eth0") and c1.link("eth1") and leases("net1") == {} and leases("net2")


def test_gc_twice_and_on_an_unknown_network_succeeds(host):
    host.ours.collect(bridge_config(), []).ok()
    host.ours.add(bridge_config(), host.container("c1")).ok()
    host.ours.collect(bridge_config(), []).ok()
    host.ours.collect(bridge_config(), []).ok()


def test_status_is_silent_where_an_add_would_work(host):
    before = host.snapshot()
    host.ours.status(bridge_config(**FULL)).ok()
    host.ours.status(bridge_config(ipam=None)).ok()
    before.must_equal(host.snapshot())


def test_status_reports_an_exhausted_pool(host):
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.5", "rangeEnd": "10.1.0.5"}
    config = bridge_config(ipam=ipam)
    host.ours.status(config).ok()
    host.ours.add(config, host.container("c1")).ok()
    error = host.ours.status(config).error((50, 51))
    assert "10.1.0.5" in error["msg"] + error.get("details", ""), error


def test_status_reports_a_missing_ipam_plugin(host):
    host.ours.status(bridge_config(ipam={"type": "no-such"})).error(50, "no-such")


def test_status_reports_a_bad_configuration(host):
    host.ours.status(bridge_config(mtu=-1)).error((6, 7, 50))
    host.ours.status(bridge_config(ipam={"type": "host-local"})).error((6, 7, 50))
