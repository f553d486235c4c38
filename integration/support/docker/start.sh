#!/bin/bash
# start.sh: starts dockerd in the background, inside sandbox.sh, and returns when it answers. Nothing of docker's is used
# but that it is there: its chains, and the DROP policy it gives FORWARD. Log: /run/e2e/docker/log.
# It keeps to itself: its own containerd, no group, addresses of its own.
set -eu
readonly RUN=/run/e2e/docker SOCKET=unix:///run/docker.sock
[ -d /run/e2e ] || { echo "start.sh: run me inside sandbox.sh" >&2; exit 1; }
mkdir -p $RUN /run/tmp
echo '{}' > $RUN/daemon.json
setsid dockerd --host $SOCKET --data-root $RUN/data --exec-root $RUN/exec --pidfile $RUN/pid --config-file $RUN/daemon.json \
  --storage-driver overlay2 --oom-score-adjust 0 --bip 172.30.0.1/24 "$@" < /dev/null > $RUN/log 2>&1 3>&- 4>&- &
deadline=$((SECONDS + 60))
until docker --host $SOCKET version > /dev/null 2>&1; do
  [ $SECONDS -lt $deadline ] || { tail -20 $RUN/log >&2; exit 1; }
done
