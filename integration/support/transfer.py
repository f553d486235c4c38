# How fast bytes pass between a container and its host, by TCP.
"""Times are taken by the container's side, from the established connection to the last byte's receipt."""

import os
import socket
import struct
import threading
import time

from private_host import set_netns

PORT = 7000
# Of a full packet's 1514 bytes, which a queue counts, TCP's timestamps leave 1448 to the payload.
PAYLOAD = 1448 / 1514


def _serve(address, direction, count, ready):
    """Accepts one connection on the host, and takes ("out") or gives ("in") `count` bytes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, PORT))
        listening.listen()
        ready.set()
        connection, _ = listening.accept()
        with connection:
            (_take if direction == "out" else _give)(connection, count)


def _take(connection, count):
    """Reads `count` bytes and says so."""
    while count > 0:
        count -= len(connection.recv(min(count, 1 << 16)))
    connection.sendall(b"x")


def _give(connection, count):
    """Sends `count` bytes and waits until they were read."""
    block = bytes(1 << 16)
    while count > 0:
        connection.sendall(block[:count])
        count -= len(block)
    connection.recv(1)


def seconds_to_carry(count, direction, netns, server):
    """How long `count` bytes take between a container's `netns` and the address `server` of the host,
    "in" or "out" as the container sees it."""
    ready = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, direction, count, ready))
    thread.start()
    assert ready.wait(5), f"nobody listens at {server}"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_container(count, direction, netns, server, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    thread.join(10)
    assert data, f"no connection to {server}"
    return struct.unpack("d", data)[0]


def _be_the_container(count, direction, netns, server, writer):
    """The child's part of it; does not return."""
    try:
        set_netns(netns.path)
        with socket.create_connection((server, PORT), timeout=60) as connection:
            started = time.monotonic()
            (_give if direction == "out" else _take)(connection, count)
            os.write(writer, struct.pack("d", time.monotonic() - started))
    finally:
        os._exit(0)


def goodput(rate, direction, netns, server, seconds=1.0):
    """Bits a second on the wire that pass under a limit of `rate` bits/s once the burst is used up: what
    lies between a short and a three times longer transfer."""
    short, long = (int(rate / 8 * seconds * times) for times in (1, 3))
    between = (seconds_to_carry(long, direction, netns, server)
               - seconds_to_carry(short, direction, netns, server))
    return (long - short) * 8 / between / PAYLOAD
