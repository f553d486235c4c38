# Bad input: each with one clear error, the right code, and nothing changed.

import json
import os
import subprocess
import threading

from private_host import bind_over
from test_host import bridge_config, host_local_config, with_runtime

MEBIBYTE = 1 << 20


def refused(host, plugin, body, container=None, **variables):
    """An ADD that must fail and change nothing; returns the error."""
    before = host.snapshot()
    reply = host.ours.call(plugin, "ADD", body, netns=container or host.containers[0], **variables)
    error = reply.error()
    before.must_equal(host.snapshot(), "refused ADD")
    return error


def test_stdin_that_is_no_object(host):
    host.container("c1")
    for plugin in ("bridge", "host-local", "loopback"):
        for body in ("", " ", "{", "[]", "null", "7", '"x"', "{}x", '{"name":"a"', "{'name':'a'}", "\x00",
                     '{"name":"a"}{"name":"b"}', '{"name":"a",}', "\ufeff{}", '{"name":"a"} trailing',
                     '{"name": "\\ud800"', '{"a":01,"name":"n"}', '{"a":NaN,"name":"n"}'):
            error = refused(host, plugin, body)
            if body == "null":
                assert error["code"] in (6, 7), error
                continue
            assert error["code"] == 6, (body, error)
            assert error["msg"].startswith("error unmarshall network config"), (body, error)


def test_a_network_configuration_list_is_no_plugins_configuration(host):
    host.container("c1")
    whole = {"cniVersion": "1.0.0", "name": "net1", "plugins": [bridge_config()]}
    for plugin in ("bridge", "portmap", "firewall"):
        error = refused(host, plugin, whole)
        assert error["code"] == 7 and "list" in error["msg"] and "$.plugins" in error["details"], error


def test_invalid_utf_8_does_not_crash(host):
    c1 = host.container("c1")
    for body in (b'{"cniVersion":"1.0.0","name":"n\xff","type":"bridge"}', b"\xff\xfe{}", b"\x80" * 1000):
        error = host.ours.call("bridge", "ADD", body, netns=c1).error((6, 7))
        json.dumps(error)


def test_null_and_empty_objects_have_no_name(host):
    host.container("c1")
    assert refused(host, "bridge", "{}")["code"] == 7
    assert refused(host, "bridge", '{"name":null}')["code"] == 7
    assert refused(host, "bridge", '{"name":""}')["code"] == 7
    assert refused(host, "bridge", '{"name":7}')["code"] == 6


def test_deep_nesting_is_refused_and_moderate_nesting_is_not(host):
    host.container("c1")
    base = json.dumps(bridge_config())[:-1]
    for depth in (65, 1000, 1000000):
        for left, right in (("[", "]"), ('{"a":', "}")):
            inner = left * depth + ("1" if right == "}" else "") + right * depth
            error = refused(host, "bridge", f'{base},"x":{inner}}}')
            assert error["code"] == 6, error
    body = f'{base},"args":{{"x":{"[" * 40}{"]" * 40}}}}}'
    host.ours.call("bridge", "ADD", body, netns=host.containers[0]).ok()


def feed(host, size):
    """Feeds a bridge ADD of `size` bytes; returns (finished process, bytes it took, peak memory in KiB)."""
    process = subprocess.Popen([f"{host.ours.directory}/bridge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=host.ours.environment("ADD", netns=host.containers[0]))
    taken = [0]

    def write():
        chunk = b" " * 65536
        try:
            taken[0] += os.write(process.stdin.fileno(), json.dumps(bridge_config()).encode())
            while taken[0] < size:
                taken[0] += os.write(process.stdin.fileno(), chunk)
        except BrokenPipeError:
            pass
        process.stdin.close()
    thread = threading.Thread(target=write)
    thread.start()
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    thread.join()
    done = subprocess.CompletedProcess([], os.waitstatus_to_exitcode(status), out, b"")
    return done, taken[0], usage.ru_maxrss


def test_more_than_4_mebibytes_are_refused_and_not_read_further(host):
    host.container("c1")
    before = host.snapshot()
    for size in (4 * MEBIBYTE + 1, 100 * MEBIBYTE):
        done, taken, memory = feed(host, size)
        host.ours.judge("bridge", "ADD", done).error(6)
        assert taken < 6 * MEBIBYTE, f"{taken} bytes were read"
        assert memory < 32 * 1024, f"{memory} KiB of memory"
    before.must_equal(host.snapshot())


def test_just_under_4_mebibytes_work(host):
    host.container("c1")
    done, _, _ = feed(host, 4 * MEBIBYTE - 131072)
    host.ours.judge("bridge", "ADD", done).ok()


def test_many_keys_and_long_texts_are_handled(host):
    host.container("c1")
    many = {f"key{number}": number for number in range(20000)}
    assert refused(host, "bridge", {**many, **bridge_config(mtu=-1)})["code"] in (6, 7)
    assert refused(host, "bridge", bridge_config(bridge="b" * 100000))["code"] == 7


WRONG_TYPES = {
    "bridge": {"bridge": (7, [], {}, True), "isGateway": ("yes", 1, []), "isDefaultGateway": (1,),
               "forceAddress": ("",), "ipMasq": ("true",), "ipMasqBackend": (7, []),
               "mtu": ("1400", 1400.5, [], True, 1e99, 2**63, -2**63), "hairpinMode": (0,),
               "promiscMode": ("x",), "vlan": ("1", 1.5), "vlanTrunk": ({}, [1], [[]], "x"),
               "preserveDefaultVlan": ("x",), "macspoofchk": (1,), "enabledad": (1,),
               "disableContainerInterface": (1,), "portIsolation": (1,), "ipam": ([], "x", 7),
               "dns": ([], "x", {"nameservers": "x"}, {"domain": 7}, {"search": [1]}), "args": ([], "x"),
               "runtimeConfig": ([], {"mac": 7}), "cniVersion": (7, []),
               "capabilities": ([], {"mac": "yes"}), "prevResult": ([], "x")},
    "ipam": {"type": (7,), "subnet": (7, [], ""), "rangeStart": (7,), "rangeEnd": ([],), "gateway": (7,),
             "ranges": ({}, [{}], [[1]], "x"), "routes": ({}, ["x"], [{"dst": 7}], [{"dst": "x"}],
                                                           [{"dst": "10.0.0.0/8", "gw": "x"}],
                                                           [{"dst": "10.0.0.0/8", "mtu": -1}]),
             "dataDir": (7,), "resolvConf": (7,), "exclude": ("x", [7], ["x"])}}


def test_wrong_types_are_named_with_their_path(host):
    host.container("c1")
    for key, values in WRONG_TYPES["bridge"].items():
        for value in values:
            before = host.snapshot()
            reply = host.ours.add(bridge_config(**{key: value}), host.containers[0])
            assert reply.code, f"{key}: {value!r} was accepted"
            before.must_equal(host.snapshot(), f"{key}: {value!r}")
            error = reply.error()
            said = error["msg"] + error.get("details", "")
            assert error["code"] in (6, 7) and key in said, (key, value, error)


def test_wrong_types_in_ipam_are_named_with_their_path(host):
    host.container("c1")
    for key, values in WRONG_TYPES["ipam"].items():
        for value in values:
            ipam = {"type": "host-local", "subnet": "10.1.0.0/24", key: value}
            for plugin, body in (("bridge", bridge_config(ipam=ipam)),
                                 ("host-local", {**host_local_config(), "ipam": ipam})):
                if key == "type" and plugin == "host-local":
                    continue
                reply = host.ours.call(plugin, "ADD", body, netns=host.containers[0])
                assert reply.code, f"{key}: {value!r} was accepted"
                error = reply.error()
                said = error["msg"] + error.get("details", "")
                assert error["code"] in (6, 7), (plugin, key, value, error)
                assert key in said or str(value).strip("[]{}'") in said, (plugin, key, value, error)


def test_path_tricks_in_the_network_name(host):
    host.container("c1")
    for name in ("..", ".", "../../etc", "a/b", "/x", "-x", "a b", "a\u0000b", "ä", "a\nb"):
        for plugin in ("bridge", "host-local"):
            config = bridge_config() if plugin == "bridge" else host_local_config()
            error = refused(host, plugin, {**config, "name": name})
            assert error["code"] == 7, (name, error)


def test_path_tricks_in_the_bridge_name(host):
    host.container("c1")
    for name in ("../x", "a/b", ".", "..", "a b", "a:b", "x" * 16, "a\tb"):
        error = refused(host, "bridge", bridge_config(bridge=name))
        assert error["code"] == 7, (name, error)
    for name in ("lo", "all", "default"):  # names that the kernel keeps for itself
        refused(host, "bridge", bridge_config(bridge=name))


def test_path_tricks_in_the_ipam_type(host):
    host.container("c1")
    for kind in ("../bridge", "/bin/sh", "a/../host-local", "..", "."):
        error = refused(host, "bridge", bridge_config(ipam={"type": kind}))
        assert error["code"] in (4, 7), (kind, error)


def test_long_names_do_not_break_the_state_files(host):
    c1 = host.container("c1")
    name, identifier = "n" * 250, "c" * 250
    config = {**bridge_config(), "name": name}
    reply = host.ours.add(config, c1, container=identifier)
    if reply.code:
        assert reply.json["code"] in (4, 5, 7), reply.stdout
        assert not c1.link()
        return
    host.ours.delete(config, c1, container=identifier).ok()
    assert not c1.link()


def test_names_with_every_permitted_character_work(host):
    c1 = host.container("c1")
    config = {**bridge_config(), "name": "A.b_c-9"}
    host.ours.add(config, c1, container="Z.y_x-0", ifname="eth-0.1_x").ok()
    assert c1.link("eth-0.1_x")
    host.ours.delete(config, c1, container="Z.y_x-0", ifname="eth-0.1_x").ok()
    assert not c1.link("eth-0.1_x")


def test_a_missing_netns(host):
    host.container("c1")
    for path in ("/run/netns/none", "/nonexistent/x", "relative", "/proc/99999999/ns/net"):
        error = refused(host, "bridge", bridge_config(), path)
        assert error["code"] == 8 and path in error["msg"] + error.get("details", ""), error


def test_a_netns_that_is_something_else(host):
    host.container("c1")
    os.mkdir("/run/test/directory")
    with open("/run/test/file", "w", encoding="ascii"):
        pass
    os.mkfifo("/run/test/fifo")
    for path in ("/run/test/directory", "/run/test/file", "/dev/null", "/proc/1/ns/mnt", "/proc/1/ns/pid",
                 "/run/test/fifo", "/proc/version"):
        error = refused(host, "bridge", bridge_config(), path)
        assert error["code"] == 8, (path, error)


def test_a_netns_that_died_between(host):
    c1 = host.container("c1")
    c1.delete()
    host.containers.clear()
    open(c1.path, "w", encoding="ascii").close()
    error = refused(host, "bridge", bridge_config(), c1.path)
    assert error["code"] == 8, error


def test_bad_vlan_and_ranges_do_not_create_the_bridge(host):
    host.container("c1")
    for keys in ({"vlan": 5000}, {"mtu": 5}, {"ipam": {"type": "host-local", "subnet": "10.1.0.0/31"}},
                 {"ipam": {"type": "host-local", "subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}},
                 {"ipam": {"type": "host-local",
                           "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/25"}]]}}):
        error = refused(host, "bridge", bridge_config(**keys))
        assert error["code"] in (7, 102), (keys, error)
    assert not host.link("br1")


def test_a_gateway_outside_the_subnet_is_refused_or_used_as_told(host):
    c1 = host.container("c1")
    ipam = {"type": "host-local", "subnet": "10.1.0.0/24", "gateway": "nonsense"}
    assert refused(host, "bridge", bridge_config(ipam=ipam))["code"] in (6, 7)
    del c1


def test_runtime_values_are_judged_too(host):
    host.container("c1")
    for values in ({"mac": "x"}, {"ips": ["x"]}, {"ips": "10.1.0.5"}, {"ipRanges": [[{"subnet": "x"}]]}):
        error = refused(host, "bridge", with_runtime(bridge_config(), **values))
        assert error["code"] in (6, 7), (values, error)


def test_no_machine_id_is_no_obstacle(host):
    c1 = host.container("c1")
    if os.path.exists("/etc/machine-id"):
        bind_over("/etc/machine-id", "")
    host.ours.add(bridge_config(), c1).ok()
    assert host.link("br1")["address"].startswith("02:")
