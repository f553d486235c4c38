#!/usr/bin/env bats
# cnmctl.bats: the operator's commands over networks and endpoints of every door.
load ../support/e2e
load ../support/docker/docker

readonly API=/run/cnm/cnmd.sock CONFLIST=/etc/cni/net.d/blue.conflist

setup_file() {
  ours || skip "cnmctl is cnm's"
  private_dir /etc
  getent group cnm > /dev/null || groupadd --system cnm
  mkdir -p /etc/cni/net.d
  cat > $CONFLIST << 'END'
{"cniVersion": "1.0.0", "name": "blue", "plugins": [{"type": "bridge", "bridge": "br-blue", "isGateway": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.61.0.0/24"}]]}}]}
END
  ip netns add one
  libcni add $CONFLIST c1 /run/netns/one eth0 > /dev/null
  cnmd_up
  cnmctl network create green --subnet 10.62.0.0/24 > /dev/null
  cnmctl network create none --driver null > /dev/null
  cnmctl service publish web.green > /dev/null
  cnmctl sandbox create box > /dev/null
  cnmctl service attach box web.green > /dev/null
  cp "$CNM_PLUGINS/cnmctl" /run/e2e/cnmctl
  chmod 755 /run /run/e2e /run/e2e/cnmctl
}

teardown_file() {
  [ ! -e "$CNMD_PID" ] || { kill -s KILL "$(cat "$CNMD_PID")" 2> /dev/null || true; }
}

# as_member COMMAND...: as a user who is in group cnm, and as_stranger: as one who is not
as_member() { setpriv --reuid 65534 --regid 65534 --groups "$(getent group cnm | cut -d : -f 3)" "$@"; }
as_stranger() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# seen_by COMMAND...: the networks and endpoints that cnmctl run by COMMAND lists
seen_by() {
  "$@" /run/e2e/cnmctl network ls --json | jq -r '.[] | "\(.name) \(.driver) \([.doors[].door] | join(","))"'
  "$@" /run/e2e/cnmctl endpoint ls --json | jq -r 'sort_by(.network)[] | "\(.network) \(.name) \(.containerID) \(.ifname) \(.state) \(.door)"'
}

readonly EVERYTHING="blue bridge cni
green bridge api
none null api
blue  c1 eth0 ready cni
green web box eth0 ready api"

@test "cnmctl: lists the networks and endpoints of every door" {
  expect "what root sees" "$EVERYTHING" "$(seen_by env)"
}

@test "cnmctl: takes every id that it shows, its beginning, and the name" {
  local id name
  while read -r id name; do
    for word in "$name" "$id" "${id:0:12}" "${id:0:6}"; do
      expect "inspect $word" "$name" "$(cnmctl network inspect "$word" --json | jq -r .name)"
      expect "ls --network $word" "$name" "$(cnmctl network ls --network "$word" --json | jq -r '.[].name')"
    done
  done < <(cnmctl network ls --json | jq -r '.[] | "\(.id) \(.name)"')
  expect "blue's pool" '10.61.0.0/24 10.61.0.1' "$(cnmctl network inspect blue --json | jq -r '.ipv4[] | "\(.pool) \(.gateway)"')"
  expect "endpoint of CNI" eth0 "$(cnmctl endpoint inspect blue c1 --json | jq -r .ifname)"
  expect "endpoint of the API" box "$(cnmctl endpoint inspect green web --json | jq -r .container_id)"
}

@test "cnmctl: leaves a network of CNI to CNI, and says so" {
  run cnmctl network rm blue
  expect "exit status" 1 "$status"
  [[ $output == *"network blue: is CNI's, not cnmd's"*"cnmctl gc --network blue"* ]] || fail "$output"
  run cnmctl gc --network nope --dry-run
  expect "exit status" 1 "$status"
  [[ $output == *"gc: network nope: there is none; see cnmctl network ls"* ]] || fail "$output"
}

@test "cnmctl: a member of group cnm sees the same, others are told what to do" {
  expect "what a member sees" "$EVERYTHING" "$(seen_by as_member)"
  run as_stranger /run/e2e/cnmctl network ls
  expect "exit status" 1 "$status"
  [[ $output == *"permission denied"*"group cnm"* ]] || fail "$output"
  for command in "lease ls" log firewall; do
    # shellcheck disable=SC2086
    run as_member /run/e2e/cnmctl $command
    expect "exit status of $command" 1 "$status"
    [[ $output == *"/run/cnm: permission denied; "*"use sudo"* ]] || fail "$output"
  done
}

@test "cnmctl: the log has what was asked of the API, and how it ended" {
  run curl --silent --unix-socket $API http://cnm/networks --data '{"name": "green"}'
  expect "log" "create-network green 0
create-network none 0
create-endpoint green 0
join green 0
create-network green 403" "$(cnmctl log --json --tail 0 | jq -r 'select(.plugin == "api" and .verb != "create-sandbox") | "\(.verb) \(.network) \(.code)"')"
  [[ $(cnmctl log --container box) == *join*api*green*box*web* ]]
}

@test "cnmctl: options that are none are refused" {
  run cnmctl network create red --opt com.docker.network.driver.mtuu=1400
  expect "exit status" 1 "$status"
  [[ $output == *'$.driver_opts["com.docker.network.driver.mtuu"]: unknown option of driver bridge, did you mean com.docker.network.driver.mtu?; known: '* ]] ||
    fail "$output"
  run cnmctl network create red --subnet 10.64.0.0/24 --subnet fd00:64::/64
  [[ $status = 1 && $output == *"--ipv6 is missing"* ]] || fail "$output"
}
