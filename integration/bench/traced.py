# What one plugin call did, read from an strace with the sent bytes dumped.
import os
import pathlib
import re
import struct
import subprocess

STARTERS = ("execve", "execveat", "clone", "clone3", "fork", "vfork")
NLM_F_DUMP, RTM_GETADDR = 0x300, 22
NFT_MSG_GETRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN = 0x0a07, 1, 2
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")
DUMPED = re.compile(r"^ \| [0-9a-f]{5,}  ([0-9a-f ]{49})")


class Trace:
    """An strace of one plugin call, its sent bytes dumped (`-e write=all`)."""

    def __init__(self, text):
        self.names = []  # syscalls in order
        self.sends = []  # (fd, protocol, bytes) of each
        self.protocol, self.strict = {}, set()
        for line in text.splitlines():
            called, dumped = CALL.match(line), DUMPED.match(line)
            if called:
                self.names.append(called[1])
                self.note(called[1], line)
            elif dumped and self.names[-1] in ("sendto", "sendmsg"):
                self.sends[-1][2].extend(bytes.fromhex(dumped[1]))

    def note(self, name, line):
        """Keeps what identifies netlink sockets, and where a send starts."""
        if name == "socket":
            opened = re.search(r"NETLINK_(\w+)\) += (\d+)", line)
            if opened:
                self.protocol[opened[2]] = opened[1]
        elif name == "setsockopt" and "NETLINK_GET_STRICT_CHK" in line:
            self.strict.add(re.search(r"\((\d+),", line)[1])
        elif name == "close":
            self.protocol.pop(re.search(r"\((\d+)", line)[1], None)
        elif name in ("sendto", "sendmsg"):
            descriptor = re.search(r"\((\d+),", line)[1]
            self.sends.append((descriptor, self.protocol.get(descriptor), bytearray()))

    def messages(self):
        """(fd, protocol, type, flags, payload) of each netlink message sent."""
        found = []
        for descriptor, protocol, data in self.sends:
            while protocol and len(data) >= 16:
                length, kind, flags = struct.unpack_from("=IHH", data)
                found.append((descriptor, protocol, kind, flags, bytes(data[16:length])))
                data = data[(length + 3) & ~3:]
        return found

    def unbounded_dumps(self):
        """Dump requests that are not confined to one link, or to the rules of one chain."""
        found = []
        for descriptor, protocol, kind, flags, payload in self.messages():
            # In requests that are not RTM_GET* the bits mean replace and exclusive.
            is_get = protocol != "ROUTE" or kind % 4 == 2
            if not is_get or flags & NLM_F_DUMP != NLM_F_DUMP:
                continue
            one_link = (protocol == "ROUTE" and kind == RTM_GETADDR and descriptor in self.strict
                        and struct.unpack_from("=I", payload, 4)[0] != 0)
            one_chain = (protocol == "NETFILTER" and kind == NFT_MSG_GETRULE
                         and {NFTA_RULE_TABLE, NFTA_RULE_CHAIN} <= attributes(payload[4:]))
            if not one_link and not one_chain:
                found.append(f"{protocol} type {kind}")
        return found


def attributes(data):
    """The types of the netlink attributes in `data`."""
    found = set()
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found.add(kind & 0x3fff)
        data = data[max(4, (length + 3) & ~3):]
    return found


def run(command, environment, stdin, path=None):
    """Runs a call that must succeed, traced into the file `path` if given: its output, its Trace."""
    strace = ["strace", "-f", "-e", "write=all", "-o", path] if path else []
    done = subprocess.run([*strace, *command], input=stdin, capture_output=True, text=True,
                          env=environment, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{environment['CNI_COMMAND']} failed: {done.stdout}{done.stderr}")
    return done.stdout, Trace(pathlib.Path(path).read_text()) if path else None
