#!/usr/bin/python3
"""bad_http.py API DOCKER PID: does cnmd stand what no proper client sends?

API and DOCKER are its unix sockets, PID its process, which runs with request_seconds = 5 and connections = 64. Every case is
answered as it should be or closed, others are served meanwhile, and at the end the daemon is as it was. Prints what is not
so, and exits 1 if anything is.
"""
import itertools
import json
import os
import socket
import sys
import time

DEADLINE = 20
CONNECTIONS = 64
HOST = b'Host: cnm\r\n'
NOISE = bytes(range(256)) * 8

# Requests that are not HTTP, or not what we understand of it, and the status that says so.
MALFORMED = {
    'noise': (NOISE, 400),
    'a TLS hello': (bytes.fromhex('16030102000100') + NOISE, 400),
    'no target': (b'GET\r\n\r\n', 400),
    'no version': (b'GET /networks\r\n' + HOST + b'\r\n', 400),
    'a version to come': (b'GET /networks HTTP/9.9\r\n' + HOST + b'\r\n', 505),
    'HTTP/2': (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
    'no host': (b'GET /networks HTTP/1.1\r\n\r\n', 400),
    'two hosts': (b'GET /networks HTTP/1.1\r\n' + HOST * 2 + b'\r\n', 400),
    'a field without a colon': (b'GET /networks HTTP/1.1\r\n' + HOST + b'field\r\n\r\n', 400),
    'a field name with a blank': (b'GET /networks HTTP/1.1\r\n' + HOST + b'a b: c\r\n\r\n', 400),
    'a zero byte in a field': (b'GET /networks HTTP/1.1\r\n' + HOST + b'a: b\0c\r\n\r\n', 400),
    'a negative length': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: -1\r\n\r\n', 400),
    'a length that is none': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 1x\r\n\r\n', 400),
    'a length beyond numbers': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: ' + b'9' * 40 + b'\r\n\r\n', 400),
    'two lengths': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}', 400),
    'length and chunks': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n'
                          b'0\r\n\r\n', 400),
    'a chunk that is none': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: chunked\r\n\r\nxyz\r\n', 400),
    'a chunk that overflows': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: chunked\r\n\r\n'
                               b'fffffffffffffffff\r\n', 400),
    'another coding': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: gzip\r\n\r\n', 501),
    'an expectation': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Expect: tea\r\nContent-Length: 2\r\n\r\n', 417),
    'a long target': (b'GET /' + b'a' * 100_000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', 431),
    'many fields': (b'GET /networks HTTP/1.1\r\n' + HOST + b'a: b\r\n' * 20_000 + b'\r\n', 431),
    'a body that is announced too large': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 99999999\r\n\r\n', 413),
    'a body that is too large': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 5000000\r\n\r\n' + b' ' * 5_000_000,
                                 413),
    'chunks that are too many': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: chunked\r\n\r\n' +
                                 (b'fffff\r\n' + b' ' * 0xfffff + b'\r\n') * 6, 413),
    'a body cut short': (b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 10\r\n\r\n{', 400),
}

# Bodies that are no JSON object that anybody wants.
BODIES = {
    'nothing': b'', 'an array': b'[]', 'a number': b'5', 'a text': b'"x"', 'half': b'{"a":', 'two': b'{}{}',
    'invalid UTF-8': b'{"name":"\xff\xfe"}', 'a key of invalid UTF-8': b'{"\xc3\x28":1}', 'overlong UTF-8': b'{"name":"\xc0\xaf"}',
    'half a surrogate': b'{"name":"\\ud800"}', 'a zero byte': b'{"name":"a\x00b"}', 'deep arrays': b'[' * 100_000,
    'deep objects': b'{"a":' * 100_000, 'a number beyond numbers': b'{"name":' + b'9' * 10_000 + b'}', 'noise': NOISE,
    'UTF-16': '{"name":"x"}'.encode('utf-16'), 'a comment': b'{/**/}', 'NaN': b'{"name":NaN}',
}

DOCKER_METHODS = [f'/NetworkDriver.{method}' for method in (
    'CreateNetwork', 'DeleteNetwork', 'CreateEndpoint', 'DeleteEndpoint', 'EndpointOperInfo', 'Join', 'Leave',
    'ProgramExternalConnectivity', 'RevokeExternalConnectivity')] + [f'/IpamDriver.{method}' for method in (
        'RequestPool', 'ReleasePool', 'RequestAddress', 'ReleaseAddress')]
DOCKER_MEMBERS = ('NetworkID', 'EndpointID', 'SandboxKey', 'Options', 'Interface', 'IPv4Data', 'IPv6Data', 'AddressSpace', 'Pool',
                  'SubPool', 'V6', 'PoolID', 'Address')
WRONG = (5, -1, 1.5, True, [5], [[]], {'a': [{}]}, '\0', 'x' * 70_000)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(path)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough; its answer says why
        return self

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return self

    def receive(self):
        """All until it closes. Raises TimeoutError."""
        received = b''
        try:
            while data := self.socket.recv(65536):
                received += data
        except ConnectionResetError:
            pass
        self.socket.close()
        return received


def status_of(answer):
    return int(answer.split(b' ', 2)[1]) if answer.startswith(b'HTTP/1.') else 0


def post(path, target, body):
    """Status and body of the answer."""
    head = f'POST {target} HTTP/1.1\r\nHost: cnm\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n'
    answer = Client(path).send(head.encode() + body).receive()
    return status_of(answer), answer.partition(b'\r\n\r\n')[2]


def get(path, target=b'/networks'):
    return status_of(Client(path).send(b'GET ' + target + b' HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n').receive())


class Trial:
    def __init__(self, api, docker, pid):
        self.api, self.docker, self.pid, self.defects = api, docker, pid, []

    def expect(self, what, want, got):
        if got not in (want if isinstance(want, tuple) else (want,)):
            self.defects.append(f'{what}: want {want}, got {got!r}')

    def served(self, what):
        self.expect(f'others after {what}', 200, get(self.api))

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def malformed(self):
        for (what, (data, want)), path in itertools.product(MALFORMED.items(), (self.api, self.docker)):
            self.expect(f'{what} to {path}', want, status_of(Client(path).send(data).end().receive()))
        self.served('malformed requests')

    def targets(self):
        for target, want in ((b'/networks/\xff\xfe', 404), (b'/networks/%ff', 404), (b'/networks?name=%ff%fe', 200),
                             (b'/networks?name=\xc3\x28', (200, 400)), (b'/networks?name=%zz', (200, 400)),
                             (b'/networks?' + b'name=a&' * 2000, 200), (b'/../../etc/passwd', (301, 404)),
                             (b'/networks/%2e%2e/services', (301, 404)), (b'//networks', (301, 404)), (b'*', (301, 400, 404)),
                             (b'http://evil/networks', 200), (b'/networks/' + b'a' * 8000, 404)):
            self.expect(f'GET {target[:40]}', want, get(self.api, target))

    def bodies(self):
        for what, body in BODIES.items():
            for target in ('/networks', '/services', '/sandboxes', '/v1.19/networks'):
                status, text = post(self.api, target, body)
                self.expect(f'{what} to {target}', 400, status)
                try:
                    text.decode()
                except UnicodeDecodeError:
                    self.defects.append(f'{what} to {target}: answered with invalid UTF-8: {text[:80]!r}')
        self.served('bodies')

    def refused(self, what, status, text):
        """Docker's plugin protocol: a failure is {"Err": "why"}."""
        try:
            why = json.loads(text).get('Err')
        except (ValueError, AttributeError):
            why = None
        if status == 200 or not why:
            self.defects.append(f'{what}: want a refusal with Err, got {status} {text[:80]!r}')

    def docker_bodies(self):
        for method, (what, body) in itertools.product(DOCKER_METHODS, BODIES.items()):
            if (method, what) == ('/IpamDriver.RequestPool', 'nothing'):
                continue  # any pool will do
            self.refused(f'{what} to {method}', *post(self.docker, method, body))
        for method, member, value in itertools.product(DOCKER_METHODS, DOCKER_MEMBERS, WRONG):
            status, text = post(self.docker, method, json.dumps({member: value}).encode())
            if not isinstance(json.loads(text), dict) or (status != 200 and not json.loads(text)['Err']):
                self.defects.append(f'{member} {str(value)[:20]} to {method}: {status} {text[:80]!r}')
        self.served("Docker's bodies")

    def slow(self):
        half = [b'', b'G', b'GET /networks HTTP/1.1\r\nHost:', b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 9\r\n\r\n{']
        clients = [(data, Client(self.api).send(data)) for data in half * 10]
        self.served('half requests')
        for data, client in clients:
            if data:
                self.expect(f'half a request {data[:20]}', 408, status_of(client.receive()))
            else:
                client.socket.close()
        drip = Client(self.api)  # a byte now and then is no progress
        deadline = time.monotonic() + DEADLINE
        try:
            while time.monotonic() < deadline:
                drip.socket.send(b'G')
                drip.socket.settimeout(0.2)
                try:
                    self.expect('a dripping request', 408, status_of(drip.socket.recv(65536)))
                    break
                except TimeoutError:
                    continue
            else:
                self.defects.append('a dripping request is never ended')
        except (BrokenPipeError, ConnectionResetError):
            self.defects.append('a dripping request is not answered')

    def deaf(self):
        """Asks on and on and never reads an answer."""
        client = Client(self.api)
        client.socket.setblocking(False)
        try:
            for _ in range(100_000):
                client.socket.send(b'GET /networks HTTP/1.1\r\n' + HOST + b'\r\n')
        except (BlockingIOError, BrokenPipeError):
            pass
        self.served('one that does not read')
        client.socket.close()

    def many(self):
        clients = [Client(self.api) for _ in range(CONNECTIONS + 8)]
        self.expect('one too many', 503, status_of(clients[-1].receive()))
        self.expect('Docker meanwhile', 200, post(self.docker, '/Plugin.Activate', b'')[0])
        for client in clients:
            client.socket.close()
        deadline = time.monotonic() + DEADLINE
        while get(self.api) != 200 and time.monotonic() < deadline:
            pass
        self.served('too many')

    def cut(self):
        for size, _ in itertools.product((0, 1, 30, 100, 140), range(20)):
            client = Client(self.api)
            client.send((b'POST /networks HTTP/1.1\r\n' + HOST + b'Content-Length: 40\r\n\r\n{"name": "' + b'x' * 60)[:size])
            client.socket.close()
        self.served('clients that went away')

    def run(self):
        before = self.descriptors()
        for part in (self.malformed, self.targets, self.bodies, self.docker_bodies, self.slow, self.deaf, self.many, self.cut):
            try:
                part()
            except (OSError, ValueError) as error:
                self.defects.append(f'{part.__name__}: {error!r}')
        deadline = time.monotonic() + DEADLINE
        while self.descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        self.expect('more descriptors than before', 0, max(0, self.descriptors() - before))
        answer = Client(self.api).send(b'GET /networks HTTP/1.0\r\n\r\n').receive()
        self.expect('networks', b'[]\n', answer.partition(b'\r\n\r\n')[2])


def main():
    trial = Trial(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    trial.run()
    print('\n'.join(trial.defects) or 'all of it was stood')
    sys.exit(1 if trial.defects else 0)


main()
