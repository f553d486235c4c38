# Real traffic between network namespaces: servers that say who they are and whom they saw, and clients.
"""A server answers every TCP connection and UDP datagram with `NAME PORT SOURCE`: who answered, on which
of its ports, and the client's address as it came in. `arrivals` keeps all it ever saw, also what was
never answered. Sockets belong to the netns they were opened in, so nothing needs a process of its own."""

import contextlib
import errno
import selectors
import socket
import struct
import threading

from private_host import set_netns

ANY = {4: "0.0.0.0", 6: "::"}
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
PATIENCE = 20.0  # seconds a client waits for an answer that should come
SCTP_PROTOCOL = 132


def family_of(address):
    """4 or 6."""
    return 6 if ":" in address else 4


@contextlib.contextmanager
def inside(netns):
    """The calling thread is in `netns` (a Netns; None = stay) for a while."""
    if netns is None:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as home:
        set_netns(netns.path)
        try:
            yield
        finally:
            set_netns(f"/proc/self/fd/{home.fileno()}")


def open_socket(netns, family, kind):
    """A socket of that netns; `kind` "tcp" or "udp"."""
    with inside(netns):
        opened = socket.socket(FAMILIES[family], KINDS[kind])
    if family == 6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return opened


class Server:
    """Answers on ports of every address of `netns` (None = the host), both families, TCP and UDP."""

    def __init__(self, netns, name, *ports, kinds=("tcp", "udp"), address=None):
        self.name, self.arrivals = name, []
        self._selector = selectors.DefaultSelector()
        for port in ports:
            for family in (4, 6) if address is None else (family_of(address),):
                for kind in kinds:
                    self._listen(netns, family, kind, (address or ANY[family], port))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Answers no more; its netns may go."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            key.fileobj.close()

    def _listen(self, netns, family, kind, address):
        server = open_socket(netns, family, kind)
        server.bind(address)
        if kind == "tcp":
            server.listen(16)
        self._selector.register(server, selectors.EVENT_READ, (kind, address[1]))

    def _serve(self):
        while True:
            for key, _ in self._selector.select():
                try:
                    self._answer(key.fileobj, *key.data)
                except OSError:
                    pass  # the client has gone, or so has its network

    def _answer(self, server, kind, port):
        if kind == "tcp":
            connection, peer = server.accept()
            with connection:
                connection.sendall(self._words(kind, port, peer[0]))
            return
        _, peer = server.recvfrom(2048)
        server.sendto(self._words(kind, port, peer[0]), peer)

    def _words(self, kind, port, source):
        self.arrivals.append((kind, port, source))
        return f"{self.name} {port} {source}".encode()


class Answer(str):
    """`NAME PORT SOURCE`, or "" for none."""

    @property
    def name(self):
        """Who answered; "" = nobody."""
        return self.partition(" ")[0]

    @property
    def port(self):
        """On which port."""
        return int(self.split()[1])

    @property
    def source(self):
        """The address the server saw."""
        return self.split()[2]


def ask(netns, address, port, kind="tcp", patience=PATIENCE):
    """What a client in `netns` (None = the host) hears from that address and port."""
    with open_socket(netns, family_of(address), kind) as client:
        client.settimeout(patience)
        try:
            client.connect((address, port))
            if kind == "udp":
                client.send(b"?")
            return Answer(client.recv(2048).decode())
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EINVAL):
                raise
            return Answer()


class UdpClient:
    """One UDP flow: always the same source port, so that conntrack knows it again."""

    def __init__(self, netns, address, port, source_port):
        self.to = (address, port)
        self._socket = open_socket(netns, family_of(address), "udp")
        self._socket.bind((ANY[family_of(address)], source_port))

    def say(self, patience=PATIENCE):
        """Sends one datagram; who answered, as an Answer."""
        self._socket.settimeout(patience)
        self._socket.sendto(b"?", self.to)
        try:
            return Answer(self._socket.recv(2048).decode())
        except OSError:  # refused or nobody
            return Answer()


def crc32c(data):
    """SCTP's checksum (RFC 9260 appendix A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sctp_init(source_port, port):
    """An SCTP packet with an INIT chunk (RFC 9260 3.3.2)."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x1234, 65536, 1, 1, 1)
    ports = struct.pack("!HHI", source_port, port, 0)  # and the verification tag, 0 in an INIT
    return ports + struct.pack("<I", crc32c(ports + b"\0\0\0\0" + chunk)) + chunk


def raw_sctp(netns):
    """A raw socket for SCTP over IPv4: this kernel may have no SCTP of its own."""
    with inside(netns):
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, SCTP_PROTOCOL)


def sctp_arrives(server_netns, client_netns, address, port, container_port, patience=PATIENCE):
    """True if an INIT to that address and port comes to `container_port` in the server's netns."""
    with raw_sctp(server_netns) as server, raw_sctp(client_netns) as client:
        server.settimeout(patience)
        client.sendto(sctp_init(40000, port), (address, 0))
        try:
            packet = server.recv(2048)
        except TimeoutError:
            return False
        return struct.unpack_from("!H", packet, (packet[0] & 15) * 4 + 2)[0] == container_port
