# host-local's directory shared with the reference's host-local within one tick of the clock that
# stamps it.
"""Theory of operation. A directory's mtime moves by the timer tick on kernels up to 6.12 (4 ms
here), by a whole second on ext2 and small-inode ext4, so a change that another program makes right
after ours may leave no trace in it. To bring two programs into one tick the test holds the lock
that both take, starts them, waits until the kernel lists them as waiting, and lets go: they run
back to back, in the order in which they came. The reference is too slow under emulation to meet 4
ms, so it gets a file system that counts seconds; within 4 ms its file operations are made by hand.
How often one tick was met is counted from the file times: a run that met none is a failure."""

import fcntl
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

from private_host import wait_until
from tap import allow
from test_host import LEASES, leases

FIRST, NETWORK = 10, "net1"
DIRECTORY = LEASES / NETWORK
ENOUGH = 3  # turns that must have met one tick


def config(size):
    """A network with `size` addresses from 10.1.0.10 on."""
    one = {"subnet": "10.1.0.0/24", "rangeStart": f"10.1.0.{FIRST}",
           "rangeEnd": f"10.1.0.{FIRST + size - 1}"}
    return {"cniVersion": "1.0.0", "name": NETWORK, "type": "host-local",
            "ipam": {"type": "host-local", "ranges": [[one]]}}


def count_in_seconds():
    """Puts a file system whose times are whole seconds where the leases lie."""
    LEASES.mkdir(parents=True)
    image = "/run/test/seconds"
    subprocess.run(["truncate", "--size", "4M", image], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-I", "128", image],
                   check=True, capture_output=True)  # it warns of the year 2038
    subprocess.run(["mount", "-t", "ext2", "-o", "loop", image, str(LEASES)], check=True)


class Plugin:
    """Calls to host-local by one of the two implementations."""

    def __init__(self, plugins, netns, size):
        self.plugins, self.netns, self.config = plugins, netns, config(size)

    def start(self, verb, container, _address=None):
        """Starts a call; the returned function waits for it and gives its address (None: DEL)."""
        process = self.plugins.start("host-local", verb, self.config, container=container,
                                     netns=self.netns)

        def finish():
            outcome = self.plugins.finish(process).ok()
            return outcome.json["ips"][0]["address"].partition("/")[0] if verb == "ADD" else None
        return finish


class ByHand:
    """The reference's file operations of an ADD and a DEL, without its start-up time. `unnoticed`
    counts those that came in the very tick of our last call: the kernel's clock cannot tell them apart."""

    def __init__(self, size):
        self.range = [f"10.1.0.{FIRST + i}" for i in range(size)]
        self.unnoticed = 0

    def start(self, verb, container, address=None):
        """As Plugin.start; `address` is what a DEL releases."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            # Done once elsewhere, so that every page it needs is in when the lock is free.
            copy = f"/run/test/copy-for-{container}"
            shutil.copytree(DIRECTORY, copy, symlinks=True)
            self.change(copy, verb, container, address)
            os.write(writer, self.change(str(DIRECTORY), verb, container, address).encode())
            shutil.rmtree(copy)
            os._exit(0)
        os.close(writer)

        def finish():
            os.waitpid(child, 0)
            with os.fdopen(reader) as pipe:
                text, unnoticed = pipe.read().split(" ")
            self.unnoticed += unnoticed == "True"
            return text or None
        return finish

    def change(self, directory, verb, container, address):
        """Locks and changes the directory: `ADDRESS UNNOTICED`."""
        with open(f"{directory}/lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            ours = os.stat(f"{directory}/.cnm-hints").st_mtime_ns  # what our last call wrote last
            if verb == "ADD":
                address = self.take(directory, container)
            else:
                os.unlink(f"{directory}/{address}")
            return f"{address} {os.stat(directory).st_mtime_ns == ours}"

    def take(self, directory, container):
        """The next free address after the last one, round robin."""
        with open(f"{directory}/last_reserved_ip.0", "r+", encoding="ascii") as last:
            after = self.range.index(last.read()) + 1
            for address in self.range[after:] + self.range[:after]:
                if not os.path.exists(f"{directory}/{address}"):
                    with open(f"{directory}/{address}", "xb") as lease:
                        lease.write(f"{container}\r\neth0".encode())
                    last.seek(0)
                    last.truncate()
                    last.write(address)
                    return address
        return ""


class Bench:
    """What the directory should hold (`held`: container -> address), and what was met."""

    def __init__(self, host, size, by_hand):
        self.size = size
        netns = host.container("any")
        self.ours = Plugin(host.ours, netns, size)
        self.theirs = ByHand(size) if by_hand else Plugin(host.theirs, netns, size)
        self.host, self.netns = host, netns
        self.held, self.count, self.tries, self.in_one_second = {}, 0, 0, 0
        self.now(self.ours, "ADD", "seed")
        self.now(self.ours, "DEL", "seed")

    def fresh(self):
        """A container id not used before."""
        self.count += 1
        return f"c{self.count}"

    def now(self, who, verb, container):
        """One call by itself."""
        self.note(verb, container, who.start(verb, container, self.held.get(container))())

    def note(self, verb, container, address):
        """Keeps what a call did."""
        if verb == "DEL":
            self.held.pop(container, None)
            return
        doubled = address in self.held.values()
        assert address and not doubled, f"{container} got {address}: {self.held}"
        self.held[container] = address

    def together(self, calls):
        """Runs (who, verb, container) back to back: all wait for the lock that the test holds."""
        with open(DIRECTORY / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            ends = []
            for who, verb, container in calls:
                ends.append(who.start(verb, container, self.held.get(container)))
                wait_until(lambda: waiting_for_lock() == len(ends), what="waiting for the lock")
            released = int(time.time())
            fcntl.flock(lock, fcntl.LOCK_UN)
        done = list(zip(calls, [end() for end in ends]))
        for (_, verb, container), address in sorted(done, key=lambda one: one[0][1] != "DEL"):
            self.note(verb, container, address)
        self.tries += 1
        self.in_one_second += int(time.time()) == released
        self.must_agree()

    def met(self):
        """How many changes came to lie in one tick with our last one."""
        return self.theirs.unnoticed if isinstance(self.theirs, ByHand) else self.in_one_second

    def must_agree(self):
        """The directory holds what the calls said, no more and no less."""
        found = {holder: address for address, (holder, _) in leases(NETWORK).items()}
        assert found == self.held, f"directory {found}, calls said {self.held}"

    def fill_and_drain(self):
        """Ours finds every address that is left, then says exhausted, and releases what either of
        them made."""
        while len(self.held) < self.size:
            self.now(self.ours, "ADD", self.fresh())
        self.host.ours.call("host-local", "ADD", self.ours.config, container="late",
                            netns=self.netns).error()
        self.must_agree()
        for container in list(self.held):
            self.now(self.ours, "DEL", container)
        self.must_agree()


def waiting_for_lock():
    """How many processes the kernel lists as waiting for the directory's lock."""
    inode = os.stat(DIRECTORY / "lock").st_ino
    return len(re.findall(rf"-> FLOCK .*:{inode} ", pathlib.Path("/proc/locks").read_text()))


def turns(bench, least=1, most=120):
    """Goes on until one tick was met often enough."""
    while bench.met() < ENOUGH or bench.tries < least:
        assert bench.tries < most, f"one tick met {bench.met()} times in {bench.tries} turns"
        yield
    print(f"# one tick met {bench.met()} times in {bench.tries} turns", flush=True)


def change_at_random(bench):
    """Ours adds while the other deletes and adds in the same tick; every address is accounted for
    after each turn."""
    dice = random.Random(1)
    for _ in turns(bench, least=12):
        calls = [(bench.ours, "ADD", bench.fresh())]
        if bench.held:
            calls.append((bench.theirs, "DEL", dice.choice(list(bench.held))))
        if len(bench.held) + 2 <= bench.size:
            calls.append((bench.theirs, "ADD", bench.fresh()))
        bench.together(calls)
        if len(bench.held) >= bench.size - 1 or bench.tries % 6 == 0:
            bench.fill_and_drain()


def change_hands(bench):
    """The only address goes from ours to the other's owner in one tick; ours still releases it."""
    for _ in turns(bench):
        mine, other = bench.fresh(), bench.fresh()
        bench.now(bench.ours, "ADD", mine)
        bench.together([(bench.ours, "DEL", mine), (bench.theirs, "ADD", other)])
        bench.now(bench.ours, "DEL", other)
        bench.must_agree()


def lose_and_regain(bench):
    """An owner whose address the other released in the tick of our last change gets one again."""
    for _ in turns(bench):
        first, second = bench.fresh(), bench.fresh()
        bench.now(bench.ours, "ADD", first)
        bench.together([(bench.ours, "ADD", second), (bench.theirs, "DEL", first)])
        bench.now(bench.ours, "ADD", first)
        bench.must_agree()
        bench.now(bench.theirs, "DEL", first)
        bench.now(bench.ours, "DEL", second)


@allow(120)
def test_with_the_reference_no_address_is_doubled_or_lost_within_one_second(host):
    count_in_seconds()
    change_at_random(Bench(host, 5, by_hand=False))


@allow(120)
def test_an_address_the_reference_took_over_within_one_second_is_released(host):
    count_in_seconds()
    change_hands(Bench(host, 1, by_hand=False))


@allow(120)
def test_an_owner_the_reference_released_within_one_second_can_have_an_address_again(host):
    count_in_seconds()
    lose_and_regain(Bench(host, 2, by_hand=False))


@allow(120)
def test_no_address_is_doubled_or_lost_within_one_tick(host):
    change_at_random(Bench(host, 5, by_hand=True))


@allow(120)
def test_an_address_taken_over_within_one_tick_is_released(host):
    change_hands(Bench(host, 1, by_hand=True))


@allow(120)
def test_an_owner_released_within_one_tick_can_have_an_address_again(host):
    lose_and_regain(Bench(host, 2, by_hand=True))
