# DEL in every state of the world, ADD that fails and leaves nothing, records that are lost or damaged.

import fcntl
import os
import pathlib
import re
import shutil
import time

from private_host import pretend_reboot, remount_read_only, wait_until
from tap import allow
from test_host import FULL, bridge_config, leases, settled


def gone_as(host, netns_of):
    """ADD, then DEL with the netns that `netns_of(container)` returns: nothing may be left on the host."""
    spare = host.container("spare")
    config, before = settled(host, spare)
    c1 = host.container("c1")
    host.ours.add(config, c1).ok()
    path = netns_of(c1)
    host.ours.delete(config, path).ok()
    assert not os.path.ismount(c1.path) or not c1.link()
    host.containers.remove(c1)
    before.must_equal(host.snapshot())


def test_del_twice_succeeds(host):
    c1 = host.container("c1")
    config, before = settled(host, c1)
    host.ours.add(config, c1).ok()
    for _ in range(3):
        host.ours.delete(config, c1).ok()
        before.must_equal(host.snapshot())


def test_del_without_add_succeeds(host):
    c1 = host.container("c1")
    _, before = settled(host, c1)
    host.ours.delete(bridge_config(**FULL), c1, container="never-seen").ok()
    before.must_equal(host.snapshot())


def test_del_on_a_pristine_host_leaves_nothing_but_our_state_directory(host):
    c1 = host.container("c1")
    before = host.snapshot()
    host.ours.delete(bridge_config(**FULL), c1).ok()
    host.ours.call("host-local", "DEL", bridge_config(**FULL), netns=c1).ok()
    before.must_equal(host.snapshot())


def test_del_with_an_empty_netns_cleans_all(host):
    gone_as(host, lambda _: "")


def test_del_with_a_vanished_netns_cleans_all(host):
    def vanish(container):
        container.delete()
        return container.path
    gone_as(host, vanish)


def test_del_with_a_regular_file_as_netns_cleans_all(host):
    def file_left(container):
        container.delete()
        pathlib.Path(container.path).touch()
        return container.path

    gone_as(host, file_left)


def test_del_with_another_containers_netns_touches_only_its_own(host):
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(**FULL)
    host.ours.add(config, c1).ok()
    host.ours.add(config, c2, container="c2").ok()
    host.ours.delete(config, c2, container="c1").ok()
    assert c2.link() and leases() == {"10.1.0.3": ("c2", "eth0")}


def test_del_does_not_need_ipam_or_options_in_its_configuration(host):
    c1 = host.container("c1")
    config, before = settled(host, c1)
    bare = {"cniVersion": "1.1.0", "name": "net1", "type": "bridge"}
    for changed in (bare, {**config, "mtu": "wrong"}, {**config, "vlan": 9999},
                    {**config, "ipam": {"type": "host-local"}}, {**config, "ipMasqBackend": "pf"},
                    {**config, "bridge": "another"}):
        host.ours.add(config, c1).ok()
        host.ours.delete(changed, c1).ok()
        before.must_equal(host.snapshot(), str(changed))


def test_del_with_prev_result_of_every_shape_succeeds(host):
    c1 = host.container("c1")
    config, before = settled(host, c1)
    for previous in (None, {}, {"cniVersion": "1.1.0"}, {"cniVersion": "0.2.0", "ip4": {"ip": "10.1.0.2/24"}},
                     {"cniVersion": "9.0.0"}, {"ips": "none"}):
        host.ours.add(config, c1).ok()
        host.ours.delete({**config, "prevResult": previous}, c1).ok()
        before.must_equal(host.snapshot(), str(previous))


def test_del_works_when_our_records_are_gone(host):
    c1 = host.container("c1")
    config, _ = settled(host, c1)
    host.ours.add(config, c1).ok()
    shutil.rmtree("/run/cnm")
    host.ours.delete(config, c1).ok()
    assert not c1.link() and leases() == {}
    assert not host.owned_rules()


def test_del_works_when_our_records_are_unreadable(host):
    c1 = host.container("c1")
    config, _ = settled(host, c1)
    for garbage in (b"", b"{", b"\0" * 4096, b'{"schema": 1}', b"[1]"):
        host.ours.add(config, c1).ok()
        for directory, _, files in os.walk("/run/cnm"):
            for name in files:
                path = pathlib.Path(directory, name)
                if name.endswith(".json") or b"{" in path.read_bytes()[:1]:
                    path.write_bytes(garbage)
        host.ours.delete(config, c1).ok()
        assert not c1.link() and leases() == {}, garbage


def test_del_works_when_the_state_directory_is_read_only(host):
    c1 = host.container("c1")
    os.makedirs("/run/cnm", mode=0o700)
    os.system("mount -t tmpfs tmpfs /run/cnm")
    config, _ = settled(host, c1)
    host.ours.add(config, c1).ok()
    remount_read_only("/run/cnm")
    reply = host.ours.delete(config, c1).ok()
    assert not c1.link() and leases() == {} and "/run/cnm" in reply.stderr, reply.stderr


def test_add_with_an_unwritable_state_directory_names_the_path(host):
    c1 = host.container("c1")
    os.makedirs("/run/cnm", mode=0o700)
    os.system("mount -t tmpfs tmpfs /run/cnm")
    remount_read_only("/run/cnm")
    before = host.snapshot()
    host.ours.add(bridge_config(), c1).error(5, "/run/cnm")
    before.must_equal(host.snapshot())
    host.ours.status(bridge_config()).error(50, "/run/cnm")


def test_the_state_directory_is_private(host):
    host.ours.add(bridge_config(), host.container("c1")).ok()
    assert os.stat("/run/cnm").st_mode & 0o777 == 0o700


def fails_clean(host, config, netns, prepare=None, **variables):
    """A failing ADD that must leave everything as it was; returns the error."""
    if prepare:
        prepare()
    before = host.snapshot(skeleton=False)
    error = host.ours.add(config, netns, **variables).error()
    before.must_equal(host.snapshot(skeleton=False), "failed ADD")
    return error


def test_add_on_an_existing_ifname_fails_and_leaves_nothing(host):
    c1 = host.container("c1")
    settled(host, c1)
    c1.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "x")
    error = fails_clean(host, bridge_config(**FULL), c1)
    assert "eth0" in error["msg"] and "exist" in error["msg"], error
    assert c1.link()["linkinfo"]["info_kind"] == "veth" and leases() == {}


def test_add_twice_is_refused_and_the_first_stays(host):
    c1 = host.container("c1")
    config = bridge_config(**FULL)
    first = host.ours.add(config, c1).ok()
    error = fails_clean(host, config, c1)
    assert error["code"] >= 100, error
    host.ours.check(config, c1, first.json).ok()


def test_add_after_the_container_died_starts_clean(host):
    c1 = host.container("c1")
    config = bridge_config(**FULL)
    host.ours.add(config, c1).ok()
    c1.delete()
    host.containers.clear()
    wait_until(lambda: not host.ip("link", "show", "master", "br1"), what="the veth went with its netns")
    again = host.container("c1")
    host.ours.add(config, again).ok()
    assert [f"{address}/24" for address in leases()] == again.addresses()


def test_add_with_an_exhausted_range_leaves_nothing(host):
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.5", "rangeEnd": "10.1.0.5"}
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(ipam=ipam, **FULL)
    host.ours.add(config, c1).ok()
    error = fails_clean(host, config, c2, container="c2")
    assert "no IP addresses available in range set: 10.1.0.5-10.1.0.5" in error["msg"], error


def test_add_with_a_missing_ipam_binary_leaves_nothing(host):
    c1 = host.container("c1")
    settled(host, c1)
    error = fails_clean(host, bridge_config(ipam={"type": "no-such"}, **FULL), c1)
    assert 'failed to find plugin "no-such" in path' in error["msg"], error


def test_add_with_a_gateway_conflict_leaves_nothing(host):
    c1 = host.container("c1")
    settled(host, c1)
    other = {"type": "host-local", "subnet": "10.2.0.0/24"}
    error = fails_clean(host, {**bridge_config(ipam=other, **FULL), "name": "net2"}, c1,
                        lambda: os.system("ip addr flush dev br1; ip addr add 10.9.0.1/24 dev br1"))
    assert "already has an IP address different from" in error["msg"], error


def test_add_with_an_unreachable_route_leaves_nothing(host):
    c1 = host.container("c1")
    settled(host, c1)
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24",
            "routes": [{"dst": "198.51.100.0/24", "gw": "203.0.113.1"}]}
    error = fails_clean(host, bridge_config(ipam=ipam, **FULL), c1)
    assert "198.51.100.0/24" in error["msg"] + error.get("details", ""), error


def test_records_of_an_earlier_boot_are_void(host):
    config = bridge_config(ipam={"type": "host-local", "subnet": "10.1.0.0/30"}, **FULL)
    pretend_reboot("11111111-1111-1111-1111-111111111111")
    c1 = host.container("c1")
    host.ours.add(config, c1).ok()
    os.system("ip link del br1; nft flush ruleset")
    c1.delete()
    host.containers.clear()
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    again = host.container("c1")
    host.ours.add(config, again).ok()
    assert again.addresses() == ["10.1.0.2/30"] and leases() == {"10.1.0.2": ("c1", "eth0")}
    host.ours.delete(config, again).ok()
    assert leases() == {} and not again.link()


def test_a_record_of_a_newer_schema_is_left_in_place(host):
    c1 = host.container("c1")
    config, _ = settled(host, c1)
    host.ours.add(config, c1).ok()
    changed = []
    for path in pathlib.Path("/run/cnm").rglob("*.json"):
        text = path.read_text()
        if '"schema"' in text and "eth0" in text:
            path.write_text(re.sub(r'"schema": *\d+', '"schema":999', text))
            changed.append(path)
    assert changed, "no endpoint record with a schema was found"
    host.ours.delete(config, c1).ok()
    assert not c1.link() and leases() == {} and changed[0].exists()


@allow(90)
def test_a_deadline_ends_the_wait_for_a_lock_and_names_the_holder(host):
    c1 = host.container("c1")
    config = bridge_config()
    host.ours.add(config, c1).ok()
    lock = os.open("/var/lib/cni/networks/net1/lock", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    began = time.monotonic()
    c2 = host.container("c2")
    before = host.snapshot()
    host.ours.add(config, c2, container="c2").error(11)
    assert time.monotonic() - began < 30
    before.must_equal(host.snapshot())
