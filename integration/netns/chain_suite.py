# The whole chain behind the bridge: the examples of conf/, swap with the reference's plugins, loss of the
# packet filter and its restoration, what cnmctl shows.

import json
import os
import pathlib
import re
import subprocess

from cni_runner import Attachment, Runtime, RuntimeFailure, load
from private_host import ip
from snapshot import STATE_ROOTS, xtables_lines
from tap import allow
from test_host import leases
from traffic import Server, ask

CONFLISTS = pathlib.Path(__file__).resolve().parents[2] / "conf"
V1 = "1.0.0"  # the newest version that the packaged reference plugins know
OUTSIDE = "203.0.113.2"
HOST = {4: "203.0.113.1", 6: "2001:db8:a::1"}
SHAPE = {"ingressRate": 10000000, "ingressBurst": 1000000, "egressRate": 20000000, "egressBurst": 1000000}
MAC = "02:00:00:00:00:05"


def network(backend=None, masquerade="iptables"):
    """The chain as a network list; portmap, firewall and masquerading on a backend (None: as they choose)."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
    plugins = [{"type": "bridge", "bridge": "br1", "isGateway": True, "ipMasq": True, "hairpinMode": True,
                "ipam": ipam},
               {"type": "portmap", "capabilities": {"portMappings": True}},
               {"type": "firewall"},
               {"type": "tuning", "mac": MAC, "mtu": 1400, "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
               {"type": "bandwidth", "capabilities": {"bandwidth": True}}]
    if backend:
        plugins[0]["ipMasqBackend"] = masquerade
        plugins[1]["backend"] = plugins[2]["backend"] = backend
    return {"cniVersion": V1, "name": "net1", "plugins": plugins}


def ports(*published):
    """portMappings of (host port, container port, protocol[, host IP])."""
    names = ("hostPort", "containerPort", "protocol", "hostIP")
    return [dict(zip(names, one)) for one in published]


def attachment(container, *published, shape=None):
    """A container's interface with published ports."""
    wanted = {"portMappings": ports(*published)}
    if shape:
        wanted["bandwidth"] = shape
    return Attachment(container.name, container.path, capabilities=json.dumps(wanted))


def outside(host):
    """A netns beyond the host, with no way back to the containers."""
    made = host.container("outside")
    for command in ("link add up0 type veth peer name eth9 netns outside", f"addr add {HOST[4]}/24 dev up0",
                    f"addr add {HOST[6]}/64 dev up0 nodad", "link set up0 up",
                    f"-n outside addr add {OUTSIDE}/24 dev eth9",
                    "-n outside addr add 2001:db8:a::2/64 dev eth9 nodad", "-n outside link set eth9 up"):
        subprocess.run(["ip", *command.split()], check=True)
    return made


def runtime(plugins, name="ours"):
    """A runtime on these plugins with a cache of its own."""
    return Runtime(plugins, f"/run/test/cache-{name}")


def use_iptables(variant):
    """Makes `iptables` the legacy or the nft variant, as an operator's alternatives do."""
    directory = pathlib.Path(f"/run/test/{variant}")
    directory.mkdir()
    for family in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            (directory / f"{family}{suffix}").symlink_to(f"/usr/sbin/xtables-{variant}-multi")
        if variant == "legacy":
            for table in ("nat", "filter"):
                subprocess.run([f"/usr/sbin/{family}-legacy", "-t", table, "-S"], check=True,
                               stdout=subprocess.DEVNULL)
    os.environ["PATH"] = f"{directory}:{os.environ['PATH']}"


def rules():
    """All rules that any packet filter has, as text."""
    return "\n".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in
                     (["nft", "list", "ruleset"], ["iptables-nft-save"], ["ip6tables-nft-save"])) \
        + "\n".join(xtables_lines())


def nothing_left(host, container, ports=("8080", "5353")):
    """Asserts that nothing of the container is left on the host."""
    assert not container.link() and leases() == {}, leases()
    assert not ip("link", "show", "type", "ifb") and not ip("link", "show", "master", "br1")
    shown = rules()
    # 10.1.0.0/24 and 10.1.0.1 are the network's, which stays.
    found = re.findall(r".*(?:10\.1\.0\.[2-9]|2001:db8:1::[2-9]|CNI-DN-|id: \\?\"|\b(?:%s)\b).*" % "|".join(ports), shown)
    assert not found, "\n".join(found)
    files = [str(path) for root in (*STATE_ROOTS, "/run/cni") for path in pathlib.Path(root).rglob("*")
             if re.search(r"tuning/.|endpoints/[^.]", str(path))]
    assert not files, files


def server(host, name):
    """A new container that answers on ports 80 and 53 by its name."""
    made = host.container(name)
    made.server = Server(made, name, 80, 53)
    return made


def serves(client, container, host_port=8080, kind="tcp", family=4, address=None):
    """Whether what the client sends to a published port arrives, and the answer."""
    return ask(client, address or HOST[family], host_port, kind).name == container.name


def serves_all(client, container):
    """Asserts that both ports of PUBLISHED are served to the client over both families."""
    for family in (4, 6):
        assert serves(client, container, family=family), f"tcp over IPv{family}"
        assert serves(client, container, 5353, "udp", family), f"udp over IPv{family}"


PUBLISHED = ((8080, 80, "tcp"), (5353, 53, "udp"))


def whole_life(first, second, host, variant):
    """`first` adds the chain, `second` deletes it: told everything, without the netns, without the result."""
    use_iptables(variant)
    client, chain = outside(host), network("iptables")
    for given in ("all", "no netns", "no result"):
        c1 = server(host, "c1")
        wanted = attachment(c1, *PUBLISHED, shape=SHAPE)
        first.add(chain, wanted)
        assert c1.link()["address"] == MAC and c1.link()["mtu"] == 1400
        serves_all(client, c1)
        assert c1.ping(OUTSIDE)
        if given == "no result":
            second.cache = pathlib.Path("/run/test/cache-empty")
        if given == "no netns":
            c1.server.close()  # it would keep the netns
            c1.delete()
            wanted = Attachment(wanted.container, "", capabilities=wanted.capabilities)
        second.delete(chain, wanted)
        if given == "no netns":
            c1 = host.container("c1")
        if given == "no result":  # which addresses the reference let be forwarded, only its result says
            assert "CNI-FORWARD -s 10.1.0.4" in rules()
            flush_forwarding()
        nothing_left(host, c1)
        c1.delete()
        host.containers.remove(c1)


def flush_forwarding():
    """Removes the forwarding of single addresses."""
    for program in ("iptables", "ip6tables"):
        subprocess.run([program, "-F", "CNI-FORWARD"], check=True)


def test_every_example_in_conf_is_added_checked_and_deleted(host):
    capabilities = json.dumps({"portMappings": ports((8080, 80, "tcp")), "bandwidth": SHAPE, "mac": MAC,
                               "ips": []})
    paths = sorted(CONFLISTS.glob("*.conflist"))
    assert len(paths) >= 7, paths
    c1, client = server(host, "c1"), outside(host)
    ours = runtime(host.ours)
    for path in paths:
        chain = load(path)
        ifname = "lo" if "loopback" in path.name else "eth0"
        wanted = Attachment("c1", c1.path, ifname, capabilities=capabilities)
        if ifname == "eth0":  # the bridge and the tables are made once
            ours.add(chain, wanted)
            ours.delete(chain, wanted)
        before = host.snapshot()
        ours.status(chain)
        ours.add(chain, wanted)
        ours.check(chain, wanted)
        if any(plugin["type"] == "portmap" for plugin in chain["plugins"]):
            assert serves(client, c1), path
        ours.delete(chain, wanted)
        if ifname == "eth0":
            before.must_equal(host.snapshot(), path.name)
            subprocess.run(["ip", "link", "del", chain["plugins"][0]["bridge"]], check=True)  # subnets are shared


@allow(120)
def test_the_chain_of_theirs_is_deleted_by_ours_on_iptables_nft(host):
    whole_life(runtime(host.theirs, "both"), runtime(host.ours, "both"), host, "nft")


@allow(120)
def test_the_chain_of_theirs_is_deleted_by_ours_on_iptables_legacy(host):
    whole_life(runtime(host.theirs, "both"), runtime(host.ours, "both"), host, "legacy")


def test_the_chain_of_ours_is_deleted_by_theirs_on_iptables_nft(host):
    check_theirs_delete_ours(host, "nft")


def test_the_chain_of_ours_is_deleted_by_theirs_on_iptables_legacy(host):
    check_theirs_delete_ours(host, "legacy")


def check_theirs_delete_ours(host, variant):
    """Ours ADD, theirs DEL; then our GC drops the records."""
    use_iptables(variant)
    client, c1 = outside(host), server(host, "c1")
    chain, ours, theirs = network("iptables"), runtime(host.ours, "both"), runtime(host.theirs, "both")
    wanted = attachment(c1, *PUBLISHED, shape=SHAPE)
    ours.add(chain, wanted)
    serves_all(client, c1)
    theirs.delete(chain, wanted)
    ours.collect({**chain, "cniVersion": "1.1.0"}, [])
    nothing_left(host, c1)


def test_a_container_of_theirs_and_one_of_ours_side_by_side_on_iptables(host):
    use_iptables("nft")
    client, c1, c2 = outside(host), server(host, "c1"), server(host, "c2")
    chain = network("iptables")
    for plugin in chain["plugins"]:
        plugin.pop("mac", None)
    ours, theirs = runtime(host.ours), runtime(host.theirs, "theirs")
    first, second = attachment(c1, (8080, 80, "tcp")), attachment(c2, (8081, 80, "tcp"))
    theirs.add(chain, first)
    ours.add(chain, second)
    assert serves(client, c1, 8080) and serves(client, c2, 8081) and c1.ping("10.1.0.3")
    theirs.delete(chain, first)
    assert serves(client, c2, 8081) and c2.ping(OUTSIDE)
    theirs.add(chain, first)
    ours.delete(chain, second)
    assert serves(client, c1, 8080) and c1.ping(OUTSIDE)
    theirs.delete(chain, first)
    nothing_left(host, c1, ("8080", "8081"))


def three(host):
    """Three containers that publish ports, two of them added, and `served(numbers)`: whether each port of those
    containers is served to everybody, and whether they reach the outside."""
    client = outside(host)
    made = [server(host, f"c{number}") for number in (1, 2, 3)]
    chain, ours = network(), runtime(host.ours)
    for plugin in chain["plugins"]:
        plugin.pop("mac", None)
    wanted = [attachment(one, (8080 + number, 80, "tcp"), (5300 + number, 53, "udp"),
                         (9000 + number, 80, "tcp", "127.0.0.1"))
              for number, one in enumerate(made)]
    for one in wanted[:2]:
        ours.add(chain, one)

    def served(*numbers):
        found = []
        for number in numbers:
            one = made[number]
            for family in (4, 6):
                found += [serves(client, one, 8080 + number, family=family),
                          serves(client, one, 5300 + number, "udp", family)]
            found += [serves(None, one, 9000 + number, address="127.0.0.1"), one.ping(OUTSIDE)]
        return found
    return ours, chain, wanted, served


def cnmctl(host, *arguments):
    """cnmctl's output; it must succeed."""
    done = subprocess.run([f"{host.ours.directory}/cnmctl", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"cnmctl {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def flush():
    """What an operator's firewall script begins with."""
    subprocess.run(["nft", "flush", "ruleset"], check=True)


def test_reload_restores_every_published_port_after_a_flush(host):
    ours, chain, wanted, served = three(host)
    assert all(served(0, 1))
    flush()
    assert not any(served(0)), "the flush took nothing away"
    for _ in range(2):
        cnmctl(host, "reload")
        assert all(served(0, 1)), served(0, 1)
    for one in wanted[:2]:
        ours.check(chain, one)


def test_an_add_that_finds_the_tables_gone_rebuilds_them_with_all_live_records(host):
    ours, chain, wanted, served = three(host)
    flush()
    ours.add(chain, wanted[2])
    assert all(served(0, 1, 2)), served(0, 1, 2)


def test_a_delete_of_the_chain_after_a_flush_succeeds(host):
    ours, chain, wanted, served = three(host)
    flush()
    ours.delete(chain, wanted[0])
    cnmctl(host, "reload")
    assert all(served(1)) and "8080" not in rules()


def test_tables_of_an_older_schema_are_rebuilt_with_all_live_records(host):
    ours, chain, wanted, served = three(host)
    ruleset = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    current = int(re.search(r"chain schema_(\d+)", ruleset)[1])
    older = ruleset.replace(f"chain schema_{current}", f"chain schema_{current - 1}")
    for name in set(re.findall(r"^\s(?:set|map) (\S+) {", older, re.MULTILINE)):  # its sets had other names
        older = re.sub(r"(?<![\w-])%s(?![\w/-])" % re.escape(name), f"old-{name}", older)
    subprocess.run(["nft", "-f", "-"], input=f"flush ruleset\n{older}", text=True, check=True)
    ours.add(chain, wanted[2])
    assert all(served(0, 1, 2)), served(0, 1, 2)
    after = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"chain schema_(\d+)", after)) == {str(current)}, after
    for one in wanted:
        ours.delete(chain, one)


def test_reload_restores_what_a_flush_took_on_iptables(host):
    use_iptables("nft")
    client, c1 = outside(host), server(host, "c1")
    chain, ours = network("iptables"), runtime(host.ours)
    ours.add(chain, attachment(c1, *PUBLISHED))
    flush()
    assert not serves(client, c1)
    cnmctl(host, "reload")
    serves_all(client, c1)
    assert c1.ping(OUTSIDE)


def test_cnmctl_firewall_shows_every_rule_by_owner(host):
    ours, chain, wanted, _ = three(host)
    listed = json.loads(cnmctl(host, "firewall", "--json"))
    owned = {one["containerID"]: [] for one in listed if one["containerID"]}
    for one in listed:
        assert {"owner", "network", "containerID", "backend", "rule", "place", "state"} <= set(one), one
        if one["containerID"]:
            owned[one["containerID"]].append(one)
    assert sorted(owned) == ["c1", "c2"], owned
    for number, container in enumerate(("c1", "c2")):
        shown = " ".join(one["rule"] for one in owned[container])
        for port in (8080 + number, 5300 + number, 9000 + number):
            assert str(port) in shown, (port, shown)
        assert "masquerade" in shown and f"10.1.0.{number + 2}" in shown, shown
        assert {one["state"] for one in owned[container]} == {"ok"}
        assert len({one["owner"] for one in owned[container]}) == 1
    text = cnmctl(host, "firewall")
    assert text.splitlines()[0].startswith(("OWNER", "NETWORK")) and "8080" in text and "8081" in text
    ours.delete(chain, wanted[0])
    assert "c1" not in {one["containerID"] for one in json.loads(cnmctl(host, "firewall", "--json"))}


def test_cnmctl_firewall_tells_what_is_missing(host):
    three(host)
    flush()
    done = subprocess.run([f"{host.ours.directory}/cnmctl", "firewall", "--json"], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and "reload" in done.stderr, done
    assert {one["state"] for one in json.loads(done.stdout)} == {"missing"}, done.stdout


def test_a_second_container_on_a_published_port_is_refused_naming_the_holder(host):
    ours, chain, wanted, served = three(host)
    rival = host.container("rival")
    before = host.snapshot()
    try:
        ours.add(chain, attachment(rival, (8080, 80, "tcp")))
        raise AssertionError("the port was given twice")
    except RuntimeFailure as failure:
        assert "8080" in str(failure) and "c1" in str(failure), failure
    ours.delete(chain, attachment(rival, (8080, 80, "tcp")))
    before.must_equal(host.snapshot())
    assert all(served(0, 1))
