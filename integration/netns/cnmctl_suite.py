# cnmctl: the tables and JSON forms of network ls, endpoint ls, lease ls, log, and gc.

import json
import subprocess

from private_host import wait_until
from test_host import bridge_config, host_local_config, leases

MASQ = {"isGateway": True, "ipMasq": True, "ipMasqBackend": "nftables"}


def cnmctl(host, *arguments, code=0):
    """Runs cnmctl; returns its stdout; checks the exit code."""
    done = subprocess.run([f"{host.ours.directory}/cnmctl", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == code, f"cnmctl {' '.join(arguments)}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stdout + done.stderr


def cnmctl_json(host, *arguments):
    """Runs cnmctl with --json; returns the parsed document."""
    return json.loads(cnmctl(host, *arguments, "--json"))


def populated(host):
    """Three containers, one of them dead; returns the live ones and the configuration."""
    config = bridge_config(**MASQ)
    made = [host.container(name) for name in ("alpha", "beta", "dead")]
    for one in made:
        host.ours.add(config, one, container=one.name).ok()
    made[2].delete()
    wait_until(lambda: len(host.ip("link", "show", "master", "br1")) == 2, what="veth gone")
    return made[:2], config


def test_help_names_every_command(host):
    text = cnmctl(host, "--help")
    for word in ("network ls", "endpoint ls", "lease ls", "log", "gc"):
        assert word in text, text
        assert "--" in cnmctl(host, *word.split(), "--help")


def test_a_wrong_command_or_option_is_an_error_that_helps(host):
    for arguments in (("nonsense",), ("network",), ("network", "rm"), ("network", "ls", "stray"),
                      ("log", "--tail", "x"), ("network", "ls", "--colour")):
        done = subprocess.run([f"{host.ours.directory}/cnmctl", *arguments], capture_output=True, text=True)
        assert done.returncode not in (0, 134, 139) and done.returncode > 0 and done.stderr, (arguments, done)
        assert done.stdout == "", done


def test_on_a_pristine_host_lists_are_empty(host):
    before = host.snapshot()
    for words in (("network", "ls"), ("endpoint", "ls"), ("lease", "ls"), ("log",)):
        cnmctl(host, *words)
        listed = cnmctl(host, *words, "--json").strip()
        assert listed in ("[]", ""), (words, listed)
    before.must_equal(host.snapshot())


def test_network_ls(host):
    populated(host)
    text = cnmctl(host, "network", "ls")
    assert text.splitlines()[0].startswith("NETWORK") and "net1" in text and "bridge" in text
    (network,) = cnmctl_json(host, "network", "ls")
    assert network["name"] == "net1" and network["driver"] == "bridge" and network["endpoints"] == 3
    assert len(network["id"]) == 32


def test_endpoint_ls(host):
    live, _ = populated(host)
    listed = {entry["containerID"]: entry for entry in cnmctl_json(host, "endpoint", "ls")}
    assert {name: entry["state"] for name, entry in listed.items()} == {
        "alpha": "ready", "beta": "ready", "dead": "dead"}
    alpha = listed["alpha"]
    assert alpha["network"] == "net1" and alpha["ifname"] == "eth0" and alpha["addresses"] == ["10.1.0.2/24"]
    assert alpha["sandbox"] == live[0].path and host.link(alpha["hostLink"]) and len(alpha["owner"]) == 16
    assert alpha["mac"] == live[0].link()["address"] and alpha["runtime"].startswith("/")
    assert "alpha" in cnmctl(host, "endpoint", "ls") and "dead" in cnmctl(host, "endpoint", "ls")
    assert [entry["containerID"] for entry in cnmctl_json(host, "endpoint", "ls", "--container", "al")] == ["alpha"]
    assert cnmctl_json(host, "endpoint", "ls", "--network", "other") == []


def test_lease_ls(host):
    populated(host)
    host.ours.call("host-local", "ADD", {**host_local_config(), "name": "net2"}, netns="/x",
                   container="plain").ok()
    listed = {(entry["network"], entry["address"]): entry for entry in cnmctl_json(host, "lease", "ls")}
    assert sorted(listed) == [("net1", f"10.1.0.{number}") for number in (2, 3, 4)] + [("net2", "10.1.0.2")]
    assert listed["net1", "10.1.0.4"]["holder"] == "dead"
    assert listed["net1", "10.1.0.2"]["containerID"] == "alpha"
    assert len(cnmctl_json(host, "lease", "ls", "--network", "net2")) == 1
    assert "10.1.0.3" in cnmctl(host, "lease", "ls", "--network", "net1")


def test_log_holds_every_call_with_code_and_steps(host):
    live, config = populated(host)
    host.ours.add(config, live[0], container="alpha").error()
    host.ours.delete(config, live[1], container="beta").ok()
    text = cnmctl(host, "log", "--tail", "0", "--json").strip()
    lines = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    verbs = [(line["verb"], line["container"], line["code"] == 0) for line in lines if line["plugin"] == "bridge"]
    assert verbs == [("ADD", "alpha", True), ("ADD", "beta", True), ("ADD", "dead", True),
                     ("ADD", "alpha", False), ("DEL", "beta", True)], verbs
    assert lines[0]["steps"] and all(isinstance(value, int) for value in lines[0]["steps"].values()), lines[0]
    assert "alpha" in cnmctl(host, "log", "--container", "alpha") and "beta" not in cnmctl(
        host, "log", "--container", "alpha")
    assert len(cnmctl(host, "log", "--tail", "1").splitlines()) == 2  # the heading and one line


def test_gc_dry_run_shows_and_changes_nothing(host):
    populated(host)
    before = host.snapshot()
    shown = cnmctl_json(host, "gc", "--network", "net1", "--dry-run")
    assert [item["containerID"] for item in shown["removed"]] == ["dead"]
    assert sorted(item["containerID"] for item in shown["kept"]) == ["alpha", "beta"]
    assert "dead" in cnmctl(host, "gc", "--network", "net1", "--dry-run")
    before.must_equal(host.snapshot())


def test_gc_apply_removes_the_dead_and_only_them(host):
    live, config = populated(host)
    done = cnmctl_json(host, "gc", "--network", "net1", "--apply")
    assert [item["containerID"] for item in done["removed"]] == ["dead"] and done["errors"] == []
    assert sorted(leases()) == ["10.1.0.2", "10.1.0.3"] and "10.1.0.4" not in str(host.owned_rules())
    assert [entry["containerID"] for entry in cnmctl_json(host, "endpoint", "ls")] == ["alpha", "beta"]
    assert live[0].ping("10.1.0.3")
    assert cnmctl_json(host, "gc", "--network", "net1", "--apply")["removed"] == []
    for one in live:
        host.ours.delete(config, one, container=one.name).ok()


def test_gc_needs_a_network_and_one_of_its_modes(host):
    populated(host)
    before = host.snapshot()
    for arguments in (("gc",), ("gc", "--network", "net1"), ("gc", "--dry-run"),
                      ("gc", "--network", "net1", "--dry-run", "--apply")):
        done = subprocess.run([f"{host.ours.directory}/cnmctl", *arguments], capture_output=True, text=True)
        assert done.returncode > 0 and done.stderr, done
    before.must_equal(host.snapshot())


def test_gc_frees_a_dead_containers_address_for_a_full_network(host):
    config = bridge_config(ipam={"type": "host-local", "subnet": "10.1.0.0/30"})
    c1, c2 = host.container("c1"), host.container("c2")
    host.ours.add(config, c1).ok()
    c1.delete()
    host.ours.add(config, c2, container="c2").error()
    wait_until(lambda: not host.ip("link", "show", "master", "br1"), what="veth gone")
    cnmctl(host, "gc", "--network", "net1", "--apply")
    host.ours.add(config, c2, container="c2").ok()
    assert leases() == {"10.1.0.2": ("c2", "eth0")}


def test_lists_survive_damaged_records(host):
    populated(host)
    subprocess.run("find /run/cnm -name '*.json' | head -1 | xargs truncate -s 0", shell=True, check=True)
    for words in (("network", "ls"), ("endpoint", "ls"), ("lease", "ls"), ("log",)):
        cnmctl(host, *words)
