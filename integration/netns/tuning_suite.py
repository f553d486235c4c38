# tuning behind an interface plugin: what it changes, what it puts back, whom it lets.

import json
import os
import pathlib
import sys

from private_host import mount
from tap import allow
from test_host import bridge_config

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fault"))

import injection  # noqa: E402

V1 = "1.0.0"  # the newest version that the packaged reference plugins know
BACKUPS = pathlib.Path("/run/cni/tuning")
ENDPOINTS = pathlib.Path("/run/cnm/endpoints")
MAC = "02:00:5e:00:00:01"
LINK = {"mac": MAC, "mtu": 1400, "promisc": True, "allmulti": True, "txQLen": 77}
SYSCTLS = {"net.core.somaxconn": "300", "net/ipv4/conf/IFNAME/log_martians": "1",
           "net.ipv4.ip_local_port_range": "1024 65000"}
FULL = {**LINK, "sysctl": SYSCTLS}


def settings(container, name="eth0"):
    """What tuning changes, as `ip -j -d link` and the container's /proc/sys show it."""
    link = container.link(name) or {}
    seen = {"mac": link.get("address"), "mtu": link.get("mtu"), "txqlen": link.get("txqlen", 0),
            "promisc": "PROMISC" in link.get("flags", []), "allmulti": "ALLMULTI" in link.get("flags", [])}
    for key in ("net/core/somaxconn", f"net/ipv4/conf/{name}/log_martians", "net/ipv4/ip_local_port_range"):
        seen[key] = container.run("sysctl", "-n", key, check=False).stdout.split()
    return seen


TUNED = {"mac": MAC, "mtu": 1400, "txqlen": 77, "promisc": True, "allmulti": True,
         "net/core/somaxconn": ["300"], "net/ipv4/conf/eth0/log_martians": ["1"],
         "net/ipv4/ip_local_port_range": ["1024", "65000"]}


def linked(host, name="c1", ifname="eth0"):
    """A container with a link that no plugin of ours made."""
    container = host.container(name)
    container.run("ip", "link", "add", ifname, "type", "veth", "peer", "name", "far0")
    container.run("ip", "link", "set", ifname, "up")
    return container


def previous(container, version="1.1.0", ifname="eth0", **keys):
    """The result of the plugin before: the container's link and a host link of the same name."""
    return {"cniVersion": version, "interfaces": [
        {"name": ifname, "mac": "aa:aa:aa:aa:aa:aa"},
        {"name": ifname, "mac": container.link(ifname)["address"], "sandbox": container.path, **keys}]}


def tuning_config(container=None, version="1.1.0", ifname="eth0", **keys):
    """A configuration of tuning on `net1`; with a container also its prevResult."""
    config = {"cniVersion": version, "name": "net1", "type": "tuning", **keys}
    if container:
        config["prevResult"] = previous(container, version, ifname)
    return config


def backups():
    """Names in the backup directory."""
    return sorted(os.listdir(BACKUPS)) if BACKUPS.exists() else []


def records():
    """Names of the endpoint records."""
    names = os.listdir(ENDPOINTS) if ENDPOINTS.exists() else []
    return sorted(name for name in names if not name.startswith("."))


def swept():
    """Asserts that neither backup nor record is left."""
    assert backups() == [] and records() == [], (backups(), records())


def allowlist(text):
    """Puts the allowlist in place, in an empty /etc/cni."""
    if not os.path.ismount("/etc/cni"):
        os.makedirs("/etc/cni", exist_ok=True)
        mount("tmpfs", "/etc/cni", "tmpfs")
        os.makedirs("/etc/cni/tuning")
    pathlib.Path("/etc/cni/tuning/allowlist.conf").write_text(text)


# What it does.

def test_changes_everything_and_del_puts_it_back(host):
    c1 = linked(host)
    before = settings(c1)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    assert settings(c1) == TUNED, settings(c1)
    host.ours.delete(tuning_config(c1, **FULL), c1).ok()
    assert settings(c1) == before
    swept()


def test_changes_only_what_is_given(host):
    c1 = linked(host)
    for key, value, seen in (("mac", MAC, MAC), ("mtu", 1400, 1400), ("txQLen", 0, 0), ("promisc", True, True),
                             ("allmulti", True, True)):
        before = settings(c1)
        host.ours.add(tuning_config(c1, **{key: value}), c1).ok()
        name = {"txQLen": "txqlen"}.get(key, key)
        assert settings(c1) == {**before, name: seen}, (key, settings(c1))
        host.ours.delete(tuning_config(c1, **{key: value}), c1).ok()
        assert settings(c1) == before, key
    swept()


def test_allmulti_false_switches_it_off_and_promisc_false_does_not(host):
    c1 = linked(host)
    c1.run("ip", "link", "set", "eth0", "allmulticast", "on", "promisc", "on")
    config = tuning_config(c1, allmulti=False, promisc=False)
    host.ours.add(config, c1).ok()
    assert not settings(c1)["allmulti"] and settings(c1)["promisc"]
    host.ours.delete(config, c1).ok()
    assert settings(c1)["allmulti"] and settings(c1)["promisc"]


def test_the_result_shows_the_mac_and_the_mtu_of_the_containers_link(host):
    c1 = linked(host)
    config = {**tuning_config(mac=MAC.upper(), mtu=1400), "prevResult": previous(c1, mtu=1500)}
    result = host.ours.add(config, c1).ok().json
    assert result["interfaces"] == [{"name": "eth0", "mac": "aa:aa:aa:aa:aa:aa"},
                                    {"name": "eth0", "mac": MAC, "mtu": 1400, "sandbox": c1.path}], result


def test_the_result_is_otherwise_the_previous_one(host):
    c1 = linked(host)
    given = {**previous(c1), "ips": [{"address": "10.1.0.2/24", "interface": 1, "gateway": "10.1.0.1"}],
             "routes": [{"dst": "0.0.0.0/0"}], "dns": {"nameservers": ["192.0.2.1"]}}
    for keys in ({}, {"sysctl": SYSCTLS}):
        reply = host.ours.add({**tuning_config(**keys), "prevResult": given}, c1).ok()
        assert reply.json == given, reply.json


def test_all_versions_of_the_protocol_work(host):
    c1 = linked(host)
    for version in ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"):
        config = tuning_config(version=version, mtu=1400)
        config["prevResult"] = previous(c1, version)
        if version < "0.3.0":
            config["prevResult"] = {"cniVersion": version, "ip4": {"ip": "10.1.0.2/24"}}
        host.ours.add(config, c1).ok()
        assert settings(c1)["mtu"] == 1400
        host.ours.delete(config, c1).ok()
        assert settings(c1)["mtu"] == 1500


def test_later_sources_of_a_mac_win(host):
    c1 = linked(host)
    macs = [f"02:00:00:00:00:0{number}" for number in range(5)]
    config = tuning_config(c1, mac=macs[1])
    steps = [({}, {}), ({}, {"CNI_ARGS": f"IgnoreUnknown=1;MAC={macs[2]}"}),
             ({"runtimeConfig": {"mac": macs[3]}}, {"CNI_ARGS": f"IgnoreUnknown=1;MAC={macs[2]}"}),
             ({"runtimeConfig": {"mac": macs[3]}, "args": {"cni": {"mac": macs[4]}}}, {})]
    for wanted, (keys, variables) in zip(macs[1:], steps):
        host.ours.add({**config, **keys}, c1, **variables).ok()
        assert settings(c1)["mac"] == wanted


def test_args_cni_override_and_may_bring_the_only_sysctl(host):
    c1 = linked(host)
    args = {"cni": {"mtu": 1300, "txQLen": 5, "allmulti": True, "promisc": True,
                    "sysctl": {"net.core.somaxconn": "301"}}}
    host.ours.add(tuning_config(c1, mtu=1400, args=args), c1).ok()
    seen = settings(c1)
    assert (seen["mtu"], seen["txqlen"], seen["allmulti"], seen["promisc"]) == (1300, 5, True, True)
    assert seen["net/core/somaxconn"] == ["301"]


def test_interface_names_with_dots_work_with_both_separators(host):
    c1 = linked(host, ifname="eth0.5")
    config = tuning_config(c1, ifname="eth0.5", sysctl={
        "net.ipv4.conf.IFNAME.log_martians": "1", "net/ipv4/conf/eth0.5/rp_filter": "2",
        "net.ipv4.conf.eth0/5.arp_ignore": "1"})
    host.ours.add(config, c1, ifname="eth0.5").ok()
    for name, value in (("log_martians", "1"), ("rp_filter", "2"), ("arp_ignore", "1")):
        assert c1.sysctl(f"net/ipv4/conf/eth0.5/{name}") == value, name
    host.ours.check(config, c1, config["prevResult"], ifname="eth0.5").ok()
    host.ours.delete(config, c1, ifname="eth0.5").ok()
    assert c1.sysctl("net/ipv4/conf/eth0.5/log_martians") == "0"


def test_sysctls_are_the_containers_and_not_the_hosts(host):
    c1 = linked(host)
    before = host.snapshot()
    config = tuning_config(c1, sysctl={"net.ipv4.conf.all.log_martians": "1", "net.core.somaxconn": "300",
                                       "net.ipv6.conf.all.accept_ra": "2"})
    host.containers.clear()
    before = host.snapshot(roots=())
    host.ours.add(config, c1).ok()
    assert c1.sysctl("net/core/somaxconn") == "300"
    before.must_equal(host.snapshot(roots=()), "the host")


def test_a_sysctl_that_can_only_be_written_is_written(host):
    c1 = linked(host)
    config = tuning_config(c1, sysctl={"net.ipv4.route.flush": "1",
                                       "net.ipv6.conf.IFNAME.stable_secret": "2001:db8::1"})
    host.ours.add(config, c1).ok()
    assert c1.sysctl("net/ipv6/conf/eth0/stable_secret").startswith("2001:0db8")
    host.ours.check(config, c1, config["prevResult"]).error(text="stable_secret is 2001:db8::1")
    host.ours.delete(config, c1).ok()
    swept()


# What it costs when nothing is asked.

def test_without_keys_it_does_nothing_but_pass_the_result_on(host):
    c1 = linked(host)
    given = previous(c1)
    for keys in ({}, {"mtu": 0, "promisc": False, "mac": "", "sysctl": {}}):
        config = {**tuning_config(**keys), "prevResult": given}
        trace = "/run/test/add"
        call = injection.Call(f"{host.ours.directory}/tuning", host.ours.environment("ADD", netns=c1),
                              injection.encode(config))
        calls = [name for name, _, _ in injection.trace(call, trace)]
        assert "setns" not in calls and "socket" not in calls and "rename" not in calls, calls
        assert host.ours.add(config, c1).ok().json == given
        host.ours.check(config, c1, given).ok()
        host.ours.delete(config, c1).ok()
    swept()
    assert not BACKUPS.exists()


# What is left of it.

def test_the_backup_is_the_references_and_only_roots(host):
    c1 = linked(host)
    before = settings(c1)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    path = BACKUPS / "c1_eth0.json"
    assert path.stat().st_mode & 0o777 == 0o600 and BACKUPS.stat().st_mode & 0o777 == 0o700
    saved = json.loads(path.read_text())
    assert {key: saved[key] for key in LINK} == {
        "mac": before["mac"], "mtu": 1500, "promisc": False, "allmulti": False, "txQLen": before["txqlen"]}
    assert set(saved) == {*LINK, "cnm"}
    assert backups() == ["c1_eth0.json"] and len(records()) == 1


def test_another_data_directory_is_used(host):
    c1 = linked(host)
    config = tuning_config(c1, mtu=1400, dataDir="/run/elsewhere/deep")
    host.ours.add(config, c1).ok()
    assert os.listdir("/run/elsewhere/deep") == ["c1_eth0.json"] and backups() == []
    host.ours.delete(tuning_config(mtu=1400), c1).ok()  # the record knows where it is
    assert settings(c1)["mtu"] == 1500 and os.listdir("/run/elsewhere/deep") == []


def test_a_second_add_keeps_the_original(host):
    c1 = linked(host)
    before = settings(c1)
    host.ours.add(tuning_config(c1, mac=MAC, sysctl={"net.core.somaxconn": "300"}), c1).ok()
    again = {"mac": "02:00:5e:00:00:02", "mtu": 1300, "txQLen": 5,
             "sysctl": {"net.core.somaxconn": "301", "net.ipv4.conf.IFNAME.log_martians": "1"}}
    host.ours.add(tuning_config(c1, **again), c1).ok()
    assert settings(c1)["mac"] == "02:00:5e:00:00:02"
    host.ours.delete(tuning_config(), c1).ok()
    assert settings(c1) == before
    swept()


def test_a_failed_add_changes_nothing(host):
    c1 = linked(host)
    before = host.snapshot(roots=())
    for keys in ({**LINK, "sysctl": {**SYSCTLS, "net.ipv4.conf.all.rp_filter": "no number"}},
                 {**FULL, "mtu": 65536}, {**LINK, "sysctl": {**SYSCTLS, "net.ipv4.no.such": "1"}},
                 {"sysctl": {**SYSCTLS, "net.core.rmem_max": "1"}}):
        host.ours.add(tuning_config(c1, **keys), c1).error()
        before.must_equal(host.snapshot(roots=()), str(keys))
        swept()


def test_a_failed_second_add_leaves_the_first(host):
    c1 = linked(host)
    before = settings(c1)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    saved = (BACKUPS / "c1_eth0.json").read_text()
    host.ours.add(tuning_config(c1, mac="02:00:5e:00:00:02", mtu=65536), c1).error()
    assert settings(c1) == TUNED and (BACKUPS / "c1_eth0.json").read_text() == saved
    host.ours.delete(tuning_config(), c1).ok()
    assert settings(c1) == before
    swept()


def test_del_needs_neither_netns_nor_previous_result_nor_configuration(host):
    bodies = (tuning_config(), {**tuning_config(), "mtu": "x", "sysctl": 7, "dataDir": 7},
              {"cniVersion": "1.1.0", "type": "tuning"}, "{", "")
    for body in bodies:
        c1 = linked(host)
        before = settings(c1)
        host.ours.add(tuning_config(c1, **FULL), c1).ok()
        host.ours.call("tuning", "DEL", body, netns=c1).ok()
        assert settings(c1) == before, body
        host.ours.add(tuning_config(c1, **FULL), c1).ok()
        host.ours.call("tuning", "DEL", body, netns="").ok()
        swept()
        host.ours.add(tuning_config(c1, **FULL), c1).ok()
        c1.delete()
        host.ours.call("tuning", "DEL", body, netns=c1).ok()
        swept()


def test_del_twice_and_without_add_succeeds(host):
    c1 = linked(host)
    host.ours.delete(tuning_config(c1, **FULL), c1).ok()
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    host.ours.delete(tuning_config(c1, **FULL), c1).ok()
    host.ours.delete(tuning_config(c1, **FULL), c1).ok()
    swept()


def test_del_after_the_link_is_gone_removes_the_backup(host):
    c1 = linked(host)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    c1.run("ip", "link", "del", "eth0")
    host.ours.delete(tuning_config(**FULL), c1).ok()
    swept()


def test_del_that_cannot_restore_says_so_and_goes_on(host):
    c1 = linked(host)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    (BACKUPS / "c1_eth0.json").write_text("{ broken")
    reply = host.ours.delete(tuning_config(**FULL), c1).ok()
    assert "c1_eth0.json" in reply.stderr, reply.stderr
    swept()


def test_a_backup_of_a_former_container_is_not_applied(host):
    c1 = linked(host)
    host.ours.add(tuning_config(c1, **FULL), c1).ok()
    old = (BACKUPS / "c1_eth0.json").read_text()
    c1.delete()
    host.ours.delete(tuning_config(), "").ok()
    c1 = linked(host)
    before = settings(c1)
    (BACKUPS / "c1_eth0.json").write_text(old)  # as if that DEL had never come
    host.ours.delete(tuning_config(), c1).ok()
    assert settings(c1) == before
    (BACKUPS / "c1_eth0.json").write_text(old)
    host.ours.add(tuning_config(c1, **LINK), c1).ok()
    host.ours.delete(tuning_config(), c1).ok()
    assert settings(c1) == before
    swept()


def test_the_interface_plugins_del_removes_what_is_left(host):
    c1 = host.container("c1")
    config = bridge_config()
    result = host.ours.add(config, c1).ok().json
    host.ours.add({**tuning_config(**FULL), "prevResult": result}, c1).ok()
    assert backups() == ["c1_eth0.json"] and len(records()) == 1
    host.ours.delete(config, c1).ok()
    swept()


def test_gc_removes_what_is_not_listed(host):
    c1, c2 = linked(host), linked(host, "c2")
    for name, container in (("c1", c1), ("c2", c2)):
        host.ours.add(tuning_config(container, **FULL), container, container=name).ok()
    host.ours.collect(tuning_config(), [("c2", "eth0")]).ok()
    assert backups() == ["c2_eth0.json"] and len(records()) == 1
    host.ours.collect(tuning_config(), []).ok()
    swept()


def test_behind_our_bridge_the_bridge_still_checks_and_talks(host):
    c1, c2 = host.container("c1"), host.container("c2")
    config = bridge_config(isGateway=True)
    result = host.ours.add(config, c1).ok().json
    host.ours.add(config, c2, container="c2").ok()
    tuned = host.ours.add({**tuning_config(**FULL), "prevResult": result}, c1).ok().json
    host.ours.check(config, c1, tuned).ok()
    assert c1.ping("10.1.0.3") and c2.ping("10.1.0.2")
    host.ours.delete({**tuning_config(**FULL), "prevResult": tuned}, c1).ok()
    assert settings(c1)["mac"] == result["interfaces"][2]["mac"] and c2.ping("10.1.0.2")
    host.ours.delete(config, c1).ok()


# A live change from the reference and back. What is packaged knows neither txQLen nor the allowlist.

REFERENCE = {key: FULL[key] for key in ("mac", "mtu", "promisc", "allmulti")}


def test_theirs_adds_and_ours_deletes(host):
    for with_result in (True, False):
        c1 = linked(host)
        before = settings(c1)
        config = tuning_config(c1, V1, **REFERENCE)
        host.theirs.add(config, c1).ok()
        assert settings(c1)["mac"] == MAC and BACKUPS.stat().st_mode & 0o777 == 0o600
        host.ours.delete(config if with_result else tuning_config(version=V1), c1).ok()
        assert settings(c1) == before
        swept()
        c1.delete()


def test_theirs_adds_and_ours_deletes_without_netns(host):
    c1 = linked(host)
    host.theirs.add(tuning_config(c1, V1, **REFERENCE), c1).ok()
    host.ours.delete(tuning_config(version=V1), "").ok()
    swept()


def test_ours_adds_and_theirs_deletes(host):
    c1 = linked(host)
    before = settings(c1)
    config = tuning_config(c1, V1, **FULL)
    host.ours.add(config, c1).ok()
    host.theirs.delete(config, c1).ok()
    now = settings(c1)
    assert {key: now[key] for key in REFERENCE} == {key: before[key] for key in REFERENCE}
    assert backups() == []
    host.ours.delete(config, c1).ok()  # of our record
    swept()


def test_ours_adds_over_theirs_and_their_original_is_kept(host):
    c1 = linked(host)
    before = settings(c1)
    host.theirs.add(tuning_config(c1, V1, mac="02:00:5e:00:00:09", mtu=1300), c1).ok()
    host.ours.add(tuning_config(c1, V1, **FULL), c1).ok()
    assert settings(c1) == TUNED and BACKUPS.stat().st_mode & 0o777 == 0o600
    host.ours.delete(tuning_config(c1, V1), c1).ok()
    assert settings(c1) == before
    swept()


def test_each_checks_what_the_other_made(host):
    c1 = linked(host)
    config = tuning_config(c1, V1, **REFERENCE, sysctl={"net.core.somaxconn": "300"})
    for maker, checker in ((host.ours, host.theirs), (host.theirs, host.ours)):
        result = maker.add(config, c1).ok().json
        checker.check(config, c1, result).ok()
        checker.delete(config, c1).ok()


# Who may.

def test_the_allowlist_refuses_what_no_pattern_matches(host):
    c1 = linked(host)
    allowlist("# ours\n\n^net\\.core\\.somaxconn$\nnet\\.ipv4\\.conf\\.IFNAME\\..*\n")
    host.ours.add(tuning_config(c1, sysctl={"net/core/somaxconn": "300",
                                            "net/ipv4/conf/eth0/log_martians": "1"}), c1).ok()
    host.ours.delete(tuning_config(), c1).ok()
    before = host.snapshot(roots=())
    config = tuning_config(c1, **LINK, sysctl={"net.core.somaxconn": "300", "net.ipv4.ip_forward": "1"})
    host.ours.add(config, c1).error(7, "Sysctl net.ipv4.ip_forward is not allowed. Only the following sysctls "
                                       "are allowed: [^net\\.core\\.somaxconn$ net\\.ipv4\\.conf\\.IFNAME\\..*]")
    error = host.ours.add(config, c1).error(7, "/etc/cni/tuning/allowlist.conf")
    assert '$.sysctl["net.ipv4.ip_forward"]' in error["details"]
    before.must_equal(host.snapshot(roots=()))
    swept()


def test_the_allowlist_holds_for_args_too_and_link_settings_need_none(host):
    c1 = linked(host)
    allowlist("")
    args = {"cni": {"sysctl": {"net.core.somaxconn": "1"}}}
    host.ours.add(tuning_config(c1, args=args), c1).error(7, "not allowed")
    host.ours.add(tuning_config(c1, **LINK), c1).ok()


def test_no_spelling_gets_past_the_allowlist(host):
    c1 = linked(host)
    c1.run("ip", "link", "add", "eth1", "type", "veth")
    allowlist("net\\.ipv4\\.conf\\.IFNAME\\.[^.]+\nnet\\.ipv4\\.[^.]+\n")
    before = settings(c1)
    for key in ("net.ipv4.conf.all.log_martians", "net/ipv4/conf/all/log_martians",
                "net.ipv4.conf.eth1.log_martians", "net/ipv4/conf/eth1/log_martians",
                "net.ipv4.conf.default.log_martians", "net/ipv4/conf.all.log_martians",
                "net.ipv4/conf/all/log_martians", "net.ipv4.conf.IFNAME/./all.log_martians",
                "net/ipv4/conf/IFNAME/../all/log_martians", "net.ipv4.conf.IFNAME.//.all.log_martians",
                "net/ipv4//conf/all/log_martians", "/net/ipv4/conf/all/log_martians",
                "net.core.somaxconn", "net/ipv4/../core/somaxconn", "net.ipv4.//.core.somaxconn",
                "net.ipv4.ip_forward\u0000.x"):
        host.ours.add(tuning_config(c1, sysctl={key: "1"}), c1).error((7, 104))
        assert c1.sysctl("net/ipv4/conf/all/log_martians") == "0", key
    assert settings(c1) == before
    host.ours.add(tuning_config(c1, sysctl={"net/ipv4/ip_forward": "1"}), c1).ok()


def test_the_allowlist_may_be_unanchored(host):
    c1 = linked(host)
    config = tuning_config(c1, sysctl={"net.core.somaxconn": "300"})
    allowlist("somaxconn\n")
    host.ours.add(config, c1).error(7, "must match all of the name")
    allowlist("# match: unanchored\nsomaxconn\n")
    host.ours.add(config, c1).ok()


def test_an_allowlist_that_does_not_compile_is_one_clear_error(host):
    c1 = linked(host)
    before = host.snapshot(roots=())
    for text, line in (("net.*\n(\n", 2), ("\n\nnet\\.\\d+", 3), ("# match: no\n", 1)):
        allowlist(text)
        config = tuning_config(c1, sysctl={"net.core.somaxconn": "300"})
        host.ours.add(config, c1).error(7, f"/etc/cni/tuning/allowlist.conf line {line}: ")
        host.ours.status(config).error(7, f"line {line}: ")
        before.must_equal(host.snapshot(roots=()))
    host.ours.add(tuning_config(c1, mtu=1400), c1).ok()  # it asks for no sysctl


def test_status_is_silent_where_an_add_would_work(host):
    host.ours.status(tuning_config(**FULL)).ok()
    allowlist("net\\.ipv4\\.conf\\.IFNAME\\.log_martians\n")
    host.ours.status(tuning_config(sysctl={"net/ipv4/conf/IFNAME/log_martians": "1"})).ok()
    host.ours.status(tuning_config(sysctl={"net.core.somaxconn": "1"})).error(7, "not allowed")


# Bad input.

def test_bad_input_is_refused_and_changes_nothing(host):
    c1 = linked(host)
    before = host.snapshot(roots=())
    for keys, code, text in (
            ({"sysctl": {"kernel.hostname": "x"}}, 7, 'invalid net sysctl key: "kernel.hostname"'),
            ({"sysctl": {"net/../kernel/hostname": "x"}}, 7, "invalid net sysctl key"),
            ({"sysctl": {"net.//.kernel.hostname": "x"}}, 7, "invalid net sysctl key"),
            ({"sysctl": {"net.core.somaxconn": 7}}, 6, '$.sysctl["net.core.somaxconn"]: want a string'),
            ({"sysctl": {"net.core.somaxconn": ""}}, 7, "want a value"),
            ({"sysctl": {"net.core.somaxconn": "1", "net/core/somaxconn": "2"}}, 7,
             "duplicated sysctl keys are not allowed"),
            ({"sysctl": {"net.ipv4.no.such": "1"}}, 104, "/proc/sys/net/ipv4/no/such: no such file"),
            ({"sysctl": {"net.ipv4": "1"}}, 105, "net/ipv4"),
            ({"mac": "zz"}, 7, "invalid args zz for MAC addr: "), ({"mac": "01:00:5e:00:00:01"}, 7, "$.mac"),
            ({"mac": "00:00:00:00:00:00"}, 7, "$.mac"), ({"mtu": 67}, 7, "$.mtu: 67 is not in 68..65536"),
            ({"mtu": -1}, 7, "$.mtu"), ({"mtu": "1400"}, 6, "$.mtu"), ({"txQLen": -1}, 7, "$.txQLen"),
            ({"txQLen": 2**31}, 7, "$.txQLen"), ({"promisc": "yes"}, 6, "$.promisc"),
            ({"allmulti": 1}, 6, "$.allmulti"), ({"dataDir": "x"}, 7, "$.dataDir"),
            ({"args": {"cni": {"mtu": 1}}}, 7, "$.args.cni.mtu"),
            ({"runtimeConfig": {"mac": "x"}}, 7, "$.runtimeConfig.mac")):
        host.ours.add(tuning_config(c1, **keys), c1).error(code, text)
        before.must_equal(host.snapshot(roots=()), str(keys))
    body = json.dumps(tuning_config(c1))[:-1] + ',"sysctl":{"net.core.somaxconn":"1","net.core.somaxconn":"1"}}'
    host.ours.call("tuning", "ADD", body, netns=c1).error(7, "duplicated sysctl keys are not allowed")
    host.ours.add(tuning_config(c1, mtu=1400), c1, CNI_ARGS="MAC=zz").error(7, "CNI_ARGS MAC")
    host.ours.add(tuning_config(c1, **LINK), c1, ifname="a/b").error(4)
    host.ours.add(tuning_config(mtu=1400), c1).error(7, "Required prevResult missing")
    host.ours.add(tuning_config(), c1).error(7, "Required prevResult missing")
    host.ours.add(tuning_config(c1, mtu=1400), "/run/netns/none").error(8)
    host.ours.add(tuning_config(c1, mtu=1400), c1, ifname="eth7").error(text="Link not found")
    before.must_equal(host.snapshot(roots=()))
    swept()


# CHECK.

def test_check_passes_after_add_however_the_values_were_written(host):
    c1 = linked(host)
    config = tuning_config(c1, **{**FULL, "mac": MAC.upper()})
    result = host.ours.add(config, c1).ok().json
    host.ours.check(config, c1, result).ok()


def test_check_names_the_first_difference(host):
    c1 = linked(host)
    config = tuning_config(c1, **FULL)
    result = host.ours.add(config, c1).ok().json
    for change, undo, text in (
            ("ip link set eth0 mtu 1300", "ip link set eth0 mtu 1400",
             "Error: Tuning configured MTU of eth0 is 1400, current value is 1300"),
            ("ip link set eth0 address 02:00:00:00:00:07", f"ip link set eth0 address {MAC}",
             f"Error: Tuning configured Ethernet of eth0 is {MAC}, current value is 02:00:00:00:00:07"),
            ("ip link set eth0 promisc off", "ip link set eth0 promisc on", "promisc of eth0 is true"),
            ("ip link set eth0 allmulticast off", "ip link set eth0 allmulticast on",
             "all-multicast mode of eth0 is true, current value is false"),
            ("ip link set eth0 txqueuelen 5", "ip link set eth0 txqueuelen 77", "is 77, current value is 5"),
            ("sysctl -q net.core.somaxconn=5", "sysctl -q net.core.somaxconn=300",
             "Error: Tuning configured value of /proc/sys/net/core/somaxconn is 300, current value is 5")):
        c1.run(*change.split())
        host.ours.check(config, c1, result).error(text=text)
        c1.run(*undo.split())
        host.ours.check(config, c1, result).ok()


def test_check_does_not_mind_what_was_not_asked(host):
    c1 = linked(host)
    config = tuning_config(c1, mtu=1400, promisc=False)
    result = host.ours.add(config, c1).ok().json
    c1.run("ip", "link", "set", "eth0", "promisc", "on", "txqueuelen", "3")
    host.ours.check(config, c1, result).ok()
    host.ours.call("tuning", "CHECK", tuning_config(mtu=1400), netns=c1).error(7, "Required prevResult missing")


# Killed and failing calls.

def try_points(host, verb, points):
    """Hits `verb` at each point and cleans up by DEL; everything must be as before."""
    c1 = linked(host)
    before, config = settings(c1), tuning_config(c1, **FULL)
    environment = host.ours.environment(verb, netns=c1)
    call = injection.Call(f"{host.ours.directory}/tuning", environment, injection.encode(config))
    if verb == "DEL":
        host.ours.add(config, c1).ok()
    for point in points(injection.trace(call, "/run/test/trace")):
        host.ours.delete(config, c1).ok()
        if verb == "DEL":
            host.ours.add(config, c1).ok()
        code = injection.run(call, point)
        assert code in (0, 1, -9), (str(point), code)
        host.ours.delete(config, c1).ok()
        assert settings(c1) == before, (str(point), settings(c1))
        assert backups() == [] and records() == [], (str(point), backups(), records())


@allow(300)
def test_an_add_killed_at_any_syscall_is_undone_by_del(host):
    try_points(host, "ADD", injection.kills)


@allow(300)
def test_a_failing_netlink_message_or_file_operation_leaves_nothing(host):
    try_points(host, "ADD", lambda points: injection.netlink_failures(points) + injection.file_failures(points))


@allow(300)
def test_a_del_killed_at_any_syscall_is_finished_by_the_next(host):
    try_points(host, "DEL", injection.kills)
