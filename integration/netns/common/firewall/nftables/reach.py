# Who reaches whom: reach.py SECONDS tcp|udp serve PORT | ask ADDRESS PORT. The server says "listening", then the address of its first
# client, and ends after it or after SECONDS; the client sends one byte.
import socket
import sys


def serve(seconds, kind, port):
    with socket.socket(socket.AF_INET6, kind) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", port))
        server.settimeout(seconds)
        if kind == socket.SOCK_STREAM:
            server.listen()
        print("listening", flush=True)
        try:
            client = server.accept()[1] if kind == socket.SOCK_STREAM else server.recvfrom(1)[1]
        except TimeoutError:
            return
        print(client[0].removeprefix("::ffff:"), flush=True)


def ask(seconds, kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as client:
        client.settimeout(seconds)
        try:
            client.connect((address, port))
            client.send(b"x")
        except OSError:
            pass  # the server's silence tells


if __name__ == "__main__":
    PATIENCE = int(sys.argv[1])
    KIND = socket.SOCK_STREAM if sys.argv[2] == "tcp" else socket.SOCK_DGRAM
    if sys.argv[3] == "serve":
        serve(PATIENCE, KIND, int(sys.argv[4]))
    else:
        ask(PATIENCE, KIND, sys.argv[4], int(sys.argv[5]))
