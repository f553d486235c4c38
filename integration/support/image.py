#!/usr/bin/python3
# image.py OUT.tar: builds the container image localhost/cnm-test:1 from Debian's busybox-static, offline and reproducibly.
#
# The archive is in docker-archive form, which `podman load` and `ctr image import` both read. It holds every busybox
# applet (ping, ip, wget, httpd ...) and /www/index.html; its command sleeps, so it serves as a pod's pause image too.
import hashlib
import io
import json
import subprocess
import sys
import tarfile

BUSYBOX = '/bin/busybox'
NAME = 'localhost/cnm-test:1'


def add(tar, name, data=None, mode=0o755, link=None):
    """Adds a directory (no data), a symbolic link or a file, owned by root and of no time."""
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if link:
        entry.type, entry.linkname = tarfile.SYMTYPE, link
    elif data is None:
        entry.type = tarfile.DIRTYPE
    else:
        entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data) if data is not None else None)


def archive(fill):
    """Returns the bytes of a tar that `fill` was let add to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        fill(tar)
    return buffer.getvalue()


def fill_root(tar):
    for directory in ('bin', 'dev', 'etc', 'proc', 'root', 'sys', 'www'):
        add(tar, directory)
    add(tar, 'tmp', mode=0o1777)
    with open(BUSYBOX, 'rb') as busybox:
        add(tar, 'bin/busybox', busybox.read())
    for applet in subprocess.check_output([BUSYBOX, '--list'], text=True).split():
        if applet != 'busybox':
            add(tar, 'bin/' + applet, link='busybox')
    add(tar, 'etc/passwd', b'root:x:0:0:root:/root:/bin/sh\n', 0o644)
    add(tar, 'www/index.html', b'hello from the container\n', 0o644)


def main(out):
    layer = archive(fill_root)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        'architecture': subprocess.check_output(['dpkg', '--print-architecture'], text=True).strip(),
        'os': 'linux',
        'config': {'Cmd': ['/bin/sleep', 'infinity'], 'Env': ['PATH=/bin']},
        'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + digest]},
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + '.json'
    manifest = [{'Config': config_name, 'RepoTags': [NAME], 'Layers': [digest + '.tar']}]
    with tarfile.open(out, 'w') as tar:
        add(tar, digest + '.tar', layer, 0o644)
        add(tar, config_name, config, 0o644)
        add(tar, 'manifest.json', json.dumps(manifest).encode(), 0o644)


if len(sys.argv) != 2:
    sys.exit('usage: image.py OUT.tar')
main(sys.argv[1])
