# A private host for one test: own network, mount, pid, ipc and uts namespaces, empty state directories.
"""Theory of operation.

`run_private(function)` forks twice. The first child unshares the namespaces, the second is pid 1 of
the new pid namespace: it mounts a fresh /proc and /sys, puts empty tmpfs over every directory a
plugin or a runtime writes to, and calls the function. When pid 1 ends the kernel kills whatever it
left running and drops every mount, link and rule: there is nothing to clean up, and the machine's
own network namespace is never touched.
"""

import ctypes
import json
import os
import pathlib
import pickle
import signal
import subprocess
import time
import traceback

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_RDONLY, MS_REMOUNT = 0x1000, 0x4000, 0x40000, 0x1, 0x20

STATE_DIRECTORIES = ("/run", "/var/lib", "/dev/shm")
BOOT_ID = "/proc/sys/kernel/random/boot_id"

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    """unshare(2) with the CLONE_* constants of this module."""
    _checked(_libc.unshare(flags), "unshare")


def set_netns(path):
    """Moves the calling thread into the network namespace at `path`."""
    with open(path, "rb") as opened:
        _checked(_libc.setns(opened.fileno(), CLONE_NEWNET), f"setns {path}")


def mount(source, target, kind, flags=0, options=""):
    """mount(2); `options` is the data string of the file system."""
    _checked(_libc.mount(source.encode(), str(target).encode(), kind.encode(), flags,
                         options.encode()), f"mount {target}")


def unmount(target):
    """umount2(2), lazy."""
    _checked(_libc.umount2(str(target).encode(), 2), f"umount {target}")


def run_private(function, timeout=120):
    """Calls `function()` as pid 1 of a private host and returns what it returned.

    Raises RuntimeError with the traceback's text if it raised or did not end in `timeout` s.
    """
    reader, writer = os.pipe()
    outer = os.fork()
    if outer == 0:
        os.close(reader)
        os.setpgid(0, 0)
        try:
            unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET)
            inner = os.fork()
            if inner == 0:
                _be_pid_one(function, writer)
            os.close(writer)
            os.waitpid(inner, 0)
        finally:
            os._exit(0)
    os.close(writer)
    return _collect(outer, reader, timeout)


def _be_pid_one(function, writer):
    reply = (False, "the private host ended without an answer")
    try:
        _furnish()
        reply = (True, function())
    except BaseException as error:  # the parent is the one to judge it
        reply = (False, (type(error).__name__, str(error), traceback.format_exc()))
    finally:
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(reply, pipe)
        os._exit(0)


def _furnish():
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    for directory in STATE_DIRECTORIES:
        mount("tmpfs", directory, "tmpfs")
    for directory in ("/run/netns", "/run/lock", "/run/test"):
        os.makedirs(directory)
    # Link-local addresses of host links are usable at once: nothing in a snapshot changes by itself.
    for scope in ("all", "default"):
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad").write_text("0")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.chdir("/")


class PrivateFailure(Exception):
    """What a private host's function raised: `.kind`, the text, `.trace`."""

    def __init__(self, kind, text, trace):
        super().__init__(text)
        self.kind, self.trace = kind, trace


def _collect(child, reader, timeout):
    import select
    poller = select.poll()
    poller.register(reader, select.POLLIN | select.POLLHUP)
    data, deadline = b"", time.monotonic() + timeout
    timed_out = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            timed_out = True
            os.killpg(child, signal.SIGKILL)
            break
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            break
        data += chunk
    os.close(reader)
    os.waitpid(child, 0)
    if timed_out:
        raise PrivateFailure("Timeout", f"not done after {timeout} s", "")
    good, value = pickle.loads(data) if data else (False, ("Lost", "no answer", ""))
    if not good:
        raise PrivateFailure(*value) if isinstance(value, tuple) else RuntimeError(value)
    return value


def wait_until(condition, seconds=30.0, what="condition"):
    """Polls `condition()` until it is truthy and returns its value; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.005)


class Netns:
    """A network namespace bound to /run/netns/NAME, standing in for a container or an outside host."""

    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, check=True, **options):
        """Runs a command with this netns as its own; returns the CompletedProcess with text output."""
        full = ["nsenter", f"--net={self.path}", *command]
        done = subprocess.run(full, capture_output=True, text=True, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} in {self.name}: {done.stderr or done.stdout}")
        return done

    def ip(self, *arguments):
        """`ip -j ARGUMENTS` in this netns, parsed; [] if it printed nothing."""
        return ip(*arguments, netns=self)

    def link(self, name="eth0"):
        """The link's `ip -j -d link` object, or None."""
        return find_link(name, netns=self)

    def addresses(self, name="eth0", scope="global"):
        """Addresses of a link as sorted `ADDRESS/PREFIX` texts."""
        return addresses(name, scope, netns=self)

    def routes(self, *selector, family=4):
        """Routes (main table unless selected) as `ip -j route` objects."""
        return self.ip(f"-{family}", "route", "show", *selector)

    def ping(self, destination, count=1):
        """True if the destination answers within a deadline."""
        done = self.run("ping", "-n", "-q", "-i", "0.2", "-c", str(count), "-W", "5", destination,
                        check=False)
        return done.returncode == 0

    def sysctl(self, name):
        """Text of /proc/sys/NAME as seen in this netns."""
        return self.run("cat", f"/proc/sys/{name}").stdout.strip()

    def delete(self):
        """Unbinds the namespace: with no process in it, it is gone, as a crashed container's is."""
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def ip(*arguments, netns=None):
    """`ip -j ARGUMENTS`, parsed; in the host's netns unless one is given."""
    command = ["ip", "-j", *arguments]
    if netns:
        command = ["ip", "-n", netns.name, "-j", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 and "does not exist" not in done.stderr:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else []


def find_link(name, netns=None):
    """The link's `ip -j -d link` object, or None."""
    found = [link for link in ip("-d", "link", "show", netns=netns) if link.get("ifname") == name]
    return found[0] if found else None


def addresses(name, scope="global", netns=None):
    """Addresses of a link as sorted `ADDRESS/PREFIX` texts; scope None for all."""
    found = []
    for link in ip("addr", "show", netns=netns):
        if link.get("ifname") == name:
            found += [f"{info['local']}/{info['prefixlen']}" for info in link["addr_info"]
                      if scope is None or info["scope"] == scope]
    return sorted(found)


def nft_rules():
    """Every rule, map element and set element of the ruleset as parsed `nft -j` objects."""
    done = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)["nftables"]


def bind_over(path, text):
    """Bind-mounts a file with `text` over `path` (used to pretend another boot id)."""
    replacement = pathlib.Path("/run/test") / (path.strip("/").replace("/", "_"))
    if replacement.exists():
        unmount(path)
    replacement.write_text(text)
    mount(str(replacement), path, "none", MS_BIND)


def pretend_reboot(identifier):
    """Changes the boot id that processes of this host see."""
    bind_over(BOOT_ID, f"{identifier}\n")


def mount_small(path, size):
    """Puts a tmpfs of `size` (as mount's size= option) on `path`."""
    os.makedirs(path, exist_ok=True)
    mount("tmpfs", path, "tmpfs", 0, f"size={size}")


def remount_read_only(path):
    """Makes the mount at `path` read-only."""
    mount("none", path, "none", MS_REMOUNT | MS_RDONLY)
