# cnmd as a bench for faults: a network, a sandbox and an endpoint through the REST API, and the same as dockerd asks for it.
"""A scene is one request of a cycle through one of the doors. To try a point, the cycle is walked up to that request,
strace attaches to the daemon and kills it there, and the daemon is started again. Then the cycle is finished, beginning
with the very request that was not answered, or undone, with what a client calls that gives up; all must be as before
the cycle. `START` is the daemon's start over an endpoint that is joined: nothing may be lost by a kill then.

A kill can only be told apart from the kill before it when something was changed in between: so the points are the calls
that change something, unless all are asked for."""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

import injection
from private_host import Netns, find_link, wait_until
from snapshot import STATE_ROOTS, Snapshot, file_lines

API, PLUGIN = "/run/cnm/cnmd.sock", "/run/docker/plugins/cnm.sock"
ROOTS = (*STATE_ROOTS, "/var/lib/docker", "/run/docker/netns")
REST, DOCKER = "through REST", "through Docker's door"
FINISH, UNDO = "finished", "undone"
START = "start"
CHANGING = injection.FULL_CALLS | injection.SENDS | {
    "unlink", "unlinkat", "rmdir", "setns", "unshare", "mount", "umount2", "clone3", "utimensat", "fchmod", "fchmodat",
    "chmod", "fchown", "chown", "fchownat"}


def changes(syscall, text):
    """Whether this call changes something that outlives the process."""
    if "anon_inode" in text.split(",")[0]:
        return False
    return syscall in CHANGING and (syscall != "openat" or "O_CREAT" in text)


class Connection(http.client.HTTPConnection):
    """HTTP on a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, body=None):
    """The status and the JSON value of an answer, on a connection of its own."""
    connection = Connection(path)
    try:
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        try:
            return answer.status, json.loads(text) if text.strip() else None
        except json.JSONDecodeError:
            return answer.status, text
    finally:
        connection.close()


class RestDoor:
    """The REST API's cycle. A client that was cut off looks what is there before it goes on."""

    STEPS = ("create network", "create sandbox", "create endpoint", "join", "leave", "delete endpoint",
             "delete sandbox", "delete network")
    JOINED = 4  # after so many steps

    def __init__(self, _):
        self.path = API

    def found(self, target):
        """The first object of a list, or None."""
        status, objects = ask(API, "GET", target)
        assert status == 200, f"GET {target}: {status} {objects}"
        return objects[0] if objects else None

    def request(self, step):
        """(method, target, body) of a step; None when what it is to bring about is so already."""
        network, sandbox = self.found("/networks?name=net1"), self.found("/sandboxes?container-id=c1")
        endpoint = network and self.found(f"/networks/{network['id']}/endpoints?name=e1")
        backend = endpoint and ask(API, "GET", f"/services/{endpoint['id']}/backend")[1]["id"]
        place = endpoint and f"/networks/{network['id']}/endpoints/{endpoint['id']}"
        verb, _, noun = step.partition(" ")
        there = {"network": network, "sandbox": sandbox, "endpoint": endpoint}.get(noun)
        if verb == "create":
            return None if there else self.creation(noun, network)
        if verb == "delete":
            at = {"network": "/networks", "sandbox": "/sandboxes"}
            return there and ("DELETE", place if noun == "endpoint" else f"{at[noun]}/{there['id']}", None)
        if verb == "join":
            return None if backend else ("POST", f"{place}/sandboxes", {"sandbox_id": sandbox["id"]})
        return ("DELETE", f"{place}/sandboxes/{backend}", None) if backend else None

    @staticmethod
    def creation(noun, network):
        """The request that creates a network, sandbox or endpoint."""
        if noun == "network":
            return "POST", "/networks", {
                "name": "net1", "network_type": "bridge",
                "ipv4_configuration": [{"PreferredPool": "10.1.0.0/24"}],
                "options": {"com.docker.network.generic": {"BridgeName": "br1"}}}
        if noun == "sandbox":
            return "POST", "/sandboxes", {"container_id": "c1"}
        ports = [{"Proto": 6, "Port": 80, "HostPort": 8080}]
        return "POST", f"/networks/{network['id']}/endpoints", {"name": "e1", "port_mapping": ports}

    def rest(self, index, how):
        """The steps that come after one which was not answered."""
        return self.STEPS[index:] if how == FINISH else self.STEPS[self.JOINED:]

    def tolerates(self, _):
        """Whether the step may fail when it comes again."""
        return False

    def around(self, step):
        """What others do before a step."""


class DockerDoor:
    """What dockerd calls for `network create`, `run`, `rm` and `network rm`; an unanswered call it repeats."""

    NETWORK, ENDPOINT = "a" * 64, "b" * 64
    POOL, GATEWAY, ADDRESS = "LocalDefault/10.1.0.0/24", "10.1.0.1", "10.1.0.2"
    STEPS = ("RequestPool", "RequestAddress gateway", "CreateNetwork", "RequestAddress", "CreateEndpoint", "Join",
             "ProgramExternalConnectivity", "RevokeExternalConnectivity", "Leave", "DeleteEndpoint", "ReleaseAddress",
             "ReleaseAddress gateway", "ReleasePool", "DeleteNetwork")
    JOINED = 7
    FIRST_UNDO = {"RequestPool": "", "RequestAddress gateway": "ReleasePool", "CreateNetwork": "ReleaseAddress gateway",
                  "RequestAddress": "ReleaseAddress gateway", "CreateEndpoint": "ReleaseAddress", "Join": "DeleteEndpoint",
                  "ProgramExternalConnectivity": "RevokeExternalConnectivity"}

    def __init__(self, container):
        self.path, self.container, self.given, self.peer = PLUGIN, container, self.ADDRESS, ""

    def request(self, step):
        """(method, target, body) of a step."""
        name, _, gateway = step.partition(" ")
        door = "IpamDriver" if name in ("RequestPool", "ReleasePool", "RequestAddress", "ReleaseAddress") else \
            "NetworkDriver"
        return "POST", f"/{door}.{name}", self.body(name, bool(gateway))

    def body(self, name, gateway):
        """A call's body."""
        both = {"NetworkID": self.NETWORK, "EndpointID": self.ENDPOINT}
        ports = {"com.docker.network.portmap": [{"Proto": 6, "Port": 80, "HostPort": 8080, "HostPortEnd": 8080}]}
        pool = {"AddressSpace": "LocalDefault", "Pool": "10.1.0.0/24"}
        asked = {"PoolID": self.POOL, "Address": self.GATEWAY if gateway else "", "Options":
                 {"RequestAddressType": "com.docker.network.gateway"} if gateway else None}
        bodies = {
            "RequestPool": {**pool, "SubPool": "", "Options": {}, "V6": False},
            "RequestAddress": asked, "ReleasePool": {"PoolID": self.POOL},
            "ReleaseAddress": {"PoolID": self.POOL, "Address": self.GATEWAY if gateway else self.given},
            "CreateNetwork": {"NetworkID": self.NETWORK, "Options": {}, "IPv6Data": [],
                              "IPv4Data": [{**pool, "Gateway": f"{self.GATEWAY}/24"}]},
            "DeleteNetwork": {"NetworkID": self.NETWORK},
            "CreateEndpoint": {**both, "Options": {}, "Interface": {"Address": f"{self.given}/24", "MacAddress": ""}},
            "Join": {**both, "SandboxKey": "/run/docker/netns/c1", "Options": {}},
            "ProgramExternalConnectivity": {**both, "Options": ports}}
        return bodies.get(name, both)

    def learn(self, step, answer):
        """Keeps what later steps need of an answer."""
        if step == "RequestAddress":
            self.given = answer["Address"].partition("/")[0]
        if step == "Join":
            self.peer = answer["InterfaceName"]["SrcName"]

    def around(self, step):
        """Moves the link into the container before it is published, and back before it is left."""
        if step == "ProgramExternalConnectivity" and find_link(self.peer):
            subprocess.run(["ip", "link", "set", self.peer, "netns", "c1"], check=True)
        if step == "Leave" and self.container.link(self.peer):
            self.container.run("ip", "link", "set", self.peer, "netns", "1")

    def rest(self, index, how):
        """The steps that come after one which was not answered."""
        if how == FINISH:
            return self.STEPS[index:]
        first = self.FIRST_UNDO.get(self.STEPS[index])
        if first is not None:
            return self.STEPS[self.STEPS.index(first):] if first else ()
        return self.STEPS[index + 1:]

    def tolerates(self, step):
        """dockerd logs that a release fails, and goes on."""
        return step.startswith("Release")


DOORS = {REST: RestDoor, DOCKER: DockerDoor}


def recorded_ports():
    """The ports that endpoints' records say are published: {(protocol, host port, address, port)}."""
    protocols, ports = {6: "tcp", 17: "udp", 132: "sctp"}, set()
    for path in pathlib.Path("/run/cnm/endpoints").glob("[!.]*.json"):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # just gone
            continue
        for attachment in record.get("attachments", ()):
            for mapping in attachment.get("publication", {}).get("mappings", ()):
                ports.add((protocols[mapping["protocol"]], mapping["hostPort"], mapping["target"].partition("/")[0],
                           mapping["port"]))
    return ports


def programmed_ports():
    """The same as the packet filter has them, each of all addresses of the host."""
    done = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True, check=True)
    ports = set()
    for entry in json.loads(done.stdout)["nftables"]:
        ports_map = entry.get("map", {})
        if not ports_map.get("name", "").startswith("any_ports_"):
            continue
        for key, target in ports_map.get("elem", ()):
            ports.add((*key["elem"]["val"]["concat"], *target["concat"]))
    return ports


@dataclasses.dataclass(frozen=True)
class Scene:
    """One step of the cycle through a door, or the daemon's start."""

    door: str
    step: str

    def __str__(self):
        return f"cnmd {self.step} {self.door}"

    def ways(self):
        """How to go on. What Docker forgets of a pool the daemon finds out after minutes only."""
        lost = ("RequestPool", "ReleasePool")
        return (FINISH,) if self.door == DOCKER and self.step in lost else (FINISH, UNDO)


def scenes():
    """All of them."""
    return [Scene(door, step) for door, made in DOORS.items() for step in (*made.STEPS, START)]


class DaemonBench:
    """A private host with a daemon, and a baseline."""

    def __init__(self, options, scene):
        self.program, self.scene = f"{options.plugins}/cnmd", scene
        self.container, self.process = Netns("c1"), None
        self.log = open("/run/test/cnmd.log", "ab")  # pylint: disable=consider-using-with
        self.door = DOORS[scene.door](self.container)
        self.index = self.door.JOINED if scene.step == START else self.door.STEPS.index(scene.step)
        self.start()
        self.walk(self.door.STEPS)
        self.baseline = self.look()

    def start(self, *before):
        """Starts the daemon, after the words of a command that starts it, and waits until it answers or has ended."""
        for path in (API, PLUGIN):
            pathlib.Path(path).unlink(missing_ok=True)
        self.process = subprocess.Popen([*before, self.program], stdout=self.log, stderr=self.log)  # pylint: disable=consider-using-with
        wait_until(self.is_up, what="cnmd's start")

    def is_up(self):
        """Whether it answers, or has ended."""
        if self.process.poll() is not None:
            return True
        try:
            return ask(PLUGIN, "POST", "/NetworkDriver.GetCapabilities")[0] == 200 and ask(API, "GET", "/networks")[0]
        except OSError:
            return False

    def has_ended(self, seconds=30):
        """Whether the daemon is gone; waits for one that was killed."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def perform(self, step, request):
        """Sends a request, which must succeed unless the door tolerates the failure."""
        status, answer = ask(self.door.path, *request)
        if status < 300:
            if isinstance(self.door, DockerDoor):
                self.door.learn(step, answer)
            return
        assert self.door.tolerates(step), f"{step}: {status} {answer}"

    def walk(self, steps):
        """Takes these steps."""
        for step in steps:
            self.door.around(step)
            request = self.door.request(step)
            if request:
                self.perform(step, request)

    def look(self):
        """The state that must be equal."""
        seen = Snapshot([self.container], skeleton=False, sysctls=False, roots=())
        mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        files = [re.sub(r'"generation":\d+', "", line) for line in file_lines(ROOTS)]  # of the pool table: it only grows
        seen.lines += [*files, *sorted(line.split()[4] for line in mounts if " nsfs " in line)]
        return seen

    def attached(self, *options):
        """strace, attached to all threads of the daemon."""
        command = ["strace", "-f", "-yy", "-s", "48", *options, "-p", str(self.process.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with
        line = tracer.stderr.readline()
        assert "attached" in line, f"strace: {line}"
        return tracer

    def traced(self):
        """The points of the scene's step, or of a start: (syscall, k, text)."""
        self.walk(self.door.STEPS[:self.index])
        path = "/run/test/trace"
        if self.scene.step == START:
            self.stop(signal.SIGKILL)
            self.start("strace", "-D", "-f", "-qq", "-yy", "-s", "48", "-o", path)
            self.stop(signal.SIGKILL)
            return injection.read_trace(path)
        self.door.around(self.scene.step)
        request = self.door.request(self.scene.step)
        tracer = self.attached("-o", path)
        self.perform(self.scene.step, request)
        tracer.terminate()
        tracer.wait()
        return injection.read_trace(path)

    def stop(self, number):
        """Ends the daemon by a signal."""
        self.process.send_signal(number)
        assert self.has_ended(), "cnmd does not end"

    def hit(self, point):
        """Takes the scene's step and kills the daemon at the point; whether that came."""
        inject = ["-e", f"trace={point.syscall}", "-e", f"inject={point.syscall}:{point.action}:when={point.count}",
                  "-o", "/dev/null"]
        if self.scene.step == START:
            self.stop(signal.SIGKILL)
            self.start("strace", "-D", "-f", "-qq", *inject)
            return self.process.poll() is not None or not self.stop(signal.SIGKILL)
        self.door.around(self.scene.step)
        request = self.door.request(self.scene.step)
        tracer = self.attached(*inject)
        try:
            self.perform(self.scene.step, request)
        except (OSError, http.client.HTTPException):
            pass  # no answer
        else:
            tracer.terminate()
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:  # strace may miss the end of a process whose first thread it killed
            tracer.kill()
            tracer.wait()
        wait_until(self.is_up, what="cnmd's answer or end")  # to die takes it a while on a busy machine
        return self.process.poll() is not None

    def check_consistency(self):
        """What the daemon says of the endpoint and what is in the kernel, and leased, must be the same. Docker's
        unanswered call comes again: until then a port may be on record and not yet, or no more, in the packet filter."""
        if self.scene.door != REST:
            unknown = programmed_ports() - recorded_ports()
            assert not unknown, f"after the restart: published and not on record: {sorted(unknown)}"
            return
        self.check_ports("after the restart")
        def agree():
            network = self.door.found("/networks?name=net1")
            endpoint = network and self.door.found(f"/networks/{network['id']}/endpoints?name=e1")
            backend = endpoint and ask(API, "GET", f"/services/{endpoint['id']}/backend")[1]["id"]
            veths = [line for line in Snapshot(sysctls=False, roots=()).lines if '"veth' in line and "host link" in line]
            leases = [path.name for path in pathlib.Path("/var/lib/cni/networks").glob("*/10.*")]
            return (bool(backend) == bool(veths) and bool(network) == bool(find_link("br1")) and
                    len(leases) == bool(network) + bool(endpoint))
        wait_until(agree, what="the REST API and the kernel agree")

    @staticmethod
    def check_ports(when):
        """What is on record as published and what the packet filter publishes must be the same."""
        def agree():
            return recorded_ports() == programmed_ports()
        try:
            wait_until(agree)
        except AssertionError:
            raise AssertionError(f"{when}: on record as published: {sorted(recorded_ports())}, in nftables: "
                                 f"{sorted(programmed_ports())}") from None

    def finish(self, how):
        """Takes the steps that come after the point, whose ports must agree with the packet filter after each."""
        if self.scene.step == START:
            self.check_ports("after the start")
        for step in self.door.rest(self.index, how):
            self.walk((step,))
            self.check_ports(f"after {step}")

    def try_point(self, _, point, how):
        """Hits one point; returns the complaint, "" if all is well."""
        try:
            self.walk(self.door.STEPS[:self.index])
            if self.hit(point) or self.scene.step == START:
                self.start()
                self.check_consistency()
            self.finish(how)
            wait_until(lambda: self.look().lines == self.baseline.lines)
        except AssertionError as error:
            difference = self.baseline.diff(self.look())
            return f"{error}\n{difference}" if difference or "not within" not in str(error) else ""
        return ""


def trace(options, scene):
    """The points of a scene."""
    found = DaemonBench(options, scene).traced()
    return found if options.full else [point for point in found if changes(point[0], point[2])]
