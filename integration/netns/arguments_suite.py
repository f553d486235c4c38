# CNI_ARGS, the keys of a configuration and how they match, and delegation to another plugin.

import json
import os

from test_host import bridge_config


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
    host.ours.add(bridge_config(), c1, CNI_ARGS="IgnoreUnknown=1;MAC=zz").error((4, 7), "zz")
    host.ours.add(bridge_config(), c1, CNI_ARGS="IgnoreUnknown=1;IP=zz").error((4, 7), "zz")
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
