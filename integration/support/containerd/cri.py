#!/usr/bin/python3
"""A small client of the container runtime interface (CRI v1): what kubelet would ask of containerd.

cri.py status                  the runtime's conditions, one a line: NAME true|false [reason]
cri.py run-pod NAME [WHAT..]   RunPodSandbox; prints the pod's id. WHAT: a published port, HOST:CONTAINER[/PROTOCOL][@IP],
                               or an annotation, KEY=VALUE
cri.py pod-addresses POD       the addresses in PodSandboxStatus, one a line
cri.py run POD IMAGE COMMAND.. CreateContainer and StartContainer; prints the container's id
cri.py exec CONTAINER COMMAND. ExecSync; output and exit status are the command's
cri.py stop-pod POD            StopPodSandbox (a CNI DEL with the netns there)
cri.py remove-pod POD          RemovePodSandbox (a second CNI DEL, with CNI_NETNS="")

Debian has no generated CRI stubs, so the few messages are coded here by field number
(k8s.io/cri-api/pkg/apis/runtime/v1/api.proto).
"""
import sys

import grpc

SOCKET = 'unix:///run/containerd/containerd.sock'
TIMEOUT_S = 60
CGROUP = '/cnm-e2e'
PROTOCOLS = ('tcp', 'udp', 'sctp')  # enum Protocol


def encode_varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(*fields):
    """A protobuf message of (number, value) pairs; value: int, str, or bytes (a message already encoded)."""
    out = b''
    for number, value in fields:
        if isinstance(value, int):
            out += encode_varint(number << 3) + encode_varint(value)
            continue
        data = value.encode() if isinstance(value, str) else value
        out += encode_varint(number << 3 | 2) + encode_varint(len(data)) + data
    return out


def decode_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def decode(data):
    """A protobuf message as {field number: [int or bytes, ...]}."""
    fields, at = {}, 0
    while at < len(data):
        key, at = decode_varint(data, at)
        if key & 7 == 0:
            value, at = decode_varint(data, at)
        else:
            length, at = {1: (8, at), 5: (4, at)}.get(key & 7) or decode_varint(data, at)
            value, at = data[at:at + length], at + length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def call(channel, method, *fields):
    rpc = channel.unary_unary('/runtime.v1.RuntimeService/' + method)
    return decode(rpc(encode(*fields), timeout=TIMEOUT_S))


def text(fields, number):
    return fields.get(number, [b''])[0].decode()


def port_mapping(text):
    """HOST:CONTAINER[/PROTOCOL][@IP] as a PortMapping."""
    text, _, address = text.partition('@')
    text, _, protocol = text.partition('/')
    host, container = map(int, text.split(':'))
    return encode((1, PROTOCOLS.index(protocol or 'tcp')), (2, container), (3, host), (4, address))


def pod_config(name, *options):
    metadata = encode((1, name), (2, 'uid-' + name), (3, 'default'))
    annotations = [encode((1, key), (2, value)) for key, _, value in
                   (option.partition('=') for option in options if '=' in option)]
    ports = [port_mapping(option) for option in options if '=' not in option]
    return encode((1, metadata), (2, name), (3, '/run/e2e/logs/' + name), *((5, port) for port in ports),
                  *((7, annotation) for annotation in annotations), (8, encode((1, CGROUP))))


def status(channel):
    for condition in map(decode, decode(call(channel, 'Status')[1][0])[1]):
        met = 'true' if condition.get(2, [0])[0] else 'false'
        print(text(condition, 1), met, text(condition, 3), text(condition, 4))


def run_pod(channel, name, *options):
    print(text(call(channel, 'RunPodSandbox', (1, pod_config(name, *options))), 1))


def pod_addresses(channel, pod):
    network = decode(decode(call(channel, 'PodSandboxStatus', (1, pod))[1][0])[5][0])
    print(text(network, 1))
    for more in network.get(2, []):
        print(text(decode(more), 1))


def run(channel, pod, image, *command):
    config = encode((1, encode((1, 'main'))), (2, encode((1, image))), *((3, word) for word in command),
                    (11, 'main.log'), (15, b''))
    container = text(call(channel, 'CreateContainer', (1, pod), (2, config), (3, pod_config(pod[:12]))), 1)
    call(channel, 'StartContainer', (1, container))
    print(container)


def exec_sync(channel, container, *command):
    reply = call(channel, 'ExecSync', (1, container), *((2, word) for word in command), (3, 30))
    sys.stdout.write(text(reply, 1))
    sys.stderr.write(text(reply, 2))
    sys.exit(reply.get(3, [0])[0])


def stop_pod(channel, pod):
    call(channel, 'StopPodSandbox', (1, pod))


def remove_pod(channel, pod):
    call(channel, 'RemovePodSandbox', (1, pod))


COMMANDS = {'status': status, 'run-pod': run_pod, 'pod-addresses': pod_addresses, 'run': run,
            'exec': exec_sync, 'stop-pod': stop_pod, 'remove-pod': remove_pod}


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(__doc__)
    with grpc.insecure_channel(SOCKET) as channel:
        try:
            COMMANDS[arguments[0]](channel, *arguments[1:])
        except grpc.RpcError as error:
            sys.exit(f'{error.code().name}: {error.details()}')


main(sys.argv[1:])
