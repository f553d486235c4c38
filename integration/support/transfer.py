# How fast bytes pass between a container and its host, by TCP.
"""Times are taken where the bytes arrive."""

import os
import socket
import struct
import threading
import time

from private_host import set_netns

PORT = 7000
# Of a full packet's 1514 bytes, which a queue counts, TCP's timestamps leave 1448 to the payload.
PAYLOAD = 1448 / 1514


def _take(connection, count, skip, began):
    """Reads `count` bytes and says so; returns the seconds since `began` and for those behind `skip`."""
    passed = time.monotonic()
    left = count
    while left > 0:
        got = len(connection.recv(min(left, 1 << 16)))
        assert got, f"{left} of {count} bytes did not come"
        left -= got
        if count - left <= skip:
            passed = time.monotonic()
    ended = time.monotonic()
    connection.sendall(b"x")
    return ended - began, ended - passed


def _give(connection, count):
    """Sends `count` bytes and waits until they were read."""
    block = bytes(1 << 16)
    while count > 0:
        connection.sendall(block[:count])
        count -= len(block)
    connection.recv(1)


class _Server:
    """Accepts one connection on the host; `times` is what _take returned, if the host is the taker."""

    def __init__(self, address, count, skip, takes):
        self.times, self.began = None, time.monotonic()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listening = socket.socket(family)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listening.bind((address, PORT))
        self.listening.listen()
        self.thread = threading.Thread(target=self._serve, args=(count, skip, takes))
        self.thread.start()

    def _serve(self, count, skip, takes):
        self.listening.settimeout(60)
        connection, _ = self.listening.accept()
        with connection:
            if takes:
                self.times = _take(connection, count, skip, self.began)
            else:
                _give(connection, count)

    def finish(self):
        self.thread.join(120)
        self.listening.close()


def _be_the_container(server, count, skip, takes, netns, writer):
    """The child's part of it; does not return."""
    began = time.monotonic()
    try:
        set_netns(netns.path)
        with socket.create_connection((server, PORT), timeout=60) as connection:
            if takes:
                os.write(writer, struct.pack("dd", *_take(connection, count, skip, began)))
            else:
                _give(connection, count)
    finally:
        os._exit(0)


def carry(count, direction, netns, address, skip=0):
    """Carries `count` bytes between a container's `netns` and an `address` of the host, "in" or "out" as
    the container sees it. Returns the seconds for all of them, from before they connect, so that who is late does not look fast,
    and for those behind the first `skip`."""
    server = _Server(address, count, skip, takes=direction == "out")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_container(address, count, skip, direction == "in", netns, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    server.finish()
    times = struct.unpack("dd", data) if data else server.times
    assert times, f"nothing passed between {netns.name} and {address}"
    return times


def goodput(rate, burst, direction, netns, address, seconds=2.0):
    """Bits a second on the wire that pass under a limit of `rate` bits/s and `burst` bits: of a transfer
    that takes `seconds` after twice the burst has passed."""
    skip = burst * 2 // 8
    count = skip + int(rate / 8 * seconds)
    _, behind = carry(count, direction, netns, address, skip)
    return (count - skip) * 8 / behind / PAYLOAD
