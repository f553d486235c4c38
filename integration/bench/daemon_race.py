#!/usr/bin/env python3
# daemon_race.py: times cnmd: as Docker's network driver beside Docker's own bridge driver, and its REST API
# beside Docker's, with few and with many objects.
"""`run(programs, quick)` gives a dict of figures. Run as a program, inside support/sandbox.sh, it is
the race itself: its argument is JSON, so is what it prints. Times are in ms, sizes in kB."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import idle_plugin

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
CLIENTS = 16
# The kernel frees a removed link up to two RCU grace periods later; whoever comes next would pay.
SETTLE = 0.1  # s
DOCKER, CNMD = "/run/docker.sock", "/run/cnm/cnmd.sock"


def run(programs, quick):
    """The figures of a race with the cnmd in the folder `programs`."""
    done = subprocess.run([SUPPORT / "sandbox.sh", sys.executable, __file__,
                           json.dumps([str(programs), quick])], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"daemon_race: {done.stderr}{done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


class Api(http.client.HTTPConnection):
    """A connection to an HTTP server on a unix socket that stays open."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, method, target, body=None):
        """The answer's JSON value, None without a body. Exits with the answer if it is a failure."""
        text = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self.request(method, target, text, headers)
        answer = self.getresponse()
        content = answer.read().decode()
        if answer.status >= 300:
            sys.exit(f"{method} {target} {text}: {answer.status} {content}")
        return json.loads(content) if content.strip() else None


def timed(work):
    """What `work` took, in ms."""
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1e6


class Daemon:
    """cnmd, started here."""

    def __init__(self, programs):
        log = open("/run/e2e/cnmd.log", "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([f"{programs}/cnmd"], stdout=log, stderr=log)  # pylint: disable=consider-using-with
        wait_for(lambda: os.path.exists(CNMD) and os.path.exists("/run/docker/plugins/cnm.sock"))

    def status(self, field):
        """A number of /proc/PID/status, of the first thread."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def cpu(self):
        """CPU time so far, in ms."""
        schedstat = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[0]) for path in schedstat) / 1e6

    def switches(self):
        """How often its threads went to sleep so far."""
        found = 0
        for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            for line in path.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    found += int(line.split()[1])
        return found

    def open_files(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def wait_for(condition, seconds=30):
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain; cnmd said: {pathlib.Path('/run/e2e/cnmd.log').read_text()}")
        time.sleep(0.02)


def docker_connects(daemon, rounds):
    """Wall times of connecting a running container to a network of ours, to one of Docker's and to
    one of a plugin that does nothing, and of disconnecting it again; no descriptor, link or lease
    is left of that."""
    docker, files, left = Api(DOCKER), daemon.open_files(), traces()
    networks = {}
    for kind, driver, ipam, subnet in (("ours", "cnm", "cnm", "10.201.0.0/16"),
                                       ("docker", "bridge", "default", "10.202.0.0/16"),
                                       ("floor", idle_plugin.NAME, idle_plugin.NAME,
                                        idle_plugin.SUBNET)):
        config = {"Name": f"race-{kind}", "Driver": driver, "CheckDuplicate": True,
                  "IPAM": {"Driver": ipam, "Config": [{"Subnet": subnet}]}}
        networks[kind] = docker.call("POST", "/networks/create", config)["Id"]
    container = docker.call("POST", "/containers/create",
                            {"Image": "localhost/cnm-test:1", "Cmd": ["sleep", "600"],
                             "HostConfig": {"NetworkMode": "none"}})["Id"]
    docker.call("POST", f"/containers/{container}/start")
    docker.call("POST", f"/networks/{none_network(docker)}/disconnect", {"Container": container})
    found = {f"{verb}-{kind}": [] for kind in networks for verb in ("connect", "disconnect")}
    for number in range(rounds + 1):
        kinds = sorted(networks)
        for kind in kinds[number % 3:] + kinds[:number % 3]:  # each comes after each
            for verb in ("connect", "disconnect"):
                body = {"Container": container}
                target = f"/networks/{networks[kind]}/{verb}"
                time.sleep(SETTLE)
                took = timed(lambda t=target, b=body: docker.call("POST", t, b))
                if number > 0:
                    found[f"{verb}-{kind}"].append(took)
    docker.call("DELETE", f"/containers/{container}?force=1")
    for network in networks.values():
        docker.call("DELETE", f"/networks/{network}")
    docker.close()
    # dockerd keeps a few connections open.
    wait_for(lambda: daemon.open_files() <= files + CLIENTS and traces() == left)
    return found


def none_network(docker):
    """The id of Docker's network without links."""
    return next(net["Id"] for net in docker.call("GET", "/networks") if net["Name"] == "none")


def cycle(api, network, sandbox, name):
    """An endpoint's life: made, joined, left, deleted."""
    endpoint = api.call("POST", f"/networks/{network}/endpoints", {"name": name})
    place = f"/networks/{network}/endpoints/{endpoint}"
    api.call("POST", f"{place}/sandboxes", {"sandbox_id": sandbox})
    api.call("DELETE", f"{place}/sandboxes/{sandbox}")
    api.call("DELETE", place)


def cycles(rounds):
    """Wall times of an endpoint's life through the REST API."""
    api = Api(CNMD)
    network = api.call("POST", "/networks", network_body("cycles", 0))
    sandbox = api.call("POST", "/sandboxes", {"container_id": "cycles"})
    found = [timed(lambda n=number: cycle(api, network, sandbox, f"e{n}"))
             for number in range(rounds + 1)][1:]
    api.call("DELETE", f"/sandboxes/{sandbox}")
    api.call("DELETE", f"/networks/{network}")
    return found


def network_body(name, number):
    """A bridge network with a /16 or a /24 of its own."""
    pool = "10.203.0.0/16" if number == 0 else f"10.{210 + number // 256}.{number % 256}.0/24"
    return {"name": name, "network_type": "bridge", "ipv4_configuration": [{"PreferredPool": pool}],
            "options": {"com.docker.network.generic": {"BridgeName": f"race{number}"}}}


def load(daemon, count):
    """Endpoints made, joined, left and deleted from many connections at once, twice: how long all took,
    what the daemon weighs before, at the end and after, and that nothing is left of them."""
    api = Api(CNMD)
    network = api.call("POST", "/networks", network_body("load", 0))
    before, files, left = daemon.status("VmRSS"), daemon.open_files(), traces()

    def client(number):
        own = Api(CNMD)
        sandbox = own.call("POST", "/sandboxes", {"container_id": f"load{number}"})
        for turn in range(count // CLIENTS):
            cycle(own, network, sandbox, f"e{number}-{turn}")
        own.call("DELETE", f"/sandboxes/{sandbox}")
        own.close()

    def all_clients():
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(client, range(CLIENTS)))

    took = timed(all_clients)
    first = daemon.status("VmRSS")
    again = timed(all_clients)
    wait_for(lambda: daemon.open_files() <= files and traces() == left)
    api.call("DELETE", f"/networks/{network}")
    return {"count": count // CLIENTS * CLIENTS, "first": took, "again": again, "rss_before": before,
            "rss_first": first, "rss_again": daemon.status("VmRSS")}


def traces():
    """What an endpoint may leave: links, namespaces that are mounted somewhere, and leases."""
    links = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return (sorted(link["ifname"] for link in links if link["ifname"].startswith("veth")),
            sorted(line.split()[4] for line in mounts if " - nsfs " in line),
            sorted(str(path) for path in pathlib.Path("/var/lib/cni/networks").glob("*/[0-9a-f]*")))


def listing(daemon, networks, endpoints):
    """CPU time for each object of GET /networks, with so many networks and endpoints."""
    api = Api(CNMD)
    ids = [api.call("POST", "/networks", network_body(f"n{n}", n)) for n in range(1, networks + 1)]
    made = [(ids[n % networks],
             api.call("POST", f"/networks/{ids[n % networks]}/endpoints", {"name": f"e{n}"}))
            for n in range(endpoints)]
    rounds = 20
    before = daemon.cpu()
    for _ in range(rounds):
        api.call("GET", "/networks")
    cost = (daemon.cpu() - before) / rounds / (networks + endpoints)
    rss = daemon.status("VmRSS")
    for network, endpoint in made:
        api.call("DELETE", f"/networks/{network}/endpoints/{endpoint}")
    for network in ids:
        api.call("DELETE", f"/networks/{network}")
    return {"us_per_object": cost * 1e3, "rss": rss, "networks": networks, "endpoints": endpoints}


def idle(daemon, seconds):
    """What the daemon weighs when nobody asks it anything, and how often it wakes in so many
    seconds. dockerd's start is news to it, which it looks at a few seconds later, on a busy machine
    later still: it has a minute to become quiet."""
    deadline, woken = time.monotonic() + 60, None
    while woken != 0 and time.monotonic() < deadline:
        before = daemon.switches()
        time.sleep(seconds)
        woken = daemon.switches() - before
    return {"rss": daemon.status("VmRSS"), "wakeups": woken}


def main():
    """The race, inside the sandbox."""
    programs, quick = json.loads(sys.argv[1])
    subprocess.run([SUPPORT / "docker/start.sh"], check=True)
    daemon = Daemon(programs)
    figures = {"idle": idle(daemon, 6 if quick else 10)}
    plugin = subprocess.Popen([HERE / "idle_plugin.py"])  # pylint: disable=consider-using-with
    wait_for(idle_plugin.SOCKET.exists)
    subprocess.run([SUPPORT / "image.py", "/run/e2e/image.tar"], check=True)
    subprocess.run(["docker", "--host", f"unix://{DOCKER}", "load", "--input",
                    "/run/e2e/image.tar"], check=True, capture_output=True)
    figures["docker"] = docker_connects(daemon, 3 if quick else 99)
    plugin.terminate()
    plugin.wait()
    figures["cycles"] = cycles(5 if quick else 200)
    figures["load"] = load(daemon, 64 if quick else 1008)
    small, large = ((10, 50), (40, 200)) if quick else ((100, 500), (1000, 5000))
    figures["listing_small"] = listing(daemon, *small)
    figures["listing_large"] = listing(daemon, *large)
    daemon.process.terminate()
    daemon.process.wait(30)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
