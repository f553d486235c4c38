#!/usr/bin/env bats
# package.bats: the Debian package, installed, upgraded and removed on a host that systemd has booted.
load ../support/e2e
load ../support/systemd/systemd

readonly API=/run/cnm/cnmd.sock

setup_file() {
  ours || skip "the package is cnm's"
  local dir
  for dir in /etc /usr /var/lib/dpkg /var/lib/systemd; do private_dir $dir; done
  umount /opt/cni/bin # the package brings the plugins
  rm -f /usr/sbin/policy-rc.d # which on a machine for tests says that no package may start a service
  cpack --config "$CNM_PLUGINS/../CPackConfig.cmake" -B /run/e2e/deb > /run/e2e/cpack.log 2>&1 || { cat /run/e2e/cpack.log >&2; return 1; }
}

teardown_file() { [ ! -e /run/e2e/systemd.pid ] || kill -s KILL "$(cat /run/e2e/systemd.pid)" || true; }

package() { echo /run/e2e/deb/cnm_*.deb; }

@test "package: installs, with everything where it is looked for" {
  dpkg --install "$(package)"
  expect "changed files" "" "$(dpkg --verify cnm)"
  local plugin
  for plugin in bridge loopback host-local portmap firewall tuning bandwidth; do
    expect "version of $plugin" 1.1.0 "$(CNI_COMMAND=VERSION /opt/cni/bin/$plugin <<< '{"cniVersion": "1.1.0"}' | jq -r .cniVersion)"
  done
  expect "networks" '[]' "$(/usr/bin/cnmctl network ls --json)"
  run -0 /usr/sbin/cnmd --check
  expect "what cnmd says of its configuration" "" "$output"
  expect "mode of the records' directory" "710 root cnm" "$(stat --format '%a %U %G' /run/cnm)"
  expect "conffiles" /etc/cnm/cnmd.toml "$(dpkg-query --show --showformat '${Conffiles}' cnm | awk '{print $1}' | xargs)"
  expect "manual pages" "cnm-plugins.7 cnm.7 cnmctl.8 cnmd.8 cnmd.toml.5 dnet.1" \
    "$(dpkg-query --listfiles cnm | grep -E '/man[1-8]/' | sed 's#.*/##' | LC_ALL=C sort | paste -sd ' ')"
  run -0 find /usr/libexec/cnm -type f -perm -u+x -printf '%f\n'
  expect "helpers, and dnet" "cnm-firewalld cnm-xtables dnet" "$(sort <<< "$output" | paste -sd ' ')"
}

@test "package: its units start the daemon, and an upgrade exchanges it" {
  unit_tree /usr/lib/systemd/system
  systemd_up
  on_host curl --silent --fail --unix-socket $API http://cnm/networks --data '{"name": "kept", "network_type": "null"}'
  local before
  before=$(property MainPID)
  on_host dpkg --install "$(package)"
  settle() { settled && [ "$(property MainPID)" != "$before" ]; }
  wait_for 60 settle
  expect "networks" kept "$(on_host curl --silent --fail --unix-socket $API http://cnm/networks | jq -r '.[].name')"
}

@test "package: removed and purged, it leaves networks and nothing of its own" {
  local file
  dpkg --listfiles cnm > /run/e2e/listed
  on_host dpkg --remove cnm
  expect "state of the daemon" inactive "$(property ActiveState)"
  expect "the configuration is kept" /etc/cnm/cnmd.toml "$(ls /etc/cnm/cnmd.toml)"
  on_host dpkg --purge cnm
  while read -r file; do [ -d "$file" ] || [ ! -e "$file" ] || fail "$file is left"; done < /run/e2e/listed
  [ ! -e /etc/cnm ]
  [ -e /var/lib/cnm ]
}
