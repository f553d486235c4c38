# The CNI protocol as every plugin keeps it: verbs, versions, environment, result and error shapes.

import json
import os
import subprocess

from cni_call import ALL_VERSIONS
from private_host import wait_until
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
            assert lines[1] == "CNI protocol versions supported: " + ", ".join(SEVEN), lines


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
        for verb in ("ADD", "DEL", "CHECK", "GC", "STATUS"):
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
            for verb in ("ADD", "DEL"):
                reply = host.ours.call(plugin, verb, config_of(plugin, version), netns=c1)
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


def run_add(host, version, **keys):
    """One dual-stack bridge ADD with a route, as JSON."""
    c1 = host.container(f"c{version.replace('.', '')}")
    ipam = {"type": "host-local",
            "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "198.51.100.0/24", "gw": "10.1.0.9"},
                       {"dst": "2001:db8:9::/48"}]}
    config = bridge_config(version, ipam=ipam, isGateway=True, **keys)
    reply = host.ours.add(config, c1, container=f"id-{version}").ok()
    return reply, c1, config


def test_result_of_0_1_0_and_0_2_0_has_ip4_and_ip6(host):
    for version in ("0.1.0", "0.2.0"):
        reply, _, _ = run_add(host, version)
        assert list(reply.json) == ["cniVersion", "ip4", "ip6", "dns"], reply.stdout
        assert reply.json["cniVersion"] == version
        assert reply.json["ip4"]["ip"].startswith("10.1.0.") and reply.json["ip4"]["gateway"] == "10.1.0.1"
        assert reply.json["ip4"]["routes"] == [{"dst": "0.0.0.0/0"},
                                               {"dst": "198.51.100.0/24", "gw": "10.1.0.9"}]
        assert reply.json["ip6"]["routes"] == [{"dst": "2001:db8:9::/48"}]
        assert reply.json["dns"] == {}


def test_result_of_0_3_and_0_4_has_versioned_ips(host):
    for version in ("0.3.0", "0.3.1", "0.4.0"):
        reply, c1, _ = run_add(host, version)
        assert list(reply.json) == ["cniVersion", "interfaces", "ips", "routes", "dns"], reply.stdout
        assert [entry["version"] for entry in reply.json["ips"]] == ["4", "6"]
        assert list(reply.json["ips"][0]) == ["version", "interface", "address", "gateway"]
        assert reply.json["dns"] == {}
        last = reply.json["interfaces"][2]
        assert list(last) == ["name", "mac", "sandbox"] and last["sandbox"] == c1.path


def test_result_of_1_0_and_1_1_is_alphabetical_and_without_empty_dns(host):
    for version in ("1.0.0", "1.1.0"):
        reply, c1, _ = run_add(host, version)
        assert list(reply.json) == ["cniVersion", "interfaces", "ips", "routes"], reply.stdout
        assert list(reply.json["ips"][0]) == ["address", "gateway", "interface"]
        assert all(entry["interface"] == 2 for entry in reply.json["ips"])
        names = [entry["name"] for entry in reply.json["interfaces"]]
        assert names[0] == "br1" and names[2] == "eth0" and host.link(names[1]), names
        assert reply.json["interfaces"][2]["sandbox"] == c1.path
        assert "sandbox" not in reply.json["interfaces"][0]
        assert reply.stdout.startswith('{\n    "cniVersion"') and not reply.stdout.endswith("\n")


def test_dns_of_the_configuration_is_in_the_result(host):
    dns = {"nameservers": ["192.0.2.53"], "domain": "example.org", "search": ["a", "b"],
           "options": ["ndots:2"]}
    for version in SEVEN:
        reply, _, _ = run_add(host, version, dns=dns)
        assert reply.json["dns"] == dns, reply.stdout


def test_a_route_of_1_1_keeps_its_extra_fields_and_0_2_drops_them(host):
    route = {"advmss": 1300, "dst": "198.51.100.0/24", "gw": "10.1.0.9", "mtu": 1350, "priority": 77}
    for version in ("1.1.0", "0.4.0", "0.2.0"):
        config = host_local_config(version, routes=[route])
        reply = host.ours.call("host-local", "ADD", config, container=f"id-{version}", netns="/x").ok()
        if version == "0.2.0":
            assert reply.json["ip4"]["routes"] == [{"dst": "198.51.100.0/24", "gw": "10.1.0.9"}]
        else:
            assert reply.json["routes"] == [route], reply.stdout


def test_ipam_result_has_no_interfaces(host):
    reply = host.ours.call("host-local", "ADD", host_local_config("1.1.0"), netns="/x").ok()
    assert list(reply.json) == ["cniVersion", "ips"], reply.stdout
    assert list(reply.json["ips"][0]) == ["address", "gateway"], reply.stdout


def test_html_characters_are_escaped_in_results(host):
    reply, _, _ = run_add(host, "1.1.0", dns={"domain": "a<b>&c"})
    assert "\\u003c" in reply.stdout and "\\u003e" in reply.stdout and "\\u0026" in reply.stdout
    assert reply.json["dns"]["domain"] == "a<b>&c"


def test_a_layer_2_result_of_0_1_0_fails_and_leaves_nothing(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config("0.4.0", ipam=False), c1).ok()
    host.ours.delete(bridge_config("0.4.0", ipam=False), c1).ok()
    before = host.snapshot()
    host.ours.add(bridge_config("0.2.0", ipam=False), c1).error(
        text="cannot convert: no valid IP addresses")
    before.must_equal(host.snapshot())


def test_unknown_environment_is_tolerated(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(), c1, TRACEPARENT="00-1-2-01", TRACESTATE="a=b", BAGGAGE="x",
                  CNI_FUTURE="1").ok()
    host.ours.delete(bridge_config(), c1, TRACEPARENT="00-1-2-01").ok()


def test_plugins_run_with_an_empty_path_and_home(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(ipMasq=True, ipMasqBackend="nftables"), c1, PATH=None).ok()
    host.ours.delete(bridge_config(ipMasq=True, ipMasqBackend="nftables"), c1, PATH=None).ok()


def test_cni_args_need_the_exact_names(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for arguments in ("mac=02:00:00:00:00:01", "ip=10.1.0.77", "FOO=bar", "IgnoreUnknown=0;FOO=bar"):
        host.ours.add(bridge_config(), c1, CNI_ARGS=arguments).error((4, 7), "ARGS: unknown args")
        before.must_equal(host.snapshot(), arguments)


def test_cni_args_pairs_are_checked(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for arguments, pair in (("IgnoreUnknown=1;", ""), ("IgnoreUnknown", "IgnoreUnknown"),
                            ("IgnoreUnknown=1;MAC", "MAC")):
        host.ours.add(bridge_config(), c1, CNI_ARGS=arguments).error(
            (4, 7), f'ARGS: invalid pair "{pair}"')
        before.must_equal(host.snapshot(), arguments)
    host.ours.add(bridge_config(), c1, CNI_ARGS="IgnoreUnknown=maybe").error((4, 7), "ARGS:")
    host.ours.add(bridge_config(), c1, CNI_ARGS="IgnoreUnknown=1;MAC=zz").error((4, 7), "ARGS:")
    host.ours.add(bridge_config(), c1, CNI_ARGS="IgnoreUnknown=1;IP=zz").error((4, 7))
    before.must_equal(host.snapshot())


def test_cni_args_of_kubernetes_are_taken_in_any_order(host):
    c1 = host.container("c1")
    kubernetes = "K8S_POD_UID=u;K8S_POD_NAME=n;IgnoreUnknown=TRUE;K8S_POD_INFRA_CONTAINER_ID=x"
    host.ours.add(bridge_config(), c1, CNI_ARGS=kubernetes).ok()
    host.ours.delete(bridge_config(), c1, CNI_ARGS=kubernetes).ok()


def test_mac_and_ip_of_cni_args_are_used(host):
    c1 = host.container("c1")
    arguments = "IgnoreUnknown=1;MAC=02:11:22:33:44:55;IP=10.1.0.77"
    reply = host.ours.add(bridge_config(), c1, CNI_ARGS=arguments).ok()
    assert c1.link()["address"] == "02:11:22:33:44:55" == reply.json["interfaces"][2]["mac"]
    assert c1.addresses() == ["10.1.0.77/24"]


def test_the_own_netns_is_refused_before_any_change(host):
    before = host.snapshot()
    for path in ("/proc/self/ns/net", "/proc/1/ns/net"):
        for config in (bridge_config(), {"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}):
            reply = host.ours.add(config, path)
            reply.error(8, "plugin's netns and netns from CNI_NETNS should not be the same")
            before.must_equal(host.snapshot(), f"{config['type']} on {path}")


def test_the_own_netns_is_refused_for_del_too(host):
    before = host.snapshot()
    host.ours.delete(bridge_config(), "/proc/1/ns/net").error(8)
    before.must_equal(host.snapshot())


def test_netns_override_permits_the_own_netns(host):
    for word in ("1", "true", "TRUE"):
        lo = {"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}
        host.ours.add(lo, "/proc/1/ns/net", CNI_NETNS_OVERRIDE=word).ok()
    host.ours.add({"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}, "/proc/1/ns/net",
                  CNI_NETNS_OVERRIDE="0").error(8)


def test_keys_match_in_any_case_and_the_exact_case_wins(host):
    c1 = host.container("c1")
    config = {"cniVersion": "1.1.0", "name": "net1", "type": "bridge", "BRIDGE": "brx", "MTU": 1400,
              "IPAM": {"TYPE": "host-local", "Subnet": "10.1.0.0/24", "RangeStart": "10.1.0.50"}}
    host.ours.add(config, c1).ok()
    assert host.link("brx") and c1.link()["mtu"] == 1400 and c1.addresses() == ["10.1.0.50/24"]
    c2 = host.container("c2")
    both = {**config, "mtu": 1300}
    host.ours.add(both, c2, container="c2").ok()
    assert c2.link()["mtu"] == 1300
    c3 = host.container("c3")
    host.ours.add({"mtu": 1300, **config}, c3, container="c3").ok()
    assert c3.link()["mtu"] == 1300


def test_runtime_config_matches_in_any_case(host):
    c1 = host.container("c1")
    config = bridge_config(RuntimeConfig={"MAC": "02:11:22:33:44:66", "IPS": ["10.1.0.66"]})
    host.ours.add(config, c1).ok()
    assert c1.link()["address"] == "02:11:22:33:44:66" and c1.addresses() == ["10.1.0.66/24"]


def test_null_means_default(host):
    c1 = host.container("c1")
    config = bridge_config(mtu=None, isGateway=None, vlan=None, dns=None, args=None, vlanTrunk=None,
                           runtimeConfig=None, prevResult=None)
    host.ours.add(config, c1).ok()
    assert c1.link()["mtu"] == 1500


def test_duplicate_keys_the_last_wins_with_one_warning(host):
    c1 = host.container("c1")
    body = json.dumps(bridge_config(mtu=1300))[:-1] + ', "mtu": 1200}'
    reply = host.ours.call("bridge", "ADD", body, netns=c1).ok()
    assert c1.link()["mtu"] == 1200
    assert len([line for line in reply.stderr.splitlines() if "mtu" in line]) == 1, reply.stderr


def test_an_unknown_key_warns_once_with_the_nearest_at_add_and_status_never_at_del(host):
    c1 = host.container("c1")
    config = bridge_config(hairpinmod=True)
    for reply in (host.ours.add(config, c1).ok(), host.ours.status(config).ok()):
        lines = [line for line in reply.stderr.splitlines() if "hairpinmod" in line]
        assert len(lines) == 1 and "hairpinMode" in lines[0], reply.stderr
    assert "hairpinmod" not in host.ours.delete(config, c1).ok().stderr


def test_what_libcni_injects_does_not_warn(host):
    c1 = host.container("c1")
    config = bridge_config(args={"labels": [{"key": "a", "value": "b"}], "cni": {}}, MTU=1400,
                           capabilities={"mac": True, "ips": True}, runtimeConfig={})
    config["cni.dev/valid-attachments"] = []
    config["cni.dev/attachments"] = []
    reply = host.ours.add(config, c1).ok()
    assert reply.stderr == "", reply.stderr
    config["prevResult"] = reply.json
    assert host.ours.delete(config, c1).ok().stderr == ""


def test_delegates_see_the_same_bytes_and_environment(host):
    # A delegate that is not ours is exec'd: it must get stdin untouched and only CNI_COMMAND changed.
    spy = "/run/test/spy"
    os.makedirs(spy)
    for name in os.listdir(host.ours.directory):
        if name not in ("host-local",):
            os.symlink(f"{host.ours.directory}/{name}", f"{spy}/{name}")
    with open(f"{spy}/spy-ipam", "w", encoding="ascii") as script:
        script.write("#!/bin/sh\ncat > /run/test/stdin.$CNI_COMMAND\nenv > /run/test/env.$CNI_COMMAND\n"
                     "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\":\"1.0.0\",\"ips\":"
                     "[{\"address\":\"10.1.0.7/24\"}]}'\nexit 0\n")
    os.chmod(f"{spy}/spy-ipam", 0o755)
    c1 = host.container("c1")
    body = json.dumps(bridge_config(ipam={"type": "spy-ipam", "odd":  "ä "}), indent=3)
    host.ours.search_path = spy
    host.ours.call("bridge", "ADD", body, netns=c1, EXTRA="yes", CNI_ARGS="IgnoreUnknown=1;A=b").ok()
    assert c1.addresses() == ["10.1.0.7/24"]
    host.ours.call("bridge", "DEL", body, netns=c1, EXTRA="yes").ok()
    for verb in ("ADD", "DEL"):
        seen = open(f"/run/test/stdin.{verb}", encoding="utf-8").read()
        assert seen == body, seen
        lines = open(f"/run/test/env.{verb}", encoding="utf-8").read().splitlines()
        assert f"CNI_COMMAND={verb}" in lines and "EXTRA=yes" in lines, lines
        assert "CNI_IFNAME=eth0" in lines and f"CNI_NETNS={c1.path}" in lines, lines


def test_a_delegates_error_passes_with_its_own_code(host):
    spy = "/run/test/spy"
    os.makedirs(spy)
    with open(f"{spy}/bad-ipam", "w", encoding="ascii") as script:
        script.write("#!/bin/sh\necho '{\"code\":117,\"msg\":\"no luck\",\"details\":\"today\"}'\nexit 1\n")
    os.chmod(f"{spy}/bad-ipam", 0o755)
    c1 = host.container("c1")
    host.ours.search_path = f"/nonexistent:{spy}"
    before = host.snapshot()
    error = host.ours.add(bridge_config(ipam={"type": "bad-ipam"}), c1).error(117)
    assert error["msg"] == "no luck" and "today" in error["details"], error
    assert [link["ifname"] for link in c1.ip("link")] == ["lo"]
    assert before.diff(host.snapshot()).count("veth") == 0


def test_a_missing_delegate_is_named_with_the_path_searched(host):
    c1 = host.container("c1")
    host.ours.search_path = "/run/a:/run/b"
    before = host.snapshot()
    host.ours.add(bridge_config(ipam={"type": "absent"}), c1).error(
        text='failed to find plugin "absent" in path [/run/a /run/b]')
    before.must_equal(host.snapshot())


def test_a_delegate_type_with_a_slash_is_refused(host):
    c1 = host.container("c1")
    before = host.snapshot()
    for kind in ("../host-local", "/bin/true", "a/b", ".."):
        host.ours.add(bridge_config(ipam={"type": kind}), c1).error((4, 7))
        before.must_equal(host.snapshot(), kind)


def test_a_closed_stdout_undoes_the_add(host):
    c1 = host.container("c1")
    host.ours.add(bridge_config(), c1).ok()
    host.ours.delete(bridge_config(), c1).ok()
    before = host.snapshot()
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([f"{host.ours.directory}/bridge"], stdin=subprocess.PIPE, stdout=writer,
                               stderr=subprocess.DEVNULL, env=host.ours.environment("ADD", netns=c1))
    os.close(writer)
    process.communicate(json.dumps(bridge_config()).encode(), timeout=20)
    assert process.returncode != 0
    wait_until(lambda: not before.diff(host.snapshot()), 3, "undo after a failed print")
