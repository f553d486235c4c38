# The rules of each scenario, as strangers list them, are the ones that packaging/docs/firewall shows.
"""Every page of that folder is made of a scenario here and of what `nft list` and `iptables-save` print after its ADD.
`UPDATE_GOLDEN=1 integration/netns/run rule_documents` writes the pages anew; without it a difference fails.
"""

import difflib
import json
import os
import pathlib
import re
import subprocess

from cni_runner import Attachment, Runtime

PAGES = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging/docs/firewall"
V4 = {"type": "host-local", "subnet": "10.1.0.0/24"}
DUAL = {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8:1::/64"}]]}
WEB = {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}


def bridge(**keys):
    """The interface plugin of a scenario."""
    return {"type": "bridge", "bridge": "br1", "isGateway": True, "ipam": V4, **keys}


def portmap(**keys):
    """The port mapping plugin of a scenario."""
    return {"type": "portmap", "capabilities": {"portMappings": True}, **keys}


def page(title, story, *plugins, ports=()):
    """A scenario: how a user would call it, what it is good for, its chain and the ports the runtime asks for."""
    return {"title": title, "story": story, "plugins": list(plugins), "ports": list(ports)}


SCENARIOS = {
    "pods-reach-the-internet": page(
        "Pods reach the internet",
        "`ipMasq`: packets that leave the pod's subnet get the host's address, multicast excepted.",
        bridge(ipMasq=True)),
    "no-pod-takes-anothers-mac-address": page(
        "No pod takes another's MAC address",
        "`macspoofchk`: frames that enter the bridge from the pod's link with any other source MAC are dropped. Always in "
        "nftables: iptables does not see bridged frames.",
        bridge(macspoofchk=True)),
    "a-published-port": page(
        "A published port",
        "One port of every address of the host. Only packets to the host's own addresses are looked up, so traffic that "
        "the host merely routes is never captured. The pod's own subnet and localhost get the host's address on the way, "
        "so that answers come back through the host.",
        bridge(), portmap(), ports=[WEB]),
    "a-port-of-one-host-address": page(
        "A port of one host address",
        "`hostIP`: a mapping of one address is asked before the ones of all addresses.",
        bridge(), portmap(), ports=[{**WEB, "hostIP": "192.0.2.1"}, {**WEB, "hostIP": "127.0.0.1", "hostPort": 8081}]),
    "dns-on-udp-and-tcp": page(
        "DNS on UDP and TCP",
        "Two protocols, one target. Stale UDP flows to the port are forgotten when the mapping comes and when it goes.",
        bridge(), portmap(),
        ports=[{"hostPort": 53, "containerPort": 53, "protocol": "udp"},
               {"hostPort": 53, "containerPort": 53, "protocol": "tcp"}]),
    "a-range-of-ports": page(
        "A range of ports",
        "`hostPortEnd`, or neighbouring mappings with equal ports: one interval element however long the range is.",
        bridge(), portmap(),
        ports=[{"hostPort": 30000, "hostPortEnd": 30999, "containerPort": 30000, "protocol": "udp"}]),
    "both-address-families": page(
        "Both address families",
        "A dual-stack pod is published in both families. IPv6 has no route from localhost to another host, so "
        "`[::1]:8080` is not served.",
        bridge(ipam=DUAL), portmap(), ports=[WEB]),
    "clients-keep-their-addresses": page(
        "Clients keep their addresses",
        "`snat: false`: nothing is masqueraded. The pod sees every client's address; its own subnet and localhost do not "
        "reach the port.",
        bridge(), portmap(snat=False), ports=[WEB]),
    "every-client-is-masqueraded": page(
        "Every client is masqueraded",
        "`masqAll`: for pods whose default route is not this host.",
        bridge(), portmap(masqAll=True), ports=[WEB]),
    "pods-behind-a-firewall-that-drops": page(
        "Pods behind a firewall that drops",
        "The `firewall` plugin accepts what the pod sends and the answers. The chain `user` is the operator's: it is asked "
        "first and never changed by us.",
        bridge(), {"type": "firewall"}),
    "networks-kept-apart": page(
        "Networks kept apart",
        "`ingressPolicy: same-bridge`: no packet from one isolated bridge reaches another.",
        bridge(), {"type": "firewall", "ingressPolicy": "same-bridge"}),
    "pods-kept-apart": page(
        "Pods kept apart",
        "`ingressPolicy: isolated`: nor does one from another pod on the same bridge.",
        bridge(), {"type": "firewall", "ingressPolicy": "isolated"}),
}


def plugins_for(scenario, backend):
    """The chain with every plugin that has a choice told to use `backend`."""
    chain = []
    for plugin in scenario["plugins"]:
        chosen = dict(plugin)
        if plugin["type"] in ("portmap", "firewall"):
            chosen["backend"] = backend
        if plugin.get("ipMasq"):
            chosen["ipMasqBackend"] = backend
        chain.append(chosen)
    return chain


def programmed(host, scenario, backend):
    """Runs the chain's ADD for one pod."""
    pod = host.container("pod")
    os.system("ip link add up0 type dummy 2>/dev/null; ip addr add 192.0.2.1/24 dev lo")
    runtime = Runtime(host.ours)
    network = {"cniVersion": "1.0.0", "name": "web", "plugins": plugins_for(scenario, backend)}
    runtime.add(network, Attachment("pod", pod.path, capabilities=json.dumps({"portMappings": scenario["ports"]})))


def output(*command):
    """What a stranger's tool prints."""
    return subprocess.run(command, capture_output=True, text=True).stdout


def nft_text():
    """Our tables, as `nft list` prints them."""
    return "".join(output("nft", "list", "table", family, "cnm") for family in ("inet", "bridge")).rstrip()


def iptables_text():
    """Tables with rules, without counters, dates and chains that nobody made."""
    lines = []
    for tool in ("iptables", "ip6tables"):
        table = None
        for line in output(f"{tool}-save").splitlines():
            if line.startswith("*"):
                table = f"# {tool}, table {line[1:]}"
            elif line.startswith("-A"):
                lines += [table] if table else []
                table = None
                lines.append(line)
    return "\n".join(lines)


def chain_text(scenario):
    """The configuration and the runtime's port mappings, as a reader would write them."""
    text = json.dumps(scenario["plugins"], indent=2)
    if scenario["ports"]:
        text += "\n\n" + "\n".join(f"portMappings: {json.dumps(port)}" for port in scenario["ports"])
    return text


def rendered(scenario, nft, iptables):
    """A page."""
    parts = [f"# {scenario['title']}", "", scenario["story"], "", "```", chain_text(scenario), "```", "",
             "## nftables", "", "```", nft, "```"]
    if iptables:
        parts += ["", "## iptables", "", "```", iptables, "```"]
    return "\n".join(parts) + "\n"


def compare(name, text):
    """Fails unless the page says this; writes it when asked to."""
    path = PAGES / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
        return
    before = path.read_text() if path.exists() else ""
    difference = difflib.unified_diff(before.splitlines(), text.splitlines(), str(path.name), "programmed", lineterm="")
    assert before == text, "\n".join(difference)


def nft_or_iptables(host, scenario, backend):
    """The rules in one backend, by a host of its own."""
    programmed(host, scenario, backend)
    return nft_text() if backend == "nftables" else iptables_text()


def has_choice(scenario):
    """Whether any plugin of the chain can use iptables."""
    return any("backend" in plugin or plugin.get("ipMasqBackend") for plugin in plugins_for(scenario, "iptables"))


def make_case(name, scenario):
    """One test: both backends, each on a private host of its own; the second in a fork of the first's."""
    def case(host):
        iptables = ""
        if has_choice(scenario):
            iptables = in_another_host(lambda: nft_or_iptables(host, scenario, "iptables"))
        compare(name, rendered(scenario, nft_or_iptables(host, scenario, "nftables"), iptables))
    return case


def in_another_host(function):
    """Runs it in a private host within this one."""
    from private_host import run_private
    return run_private(function)


for _name, _scenario in SCENARIOS.items():
    globals()["test_" + re.sub(r"\W", "_", _name)] = make_case(_name, _scenario)


def test_every_page_has_a_scenario_and_stands_in_the_index(host):
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert pages == set(SCENARIOS), pages ^ set(SCENARIOS)
    index = (PAGES / "README.md").read_text()
    missing = [name for name in SCENARIOS if f"({name}.md)" not in index]
    assert not missing, missing
    assert host
