# Network lists driven as libcni drives them: ADD, CHECK, DEL, GC and STATUS, two runtimes, shared bridges.

import concurrent.futures
import json
import os
import pathlib
import subprocess
import time

from cni_runner import Attachment, Runtime, RuntimeFailure
from private_host import wait_until
from test_host import bridge_config, leases, result_addresses

MASQ = {"isGateway": True, "ipMasq": True, "ipMasqBackend": "nftables"}


def network(version="1.1.0", **keys):
    """A list of one bridge plugin."""
    plugin = bridge_config(version, **keys)
    return {"cniVersion": version, "name": plugin.pop("name"), "plugins": [plugin]}


def raises(function, *arguments):
    """The RuntimeFailure that the call raises."""
    try:
        function(*arguments)
    except RuntimeFailure as failure:
        return failure
    raise AssertionError("succeeded, a failure was due")


def test_add_check_del_del_of_a_list(host):
    for version in ("0.3.1", "0.4.0", "1.0.0", "1.1.0"):
        one = host.container(f"v{version}")
        runtime, work = Runtime(host.ours), network(version, **MASQ)
        where = Attachment(one.name, one.path)
        runtime.add(work, where)
        if version != "0.3.1":
            runtime.check(work, where)
        runtime.delete(work, where)
        runtime.delete(work, where)
    assert leases() == {}


def test_capabilities_reach_the_plugin(host):
    c1 = host.container("c1")
    work = network(capabilities={"mac": True, "ips": True})
    wanted = json.dumps({"mac": "02:11:22:33:44:55", "ips": ["10.1.0.99"], "other": 1})
    result = Runtime(host.ours).add(work, Attachment("c1", c1.path, capabilities=wanted))
    assert c1.link()["address"] == "02:11:22:33:44:55" and result["ips"][0]["address"] == "10.1.0.99/24"


def test_gc_of_the_list_removes_what_the_runtime_forgot(host):
    runtime, work = Runtime(host.ours), network(**MASQ)
    kept, lost, uncached = (host.container(name) for name in ("kept", "lost", "uncached"))
    for one in (kept, lost, uncached):
        runtime.add(work, Attachment(one.name, one.path))
    os.unlink("/var/lib/cni/results/net1-uncached-eth0")
    runtime.collect(work, [("kept", "eth0")])
    assert kept.link() and not lost.link() and not uncached.link()
    assert leases() == {"10.1.0.2": ("kept", "eth0")}
    assert sorted(os.listdir("/var/lib/cni/results")) == ["net1-kept-eth0"]
    runtime.check(work, Attachment("kept", kept.path))


def test_gc_without_a_list_deletes_everything_cached(host):
    runtime, work = Runtime(host.ours), network()
    c1 = host.container("c1")
    runtime.add(work, Attachment("c1", c1.path))
    runtime.collect(work, None)
    assert not c1.link() and leases() == {}


def test_gc_of_an_older_list_only_deletes_the_cached(host):
    runtime, work = Runtime(host.ours), network("1.0.0")
    c1, c2 = host.container("c1"), host.container("c2")
    runtime.add(work, Attachment("c1", c1.path))
    runtime.add(work, Attachment("c2", c2.path))
    runtime.collect(work, [("c2", "eth0")])
    assert not c1.link() and c2.link()


def test_status_of_a_list(host):
    runtime = Runtime(host.ours)
    runtime.status(network())
    assert raises(runtime.status, network(ipam={"type": "none"})).error["code"] == 50


def test_an_error_text_reads_as_users_see_it(host):
    work = network(ipam={"type": "host-local", "subnet": "10.1.0.0/31"})
    c1 = host.container("c1")
    text = str(raises(Runtime(host.ours).add, work, Attachment("c1", c1.path)))
    assert text.startswith('plugin type="bridge" name="net1" failed (add): '), text
    assert "too small to allocate from" in text, text


def test_gc_of_one_runtime_leaves_the_live_container_of_another(host):
    work = network(**MASQ)
    first = Runtime(host.runtime("runtime-a"), "/run/test/cache-a")
    second = Runtime(host.runtime("runtime-b"), "/run/test/cache-b")
    c1, c2, c3 = (host.container(name) for name in ("c1", "c2", "c3"))
    first.add(work, Attachment("c1", c1.path))
    second.add(work, Attachment("c2", c2.path))
    first.add(work, Attachment("c3", c3.path))
    first.collect(work, [("c3", "eth0")])
    assert not c1.link() and c2.link() and c3.link()
    assert sorted(holder for holder, _ in leases().values()) == ["c2", "c3"]
    assert c2.ping("10.1.0.4") and c2.ping("10.1.0.1")
    second.check(work, Attachment("c2", c2.path))


def test_gc_says_what_it_kept_for_another_runtime(host):
    config = bridge_config()
    c2 = host.container("c2")
    host.runtime("runtime-b").add(config, c2, container="c2").ok()
    reply = host.runtime("runtime-a").collect(config, []).ok()
    assert c2.link() and "c2" in reply.stderr, reply.stderr


def test_gc_of_one_runtime_removes_the_dead_container_of_another(host):
    config = bridge_config(**MASQ)
    c2 = host.container("c2")
    host.runtime("runtime-b").add(config, c2, container="c2").ok()
    c2.delete()
    wait_until(lambda: not host.ip("link", "show", "master", "br1"), what="veth gone")
    host.runtime("runtime-a").collect(config, []).ok()
    assert leases() == {} and not host.owned_rules()


def test_del_works_from_any_runtime(host):
    config = bridge_config()
    c1 = host.container("c1")
    host.runtime("runtime-a").add(config, c1).ok()
    host.runtime("runtime-b").delete(config, c1).ok()
    assert not c1.link() and leases() == {}


def test_two_networks_share_one_bridge(host):
    runtime = Runtime(host.ours)
    one = network(**MASQ)
    two = {**network(ipam={"type": "host-local", "subnet": "10.2.0.0/24"}, **MASQ), "name": "net2"}
    c1, c2 = host.container("c1"), host.container("c2")
    runtime.add(one, Attachment("c1", c1.path))
    runtime.add(two, Attachment("c2", c2.path))
    assert host.addresses("br1") == ["10.1.0.1/24", "10.2.0.1/24"]
    assert c1.ping("10.1.0.1") and c2.ping("10.2.0.1")
    runtime.delete(one, Attachment("c1", c1.path))
    assert c2.ping("10.2.0.1") and leases("net2")
    runtime.check(two, Attachment("c2", c2.path))


def test_one_container_has_two_interfaces_on_one_network(host):
    runtime, work = Runtime(host.ours), network(**MASQ)
    c1 = host.container("c1")
    first, second = Attachment("c1", c1.path), Attachment("c1", c1.path, "eth1")
    runtime.add(work, first)
    runtime.add(work, second)
    assert c1.addresses("eth0") == ["10.1.0.2/24"] and c1.addresses("eth1") == ["10.1.0.3/24"]
    runtime.check(work, first)
    runtime.check(work, second)
    runtime.delete(work, first)
    assert not c1.link("eth0") and c1.link("eth1") and leases() == {"10.1.0.3": ("c1", "eth1")}
    runtime.check(work, second)
    runtime.delete(work, second)
    assert leases() == {}


def test_a_hundred_adds_and_dels_in_parallel(host):
    config = bridge_config(**MASQ)
    made = [host.container(f"c{number}") for number in range(100)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda one: host.ours.add(config, one, container=one.name), made))
    given = [result_addresses(reply.ok())[0] for reply in replies]
    assert len(set(given)) == 100 and len(leases()) == 100
    names = [reply.json["interfaces"][1]["name"] for reply in replies]
    assert len(set(names)) == 100
    for one, address in zip(made[::20], given[::20]):
        assert one.addresses() == [address] and one.ping("10.1.0.1")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for reply in pool.map(lambda one: host.ours.delete(config, one, container=one.name), made):
            reply.ok()
    assert leases() == {} and not host.ip("link", "show", "master", "br1")
    assert not host.owned_rules()


def test_adds_dels_and_gc_of_live_lists_in_parallel_lose_nothing(host):
    config = bridge_config()
    made = [host.container(f"c{number}") for number in range(24)]
    everything = [(one.name, "eth0") for one in made]

    def turn(one):
        for _ in range(3):
            host.ours.add(config, one, container=one.name).ok()
            host.ours.delete(config, one, container=one.name).ok()
        return host.ours.add(config, one, container=one.name).ok()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(turn, one) for one in made]
        while not all(task.done() for task in turns):
            host.ours.collect(config, everything).ok()
        given = [result_addresses(task.result())[0] for task in turns]
    assert len(set(given)) == 24 == len(leases())
    assert all(one.link() for one in made)


def test_the_runner_is_a_command_too(host):
    c1 = host.container("c1")
    pathlib.Path("/run/test/a.conflist").write_text(json.dumps(network()))
    tool = pathlib.Path(__file__).resolve().parent.parent / "support/cni_runner.py"
    common = ["/run/test/a.conflist", "--plugins", host.ours.directory, "--container", "c1", "--netns", c1.path]
    done = subprocess.run([tool, "add", *common], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ips"][0]["address"] == "10.1.0.2/24"
    for verb in ("check", "status", "del"):
        subprocess.run([tool, verb, *common], check=True)
    subprocess.run([tool, "gc", *common, "--valid"], check=True)
    assert leases() == {}


def test_a_burst_on_a_new_host_makes_one_bridge(host):
    made = [host.container(f"c{number}") for number in range(10)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda one: host.ours.add(bridge_config(**MASQ), one, container=one.name), made))
    assert {reply.ok().json["interfaces"][0]["mac"] for reply in replies} == {host.link("br1")["address"]}
    assert time.monotonic() - began < 20
