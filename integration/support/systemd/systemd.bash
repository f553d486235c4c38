# systemd.bash: a host that systemd has booted, for suites that run cnm's units (`load ../support/systemd/systemd`).
#
# systemd is process 1 of a PID namespace of its own, with its own mount namespace (whose mounts are shared, as they are on
# a host) and its own part of the cgroup tree, but with the suite's network namespace. It knows cnm's units and, of the
# distribution's, none: the targets are empty ones, so that nothing else starts.
readonly UNITS=/run/e2e/units CNMD_LOG=/run/e2e/cnmd.log
readonly TARGETS="sysinit basic sockets multi-user shutdown umount network-pre local-fs local-fs-pre"

# install_units: cnmd and its units, and nothing else of cnm.
install_units() {
  local packaging=$SUPPORT/../../packaging/systemd
  private_dir /etc
  private_dir /usr/sbin
  cp "$CNM_PLUGINS/cnmd" /usr/sbin/cnmd
  systemd-sysusers "$packaging/sysusers.conf"
  systemd-tmpfiles --create "$packaging/tmpfiles.conf"
  unit_tree "$packaging"
}

# unit_tree DIR: all that systemd will know: cnm's units in DIR, and targets.
unit_tree() {
  local target
  mkdir -p $UNITS/sockets.target.wants $UNITS/cnmd.service.d
  cp "$1"/cnmd*.service "$1"/cnmd*.socket $UNITS
  ln -s ../cnmd.socket ../cnmd-docker.socket $UNITS/sockets.target.wants/
  for target in $TARGETS; do printf '[Unit]\nDefaultDependencies=no\n' > "$UNITS/$target.target"; done
  printf '[Unit]\nDefaultDependencies=no\nWants=sockets.target\n' > $UNITS/boot.target
  printf '[Service]\nStandardError=append:%s\nStandardOutput=null\n' $CNMD_LOG > $UNITS/cnmd.service.d/log.conf # no journal
}

# systemd_up: boots; returns when the sockets listen.
systemd_up() {
  local cgroups
  cgroups=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)/cnm-e2e-systemd
  mkdir -p "$cgroups"
  cat > /run/e2e/init.sh << END
echo \$BASHPID > $cgroups/cgroup.procs
exec unshare --pid --cgroup --mount --fork --kill-child --mount-proc --propagation private bash -c '
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount --make-rshared /
  exec env -i PATH=$PATH container=cnm SYSTEMD_UNIT_PATH=$UNITS /lib/systemd/systemd --system --unit=boot.target \
    --log-target=console --show-status=no'
END
  bash /run/e2e/init.sh < /dev/null > /run/e2e/systemd.log 2>&1 3>&- 4>&- &
  echo $! > /run/e2e/systemd.pid
  wait_for 60 on_host systemctl is-active cnmd.socket cnmd-docker.socket || { cat /run/e2e/systemd.log >&2; return 1; }
}

# systemd_pid: as seen from here
systemd_pid() { pgrep --parent "$(cat /run/e2e/systemd.pid)"; }

# on_host COMMAND...: as if typed on that host
on_host() { nsenter --target "$(systemd_pid)" --mount --pid --cgroup "$@" 3>&- 4>&-; }

# host_path PATH: a path of that host, from here
host_path() { echo "/proc/$(systemd_pid)/root$(on_host readlink -f "$1")"; }

# property NAME: of cnmd.service
property() { on_host systemctl show --property "$1" --value cnmd.service; }

# settled: no start or stop of cnmd is under way
settled() { [[ $(property ActiveState) == @(active|inactive|failed) ]]; }
