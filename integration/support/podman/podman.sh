#!/bin/bash
# podman.sh ARGS...: podman on the CNI backend and the plugins of /opt/cni/bin, inside sandbox.sh; the first call loads
# the image localhost/cnm-test:1. Example: podman.sh run --rm localhost/cnm-test:1 ip addr
set -eu
HERE=$(dirname "$(readlink -f "$0")")
[ -d /run/e2e ] || { echo "podman.sh: run me inside sandbox.sh" >&2; exit 1; }
exec 3>&- 4>&-  # bats' pipes: a container that outlives its test would keep them open, and bats waiting
export CONTAINERS_CONF=${CONTAINERS_CONF:-$HERE/containers.conf} CONTAINERS_STORAGE_CONF=$HERE/storage.conf
if [ ! -e /run/e2e/podman/loaded ]; then
  mkdir -p /run/e2e/podman
  "$HERE/../image.py" /run/e2e/image.tar
  /usr/bin/podman load --quiet --signature-policy "$HERE/policy.json" --input /run/e2e/image.tar > /run/e2e/podman/loaded
fi
command=$1
shift
case $command in
  # Containers of one cgroup tree, so that sandbox.sh can remove it.
  run | create) exec /usr/bin/podman "$command" --cgroup-parent /cnm-e2e --pull never "$@" ;;
  *) exec /usr/bin/podman "$command" "$@" ;;
esac
