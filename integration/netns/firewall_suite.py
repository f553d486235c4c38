# The firewall plugin: what is let through and what is kept apart, with real traffic, on every packet filter.

import json
import os
import pathlib
import subprocess

from firewalld import Firewalld, installed
from private_host import MS_BIND, mount, wait_until
from tap import skip_unless
from test_host import bridge_config

V1 = "1.0.0"  # the newest version that the packaged reference plugins know
OUTSIDE = {4: "203.0.113.2", 6: "2001:db8:9::2"}
PATIENCE = "0.4"  # seconds a ping waits that is expected to get no answer
VARIANTS = ("nft", "legacy")


class Member:
    """A container on bridge brN (10.N.0.0/24, 2001:db8:N::/64), with or without the firewall plugin."""

    def __init__(self, host, name, number=1, firewall=None, bridges=None, walls=None, **variables):
        self.host, self.name, self.netns = host, name, host.container(name)
        self.bridges, self.walls = bridges or host.ours, walls or host.ours
        self.variables = {"container": name, **variables}
        ranges = [[{"subnet": f"10.{number}.0.0/24"}], [{"subnet": f"2001:db8:{number}::/64"}]]
        self.bridge = bridge_config(V1, name=f"net{number}", bridge=f"br{number}", isDefaultGateway=True,
                                    ipam={"type": "host-local", "ranges": ranges})
        self.result = self.bridges.add(self.bridge, self.netns, **self.variables).ok().json
        self.addresses = dict(zip((4, 6), (ip["address"].split("/")[0] for ip in self.result["ips"])))
        self.firewall = None
        if firewall is not None:
            self.add(**firewall)

    def config(self, **keys):
        """The firewall plugin's configuration behind this container's interface."""
        return {"cniVersion": V1, "name": self.bridge["name"], "type": "firewall", "prevResult": self.result, **keys}

    def add(self, **keys):
        """ADD of the firewall plugin; it must give the prevResult back."""
        self.firewall = self.config(**keys)
        reply = self.walls.add(self.firewall, self.netns, **self.variables).ok()
        assert reply.json["ips"] == self.result["ips"] and reply.json["interfaces"] == self.result["interfaces"]
        return reply

    def check(self):
        """CHECK of the firewall plugin."""
        return self.walls.call("firewall", "CHECK", self.firewall, netns=self.netns, **self.variables)

    def remove(self, walls=None, **keys):
        """DEL of the firewall plugin."""
        return (walls or self.walls).delete({**self.firewall, **keys}, self.netns, **self.variables)

    def leave(self):
        """DEL of the chain, as a runtime calls it: last plugin first."""
        if self.firewall:
            self.remove().ok()
        self.bridges.delete({**self.bridge, "prevResult": self.result}, self.netns, **self.variables).ok()


def outside_of(host):
    """A netns beyond the host that routes everything through it."""
    made = host.container("outside")
    for command in ("link add up0 type veth peer name eth9 netns outside", "addr add 203.0.113.1/24 dev up0",
                    "addr add 2001:db8:9::1/64 dev up0 nodad", "link set up0 up",
                    "-n outside addr add 203.0.113.2/24 dev eth9",
                    "-n outside addr add 2001:db8:9::2/64 dev eth9 nodad", "-n outside link set eth9 up",
                    "-n outside route add default via 203.0.113.1",
                    "-n outside -6 route add default via 2001:db8:9::1"):
        subprocess.run(["ip", *command.split()], check=True)
    return made


def pings(paths, patience="20"):
    """Whether each (from Netns, to address) answers; all at once."""
    started = [subprocess.Popen(["nsenter", f"--net={source.path}", "ping", "-nqc1", f"-W{patience}", address],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for source, address in paths]
    return [process.wait() == 0 for process in started]


def paths(source, target, families=(4, 6)):
    """(from, to) of each family; `target` is a Member or a table of addresses."""
    addresses = target if isinstance(target, dict) else target.addresses
    return [(source.netns if isinstance(source, Member) else source, addresses[family]) for family in families]


def must_pass(*wanted):
    """Every path answers."""
    answers = pings(wanted)
    assert all(answers), f"blocked: {[path[1] for path, good in zip(wanted, answers) if not good]}"


def must_block(*wanted):
    """No path answers."""
    answers = pings(wanted, PATIENCE)
    assert not any(answers), f"passes: {[path[1] for path, good in zip(wanted, answers) if good]}"


def neighbours(source, *targets):
    """Both directions of each pair."""
    return [path for target in targets for path in paths(source, target) + paths(target, source)]


def ours(host):
    """Elements and rules of our nftables tables that have an owner or a bridge, as text."""
    return [line for line in host.owned_rules() if '"cnm"' in line or " cnm " in line]


def mentions(host, *texts):
    """Those of `ours` with any of the texts."""
    return [line for line in ours(host) if any(text in line for text in texts)]


def xtables(variant, family=4, table="filter"):
    """Rules (-A lines) and policies (-P lines) of a table."""
    program = f"ip{'6' if family == 6 else ''}tables-{variant}"
    done = subprocess.run([program, "-t", table, "-S"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def rules_for(member, variant):
    """The rules of both families that name this container's addresses."""
    return [line for family in (4, 6) for line in xtables(variant, family) if member.addresses[family] in line]


def drop_by_default(variant, families=(4, 6)):
    """What dockerd does to a host."""
    for family in families:
        program = f"ip{'6' if family == 6 else ''}tables-{variant}"
        subprocess.run([program, "-P", "FORWARD", "DROP"], check=True)


def use(variant):
    """Makes `iptables` this variant for our plugins and for the reference's."""
    directory = pathlib.Path(f"/run/test/{variant}")
    directory.mkdir()
    for family in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            (directory / f"{family}{suffix}").symlink_to(f"/usr/sbin/xtables-{variant}-multi")
        subprocess.run([str(directory / family), "-S"], check=True, stdout=subprocess.DEVNULL)
    os.environ["PATH"] = f"{directory}:{os.environ['PATH']}"


def reload(host):
    """cnmctl reload."""
    done = subprocess.run([f"{host.ours.directory}/cnmctl", "reload"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- letting through ---------------------------------------------------------------------------------


def test_add_accepts_the_addresses_and_del_forgets_them(host):
    one = Member(host, "c1", firewall={})
    assert mentions(host, one.addresses[4]) and mentions(host, one.addresses[6]), ours(host)
    one.check().ok()
    one.remove().ok()
    one.remove().ok()
    assert not mentions(host, one.addresses[4], one.addresses[6])
    one.leave()


def test_nothing_is_left_of_a_container(host):
    Member(host, "c0", firewall={"ingressPolicy": "isolated"}).leave()
    host.containers.clear()
    before = host.snapshot()
    one = Member(host, "c1", firewall={"ingressPolicy": "isolated"})
    assert ours(host)
    one.leave()
    host.containers.clear()
    before.must_equal(host.snapshot())


def dockerd_like(host, variant):
    """Two containers of two bridges, one without the plugin, and the outside, on a host that drops."""
    outside = outside_of(host)
    drop_by_default(variant)
    bare = Member(host, "bare", 3)
    one, two = Member(host, "c1", 1, {}), Member(host, "c2", 2, {})
    must_block(*paths(bare, OUTSIDE), *paths(outside, bare))
    must_pass(*neighbours(one, two), *paths(one, OUTSIDE), *paths(two, OUTSIDE))
    for member in (one, two):
        member.check().ok()
        assert len(rules_for(member, variant)) == 4, rules_for(member, variant)
    one.remove().ok()
    assert not rules_for(one, variant) and not mentions(host, *one.addresses.values())
    must_block(*paths(one, OUTSIDE), *paths(one, bare))
    must_pass(*paths(two, OUTSIDE))
    two.remove().ok()
    assert not rules_for(two, variant)


def test_containers_reach_all_on_a_host_whose_iptables_nft_drops(host):
    dockerd_like(host, "nft")


def test_containers_reach_all_on_a_host_whose_iptables_legacy_drops(host):
    dockerd_like(host, "legacy")


def test_with_dockers_chains_the_accepts_come_before_its_drops(host):
    outside = outside_of(host)
    for family in ("iptables", "ip6tables"):
        for words in ("-P FORWARD DROP", "-N DOCKER-USER", "-N DOCKER-FORWARD", "-A FORWARD -j DOCKER-USER",
                      "-A FORWARD -j DOCKER-FORWARD", "-A DOCKER-FORWARD -j DROP", "-A DOCKER-USER -j RETURN"):
            subprocess.run([family, *words.split()], check=True)
    one, two = Member(host, "c1", 1, {}), Member(host, "c2", 2, {})
    must_pass(*neighbours(one, two), *paths(one, OUTSIDE))
    must_block(*paths(outside, one))
    for family in ("iptables", "ip6tables"):  # what dockerd does when it starts again
        subprocess.run([family, "-D", "FORWARD", "-j", "DOCKER-USER"], check=True)
        subprocess.run([family, "-I", "FORWARD", "-j", "DOCKER-USER"], check=True)
    must_pass(*neighbours(one, two))


def reload_after_a_policy(host, variant):
    """The drop comes after the containers: a reload looks where to accept again."""
    outside_of(host)
    one, two = Member(host, "c1", 1, {}), Member(host, "c2", 2, {})
    must_pass(*neighbours(one, two))
    drop_by_default(variant)
    must_block(*neighbours(one, two))
    reload(host)
    must_pass(*neighbours(one, two), *paths(one, OUTSIDE))
    one.leave()
    two.leave()
    assert not rules_for(one, variant) and not rules_for(two, variant) and not ours(host)


def test_a_reload_accepts_where_iptables_nft_has_begun_to_drop(host):
    reload_after_a_policy(host, "nft")


def test_a_reload_accepts_where_iptables_legacy_has_begun_to_drop(host):
    reload_after_a_policy(host, "legacy")


def test_a_reload_restores_what_was_flushed(host):
    drop_by_default("nft")
    isolated = {"ingressPolicy": "same-bridge"}
    one, two, three = (Member(host, f"c{n}", n, policy) for n, policy in ((1, isolated), (2, isolated), (3, {})))
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    drop_by_default("nft")
    one.check().error(text="")
    must_block(*paths(one, three))
    reload(host)
    for member in (one, two, three):
        member.check().ok()
    must_pass(*paths(one, three))
    must_block(*paths(one, two))


def test_an_operators_drop_comes_first(host):
    outside = outside_of(host)
    one = Member(host, "c1", firewall={})
    must_pass(*paths(one, OUTSIDE))
    for address in ("ip saddr 10.1.0.2", "ip6 saddr 2001:db8:1::2"):
        subprocess.run(["nft", "add", "rule", "inet", "cnm", "user", *address.split(), "drop"], check=True)
    must_block(*paths(one, OUTSIDE))
    reload(host)
    must_block(*paths(one, OUTSIDE))
    assert outside


def test_an_operators_iptables_chain_comes_first(host):
    outside_of(host)
    for family in ("iptables", "ip6tables"):
        subprocess.run([family, "-N", "OPS"], check=True)
        subprocess.run([family, "-A", "OPS", "-i", "br1", "-o", "up0", "-j", "DROP"], check=True)
    one = Member(host, "c1", firewall={"backend": "iptables", "iptablesAdminChainName": "OPS"})
    must_block(*paths(one, OUTSIDE))
    for family in (4, 6):
        jumps = [line for line in xtables("nft", family) if line.endswith("-j OPS")]
        assert jumps == ['-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j OPS'], jumps


def test_an_explicit_backend_is_the_only_one(host):
    drop_by_default("nft")
    one = Member(host, "c1", firewall={"backend": "iptables", "ingressPolicy": "same-bridge"})
    assert not ours(host) and len(rules_for(one, "nft")) == 4
    assert any("CNI-ISOLATION" in line for line in xtables("nft"))
    reload(host)
    assert not ours(host) and len(rules_for(one, "nft")) == 4, "a reload keeps to it"
    one.leave()
    two = Member(host, "c2", firewall={"backend": "nftables"})
    assert mentions(host, two.addresses[4]), "ours"
    assert len(rules_for(two, "nft")) == 4, "an accept of ours does not undo a drop of theirs"
    two.leave()


def test_a_late_del_spares_who_has_the_address_now(host):
    outside_of(host)
    drop_by_default("nft")
    one = Member(host, "c1", firewall={})
    gone = {**one.firewall, "prevResult": one.result}  # the former holder's cached result names the same addresses
    host.ours.delete(gone, "", container="gone").ok()
    assert len(rules_for(one, "nft")) == 4, rules_for(one, "nft")
    must_pass(*paths(one, OUTSIDE))
    one.leave()
    assert not rules_for(one, "nft")


def hide(*prefixes):
    """A host whose programs of these names are not installed."""
    real, bare = pathlib.Path("/run/test/sbin"), pathlib.Path("/run/test/bare")
    for directory in (real, bare):
        directory.mkdir()
    mount("/usr/sbin", str(real), "none", MS_BIND)
    for program in real.iterdir():
        if not program.name.startswith(prefixes):
            (bare / program.name).symlink_to(real / program.name)
    mount(str(bare), "/usr/sbin", "none", MS_BIND)


def test_hosts_without_ip6tables_serve_ipv4(host):
    hide("ip6tables")
    c1, config = host.container("c1"), bridge_config(V1, isDefaultGateway=True)
    result = host.ours.add(config, c1).ok().json
    drop_by_default("nft", families=(4,))
    for backend in ({}, {"backend": "iptables"}):
        wall = {"cniVersion": V1, "name": "net1", "type": "firewall", "prevResult": result,
                "ingressPolicy": "isolated", **backend}
        host.ours.add(wall, c1).ok()
        assert len([line for line in xtables("nft") if "10.1.0.2/32" in line]) == 2
        host.ours.call("firewall", "CHECK", wall, netns=c1).ok()
        host.ours.delete(wall, c1).ok()
        assert not [line for line in xtables("nft") if "10.1.0.2/32" in line]
        assert not isolation("nft", "br1", families=(4,))


def test_hosts_without_iptables_are_served_by_nftables(host):
    hide("ip6tables", "iptables", "xtables")
    one, two = Member(host, "c1", 1, {"ingressPolicy": "same-bridge"}), Member(host, "c2", 2, {})
    must_pass(*neighbours(one, two))
    one.check().ok()
    host.ours.add(two.config(backend="iptables"), two.netns, container="c2").error(50, "iptables")
    status = {"cniVersion": "1.1.0", "name": "net1", "type": "firewall"}
    host.ours.status(status).ok()
    host.ours.status({**status, "backend": "iptables"}).error(50, "iptables")
    one.leave()
    host.ours.delete(two.firewall, two.netns, container="c2").ok()
    assert not ours(host)


# ---- keeping apart -----------------------------------------------------------------------------------


def policies(host, **backend):
    """Every policy, both families, on one backend."""
    outside = outside_of(host)
    same, isolated = ({"ingressPolicy": policy, **backend} for policy in ("same-bridge", "isolated"))
    open_ = Member(host, "o1", 1, {**backend})
    s1, s2 = Member(host, "s1", 2, same), Member(host, "s2", 2, same)
    i1, i2 = Member(host, "i1", 3, isolated), Member(host, "i2", 3, isolated)
    other = Member(host, "s3", 4, same)
    must_pass(*neighbours(s1, s2), *neighbours(s1, open_), *neighbours(i1, open_),
              *paths(s1, OUTSIDE), *paths(i1, OUTSIDE), *paths(outside, s1), *paths(outside, i1))
    must_block(*neighbours(s1, i1, other), *neighbours(i1, other), *neighbours(i1, i2))
    for member in (open_, s1, s2, i1, i2, other):
        member.check().ok()
    return open_, s1, s2, i1, i2, other


def test_policies_of_nftables(host):
    open_, s1, s2, i1, i2, other = policies(host)
    s1.leave()
    must_block(*neighbours(s2, other)), "the others of its bridge keep it"
    s2.leave()
    assert not mentions(host, "br2"), "the last one takes it away"
    i1.leave()
    must_block(*neighbours(i2, other))
    for member in (i2, other, open_):
        member.leave()
    assert not ours(host), ours(host)


def isolation(variant, *bridges, families=(4, 6)):
    """Rules of the isolation chains that name one of the bridges."""
    return [line for family in families for line in xtables(variant, family) if line.startswith("-A CNI-ISOLATION")
            and any(f" {bridge} " in line for bridge in bridges)]


def policies_of_iptables(host, variant):
    """The same on iptables, and what is left of it."""
    use(variant)
    os.system("modprobe br_netfilter 2>/dev/null; sysctl -qw net.bridge.bridge-nf-call-iptables=1"
              " net.bridge.bridge-nf-call-ip6tables=1 2>/dev/null")
    open_, s1, s2, i1, i2, other = policies(host, backend="iptables")
    assert not ours(host)
    s1.leave()
    assert isolation(variant, "br2")
    must_block(*neighbours(s2, other))
    s2.leave()
    assert not isolation(variant, "br2"), isolation(variant, "br2")
    for member in (i1, i2, other, open_):
        member.leave()
    assert not isolation(variant, "br1", "br2", "br3", "br4")


def test_policies_of_iptables_nft(host):
    policies_of_iptables(host, "nft")


def test_policies_of_iptables_legacy(host):
    policies_of_iptables(host, "legacy")


def test_a_stricter_policy_replaces_a_looser_one(host):
    one, two = (Member(host, name, 1, {"ingressPolicy": "same-bridge"}) for name in ("c1", "c2"))
    must_pass(*neighbours(one, two))
    for member in (one, two):
        member.add(ingressPolicy="isolated")
    must_block(*neighbours(one, two))
    for member in (one, two):
        member.add()
    must_pass(*neighbours(one, two))
    assert not mentions(host, "br1"), mentions(host, "br1")


def test_published_ports_of_an_isolated_container_are_reached_from_outside(host):
    outside = outside_of(host)
    one = Member(host, "c1", 1, {"ingressPolicy": "isolated"})
    ports = {"cniVersion": V1, "name": "net1", "type": "portmap", "prevResult": one.result, "runtimeConfig": {
        "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}}
    host.ours.add(ports, one.netns).ok()
    server = subprocess.Popen(["nsenter", f"--net={one.netns.path}", "python3", "-m", "http.server", "80"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    code = "import urllib.request; print(urllib.request.urlopen('http://203.0.113.1:8080', timeout=5).status)"
    wait_until(lambda: outside.run("python3", "-c", code, check=False).stdout == "200\n", what="an answer")
    server.kill()
    server.wait()


# ---- CHECK, GC, STATUS, bad input --------------------------------------------------------------------


def test_check_misses_what_was_taken_away(host):
    one = Member(host, "c1", firewall={"ingressPolicy": "same-bridge"})
    one.check().ok()
    before = host.snapshot()
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    one.check().error()
    assert "cnm" not in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout, "made"
    reload(host)
    one.check().ok()
    before.must_equal(host.snapshot())


def test_check_misses_rules_of_iptables_and_makes_none(host):
    one = Member(host, "c1", firewall={"backend": "iptables", "ingressPolicy": "isolated"})
    one.check().ok()
    for family, rule in (("iptables", "CNI-FORWARD -s 10.1.0.2/32 -j ACCEPT"),
                         ("ip6tables", "CNI-FORWARD -s 2001:db8:1::2/128 -j ACCEPT"),
                         ("iptables", 'CNI-ISOLATION-STAGE-2 -o br1 -m comment --comment'
                                      ' "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)" -j DROP')):
        subprocess.run(f"{family} -D {rule}", shell=True, check=True)
        one.check().error()
        subprocess.run(f"{family} -I {rule}", shell=True, check=True)
        one.check().ok()
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    one.check().error()
    assert not subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout


def test_check_notices_another_configuration(host):
    one = Member(host, "c1", firewall={})
    for keys in ({"ingressPolicy": "isolated"}, {"prevResult": {**one.result, "ips": [
            {"address": "10.1.0.9/24", "interface": 2}]}}):
        host.ours.call("firewall", "CHECK", {**one.firewall, **keys}, netns=one.netns).error()


def test_gc_takes_away_what_is_not_listed(host):
    one, two = Member(host, "c1", firewall={}), Member(host, "c2", firewall={})
    config = {"cniVersion": "1.1.0", "name": "net1", "type": "firewall"}
    host.ours.collect(config, [("c1", "eth0")]).ok()
    assert mentions(host, one.addresses[4]) and not mentions(host, two.addresses[4])
    must_pass(*neighbours(one, two))


def test_del_needs_neither_prev_result_nor_netns_nor_a_good_configuration(host):
    one = Member(host, "c1", firewall={"ingressPolicy": "same-bridge"})
    for change in ({"prevResult": None}, {"ingressPolicy": "shut"}, {"iptablesAdminChainName": "a b"},
                   {"backend": 5}):
        one.add(ingressPolicy="same-bridge")
        host.ours.call("firewall", "DEL", {**one.firewall, **change}, netns=None).ok()
        assert not ours(host), change
    one.add()
    host.ours.call("firewall", "DEL", "{", netns=None).ok()
    assert not ours(host), "by container and interface alone"


def test_the_interface_plugins_del_takes_the_rules_too(host):
    one = Member(host, "c1", firewall={"ingressPolicy": "isolated"})
    host.ours.delete(one.bridge, one.netns).ok()
    assert not ours(host), ours(host)


def test_bad_input_changes_nothing(host):
    one = Member(host, "c1")
    before = host.snapshot()
    for keys, code, text in (
            ({"prevResult": None}, 7, "missing prevResult from earlier plugin"),
            ({"ingressPolicy": "closed"}, 7, 'unknown ingress policy: "closed"'),
            ({"ingressPolicy": "isolated", "prevResult": {"cniVersion": V1, "ips": one.result["ips"]}}, 7,
             'interface needs to be set for ingress policy "isolated", make sure to chain "firewall" plugin with '
             '"bridge"'),
            ({"ingressPolicy": "isolated", "prevResult": {**one.result, "interfaces": [{}]}}, 7,
             "got empty bridge name"),
            ({"iptablesAdminChainName": "A\nCOMMIT"}, 7, "$.iptablesAdminChainName"),
            ({"firewalldZone": "a b"}, 7, "$.firewalldZone"),
            ({"backend": ["nftables"]}, 6, "$.backend"),
            ({"cniVersion": "0.3.1", "prevResult": None}, 1, "0.3.1")):
        config = one.config(**keys)
        host.ours.add(config, one.netns).error(code, text)
        before.must_equal(host.snapshot(), str(keys))


def test_an_unknown_backend_is_warned_about_once_and_means_none(host):
    one = Member(host, "c1")
    reply = one.add(backend="ipfw", ingressPolizy="open")
    lines = [line for line in reply.stderr.splitlines() if "ipfw" in line]
    assert len(lines) == 1 and "nftables" in lines[0] and "iptables" in lines[0] and "firewalld" in lines[0], lines
    assert "did you mean ingressPolicy" in reply.stderr
    assert mentions(host, one.addresses[4])
    assert one.remove().ok().stderr == ""


def test_results_without_addresses_pass_through(host):
    c1 = host.container("c1")
    result = {"cniVersion": V1, "interfaces": [{"name": "br1"}, {"name": "eth0", "sandbox": c1.path}]}
    config = {"cniVersion": V1, "name": "net1", "type": "firewall", "prevResult": result}
    before = host.snapshot()
    host.ours.add(config, c1).ok()
    host.ours.call("firewall", "CHECK", config, netns=c1).ok()
    before.must_equal(host.snapshot())
    host.ours.delete(config, c1).ok()


def test_status(host):
    config = {"cniVersion": "1.1.0", "name": "net1", "type": "firewall"}
    for backend in ("", "nftables", "iptables"):
        host.ours.status({**config, "backend": backend}).ok()
    host.ours.status({**config, "backend": "firewalld"}).error(50, "firewalld")
    host.ours.status({**config, "ingressPolicy": "shut"}).error(7, "unknown ingress policy")


# ---- next to the reference ---------------------------------------------------------------------------


def foreign_interface(host, result, container, config):
    """Our plugin behind an interface that we have no record of: ADD, CHECK, DEL, and GC when it is dead."""
    wall = {"cniVersion": V1, "name": config["name"], "type": "firewall", "prevResult": result}
    records = pathlib.Path("/run/cnm/endpoints")
    host.ours.add(wall, container).ok()
    assert mentions(host, "10.1.0.2") and len(list(records.glob("*.json"))) == 1
    host.ours.call("firewall", "CHECK", wall, netns=container).ok()
    host.ours.delete(wall, container).ok()
    assert not ours(host) and not list(records.glob("*.json"))
    host.ours.add(wall, container).ok()
    host.theirs.delete({**config, "prevResult": result}, container).ok()
    container.delete()
    host.ours.collect({**wall, "cniVersion": "1.1.0", "prevResult": None}, None).ok()
    assert not ours(host) and not list(records.glob("*.json"))


def test_behind_the_references_bridge(host):
    c1, config = host.container("c1"), bridge_config(V1, isDefaultGateway=True)
    foreign_interface(host, host.theirs.add(config, c1).ok().json, c1, config)


def test_behind_the_references_ptp(host):
    c1 = host.container("c1")
    config = {"cniVersion": V1, "name": "net1", "type": "ptp", "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}}
    foreign_interface(host, host.theirs.add(config, c1).ok().json, c1, config)


def swap(host, variant):
    """Each side removes what the other made, on iptables."""
    use(variant)
    drop_by_default(variant)
    for walls, other in ((host.theirs, host.ours), (host.ours, host.theirs)):
        one = Member(host, "c1", 1, {"backend": "iptables"}, walls=walls)
        theirs_one = Member(host, "c2", 2, {"backend": "iptables"}, walls=other)
        must_pass(*neighbours(one, theirs_one))
        assert len(rules_for(one, variant)) == 4
        one.walls = other
        one.check().ok()
        one.remove(walls=other).ok()
        assert not rules_for(one, variant), rules_for(one, variant)
        assert len(rules_for(theirs_one, variant)) == 4
        must_block(*paths(one, theirs_one))
        host.ours.delete(one.firewall, one.netns).ok()
        one.bridges.delete(one.bridge, one.netns).ok()
        theirs_one.leave()
        for member in (one, theirs_one):
            member.netns.delete()
        host.containers.clear()
        assert not list(pathlib.Path("/run/cnm/endpoints").glob("*.json"))


def test_live_swap_on_iptables_nft(host):
    swap(host, "nft")


def test_live_swap_on_iptables_legacy(host):
    swap(host, "legacy")


# ---- firewalld ---------------------------------------------------------------------------------------


def sources(*members):
    """What firewalld is expected to list for them."""
    return sorted(f"{address}/{32 if family == 4 else 128}"
                  for member in members for family, address in member.addresses.items())


def test_firewalld_trusts_the_addresses_until_del(host):
    skip_unless(installed(), "no firewalld here")
    outside = outside_of(host)
    daemon = Firewalld()
    bare, one, two = Member(host, "bare", 3), Member(host, "c1", 1, {}), Member(host, "c2", 2, {})
    must_block(*paths(bare, OUTSIDE))
    must_pass(*neighbours(one, two), *paths(one, OUTSIDE))
    assert outside and daemon.sources() == sources(one, two)
    one.check().ok()
    daemon.call("zone.removeSource", "trusted", f"{one.addresses[6]}/128")
    one.check().error(text="2001:db8:1::2/128")
    one.remove().ok()
    assert daemon.sources() == sources(two)
    daemon.reload()
    assert not daemon.sources()
    two.check().error()
    must_block(*paths(two, OUTSIDE))
    reload(host)
    assert daemon.sources() == sources(two)
    two.check().ok()
    must_pass(*paths(two, OUTSIDE))
    two.leave()
    assert not daemon.sources() and not ours(host)


def test_firewalld_as_the_one_backend(host):
    skip_unless(installed(), "no firewalld here")
    daemon = Firewalld()
    config = {"cniVersion": "1.1.0", "name": "net1", "type": "firewall", "backend": "firewalld"}
    host.ours.status(config).ok()
    one = Member(host, "c1", 1, {"backend": "firewalld", "firewalldZone": "internal", "ingressPolicy": "same-bridge"})
    assert daemon.sources("internal") == sources(one) and not daemon.sources()
    assert not mentions(host, one.addresses[4]) and mentions(host, "br1"), "isolation is ours"
    one.add(backend="firewalld", firewalldZone="internal")
    assert daemon.sources("internal") == sources(one)
    daemon.call("zone.addSource", "work", "10.1.0.99/32")
    taken = one.config(backend="firewalld", prevResult={**one.result, "ips": [
        {"address": "10.1.0.98/24"}, {"address": "10.1.0.99/24"}]})
    host.ours.add(taken, one.netns).error(50, "failed to add the address 10.1.0.99/32 to trusted zone: ZONE_CONFLICT")
    assert not daemon.sources(), "all or none"
    host.ours.add(one.config(backend="firewalld", firewalldZone="nosuch"), one.netns).error(50, "INVALID_ZONE")
    one.add(backend="firewalld")
    daemon.stop()
    host.ours.status(config).error(50, "firewalld is not running")
    one.check().error(50, "firewalld is not running")
    one.leave()
    other = Member(host, "c2", 1)
    host.ours.add(other.config(backend="firewalld"), other.netns, container="c2").error(50, "not running")


def test_firewalld_swaps_with_the_reference(host):
    skip_unless(installed(), "no firewalld here")
    daemon = Firewalld()
    zone = {"backend": "firewalld", "firewalldZone": "work"}
    for walls, other in ((host.theirs, host.ours), (host.ours, host.theirs)):
        one = Member(host, f"c{walls is host.ours}", 1, zone, walls=walls)
        assert daemon.sources("work") == sources(one)
        one.walls = other
        one.check().ok()
        one.remove().ok()
        assert not daemon.sources("work")
        one.walls = host.ours
        one.leave()


def test_without_the_program_that_speaks_to_firewalld(host):
    skip_unless(installed(), "no firewalld here")
    Firewalld()
    alone = pathlib.Path("/run/test/alone")
    alone.mkdir()
    for name in ("bridge", "host-local", "firewall"):
        (alone / name).write_bytes(pathlib.Path(f"{host.ours.directory}/{name}").read_bytes())
        (alone / name).chmod(0o755)
    host.ours.directory = host.ours.search_path = str(alone)
    one = Member(host, "c1")
    reply = one.add()
    assert "cnm-firewalld" in reply.stderr and str(alone) in reply.stderr and "/usr/libexec/cnm" in reply.stderr
    reply = host.ours.add(one.config(backend="firewalld"), one.netns).error(50, "cnm-firewalld")
    assert "/usr/libexec/cnm/cnm-firewalld" in json.dumps(reply)
