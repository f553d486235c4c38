# The loopback plugin.

from cni_call import ALL_VERSIONS

NULL_MAC = "00:00:00:00:00:00"


def config(version="1.1.0", **keys):
    """A loopback configuration."""
    return {"cniVersion": version, "name": "cni-loopback", "type": "loopback", **keys}


def bare(host, name="c1"):
    """A container whose lo is down, as a runtime hands it over."""
    one = host.container(name)
    one.run("ip", "link", "set", "lo", "down")
    return one


def test_add_brings_lo_up_and_reports_its_addresses(host):
    c1 = bare(host)
    reply = host.ours.add(config(), c1, ifname="lo").ok()
    assert "UP" in c1.link("lo")["flags"]
    assert reply.json["interfaces"] == [{"name": "lo", "mac": NULL_MAC, "sandbox": c1.path}]
    assert reply.json["ips"] == [{"address": "127.0.0.1/8", "interface": 0},
                                 {"address": "::1/128", "interface": 0}]


def test_the_result_has_the_shape_of_every_version(host):
    for version in ALL_VERSIONS:
        reply = host.ours.add(config(version), bare(host, f"v{version}"), ifname="lo").ok()
        assert reply.json["cniVersion"] == version
        if version in ("0.1.0", "0.2.0"):
            assert list(reply.json) == ["cniVersion", "ip4", "ip6", "dns"], reply.stdout
            assert reply.json["ip4"]["ip"] == "127.0.0.1/8" and reply.json["ip6"]["ip"] == "::1/128"
        else:
            numbered = [entry.get("version") for entry in reply.json["ips"]]
            assert numbered == ([None, None] if version in ("1.0.0", "1.1.0") else ["4", "6"])
            assert reply.json["interfaces"][0]["name"] == "lo"


def test_the_exact_call_of_kubelet_works(host):
    c1 = bare(host)
    reply = host.ours.call("loopback", "ADD", '{"cniVersion":"0.3.1","name":"cni-loopback","type":"loopback"}',
                           netns=c1, ifname="lo", CNI_ARGS="K8S_POD_UID=1;IgnoreUnknown=1").ok()
    assert reply.json["ips"][0]["version"] == "4" and c1.ping("127.0.0.1")


def test_the_given_interface_name_is_ignored(host):
    c1 = bare(host)
    host.ours.add(config(), c1, ifname="eth0").ok()
    assert "UP" in c1.link("lo")["flags"]


def test_a_prev_result_is_passed_on(host):
    previous = {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": "/x"}],
                "ips": [{"address": "10.1.0.5/24", "interface": 0}]}
    reply = host.ours.add(config(prevResult=previous), bare(host), ifname="lo").ok()
    assert reply.json["interfaces"][0]["name"] == "eth0" and reply.json["ips"][0]["address"] == "10.1.0.5/24"


def test_a_foreign_address_on_lo_is_an_error(host):
    c1 = bare(host)
    c1.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    host.ours.add(config(), c1, ifname="lo").error(text="loopback interface found with non-loopback address")


def test_check_sees_lo_up_and_down(host):
    c1 = bare(host)
    reply = host.ours.add(config(), c1, ifname="lo").ok()
    host.ours.check(config(), c1, reply.json, ifname="lo").ok()
    host.ours.call("loopback", "CHECK", config(), netns=c1, ifname="lo").ok()
    c1.run("ip", "link", "set", "lo", "down")
    host.ours.check(config(), c1, reply.json, ifname="lo").error(text="loopback interface is down")


def test_del_leaves_lo_of_a_live_container_usable(host):
    c1 = bare(host)
    host.ours.add(config(), c1, ifname="lo").ok()
    host.ours.delete(config(), c1, ifname="lo").ok()
    assert c1.ping("127.0.0.1"), "DEL took lo down under a live container"


def test_del_succeeds_without_netns_and_twice(host):
    c1 = bare(host)
    for path in (c1, c1, "", "/run/netns/none"):
        host.ours.delete(config(), path, ifname="lo").ok()


def test_gc_and_status_succeed(host):
    host.ours.collect(config(), []).ok()
    host.ours.status(config()).ok()


def test_a_missing_netns_is_code_8(host):
    host.ours.add(config(), "/run/netns/none", ifname="lo").error(8, "/run/netns/none")


def test_nothing_is_left_on_the_host(host):
    c1 = bare(host)
    host.containers.clear()
    before = host.snapshot()
    host.ours.add(config(), c1, ifname="lo").ok()
    host.ours.delete(config(), c1, ifname="lo").ok()
    before.must_equal(host.snapshot())
