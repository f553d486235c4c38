# Live swap: a node changes from the reference's plugins to ours and back without losing or doubling anything.

import concurrent.futures
import pathlib

from private_host import pretend_reboot, wait_until
from test_host import LEASES, bridge_config, host_local_config, leases, result_addresses

MASQ = {"isGateway": True, "ipMasq": True}
OURS = {**MASQ, "ipMasqBackend": "nftables"}
V1 = "1.0.0"  # the newest version that the packaged reference plugins know


def swept(host):
    """Asserts that no lease, port or owned rule is left."""
    assert leases() == {}, leases()
    assert not host.ip("link", "show", "master", "br1")


def test_theirs_adds_ours_checks_and_deletes(host):
    c1 = host.container("c1")
    config = bridge_config(V1, isGateway=True)
    reply = host.theirs.add(config, c1).ok()
    host.ours.check(config, c1, reply.json).ok()
    host.ours.delete({**config, "prevResult": reply.json}, c1).ok()
    assert not c1.link()
    swept(host)


def test_theirs_adds_and_ours_deletes_without_prev_result_or_netns(host):
    config = bridge_config(V1, isGateway=True)
    for netns_given in (True, False):
        c1 = host.container("c1")
        reply = host.theirs.add(config, c1).ok()
        if netns_given:
            host.ours.delete(config, c1).ok()
            assert not c1.link()
            c1.delete()
        else:
            c1.delete()
            wait_until(lambda: not host.ip("link", "show", "master", "br1"), what="veth gone")
            host.ours.delete({**config, "prevResult": reply.json}, "").ok()
        swept(host)


def test_ours_adds_theirs_checks_and_deletes(host):
    c1 = host.container("c1")
    config = bridge_config(V1, isGateway=True)
    reply = host.ours.add(config, c1).ok()
    host.theirs.check(config, c1, reply.json).ok()
    host.theirs.delete({**config, "prevResult": reply.json}, c1).ok()
    assert not c1.link()
    swept(host)


def test_after_their_del_our_next_add_leaves_no_old_element_or_record(host):
    c1, c2 = host.container("c1"), host.container("c2")
    ipam = {"type": "host-local", "subnet": "10.1.0.0/30"}
    config = bridge_config(V1, ipam=ipam, **OURS)
    theirs = bridge_config(V1, ipam=ipam, isGateway=True)
    reply = host.ours.add(config, c1).ok()
    host.theirs.delete({**theirs, "prevResult": reply.json}, c1).ok()
    assert leases() == {}
    again = host.ours.add(config, c2, container="c2").ok()
    assert result_addresses(again) == ["10.1.0.2/30"]
    assert len([rule for rule in host.owned_rules() if "10.1.0.2" in rule]) == 1, host.owned_rules()
    host.ours.delete(config, c2, container="c2").ok()
    assert not host.owned_rules()
    swept(host)


def test_after_their_del_our_gc_removes_record_and_rules(host):
    spare, c1 = host.container("spare"), host.container("c1")
    config = bridge_config("1.1.0", **OURS)
    host.ours.add(config, spare, container="spare").ok()
    host.ours.delete(config, spare, container="spare").ok()
    before = host.snapshot()
    reply = host.ours.add(config, c1).ok()
    theirs = {**bridge_config(V1, isGateway=True), "prevResult": {**reply.json, "cniVersion": V1}}
    host.theirs.delete(theirs, c1).ok()
    host.ours.collect(config, []).ok()
    before.must_equal(host.snapshot())


def test_after_their_del_the_same_container_can_be_added_again(host):
    c1 = host.container("c1")
    config, theirs = bridge_config(V1, **OURS), bridge_config(V1, isGateway=True)
    for _ in range(3):
        reply = host.ours.add(config, c1).ok()
        host.theirs.delete({**theirs, "prevResult": reply.json}, c1).ok()
    reply = host.ours.add(config, c1).ok()
    host.ours.check(config, c1, reply.json).ok()
    host.ours.delete(config, c1).ok()
    assert not host.owned_rules()
    swept(host)


def test_fifty_of_each_in_parallel_share_no_address_and_lose_none(host):
    config = bridge_config(V1)
    made = [host.container(f"c{number}") for number in range(100)]

    def add(number):
        plugins = host.ours if number % 2 else host.theirs
        return plugins.add(config, made[number], container=f"c{number}")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(add, range(100)))
    given = [result_addresses(reply.ok())[0].split("/")[0] for reply in replies]
    assert len(set(given)) == 100
    assert {address: holder for address, (holder, _) in leases().items()} == {
        address: f"c{number}" for number, address in enumerate(given)}

    def delete(number):  # each side deletes half of the other's
        plugins = host.ours if number % 4 < 2 else host.theirs
        return plugins.delete({**config, "prevResult": replies[number].json}, made[number],
                              container=f"c{number}")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for reply in pool.map(delete, range(100)):
            reply.ok()
    swept(host)


def test_host_local_calls_alternate_without_a_double_address(host):
    config = host_local_config(V1, subnet="10.1.0.0/26")
    held = {}
    for number in range(120):
        plugins = (host.ours, host.theirs)[number * 7 % 3 % 2]
        container = f"c{number}"
        reply = plugins.call("host-local", "ADD", config, netns="/x", container=container).ok()
        address = result_addresses(reply)[0].split("/")[0]
        assert address not in held, f"{address} twice: {held[address]} and {container}"
        held[address] = container
        if len(held) > 40:
            victim, owner = list(held.items())[number % 17]
            other = (host.theirs, host.ours)[number % 2]
            other.call("host-local", "DEL", config, netns="/x", container=owner).ok()
            del held[victim]
        assert {address: holder for address, (holder, _) in leases().items()} == held


def test_host_local_in_parallel_with_the_reference(host):
    config = host_local_config(V1)

    def one(number):
        plugins = host.ours if number % 2 else host.theirs
        return plugins.call("host-local", "ADD", config, netns="/x", container=f"c{number}").ok()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        given = [result_addresses(reply)[0] for reply in pool.map(one, range(100))]
    assert len(set(given)) == 100 == len(leases())


def test_both_exhaust_one_range_exactly(host):
    config = host_local_config(V1, subnet="10.1.0.0/28")
    good = []
    for number in range(16):
        plugins = host.ours if number % 2 else host.theirs
        reply = plugins.call("host-local", "ADD", config, netns="/x", container=f"c{number}")
        if reply.code == 0:
            good += result_addresses(reply)
    assert len(set(good)) == 13 == len(good) == len(leases())


def test_checks_go_both_ways(host):
    config = host_local_config(V1)
    first = host.ours.call("host-local", "ADD", config, netns="/x", container="a").ok()
    second = host.theirs.call("host-local", "ADD", config, netns="/x", container="b").ok()
    for plugins, container, reply in ((host.theirs, "a", first), (host.ours, "b", second)):
        body = {**config, "prevResult": {**reply.json, "interfaces": []}}
        plugins.call("host-local", "CHECK", body, netns="/x", container=container).ok()


def test_a_reboot_between_our_add_and_theirs_reclaims_nothing_live(host):
    config = host_local_config(V1, subnet="10.1.0.0/29")
    pretend_reboot("11111111-1111-1111-1111-111111111111")
    for name in ("old1", "old2"):
        host.ours.call("host-local", "ADD", config, netns="/x", container=name).ok()
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    host.theirs.call("host-local", "DEL", config, netns="/x", container="old1").ok()
    live = host.theirs.call("host-local", "ADD", config, netns="/x", container="live").ok()
    taken = {result_addresses(live)[0]}
    while True:
        reply = host.ours.call("host-local", "ADD", config, netns="/x", container=f"c{len(taken)}")
        if reply.code:
            break
        address = result_addresses(reply)[0]
        assert address not in taken, f"{address} twice"
        taken.add(address)
    assert len(taken) == 5 == len(leases()), leases()
    assert ("live", "eth0") in leases().values()


def test_a_reboot_with_reused_addresses_and_inodes_reclaims_nothing_live(host):
    config = host_local_config(V1, subnet="10.1.0.0/30")
    pretend_reboot("11111111-1111-1111-1111-111111111111")
    host.ours.call("host-local", "ADD", config, netns="/x", container="old").ok()
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    host.theirs.call("host-local", "DEL", config, netns="/x", container="old").ok()
    (LEASES / "net1" / "10.1.0.2").write_text("live\r\neth0")  # may get the inode that was just freed
    host.ours.call("host-local", "ADD", config, netns="/x", container="late").error()
    assert leases() == {"10.1.0.2": ("live", "eth0")}


def test_our_state_files_do_not_disturb_the_reference(host):
    config = host_local_config(V1)
    for number in range(5):
        host.ours.call("host-local", "ADD", config, netns="/x", container=f"c{number}").ok()
    dots = [path for path in (LEASES / "net1").iterdir() if path.name.startswith(".")]
    assert dots, "no hints: this case shows nothing"
    reply = host.theirs.call("host-local", "ADD", config, netns="/x", container="t").ok()
    assert result_addresses(reply) == ["10.1.0.7/24"] and reply.stderr == ""
    for number in range(5):
        host.theirs.call("host-local", "DEL", config, netns="/x", container=f"c{number}").ok()
    assert leases() == {"10.1.0.7": ("t", "eth0")}


def test_their_bridge_is_kept_and_joined(host):
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(V1, isGateway=True)
    host.theirs.add(config, c1).ok()
    mac = host.link("br1")["address"]
    host.ours.add(config, c2, container="c2").ok()
    assert host.link("br1")["address"] == mac and c1.ping("10.1.0.3") and c2.ping("10.1.0.1")
    host.ours.delete(config, c2, container="c2").ok()
    assert c1.ping("10.1.0.1")


def test_old_records_of_a_replaced_container_do_not_count(host):
    config = bridge_config("1.1.0", **OURS)
    c1 = host.container("c1")
    host.ours.add(config, c1).ok()
    theirs = bridge_config(V1, isGateway=True)
    host.theirs.delete(theirs, c1).ok()
    host.theirs.add(theirs, c1).ok()
    assert c1.addresses() == ["10.1.0.3/24"]
    host.ours.delete(config, c1).ok()
    assert not c1.link() and not host.owned_rules(), host.owned_rules()
    assert not [path for path in pathlib.Path("/run/cnm").rglob("*") if "endpoint" in str(path)
                and path.is_file() and not path.name.startswith((".", "lock"))]
    swept(host)


def test_collecting_our_old_record_spares_the_lease_they_gave_the_same_container(host):
    config, theirs = bridge_config("1.1.0", **OURS), bridge_config(V1, isGateway=True)
    c1 = host.container("c1")
    host.ours.add(config, c1).ok()
    host.theirs.delete(theirs, c1).ok()
    host.theirs.add(theirs, c1).ok()
    held = leases()
    host.ours.collect(config, None).ok()  # our record's link is gone: it is dead, their container is not
    assert leases() == held, f"{held} became {leases()}"
    assert c1.ping("10.1.0.1")
    assert c1.addresses() == [f"{address}/24" for address in held]
