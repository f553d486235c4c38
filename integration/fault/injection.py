# strace's fault injection: which points a plugin call has, and running the call with one of them hit.
"""A point is (syscall, k): the k-th call of that syscall by a process. strace counts per syscall and per
process, so every line of a reference trace is one point. strace runs detached (-D): the plugin stays
a direct child, as it is of a runtime."""

import dataclasses
import json
import os
import re
import subprocess

LINE = re.compile(r"^(\d+) +([a-z_0-9]+)\((.*)")
FILE_CALLS = {
    "open", "openat", "openat2", "creat", "read", "pread64", "write", "writev", "pwrite64", "pwritev",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "symlink", "symlinkat", "link", "linkat",
    "mkdir", "mkdirat", "rmdir", "fsync", "fdatasync", "ftruncate", "fallocate", "getdents64", "readlink",
    "readlinkat", "flock", "fchmod", "fchmodat", "chmod", "statfs", "fstatfs"}
FULL_CALLS = {"open", "openat", "creat", "write", "writev", "pwrite64", "pwritev", "rename", "renameat",
              "renameat2", "symlink", "symlinkat", "link", "linkat", "mkdir", "mkdirat", "ftruncate",
              "fallocate", "fsync"}
SENDS = {"sendmsg", "sendto", "sendmmsg"}
RECEIVES = {"recvmsg", "recvfrom"}
NEVER = {"execve", "exit", "exit_group_done"}


@dataclasses.dataclass(frozen=True)
class Point:
    """The k-th call of a syscall, what is done to it ("signal=KILL", "error=EIO"), and its traced text."""

    syscall: str
    count: int
    action: str
    text: str

    def __str__(self):
        return f"{self.action} at {self.syscall} #{self.count}: {self.text}"


@dataclasses.dataclass
class Call:
    """One plugin call: program, verb's environment, bytes for stdin."""

    program: str
    environment: dict
    body: bytes


def run(call, point=None, trace=None):
    """Runs a call, hit at `point` if given; returns the exit code (negative: signal) once strace is done."""
    options = []
    if point:
        options = ["-e", f"trace={point.syscall}",
                   "-e", f"inject={point.syscall}:{point.action}:when={point.count}"]
    command = [call.program]
    done_read, done_write = os.pipe()
    if point or trace:
        output = trace or "/dev/null"
        command = ["strace", "-D", "-f", "-qq", "-yy", "-s", "48", "-o", output, *options, call.program]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=call.environment, pass_fds=(done_write,))
    os.close(done_write)
    try:
        process.communicate(call.body, timeout=60)
    finally:
        os.read(done_read, 1)  # end of file: the tracer and every child have gone
        os.close(done_read)
    return process.returncode


def trace(call, path):
    """Runs a call undisturbed; returns its points as (syscall, k, text), in order."""
    code = run(call, trace=path)
    assert code == 0, f"the undisturbed call failed: {code}: {open(path, encoding='utf-8').read()[-2000:]}"
    return read_trace(path)


def read_trace(path):
    """The points of a trace that strace wrote: (syscall, k, text), in order."""
    counts, points, seen = {}, [], set()
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = LINE.match(line)
            if not match or match[2] in NEVER:
                continue
            process, name, text = match.groups()
            counts[process, name] = counts.get((process, name), 0) + 1
            key = (name, counts[process, name])
            if key not in seen:
                seen.add(key)
                points.append((*key, text.rstrip()[:240]))
    return points


def kills(points):
    """SIGKILL at the entry of every call."""
    return [Point(name, count, "signal=KILL", text) for name, count, text in points]


def netlink_failures(points):
    """Every netlink send fails with ENOBUFS and with EPERM; every receive with ENOBUFS."""
    made = []
    for name, count, text in points:
        if "NETLINK" not in text.split(",")[0]:
            continue
        if name in SENDS:
            made += [Point(name, count, f"error={error}", text) for error in ("ENOBUFS", "EPERM")]
        elif name in RECEIVES:
            made.append(Point(name, count, "error=ENOBUFS", text))
    return made


def file_failures(points):
    """Every file operation fails with EIO, those that need room also with ENOSPC."""
    made = []
    for name, count, text in points:
        if name not in FILE_CALLS or "NETLINK" in text.split(",")[0]:
            continue
        made.append(Point(name, count, "error=EIO", text))
        if name in FULL_CALLS:
            made.append(Point(name, count, "error=ENOSPC", text))
    return made


def encode(config):
    """Configuration as the bytes of stdin."""
    return json.dumps(config).encode()
