#!/bin/bash
# sandbox.sh COMMAND...: runs COMMAND as root on a machine of its own: new network, mount, PID, IPC and UTS namespaces.
#
# It sees only a loopback link, and empty /run, /dev/shm, /etc/cni, /opt/cni, /var/lib/cni, /var/lib/cnm and
# /var/lib/containers. /opt/cni/bin is filled by plugin_dir.sh from $CNM_PLUGINS (default: Debian's /usr/lib/cni).
# When COMMAND ends, the kernel kills what it left running and all it wrote there is gone. Exit status: COMMAND's.
set -eu
readonly DIRS="/dev/shm /etc/cni /opt/cni /var/lib/cni /var/lib/cnm /var/lib/containers"
HERE=$(dirname "$(readlink -f "$0")")

if [ "${1:-}" != --inside ]; then
  [ $# -gt 0 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
  [ "$(id -u)" = 0 ] || { echo "sandbox.sh: needs root" >&2; exit 1; }
  CNM_PLUGINS=$(realpath "${CNM_PLUGINS:-/usr/lib/cni}")
  export CNM_PLUGINS
  exec 9< "$0"
  flock --shared 9  # several may run; who finds that no other does, cleans up
  # Mount points have to exist; those made here are removed again when nothing else came to use them.
  made=""
  for dir in $DIRS; do [ -d "$dir" ] || { mkdir -p "$dir"; made="$dir $made"; }; done
  status=0
  env -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY -u all_proxy -u ALL_PROXY \
    unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private \
    "$0" --inside "$@" 9<&- || status=$?
  flock --exclusive --nonblock 9 || exit $status
  # shellcheck disable=SC2086
  [ -z "$made" ] || rmdir --ignore-fail-on-non-empty $made 2> /dev/null || true
  # Killed containers leave empty cgroups behind; the runtimes' configurations here put them all under cnm-e2e.
  find /sys/fs/cgroup -depth -type d -path '*/cnm-e2e*' -exec rmdir {} + 2> /dev/null || true
  exit $status
fi

shift
plugins=$(mktemp -d /tmp/plugins.XXXXXX)  # $CNM_PLUGINS may be below a directory that is about to be covered
mount -t tmpfs tmpfs "$plugins"
"$HERE/plugin_dir.sh" "$CNM_PLUGINS" "$plugins"
for dir in $DIRS; do mount -t tmpfs tmpfs "$dir"; done
mkdir -p /opt/cni/bin /etc/cni/net.d
mount --move "$plugins" /opt/cni/bin
rmdir "$plugins"
# sysfs shows the network namespace it was mounted in; the cgroup mounts below it have to be carried over.
cgroups=$(mktemp -d /dev/shm/cgroup.XXXXXX)
mount --rbind /sys/fs/cgroup "$cgroups"
mount -t sysfs sysfs /sys
mount --rbind "$cgroups" /sys/fs/cgroup
umount -l "$cgroups"
rmdir "$cgroups"
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock /run/e2e /run/tmp
export TMPDIR=/run/tmp
hostname sandbox
ip link set lo up
status=0
"$@" || status=$?  # not exec: this shell is PID 1 and reaps what COMMAND leaves
exit $status
