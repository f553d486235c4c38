#!/usr/bin/env python3
# fault_proxy.py LISTEN FORWARD FAULT: stands between dockerd and the plugin socket FORWARD, and fails one call.
"""FAULT is a file with "METHOD MODE [N]": the N-th call of that method from then on (default: the first) is hit, and
the file is renamed to FAULT.hit. Modes:

refuse  answered with an error, and not passed on
deny    passed on, and answered with an error
cut     passed on, and the connection closed without an answer: dockerd repeats the call"""

import http.client
import http.server
import os
import pathlib
import socket
import socketserver
import sys
import threading

LISTEN, FORWARD, FAULT = sys.argv[1:4]
LOCK = threading.Lock()


def take_fault(method):
    """The mode in which this call is to fail; "" if it is not."""
    with LOCK:
        try:
            words = pathlib.Path(FAULT).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return ""
        if words[:1] != [method]:
            return ""
        left = int(words[2]) if len(words) > 2 else 1
        if left > 1:
            pathlib.Path(FAULT).write_text(f"{method} {words[1]} {left - 1}\n", encoding="utf-8")
            return ""
        os.rename(FAULT, f"{FAULT}.hit")
        return words[1]


class Plugin(http.client.HTTPConnection):
    """HTTP on the plugin's own socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(FORWARD)


def forward(path, body):
    """The status and the body of the plugin's answer."""
    plugin = Plugin("plugin", timeout=60)
    try:
        plugin.request("POST", path, body)
        answer = plugin.getresponse()
        return answer.status, answer.read()
    finally:
        plugin.close()


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of dockerd's."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        """Passes a call on, or fails it."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = take_fault(self.path.lstrip("/"))
        status, content = 500, b'{"Err":"injected","Error":"injected"}'
        if mode != "refuse":
            answer = forward(self.path, body)
            if mode == "cut":
                self.close_connection = True
                return
            status, content = (status, content) if mode == "deny" else answer
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Says nothing: cnmd and dockerd keep logs of their own."""


class Server(socketserver.ThreadingUnixStreamServer):
    """A thread for each connection."""

    daemon_threads = True


if __name__ == "__main__":
    pathlib.Path(LISTEN).unlink(missing_ok=True)
    Server(LISTEN, Handler).serve_forever()
