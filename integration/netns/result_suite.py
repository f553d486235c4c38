# Results: the shape of every protocol version, dns, routes, escaping, and what is not printed is undone.

import json
import os
import subprocess

from cni_call import ALL_VERSIONS
from private_host import wait_until
from test_host import bridge_config, host_local_config


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
    for version in ALL_VERSIONS:
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
    host.ours.add(bridge_config("0.4.0", ipam=None), c1).ok()
    host.ours.delete(bridge_config("0.4.0", ipam=None), c1).ok()
    before = host.snapshot()
    host.ours.add(bridge_config("0.2.0", ipam=None), c1).error(
        text="cannot convert: no valid IP addresses")
    before.must_equal(host.snapshot())


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
    wait_until(lambda: not before.diff(host.snapshot()), what="undo after a failed print")
