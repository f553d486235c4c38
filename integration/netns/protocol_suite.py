# The CNI protocol as every plugin keeps it: verbs, versions, environment, result and error shapes.

import os
import subprocess

from cni_call import ALL_VERSIONS
from test_host import bridge_config, host_local_config, leases

SEVEN = list(ALL_VERSIONS)
PLUGINS = ("bridge", "host-local", "loopback")


def config_of(plugin, version="1.1.0", **keys):
    """A working configuration of a plugin."""
    if plugin == "bridge":
        return bridge_config(version, **keys)
    if plugin == "host-local":
        return host_local_config(version, keys)
    return {"cniVersion": version, "name": "lo-net", "type": "loopback", **keys}


def test_version_lists_the_seven_versions_and_ignores_stdin(host):
    for plugin in PLUGINS:
        for body in ("", "{nonsense", '{"cniVersion":"0.2.0"}', "[" * 100000):
            reply = host.ours.call(plugin, "VERSION", body, container=None, netns=None, ifname=None,
                                   CNI_NETNS=None, CNI_PATH=None).ok()
            assert reply.json["supportedVersions"] == SEVEN, reply.stdout
            assert reply.json["cniVersion"] in SEVEN, reply.stdout
            assert reply.stdout.endswith("}\n") and reply.stdout.count("\n") == 1, reply.stdout


def test_version_works_with_the_dummy_environment_of_podman(host):
    for plugin in PLUGINS:
        reply = host.ours.call(plugin, "VERSION", '{"cniVersion":"1.0.0"}', container="",
                               netns="dummy", ifname="dummy", CNI_PATH="dummy", CNI_ARGS="")
        assert reply.ok().json["supportedVersions"] == SEVEN


def test_version_reads_no_stdin_at_all(host):
    reader, writer = os.pipe()  # never written, never closed: a reader of stdin would hang
    done = subprocess.run([f"{host.ours.directory}/bridge"], stdin=reader, capture_output=True,
                          env={"CNI_COMMAND": "VERSION"}, timeout=10)
    os.close(writer)
    assert done.returncode == 0 and b"1.1.0" in done.stdout


def test_without_a_command_the_about_line_goes_to_stderr(host):
    for plugin in PLUGINS:
        for environment in ({}, {"CNI_COMMAND": ""}):
            done = subprocess.run([f"{host.ours.directory}/{plugin}"], capture_output=True, text=True,
                                  env=environment, stdin=subprocess.DEVNULL, timeout=10)
            assert done.returncode == 0 and done.stdout == "", (plugin, done)
            lines = done.stderr.splitlines()
            head = lines[0].split()
            assert head[:3] == ["CNI", plugin, "plugin"] and head[3].startswith("v"), lines
            assert tuple(map(int, head[3][1:].split(".")[:3])) >= (1, 7, 1), lines
            assert "CNI protocol versions supported: " + ", ".join(SEVEN) in lines[1:], lines


def test_missing_variables_are_all_named_at_once(host):
    required = {
        "ADD": "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH",
        "CHECK": "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH",
        "DEL": "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH",
        "GC": "CNI_PATH",
        "STATUS": "CNI_PATH"}
    for plugin in PLUGINS:
        for verb, names in required.items():
            for empty in (None, ""):
                reply = host.ours.call(plugin, verb, config_of(plugin), container=empty, ifname=empty,
                                       CNI_NETNS=empty, CNI_PATH=empty)
                reply.error(4, f"required env variables [{names}] missing")


def test_only_the_missing_variables_are_named(host):
    reply = host.ours.call("bridge", "ADD", bridge_config(), netns="", ifname="")
    reply.error(4, "required env variables [CNI_NETNS,CNI_IFNAME] missing")


def test_an_invalid_name_wins_over_a_missing_variable(host):
    before = host.snapshot()
    for container in ("../x", "-a", "a b", "a/b", ".", "ü", "a\nb"):
        reply = host.ours.call("bridge", "ADD", bridge_config(), container=container, netns="")
        error = reply.error(4, "invalid characters in containerID")
        assert container in error.get("details", ""), error
    before.must_equal(host.snapshot())


def test_interface_names_are_checked(host):
    before = host.snapshot()
    c1 = "/proc/self/ns/net"
    cases = {"a234567890123456": "interface name is too long", ".": "interface name is . or ..",
             "..": "interface name is . or ..",
             "a/b": "interface name contains / or : or whitespace characters",
             "a:b": "interface name contains / or : or whitespace characters",
             "a b": "interface name contains / or : or whitespace characters",
             "a\tb": "interface name contains / or : or whitespace characters",
             "a\u00a0b": "interface name contains / or : or whitespace characters",
             "a\u2003b": "interface name contains / or : or whitespace characters"}
    for ifname, text in cases.items():
        for verb in ("ADD", "DEL", "CHECK"):
            host.ours.call("bridge", verb, bridge_config(), ifname=ifname, netns=c1).error(4, text)
    host.ours.call("bridge", "ADD", bridge_config(), ifname="a234567890123456", netns=c1).error(
        4, "interface name should be less than 16 characters")
    before.must_equal(host.snapshot())


def test_names_are_not_judged_where_the_verb_does_not_need_them(host):
    reply = host.ours.call("bridge", "STATUS", bridge_config(), container="../x", ifname="a/b")
    reply.ok()


def test_an_unknown_verb_is_refused_after_the_configuration(host):
    host.ours.call("bridge", "FOO", bridge_config(), netns="/x").error(4, "unknown CNI_COMMAND: FOO")
    host.ours.call("bridge", "FOO", "{", netns="/x").error(6)
    host.ours.call("bridge", "add", bridge_config(), netns="/x").error(4, "unknown CNI_COMMAND: add")


def test_the_environment_is_judged_before_stdin(host):
    host.ours.call("bridge", "ADD", "{", netns="").error(4, "CNI_NETNS")


def test_stdin_is_judged_before_the_version(host):
    c1 = host.container("c1")
    for plugin in PLUGINS:
        for verb in ("ADD", "CHECK", "GC", "STATUS"):
            reply = host.ours.call(plugin, verb, '{"cniVersion":"9.9.9"}', netns=c1)
            reply.error(7, "missing network name")
            reply = host.ours.call(plugin, verb, '{"cniVersion":"9.9.9","name":"a/b"}', netns=c1)
            error = reply.error(7, "invalid characters found in network name")
            assert "a/b" in error.get("details", ""), error
            host.ours.call(plugin, verb, "{", netns=c1).error(6, "error unmarshall network config")


def test_add_and_del_take_the_seven_versions_and_none(host):
    c1 = host.container("c1")
    for version in (*SEVEN, "", None):
        config = bridge_config(version)
        if version is None:
            del config["cniVersion"]
        assert host.ours.add(config, c1).ok().json["cniVersion"] == (version or "0.1.0")
        host.ours.delete(config, c1).ok()
    assert leases() == {}


def test_unknown_versions_are_refused_with_code_1(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for plugin in PLUGINS:
        for version in ("0.5.0", "1.2.0", "2.0.0", "1.0", "1.1"):
            reply = host.ours.call(plugin, "ADD", config_of(plugin, version), netns=c1)
            error = reply.error(1, "incompatible CNI versions")
            assert f'config is "{version}"' in error["details"], error
            assert '["0.1.0" "0.2.0"' in error["details"], error
    before.must_equal(host.snapshot())


def test_check_gc_and_status_have_their_version_gates(host):
    c1 = host.container("c1")
    gates = {"CHECK": (0, 4), "GC": (1, 1), "STATUS": (1, 1)}
    for plugin in PLUGINS:
        for verb, gate in gates.items():
            for version in SEVEN:
                reply = host.ours.call(plugin, verb, config_of(plugin, version), netns=c1)
                older = tuple(map(int, version.split(".")[:2])) < gate
                said = f"config version does not allow {verb}"
                if older:
                    reply.error(1, said)
                elif reply.code:
                    assert reply.json["code"] != 1, reply.stdout


def test_a_version_that_is_no_version_is_a_decoding_error(host):
    c1 = host.container("c1")
    for version in ("1.x.0", "one", "1.2.3.4"):
        reply = host.ours.call("bridge", "CHECK", bridge_config(version), netns=c1)
        reply.error((1, 6))
        assert host.ours.call("bridge", "ADD", bridge_config(version), netns=c1).error((1, 6))


def test_errors_carry_the_version_of_the_configuration(host):
    for version in SEVEN:
        reply = host.ours.call("bridge", "ADD", bridge_config(version, mtu=-5), netns="/run/netns/x")
        assert reply.error()["cniVersion"] == version


def test_errors_are_indented_by_four_and_end_without_newline(host):
    reply = host.ours.call("bridge", "ADD", "{", netns="/x")
    assert reply.stdout.startswith('{\n    "') and reply.stdout.endswith("\n}"), reply.stdout


def test_unknown_environment_is_tolerated(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(), c1, TRACEPARENT="00-1-2-01", TRACESTATE="a=b", BAGGAGE="x",
                  CNI_FUTURE="1").ok()
    host.ours.delete(bridge_config(), c1, TRACEPARENT="00-1-2-01").ok()


def test_plugins_run_with_an_empty_path_and_home(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(ipMasq=True, ipMasqBackend="nftables"), c1, PATH=None).ok()
    host.ours.delete(bridge_config(ipMasq=True, ipMasqBackend="nftables"), c1, PATH=None).ok()


def test_the_own_netns_is_refused_before_any_change(host):
    before = host.snapshot()
    for path in ("/proc/self/ns/net", "/proc/1/ns/net"):
        for config in (bridge_config(), {"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}):
            reply = host.ours.add(config, path)
            reply.error(8, "plugin's netns and netns from CNI_NETNS should not be the same")
            before.must_equal(host.snapshot(), f"{config['type']} on {path}")


def test_del_on_the_own_netns_spares_its_links_and_cleans_the_rest(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(), c1).ok()
    os.system("ip link add eth0 type veth peer name other")  # the host has an eth0 of its own
    for container in ("never-seen", "c1"):
        host.ours.delete(bridge_config(), "/proc/1/ns/net", container=container).ok()
        assert host.link("eth0"), "DEL removed a link of the host"
    assert not c1.link() and leases() == {}


def test_del_is_never_refused_for_its_configuration(host):
    c1 = host.container("c1")
    for body in ("", "{", "[]", '{"name":"a/b"}', '{"cniVersion":"9.9.9"}', '{"cniVersion":"x","name":"net1"}',
                 '{"name":"net1"}'):
        host.ours.add(bridge_config(), c1).ok()
        host.ours.call("bridge", "DEL", body, netns=c1).ok()
        assert not c1.link() and leases() == {}, body


def test_netns_override_permits_the_own_netns(host):
    for word in ("1", "true", "TRUE"):
        lo = {"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}
        host.ours.add(lo, "/proc/1/ns/net", CNI_NETNS_OVERRIDE=word).ok()
    host.ours.add({"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}, "/proc/1/ns/net",
                  CNI_NETNS_OVERRIDE="0").error(8)
