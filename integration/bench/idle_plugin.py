#!/usr/bin/env python3
# idle_plugin.py: the floor of a network plugin of Docker: it answers at once, keeps nothing, and makes an endpoint's
# link with the one message that takes. What is left is dockerd's own work and the calls.
"""Run as a program, in the network namespace of dockerd: serves /run/docker/plugins/NAME.sock until it is killed.
Protocol: Docker's remote network and IPAM drivers. For one container at a time, on one network."""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

NAME = "idle"
SOCKET = pathlib.Path(f"/run/docker/plugins/{NAME}.sock")
SUBNET, GATEWAY, ADDRESS = "10.205.0.0/16", "10.205.0.1", "10.205.0.2/16"
BRIDGE, HOST_END, CONTAINER_END = "br-idle", "vidle0", "vidle1"

# linux/rtnetlink.h, linux/if_link.h
RTM_NEWLINK, RTM_DELLINK = 16, 17
REQUEST_ACK, EXCL_CREATE = 0x5, 0x600
IFF_UP = 1
IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 3, 10, 18, 1, 2, 1


def attribute(kind, payload):
    """A netlink attribute, padded."""
    return struct.pack("HH", len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


def link_head(ifindex=0, flags=0):
    """struct ifinfomsg; the flags are all that it changes."""
    return struct.pack("BBHiII", 0, 0, 0, ifindex, flags, flags)


def request(kind, flags, payload):
    """One message to the kernel and its answer. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        head = struct.pack("IHHII", 16 + len(payload), kind, flags | REQUEST_ACK, 1, 0)
        netlink.send(head + payload)
        error = -struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if error:
        raise OSError(error, os.strerror(error))


def make_link():
    """A veth pair: one end up in the bridge, the other for dockerd to move."""
    peer = link_head() + attribute(IFLA_IFNAME, CONTAINER_END.encode() + b"\0")
    veth = (attribute(IFLA_INFO_KIND, b"veth\0")
            + attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer)))
    bridge = struct.pack("I", socket.if_nametoindex(BRIDGE))
    request(RTM_NEWLINK, EXCL_CREATE, link_head(flags=IFF_UP)
            + attribute(IFLA_IFNAME, HOST_END.encode() + b"\0")
            + attribute(IFLA_MASTER, bridge) + attribute(IFLA_LINKINFO, veth))


def remove_link():
    """Whose removal the kernel finishes an RCU grace period later: nobody waits for that."""
    ifindex = socket.if_nametoindex(HOST_END)
    threading.Thread(target=request, args=(RTM_DELLINK, 0, link_head(ifindex))).start()


def answer(method, body):
    """What dockerd gets, a dict."""
    if method == "NetworkDriver.Join":
        make_link()
    elif method == "NetworkDriver.Leave":
        remove_link()
    gateway = b"com.docker.network.gateway" in body
    return {
        "Plugin.Activate": {"Implements": ["NetworkDriver", "IpamDriver"]},
        "NetworkDriver.GetCapabilities": {"Scope": "local"},
        "IpamDriver.GetDefaultAddressSpaces": {"LocalDefaultAddressSpace": NAME,
                                               "GlobalDefaultAddressSpace": NAME},
        "IpamDriver.RequestPool": {"PoolID": NAME, "Pool": SUBNET, "Data": {}},
        "IpamDriver.RequestAddress": {"Address": f"{GATEWAY}/16" if gateway else ADDRESS,
                                      "Data": {}},
        "NetworkDriver.CreateEndpoint": {"Interface": {"MacAddress": "02:00:00:00:00:02"}},
        "NetworkDriver.Join": {"InterfaceName": {"SrcName": CONTAINER_END, "DstPrefix": "eth"},
                               "Gateway": GATEWAY},
        "NetworkDriver.EndpointOperInfo": {"Value": {}},
    }.get(method, {})


def serve(client):
    """Requests of one connection, one after another."""
    stream = client.makefile("rwb")
    while line := stream.readline():
        size = 0
        while (field := stream.readline()) not in (b"\r\n", b""):
            if field.lower().startswith(b"content-length:"):
                size = int(field.split(b":")[1])
        text = json.dumps(answer(line.split()[1].decode().lstrip("/"), stream.read(size))).encode()
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.plugins.v1.2+json\r\n"
                     + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        stream.flush()


def main():
    """Serves until it is killed."""
    subprocess.run(["ip", "link", "add", BRIDGE, "up", "type", "bridge"], check=True)
    SOCKET.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(SOCKET))
        listener.listen()
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
