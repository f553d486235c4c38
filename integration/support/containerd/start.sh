#!/bin/bash
# start.sh: starts containerd in the background, inside sandbox.sh, and returns when its CRI answers and has the image
# localhost/cnm-test:1. The conflist has to lie in /etc/cni/net.d before. Log: /run/e2e/containerd/log.
set -eu
HERE=$(dirname "$(readlink -f "$0")")
readonly RUN=/run/e2e/containerd
[ -d /run/e2e ] || { echo "start.sh: run me inside sandbox.sh" >&2; exit 1; }
mkdir -p $RUN
setsid containerd -c "$HERE/config.toml" < /dev/null > $RUN/log 2>&1 3>&- 4>&- &
"$HERE/../image.py" /run/e2e/image.tar
deadline=$((SECONDS + 60))
until "$HERE/cri.py" status > /dev/null 2>&1; do
  [ $SECONDS -lt $deadline ] || { tail -20 $RUN/log >&2; exit 1; }
done
ctr --namespace k8s.io image import /run/e2e/image.tar > /dev/null
